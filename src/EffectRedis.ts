/**
 * Interoperation with Effect's own Redis service, `effect/persistence/Redis`, in both directions: programs over a
 * client that the application has for Effect's modules, and Effect's modules (`PersistedQueue`, `RateLimiter`,
 * `Persistence` …) over the client of a live layer. That service is marked unstable, and so is this module.
 *
 * @stability unstable
 * @since 0.1.0
 */
import * as Servers from "#servers"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redis from "effect/persistence/Redis"
import * as OverEffectRedis from "./internal/redis/interop/overEffectRedis.ts"
import { IoRedis } from "./IoRedis.ts"
import { RedisTransport } from "./RedisTransport.ts"

/**
 * Provides Effect's service from the client of a live layer. It has the same server and database, and separate
 * connections: one for commands and scripts, one for subscriptions as soon as one exists, and those of the pool that
 * are reserved. Commands are never sent twice. A command without a connection waits up to five seconds for one. Keys
 * get no `keyPrefix`, because Effect's modules have their own prefixes.
 *
 * **When to use**
 *
 * Use to run Effect's persistence modules beside redlayer on one server.
 *
 * **Gotchas**
 *
 * A command on a reserved connection has no deadline, even if the server never answers: add a timeout.
 *
 * **Example** (Running Effect's queue on the same server)
 *
 * ```ts run
 * import { Layer } from "effect"
 * import { PersistedQueue } from "effect/persistence"
 * import { EffectRedis, RedisService } from "redlayer"
 *
 * const Live = PersistedQueue.layer.pipe(
 *   Layer.provide(PersistedQueue.layerStoreRedis()),
 *   Layer.provide(EffectRedis.layer()),
 *   Layer.provideMerge(RedisService.layer({ url: "redis://127.0.0.1:6379" }))
 * )
 * ```
 *
 * @stability unstable
 * @category layers
 * @since 0.1.0
 */
export const layer = (pool?: Redis.PoolOptions): Layer.Layer<Redis.Redis, never, IoRedis> =>
  Layer.effect(Redis.Redis, Effect.flatMap(IoRedis, (client) => Servers.effectRedisOf(client, pool)))

/**
 * Options of `layerTransport`.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface TransportOptions {
  /**
   * Whether topics can be subscribed to. Effect's service does not report interrupted subscriptions, so messages may be
   * missing without a `Missed`. Unless this is `"unmarked"`, `Topic.subscribe` fails with `Unsupported`.
   */
  readonly subscriptions?: "unmarked" | undefined
}

/**
 * Provides a transport over Effect's service, for `RedisService.layerTransport`.
 *
 * **When to use**
 *
 * Use if the application already has a client for Node, Bun or Deno, and a second one is not wanted. Otherwise use
 * `RedisService.layer`.
 *
 * **Gotchas**
 *
 * The promises about failure are only as good as that client: one that sends a command again after a lost connection
 * applies a program twice. Only errors that certainly came from the server, or from before sending, are recognised;
 * every other error is `OutcomeUnknown`. `RedisService.layer` owns its client, and has none of these doubts.
 *
 * **Example** (Programs over the client of `@effect/platform-node`)
 *
 * ```ts run
 * import { Layer } from "effect"
 * import type { Redis } from "effect/persistence"
 * import { EffectRedis, RedisService } from "redlayer"
 *
 * // `client` is the `NodeRedis.layer({ url })` of `@effect/platform-node`, for example
 * export const over = <E>(client: Layer.Layer<Redis.Redis, E>) =>
 *   RedisService.layerTransport({ keyPrefix: "app:" }).pipe(
 *     Layer.provide(EffectRedis.layerTransport()),
 *     Layer.provide(client)
 *   )
 * ```
 *
 * @stability unstable
 * @category layers
 * @since 0.1.0
 */
export const layerTransport = (options: TransportOptions = {}): Layer.Layer<RedisTransport, never, Redis.Redis> =>
  Layer.effect(
    RedisTransport,
    Effect.map(Redis.Redis, (redis) => OverEffectRedis.make(redis, options.subscriptions === "unmarked"))
  )
