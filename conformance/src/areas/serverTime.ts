/** The server's time as an operand: of dates, of items, of conditions, of numbers and of scores. */
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import * as Atomic from "redlayer/Atomic"
import * as Condition from "redlayer/Condition"
import * as Model from "redlayer/Model"
import { RawStore } from "redlayer/testing"
import * as assert from "../assert.ts"
import { fails, type Operation, stored, unchanged } from "../assertions.ts"
import type { Backend, Test } from "../suite.ts"
import { timeOf } from "../support/time.ts"

const early = new Date("2020-01-01")

const Clocked = Model.make("ServerTime", {
  id: Schema.String,
  at: Schema.Date.pipe(Model.withDefault(early)),
  utc: Schema.DateTimeUtc.pipe(Model.withDefault(DateTime.makeUnsafe(0))),
  seen: Schema.optionalKey(Schema.Date),
  nullable: Schema.NullOr(Schema.DateTimeUtc).pipe(Model.withDefault(null)),
  millis: Schema.Int.pipe(Model.withDefault(0)),
  log: Schema.Array(Schema.Date).pipe(Model.withDefault([])),
  byName: Schema.Record(Schema.String, Schema.Date).pipe(Model.withDefault({})),
  due: Model.sortedSet(Schema.String).pipe(Model.withDefault([])),
  past: Schema.Date.check(Schema.isLessThanOrEqualToDate(new Date("2021-01-01"))).pipe(Model.withDefault(early)),
  pasts: Schema.Array(Schema.Date.check(Schema.isLessThanOrEqualToDate(new Date("2021-01-01")))).pipe(
    Model.withDefault([])
  ),
  json: Model.json(Schema.Struct({ at: Schema.Date })).pipe(Model.withDefault({ at: early }))
}, { key: "id" })

const Quota = Model.make("ServerTimeQuota", {
  user: Schema.String,
  calls: Model.sortedSet(Schema.String).pipe(Model.withDefault([]))
}, { key: "user" })

const now = Clock.currentTimeMillis

/** Whether a time is the server's, or the clock's in memory: both are those of this machine. */
const isRecent = (millis: number, before: number): Effect.Effect<void> =>
  Effect.map(now, (after) => {
    assert.isAtLeast(millis, before - 5000)
    assert.isAtMost(millis, after + 5000)
  })

