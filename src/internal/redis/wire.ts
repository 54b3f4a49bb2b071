/**
 * The wire format: the text of a batch, and of its reply. A batch is `[specs, code]`, or `[specs, code, bytes, database]` if the
 * greatest length of a value or the database is not the default. The code is flat, because `cjson` stops at a
 * depth of a thousand, and each specification is sent once. Keys and specifications are positions, from 1 on. Stored
 * values are texts, because `cjson` keeps only 14 digits of a number.
 *
 * | code of a program                           | meaning                                                              |
 * | ------------------------------------------- | -------------------------------------------------------------------- |
 * | `-1, key, token, mode, milliseconds, index` | The program is deduplicated by this record. See dedup.ts.            |
 * | `-2`                                        | The program is deduplicated by the same record, at the next index.   |
 * | `-3, programs, stride, arguments`           | The next program begins a run. See runs.ts.                          |
 * | `n`                                         | The number of its instructions, which follow.                        |
 * | `op, key, spec, n, argument 1…n`            | One instruction. Key 0: it has no key. The key and the specification |
 * |                                             | of a second entity are its first two arguments.                      |
 *
 * A line may stand before the code: see `RunEncoder.line`. Then the reply is the results, with commas between them, if nothing was
 * unusual.
 *
 * | reply of a program                | meaning                                                                        |
 * | --------------------------------- | ------------------------------------------------------------------------------ |
 * | `true, result 1…n`                | It succeeded. There is one result for each instruction; true is 1, null is 0.  |
 * | `["repeated", text or [json]]`    | An earlier attempt succeeded, with these results.                              |
 * | `["applied"]`                     | An earlier attempt succeeded, and its results were too long to keep.           |
 * | `["tombstoned"]`                  | A tombstone forbids it.                                                        |
 * | `["error", step, message, part?]` | The server refused a command. Everything is undone.                            |
 * | `["broken", step, message]`       | The server refused a command, and undoing failed. It may be half applied.      |
 * | `[tag, step, detail?]`            | An instruction stopped it, for the `StopReason` of this tag. All is undone.    |
 */
import { codesOf, forEachIndexKey, type Indexes, ownScoreOf } from "../instruction/indexes.ts"
import { forEachFormerKey, forEachHome, forEachOwnKey, isKeyless, usesQueue } from "../instruction/keys.ts"
import { defaults } from "../instruction/limits.ts"
import { Op } from "../instruction/ops.ts"
import type { Argument, Instruction, Program } from "../instruction/program.ts"
import type { Reply, Result, StopReason } from "../instruction/reply.ts"
import { type Expiry, type FieldSpec, hasOwnKey, isEntitySpec, type Spec } from "../instruction/spec.ts"
import { channelName } from "./channel.ts"
import { type Dedup, DedupEncoder, Mode } from "./dedup.ts"
import { RunEncoder } from "./runs.ts"

/**
 * The parameters of the script.
 *
 * @internal
 */
export interface Batch {
  readonly keys: ReadonlyArray<string>
  readonly argument: string
}

/**
 * A program to be encoded.
 *
 * @internal
 */
export interface Sendable {
  readonly program: Program
  /** Set if the program runs at most once. */
  readonly dedup?: Dedup | undefined
  /** Whether the program was sent before, and no reply arrived. */
  readonly replyLost?: boolean
}

/** Whether an instruction, if it does not use the queue of a lock, touches no other key than the hash of its entity and indexes. */
const hasOneKey = ({ other, spec }: Instruction): boolean =>
  (isEntitySpec(spec) ? spec.collections.length === 0 : !hasOwnKey(spec)) && other === undefined &&
  (spec.expiry === undefined || spec.expiry.collections.length === 0)

/**
 * The parameters that all batches of a service share.
 *
 * @internal
 */
export interface EncodeOptions {
  readonly keyPrefix: string
  /** The greatest length of a value. Default: that of a layer. */
  readonly valueBytes?: number | undefined
  /** The number of the database, which channels contain. Default: 0. */
  readonly database?: number | undefined
  /**
   * Whether keys that may hold other forms of missing fields are declared too. A server that refuses undeclared keys needs
   * it. Default: false, because a call gets longer by it.
   */
  readonly declaresForms?: boolean | undefined
}

