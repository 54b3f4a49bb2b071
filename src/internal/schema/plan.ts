/**
 * The plan of a model: what its Schema says about storage. Each field is a leaf (one text in the entity's hash), a
 * collection (a key of its own) or a struct of more fields.
 *
 * May import: text, instruction, the errors.
 * Must not know: programs, handles, Redis, the memory store.
 * Invariant: a plan is made once for each model, and never changes.
 */
import * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"
import { type Expiry, type FieldSpec, namesAround } from "../instruction/spec.ts"
import { escapeField } from "../text/escape.ts"
import { missing, Problem } from "../text/problem.ts"
import { representationId } from "./ast.ts"
import type { Codec } from "./codec.ts"
import { codecOf } from "./codecOf.ts"
import { type Collection, collectionOf } from "./collection.ts"
import { isImmutable } from "./immutable.ts"
import { json, omitted } from "./json.ts"

/**
 * A field that is one text in the entity's hash.
 *
 * @internal
 */
export interface Leaf {
  readonly _tag: "leaf"
  /** The dotted name, for errors. */
  readonly field: string
  readonly spec: FieldSpec
  readonly codec: Codec
  /**
   * How a decoded struct represents a missing field: without the key, as `undefined`, or as `null`. `refused`: the field is
   * required.
   */
  readonly absence: "refused" | "key" | "undefined" | "null"
  /** Whether the codec's empty text stands for a missing field, as `Option.none` of `OptionFromOptionalKey` does. */
  readonly omits: boolean
  /** Returns the value of a missing field, which is made anew each time, so that no two entities share it. */
  readonly default: (() => unknown) | undefined
  /** Returns the value of an unreadable field. Undefined: such a field is an error. */
  readonly fallback: (() => unknown) | undefined
  /** The fields of a struct that is stored as one value because of its check. Its type still has handles for them. */
  readonly parts: Schema.Struct.Fields | undefined
  /** Whether the field has an index of its own. */
  readonly indexed: boolean | "unique"
}

/**
 * A field that is stored under its own key.
 *
 * @internal
 */
export interface CollectionNode extends Collection {
  readonly fallback: (() => unknown) | undefined
}

/**
 * A struct of fields, the root or nested.
 *
 * @internal
 */
export interface Struct {
  readonly _tag: "struct"
  readonly field: string
  readonly fields: ReadonlyArray<readonly [name: string, node: Node]>
  readonly make: (fields: Record<string, unknown>) => unknown
}

/** A field of the id. It is stored in the name of the entity's key alone. */
interface Key {
  readonly _tag: "key"
  readonly field: string
  readonly position: number
  readonly codec: Codec
}

/** @internal */
export type Node = Leaf | CollectionNode | Struct | Key

/** @internal */
export const defaultAnnotation = "~redlayer/default"

/** @internal */
export const jsonAnnotation = "~redlayer/json"

/** @internal */
export const sortedSetAnnotation = "~redlayer/sortedSet"

/** @internal */
export const tolerantAnnotation = "~redlayer/tolerant"

/**
 * The value is `"unique"` if no two entities may have equal values.
 *
 * @internal
 */
export const indexedAnnotation = "~redlayer/indexed"

const annotation = (schema: Schema.Constraint, name: string): any =>
  (Schema.resolveAnnotationsKey(schema as Schema.Top) as Record<string, unknown> | undefined)?.[name]

const refuse = (field: string, why: string): never => {
  throw new Error(`Model field "${field}": ${why}`)
}

/** @internal */
export const fieldsOf = (schema: Schema.Constraint): Schema.Struct.Fields | undefined => {
  const inner = undefaulted(schema)
  return "fields" in inner ? inner.fields as Schema.Struct.Fields : undefined
}

/** The schema of a field without the default that its constructor has. */
const undefaulted = (schema: Schema.Constraint): Schema.Constraint =>
  schema.ast.context?.constructorDefault !== undefined && "schema" in schema
    ? undefaulted(schema.schema as Schema.Constraint)
    : schema

