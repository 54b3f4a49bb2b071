/**
 * Writes JSON so that two texts are equal exactly if their values are, and parses JSON.
 */
import { record } from "./record.ts"

/**
 * The greatest number of levels of a stored value.
 *
 * @internal
 */
export const maximumDepth = 500

/**
 * Returns JSON with sorted keys, so that equal values have equal texts. Throws a `RangeError` if the value has more than 500
 * levels.
 *
 * @internal
 */
export const canonicalJson = (value: unknown, depth = 0): string => {
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null"
  if (depth > maximumDepth) throw new RangeError(`Expected no more than ${maximumDepth} levels`)
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item, depth + 1)).join(",")}]`
  const entries = Object.keys(value).sort().filter((key) => (value as Record<string, unknown>)[key] !== undefined)
    .map((key) => `${JSON.stringify(key)}:${canonicalJson((value as Record<string, unknown>)[key], depth + 1)}`)
  return `{${entries.join(",")}}`
}

const strings = /"(?:[^"\\]|\\.)*"(?=\s*(:)?)/gs

/**
 * Parses JSON. Keys with escapes are decoded separately, because V8 may confuse such a key with another key that it parsed
 * before at the same place (nodejs/node#63785).
 *
 * @internal
 */
export const parseJson = (text: string): unknown => {
  if (!text.includes("\\")) return JSON.parse(text)
  let escaped = false
  const renamed = text.replaceAll(strings, (token, colon) => {
    if (colon === undefined) return token
    escaped ||= token.includes("\\")
    return `"${encodeURIComponent(JSON.parse(token))}"`
  })
  return escaped ? withNames(JSON.parse(renamed)) : JSON.parse(text)
}

const withNames = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.map(withNames)
    : typeof value === "object" && value !== null
    ? record(Object.entries(value).map(([name, part]) => [decodeURIComponent(name), withNames(part)]))
    : value
