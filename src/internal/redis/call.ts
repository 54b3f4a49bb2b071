/**
 * A call: one exchange with the server that carries the programs of a batch, over all its attempts, until each has its answer.
 * Callbacks rather than fibers, because every operation passes here.
 *
 *     enqueue ──► inFlight ──────────── every program has its answer ─────────────► closed
 *                  │ ▲  ▲                                                              ▲
 *         not sent │ │  └── pause over ── backingOff ◄── lost, or refused for now ─┐   │
 *                  ▼ │ connected                                          inFlight ┘   │
 *          waitingForConnection                                                        │
 *     any of these ── the deadline, a final refusal, or the layer closes ──► asking ───┘
 *
 * In `asking` nothing is sent again. Deduplicated programs in doubt get a tombstone, whose reply is their answer; a reply that is
 * still in flight counts too; every other program fails.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import {
  ConnectionUnavailable,
  OutcomeUnknown,
  type RedisServiceErrorReason,
  ScriptFailed,
  ServerUnavailable
} from "../../RedisServiceError.ts"
import type { RedisTransport, ServerReply, TransportError } from "../../RedisTransport.ts"
import { keysOf } from "../instruction/keys.ts"
import type { Access } from "../instruction/ops.ts"
import { isRepeatable } from "../instruction/program.ts"
import type { Reply } from "../instruction/reply.ts"
import { broken, classify, isDivisible, isFinal, isNoScript, isWrongType, refusalOf } from "./classify.ts"
import * as Deadlines from "./deadlines.ts"
import type { PendingProgram } from "./pendingProgram.ts"
import { scripts } from "./scripts.ts"
import type { CallRecord, Telemetry, Trouble } from "./telemetry.ts"
import { type Batch, decodeBatch, encodeBatch, encodeTombstones, type Outcome } from "./wire.ts"

/** @internal */
export interface SenderOptions {
  readonly transport: RedisTransport["Service"]
  readonly keyPrefix: string
  /** Milliseconds from the commit of a program to its answer, over all attempts. */
  readonly deadline: number
  readonly runFork: <A, E>(effect: Effect.Effect<A, E>) => Fiber.Fiber<A, E>
  readonly telemetry: Telemetry
  /** Whether programs are sent again. Default: true. */
  readonly retry?: boolean | undefined
}

/** @internal */
export interface Sender {
  /**
   * @param since when the programs were committed
   * @param slot the slot of all their keys, on a cluster
   */
  readonly send: (
    access: Access,
    programs: ReadonlyArray<PendingProgram>,
    since: number,
    slot: number | undefined
  ) => void
  /** The number of programs that have no answer yet. */
  readonly waiting: () => number
  /** Fails the programs that are not sent, and calls back when all others have their answers. */
  readonly drain: (done: () => void) => void
}

const nobody: ReadonlyArray<PendingProgram> = []

/** Milliseconds before the deadline at which a deduplicated program gets its tombstone, so that its outcome is found out in time. */
const tombstoneMillis = 250
/** A retry with less time left than this is not sent. */
const leastMillis = 20

type State = "inFlight" | "waitingForConnection" | "backingOff" | "asking" | "closed"

class Call {
  state: State = "inFlight"
  readonly access: Access
  readonly slot: number | undefined
  /** The programs without an answer. */
  programs: ReadonlyArray<PendingProgram>

  /** When the call closes, whatever happens. */
  readonly expiresAt: number
  /** When retries stop. Earlier than `expiresAt` if a tombstone may be needed. */
  wakesAt: number

  /** The exchange in flight, or the wait for a connection. */
  exchange: Fiber.Fiber<unknown, unknown> | undefined = undefined
  /** Whether the exchange was sent and has no reply. In `asking` it may still be. */
  isSent = false
  /** The tombstones in flight, or the wait for a connection. */
  question: Fiber.Fiber<unknown, unknown> | undefined = undefined
  pause: ReturnType<typeof setTimeout> | undefined = undefined

