/**
 * Programs that happen once, however often they are sent: each has a token, and what became of it stands beside its data, in
 * the same slot.
 */
import { createHash, randomFillSync } from "node:crypto"
import type { Once } from "../program/encode.ts"
import { isReading, type Program } from "../program/instruction.ts"
import { idempotentKey, tagOf } from "../program/slot.ts"

const size = 16
const pool = Buffer.alloc(size * 256)
let used = pool.length

/** Fixed with the token is where it is kept: every attempt looks there. */
const makeToken = (): readonly [token: string, part: number] => {
  if (used === pool.length) {
    randomFillSync(pool)
    used = 0
  }
  const token = pool.toString("base64url", used, used + size)
  const part = pool[used]! & 15
  used += size
  return [token, part]
}

const digestOf = (text: string): string => createHash("sha256").update(text).digest("base64url")

/**
 * @param window in milliseconds; undefined where only programs with a key of their caller happen once
 * @internal
 */
export const onceOf = (program: Program, window: number | undefined): Once | undefined => {
  const { idempotency } = program
  if (idempotency !== undefined) {
    const { identity, keepFor, key } = idempotency
    return { key: idempotentKey(program, key), token: makeToken()[0], keepFor, digest: digestOf(identity) }
  }
  if (window === undefined || isReading(program)) return undefined
  const [token, part] = makeToken()
  return {
    key: `${tagOf(program)}:$once:${Math.floor(Date.now() / window)}:${part}`,
    token,
    keepFor: 2 * window,
    digest: undefined
  }
}
