/**
 * Locks, and entities that are modified: what is held, where there is a guard, and what each fails with and needs.
 */
import { Data, Duration, Effect, type Option, Schedule, Schema, type Scope } from "effect"
import { Atomic, type DomainError, Lock, Model, type RedisService } from "redlayer"
import { type Equals, holds } from "./equals.ts"
import type { Failed, Invalid } from "./errors.ts"

type Acquiring = Invalid | DomainError.LockTimeout | Failed
type Reading = DomainError.EntityNotFound | DomainError.EntityCorrupted | Invalid | Failed
type Service = RedisService.RedisService

class Own extends Data.TaggedError("Own")<{ readonly why: string }> {}
class Database extends Data.TaggedError("Database")<{}> {}
declare const query: Effect.Effect<number, Own, Scope.Scope>
declare const failing: Effect.Effect<never, Own>

class User extends Model.Class<User>("types/locks/User")({
  name: Schema.String,
  age: Schema.Int.pipe(Model.withDefault(0)),
  nick: Schema.optionalKey(Schema.String)
}, { key: "name" }) {
  get adult() {
    return this.age >= 18
  }
}
const Plain = Model.make("types/locks/Plain", { id: Schema.Int, n: Schema.Int }, { key: "id" })
const on = User.ref("alice")

// -- what is held ---------------------------------------------------------------------------------------------------------

const named = Lock.acquire("x")
holds<Equals<typeof named, Effect.Effect<Lock.Handle, Acquiring, Service | Scope.Scope>>>()
const timed = Lock.acquire("x", { lease: "10 seconds", wait: Duration.infinity, renew: false, mode: { permits: 3 } })
holds<Equals<typeof timed, typeof named>>()
const onEntity = Lock.acquire("x", { on, mode: "shared" })
holds<Equals<typeof onEntity, Effect.Effect<Lock.EntityHandle, Acquiring, Service | Scope.Scope>>>()
holds<Equals<Effect.Success<ReturnType<typeof guarded>>, void>>()
const guarded = (held: Lock.EntityHandle) => held.guard
holds<Equals<ReturnType<typeof guarded>, Atomic.Atomic<void, DomainError.LockLost>>>()
// a guard needs the slot of what it guards
// @ts-expect-error
void Effect.map(named, ({ guard }) => guard)
// @ts-expect-error
void Lock.withLock("x", ({ guard }) => guard)
// @ts-expect-error
void Lock.withLock("x", ({ guard }) => guard, { lease: "1 second" })
const guardedSet = Lock.withLock("x", ({ guard }) => guard.pipe(Atomic.andThen(on.age.increment())), { on })
holds<
  Equals<
    typeof guardedSet,
    Effect.Effect<
      number,
      | Acquiring
      | DomainError.LockLost
      | DomainError.EntityNotFound
      | DomainError.ArithmeticError
      | DomainError.OutOfBounds,
      Service
    >
  >
>()
const optionsOn = { on, lease: "1 second" } as const
const heldOn = Lock.acquire("x", optionsOn)
holds<Equals<Effect.Success<typeof heldOn>, Lock.EntityHandle>>()
// what is on an entity is held as any other is
void ((held: Lock.EntityHandle) => held satisfies Lock.Handle)

const tried = Lock.tryAcquire("x")
holds<Equals<typeof tried, Effect.Effect<Option.Option<Lock.Handle>, Invalid | Failed, Service | Scope.Scope>>>()
const triedOn = Lock.tryAcquire("x", { on })
holds<
  Equals<typeof triedOn, Effect.Effect<Option.Option<Lock.EntityHandle>, Invalid | Failed, Service | Scope.Scope>>
>()

declare const held: Lock.Handle
holds<Equals<typeof held.token, number>>()
holds<Equals<typeof held.check, Effect.Effect<void, DomainError.LockLost>>>()
holds<Equals<typeof held.lost, Effect.Effect<never, DomainError.LockLost>>>()
const protectedQuery = held.protect(query)
holds<Equals<typeof protectedQuery, Effect.Effect<number, Own | DomainError.LockLost, Scope.Scope>>>()
const protectedFailure = held.protect(failing)
holds<Equals<typeof protectedFailure, Effect.Effect<never, Own | DomainError.LockLost>>>()

// -- options --------------------------------------------------------------------------------------------------------------

// @ts-expect-error
void Lock.acquire("x", { mode: "exclusively" })
// @ts-expect-error
void Lock.acquire("x", { mode: { permit: 3 } })
// @ts-expect-error
void Lock.acquire("x", { timeout: "1 second" })
// @ts-expect-error: a model is no reference
void Lock.acquire("x", { on: "User:alice" })
// @ts-expect-error
void Lock.acquire({ name: "x" })
// @ts-expect-error
void Lock.acquire()
// @ts-expect-error: one that is on an entity has it as its target
void Lock.acquireAll(["x"], { on })

// -- several --------------------------------------------------------------------------------------------------------------

const several = Lock.acquireAll(["a", { name: "b", on }, { name: "c" }, { name: "d", on: Plain.ref(1) }])
holds<
  Equals<
    typeof several,
    Effect.Effect<
      readonly [Lock.Handle, Lock.EntityHandle, Lock.Handle, Lock.EntityHandle],
      Acquiring,
      Service | Scope.Scope
    >
  >
