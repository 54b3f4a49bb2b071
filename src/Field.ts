/**
 * The fields of one entity, as `Model.ref(id)` gives them: which operations each kind of field has. Every operation is an
 * `Atomic`: yielded, it runs alone in one round trip; composed, it is part of a larger program. Every one fails with
 * `EntityNotFound` where the entity is gone, and none brings it back.
 *
 * @since 0.1.0
 */
import type * as DateTime from "effect/DateTime"
import type * as Duration from "effect/Duration"
import type * as HashMap from "effect/HashMap"
import type * as HashSet from "effect/HashSet"
import type * as Option from "effect/Option"
import type * as Schema from "effect/Schema"
import type * as Types from "effect/Types"
import type { Atomic } from "./Atomic.ts"
import type { Condition } from "./Condition.ts"
import type {
  ArithmeticError,
  EntityCorrupted,
  EntityNotFound,
  IndexOutOfRange,
  InvalidValue,
  OutOfBounds
} from "./DomainError.ts"

/**
 * What every operation on a field may fail with.
 *
 * @category models
 * @since 0.1.0
 */
export type Failure = EntityNotFound | InvalidValue

/**
 * What another field of the same program holds when it is needed: the argument of an operation, or of a comparison.
 *
 * @category models
 * @since 0.1.0
 */
export interface Operand<out A, out E = Failure> {
  readonly "~redlayer/Operand": { readonly _A: Types.Covariant<A>; readonly _E: Types.Covariant<E> }
}

/**
 * A number that the server reads, and computes with. A result that is not finite, and a division by zero, is
 * `ArithmeticError` of the operation that takes it.
 *
 * **Example** (A bonus that is stored elsewhere)
 *
 * ```ts run
 * import { Effect, Schema } from "effect"
 * import { Model, RedisService } from "redlayer"
 *
 * const Player = Model.make("Player", { name: Schema.String, coins: Schema.Int, bonus: Schema.Int }, { key: "name" })
 *
 * const program = Effect.gen(function*() {
 *   yield* Player.insert({ name: "alice", coins: 10, bonus: 3 })
 *   const { bonus, coins } = Player.ref("alice")
 *   return yield* coins.increment(bonus.value().times(2))
 * })
 *
 * await Effect.runPromise(program.pipe(Effect.provide(RedisService.layerMemory))) // => 16
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface NumberOperand<out A = number, out E = Failure> extends Operand<A, E> {
  plus(that: number | Operand<number>): NumberOperand<number, E>
  minus(that: number | Operand<number>): NumberOperand<number, E>
  times(that: number | Operand<number>): NumberOperand<number, E>
  dividedBy(that: number | Operand<number>): NumberOperand<number, E>
  /** The division without its fraction, towards zero. */
  quotient(that: number | Operand<number>): NumberOperand<number, E>
  modulo(that: number | Operand<number>): NumberOperand<number, E>
  min(that: number | Operand<number>): NumberOperand<number, E>
  max(that: number | Operand<number>): NumberOperand<number, E>
}

/**
 * A `bigint` that the server reads, and computes with.
 *
 * @category models
 * @since 0.1.0
 */
export interface BigIntOperand<out A = bigint, out E = Failure> extends Operand<A, E> {
  plus(that: bigint | Operand<bigint>): BigIntOperand<bigint, E>
  minus(that: bigint | Operand<bigint>): BigIntOperand<bigint, E>
  times(that: bigint | Operand<bigint>): BigIntOperand<bigint, E>
  /** The division without its fraction, towards zero. */
  quotient(that: bigint | Operand<bigint>): BigIntOperand<bigint, E>
  modulo(that: bigint | Operand<bigint>): BigIntOperand<bigint, E>
  min(that: bigint | Operand<bigint>): BigIntOperand<bigint, E>
  max(that: bigint | Operand<bigint>): BigIntOperand<bigint, E>
}

/**
 * Comparisons, on the server. What is absent equals nothing.
 *
 * @category models
 * @since 0.1.0
 */
export interface Equality<in A, out E = Failure> {
  readonly eq: Compare<A, E>
  readonly neq: Compare<A, E>
}

/**
 * A comparison with a value, or with what another field holds, which may have been computed.
 *
 * @category models
 * @since 0.1.0
 */
export interface Compare<in A, out E> {
  (value: A): Condition<E>
  (value: Operand<A>): Condition<E | ArithmeticError>
}

/**
 * Numbers and times compare as such, texts by their bytes in UTF-8. What is absent is neither less nor greater.
 *
 * @category models
 * @since 0.1.0
 */
