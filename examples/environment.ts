/**
 * The service that the environment names: a cluster, a server that Sentinels watch, one server, or memory. The models and programs of an
 * application are the same on each.
 *
 * `test/docs/topologies.test.ts` runs the leaderboard and the stock on a cluster and under Sentinels.
 */
import type { Config, Layer } from "effect"
import { RedisService, type RedisServiceError } from "redlayer"

export interface Place {
  /** The name of the place, for people. */
  readonly name: string
  readonly layer: Layer.Layer<
    RedisService.RedisService,
    RedisServiceError.RedisServiceError | Config.ConfigError
  >
  /** Whether other processes reach the same data. */
  readonly isShared: boolean
}

/** The first of these variables that is set decides. Its layer reads the others that it needs, such as `REDIS_PASSWORD`, by itself. */
const places: ReadonlyArray<readonly [variable: string, name: string, layer: Place["layer"]]> = [
  ["REDIS_CLUSTER_NODES", "on the cluster at REDIS_CLUSTER_NODES", RedisService.layerClusterConfig()],
  ["REDIS_SENTINELS", "on the server that the REDIS_SENTINELS name", RedisService.layerSentinelConfig()],
  ["REDIS_URL", "on the server at REDIS_URL", RedisService.layerConfig()]
]

export const placeOf = (env: NodeJS.ProcessEnv): Place => {
  const found = places.find(([variable]) => (env[variable] ?? "") !== "")
  return found === undefined
    ? { name: "in memory", layer: RedisService.layerMemory, isShared: false }
    : { name: found[1], layer: found[2], isShared: true }
}
