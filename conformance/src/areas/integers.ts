/** Bigint fields: exact within 64 bits, bounds, and invalid values. The expected results are computed by BigInt. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Atomic from "redlayer/Atomic"
import * as Model from "redlayer/Model"
import { RawStore } from "redlayer/testing"
import * as assert from "../assert.ts"
import { concurrently, fails, type Operation, pseudoRandom, unchanged, wrongType } from "../assertions.ts"
import type { Test } from "../suite.ts"

const lowest = -(2n ** 63n)
const highest = 2n ** 63n - 1n

const Coins = Schema.BigInt.pipe(Schema.brand("IntegersCoins"))

const Account = Model.make("IntegersAccount", {
  id: Schema.String,
  n: Schema.Int.pipe(Model.withDefault(0)),
  big: Schema.BigInt,
  stock: Schema.BigInt.check(Schema.isGreaterThanOrEqualToBigInt(0n)).pipe(Model.withDefault(0n)),
  narrow: Schema.BigInt.check(
    Schema.isGreaterThanBigInt(2n ** 60n),
    Schema.isLessThanBigInt(2n ** 60n + 4n)
  ).pipe(Model.withDefault(2n ** 60n + 1n)),
  between: Schema.BigInt.check(Schema.isBetweenBigInt({ minimum: -5n, maximum: 5n })).pipe(Model.withDefault(0n)),
  even: Schema.BigInt.check(Schema.makeFilter((n) => n % 2n === 0n)).pipe(Model.withDefault(0n)),
  coins: Coins.pipe(Model.withDefault(Coins.make(0n))),
  later: Schema.BigInt.pipe(Model.withDefault(7n)),
  list: Schema.Array(Schema.BigInt).pipe(Model.withDefault([]))
}, { key: "id" })

const key = "IntegersAccount:{a}"

/** Values at and around every power that matters to a double, to 64 bits and to a limb of the implementation. */
const samples: ReadonlyArray<bigint> = [
  ...new Set([
    0n,
    1n,
    2n,
    3n,
    7n,
    10n,
    99_999_999n,
    10n ** 9n,
    ...[24n, 31n, 32n, 52n, 53n, 62n].flatMap((power) => [2n ** power - 1n, 2n ** power, 2n ** power + 1n]),
    10n ** 15n,
    10n ** 18n,
    highest - 1n,
    highest
  ].flatMap((n) => [n, -n])),
  lowest
]

const isInt64 = (n: bigint): boolean => n >= lowest && n <= highest

