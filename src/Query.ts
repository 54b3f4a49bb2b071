/**
 * Queries: which entities of a model are wanted, and in which order. A query is a value: `Post.by.feed({ author })` begins with an index,
 * and `Post.query(condition)` finds one. The functions that return an `Effect`, an `Atomic` or a `Stream` run it.
 *
 * Entities are found by their indexes, which every write keeps. Each entity that is returned met the condition in the program that read
 * it; the result is not the state of one moment. A query renews no time to live. An entity that has expired is in no result.
 *
 * @stability unstable
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import type * as Option from "effect/Option"
import type * as Pipeable from "effect/Pipeable"
import type * as Result from "effect/Result"
import type * as Stream from "effect/Stream"
import type * as Types from "effect/Types"
import { type Atomic, isAtomic } from "./Atomic.ts"
import type { Condition } from "./Condition.ts"
import type { EntityCorrupted, EntityNotFound, InvalidValue } from "./DomainError.ts"
import type * as Field from "./Field.ts"
import type { Prefix } from "./internal/model/indexTypes.ts"
import * as Live from "./internal/query/live.ts"
import * as Internal from "./internal/query/query.ts"
import * as Ranges from "./internal/query/ranges.ts"
import * as Run from "./internal/query/runners.ts"
import type { RedisService } from "./internal/service.ts"
import type { RedisServiceError } from "./RedisServiceError.ts"

export type { Prefix } from "./internal/model/indexTypes.ts"

/**
 * The runtime type id of a `Query`.
 *
 * @stability unstable
 * @category type IDs
 * @since 0.1.0
 */
export type TypeId = "~redlayer/Query"

/**
 * The runtime type id of a `Query`.
 *
 * @stability unstable
 * @category type IDs
 * @since 0.1.0
 */
export const TypeId: TypeId = Internal.TypeId

/**
 * The types of a query's model.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Target {
  /** The handles of an entity's fields. */
  readonly ref: any
  readonly id: any
  /** The fields that `updateAll` writes. */
  readonly patch: any
  /** `UniqueViolation` if the model has a unique index. */
  readonly violation: any
  /** The names of the fields that some index has. */
  readonly order: string
  /** Whether one range of one index has exactly the entities, so that they are counted by one program. */
  readonly isRange: boolean
}

/**
 * Which entities are wanted, and in which order. `A` is what a runner returns of each.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Query<out A, out T extends Target = Target> extends Pipeable.Pipeable {
  readonly [TypeId]: {
    readonly _A: Types.Covariant<A>
    readonly _T: Types.Covariant<T>
  }
}

/** The same query with another condition or order. */
type Changed<T extends Target> = Omit<T, "isRange"> & { readonly isRange: false }

/**
 * The errors of a query, in addition to those of its conditions.
 *
 * @stability unstable
 * @category utility types
 * @since 0.1.0
 */
export type Failure = EntityCorrupted | InvalidValue | RedisServiceError

const query = (self: Query<any, any>): Internal.Query => self as unknown as Internal.Query

/**
 * Returns true if a value is a `Query`.
 *
 * @stability unstable
 * @category guards
 * @since 0.1.0
 */
export const isQuery = (u: unknown): u is Query<unknown> => u instanceof Internal.Query

/**
 * All texts that begin with this one, as the last value of a range: `User.by.name({ tenant: "t1", name: Query.prefix("An") })`. Texts are
 * compared byte by byte, so the case of letters and their normal form matter. The empty text is the beginning of all.
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const prefix = (text: string): Prefix => new Ranges.Prefix(text)

/**
 * Keeps the entities that meet a condition, on any of their fields. The server examines one by one the entities that the index has
 * found: O(entries examined), at most 1,000 in one call. With a filter `count` and `exists` are effects, not programs.
 *
 * **When to use**
 *
 * Use for a condition that no index serves and that most entities meet. For one that few meet define an index; `explain` says how many
 * entries there are.
 *
 * @stability unstable
 * @category combinators
 * @since 0.1.0
 */
export const filter: {
  /** Keeps the entities that meet a condition, on any of their fields. */
  <T extends Target>(where: (ref: T["ref"]) => Condition<any>): <A>(self: Query<A, T>) => Query<A, Changed<T>>
  /** Keeps the entities that meet a condition, on any of their fields. */
  <A, T extends Target>(self: Query<A, T>, where: (ref: T["ref"]) => Condition<any>): Query<A, Changed<T>>
} = dual(2, (self: Query<any, any>, where: Internal.Where) => {
  const { filters } = query(self)
  return query(self).with({ filters: [...filters, where] })
})

