/**
 * A row that is measured once, because its numbers do not depend on time.
 */
import { Effect } from "effect"
import type { Redis } from "ioredis"
import type { Row } from "./row.ts"
import { attempt, emptied } from "./server.ts"

export interface Definition extends Pick<Row, "name" | "contender" | "unit" | "target"> {
  /** Returns the number of each side. The lower one is better. */
  readonly measure: (redis: Redis, url: string) => Promise<{ readonly ours: number; readonly theirs: number }>
}

export const once = ({ measure, ...row }: Definition): Row => ({
  ...row,
  run: (url) =>
    Effect.gen(function*() {
      const redis = yield* emptied(row.name, url)
      const { ours, theirs } = yield* attempt(row.name, () => measure(redis, url))
      const ratio = theirs / ours
      return { ours, theirs, ratio, spread: [ratio, ratio], rounds: 1 }
    })
})
