/**
 * The cost of reads of a large index, compared with a small one, or with the begin of it.
 */
import { Effect, Option } from "effect"
import { Query, type RedisService } from "redlayer"
import { compare } from "./harness/compare.ts"
import { walk } from "./harness/entities.ts"
import { fillRanked, Ranked } from "./harness/indexed.ts"
import { serverTime } from "./harness/measures.ts"
import { fibers, inDatabase, type Work } from "./harness/work.ts"

const [many, few] = [1_000_000, 1000]
const [depth, limit] = [100_000, 20]

const ranks = (count: number): Work =>
  fibers({
    loops: 100,
    operations: (loop) => {
      const next = walk(count, loop)
      return () => Ranked.rank(next(), "n")
    },
    check: (rank) => {
      if (Option.isNone(rank)) throw new Error("an entity has no rank")
    }
  })

/** The first pages; or those behind many entities, whose cursor one long page gives. */
const pages = (isDeep: boolean): Work => {
  let after: Query.Cursor | undefined
  const page = Effect.suspend(() => Query.page(Ranked.by.n(), after === undefined ? { limit } : { limit, after }))
  const behind = Effect.map(Query.page(Ranked.by.n(), { limit: depth }), ({ next }) => {
    after = Option.getOrThrow(next)
  })
  return fibers({
    loops: 1,
    operations: (): () => Effect.Effect<Query.Page<Ranked>, unknown, RedisService.RedisService> => () =>
      isDeep && after === undefined ? Effect.andThen(behind, page) : page,
    check: ({ items }) => {
      if (items.length !== limit) throw new Error(`a page has ${items.length} entities`)
    }
  })
}

const growthPage = (contender: string, n?: number) =>
  compare({
    module: import.meta.url,
    name: "growth-page",
    contender,
    target: 0.7,
    ...serverTime,
    warmUp: 2000,
    ours: pages(true),
    theirs: pages(false),
    prepare: async (redis, url) => {
      await fillRanked(redis, url, 0, 2 * depth, n)
      return async () => undefined
    }
  })

export const rows = [
  compare({
    module: import.meta.url,
    name: "growth-rank",
    contender: `itself at 1,000`,
    target: 0.5,
    ...serverTime,
    ours: ranks(many),
    theirs: inDatabase(1, ranks(few)),
    prepare: async (redis, url) => {
      await fillRanked(redis, url, 1, few)
      await fillRanked(redis, url, 0, many)
      return async () => undefined
    }
  }),
  growthPage("the first page"),
  growthPage("the first, all equal", 7)
]
