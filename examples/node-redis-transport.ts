/**
 * A transport over node-redis: everything that a service needs from a client.
 *
 * `test/conformance/nodeRedis.test.ts` runs the transport checks of `redlayer/testing` and the conformance suite over it.
 */
import { Effect, Layer, Schedule, Scope } from "effect"
import { createClient, ErrorReply } from "redis"
import {
  type ChannelEvent,
  type PageReply,
  RedisTransport,
  type ServerReply,
  TransportError
} from "redlayer/RedisTransport"

type Client = ReturnType<typeof connect>

/** A client without an offline queue: a command that cannot be sent now fails, and a command in flight is never sent again. */
const connect = (url: string) => {
  const client = createClient({ url, disableOfflineQueue: true })
  client.on("error", () => {})
  client.connect().catch(() => {})
  return client
}

const acquire = (url: string): Effect.Effect<Client, never, Scope.Scope> =>
  Effect.acquireRelease(Effect.sync(() => connect(url)), (client) => Effect.sync(() => client.destroy()))

const ready = (client: Client): Effect.Effect<void> =>
  Effect.callback((resume) => {
    const done = () => resume(Effect.void)
    if (client.isReady) return done()
    client.once("ready", done)
    return Effect.sync(() => client.off("ready", done))
  })

const subscribe = Effect.fnUntraced(
  function*(client: Client, channel: string, listener: (event: ChannelEvent) => void) {
    let state: "waiting" | "subscribed" | "broken" | "closed" = "waiting"
    const confirm = () => {
      state = "subscribed"
      listener({ _tag: "Subscribed" })
    }
    // node-redis resubscribes by itself after a reconnect, and may deliver a message before it emits `ready`
    const onReady = () => {
      if (state === "broken") confirm()
    }
    const onReconnecting = () => {
      if (state === "subscribed") state = "broken"
    }
    const onMessage = (text: string) => {
      onReady()
      if (state === "subscribed") listener({ _tag: "Message", text })
    }
    yield* Effect.acquireRelease(
      Effect.sync(() => client.on("ready", onReady).on("reconnecting", onReconnecting)),
      () =>
        Effect.sync(() => {
          state = "closed"
          client.off("ready", onReady).off("reconnecting", onReconnecting)
          client.unsubscribe(channel, onMessage).catch(() => {})
        })
    )
    const attempt = Effect.tryPromise({
      try: () => client.subscribe(channel, onMessage),
      catch: (error) => {
        if (error instanceof ErrorReply) listener({ _tag: "Refused", message: error.message })
      }
    })
    yield* ready(client).pipe(
      Effect.andThen(attempt),
      Effect.retry(Schedule.spaced("50 millis")),
      Effect.andThen(Effect.sync(confirm)),
      Effect.forkScoped
    )
  }
)

/** The message of the server; or no reply, after the call may have been sent. */
const failureOf = (
  error: unknown
): Effect.Effect<{ readonly _tag: "Error"; readonly message: string }, TransportError> =>
  error instanceof ErrorReply
    ? Effect.succeed({ _tag: "Error", message: error.message })
    : Effect.fail(new TransportError({ outcome: "Unknown" }))

export const layer = (url: string): Layer.Layer<RedisTransport> =>
  Layer.effect(
    RedisTransport,
    Effect.gen(function*() {
      const client = yield* acquire(url)
      // a connection with subscriptions accepts no other commands, so it is a second one, opened for the first subscription
      const subscriber = yield* Effect.cached(Scope.provide(acquire(url), yield* Effect.scope))
      return {
        ready: ready(client),
        evaluate: ({ argument, command, keys, script }) =>
          Effect.callback<ServerReply, TransportError>((resume) => {
            if (!client.isReady) return resume(Effect.fail(new TransportError({ outcome: "NotSent" })))
            client.sendCommand([command, script, String(keys.length), ...keys, argument]).then(
              (text) => resume(Effect.succeed({ _tag: "Text", text: String(text) })),
              (error) => resume(failureOf(error))
            )
          }),
        scan: ({ count, cursor, match }) =>
          Effect.callback<PageReply, TransportError>((resume) => {
            if (!client.isReady) return resume(Effect.fail(new TransportError({ outcome: "NotSent" })))
            client.sendCommand<[unknown, Array<string>]>(["SCAN", cursor, "MATCH", match, "COUNT", String(count)]).then(
              ([next, keys]) => resume(Effect.succeed({ _tag: "Page", cursor: String(next), keys })),
              (error) => resume(failureOf(error))
            )
          }),
        subscribe: (channel, listener) => Effect.flatMap(subscriber, (client) => subscribe(client, channel, listener))
      }
    })
  )
