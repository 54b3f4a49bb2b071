/**
 * One connection to a server, over node-redis. A client is made for each connection, and never connects again by itself, because
 * node-redis subscribes to all channels in one command, where one that is denied fails the others, and does not leave a replica.
 *
 * Nothing waits in a client: a command is sent at once, or not at all.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import { createClient, ErrorReply } from "redis"
import {
  type Call,
  type PageReply,
  type RedisTransport,
  type ServerAddress,
  type ServerReply,
  TransportError
} from "../../../RedisTransport.ts"
import { addressText } from "../classify.ts"
import type { Credentials } from "../client/credentials.ts"
import { settings, withoutArguments } from "../client/ioredis.ts"

/** @internal */
export type Client = ReturnType<typeof createClient>

/** @internal */
export type ClientOptions = NonNullable<Parameters<typeof createClient>[0]>

/** @internal */
export interface ConnectionOptions {
  /** The options of a client, without the user. */
  readonly client: ClientOptions
  readonly user: { readonly username?: string | undefined; readonly password?: string | undefined }
  /** Asked at each connection, instead of the password. */
  readonly credentials: Effect.Effect<Credentials, unknown> | undefined
  /** Milliseconds that one attempt to connect may take. */
  readonly connectTimeout: number
  /** Milliseconds that the server may send no reply while one is awaited. */
  readonly silence: number
  readonly server: ServerAddress
  readonly runFork: <A, E>(effect: Effect.Effect<A, E>) => Fiber.Fiber<A, E>
  /** Called when the connection leaves a server that has become a replica. */
  readonly onLeave?: (() => void) | undefined
}

/** How long the effect of the credentials may take, before it is asked again. */
const askingTime = "5 seconds"

/** How often replies are looked for until the server counts as silent. */
const looks = 8

/**
 * The longest time of a timer.
 *
 * @internal
 */
export const maximumMillis = 2 ** 31 - 1

const unknown = Exit.fail(new TransportError({ outcome: "Unknown" }))

/** In place of what a replica has read after it refused a write. */
const stale = Exit.succeed({ _tag: "Error", message: "READONLY The server is a replica" } as const)

const replica = new ErrorReply("READONLY The server is a replica")

const ignore = (): void => {}

/** Also one that has failed: else the metrics of node-redis know it for ever. */
const destroy = (client: Client): void => {
  try {
    client.destroy()
  } catch {
    // node-redis 5 throws if it is closed
  }
}

/** The code of Node.js. An error without one ended a connection. */
const codeOf = (error: unknown): string => {
  const { code, name } = (error ?? {}) as { readonly code?: unknown; readonly name?: unknown }
  if (typeof code === "string" && /^[A-Z][A-Z0-9_]*$/.test(code)) return code
  return name === "ConnectionTimeoutError" || error instanceof Error && /timeout/i.test(error.constructor.name)
    ? "ETIMEDOUT"
    : "ECONNRESET"
}

const timedOut = () => Object.assign(new Error("The server is silent"), { code: "ETIMEDOUT" })

type NotSent = Exit.Exit<never, TransportError>

/**
 * A connection that is made anew when it is lost.
 *
 * @internal
 */
export class Connection {
  readonly options: ConnectionOptions
  private readonly onReady: () => void
  private readonly onRefusal: (message: string) => void
  /** The client of this connection, from the attempt to connect until the connection ends. */
  private client: Client | undefined
  private isOpen = false
  private isConnected = false
  private asking: Fiber.Fiber<unknown, unknown> | undefined
  private timer: ReturnType<typeof setTimeout> | undefined
  /** Ends an attempt to connect that takes too long. */
  private late: ReturnType<typeof setTimeout> | undefined
  /** The number of attempts in a row that have failed. */
  private failures = 0
  /** How often in a row the server has refused the credentials. */
  private refusals = 0
  private notSent: NotSent
  private readonly waiting = new Set<(exit: Exit.Exit<void, TransportError>) => void>()
  /** Clients that only wait for their last replies, because their server has become a replica. */
  private readonly left = new WeakSet<Client>()

  /**
   * @param onReady called when a connection can be used
   * @param onRefusal called with the message with which the server refused a connection
   */
  constructor(
    options: ConnectionOptions,
    onReady: () => void = ignore,
    onRefusal: (message: string) => void = ignore
  ) {
    this.options = options
    this.onReady = onReady
    this.onRefusal = onRefusal
    this.notSent = this.failed("ETIMEDOUT")
  }

