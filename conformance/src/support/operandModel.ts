/** The model of the checks on operands, and the operations of operands as JavaScript computes them. */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Atomic from "redlayer/Atomic"
import * as Model from "redlayer/Model"
import { fails, unchanged } from "../assertions.ts"

export const EveryKind = Model.make("Operands", {
  id: Schema.String,
  a: Schema.Number.pipe(Model.withDefault(0)),
  b: Schema.Number.pipe(Model.withDefault(0)),
  to: Schema.Number.pipe(Model.withDefault(0)),
  int: Schema.Int.pipe(Model.withDefault(0)),
  int2: Schema.Int.pipe(Model.withDefault(0)),
  required: Schema.Int,
  coins: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 100 })).pipe(Model.withDefault(0)),
  even: Schema.Int.check(Schema.isMultipleOf(2), Schema.makeFilter((n: number) => n !== 4)).pipe(Model.withDefault(0)),
  bigA: Schema.BigInt.pipe(Model.withDefault(0n)),
  bigB: Schema.BigInt.pipe(Model.withDefault(0n)),
  bigTo: Schema.BigInt.pipe(Model.withDefault(0n)),
  bigMin: Schema.BigInt.check(Schema.isGreaterThanOrEqualToBigInt(0n)).pipe(Model.withDefault(0n)),
  date: Schema.Date.pipe(Model.withDefault(new Date(0))),
  date2: Schema.Date.pipe(Model.withDefault(new Date(0))),
  utc: Schema.DateTimeUtc.pipe(Model.withDefault(DateTime.makeUnsafe(0))),
  wait: Schema.Duration.pipe(Model.withDefault(Duration.zero)),
  wait2: Schema.Duration.pipe(Model.withDefault(Duration.zero)),
  text: Schema.String.pipe(Model.withDefault("")),
  text2: Schema.String.pipe(Model.withDefault("")),
  short: Schema.String.check(Schema.isMaxLength(3)).pipe(Model.withDefault("")),
  bool: Schema.Boolean.pipe(Model.withDefault(false)),
  bool2: Schema.Boolean.pipe(Model.withDefault(true)),
  word: Schema.Literals(["x", "y"]).pipe(Model.withDefault("x")),
  word2: Schema.Literals(["x", "y"]).pipe(Model.withDefault("y")),
  level: Schema.Literals([1, 2]).pipe(Model.withDefault(1)),
  json: Model.json(Schema.Array(Schema.Int)).pipe(Model.withDefault([])),
  json2: Model.json(Schema.Array(Schema.Int)).pipe(Model.withDefault([1, 2])),
  bytes: Schema.Uint8Array.pipe(Model.withDefault(new Uint8Array())),
  bytes2: Schema.Uint8Array.pipe(Model.withDefault(Uint8Array.of(0, 255))),
  optInt: Schema.optionalKey(Schema.Int),
  nullBig: Schema.NullOr(Schema.BigInt).pipe(Model.withDefault(null)),
  ints: Schema.Array(Schema.Int).pipe(Model.withDefault([])),
  texts: Schema.Array(Schema.String).pipe(Model.withDefault([])),
  set: Schema.ReadonlySet(Schema.String),
  counts: Schema.Record(Schema.String, Schema.Int).pipe(Model.withDefault({})),
  names: Schema.Record(Schema.String, Schema.String).pipe(Model.withDefault({})),
  sorted: Model.sortedSet(Schema.String).pipe(Model.withDefault([])),
  stats: Schema.Struct({ wins: Schema.Int, losses: Schema.Int })
}, { key: "id" })

export const key = "Operands:{a}"
const requiredFields = { required: 7, set: new Set<string>(), stats: { wins: 0, losses: 0 } }
export const put = (entity: { readonly id: string } & Partial<Parameters<typeof EveryKind.put>[0]>) =>
  EveryKind.put({ ...requiredFields, ...entity })
export const ref = EveryKind.ref("a")

export const operations = ["plus", "minus", "times", "dividedBy", "quotient", "modulo", "min", "max"] as const

/** The operation in JavaScript. */
export const inJavaScript: { readonly [Name in typeof operations[number]]: (a: number, b: number) => number } = {
  plus: (a, b) => a + b,
  minus: (a, b) => a - b,
  times: (a, b) => a * b,
  dividedBy: (a, b) => a / b,
  quotient: (a, b) => Math.trunc(a / b),
  modulo: (a, b) => a % b,
  min: (a, b) => Math.min(a, b),
  max: (a, b) => Math.max(a, b)
}

/** The operation on bigints in JavaScript. */
export const withBigInt: {
  readonly [Name in Exclude<typeof operations[number], "dividedBy">]: (a: bigint, b: bigint) => bigint
} = {
  plus: (a, b) => a + b,
  minus: (a, b) => a - b,
  times: (a, b) => a * b,
  quotient: (a, b) => a / b,
  modulo: (a, b) => a % b,
  min: (a, b) => a < b ? a : b,
  max: (a, b) => a > b ? a : b
}

/** Sample operands. */
export const numbers = [-1.7e308, -7, -2.5, -1, -1e-7, 0.1, 0.2, 1, 3, 5e-324, 2 ** 53, 1e21, 1.7e308]

export const bigints = [
  -(2n ** 63n),
  -(2n ** 53n) - 1n,
  -7n,
  -1n,
  1n,
  2n,
  3n,
  10n,
  2n ** 31n,
  2n ** 53n + 1n,
  2n ** 63n - 1n
]

export const isInt64 = (n: bigint): boolean => n >= -(2n ** 63n) && n < 2n ** 63n

/** Asserts that the program fails with this error and changes nothing. */
export const failsUnchanged = (self: Atomic.Atomic<unknown, any>, tag: string, details: object) =>
  unchanged(Effect.asVoid(fails(self as Atomic.Atomic<unknown, any>, tag, details as any)))
