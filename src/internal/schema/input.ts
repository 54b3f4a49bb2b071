/**
 * Copies the input of an entity when its program is made, so that the program stays as it is if the caller changes it.
 */
import type * as SchemaAST from "effect/SchemaAST"
import { maximumDepth } from "../text/canonicalJson.ts"
import { setField } from "../text/record.ts"
import { isImmutable } from "./immutable.ts"

/**
 * A copy of an input.
 *
 * @internal
 */
export interface Copied {
  readonly value: unknown
  /** Whether no part is shared with the original. An instance of a class is shared, because only its class could copy it. */
  readonly isWhole: boolean
}

/** The only member of a union that is an object. */
const objectOf = (ast: SchemaAST.AST | undefined): SchemaAST.AST | undefined => {
  switch (ast?._tag) {
    case "Union": {
      const objects = ast.types.map(objectOf).filter((type) => type !== undefined)
      return objects.length === 1 ? objects[0] : undefined
    }
    case "Suspend":
      return objectOf(ast.thunk())
    // the fields of a class, or the elements of a set
    case "Declaration":
      return objectOf(ast.typeParameters[0])
    case "Arrays":
    case "Objects":
      return ast
    default:
      return undefined
  }
}

/** The greatest number of levels that are copied. No value with more can be stored as JSON. */
const maximumCopied = maximumDepth + 10

/**
 * Copies an input of a schema's constructor. A key that is `undefined` and may be absent is left out.
 *
 * @internal
 */
export const copyInput = (schema: SchemaAST.AST, input: unknown): Copied => {
  let isWhole = true
  /** By the original, so that an object which contains itself ends. */
  const copies = new Map<unknown, unknown>()
  const copy = (value: unknown, ast: SchemaAST.AST | undefined, depth: number): unknown => {
    if (isImmutable(value)) return value
    if (copies.has(value)) return copies.get(value)
    const within = (part: unknown, type?: SchemaAST.AST) => copy(part, type, depth + 1)
    const prototype = Object.getPrototypeOf(value)
    if (value instanceof Uint8Array) return new Uint8Array(value)
    if (prototype === Date.prototype) return new Date((value as Date).getTime())
    if (depth < maximumCopied) {
      switch (prototype) {
        case Array.prototype: {
          const type = objectOf(ast)
          const out: Array<unknown> = []
          copies.set(value, out)
          for (const part of value as ReadonlyArray<unknown>) {
            out.push(within(part, type?._tag === "Arrays" ? type.elements[out.length] ?? type.rest[0] : undefined))
          }
          return out
        }
        case Set.prototype:
          return new Set(Array.from(value as Set<unknown>, (part) => within(part)))
        case Map.prototype:
          return new Map(Array.from(value as Map<unknown, unknown>, ([a, b]) => [within(a), within(b)]))
        case Object.prototype:
        case null:
          return copyObject(value as object, objectOf(ast), within)
      }
    }
    isWhole = false
    return value
  }
  const copyObject = (
    value: object,
    type: SchemaAST.AST | undefined,
    within: (part: unknown, type?: SchemaAST.AST) => unknown
  ): object => {
    const properties = new Map(
      type?._tag === "Objects" ? type.propertySignatures.map(({ name, type }) => [name as unknown, type]) : []
    )
    const rest = type?._tag === "Objects" ? type.indexSignatures[0]?.type : undefined
    const out = {}
    copies.set(value, out)
    for (const [name, part] of Object.entries(value)) {
      const property = properties.get(name)
      if (part === undefined && property?.context?.isOptional === true) continue
      setField(out, name, within(part, property ?? rest))
    }
    return out
  }
  try {
    return { value: copy(input, schema, 0), isWhole }
  } catch {
    // a getter that throws: the constructor of the schema meets it, too
    return { value: input, isWhole: false }
  }
}
