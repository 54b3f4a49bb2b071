/**
 * The codec of one value: between a decoded value and its stored text. `codecOf.ts` makes one for a schema.
 */
import type * as SchemaAST from "effect/SchemaAST"
import type { Bounds, FieldSpec } from "../instruction/spec.ts"
import type { Problem } from "../text/problem.ts"

/** @internal */
export interface Codec {
  readonly kind: FieldSpec["kind"]
  /** How the text of a codec of kind `value` is written. */
  readonly form: "plain" | "base64" | "json"
  /** A name or a schema's AST. Two codecs with the same identity encode equal values equally. */
  readonly codecIdentity: string | SchemaAST.AST
  readonly bounds: Bounds
  /** The check that only the client can run. Operations that compute a new value on the server are refused. Unset: allowed. */
  readonly clientOnlyCheck: string | undefined
  readonly encode: (value: unknown) => string | Problem
  /** Encodes a value of the type without running the checks of the schema. */
  readonly encodeUnchecked: (value: unknown) => string | Problem
  readonly decode: (text: string) => unknown
}
