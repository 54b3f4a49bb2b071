/**
 * Helpers for the suites of this directory: a service behind a proxy, and a ledger that shows what was applied.
 */
import { assert } from "@effect/vitest"
import { Cause, Context, Effect, Exit, Fiber, Layer, Option, Schema, Scope } from "effect"
import { monitorEventLoopDelay } from "node:perf_hooks"
import { inspect } from "node:util"
import { Atomic, Model, RedisService } from "redlayer"
import { IoRedis } from "redlayer/IoRedis"
import { isRedisServiceError, type RedisServiceErrorReason } from "redlayer/RedisServiceError"
import { range, until } from "../live/liveService.ts"
import * as RawRedis from "../support/RawRedis.ts"
import * as RedisServer from "../support/RedisServer.ts"
import * as TcpProxy from "../support/TcpProxy.ts"

export const start = { startImmediately: true } as const

/** A server, a client of the test's own, and a proxy in front of the server. */
export const server = Effect.fnUntraced(function*(options?: RedisServer.StartOptions) {
  const found = yield* RedisServer.start(options)
  const { call } = yield* RawRedis.make(found.url)
  const proxy = yield* TcpProxy.make({ port: found.port })
  return { ...found, call, proxy }
})

/** A service that can be closed before its test ends. */
export const service = Effect.fnUntraced(function*(options: RedisService.LayerOptions) {
  const scope = yield* Scope.fork(yield* Effect.scope)
  const services = yield* Layer.build(RedisService.layer(options)).pipe(Scope.provide(scope))
  const client = Context.get(services, IoRedis)
  return {
    client,
    run: <A, E>(self: Effect.Effect<A, E, RedisService.RedisService>) => Effect.provide(self, services),
    close: Scope.close(scope, Exit.void),
    down: until("the client sees that it has no connection", () => client.status !== "ready"),
    up: until("the client is connected", () => client.status === "ready")
  }
})

/** Each entry is made by one program, which writes to both. */
export const Ledger = Model.make("faults/Ledger", {
  id: Schema.String,
  count: Schema.Int.pipe(Model.withDefault(0)),
  entries: Schema.ReadonlySet(Schema.String).pipe(Model.withDefault<ReadonlySet<string>>(new Set()))
}, { key: "id" })

const shards = 4

/** The outcome of a program, as its caller received it. */
export interface Heard {
  readonly acknowledged: Array<string>
  readonly unknown: Array<string>
  /** by the reason: what was certainly not applied */
  readonly refused: Map<string, Array<string>>
  /** in milliseconds, without the time in which this process had none for its timers */
  slowest: number
}

/** Writes entries, and compares the reported outcome of each with the stored data. */
export const ledger = (keyPrefix = "") => {
  const heard: Heard = { acknowledged: [], unknown: [], refused: new Map(), slowest: 0 }
  let entries = 0
  const shardOf = (entry: number) => `s${entry % shards}`
  return {
    heard,
    make: Effect.forEach(range(shards), (i) => Ledger.insert({ id: shardOf(i) }), { discard: true }),
    /** Makes one entry; `allowed` are the reasons that it may fail with. */
    write: Effect.fnUntraced(function*(allowed: ReadonlyArray<RedisServiceErrorReason["_tag"]>) {
      const number = entries++
      const name = `e${number}`
      const { count, entries: marks } = Ledger.ref(shardOf(number))
      const begin = performance.now()
      const exit = yield* Effect.exit(Atomic.all([count.increment(), marks.add(name)]))
      heard.slowest = Math.max(heard.slowest, performance.now() - begin)
      if (Exit.isSuccess(exit)) {
        heard.acknowledged.push(name)
        return
      }
      const error = Option.getOrUndefined(Cause.findErrorOption(exit.cause))
      if (!isRedisServiceError(error) || !allowed.includes(error.reason._tag)) {
        return assert.fail(`not expected: ${inspect(exit, { depth: 10 })}`)
      }
      const { applied, _tag } = error.reason
      if (applied === false) {
        const names = heard.refused.get(_tag)
        if (names === undefined) heard.refused.set(_tag, [name])
        else names.push(name)
      } else {
        assert.strictEqual(applied, "unknown")
        heard.unknown.push(name)
      }
    }),
    /** How many entries there are; nothing that was acknowledged is missing, and nothing that was refused is there. */
    check: Effect.fnUntraced(function*(call: RawRedis.RawRedis["call"]) {
      const found = new Set<string>()
      for (const i of range(shards)) {
        const key = `${keyPrefix}faults/Ledger:{${shardOf(i)}}`
        const names = (yield* call("SMEMBERS", `${key}:entries`)) as ReadonlyArray<string>
        // wholly, once, or not at all
        assert.strictEqual(Number(yield* call("HGET", key, "count")), names.length, key)
        for (const name of names) found.add(name)
      }
      const { acknowledged, refused, unknown } = heard
      assert.deepStrictEqual(acknowledged.filter((name) => !found.has(name)), [], "acknowledged, and missing")
      for (const [reason, names] of refused) {
        assert.deepStrictEqual(names.filter((name) => found.has(name)), [], `${reason}, and there`)
      }
      const allowed = new Set([...acknowledged, ...unknown])
      assert.deepStrictEqual([...found].filter((name) => !allowed.has(name)), [], "by nobody")
      return found.size
    }),
    summary: () =>
      [
        `${heard.acknowledged.length} acknowledged`,
        `${heard.unknown.length} unknown`,
        ...[...heard.refused].map(([reason, names]) => `${names.length} ${reason}`)
      ].join(", ")
  }
}

