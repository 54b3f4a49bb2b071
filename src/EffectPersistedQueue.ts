/**
 * The store of Effect's own `PersistedQueue` (`effect/persistence/PersistedQueue`), on one server, on a cluster and in memory. Effect's
 * module is marked unstable, and so is this one.
 *
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
import * as Condition from "./Condition.ts"
import { check, invalidOf, millisOf } from "./internal/options.ts"
import { RedisService } from "./internal/service.ts"
import * as Model from "./Model.ts"
import { isRedisServiceError, type RedisServiceError } from "./RedisServiceError.ts"
import * as Topic from "./Topic.ts"

// A queue and its items are in the slot of its name.

/** The ids of the items of a queue by their state. An item is in one of these sets. */
const Queue = Model.make("EffectQueue", {
  name: Schema.String,
  /** The last place that was given. */
  last: Schema.Int,
  /** Items that may be taken, by their place. */
  ready: Model.sortedSet(Schema.String),
  /** Items that may not be taken until a time: delayed ones, and those that are claimed, whose lease ends then. */
  due: Model.sortedSet(Schema.String),
  /** Ids of completed items, by the time. The items are deleted. */
  completed: Model.sortedSet(Schema.String),
  /** Items that have failed, by the time. */
  failed: Model.sortedSet(Schema.String)
}, { key: "name" })

const Item = Model.make("EffectQueueItem", {
  queue: Schema.String,
  id: Schema.String,
  /** JSON, or empty for `undefined`, which JSON lacks. */
  element: Schema.String,
  isCustomId: Schema.Boolean,
  place: Schema.Int,
  attempts: Schema.Int,
  /** The token of the claim, or empty. */
  claim: Schema.String,
  lastFailure: Schema.String
}, { key: ["queue", "id"], slot: "queue" })

/** The names of all queues, for what has no name: cleaning up. */
const Queues = Model.make("EffectQueues", {
  id: Schema.Literal("all"),
  names: Schema.ReadonlySet(Schema.String)
}, { key: "id" })

const now = Atomic.now.epochMillis

/** How many due items are looked at in one program, and how many records one program of the cleanup removes. */
const batchSize = 200

/** How many items one look claims at most, because each may have a megabyte. */
const claimSize = 16

/** Later than any date, and still a score: for items that wait for ever. */
const never = 8.64e15

const registerPrograms = (name: string) =>
  Atomic.andThen(Queues.ensure({ id: "all", names: new Set() }), Queues.ref("all").names.add(name))

const offerProgram = (
  { delay, element, id, isCustomId, name }: Offer,
  wake: Atomic.Atomic<void, unknown>
) => {
  const queue = Queue.ref(name)
  const item = Item.ref([name, id])
  const isNew = Condition.not(Item.exists([name, id]))
  return Atomic.all({
    isNewQueue: Queue.ensure({ name, last: 0, ready: [], due: [], completed: [], failed: [] }),
    offered: Atomic.when(
      Atomic.all([
        queue.last.increment(),
        Item.insert({
          queue: name,
          id,
          element: element === undefined ? "" : JSON.stringify(element),
          isCustomId,
          place: 0,
          attempts: 0,
          claim: "",
          lastFailure: ""
        }),
        item.place.set(queue.last.value()),
        delay === undefined
          ? Atomic.andThen(queue.ready.add(id, queue.last.value()), wake)
          : queue.due.add(id, now.plus(Math.min(Math.ceil(Duration.toMillis(delay)), never)))
      ]),
      isCustomId ? Condition.and(isNew, Condition.not(queue.completed.has(id))) : isNew
    )
  })
}

/** The ids of the items that are due, and of the first ones that may be taken. */
const look = (name: string, size: number) => {
  const { due, ready } = Queue.ref(name)
  return Atomic.if(Queue.exists(name), {
    onTrue: Atomic.all({ due: due.rangeByScore({ max: now, limit: batchSize }), ready: ready.range(0, size) }),
    onFalse: Atomic.succeed({ due: [], ready: [] })
  })
}

const failProgram = (name: string, id: string, message: string) => {
  const item = Item.ref([name, id])
  return Atomic.all([item.claim.set(""), item.lastFailure.set(message), Queue.ref(name).failed.add(id, now)])
}

/** Items whose delay or lease has ended have their place again. A lease that ended with the last attempt is a failure. */
const recover = (name: string, ids: ReadonlyArray<string>, maxAttempts: number) => {
  const { due, ready } = Queue.ref(name)
  return Atomic.forEach(ids, (id) => {
    const item = Item.ref([name, id])
    const comeBack = Atomic.if(Condition.and(item.claim.neq(""), item.attempts.gte(maxAttempts)), {
      onTrue: failProgram(name, id, "The lease ended in the last attempt"),
      onFalse: Atomic.andThen(item.claim.set(""), ready.add(id, item.place.value()))
    })
    return Atomic.when(
      Atomic.andThen(due.remove(id), Atomic.when(comeBack, Item.exists([name, id]))),
      due.score(id).lte(now)
    )
  })
}

