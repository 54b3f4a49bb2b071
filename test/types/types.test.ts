/**
 * The statements about types in test/types hold, and what compiles exists.
 */
import { assert, it } from "@effect/vitest"
import { Duration, Effect, HashMap, HashSet, Option, Predicate, Schema } from "effect"
import { globSync, readFileSync, writeFileSync } from "node:fs"
import { basename, join } from "node:path"
import { fileURLToPath } from "node:url"
import { Model, RedisService } from "redlayer"
import { describeMemory } from "../support/Backends.ts"
import * as Doctest from "../support/doctest.ts"
import type { Names } from "./equals.ts"

const root = fileURLToPath(new URL("../..", import.meta.url))
const directory = join(root, "test/types")
const files = globSync("*.ts", { cwd: directory }).sort()

class Nested extends Schema.Class<Nested>("Nested")({ a: Schema.Int, list: Schema.Array(Schema.String) }) {
  get sum(): number {
    return this.a
  }
}

const Everything = Model.make("types/runtime/Everything", {
  id: Schema.String,
  text: Schema.String,
  int: Schema.Int,
  bool: Schema.Boolean,
  word: Schema.Literals(["a", "b"]),
  value: Schema.NullOr(Schema.String),
  tuple: Schema.Tuple([Schema.String, Schema.Int]),
  list: Schema.Array(Schema.Int),
  big: Schema.BigInt,
  date: Schema.Date,
  wait: Schema.Duration,
  set: Schema.ReadonlySet(Schema.String),
  hashSet: Schema.HashSet(Schema.String),
  record: Schema.Record(Schema.String, Schema.Int),
  map: Schema.ReadonlyMap(Schema.String, Schema.String),
  flags: Schema.HashMap(Schema.String, Schema.Boolean),
  bigs: Schema.Record(Schema.String, Schema.BigInt),
  waits: Schema.Record(Schema.String, Schema.Duration),
  words: Schema.Record(Schema.String, Schema.Literals(["a", "b"])),
  sorted: Model.sortedSet(Schema.String),
  optionalBig: Schema.optionalKey(Schema.BigInt),
  optionalWait: Schema.optionalKey(Schema.Duration),
  nullInt: Schema.NullOr(Schema.Int),
  struct: Schema.Struct({ a: Schema.Int }),
  nested: Nested,
  optional: Schema.optionalKey(Schema.Int),
  undefinable: Schema.UndefinedOr(Schema.Int),
  optionalUnknown: Schema.optionalKey(Schema.Unknown),
  optionalList: Schema.optionalKey(Schema.Array(Schema.Int)),
  json: Model.json(Schema.Array(Schema.Int)),
  jsonDefault: Model.json(Schema.Array(Schema.Int)).pipe(Model.withDefault([1])),
  jsonOptional: Model.json(Schema.optionalKey(Schema.Array(Schema.Int)))
}, { key: "id" })

type Ref = Model.Ref<typeof Everything>

const cell = { get: true, set: true, compareAndSet: true, eq: true, neq: true } as const
const value = { ...cell, value: true } as const
const word = { ...value, getAndSet: true, in: true } as const
const ordering = { lt: true, lte: true, gt: true, gte: true } as const
const integer = {
  ...ordering,
  increment: true,
  decrement: true,
  multiply: true,
  quotient: true,
  modulo: true,
  min: true,
  max: true,
  clamp: true
} as const
const arithmetic = { ...integer, divide: true, power: true } as const
const number = { ...word, ...arithmetic } as const
const moving = { ...ordering, add: true, subtract: true } as const
const optional = { ...cell, value: true, setIfAbsent: true, isSet: true, clear: true } as const
const entry = { ...optional, getAndSet: true } as const
const set = {
  get: true,
  set: true,
  values: true,
  size: true,
  has: true,
  add: true,
  remove: true,
  removeAll: true,
  pop: true,
  clear: true,
  union: true,
  intersection: true,
  difference: true
} as const
const map = {
  get: true,
  set: true,
  size: true,
  keys: true,
  has: true,
  put: true,
  putAll: true,
  remove: true,
  removeAll: true,
  pop: true,
  popAny: true,
  clear: true,
  at: true
} as const
const sorted = {
  get: true,
  set: true,
  size: true,
  has: true,
  add: true,
  addAll: true,
  increment: true,
  remove: true,
  removeAll: true,
  score: true,
  rank: true,
  range: true,
  rangeByScore: true,
  count: true,
  removeRangeByRank: true,
  removeRangeByScore: true,
  popMin: true,
  popMax: true,
  clear: true
} as const
const list = {
  get: true,
  set: true,
  length: true,
  slice: true,
  append: true,
  prepend: true,
  contains: true,
  insert: true,
  pop: true,
  shift: true,
  remove: true,
  removeRange: true,
  trim: true,
  clear: true,
  at: true
} as const

