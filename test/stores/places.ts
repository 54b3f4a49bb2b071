/**
 * Where the suites of this directory run: in memory, on one server, and on a cluster.
 */
import { it } from "@effect/vitest"
import { Context, Effect, Exit, Layer, Schedule, Scope } from "effect"
import { TestClock } from "effect/testing"
import { RedisService } from "redlayer"
import * as Testing from "redlayer/testing"
import { afterAll } from "vitest"
import { describeMemory, describeOwnServer, uniquePrefix } from "../support/Backends.ts"
import { layerCluster, layerRedis } from "../support/Conformance.ts"
import { withLiveClock } from "../support/LiveClock.ts"
import * as RedisCluster from "../support/RedisCluster.ts"
import * as RedisServer from "../support/RedisServer.ts"

/** Each program is a request in the log, and may have a fault. */
export type Services = RedisService.RedisService | Testing.RawStore | Testing.Faults

export interface Place {
  readonly name: "memory" | "server" | "cluster"
  readonly describe: (name: string, body: () => void) => void
  readonly test: (
    title: string,
    body: Effect.Effect<unknown, unknown, Services | Scope.Scope>,
    timeout?: number
  ) => void
  /** Services that share keys, each with a connection of its own. */
  readonly peers: (
    count: number
  ) => Effect.Effect<
    ReadonlyArray<Context.Context<RedisService.RedisService>>,
    never,
    RedisService.RedisService | Scope.Scope
  >
  /** Empty, with keys that no other layer has. */
  readonly layer: Layer.Layer<Services>
  /**
   * Lets time pass: by the clock in memory, and on a server by moving what is stored. There, members of sorted sets that `stays` says
   * keep their scores.
   */
  readonly pass: (
    millis: number,
    stays?: (key: string, member: string) => boolean
  ) => Effect.Effect<void, never, Testing.RawStore>
}

const scope = Scope.makeUnsafe()
afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)), 30_000)

const once = <A>(start: Effect.Effect<A, unknown, Scope.Scope>) => {
  let promise: Promise<A> | undefined
  return Effect.promise(() => promise ??= Effect.runPromise(withLiveClock(Scope.provide(start, scope))))
}

export const server = once(RedisServer.start())
export const cluster = once(RedisCluster.start({ replicas: 0 }))

const withFaults = (
  layer: Layer.Layer<RedisService.RedisService | Testing.RawStore, unknown>
): Layer.Layer<Services> => Layer.orDie(Testing.layerService().pipe(Layer.provideMerge(layer)))

/** The fields that are times. */
const times = ["endsAt", "refilledAt", "cooldownUntil", "learningStartedAt"]
const timed = /:(due|completed|failed)$/

const move: Place["pass"] = (millis, stays = () => false) =>
  Effect.gen(function*() {
    if (millis === 0) return
    const raw = yield* Testing.RawStore
    const moveKey = Effect.fnUntraced(function*([key, { content, expiresAt, type }]: [string, Testing.Stored]) {
      if (type === "zset" && timed.test(key)) {
        const entries = content as ReadonlyArray<string>
        const moved: Array<string> = []
        for (let i = 0; i < entries.length; i += 2) {
          if (!stays(key, entries[i]!)) moved.push(entries[i]!, String(Number(entries[i + 1]) - millis))
        }
        if (moved.length > 0) yield* raw.sortedAdd(key, ...moved)
      } else if (type === "hash") {
        const fields = content as Readonly<Record<string, string>>
        const moved = times.filter((name) => Number(fields[name] ?? 0) > 0)
        if (moved.length > 0) {
          yield* raw.hashSet(
            key,
            Object.fromEntries(moved.map((name) => [name, String(Number(fields[name]) - millis)]))
          )
        }
      }
      if (expiresAt !== undefined) yield* raw.expireAt(key, expiresAt - millis)
    })
    yield* Effect.forEach(Object.entries(yield* raw.dump), moveKey, { concurrency: "unbounded", discard: true })
  })

const peersOf = (
  layer: (keyPrefix: string) => Effect.Effect<Layer.Layer<RedisService.RedisService, unknown>>
): Place["peers"] =>
(count) => {
  const prefix = uniquePrefix("peers")
  return Effect.forEach(
    Array.from({ length: count }),
    () => Effect.flatMap(layer(prefix), (layer) => Effect.orDie(Layer.build(Layer.fresh(layer)))),
    { concurrency: "unbounded" }
  )
}

const live = (place: Pick<Place, "name" | "layer" | "peers">): Place => ({
  ...place,
  describe: (name, body) => describeOwnServer(`${name}: ${place.name}`, body),
  test: (title, body, timeout) => {
    it.live(title, () => Effect.provide(Effect.scoped(body), place.layer), timeout)
  },
  pass: move
})

const inMemory = withFaults(Testing.layerMemory({ crossSlot: "refuse" }))

export const places: ReadonlyArray<Place> = [
  {
    name: "memory",
    layer: inMemory,
    peers: (count) =>
      Effect.map(
        RedisService.RedisService,
        (service) => Array.from({ length: count }, () => Context.make(RedisService.RedisService, service))
      ),
    describe: (name, body) => describeMemory(`${name}: memory`, body),
    test: (title, body, timeout) => {
      it.effect(title, () => Effect.provide(Effect.scoped(body), inMemory), timeout)
    },
    pass: (millis) => TestClock.adjust(millis)
  },
  live({
    name: "server",
    peers: peersOf((keyPrefix) => Effect.map(server, ({ url }) => RedisService.layer({ url, keyPrefix }))),
    layer: withFaults(Layer.unwrap(Effect.map(server, ({ url }) => layerRedis({}, Effect.succeed(url)))))
  }),
  live({
    name: "cluster",
    peers: peersOf((keyPrefix) => Effect.map(cluster, ({ nodes }) => RedisService.layerCluster({ nodes, keyPrefix }))),
    layer: withFaults(Layer.unwrap(Effect.map(cluster, (cluster) => layerCluster(cluster, {}))))
  })
]

/** Waits in real time until the condition holds, for ten seconds at most. */
export const until = <R>(what: string, condition: Effect.Effect<boolean, never, R>): Effect.Effect<void, never, R> =>
  Effect.flatMap(condition, (holds) => holds ? Effect.void : Effect.fail(`not within ten seconds: ${what}`)).pipe(
    Effect.retry({ schedule: Schedule.spaced("1 millis"), times: 5000 }),
    Effect.orDie,
    withLiveClock
  )

/** Fails after ten seconds of real time. */
export const within = <A, E, R>(self: Effect.Effect<A, E, R>, what: string): Effect.Effect<A, E, R> =>
  Effect.raceFirst(
    self,
    Effect.andThen(withLiveClock(Effect.sleep("10 seconds")), Effect.die(new Error(`not within ten seconds: ${what}`)))
  )
