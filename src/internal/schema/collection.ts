/**
 * Collections, each under a key of its own: which schemas make one, and how its values are encoded and decoded.
 */
import * as HashMap from "effect/HashMap"
import * as HashSet from "effect/HashSet"
import * as Schema from "effect/Schema"
import type * as SchemaAST from "effect/SchemaAST"
import * as SchemaIssue from "effect/SchemaIssue"
import type { Bounds, Expiry, FieldSpec } from "../instruction/spec.ts"
import { Problem } from "../text/problem.ts"
import { record } from "../text/record.ts"
import { representationId } from "./ast.ts"
import { checksOf } from "./bounds.ts"
import type { Codec } from "./codec.ts"
import { codecOf, number } from "./codecOf.ts"

/** @internal */
export interface Collection {
  readonly _tag: "collection"
  readonly kind: "list" | "set" | "map" | "sortedSet"
  readonly field: string
  readonly spec: FieldSpec
  /** The codec of an item, of a member, or of the value of an entry. */
  readonly item: Codec
  /** The codec of an entry's name. */
  readonly name: Codec | undefined
  /** The specification of one item of a list, or of one entry of a map. */
  readonly itemSpec: FieldSpec
  /** The check that only the client can run. The collection can then be written only as a whole. Unset: in parts, too. */
  readonly clientOnlyCheck: string | undefined
  /** Encodes the whole collection, and runs its checks. */
  readonly encode: (value: unknown) => ReadonlyArray<string> | Problem
  /** Encodes some elements, without the checks of the whole collection. */
  readonly encodeSome: (value: unknown) => ReadonlyArray<string> | Problem
  readonly decode: (texts: ReadonlyArray<string>) => unknown
}

/** How a collection's value is split into elements, and built from them. */
interface Shape {
  readonly kind: Collection["kind"]
  readonly item: Codec
  readonly name?: Codec
  readonly expected: string
  /** Returns the elements: names and values of a map alternate, and so do members and scores of a sorted set. */
  readonly elements: (value: unknown) => Iterable<unknown> | undefined
  readonly make: (elements: ReadonlyArray<any>) => unknown
}

/**
 * A member of a sorted set, with its score.
 *
 * @internal
 */
export interface Scored {
  readonly member: unknown
  readonly score: number
}

const plainScore = number(Schema.Number.ast)

/**
 * The codec of a score: any number except NaN. It also decodes the server's own texts of infinite scores.
 *
 * @internal
 */
export const score: Pick<Codec, "encode" | "decode"> = {
  encode: (value) => Number.isNaN(value) ? new Problem("Expected a score that is a number") : plainScore.encode(value),
  decode: (text) => plainScore.decode(/^-?inf$/.test(text) ? `${text}inity`.replace("i", "I") : text)
}

function* flat(entries: Iterable<readonly [unknown, unknown]>): Iterable<unknown> {
  for (const [name, value] of entries) {
    yield name
    yield value
  }
}

function* scored(entries: Iterable<Scored>): Iterable<unknown> {
  for (const entry of entries) {
    yield entry?.member
    yield entry?.score
  }
}

const pairs = function*(elements: ReadonlyArray<any>): Iterable<[any, any]> {
  for (let i = 0; i < elements.length; i += 2) yield [elements[i], elements[i + 1]]
}

/** The codec of a record's names. A name is its own text, which must satisfy the schemas of the keys. */
const recordName = (parameters: ReadonlyArray<SchemaAST.AST>): Codec => {
  const [first] = parameters
  const codec = codecOf(Schema.make(first!))
  if (first!._tag !== "TemplateLiteral" && parameters.length === 1) return codec
  const accepts = parameters.map((ast) => Schema.is(Schema.make(ast)))
  const problem = new Problem("Expected a name that the schema accepts")
  const check = (value: unknown): string | Problem => accepts.some((is) => is(value)) ? value as string : problem
  return {
    ...codecOf(Schema.String),
    encode: (value) => typeof value === "string" && value.isWellFormed() ? check(value) : problem,
    decode: check
  }
}

const recordShape = (ast: SchemaAST.Objects): Shape | undefined => {
  const { indexSignatures, propertySignatures } = ast
  const type = indexSignatures[0]?.type
  if (propertySignatures.length > 0 || type === undefined) return undefined
  const parameters = indexSignatures.map(({ parameter }) => parameter)
  const isText = (parameter: SchemaAST.AST) => parameter._tag === "String" || parameter._tag === "TemplateLiteral"
  if (!parameters.every(isText) || indexSignatures.some((signature) => signature.type !== type)) return undefined
  if (parameters.length > 1 && parameters.some(({ encoding }) => encoding !== undefined)) return undefined
  return {
    kind: "map",
    item: codecOf(Schema.make(type)),
    name: recordName(parameters),
    expected: "an object",
    elements: (value) =>
      typeof value === "object" && value !== null && !Array.isArray(value) ? flat(Object.entries(value)) : undefined,
    make: (elements) => record(pairs(elements))
  }
}

