/**
 * One program and the fiber that waits for it.
 */
import * as Effect from "effect/Effect"
import * as Effectable from "effect/Effectable"
import * as Exit from "effect/Exit"
import {
  ConnectionUnavailable,
  OutcomeUnknown,
  RedisServiceError,
  type RedisServiceErrorReason
} from "../../RedisServiceError.ts"
import type { Program } from "../instruction/program.ts"
import type { Reply } from "../instruction/reply.ts"
import type { Dedup } from "./dedup.ts"
import type { Committer, Telemetry } from "./telemetry.ts"

/**
 * A program that has no answer yet, and its caller. After the answer it holds neither, because the engine may keep an object that
 * was in flight for long, and everything that the object refers to.
 *
 * @internal
 */
export class PendingProgram extends Effectable.Class<void> {
  program: Program
  /** Resumes the caller. Undefined after the caller has its answer, or was interrupted. */
  resume: ((exit: Exit.Exit<any, any>) => void) | undefined
  read: (reply: Reply) => Exit.Exit<any, any>
  /** Whether it is in flight. */
  sent = false
  /** Whether it was sent and no reply arrived: that attempt may have been applied, or may yet be. */
  lost = false
  /** Set if the program runs at most once. */
  dedup: Dedup | undefined = undefined
  /** The last refusal after which it may be sent again. */
  refusal: RedisServiceErrorReason | undefined = undefined
  readonly telemetry: Telemetry
  committer: Committer | undefined
  /** The answer, between `take` and `complete`. */
  private exit: Exit.Exit<any, any> | undefined = undefined

  constructor(
    program: Program,
    read: (reply: Reply) => Exit.Exit<any, any>,
    resume: (exit: Exit.Exit<any, any>) => void,
    telemetry: Telemetry
  ) {
    super()
    this.program = program
    this.read = read
    this.resume = resume
    this.telemetry = telemetry
    this.committer = telemetry.committer(program)
  }

  /** The canceller of its own effect: it runs when the caller is interrupted. One object less for every operation. */
  asEffect(): Effect.Effect<void> {
    this.leave()
    return Effect.void
  }

  /** The caller was interrupted. A program in flight is kept, because its results stand among the others' in the reply. */
  leave(): void {
    if (this.resume !== undefined && this.exit === undefined) this.telemetry.left(this.committer)
    this.release()
  }

  private release(): void {
    this.resume = undefined
    this.read = unread
    this.committer = undefined
    this.exit = undefined
    if (!this.sent) this.program = nothing
  }

  private completeWith(exit: Exit.Exit<any, any>): void {
    if (this.resume === undefined || this.exit !== undefined) return
    this.exit = exit
    this.telemetry.told(this.committer, exit)
    this.telemetry.flush()
    this.complete()
  }

  /** Reads the answer without resuming the caller, so that all programs of a reply are counted before the first caller resumes. */
  take(reply: Reply): void {
    if (this.resume === undefined || this.exit !== undefined) return
    let exit: Exit.Exit<any, any>
    try {
      exit = this.read(reply)
    } catch (defect) {
      exit = Exit.die(defect)
    }
    this.exit = exit
    this.telemetry.told(this.committer, exit)
  }

  /** Resumes the caller with the answer that was taken. */
  complete(): void {
    const { exit, resume } = this
    this.sent = false
    this.release()
    if (resume !== undefined && exit !== undefined) resume(exit)
  }

  answer(reply: Reply): void {
    this.take(reply)
    this.telemetry.flush()
    this.complete()
  }

  fail(reason: RedisServiceErrorReason): void {
    if (this.resume !== undefined) this.completeWith(Exit.fail(new RedisServiceError({ reason })))
  }

  /** Fails a program that was never sent and cannot be. */
  die(defect: unknown): void {
    this.completeWith(Exit.die(defect))
  }

  /** Why there is no answer: known is only whether the program was sent. */
  get reason(): RedisServiceErrorReason {
    return this.sent || this.lost ? new OutcomeUnknown({}) : this.refusal ?? new ConnectionUnavailable({})
  }

  abandon(): void {
    if (this.resume !== undefined) this.fail(this.reason)
  }
}

const nothing: Program = { instructions: [], access: "read" }
const unread = () => Exit.void
