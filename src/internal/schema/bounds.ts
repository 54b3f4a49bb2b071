/**
 * The checks of a schema, sorted: bounds that the server can check, and checks that only the client can run.
 */
import type * as SchemaAST from "effect/SchemaAST"
import type { Bounds } from "../instruction/spec.ts"

/**
 * The checks of a schema.
 *
 * @internal
 */
export interface Checks {
  /** The bounds that the server can check. */
  readonly bounds: Bounds
  /** The first check that the server cannot run: then only the client can validate a value. Unset: there is no such check. */
  readonly clientOnlyCheck: string | undefined
  /** The checks that a codec runs. The check for integers and for finite numbers are part of the codec itself. */
  readonly filters: ReadonlyArray<SchemaAST.Filter<any>>
  readonly isInteger: boolean
  readonly isFinite: boolean
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

/** Lower bounds: if two checks set the same one, the greater wins. If two checks set the same upper bound, the smaller wins. */
const lower: ReadonlySet<keyof Bounds> = new Set(["minimum", "exclusiveMinimum", "minLength", "minSize"])

/** For each of Effect's checks: which bound each value of its payload is. The values of bigints and dates are texts. */
const names: { readonly [id: string]: { readonly [payload: string]: keyof Bounds } } = {
  GreaterThan: { exclusiveMinimum: "exclusiveMinimum" },
  GreaterThanOrEqualTo: { minimum: "minimum" },
  LessThan: { exclusiveMaximum: "exclusiveMaximum" },
  LessThanOrEqualTo: { maximum: "maximum" },
  MinLength: { minLength: "minLength" },
  MaxLength: { maxLength: "maxLength" },
  BetweenLength: { minimum: "minLength", maximum: "maxLength" },
  MinSize: { minSize: "minSize" },
  MaxSize: { maxSize: "maxSize" },
  BetweenSize: { minimum: "minSize", maximum: "maxSize" },
  MinProperties: { minProperties: "minSize" },
  MaxProperties: { maxProperties: "maxSize" },
  BetweenProperties: { minimum: "minSize", maximum: "maxSize" }
}

const boundsOf = (id: string, payload: any): ReadonlyArray<readonly [keyof Bounds, unknown]> | undefined =>
  id === "Between"
    ? [
      [payload.exclusiveMinimum === true ? "exclusiveMinimum" : "minimum", payload.minimum],
      [payload.exclusiveMaximum === true ? "exclusiveMaximum" : "maximum", payload.maximum]
    ]
    : names[id] && Object.entries(names[id]).map(([name, bound]) => [bound, payload[name]])

const tighten = (bounds: Mutable<Bounds>, name: keyof Bounds, value: number | string): void => {
  const old = bounds[name]
  const order = old === undefined ? 1 : compare(value, old)
  const wins = lower.has(name) ? order > 0 : order < 0
  if (old === undefined || wins) (bounds as Record<string, number | string>)[name] = value
}

const compare = (a: number | string, b: number | string): number => {
  const [x, y] = typeof a === "string" && typeof b === "string" ? [BigInt(a), BigInt(b)] : [Number(a), Number(b)]
  return x < y ? -1 : x > y ? 1 : 0
}

/**
 * Sorts the checks of a schema into bounds for the server and checks for the client.
 *
 * @internal
 */
export const checksOf = (ast: SchemaAST.AST): Checks => {
  const bounds: Mutable<Bounds> = {}
  const filters: Array<SchemaAST.Filter<any>> = []
  let clientOnlyCheck: string | undefined
  let isInteger = false
  let isFinite = false
  const visit = (check: SchemaAST.Check<any>): void => {
    if (check._tag === "FilterGroup") return check.checks.forEach(visit)
    const representation = check.annotations?.representation as
      | { readonly id: string; readonly payload: any }
      | undefined
    const [, id = "", type] = /^effect\/schema\/is(.*?)(BigInt|Date)?$/.exec(representation?.id ?? "") ?? []
    if (id === "Int") {
      isInteger = true
      return
    }
    if (id === "Finite") {
      isFinite = true
      return
    }
    filters.push(check)
    const found = boundsOf(id, representation?.payload)
    if (found === undefined) clientOnlyCheck ??= String(check.annotations?.expected ?? "a check of the schema")
    for (const [name, value] of found ?? []) {
      tighten(bounds, name, type === "Date" ? Date.parse(String(value)) : value as number | string)
    }
  }
  ast.checks?.forEach(visit)
  return { bounds, clientOnlyCheck, filters, isInteger, isFinite }
}
