/**
 * The encoding of index values, at its edges: the forms, texts without a place in the order, ranges, and the code of each schema.
 * `test/live/orderCode.test.ts` compares random values with a server.
 */
import { assert, it } from "@effect/vitest"
import { DateTime, Duration, Schema } from "effect"
import { Model } from "redlayer"
import { orderCodeOf } from "../../src/internal/schema/orderCodeOf.ts"
import { encodeLeaf, type Leaf, struct } from "../../src/internal/schema/plan.ts"
import type { OrderCode, PartCode } from "../../src/internal/text/orderCode.ts"
import {
  absent,
  after,
  encode,
  idOf,
  memberOf,
  present,
  rangeOf,
  textRangeOf
} from "../../src/internal/text/orderCode.ts"
import { compareBytes } from "../../src/internal/text/textOrder.ts"
import { describeMemory } from "../support/Backends.ts"

/** Asserts that texts in ascending order have encodings in ascending order. */
const assertAscending = (code: PartCode, texts: ReadonlyArray<string | undefined>): void => {
  const parts = texts.map((text) => encode(code, text)!)
  for (let i = 1; i < parts.length; i++) {
    assert.isBelow(compareBytes(parts[i - 1]!, parts[i]!), 0, `${texts[i - 1]} comes before ${texts[i]}`)
    assert.isBelow(Buffer.compare(Buffer.from(parts[i - 1]!), Buffer.from(parts[i]!)), 0)
    // those that begin with a part would stand directly behind it
    assert.isFalse(parts[i]!.startsWith(parts[i - 1]!))
  }
}

const assertEncoded = (code: PartCode, expected: Readonly<Record<string, string | undefined>>): void => {
  for (const [text, part] of Object.entries(expected)) {
    assert.strictEqual(encode(code, text), part, `${code} of ${text}`)
  }
}

/** The leaf of a field with this schema. */
const leafOf = (schema: Schema.Top): Leaf => {
  const { fields } = struct({ field: schema }, [], (fields) => fields, undefined, "", "", undefined)
  return fields[0]![1] as Leaf
}

// as enums are at run time
const Size = { small: "small", large: "large" } as const
const Level = { low: 1, high: 10 } as const

const utc = (text: string): DateTime.Utc => DateTime.makeUnsafe(text)

/** Each schema, its code, and values of it in their order. */
const schemas: ReadonlyArray<readonly [Schema.Top, OrderCode | undefined, ReadonlyArray<unknown>]> = [
  [Schema.String, "s", ["", "\u0000", "\u0001", "!", "A", "a", "é", "\uffff", "😀"]],
  [Schema.String.check(Schema.isMinLength(1)), "s", ["a", "a\u0000", "a\u0001", "a!"]],
  [Schema.String.pipe(Schema.brand("Name")), "s", ["a", "b"]],
  [Schema.Int, "i", [-Number.MAX_SAFE_INTEGER, -10, -9, -1, 0, 1, 9, 10, Number.MAX_SAFE_INTEGER]],
  [Schema.Int.pipe(Schema.brand("Coins")), "i", [-2, -1, 3]],
  [Schema.Number, "d", [-Infinity, -1e300, -1.5, -5e-324, -0, 5e-324, 0.1, 2, 10, 1e21, Infinity]],
  [Schema.Finite, "d", [-2, -1.5, 0, 1e-7, 3]],
  [Schema.BigInt, "i", [-(2n ** 63n), -(2n ** 53n) - 1n, -1n, 0n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 63n - 1n]],
  [Schema.Date, "i", [
    new Date(-8.64e15),
    new Date("1969-12-31"),
    new Date(0),
    new Date("2026-01-01"),
    new Date(8.64e15)
  ]],
  [Schema.DateTimeUtc, "i", [utc("1900-01-01"), utc("1970-01-01"), utc("2026-01-01")]],
  [
    Schema.Duration,
    "i",
    [
      Duration.millis(-1),
      Duration.zero,
      Duration.nanos(1n),
      Duration.millis(1),
      Duration.days(9),
      Duration.millis(1e300)
    ]
  ],
  [Schema.Boolean, "b", [false, true]],
  [Schema.Literal("a"), "s", ["a"]],
  [Schema.Literals(["live", "draft"]), "s", ["draft", "live"]],
  [Schema.Literals([10, 9, -1]), "d", [-1, 9, 10]],
  [Schema.Literals([true, false]), "b", [false, true]],
  [Schema.Literals(["a", 1]), undefined, []],
  [Schema.Literal(1n), undefined, []],
  [Schema.Enum(Size), "s", [Size.large, Size.small]],
  [Schema.Enum(Level), "d", [Level.low, Level.high]],
  [Schema.TemplateLiteral(["a-", Schema.String]), "j", ["a-", "a-\u0000", "a-\"", "a-\\", "a-a", "a-é"]],
  [Schema.optionalKey(Schema.String), "s", ["a", "b"]],
  [Schema.optional(Schema.Int), "i", [2, 10]],
  [Schema.UndefinedOr(Schema.Date), "i", [new Date(9), new Date(10)]],
  [Schema.NullOr(Schema.Int), "i", [2, 10]],
  [Schema.NullOr(Schema.Boolean), "b", [false, true]],
  [Schema.NullOr(Schema.String), "j", ["", "\u0000", "\u0001", "\"", "\\", "a", "null", "😀"]],
  [Schema.NullOr(Schema.Literals(["a", "b"])), "j", ["a", "b"]],
  [Schema.NullOr(Schema.Literals([2, 10])), "d", [2, 10]],
  [Model.json(Schema.String), "j", ["a", "b"]],
  [Schema.Int.pipe(Model.withDefault(3)), "i", [2, 10]],
  [Schema.Null, undefined, []],
  [Schema.Union([Schema.String, Schema.Int]), undefined, []],
  [Schema.FiniteFromString, undefined, []],
  [Schema.Trim, undefined, []],
  [Schema.Uint8Array, undefined, []],
  [Schema.Json, undefined, []],
  [Schema.Unknown, undefined, []],
  [Model.json(Schema.Struct({ a: Schema.Int })), undefined, []],
  [Schema.OptionFromOptionalKey(Schema.String), undefined, []]
]

