/**
 * The options of the layers over several servers.
 */
import type * as Redacted from "effect/Redacted"
import type * as Ioredis from "ioredis"
import { type Check, check, oneOf, text } from "../../options.ts"
import { type Address, addresses } from "./addresses.ts"
import { type ConnectionOptions, database, secret, sharedChecks } from "./options.ts"
import type { NodeAddress } from "./slotMap.ts"

/**
 * The options of a layer over a cluster.
 *
 * @category models
 * @since 0.1.0
 */
export interface ClusterOptions extends ConnectionOptions {
  /**
   * Some nodes of the cluster: the others are found through them. Give more than one, and names rather than addresses, because they
   * are resolved again when no node answers any more. Default port: 6379.
   */
  readonly nodes: ReadonlyArray<Address>
  /**
   * The address at which a node is reached, for the one that the cluster announces. Use it if there is a translation of addresses
   * in between. Default: the same one.
   */
  readonly addressMap?: ((announced: NodeAddress) => NodeAddress) | undefined
  /**
   * Whether the programs of one turn of the event loop travel in one call for each node, or for each slot. Default: `"node"` if the
   * servers allow it, which is tried when the layer starts. Those behind a proxy do not, and the layer goes by slot.
   */
  readonly batchBy?: "node" | "slot" | undefined
}

/**
 * The options of a layer over the primary that Sentinels name.
 *
 * @category models
 * @since 0.1.0
 */
export interface SentinelOptions extends ConnectionOptions {
  /** Some of the Sentinels: the others are found through them. Default port: 26379. */
  readonly sentinels: ReadonlyArray<Address>
  /** The name of the group of servers. Default: `"mymaster"`. */
  readonly name?: string | undefined
  /** The number of the database. Default: 0. */
  readonly db?: number | undefined
  /** The user of the Sentinels themselves. */
  readonly sentinelUsername?: string | undefined
  /** The password of the Sentinels themselves. */
  readonly sentinelPassword?: string | Redacted.Redacted | undefined
  /** The encryption of connections to the Sentinels. Default: `tls`. */
  readonly sentinelTls?: Ioredis.RedisOptions["tls"]
}

/** @internal */
export const clusterChecks: { readonly [Name in keyof Required<ClusterOptions>]: Check } = {
  ...sharedChecks,
  nodes: addresses,
  addressMap: check("a function", (value) => typeof value === "function"),
  batchBy: oneOf("node", "slot")
}

/** @internal */
export const sentinelChecks: { readonly [Name in keyof Required<SentinelOptions>]: Check } = {
  ...sharedChecks,
  sentinels: addresses,
  name: text,
  db: database,
  sentinelUsername: text,
  sentinelPassword: secret,
  sentinelTls: sharedChecks.tls
}
