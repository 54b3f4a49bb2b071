import { Op } from "../instruction/ops.ts"
import { Mapped } from "../program/atomic.ts"
import type { AtomicNode } from "../program/node.ts"
import { Problem } from "../text/problem.ts"
import type { CollectionHandle } from "./collection.ts"
import { comparisons } from "./comparison.ts"
import { isOne, none, nothing, same } from "./entityRef.ts"
import { isDouble, Operand } from "./operand.ts"

/**
 * How many a collection holds: a program that gives it, and what can be compared and computed with it.
 *
 * @internal
 */
export class Count extends Mapped {
  readonly collection: CollectionHandle

  constructor(collection: CollectionHandle) {
    super(collection.op(Op.size, none, same), same)
    this.collection = collection
  }

  compare(comparison: number, value: unknown): AtomicNode {
    if (!(value instanceof Operand)) {
      return Number.isFinite(value)
        ? this.collection.op(Op.compareSize, [comparison, value as number], isOne)
        : this.collection.refuse(new Problem("Expected a finite number"))
    }
    return isDouble(value.kind)
      ? this.collection.op(Op.compareSize, [comparison, true], isOne, undefined, [value])
      : this.collection.refuse(new Problem("Expected an operand of the same kind"))
  }
  value(): Operand {
    return Operand.load("integer", this.collection.op(Op.loadSize, none, nothing))
  }
}

Object.assign(Count.prototype, comparisons)
