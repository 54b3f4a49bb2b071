/** Removing several elements at once: pops with a count, and the ranges of sorted sets. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Atomic from "redlayer/Atomic"
import type * as Field from "redlayer/Field"
import * as Model from "redlayer/Model"
import { RawStore } from "redlayer/testing"
import * as assert from "../assert.ts"
import { concurrently, fails, type Operation, pseudoRandom, stored, unchanged } from "../assertions.ts"
import type { Test } from "../suite.ts"

const Store = Model.make("RemovalsStore", {
  id: Schema.String,
  n: Schema.Int.pipe(Model.withDefault(0)),
  list: Schema.Array(Schema.Int).pipe(Model.withDefault([])),
  set: Schema.ReadonlySet(Schema.Int).pipe(Model.withDefault(new Set<number>())),
  map: Schema.ReadonlyMap(Schema.Int, Schema.String).pipe(Model.withDefault(new Map<number, string>())),
  record: Schema.Record(Schema.String, Schema.Int).pipe(Model.withDefault({})),
  sorted: Model.sortedSet(Schema.String).pipe(Model.withDefault([])),
  fewList: Schema.Array(Schema.Int).check(Schema.isMinLength(2)).pipe(Model.withDefault([1, 2, 3])),
  fewSet: Schema.ReadonlySet(Schema.Int).check(Schema.isMinSize(2)).pipe(Model.withDefault(new Set([1, 2, 3]))),
  fewMap: Schema.Record(Schema.String, Schema.Int).check(Schema.isMinProperties(2)).pipe(
    Model.withDefault({ a: 1, b: 2, c: 3 })
  ),
  fewSorted: Model.sortedSet(Schema.String).check(Schema.isMinLength(2)).pipe(
    Model.withDefault([{ member: "a", score: 1 }, { member: "b", score: 2 }, { member: "c", score: 3 }])
  )
}, { key: "id" })

const key = "RemovalsStore:{s}"

const scored = (...entries: ReadonlyArray<readonly [string, number]>): ReadonlyArray<Field.Scored<string>> =>
  entries.map(([member, score]) => ({ member, score }))

const sorted = <A>(values: Iterable<A>): ReadonlyArray<A> =>
  [...values].sort((a, b) => JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)

const counts = [0, 1, 2, 3, 4, 1000, 2 ** 40]
const noCounts: ReadonlyArray<any> = [-1, 1.5, NaN, Infinity, -Infinity, "1", null, 1n]

const abc = scored(["a", 1], ["b", 2], ["c", 3])

export const removals = (test: Test): void => {
  test("`pop` and `shift` of a list with a count return what single ones would, one after another", () =>
    Effect.gen(function*() {
      const { list } = Store.ref("s")
      for (const count of counts) {
        yield* Store.put({ id: "s", list: [1, 2, 3] })
        const single = Math.min(count, 4)
        const items = [1, 2, 3]
        const popped = Array.from({ length: Math.min(single, 3) }, () => items.pop()!)
        assert.deepEqual(yield* list.pop(count), popped)
        assert.deepEqual(yield* list.get(), items)
        yield* Store.put({ id: "s", list: [1, 2, 3] })
        const others = [1, 2, 3]
        const shifted = Array.from({ length: Math.min(single, 3) }, () => others.shift()!)
        assert.deepEqual(yield* list.shift(count), shifted)
        assert.deepEqual(yield* list.get(), others)
      }
      assert.deepEqual(yield* unchanged(list.pop(0)), [])
      yield* list.clear()
      assert.deepEqual(yield* unchanged(list.pop(2)), [])
      assert.deepEqual(yield* unchanged(list.shift(2)), [])
    }))

  test("a pop of several members or entries returns each once, and leaves the others", () =>
    Effect.gen(function*() {
      const { map, record, set } = Store.ref("s")
      const members = [1, 2, 3]
      const entries = members.map((n) => [n, `v${n}`] as const)
      for (const count of counts) {
        yield* Store.put({ id: "s", set: new Set(members), map: new Map(entries), record: { a: 1, b: 2, c: 3 } })
        const size = Math.min(count, 3)
        const popped = yield* set.pop(count)
        assert.lengthOf(popped, size)
        assert.deepEqual(sorted([...popped, ...(yield* set.get())]), members)
        const taken = yield* map.popAny(count)
        assert.lengthOf(taken, size)
        assert.deepEqual(sorted<readonly [number, string]>([...taken, ...(yield* map.get())]), entries)
        const named = yield* record.popAny(count)
        assert.lengthOf(named, size)
        assert.deepEqual({ ...Object.fromEntries(named), ...(yield* record.get()) }, { a: 1, b: 2, c: 3 })
      }
      const none: ReadonlyArray<Operation> = [set.pop(0), map.popAny(0), record.popAny(0)]
      for (const program of none) {
        assert.deepEqual<unknown>(yield* unchanged(program), [])
      }
      yield* Atomic.all([set.clear(), map.clear(), record.clear()])
      for (const program of [set.pop(2), map.popAny(2), record.popAny(2)] as ReadonlyArray<Operation>) {
        assert.deepEqual<unknown>(yield* unchanged(program), [])
      }
    }))

  test("`popMin` and `popMax` with a count return the lowest, the highest members in their order", () =>
    Effect.gen(function*() {
      const { sorted } = Store.ref("s")
      const all = scored(["low", -Infinity], ["a", 1], ["b", 1], ["c", 1.5], ["high", Infinity])
      for (const count of counts) {
        yield* Store.put({ id: "s", sorted: all })
        assert.deepEqual(yield* sorted.popMin(count), all.slice(0, count))
        assert.deepEqual(yield* sorted.get(), all.slice(count))
        yield* Store.put({ id: "s", sorted: all })
        assert.deepEqual(yield* sorted.popMax(count), all.toReversed().slice(0, count))
        assert.deepEqual(yield* sorted.get(), all.slice(0, Math.max(0, 5 - count)))
      }
      yield* Store.put({ id: "s", sorted: all })
      assert.deepEqual(yield* unchanged(sorted.popMin(0)), [])
      yield* sorted.clear()
      assert.deepEqual(yield* unchanged(sorted.popMin(2)), [])
      assert.deepEqual(yield* unchanged(sorted.popMax(2)), [])
    }))

  test("`removeRangeByScore` removes what `rangeByScore` returns, and returns how many", () =>
    Effect.gen(function*() {
      const { sorted } = Store.ref("s")
      const all = scored(["low", -Infinity], ["a", 1], ["b", 1], ["c", 1.5], ["d", 3], ["high", Infinity])
      const bounds = [undefined, -Infinity, 0, 1, 1.25, 3, 9, Infinity]
      for (const min of bounds) {
        for (const max of bounds) {
          if (min === undefined && max === undefined) continue
          yield* Store.put({ id: "s", sorted: all })
          const removed = yield* sorted.rangeByScore({ min, max })
          const range = { min, max } as { readonly min: number; readonly max: number }
          assert.strictEqual(
            yield* removed.length === 0
              ? unchanged(sorted.removeRangeByScore(range))
              : sorted.removeRangeByScore(range),
            removed.length
          )
          assert.deepEqual(
            yield* sorted.get(),
            all.filter(({ member }) => !removed.some((other) => other.member === member))
          )
        }
      }
    }))

  test("`removeRangeByScore` without a bound is refused, because an undefined bound must not remove all", () =>
    Effect.gen(function*() {
      yield* Store.insert({ id: "s", sorted: abc })
      const { sorted } = Store.ref("s")
      for (const range of [{}, { max: undefined }, { min: undefined, max: undefined }, undefined, null]) {
        yield* unchanged(fails(sorted.removeRangeByScore(range as any), "InvalidValue", { field: "sorted" }))
      }
      for (const range of [{ max: NaN }, { min: NaN, max: 1 }, { min: "1" }, { max: null }]) {
        yield* unchanged(fails(sorted.removeRangeByScore(range as any), "InvalidValue", { field: "sorted" }))
      }
    }))

  test("`removeRangeByRank` removes what `range` returns, and returns how many", () =>
    Effect.gen(function*() {
      const { sorted } = Store.ref("s")
      const all = scored(["a", 1], ["b", 1], ["c", 1.5], ["d", 3])
      const positions = [-9, -4, -2, -1, 0, 1, 3, 4, 9]
      for (const reverse of [undefined, false, true]) {
        for (const start of positions) {
          for (const end of [undefined, ...positions]) {
            yield* Store.put({ id: "s", sorted: all })
            const removed = yield* sorted.range(start, end, { reverse })
            const program = sorted.removeRangeByRank(start, end, { reverse })
            assert.strictEqual(yield* removed.length === 0 ? unchanged(program) : program, removed.length)
            assert.deepEqual(
              yield* sorted.get(),
              all.filter(({ member }) => !removed.some((other) => other.member === member))
            )
          }
        }
      }
      for (const position of [NaN, 1.5, Infinity, "1", null]) {
        yield* unchanged(fails(sorted.removeRangeByRank(position as any), "InvalidValue", { field: "sorted" }))
        yield* unchanged(fails(sorted.removeRangeByRank(0, position as any), "InvalidValue", { field: "sorted" }))
      }
    }))

  test("a collection that loses its last elements has no key any more, and can be filled again in the same program", () =>
    Effect.gen(function*() {
      const { list, map, record, set, sorted } = Store.ref("s")
      const full = { list: [1, 2], set: new Set([1, 2]), map: new Map([[1, "a"]]), record: { a: 1 }, sorted: abc }
      const few = yield* Effect.andThen(Store.insert({ id: "s" }), stored)
      const removing = (): ReadonlyArray<Operation> => [
        list.pop(9),
        set.pop(9),
        map.popAny(9),
        record.popAny(9),
        sorted.removeRangeByRank(0)
      ]
      yield* Store.put({ id: "s", ...full })
      yield* Atomic.all(removing())
      assert.deepEqual(yield* stored, few)
      yield* Store.put({ id: "s", ...full })
      yield* Atomic.all([list.shift(9), sorted.popMin(9), sorted.add("z", 1), sorted.removeRangeByScore({ max: 9 })])
      yield* Atomic.all([
        ...removing(),
        list.append(7),
        set.add(7),
        map.put(7, "b"),
        record.put("b", 7),
        sorted.add("b", 7),
        sorted.popMax(1),
        sorted.add("c", 8)
      ])
      const { list: items, map: entries, record: names, set: members, sorted: scores } = yield* Store.get("s")
      assert.deepEqual<ReadonlyArray<unknown>>(
        [items, members, entries, names, scores],
        [[7], new Set([7]), new Map([[7, "b"]]), { b: 7 }, scored(["c", 8])]
      )
    }))

  test("a program that fails after it has removed several elements restores them, in their order", () =>
    Effect.gen(function*() {
      yield* Store.insert({
        id: "s",
        list: [1, 2, 3, 4],
        set: new Set([1, 2, 3]),
        map: new Map([[1, "a"], [2, "b"]]),
        record: { a: 1, b: 2 },
        sorted: scored(["a", -Infinity], ["b", 1 / 3], ["c", 5e-324], ["d", Infinity])
      })
      const { list, map, n, record, set, sorted } = Store.ref("s")
      const refuse = Atomic.guard(n.eq(1), () => "no" as const)
      const programs: ReadonlyArray<Operation> = [
        list.pop(2),
        list.shift(2),
        Atomic.all([list.shift(1), list.pop(2), list.append([8, 9]), list.shift(9)]),
        Atomic.all([list.pop(4), list.append(1)]),
        set.pop(2),
        set.pop(3),
        map.popAny(1),
        map.popAny(2),
        record.popAny(2),
        sorted.popMin(2),
        sorted.popMax(3),
        sorted.popMax(4),
        sorted.removeRangeByScore({ min: 0, max: 1 }),
        sorted.removeRangeByScore({ min: -Infinity }),
        sorted.removeRangeByRank(1, 3, { reverse: true }),
        Atomic.all([sorted.removeRangeByRank(0), sorted.add("a", 1), sorted.popMin(5)])
      ]
      for (const program of programs) {
        assert.strictEqual(yield* unchanged(Effect.flip(Atomic.andThen(program, refuse))), "no")
        yield* unchanged(Atomic.andThen(
          Atomic.when(n.increment(), n.eq(1)),
          Atomic.orElse(Atomic.as(Atomic.andThen(program, refuse), 1), Atomic.succeed(2))
        ))
      }
    }))

  test("removing several elements keeps the lower bound of the schema", () =>
    Effect.gen(function*() {
      yield* Store.insert({ id: "s" })
      const { fewList, fewMap, fewSet, fewSorted } = Store.ref("s")
      const refused: ReadonlyArray<readonly [Operation, string]> = [
        [fewList.pop(2), "minLength"],
        [fewList.shift(9), "minLength"],
        [fewSet.pop(2), "minSize"],
        [fewSet.pop(9), "minSize"],
        [fewMap.popAny(2), "minSize"],
        [fewSorted.popMin(2), "minSize"],
        [fewSorted.popMax(9), "minSize"],
        [fewSorted.removeRangeByRank(1), "minSize"],
        [fewSorted.removeRangeByScore({ max: 2 }), "minSize"]
      ]
      for (const [program, bound] of refused) {
        yield* unchanged(fails(program, "OutOfBounds", { bound: bound as "minSize", limit: 2 }))
      }
      const allowed: ReadonlyArray<Operation> = [
        fewList.pop(1),
        fewSet.pop(1),
        fewMap.popAny(1),
        fewSorted.removeRangeByScore({ min: 3 }),
        fewList.pop(0),
        fewSet.pop(0),
        fewMap.popAny(0),
        fewSorted.popMin(0),
        fewSorted.removeRangeByRank(9)
      ]
      for (const program of allowed) yield* program
      assert.deepEqual(yield* fewSorted.get(), scored(["a", 1], ["b", 2]))
    }))

  test("a count that is no integer of at least 0 is refused", () =>
    Effect.gen(function*() {
      yield* Store.insert({ id: "s", list: [1], set: new Set([1]), record: { a: 1 }, sorted: abc })
      const { list, record, set, sorted } = Store.ref("s")
      for (const count of noCounts) {
        for (
          const program of [
            list.pop(count),
            list.shift(count),
            set.pop(count),
            record.popAny(count),
            sorted.popMin(count),
            sorted.popMax(count)
          ] as ReadonlyArray<Operation>
        ) {
          yield* unchanged(fails(program, "InvalidValue", { model: "RemovalsStore", id: "s" }))
        }
      }
    }))

  test("several that pop at once get each element once", () =>
    Effect.gen(function*() {
      const all = Array.from({ length: 100 }, (_, i) => i)
      yield* Store.insert({
        id: "s",
        list: all,
        set: new Set(all),
        map: new Map(all.map((i) => [i, `v${i}`])),
        sorted: all.map((i) => ({ member: String(i), score: i % 7 }))
      })
      const { list, map, set, sorted: ranking } = Store.ref("s")
      const found = yield* concurrently(Array.from({ length: 20 }, (_, i) =>
        Atomic.all([i % 2 === 0 ? list.pop(7) : list.shift(7), set.pop(7), map.popAny(7), ranking.popMin(7)])))
      const numbers = (values: Iterable<number>) =>
        [...values].sort((a, b) => a - b)
      assert.deepEqual(numbers(found.flatMap(([items]) => [...items])), all)
      assert.deepEqual(numbers(found.flatMap(([, members]) => [...members])), all)
      assert.deepEqual(numbers(found.flatMap(([, , entries]) => entries.map(([i]) => i))), all)
      assert.deepEqual(numbers(found.flatMap(([, , , members]) => members.map(({ member }) => Number(member)))), all)
    }))

  test("thousands of elements are removed and restored", () =>
    Effect.gen(function*() {
      const random = pseudoRandom(3)
      const all = Array.from({ length: 5000 }, (_, i) => i)
      yield* Store.insert({
        id: "s",
        list: all,
        set: new Set(all),
        map: new Map(all.map((i) => [i, `v${i}`])),
        sorted: all.map((i) => ({ member: String(i), score: Math.floor(random() * 100) }))
      })
      const { list, map, n, set, sorted } = Store.ref("s")
      const removing = Atomic.all([
        list.pop(2500),
        list.shift(2000),
        set.pop(4000),
        map.popAny(4500),
        sorted.removeRangeByScore({ min: 10, max: 80 }),
        sorted.popMin(100)
      ])
      const refuse = Atomic.guard(n.eq(1), () => "no" as const)
      assert.strictEqual(yield* unchanged(Effect.flip(Atomic.andThen(removing, refuse))), "no")
      const [popped, shifted, members, entries] = yield* removing
      assert.deepEqual(popped, all.slice(2500).reverse())
      assert.deepEqual(shifted, all.slice(0, 2000))
      assert.deepEqual(yield* list.get(), all.slice(2000, 2500))
      assert.strictEqual(new Set([...members, ...(yield* set.get())]).size, 5000)
      assert.strictEqual(new Map([...entries, ...(yield* map.get())]).size, 5000)
      const raw = yield* RawStore
      assert.deepEqual(yield* raw.listRead(`${key}:list`), all.slice(2000, 2500).map(String))
    }))
}
