/**
 * Encodes stored texts of scalars so that the order of the bytes is the order of the values. The members of a lexicographic index
 * are made of such parts. The twin of orderCode.lua.
 *
 * No part is the beginning of another one of its code, so parts can be joined. All of it is well-formed Unicode, so it can travel as
 * JSON. "Order" means that of UTF-8 bytes: see textOrder.ts.
 */
import { numeric } from "./numberText.ts"
import { compareBytes } from "./textOrder.ts"

/**
 * How a stored text is encoded.
 *
 * - `i`: an integer of any size. A letter for the sign and the number of digits, then the digits; below zero, nine minus each digit.
 * - `d`: a double. 16 hexadecimal digits of its bits: the sign is flipped, and below zero all bits are.
 * - `b`: a boolean. `0` or `1`.
 * - `s`: a text. NUL and U+0001 are escaped, and NUL ends it.
 * - `j`: a text that is stored as its JSON. As `s`.
 */
export type OrderCode = "i" | "d" | "b" | "s" | "j"

/**
 * How a part is encoded. An upper-case code is of a part that may be absent: `0` if it is, else `1` and the part.
 *
 * @internal
 */
export type PartCode = OrderCode | Uppercase<OrderCode>

/**
 * A part that is absent.
 *
 * @internal
 */
export const absent = "0"

/**
 * The beginning of a part that may be absent and is not.
 *
 * @internal
 */
export const present = "1"

const textEnd = "\u0000"

/** Escapes what could be the end of a text. `a` stays before `a` and NUL, that before `a` and U+0001, and that before `a!`. */
const escapeControls = (text: string): string =>
  text.replaceAll("\u0001", "\u0001\u0002").replaceAll(textEnd, "\u0001\u0001")

const unescapeControls = (text: string): string =>
  text.replaceAll("\u0001\u0001", textEnd).replaceAll("\u0001\u0002", "\u0001")

const nineMinus = (digits: string): string => digits.replaceAll(/\d/g, (digit) => String(9 - Number(digit)))

/** The number of digits from which on it does not fit into a letter, and stands behind `z` or `A`. */
const long = 26

/** @param text without leading zeros and without a negative zero */
const encodeInteger = (text: string): string => {
  if (!text.startsWith("-")) {
    const size = text.length
    return (size < long ? String.fromCharCode(96 + size) : `z${encodeInteger(String(size))}`) + text
  }
  const size = text.length - 1
  return (size < long ? String.fromCharCode(91 - size) : `A${encodeInteger(String(-size))}`) + nineMinus(text.slice(1))
}

/**
 * Returns the text of an integer without leading zeros and without a negative zero. Integers may also be stored as `007`, `1.0` and
 * `1e3`.
 *
 * @internal
 */
export const integerOf = (text: string): string | undefined => {
  const [, sign, digits] = /^(-?)0*(\d+)$/.exec(text) ?? []
  if (digits !== undefined) return digits === "0" ? digits : sign + digits
  const n = numeric.test(text) ? Number(text) : NaN
  return Number.isSafeInteger(n) ? String(n) : undefined
}

const doubleOf = (text: string): number | undefined => {
  if (text === "Infinity" || text === "-Infinity") return Number(text)
  const n = numeric.test(text) ? Number(text) : NaN
  return Number.isFinite(n) ? n : undefined
}

const bits = new DataView(new ArrayBuffer(8))

const hex = (bits: number): string => (bits >>> 0).toString(16).padStart(8, "0")

const encodeDouble = (n: number): string => {
  bits.setFloat64(0, n === 0 ? 0 : n)
  const high = bits.getInt32(0)
  const low = bits.getInt32(4)
  return n < 0 ? hex(~high) + hex(~low) : hex(high ^ 0x80000000) + hex(low)
}

const encodeText = (text: string): string | undefined =>
  text.isWellFormed() ? escapeControls(text) + textEnd : undefined

const textOfJson = (text: string): string | undefined => {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === "string" ? value : undefined
  } catch {
    return undefined
  }
}

/**
 * Encodes a stored text, or returns undefined if it has no place in the order: it is absent, not a number, or not of its code.
 *
 * @internal
 */
