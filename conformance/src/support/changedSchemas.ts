/**
 * Random pairs of a schema and a changed schema. What is known of a field here is its value and where its meaning may be found
 * again: nothing of how the library stores it.
 */
import * as Schema from "effect/Schema"
import * as Model from "redlayer/Model"
import { pseudoRandom } from "../assertions.ts"

/** A kind of field: its schema, and how random values of it are made. */
interface Kind {
  readonly name: string
  readonly schema: Schema.Top
  readonly make: (random: Random) => unknown
  /** The kinds of the fields of a struct, by name. */
  readonly parts?: Readonly<Record<string, Kind>>
}

/** One field before and after the change. Undefined: the schema does not have it. */
export interface Change {
  readonly name: string
  readonly before: Kind | undefined
  readonly after: Kind | undefined
}

interface Random {
  readonly pick: <A>(items: ReadonlyArray<A>) => A
  readonly chance: (probability: number) => boolean
}

const words = ["vip", "eu", "Ada Lovelace", "[\"a\"]", "12"]
const word = (random: Random) => random.pick(words)
const int = (random: Random) => random.pick([7, 500, 1999, -3])
const list = (random: Random) => random.pick([["vip"], ["vip", "eu"], ["a", "b", "c"]])
const listed = Schema.Array(Schema.String)

const kind = (name: string, schema: Schema.Constraint, make: (random: Random) => unknown): Kind => ({
  name,
  schema: schema as Schema.Top,
  make
})

const plain: ReadonlyArray<Kind> = [
  kind("text", Schema.String, word),
  kind("int", Schema.Int, int),
  kind("optional text", Schema.optionalKey(Schema.String), (random) => random.chance(0.2) ? undefined : word(random)),
  kind("optional int", Schema.optionalKey(Schema.Int), (random) => random.chance(0.2) ? undefined : int(random)),
  kind("nullable text", Schema.NullOr(Schema.String), (random) => random.chance(0.2) ? null : word(random)),
  kind("text with a default", Schema.String.pipe(Model.withDefault("none")), word),
  kind("int with a default", Schema.Int.pipe(Model.withDefault(0)), int),
  kind("optional JSON", Schema.optionalKey(listed), list),
  kind("JSON", Model.json(listed), list),
  kind("JSON of a record", Model.json(Schema.Record(Schema.String, Schema.Int)), () => ({ a: 1, b: 2 })),
  kind("list that is never empty", Schema.NonEmptyArray(Schema.String), list),
  kind("list", listed, list),
  kind("list with a default", listed.pipe(Model.withDefault(["none"])), list),
  kind("list with a check", listed.check(Schema.isMaxLength(9)), list),
  kind("set", Schema.ReadonlySet(Schema.String), (random) => new Set(list(random))),
  kind("map", Schema.Record(Schema.String, Schema.Int), () => ({ a: 1, b: 2 })),
  kind("sorted set", Model.sortedSet(Schema.String), () => [{ member: "a", score: 1 }])
]

const required = plain.filter(({ name }) => name === "text" || name === "int")

/** A struct of these fields, in one of the ways in which a struct may be a field. */
const structOf = (parts: Readonly<Record<string, Kind>>, random: Random): Kind => {
  const schema: any = Schema.Struct(
    Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, part.schema]))
  )
  const make = (random: Random) => {
    const made: Record<string, unknown> = {}
    for (const [name, part] of Object.entries(parts)) {
      const value = part.make(random)
      if (value !== undefined) made[name] = value
    }
    return made
  }
  return random.pick([
    { name: "struct", schema, make, parts },
    { name: "optional struct", schema: Schema.optionalKey(schema) as any, make, parts },
    { name: "JSON struct", schema: Model.json(schema), make, parts },
    { name: "struct with a default", schema: schema.pipe(Model.withDefault(make(random))), make, parts },
    { name: "struct with a check", schema: schema.check(Schema.makeFilter(() => true)), make, parts }
  ])
}

const isCollection = ({ name }: Kind) => /^(list|set|map|sorted)/.test(name) && name !== "list that is never empty"

const hasCollection = ({ parts }: Kind): boolean =>
  parts !== undefined && Object.values(parts).some((part) => isCollection(part) || hasCollection(part))

