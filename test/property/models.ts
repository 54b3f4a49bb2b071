/**
 * The models that random programs work on: together they have every kind of field, every form of a key and of a slot. Each is
 * described twice: to the library, by its schema; and to the tests, by the names and texts under which it is stored.
 */
import { Schema } from "effect"
import { type Field, Model } from "redlayer"
import { crc16 } from "../../src/internal/program/slot.ts"
import * as Op from "./operations.ts"
import type { Gen, Random } from "./random.ts"

/** What is stored for one field: in the entity's hash, or under a key of its own. */
interface Stored {
  readonly name: string
  readonly isList: boolean
  /** a text that reads as a value of the field */
  readonly good: Gen<string>
  /** a text that most often doesn't */
  readonly bad: Gen<string>
}

export interface FieldCase {
  readonly name: string
  /** undefined for a struct as a whole */
  readonly stored: Stored | undefined
  readonly calls: ReadonlyArray<readonly [operation: string, call: Op.Call<any>]>
  /** whether the server can't compute on it, so that most operations are refused */
  readonly refuses?: true
}

export interface ModelCase {
  readonly name: string
  readonly model: Model.Any
  /** the ids of the entities that the programs of one world share, each with the key of its hash */
  readonly ids: (world: number) => ReadonlyArray<readonly [id: unknown, key: string]>
  readonly fields: ReadonlyArray<FieldCase>
  readonly entity: (random: Random, id: unknown) => unknown
  readonly patch: Gen<unknown>
}

// values

// dprint-ignore
const tame = [
  "", "a", "b", "abc", "hi", "héllo", "日本", "😀", "a😀b", "\0", "line\nbreak", "\"q\"\\", "%{}:*", "null", "NaN", "12",
  "__proto__", "\u202eabc", "e\u0301", "\uffff", "\u{10ffff}", "\u2028", "[]", "{}", " 1 ", "$v", "\u007f\u0080"
]
const wild = ["\ud800", "x\udfffy", "\udc00\ud800", "ab\ud83d", "😀".repeat(30), "x".repeat(300)]

/** A value of another type: types don't stop everyone. */
const foreign: Gen<any> = (random) => random.pick([undefined, null, 5, "x", true, {}, [], NaN, 1n, Symbol.iterator])

const text = (low = 0, high = 1000): Gen<string> => {
  const allowed = tame.filter((candidate) => candidate.length >= low && candidate.length <= high)
  return (random) => {
    if (!random.wild()) return random.pick(allowed)
    return random.chance(0.1) ? foreign(random) : random.pick(random.chance(0.5) ? wild : tame)
  }
}

const integer = (low: number, high: number): Gen<number> => (random) =>
  random.wild()
    ? random.chance(0.1)
      ? foreign(random)
      : random.pick([0.5, -0, NaN, Infinity, 2 ** 53, 2 ** 53 - 1, -(2 ** 53), low - 1, high + 1, 0, 1e300])
    : random.int(Math.max(low, -20), Math.min(high, 60))

const float = (low: number, high: number): Gen<number> => (random) =>
  random.wild()
    ? random.pick([NaN, Infinity, -Infinity, -0, random.double(), 1e308, -1e308, 5e-324, low, high, low - 1, high + 1])
    : random.pick([low + (high - low) / 3, low + (high - low) / 2, low + (high - low) / 4, Math.trunc(low + 1)])

const oneOf = <A>(...values: ReadonlyArray<A>): Gen<A> => (random) =>
  random.wild() ? foreign(random) : random.pick(values)

const absent = <A>(make: Gen<A>): Gen<A | undefined> => (random) => random.chance(0.3) ? undefined : make(random)

const listOf = <A>(item: Gen<A>, low = 0, high = 5): Gen<ReadonlyArray<A>> => (random) => {
  if (random.wild()) return random.chance(0.2) ? foreign(random) : random.array(0, 8, item)
  // more than fits in one command of the server
  return high === 5 && random.chance(0.01) ? random.array(900, 2500, item) : random.array(low, high, item)
}

