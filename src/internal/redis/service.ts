/**
 * The live service: it runs programs on a server, over any `RedisTransport`.
 *
 * The room `redis/` may import text/, instruction/, service.ts, the errors and `RedisTransport`; only `client/` and `interop/`
 * import a Redis client. It must not know schemas, models or the nodes of an `Atomic`.
 * Invariant: each program gets exactly one answer, at its deadline at the latest, and is sent again only if that cannot apply it
 * twice.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { RedisServiceError, Unsupported } from "../../RedisServiceError.ts"
import type { RedisTransport } from "../../RedisTransport.ts"
import { limitsOf, wrongLimit } from "../instruction/limits.ts"
import type { RedisService, ServiceOptions } from "../service.ts"
import * as Batcher from "./batcher.ts"
import * as Sender from "./call.ts"
import { inspect } from "./probe.ts"
import * as Subscriptions from "./subscriptions.ts"
import { Telemetry } from "./telemetry.ts"

const unsupported = (requirement: string) => new RedisServiceError({ reason: new Unsupported({ requirement }) })

const noEviction = "the maxmemory-policy noeviction"

/** @internal */
export const make = Effect.fnUntraced(function*(
  transport: RedisTransport["Service"],
  options: ServiceOptions
): Effect.fn.Return<RedisService["Service"], RedisServiceError, Scope.Scope> {
  const keyPrefix = options.keyPrefix ?? ""
  const deadline = Duration.toMillis(Duration.fromInputUnsafe(options.deadline ?? "5 seconds"))
  if (/[{}]/.test(keyPrefix)) {
    return yield* unsupported("a key prefix without braces")
  }
  const refusal = wrongLimit(options)
  if (refusal !== undefined) return yield* unsupported(refusal)
  const limits = limitsOf(options)
  const exactlyOnce = options.exactlyOnce === true ? {} : options.exactlyOnce || undefined
  const window = exactlyOnce && Duration.toMillis(Duration.fromInputUnsafe(exactlyOnce.window ?? "60 seconds"))
  if (window !== undefined && !(deadline < window && window < Infinity)) {
    return yield* unsupported("a window of exactlyOnce that is longer than the deadline")
  }
  const { evicts, isCluster } = yield* inspect(transport, { keyPrefix, deadline })
  if (evicts && exactlyOnce !== undefined && exactlyOnce.acceptEviction !== true) {
    return yield* unsupported(`${noEviction}, since exactlyOnce keeps its tokens in keys`)
  }
  const context = yield* Effect.context<never>()
  const runFork = Effect.runForkWith(context)
  const scope = yield* Effect.scope
  const telemetry = new Telemetry({ context, spans: options.spans ?? "call", server: transport.server })
  const batcher = Batcher.make({
    sender: Sender.make({
      transport,
      keyPrefix,
      deadline,
      runFork,
      retry: options.retry,
      telemetry,
      valueBytes: limits.valueBytes
    }),
    telemetry,
    isCluster,
    refusesCrossSlot: options.crossSlot === "refuse",
    batch: { ...Batcher.defaultBatch, ...options.batch },
    limits,
    maximumWaiting: options.maximumWaiting,
    window
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
