/**
 * Ready retries, as functions of the effect: which errors may be tried again, and how often. A layer retries by itself within
 * its `deadline`; these go on after that.
 *
 * **Gotchas**
 *
 * A retry runs the whole effect again. Put it around one program, or around an effect in which nothing but the last step
 * writes: what an earlier step has written is not undone when a later one fails.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import { isRedisServiceError } from "./RedisServiceError.ts"

/**
 * How long, and how often. The first pause is about `base`, each next one twice as long, up to `maximum`; each is shortened by
 * chance to between a half and the whole, so that those who failed together don't come back together.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** How many retries at most: 10 unless said otherwise. */
  readonly times?: number | undefined
  /** No retry begins later than this after the first attempt began: 30 seconds unless said otherwise. */
  readonly duration?: Duration.Input | undefined
  /** The first pause: 50 milliseconds unless said otherwise. */
  readonly base?: Duration.Input | undefined
  /** The longest pause: 5 seconds unless said otherwise. */
  readonly maximum?: Duration.Input | undefined
}

const millis = (duration: Duration.Input): number => Duration.toMillis(Duration.fromInputUnsafe(duration))

/** @param begun when the first attempt began; undefined: count from its failure, which is all that a schedule sees */
const from = (options: Options, begun: number | undefined): Schedule.Schedule<Duration.Duration> => {
  const times = options.times ?? 10
  const total = millis(options.duration ?? "30 seconds")
  const maximum = millis(options.maximum ?? "5 seconds")
  return Schedule.exponential(options.base ?? "50 millis").pipe(
    Schedule.modifyDelay(({ duration }) =>
      Effect.map(Random.next, (random) => Math.min(maximum, Duration.toMillis(duration)) * (0.5 + random / 2))
    ),
    Schedule.while(({ attempt, duration, now, start }) =>
      attempt <= times && now - (begun ?? start) + Duration.toMillis(duration) <= total
    )
  )
}

/**
 * The schedule of the policies here, for one of your own. A schedule knows nothing of the first attempt, so its `duration`
 * counts from the first failure.
 *
 * @category constructors
 * @since 0.1.0
 */
export const schedule = (options: Options = {}): Schedule.Schedule<Duration.Duration> => from(options, undefined)

const retry = <A, E, R>(
  self: Effect.Effect<A, E, R>,
  isAgain: (error: unknown) => boolean,
  options: Options = {}
): Effect.Effect<A, E, R> =>
  Effect.clockWith((clock) =>
    Effect.retry(self, { schedule: from(options, clock.currentTimeMillisUnsafe()), while: isAgain })
  )

const isFirstEffect = (args: ArrayLike<unknown>): boolean => Effect.isEffect(args[0])

/**
 * Whether trying again is safe, and of use: a `RedisServiceError` that says so. Nothing was applied then.
 *
 * @category guards
 * @since 0.1.0
 */
export const isTransient = (error: unknown): boolean => isRedisServiceError(error) && error.isRetryable

/**
 * Whether trying again is of use where a second application does no harm: what is transient, and an outcome that is unknown. A
 * program that is known to be applied is not tried again, though its result is lost.
 *
 * @category guards
 * @since 0.1.0
 */
export const isUnsettled = (error: unknown): boolean =>
  isTransient(error) ||
  (isRedisServiceError(error) && error.reason._tag === "OutcomeUnknown" && error.reason.applied === "unknown")

/**
 * Tries again what certainly was not applied: `ConnectionUnavailable` and `ServerUnavailable`. Every other error, and the last
 * one of these, is the effect's own. Safe for every program.
 *
 * **Example** (A counter that waits for its server)
 *
 * ```ts run
 * import { Effect, Layer, Schema } from "effect"
 * import { Model, RedisService, RetryPolicy } from "redlayer"
 * import * as Testing from "redlayer/testing"
 *
 * const Page = Model.make("Page", { path: Schema.String, visits: Schema.Int }, { key: "path" })
 *
 * const program = Effect.gen(function*() {
 *   yield* Page.insert({ path: "/", visits: 0 })
 *   const faults = yield* Testing.Faults
 *   yield* faults.follow(Testing.inTurn([Testing.notSent, Testing.answer("LOADING Redis is loading the dataset")]))
 *   return yield* Page.ref("/").visits.increment().pipe(RetryPolicy.transient({ base: "1 millis" }))
 * })
 *
 * const layer = Testing.layerService().pipe(Layer.provide(RedisService.layerMemory))
 *
 * await Effect.runPromise(program.pipe(Effect.provide(layer))) // => 1
 * ```
 *
 * @category policies
 * @since 0.1.0
 */
export const transient: {
  (options?: Options): <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  <A, E, R>(self: Effect.Effect<A, E, R>, options?: Options): Effect.Effect<A, E, R>
} = dual(
  isFirstEffect,
  <A, E, R>(self: Effect.Effect<A, E, R>, options?: Options): Effect.Effect<A, E, R> =>
    retry(self, isTransient, options)
)

/**
 * Tries again what is transient, and also where the outcome is unknown: for programs that may run twice, because they read,
 * or end in the same state however often they run (`set`, `put`, `delete`), or are committed with an `idempotencyKey`. Not for
 * a plain `increment`, `append` or `insert`.
 *
 * **Gotchas**
 *
 * Between the first run and the second, others may write: a `set` that is repeated covers what they have set. Where that
 * matters, commit with an `idempotencyKey`, or use a layer with `exactlyOnce`.
 *
 * @see {@link transient} for every other program
 * @category policies
 * @since 0.1.0
 */
export const idempotent: {
  (options?: Options): <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  <A, E, R>(self: Effect.Effect<A, E, R>, options?: Options): Effect.Effect<A, E, R>
} = dual(
  isFirstEffect,
  <A, E, R>(self: Effect.Effect<A, E, R>, options?: Options): Effect.Effect<A, E, R> =>
    retry(self, isUnsettled, options)
)
