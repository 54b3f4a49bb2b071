/**
 * Which values may be given out more than once, and copies of others.
 */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import { Problem } from "../text/problem.ts"
import type { Codec } from "./codec.ts"

/**
 * Whether nothing that has a value can change it. Any other value is decoded anew for each that it is given to.
 *
 * @internal
 */
export const isImmutable = (value: unknown): boolean =>
  typeof value !== "object" || value === null || Duration.isDuration(value) || DateTime.isDateTime(value)

/**
 * Returns a value that no one else has: a value that can be changed is made anew, through its text.
 *
 * @internal
 */
export const copyThrough = ({ decode, encode }: Codec, value: unknown): unknown => {
  if (isImmutable(value)) return value
  const text = encode(value)
  return text instanceof Problem ? value : decode(text)
}
