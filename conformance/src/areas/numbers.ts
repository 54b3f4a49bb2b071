/** Integers and numbers: arithmetic as in JavaScript, texts stored by other clients, bounds, and concurrency. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Atomic from "redlayer/Atomic"
import * as Model from "redlayer/Model"
import { RawStore } from "redlayer/testing"
import * as assert from "../assert.ts"
import { concurrently, fails, identicalNumber, pseudoRandom, stored, unchanged, wrongType } from "../assertions.ts"
import type { Test } from "../suite.ts"
import { expected, keyOf, notFinite, operations, outcome, positions, Tally, texts } from "../support/numberCases.ts"

const Shop = Model.make("NumbersShop", {
  id: Schema.String,
  stock: Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)),
  level: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 10 })),
  ratio: Schema.Number.check(Schema.isGreaterThan(0), Schema.isLessThan(1)),
  cap: Schema.Number.check(Schema.isLessThanOrEqualTo(100.5)),
  even: Schema.Int.check(Schema.isMultipleOf(2)),
  count: Schema.Natural.pipe(Model.withDefault(0)),
  finite: Schema.Finite.pipe(Model.withDefault(0)),
  steps: Schema.Array(Schema.Int.check(Schema.isLessThanOrEqualTo(5)))
}, { key: "id" })

const shop = { id: "s", stock: 10, level: 5, ratio: 0.5, cap: 100, even: 4, steps: [1, 5] }

export const numbers = (test: Test): void => {
  for (const place of positions) {
    for (const kind of ["int", "num"] as const) {
      test(`${kind === "int" ? "an integer" : "a number"}, ${place.name}, computes as JavaScript does`, () =>
        Effect.gen(function*() {
          const cases = [...texts, ...notFinite].flatMap(([text, value]) =>
            operations.filter(({ name, whole }) =>
              value === undefined ? name === "increment(1)" : kind === "num" || whole
            )
              .map((operation) => ({ text, value, operation }))
          )
          yield* concurrently(cases.map(({ text }, i) => place.prepare(String(i), kind, text)))
          const found = yield* concurrently(
            cases.map(({ operation }, i) => outcome(Atomic.commit(place.run(String(i), kind, operation)) as any))
          )
          const after = yield* concurrently(cases.map((_, i) => place.text(String(i), kind)))
          cases.forEach(({ operation, text, value }, i) => {
            const name = `${JSON.stringify(text)} ${operation.name}`
            const wanted = expected(kind, text, value, operation)
            assert.deepEqual(found[i], wanted, name)
            // a failure left the text unchanged, a success stored JavaScript's own text of the number
            assert.strictEqual(after[i], wanted._tag === "is" ? String(wanted.value) : text, name)
          })
        }))
    }
  }

  test("numbers stored by another client are read, and invalid texts are reported", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      const all: ReadonlyArray<readonly [string, number | undefined]> = [...texts, ...notFinite]
      yield* concurrently(all.map(([text], i) => raw.hashSet(keyOf(i), { int: text, num: text })))
      for (const kind of ["int", "num"] as const) {
        const found = yield* concurrently(all.map((_, i) => outcome(Tally.ref(String(i))[kind].get() as any)))
        all.forEach(([text, value], i) => {
          const isOne = value !== undefined && (kind === "num" || Number.isSafeInteger(value))
          assert.deepEqual(found[i], isOne ? { _tag: "is", value } : { _tag: "WrongType" }, `${kind} ${text}`)
        })
      }
      const found = yield* concurrently(all.map((_, i) => outcome(Tally.get(String(i)) as any)))
      all.forEach(([text, value], i) =>
        value !== undefined && Number.isSafeInteger(value)
          ? assert.deepEqual(found[i].value, { id: String(i), int: value, num: value, ints: [], nums: [] })
          : assert.strictEqual(found[i]._tag, "EntityCorrupted", text)
      )
    }))

  test("every double is read back bit by bit, and stored as JavaScript's own text", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      const random = pseudoRandom(7)
      const bits = new DataView(new ArrayBuffer(8))
      const doubles = [0, 0.1 + 0.2, 1e21, 1e-7, 5e-324, Number.MAX_VALUE, 2 ** 53, 123456789012345680000, 1e20, 1e-6]
      for (let e = -1074; e < 1024; e++) {
        // the smallest doubles have few digits, and doubles next to a power of two are not evenly spaced
        const power = 2 ** e
        if (e < -1022 || Number(power.toPrecision(16)) !== power && Number(power.toPrecision(15)) !== power) {
          doubles.push(power)
        }
      }
      while (doubles.length < 1500) {
        bits.setUint32(0, random() * 2 ** 32)
        bits.setUint32(4, random() * 2 ** 32)
        const n = bits.getFloat64(0)
        if (Number.isFinite(n)) doubles.push(n)
        doubles.push(Math.round(random() * 1e6) / 100, (random() - 0.5) * 10 ** Math.floor(random() * 44 - 22))
      }
      yield* concurrently(doubles.map((n, i) => Tally.insert({ id: `set${i}`, num: n, ints: [], nums: [n] })))
      yield* concurrently(doubles.map((_, i) => Tally.insert({ id: `add${i}`, ints: [], nums: [] })))
      const read = yield* concurrently(doubles.map((_, i) => Tally.get(`set${i}`)))
      const added = yield* concurrently(doubles.map((n, i) => Tally.ref(`add${i}`).num.increment(n)))
      const cut = yield* concurrently(doubles.map((n, i) =>
        Atomic.map(
          Atomic.all([
            Tally.ref(`set${i}`).num.divide(3),
            Tally.ref(`set${i}`).num.multiply(n < 1 && n > -1 ? n : 0.7)
          ]),
          ([, value]) => value
        )
      ))
      const stored = yield* concurrently(doubles.map((_, i) => raw.hashGet(keyOf(`add${i}`), "num")))
      doubles.forEach((n, i) => {
        identicalNumber(read[i].num, n, "set")
        identicalNumber(read[i].nums[0], n, "an item")
        identicalNumber(added[i], n, "increment")
        identicalNumber(cut[i], n / 3 * (n < 1 && n > -1 ? n : 0.7) + 0, "divide, multiply")
        assert.strictEqual(stored[i], String(n))
      })
    }))

  test("NaN and the infinities are stored, and arithmetic on them is refused", () =>
    Effect.gen(function*() {
      for (const value of [NaN, Infinity, -Infinity]) {
        const { num } = Tally.ref("x")
        yield* Tally.put({ id: "x", num: value, ints: [], nums: [value] })
        identicalNumber(yield* num.get(), value)
        identicalNumber((yield* Tally.get("x")).nums[0], value)
        yield* unchanged(fails(num.increment(), "ArithmeticError", {
          model: "NumbersTally",
          id: "x",
          field: "num",
          reason: "notFinite"
        }))
        assert.isTrue(yield* num.compareAndSet(value, 1))
        identicalNumber(yield* num.getAndSet(value), 1)
        identicalNumber(yield* num.getAndSet(2), value)
      }
      yield* unchanged(concurrently([NaN, Infinity, -Infinity, 1.5, 2 ** 53, -(2 ** 53)].flatMap((value) => [
        fails(Tally.ref("x").int.set(value), "InvalidValue", { field: "int" }),
        fails(Tally.ref("x").int.compareAndSet(0, value), "InvalidValue", { field: "int" }),
        fails(Tally.put({ id: "x", int: value, ints: [], nums: [] }), "InvalidValue", { field: "int" }),
        fails(Tally.update("x", { int: value }), "InvalidValue", { field: "int" }),
        fails(Tally.ref("x").ints.append(value), "InvalidValue", { field: "ints" })
      ])))
    }))

  test("-0 is stored as 0", () =>
    Effect.gen(function*() {
      yield* Tally.insert({ id: "x", int: -0, num: -0, ints: [-0], nums: [-0] })
      const { int, ints, num, nums } = yield* Tally.get("x")
      for (const n of [int, num, ...ints, ...nums]) identicalNumber(n, 0)
      const ref = Tally.ref("x")
      identicalNumber(yield* ref.num.increment(-0), 0)
      identicalNumber(yield* ref.num.multiply(-1), 0)
      identicalNumber(yield* ref.num.set(-0).pipe(Atomic.andThen(ref.num.get())), 0)
      identicalNumber(yield* ref.int.multiply(-5), 0)
      identicalNumber(yield* ref.num.max(-0), 0)
      identicalNumber(yield* ref.num.clamp(-0, 0), 0)
      assert.isTrue(yield* ref.num.compareAndSet(-0, 3))
      assert.deepEqual((yield* stored)["NumbersTally:{x}"], { int: "0", num: "3" })
    }))

  test("`increment` adds n, 1, negative amounts and 0, also across 0", () =>
    Effect.gen(function*() {
      yield* Tally.insert({ id: "x", ints: [], nums: [] })
      const { int, num } = Tally.ref("x")
      assert.strictEqual(yield* int.increment(10), 10)
      assert.strictEqual(yield* int.increment(10), 20)
      assert.strictEqual(yield* int.increment(5), 25)
      assert.strictEqual(yield* int.increment(-5), 20)
      assert.strictEqual(yield* int.increment(), 21)
      assert.strictEqual(yield* int.decrement(), 20)
      assert.strictEqual(yield* int.increment(0), 20)
      assert.strictEqual(yield* int.decrement(25), -5)
      assert.strictEqual(yield* int.increment(10), 5)
      assert.strictEqual(yield* int.set(20).pipe(Atomic.andThen(int.decrement(5))), 15)
      assert.strictEqual(yield* int.set(50).pipe(Atomic.andThen(int.decrement(50))), 0)
      assert.strictEqual(yield* int.set(7).pipe(Atomic.andThen(int.multiply(0))), 0)
      assert.strictEqual(yield* int.set(17).pipe(Atomic.andThen(int.quotient(5))), 3)
      assert.strictEqual(yield* int.set(-7).pipe(Atomic.andThen(int.quotient(2))), -3)
      assert.strictEqual(yield* int.set(100).pipe(Atomic.andThen(int.modulo(9))), 1)
      assert.strictEqual(yield* int.set(-7).pipe(Atomic.andThen(int.modulo(3))), -1)
      assert.strictEqual(yield* int.set(6).pipe(Atomic.andThen(int.divide(3))), 2)
      assert.strictEqual(yield* int.set(5).pipe(Atomic.andThen(int.multiply(0.4))), 2)
      assert.strictEqual(yield* num.set(10).pipe(Atomic.andThen(num.divide(3))), 10 / 3)
      assert.strictEqual(yield* num.set(25.9).pipe(Atomic.andThen(num.quotient(4))), 6)
      assert.strictEqual(yield* num.set(17.5).pipe(Atomic.andThen(num.modulo(5))), 2.5)
      assert.strictEqual(yield* num.set(0.1).pipe(Atomic.andThen(num.increment(0.2))), 0.1 + 0.2)
      assert.strictEqual(yield* int.set(3).pipe(Atomic.andThen(int.min(2))), 2)
      assert.strictEqual(yield* int.max(9), 9)
      assert.strictEqual(yield* int.clamp(-1, 4), 4)
      assert.strictEqual(yield* int.clamp(6, 8), 6)
    }))

  test("arithmetic on an integer fails if the result leaves ±(2^53-1), is not whole, or divides by zero, and writes nothing", () =>
    Effect.gen(function*() {
      const max = Number.MAX_SAFE_INTEGER
      yield* Tally.insert({ id: "x", int: max, ints: [], nums: [] })
      const { int } = Tally.ref("x")
      const error = { model: "NumbersTally", id: "x", field: "int" }
      yield* unchanged(fails(int.increment(), "ArithmeticError", { ...error, reason: "outOfRange" }))
      yield* unchanged(fails(int.increment(max), "ArithmeticError", { ...error, reason: "outOfRange" }))
      yield* unchanged(fails(int.multiply(2), "ArithmeticError", { ...error, reason: "outOfRange" }))
      yield* unchanged(fails(int.divide(0), "ArithmeticError", { ...error, reason: "divisionByZero" }))
      yield* unchanged(fails(int.quotient(-0), "ArithmeticError", { ...error, reason: "divisionByZero" }))
      yield* unchanged(fails(int.modulo(0), "ArithmeticError", { ...error, reason: "divisionByZero" }))
      yield* unchanged(fails(int.divide(2), "ArithmeticError", { ...error, reason: "notWhole" }))
      assert.strictEqual(yield* int.increment(0), max)
      assert.strictEqual(yield* int.decrement(1), max - 1)
      assert.strictEqual(yield* int.increment(1), max)
      yield* int.set(-max)
      yield* unchanged(fails(int.decrement(), "ArithmeticError", { ...error, reason: "outOfRange" }))
      assert.strictEqual(yield* int.increment(), -max + 1)
    }))

  test("an amount or a bound that is no number is refused", () =>
    Effect.gen(function*() {
      yield* Tally.insert({ id: "x", ints: [1], nums: [] })
      const { int, ints, num } = Tally.ref("x")
      const refused = [NaN, Infinity, -Infinity].flatMap((amount) => [
        num.increment(amount),
        num.decrement(amount),
        num.multiply(amount),
        num.divide(amount),
        num.quotient(amount),
        num.modulo(amount),
        num.min(amount),
        num.max(amount),
        num.clamp(amount, 1),
        num.clamp(1, amount),
        num.increment(1, { atMost: amount }),
        num.clamp(0, 1, { atLeast: amount })
      ])
      const notWhole = [1.5, 1e-7, NaN].flatMap((amount) => [
        int.increment(amount),
        int.decrement(amount),
        int.min(amount),
        int.max(amount),
        int.clamp(amount, 10),
        int.clamp(0, amount)
      ])
      yield* unchanged(concurrently([
        ...[...refused, num.clamp(2, 1), num.increment("1" as never), num.multiply(1n as never)].map((program) =>
          fails(program, "InvalidValue", { model: "NumbersTally", id: "x", field: "num" })
        ),
        ...notWhole.map((program) => fails(program, "InvalidValue", { field: "int" })),
        fails(ints.at(0).increment(0.5), "InvalidValue", { field: "ints" })
      ]))
      assert.strictEqual(yield* num.increment(undefined), 1)
    }))

  test("numbers compare by value", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      for (const [text, value] of [["1.0", 1], ["007", 7], ["1e3", 1000], ["-0", 0], ["0.50", 0.5]] as const) {
        yield* raw.hashSet(keyOf("x"), { num: text, int: text })
        const { int, num } = Tally.ref("x")
        assert.isFalse(yield* num.compareAndSet(value + 1, 9))
        assert.isTrue(yield* num.compareAndSet(value, 9))
        if (Number.isInteger(value)) assert.isTrue(yield* int.compareAndSet(value, 9))
      }
      yield* raw.hashSet(keyOf("x"), { num: "abc" })
      assert.isFalse(yield* unchanged(Tally.ref("x").num.compareAndSet(0, 9)))
    }))

  test("10,000 concurrent increments are counted exactly", () =>
    Effect.gen(function*() {
      yield* Tally.insert({ id: "x", ints: [0], nums: [] })
      const { int, ints, num } = Tally.ref("x")
      const results = yield* concurrently(Array.from({ length: 10_000 }, () => int.increment()))
      assert.deepEqual(results.sort((a, b) => a - b), Array.from({ length: 10_000 }, (_, i) => i + 1))
      yield* concurrently(Array.from({ length: 100 }, (_, i) => Atomic.all([num.increment(i), ints.at(0).increment()])))
      assert.deepEqual(yield* Tally.get("x"), { id: "x", int: 10_000, num: 4950, ints: [100], nums: [] })
    }))

  test("of 100 concurrent decrements on a stock of 10, exactly 10 succeed", () =>
    Effect.gen(function*() {
      yield* Shop.insert(shop)
      const { stock } = Shop.ref("s")
      const declared = yield* concurrently(Array.from({ length: 100 }, () => outcome(stock.decrement() as any)))
      assert.deepEqual(
        declared.filter(({ _tag }) => _tag === "is").map(({ value }) => value).sort((a, b) => a - b),
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
      )
      assert.strictEqual(declared.filter(({ _tag }) => _tag === "OutOfBounds").length, 90)
      assert.strictEqual(yield* stock.get(), 0)
      yield* Tally.insert({ id: "x", int: 10, ints: [], nums: [] })
      const called = yield* concurrently(
        Array.from({ length: 100 }, () => outcome(Tally.ref("x").int.decrement(1, { atLeast: 0 }) as any))
      )
      assert.strictEqual(called.filter(({ _tag }) => _tag === "is").length, 10)
      assert.strictEqual(called.filter(({ _tag }) => _tag === "OutOfBounds").length, 90)
      assert.strictEqual(yield* Tally.ref("x").int.get(), 0)
    }))

  test("a bound of the schema is enforced on the server, and is inclusive", () =>
    Effect.gen(function*() {
      yield* Shop.insert(shop)
      const { cap, level, ratio, steps, stock } = Shop.ref("s")
      const at = { model: "NumbersShop", id: "s" }
      yield* unchanged(fails(stock.decrement(11), "OutOfBounds", {
        ...at,
        field: "stock",
        bound: "minimum",
        limit: 0
      }))
      assert.strictEqual(yield* stock.decrement(10), 0)
      yield* unchanged(fails(stock.multiply(-1).pipe(Atomic.andThen(stock.decrement())), "OutOfBounds"))
      yield* unchanged(fails(level.increment(6), "OutOfBounds", { ...at, field: "level", bound: "maximum", limit: 10 }))
      yield* unchanged(fails(level.decrement(5), "OutOfBounds", { ...at, field: "level", bound: "minimum", limit: 1 }))
      assert.strictEqual(yield* level.increment(5), 10)
      assert.strictEqual(yield* level.quotient(10), 1)
      yield* unchanged(fails(level.min(0), "OutOfBounds", { ...at, field: "level", bound: "minimum", limit: 1 }))
      yield* unchanged(
        fails(ratio.increment(0.5), "OutOfBounds", { ...at, field: "ratio", bound: "exclusiveMaximum", limit: 1 })
      )
      yield* unchanged(
        fails(ratio.decrement(0.5), "OutOfBounds", { ...at, field: "ratio", bound: "exclusiveMinimum", limit: 0 })
      )
      assert.strictEqual(yield* ratio.increment(0.49), 0.5 + 0.49)
      yield* unchanged(
        fails(cap.increment(0.6), "OutOfBounds", { ...at, field: "cap", bound: "maximum", limit: 100.5 })
      )
      assert.strictEqual(yield* cap.increment(0.5), 100.5)
      yield* unchanged(
        fails(steps.at(1).increment(), "OutOfBounds", { ...at, field: "steps", bound: "maximum", limit: 5 })
      )
      assert.strictEqual(yield* steps.at(0).increment(4), 5)
      assert.strictEqual(yield* level.set(3).pipe(Atomic.andThen(level.clamp(5, 7))), 5)
      const { count, finite } = Shop.ref("s")
      assert.strictEqual(yield* count.increment(), 1)
      yield* unchanged(fails(count.decrement(2), "OutOfBounds", { ...at, field: "count", bound: "minimum", limit: 0 }))
      assert.strictEqual(yield* finite.increment(0.1), 0.1)
      yield* unchanged(fails(finite.set(NaN), "InvalidValue", { ...at, field: "finite" }))
      yield* unchanged(fails(finite.multiply(1e308).pipe(Atomic.andThen(finite.multiply(1e308))), "ArithmeticError"))
    }))

  test("a bound of the schema applies to every write, also in a program", () =>
    Effect.gen(function*() {
      yield* Shop.insert(shop)
      const { level, steps, stock } = Shop.ref("s")
      yield* unchanged(fails(stock.set(-1), "InvalidValue", { model: "NumbersShop", id: "s", field: "stock" }))
      yield* unchanged(fails(stock.getAndSet(-1), "InvalidValue", { field: "stock" }))
      yield* unchanged(fails(stock.compareAndSet(10, -1), "InvalidValue", { field: "stock" }))
      yield* unchanged(fails(Shop.update("s", { level: 11 }), "InvalidValue", { field: "level" }))
      yield* unchanged(fails(Shop.put({ ...shop, ratio: 1 }), "InvalidValue", { field: "ratio" }))
      yield* unchanged(fails(Shop.insert({ ...shop, id: "t", cap: 101 }), "InvalidValue", { field: "cap" }))
      yield* unchanged(fails(steps.append(6), "InvalidValue", { field: "steps" }))
      yield* unchanged(fails(steps.set([1, 6]), "InvalidValue", { field: "steps" }))
      yield* unchanged(fails(steps.at(0).set(6), "InvalidValue", { field: "steps" }))
      yield* unchanged(
        fails(Atomic.all([level.increment(), stock.decrement(3), stock.decrement(8)]), "OutOfBounds", {
          field: "stock",
          bound: "minimum"
        })
      )
      yield* unchanged(fails(Atomic.all([level.increment(), stock.set(-1)]), "InvalidValue", { field: "stock" }))
      assert.deepEqual(yield* Atomic.all([stock.increment(5), stock.decrement(15)]), [15, 0])
    }))

  test("bounds of a call apply in addition to those of the schema", () =>
    Effect.gen(function*() {
      yield* Shop.insert(shop)
      const { level, steps } = Shop.ref("s")
      yield* unchanged(
        fails(level.increment(2, { atMost: 6 }), "OutOfBounds", { field: "level", bound: "atMost", limit: 6 })
      )
      yield* unchanged(
        fails(level.decrement(2, { atLeast: 4, atMost: 6 }), "OutOfBounds", { bound: "atLeast", limit: 4 })
      )
      yield* unchanged(fails(level.increment(6, { atMost: 20 }), "OutOfBounds", { bound: "maximum", limit: 10 }))
      assert.strictEqual(yield* level.increment(1, { atLeast: 6, atMost: 6 }), 6)
      yield* unchanged(fails(level.multiply(1.5, { atMost: 8.5 }), "OutOfBounds", { bound: "atMost", limit: 8.5 }))
      yield* unchanged(fails(level.divide(2, { atLeast: 4 }), "OutOfBounds", { bound: "atLeast" }))
      yield* unchanged(fails(level.quotient(5, { atLeast: 2 }), "OutOfBounds", { bound: "atLeast" }))
      yield* unchanged(fails(level.modulo(4, { atLeast: 3 }), "OutOfBounds", { bound: "atLeast" }))
      yield* unchanged(fails(level.min(3, { atLeast: 4 }), "OutOfBounds", { bound: "atLeast" }))
      yield* unchanged(fails(level.max(8, { atMost: 7 }), "OutOfBounds", { bound: "atMost" }))
      yield* unchanged(fails(level.clamp(8, 9, { atMost: 7 }), "OutOfBounds", { bound: "atMost", limit: 7 }))
      assert.strictEqual(yield* level.clamp(8, 9, { atMost: 8 }), 8)
      assert.strictEqual(
        yield* level.decrement(8, { atLeast: undefined }).pipe(Effect.flip, Effect.map((e) => e._tag)),
        "OutOfBounds"
      )
      yield* unchanged(
        fails(steps.at(0).increment(2, { atMost: 2 }), "OutOfBounds", { field: "steps", bound: "atMost", limit: 2 })
      )
      yield* unchanged(fails(steps.at(0).clamp(3, 4, { atLeast: 5 }), "OutOfBounds", { bound: "atLeast", limit: 5 }))
      assert.strictEqual(yield* steps.at(0).clamp(3, 4, { atLeast: 3 }), 3)
    }))

  test("a number that another client has put out of its bounds reads as corrupted, and may only change towards them", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      yield* Shop.insert(shop)
      yield* raw.hashSet("NumbersShop:{s}", { stock: "-5" })
      const { stock } = Shop.ref("s")
      yield* unchanged(fails(Shop.get("s"), "EntityCorrupted", { field: "stock" }))
      yield* unchanged(wrongType(stock.get(), { field: "stock" }))
      yield* unchanged(fails(stock.increment(4), "OutOfBounds", { bound: "minimum" }))
      assert.strictEqual(yield* stock.increment(5), 0)
    }))

  test("a check that only the client can evaluate refuses operations whose result only the server can compute", () =>
    Effect.gen(function*() {
      yield* Shop.insert(shop)
      const { even } = Shop.ref("s")
      const { issue } = yield* unchanged(fails(even.increment(2), "InvalidValue", { field: "even" }))
      assert.include(issue, "modify")
      yield* unchanged(fails(even.clamp(0, 2), "InvalidValue", { field: "even" }))
      yield* unchanged(fails(even.set(3), "InvalidValue", { field: "even" }))
      yield* even.set(6)
      assert.strictEqual(yield* even.getAndSet(8), 6)
      assert.isTrue(yield* even.compareAndSet(8, 10))
      assert.strictEqual(yield* even.get(), 10)
    }))
}
