/**
 * The types of indexes: how the options of a model define them, and how values name a range of one. `Model` exports those that users
 * name.
 */
import type * as Duration from "effect/Duration"
import type * as Schema from "effect/Schema"

type Fields = Schema.Struct.Fields

/** The fields of a nested struct, with or without a default. */
type Nested<S> = S extends { readonly fields: infer G extends Fields } ? G
  : S extends { readonly schema: { readonly fields: infer G extends Fields } } ? G
  : never

/**
 * The dotted names of a model's fields, those of nested structs included. The type of an optional field is not asked for, because it
 * may be the class that is being defined.
 *
 * @stability unstable
 * @category utility types
 * @since 0.1.0
 */
export type Path<F extends Fields> = {
  [N in keyof F & string]: F[N] extends { readonly "~type.optionality": "optional" } ? N
    : [Nested<F[N]>] extends [never] ? N
    : `${N}.${Path<Nested<F[N]>>}`
}[keyof F & string]

type SchemaAt<F extends Fields, P extends string> = P extends keyof F ? F[P]
  : P extends `${infer Head}.${infer Tail}` ? Head extends keyof F ? SchemaAt<Nested<F[Head]>, Tail>
    : never
  : never

type ValueAt<F extends Fields, P extends string> = NonNullable<SchemaAt<F, P>["Type"]>

/**
 * An index with more than its fields.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface IndexDefinition<F extends Fields> {
  /** One to four fields: those that are equal in a range first, the one that orders it after them. */
  readonly fields: ReadonlyArray<Path<F>>
  /** Only entities with these values have an entry. They are compared as stored. Default: all have. */
  readonly where?: { readonly [P in Path<F>]?: ValueAt<F, P> } | undefined
  /** Whether entities without one of the values have an entry, before those that have it. Default: false, they have none. */
  readonly absent?: boolean | undefined
}

/**
 * Indexes by name: lists of fields, or definitions.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export type Indexes<F extends Fields> = { readonly [name: string]: ReadonlyArray<Path<F>> | IndexDefinition<F> }

/**
 * Unique indexes by name: lists of fields.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export type Uniques<F extends Fields> = { readonly [name: string]: ReadonlyArray<Path<F>> }

/**
 * The dotted names of the fields that may be summed: those of numbers, bigints and durations.
 *
 * @stability unstable
 * @category utility types
 * @since 0.1.0
 */
export type SumPath<F extends Fields> = {
  [N in keyof F & string]: F[N] extends { readonly "~type.optionality": "optional" } ? N
    : NonNullable<F[N]["Type"]> extends number | bigint | Duration.Duration ? N
    : [Nested<F[N]>] extends [never] ? never
    : `${N}.${SumPath<Nested<F[N]>>}`
}[keyof F & string]

/**
 * A count of the entities of each group.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface CountDefinition<F extends Fields> {
  /** At most four fields. The entities of a group have equal values of them. Without any, all entities are one group. */
  readonly by: ReadonlyArray<Path<F>>
  /** Only entities with these values are counted. They are compared as stored. Default: all are. */
  readonly where?: { readonly [P in Path<F>]?: ValueAt<F, P> } | undefined
  /** Whether entities without one of the values are counted, in groups of their own. Default: false, they are not. */
  readonly absent?: boolean | undefined
}

/**
 * A sum over the entities of each group.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface SumDefinition<F extends Fields> extends CountDefinition<F> {
  /** The field that is summed: an integer, a `bigint` or a duration. An entity without it adds nothing. */
  readonly of: SumPath<F>
}

