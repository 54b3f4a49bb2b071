/**
 * Stores of Effect's own modules, beside Effect's layers over its Redis service, which have the same client here. They are measured by
 * `--only` alone, because Effect's modules are marked unstable, so no page promises a number.
 */
import { Context, Duration, Effect, Layer, Schema } from "effect"
import * as PersistedQueue from "effect/persistence/PersistedQueue"
import * as Persistence from "effect/persistence/Persistence"
import * as RateLimiter from "effect/persistence/RateLimiter"
import type * as Redis from "effect/persistence/Redis"
import { EffectPersistedQueue, EffectPersistence, EffectRateLimiter, EffectRedis, RedisService } from "redlayer"
import { compare } from "./harness/compare.ts"
import { perSecond } from "./harness/measures.ts"
import { fibersOn } from "./harness/work.ts"

const value = { _tag: "Success", value: { id: 1, name: "Alice", mail: "alice@example.com", roles: ["a", "b"] } }
const minute = Duration.minutes(1)
const hour = Duration.hours(1)

class Store extends Context.Service<Store, Persistence.BackingPersistenceStore>()("bench/Store") {}

const inStore = Layer.effect(
  Store,
  Effect.scoped(Effect.flatMap(Persistence.BackingPersistence, (backing) => backing.make("bench")))
)

const present = (found: object | undefined): void => {
  if (found === undefined) throw new Error("an entry is missing")
}

/** Each loop sets an entry, reads it, and goes on with the next one of 32. */
const setsAndGets = (
  layerOf: (url: string) => Layer.Layer<Persistence.BackingPersistence, unknown>
) =>
  fibersOn((url) => Layer.provide(inStore, layerOf(url)), {
    loops: 500,
    operations: (loop) => {
      let at = 0
      return () =>
        Effect.flatMap(Store, (store) => {
          const key = `${loop}-${(at >> 1) % 32}`
          return at++ % 2 === 0 ? store.set(key, value, minute) : Effect.map(store.get(key), present)
        })
    }
  })

/** Effect's own layer, over the client of ours. */
const overEffect = <A, E>(store: Layer.Layer<A, E, Redis.Redis>) => (url: string) =>
  store.pipe(Layer.provide(EffectRedis.layer()), Layer.provide(RedisService.layer({ url })))

const over = <A, E>(store: Layer.Layer<A, E, RedisService.RedisService>) => (url: string) =>
  Layer.provide(store, RedisService.layer({ url }))

const windows = 1000

/** Each loop asks whether a caller, the next one of a thousand, may go on, which it may. */
const limited = (layerOf: (url: string) => Layer.Layer<RateLimiter.RateLimiterStore, unknown>) =>
  fibersOn(layerOf, {
    loops: 500,
    operations: (loop) => {
      let at = loop
      return () =>
        Effect.flatMap(RateLimiter.RateLimiterStore, (store) =>
          store.fixedWindow({ key: `caller-${at++ % windows}`, tokens: 1, refillRate: hour, limit: 1_000_000_000 }))
    }
  })

class Jobs extends Context.Service<Jobs, PersistedQueue.PersistedQueue<number>>()("bench/Jobs") {}

const inQueue = Layer.effect(Jobs, PersistedQueue.make({ name: "jobs", schema: Schema.Int }))

/** Each loop offers an item, takes one, and completes it. */
const offersAndTakes = (layerOf: (url: string) => Layer.Layer<PersistedQueue.PersistedQueueStore, unknown>) =>
  fibersOn((url) => inQueue.pipe(Layer.provide(PersistedQueue.layer), Layer.provide(layerOf(url))), {
    loops: 16,
    operations: () => () => Effect.flatMap(Jobs, (jobs) => Effect.andThen(jobs.offer(1), jobs.take(() => Effect.void)))
  })

export const rows = [
  compare({
    module: import.meta.url,
    name: "effect-limiter",
    contender: "Effect's own layer",
    target: undefined,
    ...perSecond,
    ours: limited(over(EffectRateLimiter.layer)),
    theirs: limited(overEffect(RateLimiter.layerStoreRedis())),
    prepare: async (redis) => async ({ ours }) => {
      const keys = Array.from({ length: windows }, (_, i) => `EffectFixedWindow:{caller-${i}}`)
      const counts = await Promise.all(keys.map((key) => redis.hget(key, "count")))
      const sum = counts.reduce((sum, count) => sum + Number(count), 0)
      return sum === ours ? undefined : `${sum} calls were counted of ${ours}`
    }
  }),
  compare({
    module: import.meta.url,
    name: "effect-queue",
    contender: "Effect's own layer",
    target: undefined,
    ...perSecond,
    ours: offersAndTakes(over(EffectPersistedQueue.layer())),
    theirs: offersAndTakes(overEffect(PersistedQueue.layerStoreRedis())),
    prepare: async (redis) => async () => {
      const [ours, theirs] = [await redis.zcard("EffectQueue:{jobs}:ready"), await redis.llen("effectq:jobs")]
      return ours === 0 && theirs === 0 ? undefined : `${ours} and ${theirs} items are left`
    }
  }),
  compare({
    module: import.meta.url,
    name: "effect-persistence",
    contender: "Effect's own layer",
    target: undefined,
    ...perSecond,
    ours: setsAndGets(over(EffectPersistence.layerBacking)),
    theirs: setsAndGets(overEffect(Persistence.layerBackingRedis)),
    prepare: async (redis) => async () => {
      const ours = await redis.hget("EffectPersistence:{bench/0-0}", "value")
      const theirs = await redis.get("bench:0-0")
      return ours === theirs && ours === JSON.stringify(value) ? undefined : `${ours} and ${theirs} are stored`
    }
  })
]
