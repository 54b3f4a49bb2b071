/**
 * A link shortener: a counter and a capped history that never lose a click.
 *
 * `test/docs/examples.test.ts` runs it; `npm start` runs it under load.
 */
import { DateTime, Effect, Schema } from "effect"
import { randomBytes } from "node:crypto"
import { Atomic, Model } from "redlayer"

export class Link extends Model.Class<Link>("Link")({
  code: Schema.String,
  url: Schema.String.check(Schema.isPattern(/^https?:\/\//)),
  createdAt: Schema.DateTimeUtc,
  clicks: Schema.Int.pipe(Model.withDefault(0)),
  recentClicks: Schema.Array(Schema.DateTimeUtc).pipe(Model.withDefault([]))
}, { key: "code" }) {}

/** The number of latest clicks that a link keeps. */
export const remembered = 100

const newCode = Effect.sync(() => randomBytes(6).toString("base64url"))

/** Stores a link under a new code. If the code is taken (`EntityExists`), it tries another one. */
export const create = Effect.fn("create")(
  function*(url: string) {
    const code = yield* newCode
    const createdAt = yield* DateTime.now
    return yield* Link.insert({ code, url, createdAt })
  },
  Effect.retry({ times: 3, while: (error) => error._tag === "EntityExists" })
)

/** Returns the URL of a code. Fails with `EntityNotFound` for an unknown code. */
export const resolve = (code: string) => Link.ref(code).url.get()

/**
 * Counts a click and keeps its time: both or neither, in one round trip. No click is lost, however many arrive at once from
 * however many processes. Fails with `EntityNotFound` for an unknown code, and writes nothing.
 */
export const track = Effect.fn("track")(function*(code: string) {
  const now = yield* DateTime.now
  const link = Link.ref(code)
  return yield* Atomic.all({
    clicks: link.clicks.increment(),
    remembered: link.recentClicks.append(now, { keep: remembered })
  })
})
