/**
 * The service that programs need: its tag and its options. It stands below its layers, so that whatever commits a program
 * depends on the tag alone. `RedisService.ts` exports it, and is the only place that joins it with an implementation.
 */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import type { RedisServiceError } from "../RedisServiceError.ts"
import type { Program } from "./instruction/program.ts"
import type { Reply } from "./instruction/reply.ts"

/**
 * What a subscription to a channel tells, in order.
 *
 * **Details**
 *
 * - `Message`: what was published.
 * - `Missed`: the connection was lost, and is there again; what was published in between is lost.
 * - `Ended`: the last of all. The server refuses the subscription for good, which is the `error`; or its scope, or the
 *   service, was closed, and there is none.
 *
 * @category models
 * @since 0.1.0
 */
export type SubscriptionEvent =
  | { readonly _tag: "Message"; readonly text: string }
  | { readonly _tag: "Missed" }
  | { readonly _tag: "Ended"; readonly error: RedisServiceError | undefined }

/**
 * Runs programs, each alone, and wholly or not at all. Programs that are committed in the same turn of the event loop travel
 * in one call.
 *
 * @category services
 * @since 0.1.0
 */
export class RedisService extends Context.Service<RedisService, {
  /**
   * Runs one compiled program, and gives what `read` makes of its reply. Commit an `Atomic` instead: it compiles itself, and
   * reads its own reply.
   */
  readonly execute: <A, E>(
    program: Program,
    read: (reply: Reply) => Exit.Exit<A, E>
  ) => Effect.Effect<A, E | RedisServiceError>
  /** Runs programs that are independent of each other, at once: an exit for each, in their order. */
  readonly executeAll: <A, E>(
    programs: ReadonlyArray<Program>,
    read: (reply: Reply, index: number) => Exit.Exit<A, E>
  ) => Effect.Effect<ReadonlyArray<Exit.Exit<A, E | RedisServiceError>>>
  /**
   * Subscribes to a channel until the scope closes. When this ends, the subscription is there: what is published from then on
   * is told to `listener`, which must not throw. Use a `Topic` instead: it has types, and a stream.
   */
  readonly subscribe: (
    channel: string,
    listener: (event: SubscriptionEvent) => void
  ) => Effect.Effect<void, RedisServiceError, Scope.Scope>
  /** What the layer has found out of its server; left out where there is nothing to know, as in memory. */
  readonly server?: ServerInfo | undefined
}>()("redlayer/RedisService") {}

/**
 * @category models
 * @since 0.1.0
 */
export interface ServerInfo {
  readonly isCluster: boolean
  /** Why no lock is taken there: the server may drop it. */
  readonly refusesLocks: RedisServiceError | undefined
}

/**
 * What the live layers have in common.
 *
 * @category models
 * @since 0.1.0
 */
export interface ServiceOptions {
  /** What every key begins with: no braces. Empty unless said otherwise. */
  readonly keyPrefix?: string | undefined
  /**
   * How long a program may take, from its commit to its answer and over all attempts: 5 seconds unless said otherwise. After
   * it, a program that was not sent fails with `ConnectionUnavailable`, and one that was with `OutcomeUnknown`. Starting the
   * layer has as long.
   */
  readonly deadline?: Duration.Input | undefined
  /**
   * Whether a program is sent again within its deadline, where that can't apply it twice: when the server has refused it for
   * now, and, when no reply came, programs that only read and those that happen exactly once. On unless said otherwise. A
   * program that was not sent waits for a connection either way.
   */
  readonly retry?: boolean | undefined
  /**
   * How many programs may be on their way or waiting: 65,536 unless said otherwise. Beyond it a program fails with
   * `ConnectionUnavailable` at once.
   */
  readonly maximumWaiting?: number | undefined
  /**
   * Whether programs that write happen exactly once, however often the connection breaks: the result of each is kept on the
   * server, where it finds itself again when it is sent again. Off unless said otherwise.
   *
   * **Details**
   *
   * - `window`: how long results are kept at least; longer than the deadline, a minute unless said otherwise.
   * - `acceptEviction`: whether a server whose `maxmemory-policy` may drop them is good enough. Without it such a server is
   *   refused with `Unsupported`.
   * - A program without an answer is given up a quarter of a second before its deadline: from then on it is forbidden to
   *   happen, and fails with `ConnectionUnavailable` where it hadn't. Only where that can't be found out either it fails with
   *   `OutcomeUnknown`; with `applied: true` where it has happened and its result was larger than 4 kB.
   * - A program whose fiber is interrupted after it was sent may still happen, once.
   */
  readonly exactlyOnce?: boolean | {
    readonly window?: Duration.Input | undefined
    readonly acceptEviction?: boolean | undefined
  } | undefined
  /**
   * Whether locks are taken on a server whose `maxmemory-policy` may drop them: then two may hold one, and only
   * `held.guard` tells. Without `acceptEviction` such a lock fails with `Unsupported`.
   */
  readonly locks?: { readonly acceptEviction?: boolean | undefined } | undefined
  /** The bounds of one call: 128 programs, 256,000 UTF-16 units of keys and texts (`bytes`), 2,048 instructions unless said otherwise. */
  readonly batch?: {
    readonly programs?: number
    readonly bytes?: number
    readonly instructions?: number
  } | undefined
  /** The largest text of a value, in bytes: 1,000,000 unless said otherwise. A larger one is `InvalidValue`. */
  readonly maximumValueBytes?: number | undefined
  /**
   * The largest program, in UTF-16 units of its keys and texts: 16,000,000 unless said otherwise. A larger one is
   * `InvalidValue`.
   */
  readonly maximumProgramBytes?: number | undefined
  /**
   * Whether a program whose entities lie in several slots fails with `CrossSlot` on a server that is no cluster too. On a
   * cluster it always does.
   */
  readonly crossSlot?: "refuse" | undefined
  /**
   * Which spans are made, where there is a tracer: `"call"` unless said otherwise.
   *
   * **Details**
   *
   * - `"call"`: one for each call to the server, which carries the programs that were committed in the same turn.
   * - `"program"`: also one for each program, in the trace of the fiber that commits it. It halves the throughput.
   * - `"none"`: none. Metrics are kept all the same.
   */
  readonly spans?: "call" | "program" | "none" | undefined
}
