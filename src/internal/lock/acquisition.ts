/**
 * Taking a lock, waiting for it, and releasing it. A caller that leaves without an answer writes a tombstone for its
 * owner id, so that an acquire arriving late is refused and no orphaned lock remains. `lockPrograms.ts` explains the
 * protocol.
 */
import * as Context from "effect/Context"
import * as SecureRandom from "effect/crypto/SecureRandom"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Base64Url from "effect/encoding/Base64Url"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import { InvalidValue, type LockLost, LockTimeout } from "../../DomainError.ts"
import { isRedisServiceError, type RedisServiceError } from "../../RedisServiceError.ts"
import { millisOf } from "../options.ts"
import { commit } from "../program/commit.ts"
import { RedisService } from "../service.ts"
import { Lease, monotonicMillis } from "./lease.ts"
import { capacity, type LockKey, lockKeyOf, type Target } from "./lockKey.ts"
import * as LockPrograms from "./lockPrograms.ts"
import type { Options } from "./options.ts"
import { WakeupChannel } from "./wakeups.ts"

type Service = RedisService["Service"]

const makeName = (): string => Base64Url.encode(SecureRandom.randomBytesUnsafe(16))

/** Milliseconds after which a woken waiter has come, or its reservation has ended. */
const lookMillis = 260

/** The state that all locks of a service share. */
class Locks {
  readonly service: Service
  readonly wakeups: WakeupChannel
  readonly isCluster: boolean
  private readonly held = new Map<string, Set<Lease>>()
  private readonly looking = new Map<string, Fiber.Fiber<void>>()
  private readonly name = makeName()
  private owners = 0

  constructor(service: Service) {
    this.service = service
    this.wakeups = new WakeupChannel(service, this.name)
    this.isCluster = service.server?.isCluster === true
  }

  /**
   * Looks again at a lock whose release has woken a waiter, because the waiter's process may be stopped, and those behind
   * it sleep. A later release of the lock takes the place of this look.
   */
  lookAgain(lock: LockKey): Effect.Effect<void> {
    const { isCluster, looking, service } = this
    const look: Effect.Effect<void, unknown> = Effect.flatMap(
      Effect.delay(commit(LockPrograms.release(lock, "", 0, isCluster), service), lookMillis),
      (hasWoken) => hasWoken === true ? look : Effect.void
    )
    return Effect.suspend(() => {
      looking.get(lock.key)?.interruptUnsafe()
      return Effect.map(Effect.forkDetach(Effect.ignore(look)), (fiber) => {
        looking.set(lock.key, fiber)
        fiber.addObserver(() => {
          if (looking.get(lock.key) === fiber) looking.delete(lock.key)
        })
      })
    })
  }

  /** An owner id that was never used before. */
  nextOwner(): string {
    return `${this.name}:${(this.owners++).toString(36)}`
  }

  add(lease: Lease): void {
    const { key } = lease.lock
    const leases = this.held.get(key)
    if (leases === undefined) this.held.set(key, new Set([lease]))
    else leases.add(lease)
  }

  remove(lease: Lease): void {
    const { key } = lease.lock
    const leases = this.held.get(key)
    if (leases?.delete(lease) === true && leases.size === 0) this.held.delete(key)
  }

  /**
   * Returns the lease that this fiber already holds, if it is as strong as the request. Permits are counted each time,
   * so they are never shared.
   */
  find({ key, limit, weight }: LockKey, fiber: number, now: number): Lease | undefined {
    if (limit !== capacity) return undefined
    for (const lease of this.held.get(key) ?? []) {
      if (lease.lock.weight >= weight && lease.isHeldBy(fiber) && lease.isValid(now)) return lease
    }
  }
}

const locksByService = new WeakMap<Service, Locks>()

const locksOf = (service: Service): Locks => {
  let locks = locksByService.get(service)
  if (locks === undefined) {
    locks = new Locks(service)
    locksByService.set(service, locks)
  }
  return locks
}

const timeout = ({ id, model, name, operation }: LockKey): LockTimeout =>
  new LockTimeout({ model, id, operation, name })

