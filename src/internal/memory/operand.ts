/**
 * Operands: stored or computed values that instructions take as arguments. The twin of operand.lua.
 */
import { Op, subtract } from "../instruction/ops.ts"
import type { Argument, Instruction } from "../instruction/program.ts"
import type { FieldSpec } from "../instruction/spec.ts"
import * as Doubles from "./doubles.ts"
import * as Int64 from "./int64.ts"
import { checkLength } from "./size.ts"
import { failArithmetic } from "./stop.ts"

/**
 * A double, the digits of an exact integer, or a text.
 *
 * @internal
 */
export type Operand = number | string

/**
 * Returns a stored text as an operand.
 *
 * @internal
 */
export const operandOf = (text: string, spec: FieldSpec): Operand => {
  switch (spec.kind) {
    case "integer":
    case "number":
    case "date":
      return Doubles.finiteOf(text, spec)
    case "int64":
    case "duration":
      return String(Int64.integerOf(text, spec))
    default:
      return text
  }
}

/**
 * Returns the text that stores an operand. Fails if the operand is out of the bounds of the field.
 *
 * @internal
 */
export const assignedText = (operand: Argument, spec: FieldSpec): string => {
  switch (spec.kind) {
    case "integer":
    case "number":
    case "date":
      return Doubles.textOf(Number(operand), spec, [])
    case "int64":
    case "duration":
      return Int64.textOf(BigInt(operand), spec, [])
    case "text":
      checkLength(String(operand).length, spec)
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
    return String(Int64.compute(operation, BigInt(a), isSubtraction ? -second : second, undefined))
  }
  const second = Number(b)
  const result = Doubles.compute(operation, Number(a), isSubtraction ? -second : second, NaN)
  return Number.isFinite(result) ? result : failArithmetic("notFinite")
}

/**
 * Replaces the last two operands of the queue with one.
 *
 * @internal
 */
export const combine = (operands: Array<Operand>, [op, exact]: ReadonlyArray<Argument>): void => {
  const second = operands.pop()!
  operands.push(combined(op as number, exact === 1, operands.pop()!, second))
}

/**
 * Fills placeholders with the oldest operands, in order.
 *
 * @internal
 */
export const fillArguments = (args: ReadonlyArray<Argument>, operands: Array<Operand>): ReadonlyArray<Argument> =>
  args.includes(true) ? args.map((arg) => arg === true ? operands.shift()! : arg) : args

/**
 * Fills the placeholders of an instruction with the oldest operands, in order.
 *
 * @internal
 */
export const fillOperands = (instruction: Instruction, operands: Array<Operand>): Instruction =>
  instruction.args.includes(true)
    ? { ...instruction, args: fillArguments(instruction.args, operands) }
    : instruction
