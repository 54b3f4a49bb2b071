/**
 * Arithmetic on exact integers: `int64`, and `duration`, which has any number of digits. The twin of int64.lua.
 */
import { Op } from "../instruction/ops.ts"
import type { Argument } from "../instruction/program.ts"
import type { FieldSpec } from "../instruction/spec.ts"
import { checkBounds } from "./doubles.ts"
import { failArithmetic, failEntity } from "./stop.ts"

const digits = /^-?\d+$/

/** Integers of more than 1,000 digits are refused, because computing with them would block a server. */
const limit = 10n ** 1000n

const checkDigits = (n: bigint): bigint => n < limit && n > -limit ? n : failArithmetic("outOfRange")

const isInRange = (n: bigint, spec: FieldSpec): boolean => spec.kind === "duration" || BigInt.asIntN(64, n) === n

/** @internal */
export const isInteger = (text: string, spec: FieldSpec): boolean => digits.test(text) && isInRange(BigInt(text), spec)

/**
 * Returns the stored integer. Fails with `type` if the text is not an integer of this kind.
 *
 * @internal
 */
export const integerOf = (text: string, spec: FieldSpec): bigint =>
  isInteger(text, spec) ? BigInt(text) : failEntity("type")

/**
 * Returns the integer to compare with, or NaN if the argument is not an integer.
 *
 * @internal
 */
export const expectedInteger = (expected: Argument): bigint | number =>
  digits.test(String(expected)) ? BigInt(expected) : NaN

/** @internal */
export const same = (a: string, b: string): boolean => digits.test(a) && digits.test(b) && BigInt(a) === BigInt(b)

/** @internal */
export const compute = (op: number, a: bigint, b: bigint, c: Argument | undefined): bigint => {
  checkDigits(a)
  checkDigits(b)
  switch (op) {
    case Op.increment:
      return checkDigits(a + b)
    case Op.multiply:
      return checkDigits(a * b)
    case Op.min:
      return b < a ? b : a
    case Op.max:
      return b > a ? b : a
    case Op.clamp: {
      const high = BigInt(c!)
      return a < b ? b : a > high ? high : a
    }
  }
  if (b === 0n) return failArithmetic("divisionByZero")
  return op === Op.modulo ? a % b : a / b
}

/**
 * Returns the text of a result. Fails if the result is out of the range of the kind, or out of bounds.
 *
 * @param args the arguments of the instruction, whose own bounds come last
 *
 * @internal
 */
export const textOf = (n: bigint, spec: FieldSpec, args: ReadonlyArray<Argument>): string =>
  isInRange(checkDigits(n), spec) ? String(checkBounds(n, spec, args, BigInt)) : failArithmetic("outOfRange")

/** @internal */
export const arithmetic = (op: Op, text: string, spec: FieldSpec, args: ReadonlyArray<Argument>): string =>
  textOf(compute(op, integerOf(text, spec), BigInt(args[0]!), args[1]), spec, args)
