/**
 * Operations on a map. The twin of map.lua.
 */
import { Op } from "../instruction/ops.ts"
import type { Instruction } from "../instruction/program.ts"
import type { Result } from "../instruction/reply.ts"
import type { FieldSpec } from "../instruction/spec.ts"
import { counted } from "./size.ts"
import { type Hash, pairs } from "./store.ts"
import type { Collection, Transaction } from "./transaction.ts"

/**
 * Writes entries, and removes those whose text is `false`.
 *
 * @internal
 */
export const change = (
  run: Transaction,
  { entity }: Collection,
  map: Hash,
  spec: FieldSpec,
  changes: ReadonlyMap<string, string | false>
): void => {
  const before = map.fields.size
  let after = before
  for (const [name, text] of changes) after += Number(text !== false) - Number(map.fields.has(name))
  counted(before, after, spec)
  run.touch(entity)
  for (const [name, text] of changes) run.setField(map, name, text)
}

/** @internal */
export const onMap = (run: Transaction, at: Collection, map: Hash, { args, op, spec }: Instruction): Result => {
  const field = spec as FieldSpec
  const { fields } = map
  const { size } = fields
  switch (op) {
    case Op.has:
      return fields.has(args[0] as string) ? 1 : 0
    case Op.keys:
      return [...fields.keys()]
    case Op.putEntries:
      if (args.length > 0) change(run, at, map, field, new Map(pairs(args, String)))
      return fields.size - size
    case Op.popEntry: {
      const text = fields.get(args[0] as string)
      if (text === undefined) return false
      change(run, at, map, field, new Map([[args[0] as string, false]]))
      return text
    }
    case Op.popAny: {
      const [entry] = fields
      if (entry === undefined) return false
      change(run, at, map, field, new Map([[entry[0], false]]))
      return entry
    }
  }
  // remove
  const gone = (args as ReadonlyArray<string>).filter((name) => fields.has(name))
  if (gone.length > 0) change(run, at, map, field, new Map(gone.map((name) => [name, false])))
  return size - fields.size
}
