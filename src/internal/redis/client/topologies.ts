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
 * Where programs that only read are run.
 *
 * **Details**
 *
 * - `"primary"`: where writes are. A read sees every write that succeeded before it.
 * - `"replica"`: at a replica, or at the primary if none is connected. A read may see the state of a moment ago, also after the
 *   caller's own write, and two reads in a row may see an older state after a newer one.
 * - `"nearest"`: at the server that answers fastest, a replica or the primary; else as `"replica"`.
 *
 * A program that writes, also if it only guards a write, always runs on the primary.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export type Reads = "primary" | "replica" | "nearest"

/**
 * The options of a layer over a cluster.
 *
 * @stability unstable
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
  /** Where programs that only read are run. Default: `"primary"`. The others need servers that allow calls by node. */
  readonly reads?: Reads | undefined
}

/**
 * The options of a layer over the primary that Sentinels name.
 *
 * @stability unstable
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
  /** Where programs that only read are run. Default: `"primary"`. */
  readonly reads?: Reads | undefined
}

const reads = oneOf("primary", "replica", "nearest")

/** @internal */
export const clusterChecks: { readonly [Name in keyof Required<ClusterOptions>]: Check } = {
  ...sharedChecks,
  nodes: addresses,
  addressMap: check("a function", (value) => typeof value === "function"),
  batchBy: oneOf("node", "slot"),
  reads
}

/** @internal */
export const sentinelChecks: { readonly [Name in keyof Required<SentinelOptions>]: Check } = {
  ...sharedChecks,
  sentinels: addresses,
  name: text,
  db: database,
  sentinelUsername: text,
  sentinelPassword: secret,
  sentinelTls: sharedChecks.tls,
  reads
}
