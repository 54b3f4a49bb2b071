/**
 * Retry policies over a service that fails by a plan, under a test clock: which failures are retried, when, and how often.
 */
import { assert, it } from "@effect/vitest"
import { Duration, Effect, Exit, Fiber, Layer, Schedule, Schema } from "effect"
import { TestClock } from "effect/testing"
import {
  type Atomic,
  type DomainError,
  type Field,
  Model,
  RedisService,
  RedisServiceError,
  RetryPolicy
} from "redlayer"
import * as Testing from "redlayer/testing"
import { errorOf, range, reasonIs } from "../live/liveService.ts"
import { describeMemory } from "../support/Backends.ts"

const Counter = Model.make("retry/Counter", { id: Schema.String, n: Schema.Int, title: Schema.String }, { key: "id" })

const a = Counter.ref("a")

const layer = Testing.layerService().pipe(Layer.provide(RedisService.layerMemory))

/** Stores one entity, then runs `body` under the plan. */
const withPlan = <A, E, R>(plan: Testing.Plan, body: Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    yield* Counter.insert({ id: "a", n: 0, title: "" })
    const faults = yield* Testing.Faults
    yield* faults.usePlan(plan)
    return yield* body
  }).pipe(Effect.provide(layer))

const attempts = Effect.map(Testing.Faults.use((faults) => faults.log), (log) => log.length)

const loading = Testing.answer("LOADING Redis is loading the dataset in memory")

/** Runs an effect to its end, within one hour of the test clock. */
const finished = <A, E, R>(self: Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    const fiber = yield* Effect.forkChild(self, { startImmediately: true })
    yield* TestClock.adjust("1 hour")
    return yield* Fiber.await(fiber)
  })

