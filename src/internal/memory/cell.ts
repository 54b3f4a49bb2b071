/**
 * Operations on one scalar text, the same as the server's: each takes the text that is there, and gives the new text and the
 * result.
 */
import {
  type Argument,
  type ArithmeticReason,
  type Bound,
  type FieldSpec,
  Op,
  type Result
} from "../program/instruction.ts"
import { numeric } from "../schema/codec.ts"

/**
 * Ends a program. The interpreter adds the step.
 *
 * @internal
 */
export class Stop {
  readonly failure: { readonly _tag: string; readonly [detail: string]: unknown }
  constructor(failure: Stop["failure"]) {
    this.failure = failure
  }
}

/** @internal */
export const stop = (failure: Stop["failure"]): never => {
  throw new Stop(failure)
}

const arithmetic = (reason: ArithmeticReason): never => stop({ _tag: "arithmetic", reason })
const outOf = (bound: Bound): never => stop({ _tag: "bounds", bound })

const numberOf = (text: string, spec: FieldSpec): number => {
  const n = numeric.test(text) ? Number(text) : NaN
  if (Number.isFinite(n)) return spec.k !== "i" || Number.isSafeInteger(n) ? n : stop({ _tag: "type" })
  return spec.k === "n" && (text === "NaN" || text === "Infinity" || text === "-Infinity")
    ? arithmetic("notFinite")
    : stop({ _tag: "type" })
}

const compute = (op: Op, a: number, b: number): number => {
  switch (op) {
    case Op.add:
      return a + b
    case Op.multiply:
      return a * b
    case Op.min:
      return b < a ? b : a
    case Op.max:
      return b > a ? b : a
  }
  if (b === 0) return arithmetic("divisionByZero")
  switch (op) {
    case Op.divide:
      return a / b
    case Op.quotient:
      return Math.trunc(a / b)
    default:
      return a % b
  }
}

const checked = (n: number, spec: FieldSpec): number => {
  if (!Number.isFinite(n)) return arithmetic("notFinite")
  if (spec.k === "i") {
    if (!Number.isInteger(n)) return arithmetic("notWhole")
    if (!Number.isSafeInteger(n)) return arithmetic("outOfRange")
  }
  return n
}

const bounded = (n: number, spec: FieldSpec, low: Argument | undefined, high: Argument | undefined): number => {
  if (spec.ge !== undefined && n < spec.ge) return outOf("minimum")
  if (spec.gt !== undefined && n <= spec.gt) return outOf("exclusiveMinimum")
  if (spec.le !== undefined && n > spec.le) return outOf("maximum")
  if (spec.lt !== undefined && n >= spec.lt) return outOf("exclusiveMaximum")
  if (typeof low === "number" && n < low) return outOf("atLeast")
  if (typeof high === "number" && n > high) return outOf("atMost")
  return n
}

/** @internal */
export const sized = (length: number, spec: FieldSpec): number => {
  if (spec.minl !== undefined && length < spec.minl) return outOf("minLength")
  if (spec.maxl !== undefined && length > spec.maxl) return outOf("maxLength")
  return length
}

const same = (a: string | undefined, b: string, spec: FieldSpec): boolean =>
  a === b || a !== undefined && (spec.k === "i" || spec.k === "n") && numeric.test(a) && numeric.test(b) &&
    Number(a) === Number(b)

/** Whether a stored text is of the field's kind, as far as a kind tells: what is not must not be lost. */
const isReadable = (text: string, spec: FieldSpec): boolean => {
  if (spec.k === "b") return text === "true" || text === "false"
  if (spec.k !== "i" && spec.k !== "n") return true
  const n = numeric.test(text) ? Number(text) : NaN
  if (Number.isFinite(n)) return spec.k === "n" || Number.isSafeInteger(n)
  return spec.k === "n" && (text === "NaN" || text === "Infinity" || text === "-Infinity")
}

/**
 * The new text is undefined where nothing is written, and false where it goes.
 *
 * @internal
 */
export const apply = (
  op: Op,
  text: string | undefined,
  spec: FieldSpec,
  args: ReadonlyArray<Argument>
): readonly [text: string | false | undefined, result: Result] => {
  const stored = text ?? false
  const current = text ?? spec.d
  switch (op) {
    case Op.get:
      return [undefined, stored]
    case Op.set:
      return [args[0] as string, 1]
    case Op.clear:
      return stored === false ? [undefined, 0] : [false, 1]
    case Op.setIfAbsent:
      return stored === false ? [args[0] as string, 1] : [undefined, 0]
    case Op.getAndSet:
      return stored === false || isReadable(stored, spec) ? [args[0] as string, stored] : stop({ _tag: "type" })
    case Op.compareAndSet:
      return same(current, args[0] as string, spec) ? [args[1] as string, 1] : [undefined, 0]
  }
  if (current === undefined) return stop({ _tag: "type" })
  switch (op) {
    case Op.appendText: {
      const joined = current + args[0]
      return [joined, sized(joined.length, spec)]
    }
    case Op.toggle: {
      if (current !== "true" && current !== "false") return stop({ _tag: "type" })
      const flipped = current === "true" ? "false" : "true"
      return [flipped, flipped]
    }
  }
  const before = numberOf(current, spec)
  const [a, b] = args as ReadonlyArray<number>
  const after = op === Op.clamp ? before < a! ? a! : before > b! ? b! : before : compute(op, before, a!)
  const limits = args.length > 2 ? args.slice(-2) : []
  const n = bounded(checked(after, spec), spec, limits[0], limits[1])
  const result = String(n === 0 ? 0 : n)
  return [result, result]
}
