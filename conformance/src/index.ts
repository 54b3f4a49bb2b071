/**
 * The conformance suite of redlayer: checks that any implementation of `RedisService` must pass. It checks results, stored
 * data, errors, undo, times to live, locks and topics. It does not check what happens when connections break.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { MemoryOptions, RedisService } from "redlayer/RedisService"
import { CheckFailed, type RawStore } from "redlayer/testing"
import type { Backend, Test } from "./suite.ts"

/**
 * The service to check, and the clock by which its store expires entries.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /**
   * Builds the service with the given options, together with a `RawStore` that reads and writes the same store. Each check
   * builds the layer once, some checks build it several times. Every build must start with an empty store that no other build
   * shares, for example under a key prefix that is used once.
   */
  readonly layer: (options: MemoryOptions) => Layer.Layer<RedisService | RawStore, unknown>
  /**
   * The clock by which the store expires entries. `"server"`: the clock of the server, which cannot be stopped; checks move
   * the expiry times instead. `"clock"`: Effect's `Clock`; checks provide a `TestClock` and move it. Default: `"server"`.
   */
  readonly time?: "server" | "clock" | undefined
}

/**
 * One behaviour that any service must have.
 *
 * @category models
 * @since 0.1.0
 */
export interface Check {
  /** The subject of the check, for example `lists`. Checks of one area are consecutive. */
  readonly area: string
  /** The behaviour that is checked, unique within its area. */
  readonly name: string
  /**
   * Builds the layer, runs the check and closes the layer. It uses the live clock even if a `TestClock` is provided, and ends
   * within one minute.
   */
  readonly run: Effect.Effect<void, CheckFailed>
}

/** A check that takes longer fails: the service does not answer. */
const limit = "60 seconds"

const liveClock = Clock.Clock.defaultValue()

/**
 * Returns all checks of the suite, some six hundred. Run each of them with any test framework, in any order or at once.
 *
 * **When to use**
 *
 * To test a `RedisService` that you wrote, or `RedisService.layerTransport` over a transport that you wrote.
 *
 * **Details**
 *
 * The areas are loaded when this effect runs. They need Node. They define models and topics of their own, so no other model of
 * the process may have the same names.
 *
 * **Gotchas**
 *
 * The checks do not break connections: `Testing.layerTransport` does that.
 *
 * **Example** (Checking a service)
 *
 * ```ts run
 * import { Effect } from "effect"
 * import * as Testing from "redlayer/testing"
 * import * as Conformance from "redlayer-conformance"
 *
 * const program = Effect.gen(function*() {
 *   const checks = yield* Conformance.checks({ layer: Testing.layerMemory, time: "clock" })
 *   const guards = checks.filter(({ area }) => area === "guards")
 *   const [passed, failed] = yield* Effect.partition(guards, ({ run }) => run)
 *   return { some: passed.length > 5, failed: failed.map(({ message }) => message) }
 * })
 *
 * await Effect.runPromise(program) // => { some: true, failed: [] }
 * ```
 *
 * @category checks
 * @since 0.1.0
 */
export const checks = ({ layer, time }: Options): Effect.Effect<ReadonlyArray<Check>> =>
  // the areas are far larger than this module, and define models when they are loaded
  Effect.map(Effect.promise(() => import("./areas.ts")), ({ areas }) => {
    const backend: Backend = {
      // Layer.fresh, so that no part is shared with another build
      layer: (options = {}) => Layer.fresh(Layer.orDie(Layer.suspend(() => layer(options)))),
      hasOwnClock: time === "clock"
    }
    const all: Array<Check> = []
    for (const [area, register] of Object.entries(areas)) {
      const test: Test = (name, body) => {
        const fail = (problem: string) => Effect.fail(new CheckFailed({ check: `${area}: ${name}`, problem }))
        const run = Effect.scoped(Effect.suspend(body)).pipe(
          Effect.provide(backend.layer()),
          Effect.asVoid,
          Effect.catchCause((cause) => fail(Cause.pretty(cause))),
          Effect.timeoutOrElse({ duration: limit, orElse: () => fail(`it did not end within ${limit}`) }),
          Effect.provideService(Clock.Clock, liveClock)
        )
        all.push({ area, name, run })
      }
      register(test, backend)
    }
    return all
  })
