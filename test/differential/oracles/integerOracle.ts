/**
 * Arithmetic on bigints and durations of time, against JavaScript's own bigints.
 */
import { Duration, Effect, Schema } from "effect"
import { Atomic, type Field, Model } from "redlayer"
import { commit, type Outcome } from "../compareLayers.ts"
import { Random, seed } from "../random.ts"
import type * as State from "../storedState.ts"

const Whole = Model.make("Whole", {
  id: Schema.String,
  bigint: Schema.BigInt,
  duration: Schema.Duration,
  date: Schema.Date
}, { key: "id" })

const lowest = -(2n ** 63n)
const highest = 2n ** 63n - 1n
const lastDate = 8_640_000_000_000_000n

type Operation = Exclude<keyof Field.BigInt, keyof Field.Scalar<bigint> | keyof Field.Ordering<bigint>>

const onBigInts: ReadonlyArray<Operation> = [
  "increment",
  "decrement",
  "multiply",
  "quotient",
  "modulo",
  "min",
  "max",
  "clamp"
]

/** The operations of each field. */
export const operations: ReadonlyArray<string> = [
  ...onBigInts.map((operation) => `bigint ${operation}`),
  ...["duration", "date"].flatMap((field) => [`${field} add`, `${field} subtract`])
]

/** Any number of digits up to some, and more often near powers of two and ten, where digits are carried or cut. */
const any = (random: Random, bits: number): bigint => {
  const sign = random.chance(0.5) ? 1n : -1n
  switch (random.int(0, 5)) {
    case 0:
      return BigInt(random.int(-20, 20))
    case 1:
      return sign * 2n ** BigInt(random.int(0, bits)) + BigInt(random.int(-2, 2))
    case 2:
      return sign * 10n ** BigInt(random.int(0, Math.floor(bits * 0.301))) + BigInt(random.int(-2, 2))
    case 3:
      return sign * BigInt(random.pick([2 ** 53 - 1, 2 ** 53, 9_999_999, 10_000_000, 99_999_999_999_999])) +
        BigInt(random.int(-2, 2))
    default: {
      let value = 0n
      for (let i = 0; i < bits; i += 32) value = value * 2n ** 32n + BigInt(random.bits())
      return sign * (value >> BigInt(random.int(0, bits)))
    }
  }
}

const clamped = (value: bigint, low: bigint, high: bigint): bigint => value < low ? low : value > high ? high : value

const int64 = (random: Random): bigint => {
  switch (random.int(0, 5)) {
    case 0:
      return lowest + BigInt(random.int(0, 3))
    case 1:
      return highest - BigInt(random.int(0, 3))
    default:
      return clamped(any(random, 63), lowest, highest)
  }
}

interface Sample {
  readonly name: string
  readonly shown: string
  /** as it is stored */
  readonly field: "bigint" | "duration" | "date"
  readonly value: bigint
  readonly program: (id: string) => Atomic.Atomic<unknown, unknown>
  /** the result in the field's unit, or the reason why there is none */
  readonly expected: bigint | string
}

const own = (operation: Operation, value: bigint, a: bigint, b: bigint): bigint | string => {
  switch (operation) {
    case "increment":
      return value + a
    case "decrement":
      return value - a
    case "multiply":
      return value * a
    case "quotient":
      return a === 0n ? "divisionByZero" : value / a
    case "modulo":
      return a === 0n ? "divisionByZero" : value % a
    case "min":
      return value < a ? value : a
    case "max":
      return value > a ? value : a
    case "clamp":
      return clamped(value, a, b)
  }
}

const methods = {
  increment: "plus",
  decrement: "minus",
  multiply: "times",
  quotient: "quotient",
  modulo: "modulo",
  min: "min",
  max: "max"
} as const

const within = (result: bigint | string, low: bigint, high: bigint): bigint | string =>
  typeof result === "bigint" && (result < low || result > high) ? "outOfRange" : result

