/**
 * The types and services of `redlayer/testing`, which exports them. They stand below what works with them.
 */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { RedisTransport } from "../../RedisTransport.ts"

/**
 * What becomes of one call.
 *
 * **Details**
 *
 * - `DropBefore`: it is not sent, and this is certain. A service says `ConnectionUnavailable`, unless it tries again.
 * - `Lose`: it is lost on its way, and never applied; the caller can't tell. A service says `OutcomeUnknown`.
 * - `DropAfter`: it is applied, and the answer is lost; the caller can't tell.
 * - `Delay`: it is sent that much later. Interrupted before, it is never sent.
 * - `DeliverLate`: the caller is told at once that the outcome is unknown; the call arrives after the duration, or without
 *   one when {@link Faults} is told to `release` it.
 * - `Answer`: the server answers with this error, such as `LOADING …` or `OOM …`; nothing is applied.
 *
 * @category models
 * @since 0.1.0
 */
export type Fault =
  | { readonly _tag: "DropBefore" }
  | { readonly _tag: "Lose" }
  | { readonly _tag: "DropAfter" }
  | { readonly _tag: "Delay"; readonly duration: Duration.Input }
  | { readonly _tag: "DeliverLate"; readonly duration: Duration.Input | undefined }
  | { readonly _tag: "Answer"; readonly message: string }

/**
 * One call of a transport, or one program of a service.
 *
 * @category models
 * @since 0.1.0
 */
export interface Request {
  /** How many came before it, since the plan is followed. */
  readonly index: number
  readonly keys: ReadonlyArray<string>
  readonly readOnly: boolean
}

/**
 * Decides what becomes of a request; `undefined` lets it pass.
 *
 * @category models
 * @since 0.1.0
 */
export type Plan = (request: Request) => Fault | undefined

/**
 * What was done with a request.
 *
 * **Details**
 *
 * - `Withheld`: it was not passed on, and won't be.
 * - `Waiting`: it will be passed on.
 * - `Passed`: it was passed on, and has no answer yet.
 * - `Answered`: it was passed on, and there was an answer, whether or not the caller got it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Entry extends Request {
  readonly fault: Fault | undefined
  readonly state: "Withheld" | "Waiting" | "Passed" | "Answered"
}

/**
 * Says what goes wrong, and what went wrong.
 *
 * @category services
 * @since 0.1.0
 */
export class Faults extends Context.Service<Faults, {
  /** Follows another plan from the next request on, which is its first. The log begins anew. */
  readonly usePlan: (plan: Plan) => Effect.Effect<void>
  /** Every request since the plan is followed, in order. */
  readonly log: Effect.Effect<ReadonlyArray<Entry>>
  /** Delivers what `deliverLate()` has kept, in order, and ends when all of it has its answer. */
  readonly release: Effect.Effect<void>
}>()("redlayer/testing/Faults") {}

/**
 * One key, as it is stored. The members of a set are sorted, as they are in no order; a sorted set is its members and scores in
 * turn, in its own.
 *
 * @category models
 * @since 0.1.0
 */
export interface Stored {
  readonly type: "hash" | "list" | "set" | "zset" | "string"
  readonly content: Readonly<Record<string, string>> | ReadonlyArray<string> | string
  /** in milliseconds since the epoch; undefined: never */
  readonly expiresAt: number | undefined
}

/**
 * Everything that is stored, by key.
 *
 * @category models
 * @since 0.1.0
 */
export type Dump = Readonly<Record<string, Stored>>

/**
 * Reads and writes what a service stores past the library, as another program would: to see what is there, and to put there
 * what no model would. All keys are without the prefix of the service. It has no errors: what goes wrong is a defect.
 *
 * **Details**
 *
 * What writes to a collection adds to what is there, and makes it where there is none. To read a key that is absent gives
 * nothing.
 *
 * @see `Testing.layerMemory` for one that shares a store in memory, `Testing.layerRawStore` for one of a server
 * @category services
 * @since 0.1.0
 */
export class RawStore extends Context.Service<RawStore, {
  readonly hashSet: (key: string, fields: Readonly<Record<string, string>>) => Effect.Effect<void>
  readonly hashGet: (key: string, field: string) => Effect.Effect<string | undefined>
  readonly hashDelete: (key: string, field: string) => Effect.Effect<void>
  readonly listPush: (key: string, ...items: ReadonlyArray<string>) => Effect.Effect<void>
  readonly listRead: (key: string) => Effect.Effect<ReadonlyArray<string>>
  readonly setAdd: (key: string, ...members: ReadonlyArray<string>) => Effect.Effect<void>
  /** Sorted. */
  readonly setRead: (key: string) => Effect.Effect<ReadonlyArray<string>>
  /** Members and scores in turn. */
  readonly sortedAdd: (key: string, ...entries: ReadonlyArray<string>) => Effect.Effect<void>
  /** Members and scores in turn, by score. */
  readonly sortedRead: (key: string) => Effect.Effect<ReadonlyArray<string>>
  /** Replaces what is there by a plain text, which is of no kind that a model has. */
  readonly stringSet: (key: string, value: string) => Effect.Effect<void>
  /** In milliseconds since the epoch. */
  readonly expireAt: (key: string, millis: number) => Effect.Effect<void>
  readonly expiresAt: (key: string) => Effect.Effect<number | undefined>
  readonly delete: (key: string) => Effect.Effect<void>
  /** Everything under the prefix. On a server it looks at all keys of the database. */
  readonly dump: Effect.Effect<Dump>
}>()("redlayer/testing/RawStore") {}

/**
 * One thing that any transport must do.
 *
 * @category models
 * @since 0.1.0
 */
export interface Check {
  readonly name: string
  readonly run: Effect.Effect<void, CheckFailed, RedisTransport>
}

/**
 * A transport, or a service, does not do what it must.
 *
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