/** Some of the fields of a patch, and now and then one that is not there. */
const patchOf = (fields: { readonly [name: string]: Gen<unknown> }): Gen<Record<string, unknown>> => (random) => {
  const names = Object.keys(fields).filter(() => random.chance(0.3))
  const patch = Object.fromEntries(names.map((name) => [name, fields[name]!(random)]))
  if (random.chance(0.2 * random.wildness)) patch["nowhere"] = 1
  return patch
}

const build = (fields: { readonly [name: string]: Gen<unknown> }): Gen<Record<string, unknown>> => (random) =>
  Object.fromEntries(
    Object.entries(fields).flatMap(([name, make]) => {
      const value = make(random)
      // a key that is `undefined` and one that is not there are both absent
      return value === undefined && random.chance(0.5) ? [] : [[name, value]]
    })
  )

// stored texts

const rawText: Gen<string> = (random) => random.pick(tame)
const longText: Gen<string> = (random) => random.pick(["", "x", "x".repeat(40), "😀".repeat(20), "none of these"])

// dprint-ignore
const notIntegers = [
  "abc", "0x10", "1e400", "-1e400", "NaN", " 1 ", "1 ", "\t1", "", "-", "+1", "1.", ".5", "1e", "e5", "--1", "1_000",
  "Infinity", "-Infinity", "inf", "nan", "1.5", "9007199254740992", "-9007199254740993", "1e21", "0.1", "1,5", "1\n",
  "1\0", "٣", "१", "1e5.5", "0b1", "0o7", "1e+", "1n", "true", "null"
]
// odd, and yet whole numbers
const integers = [
  "9007199254740991",
  "-9007199254740991",
  "5",
  "0",
  "-3",
  "7",
  "12",
  "-0",
  "007",
  "1e2",
  "1E2",
  "5.0",
  "1e+1",
  "30e-1",
  "1e-400",
  "000000000000000001"
]
const numbers = [...integers, "0.1", "-2.5", "1e-7", "5e-324", "1.7976931348623157e308", "1e21", "3.141592653589793"]

const rawInteger = (low: number, high: number): Gen<string> => (random) =>
  random.chance(0.2) ? random.pick(integers) : String(random.int(low, high))
const badInteger: Gen<string> = (random) => random.pick([...notIntegers, "9007199254740991", "-9007199254740991"])
const rawFloat = (low: number, high: number): Gen<string> => (random) =>
  random.chance(0.05)
    ? random.pick(["NaN", "Infinity", "-Infinity"])
    : random.chance(0.2)
    ? random.pick(numbers)
    : String(low + (high - low) * random.int(1, 99) / 100)
const badFloat: Gen<string> = (random) => random.pick([...notIntegers, ...numbers])

/** What a parser of numbers or booleans may stumble over. */
export const hardTexts = [...notIntegers, ...numbers, "true", "false", "TRUE", "true ", "1".repeat(400)]

const badBoolean: Gen<string> = (random) => random.pick(["TRUE", "1", "", "yes", "true ", "null"])
const rawBoolean: Gen<string> = (random) => random.pick(["true", "false"])
const badJson: Gen<string> = (random) =>
  random.pick(["", "nope", "{", "[1,", "NaN", "undefined", "'a'", "[[[]]]", "1e999", "{\"a\":1}x", "\"x"])

const leaf = (name: string, good: Gen<string>, bad: Gen<string>): Stored => ({ name, isList: false, good, bad })
const items = (name: string, good: Gen<string>, bad: Gen<string>): Stored => ({ name, isList: true, good, bad })

const refusing = (field: FieldCase): FieldCase => ({ ...field, refuses: true })

