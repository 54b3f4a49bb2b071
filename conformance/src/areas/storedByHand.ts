/** Data that other clients stored: invalid values, wrong key types, missing fields, and entities without a version. */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Atomic from "redlayer/Atomic"
import { RawStore } from "redlayer/testing"
import * as assert from "../assert.ts"
import { fails, type Operation, stored, unchanged, wrongType } from "../assertions.ts"
import type { Test } from "../suite.ts"
import { Note, note, noteKey, Sparse } from "../support/entityModels.ts"
import { Accessed, withCollections } from "../support/timeToLiveModels.ts"

export const storedByHand = (test: Test): void => {
  test("a missing field without a default reads as corrupted until it is set", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      yield* Note.insert(note)
      const names = ["text", "count", "ratio", "done", "kind", "at", "data", "stats.wins", "stats.deep.low"]
      for (const name of names) {
        const old = (yield* raw.hashGet(noteKey, name))!
        yield* raw.hashDelete(noteKey, name)
        yield* unchanged(fails(Note.get("n"), "EntityCorrupted", {
          model: "EntitiesNote",
          id: "n",
          key: noteKey,
          field: name,
          applied: false
        }))
        yield* fails(Note.find("n"), "EntityCorrupted", { field: name })
        yield* raw.hashSet(noteKey, { [name]: old })
      }
      for (const name of names) yield* raw.hashDelete(noteKey, name)
      const { at, count, data, done, kind, ratio, stats, text } = Note.ref("n")
      yield* unchanged(Effect.gen(function*() {
        yield* wrongType(text.get(), { model: "EntitiesNote", id: "n", key: noteKey, field: "text" })
        yield* wrongType(text.append("x"), { field: "text" })
        yield* wrongType(count.get(), { field: "count" })
        yield* wrongType(count.increment(), { field: "count" })
        yield* wrongType(ratio.clamp(0, 1), { field: "ratio" })
        yield* wrongType(done.toggle(), { field: "done" })
        yield* wrongType(kind.get(), { field: "kind" })
        yield* wrongType(at.get(), { field: "at" })
        yield* wrongType(data.get(), { field: "data" })
        yield* wrongType(stats.wins.multiply(2), { field: "stats.wins" })
        yield* fails(stats.$.get(), "EntityCorrupted", { field: "stats.wins" })
        yield* fails(stats.deep.$.get(), "EntityCorrupted", { field: "stats.deep.low" })
        assert.isFalse(yield* count.compareAndSet(0, 1))
        assert.isFalse(yield* text.compareAndSet("", "x"))
      }))
      // the entity exists nevertheless, and a write to the field repairs it
      assert.isTrue(yield* Note.exists("n"))
      yield* Note.update("n", { ...note, id: undefined, at: new Date(9) } as any).pipe(
        Effect.flip,
        Effect.map((error) => assert.strictEqual(error._tag, "InvalidValue"))
      )
      const { id: _, ...patch } = note
      yield* Note.update("n", patch)
      assert.deepEqual(yield* Note.get("n"), note)
    }))

  test("an invalid stored field fails its operations, which name the field and leave it unchanged", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      const { at, count, data, done, kind, ratio, stats, text } = Note.ref("n")
      const cases: ReadonlyArray<
        readonly [
          field: string,
          texts: ReadonlyArray<string>,
          reads: Effect.Effect<unknown, any, any>,
          computes?: Effect.Effect<unknown, any, any>
        ]
      > = [
        ["count", ["abc", "1.5", "", "true", "9007199254740993", "NaN"], count.get(), count.increment()],
        ["ratio", ["abc", "", "nan", "1e400", "0x10"], ratio.get(), ratio.increment()],
        ["done", ["1", "", "TRUE", "yes", "0"], done.get(), done.toggle()],
        ["kind", ["c", "", "A", "\"a\""], kind.get()],
        ["at", ["", "abc", "1.5", "2020-01-01", "8640000000000001", "1e3"], at.get()],
        ["data", ["", "{", "null", "{\"a\":\"1\"}", "{}", "[1]", "1"], data.get()],
        ["stats.wins", ["x"], stats.wins.get(), stats.wins.increment()],
        ["stats.deep.low", ["1.25"], stats.deep.low.get(), stats.deep.low.min(0)]
      ]
      yield* Note.insert(note)
      for (const [field, texts, reads, computes] of cases) {
        const old = (yield* raw.hashGet(noteKey, field))!
        for (const text of texts) {
          yield* raw.hashSet(noteKey, { [field]: text })
          yield* unchanged(Effect.gen(function*() {
            for (const program of [Note.get("n"), Note.find("n")]) {
              const error = yield* fails(
                program as Operation,
                "EntityCorrupted",
                {
                  model: "EntitiesNote",
                  id: "n",
                  key: noteKey,
                  applied: false
                }
              )
              assert.isTrue(error.field === field || error.field.startsWith(`${field}.`), `${field} ${error.field}`)
              assert.isAbove(error.issue.length, 5)
            }
            yield* wrongType(reads, { model: "EntitiesNote", id: "n", key: noteKey, field })
            if (computes !== undefined) {
              yield* wrongType(computes, { model: "EntitiesNote", id: "n", key: noteKey, field })
            }
          }))
        }
        yield* raw.hashSet(noteKey, { [field]: old })
      }
      assert.deepEqual(yield* Note.get("n"), note)
      // other fields of the entity work
      yield* raw.hashSet(noteKey, { count: "abc" })
      assert.strictEqual(yield* text.append("!"), 2)
      yield* count.set(4)
      assert.deepEqual(yield* Note.get("n"), { ...note, text: "t!", count: 4 })
    }))

  test("an invalid stored item fails its operations, which name the field and leave it unchanged", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      yield* Note.insert(note)
      yield* raw.listPush(`${noteKey}:stats.deep.list`, "x")
      const { list } = Note.ref("n").stats.deep
      yield* unchanged(Effect.gen(function*() {
        yield* fails(Note.get("n"), "EntityCorrupted", { field: "stats.deep.list", applied: false })
        yield* fails(Note.ref("n").stats.$.get(), "EntityCorrupted", { field: "stats.deep.list" })
        yield* wrongType(list.get(), { key: `${noteKey}:stats.deep.list`, field: "stats.deep.list" })
        yield* wrongType(list.slice(1), { field: "stats.deep.list" })
        yield* wrongType(list.at(-1).get(), { key: `${noteKey}:stats.deep.list`, field: "stats.deep.list" })
        yield* wrongType(list.at(-1).increment(), { key: `${noteKey}:stats.deep.list`, field: "stats.deep.list" })
        assert.strictEqual(yield* list.length(), 3)
        assert.deepEqual(yield* list.slice(0, 2), [1, 2])
      }))
      // an item that is decoded after the commit has been removed, and the error says that the program was applied
      yield* wrongType(list.pop(), { field: "stats.deep.list", applied: true })
      assert.deepEqual(yield* list.get(), [1, 2])
    }))

  test("if a program finds invalid data only after the commit, its writes stand and the error says that it was applied", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      yield* Note.insert(note)
      yield* raw.hashSet(noteKey, { kind: "?" })
      const { count } = Note.ref("n")
      yield* fails(Atomic.all([count.increment(), Note.get("n")]), "EntityCorrupted", { field: "kind", applied: true })
      assert.strictEqual(yield* count.get(), 2)
      yield* wrongType(Note.ref("n").kind.getAndSet("b"), { field: "kind", applied: true })
      assert.deepEqual(yield* Note.get("n"), { ...note, count: 2, kind: "b" })
    }))

  test("an error says that the program was applied only if the program wrote", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      yield* Note.insert(note)
      yield* raw.hashSet(noteKey, { kind: "?" })
      const { count, stats, text } = Note.ref("n")
      const { list } = stats.deep
      const [read, other] = [Note.get("n"), Note.ref("other")]
      yield* list.clear()
      const say = (applied: boolean, programs: ReadonlyArray<Atomic.Atomic<unknown, any>>) =>
        Effect.forEach(programs, (program) => fails(program, "EntityCorrupted", { field: "kind", applied }))
      yield* unchanged(say(false, [
        Note.getOrInsert(note),
        Atomic.all([Note.ensure(note), read]),
        Atomic.all([Note.delete("other"), read]),
        Atomic.all([text.compareAndSet("no", "yes"), read]),
        Atomic.all([list.pop(), list.append([]), read]),
        Atomic.all([Atomic.when(count.set(9), count.gt(100)), read]),
        // its write was undone
        Atomic.all([Atomic.orElse(Atomic.andThen(count.set(9), list.at(7).get()), count.get()), read]),
        Atomic.all([Atomic.ignoreMissing(Atomic.andThen(count.set(9), other.count.increment())), read])
      ]))
      yield* say(true, [
        Atomic.all([Note.getOrInsert({ ...note, id: "other" }), read]),
        Atomic.all([Atomic.when(count.set(9), count.gt(0)), read]),
        Atomic.all([Atomic.orElse(list.at(7).set(1), count.set(0)), read]),
        Atomic.all([count.min(0), read]),
        Atomic.all([text.getAndSet(""), text.append(""), read])
      ])
      // reading is a write here, because it renews the time to live
      yield* Accessed.insert(withCollections("a"))
      yield* raw.hashSet("TimeToLiveAccessed:{a}", { count: "?" })
      yield* raw.expireAt("TimeToLiveAccessed:{a}", (yield* Clock.currentTimeMillis) + 60_000)
      yield* fails(Accessed.get("a"), "EntityCorrupted", { field: "count", applied: false })
      const left = Option.getOrThrow(yield* Accessed.timeToLive("a"))
      assert.isAbove(Duration.toMillis(left), 60_000)
    }))

  test("`getAndSet` does not return an invalid stored value", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      yield* Note.insert(note)
      const bad = { count: "abc", ratio: "0x10", done: "yes" }
      yield* raw.hashSet(noteKey, bad)
      const before = yield* raw.dump
      const { count, done, ratio } = Note.ref("n")
      yield* wrongType(count.getAndSet(2), { field: "count" })
      yield* wrongType(ratio.getAndSet(2), { field: "ratio" })
      yield* wrongType(done.getAndSet(true), { field: "done" })
      yield* wrongType(Atomic.all([count.set(3), ratio.getAndSet(2)]), { field: "ratio" })
      assert.deepEqual(yield* raw.dump, before)
      yield* raw.hashSet(noteKey, { count: "7", ratio: "NaN", done: "false" })
      assert.deepEqual(yield* Atomic.all([count.getAndSet(2), ratio.getAndSet(2), done.getAndSet(true)]), [
        7,
        NaN,
        false
      ])
    }))

  test("a key of the wrong type under the name of an entity is never changed", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      for (
        const write of [raw.stringSet(noteKey, "text"), raw.listPush(noteKey, "a", "b")]
      ) {
        yield* write
        yield* unchanged(Effect.gen(function*() {
          for (const program of [Note.get("n"), Note.find("n")]) {
            const error = yield* fails(
              program as Operation,
              "EntityCorrupted",
              {
                model: "EntitiesNote",
                id: "n",
                key: noteKey,
                field: "",
                applied: false
              }
            )
            assert.isAbove(error.issue.length, 5)
          }
          const { count, items, stats } = Note.ref("n")
          yield* fails(stats.$.get(), "EntityCorrupted", { key: noteKey, field: "" })
          for (
            const program of [
              Note.insert(note),
              Note.put(note),
              Note.delete("n"),
              Note.exists("n"),
              Note.update("n", {}),
              Note.update("n", { count: 2 })
            ]
          ) yield* wrongType(program as Operation, { model: "EntitiesNote", id: "n", key: noteKey, field: "" })
          for (
            const program of [
              count.get(),
              count.set(1),
              count.increment(),
              Atomic.all([count.increment(), count.get()]),
              items.append("x"),
              items.length(),
              items.at(0).get(),
              Atomic.all([items.get(), count.get()])
            ]
          ) yield* wrongType(program as Operation, { key: noteKey, field: "" })
        }))
        yield* raw.delete(noteKey)
      }
    }))

  test("a key of the wrong type under the name of a collection is never changed", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      const listKey = `${noteKey}:items`
      for (const write of [raw.stringSet(listKey, "text"), raw.hashSet(listKey, { a: "1" })]) {
        yield* Note.put({ ...note, items: [] })
        yield* write
        yield* unchanged(Effect.gen(function*() {
          const corrupted = { model: "EntitiesNote", id: "n", key: listKey, field: "items", applied: false }
          yield* fails(Note.get("n"), "EntityCorrupted", corrupted)
          yield* fails(Note.find("n"), "EntityCorrupted", corrupted)
          const { items } = Note.ref("n")
          for (
            const program of [
              items.get(),
              items.set(["x"]),
              items.set([]),
              items.length(),
              items.slice(0, 1),
              items.append("x"),
              items.prepend("x"),
              items.pop(),
              items.shift(),
              items.clear(),
              items.at(0).get(),
              items.at(0).set("x"),
              Atomic.all([Note.ref("n").count.increment(), items.append("x")])
            ]
          ) {
            yield* wrongType(program as Operation, {
              model: "EntitiesNote",
              id: "n",
              key: listKey,
              field: "items"
            })
          }
          yield* wrongType(Note.put({ ...note, items: ["x"] }), { key: listKey, field: "items" })
        }))
        // the other fields of the entity work
        assert.strictEqual(yield* Note.ref("n").count.increment(), 2)
        yield* raw.delete(listKey)
        assert.deepEqual(yield* Note.get("n"), { ...note, count: 2, items: [] })
      }
    }))

  test("an entity that another client stored exists with version 0, and its foreign fields are kept", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      const version = raw.hashGet("EntitiesSparse:{x}", "$v")
      yield* raw.hashSet("EntitiesSparse:{x}", { other: "theirs" })
      assert.isTrue(yield* Sparse.exists("x"))
      assert.deepEqual(yield* Sparse.get("x"), { id: "x", d: undefined })
      assert.deepEqual(yield* Sparse.ref("x").a.get(), Option.none())
      assert.strictEqual(yield* version, undefined)
      yield* Sparse.ref("x").a.set("a")
      assert.strictEqual(yield* version, "1")
      yield* Sparse.update("x", { a: undefined, b: 2 })
      assert.strictEqual(yield* version, "2")
      assert.deepEqual((yield* stored)["EntitiesSparse:{x}"], { other: "theirs", b: "2" })
      // a version that cannot be incremented refuses every write and no read
      for (const bad of ["abc", "", "1.5", " 7", "007", "-0", "9223372036854775807"]) {
        yield* raw.hashSet("EntitiesSparse:{x}", { $v: bad })
        yield* unchanged(Effect.gen(function*() {
          assert.deepEqual(yield* Sparse.get("x"), { id: "x", b: 2, d: undefined })
          const { a } = Sparse.ref("x")
          yield* wrongType(a.set("a"), { key: "EntitiesSparse:{x}", field: "" })
          yield* wrongType(Atomic.all([a.set("a"), a.get()]), { key: "EntitiesSparse:{x}", field: "" })
        }))
      }
      for (const [old, next] of [["9007199254740993", "9007199254740994"], ["-3", "-2"], ["0", "1"]]) {
        yield* raw.hashSet("EntitiesSparse:{x}", { $v: old })
        yield* Sparse.ref("x").a.set("a")
        assert.strictEqual(yield* version, next)
      }
      yield* fails(Sparse.insert({ id: "x", d: undefined }), "EntityExists")
      // the last field is removed, and the entity still exists
      yield* Sparse.ref("x").a.clear()
      yield* raw.hashDelete("EntitiesSparse:{x}", "other")
      yield* Sparse.ref("x").b.clear()
      assert.deepEqual(yield* Sparse.get("x"), { id: "x", d: undefined })
    }))
}
