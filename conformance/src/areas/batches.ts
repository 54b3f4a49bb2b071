/**
 * Batches: programs that travel in one call are independent of each other. Each has its own result and its own service.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Atomic from "redlayer/Atomic"
import * as Lock from "redlayer/Lock"
import * as Model from "redlayer/Model"
import * as RedisService from "redlayer/RedisService"
import type * as RedisServiceError from "redlayer/RedisServiceError"
import { RawStore } from "redlayer/testing"
import * as Topic from "redlayer/Topic"
import * as assert from "../assert.ts"
import { concurrently, fails, type Operation, pseudoRandom, stored, unchanged, wrongType } from "../assertions.ts"
import type { Backend, Test } from "../suite.ts"

const Item = Model.make("BatchItem", {
  id: Schema.String,
  n: Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)).pipe(Model.withDefault(0)),
  text: Schema.String.pipe(Model.withDefault("")),
  list: Schema.Array(Schema.String).pipe(Model.withDefault([]))
}, { key: "id" })

const Other = Model.make("BatchOther", { id: Schema.String, flag: Schema.Boolean, list: Schema.Array(Schema.Int) }, {
  key: "id",
  slot: { partitions: 4 }
})

const Closed = Topic.make("batches/Closed", Schema.String)

/** The value of a program, or the tag of its error. */
const outcome = <A, E extends { readonly _tag: string }, R>(self: Effect.Effect<A, E, R>) =>
  Effect.match(self, { onSuccess: (value): unknown => value, onFailure: (error): unknown => error._tag })