  retries = 0
  attempts = 0
  /** How many programs count as waiting. */
  counted = 0
  /** Runs when this call has its first answers: the next part of a divided call. */
  next: (() => void) | undefined

  /** What telemetry reports at the end; unset after it did. */
  record: CallRecord | undefined = undefined
  /** Why the first program that failed has no answer. */
  trouble: Trouble | undefined = undefined

  constructor(
    access: Access,
    programs: ReadonlyArray<PendingProgram>,
    expiresAt: number,
    wakesAt: number,
    next: (() => void) | undefined,
    slot: number | undefined
  ) {
    this.access = access
    this.programs = programs
    this.expiresAt = expiresAt
    this.wakesAt = wakesAt
    this.next = next
    this.slot = slot
  }
}

/** @internal */
export const make = (options: SenderOptions): Sender => {
  const { deadline, keyPrefix, retry = true, runFork, telemetry, transport } = options
  const open = new Set<Call>()
  let waiting = 0
  let drained: (() => void) | undefined

  /** The only place where a state changes. A call that is closed stays closed; one that asks is never sent again. */
  const enter = (call: Call, state: State): void => {
    call.state = state
    if (state === "asking" || state === "closed") {
      if (call.pause !== undefined) clearTimeout(call.pause)
    }
  }

  const deadlines = Deadlines.make((now) => {
    let earliest = Infinity
    for (const call of open) {
      if (call.expiresAt <= now) close(call)
      else if (call.wakesAt <= now) stopRetrying(call)
      if (call.state !== "closed") earliest = Math.min(earliest, call.wakesAt)
    }
    return earliest
  })

  const count = (call: Call): void => {
    call.counted = call.programs.length
    waiting += call.counted
  }

  const uncount = (call: Call): void => {
    waiting -= call.counted
    call.counted = 0
  }

  const startNext = (call: Call): void => {
    const { next } = call
    call.next = undefined
    if (next !== undefined) next()
  }

  /** Reports the call, once: before its last callers resume, if possible. */
  const report = (call: Call, trouble?: Trouble): void => {
    const { attempts, record } = call
    call.record = undefined
    if (record !== undefined) telemetry.end(record, attempts, call.trouble ?? trouble)
  }

  const enqueue = (call: Call): void => {
    open.add(call)
    count(call)
    deadlines.wakeAt(call.wakesAt)
    send(call)
  }

  const close = (call: Call): void => {
    if (call.state === "closed") return
    enter(call, "closed")
    uncount(call)
    if (call.record !== undefined) {
      const reason = call.programs.find(isAwaited)?.reason
      report(call, reason ?? (call.isSent ? new OutcomeUnknown({}) : undefined))
    }
    // after a defect too: no caller is left waiting
    for (const program of call.programs) program.abandon()
    const { exchange, question } = call
    call.programs = nobody
    call.exchange = call.question = undefined
    open.delete(call)
    if (exchange !== undefined) exchange.interruptUnsafe()
    if (question !== undefined) question.interruptUnsafe()
    startNext(call)
    if (open.size === 0) {
      deadlines.stop()
      if (drained !== undefined) drained()
    }
  }

  const fork = <A, E>(
    call: Call,
    of: "exchange" | "question",
    effect: Effect.Effect<A, E>,
    then: (exit: Exit.Exit<A, E>) => void
  ): void => {
    const fiber = runFork(effect)
    call[of] = fiber
    fiber.addObserver((exit) => {
      // another exchange has replaced this one
      if (call[of] !== fiber) return
      call[of] = undefined
      then(exit)
    })
  }

  const evaluate = (
    call: Call,
    of: "exchange" | "question",
    batch: Batch,
    access: Access,
    then: (exit: Exit.Exit<ServerReply, TransportError>) => void,
    command: "EVAL" | "EVALSHA" = "EVALSHA"
  ): void => {
    const script = scripts[access]
    const effect = transport.evaluate({
      command: script.readOnly ? `${command}_RO` : command,
      script: command === "EVAL" ? script.text : script.sha,
      keys: batch.keys,
      argument: batch.argument
    })
    fork(call, of, effect, (exit) => {
      if (
        Exit.isSuccess(exit) && exit.value._tag === "Error" && command === "EVALSHA" && isNoScript(exit.value.message)
      ) {
        return evaluate(call, of, batch, access, then, "EVAL")
      }
      then(exit)
    })
  }

  /** Sends the programs that still have a caller. */
  const send = (call: Call): void => {
    const programs = call.programs.filter(isAwaited)
    if (programs.length === 0) {
      // report why the call was to be sent again
      report(call, call.programs[0]?.reason)
      return close(call)
    }
    call.programs = programs
    const now = performance.now()
    const left = call.wakesAt - now
    call.record ??= telemetry.begin(call.access, call.programs, call.slot, now)
    if (left <= 0 || call.retries > 0 && left < leastMillis) return stopRetrying(call)
    try {
      const batch = encodeBatch(call.programs, keyPrefix)
      if (call.attempts === 0) telemetry.sent(call.record, batch)
      for (const program of call.programs) program.sent = true
      enter(call, "inFlight")
      call.isSent = true
      call.attempts++
      evaluate(call, "exchange", batch, call.access, (exit) => {
        call.isSent = false
        if (Exit.isSuccess(exit)) return onReply(call, exit.value)
        if (errorOf(exit)?.outcome === "NotSent") call.attempts--
        onNoReply(call, exit)
      })
    } catch (defect) {
      report(call, { _tag: "Defect" })
      // nothing was sent, and nothing can be: these callers get the defect, and other calls are not affected
      for (const program of call.programs) program.die(defect)
      close(call)
    }
  }

  /** Yields once, because a connection that is ending looks ready until its event. */
  const connected = Effect.andThen(transport.ready, Effect.yieldNow)

  const onNoReply = (call: Call, exit: Exit.Failure<unknown, TransportError>): void => {
    const error = errorOf(exit)
    if (error?.outcome === "NotSent") onNotSent(call, error)
    else onReplyLost(call)
  }

  const onNotSent = (call: Call, error: TransportError): void => {
    const refusal = notSent(error)
    for (const program of call.programs) {
      program.sent = false
      program.refusal = refusal
    }
    if (call.state === "asking") return closeIfIdle(call)
    if (isFinal(refusal) || drained !== undefined) return stopRetrying(call)
    enter(call, "waitingForConnection")
    fork(call, "exchange", connected, (exit) => {
      if (Exit.isSuccess(exit)) send(call)
      else onNoReply(call, exit)
    })
  }

  const onReplyLost = (call: Call): void => {
    const programs = call.programs.filter(isAwaited)
    for (const program of programs) {
      program.sent = false
      program.lost = true
    }
    if (call.state === "asking") return closeIfIdle(call)
    call.programs = programs.filter(isSafe)
    // also if no caller waits any more
    if (call.programs.length === 0) report(call, new OutcomeUnknown({}))
    for (const program of programs) if (!isSafe(program)) abandon(call, program)
    // the first time, waiting for the connection is enough
    retryLater(call, call.retries === 0 ? 0 : undefined)
  }

  /** Sends the remaining programs again after a delay, or stops if there is no time for it. */
  const retryLater = (call: Call, delay = backoff(call.retries)): void => {
    if (call.programs.length === 0) return close(call)
    if (call.counted === 0) count(call)
    call.retries++
    const isLate = performance.now() + delay + leastMillis > call.wakesAt
    if (!retry || drained !== undefined || isLate) stopRetrying(call)
    else {
      enter(call, "backingOff")
      call.pause = setTimeout(send, delay, call)
    }
    // the other parts of a divided call do not wait for this one
    startNext(call)
  }

  const stopRetrying = (call: Call): void => {
    if (call.state === "closed" || call.state === "asking") return
    enter(call, "asking")
    call.wakesAt = call.expiresAt
    if (!call.isSent) {
      if (!call.programs.some(isInDoubt)) return close(call)
      const { exchange } = call
      call.exchange = undefined
      exchange?.interruptUnsafe()
      for (const program of call.programs) if (!isInDoubt(program)) abandon(call, program)
    }
    ask(call)
    closeIfIdle(call)
  }

  /** Closes a call in `asking` that has nothing left to wait for. */
  const closeIfIdle = (call: Call): void => {
    if (call.state === "closed") return
    if (!call.isSent) {
      if (!call.programs.some(isInDoubt)) return close(call)
      for (const program of call.programs) if (!isInDoubt(program)) abandon(call, program)
    }
    if (!call.programs.some(isAwaited)) close(call)
  }

  /** Writes tombstones for the programs in doubt, and takes the reply as their answers. */
  const ask = (call: Call): void => {
    const programs = call.programs.filter(isInDoubt)
    if (programs.length === 0 || call.state === "closed") return
    const again = () => {
      call.pause = setTimeout(ask, leastMillis, call)
    }
    const onAnswer = (reply: ServerReply): void => {
      if (reply._tag === "Error") {
        const reason = classify(reply.message, [], false)
        return reason._tag === "ServerUnavailable" ? again() : close(call)
      }
      const outcomes = decodeBatch(programs, reply.text)
      if (outcomes === undefined) return close(call)
      detach(call)
      for (let i = 0; i < programs.length; i++) handleOutcome(call, programs[i]!, outcomes[i]!)
      closeIfIdle(call)
      if (!isClosed(call)) again()
    }
    evaluate(call, "question", encodeTombstones(programs.map(({ dedup }) => dedup!), keyPrefix), "allowOom", (exit) => {
      if (Exit.isSuccess(exit)) return onAnswer(exit.value)
      const error = errorOf(exit)
      if (error === undefined || isFinal(refusalOf(error))) return close(call)
      fork(call, "question", connected, (exit) => Exit.isSuccess(exit) ? ask(call) : again())
    })
  }

  /** Stops waiting for the exchange in flight. */
  const detach = (call: Call): void => {
    if (!call.isSent) return
    const { exchange } = call
    call.exchange = undefined
    call.isSent = false
    for (const program of call.programs) {
      program.sent = false
      program.lost = true
    }
    exchange?.interruptUnsafe()
  }

  const onReply = (call: Call, reply: ServerReply): void => {
    const { programs } = call
    // a caller that resumes may commit again at once
    uncount(call)
    if (reply._tag === "Error") return onCallRefused(call, reply.message)
    const outcomes = decodeBatch(programs, reply.text)
    if (outcomes === undefined) {
      const reason = new ScriptFailed({ code: "REPLY", applied: "unknown" })
      report(call, reason)
      for (const program of programs) program.fail(reason)
      return close(call)
    }
    // all results are counted, and the call is reported, before the first caller resumes
    let isAnswered = true
    for (let i = 0; i < programs.length; i++) {
      const outcome = outcomes[i]!
      if (isReply(outcome)) programs[i]!.take(outcome)
      else isAnswered = false
    }
    if (isAnswered) report(call)
    let isComplete = true
    for (let i = 0; i < programs.length; i++) {
      isComplete = handleOutcome(call, programs[i]!, outcomes[i]!) && isComplete
    }
    if (isComplete) return close(call)
    if (call.state === "asking") return closeIfIdle(call)
    call.programs = programs.filter(isAwaited)
    retryLater(call)
  }

  /** The server refused the whole call: it ran nothing of it, or stopped in the middle. */
  const onCallRefused = (call: Call, message: string): void => {
    const programs = call.programs.filter(isAwaited)
    if (programs.length === 0) {
      report(call, classify(message, [], false))
      return close(call)
    }
    const reasons = programs.map(({ program }) => classify(message, keysOf(program), false))
    for (const [i, program] of programs.entries()) markRefused(program, reasons[i]!)
    if (call.state === "asking") return closeIfIdle(call)
    if (programs.length > 1 && isDivisible(message)) {
      report(call, reasons[0])
      call.programs = nobody
      divide(call, programs)
      return close(call)
    }
    call.programs = programs
    if (reasons[0]?._tag === "ServerUnavailable") return retryLater(call)
    if (!programs.some(isInDoubt)) report(call, reasons[0])
    for (const [i, program] of programs.entries()) if (!isInDoubt(program)) fail(call, program, reasons[i]!)
    stopRetrying(call)
  }

  /** Sends the programs one by one, within the deadline of all. */
  const divide = ({ access, expiresAt, slot, wakesAt }: Call, programs: ReadonlyArray<PendingProgram>): void => {
    const next = (at: number): void => {
      const program = programs[at]
      if (program === undefined) return
      enqueue(new Call(access, [program], expiresAt, wakesAt, () => next(at + 1), slot))
    }
    next(0)
  }

  const margin = Math.min(tombstoneMillis, deadline / 2)

  return {
    send: (access, programs, since, slot) => {
      const expiresAt = since + deadline
      const wakesAt = programs.some(isDeduplicated) ? expiresAt - margin : expiresAt
      enqueue(new Call(access, programs, expiresAt, wakesAt, undefined, slot))
    },
    waiting: () => waiting,
    drain: (done) => {
      drained = done
      if (open.size === 0) return done()
      for (const call of open) if (!call.isSent) stopRetrying(call)
    }
  }
}

