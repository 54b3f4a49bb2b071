/**
 * Locks, entry by entry the same as on the server. lock.lua explains the protocol.
 */
import { Op } from "../instruction/ops.ts"
import type { Instruction } from "../instruction/program.ts"
import type { Result } from "../instruction/reply.ts"
import { SortedSet } from "./scoredMembers.ts"
import { mistyped, stop } from "./stop.ts"
import type { Entry, Hash, Scored, Store } from "./store.ts"
import type { Transaction } from "./transaction.ts"

/** Milliseconds of a day. */
const day = 86_400_000
/** Milliseconds for which a woken waiter's reservation holds. */
const coming = 250
/** The number of tombstones from which old ones are swept, each time that their number has doubled. */
const many = 32

interface Holder {
  readonly till: number
  readonly weight: number
  readonly token: string
}

const parse = (text: string | undefined, now: number): Holder | undefined => {
  const [, till, weight, token] = /^(\d+) (\d+) (\d+)$/.exec(text ?? "") ?? []
  return till !== undefined && Number(till) > now
    ? { till: Number(till), weight: Number(weight), token: token! }
    : undefined
}

const textOf = ({ till, token, weight }: Holder): string => `${till} ${weight} ${token}`

const keepUntil = (entry: Entry, till: number): void => {
  if (entry.expiresAt === undefined || entry.expiresAt < till) entry.expiresAt = till
}

const put = (store: Store, key: string, entry: Entry, size: number): void => {
  if (size === 0) store.entries.delete(key)
  else store.entries.set(key, entry)
}

class Lock {
  readonly run: Transaction
  readonly key: string
  readonly owner: string
  readonly now: number
  readonly hash: Hash
  readonly fence: Hash
  readonly queue: Scored
  /** The holders, except the owner of this request, whose lease has not ended. */
  readonly holders = new Map<string, Holder>()
  mine: Holder | undefined

  constructor(run: Transaction, key: string, owner: string) {
    this.run = run
    this.owner = owner
    this.key = key
    this.now = run.millis
    const { store } = run
    this.hash = store.hash(key, this.now) ?? mistyped("")
    this.fence = store.hash(`${key}:$fence`, this.now) ?? mistyped("")
    const queue = store.get(`${key}:$queue`, this.now) ??
      { _tag: "zset", scored: new SortedSet(), expiresAt: undefined }
    this.queue = queue._tag === "zset" ? queue : mistyped("")
    for (const [name, text] of this.hash.fields) {
      const holder = parse(text, this.now)
      if (name === owner) this.mine = holder
      else if (holder !== undefined) this.holders.set(name, holder)
    }
  }

  get used(): number {
    let used = 0
    for (const { weight } of this.holders.values()) used += weight
    return used
  }

  get soonest(): number | undefined {
    return this.holders.size === 0 ? undefined : Math.min(...[...this.holders.values()].map(({ till }) => till))
  }

  /**
   * Wakes waiters in arrival order while capacity lasts. Returns the first one that does not fit, or `member` once it
   * is at the head. A waiter that does not fit blocks those behind it, unless it has disconnected.
   */
  wake(limit: number, member: string | undefined): string | undefined {
    const { holders, now, queue: { scored }, run } = this
    for (;;) {
      const head = scored.ranked[0]
      if (head === undefined || head === member) return head
      const [, weight, channel, owner] = /^(\d+) (.*) (\S+)$/s.exec(head) ?? []
      const isThere = channel !== undefined && run.store.listeners.has(channel)
      const fits = this.used + Number(weight) <= limit
      if (weight !== undefined && !fits && (this.used >= limit || isThere)) return head
      scored.assign(new Map([[head, undefined]]))
      if (!fits || !isThere) continue
      run.publish(channel, owner!)
      holders.set(owner!, { till: now + coming, weight: Number(weight), token: "0" })
    }
  }

