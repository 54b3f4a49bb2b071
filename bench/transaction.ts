/**
 * Four operations on one entity, all or nothing.
 */
import { Atomic } from "redlayer"
import { compare } from "./harness/compare.ts"
import { Counter, counting, firstOf, idOf, plainKey } from "./harness/entities.ts"
import { perSecond } from "./harness/measures.ts"
import { fibers, promises } from "./harness/work.ts"

export const rows = [
  compare({
    module: import.meta.url,
    name: "transaction-4",
    contender: "ioredis multi()",
    target: 4.5,
    ...perSecond,
    ours: fibers({
      loops: 500,
      operations: (loop) => {
        let at = firstOf(loop)
        return () => {
          const counter = Counter.ref(idOf(at++))
          return Atomic.all([
            counter.n.increment(),
            counter.visits.increment(),
            counter.likes.increment(),
            counter.posts.increment()
          ])
        }
      }
    }),
    theirs: promises({
      loops: 500,
      operations: (redis, loop) => {
        let at = firstOf(loop)
        return () => {
          const key = plainKey(idOf(at++))
          return redis.multi()
            .hincrby(key, "n", 1)
            .hincrby(key, "visits", 1)
            .hincrby(key, "likes", 1)
            .hincrby(key, "posts", 1)
            .exec()
        }
      },
      check: (results) => {
        for (const [error] of results ?? [[new Error("aborted")]]) if (error !== null) throw error
      }
    }),
    prepare: counting("n", "visits", "likes", "posts")
  })
]
