/**
 * Random schemas of every kind that a field of a model may have, each with a generator of its values.
 */
import { Chunk, HashMap, HashSet, Option, Schema } from "effect"
import { Model } from "redlayer"
import { type Form, type Leaf, leaves, shape } from "./leafSchemas.ts"
import type { Gen, Random } from "./random.ts"
import { absent, big, items, millis, record, text, word } from "./randomValues.ts"
import { distinct, show } from "./sameValue.ts"

/** A schema with its values. */
export interface Shape extends Leaf {
  /** of a struct or a class */
  readonly struct?: {
    readonly properties: ReadonlyArray<Property>
    readonly make: (fields: Fields) => unknown
  }
}

/** A field, of a model or of a struct. */
export interface Property {
  readonly name: string
  readonly text: string
  readonly schema: Schema.Top
  /** the field as a struct may hold it: `absent` where there is no such key */
  readonly value: Gen<unknown>
  /** what the constructor puts where there is no such key */
  readonly default: { readonly value: unknown } | undefined
  /** whether its handle gives an `Option`, which is `None` for undefined, or for null as well */
  readonly option: "never" | "undefined" | "null"
  /** of a struct whose fields are stored, and updated, one by one */
  readonly struct: Shape["struct"]
}

export type Fields = Record<string, unknown>

/** How many schemas of each kind there were. */
export type Kinds = Map<string, { fields: number; all: number }>

// ---------------------------------------------------------------------------------------------------------------------
// schemas of several
// ---------------------------------------------------------------------------------------------------------------------

const pairs = <A>(key: Gen<unknown>, value: Gen<A>): Gen<ReadonlyArray<readonly [unknown, A]>> => (random) =>
  distinct(items(key)(random)).map((each) => [each, value(random)] as const)

/** Makes the schemas of the parts. */
interface Of {
  readonly random: Random
  readonly item: () => Shape
  readonly properties: (low: number, high: number) => ReadonlyArray<Property>
}

/** Whether a value of another form can't be taken for one of these. */
const lacks = (self: Shape, form: Form): boolean => !self.forms.includes(form)

const maybe = (self: Shape, kind: "NullOr" | "UndefinedOr" | "NullishOr"): Shape => {
  const nothing = kind === "NullOr" ? [null] : kind === "UndefinedOr" ? [undefined] : [null, undefined]
  return shape(
    `${kind}(${self.text})`,
    kind === "NullOr"
      ? Schema.NullOr(self.schema)
      : kind === "UndefinedOr"
      ? Schema.UndefinedOr(self.schema)
      : Schema.NullishOr(self.schema),
    [...self.forms, "null"],
    (random) => random.chance(0.4) ? random.pick(nothing) : self.value(random)
  )
}

const schemasOf = (properties: ReadonlyArray<Property>): Schema.Struct.Fields =>
  record(properties.map(({ name, schema }) => [name, schema])) as Schema.Struct.Fields

const textOf = (properties: ReadonlyArray<Property>): string =>
  `{ ${properties.map(({ name, text }) => `${JSON.stringify(name)}: ${text}`).join(", ")} }`

/** The keys in any order: it is nothing that is stored. */
export const fieldsFrom = (properties: ReadonlyArray<Property>, random: Random): Fields => {
  const entries = properties.map(({ name, value }) => [name, value(random)] as const)
  return record(random.chance(0.5) ? entries : entries.reverse())
}

const structOf = (
  name: string,
  schema: Schema.Constraint,
  properties: ReadonlyArray<Property>,
  make: (fields: Fields) => unknown
): Shape => ({
  ...shape(`${name}(${textOf(properties)})`, schema, "object", (random) => make(fieldsFrom(properties, random))),
  struct: { properties, make }
})

let classes = 0

const classOf = (properties: ReadonlyArray<Property>): Shape => {
  class Made extends Schema.Class<Made>(`test/schemas/${++classes}`)(schemasOf(properties)) {
    get shout(): string {
      return "!"
    }
  }
  return structOf("Class", Made, properties, (fields) => new Made(fields as any))
}

const tagged = (tag: string, properties: ReadonlyArray<Property>): Shape => {
  const make = (fields: Fields) => ({ ...fields, _tag: tag })
  const schema = Schema.TaggedStruct(tag, schemasOf(properties))
  return shape(`${tag}(${textOf(properties)})`, schema, "object", (random) => make(fieldsFrom(properties, random)))
}

