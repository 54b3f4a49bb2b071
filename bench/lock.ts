/**
 * Locks compared with redlock, with one client of one server: the time to acquire and release a free lock, and the time from
 * a release until the next waiter has the lock.
 */
import { Effect, Exit, ManagedRuntime, Scope } from "effect"
import { Redis } from "ioredis"
import { setTimeout as sleep } from "node:timers/promises"
import { Lock, RedisService } from "redlayer"
import Redlock from "redlock"
import { compare } from "./harness/compare.ts"
import { latency } from "./harness/measures.ts"
import { fibers, promises, type Slice, type Work } from "./harness/work.ts"

const name = "lamp"
const plainKey = `plain:${name}`
const lease = 10_000

/** redlock with its default delay and jitter. Retries are unlimited, because an abandoned operation would not count. */
const redlockOn = (redis: Redis): Redlock => new Redlock([redis], { retryCount: -1 })

const waiters = 8

/** Milliseconds for which each holder keeps the lock: long enough for all others to be waiting again. */
const held = 5

/** Acquires the lock. Returns the function that releases it. */
type Acquire = () => Promise<() => Promise<unknown>>

/** A holder that has released the lock asks again only when the next one has it, so that the number of waiters is constant. */
const handOff = async (slice: Slice, acquire: Acquire): Promise<number> => {
  let count = 0
  let holders = 0
  let releasedAt: number | undefined
  let taken = Promise.withResolvers<void>()
  const run = async (): Promise<void> => {
    while (!slice.over) {
      const release = await acquire()
      if (++holders > 1) throw new Error("the lock has two holders")
      if (releasedAt !== undefined && !slice.over) slice.record(performance.now() - releasedAt)
      count++
      taken.resolve()
      await sleep(held)
      const next = taken = Promise.withResolvers<void>()
      holders--
      releasedAt = performance.now()
      await release()
      if (!slice.over) await next.promise
    }
  }
  await Promise.all(Array.from({ length: waiters + 1 }, run))
  return count
}

const handOffOurs: Work = async (url) => {
  const runtime = ManagedRuntime.make(RedisService.layer({ url }))
  await runtime.context()
  const acquire = Effect.gen(function*() {
    const scope = Scope.makeUnsafe()
    yield* Scope.provide(Lock.acquire(name, { lease, wait: Infinity }), scope)
    return () => runtime.runPromise(Scope.close(scope, Exit.void))
  })
  return {
    turn: (slice) => handOff(slice, () => runtime.runPromise(acquire)),
    close: () => runtime.dispose()
  }
}

const handOffRedlock: Work = async (url) => {
  const redis = new Redis(url, { enableAutoPipelining: true, lazyConnect: true })
  await redis.connect()
  const redlock = redlockOn(redis)
  return {
    turn: (slice) =>
      handOff(slice, async () => {
        const lock = await redlock.acquire([plainKey], lease)
        return () => lock.release()
      }),
    close: async () => redis.disconnect()
  }
}

export const rows = [
  compare({
    module: import.meta.url,
    name: "lock-uncontended",
    contender: "redlock",
    target: 0.8,
    ...latency,
    perCall: 0.5,
    ours: fibers({ loops: 1, timed: true, operations: () => () => Effect.scoped(Lock.acquire(name, { lease })) }),
    theirs: promises({
      loops: 1,
      timed: true,
      // one at a time, auto-pipelining only adds a turn of the event loop
      options: { enableAutoPipelining: false },
      operations: (redis) => {
        const redlock = redlockOn(redis)
        return async () => {
          const lock = await redlock.acquire([plainKey], lease)
          return lock.release()
        }
      }
    }),
    ready: (redis) => redis.config("RESETSTAT"),
    prepare: async (redis) => async (done) => {
      const calls = /cmdstat_evalsha:calls=(\d+)/.exec(await redis.info("commandstats"))?.[1]
      const expected = 2 * (done.ours + done.theirs)
      return Number(calls) === expected ? undefined : `${calls} calls reached the server, and not ${expected}`
    }
  }),
  compare({
    module: import.meta.url,
    name: "lock-handoff",
    contender: "redlock",
    target: 20,
    ...latency,
    warmUp: 50,
    ours: handOffOurs,
    theirs: handOffRedlock,
    prepare: async (redis) => async () => {
      const left = (await redis.keys("*")).filter((key) => !key.endsWith(":$fence"))
      return left.length === 0 ? undefined : `these are left: ${left.join(" ")}`
    }
  })
]
