/**
 * The transport over one ioredis client, connected to one server. Retries and deadlines are those of `call.ts`: this transport sends
 * each call once, or reports that it could not.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Redis, RedisOptions } from "ioredis"
import type { RedisTransport } from "../../../RedisTransport.ts"
import { connection, make } from "./connection.ts"
import { detectSilence, leaveReplicas } from "./ioredis.ts"
import * as Subscriber from "./subscriber.ts"

/**
 * Makes a client that connects in the background, and disconnects when the scope closes.
 *
 * @internal
 */
export const acquire = (options: RedisOptions): Effect.Effect<Redis, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const client = make(options)
      client.connect().catch(() => {})
      return client
    }),
    (client) => Effect.sync(() => client.disconnect())
  )

/**
 * The transport over a client with these settings.
 *
 * @internal
 */
export const transport = (client: Redis): RedisTransport["Service"] => {
  let subscriber: Redis | undefined
  const { evaluate, ready, scan, server } = connection(
    client,
    leaveReplicas(client, () => subscriber?.disconnect(true))
  )
  return {
    ready,
    evaluate: (call) => evaluate(call),
    scan,
    subscribe: Subscriber.make(() => {
      // channels have no database, and the subscriber itself subscribes again after a reconnect
      subscriber = client.duplicate({ db: 0, autoResubscribe: false })
      detectSilence(subscriber)
      leaveReplicas(subscriber)
      return subscriber
    }),
    waitsForReplicas: true,
    server
  }
}
