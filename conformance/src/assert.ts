/**
 * Basic assertions for any test framework. Each throws an AssertionError that shows the expected and the actual value.
 */
import { AssertionError } from "node:assert"
import { inspect } from "node:util"

const show = (value: unknown): string =>
  inspect(value, { depth: 10, maxArrayLength: 50, maxStringLength: 200, breakLength: Infinity })

/**
 * Throws an AssertionError with this message.
 *
 * @category equality
 * @since 0.1.0
 */
export const fail = (problem: string): never => {
  throw new AssertionError({ message: problem })
}

const check = (holds: boolean, message: string | undefined, problem: () => string): void => {
  if (!holds) fail(message === undefined ? problem() : `${message}: ${problem()}`)
}

// ---------------------------------------------------------------------------------------------------------------------
// equality
// ---------------------------------------------------------------------------------------------------------------------

/** A step of a path: `.name` or `[0]`. */
const step = (name: PropertyKey): string =>
  typeof name === "symbol" ? `[${String(name)}]` : /^\d+$/.test(String(name)) ? `[${String(name)}]` : `.${name}`

/** The tag of the value's type, such as `[object Map]`, and not its class. */
const kindOf = (value: object): string => Object.prototype.toString.call(value)

/**
 * The enumerable keys, including inherited ones and symbols, because class instances of equal methods should be equal.
 */
const keysOf = (value: object): ReadonlySet<PropertyKey> => {
  const keys = new Set<PropertyKey>()
  for (const key in value) keys.add(key)
  for (const symbol of Object.getOwnPropertySymbols(value)) {
    if (Object.prototype.propertyIsEnumerable.call(value, symbol)) keys.add(symbol)
  }
  return keys
}

type Pairs = Map<object, Set<object>>

const sequence = (a: ReadonlyArray<unknown>, b: ReadonlyArray<unknown>, path: string, seen: Pairs) => {
  if (a.length !== b.length) return `${path} has a length of ${a.length} instead of ${b.length}`
  for (let i = 0; i < a.length; i++) {
    const found = difference(a[i], b[i], `${path}[${i}]`, seen)
    if (found !== undefined) return found
  }
  return undefined
}

/**
 * Describes the first difference of two values, or returns undefined. `-0` differs from `0`, and `NaN` equals `NaN`. A
 * class instance equals a plain object with the same fields. Set members and map keys that are objects must be in the
 * same order.
 */
const difference = (a: unknown, b: unknown, path: string, seen: Pairs): string | undefined => {
  const differs = () => `${path} is ${show(a)} instead of ${show(b)}`
  if (Object.is(a, b)) return undefined
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return differs()
  if (kindOf(a) !== kindOf(b)) return differs()
  if (seen.get(a)?.has(b) === true) return undefined
  seen.set(a, (seen.get(a) ?? new Set()).add(b))
  if (Array.isArray(a) && Array.isArray(b)) return sequence(a, b, path, seen)
  if (ArrayBuffer.isView(a) && ArrayBuffer.isView(b)) {
    return sequence(Array.from(a as Uint8Array), Array.from(b as Uint8Array), path, seen)
  }
  if (a instanceof Date && b instanceof Date) return Object.is(a.getTime(), b.getTime()) ? undefined : differs()
  if (a instanceof RegExp && b instanceof RegExp) return String(a) === String(b) ? undefined : differs()
  if (a instanceof Set && b instanceof Set) return sequence([...a].sort(), [...b].sort(), path, seen)
  if (a instanceof Map && b instanceof Map) {
    const [keys, others] = [[...a.keys()].sort(), [...b.keys()].sort()]
    return sequence(keys, others, `${path}.keys`, seen) ??
      sequence(keys.map((key) => a.get(key)), others.map((key) => b.get(key)), `${path}.values`, seen)
  }
  if (a instanceof Error && b instanceof Error && (a.name !== b.name || a.message !== b.message)) return differs()
  if (a instanceof Promise || a instanceof WeakMap || a instanceof WeakSet) return differs()
  const [keys, others] = [keysOf(a), keysOf(b)]
  for (const key of others) if (!keys.has(key)) return `${path} lacks ${step(key)}`
  for (const key of keys) if (!others.has(key)) return `${path} has ${step(key)}, which is not expected`
  for (const key of keys) {
    const found = difference(
      (a as Record<PropertyKey, unknown>)[key],
      (b as Record<PropertyKey, unknown>)[key],
      `${path}${step(key)}`,
      seen
    )
    if (found !== undefined) return found
  }
  return undefined
}

