/**
 * The time of the server for programs of several steps, compared with hand-written scripts: 128 programs in a call.
 */
import { Effect, Option, Schema } from "effect"
import type { Redis } from "ioredis"
import { Atomic, Model, RedisService } from "redlayer"
import { compare } from "./harness/compare.ts"
import { serverTime } from "./harness/measures.ts"
import { fibers, handWritten } from "./harness/work.ts"

/** The most programs of a call. As many fibers on one layer stay in step: their programs travel in one call. */
const batch = 128

const entityCount = 1000

const indices = (count: number): ReadonlyArray<number> => Array.from({ length: count }, (_, index) => index)

const sumOf = async (redis: Redis, keys: ReadonlyArray<string>, field: string): Promise<bigint> => {
  const pipeline = redis.pipeline()
  for (const key of keys) pipeline.hget(key, field)
  let sum = 0n
  for (const [, text] of await pipeline.exec() ?? []) sum += BigInt(text as string)
  return sum
}

class Account extends Model.Class<Account>("Account")({
  name: Schema.String,
  balance: Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))
}, { key: "name", slot: "id" }) {}

const balance = 1_000_000

const nameOf = (index: number): string => `account-${index % entityCount}`
const plainAccount = (index: number): string => `plain:${nameOf(index)}`

/** Payer and payee differ, and no account is twice in a batch. */
const pairOf = (at: number) => [2 * at, 2 * at + 1] as const

const limit = 1_000_000_000
const millis = 3_600_000

class Window extends Model.Class<Window>("Window")({
  caller: Schema.String,
  count: Schema.Int
}, { key: "caller", slot: "id", timeToLive: { duration: "1 hour", refresh: "never" } }) {}

const callerOf = (index: number): string => `caller-${index % entityCount}`
const plainWindow = (index: number): string => `plain:${callerOf(index)}`

const expect = (holds: boolean): void => {
  if (!holds) throw new Error("a result is wrong")
}

export const rows = [
  compare({
    module: import.meta.url,
    name: "program-transfer",
    contender: "script, 128 a call",
    target: 0.8,
    ...serverTime,
    warmUp: 100_000,
    perCall: batch,
    ours: fibers({
      loops: batch,
      operations: (loop) => {
        let at = loop
        return () => {
          const [from, to] = pairOf(at)
          at += batch
          return Atomic.all([
            Account.ref(nameOf(from)).balance.decrement(),
            Account.ref(nameOf(to)).balance.increment()
          ])
        }
      }
    }),
    theirs: handWritten<ReadonlyArray<unknown>>({
      script: "transfers",
      loops: 1,
      each: batch,
      options: { enableAutoPipelining: false },
      operations: (run) => {
        let at = 0
        const amounts = indices(batch).map(() => 1)
        return () => {
          const keys = indices(batch).flatMap((index) => pairOf(at + index).map(plainAccount))
          at += batch
          return run(keys, amounts)
        }
      },
      check: (results) => expect(results.every(Array.isArray))
    }),
    prepare: async (redis, url) => {
      const names = indices(entityCount).map(nameOf)
      const keys = { ours: names.map((name) => `Account:{${name}}`), theirs: indices(entityCount).map(plainAccount) }
      await Effect.runPromise(
        Account.insertMany(names.map((name) => ({ name, balance }))).pipe(Effect.provide(RedisService.layer({ url })))
      )
      for (const key of keys.theirs) await redis.hset(key, { balance, $v: 0 })
      const versions = await sumOf(redis, keys.ours, "$v")
      return async (done) => {
        const moved = {
          ours: await sumOf(redis, keys.ours, "$v") - versions,
          theirs: await sumOf(redis, keys.theirs, "$v")
        }
        for (const side of ["ours", "theirs"] as const) {
          if (moved[side] !== BigInt(2 * done[side])) return `${side} changed ${moved[side]} versions`
          const total = await sumOf(redis, keys[side], "balance")
          if (total !== BigInt(entityCount * balance)) return `${side} did not conserve the total: ${total}`
        }
        return undefined
      }
    }
  }),
  compare({
    module: import.meta.url,
    name: "program-quota",
    contender: "script, 128 a call",
    target: 0.7,
    ...serverTime,
    warmUp: 100_000,
    perCall: batch,
    ours: fibers({
      loops: batch,
      operations: (loop) => {
        let at = loop
        return () => {
          const caller = callerOf(at)
          at += batch
          const { count } = Window.ref(caller)
          return Atomic.all([
            Window.ensure({ caller, count: 0 }),
            count.increment().pipe(Atomic.when(count.lt(limit))),
            Window.timeToLive(caller)
          ])
        }
      },
      check: ([, count, left]) => expect(Option.isSome(count) && Option.isSome(left))
    }),
    theirs: handWritten<ReadonlyArray<readonly [count: string | null, millis: number]>>({
      script: "quotas",
      loops: 1,
      each: batch,
      options: { enableAutoPipelining: false },
      operations: (run) => {
        let at = 0
        return () => {
          const keys = indices(batch).map((index) => plainWindow(at + index))
          at += batch
          return run(keys, [limit, millis])
        }
      },
      check: (results) => expect(results.every(([count, left]) => count !== null && left > 0))
    }),
    prepare: async (redis) => async (done) => {
      const keys = {
        ours: indices(entityCount).map((index) => `Window:{${callerOf(index)}}`),
        theirs: indices(entityCount).map(plainWindow)
      }
      for (const side of ["ours", "theirs"] as const) {
        const counted = await sumOf(redis, keys[side], "count")
        if (counted !== BigInt(done[side])) return `${side} counted ${counted}, and not ${done[side]}`
      }
      return undefined
    }
  })
]
