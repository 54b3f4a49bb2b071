/**
 * The handles of scalars: a field of the entity's hash, an item of a list, or an entry of a map. One class has the methods of all
 * kinds of values; the types in `field/scalars.ts` show those that a kind has.
 */
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import { Comparison, infoOf, Op } from "../instruction/ops.ts"
import type { Argument } from "../instruction/program.ts"
import type { Result } from "../instruction/reply.ts"
import { type FieldSpec, hasOwnKey } from "../instruction/spec.ts"
import type { AtomicNode } from "../program/node.ts"
import type { Codec } from "../schema/codec.ts"
import { omitted } from "../schema/json.ts"
import { Problem } from "../text/problem.ts"
import {
  encodeAll,
  type HandleRef,
  instruct,
  invalid,
  isOne,
  named,
  nameRefusals,
  noArguments,
  nothing,
  same,
  uncheckable
} from "./entityRef.ts"
import { isDouble, Operand, operandProblem, storingProblem, withOperands } from "./operand.ts"

interface Options {
  readonly atLeast?: unknown
  readonly atMost?: unknown
  readonly initial?: unknown
}

const noOptions: Options = {}

interface Default {
  readonly default?: unknown
}

/**
 * The properties that all handles of one field share.
 *
 * @internal
 */
export interface Shape {
  readonly field: string
  readonly spec: FieldSpec
  readonly codec: Codec
  /** Whether the codec's empty text stands for a missing field. */
  readonly omits?: boolean
  /** The check of the whole collection, if only the client can evaluate it. Then a part of the collection can't be written. */
  readonly clientOnlyCheck?: string | undefined
  /** Whether a value stands for a missing field. Unset if the field is required, or is an item or an entry. */
  readonly isAbsent?: ((value: unknown) => boolean) | undefined
  /** Decodes the result of a read, which may be missing. */
  readonly decode: (result: Result) => unknown
  /** Decodes the result of a write, which is never missing. */
  readonly decodeNew: (result: Result) => unknown
}

type Kinds = ReadonlyArray<FieldSpec["kind"]>

const numbers: Kinds = ["integer", "number", "int64"]
const doubles: Kinds = ["integer", "number"]
const texts: Kinds = ["text"]
const booleans: Kinds = ["boolean"]
const times: Kinds = ["date", "duration"]

const expectedAmount = new Problem("Expected a finite amount")
const lowest = -(2n ** 63n)
const highest = 2n ** 63n - 1n

const isInt64 = (value: unknown): boolean => typeof value === "bigint" && value >= lowest && value <= highest

const specsWithDefault = new WeakMap<FieldSpec, Map<string, FieldSpec>>()

/** The specification with the initial value as its default. Cached, because a call carries each distinct specification once. */
const withDefault = (spec: FieldSpec, text: string): FieldSpec => {
  let known = specsWithDefault.get(spec)
  if (known === undefined || known.size > 100) specsWithDefault.set(spec, known = new Map())
  let found = known.get(text)
  if (found === undefined) known.set(text, found = { ...spec, default: text })
  return found
}

/** @internal */
export class ScalarHandle {
  readonly ref: HandleRef
  readonly shape: Shape
  /** The position of an item or the name of an entry, which is the first argument of every operation. Empty for a field. */
  readonly address: ReadonlyArray<Argument>

  constructor(ref: HandleRef, shape: Shape, address: ReadonlyArray<Argument>) {
    this.ref = ref
    this.shape = shape
    this.address = address
  }

  op(
    op: Op,
    args: ReadonlyArray<Argument>,
    decode: (result: any) => unknown,
    spec: FieldSpec = this.shape.spec,
    operands?: ReadonlyArray<Operand>
  ): AtomicNode {
    const { field, clientOnlyCheck } = this.shape
    if (clientOnlyCheck !== undefined && infoOf(op).access !== "read") return this.refuse(uncheckable(clientOnlyCheck))
    const all = this.address === noArguments ? args : [...this.address, ...args]
    const before = withOperands(operands, (problem) => this.refuse(problem))
    return before === undefined || Array.isArray(before)
      ? instruct(this.ref, op, spec, field, all, decode, undefined, before)
      : before as AtomicNode
  }

  refuse(problem: Problem): AtomicNode {
    return invalid(this.ref, this.shape.field, problem)
  }

