/**
 * The planner: which ranges of which indexes have all entities of a query, in its order. They may have more, because the condition
 * is checked again for each entity.
 */
import { Comparison, Op } from "../instruction/ops.ts"
import { type FieldSpec, isEntitySpec } from "../instruction/spec.ts"
import type { AtomicNode } from "../program/node.ts"
import { digest, type Index, type Indexed } from "../schema/indexes.ts"
import type { ModelPlan } from "../schema/model.ts"
import { type Bounds, encode, rangeOf } from "../text/orderCode.ts"
import { Problem } from "../text/problem.ts"
import { compareBytes } from "../text/textOrder.ts"
import type { Query } from "./query.ts"
import { type Range, rangeBetween, rangeIn } from "./ranges.ts"
import { homesOf, inIndex } from "./ranking.ts"
import { HomeReads } from "./reads.ts"

/**
 * A range of an index, in all of its homes.
 *
 * @internal
 */
export interface Branch {
  readonly index: Index
  readonly range: Range
  readonly homes: ReadonlyArray<HomeReads>
  /** The codes that all members begin with. Empty for scores. */
  readonly prefix: string
}

/**
 * A way to run a query. The branches of a group are merged in order; groups follow one another, and an entity of an earlier group is
 * left out of later ones.
 *
 * @internal
 */
export interface Way {
  readonly groups: ReadonlyArray<ReadonlyArray<Branch>>
  /** Whether the entries are the entities of the query, so that no condition is left. */
  readonly isExact: boolean
}

/** A stored text, and its code in the order. */
interface Coded {
  readonly code: string
  readonly text: string
}

/** The demands of a condition on one field: that it is equal to one of several values, by code, and bounds. */
interface Demand {
  equal: ReadonlyMap<string, Coded> | undefined
  readonly bounds: { -readonly [Name in keyof Bounds]: Coded }
}

type Demands = Map<string, Demand>

const boundOf: { readonly [comparison: number]: keyof Bounds } = {
  [Comparison.lt]: "lt",
  [Comparison.lte]: "lte",
  [Comparison.gt]: "gt",
  [Comparison.gte]: "gte"
}

class Planner {
  readonly plan: ModelPlan
  readonly homes: (index: Index) => ReadonlyArray<HomeReads>
  /** The fields of the hash that some index names, by stored name. */
  readonly indexed: ReadonlyMap<string, Indexed>

  constructor(plan: ModelPlan, homes: ReadonlyArray<string>) {
    this.plan = plan
    this.homes = (index) => homes.map((home) => new HomeReads(plan, index, home))
    this.indexed = plan.indexes!.byField
  }

  /** Adds what a condition demands of indexed fields. A condition that says something else only leaves more entries. */
  collect(node: AtomicNode, demands: Demands, alternatives: Array<ReadonlyArray<AtomicNode>>): void {
    if (node._tag === "Junction") {
      if (node.isAnd) { for (const item of node.items) this.collect(item, demands, alternatives) }
      else if (node.items.length === 1) this.collect(node.items[0]!, demands, alternatives)
      else alternatives.push(node.items)
      return
    }
    if (node._tag !== "Instruct" || isEntitySpec(node.spec) || node.before !== undefined) return
    const spec: FieldSpec = node.spec
    const value = spec.itemOf === undefined ? this.indexed.get(spec.field) : undefined
    if (value === undefined || node.op !== Op.compare && node.op !== Op.oneOf) return
    const demand = demands.get(value.field) ?? { equal: undefined, bounds: {} }
    demands.set(value.field, demand)
    if (node.op === Op.oneOf || node.args[0] === Comparison.eq) {
      const equal = new Map<string, Coded>()
      for (const text of (node.op === Op.oneOf ? node.args : [node.args[1]]).map(String)) {
        const code = encode(value.code, text)
        if (code !== undefined && demand.equal?.has(code) !== false) equal.set(code, { code, text })
      }
      demand.equal = equal
      return
    }
    const name = boundOf[node.args[0] as number]
    const text = String(node.args[1])
    const code = name && encode(value.code, text)
    if (name === undefined || code === undefined) return
    const before = demand.bounds[name]
    const isLow = name === "gt" || name === "gte"
    if (before === undefined || compareBytes(code, before.code) > 0 === isLow) demand.bounds[name] = { code, text }
  }

