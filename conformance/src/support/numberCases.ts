/** Number operations, stored texts and positions, with the results that JavaScript computes. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Atomic from "redlayer/Atomic"
import type * as Field from "redlayer/Field"
import * as Model from "redlayer/Model"
import { RawStore } from "redlayer/testing"

export const Tally = Model.make("NumbersTally", {
  id: Schema.String,
  int: Schema.Int.pipe(Model.withDefault(0)),
  num: Schema.Number.pipe(Model.withDefault(0)),
  ints: Schema.Array(Schema.Int),
  nums: Schema.Array(Schema.Number)
}, { key: "id" })

export const keyOf = (id: string | number) => `NumbersTally:{${id}}`

type Kind = "int" | "num"

type Expected =
  | { readonly _tag: "is"; readonly value: number }
  | { readonly _tag: "ArithmeticError"; readonly reason: string }
  | { readonly _tag: "WrongType" }

interface Operation {
  readonly name: string
  readonly run: (field: Field.Number) => Atomic.Atomic<number, any>
  /** Returns the expected number, or the reason why there is none. */
  readonly compute: (stored: number) => number | "divisionByZero"
}

const withAmount = (
  name: "increment" | "decrement" | "multiply" | "divide" | "quotient" | "modulo" | "min" | "max",
  amount: number,
  compute: Operation["compute"]
): Operation => ({ name: `${name}(${amount})`, run: (field) => field[name](amount), compute })

const wholeAmounts = [0, 1, -3, 2 ** 53 - 1, 1e21]
const otherAmounts = [0.2, -1e-7, 5e-324, 1.7976931348623157e308]

export const operations: ReadonlyArray<Operation & { readonly whole: boolean }> = [...wholeAmounts, ...otherAmounts]
  .flatMap(
    (amount) => {
      const whole = Number.isInteger(amount)
      return [
        // on an integer field, these refuse a fraction before they are sent
        { whole, ...withAmount("increment", amount, (n) => n + amount) },
        { whole, ...withAmount("decrement", amount, (n) => n - amount) },
        { whole, ...withAmount("min", amount, (n) => Math.min(n, amount)) },
        { whole, ...withAmount("max", amount, (n) => Math.max(n, amount)) },
        {
          whole,
          name: `clamp(${amount}, ${amount + 1})`,
          run: (field: Field.Number) => field.clamp(amount, amount + 1),
          compute: (n: number) => Math.min(Math.max(n, amount), amount + 1)
        },
        { whole: true, ...withAmount("multiply", amount, (n) => n * amount) },
        { whole: true, ...withAmount("divide", amount, (n) => amount === 0 ? "divisionByZero" : n / amount) },
        {
          whole: true,
          ...withAmount("quotient", amount, (n) => amount === 0 ? "divisionByZero" : Math.trunc(n / amount))
        },
        { whole: true, ...withAmount("modulo", amount, (n) => amount === 0 ? "divisionByZero" : n % amount) }
      ]
    }
  )

/** Texts that another client may have stored, each with its number if it is one. */
export const texts: ReadonlyArray<readonly [text: string, value: number | undefined]> = [
  ["0", 0],
  ["-0", 0],
  ["1", 1],
  ["-1", -1],
  ["17", 17],
  ["-7", -7],
  ["1.0", 1],
  ["007", 7],
  ["-007.250", -7.25],
  ["1.5", 1.5],
  ["0.1", 0.1],
  ["0.30000000000000004", 0.1 + 0.2],
  ["25.9", 25.9],
  ["1e21", 1e21],
  ["1e+21", 1e21],
  ["1e3", 1000],
  ["5e-1", 0.5],
  ["1e-7", 1e-7],
  ["5e-324", 5e-324],
  ["4.9406564584124654e-324", 5e-324],
  ["2.2250738585072014e-308", 2.2250738585072014e-308],
  ["1.7976931348623157e308", Number.MAX_VALUE],
  ["1e-400", 0],
  ["9007199254740990", 2 ** 53 - 2],
  ["9007199254740991", 2 ** 53 - 1],
  ["9007199254740992", 2 ** 53],
  ["9007199254740993", 2 ** 53],
  ["-9007199254740991", -(2 ** 53 - 1)],
  ["-9007199254740992", -(2 ** 53)],
  ["123456789012345678901234567890", 1.2345678901234568e29],
  ["0.1234567890123456789", 0.12345678901234568],
  ["0x10", undefined],
  ["0b1", undefined],
  [" 1 ", undefined],
  ["1 ", undefined],
  ["1\n", undefined],
  ["1\u0000", undefined],
  ["\u0000", undefined],
  ["nan", undefined],
  ["inf", undefined],
  ["infinity", undefined],
  ["1e400", undefined],
  ["-1e400", undefined],
  ["", undefined],
  ["-", undefined],
  ["--1", undefined],
  ["+1", undefined],
  [".5", undefined],
  ["5.", undefined],
  ["1e", undefined],
  ["1e+", undefined],
  ["1e1.5", undefined],
  ["1E5", undefined],
  ["1,5", undefined],
  ["1_000", undefined],
  ["１", undefined],
  ["abc", undefined],
  ["1n", undefined],
  ["true", undefined],
  ["null", undefined]
]

