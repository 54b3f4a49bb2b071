/**
 * A plain Redis client for tests: to look at, or to prepare, what is on the server without going through the library.
 */
import { Data, Effect, type Scope } from "effect"
import { Redis, type RedisOptions } from "ioredis"
import { withLiveClock } from "./LiveClock.ts"
import { admin } from "./Rights.ts"

/** A command, or the connection itself, failed. `message` is what the server or the socket said. */
export class RawRedisError extends Data.TaggedError("RawRedisError")<{
  readonly command: string
  readonly message: string
  readonly cause: unknown
}> {}

/** Options of the client, except the one that would change the type of its replies. */
export type RawRedisOptions = Omit<RedisOptions, "replyMapping">

export interface RawRedis {
  /** The underlying client, for what `call` cannot do (subscribing, for instance). */
  readonly client: Redis
  /** Sends one command; bulk replies come back as strings. */
  readonly call: (command: string, ...args: Array<string | Buffer>) => Effect.Effect<unknown, RawRedisError>
  /** Sends one command; bulk replies come back as bytes. */
  readonly callBuffer: (command: string, ...args: Array<string | Buffer>) => Effect.Effect<unknown, RawRedisError>
}

/** Whether somebody is named by a URL, be it only by a password. */
export const namesUser = (url: string): boolean => {
  if (!URL.canParse(url)) return false
  const { password, username } = new URL(url)
  return username !== "" || password !== ""
}

const messageOf = (cause: unknown): string => cause instanceof Error ? cause.message : String(cause)

/**
 * Connects to `url`, of a server that was started for tests as its admin unless somebody is named, and fails, rather than waits, when nothing answers there within five seconds. The connection is
 * closed with the scope. Afterwards a lost connection is made again in the background, but no command is sent twice.
 */
export const make = Effect.fnUntraced(
  function*(url: string, options?: RawRedisOptions): Effect.fn.Return<RawRedis, RawRedisError, Scope.Scope> {
    // `connect` rejects with "Connection is closed."; the reason is only told to this listener
    let lastError: Error | undefined
    const client = yield* Effect.acquireRelease(
      Effect.sync(() => {
        const client = new Redis(url, {
          lazyConnect: true,
          maxRetriesPerRequest: 0,
          connectTimeout: 5000,
          ...(namesUser(url) || options?.password !== undefined ? undefined : admin),
          ...options
        })
        client.on("error", (error: Error) => {
          lastError = error
        })
        return client
      }),
      (client) => Effect.sync(() => client.disconnect())
    )
    yield* Effect.tryPromise({
      try: () => client.connect(),
      catch: (cause) => new RawRedisError({ command: "connect", message: messageOf(lastError ?? cause), cause })
    }).pipe(
      Effect.timeoutOrElse({
        duration: "5 seconds",
        orElse: () =>
          Effect.fail(
            new RawRedisError({
              command: "connect",
              message: lastError === undefined ? "no answer within 5 seconds" : messageOf(lastError),
              cause: lastError
            })
          )
      }),
      withLiveClock
    )
    return {
      client,
      call: (command, ...args) =>
        Effect.tryPromise({
          try: () => client.call(command, args),
          catch: (cause) => new RawRedisError({ command, message: messageOf(cause), cause })
        }),
      callBuffer: (command, ...args) =>
        Effect.tryPromise({
          try: () => client.callBuffer(command, args),
          catch: (cause) => new RawRedisError({ command, message: messageOf(cause), cause })
        })
    }
  }
)
