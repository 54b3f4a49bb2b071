/**
 * `Atomic.explain` names every operation as its method is named.
 */
import { assert, it } from "@effect/vitest"
import { DateTime, Effect, Schema } from "effect"
import { Atomic, Model } from "redlayer"
import { describeMemory } from "../support/Backends.ts"

const Everything = Model.make("explain/Everything", {
  id: Schema.String,
  text: Schema.String,
  number: Schema.Number,
  big: Schema.BigInt,
  flag: Schema.Boolean,
  at: Schema.DateTimeUtc,
  word: Schema.Literals(["a", "b"]),
  maybe: Schema.NullOr(Schema.Int),
  list: Schema.Array(Schema.String),
  set: Schema.ReadonlySet(Schema.String),
  map: Schema.Record(Schema.String, Schema.Int),
  board: Model.sortedSet(Schema.String)
}, { key: "id" })

const it_ = Everything.ref("a")
const other = Everything.ref("b")
const entity = {
  id: "a",
  text: "",
  number: 1,
  big: 1n,
  flag: true,
  at: DateTime.makeUnsafe(0),
  word: "a",
  maybe: null,
  list: [],
  set: new Set<string>(),
  map: {},
  board: []
} as const

type Calls = Readonly<Record<string, () => Atomic.Atomic.Any>>

const compared = (field: any, value: unknown): Calls =>
  Object.fromEntries(["eq", "neq", "lt", "lte", "gt", "gte"].map((name) => [name, () => field[name](value)]))

const calls: Readonly<Record<string, Calls>> = {
  text: {
    ...compared(it_.text, "a"),
    get: () => it_.text.get(),
    set: () => it_.text.set("a"),
    getAndSet: () => it_.text.getAndSet("a"),
    compareAndSet: () => it_.text.compareAndSet("a", "b"),
    append: () => it_.text.append("a"),
    in: () => it_.text.in(["a"])
  },
  number: {
    ...compared(it_.number, 1),
    increment: () => it_.number.increment(),
    decrement: () => it_.number.decrement(),
    multiply: () => it_.number.multiply(2),
    divide: () => it_.number.divide(2),
    quotient: () => it_.number.quotient(2),
    modulo: () => it_.number.modulo(2),
    power: () => it_.number.power(2),
    min: () => it_.number.min(2),
    max: () => it_.number.max(2),
    clamp: () => it_.number.clamp(1, 2)
  },
  big: { increment: () => it_.big.increment(), decrement: () => it_.big.decrement() },
  flag: { toggle: () => it_.flag.toggle() },
  at: { add: () => it_.at.add("1 hour"), subtract: () => it_.at.subtract("1 hour") },
  maybe: {
    isSet: () => it_.maybe.isSet(),
    setIfAbsent: () => it_.maybe.setIfAbsent(1),
    clear: () => it_.maybe.clear(),
    decrement: () => it_.maybe.decrement(1, { initial: 0 })
  },
  list: {
    get: () => it_.list.get(),
    set: () => it_.list.set([]),
    length: () => it_.list.length(),
    slice: () => it_.list.slice(),
    append: () => it_.list.append("a"),
    prepend: () => it_.list.prepend("a"),
    contains: () => it_.list.contains("a"),
    insert: () => it_.list.insert(0, "a"),
    pop: () => it_.list.pop(),
    shift: () => it_.list.shift(),
    remove: () => it_.list.remove("a"),
    removeRange: () => it_.list.removeRange(0),
    trim: () => it_.list.trim(0),
    clear: () => it_.list.clear()
  },
  set: {
    ...compared(it_.set.size(), 1),
    get: () => it_.set.get(),
    set: () => it_.set.set(new Set()),
    values: () => it_.set.values(),
    size: () => it_.set.size(),
    has: () => it_.set.has("a"),
    add: () => it_.set.add("a"),
    remove: () => it_.set.remove("a"),
    removeAll: () => it_.set.removeAll(["a"]),
    pop: () => it_.set.pop(),
    clear: () => it_.set.clear(),
    union: () => it_.set.union(other.set),
    intersection: () => it_.set.intersection(other.set),
    difference: () => it_.set.difference(other.set)
  },
  map: {
    get: () => it_.map.get(),
    set: () => it_.map.set({}),
    size: () => it_.map.size(),
    keys: () => it_.map.keys(),
    has: () => it_.map.has("a"),
    put: () => it_.map.put("a", 1),
    putAll: () => it_.map.putAll({ a: 1 }),
    remove: () => it_.map.remove("a"),
    removeAll: () => it_.map.removeAll(["a"]),
    pop: () => it_.map.pop("a"),
    popAny: () => it_.map.popAny(),
    clear: () => it_.map.clear(),
    increment: () => it_.map.at("a").increment(),
    decrement: () => it_.map.at("a").decrement()
  },
  board: {
    get: () => it_.board.get(),
    set: () => it_.board.set([]),
    size: () => it_.board.size(),
    has: () => it_.board.has("a"),
    add: () => it_.board.add("a", 1),
    addAll: () => it_.board.addAll([]),
    increment: () => it_.board.increment("a"),
    remove: () => it_.board.remove("a"),
    removeAll: () => it_.board.removeAll(["a"]),
    score: () => it_.board.score("a"),
    rank: () => it_.board.rank("a"),
    range: () => it_.board.range(),
    rangeByScore: () => it_.board.rangeByScore(),
    count: () => it_.board.count(),
    popMin: () => it_.board.popMin(),
    popMax: () => it_.board.popMax(),
    clear: () => it_.board.clear()
  },
  "": {
    get: () => Everything.get("a"),
    find: () => Everything.find("a"),
    pick: () => Everything.pick("a", ["text"]),
    exists: () => Everything.exists("a"),
    insert: () => Everything.insert(entity),
    put: () => Everything.put(entity),
    getOrInsert: () => Everything.getOrInsert(entity),
    ensure: () => Everything.ensure(entity),
    duplicate: () => Everything.duplicate("a", "b"),
    delete: () => Everything.delete("a"),
    expire: () => Everything.expire("a", "1 hour"),
    persist: () => Everything.persist("a"),
    timeToLive: () => Everything.timeToLive("a")
  }
}

/** The methods of a handle that make no program by themselves. */
const others = ["at", "value", "pipe", "asEffect", "toJSON", "toString"]

describeMemory("explain", () => {
  it.effect("names every operation as its method", () =>
    Effect.gen(function*() {
      for (const [field, methods] of Object.entries(calls)) {
        for (const [name, call] of Object.entries(methods)) {
          const { instructions } = yield* Atomic.explain(call())
          assert.deepStrictEqual(instructions.map(({ operation }) => operation), [name], `${field}.${name}`)
        }
      }
    }))

  it("is asked about every method of every collection", () => {
    for (const field of ["list", "set", "map", "board"] as const) {
      const missing: Array<string> = []
      for (let at = Object.getPrototypeOf(it_[field]); at !== Object.prototype; at = Object.getPrototypeOf(at)) {
        missing.push(...Object.getOwnPropertyNames(at).filter((name) => !(name in calls[field]!)))
      }
      const inner = [
        "constructor",
        "op",
        "refuse",
        "change",
        "withItems",
        "withName",
        "withNames",
        "withRange",
        "with",
        "scored"
      ]
      assert.deepStrictEqual(
        missing.filter((name) => !inner.includes(name) && !others.includes(name) && name !== "size"),
        []
      )
    }
  })
})