/**
 * Counts by name: lists of fields, or definitions.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export type Counted<F extends Fields> = { readonly [name: string]: ReadonlyArray<Path<F>> | CountDefinition<F> }

/**
 * Sums by name.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export type Summed<F extends Fields> = { readonly [name: string]: SumDefinition<F> }

/**
 * The options of a model that define indexes and aggregates.
 *
 * **Details**
 *
 * An index with fields `a, b` finds the entities whose `a` is equal to a value, in the order of `b`, or with `b` in a range. Entities
 * with equal values are in the order of their ids. Texts are in the order of their UTF-8 bytes. An entity without one of the values has no
 * entry, unless `absent` is set. Every write of an entity keeps its entries; one that changes no indexed field costs nothing more. One that
 * does costs O(log(entries)) for each index. An entry takes about 160 bytes, the id, and twice the values and the id.
 *
 * **When to use**
 *
 * Use for each list that is asked for: `["author", "createdAt"]` is the feed of an author. For one field that has no other before it, use
 * `Model.indexed` or `Model.unique`. An index that is added to a model with stored entities has an entry only of those written since.
 *
 * **Example** (A feed, the drafts, and a name within a tenant)
 *
 * ```ts run
 * import { Effect, Schema } from "effect"
 * import { Model, Query, RedisService } from "redlayer"
 *
 * const Post = Model.make("Post", {
 *   id: Schema.String,
 *   tenant: Schema.String,
 *   slug: Schema.String,
 *   state: Schema.Literals(["draft", "live"]),
 *   day: Schema.Int
 * }, {
 *   key: "id",
 *   indexes: { feed: ["tenant", "day"], drafts: { fields: ["day"], where: { state: "draft" } } },
 *   unique: { slug: ["tenant", "slug"] }
 * })
 *
 * const program = Effect.gen(function*() {
 *   yield* Post.insert({ id: "p1", tenant: "t1", slug: "hello", state: "draft", day: 1 })
 *   yield* Post.insert({ id: "p2", tenant: "t1", slug: "again", state: "live", day: 2 })
 *   const recent = yield* Query.count(Post.by.feed({ tenant: "t1", day: { gte: 2 } }))
 *   const drafts = yield* Query.count(Post.by.drafts())
 *   const { id } = yield* Post.getBy("slug", { tenant: "t1", slug: "again" })
 *   return [recent, drafts, id]
 * })
 *
 * await Effect.runPromise(program.pipe(Effect.provide(RedisService.layerMemory))) // => [1, 1, "p2"]
 * ```
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface IndexOptions<I, U, L, C, S> {
  /** Indexes by name, of one to four fields each. Default: none but those of fields with `Model.indexed`. */
  readonly indexes?: I | undefined
  /** Indexes in which no two entities have equal values, by name. Default: none but those of fields with `Model.unique`. */
  readonly unique?: U | undefined
  /**
   * Counts of the entities that have equal values of some fields, by name: `Model.counted` reads one. Every write keeps them, and one is
   * O(1), whatever the number of entities. Default: none.
   */
  readonly counted?: C | undefined
  /** Sums of a field over such entities, by name: `Model.summed` reads one. Exact and O(1). Default: none. */
  readonly summed?: S | undefined
  /**
   * Whether each write publishes a hint, for `Query.watch` and `watch`. Default: false. A write then costs the server one or two messages
   * more, and takes none of its fastest paths.
   */
  readonly live?: L | undefined
}

/**
 * The indexes and aggregates of a model: those of its options, and whether the model has partitions.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Indexing {
  readonly indexes: object
  readonly unique: object
  readonly counted: object
  readonly summed: object
  readonly partitioned: boolean
  readonly slot: unknown
  readonly live: boolean
}

/**
 * A model without indexes in its options.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface NoIndexing extends Indexing {
  readonly indexes: {}
  readonly unique: {}
  readonly counted: {}
  readonly summed: {}
  readonly partitioned: false
  readonly slot: undefined
  readonly live: false
}

type Marked<F extends Fields, Mark extends string> = {
  [N in keyof F & string]: F[N] extends { readonly ast: { readonly [M in Mark]: true } } ? N
    : F[N] extends { readonly "~type.optionality": "optional" } ? never
    : [Nested<F[N]>] extends [never] ? never
    : `${N}.${Marked<Nested<F[N]>, Mark>}`
}[keyof F & string]

/** The names of a model's unique indexes. */
export type UniqueName<F extends Fields, X extends Indexing> =
  | Marked<F, "~redlayer/unique">
  | (keyof X["unique"] & string)

/** The names of a model's indexes. */
export type IndexName<F extends Fields, X extends Indexing> =
  | Marked<F, "~redlayer/indexed">
  | (keyof X["indexes"] & string)
  | (keyof X["unique"] & string)

/** The fields of an index, in order. */
type FieldsOf<X extends Indexing, N extends string> = N extends keyof X["indexes"]
  ? X["indexes"][N] extends { readonly fields: infer L extends ReadonlyArray<string> } ? L
  : X["indexes"][N] extends ReadonlyArray<string> ? X["indexes"][N]
  : never
  : N extends keyof X["unique"] ? X["unique"][N] extends ReadonlyArray<string> ? X["unique"][N] : never
  : readonly [N]

/** The fields that unique indexes have. */
export type UniqueField<F extends Fields, X extends Indexing> =
  | Marked<F, "~redlayer/unique">
  | { [N in keyof X["unique"]]: X["unique"][N] extends ReadonlyArray<infer P> ? P : never }[keyof X["unique"]]

