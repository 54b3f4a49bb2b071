/**
 * A call: one exchange with the server that carries the programs of a batch, over all its attempts, until each program has its
 * answer. Callbacks rather than fibers, because every operation passes here.
 *
 *                    ┌── not sent ─────────────────► waitingForConnection ── connected ──┐
 *     enqueue ──► inFlight ◄─────────────────────────────────────────────────────────────┤
 *                    │  └── reply lost, or refused for now ─► backingOff ── delay over ──┘
 *                    │
 *                    └── every program has its answer ──────────────────────────────► closed
 *                                                                                        ▲
 *     any of the three ── retries end: deadline, final refusal, the layer closes ──► asking
 *
 * In `asking` no program is sent again. Deduplicated programs in doubt get a tombstone, whose reply holds their outcomes; the
 * reply of an exchange that is still in flight counts too; every other program fails at once. A call closes at its deadline at
 * the latest. Each event has a function (`onNotSent`, `onReply`, …), and `enter` alone changes the state.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import { CrossSlot, OutcomeUnknown, ScriptFailed } from "../../RedisServiceError.ts"
import type { Call as Message, RedisTransport, ServerReply, TransportError } from "../../RedisTransport.ts"
import { keysOf } from "../instruction/keys.ts"
import type { Access } from "../instruction/ops.ts"
import { tagOf } from "../instruction/slot.ts"
import {
  classify,
  connectionRefusal,
  isAboutWrites,
  isCrossSlot,
  isDivisible,
  isFinal,
  isNoScript,
  refusalOf
} from "./classify.ts"
import * as Deadlines from "./deadlines.ts"
import { abandon, complete, fail, isReply, replicated, replicationOfAll } from "./outcomes.ts"
import {
  accessOf,
  isAwaited,
  isDeduplicated,
  isInDoubt,
  isSafeToRepeat,
  type PendingProgram
} from "./pendingProgram.ts"
import { bySlot, nodeOf, type Place } from "./place.ts"
import { nodeScripts, scripts } from "./scripts.ts"
import type { CallRecord, Telemetry, Trouble } from "./telemetry.ts"
import { type Batch, decodeBatch, encodeBatch, type EncodeOptions, encodeTombstones } from "./wire.ts"

/** @internal */
export interface SenderOptions extends Pick<EncodeOptions, "keyPrefix" | "valueBytes" | "declaresForms"> {
  readonly transport: RedisTransport["Service"]
  /** Milliseconds from the commit of a program to its answer, over all attempts. */
  readonly deadline: number
  readonly runFork: <A, E>(effect: Effect.Effect<A, E>) => Fiber.Fiber<A, E>
  readonly telemetry: Telemetry
  /** Whether programs are sent again. Default: true. */
  readonly retry?: boolean | undefined
  /** Whether the server has `EVALSHA_RO`. */
  readonly readOnlyCommands: boolean
  /** A key for calls that have none, if the server refuses these. */
  readonly keyOfKeyless: string | undefined
  /** Takes back programs of a call whose keys are in several slots. Nothing of it has run. */
  readonly onCrossSlot: (programs: ReadonlyArray<PendingProgram>, since: number) => void
}

/** @internal */
export interface Sender {
  /**
   * Sends the programs as one call.
   *
   * @param since the time (of `performance.now`) when they were committed
   * @param place on a cluster, where their keys are
   */
  readonly send: (programs: ReadonlyArray<PendingProgram>, since: number, place: Place) => void
  /** The number of programs that have no answer yet. */
  readonly waiting: () => number
  /** Ends all retries, and calls back when every program has its answer. */
  readonly drain: (done: () => void) => void
}

type State = "inFlight" | "waitingForConnection" | "backingOff" | "asking" | "closed"

class Call {
  state: State = "inFlight"
  /** The most that one of its programs needs. */
  readonly access: Access
  readonly place: Place
  /** The programs without an answer. */
  programs: ReadonlyArray<PendingProgram>
  /** How many programs `waiting` counts. 0 from the reply on, because a caller that resumes may commit again at once. */
  counted = 0

