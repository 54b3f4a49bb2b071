/**
 * All stored entities of a model, found by a scan of the keys.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import { EntityCorrupted } from "../../DomainError.ts"
import { RedisServiceError, Unsupported } from "../../RedisServiceError.ts"
import { Succeed } from "../program/atomic.ts"
import type { AtomicNode } from "../program/node.ts"
import type { FoundKey } from "../schema/key.ts"
import { startOf } from "../schema/key.ts"
import type { ModelPlan } from "../schema/model.ts"
import { RedisService } from "../service.ts"
import { escape, unescape } from "../text/escape.ts"
import { Problem } from "../text/problem.ts"
import * as Bulk from "./bulk.ts"

type Keys = Stream.Stream<ReadonlyArray<FoundKey>, RedisServiceError, RedisService>

const unsupported = new RedisServiceError({ reason: new Unsupported({ requirement: "a transport that can scan" }) })

type Texts = Stream.Stream<ReadonlyArray<string>, RedisServiceError, RedisService>

/** The keys that begin with this text, in pages. */
const pagesFrom = (start: string): Texts =>
  Stream.unwrap(Effect.map(RedisService, ({ scan }) => scan === undefined ? Stream.fail(unsupported) : scan(start)))

/**
 * All keys of the model, in pages: those of entities, collections and indexes.
 *
 * @internal
 */
export const keyPages = ({ start }: ModelPlan): Texts => pagesFrom(start)

/**
 * The ids that begin with this text, in pages, of a model whose key is one text and whose slot is the id. The entities are not read.
 *
 * @internal
 */
export const idPages = (model: string, start: string): Texts => {
  const first = startOf(model)
  return Stream.map(pagesFrom(first + escape(start)), (keys) =>
    keys.flatMap((key) => {
      const escaped = key.slice(first.length, -1)
      const id = unescape(escaped)
      // the key of a lock ends in another way; a text that is not well-formed finds others
      return key.endsWith("}") && escape(id) === escaped && id.startsWith(start) ? [id] : []
    }))
}

/** The keys of the model's entities, in pages. */
const keysOf = (plan: ModelPlan): Keys =>
  Stream.map(keyPages(plan), (keys) => keys.map(plan.foundKeyOf).filter((key) => key !== undefined))

/**
 * Reads each entity. One that is deleted between the scan and its read is left out. A key whose id cannot be decoded is a failure.
 *
 * @internal
 */
export const stream = (
  plan: ModelPlan,
  find: (id: unknown) => AtomicNode,
  options: Bulk.BulkOptions | undefined
): Stream.Stream<unknown, any, any> => {
  const read = ({ id, key, value }: FoundKey): AtomicNode =>
    value instanceof Problem
      ? new Succeed(
        new EntityCorrupted({ model: plan.name, id, key, field: value.field, issue: value.issue, applied: false })
      )
      : find(value)
  return Stream.flattenIterable(Stream.map(
    Stream.chunks(Bulk.stream(Stream.flattenIterable(keysOf(plan)), read, options)),
    (results) => results.flatMap(found)
  ))
}

const found = (result: Result.Result<unknown, unknown>): ReadonlyArray<Result.Result<unknown, unknown>> => {
  if (Result.isFailure(result)) return [result]
  if (result.success instanceof EntityCorrupted) return [Result.fail(result.success)]
  const entity = result.success as Option.Option<unknown>
  return Option.isSome(entity) ? [Result.succeed(entity.value)] : []
}

/** @internal */
export const count = (plan: ModelPlan): Effect.Effect<number, RedisServiceError, RedisService> =>
  Stream.runFold(keysOf(plan), () => 0, (sum, keys) => sum + keys.length)
