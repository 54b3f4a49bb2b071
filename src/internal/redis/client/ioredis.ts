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
  socketTimeout: 1000,
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
