import { Problem } from "../../schema/problem.ts"
import type { AtomicNode } from "../atomic.ts"
import { Op } from "../instruction.ts"
import { CollectionHandle } from "./collection.ts"
import { isOne, none, same } from "./place.ts"

/** @internal */
export class SetHandle extends CollectionHandle {
  values(): AtomicNode {
    return this.get()
  }
  has(member: unknown): AtomicNode {
    return this.withName(member, (text) => this.op(Op.has, [text], isOne))
  }
  add(member: unknown): AtomicNode {
    return this.withItems(member, (texts) => this.change(Op.addMembers, texts, same))
  }
  remove(member: unknown): AtomicNode {
    return this.withName(member, (text) => this.change(Op.remove, [text], isOne))
  }
  removeAll(members: ReadonlyArray<unknown>): AtomicNode {
    return this.withNames(members, (texts) => this.change(Op.remove, texts, same))
  }
  pop(): AtomicNode {
    return this.change(Op.take, none, this.optionalItem)
  }
  union(other: SetHandle): AtomicNode {
    return this.with(Op.union, other)
  }
  intersection(other: SetHandle): AtomicNode {
    return this.with(Op.intersection, other)
  }
  difference(other: SetHandle): AtomicNode {
    return this.with(Op.difference, other)
  }

  /** Members are compared as they are stored. */
  with(op: Op, { collection, place }: SetHandle): AtomicNode {
    const { item } = this.collection
    if (item.kind !== collection.item.kind || item.form !== collection.item.form) {
      return this.refuse(new Problem("Expected a set that stores its members in the same form"))
    }
    return this.op(op, none, this.whole, { place, spec: collection.spec, field: collection.field })
  }
}
