/**
 * The instruction set: the one vocabulary between the half that builds programs and the halves that run them. The builders
 * never name a Redis command, the interpreters never see a Schema; both know only what stands here.
 */

/**
 * Flow comes before `get`, cells before `size`, collections before `read`, entities before `publish`, locks from `acquire` on:
 * an interpreter finds its family by comparison. Beside each stand its arguments, and its result. What is jumped over has the result `false`.
 */
export const Op = {
  // flow: a register `flag` is set by every test, and read by jumps, which go forward by a number of instructions
  fail: 0, // index, how many of the results before it are told
  not: 1, // -> the flag, turned
  flag: 2, // -> the flag
  jump: 3, // distance -> 1
  jumpIf: 4, // distance -> 1 where it jumped, or 0
  jumpUnless: 5, // distance
  attempt: 6, // distance to what is done instead, mode (0: a missing entity, 1: any failure) -> 1 where that is done, or 0
  settled: 7, // distance: ends the last attempt, and jumps -> 1
  constant: 8, // value: puts an operand into the queue -> 1
  combine: 9, // operation, kind: makes one operand of the last two -> 1
  // one scalar text: a field of the entity's hash; or an item of a list or an entry of a map, whose position or name is then
  // the first argument
  get: 10,
  set: 11,
  clear: 12,
  setIfAbsent: 13,
  compareAndSet: 14,
  getAndSet: 15,
  appendText: 16,
  toggle: 17,
  compare: 18, // comparison, expected: a test -> 0 or 1
  oneOf: 19, // values...: a test -> 0 or 1
  isSet: 20, // a test -> 0 or 1
  load: 21, // puts an operand into the queue -> 1
  assign: 22, // operand: as `set`, with the checks that the server knows -> 1
  add: 23,
  multiply: 24,
  divide: 25,
  quotient: 26,
  modulo: 27,
  min: 28,
  max: 29,
  clamp: 30,
  power: 31,
  // any collection
  size: 40, // -> count
  values: 41, // -> row
  empty: 42, // -> 1
  replace: 43, // texts... -> 1
  compareSize: 44, // comparison, expected: a test -> 0 or 1
  loadSize: 45, // puts an operand into the queue -> 1
  // lists
  append: 46, // keep (0: all), items... -> length
  prepend: 47, // items... -> length
  pop: 48, // -> text
  shift: 49, // -> text
  slice: 50, // from, to -> row
  insertAt: 51, // position, items... -> length
  removeEqual: 52, // item -> count
  removeRange: 53, // from, to -> 1
  trim: 54, // from, to -> 1
  contains: 55, // item: a test -> 0 or 1
  // sets, maps by their names, sorted sets by their members
  has: 56, // name: a test -> 0 or 1
  remove: 57, // names... -> how many there were
  take: 58, // -> any one of a set, or row of any name and its value of a map
  // sets
  addMembers: 59, // members... -> how many are new
  union: 60, // the other set -> row
  intersection: 61,
  difference: 62,
  // maps
  putEntries: 63, // name, value, ... -> how many are new
  takeEntry: 64, // name -> text
  names: 65, // -> row
  // sorted sets, ascending by score and then by the bytes of the member
  addScored: 66, // member, score, ... -> how many are new
  addScore: 67, // member, amount -> score
  score: 68, // member -> text
  rank: 69, // member, reverse (0 or 1) -> count, or false
  rangeByRank: 70, // from, to, reverse -> row
  rangeByScore: 71, // lowest, highest, reverse, limit (-1: all) -> row
  countByScore: 72, // lowest, highest -> count
  popLowest: 73, // -> row of a member and its score
  popHighest: 74,
  // whole entities; those that create begin with the milliseconds that the new entity lives, or false
  read: 80, // -> row
  find: 81, // -> row
  exists: 82, // a test -> 0 or 1
  require: 83, // -> 1
  insert: 84, // life, content... -> 1
  put: 85, // life, content... -> 1
  delete: 86, // -> 0 or 1
  getOrInsert: 87, // life, content... -> 1 where it created, or the row of what is there
  ensure: 88, // life, content... -> 1 where it created, or 0
  duplicate: 89, // the other entity, life -> 1
  expire: 90, // milliseconds -> 1
  persist: 91, // -> 1
  timeToLive: 92, // -> milliseconds, or false
  atVersion: 93, // version -> 1
  // messages
  publish: 100, // channel, text -> 1
  // locks; of these only `holds` stands beside others in a program
  acquire: 110, // channel, owner, lease, weight, limit, anywhere (0 or 1), pause -> token, or milliseconds to come again, or false
  renew: 111, // owner, lease -> 0 or 1
  release: 112, // channel, owner, weight, limit, anywhere (0 or 1), milliseconds for which the owner stays gone -> 0 or 1
  holds: 113 // owner -> 1
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

/** `true` stands for an operand: the oldest of the queue that the instructions before it have filled. */
export type Argument = string | number | boolean

/** How a test compares, as its first argument. */
export const Comparison = { eq: 0, neq: 1, lt: 2, lte: 3, gt: 4, gte: 5 } as const

/** Of operands only: what is not an operation on a cell. */
export const subtract = -1

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

/** One object for all: a call holds each specification once. */
export const noFields: EntitySpec = { fs: [], cs: [] }

export const noSpec: FieldSpec = { f: "", k: "v" }

/**
 * `read` writes nothing, `free` only gives memory back or renews a time to live, `write` is the rest.
 */
export type Access = "read" | "free" | "write"

export interface Program {
  readonly instructions: ReadonlyArray<Instruction>
  readonly access: Access
  readonly idempotency?: Idempotency | undefined
}

/** The caller's own key: under it a program happens once, and gives its first result again for so long. */
export interface Idempotency {
  readonly key: string
  /** in milliseconds */
  readonly keepFor: number
  /** what tells this program from others */
  readonly identity: string
}

/**
 * @param renews whether the time to live that a read renews counts
 */
export const accessOf = (instructions: ReadonlyArray<Instruction>, renews = true): Access => {
  let access: Access = "read"
  for (const { op, other, spec } of instructions) {
    if (op < Op.get) continue
    if (renews && (spec.life?.access === true || other?.spec.life?.access === true)) access = "free"
    switch (op) {
      case Op.get:
      case Op.compare:
      case Op.oneOf:
      case Op.isSet:
      case Op.load:
      case Op.compareSize:
      case Op.loadSize:
      case Op.contains:
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
      case Op.atVersion:
      case Op.holds:
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
      case Op.renew:
      case Op.release:
        access = "free"
        break
      default:
        return "write"
    }
  }
  return access
}

/**
 * Whether it makes no difference how often it runs, and when: it writes nothing, but for the time to live that it renews; or it
 * keeps, or gives up, what its owner has of a lock. An acquisition that is late would come back after its release.
 */
export const isRepeatable = ({ access, instructions }: Program): boolean =>
  access === "read" || instructions.length === 1 && keepsLock.has(instructions[0]!.op) ||
  access === "free" && accessOf(instructions, false) === "read"

const keepsLock: ReadonlySet<Op> = new Set([Op.renew, Op.release])

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
  | { readonly _tag: "missing" | "exists"; readonly step: number; readonly other?: boolean }
  /** a text is of another kind; or the key of the collection `part`, or of the hash where `part` is empty */
  | { readonly _tag: "type"; readonly step: number; readonly part?: string; readonly other?: boolean }
  | { readonly _tag: "index"; readonly step: number }
  | { readonly _tag: "bounds"; readonly step: number; readonly bound: Bound }
  | { readonly _tag: "arithmetic"; readonly step: number; readonly reason: ArithmeticReason }
  /** with the results that it was told to show */
  | { readonly _tag: "fail"; readonly step: number; readonly index: number; readonly observed: ReadonlyArray<Result> }
  /** a text that an append would make */
  | { readonly _tag: "tooLong"; readonly step: number }
  | {
    readonly _tag: "tooLarge"
    readonly step: number
    readonly what: "instructions" | "bytes"
    readonly limit: number
  }
  /** another program was committed with this idempotency key; the entity has another version; the lock is not held any more */
  | { readonly _tag: "conflict" | "stale" | "lost"; readonly step: number }

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
