/**
 * Programs that run as a whole or not at all. An `Atomic` is a value: nothing happens until it is committed, by
 * yielding it or by `Atomic.commit`. Then the whole program travels in one round trip. Programs compose into larger
 * programs.
 *
 * @stability unstable
 * @since 0.1.0
 */
import type * as DateTime from "effect/DateTime"
import type * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import type * as Types from "effect/Types"
import { type Condition, isCondition } from "./Condition.ts"
import type { Conflict, EntityCorrupted, EntityNotFound, InvalidValue } from "./DomainError.ts"
import type { TimeOperand } from "./internal/field/operands.ts"
import { Operand } from "./internal/handle/operand.ts"
import * as Internal from "./internal/program/atomic.ts"
import * as Combinators from "./internal/program/combinators.ts"
import * as Commit from "./internal/program/commit.ts"
import * as Explain from "./internal/program/explain.ts"
import { type Many, many } from "./internal/program/many.ts"
import type { AtomicNode } from "./internal/program/node.ts"
import type { RedisService } from "./internal/service.ts"
import type { RedisServiceError } from "./RedisServiceError.ts"

export type { CommitOptions, ReplicationOptions } from "./internal/program/commit.ts"
export type { Explanation } from "./internal/program/explain.ts"

/**
 * The runtime type id of an `Atomic`.
 *
 * @stability unstable
 * @category type IDs
 * @since 0.1.0
 */
export type TypeId = "~redlayer/Atomic"

/**
 * The runtime type id of an `Atomic`.
 *
 * @stability unstable
 * @category type IDs
 * @since 0.1.0
 */
export const TypeId: TypeId = Internal.TypeId

/**
 * A program that returns an `A`, or fails with a domain error `E`. It is also an `Effect` of the same result: yielded,
 * it commits itself in one round trip, and may then also fail with `RedisServiceError`.
 *
 * @stability unstable
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
 * Any program, for code that is generic over programs.
 *
 * @stability unstable
 * @category utility types
 * @since 0.1.0
 */
export type Any = Atomic<any, any>

/**
 * The result of a program.
 *
 * @stability unstable
 * @category utility types
 * @since 0.1.0
 */
export type Success<P> = P extends Atomic<infer A, any> ? A : never

/**
 * The domain errors of a program. Its `RedisServiceError` is not among them.
 *
 * @stability unstable
 * @category utility types
 * @since 0.1.0
 */
export type Error<P> = P extends Atomic<any, infer E> ? E : never

const atomic = <A, E>(self: AtomicNode): Atomic<A, E> => self as unknown as Atomic<A, E>

const test = (condition: Condition<any>): AtomicNode => {
  if (!isCondition(condition)) throw new TypeError("Expected a condition, such as a handle's eq or Condition.and")
  return condition as unknown as AtomicNode
}

/**
 * Returns true if a value is an `Atomic`.
 *
 * @stability unstable
 * @category guards
 * @since 0.1.0
 */
export const isAtomic = (u: unknown): u is Atomic<unknown, unknown> => Predicate.hasProperty(u, TypeId)

/**
 * Creates a program that returns a constant. It takes no round trip.
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const succeed = <A>(value: A): Atomic<A> => atomic(new Internal.Succeed(value))

/**
 * The time of the server, as an operand: of date fields, of lists of dates, of conditions; and with `epochMillis` of
 * number fields and of the scores of sorted sets. It is read once for a program, so it is the same in all its steps. In
 * memory it is the time of Effect's `Clock`, which a `TestClock` moves.
 *
 * **When to use**
 *
 * Use instead of the time of the client wherever several clients compare times, because their clocks differ.
 *
 * **Example** (A hundred calls in any hour)
 *
 * ```ts run
 * import { Effect, Schema } from "effect"
 * import { Atomic, Condition, Model, RedisService } from "redlayer"
 *
 * const Quota = Model.make("Quota", { user: Schema.String, calls: Schema.Array(Schema.Date) }, { key: "user" })
 *
 * const call = (user: string) => {
 *   const { calls } = Quota.ref(user)
 *   return Atomic.all([
 *     Atomic.guard(
 *       Condition.or(calls.length().lt(100), calls.at(0).lte(Atomic.now.minus("1 hour"))),
 *       () => "too many calls" as const
 *     ),
 *     calls.append(Atomic.now, { keep: 100 })
 *   ])
 * }
 *
 * const program = Effect.gen(function*() {
 *   yield* Quota.insert({ user: "alice", calls: [] })
 *   for (let i = 0; i < 100; i++) yield* call("alice")
 *   return yield* Effect.flip(call("alice"))
 * })
 *
 * await Effect.runPromise(program.pipe(Effect.provide(RedisService.layerMemory))) // => "too many calls"
 * ```
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const now: TimeOperand<Date & DateTime.Utc, never> = Operand.now() as unknown as TimeOperand<
  Date & DateTime.Utc,
  never
>

/**
 * Transforms the result of a program. `f` runs on the client, after the commit, so nothing inside the program can
 * depend on it. If `f` throws, the commit fails with a defect, and the program's writes stand.
 *
 * @stability unstable
 * @category mapping
 * @since 0.1.0
 */
