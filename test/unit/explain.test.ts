/**
 * `Atomic.explain` names operations as their methods are named. The type of each table below demands every method that builds a
 * program, so a new method that has no entry does not compile.
 */
import { assert, it } from "@effect/vitest"
import { Duration, Effect, Schema } from "effect"
import { Atomic, type Field, Lock, Model, RedisService, Topic } from "redlayer"
import { describeMemory } from "../support/Backends.ts"

const Everything = Model.make("Explained", {
  id: Schema.String,
  text: Schema.String,
  number: Schema.Number,
  integer: Schema.Int,
  bigint: Schema.BigInt,
  flag: Schema.Boolean,
  date: Schema.Date,
  duration: Schema.Duration,
  json: Model.json(Schema.Struct({ a: Schema.Int })),
  optionalText: Schema.optionalKey(Schema.String),
  optionalNumber: Schema.optionalKey(Schema.Number),
  optionalBigint: Schema.optionalKey(Schema.BigInt),
  optionalDate: Schema.optionalKey(Schema.Date),
  list: Schema.Array(Schema.Int),
  set: Schema.ReadonlySet(Schema.String),
  record: Schema.Record(Schema.String, Schema.Int),
  texts: Schema.Record(Schema.String, Schema.String),
  flags: Schema.Record(Schema.String, Schema.Boolean),
  bigints: Schema.ReadonlyMap(Schema.String, Schema.BigInt),
  dates: Schema.ReadonlyMap(Schema.String, Schema.Date),
  values: Schema.Record(Schema.String, Model.json(Schema.Struct({ a: Schema.Int }))),
  sorted: Model.sortedSet(Schema.String),
  nested: Schema.Struct({ a: Schema.Int, b: Schema.optionalKey(Schema.String) }),
  empty: Schema.Struct({})
}, { key: "id" })

const entity: Parameters<typeof Everything.put>[0] = {
  id: "x",
  text: "",
  number: 0,
  integer: 0,
  bigint: 0n,
  flag: false,
  date: new Date(0),
  duration: Duration.seconds(1),
  json: { a: 1 },
  list: [],
  set: new Set(),
  record: {},
  texts: {},
  flags: {},
  bigints: new Map(),
  dates: new Map(),
  values: {},
  sorted: [],
  nested: { a: 1 },
  empty: {}
}

type Program = Atomic.Atomic<unknown, any>

/** The methods of a handle that build a program. A size is a program itself, with the methods of every program. */
type Programs<Handle> = {
  readonly [
    Name in Exclude<keyof Handle, keyof Program> as [Handle[Name]] extends [never] ? never :
      Handle[Name] extends (...args: ReadonlyArray<never>) => Atomic.Atomic<any, any> ? Name & string
      : never
  ]: Program
}

/** The methods of an operand that build another operand. */
type Operands<Operand> = {
  readonly [
    Name in keyof Operand as Operand[Name] extends (...args: ReadonlyArray<never>) => Field.Operand<any, any>
      ? Name & string
      : never
  ]: Operand
}

const operationsOf = (program: Program) =>
  Effect.map(Atomic.explain(program), ({ instructions }) =>
    // Steps of the flow belong to no model.
    instructions.filter(({ model }) => model !== "").map(({ operation }) => operation))

/** @param counts the number of operations of the methods that have several. Default: 1 for every method. */
const programs = <Handle>(
  handle: Handle,
  make: (handle: Handle) => Programs<Handle>,
  counts: Readonly<Record<string, number>> = {}
) =>
  Effect.gen(function*() {
    const found: Record<string, ReadonlyArray<string>> = {}
    const expected: Record<string, ReadonlyArray<string>> = {}
    for (const [name, program] of Object.entries<Program>(make(handle))) {
      found[name] = yield* operationsOf(program)
      expected[name] = Array.from({ length: counts[name] ?? 1 }, () => name)
    }
    assert.deepEqual(found, expected)
  })

const operands = <Operand extends Field.Operand<any, any>>(
  operand: Operand,
  take: (operand: any) => Program,
  make: (operand: Operand) => Operands<Operand>
) =>
  Effect.gen(function*() {
    for (const [name, combined] of Object.entries<unknown>(make(operand))) {
      const { instructions } = yield* Atomic.explain(take(combined))
      assert.deepEqual(instructions.map(({ operation }) => operation), ["value", "constant", name, "set"])
    }
  })

const equality = <A>(handle: Field.Equality<A, any>, value: A) => ({ eq: handle.eq(value), neq: handle.neq(value) })

