/**
 * The transport over a cluster: a connection to each primary, and the map of slots. It follows `MOVED` and `ASK`, by which nothing
 * has run. The cluster client of ioredis is not used: it repeats commands by itself, and each refresh of its map opens a connection.
 *
 * The map is asked for again when something contradicts it (a redirection, a lost connection, a replica that refuses), never
 * more often than `floorMillis`, and else about every `periodMillis`. A scan asks for it when it begins, because a node of which
 * nothing has told yet would be left out. If no node is connected, those that were given at first are
 * tried again by their names, because all nodes may have new addresses.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import { Command, type Redis, type RedisOptions } from "ioredis"
import {
  type Call,
  type ClusterNodes,
  type PageReply,
  type RedisTransport,
  type ServerReply,
  TransportError
} from "../../../RedisTransport.ts"
import { slotOf } from "../../instruction/slot.ts"
import { type Connection, connection, make } from "./connection.ts"
import { settings, withoutArguments } from "./ioredis.ts"
import { Pace, readerAmong, turned } from "./nearest.ts"
import { formatPlace, parsePlace, type ScanPlace, type Slots } from "./scanPlace.ts"
import { type NodeAddress, parseRedirection, parseSlots } from "./slotMap.ts"
import * as Subscriber from "./subscriber.ts"
import type { Reads } from "./topologies.ts"

/** @internal */
export interface ClusterTransportOptions {
  /** At least one. */
  readonly nodes: ReadonlyArray<NodeAddress>
  readonly client: RedisOptions
  /** The address at which a node is reached, for the one that the cluster announces. */
  readonly addressMap?: ((announced: NodeAddress) => NodeAddress) | undefined
  /** Where programs that only read are run. Default: `"primary"`. */
  readonly reads?: Reads | undefined
}

/** The shortest time between two questions for the map, because all processes ask at once when a node fails. */
const floorMillis = 200

/** About how long a map counts without any doubt. */
const periodMillis = 30_000

/** How long a node may take to tell its map. */
const answerMillis = 2000

/** How often a call is redirected before it is tried again later. */
const redirections = 5

/** How long a node that has left the cluster may take to answer what it was sent. */
const retireMillis = 5000

/** After so long a reply may come from a node that has been replaced meanwhile. Clusters do not replace a node sooner. */
const slowMillis = 400

/** How long a node that was silent, or slow, is not asked for the map if there is another one. */
const doubtMillis = 1000

class Node {
  readonly name: string
  readonly address: NodeAddress
  readonly client: Redis
  readonly connection: Connection
  readonly pace: Pace
  isRetired = false
  private doubtedUntil = -Infinity

  constructor(
    address: NodeAddress,
    options: RedisOptions,
    reads: Reads,
    onEvent: (node: Node) => void,
    onSilence: (node: Node) => void
  ) {
    this.name = nameOf(address)
    this.address = address
    // any node may become a replica, which refuses to be read from unless `READONLY` came first
    this.client = make({ ...options, ...address, readOnly: reads !== "primary" })
    this.connection = connection(this.client)
    this.pace = new Pace(this.client, reads === "nearest")
    for (const event of ["ready", "error", "close"]) this.client.on(event, () => onEvent(this))
    this.client.on("silent", () => onSilence(this))
    this.client.connect().catch(() => {})
  }

  /** Takes it for a node that may have been replaced without knowing it. */
  doubt(): void {
    this.doubtedUntil = performance.now() + doubtMillis
  }

  isDoubted(): boolean {
    return performance.now() < this.doubtedUntil
  }
}

const nameOf = ({ host, port }: NodeAddress): string => `${host.includes(":") ? `[${host}]` : host}:${port}`

/** @internal */
export const transport = (
  options: ClusterTransportOptions
): Effect.Effect<RedisTransport["Service"], never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(Effect.sync(() => new Cluster(options)), (cluster) => Effect.sync(() => cluster.close())),
    (cluster) => cluster.service
  )

