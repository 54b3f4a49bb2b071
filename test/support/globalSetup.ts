/**
 * Decides once, before the first test, on which Redis this run's tests run, and tells them.
 *
 * - `REDLAYER_TEST_REDIS=none` hides every Redis, to see what a run without one looks like.
 * - `REDIS_URL` names a server that is there already. Tests keep to keys under a prefix of this run, and these keys
 *   are deleted at the end. A `REDIS_URL` that nothing answers at is a failure, not a reason to look further. Its user is
 *   whom the layers and the raw clients of the tests are; on all other servers layers have the rights of docs/server.md.
 * - Otherwise a `redis-server` or `valkey-server` on the PATH is started for the run. With `REDLAYER_TEST_TLS=1` it speaks
 *   TLS only.
 * - Otherwise a container is, when Docker answers.
 * - Otherwise the tests on Redis are skipped, and the run says so. On CI (`CI=true`) that is a failure.
 */
import { Cause, Data, Effect, Exit, Result, Scope } from "effect"
import { randomBytes } from "node:crypto"
import { globSync, mkdirSync, mkdtempSync, rmSync } from "node:fs"
import { basename, join } from "node:path"
import * as Tls from "node:tls"
import type { TestProject } from "vitest/node"
import * as Bundle from "./Bundle.ts"
import * as Certificates from "./Certificates.ts"
import { withLiveClock } from "./LiveClock.ts"
import * as RawRedis from "./RawRedis.ts"
import * as RedisServer from "./RedisServer.ts"
import * as Rights from "./Rights.ts"

/** The servers that a run has found, as tests get them from `inject("redis")`. */
export interface ProvidedRedis {
  readonly kind: "url" | "local" | "container" | "none"
  /** The shared server; undefined when there is none. */
  readonly url: string | undefined
  /** Every key that a test leaves on the shared server starts with this. It has no glob characters. */
  readonly prefix: string
  /** Whether a test that flushes, kills or configures its server can start one of its own. */
  readonly canStart: boolean
  /** For people, such as `redis-server 7.0.15, started for this run`. */
  readonly description: string
}

declare module "vitest" {
  interface ProvidedContext {
    readonly redis: ProvidedRedis
    /** The directory with the bundles of test/workers. */
    readonly workers: string
  }
}

export class RedisSetupError extends Data.TaggedError("RedisSetupError")<{
  readonly message: string
  readonly cause?: unknown
}> {}

const overTls = process.env.REDLAYER_TEST_TLS === "1"

const noRedis = (reason: string): string =>
  [
    "",
    "!!! ----------------------------------------------------------------------------",
    "!!! NO REDIS: every test that needs a real Redis is SKIPPED in this run.",
    `!!! ${reason}`,
    "!!! To run them do one of these:",
    "!!!   - install redis-server or valkey-server, so that it is on the PATH",
    "!!!   - set REDIS_URL, for instance REDIS_URL=redis://127.0.0.1:6379",
    "!!!   - start Docker",
    "!!! ----------------------------------------------------------------------------",
    "",
    ""
  ].join("\n")

/** The address without its password: it goes to logs. */
const withoutPassword = (url: string): string => {
  if (!URL.canParse(url)) {
    return "(not a URL)"
  }
  const parsed = new URL(url)
  if (parsed.password !== "") {
    parsed.password = "***"
  }
  return parsed.href
}

/** Name and version of a server, in its own words. */
const describeServer = (redis: RawRedis.RawRedis): Effect.Effect<string> =>
  redis.call("INFO", "server").pipe(
    Effect.map((info) => {
      const field = (name: string) => new RegExp(`^${name}:(.*)$`, "m").exec(String(info))?.[1]?.trim()
      const valkey = field("valkey_version")
      return valkey === undefined ? `redis-server ${field("redis_version") ?? "?"}` : `valkey-server ${valkey}`
    }),
    // INFO may be forbidden to the user of REDIS_URL
    Effect.catch(() => Effect.succeed("a Redis of unknown version"))
  )

