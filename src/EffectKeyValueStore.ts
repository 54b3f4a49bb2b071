/**
 * Effect's own `KeyValueStore` over Redis: texts and bytes by key, shared by all processes. Effect's service is marked unstable, and so is
 * this module.
 *
 * @stability experimental
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Base64 from "effect/encoding/Base64"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as KeyValueStore from "effect/persistence/KeyValueStore"
import * as Schema from "effect/Schema"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import * as Atomic from "./Atomic.ts"
import { EntityNotFound } from "./DomainError.ts"
import * as Scan from "./internal/model/scan.ts"
import { duration, invalidOf, millisOf, text } from "./internal/options.ts"
import { RedisService } from "./internal/service.ts"
import { namespace } from "./internal/text/escape.ts"
import * as Model from "./Model.ts"
import type { RedisServiceError } from "./RedisServiceError.ts"

/**
 * Options of the layer.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** The name of the store. Stores of different names share no entry. Default: `"default"`. */
  readonly name?: string | undefined
  /** How long an entry lives after it was last set or modified: at least 1 ms. Default: for ever. */
  readonly timeToLive?: Duration.Input | undefined
}

const checks = { name: text, timeToLive: duration(1) }

const name = "EffectKeyValueStore"

/** Bytes are stored in base64, which is also the text that Effect's stores return for them. */
const makeEntry = () =>
  Model.make(name, {
    key: Schema.String,
    value: Schema.String,
    encoding: Schema.optionalKey(Schema.Literal("base64"))
  }, { key: "key" })

type Entry = ReturnType<typeof makeEntry>["Type"]

const encoder = new TextEncoder()

/** An error with a reason that can be shown. */
interface Failure {
  readonly message: string
}

const textOf = ({ value }: Entry): Effect.Effect<string> => Effect.succeed(value)

const bytesOf = ({ encoding, value }: Entry): Effect.Effect<Uint8Array, Failure> =>
  encoding === undefined ? Effect.succeed(encoder.encode(value)) : Effect.fromResult(Base64.decode(value))

