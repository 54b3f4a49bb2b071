/**
 * Loads the scripts on each node of a cluster when a layer starts. Without that the first call on each node would be refused, and sent
 * again with the text of its script. A node that joins or is promoted later learns them so, once.
 */
import * as Effect from "effect/Effect"
import type { Call, RedisTransport, ServerReply, TransportError } from "../../RedisTransport.ts"
import type { Access } from "../instruction/ops.ts"
import { slotOf } from "../instruction/slot.ts"
import { isNoScript } from "./classify.ts"
import { sampledKeys } from "./probe.ts"
import { nodeScripts, type Script, scripts } from "./scripts.ts"

/** The milliseconds that a start waits for nodes at most. Those that answer later get their programs all the same. */
const patience = 1000

const together = { concurrency: "unbounded", discard: true } as const

const accesses: ReadonlyArray<Access> = ["read", "allowOom", "write"]

/**
 * Never fails, because nothing depends on it.
 *
 * @param byNode whether calls are for a node, and not for a slot
 * @internal
 */
export const warmUp = (
  transport: RedisTransport["Service"],
  options: {
    readonly keyPrefix: string
    readonly deadline: number
    readonly readOnlyCommands: boolean
    readonly byNode: boolean
  }
): Effect.Effect<void> => {
  const { cluster } = transport
  if (cluster === undefined) return Effect.void
  const load = ({ readOnly, sha, text }: Script, node: string): Effect.Effect<ServerReply, TransportError> => {
    const suffix = readOnly && options.readOnlyCommands ? "_RO" : ""
    const call: Call = { command: `EVALSHA${suffix}`, script: sha, keys: [], argument: "[[],[]]", node }
    return Effect.flatMap(
      transport.evaluate(call),
      (reply) =>
        reply._tag === "Error" && isNoScript(reply.message)
          ? transport.evaluate({ ...call, command: `EVAL${suffix}`, script: text })
          : Effect.succeed(reply)
    )
  }
  const warm = new Set<string>()
  const loadAll = (node: string | undefined): Effect.Effect<void> => {
    if (node === undefined || warm.has(node)) return Effect.void
    warm.add(node)
    const all = options.byNode ? nodeScripts : scripts
    return Effect.forEach(accesses, (access) => Effect.ignore(load(all[access], node)), together)
  }
  const isReady = (key: string) =>
    Effect.ignore(cluster.ready({ command: "EVALSHA", script: "", keys: [key], argument: "" }))
  return Effect.all([
    Effect.forEach(new Set(Array.from({ length: 16_384 }, (_, slot) => cluster.of(slot))), loadAll, together),
    // some connections may not be there yet
    Effect.forEach(
      sampledKeys(options.keyPrefix),
      (key) => Effect.andThen(isReady(key), Effect.suspend(() => loadAll(cluster.of(slotOf(key))))),
      together
    )
  ], together).pipe(
    Effect.timeoutOption(Math.min(patience, options.deadline)),
    Effect.asVoid
  )
}
