/**
 * A connection that is lost in the middle of a scan: each entity is found at least once, or the stream fails with an error
 * that the caller can handle.
 */
import { assert, it } from "@effect/vitest"
import { Effect, Result, Schema, Stream } from "effect"
import { Model } from "redlayer"
import { isRedisServiceError, type RedisServiceError } from "redlayer/RedisServiceError"
import { errorOf, eventually, range, timed } from "../live/liveService.ts"
import { describeOwnServer } from "../support/Backends.ts"
import type { TcpProxy } from "../support/TcpProxy.ts"
import { server, service } from "./proxiedService.ts"

const Item = Model.make("faults/Scanned", { id: Schema.Int, n: Schema.Int, tags: Schema.Array(Schema.String) }, {
  key: "id"
})

const total = 2000

const losses: ReadonlyArray<
  readonly [name: string, lose: (proxy: TcpProxy, call: Call) => Effect.Effect<unknown, unknown>]
> = [
  ["is cut", (proxy) => proxy.cut()],
  ["is reset", (proxy) => proxy.reset()],
  ["loses its next request", (proxy) => proxy.cutOnNext("request")],
  ["loses its next reply", (proxy) => proxy.cutOnNext("reply")],
  ["is ended by the server", (_, call) => call("CLIENT", "KILL", "TYPE", "normal")]
]

type Call = (command: string, ...args: Array<string>) => Effect.Effect<unknown, unknown>

/** A server with all entities, and a service behind a proxy. */
const setup = Effect.gen(function*() {
  const { call, proxy, url } = yield* server()
  const direct = yield* service({ url })
  const results = yield* direct.run(Item.insertMany(range(total).map((id) => ({ id, n: id, tags: [`${id}`] }))))
  assert.isTrue(results.every(Result.isSuccess))
  yield* direct.close
  const proxied = yield* service({ url: proxy.url, deadline: "5 seconds" })
  return { call, proxy, run: proxied.run }
})

describeOwnServer("scans over a bad network", () => {
  it.live.each(losses)(
    "each entity is found at least once though the connection %s, again and again",
    ([, lose]) =>
      Effect.gen(function*() {
        const { call, proxy, run } = yield* setup
        let lost = 0
        const losing = Effect.suspend(() => {
          lost++
          return lose(proxy, call)
        })
        const seen = new Set<number>()
        for (const concurrency of [1, 200]) {
          let passed = 0
          const scan = Stream.runForEach(Item.stream({ concurrency }), (result) =>
            Effect.gen(function*() {
              const { id, n, tags } = yield* Effect.fromResult(result)
              assert.deepEqual([n, tags], [id, [`${id}`]])
              seen.add(id)
              if (++passed % 300 === 0) yield* losing
            }))
          // between two results, and also at any moment
          for (const also of [Effect.never, Effect.forever(Effect.delay(losing, "230 millis"))]) {
            seen.clear()
            yield* run(Effect.raceFirst(scan, also))
            assert.strictEqual(seen.size, total)
          }
        }
        for (const i of range(20)) {
          const [count] = yield* Effect.all([run(Item.count()), Effect.delay(losing, i / 2)], {
            concurrency: "unbounded"
          })
          assert.strictEqual(count, total)
        }
        assert.isAbove(lost, 40)
      }),
    60_000
  )

  it.live(
    "a scan that the server does not answer any more fails within its deadline, with a typed error",
    () =>
      Effect.gen(function*() {
        const { proxy } = yield* setup
        const { run } = yield* service({ url: proxy.url, deadline: "800 millis" })
        let seen = 0
        const scanned = Stream.runForEach(
          Item.stream({ concurrency: 16 }),
          () => Effect.suspend(() => ++seen === 1000 ? Effect.andThen(proxy.refuse(true), proxy.cut()) : Effect.void)
        )
        for (const scan of [scanned, Item.count()]) {
          const [exit, millis] = yield* timed(run(scan))
          const error = errorOf(exit)
          assert.isTrue(isRedisServiceError(error), String(exit))
          assert.include(["ConnectionUnavailable", "OutcomeUnknown"], (error as RedisServiceError).reason._tag)
          assert.isBelow(millis, 5000)
        }
        yield* proxy.refuse(false)
        assert.strictEqual(yield* eventually(run(Item.count())), total)
      }),
    60_000
  )
})
