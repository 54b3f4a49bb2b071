/**
 * The encoding of index values on a real server: Lua's equals TypeScript's to the byte, and the order of a sorted set by its
 * members is the order of the values, which this file compares by meaning.
 */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { PartCode, Range } from "../../src/internal/text/orderCode.ts"
import * as OrderCode from "../../src/internal/text/orderCode.ts"
import { describeOwnServer } from "../support/Backends.ts"
import * as RawRedis from "../support/RawRedis.ts"
import * as RedisServer from "../support/RedisServer.ts"

// ---------------------------------------------------------------------------------------------------------------------
// The Lua functions, as the script will have them
// ---------------------------------------------------------------------------------------------------------------------

const folder = new URL("../../src/internal/redis/lua/", import.meta.url)

const familyOf = (name: string, ...files: ReadonlyArray<string>): string =>
  `local function ${name}()\n${files.map((file) => readFileSync(new URL(file, folder), "utf8")).join("\n")}\nend\n`

const families = [
  familyOf("makeOrderCodes", "parseNumber.lua", "orderCode.lua"),
  familyOf("makeMemberIds", "memberId.lua")
]

/** Runs a body with the functions of both families, and the names that `input.lua` and `call.lua` define for these. */
const script = (body: string): string => `
local find, format, MAX_SAFE = string.find, string.format, 9007199254740991
${families.join("")}
local orderCode, idOf = makeOrderCodes(), makeMemberIds()
${body}`

/** ARGV: codes, then the texts and the id of each member. A text has `+` before it; `-` is an absent one. */
const memberScript = script(`
local codes, reply = ARGV[1], {}
local at = 2
while at <= #ARGV do
  local member = {}
  for i = 1, #codes do
    local text = string.sub(ARGV[at], 1, 1) == "+" and string.sub(ARGV[at], 2) or nil
    member[i] = orderCode.encode(string.sub(codes, i, i), text)
    at = at + 1
  end
  member = table.concat(member) .. orderCode.escape(ARGV[at])
  redis.call("ZADD", KEYS[1], 0, member)
  reply[#reply + 1] = member
  reply[#reply + 1] = idOf(member, codes)
  at = at + 1
end
return reply`)

const encodeScript = script(`
local reply = {}
for i = 2, #ARGV do reply[i - 1] = orderCode.encode(ARGV[1], ARGV[i]) or false end
return reply`)

// ---------------------------------------------------------------------------------------------------------------------
// Random values
// ---------------------------------------------------------------------------------------------------------------------

/** A linear congruential generator, so that a failure can be repeated. */
let state = 20_260_801n
const random = (n: number): number => {
  state = (state * 6364136223846793005n + 1442695040888963407n) & 0xffffffffffffffffn
  return Number((state >> 33n) % BigInt(n))
}
const pick = <A>(values: ReadonlyArray<A>): A => values[random(values.length)]!
const fraction = (): number => random(2 ** 31) / 2 ** 31

const units = [
  "\u0000",
  "\u0001",
  "\u0002",
  "\u0003",
  "\t",
  " ",
  "!",
  "\"",
  "\\",
  "/",
  "0",
  "9",
  "A",
  "Z",
  "_",
  "a",
  "aa",
  "b",
  "z",
  "~",
  "\u007f",
  "\u0080",
  "é",
  "e\u0301",
  "ÿ",
  "ß",
  "߿",
  "ࠀ",
  "中",
  "\u2028",
  "\ud7ff",
  "\ue000",
  "\ufffd",
  "\uffff",
  "𐀀",
  "😀",
  "👩‍👩‍👧",
  "\u{10ffff}"
] as const

const text = (): string => Array.from({ length: pick([0, 1, 1, 2, 2, 3, 5, 20]) }, () => pick(units)).join("")

const someIntegers: ReadonlyArray<bigint> = [
  0n,
  ...Array.from({ length: 40 }, (_, i) => 10n ** BigInt(i)),
  2n ** 31n,
  2n ** 32n,
  2n ** 53n,
  2n ** 63n,
  2n ** 64n,
  10n ** 315n,
  10n ** 998n
]

