/**
 * The plan of a model: what its Schema says about storage. Each field is a leaf (one text in the entity's hash), a list (a
 * key of its own) or a struct of more fields.
 */
import * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"
import type { Argument, EntitySpec, FieldSpec, Result } from "../program/instruction.ts"
import { checksOf } from "./bounds.ts"
import { type Codec, codecOf, json } from "./codec.ts"
import { escapeField } from "./escape.ts"
import { Problem } from "./problem.ts"

/** @internal */
export interface Leaf {
  readonly _tag: "leaf"
  /** the dotted name, for errors */
  readonly field: string
  readonly spec: FieldSpec
  readonly codec: Codec
  /** whether the decoded struct may lack it, or hold `undefined` */
  readonly absence: "refused" | "key" | "undefined"
  /** what an absent one reads as */
  readonly default: { readonly value: unknown } | undefined
  /** the fields of a struct that has a check, and is one value for its sake: their types have handles */
  readonly parts: Schema.Struct.Fields | undefined
}

/** @internal */
export interface List {
  readonly _tag: "list"
  readonly field: string
  readonly spec: FieldSpec
  readonly item: Codec
  readonly itemSpec: FieldSpec
  readonly unsendable: string | undefined
  readonly encode: (items: unknown) => ReadonlyArray<string> | Problem
  readonly decode: (texts: ReadonlyArray<string>) => unknown
}

/** @internal */
export interface Struct {
  readonly _tag: "struct"
  readonly field: string
  readonly fields: ReadonlyArray<readonly [name: string, node: Node]>
  readonly make: (fields: Record<string, unknown>) => unknown
}

/** A field that lives in the name of the key. */
interface Key {
  readonly _tag: "key"
  readonly field: string
  readonly position: number
}

/** @internal */
export type Node = Leaf | List | Struct | Key

/** @internal */
export const defaultAnnotation = "~redlayer/default"

/** @internal */
export const jsonAnnotation = "~redlayer/json"

const annotation = (schema: Schema.Constraint, name: string): any =>
  (Schema.resolveAnnotationsKey(schema as Schema.Top) as Record<string, unknown> | undefined)?.[name]

const refuse = (field: string, why: string): never => {
  throw new Error(`Model field "${field}": ${why}`)
}

/** @internal */
export const fieldsOf = (schema: Schema.Constraint): Schema.Struct.Fields | undefined =>
  "fields" in schema ? schema.fields as Schema.Struct.Fields : undefined

const leaf = (schema: Schema.Constraint, field: string, path: string): Leaf => {
  const given = annotation(schema, defaultAnnotation) as { readonly value: unknown } | undefined
  const ast = schema.ast
  const optional = SchemaAST.isOptional(ast)
  const defined = ast._tag === "Union" && ast.encoding === undefined
    ? ast.types.filter((type) => type._tag !== "Undefined")
    : undefined
  const undefinable = defined !== undefined && defined.length < (ast as SchemaAST.Union).types.length
  const inner = undefinable && defined.length === 1 ? Schema.make(defined[0]!) : schema
  const codec = annotation(schema, jsonAnnotation) === true ? json(inner) : codecOf(inner)
  const text = given === undefined ? undefined : codec.encode(given.value)
  if (text instanceof Problem) return refuse(field, `its default is refused: ${text.issue}`)
  return {
    _tag: "leaf",
    field,
    spec: { f: path, k: codec.kind, ...(text === undefined ? undefined : { d: text }), ...codec.bounds },
    codec,
    absence: optional ? "key" : undefinable ? "undefined" : "refused",
    default: given,
    parts: optional || annotation(schema, jsonAnnotation) === true ? undefined : fieldsOf(schema)
  }
}

const list = (ast: SchemaAST.Arrays, field: string, path: string): List => {
  const item = codecOf(Schema.make(ast.rest[0]!))
  const checks = checksOf(ast)
  const options: SchemaAST.ParseOptions = {}
  return {
    _tag: "list",
    field,
    spec: { f: path, k: "list", ...checks.bounds },
    item,
    itemSpec: { f: path, k: item.kind, ...item.bounds, at: true },
    unsendable: checks.unsendable,
    encode: (items) => {
      if (!Array.isArray(items)) return new Problem("Expected array")
      for (const filter of checks.filters) {
        if (filter.run(items, ast, options) !== undefined) {
          return new Problem(`Expected ${filter.annotations?.expected ?? "a valid array"}`)
        }
      }
      const texts: Array<string> = []
      for (const value of items) {
        const text = item.encode(value)
        if (text instanceof Problem) return text
        texts.push(text)
      }
      return texts
    },
    decode: (texts) => {
      const items: Array<unknown> = []
      for (const text of texts) {
        const value = item.decode(text)
        if (value instanceof Problem) return value
        items.push(value)
      }
      return items
    }
  }
}

/** How a struct's decoded fields become its value, or undefined where it is no struct that can be flattened. */
const makerOf = (schema: Schema.Constraint): Struct["make"] | undefined => {
  const ast = schema.ast
  if (!("fields" in schema) || SchemaAST.isOptional(ast) || ast.checks !== undefined) return undefined
  if (ast._tag === "Objects") return ast.encoding === undefined ? (fields) => fields : undefined
  const link = ast.encoding?.[0]
  if (ast._tag !== "Declaration" || ast.encoding?.length !== 1 || link === undefined || link.to.checks !== undefined) {
    return undefined
  }
  const construct = (link.transformation.decode as { readonly transform?: (fields: object) => unknown }).transform
  return link.to._tag === "Objects" && link.to.encoding === undefined ? construct : undefined
}

