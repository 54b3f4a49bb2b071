/**
 * The fields of one entity, as `Model.ref(id)` gives them: which operations each kind of field has. Every operation is an
 * `Atomic`: yielded, it runs alone in one round trip; composed, it is part of a larger program. Every one fails with
 * `EntityNotFound` where the entity is gone, and none brings it back.
 *
 * @since 0.1.0
 */
import type * as Option from "effect/Option"
import type * as Schema from "effect/Schema"
import type { Atomic } from "./Atomic.ts"
import type {
  ArithmeticError,
  EntityCorrupted,
  EntityNotFound,
  IndexOutOfRange,
  InvalidValue,
  OutOfBounds
} from "./DomainError.ts"

/**
 * What every operation on a field may fail with.
 *
 * @category models
 * @since 0.1.0
 */
export type Failure = EntityNotFound | InvalidValue

/**
 * Any value, read and replaced as a whole. One round trip each.
 *
 * @category models
 * @since 0.1.0
 */
export interface Value<in out A, out E = Failure> {
  get(): Atomic<A, E>
  // no method in the types: a handle that takes `"a" | "b"` is none that takes any text, also where it is passed as its base
  readonly set: (value: A) => Atomic<void, E>
  /** Replaces `expected` by `value`: true when it did. Texts compare exactly, numbers as numbers. */
  compareAndSet(expected: A, value: A): Atomic<boolean, E>
}

/**
 * A literal, an enum, or a branded text.
 *
 * @category models
 * @since 0.1.0
 */
export interface Word<in out A, out E = Failure> extends Value<A, E> {
  /** Replaces the value, and gives the one before. */
  getAndSet(value: A): Atomic<A, E>
}

/**
 * A text.
 *
 * @category models
 * @since 0.1.0
 */
export interface Text<in out A extends string = string, out E = Failure> extends Word<A, E> {
  /** Appends, and gives the new length in UTF-16 units. A length that the schema refuses is `OutOfBounds`. */
  append(text: string): Atomic<number, E | OutOfBounds>
}

/**
 * Bounds for one operation, beside those of the schema: a result outside of them is `OutOfBounds`, and nothing is written.
 *
 * @category models
 * @since 0.1.0
 */
export interface Bounds {
  readonly atLeast?: number | undefined
  readonly atMost?: number | undefined
}

/**
 * A number. Each operation computes on the server and gives the new value, the same to the last bit as JavaScript would. A
 * result that is not finite, not whole on an integer, or beyond ±(2^53−1) there, and a division by zero, is
 * `ArithmeticError`; one that breaks a bound is `OutOfBounds`. Nothing is written then.
 *
 * **Example** (Selling no more than there is)
 *
 * ```ts run
 * import { Effect, Schema } from "effect"
 * import { Model, RedisService } from "redlayer"
 *
 * const Product = Model.make("Product", {
 *   sku: Schema.String,
 *   stock: Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)),
 *   price: Schema.Finite
 * }, { key: "sku" })
 *
 * const program = Effect.gen(function*() {
 *   yield* Product.insert({ sku: "lamp", stock: 3, price: 10 })
 *   const { price, stock } = Product.ref("lamp")
 *   const left = yield* stock.decrement(2)
 *   const refused = yield* Effect.flip(stock.decrement(2))
 *   const reduced = yield* price.multiply(0.5, { atLeast: 4 })
 *   return [left, refused._tag, reduced]
 * })
 *
 * await Effect.runPromise(program.pipe(Effect.provide(RedisService.layerMemory))) // => [1, "OutOfBounds", 5]
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface Number<in out A extends number = number, out E = Failure> extends Word<A, E> {
  /** Adds `by`, 1 unless said otherwise. */
  increment(by?: number, bounds?: Bounds): Atomic<A, E | OutOfBounds | ArithmeticError>
  /** Subtracts `by`, 1 unless said otherwise. */
  decrement(by?: number, bounds?: Bounds): Atomic<A, E | OutOfBounds | ArithmeticError>
  multiply(by: number, bounds?: Bounds): Atomic<A, E | OutOfBounds | ArithmeticError>
  divide(by: number, bounds?: Bounds): Atomic<A, E | OutOfBounds | ArithmeticError>
  /** The division without its fraction, towards zero. */
  quotient(by: number, bounds?: Bounds): Atomic<A, E | OutOfBounds | ArithmeticError>
  /** What remains of that division; it has the sign of the value. */
  modulo(by: number, bounds?: Bounds): Atomic<A, E | OutOfBounds | ArithmeticError>
  /** The smaller of the value and `other`. */
  min(other: number, bounds?: Bounds): Atomic<A, E | OutOfBounds | ArithmeticError>
  /** The larger of the value and `other`. */
  max(other: number, bounds?: Bounds): Atomic<A, E | OutOfBounds | ArithmeticError>
  /** The value, but no less than `low` and no more than `high`. */
  clamp(low: number, high: number, bounds?: Bounds): Atomic<A, E | OutOfBounds | ArithmeticError>
}

