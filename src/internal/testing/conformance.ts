/**
 * What any service must do, as checks that bring their own service and their own time.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { CheckFailed, ConformanceCheck, ConformanceOptions } from "../../testing.ts"
import type { Backend, Test } from "./conformance/suite.ts"

/** A check that takes longer has found a service that doesn't answer. */
const limit = "60 seconds"

const liveClock = Clock.Clock.defaultValue()

/** @internal */
export const checks = (
  { layer, time }: ConformanceOptions,
  failed: (check: string, problem: string) => CheckFailed
): Effect.Effect<ReadonlyArray<ConformanceCheck>> =>
  // the suites are larger than all else here
  Effect.map(Effect.promise(() => import("./conformance/suites.ts")), ({ suites }) => {
    const backend: Backend = {
      // its parts are not shared with those of another build
      layer: (options = {}) => Layer.fresh(Layer.orDie(Layer.suspend(() => layer(options)))),
      hasOwnClock: time === "clock"
    }
    const checks: Array<ConformanceCheck> = []
    for (const [area, suite] of Object.entries(suites)) {
      const test: Test = (name, body) => {
        const fail = (problem: string) => Effect.fail(failed(`${area}: ${name}`, problem))
        const run = Effect.scoped(Effect.suspend(body)).pipe(
          Effect.provide(backend.layer()),
          Effect.asVoid,
          Effect.catchCause((cause) => fail(Cause.pretty(cause))),
          Effect.timeoutOrElse({ duration: limit, orElse: () => fail(`it did not end within ${limit}`) }),
          Effect.provideService(Clock.Clock, liveClock)
        )
        checks.push({ area, name, run })
      }
      suite(test, backend)
    }
    return checks
  })