/** Connects, pings and asks the server who it is. */
const greet = (url: string): Effect.Effect<string, RawRedis.RawRedisError> =>
  Effect.gen(function*() {
    const redis = yield* RawRedis.make(url)
    yield* redis.call("PING")
    return yield* describeServer(redis)
  }).pipe(
    Effect.scoped,
    Effect.timeoutOrElse({
      duration: "10 seconds",
      orElse: () =>
        Effect.fail(
          new RawRedis.RawRedisError({ command: "PING", message: "no answer within 10 seconds", cause: undefined })
        )
    })
  )

/** Deletes what a run has left, and gives the number of keys. */
export const deletePrefix = (url: string, prefix: string): Effect.Effect<number, RawRedis.RawRedisError> =>
  Effect.gen(function*() {
    const redis = yield* RawRedis.make(url)
    let cursor = "0"
    let deleted = 0
    do {
      const [next, keys] = (yield* redis.call("SCAN", cursor, "MATCH", `${prefix}*`, "COUNT", "1000")) as [
        string,
        Array<string>
      ]
      // one by one, because a node of a cluster refuses keys of several slots
      const counts = yield* Effect.forEach(keys, (key) => redis.call("DEL", key), { concurrency: "unbounded" })
      for (const count of counts) deleted += Number(count)
      cursor = next
    } while (cursor !== "0")
    return deleted
  }).pipe(Effect.scoped)

/** A raw client would be the admin that only servers have which were started here. */
const named = (url: string): string => {
  if (!URL.canParse(url) || RawRedis.namesUser(url)) {
    return url
  }
  const parsed = new URL(url)
  parsed.username = "default"
  return parsed.href
}

type Found = Omit<ProvidedRedis, "prefix" | "canStart">

const fromUrl = Effect.fnUntraced(
  function*(given: string, prefix: string): Effect.fn.Return<Found, RedisSetupError, Scope.Scope> {
    const shown = withoutPassword(given)
    const url = named(given)
    const server = yield* greet(url).pipe(
      Effect.mapError((cause) =>
        new RedisSetupError({
          message: `REDIS_URL is set to ${shown}, but no Redis answers PING there: ${cause.message}. ` +
            "Start that server, or unset REDIS_URL to let the run find a Redis by itself.",
          cause
        })
      )
    )
    yield* Effect.addFinalizer(() =>
      deletePrefix(url, prefix).pipe(
        Effect.catch((error) =>
          Effect.sync(() => {
            process.stderr.write(`\n!!! The keys ${prefix}* could not be deleted from ${shown}: ${error.message}\n`)
          })
        )
      )
    )
    return { kind: "url", url, description: `${server}, at REDIS_URL` }
  }
)

const certify = Effect.tap(Certificates.make(["IP:127.0.0.1"]), ({ authority, authorityFile }) =>
  Effect.sync(() => {
    Tls.setDefaultCACertificates([...Tls.getCACertificates("default"), authority])
    // the processes that run the tests start after this one has read it
    process.env.NODE_EXTRA_CA_CERTS = authorityFile
  }))

const fromBinary = (keyPrefix: string) =>
  Effect.gen(function*() {
    const certificates = overTls ? yield* certify : undefined
    const server = yield* RedisServer.start({ certificates, keyPrefix })
    const version = yield* greet(server.url)
    const means = overTls ? " over TLS" : ""
    // a redis-server may be a Valkey in disguise; the name that the user knows is the binary's
    const description = `${basename(server.binary)} ${version.split(" ").at(-1)}, started for this run${means}`
    return { kind: "local", url: server.url, description } satisfies Found
  }).pipe(
    Effect.mapError((cause) =>
      new RedisSetupError({ message: `The Redis of this run did not start: ${cause.message}`, cause })
    )
  )

const image = "redis:7-alpine"

