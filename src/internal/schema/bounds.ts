import type * as SchemaAST from "effect/SchemaAST"
import type { FieldSpec } from "../program/instruction.ts"

/** @internal */
export type Bounds = Pick<FieldSpec, "ge" | "gt" | "le" | "lt" | "minl" | "maxl">

/** @internal */
export interface Checks {
  /** what the server can evaluate */
  readonly bounds: Bounds
  /** what it can't: the description of the first such check */
  readonly unsendable: string | undefined
  /** what a codec has to run; whether a number is whole or finite it sees by itself */
  readonly filters: ReadonlyArray<SchemaAST.Filter<any>>
  readonly isInteger: boolean
  readonly isFinite: boolean
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

const tightest = (
  bounds: Mutable<Bounds>,
  name: keyof Bounds,
  value: number,
  pick: (a: number, b: number) => number
) => {
  const old = bounds[name]
  bounds[name] = old === undefined ? value : pick(old, value)
}

/**
 * Sorts the checks of a schema into bounds for the server and the rest.
 *
 * @internal
 */
export const checksOf = (ast: SchemaAST.AST): Checks => {
  const bounds: Mutable<Bounds> = {}
  const filters: Array<SchemaAST.Filter<any>> = []
  let unsendable: string | undefined
  let isInteger = false
  let isFinite = false
  const visit = (check: SchemaAST.Check<any>): void => {
    if (check._tag === "FilterGroup") return check.checks.forEach(visit)
    const representation = check.annotations?.representation as
      | { readonly id: string; readonly payload: any }
      | undefined
    const payload = representation?.payload
    switch (representation?.id) {
      case "effect/schema/isInt":
        isInteger = true
        return
      case "effect/schema/isFinite":
        isFinite = true
        return
    }
    filters.push(check)
    switch (representation?.id) {
      case "effect/schema/isGreaterThan":
        return tightest(bounds, "gt", payload.exclusiveMinimum, Math.max)
      case "effect/schema/isGreaterThanOrEqualTo":
        return tightest(bounds, "ge", payload.minimum, Math.max)
      case "effect/schema/isLessThan":
        return tightest(bounds, "lt", payload.exclusiveMaximum, Math.min)
      case "effect/schema/isLessThanOrEqualTo":
        return tightest(bounds, "le", payload.maximum, Math.min)
      case "effect/schema/isBetween":
        tightest(bounds, payload.exclusiveMinimum === true ? "gt" : "ge", payload.minimum, Math.max)
        return tightest(bounds, payload.exclusiveMaximum === true ? "lt" : "le", payload.maximum, Math.min)
      case "effect/schema/isMinLength":
        return tightest(bounds, "minl", payload.minLength, Math.max)
      case "effect/schema/isMaxLength":
        return tightest(bounds, "maxl", payload.maxLength, Math.min)
      case "effect/schema/isBetweenLength":
        tightest(bounds, "minl", payload.minimum, Math.max)
        return tightest(bounds, "maxl", payload.maximum, Math.min)
      default:
        unsendable ??= String(check.annotations?.expected ?? "a check of the schema")
    }
  }
  ast.checks?.forEach(visit)
  return { bounds, unsendable, filters, isInteger, isFinite }
}
