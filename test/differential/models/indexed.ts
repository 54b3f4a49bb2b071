/**
 * Models with random indexes over fields of every kind that has an order: single, composite, partial, unique and sparse ones, over
 * nested and inherited fields and over parts of the key.
 */
import { Effect, Schema } from "effect"
import { Atomic, Model } from "redlayer"
import type { Indexes } from "../../../src/internal/instruction/indexes.ts"
import type { Instruction } from "../../../src/internal/instruction/program.ts"
import { Prefix } from "../../../src/internal/query/ranges.ts"
import { escapeId } from "../../../src/internal/text/escape.ts"
import * as Op from "../calls/scalarCalls.ts"
import type { Program } from "../calls/scalarCalls.ts"
import { instructionsOf } from "../keyNames.ts"
import { type FieldCase, fieldsOf, type ModelCase } from "../modelDescription.ts"
import { type Gen, Random } from "../random.ts"
import { absent, build, oneOf, orNull, patchOf, texts } from "../storedTexts.ts"
import { byBytes, isSummable, type Kind, kinds, totalOf } from "./indexKinds.ts"

/** A field that an index may have. */
export interface IndexField {
  readonly name: string
  readonly kind: Kind
  readonly make: Gen<any>
  /** the value in an entity; undefined and null are missing */
  readonly of: (entity: any) => unknown
  readonly isPart: boolean
  /** what the constructor puts in the place of a missing value */
  readonly default: unknown
}

/** An index as its definition says. */
export interface IndexCase {
  readonly name: string
  readonly fields: ReadonlyArray<IndexField>
  readonly where: ReadonlyArray<readonly [field: IndexField, value: unknown]>
  readonly isUnique: boolean
  readonly keepsAbsent: boolean
}

/** An aggregate as its definition says. */
export interface AggregateCase extends Omit<IndexCase, "isUnique"> {
  readonly method: "counted" | "summed"
  /** what an entity adds to a sum; unset for a count */
  readonly of: IndexField | undefined
}

/** Where entities are stored, and so what a home of their indexes is. */
export type Slot = "id" | "component" | "partitions"

export interface IndexedCase extends ModelCase {
  readonly slot: Slot
  readonly spec: Indexes
  readonly indexes: ReadonlyArray<IndexCase>
  readonly aggregates: ReadonlyArray<AggregateCase>
  readonly indexFields: ReadonlyArray<IndexField>
  /** the field that names the home, where a component does */
  readonly slotField: IndexField | undefined
  /** the text that decides between entities with equal values */
  readonly tieOf: (entity: any) => Buffer
  readonly refresh: "never" | "write" | "access" | undefined
}

export interface IndexedOptions {
  readonly name: string
  readonly slot: Slot
  readonly lives?: number | undefined
  readonly refresh?: "never" | "write" | "access" | undefined
  readonly ids: (world: number) => ReadonlyArray<readonly [of: string, n: number]>
  /** Whether each index begins with the first part of the key, so that entities of one world are apart from others. */
  readonly isApart?: boolean
  /** Default: maybe. */
  readonly unique?: "never" | "maybe" | "always"
  readonly isInherited?: boolean
}

const ofKind = (kind: Kind, name: string, isPart = false, otherwise?: unknown): IndexField => ({
  name,
  kind,
  make: kind.make,
  of: (entity) => name.split(".").reduce((value, part) => value?.[part], entity),
  isPart,
  default: otherwise
})

const textKind = kinds.find(({ name }) => name === "text")!
const integerKind = kinds[0]!

type Mode = "required" | "optional" | "nullable" | "default"

const modes: ReadonlyArray<Mode> = ["required", "required", "optional", "nullable", "default"]

interface Made {
  readonly field: IndexField
  readonly schema: Schema.Top
  readonly make: Gen<any>
  readonly case: FieldCase
}

const tame = <A>(make: Gen<A>, random: Random): A => {
  const { wildness } = random
  random.wildness = 0
  const value = make(random)
  random.wildness = wildness
  return value
}

