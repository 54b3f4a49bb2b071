/**
 * The handle that the handles of lists, sets, maps and sorted sets extend.
 */
import * as Option from "effect/Option"
import { Op } from "../instruction/ops.ts"
import type { Argument } from "../instruction/program.ts"
import type { Result } from "../instruction/reply.ts"
import type { FieldSpec } from "../instruction/spec.ts"
import type { AtomicNode } from "../program/node.ts"
import type { Collection } from "../schema/collection.ts"
import { Problem } from "../text/problem.ts"
import {
  encodeAll,
  type HandleRef,
  instruct,
  invalid,
  nameRefusals,
  noArguments,
  nothing,
  uncheckable
} from "./entityRef.ts"
import { Operand, storingProblem, withOperands } from "./operand.ts"
import { Size } from "./size.ts"

/**
 * The texts of a row. A missing row is empty.
 *
 * @internal
 */
export const textsOf = (row: Result): ReadonlyArray<string> => Array.isArray(row) ? row : []

/**
 * The end of any collection: no collection is longer.
 *
 * @internal
 */
export const maximumPosition = 2 ** 31

/**
 * Returns the position that the interpreters accept: no further from 0 than the longest collection. Anything but an integer
 * is a problem, because `NaN` as the position 0 could empty a list.
 *
 * @internal
 */
export const position = (value: unknown): number | Problem =>
  Number.isInteger(value)
    ? Math.max(-maximumPosition, Math.min(maximumPosition, value as number))
    : new Problem("Expected a position that is an integer")

/**
 * Returns the count that the interpreters accept. Anything but an integer of at least `least` is a problem.
 *
 * @param name the argument that the message names
 * @internal
 */
export const count = (name: string, value: unknown, least: 0 | 1): number | Problem =>
  Number.isInteger(value) && value as number >= least
    ? Math.min(maximumPosition, value as number)
    : new Problem(`Expected ${name} to be an integer, and at least ${least}`)

/** @internal */
export class CollectionHandle {
  readonly ref: HandleRef
  readonly collection: Collection

  constructor(ref: HandleRef, collection: Collection) {
    this.ref = ref
    this.collection = collection
  }

  op(
    op: Op,
    args: ReadonlyArray<Argument>,
    decode: (result: any) => unknown,
    other?: { readonly ref: HandleRef; readonly spec: FieldSpec; readonly field: string },
    operands?: ReadonlyArray<Operand>
  ): AtomicNode {
    const { field, spec } = this.collection
    const before = withOperands(operands, (problem) => this.refuse(problem))
    return before === undefined || Array.isArray(before)
      ? instruct(this.ref, op, spec, field, args, decode, other, before)
      : before as AtomicNode
  }

  refuse(problem: Problem): AtomicNode {
    return invalid(this.ref, this.collection.field, problem)
  }

  /** An operation that changes a part. Refused if the schema has a check of the whole that only the client can evaluate. */
  change(
    op: Op,
    args: ReadonlyArray<Argument>,
    decode: (result: any) => unknown,
    operands?: ReadonlyArray<Operand>
  ): AtomicNode {
    const { clientOnlyCheck } = this.collection
    return clientOnlyCheck === undefined
      ? this.op(op, args, decode, undefined, operands)
      : this.refuse(uncheckable(clientOnlyCheck))
  }

  /** Encodes one item, or an array of items. */
  withItems(item: unknown, f: (texts: ReadonlyArray<string>) => AtomicNode): AtomicNode {
    const encoded = encodeAll(this.collection.item, Array.isArray(item) ? item : [item])
    return encoded instanceof Problem ? this.refuse(encoded) : f(encoded)
  }

  /** The same, and items may be operands, which the server encodes. */
  withItemsOrOperands(
    item: unknown,
    f: (args: ReadonlyArray<Argument>, operands: ReadonlyArray<Operand>) => AtomicNode
  ): AtomicNode {
    const { field, item: codec, itemSpec } = this.collection
    const args: Array<Argument> = []
    const operands: Array<Operand> = []
    for (const one of Array.isArray(item) ? item : [item]) {
      const arg = one instanceof Operand ? storingProblem(codec, one) ?? true : codec.encode(one)
      if (arg instanceof Problem) return this.refuse(arg)
      if (arg === true) operands.push((one as Operand).encoded(this.ref, field, itemSpec))
      args.push(arg)
    }
    return f(args, operands)
  }

  /** Encodes the name of an entry, or one item if entries have no names. */
  withName(name: unknown, f: (text: string) => AtomicNode): AtomicNode {
    const text = (this.collection.name ?? this.collection.item).encode(name)
    return text instanceof Problem ? this.refuse(text) : f(text)
  }

  withNames(names: ReadonlyArray<unknown>, f: (texts: ReadonlyArray<string>) => AtomicNode): AtomicNode {
    if (!Array.isArray(names)) return this.refuse(new Problem("Expected an array"))
    const encoded = encodeAll(this.collection.name ?? this.collection.item, names)
    return encoded instanceof Problem ? this.refuse(encoded) : f(encoded)
  }

  /** Checks positions and counts, which `position` and `count` return. */
  withNumbers(
    numbers: ReadonlyArray<number | Problem>,
    f: (numbers: ReadonlyArray<number>) => AtomicNode
  ): AtomicNode {
    const problem = numbers.find((number) => number instanceof Problem)
    return problem === undefined ? f(numbers as ReadonlyArray<number>) : this.refuse(problem)
  }

  readonly whole = (result: Result): unknown => this.collection.decode(textsOf(result))

  readonly optionalItem = (result: Result): unknown => {
    if (result === false) return Option.none()
    const value = this.collection.item.decode(result as string)
    return value instanceof Problem ? value : Option.some(value)
  }

  readonly items = (row: Result): unknown => {
    const items: Array<unknown> = []
    for (const text of textsOf(row)) {
      const item = this.collection.item.decode(text)
      if (item instanceof Problem) return item
      items.push(item)
    }
    return items
  }

  /** Removes one element, whose result is an `Option`; or as many as `wanted` says, whose result is an array. */
  take(
    op: Op,
    wanted: number | undefined,
    one: (result: Result) => unknown,
    several: (result: Result) => unknown
  ): AtomicNode {
    return wanted === undefined
      ? this.change(op, noArguments, one)
      : this.withNumbers([count("count", wanted, 0)], (numbers) => this.change(op, numbers, several))
  }

  get(): AtomicNode {
    return this.op(Op.values, noArguments, this.whole)
  }
  set(value: unknown): AtomicNode {
    const encoded = this.collection.encode(value)
    return encoded instanceof Problem ? this.refuse(encoded) : this.op(Op.replace, encoded, nothing)
  }
  size(): Size {
    return new Size(this, "size")
  }
  clear(): AtomicNode {
    const refused = this.collection.encode(this.collection.decode([]))
    return refused instanceof Problem ? this.refuse(refused) : this.op(Op.clearAll, noArguments, nothing)
  }
}

/**
 * The field that a handle works on.
 *
 * @internal
 */
export const fieldOf = ({ collection: { field } }: CollectionHandle): string => field

nameRefusals(CollectionHandle, fieldOf, [
  "op",
  "refuse",
  "change",
  "withItems",
  "withItemsOrOperands",
  "withName",
  "withNames",
  "withNumbers",
  "take"
])
