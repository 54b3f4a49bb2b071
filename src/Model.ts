/**
 * Models: Effect Schemas whose entities live in Redis. A model has programs on whole entities, and `ref(id)` returns
 * typed, atomic operations on each field of one entity.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as Stream from "effect/Stream"
import type { Atomic } from "./Atomic.ts"
import type { Condition } from "./Condition.ts"
import type {
  Conflict,
  EntityCorrupted,
  EntityExists,
  EntityNotFound,
  InvalidValue,
  LockLost,
  LockTimeout,
  UniqueViolation
} from "./DomainError.ts"
import type * as Field from "./Field.ts"
import type { Bulk, BulkOptions, BulkStream, Source } from "./internal/model/bulk.ts"
import * as Definition from "./internal/model/definition.ts"
import type {
  AggregateName,
  Counted,
  Group,
  IndexedField,
  Indexes,
  Indexing,
  IndexKey,
  IndexName,
  IndexOptions,
  NoIndexing,
  Optional,
  OrderField,
  Summed,
  SumOf,
  UniqueField,
  UniqueKey,
  UniqueName,
  Uniques
} from "./internal/model/indexTypes.ts"
import type {
  InsertOptions,
  Key,
  KeylessOptions,
  LockOptions,
  ModifyOptions,
  Options,
  ReadOptions,
  Slot,
  Storable
} from "./internal/model/options.ts"
import type { Many } from "./internal/program/many.ts"
import type { Version } from "./internal/schema/version.ts"
import type { RedisService } from "./internal/service.ts"
import type { EntityHandle } from "./Lock.ts"
import type { Query, WatchOptions } from "./Query.ts"
import type { RedisServiceError } from "./RedisServiceError.ts"

export type { Bulk, BulkOptions, BulkStream, Source } from "./internal/model/bulk.ts"
export type {
  Bounds,
  CountDefinition,
  Counted,
  IndexDefinition,
  Indexes,
  Indexing,
  IndexOptions,
  NoIndexing,
  Path,
  SumDefinition,
  Summed,
  SumPath,
  Uniques
} from "./internal/model/indexTypes.ts"
export type {
  InsertOptions,
  Key,
  KeylessOptions,
  LockOptions,
  ModifyOptions,
  Options,
  ReadOptions,
  Slot,
  TimeToLive
} from "./internal/model/options.ts"
export type { Many } from "./internal/program/many.ts"
export type { Marked } from "./internal/schema/storage.ts"
export { indexed, issues, json, sortedSet, tolerant, unique, withDefault } from "./internal/schema/storage.ts"
export { Version } from "./internal/schema/version.ts"

type Fields = Schema.Struct.Fields

type IdOf<F extends Fields, K> = K extends ReadonlyArray<string> ?
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
 * @category models
 * @since 0.1.0
 */
export type Patch<F extends Fields, K> = {
  readonly [Name in keyof F]?: Name extends KeyNames<K> ? F[Name]["Type"] : PatchOf<F[Name]>
}