/** A default, of a field or of the struct around it. */
interface Given {
  readonly value: unknown
}

const wholes = ["effect/schema/Json", "effect/schema/MutableJson"]

/** The members of a union, and of the unions in it. */
const membersOf = (ast: SchemaAST.AST): ReadonlyArray<SchemaAST.AST> =>
  ast._tag === "Union" ? ast.types.flatMap(membersOf) : [ast]

/**
 * Whether a type contains `null` and other values, and encodes `null` as the JSON `null`. Such a `null` is a missing value. The
 * `null` of an unknown value or of any JSON is a value like others.
 */
const isNullable = (schema: Schema.Constraint): boolean => {
  const { ast } = schema
  const type = Schema.toType(schema as Schema.Top).ast
  if (type._tag === "Any" || type._tag === "Unknown" || type._tag === "Null" || type._tag === "Void") return false
  if (type._tag === "Suspend") return false
  const members = membersOf(type)
  if (members.some((member) => wholes.includes(representationId(member) ?? ""))) return false
  // A schema that is defined later can't be asked, so it is not taken to have a null.
  if (members.some(({ _tag }) => _tag === "Suspend")) {
    return ast.encoding === undefined && members.some(({ _tag }) => _tag === "Null")
  }
  return Schema.is(schema as Schema.Top)(null) && json(schema).encode(null) === "null"
}

/** Kinds whose texts are never `null`. */
const plainKinds: ReadonlyArray<FieldSpec["kind"]> = ["integer", "number", "int64", "date", "duration", "boolean"]

/** Returns the codec of a union's only other member if it has a plain kind; otherwise JSON that refuses `null`. */
const codecWithoutNull = (schema: Schema.Constraint): Codec => {
  const { ast } = schema
  const others = ast._tag === "Union" && ast.encoding === undefined && ast.checks === undefined
    ? ast.types.filter((type) => type._tag !== "Null")
    : []
  const codec = others.length === 1 ? codecOf(Schema.make(others[0]!)) : undefined
  if (codec !== undefined && plainKinds.includes(codec.kind)) return codec
  const whole = json(schema)
  return {
    ...whole,
    encode: (value) => value === null ? new Problem("Expected a value, not null") : whole.encode(value)
  }
}

/**
 * The names of the collections that a schema would have if it were stored field by field. A field may have been stored so before
 * its struct became optional, got a check, or became JSON.
 */
const innerCollections = (ast: SchemaAST.AST, path: string): ReadonlyArray<string> => {
  if (ast._tag === "Union") return ast.types.flatMap((type) => innerCollections(type, path))
  const encoded = ast._tag === "Declaration" ? ast.encoding?.[0]?.to : undefined
  if (encoded !== undefined) return innerCollections(encoded, path)
  if (ast._tag !== "Objects") return []
  return ast.propertySignatures.flatMap(({ name, type }) => {
    if (typeof name !== "string") return []
    const inside = `${path}.${escapeField(name)}`
    return type._tag === "Arrays" || type._tag === "Declaration" && type.typeParameters.length > 0 ||
        type._tag === "Objects" && type.indexSignatures.length > 0
      ? [inside]
      : innerCollections(type, inside)
  })
}

const addFormer = ({ former }: Expiry, ...names: ReadonlyArray<string>): void => {
  for (const name of names) if (!former.includes(name)) (former as Array<string>).push(name)
}

