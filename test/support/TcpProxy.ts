/**
 * A TCP proxy that loses data by a plan.
 *
 * With it a test can tell the two ways of losing a command apart: a request that never reached the server, and a
 * request that did while its reply got lost.
 */
import { Data, Effect, type Scope } from "effect"
import * as Net from "node:net"

const host = "127.0.0.1"

/** More connections than these are closed at once: a client in a reconnection loop must not use up the machine. */
const maxConnections = 256

/** The bytes of held requests that are kept for each connection; beyond that the client is not read until the release. */
const maxHeldBytes = 1024 * 1024

const waitMillis = 5000

export class TcpProxyError extends Data.TaggedError("TcpProxyError")<{
  readonly message: string
  readonly cause?: unknown
}> {}

/** The traffic through the proxy since its start, over all connections. */
export interface Stats {
  /** Connections that are open now. */
  readonly connections: number
  /** Connections ever accepted. */
  readonly accepted: number
  /** Bytes that came from clients, whatever became of them. */
  readonly requestBytes: number
  /** Bytes of requests that were handed to the server. */
  readonly forwardedBytes: number
  /** Bytes of requests that are being held now. */
  readonly heldBytes: number
  /** Bytes that came from the server, whatever became of them. */
  readonly replyBytes: number
}

export interface TcpProxy {
  readonly url: string
  readonly host: string
  readonly port: number
  /** Destroys all connections, with whatever was held. New ones are accepted. */
  readonly cut: () => Effect.Effect<void>
  /** The same, by a reset: both sides see an error in place of an end. */
  readonly reset: () => Effect.Effect<void>
  /**
   * Destroys the next connection that has something to say, and loses it: a request before the server has it, or a reply
   * after the server has done what was asked. Once; `undefined` takes it back.
   */
  readonly cutOnNext: (what: "request" | "reply" | undefined) => Effect.Effect<void>
  /**
   * Cuts the next client that has a request, and hands that to the server so many milliseconds later. Once; `undefined` takes
   * it back.
   */
  readonly deliverLate: (millis: number | undefined) => Effect.Effect<void>
  /** Whether new connections are refused (by a closed port). Those that are open stay. */
  readonly refuse: (on: boolean) => Effect.Effect<void, TcpProxyError>
  /** Leads new connections to another server, as a name does that follows the primary. Those that are open stay. */
  readonly lead: (to: { readonly port: number }) => Effect.Effect<void>
  /** Whether replies are thrown away: the server has done what the client never hears of. */
  readonly swallowReplies: (on: boolean) => Effect.Effect<void>
  /** Whether requests are thrown away: the client has sent what the server never gets. */
  readonly swallowRequests: (on: boolean) => Effect.Effect<void>
  /**
   * Keeps requests back until `release` (or a `cut`, which loses them). They are delivered even when the client has closed
   * its connection meanwhile.
   */
  readonly holdRequests: () => Effect.Effect<void>
  /** Forwards what was held, in order, and everything after it. */
  readonly release: () => Effect.Effect<void>
  /** Whether everything is passed on byte by byte, each in a turn of the event loop of its own. */
  readonly slice: (on: boolean) => Effect.Effect<void>
  /** Whether nothing is read from either side: connections stay open, and the writers' buffers fill. */
  readonly stall: (on: boolean) => Effect.Effect<void>
  /** How many connections are open now. */
  readonly connections: Effect.Effect<number>
  readonly stats: Effect.Effect<Stats>
  /**
   * Waits until the condition holds, for five seconds at most. For instance, after `swallowReplies(true)` and a
   * command: `waitUntil((now) => now.replyBytes > before.replyBytes)` is when the server has run the command.
   */
  readonly waitUntil: (condition: (stats: Stats) => boolean) => Effect.Effect<void, TcpProxyError>
}

interface Pair {
  readonly client: Net.Socket
  readonly server: Net.Socket
  readonly toClient: Writer
  readonly toServer: Writer
  held: Array<Buffer>
  heldBytes: number
  /** The client has ended its side while its last requests were held. */
  ended: boolean
  /** The bytes that the server gets when the client has gone. */
  late: number
}

/** Writes to a socket, in whole chunks or byte by byte, in order. */
class Writer {
  readonly socket: Net.Socket
  private queue: Array<Buffer> = []
  private isEnding = false

  constructor(socket: Net.Socket) {
    this.socket = socket
  }

  /** False when the socket has enough for now. */
  write(chunk: Buffer, isSliced: boolean): boolean {
    if (!isSliced && this.queue.length === 0) return this.socket.write(chunk)
    this.queue.push(chunk)
    if (this.queue.length === 1) this.pump()
    return true
  }

