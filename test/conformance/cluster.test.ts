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
import { layerCluster } from "../support/Conformance.ts"
import * as RedisCluster from "../support/RedisCluster.ts"

const scope = Scope.makeUnsafe()
afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)), 30_000)

const inMemory = await Effect.runPromise(Conformance.checks({
  layer: (options) => Testing.layerMemory({ ...options, crossSlot: "refuse" }),
  time: "clock"
}))
const outcomes = await Effect.runPromise(
  Effect.forEach(inMemory, (check) => Effect.map(Effect.exit(check.run), (exit) => [check, exit] as const))
)
const isRefused = (problem: string) => /CrossSlot/.test(problem)
const refused = new Set(
  outcomes.filter(([, exit]) => Exit.isFailure(exit)).map(([{ area, name }]) => `${area}: ${name}`)
)

describeOwnServer("conformance: cluster", () => {
  it("memory refuses only programs of several slots", () => {
    for (const [{ name }, exit] of outcomes) {
      if (Exit.isFailure(exit)) assert.isTrue(isRefused(String(exit.cause)), `${name}: ${exit.cause}`)
    }
    assert.isAbove(inMemory.length - refused.size, 500)
  })

  if (redis.canStart) {
    describe("checks", async () => {
      const cluster = await Effect.runPromise(Scope.provide(RedisCluster.start(), scope))
      const checks = await Effect.runPromise(Conformance.checks({ layer: (options) => layerCluster(cluster, options) }))
      for (const area of new Set(checks.map(({ area }) => area))) {
        describe(area, () => {
          for (const { area: of, name, run } of checks) {
            if (of !== area) continue
            if (!refused.has(`${area}: ${name}`)) it.live(name, () => run)
          }
        })
      }
      it.live("programs of several slots are refused as in memory", () =>
        Effect.gen(function*() {
          for (const { area, name, run } of checks) {
            if (!refused.has(`${area}: ${name}`)) continue
            const exit = yield* Effect.exit(run)
            if (Exit.isFailure(exit)) assert.isTrue(isRefused(String(exit.cause)), `${area}: ${name}: ${exit.cause}`)
          }
        }), 120_000)
    })
  }
})
