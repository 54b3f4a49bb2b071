/** Composition of programs: results, depth, length, and programs that need no round trip. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Atomic from "redlayer/Atomic"
import * as RedisService from "redlayer/RedisService"
import * as assert from "../assert.ts"
import { concurrently, fails, type Operation, unchanged } from "../assertions.ts"
import type { Test } from "../suite.ts"
import { Account, account, countingService } from "./transactions.ts"

export const composition = (test: Test): void => {
  test("`all` returns a tuple, an array or a record of the results, in order, in one round trip", () =>
    Effect.gen(function*() {
      yield* Account.insert(account("a"))
      const { coins } = Account.ref("a")
      const { seen, service } = yield* countingService
      const run = <A, E>(program: Atomic.Atomic<A, E>) =>
        Effect.provideService(program, RedisService.RedisService, service)
      assert.deepEqual(yield* run(Atomic.all([coins.increment(), coins.get(), Atomic.succeed("x")])), [11, 11, "x"])
      assert.deepEqual(yield* run(Atomic.all({ b: coins.increment(), a: coins.increment() })), { b: 12, a: 13 })
      assert.deepEqual(yield* run(Atomic.all(["a", "b"].map(() => coins.increment()))), [14, 15])
      assert.deepEqual(
        yield* run(
          Atomic.all({ in: Atomic.all([coins.increment(), Atomic.all({ x: coins.get() })]), out: coins.get() })
        ),
        { in: [16, { x: 16 }], out: 16 }
      )
      assert.deepEqual(seen, { programs: 4, instructions: 9 })
      const odd = yield* run(Atomic.all({ ["__proto__"]: coins.get(), constructor: coins.get(), "": coins.get() }))
      assert.deepEqual(Object.keys(odd), ["__proto__", "constructor", ""])
      assert.strictEqual(Object.getPrototypeOf(odd), Object.prototype)
      for (const name of ["0", "1", "42"]) {
        assert.throws(() => Atomic.all({ [name]: coins.get(), a: coins.get() } as never), /order/)
      }
      for (const name of ["01", "-1", "1.5", " 1"]) {
        const record: { readonly [name: string]: Atomic.Atomic<number, unknown> } = { [name]: coins.get() }
        assert.deepEqual(yield* Atomic.all(record), { [name]: 16 })
      }
    }))

  test("a program without instructions needs no round trip", () =>
    Effect.gen(function*() {
      const nowhere = RedisService.RedisService.of({
        execute: () => Effect.die("a round trip"),
        ...{} as Omit<RedisService.RedisService["Service"], "execute">
      })
      const run = <A, E>(program: Atomic.Atomic<A, E>) =>
        Effect.provideService(program, RedisService.RedisService, nowhere)
      assert.strictEqual(yield* run(Atomic.succeed(5)), 5)
      assert.strictEqual(yield* run(Atomic.succeed(5).pipe(Atomic.map((n) => n + 1))), 6)
      assert.deepEqual(yield* run(Atomic.all([])), [])
      assert.deepEqual(yield* run(Atomic.all({})), {})
      assert.deepEqual(yield* run(Atomic.all([Atomic.succeed(1), Atomic.succeed("a")])), [1, "a"])
      assert.strictEqual(yield* run(Atomic.andThen(Atomic.succeed(1), Atomic.as(Atomic.succeed(2), 3))), 3)
      // a program that is refused is not sent
      yield* fails(run(Account.ref("").coins.increment()), "InvalidValue")
      yield* fails(run(Atomic.all([Account.exists("a"), Account.ref("a").coins.set(-1)])), "InvalidValue")
      const sent = yield* Effect.exit(run(Account.exists("a")))
      assert.isTrue(Exit.isFailure(sent) && Cause.hasDies(sent.cause))
    }))

  test("`map` and `as` transform the result after the commit, in both argument orders", () =>
    Effect.gen(function*() {
      yield* Account.insert(account("a"))
      const { coins } = Account.ref("a")
      let calls = 0
      const mapped = Atomic.map(coins.increment(), (n) => {
        calls++
        return n * 10
      })
      assert.strictEqual(calls, 0)
      assert.strictEqual(yield* mapped, 110)
      assert.strictEqual(yield* mapped, 120)
      assert.strictEqual(calls, 2)
      assert.strictEqual(yield* coins.get().pipe(Atomic.map((n) => n + 1), Atomic.map(String)), "13")
      assert.strictEqual(yield* coins.increment().pipe(Atomic.as("done")), "done")
      assert.strictEqual(yield* Atomic.as(coins.increment(), undefined), undefined)
      assert.strictEqual(yield* Atomic.commit(coins.get()), 14)
      // the function is not called if the program failed
      yield* fails(Atomic.map(coins.divide(0), () => calls++), "ArithmeticError")
      assert.strictEqual(calls, 2)
      // an exception of the function is a defect, and the commit stands
      const exit = yield* Effect.exit(Atomic.map(coins.increment(), (): number => {
        throw new RangeError("mine")
      }))
      assert.isTrue(Exit.isFailure(exit) && Cause.hasDies(exit.cause))
      assert.strictEqual(yield* coins.get(), 15)
      const all = yield* Effect.exit(Atomic.all([
        coins.increment(),
        Atomic.map(Atomic.succeed(1), (): number => {
          throw new RangeError("mine")
        })
      ]))
      assert.isTrue(Exit.isFailure(all) && Cause.hasDies(all.cause))
      assert.strictEqual(yield* coins.get(), 16)
    }))

  test("`andThen` returns the second result, in both argument orders", () =>
    Effect.gen(function*() {
      yield* Account.insert(account("a"))
      const { coins, name } = Account.ref("a")
      assert.strictEqual(yield* coins.increment().pipe(Atomic.andThen(name.append("x"))), 1)
      assert.strictEqual(yield* Atomic.andThen(coins.increment(), coins.get()), 12)
      assert.strictEqual(yield* Atomic.andThen(Atomic.succeed("a"), coins.get()), 12)
      assert.strictEqual(yield* Atomic.andThen(coins.increment(), Atomic.succeed("b")), "b")
      yield* unchanged(fails(Atomic.andThen(coins.increment(), coins.divide(0)), "ArithmeticError"))
      yield* unchanged(fails(Atomic.andThen(coins.divide(0), coins.increment()), "ArithmeticError"))
    }))

  test("a program is a value: it runs each time it is yielded and keeps no state between runs", () =>
    Effect.gen(function*() {
      yield* Account.insert(account("a", 0))
      const { coins } = Account.ref("a")
      const one = coins.increment()
      const three = Atomic.all([one, one, one])
      assert.deepEqual(yield* three, [1, 2, 3])
      assert.deepEqual(yield* three, [4, 5, 6])
      assert.strictEqual(yield* one, 7)
      const results = yield* concurrently(Array.from({ length: 100 }, () => three))
      assert.strictEqual(yield* coins.get(), 307)
      for (const [a, b, c] of results) assert.deepEqual([b, c], [a + 1, a + 2])
      // `Effect.all` of programs commits each of them separately
      const exits = yield* Effect.all([Effect.exit(coins.increment()), Effect.exit(coins.divide(0))])
      assert.deepEqual(exits.map(Exit.isSuccess), [true, false])
      assert.strictEqual(yield* coins.get(), 308)
      assert.isTrue(Atomic.isAtomic(one))
      assert.isFalse(Atomic.isAtomic(Effect.succeed(1)))
      assert.isTrue(Effect.isEffect(one))
    }))

  test("a program may be as deep or as long as the instruction limit allows", () =>
    Effect.gen(function*() {
      yield* Account.insert(account("a", 0))
      const { coins } = Account.ref("a")
      let left: Atomic.Atomic<number, any> = coins.increment()
      for (let i = 1; i < 10_000; i++) left = left.pipe(Atomic.andThen(coins.increment()))
      assert.strictEqual(yield* left, 10_000)
      let right: Atomic.Atomic<number, any> = coins.increment()
      for (let i = 1; i < 10_000; i++) right = Atomic.andThen(coins.increment(), right)
      assert.strictEqual(yield* right, 20_000)
      let mapped: Atomic.Atomic<number, any> = coins.get()
      for (let i = 0; i < 10_000; i++) mapped = Atomic.map(mapped, (n) => n + 1)
      assert.strictEqual(yield* mapped, 30_000)
      let nested: Operation = coins.increment()
      for (let i = 0; i < 10_000; i++) nested = Atomic.all([nested])
      let result: any = yield* nested
      for (let i = 0; i < 10_000; i++) result = result[0]
      assert.strictEqual(result, 20_001)
      assert.deepEqual(
        yield* Atomic.all(Array.from({ length: 10_000 }, () => coins.increment())),
        Array.from({ length: 10_000 }, (_, i) => 20_002 + i)
      )
      const many = yield* Atomic.all(
        Array.from({ length: 2_000 }, (_, i) => Account.insert({ ...account(`new${i}`, i), log: [] }))
      )
      assert.strictEqual(many[1999].coins, 1999)
      assert.strictEqual(yield* Account.ref("new1999").coins.get(), 1999)
    }))

  test("a program of 32,768 instructions is accepted and one of 32,769 is refused", () =>
    Effect.gen(function*() {
      yield* Account.insert(account("a", 0))
      const { coins } = Account.ref("a")
      const most = Array.from({ length: 32_767 }, () => Account.exists("a"))
      // retried because a server that is short of processor time may exceed the deadline
      const results = yield* Effect.retry(Atomic.all([...most, coins.get()]), {
        while: (error) => error._tag === "RedisServiceError" && error.reason._tag === "OutcomeUnknown",
        times: 5
      })
      assert.strictEqual(results.length, 32_768)
      assert.strictEqual(results.at(-1), 0)
      const { issue } = yield* unchanged(fails(Atomic.all([coins.increment(), ...most, coins.get()]), "InvalidValue"))
      assert.include(issue, "32768 instructions")
      yield* unchanged(fails(
        Atomic.all([...Array.from({ length: 5_000 }, () => coins.increment()), coins.divide(0)]),
        "ArithmeticError"
      ))
    }))
}
