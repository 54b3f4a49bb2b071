/**
 * The small interface under the live layers, and the only thing that touches a client. A transport carries a call to the
 * server and brings its reply back; what the reply means, deadlines and everything else is `RedisService`'s.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"

/**
 * One script call.
 *
 * @category models
 * @since 0.1.0
 */
export interface Call {
  /** `EVAL` takes a script's text, `EVALSHA` its digest; `_RO` runs it without the right to write. */
  readonly command: "EVAL" | "EVALSHA" | "EVAL_RO" | "EVALSHA_RO"
  readonly script: string
  readonly keys: ReadonlyArray<string>
  readonly argument: string
}

/**
 * What the server said: a text, or an error with its message as it came.
 *
 * @category models
 * @since 0.1.0
 */
export type ServerReply =
  | { readonly _tag: "Text"; readonly text: string }
  | { readonly _tag: "Error"; readonly message: string }

/**
 * No reply. `NotSent` only where it is certain that nothing has left for the server; a transport that can't tell says
 * `Unknown`. With `NotSent`, `refusal` is what the server said when it refused the connection, as it came.
 *
 * @category errors
 * @since 0.1.0
 */
export class TransportError extends Schema.TaggedError<TransportError>("redlayer/TransportError")("TransportError", {
  outcome: Schema.Literals(["NotSent", "Unknown"]),
  refusal: Schema.optionalKey(Schema.String)
}) {
  override get message(): string {
    return this.outcome === "NotSent" ? "Nothing was sent" : "Sent, and no reply"
  }
}

/**
 * What a subscription tells of its channel, in order.
 *
 * **Details**
 *
 * - `Subscribed`: the server has confirmed it, and what is published from now on will be told. It is told again after each
 *   time that the connection broke, before the first message of the new one: between the two, messages may be lost.
 * - `Message`: what was published.
 * - `Refused`: what the server said when it refused the connection, or the subscription, as it came. It may be transient, and
 *   the transport goes on trying.
 *
 * @category models
 * @since 0.1.0
 */
export type ChannelEvent =
  | { readonly _tag: "Subscribed" }
  | { readonly _tag: "Message"; readonly text: string }
  | { readonly _tag: "Refused"; readonly message: string }

/**
 * Where the calls of a transport go, as its spans show it.
 *
 * @category models
 * @since 0.1.0
 */
export interface ServerAddress {
  /** The name of the host, its address, or the path of a socket. */
  readonly address: string
  readonly port?: number | undefined
  /** The number of the database. */
  readonly database?: number | undefined
}

/**
 * A way to a server.
 *
 * @category services
 * @since 0.1.0
 */
export class RedisTransport extends Context.Service<RedisTransport, {
  /**
   * Sends one call, at once or not at all, and never again by itself. Interrupted, it may have been sent.
   */
  readonly evaluate: (call: Call) => Effect.Effect<ServerReply, TransportError>
  /**
   * Ends when there is a connection to send on. It may wait for ever, and it may fail each time that the server refuses a
   * connection, which may be transient: whether to go on waiting is the caller's to say.
   */
  readonly ready: Effect.Effect<void, TransportError>
  /**
   * Subscribes to a channel until the scope closes, and connects again whenever the connection breaks. It ends at once:
   * `listener` is told when the server has confirmed. There may be several at a time, also of one channel. It is the transport
   * that notices a connection on which nothing comes any more. Without it, `Topic.subscribe` fails with `Unsupported`.
   */
  readonly subscribe?:
    | ((channel: string, listener: (event: ChannelEvent) => void) => Effect.Effect<void, never, Scope.Scope>)
    | undefined
  /** For telemetry only: without it, spans don't say where the server is. */
  readonly server?: ServerAddress | undefined
}>()("redlayer/RedisTransport") {}