/**
 * Encodes programs into one batch. Each key of a program is declared once. Two programs may declare the same key twice, because
 * finding it costs more.
 *
 * @internal
 */
export const encodeBatch = (
  sendables: ReadonlyArray<Sendable>,
  { database = 0, declaresForms = false, keyPrefix, valueBytes = defaults.maximumValueBytes }: EncodeOptions
): Batch => {
  const keys: Array<string> = []
  const specs: Array<Spec> = []
  const specIndex = new Map<Spec, number>()
  const code: Array<Argument> = []
  let lastKey: string | undefined
  let lastSpec: Spec | undefined
  let lastIndex = 0
  const indexOf = (spec: Spec): number => {
    if (spec === lastSpec) return lastIndex
    lastSpec = spec
    lastIndex = specIndex.get(spec) ?? specs.push(spec)
    specIndex.set(spec, lastIndex)
    return lastIndex
  }
  const push = (key: string): number => {
    if (key === lastKey) return keys.length
    lastKey = key
    return keys.push(keyPrefix === "" ? key : keyPrefix + key)
  }
  // the code does not say where these are, so they come last, each once, and do not separate the programs of a run
  const indexKeys = new Set<string>()
  let lastIndexes: Indexes | undefined
  let lastHome: string | undefined
  const declareIndexes = (indexes: Indexes, home: string): void => {
    if (indexes === lastIndexes && home === lastHome) return
    lastIndexes = indexes
    lastHome = home
    forEachIndexKey(indexes, home, (key) => indexKeys.add(key))
  }
  let declared: Map<string, number> | undefined
  const declare = (key: string): number => {
    declared ??= new Map()
    let index = declared.get(key)
    if (index === undefined) {
      index = push(key)
      declared.set(key, index)
    }
    return index
  }
  /** Declares the keys of a program. Returns the position of each instruction's own, or 0 if it has none. */
  const declareAll = (instructions: ReadonlyArray<Instruction>): ReadonlyArray<number> => {
    const [first] = instructions
    for (const instruction of instructions) forEachHome(instruction, declareIndexes)
    // the most frequent program: its one key needs no look-up
    if (
      instructions.length === 1 && !isKeyless(first!.op) && !usesQueue(first!.op) && !declaresForms && hasOneKey(first!)
    ) {
      return [push(first!.key)]
    }
    declared = undefined
    return instructions.map((instruction) => {
      const { key, op } = instruction
      if (isKeyless(op)) return 0
      const index = declare(key)
      if (usesQueue(op) || !hasOneKey(instruction)) forEachOwnKey(instruction, declare)
      if (declaresForms) forEachFormerKey(instruction, declare)
      return index
    })
  }
  const encode = ({ args, op, other, spec }: Instruction, key: number): void => {
    code.push(op, key, indexOf(spec), other === undefined ? args.length : args.length + 2)
    if (other !== undefined) code.push(declare(other.key), indexOf(other.spec))
    // the first argument of a message, and of an instruction on a lock unless it is empty, is a channel
    const hasChannel = op === Op.publish || usesQueue(op) && args[0] !== ""
    if (hasChannel) code.push(channelName({ keyPrefix, database }, String(args[0])))
    for (let i = hasChannel ? 1 : 0; i < args.length; i++) code.push(args[i]!)
  }
  const runs = new RunEncoder(code)
  let dedup: DedupEncoder | undefined
  for (const { dedup: place, program: { instructions }, replyLost } of sendables) {
    if (place !== undefined) {
      dedup ??= new DedupEncoder(code, keys, keyPrefix)
      dedup.push(place, replyLost === true ? Mode.retry : Mode.first)
      lastKey = undefined
      runs.end()
    }
    const indices = declareAll(instructions)
    if (place === undefined && runs.join(instructions, indices)) continue
    const at = code.length
    code.push(instructions.length)
    for (let i = 0; i < instructions.length; i++) encode(instructions[i]!, indices[i]!)
    if (place === undefined) runs.begin(instructions, indices, at)
  }
  const limits = database !== 0
    ? `,${valueBytes},${database}`
    : valueBytes === defaults.maximumValueBytes
    ? ""
    : `,${valueBytes}`
  const line = runs.line(sendables.length, keys.length, indexKeys.size)
  for (const key of indexKeys) keys.push(keyPrefix + key)
  return { keys, argument: `${line}[[${specs.map(specText).join(",")}],${JSON.stringify(code)}${limits}]` }
}

