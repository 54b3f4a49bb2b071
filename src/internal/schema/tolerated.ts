/**
 * The problems of tolerant fields that could not be decoded: kept for each entity, and collected for the log.
 */
import type { Result } from "../instruction/reply.ts"
import { Problem } from "../text/problem.ts"
import type { Layout } from "./layout.ts"

/**
 * A problem that was tolerated, and the model of its entity.
 *
 * @internal
 */
export interface Tolerated {
  readonly model: string
  readonly problem: Problem
}

/** The problems by entity. */
const issues = new WeakMap<object, ReadonlyArray<Problem>>()
/** Where `collectIssues` collects problems. Undefined: it does not run. */
let collected: Array<Tolerated> | undefined

/** @internal */
export const issuesOf = (entity: object): ReadonlyArray<Problem> => issues.get(entity) ?? []

/**
 * Gives an entity the problems of the fields that were not written, because these are stored as before.
 *
 * @internal
 */
export const keepIssues = (entity: unknown, problems: ReadonlyArray<Problem>, written: ReadonlyArray<string>): void => {
  const kept = problems.filter(({ field }) => !written.some((name) => field === name || field.startsWith(`${name}.`)))
  if (kept.length > 0) issues.set(entity as object, kept)
}

/**
 * Decodes the row of an entity, and keeps the problems of its tolerant fields.
 *
 * @param id the values of the key's fields
 *
 * @internal
 */
export const readRow = (
  self: Layout,
  model: string,
  row: ReadonlyArray<Result>,
  id: ReadonlyArray<unknown>
): unknown => {
  const problems: Array<Problem> = []
  const value = self.decode(row, id, problems)
  if (problems.length > 0 && !(value instanceof Problem)) {
    issues.set(value as object, problems)
    for (const problem of problems) collected?.push({ model, problem })
  }
  return value
}

/**
 * Runs `f`, and returns its result with the problems that `readRow` tolerated while `f` ran.
 *
 * @internal
 */
export const collectIssues = <A>(f: () => A): readonly [A, ReadonlyArray<Tolerated>] => {
  const found: Array<Tolerated> = []
  collected = found
  try {
    return [f(), found]
  } finally {
    collected = undefined
  }
}
