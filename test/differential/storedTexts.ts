/**
 * Random values of fields, and the texts that others may have stored in their place.
 */
import { Duration } from "effect"
import type { Gen } from "./random.ts"

// values

// dprint-ignore
export const tame = [
  "", "a", "b", "abc", "hi", "héllo", "日本", "😀", "a😀b", "\0", "line\nbreak", "\"q\"\\", "%{}:*", "null", "NaN", "12",
  "__proto__", "\u202eabc", "e\u0301", "\uffff", "\u{10ffff}", "\u2028", "[]", "{}", " 1 ", "$v", "\u007f\u0080"
]
const wild = ["\ud800", "x\udfffy", "\udc00\ud800", "ab\ud83d", "😀".repeat(30), "x".repeat(300)]

/** A value of another type: types don't stop everyone. */
export const foreign: Gen<any> = (random) =>
  random.pick([undefined, null, 5, "x", true, {}, [], NaN, 1n, Symbol.iterator])

export const text = (low = 0, high = 1000): Gen<string> => {
  const allowed = tame.filter((candidate) => candidate.length >= low && candidate.length <= high)
  return (random) => {
    if (!random.wild()) return random.pick(allowed)
    return random.chance(0.1) ? foreign(random) : random.pick(random.chance(0.5) ? wild : tame)
  }
}

/** A few texts that meet each other often. */
const names = ["a", "b", "", "__proto__", "é😀", "\uffff", "x:{y}"]

export const name: Gen<string> = (random) => random.pick(random.wild() ? [...wild, ...tame] : names)

export const integer = (low: number, high: number): Gen<number> => (random) =>
  random.wild()
    ? random.chance(0.1)
      ? foreign(random)
      : random.pick([0.5, -0, NaN, Infinity, 2 ** 53, 2 ** 53 - 1, -(2 ** 53), low - 1, high + 1, 0, 1e300])
    : random.int(Math.max(low, -20), Math.min(high, 60))

export const float = (low: number, high: number): Gen<number> => (random) =>
  random.wild()
    ? random.pick([NaN, Infinity, -Infinity, -0, random.double(), 1e308, -1e308, 5e-324, low, high, low - 1, high + 1])
    : random.pick([low + (high - low) / 3, low + (high - low) / 2, low + (high - low) / 4, Math.trunc(low + 1)])

const bigEnds = [2n ** 63n - 1n, -(2n ** 63n), 2n ** 53n + 1n, -(2n ** 62n), 10n ** 18n]

export const bigint = (low?: bigint, high?: bigint): Gen<bigint> => (random) => {
  if (random.wild()) {
    return random.chance(0.2)
      ? foreign(random)
      : random.pick([2n ** 63n, -(2n ** 63n) - 1n, 10n ** 50n])
  }
  if (low !== undefined && high !== undefined) return BigInt(random.int(Number(low), Number(high)))
  return random.chance(0.2) ? random.pick(bigEnds) : BigInt(random.int(-20, 100))
}

export const date = (low = -8.64e15, high = 8.64e15): Gen<Date> => (random) =>
  random.wild()
    ? random.chance(0.3) ? foreign(random) : new Date(random.pick([NaN, low - 1, high + 1, 8.64e15]))
    : new Date(random.pick([Math.max(low, 0), Math.min(high, 86_400_000), Math.max(low, -1), Math.min(high, 8.64e15)]))

export const duration: Gen<Duration.Duration> = (random) =>
  random.wild()
    ? random.chance(0.3) ? foreign(random) : Duration.infinity
    : random.pick([
      Duration.zero,
      Duration.nanos(1n),
      Duration.nanos(-1n),
      Duration.nanos(2n ** 63n),
      Duration.nanos(-(2n ** 80n)),
      Duration.millis(1500),
      Duration.days(3),
      Duration.millis(2 ** 53 - 1)
    ])

export const bytes: Gen<Uint8Array> = (random) =>
  random.wild() ? foreign(random) : Uint8Array.from(random.array(0, 4, () => random.int(0, 255)))

export const oneOf = <A>(...values: ReadonlyArray<A>): Gen<A> => (random) =>
  random.wild() ? foreign(random) : random.pick(values)

