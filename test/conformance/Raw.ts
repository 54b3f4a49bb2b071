/**
 * What a suite runs over: a layer, and a way to read and write the same store past the library, as another program would.
 */
import { Clock, Context, Effect, Layer, type Scope } from "effect"
import { RedisService } from "redlayer"
import { make as makeMemory } from "../../src/internal/memory/service.ts"
import { type Entry, entryOf, Store, textsOf } from "../../src/internal/memory/store.ts"
import { type Backend as Where, redis, uniquePrefix } from "../support/Backends.ts"
import { deletePrefix } from "../support/globalSetup.ts"
import * as RawRedis from "../support/RawRedis.ts"

/** One key, as it is stored. The members of a set are in no order, so here they are sorted; a sorted set has its own. */
export interface Stored {
  readonly type: "hash" | "list" | "set" | "zset" | "string"
  readonly content: Readonly<Record<string, string>> | ReadonlyArray<string> | string
  /** when it expires, in milliseconds since the epoch; undefined: never */
  readonly expiresAt: number | undefined
}

/** Everything that is stored, by key and without the prefix. */
export type Dump = Readonly<Record<string, Stored>>

/** Reads and writes keys as they are stored. Every key is given without the prefix of the layer. */
export class RawWriter extends Context.Service<RawWriter, {
  readonly hashSet: (key: string, fields: Readonly<Record<string, string>>) => Effect.Effect<void>
  readonly hashGet: (key: string, field: string) => Effect.Effect<string | undefined>
  readonly hashDelete: (key: string, field: string) => Effect.Effect<void>
  readonly listPush: (key: string, ...items: ReadonlyArray<string>) => Effect.Effect<void>
  readonly listRead: (key: string) => Effect.Effect<ReadonlyArray<string>>
  readonly setAdd: (key: string, ...members: ReadonlyArray<string>) => Effect.Effect<void>
  readonly setRead: (key: string) => Effect.Effect<ReadonlyArray<string>>
  /** members and scores in turn */
  readonly sortedAdd: (key: string, ...entries: ReadonlyArray<string>) => Effect.Effect<void>
  readonly sortedRead: (key: string) => Effect.Effect<ReadonlyArray<string>>
  readonly stringSet: (key: string, value: string) => Effect.Effect<void>
  /** in milliseconds since the epoch */
  readonly expireAt: (key: string, millis: number) => Effect.Effect<void>
  readonly expiresAt: (key: string) => Effect.Effect<number | undefined>
  readonly delete: (key: string) => Effect.Effect<void>
  readonly dump: Effect.Effect<Dump>
}>()("redlayer/test/RawWriter") {}

/** What a test may use. */
export type Env = RedisService.RedisService | RawWriter

/** Each build has a store, or a prefix, of its own. */
export interface Backend {
  readonly name: Where["name"]
  readonly layer: Layer.Layer<Env>
  /** the same, where a value, and a program, may have that many bytes */
  readonly limited: (
    maximumValueBytes: number,
    maximumProgramBytes?: number
  ) => Layer.Layer<RedisService.RedisService>
}

/** Registers one test of a suite. */
export type Test = <A, E>(name: string, body: () => Effect.Effect<A, E, Env | Scope.Scope>) => void

// ---------------------------------------------------------------------------------------------------------------------
// redis
// ---------------------------------------------------------------------------------------------------------------------

/** A score as JavaScript writes it. */
const scoreText = (text: unknown): string => String(Number(String(text).replace("inf", "Infinity")))

