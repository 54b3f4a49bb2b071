/**
 * Deduplication: a program runs at most once, however often it is sent. A dedup record, in the slot of the program's data, keeps
 * its outcome, and every attempt looks there first. A tombstone in place of an outcome forbids the program.
 */
import { createHash, randomFillSync } from "node:crypto"
import { keylessTag, recordKeyOf, tagOf } from "../instruction/dedup.ts"
import { type Argument, isRepeatable, type Program } from "../instruction/program.ts"

/**
 * Keeps the outcomes of the programs of one call, or the outcome of one program with an idempotency key.
 *
 * @internal
 */
export interface DedupRecord {
  /** The key of the hash, without the prefix. */
  readonly key: string
  /** The hash's field: a random text that is new for each call. */
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

const tokenBytes = 16
/** Random bytes for many tokens at a time, because asking for them costs more than a token. */
const pool = Buffer.alloc(tokenBytes * 256)
let used = pool.length

/** Returns a token of 22 characters, and one of its random bytes. */
const makeToken = (): readonly [token: string, byte: number] => {
  if (used === pool.length) {
    randomFillSync(pool)
    used = 0
  }
  const token = pool.toString("base64url", used, used + tokenBytes)
  const byte = pool[used]!
  used += tokenBytes
  return [token, byte]
}

const digestOf = (text: string): string => createHash("sha256").update(text).digest("base64url")

const withIdempotencyKey = (program: Program): Dedup | undefined => {
  if (program.idempotency === undefined) return undefined
  const { identity, keepFor, key } = program.idempotency
  return { record: { key: recordKeyOf(program, key), token: makeToken()[0], keepFor }, index: digestOf(identity) }
}

/**
 * The number of hashes over which the records of a window are spread (on a cluster: for each tag), because deleting one huge hash
 * when it expires stalls a server.
 */
const parts = { cluster: 16, single: 256 }

/**
 * Returns a function that assigns a place in a record to each program of one call, before its first attempt: every attempt must
 * look at the same key. The programs share a token, so that one look-up finds all of their outcomes.
 *
 * @param window milliseconds that one generation of records covers. Undefined: only programs with an idempotency key are
 * deduplicated.
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
 * How the script uses the record. `first` and `retry`: it runs the program unless the outcome is known. A `retry` that fails also
 * leaves a tombstone, because an earlier transmission may arrive later. `tombstone`: it writes a tombstone unless the outcome is
 * known, and replies with the outcome.
 *
 * @internal
 */
export const Mode = { first: 0, retry: 1, tombstone: 2 } as const

/**
 * Writes the header of each deduplicated program into the code of a batch, before its instructions: `-1, key, token, mode,
 * milliseconds, index`, or `-2` if the record and the mode are those of the last header and the index is the next one.
 *
 * @internal
 */
export class DedupEncoder {
  readonly code: Array<Argument>
  readonly keys: Array<string>
  readonly keyPrefix: string
  private readonly keyIndices = new Map<string, number>()
  private lastRecord: DedupRecord | undefined = undefined
  private lastMode: number | undefined = undefined
  /** The index for which `-2` is enough. */
  private nextIndex = 0

  constructor(code: Array<Argument>, keys: Array<string>, keyPrefix: string) {
    this.code = code
    this.keys = keys
    this.keyPrefix = keyPrefix
  }

  push({ index, record }: Dedup, mode: number): void {
    if (index === this.nextIndex && record === this.lastRecord && mode === this.lastMode) {
      this.nextIndex++
      this.code.push(-2)
      return
    }
    const { keepFor, key, token } = record
    const keyIndex = this.keyIndices.get(key) ?? this.keys.push(this.keyPrefix + key)
    this.keyIndices.set(key, keyIndex)
    this.code.push(-1, keyIndex, token, mode, keepFor, index)
    this.lastRecord = record
    this.nextIndex = typeof index === "number" ? index + 1 : 0
    this.lastMode = mode
  }
}
