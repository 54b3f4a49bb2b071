/**
 * Brings groups of programs to their answers: each group is one call, sent as soon as there is a connection, sent again where
 * that is safe with what has no answer yet, and settled by its reply or at its deadline. Callbacks rather than fibers, since
 * every operation passes here.
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
import type { Access } from "../instruction/ops.ts"
import { isRepeatable } from "../instruction/program.ts"
import type { Reply } from "../instruction/reply.ts"
import { keysOf } from "../instruction/slot.ts"
import { broken, classify, isDivisible, isFinal, isNoScript, isWrongType, refusalOf } from "./classify.ts"
import type { PendingProgram } from "./pendingProgram.ts"
import { scripts } from "./scripts.ts"
import type { CallRecord, Telemetry, Trouble } from "./telemetry.ts"
import { type Batch, decodeBatch, encodeBatch, encodeSeals, type Outcome } from "./wire.ts"

/** @internal */
export interface SenderOptions {
  readonly transport: RedisTransport["Service"]
  readonly keyPrefix: string
  /** in milliseconds */
  readonly deadline: number
  readonly runFork: <A, E>(effect: Effect.Effect<A, E>) => Fiber.Fiber<A, E>
  readonly telemetry: Telemetry
  /** whether programs are sent again; they are unless it is false */
  readonly retry?: boolean | undefined
}

/** @internal */
export interface Sender {
  /**
   * @param since when they were committed
   * @param slot where all their keys are, on a cluster
   */
  readonly send: (
    access: Access,
    entries: ReadonlyArray<PendingProgram>,
    since: number,
    slot: number | undefined
  ) => void
  /** How many programs are on their way or wait. */
  readonly waiting: () => number
  /** Refuses what was not sent, and calls back when all that was sent has its answer. */
  readonly drain: (done: () => void) => void
}

const nothing: Batch = { keys: [], argument: "" }
const nobody: ReadonlyArray<PendingProgram> = []

/** How long before its deadline a program that happens once is given up, to find out what became of it. */
const sealMillis = 250
/** A retry needs as long at least. */
const leastMillis = 20

class Group {
  readonly access: Access
  entries: ReadonlyArray<PendingProgram>
  /** how many are counted as waiting */
  size = 0
  /** what was sent */
  batch: Batch = nothing
  readonly expiresAt: number
  /** when something has to be done without an answer: it is given up, or it is over */
  wakesAt: number
  /** what comes after this group has its first answers */
  next: (() => void) | undefined
  /** the call, or the wait for a connection */
  fiber: Fiber.Fiber<unknown, unknown> | undefined = undefined
  /** whether a call is on its way */
  isSent = false
  retries = 0
  pause: ReturnType<typeof setTimeout> | undefined = undefined
  /** nothing of it is sent again */
  isGivenUp = false
  /** the call that asks what became of it, or the wait for a connection */
  seal: Fiber.Fiber<unknown, unknown> | undefined = undefined
  isOver = false
  readonly slot: number | undefined
  /** for telemetry, until it is told */
  record: CallRecord | undefined = undefined
  /** how often it was sent */
  attempts = 0
  /** why the first of its programs without an answer has none */
  trouble: Trouble | undefined = undefined

  constructor(
    access: Access,
    entries: ReadonlyArray<PendingProgram>,
    expiresAt: number,
    wakesAt: number,
    next: (() => void) | undefined,
    slot: number | undefined
  ) {
    this.access = access
    this.entries = entries
    this.expiresAt = expiresAt
    this.wakesAt = wakesAt
    this.next = next
    this.slot = slot
  }
}

