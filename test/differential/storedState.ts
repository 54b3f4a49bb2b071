/**
 * The stored state of a server and of memory in one form: written and read without the library, and compared.
 */
import { Clock, Effect } from "effect"
import type { RedisService } from "redlayer"
import { slotOf } from "../../src/internal/instruction/slot.ts"
import * as Memory from "../../src/internal/memory/service.ts"
import { contents, Store, type StoredValue as Stored, storedValue } from "../../src/internal/memory/store.ts"
import type { RawRedis } from "../support/RawRedis.ts"
import type { RedisCluster } from "../support/RedisCluster.ts"

/**
 * One key: `values` are the items of a list, the members of a set, sorted; the names and values of a hash in turn, sorted by
 * name; the members and scores of a sorted set in turn, in its order.
 */
export interface Entry {
  readonly type: Stored["_tag"]
  /** in milliseconds since 1970, -1 for never */
  readonly expiry: number
  readonly values: ReadonlyArray<string>
}

/** By key, without the prefix of the test. */
export type State = ReadonlyMap<string, Entry>

const pairs = (values: ReadonlyArray<string>): Array<[name: string, value: string]> =>
  Array.from({ length: values.length / 2 }, (_, i) => [values[2 * i]!, values[2 * i + 1]!])

/** In one order, and without a version of 0: an entity without a version has that. */
const hash = (fields: Iterable<readonly [string, string]>): ReadonlyArray<string> =>
  [...fields].filter(([name, value]) => name !== "$v" || value !== "0").sort(([a], [b]) => a < b ? -1 : 1).flat()

const versionOf = (entry: Entry | undefined): string | undefined =>
  entry?.type === "hash" ? pairs(entry.values).find(([name]) => name === "$v")?.[1] : undefined

/** A score in one form: the server has texts of its own for the infinite ones, and more digits than it needs. */
const scoreOf = (text: string): string => String(Number(text.replace(/^(-?)inf$/, "$1Infinity")))

/** The content of a key, in one form. */
const normal = (type: Entry["type"], expiry: number, texts: ReadonlyArray<string>): Entry => ({
  type,
  expiry,
  values: type === "hash"
    ? hash(pairs(texts))
    : type === "set"
    ? [...texts].sort()
    : type === "zset"
    ? texts.map((text, i) => i % 2 === 0 ? text : scoreOf(text))
    : [...texts]
})

type Service = RedisService.RedisService["Service"]

/** A service of which programs use nothing else. */
export const serviceOf = (execute: Service["execute"]): Service => ({ ...Memory.make(), execute })

/** Where programs run: a layer, and a way to its keys that does not go through the library. */
export interface Target {
  readonly service: Service
  /** Replaces all that is stored. */
  readonly reset: (state: State) => Effect.Effect<void>
  readonly read: Effect.Effect<State>
}

// memory

export const storeOf = (state: State): Store => {
  const store = new Store()
  write(store, state)
  return store
}

/** The texts to write, which are never none: a hash that was read may have had only a version, or an entry of that name, of 0. */
const textsOf = ({ values }: Entry): ReadonlyArray<string> => values.length === 0 ? ["$v", "0"] : values

const write = (store: Store, state: State): void => {
  for (const [key, entry] of state) {
    const { expiry, type } = entry
    store.values.set(key, storedValue(type, textsOf(entry), expiry < 0 ? undefined : expiry))
  }
}

export const readStore = (store: Store): State =>
  new Map(
    Array.from(store.values, ([key, entry]) => [key, normal(entry._tag, entry.expiresAt ?? -1, contents(entry))])
  )

/** A clock that moves with every look, so that no two entities begin at one time. */
const movingClock = (time: ServerTime): Clock.Clock => {
  let now = 0
  const next = () => time.millis ?? (now = Math.max(now + 1, Date.now()))
  const live = Clock.Clock.defaultValue()
  return {
    currentTimeMillisUnsafe: next,
    currentTimeMillis: Effect.sync(next),
    currentTimeNanosUnsafe: () => BigInt(next()) * 1_000_000n,
    currentTimeNanos: Effect.sync(() => BigInt(next()) * 1_000_000n),
    monotonicTimeNanosUnsafe: () => live.monotonicTimeNanosUnsafe(),
    monotonicTimeNanos: live.monotonicTimeNanos,
    sleep: (duration) => live.sleep(duration)
  }
}

