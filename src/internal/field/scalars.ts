/**
 * The types of the handles of scalars: a field, an item of a list, an entry of a map. `Field` exports them.
 */
import type * as Duration from "effect/Duration"
import type * as Option from "effect/Option"
import type { Atomic } from "../../Atomic.ts"
import type { Condition } from "../../Condition.ts"
import type { ArithmeticError, OutOfBounds } from "../../DomainError.ts"
import type { BigIntOperand, Failure, NumberOperand, Operand, TimeOperand } from "./operands.ts"

/**
 * Comparisons for equality, which the server evaluates. A missing field equals nothing.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Equality<in A, out E = Failure, in Given = A> {
  /** Whether the field equals a value or an operand. False if the field is missing. */
  readonly eq: Compare<A, E, Given>
  /** Whether the field differs from a value or an operand. True if the field is missing. */
  readonly neq: Compare<A, E, Given>
}

/**
 * A comparison with a value, or with an operand. `Given` is the type of the value: `A`, but for a duration all that Effect
 * takes as one.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Compare<in A, out E, in Given = A> {
  /** Compares the field with a value, on the server. */
  (value: Given): Condition<E>
  /** Compares the field with an operand, on the server. Fails with `ArithmeticError` if the operand has no result. */
  (value: Given | Operand<A>): Condition<E | ArithmeticError>
}

/**
 * Comparisons by order, which the server evaluates: numbers and times by value, texts by their bytes in UTF-8. A
 * missing field is neither less nor greater.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Ordering<in A, out E = Failure, in Given = A> {
  /** Whether the field is less than a value or an operand. */
  readonly lt: Compare<A, E, Given>
  /** Whether the field is less than a value or an operand, or equal. */
  readonly lte: Compare<A, E, Given>
  /** Whether the field is greater than a value or an operand. */
  readonly gt: Compare<A, E, Given>
  /** Whether the field is greater than a value or an operand, or equal. */
  readonly gte: Compare<A, E, Given>
}

/**
 * Any value: it is read, compared and replaced as a whole.
 *
 * **When to use**
 *
 * Use `set` to replace a value whose old value does not matter, `compareAndSet` to replace it only if it is unchanged,
 * and `getAndSet` of a {@link Scalar} to learn the old value. To compute from the old value use the operations of the
 * field, or `Model.modify`.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Value<in out A, out E = Failure> extends Equality<A, E> {
  /** Returns the value. Fails with `EntityNotFound` if the entity is missing. */
  get(): Atomic<A, E>
  // A property, not a method, so that parameters are checked contravariantly: a handle of `"a" | "b"` is not assignable
  // to a handle of `string`.
  readonly set: {
    /** Replaces the value. Fails with `InvalidValue` if the value breaks a check of the schema. */
    (value: A): Atomic<void, E>
    /**
     * Replaces the value with that of an operand, which the server reads. Fails with `OutOfBounds` if the value breaks
     * a bound of this field, and with `ArithmeticError` if it cannot be computed.
     */
    (value: A | Operand<A>): Atomic<void, E | ArithmeticFailure>
  }
  /**
   * Replaces `expected` with `value`. Returns true if it did, and false if the field has another value. Texts compare
   * exactly, numbers as numbers.
   */
  compareAndSet(expected: A, value: A): Atomic<boolean, E>
  /**
   * The same, or `default` if there is no such value, as an item of a list may not be there. Then the operation that takes
   * it does not fail with `IndexOutOfRange`.
   */
  value(options: Default<A>): Operand<A, Failure>
  /** The stored value, usable as an operand of another operation of the same program. */
  value(): Operand<A, E>
}

/**
 * A literal, an enum or a branded text: its value can be exchanged, and compared with several. Texts, numbers, booleans
 * and times extend it.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Scalar<in out A, out E = Failure> extends Value<A, E> {
  readonly in: {
    /** Whether the field has one of these values. O(values). */
    (values: ReadonlyArray<A>): Condition<E>
  }
  /** Replaces the value. Returns the value before. */
  getAndSet(value: A): Atomic<A, E>
}

