/**
 * A number that a program returns: the score or the rank of a member, or how many members are in a range. It can also be
 * compared, and be an operand. A number that is missing is neither equal to, less than nor greater than any other.
 */
import { Comparison, Op } from "../instruction/ops.ts"
import type { Argument } from "../instruction/program.ts"
import { noSpec } from "../instruction/spec.ts"
import { Instruct, Mapped } from "../program/atomic.ts"
import type { AtomicNode, Step } from "../program/node.ts"
import { Problem } from "../text/problem.ts"
import type { CollectionHandle } from "./collection.ts"
import { isOne, named, nothing, same } from "./entityRef.ts"
import { isDouble, Operand, withOperands } from "./operand.ts"

/** @internal */
export class Measure extends Mapped {
  readonly handle: CollectionHandle
  /** Whether the number may be missing: then an operand needs a default. */
  readonly mayLack: boolean

  constructor(handle: CollectionHandle, reading: AtomicNode, mayLack: boolean) {
    super(reading, same)
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

  compare(comparison: keyof typeof Comparison, value: unknown): AtomicNode {
    const isOperand = value instanceof Operand
    if (isOperand ? !isDouble(value.kind) : !Number.isFinite(value)) {
      return this.handle.refuse(
        new Problem(isOperand ? "Expected an operand of the same kind" : "Expected a finite number")
      )
    }
    const args = [Comparison[comparison], isOperand || value as number]
    return named(comparison, this.after(Op.compareResult, args, isOne, isOperand ? value : undefined))
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
  value(options?: { readonly default?: unknown }): Operand {
    const missing = options?.default
    return !this.mayLack || Number.isFinite(missing)
      ? Operand.load("number", this.after(Op.loadResult, this.mayLack ? [missing as number] : [], nothing))
      : Operand.load("number", this.handle.refuse(new Problem("Expected a default that is a finite number")))
  }
}