/** Milliseconds that the tombstone lasts. A request delayed beyond it can hold the lock for one lease at most. */
const tombstoneMillis = ({ lease }: LockKey): number => Math.min(lease, 60_000) + 60_000

/** One owner's attempt to take a lock. */
class Acquisition {
  readonly locks: Locks
  readonly lock: LockKey
  /** Milliseconds to wait for the lock. Undefined: without limit. */
  readonly wait: number | undefined
  /** When the lock was first asked for. */
  private askedAt: number | undefined
  /** Whether a request without an answer may still arrive at the server. */
  private isDoubtful = false
  private isQueued = false
  private isHeld = false

  constructor(locks: Locks, lock: LockKey, wait: number | undefined) {
    this.locks = locks
    this.lock = lock
    this.wait = wait
  }

  /** Milliseconds after which a waiter asks again even if it was not woken. */
  private get pause(): number {
    return Math.ceil(this.lock.lease / 3)
  }

  /**
   * Whether to stop asking. A caller that does not wait still asks again after a lost or late answer, for at most one
   * lease.
   */
  private hasGivenUp(now: number): boolean {
    return this.wait === 0 && now - this.askedAt! > this.lock.lease
  }

  /** Asks once. Returns a lease, or the milliseconds until the next attempt. */
  private ask(channel: string): Effect.Effect<Lease | number, RedisServiceError> {
    const { isCluster, service } = this.locks
    return Effect.flatMap(monotonicMillis, (sentAt) => {
      const wasDoubtful = this.isDoubtful
      this.isDoubtful = true
      this.askedAt ??= sentAt
      return Effect.matchEffect(commit(LockPrograms.acquire(this.lock, channel, this.pause, isCluster), service), {
        onFailure: (error) => {
          const reason = isRedisServiceError(error) ? error.reason : undefined
          const isUnknown = reason?._tag === "OutcomeUnknown"
          if (!isUnknown) this.isDoubtful = wasDoubtful
          // it failed, and was applied nevertheless
          if (reason?.applied === true) this.isHeld = true
          // acquire is idempotent for each owner, so asking again is safe
          return isUnknown && !this.hasGivenUp(sentAt) ? this.ask(channel) : Effect.fail(error)
        },
        onSuccess: (reply: string | number | false) => {
          this.isDoubtful = wasDoubtful
          if (typeof reply !== "string") return Effect.succeed(reply === false ? this.pause : reply)
          this.isHeld = true
          return Effect.flatMap(monotonicMillis, (now) => {
            const lease = new Lease(this.lock, Number(reply), sentAt)
            if (lease.isValid(now)) return Effect.succeed(lease)
            // the answer came too late to rely on; asking again renews the lease
            return this.hasGivenUp(now) ? Effect.succeed(this.pause) : this.ask(channel)
          })
        }
      })
    })
  }

  /** Asks again each time that it is woken, until it holds the lock. */
  private readonly waitInQueue: Effect.Effect<Lease, RedisServiceError> = Effect.scoped(
    Effect.gen({ self: this }, function*() {
      const { wakeups } = this.locks
      const waiter = yield* wakeups.join(this.lock.owner)
      this.isQueued = true
      for (;;) {
        waiter.listen()
        const answer = yield* this.ask(wakeups.channel)
        if (typeof answer !== "number") return answer
        yield* waiter.wait(Math.min(answer, this.pause))
      }
    })
  )

  /** Takes the lock, or waits for it. Fails with `LockTimeout` if `wait` ends first. */
  get obtain(): Effect.Effect<Lease, LockTimeout | RedisServiceError> {
    const { wait } = this
    const expired = Effect.suspend(() => Effect.fail(timeout(this.lock)))
    const obtained = Effect.flatMap(
      this.ask(""),
      (answer): Effect.Effect<Lease, LockTimeout | RedisServiceError> =>
        typeof answer !== "number" ? Effect.succeed(answer) : wait === 0 ? expired : this.waitInQueue
    )
    return wait === 0 || wait === undefined
      ? obtained
      : Effect.timeoutOrElse(obtained, { duration: wait, orElse: () => expired })
  }

