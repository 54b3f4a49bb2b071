/**
 * How a program ends before its last instruction.
 */
import type { ArithmeticReason, Bound, StopReason } from "../instruction/reply.ts"

type WithoutStep<F> = F extends unknown ? Omit<F, "step"> : never

/**
 * The interpreter adds the step.
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
 * @param other of the second entity of an instruction
 * @internal
 */
export const refuse = (tag: "missing" | "exists" | "type", other = false): never =>
  stop(other ? { _tag: tag, other } : { _tag: tag })

/**
 * @param part the collection whose key is of another kind; empty: the hash
 * @internal
 */
export const mistyped = (part: string, other = false): never =>
  stop(other ? { _tag: "type", part, other } : { _tag: "type", part })