const overRedis = (redis: RawRedis.RawRedis, prefix: string): RawWriter["Service"] => {
  const call = (command: string, ...args: Array<string>) => Effect.orDie(redis.call(command, ...args))
  const expiresAt = (key: string) =>
    Effect.map(call("PEXPIRETIME", prefix + key), (millis) => Number(millis) < 0 ? undefined : Number(millis))
  const hashRead = (key: string) =>
    Effect.map(call("HGETALL", prefix + key), (row) => {
      const texts = row as ReadonlyArray<string>
      // a field may be called `__proto__`
      return Object.fromEntries(texts.flatMap((text, i) => i % 2 === 0 ? [[text, texts[i + 1]]] : []))
    })
  const listRead = (key: string) => Effect.map(call("LRANGE", prefix + key, "0", "-1"), (row) => row as Array<string>)
  const setRead = (key: string) =>
    Effect.map(call("SMEMBERS", prefix + key), (row) => (row as Array<string>).slice().sort())
  const sortedRead = (key: string) =>
    Effect.map(
      call("ZRANGE", prefix + key, "0", "-1", "WITHSCORES"),
      // in pairs, or flat, by the protocol that is spoken
      (row) => (row as Array<unknown>).flat().map((text, i) => i % 2 === 0 ? String(text) : scoreText(text))
    )
  const content = (type: Stored["type"], key: string): Effect.Effect<Stored["content"]> => {
    switch (type) {
      case "hash":
        return hashRead(key)
      case "list":
        return listRead(key)
      case "set":
        return setRead(key)
      case "zset":
        return sortedRead(key)
      case "string":
        return Effect.map(call("GET", prefix + key), String)
    }
  }
  const scan = Effect.gen(function*() {
    const keys = new Set<string>()
    let cursor = "0"
    do {
      const [next, found] = (yield* call("SCAN", cursor, "MATCH", `${prefix}*`, "COUNT", "10000")) as [
        string,
        Array<string>
      ]
      for (const key of found) keys.add(key.slice(prefix.length))
      cursor = next
    } while (cursor !== "0")
    return [...keys].sort()
  })
  return {
    hashSet: (key, fields) => Effect.asVoid(call("HSET", prefix + key, ...Object.entries(fields).flat())),
    hashGet: (key, field) =>
      Effect.map(call("HGET", prefix + key, field), (text) => text === null ? undefined : String(text)),
    hashDelete: (key, field) => Effect.asVoid(call("HDEL", prefix + key, field)),
    listPush: (key, ...items) => Effect.asVoid(call("RPUSH", prefix + key, ...items)),
    listRead,
    setAdd: (key, ...members) => Effect.asVoid(call("SADD", prefix + key, ...members)),
    setRead,
    sortedAdd: (key, ...entries) =>
      Effect.asVoid(call(
        "ZADD",
        prefix + key,
        ...entries.flatMap((member, i) => i % 2 === 0 ? [entries[i + 1].replace("Infinity", "inf"), member] : [])
      )),
    sortedRead,
    stringSet: (key, value) => Effect.asVoid(call("SET", prefix + key, value)),
    expireAt: (key, millis) => Effect.asVoid(call("PEXPIREAT", prefix + key, String(millis))),
    expiresAt,
    delete: (key) => Effect.asVoid(call("DEL", prefix + key)),
    dump: Effect.gen(function*() {
      const dump: Record<string, Stored> = {}
      for (const key of yield* scan) {
        const type = (yield* call("TYPE", prefix + key)) as Stored["type"] | "none"
        // it has expired meanwhile
        if (type === "none") continue
        dump[key] = { type, content: yield* content(type, key), expiresAt: yield* expiresAt(key) }
      }
      return dump
    })
  }
}

const url = Effect.suspend(() =>
  redis.url === undefined ? Effect.die("This run has no Redis") : Effect.succeed(redis.url)
)

/** A layer over the server at `url`, with keys under a prefix of its own, beside a raw writer that adds that prefix. */
export const layerRedis = (
  url: Effect.Effect<string>,
  options?: RedisService.ServiceOptions,
  live: (
    options: RedisService.LayerOptions
  ) => Layer.Layer<RedisService.RedisService, unknown> = RedisService.layer
): Layer.Layer<Env> =>
  Layer.unwrap(Effect.gen(function*() {
    const at = yield* url
    const prefix = uniquePrefix("conformance")
    const raw = yield* Effect.orDie(RawRedis.make(at))
    // a dump walks over all of the server's keys
    yield* Effect.addFinalizer(() => Effect.orDie(deletePrefix(at, prefix)))
    return Layer.mergeAll(
      Layer.orDie(live({ ...options, url: at, keyPrefix: prefix })),
      Layer.succeed(RawWriter, overRedis(raw, prefix))
    )
  }))

// ---------------------------------------------------------------------------------------------------------------------
// memory
// ---------------------------------------------------------------------------------------------------------------------

/** A key of a type that no model has: the interpreter may only find out that it is neither a hash nor a list. */
interface Text {
  readonly _tag: "string"
  readonly text: string
  expiresAt: number | undefined
}

