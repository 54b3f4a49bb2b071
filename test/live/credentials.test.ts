/**
 * Credentials that change while a layer is connected: no program fails because of them.
 */
import { assert, it } from "@effect/vitest"
import {
  Config,
  Context,
  Deferred,
  Effect,
  Exit,
  Fiber,
  Layer,
  Logger,
  Queue,
  Redacted,
  Schema,
  Scope,
  Stream
} from "effect"
import { Model, RedisService, Topic } from "redlayer"
import { IoRedis } from "redlayer/IoRedis"
import { describeMemory, describeOwnServer } from "../support/Backends.ts"
import * as RedisServer from "../support/RedisServer.ts"
import { captureOutput, errorOf, eventually, range, reasonIs, timed, until, within } from "./liveService.ts"
import { server } from "./scriptedTransport.ts"

const Counter = Model.make("Counter", { name: Schema.String, count: Schema.Int }, { key: "name" })
const News = Topic.make("news", Schema.String)
const { count } = Counter.ref("a")

const start = { startImmediately: true } as const

/** A server with the user `app`, and a source of its password, which counts how often it is asked. */
const setup = Effect.fnUntraced(function*(options?: RedisService.LayerOptions) {
  const found = yield* server({ unrestricted: true })
  const { call, url } = found
  yield* call("ACL", "SETUSER", "app", "on", ">canary-1", "~*", "&*", "+@all")
  const source = { asked: 0, password: "canary-1", username: "app" }
  const credentials = Effect.sync(() => {
    source.asked++
    return { username: source.username, password: Redacted.make(source.password) }
  })
  const services = yield* Layer.build(RedisService.layer({ url, credentials, ...options }))
  const run = <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.provide(self, services)
  yield* run(Counter.insert({ name: "a", count: 0 }))
  const rotate = Effect.fnUntraced(function*(from: number) {
    yield* call("ACL", "SETUSER", "app", `>canary-${from + 1}`, `<canary-${from}`)
    source.password = `canary-${from + 1}`
  })
  const users = Effect.map(
    call("CLIENT", "LIST"),
    (list) => Array.from(String(list).matchAll(/ user=(\w+)/g), ([, user]) => user).filter((user) => user !== "admin")
  )
  return { ...found, client: Context.get(services, IoRedis), credentials, rotate, run, source, users }
})

describeOwnServer("credentials that change", () => {
  it.live(
    "a password that is rotated while connected costs no program, and no subscription",
    () =>
      Effect.gen(function*() {
        const output = yield* captureOutput
        const { call, client, rotate, run, source } = yield* setup({ exactlyOnce: true })
        const events = yield* run(News.subscribe())
        assert.strictEqual(source.asked, 2)
        const worked = { applied: 0, isDone: false }
        const worker = yield* Effect.forkChild(
          run(Effect.forEach(range(8), () =>
            Effect.gen(function*() {
              while (!worked.isDone) {
                yield* count.increment()
                worked.applied++
              }
            }), { concurrency: "unbounded" })),
          start
        )
        for (const round of [1, 2, 3]) {
          const before = worked.applied
          yield* rotate(round)
          yield* call("CLIENT", "KILL", "USER", "app")
          yield* until("programs go on", () => worked.applied > before + 50)
          assert.isAtLeast(yield* run(count.get()), before + 50)
        }
        worked.isDone = true
        yield* Fiber.join(worker)
        assert.strictEqual(yield* run(count.get()), worked.applied)
        assert.isAtLeast(source.asked, 5)
        yield* run(eventually(Effect.gen(function*() {
          yield* News.publish("after")
          const seen = yield* Effect.timeout(
            Stream.runHead(Stream.filter(events, ({ _tag }) => _tag === "Message")),
            200
          )
          assert.strictEqual(seen._tag, "Some")
        })))
        assert.strictEqual(yield* Effect.promise(() => client.incr("own")), 1)
        const duplicate = yield* Effect.acquireRelease(
          Effect.sync(() => client.duplicate()),
          (own) => Effect.sync(() => own.disconnect())
        )
        yield* Effect.promise(() => duplicate.connect())
        assert.strictEqual(yield* Effect.promise(async () => String(await duplicate.acl("WHOAMI"))), "app")
        assert.deepStrictEqual(output, [])
      }),
    20_000
  )

  it.live(
    "a source that is behind the server is asked once more, before a refusal counts",
    () =>
      Effect.gen(function*() {
        const { call, rotate, run, source } = yield* setup()
        // the source gives the old password once more
        yield* rotate(1)
        source.password = "canary-1"
        const { asked } = source
        yield* call("CLIENT", "KILL", "USER", "app")
        yield* until("the old password is refused", () => source.asked > asked)
        source.password = "canary-2"
        assert.strictEqual(yield* run(count.increment()), 1)
        // one that stays behind is the reason
        yield* rotate(2)
        source.password = "canary-2"
        yield* call("CLIENT", "KILL", "USER", "app")
        const exit = yield* Effect.exit(run(count.increment()))
        assert.strictEqual(reasonIs(exit, "AccessDenied").code, "WRONGPASS")
        // and is left when it has caught up
        source.password = "canary-3"
        assert.strictEqual(yield* eventually(run(count.increment())), 2)
      }),
    20_000
  )

  it.live("live connections authenticate again when they are notified, and stay open", () =>
    Effect.gen(function*() {
      for (const protocol of [3, 2] as const) {
        const changes = yield* Queue.unbounded<void>()
        const { call, client, run, source, users } = yield* setup({
          credentialsChanged: Stream.fromQueue(changes),
          protocol
        })
        yield* call("ACL", "SETUSER", "next", "on", ">canary-next", "~*", "&*", "+@all")
        const events = yield* run(News.subscribe())
        const id = yield* Effect.promise(() => client.client("ID"))
        assert.deepStrictEqual(yield* users, ["app", "app"])
        source.username = "next"
        source.password = "canary-next"
        yield* Queue.offer(changes, undefined)
        yield* eventually(Effect.filterOrFail(users, (now) => now.join() === "next,next"))
        assert.strictEqual(yield* Effect.promise(() => client.client("ID")), id)
        assert.strictEqual(yield* run(count.increment()), 1)
        yield* run(News.publish("hello"))
        const [event] = yield* Stream.runCollect(
          Stream.take(Stream.filter(events, ({ _tag }) => _tag === "Message"), 1)
        )
        assert.deepStrictEqual(event, { _tag: "Message", value: "hello" })
        // what the server refuses changes nothing
        const { asked } = source
        source.password = "canary-wrong"
        yield* Queue.offer(changes, undefined)
        yield* until("it asks", () => source.asked > asked)
        assert.strictEqual(yield* run(count.increment()), 2)
      }
    }), 20_000)

  it.live("credentials without a name are those of the user in the options, and an effect may be a Config", () =>
    Effect.gen(function*() {
      const { at, call } = yield* Effect.map(server({ unrestricted: true }), (found) => ({
        ...found,
        at: `${found.host}:${found.port}`
      }))
      yield* call("ACL", "SETUSER", "app", "on", ">canary", "~*", "&*", "+@all")
      const password = { password: "canary" }
      const whoami = (layer: Layer.Layer<RedisService.RedisService | IoRedis, unknown>) =>
        Effect.scoped(Effect.gen(function*() {
          const client = Context.get(yield* Layer.build(layer), IoRedis)
          return String(yield* Effect.promise(() => client.acl("WHOAMI")))
        }))
      const url = `redis://app:old@${at}`
      assert.strictEqual(yield* whoami(RedisService.layer({ url, credentials: Effect.succeed(password) })), "app")
      assert.strictEqual(yield* whoami(RedisService.layer({ url, credentials: Config.succeed(password) })), "app")
      assert.strictEqual(yield* whoami(RedisService.layerConfig({ url, credentials: Config.succeed(password) })), "app")
    }))
})

