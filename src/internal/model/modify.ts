/**
 * `modify` and `withLock`: they read an entity, compute a new one on the client, and write the fields that changed if no one
 * has written the entity since.
 */
import * as Effect from "effect/Effect"
import type * as Schedule from "effect/Schedule"
import type * as SchemaIssue from "effect/SchemaIssue"
import type { Conflict } from "../../DomainError.ts"
import * as RetryPolicy from "../../RetryPolicy.ts"
import { tolerating } from "../handle/entity.ts"
import { type HandleRef, instruct, invalid, named, noArguments, nothing, refusedBy } from "../handle/entityRef.ts"
import { Op } from "../instruction/ops.ts"
import type { Result } from "../instruction/reply.ts"
import { noFields } from "../instruction/spec.ts"
import { acquire, withLeases } from "../lock/acquisition.ts"
import { handleOf, type Lease } from "../lock/lease.ts"
import { holds } from "../lock/lockPrograms.ts"
import { All } from "../program/atomic.ts"
import { commit } from "../program/commit.ts"
import type { AtomicNode } from "../program/node.ts"
import type { Codec } from "../schema/codec.ts"
import type { Collection } from "../schema/collection.ts"
import type { Layout, Texts } from "../schema/layout.ts"
import type { ModelPlan } from "../schema/model.ts"
import { issuesOf, keepIssues, readRow } from "../schema/tolerated.ts"
import { RedisService } from "../service.ts"
import { canonicalJson, parseJson } from "../text/canonicalJson.ts"
import { Problem } from "../text/problem.ts"
import type { LockOptions, ModifyOptions } from "./options.ts"

/**
 * The programs of a model that this file makes.
 *
 * @internal
 */
export interface Modifying {
  readonly modify: (
    id: unknown,
    f: (entity: any) => unknown,
    options?: ModifyOptions<unknown>
  ) => Effect.Effect<any, any, any>
  readonly withLock: (
    id: unknown,
    /** `held` is a `Lock.EntityHandle`. */
    f: (entity: any, held: any) => Effect.Effect<unknown, unknown, unknown>,
    options?: LockOptions
  ) => Effect.Effect<any, any, any>
}

/** The method that the caller used. */
type Operation = keyof Modifying

/** An entity as it was read. */
interface Read {
  readonly entity: unknown
  /**
   * The texts of the entity, encoded before `f` runs, because `f` may change a date or an array in place. Where a value is stored
   * in another spelling, its stored text, so that it is written.
   */
  readonly texts: Texts | Problem
  readonly version: string
  /** The tolerant fields that could not be decoded. */
  readonly issues: ReadonlyArray<Problem>
}

/** The first retry comes after 1 ms. All 20 retries take about two seconds. */
const defaultSchedule = RetryPolicy.schedule({
  base: "1 millis",
  maximum: "200 millis",
  times: 20,
  duration: "30 seconds"
})

/**
 * Makes `modify` and `withLock` of a model.
 *
 * @internal
 */
