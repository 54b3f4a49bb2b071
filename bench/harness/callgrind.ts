/**
 * Counts the instructions of the server for one operation, under `valgrind --tool=callgrind`. The counts repeat on a machine with
 * other load, and times do not. Two servers do the same except for the number of operations: the difference is the operations.
 */
import { Effect } from "effect"
import { Redis } from "ioredis"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as RedisServer from "../../test/support/RedisServer.ts"
import type { Definition, Side } from "./compare.ts"
import { isInstalled } from "./installed.ts"
import { BenchError } from "./row.ts"
import { attempt } from "./server.ts"
import type { Slice } from "./work.ts"

/** Under valgrind a server starts in seconds. */
const startMillis = 60_000

/** The calls of the server with fewer operations. */
const calls = 30

/** A slice that is over after so many runs of the loops. */
class Counted implements Slice {
  readonly millis = Number.POSITIVE_INFINITY
  left: number
  constructor(runs: number) {
    this.left = runs
  }
  get over(): boolean {
    return this.left-- <= 0
  }
  record = (): void => {}
}

interface Server {
  readonly url: string
  /** Stops the server. Returns the instructions that it has executed. */
  readonly stop: () => Promise<number>
}

const start = (binary: string) =>
  Effect.gen(function*() {
    const port = yield* RedisServer.freePort
    const directory = yield* Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(join(tmpdir(), "redlayer-callgrind-"))),
      (directory) => Effect.sync(() => rmSync(directory, { recursive: true, force: true }))
    )
    const child = yield* Effect.acquireRelease(
      Effect.sync(() => {
        const output = `--callgrind-out-file=${join(directory, "callgrind.out")}`
        // few timers, because their instructions depend on time
        const settings = ["--port", String(port), "--bind", "127.0.0.1", "--dir", directory, "--save", "", "--hz", "1"]
        return spawn("valgrind", ["--tool=callgrind", output, binary, ...settings], {
          stdio: ["ignore", "ignore", "pipe"]
        })
      }),
      (child) => Effect.sync(() => child.kill("SIGKILL"))
    )
    let log = ""
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      log += chunk
    })
    const server: Server = {
      url: `redis://127.0.0.1:${port}`,
      stop: async () => {
        const closed = once(child, "close")
        child.kill("SIGTERM")
        await closed
        const collected = /Collected : (\d+)/.exec(log)?.[1]
        if (collected === undefined) throw new Error(`valgrind counted nothing: ${log}`)
        return Number(collected)
      }
    }
    return server
  })

const executed = (row: Definition, side: Side, binary: string, operations: number) =>
  Effect.gen(function*() {
    const server = yield* start(binary)
    return yield* attempt(row.name, async () => {
      const redis = new Redis(server.url, {
        connectTimeout: startMillis,
        retryStrategy: () => 200,
        maxRetriesPerRequest: null
      })
      redis.on("error", () => {
        // the server is still starting
      })
      const deadline = performance.now() + startMillis
      const ping = setInterval(() => performance.now() > deadline && redis.disconnect(), 1000)
      try {
        await redis.ping()
        await row.prepare(redis, server.url)
        const contestant = await (side === "ours" ? row.ours : row.theirs)(server.url)
        const each = await contestant.turn(new Counted(1)) as number
        const worked = await contestant.turn(new Counted(operations / each))
        if (worked !== operations) throw new Error(`${side} did ${String(worked)} operations, and not ${operations}`)
        await contestant.close()
      } finally {
        clearInterval(ping)
        redis.disconnect()
      }
      return server.stop()
    })
  }).pipe(Effect.scoped)

const perOperation = Effect.fnUntraced(function*(row: Definition, side: Side, binary: string) {
  const operations = calls * row.perCall!
  const base = yield* executed(row, side, binary, operations)
  const twice = yield* executed(row, side, binary, 2 * operations)
  return (twice - base) / operations
})

/** The rows whose calls all carry the same number of operations. */
export const countInstructions = Effect.fnUntraced(function*(
  definitions: ReadonlyArray<Definition>,
  progress: (text: string) => void,
  printed: (text: string) => void
) {
  const binary = RedisServer.findBinary()
  if (binary === undefined) return yield* new BenchError({ message: "redis-server is not installed" })
  if (!isInstalled("valgrind")) {
    return yield* new BenchError({ message: "NOT COUNTED, because valgrind is not installed" })
  }
  const counted = definitions.filter(({ perCall }) => perCall !== undefined)
  if (counted.length === 0) return yield* new BenchError({ message: "none of these rows can be counted" })
  printed("instructions of the server for one operation")
  for (const row of counted) {
    progress(`${row.name}: redlayer`)
    const ours = yield* perOperation(row, "ours", binary)
    progress(`${row.name}: ${row.contender}`)
    const theirs = yield* perOperation(row, "theirs", binary)
    const numbers = [ours, theirs].map((n) => Math.round(n).toLocaleString("en").padStart(10)).join("  ")
    printed(`${row.name.padEnd(22)}  ${row.contender.padEnd(18)}  ${numbers}  ${(theirs / ours).toFixed(2)}`)
  }
})
