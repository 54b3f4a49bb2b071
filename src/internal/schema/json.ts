/**
 * The codec of values that are stored as one JSON text, through the schema's own transformation.
 */
import * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as SchemaAST from "effect/SchemaAST"
import { canonicalJson, maximumDepth, parseJson } from "../text/canonicalJson.ts"
import { illFormed, Problem } from "../text/problem.ts"
import { record } from "../text/record.ts"
import type { Codec } from "./codec.ts"

const isWellFormedDeep = (value: unknown): boolean => {
  if (typeof value === "string") return value.isWellFormed()
  if (typeof value !== "object" || value === null) return true
  return Array.isArray(value)
    ? value.every(isWellFormedDeep)
    : Object.entries(value).every(([key, item]) => key.isWellFormed() && isWellFormedDeep(item))
}

/** Runs a schema's transformation. It must end at once, because encoding is synchronous. */
const attempt = <A>(run: () => Exit.Exit<unknown, Schema.SchemaError>, then: (value: unknown) => A): A | Problem => {
  try {
    const exit = run()
    if (Exit.isSuccess(exit)) return then(exit.value)
    const error = Cause.findErrorOption(exit.cause)
    return Option.isSome(error)
      ? Problem.fromIssue(error.value.issue)
      : new Problem("The schema's transformation failed")
  } catch (error) {
    return new Problem(error instanceof RangeError ? `Expected no more than ${maximumDepth} levels` : "Expected JSON")
  }
}

/** Whether different values of a type may have the same JSON: members of a union, `undefined` and `null`, or unknown values. */
const isAmbiguous = (ast: SchemaAST.AST, seen = new Set<SchemaAST.AST>()): boolean => {
  if (seen.has(ast)) return false
  seen.add(ast)
  const any = (parts: ReadonlyArray<SchemaAST.AST>): boolean => parts.some((part) => isAmbiguous(part, seen))
  switch (ast._tag) {
    case "Any":
    case "Unknown":
    case "ObjectKeyword":
      return true
    case "Union":
      return ast.types.some((type) => type._tag !== "Literal")
    case "Suspend":
      return isAmbiguous(ast.thunk(), seen)
    case "Declaration":
      return any(ast.typeParameters)
    case "Arrays":
      return any([...ast.elements, ...ast.rest])
    case "Objects":
      return any([...ast.propertySignatures, ...ast.indexSignatures].map(({ type }) => type))
    default:
      return false
  }
}

/** Returns the value without those keys of plain objects that hold `undefined`. */
const withoutUndefined = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(withoutUndefined)
  if (typeof value !== "object" || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value
  return record(
    Object.entries(value).flatMap(([name, part]) => part === undefined ? [] : [[name, withoutUndefined(part)]])
  )
}

const inexact = new Problem("Expected a value that its JSON is decoded to again")

/**
 * Returns the codec that stores any value as one JSON text. It refuses a value that would be decoded as another one.
 *
 * @internal
 */
export const json = (schema: Schema.Constraint): Codec => {
  let lazy: {
    readonly encode: (value: unknown) => Exit.Exit<unknown, Schema.SchemaError>
    readonly decode: (value: unknown) => Exit.Exit<unknown, Schema.SchemaError>
    readonly equals: ((a: unknown, b: unknown) => boolean) | undefined
  } | undefined
  const codec = () => {
    if (lazy === undefined) {
      const encoded = Schema.toCodecJson(schema as Schema.Top) as unknown as Schema.Codec<unknown, unknown>
      lazy = {
        encode: Schema.encodeUnknownExit(encoded),
        decode: Schema.decodeUnknownExit(encoded),
        equals: isAmbiguous(Schema.toType(schema as Schema.Top).ast)
          ? Schema.toEquivalence(schema as Schema.Top)
          : undefined
      }
    }
    return lazy
  }
  const toText = (value: unknown): string | Problem =>
    attempt(
      () => codec().encode(value),
      (encoded) => isWellFormedDeep(encoded) ? canonicalJson(encoded) : illFormed
    )
  const decode = (text: string): unknown => attempt(() => codec().decode(parseJson(text)), (value) => value)
  const exactly = (value: unknown): string | Problem => {
    const text = toText(value)
    return text instanceof Problem || codec().equals!(value, decode(text)) ? text : inexact
  }
  const encode = (value: unknown): string | Problem => {
    if (codec().equals === undefined) return toText(value)
    const text = exactly(value)
    if (!(text instanceof Problem)) return text
    const again = exactly(withoutUndefined(value))
    return again instanceof Problem ? text : again
  }
  return {
    kind: "value",
    form: "json",
    codecIdentity: schema.ast,
    bounds: {},
    clientOnlyCheck: "a value that is stored as a whole",
    encode,
    encodeUnchecked: encode,
    decode
  }
}
