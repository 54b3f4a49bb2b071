/**
 * Effect's own Redis service, from an ioredis client that is set up as ours are.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Redis from "effect/persistence/Redis"
import type * as Scope from "effect/Scope"
import type * as Ioredis from "ioredis"
import { TransportError } from "../../../RedisTransport.ts"
import { classify, isFinal, refusalOf } from "../classify.ts"
import * as IoredisTransport from "../client/standalone.ts"
import { withoutArguments } from "../client/subscriber.ts"

type Send = Redis.Redis["Service"]["send"]

const waitMillis = 5000

/** Effect's modules take numbers; digits beyond 2^53 are not theirs. */
const numbers = { stringNumbers: false } as const

/** What the server said: its message, and nothing of the client's error, which holds values and passwords. */
class ReplyError extends Error {
  override readonly name = "ReplyError"
}

const replied = (message: string): Redis.RedisError =>
  new Redis.RedisError({ cause: new ReplyError(withoutArguments(message)) })

const unanswered = (error: TransportError): Redis.RedisError => new Redis.RedisError({ cause: error })

const notSent = unanswered(new TransportError({ outcome: "NotSent" }))

const failureOf = (error: Error): Redis.RedisError =>
  error.name === "ReplyError"
    ? replied(error.message)
    : IoredisTransport.neverLeft.test(error.message)
    ? notSent
    : unanswered(new TransportError({ outcome: "Unknown" }))

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
      const own = client.duplicate(numbers)
      IoredisTransport.listenFirst(own)
      // without a listener ioredis writes its errors, which hold passwords, to the console
      own.on("error", () => {})
      own.connect().catch(() => {})
      return own
    }),
    (own) => Effect.sync(() => own.disconnect())
  )

/** What waits on it may wait for long, for which any number is too short; and no other connection follows when it breaks. */
const reserved = { ...numbers, socketTimeout: undefined, retryStrategy: () => null } as object as Ioredis.RedisOptions

/** A connection that one caller has to itself. */
const reserve = (client: Ioredis.Redis): Parameters<typeof Redis.make>[0]["connect"] =>
  Effect.callback((resume) => {
    const own = client.duplicate(reserved)
    let failure = notSent
    own.on("error", (error: Error) => {
      if (error.name === "ReplyError") failure = replied(error.message)
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
  const { ready, subscribe } = IoredisTransport.transport(client)
  const send = sendOn(client)
  const connected = ready.pipe(
    // what the server refuses for now it may accept the next time
    Effect.retry({ while: (error) => !isFinal(refusalOf(error)) }),
    Effect.mapError((error) => error.refusal === undefined ? notSent : replied(error.refusal)),
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
            // before the confirmation it was published before this subscription, for another of the channel
            if (isLive) onMessage({ channel, message: event.text })
            return
          case "Subscribed":
            isLive = true
            Deferred.doneUnsafe(established, Exit.void)
            return
          case "Refused": {
            if (!isFinal(classify(event.message, [], true))) return
            const refused = Exit.fail(replied(event.message))
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
