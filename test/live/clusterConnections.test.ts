/**
 * The connections of a layer over a cluster: other addresses than the nodes announce, and credentials that change.
 */
import { assert, it } from "@effect/vitest"
import { Effect, Layer, Schema } from "effect"
import * as Tls from "node:tls"
import { Model, RedisService } from "redlayer"
import { slotOf } from "../../conformance/src/support/slot.ts"
import { describeOwnServer } from "../support/Backends.ts"
import * as Certificates from "../support/Certificates.ts"
import * as RedisCluster from "../support/RedisCluster.ts"
import { least } from "../support/Rights.ts"
import * as TcpProxy from "../support/TcpProxy.ts"

const Counter = Model.make("ConnectedCounter", { id: Schema.String, n: Schema.Int }, { key: "id" })

const ids = Array.from({ length: 60 }, (_, i) => `c${i}`)

const increments = Effect.forEach(ids, (id) => Counter.ref(id).n.increment(), { concurrency: "unbounded" })

const insert = Effect.forEach(ids, (id) => Counter.insert({ id, n: 0 }), { concurrency: "unbounded" })

describeOwnServer("the connections of a cluster", () => {
  it.live("go to the addresses of `addressMap` alone, and follow redirections there", () =>
    Effect.gen(function*() {
      const cluster = yield* RedisCluster.start({ replicas: 0 })
      const proxies = yield* Effect.forEach(
        cluster.primaries,
        ({ server }) => Effect.map(TcpProxy.make({ port: server.port }), (proxy) => [server.port, proxy] as const)
      )
      const portOf = new Map(proxies.map(([port, proxy]) => [port, proxy.port]))
      const layer = RedisService.layerCluster({
        nodes: proxies.map(([, { host, port }]) => ({ host, port })),
        addressMap: ({ host, port }) => ({ host, port: portOf.get(port) ?? port }),
        deadline: "10 seconds"
      })
      yield* Effect.gen(function*() {
        yield* insert
        for (const slot of [0, 5461, 10_923].map((first) => first + 7)) {
          const from = cluster.owners[slot]!
          yield* RedisCluster.moveSlot(cluster, slot, cluster.primaries.find((node) => node !== from)!)
        }
        assert.deepStrictEqual(yield* increments, ids.map(() => 1))
        for (const [i, { raw }] of cluster.primaries.entries()) {
          const [, proxy] = proxies[i]!
          assert.isAbove(yield* proxy.connections, 0)
          // the connection of the harness is the only other one
          const clients = String(yield* raw.call("CLIENT", "LIST", "TYPE", "normal")).trim().split("\n")
          const ofLayer = clients.filter((line) => !/ user=admin /.test(line))
          assert.strictEqual(ofLayer.length, yield* proxy.connections)
        }
      }).pipe(Effect.provide(layer))
    }), 30_000)

  it.live(
    "speak TLS to every node, also to those that redirections name, and refuse another authority",
    () =>
      Effect.gen(function*() {
        const certificates = yield* Certificates.make(["IP:127.0.0.1"])
        const trusted = Tls.getCACertificates("default")
        // for the clients of the harness alone
        yield* Effect.acquireRelease(
          Effect.sync(() => Tls.setDefaultCACertificates([...trusted, certificates.authority])),
          () => Effect.sync(() => Tls.setDefaultCACertificates(trusted))
        )
        const cluster = yield* RedisCluster.start({ replicas: 0, certificates })
        yield* Effect.sync(() => Tls.setDefaultCACertificates(trusted))
        const options = { nodes: cluster.nodes, deadline: "10 seconds" } as const
        yield* Effect.gen(function*() {
          yield* insert
          for (const slot of [7, 5468, 10_930]) {
            const from = cluster.owners[slot]!
            yield* RedisCluster.moveSlot(cluster, slot, cluster.primaries.find((node) => node !== from)!)
          }
          assert.deepStrictEqual(yield* increments, ids.map(() => 1))
          assert.strictEqual(yield* Counter.count(), ids.length)
        }).pipe(Effect.provide(RedisService.layerCluster({ ...options, tls: { ca: certificates.authority } })))
        const untrusting = RedisService.layerCluster({ ...options, tls: {}, deadline: "1 second" })
        const error = yield* Effect.flip(Effect.scoped(Layer.build(untrusting)))
        assert.deepInclude(error.reason, { _tag: "ConnectionUnavailable", code: "SELF_SIGNED_CERT_IN_CHAIN" })
      }),
    30_000
  )

  it.live(
    "carry programs by node, also if the slot that is tried at the start is moving",
    () =>
      Effect.gen(function*() {
        const cluster = yield* RedisCluster.start({ replicas: 0 })
        const slot = slotOf("{$probe}")
        const from = cluster.owners[slot]!
        const to = cluster.primaries.find((node) => node !== from)!
        yield* to.raw.call("CLUSTER", "SETSLOT", String(slot), "IMPORTING", from.id)
        yield* from.raw.call("CLUSTER", "SETSLOT", String(slot), "MIGRATING", to.id)
        const { server } = yield* RedisService.RedisService.pipe(
          Effect.provide(RedisService.layerCluster({ nodes: cluster.nodes }))
        )
        assert.isTrue(server?.capabilities?.crossSlotScripts)
      }),
    30_000
  )

  it.live(
    "ask for credentials anew at each node, and none is lost when the password is changed",
    () =>
      Effect.gen(function*() {
        const cluster = yield* RedisCluster.start({ replicas: 0 })
        const each = (...args: ReadonlyArray<string>) =>
          Effect.forEach(cluster.primaries, ({ raw }) => raw.call("ACL", "SETUSER", "shop", ...args), { discard: true })
        yield* each(...least({ password: "one" }))
        let password = "one"
        let asked = 0
        const layer = RedisService.layerCluster({
          nodes: cluster.nodes,
          credentials: Effect.sync(() => {
            asked++
            return { username: "shop", password }
          }),
          exactlyOnce: true,
          deadline: "10 seconds"
        })
        yield* Effect.gen(function*() {
          yield* insert
          const before = asked
          assert.isAtLeast(before, 3)
          password = "two"
          yield* each("resetpass", ">two")
          for (const { raw } of cluster.primaries) yield* raw.call("CLIENT", "KILL", "USER", "shop")
          assert.deepStrictEqual(yield* increments, ids.map(() => 1))
          assert.isAtLeast(asked, before + 3)
        }).pipe(Effect.provide(layer))
      }),
    30_000
  )
})
