/**
 * A random call of each operation on one value. The tables here, and those of collections and of entities, are typed by the
 * interfaces of `Field` and `Model`: an operation that is added there and not here does not compile.
 */
import { Duration } from "effect"
import type { Atomic, Field } from "redlayer"
import { computed, operandFor, orItself, orOperand } from "../operands.ts"
import type { Gen, Random } from "../random.ts"
import { common, foreign } from "../storedTexts.ts"

export type Program = Atomic.Atomic<unknown, unknown>

/** One random call of each operation of `H`. */
export type Table<H> = {
  readonly [K in keyof H]: H[K] extends (...args: any) => any ? Call<H> : never
}

/** `other` is the same field of another entity, or of the same. */
export type Call<H> = (handle: H, random: Random, other: H) => Program

// amounts and bounds

const wholes = [1, 1, 2, 3, -1, -1, -2, 5, 7, 10, -10, 0, 50, 1e3]
const huge = [1e308, -1e308, 2 ** 53 - 1, -(2 ** 53 - 1)]
const fractions = [0.5, 0.1, -0.25, 0.01, -0.001, 1.5, 1, 0, -1, 3, 1e3]
// dprint-ignore
const wildAmounts = [
  -0, NaN, Infinity, -Infinity, 1e308, -1e308, 5e-324, 1e-7, 1e21, 123456789.12345679, 2 ** 31, -(2 ** 31),
  2 ** 53, 2 ** 53 - 1, -(2 ** 53), -(2 ** 53 - 1), 9e15, -9e15, 1.5, -1.5, 0
]

const amount = (whole: boolean): Gen<number> => (random) => {
  if (random.wild()) {
    return random.pick([random.double(), random.pick(wildAmounts), random.pick(wildAmounts), foreign(random)])
  }
  if (random.chance(0.12)) return random.pick(huge.filter((value) => !whole || Number.isSafeInteger(value)))
  return random.pick(whole === random.chance(0.95) ? wholes : fractions)
}

const limit: Gen<number> = (random) => random.wild() ? random.pick(wildAmounts) : random.int(-20, 20)

// dprint-ignore
const bigEnds = [
  2n ** 63n - 1n, -(2n ** 63n), 2n ** 62n, -(2n ** 62n), 2n ** 53n + 1n, -(2n ** 53n) - 1n, 3037000500n, 1_000_000_000n
]
const beyond: ReadonlyArray<any> = [2n ** 63n, -(2n ** 63n) - 1n, 10n ** 40n, 1, "1"]

const bigAmount: Gen<bigint> = (random) => {
  if (random.wild()) return random.pick([random.pick(beyond), random.pick(bigEnds), foreign(random)])
  return random.chance(0.12) ? random.pick(bigEnds) : BigInt(random.pick(wholes))
}

const bigLimit: Gen<bigint> = (random) => random.wild() ? random.pick(beyond) : BigInt(random.int(-1000, 1000))

const wildDurations = [
  Duration.infinity,
  Infinity,
  NaN,
  "soon",
  Duration.nanos(1n),
  0.5,
  Duration.millis(8.64e15),
  null
]
const durations: ReadonlyArray<Duration.Input> = [
  "1 day",
  "3 hours",
  Duration.millis(1),
  Duration.millis(-1),
  Duration.days(-2),
  Duration.zero,
  1500,
  -20,
  Duration.nanos(5_000_000n),
  2_000_000n,
  Duration.millis(2 ** 52)
]

const duration: Gen<Duration.Input> = (random) =>
  random.wild()
    ? random.chance(0.3) ? foreign(random) : random.pick(wildDurations) as Duration.Input
    : random.pick(durations)

const boundsOf = <A>(limit: Gen<A>): Gen<Field.Bounds<A> | undefined> => (random) => {
  switch (random.chance(0.75) ? -1 : random.int(0, 4)) {
    case -1:
      return undefined
    case 0:
      return {}
    case 1:
      return { atLeast: limit(random) }
    case 2:
      return { atMost: limit(random) }
    case 3:
      return { atLeast: undefined, atMost: limit(random) }
    default:
      return { atLeast: limit(random), atMost: limit(random) }
  }
}

