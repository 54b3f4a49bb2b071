/** Creation and copies: `getOrInsert`, `ensure`, `duplicate`, and `pick`, which reads some of the fields. */
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Atomic from "redlayer/Atomic"
import * as Model from "redlayer/Model"
import { RawStore } from "redlayer/testing"
import * as assert from "../assert.ts"
import { concurrently, equalUnordered, fails, type Operation, stored, unchanged, wrongType } from "../assertions.ts"
import type { Test } from "../suite.ts"
import { EveryKind, everyKindKey, noMembers, oneMember, severalMembers } from "../support/collectionModels.ts"
import { Note, note, noteKey } from "../support/entityModels.ts"

class Citizen extends Model.Class<Citizen>("CreationCitizen")({
  name: Schema.String,
  level: Schema.Int.pipe(Model.withDefault(1)),
  born: Schema.DateTimeUtc,
  home: Schema.Struct({ city: Schema.String, tags: Schema.ReadonlySet(Schema.String) })
}, { key: "name" }) {
  get shout() {
    return `${this.name}!`
  }
}

const citizen = { name: "h", born: DateTime.makeUnsafe(5), home: { city: "Bern", tags: new Set(["a"]) } }

export const creation = (test: Test): void => {
  test("`getOrInsert` stores a missing entity and returns an existing one", () =>
    Effect.gen(function*() {
      const first = yield* Citizen.getOrInsert(citizen)
      assert.isTrue(first.created)
      assert.instanceOf(first.entity, Citizen)
      assert.strictEqual(first.entity.level, 1)
      const second = yield* unchanged(
        Citizen.getOrInsert({ ...citizen, level: 9, home: { city: "Thun", tags: new Set() } })
      )
      assert.isFalse(second.created)
      assert.instanceOf(second.entity, Citizen)
      assert.strictEqual(second.entity.shout, "h!")
      assert.deepEqual(second.entity, first.entity)
      assert.deepEqual(second.entity, yield* Citizen.get("h"))
      // every kind of field
      const created = yield* EveryKind.getOrInsert(severalMembers)
      equalUnordered(created, { entity: { n: 0, ...severalMembers }, created: true })
      equalUnordered(yield* unchanged(EveryKind.getOrInsert({ ...oneMember, id: "b" })), {
        entity: severalMembers,
        created: false
      })
      equalUnordered(yield* EveryKind.get("b"), severalMembers)
    }))

  test("`ensure` stores a missing entity and neither reads nor writes an existing one", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      assert.isTrue(yield* EveryKind.ensure(severalMembers))
      equalUnordered(yield* EveryKind.get("b"), severalMembers)
      assert.isFalse(yield* unchanged(EveryKind.ensure(oneMember)))
      // even if the stored entity is corrupted
      yield* raw.hashSet(everyKindKey, { n: "abc" })
      yield* raw.delete(`${everyKindKey}:set`)
      yield* raw.stringSet(`${everyKindKey}:set`, "x")
      assert.isFalse(yield* unchanged(EveryKind.ensure(oneMember)))
      yield* fails(EveryKind.getOrInsert(oneMember), "EntityCorrupted", { model: "CollectionsBag", id: "b" })
      yield* raw.delete(`${everyKindKey}:set`)
      yield* unchanged(fails(EveryKind.getOrInsert(oneMember), "EntityCorrupted", { field: "n", key: everyKindKey }))
      yield* raw.delete(everyKindKey)
      yield* raw.stringSet(everyKindKey, "x")
      yield* unchanged(Effect.gen(function*() {
        yield* wrongType(EveryKind.ensure(oneMember), { id: "b", key: everyKindKey })
        yield* fails(EveryKind.getOrInsert(oneMember), "EntityCorrupted", { key: everyKindKey })
      }))
    }))

  test("of concurrent creations one creates the entity, and all see the same entity", () =>
    Effect.gen(function*() {
      const all = yield* concurrently(
        Array.from({ length: 50 }, (_, i) => Citizen.getOrInsert({ ...citizen, level: i }))
      )
      assert.strictEqual(all.filter(({ created }) => created).length, 1)
      for (const { entity } of all) assert.deepEqual(entity, all[0]!.entity)
      assert.deepEqual(yield* Citizen.get("h"), all[0]!.entity)
      yield* Citizen.delete("h")
      const ensured = yield* concurrently(
        Array.from({ length: 50 }, (_, i) => Atomic.commit(Citizen.ensure({ ...citizen, level: i })))
      )
      assert.strictEqual(ensured.filter((one) => one).length, 1)
      assert.strictEqual((yield* Citizen.get("h")).level, ensured.indexOf(true))
      // the same in programs that write after the creation
      yield* Citizen.delete("h")
      const counted = yield* concurrently(
        Array.from({ length: 50 }, () => Atomic.all([Citizen.ensure(citizen), Citizen.ref("h").level.increment()]))
      )
      assert.deepEqual(
        counted.map(([, level]) => level).sort((a, b) => a - b),
        Array.from({ length: 50 }, (_, i) => i + 2)
      )
    }))

  test("in a program, creations see the operations before them and are undone with the program", () =>
    Effect.gen(function*() {
      const { level } = Citizen.ref("h")
      const results = yield* Atomic.all([
        Citizen.ensure(citizen),
        Citizen.ensure(citizen),
        level.increment(4),
        Citizen.getOrInsert({ ...citizen, level: 7 }),
        Citizen.delete("h"),
        Citizen.exists("h"),
        Citizen.getOrInsert({ ...citizen, level: 7 }),
        Citizen.ref("h").home.tags.add("b"),
        Citizen.getOrInsert(citizen),
        Citizen.pick("h", ["level", "home"])
      ])
      assert.deepEqual(results.slice(0, 3), [true, false, 5])
      assert.deepInclude(results[3], { created: false })
      assert.strictEqual(results[3].entity.level, 5)
      assert.deepEqual(results.slice(4, 6), [true, false])
      assert.isTrue(results[6].created)
      assert.strictEqual(results[8].entity.level, 7)
      assert.deepEqual(results[8].entity.home.tags, new Set(["a", "b"]))
      assert.deepEqual(results[9], { level: 7, home: { city: "Bern", tags: new Set(["a", "b"]) } })
      yield* unchanged(Effect.gen(function*() {
        const failing = level.divide(0)
        for (
          const writes of [
            Citizen.ensure({ ...citizen, name: "new" }),
            Citizen.getOrInsert({ ...citizen, name: "new" }),
            Citizen.duplicate("h", "new"),
            Atomic.all([Citizen.delete("h"), Citizen.ensure(citizen)]),
            Atomic.all([Citizen.duplicate("h", "new"), Citizen.delete("h"), Citizen.duplicate("new", "h")])
          ] as ReadonlyArray<Operation>
        ) yield* fails(Atomic.andThen(writes, failing), "ArithmeticError")
      }))
    }))

  test("`getOrInsert` and `ensure` refuse values that cannot be encoded, and write nothing", () =>
    Effect.gen(function*() {
      for (
        const bad of [
          { ...note, count: 1.5 },
          { ...note, id: "" },
          { ...note, text: "\ud800" },
          null,
          5
        ] as ReadonlyArray<any>
      ) {
        yield* fails(Note.ensure(bad), "InvalidValue", { model: "EntitiesNote" })
        yield* fails(Note.getOrInsert(bad), "InvalidValue", { model: "EntitiesNote" })
        yield* fails(Atomic.all([Note.ensure(note), Note.ensure(bad)]), "InvalidValue")
      }
      assert.deepEqual(yield* stored, {})
    }))

  test("`duplicate` copies everything that is stored, and the copy is independent", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      yield* EveryKind.insert(severalMembers)
      yield* raw.hashSet(everyKindKey, { theirs: "x", n: "007" })
      yield* raw.setAdd(`${everyKindKey}:hashSet`, "not a number")
      assert.isUndefined(yield* EveryKind.duplicate("b", "c"))
      const dump = yield* stored
      const copies = Object.entries(dump).filter(([name]) => name.startsWith("CollectionsBag:{c}"))
      assert.deepEqual(
        Object.fromEntries(copies.map(([name, content]) => [name.replace("{c}", "{b}"), content])),
        Object.fromEntries(Object.entries(dump).filter(([name]) => name.startsWith(everyKindKey)))
      )
      assert.notStrictEqual(yield* raw.hashGet("CollectionsBag:{c}", "$v"), yield* raw.hashGet(everyKindKey, "$v"))
      yield* EveryKind.delete("c")
      yield* EveryKind.put(severalMembers)
      yield* EveryKind.duplicate("b", "c")
      const c = EveryKind.ref("c")
      yield* Atomic.all([
        c.list.append("z"),
        c.set.add("z"),
        c.record.put("z", 1),
        c.sorted.add("z", 1),
        c.nested.set.clear(),
        c.n.increment(),
        c.nullInt.clear()
      ])
      equalUnordered(yield* EveryKind.get("b"), severalMembers)
      const copy = yield* EveryKind.get("c")
      yield* EveryKind.delete("b")
      equalUnordered(yield* EveryKind.get("c"), copy)
      // the same for an entity with empty collections
      yield* EveryKind.put(noMembers)
      yield* EveryKind.duplicate("b", "d")
      equalUnordered(yield* EveryKind.get("d"), { ...noMembers, id: "d" })
    }))

  test("`duplicate` fails if the source is missing or the target exists, also if both are the same id", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      yield* fails(EveryKind.duplicate("b", "c"), "EntityNotFound", { model: "CollectionsBag", id: "b" })
      yield* fails(EveryKind.duplicate("b", "b"), "EntityNotFound", { id: "b" })
      assert.deepEqual(yield* stored, {})
      yield* EveryKind.insert(severalMembers)
      yield* EveryKind.insert({ ...oneMember, id: "c" })
      yield* unchanged(Effect.gen(function*() {
        yield* fails(EveryKind.duplicate("b", "c"), "EntityExists", { model: "CollectionsBag", id: "c" })
        yield* fails(EveryKind.duplicate("b", "b"), "EntityExists", { id: "b" })
        yield* fails(EveryKind.duplicate("missing", "c"), "EntityNotFound", { id: "missing" })
        yield* fails(Atomic.all([EveryKind.ref("b").n.increment(), EveryKind.duplicate("b", "c")]), "EntityExists", {
          id: "c"
        })
        yield* fails(Atomic.all([EveryKind.delete("b"), EveryKind.duplicate("b", "d")]), "EntityNotFound", { id: "b" })
      }))
      assert.deepEqual(
        yield* Atomic.all([EveryKind.delete("c"), EveryKind.duplicate("b", "c"), EveryKind.exists("c")]),
        [
          true,
          undefined,
          true
        ]
      )
      equalUnordered(yield* EveryKind.get("c"), { ...severalMembers, id: "c" })
      // writes of the same program are copied
      const { set } = EveryKind.ref("b")
      yield* Atomic.all([set.clear(), set.add("q"), EveryKind.duplicate("b", "e"), set.add("r")])
      assert.deepEqual(yield* EveryKind.ref("e").set.get(), new Set(["q"]))
      yield* raw.delete(everyKindKey)
      yield* raw.stringSet(everyKindKey, "x")
      yield* unchanged(wrongType(EveryKind.duplicate("b", "f"), { id: "b", key: everyKindKey, field: "" }))
      yield* raw.stringSet("CollectionsBag:{g}", "x")
      yield* unchanged(wrongType(EveryKind.duplicate("c", "g"), { id: "g", key: "CollectionsBag:{g}", field: "" }))
    }))

  test("of concurrent copies onto one id, one succeeds", () =>
    Effect.gen(function*() {
      yield* EveryKind.insert(severalMembers)
      const copies = yield* concurrently(
        Array.from({ length: 20 }, () => Effect.exit(Atomic.commit(EveryKind.duplicate("b", "c"))))
      )
      assert.strictEqual(copies.filter(Exit.isSuccess).length, 1)
      equalUnordered(yield* EveryKind.get("c"), { ...severalMembers, id: "c" })
    }))

  test("creating an entity removes a leftover expiry and leftover collections of an earlier one", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      const later = (yield* Clock.currentTimeMillis) + 1_000_000
      const creations: ReadonlyArray<Operation> = [
        EveryKind.insert(noMembers),
        EveryKind.put(noMembers),
        EveryKind.getOrInsert(noMembers),
        EveryKind.ensure(noMembers),
        EveryKind.duplicate("source", "b")
      ]
      yield* EveryKind.insert({ ...noMembers, id: "source" })
      for (const create of creations) {
        yield* EveryKind.put(severalMembers)
        for (const name of Object.keys(yield* raw.dump)) if (name !== everyKindKey) yield* raw.expireAt(name, later)
        yield* raw.delete(everyKindKey)
        yield* create
        const dump = yield* raw.dump
        assert.deepEqual(Object.keys(dump).filter((name) => name.startsWith(everyKindKey)), [everyKindKey])
        assert.isUndefined(dump[everyKindKey]!.expiresAt)
        yield* EveryKind.delete("b")
      }
    }))

  test("`pick` reads only the named fields, as a plain object", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      yield* Citizen.insert(citizen)
      const found = yield* Citizen.pick("h", ["level", "name", "home"])
      assert.deepEqual(found, { level: 1, name: "h", home: { city: "Bern", tags: new Set(["a"]) } })
      assert.notInstanceOf(found, Citizen)
      assert.deepEqual(Object.keys(yield* Citizen.pick("h", ["level"])), ["level"])
      assert.deepEqual(yield* Citizen.pick("h", ["level", "level"]), { level: 1 })
      assert.deepEqual(yield* Citizen.pick("h", []), {} as any)
      yield* fails(Citizen.pick("missing", ["level"]), "EntityNotFound", { model: "CreationCitizen", id: "missing" })
      yield* fails(Citizen.pick("missing", []), "EntityNotFound")
      yield* fails(Citizen.pick("h", ["nothing" as "level"]), "InvalidValue", { id: "h", field: "nothing" })
      yield* fails(Citizen.pick("h", ["shout" as "level"]), "InvalidValue", { field: "shout" })
      yield* fails(Citizen.pick("h", ["toString" as "level"]), "InvalidValue", { field: "toString" })
      yield* fails(Citizen.pick("", ["level"]), "InvalidValue", { field: "name" })
      // fields that are not picked may be corrupted
      yield* Note.insert(note)
      yield* raw.hashSet(noteKey, { count: "abc" })
      assert.deepEqual(yield* Note.pick("n", ["text", "items", "nick"]), { text: "t", items: ["i", "j"], nick: "k" })
      yield* unchanged(
        fails(Note.pick("n", ["text", "count"]), "EntityCorrupted", { id: "n", key: noteKey, field: "count" })
      )
      assert.deepEqual(
        yield* Atomic.all([Note.ref("n").text.set("u"), Note.pick("n", ["text"]), Note.delete("n"), Note.find("n")]),
        [undefined, { text: "u" }, true, Option.none()]
      )
    }))
}
