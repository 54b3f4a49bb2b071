/**
 * A random call of each operation on lists, sets, maps and sorted sets.
 */
import { inspect } from "node:util"
import { Atomic, type Field } from "redlayer"
import { orOperand } from "../operands.ts"
import type { Gen, Random } from "../random.ts"
import { foreign } from "../storedTexts.ts"
import {
  type Call,
  type Count,
  count as countTable,
  isSorted,
  type Standing,
  standing,
  type Table
} from "./scalarCalls.ts"

const positions = [0, 0, 0, -1, -1, -1, 1, 1, -2, 2, -3, 5]
const wildPositions = [NaN, Infinity, -Infinity, 1.5, -1.5, -0, 2 ** 31, -(2 ** 31), 2 ** 53, 1e300, 17, -17]

const position = (random: Random): number =>
  random.wild() ? random.chance(0.2) ? foreign(random) : random.pick(wildPositions) : random.pick(positions)

/** None, one or both of a range. */
const range = (random: Random): readonly [start?: number | undefined, end?: number | undefined] => {
  switch (random.int(0, 3)) {
    case 0:
      return []
    case 1:
      return [position(random)]
    case 2:
      return [undefined, position(random)]
    default:
      return [position(random), position(random)]
  }
}

const keep = (random: Random): number =>
  random.wild() ? random.pick([0, -1, 1.5, NaN, 2 ** 40, 1200]) : random.int(1, 5)

/** How many elements are to be removed. */
const wanted = (random: Random): number => random.wild() ? random.pick(wildCounts) : random.pick([0, 1, 1, 2, 2, 3, 5])
const wildCounts: ReadonlyArray<any> = [-1, 1.5, NaN, Infinity, 2 ** 40, 1200, "1", null]

/** Now and then more than fits in one command of the server. */
const many = <A>(item: Gen<A>): Gen<Array<A>> => (random) =>
  random.wild() && random.chance(0.2)
    ? foreign(random)
    : random.chance(0.01)
    ? random.array(900, 2500, item)
    : random.array(0, 3, item)

const added = <A>(item: Gen<A>): Gen<any> => (random) => random.chance(0.5) ? item(random) : many(item)(random)

/** Items of a list, which may be operands. */
const items = <A>(handle: object, item: Gen<A>): Gen<any> =>
  added(orOperand((handle as Field.List<A, unknown>).at(0), item))

/** Part of the table of a list, or of a map, is that of its items or entries. */
type Parts<H, Part> = { readonly [K in keyof Part]: Call<H> }

const parts = <H, Part>(table: Table<Part>, at: (handle: H, random: Random) => Part): Parts<H, Part> =>
  Object.fromEntries(
    Object.entries(table as unknown as Record<string, Call<Part>>).map(([name, call]) => [
      name,
      (handle: H, random: Random, other: H) => call(at(handle, random), random, at(other, random))
    ])
  ) as any

// counts

/** Their comparisons, of anything that has one. */
export const sizeOf = <H>(count: (handle: H) => Count): Parts<H, Count> => parts(countTable, count)

// lists

/** `whole` are the items of a whole list; `at` is apart, since an item has operations of its own. */
export const list = <A>(item: Gen<A>, whole: Gen<ReadonlyArray<A>>): Table<Omit<Field.List<A, any>, "at">> => ({
  get: (handle) => handle.get(),
  set: (handle, random) => handle.set(whole(random)),
  length: (handle) => handle.length(),
  slice: (handle, random) => handle.slice(...range(random)),
  append: (handle, random) => {
    const added = items(handle, item)(random)
    return random.chance(0.4) ? handle.append(added, { keep: keep(random) }) : handle.append(added)
  },
  prepend: (handle, random) => handle.prepend(items(handle, item)(random)),
  insert: (handle, random) => handle.insert(position(random), items(handle, item)(random)),
  pop: (handle, random) => random.chance(0.5) ? handle.pop() : handle.pop(wanted(random)),
  shift: (handle, random) => random.chance(0.5) ? handle.shift() : handle.shift(wanted(random)),
  contains: (handle, random) => handle.contains(item(random)),
  remove: (handle, random) => handle.remove(item(random)),
  removeRange: (handle, random) => {
    const [start = position(random), end] = range(random)
    return handle.removeRange(start, end)
  },
  trim: (handle, random) => {
    const [start = position(random), end] = range(random)
    return handle.trim(start, end)
  },
  clear: (handle) => handle.clear()
})

export const at = <A, Item>(table: Table<Item>): Parts<Field.List<A, Item>, Item> =>
  parts(table, (handle, random) => handle.at(position(random)))

// sets

export const set = <A, Whole>(member: Gen<A>, whole: Gen<Whole>): Table<Field.Set<A, Whole>> => ({
  get: (handle) => handle.get(),
  set: (handle, random) => handle.set(whole(random)),
  values: (handle) => handle.values(),
  size: (handle) => handle.size(),
  has: (handle, random) => handle.has(member(random)),
  add: (handle, random) => handle.add(added(member)(random)),
  remove: (handle, random) => handle.remove(member(random)),
  removeAll: (handle, random) => handle.removeAll(many(member)(random)),
  pop: (handle, random) => random.chance(0.5) ? handle.pop() : handle.pop(wanted(random)),
  clear: (handle) => handle.clear(),
  union: (handle, _, other) => handle.union(other),
  intersection: (handle, _, other) => handle.intersection(other),
  difference: (handle, _, other) => handle.difference(other)
})

// maps

