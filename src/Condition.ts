/**
 * Conditions: booleans that the server evaluates in the middle of a program. Handles make them (`player.coins.gte(10)`,
 * `room.online.has("alice")`), and this module combines them. A condition sees earlier writes of its program. Every
 * condition is also a program that returns a boolean.
 *
 * @stability unstable
 * @since 0.1.0
 */
import * as Predicate from "effect/Predicate"
import type * as Types from "effect/Types"
import type { Atomic } from "./Atomic.ts"
import * as Internal from "./internal/program/atomic.ts"
import type { AtomicNode } from "./internal/program/node.ts"

/**
 * The runtime type id of a `Condition`.
 *
 * @stability unstable
 * @category type IDs
 * @since 0.1.0
 */
export type TypeId = "~redlayer/Condition"

/**
 * The runtime type id of a `Condition`.
 *
 * @stability unstable
 * @category type IDs
 * @since 0.1.0
 */
export const TypeId: TypeId = Internal.ConditionTypeId

/**
 * A boolean on the server. Evaluating it may fail with an `E`, such as `EntityNotFound`.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Condition<out E = never> extends Atomic<boolean, E> {
  readonly [TypeId]: { readonly _E: Types.Covariant<E> }
}

/**
 * Any condition, for code that is generic over conditions.
 *
 * @stability unstable
 * @category utility types
 * @since 0.1.0
 */
export type Any = Condition<any>

/**
 * The errors of a condition.
 *
 * @stability unstable
 * @category utility types
 * @since 0.1.0
 */
export type Error<C> = C extends Condition<infer E> ? E : never

const node = (self: Condition<any>): AtomicNode => self as unknown as AtomicNode
const condition = <E>(self: AtomicNode): Condition<E> => self as unknown as Condition<E>

/**
 * Returns true if a value is a `Condition`.
 *
 * @stability unstable
 * @category guards
 * @since 0.1.0
 */
export const isCondition = (u: unknown): u is Condition<unknown> =>
  Predicate.hasProperty(u, TypeId) && u[TypeId] !== undefined

const junction = (isAnd: boolean) => (...args: ReadonlyArray<unknown>): Condition<any> => {
  const conditions = args.length === 1 && Array.isArray(args[0]) ? args[0] : args
  // `Array.from` also visits the holes of an array
  return condition(
    new Internal.Junction(
      isAnd,
      Array.from(conditions, (item) => {
        if (!isCondition(item)) throw new TypeError("Expected conditions, such as a handle's eq or has")
        return node(item)
      })
    )
  )
}

/**
 * Returns a condition that is true if all conditions are true: an array, or several arguments. Conditions after the
 * first false one are not evaluated, so they cannot fail. Without conditions it is true.
 *
 * **Example** (Deciding on the server)
 *
 * ```ts run
 * import { Effect, Schema } from "effect"
 * import { Atomic, Condition, Model, RedisService } from "redlayer"
 *
 * const Player = Model.make("Player", {
 *   name: Schema.String,
 *   wins: Schema.Int,
 *   badges: Schema.Array(Schema.String)
 * }, { key: "name" })
 *
 * const win = (name: string) => {
 *   const { badges, wins } = Player.ref(name)
 *   return Atomic.all({
 *     wins: wins.increment(),
 *     badge: badges.append("ten wins").pipe(
 *       Atomic.when(Condition.and(wins.gte(10), Condition.not(badges.contains("ten wins"))))
 *     )
 *   })
 * }
 *
 * const program = Effect.gen(function*() {
 *   yield* Player.insert({ name: "alice", wins: 8, badges: [] })
 *   for (let i = 0; i < 4; i++) yield* win("alice")
 *   return (yield* Player.get("alice")).badges
 * })
 *
 * await Effect.runPromise(program.pipe(Effect.provide(RedisService.layerMemory))) // => ["ten wins"]
 * ```
 *
 * @stability unstable
 * @category combinators
 * @since 0.1.0
 */
export const and: {
  /**
   * Returns a condition that is true if all conditions are true: an array, or several arguments. Conditions after the
   * first false one are not evaluated, so they cannot fail. Without conditions it is true.
   */
  <const C extends ReadonlyArray<Any>>(...conditions: C): Condition<Error<C[number]>>
  /**
   * Returns a condition that is true if all conditions are true: an array, or several arguments. Conditions after the
   * first false one are not evaluated, so they cannot fail. Without conditions it is true.
   */
  <const C extends ReadonlyArray<Any>>(conditions: C): Condition<Error<C[number]>>
} = junction(true)

/**
 * Returns a condition that is true if at least one condition is true: an array, or several arguments. Conditions after
 * the first true one are not evaluated, so they cannot fail. Without conditions it is false.
 *
 * @stability unstable
 * @category combinators
 * @since 0.1.0
 */
export const or: {
  /**
   * Returns a condition that is true if at least one condition is true: an array, or several arguments. Conditions after
   * the first true one are not evaluated, so they cannot fail. Without conditions it is false.
   */
  <const C extends ReadonlyArray<Any>>(...conditions: C): Condition<Error<C[number]>>
  /**
   * Returns a condition that is true if at least one condition is true: an array, or several arguments. Conditions after
   * the first true one are not evaluated, so they cannot fail. Without conditions it is false.
   */
  <const C extends ReadonlyArray<Any>>(conditions: C): Condition<Error<C[number]>>
} = junction(false)

/**
 * Returns a condition that is true if the given one is false.
 *
 * @stability unstable
 * @category combinators
 * @since 0.1.0
 */
export const not = <E>(self: Condition<E>): Condition<E> => condition(new Internal.Not(node(self)))
