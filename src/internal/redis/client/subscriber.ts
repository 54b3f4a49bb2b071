/**
 * The subscriptions of a transport over ioredis: one connection for all channels, opened for the first and closed after the last.
 * It reconnects, and reports to its listeners; it has no deadline.
 */
import * as Effect from "effect/Effect"
import { Command, type Redis } from "ioredis"
import type { ChannelEvent, RedisTransport } from "../../../RedisTransport.ts"
import { isForgiven } from "./credentials.ts"
import { withoutArguments } from "./ioredis.ts"

type Listener = (event: ChannelEvent) => void

/** Milliseconds between pings, because a connection that only receives messages would not notice a silent server. */
const heartbeatMillis = 2000

/** Milliseconds between a refusal, for example by a busy server, and the next attempt to subscribe. */
const retryMillis = 100

const subscribed: ChannelEvent = { _tag: "Subscribed" }

const ignore = (): void => {}

const notify = (listeners: Iterable<Listener>, event: ChannelEvent): void => {
  for (const listener of listeners) listener(event)
}

/**
 * @param make makes a client that is not connected yet, and does not subscribe again by itself
 * @internal
 */
export const make = (make: () => Redis): NonNullable<RedisTransport["Service"]["subscribe"]> => {
  const channels = new Map<string, Set<Listener>>()
  let client: Redis | undefined
  let heartbeat: ReturnType<typeof setInterval> | undefined
  /** The number of connections so far. A reply that belongs to an earlier connection is ignored. */
  let connection = 0

  const open = (): Redis => {
    const opened = make()
    opened.on("ready", () => {
      if (opened !== client) return
      connection++
      // one by one, because a channel that is denied would fail the others with it
      for (const [channel, listeners] of channels) subscribe(opened, channel, [...listeners])
    })
    opened.on("message", (channel: string, text: string) => {
      if (opened === client) notify(channels.get(channel) ?? [], { _tag: "Message", text })
    })
    // without a listener ioredis writes its errors, which hold passwords, to the console
    opened.on("error", (error: Error) => {
      if (opened !== client || error.name !== "ReplyError" || isForgiven(opened, error.message)) return
      const refused: ChannelEvent = { _tag: "Refused", message: withoutArguments(error.message) }
      for (const listeners of channels.values()) notify(listeners, refused)
    })
    heartbeat = setInterval(() => {
      // while a reply is awaited, a silent server is noticed
      if (opened.status === "ready") opened.ping().catch(ignore)
    }, heartbeatMillis)
    opened.connect().catch(ignore)
    return opened
  }

  const close = (): void => {
    clearInterval(heartbeat)
    client?.disconnect()
    client = undefined
  }

  const subscribe = (to: Redis, channel: string, listeners: ReadonlyArray<Listener>): void => {
    const during = connection
    /** The listeners that still wait for this confirmation. */
    const present = (): ReadonlyArray<Listener> => {
      const current = channels.get(channel)
      return to !== client || during !== connection || current === undefined
        ? []
        : listeners.filter((listener) => current.has(listener))
    }
    const command = new Command("subscribe", [channel])
    const resolve = command.resolve
    // called when the reply is read, because a promise would resolve after messages that arrived together with the reply
    command.resolve = (reply: unknown) => {
      resolve(reply)
      notify(present(), subscribed)
    }
    const sent = to.sendCommand(command) as Promise<unknown>
    sent.catch((error: Error) => {
      // the connection broke: the next one subscribes
      if (error.name !== "ReplyError") return
      notify(present(), { _tag: "Refused", message: withoutArguments(error.message) })
      setTimeout(() => {
        const again = present()
        if (again.length > 0 && to.status === "ready") subscribe(to, channel, again)
      }, retryMillis)
    })
  }

  const add = (channel: string, listener: Listener): void => {
    const listeners = channels.get(channel)
    if (listeners === undefined) channels.set(channel, new Set([listener]))
    else listeners.add(listener)
    if (client === undefined) client = open()
    // even if the channel is subscribed, because only a reply proves that the connection still works
    else if (client.status === "ready") subscribe(client, channel, [listener])
  }

  const remove = (channel: string, listener: Listener): void => {
    const listeners = channels.get(channel)
    if (listeners === undefined || !listeners.delete(listener) || listeners.size > 0) return
    channels.delete(channel)
    if (channels.size === 0) close()
    else if (client?.status === "ready") client.unsubscribe(channel).catch(ignore)
  }

  return (channel, listener) =>
    Effect.asVoid(Effect.acquireRelease(
      Effect.sync(() => {
        // a new function, because the same listener may be passed twice
        const own: Listener = (event) => listener(event)
        add(channel, own)
        return own
      }),
      (own) => Effect.sync(() => remove(channel, own))
    ))
}