const taggedClass = (tag: string, properties: ReadonlyArray<Property>): Shape => {
  class Made extends Schema.TaggedClass<Made>(`test/schemas/${++classes}`)(tag, schemasOf(properties)) {}
  return shape(
    `TaggedClass(${tag}, ${textOf(properties)})`,
    Made,
    "object",
    (random) => new Made(fieldsFrom(properties, random) as any)
  )
}

interface Tree {
  readonly name: string
  readonly children: ReadonlyArray<Tree>
}
const Tree = Schema.Struct({
  name: Schema.String,
  children: Schema.Array(Schema.suspend((): Schema.Codec<Tree> => Tree))
})
const tree = (depth: number): Gen<Tree> => (random) => ({
  name: text(random),
  children: depth === 0 ? [] : random.array(0, 2, tree(depth - 1))
})

class Chain extends Schema.Class<Chain>("test/schemas/Chain")({
  at: Schema.Date,
  next: Schema.NullOr(Schema.suspend((): Schema.Codec<Chain, any> => Chain))
}) {}
const chain = (depth: number): Gen<Chain> => (random) =>
  new Chain({ at: new Date(millis(random)), next: depth === 0 || random.chance(0.3) ? null : chain(depth - 1)(random) })

type Sum = { readonly _tag: "Leaf"; readonly n: bigint } | {
  readonly _tag: "Sum"
  readonly of: ReadonlyMap<string, Sum>
}
const Sum: Schema.Codec<Sum, any> = Schema.Union([
  Schema.TaggedStruct("Leaf", { n: Schema.BigInt }),
  Schema.TaggedStruct("Sum", {
    of: Schema.ReadonlyMap(Schema.String, Schema.suspend((): Schema.Codec<Sum, any> => Sum))
  })
])
const sum = (depth: number): Gen<Sum> => (random) =>
  depth === 0
    ? { _tag: "Leaf", n: big(random) }
    : { _tag: "Sum", of: new Map(random.array(0, 3, () => [text(random), sum(depth - 1)(random)] as const)) }

const keys: ReadonlyArray<readonly [text: string, schema: Schema.Record.Key, value: Gen<string>]> = [
  ["String", Schema.String, text],
  ["String.brand", Schema.String.pipe(Schema.brand("Key")), text],
  ["TemplateLiteral('k:', String)", Schema.TemplateLiteral(["k:", Schema.String]), (random) => `k:${word(random)}`]
]

const recordOf = (i: number): (of: Of) => Shape => ({ item }) => {
  const [name, key, keyValue] = keys[i]!
  const { forms: _, schema, text, value } = item()
  return shape(
    `Record(${name}, ${text})`,
    Schema.Record(key, schema),
    "object",
    (random) => record(items((random) => [keyValue(random), value(random)] as const)(random))
  )
}

const setOf = (item: Shape): Gen<ReadonlyArray<unknown>> => (random) => distinct(items(item.value)(random))

