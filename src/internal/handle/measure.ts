/**
 * A number about a sorted set that a program returns: the score or the rank of a member, or how many members are in a range. It
 * can also be compared, and be an operand.
 */
import { Op } from "../instruction/ops.ts"
import type { Argument } from "../instruction/program.ts"
import { noSpec } from "../instruction/spec.ts"
import { Instruct } from "../program/atomic.ts"
import type { AtomicNode, Step } from "../program/node.ts"
import { Problem } from "../text/problem.ts"
import type { CollectionHandle } from "./collection.ts"
import { ComparableNumber } from "./comparableNumber.ts"
import { isOne, nothing, pathOf, refusedBy } from "./entityRef.ts"
import { Operand, withOperands } from "./operand.ts"

/** @internal */
export class Measure extends ComparableNumber {
  readonly handle: CollectionHandle
  /** Whether the number may be missing: then an operand needs a default. */
  readonly mayLack: boolean

  constructor(handle: CollectionHandle, method: string, reading: AtomicNode, mayLack: boolean) {
    super(refusedBy(pathOf(handle.collection.field, method), reading))
    this.handle = handle
    this.mayLack = mayLack
  }

  /** An instruction that takes the result of the reading, which runs before it. */
  after(op: Op, args: ReadonlyArray<Argument>, decode: (result: any) => unknown, operand?: Operand): AtomicNode {
    const reading = this.self
    if (reading._tag !== "Instruct") return reading
    const between = withOperands(operand && [operand], (problem) => this.handle.refuse(problem)) ?? []
    if (!Array.isArray(between)) return between as AtomicNode
    const before: ReadonlyArray<Step> = [...reading.before ?? [], reading, ...between]
    const { field, ref } = reading
    return new Instruct(op, ref, noSpec, field, [between.length + 1, ...args], decode, undefined, before)
  }

  get field(): string {
    return this.handle.collection.field
  }
  refuse(problem: Problem): AtomicNode {
    return this.handle.refuse(problem)
  }
  test(comparison: number, value: number | true, operand?: Operand): AtomicNode {
    return this.after(Op.compareResult, [comparison, value], isOne, operand)
  }
  value(options?: { readonly default?: unknown }): Operand {
    const missing = options?.default
    return !this.mayLack || Number.isFinite(missing)
      ? Operand.load("number", this.after(Op.loadResult, this.mayLack ? [missing as number] : [], nothing))
      : Operand.load("number", this.handle.refuse(new Problem("Expected a default that is a finite number")))
  }
}
