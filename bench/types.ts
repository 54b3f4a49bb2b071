/**
 * The cost for the compiler: 20 models of 20 fields, one of each kind, with every operation used. They are compiled against the
 * published declarations, not the source.
 */
import { Effect } from "effect"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import * as Doctest from "../test/support/doctest.ts"
import { once } from "./harness/once.ts"
import { compilePackage, tsc } from "./harness/tsc.ts"

const root = fileURLToPath(new URL("..", import.meta.url))

const modelCount = 20

const equality = (a: string): ReadonlyArray<string> => [`eq(${a})`, `neq(${a})`]
const ordering = (a: string): ReadonlyArray<string> => ["lt", "lte", "gt", "gte"].map((name) => `${name}(${a})`)
const value = (a: string) => ["get()", `set(${a})`, `compareAndSet(${a}, ${a})`, ...equality(a)]
const scalar = (a: string) => [...value(a), `set(h.value())`, `eq(h.value())`, `in([${a}])`, `getAndSet(${a})`]
const optional = (a: string) => [...value(a), "isSet()", `setIfAbsent(${a})`, "clear()"]

const arithmetic = (by: string, options: string): ReadonlyArray<string> => [
  ...["increment", "decrement", "multiply", "quotient", "modulo", "min", "max"].map((name) =>
    `${name}(${by}, ${options})`
  ),
  `clamp(${by}, ${by}, ${options})`
]
const fraction = (by: string, options: string) => [`divide(${by}, ${options})`, `power(2, ${options})`]

const computed = (name: string, by: string): ReadonlyArray<string> =>
  ["plus", "minus", "times", "quotient", "modulo", "min", "max"].map((operator) =>
    `${name}(h.value().${operator}(${by}).${operator}(h.value()))`
  )

const number = [
  ...scalar("1"),
  ...ordering("1"),
  ...ordering("h.value()"),
  "increment()",
  "decrement()",
  ...arithmetic("1", "{ atLeast: 0, atMost: 9 }"),
  ...arithmetic("h.value()", "{}"),
  ...fraction("1", "{}"),
  ...computed("increment", "1"),
  "increment(h.value().dividedBy(2))"
]

const time = (a: string) => [
  ...scalar(a),
  ...ordering(a),
  `add("1 hour")`,
  `subtract("1 hour", { atLeast: ${a} })`
]

const count = (name: string) => [
  `${name}()`,
  ...[...equality("1"), ...ordering("1")].map((test) => `${name}().${test}`),
  `${name}().eq(h.${name}().value().plus(1))`
]

const date = "new Date(0)"
const utc = "DateTime.nowUnsafe()"

/** A field of each kind: its schema and its operations. Names contain the number of the model, so that models share no types. */
const fields = (model: number): ReadonlyArray<readonly [schema: string, operations: ReadonlyArray<string>]> => [
  ["Schema.String", [...scalar(`"a"`), ...ordering(`"a"`), `append("a")`, "append(h.value())"]],
  [`Schema.Literals(["a${model}", "b${model}"])`, scalar(`"a${model}"`)],
  ["Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))", number],
  ["Schema.Finite.pipe(Model.withDefault(1))", number],
  ["Schema.BigInt", [
    ...scalar("1n"),
    ...ordering("1n"),
    ...arithmetic("1n", "{ atLeast: 0n }"),
    ...arithmetic("h.value()", "{}"),
    ...computed("increment", "1n")
  ]],
  ["Schema.Boolean", [...scalar("true"), "toggle()"]],
  ["Schema.Date", time(date)],
  ["Schema.DateTimeUtc", time(utc)],
  ["Schema.Duration", time("Duration.seconds(1)")],
  ["Schema.optionalKey(Schema.String)", optional(`"a"`)],
  ["Schema.NullOr(Schema.Int)", [
    ...optional("1"),
    ...ordering("1"),
    ...arithmetic("1", "{ initial: 0 }"),
    ...fraction("1", "{ initial: 0 }")
  ]],
  ["Schema.optionalKey(Schema.DateTimeUtc)", [
    ...optional(utc),
    ...ordering(utc),
    `add("1 hour", { initial: ${utc} })`,
    `subtract("1 hour", { initial: ${utc} })`
  ]],
  ["Schema.Array(Schema.Int)", [
    "get()",
    "set([1])",
    ...count("length"),
    "slice(0, 1)",
    "append(1, { keep: 3 })",
    "append([1, 2])",
    "prepend(1)",
    "contains(1)",
    "insert(0, 1)",
    "pop()",
    "shift()",
    "remove(1)",
    "removeRange(0, 1)",
    "trim(0, 1)",
    "clear()",
    "at(0).increment()"
  ]],
  [`Schema.Array(Schema.Struct({ n${model}: Schema.Int }))`, [
    "get()",
    `append({ n${model}: 1 })`,
    `contains({ n${model}: 1 })`,
    `at(0).set({ n${model}: 1 })`
  ]],
  ["Schema.ReadonlySet(Schema.String)", [
    "get()",
    `set(new Set(["a"]))`,
    "values()",
    ...count("size"),
    `has("a")`,
    `add("a")`,
    `add(["a"])`,
    `remove("a")`,
    `removeAll(["a"])`,
    "pop()",
    "clear()",
    "union(h)",
    "intersection(h)",
    "difference(h)"
  ]],
  ["Schema.Record(Schema.String, Schema.Int)", [
    "get()",
    "set({ a: 1 })",
    ...count("size"),
    "keys()",
    `has("a")`,
    `put("a", 1)`,
    "putAll({ a: 1 })",
    `remove("a")`,
    `removeAll(["a"])`,
    `pop("a")`,
    "popAny()",
    "clear()",
    ...[...optional("1"), ...ordering("1"), "increment()", "getAndSet(1)"].map((operation) => `at("a").${operation}`)
  ]],
  ["Model.sortedSet(Schema.String)", [
    "get()",
    `set([{ member: "a", score: 1 }])`,
    ...count("size"),
    `has("a")`,
    `add("a", 1)`,
    `addAll([{ member: "a", score: 1 }])`,
    `increment("a")`,
    `remove("a")`,
    `removeAll(["a"])`,
    `score("a")`,
    `rank("a", { reverse: true })`,
    "range(0, 1)",
    "rangeByScore({ min: 1, limit: 2 })",
    "count({ max: 1 })",
    "popMin()",
    "popMax()",
    "clear()"
  ]],
  [
    `Schema.Struct({ wins${model}: Schema.Int, last: Schema.Struct({ score${model}: Schema.Finite }) })`,
    [
      "$.get()",
      `$.set({ wins${model}: 1, last: { score${model}: 1 } })`,
      `$.eq({ wins${model}: 1, last: { score${model}: 1 } })`,
      `$.neq({ wins${model}: 1, last: { score${model}: 1 } })`,
      `wins${model}.increment()`,
      `last.score${model}.multiply(2)`,
      `last.$.get()`
    ]
  ],
  [`Model.json(Schema.Array(Schema.Struct({ n${model}: Schema.Int })))`, value(`[{ n${model}: 1 }]`)]
]

