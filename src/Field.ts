/**
 * The fields of one entity, as `Model.ref(id)` gives them: which operations each kind of field has. Every operation is an
 * `Atomic`: yielded, it runs alone in one round trip; composed, it is part of a larger program. Every one fails with
 * `EntityNotFound` where the entity is gone, and none brings it back.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import type * as Option from "effect/Option"
import type * as Schema from "effect/Schema"
import type * as Types from "effect/Types"
import type { Atomic } from "./Atomic.ts"
import type { Condition } from "./Condition.ts"
import type { ArithmeticError, EntityCorrupted, EntityNotFound, InvalidValue, OutOfBounds } from "./DomainError.ts"
import type { Of as HandleOf } from "./internal/program/handles/of.ts"

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

export type {
  BigIntEntry,
  BoolEntry,
  Entry,
  List,
  Map,
  NumberEntry,
  Scored,
  Set,
  SortedSet,
  TextEntry,
  TimeEntry
} from "./internal/field/collections.ts"

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

/**
 * The handle of a field, by its schema.
 *
 * @category models
 * @since 0.1.0
 */
export type Of<S extends Schema.Constraint> = HandleOf<S>
