/**
 * The store of Effect's own `RateLimiter` (`effect/persistence/RateLimiter`), on one server, on a cluster and in memory. Effect's module is
 * marked unstable, and so is this one.
 *
 * @stability experimental
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as RateLimiter from "effect/persistence/RateLimiter"
import * as Schema from "effect/Schema"
import * as Atomic from "./Atomic.ts"
import * as Condition from "./Condition.ts"
import { RedisService } from "./internal/service.ts"
import * as Model from "./Model.ts"

// Times are numbers of milliseconds with fractions, because the contract counts them so. `at` is the server's time of the last
// operation: to be read it must be stored.
const FixedWindow = Model.make("EffectFixedWindow", {
  key: Schema.String,
  count: Schema.Finite,
  endsAt: Schema.Finite,
  at: Schema.Finite
}, { key: "key" })

const TokenBucket = Model.make("EffectTokenBucket", {
  key: Schema.String,
  tokens: Schema.Finite,
  refilledAt: Schema.Finite,
  refills: Schema.Finite,
  at: Schema.Finite
}, { key: "key" })

const Adaptive = Model.make("EffectAdaptiveLimit", {
  key: Schema.String,
  phase: Schema.Literals(["cooldown", "learning", "learned"]),
  epoch: Schema.Finite,
  cooldownUntil: Schema.Finite,
  learningStartedAt: Schema.Finite,
  observedTokens: Schema.Finite,
  learnedLimit: Schema.Finite,
  learnedWindow: Schema.Finite,
  /** The state counts until then. The key lives longer. */
  endsAt: Schema.Finite,
  at: Schema.Finite
}, { key: "key" })

const now = Atomic.now.epochMillis

/** Times of keys, in steps: how often the shortest one. */
const steps = [1, 16, 4096]

const wholeMillis = (millis: number): number => Math.max(1, Math.ceil(millis))

/**
 * Sets the expiry of a key to the shortest step for which the state is of no use afterwards. An expiry is a constant of the program,
 * and how long a state is of use depends on what is stored. The programs compare with the times that are stored, so a key
 * may live longer.
 */
const expireAfter = <E, E2, E3>(
  shortest: number,
  suffices: (step: number) => Condition.Condition<E>,
  expire: (millis: number) => Atomic.Atomic<void, E2>,
  persist: Atomic.Atomic<unknown, E3>
): Atomic.Atomic<unknown, E | E2 | E3> =>
  steps.reduceRight<Atomic.Atomic<unknown, E | E2 | E3>>(
    (longer, step) => Atomic.if(suffices(step), { onTrue: expire(wholeMillis(shortest * step)), onFalse: longer }),
    persist
  )

const fixedWindow = (
  { key, limit, refillRate, tokens }: Parameters<RateLimiter.RateLimiterStore["Service"]["fixedWindow"]>[0]
) => {
  const { at, count, endsAt } = FixedWindow.ref(key)
  const refill = Duration.toMillis(refillRate)
  const shortest = refill * Math.max(limit ?? 0, tokens, 1)
  const take = Atomic.andThen(
    limit === undefined ? count.increment(tokens) : count.increment(tokens, { atMost: limit }),
    Atomic.as(endsAt.increment(refill * tokens), true)
  )
  return Atomic.all({
    window: Atomic.all([
      FixedWindow.ensure({ key, count: 0, endsAt: 0, at: 0 }),
      at.set(now),
      Atomic.when(Atomic.all([count.set(0), endsAt.set(now)]), endsAt.lte(now))
    ]),
    taken: limit === undefined ? take : Atomic.orElse(take, Atomic.succeed(false)),
    expiry: expireAfter(
      shortest,
      (step) => endsAt.lte(now.plus(shortest * step)),
      (millis) => FixedWindow.expire(key, millis),
      FixedWindow.persist(key)
    ),
    state: FixedWindow.get(key)
  }).pipe(
    Atomic.map(({ state, taken }) => [taken ? state.count : state.count + tokens, state.endsAt - state.at] as const)
  )
}

