/**
 * Effect's own Redis service from our client, with Effect's modules over it; and our programs over Effect's service, from our
 * client and from another.
 */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Duration, Effect, Exit, Fiber, Layer, Queue, Schedule, Schema, Scope, Stream } from "effect"
import { PersistedQueue, RateLimiter, Redis } from "effect/persistence"
import { TestClock } from "effect/testing"
import { createClient } from "redis"
import { EffectRedis, Model, RedisService, Topic } from "redlayer"
import * as Conformance from "redlayer-conformance"
import { RedisTransport, TransportError } from "redlayer/RedisTransport"
import { describeMemory, describeOwnServer, describeRedis } from "../support/Backends.ts"
import { describeChecks, layerRedis, telling } from "../support/Conformance.ts"
import * as RawRedis from "../support/RawRedis.ts"
import * as RedisServer from "../support/RedisServer.ts"
import * as Rights from "../support/Rights.ts"
import { eventually, range, reasonIs } from "./liveService.ts"

const canary = "canary-51d7-secret"

/** A server, a raw client, and Effect's service from our client, whose users send any command. */
const setup = Effect.fnUntraced(function*(pool?: Redis.PoolOptions) {
  const server = yield* RedisServer.start({ unrestricted: true })
  const raw = yield* RawRedis.make(server.url)
  const live = RedisService.layer({ url: server.url })
  const services = yield* Layer.build(EffectRedis.layer(pool).pipe(Layer.provideMerge(live)))
  return {
    server,
    call: raw.call,
    services,
    run: <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.provide(self, services)
  }
})

const add = Redis.script((key: string, by: number) => [key, by], {
  numberOfKeys: 1,
  lua: `return redis.call("INCRBY", KEYS[1], ARGV[1])`
}).withReturnType<number>()

const Job = Schema.Struct({ n: Schema.Int, text: Schema.String })

