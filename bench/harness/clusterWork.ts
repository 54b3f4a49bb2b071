/**
 * The work of a contender on a cluster. Its URL is the addresses of the nodes, with commas between them.
 */
import type { Effect } from "effect"
import { Cluster } from "ioredis"
import { RedisService } from "redlayer"
import { scriptOf } from "./scripts.ts"
import { fibersOn, promisesOn, type Work } from "./work.ts"

const nodesOf = (url: string) =>
  url.split(",").map((address) => {
    const [host, port] = address.split(":")
    return { host: host!, port: Number(port) }
  })

/** The cluster client of ioredis, with auto-pipelining. */
export const connectCluster = async (url: string): Promise<Cluster> => {
  const cluster = new Cluster(nodesOf(url), { enableAutoPipelining: true, lazyConnect: true })
  await cluster.connect()
  return cluster
}

/** Fibers on `RedisService.layerCluster`. Each calls `operations` once, for the function that returns its next operation. */
export const clusterFibers = <A>(
  loops: number,
  operations: (loop: number) => () => Effect.Effect<A, unknown, RedisService.RedisService>
): Work => fibersOn((url) => RedisService.layerCluster({ nodes: url.split(",") }), { loops, operations })

type Argument = string | number

/** A hand-written script of `bench/scripts`, by `EVALSHA` on the cluster client of ioredis. */
export const scriptedOnCluster = <A>(
  script: string,
  loops: number,
  operations: (
    run: (keys: ReadonlyArray<string>, args: ReadonlyArray<Argument>) => Promise<A>,
    loop: number
  ) => () => Promise<A>
): Work =>
  promisesOn(
    async (url) => {
      const cluster = await connectCluster(url)
      const shas = await Promise.all(cluster.nodes("master").map((node) => node.script("LOAD", scriptOf(script))))
      const sha = String(shas[0])
      return { client: { cluster, sha }, close: () => cluster.disconnect() }
    },
    {
      loops,
      operations: ({ cluster, sha }, loop) =>
        operations((keys, args) => cluster.evalsha(sha, keys.length, ...keys, ...args) as Promise<A>, loop)
    }
  )