/** The methods that the types offer: the compiler refuses a missing name, and a superfluous one. */
const offered: { readonly [Name in keyof Ref]: { readonly [Operation in Names<Ref[Name]>]: true } } = {
  text: { ...word, ...ordering, append: true },
  int: number,
  bool: { ...word, toggle: true },
  word,
  value: optional,
  tuple: value,
  list,
  big: { ...word, ...integer },
  date: { ...word, ...moving },
  wait: { ...word, ...moving },
  set,
  hashSet: set,
  record: map,
  map,
  flags: map,
  bigs: map,
  waits: map,
  words: map,
  sorted,
  optionalBig: { ...optional, ...integer },
  optionalWait: { ...optional, ...moving },
  nullInt: { ...optional, ...arithmetic },
  struct: { a: true, $: true },
  nested: { a: true, list: true, $: true },
  optional: { ...optional, ...arithmetic },
  undefinable: { ...optional, ...arithmetic },
  optionalUnknown: optional,
  optionalList: optional,
  json: value,
  jsonDefault: value,
  jsonOptional: optional
}

type EntryOf<Handle> = Handle extends { at(key: any): infer Entry } ? Entry : never

/** The same of the entries of maps, by the field. */
const offeredEntries: {
  readonly [Name in "record" | "map" | "flags" | "bigs" | "waits" | "words"]: {
    readonly [Operation in Names<EntryOf<Ref[Name]>>]: true
  }
} = {
  record: { ...entry, ...arithmetic },
  map: { ...entry, ...ordering, append: true },
  flags: { ...entry, toggle: true },
  bigs: { ...entry, ...integer },
  waits: { ...entry, ...moving },
  words: entry
}

