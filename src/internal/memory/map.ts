/**
 * Operations on a map, and scalar operations on the value of one entry. The twin of map.lua and named.lua.
 */
import { Op } from "../instruction/ops.ts"
import type { Instruction } from "../instruction/program.ts"
import type { Result } from "../instruction/reply.ts"
import type { FieldSpec } from "../instruction/spec.ts"
import { applyScalar } from "./scalar.ts"
import { checkSize } from "./size.ts"
import { pairs, type StoredHash } from "./store.ts"
import type { Collection, Transaction } from "./transaction.ts"

/** Writes entries, and removes those whose text is `false`. */
const edit = (
  transaction: Transaction,
  collection: Collection,
  map: StoredHash,
  spec: FieldSpec,
  changes: ReadonlyMap<string, string | false>
): void => {
  const before = map.fields.size
  let after = before
  for (const [name, text] of changes) after += Number(text !== false) - Number(map.fields.has(name))
  checkSize(before, after, spec)
  transaction.touch(collection.entity)
  transaction.resize(collection, before, after)
  for (const [name, text] of changes) transaction.setField(map, name, text)
}

/**
 * Runs a scalar operation on the value of one entry. The entry's name is the first argument.
 *
 * @internal
 */
export const onEntry = (
  transaction: Transaction,
  collection: Collection,
  map: StoredHash,
  { args, op, spec }: Instruction
): Result => {
  const field = spec as FieldSpec
  const name = args[0] as string
  transaction.examine(op, map.fields.get(name))
  const [text, result] = applyScalar(op, map.fields.get(name), field, args.slice(1), transaction.valueBytes)
  if (text !== undefined) edit(transaction, collection, map, field, new Map([[name, text]]))
  return result
}

/** @internal */
export const onMap = (
  transaction: Transaction,
  collection: Collection,
  map: StoredHash,
  { args, op, spec }: Instruction
): Result => {
  const field = spec as FieldSpec
  const { fields } = map
  const { size } = fields
  switch (op) {
    case Op.has:
      return fields.has(args[0] as string) ? 1 : 0
    case Op.keys:
      return [...fields.keys()]
    case Op.putEntries:
      if (args.length > 0) edit(transaction, collection, map, field, new Map(pairs(args, String)))
      return fields.size - size
    case Op.popEntry: {
      const text = fields.get(args[0] as string)
      if (text === undefined) return false
      edit(transaction, collection, map, field, new Map([[args[0] as string, false]]))
      return text
    }
    case Op.popAny: {
      const [count] = args as ReadonlyArray<number>
      const taken = [...fields].slice(0, count ?? 1)
      if (taken.length > 0) edit(transaction, collection, map, field, new Map(taken.map(([name]) => [name, false])))
      return count === undefined ? taken[0] ?? false : taken.flat()
    }
  }
  // `remove`
  const removed = (args as ReadonlyArray<string>).filter((name) => fields.has(name))
  if (removed.length > 0) edit(transaction, collection, map, field, new Map(removed.map((name) => [name, false])))
  return size - fields.size
}
