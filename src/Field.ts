/**
 * The fields of one entity, as `Model.ref(id)` returns them: which operations each kind of field has. Every operation
 * is an `Atomic`: yielded, it runs alone in one round trip; composed, it is part of a larger program. Every operation
 * fails with `EntityNotFound` if the entity is missing, and none creates it. Costs such as O(n) are those on the
 * server; an operation on a scalar field is O(1).
 *
 * @stability unstable
 * @since 0.1.0
 */
import type * as DateTime from "effect/DateTime"
import type * as Duration from "effect/Duration"
import type * as HashMap from "effect/HashMap"
import type * as HashSet from "effect/HashSet"
import type * as Schema from "effect/Schema"
import type { Atomic } from "./Atomic.ts"
import type { Condition } from "./Condition.ts"
import type { EntityCorrupted, IndexOutOfRange, OutOfBounds } from "./DomainError.ts"
import type { List, Map, Scored, Set, SortedSet } from "./internal/field/collections.ts"
import type { Failure } from "./internal/field/operands.ts"
import type {
  BigInt,
  BigIntEntry,
  Bool,
  BoolEntry,
  Entry,
  Number,
  NumberEntry,
  Optional,
  OptionalBigInt,
  OptionalNumber,
  OptionalTime,
  Scalar,
  Text,
  TextEntry,
  Time,
  TimeEntry,
  Value
} from "./internal/field/scalars.ts"

export type * from "./internal/field/collections.ts"
export type * from "./internal/field/operands.ts"
export type * from "./internal/field/scalars.ts"
export type * from "./internal/field/sums.ts"

/**
 * The handles of an entity of any model, by the names of the fields. `Model.Ref` has those of one model.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface AnyRef {
  readonly [field: string]: object
}

/**
 * A nested struct: a handle for each of its fields, and `$` for the whole struct.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export type Struct<A, Fields extends Schema.Struct.Fields> =
  & { readonly [K in keyof Fields]: Of<Fields[K]> }
  & { readonly $: Whole<A> }

/**
 * A nested struct as a whole: it is read, compared and replaced with all its fields.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Whole<in out A> {
  /**
   * Returns the struct. Fails with `EntityCorrupted` if a stored field does not match the schema. O(fields + items).
   */
  get(): Atomic<A, Failure | EntityCorrupted>
  /** Replaces the struct. Fails with `InvalidValue` if the value breaks a check of the schema. O(fields + items). */
  set(value: A): Atomic<void, Failure>
  readonly eq: {
    /**
     * Whether each field equals that of `value`. Fails with `InvalidValue` if the struct has a collection. O(fields).
     */
    (value: A): Condition<Failure>
  }
  readonly neq: {
    /**
     * Whether a field differs from that of `value`. Fails with `InvalidValue` if the struct has a collection.
     * O(fields).
     */
    (value: A): Condition<Failure>
  }
}

type IsAny<T> = 0 extends 1 & T ? true : false
/** `"a" | "b"` and `1 | 2` are literals; `string`, `string & Brand<"X">` and `number` are not. */
type IsLiteral<T extends PropertyKey> = {} extends Record<T, 1> ? false : true
type IsLiteralBigInt<T extends bigint> = {} extends Record<`${T}`, 1> ? false : true
type IsTime<T, Encoded> = [T] extends [Date | DateTime.Utc | Duration.Duration] ? ([Encoded] extends [T] ? true : false)
  : false

/** The handle of a required value of type `T`, by the type alone. The encoded type tells a transformation apart. */
type OfType<T, Encoded, E> = IsAny<T> extends true ? Value<T, E>
  : unknown extends T ? Value<T, E>
  : [T] extends [never] ? Value<T, E>
  : [T] extends [boolean] ? ([Encoded] extends [boolean] ? (boolean extends T ? Bool<E> : Scalar<T, E>) : Value<T, E>)
  : [T] extends [string]
    ? ([Encoded] extends [string] ?
      (IsLiteral<T> extends true ? Scalar<T, E> : string extends T ? Text<T, E> : Scalar<T, E>)
      : Value<T, E>)
  : [T] extends [number]
    ? ([Encoded] extends [number] ? (IsLiteral<T> extends true ? Scalar<T, E> : Number<T, E>) : Value<T, E>)
  : [T] extends [bigint] ?
    ([Encoded] extends [bigint] ? (IsLiteralBigInt<T> extends true ? Value<T, E> : BigInt<T, E>) : Value<T, E>)
  : IsTime<T, Encoded> extends true ? Time<T, E>
  : Value<T, E>

/** The handle of a value that may be missing. */
type OptionalType<T, Encoded, E, Absent> = IsAny<T> extends true ? Optional<T, E, Absent>
  : unknown extends T ? Optional<T, E, Absent>
  : [T] extends [never] ? Optional<T, E, Absent>
  : [T] extends [number]
    ? ([Encoded] extends [number] ? (IsLiteral<T> extends true ? Optional<T, E, Absent> : OptionalNumber<T, E, Absent>)
      : Optional<T, E, Absent>)
  : [T] extends [bigint] ?
    ([Encoded] extends [bigint] ?
      (IsLiteralBigInt<T> extends true ? Optional<T, E, Absent> : OptionalBigInt<T, E, Absent>)
      : Optional<T, E, Absent>)
  : IsTime<T, Encoded> extends true ? OptionalTime<T, E, Absent>
  : Optional<T, E, Absent>

