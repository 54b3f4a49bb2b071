/**
 * Random histories of the store of a rate limiter, and Effect's own store in memory as their oracle.
 */
import { Duration, Effect, Layer } from "effect"
import * as RateLimiter from "effect/persistence/RateLimiter"
import { TestClock } from "effect/testing"
import type { Random } from "../differential/random.ts"

export type Store = RateLimiter.RateLimiterStore["Service"]

export type Step =
  | { readonly _tag: "fixedWindow"; readonly options: Parameters<Store["fixedWindow"]>[0] }
  | { readonly _tag: "tokenBucket"; readonly options: Parameters<Store["tokenBucket"]>[0] }
  | { readonly _tag: "adaptiveConsume"; readonly options: RateLimiter.AdaptiveConsumeOptions }
  | { readonly _tag: "adaptiveFeedback"; readonly options: RateLimiter.AdaptiveFeedbackOptions }

const minute = 60_000

/** The number of a key decides the limit of its bucket, because a bucket that is full is forgotten, and so is another limit. */
const bucketOf = (key: string) => {
  const number = Number(key.slice(key.lastIndexOf("k") + 1))
  return {
    limit: [3, 5, 2.5][number % 3]!,
    refillRate: Duration.millis([10 * minute, 60 * minute, 20 * minute / 3][Math.floor(number / 3) % 3]!)
  }
}

/** A step of the history of one key: `epoch` is one that its feedback may name. */
export const makeStep = (random: Random, key: string, epoch: number): Step => {
  const tokens = random.pick([1, 1, 1, 2, 3, 0.5, 0])
  const refillRate = Duration.millis(random.pick([10 * minute, 60 * minute, 20 * minute / 3]))
  const number = Number(key.slice(key.lastIndexOf("k") + 1))
  // what is learned needs several steps in order
  switch (number % 5 === 0 ? random.int(4, 5) : random.int(0, 5)) {
    case 0:
    case 1:
      return {
        _tag: "fixedWindow",
        options: { key, tokens, refillRate, limit: random.pick([undefined, 3, 5, 4.5]) }
      }
    case 2:
    case 3:
      return {
        _tag: "tokenBucket",
        options: { key, tokens, ...bucketOf(key), allowOverflow: random.chance(0.4) }
      }
    case 4:
      return {
        _tag: "adaptiveConsume",
        options: { key, tokens, fallbackLimit: 5, fallbackWindow: Duration.hours(random.pick([1, 3])) }
      }
    default:
      return {
        _tag: "adaptiveFeedback",
        options: {
          key,
          epoch: random.chance(0.8) ? epoch : random.int(0, 3),
          tokens,
          status: random.chance(0.9) ? 429 : 200,
          retryAfter: random.chance(0.9)
            ? Duration.millis(random.pick([10 * minute, 30 * minute, 90 * minute, 0, -5]))
            : undefined
        }
      }
  }
}

export interface Observed {
  /** Values that do not depend on a moment more or less. */
  readonly exact: ReadonlyArray<number | string>
  /** Times in milliseconds. */
  readonly times: ReadonlyArray<number>
  readonly epoch: number | undefined
}

export const observe = (store: Store, step: Step): Effect.Effect<Observed, RateLimiter.RateLimiterError> => {
  switch (step._tag) {
    case "fixedWindow":
      return Effect.map(store.fixedWindow(step.options), ([count, ttl]) => ({
        exact: [count],
        times: [ttl],
        epoch: undefined
      }))
    case "tokenBucket":
      return Effect.map(store.tokenBucket(step.options), ([remaining, elapsed]) => ({
        exact: [remaining],
        times: [elapsed],
        epoch: undefined
      }))
    case "adaptiveConsume":
      return Effect.map(store.adaptiveConsume(step.options), ({ delay, epoch, phase }) => ({
        exact: [phase, epoch],
        times: [Duration.toMillis(delay)],
        epoch
      }))
    case "adaptiveFeedback":
      return Effect.as(store.adaptiveFeedback(step.options), { exact: [], times: [], epoch: undefined })
  }
}

/** Effect's store in memory, with a clock of its own. */
export const makeOracle = Effect.gen(function*() {
  const context = yield* Layer.build(Layer.merge(RateLimiter.layerStoreMemory, TestClock.layer()))
  const provide = Effect.provideContext(context)
  return {
    observe: (step: Step) => provide(Effect.flatMap(RateLimiter.RateLimiterStore, (store) => observe(store, step))),
    pass: (millis: number) => provide(TestClock.adjust(millis))
  }
})
