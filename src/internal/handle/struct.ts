/**
 * The handles of structs, and what is read and written of them as a whole.
 */
import * as Option from "effect/Option"
import type * as Schema from "effect/Schema"
import { Comparison, Op } from "../instruction/ops.ts"
import type { Result } from "../instruction/reply.ts"
import { type Expiry, noFields } from "../instruction/spec.ts"
import { All, Junction, Mapped, Not } from "../program/atomic.ts"
import type { AtomicNode } from "../program/node.ts"
import { type Layout, layout } from "../schema/layout.ts"
import { encodeLeaf, fieldsOf, type Leaf, type Node, readLeaf, type Struct } from "../schema/plan.ts"
import { readRow } from "../schema/tolerated.ts"
import { Problem } from "../text/problem.ts"
import { CollectionHandle } from "./collection.ts"
import { type HandleRef, instruct, invalid, isOne, none, nothing } from "./entityRef.ts"
import { ListHandle } from "./list.ts"
import { MapHandle } from "./map.ts"
import { OptionalHandle, ScalarHandle, type Shape } from "./scalar.ts"
import { SetHandle } from "./set.ts"
import { SortedSetHandle } from "./sortedSet.ts"

/**
 * @param parts the values of the key's fields
 * @internal
 */
export const readWhole = (
  place: HandleRef,
  self: Layout,
  field: string,
  op: Op,
  parts: ReadonlyArray<unknown>
): AtomicNode => {
  const read = (row: Result): unknown => readRow(self, place.model, row as ReadonlyArray<Result>, parts)
  return tolerating(
    self,
    instruct(
      place,
      op,
      self.spec,
      field,
      none,
      op === Op.find
        ? (row) => {
          if (row === false) return Option.none()
          const value = read(row)
          return value instanceof Problem ? value : Option.some(value)
        }
        : read
    )
  )
}

/**
 * Marks what reads a layout that tolerates.
 *
 * @internal
 */
export const tolerating = ({ isTolerant }: Layout, node: AtomicNode): AtomicNode => {
  if (isTolerant && node._tag === "Instruct") node.isTolerant = true
  return node
}

/**
 * Writes the given fields of a struct: nested structs merge, everything else is replaced, and an optional field that is
 * `undefined` goes.
 *
 * @internal
 */
export const patch = (place: HandleRef, self: Struct, value: unknown, complete: boolean): Array<AtomicNode> => {
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
    } else if (child._tag === "collection") {
      nodes.push(new CollectionHandle(place, child).set(part))
    } else {
      const text = encodeLeaf(child, part)
      nodes.push(
        text instanceof Problem
          ? invalid(place, child.field, text)
          : text === false
          ? instruct(place, Op.clear, child.spec, child.field, none, nothing)
          : instruct(place, Op.set, child.spec, child.field, [text], nothing)
      )
    }
  }
  return nodes
}

const shapeOf = (leaf: Leaf): Shape => {
  const { absence, codec, field, spec } = leaf
  const read = (result: Result): unknown => readLeaf(leaf, result)
  return {
    field,
    spec,
    codec,
    decode: absence === "refused" ? read : (result) => {
      const value = read(result)
      return value instanceof Problem
        ? value
        : absence === "null"
        ? Option.fromNullOr(value)
        : Option.fromUndefinedOr(value)
    },
    decodeNew: read
  }
}

const leafCell = (place: HandleRef, leaf: Leaf, shape: Shape): ScalarHandle =>
  leaf.absence === "refused" ? new ScalarHandle(place, shape, none) : new OptionalHandle(place, shape, none)

const handles = { list: ListHandle, set: SetHandle, map: MapHandle, sortedSet: SortedSetHandle }

