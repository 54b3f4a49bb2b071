/** Locks: who may hold them, who waits for them and how long, and what happens where one is lost. */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Atomic from "../../../Atomic.ts"
import type * as DomainError from "../../../DomainError.ts"
import * as Lock from "../../../Lock.ts"
import * as Model from "../../../Model.ts"
import type * as RedisService from "../../../RedisService.ts"
import type * as RedisServiceError from "../../../RedisServiceError.ts"
import { RawWriter } from "../../../testing.ts"
import * as assert from "./assert.ts"
import { eventually, fails, together, unchanged } from "./assertions.ts"
import type { Env, Test } from "./suite.ts"

class Account extends Model.Class<Account>("LockAccount")({
  id: Schema.String,
  n: Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)),
  word: Schema.String.pipe(Model.withDefault("")),
  log: Schema.Array(Schema.String).pipe(Model.withDefault([]))
}, { key: "id" }) {
  get double() {
    return this.n * 2
  }
}

const keyOf = (id: string) => `LockAccount:{${id}}`
const lockOf = (id: string, name = "") => `${keyOf(id)}:$lock:${name}`

class Own extends Data.TaggedError("Own")<{ readonly why: string }> {}

type Failure = DomainError.InvalidValue | DomainError.LockTimeout | RedisServiceError.RedisServiceError

/** In a fiber of its own, which holds nothing. */
const inAnother = <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.flatMap(Effect.forkChild(self), Fiber.join)

const isFree = (name: string, options?: Lock.Options & { readonly on?: Lock.Reference }) =>
  inAnother(Effect.scoped(Effect.map(Lock.tryAcquire(name, options as Lock.Options), Option.isSome)))

const isFreeOn = (id: string, name = "") => isFree(name, { on: Account.ref(id) })

/** Another fiber that holds it until it is told to let go. */
const holder = Effect.fnUntraced(function*<A, E, R>(acquire: Effect.Effect<A, E, R>) {
  const taken = yield* Deferred.make<A, E>()
  const done = yield* Deferred.make<void>()
  const fiber = yield* Effect.forkChild(Effect.scoped(
    Effect.gen(function*() {
      yield* Effect.onExit(
        Effect.tap(acquire, (held) => Deferred.succeed(taken, held)),
        (exit) => Deferred.done(taken, exit)
      )
      yield* Deferred.await(done)
    })
  ))
  return {
    held: Deferred.await(taken),
    leave: Effect.andThen(Deferred.succeed(done, undefined), Fiber.join(fiber)),
    interrupt: Fiber.interrupt(fiber)
  }
})

/** The same, once it holds it. */
const holding = Effect.fnUntraced(function*<A, E, R>(acquire: Effect.Effect<A, E, R>) {
  const other = yield* holder(acquire)
  return { ...other, held: yield* other.held }
})

/** Until the next millisecond: in memory, who come in one are in no order, and have one time. */
const aMillisecond = Effect.flatMap(
  Clock.currentTimeMillis,
  (begun) => eventually(Effect.map(Clock.currentTimeMillis, (now) => now > begun))
)

/** Until so many wait for it, and who comes next comes later. */
const waiting = (key: string, count: number) =>
  eventually(Effect.gen(function*() {
    const raw = yield* RawWriter
    const queue = (yield* raw.dump)[`${key}:$queue`]?.content ?? []
    return queue.length === count * 2
  })).pipe(Effect.andThen(aMillisecond))

const entity = Effect.fnUntraced(function*(id: string) {
  const raw = yield* RawWriter
  return Object.fromEntries(
    Object.entries(yield* raw.dump).filter(([key]) => key.startsWith(keyOf(id)) && !key.includes("$"))
  )
})

/** Asserts that nothing of the entity changes, whatever becomes of its locks. */
const untouched = Effect.fnUntraced(function*<A, E, R>(id: string, self: Effect.Effect<A, E, R>) {
  const before = yield* entity(id)
  const result = yield* self
  assert.deepEqual(yield* entity(id), before)
  return result
})

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

