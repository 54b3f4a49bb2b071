/**
 * Models: Effect Schemas whose entities live in Redis. A model has programs on whole entities, and by `ref` typed, atomic
 * operations on each field of one.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type * as Result from "effect/Result"
import type * as Schedule from "effect/Schedule"
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
  LockTimeout
} from "./DomainError.ts"
import type * as Field from "./Field.ts"
import * as Internal from "./internal/model/entityPrograms.ts"
import { defaultAnnotation, jsonAnnotation, sortedSetAnnotation, tolerantAnnotation } from "./internal/schema/plan.ts"
import { issuesOf } from "./internal/schema/tolerated.ts"
import type { RedisService } from "./internal/service.ts"
import type * as Lock from "./Lock.ts"
import type { EntityHandle } from "./Lock.ts"
import type { RedisServiceError } from "./RedisServiceError.ts"

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
 * Where the entities of a model live. It never changes for stored data, and on one server it only changes the names of keys;
 * on a cluster, what shares a slot can share a program.
 *
 * **Details**
 *
 * - `"id"`, unless said otherwise: each entity has its own slot.
 * - a component of a tuple key: everything of it together, also across models.
 * - `{ partitions: n }`: entities spread over that many slots.
 *
 * @category models
 * @since 0.1.0
 */
export type Slot<K> =
  | "id"
  | (K extends ReadonlyArray<infer Name extends string> ? Name : never)
  | { readonly partitions: number }

/**
 * @category models
 * @since 0.1.0
 */
export interface Options<K> {
  /** The field, or the tuple of fields, whose value is the id. */
  readonly key: K
  readonly slot?: Slot<K> | undefined
  /** How long an entity lives; for ever unless said otherwise. */
  readonly timeToLive?: TimeToLive | undefined
}

/**
 * How long an entity lives, in all its keys at once, and what renews it.
 *
 * **Details**
 *
 * - `"write"`, unless said otherwise: whatever changes the entity.
 * - `"access"`: whatever reads or changes it, but `exists`, `ensure` and `timeToLive`.
 * - `"never"`: nothing; it lives this long from its insertion.
 *
 * A renewal is part of the operation, in the same step. It happens when more than 1 % of the duration, at most a minute, has
 * passed since the last one; it never shortens what is left, and an entity that was made to stay by `persist` stays. At least
 * 1 ms.
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
 * The fields to write: nested structs merge, collections are replaced, and an optional field that is `undefined` goes.
 *
 * @category models
 * @since 0.1.0
 */
export type Patch<F extends Fields, K> = { readonly [Name in Exclude<keyof F, KeyNames<K>>]?: PatchOf<F[Name]> }

type Handles<F extends Fields, K> = { readonly [Name in Exclude<keyof F, KeyNames<K>>]: Field.Of<F[Name]> }

/**
 * The programs of a model. `Entity` is what they give, `In` what its constructor takes. Each takes one round trip, and each
 * fails with `InvalidValue` for an id, or a value, that has no stored form.
 *
 * @category models
 * @since 0.1.0
 */
