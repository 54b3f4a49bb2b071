/** Booleans, literals, dates, JSON values, optional fields and nested structs. */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"
import * as Atomic from "redlayer/Atomic"
import type * as Field from "redlayer/Field"
import * as Model from "redlayer/Model"
import { RawStore } from "redlayer/testing"
import * as assert from "../assert.ts"
import { concurrently, fails, type Operation, stored, unchanged, wrongType } from "../assertions.ts"
import type { Test } from "../suite.ts"

class Address extends Schema.Class<Address>("ValuesAddress")({ city: Schema.String, zip: Schema.Int }) {
  get line() {
    return `${this.zip} ${this.city}`
  }
}

const Tree: Schema.Codec<Tree> = Schema.Struct({
  value: Schema.Int,
  children: Schema.Array(Schema.suspend((): Schema.Codec<Tree> => Tree))
})
interface Tree {
  readonly value: number
  readonly children: ReadonlyArray<Tree>
}

const Doc = Model.make("ValuesDoc", {
  id: Schema.String,
  flag: Schema.Boolean,
  yes: Schema.Literal(true),
  role: Schema.Literals(["user", "admin", "a b:{c}", ""]),
  answer: Schema.Literals([1, 2]),
  mixed: Schema.Literals(["x", 1, true]),
  at: Schema.Date,
  utc: Schema.DateTimeUtc,
  any: Schema.Json.pipe(Model.json),
  tuple: Schema.Tuple([Schema.String, Schema.Int]),
  union: Schema.Union([Schema.Int, Schema.String]),
  record: Schema.Record(Schema.String, Schema.Json).pipe(Model.json),
  bytes: Schema.Uint8Array,
  big: Schema.BigInt,
  trimmed: Schema.String.pipe(
    Schema.decodeTo(
      Schema.Int,
      SchemaTransformation.transform({ decode: (text) => text.length, encode: (n) => "x".repeat(n) })
    )
  ),
  json: Schema.Struct({ a: Schema.Int, b: Schema.optionalKey(Schema.String) }).pipe(Model.json),
  jsonText: Schema.String.pipe(Model.json),
  jsonList: Schema.Array(Schema.Int).pipe(Model.json),
  jsonInt: Schema.Int.pipe(Model.json),
  address: Address.pipe(Model.json),
  tree: Tree.pipe(Model.json)
}, { key: "id" })

const doc = {
  id: "d",
  flag: false,
  yes: true,
  role: "user",
  answer: 1,
  mixed: "x",
  at: new Date(1),
  utc: DateTime.makeUnsafe(2),
  any: null,
  tuple: ["a", 1],
  union: 1,
  record: {},
  bytes: new Uint8Array([0, 255]),
  big: 2n ** 63n - 1n,
  trimmed: 3,
  json: { a: 1 },
  jsonText: "t",
  jsonList: [1],
  jsonInt: 1,
  address: new Address({ city: "Bern", zip: 3000 }),
  tree: { value: 1, children: [] }
} as const

const docKey = "ValuesDoc:{d}"

/** Valid values of each field. The first two differ. */
const validValues: { readonly [Name in Exclude<keyof typeof doc, "id">]: ReadonlyArray<unknown> } = {
  flag: [true, false],
  yes: [true],
  role: ["admin", "user", "a b:{c}", ""],
  answer: [2, 1],
  mixed: ["x", 1, true],
  at: [new Date(0), new Date(-1), new Date(8.64e15), new Date("2024-02-29T12:34:56.789Z")],
  utc: [DateTime.makeUnsafe(0), DateTime.makeUnsafe(-1), DateTime.makeUnsafe("2024-02-29T12:34:56.789Z")],
  any: [
    null,
    0,
    "",
    "null",
    false,
    [],
    {},
    [[], {}, [null]],
    { b: 1, a: { d: [1, { z: 1, y: "\u0000\u2028\u{1f600}\"\\/" }], c: null } },
    { "": "", "a b": 1, "{}": ":", ["__proto__"]: { constructor: 1 }, "1": 2, "10": 1 },
    1e21,
    5e-324,
    9007199254740991
  ],
  tuple: [["", 0], ["a", 1]],
  union: [0, "0", "", 1],
  record: [{}, { a: 1 }, { "{x}": [1], "a:b": { c: null } }],
  bytes: [new Uint8Array(), Uint8Array.from({ length: 256 }, (_, i) => i)],
  big: [0n, -1n, 2n ** 63n - 1n, -(2n ** 63n)],
  trimmed: [0, 5],
  json: [{ a: 0 }, { a: 1, b: "" }, { a: 1, b: "null" }],
  jsonText: ["", "\"", "null", "1"],
  jsonList: [[], [3, 1, 2]],
  jsonInt: [0, -3],
  address: [new Address({ city: "", zip: 0 })],
  tree: [{ value: 0, children: [{ value: 1, children: [{ value: 2, children: [] }] }, { value: 3, children: [] }] }]
}

