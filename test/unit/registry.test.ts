/**
 * A model that is defined again in another form: accepted on another service with a warning, refused on the same one.
 */
import { assert, it } from "@effect/vitest"
import { Cause, Effect, Exit, Logger, Schema } from "effect"
import { Atomic, Model, RedisService } from "redlayer"
import { describeMemory } from "../support/Backends.ts"

describeMemory("a model that is defined again", () => {
  const define = (n: typeof Schema.Int | typeof Schema.String) =>
    Model.make("unit/Registry", { id: Schema.String, n: n as typeof Schema.Int }, { key: "id" })
  const warnings: Array<unknown> = []
  const layer = Logger.layer([Logger.make(({ message }) => void warnings.push(message))])

  it.effect("in another form is accepted on a new service, with one warning, and refused where the first is in use", () =>
    Effect.gen(function*() {
      const before = define(Schema.Int)
      const same = define(Schema.Int)
      const after = define(Schema.String)
      yield* Effect.gen(function*() {
        yield* before.insert({ id: "a", n: 1 })
        yield* same.ref("a").n.increment()
        assert.deepStrictEqual(warnings, [])
        const exit = yield* Effect.exit(Atomic.all([before.exists("a"), after.exists("a")]))
        assert.match(Exit.isFailure(exit) ? Cause.pretty(exit.cause) : "", /"unit\/Registry".*in use on this service/)
        assert.strictEqual(yield* before.ref("a").n.get(), 2)
      }).pipe(Effect.provide(RedisService.layerMemory))
      assert.deepStrictEqual(warnings, [])
      yield* Effect.gen(function*() {
        yield* after.exists("a")
        yield* after.exists("a")
        yield* after.getMany(["a"])
        assert.lengthOf(warnings, 1)
        assert.include(String(warnings[0]), "another form")
        assert.isTrue(Exit.hasDies(yield* Effect.exit(before.exists("a"))))
      }).pipe(Effect.provide(RedisService.layerMemory))
    }).pipe(Effect.provide(layer)))
})
