/**
 * A random call of each operation on one value. The tables here, and those of collections and of entities, are typed by the
 * interfaces of `Field` and `Model`: an operation that is added there and not here does not compile.
 */
import { Duration } from "effect"
import type { Atomic, Field } from "redlayer"
import type { Gen, Random } from "./random.ts"
import { foreign } from "./texts.ts"

export type Program = Atomic.Atomic<unknown, unknown>

/** What `H` can do, one random call of each. */
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

export const value = <A>(make: Gen<A>): Table<Field.Value<A, any>> => ({
  get: (handle) => handle.get(),
  set: (handle, random) => handle.set(make(random)),
  compareAndSet: (handle, random) => handle.compareAndSet(make(random), make(random))
})

export const word = <A>(make: Gen<A>): Table<Field.Word<A, any>> => ({
  ...value(make),
  getAndSet: (handle, random) => handle.getAndSet(make(random))
})

export const text = (make: Gen<string>): Table<Field.Text<string, any>> => ({
  ...word(make),
  append: (handle, random) => handle.append(make(random))
})

const boolean: Gen<boolean> = (random) => random.wild() ? "yes" as unknown as boolean : random.chance(0.5)

export const bool: Table<Field.Bool<any>> = { ...word(boolean), toggle: (handle) => handle.toggle() }

// arithmetic, with the options `O`

type Computed = Atomic.Atomic<unknown, unknown>

interface Integers<N, O> {
  increment(by: N | undefined, options: O): Computed
  decrement(by: N | undefined, options: O): Computed
  multiply(by: N, options: O): Computed
  quotient(by: N, options: O): Computed
  modulo(by: N, options: O): Computed
  min(other: N, options: O): Computed
  max(other: N, options: O): Computed
  clamp(low: N, high: N, options: O): Computed
}

interface Fractions<O> {
  divide(by: number, options: O): Computed
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
  increment: (handle, random) => handle.increment(some(random), options(random)),
  decrement: (handle, random) => handle.decrement(some(random), options(random)),
  multiply: (handle, random) => handle.multiply(by(random), options(random)),
  quotient: (handle, random) => handle.quotient(by(random), options(random)),
  modulo: (handle, random) => handle.modulo(by(random), options(random)),
  min: (handle, random) => handle.min(by(random), options(random)),
  max: (handle, random) => handle.max(by(random), options(random)),
  clamp: (handle, random) => {
    const [a, b] = [by(random), by(random)]
    return random.wild() || isSorted(a, b) ? handle.clamp(a, b, options(random)) : handle.clamp(b, a, options(random))
  }
})

const exponents = [0, 1, 1, 1, 2, 2, 3, -1, -2, 0.5, 0.5, 10, 63, 1023, -1074, 2 ** 31]
const wildExponents = [-0, 1.5, 0.25, -0.5, NaN, Infinity, 2 ** 53 - 1, -(2 ** 53 - 1), 2 ** 53]

const fractionsOf = <O>(by: Gen<number>, options: Gen<O>): Table<Fractions<O>> => ({
  divide: (handle, random) => handle.divide(by(random), options(random)),
  power: (handle, random) => handle.power(random.pick(random.wild() ? wildExponents : exponents), options(random))
})

const timesOf = <O>(options: Gen<O>): Table<Times<O>> => ({
  add: (handle, random) => handle.add(duration(random), options(random)),
  subtract: (handle, random) => handle.subtract(duration(random), options(random))
})

const sometimes = <A>(make: Gen<A>): Gen<A | undefined> => (random) => random.chance(0.2) ? undefined : make(random)

/** Values that are stored in more than one way. */
const known = (make: Gen<number>): Gen<number> => (random) =>
  random.chance(0.5) ? random.pick([0, 3, 5, 7, 10, 100]) : make(random)

const knownBig = (make: Gen<bigint>): Gen<bigint> => (random) =>
  random.chance(0.5) ? random.pick([0n, 3n, 5n, 7n, 10n, 100n]) : make(random)

