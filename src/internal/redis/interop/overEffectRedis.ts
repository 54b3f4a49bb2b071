/**
 * A transport over Effect's own Redis service. The client below that service is unknown, so its errors are recognised by their names
 * and first words.
 */
import * as Effect from "effect/Effect"
import type * as Redis from "effect/persistence/Redis"
import * as Queue from "effect/Queue"
import * as Schedule from "effect/Schedule"
import {
  type ChannelEvent,
  type PageReply,
  type RedisTransport,
  type ServerReply,
  TransportError
} from "../../../RedisTransport.ts"

/** The names that clients give to an error of the server: ioredis, node-redis, Deno's. */
const replyNames: ReadonlySet<string> = new Set([
  "ReplyError",
  "ErrorReply",
  "SimpleError",
  "BlobError",
  "ErrorReplyError"
])

/** The first words of the server's errors, for clients whose errors have no special name. */
const codes = new Set(
  ("ERR NOSCRIPT WRONGTYPE OOM LOADING BUSY READONLY MASTERDOWN MISCONF NOREPLICAS CLUSTERDOWN TRYAGAIN MOVED ASK CROSSSLOT " +
    "NOAUTH WRONGPASS NOPERM DENIED NOPROTO EXECABORT UNKILLABLE NOTBUSY NOGOODSLAVE").split(" ")
)

/** Errors of clients that had no connection, and do not queue the command. */
const neverLeft = /^(The client is closed|The client is offline|Stream isn't writeable.*)$/

/** The time between a refusal and the next attempt to connect, or to subscribe. */
const pause = "50 millis"

const notSent = new TransportError({ outcome: "NotSent" })
const unknown = new TransportError({ outcome: "Unknown" })

/** The message of the server. Undefined if the error may come from the client. */
const messageOf = (cause: unknown): string | undefined => {
  if (!(cause instanceof Error)) return undefined
  const message = cause.message.replace(/^-/, "")
  const isReply = replyNames.has(cause.name) || replyNames.has(cause.constructor.name) ||
    codes.has(/^[A-Z]+(?= |$)/.exec(message)?.[0] ?? "")
  return isReply ? message : undefined
}

const failureOf = ({ cause }: Redis.RedisError): TransportError =>
  cause instanceof TransportError
    ? cause
    : cause instanceof Error && neverLeft.test(cause.message)
    ? notSent
    : unknown

/** The server's message, or why there is none. */
const replyOf = (
  error: Redis.RedisError
): Effect.Effect<{ readonly _tag: "Error"; readonly message: string }, TransportError> => {
  const message = messageOf(error.cause)
  return message === undefined ? Effect.fail(failureOf(error)) : Effect.succeed({ _tag: "Error", message })
}

/** @internal */
export const make = (redis: Redis.Redis["Service"], subscribes: boolean): RedisTransport["Service"] => ({
  evaluate: ({ argument, command, keys, script }) =>
    Effect.matchEffect(redis.send(command, script, String(keys.length), ...keys, argument), {
      onFailure: (error) => replyOf(error),
      onSuccess: (reply): Effect.Effect<ServerReply> => Effect.succeed({ _tag: "Text", text: String(reply) })
    }),
  scan: ({ count, cursor, match }) =>
    Effect.matchEffect(
      redis.send<[unknown, ReadonlyArray<string>]>("SCAN", cursor, "MATCH", match, "COUNT", `${count}`),
      {
        onFailure: (error) => replyOf(error),
        onSuccess: ([next, keys]): Effect.Effect<PageReply> =>
          Effect.succeed({ _tag: "Page", cursor: String(next), keys: keys.map(String) })
      }
    ),
  // only a reply proves that there is a connection; a refusal fails after a pause, and the caller may ask again
  ready: redis.send("PING").pipe(
    Effect.catch((error) => {
      const refusal = messageOf(error.cause)
      return refusal === undefined
        ? Effect.fail(notSent)
        : Effect.delay(Effect.fail(new TransportError({ outcome: "NotSent", refusal })), pause)
    }),
    Effect.retry({ schedule: Schedule.spaced(pause), while: (error) => error.refusal === undefined }),
    Effect.asVoid
  ),
  subscribe: subscribes ? (channel, listener) => subscribe(redis, channel, listener) : undefined
})

/** Subscribes again whenever the subscription fails. A client that subscribes again by itself does not report a gap. */
const subscribe = (redis: Redis.Redis["Service"], channel: string, listener: (event: ChannelEvent) => void) => {
  const attempt = Effect.scoped(Effect.gen(function*() {
    const messages = yield* redis.subscribe(channel)
    const notify = ({ message }: Redis.RedisMessage): void => listener({ _tag: "Message", text: message })
    // a refused subscription fails here, so this one is confirmed
    const first = yield* Queue.clear(messages)
    listener({ _tag: "Subscribed" })
    for (const message of first) notify(message)
    return yield* Effect.forever(Effect.map(Queue.take(messages), notify))
  }))
  return Effect.asVoid(Effect.forkScoped(Effect.retry(
    Effect.tapError(attempt, (error) =>
      Effect.sync(() => {
        const message = messageOf(error.cause)
        if (message !== undefined) listener({ _tag: "Refused", message })
      })),
    Schedule.spaced(pause)
  )))
}
