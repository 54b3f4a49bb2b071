/**
 * Models: Effect Schemas whose entities live in Redis. A model has programs on whole entities, and `ref(id)` returns
 * typed, atomic operations on each field of one entity.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import type { Atomic } from "./Atomic.ts"
import type { Condition } from "./Condition.ts"
import type {
  Conflict,
  EntityCorrupted,
  EntityExists,
  EntityNotFound,
  InvalidValue,
  LockLost,
  LockTimeout
} from "./DomainError.ts"
import type * as Field from "./Field.ts"
import type { Bulk, BulkOptions, BulkStream, Source } from "./internal/model/bulk.ts"
import * as Definition from "./internal/model/definition.ts"
import type { RedisService } from "./internal/service.ts"
import type * as Lock from "./Lock.ts"
import type { EntityHandle } from "./Lock.ts"
import type { RedisServiceError } from "./RedisServiceError.ts"

export type { Bulk, BulkOptions, BulkStream, Source } from "./internal/model/bulk.ts"
export { issues, json, sortedSet, tolerant, withDefault } from "./internal/schema/storage.ts"

type Fields = Schema.Struct.Fields

/** The names of the fields that can be a key: what has a text. */
type KeyName<F extends Fields> = {
  [K in keyof F & string]: F[K]["Type"] extends string | number | Date | { readonly epochMilliseconds: number } ? K
    : never
}[keyof F & string]

/**
 * The key of a model: the name of a field, or a tuple of names.
 *
 * @category models
 * @since 0.1.0
 */
export type Key<F extends Fields> = KeyName<F> | readonly [KeyName<F>, ...Array<KeyName<F>>]

/**
 * Decides which keys are stored together. On a cluster only entities that share a slot can share a program. On one
 * server it changes nothing but the names of keys. It must never change for stored data. Default: `"id"`.
 *
 * **Details**
 *
 * - `"id"`: each entity has a slot of its own.
 * - a component of a tuple key: all entities with the same component share a slot, also across models.
 * - `{ partitions: n }`: the entities are spread over n slots.
 *
 * @category models
 * @since 0.1.0
 */
export type Slot<K> =
  | "id"
  | (K extends ReadonlyArray<infer Name extends string> ? Name : never)
  | { readonly partitions: number }

/**
 * Options of a model.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options<K> {
  /** The field, or the tuple of fields, whose value is the id. */
  readonly key: K
  readonly slot?: Slot<K> | undefined
  /** How long an entity lives. Default: for ever. */
  readonly timeToLive?: TimeToLive | undefined
}

/**
 * Options of a model with a generated id.
 *
 * @category models
 * @since 0.1.0
 */
export interface KeylessOptions extends Pick<Options<"id">, "slot" | "timeToLive"> {}

/**
 * How long an entity lives, in all its keys at once, and which operations renew that. Default of `refresh`: `"write"`.
 *
 * **Details**
 *
 * - `"write"`: every operation that changes the entity.
 * - `"access"`: every operation that reads or changes the entity, except `exists`, `ensure` and `timeToLive`.
 * - `"never"`: no operation; the entity lives this long from its insertion.
 *
 * The operation renews in the same step. It does so only if more than 1 % of the duration, at most a minute, has passed
 * since the last renewal. It never shortens what is left, and an entity that `persist` made permanent stays permanent.
 * At least 1 ms.
 *
 * @category models
 * @since 0.1.0
 */
export interface TimeToLive {
  readonly duration: Duration.Input
  readonly refresh?: "never" | "write" | "access" | undefined
}

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
  : S["Type"]

/**
 * The fields to write: nested structs merge, collections are replaced, and an optional field that is `undefined` is
 * removed.
 *
 * @category models
 * @since 0.1.0
 */
export type Patch<F extends Fields, K> = { readonly [Name in Exclude<keyof F, KeyNames<K>>]?: PatchOf<F[Name]> }

type Handles<F extends Fields, K> = { readonly [Name in Exclude<keyof F, KeyNames<K>>]: Field.Of<F[Name]> }

/**
 * The programs of a model. `Entity` is what they return, `In` what its constructor takes. Each takes one round trip,
 * unless it says otherwise. Each fails with `InvalidValue` for an id or a value that has no stored form.
 *
 * @category models
 * @since 0.1.0
 */