/** The short names of the kinds. Lua compares them. */
const kinds: { readonly [Kind in FieldSpec["kind"]]: string } = {
  text: "t",
  integer: "i",
  number: "n",
  int64: "l",
  date: "d",
  duration: "u",
  boolean: "b",
  value: "v",
  list: "list",
  set: "set",
  map: "map",
  sortedSet: "zset"
}

const toWireExpiry = ({ collections, former, milliseconds, onRead, renewAfterMillis }: Expiry) => ({
  ms: milliseconds,
  slack: renewAfterMillis,
  access: onRead,
  cs: collections,
  fo: former.map((name) => `:${name}`)
})

/**
 * `ix`: the indexes. `iv`: whether an instruction may change the values that they are made of, and not only the expiry. `sc`: see
 * `ownScoreOf`.
 */
const toWireIndexes = (spec: Spec) => {
  const indexes = spec.indexes ?? spec.expiry?.indexes
  if (indexes === undefined) return undefined
  const { hasOneHome, list, live, plan, values } = indexes
  return {
    iv: spec.indexes === undefined ? undefined : 1,
    sc: isEntitySpec(spec) || spec.indexes === undefined ? undefined : ownScoreOf(indexes, spec.field),
    ix: {
      one: hasOneHome || undefined,
      live,
      plan,
      names: values.flatMap(({ field = [] }) => field),
      vs: values.map(({ default: d, nullable, part }) => ({ d, z: nullable, part })),
      list: list.map((index) => ({
        name: index.stored,
        score: index.order === "score" || undefined,
        v: index.values.map((value) => value + 1),
        codes: codesOf(indexes, index),
        w: index.where?.map(([value, text]) => [value + 1, text]),
        uniq: index.isUnique
      }))
    }
  }
}

/** The wire form of a specification. Its names are short because they travel with every call. The script knows only these. */
const toWire = (spec: Spec): unknown => {
  const expiry = spec.expiry && toWireExpiry(spec.expiry)
  return isEntitySpec(spec) ?
    {
      fs: spec.fields,
      cs: spec.collections.map(toWire),
      ic: spec.inner,
      life: expiry,
      ...toWireIndexes(spec)
    } :
    {
      f: spec.field,
      k: kinds[spec.kind],
      d: spec.default,
      ge: spec.minimum,
      gt: spec.exclusiveMinimum,
      le: spec.maximum,
      lt: spec.exclusiveMaximum,
      minl: spec.minLength,
      maxl: spec.maxLength,
      minc: spec.minSize,
      maxc: spec.maxSize,
      z: spec.nullable,
      ic: spec.inner,
      of: spec.itemOf,
      life: expiry,
      ...toWireIndexes(spec)
    }
}

const specTexts = new WeakMap<Spec, string>()

/** The text of a specification. It is made once, because a specification lives as long as its model. */
const specText = (spec: Spec): string => {
  let text = specTexts.get(spec)
  if (text === undefined) specTexts.set(spec, text = JSON.stringify(toWire(spec)))
  return text
}

/**
 * Encodes tombstones: each forbids a program that may still arrive, and asks for its outcome. They have no instructions.
 *
 * @internal
 */
export const encodeTombstones = (dedups: ReadonlyArray<Dedup>, keyPrefix: string): Batch => {
  const keys: Array<string> = []
  const code: Array<Argument> = []
  const encoder = new DedupEncoder(code, keys, keyPrefix)
  for (const dedup of dedups) {
    encoder.push(dedup, Mode.tombstone)
    code.push(0)
  }
  return { keys, argument: JSON.stringify([[], code]) }
}

/**
 * The outcome of one program, as the script reports it.
 *
 * @internal
 */
