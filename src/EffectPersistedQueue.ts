/**
 * The store of Effect's own `PersistedQueue` (`effect/persistence/PersistedQueue`), on one server, on a cluster and in memory. Effect's
 * module is marked unstable, and so is this one.
 *
 * @stability experimental
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Latch from "effect/Latch"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as PersistedQueue from "effect/persistence/PersistedQueue"
import * as Predicate from "effect/Predicate"
import * as RcMap from "effect/RcMap"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Atomic from "./Atomic.ts"
import * as Programs from "./internal/effect/queuePrograms.ts"
import { check, invalidOf, millisOf } from "./internal/options.ts"
import { RedisService } from "./internal/service.ts"
import { isRedisServiceError, type RedisServiceError } from "./RedisServiceError.ts"
import * as Topic from "./Topic.ts"

type Store = PersistedQueue.PersistedQueueStore["Service"]

interface Taker {
  readonly deferred: Deferred.Deferred<Programs.Claimed, PersistedQueue.PersistedQueueError>
  /** The item that was given to it, also if it was interrupted before it could see it. */
  claimed: Programs.Claimed | undefined
}

/** By its tag, because Effect does not export what its factory fails with if an element can't be decoded. */
const deadLetterOf = (cause: Cause.Cause<unknown>): Cause.Cause<unknown> | undefined => {
  for (const reason of cause.reasons) {
    if (!Cause.isFailReason(reason)) continue
    const { error } = reason
    if (
      Predicate.isTagged(error, "~effect/persistence/PersistedQueue/DeadLetter") && "cause" in error &&
      Cause.isCause(error.cause)
    ) return error.cause
  }
}

const errorOf = (message: string) => (cause: unknown): PersistedQueue.PersistedQueueError =>
  new PersistedQueue.PersistedQueueError({
    message: Predicate.hasProperty(cause, "message") ? `${message}: ${String(cause.message)}` : message,
    cause
  })

class InvalidName extends Data.TaggedError("InvalidName")<{ readonly message: string }> {}

const isPassing = (error: unknown): boolean =>
  isRedisServiceError(error) && (error.isRetryable || error.reason._tag === "OutcomeUnknown" ||
    error.reason._tag === "NotEnoughReplicas")

/**
 * Options of the layer.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /**
   * How often a process whose takers wait looks for items that are due, or whose message was missed: at least 1 ms. Default: 1 second. All
   * takers of a queue in one process share one look.
   */
  readonly pollInterval?: Duration.Input | undefined
  /** How often the leases of items that are being processed are renewed: at least 1 ms, and less than `lockExpiration`. Default: 30 seconds. */
  readonly lockRefreshInterval?: Duration.Input | undefined
  /** How long after its last renewal the item of a dead process may be taken again: at least 2 ms. Default: 90 seconds. */
  readonly lockExpiration?: Duration.Input | undefined
}

const finite = (least: number) =>
  check(`a finite duration of at least ${least} ms`, (value) => {
    const millis = millisOf(value)
    return millis !== undefined && millis >= least && millis < Infinity
  })

const checks = { pollInterval: finite(1), lockRefreshInterval: finite(1), lockExpiration: finite(2) }

