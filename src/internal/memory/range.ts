/**
 * The range of `Array.prototype.slice`, limited to the items that exist, and never negative.
 *
 * @internal
 */
export const range = (length: number, from: number, to: number): readonly [from: number, to: number] => {
  const start = Math.min(from < 0 ? Math.max(0, from + length) : from, length)
  const end = Math.min(to < 0 ? Math.max(0, to + length) : to, length)
  return [start, Math.max(start, end)]
}