/** Kinds with parts, by name. */
export const composites: Readonly<Record<string, (of: Of) => Shape>> = {
  array: ({ item }) => {
    const each = item()
    return shape(`Array(${each.text})`, Schema.Array(each.schema), "array", items(each.value))
  },
  "checked array": ({ item, random }) => {
    const each = item()
    const atLeastOne: Gen<unknown> = (random) => [each.value(random), ...random.array(0, 3, each.value)]
    return random.pick([
      shape(`NonEmptyArray(${each.text})`, Schema.NonEmptyArray(each.schema), "array", atLeastOne),
      shape(
        `Array(${each.text}).check(isMinLength(1))`,
        Schema.Array(each.schema).check(Schema.isMinLength(1)),
        "array",
        atLeastOne
      ),
      shape(
        `Array(${each.text}).check(isMaxLength(2))`,
        Schema.Array(each.schema).check(Schema.isMaxLength(2)),
        "array",
        (random) => random.array(0, 2, each.value)
      )
    ])
  },
  tuple: ({ item }) => {
    const [a, b] = [item(), item()]
    return shape(
      `Tuple(${a.text}, ${b.text})`,
      Schema.Tuple([a.schema, b.schema]),
      "array",
      (random) => [a.value(random), b.value(random)]
    )
  },
  "tuple with more": ({ item, random }) => {
    const [a, b] = [item(), item()]
    return random.chance(0.5)
      ? shape(
        `Tuple(${a.text}, optionalKey(${b.text}))`,
        Schema.Tuple([a.schema, Schema.optionalKey(b.schema)]),
        "array",
        (random) => random.chance(0.5) ? [a.value(random)] : [a.value(random), b.value(random)]
      )
      : shape(
        `TupleWithRest(${a.text}, ...${b.text})`,
        Schema.TupleWithRest(Schema.Tuple([a.schema]), [b.schema]),
        "array",
        (random) => [a.value(random), ...items(b.value)(random)]
      )
  },
  set: ({ item }) => {
    const each = item()
    const values = setOf(each)
    return shape(
      `ReadonlySet(${each.text})`,
      Schema.ReadonlySet(each.schema),
      "array",
      (random) => new Set(values(random))
    )
  },
  "hash set": ({ item }) => {
    const each = item()
    const values = setOf(each)
    return shape(
      `HashSet(${each.text})`,
      Schema.HashSet(each.schema),
      "array",
      (random) => HashSet.fromIterable(values(random))
    )
  },
  chunk: ({ item }) => {
    const each = item()
    return shape(
      `Chunk(${each.text})`,
      Schema.Chunk(each.schema),
      "array",
      (random) => Chunk.fromIterable(items(each.value)(random))
    )
  },
  record: recordOf(0),
  "record by a branded key": recordOf(1),
  "record by a template literal": recordOf(2),
  map: ({ item }) => {
    const [key, value] = [item(), item()]
    const entries = pairs(key.value, value.value)
    return shape(
      `ReadonlyMap(${key.text}, ${value.text})`,
      Schema.ReadonlyMap(key.schema, value.schema),
      "array",
      (random) => new Map(entries(random))
    )
  },
  "hash map": ({ item }) => {
    const [key, value] = [item(), item()]
    const entries = pairs(key.value, value.value)
    return shape(
      `HashMap(${key.text}, ${value.text})`,
      Schema.HashMap(key.schema, value.schema),
      "array",
      (random) => HashMap.fromIterable(entries(random))
    )
  },
  struct: ({ properties }) => {
    const all = properties(0, 3)
    return structOf("Struct", Schema.Struct(schemasOf(all)), all, (fields) => fields)
  },
  "checked struct": ({ properties }) => {
    const all = properties(1, 2)
    const schema = Schema.Struct(schemasOf(all)).check(Schema.makeFilter(() => true))
    const { struct: _, ...rest } = structOf("Struct.check", schema, all, (fields) => fields)
    return rest
  },
  class: ({ properties }) => classOf(properties(0, 3)),
  "tagged union": ({ properties }) => {
    const members = [
      tagged("A", properties(0, 2)),
      tagged("B", properties(0, 2)),
      taggedClass("__proto__", properties(0, 2))
    ]
    return shape(
      `Union(${members.map((member) => member.text).join(", ")})`,
      Schema.Union(members.map(({ schema }) => schema)),
      "object",
      (random) => random.pick(members).value(random)
    )
  },
  union: ({ item, random }) => {
    const members = [item()]
    // no two that are of one form
    for (let i = 0; i < 6 && members.length < 3; i++) {
      const next = item()
      if (next.forms.every((form) => members.every((member) => lacks(member, form)))) members.push(next)
    }
    return unionOf(random.chance(0.5) ? members : members.reverse())
  },
  option: ({ item }) => {
    const each = item()
    return shape(
      `Option(${each.text})`,
      Schema.Option(each.schema),
      "object",
      (random) => random.chance(0.3) ? Option.none() : Option.some(each.value(random))
    )
  },
  nullable: ({ item, random }) => {
    const each = item()
    return lacks(each, "null") ? maybe(each, random.pick(["NullOr", "UndefinedOr"])) : each
  },
  recursive: ({ random }) =>
    random.pick([
      shape("Tree", Schema.suspend(() => Tree), "object", tree(3)),
      shape("Chain", Schema.suspend(() => Chain), "object", chain(3)),
      shape("Sum", Sum, "object", sum(2))
    ])
}

/** Values that no other member takes: a struct, for one, takes whatever has its fields, and drops the rest. */
export const unionOf = (members: ReadonlyArray<Shape>): Shape => {
  const takes = ({ schema }: Shape, value: unknown) => Option.isSome(schema.makeOption(value))
  return shape(
    `Union(${members.map((member) => member.text).join(", ")})`,
    Schema.Union(members.map(({ schema }) => schema)),
    [...new Set(members.flatMap(({ forms }) => forms))],
    (random) => {
      const at = random.int(0, members.length - 1)
      const value = members[at]!.value(random)
      return members.some((member, i) => i < at && takes(member, value)) ? members[0]!.value(random) : value
    }
  )
}

// ---------------------------------------------------------------------------------------------------------------------
// fields
// ---------------------------------------------------------------------------------------------------------------------

type Modifier = (self: Shape, random: Random, isField: boolean) => Omit<Property, "name"> | undefined

