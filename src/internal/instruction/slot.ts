/**
 * Hash slots of a cluster: which slot a key belongs to, and whether a program stays in one.
 */
import { CrossSlot } from "../../RedisServiceError.ts"
import { crc16 } from "../text/crc16.ts"
import { homeOf, isKeyless, keysOf, readsRows } from "./keys.ts"
import type { Program } from "./program.ts"

/**
 * The text that decides the slot of a key: that in the first braces, unless it is empty.
 *
 * @internal
 */
export const tagOf = (key: string): string => {
  const open = key.indexOf("{")
  const close = open < 0 ? -1 : key.indexOf("}", open + 1)
  return close > open + 1 ? key.slice(open + 1, close) : key
}

/**
 * The hash slot of a key, 0 to 16383.
 *
 * @internal
 */
export const slotOf = (key: string): number => crc16(tagOf(key)) % 16384

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
    // entities of several slots share the one home
    if (readsRows(instruction) && instruction.spec.indexes?.hasOneHome === true) {
      return new CrossSlot({ keys: keysOf(program) })
    }
    if (home !== undefined && slotOf(home) !== slot || other !== undefined && slotOf(other.key) !== slot) {
      return new CrossSlot({ keys: keysOf(program) })
    }
  }
  return slot ?? 0
}
