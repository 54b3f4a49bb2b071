/**
 * Helpers for the suites on locks: the keys that locks leave on a server, and how often the server was asked.
 */
import { Effect } from "effect"
import type * as RawRedis from "../support/RawRedis.ts"

type Call = RawRedis.RawRedis["call"]

/** The keys of locks that are held or waited for. The last token stays. */
export const locksOf = (call: Call) =>
  Effect.map(
    call("KEYS", "*"),
    (keys) => (keys as ReadonlyArray<string>).filter((key) => /\$(lock|permits):/.test(key) && !key.endsWith(":$fence"))
  )

/** How many calls of scripts the server has answered since `CONFIG RESETSTAT`. */
export const scriptCalls = (call: Call) =>
  Effect.map(call("INFO", "commandstats"), (info) => {
    let sum = 0
    for (const [, calls] of String(info).matchAll(/^cmdstat_eval\w*:calls=(\d+)/gm)) sum += Number(calls)
    return sum
  })

/** How often locks were asked for since `CONFIG RESETSTAT`: several may have come in one call. */
export const asks = (call: Call) =>
  Effect.map(call("INFO", "commandstats"), (info) => Number(/^cmdstat_hmget:calls=(\d+)/m.exec(String(info))?.[1] ?? 0))

/** How many connections there are, without the one that asks. */
export const connectionsOf = (call: Call) =>
  Effect.map(call("CLIENT", "LIST"), (list) => String(list).trim().split("\n").length - 1)

export const channelsOf = (call: Call) =>
  Effect.map(call("PUBSUB", "CHANNELS"), (channels) => channels as ReadonlyArray<string>)

/** In milliseconds. */
export const summary = (millis: ReadonlyArray<number>): string => {
  const sorted = [...millis].sort((a, b) => a - b)
  const at = (part: number) => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? NaN)
  return `${at(0)}–${at(1)} ms, half within ${at(0.5)} ms`
}
