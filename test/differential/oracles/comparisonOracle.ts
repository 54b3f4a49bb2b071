/**
 * Comparisons, and conditions that are made of them, against JavaScript's own.
 */
import { Effect, Option, Schema } from "effect"
import { isDeepStrictEqual } from "node:util"
import { Atomic, Condition, type Field, Model } from "redlayer"
import { commit } from "../compareLayers.ts"
import { Random, seed } from "../random.ts"
import type * as State from "../storedState.ts"

const Compared = Model.make("Compared", {
  id: Schema.String,
  number: Schema.Number,
  bigint: Schema.BigInt,
  text: Schema.String
}, { key: "id" })

const names = ["eq", "neq", "lt", "lte", "gt", "gte"] as const

type Test = Condition.Condition<unknown>

interface Sample {
  readonly field: "number" | "bigint" | "text"
  /** as it is stored, and what it is compared with */
  readonly values: readonly [unknown, unknown]
  /** negative, 0 or positive; NaN where neither is less */
  readonly order: number
}

const orderOf = <A>(a: A, b: A): number => a < b ? -1 : a > b ? 1 : a === b ? 0 : NaN

const number = (random: Random): number =>
  random.chance(0.1)
    ? random.pick([NaN, Infinity, -Infinity])
    : random.chance(0.5)
    ? random.pick([0, -0, 1, -1, 0.1, 0.1 + 2 ** -56, 2 ** 53, 2 ** 53 + 2, 1e21, 5e-324, -5e-324, 1e308, -1e308])
    : random.double()

const bigint = (random: Random): bigint =>
  BigInt.asIntN(64, 2n ** BigInt(random.int(0, 63)) * BigInt(random.pick([1, -1])) + BigInt(random.int(-1, 1)))

/** Those of which the order of UTF-16 is another are among them, and beginnings of each other. */
const text = (random: Random): string =>
  random.array(0, 3, () => random.pick(["a", "b", "\0", "é", "z", "\uffff", "\ud7ff", "😀", "\u{10ffff}", "日"])).join(
    ""
  )

const sample = (random: Random): Sample => {
  const field = random.pick(["number", "bigint", "text"] as const)
  const make: (random: Random) => any = { number, bigint, text }[field]
  const a = make(random)
  const b = random.chance(0.2) ? a : make(random)
  return {
    field,
    values: [a, b],
    order: field === "text" ? Buffer.compare(Buffer.from(a), Buffer.from(b)) : orderOf(a, b)
  }
}

const truths = (order: number): ReadonlyArray<boolean> => [
  order === 0,
  order !== 0,
  order < 0,
  order <= 0,
  order > 0,
  order >= 0
]

const tests = (id: number, { field, values: [, b] }: Sample, asOperand: boolean): ReadonlyArray<Test> => {
  const handle = Compared.ref(`a${id}`)[field] as Field.Text<any>
  const other = asOperand ? Compared.ref(`b${id}`)[field].value() : b
  return names.map((name) => handle[name](other as any))
}

/** A condition, and whether it is true. */
type Known = readonly [condition: Test, truth: boolean]

const formula = (known: ReadonlyArray<Known>, random: Random, depth: number): Known => {
  const inner = () => formula(known, random, depth - 1)
  switch (depth === 0 ? 3 : random.int(0, 3)) {
    case 0: {
      const all = random.array(1, 4, inner) as [Known, ...Array<Known>]
      const [first, ...rest] = all
      return [Condition.and(first[0], ...rest.map(([test]) => test)), all.every(([, truth]) => truth)]
    }
    case 1: {
      const all = random.array(1, 4, inner) as [Known, ...Array<Known>]
      const [first, ...rest] = all
      return [Condition.or(first[0], ...rest.map(([test]) => test)), all.some(([, truth]) => truth)]
    }
    case 2: {
      const [test, truth] = inner()
      return [Condition.not(test), !truth]
    }
    default:
      return random.pick(known)
  }
}

const hash = (fields: Record<string, unknown>): State.Entry => ({
  type: "hash",
  expiry: -1,
  values: Object.entries(fields).flatMap(([name, value]) => [name, String(value)])
})

/** Returns the differences as texts, and how many comparisons were true. */
export const run = Effect.fnUntraced(function*(
  target: State.Target,
  options: { readonly name: string; readonly samples: number }
) {
  const random = new Random(options.name)
  let conditions = 0
  let holding = 0
  for (let done = 0; done < options.samples;) {
    const samples = Array.from({ length: 100 }, () => sample(random))
    done += samples.length
    yield* target.reset(
      new Map(samples.flatMap(({ field, values: [a, b] }, i): Array<[string, State.Entry]> => [
        [`Compared:{a${i}}`, hash({ [field]: a })],
        [`Compared:{b${i}}`, hash({ [field]: b })]
      ]))
    )
    const all = samples.flatMap((self, i): Array<Known> => {
      // an operand is finite
      const asOperand = (self.field !== "number" || Number.isFinite(self.values[1])) && random.chance(0.5)
      return tests(i, self, asOperand).map((test, j) => [test, truths(self.order)[j]!])
    })
    const formulas = Array.from({ length: 100 }, () => formula(all, random, 4))
    const programs = [...all, ...formulas].map(([test, truth]) => {
      conditions++
      if (truth) holding++
      return {
        truth,
        program: Atomic.all([
          test,
          Atomic.if(test, { onTrue: Atomic.succeed(1), onFalse: Atomic.succeed(2) }),
          Atomic.when(Atomic.succeed(3), test)
        ])
      }
    })
    const outcomes = yield* Effect.forEach(programs, ({ program }) => commit(program, target.service), {
      concurrency: "unbounded"
    })
    for (const [i, { truth }] of programs.entries()) {
      const expected = { value: truth ? [true, 1, Option.some(3)] : [false, 2, Option.none()] }
      if (isDeepStrictEqual(outcomes[i], expected)) continue
      const self = samples[Math.floor(i / names.length)]
      const shown = self === undefined ? "a formula" : `${self.values.map(String).join(` ${names[i % names.length]} `)}`
      const mismatch = `${options.name}, REDLAYER_SEED=${seed}: ${shown} gave ${
        JSON.stringify(outcomes[i])
      }, not ${truth}`
      return { conditions, true: holding, mismatch }
    }
  }
  return { conditions, true: holding, mismatch: undefined }
})