export const serverTime = (test: Test, backend: Backend): void => {
  test("`Atomic.now` sets date fields of every kind to the time of the server, one time in the whole program", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      yield* Clocked.insert({ id: "c" })
      const { at, byName, due, log, millis, nullable, seen, utc } = Clocked.ref("c")
      const before = yield* now
      yield* Atomic.all([
        at.set(Atomic.now),
        utc.set(Atomic.now),
        seen.set(Atomic.now),
        nullable.set(Atomic.now),
        millis.set(Atomic.now.epochMillis),
        log.append([early, Atomic.now]),
        log.prepend(Atomic.now),
        log.insert(1, [Atomic.now, Atomic.now]),
        byName.at("a").set(Atomic.now),
        due.add("a", Atomic.now.epochMillis)
      ])
      const entity = yield* Clocked.get("c")
      const time = entity.at
      yield* isRecent(time.getTime(), before)
      assert.deepEqual(entity.utc, DateTime.makeUnsafe(time))
      assert.deepEqual(entity.seen, time)
      assert.deepEqual(entity.nullable, DateTime.makeUnsafe(time))
      assert.strictEqual(entity.millis, time.getTime())
      assert.deepEqual(entity.log, [time, time, time, early, time])
      assert.deepEqual(entity.byName, { a: time })
      assert.deepEqual(entity.due, [{ member: "a", score: time.getTime() }])
      assert.strictEqual(yield* raw.hashGet("ServerTime:{c}", "at"), String(time.getTime()))
      assert.deepEqual(yield* raw.listRead("ServerTime:{c}:log"), entity.log.map((date) => String(date.getTime())))
    }))

  test("durations are added to the time, and to the value of a date field", () =>
    Effect.gen(function*() {
      yield* Clocked.insert({ id: "c" })
      const { at, log, millis, utc } = Clocked.ref("c")
      yield* Atomic.all([
        at.set(Atomic.now.plus("1 hour").minus("30 minutes")),
        utc.set(Atomic.now.minus(Duration.days(2))),
        millis.set(Atomic.now.plus(5).epochMillis.minus(Atomic.now.epochMillis)),
        log.append([Atomic.now, at.value().minus("1 millis")])
      ])
      const entity = yield* Clocked.get("c")
      const [time, another] = entity.log as readonly [Date, Date]
      assert.strictEqual(entity.at.getTime(), time.getTime() + 30 * 60_000)
      assert.strictEqual(DateTime.toEpochMillis(entity.utc), time.getTime() - 2 * 86_400_000)
      assert.strictEqual(entity.millis, 5)
      assert.strictEqual(another.getTime(), entity.at.getTime() - 1)
      assert.isTrue(yield* at.gt(at.value().minus("1 millis")))
    }))

  test("conditions compare with the time of the server", () =>
    Effect.gen(function*() {
      yield* Clocked.insert({ id: "c", log: [early, new Date("2999-01-01")], due: [{ member: "a", score: 5 }] })
      const { at, due, log, millis, seen } = Clocked.ref("c")
      const hourAgo = Atomic.now.minus("1 hour")
      const conditions: ReadonlyArray<readonly [Condition.Condition<unknown>, boolean]> = [
        [at.lte(hourAgo), true],
        [at.gt(Atomic.now), false],
        [at.eq(Atomic.now), false],
        [at.neq(Atomic.now), true],
        [log.at(0).lte(hourAgo), true],
        [log.at(-1).lte(hourAgo), false],
        [seen.lte(Atomic.now), false],
        [millis.lt(Atomic.now.epochMillis), true],
        [due.count({ max: Atomic.now.epochMillis }).eq(1), true],
        [due.count({ min: Atomic.now.epochMillis }).gt(0), false],
        [due.score("a").lt(Atomic.now.epochMillis), true],
        [Condition.and(at.lt(hourAgo), Condition.not(at.gt(hourAgo))), true]
      ]
      for (const [i, [condition, expected]] of conditions.entries()) {
        assert.strictEqual(yield* unchanged(condition), expected, String(i))
      }
      yield* at.set(Atomic.now)
      assert.isFalse(yield* at.lte(hourAgo))
      assert.isTrue(yield* at.gt(hourAgo))
      assert.deepEqual(yield* Atomic.when(millis.increment(), at.gt(hourAgo)), Option.some(1))
      assert.strictEqual(yield* Effect.flip(Atomic.guard(at.lte(hourAgo), () => "too early" as const)), "too early")
    }))

  test("a time that a field does not allow is refused, and nothing is written", () =>
    Effect.gen(function*() {
      yield* Clocked.insert({ id: "c" })
      const { at, json, log, millis, past, pasts } = Clocked.ref("c")
      yield* unchanged(fails(past.set(Atomic.now), "OutOfBounds", { field: "past", bound: "maximum" }))
      yield* unchanged(fails(pasts.append([early, Atomic.now]), "OutOfBounds", { field: "pasts", bound: "maximum" }))
      yield* past.set(Atomic.now.minus(Duration.days(20_000)))
      const beyond = Duration.millis(8.64e15)
      yield* unchanged(fails(at.set(Atomic.now.plus(beyond)), "ArithmeticError", { field: "at", reason: "outOfRange" }))
      yield* unchanged(
        fails(log.append(Atomic.now.plus(beyond)), "ArithmeticError", { field: "log", reason: "outOfRange" })
      )
      for (const duration of [Duration.infinity, Infinity, 0.5, "soon", null, undefined, Atomic.now]) {
        yield* unchanged(fails(at.set(Atomic.now.plus(duration as any)), "InvalidValue", { field: "at" }))
        yield* unchanged(fails(log.append(Atomic.now.minus(duration as any)), "InvalidValue", { field: "log" }))
      }
      yield* unchanged(fails(json.set(Atomic.now as never), "InvalidValue", { field: "json" }))
      yield* unchanged(fails(millis.set(Atomic.now.epochMillis.dividedBy(0)), "ArithmeticError", { field: "millis" }))
    }))

  test("a program that fails after it has written the time leaves nothing", () =>
    Effect.gen(function*() {
      yield* Clocked.insert({ id: "c", log: [early] })
      const { at, byName, due, log, millis, seen } = Clocked.ref("c")
      const writes: ReadonlyArray<Operation> = [
        at.set(Atomic.now),
        seen.set(Atomic.now),
        log.append(Atomic.now, { keep: 1 }),
        log.insert(0, Atomic.now),
        byName.at("a").set(Atomic.now),
        due.add("a", Atomic.now.epochMillis),
        due.removeRangeByScore({ max: Atomic.now.epochMillis })
      ]
      const refuse = Atomic.guard(millis.eq(1), () => "no" as const)
      for (const write of [...writes, Atomic.all(writes)]) {
        assert.strictEqual(yield* unchanged(Effect.flip(Atomic.andThen(write, refuse))), "no")
        yield* unchanged(Atomic.orElse(Atomic.as(Atomic.andThen(write, refuse), 1), Atomic.succeed(2)))
      }
    }))

  test("a queue of due jobs and a sliding window need no clock of the client", () =>
    Effect.gen(function*() {
      yield* Quota.insert({ user: "alice" })
      const call = (token: string) => {
        const { calls } = Quota.ref("alice")
        return Atomic.all([
          calls.removeRangeByScore({ max: Atomic.now.minus("1 hour").epochMillis }),
          Atomic.guard(calls.size().lt(3), () => "too many" as const),
          calls.add(token, Atomic.now.epochMillis)
        ])
      }
      for (const token of ["a", "b", "c"]) yield* call(token)
      assert.strictEqual(yield* unchanged(Effect.flip(call("d"))), "too many")

      yield* Clocked.insert({ id: "jobs" })
      const { due } = Clocked.ref("jobs")
      yield* due.add("later", Atomic.now.plus("15 minutes").epochMillis)
      yield* due.add("now", Atomic.now.epochMillis)
      const isDue = due.count({ max: Atomic.now.epochMillis }).gt(0)
      const next = Atomic.when(due.popMin(), isDue)
      assert.deepEqual(
        Option.map(Option.flatten(yield* next), ({ member }) => member),
        Option.some("now")
      )
      assert.deepEqual(yield* next, Option.none())
      assert.deepEqual(yield* due.rangeByScore({ max: Atomic.now.epochMillis }), [])
      assert.strictEqual(yield* due.size(), 1)
    }))

  test("a program that is committed again under its idempotency key keeps the first time", () =>
    Effect.gen(function*() {
      yield* Clocked.insert({ id: "c" })
      const { at } = Clocked.ref("c")
      const program = Atomic.andThen(at.set(Atomic.now), at.get())
      const options = { idempotencyKey: "once", keepFor: "1 hour" } as const
      const first = yield* Atomic.commit(program, options)
      yield* at.set(early)
      assert.deepEqual(yield* Atomic.commit(program, options), first)
      assert.deepEqual(yield* at.get(), early)
    }))

  if (backend.hasOwnClock) {
    timeOf(test, backend).test(
      "in memory the time is that of Effect's clock, so a test moves it",
      () =>
        Effect.gen(function*() {
          yield* Quota.insert({ user: "alice" })
          yield* Clocked.insert({ id: "c" })
          const { at, log } = Clocked.ref("c")
          const sliding = Atomic.all([
            Atomic.guard(
              Condition.or(log.length().lt(3), log.at(0).lte(Atomic.now.minus("1 hour"))),
              () => "too many" as const
            ),
            log.append(Atomic.now, { keep: 3 })
          ])
          for (let i = 0; i < 3; i++) {
            yield* sliding
            yield* TestClock.adjust("10 minutes")
          }
          assert.strictEqual(yield* Effect.flip(sliding), "too many")
          yield* TestClock.adjust("30 minutes")
          yield* sliding
          assert.strictEqual(yield* Effect.flip(sliding), "too many")
          yield* TestClock.adjust("10 minutes")
          yield* sliding
          yield* at.set(Atomic.now)
          assert.strictEqual((yield* at.get()).getTime(), yield* now)
          assert.isDefined(yield* stored)
        })
    )
  }
}
