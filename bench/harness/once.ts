/**
 * A row that the main process measures, because it needs no turns.
 */
import { Effect } from "effect"
import type { Redis } from "ioredis"
import type { Both, Figures, Options, Row } from "./row.ts"
import { attempt, emptied } from "./server.ts"

/** The number of each side, of which the lower one is better. */
export type Outcome = Both & Pick<Figures, "note" | "parts"> & { readonly rounds?: number }

export interface Definition extends Pick<Row, "name" | "contender" | "unit" | "target"> {
  readonly measure: (redis: Redis, url: string, options: Options) => Promise<Outcome>
}

export const once = ({ measure, ...row }: Definition): Row => ({
  ...row,
  run: (url, options) =>
    Effect.gen(function*() {
      options.progress("measuring")
      const redis = yield* emptied(row.name, url)
      const outcome = yield* attempt(row.name, () => measure(redis, url, options))
      const ratio = outcome.theirs / outcome.ours
      return { ratio, spread: [ratio, ratio], rounds: 1, ...outcome }
    })
})
