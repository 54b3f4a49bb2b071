/** Sets: unique members, bounds of the size, set operations, members of every kind, and concurrency. */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HashSet from "effect/HashSet"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Atomic from "redlayer/Atomic"
import type * as Field from "redlayer/Field"
import * as Model from "redlayer/Model"
import { RawStore } from "redlayer/testing"
import * as assert from "../assert.ts"
import {
  concurrently,
  equalUnordered,
  fails,
  type Operation,
  pseudoRandom,
  stored,
  unchanged,
  wrongType
} from "../assertions.ts"
import type { Test } from "../suite.ts"
import { hostileTexts } from "../support/collectionModels.ts"

const textSet = (...members: ReadonlyArray<string>): ReadonlySet<string> => new Set(members)
const intSet = (...members: ReadonlyArray<number>): ReadonlySet<number> => new Set(members)

const Room = Model.make("SetsRoom", {
  id: Schema.String,
  n: Schema.Int.pipe(Model.withDefault(0)),
  online: Schema.ReadonlySet(Schema.String).pipe(Model.withDefault(textSet())),
  others: Schema.ReadonlySet(Schema.String).pipe(Model.withDefault(textSet())),
  hash: Schema.HashSet(Schema.String).pipe(Model.withDefault(HashSet.empty<string>())),
  positive: Schema.ReadonlySet(Schema.Int.check(Schema.isGreaterThan(0))).pipe(Model.withDefault(intSet())),
  few: Schema.ReadonlySet(Schema.Int).check(Schema.isMaxSize(3)).pipe(Model.withDefault(intSet())),
  some: Schema.ReadonlySet(Schema.Int).check(Schema.isMinSize(1)).pipe(Model.withDefault(intSet(1))),
  between: Schema.ReadonlySet(Schema.Int).check(Schema.isBetweenSize(1, 2)).pipe(Model.withDefault(intSet(1))),
  checked: Schema.ReadonlySet(Schema.Int).check(Schema.makeFilter((set) => !set.has(13))).pipe(
    Model.withDefault(intSet())
  )
}, { key: "id" })

const key = "SetsRoom:{r}"

class Point extends Schema.Class<Point>("SetsPoint")({ x: Schema.Int, y: Schema.Int }) {
  get sum() {
    return this.x + this.y
  }
}

const MemberKinds = Model.make("SetsKinds", {
  id: Schema.String,
  numbers: Schema.ReadonlySet(Schema.Number),
  bigs: Schema.ReadonlySet(Schema.BigInt),
  flags: Schema.ReadonlySet(Schema.Boolean),
  words: Schema.ReadonlySet(Schema.Literals(["a", "b"])),
  dates: Schema.ReadonlySet(Schema.Date),
  utcs: Schema.HashSet(Schema.DateTimeUtc),
  waits: Schema.HashSet(Schema.Duration),
  bytes: Schema.ReadonlySet(Schema.Uint8Array),
  structs: Schema.ReadonlySet(Schema.Struct({ a: Schema.Int, b: Schema.optionalKey(Schema.String) })),
  points: Schema.ReadonlySet(Point),
  tuples: Schema.ReadonlySet(Schema.Tuple([Schema.String, Schema.Int])),
  nullable: Schema.ReadonlySet(Schema.NullOr(Schema.String)),
  lists: Schema.ReadonlySet(Schema.Array(Schema.Int)),
  anything: Schema.ReadonlySet(Schema.Json)
}, { key: "id" })

const memberKinds = {
  numbers: new Set([0.1, 1e21, 5e-324, NaN, -Infinity, 0, -1]),
  bigs: new Set([0n, -(2n ** 63n), 2n ** 63n - 1n, 2n ** 53n + 1n]),
  flags: new Set([true, false]),
  words: new Set(["b", "a"] as const),
  dates: new Set([new Date(0), new Date(-1), new Date("2024-02-29T23:59:59.999Z")]),
  utcs: HashSet.make(DateTime.makeUnsafe(0), DateTime.makeUnsafe(5)),
  waits: HashSet.make(Duration.millis(1), Duration.nanos(1n), Duration.zero),
  bytes: new Set([new Uint8Array(), new Uint8Array([0, 255])]),
  structs: new Set([{ a: 1 }, { a: 1, b: "" }, { a: 2, b: "x" }]),
  points: new Set([new Point({ x: 1, y: 2 }), new Point({ x: 2, y: 1 })]),
  tuples: new Set([["a", 1], ["", 0]] as ReadonlyArray<readonly [string, number]>),
  nullable: new Set([null, "", "null"]),
  lists: new Set([[], [1], [1, 2], [2, 1]]),
  anything: new Set<Schema.Json>([null, 0, "", "null", "0", false, {}, [], { a: [] }, [null], 9007199254740991])
}

