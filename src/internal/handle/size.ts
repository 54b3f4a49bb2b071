/**
 * The size of a collection: a program that returns it. It can also be compared, and be an operand.
 */
import { Comparison, Op } from "../instruction/ops.ts"
import type { Argument } from "../instruction/program.ts"
import { Mapped } from "../program/atomic.ts"
import type { AtomicNode } from "../program/node.ts"
import { Problem } from "../text/problem.ts"
import { isOne, named, noArguments, nothing, same } from "./entityRef.ts"
import { isDouble, Operand } from "./operand.ts"

/** The part of a collection's handle that its size needs: `collection.ts` imports this file. */
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

/** @internal */
export class Size extends Mapped {
  readonly collection: Sized

  constructor(collection: Sized, method: "length" | "size") {
    super(named(method, collection.op(Op.size, noArguments, same)), same)
    this.collection = collection
  }

  compare(comparison: keyof typeof Comparison, value: unknown): AtomicNode {
    if (!(value instanceof Operand)) {
      return Number.isFinite(value)
        ? named(comparison, this.collection.op(Op.compareSize, [Comparison[comparison], value as number], isOne))
        : this.collection.refuse(new Problem("Expected a finite number"))
    }
    return isDouble(value.kind)
      ? named(
        comparison,
        this.collection.op(Op.compareSize, [Comparison[comparison], true], isOne, undefined, [value])
      )
      : this.collection.refuse(new Problem("Expected an operand of the same kind"))
  }

  eq(value: unknown): AtomicNode {
    return this.compare("eq", value)
  }
  neq(value: unknown): AtomicNode {
    return this.compare("neq", value)
  }
  lt(value: unknown): AtomicNode {
    return this.compare("lt", value)
  }
  lte(value: unknown): AtomicNode {
    return this.compare("lte", value)
  }
  gt(value: unknown): AtomicNode {
    return this.compare("gt", value)
  }
  gte(value: unknown): AtomicNode {
    return this.compare("gte", value)
  }
  value(): Operand {
    return Operand.load("integer", this.collection.op(Op.loadSize, noArguments, nothing))
  }
}