  end() {
    if (this.queue.length === 0) this.socket.end()
    else this.isEnding = true
  }

  private pump() {
    const chunk = this.queue[0]!
    if (this.socket.destroyed) {
      this.queue = []
      return
    }
    this.socket.write(chunk.subarray(0, 1))
    if (chunk.length > 1) this.queue[0] = chunk.subarray(1)
    else this.queue.shift()
    if (this.queue.length > 0) setImmediate(() => this.pump())
    else if (this.isEnding) this.socket.end()
  }
}

class State {
  target: { readonly host: string; readonly port: number }
  readonly pairs = new Set<Pair>()
  readonly watchers = new Set<() => void>()
  listener: Net.Server | undefined
  holding = false
  slicing = false
  stalling = false
  cutOnNext: "request" | "reply" | undefined
  lateness: number | undefined
  swallowReplies = false
  swallowRequests = false
  accepted = 0
  requestBytes = 0
  forwardedBytes = 0
  replyBytes = 0

  constructor(target: { readonly host: string; readonly port: number }) {
    this.target = target
  }

  stats(): Stats {
    let heldBytes = 0
    for (const pair of this.pairs) {
      heldBytes += pair.heldBytes
    }
    return {
      connections: this.pairs.size,
      accepted: this.accepted,
      requestBytes: this.requestBytes,
      forwardedBytes: this.forwardedBytes,
      heldBytes,
      replyBytes: this.replyBytes
    }
  }

  changed() {
    for (const watcher of this.watchers) {
      watcher()
    }
  }

  resume(socket: Net.Socket) {
    if (!this.stalling) {
      socket.resume()
    }
  }

  stall(on: boolean) {
    this.stalling = on
    for (const { client, server } of this.pairs) {
      if (on) {
        client.pause()
        server.pause()
      } else {
        client.resume()
        server.resume()
      }
    }
  }

  /** True when this was what the connection was to be cut on. */
  cuts(pair: Pair, what: "request" | "reply"): boolean {
    if (this.cutOnNext !== what) {
      return false
    }
    this.cutOnNext = undefined
    pair.client.destroy()
    pair.server.destroy()
    this.changed()
    return true
  }

  /** True when this was what is delivered late. */
  isLate(pair: Pair, chunk: Buffer): boolean {
    const { lateness } = this
    if (lateness === undefined) return false
    this.lateness = undefined
    pair.late = chunk.length
    pair.client.destroy()
    setTimeout(() => {
      pair.late = 0
      if (pair.server.destroyed) return
      this.forward(pair, chunk)
      pair.toServer.end()
    }, lateness)
    return true
  }

  forward(pair: Pair, chunk: Buffer) {
    this.forwardedBytes += chunk.length
    if (!pair.toServer.write(chunk, this.slicing)) {
      pair.client.pause()
      pair.server.once("drain", () => this.resume(pair.client))
    }
  }

  accept(client: Net.Socket) {
    if (this.pairs.size >= maxConnections) {
      client.on("error", () => {})
      client.destroy()
      return
    }
    const server = Net.connect({ ...this.target, allowHalfOpen: true, noDelay: true })
    const pair: Pair = {
      client,
      server,
      toClient: new Writer(client),
      toServer: new Writer(server),
      held: [],
      heldBytes: 0,
      ended: false,
      late: 0
    }
    this.pairs.add(pair)
    this.accepted++
    client.setNoDelay(true)

    client.on("data", (chunk: Buffer) => {
      this.requestBytes += chunk.length
      if (pair.late > 0 || this.cuts(pair, "request") || this.isLate(pair, chunk)) {
        return
      }
      if (this.holding) {
        pair.held.push(chunk)
        pair.heldBytes += chunk.length
        if (pair.heldBytes >= maxHeldBytes) {
          client.pause()
        }
      } else if (!this.swallowRequests) {
        this.forward(pair, chunk)
      }
      this.changed()
    })
    client.on("end", () => {
      if (pair.heldBytes > 0) {
        pair.ended = true
      } else {
        pair.toServer.end()
      }
    })
    server.on("data", (chunk: Buffer) => {
      this.replyBytes += chunk.length
      if (this.cuts(pair, "reply")) {
        return
      }
      if (!this.swallowReplies && !pair.toClient.write(chunk, this.slicing)) {
        server.pause()
        client.once("drain", () => this.resume(server))
      }
      this.changed()
    })
    server.on("end", () => pair.toClient.end())

    // the reason does not matter: a connection that broke on one side is broken on the other side too
    client.on("error", () => {})
    server.on("error", () => {})
    const closed = (other: Net.Socket) => (hadError: boolean) => {
      if (hadError) {
        other.destroy()
      } else {
        other.end()
      }
      if (client.closed && server.closed) {
        pair.held = []
        pair.heldBytes = 0
        this.pairs.delete(pair)
      }
      this.changed()
    }
    const closeServer = closed(server)
    client.on("close", (hadError) => {
      if (pair.late === 0) closeServer(hadError)
    })
    server.on("close", closed(client))
    if (this.stalling) {
      client.pause()
      server.pause()
    }
    this.changed()
  }