describeOwnServer("Effect's Redis service, from our client", () => {
  it.live("commands and scripts work after the scripts are flushed, and return numbers as numbers", () =>
    Effect.gen(function*() {
      const { call, run } = yield* setup()
      yield* run(Effect.gen(function*() {
        const service = yield* Redis.Redis
        assert.strictEqual(yield* service.send("SET", "k", "é\u0000\u{1f600}"), "OK")
        assert.strictEqual(yield* service.send("GET", "k"), "é\u0000\u{1f600}")
        assert.isNull(yield* service.send("GET", "none"))
        assert.strictEqual(yield* service.send("INCRBY", "n", "5"), 5)
        assert.deepStrictEqual(yield* service.send("MGET", "n", "none"), ["5", null])
        const script = service.eval(add)
        assert.strictEqual(yield* script("n", 2), 7)
        yield* call("SCRIPT", "FLUSH")
        assert.strictEqual(yield* script("n", 2), 9)
      }))
    }))

  it.live("an error contains the server's word and nothing more", () =>
    Effect.gen(function*() {
      const { run } = yield* setup()
      const service = yield* run(Redis.Redis)
      yield* service.send("RPUSH", "list", "a")
      const wrong = yield* Effect.flip(service.send("SET", "list", canary, "XX", "GET"))
      assert.include(String(wrong.cause), "WRONGTYPE")
      const unknown = yield* Effect.flip(service.send("NOSUCH", canary))
      assert.include(String(unknown.cause), "ERR unknown command")
      for (const { cause } of [wrong, unknown]) {
        assert.notInclude(JSON.stringify([cause, Object.getOwnPropertyDescriptors(cause as object)]), canary)
      }
    }))

  it.live("messages arrive until the scope closes", () =>
    Effect.gen(function*() {
      const { call, run } = yield* setup()
      const scope = yield* Scope.make()
      const messages = yield* run(Redis.Redis.use((service) => service.subscribe("chat"))).pipe(Scope.provide(scope))
      for (const text of ["a", "b"]) assert.strictEqual(yield* call("PUBLISH", "chat", text), 1)
      assert.deepStrictEqual(yield* Queue.take(messages), { channel: "chat", message: "a" })
      assert.deepStrictEqual(yield* Queue.take(messages), { channel: "chat", message: "b" })
      yield* Scope.close(scope, Exit.void)
      yield* eventually(Effect.filterOrFail(call("PUBLISH", "chat", "c"), (count) => count === 0))
    }))

  it.live("a reserved connection may wait longer than a server may be silent, and is used by no one else", () =>
    Effect.gen(function*() {
      const { call, run } = yield* setup({ maxConnections: 1, acquireTimeout: 200 })
      yield* run(Effect.gen(function*() {
        const service = yield* Redis.Redis
        yield* Effect.scoped(Effect.gen(function*() {
          const connection = yield* service.reserve
          const popped = yield* Effect.forkChild(connection.send("BLPOP", "l", "5"), { startImmediately: true })
          const full = yield* Effect.flip(Effect.scoped(service.reserve))
          assert.strictEqual(full._tag, "RedisError")
          yield* Effect.sleep("1500 millis")
          assert.strictEqual(yield* service.send("RPUSH", "l", "a"), 1)
          assert.deepStrictEqual(yield* Fiber.join(popped), ["l", "a"])
          assert.deepStrictEqual(yield* connection.send("MULTI"), "OK")
          assert.strictEqual(yield* connection.eval(add)("n", 1), "QUEUED" as never)
          assert.deepStrictEqual(yield* connection.send("EXEC"), [1])
        }))
        // killed, it fails what waits on it, and the next one is another
        const killed = yield* Effect.scoped(Effect.gen(function*() {
          const connection = yield* service.reserve
          const id = String(yield* connection.send("CLIENT", "ID"))
          const popped = yield* Effect.forkChild(connection.send("BLPOP", "none", "5"), { startImmediately: true })
          yield* eventually(Effect.filterOrFail(call("CLIENT", "KILL", "ID", id), (count) => count === 1))
          const killed = yield* Fiber.await(popped)
          assert.isTrue(Exit.isFailure(killed))
          return id
        }))
        const id = yield* Effect.scoped(
          Effect.flatMap(service.reserve, (connection) => connection.send("CLIENT", "ID"))
        )
        assert.isAbove(Number(id), Number(killed))
      }))
    }))

  it.live("PersistedQueue delivers each job once, and a failed one again", () =>
    Effect.gen(function*() {
      const { run } = yield* setup()
      const store = PersistedQueue.layerStoreRedis({ pollInterval: "20 millis" })
      yield* Effect.gen(function*() {
        const queue = yield* PersistedQueue.make({
          name: "jobs",
          schema: Job,
          retrySchedule: Schedule.spaced("1 millis")
        })
        yield* Effect.forEach(range(20), (i) => queue.offer({ n: i, text: `é${i}` }, { id: `job-${i}` }))
        // the same id is the same job
        yield* queue.offer({ n: 0, text: "again" }, { id: "job-0" })
        const done: Array<number> = []
        const failures: Array<number> = []
        const worker = Effect.forEach(
          range(5),
          () =>
            queue.take(({ n, text }, { attempts }) => {
              assert.strictEqual(text, `é${n}`)
              if (n % 7 === 3 && attempts === 1) {
                failures.push(n)
                return Effect.fail("once")
              }
              return Effect.sync(() => done.push(n))
            }).pipe(Effect.retry({ times: 20 })),
          { discard: true }
        )
        yield* Effect.all([worker, worker, worker, worker], { concurrency: "unbounded" })
        assert.deepStrictEqual(done.toSorted((a, b) => a - b), range(20))
        assert.deepStrictEqual(failures.toSorted((a, b) => a - b), [3, 10, 17])
      }).pipe(Effect.provide(Layer.provide(PersistedQueue.layer, store)), run)
    }))

  it.live("RateLimiter admits as many as the limit, by every algorithm", () =>
    Effect.gen(function*() {
      const { run } = yield* setup()
      const limits = Layer.provide(RateLimiter.layer, RateLimiter.layerStoreRedis())
      yield* Effect.gen(function*() {
        const limiter = yield* RateLimiter.RateLimiter
        for (const algorithm of ["fixed-window", "token-bucket"] as const) {
          const consume = limiter.consume({ key: algorithm, algorithm, limit: 5, window: "1 minute" })
          const exits = yield* Effect.all(range(8).map(() => Effect.exit(consume)), { concurrency: "unbounded" })
          assert.lengthOf(exits.filter(Exit.isSuccess), 5, algorithm)
        }
        const delayed = limiter.consume({ key: "d", limit: 1, window: "1 minute", onExceeded: "delay" })
        yield* delayed
        const { delay, remaining } = yield* delayed
        assert.strictEqual(remaining, -1)
        assert.isAbove(Duration.toMillis(delay), 50_000)
        const adaptive = yield* limiter.adaptiveConsume({
          key: "a",
          tokens: 1,
          fallbackLimit: 5,
          fallbackWindow: Duration.minutes(1)
        })
        assert.strictEqual(typeof adaptive.epoch, "number")
      }).pipe(Effect.provide(limits), run)
    }))

  it.live("commands wait while a server is away, and nothing runs twice", () =>
    Effect.gen(function*() {
      const { call, run } = yield* setup()
      const service = yield* run(Redis.Redis)
      const done = yield* Deferred.make<void>()
      const killing = yield* Effect.forkChild(
        Effect.gen(function*() {
          while (!(yield* Deferred.isDone(done))) {
            yield* call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
            yield* Effect.sleep("20 millis")
          }
        })
      )
      const exits = yield* Effect.forEach(
        range(8),
        () => Effect.forEach(range(100), () => Effect.andThen(Effect.sleep(1), Effect.exit(service.send("INCR", "n")))),
        {
          concurrency: "unbounded"
        }
      )
      yield* Deferred.succeed(done, undefined)
      yield* Fiber.join(killing)
      const acknowledged = exits.flat().filter(Exit.isSuccess).length
      const count = Number(yield* call("GET", "n"))
      assert.isAbove(acknowledged, 400)
      assert.isAtLeast(count, acknowledged)
      assert.isAtMost(count, 800)
    }))

  it.live("closing Effect's service closes its connections and fails waiting commands", () =>
    Effect.gen(function*() {
      const { call, services } = yield* setup()
      const clients = Effect.map(call("CLIENT", "LIST"), (list) => String(list).trim().split("\n").length)
      // a layer doesn't wait for its connection
      yield* Effect.provide(Redis.Redis.use((service) => service.send("PING")), services)
      const before = yield* clients
      const scope = yield* Scope.make()
      const own = yield* Layer.build(EffectRedis.layer().pipe(Layer.provide(Layer.succeedContext(services)))).pipe(
        Scope.provide(scope)
      )
      const service = yield* Effect.provide(Redis.Redis, own)
      yield* Scope.provide(service.subscribe("c"), scope)
      const connection = yield* Scope.provide(service.reserve, scope)
      const popped = yield* Effect.forkChild(connection.send("BLPOP", "none", "0"), { startImmediately: true })
      assert.strictEqual(yield* service.send("PING"), "PONG")
      yield* eventually(Effect.filterOrFail(clients, (count) => count === before + 3))
      yield* Scope.close(scope, Exit.void)
      assert.isTrue(Exit.isFailure(yield* Fiber.await(popped)))
      yield* eventually(Effect.filterOrFail(clients, (count) => count === before))
    }))
})

