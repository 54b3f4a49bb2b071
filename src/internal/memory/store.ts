/**
 * The keys that a server would hold, with their values and expiries, in memory. It knows no programs.
 */
import { ScoredMembers } from "./scoredMembers.ts"

/**
 * The hash of an entity, or of a map.
 *
 * @internal
 */
export interface StoredHash {
  readonly _tag: "hash"
  readonly fields: Map<string, string>
  /** Milliseconds of the clock. Undefined: the key never expires. */
  expiresAt: number | undefined
}

/** @internal */
export interface StoredList {
  readonly _tag: "list"
  readonly items: Array<string>
  expiresAt: number | undefined
}

/** @internal */
export interface StoredSet {
  readonly _tag: "set"
  readonly members: Set<string>
  expiresAt: number | undefined
}

/** @internal */
export interface StoredSortedSet {
  readonly _tag: "zset"
  readonly members: ScoredMembers
  expiresAt: number | undefined
}

/** @internal */
export type StoredValue = StoredHash | StoredList | StoredSet | StoredSortedSet

/** @internal */
export class Store {
  readonly values = new Map<string, StoredValue>()
  /** Subscribers by channel. Each receives every message, in order. */
  readonly listeners = new Map<string, Set<(text: string) => void>>()
  private unswept: Iterator<[string, StoredValue]> = this.values.entries()
  /** The latest first version of an entity, in microseconds. */
  lastVersion = 0

  /** Returns the value of a key, unless it has expired. */
  get(key: string, now: number): StoredValue | undefined {
    const value = this.values.get(key)
    if (value?.expiresAt !== undefined && value.expiresAt <= now) {
      this.values.delete(key)
      return undefined
    }
    return value
  }

  /** Returns the hash under a key, a new one if the key is missing, or undefined if the key has another type. */
  hash(key: string, now: number): StoredHash | undefined {
    const value = this.get(key, now) ?? { _tag: "hash", fields: new Map(), expiresAt: undefined }
    return value._tag === "hash" ? value : undefined
  }

  /** Removes expired keys that no program reads: each program looks at a few keys, all in turn. */
  sweep(now: number, count: number): void {
    for (let i = 0; i < count; i++) {
      const { done, value } = this.unswept.next()
      if (done === true) {
        this.unswept = this.values.entries()
        return
      }
      this.get(value[0], now)
    }
  }
}

/** @internal */
export const sizeOf = (value: StoredValue): number => {
  switch (value._tag) {
    case "hash":
      return value.fields.size
    case "list":
      return value.items.length
    case "set":
      return value.members.size
    case "zset":
      return value.members.size
  }
}

/**
 * Returns a collection as a row of texts.
 *
 * @internal
 */
export const contents = (value: StoredValue): Array<string> => {
  switch (value._tag) {
    case "hash":
      return [...value.fields].flat()
    case "list":
      return [...value.items]
    case "set":
      return [...value.members]
    case "zset":
      return value.members.range(0, value.members.size)
  }
}

/**
 * Makes a collection from a row of texts.
 *
 * @internal
 */
export const storedValue = (
  tag: StoredValue["_tag"],
  texts: ReadonlyArray<string>,
  expiresAt: number | undefined
): StoredValue => {
  switch (tag) {
    case "hash":
      return { _tag: tag, fields: new Map(pairs(texts, String)), expiresAt }
    case "list":
      return { _tag: tag, items: [...texts], expiresAt }
    case "set":
      return { _tag: tag, members: new Set(texts), expiresAt }
    case "zset":
      return { _tag: tag, members: new ScoredMembers(pairs(texts, Number)), expiresAt }
  }
}

/** @internal */
export const pairs = function*<A>(texts: ReadonlyArray<unknown>, second: (text: unknown) => A): Iterable<[string, A]> {
  for (let i = 0; i < texts.length; i += 2) yield [texts[i] as string, second(texts[i + 1])]
}
