/** Limits of what a server computes: the number of digits, the length of texts, and the cost of many alternatives. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Atomic from "redlayer/Atomic"
import * as Lock from "redlayer/Lock"
import * as Model from "redlayer/Model"
import { RawStore } from "redlayer/testing"
import * as assert from "../assert.ts"
import { fails, unchanged } from "../assertions.ts"
import type { Backend, Test } from "../suite.ts"

const Box = Model.make("LimitsBox", {
  id: Schema.String,
  n: Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)).pipe(Model.withDefault(0)),
  big: Schema.BigInt.pipe(Model.withDefault(0n)),
  other: Schema.BigInt.pipe(Model.withDefault(0n)),
  wait: Schema.Duration.pipe(Model.withDefault(Duration.zero)),
  pause: Schema.Duration.pipe(Model.withDefault(Duration.zero)),
  text: Schema.String.pipe(Model.withDefault("")),
  tail: Schema.String.pipe(Model.withDefault("")),
  short: Schema.String.check(Schema.isMaxLength(5)).pipe(Model.withDefault("")),
  list: Schema.Array(Schema.String).pipe(Model.withDefault([])),
  map: Schema.Record(Schema.String, Schema.String).pipe(Model.withDefault({}))
}, { key: "id" })

const key = "LimitsBox:{a}"
const { big, list, map, n, other, pause, short, tail, text, wait } = Box.ref("a")
const prepare = Box.put({ id: "a" })

const limit = 1_000_000
const textTooLong = { id: "a", issue: `Expected a text of at most ${limit} bytes` }
const outOfRange = { id: "a", reason: "outOfRange" } as const

const alternatives = 10_000

/** Nests alternatives to the left or to the right. In both cases the last program is tried last. */
const nestings: Readonly<
  Record<string, <A, E>(programs: ReadonlyArray<Atomic.Atomic<A, E>>) => Atomic.Atomic<A, any>>
> = {
  left: (programs) => programs.reduce((self, that) => Atomic.orElse(self, that)),
  right: (programs) => programs.reduceRight((self, that) => Atomic.orElse(that, self))
}

/** The power of ten with this exponent, which has one digit more than the exponent. */
const tenTo = (power: number) => {
  const step = 10n ** 18n
  let operand = big.value()
  let left = power
  for (; left >= 18; left -= 18) operand = operand.times(step)
  return operand.times(10n ** BigInt(left))
}

