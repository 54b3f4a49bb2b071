/**
 * Effect's `Reactivity` of two services on one server: connections that are lost, rights that are missing, and what is published.
 */
import { assert, it } from "@effect/vitest"
import { Context, Effect, type Exit, Layer, Schema } from "effect"
import { Reactivity } from "effect/reactivity"
import { EffectReactivity, Model, RedisService } from "redlayer"
import { server } from "../faults/proxiedService.ts"
import { describeOwnServer } from "../support/Backends.ts"
import { captureOutput, eventually, reasonIs, until } from "./liveService.ts"

const Player = Model.make("ReactivePlayer", { name: Schema.String, score: Schema.Int }, { key: "name", live: true })

/** A process: its service, and its Reactivity. */
const start = Effect.fnUntraced(function*(options: RedisService.LayerOptions) {
  const context = yield* Layer.build(
    EffectReactivity.layer({ debounce: 0 }).pipe(Layer.provideMerge(RedisService.layer(options)))
  )
  const reactivity = Context.get(context, Reactivity.Reactivity)
  return {
    reactivity,
    run: <A, E>(self: Effect.Effect<A, E, RedisService.RedisService>) => Effect.provide(self, context),
    /** counts how often a query of these keys runs */
    counting: Effect.fnUntraced(function*(...keys: ReadonlyArray<unknown>) {
      const count = { runs: 0 }
      yield* reactivity.query(keys, Effect.sync(() => ++count.runs))
      return count
    })
  }
})

const quiet = Effect.sleep("100 millis")

describeOwnServer("Reactivity of two processes", () => {
  it.live("a program of one process invalidates a key and a live model in the other one", () =>
    Effect.gen(function*() {
      const { call, url } = yield* server()
      yield* call("ACL", "SETUSER", "default", "+select")
      const [one, two, elsewhere, database] = [
        yield* start({ url, keyPrefix: "a:" }),
        yield* start({ url, keyPrefix: "a:" }),
        yield* start({ url, keyPrefix: "b:" }),
        yield* start({ url, keyPrefix: "a:", db: 3 })
      ]
      const keys = ["a", ...Player.reactivityKeys("ann")]
      const [own, heard, foreign, other] = [
        yield* one.counting(...keys),
        yield* two.counting(...keys),
        yield* elsewhere.counting(...keys),
        yield* database.counting(...keys)
      ]
      yield* one.run(Player.put({ name: "ann", score: 1 }))
      yield* until("the hint is heard", () => own.runs === 2 && heard.runs === 2)
      yield* one.reactivity.invalidate(["a"])
      yield* until("the key is heard", () => own.runs === 3 && heard.runs === 3)
      yield* two.run(EffectReactivity.invalidate(["a"]))
      yield* until("the program is heard", () => own.runs === 4 && heard.runs === 4)
      yield* quiet
      assert.deepStrictEqual([own, heard, foreign, other].map(({ runs }) => runs), [4, 4, 1, 1])
    }).pipe(Effect.scoped), 30_000)

  it.live(
    "after a gap of the connection everything that is registered is invalidated once",
    () =>
      Effect.gen(function*() {
        const { call, proxy, url } = yield* server()
        const [far, near] = [yield* start({ url: proxy.url }), yield* start({ url })]
        const counts = [
          yield* far.counting("a"),
          yield* far.counting(...Player.reactivityKeys()),
          yield* far.counting("b")
        ]
        yield* proxy.refuse(true)
        yield* proxy.cut()
        // it does not hear this
        yield* near.reactivity.invalidate(["a"])
        yield* near.run(Player.put({ name: "ann", score: 1 }))
        yield* proxy.refuse(false)
        yield* until("all run again", () => counts.every(({ runs }) => runs >= 2))
        yield* quiet
        // the keys of a live model have a channel of their own, and so a gap of their own
        for (const { runs } of counts) assert.isAtMost(runs, 3)
        const before = counts.map(({ runs }) => runs)
        yield* near.run(Player.put({ name: "ann", score: 2 }))
        yield* near.reactivity.invalidate(["b"])
        yield* until("hints are heard again", () => counts[1]!.runs > before[1]! && counts[2]!.runs > before[2]!)
        assert.strictEqual(counts[0]!.runs, before[0])
        assert.strictEqual(Number(yield* call("PUBLISH", "$topic:$reactivity", "no json")), 2)
        yield* until("what can't be read is about all keys", () => counts[0]!.runs > before[0]!)
      }).pipe(Effect.scoped),
    30_000
  )

  it.live(
    "what is invalidated without a connection is published as soon as there is one",
    () =>
      Effect.gen(function*() {
        const { proxy, url } = yield* server()
        const [far, near] = [yield* start({ url: proxy.url, deadline: "300 millis" }), yield* start({ url })]
        const count = yield* near.counting("a")
        const lines = yield* captureOutput
        yield* proxy.refuse(true)
        yield* proxy.cut()
        yield* far.reactivity.invalidate(["a"])
        yield* until("it is logged", () => lines.some((line) => line.includes("not published for now")))
        assert.strictEqual(count.runs, 1)
        yield* proxy.refuse(false)
        yield* until("it is published", () => count.runs === 2)
      }).pipe(Effect.scoped),
    30_000
  )

  it.live(
    "a layer without the right to the channel does not start, and one without the right to hints is logged",
    () =>
      Effect.gen(function*() {
        const { call, url } = yield* server()
        const { host, port } = { host: "127.0.0.1", port: Number(new URL(url).port) }
        const login = { host, port, username: "deaf", password: "p" }
        yield* call("ACL", "SETUSER", "deaf", "on", ">p", "resetchannels", "~*", "+@all", "&$topic:$probe")
        const exit = yield* Effect.exit(Effect.scoped(start(login)))
        reasonIs(exit as Exit.Exit<unknown, unknown>, "AccessDenied")
        yield* call("ACL", "SETUSER", "deaf", "&$topic:*")
        const one = yield* start(login)
        const lines = yield* captureOutput
        // the query runs, though nobody tells it of writes
        const count = yield* one.counting(...Player.reactivityKeys())
        assert.strictEqual(count.runs, 1)
        yield* until("it is logged", () => lines.some((line) => line.includes("Hints of a live model are not heard")))
        yield* call("ACL", "SETUSER", "deaf", "&$live:*")
        yield* until("it is subscribed, and may have missed hints", () => count.runs === 2)
        yield* one.run(Player.put({ name: "ann", score: 1 }))
        yield* until("a hint is heard", () => count.runs === 3)
      }).pipe(Effect.scoped),
    30_000
  )

  it.live("hints are subscribed to as long as a query needs them", () =>
    Effect.gen(function*() {
      const { call, url } = yield* server()
      const one = yield* start({ url })
      const channels = Effect.map(call("PUBSUB", "CHANNELS", "$live:*"), (found) => (found as Array<string>).toSorted())
      yield* Effect.scoped(Effect.gen(function*() {
        yield* one.counting(...Player.reactivityKeys("a"), ...Player.reactivityKeys("a"))
        yield* one.counting(...Player.reactivityKeys("a"), ...Player.reactivityKeys())
        assert.deepStrictEqual(yield* channels, ["$live:ReactivePlayer", "$live:ReactivePlayer:{a}"])
      }))
      yield* eventually(Effect.filterOrFail(channels, (found) => found.length === 0))
    }).pipe(Effect.scoped), 30_000)
})
