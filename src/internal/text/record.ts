/**
 * An object with exactly these fields, one of which may be called `__proto__`.
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
