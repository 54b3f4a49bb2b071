/**
 * Brings groups of programs to their answers: each group is one call, sent as soon as there is a connection, and settled by
 * its reply or at its deadline. Callbacks rather than fibers, since every operation passes here.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import { ScriptFailed, ServerUnavailable } from "../../RedisServiceError.ts"
import type { RedisTransport, ServerReply, TransportError } from "../../RedisTransport.ts"
import { type Batch, decodeBatch, encodeBatch, type Outcome } from "../program/encode.ts"
import type { Access } from "../program/instruction.ts"
import { keysOf } from "../program/slot.ts"
import { broken, classify, isDivisible, isFinal, isNoScript, isWrongType, refusalOf } from "./classify.ts"
import type { Entry } from "./entry.ts"
import { scripts } from "./script.ts"

/** @internal */
export interface SenderOptions {
  readonly transport: RedisTransport["Service"]
  readonly keyPrefix: string
  /** in milliseconds */
  readonly deadline: number
  readonly runFork: <A, E>(effect: Effect.Effect<A, E>) => Fiber.Fiber<A, E>
}

/** @internal */
export interface Sender {
  readonly send: (access: Access, entries: ReadonlyArray<Entry>) => void
  /** Refuses what was not sent, and calls back when all that was sent has its answer. */
  readonly drain: (done: () => void) => void
}

const nothing: Batch = { keys: [], argument: "" }
const nobody: ReadonlyArray<Entry> = []

class Group {
  readonly access: Access
  entries: ReadonlyArray<Entry>
  /** what was sent */
  batch: Batch = nothing
  readonly expiresAt: number
  /** what comes after this group has its answers */
  readonly next: (() => void) | undefined
  fiber: Fiber.Fiber<unknown, unknown> | undefined = undefined
  isOver = false

  constructor(access: Access, entries: ReadonlyArray<Entry>, expiresAt: number, next: (() => void) | undefined) {
    this.access = access
    this.entries = entries
    this.expiresAt = expiresAt
    this.next = next
  }
}

/** @internal */
export const make = (options: SenderOptions): Sender => {
  const { deadline, keyPrefix, runFork, transport } = options
  const inFlight = new Set<Group>()
  let timer: ReturnType<typeof setTimeout> | undefined
  let drained: (() => void) | undefined

  const start = (group: Group): void => {
    inFlight.add(group)
    timer ??= setTimeout(elapsed, deadline)
    advance(group)
  }

  const over = (group: Group): void => {
    if (group.isOver) return
    group.isOver = true
    // also after a defect: no caller is left waiting
    for (const entry of group.entries) entry.abandon()
    group.entries = nobody
    group.batch = nothing
    group.fiber = undefined
    inFlight.delete(group)
    if (group.next !== undefined) group.next()
    if (inFlight.size === 0) {
      clearTimeout(timer)
      timer = undefined
      if (drained !== undefined) drained()
    }
  }

  const stop = (group: Group): void => {
    const fiber = group.fiber
    over(group)
    fiber?.interruptUnsafe()
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
      if (group.expiresAt <= now) stop(group)
      else earliest = Math.min(earliest, group.expiresAt)
    }
    if (inFlight.size > 0) timer ??= setTimeout(elapsed, Math.max(1, Math.ceil(earliest - performance.now())))
  }

  const run = <A, E>(group: Group, effect: Effect.Effect<A, E>, then: (exit: Exit.Exit<A, E>) => void): void => {
    const fiber = runFork(effect)
    group.fiber = fiber
    fiber.addObserver((exit) => {
      if (!group.isOver) then(exit)
    })
  }

  /** Sends what still has a caller, and waits for a connection as long as nothing was sent. */
  const advance = (group: Group): void => {
    group.entries = group.entries.filter((entry) => entry.resume !== undefined)
    if (group.entries.length === 0) return over(group)
    try {
      group.batch = encodeBatch(group.entries, keyPrefix)
      for (const entry of group.entries) entry.sent = true
      evaluate(group, "EVALSHA")
    } catch (defect) {
      // nothing was sent, and it can't be: whoever waits is told, and other groups go on
      for (const entry of group.entries) entry.die(defect)
      over(group)
    }
  }

  const evaluate = (group: Group, command: "EVAL" | "EVALSHA"): void => {
    const script = scripts[group.access]
    const call = transport.evaluate({
      command: script.readOnly ? `${command}_RO` : command,
      script: command === "EVAL" ? script.text : script.sha,
      keys: group.batch.keys,
      argument: group.batch.argument
    })
    run(group, call, (exit) => {
      if (Exit.isFailure(exit)) return wait(group, exit)
      const reply = exit.value
      if (reply._tag === "Error" && command === "EVALSHA" && isNoScript(reply.message)) return evaluate(group, "EVAL")
      answer(group, reply)
    })
  }

  const wait = (group: Group, exit: Exit.Failure<unknown, TransportError>): void => {
    const error = Option.getOrUndefined(Cause.findErrorOption(exit.cause))
    if (error?.outcome !== "NotSent") return over(group)
    const reason = refusalOf(error)
    // no script had run
    const refusal = reason?._tag === "ScriptFailed" ? new ServerUnavailable({ code: reason.code }) : reason
    for (const entry of group.entries) {
      entry.sent = false
      entry.refusal = refusal
    }
    if (isFinal(refusal)) return over(group)
    // in another turn, since a connection that is ending looks ready until its event
    run(group, Effect.andThen(transport.ready, Effect.yieldNow), (exit) => {
      if (Exit.isSuccess(exit)) advance(group)
      else wait(group, exit)
    })
  }

  const answer = (group: Group, reply: ServerReply): void => {
    const { entries } = group
    if (reply._tag === "Error") {
      const { message } = reply
      if (entries.length > 1 && isDivisible(message)) {
        for (const entry of entries) {
          entry.sent = false
          entry.refusal = classify(message, keysOf(entry.program), false)
        }
        return divide(group, 0)
      }
      for (const entry of entries) entry.fail(classify(message, keysOf(entry.program), false))
      return over(group)
    }
    const outcomes = decodeBatch(entries, reply.text)
    for (let i = 0; i < entries.length; i++) {
      if (outcomes === undefined) entries[i]!.fail(new ScriptFailed({ code: "REPLY", applied: "unknown" }))
      else settle(entries[i]!, outcomes[i]!)
    }
    over(group)
  }

  /** One by one, within the deadline of all. */
  const divide = (group: Group, at: number): void => {
    const entry = group.entries[at]
    if (entry === undefined) return over(group)
    start(new Group(group.access, [entry], group.expiresAt, () => divide(group, at + 1)))
  }

  return {
    send: (access, entries) => start(new Group(access, entries, performance.now() + deadline, undefined)),
    drain: (done) => {
      drained = done
      if (inFlight.size === 0) return done()
      for (const group of inFlight) {
        if (group.entries.every((entry) => !entry.sent)) stop(group)
      }
    }
  }
}

const settle = (entry: Entry, outcome: Outcome): void => {
  if (outcome._tag !== "refused") return entry.answer(outcome)
  const { message, part, step, undone } = outcome
  if (undone && isWrongType(message)) return entry.answer({ _tag: "failed", failure: { _tag: "type", step, part } })
  entry.fail(undone ? classify(message, keysOf(entry.program), true) : broken(message))
}