const claim = (name: string, id: string, token: string, lease: number, maxAttempts: number) => {
  const { due, ready } = Queue.ref(name)
  const item = Item.ref([name, id])
  const take = Atomic.andThen(
    Atomic.all([due.add(id, now.plus(lease)), item.attempts.increment(), item.claim.set(token)]),
    Item.get([name, id])
  )
  const orFail = Atomic.if(item.attempts.lt(maxAttempts), {
    onTrue: take,
    onFalse: Atomic.as(failProgram(name, id, "There was no attempt left"), undefined)
  })
  return Atomic.if(ready.has(id), {
    onTrue: Atomic.andThen(
      ready.remove(id),
      Atomic.if(Item.exists([name, id]), { onTrue: orFail, onFalse: Atomic.succeed(undefined) })
    ),
    onFalse: Atomic.succeed(undefined)
  })
}

/** Runs a program if the item still has the claim. Returns whether it had. */
const ifClaimed = <A, E>({ id, name, token }: Claim, program: Atomic.Atomic<A, E>) =>
  Atomic.if(Condition.and(Item.exists([name, id]), Item.ref([name, id]).claim.eq(token)), {
    onTrue: Atomic.as(program, true),
    onFalse: Atomic.succeed(false)
  })

const complete = (claim: Claimed) => {
  const { completed, due } = Queue.ref(claim.name)
  return ifClaimed(
    claim,
    Atomic.all([
      due.remove(claim.id),
      Item.delete([claim.name, claim.id]),
      ...(claim.isCustomId ? [completed.add(claim.id, now)] : [])
    ])
  )
}

const fail = (claim: Claimed, cause: Cause.Cause<unknown>) =>
  ifClaimed(
    claim,
    Atomic.andThen(
      Queue.ref(claim.name).due.remove(claim.id),
      failProgram(claim.name, claim.id, textOf(cause))
    )
  )

/** The item waits behind all others, and not before the delay has passed. */
const retry = (claim: Claimed, delay: number, cause: Cause.Cause<unknown>, wake: Atomic.Atomic<void, unknown>) => {
  const { due, last, ready } = Queue.ref(claim.name)
  const item = Item.ref([claim.name, claim.id])
  return ifClaimed(
    claim,
    Atomic.all([
      last.increment(),
      item.place.set(last.value()),
      item.claim.set(""),
      item.lastFailure.set(textOf(cause)),
      delay > 0
        ? due.add(claim.id, now.plus(Math.min(Math.ceil(delay), never)))
        : Atomic.all([due.remove(claim.id), ready.add(claim.id, last.value()), wake])
    ])
  )
}

/** The item has its place again, and the attempt does not count. */
const release = (claim: Claim, wake: Atomic.Atomic<void, unknown>) => {
  const { due, ready } = Queue.ref(claim.name)
  const item = Item.ref([claim.name, claim.id])
  return ifClaimed(
    claim,
    Atomic.all([
      due.remove(claim.id),
      ready.add(claim.id, item.place.value()),
      item.attempts.decrement(),
      item.claim.set(""),
      wake
    ])
  )
}

const renew = (claim: Claim, lease: number) =>
  ifClaimed(claim, Queue.ref(claim.name).due.add(claim.id, now.plus(lease)))

/** Forgets the first completed items that are old enough. Returns their number: if it is `batchSize` there may be more. */
const forgetCompleted = (name: string, millis: number) => {
  const { completed } = Queue.ref(name)
  const max = now.minus(millis)
  return Atomic.if(Condition.and(Queue.exists(name), completed.count({ max }).gte(batchSize)), {
    onTrue: completed.removeRangeByRank(0, batchSize),
    onFalse: Atomic.if(Queue.exists(name), {
      onTrue: completed.removeRangeByScore({ max }),
      onFalse: Atomic.succeed(0)
    })
  })
}

const failedBefore = (name: string, millis: number) =>
  Atomic.if(Queue.exists(name), {
    onTrue: Queue.ref(name).failed.rangeByScore({ max: now.minus(millis), limit: batchSize }),
    onFalse: Atomic.succeed([])
  })

const forgetFailed = (name: string, ids: ReadonlyArray<string>, millis: number) => {
  const { failed } = Queue.ref(name)
  return Atomic.forEach(ids, (id) =>
    Atomic.when(
      Atomic.andThen(failed.remove(id), Item.delete([name, id])),
      failed.score(id).lte(now.minus(millis))
    ))
}

type Store = PersistedQueue.PersistedQueueStore["Service"]
type Offer = Parameters<Store["offer"]>[0]

interface Claim {
  readonly name: string
  readonly id: string
  readonly token: string
}

interface Claimed extends Claim {
  readonly element: string
  readonly isCustomId: boolean
  readonly attempts: number
}

interface Taker {
  readonly deferred: Deferred.Deferred<Claimed, PersistedQueue.PersistedQueueError>
  /** What was given to it, also if it was interrupted before it could see it. */
  claimed: Claimed | undefined
}

