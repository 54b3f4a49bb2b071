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

const script = (flags: string, readOnly: boolean): Script => {
  const text = `#!lua${flags}\n${lua}`
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
