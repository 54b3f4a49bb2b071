/**
 * Connections that are late, break, lose or delay: what the caller hears, and what the server has done.
 */
import { assert, layer } from "@effect/vitest"
import { Clock, Context, Effect, Exit, Fiber, Layer, Schedule, Schema, Scope } from "effect"
import { Atomic, Model, RedisService } from "redlayer"
import { IoRedis } from "redlayer/IoRedis"
import { type Call, RedisTransport, type ServerReply, TransportError } from "redlayer/RedisTransport"
import { describeOwnServer } from "../support/Backends.ts"
import * as RawRedis from "../support/RawRedis.ts"
import * as RedisServer from "../support/RedisServer.ts"
import * as TcpProxy from "../support/TcpProxy.ts"
import { captureOutput, errorOf, eventually, range, reasonIs, timed, until, within } from "./liveService.ts"

class Server extends Context.Service<Server, {
  readonly port: number
  readonly raw: RawRedis.RawRedis
}>()("test/Server") {
  static readonly layer = Layer.effect(
    Server,
    Effect.gen(function*() {
      const { port, url } = yield* RedisServer.start()
      return { port, raw: yield* RawRedis.make(url) }
    })
  )
}

class Counter extends Model.Class<Counter>("Counter")({
  name: Schema.String,
  count: Schema.Int.pipe(Model.withDefault(0))
}, { key: "name" }) {}

let prefixes = 0

/** A service behind a proxy, and an entity. */
const setup = Effect.fnUntraced(function*(options?: RedisService.LayerOptions) {
  const { port, raw } = yield* Server
  const proxy = yield* TcpProxy.make({ port })
  const keyPrefix = `test${++prefixes}:`
  const scope = yield* Scope.fork(yield* Effect.scope)
  const services = yield* Layer.build(RedisService.layer({ url: proxy.url, keyPrefix, ...options })).pipe(
    Scope.provide(scope)
  )
  const client = Context.get(services, IoRedis)
  const run = <A, E>(self: Effect.Effect<A, E, RedisService.RedisService>) => Effect.provide(self, services)
  yield* run(Counter.insert({ name: "a" }))
  const stored = Effect.map(raw.call("HGET", `${keyPrefix}Counter:{a}`, "count"), Number)
  return {
    client,
    proxy,
    raw,
    run,
    stored,
    /** closes the service, and its connection */
    close: Scope.close(scope, Exit.void),
    increment: run(Counter.ref("a").count.increment()),
    down: until("the client sees that it has no connection", () => client.status !== "ready"),
    up: until("the client is connected", () => client.status === "ready")
  }
})

/** Calls by a client of the test's own. */
const transportOf = (raw: RawRedis.RawRedis) => (call: Call): Effect.Effect<ServerReply, TransportError> =>
  raw.call(call.command, call.script, String(call.keys.length), ...call.keys, call.argument).pipe(
    Effect.map((text): ServerReply => ({ _tag: "Text", text: String(text) })),
    Effect.catch((error) => Effect.succeed<ServerReply>({ _tag: "Error", message: error.message }))
  )

const start = { startImmediately: true } as const

/** A later turn of the event loop: what was committed before has been dispatched. */
const turn = Effect.promise(() => new Promise((resolve) => setImmediate(() => setImmediate(resolve))))

