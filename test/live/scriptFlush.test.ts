/**
 * A server that forgets its scripts, all the time.
 */
import { assert, it } from "@effect/vitest"
import { Clock, Effect, Layer, Schedule, Schema } from "effect"
import { Model, RedisService } from "redlayer"
import { RedisTransport } from "redlayer/RedisTransport"
import * as IoredisTransport from "../../src/internal/redis/client/standalone.ts"
import { describeOwnServer } from "../support/Backends.ts"
import * as RawRedis from "../support/RawRedis.ts"
import * as RedisServer from "../support/RedisServer.ts"

class Counter extends Model.Class<Counter>("Counter")({
  name: Schema.String,
  count: Schema.Int.pipe(Model.withDefault(0))
}, { key: "name" }) {}

const fibers = 64
const seconds = 5
const enough = 100

describeOwnServer("SCRIPT FLUSH", () => {
  it.live(
    "a SCRIPT FLUSH every 10 ms under 64 fibers reaches no caller, and every commit happens once",
    () =>
      Effect.gen(function*() {
        const server = yield* RedisServer.start()
        const raw = yield* RawRedis.make(server.url)
        const seen = { noscript: 0, evalsha: 0, eval: 0 }
        const counting = Layer.effect(
          RedisTransport,
          Effect.gen(function*() {
            const client = yield* IoredisTransport.acquire({ host: server.host, port: server.port })
            const inner = IoredisTransport.transport(client)
            return RedisTransport.of({
              ready: inner.ready,
              evaluate: (call) =>
                Effect.tap(inner.evaluate(call), (reply) => {
                  seen[call.command.startsWith("EVALSHA") ? "evalsha" : "eval"]++
                  if (reply._tag === "Error" && reply.message.startsWith("NOSCRIPT")) seen.noscript++
                  return Effect.void
                })
            })
          })
        )
        const run = Effect.gen(function*() {
          yield* Counter.insert({ name: "a" })
          const { count } = Counter.ref("a")
          const start = yield* Clock.currentTimeMillis
          const flusher = yield* Effect.forkChild(
            raw.call("SCRIPT", "FLUSH").pipe(Effect.repeat(Schedule.fixed("10 millis")))
          )
          const results = yield* Effect.forEach(
            Array.from({ length: fibers }, (_, i) => i),
            Effect.fnUntraced(function*(i) {
              const mine: Array<number> = []
              // every eighth one reads between its writes, and never sees less than it has written
              for (;;) {
                const elapsed = (yield* Clock.currentTimeMillis) - start
                // longer only where the machine has been too slow for enough of them
                if (elapsed > (seen.noscript < enough ? 3 : 1) * seconds * 1000) return mine
                mine.push(yield* count.increment())
                if (i % 8 === 0) assert.isAtLeast(yield* count.get(), mine.at(-1)!)
              }
            }),
            { concurrency: "unbounded" }
          )
          assert.isUndefined(flusher.pollUnsafe(), "the flusher has failed")
          const all = results.flat().sort((a, b) => a - b)
          assert.strictEqual(yield* count.get(), all.length)
          return all
        })
        const all = yield* Effect.provide(
          run,
          Layer.provide(RedisService.layerTransport(), counting)
        )
        const flushes = /cmdstat_script\|flush:calls=(\d+)/.exec(String(yield* raw.call("INFO", "commandstats")))![1]
        console.log(
          `SCRIPT FLUSH: ${flushes} flushes, ${seen.noscript} NOSCRIPT answered, ${all.length} increments in ` +
            `${seen.evalsha} EVALSHA and ${seen.eval} EVAL`
        )
        assert.isAtLeast(seen.noscript, enough)
        // each result is a number of its own: nothing was applied twice, nothing was lost
        assert.deepStrictEqual(all, Array.from({ length: all.length }, (_, i) => i + 1))
        assert.isAtLeast(all.length, fibers)
      }),
    30_000
  )

  it.live("scripts are loaded again between two commits, and after a restart", () =>
    Effect.gen(function*() {
      const first = yield* RedisServer.start()
      yield* Effect.gen(function*() {
        yield* Counter.insert({ name: "a" })
        const raw = yield* RawRedis.make(first.url)
        const { count } = Counter.ref("a")
        assert.strictEqual(yield* count.increment(), 1)
        yield* raw.call("SCRIPT", "FLUSH")
        assert.strictEqual(yield* count.increment(), 2)
        assert.strictEqual(yield* count.get(), 2)
        yield* raw.call("SCRIPT", "FLUSH")
        assert.strictEqual(yield* count.get(), 2)
        yield* raw.call("SAVE")
        yield* first.kill("SIGKILL")
        yield* RedisServer.start({ dir: first.directory, port: first.port })
        // the first of these finds no connection, and waits for one
        const results = yield* Effect.all([count.increment(), count.increment(), count.get()], {
          concurrency: "unbounded"
        })
        assert.sameMembers(results, [3, 4, results[2]])
        assert.strictEqual(yield* count.get(), 4)
        assert.isTrue(yield* Counter.delete("a"))
      }).pipe(Effect.provide(RedisService.layer({ url: first.url })))
    }))
})