/** @param around what the default of the struct around the field gives this field; undefined if the struct has none */
const leaf = (
  schema: Schema.Constraint,
  field: string,
  path: string,
  expiry: Expiry | undefined,
  around: Given | undefined
): Leaf => {
  const ast = schema.ast
  const optional = SchemaAST.isOptional(ast)
  // an optional field of a struct that is missing may have been cleared
  const given = around?.value === undefined || optional
    ? annotation(schema, defaultAnnotation) as Given | undefined
    : around
  const defined = ast._tag === "Union" && ast.encoding === undefined
    ? ast.types.filter((type) => type._tag !== "Undefined")
    : undefined
  const undefinable = defined !== undefined && defined.length < (ast as SchemaAST.Union).types.length
  const inner = undefinable && defined.length === 1 ? Schema.make(defined[0]!) : schema
  const isJson = annotation(schema, jsonAnnotation) === true
  const omittable = !optional && !undefinable && ast.encoding !== undefined &&
    SchemaAST.isOptional(SchemaAST.toEncoded(ast))
  const isOption = omittable && representationId(ast) === "effect/schema/Option"
  const nullable = !optional && !undefinable && !isJson && !omittable && isNullable(schema)
  const codec = omittable
    ? json(inner, true)
    : isJson
    ? json(inner)
    : nullable
    ? codecWithoutNull(schema)
    : codecOf(inner)
  const absence = optional
    ? "key"
    : undefinable || ast._tag === "Undefined" || ast._tag === "Void"
    ? "undefined"
    : nullable
    ? "null"
    : "refused"
  const ownCollections = [...new Set(innerCollections(ast, path))]
  if (expiry !== undefined && (given !== undefined || omittable || absence !== "refused")) {
    addFormer(expiry, path, ...namesAround(path), ...ownCollections)
  }
  const withoutDefault: Leaf = {
    _tag: "leaf",
    field,
    spec: {
      field: path,
      kind: codec.kind,
      ...codec.bounds,
      ...(nullable ? { nullable: true } : undefined),
      ...(ownCollections.length === 0 ? undefined : { inner: ownCollections }),
      ...(isOption ? { default: omitted } : undefined),
      ...(expiry === undefined ? undefined : { expiry })
    },
    codec,
    absence,
    omits: omittable,
    default: undefined,
    fallback: undefined,
    parts: optional || isJson ? undefined : fieldsOf(schema),
    indexed: annotation(schema, indexedAnnotation) as boolean | "unique" | undefined ?? false
  }
  if (around !== undefined && given === undefined && absence === "refused" && !omittable) {
    return refuse(field, "its default is invalid: the default of the struct has no such field")
  }
  const text = given && encodeLeaf(withoutDefault, given.value)
  if (text instanceof Problem) return refuse(field, `its default is invalid: ${text.issue}`)
  const fresh = given &&
    (isImmutable(given.value) ? () => given.value : () => readLeaf(withoutDefault, text))
  const { spec } = withoutDefault
  return {
    ...withoutDefault,
    spec: text === undefined || text === false || nullable && given!.value === null ? spec : { ...spec, default: text },
    omits: omittable && (text === undefined || text === false),
    default: fresh,
    fallback: annotation(schema, tolerantAnnotation) !== true
      ? undefined
      : fresh ?? (absence !== "refused" || isOption
        ? () => absence === "null" ? null : readLeaf(withoutDefault, false)
        : refuse(field, "a tolerant field that is required needs a default"))
  }
}

/**
 * Returns the text of a field's value, or `false` if the value is a missing one.
 *
 * @internal
 */
export const encodeLeaf = ({ absence, codec, omits }: Leaf, value: unknown): string | false | Problem => {
  if (value === undefined && (absence === "key" || absence === "undefined")) return false
  if (value === null && absence === "null") return "null"
  const text = codec.encode(value)
  return omits && text === omitted ? false : text
}

/**
 * Returns the value of a stored text. `false` is a missing text.
 *
 * @internal
 */
export const readLeaf = (leaf: Leaf, text: unknown): unknown => {
  if (text === false) {
    if (leaf.default !== undefined) return leaf.default()
    if (leaf.omits) return leaf.codec.decode(omitted)
    return leaf.absence === "key" || leaf.absence === "undefined" ? undefined : missing
  }
  return text === "null" && leaf.absence === "null" ? null : leaf.codec.decode(text as string)
}

