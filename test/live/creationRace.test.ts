/**
 * Many processes that create the same entities at once.
 */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { RedisService } from "redlayer"
import { describeOwnServer } from "../support/Backends.ts"
import * as Child from "../support/ChildProcess.ts"
import * as RawRedis from "../support/RawRedis.ts"
import * as RedisServer from "../support/RedisServer.ts"
import { type Seen, Shared } from "../workers/createWorker.ts"
import { range } from "./liveService.ts"

const processes = 8
const rounds = 100

describeOwnServer("creation by many processes", () => {
  it.live(
    "one of many processes creates the entity, and all see the same one, with getOrInsert and ensure",
    () =>
      Effect.gen(function*() {
        const server = yield* RedisServer.start()
        const raw = yield* RawRedis.make(server.url)
        const children = yield* Effect.forEach(
          range(processes),
          (i) => Child.start("createWorker.ts", [server.url, String(i), String(rounds)]),
          { concurrency: "unbounded" }
        )
        yield* Effect.forEach(children, ({ next }) => next, { concurrency: "unbounded" })
        const at = Date.now() + 200
        yield* Effect.forEach(children, ({ send }) => send(String(at)), { concurrency: "unbounded" })
        const seen: ReadonlyArray<Seen> = yield* Effect.forEach(children, ({ next }) => next, {
          concurrency: "unbounded"
        })
        yield* Effect.forEach(children, ({ ended }) => ended, { concurrency: "unbounded" })

        const creators = new Set<number>()
        for (let i = 0; i < rounds * 2; i++) {
          const all = seen.map((one) => one[i]!)
          const by = all.findIndex(({ created }) => created)
          assert.strictEqual(all.filter(({ created }) => created).length, 1)
          for (const one of all) assert.deepEqual({ by: one.by, tags: one.tags }, { by, tags: 2 })
          creators.add(by)
        }
        // it was a race
        assert.isAbove(creators.size, 1)
        yield* Effect.gen(function*() {
          for (const i of range(rounds)) {
            for (const [id, at] of [[`get${i}`, 2 * i], [`ensure${i}`, 2 * i + 1]] as const) {
              const by = seen.findIndex((one) => one[at]!.created)
              assert.deepEqual(yield* Shared.get(id), {
                id,
                by,
                tags: new Set([`${by}a`, `${by}b`]),
                counts: { [by]: 1 }
              })
            }
          }
        }).pipe(Effect.provide(RedisService.layer({ url: server.url })))
        // the time to live was set in the same step, on every key, and by the one that created it
        const keys = (yield* raw.call("KEYS", "*")) as ReadonlyArray<string>
        assert.strictEqual(keys.length, rounds * 2 * 3)
        for (const i of range(rounds)) {
          const key = `live/create/Shared:{get${i}}`
          const expiries = yield* Effect.forEach(
            [key, `${key}:tags`, `${key}:counts`],
            (one) => raw.call("PEXPIRETIME", one)
          )
          assert.isAbove(Number(expiries[0]), Date.now())
          assert.strictEqual(new Set(expiries.map(Number)).size, 1)
        }
        console.log(`creation: ${processes} processes, ${rounds * 2} entities, created by ${creators.size} of them`)
      }),
    60_000
  )
})
