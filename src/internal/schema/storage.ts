/**
 * The combinators that decide how a field is stored. `Model` exports them. Each adds an annotation, which `plan.ts` reads.
 */
import * as Effect from "effect/Effect"
import type * as HashMap from "effect/HashMap"
import type * as HashSet from "effect/HashSet"
import * as Schema from "effect/Schema"
import { Problem } from "../text/problem.ts"
import { isImmutable } from "./immutable.ts"
import { json as encodeJson } from "./json.ts"
import {
  defaultAnnotation,
  indexedAnnotation,
  jsonAnnotation,
  sortedSetAnnotation,
  tolerantAnnotation
} from "./plan.ts"
import { checkSchema } from "./storable.ts"
import { issuesOf } from "./tolerated.ts"

/**
 * Sets the default of a field. A new entity without the field is created with the default. An entity that was stored before
 * the field existed reads as if it had the default, on the server too. The default of a collection is used only for new
 * entities, because a missing collection reads as empty.
 *
 * **When to use**
 *
 * Use to add a required field to a model whose entities are stored already, and to leave a field out of `insert`.
 *
 * @stability unstable
 * @category fields
 * @since 0.1.0
 */
export const withDefault = <const A>(value: A) =>
<S extends Schema.Constraint & Schema.WithoutConstructorDefault>(
  self: S & (A extends S["~type.make.in"] ? unknown : "The default is not a value of the field")
): Schema.withConstructorDefault<S> => {
  checkSchema("Model.withDefault", self, true)
  return Schema.withConstructorDefault(defaultOf(value, self) as any)(self as any).pipe(
    (schema: any) => schema.annotateKey({ [defaultAnnotation]: { value } })
  ) as any
}

/** Makes the default anew for each entity, unless nobody can change it. */
const defaultOf = (value: unknown, schema: Schema.Constraint): Effect.Effect<unknown> => {
  if (isImmutable(value)) return Effect.succeed(value)
  const codec = encodeJson(schema)
  let text: string | Problem | undefined
  return Effect.sync(() => {
    text ??= codec.encode(value)
    return text instanceof Problem ? value : codec.decode(text)
  })
}

/**
 * A schema whose values are stored as one JSON text. The type of the `ast` is marked, because every combinator of Schema
 * keeps that part of the type.
 *
 * @stability unstable
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
 * Stores a field of any type as one JSON text, which is read and replaced as a whole.
 *
 * **When to use**
 *
 * Use for small values that you never change in part. Without `json`, a list, set or map has operations on its items.
 *
 * @stability unstable
 * @category fields
 * @since 0.1.0
 */
export const json = <S extends Schema.Top>(self: S): json<S> => {
  checkSchema("Model.json", self, true)
  return self.annotateKey({ [jsonAnnotation]: true } as any) as any
}

/**
 * A schema of members with scores, stored as a sorted set. The type of the `ast` is marked, as that of `json` is.
 *
 * @stability unstable
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
  readonly "Type": ReadonlyArray<{ readonly member: A["Type"]; readonly score: number }>
  readonly "Encoded": ReadonlyArray<{ readonly member: A["Encoded"]; readonly score: number }>
  readonly "DecodingServices": A["DecodingServices"]
  readonly "EncodingServices": A["EncodingServices"]
  readonly "~type.make.in": ReadonlyArray<{ readonly member: A["Type"]; readonly score: number }>
  readonly "~type.make": ReadonlyArray<{ readonly member: A["Type"]; readonly score: number }>
  readonly "Iso": ReadonlyArray<{ readonly member: A["Iso"]; readonly score: number }>
}

/**
 * Makes the schema of a sorted set: each member once, with a score. Its value is an array of members and scores, the lowest
 * score first. A score is any number except `NaN`, and may be infinite.
 *
 * **When to use**
 *
 * Use for rankings and due queues. For members without a score use `Schema.ReadonlySet`, for items in their order of
 * insertion `Schema.Array`, for values by name `Schema.Record`.
 *
 * @see `Field.SortedSet` for its operations
 * @stability unstable
 * @category fields
 * @since 0.1.0
 */
export const sortedSet = <A extends Schema.Top>(member: A): sortedSet<A> => {
  checkSchema("Model.sortedSet", member)
  return Schema.Array(Schema.Struct({ member, score: Schema.Number })).annotateKey(
    { [sortedSetAnnotation]: true } as any
  ) as any
}

/** Whether a field has a value that no rule can replace: it is required, has no default, and can't be empty. */
type NeedsDefault<S extends Schema.Constraint> = S extends { readonly "~type.optionality": "optional" } ? false
  : S extends { readonly "~type.constructor.default": "with-default" } ? false
  : [Schema.Json] extends [S["Type"]] ? true
  : undefined extends S["Type"] ? false
  : null extends S["Type"] ? null extends S["Encoded"] ? false : true
  : S["Type"] extends readonly [any, ...Array<any>] | readonly [] ? true
  : S["Type"] extends
    ReadonlyArray<any> | ReadonlySet<any> | ReadonlyMap<any, any> | HashMap.HashMap<any, any> | HashSet.HashSet<any>
    ? false
  : S["Type"] extends { readonly [x: string]: any } ? string extends keyof S["Type"] ? false : true
  : true

