/**
 * Bounds of lengths and sizes.
 */
import type { FieldSpec } from "../instruction/spec.ts"
import { outOf, stop } from "./stop.ts"

/**
 * The greatest length, in bytes of UTF-8, of a text that an append makes. A text that is written as a whole has the
 * limit of the layer, which may be greater.
 */
const longest = 1_000_000

const encoder = new TextEncoder()

/**
 * The text that an append makes, if it is not too long: a text that doubles again and again would block a server.
 *
 * @internal
 */
export const joinedText = (text: string, more: string): string => {
  // each unit of UTF-16 is one to three bytes
  const length = text.length + more.length
  return length > longest ||
      length * 3 > longest && encoder.encode(text).length + encoder.encode(more).length > longest
    ? stop({ _tag: "tooLong" })
    : text + more
}

/**
 * Checks the length of a text or a list.
 *
 * @internal
 */
export const sized = (length: number, spec: FieldSpec): number => {
  if (spec.minLength !== undefined && length < spec.minLength) return outOf("minLength")
  if (spec.maxLength !== undefined && length > spec.maxLength) return outOf("maxLength")
  return length
}

/**
 * Checks the size of a set, map or sorted set. Only growing can exceed the maximum, and only shrinking can fall below
 * the minimum.
 *
 * @internal
 */
export const counted = (before: number, after: number, spec: FieldSpec): void => {
  if (spec.minSize !== undefined && after < before && after < spec.minSize) return outOf("minSize")
  if (spec.maxSize !== undefined && after > before && after > spec.maxSize) return outOf("maxSize")
}
