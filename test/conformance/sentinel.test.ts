/**
 * The conformance suite over a server that Sentinels name. It has become the primary by a failover: the address with which they
 * were started is that of a replica.
 */
import { describe } from "@effect/vitest"
import { Effect, Exit, Scope } from "effect"
import { RedisService } from "redlayer"
import * as Conformance from "redlayer-conformance"
import { afterAll } from "vitest"
import { describeOwnServer, redis } from "../support/Backends.ts"
import { describeChecks, layerRedis, telling } from "../support/Conformance.ts"
import * as RedisSentinel from "../support/RedisSentinel.ts"

const scope = Scope.makeUnsafe()
afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)), 30_000)

describeOwnServer("conformance: Sentinels", () => {
  if (redis.canStart) {
    describe("checks", async () => {
      const group = await Effect.runPromise(Scope.provide(RedisSentinel.start({ replicas: 1 }), scope))
      await Effect.runPromise(group.quickFailover)
      const { name, sentinels } = group
      const primary = Effect.map(Effect.orDie(group.primary), ({ url }) => url)
      describeChecks(telling(
        await Effect.runPromise(Conformance.checks({
          layer: (options) =>
            layerRedis(
              options,
              primary,
              ({ url: _, ...rest }) => RedisService.layerSentinel({ ...rest, name, sentinels })
            )
        }))
      ))
    })
  }
})
