/**
 * The handle of a map or record.
 */
import * as Arr from "effect/Array"
import { Op } from "../instruction/ops.ts"
import type { Result } from "../instruction/reply.ts"
import type { AtomicNode } from "../program/node.ts"
import { Problem } from "../text/problem.ts"
import { CollectionHandle, fieldOf, textsOf } from "./collection.ts"
import { isOne, named, nameRefusals, noArguments, nothing, refusing, same } from "./entityRef.ts"
import { EntryHandle, type Shape } from "./scalar.ts"

/** @internal */
export class MapHandle extends CollectionHandle {
  has(key: unknown): AtomicNode {
    return this.withName(key, (name) => this.op(Op.has, [name], isOne))
  }
  readonly entries = (row: Result): ReadonlyArray<readonly [key: unknown, value: unknown]> | Problem => {
    const texts = textsOf(row)
    const entries: Array<readonly [unknown, unknown]> = []
    for (let i = 0; i < texts.length; i += 2) {
      const key = this.collection.name!.decode(texts[i]!)
      if (key instanceof Problem) return key
      const value = this.collection.item.decode(texts[i + 1]!)
      if (value instanceof Problem) return value
      entries.push([key, value])
    }
    return entries
  }

  keys(): AtomicNode {
    return this.op(Op.keys, noArguments, (row: Result) => {
      const keys: Array<unknown> = []
      for (const name of textsOf(row)) {
        const key = this.collection.name!.decode(name)
        if (key instanceof Problem) return key
        keys.push(key)
      }
      return keys
    })
  }
  put(key: unknown, value: unknown): AtomicNode {
    return this.withName(key, (name) => {
      const text = this.collection.item.encode(value)
      return text instanceof Problem ? this.refuse(text) : this.change(Op.putEntries, [name, text], nothing)
    })
  }
  putAll(entries: unknown): AtomicNode {
    const encoded = this.collection.encodeSome(entries)
    return encoded instanceof Problem
      ? this.refuse(encoded)
      : named("putAll", this.change(Op.putEntries, encoded, nothing))
  }
  remove(key: unknown): AtomicNode {
    return this.withName(key, (name) => this.change(Op.remove, [name], isOne))
  }
  removeAll(keys: ReadonlyArray<unknown>): AtomicNode {
    return this.withNames(keys, (names) => named("removeAll", this.change(Op.remove, names, same)))
  }
  pop(key: unknown): AtomicNode {
    return this.withName(key, (name) => this.change(Op.popEntry, [name], this.optionalItem))
  }
  popAny(wanted?: number): AtomicNode {
    return this.take(Op.popAny, wanted, (row) => {
      const entries = this.entries(row)
      return entries instanceof Problem ? entries : Arr.head(entries)
    }, this.entries)
  }
  at(key: unknown): EntryHandle {
    const { field, item, itemSpec, name, clientOnlyCheck } = this.collection
    const text = name!.encode(key)
    const shape: Shape = {
      field,
      spec: itemSpec,
      codec: item,
      clientOnlyCheck,
      decode: this.optionalItem,
      decodeNew: (result) => item.decode(result as string)
    }
    if (typeof text === "string") return new EntryHandle(this.ref, shape, [text])
    return new EntryHandle(refusing(this.ref, field, text), shape, noArguments)
  }
}

nameRefusals(MapHandle, fieldOf, [])
