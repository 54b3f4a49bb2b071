/** Combinators: `tap`, `forEach`, `pipeline` and `explain`, and the size limits of programs. */
import * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Atomic from "redlayer/Atomic"
import * as Condition from "redlayer/Condition"
import * as Model from "redlayer/Model"
import type * as RedisService from "redlayer/RedisService"
import type * as RedisServiceError from "redlayer/RedisServiceError"
import { RawStore } from "redlayer/testing"
import * as Topic from "redlayer/Topic"
import * as assert from "../assert.ts"
import { concurrently, fails, type Operation, unchanged } from "../assertions.ts"
import type { Test } from "../suite.ts"

const Item = Model.make("CombinedItem", {
  id: Schema.String,
  n: Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)).pipe(Model.withDefault(0)),
  text: Schema.String.pipe(Model.withDefault("")),
  nick: Schema.NullOr(Schema.String).pipe(Model.withDefault(null)),
  list: Schema.Array(Schema.Int).pipe(Model.withDefault([])),
  set: Schema.ReadonlySet(Schema.String)
}, { key: "id" })

const Renewed = Model.make("CombinedHot", { id: Schema.String, n: Schema.Int }, {
  key: "id",
  timeToLive: { duration: "1 hour", refresh: "access" }
})

const News = Topic.make("combined-news", Schema.String)

const item = (id: string, n = 0) => ({ id, n, set: new Set<string>() })
const a = Item.ref("a")
const b = Item.ref("b")
const missing = Item.ref("gone")

type Failures = ReadonlyArray<Exit.Exit<unknown, { readonly _tag: string }>>

const outcomes = (exits: Failures): ReadonlyArray<unknown> =>
  exits.map((exit) => Exit.isSuccess(exit) ? exit.value : Option.getOrThrow(Cause.findErrorOption(exit.cause))._tag)

