/**
 * Reads and writes stored keys past the library: in the memory store, and on a server.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { RedisTransport } from "../../RedisTransport.ts"
import { contents, sizeOf, type Store, type StoredValue, storedValue } from "../memory/store.ts"
import type { Dump, RawStore, Stored } from "./types.ts"

// ---------------------------------------------------------------------------------------------------------------------
// memory
// ---------------------------------------------------------------------------------------------------------------------

/** A value of a type that no model has. The interpreter fails on it, because it expects other tags. */
interface Text {
  readonly _tag: "string"
  readonly text: string
  expiresAt: number | undefined
}

/** @internal */
export const overMemory = (store: Store): RawStore["Service"] => {
  const values = store.values as Map<string, StoredValue | Text>
  const withNow = <A>(f: (now: number) => A): Effect.Effect<A> =>
    Clock.clockWith((clock) => Effect.sync(() => f(clock.currentTimeMillisUnsafe())))
  const find = (key: string, now: number) => store.get(key, now) as StoredValue | Text | undefined
  const as = <Tag extends StoredValue["_tag"]>(
    tag: Tag,
    key: string,
    now: number
  ): Extract<StoredValue, { readonly _tag: Tag }> => {
    const value = find(key, now) ?? storedValue(tag, [], undefined)
    if (value._tag !== tag) throw new Error(`${key} is a ${value._tag}`)
    return value as Extract<StoredValue, { readonly _tag: Tag }>
  }
  /** Stores a value, unless it is empty, because Redis has no empty keys. */
  const put = (key: string, value: StoredValue): void => {
    if (sizeOf(value) > 0) values.set(key, value)
  }
  const content = (value: StoredValue | Text): Stored["content"] =>
    value._tag === "string"
      ? value.text
      : value._tag === "hash"
      ? Object.fromEntries(value.fields)
      : value._tag === "set"
      ? contents(value).sort()
      : contents(value)
  return {
    hashSet: (key, fields) =>
      withNow((now) => {
        const value = as("hash", key, now)
        for (const [name, text] of Object.entries(fields)) value.fields.set(name, text)
        put(key, value)
      }),
    hashGet: (key, field) => withNow((now) => as("hash", key, now).fields.get(field)),
    hashDelete: (key, field) =>
      withNow((now) => {
        const value = as("hash", key, now)
        value.fields.delete(field)
        if (value.fields.size === 0) values.delete(key)
      }),
    listPush: (key, ...items) =>
      withNow((now) => {
        const value = as("list", key, now)
        for (const item of items) value.items.push(item)
        put(key, value)
      }),
    listRead: (key) => withNow((now) => [...as("list", key, now).items]),
    setAdd: (key, ...members) =>
      withNow((now) => {
        const value = as("set", key, now)
        for (const member of members) value.members.add(member)
        put(key, value)
      }),
    setRead: (key) => withNow((now) => contents(as("set", key, now)).sort()),
    sortedAdd: (key, ...added) =>
      withNow((now) => {
        const value = as("zset", key, now)
        put(key, storedValue("zset", [...contents(value), ...added], value.expiresAt))
      }),
    sortedRead: (key) => withNow((now) => contents(as("zset", key, now))),
    stringSet: (key, text) =>
      withNow(() => {
        values.set(key, { _tag: "string", text, expiresAt: undefined })
      }),
    expireAt: (key, millis) =>
      withNow((now) => {
        const value = find(key, now)
        if (value !== undefined) value.expiresAt = millis
      }),
    expiresAt: (key) => withNow((now) => find(key, now)?.expiresAt),
    delete: (key) =>
      withNow(() => {
        values.delete(key)
      }),
    dump: withNow((now) => {
      const dump: Record<string, Stored> = {}
      for (const key of [...values.keys()].sort()) {
        const value = find(key, now)
        if (value !== undefined) dump[key] = { type: value._tag, content: content(value), expiresAt: value.expiresAt }
      }
      return dump
    })
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// a server
// ---------------------------------------------------------------------------------------------------------------------

/** Runs one command. Integers are returned as digits, because a script's JSON would lose some. */
const command = (flags: string) =>
  `#!lua${flags}
local function plain(reply)
  if type(reply) == 'number' then return string.format('%.0f', reply) end
  return reply
end
return cjson.encode({ plain(redis.call(unpack(cjson.decode(ARGV[1])))) })`

const readCommand = command(" flags=no-writes")
const writeCommand = command("")

/** Returns the type, expiry and content of every key that matches the pattern. */
const readAll = `#!lua flags=no-writes
local read = {
  hash = { 'HGETALL' },
  list = { 'LRANGE', '0', '-1' },
  set = { 'SMEMBERS' },
  zset = { 'ZRANGE', '0', '-1', 'WITHSCORES' },
  string = { 'GET' }
}
local found, cursor = {}, '0'
repeat
  local page = redis.call('SCAN', cursor, 'MATCH', ARGV[1], 'COUNT', '10000')
  cursor = page[1]
  for _, key in ipairs(page[2]) do
    local kind = redis.call('TYPE', key).ok
    local words = read[kind]
    if words then
      local expiry = string.format('%.0f', redis.call('PEXPIRETIME', key))
      found[#found + 1] = { key, kind, expiry, redis.call(words[1], key, unpack(words, 2)) }
    end
  end
until cursor == '0'
return cjson.encode(found)`

/** The most arguments of one command, because a script can pass only a few thousand. An even number, for pairs. */
const maximumArguments = 1000

/** Returns a list of a reply. In a script an empty list and an empty object look the same. */
const listOf = (reply: unknown): ReadonlyArray<string> => Array.isArray(reply) ? reply : []

/** Returns a score as JavaScript writes it. */
const scoreText = (text: string): string => String(Number(text.replace("inf", "Infinity")))

/** Returns members and scores in turn. */
const scored = (texts: ReadonlyArray<string>) => texts.map((text, i) => i % 2 === 0 ? text : scoreText(text))

const contentOf = (type: Stored["type"], reply: unknown): Stored["content"] => {
  switch (type) {
    case "string":
      return String(reply)
    case "list":
      return listOf(reply)
    case "set":
      return listOf(reply).slice().sort()
    case "zset":
      return scored(listOf(reply))
    case "hash": {
      const texts = listOf(reply)
      // a field may be called `__proto__`
      return Object.fromEntries(texts.flatMap((text, i) => i % 2 === 0 ? [[text, texts[i + 1]]] : []))
    }
  }
}

const expiry = (millis: unknown): number | undefined => Number(millis) < 0 ? undefined : Number(millis)

/** @internal */
export const overTransport = (transport: RedisTransport["Service"], prefix: string): RawStore["Service"] => {
  const evaluate = (command: "EVAL" | "EVAL_RO", script: string, keys: ReadonlyArray<string>, argument: string) =>
    Effect.flatMap(
      Effect.orDie(transport.evaluate({ command, script, keys, argument })),
      (reply) =>
        reply._tag === "Error" ? Effect.die(new Error(reply.message)) : Effect.sync(() => JSON.parse(reply.text))
    )
  const send = (command: "EVAL" | "EVAL_RO", script: string, name: string, key: string, args: ReadonlyArray<string>) =>
    Effect.map(
      evaluate(command, script, [prefix + key], JSON.stringify([name, prefix + key, ...args])),
      ([reply]: ReadonlyArray<unknown>) => reply
    )
  const read = (name: string, key: string, ...args: ReadonlyArray<string>) =>
    send("EVAL_RO", readCommand, name, key, args)
  const write = (name: string, key: string, ...args: ReadonlyArray<string>) =>
    Effect.asVoid(send("EVAL", writeCommand, name, key, args))
  const writeMany = Effect.fnUntraced(function*(name: string, key: string, args: ReadonlyArray<string>) {
    for (let i = 0; i < args.length; i += maximumArguments) {
      yield* write(name, key, ...args.slice(i, i + maximumArguments))
    }
  })
  return {
    hashSet: (key, fields) => writeMany("HSET", key, Object.entries(fields).flat()),
    hashGet: (key, field) =>
      Effect.map(read("HGET", key, field), (text) => typeof text === "string" ? text : undefined),
    hashDelete: (key, field) => write("HDEL", key, field),
    listPush: (key, ...items) => writeMany("RPUSH", key, items),
    listRead: (key) => Effect.map(read("LRANGE", key, "0", "-1"), listOf),
    setAdd: (key, ...members) => writeMany("SADD", key, members),
    setRead: (key) => Effect.map(read("SMEMBERS", key), (reply) => listOf(reply).slice().sort()),
    sortedAdd: (key, ...entries) =>
      writeMany(
        "ZADD",
        key,
        entries.flatMap((member, i) => i % 2 === 0 ? [entries[i + 1].replace("Infinity", "inf"), member] : [])
      ),
    sortedRead: (key) => Effect.map(read("ZRANGE", key, "0", "-1", "WITHSCORES"), (reply) => scored(listOf(reply))),
    stringSet: (key, value) => write("SET", key, value),
    expireAt: (key, millis) => write("PEXPIREAT", key, String(millis)),
    expiresAt: (key) => Effect.map(read("PEXPIRETIME", key), expiry),
    delete: (key) => write("DEL", key),
    dump: Effect.map(
      evaluate("EVAL_RO", readAll, [], `${prefix.replace(/[*?[\]\\^]/g, "\\$&")}*`),
      (reply): Dump => {
        const rows = (Array.isArray(reply) ? reply : []) as ReadonlyArray<[string, Stored["type"], string, unknown]>
        return Object.fromEntries(
          rows.toSorted(([a], [b]) => a < b ? -1 : 1).map(([key, type, expiresAt, content]) => [
            key.slice(prefix.length),
            { type, content: contentOf(type, content), expiresAt: expiry(expiresAt) }
          ])
        )
      }
    )
  }
}

const unlinkAll = `#!lua
if #KEYS > 0 then redis.call('UNLINK', unpack(KEYS)) end
return ''`

/**
 * Removes all keys with this prefix, a page of the database at a time. Fails if a page has no answer.
 *
 * @internal
 */
export const removeAll = Effect.fnUntraced(function*(transport: RedisTransport["Service"], prefix: string) {
  const match = `${prefix.replaceAll(/[*?[\]\\^]/g, "\\$&")}*`
  let cursor = "0"
  do {
    const page = yield* transport.scan!({ cursor, match, count: maximumArguments })
    if (page._tag === "Error") return yield* Effect.fail(page)
    for (let i = 0; i < page.keys.length; i += maximumArguments) {
      const keys = page.keys.slice(i, i + maximumArguments)
      const reply = yield* transport.evaluate({ command: "EVAL", script: unlinkAll, keys, argument: "" })
      if (reply._tag === "Error") return yield* Effect.fail(reply)
    }
    cursor = page.cursor
  } while (cursor !== "0")
})
