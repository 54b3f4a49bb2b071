/**
 * Tools for tests: a transport or a service that loses, delays and refuses requests by a plan; a raw store that reads
 * and writes stored keys past the library; and checks that any transport must pass. The checks for a whole service are
 * in the package `redlayer-conformance`.
 *
 * @stability unstable
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import { randomUUID } from "node:crypto"
import { limitsOf, memoryChecks } from "./internal/instruction/limits.ts"
import * as Memory from "./internal/memory/service.ts"
import { Store } from "./internal/memory/store.ts"
import { invalidOf } from "./internal/options.ts"
import { sweeping } from "./internal/sweeping.ts"
import * as Checks from "./internal/testing/checks.ts"
import * as Injection from "./internal/testing/faults.ts"
import * as Raw from "./internal/testing/rawStore.ts"
import { type Check, type Fault, type Faults, type Plan, RawStore, type Request } from "./internal/testing/types.ts"
import { type IoRedis, layerTransport as layerIoRedisTransport } from "./IoRedis.ts"
import { layer, type LayerOptions, type MemoryOptions, RedisService } from "./RedisService.ts"
import type { RedisServiceError } from "./RedisServiceError.ts"
import { RedisTransport } from "./RedisTransport.ts"

export {
  type Check,
  CheckFailed,
  type Dump,
  type Fault,
  Faults,
  type LogEntry,
  type Plan,
  RawStore,
  type Request,
  type Stored
} from "./internal/testing/types.ts"

/**
 * A fault: the request is certainly not sent. A service fails with `ConnectionUnavailable`.
 *
 * @stability unstable
 * @category faults
 * @since 0.1.0
 */
export const notSent: Fault = { _tag: "NotSent" }

/**
 * A fault: the request is lost and never applied, and the caller cannot know. A service fails with `OutcomeUnknown`.
 *
 * @stability unstable
 * @category faults
 * @since 0.1.0
 */
export const loseRequest: Fault = { _tag: "LoseRequest" }

/**
 * A fault: the request is applied and the reply is lost, and the caller cannot know. A service fails with
 * `OutcomeUnknown`.
 *
 * @stability unstable
 * @category faults
 * @since 0.1.0
 */
export const loseReply: Fault = { _tag: "LoseReply" }

/**
 * Creates a fault: the request is sent after a duration of the `Clock`.
 *
 * @stability unstable
 * @category faults
 * @since 0.1.0
 */
export const delay = (duration: Duration.Input): Fault => ({ _tag: "Delay", duration })

/**
 * Creates a fault: the caller learns at once that the outcome is unknown, and the request is applied after a duration
 * of the `Clock`. Without a duration it is applied when `release` of {@link Faults} runs.
 *
 * @stability unstable
 * @category faults
 * @since 0.1.0
 */
export const deliverLate = (duration?: Duration.Input): Fault => ({ _tag: "DeliverLate", duration })

/**
 * Creates a fault: the server answers with an error, and applies nothing. The message is that of the wire, such as
 * `BUSY Redis is busy running a script`.
 *
 * @stability unstable
 * @category faults
 * @since 0.1.0
 */
export const answer = (message: string): Fault => ({ _tag: "Answer", message })

/**
 * The plan without faults.
 *
 * @stability unstable
 * @category plans
 * @since 0.1.0
 */
export const none: {
  /** Lets every request pass. */
  (request: Request): Fault | undefined
} = () => undefined

/**
 * Creates a plan of faults in order: the first for the first request, and so on. `undefined` lets a request pass.
 * Requests after the last fault pass.
 *
 * @stability unstable
 * @category plans
 * @since 0.1.0
 */
export const sequence = (faults: ReadonlyArray<Fault | undefined>): Plan => ({ index }) => faults[index]

/**
 * Creates a plan of random faults, each with its probability. The fault of the nth request depends only on the seed and
 * on n, so the same seed repeats the same faults.
 *
 * @stability unstable
 * @category plans
 * @since 0.1.0
 */
export const random = (seed: number, faults: ReadonlyArray<readonly [probability: number, fault: Fault]>): Plan =>
  Injection.random(seed, faults)

