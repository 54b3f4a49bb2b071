/**
 * Both directions between this library and Effect's own Redis service, `effect/persistence/Redis`: programs over a client that
 * the application has for Effect's modules, and Effect's modules (`PersistedQueue`, `RateLimiter`, `Persistence` …) over the
 * client of a live layer. That service is marked unstable, and so is this module.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redis from "effect/persistence/Redis"
import * as FromIoredis from "./internal/redis/interop/fromIoredis.ts"
import * as OverEffectRedis from "./internal/redis/interop/overEffectRedis.ts"
import { IoRedis } from "./IoRedis.ts"
import { RedisTransport } from "./RedisTransport.ts"

/**
 * Effect's service from the client of a live layer, to the same server and database, with connections of its own: one for
 * commands and scripts, one for subscriptions once there are any, and those of the pool that are reserved. Commands are never
 * sent twice; a command that finds no connection waits up to five seconds for one. Keys get no `keyPrefix`: Effect's modules
 * have prefixes of their own.
 *
 * **Gotchas**
 *
 * A command on a reserved connection may wait for as long as the server lets it, also for a server that is gone: give it a
 * time-out.
 *
 * **Example** (A queue of Effect's on the same server)
 *
 * ```ts
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
 * @category layers
 * @since 0.1.0
 */
export const layer = (pool?: Redis.PoolOptions): Layer.Layer<Redis.Redis, never, IoRedis> =>
  Layer.effect(Redis.Redis, Effect.flatMap(IoRedis, (client) => FromIoredis.make(client, pool)))

/**
 * @category models
 * @since 0.1.0
 */
export interface TransportOptions {
  /**
   * Whether topics can be subscribed to. Effect's service does not say when a subscription was interrupted, so messages may be
   * missing without a `Missed` in their place. Unless this is `"unmarked"`, `Topic.subscribe` fails with `Unsupported`.
   */
  readonly subscriptions?: "unmarked" | undefined
}

/**
 * A transport over Effect's service, for `RedisService.layerTransport`: so the client that the application has for Node, Bun or
 * Deno serves.
 *
 * **Gotchas**
 *
 * What is promised about failure is what that client keeps: one that sends a command again after a lost connection applies a
 * program twice. Of its errors only those that certainly came from the server, or before anything was sent, are told apart;
 * every other is `OutcomeUnknown`. `RedisService.layer` owns its client, and has none of these doubts.
 *
 * **Example** (Programs over the client of `@effect/platform-node`)
 *
 * ```ts
 * import { NodeRedis } from "@effect/platform-node"
 * import { Layer } from "effect"
 * import { EffectRedis, RedisService } from "redlayer"
 *
 * const Live = RedisService.layerTransport({ keyPrefix: "app:" }).pipe(
 *   Layer.provide(EffectRedis.layerTransport()),
 *   Layer.provide(NodeRedis.layer({ url: "redis://127.0.0.1:6379" }))
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerTransport = (options: TransportOptions = {}): Layer.Layer<RedisTransport, never, Redis.Redis> =>
  Layer.effect(
    RedisTransport,
    Effect.map(Redis.Redis, (redis) => OverEffectRedis.make(redis, options.subscriptions === "unmarked"))
  )
