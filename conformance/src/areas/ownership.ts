/** Whose a value is: a program keeps what it was made with, and what is given out is shared with nobody. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Atomic from "redlayer/Atomic"
import * as Model from "redlayer/Model"
import { RawStore } from "redlayer/testing"
import * as assert from "../assert.ts"
import { fails, unchanged } from "../assertions.ts"
import type { Test } from "../suite.ts"

class Part extends Schema.Class<Part>("OwnershipPart")({ at: Schema.Date }) {}

const content = {
  bytes: Schema.Uint8Array,
  any: Schema.Unknown,
  at: Schema.NullOr(Schema.Date),
  list: Schema.Array(Schema.String),
  set: Schema.ReadonlySet(Schema.Date),
  map: Schema.ReadonlyMap(Schema.String, Schema.Uint8Array),
  part: Part,
  json: Model.json(Schema.Array(Part)),
  struct: Schema.Struct({ at: Schema.Date })
}

const Blob = Model.make("OwnershipBlob", { day: Schema.Date, no: Schema.Int, ...content }, { key: ["day", "no"] })

class Named extends Model.Class<Named>("OwnershipNamed")({ name: Schema.String, ...content }, { key: "name" }) {}

/** Its id is an effect, so that the first commit makes the entity. */
const Generated = Model.make("OwnershipGenerated", content)

const make = () => ({
  bytes: new Uint8Array([1, 2]),
  any: { a: [1, { b: 1 }] },
  at: new Date(1),
  list: ["x"],
  set: new Set([new Date(2)]),
  map: new Map([["a", new Uint8Array([3])]]),
  part: new Part({ at: new Date(4) }),
  json: [new Part({ at: new Date(5) })],
  struct: { at: new Date(6) }
})

/** Changes every part of a value in place. */
const spoil = (value: any): void => {
  value.bytes[0] = 99
  value.any.a[1].b = 99
  value.any.c = 99
  value.at?.setTime(99)
  value.list.push("mine")
  for (const date of value.set) date.setTime(99)
  value.set.add(new Date(100))
  for (const bytes of value.map.values()) bytes[0] = 99
  value.map.set("mine", new Uint8Array())
  value.part.at.setTime(99)
  value.json[0].at.setTime(99)
  value.json.push(new Part({ at: new Date(99) }))
  value.struct.at.setTime(99)
}

const Sub = Model.make("OwnershipSub", {
  id: Schema.String,
  until: Schema.Date.pipe(Model.withDefault(new Date(5))),
  bytes: Schema.Uint8Array.pipe(Model.withDefault(new Uint8Array([1]))),
  json: Schema.Tuple([Schema.Int]).pipe(Model.withDefault([1])),
  any: Schema.Unknown.pipe(Model.withDefault({ a: [1] })),
  list: Schema.Array(Schema.String).pipe(Model.withDefault(["x"])),
  set: Schema.ReadonlySet(Schema.Date).pipe(Model.withDefault(new Set([new Date(7)]))),
  inner: Schema.Struct({ at: Schema.Date.pipe(Model.withDefault(new Date(8))) })
}, { key: "id" })

const sub = () => ({
  until: new Date(5),
  bytes: new Uint8Array([1]),
  json: [1],
  any: { a: [1] },
  list: ["x"],
  set: new Set([new Date(7)]),
  inner: { at: new Date(8) }
})

const spoilSub = (value: any): void => {
  value.until.setTime(99)
  value.bytes[0] = 99
  value.json[0] = 99
  value.any.a.push(99)
  value.list.push("mine")
  for (const date of value.set) date.setTime(99)
  value.set.add(new Date(100))
  value.inner.at.setTime(99)
}

const Tolerant = Model.make("OwnershipTolerant", {
  id: Schema.String,
  text: Schema.String,
  n: Schema.Int.pipe(Model.withDefault(1), Model.tolerant),
  at: Schema.Date.pipe(Model.withDefault(new Date(5)), Model.tolerant),
  list: Schema.Array(Schema.Int).pipe(Model.tolerant),
  set: Schema.ReadonlySet(Schema.Date).pipe(Model.withDefault(new Set([new Date(6)])), Model.tolerant)
}, { key: "id" })

