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
import { isClass, partsOf, representationId } from "./ast.ts"
import type { Codec } from "./codec.ts"
import { copyInput } from "./input.ts"

const isWellFormedDeep = (value: unknown): boolean => {
  if (typeof value === "string") return value.isWellFormed()
  if (typeof value !== "object" || value === null) return true
  return Array.isArray(value)
    ? value.every(isWellFormedDeep)
    : Object.entries(value).every(([key, item]) => key.isWellFormed() && isWellFormedDeep(item))
}

const unusable = {
  asynchronous: new Problem("The schema's transformation must be synchronous"),
  service: new Problem("The schema's transformation must not need a service")
}

/** Whether a transformation can't run for any value. */
const isUnusable = (problem: Problem): boolean => problem === unusable.asynchronous || problem === unusable.service

const failureOf = (cause: Cause.Cause<unknown>): Problem => {
  const defects = cause.reasons.filter(Cause.isDieReason).map(({ defect }) => defect)
  if (defects.some(Cause.isAsyncFiberError)) return unusable.asynchronous
  return defects.some((defect) => defect instanceof Error && defect.message.startsWith("Service not found"))
    ? unusable.service
    : new Problem("The schema's transformation failed")
}

/** Runs a schema's transformation. It must end at once, because encoding is synchronous. */
const attempt = <A>(run: () => Exit.Exit<unknown, Schema.SchemaError>, then: (value: unknown) => A): A | Problem => {
  try {
    const exit = run()
    if (Exit.isSuccess(exit)) return then(exit.value)
    const error = Cause.findErrorOption(exit.cause)
    return Option.isSome(error) ? Problem.fromIssue(error.value.issue) : failureOf(exit.cause)
  } catch (error) {
    return new Problem(error instanceof RangeError ? `Expected no more than ${maximumDepth} levels` : "Expected JSON")
  }
}

/** Whether some part of a schema is as `is` says. It calls `Suspend`, so it must not run before the schema is used. */
const some = (
  ast: SchemaAST.AST,
  is: (part: SchemaAST.AST) => boolean,
  seen = new Set<SchemaAST.AST>()
): boolean => {
  if (seen.has(ast)) return false
  seen.add(ast)
  return is(ast) || (ast._tag === "Suspend" ? [ast.thunk()] : partsOf(ast)).some((part) => some(part, is, seen))
}

/** Whether values of a type may have the JSON of others: members of a union, `undefined` and `null`, or unknown values. */
const isAmbiguous = (ast: SchemaAST.AST): boolean =>
  ["Any", "Unknown", "ObjectKeyword", "Void"].includes(ast._tag) ||
  ast._tag === "Union" && ast.types.some((type) => type._tag !== "Literal")

/**
 * Whether a schema has a transformation of its own, which may not be able to read what it writes. The transformations of
 * Effect's classes and declarations can.
 */
const isTransformed = (ast: SchemaAST.AST): boolean =>
  isClass(ast)
    ? ast.encoding !== undefined && ast.encoding.length > 1
    : ast.encoding !== undefined ||
      ast._tag === "Declaration" && representationId(ast)?.startsWith("effect/") !== true

/** Returns the value without those keys of plain objects that hold `undefined`. A value that is too deep is a problem. */
const withoutUndefined = (value: unknown, depth = 0): unknown => {
  if (depth > maximumDepth) return new Problem("Expected JSON")
  let tooDeep: Problem | undefined
  const within = (part: unknown): unknown => {
    if (tooDeep !== undefined) return undefined
    const found = withoutUndefined(part, depth + 1)
    if (found instanceof Problem) tooDeep = found
    return found
  }
  if (Array.isArray(value)) {
    const items = value.map(within)
    return tooDeep ?? items
  }
  if (typeof value !== "object" || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value
  const fields = record(
    Object.entries(value).flatMap(([name, part]) => part === undefined ? [] : [[name, within(part)]])
  )
  return tooDeep ?? fields
}

const inexact = new Problem("Expected a value that its JSON is decoded to again")

/**
 * The text of a value whose encoding has no value, as that of `Option.none` in `OptionFromOptionalKey`. No JSON is empty.
 *
 * @internal
 */
export const omitted = ""

/**
 * Returns the codec that stores any value as one JSON text. It refuses a value that would be decoded as another one.
 *
 * @param omits whether the schema is of a field whose encoding may be omitted
 *
 * @internal
 */
export const json = (schema: Schema.Constraint, omits = false): Codec => {
  let lazy: {
    readonly encode: (value: unknown) => Exit.Exit<unknown, Schema.SchemaError>
    readonly decode: (value: unknown) => Exit.Exit<unknown, Schema.SchemaError>
    readonly type: SchemaAST.AST
    readonly isAmbiguous: boolean
    /** Unset: every value is decoded from its JSON again. */
    readonly equals: ((a: unknown, b: unknown) => boolean) | undefined
  } | undefined
  const codec = () => {
    if (lazy === undefined) {
      // Only a struct tells that the encoding of a field is omitted.
      const whole = omits ? Schema.Struct({ value: schema }) : schema
      const encoded = Schema.toCodecJson(whole as Schema.Top) as unknown as Schema.Codec<unknown, unknown>
      const type = Schema.toType(schema as Schema.Top).ast
      const ambiguous = some(type, isAmbiguous)
      lazy = {
        encode: Schema.encodeUnknownExit(encoded),
        decode: Schema.decodeUnknownExit(encoded),
        type,
        isAmbiguous: ambiguous,
        equals: ambiguous || some(schema.ast, isTransformed) ? Schema.toEquivalence(schema as Schema.Top) : undefined
      }
    }
    return lazy
  }
  const textOf = (encoded: unknown): string | Problem => isWellFormedDeep(encoded) ? canonicalJson(encoded) : illFormed
  const toText = (value: unknown): string | Problem => {
    if (!omits) return attempt(() => codec().encode(value), textOf)
    if (Option.isOption(value) && Option.isNone(value)) return omitted
    const text = attempt(
      () => codec().encode({ value }),
      (encoded) => "value" in (encoded as object) ? textOf((encoded as { readonly value: unknown }).value) : omitted
    )
    return text instanceof Problem ? text.without("value") : text
  }
  const decode = (text: string): unknown => {
    if (!omits) return attempt(() => codec().decode(parseJson(text)), (value) => value)
    const decoded = attempt(
      () => codec().decode(text === omitted ? {} : { value: parseJson(text) }),
      (decoded) => (decoded as { readonly value: unknown }).value
    )
    return decoded instanceof Problem ? decoded.without("value") : decoded
  }
  const exactly = (value: unknown): string | Problem => {
    const text = toText(value)
    if (text instanceof Problem) return text
    const { equals, isAmbiguous } = codec()
    const again = decode(text)
    if (again instanceof Problem) return isUnusable(again) ? again : inexact
    // An opaque type has no equivalence, and a text may differ each time, as an encrypted one does: either is enough.
    return equals!(value, again) || !isAmbiguous && toText(again) === text ? text : inexact
  }
  const encodeOnce = (value: unknown): string | Problem => codec().equals === undefined ? toText(value) : exactly(value)
  const encode = (value: unknown): string | Problem => {
    const text = encodeOnce(value)
    if (!(text instanceof Problem) || isUnusable(text)) return text
    // an optional key that is undefined is absent; in an unknown value, any key is
    const { isAmbiguous, type } = codec()
    const again = isAmbiguous ? withoutUndefined(value) : copyInput(type, value).value
    const next = again instanceof Problem ? again : encodeOnce(again)
    return next instanceof Problem ? text : next
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
