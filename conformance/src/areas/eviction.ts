/** Eviction: if the hash of an entity is gone, its leftover collections never become part of another entity. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
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

/** Removes the hash, and leaves collections of every kind. */
const evictHash = Effect.gen(function*() {
  const raw = yield* RawStore
  yield* EveryKind.put(severalMembers)
  yield* raw.delete(everyKindKey)
  assert.isAbove(Object.keys(yield* raw.dump).filter((key) => key.startsWith(`${everyKindKey}:`)).length, 10)
})

const creations = (entity: EveryKindInput): ReadonlyArray<readonly [name: string, create: Operation]> => [
  ["insert", EveryKind.insert(entity)],
  ["put", EveryKind.put(entity)],
  ["getOrInsert", EveryKind.getOrInsert(entity)],
  ["ensure", EveryKind.ensure(entity)],
  ["insert with a life", EveryKind.insert(entity, { timeToLive: "1 hour" })]
]

export const eviction = (test: Test): void => {
  test("every creation of the entity, alone or in a program, removes leftover collections of every kind", () =>
    Effect.gen(function*() {
      for (const entity of [noMembers, oneMember, { ...oneMember, list: [], record: {}, sorted: [] }]) {
        yield* EveryKind.put(entity)
        const fresh = yield* stored
        yield* EveryKind.delete("b")
        for (const [name] of creations(entity)) {
          const create = () => creations(entity).find(([other]) => other === name)![1]
          yield* evictHash
          yield* create()
          assert.deepEqual(yield* stored, fresh, name)
          yield* evictHash
          yield* Atomic.all([EveryKind.exists("b"), create(), EveryKind.exists("b")])
          assert.deepEqual(yield* stored, fresh, name)
          // later operations of the same program work on the new entity
          yield* evictHash
          const { hashSet, list, record, set, sorted } = EveryKind.ref("b")
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
          yield* EveryKind.delete("b")
          assert.deepEqual(yield* stored, {})
        }
      }
    }))

  test("a copy onto an id with leftover collections contains none of them", () =>
    Effect.gen(function*() {
      for (const entity of [noMembers, oneMember]) {
        yield* EveryKind.put({ ...entity, id: "source" })
        for (const inProgram of [false, true]) {
          yield* evictHash
          const copy = EveryKind.duplicate("source", "b")
          if (inProgram) yield* Atomic.all([EveryKind.exists("b"), copy, EveryKind.ref("b").list.length()])
          else yield* copy
          equalUnordered(yield* EveryKind.get("b"), entity)
          const dump = yield* stored
          const of = (id: string) =>
            Object.keys(dump).filter((key) => key.startsWith(`CollectionsBag:{${id}}`)).map((key) =>
              key.replace(`{${id}}`, "")
            )
          assert.deepEqual(of("b"), of("source"))
          yield* EveryKind.delete("b")
        }
        yield* EveryKind.delete("source")
      }
    }))

  test("an evicted entity cannot be copied, and no operation reads or writes its leftover collections", () =>
    Effect.gen(function*() {
      yield* evictHash
      yield* EveryKind.put({ ...severalMembers, id: "other" })
      yield* unchanged(Effect.gen(function*() {
        yield* fails(EveryKind.duplicate("b", "c"), "EntityNotFound", { id: "b" })
        assert.deepEqual(yield* EveryKind.find("b"), Option.none())
        assert.isFalse(yield* EveryKind.exists("b"))
        assert.isFalse(yield* EveryKind.delete("b"))
        for (const [, operation] of everyOperation("b", "other")) {
          yield* fails(operation, "EntityNotFound", { id: "b" })
        }
        const { set } = EveryKind.ref("other")
        yield* fails(set.union(EveryKind.ref("b").set), "EntityNotFound", { id: "b" })
      }))
    }))

  test("an undone creation keeps the leftover collections with their expiries, and the next creation removes them", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      yield* evictHash
      yield* EveryKind.put({ ...oneMember, id: "source" })
      const later = (yield* Clock.currentTimeMillis) + 1_000_000
      for (const [i, key] of Object.keys(yield* raw.dump).entries()) {
        if (key.startsWith(everyKindKey) && i % 2 === 0) yield* raw.expireAt(key, later + i)
      }
      const failing = EveryKind.ref("b").n.divide(0)
      yield* unchanged(Effect.gen(function*() {
        for (
          const [name, create] of [
            ...creations(noMembers),
            ...creations(oneMember),
            ["duplicate", EveryKind.duplicate("source", "b")] as const
          ]
        ) {
          const exit = yield* Effect.exit(Atomic.andThen(create, failing))
          assert.isTrue(Exit.isFailure(exit), name)
          yield* fails(
            Atomic.all([create, EveryKind.ref("b").list.append("x"), EveryKind.ref("b").set.clear(), failing]),
            "ArithmeticError"
          )
          yield* fails(Atomic.all([create, EveryKind.delete("b"), failing]), "EntityNotFound")
        }
      }))
      yield* EveryKind.insert(noMembers)
      equalUnordered(yield* EveryKind.get("b"), noMembers)
      assert.isUndefined(yield* raw.expiresAt(everyKindKey))
      assert.deepEqual(Object.keys(yield* raw.dump).filter((key) => key.startsWith(everyKindKey)), [everyKindKey])
    }))

  test("a leftover key of the wrong type fails the creation and stays", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      const places = {
        list: raw.stringSet(`${everyKindKey}:list`, "x"),
        set: raw.listPush(`${everyKindKey}:set`, "x"),
        record: raw.setAdd(`${everyKindKey}:record`, "x"),
        sorted: raw.hashSet(`${everyKindKey}:sorted`, { x: "x" })
      }
      for (const [field, place] of Object.entries(places)) {
        yield* place
        for (const [name, create] of creations(oneMember)) {
          const details = { id: "b", key: `${everyKindKey}:${field}`, field, applied: false }
          yield* unchanged(
            name === "getOrInsert" ? fails(create, "EntityCorrupted", details) : wrongType(create, details)
          )
        }
        yield* EveryKind.put({ ...oneMember, id: "source" })
        yield* unchanged(
          wrongType(EveryKind.duplicate("source", "b"), { id: "b", key: `${everyKindKey}:${field}`, field })
        )
        yield* EveryKind.delete("source")
        yield* raw.delete(`${everyKindKey}:${field}`)
      }
      yield* EveryKind.insert(oneMember)
      equalUnordered(yield* EveryKind.get("b"), oneMember)
    }))

  test("a key of the wrong type is removed if its entity is deleted or its collection is written empty, and stays until then", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      const failing = EveryKind.ref("b").n.divide(0)
      const places = Effect.gen(function*() {
        const later = (yield* Clock.currentTimeMillis) + 1_000_000
        yield* raw.stringSet(`${everyKindKey}:list`, "x")
        yield* raw.listPush(`${everyKindKey}:set`, "x", "y")
        yield* raw.setAdd(`${everyKindKey}:record`, "x")
        yield* raw.hashSet(`${everyKindKey}:sorted`, { x: "x" })
        for (const field of ["list", "sorted"]) yield* raw.expireAt(`${everyKindKey}:${field}`, later)
      })
      const nothing = Effect.map(stored, (dump) => assert.deepEqual(dump, {}))
      for (const inProgram of [false, true]) {
        yield* EveryKind.insert(noMembers)
        yield* places
        const del = EveryKind.delete("b")
        yield* unchanged(Effect.gen(function*() {
          yield* fails(Atomic.all([del, failing]), "EntityNotFound")
          yield* fails(Atomic.all([del, EveryKind.insert(noMembers), failing]), "ArithmeticError")
          yield* fails(Atomic.all([del, EveryKind.insert(noMembers), del, failing]), "EntityNotFound")
          // the key cannot be replaced by a collection in the same program
          yield* wrongType(Atomic.all([del, EveryKind.insert(oneMember)]), {
            key: `${everyKindKey}:list`,
            field: "list"
          })
          yield* wrongType(Atomic.all([del, EveryKind.insert(noMembers), EveryKind.ref("b").sorted.size()]), {
            key: `${everyKindKey}:sorted`,
            field: "sorted"
          })
        }))
        if (inProgram) {
          assert.deepEqual(yield* Atomic.all([del, EveryKind.find("b"), del]), [true, Option.none(), false])
        } else assert.isTrue(yield* del)
        yield* nothing
        // the same for put, for creation over leftovers, and after an attempt that was undone
        for (
          const [isThere, create] of [
            [true, EveryKind.put(noMembers)],
            [true, Atomic.all([del, EveryKind.insert(noMembers)])],
            [true, Atomic.orElse(Atomic.andThen(del, failing), EveryKind.put(noMembers))],
            ...creations(noMembers).map(([, create]) => [false, create] as const)
          ] as const
        ) {
          if (isThere) yield* EveryKind.insert(noMembers)
          yield* places
          if (inProgram) {
            const program = Atomic.all([EveryKind.exists("b"), create as Operation, EveryKind.get("b")])
            equalUnordered((yield* program)[2], noMembers)
          } else yield* create as Operation
          equalUnordered(yield* EveryKind.get("b"), noMembers)
          assert.deepEqual(Object.keys(yield* raw.dump), [everyKindKey])
          yield* EveryKind.ref("b").list.append("x")
          assert.isTrue(yield* del)
          yield* nothing
        }
        yield* EveryKind.put({ ...noMembers, id: "source" })
        yield* places
        yield* EveryKind.duplicate("source", "b")
        assert.isTrue(yield* del)
        yield* EveryKind.delete("source")
        yield* nothing
      }
    }))

  test("a collection that was evicted alone is empty, and is created again with the expiry of its entity", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      yield* EveryKind.insert(severalMembers, { timeToLive: "1 hour" })
      for (const key of Object.keys(yield* raw.dump)) if (key !== everyKindKey) yield* raw.delete(key)
      const entity = yield* EveryKind.get("b")
      equalUnordered(entity, {
        ...severalMembers,
        ...(({ hashMap, hashSet, list, map, nested, record, set, sorted }) => ({
          hashMap,
          hashSet,
          list,
          map,
          nested,
          record,
          set,
          sorted
        }))(noMembers)
      })
      const { list, nested, record, set, sorted } = EveryKind.ref("b")
      yield* Atomic.all([
        list.append("x"),
        set.add("x"),
        record.put("x", 1),
        sorted.add("x", 1),
        nested.set.add({ x: 1 })
      ])
      const expiry = yield* raw.expiresAt(everyKindKey)
      assert.isDefined(expiry)
      const dump = yield* raw.dump
      assert.strictEqual(Object.keys(dump).length, 6)
      for (const { expiresAt } of Object.values(dump)) assert.strictEqual(expiresAt, expiry)
    }))
}