export const map: {
  /**
   * Transforms the result of a program. `f` runs on the client, after the commit, so nothing inside the program can
   * depend on it. If `f` throws, the commit fails with a defect, and the program's writes stand.
   */
  <A, B>(f: (a: A) => B): <E>(self: Atomic<A, E>) => Atomic<B, E>
  /**
   * Transforms the result of a program. `f` runs on the client, after the commit, so nothing inside the program can
   * depend on it. If `f` throws, the commit fails with a defect, and the program's writes stand.
   */
  <A, E, B>(self: Atomic<A, E>, f: (a: A) => B): Atomic<B, E>
} = Combinators.map

/**
 * Replaces the result of a program with a constant. The errors stay.
 *
 * @stability unstable
 * @category mapping
 * @since 0.1.0
 */
export const as: {
  /** Replaces the result of a program with a constant. */
  <B>(value: B): <A, E>(self: Atomic<A, E>) => Atomic<B, E>
  /** Replaces the result of a program with a constant. */
  <A, E, B>(self: Atomic<A, E>, value: B): Atomic<B, E>
} = Combinators.as

/**
 * Runs one program, then another, as one program that returns the second result. The second program sees what the first
 * one wrote. If either fails, neither has happened. It takes a program, never a function, because nothing on the client
 * runs between two instructions.
 *
 * **When to use**
 *
 * Use when only the last result matters. For the first result use `tap`; for all results use `all`.
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
 * @stability unstable
 * @category sequencing
 * @since 0.1.0
 */
export const andThen: {
  /**
   * Runs one program, then another, as one program that returns the second result. The second program sees what the
   * first one wrote. If either fails, neither has happened. It takes a program, never a function, because nothing on
   * the client runs between two instructions.
   */
  <B, E2>(that: Atomic<B, E2>): <A, E>(self: Atomic<A, E>) => Atomic<B, E | E2>
  /**
   * Runs one program, then another, as one program that returns the second result. The second program sees what the
   * first one wrote. If either fails, neither has happened. It takes a program, never a function, because nothing on
   * the client runs between two instructions.
   */
  <A, E, B, E2>(self: Atomic<A, E>, that: Atomic<B, E2>): Atomic<B, E | E2>
} = Combinators.andThen

/**
 * Helper types of `Atomic.all`.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export declare namespace All {
  /**
   * The program that `Atomic.all` returns: its results have the shape of the argument.
   *
   * @stability unstable
   * @category utility types
   * @since 0.1.0
   */
  export type Return<Arg> = Arg extends ReadonlyArray<Any>
    ? Atomic<{ -readonly [K in keyof Arg]: Success<Arg[K]> }, Error<Arg[number]>>
    : Atomic<{ -readonly [K in keyof Arg]: Success<Arg[K]> }, Error<Arg[keyof Arg]>>

  /**
   * A record whose keys JavaScript keeps in order. Integer-like keys are refused, because JavaScript moves them to the
   * front.
   *
   * @stability unstable
   * @category utility types
   * @since 0.1.0
   */
  export type Ordered<Arg> = { readonly [K in keyof Arg]: K extends number | `${number}` ? never : Arg[K] }

  /**
   * The argument of `Atomic.all`. A part that is refused has the reason as its type.
   *
   * @stability unstable
   * @category utility types
   * @since 0.1.0
   */
  export type Parts<Arg> = Arg extends Any ? "Expected one argument: an array or a record of programs"
    : Arg extends ReadonlyArray<unknown> ? { readonly [K in keyof Arg]: Part<Arg[K]> }
    : {
      readonly [K in keyof Arg]: K extends number | `${number}` ?
        "JavaScript moves such a key to the front: use an array"
        : Part<Arg[K]>
    }

  type Part<P> = P extends Any ? unknown : "An Effect is no Atomic: combine programs before the commit"
}

