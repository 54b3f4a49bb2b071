/**
 * The text form of a batch, and of its reply. Flat, since `cjson` goes no deeper than a thousand levels, and with every
 * specification once, however many instructions share it. A second entity is the first two arguments: its key, and its
 * specification.
 */
import { forEachKey, usesQueue } from "../instruction/keys.ts"
import { Op } from "../instruction/ops.ts"
import type { Argument, Instruction, Program } from "../instruction/program.ts"
import type { Failure, Reply, Result } from "../instruction/reply.ts"
import { type Expiry, type FieldSpec, hasOwnKey, isEntitySpec, type Spec } from "../instruction/spec.ts"

/** @internal */
export interface Batch {
  readonly keys: ReadonlyArray<string>
  readonly argument: string
}

/**
 * How a program happens once, however often it arrives: what became of it stands under a token, where every attempt looks.
 *
 * @internal
 */
export interface Once {
  readonly place: Place
  /** which of the programs of its place it is, from 1 on; where the key is the caller's own, the digest of the program */
  readonly which: number | string
}

/**
 * Of all programs that are first sent together, or of one with a key of its caller.
 *
 * @internal
 */
export interface Place {
  /** without the prefix */
  readonly key: string
  readonly token: string
  /** how long it is known, in milliseconds */
  readonly keepFor: number
}

/**
 * What is sent: a program, how it happens once, and whether it has been sent before, without an answer.
 *
 * @internal
 */
export interface Sendable {
  readonly program: Program
  readonly once?: Once | undefined
  readonly lost?: boolean
}

const hasOneKey = ({ op, other, spec }: Instruction): boolean =>
  !usesQueue(op) && (isEntitySpec(spec) ? spec.collections.length === 0 : !hasOwnKey(spec)) && other === undefined &&
  (spec.expiry === undefined || spec.expiry.collections.length === 0)

/**
 * Within a program every key is declared once. Across programs one may be again: to look for it would cost more.
 *
 * @internal
 */
export const encodeBatch = (entries: ReadonlyArray<Sendable>, keyPrefix: string): Batch => {
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
  let guards: Guards | undefined
  for (const entry of entries) {
    const { instructions } = entry.program
    if (entry.once !== undefined) {
      guards ??= new Guards(code, keys, keyPrefix)
      guards.push(entry.once, entry.lost === true ? Mode.again : Mode.first)
      lastKey = undefined
    }
    code.push(instructions.length)
    declared = undefined
    for (const instruction of instructions) {
      const { args, key, op, other, spec } = instruction
      if (op < Op.get) {
        code.push(op, 0, indexOf(spec), args.length)
      } else if (op === Op.publish) {
        code.push(op, 0, indexOf(spec), args.length, keyPrefix + args[0], args[1]!)
        continue
      } else if (instructions.length === 1 && hasOneKey(instruction)) {
        code.push(op, push(key), indexOf(spec), args.length)
      } else {
        const index = declare(key)
        if (!hasOneKey(instruction)) forEachKey(instruction, declare)
        if (other === undefined) code.push(op, index, indexOf(spec), args.length)
        else code.push(op, index, indexOf(spec), args.length + 2, declare(other.key), indexOf(other.spec))
      }
      const hasChannel = usesQueue(op) && args[0] !== ""
      if (hasChannel) code.push(keyPrefix + args[0])
      for (let i = hasChannel ? 1 : 0; i < args.length; i++) code.push(args[i]!)
    }
  }
  return { keys, argument: `[[${specs.map(specText).join(",")}],${JSON.stringify(code)}]` }
}

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

const toWireExpiry = ({ collections, milliseconds, onRead, renewAfterMillis }: Expiry) => ({
  ms: milliseconds,
  slack: renewAfterMillis,
  access: onRead,
  cs: collections
})

/** The wire form of a specification: the names are short because they travel with every call. Lua knows only these. */
const toWire = (spec: Spec): unknown => {
  const life = spec.expiry && toWireExpiry(spec.expiry)
  return isEntitySpec(spec) ? { fs: spec.fields, cs: spec.collections.map(toWire), life } : {
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
    of: spec.itemOf,
    life
  }
}

const texts = new WeakMap<Spec, string>()

/** The text of a specification, made once, because a specification lives as long as its model. */
const specText = (spec: Spec): string => {
  let text = texts.get(spec)
  if (text === undefined) texts.set(spec, text = JSON.stringify(toWire(spec)))
  return text
}

