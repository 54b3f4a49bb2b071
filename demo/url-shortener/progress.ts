/**
 * A progress line, shown while an effect runs. It is shown on a terminal only.
 */
import { Effect } from "effect"

export interface Output {
  readonly isTTY?: boolean | undefined
  readonly write: (text: string) => unknown
}

const refreshMillis = 50
const clearLine = "\r\u001b[K"

/** Runs `use` and shows `done of total` meanwhile. `use` calls `advance` with the number of clicks done since its last call. */
export const withProgress = <A, E, R>(
  output: Output,
  total: number,
  use: (advance: (count: number) => void) => Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> => {
  let done = 0
  const run = use((count) => {
    done += count
  })
  if (output.isTTY !== true) return run
  let shown = -1
  const draw = () => {
    if (done === shown) return
    shown = done
    output.write(`\r${done.toLocaleString("en")} of ${total.toLocaleString("en")} clicks`)
  }
  return Effect.acquireUseRelease(
    Effect.sync(() => setInterval(draw, refreshMillis)),
    () => run,
    (timer) =>
      Effect.sync(() => {
        clearInterval(timer)
        output.write(clearLine)
      })
  )
}
