/**
 * Replies: what an interpreter returns for a program.
 */
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