/**
 * Reverses the order, so that the last entities come first. Those with equal values are then in the reverse order of their ids.
 *
 * @stability unstable
 * @category combinators
 * @since 0.1.0
 */
export const reverse = <A, T extends Target>(self: Query<A, T>): Query<A, T> =>
  query(self).with({ isReversed: !query(self).isReversed }) as unknown as Query<A, T>

/**
 * Orders the entities by a field. An index must have them in this order: fields that the condition makes equal first, then this one.
 * Otherwise running the query fails with `InvalidValue`. The ranges of several values, as of `in`, are merged.
 *
 * @stability unstable
 * @category combinators
 * @since 0.1.0
 */
export const orderBy: {
  /** Orders the entities by a field: ascending, unless `direction` is `"desc"`. */
  <T extends Target>(
    field: T["order"],
    direction?: "asc" | "desc"
  ): <A>(self: Query<A, T>) => Query<A, Changed<T>>
  /** Orders the entities by a field: ascending, unless `direction` is `"desc"`. */
  <A, T extends Target>(self: Query<A, T>, field: T["order"], direction?: "asc" | "desc"): Query<A, Changed<T>>
} = dual(
  (args) => isQuery(args[0]),
  (self: Query<any, any>, order: string, direction: "asc" | "desc" = "asc") =>
    query(self).with({ order, isReversed: direction === "desc" }) as any
)

/**
 * Reads these fields of each entity and no others. The results are plain objects.
 *
 * @stability unstable
 * @category combinators
 * @since 0.1.0
 */
export const pick: {
  /** Reads these fields of each entity and no others. */
  <A, const Name extends keyof A & string>(
    names: ReadonlyArray<Name>
  ): <T extends Target>(self: Query<A, T>) => Query<Pick<A, Name>, T>
  /** Reads these fields of each entity and no others. */
  <A, T extends Target, const Name extends keyof A & string>(
    self: Query<A, T>,
    names: ReadonlyArray<Name>
  ): Query<Pick<A, Name>, T>
} = dual(2, (self: Query<any, any>, names: ReadonlyArray<string>) => query(self).with({ names }) as any)

/**
 * A place in the order of a query, for the page after it or before it: a text for URLs, valid for the same query only. It has the value
 * and the id of an entity in it, and is not encrypted.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export type Cursor = string

/**
 * Some entities of a query.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Page<A> {
  readonly items: ReadonlyArray<A>
  /** Where the next page begins. None: there is no other entity. */
  readonly next: Option.Option<Cursor>
  /** Where the page before begins. None: this is the first one. */
  readonly prev: Option.Option<Cursor>
}

/**
 * Options of `page`.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface PageOptions {
  /** How many entities: a whole number of at least 0, without a maximum. */
  readonly limit: number
  /** `next` of the page before. Default: the page is the first one. */
  readonly after?: Cursor | undefined
  /** `prev` of the page after. Not together with `after`. */
  readonly before?: Cursor | undefined
}

/**
 * Returns a page of entities. A page has fewer than `limit` entities only if there are no more, or if it has examined 10,000 entities that
 * the filters left out; it has a cursor then. An entity whose order value stays the same is on exactly one page, whatever others write.
 * Fails with `InvalidValue` if the limit is negative, if the cursor is of another query, or if no index serves the query. Two round
 * trips, three if several indexes may serve it. O(log(entries) + limit).
 *
 * **When to use**
 *
 * Use for lists that people turn the pages of. To go through all entities use `stream`; for the first ones of a moment `Model.top`.
 *
 * **Example** (The latest posts of an author)
 *
 * ```ts run
 * import { Effect, Schema } from "effect"
 * import { Model, Query, RedisService } from "redlayer"
 *
 * const Post = Model.make("Post", { slug: Schema.String, author: Schema.String, day: Schema.Int }, {
 *   key: "slug",
 *   indexes: { feed: ["author", "day"] }
 * })
 *
 * const program = Effect.gen(function*() {
 *   yield* Post.insertMany([{ slug: "a", author: "ann", day: 1 }, { slug: "b", author: "ann", day: 2 }])
 *   const { items } = yield* Post.by.feed({ author: "ann" }).pipe(Query.reverse, Query.page({ limit: 10 }))
 *   return items.map(({ slug }) => slug)
 * })
 *
 * await Effect.runPromise(program.pipe(Effect.provide(RedisService.layerMemory))) // => ["b", "a"]
 * ```
 *
 * @stability unstable
 * @category running
 * @since 0.1.0
 */
