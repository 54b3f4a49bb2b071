/** Records and maps: entries by key, bounds of the size, keys and values of every kind, and concurrency. */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Atomic from "redlayer/Atomic"
import type * as Field from "redlayer/Field"
import * as Model from "redlayer/Model"
import { RawStore } from "redlayer/testing"
import * as assert from "../assert.ts"
import { concurrently, equalUnordered, fails, type Operation, stored, unchanged, wrongType } from "../assertions.ts"
import type { Test } from "../suite.ts"
import { hostileTexts } from "../support/collectionModels.ts"

const Page = Model.make("MapsPage", {
  id: Schema.String,
  n: Schema.Int.pipe(Model.withDefault(0)),
  views: Schema.Record(Schema.String, Schema.Int).pipe(Model.withDefault({})),
  positive: Schema.Record(Schema.String, Schema.Int.check(Schema.isGreaterThan(0))).pipe(Model.withDefault({})),
  few: Schema.Record(Schema.String, Schema.Int).check(Schema.isMaxProperties(2)).pipe(Model.withDefault({})),
  some: Schema.Record(Schema.String, Schema.Int).check(Schema.isMinProperties(1)).pipe(Model.withDefault({ a: 1 })),
  fewMap: Schema.ReadonlyMap(Schema.String, Schema.Int).check(Schema.isBetweenSize(1, 2)).pipe(
    Model.withDefault(new Map([["a", 1]]) as ReadonlyMap<string, number>)
  ),
  checked: Schema.Record(Schema.String, Schema.Int).check(Schema.makeFilter((record) => !("no" in record))).pipe(
    Model.withDefault({})
  )
}, { key: "id" })

const key = "MapsPage:{p}"
const otherKeys = { [`${key}:some`]: { a: "1" }, [`${key}:fewMap`]: { a: "1" } }

const Id = Schema.String.pipe(Schema.brand("MapsId"))

const EntryKinds = Model.make("MapsKinds", {
  id: Schema.String,
  floats: Schema.Record(Schema.String, Schema.Number),
  flags: Schema.Record(Schema.String, Schema.Boolean),
  texts: Schema.Record(Schema.String, Schema.String),
  nullable: Schema.Record(Schema.String, Schema.NullOr(Schema.String)),
  lists: Schema.Record(Schema.String, Schema.Array(Schema.Number)),
  structs: Schema.Record(
    Schema.String,
    Schema.Struct({ a: Schema.Struct({ b: Schema.Array(Schema.NullOr(Schema.Int)) }) })
  ),
  anything: Schema.Record(Schema.String, Schema.Json),
  branded: Schema.Record(Id, Schema.Int),
  templates: Schema.Record(Schema.TemplateLiteral(["id-", Schema.String]), Schema.Int),
  byDate: Schema.ReadonlyMap(Schema.Date, Schema.Date),
  byBig: Schema.ReadonlyMap(Schema.BigInt, Schema.BigInt),
  byNumber: Schema.HashMap(Schema.Number, Schema.Uint8Array),
  byStruct: Schema.ReadonlyMap(Schema.Struct({ x: Schema.Int, y: Schema.Int }), Schema.DateTimeUtc),
  byTuple: Schema.HashMap(Schema.Tuple([Schema.String, Schema.Int]), Schema.Struct({ c: Schema.Boolean })),
  byWord: Schema.ReadonlyMap(Schema.Literals(["a", "b"]), Schema.Int)
}, { key: "id" })

