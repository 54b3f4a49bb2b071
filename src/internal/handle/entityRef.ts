/**
 * Where a handle works, and the instructions that it builds there. What a value can't say becomes a program that is refused
 * when it is committed, and never an exception.
 */
import { InvalidValue } from "../../DomainError.ts"
import type { Op } from "../instruction/ops.ts"
import type { Argument } from "../instruction/program.ts"
import type { Result } from "../instruction/reply.ts"
import type { EntitySpec, FieldSpec, Spec } from "../instruction/spec.ts"
import { Instruct, Invalid } from "../program/atomic.ts"
import type { AtomicNode, EntityRef, Step } from "../program/node.ts"
import { Problem } from "../text/problem.ts"

/**
 * The entity that a handle belongs to.
 *
 * @internal
 */
export interface HandleRef extends EntityRef {
  /** Why every operation is refused: the id has no stored form. */
  readonly refusal: InvalidValue | undefined
}

const refusal = (place: HandleRef, field: string, problem: Problem): InvalidValue =>
  place.refusal ?? new InvalidValue({
    model: place.model,
    id: place.id,
    field: problem.field === "" || field === "" ? field + problem.field : `${field}.${problem.field}`,
    issue: problem.issue
  })

/** @internal */
export const invalid = (place: HandleRef, field: string, problem: Problem): AtomicNode =>
  new Invalid(refusal(place, field, problem))

/**
 * A place where every operation is refused.
 *
 * @internal
 */
export const refusing = (place: HandleRef, field: string, problem: Problem): HandleRef => ({
  ...place,
  refusal: refusal(place, field, problem)
})

/** @internal */
export const instruct = (
  place: HandleRef,
  op: Op,
  spec: FieldSpec | EntitySpec,
  field: string,
  args: ReadonlyArray<Argument>,
  decode: (result: any) => unknown,
  other?: { readonly place: HandleRef; readonly spec: Spec; readonly field: string },
  before?: ReadonlyArray<Step>
): AtomicNode => {
  const refused = place.refusal ?? other?.place.refusal
  return refused === undefined
    ? new Instruct(op, place, spec, field, args, decode, other, before)
    : new Invalid(refused)
}

/** @internal */
export const none: ReadonlyArray<Argument> = []
/** @internal */
export const nothing = (): void => undefined
/** @internal */
export const isOne = (result: Result): boolean => result === 1
/** @internal */
export const same = (result: any): unknown => result

/** @internal */
export const uncheckable = (check: string): Problem =>
  new Problem(`The server can't check the result (${check}); use modify`)

/**
 * The texts of several values, or why one has none.
 *
 * @internal
 */
export const encodeAll = (
  codec: { readonly encode: (value: unknown) => string | Problem },
  values: Iterable<unknown>
): ReadonlyArray<string> | Problem => {
  const texts: Array<string> = []
  for (const value of values) {
    const text = codec.encode(value)
    if (text instanceof Problem) return text
    texts.push(text)
  }
  return texts
}

/**
 * Names the method that the user called, for `explain`, if an instruction has another name.
 *
 * @internal
 */
export const named = (method: string, node: AtomicNode): AtomicNode => {
  if (node._tag === "Instruct") node.method = method
  return node
}
