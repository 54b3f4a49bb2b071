/**
 * The transport over node-redis when a connection is refused, breaks, freezes, or leads to a replica. Its conformance is in
 * `test/conformance/nodeRedis.test.ts`.
 */
import { assert, it } from "@effect/vitest"
import { ConfigProvider, Effect, Exit, Fiber, Layer, Queue, Redacted, Schema, Scope, Stream } from "effect"
import { Model, RedisService, Topic } from "redlayer"
import * as NodeRedisTransport from "redlayer/NodeRedisTransport"
import { isRedisServiceError } from "redlayer/RedisServiceError"
import { describeMemory, describeOwnServer } from "../support/Backends.ts"
import * as Certificates from "../support/Certificates.ts"
import * as RawRedis from "../support/RawRedis.ts"
import * as RedisServer from "../support/RedisServer.ts"
import * as Rights from "../support/Rights.ts"
import * as TcpProxy from "../support/TcpProxy.ts"
import { captureOutput, errorOf, eventually, range, reasonIs, timed, until, within } from "./liveService.ts"

const Counter = Model.make("nodeRedis/Counter", {
  name: Schema.String,
  count: Schema.Int.pipe(Model.withDefault(0))
}, { key: "name" })

const { count } = Counter.ref("a")
const stored = "nodeRedis/Counter:{a}"
const Chat = Topic.make("chat", Schema.String)
const Other = Topic.make("other", Schema.String)
const start = { startImmediately: true } as const
const secret = "canary-password"

const live = (options: NodeRedisTransport.LayerOptions, service: RedisService.ServiceOptions = {}) =>
  RedisService.layerTransport(service).pipe(Layer.provide(NodeRedisTransport.layer(options)))

const build = (options: NodeRedisTransport.LayerOptions, service?: RedisService.ServiceOptions) =>
  Effect.map(
    Layer.build(live(options, service)),
    (services) => <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.provide(self, services)
  )

/** A server behind a proxy, and a service over node-redis. */
const setup = Effect.fnUntraced(function*(
  options?: NodeRedisTransport.LayerOptions,
  service?: RedisService.ServiceOptions
) {
  const server = yield* RedisServer.start({ unrestricted: true })
  const { call } = yield* RawRedis.make(server.url)
  const proxy = yield* TcpProxy.make({ port: server.port })
  const scope = yield* Scope.fork(yield* Effect.scope)
  const run = yield* Scope.provide(build({ url: proxy.url, ...options }, service), scope)
  yield* run(Counter.insert({ name: "a" }))
  return { call, proxy, run, close: Scope.close(scope, Exit.void), server }
})

/** The events of a stream so far: the values of messages, and the tags of all other events. */
const collect = <E>(stream: Stream.Stream<Topic.Event<string>, E>) =>
  Effect.gen(function*() {
    const seen: Array<string> = []
    const fiber = yield* Effect.forkScoped(
      Stream.runForEach(stream, (event) =>
        Effect.sync(() => {
          seen.push(event._tag === "Message" ? event.value : event._tag)
        })),
      start
    )
    return { seen, fiber, has: (count: number) => until(`${count} events`, () => seen.length >= count) }
  })

describeMemory("the options of a transport over node-redis", () => {
  it.live("an invalid option fails with InvalidOption, and the message holds nothing of a secret", () =>
    Effect.gen(function*() {
      const issueOf = Effect.fnUntraced(function*(options: object) {
        const exit = yield* Effect.exit(Effect.scoped(Layer.build(live(options))))
        const { issue, option } = reasonIs(exit, "InvalidOption")
        assert.notInclude(JSON.stringify(errorOf(exit)), secret)
        return `${option}: ${issue}`
      })
      assert.include(yield* issueOf({ url: `http://app:${secret}@host` }), "url: expected a URL such as redis://")
      assert.include(yield* issueOf({ url: `redis://:${secret}@host?x=1` }), "url: its parameter `x` is not supported")
      assert.include(yield* issueOf({ port: 0 }), "port: expected an integer from 1")
      assert.include(yield* issueOf({ maxRetriesPerRequest: 3 }), "the layer sets this option of the client itself")
      assert.include(yield* issueOf({ sentinels: [] }), "use RedisService.layerSentinel")
      assert.strictEqual(yield* issueOf({ keyPrefix: "shop:" }), "keyPrefix: there is no such option")
      assert.include(yield* issueOf({ credentialsChanged: Stream.empty }), "expected the option `credentials` too")
    }))

  it.live("a server that is not there fails the service at its deadline, with the address and the code", () =>
    Effect.gen(function*() {
      const output = yield* captureOutput
      const port = yield* RedisServer.freePort
      const [exit, millis] = yield* timed(Effect.scoped(Layer.build(
        live({ url: `redis://app:${secret}@127.0.0.1:${port}/3` }, { deadline: "400 millis" })
      )))
      const { address, code } = reasonIs(exit, "ConnectionUnavailable")
      assert.deepStrictEqual([address, code], [`127.0.0.1:${port}`, "ECONNREFUSED"])
      assert.notInclude(JSON.stringify(errorOf(exit)), secret)
      within(millis, 390, 2500)
      assert.deepStrictEqual(output, [])
    }))
})

