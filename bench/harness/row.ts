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
}

export interface Figures {
  readonly ours: number
  readonly theirs: number
  /** Above 1, redlayer is ahead. */
  readonly ratio: number
  /** The lowest and the highest ratio of a single round. */
  readonly spread: readonly [lowest: number, highest: number]
  readonly rounds: number
}

export interface Row {
  readonly name: string
  readonly contender: string
  readonly unit: string
  /** The ratio to reach. Undefined if the row is printed only. */
  readonly target: number | undefined
  /** Runs the row on the server at `url`, which nothing else uses meanwhile. */
  readonly run: (url: string, options: Options) => Effect.Effect<Figures, BenchError, Scope.Scope>
}

/** The median. NaN if `values` is empty. */
export const median = (values: ReadonlyArray<number>): number => {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
