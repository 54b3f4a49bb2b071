/**
 * Publishing a message, as a node of a program, and the channel of a topic. `subscriptionBuffer.ts` is the other side.
 *
 * May import: text, instruction, service, schema, program, the errors.
 * Must not know: how a message travels, and who has subscribed.
 * Invariant: two topics never share a channel, and no channel is the key of an entity.
 */
import type * as Schema from "effect/Schema"
import { InvalidValue } from "../../DomainError.ts"
import { Op } from "../instruction/ops.ts"
import { noSpec } from "../instruction/spec.ts"
import { Instruct, Invalid } from "../program/atomic.ts"
import type { AtomicNode } from "../program/node.ts"
import type { Codec } from "../schema/codec.ts"
import { escape } from "../text/escape.ts"

/**
 * The channel of a topic, without the prefix of a layer. Throws if the name can't be one.
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
  // The path is reported for structs only, because in any other message it consists of the message's values.
  const field = "fields" in topic.schema ? text.field : ""
  return new Invalid(new InvalidValue({ model: topic.name, id: "", operation: "publish", field, issue: text.issue }))
}
