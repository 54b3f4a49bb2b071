/**
 * Programs that run alone and wholly, or not at all. An `Atomic` is a value: nothing happens until it is committed, by
 * yielding it or by `Atomic.commit`, and then all of it travels in one round trip. Programs compose into larger programs.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import { dual } from "effect/Function"
import type * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import type * as Types from "effect/Types"
import { type Condition, isCondition } from "./Condition.ts"
import type { Conflict, EntityCorrupted, EntityNotFound, InvalidValue } from "./DomainError.ts"
import * as Internal from "./internal/program/atomic.ts"
import * as Commit from "./internal/program/commit.ts"
import * as Explain from "./internal/program/explain.ts"
import type { AtomicNode, Instruct } from "./internal/program/node.ts"
import type { RedisService } from "./internal/service.ts"
import type { RedisServiceError } from "./RedisServiceError.ts"

/**
 * @category type IDs
 * @since 0.1.0
 */
export type TypeId = "~redlayer/Atomic"

/**
 * @category type IDs
 * @since 0.1.0
 */
export const TypeId: TypeId = Internal.TypeId

/**
 * A program that gives an `A`, or fails in its domain with an `E`. It is also an `Effect` of the same result: yielded, it
 * commits itself, in one round trip.
 *
 * @category models
 * @since 0.1.0
 */
export interface Atomic<out A, out E = never> extends Effect.Effect<A, E | RedisServiceError, RedisService> {
  readonly [TypeId]: {
    readonly _A: Types.Covariant<A>
    readonly _E: Types.Covariant<E>
  }
}

/**
 * @since 0.1.0
 */
export declare namespace Atomic {
  /**
   * @category utility types
   * @since 0.1.0
   */
  export type Any = Atomic<any, any>

  /**
   * The result of a program.
   *
   * @category utility types
   * @since 0.1.0
   */
  export type Success<P> = P extends Atomic<infer A, any> ? A : never

  /**
   * The domain errors of a program; its `RedisServiceError` is not among them.
   *
   * @category utility types
   * @since 0.1.0
   */
  export type Error<P> = P extends Atomic<any, infer E> ? E : never
}

const node = (self: Atomic<any, any>): AtomicNode => self as unknown as AtomicNode
const atomic = <A, E>(self: AtomicNode): Atomic<A, E> => self as unknown as Atomic<A, E>

/**
 * @category guards
 * @since 0.1.0
 */
export const isAtomic = (u: unknown): u is Atomic<unknown, unknown> => Predicate.hasProperty(u, TypeId)

/**
 * The program that only gives a value. It takes no round trip.
 *
 * @category constructors
 * @since 0.1.0
 */
export const succeed = <A>(value: A): Atomic<A> => atomic(new Internal.Succeed(value))

/**
 * Changes the result. `f` runs on the client, after the commit: nothing of the program depends on it.
 *
 * **Example** (Naming what a program gives)
 *
 * ```ts run
 * import { Effect, Schema } from "effect"
 * import { Atomic, Model, RedisService } from "redlayer"
 *
 * const Visits = Model.make("Visits", { page: Schema.String, count: Schema.Int }, { key: "page" })
 *
 * const visit = (page: string) => Visits.ref(page).count.increment().pipe(Atomic.map((count) => `visitor ${count}`))
 *
 * const program = Visits.put({ page: "/", count: 41 }).pipe(Atomic.andThen(visit("/")))
 *
 * await Effect.runPromise(program.pipe(Effect.provide(RedisService.layerMemory))) // => "visitor 42"
 * ```
 *
 * @category mapping
 * @since 0.1.0
 */
export const map: {
  <A, B>(f: (a: A) => B): <E>(self: Atomic<A, E>) => Atomic<B, E>
  <A, E, B>(self: Atomic<A, E>, f: (a: A) => B): Atomic<B, E>
} = dual(2, <A, E, B>(self: Atomic<A, E>, f: (a: A) => B): Atomic<B, E> => atomic(new Internal.Mapped(node(self), f)))

/**
 * Replaces the result by a value.
 *
 * @category mapping
 * @since 0.1.0
 */
export const as: {
  <B>(value: B): <A, E>(self: Atomic<A, E>) => Atomic<B, E>
  <A, E, B>(self: Atomic<A, E>, value: B): Atomic<B, E>
} = dual(2, <A, E, B>(self: Atomic<A, E>, value: B): Atomic<B, E> => map(self, () => value))

