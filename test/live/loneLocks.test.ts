/**
 * An operation of a lock that is alone in its call has its own path through the script. Random operations show that this path does
 * the same as the one beside other programs.
 */
import { assert, it } from "@effect/vitest"
import { Effect, Exit } from "effect"
import { RedisService } from "redlayer"
import { capacity, type LockKey } from "../../src/internal/lock/lockKey.ts"
import * as LockPrograms from "../../src/internal/lock/lockPrograms.ts"
import { commit } from "../../src/internal/program/commit.ts"
import { Random, seed } from "../differential/random.ts"
import { describeRedis, redis, uniquePrefix } from "../support/Backends.ts"
import * as RawRedis from "../support/RawRedis.ts"

const keys = ["$lock:{alone}", "$lock:{beside}"] as const

/** Without what two locks cannot share: tokens, and times. */
const comparable = (text: string): string => text.replaceAll(/\d{10,}/g, "…")

/** Milliseconds are close to a million, or far from half of it. */
const rounded = (value: unknown): unknown => typeof value === "number" ? Math.round(value / 1_000_000) : value

const prefix = uniquePrefix("lone")

describeRedis("an operation of a lock that is alone in its call", () => {
  it.live("has the results and leaves the keys of the same operation beside another program", () =>
    Effect.gen(function*() {
      const service = yield* RedisService.RedisService
      const { call } = yield* RawRedis.make(redis.url!)
      const random = new Random("lone locks")
      /** The content of the three keys, and when they expire. */
      const stored = Effect.fnUntraced(function*(key: string) {
        const parts: Array<unknown> = []
        for (const part of [key, `${key}:$fence`]) {
          const found = (yield* call("HGETALL", prefix + part)) as ReadonlyArray<string>
          parts.push(found.map(comparable), yield* call("PTTL", prefix + part))
        }
        parts.push(yield* call("ZRANGE", `${prefix}${key}:$queue`, "0", "-1"))
        return parts.map(rounded)
      })
      const nothing = service.execute({ instructions: [], access: "write" }, () => Exit.void)
      const owners = "abcdefgh".split("")
      let taken = 0
      for (let step = 0; step < 400; step++) {
        const owner = random.pick(owners)
        const weight = random.chance(0.7) ? capacity : 1
        const lease = random.chance(0.2) ? 1 : 1_000_000
        const channel = random.chance(0.4) ? "$wake:nobody" : ""
        const tombstone = random.chance(0.05) ? random.pick([1, 1_000_000]) : 0
        const op = random.pick(["acquire", "acquire", "acquire", "release", "release", "renew", "holds"] as const)
        const programOf = (key: string) => {
          const lock: LockKey = {
            key,
            name: "a",
            model: "",
            id: "",
            isOnEntity: false,
            operation: "acquire",
            owner,
            weight,
            limit: capacity,
            lease
          }
          if (op === "acquire") return LockPrograms.acquire(lock, channel, 1000, false)
          if (op === "release") return LockPrograms.release(lock, channel, tombstone, false)
          return op === "renew" ? LockPrograms.renew(lock) : LockPrograms.holds(lock)
        }
        // the holders are gone and the queue is left, as when all leases end at once
        if (random.chance(0.1)) { for (const key of keys) yield* call("DEL", prefix + key) }
        const alone = yield* Effect.exit(commit(programOf(keys[0]), service))
        const [, beside] = yield* Effect.all([nothing, Effect.exit(commit(programOf(keys[1]), service))], {
          concurrency: "unbounded"
        })
        // those that have expired have done so in both locks
        yield* Effect.sleep(3)
        const [one, other] = [alone, beside].map((exit) =>
          Exit.isFailure(exit) ? "failed" : typeof exit.value === "string" ? "token" : rounded(exit.value)
        )
        const where = `seed ${seed}, step ${step}: ${op} by ${owner}`
        assert.strictEqual(one, other, where)
        assert.deepStrictEqual(yield* stored(keys[0]), yield* stored(keys[1]), where)
        if (op === "acquire" && one === "token") taken++
      }
      assert.isAbove(taken, 20)
    }).pipe(Effect.scoped, Effect.provide(RedisService.layer({ url: redis.url, keyPrefix: prefix }))))
})
