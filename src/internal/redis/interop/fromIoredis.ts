/**
 * Effect's own Redis service, over an ioredis client of the library. It duplicates the client, because Effect's modules need other
 * settings.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Redis from "effect/persistence/Redis"
import type * as Scope from "effect/Scope"
import type * as Ioredis from "ioredis"
import { TransportError } from "../../../RedisTransport.ts"
import { classify, isFinal, refusalOf } from "../classify.ts"
import { detectSilence, neverLeft, withoutArguments } from "../client/ioredis.ts"
import { transport } from "../client/standalone.ts"

type Send = Redis.Redis["Service"]["send"]

/** Milliseconds to wait for a connection, or for the confirmation of a subscription. */
const waitMillis = 5000

/** The server's message alone, because the client's error holds values and passwords. */
class ReplyError extends Error {
  override readonly name = "ReplyError"
}

const replyError = (message: string): Redis.RedisError =>
  new Redis.RedisError({ cause: new ReplyError(withoutArguments(message)) })

const transportError = (error: TransportError): Redis.RedisError => new Redis.RedisError({ cause: error })

const notSent = transportError(new TransportError({ outcome: "NotSent" }))

const failureOf = (error: Error): Redis.RedisError =>
  error.name === "ReplyError"
    ? replyError(error.message)
    : neverLeft.test(error.message)
    ? notSent
    : transportError(new TransportError({ outcome: "Unknown" }))

const sendOn = (client: Ioredis.Redis): Send => <A = unknown>(command: string, ...args: ReadonlyArray<string>) =>
  Effect.callback<A, Redis.RedisError>((resume) => {
    client.call(command, ...args).then(
      (reply) => resume(Effect.succeed(reply as A)),
      (error: Error) => resume(Effect.fail(failureOf(error)))
    )
  })

const acquire = (client: Ioredis.Redis): Effect.Effect<Ioredis.Redis, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const own = client.duplicate()
      detectSilence(own)
      // without a listener ioredis writes its errors, which hold passwords, to the console
      own.on("error", () => {})
      own.connect().catch(() => {})
      return own
    }),
    (own) => Effect.sync(() => own.disconnect())
  )

/**
 * No socket timeout, because a blocking command may wait for any time; and no reconnect, because the state of a reserved connection
 * is lost with it.
 */
const reserved = { socketTimeout: undefined, retryStrategy: () => null } as object as Ioredis.RedisOptions

/** Opens a connection that one caller has for itself. */
const reserve = (client: Ioredis.Redis): Parameters<typeof Redis.make>[0]["connect"] =>
  Effect.callback((resume) => {
    const own = client.duplicate(reserved)
    let failure = notSent
    own.on("error", (error: Error) => {
      if (error.name === "ReplyError") failure = replyError(error.message)
    })
    own.connect().then(
      () => resume(Effect.succeed({ send: sendOn(own), close: Effect.sync(() => own.disconnect()) })),
      () => resume(Effect.fail(failure))
    )
    return Effect.sync(() => own.disconnect())
  })

/** @internal */
export const make = Effect.fnUntraced(function*(
  shared: Ioredis.Redis,
  pool: Redis.PoolOptions | undefined
): Effect.fn.Return<Redis.Redis["Service"], never, Scope.Scope> {
  const client = yield* acquire(shared)
  const { ready, subscribe } = transport(client)
  const send = sendOn(client)
  const connected = ready.pipe(
    // the server may accept the connection later, unless the refusal is final
    Effect.retry({ while: (error) => !isFinal(refusalOf(error)) }),
    Effect.mapError((error) => error.refusal === undefined ? notSent : replyError(error.refusal)),
    Effect.timeoutOrElse({ duration: waitMillis, orElse: () => Effect.fail(notSent) })
  )
  return yield* Redis.make({
    send: <A = unknown>(command: string, ...args: ReadonlyArray<string>) =>
      Effect.suspend(() => {
        const sent = send<A>(command, ...args)
        return client.status === "ready" ? sent : Effect.andThen(connected, sent)
      }),
    subscribe: Effect.fnUntraced(function*(channel, onMessage) {
      const established = Deferred.makeUnsafe<void, Redis.RedisError>()
      const ended = Deferred.makeUnsafe<void, Redis.RedisError>()
      let isLive = false
      yield* subscribe!(channel, (event) => {
        switch (event._tag) {
          case "Message":
            // before the confirmation, a message belongs to another subscription to the same channel
            if (isLive) onMessage({ channel, message: event.text })
            return
          case "Subscribed":
            isLive = true
            Deferred.doneUnsafe(established, Exit.void)
            return
          case "Refused": {
            if (!isFinal(classify(event.message, [], true))) return
            const refused = Exit.fail(replyError(event.message))
            Deferred.doneUnsafe(established, refused)
            Deferred.doneUnsafe(ended, refused)
          }
        }
      })
      yield* Effect.timeoutOrElse(Deferred.await(established), {
        duration: waitMillis,
        orElse: () => Effect.fail(notSent)
      })
      return Deferred.await(ended)
    }),
    connect: reserve(client),
    pool
  })
})
