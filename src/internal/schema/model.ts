/**
 * The plan of a whole model: its name, its keys, its layout and its time to live.
 */
import type * as Duration from "effect/Duration"
import type * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"
import type { EntitySpec, Expiry } from "../instruction/spec.ts"
import { millisOf, oneOf } from "../options.ts"
import { Problem } from "../text/problem.ts"
import type { Codec } from "./codec.ts"
import { codecOf } from "./codecOf.ts"
import { copyThrough } from "./immutable.ts"
import { type IndexOptions, type ModelIndexes, planIndexes } from "./indexes.ts"
import { type FoundKey, foundKeyOf, type Key, keyOf, type KeyPlan, type Slot, startOf } from "./key.ts"
import { type Layout, layout } from "./layout.ts"
import { type Leaf, type Struct, struct } from "./plan.ts"
import { Definition } from "./registry.ts"

/**
 * The plan of a model.
 *
 * @internal
 */
export interface ModelPlan {
  readonly name: string
  readonly definition: Definition
  readonly struct: Struct
  readonly layout: Layout
  /** The specification of the whole entity, without renewal of its time to live. */
  readonly spec: EntitySpec
  /** Milliseconds that a new entity lives by default: its duration, and what a renewal adds to it. `false`: for ever. */
  readonly milliseconds: number | false
  /** How operations renew the time to live. Undefined: they do not. */
  readonly expiry: Expiry | undefined
  readonly keyNames: ReadonlyArray<string>
  readonly keyCodecs: ReadonlyArray<Codec>
  readonly keyOf: (id: unknown) => Key | Problem
  /** The text that all keys of the model's entities begin with. */
  readonly start: string
  /** Returns the entity that a key with this start belongs to. Undefined: to none. */
  readonly foundKeyOf: (key: string) => FoundKey | undefined
  readonly idOf: (entity: any) => unknown
  /** Splits an id into the values of the key's fields, which are copied, so that the caller's own stay his. */
  readonly partsOf: (id: any) => ReadonlyArray<unknown>
  /** Undefined: the model has no index. */
  readonly indexes: ModelIndexes | undefined
  /** The field of the key that is the tag of its entities' keys. Undefined: the tag is the id, or a partition. */
  readonly slotField: string | undefined
  /** The number of partitions. Undefined: there are none. */
  readonly partitions: number | undefined
}

/** @internal */
export interface PlanOptions extends IndexOptions {
  readonly key: string | ReadonlyArray<string>
  readonly slot: Slot
  readonly timeToLive: {
    readonly duration: Duration.Input
    readonly refresh?: "never" | "write" | "access" | undefined
  } | undefined
}

const refuse = (name: string, why: string): never => {
  throw new Error(`Model "${name}": ${why}`)
}

/**
 * Returns a duration in whole milliseconds, or undefined if it is no time to live: infinite, or below 1 ms.
 *
 * @internal
 */
export const toMilliseconds = (input: Duration.Input): number | undefined => {
  const millis = millisOf(input)
  const milliseconds = millis && Math.ceil(millis)
  return milliseconds !== undefined && milliseconds >= 1 && milliseconds <= longestMillis ? milliseconds : undefined
}

const isRefresh = oneOf("never", "write", "access")

/** The greatest number of 14 digits, which is what a Lua script returns exactly. */
const longestMillis = 1e14 - 1

/**
 * The times that `toMilliseconds` accepts, for messages.
 *
 * @internal
 */
export const lifetimes = `at least 1 ms and at most ${longestMillis} ms, which is 3,168 years`

const noPlace = new Problem("Expected a number other than NaN, because an index has the field")

/** A codec that writes no value without a place in the order. It still reads one that was stored before there was an index. */
const withPlace = (codec: Codec): Codec => ({
  ...codec,
  encode: (value) => Number.isNaN(value) ? noPlace : codec.encode(value)
})

/** Refuses NaN in all fields that order the entries of an index. */
const refuseNaN = (
  name: string,
  { byName }: ModelIndexes,
  leaves: ReadonlyArray<Leaf>,
  keyNames: ReadonlyArray<string>,
  keyCodecs: Array<Codec>
): void => {
  const fields = new Set(
    [...byName.values()].flatMap(({ values }) => values).flatMap((value) => value.mayHaveNoPlace ? [value.field] : [])
  )
  for (const leaf of leaves) {
    if (!fields.has(leaf.field)) continue
    if (leaf.spec.default === "NaN") {
      refuse(name, `the default of its field "${leaf.field}" is NaN, and an index has it`)
    }
    Object.assign(leaf, { codec: withPlace(leaf.codec) })
  }
  for (const [i, field] of keyNames.entries()) if (fields.has(field)) keyCodecs[i] = withPlace(keyCodecs[i]!)
}

/** Lets the specifications know the indexes that their instructions may change. */
const withIndexes = (
  self: Layout,
  expiry: Expiry | undefined,
  indexes: ModelIndexes | undefined
): { readonly layout: Layout; readonly indexes: ModelIndexes | undefined } => {
  if (indexes === undefined) return { layout: self, indexes }
  const { spec } = indexes
  const names = new Set(spec.values.map(({ field }) => field))
  for (const leaf of self.leaves) {
    if (spec.live !== undefined || names.has(leaf.spec.field)) Object.assign(leaf.spec, { indexes: spec })
  }
  // each write of a live model publishes a hint
  for (const collection of spec.live === undefined ? [] : self.collections) {
    for (const own of [collection.spec, collection.itemSpec]) {
      if (own !== undefined) Object.assign(own, { indexes: spec })
    }
  }
  if (expiry !== undefined) Object.assign(expiry, { indexes: spec })
  return { layout: { ...self, spec: { ...self.spec, indexes: spec } }, indexes }
}

