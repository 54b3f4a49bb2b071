/**
 * Several processes whose connections are killed, or which are killed themselves. `REDLAYER_KILL_SECONDS` and
 * `REDLAYER_KILL_PROCESSES` make it longer and wider.
 */
import { assert, it } from "@effect/vitest"
import { Effect, Fiber, Schedule } from "effect"
import { Atomic } from "redlayer"
import * as Child from "../live/child.ts"
import { range } from "../live/common.ts"
import { describeOwnServer } from "../support/Backends.ts"
import { random, server, service, start } from "./common.ts"
import { Account, accounts, type Heard, Moves } from "./killedWorker.ts"

const seconds = Number(process.env.REDLAYER_KILL_SECONDS ?? 3)
const processes = Number(process.env.REDLAYER_KILL_PROCESSES ?? 3)

const coins = 1_000_000

/** A bank, and what it looks like at one moment. */
const bank = Effect.gen(function*() {
  const on = yield* server()
  const { run } = yield* service({ url: on.url, deadline: "10 seconds" })
  yield* run(Effect.forEach(accounts, (id) => Account.insert({ id, coins }), { discard: true }))
  yield* run(Moves.insert({ id: "all" }))
  const look = run(Atomic.all({
    coins: Atomic.all(accounts.map((id) => Account.ref(id).coins.get())),
    count: Moves.ref("all").count.get(),
    last: Moves.ref("all").last.get()
  }))
  const checked = look.pipe(
    // those of this process are killed too, and looking is harmless
    Effect.retry({ times: 100 }),
    Effect.tap((now) =>
      Effect.sync(() => {
        assert.strictEqual(now.coins.reduce((sum, n) => sum + n, 0), coins * accounts.length)
        assert.strictEqual(now.last.length, Math.min(100, now.count))
        assert.strictEqual(new Set(now.last).size, now.last.length)
      })
    )
  )
  return { ...on, checked }
})

const begin = Effect.fnUntraced(function*(url: string, me: number) {
  const child = yield* Child.start("../faults/killedWorker.ts", [url, String(me)])
  assert.strictEqual(yield* child.next, "connected")
  return child
})

describeOwnServer("processes", () => {
  it.live(
    "whose connections are killed every 20 ms: coins are conserved, and the count is what was said",
    () =>
      Effect.gen(function*() {
        const { call, checked, url } = yield* bank
        const children = yield* Effect.forEach(range(processes), (i) => begin(url, i), { concurrency: "unbounded" })
        let kills = 0
        const killer = yield* Effect.forkChild(
          call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes").pipe(
            Effect.tap((count) => Effect.sync(() => kills += Number(count))),
            Effect.repeat(Schedule.spaced("20 millis"))
          ),
          start
        )
        const end = performance.now() + seconds * 1000
        let last = 0
        while (performance.now() < end) {
          const { count } = yield* checked
          assert.isAtLeast(count, last)
          last = count
          yield* Effect.sleep("5 millis")
        }
        yield* Fiber.interrupt(killer)
        const heard: ReadonlyArray<Heard> = yield* Effect.forEach(
          children,
          (child) => Effect.andThen(child.send("stop"), child.next)
        )
        yield* Effect.forEach(children, (child) => child.ended)
        const { count } = yield* checked
        const sum = (of: (heard: Heard) => number) => heard.reduce((sum, one) => sum + of(one), 0)
        const acknowledged = sum((one) => one.acknowledged)
        const unknown = sum((one) => one.unknown)
        console.log(
          `${kills} connections of ${processes} processes killed: ${acknowledged} acknowledged, ${unknown} unknown, ${count} applied`
        )
        for (const { distinct, slowest, unexpected } of heard) {
          assert.deepStrictEqual(unexpected, [])
          assert.isTrue(distinct)
          assert.isAtMost(slowest, 5100)
        }
        assert.isAbove(kills, 20)
        assert.isAbove(unknown, 0)
        assert.isAtLeast(count, acknowledged)
        assert.isAtMost(count, acknowledged + unknown)
      }),
    60_000 + seconds * 1000
  )

  it.live("that are killed in the middle leave no half of a program", () =>
    Effect.gen(function*() {
      const { checked, url } = yield* bank
      const next = random(Date.now())
      let last = 0
      for (const i of range(6)) {
        yield* Effect.scoped(Effect.gen(function*() {
          const children = yield* Effect.forEach([0, 1], (j) => begin(url, i * 2 + j), { concurrency: "unbounded" })
          yield* Effect.sleep(next() * 100)
          yield* checked
          // the scope of a child is its life
          assert.strictEqual(children.length, 2)
        }))
        const { count } = yield* checked
        assert.isAbove(count, last)
        last = count
      }
    }))
})