const entryKinds = {
  floats: { a: 3.7, b: 1e21, c: NaN, d: -Infinity, e: 0, f: 5e-324 },
  flags: { a: false, b: true },
  texts: { a: "", b: "null", c: "{}", d: "\u{1f600}\u0000" },
  nullable: { a: null, b: "", c: "null" },
  lists: { a: [], b: [0.5, -1, 9007199254740991], c: [1e21] },
  structs: { a: { a: { b: [] } }, b: { a: { b: [null, 1] } } },
  anything: { a: null, b: [], c: {}, d: "", e: "0", f: 0, g: false, h: { a: [{ b: 1 }] } } as Record<
    string,
    Schema.Json
  >,
  branded: { [Id.make("x")]: 1, [Id.make("")]: 2 },
  templates: { "id-": 1, "id-a:{b}": 2 },
  byDate: new Map([[new Date(0), new Date(1)], [new Date(-5), new Date(2)]]),
  byBig: new Map([[2n ** 63n - 1n, -(2n ** 63n)], [0n, 1n]]),
  byNumber: HashMap.make([0.1, new Uint8Array([0, 255])], [Infinity, new Uint8Array()]),
  byStruct: new Map([[{ x: 1, y: 2 }, DateTime.makeUnsafe(5)], [{ x: 2, y: 1 }, DateTime.makeUnsafe(-5)]]),
  byTuple: HashMap.make([["a", 1] as const, { c: true }], [["", 0] as const, { c: false }]),
  byWord: new Map([["b", 1], ["a", 2]] as const)
}

type AnyMap = Field.Map<any, any, any, Field.Entry<any>>

const entriesOf = (value: unknown): ReadonlyArray<readonly [any, any]> =>
  value instanceof Map ? [...value] : HashMap.isHashMap(value) ? [...value] : Object.entries(value as object)

