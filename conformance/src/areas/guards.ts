/** Guards: a guard that does not hold stops the program with an error of the caller, and undoes its writes. */
import * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
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
import { concurrently, fails, unchanged, wrongType } from "../assertions.ts"
import type { Test } from "../suite.ts"

const Account = Model.make("GuardAccount", {
  id: Schema.String,
  coins: Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)),
  total: Schema.BigInt.pipe(Model.withDefault(0n)),
  name: Schema.String.pipe(Model.withDefault("")),
  nick: Schema.optionalKey(Schema.String),
  seen: Schema.Date.pipe(Model.withDefault(new Date(0))),
  log: Schema.Array(Schema.String).pipe(Model.withDefault([])),
  tags: Schema.ReadonlySet(Schema.String),
  scores: Schema.Record(Schema.String, Schema.Int).pipe(Model.withDefault({})),
  home: Schema.Struct({ street: Schema.String, rooms: Schema.Array(Schema.Int) })
}, { key: "id" })

const News = Topic.make("guard-news", Schema.String)

const account = (id: string, coins: number, log: ReadonlyArray<string> = []) => ({
  id,
  coins,
  log,
  tags: new Set(["t"]),
  home: { street: "s", rooms: [1, 2] }
})

class NotEnough extends Data.TaggedError("NotEnough")<{ readonly coins: number; readonly other?: number }> {}

const transfer = (from: string, to: string, amount: number) => {
  const [a, b] = [Account.ref(from), Account.ref(to)]
  return Atomic.guard(
    a.coins.gte(amount),
    { observe: { coins: a.coins, other: b.coins } },
    (observed) => new NotEnough(observed)
  ).pipe(
    Atomic.andThen(a.coins.decrement(amount)),
    Atomic.andThen(b.coins.increment(amount))
  )
}

