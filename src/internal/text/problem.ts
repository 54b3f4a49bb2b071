/**
 * The reason why a value or a text is refused. It is a value, not an error: its caller decides which error it becomes.
 */
import * as SchemaIssue from "effect/SchemaIssue"

const formatIssue = SchemaIssue.makeFormatterStandardSchemaV1()

/**
 * Why a value cannot be encoded, or a stored text cannot be decoded. It never contains the value itself.
 *
 * @internal
 */
export class Problem {
  readonly issue: string
  /** The dotted path to the part of the value that is refused. Empty: the value as a whole. */
  readonly field: string

  constructor(issue: string, field = "") {
    this.issue = issue
    this.field = field
  }

  /** Makes a problem from the first issue of a schema. */
  static fromIssue(issue: SchemaIssue.Issue): Problem {
    const [first] = formatIssue(issue).issues
    const path = first?.path?.map((segment) => String(typeof segment === "object" ? segment.key : segment)).join(".")
    return new Problem(first?.message ?? "Expected a valid value", path)
  }

  /** Returns the same problem for the value of a field, if it is in that. `missing` and other constants stay the same. */
  without(field: string): Problem {
    if (this.field !== field && !this.field.startsWith(`${field}.`)) return this
    return new Problem(this.issue, this.field.slice(field.length + 1))
  }

  /** Returns the same problem for the value that has this one as a field. */
  within(field: string): Problem {
    return new Problem(this.issue, this.field === "" ? field : `${field}.${this.field}`)
  }
}

/** @internal */
export const illFormed = new Problem("Expected well-formed Unicode")

/**
 * Nothing is stored where a value is required.
 *
 * @internal
 */
export const missing = new Problem("Missing")