const OptionalFields = Model.make("ValuesLoose", {
  id: Schema.String,
  text: Schema.optionalKey(Schema.String),
  int: Schema.optionalKey(Schema.Int.check(Schema.isGreaterThan(0))),
  undef: Schema.optional(Schema.String),
  required: Schema.UndefinedOr(Schema.Int),
  date: Schema.optionalKey(Schema.Date),
  nullable: Schema.optionalKey(Schema.NullOr(Schema.String)),
  struct: Schema.optionalKey(Schema.Struct({ a: Schema.Int })),
  list: Schema.optionalKey(Schema.Array(Schema.Int)),
  flag: Schema.optionalKey(Schema.Boolean)
}, { key: "id" })

const optionalValues = {
  text: ["", "a", "null", "undefined"],
  int: [1, 2],
  undef: ["", "undefined"],
  required: [0, 5],
  date: [new Date(0)],
  nullable: [null, "", "null"],
  struct: [{ a: 1 }],
  list: [[], [1]],
  flag: [false, true]
} as const

const NestedStructs = Model.make("ValuesDeep", {
  id: Schema.String,
  top: Schema.Struct({
    n: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 10 })),
    text: Schema.optionalKey(Schema.String),
    mid: Schema.Struct({
      flag: Schema.Boolean,
      list: Schema.Array(Schema.String),
      low: Schema.Struct({ kind: Schema.Literals(["a", "b"]), data: Schema.Json, n: Schema.Number })
    })
  }),
  address: Address,
  checked: Schema.Struct({
    from: Schema.Int,
    to: Schema.Int,
    list: Schema.Array(Schema.Int),
    in: Schema.Struct({ n: Schema.Int })
  }).check(Schema.makeFilter(({ from, to }) => from <= to || "Expected from to be before to"))
}, { key: "id" })

const nestedStructs = {
  id: "x",
  top: { n: 1, text: "t", mid: { flag: true, list: ["a"], low: { kind: "a", data: { z: 1 }, n: 0.5 } } },
  address: new Address({ city: "Bern", zip: 3000 }),
  checked: { from: 1, to: 2, list: [1], in: { n: 1 } }
} as const

