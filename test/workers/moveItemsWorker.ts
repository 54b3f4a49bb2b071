/**
 * One of several processes that move items to and fro under two locks: it connects, reports that, starts on a signal, and reports how
 * many moves were made, from whom.
 */
import { Effect } from "effect"
import { RedisService } from "redlayer"
import { moveUnderLocks, Player } from "../live/lockedModels.ts"

export interface Moved {
  readonly fromA: number
  readonly fromB: number
  readonly refused: number
}

const [url = "", times = ""] = process.argv.slice(2)

const main = Effect.gen(function*() {
  yield* Player.find("none")
  yield* Effect.callback<void>((resume) => {
    process.once("message", () => resume(Effect.void))
    process.send!("connected")
  })
  const moved = { fromA: 0, fromB: 0, refused: 0 }
  const move = (from: "a" | "b", to: "a" | "b", count: number) =>
    moveUnderLocks(from, to, count).pipe(
      Effect.tap(() =>
        Effect.sync(() => {
          moved[from === "a" ? "fromA" : "fromB"] += count
        })
      ),
      Effect.catchTag("NotEnough", () =>
        Effect.sync(() => {
          moved.refused++
        }))
    )
  const moves = Array.from({ length: Number(times) }, (_, i) => [move("a", "b", 1 + i % 7), move("b", "a", 1 + i % 5)])
  yield* Effect.all(moves.flat(), { concurrency: "unbounded" })
  yield* Effect.callback<void>((resume) => {
    process.send!(moved satisfies Moved, () => resume(Effect.void))
  })
})

if (url !== "") {
  Effect.runPromise(Effect.provide(main, RedisService.layer({ url, deadline: "30 seconds" }))).then(
    () => process.disconnect(),
    (error) => {
      console.error(error)
      process.exit(1)
    }
  )
}
