/**
 * The address of a lock, from its name, its entity and its options. The programs on it are in `lockPrograms.ts`.
 */
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import { InvalidValue } from "../../DomainError.ts"
import type { HandleRef } from "../handle/entityRef.ts"
import { refOfHandle } from "../handle/struct.ts"
import { escape, isTooLong } from "../text/escape.ts"

/**
 * How many may hold the lock: one; one, or any number that share it; or that many.
 *
 * @internal
 */
export type Mode = "exclusive" | "shared" | { readonly permits: number }

/** @internal */
export interface Options {
  readonly lease?: Duration.Input | undefined
  readonly wait?: Duration.Input | undefined
  readonly renew?: boolean | undefined
  readonly mode?: Mode | undefined
}

/** @internal */
export interface Target {
  readonly name: string
  /** The entity that the lock is on. */
  readonly entity?: HandleRef | undefined
}

/**
 * The address of a lock.
 *
 * @param on the reference of an entity
 *
 * @internal
 */
export const targetOf = (name: string, on: object | undefined): Target => ({
  name,
  entity: on === undefined ? undefined : refOfHandle(on) ?? nowhere
})

/**
 * One owner's view of a lock.
 *
 * @internal
 */
export interface LockKey {
  readonly key: string
  readonly name: string
  readonly model: string
  readonly id: string
  readonly isOnEntity: boolean
  /** One for each acquisition. */
  readonly owner: string
  readonly weight: number
  readonly limit: number
  /** Milliseconds. */
  readonly lease: number
}

/**
 * The capacity of a lock, which an exclusive holder takes as a whole. The number of permits is always smaller.
 *
 * @internal
 */
export const whole = 2 ** 31

const refuse = (name: string, issue: string): InvalidValue =>
  new InvalidValue({ model: "Lock", id: name, field: "", issue })

const defaultLease = 10_000
const shortestLease = 10
const longestLease = 1e12

const toLease = (input: Duration.Input): number | undefined => {
  const duration = Option.getOrUndefined(Duration.fromInput(input))
  const millis = duration && Duration.toMillis(duration)
  return millis !== undefined && millis >= shortestLease && millis <= longestLease ? Math.ceil(millis) : undefined
}

const nowhere: HandleRef = {
  model: "",
  id: "",
  key: "",
  refusal: refuse("", "Expected the reference of an entity that the lock is on")
}

const keyOf = (name: string, entity: HandleRef | undefined, isPermit: boolean): string => {
  const kind = isPermit ? "$permits" : "$lock"
  return entity === undefined ? `${kind}:{${escape(name)}}` : `${entity.key}:${kind}:${escape(name)}`
}

/** @internal */
export const lockKeyOf = ({ name, entity }: Target, options: Options, owner: string): LockKey | InvalidValue => {
  if (entity?.refusal !== undefined) return entity.refusal
  if (name === "" && entity === undefined) return refuse(name, "Expected a name of a lock that is not empty")
  if (!name.isWellFormed()) return refuse("", "Expected well-formed Unicode as the name of a lock")
  if (isTooLong(escape(name))) return refuse("", "Expected a name of a lock of at most 1024 bytes")
  const lease = toLease(options.lease ?? defaultLease)
  if (lease === undefined) return refuse(name, `Expected a lease of ${shortestLease} ms to ${longestLease} ms`)
  const { mode = "exclusive" } = options
  const isPermit = mode !== "exclusive" && mode !== "shared"
  if (isPermit && !(Number.isInteger(mode.permits) && mode.permits >= 1 && mode.permits < whole)) {
    return refuse(name, "Expected a number of permits that is a positive integer, below 2^31")
  }
  return {
    key: keyOf(name, entity, isPermit),
    name,
    model: entity?.model ?? "",
    id: entity?.id ?? "",
    isOnEntity: entity !== undefined,
    owner,
    weight: mode === "exclusive" ? whole : 1,
    limit: isPermit ? mode.permits : whole,
    lease
  }
}
