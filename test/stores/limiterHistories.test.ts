/**
 * Random histories of operations of a rate limiter: Effect's own store in memory is the oracle.
 */
import { assert } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import * as RateLimiter from "effect/persistence/RateLimiter"
import { EffectRateLimiter } from "redlayer"
import { Coverage, limit, Random, runs, seed } from "../differential/random.ts"
import { makeOracle, makeStep, observe } from "./limiterOracle.ts"
import { places } from "./places.ts"

const keys = 50
const length = 16

for (const { describe, name, pass, test } of places) {
  const usual = { memory: 400, server: 100, cluster: 50 }[name]
  describe("histories of a rate limiter", () => {
    test(
      "agree with Effect's store in memory, to the last bit of each count",
      Effect.gen(function*() {
        const store = Context.get(yield* Layer.build(EffectRateLimiter.layer), RateLimiter.RateLimiterStore)
        const coverage = new Coverage([
          "fixedWindow",
          "tokenBucket",
          "adaptiveConsume",
          "adaptiveFeedback",
          "inactive",
          "cooldown",
          "learning",
          "learned"
        ])
        const { count } = coverage
        for (const run of coverage.turns(Math.ceil(runs(usual) / keys))) {
          const random = new Random(`limiter/${name}/${run}`)
          // the second one is some seconds ahead: where they differ, a moment decides, and a history ends
          const oracle = yield* makeOracle
          const ahead = yield* makeOracle
          const alive = new Map(Array.from({ length: keys }, (_, i) => [`${run}/k${i}`, 0]))
          for (let i = 0; i < length; i++) {
            const steps = Array.from(alive, ([key, epoch]) => ({ key, step: makeStep(random, key, epoch) }))
            yield* Effect.forEach(
              steps,
              Effect.fnUntraced(function*({ key, step }) {
                const expected = yield* oracle.observe(step)
                const other = yield* ahead.observe(step)
                if (expected.exact.join() !== other.exact.join()) {
                  count("ambiguous")
                  alive.delete(key)
                  return
                }
                const where = `seed ${seed}, run ${run}, step ${i} of ${key}: ${JSON.stringify(step)}`
                const observed = yield* observe(store, step)
                assert.deepStrictEqual(observed.exact, expected.exact, where)
                for (const [at, time] of observed.times.entries()) {
                  if (name === "memory") {
                    // a nanosecond, because the store keeps the sum of two times, and Effect's keeps both
                    assert.isAtMost(Math.abs(time - expected.times[at]!), 0.000_001, where)
                  } else {
                    const both = [expected.times[at]!, other.times[at]!]
                    assert.isAtLeast(time, Math.min(...both) - 2, where)
                    assert.isAtMost(time, Math.max(...both) + 2, where)
                  }
                }
                count(step._tag)
                for (const part of observed.exact) if (typeof part === "string") count(part)
                if (observed.epoch !== undefined) alive.set(key, observed.epoch)
              }),
              { concurrency: "unbounded", discard: true }
            )
            const millis = random.pick([0, 0, random.int(1, 5_000_000), 600_000, 3_600_000])
            yield* pass(millis)
            yield* oracle.pass(millis)
            yield* ahead.pass(millis + (name === "memory" ? 0 : 2000))
          }
        }
        console.log(`${name}: seed ${seed}, ${coverage}`)
        assert.deepStrictEqual(coverage.missing, [])
        if (name === "memory") assert.strictEqual(coverage.of("ambiguous"), 0)
      }),
      limit(280_000, usual)
    )
  })
}