export const number = (make: Gen<number>, whole: boolean): Table<Field.Number<number, any>> => {
  const by = amount(whole)
  const bounds = boundsOf(limit)
  return {
    ...word(make),
    ...integers(by, sometimes(by), bounds),
    ...fractionsOf(by, bounds),
    compareAndSet: (handle, random) => handle.compareAndSet(known(make)(random), make(random))
  }
}

export const bigint = (make: Gen<bigint>): Table<Field.BigInt<bigint, any>> => ({
  ...word(make),
  ...integers(bigAmount, sometimes(bigAmount), boundsOf(bigLimit)),
  compareAndSet: (handle, random) => handle.compareAndSet(knownBig(make)(random), make(random))
})

export const time = <A>(make: Gen<A>): Table<Field.Time<A, any>> => ({ ...word(make), ...timesOf(boundsOf(make)) })

// what may be absent

export const optional = <A>(make: Gen<A>): Table<Field.Optional<A, any>> => ({
  get: (handle) => handle.get(),
  isSet: (handle) => handle.isSet(),
  set: (handle, random) => handle.set(make(random)),
  setIfAbsent: (handle, random) => handle.setIfAbsent(make(random)),
  clear: (handle) => handle.clear(),
  compareAndSet: (handle, random) => handle.compareAndSet(make(random), make(random))
})

export const optionalNumber = (make: Gen<number>, whole: boolean): Table<Field.OptionalNumber<number, any>> => {
  const by = amount(whole)
  const options = initialOf(make, limit)
  return {
    ...optional(make),
    ...integers(by, by, options) as Table<Integers<any, any>>,
    ...fractionsOf(by, options),
    compareAndSet: (handle, random) => handle.compareAndSet(known(make)(random), make(random))
  }
}

export const optionalBigInt = (make: Gen<bigint>): Table<Field.OptionalBigInt<bigint, any>> => ({
  ...optional(make),
  ...integers(bigAmount, bigAmount, initialOf(make, bigLimit)) as Table<Integers<any, any>>,
  compareAndSet: (handle, random) => handle.compareAndSet(knownBig(make)(random), make(random))
})

export const optionalTime = <A>(make: Gen<A>): Table<Field.OptionalTime<A, any>> => ({
  ...optional(make),
  ...timesOf(initialOf(make, make))
})

// entries of a map

export const entry = <A>(make: Gen<A>): Table<Field.Entry<A, any>> => ({
  ...optional(make),
  getAndSet: (handle, random) => handle.getAndSet(make(random))
})

export const textEntry = (make: Gen<string>): Table<Field.TextEntry<string, any>> => ({
  ...entry(make),
  append: (handle, random) => handle.append(make(random))
})

export const boolEntry: Table<Field.BoolEntry<any>> = { ...entry(boolean), toggle: (handle) => handle.toggle() }

export const numberEntry = (make: Gen<number>, whole: boolean): Table<Field.NumberEntry<number, any>> => {
  const by = amount(whole)
  const some = sometimes(by)
  const options = initialOf(make, limit)
  return {
    ...optionalNumber(make, whole),
    getAndSet: (handle, random) => handle.getAndSet(make(random)),
    increment: (handle, random) => handle.increment(some(random), sometimes(options)(random)),
    decrement: (handle, random) => handle.decrement(some(random), sometimes(options)(random))
  }
}

export const bigintEntry = (make: Gen<bigint>): Table<Field.BigIntEntry<bigint, any>> => {
  const some = sometimes(bigAmount)
  const options = initialOf(make, bigLimit)
  return {
    ...optionalBigInt(make),
    getAndSet: (handle, random) => handle.getAndSet(make(random)),
    increment: (handle, random) => handle.increment(some(random), sometimes(options)(random)),
    decrement: (handle, random) => handle.decrement(some(random), sometimes(options)(random))
  }
}

export const timeEntry = <A>(make: Gen<A>): Table<Field.TimeEntry<A, any>> => ({
  ...optionalTime(make),
  getAndSet: (handle, random) => handle.getAndSet(make(random))
})

// a struct

export const whole = <A>(make: Gen<A>): Table<Field.Whole<A>> => ({
  get: (handle) => handle.get(),
  set: (handle, random) => handle.set(make(random))
})
