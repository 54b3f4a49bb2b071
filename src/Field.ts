/**
 * The fields of one entity, as `Model.ref(id)` returns them: which operations each kind of field has. Every operation
 * is an `Atomic`: yielded, it runs alone in one round trip; composed, it is part of a larger program. Every operation
 * fails with `EntityNotFound` if the entity is missing, and none brings it back.
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
 * The errors of every operation on a field.
 *
 * @category models
 * @since 0.1.0
 */
export type Failure = EntityNotFound | InvalidValue

/**
 * A server-side reference to another field's value, read at the moment the operation runs. It stands in place of an
 * amount or a value.
 *
 * @category models
 * @since 0.1.0
 */
export interface Operand<out A, out E = Failure> {
  readonly "~redlayer/Operand": { readonly _A: Types.Covariant<A>; readonly _E: Types.Covariant<E> }
}

/**
 * A number that the server reads and computes with. If the result is not finite, or is a division by zero, the
 * operation that takes it fails with `ArithmeticError`.
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
  /** The sum. */
  plus(that: number | Operand<number>): NumberOperand<number, E>
  /** The difference. */
  minus(that: number | Operand<number>): NumberOperand<number, E>
  /** The product. */
  times(that: number | Operand<number>): NumberOperand<number, E>
  /** The quotient, as JavaScript divides. */
  dividedBy(that: number | Operand<number>): NumberOperand<number, E>
  /** The quotient, truncated towards zero. */
  quotient(that: number | Operand<number>): NumberOperand<number, E>
  /** The remainder, with the sign of the first operand. */
  modulo(that: number | Operand<number>): NumberOperand<number, E>
  /** The smaller one. */
  min(that: number | Operand<number>): NumberOperand<number, E>
  /** The greater one. */
  max(that: number | Operand<number>): NumberOperand<number, E>
}

/**
 * A `bigint` that the server reads and computes with.
 *
 * @category models
 * @since 0.1.0
 */
export interface BigIntOperand<out A = bigint, out E = Failure> extends Operand<A, E> {
  /** The sum. */
  plus(that: bigint | Operand<bigint>): BigIntOperand<bigint, E>
  /** The difference. */
  minus(that: bigint | Operand<bigint>): BigIntOperand<bigint, E>
  /** The product. */
  times(that: bigint | Operand<bigint>): BigIntOperand<bigint, E>
  /** The quotient, truncated towards zero. */
  quotient(that: bigint | Operand<bigint>): BigIntOperand<bigint, E>
  /** The remainder, with the sign of the first operand. */
  modulo(that: bigint | Operand<bigint>): BigIntOperand<bigint, E>
  /** The smaller one. */
  min(that: bigint | Operand<bigint>): BigIntOperand<bigint, E>
  /** The greater one. */
  max(that: bigint | Operand<bigint>): BigIntOperand<bigint, E>
}

/**
 * Comparisons for equality, on the server. A missing field equals nothing.
 *
 * @category models
 * @since 0.1.0
 */
export interface Equality<in A, out E = Failure> {
  /** Whether the field equals a value, or an operand. */
  readonly eq: Compare<A, E>
  /** Whether the field differs from a value, or an operand. True if the field is missing. */
  readonly neq: Compare<A, E>
}

/**
 * A comparison with a value, or with an operand.
 *
 * @category models
 * @since 0.1.0
 */
export interface Compare<in A, out E> {
  /** Compares with a value. */
  (value: A): Condition<E>
  /** Compares with an operand. */
  (value: Operand<A>): Condition<E | ArithmeticError>
}

/**
 * Comparisons by order, on the server: numbers and times by value, texts by their bytes in UTF-8. A missing field is
 * neither less nor greater.
 *
 * @category models
 * @since 0.1.0
 */
export interface Ordering<in A, out E = Failure> {
  /** Whether the field is less. */
  readonly lt: Compare<A, E>
  /** Whether the field is less or equal. */
  readonly lte: Compare<A, E>
  /** Whether the field is greater. */
  readonly gt: Compare<A, E>
  /** Whether the field is greater or equal. */
  readonly gte: Compare<A, E>
}

/**
 * The size of a collection: a program that returns it, which can also be compared, and be an operand.
 *
 * @category models
 * @since 0.1.0
 */
