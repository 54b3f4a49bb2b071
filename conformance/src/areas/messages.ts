/** The texts of errors: what is wrong, and which field it concerns. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Atomic from "redlayer/Atomic"
import * as Model from "redlayer/Model"
import { RawStore } from "redlayer/testing"
import * as assert from "../assert.ts"
import { fails, type Operation, unchanged } from "../assertions.ts"
import type { Test } from "../suite.ts"

const check = ({ from, to }: any): void => {
  if (from > to) throw new Error("from is after to")
}

class Span extends Model.Class<Span>("MessagesSpan")({ id: Schema.String, from: Schema.Int, to: Schema.Int }, {
  key: "id"
}) {
  readonly checked = check(this)
}

class Range extends Schema.Class<Range>("MessagesRange")({ from: Schema.Int, to: Schema.Int }) {
  readonly checked = check(this)
}

const Box = Model.make("MessagesBox", {
  id: Schema.String,
  n: Schema.Int,
  text: Schema.optionalKey(Schema.String),
  range: Range,
  list: Schema.Array(Schema.String),
  map: Schema.Record(Schema.String, Schema.String),
  inner: Schema.Struct({ set: Schema.ReadonlySet(Schema.String), note: Schema.optionalKey(Schema.String) })
}, { key: "id" })

const box = {
  id: "a",
  n: 1,
  range: new Range({ from: 1, to: 2 }),
  list: ["a", "b"],
  map: { a: "b" },
  inner: { set: new Set(["a"]) }
}

export const messages = (test: Test): void => {
  test("an entity or a struct that its class refuses is said to be refused by its class", () =>
    Effect.gen(function*() {
      yield* Span.insert({ id: "a", from: 1, to: 2 })
      yield* Span.ref("a").from.set(5)
      const span = yield* unchanged(fails(Span.get("a"), "EntityCorrupted", { field: "" }))
      assert.strictEqual(span.message, "A stored MessagesSpan can't be read: its class refuses it (get)")
      yield* Box.insert(box)
      yield* Box.ref("a").range.from.set(5)
      const found = yield* unchanged(fails(Box.get("a"), "EntityCorrupted", { field: "range" }))
      assert.strictEqual(found.message, "A stored MessagesBox can't be read: range: its class refuses it (get)")
    }))

  test("a key that is no entity is said to be of another kind", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      yield* raw.stringSet("MessagesSpan:{a}", "x")
      const error = yield* unchanged(fails(Span.get("a"), "EntityCorrupted", { field: "" }))
      assert.strictEqual(error.message, "A stored MessagesSpan can't be read: its key is of another kind (get)")
    }))

  test("the error of a value that is too large names its field, whichever program writes it", () =>
    Effect.gen(function*() {
      const long = "x".repeat(1_000_001)
      const values: ReadonlyArray<readonly [string, object]> = [
        ["text", { text: long }],
        ["list", { list: ["a", "b", long] }],
        ["map", { map: { a: "b", c: long } }],
        ["map", { map: { [long]: "a" } }],
        ["inner.note", { inner: { set: new Set(), note: long } }],
        ["inner.set", { list: [], inner: { set: new Set(["a", long]) } }]
      ]
      for (const [field, value] of values) {
        const entity = { ...box, ...value }
        const writes: Record<string, Operation> = {
          insert: Box.insert(entity),
          put: Box.put(entity),
          getOrInsert: Box.getOrInsert(entity),
          ensure: Box.ensure(entity)
        }
        for (const [method, write] of Object.entries(writes)) {
          const error = yield* unchanged(fails(write, "InvalidValue", { id: "a", field }))
          const name = field.startsWith("inner") ? "inner" : field
          assert.strictEqual(error.message, `MessagesBox.${name}: Expected at most 1000000 bytes (${method})`)
        }
      }
      yield* Box.insert(box)
      const error = yield* unchanged(fails(Box.ref("a").list.append(long), "InvalidValue", { field: "list" }))
      assert.match(error.issue, /1000000 bytes/)
    }))

  test("a read of a required field for which nothing is stored says so", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      yield* Box.insert(box)
      yield* raw.hashDelete("MessagesBox:{a}", "n")
      const { n } = Box.ref("a")
      for (const read of [n.get(), Effect.map(Atomic.all([n.get(), n.get()]), ([found]) => found)]) {
        const error = yield* unchanged(Effect.flip(read))
        assert.strictEqual(error.message, "Nothing is stored for MessagesBox.n")
        assert.isTrue(error._tag === "RedisServiceError" && error.reason._tag === "WrongType" && error.reason.isMissing)
      }
      yield* raw.hashSet("MessagesBox:{a}", { n: "x" })
      assert.strictEqual(
        (yield* Effect.flip(n.get())).message,
        "What is stored for MessagesBox.n is of another kind"
      )
    }))

  test("the error of a time to live that is too long or too short says both bounds", () =>
    Effect.gen(function*() {
      yield* Box.insert(box)
      for (const duration of ["100000000000 days", "0 millis", "-1 millis"] as const) {
        const programs: ReadonlyArray<Operation> = [
          Box.expire("a", duration),
          Box.insert({ ...box, id: "b" }, { timeToLive: duration })
        ]
        for (const program of programs) {
          const { issue } = yield* unchanged(fails(program, "InvalidValue"))
          assert.match(issue, /at least 1 ms and at most 99999999999999 ms/)
        }
        const once = Atomic.commit(Box.exists("a"), { idempotencyKey: "k", keepFor: duration })
        const { issue } = yield* unchanged(fails(once, "InvalidValue"))
        assert.match(issue, /at least 1 ms and at most 99999999999999 ms/)
        assert.throws(
          () => Model.make("MessagesLife", { id: Schema.String }, { key: "id", timeToLive: { duration } }),
          /at least 1 ms and at most 99999999999999 ms/
        )
      }
    }))

  test("a save within withLock that an inner withLock overtook is not blamed on others", () =>
    Effect.gen(function*() {
      yield* Box.insert(box)
      const outer = Box.withLock("a", (entity) =>
        Effect.as(
          Box.withLock("a", (inner) => Effect.succeed({ ...inner, n: inner.n + 1 }), { name: "inner" }),
          { ...entity, n: entity.n + 1 }
        ))
      const error = yield* fails(outer, "Conflict", { reason: "version" })
      assert.strictEqual(error.message, "This MessagesBox was written since it was read (withLock)")
      assert.strictEqual((yield* Box.get("a")).n, 2)
    }))
}
