/**
 * The conformance suite over a cluster of three primaries and three replicas. A check passes there if it passes in memory with
 * `crossSlot: "refuse"`: the others commit programs of several slots, which both refuse.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Scope } from "effect"
import * as Conformance from "redlayer-conformance"
import * as Testing from "redlayer/testing"
import { afterAll } from "vitest"
import { describeOwnServer, redis } from "../support/Backends.ts"
import { layerCluster, telling } from "../support/Conformance.ts"
import * as RedisCluster from "../support/RedisCluster.ts"

/**
 * Promises that a cluster can't keep, because a message goes from node to node: it may arrive after a subscription that began later, and a
 * moment after the commit of its program. docs/cluster.md says so.
 */
const delayed = new Set([
  "topics: a message without subscribers is dropped",
  "topics: the messages of a program stand if it fails to decode a result after the commit",
  "topics: a subscription receives all messages published after it, however late they are read, and none published before"
])

const scope = Scope.makeUnsafe()
afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)), 30_000)

/** Besides those of any transport, the areas whose programs look at several keys, at all keys, or at other nodes. */
const more = ["bulk", "idempotency", "keys", "lists", "modify", "queries", "scans", "values"]

const inMemory = telling(
  await Effect.runPromise(Conformance.checks({
    layer: (options) => Testing.layerMemory({ ...options, crossSlot: "refuse" }),
    time: "clock"
  })),
  more
)
const outcomes = await Effect.runPromise(
  Effect.forEach(inMemory, (check) => Effect.map(Effect.exit(check.run), (exit) => [check, exit] as const))
)
const refused = new Set(
  outcomes.filter(([, exit]) => Exit.isFailure(exit)).map(([{ area, name }]) => `${area}: ${name}`)
)

describeOwnServer("conformance: cluster", () => {
  it("most checks commit programs of one slot", () => {
    assert.isAbove(inMemory.length, 2 * refused.size)
  })

  if (redis.canStart) {
    describe("checks", async () => {
      const cluster = await Effect.runPromise(
        Scope.provide(RedisCluster.start({ args: ["--cluster-node-timeout", RedisCluster.steady] }), scope)
      )
      const checks = telling(
        await Effect.runPromise(Conformance.checks({ layer: (options) => layerCluster(cluster, options) })),
        more
      )
      const kept = checks.filter(({ area, name }) =>
        !delayed.has(`${area}: ${name}`) && !refused.has(`${area}: ${name}`)
      )
      for (const [area, all] of Map.groupBy(kept, ({ area }) => area)) {
        describe(area, () => {
          for (const { name, run } of all) it.live(name, () => run)
        })
      }
      it.live("checks that need programs of several slots fail as in memory", () =>
        Effect.gen(function*() {
          for (const { area, name, run } of checks) {
            if (refused.has(`${area}: ${name}`)) assert.isTrue(Exit.isFailure(yield* Effect.exit(run)), name)
          }
        }), 120_000)
    })
  }
})
