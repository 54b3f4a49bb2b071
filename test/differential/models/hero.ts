/**
 * A class, one text as its key; it lives for ever.
 */
import { Schema } from "effect"
import { Model } from "redlayer"
import * as Collection from "../calls/collectionCalls.ts"
import * as Op from "../calls/scalarCalls.ts"
import { fieldsOf, type ModelCase } from "../modelDescription.ts"
import type { Gen } from "../random.ts"
import {
  absent,
  boolean,
  build,
  float,
  foreign,
  integer,
  listOf,
  oneOf,
  patchOf,
  tame,
  text,
  texts
} from "../storedTexts.ts"

class Entry extends Schema.Class<Entry>("Entry")({ at: Schema.Int, what: Schema.optionalKey(Schema.String) }) {}

export class Hero extends Model.Class<Hero>("Hero")({
  id: Schema.String,
  name: Schema.String,
  title: Schema.String.check(Schema.isMinLength(2), Schema.isMaxLength(8)).pipe(Model.withDefault("none")),
  coins: Schema.Int.check(Schema.isGreaterThanOrEqualTo(0), Schema.isLessThanOrEqualTo(60)),
  level: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 20 })).pipe(Model.withDefault(1)),
  score: Schema.Number,
  alive: Schema.Boolean,
  role: Schema.Literals(["mage", "thief", "ranger"]),
  bag: Model.json(Schema.Record(Schema.String, Schema.Int)),
  nick: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(6))),
  age: Schema.optional(Schema.Int),
  tags: Schema.Array(Schema.String),
  marks: Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: -10, maximum: 10 }))).check(Schema.isMaxLength(5)),
  stats: Schema.Struct({
    wins: Schema.Int,
    ratio: Schema.Number.check(Schema.isGreaterThan(-1), Schema.isLessThan(1)),
    deep: Schema.Struct({ seen: Schema.Boolean, log: Schema.Array(Entry) })
  })
}, { key: "id" }) {}

const bag: Gen<Record<string, number>> = (random) =>
  random.wild() ? foreign(random) : random.pick([{}, { a: 1 }, { b: 2, a: 1 }, { "": 0, "é\n": -5 }])
const entry: Gen<Entry> = (random) =>
  random.wild()
    ? foreign(random)
    : random.chance(0.5)
    ? new Entry({ at: random.int(0, 3) })
    : new Entry({ at: random.int(0, 3), what: random.pick(tame) })
const deep = build({ seen: boolean, log: listOf(entry) }) as Gen<any>
const stats = build({ wins: integer(-50, 50), ratio: float(-1, 1), deep }) as Gen<any>

const heroFields = {
  name: text(),
  title: text(2, 8),
  coins: integer(0, 50),
  level: integer(1, 20),
  score: float(-10, 10),
  alive: boolean,
  role: oneOf("mage", "thief", "ranger"),
  bag,
  nick: absent(text(0, 6)),
  age: absent(integer(-50, 50)),
  tags: listOf(text()),
  marks: listOf(integer(-10, 10)),
  stats
}

const hero = fieldsOf<Model.Ref<typeof Hero>>()

export const heroCase: ModelCase = {
  name: "Hero",
  model: Hero as Model.Any,
  ids: (world) => [
    [`w${world}`, `Hero:{w${world}}`],
    [`w${world}-é{}:*% \n😀`, `Hero:{w${world}-é%7B%7D%3A%2A%25%20%0A😀}`]
  ],
  entity: (random, id) => ({ id, ...build(heroFields)(random) }),
  patch: patchOf({
    ...heroFields,
    title: absent(text(2, 8)),
    stats: patchOf({
      wins: integer(-50, 50),
      ratio: float(-1, 1),
      deep: patchOf({ seen: boolean, log: listOf(entry) })
    })
  }),
  fields: [
    hero.scalar("name", "text", (ref) => ref.name, Op.text(text()), texts.text),
    hero.scalar("title", "text", (ref) => ref.title, Op.text(text(2, 8)), texts.short(2, 8)),
    hero.scalar(
      "coins",
      "integer",
      (ref) => ref.coins,
      Op.number(integer(0, 50), true),
      texts.integer(0, 50)
    ),
    hero.scalar(
      "level",
      "integer",
      (ref) => ref.level,
      Op.number(integer(1, 20), true),
      texts.integer(1, 20)
    ),
    hero.scalar(
      "score",
      "number",
      (ref) => ref.score,
      Op.number(float(-10, 10), false),
      texts.number(-10, 10)
    ),
    hero.scalar("alive", "boolean", (ref) => ref.alive, Op.bool, texts.boolean),
    hero.scalar(
      "role",
      "literal",
      (ref) => ref.role,
      Op.word(oneOf<Hero["role"]>("mage", "thief", "ranger")),
      texts.word("mage", "thief", "ranger")
    ),
    hero.scalar(
      "bag",
      "json",
      (ref) => ref.bag,
      Op.value(bag),
      texts.json("{}", "{\"a\":1}", "{ \"b\": 2, \"a\": 1 }")
    ),
    hero.scalar(
      "nick",
      "optional",
      (ref) => ref.nick,
      Op.optional(text(0, 6)),
      texts.short(0, 6)
    ),
    hero.scalar(
      "age",
      "optional number",
      (ref) => ref.age,
      Op.optionalNumber(integer(-50, 50), true),
      texts.integer(-50, 50)
    ),
    hero.list(
      "tags",
      "text",
      (ref) => ref.tags,
      Collection.list(text(), listOf(text())),
      Op.text(text()),
      texts.text
    ),
    hero.list(
      "marks",
      "integer",
      (ref) => ref.marks,
      Collection.list(integer(-10, 10), listOf(integer(-10, 10))),
      Op.number(integer(-10, 10), true),
      texts.integer(-10, 10)
    ),
    hero.whole("stats", (ref) => ref.stats.$, Op.whole(stats)),
    hero.scalar(
      "stats.wins",
      "integer",
      (ref) => ref.stats.wins,
      Op.number(integer(-50, 50), true),
      texts.integer(-50, 50)
    ),
    hero.scalar(
      "stats.ratio",
      "number",
      (ref) => ref.stats.ratio,
      Op.number(float(-1, 1), false),
      texts.number(-1, 1)
    ),
    hero.whole("stats.deep", (ref) => ref.stats.deep.$, Op.whole(deep)),
    hero.scalar(
      "stats.deep.seen",
      "boolean",
      (ref) => ref.stats.deep.seen,
      Op.bool,
      texts.boolean
    ),
    hero.list(
      "stats.deep.log",
      "json",
      (ref) => ref.stats.deep.log,
      Collection.list(entry, listOf(entry)),
      Op.value(entry),
      texts.json("{\"at\":1}", "{\"what\":\"x\",\"at\":2}")
    )
  ]
}
