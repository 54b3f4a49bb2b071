/** Whole entities: insert, put, get, find, update, delete, exists; defaults; what others have stored by hand. */
import { assert } from "@effect/vitest"
import { Clock, DateTime, Effect, Option, Schema } from "effect"
import { Atomic, type Field, Model } from "redlayer"
import { fails, type Operation, stored, together, unchanged, wrongType } from "./assertions.ts"
import { RawWriter, type Test } from "./Raw.ts"

class Medal extends Schema.Class<Medal>("EntitiesMedal")({ name: Schema.String, points: Schema.Int }) {
  get label() {
    return `${this.name} (${this.points})`
  }
}

const Color = { Red: "red", Green: "green" } as const

class Player extends Model.Class<Player>("EntitiesPlayer")({
  name: Schema.String,
  title: Schema.String,
  level: Schema.Int,
  ratio: Schema.Number,
  active: Schema.Boolean,
  role: Schema.Literals(["user", "admin"]),
  color: Schema.Enum(Color),
  email: Schema.String.pipe(Schema.brand("Email")),
  born: Schema.Date,
  joined: Schema.DateTimeUtc,
  avatar: Schema.Uint8Array,
  tags: Schema.Array(Schema.String),
  scores: Schema.Array(Schema.Number),
  medals: Schema.Array(Medal),
  best: Medal,
  home: Schema.Struct({
    city: Schema.String,
    geo: Schema.Struct({ lat: Schema.Number, lon: Schema.Number, names: Schema.Array(Schema.String) })
  }),
  pair: Schema.Tuple([Schema.String, Schema.Int]),
  choice: Schema.Union([Schema.String, Schema.Int, Schema.Struct({ a: Schema.Boolean })]),
  bag: Schema.Record(Schema.String, Schema.Int),
  note: Schema.NullOr(Schema.String),
  nick: Schema.optionalKey(Schema.String),
  age: Schema.optional(Schema.Int),
  extra: Schema.optionalKey(Schema.Struct({ x: Schema.Int })),
  blob: Schema.Struct({ a: Schema.Int, b: Schema.Array(Schema.Int) }).pipe(Model.json)
}, { key: "name" }) {
  get shout() {
    return `${this.title}!`
  }
  greet(other: string) {
    return `${this.name} greets ${other}`
  }
}

const email = (text: string) => text as typeof Player.fields.email.Type

const alice = {
  name: "alice",
  title: "Dr",
  level: 3,
  ratio: 0.1 + 0.2,
  active: true,
  role: "admin",
  color: Color.Green,
  email: email("a@example.org"),
  born: new Date(86_400_123),
  joined: DateTime.makeUnsafe(1_700_000_000_123),
  avatar: Uint8Array.from({ length: 256 }, (_, i) => i),
  tags: ["x", "", "x"],
  scores: [1.5, -2, 1e21],
  medals: [new Medal({ name: "gold", points: 3 })],
  best: new Medal({ name: "silver", points: 2 }),
  home: { city: "Bern", geo: { lat: 46.9, lon: 7.4, names: ["Bern", "Berne"] } },
  pair: ["p", 1],
  choice: { a: false },
  bag: { one: 1, two: 2 },
  note: null,
  nick: "al",
  age: 41,
  extra: { x: 1 },
  blob: { a: 1, b: [1, 2] }
} as const

const empty = {
  name: "empty",
  title: "",
  level: 0,
  ratio: 0,
  active: false,
  role: "user",
  color: Color.Red,
  email: email(""),
  born: new Date(0),
  joined: DateTime.makeUnsafe(0),
  avatar: new Uint8Array(),
  tags: [],
  scores: [],
  medals: [],
  best: new Medal({ name: "", points: 0 }),
  home: { city: "", geo: { lat: 0, lon: 0, names: [] } },
  pair: ["", 0],
  choice: "",
  bag: {},
  note: "",
  blob: { a: 0, b: [] }
} as const

const plain = (entity: object): Record<string, unknown> => ({ ...entity })

/** The same as plain objects that only hold their own fields. */
const Note = Model.make("EntitiesNote", {
  id: Schema.String,
  text: Schema.String,
  count: Schema.Int,
  ratio: Schema.Number,
  done: Schema.Boolean,
  kind: Schema.Literals(["a", "b"]),
  at: Schema.Date,
  data: Schema.Struct({ a: Schema.Int, b: Schema.optionalKey(Schema.String) }).pipe(Model.json),
  stats: Schema.Struct({ wins: Schema.Int, deep: Schema.Struct({ low: Schema.Int, list: Schema.Array(Schema.Int) }) }),
  items: Schema.Array(Schema.String),
  nick: Schema.optionalKey(Schema.String)
}, { key: "id" })

const note = {
  id: "n",
  text: "t",
  count: 1,
  ratio: 0.5,
  done: false,
  kind: "a",
  at: new Date(5),
  data: { a: 1 },
  stats: { wins: 1, deep: { low: 1, list: [1, 2] } },
  items: ["i", "j"],
  nick: "k"
} as const
const noteKey = "EntitiesNote:{n}"

