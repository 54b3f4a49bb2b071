/**
 * The place of `servers.ts` in a bundle for browsers, which have no connections to Redis: each layer over a server fails.
 */
import * as Effect from "effect/Effect"
import { RedisServiceError, Unsupported } from "../../RedisServiceError.ts"
import type * as Servers from "./servers.ts"

const refused = Effect.suspend(() =>
  Effect.fail(
    new RedisServiceError({
      reason: new Unsupported({
        requirement:
          "a browser can't connect to Redis; use `RedisService.layerMemory`, or a server of your own between them"
      })
    })
  )
)

/** @internal */
export const server: typeof Servers.server = () => refused

/** @internal */
export const serverConfig: typeof Servers.serverConfig = () => refused

/** @internal */
export const cluster: typeof Servers.cluster = () => refused

/** @internal */
export const clusterConfig: typeof Servers.clusterConfig = () => refused

/** @internal */
export const sentinel: typeof Servers.sentinel = () => refused

/** @internal */
export const sentinelConfig: typeof Servers.sentinelConfig = () => refused

/** @internal */
export const overTransport: typeof Servers.overTransport = () => refused

/**
 * No layer has given a client.
 *
 * @internal
 */
export const transportOf: typeof Servers.transportOf = () => Effect.orDie(refused)

/** @internal */
export const effectRedisOf: typeof Servers.effectRedisOf = () => Effect.orDie(refused)
