/**
 * The handle of a list.
 */
import { Op } from "../instruction/ops.ts"
import type { Result } from "../instruction/reply.ts"
import type { AtomicNode } from "../program/node.ts"
import { Problem } from "../text/problem.ts"
import { CollectionHandle, count, fieldOf, maximumPosition, position } from "./collection.ts"
import { isOne, nameRefusals, noArguments, nothing, refusing, same } from "./entityRef.ts"
import { ScalarHandle, type Shape } from "./scalar.ts"
import { Size } from "./size.ts"

/** @internal */
export class ListHandle extends CollectionHandle {
  length(): Size {
    return new Size(this, "length")
  }
  contains(item: unknown): AtomicNode {
    return this.withName(item, (text) => this.op(Op.contains, [text], isOne))
  }
  slice(start = 0, end = maximumPosition): AtomicNode {
    return this.withNumbers([position(start), position(end)], (range) => this.op(Op.slice, range, this.whole))
  }
  append(item: unknown, options?: { readonly keep?: number | undefined }): AtomicNode {
    const keep = options?.keep === undefined ? 0 : count("keep", options.keep, 1)
    return this.withNumbers(
      [keep],
      (numbers) =>
        this.withItemsOrOperands(
          item,
          (items, operands) => this.change(Op.append, [...numbers, ...items], same, operands)
        )
    )
  }
  prepend(item: unknown): AtomicNode {
    return this.withItemsOrOperands(item, (items, operands) => this.change(Op.prepend, items, same, operands))
  }
  insert(index: number, item: unknown): AtomicNode {
    return this.withNumbers(
      [position(index)],
      (at) =>
        this.withItemsOrOperands(
          item,
          (items, operands) => this.change(Op.insertItems, [...at, ...items], same, operands)
        )
    )
  }
  pop(wanted?: number): AtomicNode {
    return this.take(Op.pop, wanted, this.optionalItem, this.items)
  }
  shift(wanted?: number): AtomicNode {
    return this.take(Op.shift, wanted, this.optionalItem, this.items)
  }
  remove(item: unknown): AtomicNode {
    return this.withName(item, (text) => this.change(Op.removeItem, [text], same))
  }
  removeRange(start: number, end = maximumPosition): AtomicNode {
    return this.withNumbers([position(start), position(end)], (range) => this.change(Op.removeRange, range, nothing))
  }
  trim(start: number, end = maximumPosition): AtomicNode {
    return this.withNumbers([position(start), position(end)], (range) => this.change(Op.trim, range, nothing))
  }
  at(index: number): ScalarHandle {
    const { field, item, itemSpec, clientOnlyCheck } = this.collection
    const decode = (result: Result) => item.decode(result as string)
    const shape: Shape = { field, spec: itemSpec, codec: item, clientOnlyCheck, decode, decodeNew: decode }
    const at = position(index)
    return at instanceof Problem
      ? new ScalarHandle(refusing(this.ref, field, at), shape, noArguments)
      : new ScalarHandle(this.ref, shape, [at])
  }
}

nameRefusals(ListHandle, fieldOf, [])
