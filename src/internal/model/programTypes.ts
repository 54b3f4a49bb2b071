/**
 * The types of the programs of every model. `Model` exports them.
 */
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type * as Schema from "effect/Schema"
import type { Atomic } from "../../Atomic.ts"
import type { Condition } from "../../Condition.ts"
import type {
  Conflict,
  EntityCorrupted,
  EntityExists,
  EntityNotFound,
  InvalidValue,
  LockLost,
  LockTimeout,
  UniqueViolation
} from "../../DomainError.ts"
import type * as Field from "../../Field.ts"
import type { EntityHandle } from "../../Lock.ts"
import type { RedisServiceError } from "../../RedisServiceError.ts"
import type { Many } from "../program/many.ts"
import type { Version } from "../schema/version.ts"
import type { RedisService } from "../service.ts"
import type { Bulk, BulkOptions, BulkStream, Source } from "./bulk.ts"
import type { InsertOptions, LockOptions, ModifyOptions, ReadOptions } from "./options.ts"

type Fields = Schema.Struct.Fields

export type IdOf<F extends Fields, K> = K extends ReadonlyArray<string> ?
  { readonly [I in keyof K]: F[K[I] & keyof F]["Type"] }
  : K extends string ? F[K]["Type"]
  : never

type KeyNames<K> = K extends ReadonlyArray<infer Name> ? Name : K

type PatchOf<S extends Schema.Constraint> = S extends { readonly "~type.optionality": "optional" }
  ? S["Type"] | undefined
  : S["ast"] extends { readonly "~redlayer/json": true } ? S["Type"]
  : undefined extends S["Type"] ? S["Type"]
  : S extends { readonly fields: infer F extends Fields } ? Patch<F, never>
  : S extends {
    readonly "~type.constructor.default": "with-default"
    readonly schema: { readonly fields: infer F extends Fields }
  } ? Patch<F, never>
  : S["Type"]

/**
 * The fields to write: nested structs merge, collections are replaced, and an optional field that is `undefined` is
 * removed. The fields of the key may be in it, so that it may be a whole entity, but must be those of the id.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export type Patch<F extends Fields, K> = {
  readonly [Name in keyof F]?: Name extends KeyNames<K> ? F[Name]["Type"] : PatchOf<F[Name]>
}

export type Handles<F extends Fields, K, U = never> = {
  readonly [Name in Exclude<keyof F, KeyNames<K>>]: Name extends U ? Refusable<Field.Of<F[Name]>> : Field.Of<F[Name]>
}

/** A handle whose writes a unique index may refuse. */
type Refusable<H> = {
  readonly [M in keyof H]: H[M] extends (...args: infer Args) => Condition<infer E> ? (...args: Args) => Condition<E>
    : H[M] extends (...args: infer Args) => Atomic<infer A, infer E> ? (...args: Args) => Atomic<A, E | UniqueViolation>
    : H[M]
}