/** A struct has a required field, because nothing is stored of one without fields. */
const randomStruct = (random: Random, depth: number): Kind => {
  const parts: Record<string, Kind> = { first: random.pick(required) }
  for (const name of ["second", "third"]) if (random.chance(0.6)) parts[name] = randomKind(random, depth + 1)
  return structOf(parts, random)
}

const randomKind = (random: Random, depth = 0): Kind =>
  depth < 2 && random.chance(0.35) ? randomStruct(random, depth) : random.pick(plain)

const changed = (before: Kind, random: Random): Kind => {
  if (random.chance(0.2)) return before
  if (before.parts === undefined) return randomKind(random)
  // the names of collections in a struct are known only to a schema that has the struct
  if (!hasCollection(before) && random.chance(0.4)) return randomKind(random)
  const parts: Record<string, Kind> = {}
  for (const [name, part] of Object.entries(before.parts)) {
    parts[name] = isCollection(part) || hasCollection(part) || random.chance(0.5) ? part : changed(part, random)
  }
  if (random.chance(0.3)) parts.added = random.pick(plain)
  return structOf(parts, random)
}

/** The changes of one random pair of schemas. */
export const randomChanges = (seed: number): { readonly changes: ReadonlyArray<Change>; readonly random: Random } => {
  const next = pseudoRandom(seed)
  const random: Random = {
    pick: (items) => items[Math.floor(next() * items.length)]!,
    chance: (probability) => next() < probability
  }
  const changes = ["a", "b"].map((name): Change => {
    const before = random.chance(0.1) ? undefined : randomKind(random)
    if (before === undefined) return { name, before, after: randomKind(random) }
    // no schema knows the key of a collection that it no longer has
    const isRemoved = random.chance(0.1) && !isCollection(before) && !hasCollection(before)
    return { name, before, after: isRemoved ? undefined : changed(before, random) }
  })
  return { changes, random }
}

/**
 * Whether nothing is stored of a value.
 */
export const isEmpty = (value: unknown): boolean =>
  value === undefined || value === null ||
  typeof value === "object" && !(value instanceof Set) && Object.keys(value).length === 0 ||
  value instanceof Set && value.size === 0

const plainly = (value: unknown): unknown => value instanceof Set ? [...value].sort() : value

/** The texts that may stand for a value: itself, and its JSON. */
const textsOf = (value: unknown): ReadonlyArray<string> => {
  const json = JSON.stringify(sorted(plainly(value)))
  return typeof value === "string" ? [value, json] : [json]
}

const sorted = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.map(sorted)
    : typeof value === "object" && value !== null
    ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1).map(([k, v]) => [k, sorted(v)]))
    : value

/**
 * Returns what is lost of a value that was stored, if the changed schema reads `found`. Undefined: nothing. Names that only
 * one of the two schemas has are left out.
 */
export const lossOf = (
  before: Kind | undefined,
  stored: unknown,
  after: Kind | undefined,
  found: unknown,
  path: string
): string | undefined => {
  if (before === undefined || after === undefined || isEmpty(stored)) return undefined
  if (before.parts !== undefined && after.parts !== undefined) {
    if (isEmpty(found)) return path
    for (const [name, part] of Object.entries(before.parts)) {
      const loss = lossOf(
        part,
        (stored as Record<string, unknown>)[name],
        after.parts[name],
        (found as Record<string, unknown>)[name],
        `${path}.${name}`
      )
      if (loss !== undefined) return loss
    }
    return undefined
  }
  return textsOf(stored).some((text) => textsOf(found).includes(text)) ? undefined : path
}

/** The model of one side of a change. */
export const modelOf = (name: string, changes: ReadonlyArray<Change>, side: "before" | "after"): any =>
  Model.make(
    name,
    {
      id: Schema.String,
      ...Object.fromEntries(changes.flatMap((change) => change[side] ? [[change.name, change[side].schema]] : []))
    } as any,
    { key: "id" }
  )

/** A random entity of one side of a change. */
export const entityOf = (changes: ReadonlyArray<Change>, side: "before" | "after", random: Random) => {
  const entity: Record<string, unknown> = { id: "x" }
  for (const change of changes) {
    const value = change[side]?.make(random)
    if (value !== undefined) entity[change.name] = value
  }
  return entity
}
