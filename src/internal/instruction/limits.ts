/**
 * The limits of values and programs, checked before a program is sent.
 */
import { integer, oneOf, sweeps } from "../options.ts"
import { type Indexes, type IndexSpec, ownScoreOf } from "./indexes.ts"
import { infoOf, Op } from "./ops.ts"
import type { Argument, Program } from "./program.ts"
import type { Result, StopReason } from "./reply.ts"
import { isEntitySpec, type Spec } from "./spec.ts"

/** @internal */
export interface Limits {
  /** The greatest length of one argument, and of an appended text, in bytes. */
  readonly valueBytes: number
  /** The greatest length of a program, in UTF-16 units of its keys and texts. */
  readonly programBytes: number
  /** The greatest number of instructions of a program. */
  readonly instructions: number
}

/** @internal */
export interface LimitOptions {
  readonly maximumValueBytes?: number | undefined
  readonly maximumProgramBytes?: number | undefined
}

/** @internal */
export const defaults = { maximumValueBytes: 1_000_000, maximumProgramBytes: 16_000_000 }

/** The least `maximumValueBytes`, because versions, the owners of locks and their channels are values too. */
const leastValueBytes = 64

/** @internal */
export const limitsOf = ({ maximumProgramBytes, maximumValueBytes }: LimitOptions = {}): Limits => ({
  valueBytes: maximumValueBytes ?? defaults.maximumValueBytes,
  programBytes: maximumProgramBytes ?? defaults.maximumProgramBytes,
  instructions: 32_768
})

/**
 * The most work of a program that reads and examines more than once, in units of about 20 ns: an item that is examined, or four
 * bytes of a result. A server serves no one else while a program runs. The first large step is never refused, because it
 * cannot be divided. The script counts the same (lua/program.lua).
 *
 * @internal
 */
export const maximumWork = 6_000_000

/** Below this a step is not large. */
export const largeWork = 1000

/**
 * The work of a result.
 *
 * @internal
 */
export const workOf = (result: Result): number => {
  if (typeof result === "string") return result.length > 1000 ? result.length / 4 : 0
  if (typeof result !== "object") return 0
  let units = 0
  for (const part of result) {
    if (typeof part === "string") units += 16 + part.length / 4
    else if (typeof part === "object") { for (const text of part) units += 16 + text.length / 4 }
  }
  return units
}

/** @internal */
export const limitChecks = { maximumValueBytes: integer(leastValueBytes), maximumProgramBytes: integer(1) }

/**
 * The checks of the options of the memory layers.
 *
 * @internal
 */
export const memoryChecks = { ...limitChecks, crossSlot: oneOf("refuse"), sweepEvery: sweeps }

const encoder = new TextEncoder()

/** Encodes only if it must, because each UTF-16 unit is one to three bytes of UTF-8. */
const isLonger = (text: string, bytes: number): boolean =>
  text.length > bytes || text.length * 3 > bytes && encoder.encode(text).length > bytes

/**
 * Why a program is refused: it is too large for one call. A server would close the connection, or stall.
 *
 * @param size the result of `sizeOf`
 * @internal
 */
export const tooLarge = ({ instructions }: Program, size: number, limits: Limits): StopReason | undefined => {
  if (instructions.length > limits.instructions) {
    return { _tag: "tooLarge", step: limits.instructions, what: "instructions", limit: limits.instructions }
  }
  if (size <= limits.programBytes && size * 3 <= limits.valueBytes) return undefined
  let sum = 0
  for (let step = 0; step < instructions.length; step++) {
    const { args, key } = instructions[step]!
    for (let argument = 0; argument < args.length; argument++) {
      const arg = args[argument]!
      if (typeof arg === "string" && isLonger(arg, limits.valueBytes)) {
        return { _tag: "tooLarge", step, what: "bytes", limit: limits.valueBytes, argument }
      }
    }
    sum += sizeOfInstruction(key, args)
    if (sum > limits.programBytes) return { _tag: "tooLarge", step, what: "bytes", limit: limits.programBytes }
  }
}

const sizeOfInstruction = (key: string, args: ReadonlyArray<Argument>): number => {
  let size = key.length
  for (const arg of args) if (typeof arg === "string") size += arg.length
  return size
}

/**
 * The length of a program's keys and texts, in UTF-16 units. Batches are bounded by it.
 *
 * @internal
 */
export const sizeOf = ({ instructions }: Program): number => {
  let size = 0
  for (const { args, key } of instructions) size += sizeOfInstruction(key, args)
  return size
}

/**
 * How many instructions the upkeep of an index counts as, by measurement: an instruction takes about 2.5 µs, a sorted set by score
 * 10 µs, and another index 50 µs, because its entry is computed and compared with the one before it.
 */
const upkeepOf = ({ order }: IndexSpec): number => order === "score" ? 5 : 25

/** A write that sets an expiry also removes the entries of other entities that have expired. */
const expiringTimes = 2

const upkeeps = new WeakMap<Spec, number>()

/** How many more instructions a write counts as, because it may change entries of indexes. */
const upkeep = (spec: Spec, indexes: Indexes): number => {
  let sum = upkeeps.get(spec)
  if (sum === undefined) {
    sum = !isEntitySpec(spec) && ownScoreOf(indexes, spec.field) !== undefined
      ? 1
      : indexes.list.reduce((sum, index) => sum + upkeepOf(index), 0) *
        (spec.expiry?.indexes === undefined ? 1 : expiringTimes)
    upkeeps.set(spec, sum)
  }
  return sum
}

/** How many more instructions an entry that is read counts as: a call then reads about a thousand of them. */
const entryWeight = 2

/** How many entries a read of an index may return. */
const entriesOf = (op: Op, args: ReadonlyArray<Argument>): number =>
  op === Op.indexRange ? Number(args[4]) : op === Op.indexAround ? 2 * Number(args[5]) : 0

/**
 * The work of a program in instructions. Batches are bounded by it, because the server serves no one else during a call: a
 * write that keeps indexes, and a read of many entries, count as several.
 *
 * @internal
 */
export const weightOf = ({ instructions }: Program): number => {
  let weight = instructions.length
  for (const { args, op, spec } of instructions) {
    if (spec.indexes === undefined) continue
    const { access, family } = infoOf(op)
    if (family === "index") weight += entryWeight * entriesOf(op, args)
    else if (access !== "read") weight += upkeep(spec, spec.indexes)
  }
  return weight
}
