/**
 * The subscriptions of a transport over node-redis: one connection for all channels, opened for the first and closed after the last.
 */
import * as Effect from "effect/Effect"
import { ErrorReply } from "redis"
import type { ChannelEvent, RedisTransport } from "../../../RedisTransport.ts"
import { withoutArguments } from "../client/ioredis.ts"
import { type Client, Connection, type ConnectionOptions } from "./nodeRedis.ts"

type Listener = (event: ChannelEvent) => void

interface Channel {
  readonly listeners: Set<Listener>
  readonly onMessage: (text: string) => void
  /** The client whose server has confirmed the subscription. */
  confirmed: Client | undefined
}

/** Milliseconds between pings, because a connection that only receives messages would not notice a silent server. */
const heartbeatMillis = 2000

/** Milliseconds between a refusal, for example by a busy server, and the next attempt to subscribe. */
const retryMillis = 100

const subscribed: ChannelEvent = { _tag: "Subscribed" }

const ignore = (): void => {}

/** @internal */
export interface Subscriber {
  readonly subscribe: NonNullable<RedisTransport["Service"]["subscribe"]>
  /** The connection, while there is a subscription. */
  readonly connection: () => Connection | undefined
}

const notify = (listeners: Iterable<Listener>, event: ChannelEvent): void => {
  for (const listener of Array.from(listeners)) listener(event)
}

/** @internal */
export const make = (options: ConnectionOptions): Subscriber => {
  const channels = new Map<string, Channel>()
  let connection: Connection | undefined
  let heartbeat: ReturnType<typeof setInterval> | undefined

  const open = (): Connection => {
    const opened: Connection = new Connection(
      options,
      () => {
        // one by one, because a channel that is denied would fail the others with it
        for (const [name, channel] of channels) subscribe(name, channel)
      },
      (message) => {
        for (const { listeners } of channels.values()) notify(listeners, { _tag: "Refused", message })
      }
    )
    heartbeat = setInterval(() => {
      if (opened.current !== undefined) opened.send(["PING"]).catch(ignore)
    }, heartbeatMillis)
    opened.open()
    return opened
  }

  const confirm = (channel: Channel, client: Client | undefined): void => {
    if (client === undefined || channel.confirmed === client) return
    channel.confirmed = client
    notify(channel.listeners, subscribed)
  }

  const subscribe = (name: string, channel: Channel): void => {
    const client = connection?.current
    if (connection === undefined || client === undefined) return
    const isPresent = () => connection?.current === client && channels.get(name) === channel
    connection.expect(client.subscribe(name, channel.onMessage)).then(
      () => {
        if (isPresent()) confirm(channel, client)
      },
      (error: unknown) => {
        // otherwise the connection broke: the next one subscribes
        if (!(error instanceof ErrorReply) || !isPresent()) return
        notify(channel.listeners, { _tag: "Refused", message: withoutArguments(error.message) })
        setTimeout(() => {
          if (isPresent()) subscribe(name, channel)
        }, retryMillis)
      }
    )
  }

  /** Asks for a reply although the channel is subscribed, because only a reply proves that the connection still works. */
  const join = (name: string, channel: Channel, listener: Listener): void => {
    const client = connection?.current
    if (connection === undefined || client === undefined || channel.confirmed !== client) return
    connection.send(["PING"]).then(() => {
      const isPresent = connection?.current === client && channels.get(name) === channel
      if (isPresent && channel.listeners.has(listener)) listener(subscribed)
    }, ignore)
  }

  const add = (name: string, listener: Listener): void => {
    const known = channels.get(name)
    if (known !== undefined) {
      known.listeners.add(listener)
      return join(name, known, listener)
    }
    const channel: Channel = {
      listeners: new Set([listener]),
      confirmed: undefined,
      onMessage: (text) => {
        // messages may arrive together with the confirmation, and are handed out before its promise is
        confirm(channel, connection?.current)
        notify(channel.listeners, { _tag: "Message", text })
      }
    }
    channels.set(name, channel)
    if (connection === undefined) connection = open()
    else subscribe(name, channel)
  }

  const remove = (name: string, listener: Listener): void => {
    const channel = channels.get(name)
    if (channel === undefined || !channel.listeners.delete(listener) || channel.listeners.size > 0) return
    channels.delete(name)
    if (channels.size === 0) {
      clearInterval(heartbeat)
      connection?.close()
      connection = undefined
    } else {
      const client = connection?.current
      if (client !== undefined) connection!.expect(client.unsubscribe(name, channel.onMessage)).catch(ignore)
    }
  }

  return {
    connection: () => connection,
    subscribe: (name, listener) =>
      Effect.asVoid(Effect.acquireRelease(
        Effect.sync(() => {
          // a new function, because the same listener may be passed twice
          const own: Listener = (event) => listener(event)
          add(name, own)
          return own
        }),
        (own) => Effect.sync(() => remove(name, own))
      ))
  }
}
