/**
 * Effect's own `Reactivity` for several processes: what one of them invalidates runs the queries of all, and each write of a live model
 * invalidates the keys of its entities. Effect's service is of one process, and marked unstable; so is this module.
 *
 * @stability experimental
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import * as Layer from "effect/Layer"
import * as Reactivity from "effect/reactivity/Reactivity"
import type { Atomic } from "./Atomic.ts"
import type { InvalidValue } from "./DomainError.ts"
import type { RedisService } from "./internal/service.ts"
import * as Invalidation from "./internal/topic/invalidation.ts"
import * as Internal from "./internal/topic/reactivity.ts"
import type { RedisServiceError } from "./RedisServiceError.ts"

/**
 * Options of the layer.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /**
   * How long it waits after a message, so that keys that follow are invalidated together. Default: 50 ms. What this process invalidates
   * itself is invalidated here at once.
   */
  readonly debounce?: Duration.Input | undefined
  /** How often everything is invalidated without a message. Default: never. */
  readonly refresh?: Duration.Input | undefined
}

/**
 * Provides Effect's `Reactivity`. It is that of `Reactivity.layer`, and:
 *
 * - What `invalidate`, `mutation` and `withBatch` invalidate is published, so that every process with this layer, the same server and
 *   `keyPrefix` invalidates it too.
 * - A key of `Model.reactivityKeys` or `Query.reactivityKeys` is invalidated when a program has written the entity, or one of the model.
 * - After a gap of the connection everything that is registered is invalidated once, because messages may have been lost.
 *
 * Building it subscribes, so it fails as `Topic.subscribe` does, and with `InvalidOption`.
 *
 * **When to use**
 *
 * Use for atoms and queries of Effect that depend on `Reactivity` in a program that runs in several processes. For one live result use
 * `Query.watch`.
 *
 * **Details**
 *
 * - `invalidate` does not wait until the keys are published. While there is no connection they are kept, and published later; closing the
 *   layer publishes what is left.
 * - A `query` or `stream` with the key of a live model subscribes to its hints first. If that is refused, a warning is logged, and it is
 *   tried again.
 * - A key that is no text, number, bigint or boolean is compared by `Hash.hash`, which is the same in all processes for plain data only.
 * - More than 10,000 keys at once are all keys for the others.
 *
 * **Example** (An effect that runs again when the model is written)
 *
 * ```ts run
 * import { Effect, Layer, Schema, Stream } from "effect"
 * import { Reactivity } from "effect/reactivity"
 * import { EffectReactivity, Model, RedisService } from "redlayer"
 *
 * const Player = Model.make("Player", { name: Schema.String, score: Schema.Int.pipe(Model.indexed) }, {
 *   key: "name",
 *   live: true
 * })
 *
 * const best = Effect.map(Player.top("score", 1), ([player]) => player?.score)
 *
 * const program = Effect.gen(function*() {
 *   yield* Player.insert({ name: "ann", score: 3 })
 *   return yield* Reactivity.stream(best, Player.reactivityKeys()).pipe(
 *     Stream.tap(() => Player.ref("ann").score.increment(5)),
 *     Stream.take(3),
 *     Stream.runCollect
 *   )
 * })
 *
 * const Live = EffectReactivity.layer().pipe(Layer.provideMerge(RedisService.layerMemory))
 *
 * await Effect.runPromise(Effect.provide(program, Live)) // => [3, 8, 13]
 * ```
 *
 * @stability experimental
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  options: Options = {}
): Layer.Layer<Reactivity.Reactivity, RedisServiceError, RedisService> =>
  Layer.effect(Reactivity.Reactivity, Internal.make(options))

/**
 * Invalidates keys in all processes that have the layer, with the writes of its program, or not at all. The process that commits it hears
 * of it as the others do, and needs the layer only for that. Fails with `InvalidValue` if the message is longer than the
 * `maximumValueBytes` of the service. O(processes) on the server.
 *
 * **When to use**
 *
 * Use if the keys depend on a program. For what is written elsewhere use `Reactivity.mutation`; the keys of a live model need neither.
 *
 * **Example** (A key that is invalid only if the order was paid)
 *
 * ```ts run
 * import { Effect, Layer, Schema, Stream } from "effect"
 * import { Reactivity } from "effect/reactivity"
 * import { Atomic, EffectReactivity, Model, RedisService } from "redlayer"
 *
 * const Account = Model.make("Account", {
 *   name: Schema.String,
 *   coins: Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))
 * }, { key: "name" })
 *
 * const pay = (name: string, coins: number) =>
 *   Account.ref(name).coins.decrement(coins).pipe(Atomic.andThen(EffectReactivity.invalidate({ accounts: [name] })))
 *
 * const program = Effect.gen(function*() {
 *   yield* Account.insert({ name: "ann", coins: 10 })
 *   return yield* Reactivity.stream(Account.ref("ann").coins.get(), { accounts: ["ann"] }).pipe(
 *     Stream.tap(() => Effect.ignore(pay("ann", 4))),
 *     Stream.take(3),
 *     Stream.runCollect
 *   )
 * })
 *
 * const Live = EffectReactivity.layer().pipe(Layer.provideMerge(RedisService.layerMemory))
 *
 * await Effect.runPromise(Effect.provide(program, Live)) // => [10, 6, 2]
 * ```
 *
 * @stability experimental
 * @category programs
 * @since 0.1.0
 */
export const invalidate = (keys: Reactivity.KeysInput): Atomic<void, InvalidValue> =>
  Invalidation.invalidate(keys as Invalidation.Keys) as unknown as Atomic<void, InvalidValue>