/** Describes a field of the model whose handles are `R`. */
const fieldsOf = <R>() => {
  const calls = <H>(kind: string, of: (ref: R) => H, table: { readonly [name: string]: Op.Call<H> }) =>
    Object.entries(table).map(([name, call]) =>
      [`${kind}.${name}`, (ref: R, random: Random) => call(of(ref), random)] as const
    )
  return {
    scalar: <H>(
      name: string,
      kind: string,
      of: (ref: R) => H,
      table: Op.Table<NoInfer<H>>,
      stored?: Stored
    ): FieldCase => ({ name, stored, calls: calls(kind, of, table as any) }),
    list: <H extends Field.List<any, any>>(
      name: string,
      itemKind: string,
      of: (ref: R) => H,
      table: Op.Table<Omit<NoInfer<H>, "at">>,
      item: Op.Table<ReturnType<NoInfer<H>["at"]>>,
      stored: Stored
    ): FieldCase => ({
      name,
      stored,
      calls: [...calls("list", of, table as any), ...calls(`item ${itemKind}`, of, Op.at(item) as any)]
    })
  }
}

// Hero: a class, one text as its key

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
const deep = build({ seen: oneOf(true, false), log: listOf(entry) }) as Gen<any>
const stats = build({ wins: integer(-50, 50), ratio: float(-1, 1), deep }) as Gen<any>

const heroFields = {
  name: text(),
  title: text(2, 8),
  coins: integer(0, 50),
  level: integer(1, 20),
  score: float(-10, 10),
  alive: oneOf(true, false),
  role: oneOf("mage", "thief", "ranger"),
  bag,
  nick: absent(text(0, 6)),
  age: absent(integer(-50, 50)),
  tags: listOf(text()),
  marks: listOf(integer(-10, 10)),
  stats
}

const hero = fieldsOf<Model.Ref<typeof Hero>>()

const heroCase: ModelCase = {
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
      deep: patchOf({ seen: oneOf(true, false), log: listOf(entry) })
    })
  }),
  fields: [
    hero.scalar("name", "text", (ref) => ref.name, Op.text(text()), leaf("name", rawText, rawText)),
    hero.scalar("title", "text", (ref) => ref.title, Op.text(text(2, 8)), leaf("title", text(2, 8), longText)),
    hero.scalar(
      "coins",
      "integer",
      (ref) => ref.coins,
      Op.number(integer(0, 50), true),
      leaf("coins", rawInteger(0, 50), badInteger)
    ),
    hero.scalar(
      "level",
      "integer",
      (ref) => ref.level,
      Op.number(integer(1, 20), true),
      leaf("level", rawInteger(1, 20), badInteger)
    ),
    hero.scalar(
      "score",
      "number",
      (ref) => ref.score,
      Op.number(float(-10, 10), false),
      leaf("score", rawFloat(-10, 10), badFloat)
    ),
    hero.scalar("alive", "boolean", (ref) => ref.alive, Op.bool, leaf("alive", rawBoolean, badBoolean)),
    hero.scalar(
      "role",
      "literal",
      (ref) => ref.role,
      Op.word(oneOf<Hero["role"]>("mage", "thief", "ranger")),
      leaf("role", (random) => random.pick(["mage", "thief", "ranger"]), rawText)
    ),
    hero.scalar(
      "bag",
      "json",
      (ref) => ref.bag,
      Op.value(bag),
      leaf("bag", (random) => random.pick(["{}", "{\"a\":1}", "{ \"b\": 2, \"a\": 1 }"]), badJson)
    ),
    hero.scalar(
      "nick",
      "optional",
      (ref) => ref.nick,
      Op.optional(text(0, 6)),
      leaf("nick", text(0, 6), longText)
    ),
    hero.scalar(
      "age",
      "optional",
      (ref) => ref.age,
      Op.optional(integer(-50, 50)),
      leaf("age", rawInteger(-50, 50), badInteger)
    ),
    hero.list(
      "tags",
      "text",
      (ref) => ref.tags,
      Op.list(text(), listOf(text())),
      Op.text(text()),
      items("tags", rawText, rawText)
    ),
    hero.list(
      "marks",
      "integer",
      (ref) => ref.marks,
      Op.list(integer(-10, 10), listOf(integer(-10, 10))),
      Op.number(integer(-10, 10), true),
      items("marks", rawInteger(-10, 10), badInteger)
    ),
    hero.scalar("stats", "whole", (ref) => ref.stats.$, Op.whole(stats)),
    hero.scalar(
      "stats.wins",
      "integer",
      (ref) => ref.stats.wins,
      Op.number(integer(-50, 50), true),
      leaf("stats.wins", rawInteger(-50, 50), badInteger)
    ),
    hero.scalar(
      "stats.ratio",
      "number",
      (ref) => ref.stats.ratio,
      Op.number(float(-1, 1), false),
      leaf("stats.ratio", rawFloat(-1, 1), badFloat)
    ),
    hero.scalar("stats.deep", "whole", (ref) => ref.stats.deep.$, Op.whole(deep)),
    hero.scalar(
      "stats.deep.seen",
      "boolean",
      (ref) => ref.stats.deep.seen,
      Op.bool,
      leaf("stats.deep.seen", rawBoolean, badBoolean)
    ),
    hero.list(
      "stats.deep.log",
      "json",
      (ref) => ref.stats.deep.log,
      Op.list(entry, listOf(entry)),
      Op.value(entry),
      items("stats.deep.log", (random) => random.pick(["{\"at\":1}", "{\"what\":\"x\",\"at\":2}"]), badJson)
    )
  ]
}

