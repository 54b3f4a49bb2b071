/**
 * A server that is slow to answer, or behind a slow line, is not dead; one that sends nothing and takes nothing is.
 */
import { assert, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Result, Schema, type Scope } from "effect"
import * as Net from "node:net"
import { Model, RedisService } from "redlayer"
import { range, reasonIs, timed, within } from "../live/liveService.ts"
import { describeOwnServer } from "../support/Backends.ts"
import * as Certificates from "../support/Certificates.ts"
import * as RedisServer from "../support/RedisServer.ts"
import { server, start } from "./proxiedService.ts"

const Box = Model.make("silence/Box", {
  id: Schema.String,
  n: Schema.Int.pipe(Model.withDefault(0)),
  list: Schema.Array(Schema.String)
}, { key: "id" })

const { list, n } = Box.ref("a")

interface Line {
  readonly url: string
  readonly port: number
  readonly connections: () => number
  readonly requestBytes: () => number
}

/** A line to a server that carries this many bytes a second in each direction. It reads no more than it has carried. */
const slowLine = (
  to: Pick<RedisServer.RedisServer, "host" | "port">,
  bytesPerSecond: number
): Effect.Effect<Line, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.callback<Line & { readonly close: () => void }>((resume) => {
      const sockets = new Set<Net.Socket>()
      let connections = 0
      let requestBytes = 0
      const carry = (from: Net.Socket, into: Net.Socket, count: (bytes: number) => void) => {
        sockets.add(from)
        from.on("error", () => {})
        from.on("close", () => into.destroy())
        from.on("data", (chunk) => {
          count(chunk.length)
          into.write(chunk)
          from.pause()
          setTimeout(() => from.resume(), 1000 * chunk.length / bytesPerSecond)
        })
      }
      const line = Net.createServer({ noDelay: true }, (client) => {
        connections++
        const upstream = Net.connect({ host: to.host, port: to.port, noDelay: true })
        carry(client, upstream, (bytes) => requestBytes += bytes)
        carry(upstream, client, () => {})
      })
      line.listen(0, "127.0.0.1", () => {
        const { port } = line.address() as Net.AddressInfo
        resume(Effect.succeed({
          url: `redis://127.0.0.1:${port}`,
          port,
          connections: () => connections,
          requestBytes: () => requestBytes,
          close: () => {
            line.close()
            for (const socket of sockets) socket.destroy()
          }
        }))
      })
    }),
    ({ close }) => Effect.sync(close)
  )

const million = "x".repeat(1_000_000)

const large = range(9).map(() => million)

const over = (options: RedisService.LayerOptions) => Effect.provide(RedisService.layer(options), { local: true })

describeOwnServer("a slow line", () => {
  it.live(
    "a program that takes seconds to send and to answer is not lost, and takes no neighbour with it",
    () =>
      Effect.gen(function*() {
        const line = yield* slowLine(yield* RedisServer.start(), 3_000_000)
        yield* Effect.gen(function*() {
          yield* Box.insert({ id: "a", list: [] })
          const neighbour = yield* Effect.forkChild(n.increment(), start)
          const sending = yield* Effect.forkChild(list.append(large), start)
          yield* Effect.sleep("100 millis")
          const others = yield* Effect.forEach(range(5), () => Effect.forkChild(n.increment(), start))
          assert.strictEqual(yield* Fiber.join(sending), 9)
          assert.strictEqual(yield* Fiber.join(neighbour), 1)
          for (const [i, fiber] of others.entries()) assert.strictEqual(yield* Fiber.join(fiber), i + 2)
          const [exit, millis] = yield* timed(list.get())
          assert.isTrue(Exit.isSuccess(exit) && exit.value.length === 9, String(exit).slice(0, 500))
          // longer than a server may be silent here
          assert.isAbove(millis, 2000)
        }).pipe(over({ url: line.url, deadline: "30 seconds", silence: "2 seconds" }))
        assert.strictEqual(line.connections(), 1)
      }),
    60_000
  )

  it.live("a large program that happens exactly once is sent once", () =>
    Effect.gen(function*() {
      const line = yield* slowLine(yield* RedisServer.start(), 3_000_000)
      yield* Effect.gen(function*() {
        yield* Box.insert({ id: "a", list: [] })
        assert.strictEqual(yield* list.append(large), 9)
      }).pipe(over({ url: line.url, deadline: "30 seconds", silence: "2 seconds", exactlyOnce: true }))
      assert.strictEqual(line.connections(), 1)
      assert.isBelow(line.requestBytes(), 10_000_000)
    }), 60_000)
})

