/**
 * Locks, with the same stored texts as on a server. The twin of lock.lua, which describes the three keys of a lock. Lock
 * operations write to the store at once, because no program undoes them.
 */
import { Op } from "../instruction/ops.ts"
import type { Instruction } from "../instruction/program.ts"
import type { Result } from "../instruction/reply.ts"
import { ScoredMembers } from "./scoredMembers.ts"
import { fail, failWrongType } from "./stop.ts"
import type { Store, StoredHash, StoredSortedSet, StoredValue } from "./store.ts"
import type { Transaction } from "./transaction.ts"

/** Milliseconds of a day. */
const day = 86_400_000
/** Milliseconds that a woken owner has to come, because its reservation then expires. */
const reservation = 250
/** Milliseconds for which a reservation that has ended is kept, so that its channel is found to be away. */
const lapsed = 10_000
/** Stands before the channel in the name of the entry of a channel that is away. */
const away = "!"
/** Milliseconds after which the waiters of a channel that is away are tried again. */
const awayMillis = 60_000
/** Stands before the owner in the name of a tombstone. */
const tombstone = "~"
/** The first number of fields at which expired tombstones are removed. The next is twice the number that remains. */
const sweepFrom = 32

/** The entry of an owner. A token of 0 means a reservation: the owner was woken and has not come yet. */
interface Holder {
  readonly expiry: number
  readonly weight: number
  readonly token: string
  /** The channel of a reservation. */
  readonly channel: string
}

const parse = (text: string): Holder | undefined => {
  const [, expiry, weight, token, channel] = /^(\d+) (\d+) (\d+) ?(.*)$/s.exec(text) ?? []
  return expiry === undefined
    ? undefined
    : { expiry: Number(expiry), weight: Number(weight), token: token!, channel: channel! }
}

const textOf = ({ channel, expiry, token, weight }: Holder): string =>
  channel === "" ? `${expiry} ${weight} ${token}` : `${expiry} ${weight} ${token} ${channel}`

const extendExpiry = (value: StoredValue, expiry: number): void => {
  if (value.expiresAt === undefined || value.expiresAt < expiry) value.expiresAt = expiry
}

const put = (store: Store, key: string, value: StoredValue, size: number): void => {
  if (size === 0) store.values.delete(key)
  else store.values.set(key, value)
}

/** The three keys of a lock, read for the request of one owner. */
class Lock {
  readonly transaction: Transaction
  readonly key: string
  readonly owner: string
  readonly now: number
  readonly hash: StoredHash
  readonly fence: StoredHash
  readonly queue: StoredSortedSet
  /** The other owners whose entries have not expired. */
  readonly holders = new Map<string, Holder>()
  /** The entry of the owner, unset if it has none. */
  own: Holder | undefined
  /** When the waiters of a channel that is away are tried again. */
  readonly away = new Map<string, number>()
  /** Whether `wake` has woken a waiter. */
  hasWoken = false

  /** The channel is that of the request, which proves that it is not away. */
  constructor(transaction: Transaction, key: string, owner: string, channel: string) {
    this.transaction = transaction
    this.owner = owner
    this.key = key
    this.now = transaction.millis
    const { store } = transaction
    this.hash = store.hash(key, this.now) ?? failWrongType("")
    this.fence = store.hash(`${key}:$fence`, this.now) ?? failWrongType("")
    const queue = store.get(`${key}:$queue`, this.now) ??
      { _tag: "zset", members: new ScoredMembers(), expiresAt: undefined }
    this.queue = queue._tag === "zset" ? queue : failWrongType("")
    for (const [name, text] of this.hash.fields) {
      const holder = parse(text)
      if (holder === undefined) continue
      if (holder.expiry <= this.now) {
        const woken = holder.token === "0" ? holder.channel : ""
        if (woken !== "" && woken !== channel) this.away.set(woken, this.now + awayMillis)
      } else if (name === owner) this.own = holder
      else if (!name.startsWith(away)) this.holders.set(name, holder)
      else if (name !== away + channel && !this.away.has(name.slice(1))) this.away.set(name.slice(1), holder.expiry)
    }
  }

  /** The sum of the other owners' weights. */
  get used(): number {
    let used = 0
    for (const { weight } of this.holders.values()) used += weight
    return used
  }

  /** When the first of the other owners' entries expires. */
  get soonest(): number | undefined {
    return this.holders.size === 0 ? undefined : Math.min(...[...this.holders.values()].map(({ expiry }) => expiry))
  }

  /**
   * Wakes waiters in arrival order while capacity lasts. Returns the first one that does not fit, or `member` once it
   * is at the head. A waiter that does not fit blocks those behind it, unless it has disconnected or is away.
   */
  wake(limit: number, member: string | undefined): string | undefined {
    const { holders, now, queue: { members }, transaction } = this
    let at = 0
    for (;;) {
      const head = members.ranked[at]
      if (head === undefined || head === member) return head
      const [, weight, channel, owner] = /^(\d+) (.*) (\S+)$/s.exec(head) ?? []
      if (channel !== undefined && this.away.has(channel)) {
        at++
        continue
      }
      const isConnected = channel !== undefined && transaction.store.listeners.has(channel)
      const fits = this.used + Number(weight) <= limit
      if (weight !== undefined && !fits && (this.used >= limit || isConnected)) return head
      members.assign(new Map([[head, undefined]]))
      if (!fits || !isConnected) continue
      transaction.publish(channel, owner!)
      holders.set(owner!, { expiry: now + reservation, weight: Number(weight), token: "0", channel })
      this.hasWoken = true
    }
  }

