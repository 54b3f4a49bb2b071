/**
 * Codecs between one decoded value and its stored text. Every kind of scalar is one constructor here.
 */
import * as Cause from "effect/Cause"
import * as DateTime from "effect/DateTime"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as SchemaAST from "effect/SchemaAST"
import * as SchemaIssue from "effect/SchemaIssue"
import type { FieldSpec } from "../program/instruction.ts"
import { type Bounds, checksOf } from "./bounds.ts"
import { Problem } from "./problem.ts"

/** @internal */
export interface Codec {
  readonly kind: FieldSpec["k"]
  /** what the text is of a value that has no kind of its own */
  readonly form: "plain" | "millis" | "json"
  readonly bounds: Bounds
  /** why the server can't tell whether a result is valid: operations that compute there are refused */
  readonly unsendable: string | undefined
  readonly encode: (value: unknown) => string | Problem
  readonly decode: (text: string) => unknown
}

const illFormed = new Problem("Expected well-formed Unicode")

const checked = (
  ast: SchemaAST.AST,
  codec: Pick<Codec, "kind" | "encode" | "decode">,
  form: Codec["form"] = "plain"
): Codec => {
  const checks = checksOf(ast)
  const options: SchemaAST.ParseOptions = {}
  const breach = (value: unknown): Problem | undefined => {
    for (const filter of checks.filters) {
      const issue = filter.run(value, ast, options)
      if (issue !== undefined) return Problem.fromIssue(new SchemaIssue.Filter(filter, issue))
    }
  }
  const { decode, encode, kind } = codec
  return {
    kind,
    form,
    bounds: checks.bounds,
    unsendable: checks.unsendable,
    encode: checks.filters.length === 0 ? encode : (value) => {
      const text = encode(value)
      return typeof text === "string" ? breach(value) ?? text : text
    },
    decode: checks.filters.length === 0 ? decode : (text) => {
      const value = decode(text)
      return value instanceof Problem ? value : breach(value) ?? value
    }
  }
}

const text = (ast: SchemaAST.AST): Codec =>
  checked(ast, {
    kind: "t",
    encode: (value) =>
      typeof value !== "string" ? new Problem("Expected string") : value.isWellFormed() ? value : illFormed,
    decode: (stored) => stored
  })

/** @internal */
export const numeric = /^-?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/

const integer = (ast: SchemaAST.AST): Codec =>
  checked(ast, {
    kind: "i",
    encode: (value) => Number.isSafeInteger(value) ? String(value) : new Problem("Expected an integer"),
    decode: (stored) => {
      const value = Number(stored)
      return Number.isSafeInteger(value) && numeric.test(stored)
        ? value === 0 ? 0 : value
        : new Problem("Expected an integer")
    }
  })

const notNumbers = new Map([["NaN", NaN], ["Infinity", Infinity], ["-Infinity", -Infinity]])

const number = (ast: SchemaAST.AST): Codec => {
  const allowed = checksOf(ast).isFinite ? Number.isFinite : (value: unknown) => typeof value === "number"
  const problem = new Problem(checksOf(ast).isFinite ? "Expected a finite number" : "Expected number")
  return checked(ast, {
    kind: "n",
    encode: (value) => allowed(value) ? String(value) : problem,
    decode: (stored) => {
      if (numeric.test(stored)) {
        const value = Number(stored)
        if (Number.isFinite(value)) return value === 0 ? 0 : value
      }
      const value = notNumbers.get(stored)
      return allowed(value) ? value : problem
    }
  })
}

const boolean = (ast: SchemaAST.AST): Codec =>
  checked(ast, {
    kind: "b",
    encode: (value) => typeof value === "boolean" ? String(value) : new Problem("Expected boolean"),
    decode: (stored) => stored === "true" ? true : stored === "false" ? false : new Problem("Expected boolean")
  })

const words = (ast: SchemaAST.AST, allowed: ReadonlyArray<string>): Codec => {
  const problem = new Problem(`Expected one of ${allowed.map((word) => JSON.stringify(word)).join(" | ")}`)
  const known = new Set<unknown>(allowed)
  return checked(ast, {
    kind: "v",
    encode: (value) => known.has(value) ? value as string : problem,
    decode: (stored) => known.has(stored) ? stored : problem
  })
}

const deepest = 500

/**
 * JSON in which the keys of every object are in order, so that equal values are equal texts. It goes no deeper than 500.
 *
 * @internal
 */
