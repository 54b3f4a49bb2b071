/**
 * Effect's `Reactivity` between processes, in memory: its time, and the texts of its messages.
 */
import { assert, it } from "@effect/vitest"
import { Context, Effect, Layer, Schema } from "effect"
import { Reactivity } from "effect/reactivity"
import { TestClock } from "effect/testing"
import { EffectReactivity, Model, RedisService } from "redlayer"
import { Gathered, hashesOf, type KeyHash, messagesOf, read } from "../../src/internal/topic/invalidation.ts"
import { describeMemory } from "../support/Backends.ts"

const Player = Model.make("TimedPlayer", { name: Schema.String, score: Schema.Int }, { key: "name", live: true })

const start = (options?: EffectReactivity.Options) =>
  Effect.map(Layer.build(EffectReactivity.layer(options)), Context.get(Reactivity.Reactivity))

describeMemory("Reactivity between processes", () => {
  const test = (name: string, body: () => Effect.Effect<void, unknown, any>) =>
    it.effect(
      name,
      () => Effect.provide(Effect.scoped(body()), RedisService.layerMemory) as Effect.Effect<void, unknown>
    )

  test("messages that follow within the debounce run a query once, and its own process at once", () =>
    Effect.gen(function*() {
      const [one, two] = [yield* start({ debounce: "1 second" }), yield* start({ debounce: "1 second" })]
      const runs = [0, 0]
      yield* one.query(["a", "b", ...Player.reactivityKeys()], Effect.sync(() => ++runs[0]!))
      yield* two.query(["a", "b", ...Player.reactivityKeys()], Effect.sync(() => ++runs[1]!))
      yield* one.invalidate(["a"])
      assert.deepStrictEqual(runs, [2, 1])
      yield* TestClock.adjust("600 millis")
      yield* one.invalidate(["b"])
      yield* TestClock.adjust("399 millis")
      assert.deepStrictEqual(runs, [3, 1])
      yield* TestClock.adjust("1 millis")
      assert.deepStrictEqual(runs, [3, 2])
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(runs, [3, 2])
      for (let i = 0; i < 100; i++) yield* Player.put({ name: `p${i}`, score: 1 })
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(runs, [4, 3])
    }))

  test("the default of the debounce is 50 ms, and nothing is invalidated without a message", () =>
    Effect.gen(function*() {
      const one = yield* start()
      let runs = 0
      yield* one.query(["a"], Effect.sync(() => ++runs))
      yield* EffectReactivity.invalidate(["a"])
      yield* TestClock.adjust("49 millis")
      assert.strictEqual(runs, 1)
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(runs, 2)
      yield* TestClock.adjust("1 day")
      assert.strictEqual(runs, 2)
    }))

  test("everything is invalidated every `refresh`", () =>
    Effect.gen(function*() {
      const one = yield* start({ debounce: 0, refresh: "30 seconds" })
      let runs = 0
      yield* one.query(["a"], Effect.sync(() => ++runs))
      for (let i = 1; i < 4; i++) {
        yield* TestClock.adjust("29 seconds")
        assert.strictEqual(runs, i)
        yield* TestClock.adjust("1 second")
        assert.strictEqual(runs, i + 1)
      }
    }))

  test("a handler that throws is logged, and ends nothing", () =>
    Effect.gen(function*() {
      const one = yield* start({ debounce: 0 })
      let runs = 0
      one.registerUnsafe(["a"], () => {
        throw new Error("handler")
      })
      yield* one.query(["b"], Effect.sync(() => ++runs))
      yield* EffectReactivity.invalidate(["a"])
      yield* TestClock.adjust("1 millis")
      yield* EffectReactivity.invalidate(["b"])
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(runs, 2)
    }))

  test("after its layer has closed nothing waits for ever", () =>
    Effect.gen(function*() {
      const one = yield* Effect.scoped(start())
      let runs = 0
      yield* one.query(Player.reactivityKeys(), Effect.sync(() => ++runs))
      assert.strictEqual(runs, 1)
      yield* one.invalidate(Player.reactivityKeys())
      assert.strictEqual(runs, 2)
    }))

  it("a message is bounded, and its keys are those that were written", () => {
    const hostile: ReadonlyArray<KeyHash> = [
      "",
      "\0",
      "\ud800",
      "\"",
      "]",
      "__proto__",
      "🙂".repeat(100),
      0,
      -1,
      2 ** 31
    ]
    const keys = new Set<KeyHash>([
      ...hostile,
      ...Array.from({ length: 5000 }, (_, i) => `${i}${"\u0001".repeat(200)}`)
    ])
    const messages = messagesOf("me", keys)
    assert.isAbove(messages.length, 100)
    const found: Array<KeyHash> = []
    for (const message of messages) {
      assert.isAtMost(message.length, 16_100)
      assert.isTrue(message.isWellFormed())
      const { keys, sender } = read(message)
      assert.strictEqual(sender, "me")
      found.push(...keys!)
    }
    assert.deepStrictEqual(found, [...keys])
    // one key is never longer than a message
    for (const key of ["x".repeat(1_000_000), "\u0001".repeat(256)]) {
      const [only, ...more] = messagesOf("me", new Set([key]))
      assert.deepStrictEqual(more, [])
      assert.isBelow(only!.length, 2000)
    }
    assert.deepStrictEqual(messagesOf("me", new Set()), [])
    assert.deepStrictEqual(messagesOf("me", undefined).map(read), [{ sender: "me", keys: undefined }])
    assert.isAtMost(messagesOf("x".repeat(12), undefined)[0]!.length, 64)
  })

  it("what is no message of this version may be about any key", () => {
    const all = [
      "",
      "{",
      "null",
      "1",
      "\"ab\"",
      "{}",
      "[]",
      "[1,2",
      "[[]]",
      "[\"a\",[]]",
      "[\"a\",null]",
      "[\"a\",{\"b\":1}]"
    ]
    for (const text of all) assert.isUndefined(read(text).keys, text)
    assert.deepStrictEqual(read("[\"a\",\"b\",5]"), { sender: "a", keys: ["b", 5] })
  })

  it("keys are those of Effect's own service", () => {
    const reactivity = Effect.runSync(Reactivity.make)
    const cases = [["a", 1, 1n, true, null, undefined], { a: [1, "b"], c: [] }, [{ a: 1 }], [[1]], { d: [{ a: 1 }] }]
    for (const keys of cases) {
      let runs = 0
      const cancel = reactivity.registerUnsafe(keys as any, () => void runs++)
      const texts = hashesOf(keys as any).filter((hash) => typeof hash === "string")
      for (const [i, text] of texts.entries()) {
        reactivity.invalidateUnsafe([text])
        assert.strictEqual(runs, i + 1, String(text))
      }
      cancel()
    }
  })

  it("keys that wait are bounded", () => {
    let added = 0
    const gathered = new Gathered(() => void added++)
    gathered.add([])
    assert.deepStrictEqual([added, gathered.isEmpty], [0, true])
    gathered.add(["a", 1])
    gathered.add(["a"])
    assert.deepStrictEqual([added, gathered.isEmpty], [2, false])
    assert.deepStrictEqual([...gathered.take()!], ["a", 1])
    assert.isTrue(gathered.isEmpty)
    for (let i = 0; i < 20_000; i++) gathered.add([i])
    assert.isUndefined(gathered.take())
    assert.isTrue(gathered.isEmpty)
  })
})