export interface Ordering<in A, out E = Failure> {
  readonly lt: Compare<A, E>
  readonly lte: Compare<A, E>
  readonly gt: Compare<A, E>
  readonly gte: Compare<A, E>
}

/**
 * How many a collection holds.
 *
 * @category models
 * @since 0.1.0
 */
export interface Count<out E = Failure> extends Atomic<number, E>, Equality<number, E>, Ordering<number, E> {
  /** It, as an operand of another operation. */
  value(): NumberOperand<number, E>
}

/**
 * Any value, read and replaced as a whole. One round trip each.
 *
 * @category models
 * @since 0.1.0
 */
export interface Value<in out A, out E = Failure> extends Equality<A, E> {
  get(): Atomic<A, E>
  // no method in the types: a handle that takes `"a" | "b"` is none that takes any text, also where it is passed as its base
  readonly set: {
    (value: A): Atomic<void, E>
    /** What another field holds, with the checks of this one. */
    (value: Operand<A>): Atomic<void, E | ArithmeticFailure>
  }
  /** Replaces `expected` by `value`: true when it did. Texts compare exactly, numbers as numbers. */
  compareAndSet(expected: A, value: A): Atomic<boolean, E>
  /** What is stored, as an operand of another operation of the same program. */
  value(): Operand<A, E>
}

/**
 * A literal, an enum, or a branded text.
 *
 * @category models
 * @since 0.1.0
 */
export interface Scalar<in out A, out E = Failure> extends Value<A, E> {
  /** Whether it is one of these. */
  readonly in: (values: ReadonlyArray<A>) => Condition<E>
  /** Replaces the value, and gives the one before. */
  getAndSet(value: A): Atomic<A, E>
}

/**
 * A text.
 *
 * @category models
 * @since 0.1.0
 */
export interface Text<in out A extends string = string, out E = Failure> extends Scalar<A, E>, Ordering<A, E> {
  /**
   * Appends, and gives the new length in UTF-16 units. A length that the schema refuses is `OutOfBounds`, and a text of more
   * than 1,000,000 bytes `InvalidValue`.
   */
  append(text: string | Operand<string>): Atomic<number, E | OutOfBounds>
}

/**
 * Bounds for one operation, beside those of the schema: a result outside of them is `OutOfBounds`, and nothing is written.
 *
 * @category models
 * @since 0.1.0
 */
export interface Bounds<in out A = number> {
  readonly atLeast?: A | undefined
  readonly atMost?: A | undefined
}

/**
 * What an operation on a field that may be absent begins with when it is, and bounds for the result.
 *
 * @category models
 * @since 0.1.0
 */
export interface Initial<in out A> extends Bounds<A> {
  readonly initial: A
}

/**
 * What arithmetic may fail with, beside what every operation may.
 *
 * @category models
 * @since 0.1.0
 */
export type ArithmeticFailure = OutOfBounds | ArithmeticError

/**
 * A number. Each operation computes on the server and gives the new value, the same to the last bit as JavaScript would. A
 * result that is not finite, not whole on an integer, or beyond ±(2^53−1) there, and a division by zero, is
 * `ArithmeticError`; one that breaks a bound is `OutOfBounds`. Nothing is written then.
 *
 * **Example** (Selling no more than there is)
 *
 * ```ts run
 * import { Effect, Schema } from "effect"
 * import { Model, RedisService } from "redlayer"
 *
 * const Product = Model.make("Product", {
 *   sku: Schema.String,
 *   stock: Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)),
 *   price: Schema.Finite
 * }, { key: "sku" })
 *
 * const program = Effect.gen(function*() {
 *   yield* Product.insert({ sku: "lamp", stock: 3, price: 10 })
 *   const { price, stock } = Product.ref("lamp")
 *   const left = yield* stock.decrement(2)
 *   const refused = yield* Effect.flip(stock.decrement(2))
 *   const reduced = yield* price.multiply(0.5, { atLeast: 4 })
 *   return [left, refused._tag, reduced]
 * })
 *
 * await Effect.runPromise(program.pipe(Effect.provide(RedisService.layerMemory))) // => [1, "OutOfBounds", 5]
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface Number<in out A extends number = number, out E = Failure> extends Scalar<A, E>, Ordering<A, E> {
  value(): NumberOperand<A, E>
  /** Adds `by`, 1 unless said otherwise. */
  increment(by?: number | Operand<number>, bounds?: Bounds): Atomic<A, E | ArithmeticFailure>
  /** Subtracts `by`, 1 unless said otherwise. */
  decrement(by?: number | Operand<number>, bounds?: Bounds): Atomic<A, E | ArithmeticFailure>
  multiply(by: number | Operand<number>, bounds?: Bounds): Atomic<A, E | ArithmeticFailure>
  divide(by: number | Operand<number>, bounds?: Bounds): Atomic<A, E | ArithmeticFailure>
  /** The division without its fraction, towards zero. */
  quotient(by: number | Operand<number>, bounds?: Bounds): Atomic<A, E | ArithmeticFailure>
  /** What remains of that division; it has the sign of the value. */
  modulo(by: number | Operand<number>, bounds?: Bounds): Atomic<A, E | ArithmeticFailure>
  /** The power to a whole exponent, by multiplying; or to 0.5, the square root. */
  power(exponent: number, bounds?: Bounds): Atomic<A, E | ArithmeticFailure>
  /** The smaller of the value and `other`. */
  min(other: number | Operand<number>, bounds?: Bounds): Atomic<A, E | ArithmeticFailure>
  /** The larger of the value and `other`. */
  max(other: number | Operand<number>, bounds?: Bounds): Atomic<A, E | ArithmeticFailure>
  /** The value, but no less than `low` and no more than `high`. */
  clamp(
    low: number | Operand<number>,
    high: number | Operand<number>,
    bounds?: Bounds
  ): Atomic<A, E | ArithmeticFailure>
}

