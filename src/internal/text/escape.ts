/**
 * Escapes text for the name of a key. Characters that could end a part of a name, be a hash tag or a pattern, or be
 * unreadable in a terminal are written as `%` and two digits. The escape is a bijection, so two ids never share a key.
 *
 * May import: nothing outside text/.
 * Must not know: anything of this library.
 * Invariant: pure functions.
 */
import { Problem } from "./problem.ts"

const special = /[\u0000-\u0020\u007f%{}:*?[\]\\^$"'`]/
const specials = new RegExp(special, "g")

const percent = (char: string): string => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`

/** @internal */
export const escape = (text: string): string => special.test(text) ? text.replaceAll(specials, percent) : text

/**
 * Escapes the name of a field, including its dots, because dots join the names of a path.
 *
 * @internal
 */
export const escapeField = (name: string): string => escape(name).replaceAll(".", "%2E")

/**
 * The opposite of `escape`, and of `escapeField`: the dotted name of the field with this path.
 *
 * @internal
 */
export const unescape = (escaped: string): string =>
  escaped.replaceAll(/%(..)/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)))

/**
 * The beginning of the ids of one namespace, and of no id of another one: its name, and a slash.
 *
 * @internal
 */
export const namespace = (name: string): string => `${name.replaceAll(/[%/]/g, percent)}/`

const maximumBytes = 1024
/** Most ids match this pattern, which needs no escape and is short enough. */
const plain = /^[\w.@+=,;/-]{1,255}$/
const encoder = new TextEncoder()

/** @internal */
export const tooLong = new Problem(`Expected a key of at most ${maximumBytes} bytes`)

/**
 * Whether an escaped id is too long for a key.
 *
 * @internal
 */
export const isTooLong = (escaped: string): boolean =>
  escaped.length * 3 > maximumBytes && encoder.encode(escaped).length > maximumBytes

/**
 * Escapes an id, or returns why it cannot be part of a key.
 *
 * @internal
 */
export const escapeId = (text: string): string | Problem => {
  if (plain.test(text)) return text
  if (text === "") return new Problem("Expected a key that is not empty")
  if (!text.isWellFormed()) return new Problem("Expected well-formed Unicode")
  const escaped = escape(text)
  return isTooLong(escaped) ? tooLong : escaped
}
