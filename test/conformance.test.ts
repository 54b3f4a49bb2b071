/**
 * What any layer must do, over memory and over a real Redis.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Schema } from "effect"
import { Atomic, Model } from "redlayer"
import { together } from "./conformance/assertions.ts"
import { batches } from "./conformance/batches.ts"
import { branches } from "./conformance/branches.ts"
import { bulk } from "./conformance/bulk.ts"
import { collections } from "./conformance/collections.ts"
import { combinators } from "./conformance/combinators.ts"
import { comparisons } from "./conformance/comparisons.ts"
import { composition } from "./conformance/composition.ts"
import { conditions } from "./conformance/conditions.ts"
import { creation } from "./conformance/creation.ts"
import { crossSlot } from "./conformance/crossSlot.ts"
import { definitions } from "./conformance/definitions.ts"
import { entities } from "./conformance/entities.ts"
import { entries } from "./conformance/entries.ts"
import { eviction } from "./conformance/eviction.ts"
import { guards } from "./conformance/guards.ts"
import { idempotency } from "./conformance/idempotency.ts"
import { inheritance, tolerance } from "./conformance/inheritance.ts"
import { integers } from "./conformance/integers.ts"
import { keys } from "./conformance/keys.ts"
import { limits } from "./conformance/limits.ts"
import { listEdits } from "./conformance/listEdits.ts"
import { lists } from "./conformance/lists.ts"
import { maps } from "./conformance/maps.ts"
import { numbers } from "./conformance/numbers.ts"
import { operands } from "./conformance/operands.ts"
import { optional } from "./conformance/optional.ts"
import { all, type Backend, layerRedis, type Test } from "./conformance/Raw.ts"
import { refresh } from "./conformance/refresh.ts"
import { refusals } from "./conformance/refusals.ts"
import { sets } from "./conformance/sets.ts"
import { sortedSets } from "./conformance/sortedSets.ts"
import { storedByHand } from "./conformance/storedByHand.ts"
import { text } from "./conformance/text.ts"
import { times } from "./conformance/times.ts"
import { timeToLive } from "./conformance/timeToLive.ts"
import { topics } from "./conformance/topics.ts"
import { transactions } from "./conformance/transactions.ts"
import { values } from "./conformance/values.ts"
import { backends, describeOwnServer } from "./support/Backends.ts"
import * as RawRedis from "./support/RawRedis.ts"
import * as RedisServer from "./support/RedisServer.ts"

const suites: { readonly [name: string]: (test: Test, backend: Backend) => void } = {
  batches,
  branches,
  bulk,
  collections,
  combinators,
  comparisons,
  composition,
  conditions,
  creation,
  crossSlot,
  definitions,
  entities,
  entries,
  guards,
  idempotency,
  eviction,
  inheritance,
  integers,
  keys,
  limits,
  listEdits,
  lists,
  maps,
  numbers,
  operands,
  optional,
  refresh,
  refusals,
  sets,
  sortedSets,
  storedByHand,
  text,
  times,
  timeToLive,
  tolerance,
  topics,
  transactions,
  values
}

for (const { describe: describeBackend, name } of backends) {
  const backend = all[name]
  const test: Test = (title, body) => it.live(title, () => Effect.provide(Effect.suspend(body), backend.layer))
  describeBackend("conformance", () => {
    for (const [area, suite] of Object.entries(suites)) describe(area, () => suite(test, backend))
  })
}

const Counter = Model.make("FlushCounter", { id: Schema.String, n: Schema.Int, log: Schema.Array(Schema.Int) }, {
  key: "id"
})

// a flush is of the whole server, so it has one of its own
describeOwnServer("conformance: a flushed script cache", () => {
  it.live("between two commits and under load, every commit happens once, in the order of cause and effect", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.start()
      const raw = yield* RawRedis.make(server.url)
      const flush = raw.call("SCRIPT", "FLUSH")
      yield* Effect.gen(function*() {
        yield* Counter.insert({ id: "a", n: 0, log: [] })
        const { log, n } = Counter.ref("a")
        const once = Atomic.all([n.increment(), log.length(), log.append(0)])
        for (let i = 0; i < 10; i++) {
          yield* flush
          assert.deepEqual(yield* once, [i + 1, i, i + 1])
          yield* flush
          assert.strictEqual(yield* n.get(), i + 1)
          yield* flush
          assert.isFalse(yield* Counter.delete("other"))
        }
        yield* log.clear()
        yield* n.set(0)
        const flushing = yield* Effect.forkChild(Effect.forever(Effect.andThen(flush, Effect.sleep(1))))
        yield* together(Array.from({ length: 32 }, (_, fiber) =>
          Effect.gen(function*() {
            let last = 0
            for (let i = 0; i < 25; i++) {
              const [next] = yield* Atomic.all([n.increment(), log.append(fiber * 1000 + i)])
              assert.isAbove(next, last)
              assert.isAtLeast(yield* n.get(), next)
              last = next
            }
          })))
        yield* Fiber.interrupt(flushing)
        const { log: entries, n: count } = yield* Counter.get("a")
        assert.strictEqual(count, 800)
        assert.strictEqual(new Set(entries).size, 800)
        assert.strictEqual(entries.length, 800)
        for (let fiber = 0; fiber < 32; fiber++) {
          const own = entries.filter((entry) => Math.floor(entry / 1000) === fiber)
          assert.deepEqual(own, Array.from({ length: 25 }, (_, i) => fiber * 1000 + i))
        }
        const [, , refused] = /errorstat_NOSCRIPT:(count)=(\d+)/.exec(String(yield* raw.call("INFO", "errorstats")))!
        assert.isAbove(Number(refused), 30)
      }).pipe(Effect.provide(layerRedis(Effect.succeed(server.url))))
    }))
})
