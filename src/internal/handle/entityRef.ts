/**
 * The reference to an entity, and the nodes that handles build on it. An argument that is invalid becomes a node that is
 * refused when it is committed; a handle never throws.
 *
 * May import: text, instruction, schema, program, the errors.
 * Must not know: how a program is committed, the service, models, locks.
 * Invariant: a method of a handle only builds a node. Nothing is read or sent before the commit.
 */
import { InvalidValue } from "../../DomainError.ts"
import { infoOf, type Op } from "../instruction/ops.ts"
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
  /** Why every operation is refused: the id can't be stored. Unset if the id is valid. */
  readonly refusal: InvalidValue | undefined
  /** Whether reads renew the time to live, where those of the model do. */
  readonly renews: boolean
}

const refusal = (ref: HandleRef, field: string, problem: Problem): InvalidValue =>
  ref.refusal ?? new InvalidValue({
    model: ref.model,
    id: ref.id,
    field: problem.field === "" || field === "" ? field + problem.field : `${field}.${problem.field}`,
    issue: problem.issue
  })

/**
 * An operation that is refused because of its argument.
 *
 * @internal
 */
export const invalid = (ref: HandleRef, field: string, problem: Problem): AtomicNode =>
  new Invalid(refusal(ref, field, problem))

/**
 * A reference on which every operation is refused.
 *
 * @internal
 */
export const refusing = (ref: HandleRef, field: string, problem: Problem): HandleRef => ({
  ...ref,
  refusal: refusal(ref, field, problem)
})

/** @internal */
export const instruct = (
  ref: HandleRef,
  op: Op,
  spec: FieldSpec | EntitySpec,
  field: string,
  args: ReadonlyArray<Argument>,
  decode: (result: any) => unknown,
  other?: { readonly ref: HandleRef; readonly spec: Spec; readonly field: string },
  before?: ReadonlyArray<Step>
): AtomicNode => {
  const refused = ref.refusal ?? other?.ref.refusal
  if (refused !== undefined) return new Invalid(refused)
  const isRead = infoOf(op).access === "read"
  return new Instruct(
    op,
    ref,
    isRead && !ref.renews ? withoutRenewal(spec) : spec,
    field,
    args,
    decode,
    isRead && other?.ref.renews === false ? { ...other, spec: withoutRenewal(other.spec) } : other,
    before
  )
}

const withoutRenewals = new WeakMap<Spec, Spec>()

/** The specification for a read that renews nothing. Cached, because a call carries each distinct specification once. */
const withoutRenewal = (self: Spec): Spec => {
  if (self.expiry === undefined) return self
  let found = withoutRenewals.get(self)
  if (found === undefined) {
    const { expiry: _, ...spec } = self
    withoutRenewals.set(self, found = spec)
  }
  return found
}

/**
 * Names the method that the user called, for `Atomic.explain`. Needed if the row of the instruction names another method.
 *
 * @internal
 */
export const named = (method: string, node: AtomicNode): AtomicNode => {
  if (node._tag === "Instruct") node.method = method
  return node
}

/**
 * Returns the same error of another operation.
 *
 * @internal
 */
export const errorOf = (operation: string, { field, id, issue, model }: InvalidValue): InvalidValue =>
  new InvalidValue({ model, id, operation, field, issue })

/**
 * Names the operation in the error of a node that is refused. Any other node is returned as it is.
 *
 * @internal
 */
export const refusedBy = (operation: string, node: AtomicNode): AtomicNode =>
  node._tag === "Invalid" ? new Invalid(errorOf(operation, node.error)) : node

/**
 * The name of an operation on a field, or on a part of it.
 *
 * @internal
 */
export const pathOf = (field: string, method: string): string => field === "" ? method : `${field}.${method}`

/**
 * Lets each method of a class name itself in the errors of the operations that it refuses.
 *
 * @param fieldOf returns the field that an object of the class works on
 * @param others methods that no user calls, or that name their operations themselves
 * @internal
 */
export const nameRefusals = <H extends object>(
  { prototype }: { readonly prototype: H },
  fieldOf: (self: H) => string,
  others: ReadonlyArray<keyof H>
): void => {
  for (const name of Object.getOwnPropertyNames(prototype)) {
    const method: unknown = prototype[name as keyof H]
    if (name === "constructor" || typeof method !== "function" || others.includes(name as keyof H)) continue
    const naming = function(this: H, ...args: ReadonlyArray<unknown>): unknown {
      const result: unknown = method.apply(this, args)
      return result instanceof Invalid ? refusedBy(pathOf(fieldOf(this), name), result) : result
    }
    Object.defineProperty(prototype, name, { value: naming, configurable: true, writable: true })
  }
}

/** @internal */
export const noArguments: ReadonlyArray<Argument> = []
/** @internal */
export const nothing = (): void => undefined
/** @internal */
export const isOne = (result: Result): boolean => result === 1
/** @internal */
export const same = (result: any): unknown => result

/**
 * The refusal of an operation whose result only the client can check.
 *
 * @internal
 */
export const uncheckable = (check: string): Problem =>
  new Problem(`The server can't check the result (${check}); use modify`)

/**
 * Encodes several values. Returns the problem of the first value that can't be encoded.
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