export interface Count<out E = Failure> extends Atomic<number, E>, Equality<number, E>, Ordering<number, E> {
  /** The size, usable as an operand of another operation. */
  value(): NumberOperand<number, E>
}

/**
 * Any value: read, compared and replaced as a whole. One round trip each.
 *
 * @category models
 * @since 0.1.0
 */
export interface Value<in out A, out E = Failure> extends Equality<A, E> {
  /** Returns the value. */
  get(): Atomic<A, E>
  // A property, not a method, so that parameters are checked contravariantly: a handle of `"a" | "b"` is not assignable to a handle
  // of `string`.
  readonly set: {
    /** Replaces the value. */
    (value: A): Atomic<void, E>
    /** Replaces the value with that of another field, under the checks of this one. */
    (value: Operand<A>): Atomic<void, E | ArithmeticFailure>
  }
  /** Replaces `expected` with `value`. Returns true if it did. Texts compare exactly, numbers as numbers. */
  compareAndSet(expected: A, value: A): Atomic<boolean, E>
  /** The stored value, usable as an operand of another operation of the same program. */
  value(): Operand<A, E>
}

/**
 * A literal, an enum or a branded text. Text and numbers extend it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Scalar<in out A, out E = Failure> extends Value<A, E> {
  readonly in: {
    /** Whether the value is one of these. */
    (values: ReadonlyArray<A>): Condition<E>
  }
  /** Replaces the value, and returns the one before. */
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
   * Appends to the text. Returns the new length in UTF-16 units. Fails with `OutOfBounds` if the schema refuses the
   * length, and with `InvalidValue` above 1,000,000 bytes.
   */
  append(text: string | Operand<string>): Atomic<number, E | OutOfBounds>
}

/**
 * Bounds for one operation, beside those of the schema. A result outside of them fails with `OutOfBounds`, and nothing
 * is written.
 *
 * @category models
 * @since 0.1.0
 */
export interface Bounds<in out A = number> {
  /** The smallest result that is accepted. */
  readonly atLeast?: A | undefined
  /** The greatest result that is accepted. */
  readonly atMost?: A | undefined
}

/**
 * The value that an operation starts from if the field is missing, and bounds for the result.
 *
 * @category models
 * @since 0.1.0
 */
export interface Initial<in out A> extends Bounds<A> {
  /** The value of a missing field. */
  readonly initial: A
}

/**
 * The errors of arithmetic, beside those of every operation.
 *
 * @category models
 * @since 0.1.0
 */
export type ArithmeticFailure = OutOfBounds | ArithmeticError

/**
 * A number. Each operation computes on the server and returns the new value, the same to the last bit as JavaScript. It
 * fails with `ArithmeticError` if the result is not finite, is not whole on an integer field, is beyond ±(2^53−1)
 * there, or is a division by zero, and with `OutOfBounds` if it breaks a bound. Nothing is written then.
 *
 * **When to use**
 *
 * Use `increment` and `decrement` to count: they never lose an update. To replace a value that you know use `set`; to
 * replace it only if it is unchanged use `compareAndSet`.
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
  /** The stored number, usable as an operand of another operation of the same program. */
  value(): NumberOperand<A, E>
  /** Adds `by`. Default: 1. Returns the new value. O(1). */
  increment(by?: number | Operand<number>, bounds?: Bounds): Atomic<A, E | ArithmeticFailure>
  /** Subtracts `by`. Default: 1. Returns the new value. O(1). */
  decrement(by?: number | Operand<number>, bounds?: Bounds): Atomic<A, E | ArithmeticFailure>
  /** Multiplies by `by`. Returns the new value. */
  multiply(by: number | Operand<number>, bounds?: Bounds): Atomic<A, E | ArithmeticFailure>
  /** Divides by `by`. Returns the new value. */
  divide(by: number | Operand<number>, bounds?: Bounds): Atomic<A, E | ArithmeticFailure>
  /** Divides by `by` and truncates towards zero. Returns the new value. */
  quotient(by: number | Operand<number>, bounds?: Bounds): Atomic<A, E | ArithmeticFailure>
  /** Replaces the value with the remainder of that division, which has the sign of the value. Returns it. */
  modulo(by: number | Operand<number>, bounds?: Bounds): Atomic<A, E | ArithmeticFailure>
  /** Raises to a whole exponent, by multiplication; or to 0.5, the square root. Returns the new value. */
  power(exponent: number, bounds?: Bounds): Atomic<A, E | ArithmeticFailure>
  /** Keeps the smaller of the value and `other`. Returns it. */
  min(other: number | Operand<number>, bounds?: Bounds): Atomic<A, E | ArithmeticFailure>
  /** Keeps the greater of the value and `other`. Returns it. */
  max(other: number | Operand<number>, bounds?: Bounds): Atomic<A, E | ArithmeticFailure>
  /** Limits the value to `low` … `high`. Returns the new value. */
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
  /** Inverts the value. Returns the new one. */
  toggle(): Atomic<boolean, E>
}

