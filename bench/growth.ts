/**
 * The cost of an operation on large data, compared with the same operation on small data.
 */
import { Effect, Schema } from "effect"
import { Model, RedisService } from "redlayer"
import { compare } from "./harness/compare.ts"
import { Counter, entityOf, ourKey, walk } from "./harness/entities.ts"
import { perSecond, serverTime } from "./harness/measures.ts"
import { scriptOf } from "./harness/scripts.ts"
import { fibers, handWritten, inDatabase, type Work } from "./harness/work.ts"

/** The numbers of entities: the many are in database 0, the few in database 1. */
const [many, few] = [1_000_000, 100]

const ourIncrements = (count: number): Work =>
  fibers({
    loops: 500,
    operations: (loop) => {
      const next = walk(count, loop)
      return () => Counter.ref(next()).n.increment()
    }
  })

const rawIncrements = (count: number): Work =>
  handWritten({
    script: "increment",
    loops: 500,
    operations: (run, loop) => {
      const next = walk(count, loop)
      return () => run([ourKey(next())], [1])
    }
  })

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
    name: "growth-increment",
    contender: "script, the same",
    target: 0.9,
    ...serverTime,
    unit: `× cost at ${few}`,
    warmUp: 100_000,
    ours: ourIncrements(many),
    theirs: rawIncrements(many),
    small: { ours: inDatabase(1, ourIncrements(few)), theirs: inDatabase(1, rawIncrements(few)) },
    prepare: async (redis, url) => {
      const template = Counter.insert(entityOf("template"))
      for (const [database, count] of [[1, few], [0, many]] as const) {
        await redis.select(database)
        await Effect.runPromise(Effect.provide(template, RedisService.layer({ url: `${url}/${database}` })))
        for (let from = 0; from < count; from += 10_000) {
          const to = Math.min(from + 10_000, count) - 1
          await redis.eval(scriptOf("fill"), 1, ourKey("template"), "Counter:", from, to)
        }
        await redis.del(ourKey("template"))
      }
      return async (done) => {
        for (const [database, count] of [[1, few], [0, many]] as const) {
          await redis.select(database)
          const expected = database === 0 ? done.ours + done.theirs : done.oursSmall! + done.theirsSmall!
          let counted = 0
          for (let from = 0; from < count; from += 10_000) {
            const to = Math.min(from + 10_000, count) - 1
            counted += await redis.eval(scriptOf("sum"), 0, "Counter:", from, to) as number
          }
          if (counted !== expected) return `database ${database} counted ${counted}, and not ${expected}`
        }
        return undefined
      }
    }
  }),
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
