/**
 * The contract of Effect's `Persistence` and its store, on Effect's own store in memory and on ours; and Effect's modules over ours.
 */
import { assert, describe, it } from "@effect/vitest"
import { Context, Duration, Effect, Exit, Layer, Request, RequestResolver, Schema, Scope } from "effect"
import { Persistable, PersistedCache, Persistence } from "effect/persistence"
import { TestClock } from "effect/testing"
import { DomainError, EffectPersistence, RedisService } from "redlayer"
import { isRedisServiceError } from "redlayer/RedisServiceError"
import { eventually, range } from "../live/liveService.ts"
import { type Here, places } from "./processes.ts"

type Backing = Persistence.BackingPersistence["Service"]

/** How the contract lets time pass. */
type Pass = (millis: number) => Effect.Effect<void>

const build = (layer: Layer.Layer<Persistence.BackingPersistence>) =>
  Effect.map(Layer.build(layer), (context) => Context.get(context, Persistence.BackingPersistence))

/** The stores of a process. */
const open = (here: Here) =>
  Effect.flatMap(
    here.process,
    (service) => build(Layer.provide(EffectPersistence.layerBacking, Layer.succeed(RedisService.RedisService, service)))
  )

/** Effect's `Persistence` of a process. */
const persistence = (here: Here) =>
  Effect.map(
    Effect.flatMap(here.process, (service) =>
      Layer.build(
        Layer.provide(EffectPersistence.layer, Layer.succeed(RedisService.RedisService, service))
      )),
    (context) => Context.get(context, Persistence.Persistence)
  )

const objects: ReadonlyArray<object> = [
  {},
  { a: 1 },
  [],
  [1, [null, true, "é\u0000\u{1f600}"]],
  { text: "a\ud800 is a lone surrogate", "": { "__proto__ ": 0.1 } },
  { long: "x".repeat(100_000) }
]

const keys = ["", " ", "/", "a", "a/b", "a:b", "%", "*", "[a]", "{a}", "$key", "é\u{1f600}", "\u0000", "__proto__"]

