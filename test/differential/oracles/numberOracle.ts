/**
 * Arithmetic on random numbers, against JavaScript's own.
 */
import { Effect, Schema } from "effect"
import { Atomic, type Field, Model } from "redlayer"
import { commit, type Outcome } from "../compareLayers.ts"
import { Random, seed } from "../random.ts"
import type * as State from "../storedState.ts"

const Sum = Model.make("Sum", { id: Schema.String, number: Schema.Number, integer: Schema.Int }, { key: "id" })

const limit = 3

const Bounded = Model.make("Bounded", {
  id: Schema.String,
  "integer minimum": Schema.Int.check(Schema.isGreaterThanOrEqualTo(limit)),
  "integer exclusiveMinimum": Schema.Int.check(Schema.isGreaterThan(limit)),
  "integer maximum": Schema.Int.check(Schema.isLessThanOrEqualTo(limit)),
  "integer exclusiveMaximum": Schema.Int.check(Schema.isLessThan(limit)),
  "number minimum": Schema.Number.check(Schema.isGreaterThanOrEqualTo(limit)),
  "number exclusiveMinimum": Schema.Number.check(Schema.isGreaterThan(limit)),
  "number maximum": Schema.Number.check(Schema.isLessThanOrEqualTo(limit)),
  "number exclusiveMaximum": Schema.Number.check(Schema.isLessThan(limit))
}, { key: "id" })

type Operation = Exclude<keyof Field.Number, keyof Field.Scalar<number> | keyof Field.Ordering<number>>

export const operations: ReadonlyArray<Operation> = [
  "increment",
  "decrement",
  "multiply",
  "divide",
  "quotient",
  "modulo",
  "min",
  "max",
  "clamp",
  "power"
]

const own = (operation: Operation, value: number, a: number, b: number): number => {
  switch (operation) {
    case "increment":
      return value + a
    case "decrement":
      return value - a
    case "multiply":
      return value * a
    case "divide":
      return value / a
    case "quotient":
      return Math.trunc(value / a)
    case "modulo":
      return value % a
    case "min":
      return Math.min(value, a)
    case "max":
      return Math.max(value, a)
    case "clamp":
      return Math.min(Math.max(value, a), b)
    case "power":
      return a === 0.5 ? Math.sqrt(value) : power(value, a)
  }
}

/** By multiplying: what `**` gives is the engine's own. */
const power = (base: number, exponent: number): number => {
  let result = 1
  for (let rest = Math.abs(exponent), square = base; rest > 0; square *= square) {
    if (rest % 2 === 1) result *= square
    rest = Math.floor(rest / 2)
  }
  return exponent < 0 ? 1 / result : result
}

const call = (handle: Field.Number, operation: Operation, a: number, b: number) =>
  operation === "clamp" ? handle.clamp(a, b) : handle[operation](a)

/** The result, or the reason why there is none. */
const expectation = (whole: boolean, operation: Operation, value: number, a: number, b: number): number | string => {
  if (a === 0 && ["divide", "quotient", "modulo"].includes(operation)) return "divisionByZero"
  if (value === 0 && operation === "power" && a < 0) return "divisionByZero"
  const result = own(operation, value, a, b)
  if (!Number.isFinite(result)) return "notFinite"
  if (whole && !Number.isInteger(result)) return "notWhole"
  if (whole && !Number.isSafeInteger(result)) return "outOfRange"
  return result === 0 ? 0 : result
}

const round = [0, 1, -1, 2, 3, 10, 100, 0.1, 0.2, 0.3, 0.5, 1.5, 1e21, 1e-7, 2 ** 31, 2 ** 53, 2 ** 53 - 1, 5e-324]

/** Any double, and more often those where arithmetic or its text is hard. */
const double = (random: Random): number => {
  switch (random.int(0, 7)) {
    case 0:
      return random.pick(round) * random.pick([1, -1])
    case 1:
      return random.int(-1000, 1000)
    case 2:
      return random.int(-1e6, 1e6) / 100
    // powers of two and their neighbours, subnormal ones too
    case 3:
      return 2 ** random.int(-1074, 1023) * random.pick([1, -1, 1 + 2 ** -52, 1 - 2 ** -53])
    case 4:
      return Number(`${random.int(1, 99)}e${random.int(-320, 306)}`)
    case 5:
      return Math.round((random.bits() * 2 ** 21 + random.bits()) / 1024) * random.pick([1, -1])
    default: {
      const value = random.double()
      return Number.isFinite(value) ? value : 0
    }
  }
}

