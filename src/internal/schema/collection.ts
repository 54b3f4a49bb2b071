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
import { checksOf } from "./bounds.ts"
import type { Codec } from "./codec.ts"
import { codecOf, number, representationId } from "./codecOf.ts"

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
  /** Why the collection can only be written as a whole. Unset: its parts can be written. */
  readonly clientOnlyCheck: string | undefined
  /** Encodes the whole, with its checks. */
  readonly encode: (value: unknown) => ReadonlyArray<string> | Problem
  /** Encodes a part. */
  readonly encodeSome: (value: unknown) => ReadonlyArray<string> | Problem
  readonly decode: (texts: ReadonlyArray<string>) => unknown
}

/** How a collection's value is taken apart into elements, and made of them. */
interface Shape {
  readonly kind: Collection["kind"]
  readonly item: Codec
  readonly name?: Codec
  readonly expected: string
  /** The values in turn: of a map names and values, of a sorted set members and scores. */
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

/** A score is any number but NaN. The server's own texts of infinite scores are decoded, too. */
const plainScore = number(Schema.Number.ast)

/** @internal */
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

/** An entry's name of a record is its text; the schema's other requirements are checked. */
const recordName = (parameters: ReadonlyArray<SchemaAST.AST>): Codec => {
  const [first] = parameters
  const codec = codecOf(Schema.make(first!))
  if (first!._tag !== "TemplateLiteral" && parameters.length === 1) return codec
  const accepts = parameters.map((ast) => Schema.is(Schema.make(ast)))
  const problem = new Problem("Expected a name that the schema knows")
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

/** The schema of a sorted set is a marked array. */
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
 * The collection that a schema is, or undefined.
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

/** The length of a sorted set's array is its size. */
const sizesOf = ({ maxLength, minLength }: Bounds): Bounds => ({
  ...(minLength === undefined ? {} : { minSize: minLength }),
  ...(maxLength === undefined ? {} : { maxSize: maxLength })
})

/**
 * Equal members are stored once, because two objects with the same content are one text. Two values under one name are
 * refused, because only one could be kept.
 */
const distinct = (texts: Array<string>, step: number): ReadonlyArray<string> | Problem => {
  if (step === 1) return new Set(texts).size === texts.length ? texts : [...new Set(texts)]
  const names = new Set<string>()
  for (let i = 0; i < texts.length; i += 2) names.add(texts[i]!)
  return names.size * 2 === texts.length ? texts : new Problem("Expected each name or member once")
}
