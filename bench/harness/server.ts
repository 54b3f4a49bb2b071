/**
 * Access of the main process to the server of a row.
 */
import { Effect, type Scope } from "effect"
import { Redis } from "ioredis"
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
