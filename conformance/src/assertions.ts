/**
 * Assertions for any test framework, by which the checks of this package are written. Each throws an `AssertionError` of
 * `node:assert`, or is an effect that dies with one.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as HashMap from "effect/HashMap"
import * as HashSet from "effect/HashSet"
import * as Schedule from "effect/Schedule"
import { inspect, isDeepStrictEqual } from "node:util"
import type * as Atomic from "redlayer/Atomic"
import type * as DomainError from "redlayer/DomainError"
import type * as RedisServiceError from "redlayer/RedisServiceError"
import { type Dump, RawStore } from "redlayer/testing"
import * as assert from "./assert.ts"

export * from "./assert.ts"

/**
 * A program that may fail with any error of the domain. It is the element type of tables of programs.
 *
 * @category models
 * @since 0.1.0
 */
export type Operation = Atomic.Atomic<
  unknown,
  | DomainError.ArithmeticError
  | DomainError.EntityCorrupted
  | DomainError.EntityExists
  | DomainError.EntityNotFound
  | DomainError.IndexOutOfRange
  | DomainError.InvalidValue
  | DomainError.OutOfBounds
>

/**
 * Asserts that an effect fails with an error of this tag, whose properties equal `expected`. Returns the error.
 *
 * @category failures
 * @since 0.1.0
 */
export const fails = <A, E extends { readonly _tag: string }, R, Tag extends E["_tag"]>(
  self: Effect.Effect<A, E, R>,
  tag: Tag,
  expected: Partial<Extract<E, { readonly _tag: Tag }>> = {}
): Effect.Effect<Extract<E, { readonly _tag: Tag }>, A, R> =>
  Effect.map(Effect.flip(self), (error) => {
    const found = error as Extract<E, { readonly _tag: Tag }>
    const details: Record<string, unknown> = {}
    for (const name of Object.keys(expected)) details[name] = (found as Record<string, unknown>)[name]
    assert.deepEqual({ _tag: found._tag, ...details }, { _tag: tag, ...expected } as object)
    return found
  })

type Details = Partial<Pick<RedisServiceError.WrongType, "model" | "id" | "key" | "field" | "applied">>

/**
 * Asserts that an effect fails with a `RedisServiceError` whose reason is `WrongType` and equals `expected`. Default of its
 * `applied`: false.
 *
 * @category failures
 * @since 0.1.0
 */
export const wrongType = <A, E extends { readonly _tag: string }, R>(
  self: Effect.Effect<A, E | RedisServiceError.RedisServiceError, R>,
  expected: Details = {}
): Effect.Effect<void, A, R> =>
  Effect.map(Effect.flip(self), (error) => {
    if (error._tag !== "RedisServiceError") return assert.fail(`Expected WrongType, found ${error._tag}`)
    const reason = (error as RedisServiceError.RedisServiceError).reason as RedisServiceError.WrongType
    const wanted: Record<string, unknown> = { applied: false, ...expected }
    const details: Record<string, unknown> = {}
    for (const name of Object.keys(wanted)) details[name] = reason[name as keyof Details]
    assert.deepEqual({ _tag: reason._tag, ...details }, { _tag: "WrongType", ...wanted } as object)
  })

/**
 * Runs an effect and asserts that it changes nothing in the store: no value, order, version or expiry. Returns its result.
 *
 * @category stored data
 * @since 0.1.0
 */
export const unchanged = <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R | RawStore> =>
  Effect.gen(function*() {
    const raw = yield* RawStore
    const before = yield* raw.dump
    const result = yield* self
    assert.deepEqual(yield* raw.dump, before)
    return result
  })

/**
 * The content of every key that is stored, without the versions of entities, because versions depend on time.
 *
 * @category stored data
 * @since 0.1.0
 */
export const stored: Effect.Effect<Record<string, unknown>, never, RawStore> = Effect.gen(function*() {
  const raw = yield* RawStore
  return withoutVersions(yield* raw.dump)
})

const withoutVersions = (dump: Dump): Record<string, unknown> => {
  const out: Record<string, unknown> = {}
  for (const [key, { content, type }] of Object.entries(dump)) {
    if (type === "hash") {
      const { $v: _, ...fields } = content as Record<string, string>
      out[key] = fields
    } else {
      out[key] = content
    }
  }
  return out
}