export const maps = (test: Test): void => {
  test("every operation does what an object does", () =>
    Effect.gen(function*() {
      yield* Page.insert({ id: "p" })
      const { views } = Page.ref("p")
      yield* unchanged(Effect.gen(function*() {
        assert.deepEqual(yield* views.get(), {})
        assert.strictEqual(yield* views.size(), 0)
        assert.deepEqual(yield* views.keys(), [])
        assert.isFalse(yield* views.has("a"))
        assert.isFalse(yield* views.remove("a"))
        assert.strictEqual(yield* views.removeAll(["a", "b"]), 0)
        assert.strictEqual(yield* views.removeAll([]), 0)
        assert.deepEqual(yield* views.pop("a"), Option.none())
        assert.deepEqual(yield* views.popAny(), Option.none())
        yield* views.clear()
        yield* views.putAll({})
      }))
      yield* views.put("a", 1)
      yield* views.put("b", 2)
      yield* views.put("a", 3)
      assert.deepEqual(yield* views.get(), { a: 3, b: 2 })
      yield* views.putAll({ c: 4, a: 5 })
      assert.deepEqual(yield* views.get(), { a: 5, b: 2, c: 4 })
      assert.strictEqual(yield* views.size(), 3)
      assert.sameMembers([...(yield* views.keys())], ["a", "b", "c"])
      assert.isTrue(yield* views.has("c"))
      assert.isTrue(yield* views.remove("b"))
      assert.isFalse(yield* unchanged(views.remove("b")))
      assert.deepEqual(yield* views.pop("a"), Option.some(5))
      assert.deepEqual(yield* unchanged(views.pop("a")), Option.none())
      assert.deepEqual(yield* views.popAny(), Option.some(["c", 4] as const))
      assert.deepEqual(yield* views.popAny(), Option.none())
      assert.deepEqual(yield* stored, { [key]: { n: "0" }, ...otherKeys })
      yield* views.set({ x: 1, y: 2 })
      yield* views.set({ y: 3, z: 4 })
      assert.deepEqual((yield* Page.get("p")).views, { y: 3, z: 4 })
      assert.strictEqual(yield* views.removeAll(["y", "q", "y"]), 1)
      yield* views.clear()
      assert.deepEqual(yield* stored, { [key]: { n: "0" }, ...otherKeys })
      yield* views.set({})
      assert.deepEqual(yield* views.get(), {})
    }))

  test("in one program each operation sees the operations before it", () =>
    Effect.gen(function*() {
      yield* Page.insert({ id: "p", views: { a: 1, b: 2 } })
      const { views } = Page.ref("p")
      assert.deepEqual(
        yield* Atomic.all([
          views.clear(),
          views.size(),
          views.put("c", 3),
          views.has("a"),
          views.has("c"),
          views.get(),
          views.at("c").increment(),
          views.at("d").increment(5),
          views.pop("c"),
          views.pop("c"),
          views.keys(),
          views.popAny(),
          views.popAny(),
          views.putAll({ x: 1, y: 2 }),
          views.removeAll(["x", "q"]),
          views.at("y").getAndSet(7),
          views.get(),
          views.set({ z: 9 }),
          views.get(),
          views.clear(),
          views.at("z").get(),
          views.at("z").setIfAbsent(4),
          views.size(),
          Page.pick("p", ["views"])
        ]),
        [
          undefined,
          0,
          undefined,
          false,
          true,
          { c: 3 },
          4,
          5,
          Option.some(4),
          Option.none(),
          ["d"],
          Option.some(["d", 5] as const),
          Option.none(),
          undefined,
          1,
          Option.some(2),
          { y: 7 },
          undefined,
          { z: 9 },
          undefined,
          Option.none(),
          true,
          1,
          { views: { z: 4 } }
        ]
      )
      assert.deepEqual((yield* Page.get("p")).views, { z: 4 })
    }))

  test("the undo of a program restores a cleared map, the last popped entry and later changes", () =>
    Effect.gen(function*() {
      yield* Page.insert({ id: "p", views: { a: 1 } })
      const { n, views } = Page.ref("p")
      yield* unchanged(Effect.gen(function*() {
        for (
          const writes of [
            views.pop("a"),
            views.popAny(),
            Atomic.all([views.pop("a"), views.put("b", 1)]),
            Atomic.all([views.clear(), views.putAll({ a: 2, b: 3 })]),
            Atomic.all([views.remove("a"), views.at("a").increment(), views.at("a").clear()]),
            Atomic.all([views.set({ x: 1 }), views.at("x").increment(), views.clear()]),
            Atomic.all([views.at("a").increment(), views.at("b").set(1), Page.delete("p")])
          ] as ReadonlyArray<Operation>
        ) {
          const error = yield* Effect.flip(Atomic.all([writes, n.divide(0)]))
          assert.oneOf(error._tag, ["ArithmeticError", "EntityNotFound"])
        }
      }))
    }))

  test("keys and values of every kind are read back unchanged, and `pop` returns exactly the value and removes it", () =>
    Effect.gen(function*() {
      yield* EntryKinds.insert({ id: "k", ...entryKinds })
      equalUnordered(yield* EntryKinds.get("k"), { id: "k", ...entryKinds })
      for (const [field, value] of Object.entries(entryKinds)) {
        const map = (EntryKinds.ref("k") as unknown as Record<string, AnyMap>)[field]!
        const all = entriesOf(value)
        equalUnordered(yield* map.get(), value, field)
        equalUnordered(new Set(yield* map.keys()), new Set(all.map(([name]) => name)), field)
        assert.strictEqual(yield* map.size(), all.length, field)
        for (const [name, part] of all) {
          assert.isTrue(yield* map.has(name), field)
          assert.deepEqual(yield* map.at(name).get(), Option.some(part), field)
          assert.deepEqual(yield* map.pop(name), Option.some(part), field)
          assert.deepEqual(yield* map.pop(name), Option.none(), field)
          assert.deepEqual(yield* map.at(name).get(), Option.none(), field)
          yield* map.put(name, part)
          assert.deepEqual(yield* map.at(name).getAndSet(part), Option.some(part), field)
          assert.isTrue(yield* map.at(name).compareAndSet(part, part), field)
        }
        equalUnordered(yield* map.get(), value, field)
        const taken: Array<readonly [unknown, unknown]> = []
        for (const _ of all) taken.push(Option.getOrThrow(yield* map.popAny()))
        equalUnordered(new Set(taken), new Set(all.map(([name, part]) => [name, part])), field)
        assert.deepEqual(yield* map.popAny(), Option.none())
        yield* map.putAll(value)
        equalUnordered(yield* map.get(), value, field)
      }
    }))

  test("each key affects only its own entry, whatever it contains, and is decoded to a plain own property", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      yield* Page.insert({ id: "p" })
      const { views } = Page.ref("p")
      for (const [i, name] of hostileTexts.entries()) {
        assert.isFalse(yield* views.has(name))
        assert.strictEqual(yield* views.at(name).increment(i), i)
      }
      const all = yield* views.get()
      assert.strictEqual(Object.getPrototypeOf(all), Object.prototype)
      assert.deepEqual(Object.keys(all).sort(), hostileTexts.slice().sort())
      for (const found of [all, (yield* Page.get("p")).views]) {
        for (const [i, name] of hostileTexts.entries()) {
          assert.deepEqual(Object.getOwnPropertyDescriptor(found, name), {
            value: i,
            configurable: true,
            enumerable: true,
            writable: true
          })
        }
      }
      assert.sameMembers([...(yield* views.keys())], [...hostileTexts])
      assert.isUndefined(({} as any).polluted)
      // all keys at once, as a whole map and as a part of one
      yield* views.clear()
      yield* views.putAll(all)
      assert.strictEqual(yield* views.size(), hostileTexts.length)
      yield* Page.put({ id: "p", views: all })
      yield* views.set(all)
      assert.deepEqual(Object.keys((yield* raw.dump)[`${key}:views`]!.content).sort(), hostileTexts.slice().sort())
      for (const [i, name] of hostileTexts.entries()) {
        assert.deepEqual(yield* views.pop(name), Option.some(i))
        assert.strictEqual(yield* views.size(), hostileTexts.length - i - 1)
      }
      for (const bad of ["\ud800", "a\udc00", 1, null, undefined, {}] as ReadonlyArray<any>) {
        yield* unchanged(Effect.gen(function*() {
          const programs: ReadonlyArray<Operation> = [
            views.put(bad, 1),
            views.has(bad),
            views.remove(bad),
            views.removeAll(["a", bad]),
            views.pop(bad),
            views.at(bad).get(),
            views.at(bad).set(1),
            views.at(bad).increment(),
            views.at(bad).clear(),
            Atomic.all([views.put("a", 1), views.put(bad, 1)])
          ]
          for (const program of programs) {
            yield* fails(program, "InvalidValue", { model: "MapsPage", id: "p", field: "views" })
          }
        }))
      }
    }))

  test("an invalid value, or a key that the schema does not have, is refused, and nothing is written", () =>
    Effect.gen(function*() {
      yield* Page.insert({ id: "p", views: { a: 1 } })
      yield* EntryKinds.insert({ id: "k", ...entryKinds })
      const { positive, views } = Page.ref("p")
      const { byWord, templates } = EntryKinds.ref("k")
      yield* unchanged(Effect.gen(function*() {
        for (const bad of [1.5, "1", null, undefined, NaN, 2 ** 53] as ReadonlyArray<any>) {
          for (
            const program of [
              views.put("a", bad),
              views.putAll({ b: 1, a: bad }),
              views.set({ a: bad }),
              views.at("a").set(bad),
              views.at("a").setIfAbsent(bad),
              views.at("a").getAndSet(bad),
              views.at("a").compareAndSet(1, bad),
              views.at("a").compareAndSet(bad, 1),
              Page.update("p", { views: { a: bad } })
            ] as ReadonlyArray<Operation>
          ) {
            const { field } = yield* fails(program, "InvalidValue", { model: "MapsPage", id: "p" })
            assert.match(field, /^views(\.a)?$/)
          }
        }
        for (const bad of ["ab", ["a"], null, undefined, 5] as ReadonlyArray<any>) {
          yield* fails(views.set(bad), "InvalidValue", { field: "views" })
          yield* fails(views.putAll(bad), "InvalidValue", { field: "views" })
          yield* fails(byWord.set(bad), "InvalidValue", { field: "byWord" })
        }
        yield* fails(positive.put("a", 0), "InvalidValue", { field: "positive" })
        yield* fails(positive.at("a").set(-1), "InvalidValue", { field: "positive" })
        yield* fails(templates.put("x" as "id-", 1), "InvalidValue", { field: "templates" })
        yield* fails(templates.at("x" as "id-").increment(), "InvalidValue", { field: "templates" })
        yield* fails(byWord.put("c" as "a", 1), "InvalidValue", { field: "byWord" })
        yield* fails(byWord.at("c" as "a").get(), "InvalidValue", { field: "byWord" })
      }))
      // two keys with the same encoding would be one entry
      const { byStruct } = EntryKinds.ref("k")
      const at = DateTime.makeUnsafe(1)
      const twice = new Map([[{ x: 1, y: 2 }, at], [{ y: 2, x: 1 }, at]])
      yield* unchanged(fails(byStruct.set(twice), "InvalidValue", { field: "byStruct" }))
    }))

  test("size bounds of the schema apply to every operation, including those of entry handles", () =>
    Effect.gen(function*() {
      yield* Page.insert({ id: "p" })
      const { few, fewMap, some } = Page.ref("p")
      const error = { model: "MapsPage", id: "p" }
      yield* few.putAll({ a: 1, b: 2 })
      yield* unchanged(Effect.gen(function*() {
        const tooMany = { ...error, field: "few", bound: "maxSize", limit: 2 } as const
        yield* fails(few.put("c", 1), "OutOfBounds", tooMany)
        yield* fails(few.putAll({ a: 5, c: 1 }), "OutOfBounds", tooMany)
        yield* fails(few.at("c").set(1), "OutOfBounds", tooMany)
        yield* fails(few.at("c").setIfAbsent(1), "OutOfBounds", tooMany)
        yield* fails(few.at("c").getAndSet(1), "OutOfBounds", tooMany)
        yield* fails(few.at("c").increment(), "OutOfBounds", tooMany)
        yield* fails(few.at("c").multiply(2, { initial: 1 }), "OutOfBounds", tooMany)
        yield* fails(few.set({ a: 1, b: 2, c: 3 }), "InvalidValue", { ...error, field: "few" })
        yield* fails(Page.update("p", { few: { a: 1, b: 2, c: 3 } }), "InvalidValue", { field: "few" })
        yield* fails(fewMap.putAll(new Map([["b", 1], ["c", 2]])), "OutOfBounds", {
          field: "fewMap",
          bound: "maxSize",
          limit: 2
        })
      }))
      yield* few.putAll({ b: 3, a: 4 })
      assert.strictEqual(yield* few.at("a").increment(), 5)
      assert.deepEqual(yield* Atomic.all([few.pop("a"), few.at("c").increment(), few.size()]), [Option.some(5), 1, 2])
      yield* unchanged(Effect.gen(function*() {
        const tooFew = { ...error, field: "some", bound: "minSize", limit: 1 } as const
        yield* fails(some.pop("a"), "OutOfBounds", tooFew)
        yield* fails(some.popAny(), "OutOfBounds", tooFew)
        yield* fails(some.remove("a"), "OutOfBounds", tooFew)
        yield* fails(some.removeAll(["a", "b"]), "OutOfBounds", tooFew)
        yield* fails(some.at("a").clear(), "OutOfBounds", tooFew)
        yield* some.at("b").clear()
        assert.deepEqual(yield* some.pop("b"), Option.none())
        yield* fails(some.clear(), "InvalidValue", { ...error, field: "some" })
        yield* fails(some.set({}), "InvalidValue", { ...error, field: "some" })
        yield* fails(fewMap.pop("a"), "OutOfBounds", { field: "fewMap", bound: "minSize", limit: 1 })
        yield* fails(fewMap.at("a").clear(), "OutOfBounds", { field: "fewMap", bound: "minSize", limit: 1 })
        yield* fails(fewMap.clear(), "InvalidValue", { field: "fewMap" })
      }))
      yield* some.put("b", 2)
      assert.deepEqual(yield* some.pop("a"), Option.some(1))
      yield* few.clear()
      const raced = yield* concurrently(
        Array.from({ length: 20 }, (_, i) => Effect.exit(Atomic.commit(few.at(String(i)).increment())))
      )
      assert.strictEqual(raced.filter(({ _tag }) => _tag === "Success").length, 2)
      assert.strictEqual(yield* few.size(), 2)
    }))

  test("a record with a check that only the client can evaluate can only be written as a whole", () =>
    Effect.gen(function*() {
      yield* Page.insert({ id: "p", checked: { a: 1 } })
      const { checked } = Page.ref("p")
      yield* unchanged(Effect.gen(function*() {
        for (
          const program of [
            checked.put("b", 1),
            checked.putAll({ b: 1 }),
            checked.remove("a"),
            checked.removeAll(["a"]),
            checked.pop("a"),
            checked.popAny(),
            checked.at("a").set(2),
            checked.at("a").setIfAbsent(2),
            checked.at("a").compareAndSet(1, 2),
            checked.at("a").getAndSet(2),
            checked.at("a").clear(),
            checked.at("a").increment(),
            checked.at("a").clamp(0, 1, { initial: 0 })
          ] as ReadonlyArray<Operation>
        ) {
          assert.include(
            (yield* fails(program, "InvalidValue", { model: "MapsPage", field: "checked" })).issue,
            "modify"
          )
        }
        yield* fails(checked.set({ no: 1 }), "InvalidValue", { field: "checked" })
      }))
      yield* checked.set({ b: 2 })
      assert.deepEqual(yield* checked.at("b").get(), Option.some(2))
      assert.isTrue(yield* checked.at("b").isSet())
      assert.isTrue(yield* checked.has("b"))
      yield* checked.clear()
      assert.deepEqual(yield* checked.keys(), [])
    }))

  test("maps of ten thousand entries are read and written like small ones", () =>
    Effect.gen(function*() {
      const many = Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`k${i}`, i]))
      yield* Page.insert({ id: "p", views: many })
      const { n, views } = Page.ref("p")
      assert.deepEqual(yield* views.get(), many)
      yield* views.putAll(many)
      yield* unchanged(fails(
        Atomic.all([
          views.removeAll(Object.keys(many)),
          views.set({ a: 1 }),
          views.putAll(many),
          views.clear(),
          n.divide(0)
        ]),
        "ArithmeticError"
      ))
      assert.strictEqual(yield* views.removeAll(Object.keys(many).slice(1)), 9_999)
      assert.deepEqual(yield* views.get(), { k0: 0 })
    }))

  test("an invalid stored entry fails the operations that read it, and stays", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      yield* Page.insert({ id: "p", views: { a: 1 } })
      yield* raw.hashSet(`${key}:views`, { bad: "x" })
      const { views } = Page.ref("p")
      const details = { model: "MapsPage", id: "p", key: `${key}:views`, field: "views" }
      yield* unchanged(Effect.gen(function*() {
        yield* wrongType(views.get(), details)
        for (const program of [views.at("bad").get(), views.at("bad").increment(), views.at("bad").getAndSet(5)]) {
          yield* wrongType(program as Operation, details)
        }
        assert.isTrue(yield* views.has("bad"))
        assert.isTrue(yield* views.at("bad").isSet())
        assert.isFalse(yield* views.at("bad").compareAndSet(1, 2))
        assert.isFalse(yield* views.at("bad").setIfAbsent(1))
        assert.deepEqual(yield* views.at("a").get(), Option.some(1))
        yield* fails(Page.get("p"), "EntityCorrupted", { id: "p", key, field: "views", applied: false })
      }))
      yield* views.at("bad").set(7)
      assert.deepEqual(yield* views.get(), { a: 1, bad: 7 })
      yield* raw.hashSet(`${key}:views`, { bad: "x" })
      yield* wrongType(views.pop("bad"), { ...details, applied: true })
      assert.deepEqual(yield* views.get(), { a: 1 })
      // a stored key that the schema does not have
      yield* EntryKinds.insert({ id: "k", ...entryKinds })
      yield* raw.hashSet("MapsKinds:{k}:byWord", { c: "1" })
      yield* wrongType(EntryKinds.ref("k").byWord.get(), { field: "byWord" })
      yield* wrongType(EntryKinds.ref("k").byWord.keys(), { field: "byWord" })
      yield* fails(EntryKinds.get("k"), "EntityCorrupted", { field: "byWord" })
    }))
}
