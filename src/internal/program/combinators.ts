/**
 * The combinators of `Atomic`, on nodes. Their types and their docs are in `Atomic.ts`. Each checks its arguments at run time
 * too, because a part that is dropped is a write that is lost.
 */
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import * as Predicate from "effect/Predicate"
import { Problem } from "../text/problem.ts"
import { All, AndThen, Guard, If, Ignore, Instruct, Mapped, OrDie, OrElse, TypeId, When } from "./atomic.ts"
import { type CommitOptions, isRead, type ReplicationOptions, toEffect } from "./commit.ts"
import { many } from "./many.ts"
import type * as Node from "./node.ts"
import type { AtomicNode } from "./node.ts"

/** Typed by `Atomic.ts`. */
type Combinator = any

/**
 * Returns the node of a program. Throws a TypeError if the argument is no program.
 *
 * @internal
 */
export const part = (self: unknown): AtomicNode => {
  if (Predicate.hasProperty(self, TypeId)) return self as unknown as AtomicNode
  throw new TypeError(
    Effect.isEffect(self)
      ? "Not an Atomic: an Effect can't be a part of a program; combine programs before the commit"
      : "Not an Atomic: expected a program, such as an operation of a handle"
  )
}

/** @internal */
export const map: Combinator = dual(2, (self: unknown, f: (a: any) => unknown) => new Mapped(part(self), f))

/** @internal */
export const as: Combinator = dual(2, (self: unknown, value: unknown) => new Mapped(part(self), () => value))

/** @internal */
export const andThen: Combinator = dual(2, (self: unknown, that: unknown) => new AndThen(part(self), part(that), false))

/** @internal */
export const tap: Combinator = dual(2, (self: unknown, that: unknown) => new AndThen(part(self), part(that), true))

/** @internal */
export const all = (arg: any): AtomicNode => {
  // `Array.from` also visits the holes of an array
  if (Array.isArray(arg)) return new All(Array.from(arg, part), undefined)
  if (typeof arg !== "object" || arg === null || Symbol.iterator in arg || TypeId in arg || Effect.isEffect(arg)) {
    throw new TypeError("Atomic.all expects one argument: an array or a record of programs")
  }
  const names = Object.keys(arg)
  const reordered = names.find((name) => /^(0|[1-9]\d*)$/.test(name))
  if (reordered !== undefined) {
    throw new TypeError(`Atomic.all can't keep the order of a record with the key "${reordered}"; use an array`)
  }
  return new All(names.map((name) => part(arg[name])), names)
}

/** @internal */
export const forEach: Combinator = dual(
  2,
  (items: Iterable<unknown>, f: (item: any, index: number) => unknown) =>
    new All(Array.from(many(items), (item, index) => part(f(item, index))), undefined)
)

/** The read of a value that a guard observes: a handle, or a program. What the program does with its result is part of the read. */
const readOf = (observed: any): AtomicNode => {
  const node = Predicate.hasProperty(observed, TypeId) ? part(observed) : part(observed?.get?.())
  if (node._tag !== "Mapped") return node
  const self = readOf(node.self)
  if (self._tag !== "Instruct") return self
  const { args, before, decode, field, op, other, ref, spec } = self
  const mapped = new Instruct(
    op,
    ref,
    spec,
    field,
    args,
    (result) => {
      const value = decode(result)
      return value instanceof Problem ? value : node.f(value)
    },
    other,
    before
  )
  mapped.method = self.method
  mapped.isTolerant = self.isTolerant
  return mapped
}

/**
 * @param test returns the condition's node, or throws if the argument is no condition
 * @internal
 */
export const guard =
  (test: (condition: any) => AtomicNode): Combinator => (condition: any, ...rest: ReadonlyArray<any>) => {
    const [options, orFailWith] = rest.length === 1 ? [{ observe: {} }, rest[0]] : rest
    const names = Object.keys(options.observe)
    const nodes = names.map((name) => readOf(options.observe[name]))
    if (!nodes.every(isRead)) {
      throw new TypeError("A guard observes reads: handles of fields, or programs that are a single read")
    }
    return nodes.find((item) => item._tag === "Invalid") ?? new Guard(
      test(condition),
      nodes as ReadonlyArray<Node.Instruct>,
      (values) => orFailWith(Object.fromEntries(names.map((name, i) => [name, values[i]])))
    )
  }

/** @internal */
export const when = (test: (condition: any) => AtomicNode): Combinator =>
  dual(2, (self: unknown, condition: unknown) => new When(test(condition), part(self)))

/** @internal */
export const branch = (test: (condition: any) => AtomicNode): Combinator =>
  dual(
    2,
    (condition: unknown, { onFalse, onTrue }: { readonly onTrue: unknown; readonly onFalse: unknown }) =>
      new If(test(condition), part(onTrue), part(onFalse))
  )

/** @internal */
export const orElse: Combinator = dual(2, (self: unknown, that: unknown) => new OrElse(part(self), part(that)))

/** @internal */
export const ignoreMissing = (self: unknown): AtomicNode => new Ignore(part(self))

/** @internal */
export const commit: Combinator = (
  ...args: readonly [self: unknown, options?: CommitOptions | ReplicationOptions]
) => {
  const [first, options] = args
  if (args.length > 1 || Predicate.hasProperty(first, TypeId)) return toEffect(part(first), options)
  if (!Predicate.hasProperty(first, "idempotencyKey") && !Predicate.hasProperty(first, "waitReplicas")) {
    return part(first)
  }
  return (self: unknown) => toEffect(part(self), first as unknown as CommitOptions | ReplicationOptions)
}

/**
 * Takes the program and the tags, or the tags alone.
 *
 * @internal
 */
export const orDie: Combinator = (...args: readonly [unknown, ...ReadonlyArray<string>]) => {
  const [first, ...tags] = args
  if (typeof first !== "string") return new OrDie(part(first), new Set(tags))
  return (self: unknown) => new OrDie(part(self), new Set([first, ...tags]))
}
