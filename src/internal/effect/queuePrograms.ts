/**
 * The programs of `EffectPersistedQueue`: each is one round trip, looks at no more than `batchSize` items, and has its keys in the slot of the
 * queue, but for the list of all names.
 *
 * A part of the public module: it imports public modules, and no room imports it.
 */
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import type * as PersistedQueue from "effect/persistence/PersistedQueue"
import * as Schema from "effect/Schema"
import * as Atomic from "../../Atomic.ts"
import * as Condition from "../../Condition.ts"
import * as Model from "../../Model.ts"

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

/**
 * The names of all queues, for what has no name: cleaning up.
 *
 * @internal
 */
export const Queues = Model.make("EffectQueues", {
  id: Schema.Literal("all"),
  names: Schema.ReadonlySet(Schema.String)
}, { key: "id" })

/** @internal */
export interface Claim {
  readonly name: string
  readonly id: string
  readonly token: string
}

/** @internal */
export interface Claimed extends Claim {
  readonly element: string
  readonly isCustomId: boolean
  readonly attempts: number
}

type Offer = Parameters<PersistedQueue.PersistedQueueStore["Service"]["offer"]>[0]

/** A failure may be as long as its values. */
const textOf = (cause: Cause.Cause<unknown>): string => Cause.pretty(cause).slice(0, 10_000).toWellFormed()

const now = Atomic.now.epochMillis

/**
 * How many due items are looked at in one program, and how many records one program of the cleanup removes.
 *
 * @internal
 */
export const batchSize = 200

/**
 * How many items one look claims at most, because each may have a megabyte.
 *
 * @internal
 */
export const claimSize = 16

/** Later than any date, and still a score: for items that wait for ever. */
const never = 8.64e15

/** @internal */
export const registerPrograms = (name: string) =>
  Atomic.andThen(Queues.ensure({ id: "all", names: new Set() }), Queues.ref("all").names.add(name))

/** @internal */
export const offerProgram = (
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

/**
 * The ids of the items that are due, and of the first ones that may be taken.
 *
 * @internal
 */
export const look = (name: string, size: number) => {
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

/**
 * Items whose delay or lease has ended have their place again. A lease that ended with the last attempt is a failure.
 *
 * @internal
 */
export const recover = (name: string, ids: ReadonlyArray<string>, maxAttempts: number) => {
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

/** @internal */
export const claim = (name: string, id: string, token: string, lease: number, maxAttempts: number) => {
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

/**
 * Runs a program if the item still has the claim. Returns whether it had.
 *
 * @internal
 */
export const ifClaimed = <A, E>({ id, name, token }: Claim, program: Atomic.Atomic<A, E>) =>
  Atomic.if(Condition.and(Item.exists([name, id]), Item.ref([name, id]).claim.eq(token)), {
    onTrue: Atomic.as(program, true),
    onFalse: Atomic.succeed(false)
  })

/** @internal */
export const complete = (claim: Claimed) => {
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

/** @internal */
export const fail = (claim: Claimed, cause: Cause.Cause<unknown>) =>
  ifClaimed(
    claim,
    Atomic.andThen(
      Queue.ref(claim.name).due.remove(claim.id),
      failProgram(claim.name, claim.id, textOf(cause))
    )
  )

/**
 * The item waits behind all others, and not before the delay has passed.
 *
 * @internal
 */
export const retry = (
  claim: Claimed,
  delay: number,
  cause: Cause.Cause<unknown>,
  wake: Atomic.Atomic<void, unknown>
) => {
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

/**
 * The item has its place again, and the attempt does not count.
 *
 * @internal
 */
export const release = (claim: Claim, wake: Atomic.Atomic<void, unknown>) => {
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

/** @internal */
export const renew = (claim: Claim, lease: number) =>
  ifClaimed(claim, Queue.ref(claim.name).due.add(claim.id, now.plus(lease)))

/**
 * Forgets the first completed items that are old enough. Returns their number: if it is `batchSize` there may be more.
 *
 * @internal
 */
export const forgetCompleted = (name: string, millis: number) => {
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

/** @internal */
export const failedBefore = (name: string, millis: number) =>
  Atomic.if(Queue.exists(name), {
    onTrue: Queue.ref(name).failed.rangeByScore({ max: now.minus(millis), limit: batchSize }),
    onFalse: Atomic.succeed([])
  })

/** @internal */
export const forgetFailed = (name: string, ids: ReadonlyArray<string>, millis: number) => {
  const { failed } = Queue.ref(name)
  return Atomic.forEach(ids, (id) =>
    Atomic.when(
      Atomic.andThen(failed.remove(id), Item.delete([name, id])),
      failed.score(id).lte(now.minus(millis))
    ))
}