>()
declare const names: ReadonlyArray<string>
const all = Lock.acquireAll(names, { wait: 0 })
holds<Equals<Effect.Success<typeof all>, ReadonlyArray<Lock.Handle>>>()
declare const targets: ReadonlyArray<{ readonly name: string; readonly on: Model.Ref }>
const allOn = Lock.acquireAll(targets)
holds<Equals<Effect.Success<typeof allOn>, ReadonlyArray<Lock.EntityHandle>>>()
// whether each is on an entity is not known
declare const some: ReadonlyArray<Lock.Target>
const allSome = Lock.acquireAll(some)
holds<Equals<Effect.Success<typeof allSome>, ReadonlyArray<Lock.Handle>>>()

const together = Lock.withLocks([{ name: "a", on }, "b"], ([{ guard }, { token }]) => Effect.as(guard, token))
holds<Equals<typeof together, Effect.Effect<number, Acquiring | DomainError.LockLost, Service>>>()
// @ts-expect-error: the second has none
void Lock.withLocks([{ name: "a", on }, "b"], ([, { guard }]) => guard)
// @ts-expect-error: there is no third
void Lock.withLocks(["a", "b"], ([, , third]) => Effect.succeed(third))

// -- running --------------------------------------------------------------------------------------------------------------

const running = Lock.withLock("x", () => query)
holds<
  Equals<typeof running, Effect.Effect<number, Own | Acquiring | DomainError.LockLost, Service | Scope.Scope>>
>()
// @ts-expect-error: an effect, and no value
void Lock.withLock("x", () => 5)

// -- modify ---------------------------------------------------------------------------------------------------------------

const modified = User.modify("alice", (user) => {
  holds<Equals<typeof user, User>>()
  holds<Equals<typeof user.adult, boolean>>()
  return { ...user, age: user.age + 1 }
})
holds<Equals<typeof modified, Effect.Effect<User, Reading | DomainError.Conflict, Service>>>()
const effectful = User.modify("alice", (user) => Effect.map(query, (age) => new User({ ...user, age })))
holds<Equals<typeof effectful, Effect.Effect<User, Reading | DomainError.Conflict | Own, Service | Scope.Scope>>>()
// what the constructor fills in may be left out
void User.modify("alice", ({ name }) => ({ name }))
const plain = Plain.modify(1, (plain) => plain)
holds<Equals<Effect.Success<typeof plain>, { readonly id: number; readonly n: number }>>()
// @ts-expect-error: a required field
void Plain.modify(1, ({ id }) => ({ id }))
// @ts-expect-error
void Plain.modify(1, (plain) => ({ ...plain, n: "1" }))
// @ts-expect-error
void Plain.modify(1, (plain) => Effect.succeed({ ...plain, n: "1" }))
// @ts-expect-error: nothing is no entity
void Plain.modify(1, () => {})
// @ts-expect-error
void Plain.modify("1", (plain) => plain)
const scheduled = Plain.modify(1, (plain) => plain, { schedule: Schedule.recurs(3) })
holds<Equals<typeof scheduled, typeof plain>>()
void Plain.modify(1, (plain) => plain, {
  schedule: Schedule.recurs(3).pipe(
    Schedule.setInputType<DomainError.Conflict>(),
    Schedule.while(({ input }) => input.reason === "version")
  )
})
declare const needing: Schedule.Schedule<number, unknown, never, Scope.Scope>
const needed = Plain.modify(1, (plain) => plain, { schedule: needing })
holds<Equals<Effect.Services<typeof needed>, Service | Scope.Scope>>()
declare const broken: Schedule.Schedule<number, unknown, Database>
// @ts-expect-error: a schedule that fails would fail it with an error that it doesn't tell of
void Plain.modify(1, (plain) => plain, { schedule: broken })

// -- entities under a lock ------------------------------------------------------------------------------------------------

type Locking = Reading | DomainError.Conflict | DomainError.LockLost | DomainError.LockTimeout

const saved = User.withLock("alice", (user, held) => {
  holds<Equals<typeof user, User>>()
  holds<Equals<typeof held, Lock.EntityHandle>>()
  return Effect.succeed({ ...user, age: 5 })
}, { name: "age", lease: "1 second", wait: 0 })
holds<Equals<typeof saved, Effect.Effect<User, Locking, Service>>>()
const nothing = User.withLock("alice", (_, { guard }) => Effect.asVoid(guard.pipe(Atomic.andThen(on.age.set(1)))))
holds<Equals<typeof nothing, Effect.Effect<void, Locking, Service>>>()
const maybe = User.withLock("alice", (user) => Effect.map(query, (n) => n > 1 ? user : undefined))
holds<Equals<typeof maybe, Effect.Effect<User | void, Locking | Own, Service | Scope.Scope>>>()
const never = User.withLock("alice", () => failing)
holds<Equals<typeof never, Effect.Effect<never, Locking | Own, Service>>>()
// @ts-expect-error: a lock of it that is on something else
void User.withLock("alice", Effect.succeed, { on })
// @ts-expect-error
void User.withLock("alice", () => Effect.succeed(5))
// @ts-expect-error
void User.withLock("alice", (user) => user)
