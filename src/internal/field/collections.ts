/**
 * The types of the handles of lists, sets, maps and sorted sets. `Field` exports them.
 */
import type * as Option from "effect/Option"
import type { Atomic } from "../../Atomic.ts"
import type { Condition } from "../../Condition.ts"
import type { ArithmeticError, IndexOutOfRange, OutOfBounds } from "../../DomainError.ts"
import type { Failure, NumberOperand, Operand } from "./operands.ts"
import type { ArithmeticFailure, Equality, Ordering } from "./scalars.ts"

/**
 * The size of a collection, or the number of entities in a range or a group, or a sum of numbers. It is a program that returns the
 * number; it can also be compared, and be an operand.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Count<out E = Failure> extends Atomic<number, E>, Equality<number, E>, Ordering<number, E> {
  /** The number, usable as an operand of another operation. */
  value(): NumberOperand<number, E>
}

/**
 * A list: O(1) at both ends. Positions are those of `Array.prototype.slice` and `at`: negative ones count from the end.
 * One that is no integer is refused with `InvalidValue`.
 *
 * **When to use**
 *
 * Use for queues and histories. For members without order use a set, for entries by name a map, for rankings
 * `Model.sortedSet`.
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
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface List<in out A, out Item> {
  /** Returns all items, in order. O(n). */
  get(): Atomic<ReadonlyArray<A>, Failure>
  /** Replaces all items. Fails with `InvalidValue` if the schema refuses one, or their number. O(n). */
  set(items: ReadonlyArray<A>): Atomic<void, Failure>
  /** The number of items: a program, which can also be compared and be an operand. O(1). */
  length(): Count
  /** Returns the items from position `start` up to `end`, exclusive. Default: all items. O(n). */
  slice(start?: number, end?: number): Atomic<ReadonlyArray<A>, Failure>
  /**
   * Adds an item, or an array of items, at the end. Returns the new length. `keep` is the greatest length: the oldest
   * items above it are removed. An array is always several items, even if an item may be an array. Fails with
   * `OutOfBounds` if the schema does not allow the length. O(1) for each item.
   */
  append(item: One<A> | ReadonlyArray<A>, options?: { readonly keep?: number | undefined }): Atomic<
    number,
    Failure | OutOfBounds
  >
  /** The same with operands among the items, such as `Atomic.now`. May also fail with `ArithmeticError`. */
  append(item: OneOrOperand<A>, options?: { readonly keep?: number | undefined }): Atomic<
    number,
    Failure | ArithmeticFailure
  >
  /**
   * Adds an item, or an array of items in its order, at the front. Returns the new length. Fails with `OutOfBounds` if
   * the schema does not allow the length. O(1) for each item.
   */
  prepend(item: One<A> | ReadonlyArray<A>): Atomic<number, Failure | OutOfBounds>
  /** The same with operands among the items, such as `Atomic.now`. May also fail with `ArithmeticError`. */
  prepend(item: OneOrOperand<A>): Atomic<number, Failure | ArithmeticFailure>
  /** Whether the list has an item that is equal to this one. O(n). */
  contains(item: A): Condition<Failure>
  /**
   * Inserts an item, or an array of items, before the item at a position. Returns the new length. The position is 0 to
   * the length, and the length itself means the end; any other fails with `IndexOutOfRange`. Fails with `OutOfBounds`
   * if the schema does not allow the length. O(1) at the ends, O(n) in the middle.
   */
  insert(index: number, item: One<A> | ReadonlyArray<A>): Atomic<number, Failure | OutOfBounds | IndexOutOfRange>
  /** The same with operands among the items, such as `Atomic.now`. May also fail with `ArithmeticError`. */
  insert(index: number, item: OneOrOperand<A>): Atomic<number, Failure | ArithmeticFailure | IndexOutOfRange>
  /**
   * Removes and returns the last `count` items, the last one first; all items if there are fewer. Fails with
   * `OutOfBounds` if the schema does not allow the length that is left. O(1) for each item.
   */
  pop(count: number): Atomic<ReadonlyArray<A>, Failure | OutOfBounds>
  /**
   * Removes and returns the last item. Returns `Option.none` if the list is empty. Fails with `OutOfBounds` if the
   * schema does not allow a shorter list. O(1).
   */
  pop(): Atomic<Option.Option<A>, Failure | OutOfBounds>
  /**
   * Removes and returns the first `count` items, in their order; all items if there are fewer. Fails with `OutOfBounds`
   * if the schema does not allow the length that is left. O(1) for each item.
   */
  shift(count: number): Atomic<ReadonlyArray<A>, Failure | OutOfBounds>
  /**
   * Removes and returns the first item. Returns `Option.none` if the list is empty. Fails with `OutOfBounds` if the
   * schema does not allow a shorter list. O(1).
   */
  shift(): Atomic<Option.Option<A>, Failure | OutOfBounds>
  /**
   * Removes every item that is equal to this one. Returns the number of removed items. Fails with `OutOfBounds` if the
   * schema does not allow the length. O(n).
   */
  remove(item: A): Atomic<number, Failure | OutOfBounds>
  /**
   * Removes the items from position `start` up to `end`, exclusive. Default of `end`: the length. Fails with
   * `OutOfBounds` if the schema does not allow the length. O(1) for each item at an end, O(n) in the middle.
   */
  removeRange(start: number, end?: number): Atomic<void, Failure | OutOfBounds>
  /**
   * Keeps only the items from position `start` up to `end`, exclusive. Default of `end`: the length. Fails with
   * `OutOfBounds` if the schema does not allow the length. O(removed items).
   */
  trim(start: number, end?: number): Atomic<void, Failure | OutOfBounds>
  /**
   * Removes all items. Fails with `InvalidValue` if the schema does not allow an empty list. O(1), in the background
   * O(n).
   */
  clear(): Atomic<void, Failure>
  /**
   * The handle of the item at a position. It reads nothing. Its operations fail with `IndexOutOfRange` if the list has
   * no such item. They are O(1) at the ends, O(n) in the middle.
   */
  at(index: number): Item
}

