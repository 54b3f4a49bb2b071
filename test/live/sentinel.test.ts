/**
 * One server with replicas, watched by Sentinels.
 */
import { assert, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { Model, RedisService } from "redlayer"
import { describeOwnServer } from "../support/Backends.ts"
import * as RedisSentinel from "../support/RedisSentinel.ts"

const Counter = Model.make("SentinelCounter", { id: Schema.String, n: Schema.Int }, { key: "id" })

const layer = ({ name, sentinels }: RedisSentinel.Group, options: Partial<RedisService.SentinelOptions> = {}) =>
  RedisService.layerSentinel({ sentinels, name, keyPrefix: "sentinel:", deadline: "45 seconds", ...options })

describeOwnServer("Sentinels", () => {
  it.live(
    "name the primary, before and after a failover on purpose, and no increment is lost or doubled",
    () =>
      Effect.gen(function*() {
        const group = yield* RedisSentinel.start()
        yield* Effect.gen(function*() {
          yield* Counter.insert({ id: "a", n: 0 })
          const { n } = Counter.ref("a")
          let count = 0
          for (let round = 0; round < 1; round++) {
            for (let i = 0; i < 50; i++) assert.strictEqual(yield* n.increment(), ++count)
            yield* group.copied
            yield* group.failover
            assert.strictEqual(yield* n.increment(), ++count)
          }
          assert.strictEqual(yield* n.get(), count)
        }).pipe(Effect.provide(layer(group, { exactlyOnce: true })))
      }),
    120_000
  )

  it.live("promote a replica when the primary dies, and programs wait for it", () =>
    Effect.gen(function*() {
      const group = yield* RedisSentinel.start()
      yield* Effect.gen(function*() {
        yield* Counter.insert({ id: "a", n: 0 })
        const dead = yield* group.primary
        yield* group.copied
        yield* dead.kill("SIGKILL")
        assert.strictEqual(yield* Counter.ref("a").n.increment(), 1)
      }).pipe(Effect.provide(layer(group, { exactlyOnce: true })))
    }), 120_000)

  it.live("that are wrong fail the layer with a typed error", () =>
    Effect.gen(function*() {
      const group = yield* RedisSentinel.start({ replicas: 1, sentinels: 1 })
      const reasonOf = (options: Partial<RedisService.SentinelOptions>) =>
        Effect.provide(Effect.void, layer(group, { deadline: "1 second", ...options })).pipe(
          Effect.flip,
          Effect.map(({ reason }) => reason)
        )
      assert.strictEqual((yield* reasonOf({ name: "nobody" }))._tag, "ConnectionUnavailable")
      assert.strictEqual((yield* reasonOf({ sentinels: ["127.0.0.1:1"] }))._tag, "ConnectionUnavailable")
      assert.strictEqual((yield* reasonOf({ sentinels: [] }))._tag, "InvalidOption")
      assert.strictEqual((yield* reasonOf({ sentinels: ["redis://a:b@127.0.0.1:26379"] }))._tag, "InvalidOption")
    }), 30_000)
})