  /** The client, while commands can be sent. */
  get current(): Client | undefined {
    return this.isConnected ? this.client : undefined
  }

  readonly ready: Effect.Effect<void, TransportError> = Effect.callback((resume) => {
    if (this.current !== undefined) return resume(Exit.void)
    this.waiting.add(resume)
    return Effect.sync(() => this.waiting.delete(resume))
  })

  open(): void {
    this.isOpen = true
    this.connect()
  }

  close(): void {
    this.isOpen = false
    clearTimeout(this.timer)
    clearTimeout(this.late)
    clearTimeout(this.looking)
    this.asking?.interruptUnsafe()
    const { client } = this
    this.client = undefined
    this.isConnected = false
    if (client !== undefined) destroy(client)
  }

  /** Leaves the server when it has sent the replies that are awaited, and connects anew. */
  leave(): void {
    const { client } = this
    if (client === undefined || !this.isConnected) return
    this.left.add(client)
    this.lose(replica)
    const late = setTimeout(() => destroy(client), this.options.silence)
    client.close().catch(ignore).finally(() => clearTimeout(late))
    this.options.onLeave?.()
  }

  /** Sends a command on the current connection. */
  send(args: ReadonlyArray<string>): Promise<unknown> {
    return this.expect(this.client!.sendCommand([...args]))
  }

  /** Counts a reply that is awaited, for as long as it is. */
  expect<A>(reply: Promise<A>): Promise<A> {
    const { client } = this
    this.awaited++
    if (this.looking === undefined) this.look(client!, this.answered, 0)
    const settle = () => {
      if (this.client !== client) return
      this.awaited--
      this.answered++
    }
    reply.then(settle, settle)
    return reply
  }

  private awaited = 0
  private answered = 0
  private looking: ReturnType<typeof setTimeout> | undefined

  /**
   * Looks are counted instead of time, and each looks after the sockets were read, because a process that was busy would mistake its
   * own silence for the server's.
   */
  private look(client: Client, answered: number, silent: number): void {
    this.looking = setTimeout(() =>
      setImmediate(() => {
        if (this.client !== client) return
        this.looking = undefined
        if (this.awaited === 0) return
        const count = this.answered === answered ? silent + 1 : 0
        if (count >= looks) this.lose(timedOut(), client)
        else this.look(client, this.answered, count)
      }), this.options.silence / looks)
  }

  readonly evaluate = (call: Call): Effect.Effect<ServerReply, TransportError> =>
    Effect.callback((resume) => {
      const client = this.current
      if (client === undefined) return resume(this.notSent)
      const isRead = call.command === "EVALSHA_RO" || call.command === "EVAL_RO"
      this.send([call.command, call.script, String(call.keys.length), ...call.keys, call.argument]).then(
        (text) => resume(isRead && this.left.has(client) ? stale : Exit.succeed({ _tag: "Text", text: String(text) })),
        (error: unknown) => resume(this.replyOf(error, client))
      )
    })

  readonly scan: NonNullable<RedisTransport["Service"]["scan"]> = ({ count, cursor, match }) =>
    Effect.callback<PageReply, TransportError>((resume) => {
      const client = this.current
      if (client === undefined) return resume(this.notSent)
      this.send(["SCAN", cursor, "MATCH", match, "COUNT", String(count)]).then(
        (reply) => {
          const [next, keys] = reply as [cursor: unknown, keys: ReadonlyArray<string>]
          resume(this.left.has(client) ? stale : Exit.succeed({ _tag: "Page", cursor: String(next), keys }))
        },
        (error: unknown) => resume(this.replyOf(error, client))
      )
    })

  /** Asks for new credentials, and authenticates the connection by them. It must not be a subscribed one of RESP 2. */
  readonly renew: Effect.Effect<void> = Effect.suspend(() => {
    const client = this.current
    if (client === undefined) return Effect.void
    return Effect.matchEffect(
      Effect.flatMap(this.ask, (user) => {
        const { password, username = "default" } = this.userOf(user)
        return Effect.tryPromise(() => this.expect(client.sendCommand(["AUTH", username, password ?? ""])))
      }),
      {
        onFailure: () => Effect.logWarning("The new credentials were refused; the connection keeps those before"),
        onSuccess: () => Effect.void
      }
    )
  })

