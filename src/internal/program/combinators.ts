/**
 * The combinators of `Atomic`, on nodes. Their types and their docs are in `Atomic.ts`.
 */
import { dual } from "effect/Function"
import { All, AndThen, Guard, If, Ignore, Mapped, OrDie, OrElse, When } from "./atomic.ts"
import { isRead } from "./commit.ts"
import type { AtomicNode, Instruct } from "./node.ts"

/** Typed by `Atomic.ts`. */
type Combinator = any

/** @internal */
export const map: Combinator = dual(2, (self: AtomicNode, f: (a: any) => unknown) => new Mapped(self, f))

/** @internal */
export const as: Combinator = dual(2, (self: AtomicNode, value: unknown) => new Mapped(self, () => value))

/** @internal */
export const andThen: Combinator = dual(2, (self: AtomicNode, that: AtomicNode) => new AndThen(self, that, false))

/** @internal */
export const tap: Combinator = dual(2, (self: AtomicNode, that: AtomicNode) => new AndThen(self, that, true))

/** @internal */
export const all = (arg: any): AtomicNode => {
  if (Array.isArray(arg)) return new All([...arg], undefined)
  const names = Object.keys(arg)
  const reordered = names.find((name) => /^(0|[1-9]\d*)$/.test(name))
  if (reordered !== undefined) {
    throw new TypeError(`Atomic.all can't keep the order of a record with the key "${reordered}"; use an array`)
  }
  return new All(names.map((name) => arg[name]), names)
}

/** @internal */
export const forEach: Combinator = dual(
  2,
  (items: Iterable<unknown>, f: (item: any, index: number) => AtomicNode) => new All(Array.from(items, f), undefined)
)

/**
 * @param test returns the condition's node, or throws if the argument is no condition
 * @internal
 */
export const guard =
  (test: (condition: any) => AtomicNode): Combinator => (condition: any, ...rest: ReadonlyArray<any>) => {
    const [options, orFailWith] = rest.length === 1 ? [{ observe: {} }, rest[0]] : rest
    const names = Object.keys(options.observe)
    const nodes: ReadonlyArray<AtomicNode> = names.map((name) => options.observe[name].get())
    if (!nodes.every(isRead)) throw new TypeError("Expected handles of fields to observe")
    return nodes.find((item) => item._tag === "Invalid") ?? new Guard(
      test(condition),
      nodes as ReadonlyArray<Instruct>,
      (values) => orFailWith(Object.fromEntries(names.map((name, i) => [name, values[i]])))
    )
  }

/** @internal */
export const when = (test: (condition: any) => AtomicNode): Combinator =>
  dual(2, (self: AtomicNode, condition: unknown) => new When(test(condition), self))

/** @internal */
export const branch = (test: (condition: any) => AtomicNode): Combinator =>
  dual(
    2,
    (condition: unknown, { onFalse, onTrue }: { readonly onTrue: AtomicNode; readonly onFalse: AtomicNode }) =>
      new If(test(condition), onTrue, onFalse)
  )

/** @internal */
export const orElse: Combinator = dual(2, (self: AtomicNode, that: AtomicNode) => new OrElse(self, that))

/** @internal */
export const ignoreMissing = (self: AtomicNode): AtomicNode => new Ignore(self)

/** @internal */
export const orDie = (self: AtomicNode, tags: ReadonlyArray<string>): AtomicNode => new OrDie(self, new Set(tags))
