/**
 * Programs that happen exactly once, over connections that break, and calls that arrive late.
 */
import { assert, layer } from "@effect/vitest"
import { Clock, Context, Effect, Exit, Fiber, Layer, Option, Schedule, Schema, Scope } from "effect"
import { Atomic, Model, RedisService, Topic } from "redlayer"
import { isRedisServiceError } from "redlayer/RedisServiceError"
import { type Call, RedisTransport, type ServerReply, TransportError } from "redlayer/RedisTransport"
import { mutate } from "../faults/plantedMutations.ts"
import { describeOwnServer } from "../support/Backends.ts"
import * as RawRedis from "../support/RawRedis.ts"
import * as RedisServer from "../support/RedisServer.ts"
import * as TcpProxy from "../support/TcpProxy.ts"
import { errorOf, eventually, range, reasonIs, timed, within } from "./liveService.ts"

class Server extends Context.Service<Server, {
  readonly port: number
  readonly url: string
  readonly raw: RawRedis.RawRedis
}>()("test/OnceServer") {
  static readonly layer = Layer.effect(
    Server,
    Effect.gen(function*() {
      const { port, url } = yield* RedisServer.start()
      return { port, url, raw: yield* RawRedis.make(url) }
    })
  )
}

const Counter = Model.make("OnceCounter", {
  name: Schema.String,
  count: Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)).pipe(Model.withDefault(0)),
  log: Schema.Array(Schema.String).pipe(Model.withDefault([]))
}, { key: "name" })

const News = Topic.make("once-news", Schema.String)

/** Slots take a moment. */
const isClusterDown = (error: unknown): boolean =>
  isRedisServiceError(error) && error.reason._tag === "ServerUnavailable"

const { count, log } = Counter.ref("a")

let prefixes = 0

/** A service behind a proxy, and an entity. */
const setup = Effect.fnUntraced(function*(options?: RedisService.LayerOptions) {
  const { port, raw } = yield* Server
  const proxy = yield* TcpProxy.make({ port })
  const keyPrefix = `once${++prefixes}:`
  const scope = yield* Scope.fork(yield* Effect.scope)
  const services = yield* Layer.build(
    RedisService.layer({ url: proxy.url, keyPrefix, exactlyOnce: true, ...options })
  ).pipe(Scope.provide(scope))
  const run = <A, E>(self: Effect.Effect<A, E, RedisService.RedisService>) => Effect.provide(self, services)
  yield* run(Counter.insert({ name: "a" }))
  const stored = Effect.map(raw.call("HGET", `${keyPrefix}OnceCounter:{a}`, "count"), Number)
  return { close: Scope.close(scope, Exit.void), keyPrefix, proxy, raw, run, stored }
})

type Handle = (
  call: Call,
  real: (call: Call) => Effect.Effect<ServerReply, TransportError>
) => Effect.Effect<ServerReply, TransportError>

const lost = new TransportError({ outcome: "Unknown" })

/** A service over a transport that may do with a call what it likes; `arm` begins with it. */
const over = Effect.fnUntraced(function*(handle: Handle, options?: RedisService.ServiceOptions) {
  const { raw } = yield* Server
  const keyPrefix = `over${++prefixes}:`
  const real = (call: Call) =>
    raw.call(call.command, call.script, String(call.keys.length), ...call.keys, call.argument).pipe(
      Effect.map((text): ServerReply => ({ _tag: "Text", text: String(text) })),
      Effect.catch((error) => Effect.succeed<ServerReply>({ _tag: "Error", message: error.message }))
    )
  let armed = false
  const transport = RedisTransport.of({
    ready: Effect.void,
    evaluate: (call) => Effect.suspend(() => armed ? handle(call, real) : real(call))
  })
  const services = yield* Layer.build(
    RedisService.layerTransport({ keyPrefix, exactlyOnce: true, ...options }).pipe(
      Layer.provide(Layer.succeed(RedisTransport, transport))
    )
  )
  const run = <A, E>(self: Effect.Effect<A, E, RedisService.RedisService>) => Effect.provide(self, services)
  yield* run(Counter.insert({ name: "a" }))
  const stored = Effect.map(raw.call("HGET", `${keyPrefix}OnceCounter:{a}`, "count"), Number)
  return {
    arm: (on: boolean) => {
      armed = on
    },
    keyPrefix,
    raw,
    run,
    stored
  }
})

const isSeal = (call: Call): boolean => call.argument.startsWith("[[],")

/** Now and then in time, else when all is over. */
const arrival = (): number => Math.random() < 0.1 ? Math.random() * 1000 : 2000 + Math.random() * 500

