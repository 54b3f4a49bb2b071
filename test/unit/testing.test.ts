/**
 * The raw stores of `redlayer/testing`, the assertions of `redlayer-conformance`, and its checks, which find each fault of a
 * faulty service.
 */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Context, Effect, Exit, HashMap, HashSet, Layer, Option, Schema, Scope } from "effect"
import { build } from "esbuild"
import { fileURLToPath } from "node:url"
import { Model, RedisService, RedisServiceError } from "redlayer"
import * as Conformance from "redlayer-conformance"
import * as own from "redlayer-conformance/assertions"
import * as Testing from "redlayer/testing"
import { Op } from "../../src/internal/instruction/ops.ts"
import type { Instruction, Program } from "../../src/internal/instruction/program.ts"
import { isEntitySpec } from "../../src/internal/instruction/spec.ts"
import { backends, describeMemory } from "../support/Backends.ts"
import { backendOf } from "../support/Conformance.ts"

// ---------------------------------------------------------------------------------------------------------------------
// raw stores
// ---------------------------------------------------------------------------------------------------------------------

const texts = ["", " ", "a", "\u0000", "\r\n", "\"'\\", "é\u{1f600}", "__proto__", "1e400", "x".repeat(5000)]

const Note = Model.make("testing/Note", { id: Schema.String, text: Schema.String }, { key: "id" })

for (const { describe, name } of backends) {
  describe("a raw store", () => {
    const provided = Effect.provide(Layer.suspend(() => backendOf[name].layer({})))

    it.live("a raw store reads what it has written, of every type", () =>
      Effect.gen(function*() {
        const raw = yield* Testing.RawStore
        assert.deepStrictEqual(yield* raw.dump, {})
        // adding nothing creates no key
        yield* raw.hashSet("hash", {})
        yield* raw.listPush("list")
        yield* raw.setAdd("set")
        yield* raw.sortedAdd("zset")
        assert.deepStrictEqual(yield* raw.dump, {})
        yield* raw.hashSet("hash", Object.fromEntries(texts.map((text) => [text, `${text}!`])))
        yield* raw.hashSet("hash", { a: "b" })
        assert.strictEqual(yield* raw.hashGet("hash", "a"), "b")
        assert.strictEqual(yield* raw.hashGet("hash", "__proto__"), "__proto__!")
        assert.isUndefined(yield* raw.hashGet("hash", "none"))
        assert.isUndefined(yield* raw.hashGet("none", "none"))
        for (const text of texts.slice(2)) yield* raw.hashDelete("hash", text)
        yield* raw.hashSet("gone", { a: "1" })
        yield* raw.hashDelete("gone", "a")
        // more items than a script can pass in one command
        const many = Array.from({ length: 9000 }, (_, i) => `${i}`)
        yield* raw.listPush("list", ...many)
        yield* raw.listPush("list", ...texts)
        assert.deepStrictEqual(yield* raw.listRead("list"), [...many, ...texts])
        assert.deepStrictEqual(yield* raw.listRead("none"), [])
        yield* raw.setAdd("set", ...texts, "a")
        assert.deepStrictEqual(yield* raw.setRead("set"), texts.toSorted())
        assert.deepStrictEqual(yield* raw.setRead("none"), [])
        yield* raw.sortedAdd("zset", "b", "2", "a", "2", "low", "-Infinity", "high", "Infinity", "half", "0.5")
        yield* raw.sortedAdd("zset", "b", "1e20")
        const sorted = ["low", "-Infinity", "half", "0.5", "a", "2", "b", "100000000000000000000", "high", "Infinity"]
        assert.deepStrictEqual(yield* raw.sortedRead("zset"), sorted)
        assert.deepStrictEqual(yield* raw.sortedRead("none"), [])
        yield* raw.stringSet("string", "text")
        yield* raw.delete("none")
        yield* raw.setAdd("deleted", "a")
        yield* raw.delete("deleted")
        assert.deepStrictEqual(yield* raw.dump, {
          hash: { type: "hash", content: { "": "!", " ": " !" }, expiresAt: undefined },
          list: { type: "list", content: [...many, ...texts], expiresAt: undefined },
          set: { type: "set", content: texts.toSorted(), expiresAt: undefined },
          string: { type: "string", content: "text", expiresAt: undefined },
          zset: { type: "zset", content: sorted, expiresAt: undefined }
        })
      }).pipe(provided))

    it.live("a raw store is exact to the millisecond, even if JSON would lose digits", () =>
      Effect.gen(function*() {
        const raw = yield* Testing.RawStore
        const at = 123_456_789_012_345
        yield* raw.setAdd("set", "a")
        assert.isUndefined(yield* raw.expiresAt("set"))
        yield* raw.expireAt("set", at)
        assert.strictEqual(yield* raw.expiresAt("set"), at)
        assert.strictEqual((yield* raw.dump).set?.expiresAt, at)
        yield* raw.expireAt("none", at)
        assert.isUndefined(yield* raw.expiresAt("none"))
        yield* raw.expireAt("set", 1)
        assert.deepStrictEqual(yield* raw.dump, {})
      }).pipe(provided))

    it.live("a raw store shares the store of the service, and fails only with defects", () =>
      Effect.gen(function*() {
        const raw = yield* Testing.RawStore
        yield* Note.insert({ id: "a", text: "one" })
        const key = "testing%2FNote:{a}"
        const keys = Object.keys(yield* raw.dump)
        assert.lengthOf(keys, 1, key)
        assert.strictEqual(yield* raw.hashGet(keys[0]!, "text"), "one")
        yield* raw.hashSet(keys[0]!, { text: "two" })
        assert.strictEqual(yield* Note.ref("a").text.get(), "two")
        const exit = yield* Effect.exit(raw.listPush(keys[0]!, "x"))
        assert.isTrue(Exit.isFailure(exit) && Cause.hasDies(exit.cause))
      }).pipe(provided))
  })
}

