/**
 * The service that programs need, and its layers: over a server, a cluster, or in memory.
 *
 * @stability unstable
 * @since 0.1.0
 */
import * as Servers from "#servers"
import type * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { limitsOf, memoryChecks } from "./internal/instruction/limits.ts"
import * as Memory from "./internal/memory/service.ts"
import { invalidOf } from "./internal/options.ts"
import type { ConfigOptions, Configurable } from "./internal/redis/client/environment.ts"
import type { LayerOptions } from "./internal/redis/client/options.ts"
import type { ClusterOptions, SentinelOptions } from "./internal/redis/client/topologies.ts"
import { RedisService, type ServiceOptions, type SweepOptions } from "./internal/service.ts"
import { sweeping } from "./internal/sweeping.ts"
import { IoRedis } from "./IoRedis.ts"
import type { RedisServiceError } from "./RedisServiceError.ts"
import { RedisTransport } from "./RedisTransport.ts"

export type { Address } from "./internal/redis/client/addresses.ts"
export type { Credentials } from "./internal/redis/client/credentials.ts"
export type { ConfigOptions, Configurable } from "./internal/redis/client/environment.ts"
export type { ConnectionOptions, LayerOptions } from "./internal/redis/client/options.ts"
export type { NodeAddress } from "./internal/redis/client/slotMap.ts"
export type { ClusterOptions, Reads, SentinelOptions } from "./internal/redis/client/topologies.ts"
export {
  type Capabilities,
  RedisService,
  type ServerInfo,
  type ServiceOptions,
  type SubscriptionEvent,
  type SweepOptions,
  type WaitReplicas
} from "./internal/service.ts"

const withClient = ({ client, service }: Servers.Connected) =>
  Context.make(RedisService, service).pipe(Context.add(IoRedis, client))

/**
 * Provides the service over one server, with the ioredis client. Building the layer connects, and checks the server's
 * version, its role and the rights that scripts need. It fails at once if the server denies access, or is a node of a
 * cluster of several nodes. If the server is unreachable, is a replica or refuses for now, it tries until the
 * `deadline`, and fails with `ConnectionUnavailable` or with the last refusal. An invalid option fails with
 * `InvalidOption` before anything is sent.
 *
 * **When to use**
 *
 * Use in applications whose code has the options. To read them from the environment use `layerConfig`; for another
 * client than ioredis use `layerTransport`; for tests use `layerMemory`.
 *
 * @stability unstable
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: LayerOptions = {}): Layer.Layer<RedisService | IoRedis, RedisServiceError> =>
  Layer.effectContext(Effect.map(Servers.server(options), withClient))

/**
 * Provides the service over one server, from `REDIS_URL`, or `REDIS_HOST`, `REDIS_PORT`, `REDIS_USERNAME`,
 * `REDIS_PASSWORD` and `REDIS_DB`, with `REDIS_KEY_PREFIX`. `options` override the environment: each is a value or a
 * `Config` of one, or all of them are one `Config`.
 *
 * **Details**
 *
 * - A `url` among the options replaces the address, user and database of the environment.
 * - If neither a variable nor an option names a server, it connects to 127.0.0.1:6379, and logs that at level Info.
 * - A variable `REDIS_URL`, `REDIS_HOST`, `REDIS_PORT` or `REDIS_DB` that is set and empty fails with `InvalidOption`.
 *
 * **When to use**
 *
 * Use in applications that are configured by their environment, or another `ConfigProvider`.
 *
 * @stability unstable
 * @category layers
 * @since 0.1.0
 */
export const layerConfig = (
  options: ConfigOptions = {}
): Layer.Layer<RedisService | IoRedis, RedisServiceError | Config.ConfigError> =>
  Layer.effectContext(Effect.map(Servers.serverConfig(options), withClient))

/**
 * Provides the service over a Redis Cluster. All programs that are committed in one turn of the event loop travel in one call for
 * each node. Each program must keep to one slot, and fails with `CrossSlot` before it is sent if it does not.
 *
 * **Details**
 *
 * - Building the layer connects to the primaries, and checks the version, the rights and the abilities of one of them.
 * - A program whose slot has moved is sent again to the node that has it, and has not run before. While a slot moves, a program of
 *   several keys of which some are absent waits, and fails with `ServerUnavailable` at its deadline.
 * - If a node fails, programs of its slots wait for its replica to be promoted, until their deadline; the others go on.
 * - Reads go to primaries, unless `reads` says otherwise.
 *
 * **When to use**
 *
 * Use if one server is not enough, or if several must share the work. For one server and its replicas use `layerSentinel`.
 *
 * **Example** (A cluster, and writes that a failover does not lose)
 *
 * ```ts run
 * import { RedisService } from "redlayer"
 *
 * const Live = RedisService.layerCluster({
 *   nodes: ["redis-1.example:6379", "redis-2.example:6379"],
 *   keyPrefix: "shop:",
 *   waitReplicas: { count: 1 }
 * })
 * ```
 *
 * @stability unstable
 * @category layers
 * @since 0.1.0
 */
