/**
 * Stores of Effect's own modules, beside Effect's layers over its Redis service, which have the same client here. They are measured by
 * `--only` alone, because Effect's modules are marked unstable, so no page promises a number.
 */
import { Context, Duration, Effect, Layer } from "effect"
import * as Persistence from "effect/persistence/Persistence"
import { EffectPersistence, EffectRedis, RedisService } from "redlayer"
import { compare } from "./harness/compare.ts"
import { perSecond } from "./harness/measures.ts"
import { fibersOn } from "./harness/work.ts"

const value = { _tag: "Success", value: { id: 1, name: "Alice", mail: "alice@example.com", roles: ["a", "b"] } }
const minute = Duration.minutes(1)

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

export const rows = [
  compare({
    module: import.meta.url,
    name: "effect-persistence",
    contender: "Effect's own layer",
    target: undefined,
    ...perSecond,
    ours: setsAndGets((url) => Layer.provide(EffectPersistence.layerBacking, RedisService.layer({ url }))),
    theirs: setsAndGets((url) =>
      Persistence.layerBackingRedis.pipe(
        Layer.provide(EffectRedis.layer()),
        Layer.provide(RedisService.layer({ url }))
      )
    ),
    prepare: async (redis) => async () => {
      const ours = await redis.hget("EffectPersistence:{bench/0-0}", "value")
      const theirs = await redis.get("bench:0-0")
      return ours === theirs && ours === JSON.stringify(value) ? undefined : `${ours} and ${theirs} are stored`
    }
  })
]
