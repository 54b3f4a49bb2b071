/**
 * The model of most rows: 8 scalar fields, each entity in a slot of its own, no time to live, no index. Its plain twin is a
 * hash of the same fields, for contenders.
 */
import { Effect, Schema } from "effect"
import type { Redis } from "ioredis"
import { Model, RedisService } from "redlayer"
import type { Definition, Done } from "./compare.ts"

export class Counter extends Model.Class<Counter>("Counter")({
  id: Schema.String,
  name: Schema.String,
  role: Schema.Literals(["admin", "member"]),
  active: Schema.Boolean,
  rating: Schema.Finite,
  n: Schema.Int,
  visits: Schema.Int,
  likes: Schema.Int,
  posts: Schema.Int
}, { key: "id", slot: "id" }) {}

export const entityCount = 1000

export const idOf = (index: number): string => `entity-${index % entityCount}`
export const plainKey = (id: string): string => `plain:${id}`
const ourKey = (id: string): string => `Counter:{${id}}`

/** Fibers begin apart from each other, and each goes through all entities. */
export const firstOf = (loop: number): number => loop * 2

const entity = (id: string) =>
  new Counter({
    id,
    name: `name of ${id}`,
    role: "member",
    active: true,
    rating: 4.5,
    n: 0,
    visits: 0,
    likes: 0,
    posts: 0
  })

const fill = async (redis: Redis, url: string): Promise<void> => {
  const ids = Array.from({ length: entityCount }, (_, index) => idOf(index))
  await Effect.runPromise(
    Effect.forEach(ids, (id) => Counter.insert(entity(id)), { concurrency: "unbounded", discard: true }).pipe(
      Effect.provide(RedisService.layer({ url }))
    )
  )
  const pipeline = redis.pipeline()
  for (const id of ids) {
    const { id: _, ...fields } = entity(id)
    pipeline.hset(plainKey(id), Object.entries(fields).flatMap(([name, value]) => [name, String(value)]))
  }
  await pipeline.exec()
}

/** Exact: versions begin at the time in microseconds, and a thousand of them go beyond 2^53. */
const total = async (redis: Redis, key: (id: string) => string, field: string): Promise<bigint> => {
  const pipeline = redis.pipeline()
  for (let index = 0; index < entityCount; index++) pipeline.hget(key(idOf(index)), field)
  let sum = 0n
  for (const [error, text] of await pipeline.exec() ?? []) {
    if (error !== null || typeof text !== "string") throw new Error(`${field} of an entity is gone`)
    sum += BigInt(text)
  }
  return sum
}

/** The entities, and the check that of each field named both sides have as much as they have done. */
export const counting =
  (...fields: ReadonlyArray<"n" | "visits" | "likes" | "posts">): Definition["prepare"] => async (redis, url) => {
    await fill(redis, url)
    const versions = await total(redis, ourKey, "$v")
    return async (done: Done) => {
      const [expected, contender] = [BigInt(done.ours), BigInt(done.theirs)]
      for (const field of fields) {
        const ours = await total(redis, ourKey, field)
        if (ours !== expected) return `redlayer counted ${ours} in ${field}, and not ${expected}`
        const theirs = await total(redis, plainKey, field)
        if (theirs !== contender) return `the contender counted ${theirs} in ${field}, and not ${contender}`
      }
      const changes = await total(redis, ourKey, "$v") - versions
      return changes === expected ? undefined : `the versions grew by ${changes}, and not by ${expected}`
    }
  }

/** The entities, which nobody may change. */
export const reading: Definition["prepare"] = async (redis, url) => {
  const check = await counting("n")(redis, url)
  return () => check({ ours: 0, theirs: 0 })
}