export const combinators = (test: Test): void => {
  const insert = Atomic.all([Item.put(item("a")), Item.put(item("b"))])

  test("`tap` runs both programs in order and returns the result of the first", () =>
    Effect.gen(function*() {
      yield* insert
      assert.strictEqual(yield* Atomic.tap(a.n.increment(), a.n.increment(10)), 1)
      assert.strictEqual(
        yield* a.n.increment().pipe(Atomic.tap(a.text.append("x")), Atomic.tap(a.text.append("y"))),
        12
      )
      assert.deepEqual(yield* Atomic.all([a.n.get(), a.text.get()]), [12, "xy"])
      assert.strictEqual(yield* Atomic.tap(Atomic.succeed(5), a.n.increment()), 5)
      assert.strictEqual(yield* Atomic.tap(a.n.increment(), Atomic.succeed(5)), 14)
      // if either fails, both are undone
      yield* unchanged(Effect.gen(function*() {
        const second = Atomic.tap(a.n.increment(), a.n.quotient(0))
        const first = Atomic.tap(a.n.decrement(99), a.n.increment())
        const secondMissing = Atomic.tap(a.n.increment(), missing.n.get())
        yield* fails(second, "ArithmeticError", { field: "n" })
        yield* fails(first, "OutOfBounds", { field: "n" })
        yield* fails(secondMissing, "EntityNotFound", { id: "gone" })
      }))
      // a mapping function of the second program is still called, so its exception is a defect
      const boom = Atomic.map(a.n.get(), (): number => {
        throw new Error("boom")
      })
      assert.isTrue(Exit.isFailure(yield* Effect.exit(Atomic.tap(a.n.get(), boom))))
    }))

  test("`forEach` runs one program per item, in order, in both argument orders", () =>
    Effect.gen(function*() {
      yield* insert
      assert.deepEqual(yield* Atomic.forEach([1, 2, 3], (n) => a.n.increment(n)), [1, 3, 6])
      assert.deepEqual(yield* Atomic.forEach(new Set(["x", "y"]), (text, i) => a.text.append(text.repeat(i + 1))), [
        1,
        3
      ])
      const each = Atomic.forEach((id: string, i: number) => Item.ref(id).n.increment(i + 1))
      assert.deepEqual(yield* each(["a", "b"]), [7, 2])
      assert.deepEqual(yield* Atomic.forEach([], () => a.n.increment()), [])
      assert.deepEqual(yield* Atomic.forEach(new Map([["a", 1], ["b", 2]]), ([id, n]) => Item.ref(id).n.set(n)), [
        undefined,
        undefined
      ])
      assert.deepEqual(yield* Atomic.all([a.n.get(), b.n.get()]), [1, 2])
      // the function is called once per item, when the program is built
      let calls = 0
      const program = Atomic.forEach([1, 2], (n) => {
        calls++
        return a.n.increment(n)
      })
      yield* program
      yield* program
      assert.strictEqual(calls, 2)
      const failing = Atomic.forEach([1, 0, 1], (n) => a.n.quotient(n))
      yield* unchanged(fails(failing, "ArithmeticError", { field: "n" }))
      assert.deepEqual(
        yield* Atomic.forEach(["a", "gone", "b"], (id) => Atomic.ignoreMissing(Item.ref(id).n.get())),
        [Option.some(7), Option.none(), Option.some(2)]
      )
    }))

  test("`pipeline` returns one exit per program, in order, and a failure does not undo the others", () =>
    Effect.gen(function*() {
      yield* insert
      const exits = yield* Atomic.pipeline([
        a.n.increment(),
        a.n.decrement(99),
        a.text.append("x"),
        missing.n.get(),
        a.text.set("\ud800"),
        Atomic.all([a.n.increment(), a.n.quotient(0)]),
        // independent of the other programs, because their order of execution is not specified
        Atomic.guard(a.n.gte(0), () => ({ _tag: "Own" } as const)),
        Atomic.guard(a.n.gte(9), () => ({ _tag: "Own" } as const)),
        Atomic.when(b.n.increment(), b.n.eq(0)),
        Atomic.orElse(b.n.quotient(0), b.text.append("y")),
        Atomic.succeed("none sent"),
        Item.exists("a")
      ])
      assert.deepEqual(outcomes(exits), [
        1,
        "OutOfBounds",
        1,
        "EntityNotFound",
        "InvalidValue",
        "ArithmeticError",
        undefined,
        "Own",
        Option.some(1),
        1,
        "none sent",
        true
      ])
      assert.deepEqual(yield* Atomic.pipeline([]), [])
      // the pipeline itself never fails, and one program may be in it twice
      const one = a.n.increment()
      assert.deepEqual([...outcomes(yield* Atomic.pipeline([one, one, one]))].sort(), [2, 3, 4])
      // many programs, each of which is committed alone
      const many = yield* Atomic.pipeline(
        Array.from({ length: 1000 }, (_, i) => i % 3 === 0 ? a.n.quotient(0) : a.n.increment())
      )
      assert.strictEqual(many.length, 1000)
      assert.strictEqual(many.filter(Exit.isSuccess).length, 666)
      assert.strictEqual(yield* a.n.get(), 670)
      // effectful defaults and errors of the client belong to one program of the pipeline
      const fresh = yield* Atomic.pipeline([
        Item.insert(item("c")),
        Item.insert(item("a")),
        Atomic.map(a.n.get(), (): number => {
          throw new Error("boom")
        }),
        Item.exists("b")
      ])
      assert.isTrue(Exit.isSuccess(fresh[0]))
      assert.deepEqual(outcomes([fresh[1], fresh[3]]), ["EntityExists", true])
      assert.isTrue(Exit.isFailure(fresh[2]) && Cause.hasDies(fresh[2].cause))
    }))

  test("concurrent pipelines run every program exactly once", () =>
    Effect.gen(function*() {
      yield* insert
      const all = yield* concurrently(Array.from({ length: 20 }, () =>
        Atomic.pipeline(Array.from({ length: 20 }, (_, i) =>
          i % 4 === 0 ? missing.n.increment() : a.n.increment()))))
      const counted = all.flat().filter(Exit.isSuccess).map((exit) =>
        exit.value
      ).sort((x, y) => x - y)
      assert.deepEqual(counted, Array.from({ length: 300 }, (_, i) => i + 1))
    }))

  test("`explain` describes a program without running it and without revealing its values", () =>
    Effect.gen(function*() {
      const { explain } = Atomic
      yield* unchanged(Effect.gen(function*() {
        assert.deepEqual(yield* explain(Atomic.succeed(1)), {
          roundTrips: 0,
          access: "read",
          keys: [],
          instructions: []
        })
        assert.deepEqual(yield* explain(Atomic.all([])), { roundTrips: 0, access: "read", keys: [], instructions: [] })
        const secret = "a secret that is not told"
        const explained = yield* explain(Atomic.all([
          a.text.set(secret),
          Atomic.when(a.list.append(424242), Condition.and(a.text.eq(secret), b.set.has(secret))),
          Atomic.orElse(b.nick.set(secret), Item.delete("b"))
        ]))
        assert.strictEqual(explained.roundTrips, 1)
        assert.strictEqual(explained.access, "write")
        assert.deepEqual(explained.keys.filter((key) => !/^CombinedItem:\{[ab]\}(:(list|set))?$/.test(key)), [])
        assert.includeMembers([...explained.keys], ["CombinedItem:{a}", "CombinedItem:{b}"])
        assert.notInclude(JSON.stringify(explained), secret)
        assert.notInclude(JSON.stringify(explained), "424242")
        const at = explained.instructions.filter(({ model }) => model !== "")
        assert.deepEqual(at.map(({ field, id, operation }) => `${operation} ${id} ${field}`), [
          "set a text",
          "eq a text",
          "has b set",
          "append a list",
          "set b nick",
          "delete b "
        ])
        const access: ReadonlyArray<readonly [access: string, program: Atomic.Atomic<unknown, any>]> = [
          ["read", a.n.get()],
          ["read", a.n.gt(1)],
          ["read", Condition.not(Condition.or(a.list.contains(1), a.list.length().eq(1)))],
          ["read", Atomic.guard(a.n.gt(1), () => "no")],
          ["read", Atomic.if(a.n.eq(1), { onTrue: Item.get("a"), onFalse: Item.get("b") })],
          ["read", a.n.eq(b.n.value().plus(1))],
          ["allowOom", Atomic.when(Item.delete("a"), a.n.eq(1))],
          ["allowOom", a.list.pop()],
          ["allowOom", News.publish("x")],
          // a write, because reading renews the time to live
          ["allowOom", Renewed.ref("h").n.get()],
          ["allowOom", Renewed.ref("h").n.gt(1)],
          ["write", Atomic.when(a.n.increment(), a.n.eq(1))],
          ["write", Atomic.orElse(a.n.get(), a.n.increment())],
          ["write", a.n.set(b.n.value())],
          ["write", Item.insert(item("x"))]
        ]
        for (const [expected, program] of access) {
          assert.strictEqual((yield* explain(program as Atomic.Atomic<unknown, any>)).access, expected)
        }
        yield* fails(explain(a.text.set("\ud800")), "InvalidValue", { model: "CombinedItem", field: "text" })
        yield* fails(explain(Atomic.orElse(a.n.get(), a.text.set("\ud800"))), "InvalidValue")
      }))
      // an effectful default that `explain` has computed is the one that the commit uses
      const program = Item.insert(item("later"))
      assert.deepEqual((yield* explain(program)).instructions.map(({ operation }) => operation), ["insert"])
      yield* program
      assert.isTrue(yield* Item.exists("later"))
    }))

  const deep = 8_000

  const repeat = <A>(start: A, f: (self: A, i: number) => A, times = deep): A => {
    let self = start
    for (let i = 0; i < times; i++) self = f(self, i)
    return self
  }

  test("a program that is nested eight thousand levels deep does not overflow the stack", () =>
    Effect.gen(function*() {
      yield* insert
      type Program<A> = Atomic.Atomic<A, any>
      const one: Program<number> = a.n.increment()
      const isOne = a.n.eq(1)
      assert.strictEqual(yield* repeat(one, (self) => Atomic.tap(self, one)), 1)
      yield* a.n.set(0)
      assert.strictEqual(yield* repeat(one, (self) => Atomic.andThen(one, self)), deep + 1)
      yield* a.n.set(1)
      assert.isTrue(yield* repeat(isOne, (self) => Condition.not(self)))
      assert.isTrue(yield* repeat(isOne, (self) => Condition.and(self, isOne)))
      assert.isTrue(yield* repeat(isOne, (self) => Condition.or(Condition.and(isOne, self), isOne)))
      assert.isFalse(
        yield* repeat(isOne, (self, i) => i % 2 === 0 ? Condition.and(self, isOne) : Condition.not(self), deep - 2)
      )
      const some = yield* repeat<Program<any>>(a.n.get(), (self) => Atomic.when(self, isOne))
      let found: unknown = some
      for (let i = 0; i < deep; i++) found = Option.getOrThrow(found as Option.Option<unknown>)
      assert.strictEqual(found, 1)
      assert.strictEqual(
        yield* repeat<Program<number>>(a.n.get(), (self) => Atomic.if(isOne, { onTrue: self, onFalse: one })),
        1
      )
      const three = 3000
      assert.strictEqual(
        yield* repeat<Program<number>>(one, (self) => Atomic.orElse(self, one), three),
        2
      )
      assert.strictEqual(
        yield* repeat<Program<number>>(a.n.get(), (self) => Atomic.orElse(missing.n.get(), self), three),
        2
      )
      // the innermost error passes through all levels
      assert.strictEqual(
        yield* repeat<Program<number>>(
          Atomic.andThen(one, a.n.quotient(0)),
          (self) => Atomic.orElse(Atomic.andThen(a.n.increment(), Atomic.andThen(self, missing.n.get())), a.n.get()),
          three
        ),
        2
      )
      const ignored = yield* repeat<Program<any>>(missing.n.get(), (self) => Atomic.ignoreMissing(self), three)
      let depth = 1
      for (let at = ignored; Option.isSome(at); at = (at as Option.Option<any> & { readonly value: any }).value) depth++
      assert.strictEqual(depth, three)
      const operand = repeat(a.n.value(), (self) => self.plus(1))
      yield* b.n.set(operand)
      assert.strictEqual(yield* b.n.get(), deep + 2)
      assert.isTrue(yield* b.n.eq(repeat(a.n.value(), (self) => a.n.value().plus(self), deep / 2)))
      const nested = yield* repeat<Program<any>>(a.n.get(), (self) => Atomic.all([self]))
      let inner = nested
      for (let i = 0; i < deep; i++) inner = inner[0]
      assert.strictEqual(inner, 2)
    }))

  test("a program may have eight thousand instructions, conditions, branches or operands side by side", () =>
    Effect.gen(function*() {
      yield* insert
      const many = Array.from({ length: deep }, (_, i) => i)
      assert.deepEqual(yield* Atomic.forEach(many, () => a.n.increment()), many.map((i) => i + 1))
      const [first, ...rest] = many.map((i) => a.n.neq(i))
      assert.isTrue(yield* Condition.and(first!, ...rest))
      assert.isFalse(yield* Condition.or(...(many.map((i) => a.n.eq(i)) as [typeof first, ...typeof rest])))
      const half = yield* Atomic.forEach(many, (i) => Atomic.when(a.n.increment(), i % 2 === 0 ? a.n.gt(0) : a.n.lt(0)))
      assert.strictEqual(half.filter(Option.isSome).length, deep / 2)
      const either = yield* Atomic.forEach(
        many,
        (i) => Atomic.orElse(i % 2 === 0 ? a.n.get() : a.n.quotient(0), Atomic.succeed(-1))
      )
      assert.deepEqual(
        either,
        many.map((i) => i % 2 === 0 ? deep * 1.5 : -1)
      )
      const operands = yield* Atomic.forEach(many, () => b.n.increment(a.n.value()))
      assert.strictEqual(operands.at(-1), deep * deep * 1.5)
      assert.isTrue(yield* a.n.in([...many, deep * 1.5]))
    }))

  test("a program of 32,768 steps is accepted and one of 32,769 is refused, counting conditions and jumps", () =>
    Effect.gen(function*() {
      yield* insert
      const limit = 32_768
      const whens = (n: number) =>
        Atomic.forEach(Array.from({ length: n }), () => Atomic.when(a.n.increment(), a.n.gte(0)))
      const { instructions: { length } } = yield* Atomic.explain(whens(1))
      const fits = Math.floor(limit / length)
      const fill = (n: number) => Atomic.forEach(Array.from({ length: n }), () => b.n.get())
      yield* Atomic.all([whens(fits), fill(limit - fits * length)])
      assert.strictEqual(yield* a.n.get(), fits)
      yield* unchanged(Effect.gen(function*() {
        const over: ReadonlyArray<Atomic.Atomic<unknown, any>> = [
          Atomic.all([whens(fits), fill(limit - fits * length + 1)]),
          Atomic.forEach(Array.from({ length: 30_000 }), () => a.n.increment(a.n.value().plus(1))),
          Atomic.orElse(Atomic.succeed(0), fill(limit)),
          repeat<Atomic.Atomic<unknown, any>>(a.n.increment(), (self) => Atomic.orElse(self, b.n.get()), 25_000)
        ]
        for (const program of over) {
          const error: any = yield* fails(program as Atomic.Atomic<unknown, any>, "InvalidValue")
          assert.include(error.issue, "32768")
        }
      }))
    }))

  test("concurrent programs each evaluate their conditions by themselves", () =>
    Effect.gen(function*() {
      yield* Item.put(item("a", 100))
      // each takes one coin if there is one, and otherwise logs that there was none
      const take = Atomic.if(a.n.gt(0), {
        onTrue: Atomic.as(a.n.decrement(), "taken"),
        onFalse: Atomic.as(a.text.append("."), "none")
      })
      const found = yield* concurrently(Array.from({ length: 150 }, () => take)) as Effect.Effect<
        ReadonlyArray<string>,
        RedisServiceError.RedisServiceError,
        RedisService.RedisService
      >
      assert.strictEqual(found.filter((text) => text === "taken").length, 100)
      assert.deepEqual(yield* Atomic.all([a.n.get(), a.text.get()]), [0, ".".repeat(50)])
    }))

  test("`orDie` turns the named errors of a program into defects, keeps the others, and undoes as much", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      yield* insert
      yield* raw.hashSet("CombinedItem:{odd}", { n: "many" })
      const die = (self: Atomic.Atomic<unknown, unknown>, ...tags: ReadonlyArray<string>): Operation =>
        Atomic.orDie(self as any, ...(tags as [never])) as Operation
      /** The tag of the defect, the error or the value of a program. */
      const ended = (program: Effect.Effect<unknown, unknown, RedisService.RedisService>) =>
        Effect.map(Effect.exit(program), (exit) => {
          if (Exit.isSuccess(exit)) return exit.value
          const error = Cause.findErrorOption(exit.cause) as Option.Option<{ readonly _tag: string }>
          if (Option.isSome(error)) return `error ${error.value._tag}`
          return `defect ${(Cause.squash(exit.cause) as { readonly _tag: string })._tag}`
        })
      class Full extends Data.TaggedError("Full") {}
      const guard = Atomic.guard(a.n.gt(5), () => new Full())
      const failing: ReadonlyArray<readonly [Atomic.Atomic<unknown, unknown>, string]> = [
        [missing.n.increment(), "EntityNotFound"],
        [Item.insert(item("a")), "EntityExists"],
        [a.list.at(0).set(1), "IndexOutOfRange"],
        [a.n.decrement(), "OutOfBounds"],
        [a.n.divide(0), "ArithmeticError"],
        [a.n.set(-1), "InvalidValue"],
        [Item.insert(item("", 1)), "InvalidValue"],
        [Item.get("odd"), "EntityCorrupted"],
        [guard, "Full"]
      ]
      for (const [program, tag] of failing) {
        yield* unchanged(Effect.gen(function*() {
          const other = tag === "OutOfBounds" ? "IndexOutOfRange" : "OutOfBounds"
          assert.strictEqual(yield* ended(die(program, tag)), `defect ${tag}`)
          assert.strictEqual(yield* ended(die(program, other, tag)), `defect ${tag}`)
          assert.strictEqual(yield* ended(die(program, other)), `error ${tag}`)
          assert.strictEqual(yield* ended(die(die(program, tag), other)), `defect ${tag}`)
          assert.strictEqual(yield* ended(die(die(program, other), tag)), `defect ${tag}`)
          // only the errors of this part of a larger program
          const part = die(program, tag)
          if (tag !== "EntityCorrupted") {
            assert.strictEqual(yield* ended(Atomic.all([a.text.append("x"), part, b.n.increment()])), `defect ${tag}`)
          }
          assert.strictEqual(yield* ended(Atomic.all([die(b.n.get(), tag), program])), `error ${tag}`)
          assert.strictEqual(yield* ended(Atomic.all([program, die(b.n.get(), tag)])), `error ${tag}`)
          const [exit] = yield* Atomic.pipeline([part])
          assert.strictEqual(yield* ended(exit), `defect ${tag}`)
          const once = Atomic.commit(part, { idempotencyKey: `die-${tag}`, keepFor: "1 minute" })
          if (tag !== "EntityCorrupted") assert.strictEqual(yield* ended(once), `defect ${tag}`)
        }))
      }
      // a program that succeeds is as it was
      const counted = Atomic.orDie(a.n.increment(), "OutOfBounds", "EntityNotFound")
      assert.deepEqual(yield* Atomic.all({ counted, again: a.n.get() }), { counted: 1, again: 1 })
      assert.deepEqual(yield* Atomic.when(counted, a.n.gt(7)), Option.none())
      // the server catches what it knows as a failure
      assert.strictEqual(yield* Atomic.orElse(die(missing.n.increment(), "EntityNotFound"), a.n.get()), 1)
      assert.deepEqual(yield* Atomic.ignoreMissing(die(missing.n.increment(), "EntityNotFound")), Option.none())
      const second = Atomic.orElse(missing.n.increment(), die(a.n.divide(0), "ArithmeticError"))
      assert.strictEqual(yield* ended(second), "defect ArithmeticError")
      // an operand that cannot be loaded is an error of the operation that takes it
      const operand = die(b.n.increment(missing.n.value()), "EntityNotFound")
      assert.strictEqual(yield* ended(operand), "defect EntityNotFound")
      assert.strictEqual((yield* Effect.exit(Atomic.explain(die(a.n.set(-1), "InvalidValue"))))._tag, "Failure")
    }))
}
