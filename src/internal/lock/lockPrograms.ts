/**
 * The instructions on locks. The protocol, which `redis/lua/lock.lua` and `memory/lock.ts` carry out:
 *
 * - A lock is a hash with an entry for each owner that holds it: when the lease ends, the weight, the fencing token. The
 *   sum of the weights never exceeds the limit. An exclusive owner weighs as much as the limit; a shared owner, or one
 *   with a permit, weighs 1.
 * - An owner that does not fit enters a queue, in order of arrival. A waiter that does not fit blocks those behind it,
 *   unless it has disconnected.
 * - A release wakes waiters in order while they fit. So does each new request, because leases may have ended. A woken
 *   waiter has a reservation of 250 ms: an entry with the token 0, so that no later request takes its place before it
 *   asks again. If it does not, its process is stopped or busy, so all waiters with its channel are passed over until
 *   one of them asks. The process that released the lock looks again after the reservation.
 * - An owner that gave up, and whose acquire may still arrive, leaves a tombstone: an acquire that finds it is refused.
 * - The fence hash keeps the last token, which the next token exceeds, and the tombstones.
 *
 * May import: text, instruction, schema, program, handle, the service's tag, the errors.
 * Must not know: models, Redis, the memory store, the public modules.
 * Invariant: an acquire is idempotent for each owner; only an owner's own release ends its lease early.
 */
import { isOne, nothing, same } from "../handle/entityRef.ts"
import { Op } from "../instruction/ops.ts"
import { noSpec } from "../instruction/spec.ts"
import { Instruct } from "../program/atomic.ts"
import type { AtomicNode } from "../program/node.ts"
import type { LockKey } from "./lockKey.ts"

const instruct = (
  lock: LockKey,
  op: Op,
  args: ReadonlyArray<string | number>,
  decode: (result: any) => unknown
): AtomicNode => new Instruct(op, lock, noSpec, lock.name, args, decode)

/**
 * Asks for the lock. Returns the token, the milliseconds until the next attempt, or false if the owner has a tombstone.
 *
 * @param channel the channel on which the waiter is woken; empty: the owner does not enter the queue
 * @param pause milliseconds after which a waiter asks again at the latest
 *
 * @internal
 */
export const acquire = (lock: LockKey, channel: string, pause: number, isCluster: boolean): AtomicNode => {
  const { lease, limit, owner, weight } = lock
  return instruct(lock, Op.acquire, [channel, owner, lease, weight, limit, isCluster ? 1 : 0, pause], same)
}

/**
 * Extends the lease. Returns false if the owner does not hold the lock.
 *
 * @internal
 */
export const renew = (lock: LockKey): AtomicNode => instruct(lock, Op.renew, [lock.owner, lock.lease], isOne)

/**
 * Removes the owner from the holders and the queue, and wakes the next waiters. Returns whether one was woken.
 *
 * @param tombstoneMillis milliseconds for which an acquire of this owner is refused; 0: no tombstone
 *
 * @internal
 */
export const release = (lock: LockKey, channel: string, tombstoneMillis: number, isCluster: boolean): AtomicNode => {
  const { limit, owner, weight } = lock
  return instruct(lock, Op.release, [channel, owner, weight, limit, isCluster ? 1 : 0, tombstoneMillis], isOne)
}

/**
 * Fails with `LockLost` unless the owner holds the lock.
 *
 * @internal
 */
export const holds = (lock: LockKey): AtomicNode => instruct(lock, Op.holds, [lock.owner], nothing)
