/**
 * The service that programs need: its tag, its events and its options. No implementation is here, so code that commits
 * a program depends on the tag alone. `RedisService.ts` exports the tag, and joins it with the implementations.
 */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import type { RedisServiceError } from "../RedisServiceError.ts"
import type { Program } from "./instruction/program.ts"
import type { Reply } from "./instruction/reply.ts"

/**
 * The events of a subscription to a channel, in order.
 *
 * **Details**
 *
 * - `Message`: a message.
 * - `Missed`: the connection was lost and is restored. Messages published in between are lost.
 * - `Ended`: the last event. `error` is set if the server refuses the subscription for good, and unset if the scope or
 *   the service was closed.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export type SubscriptionEvent =
  | { readonly _tag: "Message"; readonly text: string }
  | { readonly _tag: "Missed" }
  | { readonly _tag: "Ended"; readonly error: RedisServiceError | undefined }

/**
 * Runs programs: each alone, as a whole or not at all. Programs that are committed in the same turn of the event loop
 * travel in one call.
 *
 * @stability unstable
 * @category services
 * @since 0.1.0
 */
export class RedisService extends Context.Service<RedisService, {
  /**
   * Runs one compiled program, and returns the result of `read` for its reply. Commit an `Atomic` instead: it compiles
   * itself and reads its own reply.
   */
  readonly execute: <A, E>(
    program: Program,
    read: (reply: Reply) => Exit.Exit<A, E>
  ) => Effect.Effect<A, E | RedisServiceError>
  /** Runs independent programs at once. Returns an exit for each, in their order. */
  readonly executeAll: <A, E>(
    programs: ReadonlyArray<Program>,
    read: (reply: Reply, index: number) => Exit.Exit<A, E>
  ) => Effect.Effect<ReadonlyArray<Exit.Exit<A, E | RedisServiceError>>>
  /**
   * Subscribes to a channel until the scope closes. When this ends, the subscription is confirmed: `listener` receives
   * everything that is published from then on, and must not throw. Use a `Topic` instead: it has types, and a stream.
   */
  readonly subscribe: (
    channel: string,
    listener: (event: SubscriptionEvent) => void
  ) => Effect.Effect<void, RedisServiceError, Scope.Scope>
  /**
   * Returns the keys that begin with this text, in pages, without reading their values. A key that exists during the
   * whole scan occurs at least once. Unset: `stream` and `count` of a model fail with `Unsupported`.
   */
  readonly scan?: ((start: string) => Stream.Stream<ReadonlyArray<string>, RedisServiceError>) | undefined
  /** Facts about the server, found when the layer started. Unset if there is nothing to know, as in memory. */
  readonly server?: ServerInfo | undefined
}>()("redlayer/RedisService") {}

/**
 * Facts about a server, found when its layer started.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface ServerInfo {
  /**
   * Whether a program must keep to one slot: the server is a node of a cluster, or a proxy before one. It becomes true
   * later if the server then refuses a call with keys of several slots.
   */
  readonly isCluster: boolean
  /** Why locks are refused. Unset if they are accepted. */
  readonly refusesLocks: RedisServiceError | undefined
  /** The abilities of scripts there. Unset if they are not known. */
  readonly capabilities?: Capabilities | undefined
}

/**
 * The abilities of scripts on a server, tried when its layer started. A program with declared keys of one slot needs
 * none of them.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Capabilities {
  /** Whether a call may have no key. */
  readonly noKeys: boolean
  /**
   * Whether a script may use a key that its call does not declare, in the slot of one that it declares. Otherwise calls are
   * longer, because they declare the keys too at which a missing field may be stored in the form of an earlier schema.
   */
  readonly undeclaredKeys: boolean
  /** Whether the keys of a call may be in several slots. */
  readonly severalSlots: boolean
  /** Whether a script without declared keys may use keys of several slots, with the flag `allow-cross-slot-keys`. */
  readonly crossSlotScripts: boolean
  /** Whether there are `EVAL_RO` and `EVALSHA_RO`. */
  readonly readOnlyCommands: boolean
  /** Whether a script may publish messages. Without it topics and locks are refused. */
  readonly publishInScripts: boolean
}

/**
 * Which models a layer sweeps, and how often.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface SweepOptions {
  /** How often: a duration of at least a second. Each time is up to a tenth sooner or later, so that processes spread their sweeps. */
  readonly every: Duration.Input
  /** Models with indexes whose entities expire. */
  readonly models: ReadonlyArray<{
    /** Removes the index entries of entities that have expired. */
    sweep(): Effect.Effect<void, unknown, RedisService>
  }>
}

/**
 * How many replicas must have a copy of what a program writes, before it succeeds.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface WaitReplicas {
  /** The number of replicas: at least 1. */
  readonly count: number
  /** How long to wait for them: at least 1 ms, and shorter than the deadline. Default: 1 second. */
  readonly timeout?: Duration.Input | undefined
}

