/**
 * Operations on a sorted set. The twin of sortedSet.lua and named.lua.
 */
import { Op } from "../instruction/ops.ts"
import type { Argument, Instruction } from "../instruction/program.ts"
import type { Result } from "../instruction/reply.ts"
import type { FieldSpec } from "../instruction/spec.ts"
import { sliceBounds } from "./range.ts"
import { checkSize } from "./size.ts"
import { failArithmetic } from "./stop.ts"
import { pairs, type StoredSortedSet } from "./store.ts"
import type { Collection, Transaction } from "./transaction.ts"

/** Sets scores, and removes members whose score is undefined. Returns by how many members the set grew. */
const edit = (
  transaction: Transaction,
  collection: Collection,
  { members }: StoredSortedSet,
  spec: FieldSpec,
  changes: ReadonlyMap<string, number | undefined>
): number => {
  if (changes.size === 0) return 0
  const before = members.size
  let after = before
  for (const [member, score] of changes) after += Number(score !== undefined) - Number(members.scores.has(member))
  checkSize(before, after, spec)
  transaction.touch(collection.entity)
  transaction.resize(collection, before, after)
  const inverse = members.assign(changes)
  transaction.journal.push(() => members.assign(inverse))
  return after - before
}

/** @internal */
export const onSortedSet = (
  transaction: Transaction,
  collection: Collection,
  sortedSet: StoredSortedSet,
  { args, op, spec }: Instruction
): Result => {
  const field = spec as FieldSpec
  const { members } = sortedSet
  const { scores, size } = members
  const member = args[0] as string
  /** Removes the members of these ranks. Returns how many. */
  const removeRanks = (from: number, to: number): number => {
    const removed = members.ranked.slice(from, to)
    edit(transaction, collection, sortedSet, field, new Map(removed.map((member) => [member, undefined])))
    return removed.length
  }
  /** The ranks at these positions, which count from the highest score if `reverse` is 1. */
  const ranksAt = (
    start: Argument | undefined,
    end: Argument | undefined,
    reverse: Argument | undefined
  ): readonly [from: number, to: number] => {
    const [from, to] = sliceBounds(size, start as number, end as number)
    return reverse === 1 ? [size - to, size - from] : [from, to]
  }
  const ranksBetween = (
    lowest: Argument | undefined,
    highest: Argument | undefined
  ): readonly [from: number, to: number] => {
    const from = members.below(Number(lowest))
    return [from, Math.max(from, members.upTo(Number(highest)))]
  }
  switch (op) {
    case Op.has:
      return scores.has(member) ? 1 : 0
    case Op.remove: {
      const removed = (args as ReadonlyArray<string>).filter((member) => scores.has(member))
      edit(transaction, collection, sortedSet, field, new Map(removed.map((member) => [member, undefined])))
      return size - members.size
    }
    case Op.addScores:
      return edit(transaction, collection, sortedSet, field, new Map(pairs(args, Number)))
    case Op.incrementScore: {
      const sum = (scores.get(member) ?? 0) + Number(args[1])
      if (!Number.isFinite(sum)) return failArithmetic("notFinite")
      edit(transaction, collection, sortedSet, field, new Map([[member, sum]]))
      return String(scores.get(member))
    }
    case Op.score:
      return scores.has(member) && String(scores.get(member))
    case Op.rank: {
      if (!scores.has(member)) return false
      const rank = members.rank(member)
      return args[1] === 1 ? size - 1 - rank : rank
    }
    case Op.rangeByRank: {
      const [from, to] = ranksAt(args[0], args[1], args[2])
      return members.range(from, to, args[2] === 1)
    }
    case Op.removeByRank:
      return removeRanks(...ranksAt(args[0], args[1], args[2]))
    case Op.removeByScore:
      return removeRanks(...ranksBetween(args[0], args[1]))
    case Op.rangeByScore: {
      const [from, to] = ranksBetween(args[0], args[1])
      const limit = args[3] as number
      if (limit < 0) return members.range(from, to, args[2] === 1)
      return args[2] === 1
        ? members.range(Math.max(from, to - limit), to, true)
        : members.range(from, Math.min(to, from + limit))
    }
    case Op.countByScore: {
      const [from, to] = ranksBetween(args[0], args[1])
      return to - from
    }
  }
  // `popMin` and `popMax`
  const [count] = args as ReadonlyArray<number>
  const isMax = op === Op.popMax
  const taken = Math.min(count ?? 1, size)
  const [from, to] = isMax ? [size - taken, size] : [0, taken]
  const popped = members.range(from, to, isMax)
  removeRanks(from, to)
  return count === undefined && taken === 0 ? false : popped
}