describeMemory("retry policies", () => {
  it.effect("transient retries unsent programs and temporary refusals after a pause", () =>
    withPlan(
      Testing.sequence([Testing.notSent, loading]),
      Effect.gen(function*() {
        const fiber = yield* Effect.forkChild(a.n.increment().pipe(RetryPolicy.transient()), { startImmediately: true })
        assert.strictEqual(yield* attempts, 1)
        yield* TestClock.adjust(24)
        assert.strictEqual(yield* attempts, 1)
        yield* TestClock.adjust(26)
        assert.strictEqual(yield* attempts, 2)
        assert.isUndefined(fiber.pollUnsafe())
        yield* TestClock.adjust(100)
        assert.strictEqual(yield* Fiber.join(fiber), 1)
        assert.strictEqual(yield* attempts, 3)
      })
    ))

  it.effect("every other error is returned at once", () =>
    Effect.gen(function*() {
      const refusals: ReadonlyArray<readonly [Testing.Fault, RedisServiceError.RedisServiceErrorReason["_tag"]]> = [
        [Testing.loseRequest, "OutcomeUnknown"],
        [Testing.loseReply, "OutcomeUnknown"],
        [Testing.answer("OOM command not allowed when used memory > 'maxmemory'."), "OutOfMemory"],
        [Testing.answer("NOPERM this user has no permissions"), "AccessDenied"],
        [Testing.answer("ERR something"), "ScriptFailed"]
      ]
      for (const [fault, reason] of refusals) {
        yield* withPlan(
          Testing.sequence([fault]),
          Effect.gen(function*() {
            reasonIs(yield* Effect.exit(RetryPolicy.transient(a.n.increment())), reason)
            assert.strictEqual(yield* attempts, 1)
          })
        )
      }
      yield* withPlan(
        Testing.none,
        Effect.gen(function*() {
          const error = yield* Effect.flip(RetryPolicy.transient(Counter.ref("none").n.increment()))
          assert.strictEqual(error._tag, "EntityNotFound")
          assert.isTrue(Exit.hasDies(yield* Effect.exit(RetryPolicy.idempotent(Effect.die("defect")))))
          assert.strictEqual(yield* Effect.flip(RetryPolicy.idempotent(Effect.fail("mine"))), "mine")
          assert.strictEqual(yield* attempts, 1)
        })
      )
    }))

  it.effect("a policy ends with the last error after its number of retries", () =>
    withPlan(
      () => Testing.notSent,
      Effect.gen(function*() {
        const none = yield* finished(a.n.increment().pipe(RetryPolicy.transient({ times: 0 })))
        reasonIs(none, "ConnectionUnavailable")
        assert.strictEqual(yield* attempts, 1)
        const three = yield* finished(a.n.increment().pipe(RetryPolicy.transient({ times: 3 })))
        reasonIs(three, "ConnectionUnavailable")
        assert.strictEqual(yield* attempts, 1 + 4)
        reasonIs(yield* finished(RetryPolicy.transient(a.n.increment())), "ConnectionUnavailable")
        assert.strictEqual(yield* attempts, 1 + 4 + 11)
      })
    ))

  it.effect("no retry begins after the duration, even if attempts take long", () =>
    Effect.gen(function*() {
      const begun: Array<number> = []
      const slow = Effect.gen(function*() {
        begun.push(yield* Effect.clockWith((clock) => clock.currentTimeMillis))
        yield* Effect.sleep("300 millis")
        return yield* new RedisServiceError.RedisServiceError({
          reason: new RedisServiceError.ConnectionUnavailable({})
        })
      })
      const exit = yield* finished(slow.pipe(RetryPolicy.transient({ duration: "1 second", times: 1000, base: 1 })))
      reasonIs(exit, "ConnectionUnavailable")
      assert.isAtLeast(begun.length, 3)
      assert.isAtMost(begun.at(-1)! - begun[0]!, 1000)
    }))

  it.effect("pauses double up to the longest, and are spread", () =>
    Effect.gen(function*() {
      const seen = new Set<number>()
      for (const _ of range(50)) {
        const step = yield* Schedule.toStep(RetryPolicy.schedule({ base: 100, maximum: 350, duration: "1 hour" }))
        for (const longest of [100, 200, 350, 350]) {
          const [, pause] = yield* step(0, undefined)
          const millis = Duration.toMillis(pause)
          assert.isAtLeast(millis, longest / 2)
          assert.isAtMost(millis, longest)
          seen.add(millis)
        }
      }
      assert.isAbove(seen.size, 190)
    }))

  it.effect("idempotent retries an unknown outcome, too", () =>
    withPlan(
      Testing.sequence([Testing.loseRequest, Testing.loseReply, Testing.notSent]),
      Effect.gen(function*() {
        const exit = yield* finished(a.title.set("x").pipe(RetryPolicy.idempotent({ base: "10 millis" })))
        assert.deepStrictEqual(exit, Exit.void)
        assert.strictEqual(yield* attempts, 4)
        assert.strictEqual(yield* a.title.get(), "x")
      })
    ))

  it.effect("a policy that is interrupted in a pause ends there", () =>
    withPlan(
      () => Testing.notSent,
      Effect.gen(function*() {
        const fiber = yield* Effect.forkChild(RetryPolicy.transient(a.n.increment()), { startImmediately: true })
        yield* Fiber.interrupt(fiber)
        yield* TestClock.adjust("1 hour")
        assert.strictEqual(yield* attempts, 1)
      })
    ))

  it.effect("a retry repeats the ids that were made", () =>
    Effect.gen(function*() {
      const Note = Model.make("retry/Note", { text: Schema.String })
      yield* withPlan(
        Testing.sequence([Testing.notSent]),
        Effect.gen(function*() {
          const insert = Note.insert({ text: "x" })
          const exit = yield* finished(RetryPolicy.transient(insert))
          assert.isUndefined(errorOf(exit))
          assert.strictEqual((yield* Effect.flip(insert))._tag, "EntityExists")
        })
      )
    }))

  it("a policy keeps the types of the effect", () => {
    type Failure = Field.Failure | DomainError.ArithmeticError | DomainError.OutOfBounds
    type Retried = Effect.Effect<number, Failure | RedisServiceError.RedisServiceError, RedisService.RedisService>
    const increment: Atomic.Atomic<number, Failure> = a.n.increment()
    const retried: ReadonlyArray<Retried> = [
      RetryPolicy.transient(increment),
      RetryPolicy.transient(increment, { times: 1 }),
      increment.pipe(RetryPolicy.transient()),
      increment.pipe(RetryPolicy.idempotent({ times: 1 }))
    ]
    assert.lengthOf(retried, 4)
    assert.isTrue(retried.every(Effect.isEffect))
  })
})
