/**
 * Indexes: what an interpreter knows of those of a model, and the names of their keys. An index is a sorted set, whose members
 * are the entities of one home. The home is the text before `:$ix:` in its name. An aggregate is kept in the same way, but its key is
 * a hash, which has the sum of each group of entities.
 */
import type { OrderCode } from "../text/orderCode.ts"

/** A value that indexes are made of: a field of the entity's hash, or a part of its key. */
export interface IndexedValue {
  /** The name of the hash's field. Unset: it is a part of the key. */
  readonly field?: string
  /** The position of the part in the escaped id, from 1 on. 0: the text in the braces. */
  readonly part?: number
  /** How the stored text is encoded, so that the order of the codes is that of the values. */
  readonly code: OrderCode
  /** The text that stands for a missing field. */
  readonly default?: string
  /** The stored text `null` means that the field is missing. */
  readonly nullable?: true
}

/** Describes one index, or one aggregate. */
export interface IndexSpec {
  /** The name that users know. */
  readonly name: string
  /** The name in the keys: it ends with the plan, because the entries of another definition may be in another order. */
  readonly stored: string
  /**
   * `score`: the value is the score of the entity, whose id is the member. `lex`: all scores are 0; a member is the codes of the
   * values, and the id after them. `sum`: it is an aggregate. The codes of the values are the name of a group, and the hash has the sum
   * of what the entities of the group add.
   */
  readonly order: "score" | "lex" | "sum"
  /** The positions of its values in `Indexes.values`. */
  readonly values: ReadonlyArray<number>
  /** The position of the value that an entity adds to the sum of its group. Unset: an entity adds 1. */
  readonly of?: number
  /** An entity has an entry only if these values have these texts. */
  readonly where?: ReadonlyArray<readonly [value: number, text: string]>
  /** Two entities can't have equal values. */
  readonly isUnique?: true
  /** An entity without one of the values has an entry too, before all others. Default: it has none. */
  readonly keepsAbsent?: true
}

/** The indexes of a model. There is one object for a model, in the specifications of all instructions that may change an entry. */
export interface Indexes {
  /** Whether the model has one home, because each of its entities has its own slot. Otherwise each tag is one. */
  readonly hasOneHome: boolean
  /** Fields first, then parts of the key. */
  readonly values: ReadonlyArray<IndexedValue>
  readonly list: ReadonlyArray<IndexSpec>
  /** A text that differs between definitions. The names of all keys have it. */
  readonly plan: string
  /** The escaped name of the model, if programs say that they have changed an entity. See `modelChannel`. */
  readonly live?: string
}

/**
 * The channel of hints that a program has written entities of a model. A hint is the stored names of the indexes that it has changed,
 * with a space between them.
 *
 * @internal
 */
export const modelChannel = (live: string): string => `$live:${live}`

/**
 * The channel of hints that a program has written an entity. A hint is empty.
 *
 * @internal
 */
export const entityChannel = (key: string): string => `$live:${key}`

const reactivityStart = "~redlayer/"

/**
 * The key of Effect's `Reactivity` that a hint on this channel invalidates.
 *
 * @internal
 */
export const reactivityKeyOf = (channel: string): string => reactivityStart + channel

/**
 * The channel whose hints invalidate a key of `Reactivity`. Undefined: it is another key.
 *
 * @internal
 */
export const channelOfKey = (key: unknown): string | undefined =>
  typeof key === "string" && key.startsWith(`${reactivityStart}$live:`) ? key.slice(reactivityStart.length) : undefined

/** The tag of the home of a model that has one. No escaped id equals it. */
const modelTag = "$"

/**
 * Where an entity is indexed.
 *
 * @internal
 */
export interface Place {
  readonly home: string
  /** The name of the entity in its home. */
  readonly id: string
  readonly tag: string
}

/**
 * The place of the entity with this key.
 *
 * @internal
 */
export const placeOf = ({ hasOneHome }: Indexes, key: string): Place => {
  const open = key.indexOf("{")
  const close = key.indexOf("}", open)
  const tag = key.slice(open + 1, close)
  return hasOneHome
    ? { home: `${key.slice(0, open + 1)}${modelTag}}`, id: tag, tag }
    : { home: key.slice(0, close + 1), id: key.slice(close + 2), tag }
}

/**
 * The key of the entity at a place.
 *
 * @internal
 */
export const keyAt = ({ hasOneHome }: Indexes, home: string, id: string): string =>
  hasOneHome ? `${home.slice(0, -1 - modelTag.length)}${id}}` : `${home}:${id}`

/**
 * The home of a model that has one.
 *
 * @internal
 */
export const modelHome = (start: string): string => `${start}${modelTag}}`

/**
 * The sorted set of an index.
 *
 * @internal
 */
export const entriesKey = (home: string, { stored }: Pick<IndexSpec, "stored">): string => `${home}:$ix:${stored}`

/**
 * The hash that has the member of each entity, because the hash of an expired entity no longer tells its values. That of an aggregate
 * has what each entity adds, and behind a space its group: see `contributionOf`.
 *
 * @internal
 */
export const membersKey = (home: string, { stored }: Pick<IndexSpec, "stored">): string => `${home}:$of:${stored}`

/**
 * The contribution of an entity to an aggregate. The group comes last, because it may have any characters.
 *
 * @internal
 */
export const contributionOf = (amount: string, group: string): string => `${amount} ${group}`

/**
 * The amount and the group, or undefined if the text is no contribution.
 *
 * @internal
 */
export const contributionIn = (text: string | undefined): readonly [amount: bigint, group: string] | undefined => {
  const [, amount, group] = /^(-?\d+) (.*)$/s.exec(text ?? "") ?? []
  return amount === undefined ? undefined : [BigInt(amount), group!]
}

/**
 * The hash that has the plan whose indexes are complete. An index that a later definition has replaced is a hash too, and the hash of
 * its members a sorted set, so that a process with the earlier definition can't write them.
 *
 * @internal
 */
export const planKey = (home: string): string => `${home}:$plan`

/**
 * The field of both.
 *
 * @internal
 */
export const planField = "plan"

/**
 * The sorted set that has the expiry of each entity that expires.
 *
 * @internal
 */
export const expiriesKey = (home: string): string => `${home}:$exp`

/**
 * The codes of the values of an index, a letter each.
 *
 * @internal
 */
export const codesOf = ({ values: all }: Indexes, { keepsAbsent, values }: IndexSpec): string => {
  const codes = values.map((value) => all[value]!.code).join("")
  return keepsAbsent === true ? codes.toUpperCase() : codes
}

/**
 * The stored name of the index that a change of the field can change, if there is one alone, its score is the field, and no one is
 * told of changes. The upkeep of its entries is then one command.
 *
 * @internal
 */
export const ownScoreOf = ({ list, live, values }: Indexes, field: string): string | undefined => {
  const value = values.findIndex((value) => value.field === field)
  const [first, ...more] = list.filter(({ of, values, where = [] }) =>
    of === value || values.includes(value) || where.some(([other]) => other === value)
  )
  return live === undefined && first?.order === "score" && more.length === 0 ? first.stored : undefined
}

/**
 * Calls `f` with each key of a home.
 *
 * @internal
 */
export const forEachIndexKey = ({ list }: Indexes, home: string, f: (key: string) => void): void => {
  f(expiriesKey(home))
  f(planKey(home))
  for (const index of list) {
    f(entriesKey(home, index))
    if (index.order !== "score") f(membersKey(home, index))
  }
}
