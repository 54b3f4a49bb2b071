/** All entities of a model: `stream` and `count`. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Atomic from "redlayer/Atomic"
import * as Lock from "redlayer/Lock"
import * as Model from "redlayer/Model"
import * as RedisService from "redlayer/RedisService"
import { RawStore } from "redlayer/testing"
import * as assert from "../assert.ts"
import type { Test } from "../suite.ts"

const collections = {
  n: Schema.Int,
  list: Schema.Array(Schema.String),
  map: Schema.Record(Schema.String, Schema.Int),
  home: Schema.Struct({ tags: Schema.ReadonlySet(Schema.String) })
}
const content = (n: number) => ({ n, list: ["a"], map: { a: 1 }, home: { tags: new Set(["a"]) } })

const Plain = Model.make("Scanned", { id: Schema.String, ...collections }, { key: "id" })
// names that begin or end as the first one, or look like a pattern
const Longer = Model.make("ScannedLonger", { id: Schema.String, n: Schema.Int }, { key: "id" })
const Pattern = Model.make("Scan*[d]?", { id: Schema.String, n: Schema.Int }, { key: "id" })
const Pair = Model.make("ScannedPair", { a: Schema.String, b: Schema.Int, ...collections }, { key: ["a", "b"] })
const Shared = Model.make("ScannedShared", { a: Schema.String, b: Schema.Int, c: Schema.String, ...collections }, {
  key: ["a", "b", "c"],
  slot: "b"
})
const Parted = Model.make("ScannedParted", { id: Schema.String, ...collections }, {
  key: "id",
  slot: { partitions: 3 }
})
const PartedPair = Model.make("ScannedPartedPair", { a: Schema.String, b: Schema.Int, ...collections }, {
  key: ["a", "b"],
  slot: { partitions: 3 }
})
const Dated = Model.make("ScannedDated", { at: Schema.Date, n: Schema.Int }, { key: "at" })
class Entity extends Model.Class<Entity>("ScannedEntity")({ id: Schema.Int, n: Schema.Int }, { key: "id" }) {
  get double() {
    return this.n * 2
  }
}

const strange = [
  "a",
  "a:b",
  "a:list",
  "{a}",
  "}",
  "*",
  "%",
  "%3A",
  " ",
  "é😀",
  "p1",
  "$lock:x",
  "home.tags",
  "a".repeat(300)
]

const all = <A, E>(stream: Model.BulkStream<A, E, never, never>) =>
  Effect.flatMap(Stream.runCollect(stream), Effect.forEach(Effect.fromResult))

/** Asserts that a model has exactly these entities, and that the scan changes nothing. */
const has = (model: Model.Any, entities: ReadonlyArray<unknown>) =>
  Effect.gen(function*() {
    const order = (items: ReadonlyArray<unknown>) => items.map((item) => JSON.stringify(item)).sort()
    assert.deepEqual(order(yield* all(model.stream())), order(entities))
    assert.strictEqual(yield* model.count(), entities.length)
  })

