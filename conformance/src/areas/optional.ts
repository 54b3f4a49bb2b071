/** Optional and nullable fields: their common rules, absence versus null, and arithmetic with an initial value. */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Atomic from "redlayer/Atomic"
import type * as Field from "redlayer/Field"
import * as Model from "redlayer/Model"
import { RawStore } from "redlayer/testing"
import * as assert from "../assert.ts"
import { concurrently, fails, identicalNumber, type Operation, stored, unchanged, wrongType } from "../assertions.ts"
import type { Test } from "../suite.ts"

const Positive = Schema.Int.check(Schema.isGreaterThan(0))

/** Every kind of field in every form of absence. */
const Seat = Model.make("OptionalSeat", {
  id: Schema.String,
  n: Schema.Int.pipe(Model.withDefault(0)),
  keyInt: Schema.optionalKey(Schema.Int),
  orInt: Schema.optional(Schema.Int),
  undefInt: Schema.UndefinedOr(Schema.Int),
  nullInt: Schema.NullOr(Schema.Int),
  keyNullInt: Schema.optionalKey(Schema.NullOr(Schema.Int)),
  keyFloat: Schema.optionalKey(Schema.Number),
  nullFloat: Schema.NullOr(Schema.Number),
  keyBig: Schema.optionalKey(Schema.BigInt),
  nullBig: Schema.NullOr(Schema.BigInt),
  keyText: Schema.optionalKey(Schema.String),
  nullText: Schema.NullOr(Schema.String),
  nullFlag: Schema.NullOr(Schema.Boolean),
  keyFlag: Schema.optionalKey(Schema.Boolean),
  nullWord: Schema.NullOr(Schema.Literals(["a", "null"])),
  keyDate: Schema.optionalKey(Schema.Date),
  nullDate: Schema.NullOr(Schema.Date),
  nullUtc: Schema.NullOr(Schema.DateTimeUtc),
  nullWait: Schema.NullOr(Schema.Duration),
  keyWait: Schema.optionalKey(Schema.Duration),
  nullStruct: Schema.NullOr(Schema.Struct({ a: Schema.Int })),
  keyStruct: Schema.optionalKey(Schema.Struct({ a: Schema.Int })),
  nullList: Schema.NullOr(Schema.Array(Schema.Int)),
  keyList: Schema.optionalKey(Schema.Array(Schema.Int)),
  keySet: Schema.optionalKey(Schema.ReadonlySet(Schema.String)),
  nullPositive: Schema.NullOr(Positive),
  keyPositive: Schema.optionalKey(Positive),
  nullUnion: Schema.NullOr(Schema.Union([Schema.Int, Schema.String]))
}, { key: "id" })

const allNull = {
  nullInt: null,
  nullFloat: null,
  nullBig: null,
  nullText: null,
  nullFlag: null,
  nullWord: null,
  nullDate: null,
  nullUtc: null,
  nullWait: null,
  nullStruct: null,
  nullList: null,
  nullPositive: null,
  nullUnion: null
}

const seat = { id: "s", undefInt: undefined, ...allNull }
const key = "OptionalSeat:{s}"

/** Two different values for each field. */
const settableValues = {
  keyInt: [0, 5],
  orInt: [0, -5],
  undefInt: [0, 2 ** 53 - 1],
  nullInt: [0, -7],
  keyFloat: [0.1, NaN, -Infinity],
  nullFloat: [0.1, NaN, -Infinity],
  keyBig: [2n ** 63n - 1n, 0n],
  nullBig: [-(2n ** 63n), 0n],
  keyText: ["", "null", "undefined"],
  nullText: ["", "null", "\"null\"", "undefined"],
  nullFlag: [false, true],
  keyFlag: [false, true],
  nullWord: ["null", "a"],
  keyDate: [new Date(0), new Date(-1)],
  nullDate: [new Date(0), new Date(5)],
  nullUtc: [DateTime.makeUnsafe(0), DateTime.makeUnsafe(5)],
  nullWait: [Duration.zero, Duration.nanos(5n)],
  keyWait: [Duration.zero, Duration.millis(5)],
  nullStruct: [{ a: 0 }, { a: 1 }],
  keyStruct: [{ a: 0 }, { a: 1 }],
  nullList: [[], [1]],
  keyList: [[], [1, 2]],
  keySet: [new Set(), new Set(["a", "null"])],
  nullPositive: [1, 2],
  keyPositive: [1, 2],
  nullUnion: [0, "0", "null"]
} as const

type AnyHandle = Field.Optional<any, any>
const handleOf = (name: string): AnyHandle => (Seat.ref("s") as unknown as Record<string, AnyHandle>)[name]!

