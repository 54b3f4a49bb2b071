/**
 * From where to where `Array.prototype.slice` goes: no further than there are items, and not backwards.
 *
 * @internal
 */
export const range = (length: number, from: number, to: number): readonly [from: number, to: number] => {
  const start = Math.min(from < 0 ? Math.max(0, from + length) : from, length)
  const end = Math.min(to < 0 ? Math.max(0, to + length) : to, length)
  return [start, Math.max(start, end)]
}
