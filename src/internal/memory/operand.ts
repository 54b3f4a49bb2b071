/**
 * Operands: stored or computed values that stand for arguments of an instruction. The twin of operand.lua.
 */
import { Op, subtract } from "../instruction/ops.ts"
import type { Argument, Instruction } from "../instruction/program.ts"
import type { FieldSpec } from "../instruction/spec.ts"
import { computeInteger, integerOf, integerText } from "./integer.ts"
import { computeNumber, finiteOf, numberText } from "./number.ts"
import { sized } from "./size.ts"
import { arithmetic } from "./stop.ts"

/**
 * A double, the digits of an exact integer, or a text.
 *
 * @internal
 */
export type Operand = number | string

/**
 * The operand that a stored text is.
 *
 * @internal
 */
export const operandOf = (text: string, spec: FieldSpec): Operand => {
  switch (spec.kind) {
    case "integer":
    case "number":
    case "date":
      return finiteOf(text, spec)
    case "int64":
    case "duration":
      return String(integerOf(text, spec))
    default:
      return text
  }
}

/**
 * The text to store for an operand, after the checks of the field.
 *
 * @internal
 */
export const assigned = (operand: Argument, spec: FieldSpec): string => {
  switch (spec.kind) {
    case "integer":
    case "number":
    case "date":
      return numberText(Number(operand), spec, [])
    case "int64":
    case "duration":
      return integerText(BigInt(operand), spec, [])
    case "text":
      sized(String(operand).length, spec)
      return String(operand)
    default:
      return String(operand)
  }
}

const combined = (op: number, isExact: boolean, a: Operand, b: Operand): Operand => {
  const isSubtraction = op === subtract
  const operation = isSubtraction ? Op.increment : op
  if (isExact) {
    const second = BigInt(b)
    return String(computeInteger(operation, BigInt(a), isSubtraction ? -second : second, undefined))
  }
  const second = Number(b)
  const result = computeNumber(operation, Number(a), isSubtraction ? -second : second, NaN)
  return Number.isFinite(result) ? result : arithmetic("notFinite")
}

/**
 * Replaces the last two operands with one.
 *
 * @internal
 */
export const combine = (operands: Array<Operand>, [op, exact]: ReadonlyArray<Argument>): void => {
  const second = operands.pop()!
  operands.push(combined(op as number, exact === 1, operands.pop()!, second))
}

/**
 * Fills the placeholders of an instruction with the oldest operands, in order.
 *
 * @internal
 */
export const withOperands = (instruction: Instruction, operands: Array<Operand>): Instruction =>
  instruction.args.includes(true)
    ? { ...instruction, args: instruction.args.map((arg) => arg === true ? operands.shift()! : arg) }
    : instruction