  withTexts(values: ReadonlyArray<unknown>, f: (texts: ReadonlyArray<string>) => AtomicNode): AtomicNode {
    const texts = encodeAll(this.shape.codec, values)
    return texts instanceof Problem ? this.refuse(texts) : f(texts)
  }

  /** An operation whose result the server computes. Refused if the schema has a check that only the client can evaluate. */
  compute(
    op: Op,
    kinds: Kinds,
    args: ReadonlyArray<Argument>,
    decode: (result: any) => unknown,
    initial?: unknown,
    operands?: ReadonlyArray<Operand>
  ): AtomicNode {
    const { codec: { kind, clientOnlyCheck }, spec } = this.shape
    if (clientOnlyCheck !== undefined || !kinds.includes(kind)) {
      return this.refuse(uncheckable(clientOnlyCheck ?? "a value of another kind"))
    }
    if (initial === undefined || spec.default !== undefined) return this.op(op, args, decode, spec, operands)
    // Not `encode`: the initial value need not be within the bounds, because only the result must be.
    const text = this.shape.codec.encodeUnchecked(initial)
    return text instanceof Problem ? this.refuse(text) : this.op(op, args, decode, withDefault(spec, text), operands)
  }

  /** Encodes an amount: a number for numbers, a duration for dates and durations. */
  amount(op: Op, amount: unknown, operands: Array<Operand>): Argument | Problem {
    if (amount instanceof Operand) return this.operand(amount, operands)
    switch (this.shape.codec.kind) {
      case "int64":
        return isInt64(amount) ? String(amount) : new Problem("Expected an amount of 64 bits")
      case "date":
      case "duration": {
        const duration = Option.getOrUndefined(Duration.fromInput(amount as Duration.Input))
        if (duration === undefined || !Duration.isFinite(duration)) return new Problem("Expected a finite duration")
        if (this.shape.codec.kind === "duration") return String(Duration.toNanosUnsafe(duration))
        const milliseconds = Duration.toMillis(duration)
        return Number.isSafeInteger(milliseconds) ? milliseconds : new Problem("Expected whole milliseconds")
      }
      default:
        if (!Number.isFinite(amount)) return expectedAmount
        return this.shape.codec.kind === "integer" && infoOf(op).wholeAmounts !== undefined && !Number.isInteger(amount)
          ? new Problem("Expected an integer amount")
          : amount as number
    }
  }

  /** Adds to `operands`, and returns the argument that stands for the operand. */
  operand(operand: Operand, operands: Array<Operand>): Argument | Problem {
    const problem = operandProblem(this.shape.codec, operand)
    if (problem !== undefined) return problem
    operands.push(operand)
    return true
  }

  /** Encodes `atLeast` or `atMost`. False stands for no bound. */
  bound(bound: unknown): Argument | Problem {
    if (bound === undefined) return false
    const { codec: { encode, kind } } = this.shape
    if (kind === "integer" || kind === "number") {
      return Number.isFinite(bound)
        ? bound as number
        : new Problem("Expected a finite bound")
    }
    if (kind === "int64") {
      return typeof bound === "bigint"
        ? String(bound)
        : new Problem("Expected a bound that is a bigint")
    }
    const text = encode(bound)
    return kind === "date" && typeof text === "string" ? Number(text) : text
  }

  arithmetic(op: Op, kinds: Kinds, amounts: ReadonlyArray<unknown>, options?: Options | null): AtomicNode {
    const { atLeast, atMost, initial } = options ?? noOptions
    const args: Array<Argument> = []
    const operands: Array<Operand> = []
    for (const amount of amounts) {
      const arg = this.amount(op, amount, operands)
      if (arg instanceof Problem) return this.refuse(arg)
      args.push(arg)
    }
    if (atLeast !== undefined || atMost !== undefined) {
      for (const bound of [atLeast, atMost]) {
        const arg = this.bound(bound)
        if (arg instanceof Problem) return this.refuse(arg)
        args.push(arg)
      }
    }
    return this.compute(op, kinds, args, this.shape.decodeNew, initial, operands)
  }