/**
 * All texts that begin with a text. `Query.prefix` makes one.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Prefix {
  readonly "~redlayer/Query/Prefix": "~redlayer/Query/Prefix"
  readonly text: string
}

/**
 * Bounds of a value. Without any it may be all values.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Bounds<A> {
  readonly gt?: A | undefined
  readonly gte?: A | undefined
  readonly lt?: A | undefined
  readonly lte?: A | undefined
}

type RangeOf<A> = A extends string ? Bounds<A> | Prefix : Bounds<A>

/** Values that are equal, in the order of the index, and then one range. `Nothing` is `null` if absent values have entries. */
type RangeKey<F extends Fields, L, Nothing> = L extends
  readonly [infer H extends string, ...infer T extends ReadonlyArray<string>] ?
    | ({ readonly [P in H]: ValueAt<F, P> | Nothing } & RangeKey<F, T, Nothing>)
    | ({ readonly [P in H]?: RangeOf<ValueAt<F, P>> } & { readonly [P in T[number]]?: undefined })
  : {}

type NothingIn<X extends Indexing, N extends string> = N extends keyof X["indexes"]
  ? X["indexes"][N] extends { readonly absent: true } ? null : never
  : never

/** An argument that may be left out, unless it must name the field that decides the slot. */
export type Optional<F extends Fields, X extends Indexing, A> = X["slot"] extends keyof F & string ? [key: A]
  : [key?: A]

/** The field that decides the slot must be named too. */
type SlotPart<F extends Fields, X extends Indexing, Known> = X["slot"] extends infer S extends keyof F & string
  ? S extends Known ? unknown : { readonly [N in S]: F[N]["Type"] }
  : unknown

/** The range of an index, by its name. */
export type IndexKey<F extends Fields, X extends Indexing, N extends string> =
  & RangeKey<F, FieldsOf<X, N>, NothingIn<X, N>>
  & SlotPart<F, X, FieldsOf<X, N>[number]>

/** A value for each field of a unique index. */
export type UniqueKey<F extends Fields, X extends Indexing, N extends string> =
  & { readonly [P in FieldsOf<X, N>[number]]: ValueAt<F, P> }
  & SlotPart<F, X, FieldsOf<X, N>[number]>

/** The names of the top-level fields that some index has. */
export type IndexedField<F extends Fields, X extends Indexing> = Head<
  | Marked<F, "~redlayer/indexed">
  | {
    [N in keyof X["indexes"]]: X["indexes"][N] extends { readonly where: infer W } ? keyof W & string : never
  }[keyof X["indexes"]]
  | { [N in keyof X["indexes"]]: FieldsOf<X, N & string>[number] }[keyof X["indexes"]]
  | { [N in keyof X["unique"]]: FieldsOf<X, N & string>[number] }[keyof X["unique"]]
>

type Head<P> = P extends `${infer H}.${string}` ? H : P

/** The dotted names of the fields that some index has. */
export type OrderField<F extends Fields, X extends Indexing> =
  | Marked<F, "~redlayer/indexed">
  | { [N in keyof X["indexes"]]: FieldsOf<X, N & string>[number] }[keyof X["indexes"]]
  | { [N in keyof X["unique"]]: FieldsOf<X, N & string>[number] }[keyof X["unique"]]

/** The names of a model's counts, or of its sums. */
export type AggregateName<X extends Indexing, Kind extends "counted" | "summed"> = keyof X[Kind] & string

/** The fields of an aggregate. */
type GroupFields<D> = D extends { readonly by: ReadonlyArray<infer P extends string> } ? P
  : D extends ReadonlyArray<infer P extends string> ? P
  : never

/** The group of an aggregate: a value for each of its fields. */
type GroupKey<F extends Fields, X extends Indexing, D> =
  & { readonly [P in GroupFields<D>]: ValueAt<F, P> | (D extends { readonly absent: true } ? null : never) }
  & SlotPart<F, X, GroupFields<D>>

/** The argument that names the group. It may be left out if all entities of the model are one. */
export type Group<F extends Fields, X extends Indexing, D> = {} extends GroupKey<F, X, D> ? [group?: {}]
  : [group: GroupKey<F, X, D>]

/** The type of a sum: a branded number is summed as any other. */
export type SumOf<F extends Fields, D> = D extends { readonly of: infer P extends string }
  ? ValueAt<F, P> extends bigint ? bigint : ValueAt<F, P> extends Duration.Duration ? Duration.Duration : number
  : never
