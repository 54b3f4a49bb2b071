/** A model with a field of every kind, and all operations of each field. */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as HashMap from "effect/HashMap"
import * as HashSet from "effect/HashSet"
import * as Schema from "effect/Schema"
import type * as Field from "redlayer/Field"
import * as Model from "redlayer/Model"
import type { Operation } from "../assertions.ts"

export const EveryKind = Model.make("CollectionsBag", {
  id: Schema.String,
  n: Schema.Int.pipe(Model.withDefault(0)),
  ratio: Schema.Number.pipe(Model.withDefault(0.5)),
  big: Schema.BigInt,
  date: Schema.Date,
  utc: Schema.DateTimeUtc,
  wait: Schema.Duration,
  list: Schema.Array(Schema.String),
  set: Schema.ReadonlySet(Schema.String),
  hashSet: Schema.HashSet(Schema.Int),
  record: Schema.Record(Schema.String, Schema.Int),
  map: Schema.ReadonlyMap(Schema.Date, Schema.String),
  hashMap: Schema.HashMap(Schema.Int, Schema.Boolean),
  sorted: Model.sortedSet(Schema.String),
  nested: Schema.Struct({
    set: Schema.ReadonlySet(Schema.Struct({ x: Schema.Int, y: Schema.optionalKey(Schema.Int) })),
    bigs: Schema.Record(Schema.String, Schema.BigInt),
    waits: Schema.Record(Schema.String, Schema.Duration),
    sorted: Model.sortedSet(Schema.Tuple([Schema.Int, Schema.String]))
  }),
  optInt: Schema.optionalKey(Schema.Int),
  optBig: Schema.optionalKey(Schema.BigInt),
  optDate: Schema.optionalKey(Schema.Date),
  nullInt: Schema.NullOr(Schema.Int),
  nullText: Schema.NullOr(Schema.String)
}, { key: "id" })

export const everyKindKey = "CollectionsBag:{b}"

export type EveryKindInput = Parameters<typeof EveryKind.put>[0]

const optional = { optInt: 1, optBig: 1n, optDate: new Date(1) }

/** Collections of one member each, so that `pop` has a predictable result. */
export const oneMember = {
  ...optional,
  id: "b",
  n: 1,
  ratio: 1.5,
  big: 2n ** 53n + 1n,
  date: new Date(1),
  utc: DateTime.makeUnsafe(2),
  wait: Duration.millis(3),
  list: ["a"],
  set: new Set(["a"]),
  hashSet: HashSet.make(1),
  record: { a: 1 },
  map: new Map([[new Date(1), "a"]]),
  hashMap: HashMap.make([1, true]),
  sorted: [{ member: "a", score: 1 }],
  nested: {
    set: new Set([{ x: 1 }]),
    bigs: { a: 1n },
    waits: { a: Duration.seconds(1) },
    sorted: [{ member: [1, "a"] as const, score: 1 }]
  },
  nullInt: 1,
  nullText: "a"
}

/** Collections of several members each. */
export const severalMembers: EveryKindInput = {
  ...oneMember,
  list: ["a", "b", "a", "c"],
  set: new Set(["a", "b", "", "\u{1f600}"]),
  hashSet: HashSet.make(1, 2, 3),
  record: { a: 1, b: 2, "": 3 },
  map: new Map([[new Date(1), "a"], [new Date(2), "b"]]),
  hashMap: HashMap.make([1, true], [2, false], [3, true]),
  sorted: [{ member: "c", score: -Infinity }, { member: "a", score: 1 }, { member: "b", score: 1 }],
  nested: {
    set: new Set([{ x: 1 }, { x: 2, y: 3 }]),
    bigs: { a: 1n, b: -(2n ** 63n) },
    waits: { a: Duration.seconds(1), b: Duration.nanos(1n) },
    sorted: [{ member: [1, "a"] as const, score: 1 }, { member: [1, "b"] as const, score: 2.5 }]
  }
}

