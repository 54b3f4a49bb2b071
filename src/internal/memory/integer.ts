/**
 * Arithmetic on exact integers: `int64`, and `duration`, which has any number of digits. The twin of int64.lua.
 */
import { Op } from "../instruction/ops.ts"
import type { Argument } from "../instruction/program.ts"
import type { FieldSpec } from "../instruction/spec.ts"
import { bounded } from "./number.ts"
import { arithmetic, refuse } from "./stop.ts"

const digits = /^-?\d+$/

/** Integers beyond 1,000 digits are refused, because computing with them would block a server. */
const beyond = 10n ** 1000n

const limited = (n: bigint): bigint => n < beyond && n > -beyond ? n : arithmetic("outOfRange")

const isInRange = (n: bigint, spec: FieldSpec): boolean => spec.kind === "duration" || BigInt.asIntN(64, n) === n

/** @internal */
export const isInteger = (text: string, spec: FieldSpec): boolean => digits.test(text) && isInRange(BigInt(text), spec)

/**
 * The stored integer. Fails with `type` if the text is not one.
 *
 * @internal
 */
export const integerOf = (text: string, spec: FieldSpec): bigint =>
  isInteger(text, spec) ? BigInt(text) : refuse("type")

/**
 * The integer to compare with; NaN if the argument is not an integer.
 *
 * @internal
 */
export const expectedInteger = (expected: Argument): bigint | number =>
  digits.test(String(expected)) ? BigInt(expected) : NaN

/** @internal */
export const sameInteger = (a: string, b: string): boolean =>
  digits.test(a) && digits.test(b) && BigInt(a) === BigInt(b)

/** @internal */
export const computeInteger = (op: number, a: bigint, b: bigint, c: Argument | undefined): bigint => {
  limited(a)
  limited(b)
  switch (op) {
    case Op.increment:
      return limited(a + b)
    case Op.multiply:
      return limited(a * b)
    case Op.min:
      return b < a ? b : a
    case Op.max:
      return b > a ? b : a
    case Op.clamp: {
      const high = BigInt(c!)
      return a < b ? b : a > high ? high : a
    }
  }
  if (b === 0n) return arithmetic("divisionByZero")
  return op === Op.modulo ? a % b : a / b
}

/**
 * The text of a result, after checking the range and the bounds.
 *
 * @param args the arguments of the instruction: its own bounds come last
 *
 * @internal
 */
export const integerText = (n: bigint, spec: FieldSpec, args: ReadonlyArray<Argument>): string =>
  isInRange(limited(n), spec) ? String(bounded(n, spec, args, BigInt)) : arithmetic("outOfRange")

/** @internal */
export const onInteger = (op: Op, text: string, spec: FieldSpec, args: ReadonlyArray<Argument>): string =>
  integerText(computeInteger(op, integerOf(text, spec), BigInt(args[0]!), args[1]), spec, args)