type Handles<F extends Fields, K, U = never> = {
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
 * @category models
 * @since 0.1.0
 */
export type ModifyFailure = EntityNotFound | EntityCorrupted | InvalidValue | Conflict | RedisServiceError

/**
 * The programs of a model. `Entity` is the type of its entities, `In` the input of their constructor. Each program
 * takes one round trip; `modify`, `withLock` and programs on many entities take more. Each program fails with
 * `InvalidValue` if an id or a value has no stored form.
 *
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

/** A program where an index has one home; an effect on partitions. */
type Runs<X extends Indexing, A, E> = X["partitioned"] extends true
  ? Effect.Effect<A, E | RedisServiceError, RedisService>
  : Atomic<A, E>

/** A count or a sum: a program that can be compared and be an operand where an aggregate has one home; an effect on partitions. */
type Total<X extends Indexing, A> = X["partitioned"] extends true
  ? Effect.Effect<A, InvalidValue | RedisServiceError, RedisService>
  : A extends bigint ? Field.BigIntSum<InvalidValue>
  : A extends Duration.Duration ? Field.DurationSum<InvalidValue>
  : Field.Count<InvalidValue>

/**
 * Options of ranks and of the first entities.
 *
 * @category models
 * @since 0.1.0
 */
export interface RankOptions<Key> {
  /**
   * The values that are equal for all entities that count, at the front of the index; the last one may be a range. Default: none, all
   * entities count.
   */
  readonly within?: Key | undefined
  /** `"desc"`: the greatest value is first. Default: `"desc"`. */
  readonly direction?: "asc" | "desc" | undefined
}

/**
 * The types of a model for its queries.
 *
 * @category models
 * @since 0.1.0
 */
export interface QueryTarget<F extends Fields, K, X extends Indexing, IsRange extends boolean> {
  readonly ref: Handles<F, K, UniqueField<F, X>>
  readonly id: IdOf<F, K>
  readonly patch: Patch<F, K>
  readonly violation: Violation<F, X>
  readonly order: OrderField<F, X>
  readonly isRange: IsRange
}

/**
 * How far `reindex` has come.
 *
 * @category models
 * @since 0.1.0
 */
export interface ReindexProgress {
  /** How many entities it has looked at. */
  readonly entities: number
  /** How many of them had entries that differed. */
  readonly changed: number
  /** Whether all are done, and the indexes are complete. */
  readonly isDone: boolean
}

/**
 * A difference that `check` has found.
 *
 * @category models
 * @since 0.1.0
 */
export interface IndexProblem {
  /** The escaped id. Empty for sums. */
  readonly id: string
  /** The index or aggregate. Unset: all of the entity, or its expiry. */
  readonly index: string | undefined
  readonly issue: "entries differ" | "no such entity" | "sums differ"
}

/**
 * The queries of a model with indexes, and the programs that read an index. `rank`, `top`, `around`, `countBetween`, `counted` and `summed` are
 * programs, one round trip each; on a model with partitions they are effects, which ask all partitions. A program sees earlier writes of its own.
 * Each fails with `InvalidValue` if a value has no stored form, or if a model whose slot is a component of the key gets no value for it. An
 * entity that has expired is neither returned nor counted. No read of an index renews a time to live.
 *
 * **Example** (A new score and its rank in one round trip)
 *
 * ```ts run
 * import { Effect, Option, Schema } from "effect"
 * import { Atomic, Model, RedisService } from "redlayer"
 *
 * const Player = Model.make("Player", { name: Schema.String, league: Schema.String, score: Schema.Int }, {
 *   key: "name",
 *   indexes: { standing: ["league", "score"] }
 * })
 *
 * const win = (name: string, league: string) =>
 *   Atomic.all([Player.ref(name).score.increment(3), Player.rank(name, "standing", { within: { league } })])
 *
 * const program = Effect.gen(function*() {
 *   yield* Player.insertMany([{ name: "ann", league: "a", score: 2 }, { name: "bob", league: "a", score: 4 }])
 *   return yield* win("ann", "a")
 * })
 *
 * await Effect.runPromise(program.pipe(Effect.provide(RedisService.layerMemory))) // => [5, Option.some(1)]
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface Indexed<Entity, F extends Fields, K, X extends Indexing> {
  /**
   * Queries by the name of an index: equal values in its order, then one range. Without an argument all of its entities. The entities
   * are in the order of the values, and those with equal values in the order of their ids. It reads nothing.
   *
   * **When to use**
   *
   * Use if you know the index: it is never another one, one round trip less than `query`, and `Query.count` of it is a program.
   */
  readonly by: {
    readonly [N in IndexName<F, X>]: (
      ...key: Optional<F, X, IndexKey<F, X, N>>
    ) => Query<Entity, QueryTarget<F, K, X, X["partitioned"] extends true ? false : true>>
  }
  /**
   * The entities that meet a condition on indexed fields. The index that has the fewest entries to examine is used, which costs one round
   * trip more if there are several. It needs a comparison with `eq`, `in`, `lt`, `lte`, `gt` or `gte` that an index serves; otherwise
   * running it fails with `InvalidValue`. For a condition on other fields add `Query.filter`. `within` names the component of the key that
   * is the slot.
   *
   * **When to use**
   *
   * Use for several values, `or`, and conditions that are only known at run time. If you know the index use `by`.
   */
  query(
    where: (ref: Pick<Handles<F, K>, IndexedField<F, X> & keyof Handles<F, K>>) => Condition<any>,
    ...options: Optional<F, X, { readonly within: { readonly [N in X["slot"] & keyof F]: F[N]["Type"] } }>
  ): Query<Entity, QueryTarget<F, K, X, false>>
  /**
   * Makes the index entries of all stored entities anew, and returns a stream of its progress. Others may write meanwhile. If it is
   * interrupted, run it again: it changes only what differs. O(keys of the database + entities), in steps that hold the server for less
   * than a few milliseconds.
   *
   * **When to use**
   *
   * Use after indexes are added to a model that has entities, or their definition has changed. Until it has run, reads of changed indexes
   * fail with `Unsupported`. After it, processes with the earlier definition can't write entities any more.
   */
  reindex(): Stream.Stream<ReindexProgress, InvalidValue | RedisServiceError, RedisService>
  /**
   * Compares the index entries of all stored entities with their fields, and all entries with the entities. Returns a stream of what
   * differs; with `mend` it is mended. Each entity and each page of entries is one program, so what others write meanwhile is not
   * reported. O(keys of the database + entities + entries).
   *
   * **When to use**
   *
   * Use in tests, and after someone has changed keys by hand.
   */
  check(options?: {
    readonly mend?: boolean | undefined
  }): Stream.Stream<IndexProblem, InvalidValue | RedisServiceError, RedisService>
  /**
   * Removes the index entries of entities that have expired. Queries and writes do this by themselves: a query never shows one.
   * O(expired entities), in steps of at most 1,000.
   *
   * **When to use**
   *
   * Use for a model that nobody reads or writes for long, because its entries need memory until then. The option `sweepEvery` of a layer
   * does it every so often.
   */
  sweep(): Effect.Effect<void, InvalidValue | RedisServiceError, RedisService>
  /**
   * The entity, or none, as a stream: now, and whenever it has changed. The model needs the option `live: true`. See `Query.watch`.
   */
  watch(
    id: IdOf<F, K>,
    options?: WatchOptions
  ): Stream.Stream<Option.Option<Entity>, EntityCorrupted | InvalidValue | RedisServiceError, RedisService>
  /**
   * The rank of an entity, from 1 on: 1 + the number of entities that are strictly ahead, so that equal values share a rank. None if it
   * has no entry, or one outside of `within`. O(log(entries)).
   */
  rank<N extends IndexName<F, X>>(
    id: IdOf<F, K>,
    index: N,
    options?: RankOptions<IndexKey<F, X, N>>
  ): X["partitioned"] extends true
    ? Effect.Effect<Option.Option<number>, InvalidValue | RedisServiceError, RedisService>
    : Field.Standing<InvalidValue>
  /**
   * The first entities, at most 1,000. Equal values are in the order of ids, or in the reverse one if the greatest value is first. Fails
   * with `EntityCorrupted` if one does not match the schema. O(log(entries) + entities).
   *
   * **When to use**
   *
   * Use for a leaderboard. For more entities, for some of their fields, or for pages use `by` with `Query.page`.
   */
  top<N extends IndexName<F, X>>(
    index: N,
    count: number,
    ...options: Optional<F, X, RankOptions<IndexKey<F, X, N>>>
  ): Runs<X, ReadonlyArray<Entity>, EntityCorrupted | InvalidValue>
  /**
   * The entity, and so many before and after it, at most 1,000 on each side. Empty if it has no entry, or one outside of `within`.
   * O(log(entries) + entities).
   */
  around<N extends IndexName<F, X>>(
    id: IdOf<F, K>,
    index: N,
    count: number,
    options?: RankOptions<IndexKey<F, X, N>>
  ): Runs<X, ReadonlyArray<Entity>, EntityCorrupted | InvalidValue>
  /** The number of entities in a range of an index. `Query.count(Model.by.index(key))` is the same. O(log(entries)). */
  countBetween<N extends IndexName<F, X>>(
    index: N,
    key: IndexKey<F, X, N>
  ): X["partitioned"] extends true ? Effect.Effect<number, InvalidValue | RedisServiceError, RedisService>
    : Field.Count<InvalidValue>
  /**
   * The number of entities that have these values, one for each field of the count. 0 if there are none. O(1).
   *
   * **When to use**
   *
   * Use for a number that is asked often, or that a write depends on, as "at most 3 admins". For a range of values use
   * `countBetween`, which needs an index.
   */
  counted<N extends AggregateName<X, "counted">>(
    name: N,
    ...group: Group<F, X, X["counted"][N & keyof X["counted"]]>
  ): Total<X, number>
  /**
   * The sum over the entities that have these values, one for each field that groups them. 0 if there are none. Exact: of bigints and
   * durations at any size, of integers up to 2^53, and the nearest number above. O(1).
   */
  summed<N extends AggregateName<X, "summed">>(
    name: N,
    ...group: Group<F, X, X["summed"][N & keyof X["summed"]]>
  ): Total<X, SumOf<F, X["summed"][N & keyof X["summed"]]>>
  /** The entity with these values in a unique index, or none. One round trip. O(log(entries) + fields). */
  findBy<N extends UniqueName<F, X>>(
    index: N,
    key: UniqueKey<F, X, N>
  ): Atomic<Option.Option<Entity>, EntityCorrupted | InvalidValue>
  /** The entity with these values in a unique index. Fails with `EntityNotFound` if there is none. O(log(entries) + fields). */
  getBy<N extends UniqueName<F, X>>(
    index: N,
    key: UniqueKey<F, X, N>
  ): Atomic<Entity, EntityNotFound | EntityCorrupted | InvalidValue>
  /** Whether there is an entity with these values in a unique index, as a condition. O(log(entries)). */
  existsBy<N extends UniqueName<F, X>>(index: N, key: UniqueKey<F, X, N>): Condition<InvalidValue>
}

