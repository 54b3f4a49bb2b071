/**
 * From the plan of a scalar field to its handle.
 */
import * as Option from "effect/Option"
import type { Result } from "../instruction/reply.ts"
import { type Leaf, readLeaf } from "../schema/plan.ts"
import { Problem } from "../text/problem.ts"
import { type HandleRef, noArguments } from "./entityRef.ts"
import { OptionalHandle, ScalarHandle, type Shape } from "./scalar.ts"

const isNull = (value: unknown): boolean => value === null
const isUndefined = (value: unknown): boolean => value === undefined

/** @internal */
export const shapeOf = (leaf: Leaf): Shape => {
  const { absence, codec, field, omits, spec } = leaf
  const read = (result: Result): unknown => readLeaf(leaf, result)
  return {
    field,
    spec,
    codec,
    omits,
    isAbsent: absence === "refused" ? undefined : absence === "null" ? isNull : isUndefined,
    decode: absence === "refused" ? read : (result) => {
      const value = read(result)
      return value instanceof Problem
        ? value
        : absence === "null"
        ? Option.fromNullOr(value)
        : Option.fromUndefinedOr(value)
    },
    decodeNew: read
  }
}

/** @internal */
export const leafHandle = (ref: HandleRef, leaf: Leaf, shape: Shape): ScalarHandle =>
  leaf.absence === "refused"
    ? new ScalarHandle(ref, shape, noArguments)
    : new OptionalHandle(ref, shape, noArguments)
