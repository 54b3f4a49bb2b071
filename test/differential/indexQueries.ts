/**
 * Random queries, by an index or by a condition that the planner serves, and what plain TypeScript finds.
 */
import { Effect, Option, Stream } from "effect"
import { Condition, Query } from "redlayer"
import { type IndexedCase, type IndexField, keyInput, randomKey, valueFor } from "./models/indexed.ts"
import { compareOrdered, isMissing, naive } from "./naiveIndexes.ts"
import type { Random } from "./random.ts"
import { alike } from "./sameResult.ts"
import { show } from "./sameValue.ts"

/** A condition, and whether an entity meets it. */
interface Where {
  readonly text: string
  readonly of: (ref: any) => any
  readonly holds: (entity: any) => boolean
}

const handleOf = (ref: any, { name }: IndexField): any => name.split(".").reduce((part, of) => part[of], ref)

const comparisons = {
  eq: (order: number) => order === 0,
  lt: (order: number) => order < 0,
  lte: (order: number) => order <= 0,
  gt: (order: number) => order > 0,
  gte: (order: number) => order >= 0
} as const

const leaf = (
  self: IndexedCase,
  fields: ReadonlyArray<IndexField>,
  stored: ReadonlyArray<any>,
  random: Random
): Where => {
  const field = random.pick(fields)
  const { kind, name, of } = field
  const handle = handleOf((self.model as any).ref(self.ids(0)[0]![0]), field)
  const offered = [...Object.keys(comparisons), "in"].filter((name) => typeof handle[name] === "function")
  const operation = random.pick([...offered, "eq"])
  const values = Array.from(
    { length: operation === "in" ? random.int(0, 3) : 1 },
    () => valueFor(field, stored, random)
  )
  const compared = (entity: any, value: unknown): number | undefined => {
    const own = of(entity)
    const order = isMissing(own) ? undefined : kind.order(own)
    return order === undefined ? undefined : compareOrdered(order, kind.order(value))
  }
  return {
    text: `${name}.${operation}(${show(values)})`,
    of: (ref) => handleOf(ref, field)[operation](operation === "in" ? values : values[0]),
    holds: (entity) =>
      values.some((value) => {
        const order = compared(entity, value)
        return order !== undefined && comparisons[operation === "in" ? "eq" : operation as "eq"](order)
      })
  }
}

const tree = (
  self: IndexedCase,
  fields: ReadonlyArray<IndexField>,
  stored: ReadonlyArray<any>,
  random: Random,
  depth: number,
  mayNegate: boolean
): Where => {
  const inner = () => tree(self, fields, stored, random, depth - 1, mayNegate)
  const chosen = depth === 0 ? 9 : random.int(0, 9)
  if (chosen === 0 && mayNegate) {
    const part = inner()
    return { text: `not(${part.text})`, of: (ref) => Condition.not(part.of(ref)), holds: (one) => !part.holds(one) }
  }
  if (chosen > 5) return leaf(self, fields, stored, random)
  const [a, b] = [inner(), inner()]
  return chosen < 3
    ? {
      text: `or(${a.text}, ${b.text})`,
      of: (ref) => Condition.or(a.of(ref), b.of(ref)),
      holds: (one) => a.holds(one) || b.holds(one)
    }
    : {
      text: `and(${a.text}, ${b.text})`,
      of: (ref) => Condition.and(a.of(ref), b.of(ref)),
      holds: (one) => a.holds(one) && b.holds(one)
    }
}

export interface RandomQuery {
  readonly text: string
  readonly query: Query.Query<any, any>
  /** the entities, in order where the query says one */
  readonly expected: (stored: ReadonlyArray<any>) => ReadonlyArray<any>
  /** whether `expected` is in the order of the query, or which field it is ordered by */
  readonly order: "exact" | { readonly field: IndexField; readonly isReverse: boolean } | undefined
}

export const randomQuery = (
  self: IndexedCase,
  stored: ReadonlyArray<any>,
  random: Random,
  note: (what: string) => void
): RandomQuery => {
  const { slotField } = self
  const model = self.model as any
  const home: unknown = (random.pick(self.ids(0))[0] as readonly [string, number])[0]
  const fields = self.indexFields.filter((field) => !field.isPart)
  const isReverse = random.chance(0.4)
  const filter = random.chance(0.25) ? tree(self, fields, stored, random, 1, true) : undefined
  const filtered = (query: any): any => {
    if (filter === undefined) return query
    note("filter")
    return Query.filter(query, filter.of)
  }
  const holds = filter?.holds ?? (() => true)
  const also = filter === undefined ? "" : ` filtered by ${filter.text}`
  if (random.chance(0.5)) {
    const index = random.pick(self.indexes)
    const hasSlot = slotField !== undefined && index.fields.includes(slotField)
    const found = randomKey(self, index, stored, random)
    const key = hasSlot
      ? { ...found, equal: found.equal.map(([field, value]) => [field, field === slotField ? home : value] as const) }
      : found
    const input = keyInput(key, slotField !== undefined && !hasSlot ? { of: home } : {})
    const query = model.by[index.name](input)
    note("by an index")
    if (isReverse) note("reverse")
    return {
      text: `by.${index.name}(${show(input)})${isReverse ? " reversed" : ""}${also}`,
      query: filtered(isReverse ? Query.reverse(query) : query),
      expected: (stored) => naive(self, index, stored, home).top(1e9, key, isReverse).filter(holds),
      order: "exact"
    }
  }
  const indexed = fields.filter((field) => self.indexes.some(({ fields }) => fields.includes(field)))
  const where = tree(self, indexed.length > 0 && random.chance(0.9) ? indexed : fields, stored, random, 2, false)
  const ordering = indexed.length > 0 && random.chance(0.4) ? random.pick(indexed) : undefined
  const query = model.query(where.of, slotField === undefined ? {} : { within: { of: home } })
  note("by a condition")
  if (ordering !== undefined) note("orderBy")
  return {
    text: `query(${where.text})${
      ordering === undefined ? "" : ` by ${ordering.name}${isReverse ? " desc" : ""}`
    }${also}`,
    query: filtered(ordering === undefined ? query : Query.orderBy(query, ordering.name, isReverse ? "desc" : "asc")),
    expected: (stored) =>
      stored.filter((one) => (slotField === undefined || slotField.of(one) === home) && where.holds(one) && holds(one)),
    order: ordering && { field: ordering, isReverse }
  }
}

