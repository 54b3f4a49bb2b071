/**
 * A lock as its holder sees it: `Lock.Handle`.
 */
import type * as Effect from "effect/Effect"
import type { LockLost } from "../../DomainError.ts"
import type { AtomicNode } from "../program/node.ts"
import type { Lease } from "./lease.ts"
import { holds } from "./lockKey.ts"

/** @internal */
export interface Held {
  readonly name: string
  readonly token: number
  readonly check: Effect.Effect<void, LockLost>
  readonly lost: Effect.Effect<never, LockLost>
  readonly protect: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E | LockLost, R>
  /** Only for a lock on an entity. */
  readonly guard?: AtomicNode
}

/** @internal */
export const heldOf = ({ check, lost, protect, site, token }: Lease): Held => ({
  name: site.name,
  token,
  check,
  lost,
  protect,
  ...(site.isOnEntity ? { guard: holds(site) } : undefined)
})
