/**
 * Collects the programs that are committed in one turn of the event loop, and sends them in the order of their commits: as one call
 * (on a cluster, for each node or slot), or as several if a call would be too large. Reads travel with writes, because a read that was
 * committed after a write then sees it.
 */
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import { ConnectionUnavailable, Unsupported } from "../../RedisServiceError.ts"
import { isKeyless } from "../instruction/keys.ts"
import { type Limits, sizeOf, tooLarge, weightOf } from "../instruction/limits.ts"
import { Op } from "../instruction/ops.ts"
import type { Program, Replication } from "../instruction/program.ts"
import { slotOfProgram } from "../instruction/slot.ts"
import type { RedisService } from "../service.ts"
import type { Sender } from "./call.ts"
import * as Dedup from "./dedup.ts"
import { PendingProgram } from "./pendingProgram.ts"
import type { Place } from "./place.ts"
import type { Telemetry } from "./telemetry.ts"

/**
 * The bounds of one call. A program that alone exceeds them is a call by itself.
 *
 * @internal
 */
export interface BatchLimits {
  readonly programs: number
  /** UTF-16 units of keys and texts. */
  readonly bytes: number
  /** See `weightOf`. */
  readonly instructions: number
}

/** @internal */
export const defaultBatch: BatchLimits = { programs: 128, bytes: 256_000, instructions: 2048 }

/** @internal */
export interface BatcherOptions {
  readonly sender: Sender
  readonly telemetry: Telemetry
  /** Whether the server refuses calls with keys of several slots. */
  readonly isCluster: boolean
  /** The node of a cluster that has a slot. Unset: the calls of a cluster are by slot. */
  readonly nodeOf?: ((slot: number) => string | undefined) | undefined
  /** The replica for programs that only read, for a slot. Unset: there is none. */
  readonly readerOf?: ((slot: number) => string | undefined) | undefined
  /** Whether a script may publish messages. */
  readonly publishes: boolean
  /** Whether a program of several slots fails on a single server too. A call may still carry programs of different slots. */
  readonly refusesCrossSlot: boolean
  readonly batch: BatchLimits
  readonly limits: Limits
  /** The greatest number of programs without an answer. Default: 65,536. */
  readonly maximumWaiting?: number | undefined
  /** Milliseconds that one generation of dedup records covers. Undefined: programs that write are not deduplicated. */
  readonly window?: number | undefined
  /** The replicas that must have a copy of what a program writes, unless the program says it. */
  readonly replication?: Replication | undefined
  /** Whether the transport waits for replicas. */
  readonly waitsForReplicas: boolean
}

/** @internal */
export interface Batcher {
  readonly execute: RedisService["Service"]["execute"]
  readonly executeAll: RedisService["Service"]["executeAll"]
  /** Sends programs, of which nothing has run, by slot, because the server refuses calls with keys of several slots. */
  readonly sendBySlot: (programs: ReadonlyArray<PendingProgram>, since: number) => void
  /** Whether programs are sent by slot. It may become true. */
  readonly isCluster: () => boolean
  /** Refuses new programs and ends all retries. It ends when every program has its answer. */
  readonly close: Effect.Effect<void>
}

