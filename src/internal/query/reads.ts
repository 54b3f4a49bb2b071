/**
 * Programs that read one home of an index: counts, ranks, entries and their entities.
 */
import * as Option from "effect/Option"
import { EntityCorrupted } from "../../DomainError.ts"
import { tolerating } from "../handle/entity.ts"
import { type HandleRef, instruct, invalid, isOne, named, same } from "../handle/entityRef.ts"
import { ExactMeasure, Measure } from "../handle/measure.ts"
import { keyAt } from "../instruction/indexes.ts"
import { Op } from "../instruction/ops.ts"
import type { Argument } from "../instruction/program.ts"
import type { Result } from "../instruction/reply.ts"
import type { EntitySpec } from "../instruction/spec.ts"
import { Guard, Junction } from "../program/atomic.ts"
import type { AtomicNode } from "../program/node.ts"
import type { Codec } from "../schema/codec.ts"
import { durationOf } from "../schema/codecOf.ts"
import type { Aggregate, Index } from "../schema/indexes.ts"
import type { ModelPlan } from "../schema/model.ts"
import { readRow } from "../schema/tolerated.ts"
import { Problem } from "../text/problem.ts"
import { compareBytes } from "../text/textOrder.ts"
import type { Range } from "./ranges.ts"

/**
 * An entry: the id in its home, and its place in the order, which is its member or its score.
 *
 * @internal
 */
export interface Entry {
  readonly id: string
  readonly order: string
}

/**
 * A sum as users know it. One that is no safe integer becomes the nearest number.
 *
 * @internal
 */
export const totalOf = (codec: Codec | undefined, sum: bigint): unknown =>
  codec?.kind === "int64" ? sum : codec?.kind === "duration" ? durationOf(sum) : Number(sum)

/**
 * A program that reads one home of one index, or of one aggregate.
 *
 * @internal
 */
export class HomeReads {
  readonly plan: ModelPlan
  readonly index: Index
  readonly home: string
  readonly ref: HandleRef
  readonly spec: EntitySpec

  constructor(plan: ModelPlan, index: Index, home: string) {
    this.plan = plan
    this.index = index
    this.home = home
    this.ref = { model: plan.name, id: "", key: home, definition: plan.definition, refusal: undefined, renews: false }
    this.spec = plan.spec
  }

  private op(op: Op, method: string, args: ReadonlyArray<Argument>, decode: (result: any) => unknown): AtomicNode {
    const node = instruct(this.ref, op, this.spec, "", [this.index.position, ...args], decode)
    return named(method, tolerating(this.plan.layout, node))
  }

  count({ high, low }: Range): Measure {
    return new Measure(this, "", "count", this.op(Op.indexCount, "count", [low, high], same), false)
  }

  /** The sum of a group of an aggregate, as a text. */
  digits(method: string, group: string): AtomicNode {
    return this.op(Op.indexSum, method, [group], same)
  }

  /** The sum of a group of an aggregate. */
  total(method: string, { codec }: Aggregate, group: string): Measure {
    const reading = this.op(Op.indexSum, method, [group], (sum: string) => totalOf(codec, BigInt(sum)))
    return codec === undefined || codec.kind === "integer"
      ? new Measure(this, "", method, reading, false)
      : new ExactMeasure(this, method, reading, codec.kind)
  }

  has({ high, low }: Range): AtomicNode {
    return this.op(Op.indexHas, "exists", [low, high], isOne)
  }

  /** The entries of a range, from a place on, which may be outside of the range. */
  entries({ high, low }: Range, reverse: boolean, limit: number, after?: Entry): AtomicNode {
    const isScore = this.index.spec.order === "score"
    const isBeyond = (bound: string, direction: 1 | -1): boolean =>
      bound === "-" || bound === "+" || compareBytes(after!.order, bound.slice(1)) * direction >= 0
    const bounds = after === undefined || isScore
      ? [low, high]
      : reverse
      ? [low, isBeyond(high, -1) ? `(${after.order}` : high]
      : [isBeyond(low, 1) ? `(${after.order}` : low, high]
    const resume = after !== undefined && isScore ? [after.order, after.id] : []
    return this.op(
      Op.indexRange,
      "entries",
      [...bounds, Number(reverse), limit, 0, ...resume],
      (row) => entriesOf(row, 2)
    )
  }

  /** The entities of a range. */
  entities(method: string, { high, low }: Range, reverse: boolean, limit: number): AtomicNode {
    return this.op(Op.indexRange, method, [low, high, Number(reverse), limit, 1], (row) => this.decodeAll(row))
  }

