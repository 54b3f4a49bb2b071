/**
 * Gathers the programs that are committed in one turn of the event loop, and sends them as one call for each access and slot.
 */
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import { ConnectionUnavailable } from "../../RedisServiceError.ts"
import { type Limits, sizeOf, tooLarge } from "../instruction/limits.ts"
import type { Access } from "../instruction/ops.ts"
import { slotOfProgram } from "../instruction/slot.ts"
import type { RedisService } from "../service.ts"
import type { Sender } from "./call.ts"
import * as Once from "./dedup.ts"
import { PendingProgram } from "./pendingProgram.ts"
import type { Telemetry } from "./telemetry.ts"

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
  readonly sender: Sender
  readonly telemetry: Telemetry
  readonly isCluster: boolean
  /** as on a cluster, though it is none: a call still takes programs of any slots */
  readonly refusesCrossSlot: boolean
  readonly batch: BatchLimits
  readonly limits: Limits
  /** how many programs may wait for their answers: 65,536 unless said otherwise */
  readonly maximumWaiting?: number
  /** of the tokens of programs that write, in milliseconds; undefined: they have none */
  readonly window?: number | undefined
}

/** @internal */
export interface Batcher {
  readonly execute: RedisService["Service"]["execute"]
  readonly executeAll: RedisService["Service"]["executeAll"]
  /** Refuses what was not sent and what comes from now on, and ends when all that was sent has its answer. */
  readonly close: Effect.Effect<void>
}

/** @internal */
export const make = (options: BatcherOptions): Batcher => {
  const { batch, isCluster, limits, maximumWaiting = 65_536, refusesCrossSlot, sender, telemetry, window } = options
  let waiting: Record<Access, Array<PendingProgram>> = { read: [], allowOom: [], write: [] }
  let gathered = 0
  /** when the first of those that wait was committed */
  let since = 0
  let scheduled = false
  let closed = false

  const flush = (): void => {
    scheduled = false
    gathered = 0
    const taken = waiting
    waiting = { read: [], allowOom: [], write: [] }
    for (const access of ["read", "allowOom", "write"] as const) {
      const entries = taken[access]
      if (entries.length > 0) {
        attempt(entries, () => {
          if (!isCluster && !refusesCrossSlot) return divide(access, entries)
          for (const [slot, group] of bySlot(entries, isCluster)) {
            attempt(group, () => divide(access, group, isCluster ? slot : undefined))
          }
        })
        entries.length = 0
      }
    }
  }

  const divide = (access: Access, entries: ReadonlyArray<PendingProgram>, slot?: number): void => {
    let group: Array<PendingProgram> = []
    let bytes = 0
    let instructions = 0
    let onceOf = Once.make(window, isCluster)
    for (const entry of entries) {
      if (entry.resume === undefined) continue
      const { program } = entry
      const size = sizeOf(program)
      const refused = tooLarge(program, size, limits)
      if (refused !== undefined) {
        entry.answer({ _tag: "failed", failure: refused })
        continue
      }
      const count = program.instructions.length
      if (
        group.length === batch.programs ||
        group.length > 0 && (bytes + size > batch.bytes || instructions + count > batch.instructions)
      ) {
        sender.send(access, group, since, slot)
        group = []
        bytes = instructions = 0
        onceOf = Once.make(window, isCluster)
      }
      entry.once = onceOf(program)
      group.push(entry)
      bytes += size
      instructions += count
    }
    if (group.length > 0) sender.send(access, group, since, slot)
  }

  const isFull = (): boolean => gathered + sender.waiting() >= maximumWaiting

  const enqueue = (entry: PendingProgram, refused: boolean): void => {
    if (closed || refused) return entry.fail(new ConnectionUnavailable({}))
    waiting[entry.program.access].push(entry)
    gathered++
    if (!scheduled) {
      scheduled = true
      since = performance.now()
      setImmediate(flush)
    }
  }

  return {
    execute: (program, read) =>
      Effect.callback((resume) => {
        const entry = new PendingProgram(program, read, resume, telemetry)
        enqueue(entry, isFull())
        return entry
      }),
    executeAll: (programs, read) =>
      programs.length === 0 ? Effect.succeed([]) : Effect.callback((resume) => {
        const exits: Array<Exit.Exit<any, any>> = []
        let left = programs.length
        const entries = programs.map((program, i) =>
          new PendingProgram(program, (reply) => read(reply, i), (exit) => {
            exits[i] = exit
            left--
            if (left === 0) resume(Effect.succeed(exits))
          }, telemetry)
        )
        // they are there already: all of them, or none
        const refused = isFull()
        for (const entry of entries) enqueue(entry, refused)
        return Effect.sync(() => entries.forEach((entry) => entry.leave()))
      }),
    close: Effect.callback<void>((resume) => {
      closed = true
      if (scheduled) flush()
      sender.drain(() => resume(Effect.void))
    })
  }
}

/** A defect is that of those that it keeps from being sent, and of nobody else. */
const attempt = (entries: ReadonlyArray<PendingProgram>, f: () => void): void => {
  try {
    f()
  } catch (defect) {
    for (const entry of entries) if (!entry.sent) entry.die(defect)
  }
}

/** Those that keep to one slot; all in one group where each slot needs none of its own. */
const bySlot = (entries: ReadonlyArray<PendingProgram>, isDivided: boolean): Map<number, Array<PendingProgram>> => {
  const groups = new Map<number, Array<PendingProgram>>()
  for (const entry of entries) {
    const slot = slotOfProgram(entry.program)
    if (typeof slot !== "number") {
      entry.fail(slot)
      continue
    }
    const of = isDivided ? slot : 0
    const group = groups.get(of)
    if (group === undefined) groups.set(of, [entry])
    else group.push(entry)
  }
  return groups
}
