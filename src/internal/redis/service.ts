import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { RedisService } from "../../RedisService.ts"
import { RedisServiceError, Unsupported } from "../../RedisServiceError.ts"
import type { RedisTransport } from "../../RedisTransport.ts"
import { type LimitOptions, limitsOf } from "../program/limits.ts"
import * as Batcher from "./batcher.ts"
import { inspect } from "./probe.ts"
import * as Sender from "./sender.ts"
import * as Subscriptions from "./subscriptions.ts"

/** @internal */
export interface Options extends LimitOptions {
  readonly keyPrefix?: string | undefined
  readonly deadline?: Duration.Input | undefined
  readonly batch?: Partial<Batcher.BatchLimits> | undefined
  readonly crossSlot?: "refuse" | undefined
}

/** @internal */
export const make = Effect.fnUntraced(function*(
  transport: RedisTransport["Service"],
  options: Options
): Effect.fn.Return<RedisService["Service"], RedisServiceError, Scope.Scope> {
  const keyPrefix = options.keyPrefix ?? ""
  const deadline = Duration.toMillis(Duration.fromInputUnsafe(options.deadline ?? "5 seconds"))
  if (/[{}]/.test(keyPrefix)) {
    return yield* new RedisServiceError({ reason: new Unsupported({ requirement: "a key prefix without braces" }) })
  }
  const { isCluster } = yield* inspect(transport, { keyPrefix, deadline })
  const context = yield* Effect.context<never>()
  const runFork = Effect.runForkWith(context)
  const scope = yield* Effect.scope
  const batcher = Batcher.make({
    sender: Sender.make({ transport, keyPrefix, deadline, runFork }),
    isCluster,
    refusesCrossSlot: options.crossSlot === "refuse",
    batch: { ...Batcher.defaultBatch, ...options.batch },
    limits: limitsOf(options)
  })
  yield* Effect.addFinalizer(() => batcher.close)
  return {
    execute: batcher.execute,
    executeAll: batcher.executeAll,
    subscribe: Subscriptions.make({ transport, keyPrefix, deadline, scope, runFork })
  }
})
