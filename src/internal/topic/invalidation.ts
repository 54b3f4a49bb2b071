/**
 * Invalidations of keys of Effect's `Reactivity`, as messages between processes.
 */
import * as Hash from "effect/Hash"
import { Op } from "../instruction/ops.ts"
import { noSpec } from "../instruction/spec.ts"
import { All, Instruct, Mapped } from "../program/atomic.ts"
import type { AtomicNode } from "../program/node.ts"

/**
 * The channel of invalidations, without the prefix of a layer. No topic has it, because the name of a topic does not begin with `$`.
 *
 * @internal
 */
export const channel = "$topic:$reactivity"

/**
 * Keys as `Reactivity` takes them: a list, or names with ids.
 *
 * @internal
 */
export type Keys = ReadonlyArray<unknown> | Readonly<Record<string, ReadonlyArray<unknown>>>

/**
 * A key as `Reactivity` compares it: its text, or a hash of what is no scalar.
 *
 * @internal
 */
export type KeyHash = string | number

const hashOf = (key: unknown): KeyHash => {
  switch (typeof key) {
    case "string":
    case "number":
    case "bigint":
    case "boolean":
      return String(key)
    default:
      return Hash.hash(key)
  }
}

/**
 * The same keys as those of Effect's own service, which has no function for this.
 *
 * @internal
 */
export const hashesOf = (keys: Keys): ReadonlyArray<KeyHash> => {
  if (Array.isArray(keys)) return keys.map(hashOf)
  const named = keys as Readonly<Record<string, ReadonlyArray<unknown>>>
  return Object.keys(named).flatMap((name) => [name, ...named[name]!.map((id) => `${name}:${hashOf(id)}`)])
}

/** A key is made of values of users now and then. A text that is longer than this travels as its hash. */
const longestKey = 256

/**
 * The hash that a text travels as, if it is too long to travel itself.
 *
 * @internal
 */
export const shortened = (key: KeyHash): number | undefined =>
  typeof key === "string" && key.length > longestKey ? Hash.string(key) : undefined

/** The length of a message that has several keys, in UTF-16 units. */
const longestMessage = 16_000

/** More keys than these are all keys: to look for so many costs as much. */
const mostKeys = 10_000

/**
 * Keys that wait to be published, or to be invalidated here.
 *
 * @internal
 */
export class Gathered {
  #keys: Set<KeyHash> | undefined = new Set()
  readonly #onAdd: () => void

  constructor(onAdd: () => void) {
    this.#onAdd = onAdd
  }

  get isEmpty(): boolean {
    return this.#keys?.size === 0
  }

  /** Undefined: all keys. */
  add(keys: Iterable<KeyHash> | undefined): void {
    if (keys === undefined) this.#keys = undefined
    else for (const key of keys) this.#keys?.add(key)
    if (this.#keys !== undefined && this.#keys.size > mostKeys) this.#keys = undefined
    if (!this.isEmpty) this.#onAdd()
  }

  take(): ReadonlySet<KeyHash> | undefined {
    const keys = this.#keys
    this.#keys = new Set()
    return keys
  }
}

/**
 * The texts of messages that say which keys are invalid. A message is a list in JSON: the name of the layer that sends it, then the keys;
 * without a key it means all.
 *
 * @param sender empty: it is a program, whose own process takes it too
 * @param keys undefined: all keys
 * @internal
 */
export const messagesOf = (sender: string, keys: ReadonlySet<KeyHash> | undefined): ReadonlyArray<string> => {
  const start = JSON.stringify(sender)
  if (keys === undefined || keys.size > mostKeys) return [`[${start}]`]
  const messages: Array<string> = []
  let text = ""
  for (const key of keys) {
    const one = `,${JSON.stringify(shortened(key) ?? key)}`
    if (text !== "" && text.length + one.length > longestMessage) {
      messages.push(`[${start}${text}]`)
      text = ""
    }
    text += one
  }
  return text === "" ? messages : [...messages, `[${start}${text}]`]
}

/** @internal */
export interface Invalidation {
  readonly sender: string
  /** Undefined: all keys. */
  readonly keys: ReadonlyArray<KeyHash> | undefined
}

const isKey = (key: unknown): key is KeyHash => typeof key === "string" || typeof key === "number"

/**
 * Reads a message. One that can't be read, as that of another version, may be about any key.
 *
 * @internal
 */
export const read = (text: string): Invalidation => {
  try {
    const message: unknown = JSON.parse(text)
    if (Array.isArray(message) && message.length > 1 && message.every(isKey)) {
      const [sender, ...keys] = message
      return { sender: String(sender), keys }
    }
    return { sender: Array.isArray(message) && isKey(message[0]) ? String(message[0]) : "", keys: undefined }
  } catch {
    return { sender: "", keys: undefined }
  }
}

const nothing = (): void => undefined

const place = { model: "Reactivity", id: "", key: "" }

/**
 * Publishes messages.
 *
 * @internal
 */
export const publishing = (messages: ReadonlyArray<string>): AtomicNode =>
  new Mapped(
    new All(
      messages.map((text) => {
        const node = new Instruct(Op.publish, place, noSpec, "", [channel, text], nothing)
        node.method = "invalidate"
        return node
      }),
      undefined
    ),
    nothing
  )

/**
 * Invalidates keys in every process that listens, with the writes of the program.
 *
 * @internal
 */
export const invalidate = (keys: Keys): AtomicNode => publishing(messagesOf("", new Set(hashesOf(keys))))
