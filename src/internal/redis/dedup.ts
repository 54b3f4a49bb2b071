/**
 * Programs that happen once, however often they are sent: each has a token, and what became of it stands in the same slot as
 * its data.
 */
import { createHash, randomFillSync } from "node:crypto"
import { isRepeatable, type Program } from "../instruction/program.ts"
import { idempotentKey, noTag, tagOf } from "../instruction/slot.ts"
import type { Once, Place } from "./wire.ts"

const size = 16
const pool = Buffer.alloc(size * 256)
let used = pool.length

const makeToken = (): readonly [token: string, byte: number] => {
  if (used === pool.length) {
    randomFillSync(pool)
    used = 0
  }
  const token = pool.toString("base64url", used, used + size)
  const byte = pool[used]!
  used += size
  return [token, byte]
}

const digestOf = (text: string): string => createHash("sha256").update(text).digest("base64url")

const owned = (program: Program): Once | undefined => {
  if (program.idempotency === undefined) return undefined
  const { identity, keepFor, key } = program.idempotency
  return { place: { key: idempotentKey(program, key), token: makeToken()[0], keepFor }, which: digestOf(identity) }
}

/** The expiry of one huge hash would stall the server. On a cluster there are as many for each tag. */
const parts = { cluster: 16, alone: 256 }

/**
 * How the programs that are first sent in one call happen once. They share a token, so that what became of all of them is
 * looked up and written at once; fixed with it is where that stands, and every attempt looks there.
 *
 * @param window in milliseconds; undefined where only programs with a key of their caller happen once
 * @internal
 */
export const make = (window: number | undefined, isCluster: boolean): (program: Program) => Once | undefined => {
  if (window === undefined) return owned
  const [token, byte] = makeToken()
  const rest = `:$once:${Math.floor(Date.now() / window)}:${byte % (isCluster ? parts.cluster : parts.alone)}`
  const places = new Map<string, Place>()
  const placeOf = (tag: string): Place => {
    let place = places.get(tag)
    if (place === undefined) {
      place = { key: tag + rest, token, keepFor: 2 * window }
      places.set(tag, place)
    }
    return place
  }
  let count = 0
  return (program) =>
    owned(program) ??
      (isRepeatable(program) ? undefined : { place: placeOf(isCluster ? tagOf(program) : noTag), which: ++count })
}
