/**
 * The name of an entity's key, made of the model's name and the id. The part in braces, the tag, decides the slot: keys
 * with the same tag are on the same node of a cluster.
 */
import { crc16 } from "../text/crc16.ts"
import { escape, escapeId, isTooLong, tooLong } from "../text/escape.ts"
import { Problem } from "../text/problem.ts"
import type { Codec } from "./codec.ts"

/** @internal */
export type Slot = "id" | (string & {}) | { readonly partitions: number }

/**
 * How the ids of a model become keys.
 *
 * @internal
 */
export interface KeyPlan {
  readonly model: string
  /** The fields of the key. */
  readonly names: ReadonlyArray<string>
  readonly isTuple: boolean
  readonly codecs: ReadonlyArray<Codec>
  readonly slot: Slot
}

/**
 * The key of an entity.
 *
 * @internal
 */
export interface Key {
  readonly key: string
  /** The escaped id, for errors. */
  readonly id: string
}

/**
 * Returns the function from an id to its key. An id that cannot be stored is a problem.
 *
 * @internal
 */
export const keyOf = (plan: KeyPlan): (id: unknown) => Key | Problem => {
  const { codecs, isTuple, names, slot } = plan
  const prefix = `${escape(plan.model)}:{`
  const component = isTuple && typeof slot === "string" && slot !== "id" ? names.indexOf(slot) : -1

  const part = (value: unknown, i: number): string | Problem => {
    const text = codecs[i]!.encode(value)
    if (text instanceof Problem) return text.within(names[i]!)
    const escaped = escapeId(text)
    return escaped instanceof Problem ? escaped.within(names[i]!) : escaped
  }
  const whole = (id: string): Key => ({
    key: typeof slot === "object" ? `${prefix}p${crc16(id) % slot.partitions}}:${id}` : `${prefix}${id}}`,
    id
  })

  if (!isTuple) {
    return (id) => {
      const escaped = part(id, 0)
      return escaped instanceof Problem ? escaped : whole(escaped)
    }
  }
  return (id) => {
    if (!Array.isArray(id) || id.length !== names.length) return new Problem(`Expected a tuple of ${names.length}`)
    const escaped: Array<string> = []
    for (let i = 0; i < names.length; i++) {
      const text = part(id[i], i)
      if (text instanceof Problem) return text
      escaped.push(text)
    }
    const joined = escaped.join(":")
    if (isTooLong(joined)) return tooLong
    if (component < 0) return whole(joined)
    return {
      key: `${prefix}${escaped[component]!}}:${escaped.filter((_, i) => i !== component).join(":")}`,
      id: joined
    }
  }
}