  get(): AtomicNode {
    return this.op(Op.get, noArguments, this.shape.decode)
  }
  set(value: unknown): AtomicNode {
    if (value instanceof Operand) return this.assign(value)
    return this.withTexts([value], (texts) =>
      this.shape.omits === true && texts[0] === omitted
        ? named("set", this.op(Op.clear, noArguments, nothing))
        : this.op(Op.set, texts, nothing))
  }
  getAndSet(value: unknown): AtomicNode {
    return this.withTexts([value], (texts) => this.op(Op.getAndSet, texts, this.shape.decode))
  }
  compareAndSet(expected: unknown, value: unknown): AtomicNode {
    return this.withTexts([expected, value], (texts) => this.op(Op.compareAndSet, texts, isOne))
  }
  assign(value: Operand): AtomicNode {
    const problem = storingProblem(this.shape.codec, value)
    return problem === undefined
      ? this.op(Op.assign, [true], nothing, this.shape.spec, [value])
      : this.refuse(problem)
  }
  append(text: unknown): AtomicNode {
    if (text instanceof Operand) {
      const operands: Array<Operand> = []
      const arg = this.operand(text, operands)
      return arg instanceof Problem
        ? this.refuse(arg)
        : this.compute(Op.appendText, texts, [arg], same, this.empty(), operands)
    }
    if (typeof text !== "string" || !text.isWellFormed()) {
      return this.refuse(new Problem("Expected well-formed Unicode"))
    }
    return this.compute(Op.appendText, texts, [text], same, this.empty())
  }
  /** The text that a missing text is taken as before an append. Unset: the append fails. */
  empty(): string | undefined {
    return undefined
  }