const integer = (random: Random): number => {
  switch (random.int(0, 4)) {
    case 0:
      return random.int(-20, 20)
    case 1:
      return random.pick([1, -1]) * (2 ** random.int(0, 53) - random.int(0, 1))
    case 2:
      return random.pick([1, -1]) * 10 ** random.int(0, 15)
    default:
      return Math.trunc((random.bits() * 2 ** 21 + (random.bits() >>> 11)) / 2 ** random.int(0, 40)) *
        random.pick([1, -1])
  }
}

const exponent = (random: Random): number =>
  random.chance(0.25)
    ? 0.5
    : random.chance(0.7)
    ? random.int(-8, 20)
    : random.pick([1, -1]) * random.pick([63, 1023, 1074, 2 ** 31, 2 ** 53 - 1, random.bits()])

const safe = (value: number): number => Number.isSafeInteger(value) ? value : Math.sign(value) * (2 ** 53 - 1)

interface Sample {
  readonly name: "number" | "integer"
  readonly operation: Operation
  readonly value: number
  readonly a: number
  readonly b: number
  readonly expected: number | string
}

const sample = (random: Random): Sample => {
  const name = random.chance(0.5) ? "number" : "integer"
  const operation = random.pick(operations)
  const whole = name === "integer"
  const value = whole ? safe(integer(random)) : double(random)
  // an integer is multiplied and divided by anything, and compared with or increased by integers only
  const fraction = !whole || ["multiply", "divide", "quotient", "modulo"].includes(operation) && random.chance(0.3)
  const [x, y] = [fraction ? double(random) : integer(random), whole ? integer(random) : double(random)]
  const [a, b] = operation === "clamp"
    ? [Math.min(x, y), Math.max(x, y)]
    : operation === "power"
    ? [exponent(random), 0]
    : [x, y]
  return { name, operation, value, a, b, expected: expectation(whole, operation, value, a, b) }
}

const methods = {
  increment: "plus",
  decrement: "minus",
  multiply: "times",
  divide: "dividedBy",
  quotient: "quotient",
  modulo: "modulo",
  min: "min",
  max: "max"
} as const

/** With amounts that are sent; that another entity holds; or computed first, and then stored. */
const programOf = ({ a, b, name, operation, value }: Sample, index: number) => {
  const handle = Sum.ref("s")[name]
  if (operation === "clamp" || operation === "power" || index % 3 === 0) {
    return Atomic.andThen(handle.set(value), call(handle, operation, a, b))
  }
  const other = Sum.ref("other").number
  const computed = index % 2 === 0
    ? Atomic.andThen(handle.set(handle.value()[methods[operation]](a)), handle.get())
    : Atomic.andThen(other.set(a), handle[operation](other.value()))
  return Atomic.andThen(handle.set(value), computed)
}

/** The same of a number that is stored already, as a program of one instruction: that has a shorter way. */
const alone = ({ a, b, name, operation }: Sample, id: number) => call(Sum.ref(`s${id}`)[name], operation, a, b)

export interface Result {
  readonly counts: Map<string, number>
  readonly mismatch: string | undefined
}

const reasonOf = (outcome: Outcome): unknown =>
  "label" in outcome ? outcome.label.replace("ArithmeticError ", "") : outcome.value

