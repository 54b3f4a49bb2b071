/**
 * Models: Effect Schemas whose entities live in Redis. A model has programs on whole entities, and `ref(id)` returns
 * typed, atomic operations on each field of one entity.
 *
 * @stability unstable
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import type * as Field from "./Field.ts"
import * as Definition from "./internal/model/definition.ts"
import type { IndexedBy, Violation } from "./internal/model/indexedTypes.ts"
import type {
  Counted,
  Indexes,
  Indexing,
  IndexOptions,
  NoIndexing,
  Summed,
  UniqueField,
  Uniques
} from "./internal/model/indexTypes.ts"
import type { Key, KeylessOptions, Options, ReadOptions, Slot, Storable } from "./internal/model/options.ts"
import type { Programs } from "./internal/model/programTypes.ts"

export type { Bulk, BulkOptions, BulkStream, Source } from "./internal/model/bulk.ts"
export type {
  Indexed,
  IndexProblem,
  Live,
  QueryTarget,
  RankOptions,
  ReindexProgress
} from "./internal/model/indexedTypes.ts"
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
export type { ModifyFailure, Patch, Programs } from "./internal/model/programTypes.ts"
export type { Many } from "./internal/program/many.ts"
export type { Marked } from "./internal/schema/storage.ts"
export { indexed, issues, json, sortedSet, tolerant, unique, withDefault } from "./internal/schema/storage.ts"
export { Version } from "./internal/schema/version.ts"

type Fields = Schema.Struct.Fields

/**
 * A model whose entities are plain objects. It is also the schema of an entity, as `Schema.Struct` makes it: `Type` is the
 * type of an entity, `make` makes one, and it can be a field of another schema.
 *
 * @stability unstable
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
 * @stability unstable
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
 * @stability unstable
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
 * @stability unstable
 * @category utility types
 * @since 0.1.0
 */
export type Id<M extends Any> = Parameters<M["get"]>[0]

/**
 * The reference of an entity: the handles of its fields, as `ref` returns them. Without an argument it is the reference
 * of an entity of any model.
 *
 * @stability unstable
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
 * @stability unstable
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
 * @stability unstable
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
 * @stability unstable
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
 * @stability unstable
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