/**
 * A text: it can be appended to, and is ordered by its bytes in UTF-8.
 *
 * @stability unstable
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
 * Bounds for one operation, in addition to those of the schema. A result outside of them fails with `OutOfBounds`, and
 * nothing is written.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Bounds<in out A = number> {
  /** The smallest accepted result. Default: the schema's. */
  readonly atLeast?: A | undefined
  /** The greatest accepted result. Default: the schema's. */
  readonly atMost?: A | undefined
}

/**
 * The value that an operation starts from if the field is missing, and bounds for the result.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Initial<in out A> extends Bounds<A> {
  /** The value of a missing field. */
  readonly initial: A
}

/**
 * The errors of arithmetic, in addition to those of every operation.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export type ArithmeticFailure = OutOfBounds | ArithmeticError

/** The arithmetic that all numbers share. `Options` are the arguments after the amounts. */
interface Arithmetic<in out A, out E, in out Amount, in out Options extends ReadonlyArray<unknown>> {
  /** Multiplies by `by`. Returns the new value. Fails with `OutOfBounds` or `ArithmeticError`. */
  multiply(by: Amount | Operand<Amount>, ...options: Options): Atomic<A, E | ArithmeticFailure>
  /** Divides by `by`, truncated towards zero. Returns the new value. Fails with `OutOfBounds` or `ArithmeticError`. */
  quotient(by: Amount | Operand<Amount>, ...options: Options): Atomic<A, E | ArithmeticFailure>
  /**
   * Replaces the value with the remainder of a division by `by`, which has the sign of the value. Returns the new
   * value. Fails with `OutOfBounds` or `ArithmeticError`.
   */
  modulo(by: Amount | Operand<Amount>, ...options: Options): Atomic<A, E | ArithmeticFailure>
  /** Keeps the smaller of the value and `other`. Returns it. Fails with `OutOfBounds` or `ArithmeticError`. */
  min(other: Amount | Operand<Amount>, ...options: Options): Atomic<A, E | ArithmeticFailure>
  /** Keeps the greater of the value and `other`. Returns it. Fails with `OutOfBounds` or `ArithmeticError`. */
  max(other: Amount | Operand<Amount>, ...options: Options): Atomic<A, E | ArithmeticFailure>
  /** Limits the value to `low` … `high`. Returns the new value. Fails with `OutOfBounds` or `ArithmeticError`. */
  clamp(
    low: Amount | Operand<Amount>,
    high: Amount | Operand<Amount>,
    ...options: Options
  ): Atomic<A, E | ArithmeticFailure>
}

/** The arithmetic of JavaScript's numbers. */
interface FloatArithmetic<in out A, out E, in out Options extends ReadonlyArray<unknown>>
  extends Arithmetic<A, E, number, Options>
{
  /** Divides by `by`. Returns the new value. Fails with `OutOfBounds` or `ArithmeticError`. */
  divide(by: number | Operand<number>, ...options: Options): Atomic<A, E | ArithmeticFailure>
  /**
   * Raises to a whole exponent, by multiplication; or to 0.5, the square root. Returns the new value. Fails with
   * `OutOfBounds` or `ArithmeticError`.
   */
  power(exponent: number, ...options: Options): Atomic<A, E | ArithmeticFailure>
}

/**
 * A number. Each operation computes on the server and returns the new value, the same to the last bit as JavaScript. It
 * fails with `ArithmeticError` if the result is not finite, is not whole on an integer field, is beyond ±(2^53−1)
 * there, or is a division by zero, and with `OutOfBounds` if it breaks a bound. Nothing is written then.
 *
 * **When to use**
 *
 * Use `increment` and `decrement` to count, because they never lose an update. To set a value that you know use `set`;
 * to set it only if the field is unchanged use `compareAndSet`.
 *
 * **Example** (Selling no more than the stock)
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
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Number<in out A extends number = number, out E = Failure>
  extends Scalar<A, E>, Ordering<A, E>, FloatArithmetic<A, E, [bounds?: Bounds | undefined]>
{
  /**
   * The same, or `default` if there is no such value, as an item of a list may not be there. Then the operation that takes
   * it does not fail with `IndexOutOfRange`.
   */
  value(options: Default<A>): NumberOperand<A, Failure>
  /** The stored number, usable as an operand of another operation of the same program. */
  value(): NumberOperand<A, E>
  /** Adds `by`. Default: 1. Returns the new value. Fails with `OutOfBounds` or `ArithmeticError`. */
  increment(by?: number | Operand<number>, bounds?: Bounds): Atomic<A, E | ArithmeticFailure>
  /** Subtracts `by`. Default: 1. Returns the new value. Fails with `OutOfBounds` or `ArithmeticError`. */
  decrement(by?: number | Operand<number>, bounds?: Bounds): Atomic<A, E | ArithmeticFailure>
}

