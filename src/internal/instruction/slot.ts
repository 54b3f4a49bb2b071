/**
 * Hash slots of a cluster: which slot a key belongs to, and whether a program stays in one.
 */
import { CrossSlot } from "../../RedisServiceError.ts"
import { crc16 } from "../text/crc16.ts"
import { homeOf, isKeyless, keysOf } from "./keys.ts"
import type { Program } from "./program.ts"

/**
 * The hash slot of a key, 0 to 16383. The text in the first braces decides it, unless that text is empty.
 *
 * @internal
 */
export const slotOf = (key: string): number => {
  const open = key.indexOf("{")
  const close = open < 0 ? -1 : key.indexOf("}", open + 1)
  return crc16(close > open + 1 ? key.slice(open + 1, close) : key) % 16384
}

/**
 * The one slot of all keys of a program. A program without keys has slot 0.
 *
 * @internal
 */
export const slotOfProgram = (program: Program): number | CrossSlot => {
  let slot: number | undefined
  // a loop without a list of the keys, because every program of a cluster passes here
  let last: string | undefined
  for (const instruction of program.instructions) {
    const { key, op, other } = instruction
    if (isKeyless(op)) continue
    if (key !== last) {
      const found = slotOf(key)
      if (found !== (slot ??= found)) return new CrossSlot({ keys: keysOf(program) })
      last = key
    }
    const home = homeOf(instruction)
    if (home !== undefined && slotOf(home) !== slot || other !== undefined && slotOf(other.key) !== slot) {
      return new CrossSlot({ keys: keysOf(program) })
    }
  }
  return slot ?? 0
}
