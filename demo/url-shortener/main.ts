/**
 * A link shortener under load: 10,000 concurrent clicks on one link are counted exactly.
 *
 *   npm start -- --help
 */
import { Console, Data, Duration, Effect } from "effect"
import { create, Link, resolve, track } from "../../examples/counter.ts"
import { runMain } from "../runMain.ts"
import { sendClicks } from "./clicks.ts"
import { settings, usage } from "./flags.ts"
import { connectProcesses } from "./processes.ts"
import { withProgress } from "./progress.ts"

const total = 10_000

class ClicksLost extends Data.TaggedError("ClicksLost")<{ readonly message: string }> {}

const number = (value: number) => value.toLocaleString("en")

/** The response of a web server to a click. */
const answer = (code: string) =>
  Effect.andThen(track(code), resolve(code)).pipe(
    Effect.map((url) => `302, to ${url}`),
    Effect.catchTag("EntityNotFound", () => Effect.succeed("404, no such link"))
  )

/** Sends all clicks. Returns the time that they took, without the time to connect. */
const send = Effect.fnUntraced(function*(code: string, processes: number, advance: (count: number) => void) {
  if (processes === 1) return yield* Effect.timed(sendClicks(code, total, "unbounded", advance))
  const clicks = yield* connectProcesses(code, total, processes, advance)
  return yield* Effect.timed(clicks)
}, Effect.scoped)

const demo = Effect.fnUntraced(function*(link: Link, processes: number) {
  const [duration] = yield* withProgress(process.stdout, total, (advance) => send(link.code, processes, advance))
  const { clicks, recentClicks } = yield* Link.get(link.code)
  const millis = Duration.toMillis(duration)
  const from = processes === 1 ? "" : ` from ${processes} processes`
  yield* Console.log(
    `${number(clicks)} of ${number(total)} clicks${from} in ${number(Math.round(millis))} ms, ` +
      `${number(Math.round(total / millis * 1000))} per second; the last ${recentClicks.length} are remembered`
  )
  if (clicks !== total) return yield* new ClicksLost({ message: "The count is not exact" })
  yield* Console.log(`GET /${link.code}: ${yield* answer(link.code)}`)
  yield* Console.log(`GET /nosuch: ${yield* answer("nosuch")}`)
})

const main = Effect.gen(function*() {
  const { help, place, processes } = yield* settings(process.argv.slice(2), process.env)
  if (help) return yield* Console.log(usage)
  yield* Console.log(place.name)
  yield* Effect.acquireUseRelease(
    create("https://effect.website/docs"),
    (link) =>
      Effect.andThen(
        Console.log(`created /${link.code} for ${link.url}`),
        demo(link, processes)
      ),
    (link) => Link.delete(link.code)
  ).pipe(
    Effect.provide(place.layer)
  )
})

runMain(main)