/**
 * A boolean, which can also be inverted.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Bool<out E = Failure> extends Scalar<boolean, E> {
  /** Inverts the value. Returns the new value. */
  toggle(): Atomic<boolean, E>
}

/**
 * A `bigint`, exact to both ends of 64 bits. A result beyond them, or a division by zero, fails with `ArithmeticError`.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface BigInt<in out A extends bigint = bigint, out E = Failure>
  extends Scalar<A, E>, Ordering<A, E>, Arithmetic<A, E, bigint, [bounds?: Bounds<bigint> | undefined]>
{
  /**
   * The same, or `default` if there is no such value, as an item of a list may not be there. Then the operation that takes
   * it does not fail with `IndexOutOfRange`.
   */
  value(options: Default<A>): BigIntOperand<A, Failure>
  /** The stored number, usable as an operand of another operation of the same program. */
  value(): BigIntOperand<A, E>
  /** Adds `by`. Default: 1. Returns the new value. Fails with `OutOfBounds` or `ArithmeticError`. */
  increment(by?: bigint | Operand<bigint>, bounds?: Bounds<bigint>): Atomic<A, E | ArithmeticFailure>
  /** Subtracts `by`. Default: 1. Returns the new value. Fails with `OutOfBounds` or `ArithmeticError`. */
  decrement(by?: bigint | Operand<bigint>, bounds?: Bounds<bigint>): Atomic<A, E | ArithmeticFailure>
}

/** The values that a date or a duration is compared with. */
type TimeInput<A> = A | (A extends Duration.Duration ? Duration.Input : never)

/** The operand of a date can be moved, the one of a duration can't. */
type TimeOrDuration<A, E> = [A] extends [Duration.Duration] ? Operand<A, E> : TimeOperand<A, E>

/** The value that a missing field, entry, score or rank is taken as. */
interface Default<out A> {
  readonly default: A
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
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Time<in out A, out E = Failure> extends Scalar<A, E>, Ordering<A, E, TimeInput<A>> {
  /** Whether the field equals a value or an operand. */
  readonly eq: Compare<A, E, TimeInput<A>>
  /** Whether the field differs from a value or an operand. */
  readonly neq: Compare<A, E, TimeInput<A>>
  /**
   * The same, or `default` if there is no such value, as an item of a list may not be there. Then the operation that takes
   * it does not fail with `IndexOutOfRange`.
   */
  value(options: Default<A>): TimeOrDuration<A, Failure>
  /** The stored value, usable as an operand of another operation of the same program. */
  value(): TimeOrDuration<A, E>
  /**
   * Moves the value by a duration, which may be negative. Returns the new value. Fails with `OutOfBounds` or
   * `ArithmeticError`.
   */
  add(duration: Duration.Input, bounds?: Bounds<A>): Atomic<A, E | ArithmeticFailure>
  /** Moves the value back by a duration. Returns the new value. Fails with `OutOfBounds` or `ArithmeticError`. */
  subtract(duration: Duration.Input, bounds?: Bounds<A>): Atomic<A, E | ArithmeticFailure>
}

/**
 * A field that may be missing: optional, or `null`. `Absent` is what it is without a value, `undefined` or `null`.
 *
 * **When to use**
 *
 * Use `setIfAbsent` to claim a field once, `set` to overwrite it, and `compareAndSet` to replace a value that you have
 * read.
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
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Optional<in out A, out E = Failure, in Absent = never> extends Equality<A, E> {
  /** Returns `Option.some` of the value, or `Option.none` if it is missing. */
  get(): Atomic<Option.Option<A>, E>
  /** Whether the field is stored. */
  isSet(): Condition<E>
  /** Sets the field, whether or not it is missing. `null` or `undefined`, whichever a missing one is, removes it. */
  set(value: A | Absent): Atomic<void, E>
  /**
   * Sets the field to an operand, which the server reads. Fails with `OutOfBounds` if the value breaks a bound of this
   * field, and with `ArithmeticError` if it cannot be computed.
   */
  set(value: A | Absent | Operand<A>): Atomic<void, E | ArithmeticFailure>
  /** Sets the field if it is missing. Returns true if it did. Of several callers exactly one gets true. */
  setIfAbsent(value: A): Atomic<boolean, E>
  /** Removes the value, or sets it to `null` on a nullable field. */
  clear(): Atomic<void, E>
  /** Replaces `expected` with `value`. Returns true if it did, and false if the field is missing. */
  compareAndSet(expected: A, value: A): Atomic<boolean, E>
  /**
   * The stored value, or `default` if it is missing, usable as an operand of another operation of the same program. The
   * default may be out of the bounds of the field.
   */
  value(options: Default<A>): Operand<A, Failure>
}