/**
 * Provides a transport that puts faults around another one.
 *
 * **When to use**
 *
 * Use to test a service, or your own transport. To test your own program without a server use `layerService`.
 *
 * **Details**
 *
 * A service that is built over it sends a few calls when it starts. Set a plan after the start, or pass one here to see
 * how it starts.
 *
 * **Example** (Losing a reply)
 *
 * ```ts run
 * import { Effect, Layer } from "effect"
 * import { RedisTransport } from "redlayer"
 * import * as Testing from "redlayer/testing"
 *
 * // a server that repeats its argument; use your own transport
 * const received: Array<string> = []
 * const Echo = Layer.succeed(RedisTransport.RedisTransport, {
 *   ready: Effect.void,
 *   evaluate: ({ argument }) =>
 *     Effect.sync(() => {
 *       received.push(argument)
 *       return { _tag: "Text", text: argument }
 *     })
 * })
 *
 * const program = Effect.gen(function*() {
 *   const faults = yield* Testing.Faults
 *   const { evaluate } = yield* RedisTransport.RedisTransport
 *   const send = (argument: string) =>
 *     evaluate({ command: "EVAL", script: "", keys: [], argument }).pipe(
 *       Effect.match({ onFailure: (error) => error.outcome, onSuccess: (reply) => reply._tag })
 *     )
 *   yield* faults.usePlan(Testing.sequence([Testing.notSent, Testing.loseReply, Testing.answer("BUSY"), undefined]))
 *   return yield* Effect.forEach(["a", "b", "c", "d"], send)
 * })
 *
 * const layer = Testing.layerTransport().pipe(Layer.provide(Echo))
 *
 * await Effect.runPromise(program.pipe(Effect.provide(layer))) // => ["NotSent", "Unknown", "Error", "Text"]
 * received // => ["b", "d"]
 * ```
 *
 * @see {@link layerService} to test your own program without a server
 * @stability unstable
 * @category layers
 * @since 0.1.0
 */
export const layerTransport = (plan: Plan = none): Layer.Layer<RedisTransport | Faults, never, RedisTransport> =>
  Layer.effectContext(Injection.aroundTransport(plan))

/**
 * Provides a service that puts faults around another one, such as `RedisService.layerMemory`. Each program is one
 * request. A program sees the faults as errors, because no layer above retries. Subscriptions pass.
 *
 * **When to use**
 *
 * Use to test how your program behaves if the server fails.
 *
 * **Example** (Handling an unknown outcome)
 *
 * ```ts run
 * import { Effect, Layer, Schema } from "effect"
 * import { Model, RedisService } from "redlayer"
 * import * as Testing from "redlayer/testing"
 *
 * const Order = Model.make("Order", { id: Schema.String, lines: Schema.Int }, { key: "id" })
 *
 * // an id of our own makes it safe to look
 * const place = (id: string) =>
 *   Order.insert({ id, lines: 1 }).pipe(
 *     Effect.catchReason("RedisServiceError", "OutcomeUnknown", () => Order.getOrInsert({ id, lines: 1 })),
 *     Effect.as("placed")
 *   )
 *
 * const program = Effect.gen(function*() {
 *   const faults = yield* Testing.Faults
 *   yield* faults.usePlan(Testing.sequence([Testing.loseReply]))
 *   const applied = yield* place("a")
 *   yield* faults.usePlan(Testing.sequence([Testing.loseRequest]))
 *   const lost = yield* place("b")
 *   return [applied, lost]
 * })
 *
 * const layer = Testing.layerService().pipe(Layer.provide(RedisService.layerMemory))
 *
 * await Effect.runPromise(program.pipe(Effect.provide(layer))) // => ["placed", "placed"]
 * ```
 *
 * @stability unstable
 * @category layers
 * @since 0.1.0
 */
export const layerService = (plan: Plan = none): Layer.Layer<RedisService | Faults, never, RedisService> =>
  Layer.effectContext(Injection.aroundService(plan))

/**
 * Provides `RedisService.layerMemory` with its store open to a {@link RawStore}. Each build is empty.
 *
 * **When to use**
 *
 * Use in tests of stored keys, or of how your program handles data that others wrote.
 *
 * **Example** (Reading what is stored)
 *
 * ```ts run
 * import { Effect, Schema } from "effect"
 * import { Model } from "redlayer"
 * import * as Testing from "redlayer/testing"
 *
 * const User = Model.make("User", { name: Schema.String, visits: Schema.Int }, { key: "name" })
 *
 * const program = Effect.gen(function*() {
 *   const raw = yield* Testing.RawStore
 *   yield* User.insert({ name: "alice", visits: 1 })
 *   yield* raw.hashGet("User:{alice}", "visits") // => "1"
 *   // another program writes what is no number
 *   yield* raw.hashSet("User:{alice}", { visits: "many" })
 *   yield* User.get("alice").pipe(Effect.flip, Effect.map((error) => error._tag)) // => "EntityCorrupted"
 * })
 *
 * await Effect.runPromise(program.pipe(Effect.provide(Testing.layerMemory())))
 * ```
 *
 * @stability unstable
 * @category layers
 * @since 0.1.0
 */
