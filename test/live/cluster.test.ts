/**
 * A cluster: how programs travel, slots that move, nodes that fail.
 */
import { assert, it } from "@effect/vitest"
import { Duration, Effect, Exit, Fiber, Layer, Schedule, Schema, Stream } from "effect"
import { Atomic, Model, RedisService, Topic } from "redlayer"
import { slotOf } from "../../conformance/src/support/slot.ts"
import { lateness } from "../faults/proxiedService.ts"
import { describeOwnServer } from "../support/Backends.ts"
import { withLiveClock } from "../support/LiveClock.ts"
import * as RedisCluster from "../support/RedisCluster.ts"
import * as RedisServer from "../support/RedisServer.ts"
import { range } from "./liveService.ts"

const Counter = Model.make("ClusterCounter", { id: Schema.String, n: Schema.Int, log: Schema.Array(Schema.Int) }, {
  key: "id"
})

const ids = Array.from({ length: 300 }, (_, i) => `c${i}`)

const all = <A, E, R>(f: (id: string) => Effect.Effect<A, E, R>) => Effect.forEach(ids, f, { concurrency: "unbounded" })

const layer = ({ nodes }: RedisCluster.RedisCluster, options: Partial<RedisService.ClusterOptions> = {}) =>
  RedisService.layerCluster({ nodes, keyPrefix: "cluster:", ...options })

const calls = ({ raw }: RedisCluster.ClusterNode) =>
  Effect.map(
    raw.call("INFO", "commandstats"),
    (stats) =>
      [...String(stats).matchAll(/cmdstat_(eval\w*):calls=(\d+)/g)].map(([, name, count]) => `${name} ${count}`)
  )

const ownerOf = (cluster: RedisCluster.RedisCluster, id: string) =>
  Math.floor(slotOf(`{${id}}`) * cluster.primaries.length / 16_384)

