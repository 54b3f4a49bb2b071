/**
 * The keys of an instruction.
 */
import { infoOf, type Op } from "./ops.ts"
import type { Instruction } from "./program.ts"
import { hasOwnKey, isEntitySpec, type Spec } from "./spec.ts"

/**
 * The keys that an instruction touches: the entity's, and its collections'. A message touches none.
 *
 * @internal
 */
export const forEachKey = (instruction: Instruction, f: (key: string) => void): void => {
  const { key, op, other, spec } = instruction
  if (isPlaceless(op)) return
  if (usesQueue(op)) {
    f(key)
    f(`${key}:$fence`)
    f(`${key}:$queue`)
    return
  }
  forEachKeyOf(key, spec, f)
  if (other !== undefined) forEachKeyOf(other.key, other.spec, f)
}

/**
 * Whether an instruction has no key: flow and messages.
 *
 * @internal
 */
export const isPlaceless = (op: Op): boolean => {
  const { family } = infoOf(op)
  return family === "flow" || family === "message"
}

/**
 * Whether an instruction on a lock begins with the channel of its owner.
 *
 * @internal
 */
export const usesQueue = (op: Op): boolean => infoOf(op).usesQueue === true

const forEachKeyOf = (key: string, spec: Spec, f: (key: string) => void): void => {
  f(key)
  if (isEntitySpec(spec)) {
    for (const collection of spec.collections) f(`${key}:${collection.field}`)
  } else if (hasOwnKey(spec)) {
    f(`${key}:${spec.field}`)
  }
  if (spec.expiry !== undefined) { for (const name of spec.expiry.collections) f(`${key}:${name}`) }
}
