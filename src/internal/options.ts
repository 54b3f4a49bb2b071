/**
 * The checks of options, one for each kind of value. An option that is missing or undefined is left out, and always accepted.
 *
 * A leaf, as the errors are: any room above text/ may import it.
 */
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import { InvalidOption, RedisServiceError } from "../RedisServiceError.ts"

/**
 * The name of a refused option, and the reason. It never contains the value.
 *
 * @internal
 */
export interface Refusal {
  readonly option: string
  readonly issue: string
}

/**
 * Returns why the value of an option is refused. Undefined if it is accepted.
 *
 * @internal
 */
export type Check = (value: unknown, option: string) => Refusal | undefined

/** @internal */
export const check = (expected: string, accepts: (value: unknown) => boolean): Check => (value, option) =>
  accepts(value) ? undefined : { option, issue: `expected ${expected}` }

/** @internal */
export const integer = (least: number, greatest = Number.MAX_SAFE_INTEGER): Check =>
  check(
    greatest === Number.MAX_SAFE_INTEGER
      ? `an integer of at least ${least}`
      : `an integer from ${least} to ${greatest}`,
    (value) => Number.isInteger(value) && value as number >= least && value as number <= greatest
  )

/**
 * Returns the milliseconds of a duration, which may be `Infinity`. Undefined if the input cannot be one, as `NaN`.
 *
 * @internal
 */
export const millisOf = (input: unknown): number | undefined => {
  if (Number.isNaN(input)) return undefined
  const duration = Option.getOrUndefined(Duration.fromInput(input as Duration.Input))
  return duration && Duration.toMillis(duration)
}

/** @internal */
export const duration = (least: number, text = `a duration of at least ${least} ms`): Check =>
  check(text, (value) => {
    const millis = millisOf(value)
    return millis !== undefined && millis >= least
  })

/** @internal */
export const oneOf = (...values: ReadonlyArray<string>): Check =>
  check(values.map((value) => JSON.stringify(value)).join(" or "), (value) => values.includes(value as string))

/** @internal */
export const boolean: Check = check("true or false", (value) => typeof value === "boolean")

/** @internal */
export const text: Check = check(
  "a text that is not empty",
  (value) => typeof value === "string" && value !== "" && value.isWellFormed()
)

/** @internal */
export const anything: Check = () => undefined

const interval = check("a finite duration of at least 1 second", (value) => {
  const millis = millisOf(value)
  return millis !== undefined && millis >= 1000 && millis < Infinity
})

const isModel = (value: unknown): boolean =>
  (typeof value === "function" || typeof value === "object" && value !== null) && "sweep" in value &&
  typeof value.sweep === "function"

/**
 * Checks which models are swept, and how often.
 *
 * @internal
 */
export const sweeps: Check = (value, option) => {
  if (typeof value !== "object" || value === null) return { option, issue: "expected an object of every, models" }
  const { every, models } = value as { readonly every?: unknown; readonly models?: unknown }
  return unknownOf(value, { every, models }, `${option}.`) ?? interval(every, `${option}.every`) ??
    (Array.isArray(models) && models.every(isModel)
      ? undefined
      : { option: `${option}.models`, issue: "expected a list of models with indexes" })
}

/**
 * Checks each option of an object.
 *
 * @internal
 */
export const shape = (checks: { readonly [option: string]: Check }): Check => (value, option) =>
  typeof value !== "object" || value === null
    ? { option, issue: `expected an object of ${Object.keys(checks).join(", ")}` }
    : unknownOf(value, checks, `${option}.`) ?? refusalOf(value, checks, `${option}.`)

/**
 * Returns why the first option that is invalid is refused. Options without a check are those of another layer, and ignored.
 *
 * @internal
 */
export const refusalOf = (
  options: object,
  checks: { readonly [option: string]: Check },
  path = ""
): Refusal | undefined => {
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || !Object.hasOwn(checks, name)) continue
    const refusal = checks[name]!(value, path + name)
    if (refusal !== undefined) return refusal
  }
}

/**
 * Refuses the first option that has no check.
 *
 * @internal
 */
export const unknownOf = (options: object, checks: object, path = ""): Refusal | undefined => {
  for (const [name, value] of Object.entries(options)) {
    if (value !== undefined && !Object.hasOwn(checks, name)) {
      return { option: path + name, issue: "there is no such option" }
    }
  }
}

/**
 * Returns the options without those that are undefined, so that they override nothing.
 *
 * @internal
 */
export const defined = <A extends object>(options: A): A =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as A

/** @internal */
export const invalidOption = (refusal: Refusal): RedisServiceError =>
  new RedisServiceError({ reason: new InvalidOption(refusal) })

/**
 * Returns the error of the first option that is invalid.
 *
 * @internal
 */
export const invalidOf = (
  options: object,
  checks: { readonly [option: string]: Check }
): RedisServiceError | undefined => {
  const refusal = refusalOf(options, checks)
  return refusal && invalidOption(refusal)
}

const replicationChecks = { count: integer(1), timeout: duration(1) }

/**
 * Checks how many replicas are waited for.
 *
 * @internal
 */
export const replicas: Check = (value, option) =>
  shape(replicationChecks)(value, option) ??
    refusalOf({ count: (value as { readonly count?: unknown }).count ?? null }, replicationChecks, `${option}.`)

/**
 * The replicas to wait for, and the milliseconds.
 *
 * @internal
 */
export const replicationOf = (
  { count, timeout = "1 second" }: { readonly count: number; readonly timeout?: Duration.Input | undefined }
): { readonly count: number; readonly timeout: number } => ({
  count,
  timeout: Duration.toMillis(Duration.fromInputUnsafe(timeout))
})