/** Empty collections, and every optional field absent. */
export const noMembers: EveryKindInput = {
  ...(({ optBig: _, optDate: __, optInt: ___, ...rest }: typeof oneMember) => rest)(oneMember),
  list: [],
  set: new Set<string>(),
  hashSet: HashSet.empty<number>(),
  record: {},
  map: new Map<Date, string>(),
  hashMap: HashMap.empty<number, boolean>(),
  sorted: [],
  nested: { set: new Set<{ readonly x: number }>(), bigs: {}, waits: {}, sorted: [] },
  nullInt: null,
  nullText: null
}

/** Calls of every operation of a handle. An operation that is missing in the table does not compile. */
export type Table<Handle> = { readonly [Name in Extract<keyof Handle, string>]: ReadonlyArray<Operation> }

const onCount = (count: Field.Count): ReadonlyArray<Operation> => [
  count,
  count.eq(1),
  count.neq(1),
  count.lt(1),
  count.lte(1),
  count.gt(1),
  count.gte(1),
  count.eq(count.value().times(1))
]

const onEquality = <A, E>(cell: Field.Equality<A, E>, a: A, b: A) => ({
  eq: [cell.eq(a), cell.eq(b)],
  neq: [cell.neq(a), cell.neq(b)]
})

const onOrdering = <A, E>(cell: Field.Ordering<A, E>, a: A, b: A) => ({
  lt: [cell.lt(a), cell.lt(b)],
  lte: [cell.lte(a), cell.lte(b)],
  gt: [cell.gt(a), cell.gt(b)],
  gte: [cell.gte(a), cell.gte(b)]
})

const onList = (list: Field.List<string, Field.Text<string, any>>): Table<typeof list> => ({
  get: [list.get()],
  set: [list.set(["x", "y"]), list.set([])],
  length: onCount(list.length()),
  slice: [list.slice(0, 1)],
  append: [list.append(["x", "y"]), list.append("x", { keep: 1 })],
  prepend: [list.prepend(["x", "y"])],
  contains: [list.contains("a"), list.contains("missing")],
  insert: [list.insert(0, ["x", "y"]), list.insert(1, "x"), list.insert(-1, "x"), list.insert(0, [])],
  pop: [list.pop(), list.pop(2)],
  shift: [list.shift()],
  remove: [list.remove("a"), list.remove("missing")],
  removeRange: [list.removeRange(0, 1), list.removeRange(0), list.removeRange(5)],
  trim: [list.trim(0, 1), list.trim(1), list.trim(0)],
  clear: [list.clear()],
  at: [list.at(0).set("x"), list.at(-1).append("x")]
})

const onSet = (set: Field.Set<string>, other: Field.Set<string>): Table<typeof set> => ({
  get: [set.get()],
  set: [set.set(new Set(["x", "y"])), set.set(new Set())],
  values: [set.values()],
  size: onCount(set.size()),
  has: [set.has("a"), set.has("missing")],
  add: [set.add("a"), set.add(["x", "y", "x", "a"]), set.add([])],
  remove: [set.remove("a"), set.remove("missing")],
  removeAll: [set.removeAll(["a", "missing", "a"]), set.removeAll([])],
  pop: [set.pop(), set.pop(2)],
  clear: [set.clear()],
  union: [set.union(other)],
  intersection: [set.intersection(other)],
  difference: [set.difference(other)]
})

const onRecord = (
  record: Field.Map<string, number, { readonly [x: string]: number }, Field.NumberEntry>
): Table<typeof record> => ({
  get: [record.get()],
  set: [record.set({ x: 1 }), record.set({})],
  size: onCount(record.size()),
  keys: [record.keys()],
  has: [record.has("a"), record.has("missing")],
  put: [record.put("a", 5), record.put("x", 6)],
  putAll: [record.putAll({ a: 5, x: 6 }), record.putAll({})],
  remove: [record.remove("a"), record.remove("missing")],
  removeAll: [record.removeAll(["a", "missing", "a"]), record.removeAll([])],
  pop: [record.pop("a"), record.pop("missing")],
  popAny: [record.popAny(), record.popAny(2)],
  clear: [record.clear()],
  at: Object.values(onCounter(record.at("a"))).flat().concat(Object.values(onCounter(record.at("missing"))).flat())
})

