/** `Model.modify`: reads an entity, computes, and writes the result only if nobody has written meanwhile. */
import * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Atomic from "redlayer/Atomic"
import * as DomainError from "redlayer/DomainError"
import * as Model from "redlayer/Model"
import { RawStore } from "redlayer/testing"
import * as assert from "../assert.ts"
import { changedKeys, concurrently, fails, unchanged } from "../assertions.ts"
import type { Test } from "../suite.ts"
import { alice, Player } from "../support/entityModels.ts"

const Sheet = Model.make("ModifySheet", {
  id: Schema.String,
  count: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1000 })).pipe(Model.withDefault(0)),
  word: Schema.String.check(Schema.isPattern(/^[a-z]*$/)).pipe(Model.withDefault("word")),
  even: Schema.Int.check(Schema.makeFilter((n) => n % 2 === 0)).pipe(Model.withDefault(0)),
  range: Schema.Struct({ low: Schema.Int, high: Schema.Int }).check(
    Schema.makeFilter(({ high, low }) => low <= high)
  ).pipe(Model.withDefault({ low: 0, high: 10 })),
  unique: Schema.Array(Schema.Int).check(Schema.isUnique()).pipe(Model.withDefault([])),
  nick: Schema.optionalKey(Schema.String)
}, { key: "id" })

const Span = Model.make("ModifySpan", {
  id: Schema.String,
  range: Schema.Struct({ low: Schema.Int, high: Schema.Int }).check(Schema.makeFilter(({ high, low }) => low <= high))
}, { key: "id" })

const sheetKey = "ModifySheet:{s}"

class OwnError extends Data.TaggedError("Own")<{ readonly why: string }> {}

type Sheet = Effect.Success<ReturnType<typeof Sheet.get>>

/**
 * A function for `modify` during whose nth run the nth effect of `meanwhile` runs. `seen` lists the entities it was
 * given.
 */
const withMeanwhile = <E, R>(meanwhile: ReadonlyArray<Effect.Effect<unknown, E, R>>, f: (sheet: Sheet) => Sheet) => {
  const self = {
    seen: [] as Array<Sheet>,
    f: (sheet: Sheet) => {
      self.seen.push(sheet)
      return Effect.as(meanwhile[self.seen.length - 1] ?? Effect.void, f(sheet))
    }
  }
  return self
}

const increment = ({ count, ...rest }: Sheet): Sheet => ({ ...rest, count: count + 1 })

