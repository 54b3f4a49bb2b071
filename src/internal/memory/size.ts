/**
 * The bounds of lengths and sizes.
 */
import type { FieldSpec } from "../instruction/spec.ts"
import { fail, failBounds } from "./stop.ts"

const encoder = new TextEncoder()

/**
 * Returns the appended text. Fails with `tooLong` if it has more bytes than a value may have.
 *
 * @internal
 */
export const joinedText = (text: string, more: string, limit: number): string => {
  // the text is encoded only if it may be too long: a unit of UTF-16 is one to three bytes
  const length = text.length + more.length
  return length > limit ||
      length * 3 > limit && encoder.encode(text).length + encoder.encode(more).length > limit
    ? fail({ _tag: "tooLong", limit })
    : text + more
}

/**
 * Returns the length of a text or a list, if it is within its bounds.
 *
 * @internal
 */
export const checkLength = (length: number, spec: FieldSpec): number => {
  if (spec.minLength !== undefined && length < spec.minLength) return failBounds("minLength")
  if (spec.maxLength !== undefined && length > spec.maxLength) return failBounds("maxLength")
  return length
}

/**
 * Checks the size of a set, map or sorted set. Fails with `maxSize` only if the collection grows, and with `minSize` only
 * if it shrinks.
 *
 * @internal
 */
export const checkSize = (before: number, after: number, spec: FieldSpec): void => {
  if (spec.minSize !== undefined && after < before && after < spec.minSize) return failBounds("minSize")
  if (spec.maxSize !== undefined && after > before && after > spec.maxSize) return failBounds("maxSize")
}