const overMemory = (store: Store): RawWriter["Service"] => {
  const entries = store.entries as Map<string, Entry | Text>
  const withNow = <A>(f: (now: number) => A): Effect.Effect<A> =>
    Clock.clockWith((clock) => Effect.sync(() => f(clock.currentTimeMillisUnsafe())))
  const find = (key: string, now: number) => store.get(key, now) as Entry | Text | undefined
  const as = <Tag extends Entry["_tag"]>(
    tag: Tag,
    key: string,
    now: number
  ): Extract<Entry, { readonly _tag: Tag }> => {
    const entry = find(key, now) ?? entryOf(tag, [], undefined)
    if (entry._tag !== tag) throw new Error(`${key} is a ${entry._tag}`)
    return entry as Extract<Entry, { readonly _tag: Tag }>
  }
  const content = (entry: Entry | Text): Stored["content"] =>
    entry._tag === "string"
      ? entry.text
      : entry._tag === "hash"
      ? Object.fromEntries(entry.fields)
      : entry._tag === "set"
      ? textsOf(entry).sort()
      : textsOf(entry)
  return {
    hashSet: (key, fields) =>
      withNow((now) => {
        const entry = as("hash", key, now)
        for (const [name, text] of Object.entries(fields)) entry.fields.set(name, text)
        entries.set(key, entry)
      }),
    hashGet: (key, field) => withNow((now) => as("hash", key, now).fields.get(field)),
    hashDelete: (key, field) =>
      withNow((now) => {
        const entry = as("hash", key, now)
        entry.fields.delete(field)
        if (entry.fields.size === 0) entries.delete(key)
      }),
    listPush: (key, ...items) =>
      withNow((now) => {
        const entry = as("list", key, now)
        for (const item of items) entry.items.push(item)
        entries.set(key, entry)
      }),
    listRead: (key) => withNow((now) => [...as("list", key, now).items]),
    setAdd: (key, ...members) =>
      withNow((now) => {
        const entry = as("set", key, now)
        for (const member of members) entry.members.add(member)
        entries.set(key, entry)
      }),
    setRead: (key) => withNow((now) => textsOf(as("set", key, now)).sort()),
    sortedAdd: (key, ...added) =>
      withNow((now) => {
        const entry = as("zset", key, now)
        entries.set(key, entryOf("zset", [...textsOf(entry), ...added], entry.expiresAt))
      }),
    sortedRead: (key) => withNow((now) => textsOf(as("zset", key, now))),
    stringSet: (key, text) =>
      withNow(() => {
        entries.set(key, { _tag: "string", text, expiresAt: undefined })
      }),
    expireAt: (key, millis) =>
      withNow((now) => {
        const entry = find(key, now)
        if (entry !== undefined) entry.expiresAt = millis
      }),
    expiresAt: (key) => withNow((now) => find(key, now)?.expiresAt),
    delete: (key) =>
      withNow(() => {
        entries.delete(key)
      }),
    dump: withNow((now) => {
      const dump: Record<string, Stored> = {}
      for (const key of [...entries.keys()].sort()) {
        const entry = find(key, now)
        if (entry !== undefined) dump[key] = { type: entry._tag, content: content(entry), expiresAt: entry.expiresAt }
      }
      return dump
    })
  }
}

/** The memory layer over a store that a raw writer shares. */
export const layerMemory: Layer.Layer<Env> = Layer.effectContext(Effect.sync(() => {
  const store = new Store()
  return Context.make(RedisService.RedisService, makeMemory(store)).pipe(Context.add(RawWriter, overMemory(store)))
}))

// ---------------------------------------------------------------------------------------------------------------------
// both
// ---------------------------------------------------------------------------------------------------------------------

export const all: { readonly [Name in Where["name"]]: Backend } = {
  memory: {
    name: "memory",
    layer: layerMemory,
    limited: (maximumValueBytes, maximumProgramBytes) =>
      RedisService.layerMemoryWith({ maximumValueBytes, maximumProgramBytes })
  },
  redis: {
    name: "redis",
    layer: layerRedis(url),
    limited: (maximumValueBytes, maximumProgramBytes) => layerRedis(url, { maximumValueBytes, maximumProgramBytes })
  }
}
