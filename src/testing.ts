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
import * as Schema from "effect/Schema"
import { limitsOf } from "./internal/instruction/limits.ts"
import * as Memory from "./internal/memory/service.ts"
import { Store } from "./internal/memory/store.ts"
import * as Checks from "./internal/testing/checks.ts"
import * as Internal from "./internal/testing/faults.ts"
import * as Raw from "./internal/testing/rawStore.ts"
import { type MemoryOptions, RedisService } from "./RedisService.ts"
import { RedisTransport } from "./RedisTransport.ts"

/**
 * What becomes of one call.
 *
 * **Details**
 *
 * - `DropBefore`: it is not sent, and this is certain. A service says `ConnectionUnavailable`, unless it tries again.
 * - `Lose`: it is lost on its way, and never applied; the caller can't tell. A service says `OutcomeUnknown`.
 * - `DropAfter`: it is applied, and the answer is lost; the caller can't tell.
 * - `Delay`: it is sent that much later. Interrupted before, it is never sent.
 * - `DeliverLate`: the caller is told at once that the outcome is unknown; the call arrives after the duration, or without
 *   one when {@link Faults} is told to `release` it.
 * - `Answer`: the server answers with this error, such as `LOADING …` or `OOM …`; nothing is applied.
 *
 * @category models
 * @since 0.1.0
 */
export type Fault =
  | { readonly _tag: "DropBefore" }
  | { readonly _tag: "Lose" }
  | { readonly _tag: "DropAfter" }
  | { readonly _tag: "Delay"; readonly duration: Duration.Input }
  | { readonly _tag: "DeliverLate"; readonly duration: Duration.Input | undefined }
  | { readonly _tag: "Answer"; readonly message: string }

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
 * One call of a transport, or one program of a service.
 *
 * @category models
 * @since 0.1.0
 */
export interface Request {
  /** How many came before it, since the plan is followed. */
  readonly index: number
  readonly keys: ReadonlyArray<string>
  readonly readOnly: boolean
}

/**
 * Decides what becomes of a request; `undefined` lets it pass.
 *
 * @category models
 * @since 0.1.0
 */
export type Plan = (request: Request) => Fault | undefined

/**
 * Lets everything pass.
 *
 * @category plans
 * @since 0.1.0
 */
export const none: Plan = () => undefined

/**
 * The first fault for the first request, and so on; what comes after the last passes.
 *
 * @category plans
 * @since 0.1.0
 */
export const inTurn = (faults: ReadonlyArray<Fault | undefined>): Plan => ({ index }) => faults[index]

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
 * What was done with a request.
 *
 * **Details**
 *
 * - `Withheld`: it was not passed on, and won't be.
 * - `Waiting`: it will be passed on.
 * - `Passed`: it was passed on, and has no answer yet.
 * - `Answered`: it was passed on, and there was an answer, whether or not the caller got it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Entry extends Request {
  readonly fault: Fault | undefined
  readonly state: "Withheld" | "Waiting" | "Passed" | "Answered"
}

/**
 * Says what goes wrong, and what went wrong.
 *
 * @category services
 * @since 0.1.0
 */
export class Faults extends Context.Service<Faults, {
  /** Follows another plan from the next request on, which is its first. The log begins anew. */
  readonly follow: (plan: Plan) => Effect.Effect<void>
  /** Every request since the plan is followed, in order. */
  readonly log: Effect.Effect<ReadonlyArray<Entry>>
  /** Delivers what `deliverLate()` has kept, in order, and ends when all of it has its answer. */
  readonly release: Effect.Effect<void>
}>()("redlayer/testing/Faults") {}

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
 *   yield* faults.follow(Testing.inTurn([Testing.notSent, Testing.loseReply, Testing.answer("BUSY"), undefined]))
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
 *   yield* faults.follow(Testing.inTurn([Testing.loseReply]))
 *   const applied = yield* place("a")
 *   yield* faults.follow(Testing.inTurn([Testing.lose]))
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
 * One key, as it is stored. The members of a set are sorted, as they are in no order; a sorted set is its members and scores in
 * turn, in its own.
 *
 * @category models
 * @since 0.1.0
 */
export interface Stored {
  readonly type: "hash" | "list" | "set" | "zset" | "string"
  readonly content: Readonly<Record<string, string>> | ReadonlyArray<string> | string
  /** in milliseconds since the epoch; undefined: never */
  readonly expiresAt: number | undefined
}

/**
 * Everything that is stored, by key.
 *
 * @category models
 * @since 0.1.0
 */
export type Dump = Readonly<Record<string, Stored>>

/**
 * Reads and writes what a service stores past the library, as another program would: to see what is there, and to put there
 * what no model would. All keys are without the prefix of the service. It has no errors: what goes wrong is a defect.
 *
 * **Details**
 *
 * What writes to a collection adds to what is there, and makes it where there is none. To read a key that is absent gives
 * nothing.
 *
 * @see {@link layerMemory} for one that shares a store in memory, {@link layerRawStore} for one of a server
 * @category services
 * @since 0.1.0
 */
export class RawStore extends Context.Service<RawStore, {
  readonly hashSet: (key: string, fields: Readonly<Record<string, string>>) => Effect.Effect<void>
  readonly hashGet: (key: string, field: string) => Effect.Effect<string | undefined>
  readonly hashDelete: (key: string, field: string) => Effect.Effect<void>
  readonly listPush: (key: string, ...items: ReadonlyArray<string>) => Effect.Effect<void>
  readonly listRead: (key: string) => Effect.Effect<ReadonlyArray<string>>
  readonly setAdd: (key: string, ...members: ReadonlyArray<string>) => Effect.Effect<void>
  /** Sorted. */
  readonly setRead: (key: string) => Effect.Effect<ReadonlyArray<string>>
  /** Members and scores in turn. */
  readonly sortedAdd: (key: string, ...entries: ReadonlyArray<string>) => Effect.Effect<void>
  /** Members and scores in turn, by score. */
  readonly sortedRead: (key: string) => Effect.Effect<ReadonlyArray<string>>
  /** Replaces what is there by a plain text, which is of no kind that a model has. */
  readonly stringSet: (key: string, value: string) => Effect.Effect<void>
  /** In milliseconds since the epoch. */
  readonly expireAt: (key: string, millis: number) => Effect.Effect<void>
  readonly expiresAt: (key: string) => Effect.Effect<number | undefined>
  readonly delete: (key: string) => Effect.Effect<void>
  /** Everything under the prefix. On a server it looks at all keys of the database. */
  readonly dump: Effect.Effect<Dump>
}>()("redlayer/testing/RawStore") {}

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
 * A transport, or a service, does not do what it must.
 *
 * @category errors
 * @since 0.1.0
 */
export class CheckFailed extends Schema.TaggedError<CheckFailed>("redlayer/testing/CheckFailed")("CheckFailed", {
  check: Schema.String,
  problem: Schema.String
}) {
  override get message(): string {
    return `${this.check}: ${this.problem}`
  }
}

/**
 * One thing that any transport must do.
 *
 * @category models
 * @since 0.1.0
 */
export interface Check {
  readonly name: string
  readonly run: Effect.Effect<void, CheckFailed, RedisTransport>
}

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
