/**
 * Rules of every operation on every kind of field: missing entities, programs, undo, and stored keys of the wrong type.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Result from "effect/Result"
import * as Atomic from "redlayer/Atomic"
import { RawStore } from "redlayer/testing"
import * as assert from "../assert.ts"
import { fails, type Operation, same, stored, unchanged, wrongType } from "../assertions.ts"
import type { Test } from "../suite.ts"
import { Bag, type BagInput, bagKey, bare, everyBagOperation, full, lean } from "../support/collectionModels.ts"

/** The collections, which have a key of their own, each with a Redis type that is wrong for it. */
const ownKeys = {
  list: "set",
  set: "list",
  hashSet: "zset",
  record: "list",
  map: "string",
  hashMap: "zset",
  sorted: "set",
  "nested.set": "hash",
  "nested.bigs": "set",
  "nested.waits": "list",
  "nested.sorted": "hash"
} as const

const storeAs = Effect.fnUntraced(function*(type: "list" | "set" | "hash" | "zset" | "string", key: string) {
  const raw = yield* RawStore
  yield* raw.delete(key)
  if (type === "list") yield* raw.listPush(key, "1")
  else if (type === "set") yield* raw.setAdd(key, "1")
  else if (type === "hash") yield* raw.hashSet(key, { a: "1" })
  else if (type === "zset") yield* raw.sortedAdd(key, "1", "1")
  else yield* raw.stringSet(key, "1")
})

/** Entities `b` and `c` with different expiries. */
const prepare = Effect.fnUntraced(function*(entity: BagInput) {
  const raw = yield* RawStore
  yield* Bag.put(entity)
  yield* Bag.put({ ...full, id: "other", set: new Set(["b", "z"]) })
  const later = (yield* Clock.currentTimeMillis) + 1_000_000
  yield* raw.expireAt(bagKey, later)
  let i = 0
  for (const name of Object.keys(ownKeys)) yield* raw.expireAt(`${bagKey}:${name}`, later + ++i)
})

const bases: { readonly [name: string]: BagInput } = { full, lean, bare }

