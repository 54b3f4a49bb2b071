/**
 * A primary of a cluster that stops for a while, is replaced meanwhile, and goes on without knowing it: what it then says is lost.
 */
import { assert, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Schema } from "effect"
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

/** Some entities of the first primary. */
const setup = Effect.gen(function*() {
  const cluster = yield* RedisCluster.start()
  yield* Faults.healthy(cluster)
  const ids = range(60).map((i) => `f${i}`).filter((id) => cluster.owners[slotOf(`{${id}}`)] === cluster.primaries[0])
  return { cluster, ids }
})

describeOwnServer("a primary that stops and is replaced", () => {
  for (const exactlyOnce of [true, false]) {
    it.live(
      exactlyOnce
        ? "does not answer for what it does afterwards: with exactlyOnce the new primary does it"
        : "does not answer for what it does afterwards: without exactlyOnce the outcome is unknown",
      () =>
        Effect.gen(function*() {
          const { cluster, ids } = yield* setup
          yield* Effect.gen(function*() {
            yield* all(ids, (id) => Counter.insert({ id, n: 0 }))
            yield* cluster.primaries[0]!.raw.call("WAIT", "1", "2000")
            // these are sent, and wait for the replies
            yield* Effect.sync(() => process.kill(cluster.primaries[0]!.server.pid, "SIGSTOP"))
            const sent = yield* Effect.forkChild(all(ids, (id) => Effect.exit(increment(id))), start)
            const { isReplaced } = yield* Faults.freeze(cluster, 0, "until replaced")
            assert.isTrue(isReplaced)
            for (const exit of yield* Fiber.join(sent)) {
              if (exactlyOnce) assert.deepStrictEqual(exit, Exit.succeed(1))
              else reasonIs(exit, "OutcomeUnknown")
            }
            const stored = yield* all(ids, (id) => Counter.ref(id).n.get())
            assert.deepStrictEqual(stored, ids.map(() => exactlyOnce ? 1 : 0))
          }).pipe(Effect.provide(RedisService.layerCluster({
            nodes: cluster.nodes,
            exactlyOnce,
            deadline: "20 seconds",
            // nothing tells that the node is gone, and it is back before this
            silence: "15 seconds"
          })))
        }),
      30_000
    )
  }

  it.live(
    "is left as soon as the cluster has replaced it, and not when it has been silent for long",
    () =>
      Effect.gen(function*() {
        const { cluster, ids } = yield* setup
        yield* Effect.gen(function*() {
          yield* all(ids, (id) => Counter.insert({ id, n: 0 }))
          yield* cluster.primaries[0]!.raw.call("WAIT", "1", "2000")
          yield* Effect.sync(() => process.kill(cluster.primaries[0]!.server.pid, "SIGSTOP"))
          const frozenAt = Date.now()
          const sent = yield* Effect.forkChild(all(ids, increment), start)
          const goesOn = Effect.map(Fiber.join(sent), (counts) => {
            assert.deepStrictEqual(counts, ids.map(() => 1))
            return Date.now()
          })
          // the node is still frozen when the programs go on
          const [at, fault] = yield* Effect.all([
            goesOn,
            Effect.andThen(Faults.freeze(cluster, 0, 7000), Effect.succeed(Date.now()))
          ], { concurrency: "unbounded" })
          assert.isBelow(at - frozenAt, 5000)
          assert.isAbove(fault, 0)
        }).pipe(Effect.provide(RedisService.layerCluster({
          nodes: cluster.nodes,
          exactlyOnce: true,
          deadline: "20 seconds",
          silence: "8 seconds"
        })))
      }),
    30_000
  )
})