/**
 * A number that may be missing. Arithmetic of a missing field starts from `initial`.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface OptionalNumber<in out A extends number = number, out E = Failure, in Absent = never>
  extends Optional<A, E, Absent>, Ordering<A, E>, FloatArithmetic<A, E, [options: Initial<number>]>
{
  /** The stored value, or `default` if it is missing, usable as an operand of another operation of the same program. */
  value(options: Default<A>): NumberOperand<A, Failure>
  /**
   * Adds `by` to the value, or to `initial` if the field is missing. Returns the new value. Fails with `OutOfBounds` or
   * `ArithmeticError`.
   */
  increment(by: number | Operand<number>, options: Initial<number>): Atomic<A, E | ArithmeticFailure>
  /**
   * Subtracts `by` from the value, or from `initial` if the field is missing. Returns the new value. Fails with
   * `OutOfBounds` or `ArithmeticError`.
   */
  decrement(by: number | Operand<number>, options: Initial<number>): Atomic<A, E | ArithmeticFailure>
}

/**
 * A `bigint` that may be missing. Arithmetic of a missing field starts from `initial`.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface OptionalBigInt<in out A extends bigint = bigint, out E = Failure, in Absent = never>
  extends Optional<A, E, Absent>, Ordering<A, E>, Arithmetic<A, E, bigint, [options: Initial<bigint>]>
{
  /** The stored value, or `default` if it is missing, usable as an operand of another operation of the same program. */
  value(options: Default<A>): BigIntOperand<A, Failure>
  /**
   * Adds `by` to the value, or to `initial` if the field is missing. Returns the new value. Fails with `OutOfBounds` or
   * `ArithmeticError`.
   */
  increment(by: bigint | Operand<bigint>, options: Initial<bigint>): Atomic<A, E | ArithmeticFailure>
  /**
   * Subtracts `by` from the value, or from `initial` if the field is missing. Returns the new value. Fails with
   * `OutOfBounds` or `ArithmeticError`.
   */
  decrement(by: bigint | Operand<bigint>, options: Initial<bigint>): Atomic<A, E | ArithmeticFailure>
}

/**
 * A date or a duration that may be missing. Arithmetic of a missing field starts from `initial`.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface OptionalTime<in out A, out E = Failure, in Absent = never>
  extends Optional<A, E, Absent>, Ordering<A, E, TimeInput<A>>
{
  /** Whether the field equals a value or an operand. False if the field is missing. */
  readonly eq: Compare<A, E, TimeInput<A>>
  /** Whether the field differs from a value or an operand. True if the field is missing. */
  readonly neq: Compare<A, E, TimeInput<A>>
  /** The stored value, or `default` if it is missing, usable as an operand of another operation of the same program. */
  value(options: Default<A>): TimeOrDuration<A, Failure>
  /**
   * Moves the value, or `initial` if it is missing, by a duration. Returns the new value. Fails with `OutOfBounds` or
   * `ArithmeticError`.
   */
  add(duration: Duration.Input, options: Initial<A>): Atomic<A, E | ArithmeticFailure>
  /**
   * Moves the value, or `initial` if it is missing, back by a duration. Returns the new value. Fails with `OutOfBounds`
   * or `ArithmeticError`.
   */
  subtract(duration: Duration.Input, options: Initial<A>): Atomic<A, E | ArithmeticFailure>
}