/** A value that has a place in an index, because a definition with another default is refused. */
const placed = (kind: Kind, random: Random): unknown => {
  for (;;) {
    const value: unknown = tame(kind.make, random)
    if (kind.order(value) !== undefined) return value
  }
}

const ref = fieldsOf<any>()

const makeField = (name: string, random: Random): Made => {
  const mode = random.pick(modes)
  const kind = random.pick(kinds)
  const { make, name: called, optional: [family, optional], schema, stored, table } = kind
  const handle = (self: any) => name.split(".").reduce((part, of) => part[of], self)
  const initial = mode === "default" ? placed(kind, random) : undefined
  const field = ofKind(kind, name, false, initial)
  const isOptional = mode === "optional" || mode === "nullable"
  const label = isOptional ? `${mode} ${family}`.trim() : called
  return {
    field,
    schema: mode === "optional"
      ? Schema.optionalKey(schema)
      : mode === "nullable"
      ? Schema.NullOr(schema)
      : mode === "default"
      ? (schema as any).pipe(Model.withDefault(initial))
      : schema,
    make: mode === "optional" || mode === "default" ? absent(make) : mode === "nullable" ? orNull(make) : make,
    case: ref.scalar(
      name,
      label,
      handle,
      (isOptional ? optional : table) as any,
      mode === "nullable" ? texts.nullable(stored) : stored
    )
  }
}

/** Every kind of index, for counts. */
export const kindsOf = ({ fields, isUnique, keepsAbsent, name, where }: IndexCase): ReadonlyArray<string> => [
  fields.length === 1 ? "single" : `composite of ${fields.length}`,
  ...(isUnique ? ["unique"] : []),
  ...(keepsAbsent ? ["with absent values"] : []),
  ...(where.length > 0 ? ["partial"] : []),
  ...(fields.some((field) => field.isPart) ? ["of a part of the key"] : []),
  ...(fields.some(({ name }) => name.includes(".")) ? ["nested"] : []),
  ...(fields.some(({ name }) => name.startsWith("base")) ? ["inherited"] : []),
  ...(fields.some((field) => field.name === name) ? ["annotated"] : []),
  ...fields.map((field) => `of ${field.kind.name}`)
]

export const allKinds: ReadonlyArray<string> = [
  "single",
  "composite of 2",
  "composite of 3",
  "composite of 4",
  "unique",
  "with absent values",
  "partial",
  "of a part of the key",
  "nested",
  "inherited",
  "annotated",
  ...new Set(kinds.map(({ name }) => `of ${name}`))
]