// ---------------------------------------------------------------------------------------------------------------------
// programs over Effect's service
// ---------------------------------------------------------------------------------------------------------------------

/** Effect's service over node-redis, as `@effect/platform-node` makes it. */
const layerNodeRedis = (url: string): Layer.Layer<Redis.Redis, Redis.RedisError> =>
  Layer.effect(
    Redis.Redis,
    Effect.gen(function*() {
      const failed = (cause: unknown) => new Redis.RedisError({ cause })
      const open = Effect.acquireRelease(
        Effect.tryPromise({
          try: async () => {
            const client = createClient({ url })
            client.on("error", () => {})
            await client.connect()
            return client
          },
          catch: failed
        }),
        (client) => Effect.sync(() => client.destroy())
      )
      const client = yield* open
      return yield* Redis.make({
        send: <A>(command: string, ...args: ReadonlyArray<string>) =>
          Effect.tryPromise({ try: () => client.sendCommand([command, ...args]) as Promise<A>, catch: failed }),
        connect: Effect.die("unused"),
        subscribe: Effect.fnUntraced(function*(channel, onMessage) {
          const subscriber = yield* open
          yield* Effect.tryPromise({
            try: () => subscriber.subscribe(channel, (message) => onMessage({ channel, message })),
            catch: failed
          })
          return Effect.never
        })
      })
    })
  )

