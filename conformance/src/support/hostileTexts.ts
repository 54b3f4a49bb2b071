/**
 * Texts that have a meaning to something between a query and its index: patterns of Redis, Lua, JSON, the names of keys, the code that
 * gives members their order, UTF-8.
 */

const codePoints = (from: number, to: number): ReadonlyArray<string> =>
  Array.from({ length: to - from + 1 }, (_, i) => String.fromCodePoint(from + i))

/** Control characters, and all that is neither a letter nor a digit. */
const ascii = [
  ...codePoints(0x00, 0x2f),
  ...codePoints(0x3a, 0x40),
  ...codePoints(0x5b, 0x60),
  ...codePoints(0x7b, 0x7f)
]

const others: ReadonlyArray<string> = [
  [""],
  // patterns of Redis and of Lua
  ["a*", "*a", "**", "a?", "??", "[a-z]", "[^a]", "[]", "[", "\\*", "\\[", "\\", "\\\\", "a*b"],
  ["%d", "%a+", "%", "%%", "%z", "%00", "%2A", ".*", ".-", "^a", "a$", "(a)", "%1", "%bxy", "%f[a]"],
  ["--[[", "]]", "[[x]]", "\\0", "\\65", "\"..redis.call('FLUSHALL')..\"", "' or true --"],
  // JSON
  ["\"", "\\\"", "\\u0000", "null", "true", "false", "{}", "[]", "{\"a\":1}", "\"a\"", "[1,2]", "\\ud800"],
  // names of keys
  ["{a}", "{", "}", "{}", "a{b}c", "}:{", ":", "a:b", "::", ":a", "a:", "$", "$v", "$ix", "$of", "$exp", "$plan"],
  ["{$}", "$lock:a", "{$}:$ix:value", "}:$ix:value", "$once:1", "p0", "p1", "{p0}"],
  // bounds, numbers, and what ends and escapes a part of a member
  ["(", "(a", "[a", "-", "+", "(-", "inf", "-inf", "+inf", "nan", "NaN", "Infinity", "-0", "007", "1.0", "1e3"],
  ["0", "1", "00", "01", "0a", "1a", "a0", "a1", "m1767225600000", "z", "A", "n", "p"],
  ["\0", "\0\0", "\0\u0001", "\u0001", "\u0001\0", "\u0001\u0001", "\u0001\u0002", "\u0001\u0003", "\u0002"],
  ["a\0", "a\0\0", "a\0b", "a\u0001", "a\u0001\u0001", "a\u0001\u0002", "a\u0001b", "a\u0002", "a", "ab", "b"],
  // UTF-8: the borders of its lengths, what is beyond a surrogate, and characters of several code points
  ["\u0080", "\u00ff", "\u00fe\u00ff", "\u07ff", "\u0800", "\ud7ff", "\ue000", "\ufeff", "\ufffd", "\ufffe"],
  ["\uffff", "\uffffa", "\u{10000}", "\u{1f600}", "\u{1f600}a", "\u{1f601}", "\u{10fffe}", "\u{10ffff}"],
  ["\u{10ffff}\u{10ffff}", "e\u0301", "\u00e9", "\u0301", "\u1100\u1161", "\uac00", "\u00df", "\u1e9e", "SS"],
  [
    "\u0130",
    "\u0131",
    "i",
    "I",
    "\ufb00",
    "\u202e",
    "\u200b",
    "\u200d",
    "\u2028",
    "\u2029",
    "\u{1f468}\u200d\u{1f469}"
  ],
  // protocols, objects, words
  ["a\r\nb", "*1\r\n$4\r\nPING\r\n", "\r\n", "__proto__", "constructor", "toString", "undefined", "hasOwnProperty"],
  [
    "a b",
    " a",
    "a ",
    "Active or",
    "active",
    "Active",
    "inactive",
    "S&D",
    "a-b",
    "a_b",
    "a|b",
    "a,b",
    "@a:{b}",
    "User-Name"
  ],
  // long ones, of which some are the beginning of others
  [
    "x".repeat(255),
    "x".repeat(1000),
    "x".repeat(1001),
    "x".repeat(20_000),
    `${"x".repeat(1000)}y`,
    "\0".repeat(300)
  ],
  ["\u00e9".repeat(500), "\u{1f600}".repeat(256), "%".repeat(400), "{}".repeat(200), "\u0001".repeat(1000)]
].flat()

/** Each once. */
export const hostileTexts: ReadonlyArray<string> = [...new Set([...ascii, ...others, ...ascii.map((c) => `a${c}b`)])]

/** Texts that are no Unicode: a surrogate without the other one. */
export const illFormedTexts: ReadonlyArray<string> = ["\ud800", "\udc00", "a\ud83d", "\ude00b", "\udc00\ud800"]

const encoder = new TextEncoder()

/** Compares texts by their UTF-8 bytes, as plainly as possible. */
export const compareUtf8 = (a: string, b: string): number => {
  const [x, y] = [encoder.encode(a), encoder.encode(b)]
  for (let i = 0; i < Math.min(x.length, y.length); i++) {
    if (x[i] !== y[i]) return x[i]! - y[i]!
  }
  return x.length - y.length
}
