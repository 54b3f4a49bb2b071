/**
 * Operands: values that the server reads, and computes with, as the arguments of other operations.
 */
import type { InvalidValue } from "../../DomainError.ts"
import { Op, subtract } from "../instruction/ops.ts"
import type { FieldSpec } from "../instruction/spec.ts"
import { type Instruct, Invalid } from "../program/atomic.ts"
import { Control } from "../program/compile.ts"
import type { AtomicNode, Step } from "../program/node.ts"
import type { Codec } from "../schema/codec.ts"
import { Problem } from "../text/problem.ts"

/**
 * What it takes to have a value at hand: instructions that put it into the queue; or why there is none.
 *
 * @internal
 */
export class Operand {
  readonly "~redlayer/Operand" = {}
  readonly kind: FieldSpec["kind"]
  readonly codecIdentity: Codec["codecIdentity"]
  readonly steps: ReadonlyArray<Step>
  readonly refusal: InvalidValue | Problem | undefined

  constructor(
    kind: FieldSpec["kind"],
    steps: ReadonlyArray<Step>,
    refusal: InvalidValue | Problem | undefined,
    codecIdentity: Codec["codecIdentity"] = "plain"
  ) {
    this.kind = kind
    this.codecIdentity = codecIdentity
    this.steps = steps
    this.refusal = refusal
  }

  /** Of an instruction that loads it, or that is refused. */
  static load(kind: FieldSpec["kind"], node: AtomicNode, codecIdentity: Codec["codecIdentity"] = "plain"): Operand {
    return node._tag === "Invalid"
      ? new Operand(kind, [], node.error, codecIdentity)
      : new Operand(kind, [node as Instruct], undefined, codecIdentity)
  }

  combine(op: number, that: unknown): Operand {
    const other = that instanceof Operand ? that : this.constant(that)
    const refusal = this.refusal ?? other.refusal ??
      (isExact(this.kind) && isExact(other.kind) || isDouble(this.kind) && isDouble(other.kind)
        ? undefined
        : new Problem("Expected an operand of the same kind"))
    const combined = new Control(Op.combine, [op, isExact(this.kind) ? 1 : 0])
    return new Operand(this.kind, [...this.steps, ...other.steps, combined], refusal)
  }

  constant(value: unknown): Operand {
    const isValid = isExact(this.kind) ? typeof value === "bigint" : Number.isFinite(value)
    return new Operand(
      this.kind,
      [new Control(Op.constant, [isExact(this.kind) ? String(value) : value as number])],
      isValid ? undefined : new Problem("Expected a finite amount")
    )
  }

  plus(that: unknown): Operand {
    return this.combine(Op.increment, that)
  }
  minus(that: unknown): Operand {
    return this.combine(subtract, that)
  }
  times(that: unknown): Operand {
    return this.combine(Op.multiply, that)
  }
  dividedBy(that: unknown): Operand {
    return this.combine(Op.divide, that)
  }
  quotient(that: unknown): Operand {
    return this.combine(Op.quotient, that)
  }
  modulo(that: unknown): Operand {
    return this.combine(Op.modulo, that)
  }
  min(that: unknown): Operand {
    return this.combine(Op.min, that)
  }
  max(that: unknown): Operand {
    return this.combine(Op.max, that)
  }
}

const isExact = (kind: FieldSpec["kind"]): boolean => kind === "int64" || kind === "duration"

/** @internal */
export const isDouble = (kind: FieldSpec["kind"]): boolean => kind === "integer" || kind === "number" || kind === "date"

/**
 * The instructions that put operands into the queue, before the one that takes them; or the program that is refused.
 *
 * @internal
 */
export const withOperands = (
  operands: ReadonlyArray<Operand> | undefined,
  refuse: (problem: Problem) => AtomicNode
): ReadonlyArray<Step> | AtomicNode | undefined => {
  if (operands === undefined || operands.length === 0) return undefined
  for (const { refusal } of operands) {
    if (refusal instanceof Problem) return refuse(refusal)
    if (refusal !== undefined) return new Invalid(refusal)
  }
  return operands.flatMap(({ steps }) => steps)
}