/** Every operation on a field of an entity, each by its name. */
const everyOperation = (id: string): Record<string, Operation> => {
  const { at, count, data, done, items, kind, nick, ratio, stats, text } = Note.ref(id)
  return {
    "text.get": text.get(),
    "text.set": text.set("x"),
    "text.getAndSet": text.getAndSet("x"),
    "text.compareAndSet": text.compareAndSet("t", "x"),
    "text.append": text.append("x"),
    "count.get": count.get(),
    "count.set": count.set(2),
    "count.increment": count.increment(),
    "count.decrement": count.decrement(),
    "count.multiply": count.multiply(2),
    "count.divide": count.divide(1),
    "count.quotient": count.quotient(1),
    "count.modulo": count.modulo(2),
    "count.min": count.min(2),
    "count.max": count.max(2),
    "count.clamp": count.clamp(0, 5),
    "ratio.increment": ratio.increment(0.1),
    "done.get": done.get(),
    "done.toggle": done.toggle(),
    "kind.getAndSet": kind.getAndSet("b"),
    "at.set": at.set(new Date(0)),
    "data.get": data.get(),
    "data.compareAndSet": data.compareAndSet({ a: 1 }, { a: 2 }),
    "nick.get": nick.get(),
    "nick.isSet": nick.isSet(),
    "nick.set": nick.set("x"),
    "nick.setIfAbsent": nick.setIfAbsent("x"),
    "nick.clear": nick.clear(),
    "nick.compareAndSet": nick.compareAndSet("k", "x"),
    "stats.wins.increment": stats.wins.increment(),
    "stats.deep.low.set": stats.deep.low.set(3),
    "stats.$.get": stats.$.get(),
    "stats.$.set": stats.$.set({ wins: 2, deep: { low: 2, list: [] } }),
    "stats.deep.$.set": stats.deep.$.set({ low: 2, list: [3] }),
    "items.get": items.get(),
    "items.set": items.set(["x"]),
    "items.length": items.length(),
    "items.slice": items.slice(0, 1),
    "items.append": items.append("x"),
    "items.append nothing": items.append([]),
    "items.append with keep": items.append("x", { keep: 1 }),
    "items.prepend": items.prepend("x"),
    "items.prepend nothing": items.prepend([]),
    "items.pop": items.pop(),
    "items.shift": items.shift(),
    "items.clear": items.clear(),
    "items.at(0).get": items.at(0).get(),
    "items.at(0).set": items.at(0).set("x"),
    "items.at(0).append": items.at(0).append("x"),
    "stats.deep.list.append": stats.deep.list.append(5),
    "get": Note.get(id),
    "update": Note.update(id, { count: 5 }),
    "update nested": Note.update(id, { stats: { deep: { list: [] } } }),
    "update nothing": Note.update(id, {})
  }
}

const Later = Model.make("EntitiesLater", {
  id: Schema.String,
  old: Schema.String,
  text: Schema.String.pipe(Model.withDefault("abc")),
  count: Schema.Int.check(Schema.isLessThanOrEqualTo(10)).pipe(Model.withDefault(5)),
  ratio: Schema.Number.pipe(Model.withDefault(0.5)),
  done: Schema.Boolean.pipe(Model.withDefault(true)),
  kind: Schema.Literals(["a", "b"]).pipe(Model.withDefault("b")),
  at: Schema.Date.pipe(Model.withDefault(new Date(7))),
  data: Schema.Struct({ a: Schema.Int }).pipe(Model.json, Model.withDefault({ a: 1 })),
  nick: Schema.optionalKey(Schema.String).pipe(Model.withDefault("nobody")),
  note: Schema.NullOr(Schema.String).pipe(Model.withDefault(null)),
  stats: Schema.Struct({ wins: Schema.Int.pipe(Model.withDefault(2)), losses: Schema.Int.pipe(Model.withDefault(3)) }),
  items: Schema.Array(Schema.String).pipe(Model.withDefault(["x"]))
}, { key: "id" })

const defaults = {
  text: "abc",
  count: 5,
  ratio: 0.5,
  done: true,
  kind: "b",
  at: new Date(7),
  data: { a: 1 },
  nick: "nobody",
  note: null,
  stats: { wins: 2, losses: 3 }
} as const

const Sparse = Model.make("EntitiesSparse", {
  id: Schema.String,
  a: Schema.optionalKey(Schema.String),
  b: Schema.optional(Schema.Int),
  c: Schema.optionalKey(Schema.NullOr(Schema.String)),
  d: Schema.UndefinedOr(Schema.String)
}, { key: "id" })