  /** Ends the connection, and makes another one. */
  reconnect(): void {
    if (this.isConnected) this.lose(undefined)
  }

  private replyOf(error: unknown, client: Client): Exit.Exit<{ _tag: "Error"; message: string }, TransportError> {
    if (!(error instanceof ErrorReply)) return unknown
    if (/^(?:READONLY|MASTERDOWN) /.test(error.message) && this.current === client) this.leave()
    return Exit.succeed({ _tag: "Error", message: error.message })
  }

  private failed(code: string): NotSent {
    return Exit.fail(new TransportError({ outcome: "NotSent", address: addressText(this.options.server), code }))
  }

  private get ask(): Effect.Effect<Credentials, unknown> {
    const { credentials, user } = this.options
    if (credentials === undefined) return Effect.succeed({ password: "", ...user } as Credentials)
    // a `Config` of the effect gives the effect
    return Effect.timeout(
      Effect.flatMap(
        credentials,
        (found): Effect.Effect<Credentials, unknown> => Effect.isEffect(found) ? found as never : Effect.succeed(found)
      ),
      askingTime
    )
  }

  private userOf({ password, username }: Credentials): ConnectionOptions["user"] {
    return {
      username: username ?? this.options.user.username,
      password: Redacted.isRedacted(password) ? Redacted.value(password) : password
    }
  }

  private connect(): void {
    const { credentials, user } = this.options
    if (credentials === undefined) return this.connectAs(user)
    const asking = this.asking = this.options.runFork(this.ask)
    asking.addObserver((exit) => {
      if (this.asking !== asking) return
      this.asking = undefined
      if (!this.isOpen) return
      if (Exit.isSuccess(exit)) this.connectAs(this.userOf(exit.value))
      else this.fail(this.failed("CREDENTIALS"))
    })
  }

  private connectAs({ password, username }: ConnectionOptions["user"]): void {
    const client = createClient({
      ...this.options.client,
      ...(username === undefined ? undefined : { username }),
      ...(password === undefined ? undefined : { password })
    })
    this.client = client
    const { connectTimeout, silence } = this.options
    const late = this.late = setTimeout(
      () => this.lose(timedOut(), client),
      Math.min(maximumMillis, connectTimeout + silence)
    )
    const over = (error: unknown) => {
      clearTimeout(late)
      this.lose(error, client)
    }
    client.on("error", over)
    client.connect().then(() => client.sendCommand(["INFO", "replication"])).catch((error: unknown) => {
      // the user may have no right to ask
      if (error instanceof ErrorReply && !/^(?:NOAUTH|WRONGPASS) /.test(error.message)) return ""
      throw error
    }).then((info) => {
      clearTimeout(late)
      if (this.client !== client) return
      if (/^role:slave/m.test(String(info))) throw replica
      this.isConnected = true
      this.failures = 0
      this.refusals = 0
      this.notify(Exit.void)
      this.onReady()
    }).catch(over)
  }

  /** The connection has ended, for a reason. Does nothing if it had ended before. */
  private lose(error: unknown, client = this.client): void {
    if (client === undefined || this.client !== client) return
    this.client = undefined
    this.isConnected = false
    this.awaited = 0
    clearTimeout(this.looking)
    this.looking = undefined
    if (!this.left.has(client)) destroy(client)
    if (!(error instanceof ErrorReply)) return this.fail(this.failed(codeOf(error)))
    // the credentials may have changed since they were asked for
    if (
      this.options.credentials !== undefined && /^(?:WRONGPASS|NOAUTH) /.test(error.message) && ++this.refusals === 1
    ) {
      return this.fail(this.failed("CREDENTIALS"))
    }
    const refusal = withoutArguments(error.message)
    this.onRefusal(refusal)
    this.fail(Exit.fail(new TransportError({ outcome: "NotSent", refusal })))
  }

  private fail(notSent: NotSent): void {
    this.notSent = notSent
    this.notify(notSent)
    if (!this.isOpen) return
    this.timer = setTimeout(() => this.connect(), Number(settings.retryStrategy!(++this.failures)))
  }

  private notify(exit: Exit.Exit<void, TransportError>): void {
    const resumes = Array.from(this.waiting)
    this.waiting.clear()
    for (const resume of resumes) resume(exit)
  }
}
