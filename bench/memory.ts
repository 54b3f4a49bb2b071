/**
 * The memory of an entity on the server, compared with a plain hash of the same fields.
 */
import type { Redis } from "ioredis"
import { entityCount, fillOurs, idOf, ourKey, plainFields } from "./harness/entities.ts"
import { once } from "./harness/once.ts"

/** Only the ids of ten characters, so that all keys have the same length. */
const ids = Array.from({ length: entityCount }, (_, index) => idOf(index)).filter((id) => id.length === 10)

/** The key that the plain hash would have without redlayer. */
const plainKey = (id: string): string => `Counter:${id}`

const meanUsage = async (redis: Redis, key: (id: string) => string): Promise<number> => {
  let sum = 0
  for (const id of ids) {
    const usage = await redis.memory("USAGE", key(id), "SAMPLES", 0)
    if (usage === null) throw new Error(`${key(id)} is missing`)
    sum += usage
  }
  return sum / ids.length
}

export const rows = [
  once({
    name: "memory",
    contender: "HSET",
    unit: "bytes",
    target: 0.8,
    measure: async (redis, url) => {
      await fillOurs(url)
      for (const id of ids) await redis.hset(plainKey(id), plainFields(id))
      return { ours: await meanUsage(redis, ourKey), theirs: await meanUsage(redis, plainKey) }
    }
  })
]
