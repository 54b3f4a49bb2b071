import { CrossSlot } from "../../RedisServiceError.ts"
import { crc16 } from "../text/crc16.ts"
import { isPlaceless } from "./keys.ts"
import type { Program } from "./program.ts"

/**
 * The hash slot of a key, 0 to 16383: of what stands in its first braces, where there is something in them.
 *
 * @internal
 */
export const slotOf = (key: string): number => {
  const open = key.indexOf("{")
  const close = open < 0 ? -1 : key.indexOf("}", open + 1)
  return crc16(close > open + 1 ? key.slice(open + 1, close) : key) % 16384
}

/**
 * The keys of the entities of a program: their collections share their slot.
 *
 * @internal
 */
export const keysOf = (program: Program): ReadonlyArray<string> => [
  ...new Set(
    program.instructions.flatMap(({ key, op, other }) =>
      isPlaceless(op) ? [] : other === undefined ? [key] : [key, other.key]
    )
  )
]

/**
 * The one slot of all keys of a program: any where it has no keys.
 *
 * @internal
 */
export const slotOfProgram = (program: Program): number | CrossSlot => {
  const keys = keysOf(program)
  const [slot = 0, ...others] = new Set(keys.map(slotOf))
  return others.length === 0 ? slot : new CrossSlot({ keys })
}

/**
 * Of a program without keys: its slot is 0, where such programs are sent.
 *
 * @internal
 */
export const noTag = "{06S}"

/**
 * What of its first key decides the slot of a program.
 *
 * @internal
 */
export const tagOf = (program: Program): string => {
  let first: string | undefined
  for (const key of keysOf(program)) if (first === undefined || key < first) first = key
  return first === undefined ? noTag : /\{[^}]+\}/.exec(first)?.[0] ?? `{${first}}`
}

/**
 * Where it is kept what became of a program that has a key of its caller.
 *
 * @internal
 */
export const idempotentKey = (program: Program, key: string): string => `${tagOf(program)}:$key:${key}`

/**
 * The largest text of results that is kept, in bytes.
 *
 * @internal
 */
export const largestKept = 4096
