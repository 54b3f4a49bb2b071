/**
 * The address of a lock, from its name, its entity and its options. The programs on it are in `lockPrograms.ts`.
 */
import type * as Duration from "effect/Duration"
import { InvalidValue } from "../../DomainError.ts"
import { errorOf, type HandleRef } from "../handle/entityRef.ts"
import { refOfHandle } from "../handle/struct.ts"
import { millisOf } from "../options.ts"
import { escape, isTooLong } from "../text/escape.ts"
import type { Options } from "./options.ts"

/**
 * The name of a lock, and the entity that it is on.
 *
 * @internal
 */
export interface Target {
  readonly name: string
  /** Undefined: the lock is on no entity. */
  readonly entity?: HandleRef | undefined
  /** The function that takes the lock, for errors. */
  readonly operation: string
}

/**
 * Returns the target for the public arguments.
 *
 * @param on the result of `Model.ref`; anything else is refused
 *
 * @internal
 */
export const targetOf = (operation: string, name: string, on: object | undefined): Target => ({
  name,
  operation,
  entity: on === undefined ? undefined : refOfHandle(on) ?? noEntity
})

/**
 * The address of a lock, with one owner and what it asks for.
 *
 * @internal
 */
export interface LockKey {
  readonly key: string
  readonly name: string
  readonly model: string
  readonly id: string
  readonly isOnEntity: boolean
  /** The function that takes the lock, for errors. */
  readonly operation: string
  /** The owner id: a new one for each acquisition. */
  readonly owner: string
  /** How much of the limit the owner takes. */
  readonly weight: number
  /** The greatest sum of the weights of all owners. */
  readonly limit: number
  /** Milliseconds until the lease ends if it is not renewed. */
  readonly lease: number
}

/**
 * The limit of a lock without permits, which is also the weight of an exclusive owner. The number of permits is always
 * smaller.
 *
 * @internal
 */
export const capacity = 2 ** 31

const refuse = (name: string, issue: string): InvalidValue =>
  new InvalidValue({ model: "Lock", id: name, field: "", issue })

const defaultLease = 10_000
const shortestLease = 10
const longestLease = 1e12

const toLease = (input: Duration.Input): number | undefined => {
  const millis = millisOf(input)
  return millis !== undefined && millis >= shortestLease && millis <= longestLease ? Math.ceil(millis) : undefined
}

const noEntity: HandleRef = {
  model: "",
  id: "",
  key: "",
  refusal: refuse("", "Expected the result of `ref` as the entity of the lock"),
  renews: true
}

const keyOf = (name: string, entity: HandleRef | undefined, isPermit: boolean): string => {
  const kind = isPermit ? "$permits" : "$lock"
  return entity === undefined ? `${kind}:{${escape(name)}}` : `${entity.key}:${kind}:${escape(name)}`
}

/** @internal */
export const lockKeyOf = (target: Target, options: Options, owner: string): LockKey | InvalidValue => {
  const found = checked(target, options, owner)
  return found instanceof InvalidValue ? errorOf(target.operation, found) : found
}

const checked = ({ entity, name, operation }: Target, options: Options, owner: string): LockKey | InvalidValue => {
  if (entity?.refusal !== undefined) return entity.refusal
  if (name === "" && entity === undefined) return refuse(name, "Expected a lock name that is not empty")
  if (!name.isWellFormed()) return refuse("", "Expected a lock name of well-formed Unicode")
  if (isTooLong(escape(name))) return refuse("", "Expected a lock name of at most 1024 bytes")
  const lease = toLease(options.lease ?? defaultLease)
  if (lease === undefined) return refuse(name, `Expected a lease of ${shortestLease} ms to ${longestLease} ms`)
  const { mode = "exclusive" } = options
  const isPermit = mode !== "exclusive" && mode !== "shared"
  if (isPermit && !(Number.isInteger(mode.permits) && mode.permits >= 1 && mode.permits < capacity)) {
    return refuse(name, "Expected permits that are a positive integer below 2^31")
  }
  return {
    key: keyOf(name, entity, isPermit),
    name,
    model: entity?.model ?? "",
    id: entity?.id ?? "",
    isOnEntity: entity !== undefined,
    operation,
    owner,
    weight: mode === "exclusive" ? capacity : 1,
    limit: isPermit ? mode.permits : capacity,
    lease
  }
}
