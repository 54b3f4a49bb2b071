/**
 * The time of the server for one increment, compared with hand-written scripts: with 128 increments in a call, and with one.
 */
import { compare } from "./harness/compare.ts"
import { Counter, counting, entityCount, idOf, plainKey } from "./harness/entities.ts"
import { serverTime } from "./harness/measures.ts"
import { fibers, handWritten } from "./harness/work.ts"

/** The most programs of a call. As many fibers on one layer stay in step: their programs travel in one call. */
const batch = 128

/** Each fiber takes every 128th entity, so that a call has no entity twice. */
const increments = (loop: number) => {
  let at = loop
  return () => {
    const { n } = Counter.ref(idOf(at))
    at += batch
    return n.increment()
  }
}

const amounts = Array.from({ length: batch }, () => 1)

export const rows = [
  compare({
    module: import.meta.url,
    name: "server-batch",
    contender: "script, 128 a call",
    target: 0.85,
    ...serverTime,
    warmUp: 100_000,
    perCall: batch,
    ours: fibers({ loops: batch, operations: increments }),
    theirs: handWritten({
      script: "increments",
      loops: 1,
      each: batch,
      options: { enableAutoPipelining: false },
      operations: (run) => {
        let at = 0
        return () => {
          const keys = Array.from({ length: batch }, (_, index) => plainKey(idOf(at + index)))
          at = (at + batch) % entityCount
          return run(keys, amounts)
        }
      }
    }),
    prepare: counting("n")
  }),
  compare({
    module: import.meta.url,
    name: "server-single",
    contender: "script, 1 a call",
    target: 0.75,
    ...serverTime,
    perCall: 1,
    ours: fibers({ loops: 1, operations: increments }),
    theirs: handWritten({
      script: "increment",
      loops: 1,
      options: { enableAutoPipelining: false },
      operations: (run) => {
        let at = 0
        return () => run([plainKey(idOf(at += batch))], [1])
      }
    }),
    prepare: counting("n")
  })
]