describeOwnServer("a cluster", () => {
  it.live(
    "carries the programs of one turn in one call for each node, and by slot if asked to",
    () =>
      Effect.gen(function*() {
        const cluster = yield* RedisCluster.start()
        yield* Effect.gen(function*() {
          const { server } = yield* RedisService.RedisService
          assert.isTrue(server?.isCluster)
          assert.isTrue(server?.capabilities?.crossSlotScripts)
          yield* all((id) => Counter.insert({ id, n: 0, log: [] }))
          yield* all((id) => Counter.ref(id).n.increment())
          for (const { raw } of cluster.primaries) yield* raw.call("CONFIG", "RESETSTAT")
          yield* all((id) => Counter.ref(id).n.increment())
          for (const node of cluster.primaries) assert.deepStrictEqual(yield* calls(node), ["evalsha 1"])
          assert.deepStrictEqual(yield* all((id) => Counter.ref(id).n.get()), ids.map(() => 2))
          assert.strictEqual(yield* Counter.count(), 300)
        }).pipe(Effect.provide(layer(cluster, { batch: { programs: 300 } })))
        yield* Effect.gen(function*() {
          for (const { raw } of cluster.primaries) yield* raw.call("CONFIG", "RESETSTAT")
          yield* all((id) => Counter.ref(id).n.increment())
          const slots = new Set(ids.map((id) => slotOf(`{${id}}`))).size
          const counts = yield* Effect.forEach(cluster.primaries, calls)
          const sum = counts.flat().reduce((sum, text) => sum + Number(text.split(" ")[1]), 0)
          assert.strictEqual(sum, slots)
        }).pipe(Effect.provide(layer(cluster, { batchBy: "slot" })))
        assert.deepStrictEqual(yield* RedisCluster.walk(cluster), { keys: 300, wrong: [] })
        // the walk would find keys that are elsewhere
        const misled = yield* RedisCluster.walk({ ...cluster, owners: cluster.owners.toReversed() })
        assert.isNotEmpty(misled.wrong)
      }),
    30_000
  )

  it.live(
    "has the scripts on each node when a layer has started, by node and by slot, also if a node hangs",
    () =>
      Effect.gen(function*() {
        const cluster = yield* RedisCluster.start({ replicas: 0, args: ["--cluster-node-timeout", "60000"] })
        const [hanging, ...others] = cluster.primaries
        const commands = (nodes: ReadonlyArray<RedisCluster.ClusterNode>) =>
          Effect.forEach(nodes, (node) => Effect.map(calls(node), (found) => found.map((call) => call.split(" ")[0])))
        for (const batchBy of ["node", "slot"] as const) {
          for (const { raw } of cluster.primaries) yield* raw.call("SCRIPT", "FLUSH")
          yield* Effect.gen(function*() {
            for (const { raw } of cluster.primaries) yield* raw.call("CONFIG", "RESETSTAT")
            yield* all((id) => Counter.put({ id, n: 0, log: [] }))
            yield* all((id) => Counter.ref(id).n.get())
            yield* all((id) => Counter.delete(id))
            for (const found of yield* commands(cluster.primaries)) {
              assert.deepStrictEqual(found.toSorted(), ["evalsha", "evalsha_ro"])
            }
          }).pipe(Effect.provide(layer(cluster, { batchBy })))
        }
        for (const { raw } of others) yield* raw.call("SCRIPT", "FLUSH")
        yield* hanging!.server.kill("SIGSTOP")
        yield* Effect.gen(function*() {
          for (const { raw } of others) yield* raw.call("CONFIG", "RESETSTAT")
          const theirs = ids.filter((id) => ownerOf(cluster, id) !== 0)
          yield* Effect.forEach(theirs, (id) => Counter.put({ id, n: 0, log: [] }), { concurrency: "unbounded" })
          for (const found of yield* commands(others)) assert.deepStrictEqual(found, ["evalsha"])
        }).pipe(Effect.provide(layer({ ...cluster, nodes: cluster.nodes.slice(1) })))
        yield* hanging!.server.kill("SIGCONT")
      }),
    60_000
  )

  it.live(
    "keeps the outcomes of a call over several slots of which one moves, and refuses none of its programs",
    () =>
      Effect.gen(function*() {
        const cluster = yield* RedisCluster.start({ replicas: 0 })
        const [here, there] = cluster.primaries
        const [moving, ...others] = ids.filter((id) => ownerOf(cluster, id) === 0)
        yield* Effect.gen(function*() {
          const increment = (id: string) => Counter.ref(id).n.increment()
          yield* all((id) => Counter.insert({ id, n: 0, log: [] }))
          // each token has one of sixteen records, which must be there, because an absent key of a moving slot can't be written
          yield* Effect.repeat(increment(moving!), { times: 299 })
          const slot = String(slotOf(`{${moving}}`))
          yield* there!.raw.call("CLUSTER", "SETSLOT", slot, "IMPORTING", here!.id)
          yield* here!.raw.call("CLUSTER", "SETSLOT", slot, "MIGRATING", there!.id)
          for (let i = 1; i <= 20; i++) {
            const both = [moving!, others[i]!].map(increment)
            assert.deepStrictEqual(yield* Effect.all(both, { concurrency: "unbounded" }), [300 + i, 1])
            const back = [others[i]!, moving!, others[i]!].map((id) => Counter.ref(id).n.get())
            assert.deepStrictEqual(yield* Effect.all(back, { concurrency: "unbounded" }), [1, 300 + i, 1])
          }
        }).pipe(Effect.provide(layer(cluster, { exactlyOnce: { window: "1 hour" } })))
      }),
    30_000
  )

  it.live("follows slots that move, while programs run, and runs nothing twice", () =>
    Effect.gen(function*() {
      const cluster = yield* RedisCluster.start({ replicas: 0 })
      yield* Effect.gen(function*() {
        yield* all((id) => Counter.insert({ id, n: 0, log: [] }))
        const moving = { is: true }
        const counted = ids.map(() => 0)
        const writers = yield* Effect.forkChild(Effect.forEach(ids, (id, i) =>
          Effect.gen(function*() {
            while (moving.is) {
              yield* Atomic.all([Counter.ref(id).n.increment(), Counter.ref(id).log.append(counted[i]!)])
              counted[i]!++
              yield* Effect.sleep("2 millis")
            }
          }), { concurrency: "unbounded", discard: true }))
        for (const id of ids.slice(0, 25)) {
          const slot = slotOf(`{${id}}`)
          const here = cluster.owners[slot]!
          const there = cluster.primaries.find((node) => node !== here)!
          yield* RedisCluster.moveSlot(cluster, slot, there, Effect.sleep("5 millis"))
          yield* RedisCluster.moveSlot(cluster, slot, here)
        }
        moving.is = false
        yield* Fiber.join(writers)
        const stored = yield* all((id) => Counter.get(id))
        assert.deepStrictEqual(stored.map(({ n }) => n), counted)
        for (const { log, n } of stored) assert.deepStrictEqual(log, Array.from({ length: n }, (_, i) => i))
        assert.isAbove(Math.min(...counted), 3)
        // an entity has its hash and its list
        assert.deepStrictEqual(yield* RedisCluster.walk(cluster), { keys: 600, wrong: [] })
      }).pipe(Effect.provide(layer(cluster, { deadline: "10 seconds" })))
    }), 60_000)

  it.live(
    "goes on when a primary dies and its replica takes over, and loses no increment with exactlyOnce",
    () =>
      Effect.gen(function*() {
        const cluster = yield* RedisCluster.start()
        yield* Effect.gen(function*() {
          yield* all((id) => Counter.insert({ id, n: 0, log: [] }))
          const [dead] = cluster.primaries
          // everything is copied before the primary dies, so what is missing later was lost by the layer
          yield* dead!.raw.call("WAIT", "1", "2000")
          const victims = ids.filter((id) => ownerOf(cluster, id) === 0)
          const others = ids.filter((id) => ownerOf(cluster, id) !== 0)
          yield* dead!.server.kill("SIGKILL")
          const begun = performance.now()
          const [late, quick] = yield* Effect.all([
            Effect.forEach(victims, (id) => Counter.ref(id).n.increment(), { concurrency: "unbounded" }),
            Effect.timed(Effect.forEach(others, (id) => Counter.ref(id).n.increment(), { concurrency: "unbounded" }))
          ], { concurrency: "unbounded" })
          assert.isBelow(performance.now() - begun, 10_000)
          assert.deepStrictEqual(late, victims.map(() => 1))
          assert.deepStrictEqual(quick[1], others.map(() => 1))
          assert.deepStrictEqual(yield* all((id) => Counter.ref(id).n.get()), ids.map(() => 1))
        }).pipe(Effect.provide(layer(cluster, { exactlyOnce: true, deadline: "15 seconds" })))
      }),
    60_000
  )

  it.live(
    "programs of other nodes are as fast as ever while a node hangs, however many wait for that one",
    () =>
      Effect.gen(function*() {
        const cluster = yield* RedisCluster.start({ replicas: 0, args: ["--cluster-node-timeout", "60000"] })
        yield* Effect.gen(function*() {
          yield* all((id) => Counter.insert({ id, n: 0, log: [] }))
          const [frozen] = cluster.primaries
          const own = ids.filter((id) => ownerOf(cluster, id) === 0)
          const others = ids.filter((id) => ownerOf(cluster, id) !== 0)
          yield* frozen!.server.kill("SIGSTOP")
          const hung = yield* Effect.forkChild(
            Effect.forEach(own, (id) => Effect.exit(Counter.ref(id).n.increment()), { concurrency: "unbounded" })
          )
          const late = yield* lateness
          const millis: Array<number> = []
          // in turns of their own, and together with more for the node that hangs
          const rounds = Effect.forEach(range(60), (i) => {
            const id = others[i % others.length]!
            const more = Effect.forkChild(Effect.exit(Counter.ref(own[i % own.length]!).n.get()))
            return Effect.andThen(i % 4 === 0 ? more : Effect.void, Effect.timed(Counter.ref(id).n.increment())).pipe(
              Effect.tap(([time]) => Effect.sync(() => millis.push(Duration.toMillis(time))))
            )
          })
          yield* Effect.forEach(range(20), () => rounds, { concurrency: "unbounded", discard: true })
          const p99 = millis.toSorted((a, b) => a - b)[Math.floor(millis.length * 0.99)]!
          // a process that has no time for its timers has none for replies
          assert.isBelow(p99, 50 + late(), `the 99th percentile of ${millis.length}`)
          yield* frozen!.server.kill("SIGCONT")
          for (const exit of yield* Fiber.join(hung)) {
            if (Exit.isFailure(exit)) assert.match(String(exit.cause), /OutcomeUnknown|ConnectionUnavailable/)
          }
        }).pipe(Effect.provide(layer(cluster, { deadline: "4 seconds" })))
      }),
    30_000
  )

  it.live("messages reach subscribers, also after the node of their connection has died", () =>
    Effect.gen(function*() {
      const cluster = yield* RedisCluster.start()
      const News = Topic.make("cluster-news", Schema.Int)
      yield* Effect.gen(function*() {
        const seen: Array<number | string> = []
        yield* Effect.forkChild(Stream.runForEach(News.events(), (event) =>
          Effect.sync(() => {
            seen.push(event._tag === "Message" ? event.value : event._tag)
          })))
        const until = (condition: () => boolean) =>
          Effect.suspend(() => condition() ? Effect.void : Effect.fail("not yet")).pipe(
            Effect.retry({ schedule: Schedule.spaced("20 millis"), times: 700 })
          )
        let n = 0
        const publish = Effect.suspend(() => News.publish(n++))
        yield* publish.pipe(
          Effect.repeat({ until: () => seen.length > 0, schedule: Schedule.spaced("20 millis") })
        )
        for (const node of cluster.primaries) {
          const clients = String(yield* node.raw.call("CLIENT", "LIST", "TYPE", "pubsub"))
          if (clients.includes("sub=1")) yield* node.server.kill("SIGKILL")
        }
        yield* until(() => seen.includes("Missed"))
        const before = n
        yield* publish.pipe(
          Effect.retry({ schedule: Schedule.spaced("100 millis"), times: 100 }),
          Effect.repeat({
            until: () => seen.some((m) => typeof m === "number" && m >= before),
            schedule: Schedule.spaced("50 millis")
          })
        )
      }).pipe(Effect.provide(layer(cluster, { deadline: "10 seconds" })))
    }), 60_000)

  it.live(
    "a layer that is given one node finds the others, and a wrong layer says which is right",
    () =>
      Effect.gen(function*() {
        const cluster = yield* RedisCluster.start({ replicas: 1 })
        const [, , , replica] = cluster.nodes
        yield* all((id) => Counter.put({ id, n: 1, log: [] })).pipe(
          Effect.provide(layer({ ...cluster, nodes: [replica!] }))
        )
        const reasonOf = <A>(layer: Layer.Layer<A, any>) =>
          Effect.map(Effect.flip(Effect.scoped(Layer.build(layer))), (error: any) => error.reason)
        const { url } = cluster.primaries[0]!.server
        assert.match((yield* reasonOf(RedisService.layer({ url }))).requirement, /layerCluster/)
        const single = yield* RedisServer.start()
        const refused = yield* reasonOf(RedisService.layerCluster({ nodes: [`${single.host}:${single.port}`] }))
        assert.strictEqual(refused._tag, "Unsupported")
        assert.match(refused.requirement, /RedisService\.layer/)
      }).pipe(withLiveClock),
    30_000
  )
})
