/**
 * Increments from several client processes, compared with a hand-written script of the same checks.
 */
import { compare } from "./harness/compare.ts"
import {
  Counter,
  counting,
  countingOurs,
  entityCount,
  firstOf,
  idOf,
  plainFields,
  plainKey
} from "./harness/entities.ts"
import { perSecond } from "./harness/measures.ts"
import { randomKey, redisBenchmark } from "./harness/redisBenchmark.ts"
import { fibers, handWritten } from "./harness/work.ts"

const increments = (loop: number) => {
  let at = firstOf(loop)
  return () => Counter.ref(idOf(at++)).n.increment()
}

export const rows = [
  compare({
    module: import.meta.url,
    name: "many-clients",
    contender: "ioredis EVALSHA",
    target: 0.9,
    ...perSecond,
    warmUp: 100_000,
    processes: { ours: 8, theirs: 8 },
    ours: fibers({ loops: 4, operations: increments }),
    theirs: handWritten({
      script: "increment",
      loops: 4,
      operations: (run, loop) => {
        let at = firstOf(loop)
        return () => run([plainKey(idOf(at++))], [1])
      }
    }),
    prepare: counting("n")
  }),
  compare({
    module: import.meta.url,
    name: "server-limit",
    contender: "redis-benchmark",
    target: 1,
    needs: "redis-benchmark",
    ...perSecond,
    processes: { ours: 2, theirs: 1 },
    ours: fibers({ loops: 500, operations: increments }),
    theirs: redisBenchmark("increment", entityCount, ["1"]),
    prepare: async (redis, url) => {
      const check = await countingOurs("n")(redis, url)
      const keys = Array.from({ length: entityCount }, (_, index) => randomKey(index))
      for (const key of keys) await redis.hset(key, plainFields(key))
      return async (done) => {
        let counted = 0
        for (const key of keys) counted += Number(await redis.hget(key, "n"))
        return counted === done.theirs ? check(done) : `redis-benchmark counted ${counted}, and not ${done.theirs}`
      }
    }
  })
]
