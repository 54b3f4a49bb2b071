/**
 * A primary and its replicas, for tests: on free ports of the loopback interface, and gone with their scope.
 */
import { Effect, Schedule, type Scope } from "effect"
import * as RawRedis from "./RawRedis.ts"
import * as RedisServer from "./RedisServer.ts"
import { admin } from "./Rights.ts"

export interface Replicated {
  readonly primary: RedisServer.RedisServer
  readonly replicas: ReadonlyArray<RedisServer.RedisServer>
}

/** The arguments of servers that replicate at once. */
export const replicating = [
  "--masteruser",
  admin.username,
  "--masterauth",
  admin.password,
  "--repl-diskless-sync-delay",
  "0"
]

/** Starts them, and waits until the replicas have copied the primary. */
export const start = Effect.fnUntraced(function*(
  count: number
): Effect.fn.Return<Replicated, RedisServer.RedisServerError | RawRedis.RawRedisError, Scope.Scope> {
  const primary = yield* RedisServer.start({ args: replicating })
  const replicas = yield* Effect.forEach(
    Array.from({ length: count }),
    () => RedisServer.start({ args: [...replicating, "--replicaof", primary.host, String(primary.port)] }),
    { concurrency: "unbounded" }
  )
  const raw = yield* RawRedis.make(primary.url)
  yield* raw.call("SET", "copied", "1").pipe(
    Effect.andThen(raw.call("WAIT", String(count), "500")),
    Effect.filterOrFail(
      (found) => found === count,
      () => new RawRedis.RawRedisError({ command: "WAIT", message: "not copied yet", cause: undefined })
    ),
    Effect.retry({ schedule: Schedule.spaced("50 millis"), times: 100 })
  )
  return { primary, replicas }
})
