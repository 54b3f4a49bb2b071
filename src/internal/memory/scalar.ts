/**
 * Operations on one scalar text: a field of a hash, an item of a list, or the value of a map entry. The twin of
 * scalar.lua and kinds.lua.
 */
import { Op } from "../instruction/ops.ts"
import type { Argument } from "../instruction/program.ts"
import type { Result } from "../instruction/reply.ts"
import type { FieldSpec } from "../instruction/spec.ts"
import { compare, oneOf } from "./comparison.ts"
import * as Doubles from "./doubles.ts"
import * as Int64 from "./int64.ts"
import { assignedText, operandOf } from "./operand.ts"
import { checkLength, joinedText } from "./size.ts"
import { failEntity } from "./stop.ts"

const same = (a: string | undefined, b: string, spec: FieldSpec): boolean => {
  if (a === undefined || a === b) return a === b
  switch (spec.kind) {
    case "integer":
    case "number":
    case "date":
      return Doubles.same(a, b)
    case "int64":
    case "duration":
      return Int64.same(a, b)
    default:
      return false
  }
}

/** Whether the stored text parses as this kind. Unparseable data is never overwritten silently. */
const isReadable = (text: string, spec: FieldSpec): boolean => {
  switch (spec.kind) {
    case "boolean":
      return text === "true" || text === "false"
    case "integer":
    case "number":
    case "date":
      return Doubles.isNumber(text, spec)
    case "int64":
    case "duration":
      return Int64.isInteger(text, spec)
    default:
      return true
  }
}

/**
 * Takes the stored text, and the greatest length of a value in bytes. Returns the new text, `false` to remove it or undefined to write nothing; and the result.
 *
 * @internal
 */
export const applyScalar = (
  op: Op,
  text: string | undefined,
  spec: FieldSpec,
  args: ReadonlyArray<Argument>,
  valueBytes: number
): readonly [text: string | false | undefined, result: Result] => {
  if (op === Op.get) return [undefined, text ?? false]
  const stored = spec.nullable === true && text === "null" ? undefined : text
  const current = stored ?? spec.default
  // a stored `null` is missing, and not the default of a missing field
  const known = text === stored ? current : undefined
  switch (op) {
    case Op.isSet:
      return [undefined, stored === undefined ? 0 : 1]
    case Op.compare:
      return [undefined, compare(known, spec, args)]
    case Op.oneOf:
      return [undefined, oneOf(known, spec, args)]
    case Op.assign:
      return [assignedText(args[0]!, spec), 1]
    case Op.set:
      return [args[0] as string, 1]
    case Op.clear:
      return stored === undefined ? [undefined, 0] : [spec.nullable === true ? "null" : false, 1]
    case Op.setIfAbsent:
      return stored === undefined ? [args[0] as string, 1] : [undefined, 0]
    case Op.getAndSet:
      return stored === undefined || isReadable(stored, spec)
        ? [args[0] as string, stored ?? false]
        : failEntity("type")
    case Op.compareAndSet:
      return same(known, args[0] as string, spec) ? [args[1] as string, 1] : [undefined, 0]
  }
  if (current === undefined) return failEntity("type")
  switch (op) {
    case Op.load:
      return [undefined, operandOf(current, spec)]
    case Op.appendText: {
      const joined = joinedText(current, String(args[0]), valueBytes)
      return [joined, checkLength(joined.length, spec)]
    }
    case Op.toggle: {
      if (current !== "true" && current !== "false") return failEntity("type")
      const flipped = current === "true" ? "false" : "true"
      return [flipped, flipped]
    }
  }
  const result = spec.kind === "int64" || spec.kind === "duration"
    ? Int64.arithmetic(op, current, spec, args)
    : Doubles.arithmetic(op, current, spec, args)
  return [result, result]
}
