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
import type { Access, Program, Reply } from "../program/instruction.ts"
import { type Limits, sizeOf, tooLarge } from "../program/limits.ts"
import { slotOf } from "../program/slot.ts"
import { classify, isDivisible, isNoScript, isWrongType } from "./classify.ts"
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
  resume: Resume | undefined
  constructor(program: Program, resume: Resume) {
    this.program = program
    this.resume = resume
  }
  settle(exit: Exit.Exit<Reply, RedisServiceError>): void {
    const resume = this.resume
    this.resume = undefined
    if (resume !== undefined) resume(exit)
  }
  fail(reason: RedisServiceErrorReason): void {
    if (this.resume !== undefined) this.settle(Exit.fail(new RedisServiceError({ reason })))
  }
}

/** @internal */
export interface Batcher {
  readonly execute: (program: Program) => Effect.Effect<Reply, RedisServiceError>
  /** Refuses what comes from now on, and ends when all that was taken has its answer. */
  readonly close: Effect.Effect<void>
}

/** @internal */
export const make = (options: BatcherOptions): Batcher => {
  const { batch, deadline, isCluster, keyPrefix, limits, runFork, transport } = options
  let waiting: Record<Access, Array<Entry>> = { read: [], free: [], write: [] }
  let scheduled = false
  let closed = false
  let inFlight = 0
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

  /** Tries to send, and waits for a connection as long as nothing was sent. */
  const call = (
    script: Script,
    keys: ReadonlyArray<string>,
    argument: string,
    state: { sent: boolean }
  ): Effect.Effect<ServerReply, TransportError> => {
    const attempt = (command: "EVAL" | "EVALSHA"): Effect.Effect<ServerReply, TransportError> =>
      Effect.suspend(() => {
        state.sent = true
        return evaluate(script, command, keys, argument)
      }).pipe(Effect.catchIf((error) => error.outcome === "NotSent", () => {
        state.sent = false
        return Effect.flatMap(transport.ready, () => attempt(command))
      }))
    return Effect.flatMap(
      attempt("EVALSHA"),
      (reply) => reply._tag === "Error" && isNoScript(reply.message) ? attempt("EVAL") : Effect.succeed(reply)
    )
  }

  const settle = (entry: Entry, outcome: Outcome): void => {
    if (outcome._tag !== "refused") return entry.settle(Exit.succeed(outcome))
    const { message, step, undone } = outcome
    if (undone && isWrongType(message)) {
      return entry.settle(Exit.succeed({ _tag: "failed", failure: { _tag: "type", step } }))
    }
    entry.fail(classify(message, keysOf(entry.program), undone))
  }

  const answer = (
    access: Access,
    entries: ReadonlyArray<Entry>,
    programs: ReadonlyArray<Program>,
    reply: ServerReply
  ): Effect.Effect<void> => {
    if (reply._tag === "Error") {
      if (entries.length > 1 && isDivisible(reply.message)) {
        return Effect.forEach(entries, (entry) => send(access, [entry]), { discard: true })
      }
      for (const entry of entries) entry.fail(classify(reply.message, keysOf(entry.program), false))
      return Effect.void
    }
    const outcomes = decodeBatch(programs, reply.text)
    for (let i = 0; i < entries.length; i++) {
      if (outcomes === undefined) entries[i]!.fail(new ScriptFailed({ code: "REPLY", applied: "unknown" }))
      else settle(entries[i]!, outcomes[i]!)
    }
    return Effect.void
  }

  const send = (access: Access, entries: ReadonlyArray<Entry>): Effect.Effect<void> =>
    Effect.suspend(() => {
      const programs = entries.map((entry) => entry.program)
      const { argument, keys } = encodeBatch(programs, keyPrefix)
      const state = { sent: false }
      return call(scripts[access], keys, argument, state).pipe(
        Effect.timeoutOrElse({
          duration: deadline,
          orElse: () => Effect.sync(() => failAll(entries, state.sent))
        }),
        Effect.matchEffect({
          onFailure: (error) => Effect.sync(() => failAll(entries, error.outcome === "Unknown")),
          onSuccess: (reply) => reply === undefined ? Effect.void : answer(access, entries, programs, reply)
        })
      )
    })

  const dispatch = (access: Access, entries: ReadonlyArray<Entry>): void => {
    inFlight += entries.length
    const fiber = runFork(send(access, entries))
    fiber.addObserver((exit) => {
      // a defect must not leave a caller waiting
      if (Exit.isFailure(exit)) failAll(entries, true)
      inFlight -= entries.length
      if (inFlight === 0 && drained !== undefined) drained()
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
      if (inFlight === 0) drained()
    })
  }
}

const failAll = (entries: ReadonlyArray<Entry>, sent: boolean): undefined => {
  for (const entry of entries) entry.fail(sent ? new OutcomeUnknown({}) : new ConnectionUnavailable({}))
}

const keysOf = (program: Program): ReadonlyArray<string> => [
  ...new Set(program.instructions.map((instruction) => instruction.key))
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