/** The stored texts of the numbers that are not finite. */
export const notFinite: ReadonlyArray<readonly [text: string, value: number]> = [
  ["NaN", NaN],
  ["Infinity", Infinity],
  ["-Infinity", -Infinity]
]

/** Returns the expected outcome of an operation on a stored text. */
export const expected = (kind: Kind, text: string, value: number | undefined, { compute }: Operation): Expected => {
  if (kind === "num" && notFinite.some(([name]) => name === text)) {
    return { _tag: "ArithmeticError", reason: "notFinite" }
  }
  if (value === undefined || kind === "int" && !Number.isSafeInteger(value)) return { _tag: "WrongType" }
  const result = compute(value)
  if (typeof result === "string") return { _tag: "ArithmeticError", reason: result }
  if (!Number.isFinite(result)) return { _tag: "ArithmeticError", reason: "notFinite" }
  if (kind === "int" && !Number.isInteger(result)) return { _tag: "ArithmeticError", reason: "notWhole" }
  if (kind === "int" && !Number.isSafeInteger(result)) return { _tag: "ArithmeticError", reason: "outOfRange" }
  // -0 is stored as 0
  return { _tag: "is", value: result === 0 ? 0 : result }
}

/** Positions of an operation, each of which takes another path through the interpreters. */
export const positions: ReadonlyArray<{
  readonly name: string
  readonly prepare: (id: string, kind: Kind, text: string) => Effect.Effect<void, never, RawStore>
  readonly run: (id: string, kind: Kind, operation: Operation) => Atomic.Atomic<number, any>
  readonly text: (id: string, kind: Kind) => Effect.Effect<string | undefined, never, RawStore>
}> = [
  {
    name: "alone",
    prepare: (id, kind, text) => Effect.flatMap(RawStore, (raw) => raw.hashSet(keyOf(id), { [kind]: text })),
    run: (id, kind, operation) => operation.run(Tally.ref(id)[kind]),
    text: (id, kind) => Effect.flatMap(RawStore, (raw) => raw.hashGet(keyOf(id), kind))
  },
  {
    name: "in a program",
    prepare: (id, kind, text) => Effect.flatMap(RawStore, (raw) => raw.hashSet(keyOf(id), { [kind]: text })),
    run: (id, kind, operation) =>
      Atomic.map(Atomic.all([operation.run(Tally.ref(id)[kind]), Tally.exists(id)]), ([value]) => value),
    text: (id, kind) => Effect.flatMap(RawStore, (raw) => raw.hashGet(keyOf(id), kind))
  },
  {
    name: "on an item of a list",
    prepare: (id, kind, text) =>
      Effect.flatMap(
        RawStore,
        (raw) =>
          Effect.andThen(raw.hashSet(keyOf(id), { int: "0" }), raw.listPush(`${keyOf(id)}:${kind}s`, "1", text, "2"))
      ),
    run: (id, kind, operation) =>
      operation.run((kind === "int" ? Tally.ref(id).ints : Tally.ref(id).nums).at(-2) as unknown as Field.Number),
    text: (id, kind) =>
      Effect.flatMap(RawStore, (raw) => Effect.map(raw.listRead(`${keyOf(id)}:${kind}s`), (items) => items[1]))
  }
]

/** The outcome of an operation, in the form of `expected`. */
export const outcome = <A, E>(self: Effect.Effect<A, E>): Effect.Effect<any> =>
  Effect.match(self, {
    onSuccess: (value) => ({ _tag: "is", value }),
    onFailure: (error: any) =>
      error._tag === "RedisServiceError"
        ? { _tag: error.reason._tag }
        : error._tag === "ArithmeticError"
        ? { _tag: error._tag, reason: error.reason }
        : error
  })
