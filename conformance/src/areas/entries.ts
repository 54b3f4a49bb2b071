/** Map entries by their handles: counters, arithmetic, texts, flags, times and whole values. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Atomic from "redlayer/Atomic"
import * as Model from "redlayer/Model"
import { RawStore } from "redlayer/testing"
import * as assert from "../assert.ts"
import { concurrently, fails, identicalNumber, type Operation, stored, unchanged, wrongType } from "../assertions.ts"
import type { Test } from "../suite.ts"

const Page = Model.make("EntriesPage", {
  id: Schema.String,
  ints: Schema.Record(Schema.String, Schema.Int.check(Schema.isBetween({ minimum: -100, maximum: 100 }))),
  counts: Schema.Record(Schema.String, Schema.Int),
  floats: Schema.ReadonlyMap(Schema.Int, Schema.Number),
  bigs: Schema.Record(Schema.String, Schema.BigInt),
  texts: Schema.Record(Schema.String, Schema.String.check(Schema.isMaxLength(5))),
  flags: Schema.Record(Schema.String, Schema.Boolean),
  waits: Schema.Record(Schema.String, Schema.Duration),
  dates: Schema.Record(Schema.String, Schema.Date),
  structs: Schema.Record(Schema.String, Schema.Struct({ a: Schema.Int, b: Schema.optionalKey(Schema.Int) })),
  even: Schema.Record(Schema.String, Schema.Int.check(Schema.isMultipleOf(2))),
  words: Schema.Record(Schema.String, Schema.Literals(["a", "b"]))
}, { key: "id" })

const page = {
  id: "p",
  ints: {},
  counts: {},
  floats: new Map<number, number>(),
  bigs: {},
  texts: {},
  flags: {},
  waits: {},
  dates: {},
  structs: {},
  even: {},
  words: {}
}

const key = "EntriesPage:{p}"

export const entries = (test: Test): void => {
  test("a map entry may be missing: get, isSet, set, setIfAbsent, getAndSet, compareAndSet and clear respect that", () =>
    Effect.gen(function*() {
      yield* Page.insert(page)
      const entry = Page.ref("p").structs.at("x")
      yield* unchanged(Effect.gen(function*() {
        assert.deepEqual(yield* entry.get(), Option.none())
        assert.isFalse(yield* entry.isSet())
        assert.isFalse(yield* entry.compareAndSet({ a: 1 }, { a: 2 }))
        yield* entry.clear()
      }))
      assert.deepEqual(yield* entry.getAndSet({ a: 1 }), Option.none())
      assert.deepEqual(yield* entry.getAndSet({ b: 2, a: 1 }), Option.some({ a: 1 }))
      assert.isFalse(yield* unchanged(entry.setIfAbsent({ a: 9 })))
      assert.isFalse(yield* unchanged(entry.compareAndSet({ a: 1 }, { a: 2 })))
      assert.isTrue(yield* entry.compareAndSet({ a: 1, b: 2 }, { a: 3 }))
      assert.deepEqual(yield* entry.get(), Option.some({ a: 3 }))
      yield* entry.clear()
      assert.deepEqual(Object.keys(yield* stored), [key])
      assert.isTrue(yield* entry.setIfAbsent({ a: 4 }))
      assert.isTrue(yield* entry.isSet())
      yield* entry.set({ a: 5 })
      assert.deepEqual(
        yield* Atomic.all([
          entry.clear(),
          entry.isSet(),
          entry.clear(),
          entry.setIfAbsent({ a: 6 }),
          entry.get(),
          entry.compareAndSet({ a: 6 }, { a: 7 }),
          entry.getAndSet({ a: 8 })
        ]),
        [undefined, false, undefined, true, Option.some({ a: 6 }), true, Option.some({ a: 7 })]
      )
      assert.deepEqual(yield* Page.ref("p").structs.get(), { x: { a: 8 } })
      const won = yield* concurrently(
        Array.from({ length: 20 }, (_, i) => Atomic.commit(Page.ref("p").structs.at("y").setIfAbsent({ a: i })))
      )
      assert.strictEqual(won.filter((one) => one).length, 1)
    }))

  test("incrementing a missing entry creates it, and a thousand concurrent increments are exact", () =>
    Effect.gen(function*() {
      yield* Page.insert(page)
      const { counts } = Page.ref("p")
      const results = yield* concurrently(Array.from({ length: 1000 }, () => counts.at("hits").increment()))
      assert.deepEqual(results.sort((a, b) => a - b), Array.from({ length: 1000 }, (_, i) => i + 1))
      yield* concurrently(Array.from({ length: 1000 }, (_, i) => counts.at(`k${i % 10}`).increment(i)))
      const all = yield* counts.get()
      for (let k = 0; k < 10; k++) assert.strictEqual(all[`k${k}`], 100 * k + 10 * 4950)
      assert.strictEqual(all["hits"], 1000)
      assert.strictEqual(yield* counts.at("down").decrement(), -1)
      assert.strictEqual(yield* counts.at("zero").increment(0), 0)
      assert.isTrue(yield* counts.has("zero"))
      assert.strictEqual(yield* counts.at("from").increment(5, { initial: 10 }), 15)
      assert.strictEqual(yield* counts.at("from").increment(5, { initial: 10 }), 20)
      assert.strictEqual(yield* counts.at("down from").decrement(5, { initial: 10 }), 5)
    }))

  test("the other arithmetic operations start from `initial` if the entry is missing", () =>
    Effect.gen(function*() {
      yield* Page.insert(page)
      const { counts, floats } = Page.ref("p")
      const initial = 10
      const results: ReadonlyArray<readonly [Operation, number, number]> = [
        [counts.at("multiply").multiply(3, { initial }), 30, 90],
        [counts.at("divide").divide(5, { initial: 50 }), 10, 2],
        [counts.at("quotient").quotient(3, { initial }), 3, 1],
        [counts.at("modulo").modulo(6, { initial }), 4, 4],
        [counts.at("power").power(2, { initial }), 100, 10_000],
        [counts.at("min").min(3, { initial }), 3, 3],
        [counts.at("max").max(30, { initial }), 30, 30],
        [counts.at("clamp").clamp(0, 7, { initial }), 7, 7],
        [floats.at(1).increment(0.2, { initial: 0.1 }), 0.1 + 0.2, 0.1 + 0.2 + 0.2],
        [floats.at(2).divide(3, { initial: 10 }), 10 / 3, 10 / 3 / 3],
        [floats.at(3).power(0.5, { initial: 2 }), Math.sqrt(2), Math.sqrt(Math.sqrt(2))],
        [floats.at(4).increment(), 1, 2]
      ]
      for (const [operation, first, second] of results) {
        identicalNumber((yield* operation) as number, first)
        identicalNumber((yield* operation) as number, second)
      }
      yield* unchanged(Effect.gen(function*() {
        for (
          const program of [
            (counts.at("x") as any).multiply(3),
            (counts.at("x") as any).min(3, {}),
            counts.at("x").clamp(3, 1, { initial }),
            counts.at("x").multiply(3, { initial: 1.5 }),
            counts.at("x").increment(1, { initial: NaN }),
            counts.at("x").increment(1.5),
            counts.at("x").power(1.5, { initial }),
            counts.at("x").increment(NaN)
          ] as ReadonlyArray<Operation>
        ) yield* fails(program, "InvalidValue", { model: "EntriesPage", id: "p", field: "counts" })
        yield* fails(counts.at("x").divide(0, { initial }), "ArithmeticError", {
          field: "counts",
          reason: "divisionByZero"
        })
        yield* fails(counts.at("x").divide(3, { initial }), "ArithmeticError", { reason: "notWhole" })
        yield* fails(counts.at("x").power(-1, { initial: 0 }), "ArithmeticError", { reason: "divisionByZero" })
        yield* fails(counts.at("x").increment(1, { initial: 2 ** 53 - 1 }), "ArithmeticError", { reason: "outOfRange" })
        yield* fails(floats.at(9).multiply(1e300, { initial: 1e300 }), "ArithmeticError", { reason: "notFinite" })
        yield* fails(floats.at(9).power(0.5, { initial: -1 }), "ArithmeticError", { reason: "notFinite" })
      }))
    }))

  test("bounds of the schema and of the call apply, also to an entry that is created", () =>
    Effect.gen(function*() {
      yield* Page.insert(page)
      const { ints } = Page.ref("p")
      const error = { model: "EntriesPage", id: "p", field: "ints" } as const
      yield* unchanged(Effect.gen(function*() {
        yield* fails(ints.at("a").increment(101), "OutOfBounds", { ...error, bound: "maximum", limit: 100 })
        yield* fails(ints.at("a").decrement(101), "OutOfBounds", { ...error, bound: "minimum", limit: -100 })
        yield* fails(ints.at("a").decrement(1, { atLeast: 0 }), "OutOfBounds", { ...error, bound: "atLeast", limit: 0 })
        yield* fails(ints.at("a").increment(1, { initial: 5, atMost: 5 }), "OutOfBounds", { bound: "atMost", limit: 5 })
        yield* fails(ints.at("a").multiply(2, { initial: 99 }), "OutOfBounds", { bound: "maximum" })
        yield* fails(ints.at("a").set(101), "InvalidValue", { field: "ints" })
        yield* fails(ints.put("a", 101), "InvalidValue", { field: "ints" })
      }))
      // only the result must be within the bounds, not the initial value
      assert.strictEqual(yield* ints.at("a").decrement(950, { initial: 1000 }), 50)
      yield* ints.put("stock", 10)
      const raced = yield* concurrently(
        Array.from({ length: 100 }, () => Effect.exit(Atomic.commit(ints.at("stock").decrement(1, { atLeast: 0 }))))
      )
      assert.strictEqual(raced.filter(({ _tag }) => _tag === "Success").length, 10)
      assert.deepEqual(yield* ints.at("stock").get(), Option.some(0))
    }))

  test("bigint entries are exact, texts append to an empty text, flags toggle from false, times move", () =>
    Effect.gen(function*() {
      yield* Page.insert(page)
      const { bigs, dates, flags, texts, waits } = Page.ref("p")
      assert.strictEqual(yield* bigs.at("a").increment(), 1n)
      assert.strictEqual(yield* bigs.at("a").increment(2n ** 62n), 2n ** 62n + 1n)
      assert.strictEqual(yield* bigs.at("b").decrement(), -1n)
      assert.strictEqual(yield* bigs.at("c").multiply(-3n, { initial: 2n ** 61n + 1n }), -3n * (2n ** 61n + 1n))
      yield* unchanged(fails(bigs.at("a").multiply(2n, { initial: 0n }), "ArithmeticError", { reason: "outOfRange" }))
      yield* unchanged(
        fails(bigs.at("d").increment(1n, { initial: 2n ** 63n - 1n }), "ArithmeticError", { field: "bigs" })
      )

      assert.strictEqual(yield* texts.at("a").append("ab"), 2)
      assert.strictEqual(yield* texts.at("a").append("\u{1f600}"), 4)
      assert.strictEqual(yield* texts.at("empty").append(""), 0)
      assert.deepEqual(yield* texts.get(), { a: "ab\u{1f600}", empty: "" })
      yield* unchanged(fails(texts.at("a").append("\u{1f600}"), "OutOfBounds", { bound: "maxLength", limit: 5 }))
      yield* unchanged(fails(texts.at("b").append("123456"), "OutOfBounds", { bound: "maxLength", limit: 5 }))
      yield* unchanged(fails(texts.at("b").append("\ud800"), "InvalidValue", { field: "texts" }))

      assert.isTrue(yield* flags.at("a").toggle())
      assert.isFalse(yield* flags.at("a").toggle())
      assert.deepEqual(yield* flags.at("a").get(), Option.some(false))
      assert.deepEqual(yield* Atomic.all([flags.at("b").toggle(), flags.at("b").toggle()]), [true, false])

      const day = Duration.days(1)
      assert.deepEqual(yield* waits.at("a").add("1 nanos", { initial: day }), Duration.nanos(86_400_000_000_001n))
      assert.deepEqual(yield* waits.at("a").subtract("1 nanos", { initial: day }), day)
      assert.deepEqual(yield* dates.at("a").add(day, { initial: new Date(5) }), new Date(86_400_005))
      assert.deepEqual(yield* dates.at("a").subtract(day, { initial: new Date(5) }), new Date(5))
      yield* unchanged(fails((dates.at("b") as any).add(day) as Operation, "InvalidValue", { field: "dates" }))
      yield* unchanged(
        fails(dates.at("b").add(day, { initial: new Date(8.64e15) }), "ArithmeticError", { field: "dates" })
      )
    }))

  test("an operation whose check only the client can evaluate is refused", () =>
    Effect.gen(function*() {
      yield* Page.insert(page)
      const { even, words } = Page.ref("p")
      yield* unchanged(Effect.gen(function*() {
        for (const program of [even.at("a").increment(2), even.at("a").min(2, { initial: 2 })]) {
          const { issue } = yield* fails(program as Operation, "InvalidValue", { field: "even" })
          assert.include(issue, "modify")
        }
        yield* fails(even.at("a").set(3), "InvalidValue", { field: "even" })
        yield* fails(words.at("a").set("c" as "a"), "InvalidValue", { field: "words" })
      }))
      assert.deepEqual(yield* even.at("a").getAndSet(4), Option.none())
      assert.isTrue(yield* even.at("a").compareAndSet(4, 6))
      assert.isTrue(yield* words.at("a").setIfAbsent("b"))
      assert.deepEqual(yield* words.get(), { a: "b" })
    }))

  test("an entry that was stored with invalid text fails every operation and stays as it is", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      yield* Page.insert(page)
      const ref = Page.ref("p")
      const cases: ReadonlyArray<readonly [field: string, texts: ReadonlyArray<string>, ReadonlyArray<Operation>]> = [
        ["counts", ["abc", "1.5", "", " 1 ", "0x10", "nan", "1e400", "9007199254740993"], [
          ref.counts.at("x").increment(),
          ref.counts.at("x").multiply(2, { initial: 1 }),
          ref.counts.at("x").get()
        ]],
        ["floats", ["abc", "", " 1", "0x10", "nan", "1e400", "+1", "1."], [
          ref.floats.at(5).increment(1),
          ref.floats.at(5).get()
        ]],
        ["bigs", ["abc", "1.5", "", "0x10", "9223372036854775808", "-9223372036854775809", "1e3"], [
          ref.bigs.at("x").increment(),
          ref.bigs.at("x").get()
        ]],
        ["flags", ["1", "TRUE", ""], [ref.flags.at("x").toggle(), ref.flags.at("x").get()]],
        ["waits", ["abc", "1.5", ""], [
          ref.waits.at("x").add(1, { initial: Duration.zero }),
          ref.waits.at("x").get()
        ]],
        ["dates", ["abc", "1.5", "", "8640000000000001"], [
          ref.dates.at("x").add(1, { initial: new Date(0) }),
          ref.dates.at("x").get()
        ]]
      ]
      for (const [field, texts, operations] of cases) {
        for (const text of texts) {
          yield* raw.hashSet(`${key}:${field}`, { [field === "floats" ? "5" : "x"]: text })
          for (const operation of operations) {
            yield* unchanged(wrongType(operation, { model: "EntriesPage", key: `${key}:${field}`, field })).pipe(
              Effect.catchDefect((defect) => Effect.die(new Error(`${field} "${text}": ${defect}`)))
            )
          }
          // all but the last, which is a read: its value is decoded after the commit
          for (const operation of operations.slice(0, -1)) {
            yield* unchanged(wrongType(Atomic.all([ref.counts.at("y").increment(), operation]), { field }))
          }
        }
        yield* raw.delete(`${key}:${field}`)
      }
    }))
}