export const values = (test: Test): void => {
  for (const name of Object.keys(validValues) as ReadonlyArray<keyof typeof validValues>) {
    test(`${name}: get, set and compareAndSet work alone and in a program`, () =>
      Effect.gen(function*() {
        const raw = yield* RawStore
        yield* Doc.insert(doc)
        const handle = Doc.ref("d")[name] as unknown as Field.Scalar<unknown, any>
        for (const value of validValues[name]) {
          yield* handle.set(value)
          assert.deepEqual(yield* handle.get(), value)
          assert.deepEqual((yield* Doc.get("d"))[name], value)
          assert.deepEqual({ ...(yield* Doc.get("d")), [name]: 0 }, { ...doc, [name]: 0 })
          const text = yield* raw.hashGet(docKey, name)
          for (const other of validValues[name]) {
            const same = other === value
            yield* handle.set(value)
            assert.strictEqual(yield* handle.compareAndSet(other, value), same, `${String(other)} ${String(value)}`)
            assert.strictEqual(yield* raw.hashGet(docKey, name), text)
            assert.deepEqual(
              yield* Atomic.all([
                handle.compareAndSet(value, other),
                handle.get(),
                handle.compareAndSet(value, other),
                Atomic.andThen(handle.set(value), handle.get())
              ]),
              [true, other, same, value]
            )
          }
          yield* Doc.update("d", { [name]: value })
          assert.strictEqual(yield* raw.hashGet(docKey, name), text)
          yield* Doc.put({ ...doc, [name]: value })
          assert.strictEqual(yield* raw.hashGet(docKey, name), text)
        }
        if ("getAndSet" in handle && ["flag", "role", "answer", "mixed"].includes(name)) {
          let last = validValues[name].at(-1)
          for (const value of validValues[name]) {
            assert.deepEqual(yield* handle.getAndSet(value), last)
            last = value
          }
        }
      }))
  }

  test("toggle inverts a boolean and returns the new value", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      yield* Doc.insert(doc)
      const { flag } = Doc.ref("d")
      assert.isTrue(yield* flag.toggle())
      assert.isFalse(yield* flag.toggle())
      assert.deepEqual(yield* Atomic.all([flag.toggle(), flag.toggle(), flag.toggle(), flag.get()]), [
        true,
        false,
        true,
        true
      ])
      const results = yield* concurrently(Array.from({ length: 101 }, () => flag.toggle()))
      assert.strictEqual(results.filter((one) => one).length, 50)
      assert.isFalse(yield* flag.get())
      for (const text of ["1", "TRUE", "", "yes", "truefalse"]) {
        yield* raw.hashSet(docKey, { flag: text })
        yield* unchanged(wrongType(flag.toggle(), { key: docKey, field: "flag" }))
        yield* unchanged(wrongType(Atomic.all([Doc.ref("d").jsonInt.set(9), flag.toggle()]), { field: "flag" }))
      }
    }))

  test("an invalid value is refused, and nothing is written", () =>
    Effect.gen(function*() {
      yield* Doc.insert(doc)
      const wrong: { readonly [Name in keyof typeof validValues]: ReadonlyArray<unknown> } = {
        flag: [0, "true", null, undefined],
        yes: [false, "true"],
        role: ["root", "User", 1, null, undefined],
        answer: [3, "1", 1.5],
        mixed: ["y", 0, false, null, undefined],
        at: [new Date(NaN), 0, "2024-01-01", null],
        utc: [new Date(0), 0, "2024-01-01"],
        any: ["\ud800", { a: "\udc00" }, { "\ud800": 1 }, ["a", ["\ud83d"]], undefined, () => 1, Symbol("x"), 1n],
        tuple: [["a"], ["a", "b"], ["a", 1, 2], ["\ud800", 1], "a"],
        union: [1.5, true, null, "\ud800"],
        record: [{ a: undefined }, { a: "\ud800" }, { "\udc00": 1 }, 5],
        bytes: ["a", [1, 2]],
        big: [1, "1", 2n ** 63n, -(2n ** 63n) - 1n],
        trimmed: [1.5, "x"],
        json: [{ a: "1" }, { a: 1, b: 1 }, {}, null, { a: 1, b: "\ud800" }],
        jsonText: [1, null, "\ud800"],
        jsonList: [[1.5], 1, [null]],
        jsonInt: [1.5, "1", NaN, 2 ** 53],
        address: [5, { city: 1, zip: 1 }],
        tree: [{ value: 1 }, { value: 1, children: [{ value: "1", children: [] }] }]
      }
      yield* unchanged(Effect.gen(function*() {
        for (const [name, bad] of Object.entries(wrong)) {
          const handle = (Doc.ref("d") as any)[name]
          for (const value of bad) {
            const what = `${name} ${String(JSON.stringify(value, (_, x) => typeof x === "bigint" ? `${x}n` : x))}`
            for (
              const program of [
                handle.set(value),
                handle.compareAndSet(value, doc[name as "flag"]),
                handle.compareAndSet(doc[name as "flag"], value),
                Doc.update("d", { [name]: value })
              ] as ReadonlyArray<Operation>
            ) {
              const error = yield* fails(program, "InvalidValue")
              assert.isTrue(error.field === name || error.field.startsWith(`${name}.`), `${what}: ${error.field}`)
            }
          }
        }
      }))
    }))

  test("JSON is stored with sorted keys, so equal values have equal texts", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      yield* Doc.insert(doc)
      const { any, json, record } = Doc.ref("d")
      yield* any.set({ b: [{ d: 1, c: 2 }], a: 1 })
      assert.strictEqual(yield* raw.hashGet(docKey, "any"), "{\"a\":1,\"b\":[{\"c\":2,\"d\":1}]}")
      assert.isTrue(yield* any.compareAndSet({ a: 1, b: [{ c: 2, d: 1 }] }, 1))
      yield* record.set({ z: 1, "10": 1, "9": 1, a: 1 })
      assert.isTrue(yield* record.compareAndSet({ a: 1, "9": 1, "10": 1, z: 1 }, {}))
      assert.isTrue(yield* json.compareAndSet({ a: 1 }, { b: "b", a: 2 }))
      assert.isFalse(yield* json.compareAndSet({ a: 2 }, { a: 3 }))
      assert.isTrue(yield* json.compareAndSet({ a: 2, b: "b" }, { a: 3 }))
      assert.isFalse(yield* any.compareAndSet("1", 2))
      assert.isTrue(yield* any.compareAndSet(1, 2))
      // JSON that another client stored with other white space is unequal until it is set again
      yield* raw.hashSet(docKey, { any: "{ \"a\": 1 }" })
      assert.deepEqual(yield* any.get(), { a: 1 })
      assert.isFalse(yield* any.compareAndSet({ a: 1 }, 2))
    }))

  test("JSON may be five hundred levels deep and is refused beyond", () =>
    Effect.gen(function*() {
      yield* Doc.insert(doc)
      const { any } = Doc.ref("d")
      const nested = (levels: number): Schema.Json => {
        let value: Schema.Json = 1
        for (let i = 0; i < levels; i++) value = i % 2 === 0 ? [value] : { a: value }
        return value
      }
      yield* any.set(nested(400))
      assert.strictEqual(JSON.stringify(yield* any.get()), JSON.stringify(nested(400)))
      yield* unchanged(fails(any.set(nested(600)), "InvalidValue", { field: "any" }))
      yield* unchanged(fails(any.set(nested(100_000)), "InvalidValue", { field: "any" }))
    }))

  test("a class instance within JSON is decoded to an instance", () =>
    Effect.gen(function*() {
      yield* Doc.insert(doc)
      const address = yield* Doc.ref("d").address.get()
      assert.instanceOf(address, Address)
      assert.strictEqual(address.line, "3000 Bern")
      yield* Doc.ref("d").address.set(new Address({ city: "Thun", zip: 3600 }))
      assert.strictEqual((yield* Doc.get("d")).address.line, "3600 Thun")
    }))

  for (const name of Object.keys(optionalValues) as ReadonlyArray<keyof typeof optionalValues>) {
    test(`optional ${name}: get, isSet, set, setIfAbsent, clear and compareAndSet work`, () =>
      Effect.gen(function*() {
        yield* OptionalFields.insert({ id: "l", required: undefined })
        const bare = yield* OptionalFields.get("l")
        const handle = OptionalFields.ref("l")[name] as unknown as Field.Optional<unknown, any>
        for (const value of optionalValues[name]) {
          yield* unchanged(Effect.gen(function*() {
            assert.deepEqual(yield* handle.get(), Option.none())
            assert.isFalse(yield* handle.isSet())
            assert.isFalse(yield* handle.compareAndSet(value, value))
            yield* handle.clear()
          }))
          assert.isTrue(yield* handle.setIfAbsent(value))
          assert.deepEqual(yield* handle.get(), Option.some(value))
          assert.isTrue(yield* handle.isSet())
          assert.deepEqual((yield* OptionalFields.get("l"))[name], value)
          assert.isFalse(yield* unchanged(handle.setIfAbsent(value)))
          assert.isTrue(yield* handle.compareAndSet(value, value))
          yield* handle.clear()
          assert.deepEqual(yield* OptionalFields.get("l"), bare)
          yield* handle.set(value)
          yield* handle.set(value)
          assert.deepEqual(yield* handle.get(), Option.some(value))
          yield* OptionalFields.update("l", { [name]: undefined })
          assert.isFalse(yield* handle.isSet())
          assert.deepEqual(
            yield* Atomic.all([
              handle.isSet(),
              handle.setIfAbsent(value),
              handle.setIfAbsent(value),
              handle.get(),
              handle.compareAndSet(value, value),
              handle.clear(),
              handle.get(),
              handle.compareAndSet(value, value),
              handle.clear(),
              handle.set(value),
              handle.isSet(),
              handle.clear(),
              handle.isSet()
            ]),
            [
              false,
              true,
              false,
              Option.some(value),
              true,
              undefined,
              Option.none(),
              false,
              undefined,
              undefined,
              true,
              undefined,
              false
            ]
          )
          assert.deepEqual(yield* OptionalFields.get("l"), bare)
        }
        const won = yield* concurrently(
          Array.from({ length: 20 }, () => Atomic.commit(handle.setIfAbsent(optionalValues[name][0])))
        )
        assert.strictEqual(
          won.filter((one) => one).length,
          1
        )
      }))
  }

  test("an optional field refuses invalid values and reports invalid stored data", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      yield* OptionalFields.insert({ id: "l", required: 1 })
      const { date, flag, int, text } = OptionalFields.ref("l")
      yield* unchanged(Effect.gen(function*() {
        yield* fails(int.set(0), "InvalidValue", { field: "int" })
        yield* fails(int.setIfAbsent(-1), "InvalidValue", { field: "int" })
        yield* fails(int.compareAndSet(1, 0), "InvalidValue", { field: "int" })
        yield* fails(text.set("\ud800"), "InvalidValue", { field: "text" })
        yield* fails(text.set(null as never), "InvalidValue", { field: "text" })
        yield* fails(OptionalFields.update("l", { text: null as never }), "InvalidValue", { field: "text" })
      }))
      yield* raw.hashSet("ValuesLoose:{l}", { int: "abc", date: "x", flag: "1" })
      yield* unchanged(Effect.gen(function*() {
        yield* wrongType(int.get(), { field: "int" })
        yield* wrongType(date.get(), { field: "date" })
        yield* wrongType(flag.get(), { field: "flag" })
        // the field is set, although its value is invalid
        assert.isTrue(yield* int.isSet())
        assert.isFalse(yield* int.setIfAbsent(5))
        assert.isFalse(yield* int.compareAndSet(5, 6))
        yield* fails(OptionalFields.get("l"), "EntityCorrupted")
      }))
      yield* int.clear()
      yield* date.clear()
      yield* flag.set(true)
      assert.deepEqual(yield* OptionalFields.get("l"), { id: "l", required: 1, flag: true })
    }))

  test("an optional field with a default reads as the default while it is absent", () =>
    Effect.gen(function*() {
      const Mild = Model.make("ValuesMild", {
        id: Schema.String,
        n: Schema.optionalKey(Schema.Int).pipe(Model.withDefault(7))
      }, { key: "id" })
      yield* Mild.insert({ id: "m" })
      const { n } = Mild.ref("m")
      assert.isTrue(yield* n.isSet())
      yield* n.clear()
      assert.deepEqual(yield* n.get(), Option.some(7))
      assert.deepEqual(yield* Mild.get("m"), { id: "m", n: 7 })
      assert.isFalse(yield* n.isSet())
      assert.isTrue(yield* n.compareAndSet(7, 8))
      assert.deepEqual(yield* n.get(), Option.some(8))
      yield* n.clear()
      assert.isTrue(yield* n.setIfAbsent(9))
      assert.deepEqual(yield* Mild.get("m"), { id: "m", n: 9 })
    }))

  test("a nested struct has a handle for each leaf and one for the whole", () =>
    Effect.gen(function*() {
      yield* NestedStructs.insert(nestedStructs)
      assert.deepEqual(yield* NestedStructs.get("x"), nestedStructs)
      const { address, top } = NestedStructs.ref("x")
      assert.deepEqual(yield* top.$.get(), nestedStructs.top)
      assert.deepEqual(yield* top.mid.$.get(), nestedStructs.top.mid)
      assert.deepEqual(yield* top.mid.low.$.get(), nestedStructs.top.mid.low)
      const found = yield* address.$.get()
      assert.instanceOf(found, Address)
      assert.strictEqual(found.line, "3000 Bern")

      assert.strictEqual(yield* top.n.increment(4), 5)
      assert.isFalse(yield* top.mid.flag.toggle())
      assert.strictEqual(yield* top.mid.list.append(["b", "c"]), 3)
      assert.strictEqual(yield* top.mid.low.kind.getAndSet("b"), "a")
      assert.strictEqual(yield* top.mid.low.n.multiply(4), 2)
      yield* top.text.clear()
      yield* top.mid.low.data.set([1])
      assert.strictEqual(yield* address.zip.increment(), 3001)
      assert.strictEqual(yield* address.city.append("!"), 5)
      assert.deepEqual(yield* NestedStructs.get("x"), {
        ...nestedStructs,
        top: { n: 5, mid: { flag: false, list: ["a", "b", "c"], low: { kind: "b", data: [1], n: 2 } } },
        address: new Address({ city: "Bern!", zip: 3001 })
      })

      yield* top.mid.$.set({ flag: true, list: [], low: { kind: "a", data: null, n: 0 } })
      assert.deepEqual((yield* NestedStructs.get("x")).top, {
        n: 5,
        mid: { flag: true, list: [], low: { kind: "a", data: null, n: 0 } }
      })
      yield* NestedStructs.update("x", { address: new Address({ city: "Thun", zip: 3600 }) })
      assert.strictEqual((yield* address.$.get()).line, "3600 Thun")
      yield* top.$.set(nestedStructs.top)
      yield* address.$.set(nestedStructs.address)
      assert.deepEqual(yield* NestedStructs.get("x"), nestedStructs)
      assert.deepEqual(
        yield* Atomic.all([top.n.increment(), top.$.get(), top.mid.$.set(nestedStructs.top.mid), top.mid.$.get()]),
        [2, { ...nestedStructs.top, n: 2 }, undefined, nestedStructs.top.mid]
      )
    }))

  test("a struct with an invalid part is refused as a whole, and nothing is written", () =>
    Effect.gen(function*() {
      yield* NestedStructs.insert(nestedStructs)
      const { address, top } = NestedStructs.ref("x")
      const refused: ReadonlyArray<readonly [value: any, field: string]> = [
        [{ ...nestedStructs.top, n: 11 }, "top.n"],
        [{ ...nestedStructs.top, n: undefined }, "top.n"],
        [{ ...nestedStructs.top, text: 5 }, "top.text"],
        [{ ...nestedStructs.top, mid: undefined }, "top.mid"],
        [{ ...nestedStructs.top, mid: { ...nestedStructs.top.mid, list: ["a", 1] } }, "top.mid.list"],
        [
          { ...nestedStructs.top, mid: { ...nestedStructs.top.mid, low: { kind: "c", data: 1, n: 1 } } },
          "top.mid.low.kind"
        ],
        [
          { ...nestedStructs.top, mid: { ...nestedStructs.top.mid, low: { kind: "a", data: "\ud800", n: 1 } } },
          "top.mid.low.data"
        ],
        [null, "top"],
        [undefined, "top"],
        ["top", "top"]
      ]
      yield* unchanged(Effect.gen(function*() {
        for (const [value, field] of refused) {
          yield* fails(top.$.set(value), "InvalidValue", { model: "ValuesDeep", id: "x", field })
        }
        yield* fails(address.$.set({ city: "x" } as never), "InvalidValue", { field: "address.zip" })
        yield* fails(top.n.increment(10), "OutOfBounds", { field: "top.n", bound: "maximum", limit: 10 })
        yield* fails(
          Atomic.all([top.$.set({ ...nestedStructs.top, n: 9 }), top.mid.list.clear(), top.n.increment(5)]),
          "OutOfBounds",
          { field: "top.n" }
        )
      }))
    }))

  test("a struct with a check over its fields can only be used as one value", () =>
    Effect.gen(function*() {
      yield* NestedStructs.insert(nestedStructs)
      const { checked } = NestedStructs.ref("x")
      assert.deepEqual(yield* checked.$.get(), nestedStructs.checked)
      yield* checked.$.set({ ...nestedStructs.checked, to: 9 })
      const late = { ...nestedStructs.checked, from: 3 }
      yield* unchanged(Effect.gen(function*() {
        yield* fails(checked.$.set(late), "InvalidValue", { field: "checked" })
        yield* fails(NestedStructs.update("x", { checked: late }), "InvalidValue", { field: "checked" })
        // the types do not know the check, so operations on its fields are refused when they run
        yield* fails(checked.from.set(3), "InvalidValue", { model: "ValuesDeep", id: "x", field: "checked.from" })
        yield* fails(checked.to.get(), "InvalidValue", { field: "checked.to" })
        yield* fails(checked.to.increment(5), "InvalidValue", { field: "checked.to" })
        yield* fails(checked.list.append(1), "InvalidValue", { field: "checked.list" })
        yield* fails(checked.list.at(0).increment(), "InvalidValue", { field: "checked.list" })
        yield* fails(checked.in.n.set(1), "InvalidValue", { field: "checked.in.n" })
        yield* fails(checked.in.$.get(), "InvalidValue", { field: "checked.in" })
      }))
      assert.deepEqual((yield* NestedStructs.get("x")).checked, { ...nestedStructs.checked, to: 9 })
      assert.notProperty((yield* stored)["ValuesDeep:{x}"], "checked.from")
    }))
}
