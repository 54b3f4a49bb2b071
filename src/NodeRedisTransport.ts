/**
 * A transport over node-redis, the client of Effect's own layers. It needs the package `redis`, version 5.12 or 6, which is an optional
 * peer: `redlayer` itself does not import this module, so import it by its path, `redlayer/NodeRedisTransport`.
 *
 * @stability experimental
 * @since 0.1.0
 */
import type * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type Configurable, configured } from "./internal/redis/client/environment.ts"
import { type LayerOptions, make, variables } from "./internal/redis/interop/nodeRedisOptions.ts"
import type { RedisServiceError } from "./RedisServiceError.ts"
import { RedisTransport } from "./RedisTransport.ts"

export type { LayerOptions } from "./internal/redis/interop/nodeRedisOptions.ts"

/**
 * Provides a transport over one server, for `RedisService.layerTransport`. It connects in the background, and again whenever a
 * connection is lost.
 *
 * **When to use**
 *
 * Use if the application has node-redis already, and a second client is not wanted. Otherwise use `RedisService.layer`, which also
 * has clusters, Sentinels and `waitReplicas`. To use a client that exists, over Effect's service, use `EffectRedis.layerTransport`.
 *
 * **Details**
 *
 * - An invalid option fails with `InvalidOption`. An unreachable server does not fail this layer: `RedisService.layerTransport` fails at
 *   once if access is denied, and else at its deadline, with the address and the code of the last failure.
 * - Nothing is sent twice. A command that was sent on a connection which broke is in doubt.
 * - Subscriptions share a second connection, open from the first to the last. After it was lost, all channels are subscribed again, and
 *   each stream has a `Missed`.
 * - A server that became a replica is left when it has answered what it was sent, and the name is resolved anew.
 * - When the scope closes, the connections close at once. The service over it has waited for its answers by then.
 * - `waitReplicas` and `Atomic.waitForReplicas` fail with `Unsupported`.
 *
 * **Gotchas**
 *
 * A server that is still sending one long reply counts as silent, because node-redis does not tell of a part of one: `silence` must be
 * longer than the longest reply takes.
 *
 * **Example** (Programs over node-redis)
 *
 * ```ts run
 * import { Layer } from "effect"
 * import { RedisService } from "redlayer"
 * import * as NodeRedisTransport from "redlayer/NodeRedisTransport"
 *
 * export const Live = RedisService.layerTransport({ keyPrefix: "shop:", deadline: "2 seconds" }).pipe(
 *   Layer.provide(NodeRedisTransport.layer({ url: "redis://127.0.0.1:6379", silence: "1 second" }))
 * )
 * ```
 *
 * @stability experimental
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: LayerOptions = {}): Layer.Layer<RedisTransport, RedisServiceError> =>
  Layer.effect(RedisTransport, make(options))

/**
 * Provides the transport from `REDIS_URL`, or `REDIS_HOST`, `REDIS_PORT`, `REDIS_USERNAME`, `REDIS_PASSWORD` and `REDIS_DB`. `options`
 * override the environment: each is a value or a `Config` of one, or all of them are one `Config`. If nothing names a server, it connects
 * to 127.0.0.1:6379, and logs that at level Info.
 *
 * **When to use**
 *
 * Use in applications that are configured by their environment, or another `ConfigProvider`.
 *
 * **Gotchas**
 *
 * `REDIS_KEY_PREFIX` is not read, because the prefix is an option of the service.
 *
 * **Example** (A server that the environment names)
 *
 * ```ts run
 * import { Config, Layer } from "effect"
 * import { RedisService } from "redlayer"
 * import * as NodeRedisTransport from "redlayer/NodeRedisTransport"
 *
 * export const Live = RedisService.layerTransport().pipe(
 *   Layer.provide(NodeRedisTransport.layerConfig({ url: Config.Redacted("CACHE_URL") }))
 * )
 * ```
 *
 * @stability experimental
 * @category layers
 * @since 0.1.0
 */
export const layerConfig = (
  options: Configurable<LayerOptions> = {}
): Layer.Layer<RedisTransport, RedisServiceError | Config.ConfigError> =>
  Layer.effect(
    RedisTransport,
    Effect.flatMap(configured(options, variables), ({ options, variables }) => {
      const { host, path, port = 6379, url } = options
      const isChosen = (url ?? host ?? path) !== undefined
      const log = Effect.logInfo(`Neither REDIS_URL nor REDIS_HOST is set: connecting to 127.0.0.1:${port}`)
      return Effect.andThen(isChosen ? Effect.void : log, make(options, variables))
    })
  )
