/**
 * Subscriptions on connections that are late, break, freeze or are refused: what the reader hears, and what the server sees.
 */
import { assert, layer } from "@effect/vitest"
import { Context, Effect, Exit, Fiber, Layer, Queue, Schema, Scope, Stream } from "effect"
import { Lock, RedisService, Topic } from "redlayer"
import { IoRedis, layerTransport } from "redlayer/IoRedis"
import { RedisTransport } from "redlayer/RedisTransport"
import { describeOwnServer } from "../support/Backends.ts"
import * as RawRedis from "../support/RawRedis.ts"
import * as RedisServer from "../support/RedisServer.ts"
import * as Rights from "../support/Rights.ts"
import * as TcpProxy from "../support/TcpProxy.ts"
import { captureOutput, eventually, range, reasonIs, timed, until, within } from "./liveService.ts"

class Server extends Context.Service<Server, {
  readonly port: number
  readonly raw: RawRedis.RawRedis
}>()("test/TopicServer") {
  static readonly layer = Layer.effect(
    Server,
    Effect.gen(function*() {
      const { port, url } = yield* RedisServer.start()
      return { port, raw: yield* RawRedis.make(url) }
    })
  )
}

const Chat = Topic.make("chat", Schema.String)

const message = (value: string): Topic.Event<string> => ({ _tag: "Message", value })

let prefixes = 0

/** A service behind a proxy, and what its subscriptions look like on the server. */
const setup = Effect.fnUntraced(function*(options?: RedisService.LayerOptions) {
  const { port, raw } = yield* Server
  const proxy = yield* TcpProxy.make({ port })
  const keyPrefix = `test${++prefixes}:`
  const scope = yield* Scope.fork(yield* Effect.scope)
  const services = yield* Layer.build(RedisService.layer({ url: proxy.url, keyPrefix, ...options })).pipe(
    Scope.provide(scope)
  )
  const channel = (name: string) => `${keyPrefix}$topic:${name}`
  /** how many subscribers the server has on a channel */
  const subscribers = (name: string) =>
    Effect.map(raw.call("PUBSUB", "NUMSUB", channel(name)), (found) => Number((found as Array<unknown>)[1]))
  return {
    proxy,
    raw,
    run: <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.provide(self, services),
    /** publishes as another client would, and gives how many heard it */
    publish: (text: string, name = "chat") => Effect.map(raw.call("PUBLISH", channel(name), text), Number),
    subscribers,
    /** waits until the server has that many */
    subscribed: (count: number, name = "chat") =>
      eventually(Effect.filterOrFail(subscribers(name), (found) => found === count)),
    close: Scope.close(scope, Exit.void)
  }
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
      { startImmediately: true }
    )
    return { seen, fiber, has: (count: number) => until(`${count} events`, () => seen.length >= count) }
  })

const killSubscribers = (raw: RawRedis.RawRedis) => raw.call("CLIENT", "KILL", "TYPE", "pubsub")

