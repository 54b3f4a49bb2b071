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
import type { Committer, Telemetry } from "./telemetry.ts"
import type { Once } from "./wire.ts"

/**
 * A program on its way, and who waits for it. Once it has its answer it holds neither: an engine may keep what was in flight
 * for long, and all that hangs on it.
 *
 * @internal
 */
export class PendingProgram extends Effectable.Class<void> {
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
  readonly telemetry: Telemetry
  committer: Committer | undefined
  /** what its caller will be told in a moment */
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

  /** As an effect it is what happens when its caller is interrupted: one object less for every operation. */
  asEffect(): Effect.Effect<void> {
    this.leave()
    return Effect.void
  }

  /** Whoever waited has gone. On its way the program stays, since the reply has its results among the others'. */
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

  private settle(exit: Exit.Exit<any, any>): void {
    if (this.resume === undefined || this.exit !== undefined) return
    this.exit = exit
    this.telemetry.told(this.committer, exit)
    this.telemetry.flush()
    this.tell()
  }

  /** Reads the answer, so that all of a reply are counted before the first caller goes on. */
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

  /** Lets its caller go on with what was taken. */
  tell(): void {
    const { exit, resume } = this
    this.sent = false
    this.release()
    if (resume !== undefined && exit !== undefined) resume(exit)
  }

  answer(reply: Reply): void {
    this.take(reply)
    this.telemetry.flush()
    this.tell()
  }

  fail(reason: RedisServiceErrorReason): void {
    if (this.resume !== undefined) this.settle(Exit.fail(new RedisServiceError({ reason })))
  }

  /** What was never sent, and can't be. */
  die(defect: unknown): void {
    this.settle(Exit.die(defect))
  }

  /** Why it has no answer: what is known is only whether it was sent. */
  get reason(): RedisServiceErrorReason {
    return this.sent || this.lost ? new OutcomeUnknown({}) : this.refusal ?? new ConnectionUnavailable({})
  }

  abandon(): void {
    if (this.resume !== undefined) this.fail(this.reason)
  }
}

const nothing: Program = { instructions: [], access: "read" }
const unread = () => Exit.void