/**
 * Combines programs into one program that returns all results: a tuple, an array or a record. The programs run in
 * order, and later ones see what earlier ones wrote. If one fails, none has happened. One round trip.
 *
 * **When to use**
 *
 * Use for several operations that belong together. For programs that may fail independently use `pipeline`.
 *
 * **Gotchas**
 *
 * `Effect.all([a, b])` of two programs is two programs, and each may succeed alone. Record keys such as `"1"` are
 * refused, because JavaScript changes their order.
 *
 * **Example** (Writing two fields in one round trip)
 *
 * ```ts run
 * import { Effect, Schema } from "effect"
 * import { Atomic, Model, RedisService } from "redlayer"
 *
 * const Room = Model.make("Room", { name: Schema.String, messages: Schema.Array(Schema.String), count: Schema.Int }, {
 *   key: "name"
 * })
 *
 * const post = (name: string, message: string) => {
 *   const room = Room.ref(name)
 *   return Atomic.all({ kept: room.messages.append(message, { keep: 2 }), count: room.count.increment() })
 * }
 *
 * const program = Effect.gen(function*() {
 *   yield* Room.insert({ name: "lobby", messages: ["one", "two"], count: 2 })
 *   return yield* post("lobby", "three")
 * })
 *
 * const result = await Effect.runPromise(program.pipe(Effect.provide(RedisService.layerMemory)))
 * result // => { kept: 2, count: 3 }
 * ```
 *
 * @stability unstable
 * @category sequencing
 * @since 0.1.0
 */
export const all: {
  /**
   * Combines programs into one program that returns all results: a tuple, an array or a record. The programs run in
   * order, and later ones see what earlier ones wrote. If one fails, none has happened. One round trip.
   */
  <const Arg extends ReadonlyArray<Any>>(arg: Arg): All.Return<Arg>
  /**
   * Combines programs into one program that returns all results: a tuple, an array or a record. The programs run in
   * order, and later ones see what earlier ones wrote. If one fails, none has happened. One round trip.
   */
  <const Arg extends { readonly [name: string]: Any }>(arg: Arg & All.Ordered<Arg>): All.Return<Arg>
  /**
   * Combines programs into one program that returns all results: a tuple, an array or a record. The programs run in
   * order, and later ones see what earlier ones wrote. If one fails, none has happened. One round trip.
   */
  // The compiler reports the errors of the last overload, so this one says what is wrong with an argument.
  <const Arg>(arg: Arg & All.Parts<Arg>): All.Return<Arg>
} = Combinators.all as any

/**
 * Creates one program for each item, and combines them in order into one program that returns an array of their
 * results. If one fails, none has happened. One round trip.
 *
 * **When to use**
 *
 * Use for the items of a list that belong together. For items that may fail independently use `pipeline`.
 *
 * @stability unstable
 * @category sequencing
 * @since 0.1.0
 */
export const forEach: {
  /**
   * Creates one program for each item, and combines them in order into one program that returns an array of their
   * results. If one fails, none has happened. One round trip.
   */
  <A, B, E>(f: (item: A, index: number) => Atomic<B, E>): (items: Many<A>) => Atomic<Array<B>, E>
  /**
   * Creates one program for each item, and combines them in order into one program that returns an array of their
   * results. If one fails, none has happened. One round trip.
   */
  <A, B, E>(items: Many<A>, f: (item: A, index: number) => Atomic<B, E>): Atomic<Array<B>, E>
} = Combinators.forEach

/**
 * Runs one program, then another, as one program that returns the first result. If either fails, neither has happened.
 *
 * **When to use**
 *
 * Use for a further step whose result does not matter, such as publishing a message.
 *
 * @see {@link andThen} for the result of the second
 * @stability unstable
 * @category sequencing
 * @since 0.1.0
 */
export const tap: {
  /**
   * Runs one program, then another, as one program that returns the first result. If either fails, neither has
   * happened.
   */
  <B, E2>(that: Atomic<B, E2>): <A, E>(self: Atomic<A, E>) => Atomic<A, E | E2>
  /**
   * Runs one program, then another, as one program that returns the first result. If either fails, neither has
   * happened.
   */
  <A, E, B, E2>(self: Atomic<A, E>, that: Atomic<B, E2>): Atomic<A, E | E2>
} = Combinators.tap

