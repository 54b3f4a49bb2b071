/**
 * The start of a live layer: it asks the server what it is, what the user may do and what scripts can do, and loads the scripts.
 * Nothing is written. It takes two round trips, because the questions of each are sent together.
 */
import * as Effect from "effect/Effect"
import {
  AccessDenied,
  ConnectionUnavailable,
  RedisServiceError,
  type RedisServiceErrorReason,
  ScriptFailed,
  ServerUnavailable,
  Unsupported
} from "../../RedisServiceError.ts"
import type { Call, RedisTransport, ServerReply, TransportError } from "../../RedisTransport.ts"
import { slotOf } from "../instruction/slot.ts"
import type { Capabilities } from "../service.ts"
import {
  classify,
  isCrossSlot,
  isFinal,
  isMoved,
  isNoScript,
  isUnknownCommand,
  larger,
  refusalOf,
  requirement
} from "./classify.ts"
import { type Script, scripts } from "./scripts.ts"

/** @internal */
export interface ProbeResult {
  /** Whether a call must keep to one slot: the server is a node of a cluster, or a proxy before one. */
  readonly isCluster: boolean
  /** Whether the server drops keys when its memory is full. */
  readonly evicts: boolean
  readonly capabilities: Capabilities
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
  ["ZLEXCOUNT", "-", "+"],
  ["ZSCORE", "v"],
  ["ZCOUNT", "0", "1"],
  ["ZADD", "0", "v"],
  ["ZREM", "v"]
]

/** The commands with which programs are called, and those without a key. */
const calls: ReadonlyArray<ReadonlyArray<string>> = [
  ["EVAL_RO", "", "0"],
  ["EVALSHA", "", "0"],
  ["EVALSHA_RO", "", "0"],
  ["INFO", "server"],
  ["TIME"]
]

/** Asks whether the user has a right, without an entry in the server's log of denials. */
const allowed = `
local check = redis.acl_check_cmd
local function allowed(...)
  local known, is = pcall(check or type, ...)
  return not check or not known or is
end`

/** About the server, the rights of the user, and a key that is not declared. */
const questions = `#!lua flags=no-writes${allowed}
local question, denied, undeclared = cjson.decode(ARGV[1]), {}, false
for _, call in ipairs(question.calls) do
  if not allowed(unpack(call)) then denied[#denied + 1] = call[1] end
end
local hasKeys = allowed('EVAL', '', '1', question.key)
if hasKeys then
  for _, command in ipairs(question.commands) do
    if not allowed(command[1], question.key, unpack(command, 2)) then denied[#denied + 1] = command[1] end
  end
  if KEYS[1] then undeclared = type(redis.pcall('EXISTS', question.undeclared)) == 'number' end
end
local function info(section)
  return allowed('INFO', section) and redis.call('INFO', section) or ''
end
return cjson.encode({ info('server'), info('memory'), denied, info('replication'), hasKeys, undeclared })`

const nothing = "#!lua flags=no-writes\nreturn ''"

/** Two keys of two slots, in a script that may use any. */
const crossSlot = `#!lua flags=no-writes,allow-cross-slot-keys${allowed}
local keys = cjson.decode(ARGV[1])
for _, key in ipairs(keys) do
  if allowed('EXISTS', key) then redis.call('EXISTS', key) end
end
return ''`

/** A message to nobody, unless the user may not publish. */
const publish = `#!lua flags=allow-oom${allowed}
if not allowed('PUBLISH', ARGV[1], '') then return 'true' end
local reply = redis.pcall('PUBLISH', ARGV[1], '')
return tostring(type(reply) == 'number' or not string.find(reply.err, 'not allowed'))`

/** How many slots of a cluster are asked for, because any of them may be another node's. */
const sampledSlots = 32

const fail = (reason: RedisServiceErrorReason) => Effect.fail(new RedisServiceError({ reason }))

const value = (info: string, names: string): string | undefined =>
  new RegExp(`^(?:${names}):(.*?)\\r?$`, "m").exec(info)?.[1]

/** The last reason why there is no answer yet. */
interface LastRefusal {
  reason: RedisServiceErrorReason | undefined
}

/** These concern the slot of one key, and the others may be there. */
const ofOneSlot = new Set(["ASK", "TRYAGAIN", "CLUSTERDOWN"])

