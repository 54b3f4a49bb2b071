/**
 * Queries: descriptions of which entities of a model are wanted, and in which order. Nothing is read before a runner takes one.
 */
import * as Pipeable from "effect/Pipeable"
import type { AtomicNode } from "../program/node.ts"
import type { Index } from "../schema/indexes.ts"
import type { ModelPlan } from "../schema/model.ts"

/** @internal */
export const TypeId = "~redlayer/Query"

/**
 * The programs of the model, as runners use them.
 *
 * @internal
 */
export interface Source {
  readonly plan: ModelPlan
  readonly get: (id: unknown) => AtomicNode
  readonly pick: (id: unknown, names: ReadonlyArray<string>) => AtomicNode
  readonly exists: (id: unknown) => AtomicNode
  readonly delete: (id: unknown) => AtomicNode
  readonly update: (id: unknown, patch: unknown) => AtomicNode
  readonly ref: (id: unknown) => object
  /** Handles of no entity, for a look at the conditions that they make. */
  readonly template: object
}

/**
 * A condition on the entity of these handles.
 *
 * @internal
 */
export type Where = (ref: any) => AtomicNode

/**
 * Where a query begins.
 *
 * @internal
 */
export type Start =
  | { readonly _tag: "index"; readonly index: Index; readonly key: Readonly<Record<string, unknown>> }
  | { readonly _tag: "condition"; readonly where: Where; readonly within: Readonly<Record<string, unknown>> }
  /** The model has no such index. */
  | { readonly _tag: "unknown"; readonly name: string }

interface Description {
  readonly source: Source
  readonly start: Start
  /** Conditions that no index serves. */
  readonly filters: ReadonlyArray<Where>
  readonly isReversed: boolean
  /** The field that decides the order. Undefined: the index does. */
  readonly order: string | undefined
  /** The fields that are read. Undefined: all. */
  readonly names: ReadonlyArray<string> | undefined
}

/** @internal */
export class Query extends Pipeable.Class implements Description {
  readonly [TypeId] = { _A: (a: never) => a, _T: (t: never) => t }
  readonly source: Source
  readonly start: Start
  readonly filters: ReadonlyArray<Where>
  readonly isReversed: boolean
  readonly order: string | undefined
  readonly names: ReadonlyArray<string> | undefined

  constructor({ filters, isReversed, names, order, source, start }: Description) {
    super()
    this.source = source
    this.start = start
    this.filters = filters
    this.isReversed = isReversed
    this.order = order
    this.names = names
  }

  static from(source: Source, start: Start): Query {
    return new Query({ source, start, filters: [], isReversed: false, order: undefined, names: undefined })
  }

  with(changes: Partial<Description>): Query {
    return new Query({ ...this, ...changes })
  }
}
