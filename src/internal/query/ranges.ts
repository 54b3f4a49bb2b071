/**
 * Ranges of an index, as users name them and as instructions take them.
 *
 * May import: text, instruction, schema, program, handle, the errors, the service's tag.
 * Must not know: models and their programs, how an interpreter runs a program.
 * Invariant: a range is made of stored texts, never of decoded values, so a cursor means the same in every process.
 */
import { encodeIndexed, type Index } from "../schema/indexes.ts"
import { rangeOf, textRangeOf } from "../text/orderCode.ts"
import { illFormed, Problem } from "../text/problem.ts"

/** @internal */
export const PrefixTypeId = "~redlayer/Query/Prefix"

/**
 * All texts that begin with this one.
 *
 * @internal
 */
export class Prefix {
  readonly [PrefixTypeId] = PrefixTypeId
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

/**
 * The bounds of an index, as an instruction takes them.
 *
 * @internal
 */
export interface Range {
  readonly low: string
  readonly high: string
  /** How many values at the front are equal for all entries. */
  readonly equal: number
}

const boundNames = ["gt", "gte", "lt", "lte"] as const

const isBounds = (value: unknown): value is { readonly [Name in typeof boundNames[number]]?: unknown } =>
  typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype

const unordered = new Problem("Expected bounds of a text to begin with, or gt, gte, lt or lte")

/** The range of scores. */
const scores = (index: Index, key: unknown): Range | Problem => {
  const [value] = index.values
  const textOf = (given: unknown): string | Problem => {
    const text = value!.codec.encodeUnchecked(given)
    if (text instanceof Problem) return text.within(value!.field)
    return text === "NaN" ? new Problem("Expected a number", value!.field) : text
  }
  if (!isBounds(key)) {
    const text = textOf(key)
    return text instanceof Problem ? text : { low: text, high: text, equal: 1 }
  }
  let low = "-Infinity"
  let high = "Infinity"
  for (const name of Object.keys(key)) {
    if (!boundNames.includes(name as "gt")) return new Problem("Expected gt, gte, lt or lte", value!.field)
    const given = key[name as "gt"]
    if (given === undefined) continue
    const text = textOf(given)
    if (text instanceof Problem) return text
    const bound = name === "gt" || name === "lt" ? `(${text}` : text
    if (name === "gt" || name === "gte") low = isTighter(bound, low, 1) ? bound : low
    else high = isTighter(bound, high, -1) ? bound : high
  }
  return { low, high, equal: 0 }
}

const numberOf = (bound: string): number => Number(bound.startsWith("(") ? bound.slice(1) : bound)

/** Whether a bound leaves less than another one. */
const isTighter = (bound: string, other: string, direction: 1 | -1): boolean => {
  const difference = (numberOf(bound) - numberOf(other)) * direction
  return difference > 0 || difference === 0 && bound.startsWith("(") || other === `${-direction * Infinity}`
}

/**
 * The range of the entries whose values are equal to those of `key`, in the order of the index; the last value that is given may be
 * bounds, or a beginning of a text.
 *
 * @internal
 */
export const rangeIn = (index: Index, key: Readonly<Record<string, unknown>>): Range | Problem => {
  const { spec, values } = index
  const names = Object.keys(key).filter((name) => key[name] !== undefined)
  const foreign = names.find((name) => !values.some(({ field }) => field === name))
  if (foreign !== undefined) return new Problem(`The index ${spec.name} has no such field`, foreign)
  const gap = values.slice(0, names.length).find(({ field }) => !names.includes(field))
  if (gap !== undefined) return new Problem(`The index ${spec.name} needs this field before those after it`, gap.field)
  if (spec.order === "score") return scores(index, names.length === 0 ? {} : key[values[0]!.field])
  let prefix = ""
  for (let i = 0; i < names.length; i++) {
    const value = values[i]!
    const given = key[value.field]
    const mark = spec.keepsAbsent === true ? "1" : ""
    const isText = value.code === "s" || value.code === "j"
    if (given instanceof Prefix || isBounds(given)) {
      if (i < names.length - 1) return new Problem("Expected a value, because other fields follow", value.field)
      if (given instanceof Prefix) {
        if (!isText) return new Problem("Expected a field that is a text", value.field)
        if (typeof given.text !== "string" || !given.text.isWellFormed()) return illFormed.within(value.field)
        return rangeBetween(textRangeOf(prefix + mark, given.text), i)
      }
      const bounds: Record<string, string> = {}
      for (const name of Object.keys(given)) {
        if (!boundNames.includes(name as "gt")) return unordered.within(value.field)
        const bound = given[name as "gt"]
        if (bound === undefined) continue
        const code = encodeIndexed(value, bound)
        if (code instanceof Problem) return code
        bounds[name] = code
      }
      return rangeBetween(rangeOf(prefix + mark, bounds), i)
    }
    if (given === null && spec.keepsAbsent === true) {
      prefix += "0"
      continue
    }
    const code = encodeIndexed(value, given)
    if (code instanceof Problem) return code
    prefix += mark + code
  }
  return rangeBetween(rangeOf(prefix), names.length)
}

/**
 * The range of the members from one text on that come before another one.
 *
 * @internal
 */
export const rangeBetween = (
  { from, to }: { readonly from: string; readonly to: string | undefined },
  equal: number
): Range => ({
  low: from === "" ? "-" : `[${from}`,
  high: to === undefined ? "+" : `(${to}`,
  equal
})
