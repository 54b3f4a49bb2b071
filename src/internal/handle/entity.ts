/**
 * Reads and writes of an entity or a struct as a whole.
 */
import * as Option from "effect/Option"
import { Op } from "../instruction/ops.ts"
import type { Result } from "../instruction/reply.ts"
import { noFields } from "../instruction/spec.ts"
import { All, Mapped } from "../program/atomic.ts"
import type { AtomicNode } from "../program/node.ts"
import type { Layout } from "../schema/layout.ts"
import { encodeLeaf, type Struct } from "../schema/plan.ts"
import { readRow } from "../schema/tolerated.ts"
import { Problem } from "../text/problem.ts"
import { CollectionHandle } from "./collection.ts"
import { type HandleRef, instruct, invalid, named, noArguments, nothing, pathOf, refusedBy } from "./entityRef.ts"

/**
 * Reads the fields of a layout. The result of `find` is an `Option`.
 *
 * @param parts the values of the key's fields
 * @internal
 */
export const readWhole = (
  ref: HandleRef,
  self: Layout,
  field: string,
  op: Op,
  parts: ReadonlyArray<unknown>
): AtomicNode => {
  const read = (row: Result): unknown => readRow(self, ref.model, row as ReadonlyArray<Result>, parts)
  return tolerating(
    self,
    instruct(
      ref,
      op,
      self.spec,
      field,
      noArguments,
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
 * Marks a read whose layout tolerates unreadable fields.
 *
 * @internal
 */
export const tolerating = ({ isTolerant }: Layout, node: AtomicNode): AtomicNode => {
  if (isTolerant && node._tag === "Instruct") node.isTolerant = true
  return node
}

const patch = (
  ref: HandleRef,
  self: Struct,
  value: unknown,
  method: "set" | "update",
  id: ReadonlyArray<unknown>
): Array<AtomicNode> => {
  const refused = (field: string, problem: Problem) => refusedBy(pathOf(field, method), invalid(ref, field, problem))
  if (typeof value !== "object" || value === null) return [refused(self.field, new Problem("Expected an object"))]
  const nodes: Array<AtomicNode> = []
  const children = new Map(self.fields)
  for (const name of method === "set" ? children.keys() : Object.keys(value)) {
    const child = children.get(name)
    const part = (value as Record<string, unknown>)[name]
    if (child === undefined) {
      nodes.push(refused(self.field, new Problem("No such field", name)))
    } else if (child._tag === "key") {
      if (child.codec.encode(part) !== child.codec.encode(id[child.position])) {
        nodes.push(refused(self.field, new Problem("The key of an entity can't be changed", name)))
      }
    } else if (child._tag === "struct") {
      nodes.push(...patch(ref, child, part, method, id))
    } else if (child._tag === "collection") {
      nodes.push(refusedBy(pathOf(child.field, method), named(method, new CollectionHandle(ref, child).set(part))))
    } else {
      const text = encodeLeaf(child, part)
      const node = text instanceof Problem
        ? invalid(ref, child.field, text)
        : text === false
        ? named(method, instruct(ref, Op.clear, child.spec, child.field, noArguments, nothing))
        : named(method, instruct(ref, Op.set, child.spec, child.field, [text], nothing))
      nodes.push(refusedBy(pathOf(child.field, method), node))
    }
  }
  return nodes
}

/**
 * Writes a struct. `set` writes every field. `update` writes the given fields: it merges nested structs and replaces
 * everything else; an optional field that is `undefined` is removed. If there is nothing to write, the entity must exist.
 *
 * @param id the values of the key's fields, which may be in the value
 * @internal
 */
export const writeStruct = (
  ref: HandleRef,
  self: Struct,
  value: unknown,
  method: "set" | "update",
  id: ReadonlyArray<unknown> = []
): AtomicNode => {
  const nodes = patch(ref, self, value, method, id)
  return nodes.length === 0
    ? refusedBy(method, named(method, instruct(ref, Op.require, noFields, "", noArguments, nothing)))
    : nodes.length === 1
    ? nodes[0]!
    : new Mapped(new All(nodes, undefined), nothing)
}