export const boolean = oneOf(true, false)

export const absent = <A>(make: Gen<A>): Gen<A | undefined> => (random) => random.chance(0.3) ? undefined : make(random)

export const orNull = <A>(make: Gen<A>): Gen<A | null> => (random) => random.chance(0.3) ? null : make(random)

// wholes

export const listOf = <A>(item: Gen<A>, low = 0, high = 5): Gen<ReadonlyArray<A>> => (random) => {
  if (random.wild()) return random.chance(0.2) ? foreign(random) : random.array(0, 8, item)
  // more than fits in one command of the server
  return high === 5 && random.chance(0.01) ? random.array(900, 2500, item) : random.array(low, high, item)
}

/** A set of up to so many different members. */
export const setOf = <A>(member: Gen<A>, low = 0, high = 5): Gen<ReadonlySet<A>> => (random) => {
  const most = random.wild() ? 8 : random.int(low, high)
  const set = new Set<A>()
  for (let i = 0; i < 20 && set.size < most; i++) set.add(member(random))
  return random.chance(0.2 * random.wildness) ? foreign(random) : set
}

export const mapOf = <K, A>(key: Gen<K>, value: Gen<A>, low = 0, high = 5): Gen<ReadonlyMap<K, A>> => {
  const keys = setOf(key, low, high)
  return (random) => {
    const found = keys(random)
    return found instanceof Set ? new Map([...found].map((key) => [key, value(random)])) : found as any
  }
}

export const recordOf = <A>(key: Gen<string>, value: Gen<A>, low = 0, high = 5): Gen<{ readonly [x: string]: A }> => {
  const entries = mapOf(key, value, low, high)
  return (random) => {
    const found = entries(random)
    return found instanceof Map ? Object.fromEntries(found) : found as any
  }
}

export const scoredOf = <A>(
  member: Gen<A>,
  score: Gen<number>,
  low = 0,
  high = 5
): Gen<ReadonlyArray<{ readonly member: A; readonly score: number }>> => {
  const members = setOf(member, low, high)
  return (random) => {
    const found = members(random)
    return found instanceof Set ? [...found].map((member) => ({ member, score: score(random) })) : found as any
  }
}

export const mapped = <A, B>(make: Gen<A>, f: (value: any) => B): Gen<B> => (random) => {
  const value = make(random)
  try {
    return f(value)
  } catch {
    return value as any
  }
}

/** Some of the fields of a patch, and now and then one that is not there. */
export const patchOf =
  (fields: { readonly [name: string]: Gen<unknown> }): Gen<Record<string, unknown>> => (random) => {
    const names = Object.keys(fields).filter(() => random.chance(0.3))
    const patch = Object.fromEntries(names.map((name) => [name, fields[name]!(random)]))
    if (random.chance(0.2 * random.wildness)) patch["nowhere"] = 1
    return patch
  }

export const build = (fields: { readonly [name: string]: Gen<unknown> }): Gen<Record<string, unknown>> => (random) =>
  Object.fromEntries(
    Object.entries(fields).flatMap(([name, make]) => {
      const value = make(random)
      // a key that is `undefined` and one that is not there are both absent
      return value === undefined && random.chance(0.5) ? [] : [[name, value]]
    })
  )

// stored texts

/** The stored texts of a value, or of each of several values. */
export interface Stored {
  /** a text that reads as a value of the field */
  readonly good: Gen<string>
  /** a text that most often doesn't */
  readonly bad: Gen<string>
}

const stored = (good: Gen<string>, bad: Gen<string>): Stored => ({ good, bad })

const from = (...texts: ReadonlyArray<string>): Gen<string> => (random) => random.pick(texts)

export const rawText: Gen<string> = (random) => random.pick(tame)

