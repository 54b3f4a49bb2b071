/**
 * Pages of queries while others write: an entity whose value in the order stays is seen once, in both directions. `REDLAYER_FULL=1`
 * makes it 100,000 entities.
 */
import { assert, it } from "@effect/vitest"
import { Effect, Layer, Option, Schema, Stream } from "effect"
import { Model, Query, RedisService } from "redlayer"
import { random } from "../faults/proxiedService.ts"
import { describeMemory, describeOwnServer } from "../support/Backends.ts"
import * as RedisServer from "../support/RedisServer.ts"
import { isFull, sized } from "../support/Sizes.ts"
import { errorOf, range } from "./liveService.ts"

const fields = {
  id: Schema.String,
  group: Schema.Literals(["g", "h"]),
  n: Schema.Int.pipe(Model.indexed),
  text: Schema.String,
  hits: Schema.Int.pipe(Model.withDefault(0))
}

const indexes = { byText: ["group", "text"] } as const

const One = Model.make("live/Paged", fields, { key: "id", indexes })
const Spread = Model.make("live/PagedSpread", fields, { key: "id", indexes, slot: { partitions: 3 } })

type Entity = typeof One.Type

const equal = 500

const entity = (id: string, n: number): Entity => ({
  id,
  group: "g",
  n,
  text: `t${String(n).padStart(4, "0")}`,
  hits: 0
})

interface Sizes {
  readonly total: number
  readonly limits: ReadonlyArray<number>
}

const onServer = { total: sized(1000, 100_000), limits: isFull ? [997, 1000] : [47, 400] }
const inMemory = { total: sized(600, 5000), limits: [37, 400] }

const seconds = sized(120, 900) * 1000

/** Walks through a query and back while others write, and compares what it has seen of the entities that stay. */
const walk = Effect.fnUntraced(function*(
  model: typeof One,
  query: Query.Query<Entity, any>,
  expected: ReadonlyArray<string>,
  limit: number,
  next: () => number
) {
  const pages = { forwards: 0, back: 0, moved: 0 }
  const seen: Array<string> = []
  const stays = (page: Query.Page<Entity>) => page.items.flatMap(({ id }) => id.startsWith("s") ? [id] : [])
  // an entity that a cursor names may go, or get another value
  const disturb = (one: Entity | undefined) =>
    Effect.suspend((): Effect.Effect<unknown, unknown, RedisService.RedisService> => {
      if (one?.id.startsWith("o") !== true) return Effect.void
      pages.moved++
      return next() < 0.5 ? model.delete(one.id) : model.put(entity(one.id, Math.floor(next() * 1000)))
    })
  let page: Query.Page<Entity> = yield* Query.page(query, { limit })
  for (;;) {
    pages.forwards++
    seen.push(...stays(page))
    if (Option.isNone(page.next)) break
    yield* disturb(page.items.at(-1))
    page = yield* Query.page(query, { limit, after: page.next.value })
  }
  assert.deepStrictEqual(seen, expected, "forwards")
  const back: Array<string> = stays(page)
  while (Option.isSome(page.prev)) {
    pages.back++
    yield* disturb(page.items[0])
    page = yield* Query.page(query, { limit, before: page.prev.value })
    back.unshift(...stays(page))
  }
  assert.deepStrictEqual(back, expected, "back")
  return pages
})

const paging = Effect.fnUntraced(function*(model: typeof One, { limits, total }: Sizes) {
  const next = random(total + limits[0]!)
  // a quarter of all have one value, and stay; four of ten come, go and move
  const staying = range(Math.floor(total * 0.6)).map((i) =>
    entity(`s${i}`, i < total / 4 ? equal : Math.floor(next() * 1000))
  )
  const others = total - staying.length
  const moving = range(others).map((i) => entity(`o${i}`, Math.floor(next() * 1000)))
  yield* model.insertMany([...staying, ...moving])
  let isOver = false
  let written = 0
  const write = Effect.suspend(() => {
    written++
    const id = `o${Math.floor(next() * others * 1.2)}`
    // often where many values are equal
    const n = next() < 0.3 ? equal : Math.floor(next() * 1000)
    const kind = next()
    if (kind < 0.3) return Effect.ignore(model.delete(id))
    if (kind < 0.6) return Effect.ignore(model.put(entity(id, n)))
    if (kind < 0.8) return Effect.ignore(model.update(id, { n, text: `t${n}` }))
    // what decides the order of these stays
    return Effect.ignore(model.ref(`s${Math.floor(next() * staying.length)}`).hits.increment())
  })
  const writers = Effect.forEach(
    range(4),
    () =>
      Effect.whileLoop({
        while: () => !isOver,
        body: () => Effect.andThen(write, Effect.sleep(1)),
        step: () => {}
      }),
    { concurrency: "unbounded", discard: true }
  )
  const ids = (entities: ReadonlyArray<Entity>) =>
    entities.toSorted((a, b) => a.n - b.n || (a.id < b.id ? -1 : 1)).map(({ id }) => id)
  const all = ids(staying)
  const tied = ids(staying.filter(({ n }) => n === equal))
  const queries: ReadonlyArray<readonly [string, Query.Query<Entity, any>, ReadonlyArray<string>]> = [
    ["scores", model.by.n(), all],
    ["scores, reversed", Query.reverse(model.by.n()), all.toReversed()],
    ["equal scores", model.by.n({ n: { gte: equal, lte: equal } }), tied],
    ["texts", model.by.byText({ group: "g" }), all],
    [
      "equal texts, reversed",
      Query.reverse(model.by.byText({ group: "g", text: entity("", equal).text })),
      tied.toReversed()
    ],
    [
      "a condition",
      Query.orderBy(model.query(({ group }) => group.in(["h", "g"])), "text"),
      all
    ]
  ]
  const walks = Effect.gen(function*() {
    const lines: Array<string> = []
    for (const [i, [name, query, expected]] of queries.entries()) {
      const { back, forwards, moved } = yield* walk(model, query, expected, limits[i % limits.length]!, next)
      lines.push(`${name}: ${forwards} pages and ${back} back, ${moved} cursors moved`)
    }
    isOver = true
    return lines
  })
  const [lines] = yield* Effect.all([walks, writers], { concurrency: "unbounded" })
  console.log(`${total} entities, ${written} writes meanwhile; ${lines.join("; ")}`)
  assert.isAbove(written, 40)
  assert.deepStrictEqual(yield* Stream.runCollect(model.check()), [])
})

