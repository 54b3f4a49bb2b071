/** Sorted sets: order, ranks, ranges, exact scores, ties in byte order, and concurrency. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Atomic from "redlayer/Atomic"
import type * as Field from "redlayer/Field"
import * as Model from "redlayer/Model"
import { RawStore } from "redlayer/testing"
import * as assert from "../assert.ts"
import {
  concurrently,
  fails,
  identicalNumber,
  type Operation,
  pseudoRandom,
  stored,
  unchanged,
  wrongType
} from "../assertions.ts"
import type { Test } from "../suite.ts"
import { hostileTexts } from "../support/collectionModels.ts"

const Queue = Model.make("SortedQueue", {
  id: Schema.String,
  n: Schema.Int.pipe(Model.withDefault(0)),
  jobs: Model.sortedSet(Schema.String).pipe(Model.withDefault([])),
  dates: Model.sortedSet(Schema.Date).pipe(Model.withDefault([])),
  structs: Model.sortedSet(Schema.Struct({ x: Schema.Int, y: Schema.optionalKey(Schema.Int) })).pipe(
    Model.withDefault([])
  ),
  positive: Model.sortedSet(Schema.Int.check(Schema.isGreaterThan(0))).pipe(Model.withDefault([])),
  few: Model.sortedSet(Schema.String).check(Schema.isMaxLength(2)).pipe(Model.withDefault([]))
}, { key: "id" })

const key = "SortedQueue:{q}"

type Scored = Field.Scored<string>
const scored = (...entries: ReadonlyArray<readonly [string, number]>): ReadonlyArray<Scored> =>
  entries.map(([member, score]) => ({ member, score }))

const bytes = new TextEncoder()
const compareBytes = (a: string, b: string): number => Buffer.compare(bytes.encode(a), bytes.encode(b))
const sortedByScore = (entries: Iterable<Scored>): ReadonlyArray<Scored> =>
  [...entries].sort((a, b) => a.score < b.score ? -1 : a.score > b.score ? 1 : compareBytes(a.member, b.member))

export const sortedSets = (test: Test): void => {
  test("every operation works, starting from an empty sorted set", () =>
    Effect.gen(function*() {
      yield* Queue.insert({ id: "q" })
      const { jobs } = Queue.ref("q")
      yield* unchanged(Effect.gen(function*() {
        assert.deepEqual(yield* jobs.get(), [])
        assert.strictEqual(yield* jobs.size(), 0)
        assert.isFalse(yield* jobs.has("a"))
        assert.deepEqual(yield* jobs.score("a"), Option.none())
        assert.deepEqual(yield* jobs.rank("a"), Option.none())
        assert.deepEqual(yield* jobs.range(), [])
        assert.deepEqual(yield* jobs.rangeByScore(), [])
        assert.strictEqual(yield* jobs.count(), 0)
        assert.deepEqual(yield* jobs.popMin(), Option.none())
        assert.deepEqual(yield* jobs.popMax(), Option.none())
        assert.isFalse(yield* jobs.remove("a"))
        assert.strictEqual(yield* jobs.removeAll(["a", "b"]), 0)
        assert.strictEqual(yield* jobs.removeAll([]), 0)
        assert.strictEqual(yield* jobs.addAll([]), 0)
        yield* jobs.clear()
      }))
      assert.isTrue(yield* jobs.add("b", 2))
      assert.isTrue(yield* jobs.add("a", 1))
      assert.isFalse(yield* jobs.add("b", 0.5))
      assert.strictEqual(yield* jobs.addAll(scored(["c", 3], ["a", 4], ["d", -1])), 2)
      assert.deepEqual(yield* jobs.get(), scored(["d", -1], ["b", 0.5], ["c", 3], ["a", 4]))
      assert.strictEqual(yield* jobs.size(), 4)
      assert.isTrue(yield* jobs.has("c"))
      assert.deepEqual(yield* jobs.score("a"), Option.some(4))
      assert.deepEqual(yield* jobs.rank("d"), Option.some(0))
      assert.deepEqual(yield* jobs.rank("d", { reverse: true }), Option.some(3))
      assert.strictEqual(yield* jobs.increment("d"), 0)
      assert.strictEqual(yield* jobs.increment("d", 2.5), 2.5)
      assert.strictEqual(yield* jobs.increment("new", -7), -7)
      assert.deepEqual(yield* jobs.popMin(), Option.some({ member: "new", score: -7 }))
      assert.deepEqual(yield* jobs.popMax(), Option.some({ member: "a", score: 4 }))
      // reading a range removes nothing
      assert.deepEqual(yield* jobs.range(0, 1), scored(["b", 0.5]))
      assert.deepEqual(yield* jobs.get(), scored(["b", 0.5], ["d", 2.5], ["c", 3]))
      assert.isTrue(yield* jobs.remove("d"))
      assert.isFalse(yield* unchanged(jobs.remove("d")))
      assert.strictEqual(yield* jobs.removeAll(["b", "z", "b"]), 1)
      assert.deepEqual(yield* jobs.popMax(), Option.some({ member: "c", score: 3 }))
      assert.deepEqual(yield* stored, { [key]: { n: "0" } })
      yield* jobs.set(scored(["x", 2], ["y", 1]))
      yield* jobs.set(scored(["y", 3], ["z", 2]))
      assert.deepEqual((yield* Queue.get("q")).jobs, scored(["z", 2], ["y", 3]))
      yield* jobs.clear()
      assert.deepEqual(yield* stored, { [key]: { n: "0" } })
    }))

  test("in one program each operation sees the operations before it, and a failure undoes all of them", () =>
    Effect.gen(function*() {
      yield* Queue.insert({ id: "q", jobs: scored(["a", 1]) })
      const { jobs, n } = Queue.ref("q")
      assert.deepEqual(
        yield* Atomic.all([
          jobs.popMin(),
          jobs.size(),
          jobs.popMin(),
          jobs.add("b", 2),
          jobs.has("a"),
          jobs.increment("b", 1),
          jobs.addAll(scored(["c", 0], ["d", 9], ["b", 4])),
          jobs.range(),
          jobs.rank("b"),
          jobs.clear(),
          jobs.count(),
          jobs.rangeByScore(),
          jobs.increment("e", 5),
          jobs.get(),
          jobs.set(scored(["f", 1], ["g", 2])),
          jobs.popMax(),
          jobs.remove("f"),
          jobs.score("f"),
          jobs.add("a", 7),
          Queue.pick("q", ["jobs"])
        ]),
        [
          Option.some({ member: "a", score: 1 }),
          0,
          Option.none(),
          true,
          false,
          3,
          2,
          scored(["c", 0], ["b", 4], ["d", 9]),
          Option.some(1),
          undefined,
          0,
          [],
          5,
          scored(["e", 5]),
          undefined,
          Option.some({ member: "g", score: 2 }),
          true,
          Option.none(),
          true,
          { jobs: scored(["a", 7]) }
        ]
      )
      yield* unchanged(Effect.gen(function*() {
        for (
          const writes of [
            jobs.popMin(),
            jobs.popMax(),
            Atomic.all([jobs.popMin(), jobs.add("b", 1)]),
            Atomic.all([jobs.clear(), jobs.addAll(scored(["a", 1], ["z", 2]))]),
            Atomic.all([jobs.remove("a"), jobs.increment("a", 3), jobs.popMin()]),
            Atomic.all([jobs.set(scored(["x", 1])), jobs.increment("x", 1), jobs.clear(), jobs.add("a", 8)]),
            Atomic.all([jobs.increment("a", 1), jobs.add("a", -3), Queue.delete("q")])
          ] as ReadonlyArray<Operation>
        ) {
          const error = yield* Effect.flip(Atomic.all([writes, n.divide(0)]))
          assert.oneOf(error._tag, ["ArithmeticError", "EntityNotFound"])
        }
      }))
    }))

  test("members of equal score are in byte order", () =>
    Effect.gen(function*() {
      // U+FFFF is before U+1F600 in UTF-8 and after it in UTF-16
      const members = [...hostileTexts].filter((member) => member.length < 100)
      yield* Queue.insert({ id: "q", jobs: members.map((member) => ({ member, score: 1 })) })
      const { jobs } = Queue.ref("q")
      const wanted = members.slice().sort(compareBytes)
      assert.isBelow(wanted.indexOf("\uffff"), wanted.indexOf("\u{1f600}"))
      assert.deepEqual((yield* jobs.get()).map(({ member }) => member), wanted)
      assert.deepEqual(
        (yield* jobs.range(0, 3, { reverse: true })).map(({ member }) => member),
        wanted.slice(-3).reverse()
      )
      assert.deepEqual((yield* jobs.rangeByScore({ min: 1, max: 1 })).map(({ member }) => member), wanted)
      for (const [i, member] of wanted.entries()) {
        assert.deepEqual(yield* jobs.rank(member), Option.some(i))
        assert.deepEqual(yield* jobs.rank(member, { reverse: true }), Option.some(wanted.length - 1 - i))
      }
      assert.strictEqual(Option.getOrThrow(yield* jobs.popMax()).member, wanted.at(-1))
      for (const member of wanted.slice(0, -1)) {
        assert.deepEqual(yield* jobs.popMin(), Option.some({ member, score: 1 }))
      }
    }))

  test("no member can be mistaken for another, whatever it contains", () =>
    Effect.gen(function*() {
      yield* Queue.insert({ id: "q" })
      const { jobs } = Queue.ref("q")
      for (const [i, member] of hostileTexts.entries()) {
        assert.isTrue(yield* jobs.add(member, i))
        assert.isFalse(yield* jobs.add(member, i))
        assert.strictEqual(yield* jobs.increment(member, 0.5), i + 0.5)
        assert.deepEqual(yield* jobs.score(member), Option.some(i + 0.5))
        assert.deepEqual(yield* jobs.rank(member), Option.some(i))
      }
      assert.deepEqual(yield* jobs.get(), hostileTexts.map((member, i) => ({ member, score: i + 0.5 })))
      for (const member of hostileTexts) assert.isTrue(yield* jobs.remove(member))
      for (const bad of ["\ud800", 1, null, undefined, {}] as ReadonlyArray<any>) {
        yield* unchanged(Effect.gen(function*() {
          const programs: ReadonlyArray<Operation> = [
            jobs.add(bad, 1),
            jobs.addAll([{ member: bad, score: 1 }]),
            jobs.set([{ member: bad, score: 1 }]),
            jobs.increment(bad),
            jobs.remove(bad),
            jobs.removeAll(["a", bad]),
            jobs.has(bad),
            jobs.score(bad),
            jobs.rank(bad),
            Queue.update("q", { jobs: [{ member: bad, score: 1 }] })
          ]
          for (const program of programs) {
            const { field } = yield* fails(program, "InvalidValue", { model: "SortedQueue", id: "q" })
            assert.match(field, /^jobs/)
          }
        }))
      }
    }))

  test("scores are exact to the last bit and may be infinite, and NaN is refused", () =>
    Effect.gen(function*() {
      yield* Queue.insert({ id: "q" })
      const { jobs, positive } = Queue.ref("q")
      const scores = [
        0,
        0.1,
        0.1 + 0.2,
        1 / 3,
        -1e-7,
        5e-324,
        1.7976931348623157e308,
        -1.7976931348623157e308,
        1e21,
        1e20,
        123456789012345680,
        9007199254740991,
        9007199254740992,
        4.35,
        2.5e-10,
        Infinity,
        -Infinity
      ]
      for (const [i, score] of scores.entries()) {
        yield* jobs.add(`m${i}`, score)
        identicalNumber(Option.getOrThrow(yield* jobs.score(`m${i}`)), score)
      }
      const wanted = scores.map((score, i) => ({ member: `m${i}`, score }))
      assert.deepEqual(yield* jobs.get(), sortedByScore(wanted))
      assert.deepEqual((yield* Queue.get("q")).jobs, sortedByScore(wanted))
      yield* jobs.set(wanted)
      assert.deepEqual(yield* jobs.get(), sortedByScore(wanted))
      for (const { member, score } of wanted) {
        assert.deepEqual((yield* jobs.rangeByScore({ min: score, max: score })).map(({ member }) => member), [member])
      }
      assert.deepEqual(Option.map(yield* jobs.popMin(), ({ score }) => score), Option.some(-Infinity))
      assert.deepEqual(Option.map(yield* jobs.popMax(), ({ score }) => score), Option.some(Infinity))

      yield* jobs.set([])
      yield* jobs.add("z", -0)
      identicalNumber(Option.getOrThrow(yield* jobs.score("z")), 0)
      identicalNumber(yield* jobs.increment("z", -0), 0)
      let expected = 0
      for (const by of [0.1, 0.2, 1e16, -1e16, 1 / 3, 5e-324, 1e-300]) {
        expected += by
        identicalNumber(yield* jobs.increment("z", by), expected)
        identicalNumber(Option.getOrThrow(yield* jobs.score("z")), expected)
      }
      yield* jobs.add("big", 1.7e308)
      yield* jobs.add("inf", Infinity)
      yield* unchanged(Effect.gen(function*() {
        const details = { model: "SortedQueue", id: "q", field: "jobs" }
        yield* fails(jobs.increment("big", 1.7e308), "ArithmeticError", { ...details, reason: "notFinite" })
        yield* fails(jobs.increment("inf", 1), "ArithmeticError", { ...details, reason: "notFinite" })
        for (
          const program of [
            jobs.add("x", NaN),
            jobs.add("x", "1" as any),
            jobs.add("x", undefined as any),
            jobs.addAll([{ member: "x", score: NaN }]),
            jobs.set([{ member: "x", score: NaN }]),
            jobs.increment("x", NaN),
            jobs.increment("x", Infinity),
            jobs.increment("x", "1" as any),
            jobs.rangeByScore({ min: NaN }),
            jobs.count({ max: NaN }),
            jobs.addAll([{ member: "x", score: 1 }, { member: "x", score: 2 }]),
            jobs.set([{ member: "x", score: 1 }, { member: "x", score: 1 }]),
            jobs.set("x" as any),
            jobs.set(null as any),
            jobs.addAll([null as any]),
            positive.add(0, 1) as Operation
          ] as ReadonlyArray<Operation>
        ) yield* fails(program, "InvalidValue", { model: "SortedQueue", id: "q" })
      }))
    }))

  test("positions are those of Array.prototype.slice, from both ends", () =>
    Effect.gen(function*() {
      const positions = [-6, -4, -1, 0, 1, 3, 4, 5, 2 ** 40, undefined]
      const all = scored(["a", 1], ["b", 2], ["c", 2], ["d", 3])
      yield* Queue.insert({ id: "q", jobs: all })
      const { jobs } = Queue.ref("q")
      const reversed = all.slice().reverse()
      yield* unchanged(concurrently(positions.flatMap((start) =>
        positions.map((end) =>
          Effect.gen(function*() {
            assert.deepEqual(yield* jobs.range(start, end), all.slice(start, end), `${start} ${end}`)
            const reverse = { reverse: true }
            assert.deepEqual(
              yield* jobs.range(start, end, reverse),
              reversed.slice(start, end),
              `${start} ${end} reverse`
            )
          })
        )
      )))
      const scores = [-Infinity, 0, 1, 1.5, 2, 2.5, 3, 4, Infinity, undefined]
      yield* unchanged(concurrently(scores.flatMap((min) =>
        scores.map((max) =>
          Effect.gen(function*() {
            const within = all.filter(({ score }) => score >= (min ?? -Infinity) && score <= (max ?? Infinity))
            assert.deepEqual(yield* jobs.rangeByScore({ min, max }), within, `${min} ${max}`)
            assert.strictEqual(yield* jobs.count({ min, max }), within.length, `${min} ${max}`)
            for (const limit of [0, 1, 2, 100]) {
              assert.deepEqual(yield* jobs.rangeByScore({ min, max, limit }), within.slice(0, limit))
              assert.deepEqual(
                yield* jobs.rangeByScore({ min, max, limit, reverse: true }),
                within.slice().reverse().slice(0, limit)
              )
            }
          })
        )
      )))
    }))

  test("random programs do what a sorted array does", () =>
    Effect.gen(function*() {
      const random = pseudoRandom(11)
      const int = (below: number) => Math.floor(random() * below)
      const model = new Map<string, number>()
      const member = () => String.fromCodePoint(97 + int(12))
      yield* Queue.insert({ id: "q" })
      const { jobs } = Queue.ref("q")
      for (let round = 0; round < 60; round++) {
        const steps: Array<Operation> = []
        const wanted: Array<unknown> = []
        for (let i = 0; i < 6; i++) {
          const name = member()
          const score = int(5)
          switch (int(8)) {
            case 0:
            case 1:
              steps.push(jobs.add(name, score))
              wanted.push(!model.has(name))
              model.set(name, score)
              break
            case 2:
              steps.push(jobs.remove(name))
              wanted.push(model.delete(name))
              break
            case 3:
              steps.push(jobs.increment(name, score))
              model.set(name, (model.get(name) ?? 0) + score)
              wanted.push(model.get(name))
              break
            case 4: {
              const entries = [...new Set([member(), member(), member()])].map((member) => ({ member, score: int(5) }))
              steps.push(jobs.addAll(entries))
              wanted.push(entries.filter(({ member }) => !model.has(member)).length)
              for (const { member, score } of entries) model.set(member, score)
              break
            }
            case 5: {
              const all = sortedByScore([...model].map(([member, score]) => ({ member, score })))
              const taken = random() < 0.5 ? all[0] : all.at(-1)
              steps.push(taken === all[0] ? jobs.popMin() : jobs.popMax())
              wanted.push(Option.fromUndefinedOr(taken))
              if (taken !== undefined) model.delete(taken.member)
              break
            }
            case 6: {
              const all = sortedByScore([...model].map(([member, score]) => ({ member, score })))
              const rank = all.findIndex(({ member }) => member === name)
              steps.push(jobs.rank(name))
              wanted.push(rank < 0 ? Option.none() : Option.some(rank))
              break
            }
            default:
              steps.push(jobs.get())
              wanted.push(sortedByScore([...model].map(([member, score]) => ({ member, score }))))
          }
        }
        assert.deepEqual(yield* Atomic.all(steps), wanted)
        const all = sortedByScore([...model].map(([member, score]) => ({ member, score })))
        assert.deepEqual(yield* jobs.get(), all)
        assert.deepEqual(yield* jobs.range(1, -1, { reverse: true }), all.slice().reverse().slice(1, -1))
      }
    }))

  test("members of every kind are identified by their canonical JSON", () =>
    Effect.gen(function*() {
      yield* Queue.insert({ id: "q" })
      const { dates, structs } = Queue.ref("q")
      const [early, late] = [new Date(-1), new Date("2024-02-29T23:59:59.999Z")]
      yield* dates.addAll([{ member: late, score: 1 }, { member: early, score: 2 }])
      assert.deepEqual(yield* dates.get(), [{ member: late, score: 1 }, { member: early, score: 2 }])
      assert.deepEqual(yield* dates.rank(new Date(-1)), Option.some(1))
      assert.isTrue(yield* structs.add({ x: 1, y: 2 }, 5))
      assert.isFalse(yield* structs.add({ y: 2, x: 1 }, 6))
      assert.deepEqual(yield* structs.score({ y: 2, x: 1 }), Option.some(6))
      assert.deepEqual(yield* structs.popMin(), Option.some({ member: { x: 1, y: 2 }, score: 6 }))
    }))

  test("a bound of the size applies to every operation", () =>
    Effect.gen(function*() {
      yield* Queue.insert({ id: "q", few: scored(["a", 1], ["b", 2]) })
      const { few } = Queue.ref("q")
      yield* unchanged(Effect.gen(function*() {
        for (
          const program of [few.add("c", 1), few.addAll(scored(["c", 1])), few.increment("c", 1)] as ReadonlyArray<
            Operation
          >
        ) {
          yield* fails(program, "OutOfBounds", { model: "SortedQueue", id: "q", field: "few", limit: 2 })
        }
        yield* fails(few.set(scored(["a", 1], ["b", 2], ["c", 3])), "InvalidValue", { field: "few" })
      }))
      assert.isFalse(yield* few.add("a", 5))
      assert.strictEqual(yield* few.increment("a", 1), 6)
    }))

  test("20 concurrent pops take the 20 lowest members, each once", () =>
    Effect.gen(function*() {
      const all = Array.from({ length: 30 }, (_, i) => ({ member: `m${i}`, score: i }))
      yield* Queue.insert({ id: "q", jobs: all })
      const { jobs } = Queue.ref("q")
      const taken = yield* concurrently(Array.from({ length: 20 }, () => jobs.popMin()))
      assert.deepEqual(
        taken.map((one) => Option.getOrThrow(one).score).sort((a, b) => a - b),
        Array.from({ length: 20 }, (_, i) => i)
      )
      assert.deepEqual(yield* jobs.get(), all.slice(20))
      const rest = yield* concurrently(
        Array.from({ length: 20 }, (_, i) => i % 2 === 0 ? jobs.popMin() : jobs.popMax())
      )
      assert.strictEqual(rest.filter(Option.isSome).length, 10)
      const scores = yield* concurrently(Array.from({ length: 500 }, () => jobs.increment("hot")))
      assert.deepEqual(scores.sort((a, b) => a - b), Array.from({ length: 500 }, (_, i) => i + 1))
    }))

  test("sorted sets of ten thousand members are read and written like small ones", () =>
    Effect.gen(function*() {
      const many = Array.from({ length: 10_000 }, (_, i) => ({ member: `m${i}`, score: 10_000 - i }))
      yield* Queue.insert({ id: "q", jobs: many })
      const { jobs, n } = Queue.ref("q")
      assert.deepEqual(yield* jobs.get(), many.slice().reverse())
      assert.strictEqual(yield* jobs.addAll(many), 0)
      assert.deepEqual(yield* jobs.rank("m0"), Option.some(9_999))
      yield* unchanged(fails(
        Atomic.all([
          jobs.removeAll(many.map(({ member }) => member)),
          jobs.add("x", 1),
          jobs.set(many),
          jobs.clear(),
          n.divide(0)
        ]),
        "ArithmeticError"
      ))
      assert.strictEqual(yield* jobs.removeAll(many.slice(1).map(({ member }) => member)), 9_999)
      assert.deepEqual(yield* jobs.get(), scored(["m0", 10_000]))
    }))

  test("an invalid stored member fails the operations that read it, and stays", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      yield* Queue.insert({ id: "q", positive: [{ member: 1, score: 5 }] })
      yield* raw.sortedAdd(`${key}:positive`, "x", "9")
      const { positive } = Queue.ref("q")
      const details = { model: "SortedQueue", id: "q", key: `${key}:positive`, field: "positive" }
      yield* unchanged(Effect.gen(function*() {
        yield* wrongType(positive.get(), details)
        yield* wrongType(positive.range(0, 1, { reverse: true }), details)
        assert.deepEqual(yield* positive.range(0, 1), [{ member: 1, score: 5 }])
        assert.strictEqual(yield* positive.count(), 2)
        yield* fails(Queue.get("q"), "EntityCorrupted", { id: "q", key, field: "positive" })
      }))
      yield* wrongType(positive.popMax(), { ...details, applied: true })
      assert.deepEqual(yield* positive.get(), [{ member: 1, score: 5 }])
    }))
}
