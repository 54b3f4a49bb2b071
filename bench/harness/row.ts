/**
 * A row of the benchmark: one task, and how redlayer and a contender did it.
 */
import { Data, type Effect, type Scope } from "effect"

/** A row could not be measured, or its check failed. */
export class BenchError extends Data.TaggedError("BenchError")<{ readonly message: string }> {}

export interface Options {
  readonly rounds: number
  readonly warmUps: number
  /** The length of one turn of one contender, in milliseconds. */
  readonly sliceMillis: number
  /** Receives what the row is doing. */
  readonly progress: (doing: string) => void
}

/** A number of each side. */
export interface Both {
  readonly ours: number
  readonly theirs: number
}

export interface Figures extends Both {
  /** Above 1, redlayer is ahead. */
  readonly ratio: number
  /** The lowest and the highest ratio of a single round. */
  readonly spread: readonly [lowest: number, highest: number]
  readonly rounds: number
  /** The processor time of all clients for each operation, in microseconds. */
  readonly client?: Both
  /** The processor time of the server for each operation, in microseconds. */
  readonly server?: Both
  /** More about the result: it is printed after the row. */
  readonly note?: string
  /** The parts of the result, for the file. */
  readonly parts?: Readonly<Record<string, Both>>
}

export interface Row {
  readonly name: string
  readonly contender: string
  readonly unit: string
  /** The ratio to reach. Undefined if the row is printed only. */
  readonly target: number | undefined
  /** A program that the row needs, and that may be missing. */
  readonly needs?: string
  /** Runs the row on the server at `url`, which nothing else uses meanwhile. */
  readonly run: (url: string, options: Options) => Effect.Effect<Figures, BenchError, Scope.Scope>
}

/** The median. NaN if `values` is empty. */
export const median = (values: ReadonlyArray<number>): number => {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