const integer = (): bigint => {
  const size = pick([8, 20, 53, 63, 63, 90])
  const n = random(4) === 0
    ? pick(someIntegers) + BigInt(random(3) - 1)
    : BigInt(Math.floor(fraction() * 2 ** Math.min(size, 53))) << BigInt(Math.max(0, size - 53))
  return random(2) === 0 ? n : -n
}

const view = new DataView(new ArrayBuffer(8))

const double = (): number => {
  switch (random(4)) {
    case 0:
      return pick([
        0,
        -0,
        1,
        -1,
        0.1,
        0.5,
        1.5,
        2 ** 53,
        2 ** 53 - 1,
        2 ** 53 + 2,
        1e21,
        1e-7,
        5e-324,
        2.2250738585072014e-308,
        2.225073858507201e-308,
        Number.MAX_VALUE,
        Infinity
      ]) * pick([1, -1])
    case 1:
      return (random(2001) - 1000) / pick([1, 10, 100])
    default: {
      view.setUint32(0, random(2 ** 31) * 2 + random(2))
      view.setUint32(4, random(2 ** 31) * 2 + random(2))
      // a few exponents, so that neighbours differ in their last digits
      if (random(2) === 0) view.setUint16(0, pick([0x0000, 0x000f, 0x3ff0, 0xbff0, 0x8000, 0x7fef]))
      const n = view.getFloat64(0)
      return Number.isNaN(n) ? 0 : n
    }
  }
}

interface Value {
  /** As it is stored. */
  readonly stored: string | undefined
  /** It is compared by this: a text by its bytes. */
  readonly meaning: bigint | number | boolean | Buffer | undefined
}

const storedAs = (meaning: bigint | number | boolean): Value => ({ stored: String(meaning), meaning })

const valuesOf: Record<Lowercase<PartCode>, () => Value> = {
  i: () => storedAs(integer()),
  d: () => storedAs(double()),
  b: () => storedAs(random(2) === 0),
  s: () => {
    const stored = text()
    return { stored, meaning: Buffer.from(stored) }
  },
  j: () => {
    const value = text()
    return { stored: JSON.stringify(value), meaning: Buffer.from(value) }
  }
}

const valueOf = (code: string): Value =>
  code < "a" && random(3) === 0
    ? { stored: undefined, meaning: undefined }
    : valuesOf[code.toLowerCase() as Lowercase<PartCode>]()

/** The order of two values by meaning. */
const compare = (a: Value["meaning"], b: Value["meaning"]): number => {
  if (a === undefined || b === undefined) return Number(a !== undefined) - Number(b !== undefined)
  return Buffer.isBuffer(a) ? Buffer.compare(a, b as Buffer) : a < b ? -1 : a > b ? 1 : 0
}

interface Row {
  readonly values: ReadonlyArray<Value>
  readonly id: Buffer
  readonly member: string
}

const rowOf = (codes: string): Row => {
  const values = Array.from(codes, valueOf)
  const parts = values.map(({ stored }, i) => OrderCode.encode(codes[i] as PartCode, stored)!)
  const id = text()
  return { values, id: Buffer.from(id), member: OrderCode.memberOf(parts, id) }
}

const compareRows = (a: Row, b: Row): number => {
  for (let i = 0; i < a.values.length; i++) {
    const order = compare(a.values[i]!.meaning, b.values[i]!.meaning)
    if (order !== 0) return order
  }
  return compare(a.id, b.id)
}

// ---------------------------------------------------------------------------------------------------------------------
// The checks
// ---------------------------------------------------------------------------------------------------------------------

/** Each shape is sorted as a whole, so the order of all pairs of its members is checked. */
const shapes = ["i", "d", "b", "s", "j", "ss", "sd", "bis", "Si", "IDjb"]
const count = 10_000
const chunk = 1000

const texts = (reply: unknown): ReadonlyArray<string> =>
  (reply as ReadonlyArray<Buffer>).map((bytes) => bytes.toString("utf8"))

