/** Invalid calls and unreadable data are typed errors: no operation throws, and no read dies. */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Atomic from "redlayer/Atomic"
import * as Condition from "redlayer/Condition"
import type * as DomainError from "redlayer/DomainError"
import * as Lock from "redlayer/Lock"
import * as Model from "redlayer/Model"
import type * as RedisService from "redlayer/RedisService"
import * as Topic from "redlayer/Topic"
import * as assert from "../assert.ts"
import { equalUnordered, fails, type Operation, unchanged } from "../assertions.ts"
import type { Test } from "../suite.ts"

const half = (x: number): number => {
  if (x > 5) throw new Error(`secret ${x}`)
  return x / 2
}

class Small extends Schema.Class<Small>("RefusalsSmall")({ x: Schema.Int }) {
  readonly half = half(this.x)
}

const Box = Model.make("RefusalsBox", {
  id: Schema.String,
  n: Schema.Int.pipe(Model.withDefault(0)),
  small: Small,
  tags: Schema.ReadonlySet(Schema.String),
  long: Schema.ReadonlySet(Schema.String.check(Schema.isMinLength(2))),
  board: Model.sortedSet(Schema.String),
  items: Schema.Array(Schema.Int),
  ends: Schema.Record(Schema.String, Schema.DateTimeUtc.check(Schema.makeFilter((at) => at.epochMilliseconds > 1000))),
  starts: Schema.Record(Schema.String, Schema.Date.check(Schema.isGreaterThanDate(new Date(1000))))
}, { key: "id" })

const box = (id: string) => ({
  id,
  small: new Small({ x: 1 }),
  tags: new Set(["a"]),
  long: new Set(["aa"]),
  board: [],
  items: [],
  ends: {},
  starts: {}
})

const Pair = Model.make("RefusalsPair", {
  id: Schema.String,
  numbers: Schema.Tuple([Schema.Number]),
  texts: Schema.Tuple([Schema.FiniteFromString]),
  sorted: Schema.Tuple([Schema.Int, Schema.Int]).check(Schema.makeFilter(([low, high]) => low <= high)),
  any: Schema.Tuple([Schema.Int, Schema.Int])
}, { key: "id" })

const Broken = Model.make("RefusalsBroken", {
  id: Schema.String,
  n: Schema.Int.pipe(Schema.withConstructorDefault(Effect.die("no default")))
}, { key: "id" })

type Invalid = DomainError.EntityNotFound | DomainError.InvalidValue

