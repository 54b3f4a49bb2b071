/**
 * Every operation and its kind, which determines the effect on the time to live. The tables are typed by the interfaces
 * of `Field` and `Model`, so an operation that is missing here does not compile.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Atomic from "redlayer/Atomic"
import type * as Field from "redlayer/Field"
import * as Model from "redlayer/Model"
import type * as RedisService from "redlayer/RedisService"

export type Program = Effect.Effect<unknown, unknown, RedisService.RedisService>

/**
 * The effect of an operation on its entity. An operation that could write but changes nothing is a read. `refused`
 * operations do not run, and operations that `ignore` the time to live do not renew it although they look at the
 * entity.
 */
export type Kind = "reads" | "writes" | "ignores" | "refused" | "creates" | "removes" | "expires" | "persists"

/** One call of an operation. `other` is the same handle of another entity. */
export interface Case<in H> {
  readonly kind: Kind
  readonly call: (handle: H, other: H) => Program
}

const kind = (kind: Kind) => <H>(call: (handle: H, other: H) => Program): Case<H> => ({ kind, call })
const reads = kind("reads")
const writes = kind("writes")
const ignores = kind("ignores")
const refused = kind("refused")
const creates = kind("creates")
const removes = kind("removes")
const expires = kind("expires")
const persists = kind("persists")

type Cases<H> = Case<H> | ReadonlyArray<Case<H>>

/** One or more cases for each operation of `H`. */
export type Table<H> = { readonly [K in keyof H]-?: H[K] extends (...args: any) => any ? Cases<H> : never }

export interface Row<in H> extends Case<H> {
  readonly name: string
}

export const rowsOf = <H>(table: Table<H>): ReadonlyArray<Row<H>> =>
  Object.entries<Cases<H>>(table as any).flatMap(([name, cases]) =>
    (Array.isArray(cases) ? cases as ReadonlyArray<Case<H>> : [cases as Case<H>]).map((one, i) => ({
      ...one,
      name: i === 0 ? name : `${name} (${i + 1})`
    }))
  )

/** The rows of a part of a handle: an item, an entry, or a field of a struct. */
export const rowsOfPart = <H, Part>(
  name: string,
  part: (handle: H) => Part,
  table: Table<Part>
): ReadonlyArray<Row<H>> =>
  rowsOf(table).map(({ call, kind, name: operation }) => ({
    name: `${name}.${operation}`,
    kind,
    call: (handle, other) => call(part(handle), part(other))
  }))

// ---------------------------------------------------------------------------------------------------------------------
// scalars: the stored value is `a`, and `b` is another one
// ---------------------------------------------------------------------------------------------------------------------

export const value = <A>(a: A, b: A): Table<Field.Value<A, any>> => ({
  get: reads((it) => it.get()),
  set: [writes((it) => it.set(b)), writes((it) => it.set(a))],
  compareAndSet: [writes((it) => it.compareAndSet(a, b)), reads((it) => it.compareAndSet(b, b))],
  eq: [reads((it) => it.eq(a)), reads((it) => it.eq(b))],
  neq: reads((it) => it.neq(a)),
  value: [reads((it) => it.eq(it.value())), writes((it) => it.set(it.value()))]
})

const ordering = <A>(a: A, b: A): Table<Field.Ordering<A, any>> => ({
  lt: [reads((it) => it.lt(a)), reads((it) => it.lt(b))],
  lte: reads((it) => it.lte(a)),
  gt: reads((it) => it.gt(a)),
  gte: reads((it) => it.gte(b))
})

export const scalar = <A>(a: A, b: A): Table<Field.Scalar<A, any>> => ({
  ...value(a, b),
  in: [reads((it) => it.in([b, a])), reads((it) => it.in([]))],
  getAndSet: writes((it) => it.getAndSet(b))
})

export const text: Table<Field.Text<string, any>> = {
  ...scalar("a", "b"),
  ...ordering("a", "b"),
  append: [
    writes((it) => it.append("!")),
    writes((it) => it.append("")),
    writes((it, other) => it.append(other.value()))
  ]
}

export const bool: Table<Field.Bool<any>> = {
  ...scalar<boolean>(true, false),
  toggle: writes((it) => it.toggle())
}