const checkShape = Effect.fnUntraced(function*(raw: RawRedis.RawRedis, codes: string) {
  const rows = Array.from({ length: count }, () => rowOf(codes))
  const key = `index:${codes}`
  for (let from = 0; from < count; from += chunk) {
    const some = rows.slice(from, from + chunk)
    const reply = yield* raw.callBuffer(
      "EVAL",
      memberScript,
      "1",
      key,
      codes,
      ...some.flatMap(({ id, values }) => [
        ...values.map(({ stored }) => stored === undefined ? "-" : `+${stored}`),
        id
      ])
    )
    // bytes, because a text of invalid UTF-8 could equal another one
    const expected = some.flatMap(({ id, member }) => [Buffer.from(member), id])
    const answers = reply as ReadonlyArray<Buffer>
    assert.strictEqual(answers.length, expected.length)
    for (const [i, bytes] of expected.entries()) {
      if (!bytes.equals(answers[i]!)) assert.strictEqual(answers[i]!.toString("hex"), bytes.toString("hex"))
    }
    for (const { id, member } of some) assert.strictEqual(OrderCode.idOf(member, codes), id.toString())
  }
  // rows that are equal by meaning have one member
  const sorted = rows.toSorted(compareRows)
  const distinct = sorted.filter((row, i) => i === 0 || compareRows(sorted[i - 1]!, row) !== 0)
  const found = texts(yield* raw.callBuffer("ZRANGE", key, "-", "+", "BYLEX"))
  assert.deepStrictEqual(found, distinct.map(({ member }) => member))
  return distinct
})

const lexRange = ({ from, to }: Range): [string, string] => [`[${from}`, to === undefined ? "+" : `(${to}`]

const holds = (order: number, name: string): boolean =>
  name === "gt" ? order > 0 : name === "gte" ? order >= 0 : name === "lt" ? order < 0 : order <= 0

/** Compares ranges of the set with what their meaning selects. The first part is equal to one of a row, the second is bounded. */
const checkRanges = Effect.fnUntraced(function*(raw: RawRedis.RawRedis, codes: string, rows: ReadonlyArray<Row>) {
  const key = `index:${codes}`
  const code = codes[codes.length - 1] as PartCode
  for (let i = 0; i < 20; i++) {
    const { values } = pick(rows)
    const prefix = codes.length === 1 ? "" : OrderCode.encode(codes[0] as PartCode, values[0]!.stored)!
    const last = codes.length - 1
    const below = rows.filter((row) => last === 0 || compare(row.values[0]!.meaning, values[0]!.meaning) === 0)
    const names = pick<ReadonlyArray<keyof OrderCode.Bounds>>([
      [],
      ["gt"],
      ["gte"],
      ["lt"],
      ["lte"],
      ["gt", "lt"],
      ["gte", "lte"],
      ["gt", "gte", "lt", "lte"]
    ])
    const bounds = names.map((name) => [name, random(2) === 0 ? pick(rows).values[last]! : valueOf(code)] as const)
    const range = OrderCode.rangeOf(
      prefix,
      Object.fromEntries(bounds.map(([name, { stored }]) => [name, OrderCode.encode(code, stored)!]))
    )
    const expected = below.filter((row) =>
      bounds.every(([name, { meaning }]) => holds(compare(row.values[last]!.meaning, meaning), name))
    )
    assert.deepStrictEqual(
      texts(yield* raw.callBuffer("ZRANGE", key, ...lexRange(range), "BYLEX")),
      expected.map(({ member }) => member)
    )
    if (code !== "s") continue
    const start = text()
    const bytes = Buffer.from(start)
    const starting = below.filter(({ values }) =>
      (values[last]!.meaning as Buffer).subarray(0, bytes.length).equals(bytes)
    )
    assert.deepStrictEqual(
      texts(yield* raw.callBuffer("ZRANGE", key, ...lexRange(OrderCode.textRangeOf(prefix, start)), "BYLEX")),
      starting.map(({ member }) => member)
    )
  }
})

