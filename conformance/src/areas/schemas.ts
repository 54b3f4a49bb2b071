/** Which schemas a field may have: what can be written can be read, and what can't be stored is refused where it is defined. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as SchemaGetter from "effect/SchemaGetter"
import * as SchemaTransformation from "effect/SchemaTransformation"
import * as Atomic from "redlayer/Atomic"
import type * as DomainError from "redlayer/DomainError"
import * as Model from "redlayer/Model"
import type * as RedisService from "redlayer/RedisService"
import { RawStore } from "redlayer/testing"
import * as Topic from "redlayer/Topic"
import * as assert from "../assert.ts"
import { fails, stored, unchanged } from "../assertions.ts"
import type { Test } from "../suite.ts"

type Write = Effect.Effect<
  unknown,
  Model.ModifyFailure | DomainError.EntityExists | DomainError.OutOfBounds,
  RedisService.RedisService
>

class Salt extends Context.Service<Salt, { readonly text: string }>()("SchemasSalt") {}

/** Decodes with an effect. Its type hides that it needs a service, as code without types does. */
const decodedBy = (decode: (text: string) => Effect.Effect<string, never, any>): Schema.Codec<string, string> =>
  Schema.String.pipe(Schema.decode({
    decode: SchemaGetter.transformEffect((text: string) => decode(text) as Effect.Effect<string>),
    encode: SchemaGetter.transform((text: string) => `salt${text}`)
  }))

const effects = {
  asynchronous: [decodedBy((text) => Effect.as(Effect.sleep("1 millis"), text)), /must be synchronous/],
  salted: [
    decodedBy((text) => Effect.map(Salt, (salt) => text.slice(salt.text.length))),
    /must not need a service/
  ]
} as const

const withSalt = Effect.provideService(Salt, { text: "salt" })

const AtText = Schema.fromJsonString(Schema.Struct({ at: Schema.Date }))

/** The default of a date in a JSON text is `Date`'s own JSON, which `Schema.Date` does not read. */
const notAgain = { at: new Date(0) }

const Trimmed = Schema.String.pipe(Schema.decode(SchemaTransformation.trim()))

/** Its text differs each time, as that of an encrypted value. */
let written = 0
const Sealed = Schema.String.pipe(Schema.decode({
  decode: SchemaGetter.transform((text: string) => text.slice(text.indexOf(":") + 1)),
  encode: SchemaGetter.transform((text: string) => `${written++}:${text}`)
}))

/** A type that only its class can compare. */
class Opaque {
  readonly same: () => number
  constructor(n: number) {
    this.same = () => n
  }
}
const OpaqueField = Schema.Int.pipe(
  Schema.decodeTo(
    Schema.instanceOf(Opaque),
    SchemaTransformation.transform({ decode: (n) => new Opaque(n), encode: (opaque) => opaque.same() })
  )
)

interface NodeJson {
  readonly id: string
  readonly kids: ReadonlyArray<NodeJson>
  readonly next: NodeJson | null
  readonly named: { readonly [name: string]: NodeJson }
  readonly twin?: NodeJson
}

class Node extends Model.Class<Node>("SchemasNode")({
  id: Schema.String,
  kids: Schema.Array(Schema.suspend((): Schema.Codec<Node, NodeJson> => Node)),
  next: Schema.NullOr(Schema.suspend((): Schema.Codec<Node, NodeJson> => Node)),
  named: Schema.Record(Schema.String, Schema.suspend((): Schema.Codec<Node, NodeJson> => Node)),
  twin: Schema.optionalKey(Schema.suspend((): Schema.Codec<Node, NodeJson> => Node))
}, { key: "id" }) {
  get depth(): number {
    return 1 + Math.max(0, ...this.kids.map((kid) => kid.depth))
  }
}

const Later = Model.make("SchemasLater", {
  id: Schema.String,
  text: Schema.suspend(() => LaterText),
  list: Schema.suspend(() => LaterList),
  maybe: Schema.suspend(() => LaterMaybe)
}, { key: "id" })
const LaterText = Schema.String
const LaterList = Schema.Array(Schema.Int)
const LaterMaybe = Schema.NullOr(Schema.Int)

const Profile = Model.make("SchemasProfile", {
  id: Schema.String,
  nick: Schema.OptionFromOptionalKey(Schema.String),
  age: Schema.OptionFromOptional(Schema.Int),
  at: Schema.OptionFromOptionalNullOr(Schema.Date),
  deep: Schema.Struct({ note: Schema.OptionFromOptionalKey(Schema.String) }),
  whole: Schema.Struct({ note: Schema.OptionFromOptionalKey(Schema.String) }).pipe(Model.json),
  first: Schema.OptionFromOptionalKey(Schema.String).pipe(Model.withDefault(Option.some("x"))),
  level: Schema.Int.pipe(Schema.withDecodingDefaultKey(Effect.succeed(1)))
}, { key: "id" })

