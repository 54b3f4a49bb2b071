/**
 * Effect's `Reactivity` between processes: two layers stand for two processes. What one invalidates, a program publishes or a live model
 * is written by runs the queries of both.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Reactivity from "effect/reactivity/Reactivity"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Atomic from "redlayer/Atomic"
import * as EffectReactivity from "redlayer/EffectReactivity"
import * as Model from "redlayer/Model"
import * as Query from "redlayer/Query"
import * as assert from "../assert.ts"
import { eventually, fails } from "../assertions.ts"
import type { Backend, Test } from "../suite.ts"

const Player = Model.make("ReactivePlayer", {
  name: Schema.String,
  score: Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)).pipe(Model.indexed),
  tags: Schema.Array(Schema.String).pipe(Model.withDefault([]))
}, { key: "name", live: true })

const Plain = Model.make("ReactivePlain", { id: Schema.String, n: Schema.Int.pipe(Model.indexed) }, { key: "id" })

type Process = Reactivity.Reactivity

/** A layer that no other part of the program shares. */
const start = (options: EffectReactivity.Options = { debounce: 0 }) =>
  Effect.map(Layer.build(EffectReactivity.layer(options)), Context.get(Reactivity.Reactivity))

type Keys = Parameters<Process["query"]>[0]

/** Counts how often a query of these keys runs. */
const counting = Effect.fnUntraced(function*(process: Process, keys: Keys) {
  let runs = 0
  yield* process.query(keys, Effect.sync(() => ++runs))
  return {
    get runs() {
      return runs
    },
    has: (count: number) =>
      eventually(Effect.sync(() => runs >= count)).pipe(
        Effect.andThen(Effect.sync(() => assert.strictEqual(runs, count)))
      )
  }
})

/** Waits until one process has heard all that the other one, or a program, has published. */
const settle = Effect.fnUntraced(function*(from: Process, to: Process) {
  const key = `settled ${Math.random()}`
  const last = yield* counting(to, [key])
  // not a part of a batch
  from.invalidateUnsafe([key])
  yield* last.has(2)
})

const text = (length: number, end: string): string => "x".repeat(length) + end

/** Keys that are the same one in every process, each as it is made there anew. */
const keysOfAllKinds: ReadonlyArray<() => Keys> = [
  () => [""],
  () => ["a"],
  () => ["$live:ReactivePlayer"],
  () => ["__proto__"],
  () => ["\0", "\n\"\\{}[]"],
  () => ["\ud800"],
  () => ["日本 🙂"],
  () => [text(256, "")],
  () => [text(257, "")],
  () => [text(100_000, "🙂")],
  () => [1.5],
  () => [NaN],
  () => [-0],
  () => [10n ** 30n],
  () => [true],
  () => [null],
  () => [undefined],
  () => [{ id: 1, tags: ["a", { b: 2 }] }],
  () => [["a", 1]],
  () => [new Date(5)],
  () => [new Map([["a", 1]])],
  () => ({ users: [1, "2", { a: 1 }] }),
  () => ({ none: [] }),
  () => ({ ["constructor"]: [text(300, "")] })
]

