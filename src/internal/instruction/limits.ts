/**
 * The limits of values and programs, checked before a program is sent.
 */
import { integer, oneOf } from "../options.ts"
import type { Argument, Program } from "./program.ts"
import type { StopReason } from "./reply.ts"

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
  instructions: 65_536
})

/** @internal */
export const limitChecks = { maximumValueBytes: integer(leastValueBytes), maximumProgramBytes: integer(1) }

/**
 * The checks of the options of the memory layers.
 *
 * @internal
 */
export const memoryChecks = { ...limitChecks, crossSlot: oneOf("refuse") }

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
    for (const arg of args) {
      if (typeof arg === "string" && isLonger(arg, limits.valueBytes)) {
        return { _tag: "tooLarge", step, what: "bytes", limit: limits.valueBytes }
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
