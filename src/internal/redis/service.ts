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
import { limitChecks, limitsOf } from "../instruction/limits.ts"
import {
  boolean,
  type Check,
  check,
  defined,
  duration,
  integer,
  invalidOf,
  invalidOption,
  oneOf,
  replicas,
  replicationOf,
  shape,
  sweeps
} from "../options.ts"
import type { RedisService, ServiceOptions } from "../service.ts"
import { sweeping } from "../sweeping.ts"
import * as Batcher from "./batcher.ts"
import * as Sender from "./call.ts"
import { inspect, probeKey } from "./probe.ts"
import * as Scan from "./scan.ts"
import * as Subscriptions from "./subscriptions.ts"
import { Telemetry } from "./telemetry.ts"
import { warmUp } from "./warmUp.ts"

const unsupported = (requirement: string) => new RedisServiceError({ reason: new Unsupported({ requirement }) })

const accepting = shape({ acceptEviction: boolean })
const exactly = shape({ window: duration(1), acceptEviction: boolean })

/**
 * The checks of the options that all live layers share.
 *
 * @internal
 */
export const serviceChecks: { readonly [Name in keyof Required<ServiceOptions>]: Check } = {
  ...limitChecks,
  batch: shape({ programs: integer(1), bytes: integer(1), instructions: integer(1) }),
  crossSlot: oneOf("refuse"),
  deadline: duration(1),
  exactlyOnce: (value, option) => typeof value === "boolean" ? undefined : exactly(value, option),
  keyPrefix: check(
    "well-formed text without braces",
    (value) => typeof value === "string" && value.isWellFormed() && !/[{}]/.test(value)
  ),
  locks: accepting,
  maximumWaiting: integer(1),
  retry: boolean,
  spans: oneOf("call", "program", "none"),
  sweepEvery: sweeps,
  waitReplicas: replicas
}

const noEviction = "the maxmemory-policy noeviction"

/**
 * The deadline of a layer, in milliseconds.
 *
 * @internal
 */
export const deadlineOf = ({ deadline = "5 seconds" }: ServiceOptions): number =>
  Duration.toMillis(Duration.fromInputUnsafe(deadline))

/**
 * @param batchBy whether the programs of one turn travel in a call for each node of a cluster, if its servers can, or for each slot
 * @internal
 */
export const make = Effect.fnUntraced(function*(
  transport: RedisTransport["Service"],
  options: ServiceOptions,
  batchBy: "node" | "slot" = "node"
): Effect.fn.Return<RedisService["Service"], RedisServiceError, Scope.Scope> {
  const invalid = invalidOf(options, serviceChecks)
  if (invalid !== undefined) return yield* invalid
  const keyPrefix = options.keyPrefix ?? ""
  const deadline = deadlineOf(options)
  const limits = limitsOf(options)
  const exactlyOnce = options.exactlyOnce === true ? {} : options.exactlyOnce || undefined
  const window = exactlyOnce && Duration.toMillis(Duration.fromInputUnsafe(exactlyOnce.window ?? "60 seconds"))
  if (window !== undefined && !(deadline < window && window < Infinity)) {
    return yield* invalidOption({
      option: "exactlyOnce.window",
      issue: "expected a finite duration that is longer than the deadline"
    })
  }
  const replication = options.waitReplicas && replicationOf(options.waitReplicas)
  if (replication !== undefined && replication.timeout >= deadline) {
    return yield* invalidOption({
      option: "waitReplicas.timeout",
      issue: "expected a duration that is shorter than the deadline"
    })
  }
  if (replication !== undefined && transport.waitsForReplicas !== true) return yield* unsupported(Batcher.cannotWait)
  const { capabilities, evicts, isCluster } = yield* inspect(transport, { keyPrefix, deadline })
  if (evicts && exactlyOnce !== undefined && exactlyOnce.acceptEviction !== true) {
    return yield* unsupported(`${noEviction}, since exactlyOnce keeps its tokens in keys`)
  }
  const byNode = batchBy === "node" && capabilities.crossSlotScripts
  const { readOnlyCommands } = capabilities
  if (capabilities.noKeys) yield* warmUp(transport, { keyPrefix, deadline, readOnlyCommands, byNode })
  const context = yield* Effect.context<never>()
  const runFork = Effect.runForkWith(context)
  const scope = yield* Effect.scope
  const telemetry = new Telemetry({ context, spans: options.spans ?? "call", server: transport.server })
  const sender = Sender.make({
    transport,
    keyPrefix,
    deadline,
    runFork,
    retry: options.retry,
    telemetry,
    valueBytes: limits.valueBytes,
    declaresForms: !capabilities.undeclaredKeys,
    readOnlyCommands,
    keyOfKeyless: capabilities.noKeys ? undefined : probeKey(keyPrefix),
    onCrossSlot: (programs, since) => batcher.sendBySlot(programs, since)
  })
  const batcher: Batcher.Batcher = Batcher.make({
    sender,
    telemetry,
    isCluster,
    nodeOf: byNode ? transport.cluster?.of : undefined,
    readerOf: byNode ? transport.readerOf : undefined,
    publishes: capabilities.publishInScripts,
    refusesCrossSlot: options.crossSlot === "refuse",
    batch: { ...Batcher.defaultBatch, ...defined(options.batch ?? {}) },
    limits,
    maximumWaiting: options.maximumWaiting,
    window,
    replication,
    waitsForReplicas: transport.waitsForReplicas === true
  })
  yield* Effect.addFinalizer(() => batcher.close)
  const service: RedisService["Service"] = {
    execute: batcher.execute,
    executeAll: batcher.executeAll,
    subscribe: Subscriptions.make({ transport, keyPrefix, deadline, scope, runFork }),
    scan: Scan.make({ transport, keyPrefix, deadline, scope }),
    server: {
      get isCluster() {
        return batcher.isCluster()
      },
      refusesLocks: evicts && options.locks?.acceptEviction !== true
        ? unsupported(`${noEviction}, since locks are kept in keys`)
        : capabilities.publishInScripts
        ? undefined
        : unsupported(`${Batcher.cannotPublish}, since locks wake those that wait`),
      capabilities
    }
  }
  yield* sweeping(service, options.sweepEvery)
  return service
})
