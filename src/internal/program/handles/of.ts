/**
 * Which handle a field has, by the type of its schema.
 */
import type * as DateTime from "effect/DateTime"
import type * as Duration from "effect/Duration"
import type * as HashMap from "effect/HashMap"
import type * as HashSet from "effect/HashSet"
import type * as Schema from "effect/Schema"
import type { IndexOutOfRange, OutOfBounds } from "../../../DomainError.ts"
import type {
  BigInt,
  BigIntEntry,
  Bool,
  BoolEntry,
  Entry,
  Failure,
  List,
  Map,
  Number,
  NumberEntry,
  Optional,
  OptionalBigInt,
  OptionalNumber,
  OptionalTime,
  Scalar,
  Scored,
  Set,
  SortedSet,
  Struct,
  Text,
  TextEntry,
  Time,
  TimeEntry,
  Value
} from "../../../Field.ts"

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

/** The handle of a value that may be absent. */
type OptionalType<T, Encoded, E> = IsAny<T> extends true ? Optional<T, E>
  : unknown extends T ? Optional<T, E>
  : [T] extends [never] ? Optional<T, E>
  : [T] extends [number]
    ? ([Encoded] extends [number] ? (IsLiteral<T> extends true ? Optional<T, E> : OptionalNumber<T, E>)
      : Optional<T, E>)
  : [T] extends [bigint] ?
    ([Encoded] extends [bigint] ? (IsLiteralBigInt<T> extends true ? Optional<T, E> : OptionalBigInt<T, E>)
      : Optional<T, E>)
  : IsTime<T, Encoded> extends true ? OptionalTime<T, E>
  : Optional<T, E>

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

/** The handle of a required field of type `T`: collections, then scalars. Maps come before sets, which they may pass for. */
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

/** An object of which only the type of its keys is known, and these are texts. */
type IsRecord<T> = T extends object ? [keyof T] extends [never] ? false
  : [keyof T] extends [string | number] ? [Extract<keyof T, string>] extends [never] ? false
    : {} extends { [K in keyof T]-?: 1 } ? ({} extends Record<Extract<keyof T, string>, 1> ? true : false)
    : false
  : false
  : false

type IsUnion<T, U = T> = T extends any ? [U] extends [T] ? false : true : never

export type Of<S extends Schema.Constraint> = S extends { readonly "~type.optionality": "optional" }
  ? IsAny<S["Type"]> extends true ? Optional<S["Type"]>
  : OptionalType<Exclude<S["Type"], undefined>, Exclude<S["Encoded"], undefined>, Failure>
  : IsAny<S["Type"]> extends true ? Value<S["Type"]>
  : unknown extends S["Type"] ? Value<S["Type"]>
  : undefined extends S["Type"] ? OptionalType<Exclude<S["Type"], undefined>, Exclude<S["Encoded"], undefined>, Failure>
  : S["ast"] extends { readonly "~redlayer/json": true } ? Value<S["Type"]>
  : S["ast"] extends { readonly "~redlayer/sortedSet": true }
    ? S["Type"] extends ReadonlyArray<Scored<infer A>> ? SortedSet<A> : never
  : [S["Type"]] extends [null] ? Value<S["Type"]>
  : null extends S["Type"] ?
    null extends S["Encoded"] ? OptionalType<Exclude<S["Type"], null>, Exclude<S["Encoded"], null>, Failure>
    : Value<S["Type"]>
  : S extends { readonly fields: infer Fields extends Schema.Struct.Fields } ? Struct<S["Type"], Fields>
  : IsUnion<S["Type"]> extends true ? OfType<S["Type"], S["Encoded"], Failure>
  : OfRequired<S["Type"], S["Encoded"]>
