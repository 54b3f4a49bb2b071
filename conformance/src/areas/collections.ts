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
import { equalUnordered, fails, type Operation, stored, unchanged, wrongType } from "../assertions.ts"
import type { Test } from "../suite.ts"
import {
  EveryKind,
  type EveryKindInput,
  everyKindKey,
  everyOperation,
  noMembers,
  oneMember,
  severalMembers
} from "../support/collectionModels.ts"

/** The collections, which have a key of their own, each with a Redis type that is wrong for it. */
const wrongTypes = {
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
const prepare = Effect.fnUntraced(function*(entity: EveryKindInput) {
  const raw = yield* RawStore
  yield* EveryKind.put(entity)
  yield* EveryKind.put({ ...severalMembers, id: "other", set: new Set(["b", "z"]) })
  const later = (yield* Clock.currentTimeMillis) + 1_000_000
  yield* raw.expireAt(everyKindKey, later)
  let i = 0
  for (const name of Object.keys(wrongTypes)) yield* raw.expireAt(`${everyKindKey}:${name}`, later + ++i)
})

const startingEntities: { readonly [name: string]: EveryKindInput } = {
  full: severalMembers,
  lean: oneMember,
  bare: noMembers
}

export const collections = (test: Test): void => {
  test("every kind of field is read back as it was written, with the entity and by its handle", () =>
    Effect.gen(function*() {
      for (const base of Object.values(startingEntities)) {
        const given = yield* EveryKind.put(base)
        const found = yield* EveryKind.get("b")
        for (const entity of [given, found]) {
          equalUnordered(entity, { ratio: 0.5, n: 0, ...base })
        }
        equalUnordered(yield* EveryKind.pick("b", ["nested", "sorted", "record"]), {
          nested: base.nested,
          sorted: base.sorted,
          record: base.record
        })
        const ref = EveryKind.ref("b")
        equalUnordered(yield* ref.map.get(), base.map)
        equalUnordered(yield* ref.nested.$.get(), base.nested)
        equalUnordered(yield* ref.nested.set.get(), base.nested.set)
      }
    }))

  test("a collection is stored under its own key, with the Redis type of its kind", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      yield* EveryKind.put(severalMembers)
      const dump = yield* raw.dump
      assert.deepEqual(
        Object.fromEntries(Object.entries(dump).map(([key, { type }]) => [key.slice(everyKindKey.length), type])),
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
      assert.deepEqual(dump[`${everyKindKey}:nested.set`]!.content, ["{\"x\":1}", "{\"x\":2,\"y\":3}"])
      assert.deepEqual(dump[`${everyKindKey}:sorted`]!.content, ["c", "-Infinity", "a", "1", "b", "1"])
      assert.deepEqual(dump[`${everyKindKey}:nested.bigs`]!.content, { a: "1", b: "-9223372036854775808" })
      assert.deepEqual(dump[`${everyKindKey}:nested.waits`]!.content, { a: "1000000000", b: "1" })
      assert.deepEqual(dump[`${everyKindKey}:map`]!.content, { "1": "a", "2": "b" })
      // an empty collection has no key
      yield* EveryKind.put(noMembers)
      assert.deepEqual(Object.keys(yield* raw.dump), [everyKindKey])
      assert.strictEqual(yield* raw.hashGet(everyKindKey, "nullInt"), "null")
      assert.isUndefined(yield* raw.hashGet(everyKindKey, "optInt"))
    }))

  test("every operation on an entity that never existed, or was deleted, fails and creates nothing", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      const missing = Effect.gen(function*() {
        for (const [name, operation] of everyOperation("b")) {
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
      yield* EveryKind.insert(severalMembers)
      yield* EveryKind.delete("b")
      assert.deepEqual(yield* stored, {})
      yield* missing
      assert.deepEqual(yield* stored, {})
      // the hash is deleted and the collections are left
      yield* EveryKind.insert(severalMembers)
      yield* raw.delete(everyKindKey)
      yield* unchanged(missing)
    }))

  for (const [kind, base] of Object.entries({ lean: oneMember, bare: noMembers })) {
    test(`every operation has the same result in a program as alone, first or later: ${kind}`, () =>
      Effect.gen(function*() {
        yield* EveryKind.put({ ...severalMembers, id: "other", set: new Set(["b", "z"]) })
        for (const [name, operation] of everyOperation("b", "other")) {
          yield* EveryKind.put(base)
          const alone = yield* Effect.exit(operation)
          const left = yield* stored
          yield* EveryKind.put(base)
          const first = yield* Effect.exit(Atomic.all([operation, EveryKind.exists("b")]))
          assert.deepEqual(yield* stored, left, name)
          yield* EveryKind.put(base)
          const second = yield* Effect.exit(Atomic.all([EveryKind.exists("b"), operation]))
          assert.deepEqual(yield* stored, left, name)
          if (Exit.isSuccess(alone)) {
            equalUnordered(Exit.isSuccess(first) && first.value[0], alone.value, name)
            equalUnordered(Exit.isSuccess(second) && second.value[1], alone.value, name)
          } else {
            const error = yield* Effect.flip(alone)
            assert.strictEqual(error._tag, "IndexOutOfRange", name)
            assert.deepEqual(yield* Effect.flip(first), error, name)
            assert.deepEqual(yield* Effect.flip(second), error, name)
          }
        }
      }))
  }

  for (const [kind, base] of Object.entries(startingEntities)) {
    test(`every operation is undone with its program, once and twice: ${kind}`, () =>
      Effect.gen(function*() {
        const raw = yield* RawStore
        yield* prepare(base)
        const before = yield* raw.dump
        const failing = EveryKind.ref("b").n.divide(0)
        const operations = everyOperation("b", "other")
        for (const [name, operation] of operations) {
          const error = yield* Effect.flip(Atomic.andThen(operation, failing))
          assert.oneOf(error._tag, ["ArithmeticError", "IndexOutOfRange"], name)
          assert.deepEqual(yield* raw.dump, before, name)
        }
        // every operation, each after some other operations
        const { list, nested, record, set, sorted } = EveryKind.ref("b")
        const others = [
          Atomic.all([list.clear(), set.clear(), record.clear(), sorted.clear(), nested.set.clear()]),
          Atomic.all([list.append("z"), set.add("z"), record.put("z", 1), sorted.add("z", 1), list.insert(0, "y")]),
          Atomic.all([
            list.set(["q"]),
            set.set(new Set("q")),
            record.set({ q: 1 }),
            sorted.set([{ member: "q", score: 1 }])
          ]),
          EveryKind.put(severalMembers),
          Atomic.andThen(EveryKind.delete("b"), EveryKind.insert(base)),
          Atomic.all([EveryKind.delete("other"), EveryKind.duplicate("b", "other")])
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
      const { n } = EveryKind.ref("b")
      for (const [field, type] of Object.entries(wrongTypes)) {
        yield* EveryKind.put(severalMembers)
        yield* EveryKind.put({ ...severalMembers, id: "other" })
        const key = `${everyKindKey}:${field}`
        yield* storeAs(type, key)
        const operations = everyOperation("b", "other").filter(([name]) => {
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
            const program of [
              EveryKind.get("b"),
              EveryKind.find("b"),
              EveryKind.pick("b", [name]),
              EveryKind.getOrInsert(oneMember)
            ] as const
          ) {
            const error = yield* fails(program as Operation, "EntityCorrupted", corrupted)
            assert.isNotEmpty(error.issue)
            yield* fails(Atomic.all([n.increment(), program]) as Operation, "EntityCorrupted", corrupted)
          }
          const [one] = yield* EveryKind.getMany(["b"])
          assert.strictEqual(Result.isFailure(one!) && one.failure._tag === "EntityCorrupted" && one.failure.key, key)
          yield* wrongType(EveryKind.duplicate("b", "copy"), corrupted)
          assert.isTrue(yield* EveryKind.exists("b"))
          assert.strictEqual(yield* n.get(), 1)
        }))
        yield* raw.delete(key)
      }
    }))

  test("if the second set of a set operation is missing or has the wrong type, the error names that set", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      yield* EveryKind.put(severalMembers)
      const { set } = EveryKind.ref("b")
      const other = EveryKind.ref("other").set
      const all = () => [set.union(other), set.intersection(other), set.difference(other)]
      for (const operation of all()) {
        yield* fails(operation, "EntityNotFound", { model: "CollectionsBag", id: "other" })
        yield* fails(Atomic.all([set.size(), operation]), "EntityNotFound", { id: "other" })
        yield* fails(
          Atomic.all([EveryKind.put({ ...severalMembers, id: "other" }), EveryKind.delete("other"), operation]),
          "EntityNotFound",
          {
            id: "other"
          }
        )
      }
      yield* EveryKind.put({ ...severalMembers, id: "other" })
      yield* storeAs("list", "CollectionsBag:{other}:set")
      for (const operation of all()) {
        yield* wrongType(operation, { id: "other", key: "CollectionsBag:{other}:set", field: "set" })
      }
      yield* raw.delete("CollectionsBag:{other}")
      yield* raw.stringSet("CollectionsBag:{other}", "x")
      for (const operation of all()) {
        yield* wrongType(operation, { id: "other", key: "CollectionsBag:{other}", field: "" })
      }
      yield* raw.delete(everyKindKey)
      // if both entities are missing, the error names the first
      for (const operation of all()) yield* fails(operation, "EntityNotFound", { id: "b" })
    }))

  test("every operation on an entity whose hash key has the wrong type fails with WrongType", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      yield* raw.stringSet(everyKindKey, "x")
      yield* unchanged(Effect.gen(function*() {
        for (const [name, operation] of everyOperation("b")) {
          if (/whole.(get|pick)|nested.get/.test(name)) {
            yield* fails(operation, "EntityCorrupted", { key: everyKindKey, field: "" })
          } else yield* wrongType(operation, { model: "CollectionsBag", id: "b", key: everyKindKey, field: "" })
        }
      }))
    }))

  test("an id that cannot be encoded refuses every operation at commit", () =>
    Effect.gen(function*() {
      yield* EveryKind.put(severalMembers)
      for (const id of ["", "\ud800", "x".repeat(2000), 5, undefined, null] as ReadonlyArray<any>) {
        for (const [, operation] of everyOperation(id, "b")) {
          yield* fails(operation, "InvalidValue", { model: "CollectionsBag", field: "id" })
        }
        const { set } = EveryKind.ref("b")
        for (const operation of [set.union, set.intersection, set.difference]) {
          yield* fails(operation.call(set, EveryKind.ref(id).set), "InvalidValue", { field: "id" })
        }
        yield* fails(EveryKind.duplicate("b", id), "InvalidValue", { field: "id" })
      }
    }))
}
