/**
 * The instructions on locks. The protocol, which `redis/lua/lock.lua` and `memory/lock.ts` carry out:
 *
 * - A lock is a hash with an entry for each owner: when its lease ends, its weight, its token. The weights together never exceed
 *   the capacity (`limit`): an exclusive owner weighs all of it, a shared one or a permit weighs 1.
 * - An owner that does not fit enters a queue, in order of arrival. A waiter blocks those behind it, unless it has disconnected.
 * - A release, or an ended lease, wakes waiters in order while capacity lasts: each gets a reservation of 250 ms, so that no
 *   later request takes its place before it asks again.
 * - An owner that gave up leaves a tombstone, so that its acquire is refused if it arrives late.
 * - The fence hash keeps the last token, which the next owner exceeds.
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
 * Asks for the lock. Returns the token, or the milliseconds until the next attempt.
 *
 * @param channel where a waiter is woken; empty: it does not wait
 * @param pause milliseconds after which a waiter asks again at the latest
 *
 * @internal
 */
export const acquire = (lock: LockKey, channel: string, pause: number, isCluster: boolean): AtomicNode => {
  const { lease, limit, owner, weight } = lock
  return instruct(lock, Op.acquire, [channel, owner, lease, weight, limit, isCluster ? 1 : 0, pause], same)
}

/** @internal */
export const renew = (lock: LockKey): AtomicNode => instruct(lock, Op.renew, [lock.owner, lock.lease], isOne)

/**
 * Releases the lock.
 *
 * @param tombstoneMillis milliseconds for which the tombstone refuses an acquisition of this owner
 *
 * @internal
 */
export const release = (lock: LockKey, channel: string, tombstoneMillis: number, isCluster: boolean): AtomicNode => {
  const { limit, owner, weight } = lock
  return instruct(lock, Op.release, [channel, owner, weight, limit, isCluster ? 1 : 0, tombstoneMillis], isOne)
}

/** @internal */
export const holds = (lock: LockKey): AtomicNode => instruct(lock, Op.holds, [lock.owner], nothing)