/** One item. It is no array, because an array means several items. */
type One<A> = A extends ReadonlyArray<any> ? never : A

type OneOrOperand<A> = One<A> | Operand<A> | ReadonlyArray<A | Operand<A>>

/**
 * A set: each member once, in no order. `Whole` is the type of the field, a `ReadonlySet` or a `HashSet`. Two members
 * are equal if their canonical JSON is equal.
 *
 * **When to use**
 *
 * Use for membership and tags. For an order, or members that may repeat, use a list; for members with a score
 * `Model.sortedSet`.
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
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Set<in out A, in out Whole = ReadonlySet<A>> {
  /** Returns all members. O(n). */
  get(): Atomic<Whole, Failure>
  /** Replaces all members. Fails with `InvalidValue` if the schema refuses one, or their number. O(n). */
  set(members: Whole): Atomic<void, Failure>
  /** Returns all members: the same as `get`. O(n). */
  values(): Atomic<Whole, Failure>
  /** The number of members: a program, which can also be compared and be an operand. O(1). */
  size(): Count
  // no method, because parameters of functions alone are compared strictly: so the compiler's text about two sets is short
  readonly has: {
    /** Whether a value is a member. O(1). */
    (member: A): Condition<Failure>
  }
  /**
   * Adds a member, or an array of members. Returns the number of new members. Fails with `OutOfBounds` if the schema
   * does not allow the size. O(1) for each member.
   */
  add(member: One<A> | ReadonlyArray<A>): Atomic<number, Failure | OutOfBounds>
  /**
   * Removes a member. Returns true if it was one. Fails with `OutOfBounds` if the schema does not allow a smaller set.
   * O(1).
   */
  remove(member: A): Atomic<boolean, Failure | OutOfBounds>
  /**
   * Removes several members. Returns the number of removed members. Fails with `OutOfBounds` if the schema does not
   * allow the size. O(1) for each member.
   */
  removeAll(members: ReadonlyArray<A>): Atomic<number, Failure | OutOfBounds>
  /**
   * Removes and returns `count` members, which the server chooses; all members if there are fewer. Fails with
   * `OutOfBounds` if the schema does not allow the size that is left. O(1) for each member.
   */
  pop(count: number): Atomic<ReadonlyArray<A>, Failure | OutOfBounds>
  /**
   * Removes and returns one member, which the server chooses. Returns `Option.none` if the set is empty. Fails with
   * `OutOfBounds` if the schema does not allow a smaller set. O(1).
   */
  pop(): Atomic<Option.Option<A>, Failure | OutOfBounds>
  /**
   * Removes all members. Fails with `InvalidValue` if the schema does not allow an empty set. O(1), in the background
   * O(n).
   */
  clear(): Atomic<void, Failure>
  /**
   * Returns the members of this set and of another. Fails with `EntityNotFound` if either entity is missing. On a
   * cluster both entities must share a slot. O(n) in both sets.
   */
  union(other: Set<A, any>): Atomic<Whole, Failure>
  /**
   * Returns the members of this set that are in another, too. Fails with `EntityNotFound` if either entity is missing.
   * On a cluster both entities must share a slot. O(n) in both sets.
   */
  intersection(other: Set<A, any>): Atomic<Whole, Failure>
  /**
   * Returns the members of this set that are not in another. Fails with `EntityNotFound` if either entity is missing.
   * On a cluster both entities must share a slot. O(n) in both sets.
   */
  difference(other: Set<A, any>): Atomic<Whole, Failure>
}