  /** Removes the owner from the holders and from the queue, and writes a tombstone if a request may arrive late. */
  get releaseAll(): Effect.Effect<unknown, RedisServiceError> {
    const { isCluster, service, wakeups } = this.locks
    const channel = this.isQueued ? wakeups.channel : ""
    const tombstone = this.isDoubtful ? tombstoneMillis(this.lock) : 0
    return Effect.flatMap(
      commit(LockPrograms.release(this.lock, channel, tombstone, isCluster), service),
      (hasWoken) => hasWoken === true ? this.locks.lookAgain(this.lock) : Effect.void
    )
  }

  /** Whether the server may know this owner. */
  get mayBeOnServer(): boolean {
    return this.isDoubtful || this.isQueued || this.isHeld
  }

  /** Releases the lock. The caller waits for that no longer than the lease lasts. */
  end(lease: Lease): Effect.Effect<void> {
    return Effect.suspend(() => {
      if (lease.isAbsent && !this.isDoubtful) return Effect.void
      return Effect.flatMap(monotonicMillis, (now) => {
        const remaining = lease.remaining(now)
        const released = Effect.ignore(this.releaseAll)
        return remaining === 0 ? runDetached(released) : Effect.raceFirst(released, Effect.sleep(remaining))
      })
    })
  }
}

/** Runs an effect that no caller waits for. It starts at once, so that a layer which closes next still sends it. */
const runDetached = (effect: Effect.Effect<unknown>): Effect.Effect<void> =>
  Effect.asVoid(Effect.forkDetach(effect, { startImmediately: true }))

/** Ends the lease when the last of the scopes that hold it closes. */
const endWithScope = (lease: Lease): Effect.Effect<void, never, Scope.Scope> =>
  Effect.addFinalizer(() => {
    lease.holders--
    return lease.holders === 0 ? lease.end : Effect.void
  })

/** Records the lease as held by the fiber, and renews it until it ends. */
const startRenewing = (acquisition: Acquisition, lease: Lease, fiber: number, renews: boolean): Effect.Effect<void> => {
  const { locks } = acquisition
  return Effect.map(
    Effect.forkDetach(lease.renewUntilLost(locks.service, renews), { startImmediately: true }),
    (keeper) => {
      lease.fibers.add(fiber)
      locks.add(lease)
      lease.end = Effect.suspend(() => {
        locks.remove(lease)
        lease.markLost()
        return Effect.andThen(Fiber.interrupt(keeper), acquisition.end(lease))
      })
    }
  )
}

const defaultWait = 10_000

const toWait = (input: Duration.Input | undefined): number | undefined => {
  if (input === undefined) return defaultWait
  const millis = millisOf(input)
  return millis !== undefined && millis >= 0 ? millis : undefined
}

const refuseWait = ({ id, model, name, operation }: LockKey): InvalidValue =>
  new InvalidValue({
    model: model === "" ? "Lock" : model,
    id: id === "" ? name : id,
    operation,
    field: "",
    issue: "Expected a duration of at least 0 as the time to wait"
  })

/** Checks a request. Returns the error if it is refused before anything is sent. */
const acquisitionOf = (
  service: Service,
  target: Target,
  options: Options
): Acquisition | InvalidValue | RedisServiceError => {
  const refusal = service.server?.refusesLocks
  if (refusal !== undefined) return refusal
  const locks = locksOf(service)
  const lock = lockKeyOf(target, options, locks.nextOwner())
  if (lock instanceof InvalidValue) return lock
  const wait = toWait(options.wait)
  return wait === undefined ? refuseWait(lock) : new Acquisition(locks, lock, wait === Infinity ? undefined : wait)
}

/**
 * Takes a lock, and holds it until the scope closes. A fiber that holds the lock already shares its lease.
 *
 * @internal
 */
