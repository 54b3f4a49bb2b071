/**
 * One increment, compared with a plain `HINCRBY`, which creates a missing hash and checks nothing.
 */
import type { Redis } from "ioredis"
import { compare, type Definition } from "./harness/compare.ts"
import { Counter, counting, firstOf, idOf, plainKey } from "./harness/entities.ts"
import { cpu, latency, perSecond } from "./harness/measures.ts"
import { fibers, handWritten, promises } from "./harness/work.ts"

/** Increments the entities one after the other. */
const increments = (loop: number) => {
  let at = firstOf(loop)
  return () => Counter.ref(idOf(at++)).n.increment()
}

const hincrbys = (redis: Redis, loop: number) => {
  let at = firstOf(loop)
  return () => redis.hincrby(plainKey(idOf(at++)), "n", 1)
}

const row = (
  definition: Omit<Definition, "module" | "prepare">
) => compare({ module: import.meta.url, prepare: counting("n"), ...definition })

export const rows = [
  row({
    name: "increment-raw",
    contender: "ioredis HINCRBY",
    target: 1.4,
    ...perSecond,
    ours: fibers({ loops: 500, operations: increments }),
    theirs: promises({ loops: 500, operations: hincrbys })
  }),
  row({
    name: "increment-exactly-once",
    contender: "ioredis HINCRBY",
    target: undefined,
    ...perSecond,
    ours: fibers({ loops: 500, options: { exactlyOnce: true }, operations: increments }),
    theirs: promises({ loops: 500, operations: hincrbys })
  }),
  row({
    name: "increment-hot",
    contender: "ioredis HINCRBY",
    target: 1.5,
    ...perSecond,
    ours: fibers({ loops: 500, operations: () => () => Counter.ref(idOf(0)).n.increment() }),
    theirs: promises({ loops: 500, operations: (redis) => () => redis.hincrby(plainKey(idOf(0)), "n", 1) })
  }),
  row({
    name: "increment-safe",
    contender: "ioredis EVALSHA",
    target: 1.8,
    ...perSecond,
    ours: fibers({ loops: 500, operations: increments }),
    theirs: handWritten({
      script: "exists-increment",
      loops: 500,
      operations: (run, loop) => {
        let at = firstOf(loop)
        return () => run([plainKey(idOf(at++))], ["n", 1])
      }
    })
  }),
  row({
    name: "increment-cpu",
    contender: "ioredis HINCRBY",
    target: 2.5,
    ...cpu,
    ours: fibers({ loops: 500, operations: increments }),
    theirs: promises({ loops: 500, operations: hincrbys })
  }),
  row({
    name: "latency-1",
    contender: "ioredis HINCRBY",
    target: 0.77,
    ...latency,
    ours: fibers({ loops: 1, timed: true, operations: increments }),
    theirs: promises({ loops: 1, timed: true, options: { enableAutoPipelining: false }, operations: hincrbys })
  })
]