export const integers = (test: Test): void => {
  test("every operation on every pair of sample numbers is exact, or refused if the result exceeds 64 bits", () =>
    Effect.gen(function*() {
      yield* Account.insert({ id: "a", big: 0n })
      const { big } = Account.ref("a")
      const operations = {
        increment: (a: bigint, b: bigint) => a + b,
        decrement: (a: bigint, b: bigint) => a - b,
        multiply: (a: bigint, b: bigint) => a * b,
        quotient: (a: bigint, b: bigint) => b === 0n ? undefined : a / b,
        modulo: (a: bigint, b: bigint) => b === 0n ? undefined : a % b,
        min: (a: bigint, b: bigint) => a < b ? a : b,
        max: (a: bigint, b: bigint) => a > b ? a : b
      } as const
      yield* concurrently(samples.map((a, i) =>
        Effect.gen(function*() {
          const id = `a${i}`
          yield* Account.insert({ id, big: a })
          const { big } = Account.ref(id)
          for (const b of samples) {
            for (const [name, compute] of Object.entries(operations)) {
              const what = `${a} ${name} ${b}`
              // decrementing by the lowest is incrementing by a number that exceeds 64 bits
              if (name === "decrement" && b === lowest) {
                yield* fails(big.decrement(b), "InvalidValue", { field: "big" })
                continue
              }
              const wanted = compute(a, b)
              const operation = big[name as "increment"](b)
              if (wanted === undefined) {
                yield* fails(operation, "ArithmeticError", { field: "big", reason: "divisionByZero" })
              } else if (!isInt64(wanted)) {
                yield* fails(operation, "ArithmeticError", { field: "big", reason: "outOfRange" })
              } else {assert.strictEqual(
                  yield* Atomic.all([operation, big.set(a)]).pipe(Atomic.map(([n]) => n)),
                  wanted,
                  what
                )}
            }
          }
        })
      ))
      assert.strictEqual(yield* big.increment(), 1n)
      assert.strictEqual(yield* big.decrement(), 0n)
      assert.strictEqual(yield* big.clamp(5n, 9n), 5n)
      assert.strictEqual(yield* big.clamp(lowest, highest), 5n)
      assert.strictEqual(yield* big.clamp(lowest, -9n), -9n)
      assert.strictEqual(yield* big.getAndSet(highest), -9n)
      assert.strictEqual(yield* big.getAndSet(lowest), highest)
      assert.isTrue(yield* big.compareAndSet(lowest, 3n))
      assert.isFalse(yield* big.compareAndSet(lowest, 4n))
      assert.strictEqual(yield* big.get(), 3n)
    }))

  test("operations with random numbers in programs are exact", () =>
    Effect.gen(function*() {
      const random = pseudoRandom(5)
      const number = () => {
        const bits = Math.floor(random() * 63)
        let n = 0n
        for (let i = 0; i <= bits; i++) n = n * 2n + BigInt(random() < 0.5 ? 1 : 0)
        return random() < 0.5 ? -n : n
      }
      yield* Account.insert({ id: "a", big: 0n })
      const { big } = Account.ref("a")
      for (let round = 0; round < 200; round++) {
        const [a, b, c] = [number(), number(), number() || 1n]
        const sum = a + b
        const program = Atomic.all([big.set(a), big.increment(b), big.quotient(c), big.modulo(c), big.get()])
        if (isInt64(sum)) {
          assert.deepEqual(yield* program, [undefined, sum, sum / c, sum / c % c, sum / c % c], `${a} ${b} ${c}`)
        } else {
          yield* unchanged(fails(program, "ArithmeticError", { reason: "outOfRange" }))
        }
      }
    }))

  test("bounds of the schema and of the call are exact", () =>
    Effect.gen(function*() {
      yield* Account.insert({ id: "a", big: highest })
      const { between, big, coins, narrow, stock } = Account.ref("a")
      const base = 2n ** 60n
      const error = { model: "IntegersAccount", id: "a" }
      yield* unchanged(Effect.gen(function*() {
        yield* fails(narrow.increment(3n), "OutOfBounds", {
          ...error,
          field: "narrow",
          bound: "exclusiveMaximum",
          limit: base + 4n
        })
        yield* fails(narrow.decrement(1n), "OutOfBounds", { field: "narrow", bound: "exclusiveMinimum", limit: base })
        yield* fails(stock.decrement(), "OutOfBounds", { field: "stock", bound: "minimum", limit: 0n })
        yield* fails(between.multiply(0n, { atLeast: 1n }), "OutOfBounds", { bound: "atLeast", limit: 1n })
        yield* fails(between.max(6n), "OutOfBounds", { bound: "maximum", limit: 5n })
        yield* fails(big.decrement(1n, { atLeast: highest }), "OutOfBounds", { bound: "atLeast", limit: highest })
        yield* fails(big.min(5n, { atMost: 4n }), "OutOfBounds", { bound: "atMost", limit: 4n })
        yield* fails(narrow.set(base), "InvalidValue", { field: "narrow" })
        yield* fails(stock.set(-1n), "InvalidValue", { field: "stock" })
        yield* fails(stock.compareAndSet(0n, -1n), "InvalidValue", { field: "stock" })
        yield* fails(Account.update("a", { stock: -1n }), "InvalidValue", { field: "stock" })
        yield* fails(Account.put({ id: "a", big: 0n, between: 6n }), "InvalidValue", { field: "between" })
      }))
      assert.strictEqual(yield* narrow.increment(2n, { atMost: base + 3n, atLeast: lowest }), base + 3n)
      // a bound may exceed the range of the field
      assert.strictEqual(yield* big.decrement(1n, { atMost: 2n ** 70n }), highest - 1n)
      assert.strictEqual(yield* coins.increment(5n), Coins.make(5n))
      yield* stock.set(10n)
      const raced = yield* concurrently(
        Array.from({ length: 100 }, () => Effect.exit(Atomic.commit(stock.decrement())))
      )
      assert.strictEqual(raced.filter(({ _tag }) => _tag === "Success").length, 10)
      assert.strictEqual(yield* stock.get(), 0n)
    }))

  test("a value that exceeds 64 bits, or needs a check that only the client can evaluate, is refused", () =>
    Effect.gen(function*() {
      yield* Account.insert({ id: "a", big: 1n })
      const { big, even } = Account.ref("a")
      yield* unchanged(Effect.gen(function*() {
        for (const bad of [highest + 1n, lowest - 1n, 2n ** 200n, 1, "1", 1.5, NaN, null, {}] as ReadonlyArray<any>) {
          for (
            const program of [
              big.set(bad),
              big.getAndSet(bad),
              big.compareAndSet(bad, 1n),
              big.increment(bad),
              // one above the highest is allowed, because it is the lowest when negated
              big.decrement(bad === highest + 1n ? highest + 2n : bad),
              big.multiply(bad),
              big.quotient(bad),
              big.modulo(bad),
              big.min(bad),
              big.max(bad),
              big.clamp(bad, bad),
              Account.update("a", { big: bad }),
              Account.put({ id: "a", big: bad })
            ] as ReadonlyArray<Operation>
          ) yield* fails(program, "InvalidValue", { field: "big" })
        }
        yield* fails(big.increment(1n, { atLeast: 1 as any }), "InvalidValue", { field: "big" })
        yield* fails(big.clamp(2n, 1n), "InvalidValue", { field: "big" })
        assert.include((yield* fails(even.increment(2n), "InvalidValue", { field: "even" })).issue, "modify")
        yield* fails(even.set(1n), "InvalidValue", { field: "even" })
        // bigints have no division, power, append or toggle, even for untyped callers
        yield* fails((big as any).divide(2) as Operation, "InvalidValue", { field: "big" })
        yield* fails((big as any).power(2) as Operation, "InvalidValue", { field: "big" })
        yield* fails((big as any).append("1") as Operation, "InvalidValue", { field: "big" })
        yield* fails((big as any).toggle() as Operation, "InvalidValue", { field: "big" })
      }))
      assert.strictEqual(yield* even.getAndSet(4n), 0n)
    }))

  test("stored leading zeros are read, and any other invalid text fails the operation and stays", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      yield* Account.insert({ id: "a", big: 1n })
      const { big, later } = Account.ref("a")
      for (
        const text of ["abc", "", " 1", "1 ", "1.0", "1e3", "0x10", "+1", "--1", "-", "9223372036854775808", "nan"]
      ) {
        yield* raw.hashSet(key, { big: text })
        yield* unchanged(Effect.gen(function*() {
          const details = { model: "IntegersAccount", id: "a", key, field: "big" }
          for (
            const program of [
              big.get(),
              big.increment(),
              big.multiply(2n),
              big.quotient(2n),
              big.min(0n),
              big.getAndSet(1n)
            ]
          ) yield* wrongType(program, details)
          assert.isFalse(yield* big.compareAndSet(1n, 2n))
          yield* fails(Account.get("a"), "EntityCorrupted", { field: "big" })
        }))
      }
      for (
        const [text, value] of [["007", 7n], ["-0", 0n], ["-0012", -12n], [
          "00000000000000000000009223372036854775807",
          highest
        ]] as const
      ) {
        yield* raw.hashSet(key, { big: text })
        assert.strictEqual(yield* big.get(), value)
        assert.strictEqual(yield* big.max(lowest), value)
        yield* raw.hashSet(key, { big: text })
        assert.strictEqual(yield* big.increment(-1n), value - 1n)
        yield* raw.hashSet(key, { big: text })
        assert.isTrue(yield* big.compareAndSet(value, value))
        yield* raw.hashSet(key, { big: text })
        assert.strictEqual(yield* big.getAndSet(1n), value)
      }
      // a missing field reads as its default, also on the server
      yield* raw.hashDelete(key, "later")
      assert.strictEqual(yield* later.get(), 7n)
      assert.strictEqual(yield* later.multiply(-3n), -21n)
      yield* raw.hashDelete(key, "big")
      yield* unchanged(wrongType(big.increment(), { field: "big" }))
    }))

  test("list items are bigints, and ten thousand concurrent increments are exact", () =>
    Effect.gen(function*() {
      yield* Account.insert({ id: "a", big: 2n ** 62n, list: [highest, lowest, 0n] })
      const { big, list } = Account.ref("a")
      assert.strictEqual(yield* list.at(-1).decrement(2n ** 53n + 1n), -(2n ** 53n + 1n))
      assert.strictEqual(yield* list.at(1).max(-5n), -5n)
      yield* unchanged(fails(list.at(0).increment(), "ArithmeticError", { field: "list", reason: "outOfRange" }))
      yield* unchanged(fails(list.at(3).increment(), "IndexOutOfRange", { field: "list" }))
      assert.deepEqual((yield* Account.get("a")).list, [highest, -5n, -(2n ** 53n + 1n)])
      const results = yield* concurrently(Array.from({ length: 10_000 }, () => big.increment()))
      assert.strictEqual(new Set(results).size, 10_000)
      assert.strictEqual(yield* big.get(), 2n ** 62n + 10_000n)
    }))
}
