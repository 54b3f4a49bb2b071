/**
 * The leaderboard as a page: `npm run leaderboard` prints its address. It takes `PORT`, and the place of its players from
 * environment.ts. Servers on one Redis show each other's games.
 *
 * The browser gets the ranking as server-sent events: one when it opens the page, and one whenever the ranking has changed.
 * `test/browser/leaderboard.test.ts` plays in a browser.
 */
import { Array as Arr, Console, Deferred, Effect, Layer, Option, Random, Result, Schema, Stream } from "effect"
import * as Sse from "effect/encoding/Sse"
import { HttpRouter, HttpServerRequest, HttpServerResponse } from "effect/http"
import { readFileSync } from "node:fs"
import type { AddressInfo } from "node:net"
import { fileURLToPath } from "node:url"
import { Query, type RedisService } from "redlayer"
import { placeOf } from "../environment.ts"
import { listen } from "../listen.ts"
import { Player, recordGame, watchRanking } from "./model.ts"

const leagues = ["gold", "silver", "bronze"] as const

const names = [
  "Ada",
  "Alan",
  "Barbara",
  "Claude",
  "Donald",
  "Dorothy",
  "Edsger",
  "Frances",
  "Grace",
  "Hedy",
  "John",
  "Katherine",
  "Leslie",
  "Margaret",
  "Radia",
  "Tony"
]

const League = Schema.Literals(leagues)
const Name = Schema.Trim.check(Schema.isMinLength(1), Schema.isMaxLength(24))

const leaguePath = HttpRouter.schemaPathParams(Schema.Struct({ league: League }))

const namesOf = (league: string) =>
  Player.by.byLeague({ league }).pipe(
    Query.pick(["name"]),
    Query.page({ limit: 1000 }),
    Effect.map(({ items }) => items.map(({ name }) => name).sort((a, b) => a.localeCompare(b)))
  )

/** Plays a game. The winner is chosen at random if none is named, and so is the loser. None: there are not two players. */
const play = Effect.fn("play")(function*(league: string, named: Option.Option<string>) {
  const all = yield* namesOf(league)
  const without = (name: string) => all.filter((other) => other !== name)
  if (all.length === 0) return Option.none()
  const winner = Option.isSome(named) ? named.value : yield* Random.choice(all as Arr.NonEmptyArray<string>)
  const others = without(winner)
  if (!Arr.isArrayNonEmpty(others)) return Option.none()
  const loser = yield* Random.choice(others)
  const points = yield* Random.nextIntBetween(5, 30)
  const result = yield* recordGame([league, winner], [league, loser], points)
  return Option.some({ winner, loser, points, score: result.winner.score, achievements: result.winner.achievements })
})

/** The first server that sees a new league inserts its players, and lets them play. */
const seed = Effect.forEach(leagues, (league) =>
  Effect.gen(function*() {
    const [first] = yield* Player.insertMany(names.map((name) => ({ league, name, statistics: {} })))
    if (Result.isSuccess(first!)) yield* Effect.repeat(play(league, Option.none()), { times: 99 })
  }), { discard: true })

const row = ({ name, score, statistics: { losses, wins } }: Player) => ({ name, score, wins, losses })

type Ranking = Stream.Success<ReturnType<typeof watchRanking>>

const board = (league: string, name: Option.Option<string>, { player: { around, rank }, players, top }: Ranking) => {
  const player = around.find((other) => Option.contains(name, other.name))
  return {
    league,
    players,
    top: top.map(row),
    player: player === undefined ? null : {
      ...row(player),
      rank: Option.getOrNull(rank),
      streak: player.statistics.streak,
      achievements: player.achievements,
      around: around.map(row)
    }
  }
}

const event = (event: string, data: unknown) =>
  Sse.encoder.write({ _tag: "Event", event, id: undefined, data: JSON.stringify(data) })

/** The ranking as events. While Redis does not answer the page says so, and the watch begins again. */
const events = (
  league: string,
  name: Option.Option<string>
): Stream.Stream<string, never, RedisService.RedisService> =>
  watchRanking(league, name).pipe(
    Stream.map((ranking) => event("board", board(league, name, ranking))),
    Stream.catch(({ message }) =>
      Stream.concat(
        Stream.succeed(event("trouble", { message })),
        Stream.unwrap(Effect.delay(Effect.sync(() => events(league, name)), "1 second"))
      )
    )
  )

/** The page takes 25 seconds of silence for a lost connection. */
const beats = Stream.map(Stream.tick("10 seconds"), () => event("beat", null))

const file = (name: string, contentType: string) => {
  const content = readFileSync(new URL(name, import.meta.url))
  return HttpServerResponse.uint8Array(content, {
    contentType,
    headers: {
      "content-security-policy": "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'",
      "x-content-type-options": "nosniff",
      "cache-control": "no-cache"
    }
  })
}

