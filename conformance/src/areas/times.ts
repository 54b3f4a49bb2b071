/** Dates and durations: exact arithmetic across years, leap days and time zones. Also powers of numbers. */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Atomic from "redlayer/Atomic"
import * as Model from "redlayer/Model"
import { RawStore } from "redlayer/testing"
import * as assert from "../assert.ts"
import { concurrently, fails, identicalNumber, type Operation, unchanged, wrongType } from "../assertions.ts"
import type { Test } from "../suite.ts"

const Trial = Model.make("TimesTrial", {
  id: Schema.String,
  n: Schema.Int.pipe(Model.withDefault(0)),
  ratio: Schema.Number.pipe(Model.withDefault(0)),
  date: Schema.Date,
  utc: Schema.DateTimeUtc,
  wait: Schema.Duration,
  soon: Schema.Date.check(
    Schema.isBetweenDate({ minimum: new Date(0), maximum: new Date(10_000) })
  ).pipe(Model.withDefault(new Date(5000))),
  checked: Schema.Date.check(Schema.makeFilter((date) => date.getTime() !== 13)).pipe(Model.withDefault(new Date(0))),
  later: Schema.Date.pipe(Model.withDefault(new Date(7))),
  dates: Schema.Array(Schema.Date).pipe(Model.withDefault([])),
  optional: Schema.optionalKey(Schema.DateTimeUtc)
}, { key: "id" })

const key = "TimesTrial:{t}"
const trial = { id: "t", date: new Date(0), utc: DateTime.makeUnsafe(0), wait: Duration.zero }

const moves: ReadonlyArray<readonly [from: string, by: Duration.Input, to: string]> = [
  ["2024-02-28T12:00:00.001Z", "1 day", "2024-02-29T12:00:00.001Z"],
  ["2023-02-28T12:00:00.999Z", "1 day", "2023-03-01T12:00:00.999Z"],
  ["2024-12-31T23:59:59.999Z", "1 millis", "2025-01-01T00:00:00.000Z"],
  ["2024-12-31T20:00:00.000Z", "6 hours", "2025-01-01T02:00:00.000Z"],
  // a local hour that some time zones skip, and one that they have twice
  ["2024-03-31T00:30:00.000Z", "1 hour", "2024-03-31T01:30:00.000Z"],
  ["2024-10-27T00:30:00.000Z", "24 hours", "2024-10-28T00:30:00.000Z"],
  ["1969-12-31T23:59:59.999Z", "2 millis", "1970-01-01T00:00:00.001Z"],
  ["1970-01-01T00:00:00.000Z", { days: -1 } as any, "1969-12-31T00:00:00.000Z"],
  ["0000-01-01T00:00:00.000Z", "366 days", "0001-01-01T00:00:00.000Z"],
  ["2024-06-15T12:34:56.789Z", 0, "2024-06-15T12:34:56.789Z"],
  ["2024-06-15T12:34:56.789Z", "52 weeks", "2025-06-14T12:34:56.789Z"]
]

