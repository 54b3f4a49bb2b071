import { Comparison } from "../instruction/ops.ts"
import type { AtomicNode } from "../program/node.ts"

interface Comparable {
  compare(comparison: number, value: unknown): AtomicNode
}

/**
 * The methods `eq`, `neq` and so on, for the prototype of what can compare.
 *
 * @internal
 */
export const comparisons = Object.fromEntries(
  Object.entries(Comparison).map(([name, comparison]) => [name, function(this: Comparable, value: unknown): AtomicNode {
    return this.compare(comparison, value)
  }])
)