/** A model with random fields and random indexes. */
export const makeIndexed = (options: IndexedOptions, random: Random): IndexedCase => {
  const { ids, isApart = false, isInherited = false, lives, name, refresh, slot, unique = "maybe" } = options
  const own = Array.from({ length: 4 }, (_, i) => makeField(`f${i}`, random))
  const inner = Array.from({ length: 2 }, (_, i) => makeField(`inner.g${i}`, random))
  const base = isInherited ? Array.from({ length: 2 }, (_, i) => makeField(`base${i}`, random)) : []
  const flat = [...own, ...base]
  const all = [...flat, ...inner]
  const named = oneOf("a", "b", "b:é{}", "\0")
  const partFields = [ofKind({ ...textKind, make: named }, "of", true), ofKind(integerKind, "n", true)]
  const [ofField] = partFields as [IndexField, IndexField]

  const annotated: Array<IndexCase> = []
  const annotate = (made: Made): Schema.Top => {
    const { field, schema } = made
    const chosen = random.int(0, 5)
    if (chosen > 1) return schema
    const isUnique = chosen === 1 && unique !== "never" && !isApart
    annotated.push({ name: field.name, fields: [field], where: [], isUnique, keepsAbsent: false })
    return (schema as any).pipe(isUnique ? Model.unique : Model.indexed)
  }
  const schemasOf = (fields: ReadonlyArray<Made>) =>
    Object.fromEntries(fields.map((made) => [made.field.name.split(".").at(-1)!, annotate(made)]))
  const parts = { of: Schema.String, n: Schema.Int }
  const baseSchemas = schemasOf(base)
  const schemas = { ...schemasOf(own), inner: Schema.Struct(schemasOf(inner) as any) }

  const indexFields = [...all.map(({ field }) => field), ...partFields]
  const subset = (most: number): ReadonlyArray<IndexField> => {
    const first = isApart ? [ofField] : []
    const rest = indexFields.filter((field) => !first.includes(field))
    const count = random.int(isApart ? 2 : 1, most)
    const chosen = [...first]
    while (chosen.length < count) {
      const field = random.pick(rest)
      if (!chosen.includes(field)) chosen.push(field)
    }
    return chosen
  }
  const indexes: Array<IndexCase> = Array.from({ length: random.int(1, 3) }, (_, i) => ({
    name: `ix${i}`,
    fields: subset(4),
    where: random.chance(0.3)
      ? [random.pick(all)].map(({ field }) => [field, tame(field.make, random)] as const)
      : [],
    isUnique: false,
    keepsAbsent: random.chance(0.3)
  }))
  const uniques: Array<IndexCase> = unique === "always" || unique === "maybe" && random.chance(0.5)
    ? [{ name: "u:0", fields: subset(isApart ? 3 : 2), where: [], isUnique: true, keepsAbsent: false }]
    : []

  // of its own choice, so that the rest of the model does not depend on it
  const other = new Random(`${name}/aggregates`)
  const summable = indexFields.filter(({ kind }) => isSummable(kind))
  const aggregates = Array.from({ length: other.int(2, 4) }, (_, i): AggregateCase => {
    const of = i === 1 || i > 1 && other.chance(0.6) ? other.pick(summable) : undefined
    const fields = new Set(isApart ? [ofField] : [])
    for (let left = other.int(0, 3); left > 0; left--) fields.add(other.pick(indexFields))
    return {
      method: of === undefined ? "counted" : "summed",
      name: `a:${i}`,
      fields: [...fields],
      where: other.chance(0.3) ? [other.pick(all)].map(({ field }) => [field, tame(field.make, other)] as const) : [],
      keepsAbsent: other.chance(0.3),
      of
    }
  })
  const definitionsOf = (method: AggregateCase["method"]) =>
    Object.fromEntries(
      aggregates.filter((one) => one.method === method).map(({ fields, keepsAbsent, name, of, where }) => [name, {
        by: fields.map((field) => field.name),
        ...(of && { of: of.name }),
        ...(where.length > 0 && { where: Object.fromEntries(where.map(([field, value]) => [field.name, value])) }),
        ...(keepsAbsent && { absent: true })
      }])
    )

  const modelOptions = {
    key: ["of", "n"],
    slot: slot === "component" ? "of" : slot === "partitions" ? { partitions: 3 } : "id",
    ...(lives === undefined ? {} : { timeToLive: { duration: lives, refresh } }),
    indexes: Object.fromEntries(indexes.map(({ fields, keepsAbsent, name, where }) => {
      const names = fields.map((field) => field.name)
      return [
        name,
        where.length === 0 && !keepsAbsent ? names : {
          fields: names,
          ...(where.length > 0
            ? { where: Object.fromEntries(where.map(([field, value]) => [field.name, value])) }
            : {}),
          ...(keepsAbsent ? { absent: true } : {})
        }
      ]
    })),
    unique: Object.fromEntries(uniques.map(({ fields, name }) => [name, fields.map((field) => field.name)])),
    counted: definitionsOf("counted"),
    summed: definitionsOf("summed")
  } as any
  let model: any
  if (isInherited) {
    const { counted: _, indexes: __, summed: ___, unique: ____, ...baseOptions } = modelOptions
    const Base: any = class extends Model.Class<any>(`${name}Base`)({ ...parts, ...baseSchemas } as any, baseOptions) {}
    model = class extends (Model.extend as any)(Base, name)(schemas, modelOptions) {}
  } else {
    model = Model.make(name, { ...parts, ...schemas } as any, modelOptions)
  }

  const values = Object.fromEntries(flat.map(({ field, make }) => [field.name, make]))
  const innerValues = Object.fromEntries(inner.map(({ field, make }) => [field.name.split(".")[1]!, make]))
  const make = build({ ...values, inner: build(innerValues) })
  const find = (id: readonly [string, number]): Instruction => Effect.runSync(instructionsOf(model.find(id)))[0]!
  const self: IndexedCase = {
    name,
    model,
    slot,
    spec: find(["a", 1]).spec.indexes!,
    refresh,
    ids: (world) => ids(world).map((id) => [id, find(id).key] as const),
    entity: (random, id) => ({ of: (id as any)[0], n: (id as any)[1], ...make(random) }),
    patch: patchOf({ ...values, inner: patchOf(innerValues) }),
    fields: [
      ...all.map((made) => made.case),
      ref.whole("inner", (self) => self.inner.$, Op.whole<any>(build(innerValues)))
    ],
    ...(lives === undefined ? undefined : { lives }),
    indexes: [...annotated, ...indexes, ...uniques],
    aggregates,
    indexFields,
    slotField: slot === "component" ? ofField : undefined,
    tieOf: ({ n, of }) => byBytes(slot === "component" ? String(n) : `${String(escapeId(of))}:${n}`)
  }
  return slot === "partitions" ? self : { ...self, calls: indexCalls(self, isApart) }
}

