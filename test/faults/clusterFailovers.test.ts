/**
 * Primaries that are killed right after they have acknowledged writes: how many of these are lost, with and without `waitReplicas`.
 */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { range, until } from "../live/liveService.ts"
import { describeOwnServer } from "../support/Backends.ts"
import * as Faults from "../support/ClusterFaults.ts"
import * as RedisCluster from "../support/RedisCluster.ts"
import { sized } from "../support/Sizes.ts"
import { lostBy } from "./clusterLedger.ts"
import * as Load from "./clusterLoad.ts"

const failovers = sized(2, 20)

/** The layers that are compared. */
const loads: ReadonlyArray<Omit<Load.LoadOptions, "seed">> = [
  { name: "plain", pause: 1, options: {} },
  { name: "waiting", pause: 1, options: { waitReplicas: { count: 1, timeout: "1 second" } } }
]

describeOwnServer("failovers", () => {
  it.live(
    "lose what a primary had acknowledged and not copied, and nothing that waited for replicas",
    () =>
      Effect.gen(function*() {
        const cluster = yield* RedisCluster.start()
        yield* Faults.healthy(cluster)
        const running = yield* Effect.forEach(loads, (options, seed) => Load.make(cluster, { ...options, seed }))
        const faults: Array<Faults.Fault> = []
        const cuts: Array<Faults.Fault> = []
        for (const round of range(failovers)) {
          const shard = Math.floor(round / 2) % 3
          const isCut = round % 2 === 1
          const { server } = Faults.primaryOf(cluster, shard)
          /** Waits until each load has had so many successes in the shard. The last one ends by what it returns. */
          const successes = Effect.fnUntraced(
            function*(count: number, last: (() => void) | undefined, of: ReadonlyArray<Load.Load> = running) {
              const left = new Map(of.map((load) => [load, count]))
              for (const load of of) {
                load.onSuccess = ({ bank }) => {
                  if (load.banks[shard]!.includes(bank)) left.set(load, left.get(load)! - 1)
                  if (left.get(load) !== 0) return
                  load.onSuccess = () => {}
                  if ([...left.values()].every((n) => n <= 0)) last?.()
                }
              }
              yield* until("writes succeed in the shard", () => [...left.values()].every((n) => n <= 0))
            }
          )
          yield* successes(50, undefined)
          if (isCut) yield* Faults.cutReplication(cluster, shard)
          // those that wait for replicas do not succeed now
          yield* successes(20, () => process.kill(server.pid, "SIGKILL"), isCut ? [running[0]!] : running)
          const { dead, fault } = yield* Faults.kill(cluster, shard)
          faults.push(fault)
          if (isCut) cuts.push(fault)
          yield* cluster.restart(dead)
          yield* Faults.healthy(cluster)
        }
        yield* Effect.forEach(running, (load) =>
          Effect.gen(function*() {
            const lost = yield* load.end
            const byCut = lost.filter((one) => cuts.includes(lostBy(one, faults)!))
            const text = `${failovers} failovers, ${cuts.length} after a cut of the replication; ${load.summary()}; ` +
              `${lost.length} acknowledged writes lost, ${byCut.length} of them by a cut`
            console.log(text)
            assert.deepStrictEqual(lost.filter((one) => lostBy(one, faults) === undefined), [], text)
            if (load.name === "waiting") assert.deepStrictEqual(lost, [], text)
            else assert.isAtLeast(byCut.length, 20 * cuts.length, text)
          }))
      }),
    sized(60_000, 290_000)
  )
})
