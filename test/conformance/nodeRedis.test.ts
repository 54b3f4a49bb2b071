/**
 * A transport over another client, of which the library knows nothing: it passes all that is asked of a transport, and a
 * service over it what is asked of a service: all of it with `REDLAYER_EVERY_AREA=1`.
 */
import { it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { RedisService } from "redlayer"
import * as Conformance from "redlayer-conformance"
import * as NodeRedisTransport from "redlayer/NodeRedisTransport"
import * as Testing from "redlayer/testing"
import { describeRedis, redis, uniquePrefix } from "../support/Backends.ts"
import { describeChecks, layerRedis, telling } from "../support/Conformance.ts"

const checks = await Effect.runPromise(Conformance.checks({
  layer: (options) =>
    layerRedis(
      options,
      undefined,
      ({ url, ...options }) => Layer.provide(RedisService.layerTransport(options), NodeRedisTransport.layer({ url }))
    )
}))

describeRedis("a transport over node-redis", () => {
  for (const { name, run } of Testing.transportChecks(uniquePrefix("node-redis"))) {
    it.live(name, () => Effect.provide(run, NodeRedisTransport.layer({ url: redis.url })))
  }
})

describeRedis("conformance over node-redis", () => describeChecks(telling(checks)))