export const number: Table<Field.Number<number, any>> = {
  ...scalar(6, 7),
  ...ordering(6, 7),
  increment: [
    writes((it) => it.increment()),
    writes((it) => it.increment(0)),
    refused((it) => it.increment(1, { atMost: 6 })),
    writes((it, other) => it.increment(other.value())),
    refused((it) => it.increment(it.value().dividedBy(0)))
  ],
  decrement: writes((it) => it.decrement()),
  multiply: writes((it) => it.multiply(2)),
  divide: [writes((it) => it.divide(2)), refused((it) => it.divide(0))],
  quotient: writes((it) => it.quotient(4)),
  modulo: writes((it) => it.modulo(4)),
  power: writes((it) => it.power(2)),
  min: [writes((it) => it.min(1)), writes((it) => it.min(10))],
  max: [writes((it) => it.max(10)), writes((it) => it.max(1))],
  clamp: writes((it) => it.clamp(0, 2))
}

export const bigint: Table<Field.BigInt<bigint, any>> = {
  ...scalar(6n, 7n),
  ...ordering(6n, 7n),
  increment: [writes((it) => it.increment()), refused((it) => it.increment(1n, { atMost: 6n }))],
  decrement: writes((it) => it.decrement()),
  multiply: writes((it) => it.multiply(2n)),
  quotient: [writes((it) => it.quotient(4n)), refused((it) => it.quotient(0n))],
  modulo: writes((it) => it.modulo(4n)),
  min: writes((it) => it.min(1n)),
  max: writes((it) => it.max(10n)),
  clamp: writes((it) => it.clamp(0n, 2n))
}

const time = <A>(a: A, b: A): Table<Field.Time<A, any>> => ({
  ...scalar(a, b),
  ...ordering(a, b),
  add: writes((it) => it.add("1 second")),
  subtract: writes((it) => it.subtract("1 second"))
})

export const date = time(new Date(6), new Date(7))
export const duration = time(Duration.millis(6), Duration.millis(7))

// ---------------------------------------------------------------------------------------------------------------------
// optional fields
// ---------------------------------------------------------------------------------------------------------------------

export const optional = <A>(isPresent: boolean, a: A, b: A): Table<Field.Optional<A, any>> => ({
  get: reads((it) => it.get()),
  isSet: reads((it) => it.isSet()),
  set: writes((it) => it.set(b)),
  setIfAbsent: (isPresent ? reads : writes)((it) => it.setIfAbsent(b)),
  clear: (isPresent ? writes : reads)((it) => it.clear()),
  compareAndSet: [
    (isPresent ? writes : reads)((it) => it.compareAndSet(a, b)),
    reads((it) => it.compareAndSet(b, b))
  ],
  eq: reads((it) => it.eq(a)),
  neq: reads((it) => it.neq(a)),
  value: [reads((it) => it.eq(it.value({ default: b }))), writes((it) => it.set(it.value({ default: b })))]
})

export const optionalNumber = (isPresent: boolean): Table<Field.OptionalNumber<number, any>> => ({
  ...optional(isPresent, 6, 7),
  ...ordering(6, 7),
  increment: [
    writes((it) => it.increment(1, { initial: 0 })),
    refused((it) => it.increment(1, { initial: 0, atMost: 0 }))
  ],
  decrement: writes((it) => it.decrement(1, { initial: 0 })),
  multiply: writes((it) => it.multiply(2, { initial: 1 })),
  divide: writes((it) => it.divide(2, { initial: 2 })),
  quotient: writes((it) => it.quotient(2, { initial: 2 })),
  modulo: writes((it) => it.modulo(4, { initial: 2 })),
  power: writes((it) => it.power(2, { initial: 2 })),
  min: writes((it) => it.min(1, { initial: 2 })),
  max: writes((it) => it.max(10, { initial: 2 })),
  clamp: writes((it) => it.clamp(0, 2, { initial: 3 }))
})

