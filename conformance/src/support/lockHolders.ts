/** Helpers for the checks on locks: an entity, and fibers that hold a lock until they are asked to release it. */
import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as DomainError from "redlayer/DomainError"
import * as Lock from "redlayer/Lock"
import * as Model from "redlayer/Model"
import type * as RedisServiceError from "redlayer/RedisServiceError"
import { RawStore } from "redlayer/testing"
import * as assert from "../assert.ts"
import { eventually } from "../assertions.ts"

export class Account extends Model.Class<Account>("LockAccount")({
  id: Schema.String,
  n: Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)),
  word: Schema.String.pipe(Model.withDefault("")),
  log: Schema.Array(Schema.String).pipe(Model.withDefault([]))
}, { key: "id" }) {
  get double() {
    return this.n * 2
  }
}

export const keyOf = (id: string) => `LockAccount:{${id}}`
export const lockOf = (id: string, name = "") => `${keyOf(id)}:$lock:${name}`

export class OwnError extends Data.TaggedError("Own")<{ readonly why: string }> {}

export type Failure = DomainError.InvalidValue | DomainError.LockTimeout | RedisServiceError.RedisServiceError

/** Runs the effect in another fiber, which holds no lock. */
export const inAnotherFiber = <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.flatMap(Effect.forkChild(self), Fiber.join)

export const isFree = (name: string, options?: Lock.Options & { readonly on?: Model.Ref }) =>
  inAnotherFiber(Effect.scoped(Effect.map(Lock.tryAcquire(name, options as Lock.Options), Option.isSome)))

export const isFreeOn = (id: string, name = "") => isFree(name, { on: Account.ref(id) })

/** Starts a fiber that acquires the lock and holds it until `leave` runs. */
export const requestLock = Effect.fnUntraced(function*<A, E, R>(acquire: Effect.Effect<A, E, R>) {
  const taken = yield* Deferred.make<A, E>()
  const done = yield* Deferred.make<void>()
  const fiber = yield* Effect.forkChild(Effect.scoped(
    Effect.gen(function*() {
      yield* Effect.onExit(
        Effect.tap(acquire, (held) => Deferred.succeed(taken, held)),
        (exit) => Deferred.done(taken, exit)
      )
      yield* Deferred.await(done)
    })
  ))
  return {
    held: Deferred.await(taken),
    leave: Effect.andThen(Deferred.succeed(done, undefined), Fiber.join(fiber)),
    interrupt: Fiber.interrupt(fiber)
  }
})

/** Like `holder`, but waits until the fiber holds the lock. */
export const holdLock = Effect.fnUntraced(function*<A, E, R>(acquire: Effect.Effect<A, E, R>) {
  const other = yield* requestLock(acquire)
  return { ...other, held: yield* other.held }
})

/** Waits for the next millisecond, because requests of one millisecond have no order in memory. */
export const nextMillisecond = Effect.flatMap(
  Clock.currentTimeMillis,
  (begun) => eventually(Effect.map(Clock.currentTimeMillis, (now) => now > begun))
)

/** Waits until this many requests are in the queue of the lock, and for the next millisecond. */
export const untilWaiting = (key: string, count: number) =>
  eventually(Effect.gen(function*() {
    const raw = yield* RawStore
    const queue = (yield* raw.dump)[`${key}:$queue`]?.content ?? []
    return queue.length === count * 2
  })).pipe(Effect.andThen(nextMillisecond))

export const storedEntity = Effect.fnUntraced(function*(id: string) {
  const raw = yield* RawStore
  return Object.fromEntries(
    Object.entries(yield* raw.dump).filter(([key]) => key.startsWith(keyOf(id)) && !key.includes("$"))
  )
})

/** Asserts that the stored entity does not change. Its locks may. */
export const entityUnchanged = Effect.fnUntraced(function*<A, E, R>(id: string, self: Effect.Effect<A, E, R>) {
  const before = yield* storedEntity(id)
  const result = yield* self
  assert.deepEqual(yield* storedEntity(id), before)
  return result
})