/**
 * A `bigint`, exact to both ends of 64 bits. A result beyond them, or a division by zero, fails with `ArithmeticError`.
 *
 * @category models
 * @since 0.1.0
 */
export interface BigInt<in out A extends bigint = bigint, out E = Failure> extends Scalar<A, E>, Ordering<A, E> {
  /** The stored number, usable as an operand of another operation of the same program. */
  value(): BigIntOperand<A, E>
  /** Adds `by`. Default: 1. Returns the new value. O(1). */
  increment(by?: bigint | Operand<bigint>, bounds?: Bounds<bigint>): Atomic<A, E | ArithmeticFailure>
  /** Subtracts `by`. Default: 1. Returns the new value. O(1). */
  decrement(by?: bigint | Operand<bigint>, bounds?: Bounds<bigint>): Atomic<A, E | ArithmeticFailure>
  /** Multiplies by `by`. Returns the new value. */
  multiply(by: bigint | Operand<bigint>, bounds?: Bounds<bigint>): Atomic<A, E | ArithmeticFailure>
  /** Divides by `by` and truncates towards zero. Returns the new value. */
  quotient(by: bigint | Operand<bigint>, bounds?: Bounds<bigint>): Atomic<A, E | ArithmeticFailure>
  /** Replaces the value with the remainder of that division, which has the sign of the value. Returns it. */
  modulo(by: bigint | Operand<bigint>, bounds?: Bounds<bigint>): Atomic<A, E | ArithmeticFailure>
  /** Keeps the smaller of the value and `other`. Returns it. */
  min(other: bigint | Operand<bigint>, bounds?: Bounds<bigint>): Atomic<A, E | ArithmeticFailure>
  /** Keeps the greater of the value and `other`. Returns it. */
  max(other: bigint | Operand<bigint>, bounds?: Bounds<bigint>): Atomic<A, E | ArithmeticFailure>
  /** Limits the value to `low` … `high`. Returns the new value. */
  clamp(
    low: bigint | Operand<bigint>,
    high: bigint | Operand<bigint>,
    bounds?: Bounds<bigint>
  ): Atomic<A, E | ArithmeticFailure>
}

/**
 * A `Date`, a `DateTime.Utc` or a `Duration`, to which durations can be added. A date moves by whole milliseconds. A
 * result beyond the range of dates fails with `ArithmeticError`.
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
  /** Moves the value by a duration, which may be negative. Returns the new value. */
  add(duration: Duration.Input, bounds?: Bounds<A>): Atomic<A, E | ArithmeticFailure>
  /** Moves the value back by a duration. Returns the new value. */
  subtract(duration: Duration.Input, bounds?: Bounds<A>): Atomic<A, E | ArithmeticFailure>
}

/**
 * A field that may be missing: optional, or `null`.
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
  /** Returns `Option.some` of the value, or `Option.none` if it is missing. */
  get(): Atomic<Option.Option<A>, E>
  /** Whether the field is stored. */
  isSet(): Condition<E>
  /** Replaces the value. */
  set(value: A): Atomic<void, E>
  /** Sets the field if it is missing. Returns true if it did. */
  setIfAbsent(value: A): Atomic<boolean, E>
  /** Removes the value, or sets it to `null` on a nullable field. */
  clear(): Atomic<void, E>
  /** Replaces `expected` with `value`. Returns true if it did, and false if the field is missing. */
  compareAndSet(expected: A, value: A): Atomic<boolean, E>
}