export interface Programs<Entity, In, F extends Fields, K> {
  /**
   * Returns the handles of one entity's fields. It reads nothing and never throws: an invalid id fails the programs
   * that use it.
   */
  ref(id: IdOf<F, K>): Handles<F, K>
  /**
   * Returns the entity. Fails with `EntityNotFound` if it is missing. O(fields + items).
   *
   * Use `find` if a missing entity is normal, and `pick` if a few fields are enough.
   */
  get(id: IdOf<F, K>): Atomic<Entity, EntityNotFound | EntityCorrupted | InvalidValue>
  /** Returns `Option.some` of the entity, or `Option.none` if it is missing. O(fields + items). */
  find(id: IdOf<F, K>): Atomic<Option.Option<Entity>, EntityCorrupted | InvalidValue>
  /** Returns whether the entity exists. It is a condition, too. O(1). */
  exists(id: IdOf<F, K>): Condition<InvalidValue>
  /**
   * Returns the named fields as a plain object, and reads no others. Fails with `EntityNotFound` if the entity is
   * missing. O(fields + items picked).
   */
  pick<const Name extends keyof F & keyof Entity & string>(
    id: IdOf<F, K>,
    names: ReadonlyArray<Name>
  ): Atomic<Pick<Entity, Name>, EntityNotFound | EntityCorrupted | InvalidValue>
  /**
   * Stores a new entity and returns it. Fails with `EntityExists` if the id is taken. Defaults and generated ids are
   * made by the first commit of this value and kept, so committing it again stores the same entity. Leftovers of an
   * earlier entity with this id are removed. O(fields + items).
   *
   * Use to create. To create or replace use `put`; to create only if missing use `getOrInsert` or `ensure`.
   */
  insert(entity: In, options?: InsertOptions): Atomic<Entity, EntityExists | InvalidValue>
  /**
   * Stores a whole entity, replacing one with the same id. What others wrote to that entity since you read it is lost.
   * O(fields + items).
   *
   * Use if you have the whole entity and no one else writes it. To change some fields use `update`; to compute from
   * what is stored use `modify`.
   */
  put(entity: In): Atomic<Entity, InvalidValue>
  /**
   * Returns the entity with this id, or stores the given one. If many callers try at once, one creates it, and all get
   * the same entity. O(fields + items).
   */
  getOrInsert(
    entity: In,
    options?: InsertOptions
  ): Atomic<{ readonly entity: Entity; readonly created: boolean }, EntityCorrupted | InvalidValue>
  /**
   * Stores the entity if its id is free. Returns true if it did. An existing entity is neither read nor renewed.
   * O(fields + items written).
   */
  ensure(entity: In, options?: InsertOptions): Atomic<boolean, InvalidValue>
  /**
   * Writes these fields and no others. Fails with `EntityNotFound` if the entity is missing. O(fields written).
   *
   * Use to set values that you know. To increment, append or compare use the handles of `ref`.
   */
  update(id: IdOf<F, K>, patch: Patch<F, K>): Atomic<void, EntityNotFound | InvalidValue>
  /**
   * Copies a stored entity to a new id. Fails with `EntityNotFound` if the first id is missing, and with `EntityExists`
   * if the second is taken. The copy lives as long as a new entity. On a cluster both ids must share a slot. O(fields +
   * items).
   */
  duplicate(id: IdOf<F, K>, newId: IdOf<F, K>): Atomic<void, EntityNotFound | EntityExists | InvalidValue>
  /** Removes the entity and its collections. Returns true if it existed. O(items), in the background. */
  delete(id: IdOf<F, K>): Atomic<boolean, InvalidValue>
  /**
   * Sets the remaining life of the entity and its collections: finite, and at least 1 ms. Fails with `EntityNotFound`.
   * O(collections).
   */
  expire(id: IdOf<F, K>, duration: Duration.Input): Atomic<void, EntityNotFound | InvalidValue>
  /** Makes the entity permanent. Fails with `EntityNotFound`. O(collections). */
  persist(id: IdOf<F, K>): Atomic<void, EntityNotFound | InvalidValue>
  /**
   * Returns the remaining life of the entity, or `Option.none` if it is permanent. Fails with `EntityNotFound`. O(1).
   */
  timeToLive(id: IdOf<F, K>): Atomic<Option.Option<Duration.Duration>, EntityNotFound | InvalidValue>
  /**
   * Reads many entities. Returns a result for each, in the order of the ids. It is not one program: each entity is read
   * by itself, `concurrency` of them at a time. It fails as a whole if the server cannot be reached or refuses.
   */
  getMany(
    ids: Iterable<IdOf<F, K>>,
    options?: BulkOptions
  ): Bulk<Entity, EntityNotFound | EntityCorrupted | InvalidValue>
  /**
   * Inserts many entities, in order. Returns a result for each. Each entity is inserted by itself. Defaults and
   * generated ids are made by the first run of this value and kept, so running it again inserts the same entities.
   */
  insertMany(entities: Iterable<In>, options?: BulkOptions & InsertOptions): Bulk<Entity, EntityExists | InvalidValue>
  /** Deletes many entities, in the order of the ids. Returns for each whether it existed. */
  deleteMany(ids: Iterable<IdOf<F, K>>, options?: BulkOptions): Bulk<boolean, InvalidValue>
  /** Reads more entities than fit in memory: a stream of a result for each id, in order. */
  getManyStream<E = never, R = never>(
    ids: Source<IdOf<F, K>, E, R>,
    options?: BulkOptions
  ): BulkStream<Entity, EntityNotFound | EntityCorrupted | InvalidValue, E, R>
  /** Inserts more entities than fit in memory. Nothing is kept, so each run makes entities of its own. */
  insertManyStream<E = never, R = never>(
    entities: Source<In, E, R>,
    options?: BulkOptions & InsertOptions
  ): BulkStream<Entity, EntityExists | InvalidValue, E, R>
  /** Deletes more entities than fit in memory. */
  deleteManyStream<E = never, R = never>(
    ids: Source<IdOf<F, K>, E, R>,
    options?: BulkOptions
  ): BulkStream<boolean, InvalidValue, E, R>
  /**
   * Reads the entity, computes a new one with `f`, and writes what changed if no one has written the entity since.
   * Otherwise it reads again and runs `f` again, under a schedule; if that gives up, it fails with `Conflict`. Returns
   * the entity as it is then. Fails with `EntityNotFound` if it is missing, and with `InvalidValue` if the result
   * breaks a check or has another id. Two round trips for each attempt, one if nothing changed. O(fields + items).
   *
   * Use for what only your code can compute. For counters and collections use operations of the handles, which never
   * conflict.
   *
   * **Gotchas**
   *
   * `f` may be an effect, and may run several times. If it fails, nothing is written. A counter that others increment
   * on the same entity makes every `modify` start again: keep it on an entity of its own.
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
    EntityNotFound | EntityCorrupted | InvalidValue | Conflict | RedisServiceError | E,
    RedisService | R | R2
  >
  /**
   * Takes a lock on the entity, reads it, runs `f`, and writes what differs in the entity that `f` returns. It writes
   * only if the lock is still held and no one has written the entity since; otherwise it fails with `LockLost` or
   * `Conflict`. `f` runs once, and is interrupted if the lock is lost. `f` may return nothing, and write by itself in
   * programs with `held.guard`. Returns what was saved. The lock is released in every case. Fails with `LockTimeout` if
   * the lock is not free within `wait`, and with `EntityNotFound`. Four round trips, three if nothing is saved.
   * O(fields + items).
   *
   * Use for work outside the server that must not happen twice at once, such as charging a card.
   */
  withLock<A extends In | void, E, R>(
    id: IdOf<F, K>,
    f: (entity: Entity, held: EntityHandle) => Effect.Effect<A, E, R>,
    options?: LockOptions
  ): Effect.Effect<
    A extends void ? void : Entity,
    | EntityNotFound
    | EntityCorrupted
    | InvalidValue
    | Conflict
    | LockLost
    | LockTimeout
    | RedisServiceError
    | E,
    RedisService | R
  >
}