export const optional = (test: Test): void => {
  test("the same rules apply to every form of absence and every kind of field", () =>
    Effect.gen(function*() {
      for (const [name, all] of Object.entries(settableValues)) {
        yield* Seat.put(seat)
        const bare = yield* Seat.get("s")
        const before = yield* stored
        const field = handleOf(name)
        for (const value of all) {
          yield* unchanged(Effect.gen(function*() {
            assert.deepEqual(yield* field.get(), Option.none(), name)
            assert.isFalse(yield* field.isSet(), name)
            assert.isFalse(yield* field.compareAndSet(value, value), name)
            yield* field.clear()
            yield* Atomic.all([field.clear(), field.isSet(), field.clear()])
          }))
          assert.isTrue(yield* field.setIfAbsent(value), name)
          assert.deepEqual(yield* field.get(), Option.some(value), name)
          assert.isTrue(yield* field.isSet(), name)
          assert.deepEqual((yield* Seat.get("s"))[name as "keyInt"], value as any, name)
          assert.isFalse(yield* unchanged(field.setIfAbsent(all[1])), name)
          if (typeof value !== "number" || !Number.isNaN(value)) {
            assert.isTrue(yield* field.compareAndSet(value, value), name)
          }
          yield* field.clear()
          assert.deepEqual(yield* Seat.get("s"), bare, name)
          assert.deepEqual(yield* stored, before, name)
          yield* field.set(all[1])
          yield* field.set(value)
          assert.deepEqual(yield* field.get(), Option.some(value), name)
          yield* field.clear()
          assert.deepEqual(
            yield* Atomic.all([
              field.isSet(),
              field.setIfAbsent(value),
              field.setIfAbsent(value),
              field.get(),
              field.clear(),
              field.get(),
              field.compareAndSet(value, value),
              field.set(value),
              field.isSet(),
              field.clear(),
              field.isSet()
            ]),
            [
              false,
              true,
              false,
              Option.some(value),
              undefined,
              Option.none(),
              false,
              undefined,
              true,
              undefined,
              false
            ],
            name
          )
          assert.deepEqual(yield* stored, before, name)
        }
        const won = yield* concurrently(Array.from({ length: 20 }, () => Atomic.commit(field.setIfAbsent(all[0]))))
        assert.strictEqual(won.filter((one) => one).length, 1, name)
      }
    }))

  test("null is stored as the text null, an absent field is not stored, and update distinguishes them", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      yield* Seat.insert(seat)
      assert.deepEqual(Object.keys((yield* stored)[key] as object).sort(), [...Object.keys(allNull), "n"].sort())
      for (const name of Object.keys(allNull)) assert.strictEqual(yield* raw.hashGet(key, name), "null", name)
      assert.notProperty(yield* Seat.get("s"), "keyInt")
      assert.property(yield* Seat.get("s"), "undefInt")
      yield* Seat.update("s", {
        nullText: "null",
        keyText: "null",
        nullInt: 5,
        keyInt: 6,
        nullList: [1],
        keyNullInt: null
      })
      assert.strictEqual(yield* raw.hashGet(key, "nullText"), "\"null\"")
      assert.strictEqual(yield* raw.hashGet(key, "keyText"), "null")
      assert.strictEqual(yield* raw.hashGet(key, "nullInt"), "5")
      assert.strictEqual(yield* raw.hashGet(key, "keyNullInt"), "null")
      assert.deepEqual((yield* Seat.get("s")).keyNullInt, null)
      yield* Seat.update("s", { nullText: null, keyText: undefined, nullInt: null, keyInt: undefined, nullList: null })
      yield* Seat.update("s", { keyNullInt: undefined })
      assert.deepEqual(yield* Seat.get("s"), yield* Seat.put(seat))
      yield* unchanged(Effect.gen(function*() {
        const bad: ReadonlyArray<readonly [object, string]> = [
          [{ nullInt: undefined }, "nullInt"],
          [{ keyInt: null }, "keyInt"],
          [{ undefInt: null }, "undefInt"],
          [{ nullWord: "b" }, "nullWord"],
          [{ nullPositive: 0 }, "nullPositive"],
          [{ nullText: "\ud800" }, "nullText"],
          [{ nullStruct: { a: "1" } }, "nullStruct.a"]
        ]
        for (const [patch, field] of bad) yield* fails(Seat.update("s", patch as any), "InvalidValue", { field })
        for (const name of Object.keys(settableValues)) {
          const field = handleOf(name)
          for (const value of [null, undefined, Symbol("x")]) {
            // what the field is without a value clears it
            const clears = value === (name.startsWith("null") ? null : undefined)
            const programs = [field.setIfAbsent(value), field.compareAndSet(value, value)]
            for (const program of clears ? programs : [...programs, field.set(value)]) {
              yield* fails(program as Operation, "InvalidValue").pipe(
                Effect.catchCause(() => Effect.die(new Error(`${name} ${String(value)}`)))
              )
            }
          }
        }
      }))
    }))

  test("arithmetic on an absent or null field starts from `initial`, and fails without it", () =>
    Effect.gen(function*() {
      yield* Seat.insert(seat)
      const ref = Seat.ref("s")
      const options = { initial: 10 }
      for (
        const [name, cell] of Object.entries({
          keyInt: ref.keyInt,
          orInt: ref.orInt,
          undefInt: ref.undefInt,
          nullInt: ref.nullInt
        })
      ) {
        const steps: ReadonlyArray<readonly [Operation, number, number]> = [
          [cell.increment(3, options), 13, 16],
          [cell.decrement(3, options), 7, 4],
          [cell.multiply(3, options), 30, 90],
          [cell.divide(1, options), 10, 10],
          [cell.quotient(3, options), 3, 1],
          [cell.modulo(6, options), 4, 4],
          [cell.power(2, options), 100, 10_000],
          [cell.min(3, options), 3, 3],
          [cell.max(30, options), 30, 30],
          [cell.clamp(0, 7, options), 7, 7]
        ]
        for (const [operation, first, second] of steps) {
          assert.strictEqual(yield* operation, first, name)
          assert.strictEqual(yield* operation, second, name)
          yield* cell.clear()
          assert.deepEqual(yield* Atomic.all([operation, operation, cell.clear()]), [first, second, undefined], name)
        }
        yield* unchanged(Effect.gen(function*() {
          for (
            const program of [
              (cell as any).increment(),
              (cell as any).increment(1),
              (cell as any).multiply(2, { atLeast: 0 }),
              cell.increment(1, { initial: 1.5 }),
              cell.increment(1, { initial: NaN }),
              cell.increment(1, { initial: null as any }),
              cell.increment(1.5, options),
              cell.power(1.5, options)
            ] as ReadonlyArray<Operation>
          ) yield* fails(program, "InvalidValue", { field: name })
          yield* fails(cell.divide(0, options), "ArithmeticError", { field: name, reason: "divisionByZero" })
          yield* fails(cell.divide(3, options), "ArithmeticError", { field: name, reason: "notWhole" })
          yield* fails(cell.increment(1, { initial: 2 ** 53 - 1 }), "ArithmeticError", { reason: "outOfRange" })
          yield* fails(cell.decrement(1, { initial: 0, atLeast: 0 }), "OutOfBounds", { bound: "atLeast", limit: 0 })
        }))
      }
      for (const cell of [ref.keyFloat, ref.nullFloat] as ReadonlyArray<Field.OptionalNumber>) {
        identicalNumber(yield* cell.increment(0.2, { initial: 0.1 }), 0.1 + 0.2)
        identicalNumber(yield* cell.divide(3, { initial: 0 }), (0.1 + 0.2) / 3)
        yield* cell.set(NaN)
        yield* unchanged(fails(cell.increment(1, { initial: 0 }), "ArithmeticError", { reason: "notFinite" }))
      }
      for (const cell of [ref.keyBig, ref.nullBig]) {
        assert.strictEqual(yield* cell.increment(1n, { initial: 2n ** 62n }), 2n ** 62n + 1n)
        assert.strictEqual(yield* cell.modulo(2n ** 62n, { initial: 0n }), 1n)
        yield* unchanged(fails(cell.quotient(0n, { initial: 0n }), "ArithmeticError", { reason: "divisionByZero" }))
        yield* unchanged(fails((cell as any).increment(1n) as Operation, "InvalidValue"))
        yield* unchanged(fails(cell.increment(1n, { initial: 2n ** 63n }), "InvalidValue"))
      }
      const day = Duration.days(1)
      for (const cell of [ref.keyDate, ref.nullDate]) {
        assert.deepEqual(yield* cell.add(day, { initial: new Date(5) }), new Date(86_400_005))
        assert.deepEqual(yield* cell.subtract(day, { initial: new Date(9) }), new Date(5))
      }
      assert.deepEqual(
        yield* ref.nullUtc.add(day, { initial: DateTime.makeUnsafe(0) }),
        DateTime.makeUnsafe(86_400_000)
      )
      for (const cell of [ref.keyWait, ref.nullWait]) {
        assert.deepEqual(yield* cell.add("1 nanos", { initial: Duration.zero }), Duration.nanos(1n))
        yield* unchanged(fails((cell as any).add("1 nanos") as Operation, "InvalidValue"))
      }
    }))

  test("only the result must be within the bounds, not the initial value", () =>
    Effect.gen(function*() {
      yield* Seat.insert(seat)
      const { keyPositive, nullPositive } = Seat.ref("s")
      for (const [field, cell] of Object.entries<Field.OptionalNumber>({ keyPositive, nullPositive })) {
        yield* unchanged(
          fails(cell.increment(0, { initial: 0 }), "OutOfBounds", { field, bound: "exclusiveMinimum", limit: 0 })
        )
        assert.strictEqual(yield* cell.increment(1, { initial: 0 }), 1)
        yield* unchanged(fails(cell.decrement(1, { initial: 5 }), "OutOfBounds", { field, bound: "exclusiveMinimum" }))
        yield* unchanged(fails(cell.set(0), "InvalidValue", { field }))
      }
    }))

  test("concurrent increments of a missing counter start it once", () =>
    Effect.gen(function*() {
      yield* Seat.insert(seat)
      const { nullInt } = Seat.ref("s")
      const results = yield* concurrently(Array.from({ length: 100 }, () => nullInt.increment(1, { initial: 1000 })))
      assert.deepEqual(results.sort((a, b) => a - b), Array.from({ length: 100 }, (_, i) => 1001 + i))
      assert.deepEqual(yield* nullInt.get(), Option.some(1100))
    }))

  test("invalid texts stored by another client are reported, and a missing nullable field is an error, not null", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      yield* Seat.insert(seat)
      const { keyInt, nullInt, nullText } = Seat.ref("s")
      for (const text of ["abc", "1.5", ""]) {
        yield* raw.hashSet(key, { nullInt: text, keyInt: text })
        yield* unchanged(Effect.gen(function*() {
          for (const [field, cell] of [["nullInt", nullInt], ["keyInt", keyInt]] as const) {
            yield* wrongType(cell.get(), { model: "OptionalSeat", id: "s", key, field })
            yield* wrongType(cell.increment(1, { initial: 0 }), { field })
            // the field is set, although its value is invalid
            assert.isTrue(yield* cell.isSet())
            assert.isFalse(yield* cell.setIfAbsent(5))
            assert.isFalse(yield* cell.compareAndSet(5, 6))
          }
          yield* fails(Seat.get("s"), "EntityCorrupted", { id: "s", key })
        }))
      }
      // in a field that is not nullable, null is invalid
      yield* raw.hashSet(key, { nullInt: "null", keyInt: "null" })
      yield* wrongType(keyInt.get(), { field: "keyInt" })
      yield* keyInt.clear()
      yield* raw.hashDelete(key, "nullInt")
      yield* unchanged(Effect.gen(function*() {
        yield* wrongType(nullInt.get(), { field: "nullInt" })
        assert.isFalse(yield* nullInt.isSet())
        yield* fails(Seat.get("s"), "EntityCorrupted", { field: "nullInt", issue: "Missing" })
      }))
      assert.isTrue(yield* nullInt.setIfAbsent(1))
      assert.strictEqual((yield* Seat.get("s")).nullInt, 1)
      // a nullable text is stored as JSON, so plain text is invalid
      yield* raw.hashSet(key, { nullText: "plain" })
      yield* unchanged(wrongType(nullText.get(), { field: "nullText" }))
    }))

  test("a default applies to an absent field, not to a null one", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      const Mild = Model.make("OptionalMild", {
        id: Schema.String,
        n: Schema.optionalKey(Schema.Int).pipe(Model.withDefault(7)),
        m: Schema.NullOr(Schema.Int).pipe(Model.withDefault(7)),
        none: Schema.NullOr(Schema.Int).pipe(Model.withDefault(null))
      }, { key: "id" })
      yield* Mild.insert({ id: "m" })
      const { m, n, none } = Mild.ref("m")
      assert.deepEqual(yield* Mild.get("m"), { id: "m", n: 7, m: 7, none: null })
      yield* n.clear()
      assert.deepEqual(yield* n.get(), Option.some(7))
      yield* m.clear()
      assert.deepEqual(yield* m.get(), Option.none())
      assert.deepEqual(yield* Mild.get("m"), { id: "m", n: 7, m: null, none: null })
      yield* raw.hashDelete("OptionalMild:{m}", "m")
      yield* raw.hashDelete("OptionalMild:{m}", "none")
      assert.deepEqual(yield* m.get(), Option.some(7))
      assert.deepEqual(yield* none.get(), Option.none())
      assert.deepEqual(yield* Mild.get("m"), { id: "m", n: 7, m: 7, none: null })
      // a default takes precedence over `initial`
      assert.strictEqual(yield* n.increment(1, { initial: 100 }), 8)
      assert.strictEqual(yield* none.increment(1, { initial: 100 }), 101)
    }))
}