/**
 * One program, then another, as one: it gives the result of the second, which sees what the first has written. When either
 * fails, neither has happened. It takes a program, never a function: nothing on the client runs between two instructions.
 *
 * **Example** (Undoing the first when the second fails)
 *
 * ```ts run
 * import { Effect, Schema } from "effect"
 * import { Atomic, Model, RedisService } from "redlayer"
 *
 * const Account = Model.make("Account", {
 *   name: Schema.String,
 *   coins: Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))
 * }, { key: "name" })
 *
 * const transfer = (from: string, to: string, amount: number) =>
 *   Account.ref(to).coins.increment(amount).pipe(Atomic.andThen(Account.ref(from).coins.decrement(amount)))
 *
 * const program = Effect.gen(function*() {
 *   yield* Account.insert({ name: "alice", coins: 10 })
 *   yield* Account.insert({ name: "bob", coins: 0 })
 *   const left = yield* transfer("alice", "bob", 7)
 *   const refused = yield* Effect.flip(transfer("alice", "bob", 7))
 *   return [left, refused._tag, (yield* Account.get("bob")).coins]
 * })
 *
 * await Effect.runPromise(program.pipe(Effect.provide(RedisService.layerMemory))) // => [3, "OutOfBounds", 7]
 * ```
 *
 * @category sequencing
 * @since 0.1.0
 */
export const andThen: {
  <B, E2>(that: Atomic<B, E2>): <A, E>(self: Atomic<A, E>) => Atomic<B, E | E2>
  <A, E, B, E2>(self: Atomic<A, E>, that: Atomic<B, E2>): Atomic<B, E | E2>
} = dual(
  2,
  <A, E, B, E2>(self: Atomic<A, E>, that: Atomic<B, E2>): Atomic<B, E | E2> =>
    atomic(new Internal.AndThen(node(self), node(that), false))
)

/**
 * @since 0.1.0
 */
export declare namespace All {
  /**
   * @category utility types
   * @since 0.1.0
   */
  export type Return<Arg> = Arg extends ReadonlyArray<Atomic.Any>
    ? Atomic<{ -readonly [K in keyof Arg]: Atomic.Success<Arg[K]> }, Atomic.Error<Arg[number]>>
    : Atomic<{ -readonly [K in keyof Arg]: Atomic.Success<Arg[K]> }, Atomic.Error<Arg[keyof Arg]>>

  /**
   * A record whose keys JavaScript keeps in their order: integers it would put first.
   *
   * @category utility types
   * @since 0.1.0
   */
  export type Ordered<Arg> = { readonly [K in keyof Arg]: K extends number | `${number}` ? never : Arg[K] }
}

/**
 * Several programs as one, in order: a tuple, an array or a record, which also names the results. Later ones see what earlier
 * ones have written; when one fails, none has happened. One round trip.
 *
 * **Example** (Writing two fields, and reading one, in one round trip)
 *
 * ```ts run
 * import { Effect, Schema } from "effect"
 * import { Atomic, Model, RedisService } from "redlayer"
 *
 * const Room = Model.make("Room", {
 *   name: Schema.String,
 *   topic: Schema.String,
 *   messages: Schema.Array(Schema.String),
 *   count: Schema.Int
 * }, { key: "name" })
 *
 * const post = (name: string, message: string) => {
 *   const room = Room.ref(name)
 *   return Atomic.all({
 *     topic: room.topic.get(),
 *     kept: room.messages.append(message, { keep: 2 }),
 *     count: room.count.increment()
 *   })
 * }
 *
 * const program = Effect.gen(function*() {
 *   yield* Room.insert({ name: "lobby", topic: "hello", messages: ["one", "two"], count: 2 })
 *   return yield* post("lobby", "three")
 * })
 *
 * const result = await Effect.runPromise(program.pipe(Effect.provide(RedisService.layerMemory)))
 * result // => { topic: "hello", kept: 2, count: 3 }
 * ```
 *
 * **Gotchas**
 *
 * `Effect.all([a, b])` of two programs is two programs, each of which may succeed alone. Names like `"1"` are refused, since
 * JavaScript would change their order.
 *
 * @category sequencing
 * @since 0.1.0
 */
export const all: {
  <const Arg extends ReadonlyArray<Atomic.Any>>(arg: Arg): All.Return<Arg>
  <const Arg extends { readonly [name: string]: Atomic.Any }>(arg: Arg & All.Ordered<Arg>): All.Return<Arg>
} = (arg: any): any => {
  if (Array.isArray(arg)) return atomic(new Internal.All(arg.map(node), undefined))
  const names = Object.keys(arg)
  const reordered = names.find((name) => /^(0|[1-9]\d*)$/.test(name))
  if (reordered !== undefined) {
    throw new TypeError(`Atomic.all can't keep the order of a record with the key "${reordered}"; use an array`)
  }
  return atomic(new Internal.All(names.map((name) => node(arg[name])), names))
}