const Loose = Model.make("OwnershipLoose", {
  id: Schema.String,
  nick: Schema.optionalKey(Schema.String),
  n: Schema.Int,
  inner: Schema.Struct({ note: Schema.optionalKey(Schema.Int) }),
  json: Schema.Struct({ note: Schema.optionalKey(Schema.Int) }).pipe(Model.json),
  list: Schema.Array(Schema.Struct({ note: Schema.optionalKey(Schema.Int) })),
  map: Schema.Record(Schema.String, Schema.NullOr(Schema.Struct({ note: Schema.optionalKey(Schema.Int) })))
}, { key: "id" })

export const ownership = (test: Test): void => {
  test("a program stores the values that it was made with, whatever happens to them before it is committed", () =>
    Effect.gen(function*() {
      const blob = (day: Date, value: ReturnType<typeof make>) => ({ day, no: 1, ...value })
      const programs = {
        insert: (value: ReturnType<typeof make>, day: Date) => Blob.insert(blob(day, value)),
        put: (value: ReturnType<typeof make>, day: Date) => Blob.put(blob(day, value)),
        getOrInsert: (value: ReturnType<typeof make>, day: Date) => Blob.getOrInsert(blob(day, value)),
        ensure: (value: ReturnType<typeof make>, day: Date) => Blob.ensure(blob(day, value))
      }
      for (const [i, [name, program]] of Object.entries(programs).entries()) {
        const [value, day] = [make(), new Date(i)]
        const made = program(value, day)
        spoil(value)
        day.setTime(99)
        yield* made
        const found = yield* Blob.get([new Date(i), 1])
        assert.deepEqual(found, { day: new Date(i), no: 1, ...make() }, name)
      }
      const value = make()
      const made = Named.insert({ name: "a", ...value })
      const updated = Named.update("a", value)
      spoil(value)
      yield* made
      assert.deepEqual({ ...yield* Named.get("a") }, { name: "a", ...make() })
      yield* updated
      assert.deepEqual({ ...yield* Named.get("a") }, { name: "a", ...make() })
      const instance = new Named({ name: "b", ...make() })
      const put = Named.put(instance)
      spoil(instance)
      yield* put
      assert.deepEqual({ ...yield* Named.get("b") }, { name: "b", ...make() })
      // a generated id is made by the first commit; an instance of a class is then its caller's
      const { json, part, ...plain } = make()
      const generated = Generated.insert({ ...plain, json: [], part: new Part({ at: new Date(4) }) })
      spoil({ ...plain, json, part })
      const { id } = yield* generated
      assert.deepEqual(yield* Generated.get(id), { id, ...make(), json: [] })
    }))

  test("each commit of a program returns an entity that it shares with nobody", () =>
    Effect.gen(function*() {
      const value = make()
      const instance = new Named({ name: "n", ...make() })
      const programs = {
        insert: Blob.insert({ day: new Date(1), no: 1, ...value }),
        put: Blob.put({ day: new Date(1), no: 1, ...value }),
        getOrInsert: Atomic.map(Blob.getOrInsert({ day: new Date(1), no: 1, ...value }), ({ entity }) => entity),
        class: Named.insert({ name: "n", ...value }),
        instance: Named.insert(instance),
        generated: Generated.insert(value)
      }
      for (const [name, program] of Object.entries(programs)) {
        const results: Array<unknown> = []
        for (let i = 0; i < 3; i++) {
          const entity: any = yield* program
          const { day, id, name: _, no, ...content } = entity
          assert.deepEqual({ ...content }, make(), name)
          spoil(entity)
          day?.setTime(99)
          results.push(entity)
          yield* Atomic.all([Blob.delete([new Date(1), 1]), Named.delete("n"), Generated.delete(id ?? "none")])
        }
        assert.strictEqual(new Set(results).size, 3, name)
      }
      assert.deepEqual({ ...instance }, { name: "n", ...make() })
      assert.deepEqual(value, make())
      const many = Named.insertMany([instance])
      const [first] = yield* many
      assert.isTrue(first!._tag === "Success" && first.success !== instance)
    }))

  test("the key of an entity that is read is not the id of its caller", () =>
    Effect.gen(function*() {
      const Day = Model.make("OwnershipDay", { at: Schema.Date, n: Schema.Int }, { key: "at" })
      const at = new Date(1)
      yield* Day.insert({ at, n: 1 })
      const reads = {
        get: Day.get(at),
        find: Atomic.map(Day.find(at), Option.getOrThrow),
        pick: Day.pick(at, ["at", "n"]),
        getMany: Effect.map(Day.getMany([at]), ([found]) => found!._tag === "Success" ? found.success : undefined),
        modify: Day.modify(at, (day) => day)
      }
      for (const [name, read] of Object.entries(reads)) {
        const found = yield* read
        found!.at.setTime(99)
        assert.deepEqual([at, (yield* read)!.at], [new Date(1), new Date(1)], name)
      }
      const get = Day.get(at)
      at.setTime(5)
      assert.deepEqual(yield* get, { at: new Date(1), n: 1 })
    }))

  test("a default is made anew for each entity and each read", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      spoilSub(yield* Sub.insert({ id: "a", inner: {} }))
      const b = yield* Sub.insert({ id: "b", inner: {} })
      assert.deepEqual(b, { id: "b", ...sub() } as never)
      assert.deepEqual(yield* Sub.get("b"), { id: "b", ...sub() } as never)
      // entities that were stored before the fields existed
      for (const id of ["old1", "old2"]) {
        yield* Sub.insert({ id, inner: {} })
        for (const field of ["until", "bytes", "json", "any", "inner.at"]) {
          yield* raw.hashDelete(`OwnershipSub:{${id}}`, field)
        }
      }
      yield* Sub.modify("old1", (entity) => {
        spoilSub(entity)
        return entity
      })
      spoilSub(yield* Sub.get("old2"))
      assert.deepEqual(yield* Sub.get("old2"), { id: "old2", ...sub() } as never)
      const { any, bytes, inner, until } = Sub.ref("old2")
      for (let i = 0; i < 2; i++) {
        const found = yield* Atomic.all([until.get(), bytes.get(), any.get(), inner.$.get()])
        assert.deepEqual(found, [new Date(5), new Uint8Array([1]), { a: [1] }, { at: new Date(8) }])
        found[0].setTime(99)
        found[1][0] = 99
        ;(found[2] as any).a.push(99)
        found[3].at.setTime(99)
      }
    }))

  test("what stands for an unreadable field is made anew, and modify says which fields are unreadable still", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      const key = "OwnershipTolerant:{a}"
      yield* Tolerant.insert({ id: "a", text: "t", list: [] })
      yield* raw.hashSet(key, { n: "x", at: "x" })
      yield* raw.listPush(`${key}:list`, "x")
      yield* raw.delete(`${key}:set`)
      yield* raw.setAdd(`${key}:set`, "x")
      for (let i = 0; i < 2; i++) {
        const found: any = yield* Tolerant.get("a")
        assert.deepEqual([found.at, found.list, found.set], [new Date(5), [], new Set([new Date(6)])])
        found.at.setTime(99)
        found.list.push(99)
        for (const date of found.set) date.setTime(99)
      }
      const fieldsOf = (entity: object) => Model.issues(entity).map(({ field }) => field)
      const all = ["n", "at", "list", "set"]
      assert.deepEqual(fieldsOf(yield* Tolerant.modify("a", (entity) => entity)), all)
      assert.deepEqual(fieldsOf(yield* Tolerant.modify("a", (entity) => ({ ...entity, text: "u" }))), all)
      const some = yield* Tolerant.modify("a", (entity) => ({ ...entity, at: new Date(7), list: [1] }))
      assert.deepEqual(fieldsOf(some), ["n", "set"])
      assert.deepEqual(fieldsOf(yield* Tolerant.get("a")), ["n", "set"])
      const locked = yield* Tolerant.withLock("a", (entity) => Effect.succeed({ ...entity, n: 2 }))
      assert.deepEqual(fieldsOf(locked), ["set"])
    }))

  test("update takes a whole entity, whose key must be that of the id", () =>
    Effect.gen(function*() {
      const day = new Date(1)
      yield* Blob.insert({ day, no: 1, ...make() })
      yield* Named.insert({ name: "a", ...make() })
      yield* Blob.update([day, 1], { ...yield* Blob.get([day, 1]), list: ["y"] })
      assert.deepEqual((yield* Blob.get([day, 1])).list, ["y"])
      yield* Named.update("a", yield* Named.get("a"))
      yield* Named.update("a", { ...yield* Named.get("a"), list: [] })
      assert.deepEqual((yield* Named.get("a")).list, [])
      yield* Named.update("a", { name: "a" })
      yield* fails(Named.update("none", { name: "none" }), "EntityNotFound")
      for (
        const other of [
          Named.update("a", { name: "b" }),
          Named.update("a", { name: undefined as never, list: [] }),
          Blob.update([day, 1], { day: new Date(2), no: 1 }),
          Blob.update([day, 1], { day, no: 2, list: [] })
        ]
      ) {
        const { issue } = yield* unchanged(fails(other, "InvalidValue"))
        assert.match(issue, /key of an entity can't be changed/)
      }
    }))

  test("an optional key that is undefined is absent, in whatever writes it", () =>
    Effect.gen(function*() {
      const bare = { id: "a", n: 1, inner: {}, json: {}, list: [{}], map: { a: {}, b: null } }
      const note: any = { note: undefined }
      const loose: any = { ...bare, nick: undefined, inner: note, json: note, list: [note], map: { a: note, b: null } }
      const full: any = { ...bare, nick: "x", inner: { note: 1 }, json: { note: 1 }, list: [{ note: 1 }], map: {} }
      const { id: _, ...fields } = loose
      const { inner, json, list, map } = Loose.ref("a")
      const writes = {
        insert: Effect.andThen(Loose.delete("a"), Loose.insert(loose)),
        put: Loose.put(loose),
        update: Loose.update("a", fields),
        modify: Loose.modify("a", () => loose),
        withLock: Loose.withLock("a", () => Effect.succeed(loose)),
        handles: Effect.andThen(
          Atomic.all([inner.$.set(note), json.set(note), list.set([note]), map.set({ a: note, b: null })]),
          Loose.update("a", { nick: undefined })
        )
      }
      for (const [name, write] of Object.entries(writes)) {
        yield* Loose.put(full)
        yield* write as Effect.Effect<unknown, any, any>
        const found = yield* Loose.get("a")
        assert.deepEqual(found, bare as never, name)
        assert.notProperty(found, "nick", name)
      }
      // a required field is not optional, nor is an entry of a record
      const Records = Model.make("OwnershipRecords", {
        id: Schema.String,
        record: Schema.Record(Schema.String, Schema.Int),
        json: Model.json(Schema.Record(Schema.String, Schema.Int))
      }, { key: "id" })
      const empty: any = { a: undefined }
      yield* fails(Records.insert({ id: "a", record: empty, json: {} }), "InvalidValue")
      yield* fails(Records.insert({ id: "a", record: {}, json: empty }), "InvalidValue")
      yield* fails(Records.ref("a").json.set(empty), "InvalidValue")
      yield* fails(Loose.put({ ...loose, n: undefined }), "InvalidValue", { field: "n" })
      const generated = yield* Generated.insert({ ...make(), id: undefined } as never)
      assert.isTrue(generated.id.length === 36)
    }))
}
