/**
 * Programs that only read, at replicas.
 */
import { assert, it } from "@effect/vitest"
import { Effect, Layer, Option, Schedule, Schema } from "effect"
import { Atomic, Model, RedisService } from "redlayer"
import { Pace, type Readable, readerAmong } from "../../src/internal/redis/client/nearest.ts"
import { describeOwnServer } from "../support/Backends.ts"
import * as RawRedis from "../support/RawRedis.ts"
import * as RedisCluster from "../support/RedisCluster.ts"
import * as RedisSentinel from "../support/RedisSentinel.ts"

const Counter = Model.make("ReadCounter", { id: Schema.String, n: Schema.Int }, { key: "id" })

const ids = Array.from({ length: 300 }, (_, i) => `c${i}`)

const all = <A, E, R>(f: (id: string) => Effect.Effect<A, E, R>) => Effect.forEach(ids, f, { concurrency: "unbounded" })

/** The calls since the last reset, as `evalsha 1`. */
const calls = (raw: RawRedis.RawRedis) =>
  Effect.map(
    raw.call("INFO", "commandstats"),
    (stats) =>
      [...String(stats).matchAll(/cmdstat_(eval\w*):calls=(\d+)/g)].map(([, name, count]) => `${name} ${count}`)
  )

const reset = (raws: Iterable<RawRedis.RawRedis>) =>
  Effect.forEach(raws, (raw) => raw.call("CONFIG", "RESETSTAT"), { discard: true })

/** Repeats what fails, because replicas are behind, and connect after the primaries. */
const soon = { schedule: Schedule.spaced("20 millis"), times: 200 }

/** Waits until each primary tells of a replica of each. A replica that has copied nothing yet is not told of. */
const knowReplicas = ({ primaries }: RedisCluster.RedisCluster) =>
  Effect.forEach(primaries, ({ raw }) =>
    raw.call("CLUSTER", "SLOTS").pipe(
      Effect.filterOrFail((slots) => (slots as Array<Array<unknown>>).every((range) => range.length > 3), () =>
        "not yet"),
      Effect.retry(soon)
    ), { discard: true })

