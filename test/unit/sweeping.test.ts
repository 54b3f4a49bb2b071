/**
 * The option `sweepEvery`, in memory: entries of expired entities go, though nobody reads or writes their model.
 */
import { assert, it } from "@effect/vitest"
import { Effect, Layer, Logger, Schema } from "effect"
import { TestClock } from "effect/testing"
import { Model, type RedisService } from "redlayer"
import * as Testing from "redlayer/testing"
import { describeMemory } from "../support/Backends.ts"

const fields = { id: Schema.String, at: Schema.Int.pipe(Model.indexed), name: Schema.String }
const timeToLive = { duration: "1 minute", refresh: "never" } as const

const Visit = Model.make("SweptVisit", fields, { key: "id", timeToLive, indexes: { name: ["name"] } })
const Spread = Model.make("SweptSpread", fields, { key: "id", timeToLive, slot: { partitions: 5 } })
const Tenant = Model.make("SweptTenant", { ...fields, tenant: Schema.String }, {
  key: ["tenant", "id"],
  slot: "tenant",
  timeToLive
})
const Other = Model.make("SweptOther", fields, { key: "id", timeToLive })

const models = [Visit, Spread, Tenant, Other]

/** The keys of indexes that are stored, but for the marks of their definitions. */
const indexKeys = Effect.gen(function*() {
  const raw = yield* Testing.RawStore
  return Object.keys(yield* raw.dump).filter((key) => /:\$(ix|of|exp)/.test(key))
})

const insert = Effect.gen(function*() {
  for (const i of [1, 2, 3, 4, 5, 6]) {
    const entity = { id: `e${i}`, at: i, name: `n${i}` }
    yield* Visit.insert(entity)
    yield* Spread.insert(entity)
    yield* Tenant.insert({ ...entity, tenant: `t${i % 3}` })
    yield* Other.insert(entity)
  }
})

const of = (name: string, keys: ReadonlyArray<string>): number => keys.filter((key) => key.startsWith(name)).length

type Sweeps = NonNullable<RedisService.MemoryOptions["sweepEvery"]>

/** Runs on a layer that sweeps, and returns what was logged. */
const on = (
  sweepEvery: Sweeps | undefined,
  body: Effect.Effect<void, any, RedisService.RedisService | Testing.RawStore>
) =>
  Effect.gen(function*() {
    const logged: Array<string> = []
    const logger = Logger.make(({ message }) => void logged.push(String(message)))
    yield* body.pipe(
      Effect.provide(Layer.provideMerge(Layer.fresh(Testing.layerMemory({ sweepEvery })), Logger.layer([logger])))
    )
    return logged
  })

describeMemory("sweepEvery", () => {
  it.effect("removes the entries of expired entities of its models, and of no others", () =>
    Effect.gen(function*() {
      const logged = yield* on(
        { every: "1 hour", models: [Visit, Spread, Tenant] },
        Effect.gen(function*() {
          yield* insert
          yield* TestClock.adjust("2 minutes")
          const before = yield* indexKeys
          for (const { name } of models) assert.isAbove(of(name, before), 0, name)
          // the first sweep is within an hour, and each other one an hour after it, or up to a tenth later
          yield* TestClock.adjust("1 hour")
          const after = yield* indexKeys
          assert.deepStrictEqual(models.map(({ name }) => of(name, after) > 0), [false, false, false, true])
          for (let round = 0; round < 3; round++) {
            yield* insert
            yield* TestClock.adjust("70 minutes")
            const left = yield* indexKeys
            assert.deepStrictEqual(models.map(({ name }) => of(name, left) > 0), [false, false, false, true])
          }
        })
      )
      assert.deepStrictEqual(logged, [])
    }))

  it.effect("sweeps nothing without the option", () =>
    on(
      undefined,
      Effect.gen(function*() {
        yield* insert
        yield* TestClock.adjust("30 days")
        const left = yield* indexKeys
        for (const { name } of models) assert.isAbove(of(name, left), 0, name)
      })
    ))

  it.effect("goes on with the next model, and with the next sweep, after any failure", () =>
    Effect.gen(function*() {
      let sweeps = 0
      const failing = { sweep: () => Effect.suspend(() => Effect.fail(`no ${++sweeps}`)) }
      const dying = { sweep: () => Effect.die("defect") }
      const throwing = {
        sweep: (): Effect.Effect<void> => {
          throw new Error("thrown")
        }
      }
      const logged = yield* on(
        { every: "1 second", models: [failing, dying, throwing, Visit] },
        Effect.gen(function*() {
          yield* insert
          yield* TestClock.adjust("2 minutes")
          assert.strictEqual(of(Visit.name, yield* indexKeys), 0)
        })
      )
      // every second, give or take a tenth
      assert.isAtLeast(sweeps, 108)
      assert.isAtMost(sweeps, 135)
      assert.lengthOf(logged, 3 * sweeps)
      assert.include(logged[0], "could not be removed")
    }))

  it.effect("ends with its layer", () =>
    Effect.gen(function*() {
      let sweeps = 0
      const counted = { sweep: () => Effect.sync(() => void sweeps++) }
      yield* on({ every: "1 second", models: [counted] }, TestClock.adjust("1 minute"))
      const before = sweeps
      assert.isAbove(before, 0)
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(sweeps, before)
    }))
})
