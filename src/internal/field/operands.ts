/**
 * The types of operands. `Field` exports them; `Atomic` needs one, and can't import `Field`.
 *
 * The room `field/` may import only `Atomic`, `Condition` and the errors, as types. Only `Field` and `Atomic` import it.
 * Invariant: it holds types alone, all of them exported by `Field` or needed by those that are.
 */
import type * as DateTime from "effect/DateTime"
import type * as Duration from "effect/Duration"
import type * as Types from "effect/Types"
import type { EntityNotFound, InvalidValue } from "../../DomainError.ts"

/**
 * The errors of every operation on a field.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export type Failure = EntityNotFound | InvalidValue

/**
 * A server-side reference to another field's value, read at the moment the operation runs. It stands in place of an
 * amount or a value.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Operand<out A, out E = Failure> {
  readonly "~redlayer/Operand": { readonly _A: Types.Covariant<A>; readonly _E: Types.Covariant<E> }
}

/** The arithmetic that all operands of numbers share. */
interface OperandArithmetic<in Amount, out Result> {
  /** The sum, as another operand. */
  plus(that: Amount | Operand<Amount>): Result
  /** The difference, as another operand. */
  minus(that: Amount | Operand<Amount>): Result
  /** The product, as another operand. */
  times(that: Amount | Operand<Amount>): Result
  /** The quotient, truncated towards zero. */
  quotient(that: Amount | Operand<Amount>): Result
  /** The remainder, with the sign of the first operand. */
  modulo(that: Amount | Operand<Amount>): Result
  /** The smaller of the two. */
  min(that: Amount | Operand<Amount>): Result
  /** The greater of the two. */
  max(that: Amount | Operand<Amount>): Result
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
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface NumberOperand<out A = number, out E = Failure>
  extends Operand<A, E>, OperandArithmetic<number, NumberOperand<number, E>>
{
  /** The quotient, as JavaScript divides. */
  dividedBy(that: number | Operand<number>): NumberOperand<number, E>
}

/**
 * A `bigint` that the server reads and computes with. If the result is beyond 64 bits, or is a division by zero, the
 * operation that takes it fails with `ArithmeticError`.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface BigIntOperand<out A = bigint, out E = Failure>
  extends Operand<A, E>, OperandArithmetic<bigint, BigIntOperand<bigint, E>>
{}

/**
 * A point in time that the server reads: the value of a date field, or `Atomic.now`. Durations can be added to it. If
 * the result is beyond the range of dates, the operation that takes it fails with `ArithmeticError`.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface TimeOperand<out A = Date | DateTime.Utc, out E = Failure> extends Operand<A, E> {
  /** The time that is later by a duration of whole milliseconds, as another operand. */
  plus(duration: Duration.Input): TimeOperand<A, E>
  /** The time that is earlier by a duration of whole milliseconds, as another operand. */
  minus(duration: Duration.Input): TimeOperand<A, E>
  /** The milliseconds since 1970, as a number: for scores of sorted sets, and for number fields. */
  readonly epochMillis: NumberOperand<number, E>
}
