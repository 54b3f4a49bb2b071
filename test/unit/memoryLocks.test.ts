/**
 * Locks in memory under a test clock: renewal, the end of leases, and waiting times to the millisecond.
 */
import { assert, it } from "@effect/vitest"
import { Clock, Effect, Exit, Fiber, Option, Schema, type Scope } from "effect"
import { TestClock } from "effect/testing"
import { Atomic, type DomainError, Lock, Model, RedisService, RedisServiceError } from "redlayer"
import { fails } from "redlayer-conformance/assertions"
import { Op } from "../../src/internal/instruction/ops.ts"
import { make } from "../../src/internal/memory/service.ts"
import { Store } from "../../src/internal/memory/store.ts"
import { describeMemory } from "../support/Backends.ts"

const Robot = Model.make("LockRobot", { id: Schema.String, n: Schema.Int }, { key: "id" })

const on = Robot.ref("a")
const key = "LockRobot:{a}:$lock:arm"
const lost = { model: "LockRobot", id: "a", name: "arm" }

/** Is renewed after each third, 10 seconds, and is not relied on in its last second. */
const lease = "30 seconds"
const arm = { on, lease } as const

type Service = RedisService.RedisService["Service"]

/** Runs in another fiber, which holds no lock. */
const inAnother = <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.flatMap(Effect.forkChild(self), Fiber.join)

const isFree = inAnother(Effect.scoped(Effect.map(Lock.tryAcquire("arm", arm), Option.isSome)))

/** The end of a fiber. Both fields are undefined while it runs. */
interface Ended {
  at: number | undefined
  exit: Exit.Exit<unknown, unknown> | undefined
}

/** Runs an effect in another fiber. The result is mutable: it is filled in when the fiber ends. */
const watch = Effect.fnUntraced(function*<A, E, R>(self: Effect.Effect<A, E, R>) {
  const ended: Ended = { at: undefined, exit: undefined }
  yield* Effect.forkChild(Effect.onExit(self, (exit) =>
    Effect.map(Clock.currentTimeMillis, (at) => {
      ended.at = at
      ended.exit = exit
    })))
  yield* Effect.yieldNow
  return ended
})

/** Asserts that a fiber has ended, with this failure. */
const failedWith = ({ exit }: Ended, tag: "LockLost" | "LockTimeout", details: object = lost) => {
  if (exit === undefined) return assert.fail("the fiber has not ended")
  return fails(exit as Exit.Exit<unknown, DomainError.LockLost | DomainError.LockTimeout>, tag, details)
}

/** A service that never answers programs with an instruction `silentOn` while `isSilent` is set. */
const silent = (service: Service, silentOn: number): Service & { isSilent: boolean } => {
  const self: Service & { isSilent: boolean } = {
    ...service,
    isSilent: false,
    execute: (program, read) =>
      Effect.suspend(() =>
        self.isSilent && program.instructions.some(({ op }) => op === silentOn)
          ? Effect.never
          : service.execute(program, read)
      )
  }
  return self
}

/** A service that refuses programs with an instruction `refusedOn` while `refuses` is set, and counts refusals. */
const refusing = (service: Service, refusedOn: number): Service & { refuses: boolean; refused: number } => {
  const self: Service & { refuses: boolean; refused: number } = {
    ...service,
    refuses: false,
    refused: 0,
    execute: (program, read) =>
      Effect.suspend(() => {
        if (!self.refuses || program.instructions.every(({ op }) => op !== refusedOn)) {
          return service.execute(program, read)
        }
        self.refused++
        return Effect.fail(
          new RedisServiceError.RedisServiceError({
            reason: new RedisServiceError.ServerUnavailable({ code: "LOADING" })
          })
        )
      })
  }
  return self
}

