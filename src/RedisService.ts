/**
 * The service that programs need, and its layers: over a server, or in memory.
 *
 * @since 0.1.0
 */
import * as Config from "effect/Config"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import type * as Ioredis from "ioredis"
import { limitsOf } from "./internal/instruction/limits.ts"
import type { Program } from "./internal/instruction/program.ts"
import type { Reply } from "./internal/instruction/reply.ts"
import * as Memory from "./internal/memory/service.ts"
import * as IoredisTransport from "./internal/redis/client/standalone.ts"
import * as Live from "./internal/redis/service.ts"
import { IoRedis } from "./IoRedis.ts"
import { RedisServiceError, Unsupported } from "./RedisServiceError.ts"
import { RedisTransport } from "./RedisTransport.ts"

/**
 * What a subscription to a channel tells, in order.
 *
 * **Details**
 *
 * - `Message`: what was published.
 * - `Missed`: the connection was lost, and is there again; what was published in between is lost.
 * - `Ended`: the last of all. The server refuses the subscription for good, which is the `error`; or its scope, or the
 *   service, was closed, and there is none.
 *
 * @category models
 * @since 0.1.0
 */
export type SubscriptionEvent =
  | { readonly _tag: "Message"; readonly text: string }
  | { readonly _tag: "Missed" }
  | { readonly _tag: "Ended"; readonly error: RedisServiceError | undefined }

/**
 * Runs programs, each alone, and wholly or not at all. Programs that are committed in the same turn of the event loop travel
 * in one call.
 *
 * @category services
 * @since 0.1.0
 */
export class RedisService extends Context.Service<RedisService, {
  /**
   * Runs one compiled program, and gives what `read` makes of its reply. Commit an `Atomic` instead: it compiles itself, and
   * reads its own reply.
   */
  readonly execute: <A, E>(
    program: Program,
    read: (reply: Reply) => Exit.Exit<A, E>
  ) => Effect.Effect<A, E | RedisServiceError>
  /** Runs programs that are independent of each other, at once: an exit for each, in their order. */
  readonly executeAll: <A, E>(
    programs: ReadonlyArray<Program>,
    read: (reply: Reply, index: number) => Exit.Exit<A, E>
  ) => Effect.Effect<ReadonlyArray<Exit.Exit<A, E | RedisServiceError>>>
  /**
   * Subscribes to a channel until the scope closes. When this ends, the subscription is there: what is published from then on
   * is told to `listener`, which must not throw. Use a `Topic` instead: it has types, and a stream.
   */
  readonly subscribe: (
    channel: string,
    listener: (event: SubscriptionEvent) => void
  ) => Effect.Effect<void, RedisServiceError, Scope.Scope>
  /** What the layer has found out of its server; left out where there is nothing to know, as in memory. */
  readonly server?: ServerInfo | undefined
}>()("redlayer/RedisService") {}

/**
 * @category models
 * @since 0.1.0
 */
export interface ServerInfo {
  readonly isCluster: boolean
  /** Why no lock is taken there: the server may drop it. */
  readonly refusesLocks: RedisServiceError | undefined
}

/**
 * What the live layers have in common.
 *
 * @category models
 * @since 0.1.0
 */
