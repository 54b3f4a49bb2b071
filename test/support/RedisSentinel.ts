/**
 * A primary, its replicas and the Sentinels that watch them, for tests: on free ports of the loopback interface, and gone with their
 * scope.
 */
import { Effect, Schedule, type Scope } from "effect"
import type { RawRedisError } from "./RawRedis.ts"
import * as RawRedis from "./RawRedis.ts"
import * as RedisServer from "./RedisServer.ts"
import { admin } from "./Rights.ts"

export interface Group {
  readonly name: string
  readonly servers: ReadonlyArray<RedisServer.RedisServer>
  /** The addresses of the Sentinels, as a layer takes them. */
  readonly sentinels: ReadonlyArray<string>
  /** The server that the Sentinels name. */
  readonly primary: Effect.Effect<RedisServer.RedisServer, RawRedisError>
  /** Waits until all replicas have a copy, because any failover loses what they do not have. */
  readonly copied: Effect.Effect<void, RawRedisError>
  /** Promotes a replica, as an operator does, and waits until the Sentinels name it and have demoted the old primary. */
  readonly failover: Effect.Effect<void, RawRedisError>
  /** The same, without the eight seconds for which Sentinels wait before they demote the old primary: it is demoted by hand. */
  readonly quickFailover: Effect.Effect<void, RawRedisError>
}

const name = "group"

const notYet = (message: string) => new RawRedis.RawRedisError({ command: "SENTINEL", message, cause: undefined })

const soon = { schedule: Schedule.spaced("50 millis"), times: 300 }

/** Starts a group, and waits until its replicas have copied the primary and the Sentinels know all of them. */
export const start = Effect.fnUntraced(function*(
  { replicas = 2, sentinels = 3 }: { readonly replicas?: number; readonly sentinels?: number } = {}
): Effect.fn.Return<Group, RedisServer.RedisServerError | RawRedisError, Scope.Scope> {
  const own = ["--masteruser", admin.username, "--masterauth", admin.password, "--repl-diskless-sync-delay", "0"]
  const primary = yield* RedisServer.start({ args: own })
  const others = yield* Effect.forEach(
    Array.from({ length: replicas }),
    () => RedisServer.start({ args: [...own, "--replicaof", primary.host, String(primary.port)] }),
    { concurrency: "unbounded" }
  )
  const servers = [primary, ...others]
  const watchers = yield* Effect.forEach(
    Array.from({ length: sentinels }),
    () =>
      RedisServer.start({
        unrestricted: true,
        args: ["--sentinel"],
        config: [
          `sentinel monitor ${name} ${primary.host} ${primary.port} ${Math.floor(sentinels / 2) + 1}`,
          `sentinel auth-user ${name} ${admin.username}`,
          `sentinel auth-pass ${name} ${admin.password}`,
          `sentinel down-after-milliseconds ${name} 500`,
          `sentinel failover-timeout ${name} 3000`,
          `sentinel parallel-syncs ${name} 2`
        ].join("\n")
      }),
    { concurrency: "unbounded" }
  )
  const raws = yield* Effect.forEach(watchers, ({ url }) => RawRedis.make(url))
  const [first] = raws
  for (const { call } of raws) {
    yield* Effect.flatMap(
      call("INFO", "sentinel"),
      (info) =>
        new RegExp(`slaves=${replicas},sentinels=${sentinels}`).test(String(info))
          ? Effect.void
          : Effect.fail(notYet(`the Sentinels do not know all: ${String(info)}`))
    ).pipe(Effect.retry(soon))
  }
  const namedBy = ({ call }: RawRedis.RawRedis) =>
    Effect.map(
      call("SENTINEL", "GET-MASTER-ADDR-BY-NAME", name),
      (found) => servers.find(({ port }) => String(port) === (found as ReadonlyArray<string>)[1])!
    )
  const named = namedBy(first!)
  const clients = new Map<RedisServer.RedisServer, RawRedis.RawRedis>()
  for (const server of servers) clients.set(server, yield* RawRedis.make(server.url))
  /** Promotes a replica, and gives the old primary, which takes writes until somebody demotes it: they are lost. */
  const promote = Effect.gen(function*() {
    const before = yield* named
    yield* Effect.retry(first!.call("SENTINEL", "FAILOVER", name), soon)
    // each of them tells its clients, when it hears of it
    for (const raw of raws) {
      yield* Effect.retry(
        Effect.flatMap(
          namedBy(raw),
          (now) => now === before ? Effect.fail(notYet("a Sentinel knows of no failover yet")) : Effect.void
        ),
        soon
      )
    }
    return clients.get(before)!
  })
  const awaitDemoted = ({ call }: RawRedis.RawRedis) =>
    Effect.flatMap(
      call("ROLE"),
      (role) =>
        (role as ReadonlyArray<unknown>)[0] === "slave" ? Effect.void : Effect.fail(notYet("the old primary goes on"))
    ).pipe(
      Effect.retry(soon)
    )
  return {
    name,
    servers,
    sentinels: watchers.map(({ host, port }) => `${host}:${port}`),
    primary: named,
    copied: Effect.gen(function*() {
      const { call } = clients.get(yield* named)!
      // the server counts the copies of what this connection has written
      yield* call("SET", "copied", "1")
      yield* call("WAIT", String(replicas), "500").pipe(
        Effect.filterOrFail((count) => count === replicas, () => notYet("not copied")),
        Effect.retry(soon)
      )
    }),
    failover: Effect.flatMap(promote, awaitDemoted),
    quickFailover: Effect.gen(function*() {
      const old = yield* promote
      const { host, port } = yield* named
      yield* old.call("REPLICAOF", host, String(port))
      yield* awaitDemoted(old)
    })
  }
})
