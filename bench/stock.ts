/**
 * One stock that all buyers take from, and that never goes below 0. redlayer uses the bound of the schema; the contenders use a
 * lock around a read and a write, or a script written for this task.
 */
import { Effect, Schema } from "effect"
import type { Redis } from "ioredis"
import { Mutex } from "redis-semaphore"
import { Model, RedisService } from "redlayer"
import Redlock from "redlock"
import { compare, type Definition } from "./harness/compare.ts"
import { perSecond } from "./harness/measures.ts"
import { fibers, handWritten, promises } from "./harness/work.ts"

class Product extends Model.Class<Product>("Product")({
  sku: Schema.String,
  stock: Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))
}, { key: "sku", slot: "id" }) {}

/** More than all turns can sell. */
const stock = 1_000_000_000

const sku = "lamp"
const plainKey = `plain:${sku}`

const decrements = (loops: number) => fibers({ loops, operations: () => () => Product.ref(sku).stock.decrement() })

/** Stores both stocks. The check: each went down by the number of operations. */
const prepare: Definition["prepare"] = async (redis, url) => {
  await Effect.runPromise(Product.insert({ sku, stock }).pipe(Effect.provide(RedisService.layer({ url }))))
  await redis.hset(plainKey, "stock", stock)
  const sold = async (key: string) => stock - Number(await redis.hget(key, "stock"))
  return async ({ ours, theirs }) => {
    const [own, plain] = [await sold(`Product:{${sku}}`), await sold(plainKey)]
    return own === ours && plain === theirs ? undefined : `${own} and ${plain} were sold, and not ${ours} and ${theirs}`
  }
}

/** The read and the write under the lock. */
const take = async (redis: Redis): Promise<number> => {
  const left = Number(await redis.hget(plainKey, "stock")) - 1
  if (left < 0) throw new Error("sold out")
  await redis.hset(plainKey, "stock", left)
  return left
}

/** Milliseconds to wait for the lock. Long, because an abandoned operation would not count. */
const patience = 60_000

const row = (definition: Pick<Definition, "name" | "contender" | "target" | "warmUp" | "ours" | "theirs">) =>
  compare({ module: import.meta.url, ...perSecond, prepare, ...definition })

export const rows = [
  row({
    name: "hot-stock",
    contender: "redis-semaphore",
    target: 50,
    warmUp: 20_000,
    ours: decrements(16),
    theirs: promises({
      loops: 16,
      operations: (redis) => async () => {
        const mutex = new Mutex(redis, sku, { acquireTimeout: patience })
        await mutex.acquire()
        try {
          return await take(redis)
        } finally {
          await mutex.release()
        }
      }
    })
  }),
  row({
    name: "hot-stock",
    contender: "redlock",
    target: 50,
    warmUp: 20_000,
    ours: decrements(16),
    theirs: promises({
      loops: 16,
      operations: (redis) => {
        const redlock = new Redlock([redis], { retryCount: -1 })
        return async () => {
          const lock = await redlock.acquire([`lock:${sku}`], 10_000)
          try {
            return await take(redis)
          } finally {
            await lock.release()
          }
        }
      }
    })
  }),
  row({
    name: "hot-stock-script",
    contender: "ioredis EVALSHA",
    target: 2,
    warmUp: 100_000,
    ours: decrements(500),
    theirs: handWritten({
      script: "guarded-decrement",
      loops: 500,
      operations: (run) => () => run([plainKey], [1])
    })
  })
]
