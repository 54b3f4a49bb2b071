/**
 * The size of a collection: a program that returns it. It can also be compared, and be an operand.
 */
import { Op } from "../instruction/ops.ts"
import type { Argument } from "../instruction/program.ts"
import type { AtomicNode } from "../program/node.ts"
import type { Problem } from "../text/problem.ts"
import { ComparableNumber } from "./comparableNumber.ts"
import { isOne, named, noArguments, nothing, pathOf, refusedBy, same } from "./entityRef.ts"
import { Operand } from "./operand.ts"

/** The part of a collection's handle that its size needs: `collection.ts` imports this file. */
interface Sized {
  readonly collection: { readonly field: string }
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
export class Size extends ComparableNumber {
  readonly collection: Sized

  constructor(collection: Sized, method: "length" | "size") {
    const node = named(method, collection.op(Op.size, noArguments, same))
    super(refusedBy(pathOf(collection.collection.field, method), node))
    this.collection = collection
  }

  get field(): string {
    return this.collection.collection.field
  }
  refuse(problem: Problem): AtomicNode {
    return this.collection.refuse(problem)
  }
  test(comparison: number, value: number | true, operand?: Operand): AtomicNode {
    return this.collection.op(Op.compareSize, [comparison, value], isOne, undefined, operand && [operand])
  }
  value(): Operand {
    return Operand.load("integer", this.collection.op(Op.loadSize, noArguments, nothing))
  }
}
