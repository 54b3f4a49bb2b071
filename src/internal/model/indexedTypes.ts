/**
 * The types of the programs of models with indexes and aggregates. `Model` exports them.
 */
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type * as Schema from "effect/Schema"
import type * as Stream from "effect/Stream"
import type { Atomic } from "../../Atomic.ts"
import type { Condition } from "../../Condition.ts"
import type { EntityCorrupted, EntityNotFound, InvalidValue, UniqueViolation } from "../../DomainError.ts"
import type * as Field from "../../Field.ts"
import type { Query, WatchOptions } from "../../Query.ts"
import type { RedisServiceError } from "../../RedisServiceError.ts"
import type { RedisService } from "../service.ts"
import type {
  AggregateName,
  Group,
  IndexedField,
  Indexing,
  IndexKey,
  IndexName,
  Optional,
  OrderField,
  SumOf,
  UniqueField,
  UniqueKey,
  UniqueName
} from "./indexTypes.ts"
import type { Handles, IdOf, Patch } from "./programTypes.ts"

type Fields = Schema.Struct.Fields

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
 * @stability unstable
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
 * @stability unstable
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
 * @stability unstable
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
 * @stability unstable
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
 * @stability unstable
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
   * The entity, and so many before and after it, at most 499 on each side. Empty if it has no entry, or one outside of `within`.
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
 * @stability unstable
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
export type IndexedBy<Entity, F extends Fields, K, X extends Indexing> =
  & ([KeptName<F, X>] extends [never] ? X["live"] extends true ? Pick<Indexed<Entity, F, K, X>, "watch"> : unknown
    : Indexed<Entity, F, K, X>)
  & (X["live"] extends true ? Live<F, K> : unknown)

export type Violation<F extends Fields, X extends Indexing> = [UniqueName<F, X>] extends [never] ? never
  : UniqueViolation
