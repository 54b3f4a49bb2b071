/**
 * Credentials that change: each connection of a layer asks for them anew, and live connections authenticate again when they have
 * changed. ioredis takes one password for ever.
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { Redis, type RedisOptions } from "ioredis"
import { settings } from "./ioredis.ts"

/**
 * The credentials of a user.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Credentials {
  /** Default: the `username` of the layer, or of its URL. */
  readonly username?: string | undefined
  readonly password: string | Redacted.Redacted
}

/** The option of a client under which its duplicates find the authenticator. */
const key = "~redlayer/authenticator"

type Options = RedisOptions & { [key]?: Authenticator }

/** The parts of a client that connect and authenticate. They are missing in its types. */
interface Connecting {
  readonly condition: { auth?: string | ReadonlyArray<string> | undefined }
  readonly connector: {
    connecting: boolean
    connect: (emit: (type: string, error: Error) => void) => Promise<unknown>
    disconnect: () => void
  }
  readonly manuallyClosing: boolean
}

const failed = () => Object.assign(new Error("The effect of the option credentials failed"), { code: "CREDENTIALS" })

/** @internal */
export interface AuthenticatorOptions {
  readonly credentials: Effect.Effect<Credentials, unknown>
  /** How long the effect may take, before it is asked again. */
  readonly deadline: Duration.Input
  readonly runFork: <A, E>(effect: Effect.Effect<A, E>) => Fiber.Fiber<A, E>
}

class Authenticator {
  private readonly options: AuthenticatorOptions
  /** The clients that are not closed, and how often in a row the server has refused their credentials. */
  private readonly clients = new Map<Redis, number>()

  constructor(options: AuthenticatorOptions) {
    this.options = options
  }

  /** Asks until there are credentials. */
  obtain(onFailure: () => void): Effect.Effect<Credentials> {
    const { credentials, deadline } = this.options
    // a `Config` of the effect gives the effect
    const flat = Effect.flatMap(
      credentials,
      (found): Effect.Effect<Credentials, unknown> => Effect.isEffect(found) ? found as never : Effect.succeed(found)
    )
    return Effect.gen(function*() {
      for (let attempt = 1;; attempt++) {
        const exit = yield* Effect.exit(Effect.timeout(flat, deadline))
        if (Exit.isSuccess(exit)) return exit.value
        onFailure()
        yield* Effect.sleep(Number(settings.retryStrategy!(attempt)))
      }
    })
  }

  add(client: Redis): void {
    const self = client as unknown as Connecting
    const { connector } = self
    const connect = connector.connect.bind(connector)
    const disconnect = connector.disconnect.bind(connector)
    let asking: Fiber.Fiber<Credentials> | undefined
    connector.connect = (emit) => {
      connector.connecting = true
      const fiber = asking = this.options.runFork(this.obtain(() => emit("error", failed())))
      return new Promise((resolve, reject) => {
        fiber.addObserver((exit) => {
          asking = undefined
          // the message with which ioredis itself ends a connection that was closed before it began
          if (Exit.isFailure(exit) || !connector.connecting) return reject(new Error("Connection is closed."))
          self.condition.auth = this.take(client, exit.value)
          resolve(connect(emit))
        })
      })
    }
    connector.disconnect = () => {
      if (asking === undefined) return disconnect()
      // a client that shall connect anew does so already
      if (self.manuallyClosing) asking.interruptUnsafe()
    }
    client.on("ready", () => this.clients.set(client, 0))
    client.on("end", () => this.clients.delete(client))
    this.clients.set(client, 0)
    client.duplicate = (override) => {
      const duplicate = Redis.prototype.duplicate.call(client, override)
      this.add(duplicate)
      return duplicate
    }
  }

  /** Sets the credentials as options of the client, for a `monitor`, which connects before it can ask. */
  private take({ options }: Redis, credentials: Credentials): string | ReadonlyArray<string> {
    const { password } = credentials
    const plain = Redacted.isRedacted(password) ? Redacted.value(password) : password
    const username = credentials.username ?? options.username
    options.password = plain
    if (username === undefined) return plain
    options.username = username
    return [username, plain]
  }

  /** Whether a refused connection is the first one in a row: the credentials may have changed since they were asked for. */
  isForgiven(client: Redis, message: string): boolean {
    if (!/^(?:WRONGPASS|NOAUTH) /.test(message)) return false
    const refusals = (this.clients.get(client) ?? 0) + 1
    this.clients.set(client, refusals)
    return refusals === 1
  }

  /** Authenticates live connections again. One in subscriber mode can't, and connects anew. */
  readonly renew: Effect.Effect<void> = Effect.gen({ self: this }, function*() {
    const credentials = yield* this.obtain(() => {})
    yield* Effect.forEach(
      this.clients.keys(),
      (client) => {
        if (client.status !== "ready") return Effect.void
        const auth = this.take(client, credentials)
        if (client.mode === "subscriber") return Effect.sync(() => client.disconnect(true))
        return Effect.matchEffect(
          Effect.tryPromise(() => client.call("AUTH", ...(Array.isArray(auth) ? auth : [auth]))),
          {
            onFailure: () => Effect.logWarning("The new credentials were refused; the connection keeps those before"),
            onSuccess: () => Effect.void
          }
        )
      },
      { concurrency: "unbounded", discard: true }
    )
  })
}

/**
 * Makes the options with which a client, and its duplicates, ask for credentials.
 *
 * @param changed authenticates live connections again with each element
 * @internal
 */
export const make = Effect.fnUntraced(function*(
  options: Omit<AuthenticatorOptions, "runFork">,
  changed: Stream.Stream<unknown, unknown> | undefined
): Effect.fn.Return<RedisOptions, never, Scope.Scope> {
  const context = yield* Effect.context<never>()
  const authenticator = new Authenticator({ ...options, runFork: Effect.runForkWith(context) })
  if (changed !== undefined) {
    yield* Effect.forkScoped(Effect.catchCause(
      Stream.runForEach(changed, () => authenticator.renew),
      () => Effect.logWarning("The stream of the option credentialsChanged failed")
    ))
  }
  return { [key]: authenticator } as Options
})

/**
 * Lets a client, and its duplicates, ask for credentials at each connection. Does nothing if its options have none.
 *
 * @internal
 */
export const authenticate = (client: Redis): void => (client.options as Options)[key]?.add(client)

/**
 * Whether the client asks for its credentials, and shall ask once more before a refusal of the server counts.
 *
 * @internal
 */
export const isForgiven = (client: Redis, message: string): boolean =>
  (client.options as Options)[key]?.isForgiven(client, message) === true