/** Values without order, sorted. */
const sorted = (values: ReadonlyArray<unknown>): ReadonlyArray<unknown> =>
  values.map((value) => [inspect(value), value] as const).sort(([a], [b]) => a < b ? -1 : 1).map(([, value]) => value)

export const map = <K, A, Whole>(
  key: Gen<K>,
  value: Gen<A>,
  whole: Gen<Whole>
): Table<Omit<Field.Map<K, A, Whole, unknown>, "at">> => ({
  get: (handle) => handle.get(),
  set: (handle, random) => handle.set(whole(random)),
  size: (handle) => handle.size(),
  keys: (handle) => Atomic.map(handle.keys(), sorted),
  has: (handle, random) => handle.has(key(random)),
  put: (handle, random) => handle.put(key(random), value(random)),
  putAll: (handle, random) => handle.putAll(whole(random)),
  remove: (handle, random) => handle.remove(key(random)),
  removeAll: (handle, random) => handle.removeAll(many(key)(random)),
  pop: (handle, random) => handle.pop(key(random)),
  popAny: (handle, random) => random.chance(0.5) ? handle.popAny() : handle.popAny(wanted(random)),
  clear: (handle) => handle.clear()
})

export const entryAt = <K, Entry>(
  key: Gen<K>,
  table: Table<Entry>
): Parts<Field.Map<K, any, any, Entry>, Entry> => parts(table, (handle, random) => handle.at(key(random)))

// sorted sets

const scores = [0, 1, 1, 1, 2, -1, 0.5, 1e21, -2.5, 10, 2 ** 53, 5e-324]
const wildScores = [-0, Infinity, -Infinity, NaN, 1e308, -1e308, Number.MAX_VALUE, 0.1, 1 / 3]

export const score: Gen<number> = (random) =>
  random.wild() ? random.chance(0.2) ? foreign(random) : random.pick(wildScores) : random.pick(scores)

/** A score, or an operand that is a number. */
const scoreOrOperand = <A>(handle: Field.SortedSet<A>): Gen<any> => orOperand(handle.count(), score)

const limits = [0, 1, 1, 2, 3]
const wildLimits = [-1, 1.5, NaN, 2 ** 31, 2 ** 53 - 1]

const reverse = (random: Random): { readonly reverse?: boolean | undefined } | undefined =>
  random.chance(0.5) ? { reverse: true } : random.pick([undefined, {}, { reverse: false }, { reverse: undefined }])

const scoreRange = (random: Random, make: Gen<any> = score): { min?: any; max?: any } => {
  const [a, b] = [make(random), make(random)]
  const [low, high] = random.wild() || isSorted(a, b) ? [a, b] : [b, a]
  return random.pick([{}, { min: low }, { max: high }, { min: low, max: high }, { min: low, max: high }])
}

/** How many members are in a range; the score and the rank of a member. */
export const rangeCount = parts<Field.SortedSet<any>, Count>(
  countTable,
  (handle, random) => random.chance(0.2) ? handle.count() : handle.count(scoreRange(random))
)
export const scoreOf = (member: Gen<any>): Parts<Field.SortedSet<any>, Standing> =>
  parts(standing, (handle, random) => handle.score(member(random)))
export const rankOf = (member: Gen<any>): Parts<Field.SortedSet<any>, Standing> =>
  parts(standing, (handle, random) => handle.rank(member(random), reverse(random)))

export const sortedSet = <A>(
  member: Gen<A>,
  whole: Gen<ReadonlyArray<Field.Scored<A>>>
): Table<Field.SortedSet<A>> => ({
  get: (handle) => handle.get(),
  set: (handle, random) => handle.set(whole(random)),
  size: (handle) => handle.size(),
  has: (handle, random) => handle.has(member(random)),
  add: (handle, random) => handle.add(member(random), scoreOrOperand(handle)(random)),
  addAll: (handle, random) => handle.addAll(whole(random)),
  increment: (handle, random) =>
    random.chance(0.2) ? handle.increment(member(random)) : handle.increment(member(random), score(random)),
  remove: (handle, random) => handle.remove(member(random)),
  removeAll: (handle, random) => handle.removeAll(many(member)(random)),
  score: (handle, random) => handle.score(member(random)),
  rank: (handle, random) => handle.rank(member(random), reverse(random)),
  range: (handle, random) => {
    const [start, end] = range(random)
    return handle.range(start, end, reverse(random))
  },
  rangeByScore: (handle, random) => {
    if (random.chance(0.1)) return handle.rangeByScore()
    const limit = random.chance(0.5) ? undefined : random.pick(random.wild() ? wildLimits : limits)
    return handle.rangeByScore({ ...scoreRange(random, scoreOrOperand(handle)), ...reverse(random), limit })
  },
  count: (handle, random) =>
    random.chance(0.1) ? handle.count() : handle.count(scoreRange(random, scoreOrOperand(handle))),
  removeRangeByRank: (handle, random) => {
    const [start = position(random), end] = range(random)
    return handle.removeRangeByRank(start, end, reverse(random))
  },
  removeRangeByScore: (handle, random) => {
    const { max, min } = scoreRange(random, scoreOrOperand(handle))
    return handle.removeRangeByScore(
      random.wild() ? { min, max } as any : max === undefined ? { min: min ?? score(random) } : { max, min }
    )
  },
  popMin: (handle, random) => random.chance(0.5) ? handle.popMin() : handle.popMin(wanted(random)),
  popMax: (handle, random) => random.chance(0.5) ? handle.popMax() : handle.popMax(wanted(random)),
  clear: (handle) => handle.clear()
})
