/**
 * What a layer asks the server before it is used.
 */
import * as Effect from "effect/Effect"
import {
  AccessDenied,
  ConnectionUnavailable,
  OutcomeUnknown,
  RedisServiceError,
  type RedisServiceErrorReason,
  ScriptFailed,
  Unsupported
} from "../../RedisServiceError.ts"
import type { RedisTransport, TransportError } from "../../RedisTransport.ts"
import { classify } from "./classify.ts"
import { scripts } from "./script.ts"

/** @internal */
export interface ServerInfo {
  readonly isCluster: boolean
}

/** Every command that the interpreter calls: `[name, argument...]` after the key. */
const commands: ReadonlyArray<ReadonlyArray<string>> = [
  ["HGET", "f"],
  ["HMGET", "f"],
  ["HGETALL"],
  ["HSET", "f", "v"],
  ["HDEL", "f"],
  ["EXISTS"],
  ["UNLINK"],
  ["LLEN"],
  ["LINDEX", "0"],
  ["LRANGE", "0", "1"],
  ["LSET", "0", "v"],
  ["LTRIM", "0", "1"],
  ["LPUSH", "v"],
  ["RPUSH", "v"],
  ["RPOP"]
]

const probe = `#!lua flags=no-writes
local denied = {}
if KEYS[1] then
  for _, command in ipairs(cjson.decode(ARGV[1])) do
    if not redis.acl_check_cmd(command[1], KEYS[1], unpack(command, 2)) then denied[#denied + 1] = command[1] end
  end
end
return cjson.encode({ redis.call('INFO', 'server'), redis.call('INFO', 'memory'), denied })`

const fail = (reason: RedisServiceErrorReason) => Effect.fail(new RedisServiceError({ reason }))

const value = (info: string, names: string): string | undefined =>
  new RegExp(`^(?:${names}):(.*?)\\r?$`, "m").exec(info)?.[1]

/** Asks until there is a connection; the caller sets the limit. */
const ask = (
  transport: RedisTransport["Service"],
  command: "EVAL" | "EVAL_RO",
  script: string,
  keys: ReadonlyArray<string>,
  argument: string
): Effect.Effect<string, RedisServiceError> => {
  const attempt: Effect.Effect<string, RedisServiceError | TransportError> = Effect.flatMap(
    transport.evaluate({ command, script, keys, argument }),
    (reply) => reply._tag === "Text" ? Effect.succeed(reply.text) : fail(classify(reply.message, keys, true))
  )
  return Effect.catchTag(attempt, "TransportError", (error) =>
    error.outcome === "NotSent"
      ? Effect.flatMap(transport.ready, () => ask(transport, command, script, keys, argument))
      : fail(new OutcomeUnknown({})))
}

/**
 * The version, the rights, and whether keys may be evicted. Nothing is written.
 *
 * @internal
 */
export const inspect = Effect.fnUntraced(function*(
  transport: RedisTransport["Service"],
  options: { readonly keyPrefix: string; readonly deadline: number }
) {
  const keys = options.keyPrefix === "" ? [] : [`${options.keyPrefix}$probe`]
  const questions = Effect.all([
    ask(transport, "EVAL_RO", probe, keys, JSON.stringify(commands)),
    ask(transport, "EVAL", scripts.write.text, [], "[[],[]]"),
    ask(transport, "EVAL", scripts.free.text, [], "[[],[]]"),
    ask(transport, "EVAL_RO", scripts.read.text, [], "[[],[]]")
  ])
  const [text] = yield* Effect.timeoutOrElse(questions, {
    duration: options.deadline,
    orElse: () => fail(new ConnectionUnavailable({}))
  })
  const answer = parse(text)
  if (answer === undefined) return yield* fail(new ScriptFailed({ code: "REPLY", applied: false }))
  const [server, memory, denied] = answer
  if (Array.isArray(denied) && denied.length > 0) return yield* fail(new AccessDenied({ code: "NOPERM" }))
  const major = Number(value(server, "valkey_version|redis_version")?.split(".")[0])
  if (!(major >= 7)) return yield* fail(new Unsupported({ requirement: "Redis 7.0, or Valkey 7.2, or newer" }))
  const policy = value(memory, "maxmemory_policy")
  if (policy !== undefined && policy !== "noeviction") {
    yield* Effect.logWarning(
      `The server's maxmemory-policy is ${policy}: under pressure it drops keys, and with them parts of entities. Set noeviction.`
    )
  }
  const info: ServerInfo = { isCluster: value(server, "redis_mode|server_mode") === "cluster" }
  return info
})

const parse = (text: string): readonly [server: string, memory: string, denied: unknown] | undefined => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
