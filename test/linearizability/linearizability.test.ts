/**
 * The results of many callers of one object, on several connections, are explained by some sequential order. The
 * check is one: it refuses what no order explains, and what a client gives that reads and then writes.
 */
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { RedisService } from "redlayer"
import { pseudoRandom } from "redlayer-conformance/assertions"
import { backends, describeMemory, redis, uniquePrefix } from "../support/Backends.ts"
import { type Call, check, type History } from "./checker.ts"
import { type Load, record } from "./recordHistory.ts"
import { accounts, type AccountsOp, counter, type CounterOp, list, type ListOp, type Thing } from "./sharedObjects.ts"

const things: Readonly<Record<string, Thing<any, any, any>>> = { counter, list, accounts }

/** Four connections; or the one store that there is in memory. */
const services = (name: "memory" | "redis") =>
  Effect.gen(function*() {
    const prefix = uniquePrefix("linearizable")
    const layers = name === "memory"
      ? [RedisService.layerMemory]
      : Array.from({ length: 4 }, () => RedisService.layer({ url: redis.url!, keyPrefix: prefix }))
    return yield* Effect.forEach(
      layers,
      (layer) => Effect.map(Layer.build(Layer.fresh(layer)), Context.get(RedisService.RedisService))
    )
  })

const provide: Load["provide"] = (self, service) => Effect.provideService(self, RedisService.RedisService, service)

for (const { describe: describeBackend, name } of backends) {
  describeBackend("histories of concurrent programs", () => {
    for (const [kind, thing] of Object.entries(things)) {
      const load = (services: Load["services"], seed: number, more: Partial<Load> = {}): Load => ({
        services,
        provide,
        fibers: 16 / services.length,
        calls: 15,
        random: pseudoRandom(seed),
        interrupts: false,
        ...more
      })

      it.live(`${kind}: histories of redlayer are linearizable`, () =>
        Effect.gen(function*() {
          const all = yield* services(name)
          for (let round = 0; round < 16; round++) {
            // what nobody heard the end of may stand anywhere, so with it there are fewer at once
            const more = round % 2 === 0 ? {} : { interrupts: true, fibers: 8 / all.length }
            const history = yield* record(thing, thing.call, `${kind}-${round}`, load(all, round, more))
            assert.isAtLeast(history.length, 120)
            assert.strictEqual(check(thing.sequential, history), "linearizable", `round ${round}`)
          }
        }))

      it.live(`${kind}: histories of a client that reads and then writes are not linearizable`, () =>
        Effect.gen(function*() {
          const all = yield* services(name)
          const pause = Effect.sleep(1)
          const broken = (id: string, op: unknown) => thing.broken(id, op, pause)
          const verdicts: Array<string> = []
          for (let round = 0; round < 3; round++) {
            const history = yield* record(thing, broken, `broken-${kind}-${round}`, load(all, round, { calls: 6 }))
            verdicts.push(check(thing.sequential, history))
          }
          assert.include(verdicts, "not linearizable")
          // one alone may well do so
          const alone = yield* record(thing, broken, `alone-${kind}`, load(all.slice(0, 1), 9, { fibers: 1 }))
          assert.strictEqual(check(thing.sequential, alone), "linearizable")
        }))
    }
  })
}

