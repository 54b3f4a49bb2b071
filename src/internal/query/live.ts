/**
 * Live results: a result is read again when a hint says that it may have changed. A hint may be lost, so it is also read again after
 * each gap of the subscription, and every so often.
 */
import * as Cause from "effect/Cause"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { InvalidValue } from "../../DomainError.ts"
import { entityChannel, modelChannel, reactivityKeyOf } from "../instruction/indexes.ts"
import { millisOf } from "../options.ts"
import { prepare } from "../program/commit.ts"
import type { AtomicNode, Instruct } from "../program/node.ts"
import type { ModelPlan } from "../schema/model.ts"
import { RedisService } from "../service.ts"
import { Problem } from "../text/problem.ts"
import { planOf } from "./planner.ts"
import type { Query } from "./query.ts"
import { page } from "./runners.ts"

/**
 * `Query.WatchOptions` documents the options.
 *
 * @internal
 */
export interface WatchOptions {
  readonly debounce?: Duration.Input | undefined
  readonly refresh?: Duration.Input | undefined
}

const defaults = { debounce: 50, refresh: 30_000 }

/**
 * Why a result can't be watched.
 *
 * @internal
 */
export const notLive = (model: string, operation: string): InvalidValue =>
  new InvalidValue({
    model,
    id: "",
    operation,
    field: "",
    issue: "Expected a model with the option `live: true`"
  })

const millis = (name: "debounce" | "refresh", options: WatchOptions): number | undefined => {
  const given = options[name]
  return given === undefined ? defaults[name] : millisOf(given)
}

/**
 * The result of an effect, whenever it may have changed. Equal results are left out.
 *
 * @internal
 */
export const watch = <A, E>(
  model: string,
  channels: ReadonlyArray<string>,
  read: Effect.Effect<A, E, RedisService>,
  options: WatchOptions = {}
): Stream.Stream<A, any, RedisService> => {
  const debounce = millis("debounce", options)
  const refresh = millis("refresh", options)
  if (debounce === undefined || refresh === undefined || !(refresh > 0)) {
    const field = debounce === undefined ? "debounce" : "refresh"
    return Stream.fail(new InvalidValue({ model, id: "", operation: "watch", field, issue: "Expected a duration" }))
  }
  return Stream.unwrap(Effect.gen(function*() {
    const service = yield* RedisService
    const changed = Latch.makeUnsafe(true)
    let end: Effect.Effect<never, unknown> | undefined
    let isFirst = true
    for (const channel of channels) {
      yield* service.subscribe(channel, (event) => {
        if (event._tag === "Ended") end = event.error === undefined ? Cause.done() : Effect.fail(event.error)
        changed.openUnsafe()
      })
    }
    const next = Effect.gen(function*() {
      const hint = yield* Effect.timeoutOption(changed.await, refresh)
      // more changes that follow at once are read together
      if (Option.isSome(hint) && !isFirst && end === undefined) yield* Effect.sleep(debounce)
      isFirst = false
      if (end !== undefined) return yield* end
      // a change from here on is read next time
      changed.closeUnsafe()
      return yield* read
    })
    return Stream.changes(Stream.fromEffectRepeat(next))
  }))
}

/**
 * The first entities of a query, live.
 *
 * @internal
 */
export const watchQuery = (
  query: Query,
  options: WatchOptions & { readonly limit: number }
): Stream.Stream<any, any, any> => {
  const { plan } = query.source
  const found = planOf(query)
  const live = plan.indexes?.spec.live
  if (found instanceof Problem || live === undefined) {
    // the page refuses the query with the reason
    const refused = page(query, options)
    return Stream.fromEffect(
      found instanceof Problem ? refused : Effect.andThen(refused, Effect.fail(notLive(plan.name, "watch")))
    )
  }
  return watch(
    plan.name,
    [modelChannel(live)],
    Effect.map(page(query, options), ({ items }) => items),
    options
  )
}

/**
 * The result of a program that reads indexes, live.
 *
 * @internal
 */
export const watchProgram = (node: AtomicNode, options?: WatchOptions): Stream.Stream<any, any, any> =>
  Stream.unwrap(Effect.map(prepare(node), ({ program: { instructions } }) => {
    const channels = new Set<string>()
    for (const { spec } of instructions) {
      if (spec.indexes?.live !== undefined) channels.add(modelChannel(spec.indexes.live))
    }
    const { model = "" } = (node as Partial<Instruct>).ref ?? {}
    return channels.size === 0
      ? Stream.fail(notLive(model, "watch"))
      : watch(
        model,
        [...channels],
        node as unknown as Effect.Effect<unknown, unknown, RedisService>,
        options
      )
  }))

/**
 * An entity, live.
 *
 * @internal
 */
export const watchEntity = (
  plan: ModelPlan,
  key: string,
  read: AtomicNode,
  options?: WatchOptions
): Stream.Stream<any, any, any> =>
  plan.indexes?.spec.live === undefined
    ? Stream.fail(notLive(plan.name, "watch"))
    : watch(
      plan.name,
      [entityChannel(key)],
      read as unknown as Effect.Effect<unknown, unknown, RedisService>,
      options
    )

/**
 * The keys of Effect's `Reactivity` that writes of a live model invalidate: of one entity, or of all of them.
 *
 * @param id undefined: of all entities
 * @internal
 */
export const reactivityKeys = (plan: ModelPlan, id?: unknown): ReadonlyArray<string> => {
  const live = plan.indexes?.spec.live
  if (live === undefined) throw new Error(`Model "${plan.name}": keys of Reactivity need the option \`live: true\``)
  if (id === undefined) return [reactivityKeyOf(modelChannel(live))]
  const key = plan.keyOf(id)
  // there is no entity that is never written
  return key instanceof Problem ? [] : [reactivityKeyOf(entityChannel(key.key))]
}
