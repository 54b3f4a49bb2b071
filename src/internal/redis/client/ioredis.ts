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
  retryStrategy: (times) => Math.min(1000, 20 * 2 ** Math.min(times, 6)) * (0.5 + Math.random() / 2),
  // integers beyond 2^53 would lose digits
  stringNumbers: true,
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
  // `silence` of a layer
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
 * read, because a process that was busy would mistake its own silence for the server's.
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
      // over TLS the parent has the bytes; they wait while the buffer of the operating system is full, and leave only if the server takes others out of it
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
      if (silent >= looks) stream.destroy(new Error("The server is silent"))
    }
    wait()
  }
}
