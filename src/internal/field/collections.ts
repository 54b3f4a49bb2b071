/**
 * The handles of collections, which `Field` exports.
 */
import type * as Option from "effect/Option"
import type { Atomic } from "../../Atomic.ts"
import type { Condition } from "../../Condition.ts"
import type { IndexOutOfRange, OutOfBounds } from "../../DomainError.ts"
import type {
  ArithmeticFailure,
  Count,
  Failure,
  Initial,
  Operand,
  Optional,
  OptionalBigInt,
  OptionalNumber,
  OptionalTime,
  Ordering
} from "../../Field.ts"

/**
 * A list: O(1) at both ends. Positions are those of `Array.prototype.slice` and `at`: negative ones count from the end.
 *
 * **Example** (A queue, and the last of a history)
 *
 * ```ts run
 * import { Effect, Option, Schema } from "effect"
 * import { Model, RedisService } from "redlayer"
 *
 * const Worker = Model.make("Worker", {
 *   name: Schema.String,
 *   queue: Schema.Array(Schema.String),
 *   times: Schema.Array(Schema.Int)
 * }, { key: "name" })
 *
 * const program = Effect.gen(function*() {
 *   yield* Worker.insert({ name: "a", queue: ["sweep"], times: [] })
 *   const { queue, times } = Worker.ref("a")
 *   yield* queue.append(["cook", "wash"])
 *   const next = yield* queue.shift()
 *   yield* times.append([12, 9, 11], { keep: 2 })
 *   const last = yield* times.at(-1).increment()
 *   return [next, yield* queue.get(), last, yield* times.get()]
 * })
 *
 * const result = await Effect.runPromise(program.pipe(Effect.provide(RedisService.layerMemory)))
 * result // => [Option.some("sweep"), ["cook", "wash"], 12, [9, 12]]
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface List<in out A, out Item> {
  /** All items. O(n). */
  get(): Atomic<ReadonlyArray<A>, Failure>
  /** Replaces all items. O(n). */
  set(items: ReadonlyArray<A>): Atomic<void, Failure>
  length(): Count
  /** From `start` up to, and without, `end`; all of it unless said otherwise. */
  slice(start?: number, end?: number): Atomic<ReadonlyArray<A>, Failure>
  /**
   * Adds at the end, and gives the new length. With `keep`, only the newest that many items stay. An array is several items,
   * also where an item may be an array.
   */
  append(item: One<A> | ReadonlyArray<A>, options?: { readonly keep?: number | undefined }): Atomic<
    number,
    Failure | OutOfBounds
  >
  /** Adds at the front, in the order given, and gives the new length. */
  prepend(item: One<A> | ReadonlyArray<A>): Atomic<number, Failure | OutOfBounds>
  /** Whether an item is equal. O(n). */
  contains(item: A): Condition<Failure>
  /** Adds before the item at a position, or at the end, and gives the new length. O(n) in the middle. */
  insert(index: number, item: One<A> | ReadonlyArray<A>): Atomic<number, Failure | OutOfBounds | IndexOutOfRange>
  /** Takes the last item. */
  pop(): Atomic<Option.Option<A>, Failure | OutOfBounds>
  /** Takes the first item. */
  shift(): Atomic<Option.Option<A>, Failure | OutOfBounds>
  /** Removes every item that is equal, and gives how many there were. O(n). */
  remove(item: A): Atomic<number, Failure | OutOfBounds>
  /** Drops the items from `start` up to, and without, `end`. O(1) for each item at an end, O(n) in the middle. */
  removeRange(start: number, end?: number): Atomic<void, Failure | OutOfBounds>
  /** Keeps only the items from `start` up to, and without, `end`. */
  trim(start: number, end?: number): Atomic<void, Failure | OutOfBounds>
  clear(): Atomic<void, Failure>
  /** The item at a position. Its operations fail with `IndexOutOfRange` where there is none. O(n) in the middle. */
  at(index: number): Item
}