/**
 * A boolean.
 *
 * @category models
 * @since 0.1.0
 */
export interface Bool<out E = Failure> extends Scalar<boolean, E> {
  /** Turns it, and gives the new value. */
  toggle(): Atomic<boolean, E>
}

/**
 * A `bigint`, exact to both ends of 64 bits. A result beyond them, and a division by zero, is `ArithmeticError`.
 *
 * @category models
 * @since 0.1.0
 */
export interface BigInt<in out A extends bigint = bigint, out E = Failure> extends Scalar<A, E>, Ordering<A, E> {
  value(): BigIntOperand<A, E>
  /** Adds `by`, 1 unless said otherwise. */
  increment(by?: bigint | Operand<bigint>, bounds?: Bounds<bigint>): Atomic<A, E | ArithmeticFailure>
  /** Subtracts `by`, 1 unless said otherwise. */
  decrement(by?: bigint | Operand<bigint>, bounds?: Bounds<bigint>): Atomic<A, E | ArithmeticFailure>
  multiply(by: bigint | Operand<bigint>, bounds?: Bounds<bigint>): Atomic<A, E | ArithmeticFailure>
  /** The division without its fraction, towards zero. */
  quotient(by: bigint | Operand<bigint>, bounds?: Bounds<bigint>): Atomic<A, E | ArithmeticFailure>
  /** What remains of that division; it has the sign of the value. */
  modulo(by: bigint | Operand<bigint>, bounds?: Bounds<bigint>): Atomic<A, E | ArithmeticFailure>
  /** The smaller of the value and `other`. */
  min(other: bigint | Operand<bigint>, bounds?: Bounds<bigint>): Atomic<A, E | ArithmeticFailure>
  /** The larger of the value and `other`. */
  max(other: bigint | Operand<bigint>, bounds?: Bounds<bigint>): Atomic<A, E | ArithmeticFailure>
  /** The value, but no less than `low` and no more than `high`. */
  clamp(
    low: bigint | Operand<bigint>,
    high: bigint | Operand<bigint>,
    bounds?: Bounds<bigint>
  ): Atomic<A, E | ArithmeticFailure>
}

/**
 * A `Date`, a `DateTime.Utc`, or a `Duration`: a time that durations can be added to. A date moves by whole milliseconds; one
 * beyond what dates can say is `ArithmeticError`.
 *
 * **Example** (Extending a trial)
 *
 * ```ts run
 * import { DateTime, Effect, Schema } from "effect"
 * import { Model, RedisService } from "redlayer"
 *
 * const Trial = Model.make("Trial", { user: Schema.String, ends: Schema.DateTimeUtc }, { key: "user" })
 *
 * const program = Effect.gen(function*() {
 *   yield* Trial.insert({ user: "alice", ends: DateTime.makeUnsafe("2024-02-28T12:00:00Z") })
 *   return yield* Trial.ref("alice").ends.add("1 day")
 * })
 *
 * await Effect.runPromise(program.pipe(Effect.provide(RedisService.layerMemory), Effect.map(DateTime.formatIso)))
 * // => "2024-02-29T12:00:00.000Z"
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface Time<in out A, out E = Failure> extends Scalar<A, E>, Ordering<A, E> {
  /** Moves it by a duration, which may be negative, and gives the new value. */
  add(duration: Duration.Input, bounds?: Bounds<A>): Atomic<A, E | ArithmeticFailure>
  /** Moves it back by a duration. */
  subtract(duration: Duration.Input, bounds?: Bounds<A>): Atomic<A, E | ArithmeticFailure>
}