// Cart: plain objects, a tuple as its key, the slot of one component; checks that the server can't evaluate

const Line = Schema.Tuple([Schema.String, Schema.Int])

const Cart = Model.make("Cart: {a}", {
  user: Schema.String,
  number: Schema.Int,
  code: Schema.String.check(Schema.isPattern(/^[a-z]*$/)),
  price: Schema.Number.check(Schema.isGreaterThan(0), Schema.isLessThan(100)),
  quantity: Schema.Int.check(
    Schema.isBetween({ minimum: 0, maximum: 30, exclusiveMinimum: true, exclusiveMaximum: true })
  ),
  even: Schema.Int.check(Schema.makeFilter((n) => n % 2 === 0)),
  state: Schema.optionalKey(Schema.Literals(["open", "paid"])),
  lines: Schema.Array(Line).check(Schema.isMinLength(1), Schema.isMaxLength(4)),
  flags: Schema.Array(Schema.Boolean),
  once: Schema.Array(Schema.Number).check(Schema.isUnique())
}, { key: ["user", "number"], slot: "user" })

const line: Gen<readonly [string, number]> = (random) =>
  random.wild() ? foreign(random) : [random.pick(tame), random.int(0, 3)]
const code = oneOf("", "abc", "zz", "A", "a1")
const even = oneOf(0, 2, -4, 8, 3)
const unique: Gen<ReadonlyArray<number>> = (random) =>
  random.wild() ? [1, 1] : random.pick([[], [1], [0.5, 2], [3, 2, 1]])

const cartFields = {
  code: oneOf("", "abc", "zz"),
  price: float(0, 100),
  quantity: integer(1, 29),
  even: oneOf(0, 2, -4, 8),
  state: absent(oneOf("open", "paid")),
  lines: listOf(line, 1, 4),
  flags: listOf(oneOf(true, false)),
  once: unique
}

const cart = fieldsOf<Model.Ref<typeof Cart>>()