class Cluster {
  private readonly options: ClusterTransportOptions
  private readonly nodes = new Map<string, Node>()
  /** The primary of each slot. */
  private owners: Array<Node | undefined> = []
  private primaries: ReadonlyArray<Node> = []
  /** The replicas of each primary, in the order in which they are read from. Empty, if reads go to primaries. */
  private replicas = new Map<Node, ReadonlyArray<Node>>()
  private readonly waiting = new Set<(node: Node | undefined) => void>()

  /** The question that has no answer yet. */
  private asked: { readonly node: Node; readonly end: (reply: unknown) => void } | undefined
  private isDoubted = false
  private askedAt = -Infinity
  private timer: ReturnType<typeof setTimeout> | undefined
  /** Those that wait for a map that is asked for after they came. */
  private readonly askers = new Set<() => void>()
  /** The last refusal to tell the map, until there is one. */
  private refusal: Exit.Exit<never, TransportError> | undefined
  private isClosed = false

  constructor(options: ClusterTransportOptions) {
    this.options = options
    this.openSeeds()
  }

  close(): void {
    this.isClosed = true
    clearTimeout(this.timer)
    for (const { client } of this.nodes.values()) client.disconnect()
    this.nodes.clear()
  }

  // -------------------------------------------------------------------------------------------------------------------
  // nodes
  // -------------------------------------------------------------------------------------------------------------------

  private open(address: NodeAddress): Node {
    const name = nameOf(address)
    const known = this.nodes.get(name)
    if (known !== undefined && !known.isRetired) return known
    const node = new Node(address, this.options.client, this.reads, this.onEvent, this.onSilence)
    this.nodes.set(name, node)
    return node
  }

  private openAnnounced(address: NodeAddress): Node {
    return this.open(this.options.addressMap?.(address) ?? address)
  }

  private openSeeds(): void {
    for (const address of this.options.nodes) this.open(address)
  }

  /** Closes a node that is not part of the cluster any more, when it has answered what it was sent. */
  private retire(node: Node): void {
    if (node.isRetired) return
    node.isRetired = true
    if (this.nodes.get(node.name) === node) this.nodes.delete(node.name)
    const until = performance.now() + retireMillis
    const wait = (): void => {
      const { length } = (node.client as unknown as { readonly commandQueue: { readonly length: number } }).commandQueue
      if (length === 0 || performance.now() > until || this.isClosed) return node.client.disconnect()
      setTimeout(wait, 20)
    }
    wait()
  }

  private readonly onEvent = (node: Node): void => {
    if (this.isClosed || node.isRetired) return
    if (!node.connection.isReady()) {
      this.suspect()
      if (!this.isAnyReady()) this.openSeeds()
    } else if (!this.isMember(node)) this.suspect()
    this.notify(node)
  }

  /** Nothing else may tell that a node which hangs has been replaced. */
  private readonly onSilence = (node: Node): void => {
    node.doubt()
    if (node.isRetired) return node.client.disconnect()
    if (this.asked?.node === node) this.asked.end(undefined)
    this.suspect()
  }

  /** A replica that has just started is not in the map yet, and no event tells when it is. */
  private get period(): number {
    const isWithout = this.reads !== "primary" && this.primaries.some((node) => this.replicas.get(node)?.length === 0)
    return isWithout ? periodMillis / 6 : periodMillis
  }

  private get reads(): Reads {
    return this.options.reads ?? "primary"
  }

  private isMember(node: Node): boolean {
    if (this.primaries.includes(node)) return true
    for (const replicas of this.replicas.values()) if (replicas.includes(node)) return true
    return false
  }

  /** Tells those that wait for a connection that one is there, or has failed. */
  private notify(node?: Node): void {
    for (const check of Array.from(this.waiting)) check(node)
  }

  private isAnyReady(): boolean {
    for (const { connection } of this.nodes.values()) if (connection.isReady()) return true
    return false
  }

