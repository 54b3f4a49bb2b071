/**
 * Several processes at one place: in memory, on one server, on a cluster.
 */
import { it } from "@effect/vitest"
import { Context, Effect, Layer, type Scope } from "effect"
import { TestClock } from "effect/testing"
import { RedisService } from "redlayer"
import * as Testing from "redlayer/testing"
import { describeMemory, describeOwnServer, uniquePrefix } from "../support/Backends.ts"
import { layerRaw, layerRawCluster } from "../support/Conformance.ts"
import * as RawRedis from "../support/RawRedis.ts"
import { cluster, server } from "./places.ts"

/** Keys that no other test has. */
export interface Here {
  /** The service of a process: it has connections of its own. In memory all have one. */
  readonly process: Effect.Effect<RedisService.RedisService["Service"], unknown, Scope.Scope>
  readonly raw: Testing.RawStore["Service"]
  /** Lets time pass: by the clock in memory, and on a server by moving the ends of keys. */
  readonly pass: (millis: number) => Effect.Effect<void>
  /** The nodes, as their admin. None in memory. */
  readonly nodes: ReadonlyArray<RawRedis.RawRedis>
}

export interface Place {
  readonly name: "memory" | "server" | "cluster"
  readonly describe: (name: string, body: () => void) => void
  readonly test: (
    title: string,
    body: (here: Here) => Effect.Effect<unknown, unknown, Scope.Scope>,
    timeout?: number
  ) => void
}

const serviceOf = (layer: Layer.Layer<RedisService.RedisService, unknown>) =>
  Effect.map(Layer.build(layer), (context) => Context.get(context, RedisService.RedisService))

const rawOf = (layer: Layer.Layer<Testing.RawStore, unknown>) =>
  Effect.map(Layer.build(layer), (context) => Context.get(context, Testing.RawStore))

const inMemory = Effect.map(Layer.build(Testing.layerMemory({ crossSlot: "refuse" })), (context): Here => ({
  process: Effect.succeed(Context.get(context, RedisService.RedisService)),
  raw: Context.get(context, Testing.RawStore),
  pass: (millis) => Effect.asVoid(TestClock.adjust(millis)),
  nodes: []
}))

const live = (
  raw: Testing.RawStore["Service"],
  process: Here["process"],
  nodes: Here["nodes"]
): Here => ({
  process,
  raw,
  pass: (millis) =>
    Effect.flatMap(raw.dump, (dump) =>
      Effect.forEach(
        Object.entries(dump),
        ([key, { expiresAt }]) => expiresAt === undefined ? Effect.void : raw.expireAt(key, expiresAt - millis),
        { concurrency: "unbounded", discard: true }
      )),
  nodes
})

const onServer = Effect.gen(function*() {
  const { url } = yield* server
  const keyPrefix = uniquePrefix("stores")
  const store = yield* rawOf(Layer.provide(Testing.layerRawStore(keyPrefix), layerRaw(url)))
  return live(store, serviceOf(RedisService.layer({ url, keyPrefix })), [yield* RawRedis.make(url)])
})

const onCluster = Effect.gen(function*() {
  const { nodes, primaries } = yield* cluster
  const keyPrefix = uniquePrefix("stores")
  const store = yield* rawOf(
    Layer.provide(Testing.layerRawStore(keyPrefix), layerRawCluster(yield* cluster))
  )
  return live(
    store,
    serviceOf(RedisService.layerCluster({ nodes, keyPrefix })),
    primaries.map(({ raw }) => raw)
  )
})

export const places: ReadonlyArray<Place> = [
  {
    name: "memory",
    describe: (name, body) => describeMemory(`${name}: memory`, body),
    test: (title, body, timeout) => {
      it.effect(title, () => Effect.scoped(Effect.flatMap(inMemory, body)), timeout)
    }
  },
  ...[["server", onServer] as const, ["cluster", onCluster] as const].map(([name, here]): Place => ({
    name,
    describe: (title, body) => describeOwnServer(`${title}: ${name}`, body),
    test: (title, body, timeout = 30_000) => {
      it.live(title, () => Effect.scoped(Effect.flatMap(here, body)), timeout)
    }
  }))
]

/** Runs `hook` before each program of a process, with its number. */
export const hooked = (
  service: RedisService.RedisService["Service"],
  hook: (program: number) => Effect.Effect<void>
): RedisService.RedisService["Service"] => {
  let programs = 0
  return {
    ...service,
    execute: (program, read) => Effect.andThen(Effect.suspend(() => hook(++programs)), service.execute(program, read))
  }
}
