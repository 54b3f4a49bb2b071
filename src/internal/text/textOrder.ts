/**
 * The order of texts on a server.
 */

/** UTF-16 units in the order of code points, which is that of UTF-8 bytes: surrogates come last. */
const unit = (code: number): number => code < 0xd800 ? code : code < 0xe000 ? code + 0x2000 : code - 0x800

/**
 * Negative where `a` comes first, 0 where they are equal.
 *
 * @internal
 */
export const compareBytes = (a: string, b: string): number => {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const difference = unit(a.charCodeAt(i)) - unit(b.charCodeAt(i))
    if (difference !== 0) return difference
  }
  return a.length - b.length
}
