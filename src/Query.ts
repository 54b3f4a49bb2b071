/**
 * Queries: which entities of a model are wanted, and in which order. A query is a value: `Post.by.feed({ author })` begins with an index,
 * and `Post.query(condition)` finds one. The functions that return an `Effect`, an `Atomic` or a `Stream` run it.
 *
 * Entities are found by their indexes, which every write keeps. Each entity that is returned met the condition in the program that read
 * it. A query renews no time to live.
 *
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
import * as Live from "./internal/query/live.ts"
import * as Internal from "./internal/query/query.ts"
import * as Ranges from "./internal/query/ranges.ts"
import * as Run from "./internal/query/runners.ts"
import type { RedisService } from "./internal/service.ts"
import type { RedisServiceError } from "./RedisServiceError.ts"

/**
 * The runtime type id of a `Query`.
 *
 * @category type IDs
 * @since 0.1.0
 */
export type TypeId = "~redlayer/Query"

/**
 * The runtime type id of a `Query`.
 *
 * @category type IDs
 * @since 0.1.0
 */
export const TypeId: TypeId = Internal.TypeId

/**
 * The types of a query's model.
 *
 * @category models
 * @since 0.1.0
 */
export interface Target {
  /** The handles of an entity's fields. */
  readonly ref: any
  readonly id: any
  /** The fields that `updateAll` writes. */
  readonly patch: any
  /** The names of the fields that some index has. */
  readonly order: string
  /** Whether one range of one index has exactly the entities, so that they are counted by one program. */
  readonly isRange: boolean
}

/**
 * Which entities are wanted, and in which order. `A` is what a runner returns of each.
 *
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
 * @category utility types
 * @since 0.1.0
 */
export type Failure = EntityCorrupted | InvalidValue | RedisServiceError

const query = (self: Query<any, any>): Internal.Query => self as unknown as Internal.Query

/**
 * Returns true if a value is a `Query`.
 *
 * @category guards
 * @since 0.1.0
 */
export const isQuery = (u: unknown): u is Query<unknown> => u instanceof Internal.Query

/**
 * All texts that begin with a text.
 *
 * @category models
 * @since 0.1.0
 */
export interface Prefix {
  readonly "~redlayer/Query/Prefix": "~redlayer/Query/Prefix"
  readonly text: string
}

/**
 * All texts that begin with this one, as the last value of a range: `User.by.name({ tenant: "t1", name: Query.prefix("An") })`. The case
 * of letters and their normal form matter.
 *
 * @category constructors
 * @since 0.1.0
 */
export const prefix = (text: string): Prefix => new Ranges.Prefix(text)

/**
 * Keeps the entities that meet a condition, on any of their fields. The server examines one by one the entities that the index has
 * found.
 *
 * **When to use**
 *
 * Use for a condition that no index serves and that most entities meet. For one that few meet define an index.
 *
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
 * Reverses the order, so that the last entities come first.
 *
 * @category combinators
 * @since 0.1.0
 */
export const reverse = <A, T extends Target>(self: Query<A, T>): Query<A, T> =>
  query(self).with({ isReversed: !query(self).isReversed }) as unknown as Query<A, T>

/**
 * Orders the entities by a field. An index must have them in this order: fields that the condition makes equal first, then this one.
 *
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
 * Reads these fields of each entity and no others.
 *
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
 * A place in the order of a query, for the page after it or before it. It is valid for the same query only.
 *
 * @category models
 * @since 0.1.0
 */
export type Cursor = string

/**
 * Some entities of a query.
 *
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
 * @category models
 * @since 0.1.0
 */
export interface PageOptions {
  /** How many entities: a whole number of at least 0. */
  readonly limit: number
  /** `next` of the page before. */
  readonly after?: Cursor | undefined
  /** `prev` of the page after. */
  readonly before?: Cursor | undefined
}

/**
 * Returns a page of entities. A page has fewer than `limit` entities only if there are no more, or if it has examined 10,000 entities that
 * the filters left out; it has a cursor then. An entity whose order value stays the same is on exactly one page, whatever others write.
 * Fails with `InvalidValue` if the limit is negative, if the cursor is of another query, or if no index serves the query. Two round
 * trips, three if several indexes may serve it. O(log(entries) + limit).
 *
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
 * @category models
 * @since 0.1.0
 */
export interface StreamOptions {
  /** How many entities are read at once, from 1 to 1,000. Default: 256. */
  readonly pageSize?: number | undefined
}

/**
 * Returns all entities as a stream, in order. It reads them page by page, as `page` does. Fails with `EntityCorrupted` at the first entity
 * that does not match the schema; use `results` to go on.
 *
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
 * Returns the ids of the entities as a stream, in order. No entity is read.
 *
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
 * Returns the first entity, or none.
 *
 * @category running
 * @since 0.1.0
 */
