/**
 * The start of a live layer: it asks the server for its version, its rights and its eviction policy, and loads the scripts.
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
  /** Whether the server drops keys when its memory is full. */
  readonly evicts: boolean
}

/**
 * Every command that the script calls on a key, with the arguments that follow the key. `PUBLISH` is not among them, because
 * messages need another right.
 */
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
  ["LINSERT", "before", "a", "b"],
  ["LREM", "1", "a"],
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

/** The key is not declared, because on a cluster its slot may belong to another node. */
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

/** The last reason why there is no answer yet. */
interface LastRefusal {
  reason: RedisServiceErrorReason | undefined
}

/** Asks again until there is an answer, because no question writes anything. The caller limits the time. */
const ask = (
  transport: RedisTransport["Service"],
  last: LastRefusal,
  call: Call
): Effect.Effect<string, RedisServiceError> => {
  const again = Effect.suspend(() => ask(transport, last, call))
  const wait = (error: TransportError): Effect.Effect<string, RedisServiceError> => {
    last.reason = refusalOf(error)
    if (isFinal(last.reason)) return fail(last.reason)
    return Effect.matchEffect(Effect.andThen(transport.ready, Effect.yieldNow), {
      onFailure: wait,
      onSuccess: () => again
    })
  }
  return Effect.matchEffect(transport.evaluate(call), {
    onFailure: wait,
    onSuccess: (reply) => {
      if (reply._tag === "Text") return Effect.succeed(reply.text)
      // the scripts were flushed, but the call of this one was not refused
      if (isNoScript(reply.message)) return Effect.succeed("")
      const reason = classify(reply.message, call.keys, true)
      if (reason._tag !== "ServerUnavailable") return fail(reason)
      last.reason = reason
      return Effect.delay(again, "50 millis")
    }
  })
}

/**
 * Fails if the server is too old, or if a right is missing. Nothing is written.
 *
 * @internal
 */
export const inspect = Effect.fnUntraced(function*(
  transport: RedisTransport["Service"],
  options: { readonly keyPrefix: string; readonly deadline: number }
) {
  const key = options.keyPrefix === "" ? undefined : `${options.keyPrefix}$probe`
  const last: LastRefusal = { reason: undefined }
  /** Calls a script by its text, which the server keeps, and then by its digest, because a program may need the right to both. */
  const load = ({ readOnly, sha, text }: Script) => {
    const call = { keys: [], argument: "[[],[]]" }
    return Effect.andThen(
      ask(transport, last, { ...call, command: readOnly ? "EVAL_RO" : "EVAL", script: text }),
      ask(transport, last, { ...call, command: readOnly ? "EVALSHA_RO" : "EVALSHA", script: sha })
    )
  }
  const questions = Effect.all([
    ask(transport, last, { command: "EVAL_RO", script: probe, keys: [], argument: JSON.stringify({ key, commands }) }),
    // a server that is out of memory loads this script and refuses only to run it; reads and deletions still work
    Effect.catchReason(load(scripts.write), "RedisServiceError", "OutOfMemory", () => Effect.succeed("")),
    load(scripts.allowOom),
    load(scripts.read)
  ])
  const [text] = yield* Effect.timeoutOrElse(questions, {
    duration: options.deadline,
    orElse: () => fail(last.reason ?? new ConnectionUnavailable({}))
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