export const times = (test: Test): void => {
  test("adding a duration to a date is exact to the millisecond and reversible", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      yield* Trial.insert(trial)
      const { date, utc } = Trial.ref("t")
      for (const [from, input, to] of moves) {
        const by = typeof input === "object" ? Duration.negate(Duration.days(1)) : input
        yield* date.set(new Date(from))
        yield* utc.set(DateTime.makeUnsafe(from))
        assert.strictEqual((yield* date.add(by)).toISOString(), new Date(to).toISOString(), `${from} ${to}`)
        assert.strictEqual((yield* date.get()).getTime(), Date.parse(to))
        assert.strictEqual(DateTime.formatIso(yield* utc.add(by)), new Date(to).toISOString())
        assert.strictEqual(yield* raw.hashGet(key, "utc"), String(Date.parse(to)))
        assert.strictEqual((yield* date.subtract(by)).getTime(), Date.parse(from))
        assert.strictEqual(DateTime.toEpochMillis(yield* utc.subtract(by)), Date.parse(from))
      }
      assert.isTrue(DateTime.isDateTime(yield* utc.get()))
      assert.instanceOf(yield* date.get(), Date)
      assert.deepEqual(yield* date.getAndSet(new Date(9)), new Date(moves.at(-1)![0]))
      assert.isTrue(yield* date.compareAndSet(new Date(9), new Date(10)))
      assert.isFalse(yield* date.compareAndSet(new Date(9), new Date(11)))
      assert.deepEqual(
        yield* Atomic.all([date.add(5), date.subtract("1 second"), date.get(), Trial.pick("t", ["date"])]),
        [new Date(15), new Date(-985), new Date(-985), { date: new Date(-985) }]
      )
    }))

  test("an instant is the same in every time zone of the host", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      const zone = process.env["TZ"]
      yield* Effect.addFinalizer(() =>
        Effect.sync(() => {
          if (zone === undefined) delete process.env["TZ"]
          else process.env["TZ"] = zone
        })
      )
      const offsets = new Set<number>()
      for (const [i, name] of ["UTC", "Pacific/Kiritimati", "America/St_Johns", "Europe/Zurich"].entries()) {
        process.env["TZ"] = name
        // the day in Zurich that has 23 hours
        const date = new Date("2024-03-30T23:30:00.123Z")
        offsets.add(date.getTimezoneOffset())
        yield* Trial.put({ ...trial, id: `t${i}`, date })
        const later = yield* Trial.ref(`t${i}`).date.add("1 day")
        assert.strictEqual(later.toISOString(), "2024-03-31T23:30:00.123Z")
        assert.strictEqual(yield* raw.hashGet(`TimesTrial:{t${i}}`, "date"), String(later.getTime()))
      }
      assert.strictEqual(offsets.size, 4)
      for (const i of [0, 1, 2, 3]) {
        assert.strictEqual((yield* Trial.get(`t${i}`)).date.toISOString(), "2024-03-31T23:30:00.123Z")
      }
    }))

  test("a result outside the range of dates is refused, at both ends", () =>
    Effect.gen(function*() {
      yield* Trial.insert(trial)
      const { date, utc } = Trial.ref("t")
      const end = 8.64e15
      yield* date.set(new Date(end - 1))
      assert.strictEqual((yield* date.add(1)).getTime(), end)
      yield* unchanged(
        fails(date.add(1), "ArithmeticError", { model: "TimesTrial", id: "t", field: "date", reason: "outOfRange" })
      )
      yield* date.set(new Date(-end))
      yield* unchanged(fails(date.subtract(1), "ArithmeticError", { field: "date", reason: "outOfRange" }))
      assert.strictEqual((yield* date.add(Duration.millis(2 * 4.32e15))).getTime(), 0)
      yield* unchanged(Effect.gen(function*() {
        for (
          const bad of [
            "x",
            Infinity,
            Duration.infinity,
            Duration.nanos(1n),
            "1.5 millis",
            null,
            true
          ] as ReadonlyArray<any>
        ) {
          for (const program of [date.add(bad), date.subtract(bad), utc.add(bad)] as ReadonlyArray<Operation>) {
            const { field } = yield* fails(program, "InvalidValue", { model: "TimesTrial", id: "t" })
            assert.oneOf(field, ["date", "utc"])
          }
        }
        for (const bad of [new Date(NaN), 5, "2024-01-01", null, undefined] as ReadonlyArray<any>) {
          yield* fails(date.set(bad), "InvalidValue", { field: "date" })
          yield* fails(date.getAndSet(bad), "InvalidValue", { field: "date" })
          yield* fails(date.add(1, { atLeast: bad ?? NaN }), "InvalidValue", { field: "date" })
        }
        yield* fails((date as any).increment() as Operation, "InvalidValue", { field: "date" })
      }))
    }))

  test("bounds of the schema and of the call apply to dates and durations", () =>
    Effect.gen(function*() {
      yield* Trial.insert(trial)
      const { checked, date, soon, utc, wait } = Trial.ref("t")
      yield* unchanged(Effect.gen(function*() {
        yield* fails(soon.add("6 seconds"), "OutOfBounds", { field: "soon", bound: "maximum", limit: 10_000 })
        yield* fails(soon.subtract("6 seconds"), "OutOfBounds", { field: "soon", bound: "minimum", limit: 0 })
        yield* fails(date.add(5, { atMost: new Date(4) }), "OutOfBounds", { field: "date", bound: "atMost", limit: 4 })
        yield* fails(utc.subtract(5, { atLeast: DateTime.makeUnsafe(0) }), "OutOfBounds", {
          bound: "atLeast",
          limit: 0
        })
        yield* fails(wait.subtract(1, { atLeast: Duration.zero }), "OutOfBounds", {
          field: "wait",
          bound: "atLeast",
          limit: 0n
        })
        yield* fails(soon.set(new Date(10_001)), "InvalidValue", { field: "soon" })
        const { issue } = yield* fails(checked.add(1), "InvalidValue", { field: "checked" })
        assert.include(issue, "modify")
      }))
      assert.deepEqual(yield* soon.add("5 seconds", { atMost: new Date(10_000) }), new Date(10_000))
      assert.deepEqual(yield* wait.add("2 seconds", { atMost: Duration.seconds(2) }), Duration.seconds(2))
      yield* checked.set(new Date(5))
    }))

  test("a duration is exact to the nanosecond, however long, and may be negative", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      yield* Trial.insert(trial)
      const { wait } = Trial.ref("t")
      let nanos = 0n
      for (
        const by of [
          Duration.nanos(1n),
          Duration.millis(1),
          Duration.days(365_000),
          Duration.nanos(2n ** 63n),
          Duration.nanos(-(2n ** 64n)),
          Duration.nanos(10n ** 40n),
          Duration.nanos(-(10n ** 40n)),
          Duration.weeks(-3),
          Duration.zero
        ]
      ) {
        nanos += Duration.toNanosUnsafe(by)
        const found = yield* wait.add(by)
        assert.strictEqual(Duration.toNanosUnsafe(found), nanos)
        assert.strictEqual(yield* raw.hashGet(key, "wait"), String(nanos))
        assert.strictEqual(Duration.toNanosUnsafe(yield* wait.get()), nanos)
        assert.isTrue(yield* wait.compareAndSet(Duration.nanos(nanos), Duration.nanos(nanos)))
        yield* wait.subtract(by)
        assert.strictEqual(Duration.toNanosUnsafe(yield* wait.getAndSet(found)), nanos - Duration.toNanosUnsafe(by))
      }
      for (
        const value of [Duration.zero, Duration.millis(1.5), Duration.nanos(1n), Duration.days(1), Duration.millis(-5)]
      ) {
        yield* wait.set(value)
        assert.isTrue(Duration.equals(yield* wait.get(), value))
        assert.isTrue(Duration.equals((yield* Trial.get("t")).wait, value))
      }
      yield* unchanged(Effect.gen(function*() {
        for (const bad of [Duration.infinity, Duration.negativeInfinity, 5, "1 day", null] as ReadonlyArray<any>) {
          yield* fails(wait.set(bad), "InvalidValue", { field: "wait" })
          yield* fails(Trial.update("t", { wait: bad }), "InvalidValue", { field: "wait" })
        }
        for (const bad of [Duration.infinity, "x", -Infinity, null] as ReadonlyArray<any>) {
          yield* fails(wait.add(bad), "InvalidValue", { field: "wait" })
          yield* fails(wait.subtract(bad), "InvalidValue", { field: "wait" })
        }
      }))
      yield* wait.set(Duration.zero)
      yield* concurrently(Array.from({ length: 1000 }, () => wait.add("1 nanos")))
      assert.strictEqual(Duration.toNanosUnsafe(yield* wait.get()), 1000n)
    }))

  test("arithmetic on a missing time starts from `initial` or the default, and list items are times too", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      yield* Trial.insert({ ...trial, dates: [new Date(0), new Date(5)] })
      const { dates, later, optional } = Trial.ref("t")
      const initial = DateTime.makeUnsafe(100)
      assert.deepEqual(yield* optional.add(5, { initial }), DateTime.makeUnsafe(105))
      assert.deepEqual(yield* optional.add(5, { initial }), DateTime.makeUnsafe(110))
      assert.deepEqual(yield* optional.subtract(5, { initial }), DateTime.makeUnsafe(105))
      yield* optional.clear()
      yield* unchanged(
        fails(optional.add(5, { initial, atMost: initial }), "OutOfBounds", { field: "optional", bound: "atMost" })
      )
      yield* unchanged(fails((optional as any).add(5) as Operation, "InvalidValue", { field: "optional" }))
      assert.deepEqual(yield* optional.get(), Option.none())
      yield* raw.hashDelete(key, "later")
      assert.deepEqual(yield* later.add(1), new Date(8))
      assert.deepEqual(yield* dates.at(-1).add("1 day"), new Date(86_400_005))
      assert.deepEqual(yield* dates.get(), [new Date(0), new Date(86_400_005)])
    }))

  test("an invalid time that another client stored is reported and stays", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      yield* Trial.insert(trial)
      const { date, utc, wait } = Trial.ref("t")
      const cases: ReadonlyArray<readonly [string, ReadonlyArray<string>, ReadonlyArray<Operation>]> = [
        ["date", ["", "abc", "1.5", "2020-01-01", "8640000000000001", "-8640000000000001"], [
          date.get(),
          date.add(1),
          date.getAndSet(new Date(0))
        ]],
        ["utc", ["", "abc", "1.5"], [utc.get(), utc.subtract(1), utc.getAndSet(DateTime.makeUnsafe(0))]],
        ["wait", ["", "abc", "1.5", "1e3", "P1D", "Infinity"], [wait.get(), wait.add(1), wait.getAndSet(Duration.zero)]]
      ]
      for (const [field, texts, operations] of cases) {
        const old = (yield* raw.hashGet(key, field))!
        for (const text of texts) {
          yield* raw.hashSet(key, { [field]: text })
          for (const operation of operations) {
            yield* unchanged(wrongType(operation, { model: "TimesTrial", id: "t", key, field }))
          }
          yield* fails(Trial.get("t"), "EntityCorrupted", { field })
        }
        yield* raw.hashSet(key, { [field]: old })
      }
    }))

  test("an integer power equals repeated multiplication, and the power 0.5 is the square root", () =>
    Effect.gen(function*() {
      yield* Trial.insert(trial)
      const { n, ratio } = Trial.ref("t")
      /** Squares and multiplies. The library promises this result to the last bit. */
      const power = (x: number, exponent: number): number => {
        if (exponent === 0.5) return Math.sqrt(x)
        let [r, b, m] = [1, x, Math.abs(exponent)]
        while (m > 0) {
          if (m % 2 === 1) r *= b
          m = Math.floor(m / 2)
          if (m > 0) b *= b
        }
        return exponent < 0 ? 1 / r : r
      }
      for (const x of [0, 1, -1, 2, -2, 3, 10, 0.1, -0.5, 1.1, 1e10, 1e-10, 123.456, 5e-324, 1e300]) {
        for (const exponent of [0, 1, 2, 3, 5, 10, 31, 100, -1, -2, -3, 0.5]) {
          yield* ratio.set(x)
          const wanted = power(x, exponent)
          const what = `${x} to ${exponent}`
          if (x === 0 && exponent < 0) {
            yield* fails(ratio.power(exponent), "ArithmeticError", { field: "ratio", reason: "divisionByZero" })
          } else if (!Number.isFinite(wanted)) {
            yield* fails(ratio.power(exponent), "ArithmeticError", { field: "ratio", reason: "notFinite" })
          } else {
            identicalNumber(yield* ratio.power(exponent), wanted === 0 ? 0 : wanted, what)
          }
        }
      }
      yield* n.set(5)
      assert.strictEqual(yield* n.power(2), 25)
      assert.strictEqual(yield* n.power(0.5), 5)
      yield* unchanged(Effect.gen(function*() {
        yield* fails(n.power(0.5), "ArithmeticError", { field: "n", reason: "notWhole" })
        yield* fails(n.power(-1), "ArithmeticError", { field: "n", reason: "notWhole" })
        yield* fails(n.power(23), "ArithmeticError", { field: "n", reason: "outOfRange" })
        yield* fails(n.power(2, { atMost: 24 }), "OutOfBounds", { field: "n", bound: "atMost", limit: 24 })
        for (const bad of [1.5, NaN, Infinity, -0.5, "2", undefined, 2 ** 60] as ReadonlyArray<any>) {
          yield* fails(n.power(bad), "InvalidValue", { field: "n" })
        }
      }))
    }))
}