/**
 * Makes the plan of a model. Throws if the definition is invalid, because that is a mistake in the program.
 *
 * @internal
 */
export const makePlan = (
  name: string,
  fields: Schema.Struct.Fields,
  options: PlanOptions,
  make: Struct["make"]
): ModelPlan => {
  if (name === "" || !name.isWellFormed() || name.startsWith("$")) {
    refuse(name, "a name must be well-formed Unicode, not empty, and not begin with $")
  }
  const isTuple = Array.isArray(options.key)
  const keyNames = (isTuple ? options.key : [options.key]) as ReadonlyArray<string>
  if (keyNames.length === 0 || new Set(keyNames).size < keyNames.length) {
    refuse(name, "its key must name at least one field, and each field only once")
  }
  const slot = options.slot
  if (typeof slot === "object" && !(Number.isSafeInteger(slot.partitions) && slot.partitions > 0)) {
    refuse(name, "the number of partitions must be a positive integer")
  }
  if (typeof slot === "string" && slot !== "id" && !(isTuple && keyNames.includes(slot))) {
    refuse(name, `its slot "${slot}" is not a component of a tuple key`)
  }
  if (isTuple && keyNames.length === 1 && slot !== "id" && typeof slot === "string") {
    refuse(name, "a slot by component needs a key of at least two fields")
  }
  const codecs = keyNames.map((key) => {
    const schema = fields[key]
    if (schema === undefined) return refuse(name, `its key names "${key}", which is not one of its fields`)
    if (SchemaAST.isOptional(schema.ast)) refuse(name, `its key names "${key}", which is optional`)
    return codecOf(schema)
  })
  const keyPlan: KeyPlan = { model: name, names: keyNames, isTuple, codecs, slot }
  const timeToLive: unknown = options.timeToLive
  if (timeToLive !== undefined && (typeof timeToLive !== "object" || timeToLive === null)) {
    refuse(name, "its time to live must be an object such as { duration: \"1 hour\" }")
  }
  const { duration, refresh = "write" } = options.timeToLive ?? {}
  if (timeToLive !== undefined && duration === undefined) refuse(name, "its time to live has no duration")
  const refusal = isRefresh(refresh, "refresh")
  if (refusal !== undefined) refuse(name, `the \`refresh\` of its time to live: ${refusal.issue}`)
  const milliseconds = duration === undefined ? false : toMilliseconds(duration)
  if (milliseconds === undefined) return refuse(name, `its time to live must be ${lifetimes}`)
  const expiry: Expiry | undefined = milliseconds === false || refresh === "never"
    ? undefined
    : {
      milliseconds,
      renewAfterMillis: Math.floor(Math.min(milliseconds / 100, 60_000)),
      onRead: refresh === "access",
      collections: [],
      former: []
    }
  const root = struct(fields, keyNames, make, expiry)
  const component = isTuple && typeof slot === "string" && slot !== "id" ? keyNames.indexOf(slot) : -1
  const own = layout(root, expiry)
  const indexes = planIndexes(
    own.leaves,
    keyNames.map((field, i) => ({
      field,
      codec: codecs[i]!,
      part: i === component ? 0 : i + (component < 0 || i < component ? 1 : 0)
    })),
    slot === "id",
    typeof slot === "object",
    name,
    options,
    (why) => refuse(name, why)
  )
  if (indexes !== undefined) refuseNaN(name, indexes, own.leaves, keyNames, codecs)
  const whole = withIndexes(own, expiry, indexes)
  const { expiry: _, ...spec } = whole.layout.spec
  const form = JSON.stringify([
    options.key,
    slot,
    milliseconds,
    codecs.map(({ form, kind }) => [kind, form]),
    whole.layout.spec,
    whole.layout.leaves.map((leaf) => [leaf.spec, leaf.absence, leaf.codec.form]),
    whole.layout.collections.map(({ item, itemSpec, name }) => [itemSpec, item.form, name?.kind, name?.form])
  ])
  return {
    name,
    definition: new Definition(name, form),
    struct: root,
    layout: whole.layout,
    indexes: whole.indexes,
    slotField: component < 0 ? undefined : keyNames[component],
    partitions: typeof slot === "object" ? slot.partitions : undefined,
    spec,
    milliseconds: milliseconds === false ? false : milliseconds + (expiry?.renewAfterMillis ?? 0),
    expiry,
    keyNames,
    keyCodecs: codecs,
    keyOf: keyOf(keyPlan),
    start: startOf(name),
    foundKeyOf: foundKeyOf(keyPlan),
    partsOf: (id) => {
      const parts: ReadonlyArray<unknown> = !isTuple ? [id] : Array.isArray(id) ? id : []
      return parts.map((part, i) => i < codecs.length ? copyThrough(codecs[i]!, part) : part)
    },
    idOf: (entity) => isTuple ? keyNames.map((key) => entity[key]) : entity[keyNames[0]!]
  }
}
