/**
 * The contract of `PersistedQueueStore`, sentence by sentence, and Effect's `PersistedQueue` over it.
 */
import { assert } from "@effect/vitest"
import { Cause, Context, Duration, Effect, Exit, Fiber, Layer, Schedule, Schema, Scope } from "effect"
import * as PersistedQueue from "effect/persistence/PersistedQueue"
import { TestClock } from "effect/testing"
import { EffectPersistedQueue } from "redlayer"
import * as Testing from "redlayer/testing"
import { places, until, within } from "./places.ts"

type Store = PersistedQueue.PersistedQueueStore["Service"]

const hour = 3_600_000

const start = (options: EffectPersistedQueue.Options = { pollInterval: "1 hour" }) =>
  Effect.map(Layer.build(EffectPersistedQueue.layer(options)), Context.get(PersistedQueue.PersistedQueueStore))

const offer = (store: Store, id: string, more: Partial<Parameters<Store["offer"]>[0]> = {}) =>
  store.offer({ name: "q", id, element: `of ${id}`, isCustomId: true, delay: undefined, ...more })

const take = (store: Store, delay = 0, maxAttempts = 3) =>
  Effect.gen(function*() {
    const scope = yield* Scope.make()
    const item = yield* within(
      Scope.provide(
        store.take({ name: "q", maxAttempts, retryDelay: () => Effect.succeed(Duration.millis(delay)) }),
        scope
      ),
      "an item"
    )
    return { ...item, end: (exit: Exit.Exit<unknown, unknown>) => Scope.close(scope, exit) }
  })

const completed = Exit.void
const failed = Exit.fail("it did not work")
const interrupted = Exit.failCause(Cause.interrupt(1))

/** Nothing can be taken: a taker has looked, and waits. */
const isEmpty = (store: Store) =>
  Effect.gen(function*() {
    const faults = yield* Testing.Faults
    const looks = Effect.map(
      faults.log,
      (log) => log.filter(({ readOnly, state }) => readOnly && state === "Answered").length
    )
    const before = yield* looks
    const fiber = yield* Effect.forkChild(take(store))
    yield* until("a look at the queue", Effect.map(looks, (after) => after > before))
    yield* Fiber.interrupt(fiber)
    const exit = yield* Fiber.await(fiber)
    assert.isTrue(Exit.hasInterrupts(exit), "something could be taken")
  })

const sets = Effect.gen(function*() {
  const dump = yield* (yield* Testing.RawStore).dump
  const membersOf = (set: string) =>
    ((dump[`EffectQueue:{q}:${set}`]?.content ?? []) as ReadonlyArray<string>).filter((_, i) => i % 2 === 0)
  return {
    ready: membersOf("ready"),
    due: membersOf("due"),
    completed: membersOf("completed"),
    failed: membersOf("failed"),
    items: Object.keys(dump).filter((key) => key.startsWith("EffectQueueItem:")).length
  }
})

