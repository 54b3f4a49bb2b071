/**
 * A random call of each public operation. The tables are typed by the interfaces of `Field` and `Model`: an operation that is
 * added there and not here does not compile.
 */
import type { Atomic, Field, Model } from "redlayer"
import type { Gen, Random } from "./random.ts"

export type Program = Atomic.Atomic<unknown, unknown>

/** What `H` can do, one random call of each. */
export type Table<H> = {
  readonly [K in keyof H]: H[K] extends (...args: any) => any ? Call<H> : never
}

export type Call<H> = (handle: H, random: Random) => Program

const wholes = [1, 1, 2, 3, -1, -1, -2, 5, 7, 10, -10, 0, 50, 1e3]
const huge = [1e308, -1e308, 2 ** 53 - 1, -(2 ** 53 - 1)]
const fractions = [0.5, 0.1, -0.25, 0.01, -0.001, 1.5, 1, 0, -1, 3, 1e3]
// dprint-ignore
const wildAmounts = [
  -0, NaN, Infinity, -Infinity, 1e308, -1e308, 5e-324, 1e-7, 1e21, 123456789.12345679, 2 ** 31, -(2 ** 31),
  2 ** 53, 2 ** 53 - 1, -(2 ** 53), -(2 ** 53 - 1), 9e15, -9e15, 1.5, -1.5, 0
]

const amount = (whole: boolean): Gen<number> => (random) => {
  if (random.wild()) return random.chance(0.2) ? random.double() : random.pick(wildAmounts)
  if (random.chance(0.12)) return random.pick(huge.filter((value) => !whole || Number.isSafeInteger(value)))
  return random.pick(whole === random.chance(0.95) ? wholes : fractions)
}

const bounds = (random: Random): Field.Bounds | undefined => {
  if (random.chance(0.75)) return undefined
  const limit = () => random.wild() ? random.pick(wildAmounts) : random.int(-20, 20)
  switch (random.int(0, 4)) {
    case 0:
      return {}
    case 1:
      return { atLeast: limit() }
    case 2:
      return { atMost: limit() }
    case 3:
      return { atLeast: undefined, atMost: limit() }
    default:
      return { atLeast: limit() - 15, atMost: limit() + 15 }
  }
}

const positions = [0, 0, 0, -1, -1, -1, 1, 1, -2, 2, -3, 5]
const wildPositions = [NaN, Infinity, -Infinity, 1.5, -1.5, -0, 2 ** 31, -(2 ** 31), 2 ** 53, 1e300, 17, -17]

const position = (random: Random): number => random.pick(random.wild() ? wildPositions : positions)

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

export const number = (make: Gen<number>, whole: boolean): Table<Field.Number<number, any>> => {
  const by = amount(whole)
  const some = (random: Random) => random.chance(0.2) ? undefined : by(random)
  // values that are stored in more than one way
  const known: Gen<number> = (random) => random.chance(0.5) ? random.pick([0, 3, 5, 7, 10, 100]) : make(random)
  return {
    ...word(make),
    compareAndSet: (handle, random) => handle.compareAndSet(known(random), make(random)),
    increment: (handle, random) => handle.increment(some(random), bounds(random)),
    decrement: (handle, random) => handle.decrement(some(random), bounds(random)),
    multiply: (handle, random) => handle.multiply(by(random), bounds(random)),
    divide: (handle, random) => handle.divide(by(random), bounds(random)),
    quotient: (handle, random) => handle.quotient(by(random), bounds(random)),
    modulo: (handle, random) => handle.modulo(by(random), bounds(random)),
    min: (handle, random) => handle.min(by(random), bounds(random)),
    max: (handle, random) => handle.max(by(random), bounds(random)),
    clamp: (handle, random) => {
      const low = by(random)
      return handle.clamp(low, random.wild() ? by(random) : low + Math.abs(by(random)), bounds(random))
    }
  }
}

export const bool: Table<Field.Bool<any>> = {
  ...word((random) => random.wild() ? "yes" as unknown as boolean : random.chance(0.5)),
  toggle: (handle) => handle.toggle()
}

export const optional = <A>(make: Gen<A>): Table<Field.Optional<A, any>> => ({
  get: (handle) => handle.get(),
  isSet: (handle) => handle.isSet(),
  set: (handle, random) => handle.set(make(random)),
  setIfAbsent: (handle, random) => handle.setIfAbsent(make(random)),
  clear: (handle) => handle.clear(),
  compareAndSet: (handle, random) => handle.compareAndSet(make(random), make(random))
})

export const whole = <A>(make: Gen<A>): Table<Field.Whole<A>> => ({
  get: (handle) => handle.get(),
  set: (handle, random) => handle.set(make(random))
})

const keep = (random: Random): number =>
  random.wild() ? random.pick([0, -1, 1.5, NaN, 2 ** 40, 1200]) : random.int(1, 5)

/** Now and then more than fits in one command of the server. */
const added = <A>(item: Gen<A>): Gen<A | Array<A>> => (random) =>
  random.chance(0.5) ? item(random) : random.chance(0.02) ? random.array(900, 2500, item) : random.array(0, 3, item)

/** `items` are those of a whole list; `at` is apart, since an item has operations of its own. */
export const list = <A>(item: Gen<A>, items: Gen<ReadonlyArray<A>>): Table<Omit<Field.List<A, unknown>, "at">> => ({
  get: (handle) => handle.get(),
  set: (handle, random) => handle.set(items(random)),
  length: (handle) => handle.length(),
  slice: (handle, random) => {
    switch (random.int(0, 3)) {
      case 0:
        return handle.slice()
      case 1:
        return handle.slice(position(random))
      case 2:
        return handle.slice(undefined, position(random))
      default:
        return handle.slice(position(random), position(random))
    }
  },
  append: (handle, random) => {
    const items = added(item)(random)
    return random.chance(0.4) ? handle.append(items, { keep: keep(random) }) : handle.append(items)
  },
  prepend: (handle, random) => handle.prepend(added(item)(random)),
  pop: (handle) => handle.pop(),
  shift: (handle) => handle.shift(),
  clear: (handle) => handle.clear()
})

export const at = <A, Item>(table: Table<Item>): { readonly [K in keyof Item]: Call<Field.List<A, Item>> } =>
  Object.fromEntries(
    Object.entries(table as Record<string, Call<Item>>).map(([name, call]) => [
      name,
      (handle: Field.List<A, Item>, random: Random) => call(handle.at(position(random)), random)
    ])
  ) as any

/** The programs of a model on the entity of one id. */
export interface Target {
  readonly model: Model.Any
  readonly id: unknown
}

export const entity = (
  make: (random: Random, id: unknown) => unknown,
  patch: Gen<unknown>
): { readonly [K in Exclude<keyof Model.Any, "ref">]: Call<Target> } => ({
  get: ({ id, model }) => model.get(id),
  find: ({ id, model }) => model.find(id),
  exists: ({ id, model }) => model.exists(id),
  insert: ({ id, model }, random) => model.insert(make(random, id)),
  put: ({ id, model }, random) => model.put(make(random, id)),
  update: ({ id, model }, random) => model.update(id, patch(random) as any),
  delete: ({ id, model }) => model.delete(id)
})
