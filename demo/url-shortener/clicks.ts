/**
 * Many clicks on one link.
 */
import { Effect } from "effect"
import { track } from "../../examples/counter.ts"

/** Sends the clicks, each from a fiber of its own, `concurrency` of them at a time. */
export const sendClicks = (
  code: string,
  count: number,
  concurrency: number | "unbounded",
  advance: (count: number) => void
) =>
  track(code).pipe(
    Effect.tap(() => Effect.sync(() => advance(1))),
    Effect.replicateEffect(count, { concurrency, discard: true })
  )
