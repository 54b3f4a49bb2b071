/**
 * The upkeep of index entries: at the end of a program, and before an instruction that reads an index, the entries of each entity
 * that it has changed become what its fields say. The twin of indexes.lua.
 */
import {
  codesOf,
  entityChannel,
  entriesKey,
  expiriesKey,
  type Indexes,
  type IndexSpec,
  keyAt,
  membersKey,
  modelChannel,
  placeOf
} from "../instruction/indexes.ts"
import { unescape } from "../text/escape.ts"
import { encode, memberOf, type PartCode } from "../text/orderCode.ts"
import { compareBytes } from "../text/textOrder.ts"
import type { ScoredMembers } from "./scoredMembers.ts"
import { fail } from "./stop.ts"
import type { StoredHash, StoredSortedSet } from "./store.ts"
import type { Entity, Transaction } from "./transaction.ts"

/** How many expired entities a program that sets an expiry removes from indexes. */
const sweptByWrites = 2

/**
 * Notes that the entries of an entity, or its expiry, may have changed. An instruction that only renews the expiry is not the writer
 * that an error names.
 *
 * @internal
 */
export const noteIndexed = ({ indexed, step }: Transaction, entity: Entity, indexes: Indexes): void => {
  const writer = entity.writtenAt === step ? step : indexed.get(entity)?.step ?? step
  indexed.set(entity, { indexes, step: writer, isDirty: true })
}

/**
 * The entries of an index, or the expiries of a home.
 *
 * @internal
 */
export const entriesAt = (transaction: Transaction, key: string): ScoredMembers =>
  (transaction.indexKeyAt(key, "zset") as StoredSortedSet).members

/**
 * The member of each entity.
 *
 * @internal
 */
export const membersAt = (transaction: Transaction, home: string, index: IndexSpec): StoredHash =>
  transaction.indexKeyAt(membersKey(home, index), "hash") as StoredHash

/** Returns whether the score has changed. */
const setScore = (transaction: Transaction, key: string, member: string, score: number | undefined): boolean => {
  const members = entriesAt(transaction, key)
  if (members.scores.get(member) === score) return false
  const inverse = members.assign(new Map([[member, score]]))
  transaction.journal.push(() => void members.assign(inverse))
  return true
}

/** The texts of the values that indexes are made of. */
const textsOf = ({ values }: Indexes, { hash }: Entity, id: string, tag: string): ReadonlyArray<string | undefined> => {
  const parts = id.split(":")
  return values.map(({ default: otherwise, field, nullable, part }) => {
    if (part !== undefined) return unescape(part === 0 ? tag : parts[part - 1]!)
    const text = hash.fields.get(field!) ?? otherwise
    return nullable === true && text === "null" ? undefined : text
  })
}

const isIncluded = ({ where = [] }: IndexSpec, texts: ReadonlyArray<string | undefined>): boolean =>
  where.every(([value, text]) => texts[value] === text)

interface Change {
  readonly entity: Entity
  readonly step: number
  readonly position: number
  readonly key: string
  readonly members: StoredHash
  readonly id: string
  readonly before: string | undefined
  readonly parts: string | undefined
}

/**
 * Makes the index entries of all noted entities what their fields say. Entries that other entities with equal values must not have
 * are removed first, so that two entities can exchange them.
 *
 * @internal
 */
