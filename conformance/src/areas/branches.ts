/**
 * Branches: `when`, `if`, `orElse` and `ignoreMissing`. Only the branch that is taken runs, and only a branch that
 * failed is undone.
 */
import * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Atomic from "redlayer/Atomic"
import * as Condition from "redlayer/Condition"
import * as Model from "redlayer/Model"
import { RawStore } from "redlayer/testing"
import * as Topic from "redlayer/Topic"
import * as assert from "../assert.ts"
import { fails, stored, unchanged, wrongType } from "../assertions.ts"
import type { Test } from "../suite.ts"

const Room = Model.make("BranchRoom", {
  id: Schema.String,
  n: Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)),
  text: Schema.String.pipe(Model.withDefault("")),
  nick: Schema.optionalKey(Schema.String),
  list: Schema.Array(Schema.String).pipe(Model.withDefault([])),
  bounded: Schema.Array(Schema.Int).check(Schema.isMaxLength(2)).pipe(Model.withDefault([])),
  set: Schema.ReadonlySet(Schema.String),
  map: Schema.Record(Schema.String, Schema.Int).pipe(Model.withDefault({})),
  sorted: Model.sortedSet(Schema.String).pipe(Model.withDefault([])),
  stats: Schema.Struct({ wins: Schema.Int, best: Schema.Array(Schema.Int) })
}, { key: "id" })

type Entity = Parameters<typeof Room.put>[0]

const room = (id: string, n = 5, more: Partial<Entity> = {}): Entity => ({
  id,
  n,
  list: ["x", "y"],
  set: new Set(["s", "t"]),
  map: { k: 1 },
  sorted: [{ member: "m", score: 1 }, { member: "l", score: 2 }],
  stats: { wins: 1, best: [1, 2] },
  ...more
})

const News = Topic.make("branch-news", Schema.String)

class OwnError extends Data.TaggedError("Own")<{ readonly n?: number }> {}

const a = Room.ref("a")
const b = Room.ref("b")
const missing = Room.ref("gone")

const failingGuard = Atomic.guard(a.n.eq(-1), () => new OwnError({}))

/** Programs that each fail with another error that `orElse` catches. */
const failing = (): Readonly<Record<string, Atomic.Atomic<unknown, any>>> => ({
  missing: missing.n.increment(),
  missingWhole: Room.get("gone"),
  exists: Room.insert(room("b")),
  index: a.list.at(99).set("z"),
  bounds: a.n.decrement(1_000_000),
  boundsOfList: a.bounded.append([1, 2, 3]),
  arithmetic: a.n.quotient(0),
  operand: a.n.increment(a.stats.wins.value().dividedBy(0)),
  guard: failingGuard,
  duplicate: Room.duplicate("a", "b"),
  nested: Atomic.orElse(a.n.quotient(0), failingGuard)
})

