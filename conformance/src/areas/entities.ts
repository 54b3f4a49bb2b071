/** Whole entities: `insert`, `put`, `get`, `find`, `update`, `delete`, `exists`, and defaults. */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Atomic from "redlayer/Atomic"
import * as Model from "redlayer/Model"
import { RawStore } from "redlayer/testing"
import * as assert from "../assert.ts"
import { concurrently, fails, stored, unchanged } from "../assertions.ts"
import type { Test } from "../suite.ts"
import {
  alice,
  defaults,
  emptyPlayer,
  everyNoteOperation,
  Medal,
  Note,
  note,
  noteKey,
  Player,
  Sparse,
  toPlainObject,
  WithDefaults
} from "../support/entityModels.ts"

export const entities = (test: Test): void => {
  for (const write of ["insert", "put"] as const) {
    test(`${write} followed by get returns an equal value of the same classes`, () =>
      Effect.gen(function*() {
        const given = yield* Player[write](alice)
        const found = yield* Player.get("alice")
        assert.deepEqual(toPlainObject(found), toPlainObject(alice))
        assert.deepEqual(toPlainObject(given), toPlainObject(alice))
        for (const player of [given, found]) {
          assert.instanceOf(player, Player)
          assert.strictEqual(player.shout, "Dr!")
          assert.strictEqual(player.greet("bob"), "alice greets bob")
          assert.instanceOf(player.best, Medal)
          assert.strictEqual(player.best.label, "silver (2)")
          assert.instanceOf(player.medals[0], Medal)
          assert.strictEqual(player.medals[0].label, "gold (3)")
          assert.instanceOf(player.avatar, Uint8Array)
          assert.instanceOf(player.born, Date)
          assert.isTrue(DateTime.isDateTime(player.joined))
        }
        const again = yield* Player.find("alice")
        assert.isTrue(Option.isSome(again))
        assert.deepEqual(toPlainObject(Option.getOrThrow(again)), toPlainObject(alice))
        // a decoded entity can be written again
        yield* Player.put(found)
        assert.deepEqual(toPlainObject(yield* Player.get("alice")), toPlainObject(alice))
      }))
  }

  test("empty and missing values are read back as they were written", () =>
    Effect.gen(function*() {
      yield* Player.insert(emptyPlayer)
      assert.deepEqual(toPlainObject(yield* Player.get("empty")), toPlainObject(emptyPlayer))
      for (const [choice, note] of [[0, null], ["0", "null"], ["", ""], [{ a: false }, "\"\""]] as const) {
        yield* Player.put({ ...emptyPlayer, choice, note })
        const found = yield* Player.get("empty")
        assert.deepEqual(found.choice, choice)
        assert.strictEqual(found.note, note)
      }
      assert.deepEqual(Object.keys(yield* Player.get("empty")).filter((name) => !(name in emptyPlayer)), [])
    }))

  test("absent, undefined and null are distinct", () =>
    Effect.gen(function*() {
      yield* Sparse.insert({ id: "x", d: undefined })
      assert.deepEqual(yield* Sparse.get("x"), { id: "x", d: undefined })
      assert.isTrue(yield* Sparse.exists("x"))
      // a key whose value is undefined is absent
      yield* Sparse.put({ id: "x", b: undefined, d: undefined })
      const found = yield* Sparse.get("x")
      assert.deepEqual(Object.keys(found).sort(), ["d", "id"])
      yield* Sparse.put({ id: "x", a: "", b: 0, c: null, d: "" })
      assert.deepEqual(yield* Sparse.get("x"), { id: "x", a: "", b: 0, c: null, d: "" })
      yield* Sparse.put({ id: "x", a: "null", c: "null", d: "undefined" })
      assert.deepEqual(yield* Sparse.get("x"), { id: "x", a: "null", c: "null", d: "undefined" })
      assert.isTrue(yield* Sparse.delete("x"))
      assert.isFalse(yield* Sparse.exists("x"))
    }))

  test("an entity is stored as one hash, and one key for each non-empty collection", () =>
    Effect.gen(function*() {
      yield* Note.insert(note)
      assert.deepEqual(yield* stored, {
        [noteKey]: {
          text: "t",
          count: "1",
          ratio: "0.5",
          done: "false",
          kind: "a",
          at: "5",
          data: "{\"a\":1}",
          "stats.wins": "1",
          "stats.deep.low": "1",
          nick: "k"
        },
        [`${noteKey}:items`]: ["i", "j"],
        [`${noteKey}:stats.deep.list`]: ["1", "2"]
      })
      yield* Note.put({ ...note, items: [], stats: { ...note.stats, deep: { low: 1, list: [] } } })
      assert.deepEqual(Object.keys(yield* stored), [noteKey])
    }))

  test("put replaces all fields of an entity, and removes foreign fields of its hash", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      yield* Note.insert(note)
      yield* raw.hashSet(noteKey, { "of another version": "1", count: "abc" })
      const { nick: _, ...rest } = note
      const next = { ...rest, text: "u", items: ["k"], stats: { wins: 2, deep: { low: 2, list: [] } } }
      assert.deepEqual(yield* Note.put(next), next)
      assert.deepEqual(yield* Note.get("n"), next)
      const all = yield* stored
      assert.deepEqual(Object.keys(all), [noteKey, `${noteKey}:items`])
      assert.notProperty(all[noteKey], "of another version")
      assert.notProperty(all[noteKey], "nick")
      yield* Note.put({ ...next, id: "other" })
      assert.deepEqual(yield* Note.get("other"), { ...next, id: "other" })
      assert.deepEqual(yield* Note.get("n"), next)
    }))

  test("put replaces a hash with ten thousand foreign fields", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      yield* raw.hashSet(noteKey, Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`f${i}`, "1"])))
      yield* Note.put(note)
      assert.deepEqual(yield* Note.get("n"), note)
      assert.strictEqual(Object.keys((yield* stored)[noteKey] as object).length, 10)
    }))

  test("insert of an existing entity fails and leaves it unchanged", () =>
    Effect.gen(function*() {
      yield* Note.insert(note)
      yield* unchanged(fails(Note.insert({ ...note, text: "u" }), "EntityExists", { model: "EntitiesNote", id: "n" }))
      yield* unchanged(fails(
        Atomic.all([Note.ref("n").count.increment(), Note.insert(note)]),
        "EntityExists"
      ))
      const raced = yield* concurrently(
        Array.from(
          { length: 8 },
          (_, i) => Effect.result(Atomic.commit(Note.insert({ ...note, id: "raced", count: i })))
        )
      )
      assert.strictEqual(raced.filter((result) => result._tag === "Success").length, 1)
      const winner = raced.findIndex((result) => result._tag === "Success")
      assert.deepEqual(yield* Note.get("raced"), { ...note, id: "raced", count: winner })
    }))

  test("insert and put remove leftover collections of an entity whose hash is gone", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      for (const write of ["insert", "put"] as const) {
        yield* raw.listPush(`${noteKey}:items`, "left", "over")
        yield* raw.listPush(`${noteKey}:stats.deep.list`, "9")
        yield* Note[write]({ ...note, stats: { wins: 1, deep: { low: 1, list: [] } } })
        assert.deepEqual((yield* Note.get("n")).items, ["i", "j"])
        assert.deepEqual((yield* Note.get("n")).stats.deep.list, [])
        yield* Note.delete("n")
        assert.deepEqual(yield* stored, {})
      }
    }))

  test("delete returns true, then false, and removes exactly the keys of that entity", () =>
    Effect.gen(function*() {
      yield* Note.insert(note)
      yield* Note.insert({ ...note, id: "m" })
      assert.isTrue(yield* Note.delete("n"))
      assert.isFalse(yield* Note.delete("n"))
      assert.isFalse(yield* Note.exists("n"))
      assert.isTrue(yield* Note.exists("m"))
      assert.deepEqual(yield* Note.find("n"), Option.none())
      assert.deepEqual(Object.keys(yield* stored).filter((key) => !key.startsWith("EntitiesNote:{m}")), [])
      const raced = yield* concurrently(Array.from({ length: 8 }, () => Atomic.commit(Note.delete("m"))))
      assert.strictEqual(raced.filter((one) => one).length, 1)
    }))

  test("every operation on an entity that never existed fails and creates nothing", () =>
    Effect.gen(function*() {
      for (const [name, operation] of Object.entries(everyNoteOperation("never"))) {
        const error = yield* Effect.flip(operation)
        assert.deepInclude({ ...error, name }, { _tag: "EntityNotFound", model: "EntitiesNote", id: "never", name })
      }
      assert.deepEqual(yield* Note.find("never"), Option.none())
      // a model without collections is read by other instructions
      assert.deepEqual(yield* Sparse.find("never"), Option.none())
      assert.deepEqual(yield* Atomic.all([Sparse.find("never"), Sparse.find("never")]), [Option.none(), Option.none()])
      yield* Sparse.put({ id: "never", d: undefined })
      assert.isTrue(Option.isSome(yield* Sparse.find("never")))
      assert.isTrue(yield* Sparse.delete("never"))
      assert.isFalse(yield* Note.exists("never"))
      assert.isFalse(yield* Note.delete("never"))
      assert.deepEqual(yield* stored, {})
    }))

  test("every operation on an entity that was deleted, or whose hash is gone, fails and restores nothing", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      yield* Note.insert(note)
      yield* Note.delete("n")
      for (const operation of Object.values(everyNoteOperation("n"))) yield* fails(operation, "EntityNotFound")
      assert.deepEqual(yield* stored, {})
      yield* Note.insert(note)
      yield* raw.delete(noteKey)
      yield* unchanged(Effect.gen(function*() {
        for (const operation of Object.values(everyNoteOperation("n"))) yield* fails(operation, "EntityNotFound")
        assert.isFalse(yield* Note.exists("n"))
        // there is no hash left to delete
        assert.isFalse(yield* Note.delete("n"))
      }))
    }))

  test("every operation on an existing entity works, alone and in a program", () =>
    Effect.gen(function*() {
      for (const name of Object.keys(everyNoteOperation("n"))) {
        yield* Note.put(note)
        const alone = yield* everyNoteOperation("n")[name]
        const left = yield* stored
        yield* Note.put(note)
        const [inProgram] = yield* Atomic.all([everyNoteOperation("n")[name], Note.exists("n")])
        assert.deepEqual(inProgram, alone, name)
        assert.deepEqual(yield* stored, left, name)
      }
    }))

  test("update writes the given fields only, and keeps concurrent writes to other fields", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      yield* Note.insert(note)
      const read = yield* Note.get("n")
      yield* raw.hashSet(noteKey, { ratio: "7", kind: "b", "stats.deep.low": "8" })
      yield* raw.listPush(`${noteKey}:items`, "theirs")
      yield* Note.update("n", { text: `${read.text}!`, count: read.count + 1 })
      assert.deepEqual(yield* Note.get("n"), {
        ...note,
        text: "t!",
        count: 2,
        ratio: 7,
        kind: "b",
        stats: { wins: 1, deep: { low: 8, list: [1, 2] } },
        items: ["i", "j", "theirs"]
      })
    }))

  test("update merges nested structs field by field, replaces collections and JSON, and removes undefined fields", () =>
    Effect.gen(function*() {
      yield* Note.insert({ ...note, data: { a: 1, b: "b" } })
      yield* Note.update("n", { stats: { deep: { low: 9 } } })
      assert.deepEqual((yield* Note.get("n")).stats, { wins: 1, deep: { low: 9, list: [1, 2] } })
      yield* Note.update("n", { stats: { wins: 4, deep: { list: [] } }, items: ["z"], data: { a: 2 }, nick: undefined })
      const { nick: _, ...rest } = note
      assert.deepEqual(yield* Note.get("n"), {
        ...rest,
        stats: { wins: 4, deep: { low: 9, list: [] } },
        items: ["z"],
        data: { a: 2 }
      })
      yield* Note.update("n", { stats: {} })
      yield* unchanged(Note.update("n", {}))
      yield* Note.update("n", { nick: "back" })
      assert.strictEqual((yield* Note.get("n")).nick, "back")
    }))

  test("update refuses unknown fields, the key and invalid values, and writes nothing", () =>
    Effect.gen(function*() {
      yield* Note.insert(note)
      const patches: ReadonlyArray<readonly [patch: any, field: string]> = [
        [{ nothing: 1 }, "nothing"],
        [{ count: 5, nothing: 1 }, "nothing"],
        [{ id: "m" }, "id"],
        [{ id: "m", count: 2 }, "id"],
        [{ constructor: 1 }, "constructor"],
        [{ ["__proto__"]: 1 }, "__proto__"],
        [{ toString: 1 }, "toString"],
        [{ $v: 7 }, "$v"],
        [{ "stats.wins": 7 }, "stats.wins"],
        [{ count: 1.5 }, "count"],
        [{ count: undefined }, "count"],
        [{ count: "1" }, "count"],
        [{ text: 1 }, "text"],
        [{ text: "\ud800" }, "text"],
        [{ kind: "c" }, "kind"],
        [{ done: "true" }, "done"],
        [{ at: new Date(NaN) }, "at"],
        [{ data: { a: "1" } }, "data.a"],
        [{ items: "ij" }, "items"],
        [{ items: [1] }, "items"],
        [{ items: undefined }, "items"],
        [{ nick: null }, "nick"],
        [{ stats: undefined }, "stats"],
        [{ stats: null }, "stats"],
        [{ stats: 5 }, "stats"],
        [{ stats: { deep: null } }, "stats.deep"],
        [{ stats: { wins: 1, losses: 2 } }, "stats.losses"],
        [{ stats: { deep: { low: 1.5 } } }, "stats.deep.low"]
      ]
      yield* unchanged(Effect.gen(function*() {
        for (const [patch, field] of patches) {
          yield* fails(Note.update("n", patch), "InvalidValue", { model: "EntitiesNote", id: "n", field })
          // refused before it is sent, so the entity need not exist
          yield* fails(Note.update("never", patch), "InvalidValue", { field })
        }
      }))
      yield* fails(Note.update("n", null as any), "InvalidValue")
      yield* fails(Note.update("n", "patch" as any), "InvalidValue")
    }))

  test("insert and put refuse a value that the schema refuses, name the field, and write nothing", () =>
    Effect.gen(function*() {
      const inputs: ReadonlyArray<readonly [input: object, field: string]> = [
        [{ count: 1.5 }, "count"],
        [{ text: undefined }, "text"],
        [{ text: "\udc00" }, "text"],
        [{ kind: "c" }, "kind"],
        [{ at: new Date(NaN) }, "at"],
        [{ items: ["a", "\ud83d"] }, "items"],
        [{ items: ["a", 1] }, "items.1"],
        [{ data: { a: 1, b: "\ud800" } }, "data"],
        [{ stats: { wins: "1", deep: { low: 1, list: [] } } }, "stats.wins"],
        [{ stats: { wins: 1, deep: { low: 1 } } }, "stats.deep.list"],
        [{ nick: null }, "nick"]
      ]
      for (const [input, field] of inputs) {
        for (const write of ["insert", "put"] as const) {
          const error = yield* fails(Note[write]({ ...note, ...input } as any), "InvalidValue", {
            model: "EntitiesNote"
          })
          assert.strictEqual(error.field, field)
          assert.notInclude(error.message, "\ud800")
        }
      }
      yield* fails(Note.insert(undefined as any), "InvalidValue")
      yield* fails(Note.put(5 as any), "InvalidValue")
      assert.deepEqual(yield* stored, {})
    }))

  test("a missing field with a default reads as the default, also in operations on the server", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      const reset = Effect.andThen(raw.delete("EntitiesLater:{x}"), raw.hashSet("EntitiesLater:{x}", { old: "o" }))
      yield* reset
      // a missing collection reads as empty, because its default applies to the constructor only
      assert.deepEqual(yield* WithDefaults.get("x"), { id: "x", old: "o", ...defaults, items: [] })
      const { at, count, data, done, kind, nick, note, ratio, stats, text } = WithDefaults.ref("x")
      yield* unchanged(Effect.gen(function*() {
        assert.strictEqual(yield* text.get(), "abc")
        assert.strictEqual(yield* count.get(), 5)
        assert.strictEqual(yield* ratio.get(), 0.5)
        assert.isTrue(yield* done.get())
        assert.strictEqual(yield* kind.get(), "b")
        assert.deepEqual(yield* at.get(), new Date(7))
        assert.deepEqual(yield* data.get(), { a: 1 })
        assert.deepEqual(yield* nick.get(), Option.some("nobody"))
        assert.deepEqual(yield* note.get(), Option.none())
        assert.deepEqual(yield* stats.$.get(), { wins: 2, losses: 3 })
        assert.isFalse(yield* text.compareAndSet("", "x"))
        assert.isFalse(yield* count.compareAndSet(0, 1))
        yield* fails(count.increment(6), "OutOfBounds", { bound: "maximum", limit: 10 })
      }))
      assert.strictEqual(yield* text.append("d"), 4)
      assert.strictEqual(yield* text.get(), "abcd")
      assert.strictEqual(yield* count.increment(), 6)
      assert.strictEqual(yield* ratio.multiply(3), 1.5)
      assert.isFalse(yield* done.toggle())
      assert.strictEqual(yield* kind.getAndSet("a"), "b")
      assert.isTrue(yield* at.compareAndSet(new Date(7), new Date(8)))
      assert.isTrue(yield* data.compareAndSet({ a: 1 }, { a: 2 }))
      assert.isTrue(yield* note.setIfAbsent("n"))
      assert.strictEqual(yield* stats.wins.decrement(), 1)
      assert.deepEqual((yield* stored)["EntitiesLater:{x}"], {
        old: "o",
        text: "abcd",
        count: "6",
        ratio: "1.5",
        done: "false",
        kind: "a",
        at: "8",
        data: "{\"a\":2}",
        note: "\"n\"",
        "stats.wins": "1"
      })
      // several operations on the default in one program
      yield* reset
      assert.deepEqual(
        yield* Atomic.all([
          count.get(),
          count.increment(),
          count.increment(),
          done.toggle(),
          done.toggle(),
          text.append("d"),
          text.getAndSet("e"),
          stats.$.get(),
          WithDefaults.get("x")
        ]),
        [5, 6, 7, false, true, 4, "abcd", { wins: 2, losses: 3 }, {
          id: "x",
          old: "o",
          ...defaults,
          items: [],
          count: 7,
          text: "e"
        }]
      )
    }))

  test("the constructor fills in the defaults", () =>
    Effect.gen(function*() {
      const given = yield* WithDefaults.insert({ id: "x", old: "o", stats: {} })
      assert.deepEqual(given, { id: "x", old: "o", ...defaults, items: ["x"] })
      assert.deepEqual(yield* WithDefaults.get("x"), given)
      // an empty list is a value, so the default does not apply
      yield* WithDefaults.put({ id: "x", old: "o", stats: {}, items: [] })
      assert.deepEqual((yield* WithDefaults.get("x")).items, [])
      yield* WithDefaults.update("x", { count: 9 })
      assert.deepEqual((yield* WithDefaults.get("x")).count, 9)
      yield* fails(WithDefaults.update("x", { count: undefined as any }), "InvalidValue", { field: "count" })
    }))

  test("a struct with a default is defaulted as a whole, also if it is missing in the stored entity", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      const Grown = Model.make("EntitiesGrown", {
        id: Schema.String,
        old: Schema.String,
        stats: Schema.Struct({ wins: Schema.Int, deep: Schema.Struct({ low: Schema.Int }) }).pipe(
          Model.withDefault({ wins: 4, deep: { low: 5 } })
        )
      }, { key: "id" })
      yield* raw.hashSet("EntitiesGrown:{x}", { old: "o" })
      const stats = { wins: 4, deep: { low: 5 } }
      assert.deepEqual(yield* Grown.get("x"), { id: "x", old: "o", stats })
      assert.deepEqual(yield* Grown.ref("x").stats.$.get(), stats)
      assert.isTrue(yield* Grown.ref("x").stats.$.eq(stats))
      assert.strictEqual(yield* Grown.ref("x").stats.wins.increment(), 5)
      assert.deepEqual(yield* Grown.insert({ id: "y", old: "o" }), { id: "y", old: "o", stats })
    }))
}
