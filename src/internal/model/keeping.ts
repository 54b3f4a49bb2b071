/**
 * Keeps the indexes of a model: makes the entries of all entities anew, compares them, and removes those of entities that have expired.
 */
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { instruct, noArguments, same } from "../handle/entityRef.ts"
import { keyAt, modelHome, placeOf } from "../instruction/indexes.ts"
import { Op } from "../instruction/ops.ts"
import type { Argument } from "../instruction/program.ts"
import { commitAll } from "../program/commit.ts"
import type { AtomicNode } from "../program/node.ts"
import { HomeReads } from "../query/reads.ts"
import type { Aggregate, Index } from "../schema/indexes.ts"
import type { FoundKey } from "../schema/key.ts"
import type { ModelPlan } from "../schema/model.ts"
import { RedisService } from "../service.ts"
import type { IndexProblem, ReindexProgress } from "./indexedTypes.ts"
import { keyPages } from "./scan.ts"

/** How many entries one script examines. */
const pageSize = 500

const indexKey = /^(.*\{[^}]*\}):\$(ix|of|exp|plan)(?::(.*))?$/s

/** The homes of a model, and the names of indexes that they have from other definitions. */
class Homes {
  readonly #replaced = new Map<string, Set<string>>()
  readonly #current: ReadonlySet<string>

  constructor({ indexes, partitions, slotField, start }: ModelPlan) {
    this.#current = new Set(indexes!.spec.list.map(({ stored }) => stored))
    if (partitions !== undefined) { for (let i = 0; i < partitions; i++) this.add(`${start}p${i}}`) }
    else if (slotField === undefined) this.add(modelHome(start))
  }

  add(home: string): Set<string> {
    const names = this.#replaced.get(home) ?? new Set()
    this.#replaced.set(home, names)
    return names
  }

