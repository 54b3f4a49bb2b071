/** The order of the values that an index is made of. */

export type Part = string | number | bigint | undefined

/** Absent values come first. */
export const comparePart = (a: Part, b: Part): number =>
  a === b ? 0 : a === undefined ? -1 : b === undefined ? 1 : a < b ? -1 : 1
