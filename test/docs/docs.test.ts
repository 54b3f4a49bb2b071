/**
 * The programs in README.md, in docs/ and in the docstrings of src/ compile, run, and do what they say. Those of the pages by task run on
 * a server too.
 */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Effect, Exit, Scope } from "effect"
import { globSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { describeMemory, describeRedis, redis, uniquePrefix } from "../support/Backends.ts"
import * as Doctest from "../support/doctest.ts"
import { deletePrefix } from "../support/globalSetup.ts"

const root = fileURLToPath(new URL("../..", import.meta.url))

const sources = [
  "README.md",
  "AGENTS.md",
  ...globSync("docs/**/*.md", { cwd: root }).sort(),
  ...globSync("src/**/*.ts", { cwd: root }).sort(),
  "conformance/README.md",
  ...globSync("conformance/src/**/*.ts", { cwd: root }).sort()
]

const examples = sources.flatMap((file) => Doctest.extract(file, readFileSync(`${root}/${file}`, "utf8")))

/** The pages by task say that their programs do the same on a server. */
const isByTask = (example: Doctest.Example): boolean =>
  /^docs\/(?:start\.md|recipes\/|coming-from\/)/.test(example.name) && Doctest.hasMemoryLayer(example)

/** The libraries beside Effect whose code the pages show, and that are installed with types. */
const libraries = ["effect", "ioredis", "redis-om"]

/** The code of other libraries that the pages show: it is compiled, and not run. */
const theirs = sources.flatMap((file) => {
  const text = readFileSync(`${root}/${file}`, "utf8").replaceAll("```ts run", "```ts ours").replaceAll(
    "```ts theirs",
    "```ts run"
  )
  return Doctest.extract(file, text).filter(({ source }) =>
    [...source.matchAll(/ from "([^"]+)"/g)].every(([, name]) => libraries.includes(name!))
  )
})

/** Programs that must be found wrong, compiled and run beside the others. */
const seeded = Doctest.extract(
  "seeded",
  [
    "```ts run",
    "const one: number = 1",
    "one // => 1",
    "const two = await Promise.resolve({ a: [one + 1] }) // => { a: [2] }",
    "if (two.a.length === 1) {",
    "  two.a[0] // => 2",
    "}",
    "```",
    "  ```ts run",
    "  const one: number = 1",
    "  one // => 2",
    "  ```",
    " * ```ts run",
    " * const unreachable = (): void => {",
    " *   1 + 1 // => 2",
    " * }",
    " *",
    " * void unreachable",
    " * ```",
    "```ts run",
    "const text: string = 1",
    "text // => 1",
    "```",
    "```ts run",
    "throw new Error(\"thrown\")",
    "```",
    "```ts run",
    "await new Promise(() => {})",
    "```"
  ].join("\n")
)

const scope = Scope.makeUnsafe()
let compiled: ReadonlyMap<string, Doctest.Compiled> = new Map()

beforeAll(() =>
  Doctest.compile(root, [...examples, ...theirs, ...seeded], isByTask).pipe(
    Effect.map((all) => {
      compiled = new Map(all.map((example) => [example.name, example]))
    }),
    Scope.provide(scope),
    Effect.runPromise
  ), 180_000)
afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)))

describeRedis("the pages by task", () => {
  describe("run on a server", { concurrent: true, timeout: 60_000 }, () => {
    it.live.each(examples.filter(isByTask))("$name", ({ name }) =>
      Effect.gen(function*() {
        const example = compiled.get(name)
        assert.isDefined(example)
        const server = { url: redis.url!, keyPrefix: uniquePrefix("docs") }
        const outcome = yield* Effect.exit(Doctest.runOnServer(root, example, server))
        const stored = yield* deletePrefix(server.url, server.keyPrefix)
        const { output, status } = yield* outcome
        assert.strictEqual(status, 0, output)
        assert.isAbove(stored, 0, "it has written nothing to the server")
      }))
  })
})

