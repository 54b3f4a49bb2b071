/**
 * Programs of several slots that run exactly once in one call, while one of the slots moves away.
 */
import { assert, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { Model, RedisService } from "redlayer"
import { slotOf } from "../../conformance/src/support/slot.ts"
import { describeOwnServer } from "../support/Backends.ts"
import * as RedisCluster from "../support/RedisCluster.ts"

const Counter = Model.make("OnceCounter", { id: Schema.String, n: Schema.Int }, { key: "id" })

const ids = Array.from({ length: 30 }, (_, i) => `c${i}`)

describeOwnServer("exactlyOnce on a cluster", () => {
  it.live(
    "keeps the outcomes of programs in a slot that moves away, whichever slots the others of the call are in",
    () =>
      Effect.gen(function*() {
        const cluster = yield* RedisCluster.start({ replicas: 0 })
        const layer = RedisService.layerCluster({ nodes: cluster.nodes, exactlyOnce: true, deadline: "5 seconds" })
        yield* Effect.gen(function*() {
          const increments = Effect.forEach(ids, (id) => Counter.ref(id).n.increment(), { concurrency: "unbounded" })
          yield* Effect.forEach(ids, (id) => Counter.insert({ id, n: 0 }), { concurrency: "unbounded" })
          let n = 0
          // all records of the window are there before the slots begin to move, because an absent one waits until its slot has moved
          for (; n < 300; n++) yield* increments
          const slots = ids.filter((_, i) => i % 2 === 0).map((id) => slotOf(`{${id}}`))
          for (const slot of slots) {
            const from = cluster.owners[slot]!
            const to = cluster.primaries.find((node) => node !== from)!
            yield* to.raw.call("CLUSTER", "SETSLOT", String(slot), "IMPORTING", from.id)
            yield* from.raw.call("CLUSTER", "SETSLOT", String(slot), "MIGRATING", to.id)
          }
          for (let round = 0; round < 60; round++) {
            n++
            assert.deepStrictEqual(yield* increments, ids.map(() => n))
          }
        }).pipe(Effect.provide(layer))
      }),
    60_000
  )
})