/** An item by itself, where an array is several. */
type One<A> = A extends ReadonlyArray<any> ? never : A

/**
 * A set: each member once, in no order. `Whole` is the type of the field, a `ReadonlySet` or a `HashSet`. Members are equal
 * when their canonical JSON is.
 *
 * **Example** (Who is online)
 *
 * ```ts run
 * import { Effect, Schema } from "effect"
 * import { Model, RedisService } from "redlayer"
 *
 * const Room = Model.make("Room", { name: Schema.String, online: Schema.ReadonlySet(Schema.String) }, { key: "name" })
 *
 * const program = Effect.gen(function*() {
 *   yield* Room.insert({ name: "hall", online: new Set(["alice"]) })
 *   yield* Room.insert({ name: "garden", online: new Set(["bob"]) })
 *   const { online } = Room.ref("hall")
 *   const added = yield* online.add(["alice", "bob"])
 *   const both = yield* online.intersection(Room.ref("garden").online)
 *   return [added, yield* online.size(), [...both]]
 * })
 *
 * await Effect.runPromise(program.pipe(Effect.provide(RedisService.layerMemory))) // => [1, 2, ["bob"]]
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface Set<in out A, in out Whole = ReadonlySet<A>> {
  /** All members. O(n). */
  get(): Atomic<Whole, Failure>
  /** Replaces all members. O(n). */
  set(members: Whole): Atomic<void, Failure>
  /** All members. O(n). */
  values(): Atomic<Whole, Failure>
  size(): Count
  has(member: A): Condition<Failure>
  /** Adds a member, or an array of them, and gives how many are new. O(1) for each. */
  add(member: One<A> | ReadonlyArray<A>): Atomic<number, Failure | OutOfBounds>
  /** Removes a member: true where it was one. */
  remove(member: A): Atomic<boolean, Failure | OutOfBounds>
  /** Removes several, and gives how many there were. */
  removeAll(members: ReadonlyArray<A>): Atomic<number, Failure | OutOfBounds>
  /** Takes any one of them; which one is the server's choice. */
  pop(): Atomic<Option.Option<A>, Failure | OutOfBounds>
  clear(): Atomic<void, Failure>
  /** The members of this set and of another. Both entities must exist; on a cluster they must share a slot. O(n). */
  union(other: Set<A, any>): Atomic<Whole, Failure>
  /** The members of this set that are in another too. */
  intersection(other: Set<A, any>): Atomic<Whole, Failure>
  /** The members of this set that are not in another. */
  difference(other: Set<A, any>): Atomic<Whole, Failure>
}

/**
 * A record, a `ReadonlyMap` or a `HashMap`, an entry each: O(1) by its key. `Entry` is the handle of one entry.
 *
 * **Example** (Counters that are made when they are first counted)
 *
 * ```ts run
 * import { Effect, Option, Schema } from "effect"
 * import { Model, RedisService } from "redlayer"
 *
 * const Page = Model.make("Page", { path: Schema.String, views: Schema.Record(Schema.String, Schema.Int) }, { key: "path" })
 *
 * const program = Effect.gen(function*() {
 *   yield* Page.insert({ path: "/", views: {} })
 *   const { views } = Page.ref("/")
 *   yield* views.at("fr").increment()
 *   yield* views.at("fr").increment()
 *   yield* views.at("de").increment(5)
 *   return [yield* views.get(), yield* views.pop("fr"), yield* views.size()]
 * })
 *
 * await Effect.runPromise(program.pipe(Effect.provide(RedisService.layerMemory)))
 * // => [{ fr: 2, de: 5 }, Option.some(2), 1]
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface Map<in out K, in out A, in out Whole, out Entry> {
  /** All entries. O(n). */
  get(): Atomic<Whole, Failure>
  /** Replaces all entries. O(n). */
  set(entries: Whole): Atomic<void, Failure>
  size(): Count
  /** The keys, in no order. O(n). */
  keys(): Atomic<ReadonlyArray<K>, Failure>
  has(key: K): Condition<Failure>
  /** Sets an entry, whether it is there or not. */
  put(key: K, value: A): Atomic<void, Failure | OutOfBounds>
  /** Sets several, and leaves the others. */
  putAll(entries: Whole): Atomic<void, Failure | OutOfBounds>
  /** Removes an entry: true where there was one. */
  remove(key: K): Atomic<boolean, Failure | OutOfBounds>
  /** Removes several, and gives how many there were. */
  removeAll(keys: ReadonlyArray<K>): Atomic<number, Failure | OutOfBounds>
  /** Takes an entry, and gives its value. */
  pop(key: K): Atomic<Option.Option<A>, Failure | OutOfBounds>
  /** Takes any entry; which one is the server's choice. */
  popAny(): Atomic<Option.Option<readonly [key: K, value: A]>, Failure | OutOfBounds>
  clear(): Atomic<void, Failure>
  /** The entry of a key, which may be absent. */
  at(key: K): Entry
}

