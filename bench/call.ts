/**
 * Empty calls, one at a time: the cost of a round trip through the whole client.
 */
import { Effect, Exit } from "effect"
import { RedisService } from "redlayer"
import { compare } from "./harness/compare.ts"
import { latency } from "./harness/measures.ts"
import { fibers, promises } from "./harness/work.ts"

const nothing = Effect.flatMap(
  RedisService.RedisService,
  (service) => service.execute({ instructions: [], access: "write" }, Exit.succeed)
)

let sha = ""

export const rows = [
  compare({
    module: import.meta.url,
    name: "empty-call",
    contender: "ioredis EVALSHA",
    target: 0.8,
    ...latency,
    perCall: 1,
    ours: fibers({ loops: 1, timed: true, operations: () => () => nothing }),
    theirs: promises({
      loops: 1,
      timed: true,
      // one at a time, auto-pipelining only adds a turn of the event loop
      options: { enableAutoPipelining: false },
      prepare: async (redis) => {
        sha = await redis.script("LOAD", "return 1") as string
      },
      operations: (redis) => () => redis.evalsha(sha, 0)
    }),
    ready: (redis) => redis.config("RESETSTAT"),
    prepare: async (redis) => async (done) => {
      const calls = /cmdstat_evalsha:calls=(\d+)/.exec(await redis.info("commandstats"))?.[1]
      const expected = done.ours + done.theirs
      return Number(calls) === expected ? undefined : `${calls} calls reached the server, and not ${expected}`
    }
  })
]