/** Lets one effect of each key run at a time. */
const makeTurns = () => {
  const turns = new Map<string, { readonly semaphore: Semaphore.Semaphore; users: number }>()
  return <A, E, R>(key: string, self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.suspend(() => {
      let turn = turns.get(key)
      if (turn === undefined) turns.set(key, turn = { semaphore: Semaphore.makeUnsafe(1), users: 0 })
      const { semaphore } = turn
      turn.users++
      const leave = Effect.sync(() => {
        if (--turn.users === 0) turns.delete(key)
      })
      return Effect.ensuring(semaphore.withPermits(1)(self), leave)
    })
}

/**
 * Provides Effect's `KeyValueStore`. Building it fails with `InvalidOption` if an option is invalid, and sends nothing.
 *
 * **When to use**
 *
 * Use for code that takes a `KeyValueStore`, and for values that no program of yours computes with. For fields, counters and programs of
 * several entities use a `Model`.
 *
 * **Details**
 *
 * - Every member behaves as that of `KeyValueStore.layerMemory`, with text and bytes, and every key.
 * - `modify` and `modifyUint8Array` compare and set: if another process has written the entry meanwhile, the function runs again with
 *   the new value, so no update is lost. Two round trips, and one for each time that another process was first. Fibers of one process
 *   that modify the same key take turns.
 * - `get`, `getUint8Array`, `set`, `remove` and `has` take one round trip, O(length of the value).
 * - `keys`, `size`, `isEmpty`, `clear` and `clearPrefix` go through all keys of the database with `SCAN`, a page of a thousand at a time,
 *   on each node of a cluster: O(keys of the database). `clear` and `clearPrefix` remove each entry by its own program. An entry that is
 *   written meanwhile may be missed.
 * - Each operation fails with `KeyValueStoreError`. Its `cause` is a `RedisServiceError`, or `InvalidValue` if the key or the value has
 *   no stored form: a text with a lone surrogate, a key above 1,024 bytes, a value above the `maximumValueBytes` of the service.
 * - An entry is an entity of a model `EffectKeyValueStore` with the id `name/key`. On a cluster the entries spread over all slots.
 *
 * **Gotchas**
 *
 * `KeyValueStore.toSchemaStore` implements its `modify` by `get` and `set`, so it loses updates of others.
 *
 * **Example** (An update that is not lost)
 *
 * ```ts run
 * import { Effect, Layer } from "effect"
 * import { KeyValueStore } from "effect/persistence"
 * import { EffectKeyValueStore, RedisService } from "redlayer"
 *
 * const program = Effect.gen(function*() {
 *   const store = yield* KeyValueStore.KeyValueStore
 *   yield* store.set("visits", "0")
 *   const visit = store.modify("visits", (visits) => String(Number(visits) + 1))
 *   yield* Effect.all(Array.from({ length: 20 }, () => visit), { concurrency: "unbounded" })
 *   return [yield* store.get("visits"), yield* store.size]
 * })
 *
 * const Live = EffectKeyValueStore.layer({ name: "site" }).pipe(Layer.provide(RedisService.layerMemory))
 *
 * await Effect.runPromise(Effect.provide(program, Live)) // => ["20", 1]
 * ```
 *
 * @stability experimental
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  options: Options = {}
): Layer.Layer<KeyValueStore.KeyValueStore, RedisServiceError, RedisService> =>
  Layer.effect(KeyValueStore.KeyValueStore, make(options))

const make = Effect.fnUntraced(function*(
  options: Options
): Effect.fn.Return<KeyValueStore.KeyValueStore, RedisServiceError, RedisService> {
  const invalid = invalidOf(options, checks)
  if (invalid !== undefined) return yield* invalid
  const service = yield* RedisService
  const Entry = makeEntry()
  const all = namespace(options.name ?? "default")
  const timeToLive = millisOf(options.timeToLive ?? Infinity)!
  const inTurn = makeTurns()

  /** Runs a method on the service, with the error of Effect's contract. */
  const run = <A>(
    method: string,
    self: Effect.Effect<A, Failure, RedisService>,
    key?: string
  ): Effect.Effect<A, KeyValueStore.KeyValueStoreError> =>
    self.pipe(
      Effect.provideService(RedisService, service),
      Effect.mapError((cause) =>
        new KeyValueStore.KeyValueStoreError({
          method,
          ...(key === undefined ? {} : { key }),
          message: `${method} failed: ${cause.message}`,
          cause
        })
      )
    )

  /** Writes an entry, and sets its expiry anew, as `SET` does. */
  const write = (key: string, value: string | Uint8Array) => {
    const id = all + key
    return Atomic.all([
      Entry.put(
        typeof value === "string"
          ? { key: id, value }
          : { key: id, value: Base64.encode(value), encoding: "base64" }
      ),
      timeToLive === Infinity ? Entry.persist(id) : Entry.expire(id, timeToLive)
    ])
  }

  const get = <A>(method: string, key: string, read: (entry: Entry) => Effect.Effect<A, Failure>) =>
    run(
      method,
      Effect.flatMap(
        Entry.find(all + key),
        Option.match({ onNone: () => Effect.undefined, onSome: read })
      ),
      key
    )

  const modify = <A extends string | Uint8Array>(
    method: string,
    key: string,
    read: (entry: Entry) => Effect.Effect<A, Failure>,
    f: (value: A) => A
  ) => {
    const found = Entry.getVersioned(all + key)
    const modified = Effect.gen(function*() {
      let current = yield* found
      for (;;) {
        const value = f(yield* read(current.entity))
        const next = yield* Atomic.if(Entry.atVersion(all + key, current.version), {
          onTrue: Atomic.as(write(key, value), undefined),
          onFalse: found
        })
        if (next === undefined) return value
        current = next
      }
    })
    const orMissing = Effect.catchIf(
      modified,
      (error) => error instanceof EntityNotFound,
      () => Effect.undefined
    )
    return run(method, inTurn(key, orMissing), key)
  }

  /** The keys that begin with this text, in pages. */
  const pages = (prefix: string) =>
    Stream.map(
      // half a pair of surrogates is the beginning of keys, and of no stored text
      Scan.idPages(name, all + (prefix.isWellFormed() ? prefix : "")),
      (ids) => ids.map((id) => id.slice(all.length)).filter((key) => key.startsWith(prefix))
    )
  const clear = (method: string, prefix: string) =>
    run(
      method,
      Entry.deleteManyStream(Stream.map(Stream.flattenIterable(pages(prefix)), (key) => all + key)).pipe(
        Stream.runForEach((result) => Effect.fromResult(result))
      )
    )

  return KeyValueStore.make({
    get: (key) => get("get", key, textOf),
    getUint8Array: (key) => get("getUint8Array", key, bytesOf),
    set: (key, value) => run("set", Effect.suspend(() => Effect.asVoid(write(key, value))), key),
    remove: (key) => run("remove", Effect.asVoid(Entry.delete(all + key)), key),
    has: (key) => run("has", Entry.exists(all + key), key),
    modify: (key, f) => modify("modify", key, textOf, f),
    modifyUint8Array: (key, f) => modify("modifyUint8Array", key, bytesOf, f),
    clear: clear("clear", ""),
    clearPrefix: (prefix) => clear("clearPrefix", prefix),
    size: run("size", Stream.runFold(pages(""), () => 0, (sum, keys) => sum + keys.length)),
    // a scan may return a key twice
    keys: run("keys", Effect.map(Stream.runCollect(pages("")), (found) => [...new Set(found.flat())])),
    isEmpty: run(
      "isEmpty",
      Effect.map(Stream.runHead(Stream.filter(pages(""), (keys) => keys.length > 0)), Option.isNone)
    )
  })
})