/** The time at which memory runs a program that looked at the server's time: `millis` is unset for any other. */
export interface ServerTime {
  millis: number | undefined
}

export const memory = (time: ServerTime = { millis: undefined }): Target => {
  const store = new Store()
  const service = Memory.make(store)
  const clock = movingClock(time)
  return {
    service: {
      ...service,
      execute: (program, read) => Effect.provideService(service.execute(program, read), Clock.Clock, clock),
      executeAll: (programs, read) => Effect.provideService(service.executeAll(programs, read), Clock.Clock, clock)
    },
    reset: (state) =>
      Effect.sync(() => {
        store.values.clear()
        write(store, state)
      }),
    read: Effect.sync(() => readStore(store))
  }
}

// server

const clearScript = `
  for _, key in ipairs(redis.call("KEYS", ARGV[1] .. "*")) do redis.call("DEL", key) end`

const readScript = `
  local out = {}
  for i, key in ipairs(redis.call("KEYS", ARGV[1] .. "*")) do
    local kind = redis.call("TYPE", key).ok
    local values = kind == "hash" and redis.call("HGETALL", key) or kind == "list" and redis.call("LRANGE", key, 0, -1)
      or kind == "set" and redis.call("SMEMBERS", key) or kind == "zset" and redis.call("ZRANGE", key, 0, -1, "WITHSCORES")
    out[i] = { key, kind, redis.call("PEXPIRETIME", key), values or {} }
  end
  return out`

const commands = { hash: "HSET", list: "RPUSH", set: "SADD", zset: "ZADD" }

const clearNode = (raw: RawRedis, prefix: string) => Effect.orDie(raw.call("EVAL", clearScript, "0", prefix))

const writeNode = Effect.fnUntraced(function*(
  raw: RawRedis,
  prefix: string,
  state: Iterable<readonly [key: string, entry: Entry]>
) {
  const pipeline = raw.client.pipeline()
  for (const [key, entry] of state) {
    const { expiry, type } = entry
    const texts = textsOf(entry)
    pipeline.call(
      commands[type],
      prefix + key,
      ...(type === "zset" ? pairs(texts).flatMap(([a, b]) => [b, a]) : texts)
    )
    if (expiry >= 0) pipeline.call("PEXPIREAT", prefix + key, expiry)
  }
  const replies = yield* Effect.promise(() => pipeline.exec())
  for (const [error] of replies ?? []) if (error !== null) return yield* Effect.die(error)
})

const readNode = (raw: RawRedis, prefix: string): Effect.Effect<ReadonlyArray<readonly [key: string, entry: Entry]>> =>
  Effect.map(
    Effect.orDie(raw.call("EVAL", readScript, "0", prefix)),
    (found) =>
      (found as Array<[string, Entry["type"], number, Array<string>]>).map(([key, type, expiry, values]) =>
        [key.slice(prefix.length), normal(type, Number(expiry), values)] as const
      )
  )

/** `prefix` is what the keys of the service begin with, and no others. */
export const redis = (service: Target["service"], raw: RawRedis, prefix: string): Target => ({
  service,
  reset: (state) => Effect.andThen(clearNode(raw, prefix), writeNode(raw, prefix, state)),
  read: Effect.map(readNode(raw, prefix), (found) => new Map(found))
})

/** @param still makes an effect wait until no slot is moving */
export const cluster = (
  service: Target["service"],
  { owners, primaries }: RedisCluster,
  prefix: string,
  still: <A>(self: Effect.Effect<A>) => Effect.Effect<A>
): Target => {
  return {
    service,
    reset: (state) =>
      still(Effect.forEach(primaries, (node) =>
        Effect.andThen(
          clearNode(node.raw, prefix),
          writeNode(node.raw, prefix, [...state].filter(([key]) => owners[slotOf(key)] === node))
        ), { discard: true })),
    read: still(
      Effect.map(Effect.forEach(primaries, ({ raw }) => readNode(raw, prefix)), (found) => new Map(found.flat()))
    )
  }
}

// comparison

