/**
 * `Testing.layerRedis`: a test on a server leaves no key behind, whatever happens to it.
 */
import { assert, layer } from "@effect/vitest"
import { Context, Deferred, Effect, Exit, Fiber, Layer, Schema } from "effect"
import { Lock, Model } from "redlayer"
import * as Testing from "redlayer/testing"
import { describeOwnServer } from "../support/Backends.ts"
import * as RawRedis from "../support/RawRedis.ts"
import * as RedisServer from "../support/RedisServer.ts"
import * as TcpProxy from "../support/TcpProxy.ts"

class Server
  extends Context.Service<Server, { readonly port: number; readonly url: string; readonly raw: RawRedis.RawRedis }>()(
    "test/TestingLayerServer"
  )
{
  static readonly layer = Layer.effect(
    Server,
    Effect.gen(function*() {
      const { port, url } = yield* RedisServer.start()
      return { port, url, raw: yield* RawRedis.make(url) }
    })
  )
}

const Cart = Model.make("LayerRedisCart", { id: Schema.String, lines: Schema.Array(Schema.String) }, { key: "id" })

const fill = Effect.gen(function*() {
  yield* Cart.insertMany(Array.from({ length: 1500 }, (_, i) => ({ id: `${i}*[`, lines: ["a"] })))
  yield* Lock.withLock("x", () => Effect.void)
})

describeOwnServer("a test on a server", () => {
  layer(Server.layer, { excludeTestServices: true, timeout: 20_000 })((it) => {
    it.effect("two builds do not see each other's keys, and both remove theirs and no others", () =>
      Effect.gen(function*() {
        const { raw, url } = yield* Server
        yield* raw.call("SET", "redlayer-test:other", "1")
        const one = Effect.scoped(Effect.gen(function*() {
          const context = yield* Layer.build(Testing.layerRedis({ url }))
          yield* Effect.provide(fill, context)
          yield* Effect.provide(
            Effect.gen(function*() {
              const raw = yield* Testing.RawStore
              assert.deepStrictEqual(yield* raw.listRead("LayerRedisCart:{7%2A%5B}:lines"), ["a"])
              assert.strictEqual(yield* Cart.count(), 1500)
            }),
            context
          )
        }))
        yield* Effect.all([one, one], { concurrency: 2 })
        assert.deepStrictEqual(yield* raw.call("KEYS", "*"), ["redlayer-test:other"])
      }))

    it.effect("a test that fails, is interrupted, or loses its connection leaves nothing", () =>
      Effect.gen(function*() {
        const { raw, url } = yield* Server
        yield* raw.call("FLUSHALL")
        const provided = <A, E>(self: Effect.Effect<A, E, Layer.Success<ReturnType<typeof Testing.layerRedis>>>) =>
          Effect.provide(self, Testing.layerRedis({ url }))
        const failed = yield* Effect.exit(provided(Effect.andThen(fill, Effect.fail("no"))))
        assert.deepStrictEqual(failed, Exit.fail("no"))
        assert.deepStrictEqual(yield* raw.call("KEYS", "*"), [])

        const filled = yield* Deferred.make<void>()
        const never = provided(
          fill.pipe(Effect.andThen(Deferred.succeed(filled, undefined)), Effect.andThen(Effect.never))
        )
        const fiber = yield* Effect.forkChild(never)
        yield* Deferred.await(filled)
        assert.isAbove(Number(yield* raw.call("DBSIZE")), 1500)
        yield* Fiber.interrupt(fiber)
        assert.deepStrictEqual(yield* raw.call("KEYS", "*"), [])

        yield* provided(Effect.andThen(fill, raw.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")))
        assert.deepStrictEqual(yield* raw.call("KEYS", "*"), [])
      }))

    it.effect("a test at whose end the server can't be reached for a moment leaves nothing", () =>
      Effect.gen(function*() {
        const { port, raw } = yield* Server
        yield* raw.call("FLUSHALL")
        const proxy = yield* TcpProxy.make({ port })
        const lost = fill.pipe(
          Effect.andThen(proxy.refuse(true)),
          Effect.andThen(proxy.cut()),
          Effect.andThen(Effect.forkDetach(Effect.delay(proxy.refuse(false), "700 millis")))
        )
        yield* Effect.provide(lost, Testing.layerRedis({ url: proxy.url, deadline: "200 millis" }))
        assert.deepStrictEqual(yield* raw.call("KEYS", "*"), [])
      }))
  })
})
