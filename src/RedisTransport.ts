/**
 * The small interface under the live layers, and the only part that touches a client. A transport carries a call to the
 * server and returns its reply. Deadlines, retries and the meaning of a reply are those of `RedisService`.
 *
 * @stability unstable
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"

/**
 * One script call.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Call {
  /** `EVAL` takes the text of a script, `EVALSHA` its digest. `_RO` runs it without the right to write. */
  readonly command: "EVAL" | "EVALSHA" | "EVAL_RO" | "EVALSHA_RO"
  /** The text of the script, or its digest. */
  readonly script: string
  /** The keys, in order. */
  readonly keys: ReadonlyArray<string>
  /** The only argument. */
  readonly argument: string
  /**
   * The node of a cluster, or the replica, that the call is for. Then the keys may be in several of its slots: they are sent as arguments
   * before `argument`, and none is declared. Unset: the keys are declared, and decide which node it is for.
   */
  readonly node?: string | undefined
  /** Wait, after the reply, until replicas have what the call has written. Unset: do not wait. */
  readonly replication?: Replication | undefined
}

/**
 * How many replicas must have a copy of what was written.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Replication {
  /** The number of replicas: at least 1. */
  readonly count: number
  /** How long to wait for them, in milliseconds. */
  readonly timeout: number
  /**
   * A key that may be written in order to wait, because a server waits only for what the same connection has written. It is in a slot of the
   * call, and nothing else uses it.
   */
  readonly key: string
}

/**
 * The reply of the server: a text, or the unchanged message of an error.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export type ServerReply =
  | {
    readonly _tag: "Text"
    readonly text: string
    /** How many replicas are known to have a copy, if the call waited for them. */
    readonly replicas?: number | undefined
  }
  | { readonly _tag: "Error"; readonly message: string }

/**
 * No reply arrived. `outcome` is `NotSent` only if it is certain that nothing was sent to the server, and `Unknown`
 * otherwise. With `NotSent`, `refusal` is the unchanged message with which the server refused the connection. Without a
 * refusal, `address` and `code` say where the server was expected, and why there is no connection; neither must hold a
 * secret.
 *
 * @stability unstable
 * @category errors
 * @since 0.1.0
 */
export class TransportError extends Schema.TaggedError<TransportError>("redlayer/TransportError")("TransportError", {
  outcome: Schema.Literals(["NotSent", "Unknown"]),
  refusal: Schema.optionalKey(Schema.String),
  address: Schema.optionalKey(Schema.String),
  code: Schema.optionalKey(Schema.String)
}) {
  override get message(): string {
    return this.outcome === "NotSent" ? "Nothing was sent" : "Sent, and no reply"
  }
}

/**
 * The events of a subscription, in order.
 *
 * **Details**
 *
 * - `Subscribed`: the server has confirmed the subscription, and messages published from now on arrive. It is repeated
 *   after every broken connection, before the first message of the new one. Messages in between may be lost.
 * - `Message`: a message.
 * - `Refused`: the unchanged message with which the server refused the connection or the subscription. It may be
 *   transient, and the transport keeps trying.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export type ChannelEvent =
  | { readonly _tag: "Subscribed" }
  | { readonly _tag: "Message"; readonly text: string }
  | { readonly _tag: "Refused"; readonly message: string }

/**
 * One page of a scan.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Page {
  /** Where the page begins: `"0"`, or the cursor of the page before it. */
  readonly cursor: string
  /** The pattern of the keys, as of Redis's command `SCAN`. */
  readonly match: string
  /** About how many keys of the database the server looks at, whether they match or not. */
  readonly count: number
}

/**
 * The reply to a page of a scan: the cursor of the next page, `"0"` after the last one, and the keys that match; or the
 * unchanged message of an error.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export type PageReply =
  | { readonly _tag: "Page"; readonly cursor: string; readonly keys: ReadonlyArray<string> }
  | { readonly _tag: "Error"; readonly message: string }

/**
 * The address of the server, for spans, and its database, for channels.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface ServerAddress {
  /** The host name, the address, or the path of a socket. */
  readonly address: string
  /** The port. Unset for a socket. */
  readonly port?: number | undefined
  /** The number of the database. Channels contain it if it is not 0, because a server has the same channels for all databases. */
  readonly database?: number | undefined
}

/**
 * The nodes of a cluster. A node has a name, for example its address.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface ClusterNodes {
  /** The primary that has the slot, as far as is known. */
  readonly of: (slot: number) => string | undefined
  /**
   * Ends when there is a connection to the node of the call. It may wait for ever, and it may fail each time that this
   * connection fails or is refused, as `ready` of the transport.
   */
  readonly ready: (call: Call) => Effect.Effect<void, TransportError>
  /** A reply contradicts what is known: the transport asks the cluster soon which node has which slot. */
  readonly suspect: () => void
}

/**
 * A connection to a server.
 *
 * @stability unstable
 * @category services
 * @since 0.1.0
 */
export class RedisTransport extends Context.Service<RedisTransport, {
  /**
   * Sends one call, now or not at all, and never again by itself. An interrupted call may have been sent. A server that
   * replies `READONLY` or `MASTERDOWN` is a replica: a transport that connects by name should leave it, and connect anew
   * before it sends the next call.
   */
  readonly evaluate: (call: Call) => Effect.Effect<ServerReply, TransportError>
  /**
   * Ends when there is a connection to send on. It may wait for ever, and it may fail each time that a connection fails
   * or is refused, which may be transient: the caller decides whether to wait further.
   */
  readonly ready: Effect.Effect<void, TransportError>
  /**
   * Subscribes to a channel until the scope closes, and reconnects after a broken connection. It ends at once:
   * `listener` receives `Subscribed` when the server has confirmed. Several subscriptions may exist at a time, also to
   * one channel. The transport must notice a connection that stays silent. Unset: `Topic.subscribe` fails with
   * `Unsupported`.
   */
  readonly subscribe?:
    | ((channel: string, listener: (event: ChannelEvent) => void) => Effect.Effect<void, never, Scope.Scope>)
    | undefined
  /**
   * Reads one page of the keys of the database, as the command `SCAN` does. A transport over a cluster goes through all
   * its nodes, and keeps the node in the cursor. Unset: `stream` and `count` of a model fail with `Unsupported`.
   */
  readonly scan?: ((page: Page) => Effect.Effect<PageReply, TransportError>) | undefined
  /**
   * Set by a transport over a cluster: it follows `MOVED` and `ASK` itself, and calls for a node go there. Unset: there is one
   * server.
   */
  readonly cluster?: ClusterNodes | undefined
  /**
   * Whether `evaluate` honours `replication`. The replicas that it counts must be those of the server that ran the call: one that
   * took its place since then may not have what was written. Unset: programs that wait for replicas fail with `Unsupported`.
   */
  readonly waitsForReplicas?: boolean | undefined
  /**
   * The replica that a program which only reads shall be sent to, as the `node` of its call. Undefined: the primary. Unset: all calls
   * go to primaries.
   */
  readonly readerOf?: ((slot: number) => string | undefined) | undefined
  /** Unset: spans do not contain the address of the server, and channels are those of database 0. */
  readonly server?: ServerAddress | undefined
}>()("redlayer/RedisTransport") {}
