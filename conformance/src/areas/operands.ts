/** Operands: fields, and computations on fields, as arguments of operations and comparisons. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Atomic from "redlayer/Atomic"
import * as Condition from "redlayer/Condition"
import { RawStore } from "redlayer/testing"
import * as assert from "../assert.ts"
import { fails, identicalNumber, pseudoRandom, unchanged, wrongType } from "../assertions.ts"
import type { Test } from "../suite.ts"
import {
  bigints,
  EveryKind,
  failsUnchanged,
  inJavaScript,
  isInt64,
  key,
  numbers,
  operations,
  put,
  ref,
  withBigInt
} from "../support/operandModel.ts"

export const operands = (test: Test): void => {
  test("number operands compute as JavaScript does, bit by bit, with fields and with values", () =>
    Effect.gen(function*() {
      yield* put({ id: "a" })
      const { a, b, to } = ref
      for (const x of numbers) {
        for (const y of numbers) {
          yield* Atomic.all([a.set(x), b.set(y)])
          for (const name of operations) {
            const result = inJavaScript[name](x, y)
            for (const operand of [a.value()[name](b.value()), a.value()[name](y)]) {
              const program = Atomic.andThen(to.set(operand), to.get())
              if (Number.isFinite(result)) identicalNumber(yield* program, result + 0, `${x} ${name} ${y}`)
              else yield* fails(program, "ArithmeticError", { field: "to", reason: "notFinite" })
            }
          }
        }
      }
      for (const name of ["dividedBy", "quotient", "modulo"] as const) {
        yield* put({ id: "a", a: 5, b: 0 })
        for (const operand of [a.value()[name](b.value()), a.value()[name](0), a.value()[name](-0)]) {
          yield* failsUnchanged(to.set(operand), "ArithmeticError", { id: "a", field: "to", reason: "divisionByZero" })
        }
      }
    }))

  test("bigint operands compute exactly, even beyond 64 bits, as long as the final result fits the field", () =>
    Effect.gen(function*() {
      yield* put({ id: "a" })
      const { bigA, bigB, bigTo } = ref
      for (const x of bigints) {
        for (const y of bigints) {
          yield* Atomic.all([bigA.set(x), bigB.set(y)])
          for (const name of Object.keys(withBigInt) as ReadonlyArray<keyof typeof withBigInt>) {
            const result = withBigInt[name](x, y)
            for (const operand of [bigA.value()[name](bigB.value()), bigA.value()[name](y)]) {
              const program = Atomic.andThen(bigTo.set(operand), bigTo.get())
              if (isInt64(result)) assert.strictEqual(yield* program, result, `${x} ${name} ${y}`)
              else yield* fails(program, "ArithmeticError", { field: "bigTo", reason: "outOfRange" })
            }
          }
        }
      }
      yield* put({ id: "a", bigA: 2n ** 62n, bigB: 3n })
      // 2^62 * 2^62 * 3 exceeds 64 bits, but the final result does not
      assert.strictEqual(
        yield* Atomic.andThen(
          bigTo.set(bigA.value().times(bigA.value()).times(bigB.value()).quotient(bigA.value()).quotient(2n ** 61n)),
          bigTo.get()
        ),
        6n
      )
      yield* Atomic.all([bigA.set(5n), bigB.set(0n)])
      for (const name of ["quotient", "modulo"] as const) {
        for (const operand of [bigA.value()[name](bigB.value()), bigA.value()[name](0n)]) {
          yield* failsUnchanged(bigTo.set(operand), "ArithmeticError", { field: "bigTo", reason: "divisionByZero" })
        }
      }
    }))

  test("expressions nest to any depth, from left to right", () =>
    Effect.gen(function*() {
      yield* put({ id: "a" })
      const random = pseudoRandom(8)
      const pick = <A>(items: ReadonlyArray<A>): A => items[Math.floor(random() * items.length)]!
      const fields = { a: ref.a, b: ref.b, int: ref.int }
      type Expression = readonly [ReturnType<typeof ref.a.value>, number]
      for (let round = 0; round < 60; round++) {
        const values = { a: pick([0.5, 3, -2]), b: pick([1, 7, -0.25]), int: pick([2, -5, 11]) }
        const expression = (depth: number): Expression => {
          const name = pick(["a", "b", "int"] as const)
          let [operand, value]: Expression = [fields[name].value(), values[name]]
          for (let i = Math.floor(random() * 4); i >= 0; i--) {
            const operation = pick(["plus", "minus", "times", "min", "max"] as const)
            const [that, amount]: readonly [number | Expression[0], number] = depth > 0 && random() < 0.6
              ? expression(depth - 1)
              : [i, i]
            operand = operand[operation](that)
            value = inJavaScript[operation](value, amount)
          }
          return [operand, value]
        }
        const all = Array.from({ length: 5 }, () => expression(3))
        const [, , , found, isEqual] = yield* Atomic.all([
          ref.a.set(values.a),
          ref.b.set(values.b),
          ref.int.set(values.int),
          Atomic.all(all.map(([operand]) => Atomic.andThen(ref.to.set(operand), ref.to.get()))),
          Atomic.all(all.map(([operand, value]) => Atomic.andThen(ref.to.set(value), ref.to.eq(operand))))
        ])
        for (const [i, value] of found.entries()) identicalNumber(value, all[i]![1] + 0)
        assert.deepEqual(isEqual, all.map(() => true))
      }
    }))

  test("every number operation accepts operands", () =>
    Effect.gen(function*() {
      const { a, b, bigA, bigB, int, int2, optInt } = ref
      yield* put({
        id: "a",
        a: 10,
        b: 4,
        int: 10,
        int2: 4,
        bigA: 10n,
        bigB: 4n,
        ints: [10, 4],
        counts: { x: 10, y: 4 }
      })
      const four = b.value()
      const start = Atomic.all([a.set(10), int.set(10), bigA.set(10n)])
      const found = yield* Atomic.all([
        a.increment(four),
        Atomic.andThen(start, a.decrement(four)),
        Atomic.andThen(start, a.multiply(four)),
        Atomic.andThen(start, a.divide(four)),
        Atomic.andThen(start, a.quotient(four)),
        Atomic.andThen(start, a.modulo(four)),
        Atomic.andThen(start, a.min(four)),
        Atomic.andThen(start, a.max(four)),
        Atomic.andThen(start, a.clamp(1, four)),
        Atomic.andThen(start, a.clamp(four.plus(7), four.times(5))),
        Atomic.andThen(start, a.increment(four, { atMost: 14 })),
        // an integer field, with an integer and with a number that is whole
        Atomic.andThen(start, int.increment(int2.value())),
        Atomic.andThen(start, int.decrement(four)),
        Atomic.andThen(start, int.multiply(four.dividedBy(8))),
        Atomic.andThen(start, int.quotient(int2.value())),
        Atomic.andThen(start, int.modulo(int2.value())),
        // bigints
        Atomic.andThen(start, bigA.increment(bigB.value())),
        Atomic.andThen(start, bigA.decrement(bigB.value())),
        Atomic.andThen(start, bigA.multiply(bigB.value())),
        Atomic.andThen(start, bigA.quotient(bigB.value())),
        Atomic.andThen(start, bigA.modulo(bigB.value())),
        Atomic.andThen(start, bigA.min(bigB.value())),
        Atomic.andThen(start, bigA.max(bigB.value())),
        Atomic.andThen(start, bigA.clamp(bigB.value(), 7n)),
        // a missing value starts from `initial`, and a stored one is used as it is
        optInt.increment(int2.value(), { initial: 1 }),
        optInt.multiply(int2.value(), { initial: 1 }),
        ref.counts.at("x").decrement(int2.value()),
        ref.counts.at("new").increment(int2.value()),
        ref.ints.at(0).increment(int2.value()),
        ref.stats.wins.increment(ref.stats.losses.value().plus(3))
      ])
      assert.deepEqual<unknown>(
        found,
        [
          [14, 6, 40, 2.5, 2, 2, 4, 10, 4, 11, 14],
          [14, 6, 5, 2, 2],
          [14n, 6n, 40n, 2n, 2n, 4n, 10n, 7n],
          [5, 20, 6, 4, 14, 3]
        ].flat()
      )
      // operands of the same field, and several operands in one expression
      yield* put({ id: "a", a: 3, b: 4, ints: [1, 2, 3], counts: { x: 5 } })
      assert.deepEqual(
        yield* Atomic.all([
          a.increment(a.value()),
          a.multiply(a.value()),
          a.clamp(b.value().min(b.value()), b.value().plus(b.value())),
          ref.ints.at(-1).increment(a.value().minus(b.value())),
          ref.counts.at("y").increment(a.value())
        ]),
        [6, 36, 8, 7, 8]
      )
    }))

  test("sizes of collections are number operands", () =>
    Effect.gen(function*() {
      const { counts, int, ints, set, sorted } = ref
      yield* put({
        id: "a",
        ints: [1, 2, 3],
        set: new Set(["x", "y"]),
        counts: { a: 1 },
        sorted: [{ member: "x", score: 1 }]
      })
      assert.deepEqual(
        yield* Atomic.all([
          int.increment(ints.length().value()),
          int.increment(set.size().value().times(10)),
          int.increment(counts.size().value().plus(sorted.size().value()).times(100)),
          ints.append([4, 5]),
          ints.length().eq(int.value().minus(218)),
          int.eq(ints.length().value().plus(218)),
          ints.clear(),
          set.clear(),
          ints.length().eq(set.size().value()),
          counts.size().gt(ints.length().value()),
          sorted.size().lte(counts.size().value())
        ]),
        [3, 23, 223, 5, true, true, undefined, undefined, true, true, true]
      )
    }))

  test("texts can be appended and set from operands, and every other kind can be set from the same schema", () =>
    Effect.gen(function*() {
      const { bool, bool2, date, date2, names, short, text, text2, texts, wait, wait2, word, word2 } = ref
      yield* put({
        id: "a",
        text: "a\u0000",
        text2: "\u{1f600}\"{}",
        date2: new Date(5),
        wait2: Duration.nanos(2n ** 70n),
        bigB: 2n ** 63n - 1n,
        texts: ["x"]
      })
      const found = yield* Atomic.all([
        text.append(text2.value()),
        text.get(),
        text2.append(text2.value()),
        text.set(text2.value()),
        text.get(),
        short.set("x"),
        short.set(short.value()),
        short.append(short.value()),
        texts.at(0).append(short.value()),
        texts.get(),
        names.at("n").append(short.value()),
        names.at("n").get(),
        bool.set(bool2.value()),
        bool.get(),
        word.set(word2.value()),
        word.get(),
        ref.json.set(ref.json2.value()),
        ref.json.get(),
        ref.bytes.set(ref.bytes2.value()),
        ref.bytes.get(),
        date.set(date2.value()),
        date.get(),
        wait.set(wait2.value()),
        wait.get(),
        ref.bigTo.set(ref.bigB.value()),
        ref.bigTo.get(),
        ref.int.set(ref.required.value()),
        ref.int.get()
      ]).pipe(Atomic.map((all) => all.filter((item) => item !== undefined).map(String)))
      const smile = "\u{1f600}\"{}"
      assert.deepEqual(found, [
        "7",
        `a\u0000${smile}`,
        "10",
        smile + smile,
        "2",
        "3",
        "xxx",
        "2",
        String(yield* names.at("n").get()),
        "true",
        "y",
        "1,2",
        "0,255",
        String(new Date(5)),
        String(Duration.nanos(2n ** 70n)),
        String(2n ** 63n - 1n),
        "7"
      ])
    }))

  test("a text is appended after a size has become an item", () =>
    Effect.gen(function*() {
      const { ints, text, texts } = ref
      yield* put({ id: "a", text: "a", texts: ["x", "y"] })
      yield* Atomic.all([ints.append(texts.length().value()), text.append("b")])
      assert.deepEqual(yield* Atomic.all([ints.get(), text.get()]), [[2], "ab"])
    }))

  test("two fields can be compared", () =>
    Effect.gen(function*() {
      yield* put({
        id: "a",
        a: 0.5,
        int: 3,
        int2: 10,
        bigA: 2n ** 53n,
        bigB: 2n ** 53n + 1n,
        date: new Date(9),
        date2: new Date(10),
        wait: Duration.nanos(9n),
        wait2: Duration.nanos(10n),
        text: "\uffff",
        text2: "\u{1f600}",
        ints: [3]
      })
      yield* put({ id: "b", int: 3, text: "\uffff" })
      const other = EveryKind.ref("b")
      const { a, bigA, bigB, bool, bool2, date, date2, int, int2, ints, text, text2, wait, wait2, word, word2 } = ref
      const found = yield* Atomic.all([
        int.lt(int2.value()),
        int.gte(int2.value()),
        int.gt(a.value()),
        bigA.lt(bigB.value()),
        bigA.eq(bigB.value()),
        bigA.eq(bigB.value().minus(1n)),
        date.lt(date2.value()),
        date.gte(date2.value()),
        wait.lt(wait2.value()),
        wait.neq(wait2.value()),
        text.lt(text2.value()),
        text.gt(text2.value()),
        bool.eq(bool2.value()),
        word.neq(word2.value()),
        int.eq(other.int.value()),
        text.eq(other.text.value()),
        ints.at(0).eq(int.value()),
        ref.optInt.eq(int.value()),
        ref.optInt.neq(int.value()),
        ref.optInt.lt(int.value()),
        ref.counts.at("x").eq(int.value()),
        Condition.and(int.lt(int2.value()), Condition.not(int.gt(int2.value())), int2.eq(int.value().times(3).plus(1)))
      ])
      assert.deepEqual(
        found,
        [
          [true, false, true],
          [true, false, true],
          [true, false],
          [true, true],
          [true, false],
          [false, true],
          [true, true, true],
          [false, true, false, false],
          [true]
        ].flat()
      )
    }))

  test("an operand is evaluated when its operation runs: earlier operations count, later ones do not", () =>
    Effect.gen(function*() {
      yield* put({ id: "a", int: 1, int2: 10 })
      yield* put({ id: "b", int: 100 })
      const { int, int2 } = ref
      const other = EveryKind.ref("b")
      const value = int.value()
      assert.deepEqual(
        yield* Atomic.all([
          int2.increment(value),
          int.set(5),
          int2.increment(value),
          int.increment(int2.value()),
          other.int.increment(int.value().plus(int2.value())),
          int.set(other.int.value()),
          int.get()
        ]),
        [11, undefined, 16, 21, 137, undefined, 137]
      )
      // the same program again, on its own results
      const program = Atomic.all([int.increment(int2.value()), int2.increment(int.value())])
      yield* put({ id: "a", int: 1, int2: 1 })
      assert.deepEqual([yield* program, yield* program, yield* program], [[2, 3], [5, 8], [13, 21]])
      // in branches that are taken, and in those that are not
      yield* put({ id: "a", int: 1, int2: 10 })
      assert.deepEqual(
        yield* Atomic.all([
          Atomic.if(int.eq(2), { onTrue: int.increment(int2.value()), onFalse: int.decrement(int2.value()) }),
          Atomic.when(int2.increment(int.value()), int.gt(int2.value())),
          Atomic.orElse(int2.quotient(int.value().plus(9)), int2.increment(int.value().times(2))),
          int2.increment(int.value())
        ]).pipe(Atomic.map(([a, , c, d]) => [a, c, d])),
        [-9, -8, -17]
      )
    }))

  test("bounds of the target field apply to computed values, and a violation writes nothing", () =>
    Effect.gen(function*() {
      const { bigA, bigMin, coins, int, int2, short, text } = ref
      yield* put({ id: "a", coins: 50, int: 60, int2: -1, bigA: -5n, bigMin: 3n, text: "abcd", short: "ab" })
      const minimum = { model: "Operands", id: "a", field: "coins", bound: "minimum", limit: 0 }
      const maximum = { ...minimum, bound: "maximum", limit: 100 }
      yield* failsUnchanged(coins.decrement(int.value()), "OutOfBounds", minimum)
      yield* failsUnchanged(coins.increment(int.value()), "OutOfBounds", maximum)
      yield* failsUnchanged(coins.set(int2.value()), "OutOfBounds", minimum)
      yield* failsUnchanged(coins.set(int.value().times(2)), "OutOfBounds", maximum)
      yield* failsUnchanged(coins.multiply(int2.value()), "OutOfBounds", minimum)
      yield* failsUnchanged(coins.increment(int2.value(), { atLeast: 50 }), "OutOfBounds", {
        ...minimum,
        bound: "atLeast",
        limit: 50
      })
      yield* failsUnchanged(bigMin.set(bigA.value()), "OutOfBounds", { field: "bigMin", bound: "minimum", limit: 0n })
      yield* failsUnchanged(bigMin.increment(bigA.value()), "OutOfBounds", {
        field: "bigMin",
        bound: "minimum",
        limit: 0n
      })
      yield* failsUnchanged(short.set(text.value()), "OutOfBounds", { field: "short", bound: "maxLength", limit: 3 })
      yield* failsUnchanged(short.append(text.value()), "OutOfBounds", { field: "short", bound: "maxLength", limit: 3 })
      yield* failsUnchanged(Atomic.all([int.increment(), coins.set(int.value().plus(40))]), "OutOfBounds", maximum)
      assert.deepEqual(yield* Atomic.all([coins.set(int.value()), coins.get()]), [undefined, 60])
      // an integer field stays whole and within its range
      yield* put({ id: "a", a: 0.5, b: 1e300, int: 3, int2: 2 ** 53 - 1 })
      const { a, b } = ref
      const notWhole = { id: "a", field: "int", reason: "notWhole" }
      const outOfRange = { id: "a", field: "int", reason: "outOfRange" }
      yield* failsUnchanged(int.set(a.value()), "ArithmeticError", notWhole)
      for (
        const program of [int.increment(a.value()), int.min(a.value()), int.max(a.value()), int.clamp(a.value(), 9)]
      ) {
        yield* failsUnchanged(program, "ArithmeticError", notWhole)
      }
      yield* failsUnchanged(int.multiply(a.value()), "ArithmeticError", notWhole)
      yield* failsUnchanged(int.set(b.value()), "ArithmeticError", outOfRange)
      yield* failsUnchanged(int.increment(int2.value()), "ArithmeticError", outOfRange)
      yield* failsUnchanged(int.set(int2.value().plus(1)), "ArithmeticError", outOfRange)
      yield* failsUnchanged(int.divide(a.value().minus(0.5)), "ArithmeticError", {
        ...notWhole,
        reason: "divisionByZero"
      })
      assert.strictEqual(yield* int.increment(a.value().plus(a.value())), 4)
      assert.strictEqual(yield* int.multiply(a.value()), 2)
    }))

  test("NaN and infinite fields cannot be operands", () =>
    Effect.gen(function*() {
      const { a, b, to } = ref
      for (const value of [NaN, Infinity, -Infinity]) {
        yield* put({ id: "a", a: value, b: 1 })
        for (const program of [to.set(a.value()), to.increment(a.value()), b.lt(a.value()), to.set(a.value().min(1))]) {
          yield* failsUnchanged(program, "ArithmeticError", { field: "a", reason: "notFinite" })
        }
        yield* failsUnchanged(to.set(b.value().plus(value)), "InvalidValue", { field: "to" })
      }
    }))

  test("a missing operand with a default is the default, and a missing or invalid operand without one fails with WrongType", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      const { a, bigA, bigTo, coins, int, required, text, text2, to } = ref
      yield* put({ id: "a", int: 5, coins: 6 })
      yield* raw.hashDelete(key, "coins")
      assert.strictEqual(yield* int.increment(coins.value().plus(1)), 6)
      yield* raw.hashDelete(key, "text2")
      assert.strictEqual(yield* text.append(text2.value()), 0)
      yield* raw.hashDelete(key, "required")
      yield* raw.hashSet(key, { a: "0x10", bigA: "1.5" })
      yield* raw.setAdd(`${key}:ints`, "x")
      yield* unchanged(Effect.gen(function*() {
        const cases: ReadonlyArray<readonly [field: string, program: Atomic.Atomic<unknown, any>]> = [
          ["required", int.increment(required.value())],
          ["required", int.set(required.value().plus(1))],
          ["required", int.eq(required.value())],
          ["a", to.set(a.value())],
          ["a", to.set(int.value().plus(a.value()))],
          ["bigA", bigTo.increment(bigA.value())],
          ["ints", int.set(ref.ints.length().value())]
        ]
        for (const [field, program] of cases) {
          yield* wrongType(program, { model: "Operands", id: "a", field })
          yield* wrongType(Atomic.all([text.set("x"), program]), { field })
        }
      }))
    }))

  test("the error for a missing entity or list item of an operand names the operand", () =>
    Effect.gen(function*() {
      yield* put({ id: "a", ints: [1] })
      const gone = EveryKind.ref("gone")
      const { int, ints } = ref
      yield* failsUnchanged(int.increment(gone.int.value()), "EntityNotFound", { model: "Operands", id: "gone" })
      yield* failsUnchanged(int.increment(int.value().plus(gone.ints.length().value())), "EntityNotFound", {
        id: "gone"
      })
      yield* failsUnchanged(int.eq(gone.int.value()), "EntityNotFound", { id: "gone" })
      yield* failsUnchanged(gone.int.increment(int.value()), "EntityNotFound", { id: "gone" })
      yield* failsUnchanged(ints.at(5).increment(int.value()), "IndexOutOfRange", { id: "a", field: "ints", index: 5 })
      yield* failsUnchanged(int.increment(EveryKind.ref("").int.value()), "InvalidValue", { model: "Operands" })
    }))

  test("an operand of the wrong kind is refused before anything is sent", () =>
    Effect.gen(function*() {
      yield* put({ id: "a" })
      const { bigA, bool, coins, even, int, short, text, wait, word } = ref
      const any = (operand: unknown): any => operand
      const cases: ReadonlyArray<readonly [field: string, program: Atomic.Atomic<unknown, any>]> = [
        ["int", int.increment(any(text.value()))],
        ["int", int.increment(any(bigA.value()))],
        ["int", int.set(any(bool.value()))],
        ["int", int.eq(any(text.value()))],
        ["int", int.increment(int.value().plus(any(bigA.value())))],
        ["int", int.increment(int.value().plus(any("1")))],
        ["int", int.increment(int.value().plus(any(text.value())))],
        ["int", int.eq(any(text.value()).plus(int.value()))],
        ["ints", ref.ints.length().eq(any(text.value()))],
        ["ints", ref.ints.length().lt(any(bigA.value()))],
        ["int", int.increment(int.value().times(NaN))],
        ["bigA", bigA.increment(any(int.value()))],
        ["bigA", bigA.increment(bigA.value().plus(any(1)))],
        ["bigA", bigA.set(any(wait.value()))],
        ["text", text.append(any(int.value()))],
        ["text", text.set(any(int.value()))],
        ["text", text.eq(any(bool.value()))],
        ["bool", bool.set(any(text.value()))],
        ["wait", wait.set(any(bigA.value()))],
        ["word", word.set(any(int.value()))],
        ["word", word.set(any(ref.level.value()))],
        ["level", ref.level.set(any(word.value()))],
        ["bytes", ref.bytes.set(any(word.value()))],
        ["json", ref.json.set(any(ref.bytes.value()))],
        // a field with a check that only the client can evaluate takes no operand
        ["even", even.set(int.value())],
        ["even", even.increment(int.value())]
      ]
      for (const [i, [field, program]] of cases.entries()) {
        const exit = yield* Effect.exit(program)
        assert.strictEqual(exit._tag, "Failure", `${field} ${i}`)
        yield* failsUnchanged(program, "InvalidValue", { model: "Operands", id: "a", field })
        yield* failsUnchanged(Atomic.when(program, int.eq(99)), "InvalidValue", { field })
      }
      const error = yield* fails(even.set(int.value()), "InvalidValue")
      assert.include(error.issue, "modify")
      // such a field can itself be an operand
      assert.strictEqual(yield* int.increment(even.value().plus(2)), 2)
      assert.deepEqual(yield* Atomic.all([coins.set(int.value()), coins.get()]), [undefined, 2])
      assert.deepEqual(yield* Atomic.all([short.set("a"), text.set(short.value()), text.get()]), [
        undefined,
        undefined,
        "a"
      ])
    }))
}
