/**
 * The bounds of lengths and sizes.
 */
import type { FieldSpec } from "../instruction/spec.ts"
import { fail, failBounds } from "./stop.ts"

/**
 * The greatest length of an appended text in bytes of UTF-8, because a text that doubles again and again would block a
 * server. The layer limits a text that is written as a whole, and its limit may be greater.
 */
const maximumAppended = 1_000_000

const encoder = new TextEncoder()

/**
 * Returns the appended text. Fails with `tooLong` if it is too long.
 *
 * @internal
 */
export const joinedText = (text: string, more: string): string => {
  // the text is encoded only if it may be too long: a unit of UTF-16 is one to three bytes
  const length = text.length + more.length
  return length > maximumAppended ||
      length * 3 > maximumAppended && encoder.encode(text).length + encoder.encode(more).length > maximumAppended
    ? fail({ _tag: "tooLong" })
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
