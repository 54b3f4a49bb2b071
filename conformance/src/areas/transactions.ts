/** Transactions: a program is applied wholly or not at all, in order. Undo, expiries and interruption. */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Atomic from "redlayer/Atomic"
import * as Model from "redlayer/Model"
import * as RedisService from "redlayer/RedisService"
import { RawStore } from "redlayer/testing"
import * as assert from "../assert.ts"
import { concurrently, fails, type Operation, pseudoRandom, stored, unchanged, wrongType } from "../assertions.ts"
import type { Test } from "../suite.ts"

export const Account = Model.make("TxAccount", {
  id: Schema.String,
  coins: Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)),
  note: Schema.optionalKey(Schema.String),
  name: Schema.String.pipe(Model.withDefault("")),
  log: Schema.Array(Schema.String),
  stats: Schema.Struct({ wins: Schema.Int, best: Schema.Array(Schema.Int) })
}, { key: "id" })

const Order = Model.make("TxOrder", {
  user: Schema.String,
  no: Schema.Int,
  total: Schema.Number,
  lines: Schema.Array(Schema.Struct({ sku: Schema.String, n: Schema.Int }))
}, { key: ["user", "no"], slot: "user" })

export const account = (id: string, coins = 10) => ({
  id,
  coins,
  note: "n",
  log: ["a", "b", "c"],
  stats: { wins: 1, best: [3, 2, 1] }
})

const order = { user: "u", no: 1, total: 1.5, lines: [{ sku: "x", n: 1 }] }

/** Three accounts and an order, with expiries that another client has set. */
const prepare = Effect.gen(function*() {
  const raw = yield* RawStore
  yield* Atomic.all([
    Account.put(account("a")),
    Account.put(account("b")),
    Account.put({ ...account("c"), log: [] }),
    Order.put(order)
  ])
  const later = (yield* Clock.currentTimeMillis) + 1_000_000
  yield* raw.expireAt("TxAccount:{a}", later)
  yield* raw.expireAt("TxAccount:{a}:log", later + 1)
  yield* raw.expireAt("TxAccount:{b}:stats.best", later + 2)
  yield* raw.expireAt("TxOrder:{u}:1", later + 3)
  yield* raw.expireAt("TxOrder:{u}:1:lines", later + 4)
})

/** Programs that write to the data of `prepare`, one for each way of writing. */
const writes = (): ReadonlyArray<readonly [name: string, program: Operation]> => {
  const a = Account.ref("a")
  const b = Account.ref("b")
  const c = Account.ref("c")
  const o = Order.ref(["u", 1])
  return [
    ["set", a.name.set("new")],
    ["append text", a.name.append("x")],
    ["set optional", b.note.set("new")],
    ["clear optional", a.note.clear()],
    ["increment", a.coins.increment(5)],
    ["decrement", b.coins.decrement(5)],
    ["multiply", o.total.multiply(3)],
    ["nested", a.stats.wins.increment()],
    ["struct", b.stats.$.set({ wins: 9, best: [] })],
    ["append", a.log.append("d")],
    ["append with keep", a.log.append(["d", "e"], { keep: 2 })],
    ["append all new", a.log.append(["d", "e", "f", "g"], { keep: 2 })],
    ["append to empty", c.log.append("first")],
    ["prepend", a.log.prepend(["x", "y"])],
    ["prepend to empty", c.log.prepend(["x", "y"])],
    ["pop", a.log.pop()],
    ["pop all", Atomic.all([a.log.pop(), a.log.pop(), a.log.pop(), a.log.pop()])],
    ["shift", b.stats.best.shift()],
    ["shift all", Atomic.all([a.log.shift(), a.log.shift(), a.log.shift()])],
    ["clear list", a.log.clear()],
    ["clear and refill", Atomic.andThen(a.log.clear(), a.log.append(["z"]))],
    ["set list", a.log.set(["z"])],
    ["set list to nothing", b.log.set([])],
    ["set an item", a.log.at(1).set("B")],
    ["increment an item", b.stats.best.at(-1).increment()],
    ["set a struct", o.lines.at(0).set({ sku: "y", n: 2 })],
    ["update", Account.update("a", { coins: 1, note: undefined, log: ["u"], stats: { best: [] } })],
    ["put over", Account.put({ id: "a", coins: 0, log: [], stats: { wins: 0, best: [7] } })],
    ["put new", Account.put(account("new put"))],
    ["insert new", Account.insert(account("new"))],
    ["delete", Account.delete("a")],
    ["delete without lists", Account.delete("c")],
    ["delete an order", Order.delete(["u", 1])],
    ["delete and insert", Atomic.andThen(Account.delete("a"), Account.insert(account("a", 99)))],
    ["insert and delete", Atomic.andThen(Account.insert(account("d")), Account.delete("d"))],
    ["insert and change", Atomic.andThen(Account.insert(account("e")), Account.ref("e").log.append("more"))]
  ]
}