/** Simulates a process that is paused: `pause` moves the time that the clock reads, and no timer fires. */
const withPauses = <A, E, R>(
  body: (pause: (millis: number) => Effect.Effect<void>) => Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> =>
  Effect.clockWith((clock) => {
    let ahead = 0
    const currentTimeMillisUnsafe = () => clock.currentTimeMillisUnsafe() + ahead
    const currentTimeNanosUnsafe = () => clock.currentTimeNanosUnsafe() + BigInt(ahead) * 1_000_000n
    const monotonicTimeNanosUnsafe = () => clock.monotonicTimeNanosUnsafe() + BigInt(ahead) * 1_000_000n
    const pause = (millis: number) =>
      Effect.sync(() => {
        ahead += millis
      })
    return Effect.provideService(body(pause), Clock.Clock, {
      ...clock,
      currentTimeMillisUnsafe,
      currentTimeNanosUnsafe,
      monotonicTimeNanosUnsafe,
      currentTimeMillis: Effect.sync(currentTimeMillisUnsafe),
      currentTimeNanos: Effect.sync(currentTimeNanosUnsafe),
      monotonicTimeNanos: Effect.sync(monotonicTimeNanosUnsafe)
    })
  })

/** The failure that the test expects of a save. */
type Save = Effect.Effect<unknown, DomainError.LockLost, RedisService.RedisService>

const { renew } = Op

describeMemory("locks in time", () => {
  const test = (
    name: string,
    body: (store: Store) => Effect.Effect<void, unknown, RedisService.RedisService | Scope.Scope>
  ) =>
    it.effect(name, () => {
      const store = new Store()
      return Effect.provideService(Effect.scoped(body(store)), RedisService.RedisService, make(store))
    })

  test("a lock that is renewed every third of its lease is held as long as its scope is open", (store) =>
    Effect.gen(function*() {
      yield* Effect.scoped(Effect.gen(function*() {
        const held = yield* Lock.acquire("arm", arm)
        const expiry = () => Number([...store.hash(key, 0)!.fields.values()][0]!.split(" ")[0])
        assert.strictEqual(expiry(), 30_000)
        yield* TestClock.adjust(9999)
        assert.strictEqual(expiry(), 30_000)
        for (let thirds = 1; thirds <= 30; thirds++) {
          yield* TestClock.adjust(1)
          assert.strictEqual(expiry(), 30_000 + thirds * 10_000)
          yield* TestClock.adjust(9999)
          assert.strictEqual(expiry(), 30_000 + thirds * 10_000)
        }
        // one adjustment over many renewals
        yield* TestClock.adjust("10 minutes")
        yield* held.check
        yield* held.guard
        assert.isFalse(yield* isFree)
        // the timers of the renewal do not end a protected effect
        assert.strictEqual(
          yield* held.protect(Effect.as(Effect.sleep("10 minutes"), 1)).pipe(
            Effect.forkChild,
            Effect.tap(() => TestClock.adjust("10 minutes")),
            Effect.flatMap(Fiber.join)
          ),
          1
        )
      }))
      assert.isTrue(yield* isFree)
      assert.isUndefined(store.hash(key, 0)!.fields.keys().next().value)
    }))

  test("the renewal ends with the lock, and nothing wakes up afterwards", (store) =>
    Effect.gen(function*() {
      yield* Lock.withLock("arm", () => Effect.void, arm)
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(store.values.get(key), undefined)
    }))

  test("a lock without renewal is lost shortly before its lease ends, and the protected effect is interrupted by then", () =>
    Effect.gen(function*() {
      let interruptedAt: number | undefined
      const work = Effect.onInterrupt(Effect.never, () =>
        Effect.map(Clock.currentTimeMillis, (now) => {
          interruptedAt = now
        }))
      const options = { ...arm, renew: false } as const
      const ended = yield* watch(Lock.withLock("arm", () => work, options))
      const waiting = yield* watch(Lock.withLock("arm", () => Clock.currentTimeMillis, { ...arm, wait: "1 hour" }))
      yield* TestClock.adjust(28_999)
      assert.isUndefined(interruptedAt)
      assert.isUndefined(ended.exit)
      yield* TestClock.adjust(1)
      // one second before the lease ends, from when on another owner can take the lock
      assert.strictEqual(interruptedAt, 29_000)
      assert.strictEqual(ended.at, 29_000)
      yield* failedWith(ended, "LockLost")
      // the lost lock is released at once
      yield* TestClock.adjust(1)
      assert.deepEqual(waiting.exit, Exit.succeed(29_000))
    }))

  test("the last twentieth of a short lease is not relied on", () =>
    Effect.gen(function*() {
      for (const [lease, valid] of [[100, 95], [10, 9.5], [1000, 950], [20_000, 19_000], [100_000, 99_000]] as const) {
        yield* Effect.scoped(Effect.gen(function*() {
          const begun = yield* Clock.currentTimeMillis
          const held = yield* Lock.acquire("arm", { on, lease, renew: false })
          const ended = yield* watch(held.lost)
          yield* TestClock.adjust(Math.ceil(valid) - 1)
          yield* held.check
          assert.isUndefined(ended.exit)
          yield* TestClock.adjust(1)
          yield* fails(held.check, "LockLost", lost)
          yield* failedWith(ended, "LockLost")
          assert.strictEqual(ended.at! - begun, valid)
        }))
      }
    }))

  test("a waiter gets a dead holder's lock when its lease ends, not before, and with a greater token", (store) =>
    Effect.gen(function*() {
      yield* TestClock.setTime(1_000_000)
      store.values.set(key, {
        _tag: "hash",
        fields: new Map([["gone", "1030000 2147483648 999999999999"]]),
        expiresAt: 1_030_000
      })
      store.values.set(`${key}:$fence`, {
        _tag: "hash",
        fields: new Map([["t", "999999999999"]]),
        expiresAt: undefined
      })
      const waiting = yield* watch(
        Lock.withLock("arm", ({ token }) => Effect.succeed(token), { ...arm, wait: "1 minute" })
      )
      yield* TestClock.adjust(29_999)
      assert.isUndefined(waiting.exit)
      yield* TestClock.adjust(1)
      assert.strictEqual(waiting.at, 1_030_000)
      // the last token is ahead of the clock, and the next one is greater by 1
      assert.deepEqual(waiting.exit, Exit.succeed(1_000_000_000_000))
    }))

  test("each lease that ends gives the next holder a greater token", () =>
    Effect.gen(function*() {
      const tokens: Array<number> = []
      for (let i = 0; i < 5; i++) {
        yield* Effect.forkChild(Effect.scoped(
          Effect.flatMap(Lock.acquire("arm", { ...arm, renew: false }), ({ token }) => {
            tokens.push(token)
            return Effect.never
          })
        ))
        yield* TestClock.adjust("30 seconds")
      }
      assert.lengthOf(tokens, 5)
      assert.deepEqual(tokens, [...new Set(tokens)].sort((a, b) => a - b))
    }))

  test("the waiting time is exact to the millisecond, for one lock and for several", () =>
    Effect.gen(function*() {
      const taken = yield* Lock.acquire("arm", arm)
      yield* inAnother(Effect.void)
      for (const wait of [1, 7, 999, 60_000]) {
        const begun = yield* Clock.currentTimeMillis
        const one = yield* watch(Lock.withLock("arm", () => Effect.void, { ...arm, wait }))
        const several = yield* watch(Lock.withLocks(["a", { name: "arm", on }, "z"], () => Effect.void, { wait }))
        const entity = yield* watch(Robot.withLock("a", () => Effect.void, { name: "arm", wait }))
        yield* TestClock.adjust(wait - 1)
        assert.deepEqual([one.at, several.at, entity.at], [undefined, undefined, undefined], String(wait))
        yield* TestClock.adjust(1)
        for (const ended of [one, several, entity]) {
          assert.strictEqual(ended.at, begun + wait)
          yield* failedWith(ended, "LockTimeout")
        }
      }
      yield* taken.guard
    }))

  test("several locks share one waiting time", () =>
    Effect.gen(function*() {
      const hold = (name: string, millis: number) =>
        Effect.forkChild(Lock.withLock(name, () => Effect.sleep(millis), { lease: "1 hour" }))
      yield* hold("a", 400)
      yield* hold("b", 700)
      yield* hold("c", 1200)
      yield* Effect.yieldNow
      const long = yield* watch(Lock.withLocks(["c", "b", "a"], () => Effect.void, { wait: 1201 }))
      // in another millisecond, because waiters that arrive in the same one have no order
      yield* TestClock.adjust(1)
      const short = yield* watch(Lock.withLocks(["a", "b", "c"], () => Effect.void, { wait: 1099 }))
      const free = inAnother(Effect.scoped(Lock.acquire("a", { wait: 0 })))
      yield* TestClock.adjust(1098)
      assert.deepEqual([long.at, short.at], [undefined, undefined])
      yield* TestClock.adjust(1)
      // the earlier waiter holds `a` since it was free
      yield* failedWith(short, "LockTimeout", { name: "a" })
      assert.strictEqual(short.at, 1100)
      assert.isUndefined(long.at)
      yield* TestClock.adjust(100)
      assert.strictEqual(long.at, 1200)
      assert.isTrue(Exit.isSuccess(long.exit!))
      yield* free
    }))

  test("a lock that is removed by hand is found lost at the next renewal, and the protected effect is interrupted", (store) =>
    Effect.gen(function*() {
      yield* Robot.insert({ id: "a", n: 1 })
      const ended = yield* watch(
        Robot.withLock("a", (robot) => Effect.as(Effect.sleep("1 hour"), { ...robot, n: 2 }), { name: "arm", lease })
      )
      yield* TestClock.adjust("15 seconds")
      store.values.delete(key)
      yield* TestClock.adjust(4999)
      assert.isUndefined(ended.at)
      yield* TestClock.adjust(1)
      assert.strictEqual(ended.at, 20_000)
      yield* failedWith(ended, "LockLost")
      assert.deepEqual(yield* Robot.get("a"), { id: "a", n: 1 })
    }))

  test("a lock whose renewals get no answer is lost before its lease ends", (store) =>
    Effect.gen(function*() {
      const service = silent(make(store), renew)
      yield* Effect.gen(function*() {
        const ended = yield* watch(Lock.withLock("arm", () => Effect.never, arm))
        yield* TestClock.adjust("25 seconds")
        service.isSilent = true
        yield* TestClock.adjust(23_999)
        assert.isUndefined(ended.at)
        yield* TestClock.adjust(1)
        // the last renewal was at 20 seconds
        assert.strictEqual(ended.at, 49_000)
        yield* failedWith(ended, "LockLost")
      }).pipe(Effect.provideService(RedisService.RedisService, service))
    }))

  test("a failed renewal is tried again while there is time", (store) =>
    Effect.gen(function*() {
      const service = refusing(make(store), renew)
      yield* Effect.gen(function*() {
        const held = yield* Lock.acquire("arm", arm)
        service.refuses = true
        yield* TestClock.adjust("27 seconds")
        assert.isAbove(service.refused, 5)
        service.refuses = false
        yield* TestClock.adjust("1 hour")
        yield* held.check
        yield* held.guard
      }).pipe(Effect.provideService(RedisService.RedisService, service))
    }))

  test("a process that stood still beyond its lease has lost the lock before any timer fires", () =>
    withPauses((pause) =>
      Effect.gen(function*() {
        yield* Robot.insert({ id: "a", n: 1 })
        const held = yield* Lock.acquire("arm", arm)
        yield* pause(28_999)
        yield* held.check
        yield* pause(1001)
        yield* fails(held.guard, "LockLost", lost)
        yield* fails(Atomic.all([Robot.ref("a").n.set(2), held.guard]), "LockLost", lost)
        // the fiber no longer holds the lock, so it can acquire it again
        const again = Option.getOrThrow(yield* Lock.tryAcquire("arm", arm))
        assert.isAbove(again.token, held.token)
        yield* again.guard
        yield* fails(held.check, "LockLost", lost)
        yield* fails(held.protect(Effect.die("it ran")), "LockLost", lost)
        yield* again.check
        assert.deepEqual(yield* Robot.get("a"), { id: "a", n: 1 })
      })
    ))

  test("a process that stood still does not save an entity, whether or not another has the lock", () =>
    withPauses((pause) =>
      Effect.gen(function*() {
        yield* Robot.insert({ id: "a", n: 1 })
        const other = inAnother(
          Robot.withLock("a", (robot) => Effect.succeed({ ...robot, n: robot.n + 1 }), { wait: 0 })
        )
        const save = (meanwhile: Effect.Effect<unknown, unknown, RedisService.RedisService>) =>
          Robot.withLock("a", (robot) =>
            Effect.gen(function*() {
              // so that the timers of the lease are set
              yield* Effect.yieldNow
              yield* pause(10_000)
              yield* meanwhile
              return { ...robot, n: 100 }
            }))
        yield* fails(save(Effect.void) as Save, "LockLost", { ...lost, name: "" })
        assert.strictEqual((yield* Robot.get("a")).n, 1)
        yield* fails(save(other) as Save, "LockLost", { ...lost, name: "" })
        assert.strictEqual((yield* Robot.get("a")).n, 2)
      })
    ))
})
