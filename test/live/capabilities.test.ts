/**
 * Servers and proxies that lack something: what they can do is tried when a layer starts, and a program needs no more.
 */
import { assert, it } from "@effect/vitest"
import { Effect, Exit, Layer, Schema } from "effect"
import { Atomic, Lock, Model, RedisService, Topic } from "redlayer"
import { type Call, RedisTransport, type ServerReply } from "redlayer/RedisTransport"
import { slotOf } from "../../src/internal/instruction/slot.ts"
import { describeOwnServer } from "../support/Backends.ts"
import * as RawRedis from "../support/RawRedis.ts"
import * as RedisServer from "../support/RedisServer.ts"
import { range, reasonIs, timed } from "./liveService.ts"
import { build, server } from "./scriptedTransport.ts"

const Counter = Model.make("capabilities/Counter", {
  name: Schema.String,
  count: Schema.Int.pipe(Model.withDefault(0))
}, { key: "name" })

const News = Topic.make("news", Schema.String)

const names = range(500).map((i) => `c${i}`)

/** A service over a server that refuses some calls. `refusals` counts them, from the start of the layer on. */
const over = Effect.fnUntraced(function*(
  refuse: (call: Call) => string | undefined,
  options?: RedisService.ServiceOptions
) {
  const found = yield* RedisServer.start()
  const raw = yield* RawRedis.make(found.url)
  const state = { isStarted: false, refusals: 0 }
  const evaluate = (call: Call) =>
    Effect.suspend((): Effect.Effect<ServerReply> => {
      const message = refuse(call)
      if (message !== undefined) {
        if (state.isStarted) state.refusals++
        return Effect.succeed({ _tag: "Error", message })
      }
      return raw.call(call.command, call.script, String(call.keys.length), ...call.keys, call.argument).pipe(
        Effect.map((text): ServerReply => ({ _tag: "Text", text: String(text) })),
        Effect.catch((error) => Effect.succeed<ServerReply>({ _tag: "Error", message: error.message }))
      )
    })
  const services = yield* Layer.build(
    RedisService.layerTransport(options).pipe(
      Layer.provide(Layer.succeed(RedisTransport, { ready: Effect.void, evaluate }))
    )
  )
  state.isStarted = true
  const run = <A, E>(self: Effect.Effect<A, E, RedisService.RedisService>) => Effect.provide(self, services)
  const { server } = yield* run(Effect.service(RedisService.RedisService))
  return { ...found, raw, run, state, info: server! }
})

/** Ten thousand increments of five hundred entities. */
const load = (run: <A, E>(self: Effect.Effect<A, E, RedisService.RedisService>) => Effect.Effect<A, E>) =>
  Effect.gen(function*() {
    yield* run(Counter.insertMany(names.map((name) => ({ name }))))
    yield* Effect.forEach(names, (name) => Effect.repeat(run(Counter.ref(name).count.increment()), { times: 19 }), {
      concurrency: "unbounded",
      discard: true
    })
    const found = yield* run(Atomic.pipeline(names.map((name) => Counter.ref(name).count.get())))
    for (const exit of found) assert.deepStrictEqual(exit, Exit.succeed(20))
  })

const crossSlot = ({ keys }: Call): string | undefined =>
  new Set(keys.map(slotOf)).size > 1 ? "CROSSSLOT Keys in request don't hash to the same slot" : undefined

