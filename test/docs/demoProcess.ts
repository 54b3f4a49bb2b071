/**
 * The load demos in processes of their own, and what their output must say.
 */
import { afterAll, assert } from "@effect/vitest"
import { Effect } from "effect"
import { spawn } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as RawRedis from "../support/RawRedis.ts"

const root = new URL("../..", import.meta.url)

const { scripts }: { readonly scripts: Readonly<Record<string, string>> } = JSON.parse(
  readFileSync(new URL("package.json", root), "utf8")
)

/** A compile cache that all processes share, because compilation takes most of their time. */
const compileCache = mkdtempSync(join(tmpdir(), "redlayer-demos-"))
afterAll(() => rmSync(compileCache, { recursive: true, force: true }))

export interface Outcome {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  /** The script in package.json. Default: `start`. */
  readonly script?: string
  readonly args?: ReadonlyArray<string>
  readonly redisUrl?: string
  /** More variables of its environment. */
  readonly env?: Readonly<Record<string, string>>
  /** Called with everything written to stdout so far. */
  readonly onOutput?: (stdout: string, kill: (signal: NodeJS.Signals) => void) => void
}

/** Runs a demo. An interruption kills its process. */
export const run = (options: RunOptions = {}): Effect.Effect<Outcome> =>
  Effect.callback<Outcome>((resume) => {
    const command = scripts[options.script ?? "start"]!.split(" ")
    assert.strictEqual(command[0], "node")
    const child = spawn(process.execPath, [...command.slice(1), ...(options.args ?? [])], {
      cwd: root,
      env: {
        // the demo must not use a server that the environment names
        ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("REDIS_"))),
        NODE_COMPILE_CACHE: compileCache,
        ...options.env,
        ...(options.redisUrl === undefined ? undefined : { REDIS_URL: options.redisUrl })
      },
      stdio: ["ignore", "pipe", "pipe"]
    })
    let stdout = ""
    let stderr = ""
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text
      options.onOutput?.(stdout, (signal) => child.kill(signal))
    })
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text
    })
    child.once("close", (status) => resume(Effect.succeed({ status, stdout, stderr })))
    return Effect.sync(() => child.kill("SIGKILL"))
  })

/** Every key of a server, except what it remembers of the indexes of models. */
export const keys = Effect.fnUntraced(function*(redisUrl: string) {
  const redis = yield* RawRedis.make(redisUrl)
  const found = (yield* redis.call("KEYS", "*")) as ReadonlyArray<string>
  // the definition of indexes outlives the entities
  return found.filter((key) => !key.endsWith(":$plan"))
})

export interface Demonstration {
  readonly title: string
  readonly script: string
  readonly assertExact: (outcome: Outcome) => void
  /** Matches the output that shows that the demo has started. Group 1 is the id of the data. */
  readonly begun: RegExp
  /** Changes the stored data, which the demo must notice. */
  readonly tamper: (redis: RawRedis.RawRedis, id: string) => Promise<unknown>
  readonly says: string
}

export const demonstrations: ReadonlyArray<Demonstration> = [
  {
    title: "the leaderboard demo",
    script: "start:leaderboard",
    assertExact: ({ stdout }) => {
      assert.match(stdout, /^5,000 games: 5,000 won, 5,000 lost, 0 points in all$/m)
      const [, done, refused] = /^5,000 transfers: ([\d,]+) done, ([\d,]+) refused, 400 of 400 coins are there$/m.exec(
        stdout
      )!
      assert.strictEqual([done, refused].reduce((sum, text) => sum + Number(text!.replace(",", "")), 0), 5000)
      assert.match(stdout, /^every total is exact$/m)
    },
    begun: /^league ([\w-]{8})$/m,
    tamper: (redis, league) => redis.client.hincrby(`Player:{${league}}:alice`, "score", 1),
    says: "Not exact: the score of alice"
  },
  {
    title: "the stock demo",
    script: "start:stock",
    assertExact: ({ stdout }) => {
      assert.match(stdout, /^100 of 100 sold to 5,000 buyers in [\d,]+ ms; 4,900 found it sold out, 0 left$/m)
    },
    begun: /^100 of (lamp-[\w-]{8}) are on sale$/m,
    tamper: (redis, sku) => redis.client.hincrby(`Product:{${sku}}`, "stock", 1),
    says: "The sale is not exact"
  }
]