/** The argument of the constructor of an entity. */
const entity = (model: number): string =>
  `{ id, f0: "a", f1: "a${model}", f2: 1, f4: 1n, f5: true, f6: ${date}, f7: ${utc}, f8: Duration.seconds(1), f10: null, ` +
  `f12: [1], f13: [{ n${model}: 1 }], f14: new Set(["a"]), f15: { a: 1 }, f16: [{ member: "a", score: 1 }], ` +
  `f17: { wins${model}: 1, last: { score${model}: 1 } }, f18: [{ n${model}: 1 }] }`

const programs = (model: number): ReadonlyArray<string> => [
  "get(id)",
  "find(id)",
  "exists(id)",
  `pick(id, ["f0", "f2"])`,
  `insert(${entity(model)}, { timeToLive: "1 day" })`,
  `put(${entity(model)})`,
  `getOrInsert(${entity(model)})`,
  `ensure(${entity(model)})`,
  `update(id, { f0: "a", f2: 1, f17: { wins${model}: 1 } })`,
  `duplicate(id, "b")`,
  "delete(id)",
  `expire(id, "1 day")`,
  "persist(id)",
  "timeToLive(id)"
]

const bulk = (model: number): ReadonlyArray<string> => {
  const options = "{ concurrency: 8 }"
  return [
    `getMany([id], ${options})`,
    `insertMany([${entity(model)}], ${options})`,
    `deleteMany([id], ${options})`,
    `getManyStream([id], ${options})`,
    `insertManyStream([${entity(model)}], ${options})`,
    `deleteManyStream([id], ${options})`
  ]
}

/** The key is the twentieth field. */
const modelSource = (model: number): string => {
  const name = `Model${model}`
  const kinds = fields(model)
  const on = (target: string, operations: ReadonlyArray<string>) =>
    operations.map((operation) => `  ${target}.${operation}`).join(",\n")
  return `class ${name} extends Model.Class<${name}>("${name}")({
  id: Schema.String,
${kinds.map(([schema], i) => `  f${i}: ${schema}`).join(",\n")}
}, { key: "id" }) {}
${
    kinds.map(([, operations], i) =>
      `export const field${model}_${i} = (id: string, h = ${name}.ref(id).f${i}) => Atomic.all([\n${
        on("h", operations)
      }\n])`
    ).join("\n")
  }
export const programs${model} = (id: string) => Atomic.all([\n${on(name, programs(model))}\n])
export const bulk${model} = (id: string) => [\n${on(name, bulk(model))}\n]
`
}

const source = `import { DateTime, Duration, Schema } from "effect"
import { Atomic, Model } from "redlayer"

${Array.from({ length: modelCount }, (_, i) => modelSource(i + 1)).join("\n")}`

/** Single-threaded, because parallel checkers do some of the work twice. */
const instantiations = Effect.gen(function*() {
  const project = yield* Doctest.temporaryProject(root, {
    include: ["models.ts"],
    compilerOptions: { customConditions: [], paths: { redlayer: ["./dist/index.d.ts"] } }
  })
  yield* compilePackage(project, ["--emitDeclarationOnly"])
  writeFileSync(join(project, "models.ts"), source)
  const report = yield* tsc(["-p", project, "--singleThreaded", "--extendedDiagnostics"])
  return Number(/^Instantiations:\s+(\d+)/m.exec(report)?.[1])
}).pipe(Effect.scoped)

export const rows = [
  once({
    name: "types",
    contender: "a bound",
    unit: "inst.",
    target: 1,
    measure: async () => ({ ours: await Effect.runPromise(instantiations), theirs: 90_000 })
  })
]
