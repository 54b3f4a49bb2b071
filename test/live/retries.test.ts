/**
 * Retries of the layer within the deadline: programs that cannot have been applied, and programs that may run twice.
 */
import { assert, layer } from "@effect/vitest"
import { Clock, Context, Effect, Exit, Fiber, Layer, Option, Schema } from "effect"
import { Atomic, Model, RedisService } from "redlayer"
import { type Call, RedisTransport, type ServerReply, TransportError } from "redlayer/RedisTransport"
import { describeOwnServer } from "../support/Backends.ts"
import * as RawRedis from "../support/RawRedis.ts"
import * as RedisServer from "../support/RedisServer.ts"
import * as TcpProxy from "../support/TcpProxy.ts"
import { eventually, range, reasonIs, timed, within } from "./liveService.ts"

class Server extends Context.Service<Server, {
  readonly port: number
  readonly url: string
  readonly raw: RawRedis.RawRedis
}>()("test/RetriesServer") {
  static readonly layer = Layer.effect(
    Server,
    Effect.gen(function*() {
      const { port, url } = yield* RedisServer.start({
        args: [
          "--enable-debug-command",
          "yes",
          "--busy-reply-threshold",
          "20",
          "--loading-process-events-interval-bytes",
          "1024"
        ]
      })
      return { port, url, raw: yield* RawRedis.make(url) }
    })
  )
}

const Counter = Model.make("RetryCounter", {
  name: Schema.String,
  count: Schema.Int.pipe(Model.withDefault(0)),
  log: Schema.Array(Schema.String).pipe(Model.withDefault(["x"]))
}, { key: "name" })

const Session = Model.make("RetrySession", { name: Schema.String, user: Schema.String }, {
  key: "name",
  timeToLive: { duration: "1 hour", refresh: "access" }
})

const { count, log } = Counter.ref("a")

let prefixes = 0

/** A service behind a proxy, and an entity. */
const setup = Effect.fnUntraced(function*(options?: RedisService.LayerOptions) {
  const { port, raw } = yield* Server
  const proxy = yield* TcpProxy.make({ port })
  const keyPrefix = `retry${++prefixes}:`
  const services = yield* Layer.build(RedisService.layer({ url: proxy.url, keyPrefix, ...options }))
  const run = <A, E>(self: Effect.Effect<A, E, RedisService.RedisService>) => Effect.provide(self, services)
  yield* run(Counter.insert({ name: "a" }))
  const stored = Effect.map(raw.call("HGET", `${keyPrefix}RetryCounter:{a}`, "count"), Number)
  return { proxy, raw, run, stored }
})

const start = { startImmediately: true } as const

/** A transport of the test's own; what is asked before the first program is answered by the server. */
const over = Effect.fnUntraced(function*(
  evaluate: (
    call: Call,
    real: Effect.Effect<ServerReply, TransportError>
  ) => Effect.Effect<ServerReply, TransportError>,
  options?: RedisService.ServiceOptions,
  ready: Effect.Effect<void> = Effect.void
) {
  const { raw } = yield* Server
  let isArmed = false
  const transport = RedisTransport.of({
    ready,
    evaluate: (call) =>
      Effect.suspend(() => {
        const real = raw.call(call.command, call.script, String(call.keys.length), ...call.keys, call.argument).pipe(
          Effect.map((text): ServerReply => ({ _tag: "Text", text: String(text) })),
          Effect.catch((error) => Effect.succeed<ServerReply>({ _tag: "Error", message: error.message }))
        )
        return isArmed ? evaluate(call, real) : real
      })
  })
  const services = yield* Layer.build(
    RedisService.layerTransport({ keyPrefix: `retry${++prefixes}:`, ...options }).pipe(
      Layer.provide(Layer.succeed(RedisTransport, transport))
    )
  )
  const run = <A, E>(self: Effect.Effect<A, E, RedisService.RedisService>) => Effect.provide(self, services)
  yield* run(Counter.insert({ name: "a" }))
  isArmed = true
  return run
})

const busy: ServerReply = { _tag: "Error", message: "BUSY Redis is busy running a script." }