const initialOf = <A>(initial: Gen<A>, limit: Gen<A>): Gen<Field.Initial<A>> => {
  const bounds = boundsOf(limit)
  return (random) => ({
    ...bounds(random),
    initial: random.chance(0.5 * random.wildness) ? undefined as A : initial(random)
  })
}

// values

const equality = <A>(make: Gen<A>): Table<Field.Equality<A, any>> => ({
  eq: (handle, random) => handle.eq(orItself(handle, make)(random)),
  neq: (handle, random) => handle.neq(orItself(handle, make)(random))
})

const ordering = <A>(make: Gen<A>): Table<Field.Ordering<A, any>> => ({
  lt: (handle, random) => handle.lt(orOperand(handle, make)(random)),
  lte: (handle, random) => handle.lte(orOperand(handle, make)(random)),
  gt: (handle, random) => handle.gt(orOperand(handle, make)(random)),
  gte: (handle, random) => handle.gte(orOperand(handle, make)(random))
})

export const value = <A>(make: Gen<A>): Table<Field.Value<A, any>> => ({
  ...equality(make),
  get: (handle) => handle.get(),
  set: (handle, random) => {
    const operand = random.chance(0.2) ? operandFor(handle, random) : undefined
    return operand === undefined ? handle.set(make(random)) : handle.set(operand)
  },
  value: (handle, random, other) => {
    const operand = random.chance(0.4) ? handle.value({ default: make(random) }) : handle.value()
    return other.set(computed(operand, random))
  },
  compareAndSet: (handle, random) => handle.compareAndSet(make(random), make(random))
})

const several = <A>(make: Gen<A>): Gen<ReadonlyArray<A>> => (random) =>
  random.chance(0.1) ? [] : random.array(1, 6, make)

export const word = <A>(make: Gen<A>): Table<Field.Scalar<A, any>> => ({
  ...value(make),
  in: (handle, random) => handle.in(several(make)(random)),
  getAndSet: (handle, random) => handle.getAndSet(make(random))
})

export const text = (make: Gen<string>): Table<Field.Text<string, any>> => ({
  ...word(make),
  ...ordering(make),
  append: (handle, random) => handle.append(orOperand(handle, orOperand(handle, make))(random))
})

const boolean: Gen<boolean> = (random) => random.wild() ? "yes" as unknown as boolean : random.chance(0.5)

export const bool: Table<Field.Bool<any>> = { ...word(boolean), toggle: (handle) => handle.toggle() }

// arithmetic, with the options `O`

type Computed = Atomic.Atomic<unknown, unknown>

interface Integers<N, O> {
  increment(by: Amount<N> | undefined, options: O): Computed
  decrement(by: Amount<N> | undefined, options: O): Computed
  multiply(by: Amount<N>, options: O): Computed
  quotient(by: Amount<N>, options: O): Computed
  modulo(by: Amount<N>, options: O): Computed
  min(other: Amount<N>, options: O): Computed
  max(other: Amount<N>, options: O): Computed
  clamp(low: Amount<N>, high: Amount<N>, options: O): Computed
}

type Amount<N> = N | Field.Operand<N>

interface Fractions<O> {
  divide(by: Amount<number>, options: O): Computed
  power(exponent: number, options: O): Computed
}

interface Times<O> {
  add(duration: Duration.Input, options: O): Computed
  subtract(duration: Duration.Input, options: O): Computed
}

export const isSorted = (a: any, b: any): boolean => typeof a === "symbol" || typeof b === "symbol" || a <= b

