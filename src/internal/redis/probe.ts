/**
 * What a layer asks the server before it is used.
 */
import * as Effect from "effect/Effect"
import {
  AccessDenied,
  ConnectionUnavailable,
  RedisServiceError,
  type RedisServiceErrorReason,
  ScriptFailed,
  Unsupported
} from "../../RedisServiceError.ts"
import type { Call, RedisTransport, TransportError } from "../../RedisTransport.ts"
import { classify, isFinal, isNoScript, refusalOf, requirement } from "./classify.ts"
import { type Script, scripts } from "./scripts.ts"

/** @internal */
export interface ProbeResult {
  readonly isCluster: boolean
  /** whether it drops keys under pressure */
  readonly evicts: boolean
}

/** Every command that the interpreter calls on a key: `[name, argument...]` after the key. Channels are a right of their own. */
const commands: ReadonlyArray<ReadonlyArray<string>> = [
  ["EXISTS"],
  ["UNLINK"],
  ["PEXPIRETIME"],
  ["PEXPIREAT", "1"],
  ["PERSIST"],
  ["HGET", "f"],
  ["HMGET", "f"],
  ["HGETALL"],
  ["HKEYS"],
  ["HRANDFIELD", "1", "WITHVALUES"],
  ["HSET", "f", "v"],
  ["HDEL", "f"],
  ["HINCRBY", "f", "1"],
  ["HLEN"],
  ["LLEN"],
  ["LINDEX", "0"],
  ["LRANGE", "0", "1"],
  ["LPOS", "v"],
  ["LSET", "0", "v"],
  ["LTRIM", "0", "1"],
  ["LPUSH", "v"],
  ["RPUSH", "v"],
  ["RPOP"],
  ["SCARD"],
  ["SMEMBERS"],
  ["SMISMEMBER", "v"],
  ["SRANDMEMBER"],
  ["SADD", "v"],
  ["SREM", "v"],
  ["SUNION"],
  ["SINTER"],
  ["SDIFF"],
  ["ZCARD"],
  ["ZRANGE", "0", "1"],
  ["ZMSCORE", "v"],
  ["ZRANK", "v"],
  ["ZREVRANK", "v"],
  ["ZCOUNT", "0", "1"],
  ["ZADD", "0", "v"],
  ["ZREM", "v"]
]

/** The key is not declared: on a cluster its slot may be another node's. */
const probe = `#!lua flags=no-writes
local denied, question = {}, cjson.decode(ARGV[1])
if not redis.acl_check_cmd('TIME') then denied[1] = 'TIME' end
if question.key then
  for _, command in ipairs(question.commands) do
    if not redis.acl_check_cmd(command[1], question.key, unpack(command, 2)) then denied[#denied + 1] = command[1] end
  end
end
return cjson.encode({ redis.call('INFO', 'server'), redis.call('INFO', 'memory'), denied })`

const fail = (reason: RedisServiceErrorReason) => Effect.fail(new RedisServiceError({ reason }))

const value = (info: string, names: string): string | undefined =>
  new RegExp(`^(?:${names}):(.*?)\\r?$`, "m").exec(info)?.[1]

/** Why there is no answer yet. */
interface Heard {
  reason: RedisServiceErrorReason | undefined
}

/** Asks until there is an answer, since nothing that is asked here writes; the caller sets the limit. */
const ask = (
  transport: RedisTransport["Service"],
  heard: Heard,
  call: Call
): Effect.Effect<string, RedisServiceError> => {
  const again = Effect.suspend(() => ask(transport, heard, call))
  const wait = (error: TransportError): Effect.Effect<string, RedisServiceError> => {
    heard.reason = refusalOf(error)
    if (isFinal(heard.reason)) return fail(heard.reason)
    return Effect.matchEffect(Effect.andThen(transport.ready, Effect.yieldNow), {
      onFailure: wait,
      onSuccess: () => again
    })
  }
  return Effect.matchEffect(transport.evaluate(call), {
    onFailure: wait,
    onSuccess: (reply) => {
      if (reply._tag === "Text") return Effect.succeed(reply.text)
      // someone flushed the scripts, but this one may be called
      if (isNoScript(reply.message)) return Effect.succeed("")
      const reason = classify(reply.message, call.keys, true)
      if (reason._tag !== "ServerUnavailable") return fail(reason)
      heard.reason = reason
      return Effect.delay(again, "50 millis")
    }
  })
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
  const key = options.keyPrefix === "" ? undefined : `${options.keyPrefix}$probe`
  const heard: Heard = { reason: undefined }
  /** By its text, which the server keeps, then by its digest: a program may need either. */
  const load = ({ readOnly, sha, text }: Script) => {
    const call = { keys: [], argument: "[[],[]]" }
    return Effect.andThen(
      ask(transport, heard, { ...call, command: readOnly ? "EVAL_RO" : "EVAL", script: text }),
      ask(transport, heard, { ...call, command: readOnly ? "EVALSHA_RO" : "EVALSHA", script: sha })
    )
  }
  const questions = Effect.all([
    ask(transport, heard, { command: "EVAL_RO", script: probe, keys: [], argument: JSON.stringify({ key, commands }) }),
    // a server that is out of memory says so of a script that it has accepted; what reads and removes can be run
    Effect.catchReason(load(scripts.write), "RedisServiceError", "OutOfMemory", () => Effect.succeed("")),
    load(scripts.allowOom),
    load(scripts.read)
  ])
  const [text] = yield* Effect.timeoutOrElse(questions, {
    duration: options.deadline,
    orElse: () => fail(heard.reason ?? new ConnectionUnavailable({}))
  })
  const answer = parse(text)
  if (answer === undefined) return yield* fail(new ScriptFailed({ code: "REPLY", applied: false }))
  const [server, memory, denied] = answer
  if (Array.isArray(denied) && denied.length > 0) return yield* fail(new AccessDenied({ code: "NOPERM" }))
  const major = Number(value(server, "valkey_version|redis_version")?.split(".")[0])
  if (!(major >= 7)) return yield* fail(new Unsupported({ requirement }))
  const policy = value(memory, "maxmemory_policy")
  const evicts = policy !== undefined && policy !== "noeviction"
  if (evicts) {
    yield* Effect.logWarning(
      `The server's maxmemory-policy is ${policy}: under pressure it drops keys, and with them parts of entities. Set noeviction.`
    )
  }
  const info: ProbeResult = { evicts, isCluster: value(server, "redis_mode|server_mode") === "cluster" }
  return info
})

const parse = (text: string): readonly [server: string, memory: string, denied: unknown] | undefined => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
