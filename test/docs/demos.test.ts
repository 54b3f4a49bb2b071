/**
 * Runs the load demos as a user does: the commands behind `npm start`, `npm run start:leaderboard` and `npm run start:stock`,
 * each in a separate process.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { settings } from "../../demo/url-shortener/flags.ts"
import { withProgress } from "../../demo/url-shortener/progress.ts"
import { describeMemory, describeOwnServer } from "../support/Backends.ts"
import * as RawRedis from "../support/RawRedis.ts"
import * as RedisServer from "../support/RedisServer.ts"
import { demonstrations, keys, type Outcome, run } from "./demoProcess.ts"

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
        for (const variable of ["REDIS_URL", "REDIS_CLUSTER_NODES", "REDIS_SENTINELS"]) {
          const found = yield* settings(["--processes", "8"], { [variable]: "127.0.0.1:6379" })
          assert.strictEqual(found.processes, 8)
          assert.include(found.place.name, variable)
        }
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