// reads

/** The part of a key that is no equality: a range of the last value. */
export interface Bounds {
  readonly field: IndexField
  readonly gt?: unknown
  readonly gte?: unknown
  readonly lt?: unknown
  readonly lte?: unknown
  readonly prefix?: string
}

/** A key of an index: values of its first fields, and a range of the next one. */
export interface Key {
  readonly equal: ReadonlyArray<readonly [field: IndexField, value: unknown]>
  readonly bounds: Bounds | undefined
}

/** A value that `encode` takes: no NaN, and one of an entity now and then, so that it is met. */
export const valueFor = (field: IndexField, entities: ReadonlyArray<any>, random: Random): unknown => {
  const known = entities.map(field.of).filter((value) => value !== undefined && value !== null)
  for (;;) {
    const value = known.length > 0 && random.chance(0.7) ? random.pick(known) : tame(field.make, random)
    if (field.kind.order(value) !== undefined) return value
  }
}

/**
 * A random key of an index.
 *
 * @param least how many values it must have
 */
export const randomKey = (
  self: IndexedCase,
  { fields, keepsAbsent }: Pick<IndexCase, "fields" | "keepsAbsent">,
  entities: ReadonlyArray<any>,
  random: Random,
  least = 0,
  most = fields.length
): Key => {
  const slotAt = fields.findIndex((field) => field === self.slotField)
  const count = random.int(Math.max(least, slotAt + 1), Math.max(most, slotAt + 1))
  const equal = fields.slice(0, count).map((field) =>
    [
      field,
      keepsAbsent && field !== self.slotField && !field.isPart && random.chance(0.15)
        ? null
        : valueFor(field, entities, random)
    ] as const
  )
  const next = fields[count]
  if (next === undefined || most === least || random.chance(0.5)) return { equal, bounds: undefined }
  if (next.kind.order === byBytes && random.chance(0.4)) {
    return { equal, bounds: { field: next, prefix: random.pick(["", "a", "a-", "a\0", "é"]) } }
  }
  const low = random.chance(0.6) ? { [random.pick(["gt", "gte"])]: valueFor(next, entities, random) } : {}
  const high = random.chance(0.6) ? { [random.pick(["lt", "lte"])]: valueFor(next, entities, random) } : {}
  return { equal, bounds: { field: next, ...low, ...high } }
}

/** The key as methods take it. */
export const keyInput = ({ bounds, equal }: Key, more: Record<string, unknown> = {}): Record<string, unknown> => {
  const input: Record<string, unknown> = { ...more }
  for (const [field, value] of equal) input[field.name] = value
  if (bounds !== undefined) {
    const { field, prefix, ...range } = bounds
    input[field.name] = prefix === undefined ? range : new Prefix(prefix)
  }
  return input
}