/** `GET /leagues`: their names. */
const listLeagues = HttpServerResponse.json(leagues)

/** `GET /leagues/:league/players`: the names of its players. */
const listPlayers = Effect.gen(function*() {
  const { league } = yield* leaguePath
  return yield* HttpServerResponse.json(yield* namesOf(league))
})

/** `POST /leagues/:league/players` adds a player. */
const join = Effect.gen(function*() {
  const { league } = yield* leaguePath
  const { name } = yield* HttpServerRequest.schemaBodyJson(Schema.Struct({ name: Name }))
  const isNew = yield* Player.ensure({ league, name, statistics: {} })
  return yield* HttpServerResponse.json({ name }, { status: isNew ? 201 : 200 })
})

/** `POST /leagues/:league/games` plays a game, which a random player wins unless `winner` is there. */
const game = Effect.gen(function*() {
  const { league } = yield* leaguePath
  const { winner } = yield* HttpServerRequest.schemaBodyJson(Schema.Struct({ winner: Schema.optionalKey(Name) }))
  return yield* Option.match(yield* play(league, Option.fromUndefinedOr(winner)), {
    onNone: () => HttpServerResponse.json({ message: "A game needs two players" }, { status: 409 }),
    onSome: (result) => HttpServerResponse.json(result)
  })
})

/** `GET /leagues/:league/events?player=`: the ranking as server-sent events, until the page or the server closes. */
const watch = (closing: Deferred.Deferred<void>) =>
  Effect.gen(function*() {
    const { league } = yield* leaguePath
    const { player } = yield* HttpServerRequest.schemaSearchParams(
      Schema.Struct({ player: Schema.optionalKey(Schema.String) })
    )
    const redis = yield* Effect.context<RedisService.RedisService>()
    return HttpServerResponse.stream(
      Stream.merge(events(league, Option.fromUndefinedOr(player)), beats).pipe(
        Stream.interruptWhen(Deferred.await(closing)),
        Stream.encodeText,
        Stream.provideContext(redis)
      ),
      { contentType: "text/event-stream", headers: { "cache-control": "no-store" } }
    )
  })

/** 503 asks to try again later. */
const statuses: Readonly<Record<string, number>> = { SchemaError: 400, EntityNotFound: 404, RedisServiceError: 503 }

const answered = <E extends { readonly _tag: string; readonly message: string }, R>(
  self: Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>
) =>
  Effect.catch(
    self,
    ({ _tag, message }) => Effect.orDie(HttpServerResponse.json({ message }, { status: statuses[_tag] ?? 500 }))
  )

const routes = (closing: Deferred.Deferred<void>) =>
  Layer.mergeAll(
    HttpRouter.add("GET", "/", file("page.html", "text/html; charset=utf-8")),
    HttpRouter.add("GET", "/page.css", file("page.css", "text/css; charset=utf-8")),
    HttpRouter.add("GET", "/page.js", file("page.js", "text/javascript; charset=utf-8")),
    HttpRouter.add("GET", "/leagues", listLeagues),
    HttpRouter.add("GET", "/leagues/:league/players", answered(listPlayers)),
    HttpRouter.add("POST", "/leagues/:league/players", answered(join)),
    HttpRouter.add("POST", "/leagues/:league/games", answered(game)),
    HttpRouter.add("GET", "/leagues/:league/events", answered(watch(closing)))
  )

const main = Effect.gen(function*() {
  const place = placeOf(process.env)
  const redis = yield* Layer.build(place.layer)
  yield* Effect.provideContext(seed, redis)
  const closing = yield* Deferred.make<void>()
  const { handler } = yield* Effect.acquireRelease(
    Effect.sync(() =>
      HttpRouter.toWebHandler(
        routes(closing).pipe(HttpRouter.provideRequest(Layer.succeedContext(redis))),
        { disableLogger: true }
      )
    ),
    ({ dispose }) => Effect.promise(dispose)
  )
  const server = yield* listen((request) => handler(request), Number(process.env.PORT ?? 3000))
  // a page that watches is a request in flight
  yield* Effect.addFinalizer(() => Deferred.succeed(closing, undefined))
  const { port } = server.address() as AddressInfo
  yield* Console.log(`http://localhost:${port} (${place.name})`)
  process.send?.({ port })
  return yield* Effect.never
}).pipe(
  Effect.scoped,
  Effect.catch(({ message }) =>
    Effect.andThen(
      Console.error(message),
      Effect.sync(() => {
        process.exitCode = 1
      })
    )
  )
)

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const fiber = Effect.runFork(main)
  const stop = () => {
    // lets the process end, if it was started with a channel to its parent
    if (process.connected) process.disconnect()
    fiber.interruptUnsafe()
  }
  process.once("SIGTERM", stop).once("SIGINT", stop)
}