describeOwnServer("what a server can do", () => {
  it.live("a server by itself can do everything, and a cluster of one node all but calls over several slots", () =>
    Effect.gen(function*() {
      const all = {
        noKeys: true,
        undeclaredKeys: true,
        severalSlots: true,
        crossSlotScripts: true,
        readOnlyCommands: true,
        publishInScripts: true
      }
      const alone = yield* over(() => undefined)
      assert.deepStrictEqual(alone.info.capabilities, all)
      assert.isFalse(alone.info.isCluster)
      const node = yield* server({ cluster: true })
      yield* RedisServer.assignAllSlots(node)
      const services = yield* Layer.build(RedisService.layer({ url: node.url }))
      const { server: info } = yield* Effect.provide(Effect.service(RedisService.RedisService), services)
      assert.deepStrictEqual(info?.capabilities, { ...all, severalSlots: false })
      assert.isTrue(info?.isCluster)
    }))

  it.live("a service that refuses calls without keys serves programs and messages", () =>
    Effect.gen(function*() {
      const { info, run, state } = yield* over(({ keys }) =>
        keys.length === 0 ? "ERR Lua scripts without any input keys are not supported" : undefined
      )
      assert.isFalse(info.capabilities?.noKeys)
      yield* run(Counter.insert({ name: "a" }))
      yield* run(News.publish("hello"))
      assert.strictEqual(yield* run(Counter.ref("a").count.increment()), 1)
      assert.strictEqual(state.refusals, 0)
    }))

  it.live("a proxy before several shards that calls itself one server is learnt at the start: no call is refused", () =>
    Effect.gen(function*() {
      const { info, run, state } = yield* over(crossSlot)
      assert.isTrue(info.isCluster)
      yield* load(run)
      assert.strictEqual(state.refusals, 0)
      const both = Atomic.all([Counter.ref("c1").count.get(), Counter.ref("c2").count.get()])
      assert.lengthOf(reasonIs(yield* Effect.exit(run(both)), "CrossSlot").keys, 2)
      assert.strictEqual(state.refusals, 0)
    }))

  it.live.each([false, true])(
    "a proxy whose answer to the question misleads is learnt once: exactlyOnce %s",
    (exactlyOnce) =>
      Effect.gen(function*() {
        // the two keys of the question are on one shard
        const { info, run, state } = yield* over(
          (call) => call.keys.some((key) => key.includes("$probe")) ? undefined : crossSlot(call),
          { exactlyOnce }
        )
        assert.isFalse(info.isCluster)
        yield* load(run)
        assert.isTrue(info.isCluster)
        // those of the first turn: five hundred programs, 128 in a call
        assert.isAtLeast(state.refusals, 1)
        assert.isAtMost(state.refusals, 4)
      })
  )

  it.live("a server without read-only commands is asked by the others", () =>
    Effect.gen(function*() {
      const { info, run, state } = yield* over(({ command }) =>
        command.endsWith("_RO") ? `ERR unknown command '${command}', with args beginning with: ` : undefined
      )
      assert.isFalse(info.capabilities?.readOnlyCommands)
      yield* run(Counter.insert({ name: "a" }))
      assert.strictEqual(yield* run(Counter.ref("a").count.get()), 0)
      assert.strictEqual(state.refusals, 0)
    }))

  it.live("a server whose scripts may not publish refuses topics and locks, and nothing else", () =>
    Effect.gen(function*() {
      const found = yield* RedisServer.start({ args: ["--rename-command", "PUBLISH", ""] })
      const raw = yield* RawRedis.make(found.url)
      const services = yield* Layer.build(
        RedisService.layerTransport().pipe(Layer.provide(Layer.succeed(RedisTransport, {
          ready: Effect.void,
          evaluate: ({ argument, command, keys, script }) =>
            raw.call(
              command,
              // a server that checks scripts answers this to PUBLISH
              script.replace(
                "redis.pcall('PUBLISH', ARGV[1], '')",
                "{ err = 'ERR This Redis command is not allowed from script' }"
              ),
              String(keys.length),
              ...keys,
              argument
            ).pipe(
              Effect.map((text): ServerReply => ({ _tag: "Text", text: String(text) })),
              Effect.catch(({ message }) => Effect.succeed<ServerReply>({ _tag: "Error", message }))
            )
        })))
      )
      const run = <A, E>(self: Effect.Effect<A, E, RedisService.RedisService>) => Effect.provide(self, services)
      yield* run(Counter.insert({ name: "a" }))
      assert.include(reasonIs(yield* Effect.exit(run(News.publish("hello"))), "Unsupported").requirement, "publish")
      const locked = yield* Effect.exit(run(Lock.withLock("a", () => Effect.void)))
      assert.include(reasonIs(locked, "Unsupported").requirement, "publish")
    }))
})

describeOwnServer("a cluster of several nodes", () => {
  const self = "a".repeat(40)
  const other = "b".repeat(40)

  /** A node that knows another one, which is not there. */
  const node = Effect.fnUntraced(function*(own: string, others: string) {
    const found = yield* server({
      // later it would find out that the other one is not there
      args: ["--cluster-node-timeout", "60000"],
      nodesConf: ({ busPort, port }) =>
        [
          `${self} 127.0.0.1:${port}@${busPort} myself,master - 0 0 1 connected ${own}`,
          `${other} 127.0.0.1:1@2 master - 0 0 2 connected ${others}`,
          "vars currentEpoch 2 lastVoteEpoch 0",
          ""
        ].join("\n")
    })
    yield* RedisServer.awaitClusterOk(found)
    return found
  })

  it.live.each([
    ["a half", "0-8191", "8192-16383"],
    ["the other half", "8192-16383", "0-8191"],
    ["most slots", "0-12287", "12288-16383"]
  ])("a node of it with %s is refused at the start, with what to do", ([, own, others]) =>
    Effect.gen(function*() {
      const { url } = yield* node(own, others)
      const [exit, millis] = yield* timed(build({ url }))
      const reason = reasonIs(exit, "Unsupported")
      assert.include(reason.requirement, "one server")
      assert.include(reason.requirement, "cluster")
      assert.isFalse(reason.isRetryable)
      assert.isBelow(millis, 1000)
    }))

  it.live("a cluster that grows after the start fails the programs that have moved at once, and no others", () =>
    Effect.gen(function*() {
      const { call, url } = yield* node("0-16383", "")
      const services = yield* Layer.build(RedisService.layer({ url }))
      const run = <A, E>(self: Effect.Effect<A, E, RedisService.RedisService>) => Effect.provide(self, services)
      yield* run(Counter.insert({ name: "stays" }))
      yield* call("CLUSTER", "SETSLOT", String(slotOf("capabilities/Counter:{moves}")), "NODE", other)
      const [moved, stays] = yield* Effect.all([
        timed(run(Counter.insert({ name: "moves" }))),
        Effect.exit(run(Counter.ref("stays").count.increment()))
      ], { concurrency: "unbounded" })
      const reason = reasonIs(moved[0], "Unsupported")
      assert.include(reason.requirement, "cluster")
      assert.isFalse(reason.applied)
      assert.isBelow(moved[1], 1000)
      assert.deepStrictEqual(stays, Exit.succeed(1))
    }))
})