describeMemory("the types", () => {
  it.live("hold, and would be found not to", () =>
    Effect.gen(function*() {
      const project = yield* Doctest.temporaryProject(root, {
        include: ["../../test/types/*.ts", "wrong.ts"]
      })
      const wrong = readFileSync(join(directory, "handles.ts"), "utf8").replaceAll(
        `from "./`,
        `from "../../test/types/`
      )
      writeFileSync(
        join(project, "wrong.ts"),
        `${wrong}\nholds<Equals<typeof ref.int, Field.Text>>()\n// @ts-expect-error\nvoid ref.int.increment(1)\n`
      )
      const { output, status } = yield* Doctest.typeCheck(root, project, ["--listFiles"])
      const lines = output.split("\n")
      const findings = lines.filter((line) => /: (error|warning) /.test(line))
      // the statements of the files hold, and only the two that were added to a copy of one do not
      assert.deepStrictEqual(findings.filter((line) => !line.includes("/wrong.ts(")), [])
      assert.lengthOf(findings, 2, output)
      assert.include(findings[0], "TS2344: Type 'false' does not satisfy the constraint 'true'")
      assert.include(findings[1], "TS2578: Unused '@ts-expect-error' directive")
      assert.notStrictEqual(status, 0)
      assert.deepStrictEqual(
        lines.filter((line) => line.startsWith(directory)).map((line) => basename(line)).sort(),
        files
      )
      for (
        const file of [
          "handles.ts",
          "programs.ts",
          "atomic.ts",
          "generic.ts",
          "models.ts",
          "results.ts",
          "transactions.ts"
        ]
      ) {
        assert.include(files, file)
      }
    }), 60_000)

  it("offer nothing that does not exist", () => {
    const ref: Record<string, any> = Everything.ref("1")
    for (const [name, operations] of Object.entries(offered)) {
      for (const operation of Object.keys(operations)) {
        const found = ref[name][operation]
        const isHandle = Predicate.hasProperty(found, "get") || operation === "$"
        assert.isTrue(typeof found === "function" || isHandle, `${name}.${operation}`)
      }
    }
    for (const [name, operations] of Object.entries(offeredEntries)) {
      const found = ref[name].at("a")
      for (const operation of Object.keys(operations)) assert.isFunction(found[operation], `${name}.at.${operation}`)
    }
    assert.isFunction(Everything.ref("1").struct.$.set)
    assert.isFunction(Everything.ref("1").struct.$.eq)
    assert.isFunction(Everything.ref("1").struct.$.neq)
    for (const name of ["value", ...Object.keys(ordering), "eq", "neq"]) {
      assert.isFunction((Everything.ref("1").list.length() as Record<string, any>)[name], `length.${name}`)
    }
    assert.isFunction(Everything.ref("1").nested.list.append)
    assert.isUndefined((Everything.ref("1").nested as Record<string, any>).sum)
    assert.isUndefined((Everything.ref("1") as Record<string, any>).id)
  })

  it.effect("of results are those of the results", () =>
    Effect.gen(function*() {
      yield* Everything.insert({
        id: "1",
        text: "t",
        int: 1,
        bool: true,
        word: "a",
        value: null,
        tuple: ["t", 1],
        list: [1],
        big: 1n,
        date: new Date(1),
        wait: Duration.millis(1),
        set: new Set(["a"]),
        hashSet: HashSet.make("a"),
        record: { a: 1 },
        map: new Map([["a", "b"]]),
        flags: HashMap.make(["a", true]),
        bigs: { a: 1n },
        waits: { a: Duration.millis(1) },
        words: { a: "b" },
        sorted: [{ member: "a", score: 1 }],
        nullInt: null,
        struct: { a: 1 },
        nested: new Nested({ a: 1, list: [] }),
        optional: 5,
        undefinable: undefined,
        optionalUnknown: { b: 1 },
        json: [1]
      })
      const ref = Everything.ref("1")
      assert.deepStrictEqual(yield* ref.optional.get(), Option.some(5))
      assert.deepStrictEqual(yield* ref.undefinable.get(), Option.none())
      assert.deepStrictEqual(yield* ref.optionalUnknown.get(), Option.some({ b: 1 }))
      assert.deepStrictEqual(yield* ref.jsonOptional.get(), Option.none())
      yield* ref.jsonOptional.set([1, 2])
      assert.deepStrictEqual(yield* ref.jsonOptional.get(), Option.some([1, 2]))
      yield* Everything.update("1", { jsonOptional: undefined })
      assert.deepStrictEqual(yield* ref.jsonOptional.get(), Option.none())
      assert.deepStrictEqual(yield* ref.jsonDefault.get(), [1])
      assert.isTrue(yield* ref.jsonDefault.compareAndSet([1], []))
      assert.deepStrictEqual(yield* ref.list.pop(), Option.some(1))
      assert.deepStrictEqual(yield* ref.value.get(), Option.none())
      assert.deepStrictEqual(yield* ref.big.increment(), 2n)
      assert.deepStrictEqual(yield* ref.date.add(1), new Date(2))
      assert.deepStrictEqual(yield* ref.set.get(), new Set(["a"]))
      assert.isTrue(HashSet.isHashSet(yield* ref.hashSet.union(ref.set as any)))
      assert.deepStrictEqual(yield* ref.record.popAny(), Option.some(["a", 1] as const))
      assert.deepStrictEqual(yield* ref.map.get(), new Map([["a", "b"]]))
      assert.isTrue(HashMap.isHashMap(yield* ref.flags.get()))
      assert.deepStrictEqual(yield* ref.sorted.popMin(), Option.some({ member: "a", score: 1 }))
      assert.strictEqual(yield* ref.nullInt.increment(1, { initial: 0 }), 1)
      assert.isTrue((yield* ref.nested.$.get()) instanceof Nested)
    }).pipe(Effect.provide(RedisService.layerMemory)))
})
