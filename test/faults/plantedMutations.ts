/**
 * What a proof of exactly once must find out: a client, or a script, that is wrong on purpose.
 */
import { createHash } from "node:crypto"
import { settings } from "../../src/internal/redis/client/standalone.ts"
import { type Script, scripts } from "../../src/internal/redis/scripts.ts"

/** In the script, by what is wrong: each text is there once, or the mutation would be none. */
const changes = {
  /** tokens are not looked at */
  unchecked: [["not keptOutcomes[dedupIndex + 1]", "true"], ["stored = keptOutcomes[dedupIndex]", "stored = nil"]],
  /** tokens are not written */
  unwritten: [[`call("HSET", each.key, each.token, cjson.encode(all))`, ""]],
  /** what is given up is not forbidden */
  unsealed: [[
    `if digest then store(token, "cancelled") else keptOutcomes[dedupIndex] = TOMBSTONE end`,
    `if digest then store(token, "cancelled") end`
  ]]
} as const

/** `resent`: the client sends again what had no answer, whatever it is. */
export type Mutation = keyof typeof changes | "resent"

const changed = (script: Script, mutation: keyof typeof changes): Script => {
  let { text } = script
  for (const [from, to] of changes[mutation]) {
    if (text.split(from).length !== 2) throw new Error(`"${from}" must be in the script, and once`)
    text = text.replace(from, to)
  }
  return { ...script, text, sha: createHash("sha1").update(text).digest("hex") }
}

/** Makes all layers that are built from now on in this process wrong, until what it gives is called. */
export const mutate = (mutation: Mutation | undefined): () => void => {
  const before = { settings: { ...settings }, scripts: { ...scripts } }
  if (mutation === "resent") Object.assign(settings, { maxRetriesPerRequest: null })
  else if (mutation !== undefined) {
    Object.assign(scripts, { allowOom: changed(scripts.allowOom, mutation), write: changed(scripts.write, mutation) })
  }
  return () => {
    Object.assign(settings, before.settings)
    Object.assign(scripts, before.scripts)
  }
}
