/** Renewals: when an operation sets an expiry anew, and how long an entity lives at least. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as Atomic from "redlayer/Atomic"
import type { RedisService } from "redlayer/RedisService"
import { RawStore } from "redlayer/testing"
import * as assert from "../assert.ts"
import type { Operation } from "../assertions.ts"
import type { Backend, Test } from "../suite.ts"
import { minutes, timeOf } from "../support/time.ts"
import {
  Accessed,
  type AnyModel,
  define,
  hour,
  keyOf,
  keysFor,
  models,
  renewedHour,
  withCollections,
  Written
} from "../support/timeToLiveModels.ts"

export const timeToLiveRenewals = (live: Test, backend: Backend): void => {
  const { expires, isExact, pass, test } = timeOf(live, backend)
  /** Asserts when an entity with a value in every collection expires. */
  const expiresIn = (model: AnyModel, id: string, millis: number | undefined) => expires(keysFor(model, id), millis)
  const timeLeft = (model: AnyModel, id: string) => Effect.map(model.timeToLive(id), Option.map(Duration.toMillis))

  test("an expiry is renewed once 1 % of the time to live has passed, or one minute if that is less", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      const Long = define("Long", { duration: "30 days", refresh: "access" })
      const cases: ReadonlyArray<readonly [AnyModel, slack: number, life: number]> = [
        [Written, hour / 100, hour],
        [Accessed, hour / 100, hour],
        [Long, minutes(1), hour * 24 * 30]
      ]
      // on a server, time passes during the check
      const margin = isExact ? 0 : 15_000
      for (const [model, slack, life] of cases) {
        const at = raw.expiresAt(keyOf(model, "x"))
        const all: ReadonlyArray<Operation> = [
          model.ref("x").count.increment(),
          model.ref("x").list.set(["x"]),
          model.put(withCollections("x")),
          Atomic.all([model.ref("x").count.increment(), model.get("x")])
        ]
        for (const operation of all) {
          yield* model.put(withCollections("x"))
          yield* expiresIn(model, "x", life + slack)
          yield* pass(slack - margin)
          const before = yield* at
          yield* operation
          assert.strictEqual(yield* at, before)
          yield* pass(margin + 1)
          yield* operation
          yield* expiresIn(model, "x", life + slack)
          yield* model.delete("x")
        }
      }
    }))

  test("nothing expires before its duration has passed since the last operation that renews it", () =>
    Effect.gen(function*() {
      const Minute = define("Minute", { duration: "100 minutes" })
      // on a server, time passes during the check
      const margin = isExact ? 1 : 15_000
      for (const [model, life] of [[Written, hour], [Accessed, hour], [Minute, minutes(100)]] as const) {
        const { count, list } = model.ref("x")
        for (
          const operation of [
            count.increment(),
            list.append("c"),
            model.put(withCollections("x")),
            Atomic.all([count.increment(), count.increment()]),
            Atomic.all([count.increment(), list.append("c"), model.exists("x")])
          ]
        ) {
          // the second renewal comes too soon to set the expiry anew
          for (const pause of [0, 1, life / 200, life / 100]) {
            yield* model.insert(withCollections("x"))
            yield* pass(30_000)
            yield* operation
            yield* pass(pause)
            yield* operation
            yield* pass(life - margin)
            assert.isTrue(yield* model.exists("x"))
            yield* pass(margin + life / 100)
            assert.isFalse(yield* model.exists("x"))
          }
        }
      }
    }))

  test("`timeToLive` never returns more than the duration of the last operation that set or renewed it", () =>
    Effect.gen(function*() {
      for (const model of [Written, Accessed]) {
        yield* model.insert(withCollections("x"))
        yield* pass(minutes(1))
        const { count } = model.ref("x")
        assert.deepEqual(yield* Atomic.all([count.increment(), model.timeToLive("x")]), [
          2,
          Option.some(Duration.hours(1))
        ])
        assert.isAtMost(Option.getOrThrow(yield* timeLeft(model, "x")), hour)
        yield* model.expire("x", "2 hours")
        assert.isAbove(Option.getOrThrow(yield* timeLeft(model, "x")), hour + minutes(50))
        yield* model.delete("x")
      }
    }))

  test("a read with `renew: false` returns the same and renews nothing, and a write through such a reference renews", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      yield* Accessed.insert(withCollections("y"))
      const options = { renew: false } as const
      const { count, home, list, map, nick, set, sorted } = Accessed.ref("x", options)
      const inPrograms: ReadonlyArray<readonly [Operation, Operation]> = [
        [Accessed.get("x", options), Accessed.get("x")],
        [Accessed.find("x", options), Accessed.find("x")],
        [
          Atomic.map(Accessed.getVersioned("x", options), ({ entity }) => entity),
          Atomic.map(Accessed.getVersioned("x"), ({ entity }) => entity)
        ],
        [Accessed.pick("x", ["count", "list"], options), Accessed.pick("x", ["count", "list"])],
        [count.get(), Accessed.ref("x").count.get()],
        [nick.get(), Accessed.ref("x").nick.get()],
        [list.get(), Accessed.ref("x").list.get()],
        [list.at(0).get(), Accessed.ref("x").list.at(0).get()],
        [list.slice(0, 1), Accessed.ref("x").list.slice(0, 1)],
        [set.has("a"), Accessed.ref("x").set.has("a")],
        [set.union(Accessed.ref("x", options).set), set.union(Accessed.ref("x").set)],
        [map.at("a").get(), Accessed.ref("x").map.at("a").get()],
        [map.size(), Accessed.ref("x").map.size()],
        [sorted.rank("a"), Accessed.ref("x").sorted.rank("a")],
        [home.$.get(), Accessed.ref("x").home.$.get()],
        [Atomic.when(count.get(), count.gt(0)), Atomic.when(count.get(), Accessed.ref("x").count.gt(0))],
        [Accessed.ref("y").count.max(count.value()), Accessed.ref("y").count.max(Accessed.ref("x").count.value())]
      ]
      const ids = ["x", "y"]
      type Read = Effect.Effect<unknown, unknown, RedisService>
      const operations: ReadonlyArray<readonly [Read, Read]> = [
        ...inPrograms,
        [Atomic.all(inPrograms.map(([quiet]) => quiet)), Atomic.all(inPrograms.map(([, loud]) => loud))],
        [Accessed.getMany(ids, options), Accessed.getMany(ids)],
        [Stream.runCollect(Accessed.getManyStream(ids, options)), Stream.runCollect(Accessed.getManyStream(ids))]
      ]
      const at = raw.expiresAt(keyOf(Accessed, "x"))
      for (const [quiet, loud] of operations) {
        yield* Accessed.put(withCollections("x"))
        yield* Accessed.expire("x", "10 minutes")
        const before = yield* at
        const found = yield* quiet
        assert.strictEqual(yield* at, before)
        assert.deepEqual(found, yield* loud)
        yield* expiresIn(Accessed, "x", renewedHour)
      }
      for (
        const write of [count.increment(), list.append("x"), map.put("x", 1), Atomic.all([count.get(), nick.set("n")])]
      ) {
        yield* Accessed.expire("x", "10 minutes")
        yield* write
        yield* expiresIn(Accessed, "x", renewedHour)
      }
    }))

  test("`renew: false` changes nothing where reads do not renew, and `renew: true` is the default", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      for (const model of models) {
        yield* model.insert(withCollections("x"), { timeToLive: "10 minutes" })
        const before = yield* raw.expiresAt(keyOf(model, "x"))
        for (const options of [{ renew: false }, { renew: true }, { renew: undefined }, {}, undefined]) {
          assert.deepEqual(yield* model.get("x", options), withCollections("x"))
          assert.deepEqual(yield* model.pick("x", ["count"], options), { count: 1 })
          assert.strictEqual(yield* model.ref("x", options).count.get(), 1)
          const isKept = model !== Accessed || options?.renew === false
          assert.strictEqual((yield* raw.expiresAt(keyOf(model, "x"))) === before, isKept)
        }
      }
    }))
}
