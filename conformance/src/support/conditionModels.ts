/** A model with a field of every kind, its comparisons, and values in ascending order. */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import * as Atomic from "redlayer/Atomic"
import type * as Condition from "redlayer/Condition"
import * as Model from "redlayer/Model"

export const Point = Schema.Struct({ x: Schema.Int, y: Schema.optionalKey(Schema.Int) })

export const EveryKind = Model.make("Conditions", {
  id: Schema.String,
  int: Schema.Int.check(Schema.isGreaterThanOrEqualTo(-(2 ** 53 - 1))).pipe(Model.withDefault(0)),
  num: Schema.Number.pipe(Model.withDefault(0)),
  big: Schema.BigInt.pipe(Model.withDefault(0n)),
  date: Schema.Date.pipe(Model.withDefault(new Date(0))),
  utc: Schema.DateTimeUtc.pipe(Model.withDefault(DateTime.makeUnsafe(0))),
  wait: Schema.Duration.pipe(Model.withDefault(Duration.zero)),
  text: Schema.String.pipe(Model.withDefault("")),
  short: Schema.String.check(Schema.isMaxLength(3)).pipe(Model.withDefault("")),
  bool: Schema.Boolean.pipe(Model.withDefault(false)),
  word: Schema.Literals(["a", "ab", "b", "A"]).pipe(Model.withDefault("a")),
  level: Schema.Literals([1, 2, 10]).pipe(Model.withDefault(1)),
  brand: Schema.String.pipe(Schema.brand("Conditions"), Model.withDefault("")),
  bytes: Schema.Uint8Array.pipe(Model.withDefault(new Uint8Array())),
  tuple: Schema.Tuple([Schema.Int, Schema.String]).pipe(Model.withDefault([0, ""])),
  json: Model.json(Schema.Record(Schema.String, Schema.Int)).pipe(Model.withDefault({})),
  optInt: Schema.optionalKey(Schema.Int),
  optNum: Schema.optionalKey(Schema.Number),
  optBig: Schema.optionalKey(Schema.BigInt),
  optDate: Schema.optionalKey(Schema.Date),
  optWait: Schema.optional(Schema.Duration),
  optText: Schema.optionalKey(Schema.String),
  optBool: Schema.optionalKey(Schema.Boolean),
  optPoint: Schema.optionalKey(Point),
  nullInt: Schema.NullOr(Schema.Int).pipe(Model.withDefault(null)),
  nullBig: Schema.NullOr(Schema.BigInt).pipe(Model.withDefault(null)),
  nullDate: Schema.NullOr(Schema.DateTimeUtc).pipe(Model.withDefault(null)),
  nullText: Schema.NullOr(Schema.String).pipe(Model.withDefault(null)),
  nullBool: Schema.NullOr(Schema.Boolean).pipe(Model.withDefault(null)),
  nullPoint: Schema.NullOr(Point).pipe(Model.withDefault(null)),
  ints: Schema.Array(Schema.Int).pipe(Model.withDefault([])),
  texts: Schema.Array(Schema.String).pipe(Model.withDefault([])),
  points: Schema.Array(Point).pipe(Model.withDefault([])),
  set: Schema.ReadonlySet(Schema.String),
  pointSet: Schema.ReadonlySet(Point),
  counts: Schema.Record(Schema.String, Schema.Int).pipe(Model.withDefault({})),
  names: Schema.Record(Schema.String, Schema.String).pipe(Model.withDefault({})),
  bigs: Schema.Record(Schema.String, Schema.BigInt).pipe(Model.withDefault({})),
  waits: Schema.Record(Schema.String, Schema.Duration).pipe(Model.withDefault({})),
  flags: Schema.Record(Schema.String, Schema.Boolean).pipe(Model.withDefault({})),
  dates: Schema.ReadonlyMap(Schema.Date, Schema.Date).pipe(Model.withDefault(new Map())),
  sorted: Model.sortedSet(Schema.String).pipe(Model.withDefault([])),
  stats: Schema.Struct({
    wins: Schema.Int,
    best: Schema.optionalKey(Schema.Int),
    worst: Schema.NullOr(Schema.Int),
    home: Schema.Struct({ street: Schema.String })
  }),
  bag: Schema.Struct({ n: Schema.Int, items: Schema.Array(Schema.Int) })
}, { key: "id" })

