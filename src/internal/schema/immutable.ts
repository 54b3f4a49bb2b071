/**
 * Which values may be given out more than once.
 */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"

/**
 * Whether nothing that has a value can change it. Any other value is decoded anew for each that it is given to.
 *
 * @internal
 */
export const isImmutable = (value: unknown): boolean =>
  typeof value !== "object" || value === null || Duration.isDuration(value) || DateTime.isDateTime(value)