describeOwnServer("many entities over a slow line", () => {
  it.live("600 entities of 50 kB are inserted within the default deadline of each", () =>
    Effect.gen(function*() {
      const line = yield* slowLine(yield* RedisServer.start(), 4_000_000)
      const entities = range(600).map((i) => ({ id: String(i), list: ["x".repeat(50_000)] }))
      const results = yield* Box.insertMany(entities).pipe(over({ url: line.url }))
      assert.strictEqual(results.filter(Result.isSuccess).length, 600)
      assert.strictEqual(line.connections(), 1)
    }), 60_000)
})

describeOwnServer("a slow line over TLS", () => {
  it.live("a program that takes seconds to send over TLS is not lost", () =>
    Effect.gen(function*() {
      const { authority, serverArgs } = yield* Certificates.make(["IP:127.0.0.1"])
      const port = yield* RedisServer.freePort
      const { host } = yield* RedisServer.start({ args: serverArgs(port) })
      const line = yield* slowLine({ host, port }, 3_000_000)
      yield* Effect.gen(function*() {
        yield* Box.insert({ id: "a", list: [] })
        const [exit, millis] = yield* timed(list.append(large))
        assert.deepStrictEqual(exit, Exit.succeed(9))
        assert.isAbove(millis, 2000)
      }).pipe(over({
        url: `rediss://127.0.0.1:${line.port}`,
        tls: { ca: authority },
        deadline: "30 seconds",
        silence: "2 seconds"
      }))
      assert.strictEqual(line.connections(), 1)
    }), 60_000)
})

describeOwnServer("a silent server", () => {
  it.live("a server that is stopped for less than half the deadline loses no program", () =>
    Effect.gen(function*() {
      const on = yield* RedisServer.start()
      yield* Effect.gen(function*() {
        yield* Box.insert({ id: "a", list: [] })
        yield* on.kill("SIGSTOP")
        const fibers = yield* Effect.forEach(range(3), () => Effect.forkChild(n.increment(), start))
        yield* Effect.sleep("1500 millis")
        yield* on.kill("SIGCONT")
        for (const [i, fiber] of fibers.entries()) assert.strictEqual(yield* Fiber.join(fiber), i + 1)
      }).pipe(over({ url: on.url }))
    }))

  it.live("a server that is stopped is given up after `silence`, even if more programs are sent to it meanwhile", () =>
    Effect.gen(function*() {
      const on = yield* RedisServer.start()
      yield* Effect.gen(function*() {
        yield* Box.insert({ id: "a", list: [] })
        yield* on.kill("SIGSTOP")
        const sending = yield* Effect.forkChild(
          Effect.forever(Effect.delay(Effect.forkChild(Effect.exit(n.increment()), start), "50 millis"))
        )
        const [exit, millis] = yield* timed(n.increment())
        reasonIs(exit, "OutcomeUnknown")
        within(millis, 390, 1000)
        yield* Fiber.interrupt(sending)
        yield* on.kill("SIGCONT")
        assert.isAtLeast(yield* n.increment(), 1)
      }).pipe(over({ url: on.url, silence: "400 millis" }))
    }))

  it.live("a server that takes no byte of a large program is given up after `silence`", () =>
    Effect.gen(function*() {
      const { proxy } = yield* server()
      yield* Effect.gen(function*() {
        yield* Box.insert({ id: "a", list: [] })
        yield* proxy.stall(true)
        const [exit, millis] = yield* timed(list.append(large))
        reasonIs(exit, "OutcomeUnknown")
        within(millis, 390, 5000)
        yield* proxy.stall(false)
        assert.strictEqual(yield* n.increment(), 1)
      }).pipe(over({ url: proxy.url, silence: "400 millis", deadline: "20 seconds" }))
    }))

  it.live("with an infinite `silence` only the deadline ends the wait, and the connection stays", () =>
    Effect.gen(function*() {
      const { proxy } = yield* server()
      yield* Effect.gen(function*() {
        yield* Box.insert({ id: "a", list: [] })
        const { accepted } = yield* proxy.stats
        yield* proxy.swallowReplies(true)
        const [exit, millis] = yield* timed(n.increment())
        reasonIs(exit, "OutcomeUnknown")
        within(millis, 790, 1200)
        assert.strictEqual((yield* proxy.stats).accepted, accepted)
      }).pipe(over({ url: proxy.url, deadline: "800 millis", silence: "Infinity" }))
    }))
})