  /** The branches of an index for these demands, or undefined if it does not serve them. */
  branches(index: Index, demands: Demands, order: string | undefined): ReadonlyArray<Branch> | undefined {
    const { spec, values } = index
    const all = this.plan.indexes!.spec.values
    for (const [position, text] of spec.where ?? []) {
      const { code, field } = all[position]!
      const demand = field === undefined ? undefined : demands.get(this.indexed.get(field)?.field ?? "")
      const wanted = encode(code, text)
      if (wanted === undefined || demand?.equal?.size !== 1 || !demand.equal.has(wanted)) return undefined
    }
    const mark = spec.keepsAbsent === true ? "1" : ""
    let prefixes: ReadonlyArray<ReadonlyArray<string>> = [[]]
    let equal = 0
    for (; equal < values.length; equal++) {
      const wanted = demands.get(values[equal]!.field)?.equal
      if (wanted === undefined || wanted.size * prefixes.length > mostBranches) break
      prefixes = prefixes.flatMap((prefix) => [...wanted.keys()].map((code) => [...prefix, mark + code]))
    }
    const next = values[equal]
    const isBoundedBy = (field: string) => Object.keys(demands.get(field)?.bounds ?? {}).length > 0
    // an entity without one of the other values has no entry, and may meet the condition
    const hasAll = values.slice(equal).every(({ field, mayBeAbsent, mayHaveNoPlace }) =>
      demands.get(field)?.equal !== undefined || isBoundedBy(field) ||
      !mayHaveNoPlace && (!mayBeAbsent || spec.keepsAbsent === true)
    )
    if (!hasAll) return undefined
    const bounds = next === undefined ? {} : demands.get(next.field)?.bounds ?? {}
    const serves = equal > 0 || Object.keys(bounds).length > 0 || spec.where !== undefined
    // the order of a field that is equal to one of several values is that of these values
    const isOrderEqual = order !== undefined && values[equal - 1]?.field === order
    const isOrdered = order === undefined || next?.field === order || isOrderEqual
    if (!isOrdered || !serves && order === undefined) return undefined
    const homes = this.homes(index)
    if (spec.order === "score") {
      const ranges = equal === 0
        ? [scoresBetween(bounds)]
        : [...demands.get(values[0]!.field)!.equal!.values()].map(scoreOf)
      return ranges.map((range) => ({ index, range, homes, prefix: "" }))
    }
    const isBounded = Object.keys(bounds).length > 0
    const codes = Object.fromEntries(Object.entries(bounds).map(([name, { code }]) => [name, code]))
    const sorted = prefixes.toSorted((a, b) => compareBytes(a.join(""), b.join("")))
    return sorted.map((parts) => ({
      index,
      range: rangeBetween(rangeOf(parts.join("") + (isBounded ? mark : ""), codes), equal),
      homes,
      prefix: parts.slice(0, isOrderEqual ? equal - 1 : equal).join("")
    }))
  }

  /** All ways to run a conjunction, the one that needs least first. */
  ways(condition: AtomicNode, order: string | undefined): ReadonlyArray<ReadonlyArray<Branch>> {
    const demands: Demands = new Map()
    const alternatives: Array<ReadonlyArray<AtomicNode>> = []
    this.collect(condition, demands, alternatives)
    const served: Array<ReadonlyArray<Branch>> = []
    for (const index of this.plan.indexes!.byName.values()) {
      const branches = this.branches(index, demands, order)
      if (branches !== undefined) served.push(branches)
    }
    served.sort((a, b) => (b[0]?.range.equal ?? 9) - (a[0]?.range.equal ?? 9))
    if (order !== undefined) return served
    for (const items of alternatives) {
      const parts = items.map((item) => this.ways(item, undefined)[0])
      if (parts.every((part) => part !== undefined)) served.push(parts.flat())
    }
    return served
  }
}

/** How many ranges one condition may become. */
const mostBranches = 1000

const scoreOf = ({ text }: Coded): Range => ({ low: text, high: text, equal: 1 })

const scoresBetween = ({ gt, gte, lt, lte }: Demand["bounds"]): Range => ({
  low: gt !== undefined && (gte === undefined || compareBytes(gt.code, gte.code) >= 0)
    ? `(${gt.text}`
    : gte?.text ?? "-Infinity",
  high: lt !== undefined && (lte === undefined || compareBytes(lt.code, lte.code) <= 0)
    ? `(${lt.text}`
    : lte?.text ?? "Infinity",
  equal: 0
})

/**
 * The ways to run a query, the one that promises most first, and a text that differs between queries.
 *
 * @internal
 */
export interface Planned {
  readonly ways: ReadonlyArray<Way>
  readonly fingerprint: string
}

/** @internal */
export const planOf = ({ filters, isReversed, order, source, start }: Query): Planned | Problem => {
  const { plan, template } = source
  const { indexes } = plan
  if (start._tag === "unknown" || indexes === undefined) {
    return new Problem("The model has no such index", start._tag === "unknown" ? start.name : "")
  }
  const homes = homesOf(plan, start._tag === "index" ? start.key : start.within)
  if (homes instanceof Problem) return homes
  const planner = new Planner(plan, homes)
  const conditions = (start._tag === "index" ? filters : [start.where, ...filters]).map((where) => where(template))
  const refused = conditions.find((node) => node._tag === "Invalid")
  if (refused?._tag === "Invalid") return new Problem(refused.error.issue, refused.error.field)
  const print = (ways: ReadonlyArray<Way>): Planned => ({
    ways,
    fingerprint: digest(JSON.stringify([
      plan.name,
      homes,
      order,
      isReversed,
      conditions.map(printOf),
      ways.map(({ groups }) => groups.map((group) => group.map(({ index, range }) => [index.spec.stored, range])))
    ]))
  })
  if (start._tag === "index") {
    const { index, key } = start
    const known = inIndex(plan, index, key)
    const range = rangeIn(index, known)
    if (range instanceof Problem) return range
    if (order !== undefined && index.values[range.equal]?.field !== order) {
      return new Problem("The index has another order", order)
    }
    const branch: Branch = { index, range, homes: planner.homes(index), prefix: "" }
    return print([{ groups: [[branch]], isExact: filters.length === 0 }])
  }
  const ways = planner.ways(conditions[0]!, order)
  if (ways.length === 0) {
    return new Problem(
      order === undefined
        ? "No index serves the condition: expected one that compares an indexed field with values"
        : "No index has the entities in this order",
      order ?? ""
    )
  }
  return print(ways.map((branches) => ({
    groups: order === undefined ? branches.map((branch) => [branch]) : [branches],
    isExact: false
  })))
}

/** The contents of a condition, whatever entity it is about. */
const printOf = (node: AtomicNode): unknown => {
  switch (node._tag) {
    case "Junction":
      return [node.isAnd, ...node.items.map(printOf)]
    case "Not":
      return ["not", printOf(node.self)]
    case "Instruct":
      return [node.op, node.field, node.args, node.before?.map((step) => [step.op, step.field, step.args])]
    default:
      return node._tag
  }
}
