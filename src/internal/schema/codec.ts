/**
 * The codec of one value: between a decoded value and its stored text. `codecOf.ts` makes one for a schema.
 */
import type * as SchemaAST from "effect/SchemaAST"
import type { Bounds, FieldSpec } from "../instruction/spec.ts"
import type { Problem } from "../text/problem.ts"

/** @internal */
export interface Codec {
  readonly kind: FieldSpec["kind"]
  /** The form of the text of a `value`. */
  readonly form: "plain" | "base64" | "json"
  /** Identifies the encoding: two codecs with the same identity encode equal values equally. A name, or the schema itself. */
  readonly codecIdentity: string | SchemaAST.AST
  readonly bounds: Bounds
  /** Why only the client can validate a result. The server refuses operations that compute such a value. Unset: it can. */
  readonly clientOnlyCheck: string | undefined
  readonly encode: (value: unknown) => string | Problem
  /** Encodes a value of the type without running the checks of the schema. */
  readonly encodeUnchecked: (value: unknown) => string | Problem
  readonly decode: (text: string) => unknown
}