const isClosed = (call: Call): boolean => call.state === "closed"

const errorOf = <E>({ cause }: Exit.Failure<unknown, E>): E | undefined =>
  Option.getOrUndefined(Cause.findErrorOption(cause))

/** Milliseconds: from about 10 to about 250, at random, so that clients do not return all at once. */
const backoff = (retries: number): number => Math.min(250, 10 * 2 ** retries) * (0.5 + Math.random() / 2)

const isAwaited = (program: PendingProgram): boolean => program.resume !== undefined
const isDeduplicated = (program: PendingProgram): boolean => program.dedup !== undefined
const isReply = (outcome: Outcome): outcome is Reply => outcome._tag === "done" || outcome._tag === "failed"

/** Whether a program may be sent again after its reply was lost. */
const isSafe = (program: PendingProgram): boolean => isDeduplicated(program) || isRepeatable(program.program)

/** Whether a program may have been applied, or may yet be, and a tombstone finds out. */
const isInDoubt = (program: PendingProgram): boolean =>
  program.resume !== undefined && program.dedup !== undefined && (program.sent || program.lost)

/** Why a call was not sent, if the server said so. No script had run. */
const notSent = (error: TransportError): RedisServiceErrorReason | undefined => {
  const reason = refusalOf(error)
  return reason?._tag === "ScriptFailed" ? new ServerUnavailable({ code: reason.code }) : reason
}