const requiredFields = {
  set: new Set<string>(),
  pointSet: new Set<typeof Point.Type>(),
  stats: { wins: 0, worst: null, home: { street: "" } },
  bag: { n: 0, items: [] }
}

export const put = (entity: { readonly id: string } & Partial<Parameters<typeof EveryKind.put>[0]>) =>
  EveryKind.put({ ...requiredFields, ...entity })

export const key = "Conditions:{a}"
export const ref = EveryKind.ref("a")

type Name = "eq" | "neq" | "lt" | "lte" | "gt" | "gte"
export type Compare = (value: any) => Condition.Condition<any>
export type Comparable = { readonly [N in Name]: Compare }

const orders: { readonly [N in Name]: (order: number) => boolean } = {
  eq: (order) => order === 0,
  neq: (order) => order !== 0,
  lt: (order) => order < 0,
  lte: (order) => order <= 0,
  gt: (order) => order > 0,
  gte: (order) => order >= 0
}
const names = Object.keys(orders) as ReadonlyArray<Name>
export const equalities = ["eq", "neq"] as const

/** The expected comparisons of a missing value, which is neither equal, nor less, nor greater. */
export const whenMissing = { eq: false, neq: true, lt: false, lte: false, gt: false, gte: false }

export const expected = (order: number, tests: ReadonlyArray<Name> = names) =>
  Object.fromEntries(tests.map((name) => [name, orders[name](order)]))

export const compareAll = (handle: Comparable, value: unknown, tests: ReadonlyArray<Name> = names) =>
  Atomic.all(
    Object.fromEntries(tests.map((name) => [name, handle[name](value)])) as Record<string, Atomic.Atomic<boolean, any>>
  )

export interface Settable {
  readonly set: (value: any) => Atomic.Atomic<void, any>
}

/** Values in ascending order, without equal ones such as -0 and 0. */
export const ascendingValues = {
  int: [-(2 ** 53 - 1), -100, -10, -9, -1, 0, 1, 2, 9, 10, 100, 2 ** 53 - 1],
  num: [-Infinity, -1.7e308, -10, -9.5, -5e-324, 0, 5e-324, 0.1, 0.30000000000000004, 1, 2 ** 53, 1e21, Infinity],
  big: [
    -(2n ** 63n),
    -(2n ** 53n) - 1n,
    -(2n ** 53n),
    -10n,
    -9n,
    -1n,
    0n,
    1n,
    9n,
    10n,
    2n ** 53n,
    2n ** 53n + 1n,
    2n ** 63n - 1n
  ],
  date: [-8.64e15, -86_400_000, -1, 0, 1, 999, 1000, 1.7e12, 8.64e15].map((ms) => new Date(ms)),
  wait: [-(10n ** 9n), -1n, 0n, 1n, 999n, 1000n, 10n ** 18n, 2n ** 63n, 2n ** 63n + 1n].map(Duration.nanos),
  // in UTF-8 order, in which U+FFFF is before U+1F600, unlike in the UTF-16 order of JavaScript
  text: [
    "",
    "\u0000",
    "\u0000a",
    "\t",
    " ",
    "0",
    "10",
    "9",
    "A",
    "B",
    "a",
    "a\u0000",
    "aa",
    "b",
    "\u007f",
    "\u0080",
    "é",
    "߿",
    "ࠀ",
    "日",
    "\ud7ff",
    "\ue000",
    "\uffff",
    "\u{10000}",
    "\u{1f600}",
    "\u{10ffff}"
  ]
}

export const optional = {
  int: [-10, -9, 0, 9, 10],
  num: [-Infinity, -0.5, 0, 0.5, Infinity],
  big: [-(2n ** 63n), -10n, -9n, 2n ** 53n, 2n ** 53n + 1n],
  date: [-1, 0, 1000].map((ms) => new Date(ms)),
  wait: [-1n, 0n, 1n].map(Duration.nanos),
  text: ["", "null", "undefined", "\uffff", "\u{1f600}"]
}