const onCounter = (entry: Field.NumberEntry): Table<typeof entry> => ({
  get: [entry.get()],
  isSet: [entry.isSet()],
  set: [entry.set(5)],
  setIfAbsent: [entry.setIfAbsent(5)],
  getAndSet: [entry.getAndSet(5)],
  clear: [entry.clear()],
  value: [entry.set(entry.value({ default: 3 })), entry.eq(entry.value({ default: 5 }))],
  compareAndSet: [entry.compareAndSet(1, 5), entry.compareAndSet(7, 5)],
  increment: [entry.increment(), entry.increment(2, { initial: 10 })],
  decrement: [entry.decrement(), entry.decrement(2, { initial: 10 })],
  ...onEquality(entry, 1, 5),
  ...onOrdering(entry, 1, 5),
  ...onNumber(entry)
})

const arithmetic = ["multiply", "divide", "quotient", "modulo", "power", "min", "max", "clamp"] as const

const onNumber = (cell: Pick<Field.OptionalNumber<number, any>, typeof arithmetic[number]>) => ({
  multiply: [cell.multiply(3, { initial: 2 })],
  divide: [cell.divide(1, { initial: 2 })],
  quotient: [cell.quotient(2, { initial: 2 })],
  modulo: [cell.modulo(2, { initial: 2 })],
  power: [cell.power(3, { initial: 2 })],
  min: [cell.min(0, { initial: 2 })],
  max: [cell.max(9, { initial: 2 })],
  clamp: [cell.clamp(0, 5, { initial: 2 })]
})

const onOptional = <A>(cell: Field.Optional<A>, a: A, b: A): Table<typeof cell> => ({
  get: [cell.get()],
  isSet: [cell.isSet()],
  set: [cell.set(b)],
  setIfAbsent: [cell.setIfAbsent(b)],
  clear: [cell.clear()],
  compareAndSet: [cell.compareAndSet(a, b), cell.compareAndSet(b, a)],
  value: [cell.set(cell.value({ default: b })), cell.eq(cell.value({ default: a }))],
  ...onEquality(cell, a, b)
})

const onOptionalNumber = (cell: Field.OptionalNumber): Table<typeof cell> => ({
  ...onOptional(cell, 1, 5),
  ...onOrdering(cell, 1, 5),
  increment: [cell.increment(1, { initial: 2 })],
  decrement: [cell.decrement(1, { initial: 2 })],
  ...onNumber(cell)
})

const onOptionalBig = (cell: Field.OptionalBigInt): Table<typeof cell> => ({
  ...onOptional(cell, 1n, 5n),
  ...onOrdering(cell, 1n, 5n),
  increment: [cell.increment(1n, { initial: 2n })],
  decrement: [cell.decrement(1n, { initial: 2n })],
  multiply: [cell.multiply(3n, { initial: 2n })],
  quotient: [cell.quotient(2n, { initial: 2n })],
  modulo: [cell.modulo(2n, { initial: 2n })],
  min: [cell.min(0n, { initial: 2n })],
  max: [cell.max(9n, { initial: 2n })],
  clamp: [cell.clamp(0n, 5n, { initial: 2n })]
})

const onBig = (cell: Field.BigInt): Table<typeof cell> => ({
  get: [cell.get()],
  set: [cell.set(5n)],
  compareAndSet: [cell.compareAndSet(oneMember.big, 5n), cell.compareAndSet(0n, 5n)],
  getAndSet: [cell.getAndSet(5n)],
  in: [cell.in([5n, oneMember.big]), cell.in([])],
  value: [cell.set(cell.value()), cell.increment(cell.value().modulo(5n))],
  ...onEquality(cell, oneMember.big, 5n),
  ...onOrdering(cell, oneMember.big, 5n),
  increment: [cell.increment(), cell.increment(-5n)],
  decrement: [cell.decrement()],
  multiply: [cell.multiply(3n)],
  quotient: [cell.quotient(3n)],
  modulo: [cell.modulo(3n)],
  min: [cell.min(0n)],
  max: [cell.max(2n ** 63n - 1n)],
  clamp: [cell.clamp(0n, 5n)]
})