/**
 * A record, a `ReadonlyMap` or a `HashMap`: each entry is reached by its key in O(1). `Whole` is the type of the field,
 * `Entry` the handle of one entry.
 *
 * **When to use**
 *
 * Use for counters and values by name whose entries are written one by one. For names that are known in advance use a
 * nested struct; for members without values use a set.
 *
 * **Example** (Counting by a name that is not known in advance)
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
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Map<in out K, in out A, in out Whole, out Entry> {
  /** Returns all entries. O(n). */
  get(): Atomic<Whole, Failure>
  /** Replaces all entries. Fails with `InvalidValue` if the schema refuses one, or their number. O(n). */
  set(entries: Whole): Atomic<void, Failure>
  /** The number of entries: a program, which can also be compared and be an operand. O(1). */
  size(): Count
  /** Returns the keys, in no order. O(n). */
  keys(): Atomic<ReadonlyArray<K>, Failure>
  /** Whether the map has an entry of this key. O(1). */
  has(key: K): Condition<Failure>
  /** Sets an entry, whether or not it exists. Fails with `OutOfBounds` if the schema does not allow the size. O(1). */
  put(key: K, value: A): Atomic<void, Failure | OutOfBounds>
  /**
   * Sets several entries, and keeps the others. Fails with `OutOfBounds` if the schema does not allow the size. O(1)
   * for each entry.
   */
  putAll(entries: Whole): Atomic<void, Failure | OutOfBounds>
  /**
   * Removes an entry. Returns true if it existed. Fails with `OutOfBounds` if the schema does not allow a smaller map.
   * O(1).
   */
  remove(key: K): Atomic<boolean, Failure | OutOfBounds>
  /**
   * Removes several entries. Returns the number of removed entries. Fails with `OutOfBounds` if the schema does not
   * allow the size. O(1) for each entry.
   */
  removeAll(keys: ReadonlyArray<K>): Atomic<number, Failure | OutOfBounds>
  /**
   * Removes an entry and returns its value, or `Option.none` if it is missing. Fails with `OutOfBounds` if the schema
   * does not allow a smaller map. O(1).
   */
  pop(key: K): Atomic<Option.Option<A>, Failure | OutOfBounds>
  /**
   * Removes and returns `count` entries, which the server chooses; all entries if there are fewer. Fails with
   * `OutOfBounds` if the schema does not allow the size that is left. O(1) for each entry.
   */
  popAny(count: number): Atomic<ReadonlyArray<readonly [key: K, value: A]>, Failure | OutOfBounds>
  /**
   * Removes and returns one entry, which the server chooses. Returns `Option.none` if the map is empty. Fails with
   * `OutOfBounds` if the schema does not allow a smaller map. O(1).
   */
  popAny(): Atomic<Option.Option<readonly [key: K, value: A]>, Failure | OutOfBounds>
  /**
   * Removes all entries. Fails with `InvalidValue` if the schema does not allow an empty map. O(1), in the background
   * O(n).
   */
  clear(): Atomic<void, Failure>
  /** The handle of the entry of a key. It reads nothing, and the entry may be missing. */
  at(key: K): Entry
}

