/**
 * The real clock, for support code that waits on sockets and processes.
 *
 * Under `it.effect` the clock of a test only moves when the test moves it, but a server that starts or a connection
 * that is cut takes real time. Everything in this directory therefore waits on the real clock, so that it can be used
 * from `it.effect` and `it.live` alike.
 */
import { Clock, Effect } from "effect"

const liveClock = Clock.Clock.defaultValue()

/** Runs an effect on the real clock, whatever clock the caller has. */
export const withLiveClock = <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.provideService(self, Clock.Clock, liveClock)
