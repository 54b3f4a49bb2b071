/** List operations as steps, each with the array operation that defines its expected result. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Atomic from "redlayer/Atomic"
import * as Model from "redlayer/Model"
import { RawStore } from "redlayer/testing"
import * as assert from "../assert.ts"
import { fails, type Operation } from "../assertions.ts"

export const Box = Model.make("ListsBox", {
  id: Schema.String,
  n: Schema.Int.pipe(Model.withDefault(0)),
  items: Schema.Array(Schema.Int),
  others: Schema.Array(Schema.String).pipe(Model.withDefault([])),
  few: Schema.Array(Schema.Int).check(Schema.isMaxLength(3)).pipe(Model.withDefault([])),
  some: Schema.Array(Schema.Int).check(Schema.isMinLength(1), Schema.isMaxLength(4)).pipe(Model.withDefault([1])),
  between: Schema.Array(Schema.Int).check(Schema.isBetweenLength(1, 2)).pipe(Model.withDefault([1])),
  unique: Schema.Array(Schema.Int).check(Schema.isUnique()).pipe(Model.withDefault([]))
}, { key: "id" })

export const key = "ListsBox:{b}"

type Ints = typeof Box extends { ref(id: string): { readonly items: infer H } } ? H : never

/** One operation on a list of integers. */
export interface Step {
  readonly name: string
  readonly run: (items: Ints) => Operation
  /**
   * Does the same to an array: changes it and returns the expected result, or `outOfRange` if there is no such item.
   */
  readonly model: (items: Array<number>) => unknown
}

const outOfRange = Symbol("out of range")

const optional = (value: number | undefined) => Option.fromUndefinedOr(value)

const itemStep = (
  index: number,
  name: string,
  run: Step["run"],
  f: (value: number) => readonly [number, unknown]
): Step => ({
  name: `at(${index}).${name}`,
  run,
  model: (items) => {
    const i = index < 0 ? index + items.length : index
    if (i < 0 || i >= items.length) return outOfRange
    const [value, result] = f(items[i])
    items[i] = value
    return result
  }
})

export const steps = {
  append: (...values: ReadonlyArray<number>): Step => ({
    name: `append(${values.join()})`,
    run: (items) => items.append(values.length === 1 ? values[0] : values),
    model: (items) => items.push(...values)
  }),
  appendKeep: (keep: number, ...values: ReadonlyArray<number>): Step => ({
    name: `append(${values.join()}; keep ${keep})`,
    run: (items) => items.append(values, { keep }),
    model: (items) => {
      if (values.length > 0) items.splice(0, items.length, ...[...items, ...values].slice(-keep))
      return items.length
    }
  }),
  prepend: (...values: ReadonlyArray<number>): Step => ({
    name: `prepend(${values.join()})`,
    run: (items) => items.prepend(values),
    model: (items) => items.unshift(...values)
  }),
  pop: { name: "pop", run: (items) => items.pop(), model: (items) => optional(items.pop()) } as Step,
  shift: { name: "shift", run: (items) => items.shift(), model: (items) => optional(items.shift()) } as Step,
  popSeveral: (count: number): Step => ({
    name: `pop(${count})`,
    run: (items) => items.pop(count),
    model: (items) => items.splice(Math.max(0, items.length - count), count).toReversed()
  }),
  shiftSeveral: (count: number): Step => ({
    name: `shift(${count})`,
    run: (items) => items.shift(count),
    model: (items) => items.splice(0, count)
  }),
  length: { name: "length", run: (items) => items.length(), model: (items) => items.length } as Step,
  get: { name: "get", run: (items) => items.get(), model: (items) => [...items] } as Step,
  slice: (start?: number, end?: number): Step => ({
    name: `slice(${start}, ${end})`,
    run: (items) => items.slice(start, end),
    model: (items) => items.slice(start, end)
  }),
  clear: {
    name: "clear",
    run: (items) => items.clear(),
    model: (items) => void items.splice(0)
  } as Step,
  set: (...values: ReadonlyArray<number>): Step => ({
    name: `set(${values.join()})`,
    run: (items) => items.set(values),
    model: (items) => void items.splice(0, items.length, ...values)
  }),
  atGet: (index: number) => itemStep(index, "get", (items) => items.at(index).get(), (value) => [value, value]),
  atSet: (index: number, to: number) =>
    itemStep(index, `set(${to})`, (items) => items.at(index).set(to), () => [to, undefined]),
  atIncrement: (index: number, by: number) =>
    itemStep(index, `increment(${by})`, (items) => items.at(index).increment(by), (value) => [value + by, value + by]),
  atGetAndSet: (index: number, to: number) =>
    itemStep(index, `getAndSet(${to})`, (items) => items.at(index).getAndSet(to), (value) => [to, value]),
  atCompareAndSet: (index: number, from: number, to: number) =>
    itemStep(
      index,
      `compareAndSet(${from}, ${to})`,
      (items) => items.at(index).compareAndSet(from, to),
      (value) => value === from ? [to, true] : [value, false]
    )
}

