/**
 * The errors of the data itself: a missing entity, a broken bound, an invalid value. Each names the model, the id and,
 * if it concerns one, the field. No error contains a value, and no `message` contains an id. Errors between the caller
 * and the server are in `RedisServiceError`.
 *
 * @stability unstable
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

const place = {
  model: Schema.String,
  id: Schema.String,
  /** The operation that failed: its field and its method, such as `count.increment`. Empty if it is not known. */
  operation: Schema.String.pipe(Schema.withConstructorDefault(Effect.succeed("")))
}
const fieldPlace = { ...place, field: Schema.String }

const by = (operation: string): string => operation === "" ? "" : ` (${operation})`

/**
 * Returns the model's own field in a path. The other parts may be keys of a record, which are values.
 *
 * @internal
 */
export const top = (field: string): string => field.split(".", 1)[0]!

/**
 * The entity does not exist. Nothing was written.
 *
 * @stability unstable
 * @category errors
 * @since 0.1.0
 */
export class EntityNotFound
  extends Schema.TaggedError<EntityNotFound>("redlayer/EntityNotFound")("EntityNotFound", place)
{
  override get message(): string {
    return `No such ${this.model}${by(this.operation)}`
  }
}

/**
 * An entity with this id exists already. It was not changed.
 *
 * @stability unstable
 * @category errors
 * @since 0.1.0
 */
export class EntityExists extends Schema.TaggedError<EntityExists>("redlayer/EntityExists")("EntityExists", place) {
  override get message(): string {
    return `This ${this.model} exists already${by(this.operation)}`
  }
}

/**
 * Another entity has equal values in the fields of a unique index. Nothing was written. `index` is the name of the index:
 * that of the field, or the one in the option `unique`.
 *
 * @stability unstable
 * @category errors
 * @since 0.1.0
 */
export class UniqueViolation
  extends Schema.TaggedError<UniqueViolation>("redlayer/UniqueViolation")("UniqueViolation", {
    ...place,
    index: Schema.String
  })
{
  override get message(): string {
    return `Another ${this.model} has the same ${this.index}${by(this.operation)}`
  }
}

/**
 * A stored entity does not match the schema. `field` is the first such field, or empty if the entity's key has another
 * type, or its class refuses the fields; `issue` says what was expected. Reading changes nothing. `applied` tells whether the program had written
 * something else, which stands.
 *
 * @stability unstable
 * @category errors
 * @since 0.1.0
 */
export class EntityCorrupted
  extends Schema.TaggedError<EntityCorrupted>("redlayer/EntityCorrupted")("EntityCorrupted", {
    ...fieldPlace,
    key: Schema.String,
    issue: Schema.String,
    applied: Schema.Boolean
  })
{
  override get message(): string {
    return `A stored ${this.model} can't be read: ${this.field === "" ? "" : `${top(this.field)}: `}${this.issue}${
      by(this.operation)
    }`
  }
}

/**
 * The result would break a bound of the schema, or of the call (`atLeast`, `atMost`), which the server checks. Nothing
 * was written.
 *
 * @stability unstable
 * @category errors
 * @since 0.1.0
 */
export class OutOfBounds extends Schema.TaggedError<OutOfBounds>("redlayer/OutOfBounds")("OutOfBounds", {
  ...fieldPlace,
  bound: Schema.Literals([
    "minimum",
    "exclusiveMinimum",
    "maximum",
    "exclusiveMaximum",
    "minLength",
    "maxLength",
    "minSize",
    "maxSize",
    "atLeast",
    "atMost"
  ]),
  limit: Schema.Union([Schema.Number, Schema.BigInt])
}) {
  override get message(): string {
    return `${this.model}.${this.field} would break its bound: ${this.bound} ${this.limit}${by(this.operation)}`
  }
}

/**
 * The field cannot hold the result of the operation. Nothing was written.
 *
 * @stability unstable
 * @category errors
 * @since 0.1.0
 */
export class ArithmeticError
  extends Schema.TaggedError<ArithmeticError>("redlayer/ArithmeticError")("ArithmeticError", {
    ...fieldPlace,
    reason: Schema.Literals(["divisionByZero", "notFinite", "notWhole", "outOfRange"])
  })
{
  override get message(): string {
    return `${this.model}.${this.field}: ${this.reason}${by(this.operation)}`
  }
}

/**
 * The list has no item at this position. Nothing was written.
 *
 * @stability unstable
 * @category errors
 * @since 0.1.0
 */
export class IndexOutOfRange
  extends Schema.TaggedError<IndexOutOfRange>("redlayer/IndexOutOfRange")("IndexOutOfRange", {
    ...fieldPlace,
    index: Schema.Number
  })
{
  override get message(): string {
    return `${this.model}.${this.field} has no item at ${this.index}${by(this.operation)}`
  }
}

/**
 * A write depends on something that is not so. Nothing was written.
 *
 * **Details**
 *
 * - `idempotencyKey`: another program was committed with this key. `model` and `id` are those of the first step of this
 *   program.
 * - `version`: others wrote the entity after it was read, in every attempt.
 *
 * @stability unstable
 * @category errors
 * @since 0.1.0
 */
export class Conflict extends Schema.TaggedError<Conflict>("redlayer/Conflict")("Conflict", {
  ...place,
  reason: Schema.Literals(["idempotencyKey", "version"])
}) {
  override get message(): string {
    return this.reason === "version"
      ? `This ${this.model} was written since it was read${by(this.operation)}`
      : `Another program has this idempotency key, of a ${this.model}`
  }
}

const lockPlace = { ...place, name: Schema.String }

/**
 * The lock was not free within `wait`. `model` and `id` are those of the entity that it is on, and empty for a lock on
 * no entity.
 *
 * @stability unstable
 * @category errors
 * @since 0.1.0
 */
export class LockTimeout extends Schema.TaggedError<LockTimeout>("redlayer/LockTimeout")("LockTimeout", lockPlace) {
  override get message(): string {
    return `The lock was not free in time${by(this.operation)}`
  }
}

/**
 * The lock is no longer held: its lease ended without a renewal, or someone removed it. The program that found this
 * wrote nothing. `model` and `id` are those of the entity that it is on, and empty for a lock on no entity.
 *
 * @stability unstable
 * @category errors
 * @since 0.1.0
 */
export class LockLost extends Schema.TaggedError<LockLost>("redlayer/LockLost")("LockLost", lockPlace) {
  override get message(): string {
    return `The lock is not held any more${by(this.operation)}`
  }
}

/**
 * An id, a value or an amount has no stored form, or breaks a check of the schema. The whole program was refused before
 * it was sent.
 *
 * @stability unstable
 * @category errors
 * @since 0.1.0
 */
export class InvalidValue extends Schema.TaggedError<InvalidValue>("redlayer/InvalidValue")("InvalidValue", {
  ...fieldPlace,
  issue: Schema.String
}) {
  override get message(): string {
    return `${this.model}${this.field === "" ? "" : `.${top(this.field)}`}: ${this.issue}${by(this.operation)}`
  }
}