// ---------------------------------------------------------------------------------------------------------------------
// assertions of the checks
// ---------------------------------------------------------------------------------------------------------------------

const passes = (assertion: () => void): boolean => {
  try {
    assertion()
    return true
  } catch {
    return false
  }
}

class Point {
  readonly x: number
  readonly y: number
  constructor(x: number, y: number) {
    this.x = x
    this.y = y
  }
  get sum() {
    return this.x + this.y
  }
}

const circular = (): object => {
  const self: { self?: object; n: number } = { n: 1 }
  self.self = self
  return self
}

/** Makes values to compare. Each pair is made anew, so that two of them are never the same object. */
const values: ReadonlyArray<() => unknown> = [
  ...[0, -0, 1, NaN, Infinity, 0n, 1n, "", "0", "a", true, false, null, undefined].map((value) => () => value),
  () => Symbol.for("a"),
  () => parseInt,
  () => [],
  () => [undefined],
  () => [1],
  () => [1, 2],
  () => [2, 1],
  () => [[1], [2]],
  () => [-0],
  () => [NaN],
  () => ({}),
  () => ({ a: undefined }),
  () => ({ a: 1 }),
  () => ({ a: 1, b: 2 }),
  () => ({ b: 2, a: 1 }),
  () => ({ a: { b: { c: [0] } } }),
  () => ({ a: { b: { c: [-0] } } }),
  () => ({ 0: 1 }),
  () => ({ length: 0 }),
  () => ({ x: 1, y: 2 }),
  () => Object.assign(Object.create(null), { x: 1, y: 2 }),
  () => Object.fromEntries([["__proto__", 1]]),
  () => new Point(1, 2),
  () => new Point(2, 1),
  () => ({ [Symbol.for("a")]: 1 }),
  () => new Date(0),
  () => new Date(1),
  () => new Date(NaN),
  () => /a/,
  () => /a/g,
  () => new Uint8Array([1, 2]),
  () => new Uint8Array([1, 3]),
  () => new Uint16Array([1, 2]),
  () => new Set(),
  () => new Set([1, 2]),
  () => new Set([2, 1]),
  () => new Set(["1", "2"]),
  () => new Set([{ a: 1 }]),
  () => new Set([{ a: 2 }]),
  () => new Map(),
  () => new Map([["a", 1], ["b", 2]]),
  () => new Map([["b", 2], ["a", 1]]),
  () => new Map([["a", 2], ["b", 1]]),
  () => new Map([["a", { b: 1 }]]),
  () => new Error("a"),
  () => new Error("b"),
  () => new TypeError("a"),
  () => Option.none(),
  () => Option.some(1),
  () => Option.some(2),
  () => HashSet.make(1),
  () => HashSet.make(2),
  () => HashMap.make(["a", 1]),
  () => HashMap.make(["a", 2]),
  circular
]

