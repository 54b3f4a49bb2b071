/**
 * The words of a cluster about its slots: the reply of `CLUSTER SLOTS`, and redirections.
 */

/**
 * Where a node is.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface NodeAddress {
  readonly host: string
  readonly port: number
}

/** The slots from `start` to `end`, their primary and its replicas. */
interface SlotRange {
  readonly start: number
  readonly end: number
  readonly address: NodeAddress
  readonly replicas: ReadonlyArray<NodeAddress>
}

const isSlot = (value: unknown): value is number =>
  Number.isInteger(value) && Number(value) >= 0 && Number(value) < 16_384

/** A node that does not know its own address, or its name, announces none: it is reached as the one that was asked. */
const addressOf = (host: unknown, port: unknown, asked: NodeAddress): NodeAddress | undefined => {
  const number = Number(port)
  if (!Number.isInteger(number) || number < 1 || number > 65_535) return undefined
  return { host: typeof host === "string" && host !== "" && host !== "?" ? host : asked.host, port: number }
}

/**
 * Reads the reply of `CLUSTER SLOTS`. Undefined if it is something else, or names no node.
 *
 * @param asked the node that has replied
 * @internal
 */
export const parseSlots = (reply: unknown, asked: NodeAddress): ReadonlyArray<SlotRange> | undefined => {
  if (!Array.isArray(reply) || reply.length === 0) return undefined
  const ranges: Array<SlotRange> = []
  for (const row of reply) {
    if (!Array.isArray(row) || !Array.isArray(row[2])) return undefined
    const start = Number(row[0])
    const end = Number(row[1])
    const address = addressOf(row[2][0], row[2][1], asked)
    if (!isSlot(start) || !isSlot(end) || start > end || address === undefined) return undefined
    const replicas = row.slice(3).map((node) => Array.isArray(node) ? addressOf(node[0], node[1], asked) : undefined)
    ranges.push({ start, end, address, replicas: replicas.filter((replica) => replica !== undefined) })
  }
  return ranges
}

/** Where a server sends the caller. */
interface Redirection {
  /** Whether the slot has moved for good; otherwise this one call shall go there. */
  readonly isMoved: boolean
  readonly slot: number
  readonly address: NodeAddress
}

/**
 * Reads `MOVED 3999 127.0.0.1:6381` or `ASK …`. Undefined if the message is another one.
 *
 * @param asked the node that has replied
 * @internal
 */
export const parseRedirection = (message: string, asked: NodeAddress): Redirection | undefined => {
  const [, kind, slot, host, port] = /^-?(MOVED|ASK) (\d{1,5}) \[?([^\s\]]*)\]?:(\d{1,5})$/.exec(message) ?? []
  const address = addressOf(host, port, asked)
  if (kind === undefined || !isSlot(Number(slot)) || address === undefined) return undefined
  return { isMoved: kind === "MOVED", slot: Number(slot), address }
}