export const page: {
  /** Returns a page of entities. */
  (options: PageOptions): <A>(self: Query<A, any>) => Effect.Effect<Page<A>, Failure, RedisService>
  /** Returns a page of entities. */
  <A>(self: Query<A, any>, options: PageOptions): Effect.Effect<Page<A>, Failure, RedisService>
} = dual(2, (self: Query<any, any>, options: PageOptions) => Run.page(query(self), options))

/**
 * Options of streams.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface StreamOptions {
  /** How many entities are read at once, from 1 to 1,000. Default: 256. */
  readonly pageSize?: number | undefined
}

/**
 * Returns all entities as a stream, in order. It reads them page by page, as `page` does: two round trips each. Fails with
 * `EntityCorrupted` at the first entity that does not match the schema; use `results` to go on.
 *
 * @stability unstable
 * @category running
 * @since 0.1.0
 */
export const stream: {
  /** Returns all entities as a stream, in order. */
  (options?: StreamOptions): <A>(self: Query<A, any>) => Stream.Stream<A, Failure, RedisService>
  /** Returns all entities as a stream, in order. */
  <A>(self: Query<A, any>, options?: StreamOptions): Stream.Stream<A, Failure, RedisService>
} = dual(
  (args) => isQuery(args[0]),
  (self: Query<any, any>, options?: StreamOptions) => Run.stream(query(self), options)
)

/**
 * Returns a result for each entity as a stream, in order: the entity, or why it can't be read.
 *
 * @stability unstable
 * @category running
 * @since 0.1.0
 */
export const results: {
  /** Returns a result for each entity as a stream, in order. */
  (
    options?: StreamOptions
  ): <A>(
    self: Query<A, any>
  ) => Stream.Stream<Result.Result<A, EntityCorrupted>, InvalidValue | RedisServiceError, RedisService>
  /** Returns a result for each entity as a stream, in order. */
  <A>(
    self: Query<A, any>,
    options?: StreamOptions
  ): Stream.Stream<Result.Result<A, EntityCorrupted>, InvalidValue | RedisServiceError, RedisService>
} = dual(
  (args) => isQuery(args[0]),
  (self: Query<any, any>, options?: StreamOptions) => Run.results(query(self), options)
)

/**
 * Returns the ids of the entities as a stream, in order. Each entity is only asked whether it still meets the condition.
 *
 * @stability unstable
 * @category running
 * @since 0.1.0
 */
export const ids: {
  /** Returns the ids of the entities as a stream, in order. */
  (options?: StreamOptions): <T extends Target>(
    self: Query<any, T>
  ) => Stream.Stream<T["id"], InvalidValue | RedisServiceError, RedisService>
  /** Returns the ids of the entities as a stream, in order. */
  <T extends Target>(
    self: Query<any, T>,
    options?: StreamOptions
  ): Stream.Stream<T["id"], InvalidValue | RedisServiceError, RedisService>
} = dual((args) => isQuery(args[0]), (self: Query<any, any>, options?: StreamOptions) => Run.ids(query(self), options))

/**
 * Returns the first entity, or none. As a page of one: two round trips. O(log(entries)), and the entities that a filter leaves out.
 *
 * @stability unstable
 * @category running
 * @since 0.1.0
 */
export const first = <A>(self: Query<A, any>): Effect.Effect<Option.Option<A>, Failure, RedisService> =>
  Run.first(query(self))

/**
 * Returns the first entity. Fails with `EntityNotFound` if there is none.
 *
 * @stability unstable
 * @category running
 * @since 0.1.0
 */
export const getFirst = <A>(self: Query<A, any>): Effect.Effect<A, Failure | EntityNotFound, RedisService> =>
  Run.getFirst(query(self))

/**
 * Counts the entities. If one range of one index has exactly them, it is a program, O(log(entries)), so it composes with others: the
 * query begins with an index by its name, has no filter, and the model has no partitions. Otherwise it is an effect, which on partitions
 * adds their counts, and examines each entity that a filter may leave out: O(entries).
 *
 * @stability unstable
 * @category running
 * @since 0.1.0
 */
export const count: {
  /** Counts the entities of a range, in a program. O(log(entries)). */
  (self: Query<any, Target & { readonly isRange: true }>): Field.Count<InvalidValue>
  /** Counts the entities. */
  (self: Query<any, any>): Effect.Effect<number, InvalidValue | RedisServiceError, RedisService>
} = (self: Query<any, any>): any => Run.count(query(self))

