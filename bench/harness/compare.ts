/**
 * A row that compares two contenders on the same server. Each runs in separate processes, and they take turns, round by round.
 */
import { Effect, type Scope } from "effect"
import type { Redis } from "ioredis"
import type { Sample } from "./protocol.ts"
import { BenchError, type Both, type Figures, median, type Options, type Row } from "./row.ts"
import { attempt, emptied, type ServerWork, started, workOf, workSince } from "./server.ts"
import type { Work } from "./work.ts"
import * as Workers from "./workers.ts"

export type Side = "ours" | "theirs" | "oursSmall" | "theirsSmall"

export interface Comparison extends Row {
  readonly works: Readonly<Partial<Record<Side, Work>>>
  readonly definition: Definition
}

export const isComparison = (row: Row): row is Comparison => "definition" in row

/** The measurements of one turn of all processes of a side. */
export interface Measurement extends Sample {
  readonly server: ServerWork
}

/** The number of operations of each side since the row was prepared, including the warm-up. */
export interface Done extends Both {
  readonly oursSmall?: number
  readonly theirsSmall?: number
}

export interface Definition {
  /** `import.meta.url` of the module that exports the row in its `rows`. */
  readonly module: string
  readonly name: string
  readonly contender: string
  readonly unit: string
  readonly target: number | undefined
  readonly needs?: string
  /** Whether it runs on a cluster of three primaries, which it starts, in place of the server. */
  readonly isCluster?: boolean
  readonly better: "higher" | "lower"
  /** The number of operations of each side until their code is compiled: the warm-up runs at least as many. */
  readonly warmUp: number
  readonly measure: (measurement: Measurement) => number
  readonly ours: Work
  readonly theirs: Work
  /** The same work on small data: then the number of a side is the quotient of its measurements on large and on small data. */
  readonly small?: { readonly ours: Work; readonly theirs: Work }
  /** The number of client processes of each side. Default: 1 */
  readonly processes?: Both
  /** The number of operations that each script call must carry, on average. */
  readonly perCall?: number
  /** Runs when both sides are connected, before the first turn. */
  readonly ready?: (redis: Redis) => Promise<unknown>
  /** Runs before each turn, and is not part of the measured time. */
  readonly before?: (redis: Redis) => Promise<unknown>
  /** Fills the empty server. Returns the final check of the stored data: undefined, or a message that says what is wrong. */
  readonly prepare: (redis: Redis, url: string) => Promise<(done: Done) => Promise<string | undefined>>
}

const mostWarmUps = 10

const worksOf = ({ ours, small, theirs }: Definition): Comparison["works"] =>
  small === undefined ? { ours, theirs } : { ours, theirs, oursSmall: small.ours, theirsSmall: small.theirs }

const sidesOf = (row: Definition): ReadonlyArray<Side> => Object.keys(worksOf(row)) as Array<Side>

const start = (row: Definition, url: string) =>
  Effect.gen(function*() {
    const turns = new Map<Side, Workers.Turn>()
    for (const side of sidesOf(row)) {
      const processes = row.processes?.[side.startsWith("ours") ? "ours" : "theirs"] ?? 1
      turns.set(side, yield* Workers.startAll({ ...row, side }, url, processes))
    }
    return turns
  })

/** Whether the calls of a side carried as many operations as the row says. The last call of a turn may carry fewer. */
const wrongCalls = ({ perCall }: Definition, side: Side, measured: ReadonlyArray<Measurement>): string | undefined => {
  if (perCall === undefined) return undefined
  const operations = measured.reduce((sum, one) => sum + one.operations, 0)
  const calls = measured.reduce((sum, one) => sum + one.server.calls, 0)
  const mean = operations / calls
  return mean > perCall * 0.95 && mean < perCall * 1.05
    ? undefined
    : `a call of ${side} carried ${mean.toFixed(1)} operations, and not ${perCall}`
}

type Measured = ReadonlyMap<Side, ReadonlyArray<Measurement>>

