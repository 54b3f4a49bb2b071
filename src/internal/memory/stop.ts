/**
 * How a program stops before its last instruction.
 */
import type { ArithmeticReason, Bound, StopReason } from "../instruction/reply.ts"

type WithoutStep<F> = F extends unknown ? Omit<F, "step"> & { readonly step?: number } : never

/**
 * The exception that stops a program. The interpreter adds the step, unless the failure names an earlier one.
 *
 * @internal
 */
export class Stop {
  readonly failure: WithoutStep<StopReason>
  constructor(failure: WithoutStep<StopReason>) {
    this.failure = failure
  }
}

/**
 * Stops the program.
 *
 * @internal
 */
export const fail = (failure: WithoutStep<StopReason>): never => {
  throw new Stop(failure)
}

/** @internal */
export const failArithmetic = (reason: ArithmeticReason): never => fail({ _tag: "arithmetic", reason })

/** @internal */
export const failBounds = (bound: Bound): never => fail({ _tag: "bounds", bound })

/**
 * Stops the program because an entity is missing or exists, or because a stored text is not of the kind of its field.
 *
 * @param other whether it is the second entity of the instruction
 *
 * @internal
 */
export const failEntity = (tag: "missing" | "exists" | "type", other = false): never =>
  fail(other ? { _tag: tag, other } : { _tag: tag })

/**
 * Stops the program because a key has the wrong type.
 *
 * @param part the name of the collection; empty for the hash
 *
 * @internal
 */
export const failWrongType = (part: string, other = false): never =>
  fail(other ? { _tag: "type", part, other } : { _tag: "type", part })