export interface ServiceOptions {
  /** What every key begins with: no braces. Empty unless said otherwise. */
  readonly keyPrefix?: string | undefined
  /**
   * How long a program may take, from its commit to its answer and over all attempts: 5 seconds unless said otherwise. After
   * it, a program that was not sent fails with `ConnectionUnavailable`, and one that was with `OutcomeUnknown`. Starting the
   * layer has as long.
   */
  readonly deadline?: Duration.Input | undefined
  /**
   * Whether a program is sent again within its deadline, where that can't apply it twice: when the server has refused it for
   * now, and, when no reply came, programs that only read and those that happen exactly once. On unless said otherwise. A
   * program that was not sent waits for a connection either way.
   */
  readonly retry?: boolean | undefined
  /**
   * How many programs may be on their way or waiting: 65,536 unless said otherwise. Beyond it a program fails with
   * `ConnectionUnavailable` at once.
   */
  readonly maximumWaiting?: number | undefined
  /**
   * Whether programs that write happen exactly once, however often the connection breaks: the result of each is kept on the
   * server, where it finds itself again when it is sent again. Off unless said otherwise.
   *
   * **Details**
   *
   * - `window`: how long results are kept at least; longer than the deadline, a minute unless said otherwise.
   * - `acceptEviction`: whether a server whose `maxmemory-policy` may drop them is good enough. Without it such a server is
   *   refused with `Unsupported`.
   * - A program without an answer is given up a quarter of a second before its deadline: from then on it is forbidden to
   *   happen, and fails with `ConnectionUnavailable` where it hadn't. Only where that can't be found out either it fails with
   *   `OutcomeUnknown`; with `applied: true` where it has happened and its result was larger than 4 kB.
   * - A program whose fiber is interrupted after it was sent may still happen, once.
   */
  readonly exactlyOnce?: boolean | {
    readonly window?: Duration.Input | undefined
    readonly acceptEviction?: boolean | undefined
  } | undefined
  /**
   * Whether locks are taken on a server whose `maxmemory-policy` may drop them: then two may hold one, and only
   * `held.guard` tells. Without `acceptEviction` such a lock fails with `Unsupported`.
   */
  readonly locks?: { readonly acceptEviction?: boolean | undefined } | undefined
  /** The bounds of one call: 128 programs, 256,000 UTF-16 units of keys and texts (`bytes`), 2,048 instructions unless said otherwise. */
  readonly batch?: {
    readonly programs?: number
    readonly bytes?: number
    readonly instructions?: number
  } | undefined
  /** The largest text of a value, in bytes: 1,000,000 unless said otherwise. A larger one is `InvalidValue`. */
  readonly maximumValueBytes?: number | undefined
  /**
   * The largest program, in UTF-16 units of its keys and texts: 16,000,000 unless said otherwise. A larger one is
   * `InvalidValue`.
   */
  readonly maximumProgramBytes?: number | undefined
  /**
   * Whether a program whose entities lie in several slots fails with `CrossSlot` on a server that is no cluster too. On a
   * cluster it always does.
   */
  readonly crossSlot?: "refuse" | undefined
  /**
   * Which spans are made, where there is a tracer: `"call"` unless said otherwise.
   *
   * **Details**
   *
   * - `"call"`: one for each call to the server, which carries the programs that were committed in the same turn.
   * - `"program"`: also one for each program, in the trace of the fiber that commits it. It halves the throughput.
   * - `"none"`: none. Metrics are kept all the same.
   */
  readonly spans?: "call" | "program" | "none" | undefined
}

type Owned =
  | "autoResendUnfulfilledCommands"
  | "commandTimeout"
  | "disableClientInfo"
  | "enableAutoPipelining"
  | "enableOfflineQueue"
  | "keyPrefix"
  | "lazyConnect"
  | "maxRetriesPerRequest"
  | "password"
  | "replyMapping"
  | "retryStrategy"
  | "socketTimeout"
  | "stringNumbers"

/**
 * The options of a connection: ioredis's own, without those that decide what is sent twice or waits for ever.
 *
 * @category models
 * @since 0.1.0
 */
export interface LayerOptions extends ServiceOptions, Omit<Ioredis.RedisOptions, Owned> {
  /** `redis://`, or `rediss://` for TLS; what else is given takes precedence. */
  readonly url?: string | Redacted.Redacted | undefined
  readonly password?: string | Redacted.Redacted | undefined
}

const plain = (secret: string | Redacted.Redacted): string =>
  typeof secret === "string" ? secret : Redacted.value(secret)

const make = Effect.fnUntraced(function*(options: LayerOptions) {
  const {
    batch,
    crossSlot,
    deadline,
    exactlyOnce,
    keyPrefix,
    locks,
    maximumProgramBytes,
    maximumValueBytes,
    maximumWaiting,
    password,
    retry,
    spans,
    url,
    ...connection
  } = options
  const address = url === undefined ? {} : parseUrl(plain(url))
  if (address === undefined) {
    const requirement = "a URL such as redis://user:password@host:6379/0"
    return yield* new RedisServiceError({ reason: new Unsupported({ requirement }) })
  }
  const client = yield* IoredisTransport.acquire({
    ...address,
    ...connection,
    ...(password === undefined ? undefined : { password: plain(password) })
  })
  const service = yield* Live.make(IoredisTransport.transport(client), {
    batch,
    crossSlot,
    deadline,
    exactlyOnce,
    keyPrefix,
    locks,
    maximumProgramBytes,
    maximumValueBytes,
    maximumWaiting,
    retry,
    spans
  })
  return Context.make(RedisService, service).pipe(Context.add(IoRedis, client))
})

