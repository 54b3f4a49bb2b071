/**
 * Arithmetic on doubles: `number`, `integer` and `date`. The twin of doubles.lua, equal to the last bit.
 */
import { infoOf, Op } from "../instruction/ops.ts"
import type { Argument } from "../instruction/program.ts"
import type { FieldSpec } from "../instruction/spec.ts"
import { numeric } from "../text/numberText.ts"
import { failArithmetic, failBounds, failEntity } from "./stop.ts"

const latestDate = 8.64e15

const isInRange = (n: number, spec: FieldSpec): boolean =>
  Number.isSafeInteger(n) && (spec.kind === "integer" || Math.abs(n) <= latestDate)

const isNotFinite = (text: string, spec: FieldSpec): boolean =>
  spec.kind === "number" && (text === "NaN" || text === "Infinity" || text === "-Infinity")

/** Parses a stored number. Returns NaN if the text is not a number of this kind, or is out of its range. */
const parse = (text: string, spec: FieldSpec): number => {
  const n = numeric.test(text) ? Number(text) : NaN
  return Number.isFinite(n) && (spec.kind === "number" || isInRange(n, spec)) ? n : NaN
}

/** @internal */
export const isNumber = (text: string, spec: FieldSpec): boolean =>
  !Number.isNaN(parse(text, spec)) || isNotFinite(text, spec)

/**
 * Returns the stored number for a comparison. It may be infinite or NaN.
 *
 * @internal
 */
export const numberOf = (text: string, spec: FieldSpec): number =>
  isNumber(text, spec) ? Number(text) : failEntity("type")

/**
 * Returns the stored number for arithmetic. Fails if it is infinite or NaN.
 *
 * @internal
 */
export const finiteOf = (text: string, spec: FieldSpec): number => {
  const n = numberOf(text, spec)
  return Number.isFinite(n) ? n : failArithmetic("notFinite")
}

/** @internal */
export const same = (a: string, b: string): boolean => numeric.test(a) && numeric.test(b) && Number(a) === Number(b)

const power = (base: number, exponent: number): number => {
  if (exponent === 0.5) return Math.sqrt(base)
  if (base === 0 && exponent < 0) return failArithmetic("divisionByZero")
  let m = Math.abs(exponent)
  let result = 1
  let b = base
  while (m > 0) {
    if (m % 2 === 1) result *= b
    m = Math.floor(m / 2)
    if (m > 0) b *= b
  }
  return exponent < 0 ? 1 / result : result
}

/** @internal */
export const compute = (op: number, a: number, b: number, c: number): number => {
  switch (op) {
    case Op.increment:
      return a + b
    case Op.multiply:
      return a * b
    case Op.min:
      return b < a ? b : a
    case Op.max:
      return b > a ? b : a
    case Op.clamp:
      return a < b ? b : a > c ? c : a
    case Op.power:
      return power(a, b)
  }
  if (b === 0) return failArithmetic("divisionByZero")
  switch (op) {
    case Op.divide:
      return a / b
    case Op.quotient:
      return Math.trunc(a / b)
    default:
      return a % b
  }
}

/**
 * Returns the result, if it is within the bounds of the field and of the instruction.
 *
 * @internal
 */
export const checkBounds = <N extends number | bigint>(
  n: N,
  spec: FieldSpec,
  args: ReadonlyArray<Argument>,
  limit: (value: Argument) => N
): N => {
  if (spec.minimum !== undefined && n < limit(spec.minimum)) return failBounds("minimum")
  if (spec.exclusiveMinimum !== undefined && n <= limit(spec.exclusiveMinimum)) return failBounds("exclusiveMinimum")
  if (spec.maximum !== undefined && n > limit(spec.maximum)) return failBounds("maximum")
  if (spec.exclusiveMaximum !== undefined && n >= limit(spec.exclusiveMaximum)) return failBounds("exclusiveMaximum")
  if (args.length > 2) {
    const [atLeast, atMost] = args.slice(-2) as [Argument, Argument]
    if (atLeast !== false && n < limit(atLeast)) return failBounds("atLeast")
    if (atMost !== false && n > limit(atMost)) return failBounds("atMost")
  }
  return n
}

/**
 * Returns the text of a result. Fails if the result is out of the range of the kind, or out of bounds.
 *
 * @param args the arguments of the instruction, whose own bounds come last
 *
 * @internal
 */
export const textOf = (n: number, spec: FieldSpec, args: ReadonlyArray<Argument>): string => {
  if (!Number.isFinite(n)) return failArithmetic("notFinite")
  if (spec.kind !== "number") {
    if (!Number.isInteger(n)) return failArithmetic("notWhole")
    if (!isInRange(n, spec)) return failArithmetic("outOfRange")
  }
  // -0 is stored as 0
  return String(checkBounds(n, spec, args, Number) + 0)
}

/** @internal */
export const arithmetic = (op: Op, text: string, spec: FieldSpec, args: ReadonlyArray<Argument>): string => {
  const before = finiteOf(text, spec)
  if (spec.kind !== "number" && !args.slice(0, infoOf(op).wholeAmounts ?? 0).every(Number.isInteger)) {
    return failArithmetic("notWhole")
  }
  return textOf(compute(op, before, args[0] as number, args[1] as number), spec, args)
}
