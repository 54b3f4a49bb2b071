/** Bulk operations: the order of results, failures of single entities, concurrency, progress and streams. */
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Model from "redlayer/Model"
import * as RedisService from "redlayer/RedisService"
import * as Errors from "redlayer/RedisServiceError"
import { RawStore } from "redlayer/testing"
import * as assert from "../assert.ts"
import { concurrently, unchanged } from "../assertions.ts"
import type { Test } from "../suite.ts"

class User extends Model.Class<User>("BulkUser")({
  id: Schema.String,
  n: Schema.Int,
  tags: Schema.ReadonlySet(Schema.String).pipe(Model.withDefault(new Set<string>() as ReadonlySet<string>))
}, { key: "id" }) {
  get double() {
    return this.n * 2
  }
}

const Event = Model.make("BulkEvent", { text: Schema.String })
const Pair = Model.make("BulkPair", { a: Schema.String, b: Schema.Int, n: Schema.Int }, { key: ["a", "b"] })

const ids = (length: number) => Array.from({ length }, (_, i) => `u${i}`)
const users = (length: number) => ids(length).map((id, n) => ({ id, n }))

class SourceFailed extends Data.TaggedError("SourceFailed") {}

type Service = RedisService.RedisService["Service"]

/** A service that counts its programs in flight, and fails every program after the first `failFrom`. */
const countingService = (failFrom = Infinity) =>
  Effect.map(RedisService.RedisService, (real) => {
    const seen = { now: 0, most: 0, programs: 0 }
    const error = () => new Errors.RedisServiceError({ reason: new Errors.ServerUnavailable({ code: "LOADING" }) })
    const around = <A, E>(count: number, self: Effect.Effect<A, E>): Effect.Effect<A, E> =>
      Effect.suspend(() => {
        seen.programs += count
        seen.now += count
        seen.most = Math.max(seen.most, seen.now)
        return Effect.ensuring(Effect.andThen(Effect.sleep(1), self), Effect.sync(() => void (seen.now -= count)))
      })
    const service: Service = {
      ...real,
      execute: (program, read) =>
        around(1, seen.programs >= failFrom ? Effect.fail(error()) : real.execute(program, read)),
      executeAll: (programs, read) =>
        around(
          programs.length,
          Effect.suspend(() =>
            seen.programs > failFrom
              ? Effect.succeed(programs.map(() => Exit.fail(error())))
              : real.executeAll(programs, read)
          )
        )
    }
    return { seen, provide: Effect.provideService(RedisService.RedisService, service) }
  })

/** A service that fails the second program of every group for the given reason. */
const failingService = (reason: Errors.RedisServiceErrorReason) =>
  Effect.map(RedisService.RedisService, (real) => {
    const exit = Exit.fail(new Errors.RedisServiceError({ reason }))
    const service: Service = {
      ...real,
      executeAll: (programs, read) =>
        Effect.map(real.executeAll(programs, read), (exits) => exits.map((each, i) => i === 1 ? exit : each))
    }
    return Effect.provideService(RedisService.RedisService, service)
  })

const summary = (results: ReadonlyArray<Result.Result<unknown, { readonly _tag: string }>>) =>
  results.map((result) => Result.isSuccess(result) ? result.success : result.failure._tag)

