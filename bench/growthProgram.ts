/**
 * The cost of an instruction in a long program, compared with the cost in a shorter one, for every operation that is O(1) alone.
 */
import { Effect } from "effect"
import type { Redis } from "ioredis"
import { Atomic, RedisService } from "redlayer"
import { once } from "./harness/once.ts"
import type { Both } from "./harness/row.ts"
import { workOf, workSince } from "./harness/server.ts"
import { type Operation, operations, stateOf } from "./operations.ts"

const [long, short] = [16_000, 1000]

/** An operation below this quotient is measured again. The lowest cost counts, because other processes can only make one higher. */
const doubtful = 0.8
const again = 5

const program = (operation: Operation, from: number, length: number): Atomic.Any =>
  Atomic.forEach(Array.from({ length }, (_, i) => from + i), operation.make)

const commit = (atomic: Atomic.Any) => Effect.asVoid(Atomic.commit(atomic as Atomic.Atomic<unknown, unknown>))

/** The processor time of the server for one operation in programs of so many instructions, in microseconds. */
const cost = Effect.fnUntraced(function*(redis: Redis, operation: Operation, instructions: number) {
  const [all, length] = [long / operation.instructions, instructions / operation.instructions]
  yield* Effect.promise(() => redis.flushall("SYNC"))
  for (const atomic of stateOf(operation.state)) yield* commit(atomic)
  const start = yield* Effect.promise(() => workOf([redis]))
  for (let from = 0; from < all; from += length) yield* commit(program(operation, from, length))
  const { cpu } = yield* Effect.promise(() => workSince([redis], start))
  return cpu / all
})

export const rows = [
  once({
    name: "growth-program",
    contender: "itself at 1,000",
    unit: "µs CPU/op",
    target: 0.5,
    measure: async (redis, url, { progress }) => {
      const parts: Record<string, Both> = {}
      const measure = Effect.fnUntraced(function*(operation: Operation, times: number) {
        let { ours, theirs } = parts[operation.name] ?? { ours: Infinity, theirs: Infinity }
        for (let round = 0; round < times; round++) {
          theirs = Math.min(theirs, yield* cost(redis, operation, short))
          ours = Math.min(ours, yield* cost(redis, operation, long))
        }
        parts[operation.name] = { ours, theirs }
        return theirs / ours
      })
      const measured = Effect.gen(function*() {
        for (const [index, operation] of operations.entries()) {
          progress(`${operation.name}, ${index + 1} of ${operations.length}`)
          if ((yield* measure(operation, 1)) < doubtful) yield* measure(operation, again)
        }
      })
      await Effect.runPromise(Effect.provide(measured, RedisService.layer({ url })))
      const [[name, worst]] = Object.entries(parts).sort(([, a], [, b]) => a.theirs / a.ours - b.theirs / b.ours) as [
        [string, Both]
      ]
      return { ...worst, parts, note: `the worst of ${operations.length} operations: ${name}` }
    }
  })
]