const Tied = Model.make(
  "live/PagedTies",
  { id: Schema.String, n: Schema.Int.pipe(Model.indexed), text: Schema.String },
  {
    key: "id",
    indexes: { text: ["text"] }
  }
)

/** Pages of many equal values: none is repeated, none is left out, and a page is as long as it was asked for. */
const ties = Effect.fnUntraced(function*(total: number) {
  const ids = range(total).map((i) => `p${i}`).sort()
  yield* Tied.insertMany(ids.map((id) => ({ id, n: 7, text: "same" })))
  const queries: ReadonlyArray<
    readonly [Query.Query<typeof Tied.Type, any>, expected: ReadonlyArray<string>, limits: ReadonlyArray<number>]
  > = [
    [Tied.by.n(), ids, [10_001]],
    [Query.reverse(Tied.by.n()), ids.toReversed(), isFull ? [10_001, 999] : []],
    [Tied.by.text({ text: "same" }), ids, isFull ? [10_001, 999] : [999]]
  ]
  for (const [query, expected, limits] of queries) {
    for (const limit of limits) {
      let page = yield* Query.page(query, { limit })
      const seen = page.items.map(({ id }) => id)
      while (Option.isSome(page.next)) {
        assert.lengthOf(page.items, limit)
        page = yield* Query.page(query, { limit, after: page.next.value })
        seen.push(...page.items.map(({ id }) => id))
      }
      assert.deepStrictEqual(seen, expected)
    }
    let page = yield* Query.page(query, { limit: 1 })
    for (const i of range(50)) {
      assert.deepStrictEqual(page.items.map(({ id }) => id), [expected[i]])
      // the place of a cursor stays when its entity is gone, or is elsewhere
      const id = expected[i]!
      yield* i % 2 === 0 ? Tied.delete(id) : Tied.update(id, { n: i % 4 === 1 ? 9 : 3, text: i % 4 === 1 ? "z" : "a" })
      page = yield* Query.page(query, { limit: 1, after: Option.getOrThrow(page.next) })
    }
    const back = yield* Query.page(query, { limit: 10, before: Option.getOrThrow(page.prev) })
    assert.isTrue(back.items.every(({ n }) => n !== 7), "all that came before are gone or elsewhere")
    yield* Tied.insertMany(expected.slice(0, 50).flatMap((id, i) => i % 2 === 0 ? [{ id, n: 7, text: "same" }] : []))
    yield* Effect.forEach(expected.slice(0, 50), (id) => Tied.update(id, { n: 7, text: "same" }))
  }
  const { next } = yield* Query.page(Tied.by.n(), { limit: 3 })
  const after = Option.getOrThrow(next)
  for (const foreign of [Tied.by.n({ n: 7 } as any), Tied.by.text(), Query.filter(Tied.by.n(), ({ n }) => n.gt(0))]) {
    const exit = yield* Effect.exit(Query.page(foreign, { limit: 3, after }))
    assert.strictEqual((errorOf(exit) as any)?._tag, "InvalidValue")
  }
  assert.deepStrictEqual(yield* Stream.runCollect(Tied.check()), [])
})

const served = <A, E>(self: Effect.Effect<A, E, RedisService.RedisService>) =>
  Effect.flatMap(
    RedisServer.start(),
    ({ url }) => Effect.provide(self, RedisService.layer({ url, deadline: "60 seconds" }))
  ).pipe(Effect.scoped)

const models = [["one home", One], ["partitions", Spread as unknown as typeof One]] as const

describeOwnServer("pages", () => {
  for (const [name, model] of models) {
    it.live(
      `[${name}] an entity whose order stays is on one page, forwards and back, whatever others write`,
      () => served(paging(model, onServer)),
      seconds
    )
  }

  // RediSearch#4493 and #4883, redis-om-node#255, redis-om-dotnet#574
  it.live(
    "equal values are on one page each, of whatever size, and a page is as long as it was asked for",
    () => served(ties(sized(10_100, 25_000))),
    seconds
  )
})

describeMemory("pages", () => {
  for (const [name, model] of models) {
    it.live(
      `[${name}] an entity whose order stays is on one page, forwards and back, whatever others write`,
      () => Effect.provide(paging(model, inMemory), Layer.fresh(RedisService.layerMemory)),
      seconds
    )
  }

  it.live(
    "equal values are on one page each, of whatever size, and a page is as long as it was asked for",
    () => Effect.provide(ties(10_100), Layer.fresh(RedisService.layerMemory)),
    seconds
  )
})
