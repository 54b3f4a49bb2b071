/**
 * Makes the codec of a schema. Each kind of scalar has one constructor here.
 */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Base64 from "effect/encoding/Base64"
import * as Result from "effect/Result"
import type * as Schema from "effect/Schema"
import type * as SchemaAST from "effect/SchemaAST"
import * as SchemaIssue from "effect/SchemaIssue"
import { numeric } from "../text/numberText.ts"
import { illFormed, Problem } from "../text/problem.ts"
import { representationId } from "./ast.ts"
import { checksOf } from "./bounds.ts"
import type { Codec } from "./codec.ts"
import { json } from "./json.ts"

const withChecks = (
  ast: SchemaAST.AST,
  codec: Pick<Codec, "kind" | "encode" | "decode">,
  form: Codec["form"] = "plain",
  codecIdentity: string = form
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
    codecIdentity,
    bounds: checks.bounds,
    clientOnlyCheck: checks.clientOnlyCheck,
    encodeUnchecked: encode,
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
  withChecks(ast, {
    kind: "text",
    encode: (value) =>
      typeof value !== "string" ? new Problem("Expected string") : value.isWellFormed() ? value : illFormed,
    decode: (stored) => stored
  })

const integer = (ast: SchemaAST.AST): Codec =>
  withChecks(ast, {
    kind: "integer",
    encode: (value) => Number.isSafeInteger(value) ? String(value) : new Problem("Expected an integer"),
    decode: (stored) => {
      const value = Number(stored)
      return Number.isSafeInteger(value) && numeric.test(stored)
        ? value === 0 ? 0 : value
        : new Problem("Expected an integer")
    }
  })

const notNumbers = new Map([["NaN", NaN], ["Infinity", Infinity], ["-Infinity", -Infinity]])

/** @internal */
export const number = (ast: SchemaAST.AST): Codec => {
  const allowed = checksOf(ast).isFinite ? Number.isFinite : (value: unknown) => typeof value === "number"
  const problem = new Problem(checksOf(ast).isFinite ? "Expected a finite number" : "Expected number")
  return withChecks(ast, {
    kind: "number",
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
  withChecks(ast, {
    kind: "boolean",
    encode: (value) => typeof value === "boolean" ? String(value) : new Problem("Expected boolean"),
    decode: (stored) => stored === "true" ? true : stored === "false" ? false : new Problem("Expected boolean")
  })

const literals = (ast: SchemaAST.AST, allowed: ReadonlyArray<string>): Codec => {
  const problem = new Problem(`Expected one of ${allowed.map((text) => JSON.stringify(text)).join(" | ")}`)
  const known = new Set<unknown>(allowed)
  return withChecks(
    ast,
    {
      kind: "value",
      encode: (value) => known.has(value) ? value as string : problem,
      decode: (stored) => known.has(stored) ? stored : problem
    },
    "plain",
    JSON.stringify([...allowed].sort())
  )
}

const date = (ast: SchemaAST.AST, toMillis: (value: unknown) => number, make: (millis: number) => unknown): Codec =>
  withChecks(ast, {
    kind: "date",
    encode: (value) => {
      const n = toMillis(value)
      return Number.isSafeInteger(n) ? String(n) : new Problem("Expected a valid date")
    },
    decode: (stored) => {
      const n = Number(stored)
      return /^-?\d+$/.test(stored) && Math.abs(n) <= 8.64e15 ? make(n) : new Problem("Expected a valid date")
    }
  })

/** The least and the greatest int64. */
const lowest = -(2n ** 63n)
const highest = 2n ** 63n - 1n

const int64 = (ast: SchemaAST.AST): Codec => {
  const problem = new Problem("Expected a 64-bit integer")
  return withChecks(ast, {
    kind: "int64",
    encode: (value) => typeof value === "bigint" && value >= lowest && value <= highest ? String(value) : problem,
    decode: (stored) => {
      if (!/^-?\d+$/.test(stored)) return problem
      const value = BigInt(stored)
      return value >= lowest && value <= highest ? value : problem
    }
  })
}

const nanosInMilli = 1_000_000n

/**
 * Returns a duration in its normal form: whole milliseconds are a `Duration` of milliseconds.
 *
 * @internal
 */
export const durationOf = (nanos: bigint): Duration.Duration => {
  const millis = Number(nanos / nanosInMilli)
  return nanos % nanosInMilli === 0n && Number.isFinite(millis) && BigInt(millis) * nanosInMilli === nanos
    ? Duration.millis(millis)
    : Duration.nanos(nanos)
}

/** Stores nanoseconds. */
const duration = (ast: SchemaAST.AST): Codec => {
  const problem = new Problem("Expected a finite duration")
  return withChecks(ast, {
    kind: "duration",
    encode: (value) =>
      Duration.isDuration(value) && Duration.isFinite(value) ? String(Duration.toNanosUnsafe(value)) : problem,
    decode: (stored) => /^-?\d+$/.test(stored) ? durationOf(BigInt(stored)) : problem
  })
}

const bytes = (ast: SchemaAST.AST): Codec =>
  withChecks(ast, {
    kind: "value",
    encode: (value) => value instanceof Uint8Array ? Base64.encode(value) : new Problem("Expected bytes"),
    decode: (stored) => {
      const decoded = Base64.decode(stored)
      return Result.isSuccess(decoded) ? decoded.success : new Problem("Expected bytes in base64")
    }
  }, "base64")

const declarations: Record<string, (ast: SchemaAST.AST) => Codec> = {
  "effect/schema/Date": (ast) =>
    date(ast, (value) => value instanceof Date ? value.getTime() : NaN, (n) => new Date(n)),
  "effect/schema/DateTimeUtc": (ast) =>
    date(
      ast,
      (value) => DateTime.isDateTime(value) ? DateTime.toEpochMillis(value) : NaN,
      (n) => DateTime.makeUnsafe(n)
    ),
  "effect/schema/Duration": duration,
  "effect/schema/Uint8Array": bytes
}

/**
 * Whether two codecs encode equally. Compared structurally; custom checks and transformations compare by identity; key
 * annotations, such as a default, are ignored.
 *
 * @internal
 */
export const isSameCodec = (a: unknown, b: unknown): boolean => {
  if (a === b) return true
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false
  const names = Object.keys(a).filter((name) => name !== "context" && name !== "annotations")
  return (!Array.isArray(a) || a.length === (b as ReadonlyArray<unknown>).length) &&
    names.every((name) => isSameCodec((a as any)[name], (b as any)[name]))
}

/**
 * Returns the codec of a schema, chosen by the decoded type. A schema with a transformation is stored as JSON, in its own
 * encoding. So is what `Schema.suspend` refers to, because that may not be defined yet.
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
    case "BigInt":
      return int64(ast)
    case "Boolean":
      return boolean(ast)
    case "Literal":
      return typeof ast.literal === "string" ? literals(ast, [ast.literal]) : json(schema)
    case "Union": {
      const texts = ast.types.map((type) =>
        type._tag === "Literal" && typeof type.literal === "string" && type.encoding === undefined
          ? type.literal
          : undefined
      )
      return texts.length > 0 && texts.every((text) => text !== undefined)
        ? literals(ast, texts)
        : json(schema)
    }
    case "Enum": {
      const members = ast.enums.map(([, value]) => value)
      return members.every((value) => typeof value === "string") ? literals(ast, members) : json(schema)
    }
    case "Declaration":
      return (declarations[representationId(ast) ?? ""] ?? (() => json(schema)))(ast)
    default:
      return json(schema)
  }
}
