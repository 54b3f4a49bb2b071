/**
 * Edits in the middle of lists: `insert`, `remove`, `removeRange` and `trim`. The expected results are computed by
 * arrays.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Atomic from "redlayer/Atomic"
import * as Model from "redlayer/Model"
import { RawStore } from "redlayer/testing"
import * as assert from "../assert.ts"
import { concurrently, fails, type Operation, pseudoRandom, unchanged, wrongType } from "../assertions.ts"
import type { Test } from "../suite.ts"
import { hostileTexts } from "../support/collectionModels.ts"

const Box = Model.make("ListEditsBox", {
  id: Schema.String,
  n: Schema.Int.pipe(Model.withDefault(0)),
  items: Schema.Array(Schema.Int),
  texts: Schema.Array(Schema.String).pipe(Model.withDefault([])),
  bounded: Schema.Array(Schema.Int).check(Schema.isMinLength(2), Schema.isMaxLength(4)).pipe(Model.withDefault([1, 2])),
  unique: Schema.Array(Schema.Int).check(Schema.isUnique()).pipe(Model.withDefault([])),
  rows: Schema.Array(Schema.Array(Schema.Int)).pipe(Model.withDefault([])),
  anything: Schema.Array(Schema.Json).pipe(Model.withDefault([]))
}, { key: "id" })

const key = "ListEditsBox:{b}"
const positions = [-6, -5, -4, -3, -1, 0, 1, 2, 4, 5, 6, 2 ** 40, -(2 ** 40)]

/** The array after `insert`, or undefined if the position does not exist. */
const afterInsert = (
  items: ReadonlyArray<number>,
  index: number,
  added: ReadonlyArray<number>
): Array<number> | undefined => {
  const at = index < 0 ? index + items.length : index
  return at < 0 || at > items.length ? undefined : [...items.slice(0, at), ...added, ...items.slice(at)]
}

const afterRemoveRange = (items: ReadonlyArray<number>, start: number, end?: number): ReadonlyArray<number> => {
  const dropped = items.map((_, i) => i).slice(start, end)
  return items.filter((_, i) => !dropped.includes(i))
}

