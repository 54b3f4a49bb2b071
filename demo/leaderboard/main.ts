/**
 * A league under load: concurrent games and transfers between the same eight players, after which every total is exact.
 *
 *   npm run start:leaderboard                                      in memory
 *   REDIS_URL=redis://127.0.0.1:6379 npm run start:leaderboard     on a server
 *   REDIS_CLUSTER_NODES=127.0.0.1:7000 npm run start:leaderboard   on a cluster
 */
import { Console, Data, Duration, Effect } from "effect"
import { randomBytes } from "node:crypto"
import { placeOf } from "../../examples/environment.ts"
import { Player, recordGame, transferItems } from "../../examples/leaderboard/model.ts"
import { runMain } from "../runMain.ts"
import { coins, games, mistakes, names, transfers } from "./season.ts"

class NotExact extends Data.TaggedError("NotExact")<{ readonly message: string }> {}

/** The number of programs in flight at a time. */
const concurrency = 500

const number = (value: number) => value.toLocaleString("en")
const left = (text: string) => text.padEnd(8)
const right = (value: number) => number(value).padStart(8)

const print = ({ achievements, items, name, score, statistics }: Player) =>
  Console.log(
    left(name) +
      [score, statistics.wins, statistics.losses, statistics.longestStreak, items.coins ?? 0].map(right).join("") +
      `  ${achievements.join(", ")}`
  )

const season = Effect.fnUntraced(function*(league: string) {
  const id = (name: string) => [league, name] as const
  const given = new Map<string, Array<string>>(names.map((name) => [name, []]))

  const play = Effect.forEach(
    games,
    ({ amount, first, second }) =>
      Effect.map(recordGame(id(first), id(second), amount), ({ loser, winner }) => {
        given.get(first)!.push(...winner.achievements)
        given.get(second)!.push(...loser.achievements)
      }),
    { concurrency, discard: true }
  )

  const trade = Effect.forEach(
    transfers,
    (transfer) =>
      transferItems(id(transfer.first), id(transfer.second), "coins", transfer.amount).pipe(
        Effect.as([transfer]),
        Effect.catchTag("NotEnoughItems", () => Effect.succeed([]))
      ),
    { concurrency }
  )

  const [duration, [, handedOver]] = yield* Effect.timed(Effect.all([play, trade], { concurrency: "unbounded" }))
  const players = yield* Effect.forEach(names, (name) => Player.get(id(name)), { concurrency: "unbounded" })

  yield* Console.log(
    left("") + ["score", "won", "lost", "row of", "coins"].map((title) => title.padStart(8)).join("") +
      "  achievements"
  )
  yield* Effect.forEach(players, print, { discard: true })

  const done = handedOver.flat()
  const sum = (value: (player: Player) => number) => number(players.reduce((total, player) => total + value(player), 0))
  const wins = sum((player) => player.statistics.wins)
  const losses = sum((player) => player.statistics.losses)
  yield* Console.log(
    `${number(games.length)} games: ${wins} won, ${losses} lost, ${sum(({ score }) => score)} points in all\n` +
      `${number(transfers.length)} transfers: ${number(done.length)} done, ` +
      `${number(transfers.length - done.length)} refused, ` +
      `${sum(({ items }) => items.coins ?? 0)} of ${number(coins * names.length)} coins are there\n` +
      `in ${number(Math.round(Duration.toMillis(duration)))} ms`
  )
  const wrong = mistakes(players, done, given)
  if (wrong.length > 0) return yield* new NotExact({ message: `Not exact: ${wrong.join("; ")}` })
  yield* Console.log("every total is exact")
})

/** Creates a league of new players, and deletes them after `use`. */
const withLeague = <A, E, R>(use: (league: string) => Effect.Effect<A, E, R>) =>
  Effect.acquireUseRelease(
    Effect.gen(function*() {
      const league = randomBytes(6).toString("base64url")
      const inserted = yield* Player.insertMany(
        names.map((name) => ({ league, name, statistics: {}, items: { coins } }))
      )
      yield* Effect.forEach(inserted, Effect.fromResult, { discard: true })
      return league
    }),
    use,
    (league) => Player.deleteMany(names.map((name) => [league, name] as const))
  )

const main = Effect.gen(function*() {
  const place = placeOf(process.env)
  yield* Console.log(place.name)
  yield* withLeague((league) => Effect.andThen(Console.log(`league ${league}`), season(league))).pipe(
    Effect.provide(place.layer)
  )
})

runMain(main)
