/**
 * The texts of errors about a server that cannot be reached: they say where it was, and why there is no connection.
 */
import { assert, it } from "@effect/vitest"
import { Context, Effect, Exit, Layer, Option, Schema, Scope } from "effect"
import * as Net from "node:net"
import { Model, RedisService, Topic } from "redlayer"
import { IoRedis } from "redlayer/IoRedis"
import { describeMemory, describeOwnServer } from "../support/Backends.ts"
import * as Certificates from "../support/Certificates.ts"
import * as RedisServer from "../support/RedisServer.ts"
import { captureOutput, errorOf, reasonIs, until } from "./liveService.ts"

const Counter = Model.make("Counter", { name: Schema.String, count: Schema.Int }, { key: "name" })

const secret = "canary-password"

const unavailable = (options: RedisService.LayerOptions) =>
  Effect.map(
    Effect.exit(Effect.scoped(Layer.build(RedisService.layer({ deadline: "300 millis", ...options })))),
    (exit) => {
      const { address, code } = reasonIs(exit, "ConnectionUnavailable")
      const { message } = errorOf(exit) as Error
      assert.notInclude(JSON.stringify(errorOf(exit)), secret)
      assert.notInclude(message, secret)
      return { address, code, message }
    }
  )

/** A server that runs a function with each connection. */
const listening = (onConnection: (socket: Net.Socket) => void) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.callback<{ readonly server: Net.Server; readonly sockets: Set<Net.Socket> }>((resume) => {
        const sockets = new Set<Net.Socket>()
        const server = Net.createServer((socket) => {
          sockets.add(socket)
          socket.on("error", () => {})
          onConnection(socket)
        })
        server.listen(0, "127.0.0.1", () => resume(Effect.succeed({ server, sockets })))
      }),
      ({ server, sockets }) =>
        Effect.sync(() => {
          for (const socket of sockets) socket.destroy()
          server.close()
        })
    ),
    ({ server }) => (server.address() as Net.AddressInfo).port
  )

describeMemory("a server that cannot be reached", () => {
  it.live("a port on which nobody listens is named, with ECONNREFUSED", () =>
    Effect.gen(function*() {
      const output = yield* captureOutput
      const port = yield* RedisServer.freePort
      assert.deepStrictEqual(yield* unavailable({ url: `redis://app:${secret}@127.0.0.1:${port}/3` }), {
        address: `127.0.0.1:${port}`,
        code: "ECONNREFUSED",
        message: `No connection to 127.0.0.1:${port}: ECONNREFUSED; nothing was applied`
      })
      assert.deepStrictEqual((yield* unavailable({ host: "::1", port, password: secret })).address, `[::1]:${port}`)
      assert.deepStrictEqual(output, [])
    }))

  it.live("a host that does not exist is named, with the code of the name service", () =>
    Effect.gen(function*() {
      const { address, code } = yield* unavailable({
        url: `redis://:${secret}@no-such-host.invalid`,
        deadline: "3 seconds"
      })
      assert.strictEqual(address, "no-such-host.invalid:6379")
      assert.include(["ENOTFOUND", "EAI_AGAIN"], code)
    }))

  it.live("a socket that does not exist is named by its path", () =>
    Effect.gen(function*() {
      const { address, code } = yield* unavailable({ path: "/no/such/redis.sock" })
      assert.deepStrictEqual([address, code], ["/no/such/redis.sock", "ENOENT"])
    }))

  it.live("a server that accepts and never answers is a time-out", () =>
    Effect.gen(function*() {
      const port = yield* listening(() => {})
      assert.strictEqual((yield* unavailable({ port })).code, "ETIMEDOUT")
      assert.strictEqual((yield* unavailable({ port, deadline: "3 seconds" })).code, "ETIMEDOUT")
    }))

  it.live("a server that closes each connection at once is a reset", () =>
    Effect.gen(function*() {
      const port = yield* listening((socket) => socket.end())
      assert.strictEqual((yield* unavailable({ port })).code, "ECONNRESET")
    }))
})