/**
 * Keeps an entity readable even if this field cannot be decoded. The field then reads as its default, as missing, or as
 * empty; a warning is logged, and `issues` lists the field. Operations on the field itself still fail.
 *
 * **When to use**
 *
 * Use while the stored form of a field changes.
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
 * @stability unstable
 * @category fields
 * @since 0.1.0
 */
export const tolerant = <S extends Schema.Top>(
  self: S & (NeedsDefault<S> extends true ? "A tolerant field that is required needs Model.withDefault first" : unknown)
): S => {
  checkSchema("Model.tolerant", self, true)
  return self.annotateKey({ [tolerantAnnotation]: true } as any) as any
}

/**
 * A schema of a field with marks, which are in the type of the `ast`, because every combinator of Schema keeps that part of
 * the type.
 *
 * @stability unstable
 * @category fields
 * @since 0.1.0
 */
export interface Marked<S extends Schema.Constraint, Marks> extends
  Schema.BottomLazy<
    S["ast"] & Marks,
    Marked<S, Marks>,
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
 * Gives a field an index of its own, of the field's name: entities are ranked by it, counted between values, and found in its order. The
 * field has one value: a text, a literal, a number, a `bigint`, a boolean, a date or a duration. An entity without it has no entry, and
 * `NaN` is refused. Each write that changes the field also costs O(log(entries)), and no round trip. An entry of a number or a date takes
 * about 100 bytes and the id, one of another kind more than twice that.
 *
 * **When to use**
 *
 * Use for scores, and for lists of all entities in the order of one field. For the entities of one author, user or league in an order use
 * the option `indexes`.
 *
 * **Example** (A leaderboard)
 *
 * ```ts run
 * import { Effect, Option, Schema } from "effect"
 * import { Model, RedisService } from "redlayer"
 *
 * const Player = Model.make("Player", { name: Schema.String, score: Schema.Int.pipe(Model.indexed) }, { key: "name" })
 *
 * const program = Effect.gen(function*() {
 *   yield* Player.insertMany([{ name: "ann", score: 7 }, { name: "bob", score: 9 }])
 *   const top = yield* Player.top("score", 10)
 *   return [top.map(({ name }) => name), yield* Player.rank("ann", "score")]
 * })
 *
 * await Effect.runPromise(program.pipe(Effect.provide(RedisService.layerMemory))) // => [["bob", "ann"], Option.some(2)]
 * ```
 *
 * @stability unstable
 * @category fields
 * @since 0.1.0
 */
export const indexed = <S extends Schema.Top>(self: S): Marked<S, { readonly "~redlayer/indexed": true }> => {
  checkSchema("Model.indexed", self, true)
  return self.annotateKey({ [indexedAnnotation]: true } as any) as any
}

/**
 * Gives a field an index in which no two entities have the same value. A write that would give an entity the value of another one
 * fails with `UniqueViolation`. This is checked when the program ends, or an attempt of `Atomic.orElse`, so two entities may exchange their
 * values in one program. Entities without a value do not compete. With a component of the key as the slot, values are unique within it.
 *
 * **When to use**
 *
 * Use for an e-mail or a name by which an entity is found: `findBy`, `getBy` and `existsBy`. If it never changes, make it the key instead.
 * For values that are unique together, such as a slug within a tenant, use the option `unique`.
 *
 * **Example** (An account by its e-mail)
 *
 * ```ts run
 * import { Effect, Schema } from "effect"
 * import { Model, RedisService } from "redlayer"
 *
 * const User = Model.make("User", { name: Schema.String, email: Schema.String.pipe(Model.unique) }, { key: "name" })
 *
 * const program = Effect.gen(function*() {
 *   yield* User.insert({ name: "ann", email: "a@x.org" })
 *   const second = yield* Effect.flip(User.insert({ name: "bob", email: "a@x.org" }))
 *   return [second._tag, (yield* User.getBy("email", { email: "a@x.org" })).name]
 * })
 *
 * await Effect.runPromise(program.pipe(Effect.provide(RedisService.layerMemory))) // => ["UniqueViolation", "ann"]
 * ```
 *
 * @stability unstable
 * @category fields
 * @since 0.1.0
 */
export const unique = <S extends Schema.Top>(
  self: S
): Marked<S, { readonly "~redlayer/indexed": true; readonly "~redlayer/unique": true }> => {
  checkSchema("Model.unique", self, true)
  return self.annotateKey({ [indexedAnnotation]: "unique" } as any) as any
}

/**
 * Returns the tolerant fields of an entity that could not be decoded, and why.
 *
 * @stability unstable
 * @category getters
 * @since 0.1.0
 */
export const issues = (entity: object): ReadonlyArray<{ readonly field: string; readonly issue: string }> =>
  issuesOf(entity).map(({ field, issue }) => ({ field, issue }))
