/** Definitions of models: versions, generated ids, names, and messages of errors. */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Atomic from "redlayer/Atomic"
import type * as Field from "redlayer/Field"
import * as Model from "redlayer/Model"
import * as RedisService from "redlayer/RedisService"
import { RawStore } from "redlayer/testing"
import * as assert from "../assert.ts"
import { concurrently, fails, type Operation, stored, unchanged } from "../assertions.ts"
import type { Test } from "../suite.ts"
import { Note, note, noteKey } from "../support/entityModels.ts"

export const definitions = (test: Test): void => {
  test("a model of plain objects is a schema: it makes and decodes entities, and is part of other schemas and models", () =>
    Effect.gen(function*() {
      const Order = Model.make("DefinitionsOrder", {
        id: Schema.String,
        total: Schema.Int,
        lines: Schema.Array(Schema.String).pipe(Model.withDefault([]))
      }, { key: "id" })
      assert.isTrue(Schema.isSchema(Order))
      assert.strictEqual(Order.name, "DefinitionsOrder")
      const order = Order.make({ id: "o", total: 3 })
      assert.deepEqual(order, { id: "o", total: 3, lines: [] })
      assert.throws(() => Order.make({ id: "o", total: 1.5 }), /validation failed/)
      const Box = Schema.Struct({ order: Order })
      assert.deepEqual(Schema.decodeUnknownSync(Box)({ order }), { order })
      assert.deepEqual(yield* Order.insert(order), order)
      assert.deepEqual(yield* Order.get("o"), order)
      // as the field of another model it is a struct, with a handle for each of its fields
      const Parcel = Model.make("DefinitionsParcel", { id: Schema.String, order: Order }, { key: "id" })
      yield* Parcel.insert({ id: "p", order })
      assert.strictEqual(yield* Parcel.ref("p").order.total.increment(), 4)
      assert.deepEqual(yield* Parcel.get("p"), { id: "p", order: { ...order, total: 4 } })
      assert.strictEqual((yield* Order.get("o")).total, 3)
    }))

  test("the version grows by one with each program that writes, and with no other program", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      const version = Effect.map(raw.hashGet(noteKey, "$v"), Number)
      const before = (yield* Clock.currentTimeMillis) * 1000
      yield* Note.insert(note)
      const first = yield* version
      // the first version is the time of the server in microseconds
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
      // a recreated entity never has a version that the deleted one had
      const last = yield* version
      yield* Note.delete("n")
      yield* Note.insert(note)
      assert.isAbove(yield* version, last)
      const inserted = yield* version
      yield* Atomic.all([Note.delete("n"), Note.insert(note)])
      assert.isAbove(yield* version, inserted)
      // also if it was written more often than once per microsecond
      yield* concurrently(Array.from({ length: 500 }, () => count.increment()))
      const often = yield* version
      assert.isAtLeast(often, inserted + 500)
      yield* Note.delete("n")
      yield* Note.insert(note)
      assert.isAbove(yield* version, often)
    }))

  test("a model without a key generates an id, one per program value", () =>
    Effect.gen(function*() {
      class Event extends Model.Class<Event>("EntitiesEvent")({ text: Schema.String }) {}
      // one partition, so that two of them share a slot
      const Entry = Model.make("EntitiesEntry", { text: Schema.String }, { slot: { partitions: 1 } })
      const insert = Event.insert({ text: "a" })
      const first = yield* insert
      assert.match(first.id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
      assert.deepEqual(yield* Event.get(first.id), first)
      // committed again, the same value finds its entity
      yield* fails(insert, "EntityExists", { id: first.id })
      const put = Event.put({ text: "b" })
      assert.strictEqual((yield* put).id, (yield* put).id)
      const others = yield* concurrently(Array.from({ length: 100 }, () => Event.insert({ text: "a" })))
      assert.strictEqual(new Set([first, ...others].map(({ id }) => id)).size, 101)
      const raced = yield* concurrently(Array.from({ length: 8 }, () => Effect.result(insert)))
      assert.strictEqual(raced.filter(({ _tag }) => _tag === "Success").length, 0)
      const named = yield* Event.insert({ id: "mine", text: "c" })
      assert.deepEqual(yield* Event.get("mine"), named)
      const entry = yield* Entry.insert({ text: "d" })
      assert.deepEqual(yield* Entry.get(entry.id), entry)
      assert.deepEqual(Object.keys(entry).sort(), ["id", "text"])
      const two = yield* Atomic.all([Entry.insert({ text: "e" }), Entry.insert({ text: "f" })])
      assert.notStrictEqual(two[0].id, two[1].id)
    }))

  test("a default is computed once, by the first commit, in its fiber", () =>
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
      const all = yield* concurrently(Array.from({ length: 10 }, () => raced))
      assert.strictEqual(new Set(all.map(({ n }) => n)).size, 1)
      // an effectful default that takes time, with two concurrent first commits
      const Slow = Model.make("EntitiesSlow", {
        id: Schema.String,
        n: Schema.Int.pipe(Schema.withConstructorDefault(Effect.sync(() => ++made).pipe(Effect.delay(5))))
      }, { key: "id" })
      const slow = Slow.put({ id: "z" })
      const [one, two, three] = yield* concurrently([
        slow,
        Atomic.map(slow, (z) => z),
        Atomic.andThen(Slow.exists("z"), slow)
      ])
      assert.deepEqual(two, one)
      assert.deepEqual(three, one)
      assert.deepEqual(yield* Slow.get("z"), one)
    }))

  test("a model name may be defined again with the same fields, and is refused with others", () =>
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
      // another form of the name is refused where the first one is in use, alone, among others and in bulk
      const ids: ReadonlyArray<any> = ["x", 1, ["x", new Date(1)]]
      for (const [i, define] of others.entries()) {
        const other = define() as Model.Any
        const exits = yield* unchanged(Effect.gen(function*() {
          const programs: ReadonlyArray<Atomic.Any> = ids.flatMap((
            id
          ) => [other.exists(id), Atomic.all([Note.exists("n"), other.delete(id)])])
          const alone = yield* Effect.forEach(programs, (program) => Effect.exit(program))
          const bulk = yield* Effect.forEach(ids, (id) => Effect.exit(other.deleteMany([id])))
          return [...alone, ...yield* Atomic.pipeline(programs), ...bulk]
        }))
        assert.isTrue(exits.some(Exit.hasDies), `definition ${i}`)
        const fields = exits.filter(Exit.isFailure).map(({ cause }) => Cause.pretty(cause))
        assert.isTrue(fields.some((text) => /"EntitiesNamed": .*in use on this service/.test(text)), fields.join())
        // another service, with data of its own, takes it
        const elsewhere = yield* Effect.forEach(ids, (id) => Effect.exit(other.exists(id))).pipe(
          Effect.provide(RedisService.layerMemory)
        )
        assert.isTrue(elsewhere.some(Exit.isSuccess) && !elsewhere.some(Exit.hasDies), `definition ${i}`)
      }
      class Same extends Model.Class<Same>("EntitiesNamed")(fields, { key: "id" }) {}
      assert.deepEqual({ ...(yield* Same.get("x")) }, { id: "x", count: 0, at: new Date(1) })
    }))

  test("a definition that cannot be stored is refused", () =>
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

  test("models with similar names never see each other's entities", () =>
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

  test("no error message contains an id or a value", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
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
          if (name === "record") {
            yield* raw.hashSet(`${key}:record`, { [secret]: secret })
            yield* failed(handle.get())
            yield* failed(handle.at(secret).get())
            yield* failed(Shy.get(secret))
          } else if (name !== "list") {
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

  test("Schema's own `extend` does not inherit the model", () =>
    Effect.sync(() => {
      class Base extends Model.Class<Base>("EntitiesBase")({ id: Schema.String }, { key: "id" }) {}
      class Derived extends (Base as any).extend("EntitiesDerived")({ more: Schema.Int }) {}
      assert.throws(() => (Derived as any).get("x"), /EntitiesBase/)
      assert.throws(() => (Derived as any).insert({ id: "x", more: 1 }), /EntitiesBase/)
    }))

  test("field names may contain any characters", () =>
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

  test("a time to live that is no object, has no duration or refreshes in another way is refused by name", () =>
    Effect.sync(() => {
      const define = (timeToLive: unknown) => () =>
        Model.make("OptionsRefused", { id: Schema.String }, { key: "id", timeToLive: timeToLive as never })
      const wrong: ReadonlyArray<readonly [unknown, RegExp]> = [
        ["1 hour", /OptionsRefused.*an object such as/],
        [5000, /an object such as/],
        [null, /an object such as/],
        [{}, /no duration/],
        [{ duration: undefined, refresh: "never" }, /no duration/],
        [{ duration: NaN }, /at least 1 ms/],
        [{ duration: "soon" }, /at least 1 ms/],
        [{ duration: "1 hour", refresh: "delete" }, /`refresh`.*"never" or "write" or "access"/]
      ]
      for (const [timeToLive, text] of wrong) assert.throws(define(timeToLive), text, JSON.stringify(timeToLive))
      define(undefined)()
    }))

  test("options of a model and of its programs that are undefined are left out", () =>
    Effect.gen(function*() {
      const Left = Model.make("OptionsLeft", { id: Schema.String, n: Schema.Int }, {
        key: "id",
        slot: undefined,
        timeToLive: { duration: "1 hour", refresh: undefined }
      })
      const raw = yield* RawStore
      yield* Left.insert({ id: "a", n: 1 }, { timeToLive: undefined })
      yield* Left.ensure({ id: "b", n: 1 }, { timeToLive: undefined })
      yield* Left.modify("a", (left) => ({ ...left, n: 2 }), { schedule: undefined })
      yield* Left.withLock("a", (left) => Effect.succeed({ ...left, n: left.n + 1 }), {
        lease: undefined,
        mode: undefined,
        name: undefined,
        wait: undefined
      } as never)
      assert.strictEqual(yield* raw.hashGet("OptionsLeft:{a}", "n"), "3")
      for (const id of ["a", "b"]) {
        const left = Option.getOrUndefined(yield* Left.timeToLive(id))
        assert.isAbove(Number(left && Duration.toMillis(left)), 3_000_000)
      }
    }))
}