/** Each line of the contract of a store. */
const contract: Readonly<Record<string, (backing: Backing, pass: Pass) => Effect.Effect<void, unknown, Scope.Scope>>> =
  {
    "an entry that is missing is undefined": Effect.fnUntraced(function*(backing) {
      const store = yield* backing.make("s")
      assert.isUndefined(yield* store.get("a"))
      assert.deepStrictEqual(yield* store.getMany(["a", "b"]), [undefined, undefined])
      yield* store.remove("a")
      yield* store.clear
    }),

    "a value comes back as it was, under every key": Effect.fnUntraced(function*(backing) {
      const store = yield* backing.make("s")
      for (const value of objects) {
        yield* store.set("a", value, undefined)
        assert.deepStrictEqual(yield* store.get("a"), value)
      }
      for (const [i, key] of keys.entries()) yield* store.set(key, { i }, undefined)
      for (const [i, key] of keys.entries()) assert.deepStrictEqual(yield* store.get(key), { i })
      for (const key of keys) {
        yield* store.remove(key)
        assert.isUndefined(yield* store.get(key))
      }
    }),

    "getMany returns a value or undefined for each key, in their order": Effect.fnUntraced(function*(backing) {
      const store = yield* backing.make("s")
      yield* store.set("a", { is: "a" }, undefined)
      yield* store.set("b", { is: "b" }, undefined)
      assert.deepStrictEqual(yield* store.getMany(["b", "none", "a", "b"]), [
        { is: "b" },
        undefined,
        { is: "a" },
        { is: "b" }
      ])
      assert.deepStrictEqual(yield* store.getMany(["a"]), [{ is: "a" }])
    }),

    "an entry lives as long as it was set to live, and no longer": Effect.fnUntraced(function*(backing, pass) {
      const store = yield* backing.make("s")
      yield* store.set("short", { n: 1 }, Duration.minutes(1))
      yield* store.set("long", { n: 2 }, Duration.hours(1))
      yield* store.set("ever", { n: 3 }, undefined)
      yield* store.set("infinite", { n: 4 }, Duration.infinity)
      yield* pass(50_000)
      assert.deepStrictEqual(yield* store.get("short"), { n: 1 })
      yield* pass(10_000)
      assert.isUndefined(yield* store.get("short"))
      assert.deepStrictEqual(yield* store.getMany(["short", "long", "ever", "infinite"]), [
        undefined,
        { n: 2 },
        { n: 3 },
        { n: 4 }
      ])
      yield* pass(1e12)
      assert.deepStrictEqual(yield* store.getMany(["short", "long", "ever", "infinite"]), [
        undefined,
        undefined,
        { n: 3 },
        { n: 4 }
      ])
    }),

    "a set replaces the time to live of the entry before it": Effect.fnUntraced(function*(backing, pass) {
      const store = yield* backing.make("s")
      for (const key of ["longer", "shorter", "ever"]) yield* store.set(key, { n: 1 }, Duration.minutes(2))
      yield* pass(60_000)
      yield* store.set("longer", { n: 2 }, Duration.minutes(3))
      yield* store.set("shorter", { n: 2 }, Duration.seconds(30))
      yield* store.set("ever", { n: 2 }, undefined)
      yield* pass(40_000)
      assert.deepStrictEqual(yield* store.getMany(["longer", "shorter", "ever"]), [{ n: 2 }, undefined, { n: 2 }])
      yield* pass(60_000)
      assert.deepStrictEqual(yield* store.getMany(["longer", "shorter", "ever"]), [{ n: 2 }, undefined, { n: 2 }])
      yield* pass(1e12)
      assert.deepStrictEqual(yield* store.getMany(["longer", "shorter", "ever"]), [undefined, undefined, { n: 2 }])
    }),

    "a time to live of zero or less ends the entry at once": Effect.fnUntraced(function*(backing) {
      const store = yield* backing.make("s")
      for (const ttl of [Duration.zero, Duration.millis(-1), Duration.negativeInfinity]) {
        yield* store.set("a", { n: 1 }, undefined)
        yield* store.set("b", { n: 1 }, undefined)
        yield* store.set("a", { n: 2 }, ttl)
        yield* store.setMany([["b", { n: 2 }, ttl]])
        assert.deepStrictEqual(yield* store.getMany(["a", "b"]), [undefined, undefined], Duration.format(ttl))
      }
    }),

    "setMany sets each entry with its own time to live, and of a key that occurs twice the last one": Effect.fnUntraced(
      function*(backing, pass) {
        const store = yield* backing.make("s")
        yield* store.set("b", { n: 0 }, Duration.minutes(1))
        yield* store.setMany([
          ["a", { n: 1 }, Duration.minutes(1)],
          ["b", { n: 2 }, undefined],
          ["c", { n: 3 }, Duration.minutes(3)],
          ["twice", { n: 4 }, Duration.minutes(1)],
          ["twice", { n: 5 }, undefined],
          ["twice again", { n: 4 }, undefined],
          ["twice again", { n: 5 }, Duration.minutes(1)]
        ])
        const all = ["a", "b", "c", "twice", "twice again"] as const
        assert.deepStrictEqual(yield* store.getMany(all as never), [{ n: 1 }, { n: 2 }, { n: 3 }, { n: 5 }, { n: 5 }])
        yield* pass(120_000)
        assert.deepStrictEqual(yield* store.getMany(all as never), [undefined, { n: 2 }, { n: 3 }, { n: 5 }, undefined])
        yield* pass(120_000)
        assert.deepStrictEqual(yield* store.getMany(all as never), [
          undefined,
          { n: 2 },
          undefined,
          { n: 5 },
          undefined
        ])
      }
    ),

    "a store is a namespace: its keys are its own, and clear removes nothing else": Effect.fnUntraced(
      function*(backing) {
        const ids = ["s", "S", "s:", "s/", "s/a", "s%2F", "", "*", "s*", "[s]", "é"]
        const stores = yield* Effect.forEach(ids, (id) => backing.make(id))
        for (const [i, store] of stores.entries()) {
          for (const key of ["a", "/a", "a/a", ":a"]) yield* store.set(key, { i }, undefined)
        }
        for (const [i, store] of stores.entries()) {
          for (const key of ["a", "/a", "a/a", ":a"]) assert.deepStrictEqual(yield* store.get(key), { i })
          yield* store.clear
          assert.deepStrictEqual(yield* store.getMany(["a", "/a", "a/a", ":a"]), [
            undefined,
            undefined,
            undefined,
            undefined
          ])
          for (const other of stores.slice(i + 1)) assert.isDefined(yield* other.get("a"))
        }
      }
    ),

    "stores of one id are one store": Effect.fnUntraced(function*(backing) {
      const [one, two] = [yield* backing.make("s"), yield* backing.make("s")]
      yield* one.set("a", { n: 1 }, undefined)
      assert.deepStrictEqual(yield* two.get("a"), { n: 1 })
      yield* two.clear
      assert.isUndefined(yield* one.get("a"))
    })
  }