  cut(isReset = false) {
    for (const pair of this.pairs) {
      pair.heldBytes = 0
      pair.held = []
      for (const socket of [pair.client, pair.server]) {
        if (isReset) {
          socket.resetAndDestroy()
        } else {
          socket.destroy()
        }
      }
    }
  }

  release() {
    this.holding = false
    for (const pair of this.pairs) {
      const { held } = pair
      pair.held = []
      pair.heldBytes = 0
      this.resume(pair.client)
      if (held.length > 0) {
        this.forward(pair, Buffer.concat(held))
      }
      if (pair.ended) {
        pair.toServer.end()
      }
    }
    this.changed()
  }

  listen(port: number): Effect.Effect<number, TcpProxyError> {
    return Effect.callback((resume) => {
      const listener = Net.createServer({ allowHalfOpen: true }, (client) => this.accept(client))
      listener.once(
        "error",
        (cause) => resume(Effect.fail(new TcpProxyError({ message: `no port to listen on: ${cause.message}`, cause })))
      )
      listener.listen(port, host, () => {
        this.listener = listener
        const address = listener.address()
        resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : port))
      })
    })
  }

  /** Closes the port; the connections stay. */
  unlisten() {
    this.listener?.close()
    this.listener = undefined
  }

  waitUntil(condition: (stats: Stats) => boolean): Effect.Effect<void, TcpProxyError> {
    return Effect.callback((resume) => {
      const stop = () => {
        clearTimeout(timer)
        this.watchers.delete(watcher)
      }
      const watcher = () => {
        if (condition(this.stats())) {
          stop()
          resume(Effect.void)
        }
      }
      const timer = setTimeout(() => {
        stop()
        resume(Effect.fail(
          new TcpProxyError({
            message: `the condition did not come true within ${waitMillis} ms: ${JSON.stringify(this.stats())}`
          })
        ))
      }, waitMillis)
      this.watchers.add(watcher)
      watcher()
      return Effect.sync(stop)
    })
  }
}

/** Listens on a free port of the loopback interface, in front of the given port, until the scope closes. */
export const make = Effect.fnUntraced(
  function*(
    target: { readonly port: number; readonly host?: string | undefined }
  ): Effect.fn.Return<TcpProxy, TcpProxyError, Scope.Scope> {
    const state = new State({ host: target.host ?? host, port: target.port })
    const port = yield* Effect.acquireRelease(
      state.listen(0),
      () =>
        Effect.sync(() => {
          state.unlisten()
          state.cut()
        })
    )
    const cut = (isReset: boolean) =>
      Effect.suspend(() => {
        // the connections of this moment, not those that clients make in answer to the cut
        const pairs = Array.from(state.pairs)
        state.cut(isReset)
        return Effect.orDie(state.waitUntil(() => pairs.every((pair) => !state.pairs.has(pair))))
      })
    return {
      url: `redis://${host}:${port}`,
      host,
      port,
      cut: () => cut(false),
      reset: () => cut(true),
      cutOnNext: (what) =>
        Effect.sync(() => {
          state.cutOnNext = what
        }),
      refuse: (on) =>
        Effect.suspend(() => {
          if (on) {
            return Effect.sync(() => state.unlisten())
          }
          return state.listener === undefined ? Effect.asVoid(state.listen(port)) : Effect.void
        }),
      deliverLate: (millis) =>
        Effect.sync(() => {
          state.lateness = millis
        }),
      lead: (to) =>
        Effect.sync(() => {
          state.target = { host, port: to.port }
        }),
      swallowReplies: (on) =>
        Effect.sync(() => {
          state.swallowReplies = on
        }),
      swallowRequests: (on) =>
        Effect.sync(() => {
          state.swallowRequests = on
        }),
      holdRequests: () =>
        Effect.sync(() => {
          state.holding = true
        }),
      release: () => Effect.sync(() => state.release()),
      slice: (on) =>
        Effect.sync(() => {
          state.slicing = on
        }),
      stall: (on) => Effect.sync(() => state.stall(on)),
      connections: Effect.sync(() => state.pairs.size),
      stats: Effect.sync(() => state.stats()),
      waitUntil: (condition) => state.waitUntil(condition)
    }
  }
)
