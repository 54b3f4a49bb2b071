/**
 * Locks across fibers, processes and machines: one holder at a time of a name, or of an aspect of an entity. A holder
 * has a lease, which is renewed as long as its scope is open. A holder that crashed keeps the lock until its lease
 * ends. Each holder gets a fencing token greater than all earlier ones. A lock on an entity also guards its holder's
 * programs on the server: a holder that has lost the lock writes nothing.
 *
 * **Gotchas**
 *
 * A single program needs no lock, and is much faster. A lock is for work outside the server: consider `Atomic` and
 * `Model.modify` first.
 *
 * @stability unstable
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import type { Atomic } from "./Atomic.ts"
import type { InvalidValue, LockLost, LockTimeout } from "./DomainError.ts"
import type { AnyRef } from "./Field.ts"
import * as Internal from "./internal/lock/acquisition.ts"
import { handleOf } from "./internal/lock/lease.ts"
import { type Target as LockTarget, targetOf } from "./internal/lock/lockKey.ts"
import type { Options } from "./internal/lock/options.ts"
import type { RedisService } from "./internal/service.ts"
import type { RedisServiceError } from "./RedisServiceError.ts"

export type { Mode, Options } from "./internal/lock/options.ts"

/**
 * Options of a lock on an entity.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface OptionsOn extends Options {
  /**
   * The entity that the lock is about, as `ref` of its model returns it (`Model.Ref`); any other object fails with
   * `InvalidValue`. The lock is stored in the slot of the entity, so `held.guard` can be part of programs on the
   * entity.
   */
  readonly on: AnyRef
}

/**
 * Tells the options of a lock on no entity apart. The overloads that take an entity come last, because the compiler reports the
 * errors of the last.
 */
interface OffEntity {
  readonly on?: undefined
}

/**
 * One of several locks: a name, or a name on an entity.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export type Target = string | { readonly name: string; readonly on?: AnyRef | undefined }

/**
 * A lock that is held: its token, and effects that detect its loss.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Handle {
  /** The name of the lock. */
  readonly name: string
  /**
   * The fencing token: greater than that of every earlier holder, at most 2^53. A resource that refuses tokens lower
   * than the greatest it has seen is safe from late holders.
   */
  readonly token: number
  /**
   * Fails with `LockLost` if the lease has ended by this machine's clock, or the lock was released. No round trip; the
   * server may know more.
   */
  readonly check: Effect.Effect<void, LockLost>
  /** Fails with `LockLost` as soon as the lock is lost or released. Never succeeds. */
  readonly lost: Effect.Effect<never, LockLost>
  readonly protect: {
    /**
     * Runs an effect and interrupts it with `LockLost` if the lock is lost: before the lease ends if it could not be
     * renewed, and within a third of the lease if someone removed the lock, provided that it renews.
     */
    <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E | LockLost, R>
  }
}

/**
 * A lock on an entity that is held, with a program that checks it on the server.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface EntityHandle extends Handle {
  /**
   * A program that fails with `LockLost` unless the lock is still held on the server. Put it into the program with the
   * writes that it protects: then all of them happen under the lock, or none does.
   */
  readonly guard: Atomic<void, LockLost>
}

type HeldAll<Targets extends ReadonlyArray<Target>> = {
  readonly [K in keyof Targets]: Targets[K] extends { readonly on: AnyRef } ? EntityHandle : Handle
}

