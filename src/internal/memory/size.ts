/**
 * Bounds of how much there is.
 */
import type { FieldSpec } from "../instruction/spec.ts"
import { outOf, stop } from "./stop.ts"

/** In bytes of UTF-8. What is written as a whole has the limit of the layer, which may be larger. */
const longest = 1_000_000

const encoder = new TextEncoder()

/**
 * The text that an append makes: one that doubles would block a server.
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
 * Of a text or a list.
 *
 * @internal
 */
export const sized = (length: number, spec: FieldSpec): number => {
  if (spec.minLength !== undefined && length < spec.minLength) return outOf("minLength")
  if (spec.maxLength !== undefined && length > spec.maxLength) return outOf("maxLength")
  return length
}

/**
 * Of a set, a map or a sorted set, which only what grows can exceed, and only what shrinks undercut.
 *
 * @internal
 */
export const counted = (before: number, after: number, spec: FieldSpec): void => {
  if (spec.minSize !== undefined && after < before && after < spec.minSize) return outOf("minSize")
  if (spec.maxSize !== undefined && after > before && after > spec.maxSize) return outOf("maxSize")
}