/**
 * The keys of a model with the option `live: true`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Live<F extends Fields, K> {
  /**
   * The keys of Effect's `Reactivity` for an entity, or without an argument for all entities of the model: each write of it, or of any,
   * invalidates them, in all processes that have the layer of `EffectReactivity`. An id that no entity can have has no key.
   *
   * **When to use**
   *
   * Use for an effect or an atom that reads several things. For one entity use `watch`.
   */
  reactivityKeys(id?: IdOf<F, K>): ReadonlyArray<any>
}

/** The names of a model's indexes and aggregates. */
type KeptName<F extends Fields, X extends Indexing> =
  | IndexName<F, X>
  | AggregateName<X, "counted">
  | AggregateName<X, "summed">

/** The queries of a model, or nothing if it has no index and no aggregate. */
type IndexedBy<Entity, F extends Fields, K, X extends Indexing> =
  & ([KeptName<F, X>] extends [never] ? X["live"] extends true ? Pick<Indexed<Entity, F, K, X>, "watch"> : unknown
    : Indexed<Entity, F, K, X>)
  & (X["live"] extends true ? Live<F, K> : unknown)

type Violation<F extends Fields, X extends Indexing> = [UniqueName<F, X>] extends [never] ? never : UniqueViolation

/**
 * A model whose entities are plain objects. It is also the schema of an entity, as `Schema.Struct` makes it: `Type` is the
 * type of an entity, `make` makes one, and it can be a field of another schema.
 *
 * @category models
 * @since 0.1.0
 */
