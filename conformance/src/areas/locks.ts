/** Locks: mutual exclusion, independence, release, tokens and guards. */
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Atomic from "redlayer/Atomic"
import type * as DomainError from "redlayer/DomainError"
import * as Lock from "redlayer/Lock"
import type * as RedisService from "redlayer/RedisService"
import { RawStore } from "redlayer/testing"
import * as assert from "../assert.ts"
import { concurrently, fails, unchanged } from "../assertions.ts"
import type { Test } from "../suite.ts"
import {
  Account,
  entityUnchanged,
  holdLock,
  inAnotherFiber,
  isFree,
  isFreeOn,
  keyOf,
  lockOf,
  nextMillisecond,
  OwnError,
  requestLock,
  storedEntity,
  untilWaiting
} from "../support/lockHolders.ts"

const names = [
  ..."aA0 \n\0:{}*%$.é\"'\\/?[]",
  "aa",
  "a:b",
  "a}",
  "{a}",
  "a:$fence",
  "a:$queue",
  "$fence",
  ":$fence",
  "$lock",
  "$lock:{a}",
  "%3A",
  "%61",
  "a ",
  "e\u0301",
  "\u{1f600}",
  "constructor",
  "__proto__",
  "x".repeat(300)
]

export const locks = (test: Test): void => {
  test("a second holder enters after the first has left, and sees what the first has saved", () =>
    Effect.gen(function*() {
      yield* Account.insert({ id: "a", n: 1 })
      const order: Array<string> = []
      const entered = yield* Deferred.make<void>()
      const leave = yield* Deferred.make<void>()
      const first = yield* Effect.forkChild(Account.withLock("a", (account) =>
        Effect.gen(function*() {
          order.push(`first sees ${account.n}`)
          yield* Deferred.succeed(entered, undefined)
          yield* Deferred.await(leave)
          order.push("first leaves")
          return { ...account, n: account.n + 1 }
        })))
      yield* Deferred.await(entered)
      const second = yield* Effect.forkChild(Account.withLock("a", (account) =>
        Effect.sync(() => {
          order.push(`second sees ${account.n}`)
          return { ...account, n: account.n * 10 }
        })))
      yield* untilWaiting(lockOf("a"), 1)
      assert.deepEqual(order, ["first sees 1"])
      yield* Deferred.succeed(leave, undefined)
      assert.strictEqual((yield* Fiber.join(first)).n, 2)
      assert.strictEqual((yield* Fiber.join(second)).n, 20)
      assert.deepEqual(order, ["first sees 1", "first leaves", "second sees 2"])
      assert.isTrue(yield* isFreeOn("a"))
    }))

  test("each of many read-compute-write cycles under a lock sees the result of the one before", () =>
    Effect.gen(function*() {
      yield* Account.insert({ id: "a", n: 0 })
      const { n } = Account.ref("a")
      yield* Effect.all([
        ...Array.from(
          { length: 25 },
          () => Account.withLock("a", (account) => Effect.as(Effect.yieldNow, { ...account, n: account.n + 1 }))
        ),
        ...Array.from({ length: 25 }, () =>
          Lock.withLock(
            "",
            ({ guard }) =>
              Effect.flatMap(
                Effect.tap(n.get(), () => Effect.yieldNow),
                (found) => guard.pipe(Atomic.andThen(n.set(found + 1)))
              ),
            { on: Account.ref("a") }
          ))
      ] as ReadonlyArray<Effect.Effect<unknown, any, RedisService.RedisService>>, { concurrency: "unbounded" })
      assert.strictEqual(yield* n.get(), 50)
    }))

  test("locks of different names or entities do not block each other", () =>
    Effect.gen(function*() {
      yield* Account.insert({ id: "a", n: 1 })
      yield* Account.insert({ id: "b", n: 2 })
      yield* holdLock(Lock.acquire("x"))
      yield* holdLock(Lock.acquire("x", { on: Account.ref("a") }))
      yield* holdLock(Lock.acquire("p", { mode: { permits: 1 } }))
      const now = { wait: 0 } as const
      yield* Lock.withLock("y", () => Effect.void, now)
      // the same name without an entity, on another entity, and with permits are different locks
      yield* Lock.withLock("x", () => Effect.void, { ...now, on: Account.ref("b") })
      yield* Lock.withLock("y", () => Effect.void, { ...now, on: Account.ref("a") })
      yield* Lock.withLock("x", () => Effect.void, { ...now, mode: { permits: 1 } })
      yield* Lock.withLock("p", () => Effect.void, now)
      assert.isUndefined(yield* Account.withLock("a", () => Effect.void, now))
      assert.strictEqual((yield* Account.withLock("b", (b) => Effect.succeed({ ...b, n: b.n + 1 }), now)).n, 3)
      // the locks that are held are still not available
      assert.isFalse(yield* isFree("x"))
      assert.isFalse(yield* isFreeOn("a", "x"))
      assert.isFalse(yield* isFree("p", { mode: { permits: 1 } }))
    }))

  test("of two holders with different lock names that save the same entity, one gets a Conflict, and no update is lost", () =>
    Effect.gen(function*() {
      yield* Account.insert({ id: "a", n: 1 })
      const read = [yield* Deferred.make<void>(), yield* Deferred.make<void>()] as const
      const save = (mine: 0 | 1) =>
        Effect.exit(Account.withLock("a", (account) =>
          Effect.gen(function*() {
            yield* Deferred.succeed(read[mine], undefined)
            yield* Deferred.await(read[mine === 0 ? 1 : 0])
            return { ...account, n: account.n + 1, log: [...account.log, String(mine)] }
          }), { name: `name ${mine}` }))
      const exits = yield* concurrently([save(0), save(1)])
      const failed = exits.find(Exit.isFailure)
      assert.deepEqual(exits.map(Exit.isSuccess).sort(), [false, true])
      const error = Cause.squash(failed!.cause) as DomainError.Conflict
      assert.deepEqual({ ...error }, {
        _tag: "Conflict",
        model: "LockAccount",
        id: "a",
        reason: "version",
        operation: "withLock"
      } as object)
      const found = yield* Account.get("a")
      assert.strictEqual(found.n, 2)
      assert.lengthOf(found.log, 1)
      assert.isTrue(yield* isFreeOn("a", "name 0"))
      assert.isTrue(yield* isFreeOn("a", "name 1"))
    }))

  test("a name may contain any characters, and different names are different locks", () =>
    Effect.gen(function*() {
      yield* Effect.scoped(Effect.gen(function*() {
        const { held } = yield* holdLock(Effect.gen(function*() {
          const held: Array<Lock.Handle> = []
          for (const name of names) {
            held.push(yield* Lock.acquire(name, { wait: 0 }))
            held.push(yield* Lock.acquire(name, { wait: 0, on: Account.ref("a") }))
            held.push(yield* Lock.acquire(name, { wait: 0, on: Account.ref(`a:$lock:${name.slice(0, 20)}`) }))
            held.push(yield* Lock.acquire(name, { wait: 0, mode: { permits: 1 } }))
          }
          return held
        }))
        assert.deepEqual(held.map(({ name }) => name), names.flatMap((name) => [name, name, name, name]))
        for (const name of names) {
          assert.isFalse(yield* isFree(name), name)
          assert.isFalse(yield* isFreeOn("a", name), name)
          assert.isFalse(yield* isFree(name, { mode: { permits: 1 } }), name)
        }
      }))
      // one key for each lock, beside the tokens
      const { dump } = yield* RawStore
      const keys = Object.keys(yield* dump).filter((key) => !key.endsWith(":$fence"))
      assert.strictEqual(new Set(keys).size, names.length * 4)
    }))

  test("the lock is released if the effect fails, dies or is interrupted, and nothing is saved", () =>
    Effect.gen(function*() {
      yield* Account.insert({ id: "a", n: 1 })
      const bug = new Error("bug")
      const inner: ReadonlyArray<Effect.Effect<never, OwnError>> = [
        Effect.fail(new OwnError({ why: "no" })),
        Effect.die(bug),
        Effect.interrupt,
        Effect.suspend(() => {
          throw bug
        })
      ]
      for (const ends of inner) {
        const expected = yield* Effect.exit(ends)
        const saves = Effect.exit(Account.withLock("a", (account) => Effect.as(ends, { ...account, n: 5 })))
        const plain = Effect.exit(Lock.withLock("x", () => ends))
        const several = Effect.exit(Lock.withLocks(["x", "y"], () => ends))
        const scoped = Effect.exit(Effect.scoped(Effect.andThen(Lock.acquire("x"), ends)))
        for (const exit of [yield* entityUnchanged("a", saves), yield* plain, yield* several, yield* scoped]) {
          assert.isTrue(Exit.isFailure(exit) && Exit.isFailure(expected))
          if (Exit.isFailure(exit) && Exit.isFailure(expected)) {
            if (Cause.hasInterrupts(expected.cause)) assert.isTrue(Cause.hasInterrupts(exit.cause))
            else assert.strictEqual(Cause.squash(exit.cause), Cause.squash(expected.cause))
          }
        }
        assert.isTrue(yield* isFreeOn("a"))
        assert.isTrue(yield* isFree("x"))
        assert.isTrue(yield* isFree("y"))
      }
      const thrown = yield* entityUnchanged(
        "a",
        Effect.exit(Account.withLock("a", (): Effect.Effect<void> => {
          throw bug
        }))
      )
      assert.isTrue(Exit.isFailure(thrown) && Cause.squash(thrown.cause) === bug)
      assert.isTrue(yield* isFreeOn("a"))
    }))

  test("interruption while working or waiting leaves nothing behind", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      yield* Account.insert({ id: "a", n: 1 })
      const begun = yield* Deferred.make<void>()
      let ended = false
      const working = yield* Effect.forkChild(Account.withLock("a", (account) =>
        Effect.gen(function*() {
          yield* Deferred.succeed(begun, undefined)
          return yield* Effect.onInterrupt(Effect.as(Effect.never, { ...account, n: 5 }), () =>
            Effect.sync(() => {
              ended = true
            }))
        })))
      yield* Deferred.await(begun)
      yield* entityUnchanged("a", Fiber.interrupt(working))
      assert.isTrue(ended)
      assert.isTrue(yield* isFreeOn("a"))

      const first = yield* holdLock(Lock.acquire("x"))
      const second = yield* requestLock(Lock.acquire("x"))
      const third = yield* requestLock(Lock.acquire("x"))
      yield* untilWaiting("$lock:{x}", 2)
      yield* second.interrupt
      yield* untilWaiting("$lock:{x}", 1)
      yield* first.leave
      // later requests are not held up
      yield* (yield* Effect.as(third.held, third)).leave
      assert.isTrue(yield* isFree("x"))
      assert.deepEqual(Object.keys(yield* raw.dump).filter((key) => key.endsWith("$queue") || key === "$lock:{x}"), [])
    }))

  test("`withLock` fails if the entity is missing or corrupted, and releases the lock", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      let runs = 0
      const counted = Account.withLock("a", (account) => Effect.sync(() => (runs++, account)))
      yield* fails(counted, "EntityNotFound", { model: "LockAccount", id: "a" })
      assert.isTrue(yield* isFreeOn("a"))
      yield* Account.insert({ id: "a", n: 1 })
      yield* raw.hashSet(keyOf("a"), { n: "abc" })
      yield* entityUnchanged("a", fails(counted, "EntityCorrupted", { field: "n" }))
      assert.isTrue(yield* isFreeOn("a"))
      for (const id of ["", "\ud800", 5, undefined] as ReadonlyArray<any>) {
        yield* fails(
          Account.withLock(id, (account) => Effect.sync(() => (runs++, account))),
          "InvalidValue",
          { model: "LockAccount", field: "id" }
        )
      }
      assert.strictEqual(runs, 0)
      // the entity is deleted while the lock is held
      yield* raw.hashSet(keyOf("a"), { n: "1" })
      const deleting = Account.withLock("a", (account) => Effect.as(Account.delete("a"), { ...account, n: 2 }))
      yield* fails(deleting, "EntityNotFound", { id: "a" })
      assert.isFalse(yield* Account.exists("a"))
      assert.isTrue(yield* isFreeOn("a"))
    }))

  test("a lock on an entity neither needs the entity nor affects it, and outlives it", () =>
    Effect.gen(function*() {
      const on = Account.ref("a")
      yield* Lock.withLock("x", ({ guard }) =>
        Effect.gen(function*() {
          yield* guard
          assert.isFalse(yield* Account.exists("a"))
          assert.isFalse(yield* Account.delete("a"))
          yield* Atomic.all([guard, Account.insert({ id: "a", n: 1, log: ["l"] })])
          assert.isTrue(yield* Atomic.andThen(guard, Account.delete("a")))
          yield* guard
          yield* fails(guard.pipe(Atomic.andThen(on.n.increment())), "EntityNotFound", { id: "a" })
          assert.isFalse(yield* isFreeOn("a", "x"))
          yield* Account.insert({ id: "a", n: 2 })
          assert.deepEqual({ ...(yield* Account.get("a")) }, { id: "a", n: 2, word: "", log: [] })
        }), { on })
      yield* Account.delete("a")
      assert.isTrue(yield* isFreeOn("a", "x"))
      assert.deepEqual(yield* storedEntity("a"), {})
    }))

  test("tokens of one lock always increase, whatever happens to the stored data", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      const cases = [
        ["$lock:{x}", "x", {}],
        ["$lock:{y}", "y", { mode: "shared" }],
        ["$permits:{x}", "x", { mode: { permits: 2 } }],
        [lockOf("a", "x"), "x", { on: Account.ref("a") }]
      ] as const
      for (const [key, name, options] of cases) {
        const tokens: Array<number> = []
        const take = Lock.withLock(name, ({ token }) => Effect.sync(() => tokens.push(token)), options as Lock.Options)
        for (let i = 0; i < 5; i++) yield* take
        yield* concurrently(Array.from({ length: 5 }, () => take))
        yield* raw.delete(key)
        yield* take
        // even if the last token is lost, because tokens then continue from the current time
        yield* nextMillisecond
        yield* raw.delete(`${key}:$fence`)
        yield* take
        yield* nextMillisecond
        yield* raw.hashSet(`${key}:$fence`, { t: "nonsense" })
        yield* take
        const ahead = tokens.at(-1)! + 1e9
        yield* raw.hashSet(`${key}:$fence`, { t: String(ahead) })
        yield* take
        assert.strictEqual(tokens.at(-1), ahead + 1)
        assert.lengthOf(tokens, 14)
        assert.deepEqual(tokens, [...new Set(tokens)].sort((a, b) => a - b), key)
        for (const token of tokens) assert.isTrue(Number.isSafeInteger(token) && token > 0)
      }
    }))

  test("a guard succeeds while the lock is held: alone, with writes, and with other entities", () =>
    Effect.gen(function*() {
      yield* Account.insert({ id: "a", n: 1 })
      yield* Account.insert({ id: "b", n: 1 })
      const [a, b] = [Account.ref("a"), Account.ref("b")]
      yield* Effect.scoped(Effect.gen(function*() {
        const { guard, name } = yield* Lock.acquire("x", { on: a })
        assert.strictEqual(name, "x")
        assert.isUndefined(yield* guard)
        assert.deepEqual(yield* Atomic.all([guard, a.n.increment(), b.n.increment()]), [undefined, 2, 2])
        assert.deepEqual(yield* Atomic.all([a.n.increment(), guard, b.n.increment(), guard]), [
          3,
          undefined,
          3,
          undefined
        ])
        assert.strictEqual(yield* Atomic.orElse(Atomic.andThen(guard, a.n.increment()), b.n.increment()), 4)
        const other = yield* Lock.acquire("y", { on: b })
        assert.deepEqual(yield* Atomic.all({ mine: guard, other: other.guard, n: b.n.get() }), {
          mine: undefined,
          other: undefined,
          n: 3
        })
        // a guard is a program that another fiber may run
        assert.deepEqual(
          yield* inAnotherFiber(Atomic.pipeline([guard, Atomic.andThen(guard, a.n.get())])),
          [Exit.succeed(undefined), Exit.succeed(4)]
        )
      }))
    }))

  test("once the lock is lost, a guard fails the program with LockLost wherever it is, and `orElse` runs the alternative", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      yield* Account.insert({ id: "a", n: 1 })
      yield* Account.insert({ id: "b", n: 1 })
      const [a, b] = [Account.ref("a"), Account.ref("b")]
      const lost = { model: "LockAccount", id: "a", name: "x" }
      const check = Effect.fnUntraced(function*({ guard }: Lock.EntityHandle) {
        yield* unchanged(Effect.gen(function*() {
          yield* fails(guard, "LockLost", lost)
          yield* fails(guard.pipe(Atomic.andThen(a.n.increment())), "LockLost", lost)
          yield* fails(Atomic.all([a.n.increment(), b.log.append("x"), Account.delete("b"), guard]), "LockLost", lost)
          yield* fails(a.n.increment().pipe(Atomic.andThen(guard), Atomic.ignoreMissing), "LockLost", lost)
          const [first, second] = yield* Atomic.pipeline([Atomic.andThen(a.n.increment(), guard), b.n.get()])
          assert.isTrue(Exit.isFailure(first))
          assert.deepEqual(second, Exit.succeed(1))
          // a guard in a branch that is not taken is not evaluated
          assert.deepEqual(yield* Atomic.when(guard, b.n.eq(2)), Option.none())
        }))
        const before = (yield* Account.get("a")).log.length
        assert.strictEqual(
          yield* Atomic.orElse(Atomic.all([a.n.increment(), guard, b.n.increment()]), a.log.append("else")),
          before + 1
        )
        assert.deepEqual([yield* a.n.get(), yield* b.n.get()], [1, 1])
      })
      // the lock was released
      yield* check(yield* Effect.scoped(Lock.acquire("x", { on: a })))
      // the lock was removed by another client, and then acquired by another holder
      const first = yield* Lock.acquire("x", { on: a })
      yield* raw.delete(lockOf("a", "x"))
      yield* check(first)
      const second = yield* holdLock(Lock.acquire("x", { on: a }))
      yield* check(first)
      yield* second.held.guard
      assert.isAbove(second.held.token, first.token)
      // the lease has expired
      const { [lockOf("a", "x")]: stored } = yield* raw.dump
      const entries = Object.entries(stored!.content as Readonly<Record<string, string>>)
      yield* raw.hashSet(
        lockOf("a", "x"),
        Object.fromEntries(entries.map(([owner, text]) => [owner, text.replace(/^\d+/, "1000")]))
      )
      yield* check(second.held)
    }))

  test("a release never frees the lock of another holder", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      const on = Account.ref("a")
      const first = yield* holdLock(Lock.acquire("x", { on }))
      yield* raw.delete(lockOf("a", "x"))
      const second = yield* holdLock(Lock.acquire("x", { on }))
      const waiter = yield* requestLock(Lock.acquire("x", { on }))
      yield* untilWaiting(lockOf("a", "x"), 1)
      yield* first.leave
      yield* second.held.guard
      assert.isFalse(yield* isFreeOn("a", "x"))
      yield* untilWaiting(lockOf("a", "x"), 1)
      yield* second.leave
      yield* (yield* waiter.held).guard
      yield* waiter.leave
      assert.isTrue(yield* isFreeOn("a", "x"))
    }))

  test("a holder that has released its lock no longer holds it, neither locally nor on the server", () =>
    Effect.gen(function*() {
      const on = Account.ref("a")
      const held = yield* Effect.scoped(Effect.gen(function*() {
        const held = yield* Lock.acquire("x", { on })
        yield* held.check
        yield* Effect.scoped(Lock.acquire("x", { on }))
        // the lock is held until the last of its scopes closes
        yield* held.check
        return held
      }))
      const lost = { model: "LockAccount", id: "a", name: "x" }
      yield* fails(held.guard, "LockLost", lost)
      yield* fails(held.check, "LockLost", lost)
      yield* fails(held.lost, "LockLost", lost)
      yield* fails(held.protect(Effect.die("it ran")), "LockLost", lost)
    }))
}
