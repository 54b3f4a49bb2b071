import { createHash } from "node:crypto"
import type { Access } from "../program/instruction.ts"
import { lua } from "./lua.generated.ts"

/** @internal */
export interface Script {
  readonly text: string
  readonly sha: string
  readonly readOnly: boolean
}

const script = (flags: string, writes: boolean): Script => {
  const text = `#!lua${flags}\nlocal WRITES = ${writes}\n${lua}`
  return { text, sha: createHash("sha1").update(text).digest("hex"), readOnly: !writes }
}

/**
 * One text, three headers: the flags are part of it, and a server out of memory refuses even `DEL` without `allow-oom`.
 *
 * @internal
 */
export const scripts: { readonly [A in Access]: Script } = {
  read: script(" flags=no-writes", false),
  free: script(" flags=allow-oom", true),
  write: script("", true)
}