/**
 * The errors of taking a lock: an option or the name is invalid, the lock was not free in time, or the server failed.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export type Failure = InvalidValue | LockTimeout | RedisServiceError

/**
 * Takes a lock and holds it until the scope closes. Waits as long as `wait` allows, then fails with `LockTimeout`. One
 * round trip if the lock is free, and one to release it.
 *
 * **When to use**
 *
 * Use if the lock must last as long as a scope. To run one effect under a lock use `withLock`; to do nothing if the
 * lock is not free use `tryAcquire`.
 *
 * **Details**
 *
 * A waiter is woken when the lock becomes free, and also checks three times in a lease. A fiber that holds a lock can
 * take it again at once: the options of the first time count, and the lock ends with the last scope. A forked fiber is
 * another fiber, and waits: pass the handle to it instead. Permits are counted each time.
 *
 * Interruption at any point leaves nothing behind: a request that is still in flight is refused when it arrives. If the
 * server may evict keys (its `maxmemory-policy` is not `noeviction`), this fails with `Unsupported`, unless the layer
 * accepts that.
 *
 * **Example** (Writing under a lock)
 *
 * ```ts run
 * import { Effect, Schema } from "effect"
 * import { Atomic, Lock, Model, RedisService } from "redlayer"
 *
 * const Profile = Model.make("Profile", { user: Schema.String, picture: Schema.String }, { key: "user" })
 *
 * // takes a while, and must not be done twice at a time
 * const render = (user: string) => Effect.succeed(`${user}.png`)
 *
 * const refresh = Effect.fn("refresh")(function*(user: string) {
 *   const profile = Profile.ref(user)
 *   const held = yield* Lock.acquire("picture", { on: profile, lease: "30 seconds" })
 *   const picture = yield* held.protect(render(user))
 *   // were the lock lost meanwhile, nothing would be written
 *   yield* held.guard.pipe(Atomic.andThen(profile.picture.set(picture)))
 * }, Effect.scoped)
 *
 * const program = Effect.gen(function*() {
 *   yield* Profile.insert({ user: "alice", picture: "" })
 *   yield* refresh("alice")
 *   return yield* Profile.ref("alice").picture.get()
 * })
 *
 * await Effect.runPromise(program.pipe(Effect.provide(RedisService.layerMemory))) // => "alice.png"
 * ```
 *
 * @see {@link withLock} for an effect that is interrupted when the lock is lost
 * @stability unstable
 * @category acquiring
 * @since 0.1.0
 */
export const acquire: {
  /**
   * Takes a lock and holds it until the scope closes. Waits as long as `wait` allows, then fails with `LockTimeout`.
   * One round trip if the lock is free, and one to release it.
   */
  (name: string, options?: Options & OffEntity): Effect.Effect<Handle, Failure, RedisService | Scope.Scope>
  /**
   * Takes a lock and holds it until the scope closes. Waits as long as `wait` allows, then fails with `LockTimeout`.
   * One round trip if the lock is free, and one to release it.
   */
  (name: string, options: OptionsOn): Effect.Effect<EntityHandle, Failure, RedisService | Scope.Scope>
} = (name: string, options: Options & { readonly on?: AnyRef | undefined } = {}): Effect.Effect<any, Failure, any> =>
  Effect.map(Internal.acquire(targetOf("acquire", name, options.on), options), handleOf)

/**
 * Takes a lock only if it is free now, and holds it until the scope closes. Returns `Option.none` if it is not free.
 * `wait` is ignored. One round trip, and one to release it.
 *
 * **When to use**
 *
 * Use to skip work that another holder is doing already. To wait for the lock use `acquire`.
 *
 * @stability unstable
 * @category acquiring
 * @since 0.1.0
 */
export const tryAcquire: {
  /**
   * Takes a lock only if it is free now, and holds it until the scope closes. Returns `Option.none` if it is not free.
   * `wait` is ignored. One round trip, and one to release it.
   */
  (
    name: string,
    options?: Options & OffEntity
  ): Effect.Effect<Option.Option<Handle>, InvalidValue | RedisServiceError, RedisService | Scope.Scope>
  /**
   * Takes a lock only if it is free now, and holds it until the scope closes. Returns `Option.none` if it is not free.
   * `wait` is ignored. One round trip, and one to release it.
   */
  (
    name: string,
    options: OptionsOn
  ): Effect.Effect<Option.Option<EntityHandle>, InvalidValue | RedisServiceError, RedisService | Scope.Scope>
} = (name: string, options: Options & { readonly on?: AnyRef | undefined } = {}): Effect.Effect<any, any, any> =>
  Internal.acquire(targetOf("tryAcquire", name, options.on), { ...options, wait: 0 }).pipe(
    Effect.map((lease) => Option.some(handleOf(lease))),
    Effect.catchTag("LockTimeout", () => Effect.succeedNone)
  )

