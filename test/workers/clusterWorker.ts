/**
 * One of several processes that make transfers on a cluster with faults, and write to a file the outcome that they receive of each.
 */
import { Effect } from "effect"
import { createWriteStream } from "node:fs"
import { RedisService } from "redlayer"
import { pseudoRandom } from "redlayer-conformance/assertions"
import { type Heard, heardOf, transfer, transferOf } from "../faults/clusterBank.ts"

/** The work of a process, until it receives the signal to stop. */
export interface Job {
  readonly me: string
  readonly nodes: ReadonlyArray<string>
  readonly banks: ReadonlyArray<string>
  /** The file for what was heard, a line for each transfer. */
  readonly file: string
  readonly seed: number
  readonly fibers: number
  /** Milliseconds between two transfers of a fiber. */
  readonly pause: number
  readonly options: Omit<RedisService.ClusterOptions, "nodes">
}

/** The reply to `"prove"`: milliseconds until a transfer of each bank had succeeded that began after the question. */
export interface Proof {
  readonly millis: number
}

/** The reply to `"stop"`. */
export interface Result {
  readonly transfers: number
  /** Milliseconds of the slowest transfer. */
  readonly slowest: number
}

const work = Effect.fnUntraced(function*({ banks, fibers, file, me, pause, seed }: Job) {
  const next = pseudoRandom(seed)
  const lines = createWriteStream(file)
  let transfers = 0
  let slowest = 0
  let isOver = false
  const makeOne = (bank: string): Effect.Effect<Heard, never, RedisService.RedisService> =>
    Effect.suspend(() => {
      const one = transferOf(bank, `${me}.${transfers++}`, next)
      const begin = performance.now()
      return Effect.map(Effect.exit(transfer(one)), (exit) => {
        slowest = Math.max(slowest, performance.now() - begin)
        const heard = heardOf(one, exit)
        lines.write(`${JSON.stringify(heard)}\n`)
        return heard
      })
    })
  const prove = Effect.forEach(
    banks,
    (bank) =>
      Effect.repeat(makeOne(bank), { until: ({ applied, reason }) => applied === true || reason === "NoCoins" }),
    { concurrency: "unbounded", discard: true }
  )
  const questions: Array<() => void> = []
  yield* prove
  process.on("message", (message) => {
    if (message === "stop") isOver = true
    for (const ask of questions.splice(0)) ask()
  })
  process.send!("connected")
  const answering = Effect.whileLoop({
    while: () => !isOver,
    body: () =>
      Effect.gen(function*() {
        yield* Effect.callback<void>((resume) => {
          questions.push(() => resume(Effect.void))
        })
        if (isOver) return
        const begin = performance.now()
        yield* prove
        const proof: Proof = { millis: performance.now() - begin }
        process.send!(proof)
      }),
    step: () => {}
  })
  const working = Effect.whileLoop({
    while: () => !isOver,
    body: () => Effect.andThen(makeOne(banks[Math.floor(next() * banks.length)]!), Effect.sleep(pause)),
    step: () => {}
  })
  yield* Effect.all([answering, ...Array.from({ length: fibers }, () => working)], { concurrency: "unbounded" })
  yield* Effect.callback<void>((resume) => {
    lines.end(() => resume(Effect.void))
  })
  const result: Result = { transfers, slowest }
  return result
})

const job: Job = JSON.parse(process.argv[2]!)

Effect.runPromise(Effect.provide(work(job), RedisService.layerCluster({ ...job.options, nodes: job.nodes }))).then(
  (result) => {
    process.send!(result)
    process.disconnect()
  },
  (error) => {
    console.error(error)
    process.exit(1)
  }
)
