/**
 * Locks: one holder at a time of a name, or of something about an entity, across fibers, processes and machines. A lock is held
 * by a lease, which is renewed as long as its scope is open; who crashed holds it no longer than that. Each holder has a token
 * greater than those before, and a lock on an entity guards the programs of its holder on the server: one that has lost it
 * writes nothing.
 *
 * **Gotchas**
 *
 * What one program can do needs no lock, and is faster by far. A lock is for work that leaves the server in between: see
 * `Atomic` and `Model.modify` first.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import type { Atomic } from "./Atomic.ts"
import type { InvalidValue, LockLost, LockTimeout } from "./DomainError.ts"
import * as Internal from "./internal/lock/acquisition.ts"
import * as HeldLock from "./internal/lock/held.ts"
import { type Target as Site, targetOf } from "./internal/lock/lockKey.ts"
import type { RedisService } from "./internal/service.ts"
import type { RedisServiceError } from "./RedisServiceError.ts"

/**
 * How many may hold a lock at a time.
 *
 * **Details**
 *
 * - `"exclusive"`, unless said otherwise: one.
 * - `"shared"`: any number of those who share it, or one that doesn't. Who waits for the whole of it lets nobody pass who comes
 *   later.
 * - `{ permits }`: so many, below 2^31. All who use the name should say the same number; permits of a name have nothing to do with a lock
 *   of that name.
 *
 * **Example** (So many at a time)
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
 * @category models
 * @since 0.1.0
 */
export type Mode = "exclusive" | "shared" | { readonly permits: number }

/**
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /**
   * How long it is held without a renewal: 10 seconds unless said otherwise, 10 milliseconds to 10^12. A holder that died
   * holds it so long at most; one that is stopped, or cut off, has lost it by then.
   */
  readonly lease?: Duration.Input | undefined
  /**
   * How long to wait for it: 10 seconds unless said otherwise, then it fails with `LockTimeout`. Zero asks once; with
   * `Duration.infinity` there is no limit.
   */
  readonly wait?: Duration.Input | undefined
  /** Whether it is renewed, three times in a lease, as long as it is held. On unless said otherwise. */
  readonly renew?: boolean | undefined
  /** How many may hold it. */
  readonly mode?: Mode | undefined
}

/**
 * What `Model.ref` gives. Anything else is `InvalidValue`.
 *
 * @category models
 * @since 0.1.0
 */
export type Reference = { readonly [field: string]: object }

/**
 * @category models
 * @since 0.1.0
 */
export interface OptionsOn extends Options {
  /** The entity that the lock is about: it lives in its slot, and `held.guard` can stand in its programs. */
  readonly on: Reference
}

/**
 * A lock to hold with others: its name, or its name on an entity.
 *
 * @category models
 * @since 0.1.0
 */
export type Target = string | { readonly name: string; readonly on?: Reference | undefined }

/**
 * A lock that is held.
 *
 * @category models
 * @since 0.1.0
 */
export interface Handle {
  readonly name: string
  /**
   * Greater than that of every holder before. Whoever is told of it, and refuses what comes with a lower one than it has seen,
   * lets no late holder write: that is fencing. At most 2^53.
   */
  readonly token: number
  /**
   * Fails where the lease has ended, by this machine's clock, or the lock was given back. No round trip; the server may know
   * more.
   */
  readonly check: Effect.Effect<void, LockLost>
  /** Fails as soon as the lock is lost, or given back, and never ends otherwise. */
  readonly lost: Effect.Effect<never, LockLost>
  /**
   * Runs an effect that is interrupted, and fails with `LockLost`, when the lock is lost: before the lease ends where it
   * couldn't be renewed, and within a third of it where somebody has removed it, if it renews.
   */
  readonly protect: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E | LockLost, R>
}

/**
 * A lock on an entity that is held.
 *
 * @category models
 * @since 0.1.0
 */
export interface EntityHandle extends Handle {
  /**
   * Fails with `LockLost` unless the lock is still held, on the server. In a program with the writes that it protects nobody can
   * take it in between: all of them happen under the lock, or none does.
   */
  readonly guard: Atomic<void, LockLost>
}

type HeldAll<Targets extends ReadonlyArray<Target>> = {
  readonly [K in keyof Targets]: Targets[K] extends { readonly on: Reference } ? EntityHandle : Handle
}

type Failure = InvalidValue | LockTimeout | RedisServiceError

/**
 * Takes a lock, and holds it until the scope closes. Waits for it as long as `wait` says, then fails with `LockTimeout`. Who
 * waits is woken when it becomes free, and looks by itself three times in a lease. One round trip where it is free, and one to
 * give it back.
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
 * **Details**
 *
 * A fiber that holds a lock takes it again at once, and the lock ends with the last of its scopes: the options of the first
 * count. A forked fiber is another, and waits; give it what is held instead. Permits are counted each time.
 *
 * Interrupted at any point, it leaves nothing behind: a request that is still on its way is refused when it arrives.
 *
 * A server that may drop keys under pressure (its `maxmemory-policy` is not `noeviction`) fails it with `Unsupported`, unless
 * the layer accepts that.
 *
 * @see {@link withLock} for an effect that is interrupted when the lock is lost
 * @category acquiring
 * @since 0.1.0
 */
