/**
 * Deduplication: programs that run at most once, however often they are sent. The outcome of each is kept in a dedup record, in
 * the slot of the program's data, where every attempt looks first. A tombstone in place of an outcome forbids the program.
 */
import { createHash, randomFillSync } from "node:crypto"
import { keylessTag, recordKeyOf, tagOf } from "../instruction/dedup.ts"
import { type Argument, isRepeatable, type Program } from "../instruction/program.ts"

/**
 * Where the outcomes of a call's programs are kept; or the outcome of one program with an idempotency key.
 *
 * @internal
 */
export interface DedupRecord {
  /** The key of the hash, without the prefix. */
  readonly key: string
  readonly token: string
  /** Milliseconds for which the record is kept. */
  readonly keepFor: number
}

/**
 * The place of one program in a record.
 *
 * @internal
 */
export interface Dedup {
  readonly record: DedupRecord
  /** The position of the program, from 1 on. With an idempotency key: the digest of the program. */
  readonly index: number | string
}

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

const withIdempotencyKey = (program: Program): Dedup | undefined => {
  if (program.idempotency === undefined) return undefined
  const { identity, keepFor, key } = program.idempotency
  return { record: { key: recordKeyOf(program, key), token: makeToken()[0], keepFor }, index: digestOf(identity) }
}

/** Records are spread over this many hashes (on a cluster for each tag), because the expiry of one huge hash stalls a server. */
const parts = { cluster: 16, single: 256 }

/**
 * Assigns a place to each program that is first sent in one call. The programs share a token, so that one look-up finds all of
 * their outcomes. The record is fixed here, so that every attempt looks at the same key.
 *
 * @param window milliseconds; undefined: only programs with an idempotency key are deduplicated
 * @internal
 */
export const assigner = (window: number | undefined, isCluster: boolean): (program: Program) => Dedup | undefined => {
  if (window === undefined) return withIdempotencyKey
  const [token, byte] = makeToken()
  const suffix = `:$once:${Math.floor(Date.now() / window)}:${byte % (isCluster ? parts.cluster : parts.single)}`
  const records = new Map<string, DedupRecord>()
  const recordOf = (tag: string): DedupRecord => {
    let record = records.get(tag)
    if (record === undefined) {
      record = { key: tag + suffix, token, keepFor: 2 * window }
      records.set(tag, record)
    }
    return record
  }
  let count = 0
  return (program) =>
    withIdempotencyKey(program) ??
      (isRepeatable(program)
        ? undefined
        : { record: recordOf(isCluster ? tagOf(program) : keylessTag), index: ++count })
}

/**
 * What the script does with the record: run the program unless its outcome is known; the same for a program that was sent
 * before; or write a tombstone, and answer with the outcome.
 *
 * @internal
 */
export const Mode = { first: 0, again: 1, tombstone: 2 } as const

/**
 * Writes the header of each deduplicated program into the code of a batch, before its instructions: `-1, key, token, mode,
 * milliseconds, index`, or `-2` if it is the next of the same record.
 *
 * @internal
 */
export class DedupEncoder {
  readonly code: Array<Argument>
  readonly keys: Array<string>
  readonly keyPrefix: string
  private readonly keyIndices = new Map<string, number>()
  private last: DedupRecord | undefined = undefined
  private lastMode: number | undefined = undefined
  /** The index that may follow as `-2`. */
  private next = 0

  constructor(code: Array<Argument>, keys: Array<string>, keyPrefix: string) {
    this.code = code
    this.keys = keys
    this.keyPrefix = keyPrefix
  }

  push({ index, record }: Dedup, mode: number): void {
    if (index === this.next && record === this.last && mode === this.lastMode) {
      this.next++
      this.code.push(-2)
      return
    }
    const { keepFor, key, token } = record
    const keyIndex = this.keyIndices.get(key) ?? this.keys.push(this.keyPrefix + key)
    this.keyIndices.set(key, keyIndex)
    this.code.push(-1, keyIndex, token, mode, keepFor, index)
    this.last = record
    this.next = typeof index === "number" ? index + 1 : 0
    this.lastMode = mode
  }
}