export interface Model<F extends Fields, K, X extends Indexing = NoIndexing> extends
  Schema.Struct<F>,
  Programs<
    Schema.Struct<F>["Type"],
    Schema.Struct<F>["~type.make.in"],
    F,
    K,
    Violation<F, X>,
    UniqueField<F, X>
  >
{
  /** The name, which is part of every key. */
  readonly name: string
}

type Construct<S extends Schema.Constraint> = S["~type.make.in"]

/**
 * A model whose entities are instances of a class.
 *
 * @category models
 * @since 0.1.0
 */
export type ModelClass<Self, F extends Fields, K, Inherited = {}, X extends Indexing = NoIndexing> =
  & Schema.Class<Self, Schema.Struct<F>, Inherited>
  & Programs<Self, Construct<Schema.Struct<F>>, F, K, Violation<F, X>, UniqueField<F, X>>
  & IndexedBy<Self, F, K, X>
  & { readonly "~redlayer/Indexing"?: X }

/** The indexes and aggregates of a model, as its options define them. */
type IndexingOf<I, U, S, L, C, T> = {
  readonly indexes: I
  readonly unique: U
  readonly counted: C
  readonly summed: T
  readonly partitioned: S extends { readonly partitions: number } ? true : false
  readonly slot: S extends "id" ? undefined : S
  readonly live: L
}

/**
 * Any model, for code that is generic over models.
 *
 * @category utility types
 * @since 0.1.0
 */