/**
 * Options of `modify`.
 *
 * @category models
 * @since 0.1.0
 */
export interface ModifyOptions<R = never> {
  /**
   * When to try again; its input is the `Conflict`. Default: 20 retries within 30 seconds of the first conflict. The
   * pauses begin at 1 ms, double up to 200 ms, and each is shortened at random to between a half and the whole.
   */
  readonly schedule?: Schedule.Schedule<unknown, Conflict, never, R> | undefined
}

/**
 * Options of `withLock`.
 *
 * @category models
 * @since 0.1.0
 */
export interface LockOptions extends Lock.Options {
  /** The aspect of the entity that is locked: locks of different names do not wait for each other. Default: empty. */
  readonly name?: string | undefined
}

/**
 * Options of programs that create an entity.
 *
 * @category models
 * @since 0.1.0
 */
export interface InsertOptions {
  /** How long this entity lives at first. Default: the model's duration. Renewals always use the model's duration. */
  readonly timeToLive?: Duration.Input | undefined
}

/**
 * A model whose entities are plain objects.
 *
 * @category models
 * @since 0.1.0
 */
export interface Model<F extends Fields, K> extends
  Programs<
    Schema.Struct<F>["Type"],
    Schema.Struct<F>["~type.make.in"],
    F,
    K
  >
{
  readonly name: string
  readonly fields: F
  readonly schema: Schema.Struct<F>
}

