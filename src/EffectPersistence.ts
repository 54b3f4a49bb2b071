/**
 * Effect's own `Persistence` over Redis, for `PersistedCache` and `RequestResolver.persisted`: results of requests, shared by all
 * processes. Effect's service is marked unstable, and so is this module.
 *
 * @stability experimental
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Persistence from "effect/persistence/Persistence"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Atomic from "./Atomic.ts"
import * as Scan from "./internal/model/scan.ts"
import { RedisService } from "./internal/service.ts"
import { namespace } from "./internal/text/escape.ts"
import * as Model from "./Model.ts"

const name = "EffectPersistence"

/** How many entries `setMany` sends at a time. */
const groupSize = 1000

/** An error with a reason that can be shown. */
interface Failure {
  readonly message: string
}

const failed = (method: string) => (cause: Failure) =>
  new Persistence.PersistenceError({ message: `${method} failed: ${cause.message}`, cause })

const parse = (text: string): Effect.Effect<object, Failure> =>
  Effect.try({ try: () => JSON.parse(text) as object, catch: (cause) => cause as Failure })

/** The text is made here, so that a value is what `JSON.parse` makes of it, as in Effect's stores. */
const stringify = (value: object): Effect.Effect<string, Failure> =>
  Effect.try({
    try: () => {
      const text: string | undefined = JSON.stringify(value)
      if (text === undefined) throw new TypeError("Expected a value that has JSON")
      return text
    },
    catch: (cause) => cause as Failure
  })

const make = Effect.gen(function*() {
  const service = yield* RedisService
  const Entry = Model.make(name, { key: Schema.String, value: Schema.String }, { key: "key" })

  const run = <A>(
    method: string,
    self: Effect.Effect<A, Failure, RedisService>
  ): Effect.Effect<A, Persistence.PersistenceError> =>
    Effect.mapError(Effect.provideService(self, RedisService, service), failed(method))

  /** Writes an entry and its expiry, whatever the one before it had. */
  const write = (id: string, value: string, timeToLive: Duration.Duration = Duration.infinity): Atomic.Any => {
    if (Duration.toMillis(timeToLive) <= 0) return Entry.delete(id)
    return Atomic.all([
      Entry.put({ key: id, value }),
      Duration.isFinite(timeToLive) ? Entry.expire(id, timeToLive) : Entry.persist(id)
    ])
  }

  const of = (storeId: string): Persistence.BackingPersistenceStore => {
    const all = namespace(storeId)
    return {
      get: (key) =>
        run(
          "get",
          Effect.flatMap(
            Entry.find(all + key),
            Option.match({ onNone: () => Effect.undefined, onSome: ({ value }) => parse(value) })
          )
        ),
      getMany: (keys) =>
        run(
          "getMany",
          Effect.flatMap(Entry.getMany(keys.map((key) => all + key)), (results) =>
            Effect.forEach(results, (result) => {
              if (Result.isSuccess(result)) return Effect.orElseSucceed(parse(result.success.value), () => undefined)
              const { failure } = result
              return failure._tag === "EntityNotFound" || failure._tag === "EntityCorrupted"
                ? Effect.undefined
                : Effect.fail(failure)
            })) as Effect.Effect<any, Failure, RedisService>
        ),
      set: (key, value, ttl) =>
        run("set", Effect.flatMap(stringify(value), (text) => Effect.asVoid(write(all + key, text, ttl)))),
      setMany: (entries) =>
        run(
          "setMany",
          Effect.gen(function*() {
            // of a key that occurs twice the last value stays, and programs of different calls have no order
            const last = new Map<string, Atomic.Any>()
            for (const [key, value, ttl] of entries) last.set(key, write(all + key, yield* stringify(value), ttl))
            const programs = [...last.values()]
            for (let i = 0; i < programs.length; i += groupSize) {
              for (const exit of yield* Atomic.pipeline(programs.slice(i, i + groupSize))) yield* exit
            }
          })
        ),
      remove: (key) => run("remove", Effect.asVoid(Entry.delete(all + key))),
      clear: run(
        "clear",
        Entry.deleteManyStream(Stream.flattenIterable(Scan.idPages(name, all))).pipe(
          Stream.runForEach((result) => Effect.fromResult(result))
        )
      )
    }
  }
  return Persistence.BackingPersistence.of({ make: (storeId) => Effect.sync(() => of(storeId)) })
})

/**
 * Provides Effect's `BackingPersistence`, the store behind `Persistence`: JSON values by key, each with a time to live of its own.
 *
 * **When to use**
 *
 * Use for code that takes a `BackingPersistence`. For `Persistence` itself use `layer`.
 *
 * **Details**
 *
 * - A `storeId` is a namespace: `clear` removes its entries only.
 * - An entry expires by the clock of the server, exactly, and in memory by Effect's `Clock`. Without a time to live, or with an infinite
 *   one, it stays, whatever the entry before it had. One of zero or less removes the entry.
 * - `get`, `set` and `remove` take one round trip. The entries of `getMany` and `setMany` are independent programs, which travel together,
 *   by default 128 in a call: each of them is whole, and on a cluster they may be in different slots. If `setMany` fails, some may be set.
 * - `clear` goes through all keys of the database with `SCAN`, a page of a thousand at a time, on each node of a cluster: O(keys of the
 *   database). An entry that is set meanwhile may stay.
 * - `get` fails if the stored value can't be read. `getMany` returns `undefined` for it, as for a missing one.
 * - Each operation fails with `PersistenceError`. Its `cause` is a `RedisServiceError`, or `InvalidValue` if the key or the value has no
 *   stored form: a key above 1,024 bytes or with a lone surrogate, a value above the `maximumValueBytes` of the service.
 * - An entry is an entity of a model `EffectPersistence` with the id `storeId/key`. On a cluster the entries spread over all slots.
 *
 * @see {@link layer} for `Persistence` itself
 * @stability experimental
 * @category layers
 * @since 0.1.0
 */
export const layerBacking: Layer.Layer<Persistence.BackingPersistence, never, RedisService> = Layer.effect(
  Persistence.BackingPersistence,
  make
)

/**
 * Provides Effect's `Persistence` over `layerBacking`.
 *
 * **When to use**
 *
 * Use for `PersistedCache` and `RequestResolver.persisted`, and for code that takes a `Persistence`.
 *
 * **Example** (A cache that all processes share)
 *
 * ```ts run
 * import { Effect, Layer, Schema } from "effect"
 * import { Persistable, PersistedCache } from "effect/persistence"
 * import { EffectPersistence, RedisService } from "redlayer"
 *
 * class Rate extends Persistable.Class<{ payload: { currency: string } }>()("Rate", {
 *   primaryKey: ({ currency }) => currency,
 *   success: Schema.Finite
 * }) {}
 *
 * let lookups = 0
 * const rates = PersistedCache.make((_: Rate) => Effect.sync(() => ++lookups), {
 *   storeId: "rates",
 *   timeToLive: () => "1 hour"
 * })
 *
 * // each scope has a cache in memory of its own, as another process has
 * const ask = Effect.scoped(Effect.flatMap(rates, (cache) => cache.get(new Rate({ currency: "EUR" }))))
 *
 * const program = Effect.gen(function*() {
 *   return [yield* ask, yield* ask, lookups]
 * })
 *
 * const Live = EffectPersistence.layer.pipe(Layer.provide(RedisService.layerMemory))
 *
 * await Effect.runPromise(Effect.provide(program, Live)) // => [1, 1, 1]
 * ```
 *
 * @stability experimental
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<Persistence.Persistence, never, RedisService> = Layer.provide(
  Persistence.layer,
  layerBacking
)