/**
 * One program for each item, as one, in order: an array of their results.
 *
 * @category sequencing
 * @since 0.1.0
 */
export const forEach: {
  <A, B, E>(f: (item: A, index: number) => Atomic<B, E>): (items: Iterable<A>) => Atomic<Array<B>, E>
  <A, B, E>(items: Iterable<A>, f: (item: A, index: number) => Atomic<B, E>): Atomic<Array<B>, E>
} = dual(
  2,
  <A, B, E>(items: Iterable<A>, f: (item: A, index: number) => Atomic<B, E>): Atomic<Array<B>, E> =>
    atomic(new Internal.All(Array.from(items, (item, index) => node(f(item, index))), undefined))
)

/**
 * One program, then another, as one: it gives the result of the first.
 *
 * @see {@link andThen} for the result of the second
 * @category sequencing
 * @since 0.1.0
 */
export const tap: {
  <B, E2>(that: Atomic<B, E2>): <A, E>(self: Atomic<A, E>) => Atomic<A, E | E2>
  <A, E, B, E2>(self: Atomic<A, E>, that: Atomic<B, E2>): Atomic<A, E | E2>
} = dual(
  2,
  <A, E, B, E2>(self: Atomic<A, E>, that: Atomic<B, E2>): Atomic<A, E | E2> =>
    atomic(new Internal.AndThen(node(self), node(that), true))
)

interface Observable {
  readonly get: () => Atomic.Any
}

type Observed<O> = {
  readonly [Name in keyof O]: O[Name] extends Observable ? Atomic.Success<ReturnType<O[Name]["get"]>> : never
}

type ObservedError<O> = {
  [Name in keyof O]: O[Name] extends Observable ? Atomic.Error<ReturnType<O[Name]["get"]>> : never
}[
  keyof O
]

/**
 * Fails the whole program with an error of your own where a condition is not true: nothing of the program remains. The error
 * joins its type. With `observe`, the error can tell what the server saw.
 *
 * **Example** (A transfer that can't overdraw)
 *
 * ```ts run
 * import { Data, Effect, Schema } from "effect"
 * import { Atomic, Model, RedisService } from "redlayer"
 *
 * const Account = Model.make("Account", { name: Schema.String, coins: Schema.Int }, { key: "name" })
 *
 * class NotEnough extends Data.TaggedError("NotEnough")<{ readonly coins: number }> {}
 *
 * const transfer = (from: string, to: string, amount: number) => {
 *   const [a, b] = [Account.ref(from), Account.ref(to)]
 *   return Atomic.guard(a.coins.gte(amount), { observe: { coins: a.coins } }, ({ coins }) => new NotEnough({ coins })).pipe(
 *     Atomic.andThen(a.coins.decrement(amount)),
 *     Atomic.andThen(b.coins.increment(amount))
 *   )
 * }
 *
 * const program = Effect.gen(function*() {
 *   yield* Account.insert({ name: "alice", coins: 10 })
 *   yield* Account.insert({ name: "bob", coins: 0 })
 *   const bob = yield* transfer("alice", "bob", 7)
 *   const refused = yield* Effect.flip(transfer("alice", "bob", 7))
 *   return [bob, refused._tag === "NotEnough" ? refused.coins : refused]
 * })
 *
 * await Effect.runPromise(program.pipe(Effect.provide(RedisService.layerMemory))) // => [7, 3]
 * ```
 *
 * @category conditions
 * @since 0.1.0
 */
export const guard: {
  <E, E2>(condition: Condition<E>, orFailWith: () => E2): Atomic<void, E | E2>
  <E, const O extends { readonly [name: string]: Observable }, E2>(
    condition: Condition<E>,
    options: { readonly observe: O },
    orFailWith: (observed: Observed<O>) => E2
  ): Atomic<void, E | E2 | ObservedError<O>>
} = (condition: Condition<any>, ...rest: ReadonlyArray<any>): any => {
  const [options, orFailWith] = rest.length === 1 ? [{ observe: {} }, rest[0]] : rest
  const names = Object.keys(options.observe)
  const nodes = names.map((name) => node(options.observe[name].get()))
  const unreadable = nodes.find((item) => !Commit.isRead(item))
  if (unreadable !== undefined) throw new TypeError("Expected handles of fields to observe")
  const refused = nodes.find((item) => item._tag === "Invalid")
  return atomic(
    refused ?? new Internal.Guard(
      test(condition),
      nodes as ReadonlyArray<Instruct>,
      (values) => orFailWith(Object.fromEntries(names.map((name, i) => [name, values[i]])))
    )
  )
}

