/**
 * The handles of structs: their getters return the handles of the fields. Also the handle `$` of a struct as a whole.
 */
import type * as Schema from "effect/Schema"
import { Op } from "../instruction/ops.ts"
import type { Expiry } from "../instruction/spec.ts"
import { Not } from "../program/atomic.ts"
import type { AtomicNode } from "../program/node.ts"
import { type Layout, layout } from "../schema/layout.ts"
import { fieldsOf, type Node, type Struct } from "../schema/plan.ts"
import { Problem } from "../text/problem.ts"
import { readWhole, writeStruct } from "./entity.ts"
import { type HandleRef, invalid, noArguments, pathOf, refusedBy } from "./entityRef.ts"
import { leafHandle, shapeOf } from "./leaf.ts"
import { ListHandle } from "./list.ts"
import { MapHandle } from "./map.ts"
import { SetHandle } from "./set.ts"
import { SortedSetHandle } from "./sortedSet.ts"
import { equalsStruct } from "./structEquality.ts"

const handles = { list: ListHandle, set: SetHandle, map: MapHandle, sortedSet: SortedSetHandle }

/** The handle `$` of a nested struct. */
class WholeHandle {
  readonly ref: HandleRef
  readonly struct: Struct
  readonly layout: Layout
  constructor(ref: HandleRef, struct: Struct, layout: Layout) {
    this.ref = ref
    this.struct = struct
    this.layout = layout
  }
  get(): AtomicNode {
    const { field } = this.struct
    return refusedBy(pathOf(field, "get"), readWhole(this.ref, this.layout, field, Op.read, noArguments))
  }
  set(value: unknown): AtomicNode {
    return writeStruct(this.ref, this.struct, value, "set")
  }
  eq(value: unknown): AtomicNode {
    return equalsStruct(this.ref, this.struct, value, "eq")
  }
  neq(value: unknown): AtomicNode {
    return new Not(equalsStruct(this.ref, this.struct, value, "neq"))
  }
}

/** A symbol, because a field may have any name. */
const refKey = Symbol("~redlayer/ref")

/**
 * Returns the entity of a model's reference or of a nested struct. Undefined for anything else.
 *
 * @internal
 */
export const refOfHandle = (handle: object): HandleRef | undefined =>
  (handle as { readonly [refKey]?: HandleRef } | null)?.[refKey]

/** @internal */
export interface HandleClass {
  new(ref: HandleRef): object
}

/** The handle of a field that can't be used alone: every method returns the refusal. */
const refusingHandle = (field: string, node: AtomicNode): object => {
  const handle: object = new Proxy({}, {
    get: (_, name) => () => name === "at" ? handle : refusedBy(pathOf(field, String(name)), node)
  })
  return handle
}

/** The handle of a struct with a check, which is stored as one value: only `$` can be used. */
const checkedHandle = (ref: HandleRef, field: string, parts: Schema.Struct.Fields, whole: object): object => {
  const handle = Object.defineProperty({}, "$", { value: whole })
  for (const name of Object.keys(parts)) {
    const path = `${field}.${name}`
    const inner = fieldsOf(parts[name]!)
    const refusing = refusingHandle(
      path,
      invalid(
        ref,
        path,
        new Problem("It is part of a struct with a check, which is written as a whole; use modify, or put")
      )
    )
    Object.defineProperty(handle, name, {
      enumerable: true,
      value: inner === undefined ? refusing : checkedHandle(ref, path, inner, refusing)
    })
  }
  return handle
}

const handleOf = (
  child: Exclude<Node, { readonly _tag: "key" }>,
  expiry: Expiry | undefined
): (ref: HandleRef) => object => {
  switch (child._tag) {
    case "leaf": {
      const shape = shapeOf(child)
      return child.parts === undefined
        ? (ref) => leafHandle(ref, child, shape)
        : (ref) => checkedHandle(ref, child.field, child.parts!, leafHandle(ref, child, shape))
    }
    case "collection": {
      const Handle = handles[child.kind]
      return (ref) => new Handle(ref, child)
    }
    case "struct": {
      const Handle = structHandle(child, true, expiry)
      return (ref) => new Handle(ref)
    }
  }
}

/**
 * Makes a class whose getters return the handles of a struct's fields. A handle is made when its getter is used, so a
 * reference costs the same no matter how many fields the model has.
 *
 * @param whole whether it has `$`, the handle of the struct as a whole
 * @internal
 */
export const structHandle = (self: Struct, whole: boolean, expiry: Expiry | undefined): HandleClass => {
  class Handle {
    readonly [refKey]: HandleRef
    constructor(ref: HandleRef) {
      this[refKey] = ref
    }
  }
  const define = (name: string, get: (ref: HandleRef) => object) =>
    Object.defineProperty(Handle.prototype, name, {
      enumerable: true,
      configurable: true,
      get(this: Handle) {
        return get(this[refKey])
      }
    })
  for (const [name, child] of self.fields) if (child._tag !== "key") define(name, handleOf(child, expiry))
  if (whole) {
    let lazy: Layout | undefined
    define("$", (ref) => new WholeHandle(ref, self, lazy ??= layout(self, expiry)))
  }
  return Handle
}
