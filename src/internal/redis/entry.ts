import * as Effect from "effect/Effect"
import * as Effectable from "effect/Effectable"
import * as Exit from "effect/Exit"
import {
  ConnectionUnavailable,
  OutcomeUnknown,
  RedisServiceError,
  type RedisServiceErrorReason
} from "../../RedisServiceError.ts"
import type { Once } from "../program/encode.ts"
import type { Program, Reply } from "../program/instruction.ts"

/**
 * A program on its way, and who waits for it. Once it has its answer it holds neither: an engine may keep what was in flight
 * for long, and all that hangs on it.
 *
 * @internal
 */
export class Entry extends Effectable.Class<void> {
  program: Program
  /** undefined when the caller has its answer, or has gone */
  resume: ((exit: Exit.Exit<any, any>) => void) | undefined
  read: (reply: Reply) => Exit.Exit<any, any>
  /** on its way */
  sent = false
  /** it was sent, and no reply came: that attempt may have been applied, or may yet be */
  lost = false
  /** how it happens once, where it does */
  once: Once | undefined = undefined
  /** the last answer that did not settle it */
  refusal: RedisServiceErrorReason | undefined = undefined

  constructor(
    program: Program,
    read: (reply: Reply) => Exit.Exit<any, any>,
    resume: (exit: Exit.Exit<any, any>) => void
  ) {
    super()
    this.program = program
    this.read = read
    this.resume = resume
  }

  /** As an effect it is what happens when its caller is interrupted: one object less for every operation. */
  asEffect(): Effect.Effect<void> {
    this.leave()
    return Effect.void
  }

  /** Whoever waited has gone. On its way the program stays, since the reply has its results among the others'. */
  leave(): void {
    this.resume = undefined
    this.read = unread
    if (!this.sent) this.program = nothing
  }

  private settle(exit: Exit.Exit<any, any>): void {
    const resume = this.resume
    this.sent = false
    this.leave()
    if (resume !== undefined) resume(exit)
  }

  answer(reply: Reply): void {
    if (this.resume === undefined) return
    let exit: Exit.Exit<any, any>
    try {
      exit = this.read(reply)
    } catch (defect) {
      exit = Exit.die(defect)
    }
    this.settle(exit)
  }

  fail(reason: RedisServiceErrorReason): void {
    if (this.resume !== undefined) this.settle(Exit.fail(new RedisServiceError({ reason })))
  }

  /** What was never sent, and can't be. */
  die(defect: unknown): void {
    if (this.resume !== undefined) this.settle(Exit.die(defect))
  }

  /** Without an answer: what is known is only whether it was sent. */
  abandon(): void {
    if (this.resume !== undefined) {
      this.fail(this.sent || this.lost ? new OutcomeUnknown({}) : this.refusal ?? new ConnectionUnavailable({}))
    }
  }
}

const nothing: Program = { instructions: [], access: "read" }
const unread = () => Exit.void
