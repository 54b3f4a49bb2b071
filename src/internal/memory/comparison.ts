/**
 * Tests, which compare a stored value with an expected one. The twin of comparison.lua.
 */
import { Comparison } from "../instruction/ops.ts"
import type { Argument } from "../instruction/program.ts"
import type { FieldSpec } from "../instruction/spec.ts"
import { compareBytes } from "../text/textOrder.ts"
import * as Doubles from "./doubles.ts"
import * as Int64 from "./int64.ts"

/** Returns a negative number, 0 or a positive one; NaN if an operand is NaN. */
const order = (a: number | bigint, b: number | bigint): number => a < b ? -1 : a > b ? 1 : a === b ? 0 : NaN

const orderOf = (text: string, expected: Argument, spec: FieldSpec): number => {
  switch (spec.kind) {
    case "integer":
    case "number":
    case "date":
      return order(Doubles.numberOf(text, spec), Number(expected))
    case "int64":
    case "duration":
      return order(Int64.integerOf(text, spec), Int64.expectedInteger(expected))
    default:
      return compareBytes(text, String(expected))
  }
}

const holds = (comparison: Argument | undefined, order: number): boolean => {
  switch (comparison) {
    case Comparison.eq:
      return order === 0
    case Comparison.neq:
      return order !== 0
    case Comparison.lt:
      return order < 0
    case Comparison.lte:
      return order <= 0
    case Comparison.gt:
      return order > 0
    default:
      return order >= 0
  }
}

/**
 * Compares a stored text with the expected one. A missing text is neither equal to, below nor above anything.
 *
 * @internal
 */
export const compare = (
  text: string | undefined,
  spec: FieldSpec,
  [comparison, expected]: ReadonlyArray<Argument>
): 0 | 1 => holds(comparison, text === undefined ? NaN : orderOf(text, expected!, spec)) ? 1 : 0

/**
 * Whether the stored text equals one of the values.
 *
 * @internal
 */
export const oneOf = (text: string | undefined, spec: FieldSpec, values: ReadonlyArray<Argument>): 0 | 1 =>
  text !== undefined && values.some((value) => orderOf(text, value, spec) === 0) ? 1 : 0

/** @internal */
export const compareNumbers = (n: number, [comparison, expected]: ReadonlyArray<Argument>): 0 | 1 =>
  holds(comparison, order(n, Number(expected))) ? 1 : 0

/**
 * Compares an exact integer, which may be missing.
 *
 * @internal
 */
export const compareExact = (text: string | undefined, comparison: Argument, expected: string): 0 | 1 =>
  holds(comparison, text === undefined ? NaN : order(BigInt(text), Int64.expectedInteger(expected))) ? 1 : 0
