/**
 * The work of a contender during its turn, in a separate process: loops that start the next operation when the reply to the
 * last one has arrived. Each side uses the loop that costs it least, so that the operation is measured and not the loop.
 */
import { Effect, type Layer, ManagedRuntime } from "effect"
import { Redis, type RedisOptions } from "ioredis"
import { RedisService } from "redlayer"
import type { Sample } from "./protocol.ts"
import { scriptOf } from "./scripts.ts"

/** One turn. Loops run until it is over. */
export interface Slice {
  readonly over: boolean
  /** The length of the turn. */
  readonly millis: number
  /** Records the time of one operation. */
  readonly record: (millis: number) => void
}

export interface Contestant {
  /** Works until the slice is over. Returns the number of operations, or the measurements of a program that counts by itself. */
  readonly turn: (slice: Slice) => Promise<number | Pick<Sample, "operations" | "seconds" | "cpu">>
  readonly close: () => Promise<void>
}

export type Work = (url: string) => Promise<Contestant>

export const inDatabase = (number: number, work: Work): Work => (url) => work(`${url}/${number}`)

interface Loops<A> {
  /** The number of concurrent loops. */
  readonly loops: number
  /** The number of operations in one run of `operations`. Default: 1 */
  readonly each?: number
  /** Whether the time of every operation is recorded. */
  readonly timed?: boolean
  /** Throws if a result is wrong. */
  readonly check?: (result: A, loop: number) => void
}

const sum = (counts: ReadonlyArray<number>): number => counts.reduce((total, count) => total + count, 0)
const indices = (count: number): ReadonlyArray<number> => Array.from({ length: count }, (_, index) => index)

/** Fibers on `RedisService.layer`. Each fiber calls `operations` once, for the function that returns its next operation. */
export const fibers = <A>(
  work: FiberLoops<A, RedisService.RedisService> & { readonly options?: RedisService.LayerOptions }
): Work => fibersOn((url) => RedisService.layer({ ...work.options, url }), work)

interface FiberLoops<A, R> extends Loops<A> {
  readonly operations: (loop: number) => () => Effect.Effect<A, unknown, R>
}

/** The same on another layer. */
export const fibersOn = <A, R>(
  layerOf: (url: string) => Layer.Layer<R, unknown>,
  work: FiberLoops<A, R>
): Work => {
  const { check, each = 1, loops, operations, timed } = work
  const fiber = (slice: Slice, loop: number) =>
    Effect.suspend(() => {
      const next = operations(loop)
      let count = 0
      let start = 0
      return Effect.map(
        Effect.whileLoop({
          while: () => {
            if (timed) start = performance.now()
            return !slice.over
          },
          body: next,
          step: (result) => {
            if (timed) slice.record(performance.now() - start)
            check?.(result, loop)
            count += each
          }
        }),
        () => count
      )
    })
  return async (url) => {
    const runtime = ManagedRuntime.make(layerOf(url))
    await runtime.context()
    return {
      turn: (slice) =>
        runtime.runPromise(
          Effect.forEach(indices(loops), (loop) => fiber(slice, loop), { concurrency: "unbounded" }).pipe(
            Effect.map(sum)
          )
        ),
      close: () => runtime.dispose()
    }
  }
}

/** Asynchronous functions on a client of any kind. */
export const promisesOn = <Client, A>(
  connect: (url: string) => Promise<{ readonly client: Client; readonly close: () => unknown }>,
  work: Loops<A> & { readonly operations: (client: Client, loop: number) => () => Promise<A> }
): Work => {
  const { check, each = 1, loops, operations, timed } = work
  const run = async (client: Client, slice: Slice, loop: number): Promise<number> => {
    const next = operations(client, loop)
    let count = 0
    let start = 0
    while (!slice.over) {
      if (timed) start = performance.now()
      const result = await next()
      if (timed) slice.record(performance.now() - start)
      check?.(result, loop)
      count += each
    }
    return count
  }
  return async (url) => {
    const { client, close } = await connect(url)
    return {
      turn: async (slice) => sum(await Promise.all(indices(loops).map((loop) => run(client, slice, loop)))),
      close: async () => {
        await close()
      }
    }
  }
}

/** Without the mapping of replies, because it would change their types. */
type ClientOptions = Omit<RedisOptions, "replyMapping">

/** Asynchronous functions on one ioredis client. */
export const promises = <A>(
  { options = { enableAutoPipelining: true }, prepare, ...work }: Loops<A> & {
    /** Default: auto-pipelining. */
    readonly options?: ClientOptions
    readonly prepare?: (redis: Redis) => Promise<unknown>
    readonly operations: (redis: Redis, loop: number) => () => Promise<A>
  }
): Work =>
  promisesOn(async (url) => {
    const redis = new Redis(url, { ...options, lazyConnect: true })
    await redis.connect()
    await prepare?.(redis)
    return { client: redis, close: () => redis.disconnect() }
  }, work)

type Argument = string | number

/** A hand-written script of `bench/scripts`, by `EVALSHA` on one ioredis client. */
export const handWritten = <A>(
  { options, script, ...work }: Loops<A> & {
    /** Default: auto-pipelining. */
    readonly options?: ClientOptions
    readonly script: string
    readonly operations: (
      run: (keys: ReadonlyArray<string>, args: ReadonlyArray<Argument>) => Promise<A>,
      loop: number
    ) => () => Promise<A>
  }
): Work => {
  let sha = ""
  return promises<A>({
    ...work,
    ...(options === undefined ? {} : { options }),
    prepare: async (redis) => {
      sha = await redis.script("LOAD", scriptOf(script)) as string
    },
    operations: (redis, loop) =>
      work.operations((keys, args) => redis.evalsha(sha, keys.length, ...keys, ...args) as Promise<A>, loop)
  })
}