const unescaped = (text: string): string | undefined => {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

/** Nothing is thrown: that would hold the URL, and with it the password. */
const parseUrl = (url: string): Ioredis.RedisOptions | undefined => {
  if (!URL.canParse(url)) return undefined
  const parsed = new URL(url)
  const { hostname, pathname, port, protocol } = parsed
  const username = unescaped(parsed.username)
  const password = unescaped(parsed.password)
  if (username === undefined || password === undefined) return undefined
  if (!/^rediss?:$/.test(protocol) || !/^(\/\d*)?$/.test(pathname)) return undefined
  return {
    host: hostname === "" ? "127.0.0.1" : hostname.replace(/^\[(.*)\]$/, "$1"),
    port: port === "" ? 6379 : Number(port),
    ...(username === "" ? undefined : { username }),
    ...(password === "" ? undefined : { password }),
    ...(pathname.length > 1 ? { db: Number(pathname.slice(1)) } : undefined),
    ...(protocol === "rediss:" ? { tls: {} } : undefined)
  }
}

/**
 * Over one server. Building it connects, and checks the server's version, and the rights that scripts need. A server that
 * denies access fails it at once; one that is away, or refuses for now, when the `deadline` has passed: with
 * `ConnectionUnavailable`, or with what the server said last.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: LayerOptions = {}): Layer.Layer<RedisService | IoRedis, RedisServiceError> =>
  Layer.effectContext(make(options))

/**
 * The same, from `REDIS_URL`, or `REDIS_HOST`, `REDIS_PORT`, `REDIS_USERNAME`, `REDIS_PASSWORD` and `REDIS_DB`, with
 * `REDIS_KEY_PREFIX`. The host is 127.0.0.1 and the port 6379 unless said otherwise.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerConfig = (
  options: LayerOptions = {}
): Layer.Layer<RedisService | IoRedis, RedisServiceError | Config.ConfigError> =>
  Layer.effectContext(Effect.flatMap(connectionConfig, (found) => make({ ...found, ...options })))

const connectionConfig = Config.all({
  url: Config.option(Config.Redacted("URL")),
  host: Config.option(Config.String("HOST")),
  port: Config.option(Config.Port("PORT")),
  username: Config.option(Config.String("USERNAME")),
  password: Config.option(Config.Redacted("PASSWORD")),
  db: Config.option(Config.Int("DB")),
  keyPrefix: Config.option(Config.String("KEY_PREFIX"))
}).pipe(
  Config.nested("REDIS"),
  Config.map((found): LayerOptions =>
    Object.fromEntries(
      Object.entries(found as Record<string, Option.Option<unknown>>).flatMap(([name, value]) =>
        Option.isSome(value) ? [[name, value.value]] : []
      )
    )
  )
)

/**
 * Over any transport.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerTransport = (
  options: ServiceOptions = {}
): Layer.Layer<RedisService, RedisServiceError, RedisTransport> =>
  Layer.effect(RedisService, Effect.flatMap(RedisTransport, (transport) => Live.make(transport, options)))

/**
 * @category models
 * @since 0.1.0
 */
export interface MemoryOptions {
  /** As on the live layers. */
  readonly maximumValueBytes?: number | undefined
  /** As on the live layers. */
  readonly maximumProgramBytes?: number | undefined
  /** As on the live layers. */
  readonly crossSlot?: "refuse" | undefined
}

/**
 * In memory: the same programs, results and errors, without a server. Time is the `Clock`'s. Each build is empty, and ends
 * with its scope.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerMemoryWith = (options: MemoryOptions): Layer.Layer<RedisService> =>
  Layer.effect(
    RedisService,
    Effect.map(
      Effect.scope,
      (scope) =>
        Memory.make(undefined, { limits: limitsOf(options), refusesCrossSlot: options.crossSlot === "refuse", scope })
    )
  )

/**
 * In memory: the same programs, results and errors, without a server.
 *
 * **Example** (Testing without a server)
 *
 * ```ts run
 * import { Effect, Schema } from "effect"
 * import { Model, RedisService } from "redlayer"
 *
 * const Session = Model.make("Session", { user: Schema.String })
 *
 * const program = Effect.gen(function*() {
 *   const { id } = yield* Session.insert({ user: "alice" })
 *   return yield* Session.ref(id).user.get()
 * })
 *
 * await Effect.runPromise(program.pipe(Effect.provide(RedisService.layerMemory))) // => "alice"
 * ```
 *
 * @see {@link layerMemoryWith} for its options
 * @category layers
 * @since 0.1.0
 */
export const layerMemory: Layer.Layer<RedisService> = layerMemoryWith({})