export const optionalBigInt = (isPresent: boolean): Table<Field.OptionalBigInt<bigint, any>> => ({
  ...optional(isPresent, 6n, 7n),
  ...ordering(6n, 7n),
  increment: writes((it) => it.increment(1n, { initial: 0n })),
  decrement: writes((it) => it.decrement(1n, { initial: 0n })),
  multiply: writes((it) => it.multiply(2n, { initial: 1n })),
  quotient: writes((it) => it.quotient(2n, { initial: 2n })),
  modulo: writes((it) => it.modulo(4n, { initial: 2n })),
  min: writes((it) => it.min(1n, { initial: 2n })),
  max: writes((it) => it.max(10n, { initial: 2n })),
  clamp: writes((it) => it.clamp(0n, 2n, { initial: 3n }))
})

export const optionalTime = (isPresent: boolean): Table<Field.OptionalTime<Date, any>> => ({
  ...optional(isPresent, new Date(6), new Date(7)),
  ...ordering(new Date(6), new Date(7)),
  add: writes((it) => it.add("1 second", { initial: new Date(0) })),
  subtract: writes((it) => it.subtract("1 second", { initial: new Date(0) }))
})

// ---------------------------------------------------------------------------------------------------------------------
// map entries
// ---------------------------------------------------------------------------------------------------------------------

export const entry = <A>(isPresent: boolean, a: A, b: A): Table<Field.Entry<A, any>> => ({
  ...optional(isPresent, a, b),
  getAndSet: writes((it) => it.getAndSet(b))
})

export const textEntry = (isPresent: boolean): Table<Field.TextEntry<string, any>> => ({
  ...entry(isPresent, "a", "b"),
  ...ordering("a", "b"),
  append: writes((it) => it.append("!"))
})

export const boolEntry = (isPresent: boolean): Table<Field.BoolEntry<any>> => ({
  ...entry<boolean>(isPresent, true, false),
  toggle: writes((it) => it.toggle())
})

export const numberEntry = (isPresent: boolean): Table<Field.NumberEntry<number, any>> => ({
  ...optionalNumber(isPresent),
  ...entry(isPresent, 6, 7),
  increment: [writes((it) => it.increment()), refused((it) => it.increment(1, { atMost: 0 }))],
  decrement: writes((it) => it.decrement())
})

export const bigintEntry = (isPresent: boolean): Table<Field.BigIntEntry<bigint, any>> => ({
  ...optionalBigInt(isPresent),
  ...entry(isPresent, 6n, 7n),
  increment: writes((it) => it.increment()),
  decrement: writes((it) => it.decrement())
})

export const timeEntry = (isPresent: boolean): Table<Field.TimeEntry<Date, any>> => ({
  ...optionalTime(isPresent),
  ...entry(isPresent, new Date(6), new Date(7))
})

// ---------------------------------------------------------------------------------------------------------------------
// collections
// ---------------------------------------------------------------------------------------------------------------------

/** A size, and the comparisons of it. */
const counted = <H>(size: (it: H) => Field.Count): ReadonlyArray<Case<H>> => [
  reads((it) => size(it)),
  reads((it) => size(it).gt(0)),
  reads((it) => size(it).eq(size(it).value().times(2)))
]

/** The stored list is [1, 2, 3]. */
export const list: Table<Omit<Field.List<number, any>, "at">> = {
  get: reads((it) => it.get()),
  set: [writes((it) => it.set([4])), writes((it) => it.set([]))],
  length: counted((it) => it.length()),
  slice: [reads((it) => it.slice(0, 1)), reads((it) => it.slice(9))],
  append: [
    writes((it) => it.append(4)),
    writes((it) => it.append([4, 5], { keep: 1 })),
    writes((it) => it.append([4, it.length().value()])),
    reads((it) => it.append([]))
  ],
  prepend: [writes((it) => it.prepend(4)), reads((it) => it.prepend([]))],
  contains: [reads((it) => it.contains(2)), reads((it) => it.contains(9))],
  insert: [
    writes((it) => it.insert(1, 4)),
    writes((it) => it.insert(3, 4)),
    reads((it) => it.insert(1, [])),
    refused((it) => it.insert(9, 4))
  ],
  pop: [writes((it) => it.pop()), writes((it) => it.pop(2)), writes((it) => it.pop(9)), reads((it) => it.pop(0))],
  shift: [
    writes((it) => it.shift()),
    writes((it) => it.shift(2)),
    writes((it) => it.shift(9)),
    reads((it) => it.shift(0))
  ],
  remove: [writes((it) => it.remove(2)), reads((it) => it.remove(9))],
  removeRange: [
    writes((it) => it.removeRange(1, 2)),
    writes((it) => it.removeRange(0)),
    reads((it) => it.removeRange(9))
  ],
  trim: [writes((it) => it.trim(1)), reads((it) => it.trim(0))],
  clear: writes((it) => it.clear())
}