/**
 * A number that may be missing. Arithmetic then starts from `initial`.
 *
 * @category models
 * @since 0.1.0
 */
export interface OptionalNumber<in out A extends number = number, out E = Failure>
  extends Optional<A, E>, Ordering<A, E>
{
  /** Adds `by` to the value, or to `initial` if the field is missing. Returns the new value. O(1). */
  increment(by: number | Operand<number>, options: Initial<number>): Atomic<A, E | ArithmeticFailure>
  /** Subtracts `by` from the value, or from `initial` if the field is missing. Returns the new value. O(1). */
  decrement(by: number | Operand<number>, options: Initial<number>): Atomic<A, E | ArithmeticFailure>
  /** Multiplies by `by`. A missing field counts as `initial`. Returns the new value. */
  multiply(by: number | Operand<number>, options: Initial<number>): Atomic<A, E | ArithmeticFailure>
  /** Divides by `by`. A missing field counts as `initial`. Returns the new value. */
  divide(by: number | Operand<number>, options: Initial<number>): Atomic<A, E | ArithmeticFailure>
  /** Divides by `by` and truncates towards zero. A missing field counts as `initial`. Returns the new value. */
  quotient(by: number | Operand<number>, options: Initial<number>): Atomic<A, E | ArithmeticFailure>
  /**
   * Replaces the value with the remainder of that division, which has the sign of the value. A missing field counts as
   * `initial`. Returns it.
   */
  modulo(by: number | Operand<number>, options: Initial<number>): Atomic<A, E | ArithmeticFailure>
  /**
   * Raises to a whole exponent, by multiplication; or to 0.5, the square root. A missing field counts as `initial`.
   * Returns the new value.
   */
  power(exponent: number, options: Initial<number>): Atomic<A, E | ArithmeticFailure>
  /** Keeps the smaller of the value and `other`. A missing field counts as `initial`. Returns it. */
  min(other: number | Operand<number>, options: Initial<number>): Atomic<A, E | ArithmeticFailure>
  /** Keeps the greater of the value and `other`. A missing field counts as `initial`. Returns it. */
  max(other: number | Operand<number>, options: Initial<number>): Atomic<A, E | ArithmeticFailure>
  /** Limits the value to `low` … `high`. A missing field counts as `initial`. Returns the new value. */
  clamp(
    low: number | Operand<number>,
    high: number | Operand<number>,
    options: Initial<number>
  ): Atomic<A, E | ArithmeticFailure>
}

/**
 * A `bigint` that may be missing. Arithmetic then starts from `initial`.
 *
 * @category models
 * @since 0.1.0
 */
export interface OptionalBigInt<in out A extends bigint = bigint, out E = Failure>
  extends Optional<A, E>, Ordering<A, E>
{
  /** Adds `by` to the value, or to `initial` if the field is missing. Returns the new value. O(1). */
  increment(by: bigint | Operand<bigint>, options: Initial<bigint>): Atomic<A, E | ArithmeticFailure>
  /** Subtracts `by` from the value, or from `initial` if the field is missing. Returns the new value. O(1). */
  decrement(by: bigint | Operand<bigint>, options: Initial<bigint>): Atomic<A, E | ArithmeticFailure>
  /** Multiplies by `by`. A missing field counts as `initial`. Returns the new value. */
  multiply(by: bigint | Operand<bigint>, options: Initial<bigint>): Atomic<A, E | ArithmeticFailure>
  /** Divides by `by` and truncates towards zero. A missing field counts as `initial`. Returns the new value. */
  quotient(by: bigint | Operand<bigint>, options: Initial<bigint>): Atomic<A, E | ArithmeticFailure>
  /**
   * Replaces the value with the remainder of that division, which has the sign of the value. A missing field counts as
   * `initial`. Returns it.
   */
  modulo(by: bigint | Operand<bigint>, options: Initial<bigint>): Atomic<A, E | ArithmeticFailure>
  /** Keeps the smaller of the value and `other`. A missing field counts as `initial`. Returns it. */
  min(other: bigint | Operand<bigint>, options: Initial<bigint>): Atomic<A, E | ArithmeticFailure>
  /** Keeps the greater of the value and `other`. A missing field counts as `initial`. Returns it. */
  max(other: bigint | Operand<bigint>, options: Initial<bigint>): Atomic<A, E | ArithmeticFailure>
  /** Limits the value to `low` … `high`. A missing field counts as `initial`. Returns the new value. */
  clamp(
    low: bigint | Operand<bigint>,
    high: bigint | Operand<bigint>,
    options: Initial<bigint>
  ): Atomic<A, E | ArithmeticFailure>
}

