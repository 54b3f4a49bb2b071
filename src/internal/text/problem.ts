import * as SchemaIssue from "effect/SchemaIssue"

const formatIssue = SchemaIssue.makeFormatterStandardSchemaV1()

/**
 * Says why a value has no stored form, or a stored text no value. It never contains the value itself.
 *
 * @internal
 */
export class Problem {
  readonly issue: string
  /** Where in the value, as a dotted path. Empty: the whole. */
  readonly field: string

  constructor(issue: string, field = "") {
    this.issue = issue
    this.field = field
  }

  static fromIssue(issue: SchemaIssue.Issue): Problem {
    const [first] = formatIssue(issue).issues
    const path = first?.path?.map((segment) => String(typeof segment === "object" ? segment.key : segment)).join(".")
    return new Problem(first?.message ?? "Expected a valid value", path)
  }

  /** The same problem, in a value that is a field of another. */
  within(field: string): Problem {
    return new Problem(this.issue, this.field === "" ? field : `${field}.${this.field}`)
  }
}

/** @internal */
export const illFormed = new Problem("Expected well-formed Unicode")
