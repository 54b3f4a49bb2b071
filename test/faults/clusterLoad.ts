/**
 * Fibers that make transfers on a cluster through a layer, and note the reported outcome of each.
 */
import { Effect, Fiber, Layer } from "effect"
import { RedisService } from "redlayer"
import { pseudoRandom } from "redlayer-conformance/assertions"
import { range } from "../live/liveService.ts"
import { healthy } from "../support/ClusterFaults.ts"
import type { RedisCluster } from "../support/RedisCluster.ts"
import { type Heard, heardOf, open, transfer, transferOf } from "./clusterBank.ts"
import { banksOf, compare, look, summary } from "./clusterLedger.ts"
import { start } from "./proxiedService.ts"

export interface LoadOptions {
  readonly name: string
  readonly seed: number
  readonly options: Omit<RedisService.ClusterOptions, "nodes" | "keyPrefix">
  /** Milliseconds between two transfers of a fiber. */
  readonly pause: number
}

export interface Load {
  readonly name: string
  readonly heard: ReadonlyArray<Heard>
  /** The banks whose slots were in a shard at the start. */
  readonly banks: ReadonlyArray<ReadonlyArray<string>>
  /** Runs at once when a transfer has succeeded. */
  onSuccess: (heard: Heard) => void
  /** Milliseconds that the slowest transfer took. */
  readonly slowest: () => number
  /** Ends the load, and compares what is stored with what was heard. Returns what was acknowledged and is missing. */
  readonly end: Effect.Effect<ReadonlyArray<Heard>, unknown>
  readonly summary: () => string
}

/** For each shard, some fibers that use its banks: they wait while it is away, and the others do not. */
export const make = Effect.fnUntraced(function*(cluster: RedisCluster, { name, options, pause, seed }: LoadOptions) {
  const keyPrefix = `${name}:`
  const context = yield* Layer.build(RedisService.layerCluster({ ...options, keyPrefix, nodes: cluster.nodes }))
  const all = banksOf(cluster, name, 2)
  const banks = range(all.length / 2).map((shard) => all.slice(2 * shard, 2 * shard + 2))
  yield* Effect.provide(open(all), context)
  const next = pseudoRandom(seed)
  const heard: Array<Heard> = []
  let slowest = 0
  let made = 0
  let isOver = false
  const makeOne = (bank: string) =>
    Effect.suspend(() => {
      const one = transferOf(bank, `${name}.${made++}`, next)
      const begin = performance.now()
      return Effect.map(Effect.exit(transfer(one)), (exit) => {
        slowest = Math.max(slowest, performance.now() - begin)
        const found = heardOf(one, exit)
        heard.push(found)
        if (found.reason === undefined) load.onSuccess(found)
      })
    })
  const working = (shard: number) =>
    Effect.whileLoop({
      while: () => !isOver,
      body: () => Effect.andThen(makeOne(banks[shard]![Math.floor(next() * 2)]!), Effect.sleep(pause)),
      step: () => {}
    })
  const fibers = yield* Effect.forEach(
    range(4 * banks.length),
    (i) => Effect.forkScoped(Effect.provide(working(i % banks.length), context), start)
  )
  const load: Load = {
    name,
    heard,
    banks,
    onSuccess: () => {},
    slowest: () => slowest,
    summary: () => `${name}: ${heard.length} transfers, ${summary(heard)}`,
    end: Effect.gen(function*() {
      isOver = true
      yield* Effect.forEach(fibers, Fiber.join)
      yield* healthy(cluster)
      const lost: Array<Heard> = []
      for (const bank of all) lost.push(...compare(bank, yield* look(cluster, keyPrefix, bank), heard))
      return lost
    })
  }
  return load
})