/**
 * Whether there is an entity. If one range of one index has exactly the entities, as for `count`, it is a condition, O(log(entries)):
 * `Atomic.guard(Condition.not(Query.exists(Booking.by.room({ room }))), () => new Taken())`. Otherwise it is an effect.
 *
 * @stability unstable
 * @category running
 * @since 0.1.0
 */
export const exists: {
  /** Whether the range has an entity, as a condition. O(log(entries)). */
  (self: Query<any, Target & { readonly isRange: true }>): Condition<InvalidValue>
  /** Whether there is an entity. */
  (self: Query<any, any>): Effect.Effect<boolean, InvalidValue | RedisServiceError, RedisService>
} = (self: Query<any, any>): any => Run.exists(query(self))

/**
 * The plan of a query, and its cost at most.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Explanation {
  /** The names of the indexes that it reads. */
  readonly indexes: ReadonlyArray<string>
  /** How many ranges of them. */
  readonly ranges: number
  /** How many homes each index has: 1, or the partitions of the model. */
  readonly homes: number
  /** How many entries the ranges have now. All of them are examined if no entity meets the condition. */
  readonly examinedAtMost: number
  /**
   * How many bytes of the server's memory one of these entries takes, about: its member and score in the sorted set, and in an index that
   * is not of scores also the hash that has the member. It is estimated from the lengths of a few entries at both ends of the ranges, by
   * what Redis 7.0 needs in an index of more than 128 entries. What the expiry of an entity adds is not counted. 0 if there is no entry.
   */
  readonly bytesOfAnEntry: number
  /** The round trips of a page that is filled at once. */
  readonly roundTripsOfAPage: number
  /** Whether the ranges have exactly the entities, so that no other condition is checked. */
  readonly isExact: boolean
}

/**
 * Says what a query does: its indexes, how many entries it examines at most, and how large they are. It counts entries and reads no
 * entity. One round trip, two if several indexes may serve the query. O(log(entries)).
 *
 * @stability unstable
 * @category running
 * @since 0.1.0
 */
export const explain = (
  self: Query<any, any>
): Effect.Effect<Explanation, InvalidValue | RedisServiceError, RedisService> => Run.explain(query(self))

/**
 * Deletes all entities of the query, each by its own program, which checks the condition. Returns how many it deleted. If it fails, those
 * that it has deleted stay so; run it again. Two round trips for each 1,000 entities.
 *
 * @stability unstable
 * @category running
 * @since 0.1.0
 */
export const deleteAll = (
  self: Query<any, any>
): Effect.Effect<number, InvalidValue | RedisServiceError, RedisService> => Run.deleteAll(query(self))

/**
 * Changes entities of the query, each by its own program, which checks the condition: so two callers never change the same entity for
 * the same condition. Without `limit` it changes all, and returns how many. With `limit` it changes so many at most, and returns them
 * as they are then. If it fails, what it has changed stays so. Two round trips for each 1,000 entities.
 *
 * **When to use**
 *
 * Use with `limit` to claim jobs, by a change that moves them out of the query. For one entity use `Model.update`.
 *
 * **Example** (A job is due again if its worker does not delete it within a minute)
 *
 * ```ts run
 * import { Effect, Schema } from "effect"
 * import { Model, Query, RedisService } from "redlayer"
 *
 * const Job = Model.make("Job", { id: Schema.String, runAt: Schema.Int.pipe(Model.indexed) }, { key: "id" })
 *
 * const claim = (now: number, limit: number) =>
 *   Query.updateAll(Job.by.runAt({ runAt: { lte: now } }), { runAt: now + 60_000 }, { limit })
 *
 * const program = Effect.gen(function*() {
 *   yield* Job.insertMany([{ id: "a", runAt: 1 }, { id: "b", runAt: 2 }, { id: "c", runAt: 3 }])
 *   const both = yield* Effect.all([claim(10, 2), claim(10, 2)], { concurrency: 2 })
 *   return both.flat().map(({ id }) => id).sort()
 * })
 *
 * await Effect.runPromise(program.pipe(Effect.provide(RedisService.layerMemory))) // => ["a", "b", "c"]
 * ```
 *
 * @stability unstable
 * @category running
 * @since 0.1.0
 */
