/**
 * The lease of a lock that is held. It is renewed before it ends. If it cannot be renewed, the protected effect is
 * interrupted before another owner may hold the lock.
 */
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { LockLost } from "../../DomainError.ts"
import { commit } from "../program/commit.ts"
import type { AtomicNode } from "../program/node.ts"
import type { RedisService } from "../service.ts"
import type { LockKey } from "./lockKey.ts"
import { holds, renew } from "./lockPrograms.ts"

/** Milliseconds at the end of a lease that are not relied on, because clocks drift: a twentieth, at most 1,000. */
const marginOf = (lease: number): number => Math.min(1000, lease / 20)

/**
 * The milliseconds of a monotonic clock, which no one can set.
 *
 * @internal
 */
export const monotonicMillis: Effect.Effect<number> = Effect.map(
  Clock.monotonicTimeNanos,
  (nanos) => Number(nanos) / 1e6
)

/** For each fiber that runs an effect in `protect`: the fiber that called `protect`, whose locks it may take again. */
const callers = new Map<number, number>()

/** @internal */
export class Lease {
  readonly lock: LockKey
  readonly token: number
  /** The fibers that hold the lock. */
  readonly fibers = new Set<number>()
  /** The number of scopes that hold the lease. */
  holders = 1
  /** Releases the lock. It runs when the last scope closes. */
  end: Effect.Effect<void> = Effect.void
  isLost = false
  /** Whether the server has answered that the owner does not hold the lock. */
  isAbsent = false
  private validUntil = 0
  private renewAt = 0
  private readonly loss = Deferred.makeUnsafe<void>()

  constructor(lock: LockKey, token: number, sentAt: number) {
    this.lock = lock
    this.token = token
    this.extend(sentAt)
  }

  /** Counts the lease from the moment of the request, because it begins on the server only after that. */
  private extend(sentAt: number): void {
    const { lease } = this.lock
    this.validUntil = sentAt + lease - marginOf(lease)
    this.renewAt = sentAt + lease / 3
  }

  isValid(now: number): boolean {
    return !this.isLost && now < this.validUntil
  }

  /** Returns the milliseconds until the lease ends, or 0. */
  remaining(now: number): number {
    return Math.max(0, this.validUntil - now)
  }

  /** Marks the lock as lost or released. */
  markLost(): void {
    this.isLost = true
    Deferred.doneUnsafe(this.loss, Exit.void)
  }

  /**
   * Fails as soon as the lock is lost, and never succeeds.
   *
   * @param operation what the error names
   */
  lost(operation: string): Effect.Effect<never, LockLost> {
    return Effect.flatMap(Deferred.await(this.loss), () => {
      const { id, model, name } = this.lock
      return Effect.fail(new LockLost({ model, id, operation, name }))
    })
  }

  /** Checks the lease by the clock, without a round trip. */
  check(operation: string): Effect.Effect<void, LockLost> {
    return Effect.flatMap(monotonicMillis, (now) => {
      if (this.isValid(now)) return Effect.void
      if (!this.isLost) this.markLost()
      return this.lost(operation)
    })
  }

  /** Whether a fiber holds the lock, or waits for a fiber that does. */
  isHeldBy(fiber: number): boolean {
    for (let each: number | undefined = fiber; each !== undefined; each = callers.get(each)) {
      if (this.fibers.has(each)) return true
    }
    return false
  }

  /**
   * Runs an effect that is interrupted if the lock is lost. Its fiber counts as a holder of this lock, and of all
   * locks that the caller holds.
   */
  protect<A, E, R>(effect: Effect.Effect<A, E, R>, operation: string): Effect.Effect<A, E | LockLost, R> {
    return Effect.withFiber<A, E | LockLost, R>((caller) => {
      const held = Effect.withFiber<A, E, R>((fiber) => {
        this.fibers.add(fiber.id)
        callers.set(fiber.id, caller.id)
        return Effect.ensuring(
          effect,
          Effect.sync(() => {
            this.fibers.delete(fiber.id)
            callers.delete(fiber.id)
          })
        )
      })
      return Effect.andThen(this.check(operation), Effect.raceFirst(held, this.lost(operation)))
    })
  }

  /** Renews the lease until the lock is lost. If `renews` is false, waits until the lease ends. */
  renewUntilLost(service: RedisService["Service"], renews: boolean): Effect.Effect<void> {
    const ask = Effect.map(
      Effect.exit(commit(renew(this.lock), service)),
      (exit) => Exit.isSuccess(exit) ? exit.value as boolean : undefined
    )
    return Effect.gen({ self: this }, function*() {
      for (;;) {
        const now = yield* monotonicMillis
        if (!this.isValid(now)) return this.markLost()
        const at = renews ? Math.min(this.renewAt, this.validUntil) : this.validUntil
        if (now < at) {
          // rounded up to whole microseconds, because the clock would never reach a fraction of a nanosecond
          yield* Effect.sleep(Math.ceil((at - now) * 1000) / 1000)
          continue
        }
        const isHeld = yield* Effect.timeoutOrElse(ask, {
          duration: this.remaining(now),
          orElse: () => Effect.succeed(undefined)
        })
        if (isHeld === false) {
          this.isAbsent = true
          return this.markLost()
        }
        if (isHeld === true) this.extend(now)
        // without an answer, ask again soon
        else this.renewAt = (yield* monotonicMillis) + this.lock.lease / 20
      }
    })
  }
}

/**
 * A lease as its holder sees it: `Lock.Handle`.
 *
 * @internal
 */
export interface Handle {
  readonly name: string
  readonly token: number
  readonly check: Effect.Effect<void, LockLost>
  readonly lost: Effect.Effect<never, LockLost>
  readonly protect: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E | LockLost, R>
  /** Only for a lock on an entity. */
  readonly guard?: AtomicNode
}

/** @internal */
export const handleOf = (lease: Lease): Handle => ({
  name: lease.lock.name,
  token: lease.token,
  check: lease.check("check"),
  lost: lease.lost("lost"),
  protect: (effect) => lease.protect(effect, "protect"),
  ...(lease.lock.isOnEntity ? { guard: holds(lease.lock) } : undefined)
})