/**
 * An entry of a map: absent, or a value. It can be written whether it is there or not.
 *
 * @category models
 * @since 0.1.0
 */
export interface Entry<in out A, out E = Failure | OutOfBounds> extends Optional<A, E> {
  /** Sets it, and gives the value before. */
  getAndSet(value: A): Atomic<Option.Option<A>, E>
}

/**
 * An entry that is a text; an absent one is as the empty text.
 *
 * @category models
 * @since 0.1.0
 */
export interface TextEntry<in out A extends string = string, out E = Failure | OutOfBounds>
  extends Entry<A, E>, Ordering<A, E>
{
  /** Appends, and gives the new length in UTF-16 units. */
  append(text: string | Operand<string>): Atomic<number, E>
}

/**
 * An entry that is a boolean; an absent one is as `false`.
 *
 * @category models
 * @since 0.1.0
 */
export interface BoolEntry<out E = Failure | OutOfBounds> extends Entry<boolean, E> {
  /** Turns it, and gives the new value. */
  toggle(): Atomic<boolean, E>
}

/**
 * An entry that is a number: a counter begins with 0, everything else with the `initial` that is given.
 *
 * @category models
 * @since 0.1.0
 */
export interface NumberEntry<in out A extends number = number, out E = Failure | OutOfBounds>
  extends Entry<A, E>, Omit<OptionalNumber<A, E>, "increment" | "decrement">
{
  /** Adds `by`, 1 unless said otherwise, to what is there, or to `initial`, 0 unless said otherwise. */
  increment(by?: number | Operand<number>, options?: Partial<Initial<number>>): Atomic<A, E | ArithmeticFailure>
  /** Subtracts `by`, 1 unless said otherwise. */
  decrement(by?: number | Operand<number>, options?: Partial<Initial<number>>): Atomic<A, E | ArithmeticFailure>
}

/**
 * An entry that is a `bigint`: a counter begins with 0, everything else with the `initial` that is given.
 *
 * @category models
 * @since 0.1.0
 */
export interface BigIntEntry<in out A extends bigint = bigint, out E = Failure | OutOfBounds>
  extends Entry<A, E>, Omit<OptionalBigInt<A, E>, "increment" | "decrement">
{
  /** Adds `by`, 1 unless said otherwise, to what is there, or to `initial`, 0 unless said otherwise. */
  increment(by?: bigint | Operand<bigint>, options?: Partial<Initial<bigint>>): Atomic<A, E | ArithmeticFailure>
  /** Subtracts `by`, 1 unless said otherwise. */
  decrement(by?: bigint | Operand<bigint>, options?: Partial<Initial<bigint>>): Atomic<A, E | ArithmeticFailure>
}

/**
 * An entry that is a date or a duration.
 *
 * @category models
 * @since 0.1.0
 */
