import type { Failure, Program } from "./instruction.ts"

/** @internal */
export interface Limits {
  readonly valueBytes: number
  readonly instructions: number
}

/** @internal */
export const defaultLimits: Limits = { valueBytes: 1_000_000, instructions: 65_536 }

const encoder = new TextEncoder()

/**
 * What is too large for one call is refused before it is sent: a server would close the connection, or stall.
 *
 * @internal
 */
export const tooLarge = (program: Program, limits: Limits): Failure | undefined => {
  const { instructions } = program
  if (instructions.length > limits.instructions) {
    return { _tag: "tooLarge", step: limits.instructions, what: "instructions", limit: limits.instructions }
  }
  for (let step = 0; step < instructions.length; step++) {
    for (const arg of instructions[step]!.args) {
      if (
        typeof arg === "string" && arg.length * 3 > limits.valueBytes && encoder.encode(arg).length > limits.valueBytes
      ) {
        return { _tag: "tooLarge", step, what: "bytes", limit: limits.valueBytes }
      }
    }
  }
}

/**
 * The texts of a program, in UTF-16 units: what bounds a batch.
 *
 * @internal
 */
export const sizeOf = (program: Program): number => {
  let size = 0
  for (const { args, key } of program.instructions) {
    size += key.length
    for (const arg of args) if (typeof arg === "string") size += arg.length
  }
  return size
}
