/**
 * The handles of an entity's fields, behind the types of `Field`. They only build instructions; what a value can't say
 * becomes a program that is refused when it is committed, and never an exception.
 */
import * as Option from "effect/Option"
import type * as Schema from "effect/Schema"
import { InvalidValue } from "../../DomainError.ts"
import type { Codec } from "../schema/codec.ts"
import {
  fieldsOf,
  type Layout,
  layout,
  type Leaf,
  type List,
  type Node,
  readLeaf,
  type Struct,
  texts
} from "../schema/plan.ts"
import { Problem } from "../schema/problem.ts"
import type * as Atomic from "./atomic.ts"
import { All, type AtomicNode, Instruct, Invalid, Mapped } from "./atomic.ts"
import { type Argument, type EntitySpec, type FieldSpec, Op, type Result } from "./instruction.ts"

/**
 * The entity that a handle belongs to.
 *
 * @internal
 */
export interface Place extends Atomic.Place {
  /** of an id that has no stored form */
  readonly refusal: InvalidValue | undefined
}

/** @internal */
export const invalid = (place: Place, field: string, problem: Problem): AtomicNode =>
  new Invalid(
    new InvalidValue({
      model: place.model,
      id: place.id,
      field: problem.field === "" || field === "" ? field + problem.field : `${field}.${problem.field}`,
      issue: problem.issue
    })
  )

/** @internal */
export const instruct = (
  place: Place,
  op: Op,
  spec: FieldSpec | EntitySpec,
  field: string,
  args: ReadonlyArray<Argument>,
  decode: (result: any) => unknown
): AtomicNode =>
  place.refusal !== undefined
    ? new Invalid(place.refusal)
    : new Instruct(op, place, spec, field, args, decode)

const nothing = (): void => undefined
const isOne = (result: Result): boolean => result === 1
const same = (result: any): unknown => result
const none: ReadonlyArray<Argument> = []

const uncheckable = (check: string): Problem => new Problem(`The server can't check the result (${check}); use modify`)

interface CallBounds {
  readonly atLeast?: number | undefined
  readonly atMost?: number | undefined
}

const unbounded: CallBounds = {}

/** What the cells of one field have in common. */
interface Shape {
  readonly field: string
  readonly spec: FieldSpec
  readonly codec: Codec
  readonly decode: (result: Result) => unknown
}

/** One text: a field of the hash, or an item of a list, whose position is then the first argument of everything. */
class Cell {
  readonly place: Place
  readonly shape: Shape
  readonly at: ReadonlyArray<Argument>

  constructor(place: Place, shape: Shape, at: ReadonlyArray<Argument>) {
    this.place = place
    this.shape = shape
    this.at = at
  }

  op(op: Op, args: ReadonlyArray<Argument>, decode: (result: any) => unknown): AtomicNode {
    const { field, spec } = this.shape
    return instruct(this.place, op, spec, field, this.at === none ? args : [...this.at, ...args], decode)
  }

  refuse(problem: Problem): AtomicNode {
    return this.place.refusal === undefined
      ? invalid(this.place, this.shape.field, problem)
      : new Invalid(this.place.refusal)
  }

  withTexts(values: ReadonlyArray<unknown>, f: (texts: ReadonlyArray<string>) => AtomicNode): AtomicNode {
    const texts: Array<string> = []
    for (const value of values) {
      const text = this.shape.codec.encode(value)
      if (text instanceof Problem) return this.refuse(text)
      texts.push(text)
    }
    return f(texts)
  }

  /** Whatever only the server can compute needs checks that it can evaluate. */
  compute(op: Op, kinds: string, args: ReadonlyArray<Argument>, decode: (result: any) => unknown): AtomicNode {
    const { kind, unsendable } = this.shape.codec
    if (unsendable !== undefined || !kinds.includes(kind)) {
      return this.refuse(uncheckable(unsendable ?? "a value of another kind"))
    }
    return this.op(op, args, decode)
  }

