/**
 * One increment on a cluster of three primaries, compared with a hand-written script on the cluster client of ioredis.
 */
import { Effect, Schema } from "effect"
import { Model, RedisService } from "redlayer"
import { clusterFibers, connectCluster, scriptedOnCluster } from "./harness/clusterWork.ts"
import { compare, type Definition } from "./harness/compare.ts"
import { entityCount, firstOf, idOf, plainKey } from "./harness/entities.ts"
import { perSecond } from "./harness/measures.ts"

const fields = { id: Schema.String, name: Schema.String, n: Schema.Int }

const Separate = Model.make("Separate", fields, { key: "id" })
const Partitioned = Model.make("Partitioned", fields, { key: "id", slot: { partitions: 16 } })

type Counted = typeof Separate | typeof Partitioned

const ids: ReadonlyArray<string> = Array.from({ length: entityCount }, (_, index) => idOf(index))

const forEach = <A>(url: string, f: (id: string) => Effect.Effect<A, unknown, RedisService.RedisService>) =>
  Effect.runPromise(
    Effect.forEach(ids, f, { concurrency: "unbounded" }).pipe(
      Effect.provide(RedisService.layerCluster({ nodes: url.split(",") }))
    )
  )

const sum = (counts: ReadonlyArray<number>): number => counts.reduce((total, count) => total + count, 0)

/** Stores the entities of both sides. The check: each side counted its operations. */
const counting = (model: Counted): Definition["prepare"] => async (_, url) => {
  await forEach(url, (id) => model.insert({ id, name: `name of ${id}`, n: 0 }))
  const cluster = await connectCluster(url)
  await Promise.all(ids.map((id) => cluster.hset(plainKey(id), "name", `name of ${id}`, "n", 0)))
  return async (done) => {
    const ours = sum(await forEach(url, (id) => model.ref(id).n.get()))
    const theirs = sum((await Promise.all(ids.map((id) => cluster.hget(plainKey(id), "n")))).map(Number))
    cluster.disconnect()
    if (ours !== done.ours) return `redlayer counted ${ours}, and not ${done.ours}`
    return theirs === done.theirs ? undefined : `the contender counted ${theirs}, and not ${done.theirs}`
  }
}

const row = (name: string, model: Counted) =>
  compare({
    module: import.meta.url,
    name,
    contender: "ioredis Cluster",
    target: 2,
    isCluster: true,
    prepare: counting(model),
    ...perSecond,
    ours: clusterFibers(500, (loop) => {
      let at = firstOf(loop)
      return () => model.ref(idOf(at++)).n.increment()
    }),
    theirs: scriptedOnCluster("exists-increment", 500, (run, loop) => {
      let at = firstOf(loop)
      return () => run([plainKey(idOf(at++))], ["n", 1])
    })
  })

export const rows = [row("cluster-increment", Separate), row("cluster-partitioned", Partitioned)]