describeMemory("the assertions of the checks", () => {
  it("the assertions find equal exactly what chai's do", () => {
    const pairs = { deepEqual: 0, strictEqual: 0 }
    for (const one of values) {
      for (const other of values) {
        const [a, b] = [one(), other()]
        for (const [name, ours] of [["deepEqual", own.deepEqual], ["strictEqual", own.strictEqual]] as const) {
          const wanted = passes(() => assert[name](a, b))
          assert.strictEqual(
            passes(() => ours(a, b)),
            wanted,
            `${name} ${values.indexOf(one)} ${values.indexOf(other)}`
          )
          if (wanted) pairs[name]++
        }
      }
    }
    assert.isAtLeast(pairs.deepEqual, values.length)
    assert.isAbove(pairs.strictEqual, 10)
  }, 60_000)

  it("the assertions say where two values differ", () => {
    const message = (actual: unknown, expected: unknown): string => {
      try {
        own.deepEqual(actual, expected, "what")
      } catch (error) {
        return (error as Error).message.split("\n")[0]!
      }
      return "equal"
    }
    assert.strictEqual(message({ a: [{ b: 1 }] }, { a: [{ b: 2 }] }), "what: it.a[0].b is 1 instead of 2")
    assert.strictEqual(message([1], [1, 2]), "what: it has a length of 1 instead of 2")
    assert.strictEqual(message({ a: 1 }, { a: 1, b: 2 }), "what: it lacks .b")
    assert.strictEqual(message({ a: 1, b: 2 }, { a: 1 }), "what: it has .b, which is not expected")
    assert.strictEqual(message({ a: 1 }, { a: 1 }), "equal")
  })

  it("each assertion can fail", () => {
    const right: ReadonlyArray<() => void> = [
      () => own.isTrue(true),
      () => own.isFalse(false),
      () => own.isNull(null),
      () => own.isUndefined(undefined),
      () => own.isDefined(0),
      () => own.isFunction(parseInt),
      () => own.isAbove(2, 1),
      () => own.isAtLeast(1, 1),
      () => own.isBelow(1, 2),
      () => own.isAtMost(1, 1),
      () => own.closeTo(1, 3, 2),
      () => own.match("abc", /b/),
      () => own.oneOf(1, [1, 2]),
      () => own.lengthOf("ab", 2),
      () => own.isNotEmpty("a"),
      () => own.include("abc", "b"),
      () => own.include([1, 2], 2),
      () => own.notInclude("abc", "d"),
      () => own.includeMembers([1, 2, 3], [3, 1]),
      () => own.sameMembers([1, 2], [2, 1]),
      () => own.property({ a: undefined }, "a"),
      () => own.notProperty({ a: 1 }, "b"),
      () => own.deepInclude({ a: [1], b: 2 }, { a: [1] }),
      () => own.instanceOf(new Date(0), Date),
      () => own.notInstanceOf({}, Date),
      () => own.notStrictEqual(1, 2),
      () =>
        own.throws(() => {
          throw new TypeError("abc")
        }, /b/),
      () =>
        own.throws(() => {
          throw new TypeError("abc")
        }, TypeError)
    ]
    const wrong: ReadonlyArray<() => void> = [
      () => own.fail("no"),
      () => own.isTrue(1),
      () => own.isFalse(undefined),
      () => own.isNull(undefined),
      () => own.isUndefined(null),
      () => own.isDefined(undefined),
      () => own.isFunction({}),
      () => own.isAbove(1, 1),
      () => own.isAbove(NaN, 1),
      () => own.isAtLeast(0, 1),
      () => own.isBelow(2, 2),
      () => own.isAtMost(2, 1),
      () => own.closeTo(1, 4, 2),
      () => own.closeTo(NaN, 4, 2),
      () => own.match("abc", /d/),
      () => own.oneOf(3, [1, 2]),
      () => own.lengthOf("ab", 3),
      () => own.isNotEmpty(""),
      () => own.include("abc", "d"),
      () => own.include([1, 2], 3),
      () => own.notInclude("abc", "b"),
      () => own.includeMembers([1, 2, 3], [3, 4]),
      () => own.sameMembers([1, 2], [1]),
      () => own.sameMembers([1, 1, 2], [1, 2, 2]),
      () => own.property({}, "a"),
      () => own.property(undefined, "a"),
      () => own.notProperty({ a: undefined }, "a"),
      () => own.notProperty(undefined, "a"),
      () => own.deepInclude({ a: [1], b: 2 }, { a: [2] }),
      () => own.deepInclude({ a: [1] }, { b: undefined }),
      () => own.instanceOf({}, Date),
      () => own.notInstanceOf(new Date(0), Date),
      () => own.notStrictEqual(1, 1),
      () => own.throws(() => {}, /a/),
      () => own.throws(() => {}, TypeError),
      () =>
        own.throws(() => {
          throw new TypeError("abc")
        }, /d/),
      () =>
        own.throws(() => {
          throw new Error("abc")
        }, TypeError)
    ]
    right.forEach((assertion, i) => assert.isTrue(passes(assertion), `right ${i}`))
    wrong.forEach((assertion, i) => assert.isFalse(passes(assertion), `wrong ${i}`))
  })
})

