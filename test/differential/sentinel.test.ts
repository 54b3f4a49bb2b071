/**
 * Random programs on a server that Sentinels name, which is another one after each failover, and in memory.
 */
import { assert, it } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { RedisService } from "redlayer"
import { describeOwnServer, uniquePrefix } from "../support/Backends.ts"
import * as RawRedis from "../support/RawRedis.ts"
import * as RedisSentinel from "../support/RedisSentinel.ts"
import type { RedisServer } from "../support/RedisServer.ts"
import * as Differential from "./compareLayers.ts"
import { limit, runs } from "./random.ts"
import * as State from "./storedState.ts"

/** After how many comparisons of all that is stored there is a failover. */
const every = 3

describeOwnServer("random programs under Sentinels", () => {
  it.live(
    "return and leave the same as in memory, also on the replica that a failover promotes",
    () =>
      Effect.gen(function*() {
        const group = yield* RedisSentinel.start({ replicas: 1 })
        const { name, sentinels, servers } = group
        const prefix = uniquePrefix("sentinel")
        const context = yield* Layer.build(
          // a connection to the old primary may end while it has a program
          RedisService.layerSentinel({ sentinels, name, keyPrefix: prefix, deadline: "30 seconds", exactlyOnce: true })
        )
        const service = Context.get(context, RedisService.RedisService)
        const targets = new Map<RedisServer, State.Target>()
        for (const server of servers) {
          targets.set(server, State.redis(service, yield* RawRedis.make(server.url), prefix))
        }
        const target = Effect.map(Effect.orDie(group.primary), (server) => targets.get(server)!)
        let reads = 0
        let failovers = 0
        const failover = Effect.gen(function*() {
          yield* group.copied
          yield* group.quickFailover
          failovers++
        })
        const { counts, mismatch } = yield* Differential.run({
          service,
          reset: (state) => Effect.flatMap(target, ({ reset }) => reset(state)),
          // no program runs meanwhile, so the promoted replica has copied all that they have written
          read: Effect.suspend(() => ++reads % every === 0 ? Effect.orDie(failover) : Effect.void).pipe(
            Effect.andThen(target),
            Effect.flatMap(({ read }) => read),
            Effect.map((state) => new Map(Array.from(state).filter(([key]) => !key.includes(":$once:"))))
          )
        }, { name: "sentinel", programs: runs(1000) })
        if (mismatch !== undefined) assert.fail(mismatch)
        console.log(`${counts.programs} programs, ${failovers} failovers`)
        assert.isAbove(failovers, 0)
      }),
    limit(600_000, 1000)
  )
})