/**
 * The errors of `modify`, in addition to those of its function and its schedule.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export type ModifyFailure = EntityNotFound | EntityCorrupted | InvalidValue | Conflict | RedisServiceError

/**
 * The programs of a model. `Entity` is the type of its entities, `In` the input of their constructor. Each program
 * takes one round trip; `modify`, `withLock` and programs on many entities take more. Each program fails with
 * `InvalidValue` if an id or a value has no stored form.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Programs<Entity, In, F extends Fields, K, V = never, U = never> {
  /**
   * Returns the handles of one entity's fields. It reads nothing, takes no round trip and never throws: with an invalid
   * id every program of the handles fails with `InvalidValue`. With `renew: false`, reads by these handles do not renew
   * the time to live.
   */
  ref(id: IdOf<F, K>, options?: ReadOptions): Handles<F, K, U>
  /**
   * Returns the entity. Fails with `EntityNotFound` if it is missing, and with `EntityCorrupted` if a stored field does
   * not match the schema. O(fields + items).
   *
   * **When to use**
   *
   * Use if the entity should exist. If a missing entity is normal use `find`; if a few fields are enough use `pick`. To
   * look at an entity without renewing its time to live pass `{ renew: false }`.
   */
  get(id: IdOf<F, K>, options?: ReadOptions): Atomic<Entity, EntityNotFound | EntityCorrupted | InvalidValue>
  /**
   * Returns `Option.some` of the entity, or `Option.none` if it is missing. Fails with `EntityCorrupted` if a stored
   * field does not match the schema. O(fields + items).
   *
   * **When to use**
   *
   * Use if a missing entity is normal. To learn only whether it exists use `exists`; to create it use `getOrInsert`.
   */
  find(id: IdOf<F, K>, options?: ReadOptions): Atomic<Option.Option<Entity>, EntityCorrupted | InvalidValue>
  /**
   * Returns the entity and its version, from one moment. Fails as `get` does. O(fields + items).
   *
   * **When to use**
   *
   * Use with `atVersion`, to compute on the client from several entities and write the result only if none of them has
   * changed. For one entity use `modify`.
   */
  getVersioned(
    id: IdOf<F, K>,
    options?: ReadOptions
  ): Atomic<
    { readonly entity: Entity; readonly version: Version },
    EntityNotFound | EntityCorrupted | InvalidValue
  >
  /**
   * Returns the version of the entity, which every program that writes the entity changes. After a write of the same
   * program it is the version that this program leaves. Fails with `EntityNotFound` if the entity is missing. An entity
   * that was stored by hand without a version has version `"0"`. It does not renew the time to live. O(1).
   *
   * **Example** (One program over two entities that were computed on the client)
   *
   * ```ts run
   * import { Effect, Schema } from "effect"
   * import { Atomic, Condition, Model, RedisService } from "redlayer"
   *
   * const Team = Model.make("Team", { name: Schema.String, players: Schema.Array(Schema.String) }, { key: "name" })
   *
   * const program = Effect.gen(function*() {
   *   yield* Team.insertMany([{ name: "red", players: ["a", "b", "c"] }, { name: "blue", players: [] }])
   *   const [red, blue] = yield* Atomic.all([Team.getVersioned("red"), Team.getVersioned("blue")])
   *   const players = [...red.entity.players, ...blue.entity.players].toReversed()
   *   yield* Atomic.all([
   *     Atomic.guard(
   *       Condition.and(Team.atVersion("red", red.version), Team.atVersion("blue", blue.version)),
   *       () => "changed" as const
   *     ),
   *     Team.ref("red").players.set(players.slice(0, 2)),
   *     Team.ref("blue").players.set(players.slice(2))
   *   ])
   *   return yield* Team.atVersion("red", red.version)
   * })
   *
   * await Effect.runPromise(program.pipe(Effect.provide(RedisService.layerMemory))) // => false
   * ```
   */
  version(id: IdOf<F, K>): Atomic<Version, EntityNotFound | InvalidValue>
  /**
   * Whether the entity exists and has this version: nobody has written it since the version was read. A write of the
   * same program before the condition counts too. It does not renew the time to live. O(1).
   */
  atVersion(id: IdOf<F, K>, version: Version): Condition<InvalidValue>
  /** Returns whether the entity exists. It is also a condition, for `Atomic.when` and `Atomic.guard`. O(1). */
  exists(id: IdOf<F, K>): Condition<InvalidValue>
  /**
   * Returns the named fields as a plain object, and reads no others. Fails with `EntityNotFound` if the entity is
   * missing, and with `EntityCorrupted` if one of these fields does not match the schema. O(picked fields and items).
   *
   * **When to use**
   *
   * Use for some fields of an entity that is large. For one field use its handle: `ref(id).name.get()`.
   */
  pick<const Name extends keyof F & keyof Entity & string>(
    id: IdOf<F, K>,
    names: ReadonlyArray<Name>,
    options?: ReadOptions
  ): Atomic<Pick<Entity, Name>, EntityNotFound | EntityCorrupted | InvalidValue>
  /**
   * Stores a new entity and returns it. Fails with `EntityExists` if the id is taken. The first commit of the program
   * makes its defaults and generated ids, and keeps them, so committing the program again stores the same entity.
   * Collections that an earlier entity with this id has left are removed. O(fields + items).
   *
   * **When to use**
   *
   * Use to create. To create or replace use `put`; to create only if missing use `getOrInsert` or `ensure`.
   */
  insert(entity: In, options?: InsertOptions): Atomic<Entity, EntityExists | InvalidValue | V>
  /**
   * Stores a whole entity and returns it. An entity with the same id is replaced, and writes of others since you read
   * it are lost. O(fields + items).
   *
   * **When to use**
   *
   * Use if you have the whole entity and no one else writes it. To change some fields use `update`; to compute from the
   * stored entity use `modify`.
   */
  put(entity: In): Atomic<Entity, InvalidValue | V>
  /**
   * Returns the stored entity with this id; if it is missing, stores the given one and returns that. If many callers
   * try at once, one creates the entity, and all receive the same. Fails with `EntityCorrupted` if a stored field does
   * not match the schema. O(fields + items).
   *
   * **When to use**
   *
   * Use if you need the entity. If you only need it to exist use `ensure`, which does not read it.
   */
  getOrInsert(
    entity: In,
    options?: InsertOptions
  ): Atomic<{ readonly entity: Entity; readonly created: boolean }, EntityCorrupted | InvalidValue | V>
  /**
   * Stores the entity if its id is free. Returns true if it did. An existing entity is neither read nor renewed.
   * O(fields + items) if it stores, otherwise O(1).
   *
   * **When to use**
   *
   * Use before operations on an entity that may be missing, in one program with them. If you need the entity use
   * `getOrInsert`.
   */
  ensure(entity: In, options?: InsertOptions): Atomic<boolean, InvalidValue | V>
  /**
   * Writes these fields and no others. Fails with `EntityNotFound` if the entity is missing, and with `InvalidValue` if
   * the patch has another id. O(written fields and items).
   *
   * **When to use**
   *
   * Use to set values that you know. To increment, append or compare use the handles of `ref`; to compute from the
   * stored entity use `modify`.
   */
  update(id: IdOf<F, K>, patch: Patch<F, K>): Atomic<void, EntityNotFound | InvalidValue | V>
  /**
   * Copies a stored entity to a new id. Fails with `EntityNotFound` if the first entity is missing, and with
   * `EntityExists` if the second id is taken. The copy lives as long as a new entity. On a cluster both ids must share
   * a slot. O(fields + items).
   */
  duplicate(id: IdOf<F, K>, newId: IdOf<F, K>): Atomic<void, EntityNotFound | EntityExists | InvalidValue | V>
  /** Removes the entity and its collections. Returns true if it existed. O(collections), in the background O(items). */
  delete(id: IdOf<F, K>): Atomic<boolean, InvalidValue>
  /**
   * Sets the remaining life of the entity and its collections: finite, and at least 1 ms. Fails with `EntityNotFound`
   * if the entity is missing. O(collections).
   */
  expire(id: IdOf<F, K>, duration: Duration.Input): Atomic<void, EntityNotFound | InvalidValue>
  /** Makes the entity permanent. Fails with `EntityNotFound` if the entity is missing. O(collections). */
  persist(id: IdOf<F, K>): Atomic<void, EntityNotFound | InvalidValue>
  /**
   * Returns the remaining life of the entity, never more than its duration, or `Option.none` if it is permanent. Fails
   * with `EntityNotFound` if the entity is missing. O(1).
   */
  timeToLive(id: IdOf<F, K>): Atomic<Option.Option<Duration.Duration>, EntityNotFound | InvalidValue>
  /**
   * Reads many entities. Returns a result for each, in the order of the ids. Each entity is read by its own program,
   * `concurrency` of them at a time. It fails as a whole if the server cannot be reached or refuses.
   *
   * **When to use**
   *
   * Use for any number of independent entities. To read several in one program use `Atomic.all`.
   */
  getMany(
    ids: Many<IdOf<F, K>>,
    options?: BulkOptions & ReadOptions
  ): Bulk<Entity, EntityNotFound | EntityCorrupted | InvalidValue>
  /**
   * Inserts many entities, in order. Returns a result for each. Each entity is inserted by its own program, so some may
   * fail while others succeed. The first run makes the defaults and generated ids, and keeps them, so running the
   * effect again inserts the same entities.
   */
  insertMany(entities: Many<In>, options?: BulkOptions & InsertOptions): Bulk<Entity, EntityExists | InvalidValue | V>
  /** Deletes many entities, in the order of the ids, each by its own program. Returns for each whether it existed. */
  deleteMany(ids: Many<IdOf<F, K>>, options?: BulkOptions): Bulk<boolean, InvalidValue>
  /** Reads more entities than fit in memory. Returns a stream with a result for each id, in their order. */
  getManyStream<E = never, R = never>(
    ids: Source<IdOf<F, K>, E, R>,
    options?: BulkOptions & ReadOptions
  ): BulkStream<Entity, EntityNotFound | EntityCorrupted | InvalidValue, E, R>
  /**
   * Inserts more entities than fit in memory. Returns a stream with a result for each entity, in their order. Nothing
   * is kept: each run makes new defaults and generated ids.
   */
  insertManyStream<E = never, R = never>(
    entities: Source<In, E, R>,
    options?: BulkOptions & InsertOptions
  ): BulkStream<Entity, EntityExists | InvalidValue | V, E, R>
  /** Deletes more entities than fit in memory. Returns a stream that says for each id whether the entity existed. */
  deleteManyStream<E = never, R = never>(
    ids: Source<IdOf<F, K>, E, R>,
    options?: BulkOptions
  ): BulkStream<boolean, InvalidValue, E, R>
  /**
   * Reads all stored entities of the model, in no order. Returns a stream with a result for each: the entity, or why it
   * cannot be read. An entity that exists while the stream runs occurs at least once, and rarely twice; one that is
   * inserted or deleted meanwhile may occur. It renews no time to live. It holds no more entities than are in flight.
   *
   * **When to use**
   *
   * Use for exports, repairs and migrations. To find entities by a property keep their ids in a set.
   *
   * **Gotchas**
   *
   * It goes through all keys of the database, those of other models too: O(keys of the database + fields + items). No
   * step holds the server for long. It fails with `Unsupported` if the transport cannot scan.
   *
   * **Example** (Exporting all orders)
   *
   * ```ts run
   * import { Effect, Schema, Stream } from "effect"
   * import { Model, RedisService } from "redlayer"
   *
   * const Order = Model.make("Order", { id: Schema.String, cents: Schema.Int }, { key: "id" })
   *
   * const program = Effect.gen(function*() {
   *   yield* Order.insertMany([{ id: "a", cents: 100 }, { id: "b", cents: 250 }])
   *   const total = yield* Order.stream().pipe(
   *     Stream.mapEffect(Effect.fromResult),
   *     Stream.runFold(() => 0, (sum, { cents }) => sum + cents)
   *   )
   *   return [total, yield* Order.count()]
   * })
   *
   * await Effect.runPromise(program.pipe(Effect.provide(RedisService.layerMemory))) // => [350, 2]
   * ```
   */
  stream(options?: BulkOptions): BulkStream<Entity, EntityCorrupted, never, never>
  /**
   * Counts the stored entities of the model, as `stream` finds them, without reading them. An entity that is inserted or
   * deleted meanwhile may count; while the server resizes its table of keys one may count twice. O(keys of the database).
   *
   * **When to use**
   *
   * Use in tools and reports. For a number that requests need keep a counter.
   */
  count(): Effect.Effect<number, RedisServiceError, RedisService>
  /**
   * Reads the entity, computes a new one with `f`, and writes the fields that differ, provided that no one has written
   * the entity since. Otherwise it reads again and runs `f` again, under a schedule; when the schedule ends, it fails
   * with `Conflict`. Returns the entity as it is stored then. Fails with `EntityNotFound` if the entity is missing, and
   * with `InvalidValue` if the result breaks a check or has another id. Two round trips for each attempt, one if no
   * field differs. O(fields + items).
   *
   * **When to use**
   *
   * Use for values that only your code can compute. For counters and collections use operations of the handles, which
   * never conflict; for work with effects outside use `withLock`.
   *
   * **Gotchas**
   *
   * `f` may be an effect, and may run several times. If `f` fails, nothing is written. A counter that others increment
   * on the same entity makes every `modify` start again: keep the counter on a separate entity.
   *
   * **Example** (Computing on the client)
   *
   * ```ts run
   * import { Effect, Schema } from "effect"
   * import { Model, RedisService } from "redlayer"
   *
   * const Note = Model.make("Note", { id: Schema.String, text: Schema.String, words: Schema.Int }, { key: "id" })
   *
   * const add = (word: string) =>
   *   Note.modify("n", ({ id, text }) => ({ id, text: `${text} ${word}`, words: text.split(" ").length }))
   *
   * const program = Effect.gen(function*() {
   *   yield* Note.insert({ id: "n", text: "", words: 0 })
   *   yield* Effect.all([add("hello"), add("world")], { concurrency: "unbounded" })
   *   return yield* Note.ref("n").words.get()
   * })
   *
   * await Effect.runPromise(program.pipe(Effect.provide(RedisService.layerMemory))) // => 2
   * ```
   */
  modify<E = never, R = never, R2 = never>(
    id: IdOf<F, K>,
    f: (entity: Entity) => In | Effect.Effect<In, E, R>,
    options?: ModifyOptions<R2>
  ): Effect.Effect<
    Entity,
    ModifyFailure | V | E,
    RedisService | R | R2
  >
  /**
   * Takes a lock on the entity, reads the entity, runs `f`, and writes the fields that differ in the entity that `f`
   * returns. It writes only if the lock is still held and no one has written the entity since; otherwise it fails with
   * `LockLost` or `Conflict`. `f` runs once, and is interrupted if the lock is lost. If `f` returns nothing, nothing is
   * written; `f` may write by itself in programs with `held.guard`. Returns the entity as it is stored then. The lock
   * is released in every case. Fails with `LockTimeout` if the lock is not free within `wait`, and with
   * `EntityNotFound` if the entity is missing. Four round trips, three if nothing is written. O(fields + items).
   *
   * **When to use**
   *
   * Use for work outside the server that must not happen twice at once, such as charging a card. For a pure computation
   * use `modify`; for a lock of any name, or on several entities, the module `Lock`.
   */
  withLock<A extends In | void, E, R>(
    id: IdOf<F, K>,
    f: (entity: Entity, held: EntityHandle) => Effect.Effect<A, E, R>,
    options?: LockOptions
  ): Effect.Effect<
    A extends void ? void : Entity,
    ModifyFailure | LockLost | LockTimeout | V | E,
    RedisService | R
  >
}
