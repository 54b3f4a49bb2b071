/**
 * Taking a lock, waiting for it, and releasing it. A caller that leaves without an answer writes a tombstone for its
 * owner id, so that an acquire arriving late is refused and no orphaned lock remains. lock.lua explains the protocol.
 */
import * as Context from "effect/Context"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import { InvalidValue, type LockLost, LockTimeout } from "../../DomainError.ts"
import { isRedisServiceError, type RedisServiceError } from "../../RedisServiceError.ts"
import { commit } from "../program/commit.ts"
import { RedisService } from "../service.ts"
import { Lease, monotonicMillis } from "./lease.ts"
import { type LockKey, lockKeyOf, type Options, type Target, whole } from "./lockKey.ts"
import { acquire as acquireProgram, release } from "./lockPrograms.ts"
import { WakeupChannel } from "./wakeups.ts"

type Service = RedisService["Service"]

const makeName = (): string => Buffer.from(SecureRandom.randomBytesUnsafe(16)).toString("base64url")

/** The state that all locks of a service share. */
class Locks {
  readonly service: Service
  readonly wakeups: WakeupChannel
  readonly isCluster: boolean
  private readonly held = new Map<string, Set<Lease>>()
  private readonly name = makeName()
  private owners = 0

  constructor(service: Service) {
    this.service = service
    this.wakeups = new WakeupChannel(service, this.name)
    this.isCluster = service.server?.isCluster === true
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
   * The lease that this fiber already holds and that serves this request as well. Permits are counted each time, so
   * they are never shared.
   */
  find({ key, limit, weight }: LockKey, fiber: number, now: number): Lease | undefined {
    for (const lease of this.held.get(key) ?? []) {
      const { lock } = lease
      const isAsGood = limit === whole && lock.weight >= weight
      if (isAsGood && lease.isHeldBy(fiber) && lease.isValid(now)) return lease
    }
  }
}

const all = new WeakMap<Service, Locks>()

const locksOf = (service: Service): Locks => {
  let locks = all.get(service)
  if (locks === undefined) {
    locks = new Locks(service)
    all.set(service, locks)
  }
  return locks
}

const timeout = ({ id, model, name }: LockKey): LockTimeout => new LockTimeout({ model, id, name })

/** Milliseconds that the tombstone lasts. A request delayed beyond it can hold the lock for one lease at most. */
const tombstoneMillis = ({ lease }: LockKey): number => Math.min(lease, 60_000) + 60_000

/** One owner's attempt to take a lock. */
class Acquisition {
  readonly locks: Locks
  readonly lock: LockKey
  /** Milliseconds to wait. Undefined: without limit. */
  readonly wait: number | undefined
  /** When the lock was first asked for. */
  private askedAt: number | undefined
  /** Whether a request may still arrive at the server. */
  private isDoubtful = false
  private isQueued = false
  private isHeld = false

  constructor(locks: Locks, lock: LockKey, wait: number | undefined) {
    this.locks = locks
    this.lock = lock
    this.wait = wait
  }

  private get pause(): number {
    return Math.ceil(this.lock.lease / 3)
  }

  /**
   * Whether to stop asking. A caller that does not wait still asks again after a lost or late answer, for up to a
   * lease.
   */
  private isOver(now: number): boolean {
    return this.wait === 0 && now - this.askedAt! > this.lock.lease
  }