export const bulk = (test: Test): void => {
  test("a text in place of several ids is a defect, and touches none of the entities named by its characters", () =>
    Effect.gen(function*() {
      yield* User.insertMany([{ id: "alice", n: 0 }, { id: "a", n: 1 }, { id: "l", n: 2 }])
      for (const bad of ["alice", "", undefined, null, 5, {}] as ReadonlyArray<any>) {
        for (
          const effect of [
            User.getMany(bad),
            User.deleteMany(bad),
            User.insertMany(bad),
            Stream.runDrain(User.getManyStream(bad)),
            Stream.runDrain(User.deleteManyStream(bad)),
            Stream.runDrain(User.insertManyStream(bad))
          ] as ReadonlyArray<Effect.Effect<unknown, unknown, RedisService.RedisService>>
        ) {
          const exit = yield* unchanged(Effect.exit(effect))
          assert.isTrue(Exit.hasDies(exit), String(bad))
        }
      }
      assert.lengthOf(yield* User.getMany(new Set(["alice", "a"])), 2)
    }))

  test("insertMany, getMany and deleteMany return one result per entity, in order", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      const inserted = yield* User.insertMany(users(3000))
      assert.deepEqual(inserted.map((result) => Result.getOrThrow(result).n), ids(3000).map((_, i) => i))
      assert.instanceOf(Result.getOrThrow(inserted[0]!), User)
      const backwards = ids(3000).reverse()
      const found = yield* User.getMany(backwards)
      assert.deepEqual(found.map((result) => Result.getOrThrow(result).id), backwards)
      assert.strictEqual(Result.getOrThrow(found[0]!).double, 2999 * 2)
      const deleted = yield* User.deleteMany([...ids(2), ...ids(3000)])
      assert.deepEqual(deleted.map(Result.getOrThrow), [true, true, false, false, ...ids(2998).map(() => true)])
      assert.deepEqual(yield* raw.dump, {})
    }))

  test("an empty list returns an empty list and sends nothing", () =>
    Effect.gen(function*() {
      const { provide, seen } = yield* countingService()
      const none: ReadonlyArray<never> = []
      const progress: Array<number> = []
      const onProgress = (done: number) => Effect.sync(() => void progress.push(done))
      assert.deepEqual(yield* provide(User.getMany(none, { onProgress })), [])
      assert.deepEqual(yield* provide(User.insertMany(none, { onProgress })), [])
      assert.deepEqual(yield* provide(User.deleteMany(none, { onProgress })), [])
      assert.deepEqual(yield* provide(Stream.runCollect(User.getManyStream(none))), [])
      assert.deepEqual(yield* provide(Stream.runCollect(User.getManyStream(Stream.empty))), [])
      assert.strictEqual(seen.programs, 0)
      assert.deepEqual(progress, [])
    }))

  test("missing, corrupted, existing and invalid entities fail alone, and the others succeed", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      yield* User.insertMany(users(5))
      yield* raw.hashSet("BulkUser:{u1}", { n: "abc" })
      yield* raw.delete("BulkUser:{u2}")
      yield* raw.delete("BulkUser:{u3}")
      yield* raw.stringSet("BulkUser:{u3}", "x")
      yield* raw.stringSet("BulkUser:{u4}:tags", "x")
      const all = ["u0", "u1", "u2", "u3", "u4", "", "u0", "\ud800", 5 as any, "u0"]
      const read = [
        "u0",
        "EntityCorrupted",
        "EntityNotFound",
        "EntityCorrupted",
        "EntityCorrupted",
        "InvalidValue",
        "u0",
        "InvalidValue",
        "InvalidValue",
        "u0"
      ]
      yield* unchanged(Effect.gen(function*() {
        for (const concurrency of [1, 2, 3, 1024]) {
          const found = yield* User.getMany(all, { concurrency })
          assert.deepEqual(summary(found.map(Result.map(({ id }) => id))), read)
          const [, corrupted] = found
          assert.deepInclude(Option.getOrThrow(Result.getFailure(corrupted!)), {
            model: "BulkUser",
            id: "u1",
            field: "n"
          })
        }
      }))
      const inserted = yield* User.insertMany([
        { id: "u0", n: 7 },
        { id: "new", n: 1 },
        { id: "new", n: 2 },
        { id: "bad", n: 1.5 },
        { id: "", n: 1 },
        null as any,
        { id: "last", n: 3 }
      ])
      assert.deepEqual(summary(inserted.map(Result.map(({ id, n }) => `${id} ${n}`))), [
        "EntityExists",
        "new 1",
        "EntityExists",
        "InvalidValue",
        "InvalidValue",
        "InvalidValue",
        "last 3"
      ])
      assert.strictEqual((yield* User.get("new")).n, 1)
      assert.strictEqual((yield* User.get("u0")).n, 0)
      assert.deepEqual(summary(yield* User.deleteMany(["new", "new", "", "missing", "last"])), [
        true,
        false,
        "InvalidValue",
        false,
        true
      ])
    }))

  test("ids and entities may be any iterable, which is iterated once", () =>
    Effect.gen(function*() {
      let taken = 0
      function* generate() {
        for (const user of users(10)) {
          taken++
          yield user
        }
      }
      yield* User.insertMany(generate())
      assert.strictEqual(taken, 10)
      assert.strictEqual((yield* User.getMany(new Set(ids(10)))).filter(Result.isSuccess).length, 10)
      assert.strictEqual((yield* User.deleteMany(new Map(ids(10).map((id) => [id, 1])).keys())).length, 10)
      // generated ids, and tuples as ids
      const events = yield* Event.insertMany(Array.from({ length: 10 }, (_, i) => ({ text: String(i) })))
      assert.strictEqual(new Set(events.map((result) => Result.getOrThrow(result).id)).size, 10)
      yield* Pair.insertMany([{ a: "x", b: 1, n: 1 }, { a: "x", b: 2, n: 2 }])
      const pairs = yield* Pair.getMany([["x", 2], ["x", 3], ["x", 1]])
      assert.deepEqual(summary(pairs.map(Result.map(({ n }) => n))), [2, "EntityNotFound", 1])
      // every run of one effect value sends its programs again
      const again = User.insertMany(users(2))
      assert.deepEqual(summary(yield* Effect.map(again, (results) => results.map(Result.map(() => 1)))), [1, 1])
      assert.deepEqual(summary(yield* again), ["EntityExists", "EntityExists"])
    }))

  test("the bytes in flight never exceed the given number, but for a program that alone is larger", () =>
    Effect.gen(function*() {
      const service = yield* RedisService.RedisService
      let flying = 0
      let most = 0
      let calls = 0
      const counting: typeof service = {
        ...service,
        executeAll: (programs, read) =>
          Effect.suspend(() => {
            const bytes = programs.reduce(
              (sum, { instructions }) =>
                instructions.reduce(
                  (sum, { args }) => args.reduce<number>((n, arg) => n + String(arg).length, sum),
                  sum
                ),
              0
            )
            flying += bytes
            most = Math.max(most, flying)
            calls++
            return Effect.tap(Effect.delay(service.executeAll(programs, read), "2 millis"), () =>
              Effect.sync(() => {
                flying -= bytes
              }))
          })
      }
      const large = users(60).map((user) => ({ ...user, tags: new Set(["x".repeat(1000)]) }))
      const ids = large.map(({ id }) => id)
      const insert = (options: Model.BulkOptions) =>
        Effect.gen(function*() {
          most = calls = 0
          yield* User.deleteMany(ids)
          const results = yield* User.insertMany(large, options)
          assert.deepEqual(results.map(Result.isSuccess), large.map(() => true))
          assert.deepEqual((yield* User.getMany(ids)).map(Result.isSuccess), large.map(() => true))
          yield* User.deleteMany(ids)
          const streamed = yield* Stream.runCollect(User.insertManyStream(Stream.fromIterable(large), options))
          assert.deepEqual(streamed.map(Result.isSuccess), large.map(() => true))
        })
      const provide = Effect.provideService(RedisService.RedisService, counting)
      yield* provide(insert({ bytes: 10_000 }))
      assert.isAtMost(most, 10_000)
      assert.isAbove(most, 4000)
      yield* provide(insert({ bytes: 1 }))
      // two groups, each with one program in flight
      assert.isAtMost(most, 2500)
      yield* provide(insert({}))
      assert.isAbove(most, 30_000)
      const refused = yield* Effect.flip(User.insertMany(large, { bytes: 0 }))
      assert.include(refused.message, "bytes")
    }))

  test("the number of programs in flight reaches the given concurrency and never exceeds it", () =>
    Effect.gen(function*() {
      for (const concurrency of [1, 2, 3, 7, 100, undefined]) {
        const limit = concurrency ?? 1024
        const count = Math.min(limit * 4 + 3, 3000)
        const options = { concurrency }
        const all: ReadonlyArray<Effect.Effect<unknown, unknown, RedisService.RedisService>> = [
          User.insertMany(users(count), options),
          User.getMany(ids(count), options),
          Stream.runDrain(User.getManyStream(Stream.fromIterable(ids(count)), options)),
          Stream.runDrain(User.insertManyStream(users(count), options)),
          User.deleteMany(ids(count), options),
          Stream.runDrain(User.deleteManyStream(ids(count), options))
        ]
        for (const self of all) {
          const { provide, seen } = yield* countingService()
          yield* provide(self)
          assert.strictEqual(seen.programs, count)
          assert.strictEqual(seen.now, 0)
          assert.isAtMost(seen.most, limit, `${limit}`)
          assert.isAtLeast(seen.most, limit === 1 ? 1 : limit - 1, `${limit}`)
        }
      }
    }))

  test("progress increases up to the total, and the run waits for the progress callback", () =>
    Effect.gen(function*() {
      const told: Array<number> = []
      const onProgress = (done: number) => Effect.delay(Effect.sync(() => void told.push(done)), 1)
      const results = yield* User.insertMany(users(1000), { concurrency: 100, onProgress })
      assert.lengthOf(results, 1000)
      assert.strictEqual(told.at(-1), 1000)
      assert.isAtLeast(told.length, 5)
      assert.deepEqual(told, told.slice().sort((a, b) => a - b))
      assert.strictEqual(new Set(told).size, told.length)
      // each run counts from 0, even if two runs of one value are concurrent
      told.splice(0)
      const again = User.getMany(ids(10), { onProgress })
      yield* again
      yield* again
      assert.strictEqual(told.at(-1), 10)
      told.splice(0)
      const stream = User.getManyStream(ids(10), { onProgress })
      yield* concurrently([Stream.runDrain(stream), Stream.runDrain(stream)])
      assert.strictEqual(Math.max(...told), 10)
    }))

  test("a stream emits results in order as they arrive, and takes no more from its source than it needs", () =>
    Effect.gen(function*() {
      yield* User.insertMany(users(500))
      let taken = 0
      const source = Stream.fromIterable(ids(500)).pipe(
        Stream.tap(() => Effect.sync(() => void taken++)),
        Stream.rechunk(1)
      )
      const first = yield* User.getManyStream(source, { concurrency: 10 }).pipe(Stream.take(3), Stream.runCollect)
      assert.deepEqual(first.map((result) => Result.getOrThrow(result).id), ids(3))
      assert.isBelow(taken, 100)
      const all = yield* Stream.runCollect(User.getManyStream(Stream.fromIterable(ids(500)), { concurrency: 7 }))
      assert.deepEqual(all.map((result) => Result.getOrThrow(result).id), ids(500))
      const removed = yield* Stream.runCollect(User.deleteManyStream(Stream.fromIterable(["u0", "u0", "u1"])))
      assert.deepEqual(removed.map(Result.getOrThrow), [true, false, true])
      const inserted = yield* User.insertManyStream(Stream.fromIterable(users(3))).pipe(Stream.runCollect)
      assert.deepEqual(summary(inserted.map(Result.map(({ id }) => id))), ["u0", "u1", "EntityExists"])
    }))

  test("an error of the source fails the stream, and stored entities stay", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      for (const before of [0, 1, 10, 25]) {
        const source = Stream.concat(Stream.fromIterable(users(before)), Stream.fail(new SourceFailed()))
        const error = yield* Effect.flip(Stream.runDrain(User.insertManyStream(source, { concurrency: 10 })))
        assert.strictEqual(error._tag, "SourceFailed")
        const stored = Object.keys(yield* raw.dump).length
        assert.isAtMost(stored, before)
        // only the first entities were stored
        assert.deepEqual(
          Object.keys(yield* raw.dump),
          ids(stored).map((id) => `BulkUser:{${id}}`).sort()
        )
        yield* User.deleteMany(ids(before))
      }
      const dying = Stream.concat(Stream.fromIterable(ids(3)), Stream.die("defect"))
      assert.isTrue(Exit.isFailure(yield* Effect.exit(Stream.runDrain(User.getManyStream(dying)))))
    }))

  test("an error of the server fails the whole run", () =>
    Effect.gen(function*() {
      yield* User.insertMany(users(100))
      const all: ReadonlyArray<Effect.Effect<unknown, { readonly _tag: string }, RedisService.RedisService>> = [
        User.getMany(ids(100), { concurrency: 10 }),
        User.insertMany(users(100), { concurrency: 10 }),
        User.deleteMany(ids(100), { concurrency: 10 }),
        Stream.runDrain(User.getManyStream(Stream.fromIterable(ids(100)), { concurrency: 10 }))
      ]
      for (const self of all) {
        const { provide, seen } = yield* countingService(50)
        const error = yield* Effect.flip(provide(self))
        assert.strictEqual(error._tag, "RedisServiceError")
        // no further programs are sent
        assert.isBelow(seen.programs, 80)
      }
    }))

  test("a key of the wrong type fails only its own entity", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      yield* raw.stringSet("BulkUser:{u1}", "x")
      const inserted = yield* User.insertMany(users(3))
      assert.deepEqual(summary(inserted.map(Result.map(({ id }) => id))), ["u0", "RedisServiceError", "u2"])
      const error = Option.getOrThrow(Result.getFailure(inserted[1]!))
      if (error._tag !== "RedisServiceError") return assert.fail(error._tag)
      assert.deepInclude({ ...error.reason }, { _tag: "WrongType", model: "BulkUser", id: "u1", applied: false })
      const streamed = yield* Stream.runCollect(
        User.insertManyStream(Stream.fromIterable(users(4)), { concurrency: 2 })
      )
      assert.deepEqual(summary(streamed.map(Result.map(({ id }) => id))), [
        "EntityExists",
        "RedisServiceError",
        "EntityExists",
        "u3"
      ])
      assert.deepEqual(summary(yield* User.deleteMany(ids(4))), [true, "RedisServiceError", true, true])
      assert.deepEqual(Object.keys(yield* raw.dump), ["BulkUser:{u1}"])
    }))

  test("an error that concerns one program fails only its entity, and any other error fails the whole run", () =>
    Effect.gen(function*() {
      yield* User.insertMany(users(3))
      const of = { model: "BulkUser", id: "u1", key: "BulkUser:{u1}", field: "" }
      const own: ReadonlyArray<Errors.RedisServiceErrorReason> = [
        new Errors.WrongType({ ...of, applied: false }),
        new Errors.WrongType({ ...of, applied: true }),
        new Errors.CrossSlot({ keys: [] }),
        new Errors.ScriptFailed({ code: "ERR", applied: false })
      ]
      for (const reason of own) {
        const provide = yield* failingService(reason)
        assert.deepEqual(
          summary((yield* provide(User.getMany(ids(3)))).map(Result.map(({ id }) => id))),
          ["u0", "RedisServiceError", "u2"],
          reason._tag
        )
      }
      const whole: ReadonlyArray<Errors.RedisServiceErrorReason> = [
        new Errors.ConnectionUnavailable({}),
        new Errors.ServerUnavailable({ code: "LOADING" }),
        new Errors.OutcomeUnknown({}),
        new Errors.OutOfMemory({}),
        new Errors.AccessDenied({ code: "NOPERM" }),
        new Errors.Unsupported({ requirement: "x" }),
        new Errors.ScriptFailed({ code: "ERR", applied: "unknown" })
      ]
      for (const reason of whole) {
        const provide = yield* failingService(reason)
        const error = yield* Effect.flip(provide(User.getMany(ids(3))))
        assert.strictEqual(error.reason, reason)
      }
    }))

  test("running the same insertMany value again inserts the same entities, whatever the kind of its source", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      const texts = Array.from({ length: 25 }, (_, i) => ({ text: String(i) }))
      function* generate() {
        yield* texts
      }
      const sources: ReadonlyArray<() => Iterable<{ readonly text: string }>> = [() => texts, generate]
      for (const source of sources) {
        // the first run fails halfway because of a server error, then the same value runs again
        const insert = Event.insertMany(source(), { concurrency: 10 })
        const { provide } = yield* countingService(12)
        yield* Effect.flip(provide(insert))
        const before = Object.keys(yield* raw.dump)
        assert.isAbove(before.length, 0)
        const results = yield* insert
        assert.lengthOf(results, 25)
        assert.strictEqual(results.filter(Result.isSuccess).length, 25 - before.length)
        assert.lengthOf(Object.keys(yield* raw.dump), 25)
        assert.deepEqual(summary(yield* insert), texts.map(() => "EntityExists"))
        const events = (yield* Event.getMany(before.map((key) => /\{(.*)\}/.exec(key)![1]!))).map(Result.getOrThrow)
        assert.deepEqual(
          events.map(({ text }) => text).sort(),
          texts.slice(0, before.length).map(({ text }) => text).sort()
        )
        yield* Event.deleteMany(Object.keys(yield* raw.dump).map((key) => /\{(.*)\}/.exec(key)![1]!))
        // two runs of one value at once
        const both = Event.insertMany(source())
        const [one, two] = yield* concurrently([both, both])
        assert.strictEqual([...one!, ...two!].filter(Result.isSuccess).length, 25)
        yield* Event.deleteMany(Object.keys(yield* raw.dump).map((key) => /\{(.*)\}/.exec(key)![1]!))
      }
      // a generator that throws, throws in every run
      function* throwing(): Iterable<{ readonly text: string }> {
        yield { text: "first" }
        throw new Error("thrown")
      }
      const thrown = Event.insertMany(throwing())
      for (let i = 0; i < 2; i++) assert.isTrue(Exit.hasDies(yield* Effect.exit(thrown)))
      // an entity that is refused is refused in every run
      const refused = User.insertMany([{ id: "a", n: 1.5 }, { id: "b", n: 1 }])
      assert.deepEqual(summary(Array.from(yield* refused, Result.map(() => 1))), ["InvalidValue", 1])
      assert.deepEqual(summary(Array.from(yield* refused, Result.map(() => 1))), ["InvalidValue", "EntityExists"])
      // a stream does not remember its entities: each run inserts new ones
      const stream = Event.insertManyStream(texts)
      for (let i = 0; i < 2; i++) assert.isTrue((yield* Stream.runCollect(stream)).every(Result.isSuccess))
    }))

  test("results are emitted while the source waits for further items", () =>
    Effect.gen(function*() {
      yield* User.insertMany(users(10))
      for (const concurrency of [undefined, 1, 2, 4]) {
        const queue = yield* Queue.unbounded<string>()
        const results = yield* Queue.unbounded<string>()
        const reading = yield* User.getManyStream(Stream.fromQueue(queue), { concurrency }).pipe(
          Stream.runForEach((result) => Queue.offer(results, Result.getOrThrow(result).id)),
          Effect.forkChild
        )
        for (const count of [1, 3, 10]) {
          yield* Queue.offerAll(queue, ids(count))
          for (const id of ids(count)) assert.strictEqual(yield* Queue.take(results), id)
        }
        yield* Fiber.interrupt(reading)
      }
      // the source emits its next item only after the result of the first was seen
      const heard = yield* Deferred.make<void>()
      const source = Stream.concat(
        Stream.make({ id: "new", n: 1 }),
        Stream.unwrap(Effect.as(Deferred.await(heard), Stream.make({ id: "next", n: 2 })))
      )
      const inserted = yield* User.insertManyStream(source).pipe(
        Stream.tap(() => Deferred.succeed(heard, undefined)),
        Stream.runCollect
      )
      assert.deepEqual(summary(inserted.map(Result.map(({ id }) => id))), ["new", "next"])
    }))

  test("single items of a stream are sent in groups", () =>
    Effect.gen(function*() {
      yield* User.insertMany(users(2000))
      const { provide, seen } = yield* countingService()
      let groups = 0
      const source = Stream.fromIterable(ids(2000)).pipe(Stream.rechunk(1), Stream.tap(() => Effect.void))
      yield* provide(
        Stream.runDrain(User.getManyStream(source, { onProgress: () => Effect.sync(() => void groups++) }))
      )
      assert.strictEqual(seen.programs, 2000)
      assert.isBelow(groups, 100)
    }))

  test("progress is reported after each group of half the concurrency, before the results of the group", () =>
    Effect.gen(function*() {
      const told: Array<number> = []
      const onProgress = (done: number) => Effect.sync(() => void told.push(done))
      yield* User.insertMany(users(25), { concurrency: 10, onProgress })
      assert.deepEqual(told, [5, 10, 15, 20, 25])
      let given = 0
      yield* Stream.runForEach(User.getManyStream(ids(25), { concurrency: 10, onProgress }), () =>
        Effect.sync(() => {
          assert.isAbove(told.at(-1)!, given)
          given++
        }))
      assert.strictEqual(given, 25)
    }))

  test("interruption ends the run, and nothing more is sent", () =>
    Effect.gen(function*() {
      const { provide, seen } = yield* countingService()
      const fiber = yield* Effect.forkChild(provide(User.insertMany(users(20_000), { concurrency: 4 })))
      while (seen.programs < 20 && fiber.pollUnsafe() === undefined) yield* Effect.sleep(1)
      assert.isAtLeast(seen.programs, 20)
      yield* Fiber.interrupt(fiber)
      const sent = seen.programs
      assert.isBelow(sent, 2_000)
      assert.strictEqual(seen.now, 0)
      yield* Effect.sleep(20)
      assert.strictEqual(seen.programs, sent)
      const there = yield* User.getMany(ids(sent + 10))
      assert.isAtMost(there.filter(Result.isSuccess).length, sent)
    }))

  test("insertMany applies the time to live to every entity", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      yield* User.insertMany([{ id: "a", n: 1, tags: new Set(["x"]) }, { id: "b", n: 2 }], { timeToLive: "1 hour" })
      for (const key of ["BulkUser:{a}", "BulkUser:{a}:tags", "BulkUser:{b}"]) {
        assert.isAbove((yield* raw.expiresAt(key))!, Date.now() + 3_000_000)
      }
      assert.strictEqual(yield* raw.expiresAt("BulkUser:{a}"), yield* raw.expiresAt("BulkUser:{a}:tags"))
      const refused = yield* User.insertMany([{ id: "c", n: 1 }], { timeToLive: 0 })
      assert.deepEqual(summary(refused), ["InvalidValue"])
    }))

  test("a concurrency that is no positive integer is an invalid option, and nothing is sent", () =>
    Effect.gen(function*() {
      for (const concurrency of [0, -1, 1.5, NaN, Infinity, "10" as never]) {
        const options = { concurrency }
        const refused: ReadonlyArray<Effect.Effect<unknown, Errors.RedisServiceError, RedisService.RedisService>> = [
          User.getMany(ids(2), options),
          User.insertMany(users(2), options),
          User.deleteMany(ids(2), options),
          Stream.runDrain(User.getManyStream(ids(2), options)),
          Stream.runDrain(User.insertManyStream(users(2), options)),
          Stream.runDrain(User.deleteManyStream(ids(2), options))
        ]
        for (const effect of refused) {
          const { message, reason } = yield* unchanged(Effect.flip(effect))
          assert.strictEqual(reason._tag, "InvalidOption")
          assert.strictEqual(message, "Option `concurrency`: expected an integer of at least 1")
        }
      }
      const left = { concurrency: undefined, onProgress: undefined, timeToLive: undefined }
      assert.isTrue((yield* User.insertMany(users(2), left)).every(Result.isSuccess))
      assert.lengthOf(yield* User.getMany(ids(2), left), 2)
    }))
}