export const emptyList: Table<Omit<Field.List<number, any>, "at">> = {
  ...list,
  slice: reads((it) => it.slice()),
  insert: writes((it) => it.insert(0, 4)),
  pop: [reads((it) => it.pop()), reads((it) => it.pop(2))],
  shift: [reads((it) => it.shift()), reads((it) => it.shift(2))],
  remove: reads((it) => it.remove(1)),
  removeRange: reads((it) => it.removeRange(0)),
  trim: reads((it) => it.trim(1)),
  clear: reads((it) => it.clear())
}

/** The stored set has a and b, the set of the other entity has b and c. */
export const set: Table<Field.Set<string>> = {
  get: reads((it) => it.get()),
  set: [writes((it) => it.set(new Set(["c"]))), writes((it) => it.set(new Set()))],
  values: reads((it) => it.values()),
  size: counted((it) => it.size()),
  has: [reads((it) => it.has("a")), reads((it) => it.has("x"))],
  add: [
    writes((it) => it.add("x")),
    writes((it) => it.add(["a", "x"])),
    reads((it) => it.add("a")),
    reads((it) => it.add([]))
  ],
  remove: [writes((it) => it.remove("a")), reads((it) => it.remove("x"))],
  removeAll: [
    writes((it) => it.removeAll(["a", "b"])),
    reads((it) => it.removeAll(["x"])),
    reads((it) => it.removeAll([]))
  ],
  pop: [writes((it) => it.pop()), writes((it) => it.pop(1)), writes((it) => it.pop(9)), reads((it) => it.pop(0))],
  clear: writes((it) => it.clear()),
  union: [reads((it, other) => it.union(other)), reads((it, other) => other.union(it))],
  intersection: [reads((it, other) => it.intersection(other)), reads((it, other) => other.intersection(it))],
  difference: [reads((it, other) => it.difference(other)), reads((it, other) => other.difference(it))]
}

export const emptySet: Table<Field.Set<string>> = {
  ...set,
  add: [writes((it) => it.add("x")), reads((it) => it.add([]))],
  remove: reads((it) => it.remove("x")),
  removeAll: reads((it) => it.removeAll(["x"])),
  pop: [reads((it) => it.pop()), reads((it) => it.pop(2))],
  clear: reads((it) => it.clear())
}

type NumberMap = Field.Map<string, number, { readonly [x: string]: number }, Field.NumberEntry>

/** The stored map has the keys a and b. */
export const map: Table<Omit<NumberMap, "at">> = {
  get: reads((it) => it.get()),
  set: [writes((it) => it.set({ c: 1 })), writes((it) => it.set({}))],
  size: counted((it) => it.size()),
  keys: reads((it) => it.keys()),
  has: [reads((it) => it.has("a")), reads((it) => it.has("x"))],
  put: [writes((it) => it.put("x", 1)), writes((it) => it.put("a", 6))],
  putAll: [writes((it) => it.putAll({ a: 6, x: 1 })), reads((it) => it.putAll({}))],
  remove: [writes((it) => it.remove("a")), reads((it) => it.remove("x"))],
  removeAll: [writes((it) => it.removeAll(["a", "b"])), reads((it) => it.removeAll(["x"]))],
  pop: [writes((it) => it.pop("a")), reads((it) => it.pop("x"))],
  popAny: [
    writes((it) => it.popAny()),
    writes((it) => it.popAny(1)),
    writes((it) => it.popAny(9)),
    reads((it) => it.popAny(0))
  ],
  clear: writes((it) => it.clear())
}

export const emptyMap: Table<Omit<NumberMap, "at">> = {
  ...map,
  remove: reads((it) => it.remove("x")),
  removeAll: reads((it) => it.removeAll(["x"])),
  pop: reads((it) => it.pop("x")),
  popAny: [reads((it) => it.popAny()), reads((it) => it.popAny(2))],
  clear: reads((it) => it.clear())
}