const node = (schema: Schema.Constraint, field: string, path: string): Node => {
  if (annotation(schema, jsonAnnotation) === true) return leaf(schema, field, path)
  const make = makerOf(schema)
  if (make !== undefined) {
    return struct(fieldsOf(schema)!, [], make, field, path)
  }
  const ast = schema.ast
  const isList = ast._tag === "Arrays" && ast.elements.length === 0 && ast.rest.length === 1
  if (isList && !SchemaAST.isOptional(ast)) {
    return ast.encoding === undefined ? list(ast, field, path) : refuse(
      field,
      "a list that is transformed as a whole can't be stored item by item; store it by Model.json"
    )
  }
  return leaf(schema, field, path)
}

/** @internal */
export const struct = (
  fields: Schema.Struct.Fields,
  keys: ReadonlyArray<string>,
  make: Struct["make"],
  parent = "",
  parentPath = ""
): Struct => ({
  _tag: "struct",
  field: parent,
  fields: Reflect.ownKeys(fields).map((name) => {
    const field = parent === "" ? String(name) : `${parent}.${String(name)}`
    if (typeof name !== "string") return refuse(field, "a symbol can't name a stored field")
    if (name.startsWith("$")) return refuse(field, "names that begin with $ are the library's own")
    if (name === "" || name === "__proto__" || !name.isWellFormed()) return refuse(field, "this name can't be stored")
    const position = parent === "" ? keys.indexOf(name) : -1
    const path = parentPath === "" ? escapeField(name) : `${parentPath}.${escapeField(name)}`
    return [name, position >= 0 ? { _tag: "key", field, position } : node(fields[name]!, field, path)]
  }),
  make
})

/**
 * Which fields a struct reads and writes, in which order, and how.
 *
 * @internal
 */
export interface Layout {
  readonly spec: EntitySpec
  readonly leaves: ReadonlyArray<Leaf>
  readonly lists: ReadonlyArray<List>
  /** from the result of a read: the version, each leaf, each list */
  readonly decode: (row: ReadonlyArray<Result>, id: ReadonlyArray<unknown>) => unknown
  /** the arguments of an insert: each leaf, then each list with its length before it */
  readonly encode: (value: any) => Array<Argument> | Problem
}

const maximumFields = 1000

/** @internal */
export const readLeaf = (leaf: Leaf, text: unknown): unknown => {
  if (text === false) {
    if (leaf.default !== undefined) return leaf.default.value
    return leaf.absence === "refused" ? new Problem("Missing", leaf.field) : undefined
  }
  const value = leaf.codec.decode(text as string)
  return value instanceof Problem ? value.within(leaf.field) : value
}

/** @internal */
export const texts = (row: Result | undefined): ReadonlyArray<string> => Array.isArray(row) ? row : []

/** @internal */
export const layout = (root: Struct): Layout => {
  const leaves: Array<Leaf> = []
  const lists: Array<List> = []
  const collect = (self: Struct): void => {
    for (const [, child] of self.fields) {
      if (child._tag === "leaf") leaves.push(child)
      else if (child._tag === "list") lists.push(child)
      else if (child._tag === "struct") collect(child)
    }
  }
  collect(root)
  if (leaves.length + lists.length > maximumFields) refuse(root.field, `more than ${maximumFields} stored fields`)

  type Read = (row: ReadonlyArray<Result>, id: ReadonlyArray<unknown>) => unknown
  const reader = (self: Node): Read => {
    switch (self._tag) {
      case "key":
        return (_, id) => id[self.position]
      case "leaf": {
        const at = 1 + leaves.indexOf(self)
        return (row) => readLeaf(self, row[at])
      }
      case "list": {
        const at = 1 + leaves.length + lists.indexOf(self)
        return (row) => {
          const value = self.decode(texts(row[at]))
          return value instanceof Problem ? value.within(self.field) : value
        }
      }
      case "struct": {
        const parts = self.fields.map(([name, child]) =>
          [name, reader(child), child._tag === "leaf" && child.absence === "key"] as const
        )
        return (row, id) => {
          const fields: Record<string, unknown> = {}
          for (const [name, read, omit] of parts) {
            const value = read(row, id)
            if (value instanceof Problem) return value
            if (value !== undefined || !omit) fields[name] = value
          }
          return self.make(fields)
        }
      }
    }
  }

  const encodeInto = (
    self: Struct,
    value: any,
    texts: Array<Argument>,
    rows: Array<ReadonlyArray<string>>
  ): Problem | undefined => {
    for (const [name, child] of self.fields) {
      if (child._tag === "key") continue
      const part = value?.[name]
      if (child._tag === "struct") {
        const problem = encodeInto(child, part, texts, rows)
        if (problem !== undefined) return problem
      } else if (child._tag === "list") {
        const items = child.encode(part)
        if (items instanceof Problem) return items.within(child.field)
        rows.push(items)
      } else if (part === undefined && child.absence !== "refused") {
        texts.push(false)
      } else {
        const text = child.codec.encode(part)
        if (text instanceof Problem) return text.within(child.field)
        texts.push(text)
      }
    }
  }

  return {
    spec: { fs: leaves.map((child) => child.spec.f), cs: lists.map((child) => child.spec) },
    leaves,
    lists,
    decode: reader(root),
    encode: (value) => {
      const args: Array<Argument> = []
      const rows: Array<ReadonlyArray<string>> = []
      const problem = encodeInto(root, value, args, rows)
      if (problem !== undefined) return problem
      for (const row of rows) {
        args.push(row.length)
        for (const item of row) args.push(item)
      }
      return args
    }
  }
}