/** Asks again until there is an answer, because no question writes anything. The caller limits the time. */
const ask = (
  transport: RedisTransport["Service"],
  last: LastRefusal,
  call: Call
): Effect.Effect<ServerReply, RedisServiceError> => {
  const again = Effect.suspend(() => ask(transport, last, call))
  const wait = (error: TransportError): Effect.Effect<ServerReply, RedisServiceError> => {
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
      if (reply._tag === "Text") return Effect.succeed(reply)
      const reason = classify(reply.message, call.keys, true)
      if (reason._tag !== "ServerUnavailable" || ofOneSlot.has(reason.code)) return Effect.succeed(reply)
      last.reason = reason
      return Effect.delay(again, pause)
    }
  })
}

const pause = "50 millis"

const together = { concurrency: "unbounded" } as const

const isError = (reply: ServerReply, is: (message: string) => boolean): boolean =>
  reply._tag === "Error" && is(reply.message)

/**
 * The key of a call that has none, where a call must have one. It is in a slot of its own.
 *
 * @internal
 */
export const probeKey = (keyPrefix: string, slot: number | "" = ""): string => `${keyPrefix}{$probe${slot}}`

/**
 * Keys of several slots, and so of several nodes.
 *
 * @internal
 */
export const sampledKeys = (keyPrefix: string): ReadonlyArray<string> =>
  Array.from({ length: sampledSlots }, (_, i) => probeKey(keyPrefix, i))

/** Pairs of keys of which both are at one node, in two slots. */
const pairsOf = (
  keys: ReadonlyArray<string>,
  nodeOf: (slot: number) => string | undefined
): ReadonlyArray<readonly [one: string, other: string]> =>
  keys.flatMap((one, i) => {
    const other = keys.slice(i + 1).find((key) => nodeOf(slotOf(key)) === nodeOf(slotOf(one)))
    return other === undefined ? [] : [[one, other] as const]
  })

const isMoving = (message: string): boolean => {
  const reason = classify(message, [], true)
  return reason._tag === "ServerUnavailable" && ofOneSlot.has(reason.code)
}

/**
 * Fails if the server is too old, is a replica or a node of a larger cluster, or if a right is missing. Nothing is written.
 *
 * @internal
 */
export const inspect = (
  transport: RedisTransport["Service"],
  options: { readonly keyPrefix: string; readonly deadline: number }
): Effect.Effect<ProbeResult, RedisServiceError> => {
  const last: LastRefusal = { reason: undefined }
  return Effect.timeoutOrElse(inspectOnce(transport, options.keyPrefix, last), {
    duration: options.deadline,
    orElse: () => fail(last.reason ?? new ConnectionUnavailable({}))
  })
}

