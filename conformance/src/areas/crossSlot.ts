/** `crossSlot: "refuse"`: one server, or the store in memory, refuses the same programs as a cluster. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Atomic from "redlayer/Atomic"
import * as Condition from "redlayer/Condition"
import * as Model from "redlayer/Model"
import type * as RedisService from "redlayer/RedisService"
import * as Topic from "redlayer/Topic"
import * as assert from "../assert.ts"
import type { Backend, Test } from "../suite.ts"
import { slotOf } from "../support/slot.ts"

const User = Model.make("SlotUser", {
  name: Schema.String,
  n: Schema.Int.pipe(Model.withDefault(0)),
  tags: Schema.ReadonlySet(Schema.String)
}, { key: "name" })

const Cart = Model.make("SlotCart", {
  user: Schema.String,
  no: Schema.Int,
  n: Schema.Int.pipe(Model.withDefault(0)),
  lines: Schema.Array(Schema.String).pipe(Model.withDefault([]))
}, { key: ["user", "no"], slot: "user" })

const Part = Model.make("SlotPart", { id: Schema.String, n: Schema.Int.pipe(Model.withDefault(0)) }, {
  key: "id",
  slot: { partitions: 2 }
})

const Badge = Model.make("SlotBadge", { id: Schema.String, code: Schema.String, n: Schema.Int }, {
  key: "id",
  indexes: { n: ["n"] },
  unique: { code: ["code"] }
})

const News = Topic.make("slot-news", Schema.String)

const user = (name: string) => ({ name, tags: new Set(["a"]) })

type Program = Atomic.Atomic<unknown, any>

/** The keys that the CrossSlot error names, in the order of the program, without the prefix of the layer. */
const refusedKeys = (program: Program) =>
  Effect.map(Effect.flip(program as Effect.Effect<unknown, any, RedisService.RedisService>), (error) => {
    assert.strictEqual(error._tag, "RedisServiceError")
    assert.strictEqual(error.reason._tag, "CrossSlot")
    assert.isFalse(error.reason.applied)
    assert.isFalse(error.isRetryable)
    return (error.reason.keys as ReadonlyArray<string>).map((key) => key.slice(key.indexOf("Slot")))
  })