  /** The entities around one, or none if it is not in the range. */
  around(id: string, { high, low }: Range, reverse: boolean, count: number): AtomicNode {
    return this.op(
      Op.indexAround,
      "around",
      [low, high, Number(reverse), id, count, 1],
      (row) => row === false ? [] : this.decodeAll(row)
    )
  }

  /** The entry of an entity, or none if it is not in the range. */
  place(id: string, { high, low }: Range): AtomicNode {
    return this.op(
      Op.indexAround,
      "around",
      [low, high, 0, id, 0, 0],
      (row) => row === false ? [] : entriesOf(row, 2)
    )
  }

  /** The entity of an entry, if it still exists. */
  entity(id: string): AtomicNode {
    const { foundKeyOf, indexes, layout, name, partsOf } = this.plan
    const found = foundKeyOf(keyAt(indexes!.spec, this.home, id))
    if (found === undefined || found.value instanceof Problem) {
      return this.refuse(found?.value as Problem ?? noKey)
    }
    const ref = { ...this.ref, id: found.id, key: found.key }
    const parts = partsOf(found.value)
    return tolerating(
      layout,
      instruct(ref, Op.find, layout.spec, "", [], (row: Result) => {
        if (row === false) return Option.none()
        const entity = readRow(layout, name, row as ReadonlyArray<Result>, parts)
        return entity instanceof Problem ? entity : Option.some(entity)
      })
    )
  }

  rank(id: string, { high, low }: Range, reverse: boolean): Measure {
    const reading = this.op(
      Op.indexRank,
      "rank",
      [low, high, Number(reverse), id],
      (result: Result) => result === false ? Option.none() : Option.some(result)
    )
    return new Measure(this, "", "rank", reading, true)
  }

  /** The only entity of a range. */
  find({ high, low }: Range): AtomicNode {
    return this.op(Op.indexRange, "findBy", [low, high, 0, 1, 1], (row) => {
      const entities = this.decodeAll(row)
      return entities instanceof Problem ? entities : Option.fromUndefinedOr(entities[0])
    })
  }

  get({ high, low }: Range): AtomicNode {
    return this.op(Op.indexGet, "getBy", [low, high], (row) => {
      const entities = this.decodeAll(row)
      return entities instanceof Problem ? entities : entities[0]
    })
  }

  /** The same home of another index. */
  forIndex(index: Index): HomeReads {
    return new HomeReads(this.plan, index, this.home)
  }

  /** Whether an entity has an entry in the range. */
  holds(id: string, { high, low }: Range): AtomicNode {
    return this.op(Op.indexHolds, "holds", [low, high, id], isOne)
  }

  /** The id of an entry as users know it. */
  idOf(id: string): unknown {
    const found = this.plan.foundKeyOf(keyAt(this.plan.indexes!.spec, this.home, id))
    return found === undefined ? noKey : found.value
  }

  /** The result for an entry whose id can't be decoded. */
  unreadable(id: string, { field, issue }: Problem): AtomicNode {
    const { indexes, name } = this.plan
    const key = keyAt(indexes!.spec, this.home, id)
    const corrupted = new EntityCorrupted({ model: name, id, key, field, issue, applied: false })
    return new Guard(new Junction(false, []), [], () => corrupted)
  }

  refuse(problem: Problem): AtomicNode {
    return invalid(this.ref, "", problem)
  }

  private decodeAll(row: ReadonlyArray<any>): ReadonlyArray<unknown> | Problem {
    const { foundKeyOf, indexes, layout, name, partsOf } = this.plan
    const width = 3 + layout.spec.fields.length + layout.spec.collections.length
    const entities: Array<unknown> = []
    // an empty table of the script is an empty object in JSON
    for (let at = 0; at < (row.length ?? 0); at += width) {
      const found = foundKeyOf(keyAt(indexes!.spec, this.home, row[at]))
      if (found === undefined || found.value instanceof Problem) return found?.value as Problem ?? noKey
      const entity = readRow(layout, name, row.slice(at + 2, at + width), partsOf(found.value))
      if (entity instanceof Problem) return entity
      entities.push(entity)
    }
    return entities
  }
}

const noKey = new Problem("Expected the key of an entity")

const entriesOf = (row: ReadonlyArray<any>, width: number): ReadonlyArray<Entry> => {
  const entries: Array<Entry> = []
  for (let at = 0; at < (row.length ?? 0); at += width) entries.push({ id: row[at], order: row[at + 1] })
  return entries
}