/** Returns how a struct's decoded fields become its value. Undefined: the schema is no struct that is stored field by field. */
const makerOf = (schema: Schema.Constraint): Struct["make"] | undefined => {
  const ast = schema.ast
  if (fieldsOf(schema) === undefined || SchemaAST.isOptional(ast) || ast.checks !== undefined) return undefined
  if (ast._tag === "Objects") return ast.encoding === undefined ? (fields) => fields : undefined
  const link = ast.encoding?.[0]
  if (ast._tag !== "Declaration" || ast.encoding?.length !== 1 || link === undefined || link.to.checks !== undefined) {
    return undefined
  }
  const construct = (link.transformation.decode as { readonly transform?: (fields: object) => unknown }).transform
  return link.to._tag === "Objects" && link.to.encoding === undefined ? construct : undefined
}

const node = (
  schema: Schema.Constraint,
  field: string,
  path: string,
  expiry: Expiry | undefined,
  around: Given | undefined
): Node => {
  const { ast } = schema
  if (annotation(schema, jsonAnnotation) === true || SchemaAST.isOptional(ast)) {
    return leaf(schema, field, path, expiry, around)
  }
  const make = makerOf(schema)
  if (make !== undefined && annotation(schema, tolerantAnnotation) === true) {
    return refuse(
      field,
      "a struct is stored field by field; make its fields tolerant, or use Model.json with a default"
    )
  }
  const own = annotation(schema, defaultAnnotation) as Given | undefined
  if (make !== undefined) return struct(fieldsOf(schema)!, [], make, expiry, field, path, around ?? own)
  const collection = collectionOf(ast, annotation(schema, sortedSetAnnotation) === true, field, path, expiry)
  if (collection === undefined) return leaf(schema, field, path, expiry, around)
  if (annotation(schema, indexedAnnotation) !== undefined) return refuse(field, "a collection can't be indexed")
  if (ast.encoding !== undefined) {
    return refuse(
      field,
      "a collection whose schema transforms the whole can't be stored as a collection; use Model.json"
    )
  }
  if (expiry !== undefined) {
    ;(expiry.collections as Array<string>).push(path)
    addFormer(expiry, ...namesAround(path))
  }
  const refused = around?.value === undefined ? undefined : collection.encode(around.value)
  if (refused instanceof Problem) return refuse(field, `its default is invalid: ${refused.issue}`)
  const texts = own === undefined ? [] : collection.encode(own.value)
  if (texts instanceof Problem) return refuse(field, `its default is invalid: ${texts.issue}`)
  const tolerant = annotation(schema, tolerantAnnotation) === true
  return { ...collection, fallback: tolerant ? () => collection.decode(texts) : undefined }
}

/**
 * Plans the fields of a struct.
 *
 * @internal
 */
export const struct = (
  fields: Schema.Struct.Fields,
  keys: ReadonlyArray<string>,
  make: Struct["make"],
  expiry: Expiry | undefined,
  parent = "",
  parentPath = "",
  given?: Given
): Struct => ({
  _tag: "struct",
  field: parent,
  fields: Reflect.ownKeys(fields).map((name) => {
    const field = parent === "" ? String(name) : `${parent}.${String(name)}`
    if (typeof name !== "string") return refuse(field, "the name of a stored field can't be a symbol")
    if (name.startsWith("$")) return refuse(field, "names that begin with $ are reserved")
    if (name === "" || name === "__proto__" || !name.isWellFormed()) {
      return refuse(field, "a name must be well-formed Unicode, and neither empty nor __proto__")
    }
    const position = parent === "" ? keys.indexOf(name) : -1
    const path = parentPath === "" ? escapeField(name) : `${parentPath}.${escapeField(name)}`
    const schema = fields[name]!
    return [
      name,
      position >= 0
        ? { _tag: "key", field, position, codec: codecOf(schema) }
        : node(schema, field, path, expiry, given && { value: (given.value as Record<string, unknown>)?.[name] })
    ]
  }),
  make
})
