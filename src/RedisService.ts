/**
 * The service that programs need, and its layers: over a server, or in memory.
 *
 * @since 0.1.0
 */
import type * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Memory from "./internal/memory/service.ts"
import { connectionConfig, type LayerOptions, parseUrl, plain } from "./internal/redis/client/options.ts"
import * as IoredisTransport from "./internal/redis/client/standalone.ts"
import * as Live from "./internal/redis/service.ts"
import { RedisService, type ServiceOptions } from "./internal/service.ts"
import { IoRedis } from "./IoRedis.ts"
import { RedisServiceError, Unsupported } from "./RedisServiceError.ts"
import { RedisTransport } from "./RedisTransport.ts"

export type { LayerOptions } from "./internal/redis/client/options.ts"
export { RedisService, type ServerInfo, type ServiceOptions, type SubscriptionEvent } from "./internal/service.ts"

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

/**
 * Provides the service over one server, with the ioredis client. Building the layer connects, and checks the server's
 * version and the rights that scripts need. It fails at once if the server denies access. If the server is unreachable
 * or refuses for now, it tries until the `deadline`, and fails with `ConnectionUnavailable` or with the last refusal.
 *
 * **When to use**
 *
 * Use in applications whose code has the options. To read them from the environment use `layerConfig`; for another
 * client than ioredis use `layerTransport`; for tests use `layerMemory`.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: LayerOptions = {}): Layer.Layer<RedisService | IoRedis, RedisServiceError> =>
  Layer.effectContext(make(options))

/**
 * Provides the service over one server, from `REDIS_URL`, or `REDIS_HOST`, `REDIS_PORT`, `REDIS_USERNAME`,
 * `REDIS_PASSWORD` and `REDIS_DB`, with `REDIS_KEY_PREFIX`. Default: host 127.0.0.1, port 6379. `options` override the
 * environment.
 *
 * **When to use**
 *
 * Use in applications that are configured by their environment, or another `ConfigProvider`.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerConfig = (
  options: LayerOptions = {}
): Layer.Layer<RedisService | IoRedis, RedisServiceError | Config.ConfigError> =>
  Layer.effectContext(Effect.flatMap(connectionConfig, (found) => make({ ...found, ...options })))

/**
 * Provides the service over any transport. Building the layer checks the server, as `layer` does.
 *
 * **When to use**
 *
 * Use for another client than ioredis: over Effect's own Redis service with `EffectRedis.layerTransport`, or over your
 * `RedisTransport`. For ioredis use `layer`.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerTransport = (
  options: ServiceOptions = {}
): Layer.Layer<RedisService, RedisServiceError, RedisTransport> =>
  Layer.effect(RedisService, Effect.flatMap(RedisTransport, (transport) => Live.make(transport, options)))

/**
 * The options of the memory layer. Each means the same as on the live layers.
 *
 * @category models
 * @since 0.1.0
 */
export interface MemoryOptions {
  /** The greatest length of one value, in bytes: at least 64. Default: 1,000,000. */
  readonly maximumValueBytes?: number | undefined
  /** The greatest length of a program, in UTF-16 units. Default: 16,000,000. */
  readonly maximumProgramBytes?: number | undefined
  /** Whether a program whose entities are in several slots fails with `CrossSlot`. Default: unset, it does not. */
  readonly crossSlot?: "refuse" | undefined
}

/**
 * Provides the service in memory, with options: the same programs, results and errors, without a server. Time is the
 * `Clock`'s. Each build is empty. After its scope has closed, programs fail with `ConnectionUnavailable`.
 *
 * **When to use**
 *
 * Use to test limits, or to refuse programs that would fail on a cluster. Without options use `layerMemory`.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerMemoryWith = (options: MemoryOptions): Layer.Layer<RedisService> =>
  Layer.effect(
    RedisService,
    Effect.map(
      Effect.scope,
      (scope) => Memory.make(undefined, { ...Memory.toOptions(options), scope })
    )
  )

/**
 * Provides the service in memory: the same programs, results and errors, without a server. Time is the `Clock`'s, so
 * `TestClock` moves it.
 *
 * **When to use**
 *
 * Use in tests, and to try things out. To read and write stored keys past the library use `layerMemory` of
 * `redlayer/testing`.
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