export const flushIndexes = (transaction: Transaction): void => {
  const changes: Array<Change> = []
  for (const [entity, noted] of transaction.indexed) {
    if (!noted.isDirty) continue
    noted.isDirty = false
    const { indexes, step } = noted
    const { home, id, tag } = placeOf(indexes, entity.key)
    const texts = entity.exists ? textsOf(indexes, entity, id, tag) : undefined
    indexes.list.forEach((index, position) => {
      const codes = codesOf(indexes, index)
      const parts = texts === undefined || !isIncluded(index, texts)
        ? undefined
        : index.values.map((value, i) => encode(codes[i] as PartCode, texts[value]))
      const isEntry = parts !== undefined && !parts.includes(undefined)
      const key = entriesKey(home, index)
      if (index.order === "score") {
        if (setScore(transaction, key, id, isEntry ? Number(texts![index.values[0]!]) : undefined)) {
          transaction.changedIndexes.add(index)
        }
        return
      }
      const members = membersAt(transaction, home, index)
      const before = members.fields.get(id)
      const after = isEntry ? parts.join("") : undefined
      if (before === (after && memberOf([after], id))) return
      transaction.changedIndexes.add(index)
      changes.push({ entity, step, position, key, members, id, before, parts: after })
    })
    setScore(transaction, expiriesKey(home), id, entity.exists ? entity.expiresAt : undefined)
    if (entity.exists && entity.expiresAt !== undefined && entity.expiryNames !== undefined) {
      transaction.expiringHomes.set(home, indexes)
    }
  }
  for (const { before, key } of changes) if (before !== undefined) setScore(transaction, key, before, undefined)
  for (const { entity, id, key, members, parts, position, step } of changes) {
    const member = parts && memberOf([parts], id)
    const { indexes } = transaction.indexed.get(entity)!
    if (parts !== undefined && indexes.list[position]!.isUnique === true) {
      const { home } = placeOf(indexes, entity.key)
      const entries = entriesAt(transaction, key)
      const from = entries.countWhile((other) => compareBytes(other, parts) < 0)
      for (const other of entries.ranked.slice(from, from + 2)) {
        if (!other.startsWith(parts) || other === member) continue
        const holder = other.slice(parts.length)
        if (transaction.isStored(keyAt(indexes, home, holder))) fail({ _tag: "unique", index: position, writer: step })
        remove(transaction, indexes, home, holder)
      }
    }
    if (member !== undefined) setScore(transaction, key, member, 0)
    transaction.setField(members, id, member ?? false)
  }
}

/** Removes the entries of an entity that is gone. It is not journalled, because it is right whatever the program does. */
const remove = (transaction: Transaction, { list }: Indexes, home: string, id: string): void => {
  const { length } = transaction.journal
  for (const index of list) {
    if (index.order === "score") {
      setScore(transaction, entriesKey(home, index), id, undefined)
      continue
    }
    const members = membersAt(transaction, home, index)
    const member = members.fields.get(id)
    if (member === undefined) continue
    setScore(transaction, entriesKey(home, index), member, undefined)
    transaction.setField(members, id, false)
  }
  setScore(transaction, expiriesKey(home), id, undefined)
  transaction.journal.length = length
}

/** The first entities that have expired, at most so many. */
const dueAt = (transaction: Transaction, home: string, limit: number): ReadonlyArray<string> => {
  const expiries = entriesAt(transaction, expiriesKey(home))
  return expiries.ranked.slice(0, Math.min(limit, expiries.upTo(transaction.millis)))
}

/**
 * Removes the entries of the first entities that have expired. Returns whether there may be more.
 *
 * @internal
 */
export const sweep = (transaction: Transaction, indexes: Indexes, home: string, limit: number): boolean => {
  const due = dueAt(transaction, home, limit)
  for (const id of due) {
    if (!transaction.isStored(keyAt(indexes, home, id))) remove(transaction, indexes, home, id)
  }
  return due.length === limit
}

/**
 * Whether there are entries of an entity that has expired, for a program that can't remove them.
 *
 * @internal
 */
export const hasDue = (transaction: Transaction, indexes: Indexes, home: string, limit: number): boolean => {
  const due = dueAt(transaction, home, limit)
  return due.length === limit || due.some((id) => !transaction.isStored(keyAt(indexes, home, id)))
}

/**
 * The hints about the entities that the program has written, and the indexes that it has changed.
 *
 * @internal
 */
export const hintsOf = (
  { changedIndexes, indexed }: Transaction
): ReadonlyArray<readonly [channel: string, text: string]> => {
  const entities: Array<readonly [string, string]> = []
  const models = new Map<string, string>()
  for (const [{ expiryNames, key, writtenAt }, { indexes: { list, live } }] of indexed) {
    if (live === undefined || writtenAt === undefined && expiryNames === undefined) continue
    entities.push([entityChannel(key), ""])
    const names = list.filter((index) => changedIndexes.has(index)).map(({ stored }) => stored)
    if (names.length > 0) models.set(modelChannel(live), names.join(" "))
  }
  return [...entities, ...models]
}

/**
 * Removes a few expired entities from the indexes of the homes in which the program has changed an expiry.
 *
 * @internal
 */
export const sweepIndexes = (transaction: Transaction): void => {
  for (const [home, indexes] of transaction.expiringHomes) sweep(transaction, indexes, home, sweptByWrites)
}