// ---------------------------------------------------------------------------------------------------------------------
// checks of a service
// ---------------------------------------------------------------------------------------------------------------------

type Service = RedisService.RedisService["Service"]

/** A layer of the memory service with a change. */
const changed = (change: (service: Service) => Service): Conformance.Options["layer"] => (options) =>
  Layer.effect(RedisService.RedisService, Effect.map(RedisService.RedisService, change)).pipe(
    Layer.provideMerge(Testing.layerMemory(options))
  )

const programs = (change: (program: Program) => Program): Conformance.Options["layer"] =>
  changed((service) => ({
    ...service,
    execute: (program, read) => service.execute(change(program), read),
    executeAll: (all, read) => service.executeAll(all.map(change), read)
  }))

const instructions = (change: (instruction: Instruction) => Instruction): Conformance.Options["layer"] =>
  programs((program) => ({ ...program, instructions: program.instructions.map(change) }))

const oneStore = Effect.runSync(Scope.provide(Layer.build(Testing.layerMemory()), Scope.makeUnsafe()))

/** Faulty services, each with an area whose checks find the fault, and one whose checks do not depend on it. */
const faulty: ReadonlyArray<
  readonly [what: string, area: string, layer: Conformance.Options["layer"], untouched?: string]
> = [
  [
    "adds one too many",
    "numbers",
    instructions((instruction) =>
      instruction.op === Op.increment && typeof instruction.args[0] === "number"
        ? { ...instruction, args: [instruction.args[0] + 1, ...instruction.args.slice(1)] }
        : instruction
    ),
    "sets"
  ],
  [
    "ignores guards",
    "guards",
    instructions((instruction) =>
      instruction.op === Op.fail ? { ...instruction, op: Op.jump, args: [0] } : instruction
    ),
    "numbers"
  ],
  [
    "ignores bounds",
    "numbers",
    instructions((instruction) => {
      if (isEntitySpec(instruction.spec)) return instruction
      const { minimum: _, exclusiveMinimum: _a, maximum: _b, exclusiveMaximum: _c, ...spec } = instruction.spec
      return { ...instruction, spec }
    })
  ],
  [
    "ignores times to live",
    "timeToLive",
    instructions((instruction) =>
      instruction.op === Op.expire ? { ...instruction, op: Op.require, args: [] } : instruction
    )
  ],
  ["ignores idempotency keys", "idempotency", programs((program) => ({ ...program, idempotency: undefined })), "lists"],
  [
    "applies twice",
    "lists",
    changed((service) => ({
      ...service,
      execute: (program, read) =>
        Effect.andThen(Effect.exit(service.execute(program, read)), service.execute(program, read))
    }))
  ],
  [
    "delivers messages twice",
    "topics",
    changed((service) => ({
      ...service,
      subscribe: (channel, listener) =>
        service.subscribe(channel, (event) => {
          if (event._tag === "Message") listener(event)
          listener(event)
        })
    })),
    "lists"
  ],
  ["forgets its options", "crossSlot", () => Testing.layerMemory(), "guards"],
  ["forgets its options", "limits", () => Testing.layerMemory()],
  [
    "stores elsewhere than in its raw store",
    "storedByHand",
    (options) =>
      Layer.mergeAll(
        RedisService.layerMemoryWith(options),
        Layer.effectContext(
          Effect.map(
            Layer.build(Layer.fresh(Testing.layerMemory())),
            (context) => Context.make(Testing.RawStore, Context.get(context, Testing.RawStore))
          )
        )
      ),
    "crossSlot"
  ],
  ["has one store for all builds", "batches", () => Layer.succeedContext(oneStore)],
  [
    "cannot be built",
    "text",
    () => Layer.effectDiscard(Effect.fail("no server")).pipe(Layer.provideMerge(Testing.layerMemory()))
  ]
]