/** Programs that fail on the data of `prepare`, whatever was written before. */
const failures = (): ReadonlyArray<readonly [tag: string, program: Operation]> => [
  ["EntityNotFound", Account.ref("missing").coins.increment()],
  ["EntityNotFound", Account.get("missing")],
  ["EntityNotFound", Account.update("missing", {})],
  ["EntityNotFound", Account.ref("missing").log.append("x")],
  ["EntityExists", Account.insert(account("b"))],
  ["OutOfBounds", Account.ref("b").coins.decrement(1000)],
  ["OutOfBounds", Account.ref("b").coins.increment(1, { atMost: 0 })],
  ["ArithmeticError", Account.ref("b").coins.divide(0)],
  ["IndexOutOfRange", Account.ref("b").log.at(50).get()],
  ["IndexOutOfRange", Account.ref("b").log.at(-50).set("x")],
  // invalid data from `prepareBad`
  ["RedisServiceError", Account.ref("bad").coins.increment()],
  ["RedisServiceError", Account.ref("bad").log.append("x")],
  ["RedisServiceError", Account.ref("text").name.set("x")],
  ["EntityCorrupted", Account.get("text")]
]

const prepareInvalid = Effect.gen(function*() {
  const raw = yield* RawStore
  yield* raw.hashSet("TxAccount:{bad}", { coins: "abc" })
  yield* raw.stringSet("TxAccount:{bad}:log", "text")
  yield* raw.stringSet("TxAccount:{text}", "text")
})

/** A service that counts the programs it runs. */
export const countingService = Effect.gen(function*() {
  const service = yield* RedisService.RedisService
  const seen = { programs: 0, instructions: 0 }
  return {
    seen,
    service: RedisService.RedisService.of({
      ...service,
      execute: (program, read) => {
        seen.programs++
        seen.instructions += program.instructions.length
        return service.execute(program, read)
      }
    })
  }
})

