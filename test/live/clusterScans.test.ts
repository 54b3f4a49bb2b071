/**
 * Scans of a cluster: each entity is found once, however the slots came to be where they are, and whichever node is replaced
 * meanwhile.
 */
import { assert, it } from "@effect/vitest"
import { Effect, Result, Schema, Stream } from "effect"
import { Model, RedisService } from "redlayer"
import { slotOf } from "../../conformance/src/support/slot.ts"
import * as ClusterTransport from "../../src/internal/redis/client/cluster.ts"
import * as Scan from "../../src/internal/redis/scan.ts"
import { describeOwnServer } from "../support/Backends.ts"
import * as RedisCluster from "../support/RedisCluster.ts"
import { admin } from "../support/Rights.ts"
import { eventually, range, reasonIs, timed } from "./liveService.ts"

const Item = Model.make("ScannedItem", { id: Schema.String, n: Schema.Int }, { key: "id" })

const idsOf = (count: number) => range(count).map((i) => `i${i}`)

const insert = (ids: ReadonlyArray<string>) =>
  Effect.map(
    Item.insertMany(ids.map((id) => ({ id, n: 0 }))),
    (results) => assert.isTrue(results.every(Result.isSuccess))
  )

const layer = ({ nodes }: RedisCluster.RedisCluster, options: Partial<RedisService.ClusterOptions> = {}) =>
  RedisService.layerCluster({ nodes, keyPrefix: "scans:", ...options })

const ownerOf = ({ owners }: RedisCluster.RedisCluster, id: string) => owners[slotOf(`{${id}}`)]!

/** How often a node has sent somebody elsewhere, because it has not the slot. */
const redirections = ({ raw }: RedisCluster.ClusterNode) =>
  Effect.map(
    raw.call("INFO", "errorstats"),
    (text) => Number(/errorstat_MOVED:count=(\d+)/.exec(String(text))?.[1] ?? 0)
  )

/** Makes the replica of a primary take its place, and waits until all nodes, and the layer, know that. */
const failOver = Effect.fnUntraced(
  function*(cluster: RedisCluster.RedisCluster, old: RedisCluster.ClusterNode, ids: ReadonlyArray<string>) {
    const replica = cluster.replicas[cluster.primaries.indexOf(old)]!
    yield* eventually(replica.raw.call("CLUSTER", "FAILOVER"))
    yield* eventually(Effect.andThen(
      RedisCluster.agree(cluster),
      Effect.suspend(() => cluster.owners.includes(replica) ? Effect.void : Effect.fail("not yet"))
    ))
    // a redirection tells the layer of one slot, and the map of all
    let i = 0
    yield* eventually(Effect.gen(function*() {
      const before = yield* redirections(old)
      yield* Item.ref(ids[i++ % ids.length]!).n.increment()
      if ((yield* redirections(old)) > before) return yield* Effect.fail("the layer does not know the new primary")
    }))
  }
)