/** The answers of all runners. */
export const runners = Effect.fnUntraced(function*(query: Query.Query<any, any>, limit: number) {
  const pages: Array<ReadonlyArray<any>> = []
  let cursor: Query.PageOptions = { limit }
  let last: Query.Page<any>
  for (;;) {
    last = yield* Query.page(query, cursor)
    pages.push(last.items)
    if (Option.isNone(last.next)) break
    cursor = { limit, after: last.next.value }
  }
  const back: Array<any> = []
  for (let { prev } = last; Option.isSome(prev);) {
    const page: Query.Page<any> = yield* Query.page(query, { limit, before: prev.value })
    back.unshift(...page.items)
    prev = page.prev
  }
  return {
    pages,
    back,
    stream: Array.from(yield* Stream.runCollect(Query.stream(query, { pageSize: 2 }))),
    ids: Array.from(yield* Stream.runCollect(Query.ids(query))),
    first: yield* Query.first(query),
    count: yield* Query.count(query) as Effect.Effect<number, any, any>,
    exists: yield* Query.exists(query) as Effect.Effect<boolean, any, any>,
    explained: yield* Query.explain(query)
  }
})

type Answers = Effect.Success<ReturnType<typeof runners>>

const idOf = (entity: any): string => `${entity.of}\n${entity.n}`
const sorted = (entities: ReadonlyArray<any>): ReadonlyArray<any> =>
  entities.toSorted((a, b) => idOf(a) < idOf(b) ? -1 : 1)

/** Says how the answers of the runners differ from the expected ones. */
export const problem = (
  { expected: find, order }: RandomQuery,
  { back, count, exists, first, ids, pages, stream }: Answers,
  stored: ReadonlyArray<any>,
  limit: number
): string | undefined => {
  const expected = find(stored)
  const all = pages.flat()
  const differs = order === "exact" ? !alike(all, expected) : !alike(sorted(all), sorted(expected))
  if (differs) return `pages gave ${show(all)}, not ${show(expected)}`
  if (order !== undefined && order !== "exact") {
    const { field: { kind, of }, isReverse } = order
    for (let i = 1; i < all.length; i++) {
      const [a, b] = [of(all[i - 1]), of(all[i])].map((value) => isMissing(value) ? undefined : kind.order(value))
      if (compareOrdered(a, b) * (isReverse ? -1 : 1) > 0) return `not in order: ${show(all)}`
    }
  }
  if (pages.some((page, i) => i < pages.length - 1 && page.length !== limit)) {
    return `pages of ${pages.map(({ length }) => length)}, not of ${limit}`
  }
  const before = all.slice(0, all.length - pages.at(-1)!.length)
  if (!alike(back, before)) return `pages before gave ${show(back)}, not ${show(before)}`
  if (!alike(stream, all)) return `stream gave ${show(stream)}, not ${show(all)}`
  if (!alike(ids, all.map(({ n, of }) => [of, n]))) return `ids gave ${show(ids)}, not those of ${show(all)}`
  if (!alike(first, Option.fromUndefinedOr(all[0]))) return `first gave ${show(first)}, not of ${show(all)}`
  if (count !== all.length || exists !== all.length > 0) return `count ${count}, exists ${exists}, but ${show(all)}`
  return undefined
}

/** Notes the way of the planner. */
export const noteWay = ({ explained, pages }: Answers, note: (what: string) => void): void => {
  note(explained.isExact ? "exact ranges" : "conditions checked again")
  note(explained.ranges === 0 ? "no range" : explained.ranges === 1 ? "one range" : "several ranges")
  note(explained.indexes.length > 1 ? "several indexes" : "one index")
  if (explained.homes > 1) note("several homes")
  if (pages.length > 1) note("several pages")
}

export const allWays: ReadonlyArray<string> = [
  "by an index",
  "by a condition",
  "filter",
  "reverse",
  "orderBy",
  "exact ranges",
  "conditions checked again",
  "one range",
  "several ranges",
  "several indexes",
  "one index",
  "several homes",
  "several pages",
  "refused, because no index serves it",
  "deleteAll",
  "updateAll"
]