  /** Looks at a key that is no entity's. */
  look(key: string): void {
    const [, home, kind, stored] = indexKey.exec(key) ?? []
    if (home === undefined) return
    const names = this.add(home)
    if ((kind === "ix" || kind === "of") && stored !== undefined && !this.#current.has(stored)) names.add(stored)
  }

  [Symbol.iterator](): IterableIterator<[home: string, replaced: Set<string>]> {
    return this.#replaced.entries()
  }
}

const onHome = (plan: ModelPlan, home: string, op: Op, args: ReadonlyArray<Argument>): AtomicNode =>
  onEntity(plan, { id: "", key: home }, op, args)

const onEntity = (
  plan: ModelPlan,
  { id, key }: Pick<FoundKey, "id" | "key">,
  op: Op,
  args: ReadonlyArray<Argument>
): AtomicNode => {
  const ref = { model: plan.name, id, key, definition: plan.definition, refusal: undefined, renews: false }
  return instruct(ref, op, plan.spec, "", args, same)
}

/** Runs programs together, and returns their results. Fails as the first of them that fails. */
const all = <A>(nodes: ReadonlyArray<AtomicNode>): Effect.Effect<ReadonlyArray<A>, any, RedisService> =>
  Effect.flatMap(
    RedisService,
    (service) =>
      Effect.flatMap(commitAll(nodes, service), (exits) => Effect.forEach(exits, (exit: Exit.Exit<A, any>) => exit))
  )

/** The entities of the model in pages, while `homes` looks at the other keys. */
const pagesOf = (plan: ModelPlan, homes: Homes) =>
  Stream.map(keyPages(plan), (keys) =>
    keys.flatMap((key): ReadonlyArray<FoundKey> => {
      const found = plan.foundKeyOf(key)
      if (found === undefined) homes.look(key)
      return found === undefined ? [] : [found]
    }))

/** Marks the plan of each home, at the end with the indexes that it replaces. */
const mark = (plan: ModelPlan, homes: Iterable<readonly [home: string, replaced: Iterable<string>]>, isEnd: boolean) =>
  all(Array.from(homes, ([home, replaced]) => onHome(plan, home, Op.indexPlan, isEnd ? [1, ...replaced] : [0])))

/**
 * Makes the entries of all entities anew. Then it marks the plan as the one whose indexes are complete, and replaces those of other
 * definitions.
 *
 * @internal
 */
export const reindex = (plan: ModelPlan): Stream.Stream<ReindexProgress, any, RedisService> =>
  Stream.suspend(() => {
    const { spec } = plan.indexes!
    const homes = new Homes(plan)
    const begun = new Set<string>()
    // a home that a later definition had replaced is written again
    const begin = (found: ReadonlyArray<FoundKey>) => {
      for (const { key } of found) homes.add(placeOf(spec, key).home)
      const fresh = [...homes].filter(([home]) => !begun.has(home))
      for (const [home] of fresh) begun.add(home)
      return mark(plan, fresh, false)
    }
    let entities = 0
    let changed = 0
    const pages = Stream.mapEffect(pagesOf(plan, homes), (found) =>
      Effect.gen(function*() {
        yield* begin(found)
        const changes = yield* all<number>(found.map((key) => onEntity(plan, key, Op.reindex, noArguments)))
        entities += found.length
        changed += changes.filter((count) => count > 0).length
        return { entities, changed, isDone: false }
      }))
    const end = Stream.fromEffect(
      Effect.suspend(() => Effect.as(mark(plan, homes, true), { entities, changed, isDone: true }))
    )
    return Stream.concat(pages, end)
  })

/**
 * Compares the entries of all entities with their fields, and all entries with the entities.
 *
 * @param isMending whether it makes them equal
 * @internal
 */
export const check = (plan: ModelPlan, isMending: boolean): Stream.Stream<IndexProblem, any, RedisService> =>
  Stream.suspend(() => {
    const { spec } = plan.indexes!
    const homes = new Homes(plan)
    const ofEntities = Stream.mapEffect(pagesOf(plan, homes), (found) => {
      for (const { key } of found) homes.add(placeOf(spec, key).home)
      const op = isMending ? Op.reindex : Op.audit
      return Effect.map(
        all<number>(found.map((key) => onEntity(plan, key, op, noArguments))),
        (counts) =>
          found.flatMap(({ id }, i): ReadonlyArray<IndexProblem> =>
            counts[i]! > 0 ? [{ id, index: undefined, issue: "entries differ" }] : []
          )
      )
    })
    const ofEntries = Stream.suspend(() =>
      Stream.flatMap(
        Stream.fromIterable([...homes].map(([home]) => home)),
        (home) =>
          Stream.flatMap(Stream.range(0, spec.list.length), (position) => orphans(plan, home, position, isMending))
      )
    )
    const ofSums = Stream.suspend(() =>
      Stream.flatMap(
        Stream.fromIterable([...homes].map(([home]) => home)),
        (home) =>
          Stream.mapEffect(Stream.fromIterable(aggregatesOf(plan)), (found) => sums(plan, home, found, isMending))
      )
    )
    return Stream.flattenIterable(ofEntities.pipe(Stream.concat(ofEntries), Stream.concat(ofSums)))
  })

const aggregatesOf = ({ indexes }: ModelPlan): ReadonlyArray<Aggregate> => [
  ...indexes!.counted.values(),
  ...indexes!.summed.values()
]

/**
 * Compares the sums of an aggregate with what its entities add. A home is one program, because a sum is that of all of them at one
 * moment.
 */
const sums = (
  plan: ModelPlan,
  home: string,
  { position, spec: { name } }: Aggregate,
  isMending: boolean
): Effect.Effect<ReadonlyArray<IndexProblem>, any, RedisService> =>
  Effect.map(
    all<number>([onHome(plan, home, isMending ? Op.recount : Op.auditSums, [position])]),
    ([count]) => count! > 0 ? [{ id: "", index: name, issue: "sums differ" }] : []
  )

/** The entries of an index that belong to no entity, page by page. Position 0 is the expiries. */
const orphans = (
  plan: ModelPlan,
  home: string,
  position: number,
  isMending: boolean
): Stream.Stream<ReadonlyArray<IndexProblem>, any, RedisService> =>
  Stream.paginate("0", (from) =>
    Effect.gen(function*() {
      const index = plan.indexes!.spec.list[position - 1]
      const isAggregate = index?.order === "sum"
      const [row] = yield* all<ReadonlyArray<string>>([
        onHome(plan, home, Op.indexAudit, [position, isAggregate ? from : Number(from), pageSize])
      ])
      const [first, ...found] = row!
      const problems: Array<IndexProblem> = []
      const mends: Array<AtomicNode> = []
      for (let i = 0; i < found.length; i += 2) {
        const id = found[i]!
        const key = keyAt(plan.indexes!.spec, home, id)
        problems.push({ id, index: index?.name, issue: "no such entity" })
        mends.push(onEntity(plan, { id, key }, Op.reindex, isAggregate ? noArguments : [position, found[i + 1]!]))
      }
      if (isMending) yield* all(mends)
      const removed = isMending ? mends.length : 0
      // of an aggregate the row begins with the next page, of an index with how many entries it has examined
      const isLast = isAggregate ? first === "0" : Number(first) < pageSize
      const next = isAggregate ? first! : String(Number(from) + Number(first) - removed)
      return [[problems], isLast ? Option.none<string>() : Option.some(next)] as const
    }))

/**
 * Removes the entries of entities that have expired. Returns how many homes it looked at.
 *
 * @internal
 */
export const sweep = (plan: ModelPlan): Effect.Effect<void, any, RedisService> =>
  Effect.suspend(() => {
    const homes = new Homes(plan)
    // an index is read with the access to remove what is due, until nothing is
    const [first] = [...plan.indexes!.byName.values(), ...aggregatesOf(plan)] as [Index]
    const one = (home: string): AtomicNode => {
      const reads = new HomeReads(plan, first, home)
      return first.spec.order === "sum" ? reads.digits("sweep", "") : reads.count({ low: "-", high: "+", equal: 0 })
    }
    const isKnown = plan.slotField === undefined
    return Effect.asVoid(
      isKnown
        ? all([...homes].map(([home]) => one(home)))
        : Stream.runForEach(pagesOf(plan, homes), () => Effect.void).pipe(
          Effect.andThen(() => all([...homes].map(([home]) => one(home))))
        )
    )
  })
