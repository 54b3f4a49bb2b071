/**
 * The keys and texts that a server would hold, in memory.
 */

/** @internal */
export interface Hash {
  readonly _tag: "hash"
  readonly fields: Map<string, string>
  /** in milliseconds of the clock; undefined: never */
  expiresAt: number | undefined
}

/** @internal */
export interface List {
  readonly _tag: "list"
  readonly items: Array<string>
  expiresAt: number | undefined
}

/** @internal */
export type Entry = Hash | List

/** @internal */
export class Store {
  readonly entries = new Map<string, Entry>()
  /** the last version given to a new entity, in microseconds */
  lastVersion = 0

  /** What is stored under a key that has not expired. */
  get(key: string, now: number): Entry | undefined {
    const entry = this.entries.get(key)
    if (entry?.expiresAt !== undefined && entry.expiresAt <= now) {
      this.entries.delete(key)
      return undefined
    }
    return entry
  }
}