const tokenBucket = (
  { allowOverflow, key, limit, refillRate, tokens }: Parameters<
    RateLimiter.RateLimiterStore["Service"]["tokenBucket"]
  >[0]
) => {
  const bucket = TokenBucket.ref(key)
  const refill = Duration.toMillis(refillRate)
  const whole = Math.max(1, Math.ceil(limit))
  const take = Atomic.as(
    allowOverflow ? bucket.tokens.decrement(tokens) : bucket.tokens.decrement(tokens, { atLeast: 0 }),
    true
  )
  return Atomic.all({
    refilled: Atomic.all([
      TokenBucket.ensure({ key, tokens: limit, refilledAt: 0, refills: 0, at: 0 }),
      bucket.at.set(now),
      bucket.refills.set(now.minus(bucket.refilledAt.value()).quotient(refill)),
      Atomic.when(
        Atomic.all([
          bucket.tokens.increment(bucket.refills.value()),
          bucket.tokens.min(limit),
          bucket.refilledAt.increment(bucket.refills.value().times(refill))
        ]),
        bucket.refills.gt(0)
      ),
      Atomic.when(bucket.refilledAt.set(now), bucket.tokens.gte(limit))
    ]),
    taken: allowOverflow ? take : Atomic.orElse(take, Atomic.succeed(false)),
    // a full bucket is the same as none, and it is full after a whole number of refills
    expiry: expireAfter(
      refill * whole,
      (step) => bucket.tokens.gte(limit - step * whole),
      (millis) => TokenBucket.expire(key, millis),
      TokenBucket.persist(key)
    ),
    state: TokenBucket.get(key)
  }).pipe(
    Atomic.map(({ state, taken }) =>
      [taken ? state.tokens : state.tokens - tokens, Math.max(0, state.at - state.refilledAt)] as const
    )
  )
}

const adaptiveGrace = 60_000
const adaptiveMaximum = 3_600_000

const none = Atomic.succeed(undefined)

/** The state of a key, if it still counts. */
const whileItCounts = <A, B, E, E2>(
  key: string,
  onTrue: Atomic.Atomic<A, E>,
  onFalse: Atomic.Atomic<B, E2>
) => Atomic.if(Condition.and(Adaptive.exists(key), Adaptive.ref(key).endsAt.gt(now)), { onTrue, onFalse })

const adaptiveConsume = ({ fallbackWindow, key, tokens }: RateLimiter.AdaptiveConsumeOptions) => {
  const state = Adaptive.ref(key)
  const learning = Duration.toMillis(fallbackWindow) + adaptiveGrace
  const begin = Atomic.all([
    state.phase.set("learning"),
    state.epoch.increment(),
    state.learningStartedAt.set(now),
    state.observedTokens.set(tokens),
    state.endsAt.set(now.plus(learning)),
    Adaptive.expire(key, wholeMillis(Math.max(learning, adaptiveGrace + adaptiveMaximum)))
  ])
  const consume = Atomic.all([
    Atomic.when(Atomic.all([state.observedTokens.set(0), state.cooldownUntil.set(now)]), state.cooldownUntil.lte(now)),
    state.observedTokens.increment(tokens),
    state.cooldownUntil.increment(state.learnedWindow.value().dividedBy(state.learnedLimit.value()).times(tokens))
  ])
  return whileItCounts(
    key,
    Atomic.andThen(
      state.at.set(now),
      Atomic.andThen(
        Atomic.if(state.phase.eq("cooldown"), {
          onTrue: Atomic.when(begin, state.cooldownUntil.lte(now)),
          onFalse: Atomic.if(state.phase.eq("learning"), {
            onTrue: state.observedTokens.increment(tokens),
            onFalse: consume
          })
        }),
        Adaptive.get(key)
      )
    ),
    none
  ).pipe(Atomic.map((state): RateLimiter.AdaptiveConsumeResult => {
    if (state === undefined) return { delay: Duration.zero, epoch: 0, phase: "inactive" }
    return { delay: Duration.millis(Math.max(0, delayOf(state))), epoch: state.epoch, phase: state.phase }
  }))
}

const delayOf = (state: typeof Adaptive.Type): number => {
  if (state.phase === "cooldown") return state.cooldownUntil - state.at
  if (state.phase === "learning") return 0
  const refill = state.learnedWindow / state.learnedLimit
  const elapsed = state.observedTokens * refill - (state.cooldownUntil - state.at)
  return Math.floor((state.observedTokens - 1) / state.learnedLimit) * state.learnedWindow - elapsed
}

