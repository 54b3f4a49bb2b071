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
  placeOf,
  planField,
  planKey
} from "../instruction/indexes.ts"
import type { Argument } from "../instruction/program.ts"
import { unescape } from "../text/escape.ts"
import { encode, memberOf, type PartCode } from "../text/orderCode.ts"
import { compareBytes } from "../text/textOrder.ts"
import { ScoredMembers } from "./scoredMembers.ts"
import { fail, Stop } from "./stop.ts"
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

/** A change of a score, or of the member of an entity in a lexicographic index. */
type Change =
  | { readonly _tag: "score"; readonly key: string; readonly member: string; readonly score: number | undefined }
  | {
    readonly _tag: "member"
    readonly indexes: Indexes
    readonly step: number
    readonly position: number
    readonly home: string
    readonly key: string
    readonly id: string
    readonly before: string | undefined
    readonly parts: string | undefined
  }

/** Returns how the entries of an entity differ from what its fields say. With `isAudit` it trusts no member that the index does not have. */
const changesOf = (
  transaction: Transaction,
  entity: Entity,
  indexes: Indexes,
  step: number,
  isAudit = false
): ReadonlyArray<Change> => {
  const changes: Array<Change> = []
  const collectScore = (key: string, member: string, score: number | undefined): boolean => {
    if (entriesAt(transaction, key).scores.get(member) === score) return false
    changes.push({ _tag: "score", key, member, score })
    return true
  }
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
      const isChanged = collectScore(key, id, isEntry ? Number(texts![index.values[0]!]) : undefined)
      if (isChanged) transaction.changedIndexes.add(index)
      return
    }
    const noted = membersAt(transaction, home, index).fields.get(id)
    const isTrusted = !isAudit || noted === undefined || entriesAt(transaction, key).scores.has(noted)
    const before = isTrusted ? noted : undefined
    const after = isEntry ? parts.join("") : undefined
    if (before === (after && memberOf([after], id))) return
    transaction.changedIndexes.add(index)
    // fails here if it has another type, because the step is known here
    entriesAt(transaction, key)
    changes.push({ _tag: "member", indexes, step, position, home, key, id, before, parts: after })
  })
  collectScore(expiriesKey(home), id, entity.exists ? entity.expiresAt : undefined)
  return changes
}

/**
 * Entries that other entities with equal values must not have are removed first, so that two entities can exchange them.
 */
const applyChanges = (transaction: Transaction, changes: ReadonlyArray<Change>): void => {
  for (const change of changes) {
    if (change._tag === "member" && change.before !== undefined) {
      setScore(transaction, change.key, change.before, undefined)
    }
  }
  for (const change of changes) {
    if (change._tag === "score") {
      setScore(transaction, change.key, change.member, change.score)
      continue
    }
    const { home, id, indexes, key, parts, position, step } = change
    const index = indexes.list[position]!
    const member = parts && memberOf([parts], id)
    if (parts !== undefined && index.isUnique === true) {
      const entries = entriesAt(transaction, key)
      const from = entries.countWhile((other) => compareBytes(other, parts) < 0)
      for (const other of entries.ranked.slice(from, from + 2)) {
        if (!other.startsWith(parts) || other === member) continue
        const holder = other.slice(parts.length)
        if (transaction.isStored(keyAt(indexes, home, holder))) fail({ _tag: "unique", index: position, step })
        remove(transaction, indexes, home, holder)
      }
    }
    if (member !== undefined) setScore(transaction, key, member, 0)
    transaction.setField(membersAt(transaction, home, index), id, member ?? false)
  }
}

/**
 * Makes the index entries of all noted entities what their fields say.
 *
 * @internal
 */
export const flushIndexes = (transaction: Transaction): void => {
  const changes: Array<Change> = []
  for (const [entity, noted] of transaction.indexed) {
    if (!noted.isDirty) continue
    noted.isDirty = false
    const { indexes, step } = noted
    try {
      changes.push(...changesOf(transaction, entity, indexes, step))
      notePlan(transaction, entity, indexes)
    } catch (error) {
      // a key of another type is an error of the step that wrote the entity
      throw error instanceof Stop ? new Stop({ step, ...error.failure }) : error
    }
  }
  applyChanges(transaction, changes)
}

