/**
 * The cost of an index for a write, and the gain for a read.
 */
import { Effect } from "effect"
import type { Redis } from "ioredis"
import { RedisService } from "redlayer"
import { compare, type Definition } from "./harness/compare.ts"
import { Counter, entityCount, entityOf, idOf, ourKey } from "./harness/entities.ts"
import { fillRanked, Ranked } from "./harness/indexed.ts"
import { perSecond, serverTime } from "./harness/measures.ts"
import { fibers, promises } from "./harness/work.ts"

const players = 100_000
const batch = 128
const topCount = 10
const bulkSize = 200

const topIds = Array.from({ length: topCount }, (_, i) => `entity-${players - 1 - i}`).join()

const checkTop = (found: ReadonlyArray<{ readonly id: string }>): void => {
  const ids = found.map(({ id }) => id).join()
  if (ids !== topIds) throw new Error(`the first players are ${ids}, and not ${topIds}`)
}

/** As a leaderboard without an index does it: all players are read, and sorted by the client. */
const readAll = async (redis: Redis) => {
  const ids = Array.from({ length: players }, (_, i) => `entity-${i}`)
  const all = await Promise.all(ids.map(async (id) => ({ id, ...await redis.hgetall(`Ranked:{${id}}`) })))
  return all.toSorted((a: Record<string, string>, b: Record<string, string>) => Number(b.n) - Number(a.n))
    .slice(0, topCount)
}

const increments = (model: typeof Counter | typeof Ranked, count: number) => (loop: number) => {
  let at = loop * 2
  return () => model.ref(`entity-${at++ % count}`).n.increment()
}

/** Each fiber takes every 128th entity, so that a call has no entity twice. */
const inStep = (model: typeof Counter | typeof Ranked) => (loop: number) => {
  let at = loop
  return () => {
    const { n } = model.ref(idOf(at))
    at += batch
    return n.increment()
  }
}

/** Stores the entities of both models. The check: each model, and the scores of the index, counted the operations. */
const filling = (count: number): Definition["prepare"] => async (redis, url) => {
  const ids = Array.from({ length: count }, (_, i) => `entity-${i}`)
  const bulks = Array.from(
    { length: Math.ceil(count / bulkSize) },
    (_, i) => ids.slice(i * bulkSize, (i + 1) * bulkSize)
  )
  await Effect.runPromise(
    Effect.forEach(
      bulks,
      (bulk) => Effect.all([Counter.insertMany(bulk.map(entityOf)), Ranked.insertMany(bulk.map(entityOf))]),
      { discard: true }
    )
      .pipe(Effect.provide(RedisService.layer({ url })))
  )
  const [index] = await redis.keys("Ranked:*:$ix:*")
  const sum = async (key: (id: string) => string): Promise<number> => {
    let total = 0
    for (let from = 0; from < count; from += 10_000) {
      const pipeline = redis.pipeline()
      for (const id of ids.slice(from, from + 10_000)) pipeline.hget(key(id), "n")
      for (const [, text] of await pipeline.exec() ?? []) total += Number(text)
    }
    return total
  }
  return async (done) => {
    const counted = await sum(ourKey)
    if (counted !== done.theirs) return `the plain field counted ${counted}, and not ${done.theirs}`
    const indexed = await sum((id) => `Ranked:{${id}}`)
    if (indexed !== done.ours) return `the indexed field counted ${indexed}, and not ${done.ours}`
    const entries = await redis.zrange(index!, "0", "-1", "WITHSCORES")
    const scores = entries.reduce((total, text, i) => i % 2 === 0 ? total : total + Number(text), 0)
    return scores === done.ours ? undefined : `the scores of the index are ${scores} together, and not ${done.ours}`
  }
}

const indexedWrite = (contender: string, target: number | undefined, count: number) =>
  compare({
    module: import.meta.url,
    name: "indexed-write",
    contender,
    target,
    ...perSecond,
    ours: fibers({ loops: 500, operations: increments(Ranked, count) }),
    theirs: fibers({ loops: 500, operations: increments(Counter, count) }),
    prepare: filling(count)
  })

export const rows = [
  compare({
    module: import.meta.url,
    name: "top-10",
    contender: "ioredis HGETALL",
    target: 1000,
    ...perSecond,
    // an operation of theirs takes longer than a turn
    warmUp: 1,
    ours: fibers({
      loops: 1,
      operations: () => () => Ranked.top("n", topCount),
      check: checkTop
    }),
    theirs: promises({ loops: 1, operations: (redis) => () => readAll(redis), check: checkTop }),
    prepare: async (redis, url) => {
      await fillRanked(redis, url, 0, players)
      return async () => undefined
    }
  }),
  indexedWrite("itself, no index", 0.6, entityCount),
  indexedWrite("of 200,000", undefined, 200_000),
  compare({
    module: import.meta.url,
    name: "server-indexed",
    contender: "itself, no index",
    target: undefined,
    ...serverTime,
    warmUp: 100_000,
    perCall: batch,
    ours: fibers({ loops: batch, operations: inStep(Ranked) }),
    theirs: fibers({ loops: batch, operations: inStep(Counter) }),
    prepare: filling(entityCount)
  })
]
