/**
 * Work under locks, and the same work by one program without any lock.
 */
import { Data, Duration, Effect, Schema } from "effect"
import { Atomic, Lock, Model } from "redlayer"

export class Profile extends Model.Class<Profile>("live/locked/Profile")({
  name: Schema.String,
  score: Schema.Int.pipe(Model.withDefault(0)),
  level: Schema.Literals(["new", "pro"]).pipe(Model.withDefault("new")),
  updates: Schema.Array(Schema.Int).pipe(Model.withDefault([]))
}, { key: "name" }) {}

/** From here on a profile is one of a professional. */
const proAt = 1000

/** One change of several fields that depend on one another, computed here from what was read. */
export const underLock = (name: string, points: number, step: number) =>
  Profile.withLock(name, (profile) =>
    Effect.sync(() => {
      const score = profile.score + points
      return new Profile({
        ...profile,
        score,
        level: score >= proAt ? "pro" : "new",
        updates: [...profile.updates, step]
      })
    }), { name: "update", wait: Duration.infinity })

/** The same, decided by the server. */
export const asProgram = (name: string, points: number, step: number) => {
  const { level, score, updates } = Profile.ref(name)
  return Atomic.all([
    score.increment(points),
    level.set("pro").pipe(Atomic.when(score.gte(proAt))),
    updates.append(step)
  ])
}

export const Player = Model.make("live/locked/Player", {
  name: Schema.String,
  items: Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))
}, { key: "name" })

export class NotEnough extends Data.TaggedError("NotEnough")<{ readonly items: number }> {}

/** Reads both, computes, and writes what both have then: only the two locks keep others from writing in between. */
export const moveUnderLocks = Effect.fnUntraced(function*(from: string, to: string, count: number) {
  const [a, b] = [Player.ref(from), Player.ref(to)]
  return yield* Lock.withLocks(
    [{ name: "items", on: a }, { name: "items", on: b }],
    Effect.fnUntraced(function*([heldA, heldB]) {
      const [before, other] = yield* Atomic.all([a.items.get(), b.items.get()])
      if (before < count) return yield* new NotEnough({ items: before })
      if (from === to) return
      yield* Atomic.all([heldA.guard, heldB.guard, a.items.set(before - count), b.items.set(other + count)])
    }),
    { wait: Duration.infinity }
  )
})

/** The same, without a lock. */
export const moveAsProgram = (from: string, to: string, count: number) => {
  const [a, b] = [Player.ref(from).items, Player.ref(to).items]
  return Atomic.guard(a.gte(count), { observe: { items: a } }, ({ items }) => new NotEnough({ items })).pipe(
    Atomic.andThen(a.decrement(count)),
    Atomic.andThen(b.increment(count)),
    Atomic.as(undefined)
  )
}