export const layerMemory = (
  options: MemoryOptions = {}
): Layer.Layer<RedisService | RawStore, RedisServiceError> =>
  Layer.effectContext(Effect.flatMap(Effect.scope, (scope) => {
    const invalid = invalidOf(options, memoryChecks)
    if (invalid !== undefined) return Effect.fail(invalid)
    const store = new Store()
    const refusesCrossSlot = options.crossSlot === "refuse"
    const service = Memory.make(store, { limits: limitsOf(options), refusesCrossSlot, scope })
    return Effect.as(
      sweeping(service, options.sweepEvery),
      Context.make(RedisService, service).pipe(Context.add(RawStore, Raw.overMemory(store)))
    )
  }))

/**
 * Provides `RedisService.layer` for a test on a real server: under a key prefix of its own, with a {@link RawStore} of
 * that prefix. Each build is empty. When the scope closes, all keys with the prefix are removed, whether the test has
 * succeeded, failed or was interrupted.
 *
 * **When to use**
 *
 * Use in tests that need a server, such as one that your other tests share. In memory use `layerMemory`.
 *
 * **Details**
 *
 * The keys are removed over a new connection, after the service has closed, so also if the connection of the test was
 * lost. It is tried for ten seconds; if the server stays away, the scope closes with a warning that names the prefix.
 * The prefix begins with `redlayer-test:`, so that keys of a process that was killed can be found. It goes through all
 * keys of the database by `SCAN`.
 *
 * **Gotchas**
 *
 * Its user needs the right to `SCAN`, and a prefix `redlayer-test:*`. A program that the test has given up, and that is
 * still in flight when the scope closes, may write after the removal.
 *
 * **Example** (A test on a server)
 *
 * ```ts run
 * import { Effect, Schema } from "effect"
 * import { Model } from "redlayer"
 * import * as Testing from "redlayer/testing"
 *
 * const User = Model.make("User", { name: Schema.String, visits: Schema.Int }, { key: "name" })
 *
 * export const run = Effect.gen(function*() {
 *   yield* User.insert({ name: "alice", visits: 1 })
 *   return yield* User.count() // 1, whatever others do on the server
 * }).pipe(Effect.provide(Testing.layerRedis({ url: "redis://127.0.0.1:6379" })))
 * ```
 *
 * @stability unstable
 * @category layers
 * @since 0.1.0
 */
export const layerRedis = (
  options: Omit<LayerOptions, "keyPrefix"> = {}
): Layer.Layer<RedisService | IoRedis | RawStore, RedisServiceError> =>
  Layer.effectContext(Effect.gen(function*() {
    const keyPrefix = `redlayer-test:${randomUUID()}:`
    const connect = Layer.build(layer({ ...options, keyPrefix }))
    const transportOf = (context: Context.Context<IoRedis>) =>
      Effect.map(Layer.build(layerIoRedisTransport), Context.get(RedisTransport)).pipe(Effect.provide(context))
    const remove = Effect.scoped(
      Effect.flatMap(Effect.flatMap(connect, transportOf), (transport) => Raw.removeAll(transport, keyPrefix))
    ).pipe(
      Effect.retry(Schedule.spaced("100 millis")),
      Effect.timeout("10 seconds"),
      Effect.catchCause(() => Effect.logWarning(`The keys of a test are left on the server, under ${keyPrefix}`))
    )
    let isBuilt = false
    // first, because finalizers run from the last to the first: after the service has closed
    yield* Effect.addFinalizer(() => isBuilt ? remove : Effect.void)
    const context = yield* connect
    isBuilt = true
    return Context.add(context, RawStore, Raw.overTransport(yield* transportOf(context), keyPrefix))
  }))

/**
 * Provides a raw store over the server of a transport. The prefix is the `keyPrefix` of the service whose keys it reads
 * and writes. It sends scripts; those that read are read-only.
 *
 * **When to use**
 *
 * Use in tests over a server. In memory use `layerMemory`.
 *
 * **Gotchas**
 *
 * Its user needs the rights to `HSET HGET HDEL RPUSH LRANGE SADD SMEMBERS ZADD ZRANGE SET PEXPIREAT PEXPIRETIME DEL`,
 * and for a dump to `SCAN TYPE HGETALL GET`. A dump looks at every key of the database in one call: use a server for
 * tests.
 *
 * @stability unstable
 * @category layers
 * @since 0.1.0
 */
export const layerRawStore = (keyPrefix: string): Layer.Layer<RawStore, never, RedisTransport> =>
  Layer.effect(RawStore, Effect.map(RedisTransport, (transport) => Raw.overTransport(transport, keyPrefix)))

/**
 * Returns the checks that any transport must pass while its server is available. Run each of them, in any test
 * framework. They use a few keys and channels that begin with the prefix, and remove them. Broken connections are not
 * checked, because only you can break one.
 *
 * **When to use**
 *
 * Use to test your own `RedisTransport`. To test a whole service use the package `redlayer-conformance`.
 *
 * @stability unstable
 * @category checks
 * @since 0.1.0
 */
export const transportChecks = (keyPrefix: string): ReadonlyArray<Check> => Checks.transport(keyPrefix)
