/**
 * Operations on a set. The twin of set.lua.
 */
import { Op } from "../instruction/ops.ts"
import type { Instruction } from "../instruction/program.ts"
import type { Result } from "../instruction/reply.ts"
import type { FieldSpec } from "../instruction/spec.ts"
import { counted } from "./size.ts"
import { refuse } from "./stop.ts"
import type { Members } from "./store.ts"
import type { Collection, Transaction } from "./transaction.ts"

/** Adds members that are all missing, or removes members that all exist. */
const flip = (
  run: Transaction,
  { entity }: Collection,
  { members }: Members,
  flipped: Iterable<string>,
  isThere: boolean
) => {
  const change = (isThere: boolean): void => {
    for (const member of flipped) {
      if (isThere) members.delete(member)
      else members.add(member)
    }
  }
  run.touch(entity)
  change(isThere)
  run.journal.push(() => change(!isThere))
}

const otherSet = (run: Transaction, { other }: Instruction): ReadonlySet<string> => {
  const entity = run.entity(other!.key, true)
  if (!entity.exists) return refuse("missing", true)
  return (run.collection(entity, other!.spec as FieldSpec, true).entry as Members).members
}

/** @internal */
export const onSet = (run: Transaction, at: Collection, set: Members, instruction: Instruction): Result => {
  const { args, op } = instruction
  const spec = instruction.spec as FieldSpec
  const { members } = set
  const { size } = members
  switch (op) {
    case Op.has:
      return members.has(args[0] as string) ? 1 : 0
    case Op.remove: {
      const gone = new Set((args as ReadonlyArray<string>).filter((member) => members.has(member)))
      counted(size, size - gone.size, spec)
      if (gone.size > 0) flip(run, at, set, gone, true)
      return gone.size
    }
    case Op.popAny: {
      const [member] = members
      if (member === undefined) return false
      counted(size, size - 1, spec)
      flip(run, at, set, [member], true)
      return member
    }
    case Op.addMembers: {
      const added = new Set((args as ReadonlyArray<string>).filter((member) => !members.has(member)))
      counted(size, size + added.size, spec)
      if (added.size > 0) flip(run, at, set, added, false)
      return added.size
    }
    case Op.union:
      return [...new Set([...members, ...otherSet(run, instruction)])]
  }
  // intersection and difference
  const other = otherSet(run, instruction)
  return [...members].filter((member) => other.has(member) === (op === Op.intersection))
}
