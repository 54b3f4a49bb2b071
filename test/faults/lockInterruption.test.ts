/**
 * Fibers that are interrupted anywhere between taking and releasing a lock, and fibers that take turns: no lock is left, nothing runs
 * on, and nobody is forgotten.
 */
import { assert, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber } from "effect"
import { Lock } from "redlayer"
import { eventually, range } from "../live/liveService.ts"
import { describeOwnServer } from "../support/Backends.ts"
import { asks, channelsOf, connectionsOf, locksOf, scriptCalls } from "./lockTraces.ts"
import { lateness, random, server, service, start } from "./proxiedService.ts"

const all = { concurrency: "unbounded" } as const

describeOwnServer("fibers with locks", () => {
  it.live("a fiber that is interrupted anywhere leaves no lock behind", () =>
    Effect.gen(function*() {
      const points = 5000
      const { call, url } = yield* server()
      const late = yield* lateness
      const { run } = yield* service({ url })
      // the connection that hears messages is made by the first who waits
      const connections = yield* connectionsOf(call)
      const seed = Date.now() % 1_000_000
      const next = random(seed)
      let entered = 0
      let interrupted = 0
      const one = Effect.gen(function*() {
        const name = `a${Math.floor(next() * 5)}`
        const mode = next() < 0.7 ? "exclusive" : next() < 0.5 ? "shared" : { permits: 2 }
        const hold = next() * 2
        const fiber = yield* Effect.forkChild(
          run(Lock.withLock(name, () =>
            Effect.suspend(() => {
              entered++
              return Effect.sleep(hold)
            }), { mode, lease: "10 seconds" })),
          start
        )
        // and some of them late enough to have it
        yield* Effect.sleep(next() * (next() < 0.8 ? 5 : 100))
        yield* Fiber.interrupt(fiber)
        if (Exit.isFailure(yield* Fiber.await(fiber))) interrupted++
      })
      yield* Effect.forEach(range(points), () => one, { concurrency: 32, discard: true })
      const over = performance.now()
      yield* eventually(Effect.filterOrFail(locksOf(call), (keys) => keys.length === 0))
      const clean = performance.now() - over
      console.log(
        `${interrupted} of ${points} interrupted, ${entered} had entered; nothing left after ${clean.toFixed(1)} ms`
      )
      assert.isAtMost(clean, 100 + late(), `seed ${seed}`)
      assert.isAbove(interrupted, points / 4)
      assert.isAbove(entered, points / 100)
      // a release that has woken a waiter looks again once; after that nothing is renewed or asked for any more
      yield* Effect.sleep("400 millis")
      yield* call("CONFIG", "RESETSTAT")
      yield* Effect.sleep("1 second")
      assert.strictEqual(yield* scriptCalls(call), 0)
      // a while after the last who waited
      yield* eventually(Effect.filterOrFail(channelsOf(call), (channels) => channels.length === 0)).pipe(
        Effect.retry({ times: 2 })
      )
      yield* eventually(Effect.filterOrFail(connectionsOf(call), (now) => now === connections))
    }), 180_000)

  it.live("a fiber that is interrupted during a renewal stops renewing", () =>
    Effect.gen(function*() {
      const { call, url } = yield* server()
      const { run } = yield* service({ url })
      const next = random(Date.now())
      yield* Effect.forEach(range(50), (i) =>
        Effect.gen(function*() {
          const fiber = yield* Effect.forkChild(run(Lock.withLock(`a${i}`, () => Effect.never, { lease: 60 })), start)
          yield* Effect.sleep(next() * 100)
          yield* Fiber.interrupt(fiber)
        }), all)
      yield* eventually(Effect.filterOrFail(locksOf(call), (keys) => keys.length === 0))
      yield* call("CONFIG", "RESETSTAT")
      yield* Effect.sleep("1 second")
      assert.strictEqual(yield* scriptCalls(call), 0)
      assert.deepStrictEqual(yield* locksOf(call), [])
    }), 60_000)

  it.live("waiting fibers take turns and poll seldom", () =>
    Effect.gen(function*() {
      const total = 1000
      const { call, url } = yield* server()
      const { run } = yield* service({ url })
      const shares = range(8).map(() => 0)
      let rounds = 0
      yield* call("CONFIG", "RESETSTAT")
      yield* run(Effect.forEach(shares, (_, i) =>
        Effect.whileLoop({
          while: () => rounds < total,
          body: () =>
            Lock.withLock("a", () =>
              Effect.sync(() => {
                if (rounds < total) shares[i]!++
                rounds++
              }), { wait: "1 minute" }),
          step: () => {}
        }), all))
      const calls = (yield* scriptCalls(call)) / rounds
      console.log(`shares of 8 fibers: ${shares.join(", ")}; ${calls.toFixed(2)} calls a round`)
      assert.isAtLeast(Math.min(...shares), total / 8 / 3)
      assert.isAtMost(calls, 4.5)
    }), 60_000)

  it.live("fibers that wait for long hardly poll", () =>
    Effect.gen(function*() {
      const { call, url } = yield* server()
      const { run } = yield* service({ url })
      const given = yield* Deferred.make<void>()
      const first = yield* Effect.forkChild(run(Lock.withLock("a", () => Deferred.await(given))), start)
      yield* eventually(Effect.filterOrFail(locksOf(call), (keys) => keys.length === 1))
      yield* call("CONFIG", "RESETSTAT")
      const others = yield* Effect.forEach(
        range(8),
        () => Effect.forkChild(run(Lock.withLock("a", () => Effect.void)), start)
      )
      yield* Effect.sleep("2 seconds")
      const asked = yield* asks(call)
      console.log(`8 that wait for two seconds ask ${asked} times, in ${yield* scriptCalls(call)} calls`)
      // each has asked whether it is free, and then been put into the queue
      assert.strictEqual(asked, 16)
      yield* Deferred.succeed(given, undefined)
      yield* Effect.forEach([first, ...others], (fiber) => Fiber.join(fiber))
      assert.deepStrictEqual(yield* locksOf(call), [])
    }))
})
