/**
 * One program that has no answer yet, and the fiber that waits for it. A call carries one or more of them.
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
import type { Access } from "../instruction/ops.ts"
import { isRepeatable, type Program, type Replication } from "../instruction/program.ts"
import type { Reply } from "../instruction/reply.ts"
import type { Dedup } from "./dedup.ts"
import type { Committer, Telemetry } from "./telemetry.ts"

/**
 * A program and its caller. After the answer it refers to neither, because the engine may keep an object that was in flight for
 * long, with everything that the object refers to.
 *
 * It is also the canceller of the effect that waits for it, which saves one object for every operation.
 *
 * @internal
 */
export class PendingProgram extends Effectable.Class<void> {
  program: Program
  /** Resumes the caller. Undefined after the caller has its answer, or was interrupted. */
  resume: ((exit: Exit.Exit<any, any>) => void) | undefined
  private read: (reply: Reply) => Exit.Exit<any, any>
  /** The answer, between `take` and `complete`. */
  private exit: Exit.Exit<any, any> | undefined = undefined

  /** Whether an exchange that carries it has no reply yet. */
  inFlight = false
  /** Whether an exchange that carried it got no reply: that attempt may have been applied, or may be applied later. */
  replyLost = false
  /** The last temporary refusal. */
  refusal: RedisServiceErrorReason | undefined = undefined
  /** Set if the program runs at most once. */
  dedup: Dedup | undefined = undefined
  /** The replicas that must have a copy of what it writes before it succeeds. */
  replication: Replication | undefined = undefined

  private readonly telemetry: Telemetry
  committer: Committer | undefined

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

  /** Runs when the caller is interrupted. */
  asEffect(): Effect.Effect<void> {
    this.interrupt()
    return Effect.void
  }

  /** Forgets the caller. A program in flight is kept, because decoding the reply needs the number of its instructions. */
  interrupt(): void {
    if (this.resume !== undefined && this.exit === undefined) this.telemetry.interrupted(this.committer)
    this.release()
  }

  private release(): void {
    this.resume = undefined
    this.read = unread
    this.committer = undefined
    this.exit = undefined
    if (!this.inFlight) this.program = nothing
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
    this.telemetry.completed(this.committer, exit)
  }

  /** Resumes the caller with the answer that was taken. */
  complete(): void {
    const { exit, resume } = this
    this.inFlight = false
    this.release()
    if (resume !== undefined && exit !== undefined) resume(exit)
  }

  answer(reply: Reply): void {
    this.take(reply)
    this.telemetry.flush()
    this.complete()
  }

  private completeWith(exit: Exit.Exit<any, any>): void {
    if (this.resume === undefined || this.exit !== undefined) return
    this.exit = exit
    this.telemetry.completed(this.committer, exit)
    this.telemetry.flush()
    this.complete()
  }

  fail(reason: RedisServiceErrorReason): void {
    if (this.resume !== undefined) this.completeWith(Exit.fail(new RedisServiceError({ reason })))
  }

  /** Fails a program that was never sent and cannot be sent. */
  die(defect: unknown): void {
    this.completeWith(Exit.die(defect))
  }

  /** Fails the program without an answer. */
  abandon(): void {
    if (this.resume !== undefined) this.fail(this.reason)
  }

  /** Why there is no answer. */
  get reason(): RedisServiceErrorReason {
    return this.inFlight || this.replyLost
      ? new OutcomeUnknown({})
      : this.refusal ?? new ConnectionUnavailable({ code: "DEADLINE" })
  }

  /** The server, or the connection, refused the program: this attempt was not applied. */
  markRefused(refusal: RedisServiceErrorReason | undefined): void {
    this.inFlight = false
    this.refusal = refusal
  }

  /** The exchange ended without a reply. */
  markReplyLost(): void {
    this.inFlight = false
    this.replyLost = true
  }
}

const nothing: Program = { instructions: [], access: "read" }
const unread = () => Exit.void

/** @internal */
export const isAwaited = (pending: PendingProgram): boolean => pending.resume !== undefined

/** @internal */
export const isDeduplicated = (pending: PendingProgram): boolean => pending.dedup !== undefined

/**
 * Whether the program may be sent again after its reply was lost.
 *
 * @internal
 */
export const isSafeToRepeat = (pending: PendingProgram): boolean =>
  isDeduplicated(pending) || isRepeatable(pending.program)

/**
 * Whether the program may have been applied, or may be applied later, and a tombstone can find out.
 *
 * @internal
 */
export const isInDoubt = (pending: PendingProgram): boolean =>
  pending.resume !== undefined && pending.dedup !== undefined && (pending.inFlight || pending.replyLost)

/**
 * The most that one of the programs needs.
 *
 * @internal
 */
export const accessOf = (programs: ReadonlyArray<PendingProgram>): Access => {
  let access: Access = "read"
  for (const { program } of programs) {
    if (program.access === "write") return "write"
    if (program.access === "allowOom") access = "allowOom"
  }
  return access
}
