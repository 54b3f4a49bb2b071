/**
 * One connection to a server, over ioredis: what it sends, and why it can't.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
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
import { defaults, detectSilence, neverLeft, settings, withoutArguments } from "./ioredis.ts"
import { Replicas } from "./replication.ts"

const unknown = Exit.fail(new TransportError({ outcome: "Unknown" }))

const isRead = ({ command }: Call): boolean => command === "EVALSHA_RO" || command === "EVAL_RO"

/** In place of what a replica has read after it refused a write. */
const stale = Exit.succeed({ _tag: "Error", message: "READONLY The server is a replica" } as const)

/**
 * Makes a client that is not connected yet.
 *
 * @internal
 */
export const make = (options: RedisOptions): Redis => {
  const client = new Redis(
    { ...defaults, ...options, ...settings } as RedisOptions & { readonly replyMapping: "legacy" }
  )
  detectSilence(client)
  authenticate(client)
  // without a listener ioredis writes its errors, which hold passwords, to the console
  client.on("error", () => {})
  return client
}

/** Makes a second client like this one, for what holds up its connection. */
const second = (client: Redis): Redis => {
  const { db, socketTimeout } = client.options
  const made = client.duplicate({
    db,
    autoResubscribe: false,
    // longer than the longest wait
    ...(socketTimeout === undefined ? undefined : { socketTimeout: Math.max(socketTimeout, 1000) })
  })
  detectSilence(made)
  made.on("error", () => {})
  return made
}

/** The address of the server. With Sentinels, which may move it, the name of the group. */
const addressOf = ({ db, host, name, path, port, sentinels }: RedisOptions): ServerAddress | undefined => {
  if (sentinels != null) return { address: name ?? "", database: db }
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
 * The abilities of one client.
 *
 * @internal
 */
export interface Connection extends Pick<RedisTransport["Service"], "ready" | "server"> {
  /** @param isAsked whether the server shall run the call although it is only about to get the slot */
  readonly evaluate: (call: Call, isAsked?: boolean) => Effect.Effect<ServerReply, TransportError>
  readonly scan: NonNullable<RedisTransport["Service"]["scan"]>
  readonly isReady: () => boolean
  /** Why nothing can be sent, while it is not ready. */
  readonly failure: () => Exit.Exit<never, TransportError>
}

/**
 * Reads the events of a client.
 *
 * @param isLeaving whether the client must send nothing and believe no read: see `leaveReplicas`
 * @internal
 */
export const connection = (client: Redis, isLeaving: () => boolean = () => false): Connection => {
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
  const replicas = new Replicas(client, () => second(client))
  /** Sends a call, and waits for replicas if it asks for them. */
  const evaluate = (call: Call, isAsked = false): Effect.Effect<ServerReply, TransportError> => {
    const { replication } = call
    if (replication === undefined) return send(call, isAsked)
    return Effect.suspend(() => {
      if (!isReady()) return notSent
      const runId = replicas.identify()
      return Effect.flatMap(send(call, isAsked), (reply): Effect.Effect<ServerReply> =>
        reply._tag === "Error"
          ? Effect.succeed(reply)
          : Effect.map(replicas.wait(runId, replication), (replicas) => ({ ...reply, replicas })))
    })
  }
  const send = (call: Call, isAsked: boolean) =>
    Effect.callback<ServerReply, TransportError>((resume) => {
      if (!isReady()) return resume(notSent)
      const declared = call.node === undefined ? call.keys.length : 0
      const command = new Command(
        call.command,
        [call.script, String(declared), ...call.keys, call.argument],
        { replyEncoding: "utf8" }
      )
      // the next command of the connection is the call
      if (isAsked) (client.sendCommand(new Command("ASKING")) as Promise<unknown>).catch(() => {})
      const sent = client.sendCommand(command) as Promise<unknown>
      sent.then(
        (text) => resume(isLeaving() && isRead(call) ? stale : Exit.succeed({ _tag: "Text", text: String(text) })),
        (error: Error) => resume(failureOf(error))
      )
    })
  return {
    ready: Effect.callback<void, TransportError>((resume) => {
      if (isReady()) return resume(Exit.void)
      waiting.add(resume)
      return Effect.sync(() => waiting.delete(resume))
    }),
    isReady,
    failure: () => notSent,
    evaluate,
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
    server
  }
}
