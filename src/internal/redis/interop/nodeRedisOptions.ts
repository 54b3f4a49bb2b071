/**
 * The options of a transport over node-redis, and the transport.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { ConnectionOptions as TlsOptions } from "node:tls"
import type { RedisServiceError } from "../../../RedisServiceError.ts"
import type { RedisTransport } from "../../../RedisTransport.ts"
import { type Check, defined, invalidOption } from "../../options.ts"
import type { Credentials } from "../client/credentials.ts"
import { ofServer, type Variables } from "../client/environment.ts"
import { clientChecks, parseUrl, plain, refusalAmong, secret, sharedChecks } from "../client/options.ts"
import { type ClientOptions, Connection, maximumMillis } from "./nodeRedis.ts"
import * as Subscriber from "./nodeRedisSubscriber.ts"

/**
 * Where a transport connects, and as which user: the options of `RedisService.layer` that choose the server and the connection.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface LayerOptions {
  /**
   * `redis://`, or `rediss://` for TLS. Other options override its parts. Its parameters are `connectionName`,
   * `connectTimeout`, `db`, `family`, `password`, `protocol`, `tls` and `username`; another one is refused.
   */
  readonly url?: string | Redacted.Redacted | undefined
  /** The host name or address of the server. Default: 127.0.0.1. */
  readonly host?: string | undefined
  /** Default: 6379. */
  readonly port?: number | undefined
  /** The path of a Unix socket, instead of a host. */
  readonly path?: string | undefined
  /** The user. Default: the server's default user. */
  readonly username?: string | undefined
  /** The password of the user. It overrides that of a URL. */
  readonly password?: string | Redacted.Redacted | undefined
  /**
   * Credentials that change, instead of a password. Every connection asks for them before it connects; if the server
   * refuses them, it asks once more before programs fail with `AccessDenied`. If the effect fails, or takes longer than
   * 5 seconds, it runs again after a pause, and programs that find no connection fail with `ConnectionUnavailable`
   * of code `CREDENTIALS`. Its error is not reported, because it may hold a secret: log it in the effect.
   */
  readonly credentials?: Effect.Effect<Credentials, unknown> | undefined
  /**
   * Makes live connections authenticate again, with each element, by asking for `credentials`. Needed only if the server
   * closes connections whose credentials are old.
   */
  readonly credentialsChanged?: Stream.Stream<unknown, unknown> | undefined
  /** The number of the database. Default: 0. */
  readonly db?: number | undefined
  /** The options of `node:tls`; `{}` is TLS with the authorities of Node.js. Default: no TLS. */
  readonly tls?: TlsOptions | undefined
  /** 4 or 6: only addresses of IPv4 or IPv6; 0: both. Default: 0. */
  readonly family?: number | undefined
  /** Milliseconds until a connection must be there; the server may take `silence` more to accept the user. Default: 2,000. */
  readonly connectTimeout?: number | undefined
  /** The name of the connections in `CLIENT LIST`. Default: unset. */
  readonly connectionName?: string | undefined
  /** Milliseconds until the first TCP keep-alive probe. Default: 30,000. */
  readonly keepAlive?: number | undefined
  /** Whether small packets are sent at once. Default: `true`. */
  readonly noDelay?: boolean | undefined
  /** 2 or 3: the version of RESP. Default: 3. */
  readonly protocol?: 2 | 3 | undefined
  /**
   * How long the server may send no reply while one is awaited. Then the connection is dropped, and every program that was sent on it
   * is in doubt. Default: 2.5 seconds. `"Infinity"`: never.
   *
   * A server that forks, or runs a long script of others, is silent meanwhile, so this should be longer than that. It should be
   * shorter than the deadline of the service.
   */
  readonly silence?: Duration.Input | undefined
}

const { credentials, credentialsChanged, password, silence } = sharedChecks

const checks: { readonly [Name in keyof Required<LayerOptions>]: Check } = {
  ...clientChecks,
  credentials,
  credentialsChanged,
  password,
  silence,
  url: secret
}