export const transactions = (test: Test): void => {
  test("a program that fails changes nothing, whatever it wrote before, expiries included", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      yield* prepare
      yield* prepareInvalid
      const before = yield* raw.dump
      const all = writes()
      const ways = failures()
      let i = 0
      for (const [name, write] of all) {
        // combine each write with two of the failures, so that each failure is used many times
        for (const [tag, failure] of [ways[i % ways.length], ways[(i * 5 + 3) % ways.length]]) {
          const error = yield* Effect.flip(Atomic.andThen(write, failure))
          assert.strictEqual(error._tag, tag, name)
          assert.deepEqual(yield* raw.dump, before, `${name}, then ${tag}`)
        }
        i++
      }
      // several writes, with the failure at each position among them
      const random = pseudoRandom(3)
      for (let round = 0; round < 60; round++) {
        const [tag, failure] = ways[round % ways.length]
        const picked = Array.from({ length: 4 }, () => all[Math.floor(random() * all.length)][1])
        picked.splice(round % 5, 0, failure)
        const exit = yield* Effect.exit(Atomic.all(picked))
        assert.isTrue(Exit.isFailure(exit))
        if (round % 5 === 0) {
          assert.strictEqual((Option.getOrThrow(Exit.findErrorOption(exit)) as { readonly _tag: string })._tag, tag)
        }
        assert.deepEqual(yield* raw.dump, before)
      }
    }))

  test("a program of five operations is undone whichever of them fails", () =>
    Effect.gen(function*() {
      yield* prepare
      const a = Account.ref("a")
      const b = Account.ref("b")
      const c = Account.ref("c")
      const five = [
        a.coins.increment(1),
        b.log.append("x"),
        Account.insert(account("d")),
        c.note.clear(),
        Order.ref(["u", 1]).lines.pop()
      ]
      for (let position = 0; position <= 5; position++) {
        for (const [tag, failure] of failures().slice(0, 10)) {
          const program: Array<Operation> = [...five]
          program.splice(position, 0, failure)
          const error = yield* unchanged(Effect.flip(Atomic.all(program)))
          assert.strictEqual(error._tag, tag, `${position}`)
        }
      }
      assert.deepEqual(yield* Atomic.all(five), [
        11,
        4,
        { ...account("d"), name: "" },
        undefined,
        Option.some({ sku: "x", n: 1 })
      ])
    }))

  test("a program keeps the expiries of all keys except those of an entity that it recreates", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      for (const [name, write] of writes()) {
        yield* prepare
        const before = yield* raw.dump
        yield* write
        const after = yield* raw.dump
        for (const [key, { expiresAt }] of Object.entries(after)) {
          const isNew = name === "delete and insert" && key.startsWith("TxAccount:{a}")
          if (key in before && !isNew) assert.strictEqual(expiresAt, before[key].expiresAt, `${name}: ${key}`)
          else assert.isUndefined(expiresAt, `${name}: ${key}`)
        }
        for (const key of Object.keys(after)) yield* raw.delete(key)
      }
    }))

  test("an expired entity is gone, and an expired list is empty", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      yield* Account.insert(account("a"))
      yield* Account.insert(account("b"))
      const soon = (yield* Clock.currentTimeMillis) + 30
      yield* raw.expireAt("TxAccount:{a}", soon)
      yield* raw.expireAt("TxAccount:{b}:log", soon)
      yield* Effect.sleep(60)
      assert.isFalse(yield* Account.exists("a"))
      yield* fails(Account.ref("a").coins.increment(), "EntityNotFound")
      assert.deepEqual((yield* Account.get("b")).log, [])
      assert.strictEqual(yield* Account.ref("b").log.append("x"), 1)
      assert.isUndefined(yield* raw.expiresAt("TxAccount:{b}:log"))
      // its other collections are left over, and are removed by the next insert of this id
      yield* Account.insert({ ...account("a"), log: [], stats: { wins: 0, best: [] } })
      assert.deepEqual((yield* Account.get("a")).stats.best, [])
      assert.isUndefined(yield* raw.expiresAt("TxAccount:{a}"))
    }))

  test("later operations see the writes of earlier ones", () =>
    Effect.gen(function*() {
      yield* Account.insert(account("a"))
      const { coins, log, name, note, stats } = Account.ref("a")
      assert.deepEqual(
        yield* Atomic.all({
          up: coins.increment(5),
          got: coins.get(),
          again: coins.multiply(2),
          text: name.append("x"),
          more: name.append("y"),
          cleared: note.clear(),
          isSet: note.isSet(),
          absent: note.setIfAbsent("z"),
          shifted: log.shift(),
          length: log.append(["d", "e"]),
          items: log.get(),
          deleted: Account.delete("a"),
          exists: Account.exists("a"),
          found: Account.find("a"),
          inserted: Account.insert({ ...account("a", 1), log: ["new"] }),
          wins: stats.wins.increment(),
          log: log.get(),
          whole: Account.get("a")
        }),
        {
          up: 15,
          got: 15,
          again: 30,
          text: 1,
          more: 2,
          cleared: undefined,
          isSet: false,
          absent: true,
          shifted: Option.some("a"),
          length: 4,
          items: ["b", "c", "d", "e"],
          deleted: true,
          exists: false,
          found: Option.none(),
          inserted: { ...account("a", 1), name: "", log: ["new"] },
          wins: 2,
          log: ["new"],
          whole: { ...account("a", 1), name: "", log: ["new"], stats: { wins: 2, best: [3, 2, 1] } }
        }
      )
    }))

  test("a deleted entity is missing for the later operations of its program", () =>
    Effect.gen(function*() {
      yield* prepare
      const { coins, log, note } = Account.ref("a")
      for (
        const operation of [
          coins.increment(),
          coins.get(),
          coins.set(1),
          note.clear(),
          note.isSet(),
          log.append("x"),
          log.get(),
          log.pop(),
          log.at(0).get(),
          Account.get("a"),
          Account.update("a", { coins: 1 }),
          Account.update("a", {})
        ] as ReadonlyArray<Operation>
      ) {
        const program = Atomic.andThen(Account.delete("a"), operation)
        yield* unchanged(fails(program, "EntityNotFound", { model: "TxAccount", id: "a" }))
        yield* unchanged(fails(Atomic.all([coins.increment(), Account.delete("a"), operation]), "EntityNotFound"))
      }
      assert.deepEqual(yield* Atomic.all([Account.delete("a"), Account.delete("a"), Account.exists("a")]), [
        true,
        false,
        false
      ])
      assert.isFalse(yield* Account.exists("a"))
    }))

  test("an entity that is deleted and recreated in one program keeps nothing of the old one", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      yield* Account.insert(account("a"))
      yield* raw.hashSet("TxAccount:{a}", { theirs: "x" })
      const { coins, log } = Account.ref("a")
      yield* Atomic.all([
        coins.increment(),
        log.append("old"),
        Account.delete("a"),
        Account.insert({ id: "a", coins: 3, log: [], stats: { wins: 0, best: [] } }),
        log.append("new")
      ])
      assert.deepEqual(yield* stored, {
        "TxAccount:{a}": { coins: "3", name: "", "stats.wins": "0" },
        "TxAccount:{a}:log": ["new"]
      })
    }))

  test("inserting one id twice fails, also within one program", () =>
    Effect.gen(function*() {
      yield* fails(Atomic.all([Account.insert(account("a")), Account.insert(account("a"))]), "EntityExists", {
        id: "a"
      })
      assert.deepEqual(yield* stored, {})
      yield* Atomic.all([
        Account.insert(account("a")),
        Account.put(account("a", 2)),
        Account.ref("a").coins.increment()
      ])
      assert.strictEqual((yield* Account.get("a")).coins, 3)
    }))

  test("no reader sees a program partly applied, across entities and models", () =>
    Effect.gen(function*() {
      const ids = Array.from({ length: 6 }, (_, i) => `a${i}`)
      yield* concurrently(ids.map((id) => Account.insert({ ...account(id, 100), log: [] })))
      yield* Order.insert({ user: "u", no: 1, total: 0, lines: [] })
      const random = pseudoRandom(4)
      const pick = () => ids[Math.floor(random() * ids.length)]
      const sum = Atomic.all([...ids.map((id) => Account.ref(id).coins.get()), Order.ref(["u", 1]).total.get()]).pipe(
        Atomic.map((coins) => coins.reduce((a, b) => a + b, 0))
      )
      let failed = 0
      const transfers = Array.from({ length: 300 }, () => {
        const from = Account.ref(pick())
        const to = Account.ref(pick())
        const amount = Math.floor(random() * 60)
        return Atomic.all([
          to.coins.increment(amount),
          to.log.append("in", { keep: 5 }),
          Order.ref(["u", 1]).total.increment(1),
          from.coins.decrement(amount + 1),
          from.log.append("out", { keep: 5 })
        ]).pipe(Effect.catchTag("OutOfBounds", () => Effect.sync(() => failed++)))
      })
      const [sums] = yield* Effect.all([
        Effect.forEach(Array.from({ length: 40 }), () => Effect.andThen(Effect.yieldNow, sum)),
        concurrently(transfers)
      ], { concurrency: "unbounded" })
      assert.deepEqual([...new Set(sums)], [600])
      assert.strictEqual(yield* sum, 600)
      assert.isAbove(failed, 0)
      assert.isBelow(failed, 300)
      assert.strictEqual(yield* Order.ref(["u", 1]).total.get(), 300 - failed)
    }))

  test("a fiber reads its own writes, and a program sent after a result is known runs after it", () =>
    Effect.gen(function*() {
      yield* Account.insert({ ...account("a", 0), log: [] })
      const { coins, log } = Account.ref("a")
      yield* concurrently(Array.from({ length: 20 }, (_, fiber) =>
        Effect.gen(function*() {
          let last = 0
          for (let i = 0; i < 10; i++) {
            const next = yield* coins.increment()
            assert.isAbove(next, last)
            assert.isAtLeast(yield* coins.get(), next)
            last = next
            yield* log.append(`${fiber}:${i}`)
            assert.include(yield* log.get(), `${fiber}:${i}`)
          }
        })))
      const all = yield* log.get()
      for (let fiber = 0; fiber < 20; fiber++) {
        const own = all.filter((text) => text.startsWith(`${fiber}:`))
        assert.deepEqual(own, Array.from({ length: 10 }, (_, i) => `${fiber}:${i}`))
      }
    }))

  test("a list may be cleared and refilled in one program and keeps its expiry, and a popped last item is restored on failure", () =>
    Effect.gen(function*() {
      yield* prepare
      const raw = yield* RawStore
      const { coins, log, stats } = Account.ref("a")
      const expiry = yield* raw.expiresAt("TxAccount:{a}:log")
      assert.isDefined(expiry)
      assert.deepEqual(yield* Atomic.all([log.clear(), log.append("x"), log.get()]), [undefined, 1, ["x"]])
      assert.strictEqual(yield* raw.expiresAt("TxAccount:{a}:log"), expiry)
      yield* unchanged(fails(Atomic.all([log.pop(), coins.divide(0)]), "ArithmeticError"))
      yield* unchanged(fails(Atomic.all([log.pop(), log.append("y"), log.clear(), coins.divide(0)]), "ArithmeticError"))
      yield* Atomic.all([log.pop(), log.pop(), log.prepend("z"), log.set([]), log.append(["p", "q"]), log.shift()])
      assert.deepEqual(yield* log.get(), ["q"])
      assert.strictEqual(yield* raw.expiresAt("TxAccount:{a}:log"), expiry)
      yield* Atomic.all([log.clear(), stats.best.set([])])
      assert.isUndefined(yield* raw.expiresAt("TxAccount:{a}:log"))
    }))

  test("a program that fails does not undo concurrent programs of the same entity", () =>
    Effect.gen(function*() {
      yield* Account.insert({ ...account("a", 0), log: [] })
      const { coins, log } = Account.ref("a")
      const exits = yield* concurrently(Array.from({ length: 200 }, (_, i) =>
        Effect.exit(
          Atomic.all<ReadonlyArray<Operation>>(
            i % 3 === 0
              ? [log.append(`bad${i}`), coins.increment(100), log.clear(), coins.divide(0)]
              : [coins.increment(), log.append(`good${i}`)]
          )
        )))
      const good = exits.filter(Exit.isSuccess).length
      assert.strictEqual(good, 133)
      assert.strictEqual(yield* coins.get(), good)
      const left = yield* log.get()
      assert.strictEqual(left.length, good)
      assert.isTrue(left.every((text) => text.startsWith("good")))
    }))

  test("a program that is interrupted at any moment is applied wholly or not at all, and its fiber ends", () =>
    Effect.gen(function*() {
      yield* Account.insert({ ...account("a", 0), log: [] })
      yield* Account.insert({ ...account("b", 0), log: [] })
      const random = pseudoRandom(5)
      let known = 0
      const fibers = yield* Effect.forEach(Array.from({ length: 300 }, (_, i) => i), (i) =>
        Effect.forkChild(
          Effect.gen(function*() {
            yield* Atomic.all([
              Account.ref("a").coins.increment(),
              Account.ref("a").log.append(`${i}`),
              Account.ref("b").coins.increment()
            ])
            known++
          })
        ))
      for (const [i, fiber] of fibers.entries()) {
        if (i % 10 === 0) yield* Effect.sleep(random() * 2)
        if (random() < 0.6) yield* Fiber.interrupt(fiber)
      }
      const exits = yield* Effect.forEach(fibers, (fiber) => Fiber.await(fiber)).pipe(Effect.timeout("5 seconds"))
      assert.strictEqual(exits.filter(Exit.isSuccess).length, known)
      for (const exit of exits) assert.isTrue(Exit.isSuccess(exit) || Cause.hasInterrupts(exit.cause))
      // programs that were sent before the interruption may be applied now
      yield* Effect.sleep(20)
      const [a, log, b] = yield* Atomic.all([
        Account.ref("a").coins.get(),
        Account.ref("a").log.get(),
        Account.ref("b").coins.get()
      ])
      assert.strictEqual(a, b)
      assert.strictEqual(a, log.length)
      assert.strictEqual(new Set(log).size, a)
      assert.isAtLeast(a, known)
      assert.isAtMost(a, 300)
    }))

  test("a program that is interrupted before it is sent never runs", () =>
    Effect.gen(function*() {
      yield* Account.insert(account("a", 0))
      const { coins } = Account.ref("a")
      const fibers = yield* Effect.forEach(Array.from({ length: 50 }), () => Effect.forkChild(coins.increment()))
      // the fibers have not started yet
      yield* Effect.forEach(fibers, (fiber) => Fiber.interrupt(fiber), { concurrency: "unbounded" })
      yield* Effect.sleep(20)
      assert.strictEqual(yield* coins.get(), 0)
      // a started program is either sent at once or waits for its batch
      const started = yield* Effect.forEach(
        Array.from({ length: 50 }),
        () => Effect.forkChild(coins.increment(), { startImmediately: true })
      )
      yield* Effect.forEach(started, (fiber) => Fiber.interrupt(fiber), { concurrency: "unbounded" })
      yield* Effect.sleep(20)
      const sent = yield* coins.get()
      assert.oneOf(sent, [0, 50])
      assert.strictEqual(yield* coins.increment(), sent + 1)
    }))

  test("after a timeout a program is applied wholly or not at all", () =>
    Effect.gen(function*() {
      yield* Account.insert({ ...account("a", 0), log: [] })
      const { coins, log } = Account.ref("a")
      const gate = yield* Deferred.make<void>()
      yield* concurrently(Array.from({ length: 100 }, (_, i) =>
        Atomic.all([coins.increment(), log.append(`${i}`)]).pipe(
          Effect.timeoutOption(i % 4),
          Effect.tap(() => i === 99 ? Deferred.succeed(gate, undefined) : Effect.void)
        ))).pipe(Effect.timeout("5 seconds"))
      yield* Deferred.await(gate)
      yield* Effect.sleep(20)
      assert.strictEqual((yield* log.get()).length, yield* coins.get())
    }))

  test("the reads of a program are consistent, with or without a write", () =>
    Effect.gen(function*() {
      yield* prepare
      yield* prepareInvalid
      const { coins, log } = Account.ref("a")
      yield* unchanged(Effect.gen(function*() {
        assert.deepEqual(
          yield* Atomic.all([coins.get(), log.get(), log.length(), Account.exists("b"), Account.find("missing")]),
          [10, ["a", "b", "c"], 3, true, Option.none()]
        )
        yield* fails(Atomic.all([coins.get(), Account.get("missing")]), "EntityNotFound", { id: "missing" })
        yield* wrongType(Atomic.all([coins.get(), Account.ref("bad").coins.get()]), { id: "bad", field: "coins" })
        yield* wrongType(Atomic.all([log.get(), Account.ref("bad").log.get()]), { id: "bad", field: "log" })
        yield* fails(Atomic.all([coins.get(), Account.get("bad")]), "EntityCorrupted", { id: "bad", applied: false })
      }))
    }))
}