type AnySet = Field.Set<any, any>

export const sets = (test: Test): void => {
  test("every operation does what a Set does", () =>
    Effect.gen(function*() {
      yield* Room.insert({ id: "r" })
      const { online } = Room.ref("r")
      assert.deepEqual(yield* online.get(), textSet())
      assert.strictEqual(yield* online.size(), 0)
      assert.isFalse(yield* online.has("a"))
      assert.isFalse(yield* unchanged(online.remove("a")))
      assert.deepEqual(yield* unchanged(online.pop()), Option.none())
      yield* unchanged(online.clear())
      assert.strictEqual(yield* unchanged(online.add([])), 0)
      assert.strictEqual(yield* unchanged(online.removeAll([])), 0)
      assert.deepEqual(yield* stored, { [key]: { n: "0" }, [`${key}:some`]: ["1"], [`${key}:between`]: ["1"] })

      assert.strictEqual(yield* online.add("a"), 1)
      assert.strictEqual(yield* unchanged(online.add("a")), 0)
      assert.strictEqual(yield* online.add(["a", "b", "c", "b", "b"]), 2)
      assert.strictEqual(yield* online.size(), 3)
      assert.isTrue(yield* online.has("b"))
      assert.deepEqual(yield* online.values(), textSet("a", "b", "c"))
      assert.isTrue(yield* online.remove("b"))
      assert.isFalse(yield* unchanged(online.remove("b")))
      assert.strictEqual(yield* online.removeAll(["a", "z", "a", "a"]), 1)
      assert.deepEqual(yield* online.get(), textSet("c"))
      assert.deepEqual(yield* online.pop(), Option.some("c"))
      assert.deepEqual(yield* online.pop(), Option.none())
      yield* online.set(textSet("x", "y"))
      assert.deepEqual(yield* online.get(), textSet("x", "y"))
      yield* online.set(textSet("y", "z"))
      assert.deepEqual((yield* Room.get("r")).online, textSet("y", "z"))
      yield* online.clear()
      assert.deepEqual(yield* stored, { [key]: { n: "0" }, [`${key}:some`]: ["1"], [`${key}:between`]: ["1"] })
      yield* online.set(textSet())
      assert.deepEqual(yield* online.get(), textSet())
    }))

  test("`pop` takes each member once and returns None in the end", () =>
    Effect.gen(function*() {
      const all = Array.from({ length: 50 }, (_, i) => String(i))
      yield* Room.insert({ id: "r", online: new Set(all) })
      const { online } = Room.ref("r")
      const taken: Array<string> = []
      for (;;) {
        const member = yield* online.pop()
        if (Option.isNone(member)) break
        taken.push(member.value)
      }
      assert.deepEqual(taken.slice().sort(), all.slice().sort())
      yield* online.set(new Set(all))
      const many = yield* concurrently(Array.from({ length: 70 }, () => online.pop()))
      assert.strictEqual(many.filter(Option.isNone).length, 20)
      assert.deepEqual(many.filter(Option.isSome).map(({ value }) => value).sort(), all.slice().sort())
      // the same in one program
      yield* online.set(new Set(all))
      const inOne = yield* Atomic.all(Array.from({ length: 52 }, () => online.pop()))
      assert.deepEqual(inOne.filter(Option.isSome).map(({ value }) => value).sort(), all.slice().sort())
      assert.deepEqual(inOne.slice(50), [Option.none(), Option.none()])
    }))

  test("in one program each operation sees the operations before it", () =>
    Effect.gen(function*() {
      yield* Room.insert({ id: "r", online: textSet("a", "b") })
      const { online, others } = Room.ref("r")
      assert.deepEqual(
        yield* Atomic.all([
          online.clear(),
          online.size(),
          online.add(["c", "d"]),
          online.has("a"),
          online.has("c"),
          online.remove("c"),
          online.add("c"),
          online.size(),
          online.get(),
          others.add(["d", "e"]),
          online.union(others),
          online.intersection(others),
          online.difference(others),
          online.removeAll(["c", "d"]),
          online.pop(),
          online.add("z"),
          online.pop(),
          online.set(textSet("q")),
          online.values(),
          Room.get("r")
        ]).pipe(Atomic.map((results) => results.slice(0, -1))),
        [
          undefined,
          0,
          2,
          false,
          true,
          true,
          1,
          2,
          textSet("c", "d"),
          2,
          textSet("c", "d", "e"),
          textSet("d"),
          textSet("c"),
          2,
          Option.none(),
          1,
          Option.some("z"),
          undefined,
          textSet("q")
        ]
      )
      assert.deepEqual((yield* Room.get("r")).online, textSet("q"))
    }))

  test("the undo of a program restores a cleared set, the last popped member and later changes", () =>
    Effect.gen(function*() {
      yield* Room.insert({ id: "r", online: textSet("a"), others: textSet("x", "y") })
      const { n, online, others } = Room.ref("r")
      yield* unchanged(Effect.gen(function*() {
        for (
          const writes of [
            online.pop(),
            Atomic.all([online.pop(), online.add("b")]),
            Atomic.all([online.clear(), online.add(["a", "b"])]),
            Atomic.all([online.remove("a"), online.add("a"), online.remove("a")]),
            Atomic.all([others.set(textSet()), online.set(textSet("1", "2")), online.clear()]),
            Atomic.all([others.removeAll(["x", "y"]), others.add("y"), Room.delete("r")])
          ] as ReadonlyArray<Operation>
        ) {
          const error = yield* Effect.flip(Atomic.all([writes, n.divide(0)]))
          assert.oneOf(error._tag, ["ArithmeticError", "EntityNotFound"])
        }
      }))
    }))

  test("`union`, `intersection` and `difference` work with the set of another entity, with an empty set and with itself", () =>
    Effect.gen(function*() {
      yield* concurrently([
        Room.insert({ id: "r", online: textSet("a", "b", "c"), hash: HashSet.make("b", "z") }),
        Room.insert({ id: "s", online: textSet("b", "c", "d") }),
        Room.insert({ id: "empty" })
      ])
      const a = Room.ref("r").online
      const b = Room.ref("s").online
      const none = Room.ref("empty").online
      yield* unchanged(Effect.gen(function*() {
        assert.deepEqual(yield* a.union(b), textSet("a", "b", "c", "d"))
        assert.deepEqual(yield* a.intersection(b), textSet("b", "c"))
        assert.deepEqual(yield* a.difference(b), textSet("a"))
        assert.deepEqual(yield* b.difference(a), textSet("d"))
        for (const [x, y, z] of [[a, none, "a"], [none, a, "b"]] as const) {
          assert.deepEqual(yield* x.union(y), textSet("a", "b", "c"))
          assert.deepEqual(yield* x.intersection(y), textSet())
          assert.deepEqual(yield* x.difference(y), z === "a" ? textSet("a", "b", "c") : textSet())
        }
        assert.deepEqual(yield* a.union(a), textSet("a", "b", "c"))
        assert.deepEqual(yield* a.intersection(a), textSet("a", "b", "c"))
        assert.deepEqual(yield* a.difference(a), textSet())
        assert.deepEqual(yield* none.union(none), textSet())
        // the result has the representation of the first set
        const { hash } = Room.ref("r")
        equalUnordered(yield* hash.union(b), HashSet.make("b", "c", "d", "z"))
        assert.deepEqual(yield* b.intersection(hash), textSet("b"))
        // sets whose members are encoded differently cannot be combined
        yield* fails(a.union(Room.ref("r").few as unknown as AnySet), "InvalidValue", { field: "online" })
        yield* fails(Room.ref("r").few.union(a as unknown as AnySet), "InvalidValue", { field: "few" })
      }))
    }))

  test("random sets have the union, intersection and difference that Set computes", () =>
    Effect.gen(function*() {
      const random = pseudoRandom(7)
      const pick = () =>
        new Set(Array.from({ length: Math.floor(random() * 8) }, () => String(Math.floor(random() * 10))))
      for (let round = 0; round < 20; round++) {
        const [x, y] = [pick(), pick()]
        yield* Room.put({ id: "r", online: x })
        yield* Room.put({ id: "s", online: y })
        const [a, b] = [Room.ref("r").online, Room.ref("s").online]
        const expected = [
          new Set([...x, ...y]),
          new Set([...x].filter((member) => y.has(member))),
          new Set([...x].filter((member) => !y.has(member)))
        ]
        equalUnordered(yield* concurrently([a.union(b), a.intersection(b), a.difference(b)]), expected)
        equalUnordered(yield* Atomic.all([a.union(b), a.intersection(b), a.difference(b)]), expected)
        const more = [...pick(), ...pick()]
        const added = new Set([...x, ...more])
        assert.strictEqual(yield* a.add(more), added.size - x.size)
        assert.deepEqual(yield* a.get(), added)
        const gone = [...pick(), ...pick()]
        const left = new Set([...added].filter((member) => !gone.includes(member)))
        assert.strictEqual(yield* a.removeAll(gone), added.size - left.size)
        assert.deepEqual(yield* a.get(), left)
      }
    }))

  test("members of every kind are read back unchanged and are found by `has`", () =>
    Effect.gen(function*() {
      yield* MemberKinds.insert({ id: "k", ...memberKinds })
      equalUnordered(yield* MemberKinds.get("k"), { id: "k", ...memberKinds })
      for (const [name, value] of Object.entries(memberKinds)) {
        const set = (MemberKinds.ref("k") as unknown as Record<string, AnySet>)[name]!
        const members = [...value] as ReadonlyArray<unknown>
        equalUnordered(yield* set.get(), value, name)
        assert.strictEqual(yield* set.size(), members.length, name)
        assert.strictEqual(yield* unchanged(set.add(members)), 0, name)
        for (const member of members) {
          assert.isTrue(yield* set.has(member), name)
          assert.isTrue(yield* set.remove(member), name)
          assert.isFalse(yield* set.has(member), name)
          assert.isFalse(yield* set.remove(member), name)
          assert.strictEqual(yield* set.add([member]), 1, name)
        }
        equalUnordered(yield* set.get(), value, name)
        equalUnordered(yield* set.union(set), value, name)
        for (let left = members.length; left > 0; left--) {
          const taken = yield* set.pop()
          assert.isTrue(Option.isSome(taken), name)
          assert.isFalse(yield* set.has(Option.getOrThrow(taken)), name)
        }
        assert.deepEqual(yield* set.pop(), Option.none())
      }
    }))

  test("members are equal if their canonical JSON is equal", () =>
    Effect.gen(function*() {
      yield* MemberKinds.insert({ id: "k", ...memberKinds })
      const { numbers, points, structs } = MemberKinds.ref("k")
      yield* structs.set(new Set([{ a: 1, b: "x" }, { b: "x", a: 1 }]))
      assert.strictEqual(yield* structs.size(), 1)
      assert.strictEqual(yield* structs.add({ b: "x", a: 1 }), 0)
      assert.isTrue(yield* structs.has({ b: "x", a: 1 }))
      assert.isTrue(yield* points.has(new Point({ y: 2, x: 1 })))
      const [point] = yield* points.get()
      assert.instanceOf(point, Point)
      assert.strictEqual(point!.sum, 3)
      yield* numbers.set(new Set([0]))
      assert.strictEqual(yield* numbers.add(-0), 0)
      assert.isTrue(yield* numbers.has(-0))
      assert.strictEqual(yield* numbers.add([NaN, NaN]), 1)
    }))

  test("no member can be mistaken for another, whatever it contains", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      yield* Room.insert({ id: "r" })
      const { hash, online } = Room.ref("r")
      for (const member of hostileTexts) {
        assert.strictEqual(yield* online.add(member), 1)
        assert.strictEqual(yield* online.add(member), 0)
        assert.isTrue(yield* online.has(member))
      }
      assert.deepEqual(yield* online.get(), new Set(hostileTexts))
      assert.deepEqual(yield* raw.setRead(`${key}:online`), hostileTexts.slice().sort())
      assert.strictEqual(yield* hash.add(hostileTexts), hostileTexts.length)
      equalUnordered(yield* hash.get(), HashSet.fromIterable(hostileTexts))
      assert.deepEqual((yield* Room.get("r")).online, new Set(hostileTexts))
      assert.deepEqual(yield* online.difference(hash as Field.Set<string, any>), textSet())
      for (const [i, member] of hostileTexts.entries()) {
        assert.isTrue(yield* online.remove(member))
        assert.strictEqual(yield* online.size(), hostileTexts.length - i - 1)
      }
      const nobody = Room.ref("missing").online
      for (const bad of ["\ud800", "a\udc00", 1, null, undefined, {}] as ReadonlyArray<any>) {
        yield* unchanged(Effect.gen(function*() {
          for (const set of [online, nobody]) {
            const programs: ReadonlyArray<Operation> = [
              set.add(bad),
              set.add(["a", bad]),
              set.remove(bad),
              set.removeAll(["a", bad]),
              set.has(bad),
              set.set(textSet("a", bad)),
              Room.update("r", { online: textSet(bad) }),
              Atomic.all([set.add("a"), set.add(bad)])
            ]
            for (const program of programs) {
              yield* fails(program, "InvalidValue", { model: "SetsRoom", field: "online" })
            }
          }
        }))
      }
      for (const bad of ["ab", ["a"], {}, null, undefined, new Map()] as ReadonlyArray<any>) {
        yield* unchanged(fails(online.set(bad), "InvalidValue", { id: "r", field: "online" }))
      }
    }))

  test("size bounds of the schema apply to every operation", () =>
    Effect.gen(function*() {
      yield* Room.insert({ id: "r" })
      const { between, few, positive, some } = Room.ref("r")
      const error = { model: "SetsRoom", id: "r" }
      assert.strictEqual(yield* few.add([1, 2]), 2)
      yield* unchanged(Effect.gen(function*() {
        const tooMany = { ...error, field: "few", bound: "maxSize", limit: 3 } as const
        yield* fails(few.add([3, 4]), "OutOfBounds", tooMany)
        yield* fails(few.add([1, 2, 3, 4]), "OutOfBounds", tooMany)
        yield* fails(Atomic.all([few.add(3), few.add(4)]), "OutOfBounds", tooMany)
        yield* fails(few.set(intSet(1, 2, 3, 4)), "InvalidValue", { ...error, field: "few" })
        yield* fails(Room.put({ id: "r", few: intSet(1, 2, 3, 4) }), "InvalidValue", { field: "few" })
        yield* fails(Room.update("r", { few: intSet(1, 2, 3, 4) }), "InvalidValue", { field: "few" })
        yield* fails(positive.add(0), "InvalidValue", { field: "positive" })
        yield* fails(positive.add([1, -1]), "InvalidValue", { field: "positive" })
        yield* fails(positive.set(intSet(0)), "InvalidValue", { field: "positive" })
      }))
      // members that are already in the set do not count against the bound
      assert.strictEqual(yield* few.add([1, 2, 3, 3, 1]), 1)
      assert.strictEqual(yield* unchanged(few.add([1, 2, 3])), 0)
      assert.deepEqual(yield* Atomic.all([few.remove(1), few.add(4), few.size()]), [true, 1, 3])

      const tooFew = { ...error, field: "some", bound: "minSize", limit: 1 } as const
      yield* unchanged(Effect.gen(function*() {
        yield* fails(some.pop(), "OutOfBounds", tooFew)
        yield* fails(some.remove(1), "OutOfBounds", tooFew)
        yield* fails(some.removeAll([1, 2]), "OutOfBounds", tooFew)
        yield* fails(Atomic.all([some.add(2), some.pop(), some.pop()]), "OutOfBounds", tooFew)
        assert.isFalse(yield* some.remove(7))
        assert.strictEqual(yield* some.removeAll([]), 0)
        yield* fails(some.clear(), "InvalidValue", { ...error, field: "some" })
        yield* fails(some.set(intSet()), "InvalidValue", { ...error, field: "some" })
        yield* fails(Room.insert({ id: "new", some: intSet() }), "InvalidValue", { field: "some" })
        yield* fails(between.add([2, 3]), "OutOfBounds", { field: "between", bound: "maxSize", limit: 2 })
        yield* fails(between.pop(), "OutOfBounds", { field: "between", bound: "minSize", limit: 1 })
      }))
      assert.deepEqual(yield* Atomic.all([some.add(2), some.remove(1)]), [1, true])
      assert.deepEqual(yield* some.get(), intSet(2))
      const results = yield* concurrently(
        Array.from({ length: 20 }, (_, i) => Effect.exit(Atomic.commit(few.add(i + 100))))
      )
      assert.strictEqual(results.filter(({ _tag }) => _tag === "Success").length, 0)
      yield* few.clear()
      const again = yield* concurrently(
        Array.from({ length: 20 }, (_, i) => Effect.exit(Atomic.commit(few.add(i + 100))))
      )
      assert.strictEqual(again.filter(({ _tag }) => _tag === "Success").length, 3)
      assert.strictEqual(yield* few.size(), 3)
    }))

  test("a set with a check that only the client can evaluate can only be written as a whole", () =>
    Effect.gen(function*() {
      yield* Room.insert({ id: "r", checked: intSet(1, 2) })
      const { checked } = Room.ref("r")
      yield* unchanged(Effect.gen(function*() {
        for (
          const program of [checked.add(3), checked.add([]), checked.remove(1), checked.removeAll([1]), checked.pop()]
        ) {
          const { issue } = yield* fails(program as Operation, "InvalidValue", { model: "SetsRoom", field: "checked" })
          assert.include(issue, "modify")
        }
        yield* fails(checked.set(intSet(13)), "InvalidValue", { field: "checked" })
        yield* fails(Room.update("r", { checked: intSet(13) }), "InvalidValue", { field: "checked" })
      }))
      yield* checked.set(intSet(3))
      assert.isTrue(yield* checked.has(3))
      assert.deepEqual(yield* checked.union(Room.ref("r").few), intSet(3))
      yield* checked.clear()
      assert.strictEqual(yield* checked.size(), 0)
    }))

  test("an update of other fields keeps members that others add at the same time", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      yield* Room.insert({ id: "r", online: textSet("a") })
      const read = yield* Room.get("r")
      yield* raw.setAdd(`${key}:online`, "theirs")
      yield* Room.update("r", { n: read.n + 1, few: intSet(1) })
      assert.deepEqual((yield* Room.get("r")).online, textSet("a", "theirs"))
      yield* concurrently([
        ...Array.from({ length: 50 }, (_, i) => Effect.asVoid(Atomic.commit(Room.ref("r").others.add(String(i))))),
        ...Array.from({ length: 50 }, (_, i) => Atomic.commit(Room.update("r", { n: i })))
      ])
      assert.strictEqual((yield* Room.get("r")).others.size, 50)
    }))

  test("concurrent adds of one member report it as new exactly once", () =>
    Effect.gen(function*() {
      yield* Room.insert({ id: "r" })
      const { online } = Room.ref("r")
      const added = yield* concurrently(Array.from({ length: 200 }, (_, i) => online.add(String(i % 50))))
      assert.strictEqual(added.reduce((a, b) => a + b, 0), 50)
      assert.strictEqual(yield* online.size(), 50)
      const removed = yield* concurrently(Array.from({ length: 200 }, (_, i) => online.remove(String(i % 50))))
      assert.strictEqual(removed.filter((one) => one).length, 50)
    }))

  test("sets of ten thousand members are read and written like small ones", () =>
    Effect.gen(function*() {
      const many = Array.from({ length: 10_000 }, (_, i) => String(i))
      yield* Room.insert({ id: "r", online: new Set(many) })
      const { n, online, others } = Room.ref("r")
      assert.strictEqual((yield* online.get()).size, 10_000)
      assert.strictEqual(yield* others.add(many), 10_000)
      assert.strictEqual(yield* others.add(many), 0)
      assert.strictEqual((yield* online.intersection(others)).size, 10_000)
      yield* unchanged(fails(
        Atomic.all([others.removeAll(many), others.add("x"), online.set(textSet("y")), online.add(many), n.divide(0)]),
        "ArithmeticError"
      ))
      assert.strictEqual(yield* others.removeAll(many.slice(1)), 9_999)
      assert.deepEqual(yield* others.get(), textSet("0"))
      yield* online.set(textSet())
      assert.strictEqual(yield* online.size(), 0)
    }))

  test("an invalid stored member fails the operations that read it, and stays", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      yield* Room.insert({ id: "r", positive: intSet(1) })
      yield* raw.setAdd(`${key}:positive`, "x")
      const { few, positive } = Room.ref("r")
      const details = { model: "SetsRoom", id: "r", key: `${key}:positive`, field: "positive" }
      yield* unchanged(Effect.gen(function*() {
        yield* wrongType(positive.get(), details)
        // the other set may have members that this set would refuse
        yield* fails(positive.union(few as AnySet), "InvalidValue", { field: "positive" })
        yield* wrongType(positive.difference(few as AnySet), details)
        assert.isTrue(yield* positive.has(1))
        assert.strictEqual(yield* positive.size(), 2)
        yield* fails(Room.get("r"), "EntityCorrupted", { id: "r", key, field: "positive", applied: false })
        assert.strictEqual((yield* Room.pick("r", ["n"])).n, 0)
      }))
      // the member is decoded after the commit, so it has been removed, and the error says that the program was applied
      assert.isTrue(yield* positive.remove(1))
      yield* wrongType(positive.pop(), { ...details, applied: true })
      assert.strictEqual(yield* positive.size(), 0)
    }))
}