describeOwnServer("the connection", () => {
  layer(Server.layer, { excludeTestServices: true, timeout: 20_000 })((it) => {
    // -----------------------------------------------------------------------------------------------------------------
    // Starting
    // -----------------------------------------------------------------------------------------------------------------

    it.effect("starting without a server tries until the deadline", () =>
      Effect.gen(function*() {
        const output = yield* captureOutput
        const port = yield* RedisServer.freePort
        const [exit, millis] = yield* timed(
          Effect.scoped(Layer.build(RedisService.layer({ host: "127.0.0.1", port, deadline: "400 millis" })))
        )
        const reason = reasonIs(exit, "ConnectionUnavailable")
        assert.isTrue(reason.isRetryable)
        assert.isFalse(reason.applied)
        within(millis, 390, 650)
        assert.deepStrictEqual(output, [])
      }))

    it.effect("starting before a server that accepts and never answers tries until the deadline", () =>
      Effect.gen(function*() {
        const { port } = yield* Server
        const output = yield* captureOutput
        const proxy = yield* TcpProxy.make({ port })
        yield* proxy.swallowRequests(true)
        const [exit, millis] = yield* timed(
          Effect.scoped(Layer.build(RedisService.layer({ url: proxy.url, deadline: "400 millis" })))
        )
        reasonIs(exit, "ConnectionUnavailable")
        within(millis, 390, 650)
        yield* proxy.waitUntil(({ connections }) => connections === 0)
        assert.deepStrictEqual(output, [])
      }))

    it.effect("starting succeeds when the server comes up in time", () =>
      Effect.gen(function*() {
        const output = yield* captureOutput
        const port = yield* RedisServer.freePort
        // its connections break at once as long as there is no server behind it
        const proxy = yield* TcpProxy.make({ port })
        const fiber = yield* Effect.forkChild(
          Effect.provide(Counter.insert({ name: "a" }), RedisService.layer({ url: proxy.url, deadline: "5 seconds" })),
          start
        )
        yield* proxy.waitUntil(({ accepted }) => accepted >= 2)
        assert.isUndefined(fiber.pollUnsafe())
        yield* RedisServer.start({ port })
        assert.strictEqual((yield* Fiber.join(fiber)).count, 0)
        assert.deepStrictEqual(output, [])
      }))

    it.effect("starting asks again when the connection broke before the answer", () =>
      Effect.gen(function*() {
        const { raw } = yield* Server
        let calls = 0
        const real = transportOf(raw)
        const flaky = RedisTransport.of({
          ready: Effect.void,
          evaluate: (call) => ++calls === 1 ? Effect.fail(new TransportError({ outcome: "Unknown" })) : real(call)
        })
        const found = yield* Effect.provide(
          Counter.exists("nobody"),
          RedisService.layerTransport().pipe(Layer.provide(Layer.succeed(RedisTransport, flaky)))
        )
        assert.isFalse(found)
        assert.isAbove(calls, 2)
      }))

    // -----------------------------------------------------------------------------------------------------------------
    // Without a connection
    // -----------------------------------------------------------------------------------------------------------------

    it.effect("a program waits for the connection", () =>
      Effect.gen(function*() {
        const { down, increment, proxy, stored } = yield* setup()
        yield* proxy.refuse(true)
        yield* proxy.cut()
        yield* down
        const fiber = yield* Effect.forkChild(increment, start)
        assert.strictEqual(yield* stored, 0)
        assert.isUndefined(fiber.pollUnsafe())
        yield* proxy.refuse(false)
        assert.strictEqual(yield* Fiber.join(fiber), 1)
        assert.strictEqual(yield* stored, 1)
      }))

    it.effect("a program that has no connection before its deadline fails on time, and never runs", () =>
      Effect.gen(function*() {
        const { down, increment, proxy, stored, up } = yield* setup({ deadline: "300 millis" })
        yield* proxy.refuse(true)
        yield* proxy.cut()
        yield* down
        const [exit, millis] = yield* timed(increment)
        reasonIs(exit, "ConnectionUnavailable")
        within(millis, 290, 400)
        yield* proxy.refuse(false)
        yield* up
        assert.strictEqual(yield* increment, 1)
        assert.strictEqual(yield* stored, 1)
      }))

    it.effect("a connection that is ending is waited out", () =>
      Effect.gen(function*() {
        const { client, increment, stored } = yield* setup()
        // it can't be written to, and no event has told so yet
        client.stream.end()
        assert.strictEqual(client.status, "ready")
        assert.strictEqual(yield* increment, 1)
        assert.strictEqual(yield* stored, 1)
      }))

    it.effect("a transport that is never ready, but says so, is given up at the deadline", () =>
      Effect.gen(function*() {
        const notSent = Effect.promise(() => Promise.resolve()).pipe(
          Effect.andThen(Effect.fail(new TransportError({ outcome: "NotSent" })))
        )
        const { raw } = yield* Server
        let isBroken = true
        const real = transportOf(raw)
        const transport = Layer.succeed(RedisTransport, {
          ready: Effect.void,
          evaluate: (call) => isBroken ? notSent : real(call)
        })
        const service = Layer.provide(RedisService.layerTransport({ deadline: "200 millis" }), transport)
        const [exit, millis] = yield* timed(Effect.scoped(Layer.build(service)))
        reasonIs(exit, "ConnectionUnavailable")
        within(millis, 190, 400)
        // a layer that has started
        isBroken = false
        yield* Effect.gen(function*() {
          assert.isFalse(yield* Counter.exists("nobody"))
          isBroken = true
          const [exit, millis] = yield* timed(Counter.exists("nobody"))
          reasonIs(exit, "ConnectionUnavailable")
          within(millis, 190, 400)
        }).pipe(Effect.provide(service, { local: true }))
      }))

    it.effect("programs of many turns wait without console output", () =>
      Effect.gen(function*() {
        const output = yield* captureOutput
        const { down, increment, proxy, stored } = yield* setup()
        yield* proxy.refuse(true)
        yield* proxy.cut()
        yield* down
        const fibers = yield* Effect.forEach(range(30), () =>
          Effect.forkChild(increment, start).pipe(
            Effect.tap(turn)
          ))
        yield* proxy.refuse(false)
        const results = yield* Effect.forEach(fibers, Fiber.join)
        assert.deepStrictEqual([...results].sort((a, b) => a - b), range(30).map((i) => i + 1))
        assert.strictEqual(yield* stored, 30)
        assert.deepStrictEqual(output, [])
      }))

    // -----------------------------------------------------------------------------------------------------------------
    // Sent, and no reply
    // -----------------------------------------------------------------------------------------------------------------

    it.effect("a lost reply is an unknown outcome of what was applied, once", () =>
      Effect.gen(function*() {
        const { increment, proxy, raw, stored, up } = yield* setup()
        yield* raw.call("CONFIG", "RESETSTAT")
        yield* proxy.swallowReplies(true)
        const before = yield* proxy.stats
        const fiber = yield* Effect.forkChild(increment, start)
        yield* proxy.waitUntil((now) => now.replyBytes > before.replyBytes)
        yield* proxy.swallowReplies(false)
        yield* proxy.cut()
        const reason = reasonIs(yield* Fiber.await(fiber), "OutcomeUnknown")
        assert.strictEqual(reason.applied, "unknown")
        assert.isFalse(reason.isRetryable)
        assert.strictEqual(yield* stored, 1)
        yield* up
        assert.strictEqual(yield* increment, 2)
        assert.include(String(yield* raw.call("INFO", "commandstats")), "cmdstat_evalsha:calls=2,")
      }))

    it.effect("a lost request is an unknown outcome of what was not applied", () =>
      Effect.gen(function*() {
        const { increment, proxy, raw, stored, up } = yield* setup()
        yield* raw.call("CONFIG", "RESETSTAT")
        yield* proxy.swallowRequests(true)
        const before = yield* proxy.stats
        const fiber = yield* Effect.forkChild(increment, start)
        yield* proxy.waitUntil((now) => now.requestBytes > before.requestBytes)
        yield* proxy.swallowRequests(false)
        yield* proxy.cut()
        reasonIs(yield* Fiber.await(fiber), "OutcomeUnknown")
        yield* up
        assert.strictEqual(yield* stored, 0)
        assert.strictEqual(yield* increment, 1)
        assert.include(String(yield* raw.call("INFO", "commandstats")), "cmdstat_evalsha:calls=1,")
      }))

    it.effect("all programs of a lost call are unknown, and each fails by itself", () =>
      Effect.gen(function*() {
        const { increment, proxy, stored } = yield* setup()
        yield* proxy.swallowReplies(true)
        const before = yield* proxy.stats
        const fibers = yield* Effect.forEach(range(20), () => Effect.forkChild(increment, start))
        yield* proxy.waitUntil((now) => now.replyBytes > before.replyBytes)
        yield* proxy.cut()
        for (const fiber of fibers) reasonIs(yield* Fiber.await(fiber), "OutcomeUnknown")
        assert.strictEqual(yield* stored, 20)
      }))

    it.effect("a silent server is given up after `silence`, and then used again", () =>
      Effect.gen(function*() {
        const { increment, proxy, stored } = yield* setup({ silence: "1 second" })
        yield* proxy.swallowRequests(true)
        const [exit, millis] = yield* timed(increment)
        reasonIs(exit, "OutcomeUnknown")
        within(millis, 950, 1300)
        yield* proxy.swallowRequests(false)
        assert.strictEqual(yield* increment, 1)
        assert.strictEqual(yield* stored, 1)
      }))

    it.effect("a connection that has nothing to say stays", () =>
      Effect.gen(function*() {
        const { increment, proxy } = yield* setup({ silence: "1 second" })
        yield* increment
        const { accepted } = yield* proxy.stats
        // longer than the silence that a program may meet
        yield* Effect.sleep("1200 millis")
        assert.strictEqual(yield* increment, 2)
        assert.strictEqual((yield* proxy.stats).accepted, accepted)
      }))

    // -----------------------------------------------------------------------------------------------------------------
    // The deadline
    // -----------------------------------------------------------------------------------------------------------------

    it.effect("the deadline fails a program that was sent on time, and alone", () =>
      Effect.gen(function*() {
        const output = yield* captureOutput
        const { increment, proxy, stored } = yield* setup({ deadline: "300 millis", silence: "1 second" })
        const { accepted } = yield* proxy.stats
        yield* proxy.holdRequests()
        const early = yield* Effect.forkChild(timed(increment), start)
        const late = yield* Effect.forkChild(Effect.delay(increment, "200 millis"), start)
        const [exit, millis] = yield* Fiber.join(early)
        reasonIs(exit, "OutcomeUnknown")
        within(millis, 290, 400)
        // it may yet be applied, and is: its late reply is ignored
        assert.strictEqual(yield* stored, 0)
        yield* proxy.release()
        assert.strictEqual(yield* Fiber.join(late), 2)
        assert.strictEqual(yield* increment, 3)
        assert.strictEqual(yield* stored, 3)
        assert.strictEqual((yield* proxy.stats).accepted, accepted)
        assert.deepStrictEqual(output, [])
      }))

    it.effect("the deadline covers a call that is sent again in parts", () =>
      Effect.gen(function*() {
        const { raw } = yield* Server
        let armed = false
        let sent = 0
        const real = transportOf(raw)
        const slow = RedisTransport.of({
          ready: Effect.void,
          evaluate: (call) =>
            Effect.suspend((): Effect.Effect<ServerReply, TransportError> => {
              if (!armed) return real(call)
              return ++sent === 1
                ? Effect.succeed({ _tag: "Error", message: "TRYAGAIN Multiple keys request during rehashing of slot" })
                : sent < 4
                ? Effect.delay(real(call), "130 millis")
                : Effect.never
            })
        })
        yield* Effect.gen(function*() {
          yield* Counter.insert({ name: "parts" })
          const { count } = Counter.ref("parts")
          yield* count.increment()
          armed = true
          const results = yield* Effect.all(range(5).map(() => timed(count.increment())), { concurrency: "unbounded" })
          // two in time; the third was sent; the others were not sent again, and had been refused
          assert.deepStrictEqual(results.slice(0, 2).map(([exit]) => exit), [Exit.succeed(2), Exit.succeed(3)])
          reasonIs(results[2]![0], "OutcomeUnknown")
          assert.strictEqual(reasonIs(results[3]![0], "ServerUnavailable").code, "TRYAGAIN")
          assert.strictEqual(reasonIs(results[4]![0], "ServerUnavailable").code, "TRYAGAIN")
          for (const [, millis] of results.slice(2)) within(millis, 390, 500)
          assert.strictEqual(sent, 4)
        }).pipe(Effect.provide(
          RedisService.layerTransport({ deadline: "400 millis", keyPrefix: "parts:" }).pipe(
            Layer.provide(Layer.succeed(RedisTransport, slow))
          )
        ))
      }))

    // -----------------------------------------------------------------------------------------------------------------
    // Interruption
    // -----------------------------------------------------------------------------------------------------------------

    it.effect("a program that is interrupted in the turn of its commit never runs, and its neighbours do", () =>
      Effect.gen(function*() {
        const { increment, raw, stored } = yield* setup()
        yield* raw.call("CONFIG", "RESETSTAT")
        const alone = yield* Effect.forkChild(increment, start)
        yield* Fiber.interrupt(alone)
        const first = yield* Effect.forkChild(increment, start)
        const second = yield* Effect.forkChild(increment, start)
        yield* Fiber.interrupt(first)
        assert.strictEqual(yield* Fiber.join(second), 1)
        assert.strictEqual(yield* stored, 1)
        assert.include(String(yield* raw.call("INFO", "commandstats")), "cmdstat_evalsha:calls=1,")
      }))

    it.effect("a program that is interrupted while it waits for a connection never runs, and its neighbours do", () =>
      Effect.gen(function*() {
        const { down, increment, proxy, raw, stored } = yield* setup()
        yield* raw.call("CONFIG", "RESETSTAT")
        yield* proxy.refuse(true)
        yield* proxy.cut()
        yield* down
        const alone = yield* Effect.forkChild(increment, start)
        yield* turn
        const interrupted = yield* Effect.forkChild(increment, start)
        const neighbour = yield* Effect.forkChild(increment, start)
        yield* turn
        const [, millis] = yield* timed(Fiber.interruptAll([alone, interrupted]))
        within(millis, 0, 100)
        yield* proxy.refuse(false)
        assert.strictEqual(yield* Fiber.join(neighbour), 1)
        assert.strictEqual(yield* increment, 2)
        assert.strictEqual(yield* stored, 2)
        assert.include(String(yield* raw.call("INFO", "commandstats")), "cmdstat_evalsha:calls=2,")
      }))

    it.effect("a fiber that is interrupted after sending ends at once, and the program may be applied", () =>
      Effect.gen(function*() {
        const { increment, proxy, stored } = yield* setup()
        yield* proxy.holdRequests()
        const fiber = yield* Effect.forkChild(increment, start)
        yield* proxy.waitUntil(({ heldBytes }) => heldBytes > 0)
        const [exit, millis] = yield* timed(Fiber.interrupt(fiber))
        assert.isTrue(Exit.isSuccess(exit))
        within(millis, 0, 100)
        yield* proxy.release()
        assert.strictEqual(yield* increment, 2)
        assert.strictEqual(yield* stored, 2)
      }))

    it.effect("programs that are interrupted after sending leave their neighbours the right answers", () =>
      Effect.gen(function*() {
        const { client, proxy, run, stored } = yield* setup()
        const { count } = Counter.ref("a")
        yield* proxy.holdRequests()
        const first = yield* Effect.forkChild(run(Atomic.all([count.increment(), count.get()])), start)
        const second = yield* Effect.forkChild(run(count.increment()), start)
        const third = yield* Effect.forkChild(run(Atomic.all([count.increment(), count.increment()])), start)
        const fourth = yield* Effect.forkChild(run(count.increment()), start)
        yield* proxy.waitUntil(({ heldBytes }) => heldBytes > 0)
        yield* Fiber.interruptAll([first, third])
        assert.strictEqual(client.status, "ready")
        yield* proxy.release()
        assert.deepStrictEqual([yield* Fiber.join(second), yield* Fiber.join(fourth)], [2, 5])
        assert.strictEqual(yield* stored, 5)
      }))

    it.effect("a time-out of the caller's own ends at once", () =>
      Effect.gen(function*() {
        const { increment, proxy } = yield* setup()
        yield* proxy.swallowRequests(true)
        const [exit, millis] = yield* timed(Effect.timeout(increment, "100 millis"))
        assert.strictEqual((errorOf(exit) as { readonly _tag: string })._tag, "TimeoutError")
        within(millis, 95, 200)
        yield* proxy.cut()
      }))

    // -----------------------------------------------------------------------------------------------------------------
    // Closing
    // -----------------------------------------------------------------------------------------------------------------

    const clients = Effect.flatMap(
      Server,
      ({ raw }) =>
        Effect.map(raw.call("INFO", "clients"), (info) => Number(/connected_clients:(\d+)/.exec(String(info))![1]))
    )

    it.effect("closing lets programs in flight finish, and closes the connection", () =>
      Effect.gen(function*() {
        const output = yield* captureOutput
        const baseline = yield* clients
        const { close, increment, proxy, stored } = yield* setup()
        assert.strictEqual(yield* clients, baseline + 1)
        yield* proxy.holdRequests()
        const sent = yield* Effect.forkChild(increment, start)
        yield* proxy.waitUntil(({ heldBytes }) => heldBytes > 0)
        const justCommitted = yield* Effect.forkChild(increment, start)
        const closing = yield* Effect.forkChild(close, start)
        const [refused, millis] = yield* timed(increment)
        reasonIs(refused, "ConnectionUnavailable")
        within(millis, 0, 50)
        assert.isUndefined(closing.pollUnsafe())
        assert.isUndefined(sent.pollUnsafe())
        yield* proxy.release()
        assert.deepStrictEqual([yield* Fiber.join(sent), yield* Fiber.join(justCommitted)], [1, 2])
        yield* Fiber.join(closing)
        yield* proxy.waitUntil(({ connections }) => connections === 0)
        yield* eventually(Effect.filterOrFail(clients, (count) => count === baseline))
        reasonIs(yield* Effect.exit(increment), "ConnectionUnavailable")
        assert.strictEqual(yield* stored, 2)
        // it does not come back
        const { accepted } = yield* proxy.stats
        yield* Effect.sleep("100 millis")
        assert.strictEqual((yield* proxy.stats).accepted, accepted)
        assert.deepStrictEqual(output, [])
      }))

    it.effect("closing without a connection ends, and waiting programs fail", () =>
      Effect.gen(function*() {
        const output = yield* captureOutput
        const { close, down, increment, proxy } = yield* setup()
        yield* proxy.refuse(true)
        yield* proxy.cut()
        yield* down
        const waiting = yield* Effect.forkChild(increment, start)
        yield* turn
        const justCommitted = yield* Effect.forkChild(increment, start)
        const [exit, millis] = yield* timed(close)
        assert.isTrue(Exit.isSuccess(exit))
        within(millis, 0, 100)
        reasonIs(yield* Fiber.await(justCommitted), "ConnectionUnavailable")
        reasonIs(yield* Fiber.await(waiting), "ConnectionUnavailable")
        yield* proxy.refuse(false)
        const { accepted } = yield* proxy.stats
        yield* Effect.sleep("100 millis")
        assert.strictEqual((yield* proxy.stats).accepted, accepted)
        assert.deepStrictEqual(output, [])
      }))

    it.effect("closing before a silent server ends within the deadline", () =>
      Effect.gen(function*() {
        const { close, increment, proxy } = yield* setup({ deadline: "300 millis" })
        yield* proxy.swallowRequests(true)
        const fiber = yield* Effect.forkChild(increment, start)
        const [, millis] = yield* timed(close)
        within(millis, 0, 400)
        reasonIs(yield* Fiber.await(fiber), "OutcomeUnknown")
        yield* proxy.swallowRequests(false)
        yield* proxy.waitUntil(({ connections }) => connections === 0)
      }))

    it.effect("a layer that is built and closed leaves nothing behind", () =>
      Effect.gen(function*() {
        const { port } = yield* Server
        const baseline = yield* clients
        yield* Effect.forEach(
          range(10),
          () => Effect.provide(Counter.exists("a"), RedisService.layer({ port, host: "127.0.0.1" }), { local: true }),
          { concurrency: "unbounded" }
        )
        yield* eventually(Effect.filterOrFail(clients, (count) => count === baseline))
      }))

    // -----------------------------------------------------------------------------------------------------------------
    // All of it
    // -----------------------------------------------------------------------------------------------------------------

    it.effect("under connections killed every 20 ms nothing is applied twice, and nothing acknowledged is lost", () =>
      Effect.gen(function*() {
        const { increment, raw, run, stored } = yield* setup()
        const begin = yield* Clock.currentTimeMillis
        let kills = 0
        const killer = yield* Effect.forkChild(
          raw.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes").pipe(
            Effect.tap((count) => Effect.sync(() => kills += Number(count))),
            Effect.repeat(Schedule.spaced("20 millis"))
          )
        )
        const results: Array<number> = []
        let unknown = 0
        const storm = Effect.forEach(range(32), () =>
          Effect.gen(function*() {
            while ((yield* Clock.currentTimeMillis) - begin < 2000) {
              const exit = yield* Effect.exit(increment)
              if (Exit.isSuccess(exit)) {
                results.push(exit.value)
              } else {
                reasonIs(exit, "OutcomeUnknown")
                unknown++
              }
            }
          }), { concurrency: "unbounded", discard: true })
        const output = yield* Effect.scoped(Effect.tap(captureOutput, () => storm))
        yield* Fiber.interrupt(killer)
        const total = yield* stored
        assert.deepStrictEqual(output, [])
        console.log(`${kills} connections killed: ${results.length} acknowledged, ${unknown} unknown, ${total} applied`)
        assert.isAtLeast(kills, 10)
        assert.isAtLeast(total, results.length)
        assert.isAtMost(total, results.length + unknown)
        // no two of them saw the same value
        assert.strictEqual(new Set(results).size, results.length)
        assert.deepStrictEqual(
          // the last of the kills may still be in flight
          yield* eventually(run(Atomic.all([Counter.ref("a").count.get(), Counter.exists("a")]))),
          [total, true]
        )
      }))
  })
})
