/**
 * Random programs on a cluster whose slots move meanwhile, and in memory.
 */
import { assert, it } from "@effect/vitest"
import { Context, Effect, Layer, Semaphore, Stream } from "effect"
import { RedisService } from "redlayer"
import { slotOf } from "../../src/internal/instruction/slot.ts"
import { describeOwnServer, uniquePrefix } from "../support/Backends.ts"
import * as RedisCluster from "../support/RedisCluster.ts"
import * as Differential from "./compareLayers.ts"
import { limit, Random, runs } from "./random.ts"
import * as State from "./storedState.ts"

describeOwnServer("random programs on a cluster", () => {
  it.live("return and leave the same as in memory, while slots move", () =>
    Effect.gen(function*() {
      const cluster = yield* RedisCluster.start({ replicas: 0 })
      const prefix = uniquePrefix("cluster")
      const context = yield* Layer.build(
        RedisService.layerCluster({ nodes: cluster.nodes, keyPrefix: prefix, deadline: "30 seconds" })
      )
      const gate = yield* Semaphore.make(1)
      const service = Context.get(context, RedisService.RedisService)
      const target = State.cluster(
        // a scan is exact as long as no slot moves
        {
          ...service,
          scan: (start) => Stream.fromIterableEffect(gate.withPermits(1)(Stream.runCollect(service.scan!(start))))
        },
        cluster,
        prefix,
        (self) => gate.withPermits(1)(self)
      )
      const random = new Random("moves")
      let moves = 0
      const move = Effect.gen(function*() {
        const from = random.pick(cluster.primaries)
        const key = yield* from.raw.call("RANDOMKEY")
        if (typeof key !== "string") return
        const to = random.pick(cluster.primaries.filter((node) => node !== from))
        yield* RedisCluster.moveSlot(cluster, slotOf(key), to, Effect.sleep("3 millis"))
        moves++
      })
      yield* Effect.forkChild(
        Effect.forever(Effect.andThen(gate.withPermits(1)(Effect.orDie(move)), Effect.sleep(1)))
      )
      const { counts, mismatch } = yield* Differential.run(target, {
        name: "cluster",
        programs: runs(1500),
        refusesCrossSlot: true,
        // servers hand over the time that a key still has, so its expiry moves a little with it
        drift: 1000
      })
      if (mismatch !== undefined) assert.fail(mismatch)
      console.log(`${counts.programs} programs, ${moves} moves of slots`)
      assert.isAbove(moves, 3)
      const { keys, wrong } = yield* gate.withPermits(1)(RedisCluster.walk(cluster))
      assert.deepStrictEqual(wrong, [])
      assert.isAbove(keys, 100)
    }), limit(300_000, 1500))
})
