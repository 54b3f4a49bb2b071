/**
 * Sessions that expire half an hour after their last use, and at the latest after a day.
 *
 * `test/docs/examples.test.ts` runs it.
 */
import { DateTime, Effect, Schema } from "effect"
import { Atomic, Model } from "redlayer"

export class Session extends Model.Class<Session>("Session")({
  user: Schema.String,
  startedAt: Schema.DateTimeUtc,
  requests: Schema.Int.pipe(Model.withDefault(0))
}, { timeToLive: { duration: "30 minutes", refresh: "write" } }) {}

export class SessionExpired extends Schema.TaggedError<SessionExpired>("SessionExpired")("SessionExpired", {}) {}

/** Starts a session. Its generated id is the token of the client. */
export const start = Effect.fn("start")(function*(user: string) {
  const { id } = yield* Session.insert({ user, startedAt: yield* DateTime.now })
  return id
})

/**
 * Authenticates a request and renews the session: the increment is a write, and `refresh: "write"` renews. Reading a session, for
 * example on a page that lists sessions, does not renew it.
 */
export const authenticate = Effect.fn("authenticate")(function*(id: string) {
  const session = Session.ref(id)
  const oldest = DateTime.subtract(yield* DateTime.now, { days: 1 })
  return yield* Atomic.guard(session.startedAt.gt(oldest), () => new SessionExpired()).pipe(
    Atomic.andThen(session.requests.increment()),
    Atomic.andThen(session.user.get())
  )
}, Effect.catchTag("EntityNotFound", () => Effect.fail(new SessionExpired())))

/** Ends a session. Returns whether it existed. */
export const end = (id: string) => Session.delete(id)