const property = (self: Shape, more: Partial<Property> = {}): Omit<Property, "name"> => ({
  text: self.text,
  schema: self.schema,
  value: self.value,
  default: undefined,
  option: "never",
  struct: self.struct,
  ...more
})

/** The modifiers of a field, by name. Undefined if one does not apply to a schema. */
export const modifiers: Readonly<Record<string, Modifier>> = {
  required: (self) => property(self),
  optionalKey: (self) =>
    property(self, {
      text: `optionalKey(${self.text})`,
      schema: Schema.optionalKey(self.schema),
      value: (random) => random.chance(0.4) ? absent : self.value(random),
      option: "undefined",
      struct: undefined
    }),
  optional: (self, _, isField) =>
    isField || lacks(self, "null") ?
      property(self, {
        text: `optional(${self.text})`,
        schema: Schema.optional(self.schema),
        value: (random) => random.chance(0.5) ? random.pick([absent, undefined]) : self.value(random),
        option: "undefined",
        struct: undefined
      }) :
      undefined,
  NullOr: (self) => lacks(self, "null") ? property(maybe(self, "NullOr"), { option: "null" }) : undefined,
  // within JSON a null and an undefined are one
  UndefinedOr: (self, _, isField) =>
    isField || lacks(self, "null") ? property(maybe(self, "UndefinedOr"), { option: "undefined" }) : undefined,
  NullishOr: (self, _, isField) =>
    isField && lacks(self, "null") ? property(maybe(self, "NullishOr"), { option: "undefined" }) : undefined,
  "optional(NullOr)": (self, _, isField) => {
    if (!isField || !lacks(self, "null")) return undefined
    const inner = maybe(self, "NullOr")
    return property(inner, {
      text: `optional(${inner.text})`,
      schema: Schema.optional(inner.schema),
      value: (random) => random.chance(0.4) ? random.pick([absent, undefined]) : inner.value(random),
      option: "undefined"
    })
  },
  withDefault: (self, random, isField) => {
    const value = self.value(random)
    if (!isField || value === undefined || value === null) return undefined
    const schema = (self.schema as any).pipe((Model.withDefault as any)(value))
    return property(self, {
      text: `${self.text}.withDefault(${show(value)})`,
      schema,
      // a constructor puts its default in the place of undefined, too
      value: (random) => random.chance(0.4) ? absent : self.value(random) ?? absent,
      default: { value },
      struct: "fields" in schema ? self.struct : undefined
    })
  },
  json: (self) =>
    property(self, { text: `json(${self.text})`, schema: Model.json(self.schema) as any, struct: undefined })
}

// dprint-ignore
const names = ["a", "B", "a.b", "constructor", "toString", "then", "get", "length", "0", "a:b", "{x}", " ", "é😀", "%", "a\0", "name"]

const mayBeAbsent = new Set(["optionalKey", "optional", "optional(NullOr)", "NullishOr", "UndefinedOr", "withDefault"])

/** Makes the fields of a model, and counts what it makes. */
export const fieldsOf = (random: Random, kinds: Kinds): ReadonlyArray<Property> => {
  const count = (kind: string, isField: boolean): void => {
    const counted = kinds.get(kind) ?? { fields: 0, all: 0 }
    kinds.set(kind, { fields: counted.fields + (isField ? 1 : 0), all: counted.all + 1 })
  }
  const make = (depth: number, isField: boolean): Shape => {
    const isLeaf = depth === 0 || random.chance(isField ? 0.45 : 0.6)
    const kind = random.pick(Object.keys(isLeaf ? leaves : composites))
    count(kind, isField)
    return isLeaf ? leaves[kind]!(random) : composites[kind]!({
      random,
      item: () => make(depth - 1, false),
      properties: (low, high) => properties(low, high, depth - 1, false)
    })
  }
  const properties = (low: number, high: number, depth: number, isField: boolean): ReadonlyArray<Property> => {
    const used = new Set(["id"])
    return random.array(low, high, (random) => {
      const all = Object.keys(modifiers)
      const self = make(depth, isField)
      const kind = random.chance(0.5) ? "required" : random.pick(all)
      const modified = modifiers[kind]!(self, random, isField)
      count(modified === undefined ? "required" : kind, isField)
      let name = random.pick(names)
      // Schema takes what an object inherits for a key of that name, unless there is one
      while (used.has(name) || name in {} && mayBeAbsent.has(kind)) name += random.int(0, 9)
      used.add(name)
      return { name, ...(modified ?? property(self)) }
    })
  }
  return properties(1, 6, 3, true)
}
