/**
 * The table of operations whose cost `npm run bench` compares in short and long programs has every instruction that is O(1) alone, so
 * that a new one can't be forgotten.
 */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { operations } from "../../bench/operations.ts"
import { infoOf, Op } from "../../src/internal/instruction/ops.ts"
import { prepare } from "../../src/internal/program/commit.ts"
import type { AtomicNode } from "../../src/internal/program/node.ts"

/** Instructions that are not in the table, and why. */
const others: Readonly<Record<string, string>> = {
  // their cost is that of what they read or write, or of what they look through
  values: "O(n)",
  replace: "O(n)",
  slice: "O(n)",
  removeItem: "O(n)",
  contains: "O(n)",
  union: "O(n)",
  intersection: "O(n)",
  difference: "O(n)",
  keys: "O(n)",
  rangeByRank: "O(n)",
  rangeByScore: "O(n)",
  removeByRank: "O(n)",
  removeByScore: "O(n)",
  // a program has one of them, alone or at its beginning
  acquire: "alone in its program",
  renew: "alone in its program",
  release: "alone in its program",
  holds: "needs a lock",
  requireVersion: "of modify, which has one",
  // what reads indexes, and keeps them
  indexRange: "O(n)",
  indexAround: "O(n)",
  indexGet: "has its own rows",
  indexCount: "has its own rows",
  indexRank: "has its own rows",
  indexHas: "has its own rows",
  indexHolds: "has its own rows",
  indexAudit: "O(n)",
  indexPlan: "alone in its program",
  auditSums: "O(n)",
  recount: "O(n)",
  reindex: "alone in its program",
  audit: "alone in its program"
}

it.effect("each instruction that is O(1) alone is in the table of growth-program, or among those with a reason", () =>
  Effect.gen(function*() {
    const measured = new Set<string>()
    for (const { make } of operations) {
      const { steps } = yield* prepare(make(1) as unknown as AtomicNode)
      for (const { op } of steps) measured.add(infoOf(op).name)
    }
    const missing = Object.keys(Op).filter((name) => !measured.has(name) && others[name] === undefined)
    assert.deepStrictEqual(missing, [])
    assert.deepStrictEqual(Object.keys(others).filter((name) => !(name in Op) || measured.has(name)), [])
  }))