export const acquire = (
  target: Target,
  options: Options
): Effect.Effect<Lease, InvalidValue | LockTimeout | RedisServiceError, RedisService | Scope.Scope> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.withFiber<Lease, InvalidValue | LockTimeout | RedisServiceError, RedisService | Scope.Scope>((fiber) => {
      const service = Context.get(fiber.context as Context.Context<RedisService>, RedisService)
      const acquisition = acquisitionOf(service, target, options)
      if (!(acquisition instanceof Acquisition)) return Effect.fail(acquisition)
      return Effect.flatMap(monotonicMillis, (now) => {
        const held = acquisition.locks.find(acquisition.lock, fiber.id, now)
        if (held !== undefined) {
          held.holders++
          return Effect.as(endWithScope(held), held)
        }
        const obtained = Effect.onExit(
          restore(acquisition.obtain),
          (exit) =>
            Exit.isFailure(exit) && acquisition.mayBeOnServer
              ? runDetached(Effect.ignore(acquisition.releaseAll))
              : Effect.void
        )
        const renews = options.renew !== false
        return Effect.flatMap(
          obtained,
          (lease) =>
            Effect.as(Effect.andThen(startRenewing(acquisition, lease, fiber.id, renews), endWithScope(lease)), lease)
        )
      })
    })
  )

/**
 * Takes several locks, all or none, each once, in one global order: a caller that waits for a lock holds none that
 * comes after it in this order.
 *
 * @internal
 */
export const acquireAll = Effect.fnUntraced(function*(
  targets: ReadonlyArray<Target>,
  options: Options
): Effect.fn.Return<
  ReadonlyArray<Lease>,
  InvalidValue | LockTimeout | RedisServiceError,
  RedisService | Scope.Scope
> {
  const indicesOf = new Map<string, Array<number>>()
  for (const [index, target] of targets.entries()) {
    const lock = lockKeyOf(target, options, "")
    if (lock instanceof InvalidValue) return yield* lock
    const indices = indicesOf.get(lock.key)
    if (indices === undefined) indicesOf.set(lock.key, [index])
    else indices.push(index)
  }
  const order = [...indicesOf].sort(([a], [b]) => a < b ? -1 : 1)
  const wait = toWait(options.wait)
  const until = (yield* monotonicMillis) + (wait ?? NaN)
  const scope = yield* Scope.fork(yield* Effect.scope)
  const leases: Array<Lease> = []
  const each = Effect.forEach(order, ([, indices]) =>
    Effect.flatMap(monotonicMillis, (now) =>
      Effect.map(
        acquire(targets[indices[0]!]!, wait === undefined ? options : { ...options, wait: Math.max(0, until - now) }),
        (lease) => {
          for (const index of indices) leases[index] = lease
        }
      )), { discard: true })
  yield* Effect.onError(Scope.provide(each, scope), (cause) => Scope.close(scope, Exit.failCause(cause)))
  return leases
})

/**
 * Holds locks while an effect runs. The effect is interrupted if one of them is lost.
 *
 * @internal
 */
export const withLeases = <L, E, R, A, E2, R2>(
  operation: string,
  acquired: Effect.Effect<L, E, R | Scope.Scope>,
  leasesOf: (acquired: L) => ReadonlyArray<Lease>,
  f: (acquired: L) => Effect.Effect<A, E2, R2>
): Effect.Effect<A, E | E2 | LockLost, Exclude<R, Scope.Scope> | R2> =>
  Effect.uninterruptibleMask((restore) => {
    const scope = Scope.makeUnsafe()
    const use = Effect.flatMap(Scope.provide(acquired, scope), (locks) => {
      let protectedEffect: Effect.Effect<A, E2 | LockLost, R2> = Effect.suspend(() => f(locks))
      for (const lease of leasesOf(locks)) protectedEffect = lease.protect(protectedEffect, operation)
      return protectedEffect
    })
    return Effect.onExit(restore(use), (exit) => Scope.close(scope, exit))
  }) as Effect.Effect<A, E | E2 | LockLost, Exclude<R, Scope.Scope> | R2>
