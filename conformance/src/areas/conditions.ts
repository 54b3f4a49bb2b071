/** Conditions as programs: how they combine, what they see, and how they fail. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Atomic from "redlayer/Atomic"
import * as Condition from "redlayer/Condition"
import { RawStore } from "redlayer/testing"
import * as assert from "../assert.ts"
import { fails, pseudoRandom, unchanged, wrongType } from "../assertions.ts"
import type { Test } from "../suite.ts"
import { EveryKind, key, put, ref } from "../support/conditionModels.ts"

export const conditions = (test: Test): void => {
  const insert = put({ id: "a" })

  test("a condition is a program that returns a boolean, alone or among others, and changes nothing", () =>
    Effect.gen(function*() {
      yield* put({ id: "a", int: 5, text: "t", set: new Set(["x"]) })
      yield* unchanged(Effect.gen(function*() {
        const { int, set, text } = ref
        assert.isTrue(yield* int.eq(5))
        assert.isFalse(yield* int.eq(6))
        assert.isTrue(yield* set.has("x"))
        assert.isTrue(yield* Condition.and(int.gt(4), text.eq("t")))
        assert.isFalse(yield* Condition.not(set.size().eq(1)))
        assert.isTrue(yield* Atomic.commit(Condition.or(int.eq(0), int.eq(5))))
        assert.strictEqual(yield* int.gt(4).pipe(Atomic.map((is) => is ? "more" : "less")), "more")
        assert.deepEqual(
          yield* Atomic.all({
            is: Condition.and(int.gt(4), int.lt(6)),
            text: text.get(),
            not: Condition.not(int.eq(5))
          }),
          { is: true, text: "t", not: false }
        )
        // one condition value used several times, also inside itself
        const five = int.eq(5)
        assert.isTrue(yield* Condition.and(five, five, Condition.or(five, Condition.not(five))))
        assert.isTrue(Condition.isCondition(five))
        assert.isTrue(Condition.isCondition(Condition.not(five)))
        assert.isTrue(Condition.isCondition(Condition.or(five, five)))
        for (const no of [int.get(), Atomic.map(five, (is) => is), Atomic.all([five]), true, null, undefined, {}]) {
          assert.isFalse(Condition.isCondition(no))
        }
      }))
    }))

  test("a condition sees the writes before it in the program, and none after it", () =>
    Effect.gen(function*() {
      yield* insert
      const { int, ints, text } = ref
      const found = yield* Atomic.all([
        int.eq(0),
        int.set(5),
        Condition.and(int.gte(5), int.lte(5)),
        int.increment(),
        int.eq(6),
        text.append("a"),
        Condition.or(text.eq(""), text.eq("a")),
        ints.append([1, 2, 3]),
        ints.length().eq(3),
        ints.pop(),
        Condition.not(ints.contains(3)),
        int.eq(6),
        EveryKind.delete("a"),
        EveryKind.exists("a"),
        Atomic.as(put({ id: "a", int: 9 }), null),
        Condition.and(int.eq(9), ints.length().eq(0))
      ]).pipe(Atomic.map((all) => all.filter((item) => typeof item === "boolean")))
      assert.deepEqual(found, [true, true, true, true, true, true, true, true, false, true])
      assert.strictEqual(yield* int.get(), 9)
    }))

  test("`and`, `or` and `not` obey the truth tables and De Morgan's laws", () =>
    Effect.gen(function*() {
      yield* put({ id: "a", int: 3, num: 0.5, text: "b", bool: true, set: new Set(["x"]) })
      const random = pseudoRandom(4)
      const pick = <A>(items: ReadonlyArray<A>): A => items[Math.floor(random() * items.length)]!
      type Found = readonly [Condition.Condition<any>, boolean]
      const leaf = (): Found => {
        const n = Math.floor(random() * 6)
        const letter = pick(["a", "b", "c"])
        return pick<Found>([
          [ref.int.gte(n), 3 >= n],
          [ref.int.neq(n), n !== 3],
          [ref.num.lt(n), 0.5 < n],
          [ref.text.gt(letter), "b" > letter],
          [ref.bool.eq(n < 3), n < 3],
          [ref.set.has(n < 3 ? "x" : "y"), n < 3],
          [ref.optInt.eq(n), false],
          [ref.set.size().gte(n), 1 >= n],
          [EveryKind.exists(n < 3 ? "a" : "b"), n < 3]
        ])
      }
      const expression = (depth: number): Found => {
        if (depth === 0 || random() < 0.15) return leaf()
        const items = Array.from({ length: 1 + Math.floor(random() * 3) }, () => expression(depth - 1))
        const all = items.map(([condition]) => condition) as [
          Condition.Condition<any>,
          ...Array<Condition.Condition<any>>
        ]
        switch (pick(["and", "or", "not"])) {
          case "and":
            return [Condition.and(...all), items.every(([, is]) => is)]
          case "or":
            return [Condition.or(...all), items.some(([, is]) => is)]
          default:
            return [Condition.not(items[0]![0]), !items[0]![1]]
        }
      }
      for (let round = 0; round < 40; round++) {
        const expressions = Array.from({ length: 10 }, () => expression(5))
        assert.deepEqual(
          yield* Atomic.all(expressions.map(([condition]) => condition)),
          expressions.map(([, is]) => is)
        )
        const [[a, isA], [b, isB]] = [expression(3), expression(3)]
        const { and, not, or } = Condition
        assert.deepEqual(
          yield* Atomic.all([not(and(a, b)), or(not(a), not(b)), not(or(a, b)), and(not(a), not(b)), not(not(a))]),
          [!(isA && isB), !isA || !isB, !(isA || isB), !isA && !isB, isA]
        )
      }
    }))

  test("`and` and `or` take an array, and without conditions `and` is true and `or` is false, wherever they stand", () =>
    Effect.gen(function*() {
      yield* put({ id: "a", int: 5 })
      const { int } = ref
      const five = int.eq(5)
      const [yes, no] = [Condition.and([]), Condition.or([])]
      yield* unchanged(Effect.gen(function*() {
        assert.isTrue(yield* Condition.and([five, int.gt(4)]))
        assert.isFalse(yield* Condition.and([five, int.gt(5)]))
        assert.isTrue(yield* Condition.or([int.gt(5), five]))
        assert.isTrue(yield* Condition.and(...[1, 2].map(() => five)))
        // alone, no operation is on an entity
        assert.isTrue(yield* yes)
        assert.isFalse(yield* no)
        assert.isFalse(yield* Condition.not(yes))
        assert.isTrue(yield* Condition.not(no))
        assert.isTrue(yield* Condition.and())
        assert.isFalse(yield* Condition.or())
        yield* Atomic.guard(yes, () => "refused")
        assert.strictEqual(yield* Effect.flip(Atomic.guard(no, () => "refused")), "refused")
        assert.deepEqual(yield* Atomic.all([Atomic.when(int.get(), yes), Atomic.when(int.get(), no)]), [
          Option.some(5),
          Option.none()
        ])
        // after a true and after a false condition, nested, and negated
        assert.deepEqual(
          yield* Atomic.all([five, yes, five, no, int.eq(0), yes, int.eq(0), no]),
          [true, true, true, false, false, true, false, false]
        )
        assert.isTrue(yield* Condition.and(five, yes, Condition.not(no), Condition.or(no, five)))
        assert.isFalse(yield* Condition.or(no, Condition.not(yes), Condition.and(five, no)))
      }))
      assert.strictEqual(yield* Atomic.if(no, { onTrue: int.set(1), onFalse: int.increment() }), 6)
      assert.isTrue(Condition.isCondition(yes) && Condition.isCondition(no))
    }))

  test("`and` and `or` do not evaluate operands that cannot change the result", () =>
    Effect.gen(function*() {
      yield* put({ id: "a", int: 3, ints: [1] })
      const { and, not, or } = Condition
      const yes = ref.int.eq(3)
      const no = ref.int.eq(4)
      const missing = EveryKind.ref("missing").int.eq(1)
      const outside = ref.ints.at(5).eq(1)
      assert.deepEqual(
        yield* Atomic.all([
          and(no, missing),
          or(yes, missing),
          and(yes, no, outside),
          or(no, yes, outside),
          not(and(no, outside)),
          not(or(yes, outside)),
          and(or(yes, missing), not(and(no, missing)), yes),
          or(and(yes, no, missing), or(no, and(yes, yes), outside), missing),
          and(not(yes), missing),
          or(not(no), missing)
        ]),
        [false, true, false, true, true, false, true, true, false, true]
      )
      for (const looked of [and(yes, missing), or(no, missing), and(missing, no), or(missing, yes), not(missing)]) {
        yield* fails(looked, "EntityNotFound", { model: "Conditions", id: "missing" })
      }
      yield* fails(or(no, outside), "IndexOutOfRange", { field: "ints", index: 5 })
      // a condition that guards the one after it
      const length = ref.ints.length()
      assert.isFalse(yield* and(length.gt(5), ref.ints.at(5).eq(1)))
      assert.isTrue(yield* and(length.gt(0), ref.ints.at(0).eq(1)))
    }))

  test("a condition on a missing entity fails with EntityNotFound, and on data of the wrong type with WrongType, without writes", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      const gone = EveryKind.ref("gone")
      const every = (it: typeof ref): ReadonlyArray<Condition.Condition<any>> => [
        it.int.eq(1),
        it.big.lt(1n),
        it.text.gte(""),
        it.bool.neq(true),
        it.word.in(["a"]),
        it.word.in([]),
        it.optInt.isSet(),
        it.nullText.eq(""),
        it.ints.contains(1),
        it.ints.length().eq(0),
        it.ints.at(0).eq(1),
        it.set.has("a"),
        it.set.size().gt(0),
        it.counts.has("a"),
        it.counts.at("a").eq(1),
        it.sorted.has("a"),
        it.stats.$.eq({ wins: 0, worst: null, home: { street: "" } })
      ]
      for (const condition of every(gone)) {
        yield* fails(condition, "EntityNotFound", { model: "Conditions", id: "gone" })
        yield* fails(Condition.not(condition), "EntityNotFound", { id: "gone" })
      }
      yield* insert
      yield* raw.hashSet(key, { int: "abc", num: "0x10", big: "1.5", date: "soon", wait: "", optInt: " 1" })
      yield* raw.setAdd(`${key}:ints`, "a")
      yield* raw.listPush(`${key}:set`, "a")
      yield* raw.stringSet(`${key}:counts`, "a")
      yield* raw.hashSet(`${key}:sorted`, { a: "1" })
      yield* unchanged(Effect.gen(function*() {
        const wrong: ReadonlyArray<readonly [field: string, condition: Condition.Condition<any>]> = [
          ["int", ref.int.eq(1)],
          ["int", ref.int.in([1, 2])],
          ["num", ref.num.lt(1)],
          ["big", ref.big.neq(1n)],
          ["date", ref.date.gte(new Date(0))],
          ["wait", ref.wait.lte(Duration.zero)],
          ["optInt", ref.optInt.eq(1)],
          ["ints", ref.ints.contains(1)],
          ["ints", ref.ints.length().eq(1)],
          ["ints", ref.ints.at(0).eq(1)],
          ["set", ref.set.has("a")],
          ["set", ref.set.size().neq(0)],
          ["counts", ref.counts.has("a")],
          ["counts", ref.counts.at("a").gt(0)],
          ["sorted", ref.sorted.has("a")]
        ]
        for (const [field, condition] of wrong) {
          yield* wrongType(condition, { model: "Conditions", id: "a", field })
          yield* wrongType(Atomic.all([ref.text.set("x"), Condition.not(condition)]), { field })
        }
        // a boolean compares by its stored text, even an invalid one
        assert.isFalse(yield* ref.bool.eq(true))
      }))
    }))

  test("a value that cannot be encoded refuses the whole program, wherever its condition is", () =>
    Effect.gen(function*() {
      yield* insert
      yield* unchanged(Effect.gen(function*() {
        const invalid: ReadonlyArray<readonly [field: string, condition: Condition.Condition<any>]> = [
          ["int", ref.int.eq("1" as any)],
          ["int", ref.int.lt(undefined as any)],
          ["big", ref.big.eq(1 as any)],
          ["text", ref.text.eq("\ud800")],
          ["text", ref.text.gt(1 as any)],
          ["date", ref.date.lt(new Date(NaN))],
          ["wait", ref.wait.gt(Duration.infinity)],
          ["word", ref.word.eq("nothing" as any)],
          ["word", ref.word.in(["a", "nothing" as any])],
          ["optInt", ref.optInt.eq(null as any)],
          ["set", ref.set.has("\udc00")],
          ["ints", ref.ints.contains("1" as any)],
          ["stats.wins", ref.stats.$.eq({ wins: "1" as any, worst: null, home: { street: "" } })],
          ["", EveryKind.ref("").int.eq(1)],
          ["", EveryKind.exists("\ud800")]
        ]
        for (const [field, condition] of invalid) {
          for (
            const program of [
              condition as Atomic.Atomic<unknown, any>,
              Condition.not(condition),
              Condition.and(ref.int.eq(99), condition),
              Condition.or(ref.int.eq(0), condition),
              Atomic.all([ref.int.increment(), condition])
            ]
          ) {
            const error: any = yield* fails(program, "InvalidValue", { model: "Conditions" })
            if (field !== "") assert.strictEqual(error.field.split(".")[0], field.split(".")[0])
          }
        }
      }))
    }))
}