const onTime = <A>(cell: Field.Time<A>, a: A, b: A): Table<typeof cell> => ({
  get: [cell.get()],
  set: [cell.set(b)],
  compareAndSet: [cell.compareAndSet(a, b), cell.compareAndSet(b, a)],
  getAndSet: [cell.getAndSet(b)],
  in: [cell.in([b, a]), cell.in([])],
  value: [cell.set(cell.value()), cell.eq(cell.value())],
  ...onEquality(cell, a, b),
  ...onOrdering(cell, a, b),
  add: [cell.add("1 day")],
  subtract: [cell.subtract("1 millis")]
})

const onStanding = (standing: Field.Standing): ReadonlyArray<Operation> => [
  standing.eq(1),
  standing.lt(standing.value({ default: 2 }))
]

const onSorted = (sorted: Field.SortedSet<string>): Table<typeof sorted> => ({
  get: [sorted.get()],
  set: [sorted.set([{ member: "x", score: 1 }]), sorted.set([])],
  size: onCount(sorted.size()),
  has: [sorted.has("a"), sorted.has("missing")],
  add: [sorted.add("a", 5), sorted.add("x", -1)],
  addAll: [sorted.addAll([{ member: "x", score: 1 }, { member: "a", score: 2 }]), sorted.addAll([])],
  increment: [sorted.increment("a"), sorted.increment("x", 2.5)],
  remove: [sorted.remove("a"), sorted.remove("missing")],
  removeAll: [sorted.removeAll(["a", "missing", "a"]), sorted.removeAll([])],
  score: [sorted.score("a"), sorted.score("missing"), ...onStanding(sorted.score("a"))],
  rank: [
    sorted.rank("a"),
    sorted.rank("a", { reverse: true }),
    sorted.rank("missing"),
    ...onStanding(sorted.rank("a"))
  ],
  range: [sorted.range(), sorted.range(0, 1, { reverse: true })],
  rangeByScore: [sorted.rangeByScore({ min: 0, max: 5 }), sorted.rangeByScore({ reverse: true, limit: 1 })],
  count: [...onCount(sorted.count()), ...onCount(sorted.count({ min: 0 }))],
  removeRangeByRank: [sorted.removeRangeByRank(0, 1), sorted.removeRangeByRank(0, 1, { reverse: true })],
  removeRangeByScore: [sorted.removeRangeByScore({ min: 0 }), sorted.removeRangeByScore({ min: 0, max: 5 })],
  popMin: [sorted.popMin(), sorted.popMin(2)],
  popMax: [sorted.popMax(), sorted.popMax(2)],
  clear: [sorted.clear()]
})

