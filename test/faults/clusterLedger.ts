/**
 * Compares what is stored in the banks of a cluster with the outcomes that callers received.
 */
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { slotOf } from "../../conformance/src/support/slot.ts"
import type { Fault } from "../support/ClusterFaults.ts"
import { agree, type RedisCluster } from "../support/RedisCluster.ts"
import { coins, type Heard, names } from "./clusterBank.ts"

/** The shard that a bank is in, as long as its slot has not been moved. */
const shardOf = ({ primaries }: RedisCluster, bank: string) =>
  Math.floor(slotOf(`{${bank}}`) * primaries.length / 16_384)

/** Names of banks, so many for each shard. */
export const banksOf = (cluster: RedisCluster, of: string, each: number): ReadonlyArray<string> => {
  const found = cluster.primaries.map((): Array<string> => [])
  for (let i = 0; found.some(({ length }) => length < each); i++) {
    const bank = `${of}${i}`
    const banks = found[shardOf(cluster, bank)]!
    if (banks.length < each) banks.push(bank)
  }
  return found.flat()
}

export interface Stored {
  readonly entries: ReadonlyArray<string>
  readonly coins: Readonly<Record<string, number>>
}

/** Looks at a bank without the library. */
export const look = Effect.fnUntraced(function*(cluster: RedisCluster, keyPrefix: string, bank: string) {
  yield* agree(cluster)
  const { raw } = cluster.owners[slotOf(`{${bank}}`)]!
  const entries = (yield* raw.call("LRANGE", `${keyPrefix}faults/BankJournal:{${bank}}:entries`, "0", "-1")) as Array<
    string
  >
  const coins: Record<string, number> = {}
  for (const name of names) {
    coins[name] = Number(yield* raw.call("HGET", `${keyPrefix}faults/BankAccount:{${bank}}:${name}`, "coins"))
  }
  const stored: Stored = { entries, coins }
  return stored
})

/** Too few replicas have what was applied, so a failover may lose it. */
const isAcknowledged = ({ applied, reason }: Heard): boolean => applied === true && reason !== "NotEnoughReplicas"

/** Compares a bank with what was heard of it, and returns what was acknowledged and is missing. */
export const compare = (
  bank: string,
  { coins: found, entries }: Stored,
  heard: ReadonlyArray<Heard>
): ReadonlyArray<Heard> => {
  const there = new Set(entries)
  assert.strictEqual(there.size, entries.length, `${bank}: applied twice`)
  const expected: Record<string, number> = Object.fromEntries(names.map((name) => [name, coins]))
  for (const entry of entries) {
    const [from = "", to = "", amount = ""] = entry.split(":").slice(-3)
    expected[from]! -= Number(amount)
    expected[to]! += Number(amount)
  }
  assert.deepStrictEqual(found, expected, `${bank}: the balances do not follow from the journal`)
  for (const name of names) assert.isAtLeast(found[name]!, 0, bank)
  const own = heard.filter((one) => one.bank === bank)
  const known = new Set(own.map(({ id }) => id))
  assert.strictEqual(known.size, own.length, `${bank}: two transfers with one id`)
  assert.deepStrictEqual(entries.filter((id) => !known.has(id)), [], `${bank}: by nobody`)
  assert.deepStrictEqual(
    own.filter(({ applied, id }) => applied === false && there.has(id)),
    [],
    `${bank}: not applied, and there`
  )
  return own.filter((one) => isAcknowledged(one) && !there.has(one.id))
}

/** The fault in which a primary may have taken an acknowledged write with it: it answered before, and was replaced after. */
export const lostBy = ({ at, bank }: Heard, faults: ReadonlyArray<Fault>): Fault | undefined =>
  faults.find(({ begin, isReplaced, slots, up }) =>
    isReplaced && slots.has(slotOf(`{${bank}}`)) && at >= begin - 1000 && at <= up
  )

/** How often each thing was heard, as a text. */
export const summary = (heard: ReadonlyArray<Heard>): string => {
  const counts = new Map<string, number>()
  for (const { applied, reason } of heard) {
    const name = reason === undefined ? "acknowledged" : `${reason}, applied: ${applied}`
    counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  return [...counts].map(([name, count]) => `${count} ${name}`).join("; ")
}