export const updateAll: {
  /** Changes entities of the query, and returns them. */
  <T extends Target, E = never>(
    change: T["patch"] | ((ref: T["ref"]) => Atomic<any, E>),
    options: { readonly limit: number }
  ): <A>(
    self: Query<A, T>
  ) => Effect.Effect<ReadonlyArray<A>, Failure | EntityNotFound | T["violation"] | E, RedisService>
  /** Changes all entities of the query, and returns how many. */
  <T extends Target, E = never>(
    change: T["patch"] | ((ref: T["ref"]) => Atomic<any, E>)
  ): (self: Query<any, T>) => Effect.Effect<number, Failure | EntityNotFound | T["violation"] | E, RedisService>
  /** Changes entities of the query, and returns them. */
  <A, T extends Target, E = never>(
    self: Query<A, T>,
    change: T["patch"] | ((ref: T["ref"]) => Atomic<any, E>),
    options: { readonly limit: number }
  ): Effect.Effect<ReadonlyArray<A>, Failure | EntityNotFound | T["violation"] | E, RedisService>
  /** Changes all entities of the query, and returns how many. */
  <T extends Target, E = never>(
    self: Query<any, T>,
    change: T["patch"] | ((ref: T["ref"]) => Atomic<any, E>)
  ): Effect.Effect<number, Failure | EntityNotFound | T["violation"] | E, RedisService>
} = dual(
  (args) => isQuery(args[0]),
  (self: Query<any, any>, change: unknown, options?: { readonly limit?: number }) =>
    Run.updateAll(query(self), change, options) as any
)

/**
 * Options of `watch`.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface WatchOptions {
  /** How long it waits after a hint, so that changes that follow are read together. Default: 50 ms. */
  readonly debounce?: Duration.Input | undefined
  /** How often it reads without a hint, because one may be lost. Default: 30 seconds. */
  readonly refresh?: Duration.Input | undefined
}

/**
 * The first entities of a query, or the result of a program that reads indexes, as a stream: now, and whenever it has changed. The model
 * needs the option `live: true`, which lets its writes publish a hint. It reads again after a hint, after each gap of the connection, and
 * every `refresh`; so a lost hint costs time, and never truth. Equal results are left out. The stream does not end. Fails with `InvalidValue` if the model has no such option.
 *
 * **When to use**
 *
 * Use for what is shown to people while it changes. To send what has happened publish a `Topic`.
 *
 * **Example** (The first player, whenever that changes)
 *
 * ```ts run
 * import { Effect, Schema, Stream } from "effect"
 * import { Model, Query, RedisService } from "redlayer"
 *
 * const Player = Model.make("Player", { name: Schema.String, score: Schema.Int.pipe(Model.indexed) }, {
 *   key: "name",
 *   live: true
 * })
 *
 * const program = Effect.gen(function*() {
 *   yield* Player.insertMany([{ name: "ann", score: 3 }, { name: "bob", score: 2 }])
 *   return yield* Query.watch(Player.top("score", 1)).pipe(
 *     Stream.map(([first]) => first?.name),
 *     Stream.tap(() => Player.ref("bob").score.increment(5)),
 *     Stream.take(2),
 *     Stream.runCollect
 *   )
 * })
 *
 * await Effect.runPromise(program.pipe(Effect.provide(RedisService.layerMemory))) // => ["ann", "bob"]
 * ```
 *
 * @stability unstable
 * @category running
 * @since 0.1.0
 */
export const watch: {
  /** The first entities of a query, now and whenever they have changed. */
  (
    options: WatchOptions & { readonly limit: number }
  ): <A>(self: Query<A, any>) => Stream.Stream<ReadonlyArray<A>, Failure, RedisService>
  /** The first entities of a query, now and whenever they have changed. */
  <A>(
    self: Query<A, any>,
    options: WatchOptions & { readonly limit: number }
  ): Stream.Stream<ReadonlyArray<A>, Failure, RedisService>
  /** The result of a program that reads indexes, now and whenever it may have changed. */
  <A, E>(
    self: Atomic<A, E>,
    options?: WatchOptions
  ): Stream.Stream<A, E | InvalidValue | RedisServiceError, RedisService>
} = dual(
  (args) => isQuery(args[0]) || isAtomic(args[0]),
  (self: Query<any, any> | Atomic<any, any>, options: any) =>
    isQuery(self) ? Live.watchQuery(query(self), options) : Live.watchProgram(self as any, options)
)

/**
 * The keys of Effect's `Reactivity` for the result of a query: every write of an entity of its model invalidates them, in all processes
 * that have the layer of `EffectReactivity`. The model needs the option `live: true`; otherwise it throws.
 *
 * **When to use**
 *
 * Use for an effect or an atom that shows more than one query, or also what is not stored here. For one query use `watch`.
 *
 * @see {@link watch} for a stream of one result
 * @stability unstable
 * @category running
 * @since 0.1.0
 */
export const reactivityKeys = (self: Query<any, any>): ReadonlyArray<any> =>
  Live.reactivityKeys(query(self).source.plan)