const over = (service: Layer.Layer<Redis.Redis, Redis.RedisError>, options: RedisService.LayerOptions) =>
  RedisService.layerTransport(options).pipe(
    Layer.provide(EffectRedis.layerTransport({ subscriptions: "unmarked" })),
    Layer.provide(service)
  )

const services: { readonly [name: string]: (url: string) => Layer.Layer<Redis.Redis, Redis.RedisError> } = {
  "our own client": (url) => EffectRedis.layer().pipe(Layer.provide(Layer.orDie(RedisService.layer({ url })))),
  "node-redis": layerNodeRedis
}

const suites = await Promise.all(
  Object.entries(services).map(async ([name, service]) => {
    const live = (options: RedisService.LayerOptions) => over(service(String(options.url)), options)
    const layer = (options: RedisService.MemoryOptions) => layerRedis(options, undefined, live)
    const checks = await Effect.runPromise(Conformance.checks({ layer }))
    return { name, checks: telling(checks).filter(({ area }) => area !== "locks") }
  })
)

describeRedis("conformance over Effect's Redis service", () => {
  for (const { checks, name } of suites) describe(name, () => describeChecks(checks))
})

const Counter = Model.make("effectRedis/Counter", { id: Schema.String, n: Schema.Int }, { key: "id" })
const Chat = Topic.make("effectRedis/chat", Schema.String)

describeOwnServer("failures over Effect's Redis service", () => {
  for (const [name, service] of Object.entries(services)) {
    describe(name, () => {
      it.live("a refusal keeps its reason, and a killed connection is unknown or not sent", () =>
        Effect.gen(function*() {
          const server = yield* RedisServer.start()
          const { call } = yield* RawRedis.make(server.url)
          const built = yield* Layer.build(over(service(server.url), { deadline: 2000 }))
          yield* Effect.gen(function*() {
            yield* Counter.insert({ id: "a", n: 0 })
            const { n } = Counter.ref("a")
            yield* call("SCRIPT", "FLUSH")
            assert.strictEqual(yield* n.increment(), 1)
            yield* call("CONFIG", "SET", "maxmemory", "1")
            reasonIs(yield* Effect.exit(n.increment()), "OutOfMemory")
            yield* call("CONFIG", "SET", "maxmemory", "0")
            yield* call("SET", "effectRedis/Counter:{b}", "no hash")
            reasonIs(yield* Effect.exit(Counter.ref("b").n.increment()), "WrongType")
            let acknowledged = 1
            let unknown = 0
            for (const i of range(100)) {
              if (i % 5 === 0) yield* call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
              const exit = yield* Effect.exit(n.increment())
              if (Exit.isSuccess(exit)) acknowledged++
              else if (JSON.stringify(exit).includes("OutcomeUnknown")) unknown++
            }
            const count = Number(yield* call("HGET", "effectRedis/Counter:{a}", "n"))
            assert.isAtLeast(count, acknowledged)
            assert.isAtMost(count, acknowledged + unknown)
            assert.isAbove(acknowledged, 50)
          }).pipe(Effect.provide(built))
        }))
    })
  }

  it.live("topics must be enabled explicitly, because gaps are not marked", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.start()
      const layer = RedisService.layerTransport().pipe(
        Layer.provide(EffectRedis.layerTransport()),
        Layer.provide(layerNodeRedis(server.url))
      )
      const exit = yield* Effect.exit(Effect.scoped(Effect.provide(Chat.subscribe(), layer)))
      reasonIs(exit, "Unsupported")
    }))

  it.live("a channel that is denied is AccessDenied", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.start()
      const { call } = yield* RawRedis.make(server.url)
      yield* call("ACL", "SETUSER", "app", ...Rights.least({ password: "p" }), "resetchannels")
      const { host, port } = server
      const base = Layer.orDie(RedisService.layer({ host, port, username: "app", password: "p" }))
      const layer = over(EffectRedis.layer().pipe(Layer.provide(base)), {})
      const exit = yield* Effect.exit(Effect.scoped(Effect.provide(Stream.runDrain(Chat.messages()), layer)))
      reasonIs(exit, "AccessDenied")
    }))
})