/** A value that a guard can read: a handle, or a program of one read. */
type Observable = { readonly get: () => Any } | Any

/** The program that reads an observed value. */
type ReadOf<O> = O extends Any ? O : O extends { readonly get: () => infer P } ? P : never

type Observed<O> = { readonly [Name in keyof O]: Success<ReadOf<O[Name]>> }

type ObservedError<O> = { [Name in keyof O]: Error<ReadOf<O[Name]>> }[keyof O]

/**
 * Fails the whole program with an error of your own if a condition is false. Nothing of the program remains, and the
 * error joins its type. With `observe`, the error can contain the values that the server saw. No additional round trip.
 *
 * **When to use**
 *
 * Use to refuse a program: "not enough coins", "already closed". To skip a part of a program without failing use
 * `when`.
 *
 * **Example** (Refusing a transfer)
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
 * @stability unstable
 * @category conditions
 * @since 0.1.0
 */
export const guard: {
  /**
   * Fails the whole program with an error of your own if a condition is false. Nothing of the program remains, and the
   * error joins its type. With `observe`, the error can contain the values that the server saw.
   */
  <E, E2>(condition: Condition<E>, orFailWith: () => E2): Atomic<void, E | E2>
  /**
   * Fails the whole program with an error of your own if a condition is false. Nothing of the program remains, and the
   * error joins its type. With `observe`, the error can contain the values that the server saw: of handles, and of
   * programs that are a single read, such as `timeToLive`. Throws a TypeError if one of them writes.
   */
  <E, const O extends { readonly [name: string]: Observable }, E2>(
    condition: Condition<E>,
    options: { readonly observe: O },
    orFailWith: (observed: Observed<O>) => E2
  ): Atomic<void, E | E2 | ObservedError<O>>
} = Combinators.guard(test)

/**
 * Runs a program only if a condition is true. Returns `Option.some` of its result, or `Option.none` if the condition is
 * false. The condition is evaluated on the server, at this point of the program.
 *
 * **When to use**
 *
 * Use for a step that may be skipped. To choose between two programs use `Atomic.if`; to fail use `guard`.
 *
 * @stability unstable
 * @category conditions
 * @since 0.1.0
 */
export const when: {
  /**
   * Runs a program only if a condition is true. Returns `Option.some` of its result, or `Option.none` if the condition
   * is false. The condition is evaluated on the server, at this point of the program.
   */
  <E2>(condition: Condition<E2>): <A, E>(self: Atomic<A, E>) => Atomic<Option.Option<A>, E | E2>
  /**
   * Runs a program only if a condition is true. Returns `Option.some` of its result, or `Option.none` if the condition
   * is false. The condition is evaluated on the server, at this point of the program.
   */
  <A, E, E2>(self: Atomic<A, E>, condition: Condition<E2>): Atomic<Option.Option<A>, E | E2>
} = Combinators.when(test)

/**
 * Runs one program if a condition is true, another if it is false. Only that one runs. The condition is evaluated on
 * the server, at this point of the program.
 *
 * **When to use**
 *
 * Use to choose between two programs. For a program that may be skipped use `when`; to choose by the failure of the
 * first program use `orElse`.
 *
 * @stability unstable
 * @category conditions
 * @since 0.1.0
 */
const if_: {
  /**
   * Runs one program if a condition is true, another if it is false. Only that one runs. The condition is evaluated on
   * the server, at this point of the program.
   */
  <A, E2, B, E3>(options: {
    readonly onTrue: Atomic<A, E2>
    readonly onFalse: Atomic<B, E3>
  }): <E>(condition: Condition<E>) => Atomic<A | B, E | E2 | E3>
  /**
   * Runs one program if a condition is true, another if it is false. Only that one runs. The condition is evaluated on
   * the server, at this point of the program.
   */
  <E, A, E2, B, E3>(condition: Condition<E>, options: {
    readonly onTrue: Atomic<A, E2>
    readonly onFalse: Atomic<B, E3>
  }): Atomic<A | B, E | E2 | E3>
} = Combinators.branch(test)

export { if_ as if }

/** Errors raised before sending or after the commit; `orElse` cannot catch them. */
type Uncaught<E> = Extract<E, InvalidValue | EntityCorrupted>