export const make = (
  plan: ModelPlan,
  construct: (input: unknown) => Effect.Effect<unknown, SchemaIssue.Issue>,
  refOf: (id: unknown) => HandleRef
): Modifying => {
  const { layout, name } = plan

  const read = (ref: HandleRef, id: unknown, operation: Operation): AtomicNode =>
    tolerating(
      layout,
      refusedBy(
        operation,
        named(
          operation,
          instruct(ref, Op.read, layout.spec, "", noArguments, (row: ReadonlyArray<Result>): Read | Problem => {
            const entity = readRow(layout, name, row, plan.partsOf(id))
            if (entity instanceof Problem) return entity
            return {
              entity,
              texts: asStored(layout, layout.texts(entity), row),
              version: row[0] === false ? "0" : row[0] as string,
              issues: issuesOf(entity as object)
            }
          })
        )
      )
    )

  /** Returns the writes that turn the old texts of an entity into the new ones. */
  const changes = (
    ref: HandleRef,
    old: Texts | Problem,
    after: unknown,
    operation: Operation
  ): ReadonlyArray<AtomicNode> => {
    const next = layout.texts(after)
    if (next instanceof Problem) return [refusedBy(operation, invalid(ref, "", next))]
    const before = old instanceof Problem ? undefined : old
    const nodes: Array<AtomicNode> = []
    for (const [i, { field, spec }] of layout.leaves.entries()) {
      const text = next.leaves[i]!
      if (text === before?.leaves[i]) continue
      nodes.push(
        text === false
          ? instruct(ref, Op.clear, spec, field, noArguments, nothing)
          : instruct(ref, Op.set, spec, field, [text], nothing)
      )
    }
    for (const [i, { field, kind, spec }] of layout.collections.entries()) {
      const texts = next.collections[i]!
      if (before !== undefined && isSame(texts, before.collections[i]!, kind)) continue
      nodes.push(instruct(ref, Op.replace, spec, field, texts, nothing))
    }
    return nodes
  }

  const refuse = (ref: HandleRef, problem: Problem, operation: Operation) =>
    Effect.flatMap(RedisService, (service) => commit(refusedBy(operation, invalid(ref, "", problem)), service))

  /** Writes the changes if the version is still the same, and returns the entity. */
  const save = (
    ref: HandleRef,
    { issues, texts, version }: Read,
    input: unknown,
    operation: Operation,
    guards: ReadonlyArray<AtomicNode>
  ): Effect.Effect<unknown, unknown, RedisService> =>
    Effect.matchEffect(construct(input), {
      onFailure: (issue) => refuse(ref, Problem.fromIssue(issue), operation),
      onSuccess: (entity) => {
        if (refOf(plan.idOf(entity)).key !== ref.key) {
          return refuse(ref, new Problem("The key of an entity can't be changed"), operation)
        }
        const nodes = changes(ref, texts, entity, operation)
        keepIssues(entity, issues, nodes.map((node) => node._tag === "Instruct" ? node.field : ""))
        if (nodes.length === 0) return Effect.succeed(entity)
        const unchanged = named(operation, instruct(ref, Op.requireVersion, noFields, "", [version], nothing))
        return Effect.flatMap(RedisService, (service) =>
          Effect.as(commit(new All([...guards, unchanged, ...nodes], undefined), service), entity))
      }
    })

  return {
    modify: (id, f, options) => {
      const ref = refOf(id)
      // the conflicts of this save, because a `Conflict` with which `f` fails must not be retried
      const stale = new WeakSet<object>()
      const attempt = Effect.gen(function*() {
        const service = yield* RedisService
        const before: Read = yield* commit(read(ref, id, "modify"), service)
        const computed = f(before.entity)
        const after = Effect.isEffect(computed)
          ? yield* (computed as Effect.Effect<unknown, unknown, unknown>)
          : computed
        return yield* Effect.tapError(save(ref, before, after, "modify", []), (error) =>
          Effect.sync(() => {
            if (isVersionConflict(error)) stale.add(error)
          }))
      })
      return Effect.retry(attempt, {
        schedule: (options?.schedule ?? defaultSchedule) as Schedule.Schedule<unknown, unknown, never, unknown>,
        while: (error) => stale.has(error as object)
      })
    },
    withLock: (id, f, { name: lockName = "", ...options } = {}) => {
      const ref = refOf(id)
      return withLeases(
        "withLock",
        acquire({ name: lockName, entity: ref, operation: "withLock" }, options),
        // no leases, so that a lost lock does not interrupt the save: the server checks that the lock is held
        () => [],
        Effect.fnUntraced(function*(lease: Lease) {
          const service = yield* RedisService
          const [before, after] = yield* lease.protect(
            Effect.flatMap(
              commit(read(ref, id, "withLock"), service),
              (before: Read) => Effect.map(f(before.entity, handleOf(lease)), (after) => [before, after] as const)
            ),
            "withLock"
          )
          if (after === undefined) return
          return yield* save(ref, before, after, "withLock", [named("withLock", holds(lease.lock))])
        })
      )
    }
  }
}

const isVersionConflict = (error: unknown): error is Conflict =>
  typeof error === "object" && error !== null && "_tag" in error && error._tag === "Conflict" &&
  (error as Conflict).reason === "version"

/** Whether a stored text is only another spelling of a value: a number such as `1.0`, or JSON with other spaces or another order. */
const isOtherSpelling = (codec: Codec, stored: string) => {
  const value = codec.decode(stored)
  const text = value instanceof Problem ? value : codec.encode(value)
  return text !== stored && !(text instanceof Problem) &&
    // a key that the schema does not know may be that of newer code, and is kept
    (codec.form !== "json" || canonicalJson(parseJson(stored)) === text)
}

/** Replaces those texts by the stored ones that are other spellings of the same values. */
const asStored = (
  { collections, leaves }: Layout,
  texts: Texts | Problem,
  row: ReadonlyArray<Result>
): Texts | Problem => {
  if (texts instanceof Problem) return texts
  return {
    leaves: texts.leaves.map((text, i) => {
      const stored = row[1 + i]
      return typeof stored === "string" && stored !== text && isOtherSpelling(leaves[i]!.codec, stored) ? stored : text
    }),
    collections: texts.collections.map((encoded, i) => {
      const { item, kind, name } = collections[i]!
      const stored = row[1 + leaves.length + i]
      if (!Array.isArray(stored) || isSame(encoded, stored, kind)) return encoded
      const isPaired = kind === "map" || kind === "sortedSet"
      const known = new Set(encoded)
      let found = false
      for (const [at, text] of stored.entries()) {
        const isSecond = isPaired && at % 2 === 1
        // the server writes the scores
        if (known.has(text) || isSecond && kind === "sortedSet") continue
        if (!isOtherSpelling(isSecond ? item : name ?? item, text)) return encoded
        found = true
      }
      return found ? stored : encoded
    })
  }
}

/** Whether two collections are equal. The order counts for lists only. Names and values of a map alternate. */
const isSame = (a: ReadonlyArray<string>, b: ReadonlyArray<string>, kind: Collection["kind"]): boolean => {
  if (a.length !== b.length) return false
  if (kind === "list") return a.every((text, i) => text === b[i])
  if (kind === "set") {
    const before = new Set(b)
    return before.size === new Set(a).size && a.every((text) => before.has(text))
  }
  const before = new Map(pairs(b))
  return pairs(a).every(([name, text]) => before.get(name) === text)
}

const pairs = (texts: ReadonlyArray<string>): ReadonlyArray<readonly [string, string]> =>
  Array.from({ length: texts.length / 2 }, (_, i) => [texts[2 * i]!, texts[2 * i + 1]!])