export interface Any extends Programs<any, any, any, any> {
  /** Returns the handles of one entity's fields. */
  ref(id: any, options?: ReadOptions): Field.AnyRef
}

/**
 * The type of a model's ids.
 *
 * @category utility types
 * @since 0.1.0
 */
export type Id<M extends Any> = Parameters<M["get"]>[0]

/**
 * The reference of an entity: the handles of its fields, as `ref` returns them. Without an argument it is the reference
 * of an entity of any model.
 *
 * @category utility types
 * @since 0.1.0
 */
export type Ref<M extends Any = Any> = ReturnType<M["ref"]>

/** Refuses a tuple key that has a field twice. */
type Distinct<K> = [K] extends [never] ? unknown
  : K extends readonly [infer Head, ...infer Tail]
    ? Head extends Tail[number] ? { readonly key: "A tuple key has each of its fields once" } : Distinct<Tail>
  : unknown

type MissingSelfGeneric = "Missing `Self` generic - use `class Self extends Model.Class<Self>(name)(fields, options)`"

/**
 * The field that a model without a key gets: a UUID of version 7, generated for each new entity.
 *
 * @category schemas
 * @since 0.1.0
 */
export interface GeneratedId extends Schema.withConstructorDefault<Schema.String> {}

type WithId<F extends Fields> = { readonly [Name in keyof F | "id"]: Name extends keyof F ? F[Name] : GeneratedId }

/**
 * Defines a model as a class. Its entities are instances, with your getters and methods. It takes the name, and returns
 * a function that takes the fields and the options.
 *
 * **When to use**
 *
 * Use by default. For entities that are plain objects use `make`.
 *
 * **Details**
 *
 * The name is part of every key. A second definition with the same name replaces the first if both store the same, and
 * is refused with a defect otherwise, on a service where the first one is in use.
 *
 * **Example** (Counting the clicks of a link)
 *
 * ```ts run
 * import { Effect, Schema } from "effect"
 * import { Model, RedisService } from "redlayer"
 *
 * class Link extends Model.Class<Link>("Link")({
 *   code: Schema.String,
 *   url: Schema.String,
 *   clicks: Schema.Int.pipe(Model.withDefault(0))
 * }, { key: "code" }) {}
 *
 * const program = Effect.gen(function*() {
 *   yield* Link.insert({ code: "a1", url: "https://effect.website" })
 *   return yield* Link.ref("a1").clicks.increment()
 * })
 *
 * await Effect.runPromise(program.pipe(Effect.provide(RedisService.layerMemory))) // => 1
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const Class = <Self = never>(name: string): {
  /** Defines the class by its fields, and adds the field `id`: a UUID of version 7, made for each new entity. */
  <
    const F extends Fields,
    const I extends Indexes<WithId<F>> = {},
    const U extends Uniques<WithId<F>> = {},
    const C extends Counted<WithId<F>> = {},
    const T extends Summed<WithId<F>> = {},
    const S extends Slot<"id"> = "id",
    const L extends boolean = false
  >(
    fields: F & Storable<F>,
    options?: KeylessOptions & { readonly slot?: S | undefined } & IndexOptions<I, U, L, C, T>
  ): [Self] extends [never] ? MissingSelfGeneric : ModelClass<Self, WithId<F>, "id", {}, IndexingOf<I, U, S, L, C, T>>
  /**
   * Defines the class by its fields and options. `key` is the field, or the tuple of fields, whose value is the id.
   * Throws if the fields cannot be stored as they are.
   */
  <
    const F extends Fields,
    const K extends Key<F>,
    const I extends Indexes<F> = {},
    const U extends Uniques<F> = {},
    const C extends Counted<F> = {},
    const T extends Summed<F> = {},
    const S extends Slot<K> = "id",
    const L extends boolean = false
  >(
    fields: F & Storable<F>,
    options: Options<K> & { readonly slot?: S | undefined } & IndexOptions<I, U, L, C, T> & Distinct<K>
  ): [Self] extends [never] ? MissingSelfGeneric : ModelClass<Self, F, K, {}, IndexingOf<I, U, S, L, C, T>>
} =>
(fields: Fields, options: Partial<Options<any>> = {}): any => {
  Definition.checkFields(name, fields)
  const all = options.key === undefined ? Definition.withId(fields) : fields
  return withPrograms(Schema.Class<any>(name)(all), name, options)
}

type AnyPrograms = Programs<any, any, any, any>