/**
 * A date or a duration that may be missing. Arithmetic then starts from `initial`.
 *
 * @category models
 * @since 0.1.0
 */
export interface OptionalTime<in out A, out E = Failure> extends Optional<A, E>, Ordering<A, E> {
  /** Moves the value, or `initial` if it is missing, by a duration. Returns the new value. */
  add(duration: Duration.Input, options: Initial<A>): Atomic<A, E | ArithmeticFailure>
  /** Moves the value, or `initial` if it is missing, back by a duration. Returns the new value. */
  subtract(duration: Duration.Input, options: Initial<A>): Atomic<A, E | ArithmeticFailure>
}

// -----------------------------------------------------------------------------
// collections and their entries
// -----------------------------------------------------------------------------

/**
 * A list: O(1) at both ends. Positions are those of `Array.prototype.slice` and `at`: negative ones count from the end.
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
 * @category models
 * @since 0.1.0
 */
export interface List<in out A, out Item> {
  /** Returns all items. O(n). */
  get(): Atomic<ReadonlyArray<A>, Failure>
  /** Replaces all items. O(n). */
  set(items: ReadonlyArray<A>): Atomic<void, Failure>
  /** The number of items. O(1). */
  length(): Count
  /** Returns the items from `start` to `end`, exclusive. Default: all. O(n). */
  slice(start?: number, end?: number): Atomic<ReadonlyArray<A>, Failure>
  /**
   * Adds at the end. Returns the new length. With `keep`, only that many of the newest items stay. An array is several
   * items, even if an item may be an array. O(1) for each.
   */
  append(item: One<A> | ReadonlyArray<A>, options?: { readonly keep?: number | undefined }): Atomic<
    number,
    Failure | OutOfBounds
  >
  /** Adds at the front, in the order given. Returns the new length. O(1) for each. */
  prepend(item: One<A> | ReadonlyArray<A>): Atomic<number, Failure | OutOfBounds>
  /** Whether an item is equal. O(n). */
  contains(item: A): Condition<Failure>
  /**
   * Inserts before the item at a position, or at the end. Returns the new length. Fails with `IndexOutOfRange` outside
   * 0 … length. O(n) in the middle.
   */
  insert(index: number, item: One<A> | ReadonlyArray<A>): Atomic<number, Failure | OutOfBounds | IndexOutOfRange>
  /** Removes and returns the last item. O(1). */
  pop(): Atomic<Option.Option<A>, Failure | OutOfBounds>
  /** Removes and returns the first item. O(1). */
  shift(): Atomic<Option.Option<A>, Failure | OutOfBounds>
  /** Removes every item that is equal. Returns how many there were. O(n). */
  remove(item: A): Atomic<number, Failure | OutOfBounds>
  /** Removes the items from `start` to `end`, exclusive. O(1) for each item at an end, O(n) in the middle. */
  removeRange(start: number, end?: number): Atomic<void, Failure | OutOfBounds>
  /** Keeps only the items from `start` to `end`, exclusive. O(items removed). */
  trim(start: number, end?: number): Atomic<void, Failure | OutOfBounds>
  /** Removes all items. O(1), in the background O(n). */
  clear(): Atomic<void, Failure>
  /**
   * The item at a position. Its operations fail with `IndexOutOfRange` if there is no such item. O(n) in the middle.
   */
  at(index: number): Item
}

/** An item by itself, where an array is several. */
type One<A> = A extends ReadonlyArray<any> ? never : A