/** All operations on each kind of field, by field and name. */
export const everyOperation = (id: string, otherId = id): ReadonlyArray<readonly [name: string, Operation]> => {
  const ref = EveryKind.ref(id)
  const { nested } = ref
  const day = Duration.days(1)
  const tables: Record<string, { readonly [name: string]: ReadonlyArray<Operation> }> = {
    list: onList(ref.list),
    set: onSet(ref.set, EveryKind.ref(otherId).set),
    record: onRecord(ref.record),
    sorted: onSorted(ref.sorted),
    big: onBig(ref.big),
    date: onTime(ref.date, oneMember.date, new Date(5)),
    utc: onTime(ref.utc, oneMember.utc, DateTime.makeUnsafe(5)),
    wait: onTime(ref.wait, oneMember.wait, Duration.nanos(5n)),
    optInt: onOptionalNumber(ref.optInt),
    optBig: onOptionalBig(ref.optBig),
    optDate: onOptional(ref.optDate, oneMember.optDate, new Date(5)),
    nullInt: onOptionalNumber(ref.nullInt),
    nullText: onOptional(ref.nullText, "a", "b"),
    // the other representations of these kinds
    hashSet: {
      get: [ref.hashSet.get()],
      set: [ref.hashSet.set(HashSet.make(5))],
      add: [ref.hashSet.add([1, 5])],
      pop: [ref.hashSet.pop()]
    },
    map: {
      get: [ref.map.get()],
      put: [ref.map.put(new Date(1), "x"), ref.map.put(new Date(5), "x")],
      at: [ref.map.at(new Date(1)).append("x"), ref.map.at(new Date(5)).append("x")],
      popAny: [ref.map.popAny()]
    },
    hashMap: {
      get: [ref.hashMap.get()],
      set: [ref.hashMap.set(HashMap.make([5, true]))],
      at: [ref.hashMap.at(1).toggle(), ref.hashMap.at(5).toggle()]
    },
    nested: {
      set: [nested.set.add([{ x: 1 }, { x: 5 }]), nested.set.has({ x: 1 }), nested.set.pop()],
      bigs: [nested.bigs.at("a").increment(), nested.bigs.at("x").increment(5n), nested.bigs.pop("a")],
      waits: [nested.waits.at("a").add(day, { initial: day }), nested.waits.at("x").subtract(day, { initial: day })],
      sorted: [nested.sorted.add([1, "a"], 5), nested.sorted.increment([5, ""], 5), nested.sorted.popMax()],
      get: [nested.$.get()],
      patch: [nested.$.set(noMembers.nested), nested.$.set(severalMembers.nested)]
    },
    operands: {
      n: [
        ref.n.increment(ref.n.value().plus(ref.list.length().value())),
        ref.n.set(ref.set.size().value().minus(ref.record.size().value())),
        ref.ratio.multiply(ref.ratio.value().min(ref.n.value()))
      ]
    },
    power: { power: [ref.n.power(3), ref.n.power(-1), ref.ratio.power(0.5)] },
    whole: {
      get: [EveryKind.get(id)],
      pick: [EveryKind.pick(id, ["n", "set", "nested"])],
      update: [EveryKind.update(id, { set: new Set(["x"]), record: {}, nullInt: null, nested: { bigs: {} } })],
      life: [EveryKind.expire(id, "1 day"), EveryKind.persist(id), EveryKind.timeToLive(id)]
    }
  }
  return Object.entries(tables).flatMap(([field, table]) =>
    Object.entries(table).flatMap(([name, operations]) =>
      operations.map((operation, i) => [`${field}.${name} ${i}`, operation] as const)
    )
  )
}

/** Members and entry keys that have broken other libraries. */
export const hostileTexts: ReadonlyArray<string> = [
  "",
  " ",
  " a ",
  "a",
  "A",
  "__proto__",
  "constructor",
  "toString",
  "hasOwnProperty",
  "length",
  "$",
  "$v",
  ".",
  "a.b",
  ":",
  "a:b",
  "{}",
  "{a}",
  "}",
  "[0]",
  "[^a]",
  "*",
  "?",
  "(",
  "\"",
  "'",
  "`",
  "\\",
  "\n",
  "\r\n",
  "\t",
  "\u0000",
  "a\u0000",
  "a\u0000b",
  "\u001f",
  "\u007f",
  "\u0080",
  "\u2028",
  "\ufeff",
  "\ufffd",
  "\uffff",
  "%",
  "%00",
  "%s",
  "null",
  "undefined",
  "true",
  "false",
  "0",
  "-0",
  "1",
  "01",
  "1e3",
  "10",
  "NaN",
  "inf",
  "-inf",
  "+inf",
  "[]",
  "\u00e9",
  "e\u0301",
  "日本語",
  "\u{1f600}",
  "\u{10ffff}",
  "x".repeat(10_000),
  "\u{1f600}".repeat(2_500)
]