const cartCase: ModelCase = {
  name: "Cart",
  model: Cart as Model.Any,
  ids: (world) => [
    [[`w${world}`, 1], `Cart%3A%20%7Ba%7D:{w${world}}:1`],
    [[`w${world}:%`, -2], `Cart%3A%20%7Ba%7D:{w${world}%3A%25}:-2`]
  ],
  entity: (random, id) => ({
    user: (id as [string, number])[0],
    number: (id as [string, number])[1],
    ...build(cartFields)(random)
  }),
  patch: patchOf(cartFields),
  fields: [
    refusing(cart.scalar("code", "text", (ref) => ref.code, Op.text(code), leaf("code", code, rawText))),
    cart.scalar(
      "price",
      "number",
      (ref) => ref.price,
      Op.number(float(0, 100), false),
      leaf("price", rawFloat(0, 100), badFloat)
    ),
    cart.scalar(
      "quantity",
      "integer",
      (ref) => ref.quantity,
      Op.number(integer(1, 29), true),
      leaf("quantity", rawInteger(1, 29), badInteger)
    ),
    refusing(cart.scalar(
      "even",
      "integer",
      (ref) => ref.even,
      Op.number(even, true),
      leaf("even", rawInteger(0, 8), badInteger)
    )),
    cart.scalar(
      "state",
      "optional",
      (ref) => ref.state,
      Op.optional(oneOf<"open" | "paid">("open", "paid")),
      leaf("state", (random) => random.pick(["open", "paid"]), rawText)
    ),
    cart.list(
      "lines",
      "json",
      (ref) => ref.lines,
      Op.list(line, listOf(line, 1, 4)),
      Op.value(line),
      items("lines", (random) => random.pick(["[\"a\",1]", "[ \"b\", 2 ]"]), badJson)
    ),
    cart.list(
      "flags",
      "boolean",
      (ref) => ref.flags,
      Op.list(oneOf(true, false), listOf(oneOf(true, false))),
      Op.bool,
      items("flags", rawBoolean, badBoolean)
    ),
    refusing(cart.list(
      "once",
      "number",
      (ref) => ref.once,
      Op.list(float(-5, 5), unique),
      Op.number(float(-5, 5), false),
      items("once", rawFloat(-5, 5), badFloat)
    ))
  ]
}

// Day: a date as its key, partitions as its slot; defaults, names that are escaped, values that may be null or undefined

const Brand = Schema.String.pipe(Schema.brand("Code"))
const Color = Schema.Enum({ Red: "red", Blue: "blue" } as const)

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
}, { key: "date", slot: { partitions: 3 } })

const brand = text() as Gen<any>
const limit = oneOf(null, 1, 2, -3)
const maybe = absent(float(-2, 2))
const color = oneOf<"red" | "blue">("red", "blue")

const dayFields = {
  "odd.name": absent(integer(-50, 50)),
  ratio: absent(float(0, 1)),
  open: absent(oneOf(true, false)),
  color,
  brand,
  limit,
  // it may be undefined, but not be left out
  maybe: (random: Random) => maybe(random) ?? 0.25,
  "a list: {}": listOf(brand),
  sums: listOf(float(-5, 5), 2)
}

const day = fieldsOf<Model.Ref<typeof Day>>()