  /** Writes all three keys, without the entries that have expired. */
  write(): void {
    const { fence, hash, holders, key, own, owner, queue, transaction: { store } } = this
    hash.fields.clear()
    if (own !== undefined) hash.fields.set(owner, textOf(own))
    hash.expiresAt = own?.expiry
    for (const [name, holder] of holders) {
      hash.fields.set(name, textOf(holder))
      extendExpiry(hash, holder.token === "0" ? holder.expiry + lapsed : holder.expiry)
    }
    for (const [channel, expiry] of this.away) {
      hash.fields.set(away + channel, `${expiry} 0 1`)
      extendExpiry(hash, expiry)
    }
    put(store, key, hash, hash.fields.size)
    put(store, `${key}:$fence`, fence, fence.fields.size)
    put(store, `${key}:$queue`, queue, queue.members.size)
  }
}

const waiterOf = (channel: string, weight: number, owner: string): string | undefined =>
  channel === "" ? undefined : `${weight} ${channel} ${owner}`

/** Returns the token; or after how many milliseconds to ask again; or false if the owner has a tombstone. */
const acquire = (transaction: Transaction, key: string, args: ReadonlyArray<unknown>): Result => {
  const [channel, owner, lease, weight, limit, , pause] = args as [
    string,
    string,
    number,
    number,
    number,
    number,
    number
  ]
  const lock = new Lock(transaction, key, owner, channel)
  const { fence, now, queue } = lock
  const member = waiterOf(channel, weight, owner)
  if (Number(fence.fields.get(tombstone + owner) ?? 0) > now) return false
  if (lock.own === undefined) {
    const first = lock.wake(limit, member)
    if (first !== undefined && first !== member || lock.used + weight > limit) {
      if (member !== undefined) {
        if (!queue.members.scores.has(member)) queue.members.assign(new Map([[member, transaction.now]]))
        extendExpiry(queue, now + 3 * pause)
      }
      lock.write()
      const { soonest } = lock
      return soonest === undefined ? pause : Math.max(1, soonest - now)
    }
    if (first !== undefined) queue.members.assign(new Map([[first, undefined]]))
  }
  let token = lock.own?.token ?? "0"
  if (token === "0") {
    const last = fence.fields.get("t") ?? ""
    const before = /^\d{1,16}$/.test(last) ? Number(last) : 0
    token = String(Math.max(before, transaction.now) + 1)
    fence.fields.set("t", token)
    // the token is a time in microseconds, so the expiry is extended once a day
    if (Math.floor(before / day / 1000) !== Math.floor(now / day)) extendExpiry(fence, now + 2 * day)
  }
  lock.own = { expiry: now + lease, weight, token, channel: "" }
  lock.write()
  return token
}

/** Returns 1 if a waiter was woken, else 0. Writes a tombstone if `tombstoneMillis` is above 0. */
const release = (transaction: Transaction, key: string, args: ReadonlyArray<unknown>): Result => {
  const [channel, owner, weight, limit, , tombstoneMillis] = args as [string, string, number, number, number, number]
  const lock = new Lock(transaction, key, owner, channel)
  const { fence, now, queue } = lock
  if (tombstoneMillis > 0) {
    fence.fields.set(tombstone + owner, String(now + tombstoneMillis))
    extendExpiry(fence, now + Math.max(day, tombstoneMillis))
    const { fields } = fence
    if (fields.size > Number(fields.get("n") ?? sweepFrom)) {
      let count = fields.size
      for (const [name, text] of fields) {
        if (name.startsWith(tombstone) && Number(text) <= now && fields.delete(name)) count--
      }
      fields.set("n", String(Math.max(sweepFrom, 2 * count)))
    }
  }
  const member = waiterOf(channel, weight, owner)
  if (member !== undefined) queue.members.assign(new Map([[member, undefined]]))
  lock.wake(limit, undefined)
  lock.own = undefined
  lock.write()
  return lock.hasWoken ? 1 : 0
}

/** @internal */
export const onLock = (transaction: Transaction, { args, key, op }: Instruction): Result => {
  if (op === Op.acquire) return acquire(transaction, key, args)
  if (op === Op.release) return release(transaction, key, args)
  const owner = args[0] as string
  const hash = transaction.store.hash(key, transaction.millis) ?? failWrongType("")
  const holder = parse(hash.fields.get(owner) ?? "")
  const isHeld = holder !== undefined && holder.expiry > transaction.millis && holder.token !== "0"
  if (op === Op.holds) return isHeld ? 1 : fail({ _tag: "lost" })
  if (!isHeld) return 0
  const expiry = transaction.millis + (args[1] as number)
  hash.fields.set(owner, textOf({ ...holder, expiry }))
  extendExpiry(hash, expiry)
  return 1
}