/** Texts that are no value of their code, or not as the library writes it. */
const unusual: Record<Lowercase<PartCode>, ReadonlyArray<string>> = {
  i: [
    "",
    "-",
    "00",
    "-0",
    "-00",
    "007",
    "-007",
    "+1",
    " 1",
    "1 ",
    "1\u0000",
    "0x10",
    "1.0",
    "-1.0",
    "-0.0",
    "1.5",
    "1e3",
    "1e-1",
    "12e-1",
    "1e400",
    "9007199254740991.0",
    "9007199254740993.0",
    "nan",
    "inf",
    "NaN",
    "Infinity",
    "a",
    "9".repeat(25),
    "9".repeat(26),
    `-${"9".repeat(25)}`,
    `-${"9".repeat(26)}`,
    `-${"1".repeat(5000)}`
  ],
  d: [
    "",
    "-",
    "-0",
    "-0.0",
    "007",
    "+1",
    " 1",
    "0x10",
    "0x1p3",
    "1.",
    ".5",
    "1e",
    "1e400",
    "-1e400",
    "1e-400",
    "-1e-400",
    "inf",
    "-inf",
    "nan",
    "NaN",
    "Infinity",
    "-Infinity",
    "+Infinity",
    "infinity",
    "1e+21",
    "1E3",
    "1_0"
  ],
  b: ["", "true", "false", "1", "0", "TRUE", "True", "null"],
  s: ["", "\u0000", "\u0001", "null"],
  j: [
    "",
    "\"",
    "\"\"",
    "\"a\"",
    "a",
    "1",
    "null",
    "true",
    "[]",
    "{}",
    "\"a\",\"b\"",
    "\"a\"]",
    "\"\\u0000\\u0001\"",
    "\"\\ud83d\\ude00\"",
    "\"\\ud800\"",
    "\"\u007f\""
  ]
}

const checkUnusual = Effect.fnUntraced(function*(raw: RawRedis.RawRedis) {
  for (const [code, stored] of Object.entries(unusual)) {
    for (const used of [code, code.toUpperCase()]) {
      const found = yield* raw.call("EVAL", encodeScript, "0", used, ...stored)
      assert.deepStrictEqual(found, stored.map((text) => OrderCode.encode(used as PartCode, text) ?? null))
    }
  }
})

const check = Effect.fnUntraced(function*(env?: Readonly<Record<string, string>>) {
  const server = yield* RedisServer.start({ env })
  const raw = yield* RawRedis.make(server.url)
  for (const codes of shapes) {
    const rows = yield* checkShape(raw, codes)
    if (codes.length < 3 && codes !== codes.toUpperCase()) yield* checkRanges(raw, codes, rows)
  }
  yield* checkUnusual(raw)
  return raw
})

// ---------------------------------------------------------------------------------------------------------------------
// A locale that sorts otherwise
// ---------------------------------------------------------------------------------------------------------------------

const run = (command: string, ...args: ReadonlyArray<string>): string | undefined => {
  try {
    return execFileSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] })
  } catch {
    // the command is missing, or refuses
    return undefined
  }
}

/** The variables of a locale in which `a` comes before `B`: one of the machine, or else one that is compiled here. */
const collating = Effect.gen(function*() {
  const installed = run("locale", "-a")?.split("\n").find((name) => /^(?!C\b|POSIX).*utf-?8$/i.test(name))
  if (installed !== undefined) return { LC_ALL: installed }
  const directory = yield* Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "redlayer-locale-"))),
    (directory) => Effect.sync(() => rmSync(directory, { recursive: true, force: true }))
  )
  const compiled = run("localedef", "-i", "en_US", "-f", "UTF-8", join(directory, "en_US.UTF-8"))
  return compiled === undefined ? undefined : { LOCPATH: directory, LC_ALL: "en_US.UTF-8" }
})

describeOwnServer("the order of index values", () => {
  it.live(
    "100,000 members have the order of their values, and Lua makes the same ones",
    () => check(),
    120_000
  )

  it.live(
    "100,000 members have that order on a server whose locale sorts texts otherwise, if the machine has such a locale",
    () =>
      Effect.gen(function*() {
        const env = yield* collating
        if (env === undefined) {
          console.warn("The order of index values: this machine has no locale but C, so no other one was tried")
          return
        }
        const raw = yield* check(env)
        // so the locale was in use
        assert.strictEqual(yield* raw.call("EVAL", "return 'a' < 'B' and 1 or 0", "0"), 1)
      }),
    120_000
  )
})