  /** Asks once. Returns a lease, or the milliseconds until the next attempt. */
  private ask(channel: string): Effect.Effect<Lease | number, RedisServiceError> {
    const { isCluster, service } = this.locks
    return Effect.flatMap(monotonicMillis, (sentAt) => {
      const wasDoubtful = this.isDoubtful
      this.isDoubtful = true
      this.askedAt ??= sentAt
      return Effect.matchEffect(commit(acquireProgram(this.lock, channel, this.pause, isCluster), service), {
        onFailure: (error) => {
          const isUnknown = isRedisServiceError(error) && error.reason._tag === "OutcomeUnknown"
          if (!isUnknown) this.isDoubtful = wasDoubtful
          // acquire is idempotent for each owner, so asking again is safe
          return isUnknown && !this.isOver(sentAt) ? this.ask(channel) : Effect.fail(error)
        },
        onSuccess: (reply: string | number | false) => {
          this.isDoubtful = wasDoubtful
          if (typeof reply !== "string") return Effect.succeed(reply === false ? this.pause : reply)
          this.isHeld = true
          return Effect.flatMap(monotonicMillis, (now) => {
            const lease = new Lease(this.lock, Number(reply), sentAt)
            if (lease.isValid(now)) return Effect.succeed(lease)
            // the answer came too late to rely on; asking again renews the lease
            return this.isOver(now) ? Effect.succeed(this.pause) : this.ask(channel)
          })
        }
      })
    })
  }

  private readonly queue: Effect.Effect<Lease, RedisServiceError> = Effect.scoped(
    Effect.gen({ self: this }, function*() {
      const { wakeups: inbox } = this.locks
      const waiter = yield* inbox.join(this.lock.owner)
      this.isQueued = true
      for (;;) {
        waiter.listen()
        const found = yield* this.ask(inbox.channel)
        if (typeof found !== "number") return found
        yield* waiter.wait(Math.min(found, this.pause))
      }
    })
  )

  get obtain(): Effect.Effect<Lease, LockTimeout | RedisServiceError> {
    const { wait } = this
    const expired = Effect.suspend(() => Effect.fail(timeout(this.lock)))
    const obtained = Effect.flatMap(
      this.ask(""),
      (found): Effect.Effect<Lease, LockTimeout | RedisServiceError> =>
        typeof found !== "number" ? Effect.succeed(found) : wait === 0 ? expired : this.queue
    )
    return wait === 0 || wait === undefined
      ? obtained
      : Effect.timeoutOrElse(obtained, { duration: wait, orElse: () => expired })
  }

  /** Removes every trace of this owner on the server. */
  get giveBack(): Effect.Effect<unknown, RedisServiceError> {
    const { wakeups: inbox, isCluster, service } = this.locks
    const channel = this.isQueued ? inbox.channel : ""
    return commit(release(this.lock, channel, this.isDoubtful ? tombstoneMillis(this.lock) : 0, isCluster), service)
  }

  /** Whether the server may know this owner. */
  get isKnown(): boolean {
    return this.isDoubtful || this.isQueued || this.isHeld
  }