for (const { describe, name: place, pass, peers, test } of places) {
  describe("the store of a queue", () => {
    test(
      "items are taken in the order of their offers, and an attempt is counted when one is taken",
      Effect.gen(function*() {
        const store = yield* start()
        // neither in the order of their ids nor of their values
        for (const id of ["b", "c", "a", "10", "9"]) yield* offer(store, id)
        const ids: Array<string> = []
        for (let i = 0; i < 5; i++) {
          const { attempts, element, end, id } = yield* take(store)
          assert.strictEqual(attempts, 1)
          assert.strictEqual(element, `of ${id}`)
          ids.push(id)
          yield* end(completed)
        }
        assert.deepStrictEqual(ids, ["b", "c", "a", "10", "9"])
      })
    )

    test(
      "an id that the queue has, or had until it is cleaned up, is not added again",
      Effect.gen(function*() {
        const store = yield* start()
        yield* offer(store, "a")
        // also not with a delay, and not with another value
        yield* offer(store, "a", { element: "other", delay: Duration.hours(1) })
        const first = yield* take(store)
        assert.strictEqual(first.element, "of a")
        yield* offer(store, "a")
        yield* first.end(completed)
        yield* offer(store, "a")
        yield* isEmpty(store)
        const cleanup = (timeToLive: number) =>
          store.cleanup({ timeToLive: Duration.millis(timeToLive), failedTimeToLive: undefined })
        yield* cleanup(hour)
        yield* offer(store, "a")
        yield* isEmpty(store)
        yield* pass(hour)
        yield* cleanup(hour)
        yield* offer(store, "a")
        assert.strictEqual((yield* take(store)).attempts, 1)
      })
    )

    test(
      "an item that is done leaves its id, and one whose id the queue made leaves nothing",
      Effect.gen(function*() {
        const store = yield* start()
        yield* offer(store, "mine")
        yield* offer(store, "made", { isCustomId: false })
        yield* offer(store, "made", { isCustomId: false })
        for (let i = 0; i < 2; i++) yield* (yield* take(store)).end(completed)
        assert.deepStrictEqual(yield* sets, { ready: [], due: [], completed: ["mine"], failed: [], items: 0 })
      })
    )

    test(
      "a delayed item is not taken before its delay has ended, and has the place of its offer",
      Effect.gen(function*() {
        const store = yield* start()
        yield* offer(store, "late", { delay: Duration.millis(hour) })
        yield* offer(store, "a")
        yield* offer(store, "b")
        const takeNext = Effect.tap(take(store), ({ end }) => end(completed))
        assert.strictEqual((yield* takeNext).id, "a")
        yield* pass(hour - 60_000)
        yield* offer(store, "c")
        assert.strictEqual((yield* takeNext).id, "b")
        yield* pass(120_000)
        assert.strictEqual((yield* take(store)).id, "late")
        assert.strictEqual((yield* take(store)).id, "c")
      })
    )

    test(
      "a failure makes the item wait for its delay, behind the others, and is a failed item after the last attempt",
      Effect.gen(function*() {
        const store = yield* start()
        yield* offer(store, "a")
        yield* offer(store, "b")
        const first = yield* take(store, hour, 2)
        yield* first.end(failed)
        const other = yield* take(store)
        assert.strictEqual(other.id, "b")
        yield* other.end(completed)
        yield* isEmpty(store)
        yield* pass(hour)
        yield* offer(store, "c")
        const second = yield* take(store, hour, 2)
        assert.deepStrictEqual([second.id, second.attempts], ["a", 2])
        yield* second.end(failed)
        const third = yield* take(store)
        assert.strictEqual(third.id, "c")
        yield* third.end(completed)
        yield* isEmpty(store)
        assert.deepStrictEqual((yield* sets).failed, ["a"])
        const raw = yield* Testing.RawStore
        assert.include(yield* raw.hashGet("EffectQueueItem:{q}:a", "lastFailure"), "it did not work")
        // a failed item is a record, and its id stays
        yield* offer(store, "a")
        yield* pass(10 * hour)
        yield* store.cleanup({ timeToLive: Duration.zero, failedTimeToLive: undefined })
        assert.deepStrictEqual((yield* sets).failed, ["a"])
        yield* store.cleanup({ timeToLive: Duration.zero, failedTimeToLive: Duration.hours(5) })
        assert.deepStrictEqual((yield* sets).failed, [])
        yield* offer(store, "a")
        assert.deepStrictEqual((yield* sets).ready, ["a"])
      })
    )

    test(
      "an interruption gives the item its place back, and the attempt does not count",
      Effect.gen(function*() {
        const store = yield* start()
        yield* offer(store, "a")
        yield* offer(store, "b")
        for (let i = 0; i < 5; i++) {
          const { attempts, end, id } = yield* take(store, 0, 1)
          assert.deepStrictEqual([id, attempts], ["a", 1])
          yield* end(interrupted)
        }
      })
    )

    test(
      "a taker that is interrupted while it waits takes nothing, and the others go on",
      Effect.gen(function*() {
        const store = yield* start()
        const fibers = yield* Effect.forEach(Array.from({ length: 20 }), () => Effect.forkChild(take(store)))
        for (const fiber of fibers.filter((_, i) => i % 2 === 0)) yield* Fiber.interrupt(fiber)
        for (let i = 0; i < 10; i++) yield* offer(store, `${i}`)
        const items = yield* Effect.forEach(fibers.filter((_, i) => i % 2 === 1), Fiber.join)
        assert.deepStrictEqual(items.map(({ id }) => id).toSorted(), Array.from({ length: 10 }, (_, i) => `${i}`))
        for (const { end } of items) yield* end(completed)
        yield* isEmpty(store)
      })
    )

    test(
      "the item of a dead process comes back after its lease, to its place, and the attempt has counted",
      Effect.gen(function*() {
        const store = yield* start()
        for (const id of ["a", "b", "c"]) yield* offer(store, id)
        const scope = yield* Scope.make()
        const dying = yield* Scope.provide(start(), scope)
        const lost = yield* take(dying)
        assert.strictEqual(lost.id, "a")
        // it renews nothing any more, and the take does not end
        yield* Scope.close(scope, Exit.void)
        yield* (yield* take(store)).end(completed)
        yield* pass(60_000)
        yield* offer(store, "d")
        const next = yield* take(store)
        assert.strictEqual(next.id, "c")
        yield* pass(60_000, (_, member) => member === "c")
        const again = yield* take(store)
        assert.deepStrictEqual([again.id, again.attempts], ["a", 2])
        // the dead one wakes up: it can't end what is not its own any more
        yield* lost.end(completed)
        assert.deepStrictEqual((yield* sets).due.toSorted(), ["a", "c"])
        yield* again.end(completed)
        assert.deepStrictEqual((yield* sets).completed.toSorted(), ["a", "b"])
      })
    )

    test(
      "an item whose lease ended in its last attempt has failed",
      Effect.gen(function*() {
        const store = yield* start()
        yield* offer(store, "a")
        const scope = yield* Scope.make()
        const dying = yield* Scope.provide(start(), scope)
        yield* take(dying, 0, 1)
        yield* Scope.close(scope, Exit.void)
        yield* pass(hour)
        yield* offer(store, "b")
        assert.strictEqual((yield* take(store, 0, 1)).id, "b")
        assert.deepStrictEqual((yield* sets).failed, ["a"])
      })
    )

    test(
      "an element that can't be parsed, or was taken too often under another bound, is failed, and the next one is taken",
      Effect.gen(function*() {
        const store = yield* start()
        const raw = yield* Testing.RawStore
        for (const id of ["broken", "often", "good"]) yield* offer(store, id)
        yield* raw.hashSet("EffectQueueItem:{q}:broken", { element: "{" })
        yield* raw.hashSet("EffectQueueItem:{q}:often", { attempts: "3" })
        assert.strictEqual((yield* take(store, 0, 3)).id, "good")
        assert.deepStrictEqual((yield* sets).failed.toSorted(), ["broken", "often"])
      })
    )

    test(
      "a taker is woken by an offer of another process",
      Effect.gen(function*() {
        const [one, two] = yield* Effect.forEach(yield* peers(2), (service) => Effect.provideContext(start(), service))
        const first = yield* Effect.forkChild(take(two!))
        // it may come before the taker listens, and then the look after that finds it
        yield* offer(one!, "0")
        yield* (yield* Fiber.join(first)).end(completed)
        // now it listens
        for (let i = 1; i < 5; i++) {
          const next = yield* Effect.forkChild(take(two!))
          yield* Effect.yieldNow
          yield* offer(one!, `${i}`)
          const item = yield* Fiber.join(next)
          assert.strictEqual(item.id, `${i}`)
          yield* item.end(completed)
        }
      })
    )

    test(
      "a hundred takers that wait share one look, and look again after the interval",
      Effect.gen(function*() {
        const faults = yield* Testing.Faults
        const store = yield* start({ pollInterval: place === "memory" ? "10 seconds" : "200 millis" })
        yield* offer(store, "later", { delay: Duration.seconds(place === "memory" ? 100 : 1) })
        yield* faults.usePlan(Testing.none)
        const fibers = yield* Effect.forEach(Array.from({ length: 100 }), () => Effect.forkChild(take(store)))
        const log = faults.log
        yield* until("a look", Effect.map(log, ({ length }) => length > 0))
        for (let i = 0; i < 100; i++) yield* Effect.yieldNow
        // the first taker's, one of those that came meanwhile, and one when it listens
        assert.isAtMost((yield* log).length, 4)
        if (place === "memory") yield* TestClock.adjust("99 seconds")
        if (place === "memory") assert.isAtMost((yield* log).length, 14)
        if (place === "memory") yield* TestClock.adjust("11 seconds")
        // no message said that its delay has ended
        yield* until("the delayed item is taken", Effect.map(log, (log) => log.some(({ readOnly }) => !readOnly)))
        for (const fiber of fibers) yield* Fiber.interrupt(fiber)
      })
    )

    test(
      "a lease is renewed while the work goes on, so nobody else gets the item",
      Effect.gen(function*() {
        const options: EffectPersistedQueue.Options = {
          lockExpiration: "2 seconds",
          lockRefreshInterval: "200 millis",
          pollInterval: "50 millis"
        }
        const [one, two] = yield* Effect.forEach(
          yield* peers(2),
          (service) => Effect.provideContext(start(options), service)
        )
        yield* offer(one!, "a")
        const item = yield* take(one!)
        const other = yield* Effect.forkChild(take(two!))
        if (place === "memory") yield* TestClock.adjust("10 seconds")
        else yield* Effect.sleep("5 seconds")
        assert.isUndefined(other.pollUnsafe())
        yield* item.end(completed)
        yield* offer(one!, "b")
        assert.strictEqual((yield* Fiber.join(other)).id, "b")
      })
    )

    test(
      "no program looks at more than some hundred items, however many are due, and they come in their order",
      Effect.gen(function*() {
        const faults = yield* Testing.Faults
        const store = yield* start()
        const all = Array.from({ length: 1500 }, (_, i) => `${i}`)
        yield* Effect.forEach(all, (id) => offer(store, id, { delay: Duration.hours(1) }), { discard: true })
        yield* pass(2 * hour)
        yield* faults.usePlan(Testing.none)
        for (let i = 0; i < 40; i++) {
          const { end, id } = yield* take(store)
          assert.strictEqual(id, `${i}`)
          yield* end(completed)
        }
        for (const { keys } of yield* faults.log) assert.isAtMost(keys.length, 210)
        for (let i = 0; i < 460; i++) yield* (yield* take(store)).end(completed)
        yield* pass(hour)
        yield* faults.usePlan(Testing.none)
        yield* store.cleanup({ timeToLive: Duration.minutes(1), failedTimeToLive: undefined })
        assert.deepStrictEqual((yield* sets).completed, [])
        // five hundred ids in steps of two hundred, and the names of the queues
        assert.strictEqual((yield* faults.log).length, 4)
      }),
      60_000
    )

    test(
      "an offer is one program, a take two, and its end one",
      Effect.gen(function*() {
        const faults = yield* Testing.Faults
        const store = yield* start()
        const programs = <A, E>(self: Effect.Effect<A, E>) =>
          Effect.gen(function*() {
            yield* faults.usePlan(Testing.none)
            const result = yield* self
            return [result, (yield* faults.log).length] as const
          })
        // the name of the queue is noted once
        assert.strictEqual((yield* programs(offer(store, "a")))[1], 2)
        assert.strictEqual((yield* programs(offer(store, "b")))[1], 1)
        for (const exit of [interrupted, failed, completed]) {
          const [{ end }, count] = yield* programs(take(store, hour))
          // a taker that has just begun to listen looks once more
          assert.isAtMost(count, 3)
          assert.strictEqual((yield* programs(end(exit)))[1], 1)
        }
      })
    )

    test(
      "bad names, ids, elements and options are errors",
      Effect.gen(function*() {
        const store = yield* start()
        const tagOf = (error: PersistedQueue.PersistedQueueError) => (error.cause as { readonly _tag: string })._tag
        for (const bad of ["", "\ud800", "x".repeat(1025)]) {
          assert.strictEqual(tagOf(yield* Effect.flip(offer(store, bad))), "InvalidValue")
          const named = yield* Effect.flip(offer(store, "a", { name: bad }))
          assert.strictEqual(tagOf(named), bad.length > 1 ? "InvalidValue" : "InvalidName")
          const taken = yield* Effect.flip(
            Effect.scoped(store.take({ name: bad, maxAttempts: 1, retryDelay: () => Effect.succeed(Duration.zero) }))
          )
          assert.strictEqual(taken._tag, "PersistedQueueError")
        }
        assert.strictEqual(
          tagOf(yield* Effect.flip(offer(store, "a", { element: "x".repeat(1_000_001) }))),
          "InvalidValue"
        )
        assert.deepStrictEqual(yield* sets, { ready: [], due: [], completed: [], failed: [], items: 0 })
        for (
          const options of [
            { pollInterval: 0 },
            { lockRefreshInterval: Infinity },
            { lockRefreshInterval: "2 minutes" },
            { lockExpiration: "20 seconds" },
            { lockExpiration: 1 }
          ] as ReadonlyArray<EffectPersistedQueue.Options>
        ) {
          const error = yield* Effect.flip(Effect.scoped(start(options)))
          assert.strictEqual(error.reason._tag, "InvalidOption", JSON.stringify(options))
        }
      })
    )

    test(
      "Effect's PersistedQueue retries, counts attempts, and passes over what it can't decode",
      Effect.gen(function*() {
        const store = yield* start()
        const make = (schema: Schema.Codec<any, any>) =>
          PersistedQueue.make({ name: "q", schema, maxAttempts: 2, retrySchedule: Schedule.spaced(0) }).pipe(
            Effect.provide(PersistedQueue.layer.pipe(
              Layer.provide(Layer.succeed(PersistedQueue.PersistedQueueStore, store))
            ))
          )
        const texts = yield* make(Schema.String)
        const dates = yield* make(Schema.Date)
        yield* texts.offer("no date", { id: "text" })
        const at = new Date("2026-01-01")
        const id = yield* dates.offer(at)
        const seen: Array<unknown> = []
        const work = dates.take((date, metadata) => {
          seen.push([date, metadata])
          return Effect.fail("again" as const)
        })
        assert.strictEqual(yield* Effect.flip(work), "again")
        assert.strictEqual(yield* Effect.flip(work), "again")
        assert.deepStrictEqual(seen, [[at, { id, attempts: 1 }], [at, { id, attempts: 2 }]])
        assert.deepStrictEqual((yield* sets).failed.toSorted(), ["text", id].toSorted())
        yield* dates.offer(at, { id: "never", delay: Duration.infinity })
        yield* dates.offer(at, { id: "never", delay: 0 })
        assert.strictEqual(yield* dates.take((_, { id }) => Effect.succeed(id)), "never")
      })
    )
  })
}