/** A failure may be as long as its values. */
const textOf = (cause: Cause.Cause<unknown>): string => Cause.pretty(cause).slice(0, 10_000).toWellFormed()

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
  const register = (name: string) => Effect.tap(registerPrograms(name), () => Effect.sync(() => registered.add(name)))

  const held = new Set<Claimed>()

  // what a claim is settled with may be sent again, because the claim is gone after the first time
  const settleSchedule = Schedule.min([Schedule.exponential(200, 1.5), Schedule.spaced(5000)]).pipe(
    Schedule.upTo({ duration: lease })
  )
  const settle = <E>(claim: Claimed, program: Atomic.Atomic<boolean, E>): Effect.Effect<void> =>
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
      const exits = yield* run(Atomic.pipeline(Array.from(held, (claim) => renew(claim, lease))))
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

    const give = (claimed: Claimed) => {
      held.add(claimed)
      const taker = takers.shift()
      if (taker === undefined) return settle(claimed, release(claimed, wake(name)))
      taker.claimed = claimed
      return Deferred.succeed(taker.deferred, claimed)
    }

    /** Returns whether it is worth looking again at once. */
    const round = Effect.gen(function*() {
      const size = Math.min(takers.length, claimSize)
      if (size === 0) return true
      const { maxAttempts } = worker
      const { due, ready } = yield* look(name, size)
      if (due.length > 0) {
        yield* recover(name, due.map(({ member }) => member), maxAttempts)
        return true
      }
      const token = SecureRandom.uuidV4Unsafe()
      const exits = yield* Atomic.pipeline(
        ready.map(({ member }) => claim(name, member, token, lease, maxAttempts))
      )
      for (const [i, exit] of exits.entries()) {
        if (Exit.isFailure(exit)) {
          // it may be claimed, for nobody
          yield* release({ name, id: ready[i]!.member, token }, wake(name)).pipe(
            Effect.retry({ schedule: Schedule.spaced(200), times: 5, while: isPassing }),
            Effect.ignore,
            Effect.forkIn(scope)
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

    const scope = yield* Effect.scope

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
  ): Effect.Effect<Claimed, PersistedQueue.PersistedQueueError> =>
    Effect.scoped(Effect.gen(function*() {
      const worker = yield* RcMap.get(workers, name)
      worker.maxAttempts = maxAttempts
      const taker: Taker = {
        deferred: yield* Deferred.make<Claimed, PersistedQueue.PersistedQueueError>(),
        claimed: undefined
      }
      worker.takers.push(taker)
      worker.isWanted.openUnsafe()
      worker.nudge.openUnsafe()
      return yield* Effect.onExit(restore(Deferred.await(taker.deferred)), (exit) => {
        if (Exit.isSuccess(exit)) return Effect.void
        const position = worker.takers.indexOf(taker)
        if (position >= 0) worker.takers.splice(position, 1)
        return taker.claimed === undefined ? Effect.void : settle(taker.claimed, release(taker.claimed, wake(name)))
      })
    }))

  const take: Store["take"] = (options) => {
    const { maxAttempts, name, retryDelay } = options
    const settled = (claimed: Claimed, exit: Exit.Exit<unknown, unknown>): Effect.Effect<void> => {
      if (Exit.isSuccess(exit)) return settle(claimed, complete(claimed))
      const dead = deadLetterOf(exit.cause)
      if (dead !== undefined) return settle(claimed, fail(claimed, dead))
      if (Cause.hasInterruptsOnly(exit.cause)) return settle(claimed, release(claimed, wake(name)))
      if (claimed.attempts >= maxAttempts) return settle(claimed, fail(claimed, exit.cause))
      return Effect.flatMap(
        retryDelay(claimed.attempts),
        (delay) => settle(claimed, retry(claimed, Duration.toMillis(delay), exit.cause, wake(name)))
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
          return Effect.andThen(settle(claimed, fail(claimed, Cause.die(defect))), restore(next))
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
      const { isNewQueue } = yield* offerProgram(options, wake(name))
      // all was removed since this process has put it into the list
      if (isNewQueue && wasRegistered) yield* register(name)
    }).pipe(run, Effect.mapError(errorOf("Failed to offer an element to a persisted queue")))

  const cleanup: Store["cleanup"] = ({ failedTimeToLive, timeToLive }) =>
    Effect.gen(function*() {
      const all = yield* Queues.find("all")
      const names = Option.match(all, { onNone: () => [], onSome: ({ names }) => [...names] })
      const completedMillis = Duration.toMillis(timeToLive)
      const failedMillis = failedTimeToLive === undefined ? Infinity : Duration.toMillis(failedTimeToLive)
      for (const name of names) {
        if (completedMillis < Infinity) {
          while ((yield* forgetCompleted(name, completedMillis)) >= batchSize);
        }
        if (failedMillis < Infinity) {
          let size = batchSize
          while (size >= batchSize) {
            const ids = (yield* failedBefore(name, failedMillis)).map(({ member }) => member)
            yield* forgetFailed(name, ids, failedMillis)
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
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  options: Options = {}
): Layer.Layer<PersistedQueue.PersistedQueueStore, RedisServiceError, RedisService> =>
  Layer.effect(PersistedQueue.PersistedQueueStore, make(options))