  /** When the call closes, with or without answers. */
  readonly expiresAt: number
  /** When retries stop. Earlier than `expiresAt` if a tombstone may be needed. */
  readonly retriesUntil: number
  retries = 0

  /** The exchange that carries the programs; in `waitingForConnection`, the wait. */
  exchange: Fiber.Fiber<unknown, unknown> | undefined = undefined
  /** In `asking`: the exchange that carries tombstones, or its wait for a connection. */
  question: Fiber.Fiber<unknown, unknown> | undefined = undefined
  /** In `backingOff`, the delay before the retry; in `asking`, the delay before the next question. */
  pause: ReturnType<typeof setTimeout> | undefined = undefined

  /** Starts the next part of a divided call. Runs once, when this part has its first answers. */
  next: (() => void) | undefined
  /** The exchange that was sent last. */
  message: Message | undefined = undefined
  /** The report to telemetry, from the first attempt until it is finished. */
  record: CallRecord | undefined = undefined

  constructor(
    programs: ReadonlyArray<PendingProgram>,
    expiresAt: number,
    retriesUntil: number,
    next: (() => void) | undefined,
    place: Place
  ) {
    this.access = accessOf(programs)
    this.programs = programs
    this.expiresAt = expiresAt
    this.retriesUntil = retriesUntil
    this.next = next
    this.place = place
  }
}

