/**
 * The sums of aggregates. A hash has what each entity adds, and another one has the sum of each group. The twin of aggregates.lua.
 */
import { contributionIn } from "../instruction/indexes.ts"
import type { StoredHash } from "./store.ts"
import type { Transaction } from "./transaction.ts"

const digits = /^-?\d+$/

/**
 * The sums of the groups of an aggregate.
 *
 * @internal
 */
export const sumsAt = (transaction: Transaction, key: string): StoredHash["fields"] =>
  (transaction.indexKeyAt(key, "hash") as StoredHash).fields

/**
 * The sum of a group.
 *
 * @internal
 */
export const sumIn = (sums: StoredHash["fields"], group: string): bigint => {
  const text = sums.get(group) ?? "0"
  return digits.test(text) ? BigInt(text) : 0n
}

const setSum = (sums: StoredHash["fields"], group: string, sum: bigint): void => {
  // a sum of 0 is not stored
  if (sum === 0n) sums.delete(group)
  else sums.set(group, String(sum))
}

/**
 * Replaces what an entity adds. It may be nothing before or after.
 *
 * @internal
 */
export const replaceContribution = (
  transaction: Transaction,
  key: string,
  before: string | undefined,
  after: string | undefined
): void => {
  const sums = sumsAt(transaction, key)
  const add = (contribution: string | undefined, sign: bigint): void => {
    const parts = contributionIn(contribution)
    if (parts === undefined) return
    const [amount, group] = parts
    const change = (amount: bigint) => setSum(sums, group, sumIn(sums, group) + amount)
    change(sign * amount)
    transaction.journal.push(() => change(-sign * amount))
  }
  add(after, 1n)
  add(before, -1n)
}

/**
 * Compares the sums with what the entities add, and makes them equal if it may. Returns how many differ.
 *
 * @internal
 */
export const recount = (
  transaction: Transaction,
  key: string,
  contributions: StoredHash,
  isMending: boolean
): number => {
  const wanted = new Map<string, bigint>()
  for (const contribution of contributions.fields.values()) {
    const [amount, group] = contributionIn(contribution) ?? [0n, ""]
    wanted.set(group, (wanted.get(group) ?? 0n) + amount)
  }
  const sums = sumsAt(transaction, key)
  let count = 0
  for (const group of new Set([...sums.keys(), ...wanted.keys()])) {
    const sum = wanted.get(group) ?? 0n
    if (sums.get(group) === (sum === 0n ? undefined : String(sum))) continue
    count++
    if (isMending) setSum(sums, group, sum)
  }
  return count
}
