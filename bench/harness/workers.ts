/**
 * The processes of one side of a row.
 */
import { Effect, type Scope } from "effect"
import { fork } from "node:child_process"
import { fileURLToPath } from "node:url"
import type { Answer, Sample } from "./protocol.ts"
import { BenchError, median, type Row } from "./row.ts"

/** Lets each process take one turn, all at the same time. */
export type Turn = (millis: number) => Effect.Effect<Sample, BenchError>

/** `BENCH_PROFILE=ours` writes a profile of that side's processes to the current directory. */
const flags = (side: string): ReadonlyArray<string> => process.env.BENCH_PROFILE === side ? ["--cpu-prof"] : []

interface Side extends Pick<Row, "name" | "contender"> {
  /** `import.meta.url` of the module of the row. */
  readonly module: string
  readonly side: string
}

const start = ({ contender, module, name, side }: Side, url: string): Effect.Effect<Turn, BenchError, Scope.Scope> =>
  Effect.gen(function*() {
    const { child, wait } = yield* Effect.acquireRelease(
      Effect.sync(() => {
        const child = fork(
          fileURLToPath(new URL("worker.ts", import.meta.url)),
          [module, name, contender, side, url],
          { execArgv: [...process.execArgv, ...flags(side)] }
        )
        let resolve: (answer: Answer) => void
        let answer: Promise<Answer>
        const renew = () => {
          answer = new Promise((done) => {
            resolve = done
          })
        }
        renew()
        child.on("message", (message: Answer) => resolve(message))
        child.on("error", (error) => resolve({ error: error.message }))
        child.on("exit", (code, signal) => resolve({ error: `the process ended (${signal ?? code})` }))
        const wait = Effect.flatMap(Effect.promise(() => answer), ({ error, sample }) => {
          if (error !== undefined) return Effect.fail(new BenchError({ message: `${name}, ${side}: ${error}` }))
          renew()
          return Effect.succeed(sample)
        })
        return { child, wait }
      }),
      // it exits by itself when the channel closes: a killed process writes no profile
      ({ child }) => Effect.sync(() => child.connected ? child.disconnect() : child.kill())
    )
    yield* wait
    return (millis) =>
      Effect.flatMap(Effect.sync(() => child.send(millis)), () => Effect.map(wait, (sample) => sample!))
  })

const merged = (samples: ReadonlyArray<Sample>): Sample => {
  const sum = (of: (sample: Sample) => number) => samples.reduce((total, sample) => total + of(sample), 0)
  return {
    operations: sum(({ operations }) => operations),
    seconds: Math.max(...samples.map(({ seconds }) => seconds)),
    cpu: sum(({ cpu }) => cpu),
    latency: median(samples.map(({ latency }) => latency))
  }
}

/** Starts the processes of a side, and waits until all are connected. */
export const startAll = (side: Side, url: string, processes: number): Effect.Effect<Turn, BenchError, Scope.Scope> =>
  Effect.map(
    Effect.all(Array.from({ length: processes }, () => start(side, url)), { concurrency: 4 }),
    (turns) => (millis) =>
      Effect.map(Effect.all(turns.map((turn) => turn(millis)), { concurrency: "unbounded" }), merged)
  )