const fail = (call: Call, program: PendingProgram, reason: RedisServiceErrorReason): void => {
  if (!isAwaited(program)) return
  call.trouble ??= reason
  program.fail(reason)
}

const abandon = (call: Call, program: PendingProgram): void => fail(call, program, program.reason)

const markRefused = (program: PendingProgram, reason: RedisServiceErrorReason): void => {
  program.sent = false
  program.refusal = reason
}

/** Completes a program by its outcome. Returns false if the program may be sent again. */
const handleOutcome = (call: Call, program: PendingProgram, outcome: Outcome): boolean => {
  switch (outcome._tag) {
    case "done":
    case "failed":
      program.answer(outcome)
      return true
    case "applied":
      fail(call, program, new OutcomeUnknown({ applied: true }))
      return true
    case "tombstoned":
      fail(call, program, program.refusal ?? new ConnectionUnavailable({}))
      return true
  }
  const { message, part, step, undone } = outcome
  if (undone && isWrongType(message)) {
    program.answer({ _tag: "failed", failure: { _tag: "type", step, part } })
    return true
  }
  const reason = undone ? classify(message, keysOf(program.program), true) : broken(message)
  if (reason._tag !== "ServerUnavailable") {
    fail(call, program, reason)
    return true
  }
  markRefused(program, reason)
  return program.resume === undefined
}
