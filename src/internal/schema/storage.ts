/**
 * The combinators that say how a field is stored. `Model` exports them. Each leaves a mark, which the plan reads.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { defaultAnnotation, jsonAnnotation, sortedSetAnnotation, tolerantAnnotation } from "./plan.ts"
import { issuesOf } from "./tolerated.ts"

/**
 * Gives a field a default. A new entity without the field gets it, and an entity that was stored before the field
 * existed reads as having it, on the server too. For a collection the default is the constructor's only: a missing
 * collection reads as empty.
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
 * A schema whose values are stored as one JSON text. The mark is on the `ast`, because every combinator of Schema keeps
 * that part of the type.
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
 * Stores a field as one JSON text, whatever its type. It is read and replaced as a whole.
 *
 * **When to use**
 *
 * Use for small values that you never change in part. A list, set or map of its own has operations on its items.
 *
 * @category fields
 * @since 0.1.0
 */
export const json = <S extends Schema.Top>(self: S): json<S> =>
  self.annotateKey({ [jsonAnnotation]: true } as any) as any

/**
 * A schema of members with scores, stored as a sorted set. The mark is on the `ast`, as that of `json`.
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
  readonly "Type": ReadonlyArray<{ readonly member: A["Type"]; readonly score: number }>
  readonly "Encoded": ReadonlyArray<{ readonly member: A["Encoded"]; readonly score: number }>
  readonly "DecodingServices": A["DecodingServices"]
  readonly "EncodingServices": A["EncodingServices"]
  readonly "~type.make.in": ReadonlyArray<{ readonly member: A["Type"]; readonly score: number }>
  readonly "~type.make": ReadonlyArray<{ readonly member: A["Type"]; readonly score: number }>
  readonly "Iso": ReadonlyArray<{ readonly member: A["Iso"]; readonly score: number }>
}

/**
 * A sorted set: each member once, with a score. As a value it is an array of members and scores, the lowest first.
 * Scores are numbers but not `NaN`, and may be infinite.
 *
 * **When to use**
 *
 * Use for rankings and due queues. For members without a score use a set.
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
 * Lets an entity be read even if this field cannot be: the field then reads as its default, as missing, or as empty. A
 * warning is logged, and `issues` lists the field. Operations on the field itself still fail.
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
 * @category fields
 * @since 0.1.0
 */
export const tolerant = <S extends Schema.Top>(self: S): S =>
  self.annotateKey({ [tolerantAnnotation]: true } as any) as any

/**
 * Returns what could not be read in an entity, and was tolerated.
 *
 * @category getters
 * @since 0.1.0
 */
export const issues = (entity: object): ReadonlyArray<{ readonly field: string; readonly issue: string }> =>
  issuesOf(entity).map(({ field, issue }) => ({ field, issue }))
