/**
 * Sweeps, live results, Reactivity of Effect, and copies at replicas, on a cluster.
 */
import { assert, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Option, Schedule, Schema, Stream } from "effect"
import * as Reactivity from "effect/reactivity/Reactivity"
import { EffectReactivity, Model, Query, RedisService } from "redlayer"
import { describeOwnServer } from "../support/Backends.ts"
import * as RedisCluster from "../support/RedisCluster.ts"

const Visit = Model.make("ClusterVisit", { id: Schema.String, at: Schema.Int.pipe(Model.indexed) }, {
  key: "id",
  slot: { partitions: 12 },
  timeToLive: { duration: "300 millis", refresh: "never" }
})

const Player = Model.make("ClusterPlayer", { league: Schema.String, name: Schema.String, score: Schema.Int }, {
  key: ["league", "name"],
  slot: "league",
  live: true,
  indexes: { score: ["score"] }
})

const leagues = Array.from({ length: 12 }, (_, i) => `l${i}`)

const soon = { schedule: Schedule.spaced("50 millis"), times: 200 }

describeOwnServer("a cluster", () => {
  it.live("is swept on all its nodes", () =>
    Effect.gen(function*() {
      const cluster = yield* RedisCluster.start({ replicas: 0 })
      const layer = RedisService.layerCluster({
        nodes: cluster.nodes,
        sweepEvery: { every: "1 second", models: [Visit] }
      })
      const keys = Effect.forEach(cluster.primaries, ({ raw }) =>
        Effect.map(raw.call("KEYS", "*$ix*"), (all) => all as Array<string>))
      yield* Effect.gen(function*() {
        yield* Visit.insertMany(Array.from({ length: 100 }, (_, i) => ({ id: `v${i}`, at: i })))
        assert.isAbove((yield* keys).flat().length, 3)
        yield* keys.pipe(
          Effect.filterOrFail((left) =>
            left.flat().length === 0, () => "not swept yet"),
          Effect.retry(soon)
        )
      }).pipe(Effect.provide(layer))
    }), 60_000)

  it.live("shows live results, and invalidates keys, whichever node a program was on", () =>
    Effect.gen(function*() {
      const cluster = yield* RedisCluster.start({ replicas: 0 })
      const writer = yield* Layer.build(RedisService.layerCluster({ nodes: cluster.nodes }))
      const reader = yield* Layer.build(
        EffectReactivity.layer({ debounce: "10 millis" }).pipe(
          Layer.provideMerge(RedisService.layerCluster({ nodes: cluster.nodes }))
        )
      )
      yield* Effect.gen(function*() {
        for (const league of leagues) {
          const best = Query.watch(Player.by.score({ league } as never), { limit: 1, debounce: "10 millis" }).pipe(
            Stream.map(([first]) => Option.fromUndefinedOr((first as { score: number } | undefined)?.score)),
            Stream.takeUntil(Option.contains(7)),
            Stream.runCollect
          )
          let calls = 0
          const { registerUnsafe } = yield* Reactivity.Reactivity
          const cancel = registerUnsafe(Player.reactivityKeys([league, "ann"]), () => void calls++)
          const shown = yield* Effect.forkChild(best)
          yield* Player.put({ league, name: "ann", score: 7 }).pipe(
            Effect.provideContext(writer),
            Effect.andThen(Effect.suspend(() => calls > 0 ? Effect.void : Effect.fail("not invalidated yet"))),
            Effect.retry(soon)
          )
          yield* Fiber.join(shown)
          cancel()
        }
      }).pipe(Effect.provideContext(reader))
    }).pipe(Effect.scoped), 60_000)

  it.live("waits for the replicas of each of its nodes", () =>
    Effect.gen(function*() {
      const cluster = yield* RedisCluster.start()
      const layer = RedisService.layerCluster({
        nodes: cluster.nodes,
        waitReplicas: { count: 1, timeout: "2 seconds" }
      })
      const write = Effect.forEach(
        leagues,
        (league) => Effect.exit(Player.put({ league, name: "ann", score: 1 })),
        { concurrency: "unbounded" }
      )
      yield* Effect.gen(function*() {
        assert.deepStrictEqual((yield* write).map(({ _tag }) => _tag), leagues.map(() => "Success"))
        const [stopped] = cluster.replicas
        yield* stopped!.server.kill("SIGKILL")
        const tags = (yield* write).map(({ _tag }) => _tag)
        // those of one primary alone fail, and the others do not wait for them
        assert.include(tags, "Failure")
        assert.include(tags, "Success")
      }).pipe(Effect.provide(layer))
    }), 60_000)
})
