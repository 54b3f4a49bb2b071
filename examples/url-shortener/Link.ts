/**
 * The model of a link, and what a link shortener does with one.
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

/** How many of the last clicks a link remembers. */
export const remembered = 100

const newCode = Effect.sync(() => randomBytes(6).toString("base64url"))

/** Stores a link under a new code. A code that is taken already is `EntityExists`: then another is tried. */
export const create = Effect.fn("create")(
  function*(url: string) {
    const code = yield* newCode
    const createdAt = yield* DateTime.now
    return yield* Link.insert({ code, url, createdAt })
  },
  Effect.retry({ times: 3, while: (error) => error._tag === "EntityExists" })
)

/** Where a code leads. An unknown code is `EntityNotFound`. */
export const resolve = (code: string) => Link.ref(code).url.get()

/**
 * Counts a click, and remembers when it was: both or neither, in one round trip. Any number may come at once, from any number
 * of processes, and none is lost. An unknown code is `EntityNotFound`, and nothing is written.
 */
export const track = Effect.fn("track")(function*(code: string) {
  const now = yield* DateTime.now
  const link = Link.ref(code)
  return yield* Atomic.all({
    clicks: link.clicks.increment(),
    remembered: link.recentClicks.append(now, { keep: remembered })
  })
})
