/**
 * The cost of an operation on large data, compared with the same operation on small data.
 */
import { Effect, Schema } from "effect"
import { Model, RedisService } from "redlayer"
import { compare } from "./harness/compare.ts"
import { perSecond } from "./harness/measures.ts"
import { fibers } from "./harness/work.ts"

class Feed extends Model.Class<Feed>("Feed")({
  id: Schema.String,
  entries: Schema.Array(Schema.String)
}, { key: "id", slot: "id" }) {}

const long = { id: "long", length: 1_000_000 }
const short = { id: "short", length: 10 }

const fill = ({ id, length }: typeof long) =>
  Effect.gen(function*() {
    yield* Feed.insert({ id, entries: [] })
    const { entries } = Feed.ref(id)
    for (let from = 0; from < length; from += 10_000) {
      const items = Array.from({ length: Math.min(length - from, 10_000) }, (_, index) => `entry ${from + index}`)
      yield* entries.append(items)
    }
  })

/** Each append removes the oldest item, so the list keeps its length. */
const appends = ({ id, length }: typeof long) =>
  fibers({
    loops: 500,
    operations: (loop) => {
      let at = 0
      return () => Feed.ref(id).entries.append(`of ${loop}: ${at++}`, { keep: length })
    },
    check: (kept) => {
      if (kept !== length) throw new Error(`a list of ${length} has ${kept} items`)
    }
  })

export const rows = [
  compare({
    module: import.meta.url,
    name: "growth-append",
    contender: "itself at 10 items",
    target: 0.85,
    ...perSecond,
    ours: appends(long),
    theirs: appends(short),
    prepare: async (redis, url) => {
      await Effect.runPromise(
        Effect.forEach([long, short], fill, { discard: true }).pipe(Effect.provide(RedisService.layer({ url })))
      )
      const versionOf = async ({ id }: typeof long): Promise<bigint> =>
        BigInt(await redis.hget(`Feed:{${id}}`, "$v") ?? 0)
      const before = { ours: await versionOf(long), theirs: await versionOf(short) }
      return async (done) => {
        const ours = await versionOf(long) - before.ours
        const theirs = await versionOf(short) - before.theirs
        return ours === BigInt(done.ours) && theirs === BigInt(done.theirs)
          ? undefined
          : `the versions grew by ${ours} and ${theirs}, and not by ${done.ours} and ${done.theirs}`
      }
    }
  })
]
