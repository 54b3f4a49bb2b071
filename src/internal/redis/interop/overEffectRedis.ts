/**
 * A transport over Effect's own Redis service, whose errors are those of the client below it, whichever that is.
 */
import * as Effect from "effect/Effect"
import type * as Redis from "effect/persistence/Redis"
import * as Queue from "effect/Queue"
import * as Schedule from "effect/Schedule"
import { type ChannelEvent, type RedisTransport, type ServerReply, TransportError } from "../../../RedisTransport.ts"

/** What clients call an error that the server has sent: ioredis, node-redis, Deno's. */
const replyNames: ReadonlySet<string> = new Set([
  "ReplyError",
  "ErrorReply",
  "SimpleError",
  "BlobError",
  "ErrorReplyError"
])

/** The first words of the server's errors, for clients that give them no name of their own. */
const codes = new Set(
  ("ERR NOSCRIPT WRONGTYPE OOM LOADING BUSY READONLY MASTERDOWN MISCONF NOREPLICAS CLUSTERDOWN TRYAGAIN MOVED ASK CROSSSLOT " +
    "NOAUTH WRONGPASS NOPERM DENIED NOPROTO EXECABORT UNKILLABLE NOTBUSY NOGOODSLAVE").split(" ")
)

/** Errors of clients that had no connection, and keep nothing to send it later. */
const neverLeft = /^(The client is closed|The client is offline|Stream isn't writeable.*)$/

/** How long after a refusal a connection, or a subscription, is tried again. */
const pause = "50 millis"

const notSent = new TransportError({ outcome: "NotSent" })
const unknown = new TransportError({ outcome: "Unknown" })

/** What the server said, where it is certain that it did. */
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

/** @internal */
export const make = (redis: Redis.Redis["Service"], subscribes: boolean): RedisTransport["Service"] => ({
  evaluate: ({ argument, command, keys, script }) =>
    Effect.matchEffect(redis.send(command, script, String(keys.length), ...keys, argument), {
      onFailure: (error): Effect.Effect<ServerReply, TransportError> => {
        const message = messageOf(error.cause)
        return message === undefined ? Effect.fail(failureOf(error)) : Effect.succeed({ _tag: "Error", message })
      },
      onSuccess: (reply) => Effect.succeed({ _tag: "Text", text: String(reply) })
    }),
  // nothing tells of the connection but an answer; each refusal is told, and then it is asked again
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
  subscribe: subscribes ? (channel, listener) => follow(redis, channel, listener) : undefined
})

/** Again whenever the subscription fails. Where the client subscribes again by itself, it doesn't say so. */
const follow = (redis: Redis.Redis["Service"], channel: string, listener: (event: ChannelEvent) => void) => {
  const once = Effect.scoped(Effect.gen(function*() {
    const messages = yield* redis.subscribe(channel)
    const hear = ({ message }: Redis.RedisMessage): void => listener({ _tag: "Message", text: message })
    // a subscription that was refused fails here; any other is confirmed
    const first = yield* Queue.clear(messages)
    listener({ _tag: "Subscribed" })
    for (const message of first) hear(message)
    return yield* Effect.forever(Effect.map(Queue.take(messages), hear))
  }))
  return Effect.asVoid(Effect.forkScoped(Effect.retry(
    Effect.tapError(once, (error) =>
      Effect.sync(() => {
        const message = messageOf(error.cause)
        if (message !== undefined) listener({ _tag: "Refused", message })
      })),
    Schedule.spaced(pause)
  )))
}
