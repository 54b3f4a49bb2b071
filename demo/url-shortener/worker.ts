/**
 * One of several processes: it connects, reports that, waits for the start, and sends its share of the clicks.
 */
import { Effect } from "effect"
import { RedisService } from "redlayer"
import { runMain } from "../runMain.ts"
import { sendClicks } from "./clicks.ts"

/** A message from a worker to the process that started it. */
export type Message = { readonly _tag: "Connected" } | { readonly _tag: "Clicked"; readonly count: number }

/**
 * The number of clicks that one process has in flight. More are not faster, because they wait at the server behind those of
 * all other processes, and a server that is silent for a second counts as lost.
 */
const concurrency = 64

const tell = (message: Message) => Effect.sync(() => process.send?.(message))

const start = Effect.callback<void>((resume) => {
  process.once("message", () => resume(Effect.void))
})

const [code = "", share = "0"] = process.argv.slice(2)

const main = Effect.gen(function*() {
  yield* tell({ _tag: "Connected" })
  yield* start
  let count = 0
  const report = Effect.suspend(() => {
    const message: Message = { _tag: "Clicked", count }
    count = 0
    return tell(message)
  })
  yield* sendClicks(code, Number(share), concurrency, (more) => {
    count += more
  }).pipe(
    Effect.raceFirst(report.pipe(Effect.delay("50 millis"), Effect.forever)),
    Effect.ensuring(report)
  )
})

// Ctrl-C reaches every process of a terminal at once; the one that started this one decides
process.on("SIGINT", () => {})

runMain(main.pipe(
  Effect.provide(RedisService.layerConfig()),
  // without the process that started it a worker has nothing to do
  Effect.raceFirst(Effect.callback<void>((resume) => {
    process.once("disconnect", () => resume(Effect.void))
  })),
  Effect.ensuring(Effect.sync(() => process.disconnect?.()))
))