export const scans = (test: Test): void => {
  test("`stream` returns each entity of the model once, for every form of key and of slot, and `count` their number", () =>
    Effect.gen(function*() {
      const models: ReadonlyArray<readonly [any, ReadonlyArray<any>]> = [
        [Plain, strange.map((id, n) => ({ id, ...content(n) }))],
        [Longer, strange.map((id, n) => ({ id, n }))],
        [Pattern, strange.map((id, n) => ({ id, n }))],
        [Pair, strange.map((a, b) => ({ a, b: b - 2, ...content(b) }))],
        [Shared, strange.map((c, b) => ({ a: strange[(b + 3) % strange.length], b, c, ...content(b) }))],
        [Parted, strange.map((id, n) => ({ id, ...content(n) }))],
        [PartedPair, strange.map((a, b) => ({ a, b, ...content(b) }))],
        [Dated, [{ at: new Date(0), n: 1 }, { at: new Date(1e12), n: 2 }]]
      ]
      for (const [model] of models) yield* has(model, [])
      for (const [model, entities] of models) {
        const inserted: Model.Bulk<unknown, unknown> = model.insertMany(entities)
        for (const result of yield* inserted) assert.isTrue(Result.isSuccess(result))
      }
      for (const [model, entities] of models) yield* has(model, entities)
      for (const [model, entities] of models) {
        const { a, at, b, c, id } = entities[0]
        const deleted: Effect.Effect<boolean, unknown, RedisService.RedisService> = model.delete(
          id ?? at ?? (c === undefined ? [a, b] : [a, b, c])
        )
        assert.isTrue(yield* deleted)
        yield* has(model, entities.slice(1))
      }
    }))

  test("the entities of a class are instances", () =>
    Effect.gen(function*() {
      yield* Entity.insertMany([{ id: 1, n: 1 }, { id: -2, n: 2 }])
      const doubles = Effect.map(all(Entity.stream()), (found) => found.map(({ double }) => double))
      assert.deepEqual((yield* doubles).toSorted((a, b) => a - b), [2, 4])
    }))

  test("keys beside an entity are no entities: collections, locks, permits and idempotency keys, with or without it", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      const models: ReadonlyArray<readonly [model: any, id: unknown, key: string, entity: object]> = [
        [Plain, "a", "Scanned:{a}", { id: "a" }],
        [Pair, ["a", 1], "ScannedPair:{a:1}", { a: "a", b: 1 }],
        [Shared, ["a", 1, "c"], "ScannedShared:{1}:a:c", { a: "a", b: 1, c: "c" }],
        [Parted, "a", "ScannedParted:{p1}:a", { id: "a" }],
        [PartedPair, ["a", 1], "ScannedPartedPair:{p2}:a:1", { a: "a", b: 1 }]
      ]
      for (const [model, id, key, entity] of models) {
        const whole = { ...entity, ...content(1) }
        const { list, map } = model.ref(id) as Model.Ref<typeof Plain>
        yield* model.insert(whole) as Effect.Effect<unknown, unknown, RedisService.RedisService>
        yield* Atomic.commit(Atomic.all([list.slice(0, 0), map.size()]), {
          idempotencyKey: "a:1}:{b",
          keepFor: "1 minute"
        })
        const keys = [":list", ":map", ":home.tags", ":$key:a:1}:{b"].map((rest) => key + rest)
        const stored = Object.keys(yield* raw.dump)
        assert.deepEqual([key, ...keys].filter((expected) => !stored.includes(expected)), [])
        const held = Lock.withLock("x", () => has(model, [whole]), { on: model.ref(id), mode: { permits: 2 } })
        yield* Lock.withLock("x:y", () => held, { on: model.ref(id) })
        yield* raw.delete(key)
        yield* has(model, [])
      }
    }))

  test("a key that no entity of the model has is a failure in the stream, and others stay readable", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      yield* Entity.insert({ id: 1, n: 1 })
      yield* raw.hashSet("ScannedEntity:{one}", { n: "1" })
      yield* raw.hashSet("ScannedEntity:{007}", { n: "1" })
      yield* raw.hashSet("ScannedEntity:{5}", { n: "many" })
      // not the form of a key of the model
      yield* raw.hashSet("ScannedEntity:{2}:{3}", { n: "1" })
      yield* raw.hashSet("ScannedEntity:{2}:", { n: "1" })
      yield* raw.hashSet("ScannedEntity:{}", { n: "1" })
      yield* raw.hashSet("ScannedEntity:{", { n: "1" })
      yield* raw.hashSet("ScannedEntity:4", { n: "1" })
      const results = yield* Stream.runCollect(Entity.stream())
      const texts = results.map((result) =>
        Result.isSuccess(result) ? `${result.success.id}` : `${result.failure._tag} ${(result.failure as any).key}`
      )
      assert.deepEqual(texts.sort(), [
        "1",
        "EntityCorrupted ScannedEntity:{007}",
        "EntityCorrupted ScannedEntity:{5}",
        "EntityCorrupted ScannedEntity:{one}"
      ])
      assert.strictEqual(yield* Entity.count(), 4)
    }))

  test("`stream` finds each entity that exists during the scan, among many keys of others and while others come and go", () =>
    Effect.gen(function*() {
      const many = (from: number, count: number) =>
        Array.from({ length: count }, (_, i) => ({ id: `${from + i}`, n: i }))
      yield* Longer.insertMany(many(0, 3000))
      yield* Entity.insertMany(many(0, 1500).map(({ n }) => ({ id: n, n })))
      yield* Longer.insertMany(many(5000, 3000))
      const busy = yield* Effect.forkChild(Effect.gen(function*() {
        for (let i = 0; i < 10; i++) {
          yield* Longer.insertMany(many(10_000, 300))
          yield* Longer.deleteMany(many(10_000, 300).map(({ id }) => id))
          yield* Entity.insertMany(many(i * 100, 100).map(({ id, n }) => ({ id: 5000 + Number(id), n })))
        }
      }))
      const seen: Array<number> = []
      yield* Stream.runForEach(Entity.stream({ concurrency: 100 }), (result) =>
        Effect.sync(() => {
          assert.isTrue(Result.isSuccess(result))
          if (Result.isSuccess(result)) seen.push(result.success.id)
        }))
      yield* Fiber.join(busy)
      const found = new Set(seen)
      assert.deepEqual(Array.from({ length: 1500 }, (_, i) => i).filter((id) => !found.has(id)), [])
      assert.isAtLeast(yield* Entity.count(), 2500)
      assert.deepEqual((yield* Stream.runCollect(Stream.take(Longer.stream(), 5))).length, 5)
    }))

  test("an entity that is deleted or has expired does not occur, and a scan renews nothing", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      const Brief = Model.make("ScannedBrief", { id: Schema.String, list: Schema.Array(Schema.Int) }, {
        key: "id",
        timeToLive: { duration: "1 hour", refresh: "access" }
      })
      yield* Brief.insertMany(["a", "b", "c"].map((id) => ({ id, list: [1] })))
      yield* Brief.expire("a", "10 minutes")
      yield* Brief.delete("b")
      const past = (yield* Clock.currentTimeMillis) - 1000
      for (const key of ["ScannedBrief:{c}", "ScannedBrief:{c}:list"]) yield* raw.expireAt(key, past)
      const at = yield* raw.expiresAt("ScannedBrief:{a}")
      assert.deepEqual(yield* all(Brief.stream()), [{ id: "a", list: [1] }])
      assert.strictEqual(yield* Brief.count(), 1)
      assert.strictEqual(yield* raw.expiresAt("ScannedBrief:{a}"), at)
    }))

  test("a service that cannot scan fails with Unsupported", () =>
    Effect.gen(function*() {
      const service = yield* RedisService.RedisService
      const without = { ...service, scan: undefined }
      for (const effect of [Entity.count(), Stream.runDrain(Entity.stream())]) {
        const error = yield* Effect.flip(Effect.provideService(effect, RedisService.RedisService, without))
        assert.strictEqual(error.reason._tag, "Unsupported")
      }
    }))
}
