/**
 * Whether two results are the same: exactly, but for the order of what has none, and for how long something still lives.
 */
import { DateTime, Duration, HashMap, HashSet, Option } from "effect"
import { isDeepStrictEqual } from "node:util"
import { Remaining, StoredVersion } from "./calls/entityCalls.ts"
import { isFresh, isNear } from "./storedState.ts"

const isLeaf = (value: object): boolean =>
  value instanceof Date || value instanceof Uint8Array || DateTime.isDateTime(value) || Duration.isDuration(value)

/** Sets and maps of any kind as those of JavaScript, which compare without an order. */
const plain = (value: unknown, times: Array<number>): unknown => {
  // `-0` is `0` by the contract: what a program is given back may be the caller's own number
  if (value === 0) return 0
  const inner = (part: unknown) => plain(part, times)
  if (typeof value !== "object" || value === null || isLeaf(value)) return value
  if (value instanceof Remaining) {
    times.push(value.millis)
    return "remaining"
  }
  if (value instanceof StoredVersion) return isFresh(value.text) ? "fresh" : value.text
  if (Option.isOption(value)) return Option.isSome(value) ? ["some", inner(value.value)] : "none"
  if (HashSet.isHashSet(value)) return ["HashSet", new Set(Array.from(value, inner))]
  if (value instanceof Set) return new Set(Array.from(value, inner))
  if (HashMap.isHashMap(value)) {
    return ["HashMap", new Map(Array.from(value, ([key, item]) => [inner(key), inner(item)]))]
  }
  if (value instanceof Map) return new Map(Array.from(value, ([key, item]) => [inner(key), inner(item)]))
  if (Array.isArray(value)) return value.map(inner)
  const names = Object.keys(value).sort()
  return [Object.getPrototypeOf(value), names.map((name) => [name, inner((value as Record<string, unknown>)[name])])]
}

export const alike = (a: unknown, b: unknown): boolean => {
  if (isDeepStrictEqual(a, b)) return true
  const ours: Array<number> = []
  const theirs: Array<number> = []
  return isDeepStrictEqual(plain(a, ours), plain(b, theirs)) && ours.every((time, i) => isNear(time, theirs[i]!))
}
