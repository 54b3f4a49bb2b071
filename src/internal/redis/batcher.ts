/**
 * Gathers the programs that are committed in one turn of the event loop, and sends them as one call for each access and slot.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import {
  ConnectionUnavailable,
  CrossSlot,
  OutcomeUnknown,
  RedisServiceError,
  type RedisServiceErrorReason,
  ScriptFailed
} from "../../RedisServiceError.ts"
import type { RedisTransport, ServerReply, TransportError } from "../../RedisTransport.ts"
import { decodeBatch, encodeBatch, type Outcome } from "../program/encode.ts"
import { type Access, Op, type Program, type Reply } from "../program/instruction.ts"
import { type Limits, sizeOf, tooLarge } from "../program/limits.ts"
import { slotOf } from "../program/slot.ts"
import { broken, classify, isDivisible, isFinal, isNoScript, isWrongType, refusalOf } from "./classify.ts"
import { type Script, scripts } from "./script.ts"

/** @internal */
export interface BatchLimits {
  readonly programs: number
  readonly bytes: number
  readonly instructions: number
}

/** @internal */
export const defaultBatch: BatchLimits = { programs: 128, bytes: 256_000, instructions: 2048 }

/** @internal */
export interface BatcherOptions {
  readonly transport: RedisTransport["Service"]
  readonly keyPrefix: string
  readonly isCluster: boolean
  /** in milliseconds */
  readonly deadline: number
  readonly batch: BatchLimits
  readonly limits: Limits
  readonly runFork: <A, E>(effect: Effect.Effect<A, E>) => Fiber.Fiber<A, E>
}

type Resume = (exit: Exit.Exit<Reply, RedisServiceError>) => void

class Entry {
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
  abandon(): void {
    if (this.resume !== undefined) {
      this.fail(this.sent ? new OutcomeUnknown({}) : this.refusal ?? new ConnectionUnavailable({}))
    }
  }
}

/** The programs that one fiber brings to their answers. */
interface Group {
  readonly entries: ReadonlyArray<Entry>
  readonly fiber: Fiber.Fiber<void>
}

/** @internal */
export interface Batcher {
  readonly execute: (program: Program) => Effect.Effect<Reply, RedisServiceError>
  /** Refuses what was not sent and what comes from now on, and ends when all that was sent has its answer. */
  readonly close: Effect.Effect<void>
}

