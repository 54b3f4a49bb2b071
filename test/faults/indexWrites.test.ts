/**
 * Random writes to models with indexes from several processes, while connections are killed and the server forgets its scripts.
 * `REDLAYER_FULL=1` makes it 100,000 writes.
 */
import { assert, it } from "@effect/vitest"
import { Effect, Fiber, Schedule, Stream } from "effect"
import { RedisService } from "redlayer"
import { range } from "../live/liveService.ts"
import { describeOwnServer } from "../support/Backends.ts"
import * as Child from "../support/ChildProcess.ts"
import { sized } from "../support/Sizes.ts"
import type { Written } from "../workers/indexWriter.ts"
import { checkIndexes, models, Plain } from "./indexedModels.ts"
import { server, start } from "./proxiedService.ts"

const processes = 4
const writes = sized(1500, 100_000)

/** The outcomes that a write may have. */
const expected = new Set([
  ["Success", "stop", "EntityNotFound", "EntityExists", "OutOfBounds", "UniqueViolation", "Conflict"],
  ["OutcomeUnknown", "ConnectionUnavailable"]
].flat())

const total = (all: ReadonlyArray<Readonly<Record<string, number>>>): ReadonlyMap<string, number> => {
  const sums = new Map<string, number>()
  for (const counts of all) {
    for (const [name, count] of Object.entries(counts)) sums.set(name, (sums.get(name) ?? 0) + count)
  }
  return sums
}

const list = (counts: ReadonlyMap<string, number>): string =>
  Array.from(counts, ([name, count]) => `${name} ${count}`).sort().join(", ")

describeOwnServer("indexes under faults", () => {
  it.live(
    `after ${writes} random writes of ${processes} processes, whose connections are killed, indexes have what the entities say`,
    () =>
      Effect.gen(function*() {
        const { call, url } = yield* server()
        const seed = Date.now() % 1_000_000
        const children = yield* Effect.forEach(
          range(processes),
          (i) => Child.start("indexWriter.ts", [url, `${seed + i}`, `${writes / processes}`, String(i % 2 === 0)]),
          { concurrency: "unbounded" }
        )
        yield* Effect.forEach(children, ({ next }) => next, { concurrency: "unbounded" })
        yield* Effect.forEach(children, ({ send }) => send("go"))
        let kills = 0
        let flushes = 0
        const breaking = yield* Effect.forkChild(
          Effect.all([
            call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes").pipe(
              Effect.tap((killed) => Effect.sync(() => void (kills += Number(killed)))),
              Effect.repeat(Schedule.spaced("200 millis"))
            ),
            call("SCRIPT", "FLUSH").pipe(
              Effect.tap(() => Effect.sync(() => void flushes++)),
              Effect.repeat(Schedule.spaced("20 millis"))
            )
          ], { concurrency: "unbounded" }),
          start
        )
        const heard: ReadonlyArray<Written> = yield* Effect.forEach(children, ({ next }) => next, {
          concurrency: "unbounded"
        })
        yield* Fiber.interrupt(breaking)
        const outcomes = total(heard.map(({ outcomes }) => outcomes))
        const operations = total(heard.map(({ writes }) => writes))
        const of = `seed ${seed}: ${kills} connections killed, ${flushes} flushes; ${list(outcomes)}; ${
          list(operations)
        }`
        assert.deepStrictEqual([...outcomes.keys()].filter((name) => !expected.has(name)), [], of)
        assert.strictEqual([...operations.values()].reduce((sum, count) => sum + count, 0), writes, of)
        assert.strictEqual(operations.size, 20, of)
        for (const name of ["Success", "UniqueViolation", "stop", "OutcomeUnknown"]) {
          assert.isAbove(outcomes.get(name) ?? 0, 0, of)
        }
        assert.isAbove(kills, 5, of)
        assert.isAbove(flushes, 5, of)
        // what lives for a short time has expired
        yield* Effect.sleep("250 millis")
        yield* Effect.gen(function*() {
          const sizes: Array<string> = []
          for (const [name, model] of models) {
            const size = yield* checkIndexes(model)
            assert.isAbove(size, 10, name)
            sizes.push(`${name} ${size}`)
          }
          console.log(`${of}; entities: ${sizes.join(", ")}`)
          // and a single entry that is missing would have been found
          const [key] = (yield* call("KEYS", "faults/IndexedPlain:{$}:$ix:standing*")) as unknown as ReadonlyArray<
            string
          >
          yield* call("ZREMRANGEBYRANK", key!, "0", "0")
          assert.lengthOf(yield* Stream.runCollect(Plain.check()), 1)
        }).pipe(Effect.provide(RedisService.layer({ url })))
      }).pipe(Effect.scoped),
    sized(60_000, 300_000)
  )
})