/**
 * Eight fibers write as long as the rounds last; each round begins with a connection. Afterwards the service is closed, and
 * what is stored is compared with what was heard.
 */
export const underLoad = Effect.fnUntraced(function*<E, R>(options: {
  readonly on: Effect.Success<ReturnType<typeof server>>
  readonly layer: RedisService.LayerOptions & { readonly deadline: number }
  readonly allowed: ReadonlyArray<RedisServiceErrorReason["_tag"]>
  readonly rounds: number
  readonly round: Effect.Effect<unknown, E, R>
}) {
  const { allowed, layer, on, round, rounds } = options
  const late = yield* lateness
  // a deadline that is short for the faults may be too short for a start on a busy machine
  const { close, run, up } = yield* Effect.retry(service({ url: on.proxy.url, ...layer }), { times: 5 })
  const { check, heard, make, summary, write } = ledger(layer.keyPrefix)
  yield* run(make)
  let isOver = false
  const writers = yield* Effect.forEach(range(8), () =>
    Effect.forkChild(
      Effect.whileLoop({
        while: () => !isOver,
        body: () => Effect.andThen(run(write(allowed)), Effect.sleep("1 millis")),
        step: () => {}
      }),
      start
    ))
  yield* Effect.gen(function*() {
    for (const _ of range(rounds)) {
      yield* up
      yield* round
    }
    yield* up
    // and all is as it was
    const { length } = heard.acknowledged
    yield* until("programs succeed again", () => heard.acknowledged.length > length)
  }).pipe(
    // a writer that hears what it must not ends the test, and says what it was
    Effect.raceFirst(Effect.forEach(writers, Fiber.join, { concurrency: "unbounded" }))
  )
  isOver = true
  yield* Effect.forEach(writers, Fiber.join)
  yield* close
  yield* on.proxy.waitUntil(({ connections }) => connections === 0)
  const applied = yield* check(on.call)
  assert.isAtMost(heard.slowest, layer.deadline + 100 + late(), summary())
  return { ...heard, applied, summary: summary() }
})

/** How long timers of this process were late at most, in milliseconds. */
export const lateness = Effect.map(
  Effect.acquireRelease(
    Effect.sync(() => {
      const monitor = monitorEventLoopDelay({ resolution: 5 })
      monitor.enable()
      return monitor
    }),
    (monitor) => Effect.sync(() => monitor.disable())
  ),
  (monitor) => (): number => monitor.max / 1e6
)

/** Numbers from 0 to 1, the same for the same seed. */
export const random = (seed: number): () => number => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let x = Math.imul(state ^ (state >>> 15), state | 1)
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61)
    return ((x ^ (x >>> 14)) >>> 0) / 4294967296
  }
}
