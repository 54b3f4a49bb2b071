/** Scores, ranks and counts of sorted sets as conditions and operands; operands of what may be missing, and of items. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Atomic from "redlayer/Atomic"
import * as Condition from "redlayer/Condition"
import type * as Field from "redlayer/Field"
import * as Model from "redlayer/Model"
import { RawStore } from "redlayer/testing"
import * as assert from "../assert.ts"
import { fails, type Operation, unchanged } from "../assertions.ts"
import type { Test } from "../suite.ts"

const Game = Model.make("Standings", {
  id: Schema.String,
  n: Schema.Number.pipe(Model.withDefault(0)),
  int: Schema.Int.check(Schema.isLessThanOrEqualTo(50)).pipe(Model.withDefault(0)),
  big: Schema.BigInt.pipe(Model.withDefault(0n)),
  text: Schema.String.pipe(Model.withDefault("")),
  flag: Schema.Boolean.pipe(Model.withDefault(false)),
  at: Schema.Date.pipe(Model.withDefault(new Date(0))),
  wait: Schema.Duration.pipe(Model.withDefault(Duration.zero)),
  json: Model.json(Schema.Struct({ a: Schema.Int })).pipe(Model.withDefault({ a: 0 })),
  optInt: Schema.optionalKey(Schema.Int.check(Schema.isLessThanOrEqualTo(9))),
  nullBig: Schema.NullOr(Schema.BigInt).pipe(Model.withDefault(null)),
  optText: Schema.optionalKey(Schema.String),
  optFlag: Schema.optionalKey(Schema.Boolean),
  optAt: Schema.optionalKey(Schema.Date),
  nullWait: Schema.NullOr(Schema.Duration).pipe(Model.withDefault(null)),
  optJson: Model.json(Schema.optionalKey(Schema.Struct({ a: Schema.Int }))),
  lines: Schema.Record(Schema.String, Schema.Int).pipe(Model.withDefault({})),
  texts: Schema.Array(Schema.String.check(Schema.isMaxLength(5))).pipe(Model.withDefault([])),
  ints: Schema.Array(Schema.Int.check(Schema.isLessThanOrEqualTo(9))).pipe(Model.withDefault([])),
  ranking: Model.sortedSet(Schema.String).pipe(Model.withDefault([]))
}, { key: "id" })

const scored = (...entries: ReadonlyArray<readonly [string, number]>): ReadonlyArray<Field.Scored<string>> =>
  entries.map(([member, score]) => ({ member, score }))

const comparisons = ["eq", "neq", "lt", "lte", "gt", "gte"] as const

const holds = (comparison: typeof comparisons[number], a: number | undefined, b: number): boolean => {
  if (a === undefined) return comparison === "neq"
  switch (comparison) {
    case "eq":
      return a === b
    case "neq":
      return a !== b
    case "lt":
      return a < b
    case "lte":
      return a <= b
    case "gt":
      return a > b
    case "gte":
      return a >= b
  }
}

export const standings = (test: Test): void => {
  test("a score, a rank and a count compare as JavaScript compares numbers", () =>
    Effect.gen(function*() {
      yield* Game.insert({
        id: "g",
        n: 1.5,
        ranking: scored(["low", -Infinity], ["a", 1], ["b", 1.5], ["c", 3], ["high", Infinity])
      })
      const { n, ranking } = Game.ref("g")
      const cases: ReadonlyArray<readonly [() => Field.Count | Field.Standing, number | undefined]> = [
        [() => ranking.score("a"), 1],
        [() => ranking.score("b"), 1.5],
        [() => ranking.score("low"), -Infinity],
        [() => ranking.score("high"), Infinity],
        [() => ranking.score("none"), undefined],
        [() => ranking.rank("a"), 1],
        [() => ranking.rank("a", { reverse: true }), 3],
        [() => ranking.rank("low"), 0],
        [() => ranking.rank("none"), undefined],
        [() => ranking.count(), 5],
        [() => ranking.count({ min: 1, max: 1.5 }), 2],
        [() => ranking.count({ min: 7, max: 8 }), 0]
      ]
      for (const [i, [make, value]] of cases.entries()) {
        for (const comparison of comparisons) {
          for (const other of [0, 1, 1.5, 2, 3, 5, -1]) {
            const what = `${i} ${comparison} ${other}`
            assert.strictEqual(yield* make()[comparison](other), holds(comparison, value, other), what)
          }
          assert.strictEqual(yield* make()[comparison](n.value()), holds(comparison, value, 1.5), `${i} ${comparison}`)
        }
        for (const other of [NaN, Infinity, "1", null, undefined]) {
          yield* fails(make().lt(other as any), "InvalidValue", { field: "ranking" })
        }
      }
    }))

  test("they are conditions of guards and branches, and see earlier writes of their program", () =>
    Effect.gen(function*() {
      yield* Game.insert({ id: "g", ranking: scored(["a", 1], ["b", 2]) })
      const { int, ranking } = Game.ref("g")
      const program = Atomic.all([
        ranking.increment("a", 5),
        Atomic.when(int.increment(), ranking.rank("a", { reverse: true }).lt(1)),
        Atomic.when(int.increment(), Condition.and(ranking.score("a").gte(6), ranking.count({ min: 3 }).eq(1))),
        Atomic.when(int.increment(), Condition.or(ranking.score("c").gt(0), ranking.rank("b").gt(0))),
        Atomic.if(Condition.not(ranking.score("c").neq(0)), { onTrue: int.set(50), onFalse: int.get() }),
        ranking.score("a"),
        ranking.rank("a"),
        ranking.count({ max: 2 })
      ])
      assert.deepEqual<ReadonlyArray<unknown>>(yield* program, [
        6,
        Option.some(1),
        Option.some(2),
        Option.none(),
        2,
        Option.some(6),
        Option.some(1),
        1
      ])
      const refused = Atomic.andThen(
        ranking.add("c", 9),
        Atomic.guard(ranking.count().lt(3), { observe: { int } }, ({ int }) => `no ${int}`)
      )
      assert.strictEqual(yield* unchanged(Effect.flip(refused)), "no 2")
      yield* fails(Game.ref("none").ranking.score("a").lt(1), "EntityNotFound", { id: "none" })
    }))

  test("they are operands, with a default for a value that is no member", () =>
    Effect.gen(function*() {
      yield* Game.insert({ id: "g", ranking: scored(["a", 1.25], ["b", 2], ["inf", Infinity]) })
      const { int, n, ranking } = Game.ref("g")
      yield* n.set(ranking.score("a").value({ default: 7 }))
      assert.strictEqual(yield* n.get(), 1.25)
      yield* n.set(ranking.score("none").value({ default: 7 }).plus(ranking.count({ max: 2 }).value()))
      assert.strictEqual(yield* n.get(), 9)
      assert.strictEqual(yield* int.increment(ranking.rank("b").value({ default: 9 })), 1)
      assert.strictEqual(yield* int.increment(ranking.rank("none").value({ default: 9 }).times(2)), 19)
      yield* ranking.add("c", ranking.score("b").value({ default: 0 }).plus(1))
      assert.deepEqual(yield* ranking.score("c"), Option.some(3))
      assert.isTrue(yield* ranking.score("c").gt(ranking.score("b").value({ default: 0 })))
      assert.isTrue(yield* ranking.score("c").eq(ranking.rank("c").value({ default: 0 }).plus(1)))
      yield* unchanged(Effect.gen(function*() {
        yield* fails(n.set(ranking.score("inf").value({ default: 0 })), "ArithmeticError", { reason: "notFinite" })
        yield* fails(int.set(ranking.score("a").value({ default: 0 })), "ArithmeticError", { reason: "notWhole" })
        yield* fails(int.set(ranking.count().value().times(20)), "OutOfBounds", { field: "int", bound: "maximum" })
        for (const missing of [undefined, {}, { default: NaN }, { default: "1" }, { default: Infinity }]) {
          yield* fails(n.set(ranking.score("a").value(missing as any)), "InvalidValue", { field: "ranking" })
        }
      }))
    }))

  test("bounds and scores may be operands of several fields in one instruction, each in its place", () =>
    Effect.gen(function*() {
      yield* Game.insert({ id: "g", n: 1, int: 3, ranking: scored(["a", 1], ["b", 2], ["c", 3], ["d", 4]) })
      const { int, n, ranking } = Game.ref("g")
      const range = { min: n.value(), max: int.value() }
      assert.strictEqual(yield* ranking.count(range), 3)
      assert.isTrue(yield* ranking.count(range).eq(int.value().times(n.value())))
      assert.isTrue(yield* ranking.count({ min: n.value().plus(1), max: int.value() }).lt(int.value()))
      assert.deepEqual(yield* ranking.rangeByScore({ ...range, reverse: true, limit: 1 }), scored(["c", 3]))
      assert.deepEqual(yield* ranking.rangeByScore({ min: int.value() }), scored(["c", 3], ["d", 4]))
      assert.isTrue(yield* ranking.add("e", n.value().dividedBy(2)))
      assert.strictEqual(yield* ranking.removeRangeByScore({ min: n.value().plus(1), max: int.value() }), 2)
      assert.deepEqual(yield* ranking.get(), scored(["e", 0.5], ["a", 1], ["d", 4]))
      yield* unchanged(fails(ranking.add("z", n.value().dividedBy(0)), "ArithmeticError", { field: "ranking" }))
      yield* unchanged(fails(ranking.count({ max: Atomic.now as never }), "InvalidValue", { field: "ranking" }))
    }))

  test("an optional field and an entry are operands with a default", () =>
    Effect.gen(function*() {
      yield* Game.insert({ id: "g", lines: { a: 3 } })
      const ref = Game.ref("g")
      const { at, big, flag, int, json, lines, n, text, wait } = ref
      const writes: ReadonlyArray<Operation> = [
        int.set(ref.optInt.value({ default: 5 })),
        n.increment(lines.at("a").value({ default: 0 }).plus(lines.at("none").value({ default: 10 }))),
        big.set(ref.nullBig.value({ default: 2n ** 62n }).plus(1n)),
        text.append(ref.optText.value({ default: "none" })),
        flag.set(ref.optFlag.value({ default: true })),
        at.set(ref.optAt.value({ default: new Date(5) }).plus("1 second")),
        wait.set(ref.nullWait.value({ default: Duration.seconds(3) })),
        json.set(ref.optJson.value({ default: { a: 7 } }))
      ]
      const results = Effect.map(
        Game.get("g"),
        ({ at, big, flag, int, json, n, text, wait }) => [int, n, big, text, flag, at, wait, json]
      )
      yield* Atomic.all(writes)
      assert.deepEqual(yield* results, [
        5,
        13,
        2n ** 62n + 1n,
        "none",
        true,
        new Date(1005),
        Duration.seconds(3),
        { a: 7 }
      ])
      yield* Game.update("g", {
        optInt: 2,
        nullBig: 3n,
        optText: "!",
        optFlag: false,
        optAt: new Date(9),
        nullWait: Duration.millis(1),
        optJson: { a: 1 }
      })
      yield* Atomic.all(writes)
      assert.deepEqual(yield* results, [
        2,
        26,
        4n,
        "none!",
        false,
        new Date(1009),
        Duration.millis(1),
        { a: 1 }
      ])
      yield* unchanged(Effect.gen(function*() {
        for (const options of [undefined, {}, { default: undefined }, { default: "x" }]) {
          yield* fails(int.set(ref.optInt.value(options as any)), "InvalidValue", { field: "optInt" })
        }
        assert.isTrue(yield* ref.optInt.eq(int.value()))
        assert.isTrue(yield* int.lt(lines.at("none").value({ default: 3 })))
      }))
      // the default need not be within the bounds of the field, as only the result must be
      yield* ref.optInt.clear()
      yield* int.set(ref.optInt.value({ default: 40 }))
      assert.strictEqual(yield* int.get(), 40)
    }))

  test("an item of a list is an operand with a default, which it is beyond the ends of the list", () =>
    Effect.gen(function*() {
      yield* Game.insert({ id: "g", ints: [4, 5], texts: ["a"] })
      const { int, ints, n, text, texts } = Game.ref("g")
      yield* n.set(ints.at(1).value({ default: 8 }).plus(ints.at(-1).value({ default: 8 })))
      assert.strictEqual(yield* n.get(), 10)
      for (const index of [2, -3, 99]) {
        yield* n.set(ints.at(index).value({ default: 8 }))
        assert.strictEqual(yield* n.get(), 8)
      }
      assert.deepEqual(
        yield* Atomic.all([ints.shift(), int.increment(ints.at(1).value({ default: 30 })), ints.at(0).get()]),
        [Option.some(4), 30, 5]
      )
      yield* text.append(texts.at(0).value({ default: "none" }))
      yield* text.append(texts.at(1).value({ default: "none" }))
      assert.strictEqual(yield* text.get(), "anone")
      assert.isTrue(yield* ints.at(0).lt(ints.at(1).value({ default: 6 })))
      yield* unchanged(Effect.gen(function*() {
        for (const operand of [ints.at(5).value(), ints.at(5).value({ default: undefined as never })]) {
          const failing: Operation = n.set(operand as never)
          yield* fails(failing, "IndexOutOfRange", { field: "ints" })
        }
        yield* fails(ints.at(5).increment(ints.at(6).value({ default: 1 })), "IndexOutOfRange", { index: 5 })
        yield* fails(n.set(ints.at(0).value({ default: "x" as never })), "InvalidValue", { field: "ints" })
      }))
    }))

  test("a required field that another client has not stored is an operand with a default", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      yield* raw.hashSet("Standings:{g}", { int: "1" })
      const { int, text } = Game.ref("g")
      assert.strictEqual(yield* int.increment(int.value({ default: 9 })), 2)
      yield* raw.hashDelete("Standings:{g}", "int")
      yield* raw.hashSet("Standings:{g}", { text: "" })
      yield* int.set(int.value({ default: 9 }))
      assert.strictEqual(yield* int.get(), 9)
      yield* text.append(text.value())
    }))

  test("an optional field, an entry and an item take an operand, which the server checks as the field's schema does", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      yield* Game.insert({ id: "g", n: 7, big: 2n ** 63n - 1n, text: "abc", ints: [1] })
      const { big, ints, lines, n, nullBig, optInt, optText, text, texts } = Game.ref("g")
      yield* Atomic.all([
        optInt.set(n.value()),
        nullBig.set(big.value()),
        optText.set(text.value()),
        lines.at("a").set(n.value().times(2)),
        ints.append([2, n.value(), n.value().plus(1)]),
        ints.prepend(n.value()),
        ints.insert(1, [n.value().minus(9), 5]),
        texts.append([text.value(), "d"], { keep: 9 })
      ])
      const entity = yield* Game.get("g")
      assert.deepEqual<ReadonlyArray<unknown>>(
        [entity.optInt, entity.nullBig, entity.optText, entity.lines, entity.ints, entity.texts],
        [7, 2n ** 63n - 1n, "abc", { a: 14 }, [7, -2, 5, 1, 2, 7, 8], ["abc", "d"]]
      )
      assert.deepEqual(yield* raw.listRead("Standings:{g}:ints"), entity.ints.map(String))
      yield* n.set(9.5)
      yield* text.set("too long")
      yield* unchanged(Effect.gen(function*() {
        yield* fails(ints.append(n.value()), "ArithmeticError", { field: "ints", reason: "notWhole" })
        yield* fails(ints.append([1, n.value().times(2)]), "OutOfBounds", { field: "ints", bound: "maximum" })
        yield* fails(optInt.set(n.value().times(2)), "OutOfBounds", { field: "optInt", bound: "maximum" })
        yield* fails(texts.append(text.value()), "OutOfBounds", { field: "texts", bound: "maxLength" })
        yield* fails(ints.insert(99, n.value().plus(0.5).minus(9)), "IndexOutOfRange", { field: "ints" })
        yield* fails(ints.append(text.value() as never), "InvalidValue", { field: "ints" })
        yield* fails(texts.append(n.value() as never), "InvalidValue", { field: "texts" })
      }))
    }))
}