export const listEdits = (test: Test): void => {
  test("`insert` puts items before a position or at the end, and fails for positions beyond", () =>
    Effect.gen(function*() {
      for (const length of [0, 1, 5]) {
        const items = Array.from({ length }, (_, i) => i * 10)
        for (const added of [[1], [1, 2, 3]]) {
          for (const index of positions) {
            yield* Box.put({ id: "b", items })
            const list = Box.ref("b").items
            const wanted = afterInsert(items, index, added)
            const what = `${length} ${index}`
            if (wanted === undefined) {
              const error = yield* unchanged(fails(list.insert(index, added), "IndexOutOfRange", {
                model: "ListEditsBox",
                id: "b",
                field: "items"
              }))
              if (Number.isSafeInteger(index) && Math.abs(index) < 100) assert.strictEqual(error.index, index)
              // the position is checked even if there is nothing to insert
              yield* unchanged(fails(list.insert(index, []), "IndexOutOfRange", { field: "items" }))
              yield* unchanged(
                fails(
                  Atomic.all([list.append(9), list.at(-1).increment(), list.insert(9, added), list.insert(-9, 1)]),
                  "IndexOutOfRange"
                )
              )
            } else {
              assert.strictEqual(yield* unchanged(list.insert(index, [])), length)
              assert.strictEqual(yield* list.insert(index, added.length === 1 ? added[0]! : added), wanted.length, what)
              assert.deepEqual(yield* list.get(), wanted, what)
            }
          }
        }
      }
    }))

  test("`removeRange` drops the items that `slice` returns, and `trim` keeps them", () =>
    Effect.gen(function*() {
      const id = (i: number, j: number) => `b${i}:${j}`
      for (const length of [0, 1, 5]) {
        const items = Array.from({ length }, (_, i) => i)
        yield* concurrently(positions.flatMap((start, i) =>
          [...positions, undefined].map((end, j) =>
            Effect.gen(function*() {
              const list = Box.ref(id(i, j)).items
              const what = `${length} ${start} ${end}`
              yield* Box.put({ id: id(i, j), items })
              assert.isUndefined(yield* list.removeRange(start, end))
              assert.deepEqual(yield* list.get(), afterRemoveRange(items, start, end), what)
              yield* Box.put({ id: id(i, j), items })
              assert.isUndefined(yield* list.trim(start, end))
              assert.deepEqual(yield* list.get(), items.slice(start, end), what)
            })
          )
        ))
      }
      yield* Box.put({ id: "b", items: [0, 1, 2, 3, 4] })
      const { items, n } = Box.ref("b")
      yield* unchanged(Effect.gen(function*() {
        yield* items.removeRange(2, 2)
        yield* items.removeRange(5)
        yield* items.removeRange(3, 1)
        yield* items.trim(0)
        yield* items.trim(0, 99)
        yield* items.trim(-99)
        assert.strictEqual(yield* items.remove(9), 0)
        yield* fails(
          Atomic.all([items.trim(2), items.removeRange(0, 1), items.trim(5), items.append(1), n.divide(0)]),
          "ArithmeticError"
        )
      }))
    }))

  test("`remove` drops every equal item", () =>
    Effect.gen(function*() {
      yield* Box.insert({ id: "b", items: [1, 2, 1, 3, 1], rows: [[1], [], [1, 2], [1]] })
      const { items, rows, texts } = Box.ref("b")
      assert.strictEqual(yield* items.remove(1), 3)
      assert.deepEqual(yield* items.get(), [2, 3])
      assert.strictEqual(yield* unchanged(items.remove(1)), 0)
      // `remove` takes an array as one item, although `append` takes it as several
      assert.strictEqual(yield* rows.remove([1]), 2)
      assert.strictEqual(yield* rows.remove([]), 1)
      assert.deepEqual(yield* rows.get(), [[1, 2]])
      yield* texts.set([...hostileTexts, ...hostileTexts])
      for (const [i, text] of hostileTexts.entries()) {
        assert.strictEqual(yield* texts.remove(text), 2)
        assert.strictEqual(yield* texts.length(), (hostileTexts.length - i - 1) * 2)
      }
      assert.deepEqual(
        yield* Atomic.all([items.remove(2), items.remove(3), items.length(), items.append([3, 3]), items.remove(3)]),
        [1, 1, 0, 2, 2]
      )
      yield* unchanged(Effect.gen(function*() {
        yield* fails(items.remove(1.5), "InvalidValue", { field: "items" })
        yield* fails(items.remove("1" as any), "InvalidValue", { field: "items" })
        yield* fails(items.insert(0, [1, NaN]), "InvalidValue", { field: "items" })
        yield* fails(texts.insert(0, "\ud800"), "InvalidValue", { field: "texts" })
      }))
    }))

  test("items of every kind survive edits around them", () =>
    Effect.gen(function*() {
      const items: ReadonlyArray<Schema.Json> = [
        [],
        null,
        12345678901234568,
        {},
        "",
        "null",
        false,
        { a: [] },
        9007199254740991,
        [null]
      ]
      yield* Box.insert({ id: "b", items: [], anything: items })
      const { anything } = Box.ref("b")
      yield* anything.removeRange(1, 3)
      assert.deepEqual(yield* anything.get(), [items[0]!, ...items.slice(3)])
      yield* anything.insert(1, items.slice(1, 3))
      assert.deepEqual(yield* anything.get(), items)
      yield* anything.trim(2, -1)
      assert.deepEqual(yield* anything.get(), items.slice(2, -1))
      assert.strictEqual(yield* anything.remove({ a: [] }), 1)
      assert.deepEqual(yield* anything.shift(), Option.some(12345678901234568))
      // texts that look like the placeholders of an implementation
      yield* Box.ref("b").texts.set(hostileTexts)
      yield* Box.ref("b").texts.insert(3, hostileTexts)
      yield* Box.ref("b").texts.removeRange(3, 3 + hostileTexts.length)
      assert.deepEqual(yield* Box.ref("b").texts.get(), hostileTexts)
    }))

  test("a random program of edits does what an array does, or fails and writes nothing", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      const random = pseudoRandom(21)
      const int = (below: number) => Math.floor(random() * below)
      yield* concurrently(Array.from({ length: 30 }, (_, fiber) =>
        Effect.gen(function*() {
          const id = `b${fiber}`
          let before: Array<number> = [1, 2, 3, 4]
          yield* Box.insert({ id, items: before })
          const list = Box.ref(id).items
          for (let round = 0; round < 15; round++) {
            const steps: Array<Operation> = []
            const wanted: Array<unknown> = []
            let items = before.slice()
            let isOut = false
            for (let i = 0; i < 1 + int(7); i++) {
              const values = Array.from({ length: int(3) }, () => int(4))
              const [from, to] = [int(11) - 5, int(11) - 5]
              switch (int(9)) {
                case 0:
                case 1: {
                  steps.push(list.insert(from, values))
                  const next = afterInsert(items, from, values)
                  if (next === undefined) isOut = true
                  else items = next
                  wanted.push(items.length)
                  break
                }
                case 2: {
                  const left = items.filter((item) => item !== 1)
                  steps.push(list.remove(1))
                  wanted.push(items.length - left.length)
                  items = left
                  break
                }
                case 3:
                  steps.push(list.removeRange(from, to))
                  items = [...afterRemoveRange(items, from, to)]
                  wanted.push(undefined)
                  break
                case 4:
                  steps.push(list.trim(from))
                  items = items.slice(from)
                  wanted.push(undefined)
                  break
                case 5:
                  steps.push(list.shift())
                  wanted.push(Option.fromUndefinedOr(items.shift()))
                  break
                case 6:
                  steps.push(list.prepend(values))
                  wanted.push(items.unshift(...values))
                  break
                case 7:
                  steps.push(list.slice(from, to))
                  wanted.push(items.slice(from, to))
                  break
                default:
                  steps.push(list.append(values))
                  wanted.push(items.push(...values))
              }
              if (isOut) break
            }
            if (isOut) {
              yield* fails(Atomic.all(steps), "IndexOutOfRange", { id, field: "items" })
              items = before
            } else {
              assert.deepEqual(yield* Atomic.all(steps), wanted)
            }
            assert.deepEqual(yield* raw.listRead(`ListEditsBox:{${id}}:items`), items.map(String))
            before = items
          }
        })))
    }))

  test("length bounds of the schema apply to edits", () =>
    Effect.gen(function*() {
      yield* Box.insert({ id: "b", items: [], bounded: [1, 2, 1] })
      const { bounded, unique } = Box.ref("b")
      yield* unchanged(Effect.gen(function*() {
        const error = { model: "ListEditsBox", id: "b", field: "bounded" }
        yield* fails(bounded.insert(1, [7, 8]), "OutOfBounds", { ...error, bound: "maxLength", limit: 4 })
        yield* fails(bounded.remove(1), "OutOfBounds", { ...error, bound: "minLength", limit: 2 })
        yield* fails(bounded.removeRange(0, 2), "OutOfBounds", { ...error, bound: "minLength", limit: 2 })
        yield* fails(bounded.trim(0, 1), "OutOfBounds", { ...error, bound: "minLength", limit: 2 })
        yield* fails(Atomic.all([bounded.removeRange(0, 1), bounded.shift()]), "OutOfBounds", { bound: "minLength" })
        for (
          const program of [
            unique.insert(0, 1),
            unique.remove(1),
            unique.removeRange(0),
            unique.trim(0)
          ] as ReadonlyArray<Operation>
        ) assert.include((yield* fails(program, "InvalidValue", { field: "unique" })).issue, "modify")
      }))
      yield* bounded.removeRange(0, 1)
      assert.strictEqual(yield* bounded.insert(0, [5, 6]), 4)
      assert.deepEqual(yield* bounded.get(), [5, 6, 2, 1])
    }))

  test("ten thousand items can be edited in the middle and at both ends", () =>
    Effect.gen(function*() {
      const many = Array.from({ length: 10_000 }, (_, i) => i)
      yield* Box.insert({ id: "b", items: many })
      const { items, n } = Box.ref("b")
      assert.strictEqual(yield* items.insert(5_000, many), 20_000)
      yield* unchanged(fails(
        Atomic.all([
          items.removeRange(1, 19_999),
          items.insert(1, many),
          items.remove(5),
          items.trim(3, 8),
          n.divide(0)
        ]),
        "ArithmeticError"
      ))
      assert.strictEqual(yield* items.remove(7_777), 2)
      yield* items.removeRange(5_000, 14_999)
      const left = [...many.slice(0, 5_000), ...many.slice(5_000).filter((n) => n !== 7_777)]
      assert.deepEqual(yield* items.get(), left)
      yield* items.trim(4_000, 4_003)
      assert.deepEqual(yield* items.get(), [4_000, 4_001, 4_002])
    }))

  test("concurrent inserts each happen exactly once", () =>
    Effect.gen(function*() {
      yield* Box.insert({ id: "b", items: [] })
      const { items } = Box.ref("b")
      yield* concurrently(Array.from({ length: 50 }, (_, i) => items.insert(i % 3 === 0 ? 0 : -0, i)))
      assert.deepEqual((yield* items.get()).slice().sort((a, b) => a - b), Array.from({ length: 50 }, (_, i) => i))
      const counts = yield* concurrently(Array.from({ length: 100 }, (_, i) => items.remove(i % 50)))
      assert.strictEqual(counts.reduce((a, b) => a + b, 0), 50)
    }))

  test("invalid stored items do not prevent edits that do not read them", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      yield* Box.insert({ id: "b", items: [1] })
      yield* raw.listPush(`${key}:items`, "x", "3")
      const { items } = Box.ref("b")
      yield* items.insert(1, 5)
      yield* unchanged(wrongType(items.get(), { key: `${key}:items`, field: "items" }))
      yield* items.removeRange(2, 3)
      assert.deepEqual(yield* items.get(), [1, 5, 3])
    }))
}