/**
 * Runs a program, and if it fails with a domain error, undoes its writes and runs another program in its place. It does
 * not catch `InvalidValue`, because that program is never sent; nor `EntityCorrupted`, because that is found after the
 * commit; nor `RedisServiceError`.
 *
 * **When to use**
 *
 * Use for a second choice: another shelf, another account. For a missing entity use `ignoreMissing`; to choose by a
 * condition use `Atomic.if`.
 *
 * @stability unstable
 * @category error handling
 * @since 0.1.0
 */
export const orElse: {
  /**
   * Runs a program, and if it fails with a domain error, undoes its writes and runs another program in its place. It
   * does not catch `InvalidValue`, because that program is never sent; nor `EntityCorrupted`, because that is found
   * after the commit; nor `RedisServiceError`.
   */
  <B, E2>(that: Atomic<B, E2>): <A, E>(self: Atomic<A, E>) => Atomic<A | B, Uncaught<E> | E2>
  /**
   * Runs a program, and if it fails with a domain error, undoes its writes and runs another program in its place. It
   * does not catch `InvalidValue`, because that program is never sent; nor `EntityCorrupted`, because that is found
   * after the commit; nor `RedisServiceError`.
   */
  <A, E, B, E2>(self: Atomic<A, E>, that: Atomic<B, E2>): Atomic<A | B, Uncaught<E> | E2>
} = Combinators.orElse

/**
 * Turns a missing entity into `Option.none`: the writes of this program are undone, and a larger program continues with
 * its next step. Otherwise returns `Option.some` of the result. A guard that fails with an `EntityNotFound` of your own
 * still fails.
 *
 * **When to use**
 *
 * Use for an optional step, such as counting a visit of a profile that may be deleted. To run another program instead
 * use `orElse`.
 *
 * @stability unstable
 * @category error handling
 * @since 0.1.0
 */
export const ignoreMissing = <A, E>(self: Atomic<A, E>): Atomic<Option.Option<A>, Exclude<E, EntityNotFound>> =>
  atomic(Combinators.ignoreMissing(self))

/**
 * Turns errors with these tags into defects, for errors that cannot happen: `EntityNotFound` of an entity that the same
 * program ensures, or `IndexOutOfRange` after a test of the length. The result is a program, so it composes into larger
 * ones. Only tags of the program's own errors are accepted.
 *
 * **When to use**
 *
 * Use if an error would be a mistake in your code, so that callers do not have to handle it. To continue after an error
 * use `orElse` or `ignoreMissing`.
 *
 * **Gotchas**
 *
 * `orElse` and `ignoreMissing` around it still catch the failure, because they act on the server, which knows no
 * defects. A defect undoes the program like any failure, except `EntityCorrupted`, which is found after the commit.
 *
 * **Example** (Counting in an entity that the program ensures)
 *
 * ```ts run
 * import { Effect, Schema } from "effect"
 * import { Atomic, type DomainError, Model, RedisService } from "redlayer"
 *
 * const Counter = Model.make("Counter", { name: Schema.String, n: Schema.Int }, { key: "name" })
 *
 * const count = (name: string): Atomic.Atomic<number, DomainError.OutOfBounds | DomainError.ArithmeticError> =>
 *   Counter.ensure({ name, n: 0 }).pipe(
 *     Atomic.andThen(Counter.ref(name).n.increment()),
 *     Atomic.orDie("EntityNotFound", "InvalidValue")
 *   )
 *
 * const program = Effect.andThen(count("a"), Atomic.all([count("a"), count("b")]))
 *
 * await Effect.runPromise(program.pipe(Effect.provide(RedisService.layerMemory))) // => [2, 1]
 * ```
 *
 * @stability unstable
 * @category error handling
 * @since 0.1.0
 */
export const orDie: {
  /**
   * Turns errors with these tags into defects, for errors that cannot happen. The result is a program, so it composes
   * into larger ones. Only tags of the program's own errors are accepted.
   */
  <const Tag extends Types.Tags<E>, E>(
    ...tags: readonly [Tag, ...ReadonlyArray<Tag>]
  ): <A>(self: Atomic<A, E>) => Atomic<A, Types.ExcludeTag<E, Tag>>
  /**
   * Turns errors with these tags into defects, for errors that cannot happen. The result is a program, so it composes
   * into larger ones. Only tags of the program's own errors are accepted.
   */
  <A, E, const Tag extends Types.Tags<E>>(
    self: Atomic<A, E>,
    ...tags: readonly [Tag, ...ReadonlyArray<Tag>]
  ): Atomic<A, Types.ExcludeTag<E, Tag>>
} = Combinators.orDie