type Construct<S extends Schema.Constraint> = S["~type.make.in"]

/**
 * A model whose entities are instances of a class.
 *
 * @category models
 * @since 0.1.0
 */
export type ModelClass<Self, F extends Fields, K, Inherited = {}> =
  & Schema.Class<Self, Schema.Struct<F>, Inherited>
  & Programs<Self, Construct<Schema.Struct<F>>, F, K>

/**
 * Any model, for code that is generic over models.
 *
 * @category utility types
 * @since 0.1.0
 */
export interface Any extends Programs<any, any, any, any> {}

/**
 * The id of a model.
 *
 * @category utility types
 * @since 0.1.0
 */
export type Id<M extends Any> = Parameters<M["get"]>[0]

/**
 * The handles of a model's fields: what `ref` returns.
 *
 * @category utility types
 * @since 0.1.0
 */
export type Ref<M extends Any> = ReturnType<M["ref"]>

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
 * Defines a model as a class. Its entities are instances, with your getters and methods.
 *
 * **When to use**
 *
 * Use by default. For entities that are plain objects use `make`.
 *
 * **Details**
 *
 * The name is part of every key. A second definition with the same name replaces the first if both store the same, and
 * throws otherwise.
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
  <const F extends Fields, const K extends Key<F>>(
    fields: F,
    options: Options<K>
  ): [Self] extends [never] ? MissingSelfGeneric : ModelClass<Self, F, K>
  <const F extends Fields>(
    fields: F,
    options?: KeylessOptions
  ): [Self] extends [never] ? MissingSelfGeneric : ModelClass<Self, WithId<F>, "id">
} =>
(fields: Fields, options: Partial<Options<any>> = {}): any => {
  const all = options.key === undefined ? Definition.withId(fields) : fields
  return withPrograms(Schema.Class<any>(name)(all), name, options)
}

type AnyPrograms = Programs<any, any, any, any>

/** Each program, as `EntityPrograms` implements it. The compiler checks that no program is missing, and that none is extra. */
type Implementation = {
  readonly [Name in keyof AnyPrograms]: (...args: Parameters<AnyPrograms[Name]>) => unknown
}

const programNames: ReadonlyArray<keyof AnyPrograms> = Definition.programNames

const define: (name: string, fields: Fields, options: Partial<Options<any>>) => (schema: any) => Implementation =
  Definition.define

const optionsOf = Symbol("~redlayer/options")

/** The schema of a class belongs to the class that extends it, and is not made before that is first used. */
const withPrograms = (Base: any, name: string, options: Partial<Options<any>>): any => {
  class Model extends Base {}
  const programs = define(name, Base.fields, options)
  for (const program of programNames) {
    Object.defineProperty(Model, program, {
      configurable: true,
      value(this: unknown, ...args: [any, any]) {
        return programs(this)[program](...args)
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

type KeyOf<M> = M extends Programs<any, any, any, infer K> ? K : never

/**
 * Defines a model with the fields, getters and methods of another model, and more fields. Its entities are stored under
 * its own name. Key, slot and time to live are those of the base, unless `options` set them.
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
  <const F extends Fields>(
    fields: F,
    options?: Partial<Options<KeyOf<Base>>>
  ): [Self] extends [never] ? MissingExtendGenerics
    : ModelClass<Self, Merged<Base["fields"], F>, KeyOf<Base>, InstanceType<Base>>
} =>
(fields: Fields, options: Partial<Options<any>> = {}): any =>
  withPrograms((base as any).extend(name)(fields), name, { ...(base as any)[optionsOf], ...options })

type MissingExtendGenerics =
  "Missing generics - use `class Self extends Model.extend<Self, typeof Base>(Base, name)(fields)`"

/**
 * Defines a model whose entities are plain objects.
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
  /** Defines a model whose entities are plain objects. */
  <const F extends Fields, const K extends Key<F>>(name: string, fields: F, options: Options<K>): Model<F, K>
  /** Defines a model whose entities are plain objects. */
  <const F extends Fields>(name: string, fields: F, options?: KeylessOptions): Model<WithId<F>, "id">
} = (name: string, fields: Fields, options?: Partial<Options<any>>): any => {
  const all = options?.key === undefined ? Definition.withId(fields) : fields
  const schema = Schema.Struct(all)
  const programs = define(name, all, options ?? {})(schema)
  const model = Object.assign(Object.create(null), { name, fields: all, schema })
  for (const program of programNames) {
    model[program] = (...args: [any, any]) => programs[program](...args)
  }
  return model
}
