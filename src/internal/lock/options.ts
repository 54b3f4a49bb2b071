/**
 * The options of locks.
 */
import type * as Duration from "effect/Duration"

/**
 * How many holders a lock has at a time. Default: `"exclusive"`.
 *
 * **Details**
 *
 * - `"exclusive"`: one holder.
 * - `"shared"`: any number of shared holders, or one exclusive holder. A waiting exclusive request blocks every later
 *   request.
 * - `{ permits }`: at most this number of holders, 1 to 2^31 − 1. All users of the name should use the same number.
 *   Permits of a name are independent of a lock with that name.
 *
 * **Example** (Limiting the number of holders)
 *
 * ```ts run
 * import { Effect } from "effect"
 * import { Lock, RedisService } from "redlayer"
 *
 * const program = Effect.gen(function*() {
 *   const two = Lock.tryAcquire("geocoder", { mode: { permits: 2 } })
 *   const calls = yield* Effect.all([two, two, two])
 *   const shared = Lock.tryAcquire("catalogue", { mode: "shared" })
 *   const readers = yield* Effect.all([shared, shared, Lock.tryAcquire("catalogue")])
 *   return [...calls, ...readers].map((held) => held._tag)
 * })
 *
 * const result = await Effect.runPromise(program.pipe(Effect.scoped, Effect.provide(RedisService.layerMemory)))
 * result // => ["Some", "Some", "None", "Some", "Some", "None"]
 * ```
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export type Mode = "exclusive" | "shared" | { readonly permits: number }

/**
 * Options of a lock.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /**
   * How long the lock is held without a renewal: 10 milliseconds to 10^12. Default: 10 seconds. A holder that died
   * keeps the lock at most this long; a holder that is stopped or cut off has lost it by then.
   */
  readonly lease?: Duration.Input | undefined
  /**
   * How long to wait for the lock before failing with `LockTimeout`. Zero asks once; `Duration.infinity` waits for
   * ever. Default: 10 seconds.
   */
  readonly wait?: Duration.Input | undefined
  /** Whether the lease is renewed, three times in a lease, as long as the lock is held. Default: true. */
  readonly renew?: boolean | undefined
  /** How many holders the lock has at a time. Default: `"exclusive"`, one. */
  readonly mode?: Mode | undefined
}
