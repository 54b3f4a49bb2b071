/**
 * A game with leagues, scores, statistics and achievements. Each game is one program, applied completely or not at all, and the ranking
 * of a league is an index that the same program keeps.
 *
 * `server.ts` shows it as a page; `test/docs/examples.test.ts` runs it; `npm run start:leaderboard` runs it under load.
 */
import { Data, DateTime, Effect, Option, Schema } from "effect"
import { Atomic, Condition, Model, Query } from "redlayer"

export const Achievement = Schema.Literals(["first win", "ten wins", "five in a row", "hundred points"])
export type Achievement = typeof Achievement.Type

const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))

const Statistics = Schema.Struct({
  games: Count.pipe(Model.withDefault(0)),
  wins: Count.pipe(Model.withDefault(0)),
  losses: Count.pipe(Model.withDefault(0)),
  /** The number of wins since the last loss. */
  streak: Count.pipe(Model.withDefault(0)),
  longestStreak: Count.pipe(Model.withDefault(0)),
  /** The score per game. */
  average: Schema.Finite.pipe(Model.withDefault(0))
})

/** The players of a league share a slot, so that one program can change several of them on a cluster, too. */
export class Player extends Model.Class<Player>("Player")({
  league: Schema.String,
  name: Schema.String,
  score: Schema.Int.pipe(Model.withDefault(0)),
  statistics: Statistics,
  achievements: Schema.Array(Achievement).pipe(Model.withDefault([])),
  items: Schema.Record(Schema.String, Count).pipe(Model.withDefault({})),
  metadata: Schema.Record(Schema.String, Schema.String).pipe(Model.withDefault({}))
}, {
  key: ["league", "name"],
  slot: "league",
  indexes: { byLeague: ["league", "score"] },
  // each write publishes a hint, so that a ranking can be watched
  live: true
}) {}

export type Id = Model.Id<typeof Player>

/** Achievements and their conditions, which the server evaluates after the game. */
const honours = ({ score, statistics }: Model.Ref<typeof Player>) =>
  [
    ["first win", statistics.wins.gte(1)],
    ["ten wins", statistics.wins.gte(10)],
    ["five in a row", statistics.longestStreak.gte(5)],
    ["hundred points", score.gte(100)]
  ] as const

/** Awards the achievements that the player has earned and does not have yet. */
const award = (id: Id) => {
  const player = Player.ref(id)
  return Atomic.forEach(honours(player), ([achievement, earned]) =>
    player.achievements.append(achievement).pipe(
      Atomic.when(Condition.and(earned, Condition.not(player.achievements.contains(achievement)))),
      Atomic.map(Option.as(achievement))
    )).pipe(
      Atomic.map((given) => given.flatMap(Option.toArray))
    )
}

export interface GameResult {
  readonly won: boolean
  /** The points that a win adds, and a loss subtracts. */
  readonly points: number
  readonly at: DateTime.Utc
}

/** Records a game of one player. Returns the new score, and the new achievements. */
export const recordGameResult = (id: Id, { at, points, won }: GameResult) => {
  const { metadata, score, statistics } = Player.ref(id)
  return Atomic.all({
    score: score.increment(won ? points : -points),
    games: statistics.games.increment(),
    outcome: won
      ? Atomic.all([statistics.wins.increment(), statistics.streak.increment()])
      : Atomic.all([statistics.losses.increment(), statistics.streak.set(0)]),
    // the server computes these from the results of the operations above
    longestStreak: statistics.longestStreak.max(statistics.streak.value()),
    average: statistics.average.set(score.value().dividedBy(statistics.games.value())),
    metadata: metadata.putAll({ "last game": DateTime.formatIso(at), "last result": won ? "win" : "loss" }),
    achievements: award(id)
  }).pipe(
    Atomic.map(({ achievements, score }) => ({ score, achievements }))
  )
}

/** A game of two: both results, or neither. Programs compose into larger programs. */
export const recordGame = Effect.fn("recordGame")(function*(winner: Id, loser: Id, points: number) {
  const at = yield* DateTime.now
  return yield* Atomic.all({
    winner: recordGameResult(winner, { won: true, points, at }),
    loser: recordGameResult(loser, { won: false, points, at })
  })
})

/** The first of a league, the number of its players, and one player's rank and neighbours: read by one program, at one moment. */
const ranking = (league: string, name: Option.Option<string>) =>
  Atomic.all({
    players: Player.countBetween("byLeague", { league }),
    top: Player.top("byLeague", 10, { within: { league } }),
    player: Option.match(name, {
      onNone: () => Atomic.succeed({ rank: Option.none<number>(), around: [] }),
      onSome: (name) =>
        Atomic.all({
          rank: Player.rank([league, name], "byLeague", { within: { league } }),
          around: Player.around([league, name], "byLeague", 2, { within: { league } })
        })
    })
  })

/** The ranking now, and whenever it has changed, whichever process has changed it. */
export const watchRanking = (league: string, name: Option.Option<string>) =>
  // reading without a hint is also how a watch notices that the server is gone
  Query.watch(ranking(league, name), { refresh: "5 seconds" })

export class NotEnoughItems extends Data.TaggedError("NotEnoughItems")<{
  readonly item: string
  readonly wanted: number
  readonly owned: number
}> {}

/** Transfers items. No lock is needed, because nothing runs between the guard and the writes after it. */
export const transferItems = (from: Id, to: Id, item: string, count: number) => {
  const owned = Player.ref(from).items.at(item)
  return Atomic.guard(
    owned.gte(count),
    { observe: { owned } },
    ({ owned }) => new NotEnoughItems({ item, wanted: count, owned: Option.getOrElse(owned, () => 0) })
  ).pipe(
    Atomic.andThen(owned.decrement(count)),
    Atomic.andThen(Player.ref(to).items.at(item).increment(count))
  )
}
