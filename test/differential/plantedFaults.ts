/**
 * Planted faults: each is one that an interpreter might have, and the comparison must find it.
 */
import { infoOf, Op } from "../../src/internal/instruction/ops.ts"
import type { Instruction } from "../../src/internal/instruction/program.ts"
import type { Result } from "../../src/internal/instruction/reply.ts"
import {
  type EntitySpec,
  type Expiry,
  type FieldSpec,
  isEntitySpec,
  noFields
} from "../../src/internal/instruction/spec.ts"
import type { Fault } from "./compareLayers.ts"
import { flowFaults } from "./plantedFlowFaults.ts"
import { sharedFaults } from "./plantedIndexFaults.ts"

const on = (op: Op, change: (self: Instruction) => Instruction): Fault => ({
  op,
  instruction: (self) => self.op === op ? change(self) : self
})

const renamed = (from: Op, to: Op): Fault => on(from, (self) => ({ ...self, op: to }))

/** Changed properties of a specification. Their names are checked, so that a fault cannot come to nothing. */
type Change<A> = { readonly [K in keyof A]?: A[K] | undefined }

const spec = (change: (spec: FieldSpec) => Change<FieldSpec>): Fault => ({
  instruction: (self) =>
    isEntitySpec(self.spec) ? self : { ...self, spec: { ...self.spec, ...change(self.spec) } as FieldSpec }
})

const expiry = (change: Change<Expiry>, onEntities: boolean): Fault => ({
  instruction: (self) => {
    if (self.spec.expiry === undefined || !onEntities && isEntitySpec(self.spec)) return self
    return { ...self, spec: { ...self.spec, expiry: { ...self.spec.expiry, ...change } as Expiry } }
  }
})

const noCollections: Pick<EntitySpec, "collections"> = { collections: [] }

const result = (op: Op, change: (count: number) => number): Fault => ({
  op,
  result: (found, self) => self.op === op && typeof found === "number" ? change(found) : found
})

const older = (version: Result | undefined): Result =>
  typeof version === "string" && /^-?\d{1,19}$/.test(version) ? String(BigInt(version) - 1n) : version ?? false

const withoutExpiry = (self: Instruction): Instruction => {
  const { expiry: _, ...spec } = self.spec
  return { ...self, spec: spec as Instruction["spec"] }
}

/** Gives a read without a renewal the specification of the same read with one. */
const renewing = (): Fault => {
  const known = new Map<string, Instruction["spec"]>()
  return {
    instruction: (self) => {
      if (infoOf(self.op).readsEntity !== true && self.op !== Op.get) return self
      const { expiry, ...spec } = self.spec
      const name = `${self.key.split(":", 1)[0]} ${JSON.stringify(spec)}`
      if (expiry === undefined) return { ...self, spec: known.get(name) ?? self.spec }
      known.set(name, self.spec)
      return self
    }
  }
}

