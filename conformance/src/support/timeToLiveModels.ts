/** The models of the checks on the time to live. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Model from "redlayer/Model"
import type * as RedisService from "redlayer/RedisService"
import { minutes } from "./time.ts"

export const fields = {
  id: Schema.String,
  count: Schema.Int,
  nick: Schema.optionalKey(Schema.String),
  list: Schema.Array(Schema.String),
  set: Schema.ReadonlySet(Schema.String),
  map: Schema.Record(Schema.String, Schema.Int),
  sorted: Model.sortedSet(Schema.String),
  home: Schema.Struct({ city: Schema.String, tags: Schema.Array(Schema.String) })
}

export const hour = minutes(60)
/** The time until a new or renewed entity expires: 1 % more than its duration, so that the next renewals can wait. */
export const renewedHour = hour + hour / 100

export const define = (name: string, timeToLive?: Model.TimeToLive) =>
  Model.make(`TimeToLive${name}`, fields, { key: "id", timeToLive })

export const Immortal = define("Immortal")
export const Fixed = define("Fixed", { duration: "1 hour", refresh: "never" })
export const Written = define("Written", { duration: hour })
export const Accessed = define("Accessed", { duration: Duration.hours(1), refresh: "access" })
export const expiringModels = [Fixed, Written, Accessed]
export const models = [Immortal, ...expiringModels]

export type AnyModel = typeof Immortal

/** When a new entity of a model expires. */
export const lifeOf = (model: AnyModel): number | undefined =>
  model === Immortal ? undefined : model === Fixed ? hour : renewedHour

export const withCollections = (id: string) => ({
  id,
  count: 1,
  list: ["a", "b"],
  set: new Set(["a", "b"]),
  map: { a: 1 },
  sorted: [{ member: "a", score: 1 }],
  home: { city: "Bern", tags: ["a"] }
})

export const withoutCollections = (id: string) => ({
  id,
  count: 1,
  list: [],
  set: new Set<string>(),
  map: {},
  sorted: [],
  home: { city: "Bern", tags: [] }
})

export const keyOf = ({ name }: AnyModel, id: string): string => `${name}:{${id}}`

/** The keys of an entity that has a value in every collection. */
export const keysFor = (model: AnyModel, id: string): ReadonlyArray<string> => {
  const key = keyOf(model, id)
  return [key, ...["home.tags", "list", "map", "set", "sorted"].map((name) => `${key}:${name}`)]
}

/** Durations that are no valid time to live. */
export const invalidDurations: ReadonlyArray<Duration.Input> = [
  0,
  -1,
  NaN,
  Infinity,
  -Infinity,
  0n,
  -5n,
  "0 millis",
  "-1 seconds",
  "Infinity",
  Duration.zero,
  Duration.infinity,
  Duration.negate(Duration.hours(1)),
  1e14,
  2 ** 48,
  "an hour" as never,
  {} as never,
  null as never
]

/** Every way to create an entity with a given time to live, except `duplicate` and `put`. */
export const creations: {
  readonly [name: string]: (model: AnyModel, id: string, options?: Model.InsertOptions) => Effect.Effect<
    unknown,
    unknown,
    RedisService.RedisService
  >
} = {
  insert: (model, id, options) => model.insert(withCollections(id), options),
  getOrInsert: (model, id, options) => model.getOrInsert(withCollections(id), options),
  ensure: (model, id, options) => model.ensure(withCollections(id), options),
  insertMany: (model, id, options) => Effect.flatMap(model.insertMany([withCollections(id)], options), unwrap),
  insertManyStream: (model, id, options) =>
    Effect.flatMap(Stream.runCollect(model.insertManyStream([withCollections(id)], options)), unwrap)
}

const unwrap = (results: ReadonlyArray<Result.Result<unknown, unknown>>) => Effect.forEach(results, Effect.fromResult)