// No test covers this with a Docker that answers; that one which does not answer ends in a notice has been seen.
const fromDocker = Effect.fnUntraced(function*(keyPrefix: string) {
  const { GenericContainer, getContainerRuntimeClient } = yield* Effect.tryPromise(() => import("testcontainers"))
  yield* Effect.tryPromise(() => getContainerRuntimeClient()).pipe(Effect.timeout("15 seconds"))
  const container = yield* Effect.acquireRelease(
    Effect.tryPromise(() =>
      new GenericContainer(image)
        .withCommand(["redis-server", "--save", "", "--appendonly", "no", ...Rights.serverArgs({ keyPrefix })])
        .withExposedPorts(6379)
        .withStartupTimeout(120_000)
        .start()
    ),
    (container) => Effect.ignore(Effect.tryPromise(() => container.stop()))
  )
  const url = `redis://${container.getHost()}:${container.getMappedPort(6379)}`
  const server = yield* greet(url)
  return { kind: "container", url, description: `${server}, in a ${image} container` } satisfies Found
})

const nothing = Effect.fnUntraced(function*(reason: string): Effect.fn.Return<Found, RedisSetupError> {
  yield* Effect.sync(() => process.stderr.write(noRedis(reason)))
  if (process.env.CI === "true") {
    return yield* new RedisSetupError({
      message: `This is CI (CI=true), where the tests on Redis must not be skipped, and there is no Redis: ${reason}`
    })
  }
  return { kind: "none", url: undefined, description: "no Redis found" }
})

const find = Effect.fnUntraced(
  function*(prefix: string, hidden: boolean): Effect.fn.Return<Found, RedisSetupError, Scope.Scope> {
    if (hidden) {
      return yield* nothing("REDLAYER_TEST_REDIS=none hides every Redis.")
    }
    const url = process.env.REDIS_URL
    if (url !== undefined && url !== "") {
      return yield* fromUrl(url, prefix)
    }
    if (RedisServer.findBinary() !== undefined) {
      return yield* fromBinary(`${prefix}*`)
    }
    const container = yield* Effect.result(fromDocker(`${prefix}*`))
    if (Result.isSuccess(container)) {
      return container.success
    }
    const { cause, message } = container.failure
    const why = cause instanceof Error ? cause.message : message
    return yield* nothing(`REDIS_URL is not set, no server binary is on the PATH, and Docker: ${why}`)
  }
)

/** Bundles the files of test/workers. Returns the directory, which is as deep as theirs, because they read files of the project. */
const bundleWorkers = async (root: string): Promise<string> => {
  mkdirSync(join(root, ".doctest"), { recursive: true })
  const directory = mkdtempSync(join(root, ".doctest", "workers-"))
  await Bundle.write(globSync("test/workers/*.ts", { cwd: root }).map((file) => join(root, file)), directory)
  return directory
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const scope = Scope.makeUnsafe()
  const close = (exit: Exit.Exit<unknown, unknown>) => Effect.runPromise(withLiveClock(Scope.close(scope, exit)))
  const prefix = `redlayer-test:${randomBytes(8).toString("hex")}:`
  const hidden = process.env.REDLAYER_TEST_REDIS === "none"
  const exit = await Effect.runPromiseExit(
    Scope.provide(find(prefix, hidden), scope).pipe(
      Effect.filterOrFail(
        ({ url }) => !overTls || url === undefined || url.startsWith("rediss:"),
        ({ description }) =>
          new RedisSetupError({ message: `REDLAYER_TEST_TLS=1 asks for TLS, and ${description} speaks none` })
      )
    )
  )
  if (Exit.isFailure(exit)) {
    await close(exit)
    throw Cause.squash(exit.cause)
  }
  const workers = await bundleWorkers(project.config.root)
  project.provide("workers", workers)
  project.provide("redis", { ...exit.value, prefix, canStart: !hidden && RedisServer.findBinary() !== undefined })
  return () => {
    rmSync(workers, { recursive: true, force: true })
    return close(Exit.void)
  }
}
