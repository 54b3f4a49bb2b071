/**
 * Ready-made retries, as functions of the effect: which errors may be retried, and how often. A layer already retries
 * within its `deadline`; these policies continue after that.
 *
 * **Gotchas**
 *
 * A retry runs the whole effect again. Put it around one program, or around an effect of which only the last step
 * writes, because what an earlier step wrote is not undone when a later step fails.
 *
 * @stability unstable
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import { check, duration, refusalOf } from "./internal/options.ts"
import { isRedisServiceError } from "./RedisServiceError.ts"

/**
 * How long and how often to retry. The first pause is about `base`, and each next one twice as long, up to `maximum`.
 * Each pause is shortened at random, by at most a half, so that callers that failed together do not retry together.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** The greatest number of retries. Default: 10. */
  readonly times?: number | undefined
  /** How long after the beginning of the first attempt a retry may still begin. Default: 30 seconds. */
  readonly duration?: Duration.Input | undefined
  /** The first pause. Default: 50 milliseconds. */
  readonly base?: Duration.Input | undefined
  /** The longest pause. Default: 5 seconds. */
  readonly maximum?: Duration.Input | undefined
}

const checks = {
  times: check(
    "an integer of at least 0, or Infinity",
    (value) => value === Infinity || Number.isInteger(value) && value as number >= 0
  ),
  duration: duration(0),
  base: duration(0),
  maximum: duration(0)
}

const millis = (duration: Duration.Input): number => Duration.toMillis(Duration.fromInputUnsafe(duration))

/** `begun` is when the first attempt began. If it is undefined, `duration` counts from the first failure. */
const from = (options: Options, begun: number | undefined): Schedule.Schedule<Duration.Duration> => {
  const refusal = refusalOf(options, checks)
  if (refusal !== undefined) throw new TypeError(`RetryPolicy: option \`${refusal.option}\`: ${refusal.issue}`)
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
 * The schedule of these policies, for a policy of your own. Its `duration` counts from the first failure, because a
 * schedule knows nothing of the first attempt.
 *
 * **When to use**
 *
 * Use with `Effect.retry`, or for `modify` of a model, if other errors are to be retried.
 *
 * @stability unstable
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
 * Returns true for an error after which a retry is safe for every program: a `RedisServiceError` that is retryable.
 * Nothing was applied then.
 *
 * @stability unstable
 * @category guards
 * @since 0.1.0
 */
export const isTransient = (error: unknown): boolean => isRedisServiceError(error) && error.isRetryable

/**
 * Returns true for an error after which a retry is safe for a program that may run twice: a transient error, or an
 * `OutcomeUnknown`. Returns false if the program is known to be applied and only its result is lost.
 *
 * @stability unstable
 * @category guards
 * @since 0.1.0
 */
export const isUnsettled = (error: unknown): boolean =>
  isTransient(error) ||
  (isRedisServiceError(error) && error.reason._tag === "OutcomeUnknown" && error.reason.applied === "unknown")

/**
 * Retries errors after which the program was certainly not applied: `ConnectionUnavailable` and `ServerUnavailable`.
 * Every other error, and the last of these, is the effect's own. Safe for every program.
 *
 * **When to use**
 *
 * Use by default, around every program. For programs that may run twice use `idempotent`, which retries more.
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
 *   yield* faults.usePlan(Testing.sequence([Testing.notSent, Testing.answer("LOADING Redis is loading the dataset")]))
 *   return yield* Page.ref("/").visits.increment().pipe(RetryPolicy.transient({ base: "1 millis" }))
 * })
 *
 * const layer = Testing.layerService().pipe(Layer.provide(RedisService.layerMemory))
 *
 * await Effect.runPromise(program.pipe(Effect.provide(layer))) // => 1
 * ```
 *
 * @stability unstable
 * @category policies
 * @since 0.1.0
 */
export const transient: {
  /**
   * Retries errors after which the program was certainly not applied: `ConnectionUnavailable` and `ServerUnavailable`.
   * Every other error, and the last of these, is the effect's own. Safe for every program.
   */
  (options?: Options): <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  /**
   * Retries errors after which the program was certainly not applied: `ConnectionUnavailable` and `ServerUnavailable`.
   * Every other error, and the last of these, is the effect's own. Safe for every program.
   */
  <A, E, R>(self: Effect.Effect<A, E, R>, options?: Options): Effect.Effect<A, E, R>
} = dual(
  isFirstEffect,
  <A, E, R>(self: Effect.Effect<A, E, R>, options?: Options): Effect.Effect<A, E, R> =>
    retry(self, isTransient, options)
)

/**
 * Retries transient errors, and `OutcomeUnknown` as well.
 *
 * **When to use**
 *
 * Use for programs that may run twice, because they read, because they end in the same state (`set`, `put`, `delete`),
 * or because they are committed with an `idempotencyKey`. Do not use for a plain `increment`, `append` or `insert`.
 *
 * **Gotchas**
 *
 * Others may write between the first run and the second: a repeated `set` overwrites what they set. If that matters,
 * commit with an `idempotencyKey`, or use a layer with `exactlyOnce`.
 *
 * @see {@link transient} for every other program
 * @stability unstable
 * @category policies
 * @since 0.1.0
 */
export const idempotent: {
  /** Retries transient errors, and `OutcomeUnknown` as well. */
  (options?: Options): <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  /** Retries transient errors, and `OutcomeUnknown` as well. */
  <A, E, R>(self: Effect.Effect<A, E, R>, options?: Options): Effect.Effect<A, E, R>
} = dual(
  isFirstEffect,
  <A, E, R>(self: Effect.Effect<A, E, R>, options?: Options): Effect.Effect<A, E, R> =>
    retry(self, isUnsettled, options)
)