/** @internal */
export const make = (options: BatcherOptions): Batcher => {
  const { batch, limits, maximumWaiting = 65_536, nodeOf, publishes, refusesCrossSlot, sender, telemetry } = options
  const { readerOf, waitsForReplicas, window } = options
  let { isCluster } = options
  let waiting: Array<PendingProgram> = []
  let gathered = 0
  /** The time (of `performance.now`) when the first program of this turn was committed. */
  let since = 0
  let scheduled = false
  let closed = false

  const flush = (): void => {
    scheduled = false
    gathered = 0
    const taken = waiting
    waiting = []
    sendAll(taken, since)
    // the engine may keep the array for long
    taken.length = 0
  }

  const sendAll = (programs: ReadonlyArray<PendingProgram>, since: number): void => {
    if (readerOf === undefined) return sendTo(programs, since, () => undefined)
    const isRead = ({ program }: PendingProgram) => program.access === "read"
    sendTo(programs.filter((pending) => !isRead(pending)), since, () => undefined)
    sendTo(programs.filter(isRead), since, readerOf)
  }

  const sendTo = (
    programs: ReadonlyArray<PendingProgram>,
    since: number,
    readerOf: (slot: number) => string | undefined
  ): void =>
    attempt(programs, () => {
      if (!isCluster && !refusesCrossSlot) return divide(programs, since, readerOf(0))
      const placeOf = (slot: number) => readerOf(slot) ?? (isCluster ? nodeOf?.(slot) ?? slot : undefined)
      for (const [place, part] of byPlace(programs, placeOf)) attempt(part, () => divide(part, since, place))
    })

  /** Sends the programs as calls that keep the bounds of a batch. */
  const divide = (programs: ReadonlyArray<PendingProgram>, since: number, place?: Place): void => {
    let part: Array<PendingProgram> = []
    let bytes = 0
    let instructions = 0
    let dedupOf = Dedup.assigner(window, isCluster)
    for (const pending of programs) {
      if (pending.resume === undefined) continue
      const { program } = pending
      const size = orDie(pending, () => sizeOf(program))
      if (size === undefined) continue
      const refused = tooLarge(program, size, limits)
      if (refused !== undefined) {
        pending.answer({ _tag: "failed", failure: refused })
        continue
      }
      if (!publishes && program.instructions.some(({ op }) => op === Op.publish)) {
        pending.fail(new Unsupported({ requirement: cannotPublish }))
        continue
      }
      const replication = program.replication ?? options.replication
      if (replication !== undefined && isStored(program)) pending.replication = replication
      if (pending.replication !== undefined && !waitsForReplicas) {
        pending.fail(new Unsupported({ requirement: cannotWait }))
        continue
      }
      const weight = weightOf(program)
      if (
        part.length === batch.programs ||
        part.length > 0 && (bytes + size > batch.bytes || instructions + weight > batch.instructions)
      ) {
        sender.send(part, since, place)
        part = []
        bytes = instructions = 0
        dedupOf = Dedup.assigner(window, isCluster)
      }
      // an earlier attempt may have written to its record
      if (!pending.replyLost) pending.dedup = dedupOf(program)
      part.push(pending)
      bytes += size
      instructions += weight
    }
    if (part.length > 0) sender.send(part, since, place)
  }

  const isFull = (): boolean => gathered + sender.waiting() >= maximumWaiting

  const enqueue = (pending: PendingProgram, refused: boolean): void => {
    if (closed || refused) {
      return pending.fail(new ConnectionUnavailable({ code: closed ? "CLOSED" : "MAXIMUM_WAITING" }))
    }
    waiting.push(pending)
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
        const pending = new PendingProgram(program, read, resume, telemetry)
        enqueue(pending, isFull())
        return pending
      }),
    executeAll: (programs, read) =>
      programs.length === 0 ? Effect.succeed([]) : Effect.callback((resume) => {
        const exits: Array<Exit.Exit<any, any>> = []
        let left = programs.length
        const all = programs.map((program, i) =>
          new PendingProgram(program, (reply) => read(reply, i), (exit) => {
            exits[i] = exit
            left--
            if (left === 0) resume(Effect.succeed(exits))
          }, telemetry)
        )
        // either all of them are accepted or all are refused
        const refused = isFull()
        for (const pending of all) enqueue(pending, refused)
        return Effect.sync(() => all.forEach((pending) => pending.interrupt()))
      }),
    sendBySlot: (programs, since) => {
      isCluster = true
      sendAll(programs, since)
    },
    isCluster: () => isCluster,
    close: Effect.callback<void>((resume) => {
      closed = true
      if (scheduled) flush()
      sender.drain(() => resume(Effect.void))
    })
  }
}

/**
 * Why messages are refused.
 *
 * @internal
 */
export const cannotPublish = "a server whose scripts may publish messages"

/** Whether a program may write what replicas copy. A message is not copied. */
const isStored = ({ access, instructions }: Program): boolean =>
  access !== "read" && !instructions.every(({ op }) => isKeyless(op))

/**
 * Why programs that wait for replicas are refused.
 *
 * @internal
 */
export const cannotWait = "a transport that waits for replicas"

/** Runs `f`, which sends the programs. A defect fails those that were not sent. */
const attempt = (programs: ReadonlyArray<PendingProgram>, f: () => void): void => {
  try {
    f()
  } catch (defect) {
    for (const pending of programs) if (!pending.inFlight) pending.die(defect)
  }
}

/** A program that cannot be encoded gets the defect alone, because the others can. */
const orDie = <A>(pending: PendingProgram, f: () => A): A | undefined => {
  try {
    return f()
  } catch (defect) {
    pending.die(defect)
  }
}

/** Groups the programs by the place of their slot. Fails each program of several slots. */
const byPlace = (
  programs: ReadonlyArray<PendingProgram>,
  placeOf: (slot: number) => Place
): Map<Place, Array<PendingProgram>> => {
  const parts = new Map<Place, Array<PendingProgram>>()
  for (const pending of programs) {
    const slot = orDie(pending, () => slotOfProgram(pending.program))
    if (slot === undefined) continue
    if (typeof slot !== "number") {
      pending.fail(slot)
      continue
    }
    const place = placeOf(slot)
    const part = parts.get(place)
    if (part === undefined) parts.set(place, [pending])
    else part.push(pending)
  }
  return parts
}
