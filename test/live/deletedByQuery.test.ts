/**
 * `Query.deleteAll` while four connections write entities that come into the query and leave it. `REDLAYER_FULL=1` makes it 100,000
 * entities.
 */
import { assert, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Result, Schedule, Schema, Stream } from "effect"
import { Model, Query, RedisService } from "redlayer"
import { random, start } from "../faults/proxiedService.ts"
import { describeMemory, describeOwnServer } from "../support/Backends.ts"
import * as RedisServer from "../support/RedisServer.ts"
import { sized } from "../support/Sizes.ts"
import { range } from "./liveService.ts"

const fields = {
  id: Schema.String,
  state: Schema.Literals(["old", "new"]),
  n: Schema.Int.pipe(Model.indexed),
  note: Schema.String
}

const options = { key: "id", indexes: { byState: ["state", "n"] } } as const

const One = Model.make("live/Deleted", { ...fields, name: Schema.String }, { ...options, unique: { name: ["name"] } })
const Spread = Model.make("live/DeletedSpread", { ...fields, name: Schema.String }, {
  ...options,
  slot: { partitions: 3 }
})

type Entity = typeof One.Type

const entity = (id: string, state: "old" | "new", n: number): Entity => ({ id, state, n, name: `of ${id}`, note: "" })

interface Connection {
  readonly run: <A, E>(self: Effect.Effect<A, E, RedisService.RedisService>) => Effect.Effect<A, E>
}

/** Deletes by a query while each of the others writes. */
const race = Effect.fnUntraced(function*(
  model: typeof One,
  total: number,
  query: Query.Query<Entity, any>,
  { run }: Connection,
  others: ReadonlyArray<Connection>
) {
  const next = random(total)
  const third = Math.floor(total / 3)
  // `s`: in the query, and stays; `k`: never in it; `m`: comes and goes
  yield* run(model.insertMany([
    ...range(third).map((i) => entity(`s${i}`, "old", i % 50)),
    ...range(third).map((i) => entity(`k${i}`, "new", i % 50)),
    ...range(third).map((i) => entity(`m${i}`, i % 2 === 0 ? "old" : "new", i % 50))
  ]))
  let isOver = false
  let written = 0
  const write = Effect.suspend((): Effect.Effect<unknown, unknown, RedisService.RedisService> => {
    written++
    const id = `m${Math.floor(next() * third * 1.1)}`
    const n = Math.floor(next() * 50)
    const stays = `${next() < 0.5 ? "s" : "k"}${Math.floor(next() * third)}`
    const kind = Math.floor(next() * 7)
    switch (kind) {
      case 0:
        return model.put(entity(id, "old", n))
      case 1:
        return model.put(entity(id, "new", n))
      case 2:
        return model.update(id, { state: next() < 0.5 ? "old" : "new", n })
      case 3:
        return model.delete(id)
      case 4:
        return model.insert(entity(id, "old", n))
      case 5:
        return model.ref(id).n.increment()
      default:
        // what neither decides the order nor the query
        return model.update(stays, { note: `${written}` })
    }
  })
  const writers = yield* Effect.forEach(
    others,
    (one) =>
      Effect.forkChild(
        Effect.whileLoop({
          while: () => !isOver,
          body: () => Effect.andThen(Effect.ignore(one.run(write)), Effect.sleep(1)),
          step: () => {}
        }),
        start
      )
  )
  // a condition, because a fixed time is too short on a busy machine
  yield* Effect.suspend(() => written <= 20 ? Effect.fail("few writes") : Effect.void).pipe(
    Effect.retry({ schedule: Schedule.spaced("1 millis"), times: 10_000 })
  )
  const deleted = yield* run(Query.deleteAll(query))
  isOver = true
  yield* Effect.forEach(writers, Fiber.join)
  const left = (yield* run(Stream.runCollect(model.stream()))).map((found) => Result.getOrThrow(found))
  const count = (kind: string) => left.filter(({ id }) => id.startsWith(kind)).length
  assert.strictEqual(count("s"), 0, "an entity that stayed in the query is left")
  assert.strictEqual(count("k"), third, "an entity that was never in the query is gone")
  assert.isAtLeast(deleted, third)
  assert.deepStrictEqual(yield* run(Stream.runCollect(model.check())), [])
  // the rest is what the entities say
  const old = left.filter(({ state }) => state === "old").length
  assert.strictEqual(yield* run(Query.count(model.by.byState({ state: "old" }))), old)
  assert.strictEqual(yield* run(Query.count(model.by.n())), left.length)
  // and again, while nobody writes
  assert.strictEqual(yield* run(Query.deleteAll(query)), old)
  assert.strictEqual(yield* run(Query.count(model.by.byState({ state: "old" }))), 0)
  yield* run(model.deleteMany(left.map(({ id }) => id)))
  console.log(`${total} entities: ${deleted} deleted, ${written} writes meanwhile, ${left.length} left`)
  assert.isAbove(written, 20)
})

const queries = (model: typeof One): ReadonlyArray<readonly [string, Query.Query<Entity, any>]> => [
  ["by an index", model.by.byState({ state: "old" })],
  ["by a condition", model.query(({ state }) => state.eq("old"))],
  ["by a filter", Query.filter(model.by.n({ n: { gte: 0 } }), ({ state }) => state.eq("old"))]
]

const models = [["one home", One], ["partitions", Spread as unknown as typeof One]] as const

const connection = Effect.fnUntraced(function*(layer: Layer.Layer<RedisService.RedisService, unknown>) {
  const context = yield* Layer.build(Layer.fresh(layer))
  return { run: (self) => Effect.provide(self, context) } as Connection
})

// keyv#881
describeOwnServer("deletion by a query", () => {
  for (const [name, model] of models) {
    it.live(
      `[${name}] deletes what is in the query and stays, and nothing that never is, while others write`,
      () =>
        Effect.gen(function*() {
          const { url } = yield* RedisServer.start()
          const layer = RedisService.layer({ url, deadline: "60 seconds" })
          const own = yield* connection(layer)
          const others = yield* Effect.forEach(range(4), () => connection(layer))
          for (const [, query] of queries(model)) yield* race(model, sized(3000, 100_000), query, own, others)
        }).pipe(Effect.scoped),
      sized(60_000, 600_000)
    )
  }
})

describeMemory("deletion by a query", () => {
  for (const [name, model] of models) {
    it.live(
      `[${name}] deletes what is in the query and stays, and nothing that never is, while others write`,
      () =>
        Effect.gen(function*() {
          const own = yield* connection(RedisService.layerMemory)
          for (const [, query] of queries(model)) yield* race(model, 900, query, own, range(4).map(() => own))
        }).pipe(Effect.scoped),
      60_000
    )
  }
})
