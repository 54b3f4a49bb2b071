/**
 * The one error between the caller and the server. Its `reason` says what happened, whether the program was applied,
 * and whether it may be retried. No message, key or value of the server or of the client is attached.
 *
 * @stability unstable
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"

const TypeId = "~redlayer/RedisServiceError"

/**
 * There was no connection before the deadline, or too many programs were waiting already. The program was never sent,
 * or it is certain that it never ran and never will. Nothing was applied.
 *
 * **Details**
 *
 * - `address`: where the server was expected, such as `127.0.0.1:6379`, or the path of a socket. Unset if it is not
 *   known.
 * - `code`: why there is no connection. It is the code of Node.js, such as `ECONNREFUSED`, `ENOTFOUND`, `ECONNRESET`,
 *   `ETIMEDOUT` or one of TLS; `CREDENTIALS` if the effect of the option `credentials` failed; `MAXIMUM_WAITING` if too
 *   many programs were waiting; `DEADLINE` if the program was not sent before its deadline, although no attempt to
 *   connect has failed; `CLOSED` if the layer is closed. Unset if it is not known.
 *
 * @stability unstable
 * @category reasons
 * @since 0.1.0
 */
export class ConnectionUnavailable
  extends Schema.TaggedError<ConnectionUnavailable>("redlayer/ConnectionUnavailable")("ConnectionUnavailable", {
    address: Schema.optionalKey(Schema.String),
    code: Schema.optionalKey(Schema.String)
  })
{
  readonly isRetryable = true
  readonly applied = false
  override get message(): string {
    const { address = "the server", code } = this
    switch (code) {
      case "CLOSED":
        return "The layer is closed; nothing was applied"
      case "MAXIMUM_WAITING":
        return "Too many programs wait for an answer (option `maximumWaiting`); nothing was applied"
      case "DEADLINE":
        return "The program was not sent before its deadline; nothing was applied"
      case "CREDENTIALS":
        return `No connection to ${address}: the effect of the option \`credentials\` failed; nothing was applied`
    }
    return `No connection to ${address}${code === undefined ? "" : `: ${code}`}; nothing was applied`
  }
}

/**
 * The server refused for now. `code` is the server's own word, such as `LOADING`, `BUSY` or `CLUSTERDOWN`. With
 * `READONLY` or `MASTERDOWN` it is a replica: the layer has left it, and every connection until the deadline led to
 * one. Nothing was applied.
 *
 * @stability unstable
 * @category reasons
 * @since 0.1.0
 */
export class ServerUnavailable
  extends Schema.TaggedError<ServerUnavailable>("redlayer/ServerUnavailable")("ServerUnavailable", {
    code: Schema.String
  })
{
  readonly isRetryable = true
  readonly applied = false
  override get message(): string {
    return this.code === "READONLY" || this.code === "MASTERDOWN"
      ? `The server refused for now: ${this.code}. It is a replica; connect to the primary, by a name that follows it`
      : `The server refused for now: ${this.code}`
  }
}

/**
 * The program was sent, and no reply arrived. It may have been applied, or may yet be. `applied` is true if it was
 * applied, once, and only its result is lost.
 *
 * @stability unstable
 * @category reasons
 * @since 0.1.0
 */
export class OutcomeUnknown extends Schema.TaggedError<OutcomeUnknown>("redlayer/OutcomeUnknown")("OutcomeUnknown", {
  applied: Schema.Union([Schema.Literal("unknown"), Schema.Literal(true)]).pipe(
    Schema.withConstructorDefault(Effect.succeed("unknown" as const))
  )
}) {
  readonly isRetryable = false
  override get message(): string {
    return this.applied === true
      ? "The program was applied; its result is not known"
      : "Sent, and no reply: the program may have been applied"
  }
}

/**
 * The program was applied, and fewer replicas than `waitReplicas` demands are known to have a copy: a failover may lose it.
 * `required` is what was demanded, `confirmed` how many have a copy. Do not repeat the program; if it must not be lost, read
 * what it wrote, later.
 *
 * @stability unstable
 * @category reasons
 * @since 0.1.0
 */
export class NotEnoughReplicas
  extends Schema.TaggedError<NotEnoughReplicas>("redlayer/NotEnoughReplicas")("NotEnoughReplicas", {
    required: Schema.Int,
    confirmed: Schema.Int
  })
{
  readonly isRetryable = false
  readonly applied = true
  override get message(): string {
    return `The program was applied; ${this.confirmed} of ${this.required} replicas are known to have a copy`
  }
}

/**
 * The server has reached its `maxmemory`. Nothing was applied.
 *
 * @stability unstable
 * @category reasons
 * @since 0.1.0
 */
export class OutOfMemory extends Schema.TaggedError<OutOfMemory>("redlayer/OutOfMemory")("OutOfMemory", {}) {
  readonly isRetryable = false
  readonly applied = false
  override get message(): string {
    return "The server is out of memory"
  }
}

/**
 * The credentials, or the rights of the user, are not enough. `code` is `NOAUTH`, `WRONGPASS`, `NOPERM`, or the
 * `DENIED` of a protected server. Nothing was applied.
 *
 * **Details**
 *
 * With `NOPERM` the other fields name what the user lacks, as far as the server says it. All of them are in the message.
 *
 * - `commands`: the commands, such as `ZADD`. When a layer starts, all of them.
 * - `prefix`: the beginning of the keys that the user may not read and write. Only when a layer starts.
 * - `channel`: the channels, as a pattern such as `app:$topic:*`.
 *
 * @stability unstable
 * @category reasons
 * @since 0.1.0
 */
