/**
 * The checks of a definition that come before the plan: what no schema is, and which schemas can't be stored.
 */
import type * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"
import { partsOf } from "./ast.ts"

const noSchema = "no schema; a module that is imported in a circle is not loaded yet, and a function must be called"

const isSchema = (value: unknown): value is Schema.Constraint =>
  SchemaAST.isAST((value as Schema.Constraint | undefined)?.ast)

/** Why no value of a schema can be stored. Undefined: they can, or the schema is defined later. */
const refusalOf = (
  ast: SchemaAST.AST | undefined,
  isField: boolean,
  seen = new Set<SchemaAST.AST>()
): string | undefined => {
  if (ast === undefined) return noSchema
  if (seen.has(ast)) return undefined
  seen.add(ast)
  if (ast.encoding !== undefined) {
    const { to } = ast.encoding[ast.encoding.length - 1]!
    return !isField && SchemaAST.isOptional(to) && !SchemaAST.isOptional(ast)
      ? "an encoding that may be omitted, such as that of Schema.OptionFromOptionalKey, is for fields only; use " +
        "Schema.OptionFromNullOr"
      : refusalOf(to, isField, seen)
  }
  if (ast._tag === "Declaration") {
    const { toCodec, toCodecJson } = ast.annotations ?? {}
    if (typeof toCodec !== "function" && typeof toCodecJson !== "function") {
      return "a type without a JSON form, as Schema.instanceOf makes it; use Schema.Date for a Date, and give another type " +
        "an encoding with Schema.decodeTo"
    }
  }
  const inStruct = ast._tag === "Objects" ? new Set(ast.propertySignatures.map(({ type }) => type)) : undefined
  for (const part of partsOf(ast)) {
    const refusal = refusalOf(part, inStruct?.has(part) === true, seen)
    if (refusal !== undefined) return refusal
  }
}

/**
 * Throws if a schema can't be that of a field, an item or a message.
 *
 * @param what what has the schema, such as `Model "User", field "age"`
 *
 * @internal
 */
export const checkSchema = (what: string, schema: unknown, isField = false): void => {
  const refusal = isSchema(schema) ? refusalOf(schema.ast, isField) : noSchema
  if (refusal !== undefined) throw new Error(`${what}: ${refusal}`)
}

/**
 * Throws if a schema can't be that of a field. The error names the field, and in a struct the inner one.
 *
 * @internal
 */
export const checkFields = (model: string, fields: unknown, parent = ""): void => {
  if (typeof fields !== "object" || fields === null) throw new Error(`Model "${model}": its fields must be an object`)
  for (const name of Reflect.ownKeys(fields)) {
    const field = `${parent}${String(name)}`
    const schema = (fields as Record<PropertyKey, unknown>)[name]
    const inner = isSchema(schema) && "fields" in schema ? schema.fields : undefined
    if (inner !== undefined) checkFields(model, inner, `${field}.`)
    checkSchema(`Model "${model}", field "${field}"`, schema, true)
  }
}
