/**
 * Operands: values that the server reads and computes with, as the arguments of other operations of the same program.
 */
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import type { InvalidValue } from "../../DomainError.ts"
import { Op, subtract } from "../instruction/ops.ts"
import type { FieldSpec } from "../instruction/spec.ts"
import { Instruct, Invalid } from "../program/atomic.ts"
import { Control } from "../program/compile.ts"
import type { AtomicNode, EntityRef, Step } from "../program/node.ts"
import type { Codec } from "../schema/codec.ts"
import { isSameCodec } from "../schema/codecOf.ts"
import { Problem } from "../text/problem.ts"
import { uncheckable } from "./entityRef.ts"

/**
 * The instructions that load a value into the operand queue, or the reason it cannot be loaded.
 *
 * @internal
 */
export class Operand {
  readonly "~redlayer/Operand" = {}
  readonly kind: FieldSpec["kind"]
  readonly codecIdentity: Codec["codecIdentity"]
  readonly refusal: InvalidValue | Problem | undefined
  /** The operands that it is computed from, and the steps after theirs. */
  private readonly parts: ReadonlyArray<Operand>
  private readonly last: ReadonlyArray<Step>

  constructor(
    kind: FieldSpec["kind"],
    last: ReadonlyArray<Step>,
    refusal: InvalidValue | Problem | undefined,
    codecIdentity: Codec["codecIdentity"] = "plain",
    parts: ReadonlyArray<Operand> = []
  ) {
    this.kind = kind
    this.codecIdentity = codecIdentity
    this.last = last
    this.refusal = refusal
    this.parts = parts
  }

  /** All steps, made by a loop, so that no depth of an operand can exhaust the call stack. */
  get steps(): ReadonlyArray<Step> {
    const steps: Array<Step> = []
    const work: Array<Operand | ReadonlyArray<Step>> = [this]
    while (work.length > 0) {
      const item = work.pop()!
      if (item instanceof Operand) {
        work.push(item.last)
        for (let i = item.parts.length - 1; i >= 0; i--) work.push(item.parts[i]!)
      } else {
        for (const step of item) steps.push(step)
      }
    }
    return steps
  }

  /** @param node the instruction that loads the value, or its refusal */
  static load(kind: FieldSpec["kind"], node: AtomicNode, codecIdentity: Codec["codecIdentity"] = "plain"): Operand {
    return node._tag === "Invalid"
      ? new Operand(kind, [], node.error, codecIdentity)
      : new Operand(kind, [...(node as Instruct).before ?? [], node as Instruct], undefined, codecIdentity)
  }

  /** The server's time, as a date. */
  static now(): Operand {
    return new Operand("date", [new Control(Op.now, [], "now")], undefined)
  }

  /** The text that a field of the specification stores. It fails if the value breaks a bound of that. */
  encoded(ref: EntityRef, field: string, spec: FieldSpec): Operand {
    const encode = new Instruct(Op.encode, ref, spec, field, [0], () => undefined)
    return new Operand("text", [encode], this.refusal, "plain", [this])
  }

  combine(method: string, operation: number, that: unknown): Operand {
    const other = that instanceof Operand && this.kind !== "date" ? that : this.constant(that)
    const refusal = this.refusal ?? other.refusal ??
      (isExact(this.kind) && isExact(other.kind) || isDouble(this.kind) && isDouble(other.kind)
        ? undefined
        : new Problem("Expected an operand of the same kind"))
    const combined = new Control(Op.combine, [operation, isExact(this.kind) ? 1 : 0], method)
    return new Operand(this.kind, [combined], refusal, "plain", [this, other])
  }

  constant(value: unknown): Operand {
    if (this.kind === "date") {
      // Effect would take an operand for a duration without parts
      const duration = value instanceof Operand
        ? undefined
        : Option.getOrUndefined(Duration.fromInput(value as Duration.Input))
      const milliseconds = duration && Duration.toMillis(duration)
      return Number.isSafeInteger(milliseconds)
        ? new Operand("date", [new Control(Op.constant, [milliseconds!])], undefined)
        : new Operand("date", [], new Problem("Expected a finite duration of whole milliseconds"))
    }
    const isValid = isExact(this.kind) ? typeof value === "bigint" : Number.isFinite(value)
    return new Operand(
      this.kind,
      [new Control(Op.constant, [isExact(this.kind) ? String(value) : value as number])],
      isValid ? undefined : new Problem("Expected a finite amount")
    )
  }

  /** A date as a number of milliseconds. */
  get epochMillis(): Operand {
    return new Operand("integer", [], this.refusal, "plain", [this])
  }

  plus(that: unknown): Operand {
    return this.combine("plus", Op.increment, that)
  }
  minus(that: unknown): Operand {
    return this.combine("minus", subtract, that)
  }
  times(that: unknown): Operand {
    return this.combine("times", Op.multiply, that)
  }
  dividedBy(that: unknown): Operand {
    return this.combine("dividedBy", Op.divide, that)
  }
  quotient(that: unknown): Operand {
    return this.combine("quotient", Op.quotient, that)
  }
  modulo(that: unknown): Operand {
    return this.combine("modulo", Op.modulo, that)
  }
  min(that: unknown): Operand {
    return this.combine("min", Op.min, that)
  }
  max(that: unknown): Operand {
    return this.combine("max", Op.max, that)
  }
}

/** Whether the interpreters compute this kind with 64-bit integers. */
const isExact = (kind: FieldSpec["kind"]): boolean => kind === "int64" || kind === "duration"

/**
 * Whether the interpreters compute this kind with doubles.
 *
 * @internal
 */
export const isDouble = (kind: FieldSpec["kind"]): boolean => kind === "integer" || kind === "number" || kind === "date"

/**
 * Why a field can't take an operand. Undefined if it can.
 *
 * @internal
 */
export const operandProblem = ({ codecIdentity, kind }: Codec, operand: Operand): Problem | undefined => {
  if (kind !== operand.kind && !(isDouble(kind) && isDouble(operand.kind))) {
    return new Problem("Expected an operand of the same kind")
  }
  return kind === "value" && !isSameCodec(codecIdentity, operand.codecIdentity)
    ? new Problem("Expected an operand of the same schema")
    : undefined
}

/**
 * Why an operand can't be stored in a field, whose checks the server must be able to evaluate. Undefined if it can.
 *
 * @internal
 */
export const storingProblem = (codec: Codec, operand: Operand): Problem | undefined =>
  operandProblem(codec, operand) ??
    // A JSON operand has the same schema, so its value has passed the client's checks.
    (codec.clientOnlyCheck === undefined || codec.form === "json" ? undefined : uncheckable(codec.clientOnlyCheck))

/**
 * Returns the instructions that load operands, for the place before the instruction that takes them; or the refusal of one.
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