const ordering = <A>(handle: Field.Ordering<A, any>, value: A) => ({
  lt: handle.lt(value),
  lte: handle.lte(value),
  gt: handle.gt(value),
  gte: handle.gte(value)
})

const comparisons = <A>(handle: Field.Equality<A, any> & Field.Ordering<A, any>, value: A) => ({
  ...equality(handle, value),
  ...ordering(handle, value)
})

const scalar = <A>(handle: Field.Scalar<A, any>, value: A) => ({
  ...equality(handle, value),
  get: handle.get(),
  set: handle.set(value),
  compareAndSet: handle.compareAndSet(value, value),
  in: handle.in([value]),
  getAndSet: handle.getAndSet(value)
})

const optional = <A>(handle: Field.Optional<A, any>, value: A) => ({
  ...equality(handle, value),
  get: handle.get(),
  isSet: handle.isSet(),
  set: handle.set(value),
  setIfAbsent: handle.setIfAbsent(value),
  clear: handle.clear(),
  compareAndSet: handle.compareAndSet(value, value)
})

const entry = <A>(handle: Field.Entry<A, any>, value: A) => ({
  ...optional(handle, value),
  getAndSet: handle.getAndSet(value)
})

const ref = Everything.ref("x")

describeMemory("explain names each operation as its method is named", () => {
  it.effect("on text", () =>
    programs(ref.text, (text) => ({
      ...scalar(text, "a"),
      ...ordering(text, "a"),
      append: text.append("a")
    })))

  it.effect("on numbers", () =>
    Effect.gen(function*() {
      for (const handle of [ref.number, ref.integer, ref.list.at(0)]) {
        yield* programs(handle, (n) => ({
          ...scalar(n, 1),
          ...ordering(n, 1),
          increment: n.increment(),
          decrement: n.decrement(2),
          multiply: n.multiply(2),
          divide: n.divide(2),
          quotient: n.quotient(2),
          modulo: n.modulo(2),
          power: n.power(2),
          min: n.min(2),
          max: n.max(2),
          clamp: n.clamp(1, 2)
        }))
      }
    }))

  it.effect("on bigints", () =>
    programs(ref.bigint, (n) => ({
      ...scalar(n, 1n),
      ...ordering(n, 1n),
      increment: n.increment(),
      decrement: n.decrement(2n),
      multiply: n.multiply(2n),
      quotient: n.quotient(2n),
      modulo: n.modulo(2n),
      min: n.min(2n),
      max: n.max(2n),
      clamp: n.clamp(1n, 2n)
    })))

  it.effect("on booleans, dates and JSON", () =>
    Effect.gen(function*() {
      const { date, flag, json } = ref
      yield* programs(flag, () => ({ ...scalar(flag, true), toggle: flag.toggle() }))
      yield* programs(date, () => ({
        ...scalar(date, new Date(1)),
        ...ordering(date, new Date(1)),
        add: date.add("1 day"),
        subtract: date.subtract("1 day")
      }))
      yield* programs(ref.duration, (duration) => ({
        ...scalar(duration, Duration.seconds(1)),
        ...ordering(duration, Duration.seconds(1)),
        add: duration.add("1 day"),
        subtract: duration.subtract("1 day")
      }))
      yield* programs(json, () => ({
        ...equality(json, { a: 1 }),
        get: json.get(),
        set: json.set({ a: 1 }),
        compareAndSet: json.compareAndSet({ a: 1 }, { a: 2 })
      }))
    }))

  it.effect("on optional fields", () =>
    Effect.gen(function*() {
      const { optionalBigint, optionalDate, optionalNumber, optionalText } = ref
      yield* programs(optionalText, () => optional(optionalText, "a"))
      const initial = { initial: 1 }
      yield* programs(optionalNumber, (n) => ({
        ...optional(n, 1),
        ...ordering(n, 1),
        increment: n.increment(1, initial),
        decrement: n.decrement(1, initial),
        multiply: n.multiply(2, initial),
        divide: n.divide(2, initial),
        quotient: n.quotient(2, initial),
        modulo: n.modulo(2, initial),
        power: n.power(2, initial),
        min: n.min(2, initial),
        max: n.max(2, initial),
        clamp: n.clamp(1, 2, initial)
      }))
      const initialBigint = { initial: 1n }
      yield* programs(optionalBigint, (n) => ({
        ...optional(n, 1n),
        ...ordering(n, 1n),
        increment: n.increment(1n, initialBigint),
        decrement: n.decrement(1n, initialBigint),
        multiply: n.multiply(2n, initialBigint),
        quotient: n.quotient(2n, initialBigint),
        modulo: n.modulo(2n, initialBigint),
        min: n.min(2n, initialBigint),
        max: n.max(2n, initialBigint),
        clamp: n.clamp(1n, 2n, initialBigint)
      }))
      const initialDate = { initial: new Date(1) }
      yield* programs(optionalDate, () => ({
        ...optional(optionalDate, new Date(1)),
        ...ordering(optionalDate, new Date(1)),
        add: optionalDate.add("1 day", initialDate),
        subtract: optionalDate.subtract("1 day", initialDate)
      }))
    }))

  it.effect("on lists", () =>
    programs(ref.list, (list) => ({
      get: list.get(),
      set: list.set([1]),
      length: list.length(),
      slice: list.slice(0, 1),
      append: list.append(1),
      prepend: list.prepend(1),
      contains: list.contains(1),
      insert: list.insert(0, 1),
      pop: list.pop(),
      shift: list.shift(),
      remove: list.remove(1),
      removeRange: list.removeRange(0, 1),
      trim: list.trim(0, 1),
      clear: list.clear()
    })))

  it.effect("on sets", () =>
    programs(ref.set, (set) => ({
      get: set.get(),
      set: set.set(new Set()),
      values: set.values(),
      size: set.size(),
      has: set.has("a"),
      add: set.add("a"),
      remove: set.remove("a"),
      removeAll: set.removeAll(["a"]),
      pop: set.pop(),
      clear: set.clear(),
      union: set.union(set),
      intersection: set.intersection(set),
      difference: set.difference(set)
    })))

  it.effect("on maps", () =>
    programs(ref.record, (map) => ({
      get: map.get(),
      set: map.set({}),
      size: map.size(),
      keys: map.keys(),
      has: map.has("a"),
      put: map.put("a", 1),
      putAll: map.putAll({ a: 1 }),
      remove: map.remove("a"),
      removeAll: map.removeAll(["a"]),
      pop: map.pop("a"),
      popAny: map.popAny(),
      clear: map.clear()
    })))

  it.effect("on entries of maps", () =>
    Effect.gen(function*() {
      yield* programs(ref.texts.at("a"), (text) => ({
        ...entry(text, "a"),
        ...ordering(text, "a"),
        append: text.append("a")
      }))
      yield* programs(ref.flags.at("a"), (flag) => ({ ...entry(flag, true), toggle: flag.toggle() }))
      const initial = { initial: 1 }
      yield* programs(ref.record.at("a"), (n) => ({
        ...entry(n, 1),
        ...ordering(n, 1),
        increment: n.increment(),
        decrement: n.decrement(),
        multiply: n.multiply(2, initial),
        divide: n.divide(2, initial),
        quotient: n.quotient(2, initial),
        modulo: n.modulo(2, initial),
        power: n.power(2, initial),
        min: n.min(2, initial),
        max: n.max(2, initial),
        clamp: n.clamp(1, 2, initial)
      }))
      const initialBigint = { initial: 1n }
      yield* programs(ref.bigints.at("a"), (n) => ({
        ...entry(n, 1n),
        ...ordering(n, 1n),
        increment: n.increment(),
        decrement: n.decrement(),
        multiply: n.multiply(2n, initialBigint),
        quotient: n.quotient(2n, initialBigint),
        modulo: n.modulo(2n, initialBigint),
        min: n.min(2n, initialBigint),
        max: n.max(2n, initialBigint),
        clamp: n.clamp(1n, 2n, initialBigint)
      }))
      const initialDate = { initial: new Date(1) }
      yield* programs(ref.dates.at("a"), (date) => ({
        ...entry(date, new Date(1)),
        ...ordering(date, new Date(1)),
        add: date.add("1 day", initialDate),
        subtract: date.subtract("1 day", initialDate)
      }))
      yield* programs(ref.values.at("a"), (value) => entry(value, { a: 1 }))
    }))

  it.effect("on sorted sets", () =>
    programs(ref.sorted, (sorted) => ({
      get: sorted.get(),
      set: sorted.set([]),
      size: sorted.size(),
      has: sorted.has("a"),
      add: sorted.add("a", 1),
      addAll: sorted.addAll([{ member: "a", score: 1 }]),
      increment: sorted.increment("a"),
      remove: sorted.remove("a"),
      removeAll: sorted.removeAll(["a"]),
      score: sorted.score("a"),
      rank: sorted.rank("a"),
      range: sorted.range(0, 1),
      rangeByScore: sorted.rangeByScore({ min: 1 }),
      count: sorted.count({ min: 1 }),
      removeRangeByRank: sorted.removeRangeByRank(1),
      removeRangeByScore: sorted.removeRangeByScore({ min: 1 }),
      popMin: sorted.popMin(2),
      popMax: sorted.popMax(),
      clear: sorted.clear()
    })))

  it.effect("on sizes of collections", () =>
    Effect.gen(function*() {
      for (const name of ["eq", "neq", "lt", "lte", "gt", "gte"] as const) {
        assert.deepEqual(yield* operationsOf(ref.sorted.count()[name](1)), ["count", name])
      }
      for (const size of [ref.list.length(), ref.set.size(), ref.record.size(), ref.sorted.size()]) {
        yield* programs(size, (size) => comparisons(size, 1))
      }
    }))

  it.effect("on structs as a whole", () =>
    Effect.gen(function*() {
      const { empty, nested } = ref
      yield* programs(nested.$, (whole) => ({
        eq: whole.eq({ a: 1, b: "b" }),
        neq: whole.neq({ a: 1 }),
        get: whole.get(),
        set: whole.set({ a: 1 })
      }), { eq: 2, neq: 2, set: 2 })
      yield* programs(empty.$, (whole) => ({
        eq: whole.eq({}),
        neq: whole.neq({}),
        get: whole.get(),
        set: whole.set({})
      }))
    }))

  it.effect("on operands", () =>
    Effect.gen(function*() {
      const { bigint, number } = ref
      yield* operands(number.value(), (operand) => number.set(operand), (value) => ({
        plus: value.plus(1),
        minus: value.minus(1),
        times: value.times(1),
        dividedBy: value.dividedBy(1),
        quotient: value.quotient(1),
        modulo: value.modulo(1),
        min: value.min(1),
        max: value.max(1)
      }))
      yield* operands(bigint.value(), (operand) => bigint.set(operand), (value) => ({
        plus: value.plus(1n),
        minus: value.minus(1n),
        times: value.times(1n),
        quotient: value.quotient(1n),
        modulo: value.modulo(1n),
        min: value.min(1n),
        max: value.max(1n)
      }))
      assert.deepEqual(yield* operationsOf(number.set(ref.list.length().value())), ["value", "set"])
      assert.deepEqual(yield* operationsOf(number.eq(ref.integer.value())), ["value", "eq"])
      assert.deepEqual(yield* operationsOf(ref.list.length().gt(ref.integer.value())), ["value", "gt"])
      assert.deepEqual(yield* operationsOf(ref.text.append(ref.text.value())), ["value", "append"])
      const { instructions } = yield* Atomic.explain(ref.date.lt(Atomic.now.minus("1 hour")))
      assert.deepEqual(instructions.map(({ operation }) => operation), ["now", "constant", "minus", "lt"])
      assert.deepEqual(yield* operationsOf(ref.list.append(ref.integer.value())), ["value", "encode", "append"])
      const stored = ref.optionalNumber.value({ default: 1 })
      assert.deepEqual(yield* operationsOf(number.set(stored)), ["value", "set"])
      assert.deepEqual(yield* operationsOf(ref.sorted.score("a").lt(ref.sorted.rank("a").value({ default: 1 }))), [
        "score",
        "rank",
        "value",
        "lt"
      ])
    }))

  it.effect("on models", () =>
    Effect.gen(function*() {
      yield* programs(Everything, (model) => ({
        get: model.get("x"),
        find: model.find("x"),
        getVersioned: model.getVersioned("x"),
        version: model.version("x"),
        atVersion: model.atVersion("x", "1" as Model.Version),
        exists: model.exists("x"),
        pick: model.pick("x", ["text"]),
        insert: model.insert(entity),
        put: model.put(entity),
        getOrInsert: model.getOrInsert(entity),
        ensure: model.ensure(entity),
        update: model.update("x", { text: "a", list: [1], nested: { a: 1 }, optionalText: undefined }),
        duplicate: model.duplicate("x", "y"),
        delete: model.delete("x"),
        expire: model.expire("x", "1 day"),
        persist: model.persist("x"),
        timeToLive: model.timeToLive("x")
      }), { update: 4 })
      assert.deepEqual(yield* operationsOf(Everything.update("x", {})), ["update"])
    }))

  it.effect("on topics and locks", () =>
    Effect.gen(function*() {
      assert.deepEqual(yield* operationsOf(Topic.make("explained", Schema.Int).publish(1)), ["publish"])
      const guard = yield* Lock.withLock("explained", (held) => Atomic.explain(held.guard), { on: ref })
      assert.deepEqual(guard.instructions.map(({ operation }) => operation), ["guard"])
    }).pipe(Effect.provide(RedisService.layerMemory)))
})