export const guards = (test: Test): void => {
  test("a guard observes programs of one read too, with what they make of the result, and none that writes", () =>
    Effect.gen(function*() {
      const Lease = Model.make("GuardedLease", {
        id: Schema.String,
        n: Schema.Int,
        list: Schema.Array(Schema.Int),
        wait: Schema.Duration,
        nick: Schema.NullOr(Schema.String),
        note: Schema.optionalKey(Schema.String)
      }, { key: "id", timeToLive: { duration: "1 hour" } })
      const lease = { id: "a", n: 3, list: [1, 2], wait: Duration.hours(1), nick: "x", note: "y" }
      yield* Lease.insert(lease)
      const { list, n, nick, note, wait } = Lease.ref("a")
      const seen = yield* unchanged(Effect.flip(Atomic.guard(
        n.eq(0),
        {
          observe: {
            left: Lease.timeToLive("a"),
            n: n.get().pipe(Atomic.map((n) => n * 2), Atomic.map(String)),
            length: list.length(),
            list,
            exists: Lease.exists("b"),
            whole: Lease.find("a")
          }
        },
        ({ left, ...rest }) => ({
          _tag: "Seen" as const,
          left: Option.match(left, { onNone: () => 0, onSome: Duration.toMinutes }),
          ...rest
        })
      )))
      if (seen._tag !== "Seen") return assert.fail(seen._tag)
      const { left, ...rest } = seen
      assert.isTrue(left > 59 && left <= 60)
      assert.deepEqual(rest, {
        _tag: "Seen",
        n: "6",
        length: 2,
        list: [1, 2],
        exists: false,
        whole: Option.some(lease)
      })
      for (const bad of [n.increment(), Atomic.all([n.get()]), Atomic.succeed(1), 5, null, {}] as ReadonlyArray<any>) {
        assert.throws(() => Atomic.guard(n.eq(0), { observe: { bad } }, () => "no"), TypeError)
      }
      // a duration is compared with whatever Effect takes as one
      assert.deepEqual(
        yield* Atomic.all([wait.eq("1 hour"), wait.lt("61 minutes"), wait.gt({ minutes: 59 }), wait.neq(3_600_000)]),
        [true, true, true, false]
      )
      yield* unchanged(Effect.gen(function*() {
        yield* fails(wait.lt("soon" as any), "InvalidValue", { field: "wait" })
        yield* fails(wait.eq(null as any), "InvalidValue", { field: "wait" })
      }))
      // what a field is without a value removes it
      yield* Atomic.all([nick.set(null), note.set(undefined)])
      assert.deepEqual(yield* Atomic.all([nick.get(), note.get(), nick.isSet(), note.isSet()]), [
        Option.none(),
        Option.none(),
        false,
        false
      ])
      yield* fails(nick.set(undefined as any), "InvalidValue", { field: "nick" })
      yield* fails(note.set(null as any), "InvalidValue", { field: "note" })
      // what can't be read is an error, and never the argument of a function
      const raw = yield* RawStore
      yield* raw.hashSet("GuardedLease:{a}", { n: "many" })
      const doubled = Atomic.map(n.get(), (n) => n * 2)
      const refused = Atomic.guard(list.contains(9), { observe: { doubled } }, ({ doubled }) => ({
        _tag: "Seen" as const,
        doubled
      }))
      yield* unchanged(wrongType(refused, { model: "GuardedLease", id: "a", field: "n" }))
    }))

  test("a guard that holds returns undefined and the program continues, otherwise it fails with the caller's error", () =>
    Effect.gen(function*() {
      yield* Account.insert(account("a", 10))
      yield* Account.insert(account("b", 0))
      const { coins } = Account.ref("a")
      assert.isUndefined(yield* Atomic.guard(coins.gte(10), () => "no"))
      assert.deepEqual(yield* Atomic.all([Atomic.guard(coins.eq(10), () => "no"), coins.decrement()]), [undefined, 9])
      assert.strictEqual(yield* Effect.flip(Atomic.guard(coins.gte(10), () => "no")), "no")
      assert.strictEqual(yield* transfer("a", "b", 7), 7)
      const error = yield* fails(transfer("a", "b", 7), "NotEnough", { coins: 2, other: 7 })
      assert.instanceOf(error, NotEnough)
      assert.strictEqual(yield* coins.get(), 2)
    }))

  test("the error may be any value, and is computed once per failure", () =>
    Effect.gen(function*() {
      yield* Account.insert(account("a", 1))
      const { coins } = Account.ref("a")
      const own = new Error("own")
      for (const error of [own, "text", 0, false, null, undefined, { _tag: "EntityNotFound" }, Option.none(), NaN]) {
        const found = yield* Effect.flip(Atomic.guard(coins.eq(2), () => error))
        assert.isTrue(Object.is(found, error))
      }
      let made = 0
      const guard = Atomic.guard(coins.eq(2), () => ++made)
      assert.strictEqual(made, 0)
      assert.deepEqual([yield* Effect.flip(guard), yield* Effect.flip(guard), made], [1, 2, 2])
      yield* coins.set(2)
      yield* guard
      assert.strictEqual(made, 2)
      // an exception is a defect, and nothing is written
      const throwing = Atomic.all([
        coins.set(9),
        Atomic.guard(coins.eq(2), () => {
          throw own
        })
      ])
      const exit = yield* unchanged(Effect.exit(throwing))
      assert.isTrue(Exit.isFailure(exit) && Cause.hasDies(exit.cause))
      assert.strictEqual(yield* coins.get(), 2)
    }))

  test("`observe` returns what the server saw at the guard, in the middle of the program", () =>
    Effect.gen(function*() {
      yield* Account.insert({ ...account("a", 10, ["x"]), total: 2n ** 62n, seen: new Date(5), scores: { y: 1 } })
      const { coins, home, log, name, nick, scores, seen, tags, total } = Account.ref("a")
      const program = Atomic.all([
        coins.increment(5),
        log.append("y"),
        name.set("n"),
        scores.at("z").increment(3),
        Atomic.guard(
          coins.lt(15),
          {
            observe: {
              coins,
              home: home.$,
              item: log.at(-1),
              log,
              name,
              nick,
              none: scores.at("q"),
              scores,
              seen,
              tags,
              total
            }
          },
          (observed) => ({ observed })
        ),
        coins.set(0)
      ])
      const { observed } = yield* unchanged(Effect.flip(program)) as Effect.Effect<{ readonly observed: any }, any, any>
      assert.deepEqual(observed, {
        coins: 15,
        home: { street: "s", rooms: [1, 2] },
        item: "y",
        log: ["x", "y"],
        name: "n",
        nick: Option.none(),
        none: Option.none(),
        scores: { y: 1, z: 3 },
        seen: new Date(5),
        tags: new Set(["t"]),
        total: 2n ** 62n
      })
      // nothing is observed if the guard holds
      const gone = Account.ref("gone")
      yield* Atomic.guard(coins.eq(10), { observe: { gone: gone.coins } }, () => "no")
      yield* fails(
        Atomic.guard(coins.eq(11), { observe: { gone: gone.coins } }, () => ({ _tag: "No" } as const)),
        "EntityNotFound",
        { id: "gone" }
      )
      assert.strictEqual(yield* Effect.flip(Atomic.guard(coins.eq(11), { observe: {} }, () => "no")), "no")
    }))

  test("an observed value that cannot be decoded fails the program, and nothing is written", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      yield* Account.insert(account("a", 10))
      const { coins, seen } = Account.ref("a")
      yield* raw.hashSet("GuardAccount:{a}", { seen: "soon" })
      const guard = Atomic.guard(coins.eq(0), { observe: { seen } }, () => "no" as never)
      yield* unchanged(wrongType(Atomic.all([coins.increment(), guard]), { id: "a", field: "seen" }))
    }))

  test("a guard that fails undoes every kind of write of the program", () =>
    Effect.gen(function*() {
      yield* Account.insert(account("a", 10, ["x", "y"]))
      yield* Account.insert(account("b", 10), { timeToLive: "1 hour" })
      const { coins, home, log, name, nick, scores, tags } = Account.ref("a")
      const no = Atomic.guard(coins.lt(-1), () => "no")
      const writes: ReadonlyArray<Atomic.Atomic<unknown, any>> = [
        coins.increment(),
        name.set("x"),
        nick.set("x"),
        log.clear(),
        log.append(["z"], { keep: 1 }),
        log.pop(),
        tags.clear(),
        tags.add("u"),
        scores.at("x").increment(),
        home.$.set({ street: "t", rooms: [] }),
        Account.insert(account("c", 1)),
        Account.put(account("b", 1)),
        Account.duplicate("a", "d"),
        Account.expire("a", "1 hour"),
        Account.persist("b"),
        Account.delete("b"),
        Atomic.andThen(Account.delete("b"), Account.insert(account("b", 5, ["new"])))
      ]
      for (const write of writes) {
        assert.strictEqual(yield* unchanged(Effect.flip(Atomic.andThen(write, no))), "no")
      }
      assert.strictEqual(yield* unchanged(Effect.flip(Atomic.all([...writes, no]))), "no")
      assert.strictEqual(yield* unchanged(Effect.flip(Atomic.all([no, ...writes]))), "no")
      // the same writes stand if the guard holds
      yield* Atomic.all([coins.increment(), Atomic.guard(coins.eq(11), () => "no"), log.append("z")])
      assert.deepEqual(yield* log.get(), ["x", "y", "z"])
    }))

  test("the first guard that does not hold decides the error", () =>
    Effect.gen(function*() {
      yield* Account.insert(account("a", 10))
      const { coins } = Account.ref("a")
      const guarded = (...conditions: ReadonlyArray<Condition.Condition<any>>) =>
        Effect.flip(Atomic.forEach(conditions, (condition, i) => Atomic.guard(condition, () => i)))
      assert.strictEqual(yield* guarded(coins.eq(10), coins.eq(9), coins.eq(8)), 1)
      assert.strictEqual(yield* guarded(coins.eq(10), Condition.not(coins.eq(8)), coins.eq(8)), 2)
      assert.strictEqual(
        yield* guarded(Condition.and(coins.eq(10), Condition.or(coins.eq(1), coins.eq(2))), coins.eq(0)),
        0
      )
      // a guard in a branch that is not taken is not evaluated
      const no = Atomic.guard(coins.eq(0), () => "no")
      assert.deepEqual(yield* Atomic.when(no, coins.eq(0)), Option.none())
      assert.strictEqual(yield* Effect.flip(Atomic.when(no, coins.eq(10))), "no")
    }))

  test("a guard that fails drops the messages of the program", () =>
    Effect.gen(function*() {
      yield* Account.insert(account("a", 10))
      const { coins } = Account.ref("a")
      const events = yield* News.subscribe()
      yield* Effect.flip(Atomic.all([News.publish("lost"), Atomic.guard(coins.eq(1), () => "no")]))
      yield* Atomic.all([News.publish("heard"), Atomic.guard(coins.eq(10), () => "no"), News.publish("too")])
      const heard = yield* Stream.runCollect(Stream.take(events, 2))
      assert.deepEqual(heard, ["heard", "too"].map((value) => ({ _tag: "Message", value } as const)))
    }))

  test("a guard on a missing entity fails with EntityNotFound, not with the caller's error", () =>
    Effect.gen(function*() {
      const gone = Account.ref("gone")
      yield* fails(
        Atomic.guard(gone.coins.gte(1), () => new NotEnough({ coins: 0 })),
        "EntityNotFound",
        { model: "GuardAccount", id: "gone" }
      )
      yield* fails(transfer("gone", "gone", 1), "EntityNotFound", { id: "gone" })
      assert.strictEqual(yield* Effect.flip(Atomic.guard(Account.exists("gone"), () => "gone")), "gone")
    }))

  test("a guard needs a condition whose value can be encoded", () =>
    Effect.gen(function*() {
      yield* Account.insert(account("a", 10))
      const { coins } = Account.ref("a")
      const any = (value: unknown): any => value
      for (const no of [coins.get(), Atomic.map(coins.eq(1), (is) => is), true, undefined, Effect.succeed(true)]) {
        assert.throws(() => Atomic.guard(any(no), () => "no"), TypeError)
        assert.throws(() => Atomic.when(coins.get(), any(no)), TypeError)
        assert.throws(() => Atomic.if(any(no), { onTrue: coins.get(), onFalse: coins.get() }), TypeError)
      }
      yield* fails(Atomic.guard(coins.gte(any("1")), () => ({ _tag: "No" } as const)), "InvalidValue", {
        field: "coins"
      })
      yield* fails(
        Atomic.guard(coins.gte(1), { observe: { bad: Account.ref("").coins } }, () => ({ _tag: "No" } as const)),
        "InvalidValue"
      )
    }))

  test("concurrent guarded transfers never move more than there is", () =>
    Effect.gen(function*() {
      yield* Account.insert(account("a", 50))
      yield* Account.insert(account("b", 50))
      const exits = yield* concurrently(
        Array.from({ length: 200 }, (_, i) => Effect.exit(i % 2 === 0 ? transfer("a", "b", 7) : transfer("b", "a", 11)))
      )
      for (const exit of exits) {
        if (Exit.isFailure(exit)) {
          const error = Option.getOrThrow(Cause.findErrorOption(exit.cause))
          assert.instanceOf(error, NotEnough)
          assert.isBelow((error as NotEnough).coins, 11)
        }
      }
      const [a, b] = yield* Atomic.all([Account.ref("a").coins.get(), Account.ref("b").coins.get()])
      assert.strictEqual(a + b, 100)
      assert.isAtLeast(Math.min(a, b), 0)
    }))
}