  /** Releases the lock when its last scope closes. The caller waits for that no longer than the lease. */
  end(lease: Lease): Effect.Effect<void> {
    return Effect.suspend(() => {
      if (lease.isGone && !this.isDoubtful) return Effect.void
      return Effect.flatMap(monotonicMillis, (now) => {
        const left = lease.left(now)
        const given = Effect.ignore(this.giveBack)
        return left === 0 ? detach(given) : Effect.raceFirst(given, Effect.sleep(left))
      })
    })
  }
}

/** Runs an effect that no one waits for. It starts at once, so a layer that closes next still sends it. */
const detach = (effect: Effect.Effect<unknown>): Effect.Effect<void> =>
  Effect.asVoid(Effect.forkDetach(effect, { startImmediately: true }))

/** The lock ends with the last of the scopes that hold it. */
const share = (lease: Lease): Effect.Effect<void, never, Scope.Scope> =>
  Effect.addFinalizer(() => {
    lease.holders--
    return lease.holders === 0 ? lease.end : Effect.void
  })

/** Starts renewing a lease, until it ends. */
const begin = (acquisition: Acquisition, lease: Lease, fiber: number, renews: boolean): Effect.Effect<void> => {
  const { locks } = acquisition
  return Effect.map(
    Effect.forkDetach(lease.keep(locks.service, renews), { startImmediately: true }),
    (keeper) => {
      lease.fibers.add(fiber)
      locks.add(lease)
      lease.end = Effect.suspend(() => {
        locks.remove(lease)
        lease.lose()
        return Effect.andThen(Fiber.interrupt(keeper), acquisition.end(lease))
      })
    }
  )
}

const defaultWait = 10_000

const toWait = (input: Duration.Input | undefined): number | undefined => {
  if (input === undefined) return defaultWait
  const duration = Option.getOrUndefined(Duration.fromInput(input))
  const millis = duration && Duration.toMillis(duration)
  return millis !== undefined && millis >= 0 ? millis : undefined
}

/** @internal */
export const acquire = (
  target: Target,
  options: Options
): Effect.Effect<Lease, InvalidValue | LockTimeout | RedisServiceError, RedisService | Scope.Scope> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.withFiber<Lease, InvalidValue | LockTimeout | RedisServiceError, RedisService | Scope.Scope>((fiber) => {
      const service = Context.get(fiber.context as Context.Context<RedisService>, RedisService)
      const refusal = service.server?.refusesLocks
      if (refusal !== undefined) return Effect.fail(refusal)
      const locks = locksOf(service)
      const lock = lockKeyOf(target, options, locks.nextOwner())
      if (lock instanceof InvalidValue) return Effect.fail(lock)
      const wait = toWait(options.wait)
      if (wait === undefined) return Effect.fail(refuseWait(lock))
      const acquisition = new Acquisition(locks, lock, wait === Infinity ? undefined : wait)
      const obtained = Effect.onExit(
        restore(acquisition.obtain),
        (exit) =>
          Exit.isFailure(exit) && acquisition.isKnown ? detach(Effect.ignore(acquisition.giveBack)) : Effect.void
      )
      return Effect.flatMap(monotonicMillis, (now) => {
        const held = locks.find(lock, fiber.id, now)
        if (held !== undefined) {
          held.holders++
          return Effect.as(share(held), held)
        }
        return Effect.flatMap(obtained, (lease) =>
          Effect.as(
            Effect.andThen(begin(acquisition, lease, fiber.id, options.renew !== false), share(lease)),
            lease
          ))
      })
    })
  )

const refuseWait = ({ id, model, name }: LockKey): InvalidValue =>
  new InvalidValue({
    model: model === "" ? "Lock" : model,
    id: id === "" ? name : id,
    field: "",
    issue: "Expected a time to wait"
  })

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
  const places = new Map<string, Array<number>>()
  for (const [index, target] of targets.entries()) {
    const lock = lockKeyOf(target, options, "")
    if (lock instanceof InvalidValue) return yield* lock
    const same = places.get(lock.key)
    if (same === undefined) places.set(lock.key, [index])
    else same.push(index)
  }
  const order = [...places].sort(([a], [b]) => a < b ? -1 : 1)
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
export const within = <L, E, R, A, E2, R2>(
  acquired: Effect.Effect<L, E, R | Scope.Scope>,
  leasesOf: (acquired: L) => ReadonlyArray<Lease>,
  f: (acquired: L) => Effect.Effect<A, E2, R2>
): Effect.Effect<A, E | E2 | LockLost, Exclude<R, Scope.Scope> | R2> =>
  Effect.uninterruptibleMask((restore) => {
    const scope = Scope.makeUnsafe()
    const use = Effect.flatMap(Scope.provide(acquired, scope), (locks) => {
      let protectedEffect: Effect.Effect<A, E2 | LockLost, R2> = Effect.suspend(() => f(locks))
      for (const lease of leasesOf(locks)) protectedEffect = lease.protect(protectedEffect)
      return protectedEffect
    })
    return Effect.onExit(restore(use), (exit) => Scope.close(scope, exit))
  }) as Effect.Effect<A, E | E2 | LockLost, Exclude<R, Scope.Scope> | R2>
