/**
 * The layout of a struct: the order in which its fields are read and written, how they are encoded, and how the struct is
 * built from them.
 */
import type { Argument } from "../instruction/program.ts"
import { aroundForm, Form, type Result, type Text } from "../instruction/reply.ts"
import { type EntitySpec, type Expiry, namesAround } from "../instruction/spec.ts"
import { unescape } from "../text/escape.ts"
import { Problem } from "../text/problem.ts"
import { copyThrough } from "./immutable.ts"
import { type CollectionNode, encodeLeaf, type Leaf, type Node, readLeaf, type Struct } from "./plan.ts"

/**
 * The fields that a struct reads and writes, in order, with its encoder and decoder.
 *
 * @internal
 */
export interface Layout {
  readonly spec: EntitySpec
  readonly leaves: ReadonlyArray<Leaf>
  readonly collections: ReadonlyArray<CollectionNode>
  /** Whether some field may be unreadable without making the struct unreadable. */
  readonly isTolerant: boolean
  /** Decodes the row of a read: the version, each leaf, each collection. Tolerated problems are added to `issues`. */
  readonly decode: (row: ReadonlyArray<Result>, id: ReadonlyArray<unknown>, issues: Array<Problem>) => unknown
  /** Encodes the content in parts: a text or `false` for each leaf, and the texts of each collection. */
  readonly texts: (value: any) => Texts | Problem
}

/**
 * The encoded content of an entity, by leaf and by collection.
 *
 * @internal
 */
export interface Texts {
  readonly leaves: ReadonlyArray<Text>
  readonly collections: ReadonlyArray<ReadonlyArray<string>>
}

/**
 * Returns the arguments that carry the content of an entity: each leaf, then each collection with its number of texts before it.
 *
 * @internal
 */
export const argumentsOf = ({ collections, leaves }: Texts): ReadonlyArray<Argument> => {
  const args: Array<Argument> = [...leaves]
  for (const row of collections) {
    args.push(row.length)
    for (const item of row) args.push(item)
  }
  return args
}

const maximumFields = 1000

const texts = (row: Result | undefined): ReadonlyArray<string> => Array.isArray(row) ? row : []

const formNames: { readonly [Name in keyof typeof Form]: string } = {
  text: "as one text",
  struct: "field by field, as a struct",
  list: "as a list under its own key",
  set: "as a set under its own key",
  map: "as a map under its own key",
  sortedSet: "as a sorted set under its own key",
  structOfCollections: "field by field, as a struct",
  other: "under its own key"
}

/** The problem of a field that is missing because it, or a struct around it, is stored in another form. */
const inOtherForm = ({ field, spec }: Leaf | CollectionNode, form: number): Problem => {
  const levels = Math.floor(form / aroundForm)
  const name = Object.entries(Form).find(([, code]) => code === form % aroundForm)?.[0] as keyof typeof Form
  return new Problem(
    `It is stored in another form: ${formNames[name]}`,
    levels === 0 ? field : unescape(namesAround(spec.field)[levels - 1]!)
  )
}

/**
 * Makes the layout of a struct.
 *
 * @internal
 */
export const layout = (root: Struct, expiry?: Expiry): Layout => {
  const leaves: Array<Leaf> = []
  const collections: Array<CollectionNode> = []
  const collect = (self: Struct): void => {
    for (const [, child] of self.fields) {
      if (child._tag === "leaf") leaves.push(child)
      else if (child._tag === "collection") collections.push(child)
      else if (child._tag === "struct") collect(child)
    }
  }
  collect(root)
  if (leaves.length + collections.length > maximumFields) {
    throw new Error(`Model field "${root.field}": expected at most ${maximumFields} stored fields`)
  }

  const inner = leaves.flatMap(({ spec }) => spec.inner ?? [])
  type Read = Layout["decode"]
  const tolerated = (
    self: Leaf | CollectionNode,
    cell: any,
    decode: (cell: any) => unknown,
    issues: Array<Problem>
  ) => {
    const { fallback, field } = self
    const value = typeof cell === "number" ? inOtherForm(self, cell) : decode(cell)
    if (!(value instanceof Problem)) return value
    const problem = typeof cell === "number" ? value : value.within(field)
    if (fallback === undefined) return problem
    issues.push(problem)
    return fallback()
  }
  const reader = (self: Node): Read => {
    switch (self._tag) {
      case "key":
        return (_, id) => copyThrough(self.codec, id[self.position])
      case "leaf": {
        const at = 1 + leaves.indexOf(self)
        return (row, _, issues) => tolerated(self, row[at], (text) => readLeaf(self, text), issues)
      }
      case "collection": {
        const at = 1 + leaves.length + collections.indexOf(self)
        return (row, _, issues) => tolerated(self, row[at], (items) => self.decode(texts(items)), issues)
      }
      case "struct": {
        const parts = self.fields.map(([name, child]) =>
          [name, reader(child), child._tag === "leaf" && child.absence === "key"] as const
        )
        return (row, id, issues) => {
          const fields: Record<string, unknown> = {}
          for (const [name, read, omit] of parts) {
            const value = read(row, id, issues)
            if (value instanceof Problem) return value
            if (value !== undefined || !omit) fields[name] = value
          }
          try {
            return self.make(fields)
          } catch {
            // the error of the class is dropped, because its message may contain the value
            return new Problem("its class refuses it", self.field)
          }
        }
      }
    }
  }

  const encodeInto = (
    self: Struct,
    value: any,
    texts: Array<Text>,
    rows: Array<ReadonlyArray<string>>
  ): Problem | undefined => {
    for (const [name, child] of self.fields) {
      if (child._tag === "key") continue
      const part = value?.[name]
      if (child._tag === "struct") {
        const problem = encodeInto(child, part, texts, rows)
        if (problem !== undefined) return problem
      } else if (child._tag === "collection") {
        const items = child.encode(part)
        if (items instanceof Problem) return items.within(child.field)
        rows.push(items)
      } else {
        const text = encodeLeaf(child, part)
        if (text instanceof Problem) return text.within(child.field)
        texts.push(text)
      }
    }
  }

  const textsOf = (value: any): Texts | Problem => {
    const texts: Array<Text> = []
    const rows: Array<ReadonlyArray<string>> = []
    return encodeInto(root, value, texts, rows) ?? { leaves: texts, collections: rows }
  }

  return {
    spec: {
      fields: leaves.map((child) => child.spec.field),
      collections: collections.map(({ spec: { expiry: _, ...spec } }) => spec),
      ...(inner.length === 0 ? undefined : { inner }),
      ...(expiry === undefined ? undefined : { expiry })
    },
    leaves,
    collections,
    isTolerant: [...leaves, ...collections].some(({ fallback }) => fallback !== undefined),
    decode: reader(root),
    texts: textsOf
  }
}
