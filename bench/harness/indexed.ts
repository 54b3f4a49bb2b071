/**
 * The model of the rows about indexes: as `Counter`, but `n` has an index.
 */
import { Effect } from "effect"
import type { Redis } from "ioredis"
import { Model, RedisService } from "redlayer"
import { entityOf, fields } from "./entities.ts"
import { scriptOf } from "./scripts.ts"

export class Ranked extends Model.Class<Ranked>("Ranked")(
  { ...fields, n: fields.n.pipe(Model.indexed) },
  { key: "id", slot: "id" }
) {}

/** Stores so many players in a database, by a script, because millions of programs take too long. `n`: of all; unset: the number in the id. */
export const fillRanked = async (redis: Redis, url: string, database: number, count: number, n?: number) => {
  await redis.select(database)
  await Effect.runPromise(
    Effect.provide(Ranked.insert(entityOf("template")), RedisService.layer({ url: `${url}/${database}` }))
  )
  const [index] = await redis.keys("Ranked:*:$ix:*")
  for (let from = 0; from < count; from += 10_000) {
    const to = Math.min(from + 10_000, count) - 1
    const values = n === undefined ? [] : [n]
    await redis.eval(scriptOf("fill-scores"), 2, "Ranked:{template}", index!, "Ranked:", from, to, ...values)
  }
  await redis.del("Ranked:{template}")
  await redis.zrem(index!, "template")
}