  // -------------------------------------------------------------------------------------------------------------------
  // the map of slots
  // -------------------------------------------------------------------------------------------------------------------

  readonly suspect = (): void => {
    this.isDoubted = true
    if (this.isClosed || this.asked !== undefined) return
    const pause = this.askedAt + floorMillis * (0.75 + Math.random() / 2) - performance.now()
    clearTimeout(this.timer)
    if (pause <= 0) this.ask()
    else this.timer = setTimeout(() => this.ask(), pause)
  }

  private ask(): void {
    if (this.isClosed || this.asked !== undefined) return
    const node = this.informant()
    // the next connection asks
    if (node === undefined) return
    clearTimeout(this.timer)
    this.isDoubted = false
    this.askedAt = performance.now()
    const askers = Array.from(this.askers)
    const end = (reply: unknown): void => {
      clearTimeout(late)
      if (this.asked !== asked || this.isClosed) return
      this.asked = undefined
      const isKnown = this.learn(node, reply)
      if (isKnown) { for (const resume of askers) resume() }
      if (isKnown && this.askers.size > 0) this.ask()
      else if (this.isDoubted || !isKnown) this.suspect()
      else this.timer = setTimeout(() => this.ask(), this.period * (0.5 + Math.random()))
    }
    const late = setTimeout(() => end(undefined), answerMillis)
    const asked = this.asked = { node, end }
    const answer = node.client.sendCommand(new Command("CLUSTER", ["SLOTS"], { replyEncoding: "utf8" }))
    Promise.resolve(answer).then(end, (error: Error) => {
      if (error.name === "ReplyError") {
        this.refusal = Exit.fail(
          new TransportError({ outcome: "NotSent", refusal: withoutArguments(error.message) })
        )
      }
      end(undefined)
      this.notify()
    })
  }

  /** Any connected node, and a doubted one only if there is no other. */
  private informant(): Node | undefined {
    const ready = [...this.nodes.values()].filter(({ connection }) => connection.isReady())
    const trusted = ready.filter((node) => !node.isDoubted())
    const nodes = trusted.length > 0 ? trusted : ready
    return nodes[Math.floor(Math.random() * nodes.length)]
  }

  /** Ends when the map is known as it is from now on. */
  private readonly learned: Effect.Effect<void, TransportError> = Effect.callback((resume) => {
    if (!this.isAnyReady()) return resume(this.failure(undefined))
    const end = (): void => {
      this.askers.delete(end)
      resume(Exit.void)
    }
    this.askers.add(end)
    this.ask()
    return Effect.sync(() => this.askers.delete(end))
  })

  /** Returns whether the reply is a map of slots. */
  private learn(from: Node, reply: unknown): boolean {
    const ranges = parseSlots(reply, from.address)
    if (ranges === undefined) return false
    const owners: Array<Node | undefined> = Array.from({ length: 16_384 })
    const primaries = new Set(ranges.map(({ address }) => nameOf(this.options.addressMap?.(address) ?? address)))
    // one that is a replica from now on must not answer for what it was sent as a primary
    for (const node of this.primaries) if (!primaries.has(node.name)) this.retire(node)
    const found = new Map<Node, ReadonlyArray<Node>>()
    for (const { address, end, replicas, start } of ranges) {
      const node = this.openAnnounced(address)
      owners.fill(node, start, end + 1)
      if (found.has(node)) continue
      const others = this.reads === "primary" ? [] : replicas.map((replica) => this.openAnnounced(replica))
      const known = this.replicas.get(node) ?? []
      // those that were read from are read from again
      found.set(node, [
        ...known.filter((one) => others.includes(one)),
        ...turned(others.filter((one) => !known.includes(one)))
      ])
    }
    this.owners = owners
    this.primaries = [...found.keys()]
    this.replicas = found
    this.refusal = undefined
    for (const node of this.nodes.values()) if (!this.isMember(node)) this.retire(node)
    this.notify()
    return true
  }

