/**
 * Lists: both ends, positions, bounds, capped appends, items of every kind and concurrency. The expected results are
 * computed by arrays.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Atomic from "redlayer/Atomic"
import type * as Field from "redlayer/Field"
import * as Model from "redlayer/Model"
import { RawStore } from "redlayer/testing"
import * as assert from "../assert.ts"
import { concurrently, fails, type Operation, pseudoRandom, stored, unchanged, wrongType } from "../assertions.ts"
import type { Test } from "../suite.ts"
import { Box, key, randomStep, runAsProgram, runOneByOne, type Step, steps } from "../support/listSteps.ts"

const ItemKinds = Model.make("ListsKinds", {
  id: Schema.String,
  texts: Schema.Array(Schema.String),
  flags: Schema.Array(Schema.Boolean),
  numbers: Schema.Array(Schema.Number),
  words: Schema.Array(Schema.Literals(["a", "b"])),
  dates: Schema.Array(Schema.Date),
  structs: Schema.Array(Schema.Struct({ x: Schema.Int, y: Schema.optionalKey(Schema.Array(Schema.String)) })),
  tuples: Schema.Array(Schema.Tuple([Schema.String, Schema.Int])),
  lists: Schema.Array(Schema.Array(Schema.Int)),
  nullable: Schema.Array(Schema.NullOr(Schema.String)),
  anything: Schema.Array(Schema.Json)
}, { key: "id" })

const itemKinds = {
  texts: ["", "a", "null", "[]", "\u0000", "\u{1f600}"],
  flags: [true, false],
  numbers: [0.1, 1e21, 5e-324, NaN, -Infinity, 0],
  words: ["b", "a"],
  dates: [new Date(0), new Date("2024-02-29T23:59:59.999Z")],
  structs: [{ x: 1 }, { x: 2, y: [] }, { x: 3, y: ["a", ""] }],
  tuples: [["a", 1], ["", 0]],
  lists: [[], [1], [1, 2]],
  nullable: [null, "", "null"],
  anything: [null, 0, "", "null", false, {}, { a: [] }, 9007199254740991]
} as const

export const lists = (test: Test): void => {
  test("every operation does what an array does", () =>
    Effect.gen(function*() {
      yield* Box.insert({ id: "b", items: [] })
      yield* runOneByOne("b", [
        steps.pop,
        steps.shift,
        steps.get,
        steps.length,
        steps.clear,
        steps.append(),
        steps.prepend(),
        steps.append(1),
        steps.append(2, 3),
        steps.prepend(0),
        steps.prepend(-2, -1),
        steps.get,
        steps.length,
        steps.pop,
        steps.shift,
        steps.append(),
        steps.set(7, 8, 9),
        steps.set(),
        steps.set(1, 1, 1),
        steps.clear,
        steps.prepend(5, 6),
        steps.pop,
        steps.pop,
        steps.pop,
        steps.append(4),
        steps.shift,
        steps.shift,
        steps.get
      ])
      // an empty list has no key
      assert.deepEqual(yield* stored, { [key]: { n: "0" }, [`${key}:between`]: ["1"], [`${key}:some`]: ["1"] })
    }))

  test("positions are those of Array.prototype.slice and Array.prototype.at", () =>
    Effect.gen(function*() {
      const positions = [-5, -4, -1, 0, 1, 3, 4, 5, 2 ** 40, -(2 ** 40), 1e300]
      for (const length of [0, 1, 4]) {
        const id = `b${length}`
        const items = Array.from({ length }, (_, i) => i * 10)
        yield* Box.insert({ id, items })
        const ref = Box.ref(id).items
        yield* unchanged(concurrently(positions.flatMap((start) =>
          positions.map((end) =>
            Effect.gen(function*() {
              assert.deepEqual(yield* ref.slice(start, end), items.slice(start, end), `${start} ${end}`)
            })
          )
        )))
        assert.deepEqual(yield* ref.slice(), items)
        assert.deepEqual(yield* ref.slice(1), items.slice(1))
        assert.deepEqual(yield* ref.slice(undefined, -1), items.slice(undefined, -1))
        for (const index of positions) {
          const item = items.at(index)
          if (item === undefined) {
            yield* unchanged(concurrently(
              ([ref.at(index).get(), ref.at(index).set(1), ref.at(index).increment()] as ReadonlyArray<Operation>).map(
                (program) => fails(program, "IndexOutOfRange", { model: "ListsBox", id, field: "items" })
              )
            ))
          } else {
            assert.strictEqual(yield* ref.at(index).get(), item)
          }
        }
        if (length > 0) {
          assert.strictEqual((yield* fails(ref.at(length).get(), "IndexOutOfRange")).index, length)
          assert.strictEqual((yield* fails(ref.at(-length - 1).get(), "IndexOutOfRange")).index, -length - 1)
        }
      }
    }))

  test("slices see what the same program has removed and appended before", () =>
    Effect.gen(function*() {
      const changes: ReadonlyArray<ReadonlyArray<Step>> = [
        [steps.shift],
        [steps.shift, steps.shift, steps.append(9)],
        [steps.clear, steps.append(7, 8, 9)],
        [steps.set(5, 6)],
        [steps.set(5, 6), steps.prepend(4)],
        [steps.shift, steps.prepend(8), steps.shift, steps.shift],
        [steps.pop, steps.pop, steps.pop, steps.pop, steps.append(1)],
        [steps.appendKeep(2, 8, 9)],
        [steps.appendKeep(2, 7, 8, 9), steps.appendKeep(5, 1)],
        [steps.clear, steps.clear, steps.prepend(1, 2)]
      ]
      let i = 0
      for (const change of changes) {
        for (const start of [-3, -1, 0, 1, 3]) {
          const id = `b${i++}`
          yield* Box.insert({ id, items: [10, 20, 30] })
          yield* runAsProgram(id, [
            ...change,
            steps.slice(start),
            steps.slice(start, -1),
            steps.slice(start, 2),
            steps.length,
            steps.get
          ])
          yield* runAsProgram(id, [...change, steps.atGet(start), steps.atSet(start, 3), steps.get])
        }
      }
    }))

  test("random operations, each in its own program, do what an array does", () =>
    Effect.gen(function*() {
      const random = pseudoRandom(1)
      yield* concurrently(Array.from({ length: 20 }, (_, i) =>
        Effect.gen(function*() {
          const id = `b${i}`
          yield* Box.insert({ id, items: [] })
          yield* runOneByOne(id, Array.from({ length: 40 }, () => randomStep(random)))
        })))
    }))

  test("a random program of operations does what an array does, or fails and writes nothing", () =>
    Effect.gen(function*() {
      const random = pseudoRandom(2)
      yield* concurrently(Array.from({ length: 40 }, (_, i) =>
        Effect.gen(function*() {
          const id = `b${i}`
          yield* Box.insert({ id, items: [1, 2, 3] })
          for (let round = 0; round < 12; round++) {
            yield* runAsProgram(id, Array.from({ length: 1 + Math.floor(random() * 8) }, () => randomStep(random)))
          }
        })))
    }))

  test("items of every kind are read back unchanged by every operation that reads", () =>
    Effect.gen(function*() {
      yield* ItemKinds.insert({ id: "k", ...itemKinds })
      assert.deepEqual(yield* ItemKinds.get("k"), { id: "k", ...itemKinds })
      for (const name of Object.keys(itemKinds) as ReadonlyArray<keyof typeof itemKinds>) {
        const all = itemKinds[name] as ReadonlyArray<unknown>
        const list = ItemKinds.ref("k")[name] as unknown as Field.List<unknown, Field.Scalar<unknown, any>>
        assert.deepEqual(yield* list.get(), all)
        assert.deepEqual(yield* list.slice(1), all.slice(1))
        for (const [i, item] of all.entries()) {
          assert.deepEqual(yield* list.at(i).get(), item)
          assert.deepEqual(yield* list.at(i - all.length).get(), item)
        }
        assert.deepEqual(yield* list.pop(), Option.some(all.at(-1)))
        assert.deepEqual(yield* list.shift(), Option.some(all[0]))
        yield* list.set(all)
        assert.deepEqual(yield* list.get(), all)
        yield* list.clear()
        assert.strictEqual(yield* list.append(all), all.length)
        assert.strictEqual(yield* list.prepend(all), all.length * 2)
        assert.deepEqual(yield* list.get(), [...all, ...all])
        yield* list.at(0).set(all[1])
        assert.deepEqual(yield* list.at(0).get(), all[1])
        assert.isTrue(yield* list.at(0).compareAndSet(all[1], all[0]))
        assert.isFalse(yield* list.at(0).compareAndSet(all[1], all[0]))
        assert.deepEqual(yield* list.at(0).get(), all[0])
        assert.deepEqual(
          yield* Atomic.all([list.at(-1).set(all[0]), list.at(-1).get(), list.pop(), list.shift(), list.length()]),
          [undefined, all[0], Option.some(all[0]), Option.some(all[0]), all.length * 2 - 2]
        )
      }
    }))

  test("a handle of an item has the operations of its kind", () =>
    Effect.gen(function*() {
      yield* ItemKinds.insert({ id: "k", ...itemKinds })
      const { flags, numbers, texts, words } = ItemKinds.ref("k")
      assert.strictEqual(yield* texts.at(1).append("bc"), 3)
      assert.strictEqual(yield* texts.at(1).getAndSet("z"), "abc")
      assert.strictEqual(yield* texts.at(0).append("\u{1f600}"), 2)
      assert.isFalse(yield* flags.at(0).toggle())
      assert.isTrue(yield* flags.at(-1).toggle())
      assert.strictEqual(yield* numbers.at(0).increment(0.2), 0.1 + 0.2)
      assert.strictEqual(yield* numbers.at(0).clamp(1, 2), 1)
      assert.strictEqual(yield* numbers.at(0).divide(3), 1 / 3)
      assert.strictEqual(yield* words.at(0).getAndSet("a"), "b")
      yield* unchanged(fails(numbers.at(3).increment(), "ArithmeticError", { field: "numbers", reason: "notFinite" }))
      yield* unchanged(fails(numbers.at(0).divide(0), "ArithmeticError", { reason: "divisionByZero" }))
      assert.deepEqual((yield* ItemKinds.get("k")).texts.slice(0, 2), ["\u{1f600}", "z"])
      assert.deepEqual((yield* ItemKinds.get("k")).flags, [false, true])
    }))

  test("an invalid item is refused, alone and among valid ones, and nothing is written", () =>
    Effect.gen(function*() {
      yield* Box.insert({ id: "b", items: [1] })
      const { items } = Box.ref("b")
      yield* unchanged(Effect.gen(function*() {
        for (const bad of [1.5, "1", null, undefined, NaN, 2 ** 53, {}] as ReadonlyArray<any>) {
          for (
            const program of [
              items.append(bad),
              items.append([1, bad]),
              items.append([1, bad], { keep: 1 }),
              items.prepend(bad),
              items.prepend([bad, 1]),
              items.set([bad]),
              items.at(0).set(bad),
              items.at(0).compareAndSet(1, bad),
              Box.update("b", { items: [bad] })
            ] as ReadonlyArray<Operation>
          ) yield* fails(program, "InvalidValue", { model: "ListsBox", id: "b", field: "items" })
        }
        for (const bad of ["12", { length: 1, 0: 1 }, new Set([1]), null, undefined, 5] as ReadonlyArray<any>) {
          yield* fails(items.set(bad), "InvalidValue", { field: "items" })
        }
        for (const keep of [0, -1, 1.5, NaN, Infinity, "1" as any]) {
          yield* fails(items.append(1, { keep }), "InvalidValue", { field: "items" })
        }
        // a hole in an array is an undefined item
        // oxlint-disable-next-line no-sparse-arrays
        yield* fails(items.append([1, , 2] as never), "InvalidValue", { field: "items" })
      }))
      assert.strictEqual(yield* items.append(2, { keep: undefined }), 2)
    }))

  test("`keep` retains the newest items, also if many append at once", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      yield* Box.insert({ id: "b", items: [] })
      const { items } = Box.ref("b")
      assert.strictEqual(yield* items.append(1, { keep: 3 }), 1)
      assert.strictEqual(yield* items.append([2, 3, 4], { keep: 3 }), 3)
      assert.deepEqual(yield* items.get(), [2, 3, 4])
      assert.strictEqual(yield* items.append([5, 6, 7, 8, 9], { keep: 3 }), 3)
      assert.deepEqual(yield* items.get(), [7, 8, 9])
      assert.strictEqual(yield* items.append(10, { keep: 1 }), 1)
      assert.deepEqual(yield* items.get(), [10])
      // surplus items are dropped by the next append, not before
      yield* items.set([1, 2, 3, 4, 5])
      assert.strictEqual(yield* unchanged(items.append([], { keep: 2 })), 5)
      assert.strictEqual(yield* items.append(6, { keep: 2 }), 2)
      assert.deepEqual(yield* items.get(), [5, 6])
      assert.strictEqual(yield* items.append(7, { keep: 100_000 }), 3)
      const lengths = yield* concurrently(Array.from({ length: 200 }, (_, i) => items.append(i, { keep: 10 })))
      assert.isAtMost(Math.max(...lengths), 10)
      const left = yield* items.get()
      assert.strictEqual(left.length, 10)
      assert.strictEqual(new Set(left).size, 10)
      assert.strictEqual((yield* raw.listRead(`${key}:items`)).length, 10)
      // items of one fiber stay in the order in which it appended them
      yield* items.clear()
      yield* concurrently(Array.from({ length: 10 }, (_, fiber) =>
        Effect.gen(function*() {
          for (let i = 0; i < 20; i++) yield* items.append(fiber * 1000 + i, { keep: 50 })
        })))
      const newest = yield* items.get()
      for (let fiber = 0; fiber < 10; fiber++) {
        const own = newest.filter((n) => Math.floor(n / 1000) === fiber)
        assert.deepEqual(own, own.slice().sort((a, b) => a - b))
      }
    }))

  test("concurrent appends and prepends each happen exactly once", () =>
    Effect.gen(function*() {
      yield* Box.insert({ id: "b", items: [] })
      const { items } = Box.ref("b")
      const lengths = yield* concurrently(
        Array.from({ length: 100 }, (_, i) => i % 2 === 0 ? items.append(i) : items.prepend(i))
      )
      assert.deepEqual(lengths.sort((a, b) => a - b), Array.from({ length: 100 }, (_, i) => i + 1))
      assert.deepEqual((yield* items.get()).slice().sort((a, b) => a - b), Array.from({ length: 100 }, (_, i) => i))
    }))

  test("concurrent pops and shifts take each item exactly once", () =>
    Effect.gen(function*() {
      const all = Array.from({ length: 100 }, (_, i) => i)
      yield* Box.insert({ id: "b", items: all })
      const { items } = Box.ref("b")
      const taken = yield* concurrently(
        Array.from({ length: 130 }, (_, i) => i % 2 === 0 ? items.pop() : items.shift())
      )
      assert.strictEqual(taken.filter(Option.isNone).length, 30)
      assert.deepEqual(taken.filter(Option.isSome).map(({ value }) => value).sort((a, b) => a - b), all)
      assert.deepEqual(yield* items.get(), [])
      // producers and consumers at once
      const [, , consumed] = yield* Effect.all([
        concurrently(all.slice(0, 50).map((i) => items.append(i))),
        concurrently(all.slice(50).map((i) => Atomic.all([items.prepend(i), Box.ref("b").n.increment()]))),
        concurrently(all.map(() => items.pop()))
      ], { concurrency: "unbounded" })
      const left = yield* items.get()
      const seen = [...consumed.filter(Option.isSome).map(({ value }) => value), ...left]
      assert.deepEqual(seen.sort((a, b) => a - b), all)
    }))

  test("length bounds of the schema apply to every operation", () =>
    Effect.gen(function*() {
      yield* Box.insert({ id: "b", items: [] })
      const { few, some } = Box.ref("b")
      const error = { model: "ListsBox", id: "b" }
      assert.strictEqual(yield* few.append([1, 2]), 2)
      yield* unchanged(Effect.gen(function*() {
        const tooLong = { ...error, field: "few", bound: "maxLength", limit: 3 } as const
        yield* fails(few.append([3, 4]), "OutOfBounds", tooLong)
        yield* fails(few.prepend([3, 4]), "OutOfBounds", tooLong)
        yield* fails(few.append([3, 4, 5, 6], { keep: 4 }), "OutOfBounds", tooLong)
        yield* fails(few.append([1, 2, 3, 4]), "OutOfBounds", tooLong)
        yield* fails(Atomic.all([few.append(3), few.append(4)]), "OutOfBounds", tooLong)
        yield* fails(few.set([1, 2, 3, 4]), "InvalidValue", { ...error, field: "few" })
        yield* fails(Box.update("b", { few: [1, 2, 3, 4] }), "InvalidValue", { ...error, field: "few" })
        yield* fails(Box.put({ id: "b", items: [], few: [1, 2, 3, 4] }), "InvalidValue", { field: "few" })
      }))
      assert.strictEqual(yield* few.append([3, 4, 5, 6], { keep: 3 }), 3)
      assert.deepEqual(yield* few.get(), [4, 5, 6])
      assert.deepEqual(yield* Atomic.all([few.shift(), few.append(7), few.length()]), [Option.some(4), 3, 3])

      yield* unchanged(Effect.gen(function*() {
        const tooShort = { ...error, field: "some", bound: "minLength", limit: 1 } as const
        yield* fails(some.pop(), "OutOfBounds", tooShort)
        yield* fails(some.shift(), "OutOfBounds", tooShort)
        yield* fails(Atomic.all([some.append(2), some.pop(), some.pop()]), "OutOfBounds", tooShort)
        yield* fails(some.set([]), "InvalidValue", { ...error, field: "some" })
        yield* fails(some.clear(), "InvalidValue", { ...error, field: "some" })
        yield* fails(Box.update("b", { some: [] }), "InvalidValue", { ...error, field: "some" })
      }))
      assert.deepEqual(yield* Atomic.all([some.append(2), some.shift()]), [2, Option.some(1)])
      assert.deepEqual(yield* some.get(), [2])
      const { between } = Box.ref("b")
      yield* unchanged(fails(between.pop(), "OutOfBounds", { field: "between", bound: "minLength", limit: 1 }))
      assert.strictEqual(yield* between.append(2), 2)
      yield* unchanged(fails(between.prepend(3), "OutOfBounds", { field: "between", bound: "maxLength", limit: 2 }))
    }))

  test("a list that another client has put out of its bounds may only change towards them", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      yield* Box.insert({ id: "b", items: [], few: [1, 2, 3] })
      yield* raw.listPush(`${key}:few`, "4", "5")
      yield* raw.delete(`${key}:some`)
      const { few, some } = Box.ref("b")
      // no item can be added, none can be removed that leaves too many, and nothing can be taken from an empty list
      yield* unchanged(fails(few.append(6), "OutOfBounds", { bound: "maxLength" }))
      yield* unchanged(fails(few.pop(), "OutOfBounds", { bound: "maxLength" }))
      assert.deepEqual(yield* unchanged(some.pop()), Option.none())
      yield* few.set([1])
      assert.deepEqual(yield* few.get(), [1])
    }))

  test("a list with a check that only the client can evaluate can only be written as a whole", () =>
    Effect.gen(function*() {
      yield* Box.insert({ id: "b", items: [], unique: [1, 2] })
      const { unique } = Box.ref("b")
      yield* unchanged(Effect.gen(function*() {
        for (
          const program of [
            unique.append(3),
            unique.prepend(3),
            unique.pop(),
            unique.shift(),
            unique.at(0).set(5),
            unique.at(0).increment(),
            unique.append(3, { keep: 1 })
          ] as ReadonlyArray<Operation>
        ) assert.include((yield* fails(program, "InvalidValue", { field: "unique" })).issue, "modify")
        yield* fails(unique.set([1, 1]), "InvalidValue", { field: "unique" })
      }))
      yield* unique.set([3, 4])
      assert.deepEqual(yield* unique.get(), [3, 4])
      assert.strictEqual(yield* unique.at(-1).get(), 4)
      assert.deepEqual(yield* unique.slice(0, 1), [3])
      yield* unique.clear()
      assert.strictEqual(yield* unique.length(), 0)
    }))

  test("lists of ten thousand items are read and written like short ones", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      const many = Array.from({ length: 10_000 }, (_, i) => i)
      yield* Box.insert({ id: "b", items: many })
      const { items } = Box.ref("b")
      assert.deepEqual(yield* items.get(), many)
      assert.strictEqual(yield* items.append(many), 20_000)
      assert.strictEqual(yield* items.prepend(many), 30_000)
      assert.deepEqual(yield* raw.listRead(`${key}:items`), [...many, ...many, ...many].map(String))
      assert.strictEqual(yield* items.at(15_000).increment(), 5001)
      assert.strictEqual(yield* items.append(many, { keep: 5 }), 5)
      assert.deepEqual(yield* items.get(), many.slice(-5))
      yield* items.set(many)
      yield* unchanged(fails(
        Atomic.all([
          items.shift(),
          items.append(many),
          items.shift(),
          items.prepend(many),
          items.clear(),
          items.append(many),
          items.set(many.slice(5)),
          items.prepend(many),
          Box.ref("b").n.divide(0)
        ]),
        "ArithmeticError"
      ))
      yield* items.set([])
      assert.deepEqual(yield* stored, { [key]: { n: "0" }, [`${key}:between`]: ["1"], [`${key}:some`]: ["1"] })
    }))

  test("an invalid stored item fails the operations that read it, and stays", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      yield* Box.insert({ id: "b", items: [1] })
      yield* raw.listPush(`${key}:items`, "x", "3")
      const { items } = Box.ref("b")
      yield* unchanged(Effect.gen(function*() {
        yield* wrongType(items.get(), { model: "ListsBox", id: "b", key: `${key}:items`, field: "items" })
        yield* wrongType(items.at(1).get(), { key: `${key}:items`, field: "items" })
        yield* wrongType(items.at(1).increment(), { key: `${key}:items`, field: "items" })
        assert.strictEqual(yield* items.at(2).get(), 3)
        assert.isFalse(yield* items.at(1).compareAndSet(1, 2))
      }))
      yield* items.at(1).set(2)
      assert.deepEqual(yield* items.get(), [1, 2, 3])
    }))
}
