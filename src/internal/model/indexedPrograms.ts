/**
 * The programs of a model with indexes. `Model.Indexed` has their types and docs.
 */
import { structHandle } from "../handle/struct.ts"
import type { AtomicNode } from "../program/node.ts"
import { reactivityKeys, watchEntity, type WatchOptions } from "../query/live.ts"
import { Query, type Source } from "../query/query.ts"
import { Ranking, type RankOptions } from "../query/ranking.ts"
import { Totals } from "../query/totals.ts"
import type { ModelPlan } from "../schema/model.ts"
import { Problem } from "../text/problem.ts"
import { type EntityPrograms, refOf } from "./entityPrograms.ts"
import * as Keeping from "./keeping.ts"

type IndexQuery = (key?: Readonly<Record<string, unknown>>) => Query

/**
 * Each public method is a program, or a query, of every model with indexes.
 *
 * @internal
 */
export class IndexedPrograms {
  readonly by: { readonly [index: string]: IndexQuery }
  readonly #find: (id: unknown) => AtomicNode
  readonly #ranking: Ranking
  readonly #source: Source
  readonly #totals: Totals

  constructor(plan: ModelPlan, programs: EntityPrograms) {
    const noRenewal = { renew: false }
    const Handle = structHandle(plan.struct, false, plan.expiry)
    this.#find = (id) => programs.find(id, noRenewal)
    this.#ranking = new Ranking(plan)
    this.#totals = new Totals(plan)
    this.#source = {
      plan,
      get: (id) => programs.get(id, noRenewal),
      pick: (id, names) => programs.pick(id, names, noRenewal),
      exists: (id) => programs.exists(id),
      delete: (id) => programs.delete(id),
      update: (id, patch) => programs.update(id, patch),
      ref: (id) => programs.ref(id, noRenewal),
      template: new Handle({ ...refOf(plan, undefined), refusal: undefined })
    }
    this.by = Object.fromEntries(
      [...plan.indexes?.byName ?? []].map(([name, index]) => [
        name,
        (key = {}) => Query.from(this.#source, { _tag: "index", index, key })
      ])
    )
  }

  query(
    where: (ref: any) => AtomicNode,
    options?: { readonly within?: Readonly<Record<string, unknown>> | undefined }
  ): Query {
    return Query.from(this.#source, { _tag: "condition", where, within: options?.within ?? {} })
  }
  reindex(): unknown {
    return Keeping.reindex(this.#source.plan)
  }
  check(options?: { readonly mend?: boolean | undefined }): unknown {
    return Keeping.check(this.#source.plan, options?.mend === true)
  }
  sweep(): unknown {
    return Keeping.sweep(this.#source.plan)
  }
  watch(id: unknown, options?: WatchOptions): unknown {
    const { plan } = this.#source
    const key = plan.keyOf(id)
    return watchEntity(plan, key instanceof Problem ? "" : key.key, this.#find(id), options)
  }
  reactivityKeys(id?: unknown): ReadonlyArray<string> {
    return reactivityKeys(this.#source.plan, id)
  }
  rank(id: unknown, index: string, options?: RankOptions): unknown {
    return this.#ranking.rank(id, index, options)
  }
  top(index: string, count: number, options?: RankOptions): unknown {
    return this.#ranking.top(index, count, options)
  }
  around(id: unknown, index: string, count: number, options?: RankOptions): unknown {
    return this.#ranking.around(id, index, count, options)
  }
  countBetween(index: string, key: unknown): unknown {
    return this.#ranking.countBetween(index, key)
  }
  counted(name: string, key: unknown = {}): unknown {
    return this.#totals.read("counted", name, key)
  }
  summed(name: string, key: unknown = {}): unknown {
    return this.#totals.read("summed", name, key)
  }
  findBy(index: string, key: unknown): AtomicNode {
    return this.#ranking.unique("findBy", index, key)
  }
  getBy(index: string, key: unknown): AtomicNode {
    return this.#ranking.unique("getBy", index, key)
  }
  existsBy(index: string, key: unknown): AtomicNode {
    return this.#ranking.unique("existsBy", index, key)
  }
}
