/** A line that a program has written, or its end, as the runtime reports it. */
export type RuntimeMessage =
  | { readonly _tag: "Line"; readonly level: "log" | "warn" | "error"; readonly text: string }
  | { readonly _tag: "Done"; readonly millis: number }
  | { readonly _tag: "Failed"; readonly tag: string; readonly message: string; readonly fields: string }

/** A mistake in the text of a program: `from` and `to` are places in it. */
export interface Problem {
  readonly from: number
  readonly to: number
  readonly message: string
}

/** The checker's answer about a text. */
export interface Checked {
  readonly version: number
  readonly problems: ReadonlyArray<Problem>
}
