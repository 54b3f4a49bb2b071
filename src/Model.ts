/**
 * Models: Effect Schemas whose entities live in Redis. A model has programs on whole entities, and by `ref` typed, atomic
 * operations on each field of one.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { Atomic } from "./Atomic.ts"
import type { EntityCorrupted, EntityExists, EntityNotFound, InvalidValue } from "./DomainError.ts"
import type * as Field from "./Field.ts"
import * as Internal from "./internal/program/entity.ts"
import { defaultAnnotation, jsonAnnotation } from "./internal/schema/plan.ts"

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
  exists(id: IdOf<F, K>): Atomic<boolean, InvalidValue>
  /**
   * Stores a new entity, and gives it; `EntityExists` where there is one of this id. Defaults and generated ids are made by
   * the first commit of this value, and kept: committed again, it is the same entity.
   */
  insert(entity: In): Atomic<Entity, EntityExists | InvalidValue>
  /** Stores a whole entity, in place of the one of this id if there is one. What others wrote to that is gone. */
  put(entity: In): Atomic<Entity, InvalidValue>
  /** Writes these fields and no other. O(fields written). */
  update(id: IdOf<F, K>, patch: Patch<F, K>): Atomic<void, EntityNotFound | InvalidValue>
  /** Removes the entity with its collections: true where there was one. */
  delete(id: IdOf<F, K>): Atomic<boolean, InvalidValue>
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
export type ModelClass<Self, F extends Fields, K> =
  & Schema.Class<Self, Schema.Struct<F>, {}>
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
(fields: Fields, options?: Partial<Options<any>>): any => {
  const all = options?.key === undefined ? Internal.withId(fields) : fields
  const Base = Schema.Class<any>(name)(all) as unknown as new(...args: Array<any>) => object
  // the schema of a class belongs to the class that extends this one, and is not made before that is first used
  const entities = Internal.lazyEntities(name, all, options)
  return class extends Base {
    static ref(id: unknown) {
      return entities(this).ref(id)
    }
    static get(id: unknown) {
      return entities(this).get(id)
    }
    static find(id: unknown) {
      return entities(this).find(id)
    }
    static exists(id: unknown) {
      return entities(this).exists(id)
    }
    static insert(entity: unknown) {
      return entities(this).insert(entity)
    }
    static put(entity: unknown) {
      return entities(this).put(entity)
    }
    static update(id: unknown, patch: unknown) {
      return entities(this).update(id, patch)
    }
    static delete(id: unknown) {
      return entities(this).delete(id)
    }
  }
}

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
  const entities = Internal.lazyEntities(name, all, options)(schema)
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