export const faults: ReadonlyArray<readonly [wrong: string, fault: Fault]> = [
  ["shift takes the last item", renamed(Op.shift, Op.pop)],
  ["prepend adds at the end", on(Op.prepend, (self) => ({ ...self, op: Op.append, args: [0, ...self.args] }))],
  ["min is max", renamed(Op.min, Op.max)],
  ["quotient has a fraction", renamed(Op.quotient, Op.divide)],
  ["getAndSet only sets", renamed(Op.getAndSet, Op.set)],
  ["clear does nothing", renamed(Op.clear, Op.get)],
  ["insert replaces", renamed(Op.insert, Op.put)],
  ["put doesn't replace", renamed(Op.put, Op.insert)],
  ["a missing entity is no error", renamed(Op.read, Op.find)],
  ["bounds of the call are ignored", on(Op.increment, (self) => ({ ...self, args: self.args.slice(0, 1) }))],
  ["capped lists grow", on(Op.append, (self) => ({ ...self, args: [0, ...self.args.slice(1)] }))],
  ["the longest list is longer", spec((spec) => spec.maxLength === undefined ? {} : { maxLength: 1e9 })],
  ["insert in a list is always at its end", on(Op.insertItems, (self) => ({ ...self, op: Op.append }))],
  ["trim drops what it should keep", renamed(Op.trim, Op.removeRange)],
  ["added members count twice", result(Op.addMembers, (count) => 2 * count)],
  ["union ignores the other", on(Op.union, ({ other: _, ...self }) => ({ ...self, op: Op.values }))],
  ["difference is intersection", renamed(Op.difference, Op.intersection)],
  [
    "the entry of a map can't be cleared",
    on(Op.clear, (self) => !isEntitySpec(self.spec) && self.spec.itemOf === "map" ? { ...self, op: Op.get } : self)
  ],
  ["an absent entry has no value to begin with", spec((spec) => spec.itemOf === "map" ? { default: undefined } : {})],
  ["the largest map is larger", spec((spec) => spec.itemOf === "map" || spec.kind === "map" ? { maxSize: 1e9 } : {})],
  ["a set may be emptied", { op: Op.remove, ...spec((spec) => spec.kind === "set" ? { minSize: 0 } : {}) }],
  ["what is removed from a set stays", renamed(Op.remove, Op.has)],
  [
    "what is popped from a map stays",
    on(
      Op.popEntry,
      (self) =>
        isEntitySpec(self.spec)
          ? self
          : { ...self, op: Op.get, spec: { field: self.spec.field, kind: "text", itemOf: "map" } }
    )
  ],
  ["popMin takes the highest", renamed(Op.popMin, Op.popMax)],
  ...([["pop", Op.pop], ["shift", Op.shift], ["popMin", Op.popMin], ["popMax", Op.popMax]] as const).map((
    [name, op]
  ): readonly [string, Fault] => [
    `${name} of several takes one less`,
    on(op, (self) => ({ ...self, args: self.args.map((count) => Math.max(0, Number(count) - 1)) }))
  ]),
  [
    "one of several removed stays",
    on(Op.remove, (self) => self.args.length > 1 ? { ...self, args: self.args.slice(1) } : self)
  ],
  [
    "removeRangeByRank counts from the other end",
    on(Op.removeByRank, (self) => ({ ...self, args: [...self.args.slice(0, 2), 1 - Number(self.args[2])] }))
  ],
  ["removeRangeByScore only counts", renamed(Op.removeByScore, Op.countByScore)],
  [
    "a rank is from the other end",
    on(Op.rank, (self) => ({ ...self, args: [self.args[0]!, 1 - Number(self.args[1])] }))
  ],
  ["a score is replaced, not added to", on(Op.incrementScore, (self) => ({ ...self, op: Op.addScores }))],
  ["bigints have no end", spec((spec) => spec.kind === "int64" ? { kind: "duration" } : {})],
  ["null is a value", spec(() => ({ nullable: undefined }))],
  ["getOrInsert replaces", renamed(Op.getOrInsert, Op.put)],
  ["ensure replaces", renamed(Op.ensure, Op.put)],
  ["every version is the entity's", renamed(Op.atVersion, Op.exists)],
  ["the version is one behind", { result: (found, self) => self.op === Op.version ? older(found) : found }],
  ["the version beside an entity is one behind", {
    result: (found, self) =>
      self.op === Op.read && Array.isArray(found) ? [older(found[0]) as string, ...found.slice(1)] : found
  }],
  [
    "a copy has no collections",
    on(
      Op.duplicate,
      (self) => ({
        ...self,
        spec: isEntitySpec(self.spec) ? { ...self.spec, ...noCollections } : self.spec,
        other: { ...self.other!, spec: noFields }
      })
    )
  ],
  ["expire forgets collections", on(Op.expire, (self) => ({ ...self, spec: noFields }))],
  ["persist does nothing", renamed(Op.persist, Op.require)],
  ["a new entity lives for ever", on(Op.insert, (self) => ({ ...self, args: [false, ...self.args.slice(1)] }))],
  ["nothing is renewed", { instruction: withoutExpiry }],
  ["a read that renews nothing renews", renewing()],
  ["only writes renew", expiry({ onRead: false }, true)],
  ["collections are not renewed", expiry({ collections: [] }, false)],
  ["what was just renewed is renewed again", expiry({ renewAfterMillis: 0 }, true)],
  ["a scan leaves out a key", {
    keys: (keys) => keys.filter((key) => key !== keys.find((other) => other.endsWith("}")))
  }],
  ["a scan gives one key in place of all", {
    keys: (keys) => keys.map((key) => key.endsWith("}") ? keys.find((other) => other.endsWith("}"))! : key)
  }],
  ["a scan gives a key that is gone", { keys: (keys) => keys.flatMap((key) => [key, key.replace("{", "{gone")]) }],
  ...flowFaults,
  ...sharedFaults.map(([wrong, fault]) => [wrong, { ...fault, isOfIndexes: true }] as const)
]
