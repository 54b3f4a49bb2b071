/** Keys: ids of every kind, hostile ids, refused ids, and the names of keys in the three forms of `slot`. */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Atomic from "redlayer/Atomic"
import * as Model from "redlayer/Model"
import { RawStore } from "redlayer/testing"
import * as assert from "../assert.ts"
import { concurrently, fails, type Operation, stored, unchanged } from "../assertions.ts"
import type { Test } from "../suite.ts"

const otherFields = { n: Schema.Int.pipe(Model.withDefault(0)), list: Schema.Array(Schema.String) }

const Item = Model.make("KeysItem", { id: Schema.String, ...otherFields }, { key: "id" })

/** Ids that have broken other libraries. */
const hostileIds: ReadonlyArray<string> = [
  "{}",
  "{",
  "}",
  "}{",
  "{a}",
  "a}:list",
  "x}:list",
  "KeysItem:{x}",
  ":",
  "::",
  "a:b",
  "a",
  "b",
  "A",
  "*",
  "a*",
  "?",
  "[a]",
  "[^a]",
  "\\",
  "\\*",
  "^",
  "$",
  "$v",
  "%",
  "%%",
  "%3A",
  "%25",
  "%253A",
  "%7B",
  "%s",
  " ",
  "  ",
  " a",
  "a ",
  "\n",
  "\r\n",
  "\t",
  "a\nb",
  "\u0000",
  "a\u0000b",
  "a\u0000",
  "\u001f",
  "\u007f",
  "\u0080",
  "\"",
  "'",
  "`",
  "\"}; return 1 --",
  "#",
  "/",
  "../..",
  "0",
  "00",
  "-1",
  "null",
  "undefined",
  "true",
  "NaN",
  "__proto__",
  "constructor",
  "list",
  "n",
  "\u00e9",
  "e\u0301",
  "\ufeff",
  "\ufffd",
  "\u2028",
  "\u200b",
  "\uffff",
  "\u{1f600}",
  "\u{10ffff}",
  "日本語",
  "a".repeat(1024)
]

const refusedIds: ReadonlyArray<readonly [name: string, id: unknown]> = [
  ["empty", ""],
  ["a high surrogate alone", "\ud800"],
  ["a low surrogate alone", "a\udc00b"],
  ["surrogates in the wrong order", "\udc00\ud800"],
  ["1,025 bytes", "a".repeat(1025)],
  ["1,026 bytes of two each", "\u00e9".repeat(513)],
  ["1,028 bytes of four each", "\u{1f600}".repeat(257)],
  ["1,026 bytes when escaped", ":".repeat(342)],
  ["100,000 bytes", "x".repeat(100_000)],
  ["a number", 1],
  ["undefined", undefined],
  ["null", null],
  ["an object", {}],
  ["a tuple", ["a"]]
]