// dprint-ignore
const notIntegers = [
  "abc", "0x10", "1e400", "-1e400", "NaN", " 1 ", "1 ", "\t1", "", "-", "+1", "1.", ".5", "1e", "e5", "--1", "1_000",
  "Infinity", "-Infinity", "inf", "nan", "1.5", "9007199254740992", "-9007199254740993", "1e21", "0.1", "1,5", "1\n",
  "1\0", "٣", "१", "1e5.5", "0b1", "0o7", "1e+", "1n", "true", "null"
]
// odd, and yet whole numbers
// dprint-ignore
const integers = [
  "9007199254740991", "-9007199254740991", "5", "0", "-3", "7", "12", "-0", "007", "1e2", "1E2", "5.0", "1e+1", "30e-1",
  "1e-400", "000000000000000001"
]
const numbers = [...integers, "0.1", "-2.5", "1e-7", "5e-324", "1.7976931348623157e308", "1e21", "3.141592653589793"]

/** Numbers that are met again. */
export const common = [3, 5, 7, 10]

/** Around the ends of int64, of dates, and of what has no end. */
// dprint-ignore
const long = [
  "9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809", "-00012",
  "8640000000000000", "8640000000000001", "-8640000000000000", "-8640000000000001", "1" + "0".repeat(60)
]

/** Texts that are difficult for parsers of numbers or booleans. */
export const hardTexts = [...notIntegers, ...numbers, ...long, "true", "false", "TRUE", "true ", "1".repeat(400)]

export const texts = {
  text: stored(rawText, rawText),
  /** of members, and of the names of entries */
  name: stored((random) => random.pick(random.chance(0.1) ? tame : names), rawText),
  /** of bounded length */
  short: (low: number, high: number) =>
    stored(text(low, high), from("", "x", "x".repeat(40), "😀".repeat(20), "none of these")),
  word: (...words: ReadonlyArray<string>) => stored(from(...words), from("none of these", "", "A")),
  integer: (low: number, high: number) =>
    stored(
      (random) =>
        random.chance(0.2)
          ? random.pick(integers)
          : String(random.chance(0.4) ? Math.min(high, random.pick(common)) : random.int(low, high)),
      from(...notIntegers, "9007199254740991", "-9007199254740991")
    ),
  number: (low: number, high: number) =>
    stored(
      (random) =>
        random.chance(0.05)
          ? random.pick(["NaN", "Infinity", "-Infinity"])
          : random.chance(0.2)
          ? random.pick(numbers)
          : random.chance(0.4)
          ? String(float(low, high)(random))
          : String(low + (high - low) * random.int(1, 99) / 100),
      from(...notIntegers, ...numbers)
    ),
  /** whatever its bounds: all that is wrong with it is its form */
  members: (low: number, high: number) =>
    stored((random) => String(random.int(low, high)), from("abc", "", "1.5", "0x10")),
  bigint: stored(
    (random) =>
      random.chance(0.3)
        ? random.pick(["-0", "007", ...bigEnds.map(String)])
        : String(random.chance(0.4) ? random.pick(common) : random.int(-100, 100)),
    from("abc", "", "1.5", "1e2", "+1", "1n", "9223372036854775808", "-9223372036854775809")
  ),
  date: stored(
    from("0", "-1", "86400000", "8640000000000000", "-8640000000000000", "007"),
    from("abc", "", "1.5", "8640000000000001", "2020-01-01T00:00:00.000Z")
  ),
  duration: stored(
    from("0", "-0", "1", "-1", "1500000000", "9223372036854775808", "-1208925819614629174706176", "007"),
    from("abc", "", "1.5", "1e9", "+1", "Infinity")
  ),
  boolean: stored(from("true", "false"), from("TRUE", "1", "", "yes", "true ", "null")),
  bytes: stored(from("", "AA==", "AQID", "/+8="), from("=", "A", "*", "\0")),
  json: (...good: ReadonlyArray<string>) =>
    stored(
      from(...good),
      from("", "nope", "{", "[1,", "NaN", "undefined", "'a'", "[[[]]]", "1e999", "{\"a\":1}x", "\"x")
    ),
  /** of members: all that is wrong with it is that it is no JSON */
  jsonMembers: (...good: ReadonlyArray<string>) => stored(from(...good), from("", "nope", "{", "[1,")),
  /** beside the texts of a value, the one that stands for none */
  nullable: ({ bad, good }: Stored) => stored((random) => random.chance(0.3) ? "null" : good(random), bad)
}