const make = Effect.fnUntraced(function*(options: Options) {
  const lease = millisOf(options.lockExpiration ?? 90_000)!
  const refreshEvery = millisOf(options.lockRefreshInterval ?? 30_000)!
  const invalid = invalidOf(options, {
    ...checks,
    lockRefreshInterval: check(
      "a finite duration of at least 1 ms, and less than lockExpiration",
      (value) => checks.lockRefreshInterval(value, "") === undefined && millisOf(value)! < lease
    )
  }) ?? (refreshEvery < lease ? undefined : invalidOf({ lockExpiration: options.lockExpiration }, {
    lockExpiration: check("a duration that is longer than lockRefreshInterval", () => false)
  }))
  if (invalid !== undefined) return yield* Effect.fail(invalid)
  const pollInterval = Duration.fromInputUnsafe(options.pollInterval ?? 1000)
  const service = yield* RedisService

  const run = <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.provideService(self, RedisService, service)

  const topics = new Map<string, Topic.Topic<Schema.String>>()
  const topicOf = (name: string): Topic.Topic<Schema.String> => {
    let topic = topics.get(name)
    if (topic === undefined) topics.set(name, topic = Topic.make(`effect-queue/${name}`, Schema.String))
    return topic
  }
  const wake = (name: string) => topicOf(name).publish("")
  const checkName = (name: string) =>
    name !== "" && name.isWellFormed()
      ? Effect.void
      : Effect.fail(new InvalidName({ message: "The name of a queue is empty, or ill-formed Unicode" }))

  /** Queues that this process knows to be in the list of names. */
  const registered = new Set<string>()
  const register = (name: string) =>
    Effect.tap(Programs.registerPrograms(name), () => Effect.sync(() => registered.add(name)))

  const held = new Set<Programs.Claimed>()

  // what a claim is settled with may be sent again, because the claim is gone after the first time
  const settleSchedule = Schedule.min([Schedule.exponential(200, 1.5), Schedule.spaced(5000)]).pipe(
    Schedule.upTo({ duration: lease })
  )
  const settle = <E>(claim: Programs.Claimed, program: Atomic.Atomic<boolean, E>): Effect.Effect<void> =>
    run(program).pipe(
      Effect.retry(settleSchedule),
      Effect.mapError(errorOf(`An item was not settled before its lease ended`)),
      Effect.orDie,
      Effect.ensuring(Effect.sync(() => held.delete(claim))),
      Effect.asVoid
    )

  yield* Effect.gen(function*() {
    let wait = refreshEvery
    while (true) {
      yield* Effect.sleep(wait)
      const exits = yield* run(Atomic.pipeline(Array.from(held, (claim) => Programs.renew(claim, lease))))
      const failed = exits.find(Exit.isFailure)
      wait = failed === undefined ? refreshEvery : Math.min(500, refreshEvery)
      if (failed !== undefined) yield* Effect.logWarning("Leases of a queue were not renewed", failed.cause)
    }
  }).pipe(Effect.forkScoped, Effect.interruptible)

  const workers = yield* RcMap.make({
    idleTimeToLive: Duration.seconds(30),
    lookup: (name: string) => makeWorker(name)
  })

  const makeWorker = Effect.fnUntraced(function*(name: string) {
    const takers: Array<Taker> = []
    const isWanted = Latch.makeUnsafe(false)
    const nudge = Latch.makeUnsafe(false)
    const worker = { takers, isWanted, nudge, maxAttempts: 1 }

    const give = (claimed: Programs.Claimed) => {
      held.add(claimed)
      const taker = takers.shift()
      if (taker === undefined) return settle(claimed, Programs.release(claimed, wake(name)))
      taker.claimed = claimed
      return Deferred.succeed(taker.deferred, claimed)
    }

    /** Returns whether it is worth looking again at once. */
    const round = Effect.gen(function*() {
      const size = Math.min(takers.length, Programs.claimSize)
      if (size === 0) return true
      const { maxAttempts } = worker
      const { due, ready } = yield* Programs.look(name, size)
      if (due.length > 0) {
        yield* Programs.recover(name, due.map(({ member }) => member), maxAttempts)
        return true
      }
      const token = SecureRandom.uuidV4Unsafe()
      const exits = yield* Atomic.pipeline(
        ready.map(({ member }) => Programs.claim(name, member, token, lease, maxAttempts))
      )
      for (const [i, exit] of exits.entries()) {
        if (Exit.isFailure(exit)) {
          // it may be claimed, for nobody: it is given back before others are taken, or comes back after its lease
          yield* Programs.release({ name, id: ready[i]!.member, token }, wake(name)).pipe(
            Effect.retry({ schedule: Schedule.spaced(100), times: 3, while: isPassing }),
            Effect.ignore
          )
        } else if (exit.value !== undefined) {
          const { attempts, element, id, isCustomId } = exit.value
          yield* give({ name, id, token, attempts, element, isCustomId })
        }
      }
      const failed = exits.find(Exit.isFailure)
      if (failed !== undefined) return yield* Effect.failCause(failed.cause)
      return ready.length > 0
    })

    yield* Effect.gen(function*() {
      while (true) {
        yield* isWanted.await
        if (takers.length === 0) {
          isWanted.closeUnsafe()
          continue
        }
        nudge.closeUnsafe()
        const again = yield* Effect.catchCause(Effect.uninterruptible(run(round)), (cause) => {
          const error = Option.getOrUndefined(Cause.findErrorOption(cause))
          if (isPassing(error)) {
            return Effect.logWarning("A queue could not be looked at", cause).pipe(
              Effect.andThen(Effect.sleep(Duration.min(pollInterval, Duration.millis(500)))),
              Effect.as(true)
            )
          }
          // it will not pass: whoever waits must know
          const failure = errorOf("Failed to take from a persisted queue")(error ?? Cause.squash(cause))
          return Effect.as(
            Effect.forEach(takers.splice(0), ({ deferred }) => Deferred.fail(deferred, failure)),
            true
          )
        })
        if (!again) yield* Effect.race(nudge.await, Effect.sleep(pollInterval))
      }
    }).pipe(Effect.forkScoped, Effect.interruptible)

    yield* Effect.scoped(Effect.gen(function*() {
      const events = yield* topicOf(name).subscribe()
      yield* nudge.open
      yield* Stream.runForEach(events, () => nudge.open)
    })).pipe(
      run,
      Effect.catchCause((cause) => {
        const error = Option.getOrUndefined(Cause.findErrorOption(cause))
        return isRedisServiceError(error) && error.reason._tag === "Unsupported"
          ? Effect.never
          : Effect.logWarning("A queue hears no messages for now, and looks every so often", cause)
      }),
      Effect.andThen(Effect.sleep("5 seconds")),
      Effect.forever,
      Effect.forkScoped,
      Effect.interruptible
    )

    yield* Effect.addFinalizer(() =>
      Effect.forEach(
        takers.splice(0),
        ({ deferred }) => Deferred.fail(deferred, errorOf("The layer of the queue has closed")(undefined)),
        { discard: true }
      )
    )
    return worker
  })

  const claimNext = (
    name: string,
    maxAttempts: number,
    restore: <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  ): Effect.Effect<Programs.Claimed, PersistedQueue.PersistedQueueError> =>
    Effect.scoped(Effect.gen(function*() {
      const worker = yield* RcMap.get(workers, name)
      worker.maxAttempts = maxAttempts
      const taker: Taker = {
        deferred: yield* Deferred.make<Programs.Claimed, PersistedQueue.PersistedQueueError>(),
        claimed: undefined
      }
      worker.takers.push(taker)
      worker.isWanted.openUnsafe()
      worker.nudge.openUnsafe()
      return yield* Effect.onExit(restore(Deferred.await(taker.deferred)), (exit) => {
        if (Exit.isSuccess(exit)) return Effect.void
        const position = worker.takers.indexOf(taker)
        if (position >= 0) worker.takers.splice(position, 1)
        return taker.claimed === undefined
          ? Effect.void
          : settle(taker.claimed, Programs.release(taker.claimed, wake(name)))
      })
    }))

  const take: Store["take"] = (options) => {
    const { maxAttempts, name, retryDelay } = options
    const settled = (claimed: Programs.Claimed, exit: Exit.Exit<unknown, unknown>): Effect.Effect<void> => {
      if (Exit.isSuccess(exit)) return settle(claimed, Programs.complete(claimed))
      const dead = deadLetterOf(exit.cause)
      if (dead !== undefined) return settle(claimed, Programs.fail(claimed, dead))
      if (Cause.hasInterruptsOnly(exit.cause)) return settle(claimed, Programs.release(claimed, wake(name)))
      if (claimed.attempts >= maxAttempts) return settle(claimed, Programs.fail(claimed, exit.cause))
      return Effect.flatMap(
        retryDelay(claimed.attempts),
        (delay) => settle(claimed, Programs.retry(claimed, Duration.toMillis(delay), exit.cause, wake(name)))
      )
    }
    const next: Effect.Effect<
      { readonly id: string; readonly attempts: number; readonly element: unknown },
      PersistedQueue.PersistedQueueError,
      Scope.Scope
    > = Effect.uninterruptibleMask((restore) =>
      Effect.flatMap(claimNext(name, maxAttempts, restore), (claimed) => {
        const { attempts, element, id } = claimed
        let parsed: unknown
        try {
          parsed = element === "" ? undefined : JSON.parse(element)
        } catch (defect) {
          // what can't be parsed now never can
          return Effect.andThen(settle(claimed, Programs.fail(claimed, Cause.die(defect))), restore(next))
        }
        return Effect.as(
          Effect.addFinalizer((exit) => settled(claimed, exit)),
          { id, attempts, element: parsed }
        )
      })
    )
    return Effect.andThen(
      Effect.mapError(checkName(name), errorOf("Failed to take from a persisted queue")),
      next
    )
  }

  const offer: Store["offer"] = (options) =>
    Effect.gen(function*() {
      const { name } = options
      yield* checkName(name)
      const wasRegistered = registered.has(name)
      if (!wasRegistered) yield* register(name)
      const { isNewQueue } = yield* Programs.offerProgram(options, wake(name))
      // all was removed since this process has put it into the list
      if (isNewQueue && wasRegistered) yield* register(name)
    }).pipe(run, Effect.mapError(errorOf("Failed to offer an element to a persisted queue")))

  const cleanup: Store["cleanup"] = ({ failedTimeToLive, timeToLive }) =>
    Effect.gen(function*() {
      const all = yield* Programs.Queues.find("all")
      const names = Option.match(all, { onNone: () => [], onSome: ({ names }) => [...names] })
      const completedMillis = Duration.toMillis(timeToLive)
      const failedMillis = failedTimeToLive === undefined ? Infinity : Duration.toMillis(failedTimeToLive)
      for (const name of names) {
        if (completedMillis < Infinity) {
          while ((yield* Programs.forgetCompleted(name, completedMillis)) >= Programs.batchSize);
        }
        if (failedMillis < Infinity) {
          let size = Programs.batchSize
          while (size >= Programs.batchSize) {
            const ids = (yield* Programs.failedBefore(name, failedMillis)).map(({ member }) => member)
            yield* Programs.forgetFailed(name, ids, failedMillis)
            size = ids.length
          }
        }
      }
    }).pipe(run, Effect.mapError(errorOf("Failed to clean up persisted queues")))

  return PersistedQueue.PersistedQueueStore.of({ offer, take, cleanup })
})

