/**
 * A number that a program returns, and that can also be compared: the size of a collection, the score or rank of a member. A
 * number that is missing is neither equal to, less than nor greater than any other.
 */
import { Comparison } from "../instruction/ops.ts"
import { Mapped } from "../program/atomic.ts"
import type { AtomicNode } from "../program/node.ts"
import { Problem } from "../text/problem.ts"
import { named, nameRefusals, same } from "./entityRef.ts"
import { isDouble, Operand } from "./operand.ts"

/** @internal */
export abstract class ComparableNumber extends Mapped {
  constructor(reading: AtomicNode) {
    super(reading, same)
  }

  /** The field of the collection. */
  abstract get field(): string

  abstract refuse(problem: Problem): AtomicNode

  /**
   * The instruction that compares.
   *
   * @param comparison its number in `Comparison`
   * @param value a finite number; or true, which stands for the operand
   */
  abstract test(comparison: number, value: number | true, operand?: Operand): AtomicNode

  compare(comparison: keyof typeof Comparison, value: unknown): AtomicNode {
    const isOperand = value instanceof Operand
    if (isOperand ? !isDouble(value.kind) : !Number.isFinite(value)) {
      return this.refuse(
        new Problem(isOperand ? "Expected an operand of the same kind" : "Expected a finite number")
      )
    }
    const code = Comparison[comparison]
    return named(comparison, isOperand ? this.test(code, true, value) : this.test(code, value as number))
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
}

nameRefusals(ComparableNumber, ({ field }) => field, ["compare"])
