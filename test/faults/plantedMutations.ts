/**
 * Clients and scripts that are wrong on purpose. A proof of exactly once must find each of them.
 */
import { createHash } from "node:crypto"
import { settings } from "../../src/internal/redis/client/ioredis.ts"
import { type Script, scripts } from "../../src/internal/redis/scripts.ts"

/** Replacements in the script. Each text must stand in it once, or the mutation would change nothing. */
const changes = {
  /** outcomes under a token are not looked up */
  unchecked: [["not keptOutcomes[dedupIndex + 1]", "true"], ["stored = keptOutcomes[dedupIndex]", "stored = nil"]],
  /** outcomes are not saved */
  unwritten: [[`call("HSET", each.key, each.token, text)`, ""]],
  /** the user has no right to save outcomes */
  denied: [[`call("HSET", each.key, each.token`, `call("SETRANGE", each.key, "0"`]],
  /** a program that is given up gets no tombstone */
  withoutTombstones: [[
    `if digest then store(token, "cancelled") else keptOutcomes[dedupIndex] = TOMBSTONE end`,
    `if digest then store(token, "cancelled") end`
  ]]
} as const

/** `resent`: the client sends every call again that had no answer. */
export type Mutation = keyof typeof changes | "resent"

const changed = (script: Script, mutation: keyof typeof changes): Script => {
  let { text } = script
  for (const [from, to] of changes[mutation]) {
    if (text.split(from).length !== 2) throw new Error(`"${from}" must be in the script, and once`)
    text = text.replace(from, to)
  }
  return { ...script, text, sha: createHash("sha1").update(text).digest("hex") }
}

/** Makes all layers wrong that this process builds from now on. Call the returned function to end that. */
export const mutate = (mutation: Mutation | undefined): () => void => {
  const before = { settings: { ...settings }, scripts: { ...scripts } }
  if (mutation === "resent") {
    Object.assign(settings, { maxRetriesPerRequest: null } satisfies typeof settings)
  } else if (mutation !== undefined) {
    Object.assign(
      scripts,
      {
        allowOom: changed(scripts.allowOom, mutation),
        write: changed(scripts.write, mutation)
      } satisfies Partial<typeof scripts>
    )
  }
  return () => {
    Object.assign(settings, before.settings)
    Object.assign(scripts, before.scripts)
  }
}