/** @internal */
export const locks = (test: Test): void => {
  // -------------------------------------------------------------------------------------------------------------------
  // one at a time
  // -------------------------------------------------------------------------------------------------------------------

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

  // -------------------------------------------------------------------------------------------------------------------
  // however it ends
  // -------------------------------------------------------------------------------------------------------------------

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

  // -------------------------------------------------------------------------------------------------------------------
  // tokens and guards
  // -------------------------------------------------------------------------------------------------------------------

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

  // -------------------------------------------------------------------------------------------------------------------
  // leases
  // -------------------------------------------------------------------------------------------------------------------

  test("it is renewed as long as it is held", () =>
    Effect.gen(function*() {
      const raw = yield* RawWriter
      const on = Account.ref("a")
      const lease = 1000
      const held = yield* Lock.acquire("x", { on, lease })
      const till = Effect.map(raw.dump, ({ [lockOf("a", "x")]: stored }) =>
        Math.max(
          ...Object.values(stored!.content).map((text) => Number(text.split(" ")[0]))
        ))
      const begun = yield* till
      // two leases later than it would have ended
      yield* eventually(Effect.map(till, (now) => now > begun + 2 * lease))
      yield* held.check
      yield* held.guard
      assert.isFalse(yield* isFreeOn("a", "x"))
    }))

  test("a holder that has died holds it for its lease and no longer", () =>
    Effect.gen(function*() {
      const raw = yield* RawWriter
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

  test("one that somebody has removed is found lost within a third of its lease, and what it protects is interrupted", () =>
    Effect.gen(function*() {
      const raw = yield* RawWriter
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
      assert.deepEqual({ ...(yield* bound(Fiber.join(telling))) }, { _tag: "LockLost", ...lost } as object)
      assert.deepEqual({ ...(yield* bound(Fiber.join(protecting))) }, { _tag: "LockLost", ...lost } as object)
      assert.deepEqual(events, ["protect interrupted"])
      yield* fails(held.check, "LockLost", lost)
      yield* fails(held.guard, "LockLost", lost)
      yield* fails(held.protect(Effect.die("it ran")), "LockLost", lost)

      const removing = Effect.andThen(remove, stays("withLock"))
      yield* fails(bound(Lock.withLock("x", () => removing, options)), "LockLost", lost)
      yield* fails(
        bound(Lock.withLocks(["other", { name: "x", on }], () => removing, { lease: 600 })),
        "LockLost",
        lost
      )
      assert.isTrue(yield* isFree("other"))
      const saving = Account.withLock("a", (account) => Effect.as(removing, { ...account, n: 5 }), {
        name: "x",
        lease: 600
      })
      yield* untouched("a", fails(bound(saving), "LockLost", lost))
      assert.deepEqual(events, ["protect interrupted", ...Array.from({ length: 3 }, () => "withLock interrupted")])
      assert.isTrue(yield* isFreeOn("a", "x"))
    }))

  // -------------------------------------------------------------------------------------------------------------------
  // waiting
  // -------------------------------------------------------------------------------------------------------------------

  test("it waits as long as it may, and then says so", () =>
    Effect.gen(function*() {
      yield* holding(Lock.acquire("x"))
      yield* holding(Lock.acquire("x", { on: Account.ref("a") }))
      for (const wait of [0, "1 millis", "60 millis", Duration.millis(120.5)] as const) {
        const millis = Duration.toMillis(Duration.fromInputUnsafe(wait))
        const begun = yield* Clock.currentTimeMillis
        yield* fails(Lock.withLock("x", () => Effect.die("it ran"), { wait }), "LockTimeout", {
          model: "",
          id: "",
          name: "x"
        })
        // of whole milliseconds
        assert.isAtLeast(yield* Clock.currentTimeMillis, begun + Math.floor(millis) - 1)
        yield* fails(Effect.scoped(Lock.acquire("x", { wait, on: Account.ref("a") })), "LockTimeout", {
          model: "LockAccount",
          id: "a",
          name: "x"
        })
        yield* fails(Effect.scoped(Lock.acquireAll(["x", "y"], { wait })), "LockTimeout", { name: "x" })
        assert.isTrue(yield* isFree("y"))
      }
      const raw = yield* RawWriter
      yield* eventually(Effect.map(raw.dump, (dump) => !Object.keys(dump).some((key) => key.endsWith(":$queue"))))
      yield* Account.insert({ id: "a", n: 1 })
      yield* fails(
        Account.withLock("a", () => Effect.die("it ran"), { name: "x", wait: 0 }),
        "LockTimeout",
        { model: "LockAccount", id: "a", name: "x" }
      )
    }))

  test("who waits without a limit gets it", () =>
    Effect.gen(function*() {
      const first = yield* holding(Lock.acquire("x", { wait: Duration.infinity }))
      const second = yield* holder(Lock.acquire("x", { wait: Duration.infinity }))
      yield* waiting("$lock:{x}", 1)
      yield* first.leave
      assert.isAbove((yield* second.held).token, first.held.token)
    }))

  test("tryAcquire takes it where it is free, and says none where it isn't", () =>
    Effect.gen(function*() {
      const raw = yield* RawWriter
      yield* Effect.scoped(Effect.gen(function*() {
        const held = Option.getOrThrow(yield* Lock.tryAcquire("x", { on: Account.ref("a") }))
        yield* held.guard
        assert.isFalse(yield* isFreeOn("a", "x"))
        // its own wait counts for nothing
        const again = Lock.tryAcquire("x", { on: Account.ref("a"), wait: Duration.infinity })
        assert.isTrue(Option.isNone(yield* inAnother(Effect.scoped(again))))
        assert.isFalse(Object.keys(yield* raw.dump).some((key) => key.endsWith(":$queue")))
      }))
      assert.isTrue(yield* isFreeOn("a", "x"))
    }))

  test("those who wait get it in the order in which they came, each once", () =>
    Effect.gen(function*() {
      const order: Array<number> = []
      const first = yield* holding(Lock.acquire("x"))
      const fibers: Array<Fiber.Fiber<unknown, unknown>> = []
      for (let i = 0; i < 8; i++) {
        fibers.push(yield* Effect.forkChild(Lock.withLock("x", () => Effect.sync(() => order.push(i)))))
        yield* waiting("$lock:{x}", i + 1)
      }
      yield* first.leave
      for (const fiber of fibers) yield* Fiber.join(fiber)
      assert.deepEqual(order, [0, 1, 2, 3, 4, 5, 6, 7])
      assert.isTrue(yield* isFree("x"))
    }))

  // -------------------------------------------------------------------------------------------------------------------
  // several
  // -------------------------------------------------------------------------------------------------------------------

  test("several are taken together, and given in the order in which they were named", () =>
    Effect.gen(function*() {
      const on = Account.ref("a")
      yield* Effect.scoped(Effect.gen(function*() {
        const [z, a, onEntity, again] = yield* Lock.acquireAll(["z", "a", { name: "m", on }, "z", { name: "b" }])
        assert.deepEqual([z.name, a.name, onEntity.name, again.name], ["z", "a", "m", "z"])
        yield* onEntity.guard
        // one that is named twice is taken once
        assert.strictEqual(again.token, z.token)
        for (const name of ["z", "a", "b"]) assert.isFalse(yield* isFree(name), name)
        assert.isFalse(yield* isFreeOn("a", "m"))
      }))
      for (const name of ["z", "a", "b"]) assert.isTrue(yield* isFree(name), name)
      assert.isTrue(yield* isFreeOn("a", "m"))
      assert.deepEqual(yield* Effect.scoped(Lock.acquireAll([])), [])
      assert.strictEqual(yield* Lock.withLocks([], () => Effect.succeed(1)), 1)
      // permits too
      const permits = { mode: { permits: 1 }, wait: 0 } as const
      const tokens = yield* Lock.withLocks(["p", "q", "p"], (held) =>
        Effect.succeed(held.map(({ token }) => token)), permits)
      assert.strictEqual(tokens[0], tokens[2])
      assert.isTrue(yield* isFree("p", permits))
    }))

  test("where one of several can't be had, none is kept; the time to wait is for all together", () =>
    Effect.gen(function*() {
      const other = yield* holding(Lock.acquire("m"))
      for (const targets of [["a", "m", "z"], ["z", "m", "a"], ["m"]]) {
        yield* fails(Effect.scoped(Lock.acquireAll(targets, { wait: "30 millis" })), "LockTimeout", { name: "m" })
        yield* fails(Lock.withLocks(targets, () => Effect.die("it ran"), { wait: 0 }), "LockTimeout", { name: "m" })
      }
      // the scope that it was to be held in may go on
      yield* Effect.scoped(Effect.gen(function*() {
        yield* fails(Lock.acquireAll(["a", "m", "z"], { wait: 0 }), "LockTimeout")
        for (const name of ["a", "z"]) assert.isTrue(yield* isFree(name), name)
      }))
      for (const [targets, field] of [[["a", "", "z"], ""], [["a", { name: "z", on: {} }], ""]] as const) {
        yield* fails(Effect.scoped(Lock.acquireAll(targets)), "InvalidValue", { field })
        assert.isTrue(yield* isFree("a"))
      }
      // in one order: whoever waits for one has none of those after it
      for (const targets of [["z", "m"], ["m", "z"]]) {
        const waiter = yield* holder(Lock.acquireAll(targets))
        yield* waiting("$lock:{m}", 1)
        assert.isTrue(yield* isFree("z"))
        yield* waiter.interrupt
        yield* waiting("$lock:{m}", 0)
      }
      // interrupted while it waits for the second
      const waiter = yield* holder(Lock.acquireAll(["a", "m"]))
      yield* waiting("$lock:{m}", 1)
      assert.isFalse(yield* isFree("a"))
      yield* waiter.interrupt
      yield* eventually(isFree("a"))
      yield* other.leave
      assert.isTrue(yield* isFree("m"))
    }))

  test("from A to B and from B to A, 200 times at once: the total stays, and nobody waits for ever; A to A is fine", () =>
    Effect.gen(function*() {
      const ids = ["a", "b", "c"]
      for (const id of ids) yield* Account.insert({ id, n: 1000 })
      // read here and written there, which only the locks make safe
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
      yield* together(Array.from({ length: 200 }, (_, i) => {
        const [from, to] = [["a", "b"], ["b", "a"], ["a", "a"], ["b", "c"], ["c", "a"]][i % 5]!
        return transfer(from!, to!)
      }))
      // each gives what it gets: 40 to and from B, and 40 from A beside the 80 to it
      assert.deepEqual(
        (yield* Effect.forEach(ids, (id) => Account.get(id))).map(({ n }) => n),
        [1000 - 40 + 40 + 40, 1000 + 40 - 40 - 40, 1000 + 40 - 40]
      )
      for (const id of ids) assert.isTrue(yield* isFreeOn(id))
    }))

  // -------------------------------------------------------------------------------------------------------------------
  // again by the same
  // -------------------------------------------------------------------------------------------------------------------

  test("the fiber that holds it takes it again at once, and it ends with the last of its scopes", () =>
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
        // in what it runs in sequence, too
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
      // the first scope may close before the second
      yield* Effect.scoped(Effect.gen(function*() {
        const first = yield* Effect.scoped(Effect.gen(function*() {
          yield* Lock.acquire("y")
          return "first"
        }))
        assert.strictEqual(first, "first")
        assert.isTrue(yield* isFree("y"))
      }))
    }))

  test("so does what it runs in sequence under other locks", () =>
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
              yield* fails(inAnother(tokenOf("x")), "LockTimeout", { name: "x" })
            }))
          yield* three
          // it has given them back
          for (const name of ["y", "z"]) assert.isTrue(yield* isFree(name), name)
        }))
      // who protects holds nothing of another's
      const other = yield* holding(Lock.acquire("x"))
      const mine = yield* Lock.acquire("y")
      yield* fails(mine.protect(tokenOf("x")), "LockTimeout", { name: "x" })
      yield* fails(other.held.protect(inAnother(tokenOf("y"))), "LockTimeout", { name: "y" })
      yield* other.held.protect(tokenOf("y"))
    }))

  test("a forked fiber is another, and waits; it may be given what is held", () =>
    Effect.gen(function*() {
      const on = Account.ref("a")
      yield* Account.insert({ id: "a", n: 1 })
      const now = { on, wait: 0 } as const
      yield* Lock.withLock("x", (held) =>
        Effect.gen(function*() {
          const again = Lock.withLock("x", () => Effect.void, now)
          yield* fails(inAnother(again), "LockTimeout", { name: "x" })
          const exits = yield* together([Effect.exit(again), Effect.exit(again)])
          assert.deepEqual(exits.map(Exit.isSuccess), [false, false])
          // in sequence it is the same fiber
          yield* Effect.all([again, again])
          yield* Effect.forEach([1, 2], () => again)
          assert.strictEqual(yield* inAnother(Atomic.andThen(held.guard, on.n.increment())), 2)
          // what it protects holds the lock, while it runs
          yield* inAnother(held.protect(again))
          yield* fails(inAnother(Effect.andThen(held.protect(Effect.void), again)), "LockTimeout")
        }), { on })
      assert.isTrue(yield* isFreeOn("a", "x"))
    }))

  test("the whole of it is as good as a share; a share is not the whole, and a lost one is not held", () =>
    Effect.gen(function*() {
      const raw = yield* RawWriter
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

  // -------------------------------------------------------------------------------------------------------------------
  // shares and permits
  // -------------------------------------------------------------------------------------------------------------------

  test("any number share it; who wants the whole waits for all of them, and nobody who comes later passes", () =>
    Effect.gen(function*() {
      const shared = { mode: "shared" } as const
      const order: Array<string> = []
      const readers = [yield* holding(Lock.acquire("x", shared)), yield* holding(Lock.acquire("x", shared))]
      assert.isTrue(yield* isFree("x", shared))
      assert.isFalse(yield* isFree("x"))
      const enter = (name: string, options?: Lock.Options) =>
        holder(Effect.tap(Lock.acquire("x", options), () => Effect.sync(() => order.push(name))))
      const writer = yield* enter("writer")
      yield* waiting("$lock:{x}", 1)
      const late = yield* enter("late reader", shared)
      yield* waiting("$lock:{x}", 2)
      const later = yield* enter("later reader", shared)
      yield* waiting("$lock:{x}", 3)
      // neither do those who don't wait
      assert.isFalse(yield* isFree("x", shared))
      yield* readers[0]!.leave
      assert.isFalse(yield* isFree("x", shared))
      assert.deepEqual(order, [])
      yield* readers[1]!.leave
      yield* writer.held
      assert.deepEqual(order, ["writer"])
      assert.isFalse(yield* isFree("x", shared))
      yield* writer.leave
      // both of them, though neither leaves
      yield* late.held
      yield* later.held
      assert.deepEqual(order.slice().sort(), ["late reader", "later reader", "writer"])
      assert.isFalse(yield* isFree("x"))
      yield* late.leave
      yield* later.leave
      assert.isTrue(yield* isFree("x"))
    }))

  test("a writer that gives up lets the readers behind it in", () =>
    Effect.gen(function*() {
      const shared = { mode: "shared" } as const
      yield* holding(Lock.acquire("x", shared))
      const writer = yield* holder(Lock.acquire("x"))
      yield* waiting("$lock:{x}", 1)
      const reader = yield* holder(Lock.acquire("x", { ...shared, wait: "1 minute" }))
      yield* waiting("$lock:{x}", 2)
      yield* writer.interrupt
      yield* reader.held
    }))

  test("writers and readers by turns: a writer is alone, and none of them waits for ever", () =>
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
      yield* together(Array.from({ length: 60 }, (_, i) => enter(i % 4 === 0)))
      assert.deepEqual([entered, wrong], [60, []])
      assert.isTrue(yield* isFree("x"))
    }))

  test("so many hold a permit as there are, and each is counted", () =>
    Effect.gen(function*() {
      const three = { mode: { permits: 3 }, wait: 0 } as const
      const others = [
        yield* holding(Lock.acquire("x", three)),
        yield* holding(Lock.acquire("x", three)),
        yield* holding(Lock.acquire("x", three))
      ]
      assert.strictEqual(new Set(others.map(({ held }) => held.token)).size, 3)
      yield* fails(Effect.scoped(Lock.acquire("x", three)), "LockTimeout", { name: "x" })
      const waiter = yield* holder(Lock.acquire("x", { mode: { permits: 3 } }))
      yield* waiting("$permits:{x}", 1)
      yield* others[1]!.leave
      yield* waiter.held
      assert.isFalse(yield* isFree("x", three))
      for (const { leave } of [others[0]!, others[2]!, waiter]) yield* leave
      // by one fiber too
      yield* Effect.scoped(Effect.gen(function*() {
        for (let i = 0; i < 3; i++) yield* Lock.acquire("x", three)
        assert.isTrue(Option.isNone(yield* Lock.tryAcquire("x", three)))
        // who says that there are more, finds one
        assert.isTrue(Option.isSome(yield* Effect.scoped(Lock.tryAcquire("x", { mode: { permits: 4 } }))))
      }))
      assert.isTrue(yield* isFree("x", three))
      let [inside, most, done] = [0, 0, 0]
      const full = yield* Deferred.make<void>()
      yield* together(Array.from({ length: 20 }, () =>
        Lock.withLock("x", () =>
          Effect.gen(function*() {
            inside++
            most = Math.max(most, inside)
            if (inside === 3) yield* Deferred.succeed(full, undefined)
            // three do get in
            yield* Deferred.await(full)
            yield* Effect.yieldNow
            inside--
            done++
          }), { mode: { permits: 3 }, wait: "1 minute" })))
      assert.deepEqual([most, done, inside], [3, 20, 0])
    }))

  // -------------------------------------------------------------------------------------------------------------------
  // what is refused
  // -------------------------------------------------------------------------------------------------------------------

  test("a name, a lease, a wait, a mode or an entity that can't be is refused, and nothing is sent", () =>
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
            // of a `wait`, which counts for nothing there, nothing is said
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
      // the least there may be, though so short a lease may end before the reply is there
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

  // -------------------------------------------------------------------------------------------------------------------
  // entities under a lock
  // -------------------------------------------------------------------------------------------------------------------

  test("it saves what f gives, and only what that has changed; f may give nothing, and write by itself", () =>
    Effect.gen(function*() {
      const raw = yield* RawWriter
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
      yield* untouched("a", Account.withLock("a", (account) => Effect.succeed(account)))
      yield* untouched("a", Account.withLock("a", (account) => Effect.succeed({ ...account, log: ["l"] })))
      const nothing = yield* Account.withLock(
        "a",
        (account, { guard }) => Effect.asVoid(Atomic.andThen(guard, Account.ref("a").n.set(account.n + 1)))
      )
      assert.isUndefined(nothing)
      assert.strictEqual((yield* Account.get("a")).n, 3)
      assert.isTrue(yield* isFreeOn("a"))
      for (const change of [{ n: -1 }, { n: "1" }, { id: "b" }, { log: null }] as ReadonlyArray<any>) {
        yield* untouched(
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

  test("what others have written meanwhile is a conflict where it saves, and none where it doesn't", () =>
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
      // its own writes are others' too
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

  test("one that has lost its lock saves nothing, though nobody has told it yet", () =>
    Effect.gen(function*() {
      const raw = yield* RawWriter
      yield* Account.insert({ id: "a", n: 1 })
      const lost = { model: "LockAccount", id: "a", name: "" }
      const remove = raw.delete(lockOf("a"))
      const saving = Account.withLock("a", (account) => Effect.as(remove, { ...account, n: 9 }))
      yield* untouched("a", fails(saving, "LockLost", lost))
      const writing = Account.withLock("a", (_, { guard }) =>
        Effect.andThen(remove, Effect.asVoid(Atomic.andThen(Account.ref("a").n.set(9), guard))))
      yield* untouched("a", fails(writing, "LockLost", lost))
      // another has it by then, and saves
      const overtaken = Account.withLock("a", (account) =>
        Effect.gen(function*() {
          yield* remove
          yield* inAnother(Account.withLock("a", (account) =>
            Effect.succeed({ ...account, n: account.n + 1 })))
          return { ...account, n: 9 }
        }))
      yield* fails(overtaken, "LockLost", lost)
      assert.strictEqual((yield* Account.get("a")).n, 2)
      assert.isTrue(yield* isFreeOn("a"))
    }))

  test("an error of f's own is its own, though it looks like one of the lock", () =>
    Effect.gen(function*() {
      yield* Account.insert({ id: "a", n: 1 })
      const held = yield* Lock.acquire("mine")
      const taken = Lock.withLock("mine", () => Effect.void, { wait: 0 })
      yield* fails(
        Lock.withLock("x", () => inAnother(taken)),
        "LockTimeout",
        { name: "mine" }
      )
      yield* fails(Account.withLock("a", (account) => Effect.as(inAnother(taken), account)), "LockTimeout", {
        name: "mine"
      })
      assert.isFalse(yield* Effect.isFailure(held.check).pipe(Effect.catch(() => Effect.succeed(true))))
    }))
}
