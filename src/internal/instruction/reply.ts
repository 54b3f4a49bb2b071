/**
 * Replies: what an interpreter returns for a program. What a reply means to the caller is decided in `program/decode.ts`.
 */

/** A stored text, or false if it is missing. */
export type Text = string | false

/**
 * The result of one instruction: a text, a count, or a row of texts. An instruction that was skipped has the result `false`. The
 * row of an entity has a `Form` for each field that is missing because it is stored in another form.
 */
export type Result = Text | number | ReadonlyArray<Text | number | ReadonlyArray<string>>

/**
 * The other form in which a field is stored, as an earlier schema had it. Plus `aroundForm` for each struct between the field and
 * the struct that is stored in this form.
 */
export const Form = {
  text: 1,
  struct: 2,
  list: 3,
  set: 4,
  map: 5,
  sortedSet: 6,
  structOfCollections: 7,
  other: 8
} as const

/** See `Form`. */
export const aroundForm = 10

/** Why a program stopped, and at which instruction. All that it had written is undone. */
export type StopReason =
  /** The entity is missing or exists. `other`: it is the entity of the second set, or the one that `duplicate` creates. */
  | { readonly _tag: "missing" | "exists"; readonly step: number; readonly other?: boolean }
  /**
   * A text is not of the field's kind. With `part`: the key of that collection, or of the hash if it is empty, has another type. With
   * `member`: that of the entity with this id in the home, which an index has found.
   */
  | {
    readonly _tag: "type"
    readonly step: number
    readonly part?: string
    readonly other?: boolean
    readonly member?: string
  }
  /** A key of an index has another type: the one with this text after the name of its home. */
  | { readonly _tag: "indexKey"; readonly step: number; readonly suffix: string }
  | { readonly _tag: "index"; readonly step: number }
  | { readonly _tag: "bounds"; readonly step: number; readonly bound: Bound }
  | { readonly _tag: "arithmetic"; readonly step: number; readonly reason: ArithmeticReason }
  /** A guard failed. `observed`: the results of the instructions that it observes. */
  | { readonly _tag: "fail"; readonly step: number; readonly index: number; readonly observed: ReadonlyArray<Result> }
  /** An append would make a text that is longer than `limit` bytes. */
  | { readonly _tag: "tooLong"; readonly step: number; readonly limit: number }
  /** The program reads and examines too much. */
  | { readonly _tag: "tooMuch"; readonly step: number }
  | {
    readonly _tag: "tooLarge"
    readonly step: number
    readonly what: "instructions" | "bytes"
    readonly limit: number
    /** The position of the argument that is too large. Unset: all arguments together are. */
    readonly argument?: number
  }
  /** Another entity has the values that this step wrote, in a unique index, which is at this position. */
  | { readonly _tag: "unique"; readonly step: number; readonly index: number }
  /**
   * The indexes are those of another definition: `isOlder`, of an earlier one, so they are not complete; otherwise this definition is the
   * earlier one.
   */
  | { readonly _tag: "plan"; readonly step: number; readonly isOlder: boolean }
  /** Entities have expired whose entries a program that only reads can't remove. */
  | { readonly _tag: "due"; readonly step: number }
  /** Another program was committed with this idempotency key; the entity has another version; the lock is no longer held. */
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
  | { readonly _tag: "failed"; readonly failure: StopReason }
