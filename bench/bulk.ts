/**
 * Ten thousand new entities, inserted by one call.
 */
import { compare } from "./harness/compare.ts"
import { Counter, entityOf, inserting, plainFields, plainKey } from "./harness/entities.ts"
import { perSecond } from "./harness/measures.ts"
import { fibers, promises } from "./harness/work.ts"

const size = 10_000

const idsOf = (bulk: number): ReadonlyArray<string> => Array.from({ length: size }, (_, index) => `${bulk}-${index}`)

export const rows = [
  compare({
    module: import.meta.url,
    name: "bulk-insert",
    contender: "ioredis pipeline",
    target: 1,
    ...perSecond,
    unit: "entities/s",
    ours: fibers({
      loops: 1,
      each: size,
      operations: () => {
        let bulk = 0
        return () => Counter.insertMany(idsOf(bulk++).map(entityOf))
      }
    }),
    theirs: promises({
      loops: 1,
      each: size,
      operations: (redis) => {
        let bulk = 0
        return () => {
          const pipeline = redis.pipeline()
          for (const id of idsOf(bulk++)) pipeline.hset(plainKey(id), plainFields(id))
          return pipeline.exec()
        }
      },
      check: (replies) => {
        for (const [error] of replies ?? [[new Error("nothing was sent")]]) if (error !== null) throw error
      }
    }),
    ...inserting
  })
]