/** The handle of an entry of a map. */
type EntryType<T, Encoded, E = Failure | OutOfBounds> = IsAny<T> extends true ? Entry<T, E>
  : unknown extends T ? Entry<T, E>
  : [T] extends [never] ? Entry<T, E>
  : [T] extends [boolean] ?
    ([Encoded] extends [boolean] ? (boolean extends T ? BoolEntry<E> : Entry<T, E>) : Entry<T, E>)
  : [T] extends [string]
    ? ([Encoded] extends [string] ?
      (IsLiteral<T> extends true ? Entry<T, E> : string extends T ? TextEntry<T, E> : Entry<T, E>)
      : Entry<T, E>)
  : [T] extends [number]
    ? ([Encoded] extends [number] ? (IsLiteral<T> extends true ? Entry<T, E> : NumberEntry<T, E>) : Entry<T, E>)
  : [T] extends [bigint] ?
    ([Encoded] extends [bigint] ? (IsLiteralBigInt<T> extends true ? Entry<T, E> : BigIntEntry<T, E>) : Entry<T, E>)
  : IsTime<T, Encoded> extends true ? TimeEntry<T, E>
  : Entry<T, E>

/**
 * The handle of a required field of type `T`: collections, then scalars. Maps are tested before sets, because a map
 * type may extend a set type.
 */
type OfRequired<T, Encoded> = T extends readonly [any, ...Array<any>] | readonly [] ? Value<T>
  : T extends ReadonlyArray<infer A>
    ? Encoded extends ReadonlyArray<infer EncodedItem> ? List<A, OfType<A, EncodedItem, Failure | IndexOutOfRange>>
    : Value<T>
  : T extends HashMap.HashMap<infer K, infer A>
    ? Encoded extends HashMap.HashMap<any, infer EncodedItem> ? Map<K, A, T, EntryType<A, EncodedItem>> : Value<T>
  : T extends ReadonlyMap<infer K, infer A>
    ? Encoded extends ReadonlyMap<any, infer EncodedItem> ? Map<K, A, T, EntryType<A, EncodedItem>> : Value<T>
  : T extends HashSet.HashSet<infer A> ? Encoded extends HashSet.HashSet<any> ? Set<A, T> : Value<T>
  : T extends ReadonlySet<infer A> ? Encoded extends ReadonlySet<any> ? Set<A, T> : Value<T>
  : IsRecord<T> extends true ?
    Encoded extends { readonly [x: string]: infer EncodedItem }
      ? Map<Extract<keyof T, string>, T[keyof T], T, EntryType<T[keyof T], EncodedItem>>
    : Value<T>
  : OfType<T, Encoded, Failure>

/** Whether a type is a record: its keys are texts, and no single key is known. */
type IsRecord<T> = T extends object ? [keyof T] extends [never] ? false
  : [keyof T] extends [string | number] ? [Extract<keyof T, string>] extends [never] ? false
    : {} extends { [K in keyof T]-?: 1 } ? ({} extends Record<Extract<keyof T, string>, 1> ? true : false)
    : false
  : false
  : false

/** Whether a type has every JSON value, as that of `Schema.Json`. Its `null` is a value like others. */
type IsJson<T> = [Schema.Json] extends [T] ? true : [Schema.MutableJson] extends [T] ? true : false

type IsUnion<T, U = T> = T extends any ? [U] extends [T] ? false : true : never

/**
 * The handle of a field, by its schema.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export type Of<S extends Schema.Constraint> = S extends { readonly "~type.optionality": "optional" }
  ? IsAny<S["Type"]> extends true ? Optional<S["Type"]>
  : OptionalType<Exclude<S["Type"], undefined>, Exclude<S["Encoded"], undefined>, Failure, undefined>
  : IsAny<S["Type"]> extends true ? Value<S["Type"]>
  : unknown extends S["Type"] ? Value<S["Type"]>
  // A schema that `Schema.suspend` refers to is stored as one JSON value.
  : S["ast"] extends { readonly _tag: "Suspend" } ? Value<S["Type"]>
  : undefined extends S["Type"] ?
    OptionalType<Exclude<S["Type"], undefined>, Exclude<S["Encoded"], undefined>, Failure, undefined>
  : S["ast"] extends { readonly "~redlayer/json": true } ? Value<S["Type"]>
  : S["ast"] extends { readonly "~redlayer/sortedSet": true }
    ? S["Type"] extends ReadonlyArray<Scored<infer A>> ? SortedSet<A> : never
  : [S["Type"]] extends [null] ? Value<S["Type"]>
  : IsJson<S["Type"]> extends true ? Value<S["Type"]>
  : null extends S["Type"] ?
    null extends S["Encoded"] ? OptionalType<Exclude<S["Type"], null>, Exclude<S["Encoded"], null>, Failure, null>
    : Value<S["Type"]>
  : S extends { readonly fields: infer Fields extends Schema.Struct.Fields } ? Struct<S["Type"], Fields>
  : S extends {
    readonly "~type.constructor.default": "with-default"
    readonly schema: { readonly fields: infer Fields extends Schema.Struct.Fields }
  } ? Struct<S["Type"], Fields>
  : IsUnion<S["Type"]> extends true ? OfType<S["Type"], S["Encoded"], Failure>
  : OfRequired<S["Type"], S["Encoded"]>
