/**
 * A row of the benchmark: one task, done by redlayer and by a contender, or by redlayer alone.
 */
import { Data, type Effect, type Scope } from "effect"

/** A row could not be measured, or what it did was wrong. */
export class BenchError extends Data.TaggedError("BenchError")<{ readonly message: string }> {}

export interface Options {
  readonly rounds: number
  readonly warmUps: number
  /** how long one turn of one contender lasts */
  readonly sliceMillis: number
}

export interface Figures {
  readonly ours: number
  readonly theirs: number
  /** above 1, redlayer is ahead */
  readonly ratio: number
  /** the lowest and the highest ratio of a single round */
  readonly spread: readonly [lowest: number, highest: number]
  readonly rounds: number
}

export interface Row {
  readonly name: string
  readonly contender: string
  readonly unit: string
  /** the ratio to reach; undefined for a row that is only printed */
  readonly target: number | undefined
  /** on the server at `url`, which is the row's own while it runs */
  readonly run: (url: string, options: Options) => Effect.Effect<Figures, BenchError, Scope.Scope>
}

/** NaN where there are no values. */
export const median = (values: ReadonlyArray<number>): number => {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
