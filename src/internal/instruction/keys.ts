/**
 * The keys of an instruction and of a program, without the prefix of a layer.
 */
import { forEachIndexKey, type Indexes, placeOf } from "./indexes.ts"
import { infoOf, Op } from "./ops.ts"
import type { Instruction, Program } from "./program.ts"
import { type EntitySpec, formerNames, hasOwnKey, isEntitySpec, noFields, noSpec, type Spec } from "./spec.ts"

/**
 * Whether an instruction has no key: flow and messages.
 *
 * @internal
 */
export const isKeyless = (op: Op): boolean => {
  const { family } = infoOf(op)
  return family === "flow" || family === "message"
}

/**
 * Whether an instruction on a lock begins with the channel of its owner, and uses the lock's queue.
 *
 * @internal
 */
export const usesQueue = (op: Op): boolean => infoOf(op).usesQueue === true

/**
 * Calls `f` with each key that an instruction may touch: the entity's hash and its collections, and the indexes. A key may occur
 * twice.
 *
 * @internal
 */
export const forEachKey = (instruction: Instruction, f: (key: string) => void): void => {
  forEachOwnKey(instruction, f)
  forEachHome(instruction, (indexes, home) => forEachIndexKey(indexes, home, f))
}

/**
 * The same without the indexes.
 *
 * @internal
 */
export const forEachOwnKey = ({ key, op, other, spec }: Instruction, f: (key: string) => void): void => {
  if (isKeyless(op)) return
  if (usesQueue(op)) {
    f(key)
    f(`${key}:$fence`)
    f(`${key}:$queue`)
    return
  }
  if (infoOf(op).family === "index") f(key)
  else forEachKeyOf(key, spec, f)
  if (other !== undefined) forEachKeyOf(other.key, other.spec, f)
}

/**
 * Calls `f` with each home of indexes of which an instruction may change or read entries.
 *
 * @internal
 */
export const forEachHome = (instruction: Instruction, f: (indexes: Indexes, home: string) => void): void => {
  const home = homeOf(instruction)
  if (home !== undefined) f(indexesOf(instruction)!, home)
  const { other } = instruction
  if (other?.spec.indexes !== undefined) f(other.spec.indexes, placeOf(other.spec.indexes, other.key).home)
}

/**
 * The home of the index entries that an instruction may change or read. Undefined: it uses none.
 *
 * @internal
 */
export const homeOf = (instruction: Instruction): string | undefined => {
  const { key, op } = instruction
  const indexes = indexesOf(instruction)
  if (indexes === undefined) return undefined
  return infoOf(op).family === "index" ? key : placeOf(indexes, key).home
}

/**
 * The indexes of which an instruction may change or read entries. One that only reads an entity changes them if it renews a time to
 * live.
 *
 * @internal
 */
export const indexesOf = ({ op, spec: { expiry, indexes } }: Instruction): Indexes | undefined => {
  if (indexes === undefined && expiry?.indexes === undefined) return undefined
  const { access, family } = infoOf(op)
  if (access !== "read" || op === Op.audit) return indexes ?? expiry?.indexes
  return family === "index" ? indexes : expiry?.onRead === true ? expiry.indexes : undefined
}

/**
 * Whether an instruction reads the entities whose entries it finds.
 *
 * @internal
 */
export const readsRows = ({ args, op }: Instruction): boolean =>
  op === Op.indexGet || op === Op.indexRange && args[5] === 1 || op === Op.indexAround && args[6] === 1

const forEachKeyOf = (key: string, spec: Spec, f: (key: string) => void): void => {
  f(key)
  if (isEntitySpec(spec)) {
    for (const collection of spec.collections) f(`${key}:${collection.field}`)
  } else if (hasOwnKey(spec)) {
    f(`${key}:${spec.field}`)
  }
  if (spec.expiry !== undefined) { for (const name of spec.expiry.collections) f(`${key}:${name}`) }
}

/**
 * Calls `f` with each key at which an instruction may look for another form of a missing field, or remove it. A key may
 * occur twice.
 *
 * @internal
 */
export const forEachFormerKey = ({ key, op, other, spec }: Instruction, f: (key: string) => void): void => {
  if (isKeyless(op) || usesQueue(op) || infoOf(op).family === "index") return
  forEachFormerKeyOf(key, spec, f)
  if (other !== undefined) forEachFormerKeyOf(other.key, other.spec, f)
}

const forEachFormerKeyOf = (key: string, spec: Spec, f: (key: string) => void): void => {
  for (const name of formerNames(asEntity(spec))) f(`${key}:${name}`)
  if (spec.expiry !== undefined) { for (const name of spec.expiry.former) f(`${key}:${name}`) }
}

const asEntity = (spec: Spec): EntitySpec => {
  if (isEntitySpec(spec)) return spec
  if (spec === noSpec) return noFields
  return hasOwnKey(spec)
    ? { fields: [], collections: [spec] }
    : { fields: [spec.field], collections: [], ...(spec.inner && { inner: spec.inner }) }
}

/**
 * The keys of a program's entities, each once, and the homes of their indexes. Their collections are left out, because they share
 * the slot of their entity.
 *
 * @internal
 */
export const keysOf = (program: Program): ReadonlyArray<string> => [
  ...new Set(
    program.instructions.flatMap((instruction) => {
      const { key, op, other } = instruction
      if (isKeyless(op)) return []
      const home = homeOf(instruction)
      return [key, ...(other === undefined ? [] : [other.key]), ...(home === undefined ? [] : [home])]
    })
  )
]
