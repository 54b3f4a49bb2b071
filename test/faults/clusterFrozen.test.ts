/**
 * A primary of a cluster that stops, is replaced meanwhile, and goes on without knowing it: what it then says is lost.
 */
import { assert, it } from "@effect/vitest"
import { Deferred, Effect, type Exit, Fiber, Layer, Schema } from "effect"
import { Model, RedisService } from "redlayer"
import { slotOf } from "../../conformance/src/support/slot.ts"
import { range, reasonIs } from "../live/liveService.ts"
import { describeOwnServer } from "../support/Backends.ts"
import * as Faults from "../support/ClusterFaults.ts"
import * as RedisCluster from "../support/RedisCluster.ts"
import { start } from "./proxiedService.ts"

const Counter = Model.make("faults/FrozenCounter", { id: Schema.String, n: Schema.Int }, { key: "id" })

const all = <A, E, R>(ids: ReadonlyArray<string>, f: (id: string) => Effect.Effect<A, E, R>) =>
  Effect.forEach(ids, f, { concurrency: "unbounded" })

const increment = (id: string) => Counter.ref(id).n.increment()

describeOwnServer("a primary that stops and is replaced", () => {
  it.live(
    "is left when the cluster has replaced it, and what it does afterwards is not taken for done",
    () =>
      Effect.gen(function*() {
        const cluster = yield* RedisCluster.start()
        yield* Faults.healthy(cluster)
        const [primary] = cluster.primaries
        /** Entities of the primary. */
        const idsOf = (name: string) =>
          range(60).map((i) => name + i).filter((id) => cluster.owners[slotOf(`{${id}}`)] === primary)
        const [awaited, unsafe, watched] = [idsOf("a"), idsOf("b"), idsOf("c")]
        const layer = (options: Partial<RedisService.ClusterOptions>) =>
          Layer.build(RedisService.layerCluster({ nodes: cluster.nodes, deadline: "20 seconds", ...options }))
        // nothing tells these that the node is gone, and it is back before this time is over
        const patient = yield* layer({ exactlyOnce: true, silence: "60 seconds" })
        const once = yield* layer({ reads: "nearest", silence: "60 seconds" })
        const watchful = yield* layer({ exactlyOnce: true, silence: "5 seconds" })
        yield* Effect.provide(all([...awaited, ...unsafe, ...watched], (id) => Counter.insert({ id, n: 0 })), patient)
        yield* primary!.raw.call("WAIT", "1", "2000")

        const sent = yield* Deferred.make<
          Fiber.Fiber<readonly [ReadonlyArray<number>, ReadonlyArray<Exit.Exit<number, unknown>>], unknown>
        >()
        const send = Effect.all([
          Effect.provide(all(awaited, increment), patient),
          Effect.provide(all(unsafe, (id) => Effect.exit(increment(id))), once)
        ], { concurrency: "unbounded" })
        yield* Faults.freeze(
          cluster,
          0,
          Effect.gen(function*() {
            yield* Deferred.succeed(sent, yield* Effect.forkScoped(send, start))
            const counts = yield* Effect.provide(all(watched, increment), watchful).pipe(Effect.timeout("6 seconds"))
            assert.deepStrictEqual(counts, watched.map(() => 1))
            yield* Faults.replaced(cluster, 0)
          })
        )
        const [exact, exits] = yield* Effect.flatMap(Deferred.await(sent), Fiber.join)
        assert.deepStrictEqual(exact, awaited.map(() => 1))
        for (const exit of exits) reasonIs(exit, "OutcomeUnknown")
        const stored = (ids: ReadonlyArray<string>) =>
          Effect.provide(all(ids, (id) => Counter.ref(id).n.get()), patient)
        assert.deepStrictEqual(yield* stored(awaited), awaited.map(() => 1))
        assert.deepStrictEqual(yield* stored(unsafe), unsafe.map(() => 0))
        assert.deepStrictEqual(yield* stored(watched), watched.map(() => 1))
      }),
    30_000
  )
})
