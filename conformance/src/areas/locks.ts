/** Locks: who may hold one, and what that is good for. */
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
import { RawWriter } from "redlayer/testing"
import * as assert from "../assert.ts"
import { fails, together, unchanged } from "../assertions.ts"
import type { Test } from "../suite.ts"
import {
  Account,
  aMillisecond,
  entity,
  holder,
  holding,
  inAnother,
  isFree,
  isFreeOn,
  keyOf,
  lockOf,
  Own,
  untouched,
  waiting
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
  test("the second enters when the first has left, and sees what that has saved", () =>
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
      yield* waiting(lockOf("a"), 1)
      assert.deepEqual(order, ["first sees 1"])
      yield* Deferred.succeed(leave, undefined)
      assert.strictEqual((yield* Fiber.join(first)).n, 2)
      assert.strictEqual((yield* Fiber.join(second)).n, 20)
      assert.deepEqual(order, ["first sees 1", "first leaves", "second sees 2"])
      assert.isTrue(yield* isFreeOn("a"))
    }))

  test("of many who read, compute and write, each finds what the one before has written", () =>
    Effect.gen(function*() {
      yield* Account.insert({ id: "a", n: 0 })
      const { n } = Account.ref("a")
      yield* Effect.all([
        ...Array.from({ length: 25 }, () =>
          Account.withLock("a", (account) => Effect.as(Effect.yieldNow, { ...account, n: account.n + 1 }))),
        ...Array.from({ length: 25 }, () =>
          Lock.withLock(
            "",
            ({ guard }) =>
              Effect.flatMap(
                Effect.tap(n.get(), () =>
                  Effect.yieldNow),
                (found) => guard.pipe(Atomic.andThen(n.set(found + 1)))
              ),
            { on: Account.ref("a") }
          ))
      ] as ReadonlyArray<Effect.Effect<unknown, any, RedisService.RedisService>>, { concurrency: "unbounded" })
      assert.strictEqual(yield* n.get(), 50)
    }))

  test("other names and other entities don't wait", () =>
    Effect.gen(function*() {
      yield* Account.insert({ id: "a", n: 1 })
      yield* Account.insert({ id: "b", n: 2 })
      yield* holding(Lock.acquire("x"))
      yield* holding(Lock.acquire("x", { on: Account.ref("a") }))
      yield* holding(Lock.acquire("p", { mode: { permits: 1 } }))
      const now = { wait: 0 } as const
      yield* Lock.withLock("y", () => Effect.void, now)
      // a lock on an entity, and one of the same name that is on none, or on another; permits of a name, and its lock
      yield* Lock.withLock("x", () => Effect.void, { ...now, on: Account.ref("b") })
      yield* Lock.withLock("y", () => Effect.void, { ...now, on: Account.ref("a") })
      yield* Lock.withLock("x", () => Effect.void, { ...now, mode: { permits: 1 } })
      yield* Lock.withLock("p", () => Effect.void, now)
      assert.isUndefined(yield* Account.withLock("a", () => Effect.void, now))
      assert.strictEqual((yield* Account.withLock("b", (b) => Effect.succeed({ ...b, n: b.n + 1 }), now)).n, 3)
      // and those that are taken are taken
      assert.isFalse(yield* isFree("x"))
      assert.isFalse(yield* isFreeOn("a", "x"))
      assert.isFalse(yield* isFree("p", { mode: { permits: 1 } }))
    }))

  test("two names on one entity that both save: one gets a conflict, and no update is lost", () =>
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
      const exits = yield* together([save(0), save(1)])
      const failed = exits.find(Exit.isFailure)
      assert.deepEqual(exits.map(Exit.isSuccess).sort(), [false, true])
      const error = Cause.squash(failed!.cause) as DomainError.Conflict
      assert.deepEqual({ ...error }, { _tag: "Conflict", model: "LockAccount", id: "a", reason: "version" } as object)
      const found = yield* Account.get("a")
      assert.strictEqual(found.n, 2)
      assert.lengthOf(found.log, 1)
      assert.isTrue(yield* isFreeOn("a", "name 0"))
      assert.isTrue(yield* isFreeOn("a", "name 1"))
    }))

  test("names may be of any characters, and no two are one lock", () =>
    Effect.gen(function*() {
      yield* Effect.scoped(Effect.gen(function*() {
        const { held } = yield* holding(Effect.gen(function*() {
          const held: Array<Lock.Held> = []
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
      // and one key each, beside the tokens
      const { dump } = yield* RawWriter
      const keys = Object.keys(yield* dump).filter((key) => !key.endsWith(":$fence"))
      assert.strictEqual(new Set(keys).size, names.length * 4)
    }))

  test("an effect that fails, dies or is interrupted leaves the lock free, and nothing is saved", () =>
    Effect.gen(function*() {
      yield* Account.insert({ id: "a", n: 1 })
      const bug = new Error("bug")
      const inner: ReadonlyArray<Effect.Effect<never, Own>> = [
        Effect.fail(new Own({ why: "no" })),
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
        for (const exit of [yield* untouched("a", saves), yield* plain, yield* several, yield* scoped]) {
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
      const thrown = yield* untouched(
        "a",
        Effect.exit(Account.withLock("a", (): Effect.Effect<void> => {
          throw bug
        }))
      )
      assert.isTrue(Exit.isFailure(thrown) && Cause.squash(thrown.cause) === bug)
      assert.isTrue(yield* isFreeOn("a"))
    }))

  test("interrupted from outside, in the middle of the work or while it waits, it leaves nothing behind", () =>
    Effect.gen(function*() {
      const raw = yield* RawWriter
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
      yield* untouched("a", Fiber.interrupt(working))
      assert.isTrue(ended)
      assert.isTrue(yield* isFreeOn("a"))

      const first = yield* holding(Lock.acquire("x"))
      const second = yield* holder(Lock.acquire("x"))
      const third = yield* holder(Lock.acquire("x"))
      yield* waiting("$lock:{x}", 2)
      yield* second.interrupt
      yield* waiting("$lock:{x}", 1)
      yield* first.leave
      // who comes after it is not held up
      yield* (yield* Effect.as(third.held, third)).leave
      assert.isTrue(yield* isFree("x"))
      assert.deepEqual(Object.keys(yield* raw.dump).filter((key) => key.endsWith("$queue") || key === "$lock:{x}"), [])
    }))

  test("where there is no entity, or none that can be read, it fails, and the lock is free", () =>
    Effect.gen(function*() {
      const raw = yield* RawWriter
      let runs = 0
      const counted = Account.withLock("a", (account) => Effect.sync(() => (runs++, account)))
      yield* fails(counted, "EntityNotFound", { model: "LockAccount", id: "a" })
      assert.isTrue(yield* isFreeOn("a"))
      yield* Account.insert({ id: "a", n: 1 })
      yield* raw.hashSet(keyOf("a"), { n: "abc" })
      yield* untouched("a", fails(counted, "EntityCorrupted", { field: "n" }))
      assert.isTrue(yield* isFreeOn("a"))
      for (const id of ["", "\ud800", 5, undefined] as ReadonlyArray<any>) {
        yield* fails(
          Account.withLock(id, (account) => Effect.sync(() => (runs++, account))),
          "InvalidValue",
          { model: "LockAccount", field: "id" }
        )
      }
      assert.strictEqual(runs, 0)
      // deleted in the middle
      yield* raw.hashSet(keyOf("a"), { n: "1" })
      const deleting = Account.withLock("a", (account) => Effect.as(Account.delete("a"), { ...account, n: 2 }))
      yield* fails(deleting, "EntityNotFound", { id: "a" })
      assert.isFalse(yield* Account.exists("a"))
      assert.isTrue(yield* isFreeOn("a"))
    }))

  test("a lock on an entity needs none, outlives it, and is nothing of it", () =>
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
      assert.deepEqual(yield* entity("a"), {})
    }))

  test("each holder has a token greater than all before it, whatever happens to what is stored", () =>
    Effect.gen(function*() {
      const raw = yield* RawWriter
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
        yield* together(Array.from({ length: 5 }, () => take))
        yield* raw.delete(key)
        yield* take
        // the last token too: time carries on from there
        yield* aMillisecond
        yield* raw.delete(`${key}:$fence`)
        yield* take
        yield* aMillisecond
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

  test("a guard holds as long as the lock does: alone, beside writes, and for other entities too", () =>
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
        // it is a program that anyone may run
        assert.deepEqual(
          yield* inAnother(Atomic.pipeline([guard, Atomic.andThen(guard, a.n.get())])),
          [Exit.succeed(undefined), Exit.succeed(4)]
        )
      }))
    }))

  test("when the lock is lost, a guard stops the whole program, wherever it stands; orElse goes another way", () =>
    Effect.gen(function*() {
      const raw = yield* RawWriter
      yield* Account.insert({ id: "a", n: 1 })
      yield* Account.insert({ id: "b", n: 1 })
      const [a, b] = [Account.ref("a"), Account.ref("b")]
      const lost = { model: "LockAccount", id: "a", name: "x" }
      const check = Effect.fnUntraced(function*({ guard }: Lock.HeldOn) {
        yield* unchanged(Effect.gen(function*() {
          yield* fails(guard, "LockLost", lost)
          yield* fails(guard.pipe(Atomic.andThen(a.n.increment())), "LockLost", lost)
          yield* fails(Atomic.all([a.n.increment(), b.log.append("x"), Account.delete("b"), guard]), "LockLost", lost)
          yield* fails(a.n.increment().pipe(Atomic.andThen(guard), Atomic.ignoreMissing), "LockLost", lost)
          const [first, second] = yield* Atomic.pipeline([Atomic.andThen(a.n.increment(), guard), b.n.get()])
          assert.isTrue(Exit.isFailure(first))
          assert.deepEqual(second, Exit.succeed(1))
          // only what is reached
          assert.deepEqual(yield* Atomic.when(guard, b.n.eq(2)), Option.none())
        }))
        const before = (yield* Account.get("a")).log.length
        assert.strictEqual(
          yield* Atomic.orElse(Atomic.all([a.n.increment(), guard, b.n.increment()]), a.log.append("else")),
          before + 1
        )
        assert.deepEqual([yield* a.n.get(), yield* b.n.get()], [1, 1])
      })
      // given back
      yield* check(yield* Effect.scoped(Lock.acquire("x", { on: a })))
      // removed by somebody, or taken by another meanwhile
      const first = yield* Lock.acquire("x", { on: a })
      yield* raw.delete(lockOf("a", "x"))
      yield* check(first)
      const second = yield* holding(Lock.acquire("x", { on: a }))
      yield* check(first)
      yield* second.held.guard
      assert.isAbove(second.held.token, first.token)
      // its time has passed
      const { [lockOf("a", "x")]: stored } = yield* raw.dump
      const entries = Object.entries(stored!.content as Readonly<Record<string, string>>)
      yield* raw.hashSet(
        lockOf("a", "x"),
        Object.fromEntries(entries.map(([owner, text]) => [owner, text.replace(/^\d+/, "1000")]))
      )
      yield* check(second.held)
    }))

  test("a release never frees what another holds", () =>
    Effect.gen(function*() {
      const raw = yield* RawWriter
      const on = Account.ref("a")
      const first = yield* holding(Lock.acquire("x", { on }))
      yield* raw.delete(lockOf("a", "x"))
      const second = yield* holding(Lock.acquire("x", { on }))
      const waiter = yield* holder(Lock.acquire("x", { on }))
      yield* waiting(lockOf("a", "x"), 1)
      yield* first.leave
      yield* second.held.guard
      assert.isFalse(yield* isFreeOn("a", "x"))
      yield* waiting(lockOf("a", "x"), 1)
      yield* second.leave
      yield* (yield* waiter.held).guard
      yield* waiter.leave
      assert.isTrue(yield* isFreeOn("a", "x"))
    }))

  test("a holder that has given back its lock holds it no more: neither by its clock nor on the server", () =>
    Effect.gen(function*() {
      const on = Account.ref("a")
      const held = yield* Effect.scoped(Effect.gen(function*() {
        const held = yield* Lock.acquire("x", { on })
        yield* held.check
        yield* Effect.scoped(Lock.acquire("x", { on }))
        // only the last of its scopes ends it
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
