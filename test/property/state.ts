/**
 * What is stored, on a server and in memory, in one form: written without going through the library, read back and compared.
 */
import { Clock, Effect } from "effect"
import type { RedisService } from "redlayer"
import * as Memory from "../../src/internal/memory/service.ts"
import { Store } from "../../src/internal/memory/store.ts"
import type { RawRedis } from "../support/RawRedis.ts"
import type { ModelCase } from "./models.ts"
import type { Random } from "./random.ts"

/** One key: `values` are the items of a list, or the names and values of a hash in turn, sorted by name. */
export interface Entry {
  readonly type: string
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

/** Where programs run: a layer, and a way to its keys that does not go through the library. */
export interface Target {
  readonly service: RedisService.RedisService["Service"]
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

const write = (store: Store, state: State): void => {
  for (const [key, { expiry, type, values }] of state) {
    const expiresAt = expiry < 0 ? undefined : expiry
    store.entries.set(
      key,
      type === "hash"
        ? { _tag: "hash", fields: new Map(pairs(values)), expiresAt }
        : { _tag: "list", items: [...values], expiresAt }
    )
  }
}

export const readStore = (store: Store): State =>
  new Map(
    Array.from(store.entries, ([key, entry]) => [key, {
      type: entry._tag,
      expiry: entry.expiresAt ?? -1,
      values: entry._tag === "hash" ? hash(entry.fields) : [...entry.items]
    }])
  )

/** A clock that moves with every look, so that no two entities begin at one time. */
const movingClock = (): Clock.Clock => {
  let now = Date.now()
  const live = Clock.Clock.defaultValue()
  return {
    currentTimeMillisUnsafe: () => ++now,
    currentTimeMillis: Effect.sync(() => ++now),
    currentTimeNanosUnsafe: () => BigInt(++now) * 1_000_000n,
    currentTimeNanos: Effect.sync(() => BigInt(++now) * 1_000_000n),
    monotonicTimeNanosUnsafe: () => live.monotonicTimeNanosUnsafe(),
    monotonicTimeNanos: live.monotonicTimeNanos,
    sleep: (duration) => live.sleep(duration)
  }
}

export const memory = (): Target => {
  const store = new Store()
  const service = Memory.make(store)
  const clock = movingClock()
  return {
    service: { execute: (program, read) => Effect.provideService(service.execute(program, read), Clock.Clock, clock) },
    reset: (state) =>
      Effect.sync(() => {
        store.entries.clear()
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
    out[i] = { key, kind, redis.call("PEXPIRETIME", key), values or {} }
  end
  return out`

/** `prefix` is what the keys of the service begin with, and no others. */
export const redis = (service: Target["service"], raw: RawRedis, prefix: string): Target => ({
  service,
  reset: Effect.fnUntraced(function*(state) {
    yield* Effect.orDie(raw.call("EVAL", clearScript, "0", prefix))
    const pipeline = raw.client.pipeline()
    for (const [key, { expiry, type, values }] of state) {
      // what was read may be of an entity that had only a version of 0
      pipeline.call(type === "hash" ? "HSET" : "RPUSH", prefix + key, ...(values.length === 0 ? ["$v", "0"] : values))
      if (expiry >= 0) pipeline.call("PEXPIREAT", prefix + key, expiry)
    }
    const replies = yield* Effect.promise(() => pipeline.exec())
    for (const [error] of replies ?? []) if (error !== null) return yield* Effect.die(error)
  }),
  read: Effect.map(Effect.orDie(raw.call("EVAL", readScript, "0", prefix)), (found) =>
    new Map(
      (found as Array<[string, string, number, Array<string>]>).map(([key, type, expiry, values]): [string, Entry] => [
        key.slice(prefix.length),
        { type, expiry: Number(expiry), values: type === "hash" ? hash(pairs(values)) : values }
      ])
    ))
})

// comparison

const withoutVersion = (entry: Entry | undefined): string =>
  entry === undefined ? "nothing" : JSON.stringify({
    ...entry,
    values: entry.type === "hash" ? pairs(entry.values).filter(([name]) => name !== "$v") : entry.values
  })

const growth = (before: string | undefined, after: string): bigint => BigInt(after) - BigInt(digits(before))
const digits = (text: string | undefined): string => text !== undefined && /^-?\d+$/.test(text) ? text : "0"

/** A new incarnation begins at the time of its interpreter, in microseconds. */
const isFresh = (before: string | undefined, after: string): boolean =>
  growth(before, after) > 1000n && BigInt(after) > 1_600_000_000_000_000n

/**
 * The first key that is not the same on both sides. Versions are compared by how they grew since `before`, since a new entity
 * begins at the server's time.
 */
export const difference = (
  [redis, memory]: readonly [State, State],
  [redisBefore, memoryBefore]: readonly [State, State]
): { readonly key: string; readonly text: string } | undefined => {
  for (const key of new Set([...redis.keys(), ...memory.keys()])) {
    const [onRedis, inMemory] = [withoutVersion(redis.get(key)), withoutVersion(memory.get(key))]
    if (onRedis !== inMemory) return { key, text: `on redis ${onRedis}, in memory ${inMemory}` }
    const [theirs, theirsBefore] = [versionOf(redis.get(key)), versionOf(redisBefore.get(key))]
    const [ours, oursBefore] = [versionOf(memory.get(key)), versionOf(memoryBefore.get(key))]
    if (theirs === ours && theirsBefore === oursBefore || theirs === theirsBefore && ours === oursBefore) continue
    const agree = theirs !== undefined && ours !== undefined && /^-?\d+$/.test(theirs) && /^-?\d+$/.test(ours) &&
      (isFresh(theirsBefore, theirs)
        ? isFresh(oursBefore, ours)
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

// what is there at first

const badVersions = ["abc", "1.5", "", "007", "-0", "0x10", " 1", "9223372036854775807", "9223372036854775808", "nan"]

const farFuture = 4_102_444_800_000

const expiryOf = (random: Random): number => random.chance(0.25) ? farFuture + random.int(0, 1e9) : -1

/**
 * What another client may have left under the keys of an entity: nothing, a good entity, one with holes or bad texts, lists
 * whose hash is gone, keys of another type.
 */
export const randomEntity = (
  self: ModelCase,
  key: string,
  random: Random,
  kind = random.chance(0.7) ? "good" : random.pick(["holes", "bad", "bad", "leftovers", "none", "none"])
): Map<string, Entry> => {
  const state = new Map<string, Entry>()
  if (kind === "none") return state
  const badness = kind === "bad" ? 0.15 : 0
  const text = (stored: { good: (random: Random) => string; bad: (random: Random) => string }) =>
    random.chance(badness) ? stored.bad(random) : stored.good(random)
  const fields: Array<[string, string]> = []
  for (const { calls, stored } of self.fields) {
    if (stored === undefined) continue
    const mayLack = kind === "holes" || calls.some(([operation]) => operation === "optional.clear")
    if (mayLack && random.chance(0.3)) continue
    if (!stored.isList) {
      fields.push([stored.name, text(stored)])
    } else if (random.chance(badness * 0.3)) {
      state.set(`${key}:${stored.name}`, { type: "hash", expiry: expiryOf(random), values: ["$v", "7", "x", "1"] })
    } else {
      const values = random.array(random.chance(0.2) ? 0 : 1, random.chance(0.3) ? 1 : 5, () => text(stored))
      if (values.length > 0) state.set(`${key}:${stored.name}`, { type: "list", expiry: expiryOf(random), values })
    }
  }
  if (kind === "leftovers") return state
  if (random.chance(badness * 0.5)) {
    state.set(key, { type: "list", expiry: expiryOf(random), values: ["1", "x"] })
    return state
  }
  if (random.chance(0.1)) fields.push(["of another time", "kept?"])
  const versions = kind === "bad" && random.chance(0.3) ? badVersions : ["0", "1", "41", "1732000000000000", "-7"]
  if (random.chance(0.8)) fields.push(["$v", random.pick(versions)])
  if (fields.length > 0) state.set(key, { type: "hash", expiry: expiryOf(random), values: fields.flat() })
  return state
}
