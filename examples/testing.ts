/**
 * A test of your own code, without a server: the memory layer runs the same programs, and `TestClock` moves the time.
 *
 * `test/docs/examples.test.ts` runs it. In a project of your own it is a file such as `codes.test.ts`.
 */
import { assert, it } from "@effect/vitest"
import { Effect, Layer, Option, Schema } from "effect"
import { TestClock } from "effect/testing"
import { Model, RedisService } from "redlayer"
import * as Testing from "redlayer/testing"

// the code under test

const Code = Model.make("Code", { user: Schema.String, digits: Schema.String, attempts: Schema.Int }, {
  key: "user",
  timeToLive: { duration: "5 minutes", refresh: "never" }
})

const isRight = (user: string, digits: string) =>
  Effect.gen(function*() {
    const code = Code.ref(user)
    yield* code.attempts.increment(1, { atMost: 3 })
    return (yield* code.digits.get()) === digits
  }).pipe(Effect.catchTags({
    EntityNotFound: () => Effect.succeed(false),
    OutOfBounds: () => Effect.succeed(false)
  }))

// the tests

it.effect("a code is accepted three times at most", () =>
  Effect.gen(function*() {
    yield* Code.insert({ user: "alice", digits: "1234", attempts: 0 })
    assert.deepStrictEqual(
      yield* Effect.all([isRight("alice", "0000"), isRight("alice", "1234"), isRight("alice", "1234")]),
      [false, true, true]
    )
    assert.isFalse(yield* isRight("alice", "1234"))
  }).pipe(Effect.provide(RedisService.layerMemory)))

it.effect("a code expires after five minutes", () =>
  Effect.gen(function*() {
    yield* Code.insert({ user: "alice", digits: "1234", attempts: 0 })
    yield* TestClock.adjust("5 minutes")
    assert.deepStrictEqual(yield* Code.find("alice"), Option.none())
    assert.isFalse(yield* isRight("alice", "1234"))
  }).pipe(Effect.provide(RedisService.layerMemory)))

it.effect("a lost reply is reported, and not taken for a wrong code", () =>
  Effect.gen(function*() {
    yield* Code.insert({ user: "alice", digits: "1234", attempts: 0 })
    const { usePlan } = yield* Testing.Faults
    yield* usePlan(Testing.sequence([Testing.loseReply]))
    const error = yield* Effect.flip(isRight("alice", "1234"))
    assert.strictEqual(error._tag === "RedisServiceError" && error.reason._tag, "OutcomeUnknown")
  }).pipe(Effect.provide(Testing.layerService().pipe(Layer.provide(RedisService.layerMemory)))))