export const layerCluster = (options: ClusterOptions): Layer.Layer<RedisService, RedisServiceError> =>
  Layer.effect(RedisService, Servers.cluster(options))

/**
 * Provides the service over a Redis Cluster, from `REDIS_CLUSTER_NODES` (`host:port` or URLs, with commas between them),
 * `REDIS_USERNAME`, `REDIS_PASSWORD` and `REDIS_KEY_PREFIX`. `options` override the environment: each is a value or a `Config` of
 * one, or all of them are one `Config`.
 *
 * **When to use**
 *
 * Use in applications that are configured by their environment, or another `ConfigProvider`.
 *
 * @stability unstable
 * @category layers
 * @since 0.1.0
 */
export const layerClusterConfig = (
  options: Configurable<Partial<ClusterOptions>> = {}
): Layer.Layer<RedisService, RedisServiceError | Config.ConfigError> =>
  Layer.effect(RedisService, Servers.clusterConfig(options))

/**
 * Provides the service over the primary that Redis Sentinels name, with the ioredis client. After a failover the layer connects to
 * the new primary. Writes that the old one had confirmed, and had not copied, are lost: see docs/sentinel.md.
 *
 * **When to use**
 *
 * Use for one server with replicas, of which one takes its place if it fails. For several primaries use `layerCluster`.
 *
 * **Example** (The primary of a group)
 *
 * ```ts run
 * import { RedisService } from "redlayer"
 *
 * const Live = RedisService.layerSentinel({
 *   sentinels: ["sentinel-1.example:26379", "sentinel-2.example:26379"],
 *   name: "mymaster",
 *   exactlyOnce: true
 * })
 * ```
 *
 * @stability unstable
 * @category layers
 * @since 0.1.0
 */
export const layerSentinel = (options: SentinelOptions): Layer.Layer<RedisService | IoRedis, RedisServiceError> =>
  Layer.effectContext(Effect.map(Servers.sentinel(options), withClient))

/**
 * Provides the service over the primary that Redis Sentinels name, from `REDIS_SENTINELS` (`host:port`, with commas between them),
 * `REDIS_SENTINEL_NAME`, `REDIS_SENTINEL_USERNAME`, `REDIS_SENTINEL_PASSWORD`, `REDIS_USERNAME`, `REDIS_PASSWORD`, `REDIS_DB` and
 * `REDIS_KEY_PREFIX`. `options` override the environment: each is a value or a `Config` of one, or all of them are one `Config`.
 *
 * **When to use**
 *
 * Use in applications that are configured by their environment, or another `ConfigProvider`.
 *
 * @stability unstable
 * @category layers
 * @since 0.1.0
 */
export const layerSentinelConfig = (
  options: Configurable<Partial<SentinelOptions>> = {}
): Layer.Layer<RedisService | IoRedis, RedisServiceError | Config.ConfigError> =>
  Layer.effectContext(Effect.map(Servers.sentinelConfig(options), withClient))

/**
 * Provides the service over any transport. Building the layer checks the server, as `layer` does.
 *
 * **When to use**
 *
 * Use for another client than ioredis: over Effect's own Redis service with `EffectRedis.layerTransport`, or over your
 * `RedisTransport`. For ioredis use `layer`.
 *
 * @stability unstable
 * @category layers
 * @since 0.1.0
 */
export const layerTransport = (
  options: ServiceOptions = {}
): Layer.Layer<RedisService, RedisServiceError, RedisTransport> =>
  Layer.effect(RedisService, Effect.flatMap(RedisTransport, (transport) => Servers.overTransport(transport, options)))

/**
 * The options of the memory layer. Each means the same as on the live layers.
 *
 * @stability unstable
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
  /** Runs `sweep` of models every so often. Default: none is swept. */
  readonly sweepEvery?: SweepOptions | undefined
}

const memory = (options: MemoryOptions) =>
  Effect.flatMap(Effect.scope, (scope) => {
    const refusesCrossSlot = options.crossSlot === "refuse"
    const service = Memory.make(undefined, { limits: limitsOf(options), refusesCrossSlot, scope })
    return Effect.as(sweeping(service, options.sweepEvery), service)
  })

/**
 * Provides the service in memory, with options: the same programs, results and errors, without a server. Time is the
 * `Clock`'s. Each build is empty. After its scope has closed, programs fail with `ConnectionUnavailable`.
 *
 * **When to use**
 *
 * Use to test limits, or to refuse programs that would fail on a cluster. Without options use `layerMemory`.
 *
 * @stability unstable
 * @category layers
 * @since 0.1.0
 */
export const layerMemoryWith = (options: MemoryOptions): Layer.Layer<RedisService, RedisServiceError> =>
  Layer.effect(RedisService, Effect.suspend(() => invalidOf(options, memoryChecks) ?? memory(options)))

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
 * @stability unstable
 * @category layers
 * @since 0.1.0
 */
export const layerMemory: Layer.Layer<RedisService> = Layer.effect(RedisService, memory({}))