describeOwnServer("scans of a cluster", () => {
  it.live("count every entity once between any two moves of slots", () =>
    Effect.gen(function*() {
      const cluster = yield* RedisCluster.start({ replicas: 0, empty: 1 })
      const ids = idsOf(18)
      yield* Effect.gen(function*() {
        yield* insert(ids)
        // there and back, and around all nodes, as fast as the nodes agree
        for (const i of range(150)) {
          const slot = slotOf(`{${ids[i * 7 % 18]}}`)
          const at = cluster.primaries.indexOf(cluster.owners[slot]!)
          yield* RedisCluster.moveSlot(cluster, slot, cluster.primaries[(at + 1 + i % 3) % 4]!)
          assert.strictEqual(yield* Item.count(), 18)
        }
      }).pipe(Effect.provide(layer(cluster)))
    }), 30_000)

  it.live("find what is on a node that has got its first slot a moment ago", () =>
    Effect.gen(function*() {
      const cluster = yield* RedisCluster.start({ replicas: 0, empty: 1 })
      const ids = idsOf(30)
      yield* Effect.gen(function*() {
        yield* insert(ids)
        yield* RedisCluster.moveSlot(cluster, slotOf(`{${ids[3]}}`), cluster.primaries[3]!)
        assert.strictEqual(yield* Item.count(), 30)
      }).pipe(Effect.provide(layer(cluster)))
    }), 20_000)

  // the name of a replica is before those of all primaries, so that a list in the order of names begins with it
  const addressMap =
    (cluster: RedisCluster.RedisCluster): RedisService.ClusterOptions["addressMap"] => ({ host, port }) => ({
      port,
      host: cluster.primaries.some(({ server }) => server.port === port) ? "localhost" : host
    })

  for (const [which, at] of [["been", 0], ["not been", 2]] as const) {
    it.live(
      `find each entity once though the replica of a node that has ${which} scanned takes its place meanwhile`,
      () =>
        Effect.gen(function*() {
          const cluster = yield* RedisCluster.start()
          // more than a page on each node
          const ids = idsOf(6000)
          yield* Effect.gen(function*() {
            yield* insert(ids)
            const found: Array<string> = []
            const order: Array<RedisCluster.ClusterNode> = []
            yield* Stream.runForEach(Item.stream({ concurrency: 1 }), (result) =>
              Effect.gen(function*() {
                const { id } = yield* Effect.fromResult(result)
                found.push(id)
                const node = ownerOf(cluster, id)
                if (order.includes(node) || cluster.replicas.includes(node)) return
                order.push(node)
                if (order.length !== 2) return
                const old = at === 0 ? order[0]! : cluster.primaries.find((node) => !order.includes(node))!
                yield* failOver(cluster, old, ids.filter((id) => ownerOf(cluster, id) === old))
              }))
            assert.strictEqual(new Set(found).size, ids.length)
            assert.strictEqual(found.length, ids.length)
          }).pipe(Effect.provide(layer(cluster, { addressMap: addressMap(cluster) })))
        }),
      30_000
    )
  }

  it.live(
    "find all entities though the node that is scanned dies, and its replica takes its place",
    () =>
      Effect.gen(function*() {
        const cluster = yield* RedisCluster.start()
        const ids = idsOf(6000)
        yield* Effect.gen(function*() {
          yield* insert(ids)
          for (const { raw } of cluster.primaries) yield* raw.call("WAIT", "1", "2000")
          const found = new Set<string>()
          let isKilled = false
          yield* Stream.runForEach(Item.stream({ concurrency: 1 }), (result) =>
            Effect.gen(function*() {
              const { id } = yield* Effect.fromResult(result)
              found.add(id)
              if (isKilled) return
              isKilled = true
              yield* ownerOf(cluster, id).server.kill("SIGKILL")
            }))
          assert.strictEqual(found.size, ids.length)
        }).pipe(Effect.provide(layer(cluster, { deadline: "10 seconds" })))
      }),
    30_000
  )

  it.live("ask a node that is away again and again, and with pauses", () =>
    Effect.gen(function*() {
      const cluster = yield* RedisCluster.start({ replicas: 0 })
      const transport = yield* ClusterTransport.transport({
        nodes: cluster.primaries.map(({ server: { host, port } }) => ({ host, port })),
        client: admin
      })
      yield* transport.ready
      let asked = 0
      const pages = Scan.make({
        transport: { ...transport, scan: (page) => Effect.suspend(() => (asked++, transport.scan!(page))) },
        keyPrefix: "",
        deadline: 1000,
        scope: yield* Effect.scope
      })!("")
      yield* Stream.runDrain(pages)
      assert.strictEqual(asked, 3)
      yield* cluster.primaries[1]!.server.kill("SIGKILL")
      const [exit, millis] = yield* timed(Stream.runDrain(pages))
      reasonIs(exit, "ConnectionUnavailable")
      assert.isAtLeast(millis, 900)
      assert.isAbove(asked, 10)
      assert.isBelow(asked, 200)
    }), 20_000)
})
