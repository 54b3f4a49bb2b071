/** `Model.withLock`: reading an entity, computing with it, and writing it back under a lock. */
import * as Effect from "effect/Effect"
import * as Atomic from "redlayer/Atomic"
import * as Lock from "redlayer/Lock"
import { RawStore } from "redlayer/testing"
import * as assert from "../assert.ts"
import { fails } from "../assertions.ts"
import type { Test } from "../suite.ts"
import { Account, entityUnchanged, inAnotherFiber, isFreeOn, keyOf, lockOf } from "../support/lockHolders.ts"

export const entityLocks = (test: Test): void => {
  test("`withLock` saves the changes that `f` returns, and `f` may return nothing and write by itself", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      yield* Account.insert({ id: "a", n: 1, log: ["l"] })
      yield* raw.hashSet(keyOf("a"), { n: "1" })
      const saved = yield* Account.withLock("a", (account, held) => {
        assert.instanceOf(account, Account)
        assert.deepEqual({ ...account }, { id: "a", n: 1, word: "", log: ["l"] })
        assert.strictEqual(held.name, "")
        return Effect.as(held.guard, new Account({ ...account, n: account.double }))
      })
      assert.instanceOf(saved, Account)
      assert.strictEqual(saved.double, 4)
      assert.deepEqual(yield* Account.get("a"), saved)
      yield* entityUnchanged("a", Account.withLock("a", (account) => Effect.succeed(account)))
      yield* entityUnchanged("a", Account.withLock("a", (account) => Effect.succeed({ ...account, log: ["l"] })))
      const nothing = yield* Account.withLock(
        "a",
        (account, { guard }) => Effect.asVoid(Atomic.andThen(guard, Account.ref("a").n.set(account.n + 1)))
      )
      assert.isUndefined(nothing)
      assert.strictEqual((yield* Account.get("a")).n, 3)
      assert.isTrue(yield* isFreeOn("a"))
      for (const change of [{ n: -1 }, { n: "1" }, { id: "b" }, { log: null }] as ReadonlyArray<any>) {
        yield* entityUnchanged(
          "a",
          fails(
            Account.withLock("a", (account) => Effect.succeed({ ...account, word: "w", ...change })),
            "InvalidValue",
            { model: "LockAccount", id: "a" }
          )
        )
        assert.isTrue(yield* isFreeOn("a"))
      }
    }))

  test("if another program wrote meanwhile, `withLock` fails with Conflict if it has changes to save, and succeeds otherwise", () =>
    Effect.gen(function*() {
      yield* Account.insert({ id: "a", n: 1 })
      const { log, n } = Account.ref("a")
      let runs = 0
      const save = Account.withLock("a", (account) =>
        Effect.gen(function*() {
          runs++
          yield* log.append("other")
          return { ...account, n: 9 }
        }))
      yield* fails(save, "Conflict", { model: "LockAccount", id: "a", reason: "version" })
      assert.strictEqual(runs, 1)
      assert.deepEqual({ ...(yield* Account.get("a")) }, { id: "a", n: 1, word: "", log: ["other"] })
      assert.isTrue(yield* isFreeOn("a"))
      // writes of `f` itself count as another program's
      yield* fails(
        Account.withLock(
          "a",
          (account, { guard }) => Effect.as(Atomic.andThen(guard, n.increment()), { ...account, word: "w" })
        ),
        "Conflict"
      )
      yield* Account.withLock("a", (account) => Effect.as(n.increment(), account))
      yield* Account.withLock("a", () => Effect.asVoid(n.increment()))
      assert.deepEqual({ ...(yield* Account.get("a")) }, { id: "a", n: 4, word: "", log: ["other"] })
    }))

  test("`withLock` saves nothing once its lock is lost, even if the loss is not detected yet", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      yield* Account.insert({ id: "a", n: 1 })
      const lost = { model: "LockAccount", id: "a", name: "" }
      const remove = raw.delete(lockOf("a"))
      const saving = Account.withLock("a", (account) => Effect.as(remove, { ...account, n: 9 }))
      yield* entityUnchanged("a", fails(saving, "LockLost", lost))
      const writing = Account.withLock(
        "a",
        (_, { guard }) => Effect.andThen(remove, Effect.asVoid(Atomic.andThen(Account.ref("a").n.set(9), guard)))
      )
      yield* entityUnchanged("a", fails(writing, "LockLost", lost))
      // another holder has acquired the lock and saved
      const overtaken = Account.withLock("a", (account) =>
        Effect.gen(function*() {
          yield* remove
          yield* inAnotherFiber(Account.withLock("a", (account) => Effect.succeed({ ...account, n: account.n + 1 })))
          return { ...account, n: 9 }
        }))
      yield* fails(overtaken, "LockLost", lost)
      assert.strictEqual((yield* Account.get("a")).n, 2)
      assert.isTrue(yield* isFreeOn("a"))
    }))

  test("an error of `f` keeps its own details, even if it is an error of another lock", () =>
    Effect.gen(function*() {
      yield* Account.insert({ id: "a", n: 1 })
      const held = yield* Lock.acquire("mine")
      const taken = Lock.withLock("mine", () => Effect.void, { wait: 0 })
      yield* fails(
        Lock.withLock("x", () => inAnotherFiber(taken)),
        "LockTimeout",
        { name: "mine" }
      )
      yield* fails(Account.withLock("a", (account) => Effect.as(inAnotherFiber(taken), account)), "LockTimeout", {
        name: "mine"
      })
      assert.isFalse(yield* Effect.isFailure(held.check).pipe(Effect.catch(() => Effect.succeed(true))))
    }))
}
