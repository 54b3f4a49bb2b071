/**
 * When two values are the same, by what the contract says of an exact round trip.
 */
import { BigDecimal, Chunk, DateTime, Duration, Equal, HashMap, HashSet, Option } from "effect"
import { inspect } from "node:util"

/** A property of an object itself, and never of its prototype. */
export const own = (self: object, name: string): unknown =>
  Object.hasOwn(self, name) ? (self as Record<string, unknown>)[name] : undefined

/** For people. */
export const show = (value: unknown): string => {
  const shown = inspect(value, { depth: 8, breakLength: Infinity, compact: true }).replaceAll(/\s+/g, " ")
  return shown.length > 300 ? `${shown.slice(0, 300)}…` : shown
}

/** Each of the one in the other, whatever their order. */
const unordered = (
  expected: ReadonlyArray<unknown>,
  actual: ReadonlyArray<unknown>,
  path: string
): string | undefined => {
  if (expected.length !== actual.length) return `${path}: of size ${actual.length}, not ${expected.length}`
  const rest = [...actual]
  for (const member of expected) {
    const at = rest.findIndex((candidate) => difference(member, candidate, "") === undefined)
    if (at < 0) return `${path}: it lacks ${show(member)}, and has ${show(rest)}`
    rest.splice(at, 1)
  }
}

const isPlain = (value: unknown): value is Date | DateTime.DateTime | Duration.Duration | BigDecimal.BigDecimal =>
  value instanceof Date || DateTime.isDateTime(value) || Duration.isDuration(value) || BigDecimal.isBigDecimal(value)

/**
 * Where two values differ, if they do: in any type, constructor or part, up to what the contract leaves open. `-0` is `0`, a
 * key whose value is undefined is an absent key, and only lists have an order.
 */
export const difference = (expected: unknown, actual: unknown, path = "it"): string | undefined => {
  if (Object.is(expected, actual) || expected === actual) return
  const other = `${path}: is ${show(actual)}, not ${show(expected)}`
  if (typeof expected !== "object" || typeof actual !== "object" || expected === null || actual === null) return other
  if (Object.getPrototypeOf(expected) !== Object.getPrototypeOf(actual)) {
    return `${path}: is of ${show(actual.constructor?.name)}, not of ${show(expected.constructor?.name)}; ${other}`
  }
  if (isPlain(expected)) return Equal.equals(expected, actual) ? undefined : other
  if (expected instanceof URL) return expected.href === (actual as URL).href ? undefined : other
  if (Option.isOption(expected) && Option.isSome(expected) && Option.isOption(actual) && Option.isSome(actual)) {
    return difference(expected.value, actual.value, `${path}.some`)
  }
  if (Option.isOption(expected)) return other
  if (expected instanceof Set) return unordered([...expected], [...actual as Set<unknown>], path)
  if (expected instanceof Map) return unordered([...expected], [...actual as Map<unknown, unknown>], path)
  if (HashSet.isHashSet(expected)) return unordered([...expected], [...actual as HashSet.HashSet<unknown>], path)
  if (HashMap.isHashMap(expected)) return unordered([...expected], [...actual as Iterable<unknown>], path)
  if (Chunk.isChunk(expected)) return difference([...expected], [...actual as Iterable<unknown>], path)
  if (Array.isArray(expected) || expected instanceof Uint8Array) {
    const [ours, theirs] = [expected, actual as ReadonlyArray<unknown>]
    if (ours.length !== theirs.length) return `${path}: of length ${theirs.length}, not ${ours.length}`
    for (let i = 0; i < ours.length; i++) {
      const found = difference(ours[i], theirs[i], `${path}[${i}]`)
      if (found !== undefined) return found
    }
    return
  }
  for (const name of new Set([...Object.keys(expected), ...Object.keys(actual)])) {
    const found = difference(own(expected, name), own(actual, name), `${path}.${JSON.stringify(name)}`)
    if (found !== undefined) return found
  }
}

/** Each value once. */
export const distinct = <A>(values: ReadonlyArray<A>): ReadonlyArray<A> =>
  values.filter((value, i) => values.findIndex((other) => difference(other, value) === undefined) === i)