/** `some` is the amount of what has one of its own: absent now and then. */
const integers = <N extends number | bigint, O>(
  by: Gen<N>,
  some: Gen<N | undefined>,
  options: Gen<O>
): Table<Integers<N, O>> => ({
  increment: (handle, random) => handle.increment(orOperand(handle, some)(random), options(random)),
  decrement: (handle, random) => handle.decrement(orOperand(handle, some)(random), options(random)),
  multiply: (handle, random) => handle.multiply(orOperand(handle, by)(random), options(random)),
  quotient: (handle, random) => handle.quotient(orOperand(handle, by)(random), options(random)),
  modulo: (handle, random) => handle.modulo(orOperand(handle, by)(random), options(random)),
  min: (handle, random) => handle.min(orOperand(handle, by)(random), options(random)),
  max: (handle, random) => handle.max(orOperand(handle, by)(random), options(random)),
  clamp: (handle, random) => {
    const [a, b] = [by(random), by(random)]
    if (random.chance(0.35)) {
      const high: any = operandFor(handle, random) ?? b
      return handle.clamp(orOperand(handle, by)(random), high, options(random))
    }
    return random.wild() || isSorted(a, b) ? handle.clamp(a, b, options(random)) : handle.clamp(b, a, options(random))
  }
})

const exponents = [0, 1, 1, 1, 2, 2, 3, -1, -2, 0.5, 0.5, 10, 63, 1023, -1074, 2 ** 31]
const wildExponents = [-0, 1.5, 0.25, -0.5, NaN, Infinity, 2 ** 53 - 1, -(2 ** 53 - 1), 2 ** 53]

const fractionsOf = <O>(by: Gen<number>, options: Gen<O>): Table<Fractions<O>> => ({
  divide: (handle, random) => handle.divide(orOperand(handle, by)(random), options(random)),
  power: (handle, random) => handle.power(random.pick(random.wild() ? wildExponents : exponents), options(random))
})

const timesOf = <O>(options: Gen<O>): Table<Times<O>> => ({
  add: (handle, random) => handle.add(duration(random), options(random)),
  subtract: (handle, random) => handle.subtract(duration(random), options(random))
})

const sometimes = <A>(make: Gen<A>): Gen<A | undefined> => (random) => random.chance(0.2) ? undefined : make(random)

/** Values that are stored in more than one way. */
const known = (make: Gen<number>): Gen<number> => (random) =>
  random.chance(0.7) ? random.pick([...common, 0, 100]) : make(random)

const knownBig = (make: Gen<bigint>): Gen<bigint> => (random) =>
  random.chance(0.7) ? BigInt(random.pick([...common, 0, 100])) : make(random)

export const number = (make: Gen<number>, whole: boolean): Table<Field.Number<number, any>> => {
  const by = amount(whole)
  const bounds = boundsOf(limit)
  return {
    ...word(make),
    ...ordering(make),
    ...equality(known(make)),
    in: (handle, random) => handle.in(several(known(make))(random)),
    ...integers(by, sometimes(by), bounds),
    ...fractionsOf(by, bounds),
    compareAndSet: (handle, random) => handle.compareAndSet(known(make)(random), make(random))
  }
}

export const bigint = (make: Gen<bigint>): Table<Field.BigInt<bigint, any>> => ({
  ...word(make),
  ...ordering(make),
  ...equality(knownBig(make)),
  in: (handle, random) => handle.in(several(knownBig(make))(random)),
  ...integers(bigAmount, sometimes(bigAmount), boundsOf(bigLimit)),
  compareAndSet: (handle, random) => handle.compareAndSet(knownBig(make)(random), make(random))
})

export const time = <A>(make: Gen<A>): Table<Field.Time<A, any>> => ({
  ...word(make),
  ...ordering(make),
  ...timesOf(boundsOf(make))
})

// what may be absent

export const optional = <A>(make: Gen<A>): Table<Field.Optional<A, any>> => ({
  ...equality(make),
  get: (handle) => handle.get(),
  isSet: (handle) => handle.isSet(),
  set: (handle, random) => handle.set(orOperand(handle, make)(random)),
  setIfAbsent: (handle, random) => handle.setIfAbsent(make(random)),
  clear: (handle) => handle.clear(),
  compareAndSet: (handle, random) => handle.compareAndSet(make(random), make(random)),
  value: (handle, random, other) => other.set(computed(handle.value({ default: make(random) }), random))
})

