/**
 * How every ioredis client of the library is set up, and what its errors mean. A file for each kind of connection (`standalone.ts`)
 * builds on it, and exports `acquire` and `transport`.
 */
import type { Redis, RedisOptions } from "ioredis"
import type { Socket } from "node:net"

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
  // the option `silence` of a layer
  socketTimeout: 2500,
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

interface Handle {
  readonly writeQueueSize?: number
}

/** The parts of a client that ioredis uses to notice a silent server, and of a socket. They are missing in their types. */
interface SilenceDetection {
  readonly stream: Socket & { readonly _handle?: Handle & { readonly _parent?: Handle } | null }
  readonly commandQueue: { readonly length: number }
  socketTimeoutTimer: NodeJS.Timeout | undefined
  setSocketTimeout: () => void
}

/** How often a socket is looked at until the server counts as silent. */
const looks = 8

/**
 * Replaces the client's way to notice a silent server: a connection is dropped if replies are awaited on it, and for `socketTimeout`
 * it has brought no byte, and has taken none of those that wait to be sent. New commands are no sign of life, because the
 * operating system takes them for a server that is gone. Looks are counted instead of time, and each looks after the sockets were
 * read, because a process that was busy would mistake its own silence for the server's. After each look without a sign of life the
 * client emits "silent".
 *
 * @internal
 */
export const detectSilence = (client: Redis): void => {
  const self = client as unknown as SilenceDetection
  self.setSocketTimeout = () => {
    const { stream } = self
    const millis = client.options.socketTimeout! / looks
    let read = stream.bytesRead
    let sent = 0
    /** The number of looks, without an interruption, at which bytes waited to be sent. */
    let waited = 0
    /** The number of looks without a sign of life. Below 0: so many more are allowed. */
    let silent = 0
    const wait = () => {
      const { bytesWritten, writableLength } = stream
      // Bytes wait while the buffer of the operating system is full, and leave only if the server takes others out of it. Over TLS
      // the parent has them.
      const queue = (stream._handle?._parent ?? stream._handle)?.writeQueueSize
      if ((queue ?? writableLength) > 0) waited++
      else if (waited > 0) {
        // what the buffer still holds takes about as long again
        silent = -Math.min(waited, 2 * looks)
        waited = 0
      }
      const sentBefore = sent
      sent = bytesWritten - writableLength - (queue ?? 0)
      if (waited > 1 && sent !== sentBefore) silent = Math.min(silent, 0)
      self.socketTimeoutTimer = setTimeout(() => setImmediate(look), millis)
    }
    const look = () => {
      // closed meanwhile, or used by a later connection
      if (self.socketTimeoutTimer === undefined || self.stream !== stream) return
      self.socketTimeoutTimer = undefined
      if (self.commandQueue.length === 0) return
      silent = stream.bytesRead === read ? silent + 1 : Math.min(silent, 0)
      read = stream.bytesRead
      wait()
      if (silent > 0) client.emit("silent")
      if (silent >= looks) stream.destroy(Object.assign(new Error("The server is silent"), { code: "ETIMEDOUT" }))
    }
    wait()
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
