/**
 * A row that compares two contenders on the same server. Each runs in a separate process, and they take turns, round by round.
 */
import { Effect, type Scope } from "effect"
import type { Redis } from "ioredis"
import { fork } from "node:child_process"
import { fileURLToPath } from "node:url"
import type { Answer, Sample } from "./protocol.ts"
import { BenchError, type Figures, median, type Options, type Row } from "./row.ts"
import { attempt, emptied } from "./server.ts"
import type { Work } from "./work.ts"

export interface Comparison extends Row {
  readonly ours: Work
  readonly theirs: Work
}

/** The number of operations of each side since the row was prepared, including the warm-up. */
export interface Done {
  readonly ours: number
  readonly theirs: number
}

export interface Definition {
  /** `import.meta.url` of the module that exports the row in its `rows`. */
  readonly module: string
  readonly name: string
  readonly contender: string
  readonly unit: string
  readonly target: number | undefined
  readonly better: "higher" | "lower"
  /** The number of operations of each side until their code is compiled: the warm-up runs at least as many. */
  readonly warmUp: number
  readonly measure: (sample: Sample) => number
  readonly ours: Work
  readonly theirs: Work
  /** Runs when both sides are connected, before the first turn. */
  readonly ready?: (redis: Redis) => Promise<unknown>
  /** Runs before each turn, and is not part of the measured time. */
  readonly before?: (redis: Redis) => Promise<unknown>
  /** Fills the empty server. Returns the final check of the stored data: undefined, or a message that says what is wrong. */
  readonly prepare: (redis: Redis, url: string) => Promise<(done: Done) => Promise<string | undefined>>
}

const mostWarmUps = 20

interface Worker {
  readonly turn: (millis: number) => Effect.Effect<Sample, BenchError>
}

const startWorker = (row: Definition, side: "ours" | "theirs", url: string) =>
  Effect.gen(function*() {
    const { child, wait } = yield* Effect.acquireRelease(
      Effect.sync(() => {
        const child = fork(
          fileURLToPath(new URL("worker.ts", import.meta.url)),
          [row.module, row.name, row.contender, side, url],
          { execArgv: [...process.execArgv, ...workerFlags(side)] }
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
          if (error !== undefined) return Effect.fail(new BenchError({ message: `${row.name}, ${side}: ${error}` }))
          renew()
          return Effect.succeed(sample)
        })
        return { child, wait }
      }),
      ({ child }) => Effect.sync(() => child.kill())
    )
    yield* wait
    const worker: Worker = {
      turn: (millis) =>
        Effect.flatMap(Effect.sync(() => child.send(millis)), () => Effect.map(wait, (sample) => sample!))
    }
    return worker
  })

/** `BENCH_PROFILE=ours` writes a profile of that side's process to the current directory. */
const workerFlags = (side: string): ReadonlyArray<string> => process.env.BENCH_PROFILE === side ? ["--cpu-prof"] : []

const run = (
  row: Definition,
  url: string,
  options: Options
): Effect.Effect<Figures, BenchError, Scope.Scope> =>
  Effect.gen(function*() {
    const redis = yield* emptied(row.name, url)
    const check = yield* attempt(row.name, () => row.prepare(redis, url))
    const ours = yield* startWorker(row, "ours", url)
    const theirs = yield* startWorker(row, "theirs", url)
    yield* attempt(row.name, async () => row.ready?.(redis))
    const done = { ours: 0, theirs: 0 }
    const figures: Array<{ readonly ours: number; readonly theirs: number }> = []

    const turn = Effect.fnUntraced(function*(side: "ours" | "theirs") {
      yield* attempt(row.name, async () => row.before?.(redis))
      const sample = yield* (side === "ours" ? ours : theirs).turn(options.sliceMillis)
      if (sample.operations === 0) return yield* new BenchError({ message: `${row.name}: ${side} did nothing` })
      done[side] += sample.operations
      return row.measure(sample)
    })
    // only compiled code is measured, and the time to compile depends on the load of the machine: hence operations are counted
    for (let warmed = 0; warmed < mostWarmUps; warmed++) {
      if (warmed >= options.warmUps && Math.min(done.ours, done.theirs) >= row.warmUp) break
      yield* turn("ours")
      yield* turn("theirs")
    }
    for (let round = 0; round < options.rounds; round++) {
      // the sides alternate in starting a round, because the second turn finds a warmer machine
      const first = round % 2 === 0 ? yield* turn("ours") : undefined
      const contender = yield* turn("theirs")
      const own = first ?? (yield* turn("ours"))
      figures.push({ ours: own, theirs: contender })
    }

    const wrong = yield* attempt(row.name, () => check(done))
    if (wrong !== undefined) return yield* new BenchError({ message: `${row.name}: ${wrong}` })
    const quotient = (one: { readonly ours: number; readonly theirs: number }): number =>
      row.better === "higher" ? one.ours / one.theirs : one.theirs / one.ours
    const medians = {
      ours: median(figures.map(({ ours }) => ours)),
      theirs: median(figures.map(({ theirs }) => theirs))
    }
    const ratios = figures.map(quotient)
    return {
      ...medians,
      ratio: quotient(medians),
      spread: [Math.min(...ratios), Math.max(...ratios)],
      rounds: figures.length
    }
  })

export const compare = (row: Definition): Comparison => ({
  name: row.name,
  contender: row.contender,
  unit: row.unit,
  target: row.target,
  ours: row.ours,
  theirs: row.theirs,
  run: (url, options) => run(row, url, options)
})