/**
 * Repeats an effect every 2 ms until it returns true. Dies after 10 seconds.
 *
 * @category effects
 * @since 0.1.0
 */
export const eventually = <E, R>(self: Effect.Effect<boolean, E, R>): Effect.Effect<void, E, R> =>
  self.pipe(
    Effect.repeat({ until: (holds) => holds, schedule: Schedule.spaced("2 millis") }),
    Effect.timeoutOrElse({
      duration: "10 seconds",
      orElse: () => Effect.die(new Error("The condition did not become true within 10 seconds"))
    }),
    Effect.asVoid
  )

/**
 * Runs all effects concurrently and returns their results in order.
 *
 * @category effects
 * @since 0.1.0
 */
export const concurrently = <A, E, R>(effects: Iterable<Effect.Effect<A, E, R>>): Effect.Effect<Array<A>, E, R> =>
  Effect.all(effects, { concurrency: "unbounded" })

/**
 * Asserts that two numbers are identical bit by bit. `-0` differs from `0`, and `NaN` equals `NaN`.
 *
 * @category values
 * @since 0.1.0
 */
export const identicalNumber = (actual: number, expected: number, message?: string): void => {
  if (!Object.is(actual, expected)) assert.fail(`${message ?? ""}: expected ${show(expected)}, found ${show(actual)}`)
}

const show = (value: unknown): string => Object.is(value, -0) ? "-0" : String(value)

/**
 * Returns a generator of numbers from 0 (inclusive) to 1 (exclusive) that is determined by the seed.
 *
 * @category effects
 * @since 0.1.0
 */
export const pseudoRandom = (seed: number): () => number => {
  let state = seed >>> 0
  return () => {
    state = state + 0x6d2b79f5 | 0
    let t = Math.imul(state ^ state >>> 15, 1 | state)
    t = t + Math.imul(t ^ t >>> 7, 61 | t) ^ t
    return ((t ^ t >>> 14) >>> 0) / 4294967296
  }
}

const byText = (a: unknown, b: unknown): number => {
  const [x, y] = [inspect(a, { depth: 20 }), inspect(b, { depth: 20 })]
  return x < y ? -1 : x > y ? 1 : 0
}

/**
 * Returns a copy with sets and maps replaced by sorted arrays, because `deepEqual` compares members that are objects by
 * position.
 *
 * @category values
 * @since 0.1.0
 */
export const sortMembers = (value: unknown): unknown => {
  if (HashSet.isHashSet(value)) return { hashSet: [...value].map(sortMembers).sort(byText) }
  if (HashMap.isHashMap(value)) return { hashMap: [...value].map(sortMembers).sort(byText) }
  if (value instanceof Set) return { set: [...value].map(sortMembers).sort(byText) }
  if (value instanceof Map) return { map: [...value].map(sortMembers).sort(byText) }
  if (Array.isArray(value)) return value.map(sortMembers)
  if (typeof value !== "object" || value === null) return value
  return Object.getPrototypeOf(value) === Object.prototype
    ? Object.fromEntries(Object.entries(value).map(([name, part]) => [name, sortMembers(part)]))
    : value
}

/**
 * Asserts that two values are deeply equal, regardless of the order of sets and maps.
 *
 * @category values
 * @since 0.1.0
 */
export const equalUnordered = (actual: unknown, expected: unknown, message?: string): void =>
  assert.deepEqual(sortMembers(actual), sortMembers(expected), message)

/**
 * Returns the keys that differ between two dumps, and for the hash of an entity the fields that differ instead.
 *
 * @category stored data
 * @since 0.1.0
 */
export const changedKeys = (before: Dump, after: Dump): ReadonlyArray<string> =>
  [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((key) => {
    const [old, next] = [before[key]?.content, after[key]?.content]
    if (!key.endsWith("}")) return isDeepStrictEqual(old, next) ? [] : [key.slice(key.indexOf("}:") + 1)]
    const [was, is] = [old, next] as ReadonlyArray<Readonly<Record<string, string>>>
    return [...new Set([...Object.keys(was), ...Object.keys(is)])].filter((name) => was[name] !== is[name])
  }).sort()