export class AccessDenied extends Schema.TaggedError<AccessDenied>("redlayer/AccessDenied")("AccessDenied", {
  code: Schema.String,
  commands: Schema.optionalKey(Schema.Array(Schema.String)),
  prefix: Schema.optionalKey(Schema.String),
  channel: Schema.optionalKey(Schema.String)
}) {
  readonly isRetryable = false
  readonly applied = false
  override get message(): string {
    const { channel, code, commands = [], prefix } = this
    const missing = [
      ...(commands.length === 0 ? [] : [`the user may not run ${commands.join(", ")}`]),
      ...(prefix === undefined ? [] : [`the user may not read and write the keys ${prefix}*`]),
      ...(channel === undefined ? [] : [`the user may not use the channels ${channel}`])
    ]
    return [`The server denied access: ${code}`, ...missing].join("; ")
  }
}

/**
 * The keys of a program are in several slots of a cluster. Nothing was sent.
 *
 * @stability unstable
 * @category reasons
 * @since 0.1.0
 */
export class CrossSlot
  extends Schema.TaggedError<CrossSlot>("redlayer/CrossSlot")("CrossSlot", { keys: Schema.Array(Schema.String) })
{
  readonly isRetryable = false
  readonly applied = false
  override get message(): string {
    return "The keys of the program are in several slots of the cluster"
  }
}

/**
 * A key, also one of an index, or a stored text, is not of the kind that is expected; or with `isMissing`, nothing is stored for a field that a read
 * requires. The program was undone, unless it had succeeded and only its
 * result cannot be read: then `applied` is true if it wrote.
 *
 * @stability unstable
 * @category reasons
 * @since 0.1.0
 */
export class WrongType extends Schema.TaggedError<WrongType>("redlayer/WrongType")("WrongType", {
  model: Schema.String,
  id: Schema.String,
  key: Schema.String,
  field: Schema.String,
  applied: Schema.Boolean,
  isMissing: Schema.optionalKey(Schema.Boolean)
}) {
  readonly isRetryable = false
  override get message(): string {
    const name = `${this.model}${this.field === "" ? "" : `.${this.field}`}`
    return this.isMissing === true ? `Nothing is stored for ${name}` : `What is stored for ${name} is of another kind`
  }
}

/**
 * An option of a layer, of a subscription or of an operation on many entities is invalid: `option` names it, such as
 * `deadline`, `batch.programs` or the variable `REDIS_URL`, and `issue` says what is expected. Nothing was sent.
 *
 * @stability unstable
 * @category reasons
 * @since 0.1.0
 */
export class InvalidOption extends Schema.TaggedError<InvalidOption>("redlayer/InvalidOption")("InvalidOption", {
  option: Schema.String,
  issue: Schema.String
}) {
  readonly isRetryable = false
  readonly applied = false
  override get message(): string {
    return `Option \`${this.option}\`: ${this.issue}`
  }
}

/**
 * The server cannot be used: it is too old, or lacks something that is required.
 *
 * @stability unstable
 * @category reasons
 * @since 0.1.0
 */
export class Unsupported
  extends Schema.TaggedError<Unsupported>("redlayer/Unsupported")("Unsupported", { requirement: Schema.String })
{
  readonly isRetryable = false
  readonly applied = false
  override get message(): string {
    return `The server can't be used: ${this.requirement}`
  }
}

/**
 * An unforeseen failure. `code` is the first word of the server's message. `applied` is false if the program was
 * undone.
 *
 * @stability unstable
 * @category reasons
 * @since 0.1.0
 */
export class ScriptFailed extends Schema.TaggedError<ScriptFailed>("redlayer/ScriptFailed")("ScriptFailed", {
  code: Schema.String,
  applied: Schema.Union([Schema.Literal(false), Schema.Literal("unknown")])
}) {
  readonly isRetryable = false
  override get message(): string {
    return `The server stopped the program: ${this.code}`
  }
}

/**
 * Why a program failed between the caller and the server.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export type RedisServiceErrorReason =
  | ConnectionUnavailable
  | ServerUnavailable
  | OutcomeUnknown
  | NotEnoughReplicas
  | OutOfMemory
  | AccessDenied
  | CrossSlot
  | WrongType
  | Unsupported
  | InvalidOption
  | ScriptFailed

/**
 * The error of every program, beside its domain errors. `Effect.catchReason("RedisServiceError", "OutOfMemory", …)`
 * handles one reason.
 *
 * @stability unstable
 * @category errors
 * @since 0.1.0
 */
export class RedisServiceError
  extends Schema.TaggedError<RedisServiceError>("redlayer/RedisServiceError")("RedisServiceError", {
    reason: Schema.Union([
      ConnectionUnavailable,
      ServerUnavailable,
      OutcomeUnknown,
      NotEnoughReplicas,
      OutOfMemory,
      AccessDenied,
      CrossSlot,
      WrongType,
      Unsupported,
      InvalidOption,
      ScriptFailed
    ])
  })
{
  readonly [TypeId] = TypeId
  override get message(): string {
    return this.reason.message
  }
  /** Whether the same program may be sent again without the danger of applying it twice. */
  get isRetryable(): boolean {
    return this.reason.isRetryable
  }
}

/**
 * Returns true if a value is a `RedisServiceError`.
 *
 * @stability unstable
 * @category guards
 * @since 0.1.0
 */
export const isRedisServiceError = (u: unknown): u is RedisServiceError => Predicate.hasProperty(u, TypeId)