const declared: Record<string, (parameters: ReadonlyArray<Codec>) => Shape> = {
  "effect/schema/ReadonlySet": ([item]) => ({
    kind: "set",
    item: item!,
    expected: "a set",
    elements: (value) => value instanceof Set ? value : undefined,
    make: (elements) => new Set(elements)
  }),
  "effect/schema/HashSet": ([item]) => ({
    kind: "set",
    item: item!,
    expected: "a HashSet",
    elements: (value) => HashSet.isHashSet(value) ? value : undefined,
    make: (elements) => HashSet.fromIterable(elements)
  }),
  "effect/schema/ReadonlyMap": ([name, item]) => ({
    kind: "map",
    item: item!,
    name: name!,
    expected: "a map",
    elements: (value) => value instanceof Map ? flat(value) : undefined,
    make: (elements) => new Map(pairs(elements))
  }),
  "effect/schema/HashMap": ([name, item]) => ({
    kind: "map",
    item: item!,
    name: name!,
    expected: "a HashMap",
    elements: (value) => HashMap.isHashMap(value) ? flat(value) : undefined,
    make: (elements) => HashMap.fromIterable(pairs(elements))
  })
}

const array = (value: unknown): ReadonlyArray<unknown> | undefined => Array.isArray(value) ? value : undefined

const shapeOf = (ast: SchemaAST.AST): Shape | undefined => {
  switch (ast._tag) {
    case "Arrays":
      return ast.elements.length > 0 || ast.rest.length !== 1 ? undefined : {
        kind: "list",
        item: codecOf(Schema.make(ast.rest[0]!)),
        expected: "an array",
        elements: array,
        make: (items) => items
      }
    case "Objects":
      return recordShape(ast)
    case "Declaration":
      return declared[representationId(ast) ?? ""]?.(
        ast.typeParameters.map((parameter) => codecOf(Schema.make(parameter)))
      )
    default:
      return undefined
  }
}

/** The shape of a sorted set, whose schema is an array with the annotation of `Model.sortedSet`. */
const sortedSet = (ast: SchemaAST.AST): Shape => {
  const entry = (ast as SchemaAST.Arrays).rest[0] as SchemaAST.Objects
  return {
    kind: "sortedSet",
    item: codecOf(Schema.make(entry.propertySignatures[0]!.type)),
    expected: "an array of members and scores",
    elements: (value) => {
      const entries = array(value) as ReadonlyArray<Scored> | undefined
      return entries && scored(entries)
    },
    make: (elements) => Array.from(pairs(elements), ([member, score]): Scored => ({ member, score }))
  }
}

/**
 * Returns the collection that a schema describes, or undefined if it describes none.
 *
 * @internal
 */
export const collectionOf = (
  ast: SchemaAST.AST,
  isSortedSet: boolean,
  field: string,
  path: string,
  expiry: Expiry | undefined
): Collection | undefined => {
  const shape = isSortedSet ? sortedSet(ast) : shapeOf(ast)
  if (shape === undefined) return undefined
  const { elements, expected, item, kind, make, name } = shape
  const checks = checksOf(ast)
  const step = kind === "map" || kind === "sortedSet" ? 2 : 1
  const first = name ?? item
  const second = kind === "sortedSet" ? score : item
  const options: SchemaAST.ParseOptions = {}
  const renewed: Pick<FieldSpec, "expiry"> = expiry === undefined ? {} : { expiry }
  const bounds = kind === "sortedSet" ? sizesOf(checks.bounds) : checks.bounds
  const { maxSize, minSize } = bounds
  const ofEntry: Pick<FieldSpec, "itemOf" | "maxSize" | "minSize"> = kind === "map"
    ? { itemOf: "map", ...(minSize === undefined ? {} : { minSize }), ...(maxSize === undefined ? {} : { maxSize }) }
    : { itemOf: "list" }

  const encodeSome = (value: unknown): ReadonlyArray<string> | Problem => {
    const found = elements(value)
    if (found === undefined) return new Problem(`Expected ${expected}`)
    const texts: Array<string> = []
    for (const element of found) {
      const text = (texts.length % step === 0 ? first : second).encode(element)
      if (text instanceof Problem) return text
      texts.push(text)
    }
    return kind === "list" ? texts : distinct(texts, step)
  }

  return {
    _tag: "collection",
    kind,
    field,
    spec: { field: path, kind, ...bounds, ...renewed },
    item,
    name,
    itemSpec: { field: path, kind: item.kind, ...item.bounds, ...ofEntry, ...renewed },
    clientOnlyCheck: checks.clientOnlyCheck,
    encode: (value) => {
      const texts = encodeSome(value)
      if (texts instanceof Problem) return texts
      for (const filter of checks.filters) {
        const issue = filter.run(value, ast, options)
        if (issue !== undefined) return Problem.fromIssue(new SchemaIssue.Filter(filter, issue))
      }
      return texts
    },
    encodeSome,
    decode: (texts) => {
      const values: Array<unknown> = []
      for (let i = 0; i < texts.length; i++) {
        const value = (i % step === 0 ? first : second).decode(texts[i]!)
        if (value instanceof Problem) return value
        values.push(value)
      }
      return make(values)
    }
  }
}

/** Turns the length bounds of a sorted set's array into bounds of its size. */
const sizesOf = ({ maxLength, minLength }: Bounds): Bounds => ({
  ...(minLength === undefined ? {} : { minSize: minLength }),
  ...(maxLength === undefined ? {} : { maxSize: maxLength })
})

/**
 * Removes duplicates from the texts of a set, because two objects with the same content have one text. Refuses two values
 * under one name, because only one could be stored.
 */
const distinct = (texts: Array<string>, step: number): ReadonlyArray<string> | Problem => {
  if (step === 1) return new Set(texts).size === texts.length ? texts : [...new Set(texts)]
  const names = new Set<string>()
  for (let i = 0; i < texts.length; i += 2) names.add(texts[i]!)
  return names.size * 2 === texts.length ? texts : new Problem("Expected each name or member only once")
}
