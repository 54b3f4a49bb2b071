/**
 * Messages to the subscribers of the moment. Publishing is an `Atomic`: it happens with the writes of its program, or
 * not at all. A subscription is a stream that survives lost connections and reports gaps.
 *
 * @stability unstable
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Atomic } from "./Atomic.ts"
import type { InvalidValue } from "./DomainError.ts"
import type { NeedsService } from "./internal/model/options.ts"
import { integer, invalidOption } from "./internal/options.ts"
import { codecOf } from "./internal/schema/codecOf.ts"
import { checkSchema } from "./internal/schema/storable.ts"
import { RedisService } from "./internal/service.ts"
import { channelOf, publish } from "./internal/topic/publish.ts"
import { SubscriptionBuffer } from "./internal/topic/subscriptionBuffer.ts"
import type { RedisServiceError } from "./RedisServiceError.ts"

const isCount = integer(1)

/**
 * A message that was published.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Message<out A> {
  readonly _tag: "Message"
  /** The decoded message. */
  readonly value: A
}

/**
 * A gap: messages may be missing here, because the connection was lost for some time, or because the reader was too
 * slow and the oldest waiting messages were dropped. Read your data again.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Missed {
  readonly _tag: "Missed"
}

/**
 * A message that does not match the schema: `issue` says what was expected, and `field` names the part (empty: the
 * whole message).
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Undecodable {
  readonly _tag: "Undecodable"
  readonly field: string
  readonly issue: string
}

/**
 * An event of a subscription, in the order in which the server sent it.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export type Event<A> = Message<A> | Missed | Undecodable

/**
 * Options of a subscription.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface SubscribeOptions {
  /**
   * How many messages may wait for a slow reader, a positive integer. Default: 4,096. Beyond it the oldest are dropped, and the reader gets
   * a `Missed` in their place.
   */
  readonly bufferSize?: number | undefined
}

/**
 * A topic: a name, the schema of its messages, and how to publish and to subscribe.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Topic<S extends Schema.Constraint> {
  /** The name, which is part of the channel. */
  readonly name: string
  /** The schema of the messages. */
  readonly schema: S
  readonly publish: {
    /**
     * Sends a message to the current subscribers after the last instruction of its program has succeeded, in the order
     * of the program. Fails with `InvalidValue` if the message has no stored form. O(subscribers) on the server.
     */
    (message: S["Type"]): Atomic<void, InvalidValue>
  }
  readonly subscribe: {
    /**
     * Subscribes until the scope closes, and returns the stream of events. When this effect ends, the server has
     * confirmed the subscription: every later message is in the stream, or a `Missed` in its place.
     *
     * **When to use**
     *
     * Use if no message after a certain moment may be overlooked, such as before reading the data that the messages are
     * about. If the stream may subscribe when it runs use `events`.
     *
     * Fails with `ConnectionUnavailable` if there is no connection before the deadline of the layer, and with
     * `AccessDenied` if the user may not hear the channel; the stream fails in the same way if that right is withdrawn.
     * A lost connection does not end the stream. Closing the scope or the layer does.
     */
    (
      options?: SubscribeOptions
    ): Effect.Effect<Stream.Stream<Event<S["Type"]>, RedisServiceError>, RedisServiceError, RedisService | Scope.Scope>
  }
  readonly events: {
    /** Returns the events as one stream, which subscribes when it runs. Fails as `subscribe` does. */
    (options?: SubscribeOptions): Stream.Stream<Event<S["Type"]>, RedisServiceError, RedisService>
  }
  readonly messages: {
    /**
     * Returns the messages alone, as one stream, which subscribes when it runs. Gaps and undecodable messages are
     * skipped silently. Fails as `subscribe` does.
     */
    (options?: SubscribeOptions): Stream.Stream<S["Type"], RedisServiceError, RedisService>
  }
}

/**
 * Defines a topic by its name and the schema of its messages.
 *
 * **When to use**
 *
 * Use to notify other processes. Data that must not be lost belongs in an entity.
 *
 * **Details**
 *
 * A message is one text, in the same form as a field with the same schema. The channel is the layer's `keyPrefix`,
 * `$topic:` and the escaped name. Throws if the name is empty, ill-formed or begins with `$`, or if messages of the
 * schema can't be stored. A transformation must be synchronous and need no service.
 *
 * **Gotchas**
 *
 * Delivery is at most once: a process that is not connected when a message is sent never gets it.
 *
 * **Example** (Publishing a message with a write)
 *
 * ```ts run
 * import { Effect, Schema, Stream } from "effect"
 * import { Atomic, Model, RedisService, Topic } from "redlayer"
 *
 * const Account = Model.make("Account", {
 *   name: Schema.String,
 *   coins: Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))
 * }, { key: "name" })
 *
 * const Spent = Topic.make("spent", Schema.Struct({ name: Schema.String, coins: Schema.Int }))
 *
 * const spend = (name: string, coins: number) =>
 *   Account.ref(name).coins.decrement(coins).pipe(Atomic.andThen(Spent.publish({ name, coins })))
 *
 * const program = Effect.gen(function*() {
 *   yield* Account.insert({ name: "alice", coins: 10 })
 *   const events = yield* Spent.subscribe()
 *   yield* spend("alice", 7)
 *   // only three coins are left: nothing is written, and nothing published
 *   yield* Effect.flip(spend("alice", 7))
 *   yield* spend("alice", 3)
 *   return yield* events.pipe(
 *     Stream.map((event) => event._tag === "Message" ? event.value.coins : event._tag),
 *     Stream.take(2),
 *     Stream.runCollect
 *   )
 * })
 *
 * await Effect.runPromise(program.pipe(Effect.scoped, Effect.provide(RedisService.layerMemory))) // => [7, 3]
 * ```
 *
 * @stability unstable
 * @category constructors
 * @since 0.1.0
 */
export const make = <S extends Schema.Constraint>(
  name: string,
  schema:
    & S
    & (NeedsService<S> extends true ? "The schema of a message needs a service, and a message must not" : unknown)
): Topic<S> => {
  checkSchema(`Topic "${name}"`, schema)
  const topic = { name, schema, channel: channelOf(name), codec: codecOf(schema) }
  const subscribe: Topic<S>["subscribe"] = ({ bufferSize = 4096 } = {}) =>
    Effect.flatMap(RedisService, (service) => {
      const refusal = isCount(bufferSize, "bufferSize")
      if (refusal !== undefined) return Effect.fail(invalidOption(refusal))
      const buffer = new SubscriptionBuffer(topic.codec, bufferSize)
      return Effect.as(service.subscribe(topic.channel, buffer.add), buffer.stream)
    })
  const events: Topic<S>["events"] = (options) => Stream.unwrap(subscribe(options))
  return {
    name,
    schema,
    publish: (message) => publish(topic, message) as unknown as Atomic<void, InvalidValue>,
    subscribe,
    events,
    messages: (options) =>
      events(options).pipe(
        Stream.filter((event) => event._tag === "Message"),
        Stream.map(({ value }) => value)
      )
  }
}