export const refusals = (test: Test): void => {
  test("a position or a count that is no integer is refused, whichever operation takes it", () =>
    Effect.gen(function*() {
      yield* Box.insert({ ...box("a"), items: [1, 2, 3], board: [{ member: "m", score: 1 }] })
      const { board, items } = Box.ref("a")
      const taking: Record<string, (n: any) => Operation> = {
        "slice start": (n) => items.slice(n),
        "slice end": (n) => items.slice(0, n),
        insert: (n) => items.insert(n, 1),
        "insert of nothing": (n) => items.insert(n, []),
        "removeRange start": (n) => items.removeRange(n),
        "removeRange end": (n) => items.removeRange(0, n),
        "trim start": (n) => items.trim(n),
        "trim end": (n) => items.trim(0, n),
        "at, read": (n) => items.at(n).get(),
        "at, written": (n) => items.at(n).increment(),
        "at, as an operand": (n) => items.at(0).increment(items.at(n).value() as never),
        "at, compared": (n) => items.at(n).eq(1),
        keep: (n) => items.append(1, { keep: n }),
        "range start": (n) => board.range(n),
        "range end": (n) => board.range(0, n),
        limit: (n) => board.rangeByScore({ limit: n })
      }
      for (const [name, take] of Object.entries(taking)) {
        for (const bad of [NaN, Infinity, -Infinity, 1.5, -1.5, "1", null, true, 1n, {}, [1]]) {
          const error = yield* unchanged(fails(take(bad), "InvalidValue", { model: "RefusalsBox", id: "a" }))
          assert.match(error.issue, /integer/, `${name} ${String(bad)}`)
        }
      }
      for (const bad of [-1, -2]) yield* unchanged(fails(taking.limit!(bad), "InvalidValue", { field: "board" }))
      for (const bad of [-1, 0]) yield* unchanged(fails(taking.keep!(bad), "InvalidValue", { field: "items" }))
    }))

  test("a class constructor that refuses stored data makes only its own entity corrupted", () =>
    Effect.gen(function*() {
      yield* Box.insertMany([box("a"), box("b")])
      yield* Box.ref("a").small.x.increment(10)
      const error = yield* unchanged(fails(Box.get("a"), "EntityCorrupted", { id: "a", field: "small" }))
      assert.notInclude(error.message + error.issue, "secret")
      const [a, b] = yield* Box.getMany(["a", "b"])
      assert.isTrue(Result.isFailure(a!) && Result.isSuccess(b!))
    }))

  test("the initial value of arithmetic may break a bound that the result keeps", () =>
    Effect.gen(function*() {
      yield* Box.insert(box("a"))
      const { ends, starts } = Box.ref("a")
      const initial = new Date(0)
      equalUnordered(yield* starts.at("x").add("1 day", { initial }), new Date(86_400_000))
      yield* unchanged(fails(starts.at("y").add("1 second", { initial }), "OutOfBounds", { bound: "exclusiveMinimum" }))
      // a check that only the client can evaluate
      yield* unchanged(fails(ends.at("x").add("1 day", { initial: DateTime.makeUnsafe(0) }), "InvalidValue"))
    }))

  test("a union is refused if the other set may have members that this set would refuse", () =>
    Effect.gen(function*() {
      yield* Box.insert(box("a"))
      const { long, tags } = Box.ref("a")
      yield* fails(long.union(tags), "InvalidValue", { field: "long" })
      yield* fails(tags.union(long), "InvalidValue", { field: "tags" })
      equalUnordered(yield* tags.difference(long), new Set(["a"]))
    }))

  test("the error of a refused entity contains its id", () =>
    Effect.gen(function*() {
      yield* unchanged(fails(Box.insert({ ...box("a"), n: 1.5 }), "InvalidValue", { id: "a", field: "n" }))
      yield* fails(Box.insert({ ...box("a"), id: 5 as never, n: 1.5 }), "InvalidValue", { id: "" })
    }))

  test("untyped calls that the types forbid are refused and do not throw", () =>
    Effect.gen(function*() {
      yield* Box.insert(box("a"))
      const { board, n, tags } = Box.ref("a")
      const [anyN, anyTags] = [n, tags] as ReadonlyArray<any>
      const programs: ReadonlyArray<Effect.Effect<unknown, DomainError.InvalidValue, RedisService.RedisService>> = [
        (Box as any).pick("a", undefined),
        anyTags.union(undefined),
        anyTags.union(n),
        anyN.increment(Symbol("x")),
        (Box as any).insert(undefined),
        (Box as any).update("a", null)
      ]
      for (const program of programs) {
        yield* unchanged(Effect.map(Effect.flip(program), (error) => assert.strictEqual(error._tag, "InvalidValue")))
      }
      assert.strictEqual(yield* n.increment(1, null as never), 1)
      equalUnordered(yield* board.rangeByScore(null as never), [])
    }))

  test("an operand of another schema is refused, in assignments and in comparisons", () =>
    Effect.gen(function*() {
      yield* Pair.insert({ id: "a", numbers: [5], texts: [5], sorted: [1, 2], any: [9, 1] })
      const { any, numbers, sorted, texts } = Pair.ref("a")
      for (const program of [texts.set(numbers.value()), texts.eq(numbers.value()), sorted.set(any.value())]) {
        const refused: Effect.Effect<unknown, { readonly _tag: string }, RedisService.RedisService> = program
        assert.strictEqual((yield* unchanged(Effect.flip(refused)))._tag, "InvalidValue")
      }
      // the same schema in another entity is accepted
      yield* Pair.insert({ id: "b", numbers: [7], texts: [7], sorted: [3, 4], any: [0, 0] })
      const other = Pair.ref("b")
      yield* Atomic.all([texts.set(other.texts.value()), sorted.set(other.sorted.value())])
      equalUnordered(yield* Pair.get("a"), { id: "a", numbers: [5], texts: [7], sorted: [3, 4], any: [9, 1] })
    }))

  test("a program that is too long or has a failing default is refused without affecting its neighbours", () =>
    Effect.gen(function*() {
      yield* Box.insert(box("a"))
      const { n } = Box.ref("a")
      const long = Atomic.forEach(Array.from({ length: 130_000 }), () => n.get())
      yield* fails(long, "InvalidValue", { model: "RefusalsBox", id: "a" })
      const tests = Array.from({ length: 80_000 }, () => n.eq(0)) as [ReturnType<typeof n.eq>]
      yield* fails(Condition.and(...tests.slice(0, 50_000) as typeof tests), "InvalidValue")
      const flows = Array.from({ length: 40_000 }).reduce<Atomic.Atomic<unknown, Invalid>>(
        (self) => Atomic.ignoreMissing(self),
        n.get() as Atomic.Atomic<unknown, Invalid>
      )
      yield* fails(flows, "InvalidValue", { model: "RefusalsBox", id: "a" })
      const [first, second, third] = yield* Atomic.pipeline([n.increment(), Broken.insert({ id: "x" }), long])
      assert.isTrue(Exit.isSuccess(first) && Exit.isFailure(second) && Exit.isFailure(third))
    }))

  test("an error of a program names the operation that failed, by its field and its method, and no id", () =>
    Effect.gen(function*() {
      const Doc = Model.make("RefusalsDoc", {
        id: Schema.String,
        count: Schema.Int.check(Schema.isLessThanOrEqualTo(1)),
        stats: Schema.Struct({ wins: Schema.Int }),
        list: Schema.Array(Schema.Int),
        scores: Schema.Record(Schema.String, Schema.Int)
      }, { key: "id" })
      const doc = { id: "secret-id", count: 1, stats: { wins: 1 }, list: [], scores: {} }
      const { count, list, scores, stats } = Doc.ref("secret-id")
      const named = (program: Operation, operation: string, message: string) =>
        unchanged(
          Effect.map(Effect.flip(program as Effect.Effect<unknown, any, RedisService.RedisService>), (error) => {
            assert.deepEqual({ operation: error.operation, message: error.message }, { operation, message })
          })
        )
      yield* named(count.increment(), "count.increment", "No such RefusalsDoc (count.increment)")
      yield* named(count.decrement(), "count.decrement", "No such RefusalsDoc (count.decrement)")
      yield* named(stats.wins.get(), "stats.wins.get", "No such RefusalsDoc (stats.wins.get)")
      yield* named(stats.wins.eq(1), "stats.wins.eq", "No such RefusalsDoc (stats.wins.eq)")
      yield* named(scores.at("secret-key").set(1), "scores.at.set", "No such RefusalsDoc (scores.at.set)")
      yield* named(scores.get(), "scores.get", "No such RefusalsDoc (scores.get)")
      yield* named(Doc.get("secret-id"), "get", "No such RefusalsDoc (get)")
      yield* named(Doc.pick("secret-id", ["count"]), "pick", "No such RefusalsDoc (pick)")
      yield* named(Doc.update("secret-id", { list: [1] }), "list.update", "No such RefusalsDoc (list.update)")
      yield* Doc.insert(doc)
      yield* named(Doc.insert(doc), "insert", "This RefusalsDoc exists already (insert)")
      yield* named(
        Atomic.all([stats.wins.increment(), count.increment()]),
        "count.increment",
        "RefusalsDoc.count would break its bound: maximum 1 (count.increment)"
      )
      yield* named(count.divide(0), "count.divide", "RefusalsDoc.count: divisionByZero (count.divide)")
      yield* named(list.at(5).increment(), "list.at.increment", "RefusalsDoc.list has no item at 5 (list.at.increment)")
      // the operation that takes an operand is named, and not the one that computes it
      yield* named(
        count.increment(stats.wins.value().dividedBy(0)),
        "count.increment",
        "RefusalsDoc.count: divisionByZero (count.increment)"
      )
    }))

  test("an error of an argument names the operation that was refused, and nothing was sent", () =>
    Effect.gen(function*() {
      const Doc = Model.make("RefusalsArguments", {
        id: Schema.String,
        count: Schema.Int.check(Schema.isLessThanOrEqualTo(9)),
        nick: Schema.optionalKey(Schema.String),
        at: Schema.Date,
        stats: Schema.Struct({ wins: Schema.Int, tags: Schema.Array(Schema.String) }),
        home: Schema.Struct({ city: Schema.String }).check(Schema.makeFilter(() => true)),
        list: Schema.Array(Schema.Int),
        scores: Schema.Record(Schema.String, Schema.Int),
        set: Schema.ReadonlySet(Schema.Int),
        sorted: Model.sortedSet(Schema.String)
      }, { key: "id" })
      const ref: any = Doc.ref("secret-id")
      const untyped: any = Doc
      const doc = { id: "secret-id", count: 1, at: new Date(0), stats: { wins: 1, tags: [] }, home: { city: "" } }
      const topic = Topic.make("refusals", Schema.Int)
      const whole = { ...doc, list: [], scores: {}, set: new Set(), sorted: [] }
      const refused: ReadonlyArray<readonly [program: any, operation: string]> = [
        [ref.count.set(10), "count.set"],
        [ref.count.increment("secret"), "count.increment"],
        [ref.count.decrement(NaN), "count.decrement"],
        [ref.count.clamp(2, 1), "count.clamp"],
        [ref.count.power(0.3), "count.power"],
        [ref.count.lt({}), "count.lt"],
        [ref.count.in([{}]), "count.in"],
        [ref.count.set(ref.nick.value()), "count.set"],
        [ref.nick.set(1), "nick.set"],
        [ref.nick.setIfAbsent(1), "nick.setIfAbsent"],
        [ref.at.add("soon"), "at.add"],
        [ref.at.subtract(Infinity), "at.subtract"],
        [ref.stats.wins.compareAndSet(1, "secret"), "stats.wins.compareAndSet"],
        [ref.stats.$.set({ wins: "secret", tags: [] }), "stats.wins.set"],
        [ref.stats.$.set(5), "stats.set"],
        [ref.stats.$.eq(5), "stats.eq"],
        [ref.stats.$.neq({ wins: {}, tags: [] }), "stats.wins.neq"],
        [ref.home.city.set("a"), "home.city.set"],
        [ref.list.append("secret"), "list.append"],
        [ref.list.at(NaN).set(1), "list.at.set"],
        [ref.list.at(0).set("secret"), "list.at.set"],
        [ref.list.trim(0, NaN), "list.trim"],
        [ref.list.length().lt(NaN), "list.lt"],
        [ref.scores.at(5).increment(), "scores.at.increment"],
        [ref.scores.at("secret-key").increment("a"), "scores.at.increment"],
        [ref.scores.removeAll([5]), "scores.removeAll"],
        [ref.set.add("a"), "set.add"],
        [ref.sorted.count({ min: "a" }), "sorted.count"],
        [ref.sorted.score("a").gt("a"), "sorted.gt"],
        [untyped.ref("").count.get(), "count.get"],
        [untyped.ref("").list.length(), "list.length"],
        [untyped.ref("").sorted.rank("a"), "sorted.rank"],
        [untyped.ref("").stats.$.get(), "stats.get"],
        [untyped.get(""), "get"],
        [untyped.pick("secret-id", ["other"]), "pick"],
        [untyped.atVersion("secret-id", "secret"), "atVersion"],
        [untyped.insert(doc), "insert"],
        [untyped.insert({ ...whole, id: "" }), "insert"],
        [untyped.put({ ...whole, count: 10 }), "put"],
        [untyped.ensure({ ...whole, count: 10 }), "ensure"],
        [untyped.getOrInsert(whole, { timeToLive: -1 }), "getOrInsert"],
        [untyped.update("secret-id", { list: ["a"] }), "list.update"],
        [untyped.update("secret-id", { count: 10, nick: "a" }), "count.update"],
        [untyped.update("secret-id", { other: 1 }), "update"],
        [untyped.update("", {}), "update"],
        [untyped.duplicate("secret-id", ""), "duplicate"],
        [untyped.delete(""), "delete"],
        [untyped.expire("secret-id", -1), "expire"],
        [untyped.modify("", () => doc), "modify"],
        [untyped.withLock("secret-id", () => Effect.succeed(doc), { wait: -1 }), "withLock"],
        [Atomic.commit(ref.count.get(), { idempotencyKey: "", keepFor: 1 }), "commit"],
        [topic.publish(0.5), "publish"],
        [Lock.acquire("secret", { wait: -1 }), "acquire"],
        [Lock.tryAcquire("secret", { lease: 1 }), "tryAcquire"],
        [Lock.acquireAll(["secret", ""]), "acquireAll"],
        [Lock.withLock("", () => Effect.void), "withLock"],
        [Lock.withLocks(["secret"], () => Effect.void, { lease: 1 }), "withLocks"]
      ]
      for (const [program, operation] of refused) {
        const error = yield* unchanged(
          Effect.flip(
            Effect.scoped(program as Effect.Effect<unknown, DomainError.InvalidValue, RedisService.RedisService>)
          )
        )
        assert.deepEqual([error._tag, error.operation], ["InvalidValue", operation])
        assert.isTrue(error.message.endsWith(` (${operation})`), error.message)
        assert.isFalse(error.message.includes("secret"), error.message)
      }
      // a value that the client computed is refused when it is written
      yield* untyped.insert(whole) as Effect.Effect<unknown, unknown, RedisService.RedisService>
      const changed = yield* Effect.flip(Doc.modify("secret-id", (entity) => ({ ...entity, count: 10 })))
      assert.strictEqual(changed.message.endsWith(" (modify)"), true, changed.message)
      const absent = yield* Effect.flip(Doc.modify("secret-other", (entity) => entity))
      assert.strictEqual(absent.message, "No such RefusalsArguments (modify)")
    }))

  test("what is no Atomic throws a TypeError at once in each combinator, and is never dropped", () =>
    Effect.sync(() => {
      const untyped: any = Atomic
      const { n } = Box.ref("a")
      const program = n.increment()
      const plain = Effect.retry(program, { times: 1 })
      for (const bad of [plain, Effect.succeed(1), () => program, undefined, null, 1, "a", {}, [program]]) {
        const uses: ReadonlyArray<() => unknown> = [
          () => untyped.all([program, bad]),
          () => untyped.all({ a: program, b: bad }),
          () => untyped.all(new Set([bad])),
          () => untyped.map(bad, String),
          () => untyped.as(bad, 1),
          () => untyped.andThen(program, bad),
          () => untyped.andThen(bad, program),
          () => program.pipe(untyped.andThen(bad)),
          () => untyped.tap(program, bad),
          () => untyped.tap(bad, program),
          () => untyped.forEach([1], () => bad),
          () => untyped.when(bad, n.eq(0)),
          () => untyped.if(n.eq(0), { onTrue: bad, onFalse: program }),
          () => untyped.if(n.eq(0), { onTrue: program, onFalse: bad }),
          () => untyped.orElse(bad, program),
          () => untyped.orElse(program, bad),
          () => untyped.ignoreMissing(bad),
          () => untyped.explain(bad),
          () => untyped.pipeline([program, bad]),
          () => untyped.commit(bad),
          () => untyped.commit(bad, { idempotencyKey: "a", keepFor: 1 }),
          () => untyped.commit({ idempotencyKey: "a", keepFor: 1 })(bad)
        ]
        for (const [i, use] of uses.entries()) assert.throws(use, TypeError, `${i}: ${String(bad)}`)
      }
      const effect = /an Effect can't be a part of a program/
      assert.throws(() => untyped.all([program, plain]), effect)
      assert.throws(() => untyped.commit(plain), effect)
      // a hole in an array, several arguments, and collections that are neither an array nor a record
      const shapes = [
        Array.from({ length: 2 }),
        new Array(2),
        program,
        plain,
        new Set([program]),
        new Map([["a", program]]),
        "ab",
        null,
        5
      ]
      for (const bad of shapes) assert.throws(() => untyped.all(bad), TypeError)
      assert.throws(() => untyped.all(program, program), TypeError)
      for (const bad of ["abc", undefined, null, 5, {}, program]) {
        assert.throws(() => untyped.forEach(bad, () => program), TypeError)
        assert.throws(() => untyped.pipeline(bad), TypeError)
      }
      assert.isTrue(Atomic.isAtomic(Atomic.forEach(new Set([1]), () => program)))
    }))

  test("an argument that is no condition or no handle throws a TypeError at once", () =>
    Effect.sync(() => {
      const { n } = Box.ref("a")
      for (const bad of [null, n, [n.eq(0), n.get()], [[n.eq(0)]], new Set([n.eq(0)]), "ab"]) {
        assert.throws(() => (Condition.and as any)(bad), TypeError)
      }
      // oxlint-disable-next-line no-sparse-arrays
      assert.throws(() => (Condition.or as any)([n.eq(0), , n.eq(1)]), TypeError)
      assert.throws(() => (Condition.or as any)(n.get()), TypeError)
      const observe = { observe: { n: { get: () => n.increment() } } }
      assert.throws(() => Atomic.guard(n.eq(0), observe, () => "no"), TypeError)
    }))
}
