/**
 * Maps error messages of the server to reasons. Only the first word of a message leaves this file, because the others may hold
 * values and keys.
 */
import {
  AccessDenied,
  ConnectionUnavailable,
  CrossSlot,
  OutOfMemory,
  type RedisServiceErrorReason,
  ScriptFailed,
  ServerUnavailable,
  Unsupported
} from "../../RedisServiceError.ts"
import type { ServerAddress, TransportError } from "../../RedisTransport.ts"

/** The first words of temporary refusals. */
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
 * Whether stored data has another type than the program expects: a key; or the version, the only integer that the script increments
 * by a command.
 *
 * @internal
 */
export const isWrongType = (message: string): boolean =>
  codeOf(message) === "WRONGTYPE" || /hash value is not an integer|increment or decrement would overflow/.test(message)

/** Whether the script raised the error while it ran, so that it may already have written. */
const wasRaised = (message: string): boolean =>
  / script: [0-9a-f]{40}, on /.test(message) && !/script killed/i.test(message)

/**
 * Whether one program of a batch may be the reason why the server refused all of them. Nothing had run, so each may be sent again
 * in a call by itself.
 *
 * @internal
 */
export const isDivisible = (message: string): boolean => {
  if (wasRaised(message)) return false
  const code = codeOf(message)
  return code === "TRYAGAIN" || code === "ASK" || code === "NOPERM" || code === "CROSSSLOT"
}

/**
 * The reason for a program that may be half applied.
 *
 * @internal
 */
export const broken = (message: string): RedisServiceErrorReason =>
  new ScriptFailed({ code: codeOf(message), applied: "unknown" })

/**
 * The reason for an error message.
 *
 * @param keys the keys of the program, for `CrossSlot`
 * @param undone whether it is certain that the program changed nothing
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
 * The address as one text.
 *
 * @internal
 */
export const addressText = ({ address, port }: ServerAddress): string =>
  port === undefined ? address : `${address.includes(":") ? `[${address}]` : address}:${port}`

/**
 * Why there is no connection: the server refused it, or it failed. Undefined if the transport does not say.
 *
 * @internal
 */
export const refusalOf = ({ address, code, refusal }: TransportError): RedisServiceErrorReason | undefined => {
  if (refusal !== undefined) return classify(refusal, [], true)
  return address === undefined && code === undefined ? undefined : new ConnectionUnavailable({
    ...(address === undefined ? undefined : { address }),
    ...(code === undefined ? undefined : { code })
  })
}

/**
 * Whether waiting for another connection cannot help.
 *
 * @internal
 */
export const isFinal = (reason: RedisServiceErrorReason | undefined): reason is AccessDenied | Unsupported =>
  reason?._tag === "AccessDenied" || reason?._tag === "Unsupported"