/** Checks that pass even without a service, because their operations are refused or done before anything is sent. */
const unasked: ReadonlyArray<string> = [
  "aggregates: a definition of an aggregate that cannot be kept exactly is refused",
  "aggregates: a group that an aggregate can't have is refused",
  "bulk: an empty list returns an empty list and sends nothing",
  "composition: a program without instructions needs no round trip",
  "creation: `getOrInsert` and `ensure` refuse values that cannot be encoded, and write nothing",
  "definitions: a definition that cannot be stored is refused",
  "definitions: Schema's own `extend` does not inherit the model",
  "definitions: a time to live that is no object, has no duration or refreshes in another way is refused by name",
  "entities: insert and put refuse a value that the schema refuses, name the field, and write nothing",
  "idempotency: a program that sends nothing ignores the key",
  "indexes: a definition of indexes that cannot be kept is refused",
  "keys: an id that cannot be encoded refuses every program when it is committed, and nothing is thrown earlier",
  "refusals: the error of a refused entity contains its id",
  "limits: a `maximumValueBytes` that is below the least is refused",
  "refusals: an argument that is no condition or no handle throws a TypeError at once",
  "refusals: what is no Atomic throws a TypeError at once in each combinator, and is never dropped",
  "schemas: a schema that is missing, or that can't be stored, is refused where the model is defined",
  "scans: a service that cannot scan fails with Unsupported",
  "structDefaults: a default of a struct that its schema refuses throws when the model is made",
  ...["insert", "getOrInsert", "ensure", "insertMany", "insertManyStream"].map((name) =>
    `timeToLive: ${name}: an infinite duration, one below 1 ms, or no duration at all is refused, and nothing is stored`
  ),
  "tolerance: a tolerant field needs a value to read as",
  "topics: an invalid topic name is refused when the topic is defined"
]

const resultsOf = Effect.fnUntraced(function*(
  layer: Conformance.Options["layer"],
  of: (check: Conformance.Check) => boolean
) {
  const checks = yield* Conformance.checks({ layer, time: "clock" })
  const exits = yield* Effect.forEach(
    checks.filter(of),
    ({ area, name, run }) => Effect.map(Effect.exit(run), (exit) => ({ title: `${area}: ${name}`, exit })),
    { concurrency: 16 }
  )
  for (const { exit, title } of exits) {
    // a check fails only with `CheckFailed`
    const error = Exit.findErrorOption(exit)
    assert.isTrue(Exit.isSuccess(exit) || Option.isSome(error), title)
    if (Option.isSome(error)) {
      assert.instanceOf(error.value, Testing.CheckFailed)
      assert.strictEqual(error.value.check, title)
      assert.isNotEmpty(error.value.problem)
    }
  }
  return {
    passed: exits.filter(({ exit }) => Exit.isSuccess(exit)).map(({ title }) => title),
    failed: exits.filter(({ exit }) => Exit.isFailure(exit)).map(({ title }) => title)
  }
})

