/**
 * The model of most rows: 8 scalar fields, a separate slot for each entity, no time to live, no index. For the contenders there
 * is a plain hash of the same fields.
 */
import { Effect, Schema } from "effect"
import type { Redis } from "ioredis"
import { Model, RedisService } from "redlayer"
import type { Definition, Done } from "./compare.ts"

/** The fields of the model. */
export const fields = {
  id: Schema.String,
  name: Schema.String,
  role: Schema.Literals(["admin", "member"]),
  active: Schema.Boolean,
  rating: Schema.Finite,
  n: Schema.Int,
  visits: Schema.Int,
  likes: Schema.Int,
  posts: Schema.Int
}

export class Counter extends Model.Class<Counter>("Counter")(fields, { key: "id", slot: "id" }) {}

export const entityCount = 1000

export const idOf = (index: number): string => `entity-${index % entityCount}`
export const plainKey = (id: string): string => `plain:${id}`
export const ourKey = (id: string): string => `Counter:{${id}}`

/** The index of the first entity of a fiber. Fibers start at different entities, and each visits all of them. */
export const firstOf = (loop: number): number => loop * 2

export const entityOf = (id: string) => ({
  id,
  name: `name of ${id}`,
  role: "member" as const,
  active: true,
  rating: 4.5,
  n: 0,
  visits: 0,
  likes: 0,
  posts: 0
})

/** The fields without the id, as `HSET` takes them. A flat list, because ioredis sends it fastest. */
export const plainFields = (id: string): Array<string | number> => {
  const { active, likes, n, name, posts, rating, role, visits } = entityOf(id)
  const flat: Array<string | number> = ["name", name, "role", role, "active", String(active), "rating", rating]
  flat.push("n", n, "visits", visits, "likes", likes, "posts", posts)
  return flat
}

/** A walk over entities in an order that no cache can foresee. */
export const walk = (count: number, loop: number) => {
  let at = loop * 104_729 % count
  return () => {
    at = (at + 7919 * 613) % count
    return `entity-${at}`
  }
}

const ids: ReadonlyArray<string> = Array.from({ length: entityCount }, (_, index) => idOf(index))

/** Runs `insert` for each id. */
export const filling =
  (insert: (id: string) => Effect.Effect<unknown, unknown, RedisService.RedisService>) =>
  (url: string): Promise<void> =>
    Effect.runPromise(
      Effect.forEach(ids, insert, { concurrency: "unbounded", discard: true }).pipe(
        Effect.provide(RedisService.layer({ url }))
      )
    )

export const fillOurs = filling((id) => Counter.insert(entityOf(id)))

const fillPlain = async (redis: Redis): Promise<void> => {
  const pipeline = redis.pipeline()
  for (const id of ids) pipeline.hset(plainKey(id), plainFields(id))
  await pipeline.exec()
}

/** The sum of a field over all entities. A bigint, because the sum of a thousand versions exceeds 2^53. */
const total = async (redis: Redis, key: (id: string) => string, field: string): Promise<bigint> => {
  const pipeline = redis.pipeline()
  for (const id of ids) pipeline.hget(key(id), field)
  let sum = 0n
  for (const [error, text] of await pipeline.exec() ?? []) {
    if (error !== null || typeof text !== "string") throw new Error(`${field} of an entity is missing`)
    sum += BigInt(text)
  }
  return sum
}

type Counted = "n" | "visits" | "likes" | "posts"

type Prepare = (...fields: ReadonlyArray<Counted>) => Definition["prepare"]

/** Stores the entities of redlayer. The check: each named field, and the versions, grew by the number of operations. */
export const countingIn =
  (fill: (url: string) => Promise<void>, key: (id: string) => string): Prepare => (...fields) => async (redis, url) => {
    await fill(url)
    const versions = await total(redis, key, "$v")
    return async (done: Done) => {
      const expected = BigInt(done.ours)
      for (const field of fields) {
        const counted = await total(redis, key, field)
        if (counted !== expected) return `redlayer counted ${counted} in ${field}, and not ${expected}`
      }
      const changes = await total(redis, key, "$v") - versions
      return changes === expected ? undefined : `the versions grew by ${changes}, and not by ${expected}`
    }
  }

/** Adds the plain hashes of the contender. The check: on both sides, each named field equals the number of operations. */
export const withPlainHashes = (ours: Prepare): Prepare => (...fields) => async (redis, url) => {
  const check = await ours(...fields)(redis, url)
  await fillPlain(redis)
  return async (done: Done) => {
    const expected = BigInt(done.theirs)
    for (const field of fields) {
      const counted = await total(redis, plainKey, field)
      if (counted !== expected) return `the contender counted ${counted} in ${field}, and not ${expected}`
    }
    return check(done)
  }
}

export const countingOurs = countingIn(fillOurs, ourKey)
export const counting = withPlainHashes(countingOurs)

/** Stores the entities of both sides. The check: they are unchanged. */
export const reading: Definition["prepare"] = async (redis, url) => {
  const check = await counting("n")(redis, url)
  return () => check({ ours: 0, theirs: 0 })
}

/** Empties the server before each turn. The check: each operation has stored an entity. */
export const inserting: Pick<Definition, "prepare" | "before"> = (() => {
  let stored = 0
  return {
    prepare: async (redis) => {
      stored = 0
      return async ({ ours, theirs }) => {
        const keys = stored + await redis.dbsize()
        const expected = ours + theirs
        return keys === expected ? undefined : `${keys} entities were stored, and not ${expected}`
      }
    },
    before: async (redis) => {
      stored += await redis.dbsize()
      await redis.flushall("SYNC")
    }
  }
})()
