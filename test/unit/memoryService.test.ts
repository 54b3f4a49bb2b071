/**
 * The memory layer frees expired keys without a server.
 */
import { assert, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { TestClock } from "effect/testing"
import { Model, RedisService } from "redlayer"
import { make } from "../../src/internal/memory/service.ts"
import { Store } from "../../src/internal/memory/store.ts"
import { describeMemory } from "../support/Backends.ts"

const Visit = Model.make("MemoryVisit", { id: Schema.String, pages: Schema.Array(Schema.String) }, {
  key: "id",
  timeToLive: { duration: "1 minute" }
})

const Place = Model.make("MemoryPlace", { id: Schema.String, n: Schema.Int }, { key: "id" })

describeMemory("the memory layer", () => {
  const test = (name: string, body: (store: Store) => Effect.Effect<void, unknown, RedisService.RedisService>) =>
    it.effect(name, () => {
      const store = new Store()
      return Effect.provideService(body(store), RedisService.RedisService, make(store))
    })

  test("expired keys are freed even if no one reads them", (store) =>
    Effect.gen(function*() {
      for (let i = 0; i < 1000; i++) yield* Place.insert({ id: `${i}`, n: i })
      for (let i = 0; i < 1000; i++) yield* Visit.insert({ id: `${i}`, pages: ["a"] })
      assert.strictEqual(store.values.size, 3000)
      yield* TestClock.adjust("60 seconds")
      for (let i = 0; i < 200; i++) yield* Place.ref("0").n.get()
      assert.strictEqual(store.values.size, 3000)
      yield* TestClock.adjust("1 second")
      // each program looks at a few keys, all in turn
      for (let i = 0; i < 200; i++) yield* Place.ref("0").n.get()
      assert.strictEqual(store.values.size, 1000)
    }))

  test("the store never holds much more than the live entities", (store) =>
    Effect.gen(function*() {
      let most = 0
      for (let i = 0; i < 6000; i++) {
        yield* Visit.insert({ id: `${i}`, pages: ["a"] })
        yield* TestClock.adjust("1 second")
        most = Math.max(most, store.values.size)
      }
      // 61 entities live at a time, with two keys each
      assert.isBelow(most, 200)
      assert.isAtLeast(most, 120)
    }))
})
