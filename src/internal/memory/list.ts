/**
 * Operations on a list. Positions are those of `Array.prototype.slice` and `at`. The twin of list.lua.
 */
import { Op } from "../instruction/ops.ts"
import type { Instruction } from "../instruction/program.ts"
import type { Result } from "../instruction/reply.ts"
import type { FieldSpec } from "../instruction/spec.ts"
import { range } from "./range.ts"
import { sized } from "./size.ts"
import { stop } from "./stop.ts"
import type { List } from "./store.ts"
import type { Collection, Transaction } from "./transaction.ts"

/** Inserts items without spreading them into arguments, because a call accepts only so many. */
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

/** Replaces some items, and journals the inverse. */
const splice = (
  run: Transaction,
  { entity }: Collection,
  { items }: List,
  at: number,
  count: number,
  added: ReadonlyArray<string>
): ReadonlyArray<string> => {
  run.touch(entity)
  const gone = count === 0 ? [] : items.splice(at, count)
  insertAt(items, at, added)
  run.journal.push(() => {
    items.splice(at, added.length)
    insertAt(items, at, gone)
  })
  return gone
}

/**
 * The item at a position, and a function that replaces it.
 *
 * @internal
 */
export const itemAt = (
  run: Transaction,
  at: Collection,
  list: List,
  given: number
): { readonly text: string; readonly set: (text: string) => void } => {
  const index = given < 0 ? given + list.items.length : given
  const text = list.items[index]
  return text === undefined
    ? stop({ _tag: "index" })
    : { text, set: (text) => splice(run, at, list, index, 1, [text]) }
}

/** @internal */
export const onList = (run: Transaction, at: Collection, list: List, { args, op, spec }: Instruction): Result => {
  const field = spec as FieldSpec
  const length = list.items.length
  switch (op) {
    case Op.append: {
      const [keep, ...items] = args as [number, ...Array<string>]
      if (items.length === 0) return length
      const total = length + items.length
      const after = sized(keep > 0 && total > keep ? keep : total, field)
      const kept = items.slice(Math.max(0, items.length - after))
      splice(run, at, list, length, 0, kept)
      splice(run, at, list, 0, length + kept.length - after, [])
      return after
    }
    case Op.prepend: {
      if (args.length === 0) return length
      const after = sized(length + args.length, field)
      splice(run, at, list, 0, 0, args as ReadonlyArray<string>)
      return after
    }
    case Op.insertItems: {
      const [position, ...items] = args as [number, ...Array<string>]
      const index = position < 0 ? position + length : position
      if (index < 0 || index > length) return stop({ _tag: "index" })
      if (items.length === 0) return length
      const after = sized(length + items.length, field)
      splice(run, at, list, index, 0, items)
      return after
    }
    case Op.contains:
      return list.items.includes(args[0] as string) ? 1 : 0
    case Op.slice:
      return list.items.slice(args[0] as number, args[1] as number)
    case Op.removeItem: {
      const kept = list.items.filter((item) => item !== args[0])
      if (kept.length === length) return 0
      sized(kept.length, field)
      splice(run, at, list, 0, length, kept)
      return length - kept.length
    }
    case Op.removeRange: {
      const [from, to] = range(length, args[0] as number, args[1] as number)
      if (from === to) return 1
      sized(length - (to - from), field)
      splice(run, at, list, from, to - from, [])
      return 1
    }
    case Op.trim: {
      const [from, to] = range(length, args[0] as number, args[1] as number)
      if (to - from === length) return 1
      sized(to - from, field)
      splice(run, at, list, to, length - to, [])
      splice(run, at, list, 0, from, [])
      return 1
    }
  }
  // pop and shift
  if (length === 0) return false
  sized(length - 1, field)
  return splice(run, at, list, op === Op.shift ? 0 : length - 1, 1, [])[0]!
}