/**
 * A field that may be absent: an optional one, or one that may be `null`.
 *
 * **Example** (Claiming a name, once)
 *
 * ```ts run
 * import { Effect, Option, Schema } from "effect"
 * import { Model, RedisService } from "redlayer"
 *
 * const Seat = Model.make("Seat", { number: Schema.Int, owner: Schema.optionalKey(Schema.String) }, { key: "number" })
 *
 * const program = Effect.gen(function*() {
 *   yield* Seat.insert({ number: 7 })
 *   const { owner } = Seat.ref(7)
 *   const alice = yield* owner.setIfAbsent("alice")
 *   const bob = yield* owner.setIfAbsent("bob")
 *   return [alice, bob, yield* owner.get()]
 * })
 *
 * await Effect.runPromise(program.pipe(Effect.provide(RedisService.layerMemory))) // => [true, false, Option.some("alice")]
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface Optional<in out A, out E = Failure> extends Equality<A, E> {
  get(): Atomic<Option.Option<A>, E>
  /** Whether it is stored. */
  isSet(): Condition<E>
  set(value: A): Atomic<void, E>
  /** Sets it where it is absent: true when it did. */
  setIfAbsent(value: A): Atomic<boolean, E>
  /** Makes it absent, or `null`. */
  clear(): Atomic<void, E>
  /** Replaces `expected` by `value`: true when it did, false also where it was absent. */
  compareAndSet(expected: A, value: A): Atomic<boolean, E>
}

/**
 * A number that may be absent. Arithmetic then begins with `initial`.
 *
 * @category models
 * @since 0.1.0
 */
export interface OptionalNumber<in out A extends number = number, out E = Failure>
  extends Optional<A, E>, Ordering<A, E>
{
  increment(by: number | Operand<number>, options: Initial<number>): Atomic<A, E | ArithmeticFailure>
  decrement(by: number | Operand<number>, options: Initial<number>): Atomic<A, E | ArithmeticFailure>
  multiply(by: number | Operand<number>, options: Initial<number>): Atomic<A, E | ArithmeticFailure>
  divide(by: number | Operand<number>, options: Initial<number>): Atomic<A, E | ArithmeticFailure>
  quotient(by: number | Operand<number>, options: Initial<number>): Atomic<A, E | ArithmeticFailure>
  modulo(by: number | Operand<number>, options: Initial<number>): Atomic<A, E | ArithmeticFailure>
  power(exponent: number, options: Initial<number>): Atomic<A, E | ArithmeticFailure>
  min(other: number | Operand<number>, options: Initial<number>): Atomic<A, E | ArithmeticFailure>
  max(other: number | Operand<number>, options: Initial<number>): Atomic<A, E | ArithmeticFailure>
  clamp(
    low: number | Operand<number>,
    high: number | Operand<number>,
    options: Initial<number>
  ): Atomic<A, E | ArithmeticFailure>
}

/**
 * A `bigint` that may be absent. Arithmetic then begins with `initial`.
 *
 * @category models
 * @since 0.1.0
 */
export interface OptionalBigInt<in out A extends bigint = bigint, out E = Failure>
  extends Optional<A, E>, Ordering<A, E>
{
  increment(by: bigint | Operand<bigint>, options: Initial<bigint>): Atomic<A, E | ArithmeticFailure>
  decrement(by: bigint | Operand<bigint>, options: Initial<bigint>): Atomic<A, E | ArithmeticFailure>
  multiply(by: bigint | Operand<bigint>, options: Initial<bigint>): Atomic<A, E | ArithmeticFailure>
  quotient(by: bigint | Operand<bigint>, options: Initial<bigint>): Atomic<A, E | ArithmeticFailure>
  modulo(by: bigint | Operand<bigint>, options: Initial<bigint>): Atomic<A, E | ArithmeticFailure>
  min(other: bigint | Operand<bigint>, options: Initial<bigint>): Atomic<A, E | ArithmeticFailure>
  max(other: bigint | Operand<bigint>, options: Initial<bigint>): Atomic<A, E | ArithmeticFailure>
  clamp(
    low: bigint | Operand<bigint>,
    high: bigint | Operand<bigint>,
    options: Initial<bigint>
  ): Atomic<A, E | ArithmeticFailure>
}