/** @internal */
export const make = (options: SenderOptions): Sender => {
  const { deadline, keyPrefix, retry = true, runFork, telemetry, transport } = options
  const inFlight = new Set<Group>()
  let waiting = 0
  let timer: ReturnType<typeof setTimeout> | undefined
  let timerAt = Infinity
  let drained: (() => void) | undefined

  const schedule = (at: number): void => {
    if (timer !== undefined) {
      if (timerAt <= at) return
      clearTimeout(timer)
    }
    timerAt = at
    timer = setTimeout(elapsed, Math.max(1, Math.ceil(at - performance.now())))
  }

  const start = (group: Group): void => {
    inFlight.add(group)
    occupy(group)
    schedule(group.wakesAt)
    advance(group)
  }

  const occupy = (group: Group): void => {
    group.size = group.entries.length
    waiting += group.size
  }

  const release = (group: Group): void => {
    waiting -= group.size
    group.size = 0
  }

  const proceed = (group: Group): void => {
    const { next } = group
    group.next = undefined
    if (next !== undefined) next()
  }

  /** Tells of the call, once: before its last callers go on, where that can be. */
  const conclude = (group: Group, trouble?: Trouble): void => {
    const { attempts, record } = group
    group.record = undefined
    if (record !== undefined) telemetry.end(record, attempts, group.trouble ?? trouble)
  }

  const over = (group: Group): void => {
    if (group.isOver) return
    group.isOver = true
    release(group)
    if (group.record !== undefined) {
      const reason = group.entries.find(isAwaited)?.reason
      conclude(group, reason ?? (group.isSent ? new OutcomeUnknown({}) : undefined))
    }
    // also after a defect: no caller is left waiting
    for (const entry of group.entries) entry.abandon()
    const { fiber, seal } = group
    group.entries = nobody
    group.batch = nothing
    group.fiber = group.seal = undefined
    if (group.pause !== undefined) clearTimeout(group.pause)
    inFlight.delete(group)
    if (fiber !== undefined) fiber.interruptUnsafe()
    if (seal !== undefined) seal.interruptUnsafe()
    proceed(group)
    if (inFlight.size === 0) {
      clearTimeout(timer)
      timer = undefined
      if (drained !== undefined) drained()
    }
  }

  /** A client that was busy reads first what has come meanwhile: sockets are read between timers and immediates. */
  const elapsed = (): void => {
    setImmediate(expire)
  }

  const expire = (): void => {
    timer = undefined
    const now = performance.now()
    let earliest = Infinity
    for (const group of inFlight) {
      if (group.expiresAt <= now) over(group)
      else if (group.wakesAt <= now) giveUp(group)
      if (!group.isOver) earliest = Math.min(earliest, group.wakesAt)
    }
    if (inFlight.size > 0) schedule(earliest)
  }

  const run = <A, E>(
    group: Group,
    of: "fiber" | "seal",
    effect: Effect.Effect<A, E>,
    then: (exit: Exit.Exit<A, E>) => void
  ): void => {
    const fiber = runFork(effect)
    group[of] = fiber
    fiber.addObserver((exit) => {
      // it was left
      if (group[of] !== fiber) return
      group[of] = undefined
      then(exit)
    })
  }

  const call = (
    group: Group,
    of: "fiber" | "seal",
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
    run(group, of, effect, (exit) => {
      if (
        Exit.isSuccess(exit) && exit.value._tag === "Error" && command === "EVALSHA" && isNoScript(exit.value.message)
      ) {
        return call(group, of, batch, access, then, "EVAL")
      }
      then(exit)
    })
  }

  /** Sends what still has a caller, and waits for a connection as long as nothing was sent. */
  const advance = (group: Group): void => {
    const entries = group.entries.filter(isAwaited)
    if (entries.length === 0) {
      // why it was to be sent again
      conclude(group, group.entries[0]?.reason)
      return over(group)
    }
    group.entries = entries
    const now = performance.now()
    const left = group.wakesAt - now
    group.record ??= telemetry.begin(group.access, group.entries, group.slot, now)
    if (left <= 0 || group.retries > 0 && left < leastMillis) return giveUp(group)
    try {
      group.batch = encodeBatch(group.entries, keyPrefix)
      if (group.attempts === 0) telemetry.sent(group.record, group.batch)
      for (const entry of group.entries) entry.sent = true
      group.isSent = true
      group.attempts++
      call(group, "fiber", group.batch, group.access, (exit) => {
        group.isSent = false
        if (Exit.isSuccess(exit)) return answer(group, exit.value)
        if (errorOf(exit)?.outcome === "NotSent") group.attempts--
        unanswered(group, exit)
      })
    } catch (defect) {
      conclude(group, { _tag: "Defect" })
      // nothing was sent, and it can't be: whoever waits is told, and other groups go on
      for (const entry of group.entries) entry.die(defect)
      over(group)
    }
  }

  /** In another turn, since a connection that is ending looks ready until its event. */
  const ready = Effect.andThen(transport.ready, Effect.yieldNow)

  const unanswered = (group: Group, exit: Exit.Failure<unknown, TransportError>): void => {
    const error = errorOf(exit)
    if (error?.outcome !== "NotSent") return lose(group)
    const refusal = notSent(error)
    for (const entry of group.entries) {
      entry.sent = false
      entry.refusal = refusal
    }
    if (group.isGivenUp) return remain(group)
    if (isFinal(refusal) || drained !== undefined) return giveUp(group)
    run(group, "fiber", ready, (exit) => {
      if (Exit.isSuccess(exit)) advance(group)
      else unanswered(group, exit)
    })
  }

  /** Sent, and no reply. */
  const lose = (group: Group): void => {
    const entries = group.entries.filter(isAwaited)
    for (const entry of entries) {
      entry.sent = false
      entry.lost = true
    }
    if (group.isGivenUp) return remain(group)
    group.entries = entries.filter(isSafe)
    // also where nobody waits for it any more
    if (group.entries.length === 0) conclude(group, new OutcomeUnknown({}))
    for (const entry of entries) if (!isSafe(entry)) abandon(group, entry)
    // the first time it is the connection that is waited for
    again(group, group.retries === 0 ? 0 : undefined)
  }

  /** Sends what is left once more, after a while; or gives it up. */
  const again = (group: Group, delay = backoff(group.retries)): void => {
    if (group.entries.length === 0) return over(group)
    if (group.size === 0) occupy(group)
    group.retries++
    const isLate = performance.now() + delay + leastMillis > group.wakesAt
    if (!retry || drained !== undefined || isLate) giveUp(group)
    else group.pause = setTimeout(advance, delay, group)
    // the others don't wait for this one
    proceed(group)
  }

  /**
   * Nothing is sent any more. What may be done, or may yet be, is forbidden where it happens once, and settled by what is
   * told then; what is on its way may still be answered; the rest is over.
   */
  const giveUp = (group: Group): void => {
    if (group.isOver || group.isGivenUp) return
    group.isGivenUp = true
    group.wakesAt = group.expiresAt
    if (group.pause !== undefined) clearTimeout(group.pause)
    if (!group.isSent) {
      if (!group.entries.some(isSealable)) return over(group)
      const { fiber } = group
      group.fiber = undefined
      fiber?.interruptUnsafe()
      for (const entry of group.entries) if (!isSealable(entry)) abandon(group, entry)
    }
    seal(group)
    remain(group)
  }

  /** Whether anything is left to wait for. */
  const remain = (group: Group): void => {
    if (group.isOver) return
    if (!group.isSent) {
      if (!group.entries.some(isSealable)) return over(group)
      for (const entry of group.entries) if (!isSealable(entry)) abandon(group, entry)
    }
    if (!group.entries.some(isAwaited)) over(group)
  }

  const seal = (group: Group): void => {
    const entries = group.entries.filter(isSealable)
    if (entries.length === 0 || group.isOver) return
    const later = () => {
      group.pause = setTimeout(seal, leastMillis, group)
    }
    const onReply = (reply: ServerReply): void => {
      if (reply._tag === "Error") {
        const reason = classify(reply.message, [], false)
        return reason._tag === "ServerUnavailable" ? later() : over(group)
      }
      const outcomes = decodeBatch(entries, reply.text)
      if (outcomes === undefined) return over(group)
      leave(group)
      for (let i = 0; i < entries.length; i++) settle(group, entries[i]!, outcomes[i]!)
      remain(group)
      if (!group.isOver) later()
    }
    call(group, "seal", encodeSeals(entries.map(({ once }) => once!), keyPrefix), "allowOom", (exit) => {
      if (Exit.isSuccess(exit)) return onReply(exit.value)
      const error = errorOf(exit)
      if (error === undefined || isFinal(refusalOf(error))) return over(group)
      run(group, "seal", ready, (exit) => Exit.isSuccess(exit) ? seal(group) : later())
    })
  }

  /** Waits no longer for the call that is on its way. */
  const leave = (group: Group): void => {
    if (!group.isSent) return
    const { fiber } = group
    group.fiber = undefined
    group.isSent = false
    for (const entry of group.entries) {
      entry.sent = false
      entry.lost = true
    }
    fiber?.interruptUnsafe()
  }

  const answer = (group: Group, reply: ServerReply): void => {
    const { entries } = group
    // whoever has an answer goes on at once
    release(group)
    if (reply._tag === "Error") return refused(group, reply.message)
    const outcomes = decodeBatch(entries, reply.text)
    if (outcomes === undefined) {
      const reason = new ScriptFailed({ code: "REPLY", applied: "unknown" })
      conclude(group, reason)
      for (const entry of entries) entry.fail(reason)
      return over(group)
    }
    // all are counted, and the call is told of, before the first caller goes on
    let isAnswered = true
    for (let i = 0; i < entries.length; i++) {
      const outcome = outcomes[i]!
      if (isReply(outcome)) entries[i]!.take(outcome)
      else isAnswered = false
    }
    if (isAnswered) conclude(group)
    let isSettled = true
    for (let i = 0; i < entries.length; i++) isSettled = settle(group, entries[i]!, outcomes[i]!) && isSettled
    if (isSettled) return over(group)
    if (group.isGivenUp) return remain(group)
    group.entries = entries.filter(isAwaited)
    again(group)
  }

  /** The server has run nothing of the call, or has stopped in the middle. */
  const refused = (group: Group, message: string): void => {
    const entries = group.entries.filter(isAwaited)
    if (entries.length === 0) {
      conclude(group, classify(message, [], false))
      return over(group)
    }
    const reasons = entries.map((entry) => classify(message, keysOf(entry.program), false))
    for (const [i, entry] of entries.entries()) refuse(entry, reasons[i]!)
    if (group.isGivenUp) return remain(group)
    if (entries.length > 1 && isDivisible(message)) {
      conclude(group, reasons[0])
      group.entries = nobody
      divide(group, entries)
      return over(group)
    }
    group.entries = entries
    if (reasons[0]?._tag === "ServerUnavailable") return again(group)
    if (!entries.some(isSealable)) conclude(group, reasons[0])
    for (const [i, entry] of entries.entries()) if (!isSealable(entry)) fail(group, entry, reasons[i]!)
    giveUp(group)
  }

  /** One by one, within the deadline of all. */
  const divide = ({ access, expiresAt, slot, wakesAt }: Group, entries: ReadonlyArray<PendingProgram>): void => {
    const next = (at: number): void => {
      const entry = entries[at]
      if (entry === undefined) return
      start(new Group(access, [entry], expiresAt, wakesAt, () => next(at + 1), slot))
    }
    next(0)
  }

  const margin = Math.min(sealMillis, deadline / 2)

  return {
    send: (access, entries, since, slot) => {
      const expiresAt = since + deadline
      const wakesAt = entries.some(isOnce) ? expiresAt - margin : expiresAt
      start(new Group(access, entries, expiresAt, wakesAt, undefined, slot))
    },
    waiting: () => waiting,
    drain: (done) => {
      drained = done
      if (inFlight.size === 0) return done()
      for (const group of inFlight) if (!group.isSent) giveUp(group)
    }
  }
}

