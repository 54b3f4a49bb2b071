/**
 * Operations on a set. The twin of set.lua and named.lua.
 */
import { Op } from "../instruction/ops.ts"
import type { Instruction } from "../instruction/program.ts"
import type { Result } from "../instruction/reply.ts"
import type { FieldSpec } from "../instruction/spec.ts"
import { leaveFormOf } from "./forms.ts"
import { checkSize } from "./size.ts"
import { failEntity } from "./stop.ts"
import type { StoredSet } from "./store.ts"
import type { Collection, Transaction } from "./transaction.ts"

/** Adds members that are all missing, or removes members that all exist. */
const edit = (
  transaction: Transaction,
  collection: Collection,
  { members }: StoredSet,
  edited: ReadonlySet<string>,
  change: "add" | "remove"
): void => {
  const apply = (isAddition: boolean): void => {
    for (const member of edited) {
      if (isAddition) members.add(member)
      else members.delete(member)
    }
  }
  transaction.touch(collection.entity)
  const { size } = members
  transaction.resize(collection, size, change === "add" ? size + edited.size : size - edited.size)
  apply(change === "add")
  transaction.journal.push(() => apply(change === "remove"))
}

const secondSet = (transaction: Transaction, { other }: Instruction): ReadonlySet<string> => {
  const entity = transaction.entityAt(other!.key, true)
  if (!entity.exists) return failEntity("missing", true)
  const collection = transaction.collectionAt(entity, other!.spec as FieldSpec, true)
  leaveFormOf(transaction, collection, other!.spec as FieldSpec, false, true)
  return (collection.value as StoredSet).members
}

/** @internal */
export const onSet = (
  transaction: Transaction,
  collection: Collection,
  set: StoredSet,
  instruction: Instruction
): Result => {
  const { args, op } = instruction
  const spec = instruction.spec as FieldSpec
  const { members } = set
  const { size } = members
  switch (op) {
    case Op.has:
      return members.has(args[0] as string) ? 1 : 0
    case Op.remove: {
      const removed = new Set((args as ReadonlyArray<string>).filter((member) => members.has(member)))
      checkSize(size, size - removed.size, spec)
      if (removed.size > 0) edit(transaction, collection, set, removed, "remove")
      return removed.size
    }
    case Op.popAny: {
      const [count] = args as ReadonlyArray<number>
      const taken = [...members].slice(0, count ?? 1)
      checkSize(size, size - taken.length, spec)
      if (taken.length > 0) edit(transaction, collection, set, new Set(taken), "remove")
      return count === undefined ? taken[0] ?? false : taken
    }
    case Op.addMembers: {
      const added = new Set((args as ReadonlyArray<string>).filter((member) => !members.has(member)))
      checkSize(size, size + added.size, spec)
      if (added.size > 0) edit(transaction, collection, set, added, "add")
      return added.size
    }
  }
  const second = secondSet(transaction, instruction)
  transaction.spend(15 * (size + second.size))
  if (op === Op.union) return [...new Set([...members, ...second])]
  // `intersection` and `difference`
  return [...members].filter((member) => second.has(member) === (op === Op.intersection))
}
