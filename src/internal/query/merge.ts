/**
 * Merges ranges of an index in their order: those of several homes, or of several values.
 */
import * as Effect from "effect/Effect"
import type { RedisService } from "../service.ts"
import type { Entry } from "./reads.ts"

/**
 * How many entries a script examines at most.
 *
 * @internal
 */
export const mostEntries = 1000

/** How many entries each range is asked for at least, because a call has up to 128 ranges. */
const leastOfRange = 8

/**
 * The first entries of a merge.
 *
 * @internal
 */
export interface Merged<A> {
  readonly entries: ReadonlyArray<A>
  /** Whether the ranges have no more. */
  readonly isEnd: boolean
}

/**
 * Returns the first entries of all ranges, in order, at most `limit` of them. There may be fewer though the ranges have more: each is
 * asked for a part, because the ranges that travel in one call would otherwise examine that many times `limit`.
 *
 * @param ask returns the first entries of a range
 *
 * @internal
 */
export const merge = <S, A extends Entry>(
  ranges: ReadonlyArray<S>,
  ask: (range: S, limit: number) => Effect.Effect<ReadonlyArray<A>, any, RedisService>,
  compare: (a: A, b: A) => number,
  limit: number
): Effect.Effect<Merged<A>, any, RedisService> => {
  const part = ranges.length < 2
    ? limit
    : Math.min(limit, Math.max(leastOfRange, Math.floor(mostEntries / ranges.length)))
  return Effect.map(
    Effect.all(ranges.map((range) => ask(range, part)), { concurrency: "unbounded" }),
    (answers) => {
      const all = answers.flat()
      if (ranges.length > 1) all.sort(compare)
      // a range that may have more ends what is known of all of them
      const ends = new Set(answers.flatMap((answer) => answer.length < part ? [] : answer.slice(-1)))
      const known = all.findIndex((entry) => ends.has(entry)) + 1
      const entries = known === 0 ? all : all.slice(0, known)
      return { entries: entries.slice(0, limit), isEnd: known === 0 && all.length <= limit }
    }
  )
}
