/**
 * Planted faults of indexes, in memory: in what upkeep knows of them, in what it does, and in what reads ask for.
 */
import type { Indexes } from "../../src/internal/instruction/indexes.ts"
import { Op } from "../../src/internal/instruction/ops.ts"
import type { Instruction } from "../../src/internal/instruction/program.ts"
import { isEntitySpec, type Spec } from "../../src/internal/instruction/spec.ts"
import { ScoredMembers } from "../../src/internal/memory/scoredMembers.ts"
import { Transaction } from "../../src/internal/memory/transaction.ts"
import type { Fault } from "./compareLayers.ts"

const changedSpec = <S extends Spec>(spec: S, change: (indexes: Indexes) => Indexes | undefined): S => {
  const { expiry, indexes } = spec
  return {
    ...spec,
    indexes: indexes && change(indexes),
    ...(expiry === undefined ? undefined : { expiry: { ...expiry, indexes: expiry.indexes && change(expiry.indexes) } })
  }
}

const changed = (self: Instruction, change: (indexes: Indexes) => Indexes | undefined): Instruction =>
  ({
    ...self,
    spec: changedSpec(self.spec, change),
    ...(self.other === undefined ? undefined : { other: { ...self.other, spec: changedSpec(self.other.spec, change) } })
  }) as Instruction

const on = (op: Op, change: (self: Instruction) => Instruction): Fault => ({
  op,
  instruction: (self) => self.op === op ? change(self) : self
})

const unnoticed = (op: Op): Fault => on(op, (self) => changed(self, () => undefined))

const lists = (change: (index: Indexes["list"][number]) => Indexes["list"][number]): Fault => ({
  instruction: (self) => changed(self, (indexes) => ({ ...indexes, list: indexes.list.map(change) }))
})

const values = (change: (value: Indexes["values"][number]) => Indexes["values"][number]): Fault => ({
  instruction: (self) => changed(self, (indexes) => ({ ...indexes, values: indexes.values.map(change) }))
})

const args = (op: Op, change: (args: ReadonlyArray<any>) => ReadonlyArray<any>): Fault =>
  on(op, (self) => ({ ...self, args: change(self.args) }))

/** Replaces a method while a program runs. */
const replaced = <A extends object, K extends keyof A>(target: A, name: K, make: (own: A[K]) => A[K]): Fault => ({
  around: (run) => {
    const own = target[name]
    target[name] = make(own)
    try {
      return run()
    } finally {
      target[name] = own
    }
  }
})

const indexKeysOf = (transaction: Transaction): ReadonlySet<string> => (transaction as any).indexKeys

/** Faults that random programs on both layers find, whatever the indexes are. */
export const sharedFaults: ReadonlyArray<readonly [wrong: string, fault: Fault]> = [
  ["the entries of a deleted entity stay", unnoticed(Op.delete)],
  ["a replaced entity keeps its entries", unnoticed(Op.put)],
  ["a copy has no entries", on(Op.duplicate, (self) => ({ ...self, ...changed(self, () => undefined) }))],
  ["a unique value may be given twice", lists(({ isUnique: _, ...index }) => index)],
  [
    "what an undone attempt has indexed stays",
    replaced(Transaction.prototype, "undo", (undo) =>
      function(this: Transaction, length?: number) {
        const entries = [...indexKeysOf(this)].flatMap((key) => {
          const value = this.store.values.get(key)
          return value?._tag === "zset" ? [[value.members, new Map(value.members.scores)] as const] : []
        })
        undo.call(this, length)
        if (length === undefined) return
        for (const [members, scores] of entries) members.assign(scores)
        for (const noted of this.indexed.values()) noted.isDirty = false
      })
  ]
]

export const indexFaults: ReadonlyArray<readonly [wrong: string, fault: Fault]> = [
  ...sharedFaults,
  ["an increment changes no entry", unnoticed(Op.increment)],
  ["a cleared field keeps its entry", unnoticed(Op.clear)],
  ["an index over some entities is over all", lists(({ where: _, ...index }) => index)],
  ["absent values have no entry", lists(({ keepsAbsent: _, ...index }) => index)],
  ["a missing field has no default", values(({ default: _, ...value }) => value)],
  ["null is a value", values(({ nullable: _, ...value }) => value)],
  ["the first value decides alone", lists((index) => ({ ...index, values: index.values.slice(0, 1) }))],
  ["an expiry is not noted", unnoticed(Op.expire)],
  ["an expiry that is given up stays noted", unnoticed(Op.persist)],
  [
    "a renewal is not noted",
    {
      instruction: (self) =>
        self.spec.expiry === undefined || isEntitySpec(self.spec) || self.spec.indexes !== undefined
          ? self
          : changed(self, () => undefined)
    }
  ],
  ["what has expired is believed to be there", replaced(Transaction.prototype, "isStored", () => () => true)],
  [
    "an old entry stays beside the new one",
    replaced(ScoredMembers.prototype, "assign", (assign) =>
      function(this: ScoredMembers, changes) {
        return assign.call(this, new Map([...changes].filter(([, score]) => score !== undefined)))
      })
  ],
  [
    "a rank counts entities of equal values",
    replaced(ScoredMembers.prototype, "below", () =>
      function(this: ScoredMembers, score) {
        return this.upTo(score)
      })
  ],
  [
    "the direction is the other one",
    args(Op.indexRange, ([index, low, high, reverse, ...rest]) => [
      index,
      low,
      high,
      1 - reverse,
      ...rest
    ])
  ],
  [
    "neighbours are one less",
    args(Op.indexAround, ([index, low, high, reverse, id, count, ...rest]) => [
      index,
      low,
      high,
      reverse,
      id,
      Math.max(0, count - 1),
      ...rest
    ])
  ],
  [
    "bounds of scores include their ends",
    args(Op.indexCount, ([index, ...bounds]) => [index, ...bounds.map((bound) => bound.replace(/^\((?=[-\d])/, ""))])
  ],
  ["a sum is a count", lists(({ of: _, ...index }) => index)],
  ["the sum of another group is read", args(Op.indexSum, ([index, group]) => [index, `${group}0`])],
  [
    "an entity's amount of before stays in the sum",
    replaced(Transaction.prototype, "indexKeyAt", (indexKeyAt) =>
      function(this: Transaction, key, tag) {
        const value = indexKeyAt.call(this, key, tag)
        if (value._tag !== "hash" || !/:\$of:(?:counted|summed):/.test(key)) return value
        const forgetful = { get: () => undefined } as Partial<Map<string, string>>
        const fields = new Proxy(value.fields, {
          get: (target, name) =>
            forgetful[name as "get"] ?? (target as any)[name].bind?.(target) ?? (target as any)[name]
        })
        return { ...value, fields }
      })
  ],
  ["a unique value is looked for as a prefix", args(Op.indexHas, ([index, low]) => [index, low, "+"])]
]