export const first = <A>(self: Query<A, any>): Effect.Effect<Option.Option<A>, Failure, RedisService> =>
  Run.first(query(self))

/**
 * Returns the first entity. Fails with `EntityNotFound` if there is none.
 *
 * @category running
 * @since 0.1.0
 */
export const getFirst = <A>(self: Query<A, any>): Effect.Effect<A, Failure | EntityNotFound, RedisService> =>
  Run.getFirst(query(self))

/**
 * Counts the entities. If one range of one index has exactly them, it is a program, O(log(entries)), so it composes with others. Otherwise
 * it is an effect, which examines each entity that a filter may leave out.
 *
 * @category running
 * @since 0.1.0
 */
export const count: {
  /** Counts the entities of a range, in a program. O(log(entries)). */
  (self: Query<any, Target & { readonly isRange: true }>): Atomic<number, InvalidValue>
  /** Counts the entities. */
  (self: Query<any, any>): Effect.Effect<number, InvalidValue | RedisServiceError, RedisService>
} = (self: Query<any, any>): any => Run.count(query(self))

/**
 * Whether there is an entity. If one range of one index has exactly the entities, it is a condition, O(log(entries)).
 *
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
  /** The round trips of a page that is filled at once. */
  readonly roundTripsOfAPage: number
  /** Whether the ranges have exactly the entities, so that no other condition is checked. */
  readonly isExact: boolean
}

/**
 * Says what a query does: its indexes, and how many entries it examines at most. It reads no entity.
 *
 * @category running
 * @since 0.1.0
 */
export const explain = (
  self: Query<any, any>
): Effect.Effect<Explanation, InvalidValue | RedisServiceError, RedisService> => Run.explain(query(self))

/**
 * Deletes all entities of the query, each by its own program, which checks the condition. Returns how many it deleted.
 *
 * @category running
 * @since 0.1.0
 */
export const deleteAll = (
  self: Query<any, any>
): Effect.Effect<number, InvalidValue | RedisServiceError, RedisService> => Run.deleteAll(query(self))

/**
 * Changes entities of the query, each by its own program, which checks the condition: so two callers never change the same entity for
 * the same condition. Without `limit` it changes all, and returns how many. With `limit` it changes so many at most, and returns them
 * as they are then: a worker claims jobs by it.
 *
 * @category running
 * @since 0.1.0
 */
export const updateAll: {
  /** Changes entities of the query, and returns them. */
  <T extends Target, E = never>(
    change: T["patch"] | ((ref: T["ref"]) => Atomic<any, E>),
    options: { readonly limit: number }
  ): <A>(self: Query<A, T>) => Effect.Effect<ReadonlyArray<A>, Failure | EntityNotFound | E, RedisService>
  /** Changes all entities of the query, and returns how many. */
  <T extends Target, E = never>(
    change: T["patch"] | ((ref: T["ref"]) => Atomic<any, E>)
  ): (self: Query<any, T>) => Effect.Effect<number, Failure | EntityNotFound | E, RedisService>
  /** Changes entities of the query, and returns them. */
  <A, T extends Target, E = never>(
    self: Query<A, T>,
    change: T["patch"] | ((ref: T["ref"]) => Atomic<any, E>),
    options: { readonly limit: number }
  ): Effect.Effect<ReadonlyArray<A>, Failure | EntityNotFound | E, RedisService>
  /** Changes all entities of the query, and returns how many. */
  <T extends Target, E = never>(
    self: Query<any, T>,
    change: T["patch"] | ((ref: T["ref"]) => Atomic<any, E>)
  ): Effect.Effect<number, Failure | EntityNotFound | E, RedisService>
} = dual(
  (args) => isQuery(args[0]),
  (self: Query<any, any>, change: unknown, options?: { readonly limit?: number }) =>
    Run.updateAll(query(self), change, options) as any
)

/**
 * Options of `watch`.
 *
 * @category models
 * @since 0.1.0
 */
export interface WatchOptions {
  /** How long it waits after a change, so that those that follow are read together. Default: 50 ms. */
  readonly debounce?: Duration.Input | undefined
  /** How often it reads without a hint, because one may be lost. Default: 30 seconds. */
  readonly refresh?: Duration.Input | undefined
}

/**
 * The first entities of a query, or the result of a program that reads indexes, as a stream: now, and whenever it has changed. The model
 * needs the option `live: true`, which lets its writes publish a hint. It reads again after a hint, after each gap of the connection, and
 * every `refresh`; so a lost hint costs time, and never truth. Equal results are left out. Fails with `InvalidValue` if the model has no
 * such option.
 *
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