/** @internal */
export const make = (options: SenderOptions): Sender => {
  const {
    deadline,
    declaresForms,
    keyOfKeyless,
    keyPrefix,
    onCrossSlot,
    readOnlyCommands,
    retry = true,
    runFork,
    telemetry,
    transport,
    valueBytes
  } = options
  const encodeOptions = { keyPrefix, database: transport.server?.database, declaresForms, valueBytes }
  const open = new Set<Call>()
  let waiting = 0
  let drained: (() => void) | undefined

  /** The only place where a state changes. A closed call stays closed, and a call that asks is not sent again. */
  const enter = (call: Call, state: State): void => {
    call.state = state
    if ((state === "asking" || state === "closed") && call.pause !== undefined) clearTimeout(call.pause)
  }

  const deadlines = Deadlines.make((now) => {
    let earliest = Infinity
    for (const call of open) {
      if (call.expiresAt <= now) close(call)
      else if (call.retriesUntil <= now) stopRetrying(call)
      if (!isClosed(call)) earliest = Math.min(earliest, call.state === "asking" ? call.expiresAt : call.retriesUntil)
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

  /** Reports the call, once: if possible, before its last callers resume. */
  const report = (call: Call, trouble?: Trouble): void => {
    const { record } = call
    call.record = undefined
    if (record !== undefined) telemetry.end(record, trouble)
  }

  const enqueue = (call: Call): void => {
    open.add(call)
    count(call)
    deadlines.wakeAt(call.retriesUntil)
    send(call)
  }

  const close = (call: Call): void => {
    if (isClosed(call)) return
    const sent = isSent(call)
    enter(call, "closed")
    uncount(call)
    if (call.record !== undefined) {
      const reason = call.programs.find(isAwaited)?.reason
      report(call, reason ?? (sent ? new OutcomeUnknown({}) : undefined))
    }
    // after a defect there are still programs, and no caller must wait for ever
    for (const program of call.programs) program.abandon()
    const { exchange, question } = call
    call.programs = noPrograms
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

  // -------------------------------------------------------------------------------------------------------------------
  // one exchange
  // -------------------------------------------------------------------------------------------------------------------

  const fork = <A, E>(
    call: Call,
    as: "exchange" | "question",
    effect: Effect.Effect<A, E>,
    then: (exit: Exit.Exit<A, E>) => void
  ): void => {
    const fiber = runFork(effect)
    call[as] = fiber
    fiber.addObserver((exit) => {
      // the call no longer waits for this fiber
      if (call[as] !== fiber) return
      call[as] = undefined
      then(exit)
    })
  }

  const evaluate = (
    call: Call,
    as: "exchange" | "question",
    batch: Batch,
    access: Access,
    then: (exit: Exit.Exit<ServerReply, TransportError>) => void,
    command: "EVAL" | "EVALSHA" = "EVALSHA"
  ): void => {
    const node = nodeOf(call.place)
    const script = node === undefined ? scripts[access] : nodeScripts[access]
    const message: Message = {
      command: script.readOnly && readOnlyCommands ? `${command}_RO` : command,
      script: command === "EVAL" ? script.text : script.sha,
      keys: batch.keys.length === 0 && keyOfKeyless !== undefined && node === undefined ? [keyOfKeyless] : batch.keys,
      argument: batch.argument,
      node,
      replication: access === "read" ? undefined : waitOf(call.programs, batch)
    }
    call.message = message
    fork(call, as, transport.evaluate(message), (exit) => {
      if (
        Exit.isSuccess(exit) && exit.value._tag === "Error" && command === "EVALSHA" && isNoScript(exit.value.message)
      ) {
        return evaluate(call, as, batch, access, then, "EVAL")
      }
      then(exit)
    })
  }

  const waitOf = (programs: ReadonlyArray<PendingProgram>, { keys: [key = ""] }: Batch): Message["replication"] => {
    const replication = replicationOfAll(programs)
    return replication && { ...replication, key: `${keyPrefix}$wait:{${tagOf(key)}}` }
  }

  /** Yields once, because a connection that is ending looks ready until its event. */
  const connected = ({ message }: Call) =>
    Effect.andThen(
      transport.cluster === undefined || message === undefined ? transport.ready : transport.cluster.ready(message),
      Effect.yieldNow
    )

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
    const left = call.retriesUntil - now
    const record = call.record ??= telemetry.begin(call.access, programs, call.place, now)
    if (left <= 0 || call.retries > 0 && left < Deadlines.attemptMillis) return stopRetrying(call)
    try {
      const batch = encodeBatch(programs, encodeOptions)
      if (record.attempts === 0) telemetry.sent(record, batch)
      for (const program of programs) program.inFlight = true
      enter(call, "inFlight")
      record.attempts++
      evaluate(call, "exchange", batch, call.access, (exit) => {
        if (Exit.isSuccess(exit)) return onReply(call, exit.value)
        if (errorOf(exit)?.outcome === "NotSent") record.attempts--
        onNoReply(call, exit)
      })
    } catch (defect) {
      report(call, { _tag: "Defect" })
      // nothing was sent, and nothing can be: these callers get the defect, and other calls are not affected
      for (const program of call.programs) program.die(defect)
      close(call)
    }
  }

  const onReply = (call: Call, reply: ServerReply): void => {
    const { programs } = call
    uncount(call)
    if (reply._tag === "Error") return onCallRefused(call, reply.message)
    const decoded = decodeBatch(programs, reply.text)
    const outcomes = call.message?.replication === undefined
      ? decoded
      : decoded?.map((outcome, i) => replicated(programs[i]!, outcome, reply.replicas ?? 0))
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
      isComplete = complete(call.record, programs[i]!, outcomes[i]!, encodeOptions) && isComplete
    }
    if (isComplete) return close(call)
    if (call.state === "asking") return closeIfIdle(call)
    call.programs = programs.filter(isAwaited)
    // the node does not have the slot, or not the key: that is no failure, which `retry` could forbid to repeat
    if (nodeOf(call.place) !== undefined && call.programs.every(isElsewhere)) return leaveNode(call)
    retryLater(call)
  }

  /** The server refused the whole call: it ran nothing of it, or stopped in the middle. */
  const onCallRefused = (call: Call, message: string): void => {
    const programs = call.programs.filter(isAwaited)
    if (programs.length === 0) {
      report(call, classify(message, [], false))
      return close(call)
    }
    const isLearning = call.place === undefined && call.state === "inFlight" && isCrossSlot(message)
    // one program alone has its keys in several slots, unless it is its dedup record that is in another
    if (isLearning && programs.length === 1 && programs[0]!.dedup === undefined) onCrossSlot(noPrograms, 0)
    else if (isLearning) {
      report(call, new CrossSlot({ keys: [] }))
      call.programs = noPrograms
      close(call)
      return onCrossSlot(programs, call.expiresAt - deadline)
    }
    const reasons = programs.map(({ program }) => classify(message, keysOf(program), false))
    for (const [i, program] of programs.entries()) program.markRefused(reasons[i]!)
    if (call.state === "asking") return closeIfIdle(call)
    if (nodeOf(call.place) !== undefined && isDivisible(message)) {
      call.programs = programs
      return leaveNode(call)
    }
    const isDivided = programs.length > 1 && isDivisible(message)
    if (isDivided || isAboutWrites(message) && programs.some(({ program }) => program.access !== call.access)) {
      report(call, reasons[0])
      call.programs = noPrograms
      if (isDivided) divide(call, programs)
      else divideByAccess(call, programs)
      return close(call)
    }
    call.programs = programs
    if (reasons[0]?._tag === "ServerUnavailable") return retryLater(call)
    if (!programs.some(isInDoubt)) report(call, reasons[0])
    for (const [i, program] of programs.entries()) if (!isInDoubt(program)) fail(call.record, program, reasons[i]!)
    stopRetrying(call)
  }

  const onNoReply = (call: Call, exit: Exit.Failure<unknown, TransportError>): void => {
    const error = errorOf(exit)
    if (error?.outcome === "NotSent") onNotSent(call, error)
    else onReplyLost(call)
  }

  const onNotSent = (call: Call, error: TransportError): void => {
    const refusal = connectionRefusal(error)
    for (const program of call.programs) program.markRefused(refusal)
    if (call.state === "asking") return closeIfIdle(call)
    if (isFinal(refusal) || drained !== undefined) return stopRetrying(call)
    enter(call, "waitingForConnection")
    if (nodeOf(call.place) !== undefined) return leaveNode(call)
    fork(call, "exchange", connected(call), (exit) => {
      if (Exit.isSuccess(exit)) send(call)
      else onNoReply(call, exit)
    })
  }

  const onReplyLost = (call: Call): void => {
    const programs = call.programs.filter(isAwaited)
    for (const program of programs) program.markReplyLost()
    if (call.state === "asking") return closeIfIdle(call)
    call.programs = programs.filter(isSafeToRepeat)
    // also if no caller waits any more
    if (call.programs.length === 0) report(call, new OutcomeUnknown({}))
    for (const program of programs) if (!isSafeToRepeat(program)) abandon(call.record, program)
    // no delay at first, because the call will wait for the connection
    retryLater(call, call.retries === 0 ? 0 : undefined)
  }

  // -------------------------------------------------------------------------------------------------------------------
  // the next attempt, or the end of all attempts
  // -------------------------------------------------------------------------------------------------------------------

  /** Sends the remaining programs again after a delay, or stops if there is no time for it. */
  const retryLater = (call: Call, delay = Deadlines.backoff(call.retries)): void => {
    if (call.programs.length === 0) return close(call)
    if (call.counted === 0) count(call)
    call.retries++
    const isLate = performance.now() + delay + Deadlines.attemptMillis > call.retriesUntil
    if (!retry || drained !== undefined || isLate) stopRetrying(call)
    else if (nodeOf(call.place) !== undefined) return leaveNode(call)
    else {
      enter(call, "backingOff")
      call.pause = setTimeout(send, delay, call)
    }
    // the other parts of a divided call do not wait for this one
    startNext(call)
  }

  /** Sends the programs one by one, each as a call, within the deadline of all. */
  const divide = (call: Call, programs: ReadonlyArray<PendingProgram>): void => {
    const { expiresAt, place, retriesUntil } = call
    const next = (at: number): void => {
      const program = programs[at]
      if (program === undefined) return
      enqueue(new Call([program], expiresAt, retriesUntil, () => next(at + 1), place))
    }
    next(0)
  }

  /** Sends the programs as a call for each access, because the server accepts some of them. */
  const divideByAccess = ({ expiresAt, place, retriesUntil }: Call, programs: ReadonlyArray<PendingProgram>): void => {
    for (const access of ["read", "allowOom", "write"] as const) {
      const part = programs.filter(({ program }) => program.access === access)
      if (part.length > 0) enqueue(new Call(part, expiresAt, retriesUntil, undefined, place))
    }
  }

  /**
   * Sends the programs of a node by slot, with their keys declared, because only then a server says where a key is, or that it
   * moves. So a call for a node is sent once, whatever became of it.
   */
  const leaveNode = (call: Call): void => {
    const { expiresAt, programs, retriesUntil } = call
    transport.cluster?.suspect()
    if (drained !== undefined) return stopRetrying(call)
    report(call, programs[0]?.reason)
    call.programs = noPrograms
    for (const [slot, part] of bySlot(programs)) enqueue(new Call(part, expiresAt, retriesUntil, undefined, slot))
    close(call)
  }

  const stopRetrying = (call: Call): void => {
    if (call.state === "closed" || call.state === "asking") return
    const sent = isSent(call)
    enter(call, "asking")
    if (!sent) dropExchange(call)
    closeIfIdle(call)
    ask(call)
  }

  /** Stops waiting for the exchange, or for the connection. */
  const dropExchange = (call: Call): void => {
    const { exchange } = call
    call.exchange = undefined
    exchange?.interruptUnsafe()
  }

  /** Fails the programs that nothing can answer any more, and closes the call if no program is left. */
  const closeIfIdle = (call: Call): void => {
    if (isClosed(call)) return
    if (!isSent(call)) {
      if (!call.programs.some(isInDoubt)) return close(call)
      for (const program of call.programs) if (!isInDoubt(program)) abandon(call.record, program)
    }
    if (!call.programs.some(isAwaited)) close(call)
  }

  /** Writes tombstones for the programs in doubt, and takes the reply as their answers. */
  const ask = (call: Call): void => {
    const programs = call.programs.filter(isInDoubt)
    if (programs.length === 0 || isClosed(call)) return
    const batch = encodeTombstones(programs.map(({ dedup }) => dedup!), keyPrefix)
    evaluate(call, "question", batch, "allowOom", (exit) => {
      if (Exit.isSuccess(exit)) return onAnswer(call, programs, exit.value)
      const error = errorOf(exit)
      if (error === undefined || isFinal(refusalOf(error))) return close(call)
      fork(call, "question", connected(call), (exit) => Exit.isSuccess(exit) ? ask(call) : askLater(call))
    })
  }

  const askLater = (call: Call): void => {
    call.pause = setTimeout(ask, Deadlines.askAgainMillis, call)
  }

  const onAnswer = (call: Call, programs: ReadonlyArray<PendingProgram>, reply: ServerReply): void => {
    if (reply._tag === "Error") {
      const reason = classify(reply.message, [], false)
      return reason._tag === "ServerUnavailable" ? askLater(call) : close(call)
    }
    const outcomes = decodeBatch(programs, reply.text)
    if (outcomes === undefined) return close(call)
    if (isSent(call)) {
      // the tombstones decide: the reply of the exchange is not awaited any more
      for (const program of call.programs) program.markReplyLost()
      dropExchange(call)
    }
    for (const [i, program] of programs.entries()) {
      complete(call.record, program, replicated(program, outcomes[i]!, reply.replicas ?? 0), encodeOptions)
    }
    closeIfIdle(call)
    if (!isClosed(call)) askLater(call)
  }

  const margin = Math.min(Deadlines.tombstoneMillis, deadline / 2)

  return {
    send: (programs, since, place) => {
      const expiresAt = since + deadline
      const retriesUntil = programs.some(isDeduplicated) ? expiresAt - margin : expiresAt
      enqueue(new Call(programs, expiresAt, retriesUntil, undefined, place))
    },
    waiting: () => waiting,
    drain: (done) => {
      drained = done
      if (open.size === 0) return done()
      for (const call of open) if (!isSent(call)) stopRetrying(call)
    }
  }
}

const noPrograms: ReadonlyArray<PendingProgram> = []

const isElsewhere = ({ refusal }: PendingProgram): boolean =>
  refusal?._tag === "ServerUnavailable" && refusal.code === "ASK"

const isClosed = (call: Call): boolean => call.state === "closed"

/** Whether an exchange that carries the programs has no reply yet. In `asking` there may still be one. */
const isSent = (call: Call): boolean => call.exchange !== undefined && call.state !== "waitingForConnection"

const errorOf = <E>({ cause }: Exit.Failure<unknown, E>): E | undefined =>
  Option.getOrUndefined(Cause.findErrorOption(cause))
