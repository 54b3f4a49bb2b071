/**
 * The programs of a model on its indexes: ranks, the first entities, neighbours, and entities by unique values. Each is one program where an
 * index has one home; on partitions it asks all of them.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { InvalidValue } from "../../DomainError.ts"
import { modelHome, placeOf } from "../instruction/indexes.ts"
import { Invalid } from "../program/atomic.ts"
import type { AtomicNode } from "../program/node.ts"
import type { Index } from "../schema/indexes.ts"
import type { ModelPlan } from "../schema/model.ts"
import type { RedisService } from "../service.ts"
import { escapeId } from "../text/escape.ts"
import { after } from "../text/orderCode.ts"
import { Problem } from "../text/problem.ts"
import { compareBytes } from "../text/textOrder.ts"
import { merge, type Merged } from "./merge.ts"
import { type Range, rangeIn } from "./ranges.ts"
import { type Entry, HomeReads } from "./reads.ts"

/**
 * `Model.RankOptions` documents the options.
 *
 * @internal
 */
export interface RankOptions {
  readonly within?: Readonly<Record<string, unknown>> | undefined
  readonly direction?: "asc" | "desc" | undefined
}

const mostEntities = 1000
/** On each side, so that an entity and those around it are no more than a thousand. */
const mostAround = 499

/**
 * The homes of an index that may have the entries of a key: all partitions, or the one of the key's component.
 *
 * @internal
 */
export const homesOf = (plan: ModelPlan, key: Readonly<Record<string, unknown>>): ReadonlyArray<string> | Problem => {
  const { keyNames, partitions, slotField, start } = plan
  if (partitions !== undefined) return Array.from({ length: partitions }, (_, i) => `${start}p${i}}`)
  if (slotField === undefined) return [modelHome(start)]
  const value = key[slotField]
  if (value === undefined) return new Problem("Expected the field that decides the slot", slotField)
  const text = plan.keyCodecs[keyNames.indexOf(slotField)]!.encode(value)
  if (text instanceof Problem) return text.within(slotField)
  const escaped = escapeId(text)
  return escaped instanceof Problem ? escaped.within(slotField) : [`${start}${escaped}}`]
}

/**
 * The part of a key that the index knows. The field that decides the slot may be given though the index does not have it.
 *
 * @internal
 */
export const inIndex = (
  { slotField }: ModelPlan,
  { values }: Index,
  key: Readonly<Record<string, unknown>>
): Readonly<Record<string, unknown>> => {
  if (slotField === undefined || values.some(({ field }) => field === slotField)) return key
  const { [slotField]: _, ...rest } = key
  return rest
}

/** @internal */
export class Ranking {
  readonly #plan: ModelPlan

  constructor(plan: ModelPlan) {
    this.#plan = plan
  }

