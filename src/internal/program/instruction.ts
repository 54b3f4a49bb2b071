/**
 * The instruction set: the one vocabulary between the half that builds programs and the halves that run them. The builders
 * never name a Redis command, the interpreters never see a Schema; both know only what stands here.
 */

/**
 * Cells come before `append`, lists before `read`, entities from there on: an interpreter finds its family by comparison.
 */
export const Op = {
  fail: 0,
  // one scalar text: a field of the entity's hash, or an item of a list
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
  // lists
  append: 20,
  prepend: 21,
  pop: 22,
  shift: 23,
  length: 24,
  slice: 25,
  clearList: 26,
  setList: 27,
  // whole entities
  read: 40,
  find: 41,
  exists: 42,
  require: 43,
  insert: 44,
  put: 45,
  delete: 46
} as const

export type Op = typeof Op[keyof typeof Op]

export const opName = (op: Op): string => Object.entries(Op).find(([, value]) => value === op)![0]

/**
 * What an interpreter knows of a field. The names are short because they travel with every call.
 */
export interface FieldSpec {
  /** the stored name: of the hash's field, or of the collection's key after the entity's */
  readonly f: string
  /** text, integer, number, boolean, or any other value, which is compared and replaced as a whole */
  readonly k: "t" | "i" | "n" | "b" | "v" | "list"
  /** the text that an absent one reads as */
  readonly d?: string
  readonly ge?: number
  readonly gt?: number
  readonly le?: number
  readonly lt?: number
  /** bounds of a length: of a text in UTF-16 units, of a list in items */
  readonly minl?: number
  readonly maxl?: number
  /** an item of the list `f`, whose position is the first argument */
  readonly at?: true
}

/**
 * What an interpreter knows of an entity, or of the part of one that an instruction reads.
 */
export interface EntitySpec {
  /** the names of the hash's fields */
  readonly fs: ReadonlyArray<string>
  /** the collections, each under a key of its own */
  readonly cs: ReadonlyArray<FieldSpec>
}

export type Spec = FieldSpec | EntitySpec

export type Argument = string | number | false

/**
 * One step of a program, on one entity. It gives one result.
 */
export interface Instruction {
  readonly op: Op
  /** the key of the entity's hash */
  readonly key: string
  readonly spec: Spec
  readonly args: ReadonlyArray<Argument>
}

export const isEntitySpec = (spec: Spec): spec is EntitySpec => "cs" in spec

export const noSpec: FieldSpec = { f: "", k: "v" }

/**
 * `read` writes nothing, `free` only gives memory back, `write` is the rest.
 */
export type Access = "read" | "free" | "write"

export interface Program {
  readonly instructions: ReadonlyArray<Instruction>
  readonly access: Access
}

export const accessOf = (instructions: ReadonlyArray<Instruction>): Access => {
  let access: Access = "read"
  for (const { op } of instructions) {
    switch (op) {
      case Op.fail:
      case Op.get:
      case Op.length:
      case Op.slice:
      case Op.read:
      case Op.find:
      case Op.exists:
      case Op.require:
        break
      case Op.clear:
      case Op.pop:
      case Op.shift:
      case Op.clearList:
      case Op.delete:
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
  | { readonly _tag: "missing" | "exists" | "index" | "type"; readonly step: number }
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
  | "atLeast"
  | "atMost"

export type ArithmeticReason = "divisionByZero" | "notFinite" | "notWhole" | "outOfRange"

export type Reply =
  | { readonly _tag: "done"; readonly results: ReadonlyArray<Result> }
  | { readonly _tag: "failed"; readonly failure: Failure }