const inspectOnce = Effect.fnUntraced(function*(
  transport: RedisTransport["Service"],
  keyPrefix: string,
  last: LastRefusal
): Effect.fn.Return<ProbeResult, RedisServiceError> {
  const key = probeKey(keyPrefix)
  const other = probeKey(keyPrefix, 1)
  const evaluate = (script: string, keys: ReadonlyArray<string>, argument: string) =>
    ask(transport, last, { command: "EVAL", script, keys, argument })
  const question = JSON.stringify({ key, undeclared: `${key}:undeclared`, calls, commands })
  const { cluster } = transport
  const [bare, keyed, severalSlots, published] = yield* Effect.all([
    evaluate(questions, [], question),
    evaluate(questions, [key], question),
    evaluate(nothing, [key, other], ""),
    evaluate(publish, [key], `${keyPrefix}$topic:$probe`)
  ], together)
  if (isError(keyed, isMoved)) return yield* fail(larger)
  const pairs = cluster === undefined ? [[key, other] as const] : pairsOf([key, ...sampledKeys(keyPrefix)], cluster.of)
  /** A slot that moves tells nothing about the server, and then two other slots are tried. */
  const askCrossSlot = (at = 0): Effect.Effect<ServerReply, RedisServiceError> => {
    const pair = pairs[at] ?? [key, key]
    return Effect.flatMap(
      ask(transport, last, {
        command: "EVAL",
        script: crossSlot,
        keys: [],
        argument: JSON.stringify(pair),
        node: cluster?.of(slotOf(pair[0]))
      }),
      (reply) => isError(reply, isMoving) && at + 1 < pairs.length ? askCrossSlot(at + 1) : Effect.succeed(reply)
    )
  }
  const noKeys = bare._tag === "Text"
  const reply = noKeys ? bare : keyed
  if (reply._tag === "Error") return yield* fail(classify(reply.message, [], true))
  const answer = parse(reply.text)
  if (answer === undefined) return yield* fail(new ScriptFailed({ code: "REPLY", applied: false }))
  const [server, memory, denied, replication = "", hasKeys = true] = answer
  if (value(replication, "role") === "slave") {
    last.reason = new ServerUnavailable({ code: "READONLY" })
    return yield* Effect.delay(Effect.suspend(() => inspectOnce(transport, keyPrefix, last)), pause)
  }
  if (Array.isArray(denied) && denied.length > 0) {
    return yield* fail(new AccessDenied({ code: "NOPERM", commands: denied, ...(!hasKeys && { prefix: keyPrefix }) }))
  }
  if (!hasKeys && keyPrefix !== "") return yield* fail(new AccessDenied({ code: "NOPERM", prefix: keyPrefix }))
  const major = Number(value(server, "valkey_version|redis_version")?.split(".")[0])
  if (!(major >= 7)) return yield* fail(new Unsupported({ requirement }))
  const isNode = value(server, "redis_mode|server_mode") === "cluster"

  /** Calls a script by its text, which the server keeps, and then by its digest, because a program may need the right to both. */
  const load = ({ sha, text }: Script, suffix: "" | "_RO") => {
    const call = { keys: noKeys ? [] : [key], argument: "[[],[]]" }
    return Effect.all([
      ask(transport, last, { ...call, command: `EVAL${suffix}`, script: text }),
      ask(transport, last, { ...call, command: `EVALSHA${suffix}`, script: sha })
    ], together)
  }
  const loadRead = Effect.flatMap(
    load(scripts.read, "_RO"),
    (replies) =>
      replies.some((reply) => isError(reply, isUnknownCommand))
        ? Effect.map(load(scripts.read, ""), (replies) => ({ replies, readOnlyCommands: false }))
        : Effect.succeed({ replies, readOnlyCommands: true })
  )
  const [crossSlotScripts, read, allowOom, write, slots] = yield* Effect.all([
    askCrossSlot(),
    loadRead,
    load(scripts.allowOom, ""),
    load(scripts.write, ""),
    Effect.forEach(
      isNode && cluster === undefined ? sampledKeys(keyPrefix) : [],
      (key) => evaluate(nothing, [key], ""),
      together
    )
  ], together)
  if (slots.some((reply) => isError(reply, isMoved))) return yield* fail(larger)
  for (const reply of [...read.replies, ...allowOom, ...write]) {
    // the scripts were flushed, but the call of this one was not refused
    if (reply._tag === "Text" || isNoScript(reply.message)) continue
    const reason = classify(reply.message, [], true)
    // a server that is out of memory loads the script that writes, and refuses only to run it; reads and deletions still work
    if (reason._tag !== "OutOfMemory") return yield* fail(reason)
  }

  if (!hasKeys) {
    yield* Effect.logWarning(
      "The user's rights could not be checked, because the user may not use the key {$probe}. Nothing is wrong if it may use the keys of all models."
    )
  }
  const policy = value(memory, "maxmemory_policy")
  const evicts = policy !== undefined && policy !== "noeviction"
  if (evicts) {
    yield* Effect.logWarning(
      `The server's maxmemory-policy is ${policy}: under pressure it drops keys, and with them parts of entities. Set noeviction.`
    )
  }
  const isSharded = isError(severalSlots, isCrossSlot)
  return {
    evicts,
    isCluster: isNode || isSharded,
    capabilities: {
      noKeys,
      undeclaredKeys: keyed._tag === "Text" && parse(keyed.text)?.[5] === true,
      severalSlots: severalSlots._tag === "Text",
      crossSlotScripts: crossSlotScripts._tag === "Text",
      readOnlyCommands: read.readOnlyCommands,
      publishInScripts: !(published._tag === "Text" && published.text === "false")
    }
  }
})

type Answer = readonly [
  server: string,
  memory: string,
  denied: unknown,
  replication?: string,
  hasKeys?: boolean,
  undeclared?: boolean
]

const parse = (text: string): Answer | undefined => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
