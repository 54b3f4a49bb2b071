/**
 * A quota of calls for each caller, in two forms: a fixed window, which begins with the first call; and a sliding window, which allows
 * no hour with more calls, wherever it begins. The server's time decides, so clients may have other clocks.
 *
 * `test/docs/apps.test.ts` runs it.
 */
import { Data, Duration, Effect, Option, Schema } from "effect"
import { Atomic, Condition, Model } from "redlayer"

export const limit = 5

export class TooManyCalls extends Data.TaggedError("TooManyCalls")<{ readonly retryAfter: Duration.Duration }> {}

class Full extends Data.TaggedError("Full") {}

/** It expires an hour after its first call, exactly: `refresh: "never"`. */
export const FixedWindow = Model.make("FixedWindow", { caller: Schema.String, calls: Schema.Int }, {
  key: "caller",
  timeToLive: { duration: "1 hour", refresh: "never" }
})

/** Counts a call, or fails with the time until the window ends. */
export const callFixed = Effect.fn("callFixed")(
  function*(caller: string) {
    const { calls } = FixedWindow.ref(caller)
    return yield* FixedWindow.ensure({ caller, calls: 0 }).pipe(
      Atomic.andThen(Atomic.guard(calls.lt(limit), () => new Full())),
      Atomic.andThen(calls.increment()),
      Atomic.orDie("EntityNotFound", "OutOfBounds", "ArithmeticError")
    )
  },
  (self, caller) =>
    Effect.catchTag(self, "Full", () =>
      Effect.flatMap(
        FixedWindow.timeToLive(caller).pipe(Effect.map(Option.getOrElse(() => Duration.zero))),
        (retryAfter) => Effect.fail(new TooManyCalls({ retryAfter }))
      )),
  // the window has ended since
  Effect.catchTag("EntityNotFound", () => Effect.fail(new TooManyCalls({ retryAfter: Duration.zero })))
)

/** The times of the latest calls, as many as an hour may have. It lives for an hour after its last call at least. */
export const SlidingWindow = Model.make("SlidingWindow", { caller: Schema.String, calls: Schema.Array(Schema.Date) }, {
  key: "caller",
  timeToLive: { duration: "1 hour" }
})

/** Logs a call, if fewer than `limit` calls are younger than an hour. */
export const callSliding = (caller: string) => {
  const { calls } = SlidingWindow.ref(caller)
  const isFree = Condition.or(calls.length().lt(limit), calls.at(0).lte(Atomic.now.minus("1 hour")))
  return SlidingWindow.ensure({ caller, calls: [] }).pipe(
    Atomic.andThen(Atomic.guard(isFree, () => new Full())),
    Atomic.andThen(calls.append(Atomic.now, { keep: limit })),
    // the window is there, and its list has an item where one is compared
    Atomic.orDie("EntityNotFound", "IndexOutOfRange", "OutOfBounds", "ArithmeticError"),
    Atomic.as("called")
  )
}