describe("the contract of a store of Persistence: Effect's own [memory]", () => {
  const pass: Pass = (millis) => Effect.asVoid(TestClock.adjust(millis))
  for (const [title, check] of Object.entries(contract)) {
    it.effect(
      title,
      () => Effect.scoped(Effect.flatMap(build(Persistence.layerBackingMemory), (backing) => check(backing, pass)))
    )
  }
})

class User extends Persistable.Class<{ payload: { id: number } }>()("User", {
  primaryKey: ({ id }) => `user/${id}`,
  success: Schema.Struct({ name: Schema.String, since: Schema.Date }),
  error: Schema.Struct({ reason: Schema.String })
}) {}

/** The same key with another schema, as in the next release of a program. */
class Renamed extends Persistable.Class<{ payload: { id: number } }>()("User", {
  primaryKey: ({ id }) => `user/${id}`,
  success: Schema.Struct({ title: Schema.String })
}) {}

/** `RequestResolver.persisted` takes requests without an error of their own. */
class Page extends Persistable.Class<{ payload: { id: number } }>()("Page", {
  primaryKey: ({ id }) => String(id),
  success: Schema.String
}) {}

const user = (id: number) => ({ name: `user ${id}`, since: new Date(id) })

const failsWith = Effect.fnUntraced(function*(
  self: Effect.Effect<unknown, Persistence.PersistenceError>,
  message: RegExp
) {
  const error = yield* Effect.flip(self)
  assert.strictEqual(error._tag, "PersistenceError")
  assert.match(error.message, message)
  return error.cause
})

