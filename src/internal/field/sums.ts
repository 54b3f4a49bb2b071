/**
 * The types of sums that no number holds exactly. `Field` exports them.
 */
import type * as Duration from "effect/Duration"
import type { Atomic } from "../../Atomic.ts"
import type { BigIntOperand, Failure, Operand } from "./operands.ts"
import type { Equality, Ordering } from "./scalars.ts"

/**
 * A sum of bigints, which may be beyond 64 bits. It is a program that returns the sum; it can also be compared, and be an operand.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface BigIntSum<out E = Failure> extends Atomic<bigint, E>, Equality<bigint, E>, Ordering<bigint, E> {
  /** The sum, usable as an operand of another operation. */
  value(): BigIntOperand<bigint, E>
}

/**
 * A sum of durations. It is a program that returns the sum; it can also be compared, and be an operand.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface DurationSum<out E = Failure>
  extends
    Atomic<Duration.Duration, E>,
    Equality<Duration.Duration, E, Duration.Input>,
    Ordering<Duration.Duration, E, Duration.Input>
{
  /** The sum, usable as an operand of another operation. */
  value(): Operand<Duration.Duration, E>
}
