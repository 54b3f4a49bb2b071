/**
 * Sessions that expire half an hour after their last use, and at the latest after a day; with a list for each user, and a log out
 * everywhere. The server's time decides.
 *
 * `test/docs/apps.test.ts` runs it.
 */
import { Data, DateTime, Effect, Result, Schedule, Schema } from "effect"
import { Atomic, Model } from "redlayer"

/** `slot: "user"`: all of a user is in one slot, so one program may touch it, also on a cluster. */
export class Session extends Model.Class<Session>("Session")({
  user: Schema.String,
  token: Schema.String,
  startedAt: Schema.DateTimeUtc.pipe(Model.withDefault(DateTime.makeUnsafe(0))),
  requests: Schema.Int.pipe(Model.withDefault(0))
}, { key: ["user", "token"], slot: "user", timeToLive: { duration: "30 minutes", refresh: "write" } }) {}

/** The tokens of a user. It lives for a day after the last log in, which is longer than any session. */
export class Sessions extends Model.Class<Sessions>("Sessions")({
  user: Schema.String,
  list: Schema.String,
  tokens: Schema.ReadonlySet(Schema.String)
}, { key: ["user", "list"], slot: "user", timeToLive: { duration: "1 day" } }) {}

export class SessionExpired extends Schema.TaggedError<SessionExpired>("SessionExpired")("SessionExpired", {}) {}

class Changed extends Data.TaggedError("Changed") {}

const listOf = (user: string) => Sessions.ref([user, "all"])

/** Starts a session. The token must be random. */
export const start = (user: string, token: string) =>
  Atomic.all([
    Sessions.ensure({ user, list: "all", tokens: new Set() }),
    listOf(user).tokens.add(token),
    Session.insert({ user, token }),
    Session.ref([user, token]).startedAt.set(Atomic.now)
  ])

/**
 * Authenticates a request, and renews the session: the increment is a write, and `refresh: "write"` renews. Reading a session renews
 * nothing, so a page that lists sessions keeps none alive.
 */
export const authenticate = (user: string, token: string) => {
  const { requests, startedAt } = Session.ref([user, token])
  return Atomic.guard(startedAt.gt(Atomic.now.minus("1 day")), () => new SessionExpired()).pipe(
    Atomic.andThen(requests.increment()),
    Effect.catchTag("EntityNotFound", () => Effect.fail(new SessionExpired()))
  )
}

/** Returns the sessions of a user that are alive, and forgets the tokens of the others. */
export const list = Effect.fn("list")(function*(user: string) {
  const { tokens } = listOf(user)
  const known = [...(yield* tokens.get())]
  const found = yield* Session.getMany(known.map((token) => [user, token] as const))
  const gone = known.filter((_, i) => Result.isFailure(found[i]!) && found[i].failure._tag === "EntityNotFound")
  if (gone.length > 0) yield* tokens.removeAll(gone)
  return found.filter(Result.isSuccess).map(({ success }) => success)
}, Effect.catchTag("EntityNotFound", () => Effect.succeed([])))

/** Ends a session. Returns whether it existed. */
export const end = (user: string, token: string) =>
  Atomic.tap(Session.delete([user, token]), Atomic.ignoreMissing(listOf(user).tokens.remove(token)))

/** Ends all sessions of a user in one program. A log in at the same time is ended too, or comes after it. */
export const endAll = (user: string) =>
  Effect.gen(function*() {
    const { entity, version } = yield* Sessions.getVersioned([user, "all"])
    const ended = yield* Atomic.all([
      Atomic.guard(Sessions.atVersion([user, "all"], version), () => new Changed()),
      Sessions.delete([user, "all"]),
      Atomic.forEach(entity.tokens, (token) => Session.delete([user, token]))
    ])
    return ended[2].filter((existed) => existed).length
  }).pipe(
    Effect.retry({ schedule: Schedule.spaced("5 millis"), while: ({ _tag }) => _tag === "Changed" }),
    Effect.catchTag("EntityNotFound", () => Effect.succeed(0))
  )
