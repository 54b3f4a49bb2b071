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
import { Pace, type Readable, readerAmong } from "./nearest.ts"
import * as Subscriber from "./subscriber.ts"
import type { Reads } from "./topologies.ts"

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

/** A replica to read from. */
interface Reader extends Readable {
  readonly reads: Reads
}

/**
 * Makes the client of a replica, which connects in the background, and disconnects when the scope closes.
 *
 * @internal
 */
export const acquireReader = (reads: Reads, options: RedisOptions): Effect.Effect<Reader, never, Scope.Scope> =>
  Effect.map(acquire({ ...options, role: "slave", failoverDetector: false }), (client) => ({
    reads,
    client,
    connection: connection(client),
    pace: new Pace(client, reads === "nearest")
  }))

/**
 * The transport over a client with these settings.
 *
 * @param reader a replica for programs that only read
 * @internal
 */
export const transport = (client: Redis, reader?: Reader): RedisTransport["Service"] => {
  let subscriber: Redis | undefined
  const self = connection(client, leaveReplicas(client, () => subscriber?.disconnect(true)))
  const { evaluate, ready, scan, server } = self
  const primary = reader && { client, connection: self, pace: new Pace(client, reader.reads === "nearest") }
  return {
    ready,
    evaluate: (call) => {
      if (reader === undefined || call.node === undefined) return evaluate(call)
      return Effect.tap(reader.connection.evaluate(call), (reply) => Effect.sync(() => reader.pace.note(reply)))
    },
    scan,
    subscribe: Subscriber.make(() => {
      // channels have no database, and the subscriber itself subscribes again after a reconnect
      subscriber = client.duplicate({ db: 0, autoResubscribe: false })
      detectSilence(subscriber)
      leaveReplicas(subscriber)
      return subscriber
    }),
    waitsForReplicas: true,
    readerOf: reader && (() => readerAmong(reader.reads, [reader], primary) === undefined ? undefined : "replica"),
    server
  }
}
