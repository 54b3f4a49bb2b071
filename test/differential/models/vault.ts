/**
 * Bigints, dates, durations and bytes: required, optional, nullable, nested, and as items; each access lets it live on.
 */
import { DateTime, Schema } from "effect"
import { Model } from "redlayer"
import * as Collection from "../calls/collectionCalls.ts"
import * as Op from "../calls/scalarCalls.ts"
import { fieldsOf, type ModelCase } from "../modelDescription.ts"
import type { Gen } from "../random.ts"
import {
  absent,
  bigint,
  boolean,
  build,
  bytes,
  date,
  duration,
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

const first = Date.UTC(1970)
const last = Date.UTC(1970, 0, 4)
const lives = 5 * 86_400_000

const Vault = Model.make("Vault", {
  id: Schema.String,
  big: Schema.BigInt,
  wei: Schema.BigInt.check(Schema.isGreaterThanOrEqualToBigInt(-1000n), Schema.isLessThanBigInt(1000n)),
  total: Schema.BigInt.pipe(Model.withDefault(7n)),
  at: Schema.Date,
  day: Schema.Date.check(Schema.isBetweenDate({ minimum: new Date(first), maximum: new Date(last) })),
  due: Schema.DateTimeUtc,
  span: Schema.Duration,
  blob: Schema.Uint8Array,
  step: Schema.Literals([1, 2.5]),
  may: Schema.Struct({
    big: Schema.optionalKey(Schema.BigInt),
    at: Schema.optional(Schema.Date),
    span: Schema.optionalKey(Schema.Duration),
    flag: Schema.optionalKey(Schema.Boolean),
    number: Schema.optional(Schema.Number)
  }),
  none: Schema.Struct({
    int: Schema.NullOr(Schema.Int).pipe(Model.withDefault(3)),
    number: Schema.NullOr(Schema.Finite.check(Schema.isGreaterThan(-5), Schema.isLessThan(50))),
    big: Schema.NullOr(Schema.BigInt),
    due: Schema.NullOr(Schema.DateTimeUtc),
    span: Schema.NullOr(Schema.Duration),
    text: Schema.NullOr(Schema.String),
    flag: Schema.NullOr(Schema.Boolean)
  }),
  bigs: Schema.Array(Schema.BigInt.check(Schema.isLessThanOrEqualToBigInt(100n))),
  dates: Schema.Array(Schema.Date).check(Schema.isMaxLength(4)),
  spans: Schema.Array(Schema.Duration)
}, { key: "id", timeToLive: { duration: lives, refresh: "access" } })

const due: Gen<DateTime.Utc> = mapped(date(), (value: Date) => DateTime.makeUnsafe(value))
const step = oneOf<1 | 2.5>(1, 2.5)
const item = bigint(-20n, 100n)

const may = {
  big: absent(bigint()),
  at: absent(date()),
  span: absent(duration),
  flag: absent(boolean),
  number: absent(float(-10, 10))
}

const none = {
  int: orNull(integer(-50, 50)),
  number: orNull(float(-5, 50)),
  big: orNull(bigint()),
  due: orNull(due),
  span: orNull(duration),
  text: orNull(text()),
  flag: orNull(boolean)
}

const vaultFields = {
  big: bigint(),
  wei: bigint(-1000n, 999n),
  total: absent(bigint()),
  at: date(),
  day: date(first, last),
  due,
  span: duration,
  blob: bytes,
  step,
  may: build(may),
  none: build({ ...none, int: absent(none.int) }),
  bigs: listOf(item),
  dates: listOf(date(), 0, 4),
  spans: listOf(duration)
}

const vault = fieldsOf<Model.Ref<typeof Vault>>()

export const vaultCase: ModelCase = {
  name: "Vault",
  model: Vault as Model.Any,
  ids: (world) => [[`w${world}`, `Vault:{w${world}}`], [`w${world} %`, `Vault:{w${world}%20%25}`]],
  entity: (random, id) => ({ id, ...build(vaultFields)(random) }),
  patch: patchOf({ ...vaultFields, may: patchOf(may), none: patchOf(none) }),
  lives,
  fields: [
    vault.scalar("big", "bigint", (ref) => ref.big, Op.bigint(bigint()), texts.bigint),
    vault.scalar("wei", "bigint", (ref) => ref.wei, Op.bigint(bigint(-1000n, 999n)), texts.bigint),
    vault.scalar("total", "bigint", (ref) => ref.total, Op.bigint(bigint()), texts.bigint),
    vault.scalar("at", "time", (ref) => ref.at, Op.time(date()), texts.date),
    vault.scalar("day", "time", (ref) => ref.day, Op.time(date(first, last)), texts.date),
    vault.scalar("due", "time", (ref) => ref.due, Op.time(due), texts.date),
    vault.scalar("span", "time", (ref) => ref.span, Op.time(duration), texts.duration),
    vault.scalar("blob", "json", (ref) => ref.blob, Op.value(bytes), texts.bytes),
    vault.scalar("step", "literal", (ref) => ref.step, Op.word(step), texts.json("1", "2.5", "1.0")),
    vault.whole("may", (ref) => ref.may.$, Op.whole<any>(vaultFields.may)),
    vault.scalar(
      "may.big",
      "optional bigint",
      (ref) => ref.may.big,
      Op.optionalBigInt(bigint()),
      texts.bigint
    ),
    vault.scalar("may.at", "optional time", (ref) => ref.may.at, Op.optionalTime(date()), texts.date),
    vault.scalar("may.span", "optional time", (ref) => ref.may.span, Op.optionalTime(duration), texts.duration),
    vault.scalar("may.flag", "optional", (ref) => ref.may.flag, Op.optional(boolean), texts.boolean),
    vault.scalar(
      "may.number",
      "optional number",
      (ref) => ref.may.number,
      Op.optionalNumber(float(-10, 10), false),
      texts.number(-10, 10)
    ),
    vault.whole("none", (ref) => ref.none.$, Op.whole<any>(build(none))),
    vault.scalar(
      "none.int",
      "nullable number",
      (ref) => ref.none.int,
      Op.optionalNumber(integer(-50, 50), true),
      texts.nullable(texts.integer(-50, 50))
    ),
    vault.scalar(
      "none.number",
      "nullable number",
      (ref) => ref.none.number,
      Op.optionalNumber(float(-5, 50), false),
      texts.nullable(texts.number(-5, 50))
    ),
    vault.scalar(
      "none.big",
      "nullable bigint",
      (ref) => ref.none.big,
      Op.optionalBigInt(bigint()),
      texts.nullable(texts.bigint)
    ),
    vault.scalar("none.due", "nullable time", (ref) => ref.none.due, Op.optionalTime(due), texts.nullable(texts.date)),
    vault.scalar(
      "none.span",
      "nullable time",
      (ref) => ref.none.span,
      Op.optionalTime(duration),
      texts.nullable(texts.duration)
    ),
    vault.scalar(
      "none.text",
      "nullable",
      (ref) => ref.none.text,
      Op.optional(text()),
      texts.nullable(texts.json("\"a\"", "\"null\"", "\"\""))
    ),
    vault.scalar("none.flag", "nullable", (ref) => ref.none.flag, Op.optional(boolean), texts.nullable(texts.boolean)),
    vault.list(
      "bigs",
      "bigint",
      (ref) => ref.bigs,
      Collection.list(item, listOf(item)),
      Op.bigint(item),
      texts.bigint
    ),
    vault.list(
      "dates",
      "time",
      (ref) => ref.dates,
      Collection.list(date(), listOf(date(), 0, 4)),
      Op.time(date()),
      texts.date
    ),
    vault.list(
      "spans",
      "time",
      (ref) => ref.spans,
      Collection.list(duration, listOf(duration)),
      Op.time(duration),
      texts.duration
    )
  ]
}
