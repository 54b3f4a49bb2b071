/**
 * Programs that run alone and wholly, or not at all. An `Atomic` is a value: nothing happens until it is committed, by
 * yielding it or by `Atomic.commit`, and then all of it travels in one round trip. Programs compose into larger programs.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import * as Predicate from "effect/Predicate"
import type * as Types from "effect/Types"
import * as Internal from "./internal/program/atomic.ts"
import type { RedisService } from "./RedisService.ts"
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

const node = (self: Atomic<any, any>): Internal.AtomicNode => self as unknown as Internal.AtomicNode
const atomic = <A, E>(self: Internal.AtomicNode): Atomic<A, E> => self as unknown as Atomic<A, E>

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
    atomic(new Internal.AndThen(node(self), node(that)))
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
 * The plain `Effect` that commits a program: one round trip, all of it or nothing.
 *
 * @category running
 * @since 0.1.0
 */
export const commit = <A, E>(self: Atomic<A, E>): Effect.Effect<A, E | RedisServiceError, RedisService> =>
  Internal.effect(node(self))