  arithmetic(op: Op, amounts: ReadonlyArray<number>, bounds: CallBounds | undefined): AtomicNode {
    const whole = this.shape.codec.kind === "i" && (op === Op.add || op === Op.min || op === Op.max || op === Op.clamp)
    for (const amount of amounts) {
      if (!Number.isFinite(amount)) return this.refuse(new Problem("Expected a finite amount"))
      if (whole && !Number.isInteger(amount)) return this.refuse(new Problem("Expected an integer amount"))
    }
    const { atLeast, atMost } = bounds ?? unbounded
    if (atLeast === undefined && atMost === undefined) return this.compute(op, "in", amounts, this.shape.decode)
    if (!Number.isFinite(atLeast ?? 0) || !Number.isFinite(atMost ?? 0)) {
      return this.refuse(new Problem("Expected a finite bound"))
    }
    return this.compute(op, "in", [...amounts, atLeast ?? false, atMost ?? false], this.shape.decode)
  }

  get(): AtomicNode {
    return this.op(Op.get, none, this.shape.decode)
  }
  set(value: unknown): AtomicNode {
    return this.withTexts([value], (texts) => this.op(Op.set, texts, nothing))
  }
  getAndSet(value: unknown): AtomicNode {
    return this.withTexts([value], (texts) => this.op(Op.getAndSet, texts, this.shape.decode))
  }
  compareAndSet(expected: unknown, value: unknown): AtomicNode {
    return this.withTexts([expected, value], (texts) => this.op(Op.compareAndSet, texts, isOne))
  }
  append(text: string): AtomicNode {
    if (typeof text !== "string" || !text.isWellFormed()) {
      return this.refuse(new Problem("Expected well-formed Unicode"))
    }
    return this.compute(Op.appendText, "t", [text], same)
  }
  increment(by = 1, bounds?: CallBounds): AtomicNode {
    return this.arithmetic(Op.add, [by], bounds)
  }
  decrement(by = 1, bounds?: CallBounds): AtomicNode {
    return this.arithmetic(Op.add, [-by], bounds)
  }
  multiply(by: number, bounds?: CallBounds): AtomicNode {
    return this.arithmetic(Op.multiply, [by], bounds)
  }
  divide(by: number, bounds?: CallBounds): AtomicNode {
    return this.arithmetic(Op.divide, [by], bounds)
  }
  quotient(by: number, bounds?: CallBounds): AtomicNode {
    return this.arithmetic(Op.quotient, [by], bounds)
  }
  modulo(by: number, bounds?: CallBounds): AtomicNode {
    return this.arithmetic(Op.modulo, [by], bounds)
  }
  min(other: number, bounds?: CallBounds): AtomicNode {
    return this.arithmetic(Op.min, [other], bounds)
  }
  max(other: number, bounds?: CallBounds): AtomicNode {
    return this.arithmetic(Op.max, [other], bounds)
  }
  clamp(low: number, high: number, bounds?: CallBounds): AtomicNode {
    if (low > high) return this.refuse(new Problem("Expected low to be at most high"))
    return this.arithmetic(Op.clamp, [low, high], bounds)
  }
  toggle(): AtomicNode {
    return this.compute(Op.toggle, "b", none, this.shape.decode)
  }
}

/** A cell that may be absent. */
class OptionalCell extends Cell {
  isSet(): AtomicNode {
    return this.op(Op.get, none, (result) => result !== false)
  }
  setIfAbsent(value: unknown): AtomicNode {
    return this.withTexts([value], (texts) => this.op(Op.setIfAbsent, texts, isOne))
  }
  clear(): AtomicNode {
    return this.op(Op.clear, none, nothing)
  }
}

const minimumPosition = -(2 ** 31)
const maximumPosition = 2 ** 31

/** A position as the interpreters take it: whole, and no further out than any list. */
const position = (value: number): number =>
  Math.max(minimumPosition, Math.min(maximumPosition, Math.trunc(Number.isNaN(value) ? 0 : value)))

class ListHandle {
  readonly place: Place
  readonly list: List
  constructor(place: Place, list: List) {
    this.place = place
    this.list = list
  }

  op(op: Op, args: ReadonlyArray<Argument>, decode: (result: any) => unknown): AtomicNode {
    return instruct(this.place, op, this.list.spec, this.list.field, args, decode)
  }

  refuse(problem: Problem): AtomicNode {
    return this.place.refusal === undefined
      ? invalid(this.place, this.list.field, problem)
      : new Invalid(this.place.refusal)
  }