/**
 * Takes several locks, all or none, and holds them until the scope closes. The locks are taken in one global order, so
 * two callers never wait for each other in a circle. A lock that is named twice is taken once. `wait` is for all of
 * them together. One round trip for each lock, and one for each to release it.
 *
 * **When to use**
 *
 * Use for work on several entities or names, instead of taking one lock after the other. To run one effect under
 * several locks use `withLocks`.
 *
 * **Example** (Locking two entities)
 *
 * ```ts run
 * import { Effect, Schema } from "effect"
 * import { Atomic, Lock, Model, RedisService } from "redlayer"
 *
 * const Team = Model.make("Team", { name: Schema.String, players: Schema.Array(Schema.String) }, { key: "name" })
 *
 * // the new teams are computed here
 * const even = Effect.fn("even")(function*(from: string, to: string) {
 *   const [a, b] = [Team.ref(from), Team.ref(to)]
 *   const [heldA, heldB] = yield* Lock.acquireAll([{ name: "players", on: a }, { name: "players", on: b }])
 *   const [many, few] = yield* Atomic.all([a.players.get(), b.players.get()])
 *   const half = (many.length + few.length) >> 1
 *   yield* Atomic.all([
 *     heldA.guard,
 *     heldB.guard,
 *     a.players.set(many.slice(0, half)),
 *     b.players.set([...few, ...many.slice(half)])
 *   ])
 * }, Effect.scoped)
 *
 * const program = Effect.gen(function*() {
 *   yield* Team.insertMany([{ name: "red", players: ["a", "b", "c"] }, { name: "blue", players: ["d"] }])
 *   yield* even("red", "blue")
 *   return yield* Team.ref("blue").players.get()
 * })
 *
 * await Effect.runPromise(program.pipe(Effect.provide(RedisService.layerMemory))) // => ["d", "c"]
 * ```
 *
 * @stability unstable
 * @category acquiring
 * @since 0.1.0
 */
export const acquireAll = <const Targets extends ReadonlyArray<Target>>(
  targets: Targets,
  options: Options = {}
): Effect.Effect<HeldAll<Targets>, Failure, RedisService | Scope.Scope> =>
  Effect.map(Internal.acquireAll(targets.map(toTarget("acquireAll")), options), (leases): any => leases.map(handleOf))

const toTarget = (operation: string) => (target: Target): LockTarget =>
  typeof target === "string" ? targetOf(operation, target, undefined) : targetOf(operation, target.name, target.on)

/**
 * Runs an effect under a lock, and releases the lock when the effect ends, in every case. If the lock is lost, the
 * effect is interrupted and this fails with `LockLost`. Two round trips, and the waiting.
 *
 * **When to use**
 *
 * Use for one effect. For a lock on an entity that is loaded and saved use `withLock` of the model; for a lock that
 * lasts as long as a scope use `acquire`.
 *
 * **Example** (Running one job at a time)
 *
 * ```ts run
 * import { Effect } from "effect"
 * import { Lock, RedisService } from "redlayer"
 *
 * const nightly = Lock.withLock("nightly", ({ token }) => Effect.succeed(token > 0), { wait: "1 minute" })
 *
 * await Effect.runPromise(nightly.pipe(Effect.provide(RedisService.layerMemory))) // => true
 * ```
 *
 * @stability unstable
 * @category running
 * @since 0.1.0
 */
export const withLock: {
  /**
   * Runs an effect under a lock, and releases the lock when the effect ends, in every case. If the lock is lost, the
   * effect is interrupted and this fails with `LockLost`. Two round trips, and the waiting.
   */
  <A, E, R>(
    name: string,
    f: (held: Handle) => Effect.Effect<A, E, R>,
    options?: Options & OffEntity
  ): Effect.Effect<A, E | Failure | LockLost, RedisService | R>
  /**
   * Runs an effect under a lock, and releases the lock when the effect ends, in every case. If the lock is lost, the
   * effect is interrupted and this fails with `LockLost`. Two round trips, and the waiting.
   */
  <A, E, R>(
    name: string,
    f: (held: EntityHandle) => Effect.Effect<A, E, R>,
    options: OptionsOn
  ): Effect.Effect<A, E | Failure | LockLost, RedisService | R>
} = (
  name: string,
  f: (held: any) => Effect.Effect<any, any, any>,
  options: Options & { readonly on?: AnyRef | undefined } = {}
): Effect.Effect<any, any, any> =>
  Internal.withLeases(
    "withLock",
    Internal.acquire(targetOf("withLock", name, options.on), options),
    (lease) => [lease],
    (lease) => f(handleOf(lease))
  )

/**
 * Runs an effect under several locks, which are taken in one global order, all or none. If one of them is lost, the
 * effect is interrupted and this fails with `LockLost`. Two round trips for each lock.
 *
 * **When to use**
 *
 * Use for one effect that works on several entities or names.
 *
 * @stability unstable
 * @category running
 * @since 0.1.0
 */
export const withLocks = <const Targets extends ReadonlyArray<Target>, A, E, R>(
  targets: Targets,
  f: (held: HeldAll<Targets>) => Effect.Effect<A, E, R>,
  options: Options = {}
): Effect.Effect<A, E | Failure | LockLost, RedisService | R> =>
  Internal.withLeases(
    "withLocks",
    Internal.acquireAll(targets.map(toTarget("withLocks")), options),
    (leases) => leases,
    (leases) => f(leases.map(handleOf) as any)
  )
