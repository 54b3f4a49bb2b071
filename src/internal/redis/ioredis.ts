/**
 * The transport over ioredis, set up so that it never sends anything twice and never leaves a promise pending for ever.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import { Command, Redis, type RedisOptions } from "ioredis"
import { type Call, type RedisTransport, type ServerReply, TransportError } from "../../RedisTransport.ts"

/** @internal */
export const settings: RedisOptions = {
  lazyConnect: true,
  // a command that was in flight when the connection broke fails; by default it would be sent, and applied, again
  maxRetriesPerRequest: 0,
  // nothing waits in the client: a transport says at once that it could not send
  enableOfflineQueue: false,
  enableAutoPipelining: false,
  socketTimeout: 1000,
  connectTimeout: 2000,
  retryStrategy: (times) => Math.min(1000, 20 * 2 ** Math.min(times, 6)) * (0.5 + Math.random() / 2),
  // integers beyond 2^53 would lose digits
  stringNumbers: true,
  replyMapping: "legacy",
  // `CLIENT SETINFO` is an error before Redis 7.2
  disableClientInfo: true
}

const notSent = Exit.fail(new TransportError({ outcome: "NotSent" }))
const unknown = Exit.fail(new TransportError({ outcome: "Unknown" }))

/** The messages by which ioredis says that a command has not left. */
const neverLeft = /Stream isn't writeable|Cluster isn't ready|None of startup nodes|Failed to refresh slots cache/

/** @internal */
export const acquire = (options: RedisOptions): Effect.Effect<Redis, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const client = new Redis({ ...options, ...settings } as RedisOptions & { readonly replyMapping: "legacy" })
      // without a listener ioredis writes its errors, which hold passwords, to the console
      client.on("error", () => {})
      client.connect().catch(() => {})
      return client
    }),
    (client) => Effect.sync(() => client.disconnect())
  )

/** @internal */
export const transport = (client: Redis): RedisTransport["Service"] => ({
  ready: Effect.callback<void>((resume) => {
    if (client.status === "ready") return resume(Effect.void)
    const listener = () => resume(Effect.void)
    client.once("ready", listener)
    return Effect.sync(() => client.off("ready", listener))
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
    })
})