describeOwnServer("a transport over node-redis", () => {
  it.live("a password that the server refuses fails the service at once, with AccessDenied", () =>
    Effect.gen(function*() {
      const output = yield* captureOutput
      const { port } = yield* RedisServer.start()
      for (const protocol of [2, 3] as const) {
        const [exit, millis] = yield* timed(
          Effect.scoped(Layer.build(live({ port, protocol, username: "nobody", password: Redacted.make(secret) })))
        )
        assert.strictEqual(reasonIs(exit, "AccessDenied").code, "WRONGPASS")
        assert.notInclude(JSON.stringify(errorOf(exit)), secret)
        within(millis, 0, 2000)
      }
      assert.deepStrictEqual(output, [])
    }))

  it.live("a server that accepts and never answers is given up at the deadline, and so is its connection", () =>
    Effect.gen(function*() {
      const { port } = yield* RedisServer.start()
      const proxy = yield* TcpProxy.make({ port })
      yield* proxy.swallowRequests(true)
      const [exit, millis] = yield* timed(
        Effect.scoped(Layer.build(live({ url: proxy.url }, { deadline: "400 millis" })))
      )
      reasonIs(exit, "ConnectionUnavailable")
      within(millis, 390, 2500)
      yield* proxy.waitUntil(({ connections }) => connections === 0)
    }))

  it.live("a server that comes up in time is waited for", () =>
    Effect.gen(function*() {
      const port = yield* RedisServer.freePort
      const proxy = yield* TcpProxy.make({ port })
      const fiber = yield* Effect.forkChild(Effect.scoped(build({ url: proxy.url })), start)
      yield* proxy.waitUntil(({ accepted }) => accepted >= 2)
      assert.isUndefined(fiber.pollUnsafe())
      yield* RedisServer.start({ port })
      yield* Fiber.join(fiber)
    }))

  it.live("the environment says where the server is, and an option overrides it", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.start({ unrestricted: true })
      const { call } = yield* RawRedis.make(server.url)
      const env = ConfigProvider.layer(ConfigProvider.fromEnv({
        env: {
          REDIS_HOST: "127.0.0.1",
          REDIS_PORT: String(server.port),
          REDIS_DB: "4",
          REDIS_KEY_PREFIX: "not-read:"
        }
      }))
      const layer = RedisService.layerTransport().pipe(
        Layer.provide(NodeRedisTransport.layerConfig({ connectionName: "configured" })),
        Layer.provide(env)
      )
      yield* Effect.provide(Counter.insert({ name: "a" }), layer)
      assert.match(String(yield* call("INFO", "keyspace")).replaceAll("\r", ""), /^# Keyspace\s+db4:keys=1,/)
      const empty = RedisService.layerTransport().pipe(
        Layer.provide(NodeRedisTransport.layerConfig()),
        Layer.provide(ConfigProvider.layer(ConfigProvider.fromEnv({ env: { REDIS_URL: "" } })))
      )
      const exit = yield* Effect.exit(Effect.scoped(Layer.build(empty)))
      assert.strictEqual(reasonIs(exit, "InvalidOption").option, "REDIS_URL")
    }))

  it.live("a program whose reply is lost is in doubt, and was applied once", () =>
    Effect.gen(function*() {
      const { call, proxy, run } = yield* setup()
      for (const i of range(5)) {
        // connected, so that the next reply is the program's
        yield* run(count.get())
        yield* proxy.cutOnNext("reply")
        reasonIs(yield* Effect.exit(run(count.increment())), "OutcomeUnknown")
        assert.strictEqual(Number(yield* call("HGET", stored, "count")), i + 1)
      }
      yield* proxy.cut()
      // not sent, so it waits for the next connection
      assert.strictEqual(yield* run(count.increment()), 6)
    }))

  it.live("a silent connection is dropped after `silence`, and the next program has another one", () =>
    Effect.gen(function*() {
      const { proxy, run } = yield* setup({ silence: "400 millis" }, { deadline: "5 seconds" })
      const { accepted } = yield* proxy.stats
      yield* proxy.swallowReplies(true)
      const [exit, millis] = yield* timed(run(count.increment()))
      reasonIs(exit, "OutcomeUnknown")
      within(millis, 390, 2500)
      yield* proxy.swallowReplies(false)
      assert.strictEqual(yield* eventually(run(count.increment())), 2)
      assert.isAbove((yield* proxy.stats).accepted, accepted)
    }))

  it.live("with an infinite `silence` a connection that is awaited stays, and the program fails at its deadline", () =>
    Effect.gen(function*() {
      const { proxy, run } = yield* setup({ silence: "Infinity" }, { deadline: "2 seconds" })
      const { accepted } = yield* proxy.stats
      yield* proxy.holdRequests()
      const [exit, millis] = yield* timed(run(count.increment()))
      reasonIs(exit, "OutcomeUnknown")
      within(millis, 1990, 4500)
      yield* proxy.release()
      assert.strictEqual(yield* run(count.increment()), 2)
      assert.strictEqual((yield* proxy.stats).accepted, accepted)
    }))

  it.live("a layer that closes answers what is in flight first, and leaves no connection", () =>
    Effect.gen(function*() {
      const { call, close, proxy, run } = yield* setup()
      const subscription = yield* Scope.make()
      const heard = yield* collect(yield* run(Scope.provide(Chat.subscribe(), subscription)))
      yield* proxy.holdRequests()
      const programs = yield* Effect.forkChild(
        Effect.forEach(range(20), () => run(count.increment()), { concurrency: "unbounded" }),
        start
      )
      yield* proxy.waitUntil(({ heldBytes }) => heldBytes > 0)
      const closing = yield* Effect.forkChild(close, start)
      yield* Effect.sleep("100 millis")
      assert.isUndefined(closing.pollUnsafe())
      yield* proxy.release()
      assert.deepStrictEqual(yield* Fiber.join(programs), range(20).map((i) => i + 1))
      yield* Fiber.join(closing)
      assert.deepStrictEqual(heard.seen, [])
      yield* Scope.close(subscription, Exit.void)
      yield* proxy.waitUntil(({ connections }) => connections === 0)
      assert.strictEqual(Number(yield* call("HGET", stored, "count")), 20)
    }))

  it.live(
    "subscriptions survive connections that are killed, and each says once that messages may be missing",
    () =>
      Effect.gen(function*() {
        for (const protocol of [3, 2] as const) {
          const output = yield* captureOutput
          const { call, proxy, run } = yield* setup({ protocol })
          const first = yield* collect(yield* run(Chat.subscribe()))
          const second = yield* collect(yield* run(Chat.subscribe()))
          const other = yield* collect(yield* run(Other.subscribe()))
          assert.strictEqual((yield* proxy.stats).connections, 2)
          const subscribed = eventually(Effect.filterOrFail(
            call("PUBSUB", "NUMSUB", "$topic:chat"),
            (found) => Number((found as Array<unknown>)[1]) === 1
          ))
          for (const i of range(3)) {
            yield* run(Chat.publish(`before ${i}`))
            yield* first.has(3 * i + 1)
            assert.isAtLeast(Number(yield* call("CLIENT", "KILL", "TYPE", "pubsub")), 1)
            yield* first.has(3 * i + 2)
            yield* subscribed
            yield* run(Chat.publish(`after ${i}`))
            yield* first.has(3 * i + 3)
          }
          const expected = range(3).flatMap((i) => [`before ${i}`, "Missed", `after ${i}`])
          yield* second.has(9)
          yield* other.has(3)
          assert.deepStrictEqual(first.seen, expected)
          assert.deepStrictEqual(second.seen, expected)
          assert.deepStrictEqual(other.seen, ["Missed", "Missed", "Missed"])
          assert.deepStrictEqual(output, [])
        }
      }),
    20_000
  )

  it.live(
    "a subscription that begins while the server is away waits for it, and those before say what they missed",
    () =>
      Effect.gen(function*() {
        const port = yield* RedisServer.freePort
        const server = yield* Effect.provideService(RedisServer.start({ port }), Scope.Scope, yield* Effect.scope)
        const run = yield* build({ url: server.url })
        const early = yield* collect(yield* run(Chat.subscribe()))
        yield* server.stop
        const late = yield* Effect.forkScoped(run(Chat.subscribe()), start)
        yield* RedisServer.start({ port })
        yield* early.has(1)
        const second = yield* collect(yield* Fiber.join(late))
        yield* eventually(run(Chat.publish("back")))
        yield* early.has(2)
        yield* second.has(1)
        assert.deepStrictEqual(early.seen, ["Missed", "back"])
        assert.deepStrictEqual(second.seen, ["back"])
      }),
    20_000
  )

  it.live(
    "a subscribed connection that is frozen is noticed within two seconds and `silence`",
    () =>
      Effect.gen(function*() {
        const { call, proxy, run } = yield* setup({ silence: "1 second" })
        const { has, seen } = yield* collect(yield* run(Chat.subscribe()))
        yield* run(Chat.publish("before"))
        yield* has(1)
        const { accepted } = yield* proxy.stats
        yield* proxy.swallowRequests(true)
        yield* proxy.swallowReplies(true)
        yield* call("PUBLISH", "$topic:chat", "lost")
        yield* Effect.retry(proxy.waitUntil((now) => now.accepted > accepted), { times: 1 })
        yield* proxy.swallowRequests(false)
        yield* proxy.swallowReplies(false)
        yield* has(2)
        yield* eventually(run(Chat.publish("after")))
        yield* has(3)
        assert.deepStrictEqual(seen, ["before", "Missed", JSON.stringify("after").slice(1, -1)])
      }),
    20_000
  )

  it.live("a channel that the user may not hear is AccessDenied, and harms no other, also after a reconnect", () =>
    Effect.gen(function*() {
      const { port, url } = yield* RedisServer.start({ unrestricted: true })
      const { call } = yield* RawRedis.make(url)
      const allow = (...rules: Array<string>) => call("ACL", "SETUSER", "reader", ...rules)
      yield* allow(...Rights.least({ keyPrefix: "acl:", password: "secret" }), "resetchannels", "&acl:$topic:chat")
      const run = yield* build({ port, username: "reader", password: "secret" }, { keyPrefix: "acl:" })
      const open = yield* collect(yield* run(Chat.subscribe()))
      const exit = yield* Effect.exit(run(Effect.scoped(Other.subscribe())))
      assert.strictEqual(reasonIs(exit, "AccessDenied").code, "NOPERM")
      yield* allow("&acl:$topic:other")
      const closed = yield* collect(yield* run(Other.subscribe()))
      // the server closes the connection of a user that loses the right to a channel
      yield* allow("resetchannels", "&acl:$topic:chat")
      assert.strictEqual(reasonIs(yield* Fiber.await(closed.fiber), "AccessDenied").code, "NOPERM")
      yield* open.has(1)
      yield* call("PUBLISH", "acl:$topic:chat", "again")
      yield* open.has(2)
      assert.deepStrictEqual(open.seen, ["Missed", "again"])
    }))

  it.live("a primary that becomes a replica is left, and its name leads to the new one", () =>
    Effect.gen(function*() {
      const old = yield* RedisServer.start({ unrestricted: true })
      const next = yield* RedisServer.start({ unrestricted: true })
      const onOld = yield* RawRedis.make(old.url)
      const onNext = yield* RawRedis.make(next.url)
      const proxy = yield* TcpProxy.make({ port: old.port })
      const run = yield* build({ url: proxy.url })
      yield* run(Counter.insert({ name: "a" }))
      const heard = yield* collect(yield* run(Chat.subscribe()))
      yield* onNext.call("HSET", stored, "count", "100", "name", "a")
      yield* proxy.lead(next)
      yield* onOld.call("REPLICAOF", "127.0.0.1", String(next.port))
      // refused by the replica, so nothing was applied, and it is sent again to the new primary
      const before = Number(yield* onNext.call("HGET", stored, "count"))
      assert.strictEqual(yield* run(count.increment()), before + 1)
      assert.strictEqual(Number(yield* onNext.call("HGET", stored, "count")), before + 1)
      yield* heard.has(1)
      yield* eventually(run(Chat.publish("moved")))
      yield* heard.has(2)
      assert.deepStrictEqual(heard.seen, ["Missed", "moved"])
    }), 20_000)

  it.live(
    "credentials are asked for at each connection, and live connections authenticate again",
    () =>
      Effect.gen(function*() {
        for (const protocol of [3, 2] as const) {
          const server = yield* RedisServer.start({ unrestricted: true })
          const { call } = yield* RawRedis.make(server.url)
          yield* call("ACL", "SETUSER", "app", "on", ">canary-1", "~*", "&*", "+@all")
          yield* call("ACL", "SETUSER", "next", "on", ">canary-next", "~*", "&*", "+@all")
          const source = { asked: 0, password: "canary-1", username: "app" }
          const credentials = Effect.sync(() => {
            source.asked++
            return { username: source.username, password: Redacted.make(source.password) }
          })
          const changes = yield* Queue.unbounded<void>()
          const run = yield* build({
            port: server.port,
            credentials,
            credentialsChanged: Stream.fromQueue(changes),
            protocol
          })
          yield* run(Counter.insert({ name: "a" }))
          const heard = yield* collect(yield* run(Chat.subscribe()))
          assert.strictEqual(source.asked, 2)
          yield* call("ACL", "SETUSER", "app", ">canary-2", "<canary-1")
          source.password = "canary-2"
          yield* call("CLIENT", "KILL", "USER", "app")
          assert.strictEqual(yield* eventually(run(count.increment())), 1)
          yield* heard.has(1)
          const users = Effect.map(
            call("CLIENT", "LIST"),
            (list) =>
              Array.from(String(list).matchAll(/ user=(\w+)/g), ([, user]) => user).filter((user) => user !== "default")
          )
          source.username = "next"
          source.password = "canary-next"
          yield* Queue.offer(changes, undefined)
          yield* eventually(Effect.filterOrFail(users, (now) => now.filter((user) => user === "next").length === 2))
          assert.strictEqual(yield* run(count.increment()), 2)
          // a password that stays wrong is the reason, and is left when it is right
          yield* call("ACL", "SETUSER", "next", ">canary-3", "<canary-next")
          yield* call("CLIENT", "KILL", "USER", "next")
          yield* eventually(Effect.filterOrFail(
            Effect.exit(run(count.increment())),
            (exit) => {
              const error = errorOf(exit)
              return isRedisServiceError(error) && error.reason._tag === "AccessDenied" &&
                error.reason.code === "WRONGPASS"
            }
          ))
          source.password = "canary-3"
          assert.strictEqual(yield* eventually(run(count.increment())), 3)
        }
      }),
    30_000
  )

  it.live("TLS to a server of a trusted authority works, and to another one fails with the code of the certificate", () =>
    Effect.gen(function*() {
      const { authority, serverArgs } = yield* Certificates.make(["DNS:localhost"])
      const tlsPort = yield* RedisServer.freePort
      yield* RedisServer.start({ args: serverArgs(tlsPort), unrestricted: true })
      const url = `rediss://localhost:${tlsPort}`
      const run = yield* build({ url, tls: { ca: authority } })
      yield* run(Counter.insert({ name: "a" }))
      const heard = yield* collect(yield* run(Chat.subscribe()))
      yield* run(Chat.publish("encrypted"))
      yield* heard.has(1)
      const exit = yield* Effect.exit(Effect.scoped(Layer.build(live({ url }, { deadline: "1 second" }))))
      assert.match(String(reasonIs(exit, "ConnectionUnavailable").code), /CERT|SIGNED|VERIFY|ISSUER/)
    }))

  it.live("programs that wait for replicas fail with Unsupported before they are sent", () =>
    Effect.gen(function*() {
      const { url } = yield* RedisServer.start()
      const exit = yield* Effect.exit(Effect.scoped(Layer.build(live({ url }, { waitReplicas: { count: 1 } }))))
      reasonIs(exit, "Unsupported")
    }))
})
