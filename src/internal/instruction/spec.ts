/**
 * Specifications: what an interpreter knows of a field or an entity. The plan of a model makes each once. They are readable
 * here; `redis/wire.ts` alone knows the short names on the wire.
 */

import type { Indexes } from "./indexes.ts"

/** How operations renew the time to live of an entity. */
export interface Expiry {
  /** Milliseconds until the entity expires, from a renewal on. */
  readonly milliseconds: number
  /**
   * Whole milliseconds that are added to the time to live of a new or renewed entity. Until they have passed no operation renews
   * it, so most operations on a hot entity only read the expiry, and yet it never expires early.
   */
  readonly renewAfterMillis: number
  /** Whether reads renew the time to live. Writes always do. */
  readonly onRead: boolean
  /** The names of the entity's collections, whose keys expire together with its hash. */
  readonly collections: ReadonlyArray<string>
  /** The names of the fields that may be missing, because a collection that an earlier schema stored there expires too. */
  readonly former: ReadonlyArray<string>
  /** The indexes of the model, which know when its entities expire. */
  readonly indexes?: Indexes
}

/**
 * The kind of a field. A `value` is compared and replaced as a whole. `int64` and `duration` (in nanoseconds) are exact integers
 * whose amounts and bounds are texts; a `date` is in milliseconds.
 */
export type ScalarKind = "text" | "integer" | "number" | "int64" | "date" | "duration" | "boolean" | "value"
export type CollectionKind = "list" | "set" | "map" | "sortedSet"

/** The bounds that an interpreter enforces on a field. */
export interface Bounds {
  readonly minimum?: number | string
  readonly exclusiveMinimum?: number | string
  readonly maximum?: number | string
  readonly exclusiveMaximum?: number | string
  /** Bounds of the length of a text in UTF-16 units, or of a list in items. */
  readonly minLength?: number
  readonly maxLength?: number
  /** Bounds of the size of a set, map or sorted set. The spec of an entry has the bounds of its map. */
  readonly minSize?: number
  readonly maxSize?: number
}

/** Describes a field: a scalar in the entity's hash, or a collection under its own key. */
export interface FieldSpec extends Bounds {
  /** The stored name: the hash's field, or the end of the collection's key. */
  readonly field: string
  readonly kind: ScalarKind | CollectionKind
  /** The text that is read if the field is missing. */
  readonly default?: string
  /** The stored text `null` means that the field is missing. */
  readonly nullable?: true
  /** The names of the collections that this text's struct would have if it were stored field by field, as it may have been. */
  readonly inner?: ReadonlyArray<string>
  /** This is an item of the list `field`, or an entry of the map `field`. The first argument is its position or name. */
  readonly itemOf?: "list" | "map"
  /** Unset if no operation renews the time to live. */
  readonly expiry?: Expiry
  /** The indexes of the model, if an operation on the field may change an entry of them. */
  readonly indexes?: Indexes
}

/** Describes an entity, or the part of one that an instruction reads. */
export interface EntitySpec {
  /** The names of the hash's fields. */
  readonly fields: ReadonlyArray<string>
  /** The collections, each under its own key. */
  readonly collections: ReadonlyArray<FieldSpec>
  /** `inner` of all fields. */
  readonly inner?: ReadonlyArray<string>
  readonly expiry?: Expiry
  /** The indexes of the model. */
  readonly indexes?: Indexes
}

export type Spec = FieldSpec | EntitySpec

export const isEntitySpec = (spec: Spec): spec is EntitySpec => "collections" in spec

/** The names of the structs around a field, the nearest first. */
export const namesAround = (field: string): ReadonlyArray<string> => {
  const names: Array<string> = []
  for (let dot = field.lastIndexOf("."); dot > 0; dot = field.lastIndexOf(".", dot - 1)) names.push(field.slice(0, dot))
  return names
}

/** Whether a name is of a field of the struct at `path`. */
export const isBelow = (name: string, path: string): boolean => name.startsWith(`${path}.`)

/** Whether a field is a collection, or an item or entry of one. Collections are stored under their own keys. */
export const hasOwnKey = ({ itemOf, kind }: FieldSpec): boolean =>
  itemOf !== undefined || kind === "list" || kind === "set" || kind === "map" || kind === "sortedSet"

/** One object for all uses, because a call carries each distinct specification once. */
export const noFields: EntitySpec = { fields: [], collections: [] }

/** The specification of instructions that need none: flow, messages and locks. */
export const noSpec: FieldSpec = { field: "", kind: "value" }

/**
 * The names under which other forms of an entity may have a key: those of its fields, of the structs around its fields and
 * collections, and of collections in structs that are stored as one text.
 *
 * @param isMissing decides on each field and collection. Default: all.
 */
export const formerNames = (
  { collections, fields, inner = [] }: EntitySpec,
  isMissing: (path: string) => boolean = () => true
): ReadonlySet<string> => {
  const names = new Set<string>()
  for (const path of fields) {
    if (!isMissing(path)) continue
    names.add(path)
    for (const name of namesAround(path)) names.add(name)
    for (const name of inner) if (isBelow(name, path)) names.add(name)
  }
  for (const { field } of collections) {
    if (isMissing(field)) { for (const name of namesAround(field)) names.add(name) }
  }
  return names
}