describeMemory("the check of histories", () => {
  type Register = { readonly _tag: "write"; readonly value: number } | { readonly _tag: "read" }
  type Line = readonly [start: number, end: number | undefined, op: Register, result?: number]

  const register = {
    initial: 0,
    show: String,
    equals: (a: number | undefined, b: number | undefined) => a === b,
    step: (value: number, op: Register) => op._tag === "read" ? [value, value] as const : [op.value, undefined] as const
  }
  const write = (value: number): Register => ({ _tag: "write", value })
  const read: Register = { _tag: "read" }
  const verdict = (...lines: ReadonlyArray<Line>) =>
    check<number, Register, number | undefined>(
      register,
      lines.map(([start, at, op, result]) => at === undefined ? { op, start } : { op, start, end: { at, result } })
    )

  it("the checker accepts a history that an order explains", () => {
    assert.strictEqual(verdict(), "linearizable")
    assert.strictEqual(verdict([1, 2, read, 0]), "linearizable")
    assert.strictEqual(verdict([1, 2, write(1)], [3, 4, read, 1]), "linearizable")
    // a read beside a write may be before it, or after it
    assert.strictEqual(verdict([1, 4, write(1)], [2, 3, read, 0]), "linearizable")
    assert.strictEqual(verdict([1, 4, write(1)], [2, 3, read, 1]), "linearizable")
    // the second of two writes may be the first
    assert.strictEqual(verdict([1, 4, write(1)], [2, 3, write(2)], [5, 6, read, 1]), "linearizable")
    assert.strictEqual(verdict([1, 4, write(1)], [2, 3, write(2)], [5, 6, read, 2]), "linearizable")
    assert.strictEqual(
      verdict([1, 10, write(1)], [2, 3, read, 0], [4, 5, write(2)], [6, 7, read, 2], [8, 9, read, 1]),
      "linearizable"
    )
  })

  it("the checker rejects a history that no order explains", () => {
    const no = "not linearizable"
    assert.strictEqual(verdict([1, 2, read, 1]), no)
    // stale, after the write had ended
    assert.strictEqual(verdict([1, 2, write(1)], [3, 4, read, 0]), no)
    // seen, and gone again
    assert.strictEqual(verdict([1, 6, write(1)], [2, 3, read, 1], [4, 5, read, 0]), no)
    // each could be explained alone
    assert.strictEqual(
      verdict([1, 8, write(1)], [2, 7, write(2)], [3, 4, read, 1], [5, 6, read, 2], [9, 10, read, 1]),
      no
    )
    // lost, and the order in time turned round
    assert.strictEqual(verdict([1, 2, write(1)], [3, 4, write(2)], [5, 6, read, 1]), no)
    assert.strictEqual(verdict([1, 3, write(1)], [2, 4, write(2)], [5, 6, read, 1], [7, 8, read, 2]), no)
  })

  it("the checker lets an unanswered call take effect at any time, or never", () => {
    assert.strictEqual(verdict([1, undefined, write(1)], [2, 3, read, 0], [4, 5, read, 1]), "linearizable")
    assert.strictEqual(verdict([1, undefined, write(1)], [2, 3, read, 0], [4, 5, read, 0]), "linearizable")
    assert.strictEqual(verdict([1, undefined, write(1)], [2, undefined, write(2)], [3, 4, read, 2]), "linearizable")
    assert.strictEqual(verdict([1, undefined, write(1)], [2, 3, read, 1], [4, 5, read, 0]), "not linearizable")
    // not before it was asked for
    assert.strictEqual(verdict([1, 2, read, 1], [3, undefined, write(1)]), "not linearizable")
  })

  it("the checker gives up if there are too many orders", () => {
    const calls = Array.from({ length: 24 }, (_, i): Call<Register, number | undefined> => ({
      op: write(i),
      start: i,
      end: { at: 100 + i, result: undefined }
    }))
    const impossible: Call<Register, number | undefined> = { op: read, start: 200, end: { at: 201, result: -1 } }
    assert.strictEqual(check(register, [...calls, impossible], 10_000), "undecided")
    assert.strictEqual(check(register, calls, 10_000), "linearizable")
  })

  describe("of each thing", () => {
    const sequence = <Op, Result>(...lines: ReadonlyArray<readonly [Op, Result]>): History<Op, Result> =>
      lines.map(([op, result], i) => ({ op, start: 2 * i, end: { at: 2 * i + 1, result } }))
    const together = <Op, Result>(...lines: ReadonlyArray<readonly [Op, Result]>): History<Op, Result> =>
      lines.map(([op, result], i) => ({ op, start: i, end: { at: 100 + i, result } }))

    it("the checker finds a lost update of a counter", () => {
      const add = { _tag: "addBelow" } as CounterOp
      assert.strictEqual(check(counter.sequential, together([add, 1], [add, 2], [add, 3])), "linearizable")
      assert.strictEqual(check(counter.sequential, together([add, 1], [add, 1])), "not linearizable")
      const swap = { _tag: "swap", expected: 0, value: 5 } as CounterOp
      assert.strictEqual(check(counter.sequential, together([swap, true], [swap, false])), "linearizable")
      assert.strictEqual(check(counter.sequential, together([swap, true], [swap, true])), "not linearizable")
      const take = { _tag: "take", amount: 1 } as CounterOp
      assert.strictEqual(check(counter.sequential, together([add, 1], [take, 0], [take, null])), "linearizable")
      assert.strictEqual(check(counter.sequential, together([add, 1], [take, 0], [take, 0])), "not linearizable")
    })

    it("the checker finds an item of a list that is returned twice, lost, or out of order", () => {
      const append = (item: number) => ({ _tag: "append", item }) as ListOp
      const shift = { _tag: "shift" } as ListOp
      const { sequential } = list
      assert.strictEqual(
        check(sequential, sequence([append(1), 1], [append(2), 2], [shift, 1], [shift, 2])),
        "linearizable"
      )
      assert.strictEqual(check(sequential, sequence([append(1), 1], [append(2), 2], [shift, 2])), "not linearizable")
      assert.strictEqual(check(sequential, together([append(1), 1], [shift, 1], [shift, 1])), "not linearizable")
      assert.strictEqual(check(sequential, sequence([append(1), 1], [shift, null])), "not linearizable")
      assert.strictEqual(check(sequential, together([append(1), 1], [append(2), 1])), "not linearizable")
    })

    it("the checker finds a read between the halves of a transfer", () => {
      const transfer = { _tag: "transfer", from: 0, amount: 4 } as AccountsOp
      const look = { _tag: "read" } as AccountsOp
      const seen = (a: number, b: number, isRefused = false) => ({ isRefused, coins: [a, b] as const })
      const { sequential } = accounts
      assert.strictEqual(check(sequential, together([transfer, seen(6, 14)], [look, seen(10, 10)])), "linearizable")
      assert.strictEqual(check(sequential, together([transfer, seen(6, 14)], [look, seen(6, 14)])), "linearizable")
      assert.strictEqual(check(sequential, together([transfer, seen(6, 14)], [look, seen(6, 10)])), "not linearizable")
      assert.strictEqual(
        check(sequential, together([transfer, seen(6, 14)], [transfer, seen(2, 18)], [transfer, seen(2, 18, true)])),
        "linearizable"
      )
      // refused, though it could have been paid; and paid, though it could not
      assert.strictEqual(check(sequential, together([transfer, seen(10, 10, true)])), "not linearizable")
      assert.strictEqual(
        check(sequential, together([transfer, seen(6, 14)], [transfer, seen(2, 18)], [transfer, seen(-2, 22)])),
        "not linearizable"
      )
    })
  })
})