export const modify = (test: Test): void => {
  test("`modify` passes the stored entity to `f`, stores the result, pure or effectful, and returns the stored entity", () =>
    Effect.gen(function*() {
      yield* Player.insert(alice)
      const found = yield* Player.modify("alice", (player) => {
        assert.instanceOf(player, Player)
        assert.deepEqual({ ...player }, { ...alice } as object)
        return { ...player, title: player.shout, level: player.level + 1 }
      })
      assert.instanceOf(found, Player)
      assert.strictEqual(found.shout, "Dr!!")
      assert.deepEqual(yield* Player.get("alice"), found)
      assert.strictEqual(found.level, 4)
      // `f` may return an instance of the class, or an effect of one
      const again = yield* Player.modify(
        "alice",
        (player) => Effect.map(Effect.yieldNow, () => new Player({ ...player, level: player.level * 10 }))
      )
      assert.instanceOf(again, Player)
      assert.deepEqual(yield* Player.get("alice"), again)
      assert.deepEqual({ ...again }, { ...alice, title: "Dr!", level: 40 } as object)
    }))

  test("an `f` that fails, throws, dies or is interrupted writes nothing and runs once", () =>
    Effect.gen(function*() {
      yield* Sheet.insert({ id: "s", count: 1 })
      let runs = 0
      const attempt = <E>(computed: () => Effect.Effect<Sheet, E>) => {
        runs = 0
        return unchanged(Effect.exit(Sheet.modify("s", () => {
          runs++
          return computed()
        })))
      }
      const own = yield* attempt(() => Effect.fail(new OwnError({ why: "no" })))
      assert.deepEqual(own, Exit.fail(new OwnError({ why: "no" })))
      assert.strictEqual(runs, 1)
      const bug = new Error("bug")
      const thrown = yield* attempt(() => {
        throw bug
      })
      assert.isTrue(Exit.isFailure(thrown) && Cause.squash(thrown.cause) === bug)
      assert.strictEqual(runs, 1)
      const died = yield* attempt(() => Effect.die(bug))
      assert.isTrue(Exit.isFailure(died) && Cause.squash(died.cause) === bug)
      assert.strictEqual(runs, 1)
      const interrupted = yield* attempt(() => Effect.interrupt)
      assert.isTrue(Exit.isFailure(interrupted) && Cause.hasInterrupts(interrupted.cause))
      assert.strictEqual(runs, 1)
      yield* unchanged(Effect.gen(function*() {
        const begun = yield* Deferred.make<void>()
        const fiber = yield* Effect.forkChild(
          Sheet.modify("s", () => Effect.andThen(Deferred.succeed(begun, undefined), Effect.never))
        )
        yield* Deferred.await(begun)
        yield* Fiber.interrupt(fiber)
      }))
    }))

  test("a Conflict that `f` itself fails with is not retried", () =>
    Effect.gen(function*() {
      yield* Sheet.insert({ id: "s" })
      yield* Sheet.insert({ id: "inner" })
      let runs = 0
      let version = 0
      // an inner `modify` that stops retrying
      const inner = Sheet.modify(
        "inner",
        (sheet) => Effect.as(Sheet.ref("inner").count.set(++version), { ...sheet, word: "x" }),
        { schedule: Schedule.recurs(0) }
      )
      const outer = Sheet.modify("s", (sheet) => {
        runs++
        return Effect.as(inner, { ...sheet, count: 5 })
      })
      yield* fails(outer, "Conflict", { model: "ModifySheet", id: "inner", reason: "version" })
      assert.strictEqual(runs, 1)
      const same = new DomainError.Conflict({ model: "ModifySheet", id: "s", reason: "version" })
      assert.strictEqual(yield* Effect.flip(Sheet.modify("s", () => (runs++, Effect.fail(same)))), same)
      assert.strictEqual(runs, 2)
      assert.strictEqual((yield* Sheet.get("s")).count, 0)
    }))

  test("writes of others between the read and the save are never lost, because `f` runs again on the new entity", () =>
    Effect.gen(function*() {
      const { count, nick, word } = Sheet.ref("s")
      const others: ReadonlyArray<readonly [Effect.Effect<unknown, any, any>, Partial<Sheet>]> = [
        [count.increment(10), { count: 12 }],
        // writes to fields that `f` does not change
        [word.set("other"), { word: "other", count: 2 }],
        [nick.set("al"), { nick: "al", count: 2 }],
        [Sheet.ref("s").unique.set([1, 2]), { unique: [1, 2], count: 2 }],
        [Sheet.update("s", { word: "other", even: 2 }), { word: "other", even: 2, count: 2 }],
        [Sheet.put({ id: "s", count: 500 }), { count: 501 }],
        [Sheet.modify("s", increment), { count: 3 }],
        [Atomic.all([count.increment(), count.decrement()]), { count: 2 }],
        // a deleted and recreated key is another entity, even if it looks the same
        [Effect.andThen(Sheet.delete("s"), Sheet.insert({ id: "s", count: 1 })), { count: 2 }],
        [Atomic.andThen(Sheet.delete("s"), Sheet.insert({ id: "s", count: 7, word: "new" })), { count: 8, word: "new" }]
      ]
      const fresh = yield* Sheet.put({ id: "s", count: 1 })
      for (const [i, [meanwhile, expected]] of others.entries()) {
        yield* Sheet.put({ id: "s", count: 1 })
        const { f, seen } = withMeanwhile([meanwhile], increment)
        const given = yield* Sheet.modify("s", f)
        const whole = { ...fresh, ...expected }
        assert.deepEqual(given, whole, String(i))
        assert.deepEqual(yield* Sheet.get("s"), whole, String(i))
        assert.deepEqual(seen, [fresh, { ...whole, count: whole.count - 1 }], String(i))
      }
      // several such writes in a row
      yield* Sheet.put({ id: "s", count: 1 })
      const { f, seen } = withMeanwhile(Array.from({ length: 5 }, () => count.increment(10)), increment)
      assert.strictEqual((yield* Sheet.modify("s", f)).count, 52)
      assert.deepEqual(seen.map(({ count }) => count), [1, 11, 21, 31, 41, 51])
    }))

  test("reads by others, and writes to other entities, are no conflict", () =>
    Effect.gen(function*() {
      yield* Sheet.insert({ id: "s", count: 1 })
      yield* Sheet.insert({ id: "other", count: 1 })
      const { f, seen } = withMeanwhile([
        Effect.all([
          Sheet.get("s"),
          Sheet.ref("s").count.get(),
          Sheet.ref("other").count.increment(),
          Sheet.modify("s", (sheet) => sheet),
          Effect.exit(Sheet.ref("s").count.decrement(100))
        ])
      ], increment)
      assert.strictEqual((yield* Sheet.modify("s", f)).count, 2)
      assert.strictEqual(seen.length, 1)
    }))

  test("once the schedule stops, `modify` fails with the Conflict, and `f` has run once more than there were retries", () =>
    Effect.gen(function*() {
      yield* Sheet.insert({ id: "s", count: 0 })
      const { count } = Sheet.ref("s")
      for (const times of [0, 1, 3]) {
        yield* count.set(0)
        let runs = 0
        yield* fails(
          Sheet.modify("s", (sheet) => (runs++, Effect.as(count.increment(), { ...sheet, word: "mine" })), {
            schedule: Schedule.recurs(times)
          }),
          "Conflict",
          { model: "ModifySheet", id: "s", reason: "version" }
        )
        assert.strictEqual(runs, times + 1)
        assert.deepEqual(yield* Sheet.get("s"), { ...(yield* Sheet.get("s")), count: times + 1, word: "word" })
      }
      // the last retry may succeed
      const { f, seen } = withMeanwhile(Array.from({ length: 3 }, () => count.increment(10)), increment)
      yield* Sheet.modify("s", f, { schedule: Schedule.recurs(3) })
      assert.strictEqual(seen.length, 4)
    }))

  test("the schedule receives each Conflict as its input", () =>
    Effect.gen(function*() {
      yield* Sheet.insert({ id: "s" })
      const told: Array<DomainError.Conflict> = []
      const schedule = Schedule.recurs(2).pipe(
        Schedule.setInputType<DomainError.Conflict>(),
        Schedule.while(({ input }) => {
          told.push(input)
          return input._tag === "Conflict" && input.reason === "version"
        })
      )
      const error = yield* fails(
        Sheet.modify("s", (sheet) => Effect.as(Sheet.ref("s").count.increment(), { ...sheet, word: "mine" }), {
          schedule
        }),
        "Conflict"
      )
      assert.isAtLeast(told.length, 2)
      for (const conflict of told) assert.deepEqual({ ...conflict }, { ...error })
      assert.strictEqual((yield* Sheet.get("s")).count, 3)
    }))

  test("concurrent `modify` calls are all counted", () =>
    Effect.gen(function*() {
      yield* Sheet.insert({ id: "s" })
      const schedule = Schedule.spaced("1 millis").pipe(Schedule.jittered)
      const add = (name: string) =>
        Sheet.modify(
          "s",
          (sheet) =>
            Effect.as(Effect.yieldNow, {
              ...sheet,
              count: sheet.count + 1,
              unique: [...sheet.unique, sheet.count],
              nick: name
            }),
          { schedule }
        )
      const results = yield* concurrently(
        Array.from({ length: 20 }, (_, fiber) => Effect.forEach(Array.from({ length: 20 }), () => add(`${fiber}`)))
      )
      const { count, unique } = yield* Sheet.get("s")
      assert.strictEqual(count, 400)
      assert.deepEqual(unique, Array.from({ length: 400 }, (_, i) => i))
      // each call returned the result that it stored itself
      assert.deepEqual(
        results.flat().map(({ count }) => count).sort((a, b) => a - b),
        Array.from({ length: 400 }, (_, i) => i + 1)
      )
    }))

  test("`modify` retries beside concurrent increments and loses none of them", () =>
    Effect.gen(function*() {
      yield* Sheet.insert({ id: "s" })
      const { count } = Sheet.ref("s")
      yield* concurrently([
        ...Array.from({ length: 10 }, () => Effect.forEach(Array.from({ length: 10 }), () => count.increment())),
        ...Array.from({ length: 5 }, () =>
          Sheet.modify("s", (sheet) =>
            Effect.as(Effect.yieldNow, { ...sheet, even: sheet.even + 2 }), { schedule: Schedule.spaced("1 millis") }))
      ] as ReadonlyArray<Effect.Effect<unknown, any, any>>)
      const found = yield* Sheet.get("s")
      assert.deepEqual([found.count, found.even], [100, 10])
    }))

  test("`modify` fails with EntityNotFound if the entity is missing, without running `f`, or is deleted meanwhile", () =>
    Effect.gen(function*() {
      let runs = 0
      const missing = { model: "ModifySheet", id: "s" }
      const counted = (sheet: Sheet) => (runs++, increment(sheet))
      yield* fails(unchanged(Sheet.modify("s", counted)), "EntityNotFound", missing)
      assert.strictEqual(runs, 0)
      yield* Sheet.insert({ id: "s", unique: [1] })
      const { f, seen } = withMeanwhile([Sheet.delete("s")], increment)
      yield* fails(Sheet.modify("s", f), "EntityNotFound", missing)
      assert.strictEqual(seen.length, 1)
      assert.deepEqual(yield* Sheet.find("s"), Option.none())
      assert.deepEqual(yield* Effect.flatMap(RawStore, (raw) => raw.dump), {})
    }))

  test("an invalid id is refused and a corrupted entity fails with EntityCorrupted, without running `f`", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      const never = (): Sheet => assert.fail("f ran")
      for (const id of ["", "\ud800", "x".repeat(2000), 5, undefined, null] as ReadonlyArray<any>) {
        yield* fails(Sheet.modify(id, never), "InvalidValue", { model: "ModifySheet", field: "id" })
      }
      yield* Sheet.insert({ id: "s" })
      yield* raw.hashSet(sheetKey, { count: "abc" })
      yield* unchanged(fails(Sheet.modify("s", never), "EntityCorrupted", { field: "count", id: "s" }))
      yield* raw.hashSet(sheetKey, { count: "1001" })
      yield* unchanged(fails(Sheet.modify("s", never), "EntityCorrupted", { field: "count" }))
      yield* raw.delete(sheetKey)
      yield* raw.stringSet(sheetKey, "x")
      yield* unchanged(fails(Sheet.modify("s", never), "EntityCorrupted", { id: "s" }))
    }))

  test("a result that breaks a check, is no entity, or has another key is refused, and nothing is written", () =>
    Effect.gen(function*() {
      yield* Sheet.insert({ id: "s", count: 1 })
      const cases: ReadonlyArray<readonly [field: string, unknown]> = [
        ["count", { count: 1001 }],
        ["count", { count: -1 }],
        ["count", { count: 1.5 }],
        ["count", { count: "1" }],
        ["word", { word: "UPPER" }],
        ["word", { word: 1 }],
        ["even", { even: 3 }],
        ["range", { range: { low: 11, high: 10 } }],
        ["unique", { unique: [1, 1] }],
        ["unique", { unique: undefined as any, word: "x", count: null }],
        ["nick", { nick: "\ud800" }],
        ["nick", { nick: null }]
      ]
      let runs = 0
      yield* unchanged(Effect.gen(function*() {
        for (const [field, change] of cases) {
          // valid changes beside the invalid one are not written either
          const modified = Sheet.modify("s", (sheet) => (runs++, { ...sheet, count: 2, ...change as Partial<Sheet> }))
          const error = yield* fails(modified, "InvalidValue", { model: "ModifySheet", id: "s" })
          assert.isTrue(
            error.field.split(".")[0] === field || field === "unique" && error.field === "count",
            error.field
          )
          assert.isAbove(error.issue.length, 5)
        }
        assert.strictEqual(runs, cases.length)
        for (const result of [undefined, null, 5, "text", [], () => 5] as ReadonlyArray<any>) {
          yield* fails(Sheet.modify("s", () => result), "InvalidValue", { model: "ModifySheet" })
          yield* fails(Sheet.modify("s", () => Effect.succeed(result)), "InvalidValue", { model: "ModifySheet" })
        }
        for (const id of ["other", "S", "s ", undefined] as ReadonlyArray<any>) {
          yield* fails(Sheet.modify("s", (sheet) => ({ ...sheet, count: 2, id })), "InvalidValue", {
            model: "ModifySheet",
            id: "s"
          })
        }
      }))
      assert.isFalse(yield* Sheet.exists("other"))
    }))

  test("fields with a check that only the client can evaluate, and structs with a check over several fields, can be modified", () =>
    Effect.gen(function*() {
      yield* Sheet.insert({ id: "s", word: "abc" })
      const { even, word } = Sheet.ref("s")
      assert.include((yield* fails(word.append("d"), "InvalidValue", { field: "word" })).issue, "modify")
      assert.include((yield* fails(even.increment(2), "InvalidValue", { field: "even" })).issue, "modify")
      yield* Span.insert({ id: "s", range: { low: 0, high: 1 } })
      const { low } = Span.ref("s").range
      assert.include((yield* fails(low.increment(), "InvalidValue", { field: "range.low" })).issue, "modify")
      yield* fails(Span.modify("s", (span) => ({ ...span, range: { ...span.range, low: 2 } })), "InvalidValue")
      yield* Span.modify("s", (span) => ({ ...span, range: { low: 2, high: 3 } }))
      assert.strictEqual((yield* Span.get("s")).range.low, 2)
      const found = yield* Sheet.modify("s", (sheet) => ({
        ...sheet,
        word: `${sheet.word}d`,
        even: sheet.even + 2,
        range: { low: sheet.range.low + 20, high: sheet.range.high + 20 }
      }))
      assert.deepEqual([found.word, found.even, found.range], ["abcd", 2, { low: 20, high: 30 }])
      assert.deepEqual(yield* Sheet.get("s"), found)
    }))

  test("if `f` leaves out a field, a default applies, and an optional field is removed", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      yield* Sheet.insert({ id: "s", count: 7, word: "other", unique: [1], nick: "al" })
      const given = yield* Sheet.modify("s", ({ count, id }) => ({ id, count }))
      const expected = { id: "s", count: 7, word: "word", even: 0, range: { low: 0, high: 10 }, unique: [] }
      assert.deepEqual(given, expected)
      assert.deepEqual(yield* Sheet.get("s"), expected)
      assert.isUndefined(yield* raw.hashGet(sheetKey, "nick"))
      assert.deepEqual(Object.keys(yield* raw.dump), [sheetKey])
    }))

  test("a tolerant field that cannot be decoded is not overwritten, unless `f` changes it", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      const Lax = Model.make("ModifyLax", {
        id: Schema.String,
        n: Schema.Int,
        theme: Schema.Literals(["light", "dark"]).pipe(Model.withDefault("light"), Model.tolerant),
        age: Schema.optionalKey(Schema.Int).pipe(Model.tolerant),
        list: Schema.Array(Schema.Int).pipe(Model.withDefault([]), Model.tolerant),
        record: Schema.Record(Schema.String, Schema.Int).pipe(Model.tolerant)
      }, { key: "id" })
      const key = "ModifyLax:{l}"
      yield* Lax.insert({ id: "l", n: 0, record: {} })
      yield* raw.hashSet(key, { theme: "sepia", age: "old" })
      yield* raw.listPush(`${key}:list`, "x")
      yield* raw.hashSet(`${key}:record`, { a: "x" })
      const before = yield* raw.dump
      const modified = yield* Lax.modify("l", (lax) => {
        assert.strictEqual(Model.issues(lax).length, 4)
        return { ...lax, n: lax.n + 1 }
      })
      assert.strictEqual(modified.theme, "light")
      assert.deepEqual(changedKeys(before, yield* raw.dump), ["$v", "n"])
      yield* Lax.modify("l", (lax) => ({ ...lax, theme: "dark", record: { b: 1 } }))
      assert.deepEqual(changedKeys(before, yield* raw.dump), ["$v", ":record", "n", "theme"].sort())
      const found = yield* Lax.get("l")
      assert.deepEqual([found.theme, found.record], ["dark", { b: 1 }])
      assert.deepEqual(Model.issues(found).map(({ field }) => field).sort(), ["age", "list"])
    }))

  test("an entity that was stored without a version can be modified, and writes of others to it are detected", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      yield* raw.hashSet(sheetKey, { count: "5" })
      const { f, seen } = withMeanwhile([Sheet.ref("s").count.increment(10)], increment)
      assert.strictEqual((yield* Sheet.modify("s", f)).count, 16)
      assert.strictEqual(seen.length, 2)
      assert.strictEqual(yield* raw.hashGet(sheetKey, "count"), "16")
      assert.strictEqual(yield* raw.hashGet(sheetKey, "$v"), "2")
      // the first of two writes, while the entity has no version
      yield* raw.hashDelete(sheetKey, "$v")
      const twice = withMeanwhile([Sheet.modify("s", increment)], increment)
      assert.strictEqual((yield* Sheet.modify("s", twice.f)).count, 18)
      assert.strictEqual(twice.seen.length, 2)
      // a default is not written until the field changes
      assert.deepEqual(Object.keys((yield* raw.dump)[sheetKey]!.content).sort(), ["$v", "count"])
    }))

  test("`modify` works with keys of several fields, with generated keys, and with extended models", () =>
    Effect.gen(function*() {
      const Cart = Model.make("ModifyCart", { user: Schema.String, at: Schema.Date, total: Schema.Int }, {
        key: ["user", "at"],
        slot: "user"
      })
      const at = new Date(5)
      yield* Cart.insert({ user: "u", at, total: 1 })
      assert.deepEqual(
        yield* Cart.modify(["u", at], (cart) => ({ ...cart, at: new Date(5), total: cart.total + 1 })),
        { user: "u", at, total: 2 }
      )
      yield* fails(Cart.modify(["u", at], (cart) => ({ ...cart, at: new Date(6) })), "InvalidValue", {
        model: "ModifyCart"
      })
      const Made = Model.make("ModifyMade", { n: Schema.Int })
      const { id } = yield* Made.insert({ n: 1 })
      assert.deepEqual(yield* Made.modify(id, (made) => ({ ...made, n: 2 })), { id, n: 2 })
      // a result without the id would be another entity
      yield* fails(Made.modify(id, () => ({ n: 3 })), "InvalidValue", { id })
      class Base extends Model.Class<Base>("ModifyBase")({ id: Schema.String, n: Schema.Int }, { key: "id" }) {
        get next() {
          return this.n + 1
        }
      }
      class Leaf extends Model.extend<Leaf, typeof Base>(Base, "ModifyLeaf")({ more: Schema.Array(Schema.Int) }) {}
      yield* Leaf.insert({ id: "a", n: 1, more: [] })
      const leaf = yield* Leaf.modify("a", (leaf) => ({ ...leaf, n: leaf.next, more: [leaf.n] }))
      assert.instanceOf(leaf, Leaf)
      assert.deepEqual([leaf.next, leaf.more], [3, [1]])
      assert.isFalse(yield* Base.exists("a"))
    }))

  test("a `modify` value can be run several times, with the same effect each time", () =>
    Effect.gen(function*() {
      yield* Sheet.insert({ id: "s" })
      const add = Sheet.modify("s", increment)
      assert.deepEqual([(yield* add).count, (yield* add).count, (yield* add).count], [1, 2, 3])
    }))
}