describeMemory("the order of index values", () => {
  it("an integer begins with its number of digits, and has nine minus each digit below zero", () => {
    assertEncoded("i", {
      0: "a0",
      9: "a9",
      10: "b10",
      42: "b42",
      "-1": "Z8",
      "-9": "Z0",
      "-10": "Y89",
      "-12": "Y87",
      "-99": "Y00"
    })
    assertEncoded("i", {
      "9007199254740992": "p9007199254740992",
      "-9007199254740992": "K0992800745259007",
      "9223372036854775807": "s9223372036854775807",
      "-9223372036854775808": "H0776627963145224191"
    })
    const [digits, more] = ["7".repeat(25), "7".repeat(26)]
    assertEncoded("i", {
      [digits]: `y${digits}`,
      [more]: `zb26${more}`,
      [`-${digits}`]: `B${"2".repeat(25)}`,
      [`-${more}`]: `AY73${"2".repeat(26)}`
    })
    const sizes = Array.from({ length: 400 }, (_, i) => `1${"0".repeat(i)}`)
    assertAscending("i", [...sizes.toReversed().map((text) => `-${text}`), "0", ...sizes])
  })

  it("an integer that is not stored as the library writes it has the place of its value", () => {
    assertEncoded("i", { "-0": "a0", "007": "a7", "-007": "Z2", "1.0": "a1", "1e3": "d1000", "-0.0": "a0" })
    assertEncoded("i", {
      "": undefined,
      "-": undefined,
      "1.5": undefined,
      "0x10": undefined,
      " 1": undefined,
      "1e400": undefined
    })
  })

  it("a double is 16 digits of its bits, with the sign flipped, and with all of them flipped below zero", () => {
    assertEncoded("d", {
      "0": "8000000000000000",
      "-0": "8000000000000000",
      "1": "bff0000000000000",
      "-1": "400fffffffffffff",
      "5e-324": "8000000000000001",
      "-5e-324": "7ffffffffffffffe",
      "Infinity": "fff0000000000000",
      "-Infinity": "000fffffffffffff",
      "NaN": undefined,
      "1e400": undefined,
      "inf": undefined,
      "": undefined
    })
    const ascending = [
      5e-324,
      2.225073858507201e-308,
      2.2250738585072014e-308,
      0.1,
      1,
      2 ** 53 - 1,
      2 ** 53,
      1e21,
      Number.MAX_VALUE
    ]
    assertAscending("d", [-Infinity, ...ascending.toReversed().map((n) => -n), 0, ...ascending, Infinity].map(String))
  })

  it("a text ends with NUL, and no text that it begins with comes after it", () => {
    assertEncoded("s", {
      "": "\u0000",
      "ab": "ab\u0000",
      "a\u0000b": "a\u0001\u0001b\u0000",
      "a\u0001b": "a\u0001\u0002b\u0000",
      "\ud800": undefined,
      "a\udc00": undefined
    })
    assertAscending("s", [
      "",
      "\u0000",
      "\u0000\u0000",
      "\u0000\u0001",
      "\u0001",
      "\u0001\u0000",
      "\u0002",
      "a",
      "a\u0000",
      "a\u0000\u0001",
      "a\u0001",
      "a\u0002",
      "a!",
      "aa",
      "é",
      "\ud7ff",
      "\ue000",
      "\uffff",
      "𐀀",
      "😀",
      "\u{10ffff}"
    ])
  })

  it("a text that is stored as JSON is encoded as the text that it is, and no other JSON has a place", () => {
    assertEncoded("j", {
      "\"a\"": "a\u0000",
      "\"\\u0000\\\"\"": "\u0001\u0001\"\u0000",
      "null": undefined,
      "1": undefined,
      "[\"a\"]": undefined,
      "\"a\",\"b\"": undefined,
      "\"a": undefined,
      "\"\\ud800\"": undefined
    })
  })

  it("false comes before true, and other texts have no place", () => {
    assertEncoded("b", { false: "0", true: "1", "1": undefined, null: undefined })
  })

  it("a part that may be absent comes before all others if it is", () => {
    assert.strictEqual(encode("S", undefined), absent)
    assert.strictEqual(encode("S", "a"), `${present}a\u0000`)
    assert.isUndefined(encode("s", undefined))
    assert.isUndefined(encode("D", "NaN"))
    assertAscending("I", [undefined, "-1", "0", "1"])
    assertAscending("B", [undefined, "false", "true"])
    assertAscending("S", [undefined, "", "a"])
  })

  it("a member gives its id back, whatever its parts and its id hold", () => {
    const hostile = ["", "a", "\u0000", "\u0001", "\u0001\u0001\u0002\u0000", "a\u0000b", "😀\u0000", "\u0001\u0002"]
    const parts: ReadonlyArray<readonly [PartCode, string | undefined]> = [
      ["s", "a\u0000"],
      ["i", "-12"],
      ["I", undefined],
      ["I", "7".repeat(300)],
      ["i", `-${"7".repeat(1000)}`],
      ["d", "-1.5"],
      ["S", "\u0001"],
      ["J", "\"\\u0000\""],
      ["B", undefined],
      ["b", "true"]
    ]
    for (const id of hostile) {
      for (let from = 0; from < parts.length; from++) {
        const some = parts.slice(from)
        const member = memberOf(some.map(([code, text]) => encode(code, text)!), id)
        assert.strictEqual(idOf(member, some.map(([code]) => code).join("")), id)
      }
      assert.strictEqual(idOf(memberOf([], id), ""), id)
    }
  })

  it("the text after all that begin with a prefix has the next character, which is no surrogate", () => {
    assert.strictEqual(after("a"), "b")
    assert.strictEqual(after("a\u0000"), "a\u0001")
    assert.strictEqual(after("a\ud7ff"), "a\ue000")
    assert.strictEqual(after("a\uffff"), "a𐀀")
    assert.strictEqual(after("a😀"), "a😁")
    assert.strictEqual(after("a\u{10ffff}\u{10ffff}"), "b")
    assert.isUndefined(after("\u{10ffff}"))
    assert.isUndefined(after(""))
  })

  it("a range has the bounds that are the narrowest", () => {
    const [a, b] = [encode("s", "a")!, encode("s", "b")!]
    assert.deepStrictEqual(rangeOf(""), { from: "", to: undefined })
    assert.deepStrictEqual(rangeOf(a), { from: "a\u0000", to: "a\u0001" })
    assert.deepStrictEqual(rangeOf(a, { gte: b }), { from: "a\u0000b\u0000", to: "a\u0001" })
    assert.deepStrictEqual(rangeOf(a, { gt: b }), { from: "a\u0000b\u0001", to: "a\u0001" })
    assert.deepStrictEqual(rangeOf(a, { lte: b }), { from: "a\u0000", to: "a\u0000b\u0001" })
    assert.deepStrictEqual(rangeOf(a, { lt: b }), { from: "a\u0000", to: "a\u0000b\u0000" })
    assert.deepStrictEqual(rangeOf("", { gt: a, gte: b, lt: b, lte: b }), { from: "b\u0000", to: "b\u0000" })
    assert.deepStrictEqual(rangeOf("", { gt: b, gte: a, lt: b, lte: a }), { from: "b\u0001", to: "a\u0001" })
    assert.deepStrictEqual(rangeOf(a + present, { lt: b }), {
      from: `a\u0000${present}`,
      to: `a\u0000${present}b\u0000`
    })
  })

  it("a range of texts that begin alike has all of these, with the last character of Unicode too", () => {
    assert.deepStrictEqual(textRangeOf("b1", "x\u0000"), { from: "b1x\u0001\u0001", to: "b1x\u0001\u0002" })
    assert.deepStrictEqual(textRangeOf("b1", ""), { from: "b1", to: "b2" })
    const { from, to } = textRangeOf("", "\u{10ffff}")
    assert.deepStrictEqual({ from, to }, { from: "\u{10ffff}", to: undefined })
  })

  it("each schema of a scalar has the code that keeps the order of its values, or no code", () => {
    for (const [i, [schema, code, values]] of schemas.entries()) {
      const leaf = leafOf(schema)
      assert.strictEqual(orderCodeOf(leaf.codec), code, `schema ${i}`)
      const texts = values.map((value) => encodeLeaf(leaf, value))
      assert.isTrue(texts.every((text) => typeof text === "string"), `schema ${i}`)
      if (code !== undefined) assertAscending(code, texts as Array<string>)
    }
  })

  it("a text with half a surrogate pair is never stored, so it needs no place", () => {
    assert.notTypeOf(encodeLeaf(leafOf(Schema.String), "\ud800"), "string")
    assert.notTypeOf(encodeLeaf(leafOf(Schema.NullOr(Schema.String)), "\ud800"), "string")
  })
})
