import * as Exit from "effect/Exit"
import {
  ConnectionUnavailable,
  OutcomeUnknown,
  RedisServiceError,
  type RedisServiceErrorReason
} from "../../RedisServiceError.ts"
import { Op, type Program, type Reply } from "../program/instruction.ts"

/** @internal */
export type Resume = (exit: Exit.Exit<Reply, RedisServiceError>) => void

/**
 * A program on its way, and who waits for it.
 *
 * @internal
 */
export class Entry {
  readonly program: Program
  /** undefined when the caller has its answer, or has gone */
  resume: Resume | undefined
  /** on its way, or without a reply */
  sent = false
  /** the last answer that did not settle it */
  refusal: RedisServiceErrorReason | undefined = undefined

  constructor(program: Program, resume: Resume) {
    this.program = program
    this.resume = resume
  }

  settle(exit: Exit.Exit<Reply, RedisServiceError>): void {
    const resume = this.resume
    this.resume = undefined
    this.sent = false
    if (resume !== undefined) resume(exit)
  }

  fail(reason: RedisServiceErrorReason): void {
    if (this.resume !== undefined) this.settle(Exit.fail(new RedisServiceError({ reason })))
  }

  /** Without an answer: what is known is only whether it was sent. */
  abandon(): void {
    if (this.resume !== undefined) {
      this.fail(this.sent ? new OutcomeUnknown({}) : this.refusal ?? new ConnectionUnavailable({}))
    }
  }
}

/** @internal */
export const keysOf = (program: Program): ReadonlyArray<string> => [
  ...new Set(program.instructions.flatMap(({ key, op }) => op === Op.fail ? [] : [key]))
]
