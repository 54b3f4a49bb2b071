/**
 * Says how the values of a codec are ordered in an index.
 *
 * | kind            | its schema                                         | code | order                       |
 * | --------------- | -------------------------------------------------- | ---- | --------------------------- |
 * | text            | String, with any check or brand                    | `s`  | UTF-8 bytes                 |
 * | integer         | Int, and Number with a check of integers           | `i`  | value                       |
 * | number          | any other Number                                   | `d`  | value; NaN has no place     |
 * | int64           | BigInt                                             | `i`  | value                       |
 * | date            | Date, DateTimeUtc: milliseconds                    | `i`  | time                        |
 * | duration        | Duration: nanoseconds                              | `i`  | length                      |
 * | boolean         | Boolean                                            | `b`  | false, true                 |
 * | value, as plain | literals and enums that are all texts              | `s`  | UTF-8 bytes, never ordinals |
 * | value, as JSON  | template literals; texts with `null` or `json`     | `j`  | UTF-8 bytes of the text     |
 * | value, as JSON  | literals and enums that are all numbers            | `d`  | value                       |
 * | value, as JSON  | literals that are all booleans                     | `b`  | false, true                 |
 * | value, as JSON  | the others: mixed types, transformations, structs  | none |                             |
 * | value, base64   | Uint8Array                                         | none |                             |
 *
 * A value that may be missing is ordered as its type. A missing one, and a `null` that stands for one, has no text.
 */
import type * as SchemaAST from "effect/SchemaAST"
import type { OrderCode } from "../text/orderCode.ts"
import type { Codec } from "./codec.ts"

/** Returns the codes of the members of a type that is stored as JSON. */
const codesOfJson = (ast: SchemaAST.AST): ReadonlyArray<OrderCode | undefined> => {
  // the order of the encoded values would not be that of the decoded ones
  if (ast.encoding !== undefined) return [undefined]
  switch (ast._tag) {
    case "Null":
    case "Undefined":
      return []
    case "String":
    case "TemplateLiteral":
      return ["j"]
    case "Boolean":
      return ["b"]
    case "Literal":
      return [codeOfLiteral(ast.literal)]
    case "Enum":
      return ast.enums.map(([, value]) => codeOfLiteral(value))
    case "Union":
      return ast.types.flatMap(codesOfJson)
    default:
      return [undefined]
  }
}

const codeOfLiteral = (value: SchemaAST.LiteralValue): OrderCode | undefined => {
  switch (typeof value) {
    case "string":
      return "j"
    case "number":
      return "d"
    case "boolean":
      return "b"
    default:
      return undefined
  }
}

/**
 * Returns how a codec's texts are encoded in an index, or undefined if its values have no order that an index can keep.
 *
 * @internal
 */
export const orderCodeOf = ({ codecIdentity, form, kind }: Codec): OrderCode | undefined => {
  switch (kind) {
    case "text":
      return "s"
    case "integer":
    case "int64":
    case "date":
    case "duration":
      return "i"
    case "number":
      return "d"
    case "boolean":
      return "b"
    case "value": {
      if (form === "plain") return "s"
      if (form === "base64" || typeof codecIdentity === "string") return undefined
      const codes = new Set(codesOfJson(codecIdentity))
      return codes.size === 1 ? codes.values().next().value : undefined
    }
    default:
      return undefined
  }
}
