/**
 * The contract of `RateLimiterStore`, sentence by sentence, and Effect's `RateLimiter` over it.
 */
import { assert } from "@effect/vitest"
import { Context, Duration, Effect, Exit, Layer } from "effect"
import * as RateLimiter from "effect/persistence/RateLimiter"
import { EffectRateLimiter, RedisServiceError } from "redlayer"
import * as Testing from "redlayer/testing"
import { places } from "./places.ts"

const minute = 60_000

const start = Effect.map(Layer.build(EffectRateLimiter.layer), Context.get(RateLimiter.RateLimiterStore))

const near = (millis: number, expected: number) => {
  assert.isAtMost(millis, expected)
  // what a slow server may need
  assert.isAbove(millis, expected - 10_000)
}

for (const { describe, pass, peers, test } of places) {
  describe("the store of a rate limiter", () => {
    const window = (tokens: number, limit: number | undefined, key = "k") => ({
      key,
      tokens,
      limit,
      refillRate: Duration.minutes(1)
    })

    test(
      "a fixed window returns the count after taking, and the time to live, which each token makes longer by a refill",
      Effect.gen(function*() {
        const store = yield* start
        const [first, ttl] = yield* store.fixedWindow(window(1, 3))
        assert.strictEqual(first, 1)
        near(ttl, minute)
        const [second, longer] = yield* store.fixedWindow(window(2, 3))
        assert.strictEqual(second, 3)
        near(longer, 3 * minute)
      })
    )

    test(
      "a fixed window over its limit returns a count above the limit, takes nothing, and lives no longer",
      Effect.gen(function*() {
        const store = yield* start
        yield* store.fixedWindow(window(2, 3))
        for (let i = 0; i < 3; i++) {
          const [count, ttl] = yield* store.fixedWindow(window(2, 3))
          assert.strictEqual(count, 4)
          near(ttl, 2 * minute)
        }
        assert.strictEqual((yield* store.fixedWindow(window(1, 3)))[0], 3)
        // more than the limit, of a window that does not exist: nothing is left behind
        assert.deepStrictEqual(yield* store.fixedWindow(window(4, 3, "other")), [4, 0])
        assert.deepStrictEqual((yield* store.fixedWindow(window(1, 0, "zero")))[0], 1)
        assert.deepStrictEqual((yield* store.fixedWindow(window(1, 0, "zero")))[0], 1)
      })
    )

    test(
      "a fixed window without a limit has no end of tokens, and ends when all are refilled",
      Effect.gen(function*() {
        const store = yield* start
        for (let i = 1; i <= 20; i++) {
          const [count, ttl] = yield* store.fixedWindow(window(1, undefined))
          assert.strictEqual(count, i)
          near(ttl, i * minute)
        }
        yield* pass(19 * minute)
        assert.strictEqual((yield* store.fixedWindow(window(1, undefined)))[0], 21)
        yield* pass(2 * minute)
        assert.strictEqual((yield* store.fixedWindow(window(1, undefined)))[0], 1)
      })
    )

    const bucket = (tokens: number, allowOverflow: boolean, key = "k") => ({
      key,
      tokens,
      limit: 3,
      refillRate: Duration.minutes(1),
      allowOverflow
    })

    test(
      "a token bucket begins full, refills in whole intervals, and never beyond its limit",
      Effect.gen(function*() {
        const store = yield* start
        assert.deepStrictEqual(yield* store.tokenBucket(bucket(1, false)), [2, 0])
        assert.strictEqual((yield* store.tokenBucket(bucket(1.5, false)))[0], 0.5)
        yield* pass(1.5 * minute)
        const [remaining, elapsed] = yield* store.tokenBucket(bucket(1, false))
        assert.strictEqual(remaining, 0.5)
        // the interval does not begin again when a token is taken
        assert.isAtLeast(elapsed, minute / 2)
        assert.isBelow(elapsed, minute)
        yield* pass(100 * minute)
        assert.deepStrictEqual(yield* store.tokenBucket(bucket(0, false)), [3, 0])
      })
    )

    test(
      "a token bucket keeps a negative count only if it may overflow",
      Effect.gen(function*() {
        const store = yield* start
        assert.strictEqual((yield* store.tokenBucket(bucket(4, false)))[0], -1)
        assert.strictEqual((yield* store.tokenBucket(bucket(3, false)))[0], 0)
        assert.strictEqual((yield* store.tokenBucket(bucket(1, false)))[0], -1)
        assert.strictEqual((yield* store.tokenBucket(bucket(1, false)))[0], -1)
        assert.strictEqual((yield* store.tokenBucket(bucket(50, true)))[0], -50)
        // the debt is not forgotten, though a call that may not overflow comes after it
        assert.strictEqual((yield* store.tokenBucket(bucket(1, false)))[0], -51)
        yield* pass(40 * minute)
        assert.strictEqual((yield* store.tokenBucket(bucket(1, true)))[0], -11)
      })
    )

    test(
      "adaptive: inactive, a cooldown after a 429, learning after it, and a learned limit after the next 429",
      Effect.gen(function*() {
        const store = yield* start
        const options = { key: "k", tokens: 1, fallbackLimit: 5, fallbackWindow: Duration.minutes(1) }
        const consume = Effect.map(
          store.adaptiveConsume(options),
          ({ delay, epoch, phase }) => [phase, epoch, Duration.toMillis(delay)] as const
        )
        const feedback = (epoch: number, retryAfter: Duration.Duration | undefined, status = 429) =>
          store.adaptiveFeedback({ key: "k", epoch, tokens: 1, status, retryAfter })
        assert.deepStrictEqual(yield* consume, ["inactive", 0, 0])
        // none of these is a reason
        yield* feedback(0, Duration.minutes(10), 503)
        yield* feedback(0, undefined)
        yield* feedback(1, Duration.minutes(10))
        assert.deepStrictEqual(yield* consume, ["inactive", 0, 0])

        yield* feedback(0, Duration.minutes(10))
        yield* feedback(0, Duration.minutes(5))
        const [phase, epoch, delay] = yield* consume
        assert.deepStrictEqual([phase, epoch], ["cooldown", 0])
        near(delay, 10 * minute)
        yield* pass(10 * minute)
        assert.deepStrictEqual(yield* consume, ["learning", 1, 0])
        assert.deepStrictEqual(yield* consume, ["learning", 1, 0])
        assert.deepStrictEqual(yield* consume, ["learning", 1, 0])
        yield* pass(minute)
        // of an epoch that is over
        yield* feedback(0, Duration.minutes(2))
        assert.strictEqual((yield* consume)[0], "learning")
        // three of four were accepted within three minutes
        yield* feedback(1, Duration.minutes(2))
        const [learned, second, wait] = yield* consume
        assert.deepStrictEqual([learned, second], ["learned", 2])
        near(wait, 2 * minute)
        yield* pass(3 * minute)
        assert.deepStrictEqual((yield* consume).slice(0, 2), ["learned", 2])
        yield* feedback(2, Duration.minutes(1))
        assert.deepStrictEqual((yield* consume).slice(0, 2), ["cooldown", 2])
        // the state ends a minute after the cooldown
        yield* pass(3 * minute)
        assert.deepStrictEqual(yield* consume, ["inactive", 0, 0])
      })
    )

    test(
      "each operation is one program, and a feedback without a reason none",
      Effect.gen(function*() {
        const store = yield* start
        const faults = yield* Testing.Faults
        const programs = <A, E>(operation: Effect.Effect<A, E>) =>
          Effect.gen(function*() {
            yield* faults.usePlan(Testing.none)
            yield* operation
            return (yield* faults.log).length
          })
        const options = { key: "k", tokens: 1, fallbackLimit: 5, fallbackWindow: Duration.minutes(1) }
        const feedback = { key: "k", epoch: 0, tokens: 1, retryAfter: Duration.minutes(1) }
        for (let i = 0; i < 3; i++) {
          assert.strictEqual(yield* programs(store.fixedWindow(window(1, 2))), 1)
          assert.strictEqual(yield* programs(store.tokenBucket(bucket(2, false))), 1)
          assert.strictEqual(yield* programs(store.adaptiveConsume(options)), 1)
          assert.strictEqual(yield* programs(store.adaptiveFeedback({ ...feedback, status: 200 })), 0)
          assert.strictEqual(yield* programs(store.adaptiveFeedback({ ...feedback, status: 429 })), 1)
        }
      })
    )

    test(
      "every key expires, also that of a call that took nothing",
      Effect.gen(function*() {
        const store = yield* start
        const raw = yield* Testing.RawStore
        yield* store.fixedWindow(window(4, 3, "refused"))
        yield* store.fixedWindow(window(1, 3))
        yield* store.fixedWindow(window(900, undefined, "many"))
        yield* store.tokenBucket(bucket(4, false, "refused"))
        yield* store.tokenBucket(bucket(1, false))
        yield* store.tokenBucket(bucket(900, true, "many"))
        yield* store.adaptiveFeedback({ key: "k", epoch: 0, tokens: 1, status: 429, retryAfter: Duration.days(1) })
        const dump = Object.entries(yield* raw.dump)
        assert.strictEqual(dump.length, 7)
        for (const [key, { expiresAt }] of dump) assert.isDefined(expiresAt, key)
        yield* pass(4096 * 3 * minute + 4_000_000)
        assert.deepStrictEqual(yield* raw.dump, {})
      })
    )

    test(
      "bad input, and a server that fails, are RateLimiterErrors with their cause",
      Effect.gen(function*() {
        const store = yield* start
        const faults = yield* Testing.Faults
        const causeOf = (exit: Exit.Exit<unknown, RateLimiter.RateLimiterError>) => {
          assert.isTrue(Exit.isFailure(exit))
          const reason = Exit.isFailure(exit) && exit.cause.reasons[0]?._tag === "Fail" &&
            exit.cause.reasons[0].error.reason
          assert.isTrue(reason instanceof RateLimiter.RateLimitStoreError)
          return (reason as RateLimiter.RateLimitStoreError).cause as { readonly _tag: string }
        }
        for (const key of ["", "\ud800", "x".repeat(1025)]) {
          assert.strictEqual(causeOf(yield* Effect.exit(store.fixedWindow(window(1, 3, key))))._tag, "InvalidValue")
          assert.strictEqual(causeOf(yield* Effect.exit(store.tokenBucket(bucket(1, true, key))))._tag, "InvalidValue")
        }
        const endless = { ...window(1, 3), refillRate: Duration.infinity }
        assert.strictEqual(causeOf(yield* Effect.exit(store.fixedWindow(endless)))._tag, "InvalidValue")
        assert.strictEqual(causeOf(yield* Effect.exit(store.fixedWindow(window(NaN, 3))))._tag, "InvalidValue")
        yield* faults.usePlan(Testing.sequence([Testing.loseReply]))
        const cause = causeOf(yield* Effect.exit(store.fixedWindow(window(1, 3, "lost"))))
        assert.isTrue(RedisServiceError.isRedisServiceError(cause))
        // it was applied once
        assert.strictEqual((yield* store.fixedWindow(window(1, 3, "lost")))[0], 2)
      })
    )

    test(
      "many fibers of several services, each with a connection of its own, let through exactly the limit",
      Effect.gen(function*() {
        const stores = yield* Effect.forEach(yield* peers(4), (service) => Effect.provideContext(start, service))
        const limiters = yield* Effect.forEach(
          stores,
          (store) => Effect.provideService(RateLimiter.make, RateLimiter.RateLimiterStore, store)
        )
        for (const algorithm of ["fixed-window", "token-bucket"] as const) {
          const exits = yield* Effect.forEach(
            Array.from({ length: 200 }, (_, i) => limiters[i % 4]!),
            (limiter) => Effect.exit(limiter.consume({ key: "shared", algorithm, limit: 50, window: "1 hour" })),
            { concurrency: "unbounded" }
          )
          assert.strictEqual(exits.filter(Exit.isSuccess).length, 50)
          const remaining = exits.filter(Exit.isSuccess).map(({ value }) => value.remaining).toSorted((a, b) => a - b)
          assert.deepStrictEqual(remaining, Array.from({ length: 50 }, (_, i) => i))
        }
      })
    )

    test(
      "RateLimiter.sleep delays as many as are beyond the limit",
      Effect.gen(function*() {
        const limiter = yield* Effect.provideService(RateLimiter.make, RateLimiter.RateLimiterStore, yield* start)
        for (const algorithm of ["fixed-window", "token-bucket"] as const) {
          const delays: Array<number> = []
          for (let i = 0; i < 6; i++) {
            const { delay } = yield* limiter.consume({
              key: "k",
              algorithm,
              onExceeded: "delay",
              limit: 2,
              window: "2 minutes"
            })
            delays.push(Math.ceil(Duration.toMillis(delay) / minute))
          }
          assert.deepStrictEqual(delays, algorithm === "fixed-window" ? [0, 0, 2, 2, 4, 4] : [0, 0, 1, 2, 3, 4])
        }
      })
    )
  })
}
