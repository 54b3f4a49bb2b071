/**
 * The ioredis client behind the live layers, for commands of your own.
 *
 * @stability unstable
 * @since 0.1.0
 */
import * as Servers from "#servers"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Ioredis from "ioredis"
import { RedisTransport } from "./RedisTransport.ts"

/**
 * The client. It is configured never to send anything twice: a command that fails with "Connection is closed" may have
 * been applied. It gives what its types say: numbers are numbers, so an integer beyond 2^53 loses digits. It is closed
 * with its layer.
 *
 * @stability unstable
 * @category services
 * @since 0.1.0
 */
export class IoRedis extends Context.Service<IoRedis, Ioredis.Redis>()("redlayer/IoRedis") {}

/**
 * Provides the transport of the live layers, over the same client.
 *
 * **When to use**
 *
 * Use to put faults around the transport with `Testing.layerTransport`, or to build a second service with
 * `RedisService.layerTransport`.
 *
 * @stability unstable
 * @category layers
 * @since 0.1.0
 */
export const layerTransport: Layer.Layer<RedisTransport, never, IoRedis> = Layer.effect(
  RedisTransport,
  Effect.flatMap(IoRedis, Servers.transportOf)
)
