/**
 * Idempotency keys: a program that is committed again under its key does not run again, and returns its first result.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Atomic from "redlayer/Atomic"
import type { InvalidValue } from "redlayer/DomainError"
import * as Model from "redlayer/Model"
import type { RedisService } from "redlayer/RedisService"
import * as RedisServiceError from "redlayer/RedisServiceError"
import * as assert from "../assert.ts"
import { concurrently, fails, unchanged } from "../assertions.ts"
import type { Test } from "../suite.ts"

const Account = Model.make("OnceAccount", {
  id: Schema.String,
  coins: Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)),
  big: Schema.BigInt.pipe(Model.withDefault(0n)),
  seen: Schema.Date.pipe(Model.withDefault(new Date(0))),
  note: Schema.optionalKey(Schema.String),
  log: Schema.Array(Schema.String).pipe(Model.withDefault([])),
  tags: Schema.ReadonlySet(Schema.String).pipe(Model.withDefault(new Set<string>()))
}, { key: "id" })

let made = 0

const Ticket = Model.make("OnceTicket", {
  event: Schema.String,
  number: Schema.Int.pipe(Schema.withConstructorDefault(Effect.sync(() => ++made)))
})

const Seat = Model.make("OnceSeat", { hall: Schema.String, seat: Schema.String, taken: Schema.Int }, {
  key: ["hall", "seat"],
  slot: "hall"
})

const coins = (id: string) => Account.ref(id).coins
const addCoins = (amount: number, id = "a") => coins(id).increment(amount)

const underKey = (idempotencyKey: string, keepFor: Atomic.CommitOptions["keepFor"] = "1 minute") =>
  Atomic.commit({ idempotencyKey, keepFor })

export const idempotency = (test: Test): void => {
  test("a program that is committed again under its key does not run again and returns the first result", () =>
    Effect.gen(function*() {
      yield* Account.insert({ id: "a", coins: 1 })
      assert.strictEqual(yield* underKey("k")(addCoins(2)), 3)
      yield* addCoins(10)
      assert.strictEqual(yield* unchanged(underKey("k")(addCoins(2))), 3)
      assert.strictEqual(yield* Atomic.commit(addCoins(2), { idempotencyKey: "k", keepFor: "1 minute" }), 3)
      assert.strictEqual(yield* underKey("other")(addCoins(2)), 15)
      assert.strictEqual(yield* coins("a").get(), 15)
    }))

  test("a commit without a key, or without a time to keep it, is refused rather than run without them", () =>
    Effect.gen(function*() {
      yield* Account.insert({ id: "a", coins: 1 })
      const commit: (self: unknown, options?: object) => Effect.Effect<number, InvalidValue, RedisService> = Atomic
        .commit as never
      const program = addCoins(1)
      const wrong = [
        { idempotencyKey: undefined, keepFor: "1 minute" },
        { idempotencyKey: 5, keepFor: "1 minute" },
        { idempotencyKey: "k", keepFor: undefined },
        { idempotencyKey: "k", keepFor: NaN },
        {}
      ]
      for (const options of wrong) yield* unchanged(fails(commit(program, options), "InvalidValue", { id: "a" }))
      assert.strictEqual(yield* commit(program, undefined), 2)
    }))

  test("results of every shape are returned again", () =>
    Effect.gen(function*() {
      const { big, log, note, seen, tags } = Account.ref("a")
      yield* Account.insert({ id: "a", coins: 1, big: 2n ** 60n, seen: new Date(1234) })
      const program = Atomic.all({
        coins: addCoins(1),
        big: big.increment(1n),
        seen: seen.get(),
        note: note.get(),
        length: log.append("x"),
        log: log.get(),
        tags: tags.get(),
        whole: Account.get("a"),
        none: Account.find("nobody"),
        when: Atomic.when(addCoins(1), coins("a").gte(100)),
        or: coins("nobody").increment().pipe(Atomic.orElse(Atomic.succeed("else")))
      })
      const first = yield* underKey("k")(program)
      assert.strictEqual(first.coins, 2)
      assert.strictEqual(first.big, 2n ** 60n + 1n)
      yield* Account.delete("a")
      assert.deepEqual(yield* underKey("k")(program), first)
    }))

  test("inserting and deleting under a key happen once", () =>
    Effect.gen(function*() {
      const insert = Account.insert({ id: "a", coins: 1 })
      assert.strictEqual((yield* underKey("i")(insert)).coins, 1)
      assert.strictEqual((yield* underKey("i")(insert)).coins, 1)
      yield* fails(underKey("j")(insert), "EntityExists")
      assert.isTrue(yield* underKey("d")(Account.delete("a")))
      assert.isTrue(yield* underKey("d")(Account.delete("a")))
      assert.isFalse(yield* underKey("e")(Account.delete("a")))
    }))

  test("a generated default is part of the program: the same value repeats, a new value conflicts", () =>
    Effect.gen(function*() {
      const given = { id: "a", event: "x" }
      const insert = Ticket.insert(given)
      const first = yield* underKey("k")(insert)
      assert.deepEqual(yield* unchanged(underKey("k")(insert)), first)
      yield* unchanged(fails(underKey("k")(Ticket.insert(given)), "Conflict", { model: "OnceTicket", id: "a" }))
      const { number } = first
      assert.deepEqual(yield* unchanged(underKey("k")(Ticket.insert({ ...given, number }))), first)
      // a new program generates another id, which is another entity with its own record of the key
      const one = yield* underKey("l")(Ticket.insert({ event: "x" }))
      const other = yield* underKey("l")(Ticket.insert({ event: "x" }))
      assert.notStrictEqual(one.id, other.id)
    }))

  test("a program that only reads returns its first result again", () =>
    Effect.gen(function*() {
      yield* Account.insert({ id: "a", coins: 1 })
      assert.strictEqual(yield* underKey("k")(coins("a").get()), 1)
      yield* addCoins(1)
      assert.strictEqual(yield* underKey("k")(coins("a").get()), 1)
    }))

  test("another program under the same key fails with Conflict and writes nothing", () =>
    Effect.gen(function*() {
      yield* Account.insert({ id: "a", coins: 1 })
      yield* underKey("k")(addCoins(2))
      for (
        const other of [
          addCoins(3),
          coins("a").decrement(2),
          Account.ref("a").big.increment(2n),
          Atomic.all([addCoins(2), addCoins(2)]),
          Atomic.all([Atomic.guard(coins("a").gte(0), () => "no" as never), addCoins(2)])
        ]
      ) {
        yield* unchanged(fails(underKey("k")(other as typeof first), "Conflict", { model: "OnceAccount", id: "a" }))
      }
      const first = addCoins(2)
      assert.strictEqual(yield* underKey("k")(first), 3)
    }))

  test("the key is stored with the entity whose stored key is first in byte order", () =>
    Effect.gen(function*() {
      yield* Account.insert({ id: "a", coins: 1 })
      yield* Account.insert({ id: "b", coins: 1 })
      assert.strictEqual(yield* underKey("k")(addCoins(1)), 2)
      assert.strictEqual(yield* underKey("k")(addCoins(1, "b")), 2)
      yield* fails(underKey("k")(Atomic.all([addCoins(1, "b"), addCoins(1, "a")])), "Conflict", { id: "b" })
    }))

  test("two entities of one slot use the same key independently", () =>
    Effect.gen(function*() {
      const seat = (seat: string) => Seat.ref(["h", seat])
      yield* Seat.insert({ hall: "h", seat: "a", taken: 0 })
      yield* Seat.insert({ hall: "h", seat: "b", taken: 0 })
      const take = (id: string, by: number) => underKey("k")(seat(id).taken.increment(by))
      for (let i = 0; i < 2; i++) {
        assert.strictEqual(yield* take("a", 1), 1)
        assert.strictEqual(yield* take("b", 2), 2)
      }
      yield* fails(take("a", 2), "Conflict", { model: "OnceSeat" })
      // of two entities, the one whose key comes first keeps the record
      const both = Atomic.all([seat("b").taken.increment(), seat("a").taken.increment()])
      yield* fails(underKey("k")(both), "Conflict")
      const first = yield* underKey("other")(both)
      assert.deepEqual(yield* unchanged(underKey("other")(both)), first)
      yield* fails(underKey("other")(seat("a").taken.increment()), "Conflict")
      assert.strictEqual(yield* underKey("other")(seat("b").taken.increment()), 4)
    }))

  test("a failure is not recorded", () =>
    Effect.gen(function*() {
      yield* fails(underKey("k")(addCoins(1)), "EntityNotFound")
      yield* Account.insert({ id: "a", coins: 0 })
      yield* fails(underKey("k")(addCoins(-1)), "OutOfBounds")
      assert.strictEqual(yield* underKey("k")(addCoins(1)), 1)
      yield* fails(underKey("k")(addCoins(-1)), "Conflict")
    }))

  test("concurrent commits under one key run once", () =>
    Effect.gen(function*() {
      yield* Account.insert({ id: "a", coins: 0 })
      const results = yield* concurrently(Array.from({ length: 50 }, () => underKey("k")(addCoins(1))))
      assert.deepEqual(results, Array.from({ length: 50 }, () => 1))
      assert.strictEqual(yield* coins("a").get(), 1)
    }))

  test("the key is remembered for `keepFor`", () =>
    Effect.gen(function*() {
      yield* Account.insert({ id: "a", coins: 0 })
      assert.strictEqual(yield* underKey("k", "80 millis")(addCoins(1)), 1)
      assert.strictEqual(yield* underKey("k", "80 millis")(addCoins(1)), 1)
      yield* Effect.sleep("120 millis")
      assert.strictEqual(yield* underKey("k", "80 millis")(addCoins(1)), 2)
    }))

  test("a result that is too large to record is returned once, and later commits report only that the program was applied", () =>
    Effect.gen(function*() {
      yield* Account.insert({ id: "a", coins: 0, log: [] })
      const { log } = Account.ref("a")
      const program = Atomic.andThen(log.append("x".repeat(5000)), log.get())
      assert.lengthOf(yield* underKey("k")(program), 1)
      const error = yield* Effect.flip(underKey("k")(program))
      if (!RedisServiceError.isRedisServiceError(error)) return assert.fail(String(error))
      assert.deepInclude({ ...error.reason }, { _tag: "OutcomeUnknown", applied: true })
      assert.strictEqual(yield* log.length(), 1)
    }))

  test("an invalid key or an invalid `keepFor` is refused", () =>
    Effect.gen(function*() {
      yield* Account.insert({ id: "a", coins: 0 })
      for (const key of ["", "\ud800", "x".repeat(513)]) {
        const error = yield* fails(underKey(key)(addCoins(1)), "InvalidValue", {
          model: "OnceAccount",
          id: "a",
          field: ""
        })
        assert.include(error.issue, "idempotency key")
      }
      for (const keepFor of [0, -1, "Infinity"] as const) {
        yield* fails(underKey("k", keepFor)(addCoins(1)), "InvalidValue")
      }
      assert.strictEqual(yield* coins("a").get(), 0)
      for (const key of ["{}", "}{", "a:b", "*", "\n\0", "é".repeat(500), "__proto__"]) {
        yield* underKey(key)(addCoins(1))
      }
      for (const key of ["{}", "}{", "a:b", "*", "\n\0", "é".repeat(500), "__proto__"]) {
        yield* underKey(key)(addCoins(1))
      }
      assert.strictEqual(yield* coins("a").get(), 7)
    }))

  test("a program that sends nothing ignores the key", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* underKey("k")(Atomic.succeed(1)), 1)
      assert.strictEqual(yield* underKey("k")(Atomic.succeed(2)), 2)
    }))
}
