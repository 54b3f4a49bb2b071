/**
 * The steps of locks whose waiters do not come when they are woken, on both layers.
 */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { RedisService } from "redlayer"
import { capacity, type LockKey } from "../../src/internal/lock/lockKey.ts"
import * as LockPrograms from "../../src/internal/lock/lockPrograms.ts"
import { commit } from "../../src/internal/program/commit.ts"
import { backends, redis, uniquePrefix } from "../support/Backends.ts"

const layers = {
  memory: () => RedisService.layerMemory,
  redis: () => RedisService.layer({ url: redis.url, keyPrefix: uniquePrefix("stopped") })
}

const lockOf = (owner: string): LockKey => ({
  key: "$lock:{a}",
  name: "a",
  model: "",
  id: "",
  isOnEntity: false,
  operation: "acquire",
  owner,
  weight: capacity,
  limit: capacity,
  lease: 5000
})

for (const { describe, name } of backends) {
  describe("waiters that do not come", () => {
    it.live("when one waiter of a channel does not come, all of them are passed over until one asks", () =>
      Effect.gen(function*() {
        const service = yield* RedisService.RedisService
        yield* service.subscribe("$wake:stopped", () => {})
        yield* service.subscribe("$wake:alive", () => {})
        const acquire = (owner: string, channel: string) =>
          commit(LockPrograms.acquire(lockOf(owner), channel, 1000, false), service)
        const release = (owner: string, channel: string) =>
          commit(LockPrograms.release(lockOf(owner), channel, 0, false), service)
        assert.isString(yield* acquire("holder", ""))
        for (const owner of ["s1", "s2", "s3"]) assert.isNumber(yield* acquire(owner, "$wake:stopped"))
        for (const owner of ["a1", "a2"]) assert.isNumber(yield* acquire(owner, "$wake:alive"))
        assert.isTrue(yield* release("holder", ""))
        // the first one has a reservation
        const wait = yield* acquire("a1", "$wake:alive")
        assert.isAtMost(wait, 250)
        yield* Effect.sleep(wait + 20)
        assert.isString(yield* acquire("a1", "$wake:alive"))
        // the two others of the stopped channel are not woken
        assert.isTrue(yield* release("a1", "$wake:alive"))
        assert.isString(yield* acquire("a2", "$wake:alive"))
        assert.isFalse(yield* release("a2", "$wake:alive"))
        assert.isString(yield* acquire("newcomer", ""))
        assert.isFalse(yield* release("newcomer", ""))
        // a waiter that asks has kept its place, and so have the others of its channel
        assert.isString(yield* acquire("holder", ""))
        assert.isNumber(yield* acquire("a3", "$wake:alive"))
        assert.isNumber(yield* acquire("s3", "$wake:stopped"))
        assert.isTrue(yield* release("holder", ""))
        assert.isNumber(yield* acquire("s3", "$wake:stopped"))
        assert.isString(yield* acquire("s2", "$wake:stopped"))
        assert.isTrue(yield* release("s2", "$wake:stopped"))
        assert.isString(yield* acquire("s3", "$wake:stopped"))
        assert.isTrue(yield* release("s3", "$wake:stopped"))
        assert.isString(yield* acquire("a3", "$wake:alive"))
        assert.isFalse(yield* release("a3", "$wake:alive"))
      }).pipe(Effect.scoped, Effect.provide(layers[name]())))
  })
}
