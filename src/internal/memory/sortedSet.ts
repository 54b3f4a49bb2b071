/**
 * Operations on a sorted set. The twin of sortedSet.lua.
 */
import { Op } from "../instruction/ops.ts"
import type { Argument, Instruction } from "../instruction/program.ts"
import type { Result } from "../instruction/reply.ts"
import type { FieldSpec } from "../instruction/spec.ts"
import { range } from "./range.ts"
import { counted } from "./size.ts"
import { arithmetic } from "./stop.ts"
import { pairs, type Scored } from "./store.ts"
import type { Collection, Transaction } from "./transaction.ts"

/** Sets scores, and removes members whose score is undefined. Returns by how much the set grew. */
const change = (
  run: Transaction,
  { entity }: Collection,
  { scored }: Scored,
  spec: FieldSpec,
  changes: ReadonlyMap<string, number | undefined>
): number => {
  if (changes.size === 0) return 0
  const before = scored.size
  let after = before
  for (const [member, score] of changes) after += Number(score !== undefined) - Number(scored.scores.has(member))
  counted(before, after, spec)
  run.touch(entity)
  const inverse = scored.assign(changes)
  run.journal.push(() => scored.assign(inverse))
  return after - before
}

/** @internal */
export const onScored = (run: Transaction, at: Collection, zset: Scored, { args, op, spec }: Instruction): Result => {
  const field = spec as FieldSpec
  const { scored } = zset
  const { scores, size } = scored
  const member = args[0] as string
  const between = (
    lowest: Argument | undefined,
    highest: Argument | undefined
  ): readonly [from: number, to: number] => {
    const from = scored.below(Number(lowest))
    return [from, Math.max(from, scored.upTo(Number(highest)))]
  }
  switch (op) {
    case Op.has:
      return scores.has(member) ? 1 : 0
    case Op.remove: {
      const gone = (args as ReadonlyArray<string>).filter((member) => scores.has(member))
      change(run, at, zset, field, new Map(gone.map((member) => [member, undefined])))
      return size - scored.size
    }
    case Op.addScores:
      return change(run, at, zset, field, new Map(pairs(args, Number)))
    case Op.incrementScore: {
      const sum = (scores.get(member) ?? 0) + Number(args[1])
      if (!Number.isFinite(sum)) return arithmetic("notFinite")
      change(run, at, zset, field, new Map([[member, sum]]))
      return String(scores.get(member))
    }
    case Op.score:
      return scores.has(member) && String(scores.get(member))
    case Op.rank: {
      if (!scores.has(member)) return false
      const rank = scored.rank(member)
      return args[1] === 1 ? size - 1 - rank : rank
    }
    case Op.rangeByRank: {
      const [from, to, reverse] = args as ReadonlyArray<number>
      const [start, end] = range(size, from!, to!)
      return reverse === 1 ? scored.range(size - end, size - start, true) : scored.range(start, end)
    }
    case Op.rangeByScore: {
      const [from, to] = between(args[0], args[1])
      const limit = args[3] as number
      if (limit < 0) return scored.range(from, to, args[2] === 1)
      return args[2] === 1
        ? scored.range(Math.max(from, to - limit), to, true)
        : scored.range(from, Math.min(to, from + limit))
    }
    case Op.countByScore: {
      const [from, to] = between(args[0], args[1])
      return to - from
    }
  }
  // popMin and popMax
  if (size === 0) return false
  const end = op === Op.popMin ? 0 : size - 1
  const popped = scored.range(end, end + 1)
  change(run, at, zset, field, new Map([[popped[0]!, undefined]]))
  return popped
}