class Whole {
  readonly place: HandleRef
  readonly struct: Struct
  readonly layout: Layout
  constructor(place: HandleRef, struct: Struct, layout: Layout) {
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
  eq(value: unknown): AtomicNode {
    const tests = equalities(this.place, this.struct, value)
    return tests.length === 0 ? exists(this.place) : new Junction(true, tests)
  }
  neq(value: unknown): AtomicNode {
    return new Not(this.eq(value))
  }
}

const exists = (place: HandleRef): AtomicNode => instruct(place, Op.exists, noFields, "", none, isOne)

/** A struct equals another when each of its fields does. */
const equalities = (place: HandleRef, self: Struct, value: unknown): Array<AtomicNode> => {
  if (typeof value !== "object" || value === null) {
    return [invalid(place, self.field, new Problem("Expected an object"))]
  }
  return self.fields.flatMap(([name, child]) => {
    const part = (value as Record<string, unknown>)[name]
    switch (child._tag) {
      case "key":
        return []
      case "struct":
        return equalities(place, child, part)
      case "collection":
        return [invalid(place, child.field, new Problem("A collection can't be compared as a whole"))]
      case "leaf": {
        const cell = leafCell(place, child, shapeOf(child))
        return cell instanceof OptionalHandle && (part === undefined || part === null && child.absence === "null")
          ? [new Not(cell.isSet())]
          : [cell.compare(Comparison.eq, part)]
      }
    }
  })
}

/**
 * Several writes of one entity that give nothing; without any, the entity must still be there.
 *
 * @internal
 */
export const sequence = (place: HandleRef, nodes: ReadonlyArray<AtomicNode>): AtomicNode => {
  const present = instruct(place, Op.require, noFields, "", none, nothing)
  return nodes.length === 0 ? present : nodes.length === 1 ? nodes[0]! : new Mapped(new All(nodes, undefined), nothing)
}

/** A symbol, since a field may have any name. */
const placeOf = Symbol("~redlayer/place")

/**
 * The entity of the reference, or of a struct of one; undefined where it is something else.
 *
 * @internal
 */
export const placeOfHandle = (handle: object): HandleRef | undefined =>
  (handle as { readonly [placeOf]?: HandleRef } | null)?.[placeOf]

/** @internal */
export interface HandleClass {
  new(place: HandleRef): object
}

/** The handle of a field that can't be used: every operation of it is refused when it is committed. */
const refusingHandle = (node: AtomicNode): object => {
  const handle: object = new Proxy({}, { get: (_, name) => () => name === "at" ? handle : node })
  return handle
}

/** A struct that is one value, because of a check that its type doesn't show: the whole can be used, its fields can't. */
const checkedHandle = (place: HandleRef, field: string, parts: Schema.Struct.Fields, whole: object): object => {
  const handle = Object.defineProperty({}, "$", { value: whole })
  for (const name of Object.keys(parts)) {
    const path = `${field}.${name}`
    const inner = fieldsOf(parts[name]!)
    const refusing = refusingHandle(
      invalid(
        place,
        path,
        new Problem("It is part of a struct with a check, which is written as a whole; use modify, or put")
      )
    )
    Object.defineProperty(handle, name, {
      enumerable: true,
      value: inner === undefined ? refusing : checkedHandle(place, path, inner, refusing)
    })
  }
  return handle
}

const handleOf = (
  child: Exclude<Node, { readonly _tag: "key" }>,
  expiry: Expiry | undefined
): (place: HandleRef) => object => {
  switch (child._tag) {
    case "leaf": {
      const shape = shapeOf(child)
      return child.parts === undefined
        ? (place) => leafCell(place, child, shape)
        : (place) => checkedHandle(place, child.field, child.parts!, leafCell(place, child, shape))
    }
    case "collection": {
      const Handle = handles[child.kind]
      return (place) => new Handle(place, child)
    }
    case "struct": {
      const Handle = structHandle(child, true, expiry)
      return (place) => new Handle(place)
    }
  }
}

/**
 * A class whose getters are the handles of a struct's fields: only what is used is made.
 *
 * @internal
 */
export const structHandle = (self: Struct, whole: boolean, expiry: Expiry | undefined): HandleClass => {
  class Handle {
    readonly [placeOf]: HandleRef
    constructor(place: HandleRef) {
      this[placeOf] = place
    }
  }
  const define = (name: string, get: (place: HandleRef) => object) =>
    Object.defineProperty(Handle.prototype, name, {
      enumerable: true,
      configurable: true,
      get(this: Handle) {
        return get(this[placeOf])
      }
    })
  for (const [name, child] of self.fields) if (child._tag !== "key") define(name, handleOf(child, expiry))
  if (whole) {
    let lazy: Layout | undefined
    define("$", (place) => new Whole(place, self, lazy ??= layout(self, expiry)))
  }
  return Handle
}
