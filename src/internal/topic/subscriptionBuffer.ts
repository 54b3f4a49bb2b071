/**
 * The events that a subscription has received and its stream has not read yet. It is not the subscription: the service adds to
 * it, and readers take from it.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { RedisServiceError } from "../../RedisServiceError.ts"
import type { Codec } from "../schema/codec.ts"
import type { SubscriptionEvent } from "../service.ts"
import { Problem } from "../text/problem.ts"

type Event<A> =
  | { readonly _tag: "Message"; readonly value: A }
  | { readonly _tag: "Missed" }
  | { readonly _tag: "Undecodable"; readonly field: string; readonly issue: string }

const missed = { _tag: "Missed" } as const

/**
 * A full buffer drops its oldest text, and the next event that is read is `Missed`.
 *
 * @internal
 */
export class SubscriptionBuffer {
  readonly codec: Codec
  readonly capacity: number
  /** From `head` on: the text of a message, or undefined for a gap. */
  private items: Array<string | undefined> = []
  private head = 0
  private hasDropped = false
  private end: Effect.Effect<never, RedisServiceError | Cause.Done> | undefined = undefined
  /** Wake the readers that have read everything. */
  private readonly waiting = new Set<() => void>()

  constructor(codec: Codec, capacity: number) {
    this.codec = codec
    this.capacity = capacity
  }

  /** Adds an event. This is the listener of the subscription. */
  readonly add = (event: SubscriptionEvent): void => {
    if (this.end !== undefined) return
    switch (event._tag) {
      case "Message":
        this.push(event.text)
        break
      case "Missed":
        if (this.size === 0 || this.items[this.items.length - 1] !== undefined) this.push(undefined)
        break
      case "Ended":
        this.end = event.error === undefined ? Cause.done() : Effect.fail(event.error)
    }
    // Cleared before the calls, because a reader that finds nothing left adds itself again.
    const waiting = [...this.waiting]
    this.waiting.clear()
    for (const wake of waiting) wake()
  }

  get stream(): Stream.Stream<Event<unknown>, RedisServiceError> {
    return Stream.fromPull(Effect.succeed(this.pull))
  }

  private get size(): number {
    return this.items.length - this.head
  }

  private push(item: string | undefined): void {
    if (this.size === this.capacity) {
      this.items[this.head++] = undefined
      this.hasDropped = true
      this.compact()
    }
    this.items.push(item)
  }

  /** Runs only if more items are read than are left, so each message is moved about once, no matter how many are left. */
  private compact(): void {
    if (this.head * 2 <= this.items.length) return
    this.items = this.items.slice(this.head)
    this.head = 0
  }

  /** Takes one event at a time, so that a run of the stream that ends early takes nothing from the next run. */
  private take(): Event<unknown> | undefined {
    if (this.hasDropped) {
      this.hasDropped = false
      // One `Missed` stands for the dropped texts and for a gap that follows them.
      if (this.items[this.head] === undefined) this.head++
      return missed
    }
    if (this.size === 0) return undefined
    const text = this.items[this.head]
    this.items[this.head++] = undefined
    this.compact()
    return text === undefined ? missed : this.decode(text)
  }

  private decode(text: string): Event<unknown> {
    const value = this.codec.decode(text)
    return value instanceof Problem
      ? { _tag: "Undecodable", field: value.field, issue: value.issue }
      : { _tag: "Message", value }
  }

  private readonly pull: Effect.Effect<readonly [Event<unknown>], RedisServiceError | Cause.Done> = Effect.suspend(
    () => {
      const event = this.take()
      if (event !== undefined) return Effect.succeed([event] as const)
      return this.end ?? Effect.andThen(this.arrival, this.pull)
    }
  )

  private readonly arrival: Effect.Effect<void> = Effect.callback((resume) => {
    // The reader resumes in another turn, because the caller of `add` may be in the middle of a program.
    const wake = (): void => resume(Effect.yieldNow)
    this.waiting.add(wake)
    return Effect.sync(() => this.waiting.delete(wake))
  })
}