const dayCase: ModelCase = {
  name: "Day",
  model: Day as Model.Any,
  ids: (world) =>
    [world * 86_400_000, -1 - world].map((millis) => [
      new Date(millis),
      `Day:{p${crc16(String(millis)) % 3}}:${millis}`
    ]),
  entity: (random, id) => ({ date: id, ...build(dayFields)(random) }),
  patch: patchOf({ ...dayFields, maybe }),
  fields: [
    day.scalar(
      "odd.name",
      "integer",
      (ref) => ref["odd.name"],
      Op.number(integer(-50, 50), true),
      leaf("odd%2Ename", rawInteger(-50, 50), badInteger)
    ),
    day.scalar(
      "ratio",
      "number",
      (ref) => ref.ratio,
      Op.number(float(0, 1), false),
      leaf("ratio", rawFloat(0, 1), badFloat)
    ),
    day.scalar("open", "boolean", (ref) => ref.open, Op.bool, leaf("open", rawBoolean, badBoolean)),
    day.scalar(
      "color",
      "literal",
      (ref) => ref.color,
      Op.word(color),
      leaf("color", (random) => random.pick(["red", "blue"]), rawText)
    ),
    day.scalar("brand", "branded text", (ref) => ref.brand, Op.word(brand), leaf("brand", rawText, rawText)),
    day.scalar(
      "limit",
      "json",
      (ref) => ref.limit,
      Op.value<number | null>(limit),
      leaf("limit", (random) => random.pick(["null", "1", "2", "-3", "1.0"]), badJson)
    ),
    day.scalar(
      "maybe",
      "optional",
      (ref) => ref.maybe,
      Op.optional(float(-2, 2)),
      leaf("maybe", rawFloat(-2, 2), badFloat)
    ),
    day.list(
      "a list: {}",
      "branded text",
      (ref) => ref["a list: {}"],
      Op.list(brand, listOf(brand)),
      Op.word(brand),
      items("a%20list%3A%20%7B%7D", rawText, rawText)
    ),
    day.list(
      "sums",
      "number",
      (ref) => ref.sums,
      Op.list(float(-5, 5), listOf(float(-5, 5), 2)),
      Op.number(float(-5, 5), false),
      items("sums", rawFloat(-5, 5), badFloat)
    )
  ]
}

// Note: a generated id

const Note = Model.make("Note", {
  body: Schema.String.check(Schema.isMaxLength(6)),
  views: Schema.Int.check(Schema.isLessThanOrEqualTo(60)).pipe(Model.withDefault(0)),
  marks: Schema.Array(Schema.Finite).check(Schema.isMinLength(2)),
  visits: Schema.Array(Schema.Int).check(Schema.isMaxLength(3))
})

const noteFields = {
  body: text(0, 6),
  views: absent(integer(-50, 50)),
  marks: listOf(float(-5, 5), 2, 4),
  visits: listOf(integer(-50, 50), 0, 3)
}

const note = fieldsOf<Model.Ref<typeof Note>>()

const noteCase: ModelCase = {
  name: "Note",
  model: Note as Model.Any,
  ids: (world) => [[`w${world}`, `Note:{w${world}}`], [`w${world}"`, `Note:{w${world}%22}`]],
  entity: (random, id) => ({ ...(random.chance(0.2) ? undefined : { id }), ...build(noteFields)(random) }),
  patch: (random) => random.wild() ? { id: "another" } : patchOf(noteFields)(random),
  fields: [
    note.scalar("body", "text", (ref) => ref.body, Op.text(text(0, 6)), leaf("body", text(0, 6), longText)),
    note.scalar(
      "views",
      "integer",
      (ref) => ref.views,
      Op.number(integer(-50, 50), true),
      leaf("views", rawInteger(-50, 50), badInteger)
    ),
    note.list(
      "marks",
      "number",
      (ref) => ref.marks,
      Op.list(float(-5, 5), listOf(float(-5, 5), 2, 4)),
      Op.number(float(-5, 5), false),
      items("marks", rawFloat(-5, 5), badFloat)
    ),
    note.list(
      "visits",
      "integer",
      (ref) => ref.visits,
      Op.list(integer(-50, 50), listOf(integer(-50, 50), 0, 3)),
      Op.number(integer(-50, 50), true),
      items("visits", rawInteger(-50, 50), badInteger)
    )
  ]
}

export const modelCases: ReadonlyArray<ModelCase> = [heroCase, cartCase, dayCase, noteCase]

/** The programs on whole entities, the same for every model. */
export const entityCalls = (
  self: ModelCase
): ReadonlyArray<readonly [operation: string, call: Op.Call<Op.Target>]> =>
  Object.entries(Op.entity(self.entity, self.patch)).map(([name, call]) => [`model.${name}`, call] as const)