/** All of several states. An index that entities of several of them share has the entries of each. */
export const joined = (states: ReadonlyArray<State>): State => {
  const all = new Map<string, Entry>()
  for (const [key, entry] of states.flatMap((state) => [...state])) {
    const known = all.get(key)
    all.set(key, known === undefined ? entry : { ...entry, values: [...known.values, ...entry.values] })
  }
  return all
}

/** Whether both have the same expiries, as far as two moments allow. */
const areNearExpiries = (a: Entry, b: Entry): boolean => {
  const theirs = new Map(pairs(b.values))
  return a.values.length === b.values.length &&
    pairs(a.values).every(([id, at]) => theirs.has(id) && isNear(Number(at), Number(theirs.get(id))))
}

const content = (entry: Entry | undefined): string =>
  entry === undefined ? "nothing" : JSON.stringify([
    entry.type,
    entry.type === "hash" ? pairs(entry.values).filter(([name]) => name !== "$v") : entry.values
  ])

/** Times on both sides that are of one operation: its moments differ. */
export const isNear = (a: number, b: number): boolean => a < 0 || b < 0 ? a === b : Math.abs(a - b) <= 10 * 60_000

const growth = (before: string | undefined, after: string): bigint => BigInt(after) - BigInt(digits(before))
const digits = (text: string | undefined): string => text !== undefined && /^-?\d+$/.test(text) ? text : "0"

/** A new incarnation begins at the time of its interpreter, in microseconds. */
const isNew = (before: string | undefined, after: string): boolean =>
  growth(before, after) > 1000n && BigInt(after) > 1_600_000_000_000_000n

/** Whether a version is of an entity that was created in this run, and not stored before. */
export const isFresh = (version: string): boolean => /^\d+$/.test(version) && BigInt(version) > 1_750_000_000_000_000n

/**
 * The first key that is not the same on both sides. Versions are compared by how they grew since `before`, since a new entity
 * begins at the server's time; and expiries have changed on both sides, or on none.
 */
export const difference = (
  [redis, memory]: readonly [State, State],
  [redisBefore, memoryBefore]: readonly [State, State],
  drift = 0
): { readonly key: string; readonly text: string } | undefined => {
  for (const key of new Set([...redis.keys(), ...memory.keys()])) {
    const [onRedis, inMemory] = [content(redis.get(key)), content(memory.get(key))]
    const [these, those] = [redis.get(key), memory.get(key)]
    if (key.endsWith(":$exp") && these !== undefined && those !== undefined && areNearExpiries(these, those)) {
      continue
    }
    if (onRedis !== inMemory) return { key, text: `on redis ${onRedis}, in memory ${inMemory}` }
    const [there, thereBefore, here, hereBefore] = [redis, redisBefore, memory, memoryBefore].map((state) =>
      state.get(key)?.expiry
    )
    const isSame = (a: number | undefined, b: number | undefined) => a === b || Math.abs(a! - b!) <= drift
    if (!isNear(there!, here!) || isSame(there, thereBefore) !== isSame(here, hereBefore)) {
      const ours = `in memory ${hereBefore} -> ${here}`
      return { key, text: `its expiry on redis ${thereBefore} -> ${there}, ${ours}` }
    }
    const [theirs, theirsBefore] = [versionOf(redis.get(key)), versionOf(redisBefore.get(key))]
    const [ours, oursBefore] = [versionOf(memory.get(key)), versionOf(memoryBefore.get(key))]
    if (theirs === ours && theirsBefore === oursBefore || theirs === theirsBefore && ours === oursBefore) continue
    const agree = theirs !== undefined && ours !== undefined && /^-?\d+$/.test(theirs) && /^-?\d+$/.test(ours) &&
      (isNew(theirsBefore, theirs)
        ? isNew(oursBefore, ours)
        : growth(theirsBefore, theirs) === growth(oursBefore, ours) && growth(theirsBefore, theirs) > 0n)
    if (!agree) {
      return { key, text: `its $v on redis ${theirsBefore} -> ${theirs}, in memory ${oursBefore} -> ${ours}` }
    }
  }
}

/** The first key that is not exactly as it was, versions included. */
export const change = (before: State, after: State): string | undefined => {
  for (const key of new Set([...before.keys(), ...after.keys()])) {
    const [was, is] = [JSON.stringify(before.get(key)), JSON.stringify(after.get(key))]
    if (was !== is) return `${key} was ${was}, and is ${is}`
  }
}
