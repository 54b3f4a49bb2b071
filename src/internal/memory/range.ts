/**
 * Positions in lists and sorted sets.
 */

/**
 * Returns the range of `Array.prototype.slice`: the end is exclusive, and negative positions count from the end.
 *
 * @internal
 */
export const sliceBounds = (length: number, from: number, to: number): readonly [from: number, to: number] => {
  const start = Math.min(from < 0 ? Math.max(0, from + length) : from, length)
  const end = Math.min(to < 0 ? Math.max(0, to + length) : to, length)
  return [start, Math.max(start, end)]
}
