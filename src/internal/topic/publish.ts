/**
 * Messages: how they are published, and what waits of them for a stream that reads on.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { InvalidValue } from "../../DomainError.ts"
import type { RedisServiceError } from "../../RedisServiceError.ts"
import { Op } from "../instruction/ops.ts"
import { noSpec } from "../instruction/spec.ts"
import { Instruct, Invalid } from "../program/atomic.ts"
import type { AtomicNode } from "../program/node.ts"
import type { Codec } from "../schema/codec.ts"
import type { SubscriptionEvent } from "../service.ts"
import { escape } from "../text/escape.ts"
import { Problem } from "../text/problem.ts"

/**
 * The channel of a name: no two names share one, and none is the key of an entity.
 *
 * @internal
 */
export const channelOf = (name: string): string => {
  if (name === "" || !name.isWellFormed() || name.startsWith("$")) {
    throw new Error(`Topic "${name}": this name can't be a channel's`)
  }
  return `$topic:${escape(name)}`
}

const nothing = (): void => undefined

/** @internal */
export const publish = (
  topic: { readonly name: string; readonly schema: Schema.Constraint; readonly channel: string; readonly codec: Codec },
  message: unknown
): AtomicNode => {
  const place = { model: topic.name, id: "", key: "" }
  const text = topic.codec.encode(message)
  if (typeof text === "string") return new Instruct(Op.publish, place, noSpec, "", [topic.channel, text], nothing)
  // elsewhere than in a struct, the path in a message is made of its values
  const field = "fields" in topic.schema ? text.field : ""
  return new Invalid(new InvalidValue({ model: topic.name, id: "", field, issue: text.issue }))
}

type Event<A> =
  | { readonly _tag: "Message"; readonly value: A }
  | { readonly _tag: "Missed" }
  | { readonly _tag: "Undecodable"; readonly field: string; readonly issue: string }

const missed = { _tag: "Missed" } as const

/**
 * What was heard and not yet read. When it is full the oldest text goes, and what is read next says so.
 *
 * @internal
 */
export class Inbox {
  readonly codec: Codec
  readonly capacity: number
  /** from `head` on: texts, and undefined where some were missed */
  private items: Array<string | undefined> = []
  private head = 0
  private hasDropped = false
  private end: Effect.Effect<never, RedisServiceError | Cause.Done> | undefined = undefined
  private readonly waiting = new Set<() => void>()

  constructor(codec: Codec, capacity: number) {
    this.codec = codec
    this.capacity = capacity
  }

  readonly hear = (event: SubscriptionEvent): void => {
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
    // a reader that has read all waits again
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

  /** When more is read than waits: each message is moved once or so, however many wait. */
  private compact(): void {
    if (this.head * 2 <= this.items.length) return
    this.items = this.items.slice(this.head)
    this.head = 0
  }

  /** One by one, so that a run of the stream that ends early takes nothing from the next. */
  private take(): Event<unknown> | undefined {
    if (this.hasDropped) {
      this.hasDropped = false
      // it is enough to say so once
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
    // in another turn: whoever tells of a message may be in the middle of a program
    const wake = (): void => resume(Effect.yieldNow)
    this.waiting.add(wake)
    return Effect.sync(() => this.waiting.delete(wake))
  })
}
