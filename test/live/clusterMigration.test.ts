/**
 * Slots that move as a whole, by `CLUSTER MIGRATESLOTS` of Valkey 9, while programs run.
 */
import { assert, it } from "@effect/vitest"
import { Effect, Fiber, Schedule, Schema } from "effect"
import { Atomic, Model, RedisService } from "redlayer"
import { describeOwnServer } from "../support/Backends.ts"
import type { RawRedis } from "../support/RawRedis.ts"
import * as RedisCluster from "../support/RedisCluster.ts"
import { sized } from "../support/Sizes.ts"

const Account = Model.make("MigratedAccount", { bank: Schema.String, owner: Schema.String, balance: Schema.Int }, {
  key: ["bank", "owner"],
  slot: "bank"
})

const Ledger = Model.make(
  "MigratedLedger",
  { bank: Schema.String, book: Schema.String, ids: Schema.Array(Schema.Int) },
  {
    key: ["bank", "book"],
    slot: "bank"
  }
)

const banks = Array.from({ length: 100 }, (_, i) => `bank-${i}`)
const opening = 1000
const transfers = sized(2000, 10_000)
const fibers = 100

/** Whether a server moves slots as a whole. */
const movesSlots = (raw: RawRedis) =>
  Effect.map(raw.call("COMMAND", "INFO", "CLUSTER|MIGRATESLOTS"), (reply) => (reply as Array<unknown>)[0] !== null)

class NotMoved extends Schema.TaggedError<NotMoved>()("NotMoved", { state: Schema.String }) {}

/** Moves a range of slots, and waits until it has moved. */
const migrate = Effect.fnUntraced(function*(
  from: RedisCluster.ClusterNode,
  to: RedisCluster.ClusterNode,
  [first, last]: readonly [first: number, last: number]
) {
  yield* from.raw.call("CLUSTER", "MIGRATESLOTS", "SLOTSRANGE", String(first), String(last), "NODE", to.id)
  yield* from.raw.call("CLUSTER", "GETSLOTMIGRATIONS").pipe(
    Effect.map((all) => JSON.stringify((all as Array<unknown>)[0])),
    Effect.filterOrFail((newest) => /"success"/.test(newest), (state) => new NotMoved({ state })),
    Effect.retry({ schedule: Schedule.spaced("20 millis"), times: 500, while: ({ _tag }) => _tag === "NotMoved" })
  )
})

describeOwnServer("slots that move as a whole", () => {
  it.live("lose and double no transfer", () =>
    Effect.gen(function*() {
      const cluster = yield* RedisCluster.start({ replicas: 0 })
      const [one, two, three] = cluster.primaries as [
        RedisCluster.ClusterNode,
        RedisCluster.ClusterNode,
        RedisCluster.ClusterNode
      ]
      if (!(yield* movesSlots(one.raw))) {
        const version = /^(?:valkey|redis)_version:\S+/m.exec(String(yield* one.raw.call("INFO", "server")))![0]
        // Redis 8.4 has another command for it
        assert.notMatch(version, /^valkey_version:(?:9|\d\d)/)
        return console.log(`${version} can't move slots as a whole: nothing is tested here`)
      }
      yield* Effect.gen(function*() {
        yield* Effect.forEach(banks, (bank) =>
          Atomic.all([
            ...["a", "b"].map((owner) => Account.insert({ bank, owner, balance: opening })),
            Ledger.insert({ bank, book: "all", ids: [] })
          ]), { concurrency: "unbounded", discard: true })
        let next = 0
        let moves = 0
        const done = new Map<number, string>()
        const worker = Effect.gen(function*() {
          while (next < transfers) {
            const id = next++
            const bank = banks[id * 7919 % banks.length]!
            const [from, to] = id % 3 === 0 ? ["b", "a"] as const : ["a", "b"] as const
            yield* Atomic.all([
              Account.ref([bank, from]).balance.decrement(1 + id % 5),
              Account.ref([bank, to]).balance.increment(1 + id % 5),
              Ledger.ref([bank, "all"]).ids.append(id)
            ])
            done.set(id, bank)
            yield* Effect.sleep("5 millis")
          }
        })
        const workers = yield* Effect.forkChild(
          Effect.all(Array.from({ length: fibers }, () => worker), { concurrency: "unbounded", discard: true })
        )
        // each third of the slots goes round
        const owners = [one, two, three]
        const ranges = owners.map((_, i) => [Math.ceil(i * 16_384 / 3), Math.ceil((i + 1) * 16_384 / 3) - 1] as const)
        const isWorking = () => next < transfers
        while (isWorking()) {
          for (const [i, range] of ranges.entries()) {
            const from = owners[i]!
            const to = cluster.primaries[(cluster.primaries.indexOf(from) + 1) % 3]!
            const part = [range[0], range[0] + 999] as const
            yield* migrate(from, to, part)
            yield* migrate(to, from, part)
            moves += 2
          }
        }
        yield* Fiber.join(workers)
        assert.strictEqual(done.size, transfers)
        for (const bank of banks) {
          const { a, b, ledger } = yield* Atomic.all({
            a: Account.get([bank, "a"]),
            b: Account.get([bank, "b"]),
            ledger: Ledger.get([bank, "all"])
          })
          const own = [...done].filter(([, of]) => of === bank).map(([id]) => id)
          assert.deepStrictEqual(ledger.ids.toSorted((x, y) => x - y), own.toSorted((x, y) => x - y))
          assert.strictEqual(a.balance + b.balance, 2 * opening)
        }
        assert.isAbove(moves, 3)
        for (const { raw } of cluster.primaries) {
          for (const key of (yield* raw.call("KEYS", "*")) as ReadonlyArray<string>) {
            const slot = Number(yield* raw.call("CLUSTER", "KEYSLOT", key))
            assert.isAbove(Number(yield* raw.call("CLUSTER", "COUNTKEYSINSLOT", String(slot))), 0)
          }
        }
        console.log(`${transfers} transfers, ${moves} moves`)
      }).pipe(
        Effect.provide(RedisService.layerCluster({ nodes: cluster.nodes, exactlyOnce: true, deadline: "10 seconds" }))
      )
    }), sized(60_000, 300_000))
})