export const limits = (test: Test, backend: Backend): void => {
  for (const [side, nest] of Object.entries(nestings)) {
    test(`ten thousand alternatives may be nested to the ${side}`, () =>
      Effect.gen(function*() {
        yield* prepare
        const failing = n.decrement()
        const programs = (last: typeof failing) => [...Array.from({ length: alternatives - 1 }, () => failing), last]
        assert.strictEqual(yield* nest(programs(n.increment(3))), 3)
        assert.strictEqual(yield* n.get(), 3)
        yield* n.set(0)
        yield* unchanged(fails(nest(programs(failing)), "OutOfBounds", { field: "n", bound: "minimum" }))
        // one in the middle succeeds, and those after it do not run
        const middle = Array.from({ length: alternatives }, (_, i) => i === alternatives / 2 ? n.increment(7) : failing)
        assert.deepEqual(yield* Atomic.all([nest(middle), n.get()]), [7, 7])
      }))

    test(`alternatives that write before they fail leave no trace, nested to the ${side}`, () =>
      Effect.gen(function*() {
        yield* prepare
        const failing = Atomic.all([
          list.append("lost"),
          text.append("lost"),
          n.increment(),
          Atomic.orElse(n.decrement(9), list.append("lost")),
          n.decrement(99)
        ])
        const last = Atomic.all([list.append("kept"), text.append("kept")])
        const found = yield* Atomic.all([
          n.increment(5),
          nest<ReadonlyArray<unknown>, any>([...Array.from({ length: 500 }, () => failing), last]),
          n.increment()
        ])
        assert.deepEqual(found, [5, [1, "kept".length], 6])
        assert.deepEqual(yield* Atomic.all([list.get(), text.get(), n.get()]), [["kept"], "kept", 6])
      }))
  }

  test("an alternative is undone whether it fails at its first step, in its middle or at its last", () =>
    Effect.gen(function*() {
      yield* prepare
      const no = n.decrement(100)
      const parts = [n.increment(1), n.increment(10), n.increment(20)]
      const failing = [0, 1, 2, 3].map((at) => Atomic.all([...parts.slice(0, at), no, ...parts.slice(at)]))
      for (const nest of Object.values(nestings)) {
        for (const first of failing) {
          for (const second of failing) {
            yield* n.set(0)
            const found = yield* Atomic.all([nest([first, second, Atomic.all(parts)]), n.increment(2)])
            assert.deepEqual(found, [[1, 11, 31], 33])
          }
        }
      }
    }))

  test("an exact integer may have up to a thousand digits, also as an intermediate result", () =>
    Effect.gen(function*() {
      yield* prepare
      yield* big.set(1n)
      const largest = tenTo(999)
      // 10 ** 999 is an intermediate result that is divided again
      yield* other.set(largest.quotient(tenTo(998)))
      assert.strictEqual(yield* other.get(), 10n)
      yield* other.set(largest.times(9n).plus(largest.minus(1n)).modulo(tenTo(17)))
      assert.strictEqual(yield* other.get(), 10n ** 17n - 1n)
      yield* other.set(largest.times(-9n).minus(largest.minus(1n)).modulo(tenTo(3)))
      assert.strictEqual(yield* other.get(), -999n)
      const zero = big.value().times(0n)
      for (const product of [largest.times(zero), zero.times(largest)]) {
        yield* other.set(product)
        assert.strictEqual(yield* other.get(), 0n)
      }
      // the product of 500 and 501 digits has 1,000 or 1,001 digits
      yield* other.set(tenTo(499).times(tenTo(500)).quotient(tenTo(999)))
      assert.strictEqual(yield* other.get(), 1n)
      for (
        const beyond of [
          tenTo(1000),
          largest.times(10n),
          largest.times(-10n),
          tenTo(500).times(tenTo(500)),
          tenTo(499).times(9n).times(tenTo(500).times(9n)),
          largest.times(9n).plus(largest),
          largest.times(-9n).minus(largest)
        ]
      ) {
        yield* unchanged(fails(other.set(beyond.times(0n)), "ArithmeticError", { ...outOfRange, field: "other" }))
        yield* unchanged(
          fails(other.increment(beyond.modulo(7n)), "ArithmeticError", { ...outOfRange, field: "other" })
        )
      }
      // `orElse` catches it like any other ArithmeticError
      assert.strictEqual(yield* Atomic.orElse(Atomic.as(other.set(tenTo(1000)), 0n), other.get()), 1n)
    }))

  test("a long chain of multiplications fails at the first product that is too large", () =>
    Effect.gen(function*() {
      yield* prepare
      yield* big.set(9223372036854775807n)
      let operand = big.value()
      for (let i = 0; i < 2000; i++) operand = operand.times(9223372036854775807n)
      yield* unchanged(fails(big.set(operand), "ArithmeticError", { ...outOfRange, field: "big" }))
      yield* unchanged(fails(big.increment(operand.minus(operand)), "ArithmeticError", { ...outOfRange, field: "big" }))
    }))

  test("a computed duration may have up to a thousand digits", () =>
    Effect.gen(function*() {
      yield* prepare
      const raw = yield* RawStore
      const largest = 10n ** 1000n - 1n
      yield* wait.set(Duration.nanos(largest - 1n))
      assert.strictEqual(Duration.toNanosUnsafe(yield* wait.add("1 nano")), largest)
      assert.strictEqual(yield* raw.hashGet(key, "wait"), String(largest))
      const tooLarge = { ...outOfRange, field: "wait" }
      yield* unchanged(fails(wait.add("1 nano"), "ArithmeticError", tooLarge))
      yield* pause.set(wait.value())
      assert.strictEqual(Duration.toNanosUnsafe(yield* pause.subtract(Duration.nanos(largest))), 0n)
      assert.strictEqual(Duration.toNanosUnsafe(yield* pause.subtract(Duration.nanos(largest))), -largest)
      yield* unchanged(fails(pause.subtract("1 nano"), "ArithmeticError", { ...outOfRange, field: "pause" }))
      // a written duration may be larger: it can be read and compared, but not computed with
      const huge = Duration.nanos(10n ** 1000n)
      yield* wait.set(huge)
      assert.strictEqual(Duration.toNanosUnsafe(yield* wait.get()), 10n ** 1000n)
      assert.deepEqual(yield* Atomic.all([wait.eq(huge), wait.gt(Duration.seconds(1)), wait.lt(pause.value())]), [
        true,
        true,
        false
      ])
      yield* unchanged(fails(wait.add("1 nano"), "ArithmeticError", tooLarge))
      yield* unchanged(fails(wait.subtract("1 nano"), "ArithmeticError", tooLarge))
      yield* unchanged(fails(pause.set(wait.value()), "ArithmeticError", { ...outOfRange, field: "pause" }))
      yield* unchanged(fails(pause.add(huge), "ArithmeticError", { ...outOfRange, field: "pause" }))
    }))

  test("a text that doubles in one program fails at the limit of its length, and the program is undone", () =>
    Effect.gen(function*() {
      yield* prepare
      yield* text.set("x")
      const double = text.append(text.value())
      const times = (count: number) => Atomic.all(Array.from({ length: count }, () => double))
      yield* unchanged(fails(times(26), "InvalidValue", { ...textTooLong, field: "text" }))
      assert.strictEqual((yield* times(19)).at(-1), 2 ** 19)
      yield* unchanged(fails(double, "InvalidValue", { ...textTooLong, field: "text" }))
      // `orElse` does not catch InvalidValue, because no alternative could help
      const either = Atomic.orElse(double, text.append("y"))
      yield* unchanged(fails(either, "InvalidValue", { ...textTooLong, field: "text" }))
      yield* unchanged(fails(Atomic.ignoreMissing(double), "InvalidValue", { ...textTooLong, field: "text" }))
    }))

  test("the limit of a text that is appended to is exact, in UTF-8 bytes", () =>
    Effect.gen(function*() {
      yield* prepare
      for (const unit of ["x", "é", "€", "\u{1f600}"]) {
        const bytes = Buffer.byteLength(unit)
        const full = unit.repeat(Math.floor(limit / bytes)) + "x".repeat(limit % bytes)
        yield* text.set(full.slice(unit.length))
        yield* tail.set(unit)
        yield* unchanged(fails(text.append(`${unit}y`), "InvalidValue", { ...textTooLong, field: "text" }))
        assert.strictEqual(yield* text.append(tail.value()), full.length)
        yield* unchanged(fails(text.append("y"), "InvalidValue", { ...textTooLong, field: "text" }))
        yield* unchanged(fails(text.append(tail.value()), "InvalidValue", { ...textTooLong, field: "text" }))
        assert.strictEqual(yield* text.append(""), full.length)
      }
    }))

  test("the length limit applies to list items and map entries, and a lower bound of the schema is reported instead of it", () =>
    Effect.gen(function*() {
      yield* prepare
      const large = "x".repeat(600_000)
      yield* Atomic.all([text.set(large), list.append(large), map.at("k").set(large)])
      yield* unchanged(fails(list.at(0).append(text.value()), "InvalidValue", { ...textTooLong, field: "list" }))
      yield* unchanged(fails(map.at("k").append(text.value()), "InvalidValue", { ...textTooLong, field: "map" }))
      yield* unchanged(fails(map.at("k").append(large), "InvalidValue", { ...textTooLong, field: "map" }))
      yield* unchanged(fails(short.append("123456"), "OutOfBounds", { field: "short", bound: "maxLength" }))
      yield* unchanged(fails(short.append(text.value()), "OutOfBounds", { field: "short", bound: "maxLength" }))
    }))

  for (const most of [100, 1_200_000]) {
    test(`an appended text keeps to a \`maximumValueBytes\` of ${most}`, () =>
      Effect.gen(function*() {
        yield* prepare
        const tooLong = { id: "a", issue: `Expected a text of at most ${most} bytes` }
        // all but four bytes; a letter of two bytes, so that bytes are counted
        const long = "\u00e9".repeat(most / 2 - 2)
        yield* text.set(long)
        yield* list.append(long)
        yield* map.at("k").set(long)
        yield* tail.set("12345")
        for (const [field, at] of Object.entries({ text, list: list.at(0), map: map.at("k") })) {
          yield* unchanged(fails(at.append("12345"), "InvalidValue", { ...tooLong, field }))
          yield* unchanged(fails(at.append(tail.value()), "InvalidValue", { ...tooLong, field }))
          yield* unchanged(fails(at.append(text.value()), "InvalidValue", { ...tooLong, field }))
          yield* unchanged(fails(Atomic.all([n.increment(), at.append("\u00e9\u00e9\u00e9")]), "InvalidValue", tooLong))
          assert.strictEqual(yield* at.append("\u00e9\u00e9"), most / 2)
          yield* unchanged(fails(at.append("x"), "InvalidValue", { ...tooLong, field }))
          // what is stored can be written back
          assert.isTrue(yield* at.compareAndSet(`${long}\u00e9\u00e9`, long))
        }
      }).pipe(Effect.provide(backend.layer({ maximumValueBytes: most }))))
  }

  test("the least `maximumValueBytes` is enough for versions, locks and idempotency keys", () =>
    Effect.gen(function*() {
      yield* prepare
      assert.strictEqual((yield* Box.modify("a", (box) => ({ ...box, text: "x" }))).text, "x")
      assert.strictEqual((yield* Box.withLock("a", (box) => Effect.succeed({ ...box, text: "y" }))).text, "y")
      assert.strictEqual(yield* Lock.withLock("limits", () => Effect.succeed(1)), 1)
      assert.strictEqual(yield* n.increment().pipe(Atomic.commit({ idempotencyKey: "k", keepFor: "1 minute" })), 1)
    }).pipe(Effect.provide(backend.layer({ maximumValueBytes: 64 }))))

  test("a `maximumValueBytes` that is below the least is refused", () =>
    Effect.gen(function*() {
      for (const maximumValueBytes of [63, 0, -1, Number.NaN, 100.5]) {
        const exit = yield* Effect.exit(Layer.build(backend.layer({ maximumValueBytes })))
        assert.include(String(exit), "maximumValueBytes", String(maximumValueBytes))
      }
    }))
}
