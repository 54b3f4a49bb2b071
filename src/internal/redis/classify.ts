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
import type { TransportError } from "../../RedisTransport.ts"

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

/** @internal */
export const requirement = "Redis 7.0, or Valkey 7.2, or newer"

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

/** Whether a script raised it while it ran, and so perhaps after it had written. */
const wasRaised = (message: string): boolean =>
  / script: [0-9a-f]{40}, on /.test(message) && !/script killed/i.test(message)

/**
 * Whether one program of a batch may be the cause for all: each is sent again by itself. Nothing had run.
 *
 * @internal
 */
export const isDivisible = (message: string): boolean => {
  if (wasRaised(message)) return false
  const code = codeOf(message)
  return code === "TRYAGAIN" || code === "ASK" || code === "NOPERM" || code === "CROSSSLOT"
}

/**
 * What stopped a program that is perhaps half done.
 *
 * @internal
 */
export const broken = (message: string): RedisServiceErrorReason =>
  new ScriptFailed({ code: codeOf(message), applied: "unknown" })

/**
 * @param undone whether it is certain that the program has left nothing behind
 * @internal
 */
export const classify = (message: string, keys: ReadonlyArray<string>, undone: boolean): RedisServiceErrorReason => {
  if (!undone && wasRaised(message)) return broken(message)
  const code = codeOf(message)
  if (unavailable.has(code)) return new ServerUnavailable({ code })
  switch (code) {
    case "OOM":
      return new OutOfMemory({})
    case "DENIED":
    case "NOAUTH":
    case "WRONGPASS":
    case "NOPERM":
      return new AccessDenied({ code })
    case "CROSSSLOT":
      return new CrossSlot({ keys })
    case "ERR":
      if (/non.local key/.test(message)) return new ServerUnavailable({ code: "MOVED" })
      if (/user executing the script can't|ACL failure/.test(message)) return new AccessDenied({ code: "NOPERM" })
      if (/max number of clients/.test(message)) return new ServerUnavailable({ code: "MAXCLIENTS" })
      if (/script killed/i.test(message)) return new ServerUnavailable({ code: "KILLED" })
      if (/unexpected symbol near '#'|Unexpected engine|unknown (redis )?command/i.test(message)) {
        return new Unsupported({ requirement })
      }
      if (/DB index|SELECT is not allowed/.test(message)) {
        return new Unsupported({ requirement: "a database of the number that the options give" })
      }
  }
  return new ScriptFailed({ code, applied: undone ? false : "unknown" })
}

/**
 * Why the server refused the connection, where it is that which kept a call from being sent.
 *
 * @internal
 */
export const refusalOf = (error: TransportError): RedisServiceErrorReason | undefined =>
  error.refusal === undefined ? undefined : classify(error.refusal, [], true)

/**
 * Whether it is no use to wait for another connection.
 *
 * @internal
 */
export const isFinal = (reason: RedisServiceErrorReason | undefined): reason is AccessDenied | Unsupported =>
  reason?._tag === "AccessDenied" || reason?._tag === "Unsupported"
