/**
 * Schemas of values without parts, each with a generator of its values.
 */
import { BigDecimal, DateTime, Duration, Option, Schema, SchemaTransformation } from "effect"
import type { Gen } from "./random.ts"
import {
  big,
  bytes,
  double,
  duration,
  finite,
  hostile,
  integer,
  jsonValue,
  millis,
  record,
  text,
  word
} from "./randomValues.ts"

/** The JSON type of a value under its schema's codec. A union of members with different types cannot confuse them. */
export type Form = "string" | "number" | "boolean" | "null" | "array" | "object"

/** A schema with its values. */
export interface Leaf {
  /** the source text of the schema */
  readonly text: string
  readonly schema: Schema.Top
  readonly forms: ReadonlyArray<Form>
  readonly value: Gen<unknown>
}

export const shape = (
  text: string,
  schema: Schema.Constraint,
  forms: Form | ReadonlyArray<Form>,
  value: Gen<unknown>
): Leaf => ({
  text,
  schema: schema as Schema.Top,
  forms: typeof forms === "string" ? [forms] : forms,
  value
})

const oneOf = (...shapes: ReadonlyArray<Leaf>): Gen<Leaf> => (random) => random.pick(shapes)

const from = (...values: ReadonlyArray<unknown>): Gen<unknown> => (random) => random.pick(values)

const Csv = Schema.String.pipe(Schema.decodeTo(
  Schema.Struct({ x: Schema.Int, y: Schema.Int }),
  SchemaTransformation.transform({
    decode: (text) => ({ x: Number(text.split(";")[0]), y: Number(text.split(";")[1]) }),
    encode: ({ x, y }) => `${x};${y}`
  })
))

const Renamed = Schema.Struct({ a: Schema.Int, "b.c": Schema.String }).pipe(Schema.encodeKeys({ a: "A", "b.c": "a" }))

const zones = ["Europe/Rome", "UTC", "Asia/Kathmandu"]

