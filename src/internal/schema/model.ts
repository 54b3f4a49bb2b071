/**
 * A model as the programs see it: its name, where an entity is stored, and how it is read and written.
 */
import type * as Schema from "effect/Schema"
import { codecOf } from "./codec.ts"
import { type Key, keyOf, type KeyPlan, type Slot } from "./key.ts"
import { type Layout, layout, type Struct, struct } from "./plan.ts"
import type { Problem } from "./problem.ts"

/** @internal */
export interface ModelPlan {
  readonly name: string
  readonly struct: Struct
  readonly layout: Layout
  readonly keyNames: ReadonlyArray<string>
  readonly keyOf: (id: unknown) => Key | Problem
  readonly idOf: (entity: any) => unknown
  /** the values of the key's fields */
  readonly partsOf: (id: any) => ReadonlyArray<unknown>
}

/** @internal */
export interface PlanOptions {
  readonly key: string | ReadonlyArray<string>
  readonly slot: Slot
}

/** Every name once: two models of one name would read each other's entities. */
const names = new Map<string, string>()

const refuse = (name: string, why: string): never => {
  throw new Error(`Model "${name}": ${why}`)
}

/** @internal */
export const makePlan = (
  name: string,
  fields: Schema.Struct.Fields,
  options: PlanOptions,
  make: Struct["make"]
): ModelPlan => {
  if (name === "" || !name.isWellFormed() || name.startsWith("$")) refuse(name, "this name can't be stored")
  const isTuple = Array.isArray(options.key)
  const keyNames = (isTuple ? options.key : [options.key]) as ReadonlyArray<string>
  if (keyNames.length === 0 || new Set(keyNames).size < keyNames.length) refuse(name, "its key needs fields, each once")
  const slot = options.slot
  if (typeof slot === "object" && !(Number.isSafeInteger(slot.partitions) && slot.partitions > 0)) {
    refuse(name, "the number of partitions must be a positive integer")
  }
  if (typeof slot === "string" && slot !== "id" && !(isTuple && keyNames.includes(slot))) {
    refuse(name, `its slot "${slot}" is no component of a tuple key`)
  }
  if (isTuple && keyNames.length === 1 && slot !== "id" && typeof slot === "string") {
    refuse(name, "a slot by component needs a key of several")
  }
  const codecs = keyNames.map((key) => {
    const schema = fields[key]
    return schema === undefined ? refuse(name, `it has no field "${key}"`) : codecOf(schema)
  })
  const keyPlan: KeyPlan = { model: name, names: keyNames, isTuple, codecs, slot }
  const root = struct(fields, keyNames, make)
  const whole = layout(root)
  const fingerprint = JSON.stringify([
    options,
    codecs.map(({ form, kind }) => [kind, form]),
    whole.spec,
    whole.leaves.map((leaf) => [leaf.spec, leaf.absence, leaf.codec.form]),
    whole.lists.map((list) => [list.itemSpec, list.item.form])
  ])
  const known = names.get(name)
  if (known !== undefined && known !== fingerprint) refuse(name, "another model of this name is defined already")
  names.set(name, fingerprint)
  return {
    name,
    struct: root,
    layout: whole,
    keyNames,
    keyOf: keyOf(keyPlan),
    partsOf: (id) => isTuple ? id : [id],
    idOf: (entity) => isTuple ? keyNames.map((key) => entity[key]) : entity[keyNames[0]!]
  }
}