/** @internal */
export const make = (options: BatcherOptions): Batcher => {
  const { batch, deadline, isCluster, keyPrefix, limits, runFork, transport } = options
  let waiting: Record<Access, Array<Entry>> = { read: [], free: [], write: [] }
  let scheduled = false
  let closed = false
  const inFlight = new Set<Group>()
  let drained: (() => void) | undefined

  const evaluate = (
    script: Script,
    command: "EVAL" | "EVALSHA",
    keys: ReadonlyArray<string>,
    argument: string
  ): Effect.Effect<ServerReply, TransportError> =>
    transport.evaluate({
      command: script.readOnly ? `${command}_RO` : command,
      script: command === "EVAL" ? script.text : script.sha,
      keys,
      argument
    })

  const call = (script: Script, keys: ReadonlyArray<string>, argument: string) =>
    Effect.flatMap(
      evaluate(script, "EVALSHA", keys, argument),
      (reply) =>
        reply._tag === "Error" && isNoScript(reply.message)
          ? evaluate(script, "EVAL", keys, argument)
          : Effect.succeed(reply)
    )

  const settle = (entry: Entry, outcome: Outcome): void => {
    if (outcome._tag !== "refused") return entry.settle(Exit.succeed(outcome))
    const { message, step, undone } = outcome
    if (undone && isWrongType(message)) {
      return entry.settle(Exit.succeed({ _tag: "failed", failure: { _tag: "type", step } }))
    }
    entry.fail(undone ? classify(message, keysOf(entry.program), true) : broken(message))
  }

  const answer = (
    access: Access,
    entries: ReadonlyArray<Entry>,
    programs: ReadonlyArray<Program>,
    reply: ServerReply
  ): Effect.Effect<void> => {
    if (reply._tag === "Error") {
      const { message } = reply
      if (entries.length > 1 && isDivisible(message)) {
        for (const entry of entries) {
          entry.sent = false
          entry.refusal = classify(message, keysOf(entry.program), false)
        }
        return Effect.forEach(entries, (entry) => send(access, [entry]), { discard: true })
      }
      for (const entry of entries) entry.fail(classify(message, keysOf(entry.program), false))
      return Effect.void
    }
    const outcomes = decodeBatch(programs, reply.text)
    for (let i = 0; i < entries.length; i++) {
      if (outcomes === undefined) entries[i]!.fail(new ScriptFailed({ code: "REPLY", applied: "unknown" }))
      else settle(entries[i]!, outcomes[i]!)
    }
    return Effect.void
  }

  /** Sends what still has a caller, and waits for a connection as long as nothing was sent. */
  const send = (access: Access, all: ReadonlyArray<Entry>): Effect.Effect<void> =>
    Effect.suspend(() => {
      const entries = all.filter((entry) => entry.resume !== undefined)
      if (entries.length === 0) return Effect.void
      const programs = entries.map((entry) => entry.program)
      const { argument, keys } = encodeBatch(programs, keyPrefix)
      for (const entry of entries) entry.sent = true
      return Effect.matchEffect(call(scripts[access], keys, argument), {
        onFailure: (error) =>
          error.outcome === "NotSent" ? wait(access, entries, error) : Effect.sync(() => abandon(entries)),
        onSuccess: (reply) => answer(access, entries, programs, reply)
      })
    })

  const wait = (access: Access, entries: ReadonlyArray<Entry>, error: TransportError): Effect.Effect<void> =>
    Effect.suspend(() => {
      const refusal = refusalOf(error)
      for (const entry of entries) {
        entry.sent = false
        entry.refusal = refusal
      }
      if (isFinal(refusal)) return Effect.sync(() => abandon(entries))
      // in another turn, since a connection that is ending looks ready until its event
      return Effect.matchEffect(Effect.andThen(transport.ready, Effect.yieldNow), {
        onFailure: (error) => wait(access, entries, error),
        onSuccess: () => send(access, entries)
      })
    })

  const dispatch = (access: Access, entries: ReadonlyArray<Entry>): void => {
    const fiber = runFork(Effect.timeoutOrElse(send(access, entries), {
      duration: deadline,
      orElse: () => Effect.sync(() => abandon(entries))
    }))
    const group: Group = { entries, fiber }
    inFlight.add(group)
    fiber.addObserver(() => {
      // a defect must not leave a caller waiting
      abandon(entries)
      inFlight.delete(group)
      if (inFlight.size === 0 && drained !== undefined) drained()
    })
  }

  const flush = (): void => {
    scheduled = false
    const taken = waiting
    waiting = { read: [], free: [], write: [] }
    for (const access of ["read", "free", "write"] as const) {
      const entries = taken[access]
      if (entries.length > 0) {
        if (isCluster) bySlot(entries).forEach((group) => divide(access, group))
        else divide(access, entries)
      }
    }
  }

  const divide = (access: Access, entries: ReadonlyArray<Entry>): void => {
    let group: Array<Entry> = []
    let bytes = 0
    let instructions = 0
    for (const entry of entries) {
      if (entry.resume === undefined) continue
      const { program } = entry
      const refused = tooLarge(program, limits)
      if (refused !== undefined) {
        entry.settle(Exit.succeed({ _tag: "failed", failure: refused }))
        continue
      }
      const size = sizeOf(program)
      const count = program.instructions.length
      if (
        group.length === batch.programs ||
        group.length > 0 && (bytes + size > batch.bytes || instructions + count > batch.instructions)
      ) {
        dispatch(access, group)
        group = []
        bytes = instructions = 0
      }
      group.push(entry)
      bytes += size
      instructions += count
    }
    if (group.length > 0) dispatch(access, group)
  }

  return {
    execute: (program) =>
      Effect.callback<Reply, RedisServiceError>((resume) => {
        const entry = new Entry(program, resume)
        if (closed) return entry.fail(new ConnectionUnavailable({}))
        waiting[program.access].push(entry)
        if (!scheduled) {
          scheduled = true
          setImmediate(flush)
        }
        return Effect.sync(() => {
          entry.resume = undefined
        })
      }),
    close: Effect.callback<void>((resume) => {
      closed = true
      if (scheduled) flush()
      drained = () => resume(Effect.void)
      if (inFlight.size === 0) return drained()
      for (const { entries, fiber } of inFlight) {
        if (entries.every((entry) => !entry.sent)) fiber.interruptUnsafe()
      }
    })
  }
}

const abandon = (entries: ReadonlyArray<Entry>): void => {
  for (const entry of entries) entry.abandon()
}

const keysOf = (program: Program): ReadonlyArray<string> => [
  ...new Set(program.instructions.flatMap(({ key, op }) => op === Op.fail ? [] : [key]))
]

const bySlot = (entries: ReadonlyArray<Entry>): Map<number, Array<Entry>> => {
  const groups = new Map<number, Array<Entry>>()
  for (const entry of entries) {
    const keys = keysOf(entry.program)
    const slots = new Set(keys.map(slotOf))
    if (slots.size > 1) {
      entry.fail(new CrossSlot({ keys }))
      continue
    }
    const [slot = 0] = slots
    const group = groups.get(slot)
    if (group === undefined) groups.set(slot, [entry])
    else group.push(entry)
  }
  return groups
}
