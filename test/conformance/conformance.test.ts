/**
 * The conformance suite over the store in memory and over a real Redis.
 */
import { assert, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Schema } from "effect"
import { Atomic, Model, RedisService } from "redlayer"
import * as Conformance from "redlayer-conformance"
import { concurrently } from "redlayer-conformance/assertions"
import * as Testing from "redlayer/testing"
import { backends, describeOwnServer } from "../support/Backends.ts"
import { backendOf, describeChecks, layerRedis } from "../support/Conformance.ts"
import * as RawRedis from "../support/RawRedis.ts"
import * as RedisServer from "../support/RedisServer.ts"

/** The same operations on models that differ in less: in memory always, and on a server with `REDLAYER_EVERY_AREA=1`. */
const isVariant = ({ name }: Conformance.Check): boolean => /^Indexed(?:Fixed|Written): |: (?:bare|lean)$/.test(name)

for (const { describe, name } of backends) {
  const all = await Effect.runPromise(Conformance.checks(backendOf[name]))
  const isWhole = name === "memory" || process.env.REDLAYER_EVERY_AREA === "1"
  const checks = all.filter((check) => isWhole || !isVariant(check))
  describe("conformance", () => describeChecks(checks))
}

describeOwnServer("conformance: slots", () => {
  it.live("a server with cluster mode enabled refuses programs over several slots without any option", () =>
    Effect.gen(function*() {
      const { url } = yield* RedisServer.startCluster()
      // the options are ignored on purpose: the server itself refuses the programs
      const layer = () =>
        Layer.merge(RedisService.layer({ url, keyPrefix: "cluster:" }), Layer.mock(Testing.RawStore)({}))
      const checks = yield* Conformance.checks({ layer })
      const refusals = checks.filter(({ area, name }) => area === "crossSlot" && name.includes("is refused"))
      assert.lengthOf(refusals, 1)
      yield* refusals[0].run
    }))
})

const Counter = Model.make("FlushCounter", { id: Schema.String, n: Schema.Int, log: Schema.Array(Schema.Int) }, {
  key: "id"
})

// a flush is of the whole server, so it has one of its own
describeOwnServer("conformance: a flushed script cache", () => {
  it.live("every commit happens once and in causal order while the script cache is flushed", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.start()
      const raw = yield* RawRedis.make(server.url)
      const flush = raw.call("SCRIPT", "FLUSH")
      yield* Effect.gen(function*() {
        yield* Counter.insert({ id: "a", n: 0, log: [] })
        const { log, n } = Counter.ref("a")
        const once = Atomic.all([n.increment(), log.length(), log.append(0)])
        for (let i = 0; i < 10; i++) {
          yield* flush
          assert.deepEqual(yield* once, [i + 1, i, i + 1])
          yield* flush
          assert.strictEqual(yield* n.get(), i + 1)
          yield* flush
          assert.isFalse(yield* Counter.delete("other"))
        }
        yield* log.clear()
        yield* n.set(0)
        const flushing = yield* Effect.forkChild(Effect.forever(Effect.andThen(flush, Effect.sleep(1))))
        yield* concurrently(Array.from({ length: 32 }, (_, fiber) =>
          Effect.gen(function*() {
            let last = 0
            for (let i = 0; i < 25; i++) {
              const [next] = yield* Atomic.all([n.increment(), log.append(fiber * 1000 + i)])
              assert.isAbove(next, last)
              assert.isAtLeast(yield* n.get(), next)
              last = next
            }
          })))
        yield* Fiber.interrupt(flushing)
        const { log: entries, n: count } = yield* Counter.get("a")
        assert.strictEqual(count, 800)
        assert.strictEqual(new Set(entries).size, 800)
        assert.strictEqual(entries.length, 800)
        for (let fiber = 0; fiber < 32; fiber++) {
          const own = entries.filter((entry) => Math.floor(entry / 1000) === fiber)
          assert.deepEqual(own, Array.from({ length: 25 }, (_, i) => fiber * 1000 + i))
        }
        const [, , refused] = /errorstat_NOSCRIPT:(count)=(\d+)/.exec(String(yield* raw.call("INFO", "errorstats")))!
        assert.isAbove(Number(refused), 30)
      }).pipe(Effect.provide(layerRedis({}, Effect.succeed(server.url))))
    }))
})
