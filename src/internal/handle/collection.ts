/**
 * What the handles of all collections have in common.
 */
import * as Option from "effect/Option"
import { Op } from "../instruction/ops.ts"
import type { Argument } from "../instruction/program.ts"
import type { Result } from "../instruction/reply.ts"
import type { FieldSpec } from "../instruction/spec.ts"
import type { AtomicNode } from "../program/node.ts"
import type { Collection } from "../schema/collection.ts"
import { Problem } from "../text/problem.ts"
import { Count } from "./count.ts"
import { encodeAll, type HandleRef, instruct, invalid, none, nothing, uncheckable } from "./entityRef.ts"
import { type Operand, withOperands } from "./operand.ts"

/** @internal */
export const texts = (row: Result): ReadonlyArray<string> => Array.isArray(row) ? row : []

/** @internal */
export class CollectionHandle {
  readonly place: HandleRef
  readonly collection: Collection

  constructor(place: HandleRef, collection: Collection) {
    this.place = place
    this.collection = collection
  }

  op(
    op: Op,
    args: ReadonlyArray<Argument>,
    decode: (result: any) => unknown,
    other?: { readonly place: HandleRef; readonly spec: FieldSpec; readonly field: string },
    operands?: ReadonlyArray<Operand>
  ): AtomicNode {
    const { field, spec } = this.collection
    const before = withOperands(operands, (problem) => this.refuse(problem))
    return before === undefined || Array.isArray(before)
      ? instruct(this.place, op, spec, field, args, decode, other, before)
      : before as AtomicNode
  }

  refuse(problem: Problem): AtomicNode {
    return invalid(this.place, this.collection.field, problem)
  }

  /** One with a check that only the client knows takes whole values only. */
  change(op: Op, args: ReadonlyArray<Argument>, decode: (result: any) => unknown): AtomicNode {
    const { clientOnlyCheck } = this.collection
    return clientOnlyCheck === undefined ? this.op(op, args, decode) : this.refuse(uncheckable(clientOnlyCheck))
  }

  /** With the texts of items, of which an array is several. */
  withItems(item: unknown, f: (texts: ReadonlyArray<string>) => AtomicNode): AtomicNode {
    const encoded = encodeAll(this.collection.item, Array.isArray(item) ? item : [item])
    return encoded instanceof Problem ? this.refuse(encoded) : f(encoded)
  }

  /** With the text of one item, or of the name of an entry. */
  withName(name: unknown, f: (text: string) => AtomicNode): AtomicNode {
    const text = (this.collection.name ?? this.collection.item).encode(name)
    return text instanceof Problem ? this.refuse(text) : f(text)
  }

  withNames(names: ReadonlyArray<unknown>, f: (texts: ReadonlyArray<string>) => AtomicNode): AtomicNode {
    if (!Array.isArray(names)) return this.refuse(new Problem("Expected an array"))
    const encoded = encodeAll(this.collection.name ?? this.collection.item, names)
    return encoded instanceof Problem ? this.refuse(encoded) : f(encoded)
  }

  readonly whole = (result: Result): unknown => this.collection.decode(texts(result))

  readonly optionalItem = (result: Result): unknown => {
    if (result === false) return Option.none()
    const value = this.collection.item.decode(result as string)
    return value instanceof Problem ? value : Option.some(value)
  }

  get(): AtomicNode {
    return this.op(Op.values, none, this.whole)
  }
  set(value: unknown): AtomicNode {
    const encoded = this.collection.encode(value)
    return encoded instanceof Problem ? this.refuse(encoded) : this.op(Op.replace, encoded, nothing)
  }
  size(): Count {
    return new Count(this, "size")
  }
  clear(): AtomicNode {
    const refused = this.collection.encode(this.collection.decode([]))
    return refused instanceof Problem ? this.refuse(refused) : this.op(Op.clearAll, none, nothing)
  }
}
