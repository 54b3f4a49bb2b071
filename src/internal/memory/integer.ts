/**
 * Arithmetic on exact integers: kinds `l`, which is int64, and `u`, which has no end.
 */
import { type Argument, type FieldSpec, Op } from "../program/instruction.ts"
import { bounded } from "./number.ts"
import { arithmetic, refuse } from "./stop.ts"

const digits = /^-?\d+$/

const isInRange = (n: bigint, spec: FieldSpec): boolean => spec.k === "u" || BigInt.asIntN(64, n) === n

/** @internal */
export const isInteger = (text: string, spec: FieldSpec): boolean => digits.test(text) && isInRange(BigInt(text), spec)

/** @internal */
export const sameInteger = (a: string, b: string): boolean =>
  digits.test(a) && digits.test(b) && BigInt(a) === BigInt(b)

const compute = (op: Op, a: bigint, b: bigint, c: Argument | undefined): bigint => {
  switch (op) {
    case Op.add:
      return a + b
    case Op.multiply:
      return a * b
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

/** @internal */
export const onInteger = (op: Op, text: string, spec: FieldSpec, args: ReadonlyArray<Argument>): string => {
  if (!isInteger(text, spec)) return refuse("type")
  const after = compute(op, BigInt(text), BigInt(args[0]!), args[1])
  if (!isInRange(after, spec)) return arithmetic("outOfRange")
  return String(bounded(after, spec, args, BigInt))
}
