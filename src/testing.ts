/**
 * Failures on demand: a transport, or a service, that loses, delays and refuses what it is told to, by a script or by chance.
 * What is stored, read and written past the library. And checks that any transport must pass. Checks for a whole service are
 * in the package `redlayer-conformance`.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { limitsOf } from "./internal/instruction/limits.ts"
import * as Memory from "./internal/memory/service.ts"
import { Store } from "./internal/memory/store.ts"
import * as Checks from "./internal/testing/checks.ts"
import * as Internal from "./internal/testing/faults.ts"
import {
  type Check,
  CheckFailed,
  type Fault,
  Faults,
  type Plan,
  RawStore,
  type Request
} from "./internal/testing/model.ts"
import * as Raw from "./internal/testing/rawStore.ts"
import { type MemoryOptions, RedisService } from "./RedisService.ts"
import { RedisTransport } from "./RedisTransport.ts"

export {
  type Check,
  CheckFailed,
  type Dump,
  type Entry,
  type Fault,
  Faults,
  type Plan,
  RawStore,
  type Request,
  type Stored
} from "./internal/testing/model.ts"

/**
 * Not sent, for certain.
 *
 * @category faults
 * @since 0.1.0
 */
export const notSent: Fault = { _tag: "DropBefore" }

/**
 * Lost on its way to the server.
 *
 * @category faults
 * @since 0.1.0
 */
export const loseRequest: Fault = { _tag: "Lose" }

/**
 * Applied, and the answer lost on its way back.
 *
 * @category faults
 * @since 0.1.0
 */
export const loseReply: Fault = { _tag: "DropAfter" }

/**
 * Sent later. The time is the `Clock`'s.
 *
 * @category faults
 * @since 0.1.0
 */
export const delay = (duration: Duration.Input): Fault => ({ _tag: "Delay", duration })

/**
 * Unknown at once, applied later: after a time of the `Clock`, or when it is released.
 *
 * @category faults
 * @since 0.1.0
 */
export const deliverLate = (duration?: Duration.Input): Fault => ({ _tag: "DeliverLate", duration })

/**
 * An error of the server, with the message that it has on the wire: `BUSY Redis is busy running a script`.
 *
 * @category faults
 * @since 0.1.0
 */
export const answer = (message: string): Fault => ({ _tag: "Answer", message })

/**
 * Lets everything pass.
 *
 * @category plans
 * @since 0.1.0
 */
export const none: {
  /** Lets every request pass. */
  (request: Request): Fault | undefined
} = () => undefined

/**
 * The first fault for the first request, and so on; what comes after the last passes.
 *
 * @category plans
 * @since 0.1.0
 */
export const sequence = (faults: ReadonlyArray<Fault | undefined>): Plan => ({ index }) => faults[index]

/**
 * Faults by chance, each with its probability. What becomes of the nth request depends on the seed and on n only, so the same
 * seed gives the same faults again.
 *
 * @category plans
 * @since 0.1.0
 */
export const random = (seed: number, faults: ReadonlyArray<readonly [probability: number, fault: Fault]>): Plan =>
  Internal.random(seed, faults)

/**
 * Around any transport. A service that is built over it sends a few calls when it starts: follow a plan when it has started,
 * or give one here to see how it starts.
 *
 * **Example** (A reply that is lost)
 *
 * ```ts run
 * import { Effect, Layer } from "effect"
 * import { RedisTransport } from "redlayer"
 * import * as Testing from "redlayer/testing"
 *
 * // a server that says what it was given; use the transport of yours
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
 * @category layers
 * @since 0.1.0
 */
export const layerTransport = (plan: Plan = none): Layer.Layer<RedisTransport | Faults, never, RedisTransport> =>
  Layer.effectContext(Internal.aroundTransport(Faults, plan))

/**
 * Around any service, such as `RedisService.layerMemory`: each program is a request. Its faults are the errors that a program
 * sees; there is no layer above that would try again. Subscriptions pass.
 *
 * **Example** (What a program does when it can't know)
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
 * @category layers
 * @since 0.1.0
 */
export const layerService = (plan: Plan = none): Layer.Layer<RedisService | Faults, never, RedisService> =>
  Layer.effectContext(Internal.aroundService(Faults, plan))

/**
 * `RedisService.layerMemory` with its store open to a {@link RawStore}: for tests of what is stored, or of what your program
 * does with data that others have written. Each build is empty.
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
 * @category layers
 * @since 0.1.0
 */
export const layerMemory = (options: MemoryOptions = {}): Layer.Layer<RedisService | RawStore> =>
  Layer.effectContext(Effect.map(Effect.scope, (scope) => {
    const store = new Store()
    const refusesCrossSlot = options.crossSlot === "refuse"
    const service = Memory.make(store, { limits: limitsOf(options), refusesCrossSlot, scope })
    return Context.make(RedisService, service).pipe(Context.add(RawStore, Raw.overMemory(store)))
  }))

/**
 * Reads and writes keys of one server that begin with the prefix, which is that of the service to look at. It sends scripts,
 * read-only ones where it only reads, over any transport. Its user needs the rights to `HSET HGET HDEL RPUSH LRANGE SADD
 * SMEMBERS ZADD ZRANGE SET PEXPIREAT PEXPIRETIME DEL`, and for a dump to `SCAN TYPE HGETALL GET`. A dump looks at every key of
 * the database in one call: use a server that is there for tests.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerRawStore = (keyPrefix: string): Layer.Layer<RawStore, never, RedisTransport> =>
  Layer.effect(RawStore, Effect.map(RedisTransport, (transport) => Raw.overTransport(transport, keyPrefix)))

/**
 * What any transport must do while its server is there, for the tests of one of your own: run each, in any test framework.
 * They use a few keys, and channels, that begin with the prefix, and remove them. What it must do when a connection breaks is
 * not among them: nobody but you can break it.
 *
 * @category checks
 * @since 0.1.0
 */
export const transportChecks = (keyPrefix: string): ReadonlyArray<Check> =>
  Checks.transport(keyPrefix, (check, problem) => new CheckFailed({ check, problem }))
