/**
 * Indexes as plain TypeScript computes them from the stored entities: who has an entry, in which order, and what reads give.
 */
import type { AggregateCase, IndexCase, IndexedCase, IndexField, Key } from "./models/indexed.ts"
import { amountOf, type Ordered, totalOf } from "./models/indexKinds.ts"

export const compareOrdered = (a: Ordered | undefined, b: Ordered | undefined): number => {
  if (a === undefined || b === undefined) return a === b ? 0 : a === undefined ? -1 : 1
  return a instanceof Buffer ? a.compare(b as Buffer) : a < b ? -1 : a > b ? 1 : 0
}

export const isMissing = (value: unknown): boolean => value === undefined || value === null

const orderOf = (field: IndexField, value: unknown): Ordered | undefined =>
  isMissing(value) ? undefined : field.kind.order(value)

export interface NaiveEntry {
  readonly entity: any
  readonly values: ReadonlyArray<Ordered | undefined>
}

export const compareValues = (a: NaiveEntry, b: NaiveEntry): number => {
  for (const [i, value] of a.values.entries()) {
    const order = compareOrdered(value, b.values[i])
    if (order !== 0) return order
  }
  return 0
}

/** The entry of an entity, or undefined if it has none. */
export const entryOf = (
  { fields, keepsAbsent, where }: Pick<IndexCase, "fields" | "keepsAbsent" | "where">,
  entity: any
): NaiveEntry | undefined => {
  for (const [field, value] of where) {
    const found = field.of(entity)
    if (isMissing(value) || isMissing(found)) {
      if (isMissing(value) !== isMissing(found)) return undefined
      continue
    }
    const [a, b] = [field.kind.order(value), field.kind.order(found)]
    // NaN is no number, but it is one value
    if (a === undefined || b === undefined ? a !== b : compareOrdered(a, b) !== 0) return undefined
  }
  const values: Array<Ordered | undefined> = []
  for (const field of fields) {
    const value = field.of(entity)
    const order = orderOf(field, value)
    if (order === undefined && !(keepsAbsent && isMissing(value))) return undefined
    values.push(order)
  }
  return { entity, values }
}

/** All entries, in their order. */
export const entriesOf = (self: IndexedCase, index: IndexCase, entities: ReadonlyArray<any>): Array<NaiveEntry> =>
  entities.flatMap((entity) => entryOf(index, entity) ?? []).sort((a, b) =>
    compareValues(a, b) || self.tieOf(a.entity).compare(self.tieOf(b.entity))
  )

/** Whether an entry is in the range of a key. */
const isIn = ({ fields }: Pick<IndexCase, "fields">, { bounds, equal }: Key) => ({ values }: NaiveEntry): boolean => {
  for (const [i, [field, value]] of equal.entries()) {
    if (compareOrdered(values[i], orderOf(field, value)) !== 0) return false
  }
  if (bounds === undefined) return true
  const value = values[fields.indexOf(bounds.field)]
  if (value === undefined) return false
  const { gt, gte, lt, lte, prefix } = bounds
  const order = (bound: unknown) => compareOrdered(value, bounds.field.kind.order(bound))
  return (gt === undefined || order(gt) > 0) && (gte === undefined || order(gte) >= 0) &&
    (lt === undefined || order(lt) < 0) && (lte === undefined || order(lte) <= 0) &&
    (prefix === undefined || (value as Buffer).subarray(0, Buffer.byteLength(prefix)).equals(Buffer.from(prefix)))
}

const isSame = (a: any, b: any): boolean => a.of === b.of && a.n === b.n

/** The answers of all reads. `home` is a value of the field that names the home, where one does. */
export const naive = (self: IndexedCase, index: IndexCase, stored: ReadonlyArray<any>, home?: unknown) => {
  const { slotField } = self
  const entities = slotField === undefined ? stored : stored.filter((entity) => slotField.of(entity) === home)
  const range = (key: Key): Array<NaiveEntry> => entriesOf(self, index, entities).filter(isIn(index, key))
  const directed = (key: Key, isReverse: boolean): Array<NaiveEntry> => isReverse ? range(key).reverse() : range(key)
  return {
    count: (key: Key): number => range(key).length,
    /** 1 + how many are strictly ahead */
    rank: (id: any, key: Key, isReverse: boolean): number | undefined => {
      const found = range(key)
      const own = found.find(({ entity }) => isSame(entity, id))
      if (own === undefined) return undefined
      const ahead = (other: NaiveEntry) => isReverse ? compareValues(own, other) < 0 : compareValues(other, own) < 0
      return 1 + found.filter(ahead).length
    },
    top: (count: number, key: Key, isReverse: boolean): ReadonlyArray<any> =>
      directed(key, isReverse).slice(0, count).map(({ entity }) => entity),
    around: (id: any, count: number, key: Key, isReverse: boolean): ReadonlyArray<any> => {
      const found = directed(key, isReverse)
      const at = found.findIndex(({ entity }) => isSame(entity, id))
      return at < 0 ? [] : found.slice(Math.max(0, at - count), at + count + 1).map(({ entity }) => entity)
    }
  }
}

/** Whether a value of an entity has no place in an index that has the field, so that the entity can't be written. */
export const hasNoPlace = ({ indexes }: IndexedCase, entity: any): boolean =>
  indexes.some(({ fields }) =>
    fields.some((field) => {
      const value = field.of(entity)
      return !isMissing(value) && field.kind.order(value) === undefined
    })
  )

/** The sum of a group. `home` is a value of the field that names the home, where one does. */
export const naiveSum = (
  { slotField }: IndexedCase,
  aggregate: AggregateCase,
  stored: ReadonlyArray<any>,
  key: Key,
  home: unknown
): unknown => {
  const { of } = aggregate
  let total = 0n
  for (const entity of stored) {
    if (slotField !== undefined && slotField.of(entity) !== home) continue
    const entry = entryOf(aggregate, entity)
    if (entry === undefined || !isIn(aggregate, key)(entry)) continue
    const amount = of === undefined ? 1 : of.of(entity)
    if (!isMissing(amount)) total += amountOf(amount)
  }
  return totalOf(of?.kind, total)
}

/** The unique index, if any, that forbids an entity beside the stored ones, of which one of the same id is replaced. */
export const violated = (self: IndexedCase, entity: any, stored: ReadonlyArray<any>): IndexCase | undefined =>
  self.indexes.find((index) => {
    const own = index.isUnique ? entryOf(index, entity) : undefined
    return own !== undefined && stored.some((other) => {
      if (isSame(other, entity) || self.slotField !== undefined && other.of !== entity.of) return false
      const entry = entryOf(index, other)
      return entry !== undefined && compareValues(own, entry) === 0
    })
  })

/** With what the constructor puts in the place of missing values. */
export const withDefaults = (self: IndexedCase, entity: any): any => {
  const copy = { ...entity, inner: { ...entity.inner } }
  for (const field of self.indexFields) {
    if (field.default === undefined || field.of(copy) !== undefined) continue
    const [first, second] = field.name.split(".") as [string, string | undefined]
    if (second === undefined) copy[first] = field.default
    else copy[first][second] = field.default
  }
  return copy
}