describeOwnServer("a server that is lost, or speaks another protocol", () => {
  it.live("TLS to a server without TLS, and the reverse, have a code", () =>
    Effect.gen(function*() {
      const plain = yield* RedisServer.start()
      const certificates = yield* Certificates.make(["DNS:localhost", "IP:127.0.0.1"])
      const secured = yield* RedisServer.start({ certificates })
      const toPlain = yield* unavailable({ url: `rediss://:${secret}@127.0.0.1:${plain.port}` })
      assert.match(toPlain.code!, /^(ECONNRESET|ETIMEDOUT|EPROTO|ERR_SSL_[A-Z_]+)$/)
      assert.strictEqual(toPlain.address, `127.0.0.1:${plain.port}`)
      const toSecured = yield* unavailable({ url: `redis://:${secret}@127.0.0.1:${secured.port}` })
      assert.match(toSecured.code!, /^(ECONNRESET|EPIPE)$/)
    }))

  it.live("a certificate of an authority that is not trusted, or of another host, has its own code", () =>
    Effect.gen(function*() {
      const certificates = yield* Certificates.make(["DNS:another.example"])
      const port = yield* RedisServer.freePort
      yield* RedisServer.start({ args: certificates.serverArgs(port) })
      const untrusted = yield* unavailable({ url: `rediss://:${secret}@localhost:${port}` })
      assert.match(untrusted.code!, /CERT|ISSUER|SIGNATURE/)
      const another = yield* unavailable({
        url: `rediss://:${secret}@localhost:${port}`,
        tls: { ca: certificates.authority }
      })
      assert.strictEqual(another.code, "ERR_TLS_CERT_ALTNAME_INVALID")
    }))

  it.live("a program that finds no connection any more says where and why, and so does a subscription", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.start()
      const services = yield* Layer.build(RedisService.layer({ url: server.url, deadline: "600 millis" }))
      const get = Effect.exit(Effect.provide(Counter.find("a"), services))
      assert.deepStrictEqual(yield* get, Exit.succeed(Option.none()))
      const client = Context.get(services, IoRedis)
      yield* server.stop
      yield* until("the client sees that it has no connection", () => client.status !== "ready")
      const lost = reasonIs(yield* get, "ConnectionUnavailable")
      assert.deepStrictEqual([lost.address, lost.code], [`127.0.0.1:${server.port}`, "ECONNREFUSED"])
      const news = Topic.make("news", Schema.String)
      const subscribed = yield* Effect.exit(Effect.scoped(Effect.provide(news.subscribe(), services)))
      assert.strictEqual(reasonIs(subscribed, "ConnectionUnavailable").address, `127.0.0.1:${server.port}`)
    }))

  it.live("too many waiting programs, and a closed layer, have texts of their own", () =>
    Effect.gen(function*() {
      const { url } = yield* RedisServer.start()
      const scope = yield* Scope.make()
      const services = yield* Layer.buildWithScope(RedisService.layer({ url, maximumWaiting: 1 }), scope)
      const get = Effect.exit(Effect.provide(Counter.find("a"), services))
      const [, second] = yield* Effect.all([get, get], { concurrency: "unbounded" })
      assert.strictEqual(reasonIs(second, "ConnectionUnavailable").code, "MAXIMUM_WAITING")
      assert.strictEqual(
        (errorOf(second) as Error).message,
        "Too many programs wait for an answer (option `maximumWaiting`); nothing was applied"
      )
      yield* Scope.close(scope, Exit.void)
      const closed = yield* get
      assert.strictEqual(reasonIs(closed, "ConnectionUnavailable").code, "CLOSED")
      assert.strictEqual((errorOf(closed) as Error).message, "The layer is closed; nothing was applied")
    }))
})
