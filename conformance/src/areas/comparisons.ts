/** Comparisons of every kind of field, with stored and with missing values. */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Atomic from "redlayer/Atomic"
import * as Condition from "redlayer/Condition"
import { RawStore } from "redlayer/testing"
import * as assert from "../assert.ts"
import { fails } from "../assertions.ts"
import type { Test } from "../suite.ts"
import { hostileTexts } from "../support/collectionModels.ts"
import {
  ascendingValues,
  type Comparable,
  type Compare,
  compareAll,
  equalities,
  EveryKind,
  expected,
  key,
  optional,
  put,
  ref,
  type Settable,
  whenMissing
} from "../support/conditionModels.ts"

export const comparisons = (test: Test): void => {
  const insert = put({ id: "a" })

  /**
   * In one program, sets each value and compares it with every value, so that each comparison sees the value just set.
   */
  const eachWithEach = (
    name: string,
    handle: Settable & Comparable,
    values: ReadonlyArray<unknown>
  ) =>
    Effect.forEach(values, (stored, i) =>
      Effect.map(
        Atomic.all([
          handle.set(stored),
          Atomic.all(values.map((value) => compareAll(handle, value)))
        ]),
        ([, found]) => {
          for (const [j, result] of found.entries()) {
            assert.deepEqual(result, expected(Math.sign(i - j)), `${name}: ${String(stored)} and ${String(values[j])}`)
          }
        }
      ), { discard: true })

  test("numbers, bigints and times compare by value, and texts by their UTF-8 bytes", () =>
    Effect.gen(function*() {
      yield* insert
      yield* eachWithEach("int", ref.int, ascendingValues.int)
      yield* eachWithEach("num", ref.num, ascendingValues.num)
      yield* eachWithEach("big", ref.big, ascendingValues.big)
      yield* eachWithEach("date", ref.date, ascendingValues.date)
      yield* eachWithEach("utc", ref.utc, ascendingValues.date.map((date) => DateTime.makeUnsafe(date)))
      yield* eachWithEach("wait", ref.wait, ascendingValues.wait)
      yield* eachWithEach("text", ref.text, ascendingValues.text)
    }))

  test("optional fields, map entries and list items compare like plain fields", () =>
    Effect.gen(function*() {
      yield* put({ id: "a", ints: [0], texts: [""] })
      yield* eachWithEach("optInt", ref.optInt, optional.int)
      yield* eachWithEach("optNum", ref.optNum, optional.num)
      yield* eachWithEach("optBig", ref.optBig, optional.big)
      yield* eachWithEach("optDate", ref.optDate, optional.date)
      yield* eachWithEach("optWait", ref.optWait, optional.wait)
      yield* eachWithEach("nullInt", ref.nullInt, optional.int)
      yield* eachWithEach("nullBig", ref.nullBig, optional.big)
      yield* eachWithEach("nullDate", ref.nullDate, optional.date.map((date) => DateTime.makeUnsafe(date)))
      for (const name of ["a", "", "__proto__", "a.b{c}\n", "\u{1f600}"]) {
        yield* eachWithEach("counts", ref.counts.at(name), optional.int)
        yield* eachWithEach("names", ref.names.at(name), optional.text)
        yield* eachWithEach("bigs", ref.bigs.at(name), optional.big)
        yield* eachWithEach("waits", ref.waits.at(name), optional.wait)
      }
      yield* eachWithEach("dates", ref.dates.at(new Date(5)), optional.date)
      yield* eachWithEach("ints", ref.ints.at(-1), optional.int)
      yield* eachWithEach("texts", ref.texts.at(0), optional.text)
      yield* eachWithEach("stats.wins", ref.stats.wins, optional.int)
    }))

  test("kinds without an order have only equality", () =>
    Effect.gen(function*() {
      yield* insert
      const kinds: ReadonlyArray<
        readonly [Settable & { readonly eq: Compare; readonly neq: Compare }, ReadonlyArray<unknown>]
      > = [
        [ref.bool, [true, false]],
        [ref.word, ["a", "ab", "b", "A"]],
        [ref.level, [1, 2, 10]],
        [ref.brand, ["", "a", "A", "a ", "\u{1f600}"]],
        [ref.bytes, [[], [0], [0, 0], [255], [0, 255]].map((bytes) => Uint8Array.from(bytes))],
        [ref.tuple, [[0, ""], [1, ""], [0, "0"]]],
        // the order of object keys does not matter
        [ref.json, [{}, { a: 1 }, { b: 1 }, { a: 1, b: 2 }]],
        [ref.optText, optional.text],
        [ref.optBool, [true, false]],
        [ref.optPoint, [{ x: 1 }, { x: 1, y: 1 }, { x: 2 }]],
        [ref.nullText, optional.text],
        [ref.nullBool, [true, false]],
        [ref.nullPoint, [{ x: 1 }, { x: 1, y: 1 }]],
        [ref.flags.at("a"), [true, false]]
      ]
      for (const [handle, values] of kinds) {
        for (const stored of values) {
          const [, found] = yield* Atomic.all([
            handle.set(stored),
            Atomic.all(values.map((value) => compareAll(handle as any, value, equalities)))
          ])
          assert.deepEqual(found, values.map((value) => expected(stored === value ? 0 : 1, equalities)))
        }
      }
      yield* ref.json.set({ b: 2, a: 1 })
      assert.isTrue(yield* ref.json.eq({ a: 1, b: 2 }))
    }))

  test("numbers compare as in JavaScript: NaN equals nothing, -0 equals 0, and values out of the field's bounds are allowed", () =>
    Effect.gen(function*() {
      yield* insert
      yield* ref.num.set(NaN)
      for (const value of [NaN, 0, Infinity, -Infinity]) {
        assert.deepEqual(yield* compareAll(ref.num, value), whenMissing, String(value))
      }
      yield* ref.num.set(1)
      assert.deepEqual(yield* compareAll(ref.num, NaN), whenMissing)
      yield* ref.num.set(-0)
      assert.deepEqual(yield* compareAll(ref.num, 0), expected(0))
      assert.deepEqual(yield* compareAll(ref.num, -0), expected(0))
      assert.deepEqual(yield* compareAll(ref.int, -0), expected(0))
      // values that the field itself could not store
      assert.deepEqual(yield* compareAll(ref.int, 0.5), expected(-1))
      assert.deepEqual(yield* compareAll(ref.int, 2 ** 60), expected(-1))
      assert.deepEqual(yield* compareAll(ref.int, Infinity), expected(-1))
      assert.deepEqual(yield* compareAll(ref.int, -Infinity), expected(1))
      assert.deepEqual(yield* compareAll(ref.big, 2n ** 70n), expected(-1))
      assert.deepEqual(yield* compareAll(ref.big, -(2n ** 70n)), expected(1))
      assert.deepEqual(yield* compareAll(ref.short, "abcd"), expected(-1))
      // numbers stored by another client in another notation compare by value
      const raw = yield* RawStore
      yield* raw.hashSet(key, { int: "1e1", num: "10.50", big: "-0", text: "1e1" })
      assert.deepEqual(yield* compareAll(ref.int, 10), expected(0))
      assert.deepEqual(yield* compareAll(ref.num, 10.5), expected(0))
      assert.deepEqual(yield* compareAll(ref.big, 0n), expected(0))
      assert.isFalse(yield* ref.text.eq("10"))
    }))

  test("`in` holds if the value is one of the list, and never for an empty list", () =>
    Effect.gen(function*() {
      yield* put({
        id: "a",
        int: 5,
        num: 0.5,
        big: 2n ** 53n + 1n,
        date: new Date(5),
        utc: DateTime.makeUnsafe(5),
        wait: Duration.nanos(5n),
        text: "\u{1f600}",
        bool: true,
        word: "ab",
        level: 10,
        ints: [5]
      })
      const found = yield* Atomic.all([
        ref.int.in([1, 5, 9]),
        ref.int.in([50, 0, -5]),
        ref.int.in([]),
        ref.num.in([0.5]),
        ref.num.in([NaN, Infinity, 0.25]),
        ref.big.in([2n ** 53n, 2n ** 53n + 1n]),
        ref.big.in([2n ** 53n, 2n ** 53n + 2n]),
        ref.date.in([new Date(4), new Date(5)]),
        ref.date.in([new Date(4)]),
        ref.utc.in([DateTime.makeUnsafe(5)]),
        ref.wait.in([Duration.millis(5), Duration.nanos(5n)]),
        ref.wait.in([Duration.millis(5)]),
        ref.text.in(["", "\u{1f600}"]),
        ref.text.in(["", "\u{1f601}"]),
        ref.bool.in([true]),
        ref.bool.in([false]),
        ref.word.in(["a", "ab"]),
        ref.word.in(["a", "b"]),
        ref.level.in([1, 10]),
        ref.level.in([1, 2]),
        ref.ints.at(0).in([5]),
        ref.ints.at(0).in([])
      ])
      assert.deepEqual(
        found,
        [
          [true, false, false],
          [true, false],
          [true, false],
          [true, false],
          [true],
          [true, false],
          [true, false],
          [true, false],
          [true, false],
          [true, false],
          [true, false]
        ].flat()
      )
    }))

  test("a missing value equals nothing and is neither less nor greater, and null counts as missing", () =>
    Effect.gen(function*() {
      yield* insert
      const ordered: ReadonlyArray<readonly [Comparable, unknown]> = [
        [ref.optInt, 0],
        [ref.optNum, 0],
        [ref.optBig, 0n],
        [ref.optDate, new Date(0)],
        [ref.optWait, Duration.zero],
        [ref.nullInt, 0],
        [ref.nullBig, 0n],
        [ref.nullDate, DateTime.makeUnsafe(0)],
        [ref.counts.at("a"), 0],
        [ref.names.at("a"), ""],
        [ref.bigs.at("a"), 0n],
        [ref.waits.at("a"), Duration.zero],
        [ref.dates.at(new Date(0)), new Date(0)]
      ]
      for (const [handle, value] of ordered) assert.deepEqual(yield* compareAll(handle, value), whenMissing)
      const equal: ReadonlyArray<readonly [{ readonly eq: Compare; readonly neq: Compare }, unknown]> = [
        [ref.optText, ""],
        [ref.optText, "undefined"],
        [ref.optBool, false],
        [ref.optPoint, { x: 0 }],
        [ref.nullText, ""],
        [ref.nullText, "null"],
        [ref.nullBool, false],
        [ref.nullPoint, { x: 0 }],
        [ref.flags.at("a"), false]
      ]
      for (const [handle, value] of equal) {
        assert.deepEqual(yield* compareAll(handle as any, value, equalities), { eq: false, neq: true })
      }
      // a required field that another client has removed counts as missing too
      const raw = yield* RawStore
      yield* raw.hashDelete(key, "nullInt")
      assert.deepEqual(yield* compareAll(ref.nullInt, 0), whenMissing)
      assert.isFalse(yield* ref.nullInt.isSet())
      // a missing field with a default compares as its default
      yield* raw.hashDelete(key, "int")
      yield* raw.hashDelete(key, "text")
      yield* raw.hashDelete(key, "date")
      assert.deepEqual(yield* compareAll(ref.int, 0), expected(0))
      assert.deepEqual(yield* compareAll(ref.text, ""), expected(0))
      assert.deepEqual(yield* compareAll(ref.date, new Date(1)), expected(-1))
      assert.isTrue(yield* ref.int.in([1, 0]))
    }))

  test("`isSet` tells whether an optional field, a nullable field or a map entry has a value", () =>
    Effect.gen(function*() {
      yield* insert
      const { counts, nullText, optInt, optPoint } = ref
      const handles = [
        [optInt, 0],
        [optPoint, { x: 0 }],
        [nullText, "null"],
        [ref.nullBool, false],
        [counts.at("a"), 0],
        [ref.names.at(""), ""]
      ] as ReadonlyArray<readonly [typeof ref.optInt, any]>
      for (const [handle, value] of handles) {
        const found = yield* Atomic.all([
          handle.isSet(),
          handle.set(value),
          handle.isSet(),
          handle.eq(value),
          handle.clear(),
          handle.isSet(),
          handle.neq(value),
          handle.setIfAbsent(value),
          handle.isSet()
        ])
        assert.deepEqual(found, [false, undefined, true, true, undefined, false, true, true, true])
      }
    }))

  test("lists have conditions on `contains`, on their length and on their items", () =>
    Effect.gen(function*() {
      yield* put({ id: "a", ints: [1, 2, 1], texts: ["", "null"], points: [{ x: 1 }, { x: 1, y: 2 }] })
      const { ints, points, texts } = ref
      assert.deepEqual(
        yield* Atomic.all([
          ints.contains(1),
          ints.contains(2),
          ints.contains(3),
          texts.contains(""),
          texts.contains("null"),
          texts.contains("nul"),
          points.contains({ x: 1 }),
          points.contains({ y: 2, x: 1 }),
          points.contains({ x: 2 }),
          ints.remove(1),
          ints.contains(1),
          ints.append(9),
          ints.contains(9),
          ints.clear(),
          ints.contains(9)
        ]),
        [true, true, false, true, true, false, true, true, false, 2, false, 2, true, undefined, false]
      )
      assert.deepEqual(yield* Atomic.all([texts.clear(), texts.contains("")]), [undefined, false])
      yield* points.set([{ x: 5 }])
      assert.deepEqual(
        yield* Atomic.all([points.at(0).eq({ x: 5 }), points.at(-1).neq({ x: 5 }), points.at(0).eq({ x: 5, y: 1 })]),
        [true, false, false]
      )
      yield* fails(points.at(1).eq({ x: 5 }), "IndexOutOfRange", { id: "a", field: "points", index: 1 })
      yield* fails(ints.at(0).gt(5), "IndexOutOfRange", { id: "a", field: "ints", index: 0 })
      yield* fails(ints.at(-1).in([]), "IndexOutOfRange", { id: "a", field: "ints", index: -1 })
    }))

  test("sizes of collections compare as numbers", () =>
    Effect.gen(function*() {
      yield* insert
      const counts = [
        [(n: number) => ref.ints.set(Array.from({ length: n }, (_, i) => i)), ref.ints.length()],
        [(n: number) => ref.set.set(new Set(Array.from({ length: n }, (_, i) => `${i}`))), ref.set.size()],
        [
          (n: number) => ref.counts.set(Object.fromEntries(Array.from({ length: n }, (_, i) => [`${i}`, i]))),
          ref.counts.size()
        ],
        [
          (n: number) => ref.sorted.set(Array.from({ length: n }, (_, i) => ({ member: `${i}`, score: i }))),
          ref.sorted.size()
        ]
      ] as const
      for (const [fill, size] of counts) {
        for (const n of [0, 1, 2, 10]) {
          const [, found, plain] = yield* Atomic.all([
            fill(n),
            Atomic.all([-1, 0, 1, 1.5, 2, 9, 10, 1e300].map((value) => compareAll(size, value))),
            size
          ])
          assert.strictEqual(plain, n)
          assert.deepEqual(found, [-1, 0, 1, 1.5, 2, 9, 10, 1e300].map((value) => expected(Math.sign(n - value))))
        }
        for (const invalid of [NaN, Infinity, "1", undefined] as ReadonlyArray<any>) {
          yield* fails(size.gt(invalid), "InvalidValue", { model: "Conditions", id: "a" })
        }
      }
    }))

  test("`has` finds any member of sets, maps and sorted sets", () =>
    Effect.gen(function*() {
      yield* put({
        id: "a",
        set: new Set(hostileTexts),
        pointSet: new Set([{ x: 1 }, { x: 1, y: 2 }]),
        names: Object.fromEntries(hostileTexts.filter((name) => name !== "__proto__").map((name) => [name, name])),
        sorted: hostileTexts.map((member, score) => ({ member, score }))
      })
      yield* ref.names.put("__proto__", "__proto__")
      const found = yield* Atomic.all(hostileTexts.flatMap((name) => [
        ref.set.has(name),
        ref.names.has(name),
        ref.names.at(name).isSet(),
        ref.names.at(name).eq(name),
        ref.sorted.has(name)
      ]))
      assert.isTrue(found.every((is) => is))
      const missing = yield* Atomic.all(hostileTexts.flatMap((name) => [
        ref.set.has(`${name}!`),
        ref.names.has(`${name}!`),
        ref.names.at(name).eq(`${name}!`),
        ref.sorted.has(`${name}!`)
      ]))
      assert.isFalse(missing.some((is) => is))
      assert.deepEqual(
        yield* Atomic.all([
          ref.pointSet.has({ y: 2, x: 1 }),
          ref.pointSet.has({ x: 2 }),
          ref.set.remove("a"),
          ref.set.has("a"),
          ref.set.add("a"),
          ref.set.has("a"),
          ref.set.clear(),
          ref.set.has("a"),
          ref.sorted.remove("a"),
          ref.sorted.has("a"),
          ref.names.pop("a"),
          ref.names.has("a")
        ]).pipe(Atomic.map((all) => all.filter((_, i) => i !== 10))),
        [true, false, true, false, 1, true, undefined, false, true, false, false]
      )
    }))

  test("structs are equal if all their fields are equal, and a struct with a collection cannot be compared", () =>
    Effect.gen(function*() {
      const { bag, stats } = ref
      yield* put({ id: "a", stats: { wins: 1, best: 5, worst: 2, home: { street: "s" } } })
      const same = { wins: 1, best: 5, worst: 2, home: { street: "s" } }
      const others = [
        { ...same, wins: 2 },
        { ...same, best: 6 },
        { wins: 1, worst: 2, home: { street: "s" } },
        { ...same, worst: null },
        { ...same, home: { street: "S" } }
      ]
      assert.deepEqual(yield* Atomic.all([stats.$.eq(same), stats.$.neq(same)]), [true, false])
      for (const other of others) {
        assert.deepEqual(yield* Atomic.all([stats.$.eq(other), stats.$.neq(other)]), [false, true])
        assert.deepEqual(
          yield* Atomic.all([stats.$.set(other), stats.$.eq(other), stats.$.eq(same), stats.$.set(same)]),
          [undefined, true, false, undefined]
        )
      }
      assert.deepEqual(yield* Atomic.all([stats.home.$.eq({ street: "s" }), stats.home.$.neq({ street: "s" })]), [
        true,
        false
      ])
      yield* fails(bag.$.eq({ n: 0, items: [] }), "InvalidValue", { id: "a", field: "bag.items" })
      yield* fails(Condition.not(bag.$.neq({ n: 0, items: [] })), "InvalidValue", { id: "a" })
      yield* fails(EveryKind.ref("missing").stats.$.eq(same), "EntityNotFound", { id: "missing" })
    }))

  test("`exists` is a condition, also for an entity that does not exist", () =>
    Effect.gen(function*() {
      yield* insert
      const made = put({ id: "b" })
      assert.deepEqual(
        yield* Atomic.all([
          EveryKind.exists("a"),
          Condition.not(EveryKind.exists("a")),
          EveryKind.exists("b"),
          Condition.or(EveryKind.exists("b"), EveryKind.exists("a")),
          Condition.and(EveryKind.exists("a"), EveryKind.exists("b")),
          Atomic.as(made, null),
          Condition.and(EveryKind.exists("a"), EveryKind.exists("b")),
          EveryKind.delete("b"),
          EveryKind.exists("b")
        ]),
        [true, false, false, true, false, null, true, true, false]
      )
    }))
}
