/**
 * The order in which a server sorts texts: by their UTF-8 bytes.
 */

/** Returns the rank of a UTF-16 unit in the order of UTF-8 bytes, which is the order of code points: surrogates come last. */
const unit = (code: number): number => code < 0xd800 ? code : code < 0xe000 ? code + 0x2000 : code - 0x800

/**
 * Returns a negative number if `a` comes first, 0 if the texts are equal, a positive number if `b` comes first.
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