describeOwnServer("subscriptions", () => {
  layer(Server.layer, { excludeTestServices: true, timeout: 20_000 })((it) => {
    // -----------------------------------------------------------------------------------------------------------------
    // A connection
    // -----------------------------------------------------------------------------------------------------------------

    it.effect("when subscribe ends, the server has the subscription", () =>
      Effect.gen(function*() {
        const { publish, run, subscribers } = yield* setup()
        for (const i of range(50)) {
          const scope = yield* Scope.make()
          const events = yield* run(Scope.provide(Chat.subscribe(), scope))
          assert.strictEqual(yield* publish(`message ${i}`), 1)
          assert.deepStrictEqual(yield* Stream.runCollect(Stream.take(events, 1)), [message(`message ${i}`)])
          yield* Scope.close(scope, Exit.void)
        }
        assert.isAtMost(yield* subscribers("chat"), 1)
      }))

    it.effect("all subscriptions of a layer share a connection, from the first to the last", () =>
      Effect.gen(function*() {
        const { proxy, publish, run, subscribed, subscribers } = yield* setup()
        assert.strictEqual(yield* proxy.connections, 1)
        const scopes = yield* Effect.forEach(range(20), () => Scope.make())
        const streams = yield* Effect.forEach(
          scopes,
          (scope, i) => run(Scope.provide(Topic.make(`room${i % 4}`, Schema.String).subscribe(), scope)),
          { concurrency: "unbounded" }
        )
        assert.strictEqual(yield* proxy.connections, 2)
        for (const i of range(4)) assert.strictEqual(yield* publish(`to ${i}`, `room${i}`), 1)
        for (const [i, stream] of streams.entries()) {
          assert.deepStrictEqual(yield* Stream.runCollect(Stream.take(stream, 1)), [message(`to ${i % 4}`)])
        }
        // the last subscription of a channel takes the channel with it, the last of all the connection
        for (const i of range(16)) yield* Scope.close(scopes[i]!, Exit.void)
        for (const i of range(4)) assert.strictEqual(yield* subscribers(`room${i}`), 1)
        yield* Scope.close(scopes[16]!, Exit.void)
        yield* subscribed(0, "room0")
        assert.strictEqual(yield* subscribers("room1"), 1)
        for (const i of [17, 18, 19]) yield* Scope.close(scopes[i]!, Exit.void)
        yield* proxy.waitUntil(({ connections }) => connections === 1)
        // and it is opened again
        yield* Effect.asVoid(Effect.scoped(run(Chat.subscribe())))
        yield* proxy.waitUntil(({ connections }) => connections === 1)
        assert.strictEqual((yield* proxy.stats).accepted, 3)
      }))

    it.effect("layers of two databases of one server do not hear each other, and layers of one database do", () =>
      Effect.gen(function*() {
        const { port, url } = yield* RedisServer.start({ unrestricted: true })
        const raw = yield* RawRedis.make(url)
        const keyPrefix = "test:"
        const at = (options: RedisService.LayerOptions) =>
          Effect.map(
            Layer.build(RedisService.layer({ host: "127.0.0.1", port, keyPrefix, ...options })),
            (services) => <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.provide(self, services)
          )
        const zero = yield* at({})
        const five = yield* at({ db: 5 })
        const other = yield* at({ url: `redis://127.0.0.1:${port}/5` })
        // another client over the same connection settings
        const client = yield* Layer.build(RedisService.layer({ host: "127.0.0.1", port, db: 5 }))
        const third = yield* Layer.build(
          RedisService.layerTransport({ keyPrefix }).pipe(Layer.provide(layerTransport))
        ).pipe(Effect.provide(client))
        const heard = yield* collect(yield* zero(Chat.subscribe()))
        const heardAtFive = yield* collect(yield* five(Chat.subscribe()))
        const heardByThird = yield* collect(yield* Effect.provide(Chat.subscribe(), third))
        yield* other(Chat.publish("five"))
        yield* zero(Chat.publish("zero"))
        yield* five(Chat.publish("end"))
        yield* zero(Chat.publish("end"))
        yield* heard.has(2)
        yield* heardAtFive.has(2)
        yield* heardByThird.has(2)
        assert.deepStrictEqual(heard.seen, ["zero", "end"])
        assert.deepStrictEqual(heardAtFive.seen, ["five", "end"])
        assert.deepStrictEqual(heardByThird.seen, ["five", "end"])
        // database 0 has the plain name, and the right to `$topic:*` is enough for the other
        assert.strictEqual(Number(yield* raw.call("PUBLISH", `${keyPrefix}$topic:chat`, "x")), 1)
        assert.strictEqual(Number(yield* raw.call("PUBLISH", `${keyPrefix}$topic:5:chat`, "x")), 2)
        // waiters of a lock are woken in each of them
        for (const run of [zero, five]) {
          const waited = yield* run(Effect.gen(function*() {
            const held = yield* Scope.make()
            yield* Scope.provide(Lock.acquire("a"), held)
            const waiter = yield* Effect.forkChild(timed(Lock.withLock("a", () => Effect.void)))
            yield* Effect.sleep("200 millis")
            yield* Scope.close(held, Exit.void)
            return yield* Fiber.join(waiter)
          }))
          within(waited[1], 150, 1500)
        }
      }))

    it.effect("subscribing and leaving at random loses nothing", () =>
      Effect.gen(function*() {
        const { proxy, publish, run } = yield* setup()
        const visit = Effect.scoped(Effect.gen(function*() {
          const events = yield* run(Chat.subscribe())
          const queue = yield* Queue.unbounded<string>()
          yield* Effect.forkScoped(
            Stream.runForEach(
              events,
              (event) => Queue.offer(queue, event._tag === "Message" ? event.value : event._tag)
            )
          )
          for (const i of range(5)) {
            const own = `${Math.random()} ${i}`
            yield* publish(own)
            let found = ""
            while (found !== own) {
              found = yield* Queue.take(queue)
              assert.notStrictEqual(found, "Missed")
            }
          }
        }))
        yield* Effect.forEach(range(100), () => Effect.andThen(Effect.sleep(Math.random() * 200), visit), {
          concurrency: "unbounded"
        })
        yield* proxy.waitUntil(({ connections }) => connections === 1)
      }))

    it.effect("many messages at once come in order, and in one piece", () =>
      Effect.gen(function*() {
        const { raw, run } = yield* setup({ keyPrefix: "order:" })
        const events = yield* run(Chat.subscribe({ bufferSize: 10_000 }))
        const texts = range(5000).map((i) => `${i} é🙂\u0000\r\n`)
        yield* Effect.promise(() => Promise.all(texts.map((text) => raw.client.publish("order:$topic:chat", text))))
        assert.deepStrictEqual(
          yield* Stream.runCollect(Stream.take(events, texts.length)),
          texts.map(message)
        )
      }))

    // -----------------------------------------------------------------------------------------------------------------
    // A connection that is lost
    // -----------------------------------------------------------------------------------------------------------------

    it.effect("a connection that is killed is made again, and every subscription says so once", () =>
      Effect.gen(function*() {
        const output = yield* captureOutput
        const { publish, raw, run, subscribed } = yield* setup()
        const first = yield* collect(yield* run(Chat.subscribe()))
        const second = yield* collect(yield* run(Chat.subscribe()))
        const other = yield* collect(yield* run(Topic.make("other", Schema.String).subscribe()))
        for (const i of range(3)) {
          yield* publish(`before ${i}`)
          yield* first.has(3 * i + 1)
          assert.isAtLeast(Number(yield* killSubscribers(raw)), 1)
          yield* first.has(3 * i + 2)
          yield* subscribed(1)
          yield* publish(`after ${i}`)
          yield* first.has(3 * i + 3)
        }
        const expected = range(3).flatMap((i) => [`before ${i}`, "Missed", `after ${i}`])
        yield* second.has(9)
        yield* other.has(3)
        assert.deepStrictEqual(first.seen, expected)
        assert.deepStrictEqual(second.seen, expected)
        assert.deepStrictEqual(other.seen, ["Missed", "Missed", "Missed"])
        assert.deepStrictEqual(output, [])
      }))

    it.effect("lost messages lie where a Missed stands", () =>
      Effect.gen(function*() {
        const { publish, raw, run } = yield* setup()
        const { seen } = yield* collect(yield* run(Chat.subscribe({ bufferSize: 100_000 })))
        let published = 0
        const killing = yield* Effect.forkScoped(
          Effect.forever(Effect.andThen(Effect.sleep("60 millis"), killSubscribers(raw)))
        )
        const end = Date.now() + 1500
        while (Date.now() < end) {
          yield* Effect.all(range(20).map(() => publish(String(published++))), { concurrency: "unbounded" })
        }
        yield* Fiber.interrupt(killing)
        // until one arrives, the connection may be away
        yield* eventually(Effect.gen(function*() {
          yield* publish("end")
          return yield* seen.includes("end") ? Effect.void : Effect.fail("not yet")
        }))
        let last = -1
        let hasMissed = false
        let gaps = 0
        for (const text of seen) {
          if (text === "end") break
          if (text === "Missed") {
            hasMissed = true
            continue
          }
          const number = Number(text)
          assert.isAbove(number, last)
          if (number !== last + 1) {
            assert.isTrue(hasMissed, `${last} to ${number}`)
            gaps++
          }
          last = number
          hasMissed = false
        }
        assert.isAbove(gaps, 3)
      }))

    it.effect("a connection that is lost while the server is away says so when both are back", () =>
      Effect.gen(function*() {
        const output = yield* captureOutput
        const port = yield* RedisServer.freePort
        const server = yield* Effect.provideService(RedisServer.start({ port }), Scope.Scope, yield* Effect.scope)
        const topics = yield* Layer.build(RedisService.layer({ url: server.url, deadline: "2 seconds" }))
        const { has, seen } = yield* collect(yield* Effect.provide(Chat.subscribe(), topics))
        yield* server.stop
        // a subscription that begins now waits for the server
        const late = yield* Effect.forkScoped(Effect.provide(Chat.subscribe(), topics), { startImmediately: true })
        yield* Effect.sleep("300 millis")
        assert.deepStrictEqual(seen, [])
        yield* RedisServer.start({ port })
        yield* has(1)
        const second = yield* collect(yield* Fiber.join(late))
        const raw = yield* RawRedis.make(server.url)
        yield* raw.call("PUBLISH", "$topic:chat", "back")
        yield* has(2)
        yield* second.has(1)
        assert.deepStrictEqual(seen, ["Missed", "back"])
        assert.deepStrictEqual(second.seen, ["back"])
        assert.deepStrictEqual(output, [])
      }))

    it.effect("a connection that is frozen is noticed within two seconds and `silence`, and replaced", () =>
      Effect.gen(function*() {
        const { proxy, publish, run, subscribed } = yield* setup({ silence: "1 second" })
        const { has, seen } = yield* collect(yield* run(Chat.subscribe()))
        yield* publish("before")
        yield* has(1)
        const { accepted } = yield* proxy.stats
        yield* proxy.swallowRequests(true)
        yield* proxy.swallowReplies(true)
        yield* publish("lost")
        const [, millis] = yield* timed(
          Effect.retry(proxy.waitUntil((now) => now.accepted > accepted), { times: 1 })
        )
        within(millis, 0, 3700)
        yield* proxy.swallowRequests(false)
        yield* proxy.swallowReplies(false)
        yield* has(2)
        yield* subscribed(1)
        yield* publish("after")
        yield* has(3)
        assert.deepStrictEqual(seen, ["before", "Missed", "after"])
      }))

    it.effect("a connection that has nothing to say stays", () =>
      Effect.gen(function*() {
        const { proxy, publish, run } = yield* setup()
        const { has, seen } = yield* collect(yield* run(Chat.subscribe()))
        yield* Effect.sleep("4500 millis")
        assert.strictEqual((yield* proxy.stats).accepted, 2)
        yield* publish("still here")
        yield* has(1)
        assert.deepStrictEqual(seen, ["still here"])
      }))

    // -----------------------------------------------------------------------------------------------------------------
    // No subscription
    // -----------------------------------------------------------------------------------------------------------------

    it.effect("without a connection, subscribing fails at the deadline, and leaves nothing behind", () =>
      Effect.gen(function*() {
        const output = yield* captureOutput
        const { proxy, publish, run, subscribers } = yield* setup({ deadline: "300 millis" })
        yield* proxy.refuse(true)
        yield* proxy.cut()
        const [exit, millis] = yield* timed(run(Chat.subscribe()))
        reasonIs(exit, "ConnectionUnavailable")
        within(millis, 290, 450)
        yield* proxy.refuse(false)
        yield* proxy.waitUntil(({ connections }) => connections === 1)
        assert.strictEqual(yield* subscribers("chat"), 0)
        // in the same scope
        const { has } = yield* collect(yield* run(Chat.subscribe()))
        yield* publish("now")
        yield* has(1)
        assert.deepStrictEqual(output, [])
      }))

    it.effect("a server that accepts and never answers is given up at the deadline", () =>
      Effect.gen(function*() {
        const { proxy, run } = yield* setup({ deadline: "300 millis" })
        yield* proxy.swallowReplies(true)
        const [exit, millis] = yield* timed(run(Chat.subscribe()))
        reasonIs(exit, "ConnectionUnavailable")
        within(millis, 290, 450)
      }))

    it.effect("an interrupted subscription leaves nothing behind", () =>
      Effect.gen(function*() {
        const { proxy, run, subscribed } = yield* setup()
        yield* proxy.holdRequests()
        const fiber = yield* Effect.forkChild(run(Chat.subscribe()), { startImmediately: true })
        yield* proxy.waitUntil(({ connections }) => connections === 2)
        const [, millis] = yield* timed(Fiber.interrupt(fiber))
        within(millis, 0, 100)
        yield* proxy.release()
        yield* proxy.waitUntil(({ connections }) => connections === 1)
        yield* subscribed(0)
      }))

    it.effect("a channel that the user may not hear is AccessDenied, and harms no other", () =>
      Effect.gen(function*() {
        const output = yield* captureOutput
        const { raw } = yield* Server
        const { port } = yield* Server
        const allow = (...rules: Array<string>) => raw.call("ACL", "SETUSER", "reader", ...rules)
        yield* allow(...Rights.least({ keyPrefix: "acl:", password: "secret" }), "resetchannels", "&acl:$topic:open")
        const services = yield* Layer.build(
          RedisService.layer({ url: `redis://reader:secret@127.0.0.1:${port}`, keyPrefix: "acl:" })
        )
        const run = <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.provide(self, services)
        const open = yield* collect(yield* run(Topic.make("open", Schema.String).subscribe()))
        const [exit, millis] = yield* timed(run(Topic.make("closed", Schema.String).subscribe()))
        assert.strictEqual(reasonIs(exit, "AccessDenied").code, "NOPERM")
        within(millis, 0, 500)
        yield* raw.call("PUBLISH", "acl:$topic:open", "hello")
        yield* open.has(1)
        // a right that is withdrawn ends the stream that needs it, and only that
        yield* allow("&acl:$topic:closed")
        const closed = yield* collect(yield* run(Topic.make("closed", Schema.String).subscribe()))
        yield* allow("resetchannels", "&acl:$topic:open")
        const ended = yield* Fiber.await(closed.fiber)
        assert.strictEqual(reasonIs(ended, "AccessDenied").code, "NOPERM")
        yield* open.has(2)
        yield* raw.call("PUBLISH", "acl:$topic:open", "again")
        yield* open.has(3)
        assert.deepStrictEqual(open.seen, ["hello", "Missed", "again"])
        // a password that is changed
        yield* allow("resetpass", ">other")
        yield* raw.call("CLIENT", "KILL", "USER", "reader")
        assert.strictEqual(reasonIs(yield* Fiber.await(open.fiber), "AccessDenied").code, "WRONGPASS")
        assert.deepStrictEqual(output, [])
      }))

    it.effect("a server that is busy is waited for", () =>
      Effect.gen(function*() {
        const server = yield* RedisServer.start({ args: ["--busy-reply-threshold", "50"] })
        const raw = yield* RawRedis.make(server.url)
        const services = yield* Layer.build(RedisService.layer({ url: server.url }))
        const run = <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.provide(self, services)
        // keeps the connection
        yield* Effect.asVoid(run(Topic.make("other", Schema.String).subscribe()))
        const busy = yield* Effect.forkChild(
          raw.call(
            "EVAL",
            "local t = redis.call('TIME')[1] + 0 while redis.call('TIME')[1] - t < 3 do end return 1",
            "0"
          ),
          { startImmediately: true }
        )
        yield* Effect.sleep("100 millis")
        const fiber = yield* Effect.forkChild(run(Chat.subscribe()), { startImmediately: true })
        yield* Effect.sleep("300 millis")
        assert.isUndefined(fiber.pollUnsafe())
        yield* Effect.exit(Effect.flatMap(RawRedis.make(server.url), (killer) => killer.call("SCRIPT", "KILL")))
        yield* Fiber.await(busy)
        const { has } = yield* collect(yield* Fiber.join(fiber))
        yield* raw.call("PUBLISH", "$topic:chat", "at last")
        yield* has(1)
      }))

    it.effect("a transport without subscriptions fails with Unsupported", () =>
      Effect.gen(function*() {
        const { port } = yield* Server
        const evaluating = Layer.effect(
          RedisTransport,
          Effect.gen(function*() {
            const { client } = yield* RawRedis.make(`redis://127.0.0.1:${port}`)
            return RedisTransport.of({
              ready: Effect.void,
              evaluate: ({ argument, command, keys, script }) =>
                Effect.promise(() =>
                  client.call(command, script, keys.length, ...keys, argument).then(
                    (text) => ({ _tag: "Text", text: String(text) }) as const,
                    (error: Error) => ({ _tag: "Error", message: error.message }) as const
                  )
                )
            })
          })
        )
        const services = yield* Layer.build(Layer.provide(RedisService.layerTransport(), evaluating))
        const exit = yield* Effect.exit(Effect.provide(Chat.subscribe(), services))
        reasonIs(exit, "Unsupported")
      }))

    // -----------------------------------------------------------------------------------------------------------------
    // The end
    // -----------------------------------------------------------------------------------------------------------------

    it.effect("closing the layer ends every stream after its last message, and closes the connection", () =>
      Effect.gen(function*() {
        const { close, proxy, publish, run } = yield* setup()
        const events = yield* run(Chat.subscribe())
        const waiting = yield* collect(yield* run(Topic.make("other", Schema.String).subscribe()))
        const witness = yield* collect(yield* run(Chat.subscribe()))
        for (const i of range(100)) yield* publish(String(i))
        yield* witness.has(100)
        yield* close
        yield* Fiber.join(waiting.fiber)
        yield* Fiber.join(witness.fiber)
        assert.deepStrictEqual(waiting.seen, [])
        assert.deepStrictEqual(
          yield* Stream.runCollect(events),
          range(100).map((i) => message(String(i)))
        )
        yield* proxy.waitUntil(({ connections }) => connections === 0)
        const [exit, millis] = yield* timed(run(Chat.subscribe()))
        reasonIs(exit, "ConnectionUnavailable")
        within(millis, 0, 100)
      }))

    it.effect("closing the layer ends streams without a connection, too", () =>
      Effect.gen(function*() {
        const { close, proxy, run } = yield* setup()
        const live = yield* collect(yield* run(Chat.subscribe()))
        yield* proxy.refuse(true)
        yield* proxy.cut()
        const starting = yield* Effect.forkChild(run(Chat.subscribe()), { startImmediately: true })
        yield* Effect.sleep("50 millis")
        const [, millis] = yield* timed(close)
        within(millis, 0, 500)
        yield* Fiber.join(live.fiber)
        reasonIs(yield* Fiber.await(starting), "ConnectionUnavailable")
      }))

    it.effect("subscriptions do not use the client of the layer", () =>
      Effect.gen(function*() {
        const { port, raw } = yield* Server
        // another database, and commands of the user's own
        yield* raw.call("ACL", "SETUSER", "default", "+select", "+set", "+get")
        const services = yield* Layer.build(
          RedisService.layer({ url: `redis://127.0.0.1:${port}/1`, keyPrefix: "own:" })
        )
        yield* Effect.asVoid(Effect.provide(Chat.subscribe(), services))
        const client = Context.get(services, IoRedis)
        assert.strictEqual(yield* Effect.promise(() => client.set("own:key", "1")), "OK")
        assert.strictEqual(yield* Effect.promise(() => client.get("own:key")), "1")
        // a server has the same channels for all databases
        assert.strictEqual(
          yield* Effect.promise(() => client.publish("own:$topic:1:chat", "x")).pipe(Effect.map(Number)),
          1
        )
      }))
  })
})