describeMemory("a transport over Effect's Redis service", () => {
  const service = (cause: unknown) =>
    Layer.effect(
      Redis.Redis,
      Redis.make({
        send: () => Effect.fail(new Redis.RedisError({ cause })),
        connect: Effect.die("unused"),
        subscribe: () => Effect.die("unused")
      })
    )

  const named = (name: string, message: string) => Object.assign(new Error(message), { name })

  it.effect.each(
    [
      [new Error("ERR unknown command"), "reply"],
      [new Error("-NOSCRIPT No matching script."), "reply"],
      [named("ReplyError", "CUSTOM from a script"), "reply"],
      [new Error("CUSTOM from nobody knows whom"), "Unknown"],
      [new Error("ERROR in the client"), "Unknown"],
      [new Error("The client is closed"), "NotSent"],
      [new Error("Socket closed unexpectedly"), "Unknown"],
      [new Error("connect ECONNREFUSED 127.0.0.1:1"), "Unknown"],
      ["LOADING as a text", "Unknown"],
      [undefined, "Unknown"],
      [new TransportError({ outcome: "NotSent" }), "NotSent"]
    ] as const
  )("tells a reply from a failure of the client: %s", ([cause, expected]) =>
    Effect.gen(function*() {
      const call = { command: "EVAL", script: "return 1", keys: [], argument: "" } as const
      const found = yield* RedisTransport.use(({ evaluate }) => evaluate(call)).pipe(
        Effect.match({
          onFailure: (error) => error.outcome,
          onSuccess: (reply) => reply._tag === "Error" ? "reply" : "text"
        }),
        Effect.provide(EffectRedis.layerTransport().pipe(Layer.provide(service(cause))))
      )
      assert.strictEqual(found, expected)
    }))

  it.effect("a failed subscription is made again and reports a gap", () =>
    Effect.gen(function*() {
      const connections: Array<(message: string) => void> = []
      const breaks: Array<Deferred.Deferred<void, Redis.RedisError>> = []
      const flaky = Layer.effect(
        Redis.Redis,
        Redis.make({
          send: () => Effect.die("unused"),
          connect: Effect.die("unused"),
          subscribe: (channel, onMessage) =>
            Effect.sync(() => {
              const broken = Deferred.makeUnsafe<void, Redis.RedisError>()
              connections.push((message) => onMessage({ channel, message }))
              breaks.push(broken)
              return Deferred.await(broken)
            })
        })
      )
      const { subscribe } = yield* Effect.provide(
        RedisTransport,
        Layer.fresh(
          EffectRedis.layerTransport({ subscriptions: "unmarked" }).pipe(Layer.provide(flaky))
        )
      )
      const heard: Array<string> = []
      const scope = yield* Scope.make()
      yield* Scope.provide(
        subscribe!("c", (event) => heard.push(event._tag === "Message" ? event.text : event._tag)),
        scope
      )
      yield* TestClock.adjust(1)
      connections[0]!("a")
      yield* TestClock.adjust(1)
      yield* Deferred.fail(breaks[0]!, new Redis.RedisError({ cause: new Error("Connection has closed") }))
      yield* TestClock.adjust(100)
      connections[1]!("b")
      yield* TestClock.adjust(1)
      yield* Deferred.fail(breaks[1]!, new Redis.RedisError({ cause: new Error("LOADING for a while") }))
      yield* TestClock.adjust(100)
      assert.deepStrictEqual(heard, ["Subscribed", "a", "Subscribed", "b", "Refused", "Subscribed"])
      yield* Scope.close(scope, Exit.void)
      yield* TestClock.adjust("1 minute")
      assert.lengthOf(connections, 3)
    }))
})