/** The stored sorted set has a with score 1 and b with score 2. */
export const sortedSet: Table<Field.SortedSet<string>> = {
  get: reads((it) => it.get()),
  set: [writes((it) => it.set([{ member: "c", score: 1 }])), writes((it) => it.set([]))],
  size: counted((it) => it.size()),
  has: [reads((it) => it.has("a")), reads((it) => it.has("x"))],
  add: [writes((it) => it.add("x", 1)), writes((it) => it.add("a", 1))],
  addAll: [
    writes((it) => it.addAll([{ member: "a", score: 1 }, { member: "x", score: 1 }])),
    reads((it) => it.addAll([]))
  ],
  increment: [writes((it) => it.increment("a")), writes((it) => it.increment("x", 0))],
  remove: [writes((it) => it.remove("a")), reads((it) => it.remove("x"))],
  removeAll: [writes((it) => it.removeAll(["a", "b"])), reads((it) => it.removeAll(["x"]))],
  score: [
    reads((it) => it.score("a")),
    reads((it) => it.score("x")),
    reads((it) => it.score("a").lt(2)),
    reads((it) => it.score("x").lt(it.score("a").value({ default: 1 })))
  ],
  rank: [
    reads((it) => it.rank("a")),
    reads((it) => it.rank("x", { reverse: true })),
    reads((it) => it.rank("a").lt(it.rank("x").value({ default: 1 })))
  ],
  range: reads((it) => it.range()),
  rangeByScore: reads((it) => it.rangeByScore({ min: 1, limit: 1 })),
  count: [
    reads((it) => it.count({ min: 2 })),
    reads((it) => it.count({ min: 2 }).lt(it.count().value())),
    reads((it) => it.count({ max: Atomic.now.epochMillis }).lt(9))
  ],
  removeRangeByRank: [
    writes((it) => it.removeRangeByRank(1)),
    writes((it) => it.removeRangeByRank(0)),
    reads((it) => it.removeRangeByRank(9))
  ],
  removeRangeByScore: [
    writes((it) => it.removeRangeByScore({ max: 1 })),
    writes((it) => it.removeRangeByScore({ min: 1, max: 2 })),
    reads((it) => it.removeRangeByScore({ min: 9 })),
    refused((it) => it.removeRangeByScore({ max: undefined } as any))
  ],
  popMin: [writes((it) => it.popMin()), writes((it) => it.popMin(9)), reads((it) => it.popMin(0))],
  popMax: [writes((it) => it.popMax()), writes((it) => it.popMax(1)), reads((it) => it.popMax(0))],
  clear: writes((it) => it.clear())
}

export const emptySortedSet: Table<Field.SortedSet<string>> = {
  ...sortedSet,
  remove: reads((it) => it.remove("x")),
  removeAll: reads((it) => it.removeAll(["x"])),
  removeRangeByRank: reads((it) => it.removeRangeByRank(0)),
  removeRangeByScore: reads((it) => it.removeRangeByScore({ min: 1 })),
  popMin: [reads((it) => it.popMin()), reads((it) => it.popMin(2))],
  popMax: [reads((it) => it.popMax()), reads((it) => it.popMax(2))],
  clear: reads((it) => it.clear())
}

export const whole: Table<Field.Whole<{ readonly count: number; readonly tags: ReadonlyArray<number> }>> = {
  get: reads((it) => it.get()),
  set: [writes((it) => it.set({ count: 1, tags: [1] })), writes((it) => it.set({ count: 1, tags: [] }))],
  // refused before anything is sent, because a struct with a collection cannot be compared
  eq: refused((it) => it.eq({ count: 1, tags: [1] })),
  neq: refused((it) => it.neq({ count: 1, tags: [1] }))
}

// ---------------------------------------------------------------------------------------------------------------------
// whole entities
// ---------------------------------------------------------------------------------------------------------------------

export const entityFields = {
  id: Schema.String,
  count: Schema.Int,
  nick: Schema.optionalKey(Schema.String),
  list: Schema.Array(Schema.Int),
  set: Schema.ReadonlySet(Schema.String),
  map: Schema.Record(Schema.String, Schema.Int),
  sorted: Model.sortedSet(Schema.String),
  home: Schema.Struct({ tags: Schema.Array(Schema.String) })
}