/**
 * A boolean.
 *
 * @category models
 * @since 0.1.0
 */
export interface Bool<out E = Failure> extends Word<boolean, E> {
  /** Turns it, and gives the new value. */
  toggle(): Atomic<boolean, E>
}

/**
 * A field that may be absent.
 *
 * **Example** (Claiming a name, once)
 *
 * ```ts run
 * import { Effect, Option, Schema } from "effect"
 * import { Model, RedisService } from "redlayer"
 *
 * const Seat = Model.make("Seat", { number: Schema.Int, owner: Schema.optionalKey(Schema.String) }, { key: "number" })
 *
 * const program = Effect.gen(function*() {
 *   yield* Seat.insert({ number: 7 })
 *   const { owner } = Seat.ref(7)
 *   const alice = yield* owner.setIfAbsent("alice")
 *   const bob = yield* owner.setIfAbsent("bob")
 *   return [alice, bob, yield* owner.get()]
 * })
 *
 * await Effect.runPromise(program.pipe(Effect.provide(RedisService.layerMemory))) // => [true, false, Option.some("alice")]
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface Optional<in out A, out E = Failure> {
  get(): Atomic<Option.Option<A>, E>
  isSet(): Atomic<boolean, E>
  set(value: A): Atomic<void, E>
  /** Sets it where it is absent: true when it did. */
  setIfAbsent(value: A): Atomic<boolean, E>
  /** Makes it absent. */
  clear(): Atomic<void, E>
  /** Replaces `expected` by `value`: true when it did, false also where it was absent. */
  compareAndSet(expected: A, value: A): Atomic<boolean, E>
}

/**
 * A list: O(1) at both ends. Positions are those of `Array.prototype.slice` and `at`: negative ones count from the end.
 *
 * **Example** (A queue, and the last of a history)
 *
 * ```ts run
 * import { Effect, Option, Schema } from "effect"
 * import { Model, RedisService } from "redlayer"
 *
 * const Worker = Model.make("Worker", {
 *   name: Schema.String,
 *   queue: Schema.Array(Schema.String),
 *   times: Schema.Array(Schema.Int)
 * }, { key: "name" })
 *
 * const program = Effect.gen(function*() {
 *   yield* Worker.insert({ name: "a", queue: ["sweep"], times: [] })
 *   const { queue, times } = Worker.ref("a")
 *   yield* queue.append(["cook", "wash"])
 *   const next = yield* queue.shift()
 *   yield* times.append([12, 9, 11], { keep: 2 })
 *   const last = yield* times.at(-1).increment()
 *   return [next, yield* queue.get(), last, yield* times.get()]
 * })
 *
 * const result = await Effect.runPromise(program.pipe(Effect.provide(RedisService.layerMemory)))
 * result // => [Option.some("sweep"), ["cook", "wash"], 12, [9, 12]]
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface List<in out A, out Item> {
  get(): Atomic<ReadonlyArray<A>, Failure>
  /** Replaces all items. O(n). */
  set(items: ReadonlyArray<A>): Atomic<void, Failure>
  length(): Atomic<number, Failure>
  /** From `start` up to, and without, `end`; all of it unless said otherwise. */
  slice(start?: number, end?: number): Atomic<ReadonlyArray<A>, Failure>
  /** Adds at the end, and gives the new length. With `keep`, only the newest that many items stay. */
  append(
    item: A | ReadonlyArray<A>,
    options?: { readonly keep?: number | undefined }
  ): Atomic<number, Failure | OutOfBounds>
  /** Adds at the front, in the order given, and gives the new length. */
  prepend(item: A | ReadonlyArray<A>): Atomic<number, Failure | OutOfBounds>
  /** Takes the last item. */
  pop(): Atomic<Option.Option<A>, Failure | OutOfBounds>
  /** Takes the first item. */
  shift(): Atomic<Option.Option<A>, Failure | OutOfBounds>
  clear(): Atomic<void, Failure>
  /** The item at a position. Its operations fail with `IndexOutOfRange` where there is none. O(n) in the middle. */
  at(index: number): Item
}