/** Each program, as `EntityPrograms` implements it. The compiler checks that no program is missing, and that none is extra. */
type Implementation = {
  readonly [Name in keyof AnyPrograms]: (...args: Parameters<AnyPrograms[Name]>) => unknown
}

const programNames: ReadonlyArray<keyof AnyPrograms> = Definition.programNames

const define: (name: string, fields: Fields, options: Partial<Options<any>>) => {
  readonly of: (schema: any) => { readonly programs: Implementation; readonly indexed: any }
  readonly isIndexed: boolean
} = Definition.define

const optionsOf = Symbol("~redlayer/options")

/** The schema of a class belongs to the class that extends it, and is not made before that is first used. */
const withPrograms = (Base: any, name: string, options: Partial<Options<any>>): any => {
  class Model extends Base {}
  const { isIndexed, of } = define(name, Base.fields, options)
  for (const program of programNames) {
    Object.defineProperty(Model, program, {
      configurable: true,
      value(this: unknown, ...args: [any, any]) {
        return of(this).programs[program](...args)
      }
    })
  }
  for (const program of isIndexed ? Definition.indexedNames : []) {
    Object.defineProperty(Model, program, {
      configurable: true,
      get(this: unknown) {
        const { indexed } = of(this)
        return program === "by" ? indexed.by : (...args: ReadonlyArray<any>) => indexed[program](...args)
      }
    })
  }
  return Object.defineProperty(Model, optionsOf, { value: options })
}

type AnyClass = (abstract new(...args: any) => any) & Any & { readonly fields: Fields }

type Merged<A extends Fields, B extends Fields> = {
  readonly [Name in keyof A | keyof B]: Name extends keyof B ? B[Name] : Name extends keyof A ? A[Name]
  : never
}

/** Refuses a field that has another type than the field of the base that it replaces. */
type Narrowing<A extends Fields, B extends Fields> = {
  readonly [Name in keyof B & keyof A]: B[Name]["Type"] extends A[Name]["Type"] ? unknown
    : "A field of the base can be replaced by one of the same type only"
}

type IndexingIn<M> = M extends { readonly "~redlayer/Indexing"?: infer X extends Indexing } ? X : NoIndexing

type KeyOf<M> = M extends Programs<any, any, any, infer K> ? K : never

/**
 * Defines a model class with the fields, getters and methods of another one, and more fields. Its entities are stored
 * under the new name. It returns a function that takes the fields and the options.
 *
 * **When to use**
 *
 * Use to store entities of a subclass apart. To share only fields spread them: `{ ...User.fields, level: Schema.Int }`.
 *
 * **Example** (An administrator is a user, stored apart)
 *
 * ```ts run
 * import { Effect, Schema } from "effect"
 * import { Model, RedisService } from "redlayer"
 *
 * class User extends Model.Class<User>("User")({ name: Schema.String, logins: Schema.Int }, { key: "name" }) {
 *   readonly greeting = `Hello, ${this.name}`
 * }
 *
 * class Admin extends Model.extend<Admin, typeof User>(User, "Admin")({ level: Schema.Int }) {}
 *
 * const program = Effect.gen(function*() {
 *   yield* Admin.insert({ name: "alice", logins: 0, level: 3 })
 *   const { greeting, level } = yield* Admin.get("alice")
 *   return [greeting, level, yield* User.exists("alice")]
 * })
 *
 * await Effect.runPromise(program.pipe(Effect.provide(RedisService.layerMemory))) // => ["Hello, alice", 3, false]
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const extend = <Self = never, Base extends AnyClass = never>(base: Base, name: string): {
  /**
   * Defines the class by the fields that it adds. Key, slot, time to live and indexes are those of the base, unless `options`
   * set them.
   */
  <
    const F extends Fields,
    const I extends Indexes<Merged<Base["fields"], F>> = {},
    const U extends Uniques<Merged<Base["fields"], F>> = {},
    const C extends Counted<Merged<Base["fields"], F>> = {},
    const T extends Summed<Merged<Base["fields"], F>> = {},
    const L extends boolean = IndexingIn<Base>["live"]
  >(
    fields: F & Storable<F> & Narrowing<Base["fields"], F>,
    options?: Partial<Options<KeyOf<Base>>> & IndexOptions<I, U, L, C, T>
  ): [Self] extends [never] ? MissingExtendGenerics : ModelClass<
    Self,
    Merged<Base["fields"], F>,
    KeyOf<Base>,
    InstanceType<Base>,
    {
      readonly indexes: Omit<IndexingIn<Base>["indexes"], keyof I> & I
      readonly unique: Omit<IndexingIn<Base>["unique"], keyof U> & U
      readonly counted: Omit<IndexingIn<Base>["counted"], keyof C> & C
      readonly summed: Omit<IndexingIn<Base>["summed"], keyof T> & T
      readonly partitioned: IndexingIn<Base>["partitioned"]
      readonly slot: IndexingIn<Base>["slot"]
      readonly live: L
    }
  >
} =>
(fields: Fields, options: Partial<Options<any>> & IndexOptions<object, object, boolean, object, object> = {}): any => {
  Definition.checkFields(name, fields)
  const inherited = (base as any)[optionsOf]
  return withPrograms((base as any).extend(name)(fields), name, {
    ...inherited,
    ...options,
    indexes: { ...inherited.indexes, ...options.indexes },
    unique: { ...inherited.unique, ...options.unique },
    counted: { ...inherited.counted, ...options.counted },
    summed: { ...inherited.summed, ...options.summed }
  })
}