/** A random operation with random arguments. */
export const randomStep = (random: () => number): Step => {
  const int = (below: number) => Math.floor(random() * below)
  const values = () => Array.from({ length: int(4) }, () => int(5))
  const index = () => int(9) - 4
  switch (int(18)) {
    case 0:
    case 1:
      return steps.append(...values())
    case 2:
      return steps.appendKeep(1 + int(4), ...values())
    case 3:
    case 4:
      return steps.prepend(...values())
    case 5:
      return steps.pop
    case 6:
      return steps.shift
    case 7:
      return steps.length
    case 8:
      return steps.get
    case 9:
      return steps.slice(index(), index())
    case 10:
      return steps.clear
    case 11:
      return steps.set(...values())
    case 12:
      return steps.atSet(index(), int(5))
    case 13:
      return steps.atIncrement(index(), index())
    case 14:
      return steps.atGetAndSet(index(), int(5))
    case 15:
      return steps.popSeveral(int(4))
    case 16:
      return steps.shiftSeveral(int(4))
    default:
      return steps.atCompareAndSet(index(), int(5), int(5))
  }
}

/** Runs each step as its own program and compares the list with the array. */
export const runOneByOne = Effect.fnUntraced(function*(id: string, steps: ReadonlyArray<Step>) {
  const raw = yield* RawStore
  const { items } = Box.ref(id)
  const model = (yield* Box.get(id)).items.slice()
  for (const { model: change, name, run } of steps) {
    const wanted = change(model)
    if (wanted === outOfRange) yield* fails(run(items), "IndexOutOfRange", { model: "ListsBox", id, field: "items" })
    else assert.deepEqual(yield* run(items), wanted, name)
    assert.deepEqual(yield* raw.listRead(`ListsBox:{${id}}:items`), model.map(String), name)
  }
})

/**
 * Runs all steps as one program and compares the list with the array. Without `last`, a step that is out of range ends
 * the program.
 */
export const runAsProgram = Effect.fnUntraced(function*(id: string, steps: ReadonlyArray<Step>) {
  const raw = yield* RawStore
  const { items } = Box.ref(id)
  const before = (yield* Box.get(id)).items
  const model = before.slice()
  const name = `[${before.join()}] ${steps.map(({ name }) => name).join(" ")}`
  const wanted = steps.map(({ model: change }) => change(model))
  const program = Atomic.all(steps.map(({ run }) => run(items)))
  if (wanted.includes(outOfRange)) {
    yield* fails(program, "IndexOutOfRange", { field: "items" })
    assert.deepEqual(yield* raw.listRead(`ListsBox:{${id}}:items`), before.map(String), name)
  } else {
    assert.deepEqual(yield* program, wanted, name)
    assert.deepEqual(yield* raw.listRead(`ListsBox:{${id}}:items`), model.map(String), name)
  }
})
