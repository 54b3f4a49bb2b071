/**
 * Sends many clicks on one link.
 */
import { Effect } from "effect"
import { track } from "../../examples/counter.ts"

/** Sends `count` clicks, each from a separate fiber, at most `concurrency` at a time. Reports each one to `advance`. */
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