/**
 * Asserts that two values have the same structure and the same leaves.
 *
 * @category equality
 * @since 0.1.0
 */
export const deepEqual = <A>(actual: A, expected: A, message?: string): void => {
  const found = difference(actual, expected, "it", new Map())
  if (found === undefined) return
  const whole = [`expected ${show(expected)}`, `found ${show(actual)}`].map((text) => text.slice(0, 2000)).join("\n")
  fail(`${message === undefined ? "" : `${message}: `}${found}\n${whole}`)
}

/**
 * Asserts `actual === expected`.
 *
 * @category equality
 * @since 0.1.0
 */
export const strictEqual = <A>(actual: A, expected: A, message?: string): void =>
  check(actual === expected, message, () => `expected ${show(expected)}, found ${show(actual)}`)

/**
 * Asserts `actual !== expected`.
 *
 * @category equality
 * @since 0.1.0
 */
export const notStrictEqual = <A>(actual: A, expected: A, message?: string): void =>
  check(actual !== expected, message, () => `expected anything but ${show(expected)}`)

// ---------------------------------------------------------------------------------------------------------------------
// single values
// ---------------------------------------------------------------------------------------------------------------------

/**
 * Asserts `value === true`.
 *
 * @category values
 * @since 0.1.0
 */
export const isTrue = (value: unknown, message?: string): void => strictEqual(value, true, message)

/**
 * Asserts `value === false`.
 *
 * @category values
 * @since 0.1.0
 */
export const isFalse = (value: unknown, message?: string): void => strictEqual(value, false, message)

/**
 * Asserts `value === null`.
 *
 * @category values
 * @since 0.1.0
 */
export const isNull = (value: unknown, message?: string): void => strictEqual(value, null, message)

/**
 * Asserts `value === undefined`.
 *
 * @category values
 * @since 0.1.0
 */
export const isUndefined = (value: unknown, message?: string): void => strictEqual(value, undefined, message)

/**
 * Asserts `value !== undefined`.
 *
 * @category values
 * @since 0.1.0
 */
export const isDefined = (value: unknown, message?: string): void => notStrictEqual(value, undefined, message)

/**
 * Asserts that a value is a function.
 *
 * @category values
 * @since 0.1.0
 */
export const isFunction = (value: unknown, message?: string): void => strictEqual(typeof value, "function", message)

/**
 * Asserts `value > limit`.
 *
 * @category values
 * @since 0.1.0
 */
export const isAbove = (value: number, limit: number, message?: string): void =>
  check(value > limit, message, () => `expected more than ${limit}, found ${value}`)

/**
 * Asserts `value >= limit`.
 *
 * @category values
 * @since 0.1.0
 */
export const isAtLeast = (value: number, limit: number, message?: string): void =>
  check(value >= limit, message, () => `expected at least ${limit}, found ${value}`)

/**
 * Asserts `value < limit`.
 *
 * @category values
 * @since 0.1.0
 */
export const isBelow = (value: number, limit: number, message?: string): void =>
  check(value < limit, message, () => `expected less than ${limit}, found ${value}`)

/**
 * Asserts `value <= limit`.
 *
 * @category values
 * @since 0.1.0
 */
export const isAtMost = (value: number, limit: number, message?: string): void =>
  check(value <= limit, message, () => `expected at most ${limit}, found ${value}`)

/**
 * Asserts that two numbers differ by no more than `delta`.
 *
 * @category values
 * @since 0.1.0
 */
export const closeTo = (value: number, expected: number, delta: number, message?: string): void =>
  check(Math.abs(value - expected) <= delta, message, () => `expected ${expected} ± ${delta}, found ${value}`)

/**
 * Asserts that a text matches a pattern.
 *
 * @category values
 * @since 0.1.0
 */
export const match = (text: string, pattern: RegExp, message?: string): void =>
  check(pattern.test(text), message, () => `expected a text like ${String(pattern)}, found ${show(text)}`)

/**
 * Asserts that a value is one of several, compared with `===`.
 *
 * @category values
 * @since 0.1.0
 */
export const oneOf = <A>(value: A, values: ReadonlyArray<A>, message?: string): void =>
  check(values.includes(value), message, () => `expected one of ${show(values)}, found ${show(value)}`)

// ---------------------------------------------------------------------------------------------------------------------
// collections and objects
// ---------------------------------------------------------------------------------------------------------------------