describeOwnServer("retries", () => {
  layer(Server.layer, { excludeTestServices: true, timeout: 20_000 })((it) => {
    it.effect("a busy server is waited out", () =>
      Effect.gen(function*() {
        const { url } = yield* Server
        const { raw, run, stored } = yield* setup()
        const other = yield* RawRedis.make(url)
        const script = yield* Effect.forkChild(Effect.exit(other.call("EVAL", "while true do end", "0")), start)
        yield* eventually(Effect.flip(raw.call("PING")))
        const fibers = yield* Effect.forEach(range(5), () => Effect.forkChild(run(count.increment()), start))
        yield* Effect.sleep("100 millis")
        for (const fiber of fibers) assert.isUndefined(fiber.pollUnsafe())
        yield* eventually(raw.call("SCRIPT", "KILL"))
        yield* Effect.forEach(fibers, Fiber.join)
        yield* Fiber.join(script)
        assert.strictEqual(yield* stored, 5)
      }))

    it.effect("a server that loads its data is waited out", () =>
      Effect.gen(function*() {
        const { url } = yield* Server
        const { raw, run, stored } = yield* setup()
        yield* raw.call("EVAL", "for i = 1, 500 do redis.call('SET', 'filler:' .. i, string.rep('x', 500)) end", "0")
        yield* raw.call("CONFIG", "SET", "key-load-delay", "600")
        const other = yield* RawRedis.make(url)
        const reload = yield* Effect.forkChild(other.call("DEBUG", "RELOAD"), start)
        yield* eventually(Effect.flip(raw.call("GET", "none")))
        yield* run(count.increment())
        yield* Fiber.join(reload)
        yield* raw.call("CONFIG", "SET", "key-load-delay", "0")
        assert.strictEqual(yield* stored, 1)
      }))

    it.effect("a replica that is promoted in time is waited out; otherwise it is the reason", () =>
      Effect.gen(function*() {
        const { raw, run, stored } = yield* setup({ deadline: "400 millis" })
        yield* raw.call("REPLICAOF", "127.0.0.1", "1")
        const fiber = yield* Effect.forkChild(run(count.increment()), start)
        yield* Effect.sleep("100 millis")
        assert.isUndefined(fiber.pollUnsafe())
        yield* raw.call("REPLICAOF", "NO", "ONE")
        assert.strictEqual(yield* Fiber.join(fiber), 1)
        yield* raw.call("REPLICAOF", "127.0.0.1", "1")
        const [exit, millis] = yield* timed(run(count.increment()))
        yield* raw.call("REPLICAOF", "NO", "ONE")
        assert.strictEqual(reasonIs(exit, "ServerUnavailable").code, "READONLY")
        within(millis, 100, 500)
        assert.strictEqual(yield* stored, 1)
      }))

    it.effect("reads are retried after a lost reply, and writes are not", () =>
      Effect.gen(function*() {
        const { proxy, run, stored } = yield* setup()
        yield* run(Session.insert({ name: "s", user: "ann" }))
        for (const what of ["request", "reply"] as const) {
          yield* proxy.cutOnNext(what)
          assert.strictEqual(yield* run(count.get()), 0)
          // it renews its time to live, and no more
          yield* proxy.cutOnNext(what)
          assert.strictEqual((yield* run(Session.get("s"))).user, "ann")
          yield* proxy.cutOnNext(what)
          reasonIs(yield* Effect.exit(run(count.increment())), "OutcomeUnknown")
          // there is a connection again
          yield* run(count.get())
          yield* proxy.cutOnNext(what)
          reasonIs(yield* Effect.exit(run(log.pop())), "OutcomeUnknown")
          yield* run(count.get())
          assert.strictEqual(yield* stored, what === "request" ? 0 : 1)
        }
        assert.deepStrictEqual(yield* run(log.pop()), Option.none())
      }))

    it.effect("without retries nothing is sent again", () =>
      Effect.gen(function*() {
        const { proxy, raw, run } = yield* setup({ retry: false })
        yield* proxy.cutOnNext("reply")
        reasonIs(yield* Effect.exit(run(count.get())), "OutcomeUnknown")
        // it waits for a connection nevertheless
        assert.strictEqual(yield* run(count.get()), 0)
        yield* raw.call("REPLICAOF", "127.0.0.1", "1")
        const [exit, millis] = yield* timed(eventually(
          Effect.filterOrFail(Effect.exit(run(count.increment())), Exit.isFailure)
        ))
        yield* raw.call("REPLICAOF", "NO", "ONE")
        assert.isTrue(Exit.isSuccess(exit))
        assert.isBelow(millis, 1000)
        if (Exit.isSuccess(exit)) reasonIs(exit.value, "ServerUnavailable")
      }))

    it.effect("a program that has its answer is not sent again", () =>
      Effect.gen(function*() {
        const sizes: Array<number> = []
        const run = yield* over((call, real) => {
          sizes.push(call.keys.length)
          return sizes.length > 1
            ? real
            : Effect.succeed({
              _tag: "Text",
              text: JSON.stringify([true, "7", ["error", 1, "READONLY You can't write", null], true, "9"])
            })
        })
        const results = yield* Effect.all(range(3).map(() => run(count.increment())), { concurrency: "unbounded" })
        assert.deepStrictEqual(results, [7, 1, 9])
        assert.deepStrictEqual(sizes, [1, 1])
      }))

    it.effect("retries become less frequent, and stop when too little time is left", () =>
      Effect.gen(function*() {
        const times: Array<number> = []
        const run = yield* over(
          () => Effect.andThen(Effect.map(Clock.currentTimeMillis, (now) => times.push(now)), Effect.succeed(busy)),
          { deadline: "600 millis" }
        )
        const begin = yield* Clock.currentTimeMillis
        const [exit, millis] = yield* timed(run(count.increment()))
        assert.strictEqual(reasonIs(exit, "ServerUnavailable").code, "BUSY")
        assert.isAtMost(millis, 610)
        assert.isAtLeast(times.length, 4)
        assert.isAtMost(times.length, 10)
        for (const time of times) assert.isAtMost(time - begin, 590)
        const gaps = times.slice(1).map((time, i) => time - times[i]!)
        assert.isAtMost(gaps[0]!, 20)
        assert.isAtMost(Math.max(...gaps), 270)
      }))

    it.effect("a program that is refused again and again does not delay others", () =>
      Effect.gen(function*() {
        const again: ServerReply = { _tag: "Error", message: "TRYAGAIN Multiple keys request during rehashing of slot" }
        let calls = 0
        const run = yield* over((call, real) => {
          calls++
          return calls === 1 || call.argument.includes("stuck") ? Effect.succeed(again) : real
        }, { deadline: "500 millis" })
        const begin = yield* Clock.currentTimeMillis
        const [stuck, ...others] = yield* Effect.all(
          [run(Counter.ref("a").log.append("stuck")), ...range(3).map(() => run(count.increment()))].map(timed),
          { concurrency: "unbounded" }
        )
        assert.strictEqual(reasonIs(stuck![0], "ServerUnavailable").code, "TRYAGAIN")
        for (const [exit, millis] of others) {
          assert.isTrue(Exit.isSuccess(exit))
          assert.isBelow(millis, 200)
        }
        assert.isBelow((yield* Clock.currentTimeMillis) - begin, 600)
      }))

    it.effect("more programs than may wait are refused at once, until there is room", () =>
      Effect.gen(function*() {
        let isDown = true
        const run = yield* over(
          (_, real) => isDown ? Effect.fail(new TransportError({ outcome: "NotSent" })) : real,
          { deadline: "300 millis", maximumWaiting: 100 },
          Effect.suspend(() => isDown ? Effect.never : Effect.void)
        )
        const exits = yield* Effect.all(range(1000).map(() => timed(run(count.increment()))), {
          concurrency: "unbounded"
        })
        const atOnce = exits.filter(([exit, millis]) => {
          reasonIs(exit, "ConnectionUnavailable")
          return millis < 200
        })
        assert.lengthOf(atOnce, 900)
        // one call of any size is one caller
        const results = yield* run(Atomic.pipeline(range(200).map(() => count.increment())))
        for (const exit of results) reasonIs(exit, "ConnectionUnavailable")
        isDown = false
        assert.strictEqual(yield* run(count.increment()), 1)
        assert.lengthOf((yield* run(Atomic.pipeline(range(200).map(() => count.get())))).filter(Exit.isSuccess), 200)
      }))
  })
})