const refusesCrossSlot: Effect.Effect<void, any, RedisService.RedisService> = Effect.gen(function*() {
  const [a, b] = [User.ref("alice"), User.ref("bob")]
  assert.notStrictEqual(slotOf("{alice}"), slotOf("{bob}"))
  // programs of one slot, across several models
  yield* User.put(user("alice"))
  yield* User.put(user("bob"))
  yield* Atomic.all([Cart.put({ user: "alice", no: 1 }), Cart.put({ user: "alice", no: 2 }), a.n.increment()])
  const [one, two] = [Cart.ref(["alice", 1]), Cart.ref(["alice", 2])]
  assert.deepEqual(
    yield* Atomic.all([
      one.n.increment(5),
      two.n.increment(one.n.value()),
      a.n.increment(two.n.value()),
      Atomic.when(one.lines.append("x"), a.n.gt(two.n.value())),
      Atomic.orElse(Atomic.andThen(one.n.increment(), two.n.quotient(0)), two.n.get()),
      News.publish("x")
    ]).pipe(Atomic.map((all) => all.slice(0, 3))),
    [5, 5, 6]
  )
  // entities of one partition share a slot, entities of another partition do not
  const ids = Array.from({ length: 20 }, (_, i) => `${i}`)
  const keys = yield* Effect.forEach(
    ids,
    (id) => Effect.map(Atomic.explain(Part.ref(id).n.get()), ({ keys }) => keys[0]!)
  )
  const same = ids.filter((_, i) => slotOf(keys[i]!) === slotOf(keys[0]!))
  const other = ids.find((id) => !same.includes(id))!
  yield* Atomic.forEach(same, (id) => Part.put({ id }))
  assert.deepEqual(yield* Atomic.forEach(same, (id) => Part.ref(id).n.increment()), same.map(() => 1))
  assert.lengthOf(yield* refusedKeys(Part.put({ id: other }).pipe(Atomic.andThen(Part.ref(same[0]!).n.increment()))), 2)
  assert.isFalse(yield* Part.exists(other))

  const both = ["SlotUser:{alice}", "SlotUser:{bob}"]
  const reversed = [...both].reverse()
  const refused: ReadonlyArray<readonly [keys: ReadonlyArray<string>, program: Program]> = [
    [both, Atomic.all([a.n.increment(), b.n.increment()])],
    [reversed, Atomic.all([b.n.get(), a.n.get()])],
    [reversed, Atomic.when(a.n.increment(), b.n.eq(0))],
    [both, Atomic.if(a.n.gt(0), { onTrue: a.n.get(), onFalse: b.n.get() })],
    [both, Atomic.orElse(a.n.increment(), b.n.increment())],
    [both, Condition.and(a.n.eq(99), b.n.eq(99))],
    [both, Atomic.guard(a.n.eq(99), { observe: { b: b.n } }, () => "no")],
    [reversed, a.n.increment(b.n.value())],
    [both, a.tags.union(b.tags)],
    [["SlotUser:{alice}", "SlotUser:{carol}"], User.duplicate("alice", "carol")],
    [["SlotCart:{alice}:1", "SlotUser:{bob}"], Atomic.andThen(one.lines.append("y"), b.n.increment())],
    [
      ["SlotUser:{alice}", "SlotUser:{bob}", "SlotUser:{dave}"],
      Atomic.forEach(["alice", "bob", "alice", "dave"], (name) => Atomic.ignoreMissing(User.ref(name).n.increment()))
    ]
  ]
  const before = yield* Effect.all([a.n.get(), b.n.get(), one.lines.get()])
  for (const [keys, program] of refused) assert.deepEqual(yield* refusedKeys(program), keys)
  // the entities of an index are in slots of their own, also where there is none
  for (
    const program of [
      Badge.findBy("code", { code: "x" }),
      Badge.getBy("code", { code: "x" }),
      Badge.top("n", 1),
      Badge.around("a", "n", 1)
    ]
  ) assert.isAbove((yield* refusedKeys(program)).length, 0)
  assert.isFalse(yield* Badge.existsBy("code", { code: "x" }))
  assert.deepEqual(yield* Effect.all([a.n.get(), b.n.get(), one.lines.get()]), before)
  assert.isFalse(yield* User.exists("carol"))

  // the programs of a pipeline need not share a slot
  const exits = yield* Atomic.pipeline([
    a.n.increment(),
    b.n.increment(),
    Atomic.all([a.n.increment(), b.n.increment()]),
    User.exists("nobody"),
    Atomic.succeed(1)
  ])
  assert.deepEqual(exits.map(({ _tag }) => _tag === "Success"), [true, true, false, true, true])
  assert.deepEqual(yield* refusedKeys(Atomic.all([a.n.increment(), b.n.increment()])), both)
  const found = yield* User.getMany(["alice", "nobody", "bob"])
  assert.deepEqual(found.map(({ _tag }) => _tag), ["Success", "Failure", "Success"])
  // a value that cannot be encoded is reported before the slots are checked
  const invalid = yield* Effect.flip(Atomic.all([a.n.increment(), b.n.increment(0.5)]))
  assert.strictEqual(invalid._tag, "InvalidValue")
})

export const crossSlot = (test: Test, backend: Backend): void => {
  test("a program of several slots is refused before anything runs, and the error names its keys", () =>
    Effect.provide(
      refusesCrossSlot,
      backend.layer({ crossSlot: "refuse" })
    ))

  test("without `crossSlot`, one server or memory accepts programs of several slots", () =>
    Effect.gen(function*() {
      yield* Atomic.forEach(["alice", "bob"], (name) => User.put(user(name)))
      const [a, b] = [User.ref("alice"), User.ref("bob")]
      assert.deepEqual(yield* Atomic.all([a.n.increment(5), b.n.increment(a.n.value())]), [5, 5])
      yield* User.duplicate("alice", "carol")
      assert.isTrue(yield* Condition.and(User.exists("carol"), a.tags.has("a"), b.n.eq(a.n.value())))
    }))
}
