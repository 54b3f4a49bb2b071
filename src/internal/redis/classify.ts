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
  "ASK",
  "UNKILLABLE",
  "NOTBUSY"
])

/** The first words of what a server says before it runs a script. `NOPERM` and `ERR` are said in the middle of one too. */
const refusals = new Set([...unavailable, "MOVED", "OOM", "DENIED", "NOAUTH", "WRONGPASS", "CROSSSLOT", "NOSCRIPT"])

/** @internal */
export const requirement = "Redis 7.0, or Valkey 7.2, or newer"

/**
 * Why a node of a larger cluster is refused.
 *
 * @internal
 */
export const larger = new Unsupported({
  requirement: "one server with all keys. This is a node of a cluster of several nodes: use RedisService.layerCluster"
})

/** Whether the user lacks a right of a script. Before Redis 7.2 such messages have no code of their own. */
const isDenied = (message: string): boolean => /user executing the script can't|ACL failure/.test(message)

const codeOf = (message: string): string => isDenied(message) ? "NOPERM" : /^-?([A-Z]+)\b/.exec(message)?.[1] ?? "ERR"

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

/** Parts of the message of an error that a running script has raised. No server has all of them, and some have none. */
const mark = /script: |user_script|script attempted|called from script/i

/** Messages with a plain `ERR` before a script runs, or of a script that was killed, which is possible only before its first write. */
const plainRefusal = /^-?ERR (?:unknown command|error compiling script|unexpected engine|.*script killed)/i

/** With these words a server denies the call itself. */
const denial = /^-?NOPERM (?:this user|User \S+|No permissions)/

/**
 * Whether it is certain that the server ran nothing of a call: it says so in words that no running script uses. Our scripts catch
 * the errors of their commands, so what is not recognised here may come from the middle of one.
 */
const isRefused = (message: string): boolean => {
  if (plainRefusal.test(message)) return true
  const code = codeOf(message)
  return !mark.test(message) && (code === "NOPERM" ? denial.test(message) : refusals.has(code))
}

/**
 * Whether the server takes no calls whose keys are in several slots. Nothing had run.
 *
 * @internal
 */
export const isCrossSlot = (message: string): boolean => isRefused(message) && codeOf(message) === "CROSSSLOT"

/**
 * Whether a call with a key of another node was refused, so that the server is one of several.
 *
 * @internal
 */
export const isMoved = (message: string): boolean => codeOf(message) === "MOVED"

/**
 * Whether the server does not know the command at all.
 *
 * @internal
 */
export const isUnknownCommand = (message: string): boolean => /^-?ERR unknown command/i.test(message)

/**
 * Adds to a reason which channels the user may not use, as a pattern without the name of a topic.
 *
 * @param channel the channel with its prefix
 * @internal
 */
export const aboutChannel = (
  reason: RedisServiceErrorReason,
  message: string,
  channel: string | undefined
): RedisServiceErrorReason =>
  reason._tag === "AccessDenied" && channel !== undefined && /channel/.test(message)
    ? new AccessDenied({ code: reason.code, channel: channel.replace(/(\$\w+:).*/s, "$1*") })
    : reason

/**
 * Whether one program of a batch may be the reason why the server refused all of them. Nothing had run, so each may be sent again
 * in a call by itself.
 *
 * @internal
 */
export const isDivisible = (message: string): boolean => {
  if (!isRefused(message)) return false
  const code = codeOf(message)
  return code === "TRYAGAIN" || code === "ASK" || code === "NOPERM" || code === "CROSSSLOT"
}

/**
 * Whether the server refused a call only because it may write: reads, or deletions, would have been accepted.
 *
 * @internal
 */
export const isAboutWrites = (message: string): boolean => {
  if (!isRefused(message)) return false
  const code = codeOf(message)
  return code === "OOM" || code === "MISCONF" || code === "NOREPLICAS"
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
  if (!undone && !isRefused(message)) return broken(message)
  const code = codeOf(message)
  if (unavailable.has(code)) return new ServerUnavailable({ code })
  switch (code) {
    case "OOM":
      return new OutOfMemory({})
    case "DENIED":
    case "NOAUTH":
    case "WRONGPASS":
      return new AccessDenied({ code })
    case "NOPERM": {
      const command = /'([a-z_|-]+)' command/.exec(message)?.[1]
      return new AccessDenied(command === undefined ? { code } : { code, commands: [command.toUpperCase()] })
    }
    case "MOVED":
      return larger
    case "CROSSSLOT":
      return new CrossSlot({ keys })
    case "ERR":
      // the slot of the key is another node's, or moves away
      if (/non.local key/.test(message)) return new ServerUnavailable({ code: "ASK" })
      if (/cluster is down/.test(message)) return new ServerUnavailable({ code: "CLUSTERDOWN" })
      if (/max number of clients/.test(message)) return new ServerUnavailable({ code: "MAXCLIENTS" })
      if (/script killed/i.test(message)) return new ServerUnavailable({ code: "KILLED" })
      if (/cluster support disabled/.test(message)) {
        return new Unsupported({ requirement: "a cluster: for one server use RedisService.layer" })
      }
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

/**
 * Why the server refused the connection. Unset if it did not, and the call was not sent for another reason.
 *
 * @internal
 */
export const connectionRefusal = (error: TransportError): RedisServiceErrorReason | undefined => {
  const reason = refusalOf(error)
  // no script had run, so an unknown code is no failure of a script
  return reason?._tag === "ScriptFailed" ? new ServerUnavailable({ code: reason.code }) : reason
}
