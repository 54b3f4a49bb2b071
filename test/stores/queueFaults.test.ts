/**
 * A queue whose programs are cut, each of them in turn, before and after it is applied: nothing is lost, nothing is done twice.
 */
import { assert } from "@effect/vitest"
import { Cause, Context, Duration, Effect, Exit, Fiber, Layer, Scope } from "effect"
import * as PersistedQueue from "effect/persistence/PersistedQueue"
import { TestClock } from "effect/testing"
import { EffectPersistedQueue } from "redlayer"
import * as Testing from "redlayer/testing"
import { withLiveClock } from "../support/LiveClock.ts"
import { places } from "./places.ts"

const hour = 3_600_000

const start = Effect.map(
  Layer.build(EffectPersistedQueue.layer({ pollInterval: "20 millis" })),
  Context.get(PersistedQueue.PersistedQueueStore)
)

type Store = PersistedQueue.PersistedQueueStore["Service"]

const offer = (store: Store, id: string) =>
  store.offer({ name: "q", id, element: id, isCustomId: true, delay: undefined })

const take = Effect.fnUntraced(function*(store: Store) {
  const scope = yield* Scope.make()
  const item = yield* Scope.provide(
    store.take({ name: "q", maxAttempts: 9, retryDelay: () => Effect.succeed(Duration.zero) }),
    scope
  )
  return { ...item, end: (exit: Exit.Exit<unknown, unknown>) => Scope.close(scope, exit) }
})

const ends = {
  complete: Exit.void,
  retry: Exit.fail("it did not work"),
  interrupt: Exit.failCause(Cause.interrupt(1)),
  deadLetter: Exit.fail({ _tag: "~effect/persistence/PersistedQueue/DeadLetter", cause: Cause.fail("no such element") })
}

/** The attempt at which others get "a" after each end, if they do. */
const attemptAfter = { complete: undefined, retry: 2, interrupt: 1, deadLetter: undefined }

const kinds = { notSent: Testing.notSent, loseRequest: Testing.loseRequest, loseReply: Testing.loseReply }

for (const { describe, layer, name: place, pass, test } of places) {
  /** Runs an effect to its end, while time passes. */
  const run = <A, E, R>(self: Effect.Effect<A, E, R>) =>
    Effect.gen(function*() {
      const fiber = yield* Effect.forkChild(self)
      for (let i = 0; i < 5000 && fiber.pollUnsafe() === undefined; i++) {
        if (place === "memory") yield* TestClock.adjust("20 millis")
        yield* withLiveClock(Effect.sleep("1 millis"))
      }
      assert.isDefined(fiber.pollUnsafe(), "it does not end")
      return yield* Fiber.join(fiber)
    })

  const scenario = Effect.fnUntraced(function*(plan: Testing.Plan, end: keyof typeof ends) {
    const faults = yield* Testing.Faults
    const store = yield* start
    yield* faults.usePlan(plan)
    // whoever offers with an id of their own may offer again
    yield* Effect.retry(offer(store, "a"), { times: 3 })
    yield* Effect.retry(offer(store, "b"), { times: 3 })
    const first = yield* run(take(store))
    assert.deepStrictEqual([first.id, first.attempts, first.element], ["a", 1, "a"])
    yield* run(first.end(ends[end]))
    const log = yield* faults.log
    yield* faults.usePlan(Testing.none)
    // another process sees what is left, now and after the lease
    const other = yield* start
    const left: Array<readonly [string, number]> = []
    for (let i = 0; i < (attemptAfter[end] === undefined ? 1 : 2); i++) {
      const item = yield* run(take(other))
      left.push([item.id, item.attempts])
      yield* run(item.end(Exit.void))
    }
    yield* pass(2 * hour)
    yield* offer(other, "c")
    const last = yield* run(take(other))
    assert.strictEqual(last.id, "c")
    yield* run(last.end(Exit.void))
    const attempt = attemptAfter[end]
    const expected: ReadonlyArray<readonly [string, number]> = attempt === undefined
      ? [["b", 1]]
      : end === "retry"
      ? [["b", 1], ["a", attempt]]
      : [["a", attempt], ["b", 1]]
    assert.deepStrictEqual(left, expected)
    return log
  })

  describe("a queue whose programs are cut", () => {
    for (const end of Object.keys(ends) as ReadonlyArray<keyof typeof ends>) {
      test(
        `keeps its promises, whichever program before the end "${end}" is cut`,
        Effect.gen(function*() {
          const fresh = (plan: Testing.Plan) =>
            Effect.provide(Effect.scoped(scenario(plan, end)), layer, { local: true })
          const { length } = yield* fresh(Testing.none)
          assert.isAtLeast(length, 6)
          let cuts = 0
          for (let at = 0; at < length; at++) {
            for (const [kind, fault] of Object.entries(kinds)) {
              const log = yield* fresh(({ index }) => index === at ? fault : undefined).pipe(
                Effect.onError((cause) => Effect.logError(`${kind} of program ${at} before ${end}`, cause))
              )
              if (log[at]?.fault === fault) cuts++
            }
          }
          // looks for messages that come may be fewer
          assert.isAtLeast(cuts, 3 * 6)
        }),
        120_000
      )
    }

    test(
      "a claim that arrives late, for nobody, ends with its lease",
      Effect.gen(function*() {
        const faults = yield* Testing.Faults
        const store = yield* start
        yield* offer(store, "a")
        yield* offer(store, "b")
        let late = 0
        // the claim is late, and it is given back before it arrives
        yield* faults.usePlan(({ readOnly }) => !readOnly && late++ === 0 ? Testing.deliverLate() : undefined)
        const first = yield* run(take(store))
        assert.deepStrictEqual([first.id, first.attempts], ["a", 1])
        yield* run(first.end(ends.interrupt))
        // the item is free, and now it is claimed by nobody
        yield* faults.release
        assert.isAbove(late, 1)
        const second = yield* run(take(store))
        assert.strictEqual(second.id, "b")
        yield* run(second.end(ends.complete))
        yield* pass(2 * hour)
        const third = yield* run(take(store))
        assert.deepStrictEqual([third.id, third.attempts], ["a", 2])
        yield* run(third.end(ends.complete))
      })
    )
  })
}