/**
 * An entry of a map. It can be written whether or not it exists. A write fails with `OutOfBounds` if the schema does
 * not allow the size of the map.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Entry<in out A, out E = Failure | OutOfBounds> extends Optional<A, E> {
  /** Sets the entry. Returns the value before, or `Option.none` if the entry was missing. */
  getAndSet(value: A): Atomic<Option.Option<A>, E>
}

/**
 * An entry that is a text. A missing one counts as the empty text.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface TextEntry<in out A extends string = string, out E = Failure | OutOfBounds>
  extends Entry<A, E>, Ordering<A, E>
{
  /**
   * Appends to the text. Returns the new length in UTF-16 units. Fails with `OutOfBounds` if the schema refuses the
   * length, and with `InvalidValue` above 1,000,000 bytes.
   */
  append(text: string | Operand<string>): Atomic<number, E>
}

/**
 * An entry that is a boolean. A missing one counts as `false`.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface BoolEntry<out E = Failure | OutOfBounds> extends Entry<boolean, E> {
  /** Inverts the value, which is `false` if the entry is missing. Returns the new value. */
  toggle(): Atomic<boolean, E>
}

/**
 * An entry that is a number. `increment` and `decrement` of a missing entry start from 0, other arithmetic starts from
 * the given `initial`.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface NumberEntry<in out A extends number = number, out E = Failure | OutOfBounds>
  extends Entry<A, E>, Ordering<A, E>, FloatArithmetic<A, E, [options: Initial<number>]>
{
  /** The stored value, or `default` if it is missing, usable as an operand of another operation of the same program. */
  value(options: Default<A>): NumberOperand<A, Failure>
  /**
   * Adds `by` (default: 1) to the entry, or to `initial` (default: 0) if it is missing. Returns the new value. Fails
   * with `OutOfBounds` or `ArithmeticError`. O(1).
   */
  increment(by?: number | Operand<number>, options?: Partial<Initial<number>>): Atomic<A, E | ArithmeticFailure>
  /**
   * Subtracts `by` (default: 1) from the entry, or from `initial` (default: 0) if it is missing. Returns the new value.
   * Fails with `OutOfBounds` or `ArithmeticError`. O(1).
   */
  decrement(by?: number | Operand<number>, options?: Partial<Initial<number>>): Atomic<A, E | ArithmeticFailure>
}

/**
 * An entry that is a `bigint`. `increment` and `decrement` of a missing entry start from 0, other arithmetic starts
 * from the given `initial`.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface BigIntEntry<in out A extends bigint = bigint, out E = Failure | OutOfBounds>
  extends Entry<A, E>, Ordering<A, E>, Arithmetic<A, E, bigint, [options: Initial<bigint>]>
{
  /** The stored value, or `default` if it is missing, usable as an operand of another operation of the same program. */
  value(options: Default<A>): BigIntOperand<A, Failure>
  /**
   * Adds `by` (default: 1) to the entry, or to `initial` (default: 0) if it is missing. Returns the new value. Fails
   * with `OutOfBounds` or `ArithmeticError`. O(1).
   */
  increment(by?: bigint | Operand<bigint>, options?: Partial<Initial<bigint>>): Atomic<A, E | ArithmeticFailure>
  /**
   * Subtracts `by` (default: 1) from the entry, or from `initial` (default: 0) if it is missing. Returns the new value.
   * Fails with `OutOfBounds` or `ArithmeticError`. O(1).
   */
  decrement(by?: bigint | Operand<bigint>, options?: Partial<Initial<bigint>>): Atomic<A, E | ArithmeticFailure>
}

/**
 * An entry that is a date or a duration. Arithmetic of a missing entry starts from the given `initial`.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface TimeEntry<in out A, out E = Failure | OutOfBounds> extends OptionalTime<A, E> {
  /** Sets the entry. Returns the value before, or `Option.none` if the entry was missing. */
  getAndSet(value: A): Atomic<Option.Option<A>, E>
  /** The stored value, or `default` if it is missing, usable as an operand of another operation of the same program. */
  value(options: Default<A>): TimeOrDuration<A, Failure>
}