export const batches = (test: Test, backend: Backend): void => {
  test("a program that fails does not affect its neighbours in the batch, whatever the error and its position", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      yield* Item.insert({ id: "a" })
      yield* Item.insert({ id: "exists" })
      yield* raw.hashSet("BatchItem:{bad}", { n: "abc" })
      yield* raw.stringSet("BatchItem:{text}", "text")
      yield* raw.hashSet("BatchItem:{version}", { n: "1", $v: "abc" })
      yield* raw.hashSet("BatchItem:{list}", { n: "1" })
      yield* raw.hashSet("BatchItem:{list}:list", { a: "1" })
      const failing: ReadonlyArray<readonly [tag: string, program: Operation]> = [
        ["EntityNotFound", Item.ref("missing").n.increment()],
        ["EntityNotFound", Item.get("missing")],
        ["EntityExists", Item.insert({ id: "exists" })],
        ["OutOfBounds", Item.ref("exists").n.decrement()],
        ["ArithmeticError", Item.ref("exists").n.quotient(0)],
        ["IndexOutOfRange", Item.ref("exists").list.at(0).get()],
        ["RedisServiceError", Item.ref("bad").n.increment()],
        ["RedisServiceError", Item.ref("bad").n.get()],
        ["EntityCorrupted", Item.get("bad")],
        ["EntityCorrupted", Item.find("text")],
        ["RedisServiceError", Item.ref("text").text.set("x")],
        ["RedisServiceError", Item.ref("version").n.increment()],
        ["RedisServiceError", Item.ref("list").list.append("x")],
        ["RedisServiceError", Item.put({ id: "list", list: ["x"] })],
        ["InvalidValue", Item.ref("exists").text.set("\ud800")],
        ["InvalidValue", Item.ref("exists").text.append("a\udc00")],
        ["InvalidValue", Item.ref("").text.get()],
        ["InvalidValue", Item.ref("exists").text.set("x".repeat(1_000_001))],
        ["InvalidValue", Item.insert({ id: "exists", n: -1 })],
        ["OutOfBounds", Atomic.all([Item.ref("exists").text.set("x"), Item.ref("exists").n.decrement()])]
      ]
      const before = yield* raw.dump
      const { list, n } = Item.ref("a")
      for (let position = 0; position < 3; position++) {
        const found = yield* concurrently(failing.flatMap(([, program]) => {
          const three: Array<Operation> = [n.increment(), Atomic.all([n.increment(), list.append("x", { keep: 3 })])]
          three.splice(position, 0, program)
          return three.map(outcome)
        }))
        failing.forEach(([tag], i) => {
          const three = found.slice(i * 3, i * 3 + 3)
          assert.strictEqual(three[position], tag, `${i} at ${position}`)
          assert.isTrue(three.every((result, j) => j === position || typeof result !== "string"), `${i} at ${position}`)
        })
      }
      assert.strictEqual(yield* n.get(), failing.length * 6)
      assert.deepEqual(yield* list.get(), ["x", "x", "x"])
      // every failing program at once, without a successful neighbour
      const all = yield* concurrently(failing.map(([, program]) => outcome(program)))
      assert.deepEqual(all, failing.map(([tag]) => tag))
      yield* Item.delete("a")
      yield* Item.insert({ id: "a" })
      const { "BatchItem:{a}": _, ...rest } = before
      const { "BatchItem:{a}": __, ...after } = yield* raw.dump
      assert.deepEqual(after, rest)
    }))

  test("a program that contains a lone surrogate is refused, and its neighbours succeed", () =>
    Effect.gen(function*() {
      yield* Item.insert({ id: "a" })
      const { list, n, text } = Item.ref("a")
      const found = yield* concurrently(
        ([
          text.append("1"),
          text.append("\ud800"),
          list.append(["x", "\udc00"]),
          text.append("2"),
          Item.put({ id: "b", text: "\ud83d" }),
          Item.put({ id: "c", text: "\u{1f600}" }),
          Atomic.all([n.increment(), Item.ref("\udfff").n.increment()]),
          n.increment()
        ] as ReadonlyArray<Operation>).map(outcome)
      )
      assert.deepEqual(found, [
        1,
        "InvalidValue",
        "InvalidValue",
        2,
        "InvalidValue",
        { id: "c", n: 0, text: "\u{1f600}", list: [] },
        "InvalidValue",
        1
      ])
      assert.deepEqual(yield* Item.get("a"), { id: "a", n: 1, text: "12", list: [] })
      assert.isFalse(yield* Item.exists("b"))
    }))

  test("a program with too large a value, or with too many instructions, is refused, and its neighbours succeed", () =>
    Effect.gen(function*() {
      yield* Item.insert({ id: "a" })
      const { list, n, text } = Item.ref("a")
      const large = "x".repeat(1_000_001)
      const found = yield* concurrently(
        ([
          n.increment(),
          text.set(large),
          n.increment(),
          Atomic.all([n.increment(), list.append(["x", large])]),
          Atomic.all(Array.from({ length: 65_537 }, () => n.increment())),
          text.set("x".repeat(1_000_000)),
          n.increment()
        ] as ReadonlyArray<Operation>).map(outcome)
      )
      assert.deepEqual(found, [1, "InvalidValue", 2, "InvalidValue", "InvalidValue", undefined, 3])
      yield* unchanged(fails(text.set(large), "InvalidValue", { model: "BatchItem", id: "a", field: "text" }))
      assert.strictEqual((yield* text.get()).length, 1_000_000)
    }))

  test("a program above `maximumProgramBytes` is refused before it is sent, and its neighbours succeed", () =>
    Effect.gen(function*() {
      yield* Item.insert({ id: "a" })
      const { list, n, text } = Item.ref("a")
      const half = "x".repeat(500)
      const where = { model: "BatchItem", id: "a", field: "list" }
      const error = yield* fails(Atomic.all([text.set(half), list.append(half)]), "InvalidValue", where)
      assert.include(error.issue, "1000 bytes")
      assert.deepEqual(yield* Item.get("a"), { id: "a", n: 0, text: "", list: [] })
      const found = yield* concurrently(
        ([
          n.increment(),
          Atomic.all([n.increment(), text.set(half), list.append(half)]),
          Atomic.all(Array.from({ length: 100 }, () => n.increment())),
          Item.put({ id: "b", text: half, list: [half] }),
          list.append([half, half]),
          Atomic.all([text.set(half), n.increment()]),
          n.increment()
        ] as ReadonlyArray<Operation>).map(outcome)
      )
      assert.deepEqual(found, [1, ...Array.from({ length: 4 }, () => "InvalidValue"), [undefined, 2], 3])
      const many = yield* Item.insertMany([{ id: "c" }, { id: "d", text: half, list: [half] }, { id: "e" }])
      assert.deepEqual(many.map(Result.isSuccess), [true, false, true])
    }).pipe(Effect.provide(backend.layer({ maximumProgramBytes: 1000 }))))

  test("a program of more than 16,000,000 bytes is refused by default", () =>
    Effect.gen(function*() {
      yield* Item.insert({ id: "a" })
      const { n, text } = Item.ref("a")
      const large = text.set("x".repeat(1_000_000))
      const program = Atomic.all(Array.from({ length: 16 }, () => large))
      const found = yield* concurrently(
        ([n.increment(), program, n.increment()] as ReadonlyArray<Operation>).map(outcome)
      )
      assert.deepEqual(found, [1, "InvalidValue", 2])
      assert.include((yield* fails(program, "InvalidValue")).issue, "16000000 bytes")
      assert.strictEqual(yield* text.get(), "")
    }))

  test("thousands of concurrent programs of different sizes and kinds each have their own result", () =>
    Effect.gen(function*() {
      const random = pseudoRandom(6)
      const ids = Array.from({ length: 300 }, (_, i) => `i${i}`)
      yield* concurrently(ids.map((id, i) => Item.insert({ id, n: i, list: [id] })))
      yield* concurrently(ids.map((id, i) => Other.insert({ id, flag: i % 2 === 0, list: [i] })))
      const programs = ids.flatMap((id, i): ReadonlyArray<readonly [Operation, unknown]> => {
        const item = Item.ref(id)
        const text = "x".repeat(random() < 0.1 ? 40_000 : 10)
        return [
          [item.n.increment(), i + 1],
          [item.text.set(text), undefined],
          [Other.ref(id).flag.toggle(), i % 2 !== 0],
          [Atomic.all([Other.ref(id).list.append(1), Other.ref(id).list.append(2)]), [2, 3]],
          [Item.exists(id), true],
          [item.list.length(), 1],
          [Item.ref(`${id} missing`).n.get(), "EntityNotFound"],
          [Other.find(`${id} missing`), Option.none()],
          [Item.delete(`${id} missing`), false],
          [item.list.at(-1).get(), id],
          [item.list.at(5).get(), "IndexOutOfRange"]
        ]
      })
      const found = yield* concurrently(programs.map(([program]) => outcome(program)))
      programs.forEach(([, wanted], i) => assert.deepEqual(found[i], wanted, String(i)))
      for (const [i, id] of ids.entries()) {
        if (i % 50 === 0) assert.strictEqual((yield* Item.get(id)).n, i + 1)
      }
    }))

  test("programs that are committed together run in the order of their commits, reads and deletions too", () =>
    Effect.gen(function*() {
      yield* Item.insert({ id: "a" })
      const { list, n } = Item.ref("a")
      const value = <A>(exit: Exit.Exit<A, unknown>) => Exit.isSuccess(exit) ? exit.value : "failed"
      assert.deepEqual(
        (yield* Atomic.pipeline([n.increment(), n.get(), n.increment(), n.get()])).map(value),
        [1, 1, 2, 2]
      )
      assert.deepEqual(yield* concurrently([n.get(), n.increment(), n.get()]), [2, 3, 3])
      const mixed: ReadonlyArray<Operation> = [
        n.get(),
        list.append("x"),
        list.length(),
        list.pop(),
        list.get(),
        Item.delete("a"),
        Item.exists("a"),
        Item.insert({ id: "a", n: 7 }),
        n.get(),
        n.decrement(8),
        n.get(),
        Item.delete("a"),
        n.get()
      ]
      const found = (yield* Atomic.pipeline(mixed)).map((exit) => value<unknown>(exit))
      const expected = [
        3,
        1,
        1,
        Option.some("x"),
        [],
        true,
        false,
        { id: "a", n: 7, text: "", list: [] },
        7,
        "failed",
        7,
        true
      ]
      assert.deepEqual(found, [...expected, "failed"])
      // far more than one call carries
      yield* Item.insert({ id: "a" })
      const steps = Array.from({ length: 700 }, (_, i) => i % 2 === 0 ? n.increment() : n.get())
      assert.deepEqual(
        (yield* Atomic.pipeline(steps)).map((exit) => value<unknown>(exit)),
        steps.map((_, i) => Math.floor(i / 2) + 1)
      )
    }))

  test("large replies arrive whole, each at the program that asked for it", () =>
    Effect.gen(function*() {
      const long = Array.from({ length: 40 }, (_, i) => String.fromCharCode(97 + i % 26).repeat(50_000 + i))
      yield* concurrently(long.map((text, i) => Item.insert({ id: String(i), text, list: [text] })))
      const found = yield* concurrently(long.map((_, i) => Item.get(String(i))))
      found.forEach(({ list, text }, i) => {
        assert.isTrue(text === long[i] && list[0] === long[i], String(i))
      })
    }))

  test("concurrent reads, deletes and writes of one entity are serialized", () =>
    Effect.gen(function*() {
      yield* Item.insert({ id: "a" })
      const three: ReadonlyArray<Operation> = [
        Item.delete("a"),
        Item.insert({ id: "a", list: ["new"] }),
        Item.ref("a").list.append("more")
      ]
      const results = yield* concurrently(
        Array.from({ length: 120 }, (_, i) => Effect.exit(Atomic.commit(three[i % 3])))
      )
      // a list must not outlive its entity, whichever program came last
      const left = yield* stored
      if ("BatchItem:{a}:list" in left) assert.property(left, "BatchItem:{a}")
      for (const exit of results) {
        if (Exit.isFailure(exit)) {
          const error = Option.getOrThrow(Exit.findErrorOption(exit))
          assert.include(["EntityNotFound", "EntityExists"], error._tag)
        }
      }
    }))

  test("programs of two services never mix, even if one program value is run on both", () =>
    Effect.gen(function*() {
      const build = Layer.build(backend.layer())
      const one = yield* build
      const two = yield* build
      const insert = (n: number) => Item.insert({ id: "same", n, list: [String(n)] })
      yield* Effect.provideContext(insert(1), one)
      assert.isFalse(yield* Effect.provideContext(Item.exists("same"), two))
      yield* Effect.provideContext(insert(2), two)
      yield* insert(0)
      // one program value runs on three services at once
      const program = Atomic.all([Item.ref("same").n.increment(10), Item.ref("same").list.append("x")])
      yield* concurrently(Array.from({ length: 90 }, (_, i) =>
        i % 3 === 0 ? program : Effect.provideContext(program, i % 3 === 1 ? one : two)))
      assert.strictEqual(yield* Item.ref("same").n.get(), 300)
      for (const [context, n] of [[one, 301], [two, 302]] as const) {
        yield* Effect.gen(function*() {
          assert.strictEqual(yield* Item.ref("same").n.get(), n)
          assert.strictEqual((yield* Item.get("same")).list[0], String(n - 300))
          const raw = yield* RawStore
          assert.strictEqual(yield* raw.hashGet("BatchItem:{same}", "n"), String(n))
          assert.strictEqual((yield* raw.listRead("BatchItem:{same}:list")).length, 31)
        }).pipe(Effect.provideContext(context))
      }
    }))

  test("closing a layer waits until the committed programs have finished", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const context = yield* Layer.buildWithScope(backend.layer(), scope)
      yield* Effect.provideContext(Item.insert({ id: "a" }), context)
      const fibers = yield* Effect.forEach(Array.from({ length: 100 }), () =>
        Effect.forkChild(Effect.provideContext(Item.ref("a").n.increment(), context)))
      yield* Effect.yieldNow
      yield* Scope.close(scope, Exit.void)
      const results = yield* concurrently(fibers.map((fiber) =>
        Fiber.join(fiber)
      )).pipe(Effect.timeout("5 seconds"))
      assert.deepEqual(results.sort((a, b) => a - b), Array.from({ length: 100 }, (_, i) => i + 1))
    }))

  test("a closed layer refuses programs, locks and subscriptions with ConnectionUnavailable", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const context = yield* Layer.buildWithScope(backend.layer(), scope)
      const unavailable = <A, E>(self: Effect.Effect<A, E, RedisService.RedisService>) =>
        Effect.map(Effect.flip(Effect.provideContext(self, context)), (error) => {
          const { reason } = error as RedisServiceError.RedisServiceError
          assert.strictEqual(reason?._tag, "ConnectionUnavailable", String(error))
        })
      const { list, n } = Item.ref("a")
      yield* Effect.provideContext(Item.insert({ id: "a" }), context)
      // a fiber that outlives the layer
      const outlives = yield* Effect.forkChild(
        Effect.forever(Effect.andThen(n.increment(), Effect.yieldNow)).pipe(Effect.provideContext(context))
      )
      // what the scope acquired after the layer may still use it while the scope closes
      let last = 0
      yield* Scope.addFinalizer(
        scope,
        Effect.map(Effect.orDie(Effect.provideContext(list.append("last"), context)), (length) => {
          last = length
        })
      )
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(last, 1)
      const exit = yield* Effect.timeout(Fiber.await(outlives), "5 seconds")
      yield* unavailable(exit)
      yield* unavailable(Item.get("a"))
      yield* unavailable(n.increment())
      yield* unavailable(Atomic.commit(n.increment(), { idempotencyKey: "k", keepFor: "1 minute" }))
      yield* unavailable(Item.insertMany([{ id: "b" }]))
      yield* unavailable(Lock.withLock("L", () => Effect.void))
      yield* unavailable(Effect.scoped(Closed.subscribe()))
      const exits = yield* Effect.provideContext(Atomic.pipeline([n.get(), n.increment()]), context)
      for (const each of exits) yield* unavailable(each)
    }))

  test("`maximumValueBytes` limits each value, counted in UTF-8 bytes", () =>
    Effect.gen(function*() {
      const most = "0123456789abcdef".repeat(4)
      const accents = "\u00e9".repeat(32)
      const faces = "\u{1f600}".repeat(16)
      yield* Item.insert({ id: "a" })
      const { list, text } = Item.ref("a")
      yield* Item.put({ id: "a", text: most, list: [most] })
      yield* text.set(faces)
      assert.strictEqual(yield* list.append([most, accents]), 3)
      yield* concurrently(
        ([
          text.set(`${most}a`),
          text.append(`${most}a`),
          text.getAndSet(`${faces}a`),
          text.compareAndSet(faces, `${most}a`),
          list.append(["a", `${most}a`]),
          list.at(0).set(`${most}a`),
          Item.update("a", { text: `${most}a` }),
          Item.put({ id: "a", text: `${most}a` }),
          Item.insert({ id: "b", list: [`${most}a`] })
        ] as ReadonlyArray<Operation>).map((program) => fails(program, "InvalidValue", { model: "BatchItem" }))
      )
      assert.deepEqual(yield* Item.get("a"), {
        id: "a",
        n: 0,
        text: faces,
        list: [most, most, accents]
      })
      assert.isFalse(yield* Item.exists("b"))
    }).pipe(Effect.provide(backend.layer({ maximumValueBytes: 64 }))))

  test("a program runs on the innermost service that is provided", () =>
    Effect.gen(function*() {
      yield* Item.insert({ id: "a", n: 1 })
      const inner = Effect.gen(function*() {
        yield* fails(Item.get("a"), "EntityNotFound")
        yield* Item.insert({ id: "a", n: 2 })
        return yield* Item.ref("a").n.get()
      })
      assert.strictEqual(yield* Effect.provide(inner, Layer.fresh(RedisService.layerMemory)), 2)
      assert.strictEqual(yield* Effect.provide(inner, backend.layer()), 2)
      assert.strictEqual(yield* Item.ref("a").n.get(), 1)
    }))

  test("a program sees at once what another client wrote", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      yield* Item.insert({ id: "a" })
      const { list, n } = Item.ref("a")
      for (let i = 0; i < 20; i++) {
        yield* raw.hashSet("BatchItem:{a}", { n: String(i * 100) })
        yield* raw.listPush("BatchItem:{a}:list", String(i))
        assert.deepEqual(yield* Atomic.all([n.increment(), list.length()]), [i * 100 + 1, i + 1])
      }
      yield* raw.delete("BatchItem:{a}")
      yield* fails(n.increment(), "EntityNotFound")
      yield* raw.stringSet("BatchItem:{a}", "x")
      yield* wrongType(n.increment())
    }))
}
