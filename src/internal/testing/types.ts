/**
 * The types and services that `redlayer/testing` exports. They are here, because the files of this room use them and
 * must not import the public module.
 *
 * May import: text, instruction, service, memory, redis, the errors, RedisTransport. Must not know: schemas, programs,
 * handles, models, the public modules, any test framework. Invariant: nothing here decides by chance or by time alone:
 * a plan, a seed or the `Clock` does.
 */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { RedisTransport } from "../../RedisTransport.ts"

/**
 * The fault of one call.
 *
 * **Details**
 *
 * - `NotSent`: it is certainly not sent. A service fails with `ConnectionUnavailable`, unless it retries.
 * - `LoseRequest`: the request is lost and never applied, and the caller cannot tell. A service fails with
 *   `OutcomeUnknown`.
 * - `LoseReply`: it is applied and the reply is lost, and the caller cannot tell.
 * - `Delay`: it is sent later by this duration. If it is interrupted before, it is never sent.
 * - `DeliverLate`: the caller learns at once that the outcome is unknown; the call arrives after the duration, or
 *   without one when `release` of {@link Faults} runs.
 * - `Answer`: the server answers with this error, such as `LOADING …` or `OOM …`; nothing is applied.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export type Fault =
  | { readonly _tag: "NotSent" }
  | { readonly _tag: "LoseRequest" }
  | { readonly _tag: "LoseReply" }
  | { readonly _tag: "Delay"; readonly duration: Duration.Input }
  | { readonly _tag: "DeliverLate"; readonly duration: Duration.Input | undefined }
  | { readonly _tag: "Answer"; readonly message: string }

/**
 * One call of a transport, or one program of a service.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Request {
  /** The number of requests since the plan was set. */
  readonly index: number
  /** The keys, in order. */
  readonly keys: ReadonlyArray<string>
  /** Whether the request only reads. */
  readonly readOnly: boolean
}

/**
 * Decides the fault of a request. `undefined` lets it pass.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export type Plan = (request: Request) => Fault | undefined

/**
 * One request in the log of a fault-injecting layer, with its fault and its state.
 *
 * **Details**
 *
 * - `Withheld`: it was not passed on, and will not be.
 * - `Waiting`: it will be passed on.
 * - `Passed`: it was passed on, and has no answer yet.
 * - `Answered`: it was passed on and answered, whether or not the caller got the answer.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface LogEntry extends Request {
  /** The fault that the plan decided. Undefined if the request passed. */
  readonly fault: Fault | undefined
  /** How far the request went. */
  readonly state: "Withheld" | "Waiting" | "Passed" | "Answered"
}

/**
 * Sets the faults to come, and reports the past ones.
 *
 * @stability unstable
 * @category services
 * @since 0.1.0
 */
export class Faults extends Context.Service<Faults, {
  /** Uses another plan from the next request on, which is its first. The log starts again. */
  readonly usePlan: (plan: Plan) => Effect.Effect<void>
  /** Every request since the plan was set, in order. */
  readonly log: Effect.Effect<ReadonlyArray<LogEntry>>
  /** Delivers the calls that `deliverLate()` has kept, in order, and ends when all have their answers. */
  readonly release: Effect.Effect<void>
}>()("redlayer/testing/Faults") {}

/**
 * One stored key. The members of a set are sorted, because they have no order; a sorted set is its members and scores
 * in turn, in its own order.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Stored {
  /** The type of the key, as the server names it. */
  readonly type: "hash" | "list" | "set" | "zset" | "string"
  /** The fields of a hash, the elements of a collection, or a text. */
  readonly content: Readonly<Record<string, string>> | ReadonlyArray<string> | string
  /** Milliseconds since the epoch. Undefined: never. */
  readonly expiresAt: number | undefined
}

/**
 * Everything that is stored, by key.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export type Dump = Readonly<Record<string, Stored>>

/**
 * Reads and writes stored keys past the library, as another program would. All keys are without the prefix of the
 * service. It has no errors: a failure is a defect.
 *
 * **When to use**
 *
 * Use in tests of stored keys, and of data that no model would write.
 *
 * **Details**
 *
 * A write to a collection adds to it, and creates it if it is missing. Reading a missing key returns nothing.
 *
 * @see `Testing.layerMemory` for one that shares a store in memory, `Testing.layerRawStore` for one of a server
 * @stability unstable
 * @category services
 * @since 0.1.0
 */
export class RawStore extends Context.Service<RawStore, {
  /** Sets fields of a hash, and keeps its other fields. */
  readonly hashSet: (key: string, fields: Readonly<Record<string, string>>) => Effect.Effect<void>
  /** Reads one field of a hash. */
  readonly hashGet: (key: string, field: string) => Effect.Effect<string | undefined>
  /** Removes one field of a hash. */
  readonly hashDelete: (key: string, field: string) => Effect.Effect<void>
  /** Adds items at the end of a list. */
  readonly listPush: (key: string, ...items: ReadonlyArray<string>) => Effect.Effect<void>
  /** Reads all items of a list, in order. */
  readonly listRead: (key: string) => Effect.Effect<ReadonlyArray<string>>
  /** Adds members to a set. */
  readonly setAdd: (key: string, ...members: ReadonlyArray<string>) => Effect.Effect<void>
  /** Reads all members of a set, sorted. */
  readonly setRead: (key: string) => Effect.Effect<ReadonlyArray<string>>
  /** Adds members to a sorted set. `entries` are members and scores in turn. */
  readonly sortedAdd: (key: string, ...entries: ReadonlyArray<string>) => Effect.Effect<void>
  /** Reads a sorted set by score: members and scores in turn. */
  readonly sortedRead: (key: string) => Effect.Effect<ReadonlyArray<string>>
  /** Replaces the key with a plain text, a type that no model has. */
  readonly stringSet: (key: string, value: string) => Effect.Effect<void>
  /** Lets a key expire at a time: milliseconds since the epoch. */
  readonly expireAt: (key: string, millis: number) => Effect.Effect<void>
  /** Returns when a key expires: milliseconds since the epoch. Undefined: never. */
  readonly expiresAt: (key: string) => Effect.Effect<number | undefined>
  /** Removes a key. */
  readonly delete: (key: string) => Effect.Effect<void>
  /** Everything under the prefix. On a server it looks at all keys of the database. */
  readonly dump: Effect.Effect<Dump>
}>()("redlayer/testing/RawStore") {}

/**
 * One check of a transport.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Check {
  /** The claim that the check proves, usable as the title of a test. */
  readonly name: string
  /** Runs the check. Succeeds if the transport passes. */
  readonly run: Effect.Effect<void, CheckFailed, RedisTransport>
}

/**
 * A transport, or a service, has failed a check.
 *
 * @stability unstable
 * @category errors
 * @since 0.1.0
 */
export class CheckFailed extends Schema.TaggedError<CheckFailed>("redlayer/testing/CheckFailed")("CheckFailed", {
  check: Schema.String,
  problem: Schema.String
}) {
  override get message(): string {
    return `${this.check}: ${this.problem}`
  }
}