for (const { describe, name, test } of places) {
  describe("the contract of a store of Persistence", () => {
    for (const [title, check] of Object.entries(contract)) {
      test(title, (here) => Effect.flatMap(open(here), (backing) => check(backing, here.pass)))
    }
  })

  describe("a store of Persistence", () => {
    test("an expiry is exact", (here) =>
      Effect.gen(function*() {
        const store = yield* (yield* open(here)).make("s")
        const before = Date.now()
        yield* store.set("a", {}, Duration.millis(59_999.2))
        const [expiresAt] = Object.values(yield* here.raw.dump).map((stored) => stored.expiresAt)
        // in memory the clock begins at 0
        if (name === "memory") assert.strictEqual(expiresAt, 60_000)
        else {
          assert.isAtLeast(expiresAt!, before + 60_000)
          assert.isAtMost(expiresAt!, Date.now() + 60_000)
        }
      }))

    test("a key or a value without a stored form is a typed error, and nothing is written", (here) =>
      Effect.gen(function*() {
        const store = yield* (yield* open(here)).make("s")
        const circular: Record<string, unknown> = {}
        circular.self = circular
        const invalid = /failed: EffectPersistence\.(key|value): /
        for (const key of ["a\ud800", "x".repeat(1100)]) {
          assert.instanceOf(yield* failsWith(store.get(key), invalid), DomainError.InvalidValue)
          assert.instanceOf(yield* failsWith(store.getMany(["a", key]), invalid), DomainError.InvalidValue)
          assert.instanceOf(yield* failsWith(store.set(key, {}, undefined), invalid), DomainError.InvalidValue)
          assert.instanceOf(yield* failsWith(store.set(key, {}, Duration.zero), invalid), DomainError.InvalidValue)
          assert.instanceOf(yield* failsWith(store.remove(key), invalid), DomainError.InvalidValue)
        }
        const long = { long: "x".repeat(1_000_000) }
        assert.instanceOf(yield* failsWith(store.set("a", long, undefined), invalid), DomainError.InvalidValue)
        assert.instanceOf(yield* failsWith(store.setMany([["a", long, undefined]]), invalid), DomainError.InvalidValue)
        const longest = Duration.days(3168 * 366)
        assert.instanceOf(
          yield* failsWith(store.set("a", {}, longest), /time to live of at least 1 ms/),
          DomainError.InvalidValue
        )
        for (const value of [circular, { n: 1n }, () => 1]) {
          yield* failsWith(store.set("a", value, undefined), /^set failed: /)
          yield* failsWith(store.setMany([["b", {}, undefined], ["a", value, undefined]]), /^setMany failed: /)
        }
        const foreign = yield* (yield* open(here)).make("a\ud800")
        yield* failsWith(foreign.set("a", {}, undefined), invalid)
        // it has no entry, and removes none of a store whose id is what its id becomes on the wire
        const similar = yield* (yield* open(here)).make("a\uFFFD")
        yield* similar.set("a", {}, undefined)
        yield* foreign.clear
        assert.deepStrictEqual(yield* similar.get("a"), {})
        yield* similar.clear
        assert.deepStrictEqual(yield* here.raw.dump, {})
      }))

    test("an entry that can't be read is an error of get, and undefined in getMany", (here) =>
      Effect.gen(function*() {
        const store = yield* (yield* open(here)).make("s")
        const key = (id: string) => `EffectPersistence:{s/${id}}`
        yield* store.set("good", { n: 1 }, undefined)
        yield* here.raw.hashSet(key("json"), { value: "{" })
        yield* here.raw.hashSet(key("none"), { other: "1" })
        yield* here.raw.stringSet(key("string"), "1")
        yield* failsWith(store.get("json"), /^get failed: .*JSON/)
        for (const id of ["none", "string"]) {
          assert.instanceOf(yield* failsWith(store.get(id), /^get failed/), DomainError.EntityCorrupted)
        }
        assert.deepStrictEqual(yield* store.getMany(["json", "none", "good", "string"]), [
          undefined,
          undefined,
          { n: 1 },
          undefined
        ])
        const cause = yield* failsWith(store.set("string", {}, undefined), /^set failed/)
        assert.isTrue(isRedisServiceError(cause) && cause.reason._tag === "WrongType")
      }))

    test("the error of a service that is closed is the cause", (here) =>
      Effect.gen(function*() {
        // in memory all processes have one service
        if (name === "memory") return
        const scope = yield* Scope.make()
        const store = yield* (yield* Scope.provide(open(here), scope)).make("s")
        yield* Scope.close(scope, Exit.void)
        for (
          const self of [
            store.get("a"),
            store.getMany(["a"]),
            store.set("a", {}, undefined),
            store.setMany([["a", {}, undefined]]),
            store.remove("a"),
            store.clear
          ]
        ) {
          const cause = yield* failsWith(self, /failed: The layer is closed/)
          assert.isTrue(isRedisServiceError(cause) && cause.reason._tag === "ConnectionUnavailable")
        }
      }))

    test(
      "thousands of entries are set, read and cleared, without KEYS, in different slots",
      (here) =>
        Effect.gen(function*() {
          const backing = yield* open(here)
          const [store, other] = [yield* backing.make("s"), yield* backing.make("other")]
          const ids = range(5000).map(String) as [string, ...Array<string>]
          yield* other.set("a", {}, undefined)
          yield* store.setMany(ids.map((id) => [id, { id }, Duration.hours(1)] as const) as never)
          assert.deepStrictEqual(yield* store.getMany(ids), ids.map((id) => ({ id })) as never)
          for (const { call } of here.nodes) assert.isAbove(Number(yield* call("DBSIZE")), 1000)
          yield* store.clear
          assert.deepStrictEqual(yield* store.getMany(ids), ids.map(() => undefined) as never)
          assert.deepStrictEqual(Object.keys(yield* here.raw.dump), ["EffectPersistence:{other/a}"])
          for (const { call } of here.nodes) {
            assert.notInclude(String(yield* call("INFO", "commandstats")), "cmdstat_keys:")
          }
        }),
      60_000
    )
  })

  describe("Effect's modules over a store of Persistence", () => {
    test("Persistence keeps each exit for its own time", (here) =>
      Effect.gen(function*() {
        const make = Effect.flatMap(persistence(here), ({ make }) =>
          make({
            storeId: "users",
            timeToLive: (exit, key) =>
              Exit.isFailure(exit)
                ? "1 minute"
                : (key as User).id === 3
                ? 0
                : (key as User).id === 4
                ? Infinity
                : "1 hour"
          }))
        const [one, two] = [yield* make, yield* make]
        const failure = Exit.fail({ reason: "none" })
        yield* one.set(new User({ id: 1 }), Exit.succeed(user(1)))
        const entries: ReadonlyArray<readonly [User, Exit.Exit<ReturnType<typeof user>, { readonly reason: string }>]> =
          [
            [new User({ id: 2 }), failure],
            // it lives no time, so it is not set
            [new User({ id: 3 }), Exit.succeed(user(3))],
            [new User({ id: 4 }), Exit.succeed(user(4))]
          ]
        yield* one.setMany(entries)
        const all = range(5).map((id) => new User({ id }))
        const found = (ids: ReadonlyArray<number>) =>
          range(5).map((id) => !ids.includes(id) ? undefined : id === 2 ? failure : Exit.succeed(user(id)))
        assert.deepStrictEqual(yield* two.getMany(all), found([1, 2, 4]))
        assert.deepStrictEqual(yield* two.get(new User({ id: 2 })), failure)
        assert.isUndefined(yield* two.get(new User({ id: 3 })))
        yield* here.pass(60_000)
        assert.deepStrictEqual(yield* two.getMany(all), found([1, 4]))
        yield* here.pass(3_600_000)
        assert.deepStrictEqual(yield* two.getMany(all), found([4]))
        yield* two.remove(new User({ id: 4 }))
        assert.deepStrictEqual(yield* one.getMany(all), found([]))
        yield* one.set(new User({ id: 1 }), Exit.succeed(user(1)))
        yield* two.clear
        assert.isUndefined(yield* one.get(new User({ id: 1 })))
        assert.deepStrictEqual(yield* one.getMany([] as ReadonlyArray<User>), [])
      }))

    test("an exit of another schema is an error of get, and getMany removes it", (here) =>
      Effect.gen(function*() {
        const store = yield* (yield* persistence(here)).make({ storeId: "users" })
        yield* store.set(new User({ id: 1 }), Exit.succeed(user(1)))
        assert.strictEqual((yield* Effect.flip(store.get(new Renamed({ id: 1 }))))._tag, "SchemaError")
        assert.deepStrictEqual(yield* store.getMany([new Renamed({ id: 1 })]), [undefined])
        const removed = Effect.flatMap(
          Effect.orDie(store.get(new User({ id: 1 }))),
          (found) => found === undefined ? Effect.void : Effect.fail("not removed yet")
        )
        if (name === "memory") yield* Effect.yieldNow
        yield* name === "memory" ? removed : eventually(removed)
      }))

    test("PersistedCache looks up once for two processes, until the time is over or one invalidates", (here) =>
      Effect.gen(function*() {
        const lookups: Array<number> = []
        const cacheOf = Effect.fnUntraced(function*() {
          const layer = Layer.succeed(Persistence.Persistence, yield* persistence(here))
          return yield* Effect.provide(
            PersistedCache.make(
              ({ id }: User) =>
                Effect.suspend(() => {
                  lookups.push(id)
                  return id < 0 ? Effect.fail({ reason: `no user ${id}` }) : Effect.succeed(user(id))
                }),
              { storeId: "cache", timeToLive: () => "1 hour", inMemoryTTL: () => Duration.zero }
            ),
            layer
          )
        })
        const [one, two] = [yield* cacheOf(), yield* cacheOf()]
        assert.deepStrictEqual(yield* one.get(new User({ id: 1 })), user(1))
        assert.deepStrictEqual(yield* two.get(new User({ id: 1 })), user(1))
        assert.deepStrictEqual(yield* Effect.flip(one.get(new User({ id: -1 }))), { reason: "no user -1" })
        assert.deepStrictEqual(yield* Effect.flip(two.get(new User({ id: -1 }))), { reason: "no user -1" })
        assert.deepStrictEqual(lookups, [1, -1])
        yield* two.invalidate(new User({ id: 1 }))
        yield* one.get(new User({ id: 1 }))
        assert.deepStrictEqual(lookups, [1, -1, 1])
        yield* here.pass(3_600_000)
        yield* two.get(new User({ id: 1 }))
        yield* one.get(new User({ id: 1 }))
        assert.deepStrictEqual(lookups, [1, -1, 1, 1])
        // each of many users of a page, in its own slot
        yield* Effect.forEach(range(50), (id) => one.get(new User({ id: 100 + id })), { concurrency: "unbounded" })
        const before = lookups.length
        yield* Effect.forEach(range(50), (id) => two.get(new User({ id: 100 + id })), { concurrency: "unbounded" })
        assert.lengthOf(lookups, before)
      }))

    test("RequestResolver.persisted asks the resolver for those alone that no process has stored", (here) =>
      Effect.gen(function*() {
        const asked: Array<number> = []
        const resolverOf = Effect.fnUntraced(function*() {
          const layer = Layer.succeed(Persistence.Persistence, yield* persistence(here))
          const resolver = RequestResolver.make<Page>((entries) =>
            Effect.forEach(entries, (entry) => {
              asked.push(entry.request.id)
              return Request.succeed(entry, `page ${entry.request.id}`)
            }, { discard: true })
          )
          return yield* Effect.provide(
            RequestResolver.persisted(resolver, { storeId: "requests", timeToLive: () => "1 hour" }),
            layer
          )
        })
        const [one, two] = [yield* resolverOf(), yield* resolverOf()]
        const ask = (resolver: typeof one, ids: ReadonlyArray<number>) =>
          Effect.forEach(ids, (id) => Effect.request(new Page({ id }), resolver), { concurrency: "unbounded" })
        assert.deepStrictEqual(yield* ask(one, [1, 2]), ["page 1", "page 2"])
        assert.deepStrictEqual(yield* ask(two, [2, 3, 1]), ["page 2", "page 3", "page 1"])
        assert.deepStrictEqual(asked.sort(), [1, 2, 3])
      }))
  })
}