type MissingExtendGenerics =
  "Missing generics - use `class Self extends Model.extend<Self, typeof Base>(Base, name)(fields)`"

/**
 * Defines a model whose entities are plain objects, by its name, its fields and its options. Throws if the fields
 * cannot be stored as they are.
 *
 * **When to use**
 *
 * Use for entities without methods. For instances of a class use `Class`.
 *
 * @see {@link Class} for entities that are instances of a class
 * @category constructors
 * @since 0.1.0
 */
export const make: {
  // The overload with a key is the last one, because the compiler reports the errors of the last.
  /**
   * Defines a model whose entities are plain objects, and adds the field `id`: a UUID of version 7, made for each new
   * entity.
   */
  <
    const F extends Fields,
    const I extends Indexes<WithId<F>> = {},
    const U extends Uniques<WithId<F>> = {},
    const C extends Counted<WithId<F>> = {},
    const T extends Summed<WithId<F>> = {},
    const S extends Slot<"id"> = "id",
    const L extends boolean = false
  >(
    name: string,
    fields: F & Storable<F>,
    options?: KeylessOptions & { readonly slot?: S | undefined } & IndexOptions<I, U, L, C, T>
  ):
    & Model<WithId<F>, "id", IndexingOf<I, U, S, L, C, T>>
    & IndexedBy<Schema.Struct<WithId<F>>["Type"], WithId<F>, "id", IndexingOf<I, U, S, L, C, T>>
  /**
   * Defines a model whose entities are plain objects. `key` is the field, or the tuple of fields, whose value is the
   * id. Throws if the fields cannot be stored as they are.
   */
  <
    const F extends Fields,
    const K extends Key<F>,
    const I extends Indexes<F> = {},
    const U extends Uniques<F> = {},
    const C extends Counted<F> = {},
    const T extends Summed<F> = {},
    const S extends Slot<K> = "id",
    const L extends boolean = false
  >(
    name: string,
    fields: F & Storable<F>,
    options: Options<K> & { readonly slot?: S | undefined } & IndexOptions<I, U, L, C, T> & Distinct<K>
  ): Model<F, K, IndexingOf<I, U, S, L, C, T>> & IndexedBy<Schema.Struct<F>["Type"], F, K, IndexingOf<I, U, S, L, C, T>>
} = (name: string, fields: Fields, options?: Partial<Options<any>>): any => {
  Definition.checkFields(name, fields)
  const all = options?.key === undefined ? Definition.withId(fields) : fields
  const model = Schema.Struct(all)
  const { indexed, programs } = define(name, all, options ?? {}).of(model)
  // A schema is a function, whose own name can't be assigned.
  Object.defineProperty(model, "name", { value: name, enumerable: true })
  for (const program of programNames) {
    Object.defineProperty(model, program, { value: (...args: [any, any]) => programs[program](...args) })
  }
  for (const program of indexed === undefined ? [] : Definition.indexedNames) {
    Object.defineProperty(model, program, {
      value: program === "by" ? indexed.by : (...args: ReadonlyArray<any>) => indexed[program](...args)
    })
  }
  return model
}
