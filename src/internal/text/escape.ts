/**
 * Text within the name of a key. Whatever could end a part of a name, be a hash tag, a pattern or unreadable in a terminal
 * is written as `%` and two digits; everything else stands as it is. A bijection, so two ids are never one key.
 */
import { Problem } from "./problem.ts"

const special = /[\u0000-\u0020\u007f%{}:*?[\]\\^$"'`]/
const specials = new RegExp(special, "g")

const percent = (char: string): string => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`

/** @internal */
export const escape = (text: string): string => special.test(text) ? text.replaceAll(specials, percent) : text

/** @internal */
export const escapeField = (name: string): string => escape(name).replaceAll(".", "%2E")

/**
 * The dotted name of a field whose path this is.
 *
 * @internal
 */
export const fieldOfPath = (path: string): string =>
  path.replaceAll(/%(..)/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)))

const maximumBytes = 1024
/** Most ids need no second look. */
const plain = /^[\w.@+=,;/-]{1,255}$/
const encoder = new TextEncoder()

/** @internal */
export const tooLong = new Problem(`Expected a key of at most ${maximumBytes} bytes`)

/** @internal */
export const isTooLong = (escaped: string): boolean =>
  escaped.length * 3 > maximumBytes && encoder.encode(escaped).length > maximumBytes

/** @internal */
export const escapeId = (text: string): string | Problem => {
  if (plain.test(text)) return text
  if (text === "") return new Problem("Expected a key that is not empty")
  if (!text.isWellFormed()) return new Problem("Expected well-formed Unicode")
  const escaped = escape(text)
  return isTooLong(escaped) ? tooLong : escaped
}
