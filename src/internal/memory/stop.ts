/**
 * The ways in which a program stops before its last instruction.
 */
import type { ArithmeticReason, Bound, StopReason } from "../instruction/reply.ts"

type WithoutStep<F> = F extends unknown ? Omit<F, "step"> : never

/**
 * Stops a program. The interpreter adds the step.
 *
 * @internal
 */
export class Stop {
  readonly failure: WithoutStep<StopReason>
  constructor(failure: WithoutStep<StopReason>) {
    this.failure = failure
  }
}

/** @internal */
export const stop = (failure: WithoutStep<StopReason>): never => {
  throw new Stop(failure)
}

/** @internal */
export const arithmetic = (reason: ArithmeticReason): never => stop({ _tag: "arithmetic", reason })

/** @internal */
export const outOf = (bound: Bound): never => stop({ _tag: "bounds", bound })

/**
 * Stops a program because an entity is missing, exists, or has another type.
 *
 * @param other whether it is the second entity of the instruction
 *
 * @internal
 */
export const refuse = (tag: "missing" | "exists" | "type", other = false): never =>
  stop(other ? { _tag: tag, other } : { _tag: tag })

/**
 * Stops a program because a key has another type.
 *
 * @param part the collection; empty: the hash
 *
 * @internal
 */
export const mistyped = (part: string, other = false): never =>
  stop(other ? { _tag: "type", part, other } : { _tag: "type", part })