/** A thousand programs whose calls arrive late, and whose replies are lost. */
const late = Effect.fnUntraced(function*() {
  const calls: Array<Fiber.Fiber<unknown, unknown>> = []
  const { arm, run, stored } = yield* over((call, real) =>
    isSeal(call)
      ? Effect.delay(real(call), `${Math.random() * 20} millis`)
      : Effect.gen(function*() {
        calls.push(yield* Effect.forkDetach(Effect.delay(real(call), `${arrival()} millis`)))
        return yield* Effect.delay(Effect.fail(lost), `${Math.random() * 20} millis`)
      }), { deadline: "2 seconds", batch: { programs: 7 } })
  arm(true)
  const exits = yield* Effect.forEach(range(1000), () => Effect.exit(run(count.increment())), {
    concurrency: "unbounded"
  })
  const atOnce = yield* stored
  yield* Effect.forEach(calls, Fiber.await)
  return { atOnce, exits, done: exits.filter(Exit.isSuccess), total: yield* stored }
})

const storm = <E>(increment: Effect.Effect<number, E>, millis: number) =>
  Effect.gen(function*() {
    const begin = yield* Clock.currentTimeMillis
    const exits: Array<Exit.Exit<number, E>> = []
    yield* Effect.forEach(range(8), () =>
      Effect.gen(function*() {
        while ((yield* Clock.currentTimeMillis) - begin < millis) exits.push(yield* Effect.exit(increment))
      }), { concurrency: "unbounded", discard: true })
    return exits
  })

const start = { startImmediately: true } as const