describeOwnServer("reads", () => {
  it.live("of a cluster: one call for each replica, and writes at the primaries", () =>
    Effect.gen(function*() {
      const cluster = yield* RedisCluster.start()
      const { primaries, replicas } = cluster
      const options = { nodes: cluster.nodes, batch: { programs: 300 }, deadline: "10 seconds" } as const
      yield* all((id) => Counter.insert({ id, n: 7 })).pipe(Effect.provide(RedisService.layerCluster(options)))
      yield* knowReplicas(cluster)
      yield* Effect.gen(function*() {
        // the replicas are connected, have the script, and have a copy
        yield* all((id) => Counter.ref(id).n.get()).pipe(
          Effect.andThen(Effect.forEach(replicas, ({ raw }) => calls(raw))),
          Effect.filterOrFail((counts) => counts.every((count) => count.length > 0), () => "not read from yet"),
          Effect.retry(soon)
        )
        yield* reset([...primaries, ...replicas].map(({ raw }) => raw))
        assert.deepStrictEqual(yield* all((id) => Counter.ref(id).n.get()), ids.map(() => 7))
        for (const { raw } of replicas) assert.deepStrictEqual(yield* calls(raw), ["evalsha_ro 1"])
        for (const { raw } of primaries) assert.deepStrictEqual(yield* calls(raw), [])
        // what may write runs at the primary, and a guard sees the newest state
        for (let i = 0; i < 50; i++) {
          const { n } = Counter.ref("c0")
          assert.deepStrictEqual(yield* n.increment().pipe(Atomic.when(n.eq(7 + i))), Option.some(8 + i))
        }
        // reads go on without the replicas, at the primaries
        for (const { server } of replicas) yield* server.kill("SIGKILL")
        const values = yield* all((id) => Counter.ref(id).n.get())
        assert.strictEqual(values.reduce((sum, n) => sum + n, 0), 300 * 7 + 50)
      }).pipe(Effect.provide(RedisService.layerCluster({ ...options, reads: "replica" })))
    }), 60_000)

  it.live("of a cluster go on when a primary dies, and its replica is promoted", () =>
    Effect.gen(function*() {
      const cluster = yield* RedisCluster.start()
      yield* Effect.gen(function*() {
        yield* all((id) => Counter.insert({ id, n: 7 }))
        yield* cluster.primaries[0]!.raw.call("WAIT", "1", "2000")
        yield* cluster.primaries[0]!.server.kill("SIGKILL")
        yield* all((id) => Counter.ref(id).n.increment())
        yield* all((id) => Counter.ref(id).n.get()).pipe(
          Effect.filterOrFail((found) => found.every((n) => n === 8), () => "not copied yet"),
          Effect.retry(soon)
        )
      }).pipe(
        Effect.provide(RedisService.layerCluster({ nodes: cluster.nodes, reads: "nearest", deadline: "20 seconds" }))
      )
    }), 60_000)

  it.live("of a group with Sentinels: at a replica, or at the primary if there is none", () =>
    Effect.gen(function*() {
      const group = yield* RedisSentinel.start({ replicas: 1, sentinels: 1 })
      const [primary, replica] = yield* Effect.forEach(group.servers, ({ url }) => RawRedis.make(url))
      const options = { sentinels: group.sentinels, name: group.name, deadline: "10 seconds" } as const
      yield* Effect.gen(function*() {
        const { n } = Counter.ref("a")
        yield* Counter.insert({ id: "a", n: 7 })
        yield* n.get().pipe(
          Effect.andThen(calls(replica!)),
          Effect.filterOrFail((counts) => counts.length > 0, () => "not read from yet"),
          Effect.retry(soon)
        )
        yield* reset([primary!, replica!])
        assert.strictEqual(yield* n.get(), 7)
        assert.deepStrictEqual(yield* calls(replica!), ["evalsha_ro 1"])
        assert.deepStrictEqual(yield* calls(primary!), [])
        assert.strictEqual(yield* n.increment(), 8)
        yield* group.servers[1]!.kill("SIGKILL")
        assert.strictEqual(yield* n.get(), 8)
      }).pipe(Effect.provide(RedisService.layerSentinel({ ...options, reads: "replica" })))
    }), 60_000)

  it.live("is refused together with calls by slot", () =>
    Effect.gen(function*() {
      const built = RedisService.layerCluster({ nodes: ["127.0.0.1:1"], reads: "replica", batchBy: "slot" })
      const error = yield* Effect.flip(Effect.scoped(Layer.build(built)))
      assert.include(error.reason, { _tag: "InvalidOption", option: "reads" } as object)
    }))
})

const server = (millis: number | undefined, isReady = true): Readable => {
  const client = { on: () => {} } as never
  const pace = new Pace(client, false)
  pace.millis = millis
  return { client, pace, connection: { isReady: () => isReady } as never }
}

it("nearest is the server that answers clearly faster, and never one that refuses", () => {
  const [slow, fast, near, gone, unknown] = [server(5), server(1), server(0.9), server(0.1, false), server(undefined)]
  assert.strictEqual(readerAmong("nearest", [slow, fast], slow), fast)
  assert.strictEqual(readerAmong("nearest", [slow, gone, unknown], fast), undefined)
  assert.strictEqual(readerAmong("nearest", [near], fast), undefined)
  assert.strictEqual(readerAmong("nearest", [slow], undefined), slow)
  assert.strictEqual(readerAmong("replica", [gone, slow, fast], fast), slow)
  slow.pace.note({ _tag: "Error", message: "NOSCRIPT No matching script" })
  assert.strictEqual(readerAmong("replica", [slow], undefined), slow)
  slow.pace.note({ _tag: "Error", message: "LOADING Redis is loading" })
  assert.strictEqual(readerAmong("replica", [gone, slow, fast], undefined), fast)
  assert.strictEqual(readerAmong("replica", [gone, slow], undefined), undefined)
})