const figuresOf = (row: Definition, measured: Measured): Figures => {
  const values = (side: Side): ReadonlyArray<number> => measured.get(side)!.map(row.measure)
  const large = { ours: values("ours"), theirs: values("theirs") }
  const small = row.small === undefined ? undefined : { ours: values("oursSmall"), theirs: values("theirsSmall") }
  const rounds = large.ours.map((_, round): Both => ({
    ours: large.ours[round]! / (small?.ours[round] ?? 1),
    theirs: large.theirs[round]! / (small?.theirs[round] ?? 1)
  }))
  const quotient = ({ ours, theirs }: Both): number => row.better === "higher" ? ours / theirs : theirs / ours
  const each = (of: (one: Measurement) => number): Both => ({
    ours: median(measured.get("ours")!.map(of)),
    theirs: median(measured.get("theirs")!.map(of))
  })
  const medians = { ours: median(rounds.map(({ ours }) => ours)), theirs: median(rounds.map(({ theirs }) => theirs)) }
  const ratios = rounds.map(quotient)
  return {
    ...medians,
    ratio: quotient(medians),
    spread: [Math.min(...ratios), Math.max(...ratios)],
    rounds: rounds.length,
    client: each(({ cpu, operations }) => cpu / operations),
    server: each(({ operations, server }) => server.cpu / operations)
  }
}

const run = (row: Definition, server: string, options: Options): Effect.Effect<Figures, BenchError, Scope.Scope> =>
  Effect.gen(function*() {
    options.progress("preparing")
    const { all, url } = row.isCluster === true
      ? yield* started(row.name)
      : { all: [yield* emptied(row.name, server)] as const, url: server }
    const [redis] = all
    const check = yield* attempt(row.name, () => row.prepare(redis, url))
    const turns = yield* start(row, url)
    yield* attempt(row.name, async () => row.ready?.(redis))
    const sides = [...turns.keys()]
    const done: Record<Side, number> = { ours: 0, theirs: 0, oursSmall: 0, theirsSmall: 0 }
    const measured = new Map<Side, Array<Measurement>>(sides.map((side) => [side, []]))

    const turn = Effect.fnUntraced(function*(side: Side) {
      yield* attempt(row.name, async () => row.before?.(redis))
      const start = yield* attempt(row.name, () => workOf(all))
      const sample = yield* turns.get(side)!(options.sliceMillis)
      const server = yield* attempt(row.name, () => workSince(all, start))
      if (sample.operations === 0) return yield* new BenchError({ message: `${row.name}: ${side} did nothing` })
      done[side] += sample.operations
      return { ...sample, server }
    })
    // only compiled code is measured, and the time to compile depends on the load of the machine: hence operations are counted
    for (let warmed = 0; warmed < mostWarmUps; warmed++) {
      if (warmed >= options.warmUps && Math.min(...sides.map((side) => done[side])) >= row.warmUp) break
      options.progress(`warm-up ${warmed + 1}`)
      for (const side of sides) yield* turn(side)
    }
    for (let round = 0; round < options.rounds; round++) {
      options.progress(`round ${round + 1} of ${options.rounds}`)
      // the order alternates, because the second turn finds a warmer machine
      for (const side of round % 2 === 0 ? sides : sides.toReversed()) measured.get(side)!.push(yield* turn(side))
    }

    const wrong = (yield* attempt(row.name, () => check(done))) ??
      sides.map((side) => wrongCalls(row, side, measured.get(side)!)).find((wrong) => wrong !== undefined)
    if (wrong !== undefined) return yield* new BenchError({ message: `${row.name}: ${wrong}` })
    return figuresOf(row, measured)
  })

export const compare = (row: Definition): Comparison => ({
  name: row.name,
  contender: row.contender,
  unit: row.unit,
  target: row.target,
  ...(row.needs === undefined ? {} : { needs: row.needs }),
  works: worksOf(row),
  definition: row,
  run: (url, options) => run(row, url, options)
})
