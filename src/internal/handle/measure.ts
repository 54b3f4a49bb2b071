/**
 * A number about a sorted set, an index or an aggregate that a program returns: the score or the rank of a member, how many are in a
 * range, or a sum. It can also be compared, and be an operand.
 */
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import { Comparison, Op } from "../instruction/ops.ts"
import type { Argument } from "../instruction/program.ts"
import { type FieldSpec, noSpec } from "../instruction/spec.ts"
import { Instruct } from "../program/atomic.ts"
import type { AtomicNode, Step } from "../program/node.ts"
import { Problem } from "../text/problem.ts"
import { ComparableNumber } from "./comparableNumber.ts"
import { isOne, named, nothing, pathOf, refusedBy } from "./entityRef.ts"
import { Operand, withOperands } from "./operand.ts"

/** Refuses an operation on what is measured. */
interface Owner {
  refuse(problem: Problem): AtomicNode
}

/** @internal */
export class Measure extends ComparableNumber {
  readonly owner: Owner
  readonly field: string
  /** Whether the number may be missing: then an operand needs a default. */
  readonly mayLack: boolean

  constructor(owner: Owner, field: string, method: string, reading: AtomicNode, mayLack: boolean) {
    super(refusedBy(pathOf(field, method), reading))
    this.owner = owner
    this.field = field
    this.mayLack = mayLack
  }

  /** An instruction that takes the result of the reading, which runs before it. */
  after(op: Op, args: ReadonlyArray<Argument>, decode: (result: any) => unknown, operand?: Operand): AtomicNode {
    const reading = this.self
    if (reading._tag !== "Instruct") return reading
    const between = withOperands(operand && [operand], (problem) => this.owner.refuse(problem)) ?? []
    if (!Array.isArray(between)) return between as AtomicNode
    const before: ReadonlyArray<Step> = [...reading.before ?? [], reading, ...between]
    const { field, ref } = reading
    return new Instruct(op, ref, noSpec, field, [between.length + 1, ...args], decode, undefined, before)
  }

  refuse(problem: Problem): AtomicNode {
    return this.owner.refuse(problem)
  }
  test(comparison: number, value: number | true, operand?: Operand): AtomicNode {
    return this.after(Op.compareResult, [comparison, value], isOne, operand)
  }
  value(options?: { readonly default?: unknown }): Operand {
    const missing = options?.default
    return !this.mayLack || Number.isFinite(missing)
      ? Operand.load("number", this.after(Op.loadResult, this.mayLack ? [missing as number] : [], nothing))
      : Operand.load("number", this.owner.refuse(new Problem("Expected a default that is a finite number")))
  }
}

const infinite = new Problem("Expected a finite duration")
const noBigInt = new Problem("Expected a bigint")

/**
 * A sum of bigints or durations. The interpreters know its digits, and no double.
 *
 * @internal
 */
export class ExactMeasure extends Measure {
  readonly kind: FieldSpec["kind"]

  constructor(owner: Owner, method: string, reading: AtomicNode, kind: FieldSpec["kind"]) {
    super(owner, "", method, reading, false)
    this.kind = kind
  }

  /** Encodes the value of a comparison. */
  private digits(value: unknown): string | Problem {
    if (this.kind === "int64") return typeof value === "bigint" ? String(value) : noBigInt
    const duration = Option.getOrUndefined(Duration.fromInput(value as Duration.Input))
    return duration !== undefined && Duration.isFinite(duration) ? String(Duration.toNanosUnsafe(duration)) : infinite
  }

  override compare(comparison: keyof typeof Comparison, value: unknown): AtomicNode {
    const operand = value instanceof Operand ? value : undefined
    if (operand !== undefined && operand.kind !== this.kind) {
      return this.refuse(new Problem("Expected an operand of the same kind"))
    }
    const expected = operand === undefined ? this.digits(value) : true
    return expected instanceof Problem
      ? this.refuse(expected)
      : named(comparison, this.after(Op.compareResult, [Comparison[comparison], expected], isOne, operand))
  }

  override value(): Operand {
    return Operand.load(this.kind, this.after(Op.loadResult, ["0"], nothing))
  }
}
