/**
 * Connections that are encrypted: to the server that was meant, or to none.
 */
import { assert, it } from "@effect/vitest"
import { Effect, Fiber, Schema, Stream } from "effect"
import { Topic } from "redlayer"
import { captureOutput, errorOf, range, reasonIs, timed, within } from "../live/liveService.ts"
import { describeOwnServer } from "../support/Backends.ts"
import * as Certificates from "../support/Certificates.ts"
import * as RedisServer from "../support/RedisServer.ts"
import * as TcpProxy from "../support/TcpProxy.ts"
import { Ledger, server, service, start, underLoad } from "./proxiedService.ts"

/** A server on a plain port and an encrypted one, with a certificate of the given names. */
const secured = Effect.fnUntraced(function*(...names: ReadonlyArray<string>) {
  const { authority, serverArgs } = yield* Certificates.make(names)
  const tlsPort = yield* RedisServer.freePort
  const on = yield* server({ args: serverArgs(tlsPort), password: "canary-password" })
  return { ...on, authority, tlsPort }
})

describeOwnServer("TLS", () => {
  it.live("TLS to a server of a trusted authority works, by URL and by options", () =>
    Effect.gen(function*() {
      const output = yield* captureOutput
      const { authority, tlsPort: port } = yield* secured("DNS:localhost", "IP:127.0.0.1")
      const tls = { ca: authority }
      for (
        const options of [
          { url: `rediss://:canary-password@localhost:${port}`, tls },
          { url: `rediss://127.0.0.1:${port}`, password: "canary-password", tls },
          { host: "localhost", port, password: "canary-password", tls },
          { host: "127.0.0.1", port, password: "canary-password", tls: { ...tls, servername: "localhost" } }
        ]
      ) {
        yield* Effect.scoped(Effect.gen(function*() {
          const { client, run } = yield* service(options)
          assert.isTrue(Object(client.stream).encrypted)
          assert.isTrue(Object(client.stream).authorized)
          yield* run(Ledger.put({ id: "a" }))
          assert.strictEqual(yield* run(Ledger.ref("a").count.increment()), 1)
        }))
      }
      assert.deepStrictEqual(output, [])
    }))

  it.live("TLS covers subscriptions", () =>
    Effect.gen(function*() {
      const { authority, port: plainPort, tlsPort: port } = yield* secured("DNS:localhost")
      // nothing may go the plain way
      const plain = yield* TcpProxy.make({ port: plainPort })
      const { run } = yield* service({ host: "localhost", port, password: "canary-password", tls: { ca: authority } })
      const topic = Topic.make("faults/news", Schema.String)
      yield* run(
        Effect.gen(function*() {
          const events = yield* topic.subscribe()
          const fiber = yield* Effect.forkChild(Stream.runCollect(Stream.take(events, 1)), start)
          yield* topic.publish("hello")
          assert.deepStrictEqual(yield* Fiber.join(fiber), [{ _tag: "Message", value: "hello" }])
        }).pipe(Effect.scoped)
      )
      assert.strictEqual((yield* plain.stats).accepted, 0)
    }))

  it.live("TLS to another server is refused, and the password is not sent", () =>
    Effect.gen(function*() {
      const output = yield* captureOutput
      const { authority, call, port: plainPort, tlsPort: port } = yield* secured("DNS:another.example")
      const proxy = yield* TcpProxy.make({ port: plainPort })
      yield* call("ACL", "LOG", "RESET")
      const password = "canary-password"
      const stranger = yield* Certificates.make(["DNS:localhost"])
      for (
        const options of [
          // another name
          { host: "localhost", port, tls: { ca: authority } },
          { url: `rediss://localhost:${port}`, tls: { ca: authority } },
          // an authority that is not trusted
          { host: "localhost", port, tls: {} },
          { url: `rediss://localhost:${port}` },
          { url: `rediss://127.0.0.1:${port}` },
          { host: "localhost", port, tls: { ca: stranger.authority, servername: "another.example" } },
          // no TLS at all
          { host: "localhost", port: proxy.port, tls: { ca: authority } },
          { url: `rediss://localhost:${proxy.port}` }
        ]
      ) {
        const [exit, millis] = yield* timed(Effect.scoped(service({ ...options, password, deadline: "300 millis" })))
        reasonIs(exit, "ConnectionUnavailable")
        assert.notInclude(String(errorOf(exit)), password)
        within(millis, 280, 500)
      }
      // nobody has even tried
      assert.deepStrictEqual(yield* call("ACL", "LOG"), [])
      assert.include(String(yield* call("CLIENT", "LIST")), "user=admin")
      assert.deepStrictEqual(output, [])
    }))

  it.live("a TLS connection that is cut under load reports the real outcomes", () =>
    Effect.gen(function*() {
      const on = yield* secured("DNS:localhost")
      const proxy = yield* TcpProxy.make({ port: on.tlsPort })
      let reset = false
      const { acknowledged } = yield* underLoad({
        on: { ...on, proxy },
        layer: {
          url: `rediss://localhost:${proxy.port}`,
          password: "canary-password",
          tls: { ca: on.authority },
          deadline: 1000
        },
        allowed: ["OutcomeUnknown", "ConnectionUnavailable"],
        rounds: 20,
        round: Effect.suspend(() => {
          reset = !reset
          return Effect.andThen(Effect.sleep("10 millis"), reset ? proxy.reset() : proxy.cut())
        })
      })
      assert.isAbove(acknowledged.length, range(20).length)
    }))
})
