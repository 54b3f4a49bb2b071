/**
 * The keys and texts that a server would hold, in memory.
 */
import { SortedSet } from "./scoredMembers.ts"

/**
 * The hash of an entity, or of a map.
 *
 * @internal
 */
export interface Hash {
  readonly _tag: "hash"
  readonly fields: Map<string, string>
  /** Milliseconds of the clock. Undefined: the key never expires. */
  expiresAt: number | undefined
}

/** @internal */
export interface List {
  readonly _tag: "list"
  readonly items: Array<string>
  expiresAt: number | undefined
}

/** @internal */
export interface Members {
  readonly _tag: "set"
  readonly members: Set<string>
  expiresAt: number | undefined
}

/** @internal */
export interface Scored {
  readonly _tag: "zset"
  readonly scored: SortedSet
  expiresAt: number | undefined
}

/** @internal */
export type Entry = Hash | List | Members | Scored

/** @internal */
export class Store {
  readonly entries = new Map<string, Entry>()
  /** Subscribers by channel. Each receives every message, in order. */
  readonly listeners = new Map<string, Set<(text: string) => void>>()
  private unswept: Iterator<[string, Entry]> = this.entries.entries()
  /** The last version given to a new entity, in microseconds. */
  lastVersion = 0

  /** The value of a key that has not expired. */
  get(key: string, now: number): Entry | undefined {
    const entry = this.entries.get(key)
    if (entry?.expiresAt !== undefined && entry.expiresAt <= now) {
      this.entries.delete(key)
      return undefined
    }
    return entry
  }

  /** The hash under a key, created if the key is missing. Undefined if the key has another type. */
  hash(key: string, now: number): Hash | undefined {
    const entry = this.get(key, now) ?? { _tag: "hash", fields: new Map(), expiresAt: undefined }
    return entry._tag === "hash" ? entry : undefined
  }

  /** Frees expired keys that no one reads: each program looks at a few keys, all in turn. */
  sweep(now: number, count: number): void {
    for (let i = 0; i < count; i++) {
      const { done, value } = this.unswept.next()
      if (done === true) {
        this.unswept = this.entries.entries()
        return
      }
      this.get(value[0], now)
    }
  }
}

/** @internal */
export const sizeOf = (entry: Entry): number => {
  switch (entry._tag) {
    case "hash":
      return entry.fields.size
    case "list":
      return entry.items.length
    case "set":
      return entry.members.size
    case "zset":
      return entry.scored.size
  }
}

/**
 * A collection as a row of texts.
 *
 * @internal
 */
export const textsOf = (entry: Entry): Array<string> => {
  switch (entry._tag) {
    case "hash":
      return [...entry.fields].flat()
    case "list":
      return [...entry.items]
    case "set":
      return [...entry.members]
    case "zset":
      return entry.scored.range(0, entry.scored.size)
  }
}

/**
 * A collection made of a row of texts.
 *
 * @internal
 */
export const entryOf = (tag: Entry["_tag"], texts: ReadonlyArray<string>, expiresAt: number | undefined): Entry => {
  switch (tag) {
    case "hash":
      return { _tag: tag, fields: new Map(pairs(texts, String)), expiresAt }
    case "list":
      return { _tag: tag, items: [...texts], expiresAt }
    case "set":
      return { _tag: tag, members: new Set(texts), expiresAt }
    case "zset":
      return { _tag: tag, scored: new SortedSet(pairs(texts, Number)), expiresAt }
  }
}

/** @internal */
export const pairs = function*<A>(texts: ReadonlyArray<unknown>, second: (text: unknown) => A): Iterable<[string, A]> {
  for (let i = 0; i < texts.length; i += 2) yield [texts[i] as string, second(texts[i + 1])]
}