/**
 * The score or the rank of a member of a sorted set. It is a program that returns an `Option`; it can also be compared,
 * and be an operand. Of a value that is no member `neq` is true, and every other comparison is false.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Standing<out E = Failure>
  extends Atomic<Option.Option<number>, E>, Equality<number, E>, Ordering<number, E>
{
  /** The number, or `default` if the value is no member, usable as an operand of another operation. */
  value(options: { readonly default: number }): NumberOperand<number, E>
}

/**
 * A member of a sorted set, with its score.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Scored<out A> {
  /** The member. */
  readonly member: A
  /** A number, which may be infinite but not `NaN`. */
  readonly score: number
}

/**
 * A sorted set (`Model.sortedSet`): each member once, with a score, in the order of the scores. Members with equal
 * scores are in the order of their stored bytes.
 *
 * **When to use**
 *
 * Use for rankings, and for queues by priority or due time. For members without a score use a set.
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
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface SortedSet<in out A> {
  /** Returns all members with their scores, the lowest first. O(n). */
  get(): Atomic<ReadonlyArray<Scored<A>>, Failure>
  /** Replaces all members. Fails with `InvalidValue` if the schema refuses one, or their number. O(n log n). */
  set(entries: ReadonlyArray<Scored<A>>): Atomic<void, Failure>
  /** The number of members: a program, which can also be compared and be an operand. O(1). */
  size(): Count
  /** Whether a value is a member. O(1). */
  has(member: A): Condition<Failure>
  /**
   * Adds a member, or changes its score. Returns true if the member is new. Fails with `OutOfBounds` if the schema does
   * not allow the size. O(log n).
   */
  add(member: A, score: number): Atomic<boolean, Failure | OutOfBounds>
  /** The same with a score that the server computes. May also fail with `ArithmeticError`. */
  add(member: A, score: number | Operand<number>): Atomic<boolean, Failure | ArithmeticFailure>
  /**
   * Adds several members, or changes their scores. Returns the number of new members. Fails with `OutOfBounds` if the
   * schema does not allow the size. O(log n) for each member.
   */
  addAll(entries: ReadonlyArray<Scored<A>>): Atomic<number, Failure | OutOfBounds>
  /**
   * Adds `by` (default: 1) to the score of a member. A value that is not a member is added with the score `by`. Returns
   * the new score. Fails with `ArithmeticError` if the score would not be finite, and with `OutOfBounds` if the schema does
   * not allow the size. O(log n).
   */
  increment(member: A, by?: number): Atomic<number, Failure | ArithmeticFailure>
  /**
   * Removes a member. Returns true if it was one. Fails with `OutOfBounds` if the schema does not allow a smaller set.
   * O(log n).
   */
  remove(member: A): Atomic<boolean, Failure | OutOfBounds>
  /**
   * Removes several members. Returns the number of removed members. Fails with `OutOfBounds` if the schema does not
   * allow the size. O(log n) for each member.
   */
  removeAll(members: ReadonlyArray<A>): Atomic<number, Failure | OutOfBounds>
  /**
   * Returns the score of a member, or `Option.none` if the value is not a member. It can also be compared, and be an
   * operand. O(1).
   */
  score(member: A): Standing
  /**
   * Returns the position of a member, or `Option.none` if the value is not a member. Position 0 has the lowest score,
   * with `reverse` the highest. It can also be compared, and be an operand. O(log n).
   */
  rank(member: A, options?: { readonly reverse?: boolean | undefined }): Standing
  /**
   * Returns the members from position `start` up to `end`, exclusive. Default: all members. The lowest score is first,
   * with `reverse` the highest. O(log n + returned members).
   */
  range(
    start?: number,
    end?: number,
    options?: { readonly reverse?: boolean | undefined }
  ): Atomic<ReadonlyArray<Scored<A>>, Failure>
  /**
   * Returns the members whose score is `min` to `max`, both inclusive. Default: all members. The lowest score is first,
   * with `reverse` the highest. `limit` is the greatest number of members. O(log n + returned members).
   */
  rangeByScore(options?: {
    readonly min?: number | undefined
    readonly max?: number | undefined
    readonly reverse?: boolean | undefined
    readonly limit?: number | undefined
  }): Atomic<ReadonlyArray<Scored<A>>, Failure>
  /** The same with bounds that the server computes. May also fail with `ArithmeticError`. */
  rangeByScore(options?: {
    readonly min?: number | Operand<number> | undefined
    readonly max?: number | Operand<number> | undefined
    readonly reverse?: boolean | undefined
    readonly limit?: number | undefined
  }): Atomic<ReadonlyArray<Scored<A>>, Failure | ArithmeticError>
  /**
   * The number of members whose score is `min` to `max`, both inclusive: a program, which can also be compared and be an
   * operand. Default: all members. O(log n).
   */
  count(options?: { readonly min?: number | undefined; readonly max?: number | undefined }): Count
  /** The same with bounds that the server computes. May also fail with `ArithmeticError`. */
  count(options?: {
    readonly min?: number | Operand<number> | undefined
    readonly max?: number | Operand<number> | undefined
  }): Count<Failure | ArithmeticError>
  /**
   * Removes the members from position `start` up to `end`, exclusive. Returns how many. Default of `end`: the size.
   * Position 0 has the lowest score, with `reverse` the highest. Fails with `OutOfBounds` if the schema does not allow
   * the size that is left. O(log n) for each removed member.
   */
  removeRangeByRank(
    start: number,
    end?: number,
    options?: { readonly reverse?: boolean | undefined }
  ): Atomic<number, Failure | OutOfBounds>
  /**
   * Removes the members whose score is `min` to `max`, both inclusive. Returns how many. One of both may be left out, and
   * is then infinite; without both it is refused with `InvalidValue`, because `clear` removes all members. Fails with
   * `OutOfBounds` if the schema does not allow the size that is left. O(log n) for each removed member.
   */
  removeRangeByScore(
    range:
      | { readonly min: number; readonly max?: number | undefined }
      | { readonly min?: number | undefined; readonly max: number }
  ): Atomic<number, Failure | OutOfBounds>
  /** The same with bounds that the server computes. May also fail with `ArithmeticError`. */
  removeRangeByScore(
    range:
      | { readonly min: number | Operand<number>; readonly max?: number | Operand<number> | undefined }
      | { readonly min?: number | Operand<number> | undefined; readonly max: number | Operand<number> }
  ): Atomic<number, Failure | ArithmeticFailure>
  /**
   * Removes and returns the `count` members with the lowest scores, the lowest first; all members if there are fewer.
   * Fails with `OutOfBounds` if the schema does not allow the size that is left. O(log n) for each member.
   */
  popMin(count: number): Atomic<ReadonlyArray<Scored<A>>, Failure | OutOfBounds>
  /**
   * Removes and returns the member with the lowest score. Returns `Option.none` if the set is empty. Fails with
   * `OutOfBounds` if the schema does not allow a smaller set. O(log n).
   */
  popMin(): Atomic<Option.Option<Scored<A>>, Failure | OutOfBounds>
  /**
   * Removes and returns the `count` members with the highest scores, the highest first; all members if there are fewer.
   * Fails with `OutOfBounds` if the schema does not allow the size that is left. O(log n) for each member.
   */
  popMax(count: number): Atomic<ReadonlyArray<Scored<A>>, Failure | OutOfBounds>
  /**
   * Removes and returns the member with the highest score. Returns `Option.none` if the set is empty. Fails with
   * `OutOfBounds` if the schema does not allow a smaller set. O(log n).
   */
  popMax(): Atomic<Option.Option<Scored<A>>, Failure | OutOfBounds>
  /**
   * Removes all members. Fails with `InvalidValue` if the schema does not allow an empty set. O(1), in the background
   * O(n).
   */
  clear(): Atomic<void, Failure>
}
