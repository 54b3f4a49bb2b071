/**
 * A rolling restart of a cluster, as an operator does it, under load.
 */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { range } from "../live/liveService.ts"
import { describeOwnServer } from "../support/Backends.ts"
import * as Faults from "../support/ClusterFaults.ts"
import * as RedisCluster from "../support/RedisCluster.ts"
import { sized } from "../support/Sizes.ts"
import * as Load from "./clusterLoad.ts"
import { lateness } from "./proxiedService.ts"

const rounds = sized(1, 4)
const deadline = 10_000

describeOwnServer("a cluster whose nodes are restarted one by one", () => {
  it.live(
    "answers all programs with exactlyOnce, and without it those that fail say by their errors whether they were applied",
    () =>
      Effect.gen(function*() {
        const cluster = yield* RedisCluster.start()
        yield* Faults.healthy(cluster)
        const late = yield* lateness
        const [once, plain] = yield* Effect.all([
          Load.make(cluster, { name: "once", seed: 1, pause: 3, options: { exactlyOnce: true, deadline } }),
          Load.make(cluster, { name: "plain", seed: 2, pause: 3, options: { deadline } })
        ])
        for (const shard of range(3 * rounds).map((i) => i % 3)) {
          yield* Faults.restart(cluster, Faults.replicaOf(cluster, shard))
          yield* Faults.failOver(cluster, shard)
          yield* Faults.healthy(cluster)
          // the one that was the primary
          yield* Faults.restart(cluster, Faults.replicaOf(cluster, shard))
        }
        for (const load of [once, plain]) {
          assert.deepStrictEqual(yield* load.end, [], load.summary())
          assert.isAtMost(load.slowest(), deadline + 100 + late(), load.summary())
          assert.isAbove(load.heard.length, 100)
          console.log(`${6 * rounds} restarts; ${load.summary()}; the slowest took ${Math.round(load.slowest())} ms`)
        }
        const failed = once.heard.filter(({ reason }) => reason !== undefined && reason !== "NoCoins")
        assert.deepStrictEqual(failed, [])
      }),
    sized(60_000, 200_000)
  )
})
