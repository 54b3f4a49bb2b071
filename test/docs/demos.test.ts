/**
 * Runs the load demos as a user does: the commands behind `npm start`, `npm run start:leaderboard` and `npm run start:stock`,
 * each in a separate process.
 */
import { afterAll, assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { spawn } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { settings } from "../../demo/url-shortener/flags.ts"
import { withProgress } from "../../demo/url-shortener/progress.ts"
import { describeMemory, describeOwnServer } from "../support/Backends.ts"
import * as RawRedis from "../support/RawRedis.ts"
import * as RedisServer from "../support/RedisServer.ts"

const root = new URL("../..", import.meta.url)

const { scripts }: { readonly scripts: Readonly<Record<string, string>> } = JSON.parse(
  readFileSync(new URL("package.json", root), "utf8")
)

/** A compile cache that all processes share, because compilation takes most of their time. */
const compileCache = mkdtempSync(join(tmpdir(), "redlayer-demos-"))
afterAll(() => rmSync(compileCache, { recursive: true, force: true }))

interface Outcome {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

interface RunOptions {
  /** The script in package.json. Default: `start`. */
  readonly script?: string
  readonly args?: ReadonlyArray<string>
  readonly redisUrl?: string
  /** Called with everything written to stdout so far. */
  readonly onOutput?: (stdout: string, kill: (signal: NodeJS.Signals) => void) => void
}

/** Runs a demo. An interruption kills its process. */
const run = (options: RunOptions = {}): Effect.Effect<Outcome> =>
  Effect.callback<Outcome>((resume) => {
    const command = scripts[options.script ?? "start"]!.split(" ")
    assert.strictEqual(command[0], "node")
    // the demo must not use a server that the environment names
    const { REDIS_HOST: _, REDIS_KEY_PREFIX: __, REDIS_URL: ___, ...env } = process.env
    const child = spawn(process.execPath, [...command.slice(1), ...(options.args ?? [])], {
      cwd: root,
      env: {
        ...env,
        NODE_COMPILE_CACHE: compileCache,
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

const assertCounted = (outcome: Outcome, from = ""): void => {
  assert.strictEqual(outcome.stderr, "")
  assert.match(outcome.stdout, /^created \/[\w-]{8} for https:\/\/effect\.website\/docs$/m)
  assert.match(
    outcome.stdout,
    new RegExp(`^10,000 of 10,000 clicks${from} in [\\d,]+ ms, [\\d,]+ per second; the last 100 are remembered$`, "m")
  )
  assert.match(outcome.stdout, /^GET \/[\w-]{8}: 302, to https:\/\/effect\.website\/docs$/m)
  assert.match(outcome.stdout, /^GET \/nosuch: 404, no such link$/m)
  // stdout is not a terminal here, so it must not contain a progress line
  assert.notInclude(outcome.stdout, "\r")
  assert.strictEqual(outcome.status, 0)
}

/** Every key of a server, except what it remembers of the indexes of models. */
const keys = Effect.fnUntraced(function*(redisUrl: string) {
  const redis = yield* RawRedis.make(redisUrl)
  const found = (yield* redis.call("KEYS", "*")) as ReadonlyArray<string>
  // the definition of indexes outlives the entities
  return found.filter((key) => !key.endsWith(":$plan"))
})

const timeout = 60_000

describe("the link shortener demo", () => {
  describeMemory("npm start", () => {
    it.live("10,000 clicks are counted in memory", () =>
      Effect.gen(function*() {
        const outcome = yield* run()
        assertCounted(outcome)
        assert.match(outcome.stdout, /^in memory$/m)
      }), timeout)

    it.live("several processes without a server are refused with a message", () =>
      Effect.gen(function*() {
        const outcome = yield* run({ args: ["--processes", "8"] })
        assert.include(outcome.stderr, "--processes 8 needs a server, and REDIS_URL is not set")
        assert.include(outcome.stderr, "memory belongs to one process")
        assert.strictEqual(outcome.stdout, "")
        assert.strictEqual(outcome.status, 1)
        const empty = yield* Effect.flip(settings(["--processes", "8"], { REDIS_URL: "" }))
        assert.include(empty.message, "--processes 8 needs a server")
      }), timeout)

    it.live("an unknown flag is refused with the usage, not a stack trace", () =>
      Effect.gen(function*() {
        const outcome = yield* run({ args: ["--threads", "8"] })
        assert.match(outcome.stderr, /^Unknown option '--threads'\n\n.*npm start/s)
        assert.notMatch(outcome.stderr, /^\s+at /m)
        assert.strictEqual(outcome.stdout, "")
        assert.strictEqual(outcome.status, 1)
      }), timeout)

    it.effect.each([
      { args: ["--processes", "0"], says: `--processes takes a whole number from 1 to 64, not "0"` },
      { args: ["--processes", "2.5"], says: `--processes takes a whole number from 1 to 64, not "2.5"` },
      { args: ["--processes=-1"], says: `--processes takes a whole number from 1 to 64, not "-1"` },
      { args: ["--processes", "65"], says: `--processes takes a whole number from 1 to 64, not "65"` },
      { args: ["--processes", ""], says: `--processes takes a whole number from 1 to 64, not ""` },
      { args: ["--processes", "many"], says: `--processes takes a whole number from 1 to 64, not "many"` },
      { args: ["--processes"], says: "'--processes <value>' argument missing" },
      { args: ["8"], says: "Unexpected argument '8'" }
    ])("the arguments $args are refused with a message", ({ args, says }) =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(settings(args, { REDIS_URL: "redis://127.0.0.1" }))
        assert.include(error.message, says)
      }))

    it.effect("--processes 8 is accepted with a server", () =>
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* settings(["--processes", "8"], { REDIS_URL: "redis://127.0.0.1" }), {
          help: false,
          onServer: true,
          processes: 8
        })
      }))

    it.live("--help prints the usage, and the exit code is 0", () =>
      Effect.gen(function*() {
        const outcome = yield* run({ args: ["--help"] })
        assert.include(outcome.stdout, "npm start -- --processes 8")
        assert.strictEqual(outcome.status, 0)
      }), timeout)

    it.live("the progress line is shown on a terminal only, and cleared at the end", () =>
      Effect.gen(function*() {
        const show = (isTTY: boolean) => {
          const written: Array<string> = []
          return withProgress({ isTTY, write: (text) => written.push(text) }, 10_000, (advance) =>
            Effect.gen(function*() {
              advance(1234)
              yield* Effect.sleep("120 millis")
              advance(1)
              yield* Effect.sleep("120 millis")
            })).pipe(Effect.as(written))
        }
        assert.deepStrictEqual(yield* show(true), [
          "\r1,234 of 10,000 clicks",
          "\r1,235 of 10,000 clicks",
          "\r\u001b[K"
        ])
        assert.deepStrictEqual(yield* show(false), [])
      }))
  })

  describeOwnServer("npm start", () => {
    it.live("10,000 clicks are counted on a server, and no key remains", () =>
      Effect.gen(function*() {
        const server = yield* RedisServer.start()
        const outcome = yield* run({ redisUrl: server.url })
        assertCounted(outcome)
        assert.match(outcome.stdout, /^on the server at REDIS_URL$/m)
        assert.deepStrictEqual(yield* keys(server.url), [])
      }), timeout)

    it.live("10,000 clicks from eight processes are counted, and no key remains", () =>
      Effect.gen(function*() {
        const server = yield* RedisServer.start()
        const outcome = yield* run({ redisUrl: server.url, args: ["--processes", "8"] })
        assertCounted(outcome, " from 8 processes")
        assert.deepStrictEqual(yield* keys(server.url), [])
        const redis = yield* RawRedis.make(server.url)
        const [, connections] = /total_connections_received:(\d+)/.exec(String(yield* redis.call("INFO", "stats")))!
        // one of the demo, eight of its workers, and those of this test
        assert.isAtLeast(Number(connections), 9)
      }), timeout)

    it.live.each([{ processes: "1" }, { processes: "3" }])(
      "a demo that is interrupted half-way leaves no key, with --processes $processes",
      ({ processes }) =>
        Effect.gen(function*() {
          const server = yield* RedisServer.start()
          let stopped = false
          const outcome = yield* run({
            redisUrl: server.url,
            args: ["--processes", processes],
            onOutput: (stdout, kill) => {
              if (!stopped && stdout.includes("created /")) {
                stopped = true
                kill("SIGINT")
              }
            }
          })
          assert.strictEqual(outcome.stderr, "")
          assert.notInclude(outcome.stdout, "10,000 of 10,000")
          assert.strictEqual(outcome.status, 130)
          assert.deepStrictEqual(yield* keys(server.url), [])
        }),
      timeout
    )

    it.live("a lost click fails the demo with the exit code 1", () =>
      Effect.gen(function*() {
        const server = yield* RedisServer.start()
        const redis = yield* RawRedis.make(server.url)
        let tampered: Promise<unknown> | undefined
        const outcome = yield* run({
          redisUrl: server.url,
          args: ["--processes", "2"],
          onOutput: (stdout) => {
            const code = /created \/([\w-]{8})/.exec(stdout)?.[1]
            if (code !== undefined) tampered ??= redis.client.hincrby(`Link:{${code}}`, "clicks", -1)
          }
        })
        assert.strictEqual(outcome.stderr, "The count is not exact\n")
        assert.isDefined(tampered)
        assert.include(outcome.stdout, "9,999 of 10,000 clicks")
        assert.strictEqual(outcome.status, 1)
        assert.deepStrictEqual(yield* keys(server.url), [])
      }), timeout)

    it.live("an unreachable server fails the demo with a message and the exit code 1", () =>
      Effect.gen(function*() {
        const server = yield* RedisServer.start()
        yield* server.stop
        const outcome = yield* run({ redisUrl: server.url })
        assert.strictEqual(
          outcome.stderr,
          `No connection to 127.0.0.1:${server.port}: ECONNREFUSED; nothing was applied\n`
        )
        assert.strictEqual(outcome.status, 1)
      }), timeout)
  })
})

interface Demonstration {
  readonly title: string
  readonly script: string
  readonly assertExact: (outcome: Outcome) => void
  /** Matches the output that shows that the demo has started. Group 1 is the id of the data. */
  readonly begun: RegExp
  /** Changes the stored data, which the demo must notice. */
  readonly tamper: (redis: RawRedis.RawRedis, id: string) => Promise<unknown>
  readonly says: string
}

const demonstrations: ReadonlyArray<Demonstration> = [
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

describe.each(demonstrations)("$title", ({ assertExact, begun, says, script, tamper }) => {
  describeMemory(`npm run ${script}`, () => {
    it.live("every total is exact in memory", () =>
      Effect.gen(function*() {
        const outcome = yield* run({ script })
        assert.strictEqual(outcome.stderr, "")
        assert.match(outcome.stdout, /^in memory$/m)
        assertExact(outcome)
        assert.strictEqual(outcome.status, 0)
      }), timeout)
  })

  describeOwnServer(`npm run ${script}`, () => {
    it.live("every total is exact on a server, and no key remains", () =>
      Effect.gen(function*() {
        const server = yield* RedisServer.start()
        const outcome = yield* run({ script, redisUrl: server.url })
        assert.strictEqual(outcome.stderr, "")
        assert.match(outcome.stdout, /^on the server at REDIS_URL$/m)
        assertExact(outcome)
        assert.strictEqual(outcome.status, 0)
        assert.deepStrictEqual(yield* keys(server.url), [])
      }), timeout)

    it.live("a wrong total fails the demo with the exit code 1, and no key remains", () =>
      Effect.gen(function*() {
        const server = yield* RedisServer.start()
        const redis = yield* RawRedis.make(server.url)
        let tampered: Promise<unknown> | undefined
        const outcome = yield* run({
          script,
          redisUrl: server.url,
          onOutput: (stdout) => {
            const id = begun.exec(stdout)?.[1]
            if (id !== undefined) tampered ??= tamper(redis, id)
          }
        })
        assert.isDefined(tampered)
        assert.include(outcome.stderr, says)
        assert.strictEqual(outcome.status, 1)
        assert.deepStrictEqual(yield* keys(server.url), [])
      }), timeout)
  })
})