export const optionalNumber = (make: Gen<number>, whole: boolean): Table<Field.OptionalNumber<number, any>> => {
  const by = amount(whole)
  const options = initialOf(make, limit)
  return {
    ...optional(make),
    ...ordering(make),
    ...equality(known(make)),
    ...integers(by, by, options) as Table<Integers<any, any>>,
    ...fractionsOf(by, options),
    compareAndSet: (handle, random) => handle.compareAndSet(known(make)(random), make(random))
  }
}

export const optionalBigInt = (make: Gen<bigint>): Table<Field.OptionalBigInt<bigint, any>> => ({
  ...optional(make),
  ...ordering(make),
  ...equality(knownBig(make)),
  ...integers(bigAmount, bigAmount, initialOf(make, bigLimit)) as Table<Integers<any, any>>,
  compareAndSet: (handle, random) => handle.compareAndSet(knownBig(make)(random), make(random))
})

export const optionalTime = <A>(make: Gen<A>): Table<Field.OptionalTime<A, any>> => ({
  ...optional(make),
  ...ordering(make),
  ...timesOf(initialOf(make, make))
})

// entries of a map

export const entry = <A>(make: Gen<A>): Table<Field.Entry<A, any>> => ({
  ...optional(make),
  getAndSet: (handle, random) => handle.getAndSet(make(random))
})

export const textEntry = (make: Gen<string>): Table<Field.TextEntry<string, any>> => ({
  ...entry(make),
  ...ordering(make),
  append: (handle, random) => handle.append(orOperand(handle, orOperand(handle, make))(random))
})

export const boolEntry: Table<Field.BoolEntry<any>> = { ...entry(boolean), toggle: (handle) => handle.toggle() }

export const numberEntry = (make: Gen<number>, whole: boolean): Table<Field.NumberEntry<number, any>> => {
  const by = amount(whole)
  const some = sometimes(by)
  const options = initialOf(make, limit)
  return {
    ...optionalNumber(make, whole),
    getAndSet: (handle, random) => handle.getAndSet(make(random)),
    increment: (handle, random) => handle.increment(orOperand(handle, some)(random), sometimes(options)(random)),
    decrement: (handle, random) => handle.decrement(orOperand(handle, some)(random), sometimes(options)(random))
  }
}

export const bigintEntry = (make: Gen<bigint>): Table<Field.BigIntEntry<bigint, any>> => {
  const some = sometimes(bigAmount)
  const options = initialOf(make, bigLimit)
  return {
    ...optionalBigInt(make),
    getAndSet: (handle, random) => handle.getAndSet(make(random)),
    increment: (handle, random) => handle.increment(orOperand(handle, some)(random), sometimes(options)(random)),
    decrement: (handle, random) => handle.decrement(orOperand(handle, some)(random), sometimes(options)(random))
  }
}

export const timeEntry = <A>(make: Gen<A>): Table<Field.TimeEntry<A, any>> => ({
  ...optionalTime(make),
  getAndSet: (handle, random) => handle.getAndSet(make(random))
})

// a struct

export const whole = <A>(make: Gen<A>): Table<Field.Whole<A>> => ({
  eq: (handle, random) => handle.eq(make(random)),
  neq: (handle, random) => handle.neq(make(random)),
  get: (handle) => handle.get(),
  set: (handle, random) => handle.set(make(random))
})

// how many a collection holds

const size: Gen<number> = (random) => random.wild() ? random.pick([-1, 1.5, NaN, Infinity, 2 ** 53]) : random.int(0, 4)

/** The score or the rank of a member, without what makes it a program. */
export type Standing = Omit<Field.Standing, keyof Atomic.Atomic<number>>

export const standing: Table<Standing> = {
  ...equality(size),
  ...ordering(size),
  value: (handle, random, other) => other.lte(computed(handle.value({ default: size(random) }), random))
}

/** Without what makes it a program. */
export type Count = Omit<Field.Count, keyof Atomic.Atomic<number>>

export const count: Table<Count> = {
  ...equality(size),
  ...ordering(size),
  value: (handle, random, other) => other.lte(computed(handle.value(), random))
}
