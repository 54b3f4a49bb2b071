/** Eviction: if the hash of an entity is gone, its leftover collections never become part of another entity. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Atomic from "redlayer/Atomic"
import { RawStore } from "redlayer/testing"
import * as assert from "../assert.ts"
import { fails, type Operation, same, stored, unchanged, wrongType } from "../assertions.ts"
import type { Test } from "../suite.ts"
import { Bag, type BagInput, bagKey, bare, everyBagOperation, full, lean } from "../support/collectionModels.ts"

/** Removes the hash, and leaves collections of every kind. */
const evict = Effect.gen(function*() {
  const raw = yield* RawStore
  yield* Bag.put(full)
  yield* raw.delete(bagKey)
  assert.isAbove(Object.keys(yield* raw.dump).filter((key) => key.startsWith(`${bagKey}:`)).length, 10)
})

const creations = (entity: BagInput): ReadonlyArray<readonly [name: string, create: Operation]> => [
  ["insert", Bag.insert(entity)],
  ["put", Bag.put(entity)],
  ["getOrInsert", Bag.getOrInsert(entity)],
  ["ensure", Bag.ensure(entity)],
  ["insert with a life", Bag.insert(entity, { timeToLive: "1 hour" })]
]

export const eviction = (test: Test): void => {
  test("every creation of the entity, alone or in a program, removes leftover collections of every kind", () =>
    Effect.gen(function*() {
      for (const entity of [bare, lean, { ...lean, list: [], record: {}, sorted: [] }]) {
        yield* Bag.put(entity)
        const fresh = yield* stored
        yield* Bag.delete("b")
        for (const [name] of creations(entity)) {
          const create = () => creations(entity).find(([other]) => other === name)![1]
          yield* evict
          yield* create()
          assert.deepEqual(yield* stored, fresh, name)
          yield* evict
          yield* Atomic.all([Bag.exists("b"), create(), Bag.exists("b")])
          assert.deepEqual(yield* stored, fresh, name)
          // later operations of the same program work on the new entity
          yield* evict
          const { hashSet, list, record, set, sorted } = Bag.ref("b")
          const results = yield* Atomic.all([
            create(),
            list.append("new"),
            set.add("new"),
            hashSet.size(),
            record.at("new").increment(),
            sorted.add("new", 5),
            list.get(),
            set.get(),
            record.get(),
            sorted.get()
          ])
          assert.deepEqual(results.slice(6), [
            [...entity.list, "new"],
            new Set([...entity.set, "new"]),
            { ...entity.record, new: 1 },
            [...entity.sorted, { member: "new", score: 5 }]
          ], name)
          yield* Bag.delete("b")
          assert.deepEqual(yield* stored, {})
        }
      }
    }))

  test("a copy onto an id with leftover collections contains none of them", () =>
    Effect.gen(function*() {
      for (const entity of [bare, lean]) {
        yield* Bag.put({ ...entity, id: "source" })
        for (const inProgram of [false, true]) {
          yield* evict
          const copy = Bag.duplicate("source", "b")
          if (inProgram) yield* Atomic.all([Bag.exists("b"), copy, Bag.ref("b").list.length()])
          else yield* copy
          same(yield* Bag.get("b"), entity)
          const dump = yield* stored
          const of = (id: string) =>
            Object.keys(dump).filter((key) => key.startsWith(`CollectionsBag:{${id}}`)).map((key) =>
              key.replace(`{${id}}`, "")
            )
          assert.deepEqual(of("b"), of("source"))
          yield* Bag.delete("b")
        }
        yield* Bag.delete("source")
      }
    }))

  test("an evicted entity cannot be copied, and no operation reads or writes its leftover collections", () =>
    Effect.gen(function*() {
      yield* evict
      yield* Bag.put({ ...full, id: "other" })
      yield* unchanged(Effect.gen(function*() {
        yield* fails(Bag.duplicate("b", "c"), "EntityNotFound", { id: "b" })
        assert.deepEqual(yield* Bag.find("b"), Option.none())
        assert.isFalse(yield* Bag.exists("b"))
        assert.isFalse(yield* Bag.delete("b"))
        for (const [, operation] of everyBagOperation("b", "other")) {
          yield* fails(operation, "EntityNotFound", { id: "b" })
        }
        const { set } = Bag.ref("other")
        yield* fails(set.union(Bag.ref("b").set), "EntityNotFound", { id: "b" })
      }))
    }))

  test("an undone creation keeps the leftover collections with their expiries, and the next creation removes them", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      yield* evict
      yield* Bag.put({ ...lean, id: "source" })
      const later = (yield* Clock.currentTimeMillis) + 1_000_000
      for (const [i, key] of Object.keys(yield* raw.dump).entries()) {
        if (key.startsWith(bagKey) && i % 2 === 0) yield* raw.expireAt(key, later + i)
      }
      const failing = Bag.ref("b").n.divide(0)
      yield* unchanged(Effect.gen(function*() {
        for (
          const [name, create] of [
            ...creations(bare),
            ...creations(lean),
            ["duplicate", Bag.duplicate("source", "b")] as const
          ]
        ) {
          const exit = yield* Effect.exit(Atomic.andThen(create, failing))
          assert.isTrue(Exit.isFailure(exit), name)
          yield* fails(
            Atomic.all([create, Bag.ref("b").list.append("x"), Bag.ref("b").set.clear(), failing]),
            "ArithmeticError"
          )
          yield* fails(Atomic.all([create, Bag.delete("b"), failing]), "EntityNotFound")
        }
      }))
      yield* Bag.insert(bare)
      same(yield* Bag.get("b"), bare)
      assert.isUndefined(yield* raw.expiresAt(bagKey))
      assert.deepEqual(Object.keys(yield* raw.dump).filter((key) => key.startsWith(bagKey)), [bagKey])
    }))

  test("a leftover key of the wrong type fails the creation and stays", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      const places = {
        list: raw.stringSet(`${bagKey}:list`, "x"),
        set: raw.listPush(`${bagKey}:set`, "x"),
        record: raw.setAdd(`${bagKey}:record`, "x"),
        sorted: raw.hashSet(`${bagKey}:sorted`, { x: "x" })
      }
      for (const [field, place] of Object.entries(places)) {
        yield* place
        for (const [name, create] of creations(lean)) {
          const details = { id: "b", key: `${bagKey}:${field}`, field, applied: false }
          yield* unchanged(
            name === "getOrInsert" ? fails(create, "EntityCorrupted", details) : wrongType(create, details)
          )
        }
        yield* Bag.put({ ...lean, id: "source" })
        yield* unchanged(wrongType(Bag.duplicate("source", "b"), { id: "b", key: `${bagKey}:${field}`, field }))
        yield* Bag.delete("source")
        yield* raw.delete(`${bagKey}:${field}`)
      }
      yield* Bag.insert(lean)
      same(yield* Bag.get("b"), lean)
    }))

  test("a key of the wrong type is removed if its entity is deleted or its collection is written empty, and stays until then", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      const failing = Bag.ref("b").n.divide(0)
      const places = Effect.gen(function*() {
        const later = (yield* Clock.currentTimeMillis) + 1_000_000
        yield* raw.stringSet(`${bagKey}:list`, "x")
        yield* raw.listPush(`${bagKey}:set`, "x", "y")
        yield* raw.setAdd(`${bagKey}:record`, "x")
        yield* raw.hashSet(`${bagKey}:sorted`, { x: "x" })
        for (const field of ["list", "sorted"]) yield* raw.expireAt(`${bagKey}:${field}`, later)
      })
      const nothing = Effect.map(stored, (dump) => assert.deepEqual(dump, {}))
      for (const inProgram of [false, true]) {
        yield* Bag.insert(bare)
        yield* places
        const del = Bag.delete("b")
        yield* unchanged(Effect.gen(function*() {
          yield* fails(Atomic.all([del, failing]), "EntityNotFound")
          yield* fails(Atomic.all([del, Bag.insert(bare), failing]), "ArithmeticError")
          yield* fails(Atomic.all([del, Bag.insert(bare), del, failing]), "EntityNotFound")
          // the key cannot be replaced by a collection in the same program
          yield* wrongType(Atomic.all([del, Bag.insert(lean)]), { key: `${bagKey}:list`, field: "list" })
          yield* wrongType(Atomic.all([del, Bag.insert(bare), Bag.ref("b").sorted.size()]), {
            key: `${bagKey}:sorted`,
            field: "sorted"
          })
        }))
        if (inProgram) assert.deepEqual(yield* Atomic.all([del, Bag.find("b"), del]), [true, Option.none(), false])
        else assert.isTrue(yield* del)
        yield* nothing
        // the same for put, for creation over leftovers, and after an attempt that was undone
        for (
          const [isThere, create] of [
            [true, Bag.put(bare)],
            [true, Atomic.all([del, Bag.insert(bare)])],
            [true, Atomic.orElse(Atomic.andThen(del, failing), Bag.put(bare))],
            ...creations(bare).map(([, create]) => [false, create] as const)
          ] as const
        ) {
          if (isThere) yield* Bag.insert(bare)
          yield* places
          if (inProgram) {
            const program = Atomic.all([Bag.exists("b"), create as Operation, Bag.get("b")])
            same((yield* program)[2], bare)
          } else yield* create as Operation
          same(yield* Bag.get("b"), bare)
          assert.deepEqual(Object.keys(yield* raw.dump), [bagKey])
          yield* Bag.ref("b").list.append("x")
          assert.isTrue(yield* del)
          yield* nothing
        }
        yield* Bag.put({ ...bare, id: "source" })
        yield* places
        yield* Bag.duplicate("source", "b")
        assert.isTrue(yield* del)
        yield* Bag.delete("source")
        yield* nothing
      }
    }))

  test("a collection that was evicted alone is empty, and is created again with the expiry of its entity", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      yield* Bag.insert(full, { timeToLive: "1 hour" })
      for (const key of Object.keys(yield* raw.dump)) if (key !== bagKey) yield* raw.delete(key)
      const entity = yield* Bag.get("b")
      same(entity, {
        ...full,
        ...(({ hashMap, hashSet, list, map, nested, record, set, sorted }) => ({
          hashMap,
          hashSet,
          list,
          map,
          nested,
          record,
          set,
          sorted
        }))(bare)
      })
      const { list, nested, record, set, sorted } = Bag.ref("b")
      yield* Atomic.all([
        list.append("x"),
        set.add("x"),
        record.put("x", 1),
        sorted.add("x", 1),
        nested.set.add({ x: 1 })
      ])
      const expiry = yield* raw.expiresAt(bagKey)
      assert.isDefined(expiry)
      const dump = yield* raw.dump
      assert.strictEqual(Object.keys(dump).length, 6)
      for (const { expiresAt } of Object.values(dump)) assert.strictEqual(expiresAt, expiry)
    }))
}
