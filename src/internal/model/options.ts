/**
 * The options of models and of their programs. `Model` exports them.
 */
import type * as Duration from "effect/Duration"
import type * as Schedule from "effect/Schedule"
import type * as Schema from "effect/Schema"
import type { Conflict } from "../../DomainError.ts"
import type * as Lock from "../lock/options.ts"

type Fields = Schema.Struct.Fields

/**
 * The names of the fields that can be a key: they are always there, and their values have a text. The type of an optional
 * field is not asked for, because it may be the class that is being defined.
 */
type KeyName<F extends Fields> = {
  [K in keyof F & string]: F[K] extends { readonly "~type.optionality": "optional" } ? never
    : F[K]["Type"] extends string | number | Date | { readonly epochMilliseconds: number } ? K
    : never
}[keyof F & string]

/** Whether a schema needs a service. One whose services are unknown, as in code that is generic over schemas, is not refused. */
export type NeedsService<S extends Schema.Constraint> = unknown extends S["DecodingServices"] | S["EncodingServices"]
  ? false
  : [S["DecodingServices"] | S["EncodingServices"]] extends [never] ? false
  : true

/** For each field `unknown`, or what is wrong with it: the argument is then not assignable to a text that says so. */
export type Storable<F extends Fields> = {
  readonly [K in keyof F]: NeedsService<F[K]> extends true
    ? "The schema of this field needs a service, and a stored field must not"
    : unknown
}

/**
 * The key of a model: the name of a field, or a tuple of names.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export type Key<F extends Fields> = KeyName<F> | readonly [KeyName<F>, ...Array<KeyName<F>>]

/**
 * Decides which entities share a slot. On a cluster only entities that share a slot can share a program. On one server
 * it changes nothing but the names of keys. It must never change while data is stored. Default: `"id"`.
 *
 * **Details**
 *
 * - `"id"`: each entity has its own slot.
 * - a component of a tuple key: all entities with the same component share a slot, also across models.
 * - `{ partitions: n }`: the entities are spread over n slots.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export type Slot<K> =
  | "id"
  | (K extends ReadonlyArray<infer Name extends string> ? Name : never)
  | { readonly partitions: number }

/**
 * Options of a model.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Options<K> {
  /** The field, or the tuple of fields, whose value is the id. */
  readonly key: K
  /** Which entities share a slot of a cluster. Default: `"id"`, none do. */
  readonly slot?: Slot<K> | undefined
  /** How long an entity lives. Default: for ever. */
  readonly timeToLive?: TimeToLive | undefined
}

/**
 * Options of a model with a generated id.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface KeylessOptions extends Pick<Options<"id">, "slot" | "timeToLive"> {
  /** The key is the added field `id`. */
  readonly key?: undefined
}

/**
 * How long an entity lives, in all its keys at once, and which operations renew that.
 *
 * **Details**
 *
 * - `"write"`: every operation that changes the entity.
 * - `"access"`: every operation that reads or changes the entity, except `exists`, `ensure`, `timeToLive`, `version` and
 *   `atVersion`.
 * - `"never"`: no operation; the entity lives this long from its insertion.
 *
 * The operation renews in the same step. No entity expires before the duration has passed since the last operation that
 * renews; it may live up to 1 % of the duration longer, at most a minute, because renewals that come sooner than that
 * after another are skipped. With `"never"` the duration is exact. A renewal never shortens the remaining life, and an
 * entity that `persist` made permanent stays permanent.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface TimeToLive {
  /** The time that the entity lives at least, from its insertion or last renewal: finite, and at least 1 ms. */
  readonly duration: Duration.Input
  /** Which operations renew the duration. Default: `"write"`. */
  readonly refresh?: "never" | "write" | "access" | undefined
}

/**
 * Options of programs that read.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface ReadOptions {
  /**
   * Whether reads renew the time to live of an entity whose model has `refresh: "access"`. It changes nothing for other
   * models, and writes renew in any case. Default: true.
   */
  readonly renew?: boolean | undefined
}

/**
 * Options of programs that create an entity.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface InsertOptions {
  /**
   * How long this entity lives, exactly, until its first renewal: finite, and at least 1 ms. Default: the model's duration.
   * Renewals always use the model's duration.
   */
  readonly timeToLive?: Duration.Input | undefined
}

/**
 * Options of a model's `modify`.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface ModifyOptions<R = never> {
  /**
   * When to try again after a `Conflict`, which is the schedule's input. Default: 20 retries within 30 seconds of the
   * first conflict. The pauses begin at 1 ms and double up to 200 ms; each is shortened at random, by at most a half.
   */
  readonly schedule?: Schedule.Schedule<unknown, Conflict, never, R> | undefined
}

/**
 * Options of a model's `withLock`.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface LockOptions extends Lock.Options {
  /** The aspect of the entity that is locked. Locks of different names do not wait for each other. Default: empty. */
  readonly name?: string | undefined
}
