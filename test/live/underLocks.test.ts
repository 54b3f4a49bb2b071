/**
 * Typical work under a lock: a profile with several computed fields, and a transfer between two players. Under
 * locks, and by one program without any: many at once, and nothing is lost, nothing is made, and nobody waits for ever.
 */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { RedisService } from "redlayer"
import { backends, describeOwnServer, redis, uniquePrefix } from "../support/Backends.ts"
import * as Child from "../support/ChildProcess.ts"
import * as RawRedis from "../support/RawRedis.ts"
import * as RedisServer from "../support/RedisServer.ts"
import type { Moved } from "../workers/moveItemsWorker.ts"
import { errorOf, range } from "./liveService.ts"
import { asProgram, moveAsProgram, moveUnderLocks, NotEnough, Player, Profile, underLock } from "./lockedModels.ts"

const together = <A, E, R>(effects: ReadonlyArray<Effect.Effect<A, E, R>>) =>
  Effect.all(effects, { concurrency: "unbounded" })

type Run = Effect.Effect<unknown, unknown, RedisService.RedisService>

interface Way {
  readonly update: (name: string, points: number, step: number) => Run
  readonly move: (from: string, to: string, count: number) => Run
}

const ways: ReadonlyArray<readonly [string, Way]> = [
  ["under a lock", { update: underLock, move: moveUnderLocks }],
  ["by one program", { update: asProgram, move: moveAsProgram }]
]

const initial = { a: 60, b: 20 }
const total = initial.a + initial.b

const start = Effect.forEach(["a", "b"] as const, (name) => Player.put({ name, items: initial[name] }))
const left = Effect.map(Effect.all([Player.get("a"), Player.get("b")]), (both) => both.map(({ items }) => items))

const directionOf = (i: number) => i % 2 === 0 ? { from: "a", to: "b" } as const : { from: "b", to: "a" } as const

for (const { describe, name } of backends) {
  const layer = () =>
    name === "memory"
      ? RedisService.layerMemory
      : RedisService.layer({ url: redis.url!, keyPrefix: uniquePrefix("locked"), deadline: "30 seconds" })

  describe("what is usually locked", () => {
    for (const [way, { move, update }] of ways) {
      it.live(`a profile that many update loses nothing, ${way}`, () =>
        Effect.gen(function*() {
          yield* Profile.insert({ name: "alice" })
          yield* Profile.insert({ name: "bob" })
          yield* together(
            range(60).map((i) => update(i % 3 === 0 ? "bob" : "alice", 30, i))
          )
          const [alice, bob] = [yield* Profile.get("alice"), yield* Profile.get("bob")]
          assert.deepEqual({ score: alice.score, level: alice.level }, { score: 1200, level: "pro" })
          assert.deepEqual({ score: bob.score, level: bob.level }, { score: 600, level: "new" })
          assert.deepEqual(alice.updates.toSorted((a, b) => a - b), range(60).filter((i) => i % 3 !== 0))
          assert.deepEqual(bob.updates.toSorted((a, b) => a - b), range(60).filter((i) => i % 3 === 0))
        }).pipe(Effect.provide(layer())), 120_000)

      it.live(`200 transfers from A to B and 200 back keep the total, ${way}`, () =>
        Effect.gen(function*() {
          yield* start
          const moves = range(400).map((i) => ({ ...directionOf(i), count: 1 + i % 13 }))
          const exits = yield* together(
            moves.map(({ count, from, to }) => Effect.exit(move(from, to, count)))
          )
          const expected = { ...initial }
          let refused = 0
          for (const [i, exit] of exits.entries()) {
            const { count, from, to } = moves[i]!
            if (exit._tag === "Success") {
              expected[from] -= count
              expected[to] += count
              continue
            }
            const error = errorOf(exit)
            assert.instanceOf(error, NotEnough)
            assert.isBelow(error.items, count)
            refused++
          }
          assert.isBelow(refused, 400)
          const [a, b] = yield* left
          assert.deepEqual({ a, b }, expected)
          assert.strictEqual(expected.a + expected.b, total)
        }).pipe(Effect.provide(layer())), 120_000)

      it.live(`a transfer from A to A changes nothing, ${way}`, () =>
        Effect.gen(function*() {
          yield* start
          yield* together(range(20).map(() => move("a", "a", 7)))
          assert.deepEqual(yield* left, [initial.a, initial.b])
        }).pipe(Effect.provide(layer())), 120_000)
    }
  })
}

describeOwnServer("what is usually locked, by several processes", () => {
  it.live(
    "200 transfers from A to B and 200 back, by several processes, keep the total and leave no lock",
    () =>
      Effect.gen(function*() {
        const processes = 4
        const server = yield* RedisServer.start()
        const raw = yield* RawRedis.make(server.url)
        yield* Effect.gen(function*() {
          yield* start
          const children = yield* together(
            range(processes).map(() => Child.start("moveItemsWorker.ts", [server.url, String(200 / processes)]))
          )
          yield* together(children.map(({ next }) => next))
          yield* together(children.map(({ send }) => send("begin")))
          const all: ReadonlyArray<Moved> = yield* together(children.map(({ next }) => next))
          yield* together(children.map(({ ended }) => ended))
          const sum = (of: (moved: Moved) => number) => all.reduce((total, moved) => total + of(moved), 0)
          const moved = sum(({ fromB }) => fromB) - sum(({ fromA }) => fromA)
          assert.deepEqual(yield* left, [initial.a + moved, initial.b - moved])
          // each process had its turns
          for (const { fromA, fromB } of all) assert.isAbove(fromA + fromB, 0)
        }).pipe(Effect.provide(RedisService.layer({ url: server.url })))
        const keys = (yield* raw.call("KEYS", "*")) as ReadonlyArray<string>
        assert.deepEqual(keys.filter((key) => !key.endsWith(":$fence")).toSorted(), [
          "live/locked/Player:{a}",
          "live/locked/Player:{b}"
        ])
      }),
    120_000
  )
})
