/**
 * Addresses of several nodes: of a cluster, or of Sentinels.
 */
import type * as Ioredis from "ioredis"
import type { Check } from "../../options.ts"
import { parseUrl, port } from "./options.ts"
import type { NodeAddress } from "./slotMap.ts"

/**
 * A node: its host and port; or a text `"host:port"`, `"host"`, or a URL as that of `layer`.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export type Address = string | { readonly host: string; readonly port?: number | undefined }

/**
 * Where nodes are, and the user and the encryption that their URLs name.
 *
 * @internal
 */
export interface Addresses {
  readonly nodes: ReadonlyArray<NodeAddress>
  readonly client: Ioredis.RedisOptions
}

const plain = /^(?:\[([0-9a-f:.]+)\]|([^\s:/@[\]]+))(?::(\d{1,5}))?$/i

/** Returns the node, or why it is refused. */
const parse = (address: Address, defaultPort: number): Ioredis.RedisOptions | string => {
  if (typeof address !== "string") return { host: address.host, port: address.port ?? defaultPort }
  if (address.includes("://")) return parseUrl(address)
  const [whole, ipv6, host, digits] = plain.exec(address) ?? []
  const found = { host: ipv6 ?? host, port: digits === undefined ? defaultPort : Number(digits) }
  return whole === undefined || port(found.port, "") !== undefined ? "expected host:port, or a URL" : found
}

/**
 * Reads addresses. Returns a text if one is refused, or if URLs do not agree about the user.
 *
 * @internal
 */
export const parseAddresses = (
  addresses: ReadonlyArray<Address>,
  defaultPort: number
): Addresses | string => {
  const nodes: Array<NodeAddress> = []
  let client: Ioredis.RedisOptions | undefined
  for (const [i, address] of addresses.entries()) {
    const found = parse(address, defaultPort)
    if (typeof found === "string") return `its element ${i}: ${found}`
    const { host, port, ...others } = found
    nodes.push({ host: host!, port: port! })
    if (typeof address !== "string" || !address.includes("://")) continue
    if (client !== undefined && JSON.stringify(client) !== JSON.stringify(others)) {
      return "its URLs must have the same user, password and parameters, because all nodes are of one deployment"
    }
    client = others
  }
  return { nodes, client: client ?? {} }
}

/** @internal */
export const addresses: Check = (value, option) =>
  Array.isArray(value) && value.length > 0 && value.every(isAddress)
    ? undefined
    : { option, issue: "expected an array of { host, port } or of texts such as \"host:port\", which is not empty" }

const isAddress = (value: unknown): boolean =>
  typeof value === "string" ||
  typeof value === "object" && value !== null && "host" in value && typeof value.host === "string" &&
    value.host !== "" && (!("port" in value) || value.port === undefined || port(value.port, "") === undefined)
