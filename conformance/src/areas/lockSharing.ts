/** Locks: reentrancy, shared locks and permits. */
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Atomic from "redlayer/Atomic"
import type * as DomainError from "redlayer/DomainError"
import * as Lock from "redlayer/Lock"
import { RawStore } from "redlayer/testing"
import * as assert from "../assert.ts"
import { concurrently, fails, unchanged } from "../assertions.ts"
import type { Env, Test } from "../suite.ts"
import {
  Account,
  type Failure,
  holdLock,
  inAnotherFiber,
  isFree,
  isFreeOn,
  lockOf,
  requestLock,
  untilWaiting
} from "../support/lockHolders.ts"

export const lockSharing = (test: Test): void => {
  test("a lock is reentrant for the fiber that holds it, and is released when the last of its scopes closes", () =>
    Effect.gen(function*() {
      const on = Account.ref("a")
      yield* Account.insert({ id: "a", n: 1 })
      const now = { on, wait: 0 } as const
      yield* Effect.scoped(Effect.gen(function*() {
        const outer = yield* Lock.acquire("", now)
        yield* Effect.scoped(Effect.gen(function*() {
          const inner = yield* Lock.acquire("", now)
          assert.strictEqual(inner.token, outer.token)
          yield* inner.guard
          assert.strictEqual(Option.getOrThrow(yield* Lock.tryAcquire("", now)).token, outer.token)
        }))
        yield* outer.guard
        assert.isFalse(yield* isFreeOn("a"))
        // also for effects that the fiber runs in sequence
        yield* Lock.withLock("", ({ token }) => Effect.sync(() => assert.strictEqual(token, outer.token)), now)
        yield* outer.protect(
          Lock.withLock("", ({ token }) => Effect.sync(() => assert.strictEqual(token, outer.token)), now)
        )
        const saved = yield* Account.withLock("a", (account, { token }) => {
          assert.strictEqual(token, outer.token)
          return Account.withLock("a", (account) => Effect.succeed({ ...account, n: 7 }), { wait: 0 }).pipe(
            Effect.andThen(Effect.succeed(account))
          )
        }, { wait: 0 })
        assert.strictEqual(saved.n, 1)
        assert.strictEqual((yield* Account.get("a")).n, 7)
        const [one] = yield* Lock.acquireAll([{ name: "", on }], { wait: 0 })
        assert.strictEqual(one.token, outer.token)
        yield* outer.guard
        assert.isFalse(yield* isFreeOn("a"))
      }))
      assert.isTrue(yield* isFreeOn("a"))
      // the inner scope closes before the outer one
      yield* Effect.scoped(Effect.gen(function*() {
        const first = yield* Effect.scoped(Effect.gen(function*() {
          yield* Lock.acquire("y")
          return "first"
        }))
        assert.strictEqual(first, "first")
        assert.isTrue(yield* isFree("y"))
      }))
    }))

  test("a lock is reentrant while the fiber holds other locks", () =>
    Effect.gen(function*() {
      const on = Account.ref("a")
      yield* Account.insert({ id: "a", n: 1 })
      const tokenOf = (name: string) => Lock.withLock(name, ({ token }) => Effect.succeed(token), { wait: 0 })
      yield* Lock.withLock("x", (x) =>
        Effect.gen(function*() {
          const within = Lock.withLock("y", (y) => Effect.all([tokenOf("x"), tokenOf("y"), Effect.succeed(y.token)]))
          const [again, inner, token] = yield* within
          assert.deepEqual([again, inner], [x.token, token])
          yield* Account.withLock("a", () => Effect.map(tokenOf("x"), (token) => assert.strictEqual(token, x.token)))
          const three = Lock.withLocks(["y", { name: "", on }, "z"], ([y, _, z]) =>
            Effect.gen(function*() {
              assert.deepEqual(yield* Effect.all(["x", "y", "z"].map(tokenOf)), [x.token, y.token, z.token])
              yield* Account.withLock("a", (account) => Effect.succeed({ ...account, n: 2 }), { wait: 0 })
              yield* fails(inAnotherFiber(tokenOf("x")), "LockTimeout", { name: "x" })
            }))
          yield* three
          // the other locks were released
          for (const name of ["y", "z"]) assert.isTrue(yield* isFree(name), name)
        }))
      // a fiber that runs `protect` of another holder's lock does not hold that holder's other locks
      const other = yield* holdLock(Lock.acquire("x"))
      const mine = yield* Lock.acquire("y")
      yield* fails(mine.protect(tokenOf("x")), "LockTimeout", { name: "x" })
      yield* fails(other.held.protect(inAnotherFiber(tokenOf("y"))), "LockTimeout", { name: "y" })
      yield* other.held.protect(tokenOf("y"))
    }))

  test("a forked fiber does not hold the lock of its parent and waits for it, unless it runs in `protect`", () =>
    Effect.gen(function*() {
      const on = Account.ref("a")
      yield* Account.insert({ id: "a", n: 1 })
      const now = { on, wait: 0 } as const
      yield* Lock.withLock("x", (held) =>
        Effect.gen(function*() {
          const again = Lock.withLock("x", () => Effect.void, now)
          yield* fails(inAnotherFiber(again), "LockTimeout", { name: "x" })
          const exits = yield* concurrently([Effect.exit(again), Effect.exit(again)])
          assert.deepEqual(exits.map(Exit.isSuccess), [false, false])
          // effects in sequence run in the same fiber
          yield* Effect.all([again, again])
          yield* Effect.forEach([1, 2], () => again)
          assert.strictEqual(yield* inAnotherFiber(Atomic.andThen(held.guard, on.n.increment())), 2)
          // an effect in `protect` holds the lock while it runs
          yield* inAnotherFiber(held.protect(again))
          yield* fails(inAnotherFiber(Effect.andThen(held.protect(Effect.void), again)), "LockTimeout")
        }), { on })
      assert.isTrue(yield* isFreeOn("a", "x"))
    }))

  test("an exclusive lock includes a shared one, a shared lock does not include an exclusive one, and a lost lock includes none", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      const on = Account.ref("a")
      const now = { on, wait: 0 } as const
      yield* Effect.scoped(Effect.gen(function*() {
        const whole = yield* Lock.acquire("x", now)
        const share = yield* Lock.acquire("x", { ...now, mode: "shared" })
        assert.strictEqual(share.token, whole.token)
        assert.isFalse(yield* isFree("x", { on, mode: "shared" }))
      }))
      yield* Effect.scoped(Effect.gen(function*() {
        const share = yield* Lock.acquire("x", { ...now, mode: "shared" })
        const again = yield* Lock.acquire("x", { ...now, mode: "shared" })
        assert.strictEqual(again.token, share.token)
        yield* fails(Effect.scoped(Lock.acquire("x", now)), "LockTimeout")
      }))
      yield* Effect.scoped(Effect.gen(function*() {
        const first = yield* Lock.acquire("y", { ...now, lease: 300 })
        yield* raw.delete(lockOf("a", "y"))
        yield* Effect.flip(Effect.timeout(first.lost, "8 seconds"))
        const second = yield* Lock.acquire("y", now)
        assert.isAbove(second.token, first.token)
        yield* second.guard
        yield* fails(first.guard, "LockLost")
      }))
      assert.isTrue(yield* isFreeOn("a", "y"))
    }))

  test("any number of holders share a lock, and a waiting exclusive request blocks every later request", () =>
    Effect.gen(function*() {
      const shared = { mode: "shared" } as const
      const order: Array<string> = []
      const readers = [yield* holdLock(Lock.acquire("x", shared)), yield* holdLock(Lock.acquire("x", shared))]
      assert.isTrue(yield* isFree("x", shared))
      assert.isFalse(yield* isFree("x"))
      const enter = (name: string, options?: Lock.Options) =>
        requestLock(Effect.tap(Lock.acquire("x", options), () => Effect.sync(() => order.push(name))))
      const writer = yield* enter("writer")
      yield* untilWaiting("$lock:{x}", 1)
      const late = yield* enter("late reader", shared)
      yield* untilWaiting("$lock:{x}", 2)
      const later = yield* enter("later reader", shared)
      yield* untilWaiting("$lock:{x}", 3)
      // including requests that do not wait
      assert.isFalse(yield* isFree("x", shared))
      yield* readers[0]!.leave
      assert.isFalse(yield* isFree("x", shared))
      assert.deepEqual(order, [])
      yield* readers[1]!.leave
      yield* writer.held
      assert.deepEqual(order, ["writer"])
      assert.isFalse(yield* isFree("x", shared))
      yield* writer.leave
      // both later requests get the lock while both hold it
      yield* late.held
      yield* later.held
      assert.deepEqual(order.slice().sort(), ["late reader", "later reader", "writer"])
      assert.isFalse(yield* isFree("x"))
      yield* late.leave
      yield* later.leave
      assert.isTrue(yield* isFree("x"))
    }))

  test("a waiting exclusive request that is interrupted lets the shared requests behind it enter", () =>
    Effect.gen(function*() {
      const shared = { mode: "shared" } as const
      yield* holdLock(Lock.acquire("x", shared))
      const writer = yield* requestLock(Lock.acquire("x"))
      yield* untilWaiting("$lock:{x}", 1)
      const reader = yield* requestLock(Lock.acquire("x", { ...shared, wait: "1 minute" }))
      yield* untilWaiting("$lock:{x}", 2)
      yield* writer.interrupt
      yield* reader.held
    }))

  test("an exclusive holder is alone, and neither exclusive nor shared requests starve", () =>
    Effect.gen(function*() {
      let [readers, writers, entered] = [0, 0, 0]
      const wrong: Array<string> = []
      const enter = (isWriter: boolean) =>
        Lock.withLock("x", () =>
          Effect.gen(function*() {
            entered++
            if (isWriter) writers++
            else readers++
            for (let i = 0; i < 3; i++) {
              if (writers > 1 || writers === 1 && readers > 0) wrong.push(`${writers} and ${readers}`)
              yield* Effect.yieldNow
            }
            if (isWriter) writers--
            else readers--
          }), { mode: isWriter ? "exclusive" : "shared", wait: "1 minute" })
      yield* concurrently(Array.from({ length: 60 }, (_, i) => enter(i % 4 === 0)))
      assert.deepEqual([entered, wrong], [60, []])
      assert.isTrue(yield* isFree("x"))
    }))

  test("as many holders as there are permits hold one at once, and each acquire counts", () =>
    Effect.gen(function*() {
      const three = { mode: { permits: 3 }, wait: 0 } as const
      const others = [
        yield* holdLock(Lock.acquire("x", three)),
        yield* holdLock(Lock.acquire("x", three)),
        yield* holdLock(Lock.acquire("x", three))
      ]
      assert.strictEqual(new Set(others.map(({ held }) => held.token)).size, 3)
      yield* fails(Effect.scoped(Lock.acquire("x", three)), "LockTimeout", { name: "x" })
      const waiter = yield* requestLock(Lock.acquire("x", { mode: { permits: 3 } }))
      yield* untilWaiting("$permits:{x}", 1)
      yield* others[1]!.leave
      yield* waiter.held
      assert.isFalse(yield* isFree("x", three))
      for (const { leave } of [others[0]!, others[2]!, waiter]) yield* leave
      // each acquire of one fiber takes another permit
      yield* Effect.scoped(Effect.gen(function*() {
        for (let i = 0; i < 3; i++) yield* Lock.acquire("x", three)
        assert.isTrue(Option.isNone(yield* Lock.tryAcquire("x", three)))
        // a request with a higher total finds a free permit
        assert.isTrue(Option.isSome(yield* Effect.scoped(Lock.tryAcquire("x", { mode: { permits: 4 } }))))
      }))
      assert.isTrue(yield* isFree("x", three))
      let [inside, most, done] = [0, 0, 0]
      const full = yield* Deferred.make<void>()
      yield* concurrently(Array.from({ length: 20 }, () =>
        Lock.withLock("x", () =>
          Effect.gen(function*() {
            inside++
            most = Math.max(most, inside)
            if (inside === 3) yield* Deferred.succeed(full, undefined)
            // wait until three are inside, which proves that three do enter
            yield* Deferred.await(full)
            yield* Effect.yieldNow
            inside--
            done++
          }), { mode: { permits: 3 }, wait: "1 minute" })))
      assert.deepEqual([most, done, inside], [3, 20, 0])
    }))

  test("an invalid name, lease, wait, mode or entity is refused, and nothing is sent", () =>
    Effect.gen(function*() {
      const on = Account.ref("a")
      const cases: ReadonlyArray<readonly [name: string, options?: object]> = [
        ["", {}],
        ["\ud800", {}],
        ["\ud800", { on }],
        ["x".repeat(1025), {}],
        ["{".repeat(342), { on }],
        ...[0, -1, 9, 9.9, NaN, Infinity, Duration.infinity, "soon", null, 1e15].map((lease) =>
          ["x", { lease: lease === null ? {} : lease }] as const
        ),
        ...[-1, "-1 millis", "soon", -Infinity].flatMap((wait) => [["x", { wait }], ["x", { wait, on }]] as const),
        ...[0, -1, 1.5, NaN, Infinity, 2 ** 31, "3", undefined].map((permits) => ["x", { mode: { permits } }] as const),
        ...[{}, null, [], Account, on.n, Account.ref(""), Account.ref("\ud800"), new Date(0), () => on].map((on) =>
          ["x", { on }] as const
        )
      ]
      const never = () => Effect.die("it ran")
      yield* unchanged(Effect.gen(function*() {
        for (const [i, [name, options]] of cases.entries()) {
          const wanted = options as Lock.Options
          const title = `${i}: ${name.slice(0, 5)} ${JSON.stringify(options)}`
          const several = { name, ...(options !== undefined && "on" in options ? { on: options.on as any } : {}) }
          const programs: ReadonlyArray<Effect.Effect<unknown, Failure | DomainError.LockLost, Env>> = [
            Effect.scoped(Lock.acquire(name, wanted)),
            Lock.withLock(name, never, wanted),
            Effect.scoped(Lock.acquireAll([several], wanted)),
            Lock.withLocks([several], never, wanted),
            // `tryAcquire` ignores `wait`, so it does not validate it
            ...("wait" in wanted ? [] : [Effect.scoped(Lock.tryAcquire(name, wanted))])
          ]
          for (const program of programs) {
            const error = yield* Effect.match(program, { onFailure: (error) => error, onSuccess: () => undefined })
            assert.strictEqual(error?._tag, "InvalidValue", title)
            assert.isAbove((error as DomainError.InvalidValue).issue.length, 10, title)
          }
        }
        yield* fails(Effect.scoped(Lock.acquire("x", { lease: 0 })), "InvalidValue", { model: "Lock", id: "x" })
      }))
      yield* Account.insert({ id: "a", n: 1 })
      yield* fails(Account.withLock("a", never, { name: "\ud800" }), "InvalidValue")
      yield* fails(Account.withLock("a", never, { lease: 1 }), "InvalidValue")
      yield* fails(Account.withLock("a", never, { wait: -1 }), "InvalidValue")
      // the shortest lease, which may end before the reply arrives
      for (const lease of [10, "10.5 millis"] as const) {
        const exit = yield* Effect.exit(Lock.withLock("x", () => Effect.void, { lease }))
        if (Exit.isFailure(exit)) {
          assert.strictEqual((Cause.squash(exit.cause) as DomainError.LockLost)._tag, "LockLost")
        }
      }
      yield* Lock.withLock("x".repeat(1024), () => Effect.void)
      yield* Lock.withLock("", () => Effect.void, { on })
      yield* Lock.withLock("x", () => Effect.void, { mode: { permits: 2 ** 31 - 1 } })
    }))
}
