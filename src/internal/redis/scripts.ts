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
 * One text, three headers: the flags are part of it, and a server out of memory refuses even `DEL` without `allow-oom`.
 *
 * @internal
 */
export const scripts: { readonly [A in Access]: Script } = {
  read: script(" flags=no-writes", true),
  allowOom: script(" flags=allow-oom", false),
  write: script("", false)
}
