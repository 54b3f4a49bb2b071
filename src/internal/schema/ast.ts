/**
 * Questions about the AST of a schema that several files ask.
 */
import type * as SchemaAST from "effect/SchemaAST"

/** @internal */
export const representationId = (ast: SchemaAST.AST): string | undefined =>
  (ast.annotations?.representation as { readonly id?: string } | undefined)?.id

/**
 * Whether it is the AST of a `Schema.Class`.
 *
 * @internal
 */
export const isClass = (ast: SchemaAST.AST): boolean =>
  ast._tag === "Declaration" && ast.annotations?.["~constructor"] !== undefined

/**
 * Returns the parts of a type: members, elements, the values of properties and records. A `Suspend` has none, because its
 * schema may not be defined yet.
 *
 * @internal
 */
export const partsOf = (ast: SchemaAST.AST): ReadonlyArray<SchemaAST.AST> => {
  switch (ast._tag) {
    case "Union":
      return ast.types
    case "Declaration":
      return ast.typeParameters
    case "Arrays":
      return [...ast.elements, ...ast.rest]
    case "Objects":
      return [...ast.propertySignatures, ...ast.indexSignatures].map(({ type }) => type)
    default:
      return []
  }
}
