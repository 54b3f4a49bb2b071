/**
 * Hash slots of a cluster: which slot a key belongs to, and whether a program stays in one.
 */
import { CrossSlot } from "../../RedisServiceError.ts"
import { crc16 } from "../text/crc16.ts"
import { keysOf } from "./keys.ts"
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
  const keys = keysOf(program)
  const [slot = 0, ...others] = new Set(keys.map(slotOf))
  return others.length === 0 ? slot : new CrossSlot({ keys })
}