describeMemory("the documentation", () => {
  const outcomeOf = Effect.fnUntraced(function*(name: string) {
    const example = compiled.get(name)
    assert.isDefined(example)
    return { ...example, ...yield* Doctest.run(root, example) }
  })

  it("the pages contain examples", () => {
    assert.isAbove(examples.filter((example) => example.name.startsWith("README.md:")).length, 0)
    for (const module of ["Model", "internal/field/scalars", "Atomic", "RedisService"]) {
      assert.isAbove(examples.filter((example) => example.name.startsWith(`src/${module}.ts:`)).length, 0, module)
    }
    assert.isAbove(examples.reduce((sum, example) => sum + example.assertions, 0), 0)
  })

  it("the code of other libraries compiles against them", () => {
    assert.isAtLeast(theirs.length, 3)
    for (const { name } of theirs) assert.deepStrictEqual(compiled.get(name)?.problems, [], name)
  })

  it("no program is shown that is not run", () => {
    for (const file of sources) {
      const fences = readFileSync(`${root}/${file}`, "utf8").match(
        /^\s*(?:\* ?)?```(?:ts|typescript|js|javascript)\s*$/gm
      )
      assert.isNull(fences, file)
    }
  })

  describe("compiles, and runs", { concurrent: true, timeout: 60_000 }, () => {
    it.live.each(examples)("$name", ({ name }) =>
      Effect.gen(function*() {
        const { output, problems, status } = yield* outcomeOf(name)
        assert.deepStrictEqual(problems, [])
        assert.strictEqual(status, 0, output)
      }))
  })

  describe("is found wrong where it is", { concurrent: true, timeout: 60_000 }, () => {
    const [good, unequal, unreached, illTyped, throwing, pending] = seeded.map((example) => example.name) as [
      string,
      string,
      string,
      string,
      string,
      string
    ]

    it.live("an example whose assertions of every kind hold passes", () =>
      Effect.gen(function*() {
        const { assertions, output, problems, status } = yield* outcomeOf(good)
        assert.strictEqual(assertions, 3)
        assert.deepStrictEqual(problems, [])
        assert.strictEqual(status, 0, output)
      }))

    it.live("an example that states another value fails", () =>
      Effect.gen(function*() {
        const { output, problems, status } = yield* outcomeOf(unequal)
        assert.deepStrictEqual(problems, [])
        assert.strictEqual(status, 1)
        assert.include(output, "expected 2, got 1")
      }))

    it.live("an example with an unreachable assertion fails", () =>
      Effect.gen(function*() {
        const { output, problems, status } = yield* outcomeOf(unreached)
        assert.deepStrictEqual(problems, [])
        assert.strictEqual(status, 1)
        assert.include(output, "an assertion was not reached")
      }))

    it("an example with a wrong type fails", () => {
      const problems = compiled.get(illTyped)?.problems
      assert.lengthOf(problems ?? [], 1)
      assert.include(problems?.[0], "Type 'number' is not assignable to type 'string'")
    })

    it.live("an example that throws or never settles fails", () =>
      Effect.gen(function*() {
        assert.include((yield* outcomeOf(throwing)).output, "thrown")
        assert.notStrictEqual((yield* outcomeOf(throwing)).status, 0)
        assert.notStrictEqual((yield* outcomeOf(pending)).status, 0)
      }))

    it("a malformed fence fails instead of being skipped", () => {
      for (
        const text of [
          "```ts run",
          "```ts run\n1",
          "> ```ts run\n> 1\n> ```",
          "```ts run twice\n```",
          " * ```ts run\n * 1\n */\n * ```"
        ]
      ) {
        assert.throws(() => Doctest.extract("file", text), /^file:1: /, JSON.stringify(text))
      }
      assert.deepStrictEqual(Doctest.extract("file", "```ts\nthis is a part\n```"), [])
    })
  })
})