/**
 * The options that all live layers share.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface ServiceOptions {
  /** The beginning of every key, without braces. Locks and channels have it too. Default: empty. */
  readonly keyPrefix?: string | undefined
  /**
   * How long a program may take, from its commit to its answer and over all attempts: at least 1 ms, and
   * `Duration.infinity` is allowed. Default: 5 seconds. After it, a
   * program that was not sent fails with `ConnectionUnavailable`, and one that was sent with `OutcomeUnknown`. Starting
   * the layer may take as long.
   */
  readonly deadline?: Duration.Input | undefined
  /**
   * Whether a program is sent again within its deadline if that cannot apply it twice: after a temporary refusal of the
   * server; and after a lost reply if the program only reads or runs exactly once. A program that was not sent waits
   * for a connection in either case. Default: true.
   */
  readonly retry?: boolean | undefined
  /**
   * How many programs may be without an answer. Default: 65,536. Beyond it a program fails with `ConnectionUnavailable`
   * at once.
   */
  readonly maximumWaiting?: number | undefined
  /**
   * Whether programs that write happen exactly once, no matter how often the connection breaks: the server keeps the
   * result of each, and a retry returns that result. Default: false.
   *
   * **Details**
   *
   * - `window`: how long results are kept at least; longer than the deadline. Default: 60 seconds.
   * - `acceptEviction`: whether a server that may evict the results is accepted. Default: false, and such a server is
   *   refused with `Unsupported`.
   * - A program without an answer is given up a quarter of a second before its deadline: from then on it can no longer
   *   happen, and it fails with `ConnectionUnavailable` if it had not happened. It fails with `OutcomeUnknown` only if
   *   even that cannot be found out; with `applied: true` if it happened and its result was larger than 4 kB.
   * - A program whose fiber is interrupted after it was sent may still happen, once.
   */
  readonly exactlyOnce?: boolean | {
    readonly window?: Duration.Input | undefined
    readonly acceptEviction?: boolean | undefined
  } | undefined
  /**
   * How many replicas must have a copy before a program that writes succeeds. Default: none, and a failover may lose the last
   * writes that have succeeded.
   *
   * **Details**
   *
   * - If too few have a copy when the time is over, the program fails with `NotEnoughReplicas`. It is applied nevertheless.
   * - It costs the round trip between the servers, and needs the rights to `SET` and `WAIT`. Programs that only read and travel in the
   *   same call wait too.
   * - `Atomic.commit(program, { waitReplicas })` does it for one program.
   */
  readonly waitReplicas?: WaitReplicas | undefined
  /**
   * Whether locks are taken on a server that may evict them. Then two owners may hold one lock, and only `held.guard`
   * detects it. Without `acceptEviction` such a lock fails with `Unsupported`.
   */
  readonly locks?: { readonly acceptEviction?: boolean | undefined } | undefined
  /**
   * The bounds of one call. Default: 128 programs, 256,000 UTF-16 units of keys and texts (`bytes`), 2,048
   * instructions. A write that keeps indexes counts as more than one instruction (5 for each index by score, 25 for each other one), and so
   * does a read of entries of an index.
   */
  readonly batch?: {
    readonly programs?: number
    readonly bytes?: number
    readonly instructions?: number
  } | undefined
  /**
   * The greatest length of one value, in bytes: at least 64. Default: 1,000,000. A longer value fails with
   * `InvalidValue`, and an append that would make one, too.
   */
  readonly maximumValueBytes?: number | undefined
  /**
   * The greatest length of a program, in UTF-16 units of its keys and texts. Default: 16,000,000. A longer program
   * fails with `InvalidValue`.
   */
  readonly maximumProgramBytes?: number | undefined
  /**
   * Whether a program whose entities are in several slots fails with `CrossSlot` on a single server too. On a cluster
   * it always does. Default: unset, it does not.
   */
  readonly crossSlot?: "refuse" | undefined
  /**
   * Runs `sweep` of models every so often, so that the index entries of expired entities do not stay if nobody reads or writes the model.
   * Default: none is swept. An error is logged, and the next sweep runs as usual.
   *
   * **Details**
   *
   * The models are named, because a layer knows only those that its programs use, and the others need it. A sweep asks each home of the
   * model: one, or each partition. Of a model whose slot is a component of the key it first finds them by `SCAN`, O(keys of the
   * database). Several processes may sweep the same models; one is enough.
   */
  readonly sweepEvery?: SweepOptions | undefined
  /**
   * Which spans are made if there is a tracer. Default: `"call"`.
   *
   * **Details**
   *
   * - `"call"`: one span for each call to the server, which carries the programs of one turn.
   * - `"program"`: also one for each program, in the trace of the fiber that commits it. It halves the throughput.
   * - `"none"`: no spans. Metrics are kept.
   */
  readonly spans?: "call" | "program" | "none" | undefined
}