const directions = [undefined, "asc", "desc"] as const

/** Random reads of the indexes of entities that share a home, as calls of random programs. */
export const indexCalls = (
  self: IndexedCase,
  isApart: boolean
): ReadonlyArray<readonly [operation: string, call: Op.Call<{ readonly model: any; readonly id: any }>]> => {
  const read = (
    wants: (index: IndexCase) => boolean,
    make: (model: any, id: any, index: IndexCase, random: Random, home: Record<string, unknown>) => Program
  ): Op.Call<any> =>
  ({ id, model }, random) => {
    const usable = self.indexes.filter((index) => wants(index) && (!isApart || index.fields[0]!.name === "of"))
    if (usable.length === 0) return Atomic.succeed(undefined) as Program
    const home = self.slotField === undefined ? {} : { of: id[0] }
    return make(model, id, random.pick(usable), random, home)
  }
  const keyIn = (index: IndexCase, id: any, random: Random, home: Record<string, unknown>): Record<string, unknown> => {
    const key = keyInput(randomKey(self, index, [], random, isApart ? 1 : 0), home)
    // the entities of this world
    if (index.fields.some(({ name }) => name === "of") && "of" in key) key["of"] = id[0]
    return key
  }
  const options = (index: IndexCase, id: any, random: Random, home: Record<string, unknown>) =>
    !isApart && self.slotField === undefined && random.chance(0.3) ? undefined : {
      within: keyIn(index, id, random, home),
      direction: random.pick(directions)
    }
  const always = () => true
  const isUnique = ({ isUnique }: IndexCase) => isUnique
  const full = (index: IndexCase, id: any, random: Random): Record<string, unknown> => {
    const key = keyInput(randomKey(self, index, [], random, index.fields.length), self.slotField ? { of: id[0] } : {})
    if ("of" in key) key["of"] = id[0]
    return key
  }
  return [
    [
      "index.rank",
      read(always, (model, id, index, random, home) => model.rank(id, index.name, options(index, id, random, home)))
    ],
    [
      "index.top",
      read(
        always,
        (model, id, index, random, home) => model.top(index.name, random.int(0, 5), options(index, id, random, home))
      )
    ],
    [
      "index.around",
      read(
        always,
        (model, id, index, random, home) =>
          model.around(id, index.name, random.int(0, 3), options(index, id, random, home))
      )
    ],
    [
      "index.countBetween",
      read(always, (model, id, index, random, home) => model.countBetween(index.name, keyIn(index, id, random, home)))
    ],
    ...(["counted", "summed"] as const).map((method) =>
      [
        `aggregate.${method}`,
        ({ id, model }, random) => {
          const { fields, keepsAbsent, name, of } = random.pick(self.aggregates.filter((one) => one.method === method))
          const group = keyInput(randomKey(self, { fields, keepsAbsent }, [], random, fields.length))
          // the entities of this world
          if (self.slotField !== undefined || "of" in group) group["of"] = id[0]
          const sum = model[method](name, group)
          const compared = totalOf(of?.kind, BigInt(random.int(-3, 3)))
          return random.chance(0.5) ? sum : sum[random.pick(["eq", "neq", "lt", "lte", "gt", "gte"])](compared)
        }
      ] satisfies readonly [string, Op.Call<any>]
    ),
    ["index.findBy", read(isUnique, (model, id, index, random) => model.findBy(index.name, full(index, id, random)))],
    ["index.getBy", read(isUnique, (model, id, index, random) => model.getBy(index.name, full(index, id, random)))],
    ["index.existsBy", (target, random, other) => {
      if (self.indexes.some((index) => index.isUnique && (!isApart || index.fields[0]!.name === "of"))) {
        return read(isUnique, (model, id, index, random) => model.existsBy(index.name, full(index, id, random)))(
          target,
          random,
          other
        )
      }
      return target.model.exists(target.id)
    }]
  ]
}
