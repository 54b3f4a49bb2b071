/**
 * The fields of one entity, as `Model.ref(id)` returns them: which operations each kind of field has. Every operation
 * is an `Atomic`: yielded, it runs alone in one round trip; composed, it is part of a larger program. Every operation
 * fails with `EntityNotFound` if the entity is missing, and none creates it. Costs such as O(n) are those on the
 * server; an operation on a scalar field is O(1).
 *
 * @since 0.1.0
 */
import type * as DateTime from "effect/DateTime"
import type * as Duration from "effect/Duration"
import type * as HashMap from "effect/HashMap"
import type * as HashSet from "effect/HashSet"
import type * as Option from "effect/Option"
import type * as Schema from "effect/Schema"
import type { Atomic } from "./Atomic.ts"
import type { Condition } from "./Condition.ts"
import type { ArithmeticError, EntityCorrupted, IndexOutOfRange, OutOfBounds } from "./DomainError.ts"
import type { BigIntOperand, Failure, NumberOperand, Operand, TimeOperand } from "./internal/handle/operandTypes.ts"

export type { BigIntOperand, Failure, NumberOperand, Operand, TimeOperand } from "./internal/handle/operandTypes.ts"

/**
 * The handles of an entity of any model, by the names of the fields. `Model.Ref` has those of one model.
 *
 * @category models
 * @since 0.1.0
 */
export interface AnyRef {
  readonly [field: string]: object
}

/**
 * Comparisons for equality, which the server evaluates. A missing field equals nothing.
 *
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
 * The size of a collection. It is a program that returns the size; it can also be compared, and be an operand.
 *
 * @category models
 * @since 0.1.0
 */