  /** A list with a check that only the client knows takes whole lists only. */
  change(op: Op, args: ReadonlyArray<Argument>, decode: (result: any) => unknown): AtomicNode {
    return this.list.unsendable === undefined
      ? this.op(op, args, decode)
      : this.refuse(uncheckable(this.list.unsendable))
  }

  withItems(item: unknown, f: (texts: ReadonlyArray<string>) => AtomicNode): AtomicNode {
    const texts: Array<string> = []
    for (const value of Array.isArray(item) ? item : [item]) {
      const text = this.list.item.encode(value)
      if (text instanceof Problem) return this.refuse(text)
      texts.push(text)
    }
    return f(texts)
  }

  readonly items = (result: Result): unknown => this.list.decode(texts(result))
  readonly item = (result: Result): unknown => {
    if (result === false) return Option.none()
    const value = this.list.item.decode(result as string)
    return value instanceof Problem ? value : Option.some(value)
  }

  get(): AtomicNode {
    return this.op(Op.slice, [0, maximumPosition], this.items)
  }
  set(items: ReadonlyArray<unknown>): AtomicNode {
    const texts = this.list.encode(items)
    return texts instanceof Problem ? this.refuse(texts) : this.op(Op.setList, texts, nothing)
  }
  length(): AtomicNode {
    return this.op(Op.length, none, same)
  }
  slice(start = 0, end = maximumPosition): AtomicNode {
    return this.op(Op.slice, [position(start), position(end)], this.items)
  }
  append(item: unknown, options?: { readonly keep?: number | undefined }): AtomicNode {
    const keep = options?.keep
    if (keep !== undefined && !(Number.isSafeInteger(keep) && keep > 0)) {
      return this.refuse(new Problem("Expected keep to be a positive integer"))
    }
    return this.withItems(item, (texts) => this.change(Op.append, [keep ?? 0, ...texts], same))
  }
  prepend(item: unknown): AtomicNode {
    return this.withItems(item, (texts) => this.change(Op.prepend, texts, same))
  }
  pop(): AtomicNode {
    return this.change(Op.pop, none, this.item)
  }
  shift(): AtomicNode {
    return this.change(Op.shift, none, this.item)
  }
  clear(): AtomicNode {
    const refused = this.list.encode([])
    return refused instanceof Problem ? this.refuse(refused) : this.op(Op.clearList, none, nothing)
  }
  at(index: number): Cell {
    const { field, item, itemSpec, unsendable } = this.list
    const codec = unsendable === undefined ? item : { ...item, unsendable, encode: () => uncheckable(unsendable) }
    const shape: Shape = { field, spec: itemSpec, codec, decode: (result) => item.decode(result as string) }
    return new Cell(this.place, shape, [position(index)])
  }
}

/**
 * @param parts the values of the key's fields
 * @internal
 */
export const readWhole = (
  place: Place,
  self: Layout,
  field: string,
  op: Op,
  parts: ReadonlyArray<unknown>
): AtomicNode =>
  instruct(
    place,
    op,
    self.spec,
    field,
    none,
    op === Op.find
      ? (row) => {
        if (row === false) return Option.none()
        const value = self.decode(row, parts)
        return value instanceof Problem ? value : Option.some(value)
      }
      : (row) => self.decode(row, parts)
  )

/**
 * Writes the given fields of a struct: nested structs merge, everything else is replaced, and an optional field that is
 * `undefined` goes.
 *
 * @internal
 */
export const patch = (place: Place, self: Struct, value: unknown, complete: boolean): Array<AtomicNode> => {
  if (typeof value !== "object" || value === null) {
    return [invalid(place, self.field, new Problem("Expected an object"))]
  }
  const nodes: Array<AtomicNode> = []
  const children = new Map(self.fields)
  for (const name of complete ? children.keys() : Object.keys(value)) {
    const child = children.get(name)
    const part = (value as Record<string, unknown>)[name]
    if (child === undefined || child._tag === "key") {
      const issue = child === undefined ? "No such field" : "The key of an entity can't be changed"
      nodes.push(invalid(place, self.field, new Problem(issue, name)))
    } else if (child._tag === "struct") {
      nodes.push(...patch(place, child, part, complete))
    } else if (child._tag === "list") {
      nodes.push(new ListHandle(place, child).set(part as ReadonlyArray<unknown>))
    } else if (part === undefined && child.absence !== "refused") {
      nodes.push(instruct(place, Op.clear, child.spec, child.field, none, nothing))
    } else {
      nodes.push(leafCell(place, child).set(part))
    }
  }
  return nodes
}

