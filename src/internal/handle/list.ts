/**
 * The handle of a list.
 */
import { Op } from "../instruction/ops.ts"
import type { Result } from "../instruction/reply.ts"
import type { AtomicNode } from "../program/node.ts"
import { Problem } from "../text/problem.ts"
import { CollectionHandle, maximumPosition, position } from "./collection.ts"
import { isOne, noArguments, nothing, same } from "./entityRef.ts"
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
    return this.op(Op.slice, [position(start), position(end)], this.whole)
  }
  append(item: unknown, options?: { readonly keep?: number | undefined }): AtomicNode {
    const keep = options?.keep
    if (keep !== undefined && !(Number.isSafeInteger(keep) && keep > 0)) {
      return this.refuse(new Problem("Expected keep to be a positive integer"))
    }
    return this.withItems(item, (texts) => this.change(Op.append, [keep ?? 0, ...texts], same))
  }
  prepend(item: unknown): AtomicNode {
    return this.withItems(item, (texts) => this.change(Op.prepend, texts, same))
  }
  insert(index: number, item: unknown): AtomicNode {
    return this.withItems(item, (texts) => this.change(Op.insertItems, [position(index), ...texts], same))
  }
  pop(): AtomicNode {
    return this.change(Op.pop, noArguments, this.optionalItem)
  }
  shift(): AtomicNode {
    return this.change(Op.shift, noArguments, this.optionalItem)
  }
  remove(item: unknown): AtomicNode {
    return this.withName(item, (text) => this.change(Op.removeItem, [text], same))
  }
  removeRange(start: number, end = maximumPosition): AtomicNode {
    return this.change(Op.removeRange, [position(start), position(end)], nothing)
  }
  trim(start: number, end = maximumPosition): AtomicNode {
    return this.change(Op.trim, [position(start), position(end)], nothing)
  }
  at(index: number): ScalarHandle {
    const { field, item, itemSpec, clientOnlyCheck } = this.collection
    const decode = (result: Result) => item.decode(result as string)
    const shape: Shape = { field, spec: itemSpec, codec: item, clientOnlyCheck, decode, decodeNew: decode }
    return new ScalarHandle(this.ref, shape, [position(index)])
  }
}