/** Programs that cover every way of writing. Their results are the same in every run. */
const writing = (): Readonly<Record<string, Atomic.Atomic<unknown, any>>> => ({
  set: a.text.set("new"),
  optional: a.nick.set("new"),
  increment: a.n.increment(3),
  append: a.list.append("z"),
  capped: a.list.append(["z", "u"], { keep: 1 }),
  prepend: a.list.prepend("z"),
  insert: a.list.insert(1, ["z"]),
  remove: a.list.remove("x"),
  emptied: Atomic.all([a.list.pop(), a.list.pop()]),
  cleared: a.list.clear(),
  refilled: Atomic.andThen(a.list.clear(), a.list.append("z")),
  replaced: a.list.set(["q"]),
  item: a.list.at(0).set("q"),
  add: a.set.add(["u", "v"]),
  removeMembers: a.set.removeAll(["s", "t"]),
  emptySet: Atomic.andThen(a.set.clear(), a.set.add("w")),
  put: a.map.put("l", 2),
  counter: a.map.at("k").increment(5),
  emptyMap: Atomic.andThen(a.map.pop("k"), a.map.at("k").increment()),
  score: a.sorted.increment("m", 9),
  popMin: Atomic.all([a.sorted.popMin(), a.sorted.popMin()]),
  struct: a.stats.$.set({ wins: 9, best: [] }),
  putEntity: Room.put(room("a", 1, { list: [], set: new Set() })),
  create: Room.insert(room("c", 1)),
  createWithLife: Room.insert(room("c", 1), { timeToLive: "1 hour" }),
  createAndChange: Atomic.all([Room.insert(room("c", 1)), Room.ref("c").list.append("z"), Room.ref("c").n.increment()]),
  createAndDelete: Atomic.all([Room.insert(room("c", 1)), Room.delete("c")]),
  ensure: Room.ensure(room("c")),
  getOrInsert: Atomic.as(Room.getOrInsert(room("c")), null),
  copy: Room.duplicate("a", "c"),
  delete: Room.delete("a"),
  deleteAndCreate: Atomic.andThen(Room.delete("a"), Atomic.as(Room.insert(room("a", 1, { list: ["new"] })), null)),
  deleteOther: Room.delete("b"),
  expire: Room.expire("a", "10 minutes"),
  persist: Room.persist("b"),
  life: Atomic.all([Room.expire("a", "1 hour"), Room.persist("a"), Room.expire("b", "2 hours")]),
  publish: News.publish("lost")
})