const shapeOf = (leaf: Leaf): Shape => {
  const { codec, field, spec } = leaf
  const read = (result: Result): unknown => readLeaf(leaf, result)
  if (leaf.absence === "refused") return { field, spec, codec, decode: read }
  return {
    field,
    spec,
    codec,
    decode: (result) => {
      const value = read(result)
      return value instanceof Problem ? value : Option.fromUndefinedOr(value)
    }
  }
}

const leafCell = (place: Place, leaf: Leaf, shape = shapeOf(leaf)): Cell =>
  leaf.absence === "refused" ? new Cell(place, shape, none) : new OptionalCell(place, shape, none)

class Whole {
  readonly place: Place
  readonly struct: Struct
  readonly layout: Layout
  constructor(place: Place, struct: Struct, layout: Layout) {
    this.place = place
    this.struct = struct
    this.layout = layout
  }
  get(): AtomicNode {
    return readWhole(this.place, this.layout, this.struct.field, Op.read, none)
  }
  set(value: unknown): AtomicNode {
    return sequence(this.place, patch(this.place, this.struct, value, true))
  }
}

/**
 * Several writes of one entity that give nothing; without any, the entity must still be there.
 *
 * @internal
 */
export const sequence = (place: Place, nodes: ReadonlyArray<AtomicNode>): AtomicNode => {
  const present = instruct(place, Op.require, { fs: [], cs: [] }, "", none, nothing)
  return nodes.length === 0 ? present : nodes.length === 1 ? nodes[0]! : new Mapped(new All(nodes, undefined), nothing)
}

/** A symbol, since a field may have any name. */
const placeOf = Symbol("~redlayer/place")

/** @internal */
export interface HandleClass {
  new(place: Place): object
}

/** The handle of a field that can't be used: every operation of it is refused when it is committed. */
const refusingHandle = (node: AtomicNode): object => {
  const handle: object = new Proxy({}, { get: (_, name) => () => name === "at" ? handle : node })
  return handle
}

/** A struct that is one value, because of a check that its type doesn't show: the whole can be used, its fields can't. */
const checkedHandle = (place: Place, field: string, parts: Schema.Struct.Fields, whole: object): object => {
  const handle = Object.defineProperty({}, "$", { value: whole })
  for (const name of Object.keys(parts)) {
    const path = `${field}.${name}`
    const inner = fieldsOf(parts[name]!)
    const refusing = refusingHandle(
      place.refusal === undefined
        ? invalid(place, path, new Problem("It is part of a struct with a check, which is written as a whole"))
        : new Invalid(place.refusal)
    )
    Object.defineProperty(handle, name, {
      enumerable: true,
      value: inner === undefined ? refusing : checkedHandle(place, path, inner, refusing)
    })
  }
  return handle
}

const handleOf = (child: Exclude<Node, { readonly _tag: "key" }>): (place: Place) => object => {
  switch (child._tag) {
    case "leaf": {
      const shape = shapeOf(child)
      return child.parts === undefined
        ? (place) => leafCell(place, child, shape)
        : (place) => checkedHandle(place, child.field, child.parts!, leafCell(place, child, shape))
    }
    case "list":
      return (place) => new ListHandle(place, child)
    case "struct": {
      const Handle = structHandle(child, true)
      return (place) => new Handle(place)
    }
  }
}

/**
 * A class whose getters are the handles of a struct's fields: only what is used is made.
 *
 * @internal
 */
export const structHandle = (self: Struct, whole: boolean): HandleClass => {
  class Handle {
    readonly [placeOf]: Place
    constructor(place: Place) {
      this[placeOf] = place
    }
  }
  const define = (name: string, get: (place: Place) => object) =>
    Object.defineProperty(Handle.prototype, name, {
      enumerable: true,
      configurable: true,
      get(this: Handle) {
        return get(this[placeOf])
      }
    })
  for (const [name, child] of self.fields) if (child._tag !== "key") define(name, handleOf(child))
  if (whole) {
    let lazy: Layout | undefined
    define("$", (place) => new Whole(place, self, lazy ??= layout(self)))
  }
  return Handle
}
