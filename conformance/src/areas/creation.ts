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
import { fails, type Operation, same, stored, together, unchanged, wrongType } from "../assertions.ts"
import type { Test } from "../suite.ts"
import { Bag, bagKey, bare, full, lean } from "../support/collectionModels.ts"
import { Note, note, noteKey } from "../support/entityModels.ts"

class Hero extends Model.Class<Hero>("CreationHero")({
  name: Schema.String,
  level: Schema.Int.pipe(Model.withDefault(1)),
  born: Schema.DateTimeUtc,
  home: Schema.Struct({ city: Schema.String, tags: Schema.ReadonlySet(Schema.String) })
}, { key: "name" }) {
  get shout() {
    return `${this.name}!`
  }
}

const hero = { name: "h", born: DateTime.makeUnsafe(5), home: { city: "Bern", tags: new Set(["a"]) } }

export const creation = (test: Test): void => {
  test("`getOrInsert` stores a missing entity and returns an existing one", () =>
    Effect.gen(function*() {
      const first = yield* Hero.getOrInsert(hero)
      assert.isTrue(first.created)
      assert.instanceOf(first.entity, Hero)
      assert.strictEqual(first.entity.level, 1)
      const second = yield* unchanged(Hero.getOrInsert({ ...hero, level: 9, home: { city: "Thun", tags: new Set() } }))
      assert.isFalse(second.created)
      assert.instanceOf(second.entity, Hero)
      assert.strictEqual(second.entity.shout, "h!")
      assert.deepEqual(second.entity, first.entity)
      assert.deepEqual(second.entity, yield* Hero.get("h"))
      // every kind of field
      const created = yield* Bag.getOrInsert(full)
      same(created, { entity: { n: 0, ...full }, created: true })
      same(yield* unchanged(Bag.getOrInsert({ ...lean, id: "b" })), { entity: full, created: false })
      same(yield* Bag.get("b"), full)
    }))

  test("`ensure` stores a missing entity and neither reads nor writes an existing one", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      assert.isTrue(yield* Bag.ensure(full))
      same(yield* Bag.get("b"), full)
      assert.isFalse(yield* unchanged(Bag.ensure(lean)))
      // even if the stored entity is corrupted
      yield* raw.hashSet(bagKey, { n: "abc" })
      yield* raw.delete(`${bagKey}:set`)
      yield* raw.stringSet(`${bagKey}:set`, "x")
      assert.isFalse(yield* unchanged(Bag.ensure(lean)))
      yield* fails(Bag.getOrInsert(lean), "EntityCorrupted", { model: "CollectionsBag", id: "b" })
      yield* raw.delete(`${bagKey}:set`)
      yield* unchanged(fails(Bag.getOrInsert(lean), "EntityCorrupted", { field: "n", key: bagKey }))
      yield* raw.delete(bagKey)
      yield* raw.stringSet(bagKey, "x")
      yield* unchanged(Effect.gen(function*() {
        yield* wrongType(Bag.ensure(lean), { id: "b", key: bagKey })
        yield* fails(Bag.getOrInsert(lean), "EntityCorrupted", { key: bagKey })
      }))
    }))

  test("of concurrent creations one creates the entity, and all see the same entity", () =>
    Effect.gen(function*() {
      const all = yield* together(Array.from({ length: 50 }, (_, i) => Hero.getOrInsert({ ...hero, level: i })))
      assert.strictEqual(all.filter(({ created }) => created).length, 1)
      for (const { entity } of all) assert.deepEqual(entity, all[0]!.entity)
      assert.deepEqual(yield* Hero.get("h"), all[0]!.entity)
      yield* Hero.delete("h")
      const ensured = yield* together(
        Array.from({ length: 50 }, (_, i) => Atomic.commit(Hero.ensure({ ...hero, level: i })))
      )
      assert.strictEqual(ensured.filter((one) => one).length, 1)
      assert.strictEqual((yield* Hero.get("h")).level, ensured.indexOf(true))
      // the same in programs that write after the creation
      yield* Hero.delete("h")
      const counted = yield* together(
        Array.from({ length: 50 }, () => Atomic.all([Hero.ensure(hero), Hero.ref("h").level.increment()]))
      )
      assert.deepEqual(
        counted.map(([, level]) => level).sort((a, b) => a - b),
        Array.from({ length: 50 }, (_, i) => i + 2)
      )
    }))

  test("in a program, creations see the operations before them and are undone with the program", () =>
    Effect.gen(function*() {
      const { level } = Hero.ref("h")
      const results = yield* Atomic.all([
        Hero.ensure(hero),
        Hero.ensure(hero),
        level.increment(4),
        Hero.getOrInsert({ ...hero, level: 7 }),
        Hero.delete("h"),
        Hero.exists("h"),
        Hero.getOrInsert({ ...hero, level: 7 }),
        Hero.ref("h").home.tags.add("b"),
        Hero.getOrInsert(hero),
        Hero.pick("h", ["level", "home"])
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
            Hero.ensure({ ...hero, name: "new" }),
            Hero.getOrInsert({ ...hero, name: "new" }),
            Hero.duplicate("h", "new"),
            Atomic.all([Hero.delete("h"), Hero.ensure(hero)]),
            Atomic.all([Hero.duplicate("h", "new"), Hero.delete("h"), Hero.duplicate("new", "h")])
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
      yield* Bag.insert(full)
      yield* raw.hashSet(bagKey, { theirs: "x", n: "007" })
      yield* raw.setAdd(`${bagKey}:hashSet`, "not a number")
      assert.isUndefined(yield* Bag.duplicate("b", "c"))
      const dump = yield* stored
      const copies = Object.entries(dump).filter(([name]) => name.startsWith("CollectionsBag:{c}"))
      assert.deepEqual(
        Object.fromEntries(copies.map(([name, content]) => [name.replace("{c}", "{b}"), content])),
        Object.fromEntries(Object.entries(dump).filter(([name]) => name.startsWith(bagKey)))
      )
      assert.notStrictEqual(yield* raw.hashGet("CollectionsBag:{c}", "$v"), yield* raw.hashGet(bagKey, "$v"))
      yield* Bag.delete("c")
      yield* Bag.put(full)
      yield* Bag.duplicate("b", "c")
      const c = Bag.ref("c")
      yield* Atomic.all([
        c.list.append("z"),
        c.set.add("z"),
        c.record.put("z", 1),
        c.sorted.add("z", 1),
        c.nested.set.clear(),
        c.n.increment(),
        c.nullInt.clear()
      ])
      same(yield* Bag.get("b"), full)
      const copy = yield* Bag.get("c")
      yield* Bag.delete("b")
      same(yield* Bag.get("c"), copy)
      // the same for an entity with empty collections
      yield* Bag.put(bare)
      yield* Bag.duplicate("b", "d")
      same(yield* Bag.get("d"), { ...bare, id: "d" })
    }))

  test("`duplicate` fails if the source is missing or the target exists, also if both are the same id", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      yield* fails(Bag.duplicate("b", "c"), "EntityNotFound", { model: "CollectionsBag", id: "b" })
      yield* fails(Bag.duplicate("b", "b"), "EntityNotFound", { id: "b" })
      assert.deepEqual(yield* stored, {})
      yield* Bag.insert(full)
      yield* Bag.insert({ ...lean, id: "c" })
      yield* unchanged(Effect.gen(function*() {
        yield* fails(Bag.duplicate("b", "c"), "EntityExists", { model: "CollectionsBag", id: "c" })
        yield* fails(Bag.duplicate("b", "b"), "EntityExists", { id: "b" })
        yield* fails(Bag.duplicate("missing", "c"), "EntityNotFound", { id: "missing" })
        yield* fails(Atomic.all([Bag.ref("b").n.increment(), Bag.duplicate("b", "c")]), "EntityExists", { id: "c" })
        yield* fails(Atomic.all([Bag.delete("b"), Bag.duplicate("b", "d")]), "EntityNotFound", { id: "b" })
      }))
      assert.deepEqual(yield* Atomic.all([Bag.delete("c"), Bag.duplicate("b", "c"), Bag.exists("c")]), [
        true,
        undefined,
        true
      ])
      same(yield* Bag.get("c"), { ...full, id: "c" })
      // writes of the same program are copied
      const { set } = Bag.ref("b")
      yield* Atomic.all([set.clear(), set.add("q"), Bag.duplicate("b", "e"), set.add("r")])
      assert.deepEqual(yield* Bag.ref("e").set.get(), new Set(["q"]))
      yield* raw.delete(bagKey)
      yield* raw.stringSet(bagKey, "x")
      yield* unchanged(wrongType(Bag.duplicate("b", "f"), { id: "b", key: bagKey, field: "" }))
      yield* raw.stringSet("CollectionsBag:{g}", "x")
      yield* unchanged(wrongType(Bag.duplicate("c", "g"), { id: "g", key: "CollectionsBag:{g}", field: "" }))
    }))

  test("of concurrent copies onto one id, one succeeds", () =>
    Effect.gen(function*() {
      yield* Bag.insert(full)
      const copies = yield* together(
        Array.from({ length: 20 }, () => Effect.exit(Atomic.commit(Bag.duplicate("b", "c"))))
      )
      assert.strictEqual(copies.filter(Exit.isSuccess).length, 1)
      same(yield* Bag.get("c"), { ...full, id: "c" })
    }))

  test("creating an entity removes a leftover expiry and leftover collections of an earlier one", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      const later = (yield* Clock.currentTimeMillis) + 1_000_000
      const creations: ReadonlyArray<Operation> = [
        Bag.insert(bare),
        Bag.put(bare),
        Bag.getOrInsert(bare),
        Bag.ensure(bare),
        Bag.duplicate("source", "b")
      ]
      yield* Bag.insert({ ...bare, id: "source" })
      for (const create of creations) {
        yield* Bag.put(full)
        for (const name of Object.keys(yield* raw.dump)) if (name !== bagKey) yield* raw.expireAt(name, later)
        yield* raw.delete(bagKey)
        yield* create
        const dump = yield* raw.dump
        assert.deepEqual(Object.keys(dump).filter((name) => name.startsWith(bagKey)), [bagKey])
        assert.isUndefined(dump[bagKey]!.expiresAt)
        yield* Bag.delete("b")
      }
    }))

  test("`pick` reads only the named fields, as a plain object", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      yield* Hero.insert(hero)
      const found = yield* Hero.pick("h", ["level", "name", "home"])
      assert.deepEqual(found, { level: 1, name: "h", home: { city: "Bern", tags: new Set(["a"]) } })
      assert.notInstanceOf(found, Hero)
      assert.deepEqual(Object.keys(yield* Hero.pick("h", ["level"])), ["level"])
      assert.deepEqual(yield* Hero.pick("h", ["level", "level"]), { level: 1 })
      assert.deepEqual(yield* Hero.pick("h", []), {} as any)
      yield* fails(Hero.pick("missing", ["level"]), "EntityNotFound", { model: "CreationHero", id: "missing" })
      yield* fails(Hero.pick("missing", []), "EntityNotFound")
      yield* fails(Hero.pick("h", ["nothing" as "level"]), "InvalidValue", { id: "h", field: "nothing" })
      yield* fails(Hero.pick("h", ["shout" as "level"]), "InvalidValue", { field: "shout" })
      yield* fails(Hero.pick("h", ["toString" as "level"]), "InvalidValue", { field: "toString" })
      yield* fails(Hero.pick("", ["level"]), "InvalidValue", { field: "name" })
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
