/**
 * Bounds of how much there is.
 */
import type { FieldSpec } from "../program/instruction.ts"
import { outOf } from "./stop.ts"

/**
 * Of a text or a list.
 *
 * @internal
 */
export const sized = (length: number, spec: FieldSpec): number => {
  if (spec.minl !== undefined && length < spec.minl) return outOf("minLength")
  if (spec.maxl !== undefined && length > spec.maxl) return outOf("maxLength")
  return length
}

/**
 * Of a set, a map or a sorted set, which only what grows can exceed, and only what shrinks undercut.
 *
 * @internal
 */
export const counted = (before: number, after: number, spec: FieldSpec): void => {
  if (spec.minc !== undefined && after < before && after < spec.minc) return outOf("minSize")
  if (spec.maxc !== undefined && after > before && after > spec.maxc) return outOf("maxSize")
}