describeOwnServer("exactly once", () => {
  layer(Server.layer, { excludeTestServices: true, timeout: 20_000 })((it) => {
    it.effect.each([true, false])("connections killed every 20 ms: %s", (exactlyOnce) =>
      Effect.gen(function*() {
        const { raw, run, stored } = yield* setup({ exactlyOnce })
        let kills = 0
        const killer = yield* Effect.forkChild(
          raw.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes").pipe(
            Effect.tap((count) => Effect.sync(() => kills += Number(count))),
            Effect.repeat(Schedule.spaced("20 millis"))
          )
        )
        const exits = yield* storm(run(count.increment()), 3000)
        yield* Fiber.interrupt(killer)
        const done = exits.filter(Exit.isSuccess)
        const total = yield* stored
        console.log(`${kills} connections killed: ${exits.length} asked for, ${done.length} done, ${total} applied`)
        assert.isAtLeast(kills, 20)
        // no two of them saw the same value
        assert.strictEqual(new Set(done.map(({ value }) => value)).size, done.length)
        if (exactlyOnce) {
          assert.strictEqual(done.length, exits.length)
          assert.strictEqual(total, exits.length)
        } else {
          for (const exit of exits) if (Exit.isFailure(exit)) reasonIs(exit, "OutcomeUnknown")
          assert.isAtLeast(total, done.length)
          assert.isAtMost(total, exits.length)
        }
      }))

    it.effect("programs happen exactly once when connections are cut before the request and before the reply", () =>
      Effect.gen(function*() {
        const { proxy, run, stored } = yield* setup()
        let turn = 0
        // each time when the one before has been overcome
        const cutter = yield* Effect.forkChild(
          Effect.suspend(() => proxy.cutOnNext(turn++ % 2 === 0 ? "request" : "reply")).pipe(
            Effect.andThen(run(count.increment(0))),
            Effect.forever
          )
        )
        const exits = yield* storm(run(count.increment()), 3000)
        yield* Fiber.interrupt(cutter)
        yield* proxy.cutOnNext(undefined)
        const { accepted } = yield* proxy.stats
        console.log(`${accepted} connections: ${exits.length} asked for`)
        assert.isAtLeast(accepted, 10)
        for (const exit of exits) if (Exit.isFailure(exit)) assert.fail(String(errorOf(exit)))
        assert.strictEqual(yield* stored, exits.length)
      }))

    it.effect("a lost reply is found again", () =>
      Effect.gen(function*() {
        const { keyPrefix, proxy, raw, run, stored } = yield* setup({ exactlyOnce: { window: "10 seconds" } })
        yield* proxy.cutOnNext("reply")
        assert.deepStrictEqual(yield* run(Atomic.all([count.increment(), log.append("x"), log.get()])), [1, 1, ["x"]])
        yield* proxy.cutOnNext("reply")
        assert.strictEqual((yield* run(Counter.get("a"))).count, 1)
        yield* proxy.cutOnNext("request")
        assert.deepStrictEqual(yield* run(log.pop()), Option.some("x"))
        assert.strictEqual(yield* stored, 1)
        const keys = (yield* raw.call("KEYS", `${keyPrefix}*$once*`)) as ReadonlyArray<string>
        // the insert, the increment and the pop
        assert.isAtLeast(keys.length, 1)
        assert.isAtMost(keys.length, 3)
        for (const key of keys) {
          assert.match(key, /^once\d+:\{06S\}:\$once:\d+:\d{1,3}$/)
          const left = Number(yield* raw.call("PTTL", key))
          assert.isAbove(left, 10_000)
          assert.isAtMost(left, 20_000)
        }
      }))

    it.effect("a result above 4 kB is not kept, and a retry reports that the program was applied", () =>
      Effect.gen(function*() {
        const { proxy, run } = yield* setup()
        yield* proxy.cutOnNext("reply")
        const exit = yield* Effect.exit(run(Atomic.andThen(log.append("x".repeat(5000)), log.get())))
        assert.strictEqual(reasonIs(exit, "OutcomeUnknown").applied, true)
        assert.strictEqual(yield* run(log.length()), 1)
      }))

    it.effect("a call whose reply is lost returns the result of each program, even if some callers were interrupted", () =>
      Effect.gen(function*() {
        let calls = 0
        const gone: Array<Fiber.Fiber<unknown, unknown>> = []
        const { arm, run, stored } = yield* over((call, real) => {
          calls++
          if (calls > 1) return real(call)
          return real(call).pipe(Effect.andThen(Fiber.interruptAll(gone)), Effect.andThen(Effect.fail(lost)))
        })
        const long = "x".repeat(5000)
        arm(true)
        const programs: ReadonlyArray<Effect.Effect<unknown, unknown, RedisService.RedisService>> = [
          count.increment(),
          Atomic.all([count.increment(), log.append("a"), log.get(), Counter.find("nobody")]),
          count.decrement(5),
          log.append("b"),
          Counter.insert({ name: "b", count: 7 }),
          count.increment(),
          Atomic.andThen(count.increment(0), Counter.get("a")),
          Atomic.andThen(log.append(long), log.get()),
          count.increment()
        ]
        const fibers = yield* Effect.forEach(
          programs,
          (program) => Effect.forkChild(Effect.exit(run(program)), start)
        )
        gone.push(fibers[0]!, fibers[5]!)
        const exits = yield* Effect.forEach(fibers, (fiber) => Effect.flatten(Fiber.await(fiber)).pipe(Effect.exit))
        assert.strictEqual(calls, 2)
        const values = exits.map((exit) =>
          Exit.isSuccess(exit) && Exit.isSuccess(exit.value) ? exit.value.value : undefined
        )
        assert.deepStrictEqual(values[1], [2, 1, ["a"], Option.none()])
        const failure = exits[2]!
        assert.strictEqual(
          Exit.isSuccess(failure) && (errorOf(failure.value) as { readonly _tag: string })._tag,
          "OutOfBounds"
        )
        assert.strictEqual(values[3], 2)
        assert.deepInclude(values[4], { name: "b", count: 7 })
        assert.deepInclude(values[6], { name: "a", count: 3, log: ["a", "b"] })
        const large = exits[7]!
        assert.strictEqual(Exit.isSuccess(large) && reasonIs(large.value, "OutcomeUnknown").applied, true)
        assert.strictEqual(values[8], 4)
        assert.strictEqual(yield* stored, 4)
        assert.strictEqual(yield* run(log.length()), 3)
      }))

    it.effect("programs whose callers were interrupted before sending do not affect their neighbours", () =>
      Effect.gen(function*() {
        let calls = 0
        const gone: Array<Fiber.Fiber<unknown, unknown>> = []
        const { arm, run, stored } = yield* over((call, real) => {
          calls++
          if (calls === 1) return Effect.andThen(Fiber.interruptAll(gone), Effect.fail(lost))
          return calls === 2 ? Effect.andThen(real(call), Effect.fail(lost)) : real(call)
        })
        arm(true)
        const fibers = yield* Effect.forEach(range(20), () => Effect.forkChild(run(count.increment()), start))
        gone.push(...fibers.filter((_, i) => i % 3 === 0))
        const exits = yield* Effect.forEach(fibers, Fiber.await)
        assert.strictEqual(calls, 3)
        assert.deepStrictEqual(exits.filter(Exit.isSuccess).map(({ value }) => value), range(13).map((i) => i + 1))
        assert.strictEqual(yield* stored, 13)
      }))

    it.effect("a program does not run if its outcome cannot be kept", () =>
      Effect.gen(function*() {
        const { raw } = yield* Server
        const { arm, run, stored } = yield* over((call, real) =>
          Effect.forEach(call.keys.filter((key) => key.includes("$once")), (key) => raw.call("SET", key, "")).pipe(
            Effect.orDie,
            Effect.andThen(real(call))
          )
        )
        arm(true)
        const exits = yield* Effect.forEach(range(20), () => Effect.exit(run(count.increment())), {
          concurrency: "unbounded"
        })
        for (const exit of exits) reasonIs(exit, "WrongType")
        assert.strictEqual(yield* stored, 0)
      }))

    it.effect("programs that are sent together share the cost of their tokens", () =>
      Effect.gen(function*() {
        const { raw, run } = yield* setup()
        yield* raw.call("CONFIG", "RESETSTAT")
        yield* Effect.forEach(range(100), () => run(count.increment()), { concurrency: "unbounded" })
        const stats = String(yield* raw.call("INFO", "commandstats"))
        const calls = (name: string) => Number(new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(stats)?.[1] ?? 0)
        assert.strictEqual(calls("evalsha"), 1)
        assert.strictEqual(calls("hincrby"), 100)
        // one field for each program, and for the call: the creation of its hash, and the outcomes
        assert.strictEqual(calls("hset"), 102)
        assert.isAtMost(calls("hget") + calls("pexpireat"), 101)
      }))

    it.effect("a server that doesn't answer in time leaves an unknown outcome, at the deadline", () =>
      Effect.gen(function*() {
        const { proxy, run, stored } = yield* setup({ deadline: "600 millis" })
        yield* proxy.holdRequests()
        const [exit, millis] = yield* timed(run(count.increment()))
        assert.strictEqual(reasonIs(exit, "OutcomeUnknown").applied, "unknown")
        within(millis, 590, 700)
        yield* proxy.release()
        assert.strictEqual(yield* eventually(Effect.filterOrFail(stored, (count) => count === 1)), 1)
      }))

    it.effect("a program that was given up is never applied by a late call", () =>
      Effect.gen(function*() {
        const { atOnce, done, exits, total } = yield* late()
        console.log(
          `1000 asked for: ${done.length} done, ${1000 - done.length} given up, ${total - atOnce} applied later`
        )
        for (const exit of exits) {
          if (Exit.isFailure(exit)) assert.isFalse(reasonIs(exit, "ConnectionUnavailable").applied)
        }
        assert.isAbove(done.length, 0)
        assert.isBelow(done.length, 1000)
        assert.strictEqual(atOnce, done.length)
        assert.strictEqual(total, done.length)
        assert.strictEqual(new Set(done.map(({ value }) => value)).size, done.length)
      }))

    it.effect("a script without tombstones is found out", () =>
      Effect.gen(function*() {
        yield* Effect.acquireRelease(Effect.sync(() => mutate("withoutTombstones")), (restore) => Effect.sync(restore))
        const { done, total } = yield* late()
        assert.isAbove(total, done.length)
      }))

    it.effect("a failure that a later attempt met is final", () =>
      Effect.gen(function*() {
        let first: Effect.Effect<ServerReply, TransportError> | undefined
        const { arm, run, stored } = yield* over((call, real) => {
          if (first !== undefined) return real(call)
          first = real(call)
          return Effect.fail(lost)
        })
        arm(true)
        const exit = yield* Effect.exit(run(count.decrement(2)))
        assert.strictEqual((errorOf(exit) as { readonly _tag: string })._tag, "OutOfBounds")
        assert.strictEqual(yield* run(count.increment(5)), 5)
        yield* first!
        assert.strictEqual(yield* stored, 5)
      }))

    it.effect("a final refusal after an attempt without an answer is reported only when it is certain", () =>
      Effect.gen(function*() {
        let calls = 0
        const { arm, run, stored } = yield* over((call, real) => {
          calls++
          if (calls === 1) return Effect.andThen(real(call), Effect.fail(lost))
          if (isSeal(call)) return real(call)
          return Effect.succeed({ _tag: "Error", message: "OOM command not allowed when used memory > 'maxmemory'." })
        })
        arm(true)
        assert.strictEqual(yield* run(count.increment()), 1)
        assert.strictEqual(yield* stored, 1)
        assert.strictEqual(calls, 3)
        calls = 1
        // it was never applied, and won't be
        const exit = yield* Effect.exit(run(count.increment()))
        reasonIs(exit, "OutOfMemory")
        assert.strictEqual(yield* stored, 1)
      }))

    it.effect("an idempotency key needs no option", () =>
      Effect.gen(function*() {
        const { proxy, run, stored } = yield* setup({ exactlyOnce: false })
        const once = count.increment().pipe(Atomic.commit({ idempotencyKey: "k", keepFor: "1 minute" }))
        yield* proxy.cutOnNext("reply")
        assert.strictEqual(yield* run(once), 1)
        yield* proxy.cutOnNext("request")
        assert.strictEqual(yield* run(once), 1)
        assert.strictEqual(yield* stored, 1)
      }))

    it.effect("an interrupted program happens at most once, and no one waits for it", () =>
      Effect.gen(function*() {
        const { proxy, run, stored } = yield* setup()
        yield* proxy.holdRequests()
        const fiber = yield* Effect.forkChild(run(count.increment()), start)
        yield* proxy.waitUntil(({ heldBytes }) => heldBytes > 0)
        const [, millis] = yield* timed(Fiber.interrupt(fiber))
        assert.isBelow(millis, 100)
        yield* proxy.release()
        assert.strictEqual(yield* run(count.increment(10)), 11)
        assert.strictEqual(yield* stored, 11)
      }))

    it.effect("closing while there is no answer ends within the deadline, with an outcome", () =>
      Effect.gen(function*() {
        const { close, proxy, run, stored } = yield* setup({ deadline: "2 seconds" })
        yield* proxy.cutOnNext("reply")
        const fiber = yield* Effect.forkChild(run(count.increment()), start)
        const [, millis] = yield* timed(Effect.andThen(Effect.yieldNow, close))
        assert.isBelow(millis, 2100)
        const exit = yield* Fiber.await(fiber)
        if (Exit.isSuccess(exit)) assert.strictEqual(exit.value, 1)
        else if ((errorOf(exit) as any).reason._tag === "ConnectionUnavailable") assert.strictEqual(yield* stored, 0)
        else reasonIs(exit, "OutcomeUnknown")
      }))

    it.effect("on a cluster the dedup record of a program is in its own slot", () =>
      Effect.gen(function*() {
        const { url } = yield* RedisServer.start({ cluster: true })
        const raw = yield* RawRedis.make(url)
        yield* raw.call("CLUSTER", "ADDSLOTSRANGE", "0", "16383")
        yield* Effect.gen(function*() {
          yield* Effect.forEach(range(20), (i) => Counter.insert({ name: String(i) }), { concurrency: "unbounded" })
          const results = yield* Effect.forEach(range(200), (i) => Counter.ref(String(i % 20)).count.increment(), {
            concurrency: "unbounded"
          })
          assert.strictEqual(results.reduce((sum, n) => sum + n, 0), 20 * 55)
          // of no slot
          assert.strictEqual(yield* News.publish("hello"), undefined)
          const once = News.publish("hello").pipe(Atomic.commit({ idempotencyKey: "k", keepFor: "1 minute" }))
          yield* once
          yield* once
          yield* Counter.ref("1").log.append("x").pipe(Atomic.commit({ idempotencyKey: "k", keepFor: "1 minute" }))
        }).pipe(
          Effect.provide(RedisService.layer({ url, exactlyOnce: true })),
          Effect.retry({ while: isClusterDown })
        )
        for (const key of (yield* raw.call("KEYS", "*:$once:*")) as ReadonlyArray<string>) {
          assert.match(key, /^\{(\d+|06S)\}:\$once:/)
        }
      }))

    it.effect("the layer refuses a window that its deadline reaches, and a server that drops keys", () =>
      Effect.gen(function*() {
        const { raw, url } = yield* Server
        const build = (options: RedisService.LayerOptions) =>
          Effect.exit(Effect.scoped(Layer.build(RedisService.layer({ url, ...options }))))
        const short = yield* build({ deadline: "5 seconds", exactlyOnce: { window: "5 seconds" } })
        assert.strictEqual(reasonIs(short, "InvalidOption").option, "exactlyOnce.window")
        yield* raw.call("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
        const evicting = yield* build({ exactlyOnce: true })
        assert.include(reasonIs(evicting, "Unsupported").requirement, "noeviction")
        assert.isTrue(Exit.isSuccess(yield* build({ exactlyOnce: { acceptEviction: true } })))
        assert.isTrue(Exit.isSuccess(yield* build({ exactlyOnce: false })))
        yield* raw.call("CONFIG", "SET", "maxmemory-policy", "noeviction")
      }))
  })
})