export interface Programs<Entity, In, F extends Fields, K> {
  /** The handles of one entity's fields. It reads nothing, and never throws. */
  ref(id: IdOf<F, K>): Handles<F, K>
  /** The entity; `EntityNotFound` where there is none. O(fields + items). */
  get(id: IdOf<F, K>): Atomic<Entity, EntityNotFound | EntityCorrupted | InvalidValue>
  /** The entity, if there is one. O(fields + items). */
  find(id: IdOf<F, K>): Atomic<Option.Option<Entity>, EntityCorrupted | InvalidValue>
  /** Whether there is such an entity. O(1). */
  exists(id: IdOf<F, K>): Condition<InvalidValue>
  /**
   * Some fields of the entity, and no others, as a plain object; `EntityNotFound` where there is none. O(fields + items
   * picked).
   */
  pick<const Name extends keyof F & keyof Entity & string>(
    id: IdOf<F, K>,
    names: ReadonlyArray<Name>
  ): Atomic<Pick<Entity, Name>, EntityNotFound | EntityCorrupted | InvalidValue>
  /**
   * Stores a new entity, and gives it; `EntityExists` where there is one of this id. Defaults and generated ids are made by
   * the first commit of this value, and kept: committed again, it is the same entity. What an earlier entity of the id may
   * have left behind is cleared.
   */
  insert(entity: In, options?: InsertOptions): Atomic<Entity, EntityExists | InvalidValue>
  /** Stores a whole entity, in place of the one of this id if there is one. What others wrote to that is gone. */
  put(entity: In): Atomic<Entity, InvalidValue>
  /**
   * The entity of this id, or the given one, which is then stored: of many who try at once, one creates it, and all have the
   * same.
   */
  getOrInsert(
    entity: In,
    options?: InsertOptions
  ): Atomic<{ readonly entity: Entity; readonly created: boolean }, EntityCorrupted | InvalidValue>
  /** Stores an entity where there is none of its id: true when it did. One that exists is neither read nor renewed. */
  ensure(entity: In, options?: InsertOptions): Atomic<boolean, InvalidValue>
  /** Writes these fields and no other. O(fields written). */
  update(id: IdOf<F, K>, patch: Patch<F, K>): Atomic<void, EntityNotFound | InvalidValue>
  /**
   * Copies what is stored to a new id: `EntityNotFound` without the first, `EntityExists` with the second. The copy lives as
   * long as a new entity. On a cluster both must share a slot. O(fields + items).
   */
  duplicate(id: IdOf<F, K>, newId: IdOf<F, K>): Atomic<void, EntityNotFound | EntityExists | InvalidValue>
  /** Removes the entity with its collections: true where there was one. */
  delete(id: IdOf<F, K>): Atomic<boolean, InvalidValue>
  /** Lets the entity, with its collections, live this long from now: finite, and at least 1 ms. O(collections). */
  expire(id: IdOf<F, K>, duration: Duration.Input): Atomic<void, EntityNotFound | InvalidValue>
  /** Lets the entity live for ever. O(collections). */
  persist(id: IdOf<F, K>): Atomic<void, EntityNotFound | InvalidValue>
  /** How long the entity still lives; none where it is for ever. */
  timeToLive(id: IdOf<F, K>): Atomic<Option.Option<Duration.Duration>, EntityNotFound | InvalidValue>
  /**
   * Reads many entities, in the order of their ids: each is there, or says why not. Not one program: each is read by itself,
   * `concurrency` of them at a time. A server that can't be reached, or refuses, fails the whole.
   */
  getMany(
    ids: Iterable<IdOf<F, K>>,
    options?: BulkOptions
  ): Bulk<Entity, EntityNotFound | EntityCorrupted | InvalidValue>
  /**
   * Inserts many entities, in order: each is stored, or says why not. Each is inserted by itself. Defaults and generated ids
   * are made by the first run of this value, and kept as long as it: run again, it is the same entities.
   */
  insertMany(entities: Iterable<In>, options?: BulkOptions & InsertOptions): Bulk<Entity, EntityExists | InvalidValue>
  /** Deletes many entities, in the order of their ids: each says whether it was there. */
  deleteMany(ids: Iterable<IdOf<F, K>>, options?: BulkOptions): Bulk<boolean, InvalidValue>
  /** As `getMany`, for more than fits in memory: a result for each id, in order, as they come. */
  getManyStream<E = never, R = never>(
    ids: Source<IdOf<F, K>, E, R>,
    options?: BulkOptions
  ): BulkStream<Entity, EntityNotFound | EntityCorrupted | InvalidValue, E, R>
  /** As `insertMany`, for more than fits in memory: nothing is kept, and each run makes entities of its own. */
  insertManyStream<E = never, R = never>(
    entities: Source<In, E, R>,
    options?: BulkOptions & InsertOptions
  ): BulkStream<Entity, EntityExists | InvalidValue, E, R>
  /** As `deleteMany`, for more than fits in memory. */
  deleteManyStream<E = never, R = never>(
    ids: Source<IdOf<F, K>, E, R>,
    options?: BulkOptions
  ): BulkStream<boolean, InvalidValue, E, R>
  /**
   * Reads the entity, computes what it becomes, and writes what changed, if nobody has written it since: `EntityNotFound` where
   * there is none, and `InvalidValue` where the result breaks a check, or has another id. Otherwise it begins again, and `f`
   * with it, under a schedule; when that gives up it fails with `Conflict`. Gives the entity as it is then. Two round trips
   * for each attempt; one where nothing changed. O(fields + items).
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
   *   Note.modify("n", (note) => {
   *     const words = [...note.text.split(" "), word].filter((word) => word !== "")
   *     return { ...note, text: words.join(" "), words: words.length }
   *   })
   *
   * const program = Effect.gen(function*() {
   *   yield* Note.insert({ id: "n", text: "", words: 0 })
   *   // one of them begins again
   *   yield* Effect.all([add("hello"), add("world")], { concurrency: "unbounded" })
   *   return yield* Note.ref("n").words.get()
   * })
   *
   * await Effect.runPromise(program.pipe(Effect.provide(RedisService.layerMemory))) // => 2
   * ```
   *
   * **Gotchas**
   *
   * What is only counted belongs to an operation, such as `increment`, on an entity of its own: that never conflicts, but on
   * this entity each time it makes what is computed here begin again.
   *
   * `f` may be an effect, and may run several times. If it fails, nothing is written.
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
   * Takes a lock on the entity, reads it, and runs `f`; then writes what is different in the entity that `f` gives, if the lock
   * is still held and nobody has written the entity since: `LockLost` or `Conflict` otherwise, and nothing is written. `f` runs
   * once, and is interrupted when the lock is lost. It may give nothing, and write by itself, in programs with `held.guard`.
   * Gives what was saved. The lock is given back however it ends. `LockTimeout` where it was not free within `wait`,
   * `EntityNotFound` where there is no entity. Four round trips, and three where nothing is saved; O(fields + items).
   *
   * **Example** (What must not happen twice)
   *
   * ```ts run
   * import { Effect, Schema } from "effect"
   * import { Model, RedisService } from "redlayer"
   *
   * const Order = Model.make("Order", { id: Schema.String, receipt: Schema.String }, { key: "id" })
   *
   * let charged = 0
   * const charge = Effect.sync(() => `receipt ${++charged}`)
   *
   * const pay = Order.withLock("o", (order) =>
   *   order.receipt === "" ? Effect.map(charge, (receipt) => ({ ...order, receipt })) : Effect.succeed(order))
   *
   * const program = Effect.gen(function*() {
   *   yield* Order.insert({ id: "o", receipt: "" })
   *   const both = yield* Effect.all([pay, pay], { concurrency: "unbounded" })
   *   return both.map(({ receipt }) => receipt)
   * })
   *
   * await Effect.runPromise(program.pipe(Effect.provide(RedisService.layerMemory))) // => ["receipt 1", "receipt 1"]
   * ```
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
 * @category models
 * @since 0.1.0
 */
export interface ModifyOptions<R = never> {
  /**
   * When, and how often, it is tried again: 20 times unless said otherwise, for at most 30 seconds after the first conflict;
   * after 1 ms, and then twice as long each time, up to 200 ms; each pause is shortened by chance to between a half and the whole. Its input is the `Conflict`.
   */
  readonly schedule?: Schedule.Schedule<unknown, Conflict, never, R> | undefined
}

/**
 * @category models
 * @since 0.1.0
 */
export interface LockOptions extends Lock.Options {
  /** What about the entity is locked: locks of other names don't wait for each other. Empty unless said otherwise. */
  readonly name?: string | undefined
}

/**
 * @category models
 * @since 0.1.0
 */
export interface InsertOptions {
  /** How long this entity lives, in place of what its model says. What renews it, renews it by the model's. */
  readonly timeToLive?: Duration.Input | undefined
}

/**
 * @category models
 * @since 0.1.0
 */
export interface BulkOptions {
  /** How many entities are in flight at a time: 1,024 unless said otherwise. */
  readonly concurrency?: number | undefined
  /**
   * Told how many are done, after each group: half of `concurrency` at most, fewer where a stream has no more for now. What
   * it returns is run before the results of the group are given.
   */
  readonly onProgress?: ((done: number) => Effect.Effect<void>) | undefined
}

/**
 * A result for each. One of its own is also a `RedisServiceError` that is about it alone: `WrongType`, `CrossSlot`, or a
 * `ScriptFailed` that was undone. Every other reason is about the server, or the way there, and fails the whole.
 *
 * @category models
 * @since 0.1.0
 */
export type Bulk<A, E> = Effect.Effect<
  ReadonlyArray<Result.Result<A, E | RedisServiceError>>,
  RedisServiceError,
  RedisService
>

/**
 * A result for each, as they come: nothing waits for more of the source than is there. Failures are as those of `Bulk`.
 *
 * @category models
 * @since 0.1.0
 */
export type BulkStream<A, E, E2, R> = Stream.Stream<
  Result.Result<A, E | RedisServiceError>,
  RedisServiceError | E2,
  RedisService | R
>

/**
 * @category models
 * @since 0.1.0
 */
export type Source<A, E, R> = Iterable<A> | Stream.Stream<A, E, R>

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
 * The handles of a model's fields.
 *
 * @category utility types
 * @since 0.1.0
 */
export type Ref<M extends Any> = ReturnType<M["ref"]>

type MissingSelfGeneric = "Missing `Self` generic - use `class Self extends Model.Class<Self>(name)(fields, options)`"

/**
 * The field that a model without a key of its own gets: a UUID of version 7, made for each new entity.
 *
 * @category schemas
 * @since 0.1.0
 */
export interface GeneratedId extends Schema.withConstructorDefault<Schema.String> {}

type WithId<F extends Fields> = { readonly [Name in keyof F | "id"]: Name extends keyof F ? F[Name] : GeneratedId }

/**
 * Defines a model as a class.
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
 * **Details**
 *
 * The name is part of every key. A second definition of a name replaces the first where the two store the same, and throws
 * where they don't.
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
    options?: Omit<Options<"id">, "key">
  ): [Self] extends [never] ? MissingSelfGeneric : ModelClass<Self, WithId<F>, "id">
} =>
(fields: Fields, options: Partial<Options<any>> = {}): any => {
  const all = options.key === undefined ? Internal.withId(fields) : fields
  return withPrograms(Schema.Class<any>(name)(all), name, options)
}

const optionsOf = Symbol("~redlayer/options")

/** The schema of a class belongs to the class that extends it, and is not made before that is first used. */
const withPrograms = (Base: any, name: string, options: Partial<Options<any>>): any => {
  class Model extends Base {}
  const entities = Internal.lazyEntities(name, Base.fields, options)
  for (const program of Internal.programNames) {
    Object.defineProperty(Model, program, {
      configurable: true,
      value(this: unknown, ...args: ReadonlyArray<never>) {
        return (entities(this)[program] as (...args: ReadonlyArray<never>) => unknown)(...args)
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
 * Defines a model that has the fields, the getters and the methods of another, and more fields. It is a model of its own:
 * its entities are stored under its own name. Its key, its slot and its time to live are those of the first, unless `options`
 * say otherwise.
 *
 * **Example** (An administrator is a user, stored apart)
 *
 * ```ts run
 * import { Effect, Schema } from "effect"
 * import { Model, RedisService } from "redlayer"
 *
 * class User extends Model.Class<User>("User")({ name: Schema.String, logins: Schema.Int }, { key: "name" }) {
 *   get greeting() {
 *     return `Hello, ${this.name}`
 *   }
 * }
 *
 * class Admin extends Model.extend<Admin, typeof User>(User, "Admin")({ level: Schema.Int }) {}
 *
 * const program = Effect.gen(function*() {
 *   yield* Admin.insert({ name: "alice", logins: 0, level: 3 })
 *   yield* Admin.ref("alice").logins.increment()
 *   const { greeting, level, logins } = yield* Admin.get("alice")
 *   return [greeting, level, logins, yield* User.exists("alice")]
 * })
 *
 * await Effect.runPromise(program.pipe(Effect.provide(RedisService.layerMemory))) // => ["Hello, alice", 3, 1, false]
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
 * @see {@link Class} for entities that are instances of a class
 * @category constructors
 * @since 0.1.0
 */
export const make: {
  <const F extends Fields, const K extends Key<F>>(name: string, fields: F, options: Options<K>): Model<F, K>
  <const F extends Fields>(name: string, fields: F, options?: Omit<Options<"id">, "key">): Model<WithId<F>, "id">
} = (name: string, fields: Fields, options?: Partial<Options<any>>): any => {
  const all = options?.key === undefined ? Internal.withId(fields) : fields
  const schema = Schema.Struct(all)
  const entities = Internal.lazyEntities(name, all, options ?? {})(schema)
  return Object.assign(Object.create(null), entities, { name, fields: all, schema })
}

/**
 * Gives a field a default: a new entity without it has this value, and so has, also on the server, an entity that was stored
 * before the field existed. A collection reads as empty then.
 *
 * @category fields
 * @since 0.1.0
 */
export const withDefault = <const A>(value: A) =>
<S extends Schema.Constraint & Schema.WithoutConstructorDefault>(
  self: S & (A extends S["~type.make.in"] ? unknown : "The default is not a value of the field")
): Schema.withConstructorDefault<S> =>
  Schema.withConstructorDefault(Effect.succeed(value) as any)(self as any).pipe(
    (schema: any) => schema.annotateKey({ [defaultAnnotation]: { value } })
  ) as any

/**
 * A schema whose values are stored as one JSON text. Its mark is on the `ast`, the one part of a type that every combinator
 * of Schema hands on.
 *
 * @category fields
 * @since 0.1.0
 */
export interface json<S extends Schema.Constraint> extends
  Schema.BottomLazy<
    S["ast"] & { readonly "~redlayer/json": true },
    json<S>,
    S["~type.parameters"],
    S["~type.mutability"],
    S["~type.optionality"],
    S["~type.constructor.default"],
    S["~encoded.mutability"],
    S["~encoded.optionality"]
  >
{
  readonly "Type": S["Type"]
  readonly "Encoded": S["Encoded"]
  readonly "DecodingServices": S["DecodingServices"]
  readonly "EncodingServices": S["EncodingServices"]
  readonly "~type.make.in": S["~type.make.in"]
  readonly "~type.make": S["~type.make"]
  readonly "Iso": S["Iso"]
}

/**
 * Stores a field as one JSON text, read and replaced as a whole, whatever its type.
 *
 * @category fields
 * @since 0.1.0
 */
export const json = <S extends Schema.Top>(self: S): json<S> =>
  self.annotateKey({ [jsonAnnotation]: true } as any) as any

/**
 * A schema of members with scores, stored as a sorted set. Its mark is on the `ast`, as that of `json`.
 *
 * @category fields
 * @since 0.1.0
 */
export interface sortedSet<A extends Schema.Constraint> extends
  Schema.BottomLazy<
    Schema.$Array<Schema.Struct<{ readonly member: A; readonly score: Schema.Number }>>["ast"] & {
      readonly "~redlayer/sortedSet": true
    },
    sortedSet<A>
  >
{
  readonly "Type": ReadonlyArray<Field.Scored<A["Type"]>>
  readonly "Encoded": ReadonlyArray<{ readonly member: A["Encoded"]; readonly score: number }>
  readonly "DecodingServices": A["DecodingServices"]
  readonly "EncodingServices": A["EncodingServices"]
  readonly "~type.make.in": ReadonlyArray<Field.Scored<A["Type"]>>
  readonly "~type.make": ReadonlyArray<Field.Scored<A["Type"]>>
  readonly "Iso": ReadonlyArray<Field.Scored<A["Iso"]>>
}

/**
 * A sorted set: each member once, with a score. As a value it is an array of members and scores, the lowest first. Scores are
 * numbers but not `NaN`, and may be infinite.
 *
 * @see `Field.SortedSet` for what it can do
 * @category fields
 * @since 0.1.0
 */
export const sortedSet = <A extends Schema.Top>(member: A): sortedSet<A> =>
  Schema.Array(Schema.Struct({ member, score: Schema.Number })).annotateKey(
    { [sortedSetAnnotation]: true } as any
  ) as any

/**
 * Lets an entity be read though this field can't be: it reads as its default then, or as absent, or empty. That is logged as
 * a warning, and listed by `issues`. Operations on the field itself still fail.
 *
 * **Example** (A field whose stored form has changed)
 *
 * ```ts run
 * import { Effect, Schema } from "effect"
 * import { Model, RedisService } from "redlayer"
 *
 * const Theme = Schema.Literals(["light", "dark"])
 * const Profile = Model.make("Profile", {
 *   user: Schema.String,
 *   theme: Theme.pipe(Model.withDefault("light"), Model.tolerant)
 * }, { key: "user" })
 *
 * const program = Effect.gen(function*() {
 *   const profile = yield* Profile.insert({ user: "alice" })
 *   return [profile.theme, Model.issues(profile)]
 * })
 *
 * await Effect.runPromise(program.pipe(Effect.provide(RedisService.layerMemory))) // => ["light", []]
 * ```
 *
 * @category fields
 * @since 0.1.0
 */
export const tolerant = <S extends Schema.Top>(self: S): S =>
  self.annotateKey({ [tolerantAnnotation]: true } as any) as any

/**
 * What was unreadable in an entity when it was read, and tolerated.
 *
 * @category getters
 * @since 0.1.0
 */
export const issues = (entity: object): ReadonlyArray<{ readonly field: string; readonly issue: string }> =>
  issuesOf(entity).map(({ field, issue }) => ({ field, issue }))