  write(): void {
    const { fence, hash, holders, key, mine, owner, queue, run: { store } } = this
    hash.fields.clear()
    if (mine !== undefined) hash.fields.set(owner, textOf(mine))
    hash.expiresAt = mine?.till
    for (const [name, holder] of holders) {
      hash.fields.set(name, textOf(holder))
      keepUntil(hash, holder.till)
    }
    put(store, key, hash, hash.fields.size)
    put(store, `${key}:$fence`, fence, fence.fields.size)
    put(store, `${key}:$queue`, queue, queue.scored.size)
  }
}

const memberOf = (channel: string, weight: number, owner: string): string | undefined =>
  channel === "" ? undefined : `${weight} ${channel} ${owner}`

const acquire = (run: Transaction, key: string, args: ReadonlyArray<unknown>): Result => {
  const [channel, owner, lease, weight, limit, , pause] = args as [
    string,
    string,
    number,
    number,
    number,
    number,
    number
  ]
  const lock = new Lock(run, key, owner)
  const { fence, now, queue } = lock
  const member = memberOf(channel, weight, owner)
  if (Number(fence.fields.get(`~${owner}`) ?? 0) > now) return false
  if (lock.mine === undefined) {
    const first = lock.wake(limit, member)
    if (first !== undefined && first !== member || lock.used + weight > limit) {
      if (member !== undefined) {
        if (!queue.scored.scores.has(member)) queue.scored.assign(new Map([[member, run.now]]))
        keepUntil(queue, now + 3 * pause)
      }
      lock.write()
      const { soonest } = lock
      return soonest === undefined ? pause : Math.max(1, soonest - now)
    }
    if (first !== undefined) queue.scored.assign(new Map([[first, undefined]]))
  }
  let token = lock.mine?.token ?? "0"
  if (token === "0") {
    const last = fence.fields.get("t") ?? ""
    const before = /^\d{1,16}$/.test(last) ? Number(last) : 0
    token = String(Math.max(before, run.now) + 1)
    fence.fields.set("t", token)
    // a token is a time, so extending the key's life once a day is enough
    if (Math.floor(before / day / 1000) !== Math.floor(now / day)) keepUntil(fence, now + 2 * day)
  }
  lock.mine = { till: now + lease, weight, token }
  lock.write()
  return token
}

const release = (run: Transaction, key: string, args: ReadonlyArray<unknown>): Result => {
  const [channel, owner, weight, limit, , goneFor] = args as [string, string, number, number, number, number]
  const lock = new Lock(run, key, owner)
  const { fence, mine, now, queue } = lock
  if (goneFor > 0) {
    fence.fields.set(`~${owner}`, String(now + goneFor))
    keepUntil(fence, now + Math.max(day, goneFor))
    const { fields } = fence
    if (fields.size > Number(fields.get("n") ?? many)) {
      let count = fields.size
      for (const [name, text] of fields) {
        if (name.startsWith("~") && Number(text) <= now && fields.delete(name)) count--
      }
      fields.set("n", String(Math.max(many, 2 * count)))
    }
  }
  const member = memberOf(channel, weight, owner)
  if (member !== undefined) queue.scored.assign(new Map([[member, undefined]]))
  lock.wake(limit, undefined)
  lock.mine = undefined
  lock.write()
  return mine !== undefined && mine.token !== "0" ? 1 : 0
}

/** @internal */
export const onLock = (run: Transaction, { args, key, op }: Instruction): Result => {
  if (op === Op.acquire) return acquire(run, key, args)
  if (op === Op.release) return release(run, key, args)
  const owner = args[0] as string
  const hash = run.store.hash(key, run.millis) ?? mistyped("")
  const holder = parse(hash.fields.get(owner), run.millis)
  const isHeld = holder !== undefined && holder.token !== "0"
  if (op === Op.holds) return isHeld ? 1 : stop({ _tag: "lost" })
  if (!isHeld) return 0
  const till = run.millis + (args[1] as number)
  hash.fields.set(owner, textOf({ ...holder, till }))
  keepUntil(hash, till)
  return 1
}
