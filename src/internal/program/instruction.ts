/**
 * The instruction set: the one vocabulary between the half that builds programs and the halves that run them. The builders
 * never name a Redis command, the interpreters never see a Schema; both know only what stands here.
 */

/**
 * Cells come before `size`, collections before `read`, entities from there on: an interpreter finds its family by comparison.
 * Beside each stand its arguments, and its result.
 */
export const Op = {
  fail: 0,
  // one scalar text: a field of the entity's hash; or an item of a list or an entry of a map, whose position or name is then
  // the first argument
  get: 1,
  set: 2,
  clear: 3,
  setIfAbsent: 4,
  compareAndSet: 5,
  getAndSet: 6,
  appendText: 7,
  toggle: 8,
  add: 9,
  multiply: 10,
  divide: 11,
  quotient: 12,
  modulo: 13,
  min: 14,
  max: 15,
  clamp: 16,
  power: 17,
  // any collection
  size: 20, // -> count
  values: 21, // -> row
  empty: 22, // -> 1
  replace: 23, // texts... -> 1
  // lists
  append: 24, // keep (0: all), items... -> length
  prepend: 25, // items... -> length
  pop: 26, // -> text
  shift: 27, // -> text
  slice: 28, // from, to -> row
  insertAt: 29, // position, items... -> length
  removeEqual: 30, // item -> count
  removeRange: 31, // from, to -> 1
  trim: 32, // from, to -> 1
  // sets, maps by their names, sorted sets by their members
  has: 33, // name -> 0 or 1
  remove: 34, // names... -> how many there were
  take: 35, // -> any one of a set, or row of any name and its value of a map
  // sets
  addMembers: 36, // members... -> how many are new
  union: 37, // the other set -> row
  intersection: 38,
  difference: 39,
  // maps
  putEntries: 40, // name, value, ... -> how many are new
  takeEntry: 41, // name -> text
  names: 42, // -> row
  // sorted sets, ascending by score and then by the bytes of the member
  addScored: 43, // member, score, ... -> how many are new
  addScore: 44, // member, amount -> score
  score: 45, // member -> text
  rank: 46, // member, reverse (0 or 1) -> count, or false
  rangeByRank: 47, // from, to, reverse -> row
  rangeByScore: 48, // lowest, highest, reverse, limit (-1: all) -> row
  countByScore: 49, // lowest, highest -> count
  popLowest: 50, // -> row of a member and its score
  popHighest: 51,
  // whole entities; those that create begin with the milliseconds that the new entity lives, or false
  read: 60, // -> row
  find: 61, // -> row
  exists: 62, // -> 0 or 1
  require: 63, // -> 1
  insert: 64, // life, content... -> 1
  put: 65, // life, content... -> 1
  delete: 66, // -> 0 or 1
  getOrInsert: 67, // life, content... -> 1 where it created, or the row of what is there
  ensure: 68, // life, content... -> 1 where it created, or 0
  duplicate: 69, // the other entity, life -> 1
  expire: 70, // milliseconds -> 1
  persist: 71, // -> 1
  timeToLive: 72, // -> milliseconds, or false
  // messages
  publish: 80 // channel, text -> 1
} as const

export type Op = typeof Op[keyof typeof Op]

export const opName = (op: Op): string => Object.entries(Op).find(([, value]) => value === op)![0]

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

export type Argument = string | number | false

/**
 * One step of a program, on one entity. It gives one result.
 *
 * The content of an entity, in arguments: a text or false for each field; then for each collection how many texts, and these.
 * A row, in results: the version, a text or false for each field, and for each collection a row. The texts of a map are names
 * and values in turn, those of a sorted set members and scores.
 */
export interface Instruction {
  readonly op: Op
  /** the key of the entity's hash */
  readonly key: string
  readonly spec: Spec
  readonly args: ReadonlyArray<Argument>
  /** the second set, or the entity to be made */
  readonly other?: { readonly key: string; readonly spec: Spec } | undefined
}

export const isEntitySpec = (spec: Spec): spec is EntitySpec => "cs" in spec

/** Whether a field is, or is part of, a collection with a key of its own. */
export const hasOwnKey = (spec: FieldSpec): boolean => spec.k.length > 1 || spec.of !== undefined

export const noSpec: FieldSpec = { f: "", k: "v" }

/**
 * `read` writes nothing, `free` only gives memory back or renews a time to live, `write` is the rest.
 */
export type Access = "read" | "free" | "write"

export interface Program {
  readonly instructions: ReadonlyArray<Instruction>
  readonly access: Access
}

export const accessOf = (instructions: ReadonlyArray<Instruction>): Access => {
  let access: Access = "read"
  for (const { op, other, spec } of instructions) {
    if (spec.life?.access === true || other?.spec.life?.access === true) access = "free"
    switch (op) {
      case Op.fail:
      case Op.get:
      case Op.size:
      case Op.values:
      case Op.slice:
      case Op.has:
      case Op.union:
      case Op.intersection:
      case Op.difference:
      case Op.names:
      case Op.score:
      case Op.rank:
      case Op.rangeByRank:
      case Op.rangeByScore:
      case Op.countByScore:
      case Op.read:
      case Op.find:
      case Op.exists:
      case Op.require:
      case Op.timeToLive:
        break
      case Op.clear:
        // the text that stands for nothing is written
        if ("z" in spec) return "write"
        access = "free"
        break
      case Op.empty:
      case Op.pop:
      case Op.shift:
      case Op.remove:
      case Op.take:
      case Op.takeEntry:
      case Op.popLowest:
      case Op.popHighest:
      case Op.delete:
      case Op.expire:
      case Op.publish:
        access = "free"
        break
      default:
        return "write"
    }
  }
  return access
}

export type Text = string | false

/**
 * The result of one instruction: a text (or that there is none), a count, or a row of texts.
 */
export type Result = Text | number | ReadonlyArray<Text | ReadonlyArray<string>>

/**
 * Why a program stopped, at which of its instructions. All that it had written is undone.
 */
export type Failure =
  /** `other`: it is the entity of the second set, or the one to be made */
  | { readonly _tag: "missing" | "exists" | "type"; readonly step: number; readonly other?: boolean }
  | { readonly _tag: "index"; readonly step: number }
  | { readonly _tag: "bounds"; readonly step: number; readonly bound: Bound }
  | { readonly _tag: "arithmetic"; readonly step: number; readonly reason: ArithmeticReason }
  | { readonly _tag: "fail"; readonly step: number; readonly index: number }
  | {
    readonly _tag: "tooLarge"
    readonly step: number
    readonly what: "instructions" | "bytes"
    readonly limit: number
  }

export type Bound =
  | "minimum"
  | "exclusiveMinimum"
  | "maximum"
  | "exclusiveMaximum"
  | "minLength"
  | "maxLength"
  | "minSize"
  | "maxSize"
  | "atLeast"
  | "atMost"

export type ArithmeticReason = "divisionByZero" | "notFinite" | "notWhole" | "outOfRange"

export type Reply =
  | { readonly _tag: "done"; readonly results: ReadonlyArray<Result> }
  | { readonly _tag: "failed"; readonly failure: Failure }
