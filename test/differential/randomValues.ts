/**
 * Random values of plain types, that look for seams: texts that read like numbers or JSON, the ends of ranges, names that
 * objects have already.
 */
import { Duration, type Schema } from "effect"
import type { Gen, Random } from "./random.ts"

/** An object with these own properties, whatever their names; without those that are `absent`. */
export const record = (entries: Iterable<readonly [string, unknown]>): Record<string, unknown> =>
  Object.fromEntries([...entries].filter(([, value]) => value !== absent))

/** Stands for a key that isn't there. */
export const absent: unique symbol = Symbol("absent")

// dprint-ignore
export const hostile: ReadonlyArray<string> = [
  "", "null", "undefined", "true", "false", "0", "-0", "1", "007", "1.5", "1e3", "NaN", "Infinity", "-Infinity", "[]", "{}", "\"\"",
  "\"a\"", "[1]", "{\"a\":1}", "AA==", "2020-01-01T00:00:00.000Z", "__proto__", "constructor", "prototype", "toString", "valueOf",
  "hasOwnProperty", "then", "length", "_tag", "$v", "$", "\0", "a\0b", "{", "}", "{a}", ":", "a:b", ".", "a.b", "%", "%25", "*", "?", "\n",
  "\r\n", "\t", " ", "  a ", "'", "\\", "\\u0000", "😀", "👩‍👩‍👧‍👦", "é", "e\u0301", "日本", "\u2028", "\uffff", "\u{10ffff}", "\u202eabc", "\u007f"
]

const long: Gen<string> = (random) => random.pick(["x", "\0", "😀", "\"\\", "a\n"]).repeat(random.pick([5000, 10_000]))

export const text: Gen<string> = (random) => {
  if (random.chance(0.005)) return long(random)
  return random.chance(0.6) ? random.pick(hostile) : random.unicode(0, 8)
}

export const word: Gen<string> = (random) => random.pick(["a", "b", "abc", "zz", "q".repeat(40)])

export const integer: Gen<number> = (random) =>
  random.pick([
    0,
    -0,
    1,
    -1,
    2 ** 53 - 1,
    -(2 ** 53 - 1),
    2 ** 31,
    2 ** 32,
    1e15,
    random.int(-100, 100),
    random.int(-1e12, 1e12)
  ])

export const finite: Gen<number> = (random) => {
  const any = random.double()
  const ends = [5e-324, -5e-324, Number.MAX_VALUE, -Number.MAX_VALUE, 2 ** 53, 1e21, 1e-7, 0.1 + 0.2, 1 / 3]
  return random.pick([Number.isFinite(any) ? any : 0, integer(random), random.pick(ends)])
}

export const double: Gen<number> = (random) =>
  random.chance(0.3) ? random.pick([NaN, Infinity, -Infinity]) : finite(random)

/** The ends of int64 are those of a field. */
export const big: Gen<bigint> = (random) =>
  random.pick([
    0n,
    1n,
    -1n,
    2n ** 63n - 1n,
    -(2n ** 63n),
    2n ** 53n + 1n,
    BigInt.asIntN(64, BigInt(random.bits()) * BigInt(random.bits()))
  ])

const lastMilli = 8.64e15

export const millis: Gen<number> = (random) =>
  random.pick([
    0,
    -1,
    1,
    lastMilli,
    -lastMilli,
    -62_135_596_800_001,
    951_782_400_123,
    random.int(-lastMilli, lastMilli)
  ])

export const duration: Gen<Duration.Duration> = (random) =>
  random.pick([
    Duration.zero,
    Duration.nanos(1n),
    Duration.nanos(-1n),
    Duration.nanos(BigInt(random.bits())),
    Duration.nanos(2n ** 63n),
    Duration.nanos(-(2n ** 80n)),
    Duration.millis(random.int(-1e6, 1e6)),
    Duration.millis(0.5),
    Duration.millis(2 ** 53 - 1),
    Duration.days(-400_000),
    Duration.hours(random.int(0, 1000))
  ])

const allBytes = Uint8Array.from({ length: 256 }, (_, i) => i)

export const bytes: Gen<Uint8Array> = (random) =>
  random.pick([new Uint8Array(0), allBytes.slice(), Uint8Array.from(random.array(1, 20, () => random.int(0, 255)))])

const size = (random: Random): number => random.chance(0.25) ? 0 : random.chance(0.02) ? 40 : random.int(1, 4)

export const items = <A>(item: Gen<A>): Gen<Array<A>> => (random) =>
  Array.from({ length: size(random) }, () => item(random))

export const jsonValue = (depth: number): Gen<Schema.Json> => (random) => {
  if (depth === 0 || random.chance(0.4)) {
    return random.pick<Schema.Json>([text(random), finite(random), random.chance(0.5), null])
  }
  const item = jsonValue(depth - 1)
  return random.chance(0.5)
    ? items(item)(random)
    : record(items((random) => [text(random), item(random)] as const)(random)) as Schema.Json
}
