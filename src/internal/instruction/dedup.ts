/**
 * Dedup records: the key under which the outcome of a program is kept. Both interpreters use the same key. How a record is
 * written is not said here: `redis/dedup.ts` and `memory/service.ts` do that.
 */
import { keysOf } from "./keys.ts"
import type { Program } from "./program.ts"

/**
 * The tag of programs without keys. Its slot is 0, where such programs are sent.
 *
 * @internal
 */
export const keylessTag = "{06S}"

/** The first of a program's keys in alphabetical order. Undefined: it has none. */
const firstKeyOf = (program: Program): string | undefined => {
  let first: string | undefined
  for (const key of keysOf(program)) if (first === undefined || key < first) first = key
  return first
}

const tag = /\{[^}]+\}/

/**
 * The text in braces that puts a record into the slot of the program's first key.
 *
 * @internal
 */
export const tagOf = (program: Program): string => {
  const first = firstKeyOf(program)
  return first === undefined ? keylessTag : tag.exec(first)?.[0] ?? `{${first}}`
}

/**
 * The key of the record of a program that has an idempotency key: it belongs to the entity of the program's first key.
 *
 * @internal
 */
export const recordKeyOf = (program: Program, idempotencyKey: string): string => {
  const first = firstKeyOf(program) ?? keylessTag
  return `${tag.test(first) ? first : `{${first}}`}:$key:${idempotencyKey}`
}

/**
 * The greatest length of results that a record keeps, in bytes. Of longer results it keeps only that the program was applied.
 *
 * @internal
 */
export const maximumResultBytes = 4096
