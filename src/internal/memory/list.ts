/**
 * Operations on a list, and scalar operations on one item. Positions are those of `Array.prototype.slice` and `at`. The
 * twin of list.lua.
 */
import { Op } from "../instruction/ops.ts"
import type { Instruction } from "../instruction/program.ts"
import type { Result } from "../instruction/reply.ts"
import type { FieldSpec } from "../instruction/spec.ts"
import { sliceBounds } from "./range.ts"
import { applyScalar } from "./scalar.ts"
import { checkLength } from "./size.ts"
import { fail } from "./stop.ts"
import type { StoredList } from "./store.ts"
import type { Collection, Transaction } from "./transaction.ts"

/** Inserts items without spreading many of them, because a function call accepts only so many arguments. */
const insertAt = (items: Array<string>, at: number, added: ReadonlyArray<string>): void => {
  if (at === items.length) {
    for (const item of added) items.push(item)
  } else if (added.length < 1000) {
    items.splice(at, 0, ...added)
  } else {
    const tail = items.splice(at)
    for (const item of added) items.push(item)
    for (const item of tail) items.push(item)
  }
}

/** Replaces some items, and journals the inverse. Returns the removed items. */
const splice = (
  transaction: Transaction,
  { entity }: Collection,
  { items }: StoredList,
  at: number,
  count: number,
  added: ReadonlyArray<string>
): ReadonlyArray<string> => {
  transaction.touch(entity)
  const removed = count === 0 ? [] : items.splice(at, count)
  insertAt(items, at, added)
  transaction.journal.push(() => {
    items.splice(at, added.length)
    insertAt(items, at, removed)
  })
  return removed
}

/**
 * Runs a scalar operation on one item. The item's position is the first argument.
 *
 * @internal
 */
export const onItem = (
  transaction: Transaction,
  collection: Collection,
  list: StoredList,
  { args, op, spec }: Instruction
): Result => {
  const position = args[0] as number
  const index = position < 0 ? position + list.items.length : position
  const item = list.items[index]
  // only an operand has a default, which it is if there is no such item
  if (item === undefined && !(op === Op.load && (spec as FieldSpec).default !== undefined)) {
    return fail({ _tag: "index" })
  }
  transaction.examine(op, item)
  const [text, result] = applyScalar(op, item, spec as FieldSpec, args.slice(1), transaction.valueBytes)
  if (typeof text === "string") splice(transaction, collection, list, index, 1, [text])
  return result
}

/** @internal */
export const onList = (
  transaction: Transaction,
  collection: Collection,
  list: StoredList,
  { args, op, spec }: Instruction
): Result => {
  const field = spec as FieldSpec
  const length = list.items.length
  switch (op) {
    case Op.append: {
      const [keep, ...items] = args as [number, ...Array<string>]
      if (items.length === 0) return length
      const total = length + items.length
      const after = checkLength(keep > 0 && total > keep ? keep : total, field)
      const kept = items.slice(Math.max(0, items.length - after))
      splice(transaction, collection, list, length, 0, kept)
      splice(transaction, collection, list, 0, length + kept.length - after, [])
      return after
    }
    case Op.prepend: {
      if (args.length === 0) return length
      const after = checkLength(length + args.length, field)
      splice(transaction, collection, list, 0, 0, args as ReadonlyArray<string>)
      return after
    }
    case Op.insertItems: {
      const [position, ...items] = args as [number, ...Array<string>]
      const index = position < 0 ? position + length : position
      if (index < 0 || index > length) return fail({ _tag: "index" })
      if (items.length === 0) return length
      const after = checkLength(length + items.length, field)
      if (index > 0 && index < length) transaction.spend(Math.min(items.length * index, 10 * (length - index)))
      splice(transaction, collection, list, index, 0, items)
      return after
    }
    case Op.contains:
      transaction.spend(length)
      return list.items.includes(args[0] as string) ? 1 : 0
    case Op.slice:
      return list.items.slice(args[0] as number, args[1] as number)
    case Op.removeItem: {
      transaction.spend(length)
      const kept = list.items.filter((item) => item !== args[0])
      if (kept.length === length) return 0
      checkLength(kept.length, field)
      splice(transaction, collection, list, 0, length, kept)
      return length - kept.length
    }
    case Op.removeRange: {
      const [from, to] = sliceBounds(length, args[0] as number, args[1] as number)
      if (from === to) return 1
      checkLength(length - (to - from), field)
      if (from > 0) transaction.spend(Math.min(from + 100 * (to - from), 10 * (length - from)))
      splice(transaction, collection, list, from, to - from, [])
      return 1
    }
    case Op.trim: {
      const [from, to] = sliceBounds(length, args[0] as number, args[1] as number)
      if (to - from === length) return 1
      checkLength(to - from, field)
      transaction.spend(10 * (length - to))
      splice(transaction, collection, list, to, length - to, [])
      splice(transaction, collection, list, 0, from, [])
      return 1
    }
  }
  // `pop` and `shift`
  const [count] = args as ReadonlyArray<number>
  const taken = Math.min(count ?? 1, length)
  if (taken === 0) return count === undefined ? false : []
  checkLength(length - taken, field)
  const items = splice(transaction, collection, list, op === Op.shift ? 0 : length - taken, taken, [])
  return count === undefined ? items[0]! : op === Op.shift ? items : items.toReversed()
}