export const canonicalJson = (value: unknown, depth = 0): string => {
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null"
  if (depth > deepest) throw new RangeError(`Expected no more than ${deepest} levels`)
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item, depth + 1)).join(",")}]`
  const entries = Object.keys(value).sort().filter((key) => (value as Record<string, unknown>)[key] !== undefined)
    .map((key) => `${JSON.stringify(key)}:${canonicalJson((value as Record<string, unknown>)[key], depth + 1)}`)
  return `{${entries.join(",")}}`
}

const isWellFormedDeep = (value: unknown): boolean => {
  if (typeof value === "string") return value.isWellFormed()
  if (typeof value !== "object" || value === null) return true
  return Array.isArray(value)
    ? value.every(isWellFormedDeep)
    : Object.entries(value).every(([key, item]) => key.isWellFormed() && isWellFormedDeep(item))
}

/** The schema's own effects must end at once: whatever waits has no stored form. */
const attempt = <A>(run: () => Exit.Exit<unknown, Schema.SchemaError>, then: (value: unknown) => A): A | Problem => {
  try {
    const exit = run()
    if (Exit.isSuccess(exit)) return then(exit.value)
    const error = Cause.findErrorOption(exit.cause)
    return Option.isSome(error)
      ? Problem.fromIssue(error.value.issue)
      : new Problem("The schema's transformation failed")
  } catch (error) {
    return new Problem(error instanceof RangeError ? `Expected no more than ${deepest} levels` : "Expected JSON")
  }
}

/**
 * Any value at all, as one JSON text through the schema's own codec.
 *
 * @internal
 */
export const json = (schema: Schema.Constraint): Codec => {
  let lazy: {
    readonly encode: (value: unknown) => Exit.Exit<unknown, Schema.SchemaError>
    readonly decode: (value: unknown) => Exit.Exit<unknown, Schema.SchemaError>
  } | undefined
  const codec = () => {
    if (lazy === undefined) {
      const encoded = Schema.toCodecJson(schema as Schema.Top) as unknown as Schema.Codec<unknown, unknown>
      lazy = { encode: Schema.encodeUnknownExit(encoded), decode: Schema.decodeUnknownExit(encoded) }
    }
    return lazy
  }
  return {
    kind: "v",
    form: "json",
    bounds: {},
    unsendable: "a value that is stored as a whole",
    encode: (value) =>
      attempt(
        () => codec().encode(value),
        (encoded) => isWellFormedDeep(encoded) ? canonicalJson(encoded) : illFormed
      ),
    decode: (stored) => attempt(() => codec().decode(JSON.parse(stored)), (value) => value)
  }
}

const millis = (ast: SchemaAST.AST, toMillis: (value: unknown) => number, make: (millis: number) => unknown): Codec =>
  checked(ast, {
    kind: "v",
    encode: (value) => {
      const n = toMillis(value)
      return Number.isSafeInteger(n) ? String(n) : new Problem("Expected a valid date")
    },
    decode: (stored) => {
      const n = Number(stored)
      return /^-?\d+$/.test(stored) && Math.abs(n) <= 8.64e15 ? make(n) : new Problem("Expected a valid date")
    }
  }, "millis")

const declarations: Record<string, (ast: SchemaAST.AST) => Codec> = {
  "effect/schema/Date": (ast) =>
    millis(ast, (value) => value instanceof Date ? value.getTime() : NaN, (n) => new Date(n)),
  "effect/schema/DateTimeUtc": (ast) =>
    millis(
      ast,
      (value) => DateTime.isDateTime(value) ? DateTime.toEpochMillis(value) : NaN,
      (n) => DateTime.makeUnsafe(n)
    )
}

/** @internal */
export const representationId = (ast: SchemaAST.AST): string | undefined =>
  (ast.annotations?.representation as { readonly id?: string } | undefined)?.id

/**
 * The codec of one value, by the decoded type of its schema. A schema that transforms its value keeps its own encoding.
 *
 * @internal
 */
export const codecOf = (schema: Schema.Constraint): Codec => {
  const ast = schema.ast
  if (ast.encoding !== undefined) return json(schema)
  switch (ast._tag) {
    case "String":
      return text(ast)
    case "TemplateLiteral":
      return { ...text(ast), ...json(schema) }
    case "Number":
      return checksOf(ast).isInteger ? integer(ast) : number(ast)
    case "Boolean":
      return boolean(ast)
    case "Literal":
      return typeof ast.literal === "string" ? words(ast, [ast.literal]) : json(schema)
    case "Union": {
      const literals = ast.types.map((type) =>
        type._tag === "Literal" && typeof type.literal === "string" && type.encoding === undefined
          ? type.literal
          : undefined
      )
      return literals.length > 0 && literals.every((literal) => literal !== undefined)
        ? words(ast, literals)
        : json(schema)
    }
    case "Enum": {
      const members = ast.enums.map(([, value]) => value)
      return members.every((value) => typeof value === "string") ? words(ast, members) : json(schema)
    }
    case "Declaration":
      return (declarations[representationId(ast) ?? ""] ?? (() => json(schema)))(ast)
    default:
      return json(schema)
  }
}