export type Outcome =
  /** The program succeeded, or one of its instructions stopped it. */
  | Reply
  /** `applied`: an earlier attempt applied it, and its result was not kept. `tombstoned`: it will never run. */
  | { readonly _tag: "applied" | "tombstoned" }
  /** The server refused a command of the program. */
  | {
    readonly _tag: "refused"
    readonly message: string
    readonly step: number
    /** Whether all writes of the program are undone. Otherwise it may be half applied. */
    readonly undone: boolean
    /** The name of the collection on which the command worked. Empty: the entity's hash. */
    readonly part: string
  }

const decodeStop = ([tag, step, detail, part = ""]: ReadonlyArray<any>): Outcome => {
  switch (tag) {
    case "error":
    case "broken":
      return { _tag: "refused", message: String(detail), step: step - 1, undone: tag === "error", part }
    case "bounds":
      return failed({ _tag: "bounds", step: step - 1, bound: detail })
    case "arithmetic":
      return failed({ _tag: "arithmetic", step: step - 1, reason: detail })
    case "repeated":
      return repeated(step)
    case "applied":
      return { _tag: "applied" }
    case "tombstoned":
      return { _tag: "tombstoned" }
    case "conflict":
      return failed({ _tag: tag, step: 0 })
    case "tooLong":
      return failed({ _tag: tag, step: step - 1, limit: detail })
    case "fail":
      return failed({ _tag: "fail", step: step - 1, index: detail[0], observed: detail.slice(1).map(resultOf) })
    case "plan":
      return failed({ _tag: "plan", step: step - 1, isOlder: detail === 1 })
    case "indexKey":
      return failed({ _tag: tag, step: step - 1, suffix: detail })
    case "member":
      return failed({ _tag: "type", step: step - 1, member: detail[0], part: detail[1] })
    case "unique":
      // it is found later than at the step that wrote the value
      return failed({ _tag: tag, step: detail[1] - 1, index: detail[0] - 1 })
    case "missing":
    case "exists":
      return failed({ _tag: tag, step: step - 1, ...(detail === undefined ? undefined : { other: true }) })
    case "type":
      return failed({
        _tag: tag,
        step: step - 1,
        ...(detail === undefined ? undefined : { part: detail[0] }),
        ...(detail?.[1] === undefined ? undefined : { other: true })
      })
    default:
      return failed({ _tag: tag, step: step - 1 })
  }
}

/** Decodes the results of an earlier attempt: the text of a single result, or a list with the JSON text of all results. */
const repeated = (stored: string | readonly [json: string]): Outcome => {
  if (typeof stored === "string") return { _tag: "done", results: [stored] }
  try {
    return { _tag: "done", results: JSON.parse(stored[0]).map(resultOf) }
  } catch {
    return { _tag: "applied" }
  }
}

const failed = (failure: StopReason): Outcome => ({ _tag: "failed", failure })

/** The script may write 1 as true and 0 as null, because that is faster. */
const resultOf = (result: any): Result => result === true ? 1 : result === null ? 0 : result

/** The whole reply if a line stood before the code. */
const numbers = /^-?\d+(?:,-?\d+)*$/

/**
 * The outcome of each program of a batch, in order. Returns undefined if the text is not such a reply.
 *
 * @internal
 */
export const decodeBatch = (
  sendables: ReadonlyArray<{ readonly program: Program }>,
  text: string
): ReadonlyArray<Outcome> | undefined => {
  if (numbers.test(text)) {
    const texts = text.split(",")
    return texts.length === sendables.length ? texts.map((text) => ({ _tag: "done", results: [text] })) : undefined
  }
  let reply: Array<any>
  try {
    reply = JSON.parse(text)
  } catch {
    return undefined
  }
  if (!Array.isArray(reply)) return undefined
  const outcomes: Array<Outcome> = []
  let at = 0
  for (const { program: { instructions } } of sendables) {
    const head = reply[at++]
    if (head === true) {
      const results: Array<Result> = []
      for (let i = 0; i < instructions.length; i++) results.push(resultOf(reply[at++]))
      outcomes.push({ _tag: "done", results })
    } else if (Array.isArray(head)) {
      outcomes.push(decodeStop(head))
    } else {
      return undefined
    }
  }
  return outcomes
}
