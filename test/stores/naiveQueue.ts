/**
 * The promises of a queue, said in plain TypeScript: items, each with a place and a state, and no key of a server.
 */

export type State =
  | { readonly _tag: "ready" }
  | { readonly _tag: "delayed"; readonly until: number }
  | { readonly _tag: "claimed"; readonly by: NaiveClaim; until: number }
  | { readonly _tag: "completed"; readonly at: number }
  | { readonly _tag: "failed"; readonly at: number }

interface NaiveItem {
  readonly id: string
  readonly element: unknown
  readonly isCustomId: boolean
  place: number
  attempts: number
  state: State
}

export interface NaiveClaim {
  readonly id: string
  readonly attempts: number
  readonly element: unknown
}

export class NaiveQueue {
  readonly items = new Map<string, NaiveItem>()
  #place = 0

  offer(now: number, id: string, element: unknown, isCustomId: boolean, delay: number | undefined): void {
    if (this.items.has(id)) return
    const state: State = delay === undefined ? { _tag: "ready" } : { _tag: "delayed", until: now + delay }
    this.items.set(id, { id, element, isCustomId, place: ++this.#place, attempts: 0, state })
  }

  /** Takes the item with the first place of those that may be taken. */
  take(now: number, lease: number, maxAttempts: number): NaiveClaim | undefined {
    for (const item of this.items.values()) {
      const { state } = item
      if (state._tag === "delayed" && state.until <= now) item.state = { _tag: "ready" }
      if (state._tag === "claimed" && state.until <= now) {
        item.state = item.attempts >= maxAttempts ? { _tag: "failed", at: now } : { _tag: "ready" }
      }
    }
    const ready = [...this.items.values()].filter(({ state }) => state._tag === "ready").sort((a, b) =>
      a.place - b.place
    )
    for (const item of ready) {
      if (item.attempts >= maxAttempts) {
        item.state = { _tag: "failed", at: now }
        continue
      }
      item.attempts++
      const claim: NaiveClaim = { id: item.id, attempts: item.attempts, element: item.element }
      item.state = { _tag: "claimed", by: claim, until: now + lease }
      return claim
    }
  }

  #claimed(claim: NaiveClaim): NaiveItem | undefined {
    const item = this.items.get(claim.id)
    return item?.state._tag === "claimed" && item.state.by === claim ? item : undefined
  }

  renew(now: number, lease: number, claim: NaiveClaim): void {
    const item = this.#claimed(claim)
    if (item?.state._tag === "claimed") item.state.until = now + lease
  }

  complete(now: number, claim: NaiveClaim): void {
    const item = this.#claimed(claim)
    if (item === undefined) return
    // nobody can offer an id again that the queue has made up
    if (item.isCustomId) item.state = { _tag: "completed", at: now }
    else this.items.delete(claim.id)
  }

  fail(now: number, claim: NaiveClaim): void {
    const item = this.#claimed(claim)
    if (item !== undefined) item.state = { _tag: "failed", at: now }
  }

  retry(now: number, claim: NaiveClaim, delay: number): void {
    const item = this.#claimed(claim)
    if (item === undefined) return
    item.place = ++this.#place
    item.state = delay > 0 ? { _tag: "delayed", until: now + delay } : { _tag: "ready" }
  }

  release(claim: NaiveClaim): void {
    const item = this.#claimed(claim)
    if (item === undefined) return
    item.attempts--
    item.state = { _tag: "ready" }
  }

  cleanup(now: number, timeToLive: number, failedTimeToLive: number | undefined): void {
    for (const [id, { state }] of this.items) {
      if (state._tag === "completed" && state.at <= now - timeToLive) this.items.delete(id)
      if (failedTimeToLive !== undefined && state._tag === "failed" && state.at <= now - failedTimeToLive) {
        this.items.delete(id)
      }
    }
  }

  /** The ids by their state, sorted. */
  get ids(): { readonly [state: string]: ReadonlyArray<string> } {
    const all = {
      ready: [] as Array<string>,
      due: [] as Array<string>,
      completed: [] as Array<string>,
      failed: [] as Array<string>
    }
    for (const { id, state } of this.items.values()) {
      all[state._tag === "delayed" || state._tag === "claimed" ? "due" : state._tag].push(id)
    }
    for (const ids of Object.values(all)) ids.sort()
    return all
  }
}
