/**
 * The name of an entity's key, made of the model's name and the id. The part in braces, the tag, decides the slot: keys
 * with the same tag are on the same node of a cluster.
 */
import { crc16 } from "../text/crc16.ts"
import { escape, escapeId, isTooLong, tooLong, unescape } from "../text/escape.ts"
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
 * The text that all keys of a model's entities begin with, and no key of another model.
 *
 * @internal
 */
export const startOf = (model: string): string => `${escape(model)}:{`

/**
 * The key of a stored entity, and its id, which is a problem if no entity with this key can be read.
 *
 * @internal
 */
export interface FoundKey extends Key {
  readonly value: unknown
}

/**
 * Returns the function from a key that begins with `startOf` to what it is the key of. Undefined: it is no entity's, but that of
 * a collection or of a lock.
 *
 * @internal
 */
export const foundKeyOf = (plan: KeyPlan): (key: string) => FoundKey | undefined => {
  const { codecs, isTuple, names, slot } = plan
  const start = startOf(plan.model).length
  const keyOfId = keyOf(plan)
  const component = isTuple && typeof slot === "string" && slot !== "id" ? names.indexOf(slot) : -1

  /** The escaped parts of the id, in order. An escaped part has no colon, no brace and no dollar sign. */
  const partsOf = (key: string): ReadonlyArray<string> | undefined => {
    const end = key.indexOf("}", start)
    const tag = key.slice(start, end)
    const rest = key.slice(end + 1)
    if (end < 0 || (rest === "") !== (slot === "id") || rest !== "" && rest[0] !== ":") return undefined
    const parts = (slot === "id" ? tag : rest.slice(1)).split(":")
    return component < 0 ? parts : parts.toSpliced(component, 0, tag)
  }
  const valueOf = (key: string, parts: ReadonlyArray<string>): unknown => {
    const values: Array<unknown> = []
    for (const [i, part] of parts.entries()) {
      const value = codecs[i]!.decode(unescape(part))
      if (value instanceof Problem) return value.within(names[i]!)
      values.push(value)
    }
    const value = isTuple ? values : values[0]
    const own = keyOfId(value)
    return own instanceof Problem || own.key === key
      ? value
      : new Problem("Expected the key that an entity with this id has", names.join())
  }
  return (key) => {
    const parts = partsOf(key)
    if (parts === undefined || parts.length !== names.length || parts.some((part) => part === "" || part[0] === "$")) {
      return undefined
    }
    return { key, id: parts.join(":"), value: valueOf(key, parts) }
  }
}

/**
 * Returns the function from an id to its key. An id that cannot be stored is a problem.
 *
 * @internal
 */
export const keyOf = (plan: KeyPlan): (id: unknown) => Key | Problem => {
  const { codecs, isTuple, names, slot } = plan
  const prefix = startOf(plan.model)
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