export const entities = (test: Test): void => {
  for (const write of ["insert", "put"] as const) {
    test(`${write}, then get: the same by value, of the same classes`, () =>
      Effect.gen(function*() {
        const given = yield* Player[write](alice)
        const found = yield* Player.get("alice")
        assert.deepEqual(plain(found), plain(alice))
        assert.deepEqual(plain(given), plain(alice))
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
        assert.deepEqual(plain(Option.getOrThrow(again)), plain(alice))
        // and an entity is what its constructor takes
        yield* Player.put(found)
        assert.deepEqual(plain(yield* Player.get("alice")), plain(alice))
      }))
  }

  test("the empty and the absent come back, each as it was", () =>
    Effect.gen(function*() {
      yield* Player.insert(empty)
      assert.deepEqual(plain(yield* Player.get("empty")), plain(empty))
      for (const [choice, note] of [[0, null], ["0", "null"], ["", ""], [{ a: false }, "\"\""]] as const) {
        yield* Player.put({ ...empty, choice, note })
        const found = yield* Player.get("empty")
        assert.deepEqual(found.choice, choice)
        assert.strictEqual(found.note, note)
      }
      assert.deepEqual(Object.keys(yield* Player.get("empty")).filter((name) => !(name in empty)), [])
    }))

  test("absent, undefined and null stay apart", () =>
    Effect.gen(function*() {
      yield* Sparse.insert({ id: "x", d: undefined })
      assert.deepEqual(yield* Sparse.get("x"), { id: "x", d: undefined })
      assert.isTrue(yield* Sparse.exists("x"))
      // a key whose value is undefined is an absent key
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

  test("keeps one hash, and one list for each collection", () =>
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

  test("put replaces all of an entity, and what was stored beside it", () =>
    Effect.gen(function*() {
      const raw = yield* RawWriter
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

  test("put over a hash with ten thousand fields of another's", () =>
    Effect.gen(function*() {
      const raw = yield* RawWriter
      yield* raw.hashSet(noteKey, Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`f${i}`, "1"])))
      yield* Note.put(note)
      assert.deepEqual(yield* Note.get("n"), note)
      assert.strictEqual(Object.keys((yield* stored)[noteKey] as object).length, 10)
    }))

  test("insert of one that exists fails, and leaves it as it is", () =>
    Effect.gen(function*() {
      yield* Note.insert(note)
      yield* unchanged(fails(Note.insert({ ...note, text: "u" }), "EntityExists", { model: "EntitiesNote", id: "n" }))
      yield* unchanged(fails(
        Atomic.all([Note.ref("n").count.increment(), Note.insert(note)]),
        "EntityExists"
      ))
      const raced = yield* together(
        Array.from(
          { length: 8 },
          (_, i) => Effect.result(Atomic.commit(Note.insert({ ...note, id: "raced", count: i })))
        )
      )
      assert.strictEqual(raced.filter((result) => result._tag === "Success").length, 1)
      const winner = raced.findIndex((result) => result._tag === "Success")
      assert.deepEqual(yield* Note.get("raced"), { ...note, id: "raced", count: winner })
    }))

  test("insert and put clear what is left of collections whose entity is gone", () =>
    Effect.gen(function*() {
      const raw = yield* RawWriter
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

  test("delete gives true, then false, and removes every key of that entity alone", () =>
    Effect.gen(function*() {
      yield* Note.insert(note)
      yield* Note.insert({ ...note, id: "m" })
      assert.isTrue(yield* Note.delete("n"))
      assert.isFalse(yield* Note.delete("n"))
      assert.isFalse(yield* Note.exists("n"))
      assert.isTrue(yield* Note.exists("m"))
      assert.deepEqual(yield* Note.find("n"), Option.none())
      assert.deepEqual(Object.keys(yield* stored).filter((key) => !key.startsWith("EntitiesNote:{m}")), [])
      const raced = yield* together(Array.from({ length: 8 }, () => Atomic.commit(Note.delete("m"))))
      assert.strictEqual(raced.filter((one) => one).length, 1)
    }))

  test("every operation on an entity that never was fails, and creates nothing", () =>
    Effect.gen(function*() {
      for (const [name, operation] of Object.entries(everyOperation("never"))) {
        const error = yield* Effect.flip(operation)
        assert.deepInclude({ ...error, name }, { _tag: "EntityNotFound", model: "EntitiesNote", id: "never", name })
      }
      assert.deepEqual(yield* Note.find("never"), Option.none())
      // a model without lists is read on a way of its own
      assert.deepEqual(yield* Sparse.find("never"), Option.none())
      assert.deepEqual(yield* Atomic.all([Sparse.find("never"), Sparse.find("never")]), [Option.none(), Option.none()])
      yield* Sparse.put({ id: "never", d: undefined })
      assert.isTrue(Option.isSome(yield* Sparse.find("never")))
      assert.isTrue(yield* Sparse.delete("never"))
      assert.isFalse(yield* Note.exists("never"))
      assert.isFalse(yield* Note.delete("never"))
      assert.deepEqual(yield* stored, {})
    }))

  test("every operation on an entity that was deleted, or whose hash is gone, fails, and brings nothing back", () =>
    Effect.gen(function*() {
      const raw = yield* RawWriter
      yield* Note.insert(note)
      yield* Note.delete("n")
      for (const operation of Object.values(everyOperation("n"))) yield* fails(operation, "EntityNotFound")
      assert.deepEqual(yield* stored, {})
      yield* Note.insert(note)
      yield* raw.delete(noteKey)
      yield* unchanged(Effect.gen(function*() {
        for (const operation of Object.values(everyOperation("n"))) yield* fails(operation, "EntityNotFound")
        assert.isFalse(yield* Note.exists("n"))
        // it has nothing to delete
        assert.isFalse(yield* Note.delete("n"))
      }))
    }))

  test("every operation works on one that is there, alone and in a program", () =>
    Effect.gen(function*() {
      for (const name of Object.keys(everyOperation("n"))) {
        yield* Note.put(note)
        const alone = yield* everyOperation("n")[name]
        const left = yield* stored
        yield* Note.put(note)
        const [inProgram] = yield* Atomic.all([everyOperation("n")[name], Note.exists("n")])
        assert.deepEqual(inProgram, alone, name)
        assert.deepEqual(yield* stored, left, name)
      }
    }))

  test("update writes the given fields and no other, whatever others wrote meanwhile", () =>
    Effect.gen(function*() {
      const raw = yield* RawWriter
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

  test("update merges nested structs by leaf, replaces collections and JSON, and removes what is undefined", () =>
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

  test("update refuses what is no field, the key, and values that are none, and writes nothing", () =>
    Effect.gen(function*() {
      yield* Note.insert(note)
      const patches: ReadonlyArray<readonly [patch: any, field: string]> = [
        [{ nothing: 1 }, "nothing"],
        [{ count: 5, nothing: 1 }, "nothing"],
        [{ id: "n" }, "id"],
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
          // refused before it is sent, so also where there is none
          yield* fails(Note.update("never", patch), "InvalidValue", { field })
        }
      }))
      yield* fails(Note.update("n", null as any), "InvalidValue")
      yield* fails(Note.update("n", "patch" as any), "InvalidValue")
    }))

  test("insert and put refuse what the schema refuses, name the field, and write nothing", () =>
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

  test("an absent field with a default reads as the default, also on the server", () =>
    Effect.gen(function*() {
      const raw = yield* RawWriter
      const reset = Effect.andThen(raw.delete("EntitiesLater:{x}"), raw.hashSet("EntitiesLater:{x}", { old: "o" }))
      yield* reset
      // a collection reads as empty: its default is the constructor's only
      assert.deepEqual(yield* Later.get("x"), { id: "x", old: "o", ...defaults, items: [] })
      const { at, count, data, done, kind, nick, note, ratio, stats, text } = Later.ref("x")
      yield* unchanged(Effect.gen(function*() {
        assert.strictEqual(yield* text.get(), "abc")
        assert.strictEqual(yield* count.get(), 5)
        assert.strictEqual(yield* ratio.get(), 0.5)
        assert.isTrue(yield* done.get())
        assert.strictEqual(yield* kind.get(), "b")
        assert.deepEqual(yield* at.get(), new Date(7))
        assert.deepEqual(yield* data.get(), { a: 1 })
        assert.deepEqual(yield* nick.get(), Option.some("nobody"))
        assert.strictEqual(yield* note.get(), null)
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
      assert.isTrue(yield* note.compareAndSet(null, "n"))
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
      // and in one program, more than once
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
          Later.get("x")
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

  test("the constructor fills the defaults in", () =>
    Effect.gen(function*() {
      const given = yield* Later.insert({ id: "x", old: "o", stats: {} })
      assert.deepEqual(given, { id: "x", old: "o", ...defaults, items: ["x"] })
      assert.deepEqual(yield* Later.get("x"), given)
      // an empty list is not an absent one
      yield* Later.put({ id: "x", old: "o", stats: {}, items: [] })
      assert.deepEqual((yield* Later.get("x")).items, [])
      yield* Later.update("x", { count: 9 })
      assert.deepEqual((yield* Later.get("x")).count, 9)
      yield* fails(Later.update("x", { count: undefined as any }), "InvalidValue", { field: "count" })
    }))

  test("a struct with a default is one value, which is also what it reads as where it is absent", () =>
    Effect.gen(function*() {
      const raw = yield* RawWriter
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
      assert.deepEqual(yield* Grown.ref("x").stats.get(), stats)
      assert.isTrue(yield* Grown.ref("x").stats.compareAndSet(stats, { wins: 1, deep: { low: 1 } }))
      assert.deepEqual(yield* Grown.insert({ id: "y", old: "o" }), { id: "y", old: "o", stats })
    }))

  test("an absent field without a default is corrupted, until it is set", () =>
    Effect.gen(function*() {
      const raw = yield* RawWriter
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
      // the entity is there all the same, and a write repairs it
      assert.isTrue(yield* Note.exists("n"))
      yield* Note.update("n", { ...note, id: undefined, at: new Date(9) } as any).pipe(
        Effect.flip,
        Effect.map((error) => assert.strictEqual(error._tag, "InvalidValue"))
      )
      const { id: _, ...patch } = note
      yield* Note.update("n", patch)
      assert.deepEqual(yield* Note.get("n"), note)
    }))

  test("a field that was stored by hand in a wrong shape is named, and stays untouched", () =>
    Effect.gen(function*() {
      const raw = yield* RawWriter
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
      // what is beside a bad field works
      yield* raw.hashSet(noteKey, { count: "abc" })
      assert.strictEqual(yield* text.append("!"), 2)
      yield* count.set(4)
      assert.deepEqual(yield* Note.get("n"), { ...note, text: "t!", count: 4 })
    }))

  test("an item that was stored by hand in a wrong shape is named, and stays untouched", () =>
    Effect.gen(function*() {
      const raw = yield* RawWriter
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
      // what the client finds out later is not undone, and says so
      yield* wrongType(list.pop(), { field: "stats.deep.list", applied: true })
      assert.deepEqual(yield* list.get(), [1, 2])
    }))

  test("what a program finds corrupted after it wrote stands, and the error says so", () =>
    Effect.gen(function*() {
      const raw = yield* RawWriter
      yield* Note.insert(note)
      yield* raw.hashSet(noteKey, { kind: "?" })
      const { count } = Note.ref("n")
      yield* fails(Atomic.all([count.increment(), Note.get("n")]), "EntityCorrupted", { field: "kind", applied: true })
      assert.strictEqual(yield* count.get(), 2)
      yield* wrongType(Note.ref("n").kind.getAndSet("b"), { field: "kind", applied: true })
      assert.deepEqual(yield* Note.get("n"), { ...note, count: 2, kind: "b" })
    }))

  test("a text that is not of the field's kind is not given away by getAndSet", () =>
    Effect.gen(function*() {
      const raw = yield* RawWriter
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

  test("a key of another type under the entity's name is never touched", () =>
    Effect.gen(function*() {
      const raw = yield* RawWriter
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
          yield* fails(stats.$.get(), "EntityCorrupted", { field: "stats" })
          for (
            const program of [
              Note.insert(note),
              Note.put(note),
              Note.delete("n"),
              Note.exists("n"),
              Note.update("n", {}),
              Note.update("n", { count: 2 })
            ]
          ) yield* wrongType(program as Operation, { model: "EntitiesNote", id: "n", key: noteKey })
          yield* wrongType(count.get(), { key: noteKey, field: "count" })
          yield* wrongType(count.set(1), { key: noteKey, field: "count" })
          yield* wrongType(count.increment(), { key: noteKey, field: "count" })
          yield* wrongType(Atomic.all([count.increment(), count.get()]), { key: noteKey, field: "count" })
          yield* wrongType(items.append("x"), { field: "items" })
          yield* wrongType(items.length(), { field: "items" })
          yield* wrongType(items.at(0).get(), { field: "items" })
        }))
        yield* raw.delete(noteKey)
      }
    }))

  test("a key of another type under a collection's name is never touched", () =>
    Effect.gen(function*() {
      const raw = yield* RawWriter
      const listKey = `${noteKey}:items`
      for (const write of [raw.stringSet(listKey, "text"), raw.hashSet(listKey, { a: "1" })]) {
        yield* Note.put({ ...note, items: [] })
        yield* write
        yield* unchanged(Effect.gen(function*() {
          yield* fails(Note.get("n"), "EntityCorrupted", { model: "EntitiesNote", id: "n", applied: false })
          yield* fails(Note.find("n"), "EntityCorrupted")
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
          yield* wrongType(Note.put(note))
          yield* wrongType(Note.delete("n"))
        }))
        // the rest of the entity works
        assert.strictEqual(yield* Note.ref("n").count.increment(), 2)
        yield* raw.delete(listKey)
        assert.deepEqual(yield* Note.get("n"), { ...note, count: 2, items: [] })
      }
    }))

  test("an entity that was stored by hand exists, with version 0; fields of others are left alone", () =>
    Effect.gen(function*() {
      const raw = yield* RawWriter
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
      // a version that can't grow refuses every write, and no read
      for (const bad of ["abc", "", "1.5", " 7", "007", "-0", "9223372036854775807"]) {
        yield* raw.hashSet("EntitiesSparse:{x}", { $v: bad })
        yield* unchanged(Effect.gen(function*() {
          assert.deepEqual(yield* Sparse.get("x"), { id: "x", b: 2, d: undefined })
          yield* wrongType(Sparse.ref("x").a.set("a"), { key: "EntitiesSparse:{x}" })
          yield* wrongType(Atomic.all([Sparse.ref("x").a.set("a"), Sparse.ref("x").a.get()]), {
            key: "EntitiesSparse:{x}"
          })
        }))
      }
      for (const [old, next] of [["9007199254740993", "9007199254740994"], ["-3", "-2"], ["0", "1"]]) {
        yield* raw.hashSet("EntitiesSparse:{x}", { $v: old })
        yield* Sparse.ref("x").a.set("a")
        assert.strictEqual(yield* version, next)
      }
      yield* fails(Sparse.insert({ id: "x", d: undefined }), "EntityExists")
      // the last field goes, the entity stays
      yield* Sparse.ref("x").a.clear()
      yield* raw.hashDelete("EntitiesSparse:{x}", "other")
      yield* Sparse.ref("x").b.clear()
      assert.deepEqual(yield* Sparse.get("x"), { id: "x", d: undefined })
    }))

  test("the version grows by one with each program that writes, and with no other", () =>
    Effect.gen(function*() {
      const raw = yield* RawWriter
      const version = Effect.map(raw.hashGet(noteKey, "$v"), Number)
      const before = (yield* Clock.currentTimeMillis) * 1000
      yield* Note.insert(note)
      const first = yield* version
      // the server's own time, in microseconds
      assert.isAtLeast(first, before - 5_000_000)
      assert.isAtMost(first, (yield* Clock.currentTimeMillis) * 1000 + 5_000_000)
      const { count, done, items, nick, stats, text } = Note.ref("n")
      const writes: ReadonlyArray<Operation> = [
        count.increment(),
        count.increment(0),
        count.set(1),
        text.append(""),
        done.toggle(),
        nick.clear(),
        nick.setIfAbsent("x"),
        nick.compareAndSet("x", "y"),
        items.append("x"),
        items.pop(),
        items.at(0).set("x"),
        items.set([]),
        items.prepend("x"),
        items.clear(),
        stats.$.set(note.stats),
        Note.update("n", { text: "u", count: 1, items: ["i"] }),
        Note.put(note),
        Atomic.all([count.increment(), count.increment(), items.append(["a", "b"]), text.set("t"), items.clear()])
      ]
      for (let i = 0; i < writes.length; i++) {
        yield* writes[i]
        assert.strictEqual(yield* version, first + i + 1, `the write ${i}`)
      }
      yield* nick.clear()
      yield* unchanged(Effect.gen(function*() {
        yield* Note.get("n")
        yield* Note.find("n")
        yield* Note.exists("n")
        yield* count.get()
        yield* count.compareAndSet(77, 78)
        yield* nick.clear()
        yield* nick.isSet()
        yield* items.append([])
        yield* items.prepend([])
        yield* items.clear()
        yield* items.pop()
        yield* items.shift()
        yield* items.length()
        yield* Note.update("n", {})
        yield* Effect.flip(count.divide(0))
        yield* Effect.flip(Note.insert(note))
        yield* Effect.flip(Atomic.all([count.increment(), items.at(0).get()]))
      }))
      // a new incarnation never has a version that the last one had
      const last = yield* version
      yield* Note.delete("n")
      yield* Note.insert(note)
      assert.isAbove(yield* version, last)
      const inserted = yield* version
      yield* Atomic.all([Note.delete("n"), Note.insert(note)])
      assert.isAbove(yield* version, inserted)
    }))

  test("without a key of its own an entity gets an id, one for each value of the program", () =>
    Effect.gen(function*() {
      class Event extends Model.Class<Event>("EntitiesEvent")({ text: Schema.String }) {}
      const Entry = Model.make("EntitiesEntry", { text: Schema.String }, { slot: { partitions: 3 } })
      const insert = Event.insert({ text: "a" })
      const first = yield* insert
      assert.match(first.id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
      assert.deepEqual(yield* Event.get(first.id), first)
      // the value is one entity: committed again, it is there already
      yield* fails(insert, "EntityExists", { id: first.id })
      const put = Event.put({ text: "b" })
      assert.strictEqual((yield* put).id, (yield* put).id)
      const others = yield* together(Array.from({ length: 100 }, () => Event.insert({ text: "a" })))
      assert.strictEqual(new Set([first, ...others].map(({ id }) => id)).size, 101)
      const raced = yield* together(Array.from({ length: 8 }, () => Effect.result(insert)))
      assert.strictEqual(raced.filter(({ _tag }) => _tag === "Success").length, 0)
      const named = yield* Event.insert({ id: "mine", text: "c" })
      assert.deepEqual(yield* Event.get("mine"), named)
      const entry = yield* Entry.insert({ text: "d" })
      assert.deepEqual(yield* Entry.get(entry.id), entry)
      assert.deepEqual(Object.keys(entry).sort(), ["id", "text"])
      const two = yield* Atomic.all([Entry.insert({ text: "e" }), Entry.insert({ text: "f" })])
      assert.notStrictEqual(two[0].id, two[1].id)
    }))

  test("a default is made once, by the first commit, in its fiber", () =>
    Effect.gen(function*() {
      let made = 0
      const Stamp = Model.make("EntitiesStamp", {
        id: Schema.String,
        n: Schema.Int.pipe(Schema.withConstructorDefault(Effect.sync(() => ++made))),
        at: Schema.Number.pipe(Schema.withConstructorDefault(Clock.currentTimeMillis))
      }, { key: "id" })
      const put = Stamp.put({ id: "x" })
      assert.strictEqual(made, 0)
      const clock = { ...Clock.Clock.defaultValue(), currentTimeMillis: Effect.succeed(77) }
      const [first] = yield* Atomic.all([put, Stamp.ref("x").n.increment()]).pipe(
        Effect.provideService(Clock.Clock, Object.assign(Object.create(Clock.Clock.defaultValue()), clock))
      )
      assert.deepEqual(first, { id: "x", n: 1, at: 77 })
      assert.deepEqual(yield* put, { id: "x", n: 1, at: 77 })
      assert.deepEqual(yield* Stamp.get("x"), { id: "x", n: 1, at: 77 })
      const raced = Stamp.put({ id: "y" })
      const all = yield* together(Array.from({ length: 10 }, () => raced))
      assert.strictEqual(new Set(all.map(({ n }) => n)).size, 1)
      // a default that takes its time, first committed by two programs at once
      const Slow = Model.make("EntitiesSlow", {
        id: Schema.String,
        n: Schema.Int.pipe(Schema.withConstructorDefault(Effect.sync(() => ++made).pipe(Effect.delay(5))))
      }, { key: "id" })
      const slow = Slow.put({ id: "z" })
      const [one, two, three] = yield* together([
        slow,
        Atomic.map(slow, (z) => z),
        Atomic.andThen(Slow.exists("z"), slow)
      ])
      assert.deepEqual(two, one)
      assert.deepEqual(three, one)
      assert.deepEqual(yield* Slow.get("z"), one)
    }))

  test("a name is one plan: the same again is fine, another is refused", () =>
    Effect.gen(function*() {
      const fields = { id: Schema.String, count: Schema.Int.pipe(Model.withDefault(0)), at: Schema.Date }
      const First = Model.make("EntitiesNamed", fields, { key: "id" })
      const Second = Model.make("EntitiesNamed", { ...fields }, { key: "id" })
      yield* First.insert({ id: "x", at: new Date(1) })
      assert.deepEqual(yield* Second.get("x"), { id: "x", count: 0, at: new Date(1) })
      const others: ReadonlyArray<() => unknown> = [
        () => Model.make("EntitiesNamed", { ...fields, more: Schema.String }, { key: "id" }),
        () => Model.make("EntitiesNamed", { id: Schema.String, at: Schema.Date }, { key: "id" }),
        () => Model.make("EntitiesNamed", { ...fields, count: Schema.Int }, { key: "id" }),
        () => Model.make("EntitiesNamed", { ...fields, count: Schema.Int.pipe(Model.withDefault(1)) }, { key: "id" }),
        () =>
          Model.make("EntitiesNamed", { ...fields, count: Schema.Number.pipe(Model.withDefault(0)) }, { key: "id" }),
        () => Model.make("EntitiesNamed", { ...fields, count: Schema.Array(Schema.Int) }, { key: "id" }),
        () => Model.make("EntitiesNamed", { ...fields, at: Schema.optionalKey(Schema.Date) }, { key: "id" }),
        () =>
          Model.make("EntitiesNamed", { ...fields, at: Schema.Struct({ a: Schema.Int }).pipe(Model.json) }, {
            key: "id"
          }),
        () => Model.make("EntitiesNamed", { ...fields, at: Schema.Literals(["a", "b"]) }, { key: "id" }),
        () => Model.make("EntitiesNamed", { ...fields, id: Schema.Int }, { key: "id" }),
        () => Model.make("EntitiesNamed", { ...fields, other: Schema.String }, { key: "other" }),
        () => Model.make("EntitiesNamed", fields, { key: ["id", "at"] }),
        () => Model.make("EntitiesNamed", fields, { key: "id", slot: { partitions: 2 } }),
        () => {
          class Named extends Model.Class<Named>("EntitiesNamed")({ ...fields, name: Schema.String }, { key: "id" }) {}
          return Named
        }
      ]
      others.forEach((define, i) => assert.throws(define, /EntitiesNamed/, `definition ${i}`))
      class Same extends Model.Class<Same>("EntitiesNamed")(fields, { key: "id" }) {}
      assert.deepEqual({ ...(yield* Same.get("x")) }, { id: "x", count: 0, at: new Date(1) })
    }))

  test("refuses a definition that can't be stored", () =>
    Effect.sync(() => {
      const id = Schema.String
      const define = (fields: any, options: any) => () => Model.make("EntitiesRefused", fields, options)
      for (
        const [fields, options] of [
          [{ id }, { key: "other" }],
          [{ id }, { key: [] }],
          [{ id }, { key: ["id", "id"] }],
          [{ id }, { key: "id", slot: { partitions: 0 } }],
          [{ id }, { key: "id", slot: { partitions: 1.5 } }],
          [{ id, a: id }, { key: ["id", "a"], slot: "b" }],
          [{ id, a: id }, { key: "id", slot: "a" }],
          [{ id, $a: id }, { key: "id" }],
          [{ id, $v: id }, { key: "id" }],
          [{ id, a: Schema.Struct({ $: id }) }, { key: "id" }],
          [{ id, "": id }, { key: "id" }],
          [{ id, ["__proto__"]: id }, { key: "id" }],
          [{ id, "\ud800": id }, { key: "id" }]
        ]
      ) assert.throws(define(fields, options), /EntitiesRefused|Model field/)
      for (const name of ["", "$model", "\ud800"]) {
        assert.throws(() => Model.make(name, { id }, { key: "id" }), /Model/)
      }
    }))

  test("models of similar names never see each other's entities", () =>
    Effect.gen(function*() {
      const fields = { id: Schema.String, a: Schema.Int, list: Schema.Array(Schema.Int) }
      const names = [
        "User",
        "UserStats",
        "User:{1}",
        "User:{1}:list",
        "User%3A",
        "{User}",
        "user",
        "User Stats",
        "Us\u00e9r"
      ]
      const models = names.map((name) => Model.make(`Entities${name}`, fields, { key: "id" }))
      for (const [i, model] of models.entries()) yield* model.insert({ id: "1", a: i, list: [i] })
      for (const [i, model] of models.entries()) {
        assert.deepEqual(yield* model.get("1"), { id: "1", a: i, list: [i] })
      }
      assert.strictEqual(Object.keys(yield* stored).length, names.length * 2)
      assert.isTrue(yield* models[0].delete("1"))
      for (const model of models.slice(1)) assert.isTrue(yield* model.exists("1"))
      assert.isFalse(yield* models[0].exists("1"))
    }))

  test("no message holds an id or a value", () =>
    Effect.gen(function*() {
      const raw = yield* RawWriter
      const secret = "SECRET"
      const Shy = Model.make("EntitiesShy", {
        id: Schema.String,
        n: Schema.Int.check(Schema.isLessThan(5)),
        word: Schema.Literals(["a", "b"]),
        pattern: Schema.String.check(Schema.isPattern(/^[a-z]*$/), Schema.isMaxLength(5)),
        own: Schema.String.check(Schema.makeFilter((text) => text.length < 5)),
        data: Schema.Struct({ a: Schema.Int, b: Schema.Array(Schema.Literals(["x", "y"])) }).pipe(Model.json),
        union: Schema.Union([Schema.Int, Schema.Struct({ a: Schema.Boolean })]),
        record: Schema.Record(Schema.String, Schema.Int),
        list: Schema.Array(Schema.Int)
      }, { key: "id" })
      const shy = {
        id: secret,
        n: 1,
        word: "a",
        pattern: "",
        own: "",
        data: { a: 1, b: [] },
        union: 1,
        record: {},
        list: []
      } as const
      const key = `EntitiesShy:{${secret}}`
      const ref = Shy.ref(secret)
      const errors: Array<{ readonly _tag: string; readonly message: string }> = []
      const failed = (self: Operation) => Effect.map(Effect.flip(self), (error) => void errors.push(error))
      yield* failed(Shy.get(secret))
      yield* failed(ref.n.increment())
      yield* Shy.insert(shy)
      yield* failed(Shy.insert(shy))
      yield* failed(ref.n.increment(10))
      yield* failed(ref.n.divide(0))
      yield* failed(ref.list.at(3).get())
      const bad: Record<string, ReadonlyArray<any>> = {
        n: [secret, 99_887_766],
        word: [secret],
        pattern: [secret],
        own: [secret],
        data: [secret, { a: secret, b: [] }, { a: 1, b: [secret] }],
        record: [{ [secret]: secret }],
        union: [secret, { a: secret }],
        list: [secret, [secret], [99_887_766.5]]
      }
      for (const [name, values] of Object.entries(bad)) {
        for (const value of values) {
          const handle = (ref as any)[name]
          yield* failed(handle.set(value))
          yield* failed(Shy.update(secret, { [name]: value, nothing: 1 } as never))
          yield* failed(Shy.put({ ...shy, [name]: value }))
          if (name !== "list") {
            yield* raw.hashSet(key, { [name]: typeof value === "string" ? value : JSON.stringify(value) })
            yield* failed(handle.get())
            yield* failed(Shy.get(secret))
          }
        }
        yield* raw.delete(key)
        yield* Shy.put(shy)
      }
      yield* raw.listPush(`${key}:list`, secret)
      yield* failed(ref.list.get())
      yield* failed(Shy.get(secret))
      yield* raw.stringSet(`EntitiesShy:{${secret}2}`, secret)
      yield* failed(Shy.get(`${secret}2`))
      yield* failed(Shy.ref(`${secret}2`).n.set(1))
      assert.isAbove(errors.length, 40)
      for (const error of errors) {
        for (const text of [error.message, String((error as any).issue), String((error as any).reason?.message)]) {
          assert.notInclude(text, secret, error._tag)
          assert.notInclude(text, "99887766", error._tag)
        }
      }
    }))

  test("a model is not inherited by Schema's own extend", () =>
    Effect.sync(() => {
      class Base extends Model.Class<Base>("EntitiesBase")({ id: Schema.String }, { key: "id" }) {}
      class Derived extends (Base as any).extend("EntitiesDerived")({ more: Schema.Int }) {}
      assert.throws(() => (Derived as any).get("x"), /EntitiesBase/)
      assert.throws(() => (Derived as any).insert({ id: "x", more: 1 }), /EntitiesBase/)
    }))

  test("field names are names, whatever they hold", () =>
    Effect.gen(function*() {
      const names = [
        "a.b",
        "a:b",
        "a b",
        "a%2Eb",
        "{a}",
        "\u00e9",
        "\ud83d\ude00",
        "constructor",
        "toString",
        "hasOwnProperty",
        "~place",
        "then",
        "1",
        "a$",
        "\n"
      ]
      const fields = Object.fromEntries(names.map((name) => [name, Schema.Int]))
      const lists = Object.fromEntries(names.map((name) => [name, Schema.Array(Schema.Int)]))
      const Odd = Model.make("EntitiesOdd", {
        id: Schema.String,
        a: Schema.Struct({ b: Schema.Int }),
        ...fields,
        inner: Schema.Struct(lists)
      }, { key: "id" })
      const entity = {
        id: "x",
        a: { b: -1 },
        ...Object.fromEntries(names.map((name, i) => [name, i])),
        inner: Object.fromEntries(names.map((name, i) => [name, [i]]))
      }
      yield* Odd.insert(entity)
      assert.deepEqual(yield* Odd.get("x"), entity)
      const ref = Odd.ref("x")
      const numbers = ref as unknown as Record<string, Field.Number>
      for (const [i, name] of names.entries()) {
        assert.strictEqual(yield* numbers[name].increment(100), i + 100, name)
        assert.strictEqual(yield* ref.inner[name].append(1), 2, name)
      }
      assert.strictEqual(yield* ref.a.b.get(), -1)
      assert.deepEqual(yield* Odd.get("x"), {
        id: "x",
        a: { b: -1 },
        ...Object.fromEntries(names.map((name, i) => [name, i + 100])),
        inner: Object.fromEntries(names.map((name, i) => [name, [i, 1]]))
      })
      assert.strictEqual(Object.keys(yield* stored).length, 1 + names.length)
    }))
}