type Length = { readonly length: number }

/**
 * Asserts the length of an array or a text.
 *
 * @category collections
 * @since 0.1.0
 */
export const lengthOf = (value: Length, length: number, message?: string): void =>
  check(value.length === length, message, () => `expected a length of ${length}, found ${value.length}: ${show(value)}`)

/**
 * Asserts that an array or a text is not empty.
 *
 * @category collections
 * @since 0.1.0
 */
export const isNotEmpty = (value: Length, message?: string): void => isAbove(value.length, 0, message)

const contains = <A>(all: string | ReadonlyArray<A>, part: A): boolean =>
  typeof all === "string" ? all.includes(String(part)) : all.includes(part)

/**
 * Asserts that a text contains a text, or that an array contains an item, compared with `===`.
 *
 * @category collections
 * @since 0.1.0
 */
export const include = <A>(all: string | ReadonlyArray<A>, part: A, message?: string): void =>
  check(contains(all, part), message, () => `expected ${show(all)} to include ${show(part)}`)

/**
 * Asserts that a text does not contain a text, or that an array does not contain an item.
 *
 * @category collections
 * @since 0.1.0
 */
export const notInclude = <A>(all: string | ReadonlyArray<A>, part: A, message?: string): void =>
  check(!contains(all, part), message, () => `expected ${show(all)} not to include ${show(part)}`)

/**
 * Asserts that an array contains all these items, compared with `===`.
 *
 * @category collections
 * @since 0.1.0
 */
export const includeMembers = <A>(all: ReadonlyArray<A>, members: ReadonlyArray<A>, message?: string): void => {
  for (const member of members) include(all, member, message)
}

/**
 * Asserts that two arrays have the same items, each as often, in any order.
 *
 * @category collections
 * @since 0.1.0
 */
export const sameMembers = <A>(all: ReadonlyArray<A>, members: ReadonlyArray<A>, message?: string): void =>
  deepEqual([...all].sort(), [...members].sort(), message)

const has = (value: unknown, name: PropertyKey): boolean => typeof value === "object" && value !== null && name in value

/**
 * Asserts that an object has a property, own or inherited.
 *
 * @category collections
 * @since 0.1.0
 */
export const property = (value: unknown, name: PropertyKey, message?: string): void =>
  check(has(value, name), message, () => `expected a property ${String(name)} of ${show(value)}`)

/**
 * Asserts that an object lacks a property. Fails for a value that is not an object.
 *
 * @category collections
 * @since 0.1.0
 */
export const notProperty = (value: unknown, name: PropertyKey, message?: string): void =>
  check(
    typeof value === "object" && !has(value, name),
    message,
    () => `expected no property ${String(name)} of ${show(value)}`
  )

/**
 * Asserts that an object has these properties with deeply equal values. It may have others.
 *
 * @category collections
 * @since 0.1.0
 */
export const deepInclude = (value: object, part: object, message?: string): void => {
  for (const [name, expected] of Object.entries(part)) {
    property(value, name, message)
    deepEqual(
      (value as Record<string, unknown>)[name],
      expected,
      `${message === undefined ? "" : `${message}: `}${name}`
    )
  }
}

type Class = abstract new(...args: Array<any>) => unknown

/**
 * Asserts that a value is an instance of a class.
 *
 * @category collections
 * @since 0.1.0
 */
export const instanceOf = (value: unknown, of: Class, message?: string): void =>
  check(value instanceof of, message, () => `expected an instance of ${of.name}, found ${show(value)}`)

/**
 * Asserts that a value is not an instance of a class.
 *
 * @category collections
 * @since 0.1.0
 */
export const notInstanceOf = (value: unknown, of: Class, message?: string): void =>
  check(!(value instanceof of), message, () => `expected no instance of ${of.name}, found ${show(value)}`)

/**
 * Asserts that `run` throws an error of a class, or one whose message matches.
 *
 * @category collections
 * @since 0.1.0
 */
export const throws = (run: () => unknown, expected: RegExp | Class, message?: string): void => {
  let thrown: { readonly error: unknown } | undefined
  try {
    run()
  } catch (error) {
    thrown = { error }
  }
  if (thrown === undefined) {
    check(false, message, () => "expected an exception, and there was none")
  } else if (expected instanceof RegExp) {
    match(thrown.error instanceof Error ? thrown.error.message : String(thrown.error), expected, message)
  } else {
    instanceOf(thrown.error, expected, message)
  }
}