/** Results in programs of many, since they are most; the others one by one, since each ends its program; and some alone. */
export const run = Effect.fnUntraced(function*(
  target: State.Target,
  options: { readonly name: string; readonly samples: number }
): Effect.fn.Return<Result> {
  const random = new Random(options.name)
  const counts = new Map<string, number>()
  const wrong = (self: Sample, found: unknown): Result => ({
    counts,
    mismatch: `${options.name}, REDLAYER_SEED=${seed}: ${self.name} ${self.value} ${self.operation} ${self.a}` +
      `${self.operation === "clamp" ? ` ${self.b}` : ""} gave ${String(found)}, not ${self.expected}`
  })
  for (let done = 0; done < options.samples;) {
    const samples = Array.from({ length: 1000 }, () => sample(random))
    done += samples.length
    for (const { expected, name, operation } of samples) {
      const key = `${name} ${operation} ${typeof expected === "string" ? expected : "gives a number"}`
      counts.set(key, (counts.get(key) ?? 0) + 1)
    }
    const few = samples.slice(0, 250)
    yield* target.reset(
      new Map([
        ["Sum:{s}", hashOf({ number: 0, integer: 0 })],
        ["Sum:{other}", hashOf({ number: 0, integer: 0 })],
        ...few.map(({ name, value }, i): [string, State.Entry] => [`Sum:{s${i}}`, hashOf({ [name]: value })])
      ])
    )
    const results = samples.filter(({ expected }) => typeof expected === "number")
    const failures = samples.filter(({ expected }) => typeof expected === "string")
    const outcome = yield* commit(Atomic.all(results.map(programOf)), target.service)
    const found = "label" in outcome ? undefined : outcome.value as ReadonlyArray<number>
    for (const [i, self] of results.entries()) {
      if (found === undefined || !Object.is(found[i], self.expected)) {
        return wrong(self, found === undefined ? JSON.stringify(outcome) : found[i])
      }
    }
    const others = [
      ...failures.map((self, i) => ({ self, program: programOf(self, i) })),
      ...few.map((self, i) => ({ self, program: alone(self, i) }))
    ]
    const outcomes = yield* Effect.forEach(others, ({ program }) => commit(program, target.service), {
      concurrency: "unbounded"
    })
    for (const [i, { self }] of others.entries()) {
      if (!Object.is(reasonOf(outcomes[i]!), self.expected)) return wrong(self, reasonOf(outcomes[i]!))
    }
  }
  return { counts, mismatch: undefined }
})

const hashOf = (fields: { readonly [name: string]: number }): State.Entry => ({
  type: "hash",
  expiry: -1,
  values: Object.entries(fields).flatMap(([name, value]) => [name, String(value)])
})

const breaks = (bound: string, value: number): boolean => {
  switch (bound) {
    case "minimum":
      return value < limit
    case "exclusiveMinimum":
      return value <= limit
    case "maximum":
      return value > limit
    default:
      return value >= limit
  }
}

/** Each bound with results on it and on both sides of it, alone and in a larger program. Gives what was wrong. */
export const bounds = Effect.fnUntraced(function*(target: State.Target): Effect.fn.Return<ReadonlyArray<string>> {
  const names = Object.keys(Bounded.fields).filter((name) => name !== "id") as ReadonlyArray<
    Exclude<keyof typeof Bounded.fields, "id">
  >
  const samples = names.flatMap((name) => {
    const whole = name.startsWith("integer")
    return (whole ? [1, 2, 3, 4, 5] : [2, 2.5, 3, 3.5, 4]).flatMap((value) =>
      (whole ? [-1, 0, 1] : [-0.5, 0, 0.5]).flatMap((by) =>
        [true, false].map((alone) => ({ name, value, by, alone, bound: name.split(" ")[1]! }))
      )
    )
  })
  const initial = samples.map(({ name, value }, i): [string, State.Entry] => [
    `Bounded:{s${i}}`,
    hashOf({ [name.replace(" ", "%20")]: value })
  ])
  yield* target.reset(new Map(initial))
  const outcomes = yield* Effect.forEach(samples, ({ alone, by, name }, i) => {
    const program = Bounded.ref(`s${i}`)[name].increment(by)
    return commit(alone ? program : Atomic.andThen(Bounded.exists(`s${i}`), program), target.service)
  }, { concurrency: "unbounded" })
  return samples.flatMap(({ bound, by, value, ...rest }, i) => {
    const sum = value + by
    const found = reasonOf(outcomes[i]!)
    return found === (breaks(bound, sum) ? `OutOfBounds ${bound}` : sum)
      ? []
      : [JSON.stringify({ ...rest, bound, by, value, found })]
  })
})
