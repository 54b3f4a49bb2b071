/**
 * The transport over one ioredis client, connected to one server. Retries and deadlines are those of `call.ts`: this transport sends
 * each call once, or reports that it could not.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import { Command, Redis, type RedisOptions } from "ioredis"
import {
  type Call,
  type PageReply,
  type RedisTransport,
  type ServerAddress,
  type ServerReply,
  TransportError
} from "../../../RedisTransport.ts"
import { addressText } from "../classify.ts"
import { authenticate, isForgiven } from "./credentials.ts"
import { defaults, detectSilence, leaveReplicas, neverLeft, settings, withoutArguments } from "./ioredis.ts"
import * as Subscriber from "./subscriber.ts"

const unknown = Exit.fail(new TransportError({ outcome: "Unknown" }))

const isRead = ({ command }: Call): boolean => command === "EVALSHA_RO" || command === "EVAL_RO"

/** In place of what a replica has read after it refused a write. */
const stale = Exit.succeed({ _tag: "Error", message: "READONLY The server is a replica" } as const)

/**
 * Makes a client that connects in the background, and disconnects when the scope closes.
 *
 * @internal
 */
export const acquire = (options: RedisOptions): Effect.Effect<Redis, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const client = new Redis(
        { ...defaults, ...options, ...settings } as RedisOptions & { readonly replyMapping: "legacy" }
      )
      detectSilence(client)
      authenticate(client)
      // without a listener ioredis writes its errors, which hold passwords, to the console
      client.on("error", () => {})
      client.connect().catch(() => {})
      return client
    }),
    (client) => Effect.sync(() => client.disconnect())
  )

/** The address of the server. Undefined with Sentinels, because they may move it. */
const addressOf = ({ db, host, path, port, sentinels }: RedisOptions): ServerAddress | undefined => {
  if (sentinels != null) return undefined
  if (path != null) return { address: path, database: db }
  return host === undefined ? undefined : { address: host, port, database: db }
}

interface ConnectionError extends Error {
  readonly code?: unknown
  readonly command?: { readonly name: string }
}

/** The code of Node.js. An error without one ended a connection. */
const codeOf = ({ code }: ConnectionError): string =>
  typeof code === "string" && /^[A-Z][A-Z0-9_]*$/.test(code) ? code : "ECONNRESET"

/**
 * The transport over a client with these settings.
 *
 * @internal
 */
export const transport = (client: Redis): RedisTransport["Service"] => {
  let subscriber: Redis | undefined
  const isLeaving = leaveReplicas(client, () => subscriber?.disconnect(true))
  const isReady = () => client.status === "ready" && !isLeaving()
  const waiting = new Set<(exit: Exit.Exit<void, TransportError>) => void>()
  const server = addressOf(client.options)
  const address = server === undefined ? undefined : { address: addressText(server) }
  const failed = (code: string) => Exit.fail(new TransportError({ outcome: "NotSent", ...address, code }))
  let notSent = failed("ETIMEDOUT")
  /** Whether `notSent` says why the last connection ended. */
  let isExplained = false
  const notify = (exit: Exit.Exit<void, TransportError>) => {
    const resumes = Array.from(waiting)
    waiting.clear()
    for (const resume of resumes) resume(exit)
  }
  client.on("connect", () => {
    notSent = failed("ETIMEDOUT")
    isExplained = false
  })
  client.on("ready", () => notify(Exit.void))
  client.on("error", (error: ConnectionError) => {
    const isReply = error.name === "ReplyError" && !isForgiven(client, error.message)
    // ioredis would use a connection that could not select its database, on database 0
    if (isReply && error.command?.name === "select") client.disconnect(true)
    notSent = isReply
      ? Exit.fail(new TransportError({ outcome: "NotSent", refusal: withoutArguments(error.message) }))
      : failed(error.name === "ReplyError" ? "CREDENTIALS" : codeOf(error))
    isExplained = true
    notify(notSent)
  })
  client.on("close", () => {
    if (isExplained) return
    notSent = failed("ECONNRESET")
    notify(notSent)
  })
  const failureOf = (error: Error) =>
    error.name === "ReplyError"
      ? Exit.succeed({ _tag: "Error", message: error.message } as const)
      : neverLeft.test(error.message)
      ? notSent
      : unknown
  return {
    ready: Effect.callback<void, TransportError>((resume) => {
      if (isReady()) return resume(Exit.void)
      waiting.add(resume)
      return Effect.sync(() => waiting.delete(resume))
    }),
    evaluate: (call: Call) =>
      Effect.callback<ServerReply, TransportError>((resume) => {
        if (!isReady()) return resume(notSent)
        const command = new Command(
          call.command,
          [call.script, String(call.keys.length), ...call.keys, call.argument],
          { replyEncoding: "utf8" }
        )
        const sent = client.sendCommand(command) as Promise<unknown>
        sent.then(
          (text) => resume(isLeaving() && isRead(call) ? stale : Exit.succeed({ _tag: "Text", text: String(text) })),
          (error: Error) => resume(failureOf(error))
        )
      }),
    scan: ({ count, cursor, match }) =>
      Effect.callback<PageReply, TransportError>((resume) => {
        if (!isReady()) return resume(notSent)
        const args = [cursor, "MATCH", match, "COUNT", String(count)]
        const sent = client.sendCommand(new Command("SCAN", args, { replyEncoding: "utf8" })) as Promise<
          [cursor: string, keys: ReadonlyArray<string>]
        >
        sent.then(
          ([next, keys]) => resume(isLeaving() ? stale : Exit.succeed({ _tag: "Page", cursor: String(next), keys })),
          (error: Error) => resume(failureOf(error))
        )
      }),
    subscribe: Subscriber.make(() => {
      // channels have no database, and the subscriber itself subscribes again after a reconnect
      subscriber = client.duplicate({ db: 0, autoResubscribe: false })
      detectSilence(subscriber)
      leaveReplicas(subscriber)
      return subscriber
    }),
    server
  }
}
