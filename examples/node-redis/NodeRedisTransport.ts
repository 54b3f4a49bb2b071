/**
 * A transport over node-redis: all that a service needs of a client. Its tests are the checks of `redlayer/testing`.
 */
import { Effect, Layer, Schedule, Scope } from "effect"
import { createClient, ErrorReply } from "redis"
import { type ChannelEvent, RedisTransport, type ServerReply, TransportError } from "redlayer/RedisTransport"

type Client = ReturnType<typeof connect>

/** A client that keeps nothing for later: what it can't send now fails, and what was in flight is never sent again. */
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
    // node-redis subscribes again by itself, and may hear something before it says that it is ready
    const again = () => {
      if (state === "broken") confirm()
    }
    const broken = () => {
      if (state === "subscribed") state = "broken"
    }
    const hear = (text: string) => {
      again()
      if (state === "subscribed") listener({ _tag: "Message", text })
    }
    yield* Effect.acquireRelease(
      Effect.sync(() => client.on("ready", again).on("reconnecting", broken)),
      () =>
        Effect.sync(() => {
          state = "closed"
          client.off("ready", again).off("reconnecting", broken)
          client.unsubscribe(channel, hear).catch(() => {})
        })
    )
    const once = Effect.tryPromise({
      try: () => client.subscribe(channel, hear),
      catch: (error) => {
        if (error instanceof ErrorReply) listener({ _tag: "Refused", message: error.message })
      }
    })
    yield* ready(client).pipe(
      Effect.andThen(once),
      Effect.retry(Schedule.spaced("50 millis")),
      Effect.andThen(Effect.sync(confirm)),
      Effect.forkScoped
    )
  }
)

export const layer = (url: string): Layer.Layer<RedisTransport> =>
  Layer.effect(
    RedisTransport,
    Effect.gen(function*() {
      const client = yield* acquire(url)
      // a connection with subscriptions does nothing else; it is made for the first of them
      const subscriber = yield* Effect.cached(Scope.provide(acquire(url), yield* Effect.scope))
      return {
        ready: ready(client),
        evaluate: ({ argument, command, keys, script }) =>
          Effect.callback<ServerReply, TransportError>((resume) => {
            if (!client.isReady) return resume(Effect.fail(new TransportError({ outcome: "NotSent" })))
            client.sendCommand([command, script, String(keys.length), ...keys, argument]).then(
              (text) => resume(Effect.succeed({ _tag: "Text", text: String(text) })),
              (error) =>
                resume(
                  error instanceof ErrorReply
                    ? Effect.succeed({ _tag: "Error", message: error.message })
                    : Effect.fail(new TransportError({ outcome: "Unknown" }))
                )
            )
          }),
        subscribe: (channel, listener) => Effect.flatMap(subscriber, (client) => subscribe(client, channel, listener))
      }
    })
  )
