/**
 * A worker process of the demo: it connects, reports that, waits for the start message, and sends its share of the clicks.
 */
import { Effect } from "effect"
import { placeOf } from "../../examples/environment.ts"
import { runMain } from "../runMain.ts"
import { sendClicks } from "./clicks.ts"

/** A message from a worker to the process that started it. */
export type Message = { readonly _tag: "Connected" } | { readonly _tag: "Clicked"; readonly count: number }

/**
 * The number of clicks that one process has in flight. More would not be faster, because clicks queue at the server behind
 * those of the other processes, and a server that is silent for a second counts as disconnected.
 */
const concurrency = 64

const send = (message: Message) => Effect.sync(() => process.send?.(message))

const start = Effect.callback<void>((resume) => {
  process.once("message", () => resume(Effect.void))
})

const [code = "", share = "0"] = process.argv.slice(2)

const main = Effect.gen(function*() {
  yield* send({ _tag: "Connected" })
  yield* start
  let count = 0
  const report = Effect.suspend(() => {
    const message: Message = { _tag: "Clicked", count }
    count = 0
    return send(message)
  })
  yield* sendClicks(code, Number(share), concurrency, (more) => {
    count += more
  }).pipe(
    Effect.raceFirst(report.pipe(Effect.delay("50 millis"), Effect.forever)),
    Effect.ensuring(report)
  )
})

// a terminal sends Ctrl-C to every process, but the parent process decides when a worker stops
process.on("SIGINT", () => {})

runMain(main.pipe(
  Effect.provide(placeOf(process.env).layer),
  // a worker whose parent process has exited has nothing to do
  Effect.raceFirst(Effect.callback<void>((resume) => {
    process.once("disconnect", () => resume(Effect.void))
  })),
  Effect.ensuring(Effect.sync(() => process.disconnect?.()))
))