const errorOf = <E>({ cause }: Exit.Failure<unknown, E>): E | undefined =>
  Option.getOrUndefined(Cause.findErrorOption(cause))

/** From about 10 ms to about 250, so that clients don't come at once. */
const backoff = (retries: number): number => Math.min(250, 10 * 2 ** retries) * (0.5 + Math.random() / 2)

const isAwaited = (entry: PendingProgram): boolean => entry.resume !== undefined
const isOnce = (entry: PendingProgram): boolean => entry.once !== undefined
const isReply = (outcome: Outcome): outcome is Reply => outcome._tag === "done" || outcome._tag === "failed"

/** It may be sent again where no reply came. */
const isSafe = (entry: PendingProgram): boolean => isOnce(entry) || isRepeatable(entry.program)

/** It may have happened, or may yet, and it can be found out. */
const isSealable = (entry: PendingProgram): boolean =>
  entry.resume !== undefined && entry.once !== undefined && (entry.sent || entry.lost)

/** Why a call was not sent, where the server has said so: no script had run. */
const notSent = (error: TransportError): RedisServiceErrorReason | undefined => {
  const reason = refusalOf(error)
  return reason?._tag === "ScriptFailed" ? new ServerUnavailable({ code: reason.code }) : reason
}

const fail = (group: Group, entry: PendingProgram, reason: RedisServiceErrorReason): void => {
  if (!isAwaited(entry)) return
  group.trouble ??= reason
  entry.fail(reason)
}

const abandon = (group: Group, entry: PendingProgram): void => fail(group, entry, entry.reason)

const refuse = (entry: PendingProgram, reason: RedisServiceErrorReason): void => {
  entry.sent = false
  entry.refusal = reason
}

/** Whether it has its answer now; otherwise it may be sent again. */
const settle = (group: Group, entry: PendingProgram, outcome: Outcome): boolean => {
  switch (outcome._tag) {
    case "done":
    case "failed":
      entry.answer(outcome)
      return true
    case "applied":
      fail(group, entry, new OutcomeUnknown({ applied: true }))
      return true
    case "sealed":
      fail(group, entry, entry.refusal ?? new ConnectionUnavailable({}))
      return true
  }
  const { message, part, step, undone } = outcome
  if (undone && isWrongType(message)) {
    entry.answer({ _tag: "failed", failure: { _tag: "type", step, part } })
    return true
  }
  const reason = undone ? classify(message, keysOf(entry.program), true) : broken(message)
  if (reason._tag !== "ServerUnavailable") {
    fail(group, entry, reason)
    return true
  }
  refuse(entry, reason)
  return entry.resume === undefined
}