export const branches = (test: Test): void => {
  const prepare = Effect.gen(function*() {
    yield* Room.put(room("a"))
    yield* Room.put(room("b"))
    yield* Room.expire("b", "5 hours")
    yield* Room.delete("c")
  })

  test("`when` returns Some of the result if the condition holds, otherwise it returns None and runs nothing", () =>
    Effect.gen(function*() {
      yield* prepare
      assert.deepEqual(yield* Atomic.when(a.n.increment(), a.n.eq(5)), Option.some(6))
      yield* unchanged(Effect.gen(function*() {
        assert.deepEqual(yield* Atomic.when(a.n.increment(), a.n.eq(5)), Option.none())
        assert.deepEqual(yield* a.n.increment().pipe(Atomic.when(Condition.not(a.n.eq(6)))), Option.none())
        // a program that is not run does not fail either
        for (const program of Object.values(failing())) {
          assert.deepEqual(yield* Atomic.when(program, a.n.eq(5)), Option.none())
        }
      }))
      assert.deepEqual(yield* Atomic.when(Atomic.succeed(1), a.n.eq(6)), Option.some(1))
      assert.deepEqual(yield* Atomic.when(Atomic.succeed(1), a.n.eq(5)), Option.none())
      assert.deepEqual(yield* Atomic.when(a.nick.get(), a.n.eq(6)), Option.some(Option.none()))
      assert.deepEqual(
        yield* a.n.increment().pipe(Atomic.when(a.n.eq(6)), Atomic.when(a.n.eq(6)), Atomic.when(a.n.eq(0))),
        Option.none()
      )
      assert.deepEqual(
        yield* a.n.increment().pipe(Atomic.when(a.n.eq(0)), Atomic.when(a.n.eq(6))),
        Option.some(Option.none())
      )
      assert.deepEqual<ReadonlyArray<unknown>>(
        yield* Atomic.all([
          Atomic.when(a.n.set(1), a.n.eq(6)),
          Atomic.when(a.n.set(2), a.n.eq(6)),
          Atomic.when(a.n.increment(), a.n.eq(1)),
          a.n.get(),
          Atomic.when(Atomic.all([a.text.set("t"), a.text.get()]), a.n.eq(2)),
          Atomic.when(Atomic.map(a.n.get(), (n) => n * 10), a.text.eq("t"))
        ]),
        [Option.some(undefined), Option.none(), Option.some(2), 2, Option.some([undefined, "t"]), Option.some(20)]
      )
      const failed = Atomic.when(a.n.quotient(0), a.n.eq(2))
      const conditionOnMissing = Atomic.when(a.n.get(), missing.n.eq(2))
      yield* fails(failed, "ArithmeticError", { field: "n" })
      yield* fails(conditionOnMissing, "EntityNotFound", { id: "gone" })
    }))

  test("`if` runs exactly one of its two branches", () =>
    Effect.gen(function*() {
      yield* prepare
      const turn = Atomic.if(a.n.gt(5), {
        onTrue: Atomic.andThen(a.n.set(0), Atomic.as(a.list.append("high"), "high")),
        onFalse: Atomic.andThen(a.n.increment(3), Atomic.as(a.list.append("low"), "low"))
      })
      assert.deepEqual([yield* turn, yield* turn, yield* turn, yield* turn], ["low", "high", "low", "low"])
      assert.deepEqual(yield* a.list.get(), ["x", "y", "low", "high", "low", "low"])
      assert.strictEqual(yield* a.n.get(), 6)
      yield* unchanged(Effect.gen(function*() {
        for (const program of Object.values(failing())) {
          assert.strictEqual(yield* Atomic.if(a.n.eq(6), { onTrue: Atomic.succeed("yes"), onFalse: program }), "yes")
          assert.strictEqual(yield* Atomic.if(a.n.eq(7), { onTrue: program, onFalse: a.list.at(0).get() }), "x")
        }
      }))
      // conditionals nested in both branches, with an operation after them
      const size = (n: number) =>
        Atomic.andThen(
          a.n.set(n),
          Atomic.if(a.n.lt(10), {
            onTrue: Atomic.if(a.n.lt(5), {
              onTrue: Atomic.succeed("tiny"),
              onFalse: Atomic.as(a.n.increment(), "small")
            }),
            onFalse: a.n.decrement().pipe(
              Atomic.as("large"),
              Atomic.when(a.n.lt(100)),
              Atomic.map(Option.getOrElse(() => "huge"))
            )
          })
        )
      const sizes = Atomic.forEach([1, 7, 50, 500], (n) => Atomic.all([size(n), a.n.get()]))
      assert.deepEqual(yield* sizes, [["tiny", 1], ["small", 8], ["large", 49], ["huge", 500]])
      assert.strictEqual(yield* a.n.gt(1).pipe(Atomic.if({ onTrue: a.n.get(), onFalse: a.text.get() })), 500)
      yield* fails(Atomic.if(a.n.gt(1), { onTrue: a.n.quotient(0), onFalse: a.n.get() }), "ArithmeticError")
    }))

  test("`orElse` keeps the first program if it succeeds, and does not run the second", () =>
    Effect.gen(function*() {
      yield* prepare
      assert.strictEqual(yield* Atomic.orElse(a.n.increment(), a.n.increment(100)), 6)
      assert.strictEqual(yield* Atomic.orElse(Atomic.succeed(1), a.n.increment(100)), 1)
      for (const program of Object.values(failing())) {
        assert.strictEqual(yield* Atomic.orElse(a.n.increment(), program), yield* a.n.get())
      }
      for (const [name, program] of Object.entries(writing())) {
        yield* prepare
        const alone = yield* Effect.exit(program)
        const left = yield* stored
        yield* prepare
        const either = yield* Effect.exit(Atomic.orElse(program, a.n.increment(100)))
        assert.deepEqual(yield* stored, left, name)
        assert.strictEqual(Exit.isSuccess(either), Exit.isSuccess(alone), name)
      }
    }))

  test("`orElse` catches every domain error of the first program and returns the result of the second", () =>
    Effect.gen(function*() {
      yield* prepare
      yield* unchanged(Effect.gen(function*() {
        for (const [name, program] of Object.entries(failing())) {
          assert.strictEqual(yield* Atomic.orElse(program, a.n.get()), 5, name)
          assert.deepEqual(
            yield* Atomic.all([
              a.n.get(),
              Atomic.orElse(Atomic.andThen(a.n.increment(), program), a.text.get()),
              a.n.get()
            ]),
            [5, "", 5],
            name
          )
        }
      }))
      // if both fail, the program fails with the error of the second
      for (const [name, program] of Object.entries(failing())) {
        const error = yield* Effect.flip(program)
        assert.deepEqual(yield* Effect.flip(Atomic.orElse(program, program)), error, name)
        assert.deepEqual(yield* Effect.flip(Atomic.orElse(failingGuard, program)), error, name)
      }
    }))

  test("`orElse` undoes all writes of the failed branch, and none before or after it", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      for (const [name, write] of Object.entries(writing())) {
        for (const fail of name === "set" ? Object.values(failing()) : [failingGuard, failing().operand!]) {
          // the store is as if the failed branch had never run
          yield* prepare
          yield* unchanged(Effect.asVoid(Atomic.orElse(Atomic.andThen(write, fail), Atomic.succeed(0)))).pipe(
            Effect.catchDefect((defect) => Effect.die(`${name}: ${defect}`))
          )
          // the same with writes before and after the failed branch
          const before = Atomic.all([b.list.append("before"), b.n.increment()])
          const after = Atomic.all([b.list.append("after"), b.map.at("after").increment()])
          yield* Room.delete("b")
          yield* Room.put(room("b"))
          yield* prepare
          yield* Atomic.andThen(before, after)
          const wanted = yield* stored
          yield* Room.delete("b")
          yield* prepare
          yield* Atomic.all([before, Atomic.orElse(Atomic.andThen(write, fail), Atomic.succeed(0)), after])
          assert.deepEqual(yield* stored, wanted, name)
          assert.isDefined(yield* raw.expiresAt("BranchRoom:{b}"), name)
          assert.isUndefined(yield* raw.expiresAt("BranchRoom:{a}"), name)
        }
      }
    }))

  test("the writes of a failed branch are visible neither to the alternative nor to later operations", () =>
    Effect.gen(function*() {
      yield* prepare
      const look = Atomic.all({
        n: a.n.get(),
        text: a.text.get(),
        list: a.list.get(),
        size: a.set.size(),
        map: a.map.get(),
        low: a.sorted.popMin(),
        c: Room.exists("c"),
        wins: a.stats.wins.get()
      })
      const seen = yield* look
      for (const [name, write] of Object.entries(writing())) {
        yield* prepare
        const [first, second] = yield* Atomic.all([
          Atomic.orElse(Atomic.andThen(write, failingGuard), look) as typeof look,
          Atomic.andThen(a.sorted.add("m", 1), look)
        ])
        assert.deepEqual(first, seen, name)
        assert.deepEqual(second, seen, name)
      }
    }))

  test("every kind of write works after the undo of any other kind of write", () =>
    Effect.gen(function*() {
      const all = Object.entries(writing())
      for (const [i, [name, write]] of all.entries()) {
        // pair each write with three others
        for (const step of [1, 5, 11]) {
          const [other, then] = all[(i + step) % all.length]!
          yield* prepare
          const alone = yield* Effect.exit(then)
          const wanted = yield* stored
          yield* prepare
          const exit = yield* Effect.exit(
            Atomic.andThen(Atomic.orElse(Atomic.andThen(write, failingGuard), Atomic.succeed(0)), then)
          )
          assert.strictEqual(exit._tag, alone._tag, `${name}, ${other}`)
          assert.deepEqual(yield* stored, wanted, `${name}, ${other}`)
        }
      }
    }))

  test("nested `orElse` returns the first alternative that succeeds, however it is nested and however deep", () =>
    Effect.gen(function*() {
      yield* prepare
      const take = (n: number) => Atomic.as(a.n.decrement(n), n)
      const first = (...amounts: ReadonlyArray<number>) =>
        amounts.map(take).reduce((self, that) => Atomic.orElse(self, that))
      const right = (...amounts: ReadonlyArray<number>) =>
        amounts.map(take).reduceRight((self, that) => Atomic.orElse(that, self))
      for (const choose of [first, right]) {
        yield* a.n.set(5)
        assert.strictEqual(yield* choose(9, 7, 3), 3)
        assert.strictEqual(yield* choose(9, 2, 1), 2)
        yield* fails(choose(3, 2, 1), "OutOfBounds", { field: "n", bound: "minimum" })
        assert.strictEqual(yield* a.n.get(), 0)
        yield* a.n.set(50)
        assert.strictEqual(yield* choose(...Array.from({ length: 60 }, (_, i) => 100 - i)), 50)
      }
      // the outer attempt undoes what the inner attempt kept
      yield* a.n.set(5)
      assert.deepEqual(
        yield* Atomic.all([
          Atomic.orElse(
            Atomic.all([
              a.list.append("outer"),
              Atomic.orElse(Atomic.andThen(a.list.append("inner"), failingGuard), a.list.append("kept")),
              a.list.get(),
              failingGuard
            ]),
            a.list.get()
          ),
          Atomic.orElse(
            Atomic.all([
              a.list.append("outer"),
              Atomic.orElse(Atomic.andThen(a.list.append("inner"), failingGuard), a.list.append("kept")),
              a.list.get()
            ]),
            a.list.get()
          )
        ]),
        [["x", "y"], [3, 4, ["x", "y", "outer", "kept"]]]
      )
      // both branches fail, so both are undone
      yield* unchanged(
        Effect.flip(
          Atomic.orElse(Atomic.andThen(a.n.increment(), failingGuard), Atomic.andThen(a.n.set(1), failingGuard))
        )
      )
      // several attempts inside one attempt, all undone by the outer one
      yield* unchanged(Atomic.orElse(
        Atomic.all([
          Atomic.orElse(a.n.set(1), failingGuard),
          Atomic.orElse(failingGuard, a.list.clear()),
          Atomic.orElse(Atomic.all([Room.delete("b"), failingGuard]), Room.delete("a")),
          failingGuard
        ]),
        Atomic.succeed(0)
      ))
    }))

  test("the undo of a branch restores an entity that the branch created, deleted or emptied", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      yield* prepare
      const c = Room.ref("c")
      const made = Atomic.all([Room.insert(room("c", 1), { timeToLive: "1 hour" }), c.list.append("z")])
      assert.deepEqual(
        yield* Atomic.all([
          Atomic.orElse(Atomic.andThen(made, failingGuard), Room.exists("c")),
          Atomic.as(Room.insert(room("c", 2, { list: [] })), "made"),
          c.n.get(),
          c.list.get(),
          Room.timeToLive("c")
        ]),
        [false, "made", 2, [], Option.none()]
      )
      assert.deepEqual(
        yield* Atomic.all([
          Atomic.orElse(Atomic.all([Room.delete("c"), made, failingGuard]), c.n.get()),
          Atomic.orElse(Atomic.all([Room.delete("c"), failingGuard]), c.set.size()),
          Room.delete("c"),
          Atomic.orElse(Atomic.andThen(made, failingGuard), Room.exists("c"))
        ]),
        [2, 2, true, false]
      )
      assert.isFalse(yield* Room.exists("c"))
      // the undo restores an expiry that the branch changed
      yield* Room.expire("b", "5 hours")
      const expiry = yield* raw.expiresAt("BranchRoom:{b}")
      yield* Atomic.orElse(Atomic.all([Room.expire("b", "1 minute"), Room.persist("a"), failingGuard]), b.n.increment())
      assert.strictEqual(yield* raw.expiresAt("BranchRoom:{b}"), expiry)
      assert.strictEqual(yield* raw.expiresAt("BranchRoom:{b}:list"), expiry)
      // the undo restores the order of a list that the branch emptied
      yield* a.list.set(["1", "2", "3"])
      yield* unchanged(Atomic.orElse(
        Atomic.all([a.list.pop(), a.list.shift(), a.list.pop(), a.list.append("4"), a.list.clear(), failingGuard]),
        a.list.get()
      ))
      assert.deepEqual(yield* a.list.get(), ["1", "2", "3"])
      // an undone write does not change the version, the write that stands increments it once
      const version = yield* raw.hashGet("BranchRoom:{a}", "$v")
      yield* Atomic.orElse(Atomic.all([a.n.increment(), failingGuard]), a.text.set("v"))
      assert.strictEqual(Number(yield* raw.hashGet("BranchRoom:{a}", "$v")), Number(version) + 1)
    }))

  test("messages published in a failed branch are dropped, and all others arrive in order", () =>
    Effect.gen(function*() {
      yield* prepare
      const events = yield* News.subscribe()
      yield* Atomic.all([
        News.publish("1"),
        Atomic.orElse(Atomic.all([News.publish("lost"), failingGuard]), News.publish("2")),
        Atomic.orElse(News.publish("3"), News.publish("lost")),
        Atomic.orElse(
          Atomic.all([
            Atomic.orElse(Atomic.all([News.publish("lost"), failingGuard]), News.publish("lost")),
            failingGuard
          ]),
          News.publish("4")
        ),
        Atomic.when(News.publish("lost"), a.n.eq(0)),
        Atomic.ignoreMissing(Atomic.all([News.publish("lost"), missing.n.get()])),
        News.publish("5")
      ])
      const heard = yield* Stream.runCollect(Stream.take(events, 5))
      assert.deepEqual(heard, ["1", "2", "3", "4", "5"].map((value) => ({ _tag: "Message", value } as const)))
    }))

  test("`ignoreMissing` returns None and undoes all writes if an entity is missing, and passes on every other error", () =>
    Effect.gen(function*() {
      yield* prepare
      assert.deepEqual(yield* Atomic.ignoreMissing(a.n.increment()), Option.some(6))
      yield* unchanged(Effect.gen(function*() {
        assert.deepEqual(yield* Atomic.ignoreMissing(missing.n.increment()), Option.none())
        assert.deepEqual(yield* Atomic.ignoreMissing(Room.get("gone")), Option.none())
        assert.deepEqual(yield* Atomic.ignoreMissing(missing.n.eq(1)), Option.none())
        assert.deepEqual(yield* Atomic.ignoreMissing(a.n.increment(missing.n.value())), Option.none())
        assert.deepEqual(yield* Atomic.ignoreMissing(a.set.union(missing.set)), Option.none())
        assert.deepEqual(yield* Atomic.ignoreMissing(Room.duplicate("gone", "c")), Option.none())
        assert.deepEqual(
          yield* Atomic.ignoreMissing(Atomic.all([a.n.increment(), Room.delete("b"), missing.n.get()])),
          Option.none()
        )
        for (const [name, program] of Object.entries(failing())) {
          if (name.startsWith("missing")) continue
          const error = yield* Effect.flip(program)
          assert.deepEqual(yield* Effect.flip(Atomic.ignoreMissing(program)), error, name)
        }
      }))
      assert.deepEqual(
        yield* Atomic.all([
          a.n.increment(),
          Atomic.ignoreMissing(Atomic.andThen(a.n.increment(), missing.n.get())),
          Atomic.ignoreMissing(Atomic.ignoreMissing(missing.n.get())),
          Atomic.ignoreMissing(Atomic.andThen(Room.delete("b"), b.n.get())),
          a.n.increment(),
          b.n.get()
        ]),
        [7, Option.none(), Option.some(Option.none()), Option.none(), 8, 5]
      )
      // `orElse` inside `ignoreMissing`, and the reverse
      assert.deepEqual(
        yield* Atomic.ignoreMissing(Atomic.orElse(Atomic.andThen(a.n.increment(), missing.n.get()), a.n.get())),
        Option.some(8)
      )
      assert.deepEqual(
        yield* Atomic.orElse(
          Atomic.ignoreMissing(Atomic.andThen(a.n.increment(), a.n.quotient(0))),
          Atomic.succeed("caught")
        ),
        "caught"
      )
      assert.strictEqual(yield* a.n.get(), 8)
    }))

  test("a value that cannot be encoded refuses the whole program, even in a branch that is not taken", () =>
    Effect.gen(function*() {
      yield* prepare
      const any = (value: unknown): any => value
      const invalid: ReadonlyArray<Atomic.Atomic<unknown, any>> = [
        a.n.set(any("1")),
        a.n.increment(0.5),
        a.text.set("\ud800"),
        Room.insert(room("c", -1)),
        Room.ref("").n.get(),
        a.n.increment(a.text.value() as any)
      ]
      yield* unchanged(Effect.gen(function*() {
        for (const program of invalid) {
          for (
            const whole of [
              Atomic.when(program, a.n.eq(0)),
              Atomic.if(a.n.eq(5), { onTrue: a.n.increment(), onFalse: program }),
              Atomic.if(a.n.eq(0), { onTrue: program, onFalse: a.n.increment() }),
              Atomic.orElse(a.n.increment(), program),
              Atomic.orElse(program, a.n.increment()),
              Atomic.ignoreMissing(program),
              Atomic.all([a.n.increment(), Atomic.orElse(failingGuard, Atomic.when(program, a.n.eq(0)))])
            ] as ReadonlyArray<Atomic.Atomic<unknown, any>>
          ) {
            yield* fails(whole as Atomic.Atomic<unknown, any>, "InvalidValue", { model: "BranchRoom" })
          }
        }
      }))
    }))

  test("stored data of the wrong type fails the program with WrongType, which `orElse` does not catch", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      yield* prepare
      yield* raw.hashSet("BranchRoom:{b}", { n: "abc" })
      yield* raw.delete("BranchRoom:{b}:list")
      yield* raw.setAdd("BranchRoom:{b}:list", "x")
      yield* unchanged(Effect.gen(function*() {
        for (
          const [field, wrong] of [["n", b.n.increment()], ["n", b.n.eq(1)], ["list", b.list.append("x")]] as const
        ) {
          const program = Atomic.andThen(a.n.increment(), wrong as Atomic.Atomic<unknown, any>)
          yield* wrongType(Atomic.orElse(program, a.n.get()), { id: "b", field })
          yield* wrongType(Atomic.ignoreMissing(program), { id: "b", field })
          yield* wrongType(Atomic.orElse(Atomic.orElse(program, a.n.get()), a.n.get()), { field })
          yield* wrongType(Atomic.orElse(failingGuard, program), { field })
        }
      }))
      // a value that cannot be decoded is detected after the commit, so the writes stand
      yield* raw.delete("BranchRoom:{b}:list")
      yield* raw.hashDelete("BranchRoom:{b}", "n")
      const unread = Atomic.orElse(Atomic.andThen(a.n.increment(), Room.get("b")), a.n.get())
      yield* fails(unread, "EntityCorrupted", { id: "b", field: "n", applied: true })
      assert.strictEqual(yield* a.n.get(), 6)
    }))

  test("an exception in a mapping function is a defect, whichever branch it is in", () =>
    Effect.gen(function*() {
      yield* prepare
      const boom = Atomic.map(a.n.get(), (): number => {
        throw new Error("boom")
      })
      const exit = yield* Effect.exit(Atomic.orElse(boom, a.n.get()))
      assert.isTrue(Exit.isFailure(exit) && Cause.hasDies(exit.cause))
      // the function is not called if its branch was not taken
      assert.deepEqual(yield* Atomic.when(boom, a.n.eq(0)), Option.none())
      assert.strictEqual(yield* Atomic.orElse(Atomic.andThen(boom, failingGuard), a.n.get()), 5)
      assert.strictEqual(yield* Atomic.if(a.n.eq(5), { onTrue: a.n.get(), onFalse: boom }), 5)
    }))
}