const onBigInt = (random: Random): Sample => {
  const operation = random.pick(onBigInts)
  const [x, y] = [int64(random), int64(random)]
  // a product of two of any size is most often too large
  const value = operation === "multiply" && random.chance(0.7)
    ? int64(random) >> BigInt(random.int(0, 63))
    : int64(random)
  const [low, high] = x <= y ? [x, y] : [y, x]
  // what is subtracted is sent as what is added
  const a = operation === "clamp" ? low : operation === "decrement" && x === lowest ? highest : x
  const isOperand = random.chance(0.3)
  return {
    name: `bigint ${operation}`,
    shown: `${value} ${operation} ${a} ${high}`,
    field: "bigint",
    value,
    program: (id) => {
      const handle = Whole.ref(id).bigint
      if (operation === "clamp") return handle.clamp(a, high)
      return isOperand
        ? Atomic.andThen(handle.set(handle.value()[methods[operation]](a)), handle.get())
        : handle[operation](a)
    },
    expected: within(own(operation, value, a, high), lowest, highest)
  }
}

const onTime = (random: Random): Sample => {
  const field = random.chance(0.5) ? "duration" : "date"
  const operation = random.chance(0.5) ? "add" : "subtract"
  const isDate = field === "date"
  const value = isDate ? clamped(any(random, 53), -lastDate, lastDate) : any(random, random.pick([60, 70, 200]))
  const amount = isDate ? clamped(any(random, 53), -(2n ** 53n) + 1n, 2n ** 53n - 1n) : any(random, 80)
  const duration = isDate ? Duration.millis(Number(amount)) : Duration.nanos(amount)
  const result = operation === "add" ? value + amount : value - amount
  return {
    name: `${field} ${operation}`,
    shown: `${value} ${operation} ${amount}`,
    field,
    value,
    program: (id) => Whole.ref(id)[field][operation](duration),
    expected: isDate ? within(result, -lastDate, lastDate) : result
  }
}

const found = (outcome: Outcome): unknown => {
  if ("label" in outcome) return outcome.label.replace("ArithmeticError ", "")
  const { value } = outcome
  return value instanceof Date
    ? BigInt(value.getTime())
    : Duration.isDuration(value)
    ? Duration.toNanosUnsafe(value)
    : value
}

export interface Result {
  readonly counts: Map<string, number>
  readonly mismatch: string | undefined
}

/** Each alone, and in a larger program. */
export const run = Effect.fnUntraced(function*(
  target: State.Target,
  options: { readonly name: string; readonly samples: number }
): Effect.fn.Return<Result> {
  const random = new Random(options.name)
  const counts = new Map<string, number>()
  for (let done = 0; done < options.samples;) {
    const samples = Array.from({ length: 500 }, () => random.chance(0.7) ? onBigInt(random) : onTime(random))
    done += samples.length
    yield* target.reset(
      new Map(
        samples.map(({ field, value }, i) => [
          `Whole:{s${i}}`,
          { type: "hash", expiry: -1, values: [field, String(value)] }
        ])
      )
    )
    const outcomes = yield* Effect.forEach(samples, ({ program }, i) => {
      const id = `s${i}`
      const alone = program(id)
      return commit(i % 2 === 0 ? alone : Atomic.andThen(Whole.exists(id), alone), target.service)
    }, { concurrency: "unbounded" })
    for (const [i, { expected, name, shown }] of samples.entries()) {
      const key = `${name} ${typeof expected === "string" ? expected : "gives a result"}`
      counts.set(key, (counts.get(key) ?? 0) + 1)
      const actual = found(outcomes[i]!)
      if (actual !== expected) {
        const mismatch = `${options.name}, REDLAYER_SEED=${seed}: ${name}: ${shown} gave ${actual}, not ${expected}`
        return { counts, mismatch }
      }
    }
  }
  return { counts, mismatch: undefined }
})