const notePlan = (transaction: Transaction, entity: Entity, indexes: Indexes): void => {
  const { home } = placeOf(indexes, entity.key)
  if (entity.isNew && entity.exists) {
    const plan = transaction.indexKeyAt(planKey(home), "hash") as StoredHash
    if (!plan.fields.has(planField)) transaction.setField(plan, planField, indexes.plan)
  }
  if (entity.exists && entity.expiresAt !== undefined && entity.expiryNames !== undefined) {
    transaction.expiringHomes.set(home, indexes)
  }
}

/**
 * Compares the entries of an entity with its fields, and mends them if it may. Returns how many differ.
 *
 * @param members entries that no entity has: the position of an index, or 0 for the expiries, and the member
 * @internal
 */
export const compareIndexed = (
  transaction: Transaction,
  entity: Entity,
  indexes: Indexes,
  isMending: boolean,
  members: ReadonlyArray<Argument>
): number => {
  const changes = changesOf(transaction, entity, indexes, transaction.step, true)
  if (!isMending) return changes.length
  applyChanges(transaction, changes)
  const { home, id } = placeOf(indexes, entity.key)
  for (let i = 0; i < members.length; i += 2) {
    const index = indexes.list[members[i] as number - 1]
    const member = members[i + 1] as string
    const isMember = index?.order === "lex"
    const isOwn = isMember
      ? membersAt(transaction, home, index).fields.get(id) === member
      : entity.exists && member === id
    if (!isOwn) {
      setScore(transaction, index === undefined ? expiriesKey(home) : entriesKey(home, index), member, undefined)
    }
  }
  return changes.length
}

/**
 * Marks which plan the indexes of a home have. The keys of those that it replaces get another type, so that an earlier definition can't
 * write them.
 *
 * @internal
 */
export const setPlan = (
  transaction: Transaction,
  indexes: Indexes,
  home: string,
  [isEnd, ...replaced]: ReadonlyArray<Argument>
): void => {
  const { values } = transaction.store
  // fails if the key has another type, before anything is removed
  transaction.indexKeyAt(planKey(home), "hash")
  const hash = (): StoredHash => ({ _tag: "hash", fields: new Map([[planField, indexes.plan]]), expiresAt: undefined })
  if (isEnd !== 1) {
    for (const index of indexes.list) {
      const key = entriesKey(home, index)
      const value = values.get(key)
      if (value?._tag !== "hash" || !value.fields.has(planField)) continue
      values.delete(key)
      values.delete(membersKey(home, index))
    }
    return
  }
  for (const stored of replaced) {
    const marker = new ScoredMembers([[indexes.plan, 0]])
    values.set(membersKey(home, { stored: String(stored) }), { _tag: "zset", members: marker, expiresAt: undefined })
    values.set(entriesKey(home, { stored: String(stored) }), hash())
  }
  values.set(planKey(home), hash())
}

/**
 * Whether another definition has the indexes of a home.
 *
 * @internal
 */
export const hasOtherPlan = (transaction: Transaction, { plan }: Indexes, home: string): boolean => {
  const stored = (transaction.indexKeyAt(planKey(home), "hash") as StoredHash).fields.get(planField)
  return stored !== undefined && stored !== plan
}

/**
 * Whether an entity is due, so that its entries are removed by what reads them next.
 *
 * @internal
 */
export const isExpired = (transaction: Transaction, home: string, id: string): boolean => {
  const at = entriesAt(transaction, expiriesKey(home)).scores.get(id)
  return at !== undefined && at <= transaction.millis
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
  const gone = due.filter((id) => !transaction.isStored(keyAt(indexes, home, id)))
  for (const id of gone) remove(transaction, indexes, home, id)
  return due.length === limit && gone.length > 0
}

/**
 * Whether there are entries of an entity that has expired, for a program that can't remove them.
 *
 * @internal
 */
export const hasDue = (transaction: Transaction, indexes: Indexes, home: string, limit: number): boolean =>
  dueAt(transaction, home, limit).some((id) => !transaction.isStored(keyAt(indexes, home, id)))

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
    models.set(modelChannel(live), names.join(" "))
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