export interface Count<out E = Failure> extends Atomic<number, E>, Equality<number, E>, Ordering<number, E> {
  /** The size, usable as an operand of another operation. */
  value(): NumberOperand<number, E>
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

// -----------------------------------------------------------------------------
// collections and their entries
// -----------------------------------------------------------------------------

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
  /** Whether a value is a member. O(1). */
  has(member: A): Condition<Failure>
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
 * An entry of a map. It can be written whether or not it exists. A write fails with `OutOfBounds` if the schema does
 * not allow the size of the map.
 *
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
 * @category models
 * @since 0.1.0
 */
export interface TimeEntry<in out A, out E = Failure | OutOfBounds> extends OptionalTime<A, E> {
  /** Sets the entry. Returns the value before, or `Option.none` if the entry was missing. */
  getAndSet(value: A): Atomic<Option.Option<A>, E>
  /** The stored value, or `default` if it is missing, usable as an operand of another operation of the same program. */
  value(options: Default<A>): TimeOrDuration<A, Failure>
}

/**
 * The score or the rank of a member of a sorted set. It is a program that returns an `Option`; it can also be compared,
 * and be an operand. Of a value that is no member `neq` is true, and every other comparison is false.
 *
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

// -----------------------------------------------------------------------------
// structs
// -----------------------------------------------------------------------------

/**
 * A nested struct: a handle for each of its fields, and `$` for the whole struct.
 *
 * @category models
 * @since 0.1.0
 */
export type Struct<A, Fields extends Schema.Struct.Fields> =
  & { readonly [K in keyof Fields]: Of<Fields[K]> }
  & { readonly $: Whole<A> }

/**
 * A nested struct as a whole: it is read, compared and replaced with all its fields.
 *
 * @category models
 * @since 0.1.0
 */
export interface Whole<in out A> {
  /**
   * Returns the struct. Fails with `EntityCorrupted` if a stored field does not match the schema. O(fields + items).
   */
  get(): Atomic<A, Failure | EntityCorrupted>
  /** Replaces the struct. Fails with `InvalidValue` if the value breaks a check of the schema. O(fields + items). */
  set(value: A): Atomic<void, Failure>
  readonly eq: {
    /**
     * Whether each field equals that of `value`. Fails with `InvalidValue` if the struct has a collection. O(fields).
     */
    (value: A): Condition<Failure>
  }
  readonly neq: {
    /**
     * Whether a field differs from that of `value`. Fails with `InvalidValue` if the struct has a collection.
     * O(fields).
     */
    (value: A): Condition<Failure>
  }
}

// -----------------------------------------------------------------------------
// the handle of a field, by its schema
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

/** The handle of a value that may be missing. */
type OptionalType<T, Encoded, E, Absent> = IsAny<T> extends true ? Optional<T, E, Absent>
  : unknown extends T ? Optional<T, E, Absent>
  : [T] extends [never] ? Optional<T, E, Absent>
  : [T] extends [number]
    ? ([Encoded] extends [number] ? (IsLiteral<T> extends true ? Optional<T, E, Absent> : OptionalNumber<T, E, Absent>)
      : Optional<T, E, Absent>)
  : [T] extends [bigint] ?
    ([Encoded] extends [bigint] ?
      (IsLiteralBigInt<T> extends true ? Optional<T, E, Absent> : OptionalBigInt<T, E, Absent>)
      : Optional<T, E, Absent>)
  : IsTime<T, Encoded> extends true ? OptionalTime<T, E, Absent>
  : Optional<T, E, Absent>

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

/**
 * The handle of a required field of type `T`: collections, then scalars. Maps are tested before sets, because a map
 * type may extend a set type.
 */
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

/** Whether a type is a record: its keys are texts, and no single key is known. */
type IsRecord<T> = T extends object ? [keyof T] extends [never] ? false
  : [keyof T] extends [string | number] ? [Extract<keyof T, string>] extends [never] ? false
    : {} extends { [K in keyof T]-?: 1 } ? ({} extends Record<Extract<keyof T, string>, 1> ? true : false)
    : false
  : false
  : false

/** Whether a type has every JSON value, as that of `Schema.Json`. Its `null` is a value like others. */
type IsJson<T> = [Schema.Json] extends [T] ? true : [Schema.MutableJson] extends [T] ? true : false

type IsUnion<T, U = T> = T extends any ? [U] extends [T] ? false : true : never

/**
 * The handle of a field, by its schema.
 *
 * @category models
 * @since 0.1.0
 */
export type Of<S extends Schema.Constraint> = S extends { readonly "~type.optionality": "optional" }
  ? IsAny<S["Type"]> extends true ? Optional<S["Type"]>
  : OptionalType<Exclude<S["Type"], undefined>, Exclude<S["Encoded"], undefined>, Failure, undefined>
  : IsAny<S["Type"]> extends true ? Value<S["Type"]>
  : unknown extends S["Type"] ? Value<S["Type"]>
  // A schema that `Schema.suspend` refers to is stored as one JSON value.
  : S["ast"] extends { readonly _tag: "Suspend" } ? Value<S["Type"]>
  : undefined extends S["Type"] ?
    OptionalType<Exclude<S["Type"], undefined>, Exclude<S["Encoded"], undefined>, Failure, undefined>
  : S["ast"] extends { readonly "~redlayer/json": true } ? Value<S["Type"]>
  : S["ast"] extends { readonly "~redlayer/sortedSet": true }
    ? S["Type"] extends ReadonlyArray<Scored<infer A>> ? SortedSet<A> : never
  : [S["Type"]] extends [null] ? Value<S["Type"]>
  : IsJson<S["Type"]> extends true ? Value<S["Type"]>
  : null extends S["Type"] ?
    null extends S["Encoded"] ? OptionalType<Exclude<S["Type"], null>, Exclude<S["Encoded"], null>, Failure, null>
    : Value<S["Type"]>
  : S extends { readonly fields: infer Fields extends Schema.Struct.Fields } ? Struct<S["Type"], Fields>
  : S extends {
    readonly "~type.constructor.default": "with-default"
    readonly schema: { readonly fields: infer Fields extends Schema.Struct.Fields }
  } ? Struct<S["Type"], Fields>
  : IsUnion<S["Type"]> extends true ? OfType<S["Type"], S["Encoded"], Failure>
  : OfRequired<S["Type"], S["Encoded"]>