export const acquire: {
  (name: string, options: OptionsOn): Effect.Effect<EntityHandle, Failure, RedisService | Scope.Scope>
  (name: string, options?: Options): Effect.Effect<Handle, Failure, RedisService | Scope.Scope>
} = (name: string, options: Options & { readonly on?: Reference } = {}): Effect.Effect<any, Failure, any> =>
  Effect.map(Internal.acquire(targetOf(name, options.on), options), HeldLock.heldOf)

/**
 * Takes a lock if it is free now, and holds it until the scope closes; none where it isn't. One round trip, and one to give it
 * back. Its `wait` counts for nothing.
 *
 * @category acquiring
 * @since 0.1.0
 */
export const tryAcquire: {
  (
    name: string,
    options: OptionsOn
  ): Effect.Effect<Option.Option<EntityHandle>, InvalidValue | RedisServiceError, RedisService | Scope.Scope>
  (
    name: string,
    options?: Options
  ): Effect.Effect<Option.Option<Handle>, InvalidValue | RedisServiceError, RedisService | Scope.Scope>
} = (name: string, options: Options & { readonly on?: Reference } = {}): Effect.Effect<any, any, any> =>
  Internal.acquire(targetOf(name, options.on), { ...options, wait: 0 }).pipe(
    Effect.map((lease) => Option.some(HeldLock.heldOf(lease))),
    Effect.catchTag("LockTimeout", () => Effect.succeedNone)
  )

/**
 * Takes several locks, and holds them until the scope closes: all of them, or none. They are taken in one order, whatever the
 * order in which they are named, so those who need the same ones never wait for each other in a circle; one that is named
 * twice is taken once. `wait` is for all together. One round trip for each, and one for each to give it back.
 *
 * **Example** (Two entities at a time)
 *
 * ```ts run
 * import { Effect, Schema } from "effect"
 * import { Atomic, Lock, Model, RedisService } from "redlayer"
 *
 * const Team = Model.make("Team", { name: Schema.String, players: Schema.Array(Schema.String) }, { key: "name" })
 *
 * // who changes place is computed here
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
 * @category acquiring
 * @since 0.1.0
 */
export const acquireAll = <const Targets extends ReadonlyArray<Target>>(
  targets: Targets,
  options: Options = {}
): Effect.Effect<HeldAll<Targets>, Failure, RedisService | Scope.Scope> =>
  Effect.map(Internal.acquireAll(targets.map(siteOf), options), (leases): any => leases.map(HeldLock.heldOf))

const siteOf = (target: Target): Site =>
  typeof target === "string" ? targetOf(target, undefined) : targetOf(target.name, target.on)

/**
 * Runs an effect under a lock, which is given back when it ends, however it ends. Where the lock is lost the effect is
 * interrupted, and this fails with `LockLost`. Two round trips, and waiting.
 *
 * **Example** (One at a time)
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
 * @category running
 * @since 0.1.0
 */
export const withLock: {
  <A, E, R>(
    name: string,
    f: (held: EntityHandle) => Effect.Effect<A, E, R>,
    options: OptionsOn
  ): Effect.Effect<A, E | Failure | LockLost, RedisService | R>
  <A, E, R>(
    name: string,
    f: (held: Handle) => Effect.Effect<A, E, R>,
    options?: Options
  ): Effect.Effect<A, E | Failure | LockLost, RedisService | R>
} = (
  name: string,
  f: (held: any) => Effect.Effect<any, any, any>,
  options: Options & { readonly on?: Reference } = {}
): Effect.Effect<any, any, any> =>
  Internal.within(
    Internal.acquire(targetOf(name, options.on), options),
    (lease) => [lease],
    (lease) => f(HeldLock.heldOf(lease))
  )

/**
 * Runs an effect under several locks, as `withLock` and `acquireAll` do: all are taken in one order, and where one of them is
 * lost the effect is interrupted. Two round trips for each.
 *
 * @category running
 * @since 0.1.0
 */
export const withLocks = <const Targets extends ReadonlyArray<Target>, A, E, R>(
  targets: Targets,
  f: (held: HeldAll<Targets>) => Effect.Effect<A, E, R>,
  options: Options = {}
): Effect.Effect<A, E | Failure | LockLost, RedisService | R> =>
  Internal.within(
    Internal.acquireAll(targets.map(siteOf), options),
    (leases) => leases,
    (leases) => f(leases.map(HeldLock.heldOf) as any)
  )
