import { Comparison, Op } from "../instruction/ops.ts"
import type { Argument } from "../instruction/program.ts"
import { Mapped } from "../program/atomic.ts"
import type { AtomicNode } from "../program/node.ts"
import { Problem } from "../text/problem.ts"
import { isOne, named, none, nothing, same } from "./entityRef.ts"
import { isDouble, Operand } from "./operand.ts"

/** The part of a collection's handle that its size needs. */
interface Sized {
  readonly op: (
    op: Op,
    args: ReadonlyArray<Argument>,
    decode: (result: any) => unknown,
    other?: undefined,
    operands?: ReadonlyArray<Operand>
  ) => AtomicNode
  readonly refuse: (problem: Problem) => AtomicNode
}

/**
 * The size of a collection: a program that returns it, which can also be compared, and be an operand.
 *
 * @internal
 */
export class Count extends Mapped {
  readonly collection: Sized

  /** @param method how users call it: `size` or `length` */
  constructor(collection: Sized, method: string) {
    super(named(method, collection.op(Op.size, none, same)), same)
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
  eq(value: unknown): AtomicNode {
    return named("eq", this.compare(Comparison.eq, value))
  }
  neq(value: unknown): AtomicNode {
    return named("neq", this.compare(Comparison.neq, value))
  }
  lt(value: unknown): AtomicNode {
    return named("lt", this.compare(Comparison.lt, value))
  }
  lte(value: unknown): AtomicNode {
    return named("lte", this.compare(Comparison.lte, value))
  }
  gt(value: unknown): AtomicNode {
    return named("gt", this.compare(Comparison.gt, value))
  }
  gte(value: unknown): AtomicNode {
    return named("gte", this.compare(Comparison.gte, value))
  }
  value(): Operand {
    return Operand.load("integer", this.collection.op(Op.loadSize, none, nothing))
  }
}