describeMemory("credentials that cannot be had", () => {
  const build = (options: RedisService.LayerOptions) =>
    Effect.exit(Effect.scoped(Layer.build(RedisService.layer({ deadline: "300 millis", ...options }))))

  it.live("an effect that fails, dies, hangs or interrupts itself is no connection, and shows no secret", () =>
    Effect.gen(function*() {
      const output = yield* captureOutput
      const logged: Array<unknown> = []
      const port = yield* RedisServer.freePort
      const failing: ReadonlyArray<Effect.Effect<never, unknown>> = [
        Effect.fail("canary"),
        Effect.die("canary"),
        Effect.never,
        Effect.interrupt
      ]
      for (const credentials of failing) {
        const [exit, millis] = yield* timed(Effect.flatten(build({ port, credentials }))).pipe(
          Effect.provide(Logger.layer([Logger.make((entry) => logged.push(entry))]))
        )
        const { address, code } = reasonIs(exit, "ConnectionUnavailable")
        assert.strictEqual(address, `127.0.0.1:${port}`)
        assert.include(["CREDENTIALS", "ETIMEDOUT"], code)
        if (credentials !== failing[2]) {
          assert.strictEqual(
            (errorOf(exit) as Error).message,
            `No connection to 127.0.0.1:${port}: the effect of the option \`credentials\` failed; nothing was applied`
          )
        }
        within(millis, 280, 900)
      }
      assert.notInclude(JSON.stringify([logged, output]), "canary")
      assert.deepStrictEqual(output, [])
    }))

  it.live("closing a layer interrupts the effect", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const asked = yield* Deferred.make<void>()
      const ended = yield* Deferred.make<void>()
      const credentials = Effect.andThen(Deferred.succeed(asked, undefined), Effect.never).pipe(
        Effect.onInterrupt(() => Deferred.succeed(ended, undefined))
      )
      const fiber = yield* Effect.forkChild(
        Scope.provide(Layer.build(RedisService.layer({ credentials })), scope),
        start
      )
      yield* Deferred.await(asked)
      yield* Fiber.interrupt(fiber)
      yield* Scope.close(scope, Exit.void)
      // its time limit, the deadline, would also end it
      const [, millis] = yield* timed(Deferred.await(ended))
      within(millis, 0, 1000)
    }))

  it.live("options of credentials that are none are refused", () =>
    Effect.gen(function*() {
      const texts: ReadonlyArray<readonly [object, string]> = [
        [{ credentials: { password: "canary" } }, "Option `credentials`: expected an Effect"],
        [{ credentials: Effect.never, credentialsChanged: 5 }, "Option `credentialsChanged`: expected a Stream"],
        [{ credentialsChanged: Stream.never }, "Option `credentialsChanged`: expected the option `credentials` too"]
      ]
      for (const [options, text] of texts) {
        const exit = yield* build(options)
        reasonIs(exit, "InvalidOption")
        assert.strictEqual((errorOf(exit) as Error).message, text)
      }
    }))
})
