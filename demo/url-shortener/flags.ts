/**
 * Reads the settings of the demo from the command line and the environment.
 */
import { Data, Effect } from "effect"
import { parseArgs } from "node:util"
import { type Place, placeOf } from "../../examples/environment.ts"

export class BadUsage extends Data.TaggedError("BadUsage")<{ readonly message: string }> {}

export const usage = `Creates a short link, sends ${
  (10_000).toLocaleString("en")
} clicks to it at once, and counts them.

  npm start                                                in memory
  REDIS_URL=redis://127.0.0.1:6379 npm start               on a server
  REDIS_URL=redis://… npm start -- --processes 8           on a server, from eight processes at once`

const maximumProcesses = 64

export interface Settings {
  readonly help: boolean
  readonly place: Place
  readonly processes: number
}

const read = (args: ReadonlyArray<string>) =>
  parseArgs({
    args,
    options: { processes: { type: "string", default: "1" }, help: { type: "boolean", default: false } }
  })
    .values

export const settings = Effect.fnUntraced(function*(args: ReadonlyArray<string>, env: NodeJS.ProcessEnv) {
  const { help, processes } = yield* Effect.try({
    try: () => read(args),
    catch: (error) => new BadUsage({ message: `${(error as Error).message}\n\n${usage}` })
  })
  const count = Number(processes)
  if (!/^\d+$/.test(processes) || count < 1 || count > maximumProcesses) {
    return yield* new BadUsage({
      message: `--processes takes a whole number from 1 to ${maximumProcesses}, not "${processes}"`
    })
  }
  const place = placeOf(env)
  if (count > 1 && !place.isShared) {
    return yield* new BadUsage({
      message: `--processes ${count} needs a server, and REDIS_URL is not set: memory belongs to one process.\n` +
        `Try REDIS_URL=redis://127.0.0.1:6379 npm start -- --processes ${count}`
    })
  }
  const settings: Settings = { help, place, processes: count }
  return settings
})
