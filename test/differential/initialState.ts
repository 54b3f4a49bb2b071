/**
 * The stored state before a random program runs.
 */
import type { Indexes } from "../../src/internal/instruction/indexes.ts"
import { flushIndexes, noteIndexed } from "../../src/internal/memory/indexes.ts"
import { Stop } from "../../src/internal/memory/stop.ts"
import { Transaction } from "../../src/internal/memory/transaction.ts"
import * as Collection from "./calls/collectionCalls.ts"
import type { ModelCase, Place } from "./modelDescription.ts"
import type { Random } from "./random.ts"
import { type Entry, readStore, type State, storeOf } from "./storedState.ts"

const badVersions = ["abc", "1.5", "", "007", "-0", "0x10", " 1", "9223372036854775807", "9223372036854775808", "nan"]

const farFuture = 4_102_444_800_000
const hour = 3_600_000

/** Where a time to live is renewed, some of it has passed; and what lives longer already is not renewed. */
const expiryOf = (random: Random, lives: number | undefined): number => {
  if (random.chance(lives === undefined ? 0.75 : 0.3)) return -1
  return lives === undefined || random.chance(0.2)
    ? farFuture + random.int(0, 1e9)
    : Date.now() + random.int(2 * hour, lives - 2 * hour)
}

const several = (random: Random, make: () => string): Array<string> =>
  random.array(random.chance(0.2) ? 0 : 1, random.chance(0.3) ? 1 : 5, make)

/** A collection without order gets at most one bad text, because which of two is met first is undefined. */
const collection = ({ kind, names, texts }: Place, random: Random, badness: number): Entry["values"] => {
  const isOrdered = kind === "list" || kind === "zset"
  let isBad = false
  const text = (stored: Place["texts"]) => {
    if ((isOrdered || !isBad) && random.chance(badness)) {
      isBad = true
      return stored.bad(random)
    }
    return stored.good(random)
  }
  switch (kind) {
    case "map":
      return [...new Map(several(random, () => text(names!)).map((name) => [name, text(texts)]))].flat()
    case "zset": {
      const members = new Set(several(random, () => text(texts)))
      return [...members].flatMap((member) => [member, String(Collection.score(random) + 0)])
    }
    case "set":
      return [...new Set(several(random, () => text(texts)))]
    default:
      return several(random, () => text(texts))
  }
}

const typeOf = (kind: Place["kind"]): Entry["type"] => kind === "map" || kind === "leaf" ? "hash" : kind

/** A key of another type, in the place of one of this. */
const another = (kind: Place["kind"], random: Random, expiry: number): Entry =>
  random.pick<Entry>([
    { type: "hash", expiry, values: ["$v", "7", "x", "1"] },
    { type: "list", expiry, values: ["1", "x"] },
    { type: "set", expiry, values: ["1"] },
    { type: "zset", expiry, values: ["1", "1"] }
  ].filter(({ type }) => type !== typeOf(kind)) as ReadonlyArray<Entry>)

/**
 * The keys that another client may have left for an entity: nothing, a good entity, one with holes or bad texts,
 * collections whose hash is gone, keys of another type.
 */
export const randomEntity = (
  self: ModelCase,
  key: string,
  random: Random,
  kind = random.chance(0.7) ? "good" : random.pick(["holes", "bad", "bad", "leftovers", "none", "none"])
): State => {
  const state = new Map<string, Entry>()
  if (kind === "none") return state
  const badness = kind === "bad" ? 0.15 : 0
  const shared = random.chance(0.7) ? expiryOf(random, self.lives) : undefined
  const expiry = () => shared ?? expiryOf(random, self.lives)
  const fields: Array<[string, string]> = []
  for (const { stored } of self.fields) {
    if (stored === undefined) continue
    if ((kind === "holes" || stored.mayLack) && random.chance(0.3)) continue
    if (stored.kind === "leaf") {
      fields.push([stored.name, random.chance(badness) ? stored.texts.bad(random) : stored.texts.good(random)])
    } else if (random.chance(badness * 0.3)) {
      state.set(`${key}:${stored.name}`, another(stored.kind, random, expiry()))
    } else {
      const values = collection(stored, random, badness)
      if (values.length > 0) state.set(`${key}:${stored.name}`, { type: typeOf(stored.kind), expiry: expiry(), values })
    }
  }
  if (kind === "leftovers") return state
  if (random.chance(badness * 0.5)) {
    state.set(key, another("leaf", random, expiry()))
    return state
  }
  if (random.chance(0.1)) fields.push(["of another time", "kept?"])
  const versions = kind === "bad" && random.chance(0.3) ? badVersions : ["0", "1", "41", "1732000000000000", "-7"]
  // one that has nothing but collections must be there all the same
  if (random.chance(0.8) || fields.length === 0) fields.push(["$v", random.pick(versions)])
  state.set(key, { type: "hash", expiry: expiry(), values: fields.flat() })
  return state
}

/** Adds the index entries of some entities. One that has a unique value of another one is left out. */
export const addEntries = (state: Map<string, Entry>, spec: Indexes, keys: ReadonlyArray<string>): void => {
  const store = storeOf(state)
  for (const key of keys) {
    const transaction = new Transaction(store, "write", Date.now() * 1000, 2 ** 20)
    try {
      noteIndexed(transaction, transaction.entityAt(key), spec)
      flushIndexes(transaction)
      transaction.commit()
    } catch (error) {
      if (!(error instanceof Stop)) throw error
      transaction.undo()
      // a key of another type has no entries
      if (error.failure._tag === "unique") store.values.delete(key)
    }
  }
  state.clear()
  for (const [key, entry] of readStore(store)) state.set(key, entry)
}
