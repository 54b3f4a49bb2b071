/**
 * The names of an entity's keys. The part in braces is the slot: keys with the same one are on the same node of a cluster.
 */
import { crc16 } from "../program/slot.ts"
import type { Codec } from "./codec.ts"
import { escape, escapeId } from "./escape.ts"
import { Problem } from "./problem.ts"

/** @internal */
export type Slot = "id" | (string & {}) | { readonly partitions: number }

/** @internal */
export interface KeyPlan {
  readonly model: string
  readonly names: ReadonlyArray<string>
  readonly isTuple: boolean
  readonly codecs: ReadonlyArray<Codec>
  readonly slot: Slot
}

/** @internal */
export interface Key {
  readonly key: string
  /** the id as text, for errors */
  readonly id: string
  readonly parts: ReadonlyArray<unknown>
}

/** @internal */
export const keyOf = (plan: KeyPlan): (id: unknown) => Key | Problem => {
  const prefix = escape(plan.model)
  const slot = plan.slot
  const component = typeof slot === "string" ? plan.isTuple ? plan.names.indexOf(slot) : -1 : -1
  return (id) => {
    const parts = plan.isTuple ? id : [id]
    if (!Array.isArray(parts) || parts.length !== plan.codecs.length) {
      return new Problem(`Expected a tuple of ${plan.codecs.length}`)
    }
    const escaped: Array<string> = []
    for (let i = 0; i < parts.length; i++) {
      const text = plan.codecs[i]!.encode(parts[i])
      const part = text instanceof Problem ? text : escapeId(text)
      if (part instanceof Problem) return new Problem(part.issue, plan.names[i])
      escaped.push(part)
    }
    const name = escaped.length === 1 ? escaped[0]! : escaped.join(":")
    if (typeof slot === "object") {
      return { key: `${prefix}:{p${crc16(name) % slot.partitions}}:${name}`, id: name, parts }
    }
    if (component < 0) return { key: `${prefix}:{${name}}`, id: name, parts }
    const rest = escaped.filter((_, i) => i !== component)
    return { key: `${prefix}:{${escaped[component]!}}:${rest.join(":")}`, id: name, parts }
  }
}