/**
 * A date, or a duration, that may be absent. Arithmetic then begins with `initial`.
 *
 * @category models
 * @since 0.1.0
 */
export interface OptionalTime<in out A, out E = Failure> extends Optional<A, E>, Ordering<A, E> {
  add(duration: Duration.Input, options: Initial<A>): Atomic<A, E | ArithmeticFailure>
  subtract(duration: Duration.Input, options: Initial<A>): Atomic<A, E | ArithmeticFailure>
}

// -----------------------------------------------------------------------------
// collections and their entries
// -----------------------------------------------------------------------------

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

// -----------------------------------------------------------------------------
// structs
// -----------------------------------------------------------------------------

/**
 * A nested struct: a handle for each of its fields, and `$` for the whole.
 *
 * @category models
 * @since 0.1.0
 */
export type Struct<A, Fields extends Schema.Struct.Fields> =
  & { readonly [K in keyof Fields]: Of<Fields[K]> }
  & { readonly $: Whole<A> }

/**
 * A nested struct as a whole.
 *
 * @category models
 * @since 0.1.0
 */
export interface Whole<in out A> {
  get(): Atomic<A, Failure | EntityCorrupted>
  set(value: A): Atomic<void, Failure>
  /** Whether each of its fields equals that of `value`. A struct with a collection is `InvalidValue`. */
  readonly eq: (value: A) => Condition<Failure>
  readonly neq: (value: A) => Condition<Failure>
}

// -----------------------------------------------------------------------------
// which handle a field has
// -----------------------------------------------------------------------------

type IsAny<T> = 0 extends 1 & T ? true : false
/** `"a" | "b"` and `1 | 2` are literals; `string`, `string & Brand<"X">` and `number` are not. */
type IsLiteral<T extends PropertyKey> = {} extends Record<T, 1> ? false : true
type IsLiteralBigInt<T extends bigint> = {} extends Record<`${T}`, 1> ? false : true
type IsTime<T, Encoded> = [T] extends [Date | DateTime.Utc | Duration.Duration] ? ([Encoded] extends [T] ? true : false)
  : false

/** The handle of a required value of type `T`, by the type alone. The encoded type tells a transformation apart. */
type OfType<T, Encoded, E> = IsAny<T> extends true ? Value<T, E>
  : unknown extends T ? Value<T, E>
  : [T] extends [never] ? Value<T, E>
  : [T] extends [boolean] ? ([Encoded] extends [boolean] ? (boolean extends T ? Bool<E> : Scalar<T, E>) : Value<T, E>)
  : [T] extends [string]
    ? ([Encoded] extends [string] ?
      (IsLiteral<T> extends true ? Scalar<T, E> : string extends T ? Text<T, E> : Scalar<T, E>)
      : Value<T, E>)
  : [T] extends [number]
    ? ([Encoded] extends [number] ? (IsLiteral<T> extends true ? Scalar<T, E> : Number<T, E>) : Value<T, E>)
  : [T] extends [bigint] ?
    ([Encoded] extends [bigint] ? (IsLiteralBigInt<T> extends true ? Value<T, E> : BigInt<T, E>) : Value<T, E>)
  : IsTime<T, Encoded> extends true ? Time<T, E>
  : Value<T, E>

/** The handle of a value that may be absent. */
type OptionalType<T, Encoded, E> = IsAny<T> extends true ? Optional<T, E>
  : unknown extends T ? Optional<T, E>
  : [T] extends [never] ? Optional<T, E>
  : [T] extends [number]
    ? ([Encoded] extends [number] ? (IsLiteral<T> extends true ? Optional<T, E> : OptionalNumber<T, E>)
      : Optional<T, E>)
  : [T] extends [bigint] ?
    ([Encoded] extends [bigint] ? (IsLiteralBigInt<T> extends true ? Optional<T, E> : OptionalBigInt<T, E>)
      : Optional<T, E>)
  : IsTime<T, Encoded> extends true ? OptionalTime<T, E>
  : Optional<T, E>