export const collections = (test: Test): void => {
  test("every kind of field is read back as it was written, with the entity and by its handle", () =>
    Effect.gen(function*() {
      for (const base of Object.values(bases)) {
        const given = yield* Bag.put(base)
        const found = yield* Bag.get("b")
        for (const entity of [given, found]) {
          same(entity, { ratio: 0.5, n: 0, ...base })
        }
        same(yield* Bag.pick("b", ["nested", "sorted", "record"]), {
          nested: base.nested,
          sorted: base.sorted,
          record: base.record
        })
        const ref = Bag.ref("b")
        same(yield* ref.map.get(), base.map)
        same(yield* ref.nested.$.get(), base.nested)
        same(yield* ref.nested.set.get(), base.nested.set)
      }
    }))

  test("a collection is stored under its own key, with the Redis type of its kind", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      yield* Bag.put(full)
      const dump = yield* raw.dump
      assert.deepEqual(
        Object.fromEntries(Object.entries(dump).map(([key, { type }]) => [key.slice(bagKey.length), type])),
        {
          "": "hash",
          ":list": "list",
          ":set": "set",
          ":hashSet": "set",
          ":record": "hash",
          ":map": "hash",
          ":hashMap": "hash",
          ":sorted": "zset",
          ":nested.set": "set",
          ":nested.bigs": "hash",
          ":nested.waits": "hash",
          ":nested.sorted": "zset"
        }
      )
      assert.deepEqual(dump[`${bagKey}:nested.set`]!.content, ["{\"x\":1}", "{\"x\":2,\"y\":3}"])
      assert.deepEqual(dump[`${bagKey}:sorted`]!.content, ["c", "-Infinity", "a", "1", "b", "1"])
      assert.deepEqual(dump[`${bagKey}:nested.bigs`]!.content, { a: "1", b: "-9223372036854775808" })
      assert.deepEqual(dump[`${bagKey}:nested.waits`]!.content, { a: "1000000000", b: "1" })
      assert.deepEqual(dump[`${bagKey}:map`]!.content, { "1": "a", "2": "b" })
      // an empty collection has no key
      yield* Bag.put(bare)
      assert.deepEqual(Object.keys(yield* raw.dump), [bagKey])
      assert.strictEqual(yield* raw.hashGet(bagKey, "nullInt"), "null")
      assert.isUndefined(yield* raw.hashGet(bagKey, "optInt"))
    }))

  test("every operation on an entity that never existed, or was deleted, fails and creates nothing", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      const missing = Effect.gen(function*() {
        for (const [name, operation] of everyBagOperation("b")) {
          assert.deepInclude({ ...(yield* Effect.flip(operation)), name }, {
            _tag: "EntityNotFound",
            model: "CollectionsBag",
            id: "b",
            name
          })
        }
      })
      yield* missing
      assert.deepEqual(yield* stored, {})
      yield* Bag.insert(full)
      yield* Bag.delete("b")
      assert.deepEqual(yield* stored, {})
      yield* missing
      assert.deepEqual(yield* stored, {})
      // the hash is deleted and the collections are left
      yield* Bag.insert(full)
      yield* raw.delete(bagKey)
      yield* unchanged(missing)
    }))

  for (const [kind, base] of Object.entries({ lean, bare })) {
    test(`every operation has the same result in a program as alone, first or later: ${kind}`, () =>
      Effect.gen(function*() {
        yield* Bag.put({ ...full, id: "other", set: new Set(["b", "z"]) })
        for (const [name, operation] of everyBagOperation("b", "other")) {
          yield* Bag.put(base)
          const alone = yield* Effect.exit(operation)
          const left = yield* stored
          yield* Bag.put(base)
          const first = yield* Effect.exit(Atomic.all([operation, Bag.exists("b")]))
          assert.deepEqual(yield* stored, left, name)
          yield* Bag.put(base)
          const second = yield* Effect.exit(Atomic.all([Bag.exists("b"), operation]))
          assert.deepEqual(yield* stored, left, name)
          if (Exit.isSuccess(alone)) {
            same(Exit.isSuccess(first) && first.value[0], alone.value, name)
            same(Exit.isSuccess(second) && second.value[1], alone.value, name)
          } else {
            const error = yield* Effect.flip(alone)
            assert.strictEqual(error._tag, "IndexOutOfRange", name)
            assert.deepEqual(yield* Effect.flip(first), error, name)
            assert.deepEqual(yield* Effect.flip(second), error, name)
          }
        }
      }))
  }

  for (const [kind, base] of Object.entries(bases)) {
    test(`every operation is undone with its program, once and twice: ${kind}`, () =>
      Effect.gen(function*() {
        const raw = yield* RawStore
        yield* prepare(base)
        const before = yield* raw.dump
        const failing = Bag.ref("b").n.divide(0)
        const operations = everyBagOperation("b", "other")
        for (const [name, operation] of operations) {
          const error = yield* Effect.flip(Atomic.andThen(operation, failing))
          assert.oneOf(error._tag, ["ArithmeticError", "IndexOutOfRange"], name)
          assert.deepEqual(yield* raw.dump, before, name)
        }
        // every operation, each after some other operations
        const { list, nested, record, set, sorted } = Bag.ref("b")
        const others = [
          Atomic.all([list.clear(), set.clear(), record.clear(), sorted.clear(), nested.set.clear()]),
          Atomic.all([list.append("z"), set.add("z"), record.put("z", 1), sorted.add("z", 1), list.insert(0, "y")]),
          Atomic.all([
            list.set(["q"]),
            set.set(new Set("q")),
            record.set({ q: 1 }),
            sorted.set([{ member: "q", score: 1 }])
          ]),
          Bag.put(full),
          Atomic.andThen(Bag.delete("b"), Bag.insert(base)),
          Atomic.all([Bag.delete("other"), Bag.duplicate("b", "other")])
        ]
        for (const [i, other] of others.entries()) {
          for (const [j, [name, operation]] of operations.entries()) {
            yield* Effect.flip(Atomic.all([other, operation, failing]))
            yield* Effect.flip(Atomic.all([operation, other, failing]))
            if (j % 8 === 0) {
              assert.deepEqual(yield* raw.dump, before, `${i} and ${name}`)
            }
          }
          assert.deepEqual(yield* raw.dump, before, String(i))
        }
      }))
  }

  test("every operation on a key of the wrong type fails with WrongType and leaves the key as it is", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      const { n } = Bag.ref("b")
      for (const [field, type] of Object.entries(ownKeys)) {
        yield* Bag.put(full)
        yield* Bag.put({ ...full, id: "other" })
        const key = `${bagKey}:${field}`
        yield* storeAs(type, key)
        const operations = everyBagOperation("b", "other").filter(([name]) => {
          const [top, part] = name.split(/[. ]/)
          return field.includes(".") ? `${top}.${part}` === field : top === field
        })
        assert.isAbove(operations.length, 1, field)
        yield* unchanged(Effect.gen(function*() {
          for (const [name, operation] of operations) {
            const details = { model: "CollectionsBag", id: "b", key, field }
            yield* wrongType(operation, details).pipe(Effect.catchDefect((defect) => Effect.die(`${name}: ${defect}`)))
            yield* wrongType(Atomic.all([n.increment(), operation]), details)
          }
          const corrupted = { model: "CollectionsBag", id: "b", key, field, applied: false }
          const name = field.split(".")[0] as "list" | "nested"
          for (
            const program of [Bag.get("b"), Bag.find("b"), Bag.pick("b", [name]), Bag.getOrInsert(lean)] as const
          ) {
            const error = yield* fails(program as Operation, "EntityCorrupted", corrupted)
            assert.isNotEmpty(error.issue)
            yield* fails(Atomic.all([n.increment(), program]) as Operation, "EntityCorrupted", corrupted)
          }
          const [one] = yield* Bag.getMany(["b"])
          assert.strictEqual(Result.isFailure(one!) && one.failure._tag === "EntityCorrupted" && one.failure.key, key)
          yield* wrongType(Bag.duplicate("b", "copy"), corrupted)
          assert.isTrue(yield* Bag.exists("b"))
          assert.strictEqual(yield* n.get(), 1)
        }))
        yield* raw.delete(key)
      }
    }))

  test("if the second set of a set operation is missing or has the wrong type, the error names that set", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      yield* Bag.put(full)
      const { set } = Bag.ref("b")
      const other = Bag.ref("other").set
      const all = () => [set.union(other), set.intersection(other), set.difference(other)]
      for (const operation of all()) {
        yield* fails(operation, "EntityNotFound", { model: "CollectionsBag", id: "other" })
        yield* fails(Atomic.all([set.size(), operation]), "EntityNotFound", { id: "other" })
        yield* fails(
          Atomic.all([Bag.put({ ...full, id: "other" }), Bag.delete("other"), operation]),
          "EntityNotFound",
          {
            id: "other"
          }
        )
      }
      yield* Bag.put({ ...full, id: "other" })
      yield* storeAs("list", "CollectionsBag:{other}:set")
      for (const operation of all()) {
        yield* wrongType(operation, { id: "other", key: "CollectionsBag:{other}:set", field: "set" })
      }
      yield* raw.delete("CollectionsBag:{other}")
      yield* raw.stringSet("CollectionsBag:{other}", "x")
      for (const operation of all()) {
        yield* wrongType(operation, { id: "other", key: "CollectionsBag:{other}", field: "" })
      }
      yield* raw.delete(bagKey)
      // if both entities are missing, the error names the first
      for (const operation of all()) yield* fails(operation, "EntityNotFound", { id: "b" })
    }))

  test("every operation on an entity whose hash key has the wrong type fails with WrongType", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      yield* raw.stringSet(bagKey, "x")
      yield* unchanged(Effect.gen(function*() {
        for (const [name, operation] of everyBagOperation("b")) {
          if (/whole.(get|pick)|nested.get/.test(name)) {
            yield* fails(operation, "EntityCorrupted", { key: bagKey, field: "" })
          } else yield* wrongType(operation, { model: "CollectionsBag", id: "b", key: bagKey, field: "" })
        }
      }))
    }))

  test("an id that cannot be encoded refuses every operation at commit", () =>
    Effect.gen(function*() {
      yield* Bag.put(full)
      for (const id of ["", "\ud800", "x".repeat(2000), 5, undefined, null] as ReadonlyArray<any>) {
        for (const [, operation] of everyBagOperation(id, "b")) {
          yield* fails(operation, "InvalidValue", { model: "CollectionsBag", field: "id" })
        }
        const { set } = Bag.ref("b")
        for (const operation of [set.union, set.intersection, set.difference]) {
          yield* fails(operation.call(set, Bag.ref(id).set), "InvalidValue", { field: "id" })
        }
        yield* fails(Bag.duplicate("b", id), "InvalidValue", { field: "id" })
      }
    }))
}