/**
 * A set: each member once, in no order. `Whole` is the type of the field, a `ReadonlySet` or a `HashSet`. Members are
 * equal if their canonical JSON is.
 *
 * **When to use**
 *
 * Use for membership and tags. For members with a score use `Model.sortedSet`.
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
  /** Returns all members. O(n). */
  get(): Atomic<Whole, Failure>
  /** Replaces all members. O(n). */
  set(members: Whole): Atomic<void, Failure>
  /** Returns all members. O(n). */
  values(): Atomic<Whole, Failure>
  /** The number of members. O(1). */
  size(): Count
  /** Whether it is a member. O(1). */
  has(member: A): Condition<Failure>
  /** Adds a member, or an array of members. Returns how many are new. O(1) for each. */
  add(member: One<A> | ReadonlyArray<A>): Atomic<number, Failure | OutOfBounds>
  /** Removes a member. Returns whether it was one. O(1). */
  remove(member: A): Atomic<boolean, Failure | OutOfBounds>
  /** Removes several members. Returns how many there were. */
  removeAll(members: ReadonlyArray<A>): Atomic<number, Failure | OutOfBounds>
  /** Removes and returns any one member, chosen by the server. O(1). */
  pop(): Atomic<Option.Option<A>, Failure | OutOfBounds>
  /** Removes all members. O(1), in the background O(n). */
  clear(): Atomic<void, Failure>
  /**
   * Returns the members of this set and of another. Both entities must exist; on a cluster they must share a slot.
   * O(n).
   */
  union(other: Set<A, any>): Atomic<Whole, Failure>
  /** Returns the members of this set that are in another, too. O(n). */
  intersection(other: Set<A, any>): Atomic<Whole, Failure>
  /** Returns the members of this set that are not in another. O(n). */
  difference(other: Set<A, any>): Atomic<Whole, Failure>
}

/**
 * A record, a `ReadonlyMap` or a `HashMap`: each entry is reached by its key, O(1). `Entry` is the handle of one entry.
 *
 * **When to use**
 *
 * Use for counters and values by name, of which single entries are written.
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
  /** Returns all entries. O(n). */
  get(): Atomic<Whole, Failure>
  /** Replaces all entries. O(n). */
  set(entries: Whole): Atomic<void, Failure>
  /** The number of entries. O(1). */
  size(): Count
  /** Returns the keys, in no order. O(n). */
  keys(): Atomic<ReadonlyArray<K>, Failure>
  /** Whether the entry exists. O(1). */
  has(key: K): Condition<Failure>
  /** Sets an entry, whether it exists or not. O(1). */
  put(key: K, value: A): Atomic<void, Failure | OutOfBounds>
  /** Sets several entries, and leaves the others. O(1) for each. */
  putAll(entries: Whole): Atomic<void, Failure | OutOfBounds>
  /** Removes an entry. Returns whether it existed. O(1). */
  remove(key: K): Atomic<boolean, Failure | OutOfBounds>
  /** Removes several entries. Returns how many existed. */
  removeAll(keys: ReadonlyArray<K>): Atomic<number, Failure | OutOfBounds>
  /** Removes an entry. Returns its value. O(1). */
  pop(key: K): Atomic<Option.Option<A>, Failure | OutOfBounds>
  /** Removes and returns any one entry, chosen by the server. O(1). */
  popAny(): Atomic<Option.Option<readonly [key: K, value: A]>, Failure | OutOfBounds>
  /** Removes all entries. O(1), in the background O(n). */
  clear(): Atomic<void, Failure>
  /** The entry of a key, which may be missing. */
  at(key: K): Entry
}

/**
 * An entry of a map, which may be missing. It can be written whether it exists or not.
 *
 * @category models
 * @since 0.1.0
 */
export interface Entry<in out A, out E = Failure | OutOfBounds> extends Optional<A, E> {
  /** Sets the entry, and returns the value before. */
  getAndSet(value: A): Atomic<Option.Option<A>, E>
}

/**
 * An entry that is a text. A missing one counts as the empty text.
 *
 * @category models
 * @since 0.1.0
 */
export interface TextEntry<in out A extends string = string, out E = Failure | OutOfBounds>
  extends Entry<A, E>, Ordering<A, E>
{
  /** Appends to the text. Returns the new length in UTF-16 units. */
  append(text: string | Operand<string>): Atomic<number, E>
}

/**
 * An entry that is a boolean. A missing one counts as `false`.
 *
 * @category models
 * @since 0.1.0
 */
