/**
 * The transport over ioredis, set up so that it never sends anything twice and never leaves a promise pending for ever.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import { Command, Redis, type RedisOptions } from "ioredis"
import type { Duplex } from "node:stream"
import {
  type Call,
  type RedisTransport,
  type ServerAddress,
  type ServerReply,
  TransportError
} from "../../../RedisTransport.ts"
import * as Subscriber from "./subscriber.ts"

/** @internal */
export const settings: RedisOptions = {
  lazyConnect: true,
  // a command that was in flight when the connection broke fails; by default it would be sent, and applied, again
  maxRetriesPerRequest: 0,
  // nothing waits in the client: a transport says at once that it could not send
  enableOfflineQueue: false,
  enableAutoPipelining: false,
  socketTimeout: 1000,
  retryStrategy: (times) => Math.min(1000, 20 * 2 ** Math.min(times, 6)) * (0.5 + Math.random() / 2),
  // integers beyond 2^53 would lose digits
  stringNumbers: true,
  replyMapping: "legacy",
  // `CLIENT SETINFO` is an error before Redis 7.2
  disableClientInfo: true
}

/** What the options of a layer may change. */
const defaults: RedisOptions = {
  host: "127.0.0.1",
  connectTimeout: 2000,
  // by then everything has its answer: nothing is left to wait for, and a client that reconnects would wait all the same
  disconnectTimeout: 1,
  // a server that loads its data says when it expects to be ready, and may be so long before
  maxLoadingRetryTime: 200
}

const unknown = Exit.fail(new TransportError({ outcome: "Unknown" }))

/**
 * The messages by which ioredis says that a command has not left.
 *
 * @internal
 */
export const neverLeft =
  /Stream isn't writeable|Cluster isn't ready|None of startup nodes|Failed to refresh slots cache/

/** What ioredis has of a silence, and not in its types. */
interface Silence {
  readonly stream: Duplex
  readonly commandQueue: { readonly length: number }
  socketTimeoutTimer: NodeJS.Timeout | undefined
  setSocketTimeout: () => void
}

/**
 * Timers run before sockets are read, so that a process that was busy would take its own silence for the server's, and drop
 * a connection whose answers are there. This `socketTimeout` reads them first.
 *
 * @internal
 */
export const listenFirst = (client: Redis): void => {
  const self = client as unknown as Silence
  self.setSocketTimeout = () => {
    const { stream } = self
    let last: NodeJS.Immediate | undefined
    const timer = setTimeout(() => {
      last = setImmediate(() => stream.destroy(new Error("The server is silent")))
    }, settings.socketTimeout)
    self.socketTimeoutTimer = timer
    stream.once("data", () => {
      clearTimeout(timer)
      if (last !== undefined) clearImmediate(last)
      self.socketTimeoutTimer = undefined
      // this listener comes after the one that takes the answers
      if (self.commandQueue.length > 0) self.setSocketTimeout()
    })
  }
}

/** @internal */
export const acquire = (options: RedisOptions): Effect.Effect<Redis, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const client = new Redis(
        { ...defaults, ...options, ...settings } as RedisOptions & { readonly replyMapping: "legacy" }
      )
      listenFirst(client)
      // without a listener ioredis writes its errors, which hold passwords, to the console
      client.on("error", () => {})
      client.connect().catch(() => {})
      return client
    }),
    (client) => Effect.sync(() => client.disconnect())
  )

/** Sentinels say where the server is, and it may change. */
const addressOf = ({ db, host, path, port, sentinels }: RedisOptions): ServerAddress | undefined => {
  if (sentinels != null) return undefined
  if (path != null) return { address: path, database: db }
  return host === undefined ? undefined : { address: host, port, database: db }
}

interface ConnectionError extends Error {
  readonly command?: { readonly name: string }
}

/** @internal */
export const transport = (client: Redis): RedisTransport["Service"] => {
  const waiting = new Set<(exit: Exit.Exit<void, TransportError>) => void>()
  let notSent = Exit.fail(new TransportError({ outcome: "NotSent" }))
  const tell = (exit: Exit.Exit<void, TransportError>) => {
    const resumes = Array.from(waiting)
    waiting.clear()
    for (const resume of resumes) resume(exit)
  }
  client.on("connect", () => {
    notSent = Exit.fail(new TransportError({ outcome: "NotSent" }))
  })
  client.on("ready", () => tell(Exit.void))
  client.on("error", (error: ConnectionError) => {
    if (error.name !== "ReplyError") return
    // a connection without its database would be used all the same, on database 0
    if (error.command?.name === "select") client.disconnect(true)
    notSent = Exit.fail(new TransportError({ outcome: "NotSent", refusal: Subscriber.withoutArguments(error.message) }))
    tell(notSent)
  })
  return {
    ready: Effect.callback<void, TransportError>((resume) => {
      if (client.status === "ready") return resume(Exit.void)
      waiting.add(resume)
      return Effect.sync(() => waiting.delete(resume))
    }),
    evaluate: (call: Call) =>
      Effect.callback<ServerReply, TransportError>((resume) => {
        if (client.status !== "ready") return resume(notSent)
        const command = new Command(
          call.command,
          [call.script, String(call.keys.length), ...call.keys, call.argument],
          { replyEncoding: "utf8" }
        )
        const sent = client.sendCommand(command) as Promise<unknown>
        sent.then(
          (text) => resume(Exit.succeed({ _tag: "Text", text: String(text) })),
          (error: Error) =>
            resume(
              error.name === "ReplyError"
                ? Exit.succeed({ _tag: "Error", message: error.message })
                : neverLeft.test(error.message)
                ? notSent
                : unknown
            )
        )
      }),
    subscribe: Subscriber.make(() => {
      // channels have no database; what was subscribed before a reconnect is subscribed again by the subscriber itself
      const subscriber = client.duplicate({ db: 0, autoResubscribe: false })
      listenFirst(subscriber)
      return subscriber
    }),
    server: addressOf(client.options)
  }
}
