/**
 * The kinds of values that an index may order, and an aggregate may sum.
 */
import { DateTime, Duration, Option, Schema } from "effect"
import * as Op from "../calls/scalarCalls.ts"
import type { Gen } from "../random.ts"
import {
  bigint,
  boolean,
  date,
  duration,
  float,
  integer,
  mapped,
  oneOf,
  type Stored,
  text,
  texts
} from "../storedTexts.ts"

/** A value in the order of its kind: two of one kind compare by `<`, but texts by their bytes. */
export type Ordered = number | bigint | Buffer

/** The values of a kind. */
export interface Kind {
  readonly schema: Schema.Top
  readonly make: Gen<any>
  readonly name: string
  readonly table: Op.Table<any>
  readonly optional: readonly [name: string, table: Op.Table<any>]
  readonly stored: Stored
  /** undefined for a value that has no place in the order */
  readonly order: (value: any) => Ordered | undefined
}

export const byBytes = (value: string): Buffer => Buffer.from(value, "utf8")

const few = integer(-3, 3)
const big = bigint(-3n, 3n)
const someTexts = ["", "a", "a\0", "a\u0001", "ab", "b", "é", "\uffff", "😀", "null", "0"]
const someText: Gen<string> = (random) => random.wild() ? text()(random) : random.pick(someTexts)
const some: Gen<Date> = (random) => random.wild() ? date()(random) : new Date(random.int(-2, 2) * 1000)
const someNumber: Gen<number> = (random) =>
  random.wild() ? float(-10, 10)(random) : random.pick([0, 0.5, -0.5, 1e21, -1e-7, Infinity, -Infinity, NaN, 3])
const utc: Gen<DateTime.Utc> = mapped(some, (value: Date) => DateTime.makeUnsafe(value))
const literal = oneOf("open", "paid", "")
const numeric = oneOf(1, 2.5, -1)
const template = oneOf("a-1", "a-10", "a--3")
const numberOrder = (value: number): number | undefined => Number.isNaN(value) ? undefined : value

const kind = (
  name: string,
  schema: Schema.Top,
  make: Gen<any>,
  table: Op.Table<any>,
  optional: Kind["optional"],
  stored: Stored,
  order: Kind["order"]
): Kind => ({ name, schema, make, table: table as any, optional, stored, order })

export const kinds: ReadonlyArray<Kind> = [
  kind(
    "integer",
    Schema.Int,
    few,
    Op.number(few, true),
    ["number", Op.optionalNumber(few, true)],
    texts.integer(-3, 3),
    numberOrder
  ),
  kind(
    "number",
    Schema.Number,
    someNumber,
    Op.number(someNumber, false),
    ["number", Op.optionalNumber(someNumber, false)],
    texts.number(-3, 3),
    numberOrder
  ),
  kind(
    "bigint",
    Schema.BigInt,
    big,
    Op.bigint(big),
    ["bigint", Op.optionalBigInt(big)],
    texts.bigint,
    (value) => value
  ),
  kind("text", Schema.String, someText, Op.text(someText), ["", Op.optional(someText)], texts.text, byBytes),
  kind(
    "time",
    Schema.Date,
    some,
    Op.time(some),
    ["time", Op.optionalTime(some)],
    texts.date,
    (value: Date) => value.getTime()
  ),
  kind(
    "time",
    Schema.DateTimeUtc,
    utc,
    Op.time(utc),
    ["time", Op.optionalTime(utc)],
    texts.date,
    (value) => DateTime.toEpochMillis(value)
  ),
  kind(
    "time",
    Schema.Duration,
    duration,
    Op.time(duration),
    ["time", Op.optionalTime(duration)],
    texts.duration,
    (value) => Option.getOrThrow(Duration.toNanos(value))
  ),
  kind("boolean", Schema.Boolean, boolean, Op.bool, ["", Op.optional(boolean)], texts.boolean, Number),
  kind(
    "literal",
    Schema.Literals(["open", "paid", ""]),
    literal,
    Op.word(literal),
    ["", Op.optional(literal)],
    texts.word("open", "paid", ""),
    byBytes
  ),
  kind(
    "literal",
    Schema.Literals([1, 2.5, -1]),
    numeric,
    Op.word(numeric),
    ["", Op.optional(numeric)],
    texts.json("1", "2.5", "-1"),
    numberOrder
  ),
  kind(
    "literal",
    Schema.TemplateLiteral(["a-", Schema.Int]),
    template,
    Op.word(template),
    ["", Op.optional(template)],
    texts.json("\"a-1\"", "\"a-10\"", "\"a--3\""),
    byBytes
  )
]

/** Whether values of a kind have an exact sum. */
export const isSummable = ({ schema }: Kind): boolean =>
  schema === Schema.Int || schema === Schema.BigInt || schema === Schema.Duration

/** The amount of a value that can be summed. */
export const amountOf = (value: unknown): bigint =>
  Duration.isDuration(value) ? Option.getOrThrow(Duration.toNanos(value)) : BigInt(value as number | bigint)

/** Whole milliseconds are the normal form of a duration. */
const durationOf = (nanos: bigint): Duration.Duration => {
  const millis = Number(nanos / 1_000_000n)
  return Number.isFinite(millis) && BigInt(millis) * 1_000_000n === nanos
    ? Duration.millis(millis)
    : Duration.nanos(nanos)
}

/** The sum of values of a field, as the library returns it. */
export const totalOf = (kind: Kind | undefined, total: bigint): unknown => {
  const schema = kind?.schema
  return schema === Schema.BigInt ? total : schema === Schema.Duration ? durationOf(total) : Number(total)
}