/**
 * Describes a program without running it: its round trips, its keys, and its operations by the names of their methods.
 * It fails with `InvalidValue` if the commit would.
 *
 * **When to use**
 *
 * Use to learn what a program costs and touches, and in tests of that.
 *
 * @stability unstable
 * @category running
 * @since 0.1.0
 */
export const explain = <A, E>(self: Atomic<A, E>): Effect.Effect<Explain.Explanation, Extract<E, InvalidValue>> =>
  Explain.explain(Combinators.part(self)) as Effect.Effect<Explain.Explanation, any>

/**
 * Commits several independent programs at once. Returns an `Exit` for each, in the order of the programs. One round
 * trip for each slot and kind of access, so a program may run before another one that is earlier in the array. Some may
 * fail while the others succeed.
 *
 * **When to use**
 *
 * Use for many unrelated programs. For one program of several steps use `all`.
 *
 * @see {@link all} for one program of several
 * @stability unstable
 * @category running
 * @since 0.1.0
 */
export const pipeline = <const P extends ReadonlyArray<Any>>(
  programs: P
): Effect.Effect<
  { -readonly [K in keyof P]: Exit.Exit<Success<P[K]>, Error<P[K]> | RedisServiceError> },
  never,
  RedisService
> => Commit.pipeline(Array.from(many(programs), Combinators.part)) as Effect.Effect<any, never, RedisService>

/**
 * Returns the plain `Effect` that commits a program: one round trip, all of it or nothing. With an `idempotencyKey` the
 * program runs once, no matter which process commits it again: later commits return the first result. Only a success is
 * kept. Another program with the same key fails with `Conflict`.
 *
 * **When to use**
 *
 * Use with an `idempotencyKey` for requests that may arrive twice. Without options, yielding the program does the same.
 *
 * **Gotchas**
 *
 * A result above 4 kB is not kept: the program still runs once, but a second commit fails with `OutcomeUnknown` whose
 * `applied` is true. The values are part of the program, so a generated default makes another program each time and
 * fails with `Conflict`: keep the program, or pass the value. Above all pass the id, because the key is stored with the
 * first entity: with another generated id the program runs again.
 *
 * @stability unstable
 * @category running
 * @since 0.1.0
 */
export const commit: {
  /**
   * Returns the plain `Effect` that commits a program, and succeeds when replicas have a copy of what it has written. It fails
   * with `NotEnoughReplicas` if too few have one in time: then the program is applied nevertheless.
   */
  (
    options: Commit.ReplicationOptions
  ): <A, E>(self: Atomic<A, E>) => Effect.Effect<A, E | RedisServiceError, RedisService>
  /**
   * Returns the plain `Effect` that commits a program, and succeeds when replicas have a copy of what it has written. It fails
   * with `NotEnoughReplicas` if too few have one in time: then the program is applied nevertheless.
   */
  <A, E>(
    self: Atomic<A, E>,
    options: Commit.ReplicationOptions
  ): Effect.Effect<A, E | RedisServiceError, RedisService>
  /**
   * Returns the plain `Effect` that commits a program: one round trip, all of it or nothing. With an `idempotencyKey`
   * the program runs once, no matter which process commits it again: later commits return the first result. Only a
   * success is kept. Another program with the same key fails with `Conflict`.
   */
  (options: Commit.CommitOptions): <A, E>(
    self: Atomic<A, E>
  ) => Effect.Effect<A, E | Conflict | InvalidValue | RedisServiceError, RedisService>
  /**
   * Returns the plain `Effect` that commits a program: one round trip, all of it or nothing. With an `idempotencyKey`
   * the program runs once, no matter which process commits it again: later commits return the first result. Only a
   * success is kept. Another program with the same key fails with `Conflict`.
   */
  <A, E>(
    self: Atomic<A, E>,
    options: Commit.CommitOptions
  ): Effect.Effect<A, E | Conflict | InvalidValue | RedisServiceError, RedisService>
  /**
   * Returns the plain `Effect` that commits a program: one round trip, all of it or nothing. With an `idempotencyKey`
   * the program runs once, no matter which process commits it again: later commits return the first result. Only a
   * success is kept. Another program with the same key fails with `Conflict`.
   */
  <A, E>(self: Atomic<A, E> | Commit.CommitOptions): Effect.Effect<A, E | RedisServiceError, RedisService>
} = Combinators.commit
