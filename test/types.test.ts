/**
 * The statements about types in test/types hold, and what compiles exists.
 */
import { assert, it } from "@effect/vitest"
import { Effect, Option, Predicate, Schema } from "effect"
import { globSync, readFileSync, writeFileSync } from "node:fs"
import { basename, join } from "node:path"
import { fileURLToPath } from "node:url"
import { Model, RedisService } from "redlayer"
import { describeMemory } from "./support/Backends.ts"
import * as Doctest from "./support/doctest.ts"
import type { Names } from "./types/equals.ts"

const root = fileURLToPath(new URL("..", import.meta.url))
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

const value = { get: true, set: true, compareAndSet: true } as const
const word = { ...value, getAndSet: true } as const
const number = {
  ...word,
  increment: true,
  decrement: true,
  multiply: true,
  divide: true,
  quotient: true,
  modulo: true,
  min: true,
  max: true,
  clamp: true
} as const
const optional = { ...value, setIfAbsent: true, isSet: true, clear: true } as const
const list = {
  get: true,
  set: true,
  length: true,
  slice: true,
  append: true,
  prepend: true,
  pop: true,
  shift: true,
  clear: true,
  at: true
} as const

/** What the types offer: the compiler refuses a name too few, and one too many. */
const offered: { readonly [Name in keyof Ref]: { readonly [Operation in Names<Ref[Name]>]: true } } = {
  text: { ...word, append: true },
  int: number,
  bool: { ...word, toggle: true },
  word,
  value,
  tuple: value,
  list,
  struct: { a: true, $: true },
  nested: { a: true, list: true, $: true },
  optional,
  undefinable: optional,
  optionalUnknown: optional,
  optionalList: optional,
  json: value,
  jsonDefault: value,
  jsonOptional: optional
}

describeMemory("the types", () => {
  it.live("hold, and would be found not to", () =>
    Effect.gen(function*() {
      const project = yield* Doctest.temporaryProject(root, {
        include: ["../../test/types/*.ts", "wrong.ts"]
      })
      const wrong = readFileSync(join(directory, "handles.ts"), "utf8").replaceAll(
        `"./equals.ts"`,
        `"../../test/types/equals.ts"`
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
      for (const file of ["handles.ts", "programs.ts", "atomic.ts", "generic.ts"]) assert.include(files, file)
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
    assert.isFunction(Everything.ref("1").struct.$.set)
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
      assert.isTrue((yield* ref.nested.$.get()) instanceof Nested)
    }).pipe(Effect.provide(RedisService.layerMemory)))
})