const none = {
  nick: Option.none(),
  age: Option.none(),
  at: Option.none(),
  deep: { note: Option.none() },
  whole: { note: Option.none() },
  first: Option.none(),
  level: 2
}

const Any = Model.make("SchemasAny", {
  id: Schema.String,
  any: Schema.Json,
  unknown: Schema.Unknown,
  nothing: Schema.Void,
  optional: Schema.optionalKey(Schema.Json),
  list: Schema.Array(Schema.Json)
}, { key: "id" })

export const schemas = (test: Test): void => {
  test("a value whose transformation needs a service, or is asynchronous, is refused when it is written", () =>
    Effect.gen(function*() {
      for (const [name, [schema, issue]] of Object.entries(effects)) {
        const Holder = Model.make(`SchemasHolder:${name}`, {
          id: Schema.String,
          field: Schema.optionalKey(schema),
          items: Schema.Array(schema),
          members: Schema.ReadonlySet(schema),
          entries: Schema.Record(Schema.String, schema),
          names: Schema.ReadonlyMap(schema, Schema.Int),
          scores: Model.sortedSet(schema),
          struct: Schema.Struct({ inner: Schema.NullOr(schema) }),
          json: Schema.optionalKey(Schema.Struct({ inner: schema }))
        }, { key: "id" })
        const empty = {
          id: "a",
          items: [],
          members: new Set<string>(),
          entries: {},
          names: new Map<string, number>(),
          scores: [],
          struct: { inner: null }
        }
        const parts = {
          field: "x",
          items: ["x"],
          members: new Set(["x"]),
          entries: { a: "x" },
          names: new Map([["x", 1]]),
          scores: [{ member: "x", score: 1 }],
          struct: { inner: "x" },
          json: { inner: "x" }
        }
        yield* Holder.insert(empty)
        const { entries, field, items, members, names, scores, struct } = Holder.ref("a")
        const { id: _, ...whole } = empty
        const writes: ReadonlyArray<Write> = [
          ...Object.entries(parts).flatMap(([key, part]): ReadonlyArray<Write> => [
            Holder.insert({ ...whole, id: "b", [key]: part }),
            Holder.put({ ...empty, [key]: part }),
            Holder.update("a", { [key]: part }),
            Holder.modify("a", (entity) => ({ ...entity, [key]: part }))
          ]),
          field.set("x"),
          items.append("x"),
          members.add("x"),
          entries.at("a").set("x"),
          names.at("x").set(1),
          scores.add("x", 1),
          struct.inner.set("x"),
          struct.$.set({ inner: "x" })
        ]
        for (const write of writes) {
          const error = yield* unchanged(fails(withSalt(write), "InvalidValue"))
          assert.match(error.issue, issue, name)
        }
        const Keyed = Model.make(`SchemasKeyed:${name}`, { key: schema, n: Schema.Int }, { key: "key" })
        const keyed: ReadonlyArray<Write> = [Keyed.insert({ key: "x", n: 1 }), Keyed.get("x")]
        for (const program of keyed) {
          const error = yield* unchanged(fails(withSalt(program), "InvalidValue", { field: "key" }))
          assert.match(error.issue, issue, name)
        }
        const topic = Topic.make(`schemas:${name}`, schema)
        const error = yield* fails(withSalt(topic.publish("x")), "InvalidValue")
        assert.match(error.issue, issue, name)
      }
    }))

  test("a value that its schema does not read back is refused when it is written", () =>
    Effect.gen(function*() {
      const Cfg = Model.make("SchemasCfg", {
        id: Schema.String,
        one: Schema.optionalKey(AtText),
        list: Schema.Array(AtText),
        set: Schema.ReadonlySet(AtText),
        map: Schema.Record(Schema.String, AtText),
        inner: Schema.NullOr(Schema.Struct({ list: Schema.Array(AtText) })),
        trimmed: Schema.optionalKey(Trimmed),
        sealed: Schema.optionalKey(Sealed),
        opaque: Schema.optionalKey(OpaqueField)
      }, { key: "id" })
      const empty = { id: "a", list: [], set: new Set<never>(), map: {}, inner: null }
      yield* Cfg.insert(empty)
      const parts = {
        one: notAgain,
        list: [notAgain],
        set: new Set([notAgain]),
        map: { a: notAgain },
        inner: { list: [notAgain] },
        trimmed: " a "
      }
      for (const [field, part] of Object.entries(parts)) {
        const inserted = yield* unchanged(fails(Cfg.put({ ...empty, [field]: part }), "InvalidValue", { field }))
        assert.match(inserted.issue, /decoded to again/)
        yield* unchanged(fails(Cfg.update("a", { [field]: part }), "InvalidValue", { field }))
        yield* unchanged(fails(Cfg.modify("a", (entity) => ({ ...entity, [field]: part })), "InvalidValue", { field }))
      }
      yield* unchanged(fails(Cfg.ref("a").list.append(notAgain), "InvalidValue"))
      const Keyed = Model.make("SchemasKeyedText", { key: Trimmed, n: Schema.Int }, { key: "key" })
      yield* unchanged(fails(Keyed.insert({ key: " a ", n: 1 }), "InvalidValue", { field: "key" }))
      const topic = Topic.make("schemas:text", AtText)
      yield* fails(topic.publish(notAgain), "InvalidValue")
      // a text that differs each time, and a type that can't be compared, are read back
      yield* Cfg.put({ ...empty, trimmed: "a", sealed: "s", opaque: new Opaque(5) })
      const found = yield* Cfg.get("a")
      assert.deepEqual([found.trimmed, found.sealed, found.opaque!.same()], ["a", "s", 5])
    }))

  test("a recursive model class and schemas that are defined later are stored as JSON", () =>
    Effect.gen(function*() {
      const leaf = new Node({ id: "leaf", kids: [], next: null, named: {} })
      yield* Node.insert({ id: "root", kids: [leaf], next: leaf, named: { a: leaf }, twin: leaf })
      const root = yield* Node.get("root")
      assert.isTrue(root.kids[0] instanceof Node && root.twin instanceof Node)
      assert.deepEqual([root.depth, root.next!.id, root.named.a!.id, root.twin!.id], [2, "leaf", "leaf", "leaf"])
      const { kids, named, next, twin } = Node.ref("root")
      assert.strictEqual(yield* kids.append(root), 2)
      assert.strictEqual((yield* kids.at(1).get()).depth, 2)
      assert.isTrue(Option.isSome(yield* next.get()) && Option.isSome(yield* twin.get()))
      yield* next.clear()
      yield* twin.clear()
      yield* named.at("b").set(leaf)
      assert.strictEqual((yield* Node.get("root")).depth, 3)

      yield* Later.insert({ id: "l", text: "a", list: [1], maybe: null })
      const { list, maybe, text } = Later.ref("l")
      assert.deepEqual(
        yield* Atomic.all([text.get(), list.get(), maybe.get()]),
        ["a", [1], null] as never
      )
      assert.isTrue(yield* list.compareAndSet([1], [1, 2]))
      yield* maybe.set(3)
      assert.deepEqual(yield* Later.get("l"), { id: "l", text: "a", list: [1, 2], maybe: 3 })
      assert.deepEqual(
        (yield* stored)["SchemasLater:{l}"],
        { text: "\"a\"", list: "[1,2]", maybe: "3" }
      )
    }))

  test("Option.none of a field whose encoding may be omitted is stored as a missing field", () =>
    Effect.gen(function*() {
      const key = "SchemasProfile:{a}"
      yield* Profile.insert({ id: "a", ...none })
      assert.deepEqual(yield* Profile.get("a"), { id: "a", ...none } as never)
      assert.deepEqual((yield* stored)[key], { first: "", level: "2", whole: "{}" })
      const { age, at, deep, first, level, nick } = Profile.ref("a")
      assert.deepEqual(
        yield* Atomic.all([nick.get(), age.get(), at.get(), deep.note.get(), first.get()]),
        [Option.none(), Option.none(), Option.none(), Option.none(), Option.none()]
      )
      assert.deepEqual(
        yield* Atomic.all([nick.eq(Option.none()), nick.neq(Option.none()), nick.eq(Option.some("x"))]),
        [true, false, false]
      )
      assert.isFalse(yield* nick.compareAndSet(Option.some("x"), Option.some("y")))
      assert.isTrue(yield* nick.compareAndSet(Option.none(), Option.some("y")))
      yield* at.set(Option.some(new Date(5)))
      yield* deep.note.set(Option.some("n"))
      assert.deepEqual(yield* Profile.get("a"), {
        id: "a",
        ...none,
        nick: Option.some("y"),
        at: Option.some(new Date(5)),
        deep: { note: Option.some("n") }
      } as never)
      yield* nick.set(Option.none())
      yield* Profile.update("a", { at: Option.none(), deep: { note: Option.none() }, age: Option.some(3) })
      yield* Profile.modify("a", (entity) => ({ ...entity, age: Option.none(), first: Option.some("f") }))
      assert.deepEqual((yield* stored)[key], { first: "\"f\"", level: "2", whole: "{}" })
      // what another version wrote: a field that it did not have reads as the default
      const raw = yield* RawStore
      for (const field of ["first", "level"]) yield* raw.hashDelete(key, field)
      assert.deepEqual(yield* Profile.get("a"), { id: "a", ...none, first: Option.some("x"), level: 1 } as never)
      assert.strictEqual(yield* level.get(), 1)
      assert.isTrue(yield* first.eq(Option.some("x")))
      const refused = yield* unchanged(fails(nick.set(Option.some(5) as never), "InvalidValue"))
      assert.match(refused.issue, /string/)
    }))

  test("Schema.Json is a value like others, with null, and Schema.Void reads as it was written", () =>
    Effect.gen(function*() {
      yield* Any.insert({ id: "a", any: null, unknown: null, nothing: undefined, list: [null] })
      assert.deepEqual(yield* Any.get("a"), { id: "a", any: null, unknown: null, nothing: undefined, list: [null] })
      const { any, nothing, optional } = Any.ref("a")
      assert.isNull(yield* any.get())
      assert.isTrue(yield* any.eq(null))
      assert.isTrue(yield* any.compareAndSet(null, [1, { a: null }]))
      assert.deepEqual(yield* any.get(), [1, { a: null }])
      yield* any.set(null)
      assert.isNull((yield* Any.get("a")).any)
      assert.deepEqual(yield* nothing.get(), Option.none())
      yield* optional.set(null)
      assert.deepEqual(yield* optional.get(), Option.some(null))
    }))

  test("a schema that is missing, or that can't be stored, is refused where the model is defined", () =>
    Effect.sync(() => {
      const unloaded: any = undefined
      const define = (fields: any) => () => Model.make("SchemasBad", { id: Schema.String, ...fields }, { key: "id" })
      const defineClass = (fields: any) => () => Model.Class<any>("SchemasBad")({ id: Schema.String, ...fields })
      const lazily = { ast: Schema.Struct({ a: Schema.String }).ast, fields: { a: unloaded } }
      for (const refused of [define, defineClass]) {
        assert.throws(refused({ owner: unloaded }), /Model "SchemasBad", field "owner": no schema/)
        assert.throws(refused({ e: Schema.Error }), /Model "SchemasBad", field "e": no schema/)
        assert.throws(refused({ e: Schema.Struct({ inner: Schema.Error as never }) }), /field "e.inner": no schema/)
        assert.throws(refused({ e: lazily }), /field "e.a": no schema/)
        assert.throws(refused({ at: Schema.instanceOf(Date) }), /field "at": .*JSON form.*Schema.Date/)
        for (
          const wrap of [
            Schema.Array,
            Schema.NullOr,
            Schema.optionalKey,
            Schema.ReadonlySet,
            Model.json as any,
            (schema: any) => Schema.Record(Schema.String, schema),
            (schema: any) => Schema.Struct({ at: schema }).pipe(Model.json)
          ]
        ) {
          assert.throws(() => refused({ at: wrap(Schema.instanceOf(Date)) })(), /JSON form/)
        }
        for (const wrap of [Schema.Array, Schema.ReadonlySet, Schema.NullOr] as ReadonlyArray<any>) {
          assert.throws(refused({ o: wrap(Schema.OptionFromOptionalKey(Schema.String)) }), /Schema.OptionFromNullOr/)
        }
      }
      assert.throws(() => Model.json(unloaded), /Model.json: no schema/)
      assert.throws(() => Model.tolerant(unloaded as never), /Model.tolerant: no schema/)
      assert.throws(() => Model.withDefault(1)(unloaded as never), /Model.withDefault: no schema/)
      assert.throws(() => Model.sortedSet(unloaded), /Model.sortedSet: no schema/)
      assert.throws(() => Topic.make("schemas:none", unloaded), /Topic "schemas:none": no schema/)
      assert.throws(() => Topic.make("schemas:date", Schema.instanceOf(Date)), /Topic "schemas:date": .*Schema.Date/)
      assert.throws(
        // @ts-expect-error: a key is always there
        () => Model.make("SchemasBad", { id: Schema.optionalKey(Schema.String) }, { key: "id" }),
        /its key names "id", which is optional/
      )
    }))
}
