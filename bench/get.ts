/**
 * Reads of whole entities. redlayer decodes them by the schema; the contender returns a plain record of strings.
 */
import { compare } from "./harness/compare.ts"
import { Counter, firstOf, idOf, plainKey, reading } from "./harness/entities.ts"
import { perSecond } from "./harness/measures.ts"
import { fibers, promises } from "./harness/work.ts"

const expect = (holds: boolean): void => {
  if (!holds) throw new Error("an entity differs from what was stored")
}

export const rows = [
  compare({
    module: import.meta.url,
    name: "get-8",
    contender: "ioredis HGETALL",
    target: 3,
    ...perSecond,
    ours: fibers({
      loops: 500,
      operations: (loop) => {
        let at = firstOf(loop)
        return () => Counter.get(idOf(at++))
      },
      check: (found) => expect(found instanceof Counter && found.rating === 4.5 && found.active && found.posts === 0)
    }),
    theirs: promises({
      loops: 500,
      operations: (redis, loop) => {
        let at = firstOf(loop)
        return () => redis.hgetall(plainKey(idOf(at++))) as Promise<Record<string, string>>
      },
      check: (found) => expect(found.rating === "4.5" && found.active === "true" && found.posts === "0")
    }),
    prepare: reading
  })
]