export interface TimeEntry<in out A, out E = Failure | OutOfBounds> extends Entry<A, E>, OptionalTime<A, E> {}

/**
 * A member of a sorted set, with its score.
 *
 * @category models
 * @since 0.1.0
 */
export interface Scored<out A> {
  readonly member: A
  readonly score: number
}

/**
 * A sorted set (`Model.sortedSet`): each member once, with a score, in the order of the scores; equal scores in the order of
 * the members' stored bytes. O(log n).
 *
 * **Example** (A queue by priority)
 *
 * ```ts run
 * import { Effect, Option, Schema } from "effect"
 * import { Model, RedisService } from "redlayer"
 *
 * const Queue = Model.make("Queue", { name: Schema.String, jobs: Model.sortedSet(Schema.String) }, { key: "name" })
 *
 * const program = Effect.gen(function*() {
 *   yield* Queue.insert({ name: "mail", jobs: [{ member: "newsletter", score: 9 }] })
 *   const { jobs } = Queue.ref("mail")
 *   yield* jobs.add("password", 1)
 *   yield* jobs.increment("newsletter", -3)
 *   return [yield* jobs.rank("newsletter"), yield* jobs.popMin(), yield* jobs.range()]
 * })
 *
 * const result = await Effect.runPromise(program.pipe(Effect.provide(RedisService.layerMemory)))
 * result // => [Option.some(1), Option.some({ member: "password", score: 1 }), [{ member: "newsletter", score: 6 }]]
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface SortedSet<in out A> {
  /** All members with their scores, the lowest first. O(n). */
  get(): Atomic<ReadonlyArray<Scored<A>>, Failure>
  /** Replaces all members. O(n log n). */
  set(entries: ReadonlyArray<Scored<A>>): Atomic<void, Failure>
  size(): Count
  has(member: A): Condition<Failure>
  /** Adds a member, or gives it another score: true where it is new. */
  add(member: A, score: number): Atomic<boolean, Failure | OutOfBounds>
  /** Adds several, and gives how many are new. */
  addAll(entries: ReadonlyArray<Scored<A>>): Atomic<number, Failure | OutOfBounds>
  /** Adds to the score of a member, which begins with 0, and gives the new score. */
  increment(member: A, by?: number): Atomic<number, Failure | ArithmeticFailure>
  /** Removes a member: true where it was one. */
  remove(member: A): Atomic<boolean, Failure | OutOfBounds>
  /** Removes several, and gives how many there were. */
  removeAll(members: ReadonlyArray<A>): Atomic<number, Failure | OutOfBounds>
  score(member: A): Atomic<Option.Option<number>, Failure>
  /** The position of a member: 0 is the lowest score, or with `reverse` the highest. */
  rank(member: A, options?: { readonly reverse?: boolean | undefined }): Atomic<Option.Option<number>, Failure>
  /** The members from position `start` up to, and without, `end`: the lowest first, or with `reverse` the highest. */
  range(
    start?: number,
    end?: number,
    options?: { readonly reverse?: boolean | undefined }
  ): Atomic<ReadonlyArray<Scored<A>>, Failure>
  /** The members whose score is no less than `min` and no more than `max`. */
  rangeByScore(options?: {
    readonly min?: number | undefined
    readonly max?: number | undefined
    readonly reverse?: boolean | undefined
    readonly limit?: number | undefined
  }): Atomic<ReadonlyArray<Scored<A>>, Failure>
  /** How many members have a score that is no less than `min` and no more than `max`. */
  count(options?: { readonly min?: number | undefined; readonly max?: number | undefined }): Atomic<number, Failure>
  /** Takes the member with the lowest score. */
  popMin(): Atomic<Option.Option<Scored<A>>, Failure | OutOfBounds>
  /** Takes the member with the highest score. */
  popMax(): Atomic<Option.Option<Scored<A>>, Failure | OutOfBounds>
  clear(): Atomic<void, Failure>
}
