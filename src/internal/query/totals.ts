/**
 * The programs of a model on its aggregates: the count or the sum of a group of entities. Each is one program where an aggregate has
 * one home; on partitions it asks all of them.
 */
import * as Effect from "effect/Effect"
import { InvalidValue } from "../../DomainError.ts"
import { Invalid } from "../program/atomic.ts"
import type { Aggregate } from "../schema/indexes.ts"
import type { ModelPlan } from "../schema/model.ts"
import { Problem } from "../text/problem.ts"
import { rangeIn } from "./ranges.ts"
import { askAll, homesOf, inIndex, scatter } from "./ranking.ts"
import { HomeReads, totalOf } from "./reads.ts"

type Kind = "counted" | "summed"

/** The codes of the values of a group: all of its entities have them. */
const groupOf = (plan: ModelPlan, aggregate: Aggregate, key: Readonly<Record<string, unknown>>): string | Problem => {
  const known = inIndex(plan, aggregate, key)
  const missing = aggregate.values.find(({ field }) => known[field] === undefined)
  const range = missing === undefined ? rangeIn(aggregate, known) : new Problem("Expected a value", missing.field)
  if (range instanceof Problem) return range
  // the range of entries with these values begins with their codes
  return range.equal === aggregate.values.length
    ? range.low.slice(1)
    : new Problem("Expected a value, because an aggregate has no ranges", aggregate.values[range.equal]!.field)
}

/** @internal */
export class Totals {
  readonly #plan: ModelPlan

  constructor(plan: ModelPlan) {
    this.#plan = plan
  }

  /** Reads the sum of a group, in each home that may have a part of it. */
  read(kind: Kind, name: string, key: unknown): unknown {
    const plan = this.#plan
    const refuse = ({ field, issue }: Problem) =>
      new Invalid(new InvalidValue({ model: plan.name, id: "", operation: kind, field, issue }))
    const aggregate = plan.indexes?.[kind].get(name)
    if (aggregate === undefined) return refuse(new Problem("The model has no such aggregate", String(name)))
    if (typeof key !== "object" || key === null) return refuse(new Problem("Expected an object"))
    const given = key as Readonly<Record<string, unknown>>
    const homes = homesOf(plan, given)
    if (homes instanceof Problem) return refuse(homes)
    const group = groupOf(plan, aggregate, given)
    if (group instanceof Problem) return refuse(group)
    const reads = homes.map((home) => new HomeReads(plan, aggregate, home))
    return reads.length === 1
      ? reads[0]!.total(kind, aggregate, group)
      : scatter(Effect.map(
        askAll<string>(reads, (home) => home.digits(kind, group)),
        (sums) => totalOf(aggregate.codec, sums.reduce((total, sum) => total + BigInt(sum), 0n))
      ))
  }
}
