/**
 * The ioredis client behind the live layers, for commands of your own.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Ioredis from "ioredis"

/**
 * The client. It is set up never to send anything twice: a command that fails with "Connection is closed" may have been
 * applied. It is closed with its layer.
 *
 * @category services
 * @since 0.1.0
 */
export class IoRedis extends Context.Service<IoRedis, Ioredis.Redis>()("redlayer/IoRedis") {}