describeMemory("the checks of a service", () => {
  describe("a faulty service", { timeout: 120_000 }, () => {
    for (const [what, area, layer, untouched] of faulty) {
      it.live(`a service that ${what} fails a check of ${area}`, () =>
        Effect.gen(function*() {
          const { failed } = yield* resultsOf(layer, (check) => check.area === area)
          assert.isNotEmpty(failed)
          if (untouched !== undefined) {
            assert.deepStrictEqual((yield* resultsOf(layer, (check) => check.area === untouched)).failed, [])
          }
        }))
    }
  })

  it.live(
    "all ask for something, but for those of what is refused before anything is sent",
    () =>
      Effect.gen(function*() {
        const reason = new RedisServiceError.ServerUnavailable({ code: "LOADING" })
        const error = new RedisServiceError.RedisServiceError({ reason })
        const gone = Effect.fail(error)
        const layer = changed(() => ({
          execute: () => gone,
          executeAll: (programs) => Effect.succeed(programs.map(() => Exit.fail(error))),
          subscribe: () => gone
        }))
        const { failed, passed } = yield* resultsOf(layer, () => true)
        assert.isAbove(failed.length, 500)
        assert.deepStrictEqual(passed.toSorted(), unasked.toSorted())
      }),
    60_000
  )

  it.live("the checks have unique names, and run in any order, and at once", () =>
    Effect.gen(function*() {
      const checks = yield* Conformance.checks(backendOf.memory)
      assert.strictEqual(new Set(checks.map(({ area, name }) => `${area}: ${name}`)).size, checks.length)
      assert.isAbove(checks.length, 500)
      const some = checks.filter(({ area }) => ["entities", "refresh", "topics", "keys"].includes(area))
      yield* Effect.forEach(some.toReversed(), ({ run }) => run, { concurrency: "unbounded", discard: true })
    }), 60_000)

  it.live("a check fails, and does not interrupt, if a service interrupts its callers", () =>
    Effect.gen(function*() {
      const layer = changed((service) => ({ ...service, execute: () => Effect.interrupt }))
      const { failed, passed } = yield* resultsOf(layer, ({ area }) => area === "text")
      assert.isNotEmpty(failed)
      assert.deepStrictEqual(passed, [])
    }))

  // the checks sleep and wait in real time
  it.effect("the checks do not depend on the clock around them", () =>
    Effect.gen(function*() {
      const checks = yield* Conformance.checks(backendOf.memory)
      for (const { area, run } of checks) if (area === "topics") yield* run
    }), 60_000)

  it("the checks are not loaded with the module", async () => {
    const { metafile } = await build({
      entryPoints: [fileURLToPath(new URL("../../conformance/src/index.ts", import.meta.url))],
      outdir: "unwritten",
      write: false,
      bundle: true,
      splitting: true,
      metafile: true,
      format: "esm",
      platform: "node",
      packages: "external"
    })
    /** Returns the source files of a bundle, and of those that it imports statically. */
    const inputsOf = (name: string, seen = new Set<string>()): ReadonlyArray<string> => {
      const output = metafile.outputs[name]
      if (output === undefined || seen.has(name)) return []
      seen.add(name)
      const imported = output.imports.filter(({ kind }) => kind === "import-statement")
      return [...Object.keys(output.inputs), ...imported.flatMap(({ path }) => inputsOf(path, seen))]
    }
    const suites = (names: ReadonlyArray<string>) => names.filter((name) => name.includes("conformance/src/areas/"))
    const loaded = inputsOf("unwritten/index.js")
    assert.isTrue(loaded.some((name) => name.endsWith("conformance/src/index.ts")))
    assert.deepStrictEqual(suites(loaded), [])
    assert.isAbove(suites(Object.keys(metafile.inputs)).length, 40)
  })
})