export const reactivity = (test: Test, backend: Backend): void => {
  test("what one process invalidates runs the queries of another one, and its own once", () =>
    Effect.gen(function*() {
      const [one, two] = [yield* start(), yield* start()]
      const [own, other, beside] = [
        yield* counting(one, ["a", "b"]),
        yield* counting(two, ["a"]),
        yield* counting(two, ["c"])
      ]
      yield* one.invalidate(["a"])
      assert.strictEqual(own.runs, 2)
      yield* other.has(2)
      one.invalidateUnsafe(["a", "b"])
      assert.strictEqual(own.runs, 3)
      yield* other.has(3)
      yield* two.mutation(["b"], Effect.succeed(1))
      yield* own.has(4)
      yield* fails(two.mutation(["b"], Effect.fail({ _tag: "no" as const })), "no")
      yield* settle(one, two)
      yield* settle(two, one)
      assert.deepEqual([own.runs, other.runs, beside.runs], [4, 3, 1])
    }))

  test("a stream emits the result again, and a handler is called until it is cancelled", () =>
    Effect.gen(function*() {
      const [one, two] = [yield* start(), yield* start()]
      let n = 0
      const found = yield* two.stream(["a"], Effect.sync(() => ++n)).pipe(
        Stream.tap(() => one.invalidate(["a"])),
        Stream.take(4),
        Stream.runCollect
      )
      assert.deepEqual(found, [1, 2, 3, 4])
      let calls = 0
      const cancel = two.registerUnsafe({ users: [1] }, () => {
        calls++
      })
      yield* one.invalidate({ users: [2] })
      yield* eventually(Effect.sync(() => calls === 1))
      yield* one.invalidate(["users:1"])
      yield* eventually(Effect.sync(() => calls === 2))
      cancel()
      cancel()
      yield* one.invalidate({ users: [1] })
      yield* settle(one, two)
      assert.strictEqual(calls, 2)
    }))

  test("keys of every kind are the same in both processes", () =>
    Effect.gen(function*() {
      const [one, two] = [yield* start(), yield* start()]
      for (const [i, keys] of keysOfAllKinds.entries()) {
        const [own, other] = [yield* counting(one, keys()), yield* counting(two, keys())]
        const [beside] = [yield* counting(two, [`another key ${i}`])]
        yield* one.invalidate(keys())
        yield* other.has(2)
        yield* EffectReactivity.invalidate(keys())
        yield* other.has(3)
        yield* own.has(3)
        assert.strictEqual(beside.runs, 1)
      }
    }))

  test("a batch invalidates its keys at its end, in both processes", () =>
    Effect.gen(function*() {
      const [one, two] = [yield* start(), yield* start()]
      const [own, other] = [yield* counting(one, ["a", "b"]), yield* counting(two, ["a", "b"])]
      const batch = Effect.gen(function*() {
        yield* one.invalidate(["a"])
        yield* one.mutation(["b"], Effect.void)
        yield* one.invalidate(["a"])
        yield* settle(two, one)
        assert.deepEqual([own.runs, other.runs], [1, 1])
      })
      yield* one.withBatch(batch)
      assert.strictEqual(own.runs, 2)
      yield* other.has(2)
      // as in Effect's own service, what a batch has written before it failed is invalid
      yield* Effect.exit(one.withBatch(Effect.andThen(one.invalidate(["a"]), Effect.fail("no"))))
      yield* other.has(3)
    }))

  test("a program invalidates keys with its writes, or none if it fails", () =>
    Effect.gen(function*() {
      const [one, two] = [yield* start(), yield* start()]
      yield* Player.insert({ name: "ann", score: 3 })
      const { score } = Player.ref("ann")
      const counts = [yield* counting(one, ["a"]), yield* counting(two, { players: ["ann"] })]
      const both = Atomic.andThen(EffectReactivity.invalidate(["a"]), EffectReactivity.invalidate({ players: ["ann"] }))
      const seen: Array<number> = []
      two.registerUnsafe(["a"], () => {
        Effect.runFork(
          Effect.map(
            score.get(),
            (value) => seen.push(value)
          ).pipe(Effect.provide(context))
        )
      })
      const context = yield* Effect.context<any>()
      yield* fails(both.pipe(Atomic.andThen(score.decrement(9))), "OutOfBounds")
      yield* Atomic.orElse(both.pipe(Atomic.andThen(score.decrement(9))), Atomic.succeed(0))
      yield* settle(one, two)
      yield* settle(two, one)
      assert.deepEqual(counts.map(({ runs }) => runs), [1, 1])
      yield* both.pipe(Atomic.andThen(score.decrement(2)))
      for (const count of counts) yield* count.has(2)
      // who hears of it sees the write
      yield* eventually(Effect.sync(() => seen.length === 1))
      assert.deepEqual(seen, [1])
      yield* EffectReactivity.invalidate([])
    }))

  test("the keys of a live model are invalidated by each write, and by none that is undone", () =>
    Effect.gen(function*() {
      const [one, two] = [yield* start(), yield* start()]
      yield* Player.insertMany([{ name: "ann", score: 3 }, { name: "bob", score: 2 }])
      const ann = yield* counting(one, Player.reactivityKeys("ann"))
      const all = yield* counting(one, Player.reactivityKeys())
      const best = yield* counting(two, Query.reactivityKeys(Player.by.score({ score: { gte: 1 } })))
      const counts = [ann, all, best]
      const runs = Effect.fnUntraced(function*(expected: ReadonlyArray<number>) {
        for (const [i, count] of counts.entries()) yield* count.has(expected[i]!)
        yield* settle(one, two)
        yield* settle(two, one)
        assert.deepEqual(counts.map(({ runs }) => runs), [...expected])
      })
      yield* runs([1, 1, 1])
      yield* Player.ref("ann").score.increment()
      yield* runs([2, 2, 2])
      yield* Player.ref("bob").tags.append("new")
      yield* runs([2, 3, 3])
      yield* fails(
        Atomic.andThen(Player.ref("ann").score.increment(), Player.insert({ name: "bob", score: 0 })),
        "EntityExists"
      )
      yield* Player.get("ann")
      yield* runs([2, 3, 3])
      yield* Player.delete("ann")
      yield* runs([3, 4, 4])
      // by hand, as any key
      yield* two.invalidate(Player.reactivityKeys("ann"))
      yield* runs([4, 4, 4])
    }))

  test("a handler of a live model hears its hints, and no other one needs them", () =>
    Effect.gen(function*() {
      const one = yield* start()
      let calls = 0
      const cancels = [1, 2].map(() => one.registerUnsafe(Player.reactivityKeys("ann"), () => void calls++))
      // it may be called once more when it is subscribed
      yield* eventually(Effect.gen(function*() {
        const before = calls
        yield* Player.put({ name: "ann", score: 1 })
        yield* Effect.sleep("20 millis")
        return calls > before
      }))
      cancels[0]!()
      yield* settle(one, one)
      yield* eventually(Effect.gen(function*() {
        const before = calls
        yield* Player.put({ name: "ann", score: 2 })
        yield* Effect.sleep("20 millis")
        return calls > before
      }))
      cancels[1]!()
      yield* Effect.sleep("20 millis")
      const before = calls
      yield* Player.put({ name: "ann", score: 3 })
      yield* Effect.sleep("20 millis")
      assert.strictEqual(calls, before)
    }))

  test("many keys, and keys that the service can't send, are all keys for the others", () =>
    Effect.gen(function*() {
      const [one, two] = [yield* start(), yield* start()]
      const any = yield* counting(two, ["any"])
      const many = Array.from({ length: 9000 }, (_, i) => `key ${i} ${text(30, "")}`)
      const last = yield* counting(two, [many.at(-1)])
      yield* one.invalidate(many)
      yield* last.has(2)
      yield* settle(one, two)
      assert.strictEqual(any.runs, 1)
      yield* one.invalidate([...many, ...many.map((key) => `${key} again`)])
      yield* any.has(2)
      yield* EffectReactivity.invalidate([...many, ...many.map((key) => `${key} again`)])
      yield* any.has(3)
      yield* Effect.gen(function*() {
        const [three, four] = [yield* start(), yield* start()]
        const any = yield* counting(four, ["any"])
        const other = yield* counting(four, ["other"])
        yield* three.invalidate(["other"])
        yield* other.has(2)
        assert.strictEqual(any.runs, 1)
        yield* three.invalidate([text(100, "")])
        yield* any.has(2)
        yield* fails(EffectReactivity.invalidate([text(100, "")]), "InvalidValue", { operation: "invalidate" })
      }).pipe(Effect.provide(backend.layer({ maximumValueBytes: 64 })))
    }))

  test("closing a layer publishes what it has invalidated", () =>
    Effect.gen(function*() {
      const two = yield* start()
      const any = yield* counting(two, ["a"])
      yield* Effect.scoped(Effect.flatMap(start(), (one) => one.invalidate(["a"])))
      yield* any.has(2)
    }))

  test("an id without a stored form has no key, a model that is not live throws, and a bad option is refused", () =>
    Effect.gen(function*() {
      assert.deepEqual([...Player.reactivityKeys("\ud800")], [])
      assert.strictEqual(new Set([...Player.reactivityKeys("a"), ...Player.reactivityKeys("b")]).size, 2)
      assert.throws(() => Query.reactivityKeys(Plain.by.n()), /live: true/)
      assert.throws(() => (Plain as any).reactivityKeys(), /live: true/)
      for (const options of [{ debounce: -1 }, { debounce: NaN }, { refresh: 0 }, { refresh: "soon" as any }]) {
        const { reason } = yield* fails(Effect.scoped(start(options)), "RedisServiceError")
        assert.strictEqual(reason._tag, "InvalidOption")
      }
      yield* start({ debounce: undefined, refresh: undefined })
    }))

  test("everything is invalidated every so often if it is asked for", () =>
    Effect.gen(function*() {
      const one = yield* start({ debounce: 0, refresh: "20 millis" })
      const any = yield* counting(one, ["a"])
      yield* eventually(Effect.sync(() => any.runs > 2))
    }))
}