/** The handle of an entry of a map. */
type EntryType<T, Encoded, E = Failure | OutOfBounds> = IsAny<T> extends true ? Entry<T, E>
  : unknown extends T ? Entry<T, E>
  : [T] extends [never] ? Entry<T, E>
  : [T] extends [boolean] ?
    ([Encoded] extends [boolean] ? (boolean extends T ? BoolEntry<E> : Entry<T, E>) : Entry<T, E>)
  : [T] extends [string]
    ? ([Encoded] extends [string] ?
      (IsLiteral<T> extends true ? Entry<T, E> : string extends T ? TextEntry<T, E> : Entry<T, E>)
      : Entry<T, E>)
  : [T] extends [number]
    ? ([Encoded] extends [number] ? (IsLiteral<T> extends true ? Entry<T, E> : NumberEntry<T, E>) : Entry<T, E>)
  : [T] extends [bigint] ?
    ([Encoded] extends [bigint] ? (IsLiteralBigInt<T> extends true ? Entry<T, E> : BigIntEntry<T, E>) : Entry<T, E>)
  : IsTime<T, Encoded> extends true ? TimeEntry<T, E>
  : Entry<T, E>

/** The handle of a required field of type `T`: collections, then scalars. Maps come before sets, which they may pass for. */
type OfRequired<T, Encoded> = T extends readonly [any, ...Array<any>] | readonly [] ? Value<T>
  : T extends ReadonlyArray<infer A>
    ? Encoded extends ReadonlyArray<infer EncodedItem> ? List<A, OfType<A, EncodedItem, Failure | IndexOutOfRange>>
    : Value<T>
  : T extends HashMap.HashMap<infer K, infer A>
    ? Encoded extends HashMap.HashMap<any, infer EncodedItem> ? Map<K, A, T, EntryType<A, EncodedItem>> : Value<T>
  : T extends ReadonlyMap<infer K, infer A>
    ? Encoded extends ReadonlyMap<any, infer EncodedItem> ? Map<K, A, T, EntryType<A, EncodedItem>> : Value<T>
  : T extends HashSet.HashSet<infer A> ? Encoded extends HashSet.HashSet<any> ? Set<A, T> : Value<T>
  : T extends ReadonlySet<infer A> ? Encoded extends ReadonlySet<any> ? Set<A, T> : Value<T>
  : IsRecord<T> extends true ?
    Encoded extends { readonly [x: string]: infer EncodedItem }
      ? Map<Extract<keyof T, string>, T[keyof T], T, EntryType<T[keyof T], EncodedItem>>
    : Value<T>
  : OfType<T, Encoded, Failure>

/** An object of which only the type of its keys is known, and these are texts. */
type IsRecord<T> = T extends object ? [keyof T] extends [never] ? false
  : [keyof T] extends [string | number] ? [Extract<keyof T, string>] extends [never] ? false
    : {} extends { [K in keyof T]-?: 1 } ? ({} extends Record<Extract<keyof T, string>, 1> ? true : false)
    : false
  : false
  : false

type IsUnion<T, U = T> = T extends any ? [U] extends [T] ? false : true : never

/**
 * The handle of a field, by its schema.
 *
 * @category models
 * @since 0.1.0
 */
export type Of<S extends Schema.Constraint> = S extends { readonly "~type.optionality": "optional" }
  ? IsAny<S["Type"]> extends true ? Optional<S["Type"]>
  : OptionalType<Exclude<S["Type"], undefined>, Exclude<S["Encoded"], undefined>, Failure>
  : IsAny<S["Type"]> extends true ? Value<S["Type"]>
  : unknown extends S["Type"] ? Value<S["Type"]>
  : undefined extends S["Type"] ? OptionalType<Exclude<S["Type"], undefined>, Exclude<S["Encoded"], undefined>, Failure>
  : S["ast"] extends { readonly "~redlayer/json": true } ? Value<S["Type"]>
  : S["ast"] extends { readonly "~redlayer/sortedSet": true }
    ? S["Type"] extends ReadonlyArray<Scored<infer A>> ? SortedSet<A> : never
  : [S["Type"]] extends [null] ? Value<S["Type"]>
  : null extends S["Type"] ?
    null extends S["Encoded"] ? OptionalType<Exclude<S["Type"], null>, Exclude<S["Encoded"], null>, Failure>
    : Value<S["Type"]>
  : S extends { readonly fields: infer Fields extends Schema.Struct.Fields } ? Struct<S["Type"], Fields>
  : IsUnion<S["Type"]> extends true ? OfType<S["Type"], S["Encoded"], Failure>
  : OfRequired<S["Type"], S["Encoded"]>