  #refuse(operation: string, problem: Problem): AtomicNode {
    const { field, issue } = problem
    return new Invalid(new InvalidValue({ model: this.#plan.name, id: "", operation, field, issue }))
  }

  #index(name: unknown): Index | Problem {
    return this.#plan.indexes?.byName.get(name as string) ?? new Problem("The model has no such index", String(name))
  }

  /** Asks each home that may have entries in the range. */
  #ask(
    operation: string,
    name: unknown,
    key: unknown,
    id: unknown,
    f: (reads: ReadonlyArray<HomeReads>, range: Range, ownId: string, own: HomeReads) => AtomicNode
  ): AtomicNode {
    const index = this.#index(name)
    if (index instanceof Problem) return this.#refuse(operation, index)
    const given = (key ?? {}) as Readonly<Record<string, unknown>>
    if (typeof given !== "object") return this.#refuse(operation, new Problem("Expected an object"))
    const found = id === undefined ? undefined : this.#plan.keyOf(id)
    if (found instanceof Problem) return this.#refuse(operation, found)
    const place = found && placeOf(this.#plan.indexes!.spec, found.key)
    const { partitions } = this.#plan
    const homes = place !== undefined && partitions === undefined ? [place.home] : homesOf(this.#plan, given)
    if (homes instanceof Problem) return this.#refuse(operation, homes)
    const range = rangeIn(index, inIndex(this.#plan, index, given))
    if (range instanceof Problem) return this.#refuse(operation, range)
    const reads = homes.map((home) => new HomeReads(this.#plan, index, home))
    const own = reads.find(({ home }) => home === place?.home) ?? reads[0]!
    return f(reads, range, place?.id ?? "", own)
  }

  rank(id: unknown, name: string, { direction, within }: RankOptions = {}): unknown {
    const reverse = direction !== "asc"
    return this.#ask(
      "rank",
      name,
      within,
      id,
      (reads, range, ownId, own) =>
        reads.length === 1 ? own.rank(ownId, range, reverse) : scatter(rankAcross(reads, range, ownId, own, reverse))
    )
  }

  top(name: string, count: number, { direction, within }: RankOptions = {}): unknown {
    const reverse = direction !== "asc"
    const refusal = countProblem(count, mostEntities)
    if (refusal !== undefined) return this.#refuse("top", refusal)
    return this.#ask("top", name, within, undefined, (reads, range) =>
      reads.length === 1
        ? reads[0]!.entities("top", range, reverse, count)
        : scatter(Effect.flatMap(entriesAcross(reads, range, reverse, count), (found) => this.#entities(found))))
  }

  around(id: unknown, name: string, count: number, { direction, within }: RankOptions = {}): unknown {
    const reverse = direction !== "asc"
    const refusal = countProblem(count, mostAround)
    if (refusal !== undefined) return this.#refuse("around", refusal)
    return this.#ask("around", name, within, id, (reads, range, ownId, own) =>
      reads.length === 1
        ? own.around(ownId, range, reverse, count)
        : scatter(
          Effect.flatMap(aroundAcross(reads, range, ownId, own, reverse, count), (found) => this.#entities(found))
        ))
  }

  countBetween(name: string, key: unknown): unknown {
    return this.#ask(
      "countBetween",
      name,
      key,
      undefined,
      (reads, range) =>
        reads.length === 1
          ? reads[0]!.count(range)
          : scatter(Effect.map(askAll<number>(reads, (home) => home.count(range)), sum))
    )
  }

  /** Reads the entity whose values are equal in a unique index. */
  unique(operation: "findBy" | "getBy" | "existsBy", name: string, key: unknown): AtomicNode {
    const index = this.#index(name)
    if (!(index instanceof Problem) && index.spec.isUnique !== true) {
      return this.#refuse(operation, new Problem("Expected a unique index", name))
    }
    // a date or a duration is a value, too
    const given = index instanceof Problem || isRecord(key)
      ? key
      : { [index.values[0]!.field]: key }
    return this.#ask(operation, name, given, undefined, ([reads], range) => {
      if (!(index instanceof Problem) && range.equal < index.values.length) {
        return this.#refuse(operation, new Problem("Expected a value for each field of the index"))
      }
      return operation === "findBy" ? reads!.find(range) : operation === "getBy" ? reads!.get(range) : reads!.has(range)
    })
  }

  /** Reads the entities of entries, in their order. One that is gone meanwhile is left out. */
  #entities(found: ReadonlyArray<HomeEntry>): Effect.Effect<any, any, any> {
    return Effect.map(
      Effect.all(found.map(({ id, reads }) => reads.entity(id) as any), { concurrency: "unbounded" }),
      (entities: ReadonlyArray<any>) => entities.flatMap((entity) => Option.isSome(entity) ? [entity.value] : [])
    )
  }
}

/**
 * A node in place of an effect, where the caller expects either.
 *
 * @internal
 */
export const scatter = (effect: Effect.Effect<any, any, any>): AtomicNode => effect as unknown as AtomicNode

const isRecord = (key: unknown): boolean =>
  typeof key === "object" && key !== null && Object.getPrototypeOf(key) === Object.prototype

const countProblem = (count: number, most: number): Problem | undefined =>
  Number.isSafeInteger(count) && count >= 0 && count <= most
    ? undefined
    : new Problem(`Expected a number of entities from 0 to ${most}`)

const sum = (counts: ReadonlyArray<number>): number => counts.reduce((total, count) => total + count, 0)

/** An entry, and the home that has it. */
interface HomeEntry extends Entry {
  readonly reads: HomeReads
}

/**
 * Asks all homes at once.
 *
 * @internal
 */
export const askAll = <A>(
  reads: ReadonlyArray<HomeReads>,
  f: (home: HomeReads) => AtomicNode
): Effect.Effect<ReadonlyArray<A>, any, any> =>
  Effect.all(reads.map((home) => f(home) as unknown as Effect.Effect<A, any, any>), { concurrency: "unbounded" })

const scoreOf = (text: string): number => text === "inf" ? Infinity : text === "-inf" ? -Infinity : Number(text)

/**
 * Compares two entries of one index.
 *
 * @internal
 */
export const compareEntries = ({ spec }: Index) => (a: Entry, b: Entry): number => {
  if (spec.order === "lex") return compareBytes(a.order, b.order)
  const x = scoreOf(a.order)
  const y = scoreOf(b.order)
  return x < y ? -1 : x > y ? 1 : compareBytes(a.id, b.id)
}

/** The first entries of a range over all homes, in order. */
const entriesAcross = Effect.fnUntraced(function*(
  reads: ReadonlyArray<HomeReads>,
  range: Range,
  reverse: boolean,
  limit: number,
  after?: Entry
): Effect.fn.Return<ReadonlyArray<HomeEntry>, any, RedisService> {
  const compare = compareEntries(reads[0]!.index)
  const found: Array<HomeEntry> = []
  while (found.length < limit) {
    const place = found.at(-1) ?? after
    const { entries, isEnd }: Merged<HomeEntry> = yield* merge(
      reads,
      (home, limit) =>
        Effect.map(
          home.entries(range, reverse, limit, place) as unknown as Effect.Effect<
            ReadonlyArray<Entry>,
            any,
            RedisService
          >,
          (entries) => entries.map((entry): HomeEntry => ({ ...entry, reads: home }))
        ),
      (a, b) => reverse ? compare(b, a) : compare(a, b),
      limit - found.length
    )
    found.push(...entries)
    if (isEnd) break
  }
  return found
})

/** The ranges before and after an entry's place in the order, which leave out what is equal to it. */
const rangesBeside = (range: Range, { id, order }: Entry, isScore: boolean): readonly [below: Range, above: Range] => {
  const parts = order.slice(0, order.length - id.length)
  const next = after(parts)
  return isScore
    ? [{ ...range, high: `(${order}` }, { ...range, low: `(${order}` }]
    : [{ ...range, high: `(${parts}` }, { ...range, low: next === undefined ? "+" : `[${next}` }]
}

const rankAcross = (
  reads: ReadonlyArray<HomeReads>,
  range: Range,
  id: string,
  own: HomeReads,
  reverse: boolean
): Effect.Effect<Option.Option<number>, any, any> =>
  Effect.flatMap(own.place(id, range) as unknown as Effect.Effect<ReadonlyArray<Entry>, any, any>, ([place]) => {
    if (place === undefined) return Effect.succeed(Option.none())
    const [below, above] = rangesBeside(range, place, own.index.spec.order === "score")
    return Effect.map(
      askAll<number>(reads, (home) => home.count(reverse ? above : below)),
      (counts) => Option.some(sum(counts) + 1)
    )
  })

const aroundAcross = (
  reads: ReadonlyArray<HomeReads>,
  range: Range,
  id: string,
  own: HomeReads,
  reverse: boolean,
  count: number
): Effect.Effect<ReadonlyArray<HomeEntry>, any, any> =>
  Effect.flatMap(own.place(id, range) as unknown as Effect.Effect<ReadonlyArray<Entry>, any, any>, ([place]) => {
    if (place === undefined) return Effect.succeed([])
    return Effect.map(
      Effect.all([
        entriesAcross(reads, range, !reverse, count, place),
        entriesAcross(reads, range, reverse, count, place)
      ], { concurrency: "unbounded" }),
      ([ahead, behind]) => [...ahead.toReversed(), { ...place, reads: own }, ...behind]
    )
  })
