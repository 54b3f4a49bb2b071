/**
 * Access of the main process to the server of a row.
 */
import { Effect, type Scope } from "effect"
import { Redis } from "ioredis"
import * as RedisCluster from "../../test/support/RedisCluster.ts"
import { BenchError } from "./row.ts"

/** Runs a promise of a row. The error names the row. */
export const attempt = <A>(name: string, run: () => Promise<A>): Effect.Effect<A, BenchError> =>
  Effect.tryPromise({
    try: run,
    catch: (error) => new BenchError({ message: `${name}: ${error instanceof Error ? error.stack : String(error)}` })
  })

/** Connects a client, and deletes everything that earlier rows stored. */
export const emptied = (name: string, url: string): Effect.Effect<Redis, BenchError, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => new Redis(url)),
    (redis) => Effect.sync(() => redis.disconnect())
  ).pipe(Effect.tap((redis) => attempt(name, () => redis.flushall("SYNC"))))

/** Starts a cluster of three primaries. Returns a client of each, and the addresses with commas between them. */
export const started = (
  name: string
): Effect.Effect<{ readonly all: readonly [Redis, ...Array<Redis>]; readonly url: string }, BenchError, Scope.Scope> =>
  Effect.gen(function*() {
    const cluster = yield* RedisCluster.start({ replicas: 0, unrestricted: true })
    const [first, ...others] = yield* Effect.forEach(
      cluster.primaries,
      ({ server }) =>
        Effect.acquireRelease(
          Effect.sync(() => new Redis(server.url)),
          (redis) => Effect.sync(() => redis.disconnect())
        )
    )
    return { all: [first!, ...others] as const, url: cluster.nodes.join(",") }
  }).pipe(Effect.mapError(({ message }) => new BenchError({ message: `${name}: ${message}` })))

/** The work of a server since its start, or since an earlier reading. */
export interface ServerWork {
  /** The number of script calls. */
  readonly calls: number
  /** The time in scripts, in microseconds. */
  readonly scripts: number
  /** The processor time of the server, in microseconds. */
  readonly cpu: number
}

const scripts = /^cmdstat_(?:evalsha|evalsha_ro|eval|eval_ro|fcall|fcall_ro):calls=(\d+),usec=(\d+)/gm
const processor = /^used_cpu_(?:user|sys):([\d.]+)/gm

/** The work of all servers together. */
export const workOf = async (all: ReadonlyArray<Redis>): Promise<ServerWork> => {
  let [calls, micros, seconds] = [0, 0, 0]
  for (const redis of all) {
    const [commands, cpu] = [await redis.info("commandstats"), await redis.info("cpu")]
    for (const [, count, usec] of commands.matchAll(scripts)) {
      calls += Number(count)
      micros += Number(usec)
    }
    for (const [, used] of cpu.matchAll(processor)) seconds += Number(used)
  }
  return { calls, scripts: micros, cpu: seconds * 1e6 }
}

export const workSince = async (all: ReadonlyArray<Redis>, start: ServerWork): Promise<ServerWork> => {
  const end = await workOf(all)
  return { calls: end.calls - start.calls, scripts: end.scripts - start.scripts, cpu: end.cpu - start.cpu }
}
