/**
 * Models with every kind of index, random writes of them, and what plain TypeScript says of their indexes.
 */
import { assert } from "@effect/vitest"
import { Effect, Option, Result, Schema, Stream } from "effect"
import { Atomic, Model, Query, type RedisService } from "redlayer"

const fields = {
  team: Schema.Literals(["red", "blue", "green"]),
  id: Schema.String,
  role: Schema.Literals(["admin", "user"]),
  points: Schema.Int.check(Schema.isBetween({ minimum: -1000, maximum: 1000 })).pipe(Model.indexed),
  name: Schema.String,
  seen: Schema.optionalKey(Schema.Date),
  tags: Schema.Array(Schema.String)
}

const indexes = {
  standing: ["team", "points"],
  admins: { fields: ["points"], where: { role: "admin" } },
  seen: { fields: ["seen", "name"], absent: true }
} as const

export const Plain = Model.make("faults/IndexedPlain", fields, {
  key: ["team", "id"],
  indexes,
  unique: { name: ["name"] }
})

/** Entities of it live for an hour, or for as long as a program says. */
export const Expiring = Model.make("faults/IndexedExpiring", fields, {
  key: ["team", "id"],
  indexes,
  unique: { name: ["name"] },
  timeToLive: { duration: "1 hour" }
})

export const Grouped = Model.make("faults/IndexedGrouped", fields, {
  key: ["team", "id"],
  slot: "team",
  indexes,
  unique: { name: ["name"] },
  live: true
})

export const Spread = Model.make("faults/IndexedSpread", fields, {
  key: ["team", "id"],
  slot: { partitions: 3 },
  indexes
})

export type Entity = typeof Plain.Type

// the same methods, whatever the slot
type Indexed = typeof Plain

export const models: ReadonlyArray<readonly [name: string, model: Indexed]> = [
  ["slot id", Plain],
  ["slot id, expiring", Expiring],
  ["slot of a component", Grouped as unknown as Indexed],
  ["partitions", Spread as unknown as Indexed]
]

export type Write = readonly [name: string, program: Effect.Effect<unknown, unknown, RedisService.RedisService>]

const teams = ["red", "blue", "green"] as const

/** One random write, of a model of these. */
export const randomWrite = (next: () => number): Write => {
  const int = (low: number, high: number): number => low + Math.floor(next() * (high - low + 1))
  const pick = <A>(values: ReadonlyArray<A>): A => values[int(0, values.length - 1)]!
  const [, model] = pick(models)
  const isSpread = model === Spread as unknown
  const idOf = (): readonly [typeof teams[number], string] => [pick(teams), `p${int(0, 39)}`]
  const id = idOf()
  const values = () => ({
    role: pick(["admin", "user"] as const),
    points: int(-20, 20),
    // few names, so that some are refused
    name: `n${int(0, 199)}`,
    ...(next() < 0.5 ? undefined : { seen: new Date(int(0, 5) * 1000) }),
    tags: []
  })
  const entity = ([team, id] = idOf()): Entity => ({ team, id, ...values() })
  const ref = model.ref(id)
  const other = model.ref(isSpread ? id : [id[0], `p${int(0, 39)}`])
  const stop = Atomic.guard(model.exists(["red", "nobody"]), () => "stop" as const)
  const lives = pick([1, 20, 200, 3_600_000])
  const writes: ReadonlyArray<() => Write> = [
    () => ["insert", model.insert(entity())],
    () => ["insert for a time", model.insert(entity(), { timeToLive: lives })],
    () => ["insertMany", model.insertMany([entity(), entity(), entity()])],
    () => ["put", model.put(entity())],
    () => ["getOrInsert", model.getOrInsert(entity())],
    () => ["update", model.update(id, values())],
    () => ["set", ref.points.set(int(-20, 20))],
    () => ["increment", ref.points.increment(int(-3, 3))],
    () => ["increment beyond the bound", ref.points.increment(5000)],
    () => ["several increments", Atomic.all([ref.points.increment(), other.points.decrement()])],
    () => ["set of a name", ref.name.set(`n${int(0, 199)}`)],
    () => ["clear", ref.seen.clear()],
    () => ["delete", model.delete(id)],
    () => ["delete and insert", Atomic.all([model.delete(id), model.insert(entity(id))])],
    () => ["expire", model.expire(id, lives)],
    () => ["persist", model.persist(id)],
    () => ["put and fail", Atomic.andThen(model.put(entity(id)), stop)],
    () => ["increment and fail", Atomic.all([ref.points.increment(), ref.role.set("admin"), stop])],
    () => ["an attempt", Atomic.orElse(Atomic.andThen(model.put(entity(id)), stop), ref.points.set(7))],
    () => ["modify", model.modify(id, (found) => ({ ...found, ...values(), points: found.points }))]
  ]
  return pick(writes)()
}

const compareTexts = (a: string, b: string): number => a < b ? -1 : a > b ? 1 : 0

const inOrder = (...orders: ReadonlyArray<number>): number => orders.find((order) => order !== 0) ?? 0

/** Asserts that each index has exactly what the entities say, in its order. */
export const checkIndexes = Effect.fnUntraced(function*(model: Indexed) {
  const entities = (yield* Stream.runCollect(model.stream())).map((found) => Result.getOrThrow(found))
  assert.deepStrictEqual(yield* Stream.runCollect(model.check()), [])
  for (const team of teams) {
    // those of one component are the whole of a home
    const own = entities.filter((one) => one.team === team)
    const tie = (a: Entity, b: Entity) => compareTexts(a.id, b.id)
    const byPoints = (a: Entity, b: Entity) => inOrder(a.points - b.points, tie(a, b))
    const shown = (query: Query.Query<any, any>) =>
      Effect.map(
        Stream.runCollect(Query.ids(query)),
        (ids) => (ids as ReadonlyArray<readonly [string, string]>).flatMap(([of, id]) => of === team ? [id] : [])
      )
    const idsOf = (found: ReadonlyArray<Entity>, compare: (a: Entity, b: Entity) => number) =>
      found.toSorted(compare).map(({ id }) => id)
    const within = model === Grouped as unknown ? { team } : {}
    assert.deepStrictEqual(yield* shown(model.by.points(within as {})), idsOf(own, byPoints))
    assert.deepStrictEqual(yield* shown(model.by.standing({ team })), idsOf(own, byPoints))
    const admins = own.filter(({ role }) => role === "admin")
    assert.deepStrictEqual(yield* shown(model.by.admins(within as {})), idsOf(admins, byPoints))
    const bySeen = (a: Entity, b: Entity) =>
      inOrder((a.seen?.getTime() ?? -1) - (b.seen?.getTime() ?? -1), compareTexts(a.name, b.name), tie(a, b))
    assert.deepStrictEqual(yield* shown(model.by.seen(within as {})), idsOf(own, bySeen))
    if (model === Spread as unknown) continue
    for (const one of own) {
      const found = yield* model.findBy("name", { name: one.name, ...within } as { readonly name: string })
      assert.deepStrictEqual(Option.map(found, ({ id, team }) => [team, id]), Option.some([one.team, one.id]))
    }
    const names = own.map(({ name }) => name)
    assert.strictEqual(new Set(names).size, names.length)
  }
  return entities.length
})