const Mode = { first: 0, again: 1, seal: 2 } as const

/** Says how programs happen once, each before its instructions. */
class Guards {
  readonly code: Array<Argument>
  readonly keys: Array<string>
  readonly keyPrefix: string
  readonly indices = new Map<string, number>()
  place: Place | undefined = undefined
  /** which program of the place would follow in the same way */
  following = 0
  mode: number | undefined = undefined

  constructor(code: Array<Argument>, keys: Array<string>, keyPrefix: string) {
    this.code = code
    this.keys = keys
    this.keyPrefix = keyPrefix
  }

  push({ place, which }: Once, mode: number): void {
    if (which === this.following && place === this.place && mode === this.mode) {
      this.following++
      this.code.push(-2)
      return
    }
    const { keepFor, key, token } = place
    const index = this.indices.get(key) ?? this.keys.push(this.keyPrefix + key)
    this.indices.set(key, index)
    this.code.push(-1, index, token, mode, keepFor, which)
    this.place = place
    this.following = typeof which === "number" ? which + 1 : 0
    this.mode = mode
  }
}

/**
 * Forbids programs that may still be on their way, and asks what became of them: no instructions.
 *
 * @internal
 */
export const encodeSeals = (seals: ReadonlyArray<Once>, keyPrefix: string): Batch => {
  const keys: Array<string> = []
  const code: Array<Argument> = []
  const guards = new Guards(code, keys, keyPrefix)
  for (const once of seals) {
    guards.push(once, Mode.seal)
    code.push(0)
  }
  return { keys, argument: JSON.stringify([[], code]) }
}

/**
 * What became of a program, as the interpreter on the server tells it: done, stopped by one of its own instructions, or
 * stopped by the server, which may have left it half done only where it says so.
 *
 * @internal
 */
export type Outcome =
  | Reply
  /** an earlier attempt has done it, and its result is not kept; or it never will be */
  | { readonly _tag: "applied" | "sealed" }
  | {
    readonly _tag: "refused"
    readonly message: string
    readonly step: number
    readonly undone: boolean
    /** the collection that it was about; empty: the hash */
    readonly part: string
  }

const refusal = (entry: ReadonlyArray<any>): Outcome => {
  const [tag, step, detail, part = ""] = entry
  switch (tag) {
    case "error":
    case "broken":
      return { _tag: "refused", message: String(detail), step: step - 1, undone: tag === "error", part }
    case "bounds":
      return failed({ _tag: "bounds", step: step - 1, bound: detail })
    case "arithmetic":
      return failed({ _tag: "arithmetic", step: step - 1, reason: detail })
    case "once":
      return repeated(step)
    case "applied":
    case "sealed":
      return { _tag: tag }
    case "conflict":
      return failed({ _tag: tag, step: 0 })
    case "fail":
      return failed({ _tag: "fail", step: step - 1, index: detail[0], observed: detail.slice(1) })
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

/** The results of an earlier attempt: a text, or all of them as JSON in a list of one. */
const repeated = (stored: string | readonly [json: string]): Outcome => {
  if (typeof stored === "string") return { _tag: "done", results: [stored] }
  try {
    return { _tag: "done", results: JSON.parse(stored[0]) }
  } catch {
    return { _tag: "applied" }
  }
}

const failed = (failure: Failure): Outcome => ({ _tag: "failed", failure })

/**
 * The outcome of each program of a batch, in order. Fails with undefined where the text is no such reply.
 *
 * @internal
 */
export const decodeBatch = (
  entries: ReadonlyArray<{ readonly program: Program }>,
  text: string
): ReadonlyArray<Outcome> | undefined => {
  let reply: Array<any>
  try {
    reply = JSON.parse(text)
  } catch {
    return undefined
  }
  if (!Array.isArray(reply)) return undefined
  const outcomes: Array<Outcome> = []
  let at = 0
  for (const { program: { instructions } } of entries) {
    const head = reply[at++]
    if (head === true) {
      const results: Array<Result> = []
      for (let i = 0; i < instructions.length; i++) results.push(reply[at++])
      outcomes.push({ _tag: "done", results })
    } else if (Array.isArray(head)) {
      outcomes.push(refusal(head))
    } else {
      return undefined
    }
  }
  return outcomes
}