const test = (condition: Condition<any>): AtomicNode => {
  if (!isCondition(condition)) throw new TypeError("Expected a condition, such as a handle's eq or Condition.and")
  return node(condition as Atomic<boolean, any>)
}

/**
 * Runs a program where a condition is true: some result, or none.
 *
 * @category conditions
 * @since 0.1.0
 */
export const when: {
  <E2>(condition: Condition<E2>): <A, E>(self: Atomic<A, E>) => Atomic<Option.Option<A>, E | E2>
  <A, E, E2>(self: Atomic<A, E>, condition: Condition<E2>): Atomic<Option.Option<A>, E | E2>
} = dual(
  2,
  <A, E, E2>(self: Atomic<A, E>, condition: Condition<E2>): Atomic<Option.Option<A>, E | E2> =>
    atomic(new Internal.When(test(condition), node(self)))
)

const if_: {
  <A, E2, B, E3>(options: {
    readonly onTrue: Atomic<A, E2>
    readonly onFalse: Atomic<B, E3>
  }): <E>(condition: Condition<E>) => Atomic<A | B, E | E2 | E3>
  <E, A, E2, B, E3>(condition: Condition<E>, options: {
    readonly onTrue: Atomic<A, E2>
    readonly onFalse: Atomic<B, E3>
  }): Atomic<A | B, E | E2 | E3>
} = dual(
  2,
  (condition: Condition<any>, options: { readonly onTrue: Atomic.Any; readonly onFalse: Atomic.Any }): Atomic.Any =>
    atomic(new Internal.If(test(condition), node(options.onTrue), node(options.onFalse)))
)

export {
  /**
   * One program where a condition is true, another where it is not. Only that one runs.
   *
   * @category conditions
   * @since 0.1.0
   */
  if_ as if
}

/** What is found out before, or after, a program runs, and so can't be undone by it. */
type Uncaught<E> = Extract<E, InvalidValue | EntityCorrupted>

/**
 * One program; and where it fails in its domain, another in its place: what the first had written is undone, and nothing else.
 * It catches neither `InvalidValue`, since the program is not sent then or is too large, nor `EntityCorrupted`, which is found out when all is
 * done; nor what the server fails with.
 *
 * **Example** (The second choice)
 *
 * ```ts run
 * import { Effect, Schema } from "effect"
 * import { Atomic, Model, RedisService } from "redlayer"
 *
 * const Shelf = Model.make("Shelf", {
 *   name: Schema.String,
 *   left: Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))
 * }, { key: "name" })
 *
 * const take = (name: string) => Shelf.ref(name).left.decrement().pipe(Atomic.as(name))
 *
 * const program = Effect.gen(function*() {
 *   yield* Shelf.insert({ name: "front", left: 1 })
 *   yield* Shelf.insert({ name: "store", left: 9 })
 *   const either = take("front").pipe(Atomic.orElse(take("store")))
 *   return [yield* either, yield* either]
 * })
 *
 * await Effect.runPromise(program.pipe(Effect.provide(RedisService.layerMemory))) // => ["front", "store"]
 * ```
 *
 * @category error handling
 * @since 0.1.0
 */
export const orElse: {
  <B, E2>(that: Atomic<B, E2>): <A, E>(self: Atomic<A, E>) => Atomic<A | B, Uncaught<E> | E2>
  <A, E, B, E2>(self: Atomic<A, E>, that: Atomic<B, E2>): Atomic<A | B, Uncaught<E> | E2>
} = dual(
  2,
  <A, E, B, E2>(self: Atomic<A, E>, that: Atomic<B, E2>): Atomic<A | B, Uncaught<E> | E2> =>
    atomic(new Internal.OrElse(node(self), node(that)))
)

/**
 * A program that does nothing where an entity of it is missing: none then, with all that it had written undone, or some
 * result. It knows what the server misses; a guard that fails with an `EntityNotFound` of your own still fails.
 *
 * @category error handling
 * @since 0.1.0
 */
export const ignoreMissing = <A, E>(self: Atomic<A, E>): Atomic<Option.Option<A>, Exclude<E, EntityNotFound>> =>
  atomic(new Internal.Ignore(node(self)))

/**
 * What a program is, for people and logs: it holds no value, and reads nothing. Whether it is within the limits of a layer is
 * found out when it is committed.
 *
 * @category models
 * @since 0.1.0
 */