export const encode = (code: PartCode, text: string | undefined): string | undefined => {
  if (text === undefined) return code < "a" ? absent : undefined
  switch (code) {
    case "i": {
      const integer = integerOf(text)
      return integer === undefined ? undefined : encodeInteger(integer)
    }
    case "d": {
      const n = doubleOf(text)
      return n === undefined ? undefined : encodeDouble(n)
    }
    case "b":
      return text === "true" ? "1" : text === "false" ? "0" : undefined
    case "s":
      return encodeText(text)
    case "j": {
      const value = textOfJson(text)
      return value === undefined ? undefined : encodeText(value)
    }
    default: {
      const part = encode(code.toLowerCase() as OrderCode, text)
      return part === undefined ? undefined : present + part
    }
  }
}

/**
 * Returns the member of an entity: its parts, then its id, so that equal parts are ordered by id.
 *
 * @internal
 */
export const memberOf = (parts: ReadonlyArray<string>, id: string): string => parts.join("") + escapeControls(id)

/** Returns the position behind the part that begins at `at`. */
const endOf = (member: string, code: string, at: number): number => {
  switch (code) {
    case "b":
      return at + 1
    case "d":
      return at + 16
    case "s":
    case "j":
      return member.indexOf(textEnd, at) + 1
    case "i": {
      const letter = member.charCodeAt(at)
      const size = letter > 96 ? letter - 96 : 91 - letter
      if (size < long) return at + 1 + size
      const end = endOf(member, "i", at + 1)
      const digits = member.slice(at + 2, end)
      return end + Number(letter > 96 ? digits : nineMinus(digits))
    }
    default:
      return member[at] === absent ? at + 1 : endOf(member, code.toLowerCase(), at + 1)
  }
}

/**
 * Returns the id at the end of a member.
 *
 * @param codes of the parts before it: a letter each
 *
 * @internal
 */
export const idOf = (member: string, codes: string): string => {
  let at = 0
  for (const code of codes) at = endOf(member, code, at)
  return unescapeControls(member.slice(at))
}

/**
 * The members from `from` on that come before `to`. Unset: there is no end.
 *
 * @internal
 */
export interface Range {
  readonly from: string
  readonly to: string | undefined
}

/**
 * Bounds of a part, which is encoded.
 *
 * @internal
 */
export interface Bounds {
  readonly gt?: string | undefined
  readonly gte?: string | undefined
  readonly lt?: string | undefined
  readonly lte?: string | undefined
}

/**
 * Returns the first text that comes after all that begin with `prefix`, or undefined if no text does.
 *
 * @internal
 */
export const after = (prefix: string): string | undefined => {
  for (let end = prefix.length; end > 0;) {
    const last = prefix.charCodeAt(end - 1)
    const start = last >= 0xdc00 && last < 0xe000 ? end - 2 : end - 1
    const point = prefix.codePointAt(start)!
    // surrogates are no characters, and nothing follows the last character
    if (point < 0x10ffff) return prefix.slice(0, start) + String.fromCodePoint(point === 0xd7ff ? 0xe000 : point + 1)
    end = start
  }
}

/**
 * Returns the range of the members whose first parts are `prefix`, and whose next part is within the bounds. A range of a part that
 * may be absent has a prefix that ends with `present`.
 *
 * @param prefix the parts that are equal, joined
 *
 * @internal
 */
export const rangeOf = (prefix: string, { gt, gte, lt, lte }: Bounds = {}): Range => {
  let from = prefix
  if (gte !== undefined) from = prefix + gte
  if (gt !== undefined) {
    const next = after(prefix + gt)!
    if (compareBytes(next, from) > 0) from = next
  }
  let to = lte === undefined ? after(prefix) : after(prefix + lte)
  if (lt !== undefined && (to === undefined || compareBytes(prefix + lt, to) < 0)) to = prefix + lt
  return { from, to }
}

/**
 * Returns the range of the members whose first parts are `prefix`, and whose next part is a text that begins with `text`.
 *
 * @internal
 */
export const textRangeOf = (prefix: string, text: string): Range => {
  const from = prefix + escapeControls(text)
  return { from, to: after(from) }
}