  /** Encodes the value of a comparison: a number for kinds that are computed with doubles, else a text. */
  expected(value: unknown, operands: Array<Operand>): Argument | Problem {
    if (value instanceof Operand) return this.operand(value, operands)
    const { codec } = this.shape
    if (codec.kind === "duration") {
      const duration = Option.getOrUndefined(Duration.fromInput(value as Duration.Input))
      return duration === undefined ? new Problem("Expected a duration") : codec.encodeUnchecked(duration)
    }
    // A value that breaks a check of the field can still be compared with.
    const text = typeof value === typeOf[codec.kind] && !(typeof value === "string" && !value.isWellFormed())
      ? String(value)
      : codec.encodeUnchecked(value)
    return typeof text === "string" && isDouble(codec.kind) && Number.isFinite(Number(text)) ? Number(text) : text
  }
  compare(comparison: keyof typeof Comparison, value: unknown): AtomicNode {
    const operands: Array<Operand> = []
    const arg = this.expected(value, operands)
    return arg instanceof Problem
      ? this.refuse(arg)
      : named(comparison, this.op(Op.compare, [Comparison[comparison], arg], isOne, this.shape.spec, operands))
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
  in(values: ReadonlyArray<unknown>): AtomicNode {
    const args: Array<Argument> = []
    for (const value of values) {
      const arg = this.expected(value, [])
      if (arg instanceof Problem) return this.refuse(arg)
      args.push(arg)
    }
    return this.op(Op.oneOf, args, isOne)
  }
  value(options?: Default): Operand {
    const { codec: { codecIdentity, encodeUnchecked, kind }, spec } = this.shape
    const text = options?.default === undefined ? undefined : encodeUnchecked(options.default)
    const load = text instanceof Problem
      ? this.refuse(text)
      : this.op(Op.load, noArguments, nothing, text === undefined ? spec : withDefault(spec, text))
    return Operand.load(kind, load, codecIdentity)
  }
  increment(by: unknown = this.one(), options?: Options): AtomicNode {
    return this.arithmetic(Op.increment, numbers, [by], options)
  }
  decrement(by: unknown = this.one(), options?: Options): AtomicNode {
    return named("decrement", this.arithmetic(Op.increment, numbers, [negated(by)], options))
  }
  multiply(by: unknown, options?: Options): AtomicNode {
    return this.arithmetic(Op.multiply, numbers, [by], options)
  }
  divide(by: unknown, options?: Options): AtomicNode {
    return this.arithmetic(Op.divide, doubles, [by], options)
  }
  quotient(by: unknown, options?: Options): AtomicNode {
    return this.arithmetic(Op.quotient, numbers, [by], options)
  }
  modulo(by: unknown, options?: Options): AtomicNode {
    return this.arithmetic(Op.modulo, numbers, [by], options)
  }
  power(exponent: unknown, options?: Options): AtomicNode {
    return Number.isSafeInteger(exponent) || exponent === 0.5
      ? this.arithmetic(Op.power, doubles, [exponent], options)
      : this.refuse(new Problem("Expected an exponent that is an integer, or 0.5"))
  }
  min(other: unknown, options?: Options): AtomicNode {
    return this.arithmetic(Op.min, numbers, [other], options)
  }
  max(other: unknown, options?: Options): AtomicNode {
    return this.arithmetic(Op.max, numbers, [other], options)
  }
  clamp(low: any, high: any, options?: Options): AtomicNode {
    const node = this.arithmetic(Op.clamp, numbers, [low, high], options)
    return node._tag === "Instruct" && low > high ? this.refuse(new Problem("Expected low to be at most high")) : node
  }
  add(duration: unknown, options?: Options): AtomicNode {
    return named("add", this.arithmetic(Op.increment, times, [duration], options))
  }
  subtract(duration: unknown, options?: Options): AtomicNode {
    const amount = Option.map(Duration.fromInput(duration as Duration.Input), Duration.negate)
    return named("subtract", this.arithmetic(Op.increment, times, [Option.getOrUndefined(amount)], options))
  }
  toggle(): AtomicNode {
    return this.compute(Op.toggle, booleans, noArguments, this.shape.decodeNew)
  }

  one(): unknown {
    return this.shape.codec.kind === "int64" ? 1n : 1
  }
}

/** The JavaScript types of the kinds whose stored text is the value's own text. */
const typeOf: { readonly [Kind in FieldSpec["kind"]]?: string } = {
  text: "string",
  integer: "number",
  number: "number",
  int64: "bigint"
}

const negated = (amount: unknown): unknown =>
  amount instanceof Operand ?
    amount.times(amount.kind === "int64" ? -1n : -1) :
    typeof amount === "bigint" || typeof amount === "number"
    ? -amount
    : amount

/**
 * The handle of an optional or nullable field.
 *
 * @internal
 */
export class OptionalHandle extends ScalarHandle {
  isSet(): AtomicNode {
    return this.op(Op.isSet, noArguments, isOne)
  }
  override set(value: unknown): AtomicNode {
    return this.shape.isAbsent?.(value) === true ? named("set", this.clear()) : super.set(value)
  }
  setIfAbsent(value: unknown): AtomicNode {
    return this.withTexts([value], (texts) => this.op(Op.setIfAbsent, texts, isOne))
  }
  clear(): AtomicNode {
    return this.op(Op.clear, noArguments, nothing)
  }
  override value(options?: Default): Operand {
    const { codecIdentity, kind } = this.shape.codec
    return options?.default === undefined
      ? Operand.load(kind, this.refuse(new Problem("Expected a default")), codecIdentity)
      : super.value(options)
  }
  override arithmetic(op: Op, kinds: Kinds, amounts: ReadonlyArray<unknown>, options?: Options): AtomicNode {
    return options?.initial === undefined
      ? this.refuse(new Problem("Expected an initial value"))
      : super.arithmetic(op, kinds, amounts, options)
  }
}

/**
 * The handle of a map's entry. A write creates a missing entry; it counts from 0, and appends to an empty text.
 *
 * @internal
 */
export class EntryHandle extends OptionalHandle {
  override increment(by?: unknown, options?: Options): AtomicNode {
    return super.increment(by, { ...options, initial: options?.initial ?? this.zero() })
  }
  override decrement(by?: unknown, options?: Options): AtomicNode {
    return super.decrement(by, { ...options, initial: options?.initial ?? this.zero() })
  }
  override empty(): string | undefined {
    return ""
  }
  override toggle(): AtomicNode {
    return this.compute(Op.toggle, booleans, noArguments, this.shape.decodeNew, false)
  }
  zero(): unknown {
    return this.shape.codec.kind === "int64" ? 0n : 0
  }
}

/** An item of a list, or an entry of a map, is a part of its field. */
const fieldOf = ({ shape: { field, spec } }: ScalarHandle): string => hasOwnKey(spec) ? `${field}.at` : field

const inner = [
  "op",
  "refuse",
  "withTexts",
  "compute",
  "amount",
  "operand",
  "bound",
  "arithmetic",
  "assign",
  "empty",
  "expected",
  "compare",
  "one"
] as const

nameRefusals(ScalarHandle, fieldOf, inner)
nameRefusals(OptionalHandle, fieldOf, inner)
nameRefusals(EntryHandle, fieldOf, [...inner, "zero"])