export const entityOf = (id: string) => ({
  id,
  count: 1,
  list: [1, 2, 3],
  set: new Set(["a", "b"]),
  map: { a: 1, b: 2 },
  sorted: [{ member: "a", score: 1 }],
  home: { tags: ["a"] }
})

export interface Target {
  readonly model: Model.Model<typeof entityFields, "id">
  readonly id: string
}

export const entity: {
  readonly [K in Exclude<keyof Model.Programs<any, any, any, any>, "ref">]: Cases<Target>
} = {
  get: reads(({ id, model }) => model.get(id)),
  find: reads(({ id, model }) => model.find(id)),
  getVersioned: reads(({ id, model }) => model.getVersioned(id)),
  version: ignores(({ id, model }) => model.version(id)),
  atVersion: ignores(({ id, model }) => model.atVersion(id, "1" as Model.Version)),
  exists: ignores(({ id, model }) => model.exists(id)),
  pick: [reads(({ id, model }) => model.pick(id, ["count"])), reads(({ id, model }) => model.pick(id, ["list"]))],
  insert: [
    creates(({ id, model }) => model.insert(entityOf(id))),
    refused(({ id, model }) => model.insert(entityOf(id)))
  ],
  put: [creates(({ id, model }) => model.put(entityOf(id))), writes(({ id, model }) => model.put(entityOf(id)))],
  getOrInsert: [
    creates(({ id, model }) => model.getOrInsert(entityOf(id))),
    reads(({ id, model }) => model.getOrInsert(entityOf(id), { timeToLive: "2 hours" }))
  ],
  ensure: [
    creates(({ id, model }) => model.ensure(entityOf(id))),
    ignores(({ id, model }) => model.ensure(entityOf(id), { timeToLive: "2 hours" }))
  ],
  update: [
    writes(({ id, model }) => model.update(id, { count: 2 })),
    writes(({ id, model }) => model.update(id, { list: [], home: { tags: [] } })),
    reads(({ id, model }) => model.update(id, { nick: undefined })),
    ignores(({ id, model }) => model.update(id, {}))
  ],
  duplicate: [
    reads(({ id, model }) => model.duplicate(id, `${id}-copy`)),
    creates(({ id, model }, other) => model.duplicate(other.id, id)),
    refused(({ id, model }, other) => model.duplicate(id, other.id))
  ],
  delete: removes(({ id, model }) => model.delete(id)),
  expire: expires(({ id, model }) => model.expire(id, "10 minutes")),
  persist: persists(({ id, model }) => model.persist(id)),
  timeToLive: ignores(({ id, model }) => model.timeToLive(id)),
  getMany: reads(({ id, model }) => model.getMany([id])),
  insertMany: [
    creates(({ id, model }) => model.insertMany([entityOf(id)])),
    ignores(({ id, model }) => model.insertMany([entityOf(id)]))
  ],
  deleteMany: removes(({ id, model }) => model.deleteMany([id])),
  stream: ignores(({ model }) => Stream.runDrain(model.stream())),
  count: ignores(({ model }) => model.count()),
  getManyStream: reads(({ id, model }) => Stream.runDrain(model.getManyStream([id]))),
  insertManyStream: [
    creates(({ id, model }) => Stream.runDrain(model.insertManyStream([entityOf(id)]))),
    ignores(({ id, model }) => Stream.runDrain(model.insertManyStream([entityOf(id)])))
  ],
  deleteManyStream: removes(({ id, model }) => Stream.runDrain(model.deleteManyStream([id]))),
  modify: [
    writes(({ id, model }) => model.modify(id, (entity) => ({ ...entity, count: entity.count + 1 }))),
    writes(({ id, model }) => model.modify(id, (entity) => Effect.succeed({ ...entity, list: [] }))),
    reads(({ id, model }) => model.modify(id, (entity) => entity))
  ],
  withLock: [
    writes(({ id, model }) => model.withLock(id, (entity) => Effect.succeed({ ...entity, count: entity.count + 1 }))),
    reads(({ id, model }) => model.withLock(id, () => Effect.void))
  ]
}