  /** The node that a call is for. A call without a key is for any. */
  private routeOf({ keys, node }: Pick<Call, "keys" | "node">): Node | undefined {
    if (node !== undefined) return this.nodes.get(node)
    if (keys.length > 0) return this.owners[slotOf(keys[0]!)]
    return this.primaries.find(({ connection }) => connection.isReady()) ?? this.primaries[0]
  }

  // -------------------------------------------------------------------------------------------------------------------
  // the transport
  // -------------------------------------------------------------------------------------------------------------------

  /** Why nothing can be sent to the node of a call. */
  private failure(node: Node | undefined): Exit.Exit<never, TransportError> {
    const any = node ?? this.nodes.values().next().value
    if (node === undefined && this.isAnyReady()) return this.refusal ?? noNode
    return any === undefined ? noNode : any.connection.failure()
  }

  private readonly ready = (call: Pick<Call, "keys" | "node">): Effect.Effect<void, TransportError> =>
    Effect.callback((resume) => {
      const check = (changed: Node | undefined): void => {
        const node = this.routeOf(call)
        if (node?.connection.isReady() === true) end(Exit.void)
        else if (node === undefined && this.refusal !== undefined) end(this.refusal)
        else if (changed !== undefined && (changed === node || node === undefined) && !changed.connection.isReady()) {
          end(changed.connection.failure())
        }
      }
      const end = (exit: Exit.Exit<void, TransportError>): void => {
        this.waiting.delete(check)
        resume(exit)
      }
      this.waiting.add(check)
      check(undefined)
      return Effect.sync(() => this.waiting.delete(check))
    })

  private readonly evaluate = (call: Call, left = redirections): Effect.Effect<ServerReply, TransportError> =>
    Effect.suspend(() => {
      const node = this.routeOf(call)
      if (node === undefined) {
        this.suspect()
        return this.failure(node)
      }
      const sentAt = performance.now()
      return Effect.matchEffect(node.connection.evaluate(call), {
        onFailure: (error) => {
          this.suspect()
          return Effect.fail(error)
        },
        onSuccess: (reply) =>
          reply._tag === "Error"
            ? this.redirect(call, node, reply, left)
            : performance.now() - sentAt < slowMillis
            ? Effect.succeed(reply)
            : this.confirmed(node, reply)
      })
    })

  /**
   * Looks whether the node that took long is still part of the cluster. A primary that was frozen, or cut off, runs what it finds in its
   * sockets before it learns that it has been replaced, and then drops it.
   */
  private confirmed(node: Node, reply: ServerReply): Effect.Effect<ServerReply, TransportError> {
    node.doubt()
    return Effect.matchEffect(Effect.timeoutOption(this.learned, answerMillis), {
      onFailure: () => Effect.succeed(reply),
      onSuccess: () => node.isRetired ? Effect.fail(new TransportError({ outcome: "Unknown" })) : Effect.succeed(reply)
    })
  }

  /** Follows a redirection: the server has run nothing. */
  private redirect(
    call: Call,
    from: Node,
    reply: Extract<ServerReply, { readonly _tag: "Error" }>,
    left: number
  ): Effect.Effect<ServerReply, TransportError> {
    const found = parseRedirection(reply.message, from.address)
    if (found === undefined) {
      if (call.node !== undefined && !this.primaries.includes(from)) from.pace.note(reply)
      if (/^-?(?:CLUSTERDOWN|READONLY|MASTERDOWN) /.test(reply.message)) this.suspect()
      return Effect.succeed(reply)
    }
    const { address, isMoved, slot } = found
    const node = this.openAnnounced(address)
    if (!isMoved) {
      return node.connection.isReady() ? node.connection.evaluate(call, true) : Effect.succeed(reply)
    }
    this.owners[slot] = node
    this.suspect()
    if (left === 0) return Effect.succeed({ _tag: "Error", message: "CLUSTERDOWN Too many redirections" })
    return this.evaluate(call, left - 1)
  }