/**
 * A nested struct: a handle for each of its fields, and `$` for the whole.
 *
 * @category models
 * @since 0.1.0
 */
export type Struct<A, Fields extends Schema.Struct.Fields> =
  & { readonly [K in keyof Fields]: Of<Fields[K]> }
  & { readonly $: Whole<A> }

/**
 * A nested struct as a whole.
 *
 * @category models
 * @since 0.1.0
 */
export interface Whole<in out A> {
  get(): Atomic<A, Failure | EntityCorrupted>
  set(value: A): Atomic<void, Failure>
}

type IsAny<T> = 0 extends 1 & T ? true : false
/** `"a" | "b"` and `1 | 2` are literals; `string`, `string & Brand<"X">` and `number` are not. */
type IsLiteral<T extends PropertyKey> = {} extends Record<T, 1> ? false : true

/** The handle of a required value of type `T`, by the type alone. The encoded type tells a transformation apart. */
type OfType<T, Encoded, E> = IsAny<T> extends true ? Value<T, E>
  : unknown extends T ? Value<T, E>
  : [T] extends [never] ? Value<T, E>
  : [T] extends [boolean] ? ([Encoded] extends [boolean] ? (boolean extends T ? Bool<E> : Word<T, E>) : Value<T, E>)
  : [T] extends [string]
    ? ([Encoded] extends [string] ?
      (IsLiteral<T> extends true ? Word<T, E> : string extends T ? Text<T, E> : Word<T, E>)
      : Value<T, E>)
  : [T] extends [number]
    ? ([Encoded] extends [number] ? (IsLiteral<T> extends true ? Word<T, E> : Number<T, E>) : Value<T, E>)
  : Value<T, E>

/**
 * The handle of a field, by its schema.
 *
 * @category models
 * @since 0.1.0
 */
export type Of<S extends Schema.Constraint> = S extends { readonly "~type.optionality": "optional" }
  ? Optional<IsAny<S["Type"]> extends true ? S["Type"] : Exclude<S["Type"], undefined>>
  : IsAny<S["Type"]> extends true ? Value<S["Type"]>
  : unknown extends S["Type"] ? Value<S["Type"]>
  : undefined extends S["Type"] ? Optional<Exclude<S["Type"], undefined>>
  : S["ast"] extends { readonly "~redlayer/json": true } ? Value<S["Type"]>
  : S extends { readonly fields: infer Fields extends Schema.Struct.Fields } ? Struct<S["Type"], Fields>
  : S["Type"] extends readonly [any, ...Array<any>] | readonly [] ? Value<S["Type"]>
  : S["Type"] extends ReadonlyArray<infer A>
    ? S["Encoded"] extends ReadonlyArray<infer Encoded> ? List<A, OfType<A, Encoded, Failure | IndexOutOfRange>>
    : Value<S["Type"]>
  : OfType<S["Type"], S["Encoded"], Failure>