export interface Explanation {
  /** 0 where nothing has to be sent */
  readonly roundTrips: 0 | 1
  /** `read` can't write; `allowOom` is let through by a server that is out of memory */
  readonly access: "read" | "allowOom" | "write"
  /** the keys that it touches, without the layer's prefix */
  readonly keys: ReadonlyArray<string>
  readonly instructions: ReadonlyArray<{
    readonly operation: string
    readonly model: string
    readonly id: string
    readonly field: string
  }>
}

/**
 * Tells what a program would do, without running it.
 *
 * **Example** (How many instructions a program has)
 *
 * ```ts run
 * import { Effect, Schema } from "effect"
 * import { Atomic, Model } from "redlayer"
 *
 * const Page = Model.make("Page", { path: Schema.String, views: Schema.Int, likes: Schema.Int }, { key: "path" })
 *
 * const { likes, views } = Page.ref("/")
 * const explained = Effect.runSync(Atomic.explain(Atomic.all([views.increment(), likes.get()])))
 *
 * const operations = explained.instructions.map(({ field, operation }) => `${operation} ${field}`)
 * operations // => ["add views", "get likes"]
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const explain = <A, E>(self: Atomic<A, E>): Effect.Effect<Explanation, Extract<E, InvalidValue>> =>
  Explain.explain(node(self)) as Effect.Effect<Explanation, any>

/**
 * Commits several programs at once, each by itself: an exit for each, in order. One call for all that share a slot; some may
 * fail, and the others stand.
 *
 * @see {@link all} for one program of several
 * @category running
 * @since 0.1.0
 */
export const pipeline = <const P extends ReadonlyArray<Atomic.Any>>(
  programs: P
): Effect.Effect<
  { -readonly [K in keyof P]: Exit.Exit<Atomic.Success<P[K]>, Atomic.Error<P[K]> | RedisServiceError> },
  never,
  RedisService
> => Commit.pipeline(programs.map(node)) as Effect.Effect<any, never, RedisService>

/**
 * @category models
 * @since 0.1.0
 */
export interface CommitOptions {
  /** Yours, such as the id of a request: it names this commit among those of the first entity, in the order of keys. */
  readonly idempotencyKey: string
  /** How long the key is known, from the commit on. */
  readonly keepFor: Duration.Input
}

/**
 * The plain `Effect` that commits a program: one round trip, all of it or nothing.
 *
 * With an `idempotencyKey` it happens once, whoever commits it again, and from wherever: the first result is given again. Only
 * a success is kept. Another program with this key fails with `Conflict`.
 *
 * **Example** (A request that arrives twice)
 *
 * ```ts run
 * import { Effect, Schema } from "effect"
 * import { Atomic, Model, RedisService } from "redlayer"
 *
 * const Account = Model.make("Account", { name: Schema.String, coins: Schema.Int }, { key: "name" })
 *
 * const deposit = (request: string, name: string, amount: number) =>
 *   Account.ref(name).coins.increment(amount).pipe(Atomic.commit({ idempotencyKey: request, keepFor: "1 day" }))
 *
 * const program = Effect.gen(function*() {
 *   yield* Account.insert({ name: "alice", coins: 0 })
 *   const first = yield* deposit("request-1", "alice", 10)
 *   const again = yield* deposit("request-1", "alice", 10)
 *   const other = yield* Effect.flip(deposit("request-1", "alice", 11))
 *   return [first, again, other._tag, yield* Account.ref("alice").coins.get()]
 * })
 *
 * await Effect.runPromise(program.pipe(Effect.provide(RedisService.layerMemory))) // => [10, 10, "Conflict", 10]
 * ```
 *
 * **Gotchas**
 *
 * A result over 4 kB is not kept: the program happens once, and committed again it fails with `OutcomeUnknown`, whose `applied`
 * is true. The values are part of a program. Where a default is generated, keep the program, or give the value: made anew it is
 * another program, and fails with `Conflict`. Give the id above all: the key is kept with the first entity of the program, so
 * that with another generated id it happens again.
 *
 * @category running
 * @since 0.1.0
 */
export const commit: {
  (options: CommitOptions): <A, E>(
    self: Atomic<A, E>
  ) => Effect.Effect<A, E | Conflict | InvalidValue | RedisServiceError, RedisService>
  <A, E>(
    self: Atomic<A, E>,
    options: CommitOptions
  ): Effect.Effect<A, E | Conflict | InvalidValue | RedisServiceError, RedisService>
  <A, E>(self: Atomic<A, E>): Effect.Effect<A, E | RedisServiceError, RedisService>
} = dual(
  (args) => isAtomic(args[0]),
  (self: Atomic<any, any>, options?: CommitOptions): Effect.Effect<any, any, RedisService> =>
    Commit.effect(node(self), options)
)
