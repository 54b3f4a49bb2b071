/** Time to live: all keys of an entity expire together. Which operations set, renew or keep the expiry. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Atomic from "redlayer/Atomic"
import * as DomainError from "redlayer/DomainError"
import * as Model from "redlayer/Model"
import { RawStore } from "redlayer/testing"
import * as assert from "../assert.ts"
import { concurrently, fails, type Operation, unchanged } from "../assertions.ts"
import type { Backend, Test } from "../suite.ts"
import { expiries, minutes, timeOf } from "../support/time.ts"
import {
  Accessed,
  type AnyModel,
  creations,
  define,
  expiringModels,
  fields,
  Fixed,
  hour,
  Immortal,
  invalidDurations,
  keyOf,
  keysFor,
  lifeOf,
  models,
  renewedHour,
  withCollections,
  withoutCollections,
  Written
} from "../support/timeToLiveModels.ts"
import { timeToLiveCollections } from "./timeToLiveCollections.ts"
import { timeToLiveRenewals } from "./timeToLiveRenewals.ts"

export const timeToLive = (live: Test, backend: Backend): void => {
  timeToLiveCollections(live, backend)
  timeToLiveRenewals(live, backend)

  const { expires, isExact, pass, test } = timeOf(live, backend)
  /** Asserts when an entity with a value in every collection expires. */
  const expiresIn = (model: AnyModel, id: string, millis: number | undefined) => expires(keysFor(model, id), millis)
  const timeLeft = (model: AnyModel, id: string) => Effect.map(model.timeToLive(id), Option.map(Duration.toMillis))

  for (const [name, create] of Object.entries(creations)) {
    test(`${name}: every key gets the time to live of the model, or the one given for this entity`, () =>
      Effect.gen(function*() {
        for (const model of models) {
          yield* create(model, "model")
          yield* expiresIn(model, "model", lifeOf(model))
          yield* create(model, "undefined", { timeToLive: undefined })
          yield* expiresIn(model, "undefined", lifeOf(model))
          yield* create(model, "shorter", { timeToLive: "10 minutes" })
          yield* expiresIn(model, "shorter", minutes(10))
          yield* create(model, "longer", { timeToLive: Duration.hours(3) })
          yield* expiresIn(model, "longer", 3 * hour)
        }
      }))

    test(`${name}: an infinite duration, one below 1 ms, or no duration at all is refused, and nothing is stored`, () =>
      unchanged(Effect.gen(function*() {
        for (const invalid of invalidDurations) {
          const error = yield* Effect.flip(Effect.suspend(() => create(Written, "x", { timeToLive: invalid })))
          assert.instanceOf(error, DomainError.InvalidValue)
        }
        const insert = Written.insert(withCollections("x"), { timeToLive: 0 })
        yield* fails(insert, "InvalidValue", { model: Written.name, id: "x", field: "" })
        yield* fails(Atomic.all([Written.insert(withCollections("y")), insert]), "InvalidValue", { id: "x" })
      })))
  }

  test("a time to live may be given in every form of a duration", () =>
    Effect.gen(function*() {
      const ways: ReadonlyArray<readonly [Duration.Input, number]> = [
        [100_000, 100_000],
        // a fraction of a millisecond is rounded up
        [100_000.25, 100_001],
        [200_000_000_000n, 200_000],
        [[300, 500], 300_001],
        ["2 days", 48 * hour],
        [{ hours: 1, minutes: 30 }, minutes(90)],
        [Duration.weeks(1), 168 * hour],
        [1e14 - 1, 1e14 - 1]
      ]
      for (const [i, [way, millis]] of ways.entries()) {
        yield* Immortal.insert(withCollections(`${i}`), { timeToLive: way })
        yield* expiresIn(Immortal, `${i}`, millis)
        yield* Immortal.insert(withCollections(`${i}-later`))
        yield* Immortal.expire(`${i}-later`, way)
        yield* expiresIn(Immortal, `${i}-later`, millis)
      }
    }))

  test("a model with an invalid time to live is refused, and one that differs from an earlier model of its name", () =>
    Effect.gen(function*() {
      for (const duration of invalidDurations) {
        assert.throws(() => define("Refused", { duration }), /time to live must be at least 1 ms and at most/)
      }
      // a refused definition does not occupy the name
      for (
        const same of [
          define("Refused", { duration: 1 }),
          define("Refused", { duration: "1 millis", refresh: "write" })
        ]
      ) {
        assert.isFalse(yield* same.exists("a"))
      }
      const others = [
        undefined,
        { duration: 2 },
        { duration: 1, refresh: "never" },
        { duration: 1, refresh: "access" }
      ] as const
      for (const other of others) {
        const exit = yield* Effect.exit(define("Refused", other).exists("a"))
        assert.include(String(exit), "another model of this name")
      }
    }))

  test("an extended model has the time to live of its base by default", () =>
    Effect.gen(function*() {
      class Session extends Model.Class<Session>("TimeToLiveSession")(fields, {
        key: "id",
        timeToLive: { duration: "1 hour", refresh: "access" }
      }) {}
      class Same extends Model.extend<Same, typeof Session>(Session, "TimeToLiveSame")({ more: Schema.Int }) {}
      class Other extends Model.extend<Other, typeof Session>(Session, "TimeToLiveOther")({ more: Schema.Int }, {
        timeToLive: { duration: "2 hours", refresh: "never" }
      }) {}
      class None extends Model.extend<None, typeof Session>(Session, "TimeToLiveNone")({ more: Schema.Int }, {
        timeToLive: undefined
      }) {}
      for (
        const [model, millis, later] of [[Same, renewedHour, renewedHour], [
          Other,
          2 * hour,
          2 * hour - minutes(30)
        ]] as const
      ) {
        const keys = keysFor({ name: `TimeToLive${model === Same ? "Same" : "Other"}` } as AnyModel, "x")
        yield* model.insert({ ...withCollections("x"), more: 1 })
        yield* expires(keys, millis)
        yield* pass(minutes(30))
        yield* model.get("x")
        yield* expires(keys, later)
      }
      yield* None.insert({ ...withCollections("x"), more: 1 })
      assert.deepEqual(yield* None.timeToLive("x"), Option.none())
    }))

  test("`expire` sets one expiry for every key, earlier or later than before", () =>
    Effect.gen(function*() {
      for (const model of models) {
        yield* model.insert(withCollections("x"))
        for (const millis of [minutes(10), 5 * hour, minutes(1)]) {
          assert.isUndefined(yield* model.expire("x", millis))
          yield* expiresIn(model, "x", millis)
        }
        yield* fails(model.expire("missing", "1 hour"), "EntityNotFound", { model: model.name, id: "missing" })
        yield* model.insert(withoutCollections("bare"))
        yield* model.expire("bare", "10 minutes")
        yield* expires([keyOf(model, "bare")], minutes(10))
      }
      yield* unchanged(Effect.gen(function*() {
        for (const invalid of invalidDurations) {
          yield* fails(Written.expire("x", invalid), "InvalidValue", { model: Written.name, id: "x" })
          yield* fails(Written.expire("missing", invalid), "InvalidValue")
          yield* fails(Atomic.all([Written.ref("x").count.increment(), Written.expire("x", invalid)]), "InvalidValue")
        }
      }))
    }))

  test("`persist` removes the expiry of every key, and no later operation sets it again", () =>
    Effect.gen(function*() {
      for (const model of models) {
        yield* model.insert(withCollections("x"), { timeToLive: "10 minutes" })
        assert.isUndefined(yield* model.persist("x"))
        yield* expiresIn(model, "x", undefined)
        const { count, list, map, set } = model.ref("x")
        yield* count.increment()
        yield* Atomic.all([list.clear(), set.add("x"), list.append("x"), map.at("y").increment()])
        yield* model.get("x")
        yield* model.put(withCollections("x"))
        yield* expiresIn(model, "x", undefined)
        yield* model.persist("x")
        yield* model.expire("x", "10 minutes")
        yield* expiresIn(model, "x", minutes(10))
        yield* fails(model.persist("missing"), "EntityNotFound", { model: model.name, id: "missing" })
      }
    }))

  test("`timeToLive` returns the remaining time, or None if the entity does not expire", () =>
    Effect.gen(function*() {
      for (const model of models) {
        yield* model.insert(withCollections("x"))
        if (model === Immortal) assert.deepEqual(yield* model.timeToLive("x"), Option.none())
        yield* model.expire("x", "20 minutes")
        yield* pass(minutes(5))
        const remaining = Option.getOrThrow(yield* timeLeft(model, "x"))
        assert.isAtMost(remaining, minutes(15))
        assert.isAtLeast(remaining, isExact ? minutes(15) : minutes(14))
        assert.isTrue(Number.isInteger(remaining))
        yield* model.persist("x")
        assert.deepEqual(yield* model.timeToLive("x"), Option.none())
        yield* fails(model.timeToLive("missing"), "EntityNotFound", { model: model.name, id: "missing" })
      }
    }))

  test("in one program each operation sees the operations before it", () =>
    Effect.gen(function*() {
      for (const model of models) {
        const { timeToLive } = model
        const ofModel = model === Immortal ? Option.none() : Option.some(Duration.millis(hour))
        const { count } = model.ref("x")
        assert.deepEqual(
          yield* Atomic.all([
            Atomic.andThen(model.insert(withCollections("x")), timeToLive("x")),
            Atomic.andThen(model.expire("x", "10 minutes"), timeToLive("x")),
            Atomic.andThen(model.expire("x", "3 hours"), timeToLive("x")),
            // a renewal does not shorten the time to live
            Atomic.andThen(count.increment(), timeToLive("x")),
            Atomic.andThen(model.persist("x"), timeToLive("x")),
            Atomic.andThen(count.increment(), timeToLive("x")),
            Atomic.andThen(model.delete("x"), model.exists("x")),
            Atomic.andThen(model.insert(withCollections("x"), { timeToLive: "2 minutes" }), timeToLive("x"))
          ]),
          [
            ofModel,
            Option.some(Duration.minutes(10)),
            Option.some(Duration.hours(3)),
            Option.some(Duration.hours(3)),
            Option.none(),
            Option.none(),
            false,
            Option.some(Duration.minutes(2))
          ]
        )
        yield* expiresIn(model, "x", minutes(2))
        const renewed = yield* Atomic.all([
          timeToLive("x"),
          Atomic.andThen(count.get(), timeToLive("x")),
          Atomic.andThen(count.increment(), timeToLive("x")),
          // a read after a write in the same program is still a read
          Atomic.andThen(model.expire("x", "2 minutes"), Atomic.andThen(count.get(), timeToLive("x")))
        ])
        const long = Option.some(Duration.hours(1))
        const short = Option.some(Duration.minutes(2))
        assert.deepEqual(renewed.slice(1), [
          model === Accessed ? long : renewed[0],
          model === Accessed || model === Written ? long : renewed[0],
          model === Accessed ? long : short
        ])
        yield* fails(Atomic.all([model.delete("x"), timeToLive("x")]), "EntityNotFound")
      }
    }))

  test("`expire`, `persist` and renewals keep the version", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      const version = raw.hashGet(keyOf(Accessed, "x"), "$v")
      yield* Accessed.insert(withCollections("x"))
      const first = yield* version
      yield* Accessed.expire("x", "10 minutes")
      yield* Accessed.get("x")
      yield* expiresIn(Accessed, "x", renewedHour)
      yield* Accessed.expire("x", "10 minutes")
      yield* Atomic.all([Accessed.ref("x").list.get(), Accessed.ref("x").count.get()])
      yield* expiresIn(Accessed, "x", renewedHour)
      yield* Accessed.persist("x")
      yield* Accessed.timeToLive("x")
      assert.strictEqual(yield* version, first)
      yield* Accessed.expire("x", "10 minutes")
      yield* Accessed.ref("x").count.increment()
      assert.strictEqual(yield* version, String(BigInt(first!) + 1n))
    }))

  test("an expired entity is gone with all its collections", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      for (const model of expiringModels) {
        yield* model.insert(withCollections("x"))
        yield* pass(lifeOf(model)! - minutes(1))
        assert.isTrue(yield* model.exists("x"))
        yield* pass(minutes(1))
        assert.deepEqual(yield* model.find("x"), Option.none())
        assert.isFalse(yield* model.exists("x"))
        assert.deepEqual(yield* raw.dump, {})
        const { count, list, map, nick, set, sorted } = model.ref("x")
        const all: ReadonlyArray<Operation> = [
          model.get("x"),
          model.pick("x", ["list"]),
          model.update("x", { count: 1 }),
          model.update("x", {}),
          model.duplicate("x", "y"),
          model.expire("x", "1 hour"),
          model.persist("x"),
          model.timeToLive("x"),
          count.increment(),
          nick.clear(),
          list.append("x"),
          list.length(),
          list.at(0).get(),
          set.add("x"),
          map.at("a").increment(),
          sorted.popMin(),
          model.ref("x").home.$.get()
        ]
        for (const operation of all) yield* fails(operation, "EntityNotFound", { model: model.name, id: "x" })
        assert.isFalse(yield* model.delete("x"))
        assert.deepEqual(yield* raw.dump, {})
        assert.isTrue(yield* model.ensure(withoutCollections("x")))
        assert.deepEqual(yield* model.get("x"), withoutCollections("x"))
        yield* expires([keyOf(model, "x")], lifeOf(model))
        yield* pass(lifeOf(model)!)
        yield* model.insert(withCollections("x"))
        yield* expiresIn(model, "x", lifeOf(model))
        yield* model.delete("x")
      }
    }))

  test("the longest time to live is returned exactly to the millisecond", () =>
    Effect.gen(function*() {
      const longest = 1e14 - 1
      for (const model of models) {
        yield* model.insert(withCollections("x"), { timeToLive: "1 hour" })
        const [, left] = yield* Atomic.all([model.expire("x", longest), model.timeToLive("x")])
        assert.deepEqual(Option.map(left, Duration.toMillis), Option.some(longest))
        yield* model.delete("x")
      }
    }))

  test("an entity with the shortest time to live is stored and expires", () =>
    Effect.gen(function*() {
      for (const model of models) {
        yield* model.insert(withCollections("x"), { timeToLive: 0.001 })
        if (isExact) assert.deepEqual(yield* timeLeft(model, "x"), Option.some(1))
        yield* pass(1)
        assert.isFalse(yield* model.exists("x"))
      }
    }))

  test("an entity that is deleted and recreated in one program has the expiry of a new one", () =>
    Effect.gen(function*() {
      for (const model of models) {
        const ofModel = lifeOf(model)
        const { list } = model.ref("x")
        yield* model.insert(withCollections("x"), { timeToLive: "10 minutes" })
        yield* Atomic.all([model.delete("x"), model.insert(withCollections("x"))])
        yield* expiresIn(model, "x", ofModel)
        yield* model.persist("x")
        yield* Atomic.all([model.delete("x"), model.put(withCollections("x"))])
        yield* expiresIn(model, "x", ofModel)
        yield* Atomic.all([model.delete("x"), model.insert(withCollections("x"), { timeToLive: "5 minutes" })])
        yield* expiresIn(model, "x", minutes(5))
        // nothing of the first entity is left, and collections that are created later have the expiry of the second
        yield* Atomic.all([model.delete("x"), model.insert(withoutCollections("x"))])
        yield* expires([keyOf(model, "x")], ofModel)
        yield* model.insert(withCollections("y"), { timeToLive: "10 minutes" })
        yield* Atomic.all([model.delete("y"), model.insert(withoutCollections("y")), model.ref("y").list.append("z")])
        yield* expires([keyOf(model, "y"), `${keyOf(model, "y")}:list`], ofModel)
        yield* list.append("z")
        yield* expires([keyOf(model, "x"), `${keyOf(model, "x")}:list`], ofModel)
        yield* Atomic.all([model.insert(withCollections("short")), model.delete("short")])
        assert.isFalse(yield* model.exists("short"))
      }
    }))

  test("`put` over an entity keeps its expiry, and renews it if the model renews on writes", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      for (const model of models) {
        const renews = model === Written || model === Accessed
        yield* model.insert(withoutCollections("x"), { timeToLive: "10 minutes" })
        const before = yield* raw.expiresAt(keyOf(model, "x"))
        yield* model.put(withCollections("x"))
        yield* expiresIn(model, "x", renews ? renewedHour : minutes(10))
        if (!renews) assert.strictEqual(yield* raw.expiresAt(keyOf(model, "x")), before)
        yield* model.expire("x", "3 hours")
        yield* model.put(withCollections("x"))
        yield* expiresIn(model, "x", 3 * hour)
        yield* model.put(withCollections("new"))
        yield* expiresIn(model, "new", lifeOf(model))
        // `ensure` and `getOrInsert` ignore the given time to live if the entity exists
        yield* model.ensure(withCollections("x"), { timeToLive: "10 minutes" })
        yield* model.getOrInsert(withCollections("x"), { timeToLive: "10 minutes" })
        yield* fails(model.insert(withCollections("x"), { timeToLive: "10 minutes" }), "EntityExists")
        yield* expiresIn(model, "x", 3 * hour)
      }
    }))

  test("a copy has the time to live of a new entity, whatever the original has left", () =>
    Effect.gen(function*() {
      for (const model of models) {
        const ofModel = lifeOf(model)
        yield* model.insert(withCollections("dying"), { timeToLive: "10 minutes" })
        yield* model.insert(withCollections("staying"))
        yield* model.persist("staying")
        for (const id of ["dying", "staying"]) {
          yield* model.duplicate(id, `${id}-copy`)
          yield* expiresIn(model, `${id}-copy`, ofModel)
        }
        // copying reads the original
        yield* expiresIn(model, "dying", model === Accessed ? renewedHour : minutes(10))
        yield* expiresIn(model, "staying", undefined)
        yield* Atomic.all([model.duplicate("dying", "in-program"), model.expire("in-program", "2 minutes")])
        yield* expiresIn(model, "in-program", minutes(2))
      }
    }))

  test("a program that fails changes no expiry", () =>
    Effect.gen(function*() {
      for (const model of models) {
        const { count, list, map } = model.ref("x")
        yield* model.insert(withCollections("x"), { timeToLive: "10 minutes" })
        yield* model.insert(withoutCollections("bare"), { timeToLive: "10 minutes" })
        yield* model.insert(withCollections("stays"))
        yield* model.persist("stays")
        const before: ReadonlyArray<Operation> = [
          model.expire("x", "3 hours"),
          model.persist("x"),
          model.expire("stays", "1 minute"),
          count.increment(),
          count.get(),
          list.append("c"),
          list.clear(),
          map.at("b").increment(),
          model.get("x"),
          model.put(withCollections("x")),
          model.delete("x"),
          Atomic.andThen(model.delete("x"), model.insert(withCollections("x"))),
          Atomic.andThen(model.delete("stays"), model.insert(withCollections("stays"), { timeToLive: "1 minute" })),
          model.ref("bare").list.append("x"),
          model.insert(withCollections("new"), { timeToLive: "1 minute" }),
          model.duplicate("x", "new")
        ]
        const failing: Operation = model.ref("stays").count.divide(0)
        const step = (operation: Operation) => unchanged(fails(Atomic.all([operation, failing]), "ArithmeticError"))
        for (const operation of before) yield* step(operation)
        yield* unchanged(fails(Atomic.all([...before.slice(0, 10), failing]), "ArithmeticError"))
        yield* unchanged(fails(Atomic.all([count.get(), model.ref("missing").count.get()]), "EntityNotFound"))
      }
    }))

  test("a renewal never shortens the remaining time, and happens only if it extends it", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      for (const model of [Written, Accessed]) {
        yield* model.insert(withCollections("x"), { timeToLive: "2 hours" })
        yield* unchanged(Effect.gen(function*() {
          yield* model.get("x")
          yield* model.ref("x").count.get()
          yield* model.find("x")
        }))
        const before = yield* raw.expiresAt(keyOf(model, "x"))
        yield* model.ref("x").count.increment()
        yield* Atomic.all([model.ref("x").list.append("x"), model.update("x", { count: 1 })])
        yield* model.put(withCollections("x"))
        assert.strictEqual(yield* raw.expiresAt(keyOf(model, "x")), before)
        yield* pass(minutes(90))
        yield* expiresIn(model, "x", minutes(30))
        yield* model.ref("x").count.increment()
        yield* expiresIn(model, "x", renewedHour)
      }
    }))

  test("a renewal sets the same expiry for every key, whatever the keys had before", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      for (
        const operation of [
          Written.ref("x").count.increment(),
          Written.ref("x").set.add("x"),
          Written.put(withCollections("x"))
        ]
      ) {
        yield* Written.put(withCollections("x"))
        yield* pass(minutes(30))
        const at = (yield* raw.expiresAt(keyOf(Written, "x")))!
        yield* raw.expireAt(`${keyOf(Written, "x")}:list`, at + minutes(500))
        yield* raw.expireAt(`${keyOf(Written, "x")}:map`, at - minutes(5))
        yield* operation
        yield* expiresIn(Written, "x", renewedHour)
        yield* Written.delete("x")
      }
    }))

  test("each entity of a program is renewed by its own operations", () =>
    Effect.gen(function*() {
      for (const model of models) yield* model.insert(withCollections("x"), { timeToLive: "10 minutes" })
      for (const id of ["y", "z"]) yield* Written.insert(withCollections(id), { timeToLive: "10 minutes" })
      yield* Atomic.all([
        ...models.map((model) => model.ref("x").count.get()),
        Written.ref("y").count.increment(),
        Written.get("z")
      ])
      yield* expiresIn(Immortal, "x", minutes(10))
      yield* expiresIn(Fixed, "x", minutes(10))
      yield* expiresIn(Written, "x", minutes(10))
      yield* expiresIn(Accessed, "x", renewedHour)
      yield* expiresIn(Written, "y", renewedHour)
      yield* expiresIn(Written, "z", minutes(10))
    }))

  test("concurrent programs do not affect each other's expiries", () =>
    Effect.gen(function*() {
      const count = 60
      for (const model of models) {
        yield* model.insert(withCollections("fails"), { timeToLive: "10 minutes" })
        const failing = Atomic.all([
          model.expire("fails", "3 hours"),
          model.ref("fails").map.at("x").increment(),
          model.ref("fails").count.divide(0)
        ])
        const second = [
          () => fails(failing, "ArithmeticError"),
          (id: string) => Atomic.all([model.ref(id).list.append("x"), model.expire(id, minutes(200 + Number(id)))]),
          (id: string) => Atomic.all([model.persist(id), model.ref(id).set.add("x")])
        ]
        const ids = Array.from({ length: count }, (_, i) => String(i))
        yield* concurrently(ids.map((id, i) =>
          Effect.gen(function*() {
            yield* model.insert(withoutCollections(id), { timeToLive: minutes(5 + i) })
            yield* second[i % 3](id)
          })
        ))
        yield* expiresIn(model, "fails", minutes(10))
        const all = yield* expiries
        for (let i = 0; i < count; i++) {
          const key = keyOf(model, ids[i])
          const [keys, millis] = [
            [[key], minutes(5 + i)],
            [[key, `${key}:list`], minutes(200 + i)],
            [[key, `${key}:set`], undefined]
          ][i % 3] as [Array<string>, number | undefined]
          yield* expires(keys, millis, all)
        }
      }
    }))
}
