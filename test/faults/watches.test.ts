/**
 * Live results while connections are killed: the last result that is shown is the stored one, soon after the last change.
 * `REDLAYER_FULL=1` makes it 50 rounds with 1,000 changes a second.
 */
import { assert, it } from "@effect/vitest"
import { Effect, Fiber, Option, Schedule, Schema, Stream } from "effect"
import { isDeepStrictEqual } from "node:util"
import { Model, Query, type RedisService } from "redlayer"
import { range } from "../live/liveService.ts"
import { describeOwnServer } from "../support/Backends.ts"
import { sized } from "../support/Sizes.ts"
import { random, server, service, start } from "./proxiedService.ts"

const Player = Model.make("faults/Watched", {
  id: Schema.String,
  team: Schema.Literals(["red", "blue"]),
  score: Schema.Int
}, {
  key: "id",
  indexes: { standing: ["team", "score"] },
  live: true
})

const rounds = sized(5, 50)
const changesPerSecond = sized(300, 1000)
const players = 50

/** How long after the last change the stored result must be shown, while connections are killed still. */
const margin = 1000

describeOwnServer("live results under faults", () => {
  it.live(
    `within ${margin} ms of the last change the stored result is shown, ${rounds} times, though connections are killed every 200 ms`,
    () =>
      Effect.gen(function*() {
        const { call, url } = yield* server()
        const next = random(Date.now())
        const { run } = yield* service({ url, deadline: "10 seconds" })
        // connections of its own write, and are killed too
        const writer = yield* service({ url, deadline: "10 seconds" })
        const entity = (i: number) => ({ id: `p${i}`, team: i % 2 === 0 ? "red" as const : "blue" as const, score: i })
        yield* run(Player.insertMany(range(players).map(entity)))
        const best = Query.reverse(Player.by.standing({ team: "red" }))
        const top = Player.top("standing", 5, { within: { team: "blue" } })
        const shown: { query: unknown; program: unknown; entity: unknown } = {
          query: undefined,
          program: undefined,
          entity: undefined
        }
        let results = 0
        const show = (name: keyof typeof shown) => (result: unknown) =>
          Effect.sync(() => {
            results++
            shown[name] = result
          })
        const watching = yield* Effect.forkChild(
          run(Effect.all([
            Stream.runForEach(Query.watch(best, { limit: 10 }), show("query")),
            Stream.runForEach(Query.watch(top), show("program")),
            Stream.runForEach(Player.watch("p7"), show("entity"))
          ], { concurrency: "unbounded" })),
          start
        )
        let kills = 0
        const killing = yield* Effect.forkChild(
          Effect.all([
            call("CLIENT", "KILL", "TYPE", "pubsub"),
            call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
          ]).pipe(
            Effect.tap((killed) =>
              Effect.sync(() => void (kills += killed.reduce<number>((sum, n) => sum + Number(n), 0)))
            ),
            Effect.repeat(Schedule.spaced("200 millis"))
          ),
          start
        )
        let changes = 0
        const change = Effect.suspend(() => {
          changes++
          const id = `p${Math.floor(next() * players)}`
          const kind = next()
          const { score, team } = Player.ref(id)
          const write: Effect.Effect<unknown, unknown, RedisService.RedisService> = kind < 0.6
            ? score.increment(Math.floor(next() * 9) - 4)
            : kind < 0.7
            ? team.set(next() < 0.5 ? "red" : "blue")
            : kind < 0.8
            ? Player.delete(id)
            : Player.put({ ...entity(Number(id.slice(1))), score: Math.floor(next() * 100) })
          return Effect.ignore(writer.run(write))
        })
        const slowest: Array<number> = []
        for (const round of range(rounds)) {
          const begin = performance.now()
          const end = begin + sized(600, 1000) + next() * 400
          const before = changes
          // so many at once, every 10 ms
          while (performance.now() < end) {
            const due = (performance.now() - begin) / 1000 * changesPerSecond - (changes - before)
            yield* Effect.all(range(Math.max(0, Math.ceil(due))).map(() => change), { concurrency: "unbounded" })
            yield* Effect.sleep("10 millis")
          }
          const last = performance.now()
          const stored = yield* run(Effect.all({
            query: Effect.map(Query.page(best, { limit: 10 }), ({ items }) => items),
            program: top,
            entity: Player.find("p7")
          }))
          const isShown = Effect.suspend(() =>
            isDeepStrictEqual(shown, stored) ? Effect.void : Effect.fail("another result is shown")
          )
          yield* isShown.pipe(
            Effect.retry(Schedule.spaced("5 millis")),
            Effect.timeoutOption(margin * 5),
            Effect.map(Option.isSome),
            Effect.tap((isShown) => Effect.sync(() => assert.isTrue(isShown, `round ${round}: not shown at all`)))
          )
          slowest.push(performance.now() - last)
        }
        yield* Fiber.interrupt(killing)
        assert.isUndefined(watching.pollUnsafe(), "a stream has ended")
        yield* Fiber.interrupt(watching)
        const of = `${changes} changes, ${kills} connections killed, ${results} results; shown at the latest ${
          Math.round(Math.max(...slowest))
        } ms after the last change`
        console.log(of)
        assert.isAtMost(Math.max(...slowest), margin, of)
        assert.isAbove(kills, rounds, of)
        assert.isAbove(results, rounds * 3, of)
      }).pipe(Effect.scoped),
    sized(60_000, 300_000)
  )
})