/**
 * Provides the store of Effect's `PersistedQueue` over any service. Building it fails with `InvalidOption`.
 *
 * **When to use**
 *
 * Use for work that must outlive the process and is shared by several workers, with `PersistedQueue.layer` of Effect.
 *
 * **Details**
 *
 * - First in, first out. An item whose worker has died, or was interrupted, comes back to its place; one that has failed goes behind the
 *   others. A delayed item has the place of its offer.
 * - A taken item belongs to its taker for `lockExpiration` after the last renewal, by the server's clock. A process that is alive renews. Each claim has a
 *   token, so a worker that was frozen for longer can't end the claim of another one.
 * - An offer is one round trip, a take two, and its end one. An offer wakes the takers of other processes by a message; if it is lost,
 *   they look after `pollInterval`. O(log n) on the server; no program looks at more than 200 items.
 * - All keys of a queue are in the slot of its name, so it works on a cluster.
 * - Fails with `PersistedQueueError`, whose `cause` is the `RedisServiceError` or the domain error. So does a name, or an id, that is empty, ill-formed
 *   or longer than 1,024 bytes, and an element whose JSON is longer than the `maximumValueBytes` of the service. While there is no server, takers wait.
 *
 * **Gotchas**
 *
 * - Delivery is at least once, so the work must be idempotent: a worker may die after it and before it has said so.
 * - Ids of yours are remembered until `PersistedQueue.layerCleanup` removes them. Run it in one process.
 *
 * **Example** (A failed attempt, and another one)
 *
 * ```ts run
 * import { Effect, Layer, Schedule, Schema } from "effect"
 * import { PersistedQueue } from "effect/persistence"
 * import { EffectPersistedQueue, RedisService } from "redlayer"
 *
 * const program = Effect.gen(function*() {
 *   const queue = yield* PersistedQueue.make({
 *     name: "mail",
 *     schema: Schema.Struct({ to: Schema.String }),
 *     retrySchedule: Schedule.spaced(0)
 *   })
 *   yield* queue.offer({ to: "ann" })
 *   const send = queue.take(({ to }, { attempts }) =>
 *     attempts === 1 ? Effect.fail("no connection" as const) : Effect.succeed(`${to} at attempt ${attempts}`)
 *   )
 *   const failure = yield* Effect.flip(send)
 *   return [failure, yield* send]
 * })
 *
 * const Live = PersistedQueue.layer.pipe(
 *   Layer.provide(EffectPersistedQueue.layer()),
 *   Layer.provide(RedisService.layerMemory)
 * )
 *
 * await Effect.runPromise(Effect.provide(program, Live)) // => ["no connection", "ann at attempt 2"]
 * ```
 *
 * @stability experimental
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  options: Options = {}
): Layer.Layer<PersistedQueue.PersistedQueueStore, RedisServiceError, RedisService> =>
  Layer.effect(PersistedQueue.PersistedQueueStore, make(options))
