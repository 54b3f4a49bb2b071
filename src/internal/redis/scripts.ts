/**
 * The Lua text with a header for each access, and the digest by which a server knows it.
 */
import { createHash } from "node:crypto"
import type { Access } from "../instruction/ops.ts"
import { lua } from "./lua.generated.ts"

/** @internal */
export interface Script {
  readonly text: string
  readonly sha: string
  readonly readOnly: boolean
}

const script = (flags: string, readOnly: boolean, prelude = ""): Script => {
  const text = `#!lua${flags}\n${prelude}${lua}`
  return { text, sha: createHash("sha1").update(text).digest("hex"), readOnly }
}

/**
 * One script for each access, because the flags stand in the text itself. Without `allow-oom` a server that is out of memory
 * refuses even `DEL`.
 *
 * @internal
 */
export const scripts: { readonly [A in Access]: Script } = {
  read: script(" flags=no-writes", true),
  allowOom: script(" flags=allow-oom", false),
  write: script("", false)
}

/** The keys are arguments before the last one, because the server takes declared keys of one slot only. */
const undeclared = "local KEYS, ARGV = ARGV, { table.remove(ARGV) }\n"

/**
 * The same for a call that is for one node of a cluster, with keys of any of its slots.
 *
 * @internal
 */
export const nodeScripts: { readonly [A in Access]: Script } = {
  read: script(" flags=no-writes,allow-cross-slot-keys", true, undeclared),
  allowOom: script(" flags=allow-oom,allow-cross-slot-keys", false, undeclared),
  write: script(" flags=allow-cross-slot-keys", false, undeclared)
}
