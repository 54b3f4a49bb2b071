/** Locks: renewal, expiry of leases, and waiting. */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Atomic from "redlayer/Atomic"
import * as Lock from "redlayer/Lock"
import { RawStore } from "redlayer/testing"
import * as assert from "../assert.ts"
import { concurrently, eventually, fails } from "../assertions.ts"
import type { Test } from "../suite.ts"
import {
  Account,
  entityUnchanged,
  holdLock,
  inAnotherFiber,
  isFree,
  isFreeOn,
  lockOf,
  requestLock,
  untilWaiting
} from "../support/lockHolders.ts"

export const lockWaiting = (test: Test): void => {
  test("a lock is renewed as long as it is held", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      const on = Account.ref("a")
      const lease = 1000
      const held = yield* Lock.acquire("x", { on, lease })
      const till = Effect.map(raw.dump, ({ [lockOf("a", "x")]: stored }) =>
        Math.max(
          ...Object.values(stored!.content).map((text) => Number(text.split(" ")[0]))
        ))
      const begun = yield* till
      // two leases after the end of the first lease
      yield* eventually(Effect.map(till, (now) => now > begun + 2 * lease))
      yield* held.check
      yield* held.guard
      assert.isFalse(yield* isFreeOn("a", "x"))
    }))

  test("the lock of a dead holder is free after one lease", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      const cases: ReadonlyArray<readonly [string, Lock.Options]> = [
        ["$lock:{x}", {}],
        [lockOf("a", "x"), { on: Account.ref("a") } as Lock.Options]
      ]
      for (const [key, options] of cases) {
        const now = yield* Clock.currentTimeMillis
        yield* raw.hashSet(key, { someone: `${now + 400} 2147483648 5` })
        yield* raw.hashSet(`${key}:$fence`, { t: "5" })
        assert.isTrue(Option.isNone(yield* Lock.tryAcquire("x", options)))
        yield* fails(Lock.withLock("x", () => Effect.void, { ...options, wait: "20 millis" }), "LockTimeout")
        const token = yield* Lock.withLock("x", ({ token }) => Effect.succeed(token), options)
        assert.isAtLeast(yield* Clock.currentTimeMillis, now + 400)
        assert.isAbove(token, 5)
        assert.isUndefined(yield* raw.hashGet(key, "someone"))
      }
    }))

  test("a removed lock is detected within a third of its lease, and the effect in `protect` is interrupted", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      const on = Account.ref("a")
      yield* Account.insert({ id: "a", n: 1 })
      const bound = Effect.timeoutOrElse({ duration: "8 seconds", orElse: () => Effect.die("It was not found lost") })
      const lost = { model: "LockAccount", id: "a", name: "x" }
      const events: Array<string> = []
      const stays = (name: string) =>
        Effect.onInterrupt(Effect.never, () => Effect.sync(() => events.push(`${name} interrupted`)))
      const remove = raw.delete(lockOf("a", "x"))
      const options = { on, lease: "600 millis" } as const
      const held = yield* Lock.acquire("x", options)
      const telling = yield* Effect.forkChild(Effect.flip(held.lost))
      const protecting = yield* Effect.forkChild(Effect.flip(held.protect(stays("protect"))))
      yield* Effect.yieldNow
      yield* remove
      assert.deepEqual(
        { ...(yield* bound(Fiber.join(telling))) },
        { _tag: "LockLost", operation: "lost", ...lost } as object
      )
      assert.deepEqual(
        { ...(yield* bound(Fiber.join(protecting))) },
        { _tag: "LockLost", operation: "protect", ...lost } as object
      )
      assert.deepEqual(events, ["protect interrupted"])
      yield* fails(held.check, "LockLost", { ...lost, operation: "check" })
      yield* fails(held.guard, "LockLost", { ...lost, operation: "guard" })
      yield* fails(held.protect(Effect.die("it ran")), "LockLost", { ...lost, operation: "protect" })
      assert.strictEqual((yield* Effect.flip(held.check)).message, "The lock is not held any more (check)")

      const removing = Effect.andThen(remove, stays("withLock"))
      yield* fails(bound(Lock.withLock("x", () => removing, options)), "LockLost", { ...lost, operation: "withLock" })
      yield* fails(
        bound(Lock.withLocks(["other", { name: "x", on }], () => removing, { lease: 600 })),
        "LockLost",
        { ...lost, operation: "withLocks" }
      )
      assert.isTrue(yield* isFree("other"))
      const saving = Account.withLock("a", (account) => Effect.as(removing, { ...account, n: 5 }), {
        name: "x",
        lease: 600
      })
      yield* entityUnchanged("a", fails(bound(saving), "LockLost", { ...lost, operation: "withLock" }))
      assert.deepEqual(events, ["protect interrupted", ...Array.from({ length: 3 }, () => "withLock interrupted")])
      assert.isTrue(yield* isFreeOn("a", "x"))
    }))

  test("a request fails with LockTimeout after its `wait`", () =>
    Effect.gen(function*() {
      yield* holdLock(Lock.acquire("x"))
      yield* holdLock(Lock.acquire("x", { on: Account.ref("a") }))
      for (const wait of [0, "1 millis", "60 millis", Duration.millis(120.5)] as const) {
        const millis = Duration.toMillis(Duration.fromInputUnsafe(wait))
        const begun = yield* Clock.currentTimeMillis
        const timeout = yield* fails(Lock.withLock("x", () => Effect.die("it ran"), { wait }), "LockTimeout", {
          model: "",
          id: "",
          name: "x",
          operation: "withLock"
        })
        assert.strictEqual(timeout.message, "The lock was not free in time (withLock)")
        // the wait is rounded to whole milliseconds
        assert.isAtLeast(yield* Clock.currentTimeMillis, begun + Math.floor(millis) - 1)
        yield* fails(Effect.scoped(Lock.acquire("x", { wait, on: Account.ref("a") })), "LockTimeout", {
          model: "LockAccount",
          id: "a",
          name: "x",
          operation: "acquire"
        })
        yield* fails(Effect.scoped(Lock.acquireAll(["x", "y"], { wait })), "LockTimeout", {
          name: "x",
          operation: "acquireAll"
        })
        assert.isTrue(yield* isFree("y"))
      }
      const raw = yield* RawStore
      yield* eventually(Effect.map(raw.dump, (dump) => !Object.keys(dump).some((key) => key.endsWith(":$queue"))))
      yield* Account.insert({ id: "a", n: 1 })
      yield* fails(
        Account.withLock("a", () => Effect.die("it ran"), { name: "x", wait: 0 }),
        "LockTimeout",
        { model: "LockAccount", id: "a", name: "x", operation: "withLock" }
      )
    }))

  test("a time to wait that is no duration is refused, and an option that is undefined is left out", () =>
    Effect.gen(function*() {
      for (const wait of [NaN, "soon" as never]) {
        const issue = "Expected a duration of at least 0 as the time to wait"
        yield* fails(Lock.withLock("x", () => Effect.die("it ran"), { wait }), "InvalidValue", { issue })
        yield* fails(Effect.scoped(Lock.acquire("x", { wait, on: Account.ref("a") })), "InvalidValue", { issue })
        yield* fails(Effect.scoped(Lock.acquireAll(["x", "y"], { wait })), "InvalidValue", { issue })
      }
      const left = { lease: undefined, mode: undefined, renew: undefined, wait: undefined }
      yield* holdLock(Lock.acquire("x", left))
      yield* fails(Lock.withLock("x", () => Effect.die("it ran"), { ...left, wait: 0 }), "LockTimeout")
      assert.isTrue(Option.isNone(yield* inAnotherFiber(Effect.scoped(Lock.tryAcquire("x", left)))))
    }))

  test("a request without a limit waits until it gets the lock", () =>
    Effect.gen(function*() {
      const first = yield* holdLock(Lock.acquire("x", { wait: Duration.infinity }))
      const second = yield* requestLock(Lock.acquire("x", { wait: Duration.infinity }))
      yield* untilWaiting("$lock:{x}", 1)
      yield* first.leave
      assert.isAbove((yield* second.held).token, first.held.token)
    }))

  test("`tryAcquire` returns Some if the lock is free and None otherwise, without waiting", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      yield* Effect.scoped(Effect.gen(function*() {
        const held = Option.getOrThrow(yield* Lock.tryAcquire("x", { on: Account.ref("a") }))
        yield* held.guard
        assert.isFalse(yield* isFreeOn("a", "x"))
        // `wait` is ignored by `tryAcquire`
        const again = Lock.tryAcquire("x", { on: Account.ref("a"), wait: Duration.infinity })
        assert.isTrue(Option.isNone(yield* inAnotherFiber(Effect.scoped(again))))
        assert.isFalse(Object.keys(yield* raw.dump).some((key) => key.endsWith(":$queue")))
      }))
      assert.isTrue(yield* isFreeOn("a", "x"))
    }))

  test("waiting requests get the lock in order of arrival, once each", () =>
    Effect.gen(function*() {
      const order: Array<number> = []
      const first = yield* holdLock(Lock.acquire("x"))
      const fibers: Array<Fiber.Fiber<unknown, unknown>> = []
      for (let i = 0; i < 8; i++) {
        fibers.push(yield* Effect.forkChild(Lock.withLock("x", () => Effect.sync(() => order.push(i)))))
        yield* untilWaiting("$lock:{x}", i + 1)
      }
      yield* first.leave
      for (const fiber of fibers) yield* Fiber.join(fiber)
      assert.deepEqual(order, [0, 1, 2, 3, 4, 5, 6, 7])
      assert.isTrue(yield* isFree("x"))
    }))

  test("several locks are acquired together, and the handles are in the order of the names", () =>
    Effect.gen(function*() {
      const on = Account.ref("a")
      yield* Effect.scoped(Effect.gen(function*() {
        const [z, a, onEntity, again] = yield* Lock.acquireAll(["z", "a", { name: "m", on }, "z", { name: "b" }])
        assert.deepEqual([z.name, a.name, onEntity.name, again.name], ["z", "a", "m", "z"])
        yield* onEntity.guard
        // a name that is given twice is acquired once
        assert.strictEqual(again.token, z.token)
        for (const name of ["z", "a", "b"]) assert.isFalse(yield* isFree(name), name)
        assert.isFalse(yield* isFreeOn("a", "m"))
      }))
      for (const name of ["z", "a", "b"]) assert.isTrue(yield* isFree(name), name)
      assert.isTrue(yield* isFreeOn("a", "m"))
      assert.deepEqual(yield* Effect.scoped(Lock.acquireAll([])), [])
      assert.strictEqual(yield* Lock.withLocks([], () => Effect.succeed(1)), 1)
      // the same with permits
      const permits = { mode: { permits: 1 }, wait: 0 } as const
      const tokens = yield* Lock.withLocks(
        ["p", "q", "p"],
        (held) => Effect.succeed(held.map(({ token }) => token)),
        permits
      )
      assert.strictEqual(tokens[0], tokens[2])
      assert.isTrue(yield* isFree("p", permits))
    }))

  test("if one of several locks is not available, none is kept, and `wait` is the total time for all", () =>
    Effect.gen(function*() {
      const other = yield* holdLock(Lock.acquire("m"))
      for (const targets of [["a", "m", "z"], ["z", "m", "a"], ["m"]]) {
        yield* fails(Effect.scoped(Lock.acquireAll(targets, { wait: "30 millis" })), "LockTimeout", { name: "m" })
        yield* fails(Lock.withLocks(targets, () => Effect.die("it ran"), { wait: 0 }), "LockTimeout", { name: "m" })
      }
      // none is kept even if the scope that would hold them stays open
      yield* Effect.scoped(Effect.gen(function*() {
        yield* fails(Lock.acquireAll(["a", "m", "z"], { wait: 0 }), "LockTimeout")
        for (const name of ["a", "z"]) assert.isTrue(yield* isFree(name), name)
      }))
      for (const [targets, field] of [[["a", "", "z"], ""], [["a", { name: "z", on: {} }], ""]] as const) {
        yield* fails(Effect.scoped(Lock.acquireAll(targets)), "InvalidValue", { field })
        assert.isTrue(yield* isFree("a"))
      }
      // locks are acquired in one fixed order: a request that waits for one holds none that come later in it
      for (const targets of [["z", "m"], ["m", "z"]]) {
        const waiter = yield* requestLock(Lock.acquireAll(targets))
        yield* untilWaiting("$lock:{m}", 1)
        assert.isTrue(yield* isFree("z"))
        yield* waiter.interrupt
        yield* untilWaiting("$lock:{m}", 0)
      }
      // a request that is interrupted while it waits for its second lock releases the first
      const waiter = yield* requestLock(Lock.acquireAll(["a", "m"]))
      yield* untilWaiting("$lock:{m}", 1)
      assert.isFalse(yield* isFree("a"))
      yield* waiter.interrupt
      yield* eventually(isFree("a"))
      yield* other.leave
      assert.isTrue(yield* isFree("m"))
    }))

  test("200 concurrent transfers in all directions preserve the total without deadlock, even from an account to itself", () =>
    Effect.gen(function*() {
      const ids = ["a", "b", "c"]
      for (const id of ids) yield* Account.insert({ id, n: 1000 })
      // a read followed by a write, which is safe under the locks only
      const transfer = (from: string, to: string) =>
        Lock.withLocks(
          [{ name: "", on: Account.ref(from) }, { name: "", on: Account.ref(to) }],
          ([source, target]) =>
            Effect.gen(function*() {
              const taken = (yield* Account.get(from)).n - 1
              yield* Effect.yieldNow
              yield* Atomic.andThen(source.guard, Account.ref(from).n.set(taken))
              const given = (yield* Account.get(to)).n + 1
              yield* Effect.yieldNow
              yield* Atomic.andThen(target.guard, Account.ref(to).n.set(given))
            }),
          { wait: "1 minute" }
        )
      yield* concurrently(Array.from({ length: 200 }, (_, i) => {
        const [from, to] = [["a", "b"], ["b", "a"], ["a", "a"], ["b", "c"], ["c", "a"]][i % 5]!
        return transfer(from!, to!)
      }))
      // each of the five transfers ran 40 times, and those from a to itself changed nothing
      assert.deepEqual(
        (yield* Effect.forEach(ids, (id) => Account.get(id))).map(({ n }) => n),
        [1000 - 40 + 40 + 40, 1000 + 40 - 40 - 40, 1000 + 40 - 40]
      )
      for (const id of ids) assert.isTrue(yield* isFreeOn(id))
    }))
}
