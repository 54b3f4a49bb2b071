/**
 * Objects made from entries whose names come from outside.
 */

/**
 * Returns an object with exactly these fields. A field named `__proto__` is an ordinary field.
 *
 * @internal
 */
export const record = (entries: Iterable<readonly [string, unknown]>): Record<string, unknown> => {
  const out: Record<string, unknown> = {}
  for (const [name, value] of entries) {
    if (name === "__proto__") {
      Object.defineProperty(out, name, { value, enumerable: true, configurable: true, writable: true })
    } else {
      out[name] = value
    }
  }
  return out
}
