/**
 * A date as the key, partitions as the slot; defaults, names that are escaped, values that may be null or undefined; each
 * access lets it live on.
 */
import { DateTime, Schema } from "effect"
import { Model } from "redlayer"
import { crc16 } from "../../../src/internal/text/crc16.ts"
import * as Collection from "../calls/collectionCalls.ts"
import * as Op from "../calls/scalarCalls.ts"
import { fieldsOf, type ModelCase, storedAs } from "../modelDescription.ts"
import type { Gen, Random } from "../random.ts"
import {
  absent,
  build,
  date,
  float,
  integer,
  listOf,
  mapped,
  oneOf,
  orNull,
  patchOf,
  text,
  texts
} from "../storedTexts.ts"

const Brand = Schema.String.pipe(Schema.brand("Code"))
const Color = Schema.Enum({ Red: "red", Blue: "blue" } as const)

const lives = 5 * 86_400_000

const Day = Model.make("Day", {
  date: Schema.Date,
  "odd.name": Schema.Int.pipe(Model.withDefault(3)),
  ratio: Schema.Number.pipe(Model.withDefault(0.5)),
  open: Schema.Boolean.pipe(Model.withDefault(true)),
  color: Color,
  brand: Brand,
  when: Schema.DateTimeUtc.pipe(Schema.optionalKey),
  limit: Schema.NullOr(Schema.Int),
  maybe: Schema.UndefinedOr(Schema.Finite),
  "a list: {}": Schema.Array(Brand),
  sums: Schema.Array(Schema.Number).check(Schema.isMinLength(2))
}, { key: "date", slot: { partitions: 3 }, timeToLive: { duration: lives, refresh: "access" } })

const brand = text() as Gen<any>
const when: Gen<DateTime.Utc> = mapped(date(), (value: Date) => DateTime.makeUnsafe(value))
const limit = integer(-50, 50)
const maybe = absent(float(-2, 2))
const color = oneOf<"red" | "blue">("red", "blue")

const dayFields = {
  "odd.name": absent(integer(-50, 50)),
  ratio: absent(float(0, 1)),
  open: absent(oneOf(true, false)),
  color,
  brand,
  when: absent(when),
  limit: orNull(limit),
  // it may be undefined, but not be left out
  maybe: (random: Random) => maybe(random) ?? 0.25,
  "a list: {}": listOf(brand),
  sums: listOf(float(-5, 5), 2)
}

const day = fieldsOf<Model.Ref<typeof Day>>()

export const dayCase: ModelCase = {
  name: "Day",
  model: Day as Model.Any,
  ids: (world) =>
    [world * 86_400_000, -1 - world].map((millis) => [
      new Date(millis),
      `Day:{p${crc16(String(millis)) % 3}}:${millis}`
    ]),
  entity: (random, id) => ({ date: id, ...build(dayFields)(random) }),
  patch: patchOf({ ...dayFields, maybe }),
  lives,
  fields: [
    storedAs(
      "odd%2Ename",
      day.scalar(
        "odd.name",
        "integer",
        (ref) => ref["odd.name"],
        Op.number(integer(-50, 50), true),
        texts.integer(-50, 50)
      )
    ),
    day.scalar(
      "ratio",
      "number",
      (ref) => ref.ratio,
      Op.number(float(0, 1), false),
      texts.number(0, 1)
    ),
    day.scalar("open", "boolean", (ref) => ref.open, Op.bool, texts.boolean),
    day.scalar(
      "color",
      "literal",
      (ref) => ref.color,
      Op.word(color),
      texts.word("red", "blue")
    ),
    day.scalar("brand", "branded text", (ref) => ref.brand, Op.word(brand), texts.text),
    day.scalar("when", "optional time", (ref) => ref.when, Op.optionalTime(when), texts.date),
    day.scalar(
      "limit",
      "nullable number",
      (ref) => ref.limit,
      Op.optionalNumber(limit, true),
      texts.nullable(texts.integer(-50, 50))
    ),
    day.scalar(
      "maybe",
      "optional number",
      (ref) => ref.maybe,
      Op.optionalNumber(float(-2, 2), false),
      texts.number(-2, 2)
    ),
    storedAs(
      "a%20list%3A%20%7B%7D",
      day.list(
        "a list: {}",
        "branded text",
        (ref) => ref["a list: {}"],
        Collection.list(brand, listOf(brand)),
        Op.word(brand),
        texts.text
      )
    ),
    day.list(
      "sums",
      "number",
      (ref) => ref.sums,
      Collection.list(float(-5, 5), listOf(float(-5, 5), 2)),
      Op.number(float(-5, 5), false),
      texts.number(-5, 5)
    )
  ]
}
