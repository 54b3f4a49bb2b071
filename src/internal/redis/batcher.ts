/**
 * Gathers the programs that are committed in one turn of the event loop, and sends them as one call for each access and slot.
 */
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type { RedisService } from "../../RedisService.ts"
import { ConnectionUnavailable, CrossSlot } from "../../RedisServiceError.ts"
import type { Access } from "../program/instruction.ts"
import { type Limits, sizeOf, tooLarge } from "../program/limits.ts"
import { slotOf } from "../program/slot.ts"
import { Entry, keysOf } from "./entry.ts"
import type { Sender } from "./sender.ts"

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
  readonly isCluster: boolean
  readonly batch: BatchLimits
  readonly limits: Limits
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
  const { batch, isCluster, limits, sender } = options
  let waiting: Record<Access, Array<Entry>> = { read: [], free: [], write: [] }
  let scheduled = false
  let closed = false

  const flush = (): void => {
    scheduled = false
    const taken = waiting
    waiting = { read: [], free: [], write: [] }
    for (const access of ["read", "free", "write"] as const) {
      const entries = taken[access]
      if (entries.length > 0) {
        if (isCluster) bySlot(entries).forEach((group) => divide(access, group))
        else divide(access, entries)
        entries.length = 0
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
        entry.answer({ _tag: "failed", failure: refused })
        continue
      }
      const size = sizeOf(program)
      const count = program.instructions.length
      if (
        group.length === batch.programs ||
        group.length > 0 && (bytes + size > batch.bytes || instructions + count > batch.instructions)
      ) {
        sender.send(access, group)
        group = []
        bytes = instructions = 0
      }
      group.push(entry)
      bytes += size
      instructions += count
    }
    if (group.length > 0) sender.send(access, group)
  }

  const enqueue = (entry: Entry): void => {
    if (closed) return entry.fail(new ConnectionUnavailable({}))
    waiting[entry.program.access].push(entry)
    if (!scheduled) {
      scheduled = true
      setImmediate(flush)
    }
  }

  return {
    execute: (program, read) =>
      Effect.callback((resume) => {
        const entry = new Entry(program, read, resume)
        enqueue(entry)
        return entry
      }),
    executeAll: (programs, read) =>
      programs.length === 0 ? Effect.succeed([]) : Effect.callback((resume) => {
        const exits: Array<Exit.Exit<any, any>> = []
        let left = programs.length
        const entries = programs.map((program, i) =>
          new Entry(program, (reply) => read(reply, i), (exit) => {
            exits[i] = exit
            left--
            if (left === 0) resume(Effect.succeed(exits))
          })
        )
        entries.forEach(enqueue)
        return Effect.sync(() => entries.forEach((entry) => entry.leave()))
      }),
    close: Effect.callback<void>((resume) => {
      closed = true
      if (scheduled) flush()
      sender.drain(() => resume(Effect.void))
    })
  }
}

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
