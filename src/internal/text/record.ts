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
  for (const [name, value] of entries) setField(out, name, value)
  return out
}

/**
 * Sets a field of an object.
 *
 * @internal
 */
export const setField = (out: object, name: string, value: unknown): void => {
  if (name === "__proto__") {
    Object.defineProperty(out, name, { value, enumerable: true, configurable: true, writable: true })
  } else {
    ;(out as Record<string, unknown>)[name] = value
  }
}
