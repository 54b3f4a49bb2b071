/**
 * Operations that read an index. The twin of indexReads.lua.
 */
import { codesOf, entriesKey, expiriesKey, type Indexes, type IndexSpec, keyAt } from "../instruction/indexes.ts"
import { Op } from "../instruction/ops.ts"
import type { Instruction } from "../instruction/program.ts"
import type { Result } from "../instruction/reply.ts"
import type { EntitySpec } from "../instruction/spec.ts"
import { idOf } from "../text/orderCode.ts"
import { compareBytes } from "../text/textOrder.ts"
import { readEntity } from "./entity.ts"
import { entriesAt, flushIndexes, hasDue, hasOtherPlan, isExpired, membersAt, setPlan, sweep } from "./indexes.ts"
import type { ScoredMembers } from "./scoredMembers.ts"
import { fail, failEntity, Stop } from "./stop.ts"
import type { Transaction } from "./transaction.ts"

/** How many expired entities one instruction looks at. */
const mostSwept = 1000

/** How many entries come before a bound. A score, or a member after `[`; `(`: the bound itself comes before it too. */
const before = (entries: ScoredMembers, order: IndexSpec["order"], bound: string, isEnd: boolean): number => {
  const isExclusive = bound.startsWith("(")
  // an exclusive low bound and an inclusive high one come after what equals them
  const isAfter = isExclusive !== isEnd
  if (order === "score") {
    const score = Number(isExclusive ? bound.slice(1) : bound)
    return isAfter ? entries.upTo(score) : entries.below(score)
  }
  if (bound === "-") return 0
  if (bound === "+") return entries.size
  const text = bound.slice(1)
  return entries.countWhile((member) => {
    const order = compareBytes(member, text)
    return order < 0 || isAfter && order === 0
  })
}

/**
 * Runs an operation that reads the entries of a home. Entries of expired entities are removed first, so that they are neither shown
 * nor counted; a program that only reads can't, and stops.
 *
 * @internal
 */
export const onIndex = (transaction: Transaction, instruction: Instruction): Result => {
  const { args, key: home, op } = instruction
  const spec = instruction.spec as EntitySpec
  const indexes = spec.indexes!
  if (op === Op.indexPlan) {
    setPlan(transaction, indexes, home, args)
    return 1
  }
  flushIndexes(transaction)
  if (op === Op.indexAudit) return audit(transaction, indexes, home, args as ReadonlyArray<number>)
  if (hasOtherPlan(transaction, indexes, home)) return fail({ _tag: "plan", isOlder: true })
  const isDue = transaction.access === "read" ? hasDue : sweep
  if (isDue(transaction, indexes, home, mostSwept)) return fail({ _tag: "due" })
  const [position, low, high, ...others] = args as ReadonlyArray<any>
  const index = indexes.list[position - 1]!
  const entries = entriesAt(transaction, entriesKey(home, index))
  const from = before(entries, index.order, low, false)
  const to = Math.max(from, before(entries, index.order, high, true))
  switch (op) {
    case Op.indexCount:
      return to - from
    case Op.indexHas:
      return to > from ? 1 : 0
    case Op.indexGet:
      return rowsOf(transaction, instruction, entries, from, Math.min(from + 1, to), false, true, true)
    case Op.indexRange: {
      const [reverse, limit, rows, score, id] = others
      let [first, last] = [from, to]
      if (score !== undefined) {
        const isBefore = (member: string): boolean => {
          const own = entries.scores.get(member)!
          const order = own === Number(score) ? compareBytes(member, id) : own - Number(score)
          return order < 0 || order === 0 && reverse === 0
        }
        const at = entries.countWhile(isBefore)
        if (reverse === 1) last = Math.min(last, at)
        else first = Math.max(first, at)
      }
      if (reverse === 1) first = Math.max(first, last - limit)
      else last = Math.min(last, first + limit)
      return rowsOf(transaction, instruction, entries, first, last, reverse === 1, rows === 1)
    }
  }
  const [reverse, id, count, rows] = op === Op.indexHolds ? [0, ...others] : others
  const member = index.order === "score" ? id as string : membersAt(transaction, home, index).fields.get(id)
  const rank = member !== undefined && entries.scores.has(member) ? entries.rank(member) : -1
  const isInside = rank >= from && rank < to
  if (op === Op.indexHolds) return isInside ? 1 : 0
  if (!isInside) return false
  if (op === Op.indexAround) {
    return rowsOf(
      transaction,
      instruction,
      entries,
      Math.max(from, rank - count),
      Math.min(to, rank + count + 1),
      reverse === 1,
      rows === 1
    )
  }
  if (index.order === "score") {
    const score = entries.scores.get(member!)!
    return 1 + (reverse === 1 ? to - Math.min(to, entries.upTo(score)) : Math.max(from, entries.below(score)) - from)
  }
  const parts = member!.slice(0, member!.length - id.length)
  const isBefore = (other: string): boolean => compareBytes(other, parts) < 0
  return 1 + (reverse === 1
    ? to - entries.countWhile((other) => isBefore(other) || other.startsWith(parts))
    : entries.countWhile(isBefore) - from)
}

/**
 * Returns how many entries it examined; and an id and a member for each of them that belongs to no entity. Position 0 is the
 * expiries.
 */
const audit = (
  transaction: Transaction,
  indexes: Indexes,
  home: string,
  [position, from, limit]: ReadonlyArray<number>
): Result => {
  const index = indexes.list[position! - 1]
  const key = index === undefined ? expiriesKey(home) : entriesKey(home, index)
  const found = entriesAt(transaction, key).ranked.slice(from, from! + limit!)
  const row = [String(found.length)]
  for (const member of found) {
    const isMember = index?.order === "lex"
    const id = isMember ? idOf(member, codesOf(indexes, index)) : member
    const isOwn = transaction.isStored(keyAt(indexes, home, id)) &&
      (!isMember || membersAt(transaction, home, index).fields.get(id) === member)
    if (!isOwn && !isExpired(transaction, home, id)) row.push(id, member)
  }
  return row
}

/** The entries of these ranks, each with its entity if `isWhole`. An entity that others have removed is left out. */
const rowsOf = (
  transaction: Transaction,
  { args, key: home, spec }: Instruction,
  entries: ScoredMembers,
  from: number,
  to: number,
  isReverse: boolean,
  isWhole: boolean,
  isRequired = false
): Result => {
  const indexes = spec.indexes!
  const index = indexes.list[args[0] as number - 1]!
  const members = entries.ranked.slice(from, to)
  if (isReverse) members.reverse()
  const codes = codesOf(indexes, index)
  const row: Array<any> = []
  for (const member of members) {
    const isScore = index.order === "score"
    const id = isScore ? member : idOf(member, codes)
    const order = isScore ? String(entries.scores.get(member)!) : member
    if (!isWhole) {
      row.push(id, order)
      continue
    }
    try {
      const entity = transaction.entityAt(keyAt(indexes, home, id))
      if (entity.exists) {
        row.push(id, order, ...readEntity(transaction, entity, spec as EntitySpec) as ReadonlyArray<any>)
      }
    } catch (error) {
      if (error instanceof Stop && error.failure._tag === "type") throw new Stop({ ...error.failure, member: id })
      throw error
    }
  }
  return isRequired && row.length === 0 ? failEntity("missing") : row
}