export interface BoolEntry<out E = Failure | OutOfBounds> extends Entry<boolean, E> {
  /** Inverts the value. Returns the new one. */
  toggle(): Atomic<boolean, E>
}

/**
 * An entry that is a number. Counters start from 0, other arithmetic from the given `initial`.
 *
 * @category models
 * @since 0.1.0
 */
export interface NumberEntry<in out A extends number = number, out E = Failure | OutOfBounds>
  extends Entry<A, E>, Omit<OptionalNumber<A, E>, "increment" | "decrement">
{
  /**
   * Adds `by` (default: 1) to the entry, or to `initial` (default: 0) if it is missing. Returns the new value. O(1).
   */
  increment(by?: number | Operand<number>, options?: Partial<Initial<number>>): Atomic<A, E | ArithmeticFailure>
  /**
   * Subtracts `by` (default: 1) from the entry, or from `initial` (default: 0) if it is missing. Returns the new value.
   * O(1).
   */
  decrement(by?: number | Operand<number>, options?: Partial<Initial<number>>): Atomic<A, E | ArithmeticFailure>
}

/**
 * An entry that is a `bigint`. Counters start from 0, other arithmetic from the given `initial`.
 *
 * @category models
 * @since 0.1.0
 */
export interface BigIntEntry<in out A extends bigint = bigint, out E = Failure | OutOfBounds>
  extends Entry<A, E>, Omit<OptionalBigInt<A, E>, "increment" | "decrement">
{
  /**
   * Adds `by` (default: 1) to the entry, or to `initial` (default: 0) if it is missing. Returns the new value. O(1).
   */
  increment(by?: bigint | Operand<bigint>, options?: Partial<Initial<bigint>>): Atomic<A, E | ArithmeticFailure>
  /**
   * Subtracts `by` (default: 1) from the entry, or from `initial` (default: 0) if it is missing. Returns the new value.
   * O(1).
   */
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
  /** The member. */
  readonly member: A
  /** A number, which may be infinite but not `NaN`. */
  readonly score: number
}

/**
 * A sorted set (`Model.sortedSet`): each member once, with a score, in the order of the scores. Equal scores are in the
 * order of the members' stored bytes. O(log n).
 *
 * **When to use**
 *
 * Use for rankings, and for queues by priority or due time.
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
  /** Returns all members with their scores, the lowest first. O(n). */
  get(): Atomic<ReadonlyArray<Scored<A>>, Failure>
  /** Replaces all members. O(n log n). */
  set(entries: ReadonlyArray<Scored<A>>): Atomic<void, Failure>
  /** The number of members. O(1). */
  size(): Count
  /** Whether it is a member. O(1). */
  has(member: A): Condition<Failure>
  /** Adds a member, or changes its score. Returns true if it is new. O(log n). */
  add(member: A, score: number): Atomic<boolean, Failure | OutOfBounds>
  /** Adds several members. Returns how many are new. O(n log n). */
  addAll(entries: ReadonlyArray<Scored<A>>): Atomic<number, Failure | OutOfBounds>
  /** Adds to the score of a member; a new member begins with 0. Returns the new score. O(log n). */
  increment(member: A, by?: number): Atomic<number, Failure | ArithmeticFailure>
  /** Removes a member. Returns true if it was one. O(log n). */
  remove(member: A): Atomic<boolean, Failure | OutOfBounds>
  /** Removes several members. Returns how many there were. O(n log n). */
  removeAll(members: ReadonlyArray<A>): Atomic<number, Failure | OutOfBounds>
  /** Returns the score of a member, or `Option.none`. O(1). */
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
  /** Removes all members. O(1), in the background O(n). */
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
  /** Returns the struct. O(fields). */
  get(): Atomic<A, Failure | EntityCorrupted>
  /** Replaces the struct. O(fields). */
  set(value: A): Atomic<void, Failure>
  readonly eq: {
    /** Whether each field equals that of `value`. A struct with a collection fails with `InvalidValue`. */
    (value: A): Condition<Failure>
  }
  readonly neq: {
    /** Whether some field differs from that of `value`. A struct with a collection fails with `InvalidValue`. */
    (value: A): Condition<Failure>
  }
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
