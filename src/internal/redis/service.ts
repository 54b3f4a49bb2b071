import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { RedisServiceError, Unsupported } from "../../RedisServiceError.ts"
import type { RedisTransport } from "../../RedisTransport.ts"
import { type LimitOptions, limitsOf } from "../instruction/limits.ts"
import type { RedisService } from "../service.ts"
import * as Batcher from "./batcher.ts"
import * as Sender from "./call.ts"
import { inspect } from "./probe.ts"
import * as Subscriptions from "./subscriptions.ts"
import { type Spans, Telemetry } from "./telemetry.ts"

interface ExactlyOnce {
  readonly window?: Duration.Input | undefined
  readonly acceptEviction?: boolean | undefined
}

const unsupported = (requirement: string) => new RedisServiceError({ reason: new Unsupported({ requirement }) })

const noEviction = "the maxmemory-policy noeviction"

/** @internal */
export interface Options extends LimitOptions {
  readonly keyPrefix?: string | undefined
  readonly deadline?: Duration.Input | undefined
  readonly batch?: Partial<Batcher.BatchLimits> | undefined
  readonly crossSlot?: "refuse" | undefined
  readonly retry?: boolean | undefined
  readonly maximumWaiting?: number | undefined
  readonly exactlyOnce?: boolean | ExactlyOnce | undefined
  readonly spans?: Spans | undefined
  readonly locks?: { readonly acceptEviction?: boolean | undefined } | undefined
}

/** @internal */
export const make = Effect.fnUntraced(function*(
  transport: RedisTransport["Service"],
  options: Options
): Effect.fn.Return<RedisService["Service"], RedisServiceError, Scope.Scope> {
  const keyPrefix = options.keyPrefix ?? ""
  const deadline = Duration.toMillis(Duration.fromInputUnsafe(options.deadline ?? "5 seconds"))
  if (/[{}]/.test(keyPrefix)) {
    return yield* unsupported("a key prefix without braces")
  }
  const { exactlyOnce } = options
  const once: ExactlyOnce | undefined = exactlyOnce === true ? {} : exactlyOnce === false ? undefined : exactlyOnce
  const window = once && Duration.toMillis(Duration.fromInputUnsafe(once.window ?? "60 seconds"))
  if (window !== undefined && !(deadline < window && window < Infinity)) {
    return yield* unsupported("a window of exactlyOnce that is longer than the deadline")
  }
  const { evicts, isCluster } = yield* inspect(transport, { keyPrefix, deadline })
  if (evicts && once !== undefined && once.acceptEviction !== true) {
    return yield* unsupported(`${noEviction}, since exactlyOnce keeps its tokens in keys`)
  }
  const context = yield* Effect.context<never>()
  const runFork = Effect.runForkWith(context)
  const scope = yield* Effect.scope
  const telemetry = new Telemetry({ context, spans: options.spans ?? "call", server: transport.server })
  const batcher = Batcher.make({
    sender: Sender.make({ transport, keyPrefix, deadline, runFork, retry: options.retry !== false, telemetry }),
    telemetry,
    isCluster,
    refusesCrossSlot: options.crossSlot === "refuse",
    batch: { ...Batcher.defaultBatch, ...options.batch },
    limits: limitsOf(options),
    window,
    ...(options.maximumWaiting === undefined ? undefined : { maximumWaiting: options.maximumWaiting })
  })
  yield* Effect.addFinalizer(() => batcher.close)
  return {
    execute: batcher.execute,
    executeAll: batcher.executeAll,
    subscribe: Subscriptions.make({ transport, keyPrefix, deadline, scope, runFork }),
    server: {
      isCluster,
      refusesLocks: evicts && options.locks?.acceptEviction !== true
        ? unsupported(`${noEviction}, since locks are kept in keys`)
        : undefined
    }
  }
})