/** Kinds without parts, by name. */
export const leaves: Readonly<Record<string, Gen<Leaf>>> = {
  string: oneOf(shape("String", Schema.String, "string", text)),
  "checked string": oneOf(
    shape("NonEmptyString", Schema.NonEmptyString, "string", (random) => text(random) || "0"),
    shape(
      "String.check(isMaxLength(3))",
      Schema.String.check(Schema.isMaxLength(3)),
      "string",
      (random) => text(random).slice(0, 1).toWellFormed()
    ),
    shape("String.check(isPattern(/^[a-z]+$/))", Schema.String.check(Schema.isPattern(/^[a-z]+$/)), "string", word)
  ),
  "branded string": oneOf(shape("String.brand", Schema.String.pipe(Schema.brand("Id")), "string", text)),
  int: oneOf(shape("Int", Schema.Int, "number", integer)),
  "checked int": oneOf(
    shape(
      "Int.check(isBetween)",
      Schema.Int.check(Schema.isBetween({ minimum: -5, maximum: 5 })),
      "number",
      (random) => random.int(-5, 5)
    ),
    shape(
      "Int.check(isMultipleOf(2))",
      Schema.Int.check(Schema.isMultipleOf(2)),
      "number",
      (random) => 2 * random.int(-50, 50)
    ),
    shape("Int.brand", Schema.Int.pipe(Schema.brand("Coins")), "number", integer)
  ),
  number: oneOf(shape("Number", Schema.Number, ["number", "string"], double)),
  finite: oneOf(
    shape("Finite", Schema.Finite, "number", finite),
    shape(
      "Finite.check(isGreaterThan(0))",
      Schema.Finite.check(Schema.isGreaterThan(0)),
      "number",
      (random) => Math.abs(finite(random)) || 5e-324
    )
  ),
  bigint: oneOf(
    shape("BigInt", Schema.BigInt, "string", big),
    shape("BigInt.brand", Schema.BigInt.pipe(Schema.brand("Wei")), "string", big)
  ),
  boolean: oneOf(shape("Boolean", Schema.Boolean, "boolean", from(true, false))),
  "literal of text": oneOf(
    shape("Literal('null')", Schema.Literal("null"), "string", from("null")),
    shape(
      "Literals('', '0', '__proto__', ':')",
      Schema.Literals(["", "0", "__proto__", ":"]),
      "string",
      from("", "0", "__proto__", ":")
    )
  ),
  "literal of a number": oneOf(
    shape("Literal(0)", Schema.Literal(0), "number", from(0, -0)),
    shape("Literals(1, 1.5, -1e21)", Schema.Literals([1, 1.5, -1e21]), "number", from(1, 1.5, -1e21))
  ),
  "literal of a boolean": oneOf(shape("Literal(false)", Schema.Literal(false), "boolean", from(false))),
  "literal of a bigint": oneOf(
    shape("Literals(1n, 2n ** 64n)", Schema.Literals([1n, 2n ** 64n]), "string", from(1n, 2n ** 64n))
  ),
  null: oneOf(shape("Null", Schema.Null, "null", from(null))),
  "mixed literals": oneOf(
    shape(
      "Literals('1', 1, true)",
      Schema.Literals(["1", 1, true]),
      ["string", "number", "boolean"],
      from("1", 1, true)
    ),
    shape(
      "Union(Literal('null'), Null)",
      Schema.Union([Schema.Literal("null"), Schema.Null]),
      ["string", "null"],
      from("null", null)
    )
  ),
  enum: oneOf(
    shape("Enum(text)", Schema.Enum({ A: "a", Null: "null", None: "" } as const), "string", from("a", "null", "")),
    shape("Enum(number)", Schema.Enum({ Zero: 0, Half: 0.5, Most: 2 ** 53 } as const), "number", from(0, 0.5, 2 ** 53)),
    shape("Enum(mixed)", Schema.Enum({ Zero: 0, Text: "0" } as const), ["number", "string"], from(0, "0"))
  ),
  "template literal": oneOf(
    shape(
      "TemplateLiteral('a-', Int)",
      Schema.TemplateLiteral(["a-", Schema.Int]),
      "string",
      (random) => `a-${random.int(-9, 9)}`
    ),
    shape(
      "TemplateLiteral(String, ':', String)",
      Schema.TemplateLiteral([Schema.String, ":", Schema.String]),
      "string",
      (random) => `${word(random)}:${random.pick(["", "0", "null", "é😀", "{}", "\"", "a:b"])}`
    )
  ),
  date: oneOf(shape("Date", Schema.Date, "string", (random) => new Date(millis(random)))),
  "date time": oneOf(
    shape("DateTimeUtc", Schema.DateTimeUtc, "string", (random) => DateTime.makeUnsafe(millis(random)))
  ),
  "zoned date time": oneOf(
    shape(
      "DateTimeZoned",
      Schema.DateTimeZoned,
      "string",
      (random) => DateTime.makeZonedUnsafe(random.int(-1e9, 4e12), { timeZone: random.pick(zones) })
    )
  ),
  duration: oneOf(shape("Duration", Schema.Duration, "object", duration)),
  bytes: oneOf(shape("Uint8Array", Schema.Uint8Array, "string", bytes)),
  "big decimal": oneOf(
    shape("BigDecimal", Schema.BigDecimal, "string", (random) => BigDecimal.make(big(random), random.int(-3, 20)))
  ),
  url: oneOf(
    shape("URL", Schema.URL, "string", (random) => new URL(`http://a.b/${encodeURIComponent(random.pick(hostile))}`))
  ),
  transformation: oneOf(
    shape("FiniteFromString", Schema.FiniteFromString, "string", finite),
    shape("DateFromString", Schema.DateFromString, "string", (random) => new Date(millis(random))),
    shape("DateFromMillis", Schema.DateFromMillis, "number", (random) => new Date(millis(random))),
    shape("BigIntFromString", Schema.BigIntFromString, "string", big),
    shape("DurationFromMillis", Schema.DurationFromMillis, "number", (random) => Duration.millis(random.int(0, 1e9))),
    shape("BooleanFromBit", Schema.BooleanFromBit, "number", from(true, false)),
    shape(
      "OptionFromNullOr(String)",
      Schema.OptionFromNullOr(Schema.String),
      ["null", "string"],
      (random) => random.chance(0.3) ? Option.none() : Option.some(text(random))
    ),
    shape("text of a struct", Csv, "string", (random) => ({ x: random.int(-9, 9), y: random.int(-9, 9) })),
    shape("struct.encodeKeys", Renamed, "object", (random) => ({ a: integer(random), "b.c": text(random) }))
  ),
  "struct with more": oneOf(
    shape(
      "StructWithRest({ a: Int }, Record(String, Int))",
      Schema.StructWithRest(Schema.Struct({ a: Schema.Int }), [Schema.Record(Schema.String, Schema.Int)]),
      "object",
      (random) => ({
        ...record(random.array(0, 3, () => [text(random), integer(random)] as const)),
        a: integer(random)
      })
    )
  ),
  "any JSON": oneOf(
    shape("Json", Schema.Json, ["string", "number", "boolean", "null", "array", "object"], jsonValue(3)),
    shape("Unknown", Schema.Unknown, ["string", "number", "boolean", "null", "array", "object"], jsonValue(2)),
    shape("Any", Schema.Any, ["string", "number", "boolean", "null", "array", "object"], jsonValue(2)),
    shape(
      "fromJsonString(Tuple(Int))",
      Schema.fromJsonString(Schema.Tuple([Schema.Int])),
      "string",
      (random) => [integer(random)]
    )
  )
}
