/**
 * Specifications: what an interpreter knows of a field or an entity. The plan of a model makes each once; `redis/wire.ts` gives
 * it its short form.
 */
/**
 * The time to live that operations renew: all of them, reads too, or only those that write.
 */
export interface Life {
  readonly ms: number
  /** it is renewed only when it has shrunk by more */
  readonly slack: number
  readonly access: boolean
  /** the collections of the entity, which live as long */
  readonly cs: ReadonlyArray<string>
}

/**
 * What an interpreter knows of a field. The names are short because they travel with every call.
 */
export interface FieldSpec {
  /** the stored name: of the hash's field, or of the collection's key after the entity's */
  readonly f: string
  /**
   * Of a scalar: text, integer, number, int64, date in milliseconds, duration in nanoseconds, boolean, or any other value,
   * which is compared and replaced as a whole. Int64 and durations are exact integers: their amounts and bounds are texts.
   */
  readonly k: "t" | "i" | "n" | "l" | "d" | "u" | "b" | "v" | "list" | "set" | "map" | "zset"
  /** the text that an absent one reads as */
  readonly d?: string
  readonly ge?: number | string
  readonly gt?: number | string
  readonly le?: number | string
  readonly lt?: number | string
  /** bounds of a length: of a text in UTF-16 units, of a list in items */
  readonly minl?: number
  readonly maxl?: number
  /** bounds of how many a set, a map or a sorted set holds; of an entry, those of its map */
  readonly minc?: number
  readonly maxc?: number
  /** the text `null` is absence, and stands for it */
  readonly z?: true
  /** an item of the list `f`, whose position is the first argument, or an entry of the map `f`, whose name is */
  readonly of?: "list" | "map"
  /** present where operations renew the time to live */
  readonly life?: Life
}

/**
 * What an interpreter knows of an entity, or of the part of one that an instruction reads.
 */
export interface EntitySpec {
  /** the names of the hash's fields */
  readonly fs: ReadonlyArray<string>
  /** the collections, each under a key of its own */
  readonly cs: ReadonlyArray<FieldSpec>
  readonly life?: Life
}

export type Spec = FieldSpec | EntitySpec

export const isEntitySpec = (spec: Spec): spec is EntitySpec => "cs" in spec

/** Whether a field is, or is part of, a collection with a key of its own. */
export const hasOwnKey = (spec: FieldSpec): boolean => spec.k.length > 1 || spec.of !== undefined

/** One object for all: a call holds each specification once. */
export const noFields: EntitySpec = { fs: [], cs: [] }

export const noSpec: FieldSpec = { f: "", k: "v" }
