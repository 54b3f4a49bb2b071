/**
 * Aggregates: counts and sums of groups of entities, in programs and by themselves. That every operation keeps them is checked with
 * the indexes.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Atomic from "redlayer/Atomic"
import * as Condition from "redlayer/Condition"
import * as Model from "redlayer/Model"
import type { RedisService } from "redlayer/RedisService"
import { RawStore } from "redlayer/testing"
import * as assert from "../assert.ts"
import { concurrently, fails, unchanged } from "../assertions.ts"
import type { Backend, Test } from "../suite.ts"
import { minutes, timeOf } from "../support/time.ts"

const fields = {
  name: Schema.String,
  role: Schema.Literals(["admin", "user"]).pipe(Model.withDefault("user")),
  coins: Schema.Int.pipe(Model.indexed, Model.withDefault(0)),
  debt: Schema.BigInt.pipe(Model.withDefault(0n)),
  played: Schema.Duration.pipe(Model.withDefault(Duration.zero)),
  team: Schema.optionalKey(Schema.String),
  level: Schema.NullOr(Schema.Int).pipe(Model.withDefault(null)),
  ratio: Schema.Number.pipe(Model.withDefault(0)),
  total: Schema.Number.pipe(Model.withDefault(0)),
  wins: Schema.Int.pipe(Model.withDefault(0))
}

class Player extends Model.Class<Player>("AggregatesPlayer")(fields, {
  key: "name",
  counted: {
    everyone: [],
    // an index has this name, too
    coins: ["role"],
    team: ["team"],
    anyTeam: { by: ["team", "level"], absent: true },
    rich: { by: ["team"], where: { role: "admin" } },
    ratio: ["ratio"],
    one: ["name", "role", "team", "level"]
  },
  summed: {
    coins: { of: "coins", by: ["role"] },
    debt: { of: "debt", by: [] },
    played: { of: "played", by: ["role"] },
    level: { of: "level", by: ["role"] },
    wins: { of: "wins", by: ["role", "team"], absent: true }
  }
}) {}

class Captain extends Model.extend<Captain, typeof Player>(Player, "AggregatesCaptain")({ ship: Schema.String }, {
  counted: { ship: ["ship"] }
}) {}

const Member = Model.make("AggregatesMember", {
  league: Schema.String,
  player: Schema.String,
  points: Schema.Int,
  stats: Schema.Struct({ wins: Schema.optionalKey(Schema.Int) })
}, {
  key: ["league", "player"],
  slot: "league",
  counted: { all: [], points: ["points"] },
  summed: { points: { of: "points", by: ["league"] }, wins: { of: "stats.wins", by: [] } }
})

const Visit = Model.make(
  "AggregatesVisit",
  { page: Schema.String, site: Schema.String, n: Schema.Int, bytes: Schema.BigInt, spent: Schema.Duration },
  {
    key: "page",
    slot: { partitions: 3 },
    counted: { site: ["site"] },
    summed: { n: { of: "n", by: ["site"] }, bytes: { of: "bytes", by: [] }, spent: { of: "spent", by: ["site"] } }
  }
)

const Session = Model.make("AggregatesSession", { token: Schema.String, user: Schema.String, hits: Schema.Int }, {
  key: "token",
  timeToLive: { duration: minutes(60), refresh: "write" },
  counted: { user: ["user"] },
  summed: { hits: { of: "hits", by: ["user"] } }
})

const comparisons = ["eq", "neq", "lt", "lte", "gt", "gte"] as const

const holds = (comparison: typeof comparisons[number], a: number | bigint, b: number | bigint): boolean => {
  switch (comparison) {
    case "eq":
      return a === b
    case "neq":
      return a !== b
    case "lt":
      return a < b
    case "lte":
      return a <= b
    case "gt":
      return a > b
    case "gte":
      return a >= b
  }
}

const max = 2n ** 63n - 1n

export const aggregates = (live: Test, backend: Backend): void => {
  const { pass, test } = timeOf(live, backend)

  test("a count is a condition, so that of many who want to be one of three admins, three become it", () =>
    Effect.gen(function*() {
      const names = Array.from({ length: 8 }, (_, i) => `p${i}`)
      yield* Player.insertMany(names.map((name) => ({ name })))
      const promote = (name: string) =>
        Atomic.guard(Player.counted("coins", { role: "admin" }).lt(3), () => "enough" as const).pipe(
          Atomic.andThen(Player.ref(name).role.set("admin"))
        )
      const exits = yield* concurrently(names.map((name) => Effect.exit(promote(name))))
      assert.strictEqual(exits.filter(({ _tag }) => _tag === "Success").length, 3)
      assert.strictEqual(yield* Player.counted("coins", { role: "admin" }), 3)
      assert.strictEqual(yield* Player.counted("coins", { role: "user" }), 5)
      yield* unchanged(Effect.flip(promote("p0")))
      yield* Player.delete(names[exits.findIndex(({ _tag }) => _tag === "Success")]!)
      assert.strictEqual(yield* Player.counted("coins", { role: "admin" }), 2)
      assert.strictEqual(yield* Player.counted("everyone"), 7)
    }))

  test("a group that has no entities has a count and a sum of zero, of each kind", () =>
    Effect.gen(function*() {
      for (const insert of [true, false]) {
        if (insert) yield* Player.insert({ name: "a", role: "user", coins: 7, debt: 5n, played: Duration.seconds(1) })
        else yield* Player.delete("a")
        assert.strictEqual(yield* Player.counted("coins", { role: "admin" }), 0)
        assert.strictEqual(yield* Player.summed("coins", { role: "admin" }), 0)
        assert.strictEqual(yield* Player.summed("debt"), insert ? 5n : 0n)
        assert.deepEqual(yield* Player.summed("played", { role: "admin" }), Duration.zero)
        assert.isTrue(yield* Player.summed("played", { role: "admin" }).eq(0))
      }
      assert.strictEqual(yield* Player.counted("everyone"), 0)
      assert.isFalse(Object.keys(yield* (yield* RawStore).dump).some((key) => /\$(ix|of)/.test(key)))
    }))

  test("entities without a value are in no group, unless the definition says so, and add nothing without an amount", () =>
    Effect.gen(function*() {
      yield* Player.insertMany([
        { name: "a", role: "admin", level: 3, wins: 2 },
        { name: "b", role: "admin", team: "red", level: null, wins: 5 },
        { name: "c", role: "admin", team: "red", level: 4, ratio: NaN, wins: 1 },
        { name: "d", role: "user", team: "red", level: 0, ratio: -0 }
      ])
      assert.strictEqual(yield* Player.counted("team", { team: "red" }), 3)
      assert.strictEqual(yield* Player.counted("rich", { team: "red" }), 2)
      assert.strictEqual(yield* Player.counted("anyTeam", { team: null, level: 3 }), 1)
      assert.strictEqual(yield* Player.counted("anyTeam", { team: "red", level: null }), 1)
      assert.strictEqual(yield* Player.counted("anyTeam", { team: null, level: null }), 0)
      assert.strictEqual(yield* Player.counted("ratio", { ratio: 0 }), 3)
      assert.strictEqual(yield* Player.counted("ratio", { ratio: -0 }), 3)
      assert.strictEqual(yield* Player.counted("one", { name: "c", role: "admin", team: "red", level: 4 }), 1)
      assert.strictEqual(yield* Player.summed("level", { role: "admin" }), 7)
      assert.strictEqual(yield* Player.summed("wins", { role: "admin", team: null }), 2)
      assert.strictEqual(yield* Player.summed("wins", { role: "admin", team: "red" }), 6)
      yield* Player.ref("b").team.clear()
      yield* Player.ref("a").level.clear()
      yield* Player.ref("c").ratio.set(1)
      assert.strictEqual(yield* Player.counted("team", { team: "red" }), 2)
      assert.strictEqual(yield* Player.counted("anyTeam", { team: null, level: null }), 2)
      assert.strictEqual(yield* Player.counted("ratio", { ratio: 1 }), 1)
      assert.strictEqual(yield* Player.summed("level", { role: "admin" }), 4)
      assert.strictEqual(yield* Player.summed("wins", { role: "admin", team: null }), 7)
    }))

  test("groups of texts that look alike are kept apart", () =>
    Effect.gen(function*() {
      const teams = [
        "",
        " ",
        "a",
        "a ",
        " a",
        "a\0",
        "\0a",
        "a\u0001",
        "A",
        "1 a",
        "-1 a",
        "é",
        "e\u0301",
        "😀",
        "null"
      ]
      yield* Player.insertMany(
        teams.flatMap((team, i) => Array.from({ length: i + 1 }, (_, j) => ({ name: `${i}-${j}`, team, wins: 10 * i })))
      )
      for (const [i, team] of teams.entries()) {
        assert.strictEqual(yield* Player.counted("team", { team }), i + 1, JSON.stringify(team))
        assert.strictEqual(yield* Player.summed("wins", { role: "user", team }), 10 * i * (i + 1), JSON.stringify(team))
      }
    }))

  test("counts and sums compare as their kinds do, with values and with operands", () =>
    Effect.gen(function*() {
      yield* Player.insertMany([
        { name: "a", coins: 5, debt: max, played: Duration.nanos(1n), total: 3 },
        { name: "b", coins: -2, debt: max, played: Duration.nanos(10n ** 20n) }
      ])
      const { debt, played, total } = Player.ref("a")
      const nanos = 10n ** 20n + 1n
      for (const comparison of comparisons) {
        for (const other of [1, 2, 3, 4, -1, 2.5, 1e300]) {
          assert.strictEqual(
            yield* Player.summed("coins", { role: "user" })[comparison](other),
            holds(comparison, 3, other),
            `${comparison} ${other}`
          )
          assert.strictEqual(yield* Player.counted("everyone")[comparison](other), holds(comparison, 2, other))
        }
        for (const other of [max, 2n * max - 1n, 2n * max, 2n * max + 1n, 0n, -5n, -(10n ** 40n)]) {
          assert.strictEqual(
            yield* Player.summed("debt")[comparison](other),
            holds(comparison, 2n * max, other),
            `${comparison} ${other}`
          )
        }
        for (const other of [0n, nanos - 1n, nanos, nanos + 1n]) {
          assert.strictEqual(
            yield* Player.summed("played", { role: "user" })[comparison](Duration.nanos(other)),
            holds(comparison, nanos, other),
            `${comparison} ${other}`
          )
        }
        const operands = [
          Player.summed("coins", { role: "user" })[comparison](total.value()),
          Player.summed("coins", { role: "user" })[comparison](Player.counted("everyone").value().plus(1)),
          Player.summed("debt")[comparison](debt.value().times(2n)),
          Player.summed("played", { role: "user" })[comparison](Player.summed("played", { role: "user" }).value())
        ]
        for (const operand of operands) assert.strictEqual(yield* operand, holds(comparison, 0, 0))
        assert.strictEqual(yield* Player.summed("debt")[comparison](debt.value()), holds(comparison, 2, 1))
        assert.strictEqual(
          yield* Player.summed("played", { role: "user" })[comparison](played.value()),
          holds(comparison, 2, 1)
        )
      }
      assert.isTrue(yield* Player.summed("played", { role: "admin" }).lt("1 minute"))
    }))

  test("counts and sums are operands, and see what their program has written before them", () =>
    Effect.gen(function*() {
      yield* Player.insertMany([
        { name: "a", coins: 5, debt: 1n, played: Duration.seconds(1) },
        { name: "b", coins: 7, debt: 2n, played: Duration.seconds(2) }
      ])
      const { coins, debt, played, ratio, total } = Player.ref("a")
      const results = yield* Atomic.all([
        total.set(Player.summed("coins", { role: "user" }).value()),
        total.get(),
        coins.increment(10),
        total.increment(Player.summed("coins", { role: "user" }).value().times(2)),
        Atomic.as(Player.insert({ name: "c", coins: 100, debt: -10n, played: Duration.seconds(4) }), undefined),
        total.set(Player.counted("coins", { role: "user" }).value().plus(0.5)),
        total.get(),
        ratio.set(Player.summed("coins", { role: "user" }).value().dividedBy(Player.counted("everyone").value())),
        ratio.get(),
        debt.increment(Player.summed("debt").value()),
        Player.summed("debt"),
        played.set(Player.summed("played", { role: "user" }).value()),
        played.get(),
        Player.summed("played", { role: "user" }),
        Player.delete("b"),
        Player.counted("everyone"),
        Player.summed("coins", { role: "user" })
      ])
      assert.deepEqual<ReadonlyArray<unknown>>(results, [
        undefined,
        12,
        15,
        12 + 44,
        undefined,
        undefined,
        3.5,
        undefined,
        122 / 3,
        1n - 7n,
        -14n,
        undefined,
        Duration.seconds(7),
        Duration.seconds(13),
        true,
        2,
        115
      ])
    }))

  test("an attempt that is undone adds nothing, and its alternative adds to what was there", () =>
    Effect.gen(function*() {
      yield* Player.insertMany([{ name: "a", coins: 5 }, { name: "b", coins: 7 }])
      const sum = () => Player.summed("coins", { role: "user" })
      const results = yield* Atomic.all([
        Player.ref("b").coins.increment(),
        Atomic.orElse(
          Atomic.all([
            Player.ref("a").coins.set(1000),
            Player.ref("b").role.set("admin"),
            Player.insert({ name: "c", coins: 1 }),
            Atomic.guard(sum().lt(5), () => "too much" as const)
          ]),
          Atomic.all([sum(), Player.ref("a").coins.increment(), sum(), Player.counted("everyone")])
        ),
        Atomic.ignoreMissing(Atomic.all([Player.ref("a").coins.set(-1000), Player.ref("zz").coins.increment()])),
        Atomic.when(Player.ref("a").coins.increment(100), sum().eq(14)),
        sum()
      ])
      assert.deepEqual<unknown>(results[1], [13, 6, 14, 2])
      assert.strictEqual(results.at(-1), 114)
      yield* unchanged(Effect.flip(Atomic.all([
        Player.delete("a"),
        Player.ref("b").coins.set(3),
        Atomic.guard(Condition.not(sum().eq(3)), () => "no" as const)
      ])))
      assert.strictEqual(yield* sum(), 114)
      assert.deepEqual(yield* Stream.runCollect(Player.check()), [])
    }))

  test("sums are exact beyond 64 bits, and come back from there", () =>
    Effect.gen(function*() {
      const long = 10n ** 40n + 7n
      const entities = Array.from({ length: 6 }, (_, i) => ({
        name: `p${i}`,
        coins: Number.MAX_SAFE_INTEGER,
        debt: i < 3 ? max : -max - 1n,
        played: Duration.nanos(i < 5 ? long : 1n)
      }))
      let [coins, debt, nanos] = [0n, 0n, 0n]
      const agrees = Effect.gen(function*() {
        assert.strictEqual(yield* Player.summed("coins", { role: "user" }), Number(coins))
        assert.strictEqual(yield* Player.summed("debt"), debt)
        assert.isTrue(Duration.equals(yield* Player.summed("played", { role: "user" }), Duration.nanos(nanos)))
      })
      for (const sign of [1n, -1n]) {
        for (const entity of entities) {
          if (sign > 0n) yield* Player.insert(entity)
          else yield* Player.delete(entity.name)
          coins += sign * BigInt(entity.coins)
          debt += sign * entity.debt
          nanos += sign * Option.getOrThrow(Duration.toNanos(entity.played))
          yield* agrees
        }
      }
      // one program that moves beyond and back
      yield* Player.insertMany(entities.slice(0, 2))
      assert.strictEqual(yield* Player.summed("debt"), 2n * max)
      yield* unchanged(Effect.flip(Atomic.all([
        Player.ref("p0").debt.set(-max - 1n),
        Player.ref("p1").debt.set(-max - 1n),
        Atomic.guard(Player.summed("debt").gte(0n), () => "below" as const)
      ])))
      yield* fails(Player.ref("p0").debt.set(Player.summed("debt").value()), "ArithmeticError")
    }))

  test("what has expired is neither counted nor summed, without a read between", () =>
    Effect.gen(function*() {
      yield* Session.insertMany(["a", "b", "c"].map((token, i) => ({ token, user: "ann", hits: 10 ** i })))
      yield* Session.expire("a", "10 minutes")
      assert.strictEqual(yield* Session.counted("user", { user: "ann" }), 3)
      yield* pass(minutes(10) + 1000)
      assert.isTrue(yield* Session.summed("hits", { user: "ann" }).eq(110))
      assert.strictEqual(yield* Session.counted("user", { user: "ann" }), 2)
      yield* Session.expire("b", "10 minutes")
      yield* pass(minutes(10) + 1000)
      // one that comes again under the id of one that has expired
      yield* Session.insert({ token: "b", user: "bob", hits: 5 })
      const both = yield* Atomic.all([
        Session.ref("c").hits.increment(),
        Session.summed("hits", { user: "ann" }),
        Session.summed("hits", { user: "bob" })
      ])
      assert.deepEqual(both, [101, 101, 5])
      yield* pass(minutes(200))
      yield* Session.sweep()
      assert.isFalse(Object.keys(yield* (yield* RawStore).dump).some((key) => /\$(ix|of|exp)/.test(key)))
      assert.strictEqual(yield* Session.counted("user", { user: "ann" }), 0)
    }))

  test("a component of the key has aggregates of its own, and partitions have them together", () =>
    Effect.gen(function*() {
      yield* Member.insertMany([
        { league: "north", player: "ann", points: 7, stats: { wins: 3 } },
        { league: "north", player: "bob", points: 9, stats: {} },
        { league: "south", player: "carol", points: 7, stats: { wins: 1 } }
      ])
      assert.strictEqual(yield* Member.counted("all", { league: "north" }), 2)
      assert.strictEqual(yield* Member.counted("points", { league: "south", points: 7 }), 1)
      assert.strictEqual(yield* Member.summed("points", { league: "north" }), 16)
      assert.strictEqual(yield* Member.summed("wins", { league: "north" }), 3)
      const together = yield* Atomic.all([
        Member.delete(["north", "bob"]),
        Member.summed("points", { league: "north" })
      ])
      assert.deepEqual(together, [true, 7])

      const pages = Array.from({ length: 20 }, (_, i) => ({
        page: `/${i}`,
        site: i % 2 === 0 ? "a" : "b",
        n: i,
        bytes: max,
        spent: Duration.millis(i)
      }))
      yield* Visit.insertMany(pages)
      assert.strictEqual(yield* Visit.counted("site", { site: "a" }), 10)
      assert.strictEqual(yield* Visit.summed("n", { site: "a" }), 90)
      assert.strictEqual(yield* Visit.summed("bytes"), 20n * max)
      assert.deepEqual(yield* Visit.summed("spent", { site: "b" }), Duration.millis(100))
      yield* Visit.deleteMany(pages.map(({ page }) => page))
      assert.strictEqual(yield* Visit.summed("bytes"), 0n)
    }))

  test("a model that extends another one has its aggregates too, of its own entities", () =>
    Effect.gen(function*() {
      yield* Player.insert({ name: "a", coins: 1 })
      yield* Captain.insert({ name: "a", coins: 5, ship: "Beagle" })
      assert.strictEqual(yield* Captain.counted("ship", { ship: "Beagle" }), 1)
      assert.strictEqual(yield* Captain.summed("coins", { role: "user" }), 5)
      assert.strictEqual(yield* Player.summed("coins", { role: "user" }), 1)
    }))

  test("a group that an aggregate can't have is refused", () =>
    Effect.gen(function*() {
      const refused = (program: unknown, operation: string, field: string) =>
        fails(program as Effect.Effect<unknown, any, RedisService>, "InvalidValue", {
          operation,
          field
        })
      const model: any = Player
      yield* refused(model.counted("coins"), "counted", "role")
      yield* refused(model.counted("coins", {}), "counted", "role")
      yield* refused(model.counted("coins", { role: "nobody" }), "counted", "role")
      yield* refused(model.counted("coins", { role: null }), "counted", "role")
      yield* refused(model.counted("team", { team: { gte: "a" } }), "counted", "team")
      yield* refused(model.counted("team", { team: "a", role: "user" }), "counted", "role")
      yield* refused(model.counted("ratio", { ratio: NaN }), "counted", "ratio")
      yield* refused(model.counted("nothing"), "counted", "nothing")
      yield* refused(model.counted("debt"), "counted", "debt")
      yield* refused(model.counted("coins", null), "counted", "")
      yield* refused(model.summed("team", { team: "a" }), "summed", "team")
      yield* refused(model.summed("coins", { role: "user" }).lt(1n), "lt", "")
      yield* refused(model.summed("debt").lt(1), "lt", "")
      yield* refused(model.summed("played", { role: "user" }).lt(Duration.infinity), "lt", "")
      yield* refused(model.summed("debt").eq(Player.summed("coins", { role: "user" }).value()), "eq", "")
      yield* refused((Member as any).counted("all"), "counted", "league")
      yield* refused((Visit as any).counted("site", {}), "counted", "site")
    }))

  test("a definition of an aggregate that cannot be kept exactly is refused", () =>
    Effect.sync(() => {
      const define = (options: object) => () =>
        Model.make(
          "AggregatesRefused",
          { ...fields, at: Schema.Date, tags: Schema.Array(Schema.String) } as any,
          { key: "name", ...options } as any
        )
      const wrong: ReadonlyArray<readonly [options: object, text: RegExp]> = [
        [{ counted: { x: ["nowhere"] } }, /aggregate "x" names "nowhere"/],
        [{ counted: { x: ["tags"] } }, /tags/],
        [{ counted: { x: ["role", "role"] } }, /twice/],
        [{ counted: { x: ["role", "team", "level", "ratio", "name"] } }, /at most 4 fields/],
        [{ counted: { x: {} } }, /a list `by`/],
        [{ counted: { x: null } }, /a list `by`/],
        [{ counted: { "": ["role"] } }, /name of an aggregate/],
        [{ counted: 5 }, /must be an object/],
        [{ counted: { x: { by: [], where: { role: "nobody" } } } }, /where/],
        [{ summed: { x: { by: [] } } }, /undefined/],
        [{ summed: { x: ["coins"] } }, /undefined/],
        [{ summed: { x: { of: "ratio", by: [] } } }, /exact/],
        [{ summed: { x: { of: "team", by: [] } } }, /exact/],
        [{ summed: { x: { of: "at", by: [] } } }, /exact/],
        [{ summed: { x: { of: "nowhere", by: [] } } }, /nowhere/]
      ]
      for (const [options, text] of wrong) assert.throws(define(options), text, JSON.stringify(options))
    }))

  test("amounts and sums that were changed by hand are found and mended", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      yield* Player.insertMany(["a", "b", "c", "d"].map((name, i) => ({ name, coins: 10 ** i, team: "red" })))
      const check = (mend = false) =>
        Effect.map(
          Stream.runCollect(Player.check({ mend })),
          (found) => found.map(({ id, index, issue }) => `${id} ${index}: ${issue}`).sort()
        )
      assert.deepEqual(yield* check(), [])
      const keys = Object.keys(yield* raw.dump)
      const keyOf = (kind: string, name: string) => keys.find((key) => key.includes(`:$${kind}:${name}:`))!
      const coins = keyOf("ix", "summed:coins")
      const [group] = Object.keys((yield* raw.dump)[coins]!.content)
      yield* raw.hashSet(coins, { [group!]: "5", ghost: "7" })
      yield* raw.hashSet(keyOf("ix", "counted:coins"), { [group!]: "no number" })
      yield* raw.delete(keyOf("ix", "counted:everyone"))
      yield* raw.hashSet(keyOf("of", "counted:team"), { a: "nothing", ghost: "3 x" })
      yield* raw.hashDelete(keyOf("of", "counted:ratio"), "b")
      yield* raw.delete("AggregatesPlayer:{c}")
      yield* raw.hashSet("AggregatesPlayer:{d}", { coins: "1e3" })
      assert.strictEqual(yield* Player.summed("coins", { role: "user" }), 5)
      assert.strictEqual(yield* Player.counted("coins", { role: "user" }), 0)
      const found = yield* check()
      const gone = [
        "counted:anyTeam",
        "counted:coins",
        "counted:everyone",
        "counted:ratio",
        "counted:team",
        "summed:coins"
      ]
      assert.deepEqual(
        found.filter((text) => text.startsWith("c ")),
        ["c coins: no such entity", ...gone.map((name) => `c ${name.split(":")[1]}: no such entity`)].sort()
      )
      assert.deepEqual(found.filter((text) => !text.startsWith("c ")), [
        " coins: sums differ",
        " coins: sums differ",
        " everyone: sums differ",
        " ratio: sums differ",
        " team: sums differ",
        "a undefined: entries differ",
        "b undefined: entries differ",
        "ghost team: no such entity"
      ])
      yield* check(true)
      assert.deepEqual(yield* check(), [])
      assert.strictEqual(yield* Player.summed("coins", { role: "user" }), 1011)
      assert.strictEqual(yield* Player.counted("coins", { role: "user" }), 3)
      assert.strictEqual(yield* Player.counted("team", { team: "red" }), 3)
      assert.strictEqual(yield* Player.counted("everyone"), 3)
    }))
}
