/**
 * The connection that hears messages: one for all channels, opened for the first and closed with the last.
 */
import * as Effect from "effect/Effect"
import { Command, type Redis } from "ioredis"
import type { ChannelEvent, RedisTransport } from "../../../RedisTransport.ts"

type Listener = (event: ChannelEvent) => void

/** Nothing is awaited on this connection, so only a question shows that the server is there. */
const heartbeatMillis = 2000

/** How long after a refusal, such as that of a server which is busy, a subscription is tried again. */
const retryMillis = 100

const subscribed: ChannelEvent = { _tag: "Subscribed" }

const ignore = (): void => {}

/**
 * What the server said, without the arguments that it repeats: they may be secrets.
 *
 * @internal
 */
export const withoutArguments = (message: string): string => message.replace(/, with args.*/s, "")

const tell = (listeners: Iterable<Listener>, event: ChannelEvent): void => {
  for (const listener of listeners) listener(event)
}

/**
 * @param make a client that is not connected yet, and doesn't subscribe again by itself
 * @internal
 */
export const make = (make: () => Redis): NonNullable<RedisTransport["Service"]["subscribe"]> => {
  const channels = new Map<string, Set<Listener>>()
  let client: Redis | undefined
  let heartbeat: ReturnType<typeof setInterval> | undefined
  /** how often there was a connection: what belongs to an earlier one is over */
  let connection = 0

  const open = (): Redis => {
    const opened = make()
    opened.on("ready", () => {
      if (opened !== client) return
      connection++
      // one by one: a channel that is denied must not take the others with it
      for (const [channel, listeners] of channels) subscribe(opened, channel, [...listeners])
    })
    opened.on("message", (channel: string, text: string) => {
      if (opened === client) tell(channels.get(channel) ?? [], { _tag: "Message", text })
    })
    // without a listener ioredis writes its errors, which hold passwords, to the console
    opened.on("error", (error: Error) => {
      if (opened !== client || error.name !== "ReplyError") return
      const refused: ChannelEvent = { _tag: "Refused", message: withoutArguments(error.message) }
      for (const listeners of channels.values()) tell(listeners, refused)
    })
    heartbeat = setInterval(() => {
      // it starts the clock of `socketTimeout`
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
    const left = (): ReadonlyArray<Listener> => {
      const present = channels.get(channel)
      return to !== client || during !== connection || present === undefined
        ? []
        : listeners.filter((listener) => present.has(listener))
    }
    const command = new Command("subscribe", [channel])
    const resolve = command.resolve
    // when it is read: a promise would tell only after the messages that came together with it
    command.resolve = (reply: unknown) => {
      resolve(reply)
      tell(left(), subscribed)
    }
    const sent = to.sendCommand(command) as Promise<unknown>
    sent.catch((error: Error) => {
      // without a reply, the next connection subscribes
      if (error.name !== "ReplyError") return
      tell(left(), { _tag: "Refused", message: withoutArguments(error.message) })
      setTimeout(() => {
        const again = left()
        if (again.length > 0 && to.status === "ready") subscribe(to, channel, again)
      }, retryMillis)
    })
  }

  const add = (channel: string, listener: Listener): void => {
    const listeners = channels.get(channel)
    if (listeners === undefined) channels.set(channel, new Set([listener]))
    else listeners.add(listener)
    if (client === undefined) client = open()
    // also where the channel is subscribed: only its answer shows that the connection is still there
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
        // a listener of its own, also where the same function is given twice
        const own: Listener = (event) => listener(event)
        add(channel, own)
        return own
      }),
      (own) => Effect.sync(() => remove(channel, own))
    ))
}