export const keys = (test: Test): void => {
  test("no id can reach the keys of another, or be mistaken for them", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      yield* concurrently(hostileIds.map((id, n) => Item.insert({ id, n, list: [id] })))
      // one hash and one list for each id, and nothing else
      const names = Object.keys(yield* stored)
      assert.strictEqual(names.length, hostileIds.length * 2)
      for (const name of names) {
        // no id can close the braces, be a glob pattern, or break a terminal line
        assert.match(name, /^KeysItem:\{[^{}:*?[\]\\"'`^$\u0000-\u0020\u007f]+\}(:list)?$/u)
      }
      yield* concurrently(hostileIds.map((id, n) =>
        Effect.gen(function*() {
          assert.deepEqual(yield* Item.get(id), { id, n, list: [id] })
          assert.isTrue(yield* Item.exists(id))
          const { list, n: count } = Item.ref(id)
          assert.strictEqual(yield* count.increment(1000), n + 1000)
          assert.strictEqual(yield* list.append("more"), 2)
          yield* Item.update(id, { n: n + 2000 })
          yield* fails(Item.insert({ id, list: [] }), "EntityExists", { model: "KeysItem" })
        })
      ))
      // operations on each id affected that id alone
      yield* concurrently(hostileIds.map((id, n) =>
        Effect.map(Item.get(id), (item) => assert.deepEqual(item, { id, n: n + 2000, list: [id, "more"] }))
      ))
      for (const [i, id] of hostileIds.entries()) {
        if (i % 2 === 0) {
          assert.isTrue(yield* Item.delete(id))
        }
      }
      yield* concurrently(hostileIds.map((id, i) =>
        Effect.map(Item.exists(id), (exists) =>
          assert.strictEqual(exists, i % 2 === 1, JSON.stringify(id)))
      ))
      assert.strictEqual(Object.keys(yield* raw.dump).length, Math.floor(hostileIds.length / 2) * 2)
    }))

  test("an id of plain characters is stored in the key unchanged", () =>
    Effect.gen(function*() {
      for (const id of ["alice", "a-b_c.d", "user@example.org", "2024-01-01", "日本語", "\u00e9", "a/b", "a=b,c;d+e"]) {
        yield* Item.put({ id, list: ["x"] })
        assert.deepEqual(Object.keys(yield* stored), [`KeysItem:{${id}}`, `KeysItem:{${id}}:list`])
        yield* Item.delete(id)
      }
      yield* Item.put({ id: "a:b c%", list: [] })
      assert.deepEqual(Object.keys(yield* stored), ["KeysItem:{a%3Ab%20c%25}"])
    }))

  test("an id of up to 1 kB in its stored form is accepted", () =>
    Effect.gen(function*() {
      for (const id of ["a".repeat(1024), "\u00e9".repeat(512), "\u{1f600}".repeat(256), ":".repeat(341)]) {
        yield* Item.insert({ id, list: [] })
        assert.deepEqual(yield* Item.get(id), { id, n: 0, list: [] })
      }
    }))

  test("the limit of 1 kB applies to all parts of a tuple together", () =>
    Effect.gen(function*() {
      const Pair = Model.make("KeysLong", { a: Schema.String, b: Schema.String, n: Schema.Int }, { key: ["a", "b"] })
      const [a, b] = ["a".repeat(500), "b".repeat(523)]
      yield* Pair.insert({ a, b, n: 1 })
      assert.deepEqual(yield* Pair.get([a, b]), { a, b, n: 1 })
      const error = yield* Effect.flip(Pair.get([a, `${b}b`]))
      assert.strictEqual(error._tag, "InvalidValue")
    }))

  test("an id that cannot be encoded refuses every program when it is committed, and nothing is thrown earlier", () =>
    Effect.gen(function*() {
      for (const [name, given] of refusedIds) {
        const id = given as string
        const { list, n } = Item.ref(id)
        const programs: ReadonlyArray<Operation> = [
          Item.get(id),
          Item.find(id),
          Item.exists(id),
          Item.delete(id),
          Item.update(id, { n: 1 }),
          Item.update(id, {}),
          n.get(),
          n.set(1),
          n.increment(),
          n.clamp(0, 1),
          list.append("x"),
          list.get(),
          list.clear(),
          list.at(0).set("x"),
          Atomic.all([Item.exists("fine"), n.get()]),
          Atomic.andThen(Item.put({ id: "fine", list: [] }), list.pop())
        ]
        for (const program of programs) {
          const error = yield* fails(program, "InvalidValue", { model: "KeysItem", field: "id" })
          assert.isAbove(error.issue.length, 5, name)
          assert.isBelow(error.message.length, 200, name)
        }
        for (const write of ["insert", "put"] as const) {
          yield* fails(Item[write]({ id, list: [] }), "InvalidValue", { model: "KeysItem" })
        }
      }
      assert.deepEqual(yield* stored, {})
    }))

  test("ids that are numbers, dates, literals or brands are decoded to equal values", () =>
    Effect.gen(function*() {
      const Numbered = Model.make("KeysNumber", { no: Schema.Number, ...otherFields }, { key: "no" })
      const ids = [0, 1, -1, 1.5, 1e21, 1e-7, 5e-324, 2 ** 53, -0.1]
      yield* concurrently(ids.map((no) => Numbered.insert({ no, list: [] })))
      for (const no of ids) assert.deepEqual(yield* Numbered.get(no), { no, n: 0, list: [] })
      yield* fails(Numbered.insert({ no: -0, list: [] }), "EntityExists")
      assert.include(Object.keys(yield* stored), "KeysNumber:{-0.1}")

      const Whole = Model.make("KeysInt", { no: Schema.Int, ...otherFields }, { key: "no" })
      yield* Whole.insert({ no: 7, list: [] })
      assert.deepEqual(yield* Whole.get(7), { no: 7, n: 0, list: [] })
      for (const no of [1.5, NaN, Infinity, 2 ** 53]) yield* fails(Whole.get(no), "InvalidValue", { field: "no" })

      const Dated = Model.make("KeysDate", { at: Schema.Date, ...otherFields }, { key: "at" })
      for (const millis of [0, -1, 1_700_000_000_123, 8.64e15]) {
        yield* Dated.insert({ at: new Date(millis), list: [] })
        assert.deepEqual(yield* Dated.get(new Date(millis)), { at: new Date(millis), n: 0, list: [] })
        assert.include(Object.keys(yield* stored), `KeysDate:{${millis}}`)
      }
      yield* fails(Dated.get(new Date(NaN)), "InvalidValue", { field: "at" })
      // changing a Date after it was given as an id is the caller's responsibility
      const at = new Date(5)
      const ref = Dated.ref(at)
      yield* Dated.insert({ at, list: [] })
      at.setTime(6)
      assert.strictEqual(yield* ref.n.increment(), 1)

      const Utc = Model.make("KeysUtc", { at: Schema.DateTimeUtc, ...otherFields }, { key: "at" })
      const moment = DateTime.makeUnsafe("2024-02-29T23:59:59.999Z")
      yield* Utc.insert({ at: moment, list: [] })
      const found = yield* Utc.get(DateTime.makeUnsafe("2024-03-01T00:59:59.999+01:00"))
      assert.strictEqual(DateTime.toEpochMillis(found.at), DateTime.toEpochMillis(moment))

      const Literal = Model.make("KeysLiteral", { kind: Schema.Literals(["a", "b:c"]), ...otherFields }, {
        key: "kind"
      })
      yield* Literal.insert({ kind: "b:c", list: [] })
      assert.strictEqual((yield* Literal.get("b:c")).kind, "b:c")
      assert.isFalse(yield* Literal.exists("a"))
      yield* fails(Literal.get("c" as "a"), "InvalidValue", { field: "kind" })

      const Slug = Schema.String.check(Schema.isPattern(/^[a-z]+$/)).pipe(Schema.brand("Slug"))
      const Branded = Model.make("KeysBrand", { slug: Slug, ...otherFields }, { key: "slug" })
      yield* Branded.insert({ slug: Slug.make("abc"), list: [] })
      assert.isTrue(yield* Branded.exists(Slug.make("abc")))
      yield* fails(Branded.get("ABC" as typeof Slug.Type), "InvalidValue", { field: "slug" })
    }))

  test("ids that are tuples are decoded to equal values, whatever their parts contain", () =>
    Effect.gen(function*() {
      const Pair = Model.make("KeysPair", { a: Schema.String, b: Schema.String, ...otherFields }, { key: ["a", "b"] })
      const parts = ["x", "y", "x:y", ":", "%3A", "{x}", "}", "y}:list", "\n"]
      const all = parts.flatMap((a) => parts.map((b) => [a, b] as const))
      yield* concurrently(all.map(([a, b], n) => Pair.insert({ a, b, n, list: [a] })))
      assert.strictEqual(Object.keys(yield* stored).length, all.length * 2)
      yield* concurrently(
        all.map(([a, b], n) => Effect.map(Pair.get([a, b]), (pair) => assert.deepEqual(pair, { a, b, n, list: [a] })))
      )
      yield* fails(Pair.insert({ a: "x", b: "y", list: [] }), "EntityExists", { id: "x:y" })
      yield* unchanged(Effect.gen(function*() {
        yield* fails(Pair.get(["", "x"]), "InvalidValue", { field: "a" })
        yield* fails(Pair.get(["x", ""]), "InvalidValue", { field: "b" })
        yield* fails(Pair.get(["x", "\ud800"]), "InvalidValue", { field: "b" })
        for (const id of [["x"], ["x", "y", "z"], [], "x:y", undefined, { 0: "x", 1: "y", length: 2 }]) {
          yield* fails(Pair.get(id as never), "InvalidValue", { model: "KeysPair" })
        }
        yield* fails(Pair.update(["x", "y"], { a: "z" } as never), "InvalidValue", { field: "a" })
      }))

      const Visit = Model.make("KeysVisit", { who: Schema.String, at: Schema.Date, no: Schema.Int, ...otherFields }, {
        key: ["who", "at", "no"]
      })
      const visit = { who: "a:b", at: new Date("2024-12-31T23:59:59.123Z"), no: -3, n: 1, list: ["x"] }
      yield* Visit.insert(visit)
      assert.deepEqual(yield* Visit.get(["a:b", new Date(visit.at), -3]), visit)
      assert.strictEqual(yield* Visit.ref([visit.who, visit.at, visit.no]).n.increment(), 2)
      assert.isTrue(yield* Visit.delete(["a:b", new Date(visit.at), -3]))
    }))

  test("the key field has no handle, is not stored in the hash, and cannot be changed", () =>
    Effect.gen(function*() {
      yield* Item.insert({ id: "x", list: [] })
      assert.notProperty(Item.ref("x"), "id")
      assert.deepEqual(yield* stored, { "KeysItem:{x}": { n: "0" } })
      yield* unchanged(fails(Item.update("x", { id: "y" }), "InvalidValue", { field: "id" }))
    }))

  test("each of the three forms of slot names keys in its own way", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      const named = Effect.fnUntraced(function*(insert: Operation, key: string) {
        yield* insert
        assert.deepEqual(Object.keys(yield* raw.dump), [key, `${key}:list`])
        yield* raw.delete(key)
        yield* raw.delete(`${key}:list`)
      })
      const list = ["x"]
      const ab = { a: Schema.String, b: Schema.String, ...otherFields }
      const ById = Model.make("KeysById", ab, { key: "a" })
      yield* named(ById.insert({ a: "alice", b: "", list } as never), "KeysById:{alice}")
      const ByPair = Model.make("KeysByPair", ab, { key: ["a", "b"] })
      yield* named(ByPair.insert({ a: "user1", b: "cart9", list }), "KeysByPair:{user1:cart9}")
      const First = Model.make("KeysFirst", ab, { key: ["a", "b"], slot: "a" })
      yield* named(First.insert({ a: "user1", b: "cart9", list }), "KeysFirst:{user1}:cart9")
      yield* named(First.insert({ a: "u:1", b: "{c}", list }), "KeysFirst:{u%3A1}:%7Bc%7D")
      const Second = Model.make("KeysSecond", ab, { key: ["a", "b"], slot: "b" })
      yield* named(Second.insert({ a: "user1", b: "cart9", list }), "KeysSecond:{cart9}:user1")
      const Third = Model.make("KeysThird", { ...ab, c: Schema.Int }, { key: ["a", "c", "b"], slot: "c" })
      yield* named(Third.insert({ a: "x", b: "y", c: 5, list }), "KeysThird:{5}:x:y")
      const Tenant = Model.make("KeysTenant", { tenant: Schema.String, id: Schema.String, ...otherFields }, {
        key: ["tenant", "id"]
      })
      yield* named(Tenant.insert({ tenant: "t", id: "i", list }), "KeysTenant:{t:i}")

      // CRC-16/XMODEM of "123456789" is 0x31C3, and of "a" 0x7C87
      const Parted = Model.make("KeysParted", ab, { key: "a", slot: { partitions: 16 } })
      yield* named(Parted.insert({ a: "123456789", b: "", list } as never), "KeysParted:{p3}:123456789")
      yield* named(Parted.insert({ a: "a", b: "", list } as never), "KeysParted:{p7}:a")
      const Hundred = Model.make("KeysHundred", ab, { key: "a", slot: { partitions: 1000 } })
      yield* named(Hundred.insert({ a: "123456789", b: "", list } as never), "KeysHundred:{p739}:123456789")
      const One = Model.make("KeysOne", ab, { key: ["a", "b"], slot: { partitions: 1 } })
      yield* named(One.insert({ a: "x", b: "y", list }), "KeysOne:{p0}:x:y")
    }))

  test("an entity is found by its id in every form of slot, whatever the id contains", () =>
    Effect.gen(function*() {
      const ab = { a: Schema.String, b: Schema.String, ...otherFields }
      const single = Model.make("KeysSinglePartitions", { a: Schema.String, ...otherFields }, {
        key: "a",
        slot: { partitions: 7 }
      })
      const pair = Model.make("KeysPairComponent", ab, { key: ["a", "b"], slot: "b" })
      const parted = Model.make("KeysPairPartitions", ab, { key: ["a", "b"], slot: { partitions: 5 } })
      const ids = hostileIds.slice(0, 60)
      yield* concurrently(ids.flatMap((id, n) => [
        Effect.asVoid(single.insert({ a: id, n, list: [id] })),
        Effect.asVoid(pair.insert({ a: id, b: "same", n, list: [id] })),
        Effect.asVoid(pair.insert({ a: "same", b: id, n, list: [id] })),
        Effect.asVoid(parted.insert({ a: id, b: "same", n, list: [id] }))
      ]))
      assert.strictEqual(Object.keys(yield* stored).length, ids.length * 8)
      yield* concurrently(ids.map((id, n) =>
        Effect.gen(function*() {
          assert.deepEqual(yield* single.get(id), { a: id, n, list: [id] })
          assert.deepEqual(yield* pair.get([id, "same"]), { a: id, b: "same", n, list: [id] })
          assert.deepEqual(yield* pair.get(["same", id]), { a: "same", b: id, n, list: [id] })
          assert.deepEqual(yield* parted.get([id, "same"]), { a: id, b: "same", n, list: [id] })
          assert.isTrue(yield* pair.delete(["same", id]))
        })
      ))
    }))
}