const { keyPrefix: _, ...ofConnection } = ofServer.of

/**
 * The variables of the environment. `REDIS_KEY_PREFIX` is not among them, because the prefix is the service's.
 *
 * @internal
 */
export const variables: Variables = { ...ofServer, of: ofConnection }

/**
 * @param names the names of variables that options come from
 * @internal
 */
export const make = Effect.fnUntraced(function*(
  options: LayerOptions,
  names: ReadonlyMap<string, string> = new Map()
): Effect.fn.Return<RedisTransport["Service"], RedisServiceError, Scope.Scope> {
  const refuse = (option: string, issue: string) => invalidOption({ option: names.get(option) ?? option, issue })
  const refusal = refusalAmong(options, checks)
  if (refusal !== undefined) return yield* refuse(refusal.option, refusal.issue)
  const address = options.url === undefined ? {} : parseUrl(plain(options.url))
  if (typeof address === "string") return yield* refuse("url", address)
  if (options.credentials === undefined && options.credentialsChanged !== undefined) {
    return yield* refuse("credentialsChanged", "expected the option `credentials` too")
  }
  const given = { ...address, ...defined(options) } as LayerOptions
  const { connectionName, connectTimeout = 2000, db = 0, host = "127.0.0.1", path, port = 6379 } = given
  const socket = {
    ...(path === undefined ? { host, port } : { path }),
    ...(given.tls === undefined ? undefined : { ...given.tls, tls: true }),
    ...(given.family === undefined ? undefined : { family: given.family }),
    connectTimeout,
    keepAlive: true,
    keepAliveInitialDelay: given.keepAlive ?? 30_000,
    noDelay: given.noDelay ?? true,
    reconnectStrategy: false
  }
  const client = {
    RESP: given.protocol ?? 3,
    socket,
    ...(connectionName === undefined ? undefined : { name: connectionName }),
    // nothing waits in the client, because a transport must report at once that it could not send
    disableOfflineQueue: true,
    // `CLIENT SETINFO` is an error before Redis 7.2
    disableClientInfo: true,
    // connections are made anew here, and the questions of the start need rights that a user may lack
    maintNotifications: "disabled",
    // the deadline is the service's, and a timer for each command costs much
    commandOptions: { timeout: undefined }
  } as unknown as ClientOptions
  const runFork = Effect.runForkWith(yield* Effect.context<never>())
  const connectionOptions = {
    user: {
      username: given.username,
      password: given.password === undefined ? undefined : plain(given.password)
    },
    credentials: given.credentials,
    connectTimeout,
    silence: Math.min(maximumMillis, Duration.toMillis(Duration.fromInputUnsafe(given.silence ?? "2.5 seconds"))),
    server: path === undefined ? { address: host, port, database: db } : { address: path, database: db },
    runFork
  }
  // channels have no database
  const subscriber = Subscriber.make({ ...connectionOptions, client })
  const connection = yield* Effect.acquireRelease(
    Effect.sync(() => {
      const connection = new Connection({
        ...connectionOptions,
        client: { ...client, database: db },
        onLeave: () => subscriber.connection()?.reconnect()
      })
      connection.open()
      return connection
    }),
    (connection) => Effect.sync(() => connection.close())
  )
  const renew = Effect.suspend(() => {
    const subscribed = subscriber.connection()
    // a subscribed connection of RESP 2 takes no `AUTH`
    if (given.protocol === 2) subscribed?.reconnect()
    return Effect.all([
      connection.renew,
      given.protocol === 2 || subscribed === undefined ? Effect.void : subscribed.renew
    ], {
      concurrency: "unbounded"
    })
  })
  if (given.credentialsChanged !== undefined) {
    yield* Effect.forkScoped(Effect.catchCause(
      Stream.runForEach(given.credentialsChanged, () => renew),
      () => Effect.logWarning("The stream of the option credentialsChanged failed")
    ))
  }
  const { evaluate, ready, scan } = connection
  return { evaluate, ready, scan, subscribe: subscriber.subscribe, server: connectionOptions.server }
})