  /** Scans one node after the other, until each slot was on one of them. So it leaves nothing out if a node is replaced meanwhile. */
  private readonly scan = (page: Parameters<Connection["scan"]>[0]): Effect.Effect<PageReply, TransportError> =>
    Effect.suspend(() => {
      const place = parsePlace(page.cursor)
      const scan = Effect.suspend(() => this.scanAt(page, place))
      return place.node === undefined ? Effect.andThen(this.learned, scan) : scan
    })

  private scanAt(
    page: Parameters<Connection["scan"]>[0],
    { cursor, done, node: name }: ScanPlace
  ): Effect.Effect<PageReply, TransportError> {
    const known = this.owners.find((owner) => owner?.name === name)
    const node = known ?? this.nextOf(done)
    if (node === undefined) return done.isEmpty ? this.failure(node) : Effect.succeed(noKeys)
    const isOwn = (slot: number) => this.owners[slot] === node
    return Effect.map(node.connection.scan({ ...page, cursor: known === undefined ? "0" : cursor }), (reply) => {
      if (reply._tag === "Error") return reply
      // a node that was scanned before has got another slot since; keys of a slot that is moving may be on two nodes
      const isNew = (key: string) => {
        const slot = slotOf(key)
        return !done.has(slot) || !isOwn(slot)
      }
      const keys = done.isEmpty ? reply.keys : reply.keys.filter(isNew)
      if (reply.cursor !== "0") {
        return { ...reply, keys, cursor: formatPlace({ cursor: reply.cursor, node: node.name, done }) }
      }
      const all = done.or(isOwn)
      const next = this.nextOf(all)
      return {
        ...reply,
        keys,
        cursor: next === undefined ? "0" : formatPlace({ cursor: "0", node: next.name, done: all })
      }
    })
  }

  /** The first node, by name, with a slot that is not done. */
  private nextOf(done: Slots): Node | undefined {
    let next: Node | undefined
    for (const [slot, node] of this.owners.entries()) {
      if (node !== undefined && !done.has(slot) && (next === undefined || node.name < next.name)) next = node
    }
    return next
  }

  private get readerOf(): ((slot: number) => string | undefined) | undefined {
    const { reads } = this
    if (reads === "primary") return undefined
    return (slot) => {
      const primary = this.owners[slot]
      return primary && readerAmong(reads, this.replicas.get(primary) ?? [], primary)?.name
    }
  }

  private readonly cluster: ClusterNodes = {
    of: (slot) => {
      const node = this.owners[slot]
      return node?.connection.isReady() === true ? node.name : undefined
    },
    ready: this.ready,
    suspect: this.suspect
  }

  /** One connection to any primary: messages reach all nodes. Each attempt to connect takes another one. */
  private makeSubscriber(): Redis {
    const next = (): NodeAddress => {
      const primaries = this.primaries.filter(({ connection }) => connection.isReady())
      return primaries[Math.floor(Math.random() * primaries.length)]?.address ?? this.options.nodes[0]!
    }
    const subscriber = make({ ...this.options.client, ...next(), autoResubscribe: false })
    subscriber.options.retryStrategy = (times) => {
      Object.assign(subscriber.options, next())
      return settings.retryStrategy!(times)
    }
    return subscriber
  }

  get service(): RedisTransport["Service"] {
    return {
      evaluate: this.evaluate,
      ready: this.ready({ keys: [] }),
      subscribe: Subscriber.make(() => this.makeSubscriber()),
      scan: this.scan,
      waitsForReplicas: true,
      readerOf: this.readerOf,
      cluster: this.cluster
    }
  }
}

const noKeys: PageReply = { _tag: "Page", cursor: "0", keys: [] }

const noNode = Exit.fail(new TransportError({ outcome: "NotSent", code: "CLUSTERDOWN" }))
