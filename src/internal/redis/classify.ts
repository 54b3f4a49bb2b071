/**
 * What a message of the server means. Only its first word leaves this file: messages may hold values and keys.
 */
import {
  AccessDenied,
  CrossSlot,
  OutOfMemory,
  type RedisServiceErrorReason,
  ScriptFailed,
  ServerUnavailable,
  Unsupported
} from "../../RedisServiceError.ts"

const unavailable = new Set([
  "LOADING",
  "BUSY",
  "CLUSTERDOWN",
  "TRYAGAIN",
  "READONLY",
  "MASTERDOWN",
  "MISCONF",
  "NOREPLICAS",
  "MOVED",
  "ASK",
  "UNKILLABLE",
  "NOTBUSY"
])

const codeOf = (message: string): string => /^-?([A-Z]+)\b/.exec(message)?.[1] ?? "ERR"

/** @internal */
export const isNoScript = (message: string): boolean => codeOf(message) === "NOSCRIPT"

/**
 * A key of another kind; or a version, which is the only integer that a script counts up by itself, that is none.
 *
 * @internal
 */
export const isWrongType = (message: string): boolean =>
  codeOf(message) === "WRONGTYPE" || /hash value is not an integer|increment or decrement would overflow/.test(message)

/**
 * Whether one program of a batch may be the cause for all: each is sent again by itself. Nothing had run.
 *
 * @internal
 */
export const isDivisible = (message: string): boolean => {
  const code = codeOf(message)
  return code === "TRYAGAIN" || code === "ASK" || code === "NOPERM" || code === "CROSSSLOT"
}

/**
 * @param undone whether it is certain that the program has left nothing behind
 * @internal
 */
export const classify = (message: string, keys: ReadonlyArray<string>, undone: boolean): RedisServiceErrorReason => {
  const code = codeOf(message)
  if (unavailable.has(code)) return new ServerUnavailable({ code })
  switch (code) {
    case "OOM":
      return new OutOfMemory({})
    case "NOAUTH":
    case "WRONGPASS":
    case "NOPERM":
      return new AccessDenied({ code })
    case "CROSSSLOT":
      return new CrossSlot({ keys })
    case "ERR":
      if (/non.local key/.test(message)) return new ServerUnavailable({ code: "MOVED" })
      if (/can't run this command|ACL failure/.test(message)) return new AccessDenied({ code: "NOPERM" })
      if (/max number of clients/.test(message)) return new ServerUnavailable({ code: "MAXCLIENTS" })
      if (/script killed/i.test(message)) return new ServerUnavailable({ code: "KILLED" })
      if (/unexpected symbol near '#'|Unexpected engine/.test(message)) {
        return new Unsupported({ requirement: "Redis 7.0, or Valkey 7.2, or newer" })
      }
  }
  return new ScriptFailed({ code, applied: undone ? false : "unknown" })
}
