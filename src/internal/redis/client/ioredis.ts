/**
 * How every ioredis client of the library is set up, and what its errors mean. A file for each kind of connection (`standalone.ts`)
 * builds on it, and exports `acquire` and `transport`.
 */
import type { Redis, RedisOptions } from "ioredis"
import type { Duplex } from "node:stream"

/**
 * The settings that no option overrides: nothing is sent twice, and no command waits for ever.
 *
 * @internal
 */
export const settings: RedisOptions = {
  lazyConnect: true,
  // a command that was in flight when the connection broke fails; by default it would be sent, and applied, again
  maxRetriesPerRequest: 0,
  // nothing waits in the client, because a transport must report at once that it could not send
  enableOfflineQueue: false,
  enableAutoPipelining: false,
  // it asks for the role too: see `leaveReplicas`
  enableReadyCheck: true,
  socketTimeout: 1000,
  retryStrategy: (times) => Math.min(1000, 20 * 2 ** Math.min(times, 6)) * (0.5 + Math.random() / 2),
  replyMapping: "legacy",
  // `CLIENT SETINFO` is an error before Redis 7.2
  disableClientInfo: true
}

/**
 * The defaults that options override.
 *
 * @internal
 */
export const defaults: RedisOptions = {
  host: "127.0.0.1",
  connectTimeout: 2000,
  // a layer that closes has all its answers, so nothing is left to wait for; a client that reconnects would wait nevertheless
  disconnectTimeout: 1,
  // a server that loads its data estimates when it will be ready, and is often ready long before
  maxLoadingRetryTime: 200
}

/**
 * The messages with which ioredis reports that a command was not sent.
 *
 * @internal
 */
export const neverLeft =
  /Stream isn't writeable|Cluster isn't ready|None of startup nodes|Failed to refresh slots cache/

/**
 * The server's message without the arguments that it repeats, because they may be secrets.
 *
 * @internal
 */
export const withoutArguments = (message: string): string => message.replace(/, with args.*/s, "")

/** The parts of a client that ioredis uses to notice a silent server. They are missing in its types. */
interface SilenceDetection {
  readonly stream: Duplex
  readonly commandQueue: { readonly length: number }
  socketTimeoutTimer: NodeJS.Timeout | undefined
  setSocketTimeout: () => void
}

/**
 * Replaces `socketTimeout` by one that reads the socket first. Timers run before sockets are read, so a process that was busy would
 * mistake its own silence for the server's, and drop a connection on which the replies have arrived.
 *
 * @internal
 */
export const listenFirst = (client: Redis): void => {
  const self = client as unknown as SilenceDetection
  self.setSocketTimeout = () => {
    const { stream } = self
    let last: NodeJS.Immediate | undefined
    const timer = setTimeout(() => {
      last = setImmediate(() => stream.destroy(Object.assign(new Error("The server is silent"), { code: "ETIMEDOUT" })))
    }, settings.socketTimeout)
    self.socketTimeoutTimer = timer
    stream.once("data", () => {
      clearTimeout(timer)
      if (last !== undefined) clearImmediate(last)
      self.socketTimeoutTimer = undefined
      // ioredis has taken the replies, because its listener is older than this one
      if (self.commandQueue.length > 0) self.setSocketTimeout()
    })
  }
}

/** The parts of a client that know what a server is. They are missing in its types. */
interface RoleDetection {
  readonly connector: { check: (info: { readonly role?: string }) => boolean }
  handleReconnection: (error: Error, item: unknown) => void
}

/** Milliseconds after which a replica is no longer counted as one more in a row. */
const forgetMillis = 10_000

/**
 * Makes a client leave a server that is a replica, and connect again by name: when it connects, and when a command was refused
 * because of it. The replies to what it has sent before are still received. The client emits an error when it leaves.
 *
 * @returns whether the client is leaving, so that it must send nothing and believe no read
 * @internal
 */
export const leaveReplicas = (client: Redis, onLeave?: () => void): () => boolean => {
  const self = client as unknown as RoleDetection
  const { connector, handleReconnection } = self
  let isLeaving = false
  /** How many connections in a row led to a replica. */
  let replicas = 0
  let lastMillis = -Infinity
  const refuse = (message: string) => {
    const now = performance.now()
    replicas = now - lastMillis > forgetMillis ? 1 : replicas + 1
    lastMillis = now
    client.emit("error", Object.assign(new Error(message), { name: "ReplyError" }))
  }
  const check = connector.check.bind(connector)
  connector.check = (info) => {
    const isPrimary = info.role !== "slave"
    if (!isPrimary) refuse("READONLY The server is a replica")
    return check(info) && isPrimary
  }
  self.handleReconnection = (error, item) => {
    if (/^(?:READONLY|MASTERDOWN) /.test(error.message) && client.status === "ready" && !isLeaving) {
      isLeaving = true
      refuse(error.message)
      // its reply comes after all others
      client.time().catch(() => {}).finally(() => {
        if (isLeaving) client.disconnect(true)
      })
      onLeave?.()
    }
    handleReconnection.call(self, error, item)
  }
  client.on("close", () => {
    isLeaving = false
  })
  const { retryStrategy } = settings
  client.options.retryStrategy = (times) => retryStrategy!(Math.max(times, replicas))
  return () => isLeaving
}