const adaptiveFeedback = ({ epoch, key, tokens }: RateLimiter.AdaptiveFeedbackOptions, after: Duration.Duration) => {
  const millis = Duration.toMillis(after)
  const retryAfter = Number.isNaN(millis) || millis <= 0 ? 1 : Math.min(millis, adaptiveMaximum)
  const state = Adaptive.ref(key)
  const until = now.plus(retryAfter)
  const expire = Adaptive.expire(key, adaptiveGrace + adaptiveMaximum + 1)
  const coolDown = Atomic.all([
    state.phase.set("cooldown"),
    state.cooldownUntil.set(until),
    state.learningStartedAt.set(0),
    state.observedTokens.set(0),
    state.learnedLimit.set(0),
    state.learnedWindow.set(0),
    state.endsAt.set(until.plus(adaptiveGrace)),
    expire
  ])
  const first = Atomic.andThen(
    Adaptive.put({
      key,
      phase: "cooldown",
      epoch: 0,
      cooldownUntil: 0,
      learningStartedAt: 0,
      observedTokens: 0,
      learnedLimit: 0,
      learnedWindow: 0,
      endsAt: 0,
      at: 0
    }),
    coolDown
  )
  const coolLonger = Atomic.all([
    state.cooldownUntil.max(until),
    state.endsAt.set(state.cooldownUntil.value().plus(adaptiveGrace)),
    expire
  ])
  const learn = Atomic.all([
    state.learnedWindow.set(now.minus(state.learningStartedAt.value()).plus(retryAfter).min(adaptiveMaximum)),
    Atomic.when(state.learnedWindow.set(1), state.learnedWindow.lte(0)),
    state.phase.set("learned"),
    state.epoch.increment(),
    state.cooldownUntil.set(state.learningStartedAt.value().plus(state.learnedWindow.value())),
    state.observedTokens.decrement(tokens),
    state.learnedLimit.set(state.observedTokens.value()),
    state.endsAt.set(now.plus(state.learnedWindow.value()).plus(adaptiveGrace)),
    expire
  ])
  return whileItCounts(
    key,
    Atomic.when(
      Atomic.if(state.phase.eq("cooldown"), {
        onTrue: coolLonger,
        onFalse: Atomic.if(Condition.and(state.phase.eq("learning"), state.observedTokens.gt(tokens)), {
          onTrue: learn,
          onFalse: coolDown
        })
      }),
      state.epoch.eq(epoch)
    ),
    epoch === 0 ? first : none
  )
}

/**
 * Provides the store of Effect's `RateLimiter` over any service. Each operation is one program, and so one round trip: calls of all
 * processes are counted exactly, with the server's clock.
 *
 * **When to use**
 *
 * Use for limits that several processes share, with `RateLimiter.layer` or `RateLimiter.makeWithRateLimiter` of Effect. A limit that is a part of a
 * larger program of your own is a field with a guard.
 *
 * **Details**
 *
 * - A key is three entities, one for each of its fixed window, its token bucket and its adaptive state. Each is in the slot of the key,
 *   so it works on a cluster.
 * - All times are the server's. In memory they are those of the `Clock`.
 * - Fails with `RateLimiterError`: its reason is `RateLimitStoreError` with the `RedisServiceError` or the domain error as its `cause`. So does a key
 *   that is no id, because it is empty or ill-formed or longer than 1,024 bytes; and a `refillRate` or a number of tokens that is not finite.
 * - O(1) on the server. A window or a bucket is removed some time after it is of no use: it lives as long as the whole window, and up to
 *   16 or 4,096 times as long if more than the limit was reserved with `onExceeded: "delay"`.
 *
 * **Gotchas**
 *
 * If the outcome of an operation is unknown, its tokens may have been taken. A service with `exactlyOnce` sends it again and takes them once.
 *
 * **Example** (Three calls a minute, for all processes)
 *
 * ```ts run
 * import { Effect, Layer } from "effect"
 * import { RateLimiter } from "effect/persistence"
 * import { EffectRateLimiter, RedisService } from "redlayer"
 *
 * const program = Effect.gen(function*() {
 *   const limiter = yield* RateLimiter.RateLimiter
 *   const call = limiter.consume({ key: "ann", limit: 3, window: "1 minute" })
 *   const remaining = yield* Effect.forEach([1, 2, 3], () => Effect.map(call, ({ remaining }) => remaining))
 *   const refused = yield* Effect.flip(call)
 *   return [remaining, refused.reason._tag]
 * })
 *
 * const Live = RateLimiter.layer.pipe(
 *   Layer.provide(EffectRateLimiter.layer),
 *   Layer.provide(RedisService.layerMemory)
 * )
 *
 * await Effect.runPromise(Effect.provide(program, Live)) // => [[2, 1, 0], "RateLimitExceeded"]
 * ```
 *
 * @stability experimental
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<RateLimiter.RateLimiterStore, never, RedisService> = Layer.effect(
  RateLimiter.RateLimiterStore,
  Effect.map(RedisService, (service) => {
    const run = <A, E extends { readonly message: string }>(operation: string, program: () => Atomic.Atomic<A, E>) =>
      Effect.suspend(program).pipe(
        Effect.provideService(RedisService, service),
        Effect.mapError((cause) =>
          new RateLimiter.RateLimiterError({
            reason: new RateLimiter.RateLimitStoreError({ message: `${operation} failed: ${cause.message}`, cause })
          })
        )
      )
    return RateLimiter.RateLimiterStore.of({
      fixedWindow: (options) => run("fixedWindow", () => fixedWindow(options)),
      tokenBucket: (options) => run("tokenBucket", () => tokenBucket(options)),
      adaptiveConsume: (options) => run("adaptiveConsume", () => adaptiveConsume(options)),
      adaptiveFeedback: (options) => {
        const { retryAfter, status } = options
        return status !== 429 || retryAfter === undefined
          ? Effect.void
          : Effect.asVoid(run("adaptiveFeedback", () => adaptiveFeedback(options, retryAfter)))
      }
    })
  })
)
