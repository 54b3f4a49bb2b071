/**
 * The handle of a set.
 */
import { Op } from "../instruction/ops.ts"
import type { AtomicNode } from "../program/node.ts"
import type { Codec } from "../schema/codec.ts"
import { Problem } from "../text/problem.ts"
import { CollectionHandle, fieldOf } from "./collection.ts"
import { isOne, named, nameRefusals, noArguments, same } from "./entityRef.ts"

const checksOf = ({ bounds, clientOnlyCheck }: Codec): string => JSON.stringify([bounds, clientOnlyCheck])

/** @internal */
export class SetHandle extends CollectionHandle {
  values(): AtomicNode {
    return named("values", this.get())
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
    return this.withNames(members, (texts) => named("removeAll", this.change(Op.remove, texts, same)))
  }
  pop(wanted?: number): AtomicNode {
    return named("pop", this.take(Op.popAny, wanted, this.optionalItem, this.items))
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

  /**
   * Members are compared as stored texts, so their forms must be equal. The checks must be equal for a union only, because its
   * result has members of the other set.
   */
  with(op: Op, other: SetHandle): AtomicNode {
    if (!(other instanceof SetHandle)) return this.refuse(new Problem("Expected a set"))
    const { collection, ref } = other
    const [item, others] = [this.collection.item, collection.item]
    if (
      item.kind !== others.kind || item.form !== others.form || op === Op.union && checksOf(item) !== checksOf(others)
    ) {
      return this.refuse(new Problem("Expected a set whose members have the same form and checks"))
    }
    return this.op(op, noArguments, this.whole, { ref, spec: collection.spec, field: collection.field })
  }
}

nameRefusals(SetHandle, fieldOf, ["with"])
