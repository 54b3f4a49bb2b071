/**
 * The cost of each call of a script to its server: how many commands it ran, and how many entries of indexes it looked at, as MONITOR
 * shows them; or which calls took long, as the slow log does.
 */
import { Effect } from "effect"
import type * as RawRedis from "./RawRedis.ts"

export interface Cost {
  /** commands of the script */
  commands: number
  /** entries of indexes that it asked for */
  entries: number
}

const isRange = /^zrange$/i

/** How many elements a range has at most, by its arguments. */
const sizeOf = (args: ReadonlyArray<string>): number => {
  const limit = args.findIndex((arg) => arg.toLowerCase() === "limit")
  return limit < 0 ? Number(args[2]) - Number(args[1]) + 1 : Number(args[limit + 2])
}

/** Collects the costs of all calls from now on, until the scope closes. Each call of `take` returns those since the last one. */
export const monitor = Effect.fnUntraced(function*({ call, client }: RawRedis.RawRedis) {
  const monitor = yield* Effect.acquireRelease(
    Effect.promise(() => client.monitor()),
    (monitor) => Effect.sync(() => monitor.disconnect())
  )
  let costs: Array<Cost> = []
  let running: Cost | undefined
  const marks = { count: 0 }
  monitor.on("monitor", (_time: string, line: ReadonlyArray<string>, source: string) => {
    const [name = "", ...args] = line
    if (source !== "lua") {
      running = /^eval/i.test(name) ? { commands: 0, entries: 0 } : undefined
      if (running !== undefined) costs.push(running)
      if (name.toLowerCase() === "echo") marks.count++
      return
    }
    if (running === undefined) return
    running.commands++
    if (!isRange.test(name)) return
    // what it asks for of expiries is few of them: it is seen by the commands that remove them
    if (!args[0]!.endsWith(":$exp")) running.entries += sizeOf(args)
  })
  const take = Effect.gen(function*() {
    const wanted = marks.count + 1
    // all that came before it has been seen with it
    yield* call("ECHO", "mark")
    const isSeen = () => marks.count >= wanted
    while (!isSeen()) yield* Effect.sleep(2)
    const taken = costs
    costs = []
    return taken as ReadonlyArray<Cost>
  })
  return { take }
})

/** Lets the server note calls that take longer than so many microseconds. `take` returns how long those of scripts took, in ms. */
export const slowLog = Effect.fnUntraced(function*({ call }: RawRedis.RawRedis, micros: number) {
  yield* call("CONFIG", "SET", "slowlog-log-slower-than", String(micros))
  yield* call("CONFIG", "SET", "slowlog-max-len", "100000")
  yield* call("SLOWLOG", "RESET")
  const take = Effect.gen(function*() {
    const rows = (yield* call("SLOWLOG", "GET", "-1")) as ReadonlyArray<
      readonly [number, number, number, Array<string>]
    >
    yield* call("SLOWLOG", "RESET")
    return rows.filter(([, , , [name = ""]]) => /^eval/i.test(name)).map(([, , micros]) => Number(micros) / 1000)
  })
  return { take }
})
